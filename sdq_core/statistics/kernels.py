"""Kernel two-sample distances: maximum mean discrepancy, unbiased, from one Gram matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdq_core.errors import UsageError
from sdq_core.statistics.arrays import matrix, pair, rows_per_block
from sdq_core.statistics.neighbours import squared_distances
from sdq_core.statistics.resampling import codes

__all__ = [
    "gram",
    "kernel_distance",
    "kernel_values",
    "kernel_width",
    "maximum_mean_discrepancy",
    "median_bandwidth",
    "weighted_discrepancy",
]

Values = NDArray[np.float64]
Kernel = Literal["rbf", "cubic", "linear", "energy"] | Callable[[Values, Values], Values]

SCALES = (0.5, 1.0, 2.0)
"""Multiples of the bandwidth over which the RBF kernel is averaged."""


def median_bandwidth(z: ArrayLike, limit: int = 1000) -> float:
    """Return the median Euclidean distance between rows.

    Parameters
    ----------
    z : array_like, shape (n, d)
    limit : int
        At most this many evenly spaced rows are used, so with more the order of rows matters.

    Returns
    -------
    float
        Positive. Where most rows are equal, the median of the distances of the others; 1 when all
        rows are equal. Rows count as equal when they are nearer to each other than 1e-4 of the
        largest distance to the mean: what is nearer has too few digits left.

    Examples
    --------
    >>> median_bandwidth([[0.0], [1.0], [2.0]])
    1.0
    """
    values = matrix(z, "z")
    if len(values) > limit:
        values = values[np.linspace(0, len(values) - 1, limit).astype(np.intp)]
    distances = squared_distances(values, values)[np.triu_indices(len(values), 1)]
    # Squared distances come from differences of squared norms, of which 16 digits are known.
    rounding = 1e-8 * float(((values - values.mean(axis=0)) ** 2).sum(axis=1).max())
    middle = float(np.median(distances))
    if middle <= rounding:
        apart = distances[distances > rounding]
        middle = float(np.median(apart)) if len(apart) else 1.0
    return float(np.sqrt(middle))


def gram(z: ArrayLike, kernel: Kernel = "rbf", bandwidth: float | None = None) -> Values:
    """Return the Gram matrix of a kernel on pooled rows.

    Parameters
    ----------
    z : array_like, shape (N, d)
    kernel : {"rbf", "cubic", "linear", "energy"} or callable
        ``rbf``: mean of ``exp(-|u - v|^2 / (2 s^2))`` over s = 0.5, 1, 2 times the bandwidth;
        ``cubic``: ``(u.v / d + 1)^3``; ``energy``: ``-|u - v|``, whose discrepancy is the energy
        distance ``2 E|X-Y| - E|X-X'| - E|Y-Y'|`` (Sejdinovic et al. 2013, doi:10.1214/13-AOS1140);
        a callable takes two matrices of rows.
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
    return kernel_values(values, values, kernel, kernel_width(values, kernel, bandwidth))


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
        the unbiased estimate of Gretton et al. 2012, lemma 6. Undefined, and marked by NaN, for
        a weighting with fewer than two groups on a side.

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
    if not all(np.isfinite(w).all() and (w >= 0).all() for w in (first, second)):
        raise UsageError(
            "a, b: need finite weights that are not negative; signed ones have no mean"
        )
    code = codes(groups, len(k))
    order = np.argsort(code, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(code[order]) > 0])
    found = np.empty(len(first))
    step = rows_per_block(len(k))
    for start in range(0, len(first), step):
        rows = slice(start, start + step)
        one, two = first[rows], second[rows]
        with np.errstate(invalid="ignore", divide="ignore"):
            kernel_one = one @ k
            cross = (kernel_one * two).sum(axis=1) / (one.sum(axis=1) * two.sum(axis=1))
            found[rows] = (
                _within(k, one, kernel_one, order, starts)
                + _within(k, two, two @ k, order, starts)
                - 2 * cross
            )
    return found


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
    width = kernel_width(np.concatenate([first, second]), kernel, bandwidth)
    return (
        _mean(first, first, kernel, width, codes(groups_x, len(first), "groups_x"), "groups_x")
        + _mean(second, second, kernel, width, codes(groups_y, len(second), "groups_y"), "groups_y")
        - 2 * _mean(first, second, kernel, width)
    )


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


