"""Counts, k-marginals and associations of coded tables against independent implementations."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import contingency as scipy_contingency

from sdq_core.errors import UsageError
from sdq_core.statistics.association import (
    association_change,
    associations,
    correlation_ratio,
    cramers_v,
    weighted_ranks,
)
from sdq_core.statistics.coding import cut, cut_points, ks_distance, mid_ranks
from sdq_core.statistics.contingency import (
    PairCounts,
    column_distances,
    cover_pairs,
    pair_distances,
)
from sdq_core.statistics.k_marginals import k_marginal_distances
from sdq_core.statistics.resampled_pairs import resampled_pair_distances

LEVELS = (2, 3, 1, 7, 40, 5)


def table(n, seed, levels=LEVELS):
    rng = np.random.default_rng(seed)
    hidden = rng.random(n)
    return np.stack(
        [np.minimum((hidden * rng.random(n) ** 0.3 * v).astype(int), v - 1) for v in levels], 1
    )


def counted(codes, levels=LEVELS, weights=None):
    counts = PairCounts(levels)
    counts.update(codes, weights)
    return counts


@st.composite
def tables(draw):
    levels = tuple(draw(st.lists(st.integers(1, 6), min_size=2, max_size=5)))
    seeds = draw(st.tuples(st.integers(0, 99), st.integers(100, 199)))
    sizes = draw(st.tuples(st.integers(1, 40), st.integers(1, 40)))
    return levels, table(sizes[0], seeds[0], levels), table(sizes[1], seeds[1], levels)


def by_loop(a, b, columns):
    cells = {tuple(r) for r in a[:, columns]} | {tuple(r) for r in b[:, columns]}
    share = [
        {c: np.mean([(tuple(r) == c) for r in side[:, columns]]) for c in cells} for side in (a, b)
    ]
    return 0.5 * sum(abs(share[0][c] - share[1][c]) for c in cells)


# --- counts ---------------------------------------------------------------------------------------


def test_every_pair_is_counted_as_by_scipy():
    codes = table(500, 1)
    counts = counted(codes)
    for i, j in combinations(range(len(LEVELS)), 2):
        found = scipy_contingency.crosstab(
            codes[:, i], codes[:, j], levels=(range(LEVELS[i]), range(LEVELS[j]))
        ).count
        np.testing.assert_array_equal(counts.pair(i, j), found)
        np.testing.assert_array_equal(counts.pair(j, i), found.T)
    np.testing.assert_array_equal(counts.column(3), np.bincount(codes[:, 3], minlength=7))


def test_codes_of_very_many_levels_are_counted_too():
    rng = np.random.default_rng(0)
    levels = (100_000, 90_000, 4)
    a, b = (np.stack([rng.integers(0, v, 300) // 400 for v in levels], 1) for _ in range(2))
    one, two = counted(a, levels), counted(b, levels)
    distances = pair_distances(one, two)
    for i, j in combinations(range(3), 2):
        assert distances[i, j] == pytest.approx(by_loop(a, b, [i, j]), abs=1e-12)
    keys, count = one.cells(1, 0)
    expected, times = np.unique(a[:, 1] * levels[0] + a[:, 0], return_counts=True)
    np.testing.assert_array_equal(keys[count > 0], expected)
    np.testing.assert_array_equal(count[count > 0], times)


@given(tables())
@settings(max_examples=40, deadline=None)
def test_distances_of_columns_and_pairs_are_those_of_a_loop(case):
    levels, a, b = case
    found = pair_distances(counted(a, levels), counted(b, levels))
    for i in range(len(levels)):
        assert found[i, i] == pytest.approx(by_loop(a, b, [i]), abs=1e-12)
        for j in range(i):
            assert found[i, j] == found[j, i] == pytest.approx(by_loop(a, b, [i, j]), abs=1e-12)
            assert found[i, j] >= max(found[i, i], found[j, j]) - 1e-12


@given(tables(), st.integers(0, 9))
@settings(max_examples=40, deadline=None)
def test_laws_of_pair_distances(case, seed):
    levels, a, b = case
    rng = np.random.default_rng(seed)
    one, two = counted(a, levels), counted(b, levels)
    found = pair_distances(one, two)
    np.testing.assert_array_equal(found, pair_distances(two, one))
    assert not pair_distances(one, counted(a[::-1], levels)).any()
    # Other rows' order and other names for the levels change nothing.
    names = [rng.permutation(v) for v in levels]
    renamed = [np.stack([n[c] for n, c in zip(names, s.T, strict=True)], 1) for s in (a, b)]
    again = pair_distances(
        counted(rng.permutation(renamed[0]), levels), counted(renamed[1], levels)
    )
    np.testing.assert_allclose(found, again, atol=1e-12)


@given(tables(), st.integers(0, 9))
@settings(max_examples=30, deadline=None)
def test_blocks_merge_in_any_order_and_weights_are_repeats(case, seed):
    levels, a, b = case
    whole = counted(np.concatenate([a, b]), levels)
    one, two = counted(a, levels), counted(b, levels)
    repeats = np.random.default_rng(seed).integers(0, 3, len(a))
    repeats[0] = 1
    for merged in (one.merge(two), two.merge(one)):
        assert merged.total == whole.total
        assert not pair_distances(merged, whole).any()
    weighted, repeated = counted(a, levels, repeats), counted(np.repeat(a, repeats, 0), levels)
    np.testing.assert_allclose(pair_distances(weighted, repeated), 0, atol=1e-12)


def test_the_cover_holds_every_pair_in_few_passes():
    levels = (2, 6, 4, 5, 12, 301, 300, 2, *[11] * 12)
    sets = cover_pairs(levels)
    held = {pair for group in sets for pair in combinations(group, 2)}
    assert held == set(combinations(range(20), 2))
    assert len(sets) < 80


def test_resampled_distances_are_those_of_each_weighting():
    a, b = table(80, 1), table(60, 2)
    rng = np.random.default_rng(3)
    w, v = rng.poisson(1, (4, 80)), rng.poisson(1, (4, 60))
    found = resampled_pair_distances(a, b, LEVELS, w, v)
    for r in range(4):
        expected = pair_distances(counted(a, weights=w[r]), counted(b, weights=v[r]))
        np.testing.assert_allclose(found[r], expected, atol=1e-6)


@pytest.mark.parametrize(
    "codes",
    [np.zeros((3, 5), int), np.full((3, 6), 2), np.full((3, 6), -1), np.zeros((3, 6))],
)
def test_bad_codes_are_refused_without_a_value_in_the_message(codes):
    with pytest.raises(UsageError, match="codes"):
        counted(codes)


def test_too_many_columns_are_refused_before_anything_is_allocated():
    with pytest.raises(UsageError, match="fewer columns"):
        PairCounts([11] * 10_000)
    many = PairCounts([3] * 400)
    many.update(np.ones((2, 400), int))
    assert many.pair(399, 0)[1, 1] == 2


def test_nothing_counted_is_refused():
    with pytest.raises(UsageError, match="at least one row"):
        column_distances(PairCounts([2]), PairCounts([2]))


# --- three at a time ------------------------------------------------------------------------------


def test_k_marginals_are_those_of_a_loop_and_drawn_by_seed():
    a, b = table(60, 1), table(50, 2)
    found = k_marginal_distances(a, b, LEVELS)
    assert found.subsets == tuple(combinations(range(6), 3))
    for subset, distance in zip(found.subsets, found.distances, strict=True):
        assert distance == pytest.approx(by_loop(a, b, list(subset)), abs=1e-12)
    some = k_marginal_distances(a, b, LEVELS, most=7, seed=1)
    assert len(set(some.subsets)) == 7
    assert some.possible == 20
    assert some.subsets == k_marginal_distances(a, b, LEVELS, most=7, seed=1).subsets
    assert some.subsets != k_marginal_distances(a, b, LEVELS, most=7, seed=2).subsets
    pairs = k_marginal_distances(a, b, LEVELS, k=2)
    matrix = pair_distances(counted(a), counted(b))
    np.testing.assert_allclose(pairs.distances, [matrix[s] for s in pairs.subsets])


def test_k_marginals_of_large_dictionaries_and_of_weighted_rows():
    a, b = table(40, 1) * 1000, table(30, 2) * 1000
    levels = [1000 * v for v in LEVELS]
    expected = k_marginal_distances(a // 1000, b // 1000, LEVELS)
    np.testing.assert_allclose(k_marginal_distances(a, b, levels).distances, expected.distances)
    times = np.arange(40) % 3
    weighted = k_marginal_distances(a, b, levels, weights=(times, None))
    repeated = k_marginal_distances(np.repeat(a, times, 0), b, levels)
    np.testing.assert_allclose(weighted.distances, repeated.distances)


# --- association ----------------------------------------------------------------------------------


def bergsma(counts):
    """By the formulas of the paper's abstract, from scipy's chi-square."""
    n, (r, c) = counts.sum(), counts.shape
    phi = stats.chi2_contingency(counts, correction=False).statistic / n
    phi = max(0, phi - (r - 1) * (c - 1) / (n - 1))
    r, c = r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)
    return np.sqrt(phi / min(r - 1, c - 1))


def test_cramers_v_is_bergsmas_and_near_scipys_in_large_samples():
    rng = np.random.default_rng(0)
    for shape in ((2, 2), (3, 5), (6, 4)):
        counts = rng.integers(1, 50, shape)
        assert cramers_v(counts) == pytest.approx(bergsma(counts), abs=1e-12)
        large = scipy_contingency.association(counts * 10_000, "cramer")
        assert cramers_v(counts * 10_000) == pytest.approx(large, abs=1e-3)
    assert cramers_v([[3, 4]]) is None


def test_independent_columns_of_many_codes_have_no_association():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 300, (2000, 2))
    raw = scipy_contingency.association(
        scipy_contingency.crosstab(codes[:, 0], codes[:, 1]).count, "cramer"
    )
    found = associations(np.empty((2000, 0)), codes, [300, 300]).values[0, 1]
    assert raw > 0.35
    assert found < 0.08


def test_associations_are_scipys_spearman_and_epsilon_squared():
    rng = np.random.default_rng(1)
    n = 400
    code = rng.integers(0, 4, n)
    x = np.round(rng.normal(size=(n, 3)) + code[:, None] * [0.0, 0.5, 1.0], 1)
    found = associations(x, code[:, None], [4])
    np.testing.assert_allclose(found.values[:3, :3], stats.spearmanr(x).statistic, atol=1e-12)
    for j in range(3):
        ranks = stats.rankdata(x[:, j])
        f = stats.f_oneway(*(ranks[code == c] for c in range(4))).statistic
        share = f * 3 / (f * 3 + n - 4)
        epsilon = np.sqrt(max(0, 1 - (1 - share) * (n - 1) / (n - 4)))
        assert found.values[j, 3] == pytest.approx(epsilon, abs=1e-12)
        assert correlation_ratio(ranks, code) == pytest.approx(epsilon, abs=1e-12)


def test_missing_numbers_and_weights():
    rng = np.random.default_rng(2)
    n = 120
    x = rng.normal(size=(n, 2))
    x[:, 1] += x[:, 0]
    x[rng.random(n) < 0.3, 0] = np.nan
    code = rng.integers(0, 3, (n, 2))
    both = ~np.isnan(x[:, 0])
    ranks = [weighted_ranks(c) for c in x.T]
    found = associations(x, code, [3, 3])
    assert found.values[0, 1] == pytest.approx(
        np.corrcoef(ranks[0][both], ranks[1][both])[0, 1], abs=1e-12
    )
    times = rng.integers(0, 3, n)
    weighted = associations(x, code, [3, 3], times)
    repeated = associations(np.repeat(x, times, 0), np.repeat(code, times, 0), [3, 3])
    np.testing.assert_allclose(weighted.values, repeated.values, atol=1e-9)


@given(st.integers(0, 30))
@settings(max_examples=15, deadline=None)
def test_laws_of_associations(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(60, 2))
    code = np.stack([rng.integers(0, 3, 60), (x[:, 0] > 0).astype(int)], 1)
    found = associations(x, code, [3, 2])
    order = rng.permutation(60)
    names = rng.permutation(3)
    again = associations(
        np.exp(x[order]), np.stack([names[code[order, 0]], 1 - code[order, 1]], 1), [3, 2]
    )
    np.testing.assert_allclose(found.values, again.values, atol=1e-9)
    np.testing.assert_array_equal(found.values, found.values.T)
    assert (np.abs(found.values) <= 1).all()
    assert found.known.all()


def test_constant_columns_have_no_association_and_say_so():
    x = np.stack([np.arange(20.0), np.full(20, 3.0), np.full(20, np.nan)], 1)
    found = associations(x, np.zeros((20, 1), int), [2])
    assert not found.values[0, 1:].any()
    assert not found.known[0, 1:].any()
    assert found.known[0, 0]
    assert np.isfinite(found.values).all()


def test_lost_and_invented_dependence_are_told_apart():
    rng = np.random.default_rng(0)
    n = 3000
    a = rng.normal(size=(n, 4))
    real, fake = a.copy(), a.copy()
    real[:, 1] += 2 * real[:, 0]
    fake[:, 3] += 2 * fake[:, 2]
    none = np.empty((n, 0), int)
    change = association_change(associations(real, none, []), associations(fake, none, []))
    assert change.lost[0, 1] > 0.8
    assert change.invented[0, 1] < 0.1
    assert change.invented[2, 3] > 0.8
    assert change.lost[2, 3] < 0.1
    mean, lost, invented = change.mean()
    assert mean == pytest.approx(lost + invented)
    turned = fake.copy()
    turned[:, 3] *= -1
    flip = association_change(associations(fake, none, []), associations(turned, none, []))
    both = associations(fake, none, []).values[2, 3]
    assert flip.difference[2, 3] == pytest.approx(2 * both, abs=1e-9)


# --- coding ---------------------------------------------------------------------------------------


def test_cut_agrees_with_searchsorted_and_puts_missing_last():
    rng = np.random.default_rng(0)
    for bins in (10, 200):
        x = rng.normal(size=2000)
        x[::7] = np.nan
        points = cut_points(x, bins)
        found = cut(x, points)
        expected = np.searchsorted(points, x, side="right")
        expected[np.isnan(x)] = len(points) + 1
        np.testing.assert_array_equal(found, expected)
        shares = np.bincount(found)[:-1] / (~np.isnan(x)).sum()
        np.testing.assert_allclose(shares, 1 / bins, atol=2e-3)
    assert len(cut_points(np.full(5, np.nan))) == 0
    assert cut([1.0, np.nan], []).tolist() == [0, 1]
    assert len(cut_points(np.zeros(10))) == 1


def test_mid_ranks_agree_with_scipy():
    x = np.random.default_rng(0).integers(0, 9, 50).astype(float)
    np.testing.assert_allclose(mid_ranks(x, x), (stats.rankdata(x) - 0.5) / 50)


@given(st.integers(0, 300))
@settings(max_examples=40, deadline=None)
def test_ks_is_that_of_a_loop(seed):
    rng = np.random.default_rng(seed)
    x, y = (np.round(rng.normal(size=rng.integers(1, 40)), seed % 3) for _ in range(2))
    pooled = np.concatenate([x, y])
    expected = max(abs((x <= v).mean() - (y <= v).mean()) for v in pooled)
    assert ks_distance(np.append(x, np.nan), y) == pytest.approx(expected, abs=1e-12)
    assert ks_distance(x, y) == pytest.approx(ks_distance(y, x), abs=1e-12)
