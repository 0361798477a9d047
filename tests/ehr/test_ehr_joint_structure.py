"""What a peer's default report cannot see (it skips weak pairs): every pair counts here."""

import numpy as np

from sdq_core.statistics.association import association_change, associations
from sdq_core.statistics.coding import cut, cut_points
from sdq_core.statistics.contingency import PairCounts, column_distances, pair_distances
from sdq_core.statistics.k_marginals import k_marginal_distances
from sdq_core.statistics.mixed_rows import MixedRows
from sdq_ehr.simulated_table import NUMBERS, mixed_rows, simulate_table

N = 3000


def coded(rows, points):
    bins = [cut(x, p) for x, p in zip(rows.numbers.T, points, strict=True)]
    return [*rows.categories.T, *bins]


def compared(real, other, levels):
    points = [cut_points(x) for x in real.numbers.T]
    every = [*levels, *(len(p) + 2 for p in points)]
    sides = []
    for rows in (real, other):
        counts = PairCounts(every)
        counts.update(coded(rows, points))
        sides.append(counts)
    pairs = pair_distances(*sides)[np.triu_indices(20, 1)]
    change = association_change(
        *(associations(r.numbers, r.categories, levels) for r in (real, other))
    )
    three = k_marginal_distances(coded(real, points), coded(other, points), every, most=100).mean
    return column_distances(*sides).max(), pairs.mean(), *change.mean(), three


def test_broken_dependence_is_seen_though_all_margins_are_kept():
    (real, good), levels = mixed_rows(simulate_table(N, 1), simulate_table(N, 2))
    rng = np.random.default_rng(0)
    broken = MixedRows(rng.permuted(good.numbers, axis=0), rng.permuted(good.categories, axis=0))
    # Four columns that follow the day of admission, each with the values that it had.
    tied = good.numbers.copy()
    order = np.argsort(tied[:, len(NUMBERS)])
    for name in ("systolic", "glucose", "sodium", "creatinine"):
        j = NUMBERS.index(name)
        tied[order, j] = np.sort(tied[:, j])
    invented = MixedRows(tied, good.categories)
    fresh = compared(real, good, levels)
    lost, made = compared(real, broken, levels), compared(real, invented, levels)
    assert fresh[0] == lost[0] == made[0]
    for k in (1, 2, 5):  # pairs, association, three at a time
        assert lost[k] > 1.1 * fresh[k]
        assert made[k] > 1.1 * fresh[k]
    assert lost[3] > 3 * lost[4]
    assert lost[3] > 4 * fresh[3]
    assert made[4] > 4 * fresh[4]
