"""Two results: what changed beyond its interval, and which verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from sdq_core.comparing.comparable import Entry, Mismatch, mismatches
from sdq_core.errors import UsageError
from sdq_core.result import MeasurementModel, Result
from sdq_core.statistics.interval_differences import Difference, Estimate, difference
from sdq_core.statistics.multiplicity import holm
from sdq_core.vocabulary import Characteristic, Verdict

__all__ = [
    "ALPHA",
    "Change",
    "Comparison",
    "FailOn",
    "Missing",
    "Outcome",
    "VerdictChange",
    "checked",
    "compare_two",
    "estimate_of",
    "ideal",
]

ALPHA: Final = 0.05
"""Chance that any measure of two equal generators is said to have changed."""
_RANK: Final = {
    Verdict.PASS: 0,
    Verdict.INCONCLUSIVE: 1,
    Verdict.NOT_ASSESSED: 2,
    Verdict.FAIL: 3,
}


class Outcome(StrEnum):
    """What became of one measure."""

    WORSE = "worse"
    BETTER = "better"
    CHANGED = "changed"
    ALIKE = "alike"
    NOT_COMPARED = "not_compared"


class Missing(StrEnum):
    """Why a measure was not compared."""

    BEFORE = "no_value_before"
    AFTER = "no_value_after"
    BOTH = "no_value_in_either"
    METHOD = "measured_otherwise"


class FailOn(StrEnum):
    """What makes a comparison fail."""

    INTERVAL = "interval"
    VERDICT = "verdict"
    NEVER = "never"


class VerdictChange(StrEnum):
    """Which way a verdict went."""

    WORSE = "worse"
    BETTER = "better"
    SAME = "same"


@dataclass(frozen=True)
class Change:
    """One measure in two results.

    Parameters
    ----------
    before, after : MeasurementModel or None
        None where a result does not have it; never both.
    outcome : Outcome
    missing : Missing or None
        Why it was not compared.
    difference : Difference or None
        After minus before; of a measure with an ideal on both sides, of the distances from it.
    p_holm : float or None
        Corrected over all measures of the comparison; None where both numbers are exact.
    verdict : VerdictChange
    counts : bool
        Whether its verdict counts: the criterion is mandatory, or it is a failure.
    """

    before: MeasurementModel | None
    after: MeasurementModel | None
    outcome: Outcome
    missing: Missing | None = None
    difference: Difference | None = None
    p_holm: float | None = None
    verdict: VerdictChange = VerdictChange.SAME
    counts: bool = False

    @property
    def either(self) -> MeasurementModel:
        """The measure in the later result, or in the earlier where that lacks it."""
        found = self.after if self.after is not None else self.before
        assert found is not None, "a change has at least one side"
        return found

    @property
    def notable(self) -> bool:
        """Whether a reader must see it."""
        moved = self.outcome in (Outcome.WORSE, Outcome.BETTER, Outcome.CHANGED)
        return moved or self.verdict is not VerdictChange.SAME or self.missing is Missing.METHOD


@dataclass(frozen=True)
class Comparison:
    """Two results side by side.

    Parameters
    ----------
    before, after : Entry
    mismatches : tuple of Mismatch
    changes : tuple of Change
        In the order of the results.
    verdicts : mapping of Characteristic to (Verdict, Verdict)
    tested : int
        Measures that were tested together.
    """

    before: Entry
    after: Entry
    mismatches: tuple[Mismatch, ...]
    changes: tuple[Change, ...]
    verdicts: dict[Characteristic, tuple[Verdict, Verdict]]
    tested: int

    def count(self, outcome: Outcome) -> int:
        """Return the number of measures with an outcome."""
        return sum(c.outcome is outcome for c in self.changes)

    @property
    def worse_verdicts(self) -> tuple[Characteristic, ...]:
        """Characteristics whose verdict is worse than before."""
        return tuple(
            c for c, (one, two) in self.verdicts.items() if _turn(one, two) is VerdictChange.WORSE
        )

    def exit_code(self, fail_on: FailOn = FailOn.INTERVAL) -> int:
        """Return 1 where something got worse that `fail_on` asks for, else 0.

        Parameters
        ----------
        fail_on : FailOn
            ``interval``: a measure got worse beyond its interval, or a verdict worsened;
            ``verdict``: a verdict worsened; ``never``.
        """
        if fail_on is FailOn.NEVER:
            return 0
        verdict = bool(self.worse_verdicts) or any(
            c.counts and c.verdict is VerdictChange.WORSE for c in self.changes
        )
        moved = fail_on is FailOn.INTERVAL and self.count(Outcome.WORSE) > 0
        return int(verdict or moved)


def compare_two(before: Entry, after: Entry, *, anyway: bool = False) -> Comparison:
    """Compare a result with an earlier one.

    Parameters
    ----------
    before, after : Entry
    anyway : bool
        Compare also what is not comparable.

    Returns
    -------
    Comparison
        A measure changed where zero lies outside the interval of its difference, at a level that
        is corrected over all measures (Holm 1979): see
        `sdq_core.statistics.interval_differences.difference`. Numbers without intervals are exact.

    Raises
    ------
    UsageError
        The results are not comparable; the message names what differs.
    """
    found = checked([before, after], anyway=anyway)
    pairs = list(_pairs(before.result, after.result))
    missing = [_missing(one, two) for one, two in pairs]
    differences = [
        None if why else _difference(one, two)
        for (one, two), why in zip(pairs, missing, strict=True)
    ]
    tested = [k for k, d in enumerate(differences) if d is not None and d.p is not None]
    p = [differences[k].p for k in tested]  # type: ignore[union-attr]
    adjusted = dict(zip(tested, holm(np.array(p, float)).tolist(), strict=True)) if p else {}
    changes = []
    for k, (one, two) in enumerate(pairs):
        turned = _turn(None if one is None else one.verdict, None if two is None else two.verdict)
        changes.append(
            Change(
                one,
                two,
                _outcome(one, two, differences[k], adjusted.get(k)),
                missing[k],
                differences[k],
                adjusted.get(k),
                turned,
                _counts(one, two),
            )
        )
    verdicts = {
        c: (
            before.result.verdicts.get(c, Verdict.NOT_ASSESSED),
            after.result.verdicts.get(c, Verdict.NOT_ASSESSED),
        )
        for c in Characteristic
    }
    return Comparison(before, after, found, tuple(changes), verdicts, len(tested))


def checked(given: Sequence[Entry], *, anyway: bool) -> tuple[Mismatch, ...]:
    """Return what differs from the first result, or refuse.

    Raises
    ------
    UsageError
        Something differs that changes what numbers or verdicts mean.
    """
    found = tuple(m for other in given[1:] for m in mismatches(given[0], other))
    blocking = [m for m in found if m.blocks]
    if blocking and not anyway:
        said = "; ".join(f"{m.key}: {m.first} in {given[0].name}, {m.other} in {m.name}"
                         for m in blocking)  # fmt: skip
        raise UsageError(
            f"these results cannot be compared, they differ in more than the synthetic data ({said}"
            "); evaluate them alike, or give --anyway to compare them all the same"
        )
    return found


def estimate_of(measurement: MeasurementModel) -> Estimate:
    """Return value and interval of a measurement that has a value."""
    value, interval = measurement.value, measurement.interval
    assert value is not None, "asked only of measurements with a value"
    if interval is None:
        return Estimate(value, value, value)
    return Estimate(value, interval.low, interval.high, interval.level)


def ideal(measurement: MeasurementModel) -> float | None:
    """Return what a measure should be near to; None where no noise floor says it."""
    floor = measurement.noise_floor
    if measurement.better != "closer" or floor is None:
        return None
    return floor.centre if floor.centre is not None else (floor.low + floor.high) / 2


def _pairs(
    one: Result, two: Result
) -> Iterator[tuple[MeasurementModel | None, MeasurementModel | None]]:
    before = {(m.id, m.variant): m for m in one.measurements}
    after = {(m.id, m.variant): m for m in two.measurements}
    for key in {**before, **after}:
        yield before.get(key), after.get(key)


def _missing(one: MeasurementModel | None, two: MeasurementModel | None) -> Missing | None:
    lacks = [m is None or m.value is None for m in (one, two)]
    if all(lacks):
        return Missing.BOTH
    if lacks[0]:
        return Missing.BEFORE
    if lacks[1]:
        return Missing.AFTER
    assert one is not None, "checked above"
    assert two is not None, "checked above"
    return None if _means(one) == _means(two) else Missing.METHOD


def _means(measurement: MeasurementModel) -> tuple[object, ...]:
    """Return what makes two numbers of one name the same measure."""
    method = measurement.method
    embedding = None if method is None else method.parameters.get("embedding")
    return (
        measurement.unit,
        measurement.better,
        None if method is None else method.name,
        embedding if isinstance(embedding, dict) else None,
    )


def _difference(one: MeasurementModel | None, two: MeasurementModel | None) -> Difference:
    assert one is not None, "both have a value"
    assert two is not None, "both have a value"
    return difference(estimate_of(one), estimate_of(two), ideal(two))


def _outcome(
    one: MeasurementModel | None,
    two: MeasurementModel | None,
    found: Difference | None,
    p: float | None,
) -> Outcome:
    if found is None or two is None:
        return Outcome.NOT_COMPARED
    if found.value == 0 or (p is not None and p > ALPHA):
        return Outcome.ALIKE
    if two.better is None or (two.better == "closer" and ideal(two) is None):
        return Outcome.CHANGED
    grew = found.value > 0
    return Outcome.WORSE if grew != (two.better == "higher") else Outcome.BETTER


def _turn(one: Verdict | None, two: Verdict | None) -> VerdictChange:
    """Say which way a verdict went; a failure that is no longer assessed is no gain."""
    if one is None or two is None or one is two:
        # A criterion that is new, or gone, is a matter of the profile.
        return VerdictChange.SAME
    if one is Verdict.FAIL and two is Verdict.NOT_ASSESSED:
        return VerdictChange.WORSE
    return VerdictChange.WORSE if _RANK[two] > _RANK[one] else VerdictChange.BETTER


def _counts(one: MeasurementModel | None, two: MeasurementModel | None) -> bool:
    mandatory = any(m is not None and m.criterion is not None and m.criterion.mandatory
                    for m in (one, two))  # fmt: skip
    return mandatory or (two is not None and two.verdict is Verdict.FAIL)
