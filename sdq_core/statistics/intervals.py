"""Intervals by resampling whole groups, and noise floors from one real sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdq_core.errors import UsageError
from sdq_core.measurement import Interval
from sdq_core.statistics.arrays import tail
from sdq_core.statistics.resampling import codes, half_sample_weights, members, nonempty_split

__all__ = ["bootstrap", "central_interval", "half_sampling", "noise_floor"]

Index = NDArray[np.intp]
Values = NDArray[np.float64]
Statistic = Callable[..., float]


def bootstrap(
    statistic: Statistic,
    *samples: ArrayLike,
    groups: Sequence[ArrayLike | None] | None = None,
    repeats: int = 999,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Return the percentile bootstrap interval over items or whole groups.

    Parameters
    ----------
    statistic : callable
        Takes the resampled samples, gives a number.
    *samples : array_like
        Rows are resampled, of each sample by itself.
    groups : sequence of array_like, optional
        One label array for each sample.
    repeats : int
    seed : int
    level : float
        Between 0 and 1.

    Returns
    -------
    Interval
        Efron 1979, doi:10.1214/aos/1176344552. Not for statistics that repeated rows distort
        (nearest neighbours, Frechet): see `half_sampling`.

    Examples
    --------
    >>> found = bootstrap(np.mean, np.arange(100.0), seed=1)
    >>> bool(found.low < 49.5 < found.high)
    True
    """
    arrays, labels = _samples(samples, groups)
    for k, code in enumerate(labels):
        _enough(code, 2, k)
    rng = np.random.default_rng(seed)
    rows = [members(code) for code in labels]
    values = np.empty(repeats)
    for r in range(repeats):
        drawn = [
            array[np.concatenate([m[g] for g in rng.integers(len(m), size=len(m))])]
            for array, m in zip(arrays, rows, strict=True)
        ]
        values[r] = statistic(*drawn)
    low, high = quantiles(values, level)
    return Interval(low, high, f"percentile bootstrap of {_unit(groups)}", level)


def half_sampling(
    statistic: Statistic,
    *samples: ArrayLike,
    groups: Sequence[ArrayLike | None] | None = None,
    repeats: int = 100,
    seed: int = 0,
    level: float = 0.95,
    value: float | None = None,
) -> Interval:
    """Return the interval from half samples drawn without replacement.

    Parameters
    ----------
    statistic, samples, groups, repeats, seed, level
        As in `bootstrap`.
    value : float, optional
        The full-sample value; computed when not given.

    Returns
    -------
    Interval
        ``value + quantiles(half - mean(half))``: the variance of half samples without
        replacement equals that of the full-sample estimate (delete-half jackknife, Shao & Wu
        1989, doi:10.1214/aos/1176347263; Politis, Romano & Wolf 1999). Each sample needs at least
        4 groups; with an odd number the spread comes out a little too wide.

    Examples
    --------
    >>> found = half_sampling(np.mean, np.arange(100.0), seed=1)
    >>> bool(found.low < 49.5 < found.high)
    True
    """
    arrays, labels = _samples(samples, groups)
    for k, code in enumerate(labels):
        _enough(code, 4, k)
    full = float(statistic(*arrays)) if value is None else value
    weights = [half_sample_weights(code, repeats, seed + k) for k, code in enumerate(labels)]
    values = np.array(
        [
            statistic(*(a[w[r] > 0] for a, w in zip(arrays, weights, strict=True)))
            for r in range(repeats)
        ]
    )
    low, high = quantiles(values - values.mean(), level)
    method = f"half-sampling of {_unit(groups)}"
    return Interval(full + min(low, 0.0), full + max(high, 0.0), method, level)


def noise_floor(
    statistic: Statistic,
    real: ArrayLike,
    sizes: tuple[int, int],
    groups: ArrayLike | None = None,
    *,
    repeats: int = 200,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Return the spread of a statistic between disjoint random parts of one real sample.

    Parameters
    ----------
    statistic : callable
        Takes two arrays of rows, gives a number.
    real : array_like, shape (n, ...)
    sizes : tuple of int
        Rows of the two parts; both are shrunk in proportion when they sum to more than n, and
        the interval's method says so.
    groups : array_like, shape (n,), optional
        No group stands in both parts.
    repeats, seed, level

    Returns
    -------
    Interval
        With the median as centre.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=200)
    >>> found = noise_floor(lambda a, b: abs(a.mean() - b.mean()), x, (80, 80))
    >>> bool(0 < found.centre < found.high < 0.6)
    True
    """
    rows = np.asarray(real)
    labels = codes(groups, len(rows))
    _enough(labels, 2, 0)
    if min(sizes) < 1:
        raise UsageError(f"sizes: needs two positive numbers of rows, found {sizes}")
    method = "disjoint random parts of the real sample"
    if sum(sizes) > len(rows):
        share = len(rows) / sum(sizes)
        sizes = (max(1, int(sizes[0] * share)), max(1, int(sizes[1] * share)))
        method += f", shrunk to {sizes[0]} and {sizes[1]} rows"
    rng = np.random.default_rng(seed)
    values = np.empty(repeats)
    for r in range(repeats):
        i, j = nonempty_split(labels, sizes, rng)
        values[r] = statistic(rows[i], rows[j])
    low, high = quantiles(values, level)
    return Interval(low, high, method, level, float(np.median(values)))


def central_interval(values: ArrayLike, method: str) -> Interval:
    """Return the central 95 % of resampled values, with their median as centre.

    Parameters
    ----------
    values : array_like, shape (R,), R at least 1
    method : str
        What the values are.

    Returns
    -------
    Interval

    Examples
    --------
    >>> found = central_interval(np.arange(101.0), "example")
    >>> found.low, found.centre, found.high
    (2.5, 50.0, 97.5)
    """
    low, centre, high = np.quantile(np.asarray(values), [0.025, 0.5, 0.975])
    return Interval(float(low), float(high), method, centre=float(centre))


def quantiles(values: Values, level: float) -> tuple[float, float]:
    """Return the ends of the central interval of resampled values, all of them finite."""
    if len(values) < 1 or not np.isfinite(values).all():
        raise UsageError(
            "repeats, statistic: need at least one repeat and finite values, found "
            f"{int((~np.isfinite(values)).sum())} of {len(values)} not finite"
        )
    low, high = np.quantile(values, [tail(level), 1 - tail(level)])
    return float(low), float(high)


def _samples(
    samples: Sequence[ArrayLike], groups: Sequence[ArrayLike | None] | None
) -> tuple[list[NDArray[Any]], list[Index]]:
    arrays = [np.asarray(s) for s in samples]
    given = [None] * len(arrays) if groups is None else list(groups)
    if len(given) != len(arrays):
        raise UsageError(
            f"groups: needs one label array for each of {len(arrays)} samples, found {len(given)}"
        )
    return arrays, [codes(g, len(a)) for g, a in zip(given, arrays, strict=True)]


def _enough(code: Index, least: int, number: int) -> None:
    count = int(code.max()) + 1 if len(code) else 0
    if count < least:
        raise UsageError(
            f"samples[{number}]: needs at least {least} rows or groups to resample, found {count}"
        )


def _unit(groups: Sequence[ArrayLike | None] | None) -> str:
    return "items" if groups is None or all(g is None for g in groups) else "groups"
