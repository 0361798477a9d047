"""What a comparison says, in the words that terminal, pull request and page share."""

from __future__ import annotations

from sdq_core.comparing.changes import Change, Comparison, Missing, Outcome, VerdictChange
from sdq_core.comparing.comparable import Entry, Mismatch
from sdq_core.documents.naming import name, word
from sdq_core.documents.numbers import number
from sdq_core.documents.readings import read
from sdq_core.documents.texts import text
from sdq_core.result import MeasurementModel
from sdq_core.statistics.interval_differences import SOURCES
from sdq_core.translation import translator

__all__ = [
    "difference_words",
    "estimate_words",
    "measure_words",
    "mismatch_words",
    "outcome_words",
    "rule_words",
    "summary_words",
    "verdict_words",
]


def measure_words(entry: Entry, measurement: MeasurementModel, language: str) -> str:
    """Return the name of a measure with its variant."""
    return name(entry.result, measurement, language)


def estimate_words(measurement: MeasurementModel | None, language: str) -> str:
    """Return value and interval; a dash where there is no value."""
    if measurement is None:
        return "–"
    return read(measurement, language).estimate or "–"


def difference_words(change: Change, language: str) -> str:
    """Return by how much a measure changed, with its sign."""
    if change.difference is None:
        return "–"
    value, unit = change.difference.value, change.either.unit
    sign = "+" if value > 0 else ""
    if unit != "share":
        return sign + number(value, unit, language)
    points = sign + number(100 * value, "1", language)
    return translator(language).gettext("{value} percentage points").format(value=points)


def outcome_words(change: Change, language: str) -> str:
    """Return what became of a measure."""
    _ = translator(language).gettext
    if change.missing is not None:
        return {
            Missing.BEFORE: _("no value before"),
            Missing.AFTER: _("no value any more"),
            Missing.BOTH: _("no value in either"),
            Missing.METHOD: _("measured in another way"),
        }[change.missing]
    return {
        Outcome.WORSE: _("worse"),
        Outcome.BETTER: _("better"),
        Outcome.CHANGED: _("changed"),
        Outcome.ALIKE: _("no difference beyond the interval"),
        Outcome.NOT_COMPARED: _("not compared"),
    }[change.outcome]


def verdict_words(change: Change, language: str) -> str:
    """Return the verdict, or both where it changed."""
    one = None if change.before is None else change.before.verdict
    two = None if change.after is None else change.after.verdict
    said = [word(v, language) for v in (one, two) if v is not None]
    if not said:
        return "–"
    return said[-1] if change.verdict is VerdictChange.SAME else " → ".join(said)


def mismatch_words(mismatch: Mismatch, first: str, language: str) -> str:
    """Return one thing that differs besides the synthetic data."""
    _ = translator(language).gettext
    return _("{key}: {one} in {first}, {two} in {other}").format(
        key=mismatch.key,
        one=mismatch.first or "–",
        first=first,
        two=mismatch.other or "–",
        other=mismatch.name,
    )


def summary_words(comparison: Comparison, language: str) -> str:
    """Return the counts in one sentence."""
    _ = translator(language).gettext
    moved = sum(c.verdict is VerdictChange.WORSE and c.counts for c in comparison.changes)
    said = _(
        "{worse} measures worse, {better} better and {changed} changed beyond their intervals; "
        "{alike} without a difference; {missing} not compared; {verdicts} verdicts worse."
    )
    return said.format(
        worse=comparison.count(Outcome.WORSE),
        better=comparison.count(Outcome.BETTER),
        changed=comparison.count(Outcome.CHANGED),
        alike=comparison.count(Outcome.ALIKE),
        missing=comparison.count(Outcome.NOT_COMPARED),
        verdicts=moved,
    )


def rule_words(tested: int, language: str) -> list[str]:
    """Return how a change is told from chance, with the sources."""
    _ = translator(language).gettext
    sources = text("semicolon", language).join(SOURCES)
    return [
        _(
            "A measure changed where zero lies outside the interval of the difference, which comes "
            "from the two intervals that the results hold ({sources}). A number without an "
            "interval is exact: any difference is a change."
        ).format(sources=sources),
        _(
            "Differences that were tested together: {count}. Their p-values are corrected (Holm "
            "1979, Scandinavian Journal of Statistics 6:65), so that the chance of calling any "
            "change where there is none is at most 5 % over all of them."
        ).format(count=tested),
        _(
            "Both results have the same real cohorts, so that their errors are not independent. "
            "For generators that deviate from the real data in like ways the rule is stricter than "
            "it says; for such that deviate in opposite ways it may be laxer, most where the real "
            "cohort is much smaller than the synthetic one."
        ),
    ]
