"""How many of the rows that stand out do so beyond chance: of these rows, not of a population.

A row is flagged when it lies conspicuously nearer to train than to the holdout. The threshold is
set by the reverse: so that no more than a few rows lie as much nearer to the holdout. What a
generator without memory would flag then is negative binomial, whatever its quality.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import UsageError
from sdq_core.measurement import Interval

__all__ = ["Excess", "beyond_chance", "chance_of_train", "most_copies", "reverse_threshold"]

REVERSE: Final = 1
"""Rows that are let lie as much nearer to the holdout as flagged ones do to train. With none the
threshold hangs on a single row, with more of them chance flags more rows that a verdict must allow
for."""

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Excess:
    """Flagged rows beyond chance.

    Parameters
    ----------
    flagged : ndarray of bool, shape (n,)
    count, reverse : int
        Rows flagged for train, and for the holdout.
    expected : float
        Number expected to be flagged for train by chance.
    least, most : int
        Limits of how many of the flagged rows are not chance's.
    p_value : float
        One-sided: that chance flags so many.
    """

    flagged: Flags
    count: int
    reverse: int
    expected: float
    least: int
    most: int
    p_value: float


def chance_of_train(n_train: int, n_holdout: int) -> float:
    """Return the chance of an extreme difference of nearness to favour train, without memory.

    Parameters
    ----------
    n_train, n_holdout : int

    Returns
    -------
    float
        With ``r = n_train / n_holdout`` the odds are taken as ``r**2`` where train is larger and
        ``r`` where it is smaller. Where rows lie like a Poisson process, the chance of the nearest
        of one set to be m times nearer than the nearest of the other has odds between r (m = 1)
        and r squared (m large): the one that is kinder to the generator counts.

    Examples
    --------
    >>> chance_of_train(100, 100), chance_of_train(200, 100)
    (0.5, 0.8)
    """
    ratio = n_train / n_holdout
    odds = ratio**2 if ratio > 1 else ratio
    return odds / (1 + odds)


def reverse_threshold(difference: Values, least: float) -> float:
    """Return the margin that at most `REVERSE` rows exceed in the holdout's favour.

    Parameters
    ----------
    difference : ndarray, shape (n,)
        Nearness to train less nearness to the holdout.
    least : float
        Smallest margin that counts.

    Examples
    --------
    >>> reverse_threshold(np.array([5.0, -1.0, -2.0, -3.0, 0.0]), 0.5)
    2.0
    """
    if not least > 0:
        raise UsageError(f"least: must be positive, found {least}")
    reverse = np.sort(-difference)[::-1]
    return max(float(reverse[min(REVERSE, len(reverse) - 1)]), least)


def beyond_chance(
    difference: Values,
    threshold: float,
    chance: float = 0.5,
    *,
    level: float = 0.95,
) -> Excess:
    """Count the rows that are nearer to train by a margin, and how many of them chance explains.

    Parameters
    ----------
    difference : ndarray, shape (n,)
        Nearness to train less nearness to the holdout.
    threshold : float
        See `reverse_threshold`.
    chance : float
        See `chance_of_train`.
    level : float

    Returns
    -------
    Excess

    Notes
    -----
    With b rows as much nearer to the holdout, the rows that chance flags for train before the
    next one would fall to the holdout are negative binomial (b + 1, 1 - c). The limits subtract
    its upper quantile and, for the upper limit, the lower one of (b, 1 - c). ``least`` is above 0
    exactly where McNemar's exact test rejects (Psychometrika 12, 1947, doi:10.1007/BF02295996).
    That rows are flagged one by one is taken for granted; see `relabelling` for where they are not.

    Examples
    --------
    >>> difference = np.r_[np.full(20, 9.0), np.zeros(1980)]
    >>> found = beyond_chance(difference, 1.0)
    >>> found.count, found.least, found.most, found.p_value < 1e-5
    (20, 15, 20, True)
    """
    one, two = difference > threshold, -difference > threshold
    count, reverse = int(one.sum()), int(two.sum())
    tail = (1 - level) / 2
    p_value = _reached(count, reverse + 1, chance)
    least = max(0, count - _quantile(reverse + 1, chance, tail))
    most = count - _quantile(reverse, chance, 1 - tail)
    expected = (reverse + 1) * chance / (1 - chance)
    return Excess(one, count, reverse, expected, least, max(most, least), p_value)


def most_copies(seen: int, n: int, noticed: Interval, level: float = 0.95) -> int:
    """Return how many copies there may be when so many were seen.

    Parameters
    ----------
    seen : int
        At most these of the seen rows are copies.
    n : int
        All rows.
    noticed : Interval
        Share of planted copies that are noticed; its lower limit counts.
    level : float

    Returns
    -------
    int
        Largest K for which seeing as few is not improbable: binomial of K and the share.

    Examples
    --------
    >>> most_copies(0, 2000, Interval(0.5, 0.7, "example"))
    5
    """
    from scipy.special import bdtr

    if noticed.low <= 0:
        return n
    number = np.arange(seen, n + 1)
    likely = bdtr(seen, number, noticed.low) >= (1 - level) / 2
    return int(number[likely].max(initial=seen))


def _reached(a: int, b: int, chance: float) -> float:
    """Probability that chance flags `a` or more before the b-th falls to the holdout."""
    from scipy.special import betainc

    if a == 0 or b == 0:
        return 1.0 if a == 0 else 0.0
    return float(betainc(a, b, chance))


def _quantile(b: int, chance: float, tail: float) -> int:
    """Return the largest number that chance reaches with more than the probability `tail`."""
    if b == 0:
        return 0
    low, high = 0, 1
    while _reached(high, b, chance) > tail:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _reached(middle, b, chance) > tail else (low, middle)
    return low
