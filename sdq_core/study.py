"""One evaluation: the validated ``study.yaml``, or the same from command-line options."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from sdq_core.errors import StudyError, UsageError
from sdq_core.vocabulary import Role

__all__ = [
    "CohortSource",
    "GeneratorFacts",
    "Purpose",
    "Study",
    "load_study",
    "study_from_options",
]


PATHS: Final = ("masks", "schema", "code_lists", "rules")
"""Settings of modalities that hold paths: by themselves, in a list or in a mapping."""


class _Strict(BaseModel):
    """Unknown keys are errors: a misspelt key must never be a default that quietly applies."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CohortSource(_Strict):
    """Where one cohort is.

    Parameters
    ----------
    path : Path
        Folder or file. A relative path is resolved beside the study file.
    labels : Path, optional
        CSV or Parquet table with the columns ``item``, ``subject``, ``class`` and any attribute;
        ``item`` is the path relative to the table's folder.
    """

    path: Path
    labels: Path | None = None


class Purpose(_Strict):
    """What the synthetic data are for; volume is judged against it.

    Parameters
    ----------
    description : str
    minimum_items : int
        Items that the purpose needs.
    minimum_items_per_class : int
    intended_distribution : mapping of str to float
        Intended share of each class; sums to 1. Medically right data are often unbalanced.
    target_auc : float, optional
        AUC that a model trained on the synthetic data must reach on real data.
    """

    description: str = ""
    minimum_items: int | None = Field(default=None, ge=1)
    minimum_items_per_class: int | None = Field(default=None, ge=1)
    intended_distribution: dict[str, float] | None = None
    target_auc: float | None = Field(default=None, gt=0.5, le=1.0)

    @field_validator("intended_distribution")
    @classmethod
    def _sums_to_one(cls, value: dict[str, float] | None) -> dict[str, float] | None:
        if value is not None:
            if any(share < 0 for share in value.values()):
                raise ValueError("shares must not be negative")
            if abs(sum(value.values()) - 1) > 1e-6:
                raise ValueError(f"shares must sum to 1, they sum to {sum(value.values()):g}")
        return value


class GeneratorFacts(_Strict):
    """What the provider states about the generation process.

    Every key is optional: the share that is filled in is measured, not demanded.
    """

    algorithm: str = ""
    principle: str = ""
    version: str = ""
    parameters: dict[str, Any] = Field(default_factory=dict)
    training_data: str = ""
    conditioning: str = ""
    sampling: str = ""
    post_processing: str = ""
    quality_control: str = ""
    privacy_measures: str = ""
    known_limits: str = ""
    intended_use: str = ""
    responsible: str = ""
    date: str = ""

    @field_validator("date", mode="before")
    @classmethod
    def _date_as_text(cls, value: object) -> object:
        return value.isoformat() if isinstance(value, dt.date | dt.datetime) else value


class Study(_Strict):
    """One evaluation.

    Parameters
    ----------
    modality : str
        Name of a modality plugin, e.g. ``"imaging"``.
    cohorts : mapping of Role to CohortSource
        ``train`` and ``synthetic`` are needed; without ``holdout`` privacy is not assessed.
    classes : sequence of str
        The declared class list; an absent class counts zero.
    subgroup : str, optional
        Attribute by which fidelity is compared between subgroups.
    settings : mapping
        Options of the modality; the modality validates them.

    Examples
    --------
    >>> study = Study(modality="imaging", cohorts={"train": {"path": "a"},
    ...                                            "synthetic": {"path": "b"}})
    >>> study.seed, study.profile
    (0, 'default')
    """

    # `schema` would shadow a method of pydantic's BaseModel.
    schema_: Literal["sdq.study/1"] = Field(default="sdq.study/1", alias="schema")
    name: str = "study"
    modality: str
    cohorts: dict[Role, CohortSource]
    classes: tuple[str, ...] = ()
    subgroup: str | None = None
    profile: str = "default"
    seed: int = Field(default=0, ge=0, lt=2**63)
    purpose: Purpose = Purpose()
    generator: GeneratorFacts | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    description: str = ""

    @field_validator("classes", mode="before")
    @classmethod
    def _classes_as_text(cls, value: object) -> object:
        # A YAML list of 0, 1, 2 names classes; labels are compared as text.
        return tuple(str(v) for v in value) if isinstance(value, list | tuple) else value

    @model_validator(mode="after")
    def _consistent(self) -> Study:
        for role in (Role.TRAIN, Role.SYNTHETIC):
            if role not in self.cohorts:
                raise ValueError(f"cohorts.{role} is missing: a study needs train and synthetic")
        if len(set(self.classes)) != len(self.classes):
            raise ValueError("classes: a class is listed twice")
        intended = self.purpose.intended_distribution
        if intended is not None and self.classes and set(intended) != set(self.classes):
            raise ValueError("purpose.intended_distribution must name exactly the declared classes")
        return self

    def located(self, folder: Path) -> Study:
        """Return the study with its relative paths resolved beside a folder.

        Raises
        ------
        StudyError
            A relative path leaves the folder.
        """

        def resolve(path: Path, key: str) -> Path:
            if path.is_absolute():
                return path
            base = folder.resolve()
            full = (base / path).resolve()
            if not full.is_relative_to(base):
                raise StudyError(
                    f"study: {key}: the relative path {path} leaves the study folder; "
                    f"write an absolute path if that is meant"
                )
            return base / path

        sources = {}
        for role, source in self.cohorts.items():
            labels = source.labels
            sources[role] = CohortSource(
                path=resolve(source.path, f"cohorts.{role}.path"),
                labels=None if labels is None else resolve(labels, f"cohorts.{role}.labels"),
            )

        def beside(value: Any, key: str) -> Any:
            if isinstance(value, str):
                return str(resolve(Path(value), key))
            if isinstance(value, Mapping) and not key.endswith(".schema"):
                return {k: beside(v, f"{key}.{k}") for k, v in value.items()}
            return [beside(v, key) for v in value] if isinstance(value, list | tuple) else value

        settings = {
            key: beside(value, f"settings.{key}") if key in PATHS else value
            for key, value in self.settings.items()
        }
        return self.model_copy(update={"cohorts": sources, "settings": settings})


