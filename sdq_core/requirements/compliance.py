"""The checklist of privacy compliance, filled by measures and by the provider's answers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from sdq_core.generator import generator_of
from sdq_core.requirements.table import table
from sdq_core.requirements.tracing import matches
from sdq_core.result import MeasurementModel, Result
from sdq_core.vocabulary import Verdict, worst

__all__ = ["Answer", "ChecklistRow", "checklist", "questions"]

Answer = Literal["yes", "no", "not_applicable"]


@dataclass(frozen=True)
class ChecklistRow:
    """One question of the checklist.

    Parameters
    ----------
    id : str
    source, source_zh : str
        Law or standard.
    verified : bool
        Whether the place was read. Another one is printed as informative.
    en, zh : str
        The question, which "yes" answers well.
    answered_by : {"measured", "provider", "open"}
        ``"open"``: neither a verdict nor the provider answers it.
    measurements : tuple of MeasurementModel
        What was measured, also where it does not decide.
    answer : {"yes", "no", "not_applicable"} or None
        None exactly where the question is open.
    evidence : str or mapping of str to str or None
        What the provider gives for it, also beside a measured answer.
    """

    id: str
    source: str
    source_zh: str
    verified: bool
    en: str
    zh: str
    answered_by: Literal["measured", "provider", "open"]
    measurements: tuple[MeasurementModel, ...]
    answer: Answer | None
    evidence: Any = None


def checklist(result: Result) -> tuple[ChecklistRow, ...]:
    """Return the checklist of a result.

    A measured failure is the answer whatever the provider says; a provider's "no" is the answer
    whatever was measured; else a measured pass is, then the provider's answer. A verdict that does
    not decide (inconclusive, not assessed) leaves the question to the provider.

    Parameters
    ----------
    result : Result

    Returns
    -------
    tuple of ChecklistRow

    Raises
    ------
    StoreError
        The result holds a generator's description of another schema.
    """
    generator = generator_of(result)
    answers = {} if generator is None else generator.compliance
    rows = []
    for item in table("compliance")["items"]:
        measurements = tuple(
            m for m in result.measurements if any(matches(p, m) for p in item.get("measures", ()))
        )
        # Every judged measure counts here, mandatory or not: a failure must not be passed over.
        verdicts = [m.verdict for m in measurements if m.verdict is not None]
        measured = worst(verdicts) if verdicts else None
        stated = answers.get(item["id"])
        said = None if stated is None else stated.answer
        answered_by: Literal["measured", "provider", "open"] = "open"
        answer: Answer | None = None
        if measured is Verdict.FAIL:
            answered_by, answer = "measured", "no"
        elif said is not None and (said == "no" or measured is not Verdict.PASS):
            answered_by, answer = "provider", said
        elif measured is Verdict.PASS:
            answered_by, answer = "measured", "yes"
        rows.append(
            ChecklistRow(
                item["id"],
                item["source"],
                item["source_zh"],
                bool(item["verified"]),
                item["en"],
                item["zh"],
                answered_by,
                measurements,
                answer,
                None if stated is None else stated.evidence or None,
            )
        )
    return tuple(rows)


@cache
def questions() -> dict[str, tuple[str, str]]:
    """Return the questions by id, in English and Chinese.

    Examples
    --------
    >>> next(iter(questions()))
    'PIPL-LEGAL-BASIS'
    """
    return {item["id"]: (item["en"], item["zh"]) for item in table("compliance")["items"]}
