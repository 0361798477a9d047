"""One measure of one comparison, with what its interval and its noise floor are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.comparison import WHOLE, Comparison, principal_components, spread
from sdq_core.measurement import Interval
from sdq_core.statistics import (
    bootstrap_weights,
    ecdf_distances,
    frechet_distance,
    gram,
    safe_scale,
    split_weights,
    weighted_discrepancy,
)
from sdq_core.statistics.arrays import rows_per_block
from sdq_core.statistics.classifier import leave_group_out_scores, mass_auc
from sdq_core.statistics.kernel_blocks import discrepancies_of_rows
from sdq_core.statistics.neighbour_lists import NeighbourLists

__all__ = [
    "NEIGHBOURS",
    "Kernel",
    "Replicates",
    "by_kernel",
    "discrepancies",
    "frechet",
    "marginals",
    "neighbours",
    "separability",
]

Values = NDArray[np.float64]
Pairs = Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]]
Kernel = Literal["rbf", "cubic", "energy"]

FARTHEST: Final = 1000.0
"""Most noise floors that a value lies away: where real parts hardly differ, more says nothing."""
NEIGHBOURS: Final = ("precision", "recall", "density", "coverage")


@dataclass(frozen=True)
class Replicates:
    """A measure, and the same of resamples and of real parts.

    Parameters
    ----------
    value : float
    draws : ndarray, shape (R,)
        Of resamples of both sides.
    null : ndarray, shape (S,)
        Of real parts against each other.
    better : {"lower", "higher"}
    lower, upper : float
        Range of the measure.
    bootstrap : bool
        Whether `draws` are bootstrap values; otherwise they are those of half samples, which
        scatter like whole ones about another mean.
    grain : float
        Smallest difference that the measure can show.
    p : float
        Of the permutation test, where there is one.
    """

    value: float
    draws: Values
    null: Values
    better: Literal["lower", "higher"]
    lower: float = -np.inf
    upper: float = np.inf
    bootstrap: bool = False
    grain: float = 1e-9
    p: float = 1.0

    def excess(self, values: Values) -> Values:
        """Return how far values lie on the bad side, in units of the floor's own tail.

        0 is the median of real against real, 1 its 97.5 % quantile (2.5 % where higher is better);
        not beyond 1,000 on either side.

        Examples
        --------
        >>> found = Replicates(3.0, np.array([3.0]), np.linspace(0, 2, 201), "lower")
        >>> found.excess(np.array([1.0, 1.95])).tolist()
        [0.0, 1.0]
        """
        sign = 1.0 if self.better == "lower" else -1.0
        centre, tail = np.quantile(sign * self.null, [0.5, 0.975])
        found = (sign * values - centre) / max(tail - centre, self.grain)
        return np.asarray(np.clip(found, -FARTHEST, FARTHEST))

    def scattered(self) -> Values:
        """Return what the value could have been: resamples about the value."""
        if self.bootstrap:
            return self.draws
        return np.asarray(self.value + self.draws - self.draws.mean())

    def interval(self) -> Interval:
        """Return the 95 % interval."""
        if not self.bootstrap:
            return spread(self.value, self.draws, self.lower, self.upper)
        low, high = np.quantile(self.draws, [0.025, 0.975])
        return Interval(
            float(min(low, self.value)), float(max(high, self.value)), "bootstrap of subjects"
        )


def discrepancies(
    comparison: Comparison, kernel: Kernel, weightings: Iterable[tuple[Values, Values]]
) -> list[Values]:
    """Return a kernel's unbiased discrepancies of many weightings, in blocks where rows are many.

    Parameters
    ----------
    comparison : Comparison
    kernel : {"rbf", "cubic", "energy"}
    weightings : iterable of (a, b)
        Each of two arrays of shape (R, N) over the rows of the comparison; asked for one by one
        where the Gram matrix fits.
    """
    if len(comparison.values) > WHOLE:
        return discrepancies_of_rows(comparison.values, kernel, weightings, comparison.groups)
    matrix = gram(comparison.values, kernel)
    return [weighted_discrepancy(matrix, *w, comparison.groups) for w in weightings]


def by_kernel(comparison: Comparison, kernel: Kernel, *, permuted: bool = False) -> Replicates:
    """Measure one kernel's unbiased discrepancy, each kernel value computed once.

    Parameters
    ----------
    comparison : Comparison
    kernel : {"rbf", "cubic", "energy"}
    permuted : bool
        Whether to test by permutation of subjects too.
    """
    weightings = [
        comparison.observed_weights,
        comparison.bootstrap_weights,
        comparison.split_weights,
        *([comparison.permutation_weights] if permuted else []),
    ]
    found = discrepancies(comparison, kernel, weightings)
    value, drawn, floor = float(found[0][0]), found[1], found[2]
    p = 1.0
    if permuted:
        p = float((1 + (found[3] >= value).sum()) / (1 + len(found[3])))
    return Replicates(
        value,
        # A resample of few subjects may hold one alone, of which there are no pairs.
        drawn[np.isfinite(drawn)],
        floor,
        "lower",
        bootstrap=True,
        p=p,
    )


def marginals(comparison: Comparison) -> Replicates:
    """Measure the mean distance of the named features' marginals.

    Wasserstein-1 distances in units of the 97.5 % quantile of each feature's real parts: at the
    sizes of subgroups the share of consistent features is too coarse.
    """

    def distances(weights: tuple[Values, Values]) -> Values:
        a, b = (w / w.sum(axis=1, keepdims=True) for w in weights)
        return ecdf_distances(comparison.values, a - b)[1]

    null = distances(comparison.split_weights)
    unit = np.maximum(np.quantile(null, 0.975, axis=0), np.finfo(np.float64).tiny)

    def mean(found: Values) -> Values:
        # Where no real part differs, any difference is beyond all bounds, and one is enough.
        return np.asarray((np.minimum(found, FARTHEST * unit) / unit).mean(axis=1))

    value = float(mean(distances(comparison.observed_weights))[0])
    halves = mean(distances(comparison.weights(comparison.halves)))
    return Replicates(value, halves, mean(null), "lower", 0.0, np.inf)


def frechet(comparison: Comparison, dimension: int) -> Replicates:
    """Measure the Frechet distance in the leading principal components of the real pool."""
    reduced = principal_components(comparison, dimension)[0]

    def each(pairs: Pairs) -> Values:
        return np.array([frechet_distance(reduced[i], reduced[j]) for i, j in pairs])

    value = float(each([(comparison.reference, comparison.synthetic)])[0])
    return Replicates(value, each(comparison.halves), each(comparison.splits), "lower", 0.0, np.inf)


def neighbours(comparison: Comparison) -> list[Replicates]:
    """Measure precision, recall, density and coverage with five nearest neighbours."""
    synthetic = np.zeros(len(comparison.values), bool)
    synthetic[comparison.synthetic] = True
    lists = NeighbourLists(comparison.values, synthetic)

    def each(pairs: Pairs) -> Values:
        return np.array([lists.prdc(i, j, k=5) for i, j in pairs])

    value = each([(comparison.reference, comparison.synthetic)])[0]
    halves, null = each(comparison.halves), each(comparison.splits)
    grain = 1 / min(comparison.sizes)
    return [
        Replicates(
            float(value[m]),
            halves[:, m],
            null[:, m],
            "higher",
            0.0,
            np.inf if measure == "density" else 1.0,
            grain=grain,
        )
        for m, measure in enumerate(NEIGHBOURS)
    ]


def separability(comparison: Comparison) -> Replicates:
    """Measure how well a linear classifier tells the sides apart: the AUC of unseen subjects.

    Two closed-form solves serve all replicates. One is of the observed rows; resamples weigh its
    scores by subject. The other is of as many real rows, labelled at random by whole subjects for
    each real part against another, so that the floor needs no fit of its own for each.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    Replicates
        The value is that of `classifier_two_sample_test` (Lopez-Paz & Oquab 2017,
        arXiv:1610.06545).
    """
    n = len(comparison.reference)
    both = np.concatenate([comparison.reference, comparison.synthetic])
    observed = np.r_[np.ones(n), -np.ones(len(both) - n)][:, None]
    scores = _held_out(comparison, both, observed)
    parts = comparison.splits[0]
    real = np.concatenate(parts)
    repeats = len(comparison.splits)
    # A subject between the parts is in neither, so that they may be smaller than the sides.
    sizes = (len(parts[0]), len(parts[1]))
    sides = split_weights(comparison.groups[real], sizes, repeats, comparison.seed + 7)
    labels = 2 * sides[0].T - 1
    null = mass_auc(_held_out(comparison, real, labels), labels > 0)
    a, b = (
        bootstrap_weights(comparison.groups[rows], repeats, comparison.seed + 8 + side)
        for side, rows in enumerate((comparison.reference, comparison.synthetic))
    )
    drawn = _wins(scores[:n, 0], scores[n:, 0], a, b) / (a.sum(axis=1) * b.sum(axis=1))
    return Replicates(
        float(mass_auc(scores, observed > 0)[0]),
        drawn,
        null,
        "lower",
        0.0,
        1.0,
        bootstrap=True,
        grain=1 / min(comparison.sizes),
    )


def _wins(one: Values, two: Values, a: Values, b: Values) -> Values:
    """Return how often side one scores higher, for each weighting of both sides; ties are half."""
    found = np.zeros(len(a))
    step = max(1, len(one)) if len(one) * len(two) <= WHOLE**2 else rows_per_block(len(two))
    for start in range(0, len(one), step):
        rows = slice(start, start + step)
        difference = one[rows, None] - two
        wins = (difference > 0) + 0.5 * (difference == 0)
        found += np.einsum("ri,ij,rj->r", a[:, rows], wins, b, optimize=True)
    return found


def _held_out(comparison: Comparison, rows: NDArray[np.intp], labels: Values) -> Values:
    """Score rows by classifiers that saw no row of their subject, for each column of labels."""
    (scaled,), _ = safe_scale(comparison.values[rows])
    return leave_group_out_scores(scaled, labels, comparison.groups[rows])
