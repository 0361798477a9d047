"""Kernel two-sample distances: maximum mean discrepancy, unbiased, from one Gram matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdq_core.errors import UsageError
from sdq_core.statistics.arrays import matrix, pair
from sdq_core.statistics.neighbours import squared_distances
from sdq_core.statistics.resampling import codes

__all__ = [
    "gram",
    "kernel_distance",
    "maximum_mean_discrepancy",
    "median_bandwidth",
    "weighted_discrepancy",
]

Values = NDArray[np.float64]
Kernel = Literal["rbf", "cubic", "linear"] | Callable[[Values, Values], Values]

SCALES = (0.5, 1.0, 2.0)
"""Multiples of the bandwidth over which the RBF kernel is averaged."""


def median_bandwidth(z: ArrayLike, limit: int = 1000) -> float:
    """Return the median Euclidean distance between rows.

    Parameters
    ----------
    z : array_like, shape (n, d)
    limit : int
        At most this many evenly spaced rows are used.

    Returns
    -------
    float
        Positive; 1 when all rows are equal.

    Examples
    --------
    >>> median_bandwidth([[0.0], [1.0], [2.0]])
    1.0
    """
    values = matrix(z, "z")
    if len(values) > limit:
        values = values[np.linspace(0, len(values) - 1, limit).astype(np.intp)]
    distances = squared_distances(values, values)[np.triu_indices(len(values), 1)]
    found = float(np.sqrt(np.median(distances)))
    return found if found > 0 else 1.0


def gram(z: ArrayLike, kernel: Kernel = "rbf", bandwidth: float | None = None) -> Values:
    """Return the Gram matrix of a kernel on pooled rows.

    Parameters
    ----------
    z : array_like, shape (N, d)
    kernel : {"rbf", "cubic", "linear"} or callable
        ``rbf``: mean of ``exp(-|u - v|^2 / (2 s^2))`` over s = 0.5, 1, 2 times the bandwidth;
        ``cubic``: ``(u.v / d + 1)^3``; a callable takes two matrices of rows.
    bandwidth : float, optional
        Median distance by default (Gretton et al. 2012, section 8).

    Returns
    -------
    ndarray, shape (N, N)

    Examples
    --------
    >>> gram([[0.0], [1.0]], "linear")
    array([[0., 0.],
           [0., 1.]])
    """
    values = matrix(z, "z")
    if callable(kernel):
        return np.asarray(kernel(values, values), dtype=np.float64)
    if kernel == "linear":
        return np.asarray(values @ values.T)
    if kernel == "cubic":
        return np.asarray((values @ values.T / values.shape[1] + 1) ** 3)
    if kernel != "rbf":
        raise UsageError(f"kernel: must be rbf, cubic, linear or callable, found {kernel!r}")
    width = median_bandwidth(values) if bandwidth is None else bandwidth
    if not width > 0:
        raise UsageError(f"bandwidth: must be positive, found {width}")
    # The widths are powers of two apart, so each kernel is the fourth power of the next one.
    wide = np.exp(squared_distances(values, values) / (-2 * (SCALES[-1] * width) ** 2))
    total = wide.copy()
    for _ in SCALES[1:]:
        wide = wide**4
        total += wide
    return total / len(SCALES)


def weighted_discrepancy(
    kernel: ArrayLike, a: ArrayLike, b: ArrayLike, groups: ArrayLike | None = None
) -> Values:
    """Return the unbiased squared discrepancy for many weightings of one Gram matrix.

    Parameters
    ----------
    kernel : array_like, shape (N, N)
        Symmetric Gram matrix of the pooled rows.
    a, b : array_like, shape (R, N)
        Non-negative weights of the two sides: 0/1 for splits and permutations, counts for a
        bootstrap.
    groups : array_like, shape (N,), optional
        Pairs of rows of one group are left out of the within-terms, a row with itself always.

    Returns
    -------
    ndarray, shape (R,)
        ``sum' a_i a_j K_ij / sum' a_i a_j + (the same of b) - 2 sum a_i b_j K_ij / (sum a sum b)``,
        the primed sums over pairs of different groups. With unit weights and single rows this is
        the unbiased estimate of Gretton et al. 2012, lemma 6. NaN where a side has fewer than two
        groups.

    Examples
    --------
    >>> k = gram([[0.0], [0.0], [3.0], [3.0]], "linear")
    >>> weighted_discrepancy(k, [[1, 1, 0, 0]], [[0, 0, 1, 1]])
    array([9.])
    """
    k = np.asarray(kernel, dtype=np.float64)
    first, second = (np.atleast_2d(np.asarray(w, dtype=np.float64)) for w in (a, b))
    if k.ndim != 2 or k.shape[0] != k.shape[1] or first.shape != second.shape:
        raise UsageError("kernel, a, b: need shapes (N, N), (R, N), (R, N)")
    if first.shape[1] != len(k):
        raise UsageError(f"a, b: need one weight for each of {len(k)} rows")
    code = codes(groups, len(k))
    order = np.argsort(code, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(code[order]) > 0])
    ka = first @ k
    cross = (ka * second).sum(axis=1)
    sizes = first.sum(axis=1) * second.sum(axis=1)
    within = np.zeros(len(first))
    for w, kw in ((first, ka), (second, second @ k)):
        inside, pairs = _inside(k, w, order, starts)
        number = w.sum(axis=1) ** 2 - pairs
        with np.errstate(invalid="ignore", divide="ignore"):
            within += np.where(number > 0.5, ((kw * w).sum(axis=1) - inside) / number, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(within - 2 * np.where(sizes > 0, cross / sizes, np.nan))


def maximum_mean_discrepancy(
    x: ArrayLike,
    y: ArrayLike,
    *,
    kernel: Kernel = "rbf",
    bandwidth: float | None = None,
    groups_x: ArrayLike | None = None,
    groups_y: ArrayLike | None = None,
) -> float:
    """Return the unbiased squared maximum mean discrepancy between two samples.

    Parameters
    ----------
    x, y : array_like, shapes (n, d) and (m, d), n and m at least 2
    kernel, bandwidth
        As in `gram`; the median heuristic takes the pooled sample.
    groups_x, groups_y : array_like, optional
        Subject of each row: pairs inside one subject are left out, so that several items of one
        subject do not bias the estimate.

    Returns
    -------
    float
        0 on average for two samples of one law, and may be negative. Gretton et al. 2012,
        JMLR 13:723, lemma 6.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.normal(size=(100, 3)), rng.normal(size=(100, 3))
    >>> bool(abs(maximum_mean_discrepancy(x, y)) < 0.02)
    True
    """
    first, second = pair(x, y)
    pooled = np.concatenate([first, second])
    n, m = len(first), len(second)
    a = np.r_[np.ones(n), np.zeros(m)]
    left, right = codes(groups_x, n, "groups_x"), codes(groups_y, m, "groups_y")
    found = weighted_discrepancy(
        gram(pooled, kernel, bandwidth), a, 1 - a, np.r_[left, right + left.max() + 1]
    )[0]
    if np.isnan(found):
        raise UsageError("groups_x, groups_y: each side needs at least two groups")
    return float(found)


def kernel_distance(
    x: ArrayLike,
    y: ArrayLike,
    *,
    groups_x: ArrayLike | None = None,
    groups_y: ArrayLike | None = None,
) -> float:
    """Return the kernel distance: unbiased discrepancy with the kernel ``(u.v / d + 1)^3``.

    Parameters
    ----------
    x, y : array_like, shapes (n, d) and (m, d)
    groups_x, groups_y : array_like, optional
        As in `maximum_mean_discrepancy`.

    Returns
    -------
    float
        KID of Binkowski et al. 2018, arXiv:1801.01401, over the whole sets instead of subsets.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> kernel_distance(rng.normal(size=(50, 4)), rng.normal(size=(50, 4)) + 2) > 1
    True
    """
    return maximum_mean_discrepancy(x, y, kernel="cubic", groups_x=groups_x, groups_y=groups_y)


def _inside(
    k: Values, w: Values, order: NDArray[np.intp], starts: NDArray[np.intp]
) -> tuple[Values, Values]:
    """Weighted sums over pairs inside one group: of the kernel, and of the weights alone."""
    sums = np.add.reduceat(w[:, order], starts, axis=1)
    pairs = (sums**2).sum(axis=1)
    value = (w**2) @ np.diag(k)
    ends = np.r_[starts[1:], len(order)]
    for start, end in zip(starts, ends, strict=True):
        if end - start > 1:
            rows = order[start:end]
            block = k[np.ix_(rows, rows)].copy()
            np.fill_diagonal(block, 0)
            value += ((w[:, rows] @ block) * w[:, rows]).sum(axis=1)
    return value, pairs
