"""Statistics of runs of a flat array: the beats of each recording without a loop over them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["run_mean", "run_median", "run_of", "run_sum"]

Values = NDArray[np.float64]
Rows = NDArray[np.intp]


def run_sum(values: NDArray[np.generic], row: Rows, n: int) -> Values:
    """Return the sum of the values of each row, added in their order.

    Parameters
    ----------
    values : ndarray, shape (k,)
    row : ndarray of int, shape (k,)
        The row, 0..n-1, that each value belongs to.
    n : int

    Returns
    -------
    ndarray, shape (n,), float64
        Zero for a row without values.

    Examples
    --------
    >>> run_sum(np.array([1.0, 2.0, 5.0]), np.array([0, 0, 2]), 3).tolist()
    [3.0, 0.0, 5.0]
    """
    return np.asarray(np.bincount(row, values, n), np.float64)


def run_mean(values: NDArray[np.generic], row: Rows, n: int) -> Values:
    """Return the mean of each row's values; NaN for a row without values.

    Examples
    --------
    >>> run_mean(np.array([1.0, 2.0]), np.array([1, 1]), 2).tolist()
    [nan, 1.5]
    """
    count = np.bincount(row, minlength=n)
    return np.where(count > 0, run_sum(values, row, n) / np.maximum(count, 1), np.nan)


def run_median(values: NDArray[np.generic], row: Rows, n: int) -> Values:
    """Return the median of each row's values; NaN for a row without values.

    Examples
    --------
    >>> run_median(np.array([9.0, 1.0, 3.0]), np.array([0, 0, 2]), 3).tolist()
    [5.0, nan, 3.0]
    """
    if not len(values):
        return np.full(n, np.nan)
    ordered = np.asarray(values, np.float64)[np.lexsort((values, row))]
    count = np.bincount(row, minlength=n)
    first = np.cumsum(count) - count
    last = len(ordered) - 1
    low = ordered[np.minimum(first + np.maximum(count - 1, 0) // 2, last)]
    high = ordered[np.minimum(first + count // 2, last)]
    return np.where(count > 0, 0.5 * (low + high), np.nan)


def run_of(row: Rows, n: int) -> tuple[Rows, Rows]:
    """Return the first place of each row in a sorted `row`, and how many places it has.

    Examples
    --------
    >>> [a.tolist() for a in run_of(np.array([0, 0, 2]), 3)]
    [[0, 2, 2], [2, 0, 1]]
    """
    count = np.bincount(row, minlength=n)
    return np.cumsum(count) - count, count