def load_study(path: Path) -> Study:
    """Read and validate a study file.

    Parameters
    ----------
    path : Path
        A ``study.yaml``.

    Returns
    -------
    Study
        With paths resolved beside the file.

    Raises
    ------
    StudyError
        The file cannot be read or breaks the schema; the message names the key and the line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(
            f"{path}: cannot be read ({error}); give a UTF-8 study file, see: sdq init"
        ) from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        lines = _lines(node)
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise StudyError(f"{path}: is not valid YAML: {error}") from error
    if not isinstance(data, dict):
        raise StudyError(f"{path}: must hold a mapping of keys, see: sdq init imaging")
    return _validated(data, str(path), lines).located(path.parent)


def study_from_options(
    base: Study | None,
    options: Mapping[str, Any],
    sources: Mapping[str, Path],
    labels: Sequence[str],
) -> Study:
    """Make a study from command-line options, on top of a study file where there is one.

    Parameters
    ----------
    base : Study or None
    options : mapping
        Top-level keys of the study that were given.
    sources : mapping of str to Path
        Role -> folder or file.
    labels : sequence of str
        ``"ROLE=FILE"`` for one cohort, ``"FILE"`` for all of them.

    Returns
    -------
    Study

    Raises
    ------
    UsageError
        A label option names no cohort of the study.
    StudyError
        The whole breaks the schema.
    """
    data: dict[str, Any] = {}
    if base is not None:
        data = base.model_dump(by_alias=True)
    data |= options
    cohorts: dict[str, dict[str, Any]] = {
        str(role): dict(source) for role, source in data.get("cohorts", {}).items()
    }
    for role, path in sources.items():
        cohorts[role] = {"path": path}
    for text in labels:
        role, equals, file = text.partition("=")
        if not equals:
            chosen, file = list(cohorts), text
        elif role in cohorts:
            chosen = [role]
        else:
            raise UsageError(
                f"--labels {text}: {role!r} is no cohort of this study "
                f"({', '.join(cohorts) or 'none given'}); write ROLE=FILE or FILE"
            )
        for one in chosen:
            cohorts[one]["labels"] = Path(file)
    data["cohorts"] = cohorts
    if "modality" not in data:
        raise UsageError("give a study file, or --modality with --train and --synthetic")
    return _validated(data, "command line", {})


def _validated(data: Mapping[str, Any], name: str, lines: Mapping[tuple[str, ...], int]) -> Study:
    try:
        return Study.model_validate(data)
    except ValidationError as error:
        problems = []
        for problem in error.errors():
            where = tuple(str(p) for p in problem["loc"] if p != "[key]")
            known = [where[:k] for k in range(len(where), -1, -1) if where[:k] in lines]
            line = f", line {lines[known[0]]}" if known else ""
            problems.append(f"{name}{line}: {'.'.join(where) or 'study'}: {_say(problem)}")
        raise StudyError("\n".join(problems)) from error


def _say(problem: Mapping[str, Any]) -> str:
    if problem["type"] == "extra_forbidden":
        return "unknown key; remove it or correct its spelling (allowed keys: sdq init imaging)"
    if problem["type"] == "missing":
        return "is missing and has no default"
    return str(problem["msg"]).removeprefix("Value error, ")


def _lines(node: yaml.Node | None, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], int]:
    """Map each key path of a YAML tree to its line, and refuse doubled keys."""
    found: dict[tuple[str, ...], int] = {}
    if node is None:
        return found
    found[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            where = (*path, str(key.value))
            if where in found:
                raise yaml.YAMLError(
                    f"line {key.start_mark.line + 1}: the key {'.'.join(where)} stands twice "
                    f"(first in line {found[where]})"
                )
            found |= _lines(value, where)
            found[where] = key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            found |= _lines(value, (*path, str(index)))
    return found
