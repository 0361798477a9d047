"""Marginal distributions, feature by feature, for many weightings at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdq_core.errors import UsageError
from sdq_core.statistics.arrays import ROUNDING, matrix, pair, rows_per_block
from sdq_core.statistics.multiplicity import benjamini_hochberg, holm
from sdq_core.statistics.resampling import codes, split_weights

__all__ = ["MarginalTest", "ecdf_distances", "two_sample_tests"]

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MarginalTest:
    """One feature's marginal, real against synthetic.

    Parameters
    ----------
    name : str
    ks : float
        Kolmogorov-Smirnov statistic, 0..1.
    p_value, p_holm, p_bh : float
        By permutation of whole groups; adjusted over the features.
    wasserstein : float
        Wasserstein-1 distance in units of the real interquartile range.
    unit : str
        What the distance is divided by: ``"real IQR"``, or where that is zero the
        ``"pooled standard deviation"``, or ``"none"`` where nothing varies.
    total_variation : float
        Over bins between the real sample's deciles, one below its minimum and one above its
        maximum, 0..1.
    """

    name: str
    ks: float
    p_value: float
    p_holm: float
    p_bh: float
    wasserstein: float
    unit: str
    total_variation: float


def ecdf_distances(pooled: ArrayLike, weights: ArrayLike) -> tuple[Values, Values]:
    """Return Kolmogorov-Smirnov and Wasserstein-1 distances for many weightings.

    Parameters
    ----------
    pooled : array_like, shape (N, F)
    weights : array_like, shape (R, N)
        Signed: the rows of side one sum to 1, those of side two to -1, others are 0.

    Returns
    -------
    ks, w1 : ndarray, shape (R, F)
        Largest absolute difference of the two distribution functions, and its integral. Each
        column is sorted once for all weightings.

    Examples
    --------
    >>> ks, w1 = ecdf_distances([[0.0], [1.0], [5.0]], [[1.0, 0.0, -1.0]])
    >>> float(ks[0, 0]), float(w1[0, 0])
    (1.0, 5.0)
    """
    values = matrix(pooled, "pooled")
    signed = np.atleast_2d(np.asarray(weights, dtype=np.float64))
    if signed.shape[1] != len(values):
        raise UsageError(
            f"weights: needs one column for each of {len(values)} rows, found {signed.shape[1]}"
        )
    ks = np.empty((len(signed), values.shape[1]))
    w1 = np.empty_like(ks)
    step = rows_per_block(len(values))
    for column in range(values.shape[1]):
        order = np.argsort(values[:, column], kind="stable")
        gaps = np.diff(values[order, column])
        for start in range(0, len(signed), step):
            rows = slice(start, start + step)
            difference = np.abs(np.cumsum(signed[rows][:, order], axis=1)[:, :-1])
            w1[rows, column] = difference @ gaps
            # Inside a run of ties the distribution functions are not defined yet.
            ks[rows, column] = (difference * (gaps > 0)).max(axis=1)
    return ks, w1


def two_sample_tests(
    x: ArrayLike,
    y: ArrayLike,
    names: Sequence[str] | None = None,
    groups: ArrayLike | None = None,
    *,
    permutations: int = 499,
    seed: int = 0,
) -> tuple[MarginalTest, ...]:
    """Test each feature's marginal between two samples.

    Parameters
    ----------
    x, y : array_like, shapes (n, F) and (m, F)
        Real and synthetic.
    names : sequence of str, optional
    groups : array_like, shape (n + m,), optional
        Subjects of the rows of x, then y; whole subjects are permuted.
    permutations, seed : int

    Returns
    -------
    tuple of MarginalTest
        Kolmogorov 1933 and Smirnov 1948 with permutation p-values; Ramdas et al. 2017,
        doi:10.3390/e19020047, for Wasserstein-1.

    Notes
    -----
    Sides that differ in items per group break the level: see `permutation_test`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> (found,) = two_sample_tests(rng.normal(size=80), rng.normal(size=80) + 3)
    >>> found.p_value
    0.002
    """
    a, b = pair(x, y)
    pooled = np.concatenate([a, b])
    labels = list(names) if names is not None else [f"x{k}" for k in range(a.shape[1])]
    if len(labels) != a.shape[1]:
        raise UsageError(f"names: needs {a.shape[1]} names, found {len(labels)}")
    observed = np.r_[np.full(len(a), 1 / len(a)), np.full(len(b), -1 / len(b))]
    code = codes(groups, len(pooled))
    one, two = split_weights(code, (len(a), len(b)), permutations, seed)
    if not two.any(axis=1).all():
        raise UsageError(
            "groups: a permutation leaves one side empty, as one group holds most rows; "
            "give more groups"
        )
    null = one / one.sum(axis=1, keepdims=True) - two / two.sum(axis=1, keepdims=True)
    ks, w1 = ecdf_distances(pooled, np.vstack([observed, null]))
    # A tie with the observed value counts against it; rounding must not break the tie.
    p = (1 + (ks[1:] >= ks[0] - 1e-12).sum(axis=0)) / (1 + permutations)
    p_holm, p_bh = holm(p), benjamini_hochberg(p)
    spread, units = _units(a, pooled)
    return tuple(
        MarginalTest(
            name=labels[f],
            ks=float(ks[0, f]),
            p_value=float(p[f]),
            p_holm=float(p_holm[f]),
            p_bh=float(p_bh[f]),
            wasserstein=float(w1[0, f] / spread[f]),
            unit=units[f],
            total_variation=_total_variation(a[:, f], b[:, f]),
        )
        for f in range(a.shape[1])
    )


def _units(real: Values, pooled: Values) -> tuple[Values, list[str]]:
    low, high = np.percentile(real, [25, 75], axis=0)
    noise = ROUNDING * np.abs(pooled).max(axis=0)
    deviation = pooled.std(axis=0)
    by_range, by_deviation = high - low > noise, deviation > noise
    spread = np.where(by_range, high - low, np.where(by_deviation, deviation, 1.0))
    names = np.where(
        by_range, "real IQR", np.where(by_deviation, "pooled standard deviation", "none")
    )
    return spread, [str(n) for n in names]


def _total_variation(real: Values, synthetic: Values, bins: int = 10) -> float:
    """Half the summed absolute difference of the shares in the real sample's quantile bins."""
    low, high = real.min(), real.max()
    edges = np.unique(np.quantile(real, np.linspace(0, 1, bins + 1)[1:-1]))

    def shares(values: Values) -> Values:
        # Right-closed bins keep the mass of a tied value together; what lies outside the real
        # range has bins of its own, or nothing would show beside a constant real feature.
        place = np.searchsorted(edges, values, side="left") + 1
        place = np.where(values < low, 0, np.where(values > high, len(edges) + 2, place))
        return np.bincount(place, minlength=len(edges) + 3) / len(values)

    return float(np.abs(shares(real) - shares(synthetic)).sum() / 2)
