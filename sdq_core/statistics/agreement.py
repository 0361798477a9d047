"""Agreement of readers beyond chance: kappa of Cohen and Fleiss, Krippendorff's alpha, Gwet's AC1.

Ratings are an array of shape (readers, cases), NaN where a reader did not read a case.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdq_core.measurement import Interval

__all__ = [
    "cohen_kappa",
    "fleiss_kappa",
    "gwet_ac1",
    "jackknife_interval",
    "krippendorff_alpha",
    "same_answers",
]

Values = NDArray[np.float64]
Level = Literal["nominal", "ordinal"]


def cohen_kappa(
    first: ArrayLike, second: ArrayLike, weights: Literal["none", "quadratic"] = "none"
) -> float | None:
    """Return Cohen's kappa of two series of ratings.

    Parameters
    ----------
    first, second : array_like, shape (n,)
        Pairs with a NaN are left out.
    weights : {"none", "quadratic"}
        Quadratic: disagreement counts by the square of its distance (Cohen 1968,
        doi:10.1037/h0026256).

    Returns
    -------
    float or None
        None without pairs, or where chance alone agrees always (one category only).
        Cohen 1960, doi:10.1177/001316446002000104.

    Examples
    --------
    >>> round(cohen_kappa([1, 1, 0, 0, 1], [1, 0, 0, 0, 1]), 3)
    0.615
    """
    a, b = np.asarray(first, float), np.asarray(second, float)
    known = np.isfinite(a) & np.isfinite(b)
    if not known.any():
        return None
    a, b = a[known], b[known]
    values = np.unique(np.concatenate((a, b)))
    apart = (values[:, None] - values[None, :]) ** 2
    cost = apart if weights == "quadratic" else (apart > 0).astype(float)
    seen = np.zeros((len(values), len(values)))
    np.add.at(seen, (np.searchsorted(values, a), np.searchsorted(values, b)), 1 / len(a))
    by_chance = float((cost * np.outer(seen.sum(axis=1), seen.sum(axis=0))).sum())
    return None if by_chance == 0 else 1 - float((cost * seen).sum()) / by_chance


def fleiss_kappa(ratings: ArrayLike) -> float | None:
    """Return Fleiss' kappa of several readers; cases with one reading are left out.

    Returns
    -------
    float or None
        None where no case has two readings, or all readings are one category.
        Fleiss 1971, doi:10.1037/h0031619, with the number of readings of each case.

    Examples
    --------
    >>> round(fleiss_kappa([[1, 2, 2, 1], [1, 2, 1, 1], [1, 2, 2, 2]]), 3)
    0.333
    """
    counts = _counts(ratings)
    n = counts.sum(axis=1)
    if not len(n):
        return None
    observed = float(((counts * (counts - 1)).sum(axis=1) / (n * (n - 1))).mean())
    shares = counts.sum(axis=0) / n.sum()
    by_chance = float((shares**2).sum())
    return None if by_chance == 1 else (observed - by_chance) / (1 - by_chance)


def gwet_ac1(ratings: ArrayLike, categories: int) -> float | None:
    """Return Gwet's AC1, which high prevalence of one category does not pull down.

    Parameters
    ----------
    ratings : array_like, shape (r, n)
    categories : int
        Number of possible categories, at least 2: chance is spread over all of them.

    Returns
    -------
    float or None
        None where no case has two readings. Gwet 2008, doi:10.1348/000711006X126600.

    Examples
    --------
    >>> round(gwet_ac1([[1, 2, 2, 1], [1, 2, 1, 1], [1, 2, 2, 2]], 2), 3)
    0.333
    """
    counts = _counts(ratings)
    n = counts.sum(axis=1)
    if not len(n):
        return None
    observed = float(((counts * (counts - 1)).sum(axis=1) / (n * (n - 1))).mean())
    # Shares over every rated case, those with one reading among them (Gwet 2014, section 5.4).
    every = _counts(ratings, least=1)
    shares = (every / every.sum(axis=1, keepdims=True)).mean(axis=0)
    by_chance = float((shares * (1 - shares)).sum()) / (categories - 1)
    return (observed - by_chance) / (1 - by_chance)


def krippendorff_alpha(ratings: ArrayLike, level: Level = "ordinal") -> float | None:
    """Return Krippendorff's alpha, which takes missing readings.

    Parameters
    ----------
    ratings : array_like, shape (r, n)
    level : {"nominal", "ordinal"}
        Ordinal: distance by ranks.

    Returns
    -------
    float or None
        None where no case has two readings, or all readings are one category.
        Krippendorff 2019, Content Analysis, 4th ed., chapter 12.

    Examples
    --------
    >>> round(krippendorff_alpha([[1, 2, 3, 1], [1, 2, 2, 1], [1, 3, 3, 1]]), 3)
    0.864
    """
    counts = _counts(ratings)
    n = counts.sum(axis=1)
    if not len(n):
        return None
    # Coincidences: pairs of readings inside a case, each case weighing as its readings.
    pairs = counts[:, :, None] * counts[:, None, :]
    diagonal = np.arange(counts.shape[1])
    pairs[:, diagonal, diagonal] -= counts
    seen = (pairs / (n - 1)[:, None, None]).sum(axis=0)
    totals = seen.sum(axis=1)
    if level == "ordinal":
        middle = np.cumsum(totals) - totals / 2
        cost = (middle[:, None] - middle[None, :]) ** 2
    else:
        cost = 1 - np.eye(len(totals))
    by_chance = np.outer(totals, totals)
    by_chance[diagonal, diagonal] -= totals
    expected = float((cost * by_chance).sum() / (totals.sum() - 1))
    return None if expected == 0 else 1 - float((cost * seen).sum()) / expected


def same_answers(ratings: ArrayLike) -> float | None:
    """Return the share of pairs of readings of one case that are the same.

    Examples
    --------
    >>> same_answers([[1, 2, 2], [1, 2, 1]])
    0.6666666666666666
    """
    counts = _counts(ratings)
    n = counts.sum(axis=1)
    if not len(n):
        return None
    return float(((counts * (counts - 1)).sum(axis=1) / (n * (n - 1))).mean())


def jackknife_interval(
    statistic: Callable[[Values], float | None],
    ratings: ArrayLike,
    level: float = 0.95,
    bounds: Sequence[float] = (-1.0, 1.0),
) -> Interval | None:
    """Return the interval of a statistic of ratings by leaving out one case after another.

    Parameters
    ----------
    statistic : callable
        Takes ratings of shape (r, n).
    ratings : array_like, shape (r, n)
    level : float
    bounds : pair of float
        The interval is cut to them.

    Returns
    -------
    Interval or None
        Efron & Stein 1981, doi:10.1214/aos/1176345462; None where the statistic does not exist, or
        with fewer than three cases.

    Examples
    --------
    >>> ratings = np.array([[1, 2, 2, 1, 1, 2], [1, 2, 1, 1, 1, 2]])
    >>> found = jackknife_interval(same_answers, ratings, bounds=(0, 1))
    >>> round(found.low, 3), found.high
    (0.405, 1)
    """
    from scipy.special import stdtrit

    table = np.asarray(ratings, float)
    table = table[:, np.isfinite(table).any(axis=0)]
    n = table.shape[1]
    value = statistic(table) if n else None
    if value is None or n < 3:
        return None
    without = [statistic(np.delete(table, k, axis=1)) for k in range(n)]
    known = np.array([v for v in without if v is not None])
    if len(known) < n:
        return None
    error = float(np.sqrt((n - 1) / n * ((known - known.mean()) ** 2).sum()))
    half = float(stdtrit(n - 1, 0.5 + level / 2)) * error
    low, high = max(bounds[0], value - half), min(bounds[1], value + half)
    return Interval(min(low, value), max(high, value), "jackknife over cases", level)


def _counts(ratings: ArrayLike, least: int = 2) -> Values:
    """Return how many readings each case has in each category; cases with fewer are left out."""
    table = np.asarray(ratings, float)
    values = np.unique(table[np.isfinite(table)])
    counts = (table[:, :, None] == values[None, None, :]).sum(axis=0).astype(float)
    found: Values = counts[counts.sum(axis=1) >= least]
    return found
