"""The plan of a review: everything that must stand before the first reading."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from sdq_core.errors import StudyError
from sdq_core.hashing import canonical_json
from sdq_core.review.forms import StudyType
from sdq_core.yaml_file import problems, read_yaml

__all__ = ["CaseNumbers", "Power", "ReviewPlan", "load_plan", "plan_text"]

READER: Final = r"^[A-Za-z0-9_-]{1,40}$"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CaseNumbers(_Strict):
    """How many cases are drawn.

    Parameters
    ----------
    real, synthetic : int
        For pairs both are the number of pairs.
    training : int
        Further cases before the first, half of them synthetic, with the answer told after each;
        they do not enter the analysis.
    """

    real: int = Field(ge=1, le=2000)
    synthetic: int = Field(ge=1, le=2000)
    training: int = Field(default=6, ge=0, le=100)


class Power(_Strict):
    """What simulated studies of this size say, kept with the plan.

    Parameters
    ----------
    power : float
        Share of studies that show equivalence when readers truly cannot tell.
    error : float
        Share that show it when they truly can, at the margin.
    repeats, seed : int
    model : mapping
        Variances of the simulated ratings.
    """

    power: float
    error: float
    repeats: int
    seed: int
    model: dict[str, float]


class ReviewPlan(_Strict):
    """What is asked of whom, and what the answer will be judged by.

    Parameters
    ----------
    study : str
        The study file, beside the plan.
    type : {"real_or_synthetic", "pairs", "rating", "completeness"}
    readers : tuple of str
        Codes, not names.
    cases : CaseNumbers
    real : {"holdout", "train"}
        The cohort of the real cases. The generator never saw the holdout.
    repeats : float
        Share of the cases that each reader reads twice, for the agreement with oneself.
    sessions : int
        Parts with `washout_days` between them; repeats come in the last one.
    washout_days : float
    margin : float
        Equivalence: the 95 % interval of the readers' AUC must lie inside ``[1 - margin, margin]``.
    least_accuracy : float, optional
        Completeness: share of synthetic cases without a fault that the interval must exceed.
    mandatory : bool
        Whether the characteristic's verdict depends on it.
    questions : tuple of str
        Which of the modality's questions are asked; all by default.
    hypothesis, stopping : str
        In words; stated before the first reading.
    seed : int
        Of the draw of cases and of every reader's order.
    power : Power, optional

    Examples
    --------
    >>> plan = ReviewPlan(study="study.yaml", readers=("r1", "r2"),
    ...                   cases={"real": 20, "synthetic": 20})
    >>> plan.type, plan.margin, plan.repeated
    ('real_or_synthetic', 0.6, 4)
    """

    schema_: Literal["sdq.review-plan/1"] = Field(default="sdq.review-plan/1", alias="schema")
    name: str = "review"
    study: str
    type: StudyType = "real_or_synthetic"
    readers: tuple[str, ...] = Field(min_length=1, max_length=200)
    cases: CaseNumbers
    real: Literal["holdout", "train"] = "holdout"
    repeats: float = Field(default=0.1, ge=0, le=1)
    sessions: int = Field(default=1, ge=1, le=20)
    washout_days: float = Field(default=0, ge=0, le=3650)
    margin: float = Field(default=0.6, gt=0.5, lt=1)
    least_accuracy: float | None = Field(default=None, gt=0, lt=1)
    mandatory: bool = False
    questions: tuple[str, ...] = ()
    hypothesis: str = "Readers cannot tell synthetic cases from real ones: AUC within the margin."
    stopping: str = "When every reader has read every case, or on the day agreed."
    seed: int = Field(default=0, ge=0, lt=2**63)
    power: Power | None = None

    @field_validator("readers")
    @classmethod
    def _codes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        import re

        for code in value:
            if not re.match(READER, code):
                raise ValueError(
                    f"{code!r} is no reader's code: up to 40 letters, digits, '_' and '-'"
                )
        if len(set(value)) != len(value):
            raise ValueError("a reader is named twice")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> ReviewPlan:
        if self.type == "pairs" and self.cases.real != self.cases.synthetic:
            raise ValueError("cases: pairs need as many real as synthetic ones")
        if self.washout_days and self.sessions < 2:
            raise ValueError("washout_days: needs at least two sessions")
        return self

    @property
    def number(self) -> int:
        """Cases that are read, repeats and training aside."""
        both = self.cases.real + self.cases.synthetic
        return self.cases.real if self.type == "pairs" else both

    @property
    def repeated(self) -> int:
        """Cases that are read twice."""
        return round(self.repeats * self.number)

    @property
    def digest(self) -> str:
        """SHA-256 of the plan."""
        return hashlib.sha256(canonical_json(self.to_json())).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain data."""
        return self.model_dump(mode="json", by_alias=True)


def load_plan(path: Path) -> ReviewPlan:
    """Read and validate a plan.

    Raises
    ------
    StudyError
        It cannot be read or breaks the schema; the message names key and line.
    """
    file = read_yaml(path, "review plan", "sdq review plan study.yaml")
    try:
        return ReviewPlan.model_validate(file.data)
    except ValidationError as error:
        raise StudyError(problems(error, file, "review plan", _say)) from error


def _say(problem: Any) -> str:
    if problem["type"] == "extra_forbidden":
        return "unknown key; remove it or correct its spelling"
    if problem["type"] == "missing":
        return "is missing and has no default"
    return str(problem["msg"]).removeprefix("Value error, ")


def plan_text(plan: ReviewPlan) -> str:
    """Return the plan as YAML with a word on each part.

    Examples
    --------
    >>> plan = ReviewPlan(study="study.yaml", readers=("r1",), cases={"real": 2, "synthetic": 2})
    >>> yaml.safe_load(plan_text(plan))["margin"]
    0.6
    """
    data = plan.to_json()
    lines = [
        "# Plan of a blinded manual review; frozen when 'sdq review open' reads it.",
        "# 人工盲法审查方案；sdq review open 读取后即固定。",
    ]
    for key, value in data.items():
        if value is None:
            continue
        if key in _COMMENTS:
            lines.append(f"# {_COMMENTS[key]}")
        part = yaml.safe_dump({key: value}, allow_unicode=True, sort_keys=False, width=96)
        lines.append(part.rstrip())
    return "\n".join(lines) + "\n"


_COMMENTS: Final = {
    "type": "real_or_synthetic, pairs, rating or completeness / 研究类型",
    "readers": "codes, not names / 阅片者代号，勿用姓名",
    "real": "holdout or train: the cohort of the real cases / 真实样本来源",
    "repeats": "share of cases that each reader reads twice / 重复阅读比例",
    "margin": "the 95 % interval of the AUC must lie inside [1 - margin, margin] / 等效界限",
    "mandatory": "whether the characteristic's verdict depends on it / 是否计入特性判定",
    "power": "from simulation, for these numbers / 由模拟得到的把握度",
}
