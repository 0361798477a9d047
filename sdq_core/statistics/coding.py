"""Numbers and categories as integer codes: quantile bins and ranks of a real pool."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdq_core.errors import UsageError

__all__ = ["cut", "cut_points", "ks_distance", "mid_ranks", "smallest_dtype"]

Values = NDArray[np.float64]
Codes = NDArray[np.integer[Any]]

_STEP = 2**16


def smallest_dtype(levels: int) -> np.dtype[Any]:
    """Return the smallest unsigned type that holds codes 0..levels-1.

    Examples
    --------
    >>> smallest_dtype(256), smallest_dtype(257)
    (dtype('uint8'), dtype('uint16'))
    """
    return np.min_scalar_type(max(levels - 1, 0))


def cut_points(real: ArrayLike, bins: int = 10) -> Values:
    """Return the inner limits of bins that hold equal shares of the real values.

    Parameters
    ----------
    real : array_like, shape (n,)
        NaN is missing and does not count.
    bins : int
        At least 1. Where a value is so frequent that limits coincide, there are fewer.

    Returns
    -------
    ndarray, shape (at most bins - 1,)
        Ascending, distinct. Empty when all values are missing.

    Raises
    ------
    UsageError
        Infinite values, or no bin.

    Examples
    --------
    >>> cut_points(np.arange(100.0), bins=4).tolist()
    [24.75, 49.5, 74.25]
    """
    values = np.asarray(real, dtype=np.float64)
    if bins < 1:
        raise UsageError(f"bins: needs at least 1, found {bins}")
    present = values[~np.isnan(values)]
    if not np.isfinite(present).all():
        raise UsageError("real: values must be finite or missing (NaN), found infinite ones")
    if not len(present):
        return np.empty(0)
    inner = np.linspace(0, 1, bins + 1)[1:-1]
    return np.unique(np.quantile(present, inner, overwrite_input=True))


def cut(values: ArrayLike, points: ArrayLike) -> Codes:
    """Return the bin of each value.

    Parameters
    ----------
    values : array_like, shape (n,)
    points : array_like, shape (b,)
        Ascending; see `cut_points`.

    Returns
    -------
    ndarray, shape (n,), unsigned
        0..b; a value that equals a limit belongs to the bin above it. Missing: b + 1.

    Examples
    --------
    >>> cut([0.0, 30.0, 50.0, np.nan], [25.0, 50.0]).tolist()
    [0, 1, 2, 3]
    """
    x, limits = np.asarray(values, dtype=np.float64), np.asarray(points, dtype=np.float64)
    dtype = smallest_dtype(len(limits) + 2)
    if len(limits) > 64:
        found = np.searchsorted(limits, x, side="right").astype(dtype)
        found[np.isnan(x)] = len(limits) + 1
        return found
    # A comparison with each limit is a vector instruction: cheaper than a search for each value.
    found = np.zeros(len(x), dtype)
    for start in range(0, len(x), _STEP):
        rows = slice(start, start + _STEP)
        for limit in limits:
            found[rows] += x[rows] >= limit
        found[rows][np.isnan(x[rows])] = len(limits) + 1
    return found


def mid_ranks(pool: ArrayLike, values: ArrayLike) -> Values:
    """Return where values stand among those of a pool.

    Parameters
    ----------
    pool : array_like, shape (m,)
        NaN is left out.
    values : array_like, shape (n,)

    Returns
    -------
    ndarray, shape (n,)
        The pool's share below each value plus half the share that equals it, in [0, 1]; NaN stays
        NaN. 0.5 where the whole pool is missing.

    Examples
    --------
    >>> mid_ranks([1.0, 2.0, 2.0, 9.0], [0.0, 2.0, np.nan]).tolist()
    [0.0, 0.5, nan]
    """
    x = np.asarray(values, dtype=np.float64)
    m = np.asarray(pool, dtype=np.float64)
    m = np.sort(m[~np.isnan(m)])
    if not len(m):
        return np.where(np.isnan(x), np.nan, 0.5)
    # Sorted searches stay in the cache, and rounded numbers repeat.
    distinct, where = np.unique(x, return_inverse=True)
    ranks = (np.searchsorted(m, distinct, "left") + np.searchsorted(m, distinct, "right")) / (
        2 * len(m)
    )
    ranks[np.isnan(distinct)] = np.nan
    found: Values = ranks[where]
    return found


def ks_distance(x: ArrayLike, y: ArrayLike) -> float:
    """Return the largest difference of the distribution functions of two samples.

    Parameters
    ----------
    x, y : array_like, shapes (n,) and (m,)
        NaN is left out; at least one value each.

    Returns
    -------
    float
        Kolmogorov 1933 and Smirnov 1948, in [0, 1]. For many weightings of one pooled sample, or
        p-values, see `sdq_core.statistics.marginals`; this takes two sorts and no index arrays.

    Examples
    --------
    >>> ks_distance([1.0, 2.0, np.nan], [2.0, 3.0])
    0.5
    """
    a, b = (v[~np.isnan(v)] for v in (np.asarray(s, np.float64) for s in (x, y)))
    if not (len(a) and len(b)):
        raise UsageError("x, y: each needs at least one value that is not missing")
    a.sort()
    b.sort()
    # The difference is largest at a value of either: just after those of one, or just before.
    last = np.flatnonzero(np.append(a[1:] != a[:-1], True))
    distinct = a[last]
    after = (last + 1) / len(a) - np.searchsorted(b, distinct, "right") / len(b)
    before = np.searchsorted(b, distinct, "left") / len(b) - np.append(0, last[:-1] + 1) / len(a)
    return float(max(after.max(), before.max(), 0.0))
