"""Requirement -> what answers it in one result, and how well: the trace table.

Nothing is computed from data here: the status follows from verdicts and from stated facts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Final

from sdq_core.generator import Fact, facts_of
from sdq_core.requirements.table import Requirement, requirements
from sdq_core.result import MeasurementModel, Result
from sdq_core.vocabulary import Verdict, worst

__all__ = ["STATUS_RULE", "Status", "TraceRow", "deciding", "matches", "trace"]


class Status(StrEnum):
    """How far a requirement is met."""

    MET = "met"
    NOT_MET = "not_met"
    INCONCLUSIVE = "inconclusive"
    NOT_ASSESSED = "not_assessed"
    NOT_PROVIDED = "not_provided"
    INFORMATIVE = "informative"


STATUS_RULE: Final = (
    "Mandatory measures decide; where a requirement has none, those with another criterion do. "
    "The first that holds is the status: not met when one fails or a stated fact contradicts the "
    "data; not assessed when one has no value, or when nothing in the result answers the "
    "requirement; not provided when one of its facts is missing; inconclusive when one is "
    "inconclusive; met when one passes or all its facts are stated; informative when there are "
    "only numbers without criterion.",
    "以必评测量判定；无必评测量时，以设有其他准则的测量判定。依次取首个成立者：任一不通过或所述事实与"
    "数据矛盾，为不满足；任一无数值，或结果中无任何对应内容，为未评价；任一事实未提供，为未提供；"
    "任一不能判定，为不能判定；有通过者或事实均已提供，为满足；仅有无准则的数值，为供参考。",
)
"""The one rule by which a status follows, in English and Chinese."""


@dataclass(frozen=True)
class TraceRow:
    """One requirement, and what answers it.

    Parameters
    ----------
    requirement : Requirement
    measurements : tuple of MeasurementModel
        In the order of the result; those that are not applicable to the data are among them.
    facts : tuple of Fact
        All that the requirement asks for, missing ones among them.
    status : Status
    """

    requirement: Requirement
    measurements: tuple[MeasurementModel, ...]
    facts: tuple[Fact, ...]
    status: Status


def trace(result: Result) -> tuple[TraceRow, ...]:
    """Return every requirement with what answers it in a result.

    Parameters
    ----------
    result : Result

    Returns
    -------
    tuple of TraceRow
        In the order of `requirements`.

    Raises
    ------
    StoreError
        The result holds a generator's description of another schema.
    """
    facts = {fact.key: fact for fact in facts_of(result)}
    rows = []
    for requirement in requirements():
        measurements = tuple(
            m for m in result.measurements if any(matches(p, m) for p in requirement.measures)
        )
        asked = tuple(facts[key] for key in requirement.facts)
        rows.append(TraceRow(requirement, measurements, asked, _status(measurements, asked)))
    return tuple(rows)


def matches(pattern: str, measurement: MeasurementModel) -> bool:
    """Return whether a pattern names a measurement.

    Parameters
    ----------
    pattern : str
        ``<characteristic>.<measure>`` or ``<characteristic>.*``; ``[variant]`` behind it for that
        variant alone.
    measurement : MeasurementModel

    Examples
    --------
    >>> m = MeasurementModel(id="ehr.privacy.k_anonymity", characteristic="privacy", value=2,
    ...                      variant="unique-match", code="no_criterion")
    >>> [matches(f"privacy.{p}", m) for p in ("*", "k_anonymity", "k_anonymity[unique-match]")]
    [True, True, True]
    >>> matches("privacy.k_anonymity[other]", m)
    False
    """
    name, bracket, variant = pattern.removesuffix("]").partition("[")
    if bracket and variant != measurement.variant:
        return False
    return fnmatchcase(measurement.id.partition(".")[2], name)


def deciding(measurements: Iterable[MeasurementModel]) -> list[Verdict]:
    """Return the verdicts that decide: of the mandatory measures, else of all that are judged."""
    judged = [m for m in measurements if m.criterion is not None and m.verdict is not None]
    mandatory = [m for m in judged if m.criterion is not None and m.criterion.mandatory]
    return [m.verdict for m in (mandatory or judged) if m.verdict is not None]


def _status(measurements: tuple[MeasurementModel, ...], facts: tuple[Fact, ...]) -> Status:
    """Apply `STATUS_RULE`."""
    verdicts = deciding(measurements)
    decided = worst(verdicts) if verdicts else None
    if decided is Verdict.FAIL or any(fact.contradicted for fact in facts):
        return Status.NOT_MET
    informative = any(m.value is not None for m in measurements)
    if decided is Verdict.NOT_ASSESSED or not (verdicts or informative or facts):
        return Status.NOT_ASSESSED
    if any(fact.value is None for fact in facts):
        return Status.NOT_PROVIDED
    if decided is Verdict.INCONCLUSIVE:
        return Status.INCONCLUSIVE
    return Status.MET if decided is Verdict.PASS or facts else Status.INFORMATIVE
