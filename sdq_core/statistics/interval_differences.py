"""Whether two estimates differ, from their intervals alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

from sdq_core.errors import UsageError
from sdq_core.statistics.multiplicity import holm

__all__ = ["SOURCES", "Difference", "Estimate", "difference", "rank_ranges"]

SOURCES: Final = (
    "Zou & Donner 2008, doi:10.1002/sim.3095",
    "Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I",
)
RANK_SOURCE: Final = "Mogstad, Romano, Shaikh & Wilhelm 2024, doi:10.1093/restud/rdad006"

_NORMAL: Final = NormalDist()


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval; without one it is exact.

    Parameters
    ----------
    value : float
    low, high : float
        Ends of the interval; equal to the value where it is exact.
    level : float
        Coverage of the interval.
    """

    value: float
    low: float
    high: float
    level: float = 0.95


@dataclass(frozen=True, slots=True)
class Difference:
    """The second of two estimates minus the first.

    Parameters
    ----------
    value : float
    low, high : float
        95 % interval.
    p : float or None
        Two-sided; None where both estimates are exact.
    """

    value: float
    low: float
    high: float
    p: float | None


def difference(first: Estimate, second: Estimate, centre: float | None = None) -> Difference:
    """Compare two estimates by the intervals that each has by itself.

    Parameters
    ----------
    first, second : Estimate
    centre : float, optional
        Ideal on both sides: then distances from it are compared, not the values.

    Returns
    -------
    Difference
        The ends by the method of variance estimates recovery: for ``d = second - first``, its
        lower end is ``d - sqrt((second - low2)^2 + (high1 - first)^2)``, the upper one likewise
        (Zou & Donner 2008, doi:10.1002/sim.3095; for proportions Newcombe 1998). The p-value takes
        the width for a normal one. The errors of the two count as independent; where they go the
        same way, as those that one real cohort gives to two like generators, the true interval is
        narrower.

    Raises
    ------
    UsageError
        A number is not finite, or a level is not between 0 and 1.

    Examples
    --------
    >>> d = difference(Estimate(0.10, 0.06, 0.15), Estimate(0.30, 0.24, 0.36))
    >>> round(d.value, 2), round(d.low, 3), round(d.high, 3)
    (0.2, 0.122, 0.272)
    >>> difference(Estimate(1, 1, 1), Estimate(2, 2, 2)).p is None
    True
    """
    for estimate in (first, second):
        if not all(map(math.isfinite, (estimate.value, estimate.low, estimate.high))):
            raise UsageError("an estimate and its interval must be finite numbers")
        if not 0 < estimate.level < 1:
            raise UsageError(f"the level of an interval is between 0 and 1, not {estimate.level}")
    d = second.value - first.value
    below = math.hypot(_half(second, upper=False), _half(first, upper=True))
    above = math.hypot(_half(second, upper=True), _half(first, upper=False))
    if centre is not None:
        # The reverse triangle inequality: distances differ by no more than the values do, so the
        # wider of the two sides holds for them too.
        d = abs(second.value - centre) - abs(first.value - centre)
        below = above = max(below, above)
    margin = below if d > 0 else above
    if below == above == 0:
        return Difference(d, d, d, None)
    z = _z(0.95)
    p = 1.0 if d == 0 else (0.0 if margin == 0 else math.erfc(z * abs(d) / margin / math.sqrt(2)))
    return Difference(d, d - below, d + above, p)


def rank_ranges(
    estimates: Sequence[Sequence[Estimate]],
    better: Sequence[str],
    centres: Sequence[float | None],
    alpha: float = 0.05,
) -> list[list[tuple[int, int]]]:
    """Rank things by several measures, only as far as intervals allow.

    Parameters
    ----------
    estimates : sequence of sequence of Estimate
        For each measure one for each thing.
    better : sequence of {"lower", "higher", "closer"}
        Of each measure.
    centres : sequence of float or None
        Ideal of each measure whose `better` is ``closer``.
    alpha : float
        Chance that any of all ranges misses a true rank.

    Returns
    -------
    list of list of (int, int)
        Best and worst rank of each thing, 1 is the best: one more than the number of those that are
        better beyond the intervals, and what is left by those that are worse. All pairs of all
        measures are one family (Holm 1979), so that the ranges hold together (Mogstad et al. 2024,
        doi:10.1093/restud/rdad006).

    Examples
    --------
    >>> one = [Estimate(1, 0.9, 1.1), Estimate(1.05, 0.9, 1.2), Estimate(3, 2.8, 3.2)]
    >>> rank_ranges([one], ["lower"], [None])
    [[(1, 2), (1, 2), (3, 3)]]
    """
    pairs: list[tuple[int, int, int, Difference]] = []
    for k, row in enumerate(estimates):
        for i in range(len(row)):
            for j in range(i + 1, len(row)):
                centre = centres[k] if better[k] == "closer" else None
                pairs.append((k, i, j, difference(row[i], row[j], centre)))
    tested = [d.p for *_, d in pairs if d.p is not None]
    adjusted = iter(holm(np.array(tested)).tolist() if tested else [])
    wins = [[[0, 0] for _ in row] for row in estimates]
    for k, i, j, found in pairs:
        p = 0.0 if found.p is None else next(adjusted)
        if p > alpha or found.value == 0:
            continue
        second_worse = (found.value < 0) if better[k] == "higher" else (found.value > 0)
        best, worst = (i, j) if second_worse else (j, i)
        wins[k][best][0] += 1
        wins[k][worst][1] += 1
    return [[(1 + lost, len(row) - won) for won, lost in row] for row in wins]


def _half(estimate: Estimate, *, upper: bool) -> float:
    """Return one side of an interval, as wide as one of 95 % would be."""
    width = estimate.high - estimate.value if upper else estimate.value - estimate.low
    return max(width, 0.0) * _z(0.95) / _z(estimate.level)


def _z(level: float) -> float:
    return _NORMAL.inv_cdf(0.5 + level / 2)
