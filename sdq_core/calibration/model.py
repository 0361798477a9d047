"""What calibration writes: ``sdq.calibration/1``, and the record of one of its cases."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from sdq_core.vocabulary import Characteristic, Role, Verdict

__all__ = [
    "SCHEMA",
    "Calibration",
    "CalibrationUse",
    "CaseRecord",
    "Clean",
    "DefectSummary",
    "Estimated",
    "Failed",
    "LeftOut",
    "Rate",
    "Reading",
    "SeveritySummary",
    "Tally",
    "Unproven",
    "Untested",
    "Words",
]

SCHEMA: Final = "sdq.calibration/1"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Words(_Model):
    """A sentence in both languages."""

    en: str
    zh: str


# One case ---------------------------------------------------------------------------------------


class Reading(_Model):
    """What a case keeps of one measurement."""

    id: str
    variant: str | None = None
    characteristic: Characteristic
    value: float | None = None
    low: float | None = None
    high: float | None = None
    verdict: Verdict | None = None
    code: str
    mandatory: bool = False


class CaseRecord(_Model):
    """What became of one case; holds no name and no content of an item."""

    defect: str | None = Field(description="null: the fresh real sample as it is")
    severity: float | None
    seed: int
    items: dict[Role, int]
    subjects: dict[Role, int]
    verdicts: dict[Characteristic, Verdict]
    measurements: tuple[Reading, ...]
    rules: dict[str, int] = Field(
        default_factory=dict, description="rule -> items of the cohort under test that break it"
    )
    seconds: float = Field(default=0.0, description="wall time of the case; in no output")


# The summary ------------------------------------------------------------------------------------


class Rate(_Model):
    """A share of runs with its exact binomial interval."""

    count: int
    n: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """The share itself."""
        return self.count / self.n

    def in_words(self) -> Words:
        """Return the rate in English and in Chinese.

        Examples
        --------
        >>> Rate(count=12, n=20, low=0.3605, high=0.8088).in_words().en
        '12 of 20 runs (60 %; 95 % interval 36 to 81 %)'
        """
        low, high, share = (f"{100 * v:.0f}" for v in (self.low, self.high, self.share))
        runs = "run" if self.n == 1 else "runs"
        return Words(
            en=f"{self.count} of {self.n} {runs} ({share} %; 95 % interval {low} to {high} %)",
            zh=f" {self.n} 次运行的 {self.count} 次（{share}%；95% 区间 {low}% 至 {high}%）",
        )


class Tally(_Model):
    """How often something got each verdict, over the runs in which it was measured."""

    fail: Rate
    inconclusive: int = 0
    not_assessed: int = 0


class Estimated(_Model):
    """A measure that estimates the planted share itself, beside what was planted."""

    measure: str
    planted: float
    runs: int = Field(description="runs in which the measure has a value")
    mean: float | None = Field(default=None, description="mean estimate; null without any")
    largest_difference: float | None = None
    near: Rate | None = Field(
        default=None, description="within 2 percentage points, or inside its own interval"
    )
    alarms: Rate | None = Field(default=None, description="the measure failed")


class SeveritySummary(_Model):
    """One defect at one severity."""

    severity: float
    grave: bool = Field(description="from here on a study must not pass")
    found: Rate = Field(description="runs in which a characteristic that it targets fails")
    characteristics: dict[Characteristic, Tally]
    measures: dict[str, Tally] = Field(
        description="those that are there to see it, and every other that failed"
    )
    rules: dict[str, Rate] = Field(
        default_factory=dict,
        description="runs in which more items break the rule than of the same items as they are",
    )
    estimated: Estimated | None = None


class DefectSummary(_Model):
    """One defect of the catalogue, over its severities."""

    id: str
    title: Words
    unit: Words
    targets: tuple[Characteristic, ...]
    side_effects: tuple[Characteristic, ...] = ()
    sees: tuple[str, ...]
    source: str
    unacceptable: float
    severities: tuple[SeveritySummary, ...] = Field(description="those with runs, ascending")
    smallest_found: float | None = Field(
        default=None, description="from here on every tested severity is found in 80 % of runs"
    )
    smallest_by_measure: dict[str, float | None] = Field(default_factory=dict)

    def at(self, severity: float) -> Words:
        """Return a severity with its unit; shares in percent."""
        if self.unit.en == "share":
            share = f"{100 * severity:g}"
            return Words(en=f"{share} %", zh=f"{share}%")
        if self.unit.en in ("", "1"):
            return Words(en=f"{severity:g}", zh=f"{severity:g}")
        return Words(en=f"{severity:g} {self.unit.en}", zh=f"{severity:g} {self.unit.zh}")

    @property
    def worst_grave(self) -> SeveritySummary | None:
        """The grave severity that was found least often; None when none was tested."""
        grave = [s for s in self.severities if s.grave]
        return min(grave, key=lambda s: (s.found.share, s.severity), default=None)


class Clean(_Model):
    """The fresh real sample, which stands in for a perfect generator."""

    runs: int
    study: Rate | None = Field(
        default=None, description="runs in which any mandatory measure fails; null without runs"
    )
    characteristics: dict[Characteristic, Tally] = Field(default_factory=dict)
    measures: dict[str, Tally] = Field(default_factory=dict)
    estimated: tuple[Estimated, ...] = ()


class Untested(_Model):
    """A defect that this study cannot have, and why."""

    defect: str
    title: Words
    reason: Words


class LeftOut(_Model):
    """Cases that the budget left out."""

    defect: str | None = Field(description="null: the fresh real sample")
    title: Words
    severity: float | None
    seeds: int


class Failed(_Model):
    """A case that could not be carried out."""

    defect: str | None
    severity: float | None
    seed: int
    reason: str


class MeasureTitle(_Model):
    """What a measure is called."""

    title: str
    title_zh: str


class Calibration(_Model):
    """What planted defects told of one study's measures; the content of ``calibration.json``."""

    schema_: Literal["sdq.calibration/1"] = Field(default="sdq.calibration/1", alias="schema")
    sdq: str = Field(description="version of sdq")
    study: dict[str, Any]
    modality: dict[str, Any]
    profile: dict[str, str] = Field(description="name, version and digest of its criteria")
    real: dict[Role, str] = Field(description="digest of each real cohort that was dealt out")
    pool: dict[str, int] = Field(description="items, subjects and unreadable items dealt out")
    sizes: dict[Role, int] = Field(description="items of each dealt cohort, the most of any run")
    seeds: int = Field(description="seeds asked for")
    notes: tuple[Words, ...] = Field(default=(), description="what this study does not allow")
    clean: Clean
    defects: tuple[DefectSummary, ...]
    untested: tuple[Untested, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    failed: tuple[Failed, ...] = ()
    unseen: tuple[Words, ...] = Field(
        default=(), description="what this study could not have seen, gravest first"
    )
    titles: dict[str, MeasureTitle] = Field(default_factory=dict)
    environment: dict[str, Any] = Field(default_factory=dict)


# In a result ------------------------------------------------------------------------------------


class Unproven(_Model):
    """A verdict that calibration changed from ``pass`` to ``inconclusive``."""

    characteristic: Characteristic
    judged: Verdict = Field(description="by the measures alone")
    verdict: Verdict
    code: str
    defect: str
    severity: float
    found: Rate
    reason: Words


class CalibrationUse(_Model):
    """The calibration that a result rests on, or why it was refused."""

    sha256: str = Field(description="of calibration.json")
    refused: tuple[Words, ...] = Field(
        default=(), description="why it says nothing of this study; empty: it was used"
    )
    same_data: bool = Field(description="whether it was measured on the real cohorts of this study")
    changed: tuple[Unproven, ...] = ()
    calibration: Calibration
