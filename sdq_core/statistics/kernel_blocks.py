"""Kernel discrepancies of many weightings without the Gram matrix: exact, in blocks of rows."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdq_core.errors import UsageError
from sdq_core.statistics.arrays import matrix, rows_per_block
from sdq_core.statistics.kernels import Kernel, kernel_values, kernel_width
from sdq_core.statistics.resampling import codes, members

__all__ = ["discrepancies_of_rows"]

Values = NDArray[np.float64]

_ROWS = 256
"""Fewest rows of a block, so that its products run at the rate of matrix products."""
_WEIGHTINGS = 256
"""Weightings that are turned into numbers of 8 bytes at a time."""


def discrepancies_of_rows(
    z: ArrayLike,
    kernel: Kernel,
    weightings: Iterable[tuple[ArrayLike, ArrayLike]],
    groups: ArrayLike | None = None,
    bandwidth: float | None = None,
) -> list[Values]:
    """Return what `weighted_discrepancy` does of the Gram matrix, which is never held.

    Parameters
    ----------
    z : array_like, shape (N, d)
    kernel, bandwidth
        As in `sdq_core.statistics.kernels.gram`.
    weightings : iterable of (a, b)
        Each of two arrays of shape (R, N), of any kind of number; R may differ.
    groups : array_like, shape (N,), optional
        As in `weighted_discrepancy`.

    Returns
    -------
    list of ndarray, shape (R,)
        One for each element of `weightings`. Gretton et al. 2012, JMLR 13:723, lemma 6; each
        kernel value is computed once for all of them.

    Examples
    --------
    >>> a, b = [[1, 1, 0, 0]], [[0, 0, 1, 1]]
    >>> discrepancies_of_rows([[0.0], [0.0], [3.0], [3.0]], "linear", [(a, b)])
    [array([9.])]
    """
    values = matrix(z, "z")
    n = len(values)
    sides = [(np.asarray(a), np.asarray(b)) for a, b in weightings]
    if any(w.ndim != 2 or w.shape != (len(a), n) for a, b in sides for w in (a, b)):
        raise UsageError(f"weightings: need pairs of arrays of one shape (R, {n})")
    width = kernel_width(values, kernel, bandwidth)
    code = codes(groups, n)
    sums = [np.zeros((3, len(a))) for a, _ in sides]
    step = max(rows_per_block(n), _ROWS)
    for start in range(0, n, step):
        rows = np.arange(start, min(start + step, n))
        block = kernel_values(values[rows], values, kernel, width)
        for total, (a, b) in zip(sums, sides, strict=True):
            _add(total, block, rows, a, b)
    shared = [m for m in members(code) if len(m) > 1]
    for rows in shared:
        block = kernel_values(values[rows], values[rows], kernel, width)
        np.fill_diagonal(block, 0)
        for total, pair in zip(sums, sides, strict=True):
            for side, w in enumerate(pair):
                own = w[:, rows].astype(np.float64)
                total[side] -= ((own @ block) * own).sum(axis=1)
    return [_means(total, *pair, code) for total, pair in zip(sums, sides, strict=True)]


def _add(
    total: Values,
    block: Values,
    rows: NDArray[np.intp],
    a: NDArray[np.generic],
    b: NDArray[np.generic],
) -> None:
    """Add a block's part to the sums within one side, within the other, and between them."""
    diagonal = block[np.arange(len(rows)), rows][:, None]
    for start in range(0, len(a), _WEIGHTINGS):
        some = slice(start, start + _WEIGHTINGS)
        one, two = a[some].astype(np.float64), b[some].astype(np.float64)
        own_one, own_two = one[:, rows].T, two[:, rows].T
        by_two = block @ two.T
        total[0, some] += ((block @ one.T - diagonal * own_one) * own_one).sum(axis=0)
        total[1, some] += ((by_two - diagonal * own_two) * own_two).sum(axis=0)
        total[2, some] += (by_two * own_one).sum(axis=0)


def _means(
    total: Values, a: NDArray[np.generic], b: NDArray[np.generic], code: NDArray[np.intp]
) -> Values:
    order = np.argsort(code, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(code[order]) > 0])
    found = np.empty(len(a))
    for start in range(0, len(a), _WEIGHTINGS):
        some = slice(start, start + _WEIGHTINGS)
        mass, within = [], []
        for side, w in enumerate((a, b)):
            sums = np.add.reduceat(w[some][:, order].astype(np.float64), starts, axis=1)
            whole = sums.sum(axis=1)
            pairs = whole**2 - (sums**2).sum(axis=1)
            several = (sums > 0).sum(axis=1) > 1
            with np.errstate(invalid="ignore", divide="ignore"):
                within.append(np.where(several, total[side, some] / pairs, np.nan))
            mass.append(whole)
        with np.errstate(invalid="ignore", divide="ignore"):
            found[some] = within[0] + within[1] - 2 * total[2, some] / (mass[0] * mass[1])
    return found
