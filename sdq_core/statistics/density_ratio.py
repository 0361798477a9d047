"""Membership by a ratio of densities in all columns: synthetic over reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdq_core.errors import UsageError
from sdq_core.statistics.arrays import pair, rows_per_block
from sdq_core.statistics.coding import mid_ranks
from sdq_core.statistics.contingency import coded_columns
from sdq_core.statistics.mixed_rows import MixedRows

__all__ = ["density_coordinates", "log_density", "log_density_ratio"]

Values = NDArray[np.float64]

_END = 0.002


def density_coordinates(reference: MixedRows, rows: MixedRows, levels: Sequence[int]) -> Values:
    """Return rows as points in which a kernel of one width suits every column.

    Parameters
    ----------
    reference : MixedRows
        Rows of the population that are neither members nor synthetic.
    rows : MixedRows
    levels : sequence of int
        Levels of each category.

    Returns
    -------
    ndarray, shape (n, d), float64
        Numbers as normal scores of their ranks in the reference, missing as its median; categories
        as the share of their level; all standardised by the reference. Columns that are constant
        in it are left out.

    Raises
    ------
    UsageError
        Other columns than the reference's; nothing in it varies.

    Examples
    --------
    >>> rows = MixedRows(np.array([[1.0], [2.0], [3.0]]), np.empty((3, 0), int))
    >>> density_coordinates(rows, rows, []).round(2).ravel().tolist()
    [-1.22, 0.0, 1.22]
    """
    from scipy.special import ndtri

    sides = [_coordinates(reference, side, levels, ndtri) for side in (reference, rows)]
    centre, spread = sides[0].mean(axis=0), sides[0].std(axis=0)
    kept = spread > 1e-9
    if not kept.any():
        raise UsageError("reference: no column varies, so no density can be estimated")
    points: Values = (sides[1][:, kept] - centre[kept]) / spread[kept]
    return points


def log_density(points: ArrayLike, sample: ArrayLike, bandwidth: float | None = None) -> Values:
    """Return the logarithm of a sample's density at points, by a Gaussian kernel.

    Parameters
    ----------
    points, sample : array_like, shapes (n, d) and (m, d)
    bandwidth : float, optional
        Standard deviation of the kernel in every direction; Scott's ``m^(-1/(d+4))`` by default.

    Returns
    -------
    ndarray, shape (n,)

    Notes
    -----
    Kernel density: Scott, Multivariate Density Estimation, 1992, doi:10.1002/9780470316849.
    Distances by matrix products in float32, sums in float64.

    Examples
    --------
    >>> round(float(log_density([[0.0]], [[0.0], [0.0]], bandwidth=1.0)[0]), 4)
    -0.9189
    """
    x, y = pair(points, sample, ("points", "sample"), 1)
    m, d = y.shape
    h = m ** (-1 / (d + 4)) if bandwidth is None else bandwidth
    if not h > 0:
        raise UsageError(f"bandwidth: must be positive, found {h}")
    centre = y.mean(axis=0)
    a, b = ((v - centre) / h for v in (x, y))
    norm_a, norm_b = (0.5 * (v**2).sum(axis=1) for v in (a, b))
    left, right = a.astype(np.float32), np.ascontiguousarray(b.T, dtype=np.float32)
    found = np.empty(len(x))
    step = min(512, rows_per_block(m))
    for start in range(0, len(x), step):
        rows = slice(start, start + step)
        # The exponent needs no digits where it is far below the largest, and has them near it.
        exponent: NDArray[Any] = left[rows] @ right
        exponent -= norm_b.astype(np.float32)
        top = exponent.max(axis=1, keepdims=True)
        exponent -= top
        np.exp(exponent, out=exponent)
        total = exponent.sum(axis=1, dtype=np.float64)
        found[rows] = np.log(total) + top[:, 0] - norm_a[rows]
    found -= np.log(m) + d * (np.log(h) + 0.5 * np.log(2 * np.pi))
    return found


def log_density_ratio(points: ArrayLike, synthetic: ArrayLike, reference: ArrayLike) -> Values:
    """Return how much denser the synthetic rows lie at points than the population does.

    Parameters
    ----------
    points, synthetic, reference : array_like, shapes (n, d), (m, d) and (r, d)
        In `density_coordinates`.

    Returns
    -------
    ndarray, shape (n,)
        ``log p_synthetic - log p_reference``: high where the generator overfitted. As a membership
        score: DOMIAS, van Breugel et al., AISTATS 2023, arXiv:2302.12580.

    Examples
    --------
    >>> ratio = log_density_ratio([[0.0], [5.0]], [[0.0], [0.1]], [[0.0], [5.0]])
    >>> bool(ratio[0] > 0 > ratio[1])
    True
    """
    return log_density(points, synthetic) - log_density(points, reference)


def _coordinates(
    reference: MixedRows, rows: MixedRows, levels: Sequence[int], ndtri: Any
) -> Values:
    found = []
    if rows.numbers.shape[1] != reference.numbers.shape[1]:
        raise UsageError(
            f"rows: need {reference.numbers.shape[1]} numbers, found {rows.numbers.shape[1]}"
        )
    for pool, x in zip(reference.numbers.T, rows.numbers.T, strict=True):
        ranks = np.nan_to_num(mid_ranks(pool, x), nan=0.5)
        found.append(ndtri(np.clip(ranks, _END, 1 - _END)))
    if levels:
        for pool, code, count in zip(
            coded_columns(reference.categories, levels),
            coded_columns(rows.categories, levels),
            levels,
            strict=True,
        ):
            found.append((np.bincount(pool, minlength=count) / len(pool))[code])
    return np.stack(found, 1)
