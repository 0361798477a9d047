"""The result as plain data: ``sdq.result/1``, its JSON Schema, reading and writing.

Everything that a person reads is rendered from this; it is written deterministically: same
inputs and seed, same bytes, the key ``environment`` aside.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from sdq_core.calibration.model import CalibrationUse
from sdq_core.files import atomic_write
from sdq_core.hashing import readable_json
from sdq_core.versioned_json import load_versioned
from sdq_core.vocabulary import Characteristic, Role, Verdict

__all__ = ["SCHEMA", "Result", "json_schema", "load_result", "save_result"]

SCHEMA = "sdq.result/1"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class IntervalModel(_Model):
    """A closed interval and how it was got."""

    low: float
    high: float
    level: float
    method: str
    centre: float | None = None


class MethodModel(_Model):
    """How a number was made."""

    name: str
    source: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    seed: int | None = None


class CriterionModel(_Model):
    """The rule that was applied, with the range that followed from it."""

    mandatory: bool
    rule: dict[str, Any]
    reason: str
    reason_zh: str = ""
    source: str
    low: float | None = Field(default=None, description="lower acceptable bound; null is open")
    high: float | None = Field(default=None, description="upper acceptable bound; null is open")


class MeasurementModel(_Model):
    """One number of one characteristic, judged."""

    id: str
    variant: str | None = None
    characteristic: Characteristic
    aspect: str | None = None
    value: float | None = None
    reason: str | None = Field(default=None, description="why there is no value")
    reason_zh: str | None = None
    unit: str = "1"
    better: Literal["lower", "higher", "closer"] | None = None
    interval: IntervalModel | None = None
    noise_floor: IntervalModel | None = None
    n: dict[str, int] = Field(default_factory=dict)
    target: float | None = Field(default=None, description="what the study declares")
    method: MethodModel | None = None
    details: dict[str, Any] = Field(default_factory=dict)
    criterion: CriterionModel | None = None
    verdict: Verdict | None = Field(default=None, description="null: informative, no criterion")
    code: str = Field(description="why the verdict is what it is, e.g. interval_straddles")
    needed_factor: float | None = Field(
        default=None, description="about how many times the sample would settle it"
    )


class MeasureText(_Model):
    """What a measure is called and says, for people."""

    title: str
    title_zh: str
    says: str
    says_zh: str
    method_zh: str = Field(default="", description="the method's name in Chinese")


class CohortModel(_Model):
    """Facts about one cohort."""

    items: int
    readable: int
    subjects: int | None = Field(default=None, description="null: no subject ids were given")
    digest: str = Field(description="SHA-256 over the sorted digests of the items")
    classes: dict[str, int] | None = None
    attributes: dict[str, dict[str, int]] = Field(default_factory=dict)


class RuleCount(_Model):
    """How often one rule was broken in one cohort."""

    rule: str
    severity: str
    role: str
    items: int
    findings: int
    message: str
    message_zh: str


class FindingsModel(_Model):
    """Counts by rule, and the files that hold every finding."""

    total: int
    by_rule: tuple[RuleCount, ...] = ()
    file: str = "findings.parquet"
    csv: str = "findings.csv"


class GalleryImage(_Model):
    """One picture of the gallery of worst items, a PNG beside the result."""

    item: str
    role: Role
    file: str
    why: str
    why_zh: str


class Limit(_Model):
    """One limit of the assessment, in words."""

    en: str
    zh: str


class Result(_Model):
    """One judged evaluation."""

    schema_: Literal["sdq.result/1"] = Field(default="sdq.result/1", alias="schema")
    study: dict[str, Any]
    profile: dict[str, str]
    modality: dict[str, Any]
    cohorts: dict[Role, CohortModel]
    measurements: tuple[MeasurementModel, ...]
    verdicts: dict[Characteristic, Verdict]
    findings: FindingsModel
    measures: dict[str, MeasureText] = Field(default_factory=dict)
    gallery: tuple[GalleryImage, ...] = ()
    limits: tuple[Limit, ...] = ()
    calibration: CalibrationUse | None = Field(
        default=None, description="null: the study was not calibrated"
    )
    exit_code: Literal[0, 1, 3]
    environment: dict[str, Any]

    def measurement(self, identifier: str, variant: str | None = None) -> MeasurementModel:
        """Return one measurement.

        Parameters
        ----------
        identifier : str
            Measurement id.
        variant : str, optional
            None returns the first of that id.

        Raises
        ------
        KeyError
            There is none.
        """
        for found in self.measurements:
            if found.id == identifier and variant in (None, found.variant):
                return found
        raise KeyError(f"the result has no measurement {identifier!r} (variant {variant!r})")


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of ``result.json``.

    Examples
    --------
    >>> json_schema()["$id"]
    'sdq.result/1'
    """
    schema = Result.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA, **schema}


def save_result(result: Result, path: Path) -> None:
    """Write a result deterministically: sorted keys, one measurement a line for readable diffs.

    Raises
    ------
    StoreError
        The file cannot be written.
    """
    atomic_write(path, dump_result(result))


def dump_result(result: Result) -> bytes:
    """Return the bytes of ``result.json``."""
    return readable_json(result.model_dump(mode="json", by_alias=True))


def load_result(path: Path) -> Result:
    """Read a result.

    Raises
    ------
    StoreError
        The file cannot be read, is of another schema, or breaks it.
    """
    return load_versioned(
        path,
        Result,
        SCHEMA,
        what="result",
        give="a result.json",
        other="evaluate again or use the version that wrote it",
    )
