"""Frequent values of a number: cells of their own, since ranks do not show that they are smeared.

The distribution functions of a number that is 0 in half of the rows, and of one that lies evenly
between 0 and the next value, differ nowhere at the other real values.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEAST_SHARE", "heap_cells", "heaps"]

LEAST_SHARE: Final = 0.05
"""Share of the real values on one of them from which it is a heap."""
LEAST_ROWS: Final = 10
SAME: Final = 1e-6
"""Values this close, in deviations of the number or parts of the value, are one: a generator may
write single precision."""

Values = NDArray[np.float64]
Index = NDArray[np.intp]


def heaps(real: Values) -> Values:
    """Return the values that stand in at least 5 % of the real rows, and in ten.

    Parameters
    ----------
    real : ndarray, shape (n,)
        NaN is missing and does not count.

    Returns
    -------
    ndarray
        Ascending.

    Notes
    -----
    Parts of a distribution that are points and not intervals: of measurements below a limit of
    detection (Helsel 2011, Statistics for Censored Environmental Data), of numbers that people
    round (Heitjan & Rubin 1991, doi:10.1214/aos/1176348396), of zeros that stand for "none".

    Examples
    --------
    >>> heaps(np.array([0.0] * 10 + list(range(1, 11)) + [np.nan])).tolist()
    [0.0]
    """
    known = real[~np.isnan(real)]
    values, count = np.unique(known, return_counts=True)
    return np.asarray(values[count >= max(LEAST_SHARE * len(known), LEAST_ROWS)])


def heap_cells(values: Values, at: Values, real: Values) -> tuple[Index, int]:
    """Return the heap of each value, one cell for all other values and one for missing ones.

    Parameters
    ----------
    values : ndarray, shape (n,)
        NaN is missing.
    at : ndarray, shape (h,), ascending
        Of `heaps`.
    real : ndarray
        Real values, whose spread says what is close.

    Returns
    -------
    cells : ndarray, shape (n,), intp
        0..h-1 of the heaps, h of others, h + 1 of missing ones.
    size : int

    Examples
    --------
    >>> heap_cells(np.array([0.0, 0.1, 1e-12, np.nan]), np.array([0.0]), np.arange(4.0))
    (array([0, 1, 0, 2]), 3)
    """
    near = SAME * np.maximum(np.abs(at), float(np.nanstd(real)))
    right = np.clip(np.searchsorted(at, values), 0, len(at) - 1)
    left = np.maximum(right - 1, 0)
    closer = np.where(np.abs(values - at[left]) <= np.abs(values - at[right]), left, right)
    cells = np.where(np.abs(values - at[closer]) <= near[closer], closer, len(at))
    return np.where(np.isnan(values), len(at) + 1, cells).astype(np.intp), len(at) + 2
