"""The schema ``sdq.generator/1``: what the provider states of the synthesis, and its facts."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    model_serializer,
)

from sdq_core.generator.facts import definition, definitions
from sdq_core.generator.fields import (
    Count,
    Date,
    Digest,
    Parameters,
    Table,
    Text,
    Weights,
    as_list,
    none_or_guarantee,
    or_empty,
    or_none,
    yes_or_no,
)

__all__ = ["Fact", "Generator", "fact_of"]


class _Part(BaseModel):
    """Unknown keys are errors: a misspelt key must not look like one that is missing."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Dataset(_Part):
    """The synthetic data set."""

    name: Text = ""
    identifier: Text = ""
    version: Text = ""
    date: Date = ""
    provider: Text = ""
    contact: Text = ""
    licence: Text = ""
    type: Annotated[tuple[Literal["train", "tune", "test"], ...], BeforeValidator(as_list)] = ()
    intended_use: Text = ""
    excluded_use: Text = ""


class Algorithm(_Part):
    """What generated it."""

    name: Text = ""
    family: Annotated[
        Literal[
            "gan", "diffusion", "vae", "flow", "simulator", "language_model", "statistical", "other"
        ]
        | None,
        BeforeValidator(or_none),
    ] = None
    principle: Text = ""
    version: Text = ""
    weights_sha256: Weights = ""
    code: Text = ""
    environment: Text = ""
    parameters: Parameters = Field(default_factory=dict)


class TrainingData(_Part):
    """The real data from which it learned."""

    source: Text = ""
    legal_basis: Text = ""
    ethics: Text = ""
    period: Text = ""
    sites: Text = ""
    devices: Text = ""
    inclusion: Text = ""
    exclusion: Text = ""
    preprocessing: Text = ""
    items: Count = None
    subjects: Count = None
    digest: Digest = ""
    split: Text = ""


class Sampling(_Part):
    """How items were drawn from it."""

    procedure: Text = ""
    seeds: Text = ""
    selection: Text = ""


class DifferentialPrivacy(_Part):
    """A formal guarantee."""

    epsilon: float = Field(ge=0, allow_inf_nan=False)
    delta: float = Field(ge=0, lt=1, allow_inf_nan=False)
    mechanism: Text = ""


def _branch(value: object) -> str:
    return "none" if value == "none" else "guarantee"


class Privacy(_Part):
    """Measures that protect the persons behind the training data."""

    deidentification: Text = ""
    differential_privacy: Annotated[
        Annotated[
            Annotated[DifferentialPrivacy, Tag("guarantee")]
            | Annotated[Literal["none"], Tag("none")],
            Discriminator(_branch),
        ]
        | None,
        BeforeValidator(none_or_guarantee),
    ] = None
    filtering: Text = ""


class Responsible(_Part):
    """Who answers for the description."""

    organisation: Text = ""
    contact: Text = ""
    date: Date = ""


class Change(_Part):
    """One entry of the history."""

    version: Text = ""
    date: Date = ""
    what: Text = ""


class ComplianceAnswer(_Part):
    """The provider's answer to one question of the privacy checklist; empty: still open."""

    answer: Annotated[Literal["yes", "no", "not_applicable"] | None, BeforeValidator(yes_or_no)] = (
        None
    )
    evidence: Text = ""


class Generator(_Part):
    """What the provider states of the synthesis; all of it is optional.

    Examples
    --------
    >>> made = Generator.model_validate({"algorithm": {"name": "vae", "family": "vae"}})
    >>> made.algorithm.family, made.model_dump(mode="json")["schema"]
    ('vae', 'sdq.generator/1')
    >>> [f.key for f in made.facts() if f.value is not None]
    ['algorithm.name', 'algorithm.family']
    """

    # `schema` would shadow a method of pydantic's BaseModel.
    schema_: Literal["sdq.generator/1"] = Field(default="sdq.generator/1", alias="schema")
    dataset: Annotated[Dataset, BeforeValidator(or_empty)] = Dataset()
    algorithm: Annotated[Algorithm, BeforeValidator(or_empty)] = Algorithm()
    training_data: Annotated[TrainingData, BeforeValidator(or_empty)] = TrainingData()
    conditioning: Text = ""
    sampling: Annotated[Sampling, BeforeValidator(or_empty)] = Sampling()
    post_processing: Text = ""
    labels: Text = ""
    quality_control: Text = ""
    privacy: Annotated[Privacy, BeforeValidator(or_empty)] = Privacy()
    marking: Text = ""
    known_limits: Text = ""
    responsible: Annotated[Responsible, BeforeValidator(or_empty)] = Responsible()
    changes: Annotated[tuple[Change, ...], BeforeValidator(as_list)] = ()
    compliance: Annotated[dict[str, ComplianceAnswer], BeforeValidator(or_empty)] = Field(
        default_factory=dict
    )
    lineage: Table = None

    @model_serializer(mode="wrap")
    def _with_schema(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        found: dict[str, Any] = handler(self)
        found.pop("schema_", None)
        return {"schema": self.schema_, **found}

    def facts(self) -> tuple[Fact, ...]:
        """Return every fact that is asked for, in the order of the table, missing ones as None."""
        return tuple(fact_of(d.key, self) for d in definitions())


class Fact(_Part):
    """One thing that the provider is asked to state.

    Parameters
    ----------
    key : str
        Dotted: ``"algorithm.version"``.
    requirement : str
        Id of the requirement that leads to it.
    label, label_zh : str
    value : str, int, mapping, tuple or None
        As stated: a text, or texts under ``en`` and ``zh``; None is not provided.
    contradicted, contradicted_zh : str
        What in the data contradicts the statement; empty where nothing does.
    """

    key: str
    requirement: str
    label: str
    label_zh: str
    value: Any = None
    contradicted: str = ""
    contradicted_zh: str = ""


def fact_of(key: str, generator: Generator | None, against: tuple[str, str] = ("", "")) -> Fact:
    """Return one fact of a description.

    Parameters
    ----------
    key : str
    generator : Generator or None
        None: nothing is stated.
    against : tuple of str
        What contradicts it, English and Chinese.
    """
    asked = definition(key)
    value: Any = generator
    for name in key.split(".") if generator is not None else ():
        value = getattr(value, name)
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    elif isinstance(value, tuple):
        value = tuple(v.model_dump(mode="json") if isinstance(v, BaseModel) else v for v in value)
    stated = None if value in ("", (), {}) else value
    return Fact(
        key=key,
        requirement=asked.requirement,
        label=asked.label[0],
        label_zh=asked.label[1],
        value=stated,
        contradicted=against[0],
        contradicted_zh=against[1],
    )