def kernel_width(z: Values, kernel: Kernel, bandwidth: float | None) -> float:
    """Return the bandwidth in use; 1 for kernels that have none.

    Parameters
    ----------
    z, kernel, bandwidth
        As in `gram`.
    """
    if callable(kernel) or kernel in ("linear", "cubic", "energy"):
        return 1.0
    if kernel != "rbf":
        raise UsageError(
            f"kernel: must be rbf, cubic, linear, energy or callable, found {kernel!r}"
        )
    width = median_bandwidth(z) if bandwidth is None else bandwidth
    if not 0 < width < np.inf:
        raise UsageError(f"bandwidth: must be positive and finite, found {width}")
    return width


def kernel_values(u: Values, v: Values, kernel: Kernel, width: float) -> Values:
    """Return the kernel's values of all pairs of rows, shape (n, m).

    Parameters
    ----------
    u, v : ndarray, shapes (n, d) and (m, d)
    kernel
        As in `gram`.
    width : float
        Of `kernel_width`.
    """
    if callable(kernel):
        found = np.asarray(kernel(u, v), dtype=np.float64)
        if found.shape != (len(u), len(v)):
            raise UsageError(
                f"kernel: must give shape ({len(u)}, {len(v)}) for as many rows, "
                f"found {found.shape}"
            )
        return found
    if kernel == "linear":
        return np.asarray(u @ v.T)
    if kernel == "cubic":
        return np.asarray((u @ v.T / u.shape[1] + 1) ** 3)
    if kernel == "energy":
        return np.asarray(-np.sqrt(squared_distances(u, v)))
    # The widths are powers of two apart, so each kernel is the fourth power of the next one.
    wide = squared_distances(u, v)
    wide /= -2 * (SCALES[-1] * width) ** 2
    np.exp(wide, out=wide)
    total = wide.copy()
    for _ in SCALES[1:]:
        wide *= wide
        wide *= wide
        total += wide
    total /= len(SCALES)
    return total


def _mean(
    u: Values,
    v: Values,
    kernel: Kernel,
    width: float,
    code: NDArray[np.intp] | None = None,
    name: str = "",
) -> float:
    """Mean kernel value over all pairs of rows, or over those of different groups; in blocks."""
    total, number = 0.0, 0
    step = rows_per_block(len(v))
    for start in range(0, len(u), step):
        rows = slice(start, start + step)
        block = kernel_values(u[rows], v, kernel, width)
        if code is None:
            total, number = total + float(block.sum()), number + block.size
        else:
            different = code[rows, None] != code
            total += float(block.sum(where=different))
            number += int(different.sum())
    if number == 0:
        raise UsageError(f"{name}: needs at least two groups, found one; name the groups apart")
    return total / number


def _within(
    k: Values, w: Values, kw: Values, order: NDArray[np.intp], starts: NDArray[np.intp]
) -> Values:
    """Weighted mean of the kernel over pairs of different groups, NaN where there are none."""
    sums = np.add.reduceat(w[:, order], starts, axis=1)
    total = sums.sum(axis=1)
    value = (kw * w).sum(axis=1) - (w**2) @ np.diag(k)
    ends = np.r_[starts[1:], len(order)]
    for start, end in zip(starts, ends, strict=True):
        if end - start > 1:
            rows = order[start:end]
            block = k[np.ix_(rows, rows)].copy()
            np.fill_diagonal(block, 0)
            value -= ((w[:, rows] @ block) * w[:, rows]).sum(axis=1)
    several = (sums > 0).sum(axis=1) > 1
    return np.where(several, value / (total**2 - (sums**2).sum(axis=1)), np.nan)
