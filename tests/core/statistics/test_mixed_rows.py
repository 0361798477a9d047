"""Nearest mixed rows, surprisal, densities and tails against brute force and other packages."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import cdist
from scipy.special import logsumexp
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from sdq_core.errors import UsageError
from sdq_core.statistics.density_ratio import (
    density_coordinates,
    log_density,
    log_density_ratio,
)
from sdq_core.statistics.mixed_rows import (
    MixedRows,
    MixedSpace,
    mixed_distances,
    rarity_gains,
)
from sdq_core.statistics.nearest_mixed import nearest_rows
from sdq_core.statistics.surprisal import CAP, AgreementSpace
from sdq_core.statistics.tail_excess import (
    paired_excess,
    tail_excess,
)

LEVELS = (2, 5, 14, 200)


def rows(n, seed, missing=0.2):
    rng = np.random.default_rng(seed)
    x = np.round(rng.normal(size=(n, 4)), 1)
    x[rng.random(n) < missing, 2] = np.nan
    codes = [np.minimum((v * rng.random(n) ** 2).astype(int), v - 1) for v in LEVELS]
    return MixedRows(x, np.stack(codes, 1))


def every_pair(a, b, function):
    return np.stack([function(a, b.take(np.full(len(a), j))) for j in range(len(b))], 1)


def by_loop(a, b, gains=None):
    """Squared distance of two encoded rows, in plain words."""
    total = 0.0
    for x, y in zip(a.numbers[0], b.numbers[0], strict=True):
        if np.isnan(x) or np.isnan(y):
            total += float(np.isnan(x) != np.isnan(y))
        else:
            total += (x - y) ** 2
    for j, (c, d) in enumerate(zip(a.categories[0], b.categories[0], strict=True)):
        total += 1 - (c == d) * (1 if gains is None else gains[j][c])
    return np.sqrt(total)


def test_distances_are_those_of_a_loop():
    a, b = rows(30, 1), rows(30, 2)
    gains = rarity_gains(b.categories, LEVELS)
    for given_gains in (None, gains):
        found = mixed_distances(a, b, given_gains)
        for i in range(30):
            one, two = a.take(np.array([i])), b.take(np.array([i]))
            assert found[i] == pytest.approx(by_loop(one, two, given_gains), abs=1e-12)


@pytest.mark.parametrize(("n", "m"), [(1, 1), (3, 2), (40, 17), (700, 1200), (20, 9000)])
@pytest.mark.parametrize("rarity", [False, True])
def test_nearest_rows_are_those_of_all_pairs(n, m, rarity):
    real, query = rows(m, 1), rows(n, 2)
    space = MixedSpace(real, LEVELS)
    a, b = space.encode(query), space.encode(real)
    gains = rarity_gains(real.categories, LEVELS) if rarity else None
    k = min(3, m)
    distances, indices = nearest_rows(a, b, k, gains=gains)
    every = every_pair(b, a, lambda x, y: mixed_distances(y, x, gains)).T
    order = np.argsort(every, axis=1, kind="stable")[:, :k]
    np.testing.assert_array_equal(indices, order)
    np.testing.assert_array_equal(distances, np.take_along_axis(every, order, 1))


def test_numbers_alone_are_sklearns_euclidean_neighbours():
    rng = np.random.default_rng(0)
    a, b = rng.random((300, 6)), rng.random((2000, 6))
    none = [np.empty((len(v), 0), int) for v in (a, b)]
    distances, indices = nearest_rows(MixedRows(a, none[0]), MixedRows(b, none[1]), 2)
    model = NearestNeighbors(n_neighbors=2, algorithm="brute").fit(b)
    expected, where = model.kneighbors(a)
    np.testing.assert_array_equal(indices, where)
    np.testing.assert_allclose(distances, expected, atol=1e-12)


def test_rows_of_which_many_are_equal_cost_no_more_and_give_the_first():
    rng = np.random.default_rng(0)
    few = MixedRows(rng.integers(0, 2, (20_000, 1)).astype(float), rng.integers(0, 2, (20_000, 1)))
    distances, indices = nearest_rows(few, few, 2)
    assert not distances.any()
    space = AgreementSpace(few, [2])
    agreed = space.nearest(few, few, 2)
    code = (2 * few.numbers[:, 0] + few.categories[:, 0]).astype(int)
    for c in range(4):
        first = np.flatnonzero(code == c)[:2]
        assert (indices[code == c] == first).all()
        assert (agreed.indices[code == c] == first).all()
    own = np.arange(len(code))
    distances, indices = nearest_rows(few, few, 1, groups=(own, own))
    assert not distances.any()
    assert (indices[:, 0] != own).all()


@given(st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_groups_are_left_out_and_names_do_not_matter(seed):
    rng = np.random.default_rng(seed)
    real = rows(40, seed)
    group = rng.integers(0, 6, 40)
    space = MixedSpace(real, LEVELS)
    encoded = space.encode(real)
    distances, indices = nearest_rows(encoded, encoded, 2, groups=(group, group))
    every = every_pair(encoded, encoded, mixed_distances)
    every[group[:, None] == group] = np.inf
    np.testing.assert_array_equal(distances, np.sort(every, axis=1)[:, :2])
    known = indices >= 0
    assert (group[indices][known] != np.broadcast_to(group[:, None], known.shape)[known]).all()
    # Other units of numbers and other names of levels: the same distances.
    names = [rng.permutation(v) for v in LEVELS]
    other = MixedRows(
        np.exp(real.numbers),
        np.stack([n[c] for n, c in zip(names, real.categories.T, strict=True)], 1),
    )
    encoded = MixedSpace(other, LEVELS).encode(other)
    again, _ = nearest_rows(encoded, encoded, 2, groups=(group, group))
    np.testing.assert_allclose(again, distances, atol=1e-12)


def test_all_of_one_group_leaves_nobody():
    encoded = MixedSpace(rows(5, 0), LEVELS).encode(rows(5, 0))
    distances, indices = nearest_rows(encoded, encoded, 2, groups=(np.zeros(5), np.zeros(5)))
    assert np.isinf(distances).all()
    assert (indices == -1).all()


def test_bad_rows_are_refused():
    with pytest.raises(UsageError, match="finite or missing"):
        MixedRows(np.array([[np.inf]]), np.zeros((1, 1), int))
    with pytest.raises(UsageError, match="outside"):
        MixedSpace(rows(5, 0), (2, 5, 14, 2)).encode(rows(50, 0))
    with pytest.raises(UsageError, match="k:"):
        nearest_rows(rows(5, 0), rows(5, 1), 6)


# --- surprisal ------------------------------------------------------------------------------------


def test_surprisal_of_categories_is_minus_the_log_of_frequency():
    pool = rows(500, 1)
    space = AgreementSpace(MixedRows(np.empty((500, 0)), pool.categories), LEVELS)
    a, b = (MixedRows(np.empty((60, 0)), rows(60, s).categories) for s in (2, 3))
    expected = np.zeros(60)
    for j in range(4):
        code = a.categories[:, j]
        count = (pool.categories[:, j] == code[:, None]).sum(1)
        agree = code == b.categories[:, j]
        expected -= np.where(agree, np.log((count + 0.5) / 500.5), 0)
    np.testing.assert_allclose(space.surprisal(a, b), expected, atol=1e-12)


def test_surprisal_of_a_number_is_near_the_share_of_the_pool_that_agrees_as_well():
    rng = np.random.default_rng(0)
    pool = rng.normal(size=4000)
    space = AgreementSpace(MixedRows(pool[:, None], np.empty((4000, 0), int)), [])
    x, y = rng.normal(size=200), rng.normal(size=200)
    found = space.surprisal(*(MixedRows(v[:, None], np.empty((200, 0), int)) for v in (x, y)))
    rank = [stats.percentileofscore(pool, v) / 100 for v in (x, y)]
    share = np.maximum(
        *(
            [
                (np.abs(stats.rankdata(pool) / 4000 - r) <= g).mean()
                for r, g in zip(side, np.abs(rank[0] - rank[1]), strict=True)
            ]
            for side in rank
        )
    )
    wide = share > 0.1
    np.testing.assert_allclose(found[wide], -np.log(share[wide]), atol=0.2)
    assert (found >= 0).all()
    assert (found <= CAP).all()


@pytest.mark.parametrize(("n", "m"), [(3, 2), (520, 600)])
def test_most_surprising_rows_are_those_of_all_pairs(n, m):
    pool, query = rows(m, 1), rows(n, 2)
    space = AgreementSpace(pool, LEVELS)
    found = space.nearest(query, pool, 2)
    every = every_pair(pool, query, lambda x, y: space.surprisal(y, x)).T
    order = np.argsort(-every, axis=1, kind="stable")[:, :2]
    np.testing.assert_array_equal(found.indices, order)
    np.testing.assert_array_equal(found.surprisal, np.take_along_axis(every, order, 1))
    assert (found.best == found.surprisal[:, 0]).all()


def test_surprisal_is_symmetric_and_a_column_that_differs_costs_nothing():
    pool = rows(400, 1)
    space = AgreementSpace(pool, LEVELS)
    a, b = rows(100, 2), rows(100, 3)
    np.testing.assert_allclose(space.surprisal(a, b), space.surprisal(b, a))
    half = MixedRows(a.numbers, np.where(np.arange(4) < 2, a.categories, 1 - a.categories % 2))
    assert (space.surprisal(a, half) <= space.surprisal(a, a)).all()
    assert (space.surprisal(a, b) >= 0).all()


# --- densities ------------------------------------------------------------------------------------


def test_density_is_a_sum_of_kernels():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 7)) * 2, rng.normal(size=(300, 7))
    h = 300 ** (-1 / 11)
    kernels = -cdist(x, y, "sqeuclidean") / (2 * h**2)
    expected = logsumexp(kernels, axis=1) - np.log(300 * (h * np.sqrt(2 * np.pi)) ** 7)
    np.testing.assert_allclose(log_density(x, y), expected, atol=1e-4, rtol=1e-5)
    np.testing.assert_allclose(
        log_density_ratio(x, y, y[:150]) + log_density_ratio(x, y[:150], y), 0, atol=1e-9
    )


def test_density_ratio_sees_exact_copies():
    train, holdout, other = (rows(300, s) for s in (1, 2, 3))
    points = [density_coordinates(other, r, LEVELS) for r in (train, holdout, other)]
    synthetic = np.concatenate([points[0][:150], points[2][:150]])
    scores = [log_density_ratio(p, synthetic, points[2]) for p in points[:2]]
    auc = roc_auc_score(np.repeat([1, 0], [150, 300]), np.r_[scores[0][:150], scores[1]])
    assert auc > 0.8


# --- tails ----------------------------------------------------------------------------------------


def test_the_paired_test_is_the_exact_binomial_test():
    train, holdout = np.arange(50) < 14, np.arange(50) > 44
    for sizes, chance in (((1, 1), 0.5), ((300, 100), 0.75)):
        found = paired_excess(train, holdout, sizes)
        expected = stats.binomtest(14, 19, chance, alternative="greater")
        assert found.p_value == pytest.approx(expected.pvalue, abs=1e-12)
        least = stats.binomtest(14, 19, chance).proportion_ci(0.95, "exact").low
        odds = chance / (1 - chance)
        assert found.interval.low == pytest.approx(19 / 50 * (least - (1 - least) * odds))
        assert found.share == pytest.approx((14 - 5 * odds) / 50)


@given(st.integers(0, 500), st.floats(0.005, 0.2))
@settings(max_examples=30, deadline=None)
def test_laws_of_tails(seed, tail):
    rng = np.random.default_rng(seed)
    one, two = rng.normal(size=(2, 300)).round(1)
    found, swapped = tail_excess(one, two, tail=tail), tail_excess(two, one, tail=tail)
    assert found.share == pytest.approx(-swapped.share)
    assert found.train_only == swapped.holdout_only
    assert found.interval.low <= found.share <= found.interval.high
    order = rng.permutation(300)
    again = tail_excess(np.exp(one[order]), np.exp(two[order]), tail=tail)
    assert (again.share, again.p_value) == (found.share, found.p_value)
    assert tail_excess(one, one, tail=tail).p_value == 1.0


def test_tail_tests_hold_their_level():
    rng = np.random.default_rng(0)
    rejected = [
        tail_excess(*rng.normal(size=(2, 500)), tail=0.02).p_value <= 0.05 for _ in range(400)
    ]
    assert np.mean(rejected) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 400)
