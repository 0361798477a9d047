"""Ties, copies, constants, extremes and too few groups: where a number is easily wrong."""

import subprocess
import sys

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import Ridge

import sdq_core.statistics as st
from sdq_core.errors import UsageError
from sdq_core.statistics.classifier import leave_group_out_scores


def normal(n, d, seed, shift=0.0):
    return np.random.default_rng(seed).normal(size=(n, d)) + shift


def test_importing_the_statistics_stays_light():
    code = (
        "import sys, sdq_core.statistics\n"
        "heavy = {'scipy', 'sklearn', 'torch', 'pandas', 'threadpoolctl'}\n"
        "sys.exit(str(sorted(heavy & set(sys.modules))) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_single_thread_blas_is_in_force_only_inside():
    from threadpoolctl import threadpool_info

    def threads():
        return [p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"]

    before = threads()
    with st.single_thread_blas():
        assert set(threads()) == {1}
    assert threads() == before


# --- neighbours -----------------------------------------------------------------------------------


def test_the_lowest_index_wins_among_any_number_of_ties():
    # Integer coordinates: many rows are equal, and many differ but are equally far.
    rng = np.random.default_rng(0)
    q, r = rng.integers(-2, 3, size=(200, 3)) * 1.0, rng.integers(-2, 3, size=(3000, 3)) * 1.0
    d = ((q[:, None] - r) ** 2).sum(axis=2)
    distance, index = st.nearest_neighbours(q, r, 5)
    assert (index == np.argsort(d, axis=1, kind="stable")[:, :5]).all()
    assert (distance == np.sqrt(np.sort(d, axis=1)[:, :5])).all()


def test_copies_have_distance_zero_at_any_offset():
    r = np.random.default_rng(0).normal(size=(400, 8)) + 1e7
    distance, index = st.nearest_neighbours(r[::-1], r)
    assert (distance == 0).all()
    assert index[:, 0].tolist() == list(range(399, -1, -1))


def test_distances_between_overlapping_parts_of_one_array_have_no_zero_diagonal():
    z = normal(20, 3, 0)
    found = st.squared_distances(z[:-1], z[1:])
    assert found == pytest.approx(((z[:-1, None] - z[None, 1:]) ** 2).sum(axis=2), abs=1e-9)
    assert (np.diag(st.squared_distances(z, z)) == 0).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_prdc_with_repeated_real_rows_equals_the_reference_package(dtype, capsys):
    from prdc import compute_prdc

    x = np.repeat(normal(12, 4, 0), 7, axis=0).astype(dtype)  # radius 0: holds nothing
    y = np.vstack([x[::3], normal(30, 4, 1)]).astype(dtype)
    expected = compute_prdc(x, y, nearest_k=5)
    capsys.readouterr()
    found = st.precision_recall_density_coverage(x, y, 5)
    # Distances of 0 come out as rounding in the package's float32: only the exact case compares.
    if dtype is np.float64:
        for name, value in expected.items():
            assert getattr(found, name) == pytest.approx(value, abs=1e-6)
    assert found.precision == found.density == found.coverage == 0.0


# --- kernels --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", ["rbf", "cubic", "linear", lambda a, b: (a @ b.T) ** 2])
def test_the_blocked_discrepancy_equals_the_one_from_a_gram_matrix(kernel, monkeypatch):
    from sdq_core.statistics import arrays

    x, y = normal(40, 3, 0), normal(31, 3, 1, shift=0.4)
    gx, gy = np.arange(40) // 3, np.arange(31) // 2
    groups = np.r_[gx, gy + 100]
    side = np.r_[np.ones(40), np.zeros(31)]
    expected = st.weighted_discrepancy(st.gram(np.vstack([x, y]), kernel), side, 1 - side, groups)[
        0
    ]
    monkeypatch.setattr(arrays, "BLOCK", 200)  # several blocks, the last one short
    found = st.maximum_mean_discrepancy(x, y, kernel=kernel, groups_x=gx, groups_y=gy)
    assert found == pytest.approx(expected, rel=1e-9)


def test_weightings_are_read_up_to_scale_and_in_blocks(monkeypatch):
    from sdq_core.statistics import arrays

    z, groups = normal(30, 2, 0), np.arange(30) // 2
    k = st.gram(z)
    a, b = st.split_weights(groups, (14, 14), 7, seed=0)
    expected = st.weighted_discrepancy(k, a, b, groups)
    assert np.isfinite(expected).all()
    monkeypatch.setattr(arrays, "BLOCK", 60)
    assert st.weighted_discrepancy(k, a / 28, 3 * b, groups) == pytest.approx(expected, rel=1e-9)


def test_a_weighting_with_one_group_on_a_side_is_marked():
    k = st.gram(normal(6, 2, 0))
    groups = [0, 0, 0, 1, 2, 3]
    a = [[1, 1, 1, 0, 0, 0], [1, 0, 0, 1, 0, 0]]
    b = [[0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 1, 1]]
    assert np.isnan(st.weighted_discrepancy(k, a, b, groups)).tolist() == [True, False]


# --- classifier -----------------------------------------------------------------------------------


@pytest.mark.parametrize("per_group", [1, 2])
def test_left_out_scores_equal_refits_with_more_columns_than_rows(per_group):
    z = normal(16, 40, 0)
    groups = np.arange(16) // per_group
    y = np.where(np.arange(16) < 8, 1.0, -1.0)
    found = leave_group_out_scores(z, y[:, None], groups, alpha=3.0)[:, 0]
    for g in np.unique(groups):
        rest = groups != g
        model = Ridge(alpha=3.0, fit_intercept=False).fit(z[rest], y[rest])
        assert found[~rest] == pytest.approx(model.predict(z[~rest]), abs=1e-9)


def test_nothing_that_varies_is_no_difference():
    found = st.classifier_two_sample_test(np.ones((9, 2)), np.ones((8, 2)), permutations=19)
    assert (found.auc, found.p_value) == (0.5, 1.0)


# --- marginals ------------------------------------------------------------------------------------


def test_values_outside_a_constant_real_feature_are_seen_on_both_sides():
    for other in (0.0, 2.0):
        (found,) = st.two_sample_tests(np.ones(20), np.r_[np.ones(15), np.full(5, other)])
        assert found.total_variation == pytest.approx(0.25)


def test_total_variation_of_disjoint_and_of_equal_samples():
    x = normal(100, 1, 0)
    assert st.two_sample_tests(x, x + 100)[0].total_variation == pytest.approx(1.0)
    assert st.two_sample_tests(x, x)[0].total_variation == 0.0


def test_rounding_of_a_constant_real_feature_is_no_unit():
    real = 0.1 + np.array([0.0, 1e-17, 2e-17] * 10) + np.arange(30) * 1e-18
    (found,) = st.two_sample_tests(real, np.r_[np.full(29, 0.1), 0.2])
    assert found.unit == "pooled standard deviation"
    assert found.wasserstein < 1


# --- diversity ------------------------------------------------------------------------------------


def test_rows_of_zeros_are_one_more_mode():
    x = np.vstack([np.eye(3), np.eye(3), np.zeros((2, 3))])
    assert st.vendi_score(x) == pytest.approx(4.0)
    assert st.vendi_score(np.zeros((5, 3))) == pytest.approx(1.0)
    assert st.vendi_score(np.eye(3) * 1e-200) == pytest.approx(3.0)


# --- attacks --------------------------------------------------------------------------------------


def test_no_hit_among_few_subjects_is_no_certainty():
    groups = np.repeat(np.arange(20), 5)
    found = st.attack_curve(np.zeros(100), np.arange(200.0) + 1, groups_member=groups)
    assert found.tpr[0.01] == 0.0
    expected = stats.binomtest(0, 20).proportion_ci(method="exact")
    assert found.tpr_intervals[0.01].high == pytest.approx(expected.high)
    assert found.auc == 0.0
    assert found.auc_interval.high == pytest.approx(expected.high)


def test_groups_of_one_give_nearly_the_interval_without_groups():
    rng = np.random.default_rng(0)
    member, other = rng.normal(size=300) + 0.5, rng.normal(size=400)
    plain = st.attack_curve(member, other).tpr_intervals[0.01]
    single = st.attack_curve(member, other, groups_member=np.arange(300)).tpr_intervals[0.01]
    assert (single.low, single.high) == pytest.approx((plain.low, plain.high), rel=0.01)


def test_a_subject_whose_items_all_agree_counts_once():
    rng = np.random.default_rng(0)
    member, other = rng.normal(size=40) + 1, rng.normal(size=200)
    single = st.attack_curve(member, other, groups_member=np.arange(40))
    repeated = st.attack_curve(
        np.repeat(member, 6), other, groups_member=np.repeat(np.arange(40), 6)
    )
    for rate in (0.01, 0.001):
        one, six = single.tpr_intervals[rate], repeated.tpr_intervals[rate]
        assert (six.low, six.high) == pytest.approx((one.low, one.high), rel=0.06)


def test_hit_rates_of_clustered_members_are_covered():
    # One in fifty is a hit, five items a subject that mostly agree.
    cut, hits, runs = stats.norm.ppf(0.98), 0, 150
    other = np.r_[np.full(98, -9.0), np.full(2, cut)]  # the threshold lies at the cut
    groups = np.repeat(np.arange(60), 5)
    for run in range(runs):
        rng = np.random.default_rng(run)
        member = rng.normal(size=60)[groups] * 0.9 + rng.normal(size=300) * np.sqrt(1 - 0.81)
        found = st.attack_curve(member, other, groups_member=groups).tpr_intervals[0.01]
        hits += found.low <= 0.02 <= found.high
    assert hits >= 0.9 * runs


def test_the_grouped_auc_interval_equals_the_bootstrap_over_all_pairs():
    rng = np.random.default_rng(0)
    member, other = rng.integers(0, 9, 60) + 1.0, rng.integers(0, 9, 50) * 1.0
    gm, go = np.arange(60) // 3, np.arange(50) // 2
    a, b = st.bootstrap_weights(gm, 999, 4), st.bootstrap_weights(go, 999, 5)
    wins = (member[:, None] > other) + 0.5 * (member[:, None] == other)
    draws = ((a @ wins) * b).sum(axis=1) / (a.sum(axis=1) * b.sum(axis=1))
    found = st.attack_curve(member, other, groups_member=gm, groups_nonmember=go, seed=4)
    interval = found.auc_interval
    assert (interval.low, interval.high) == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])))


# --- resampling -----------------------------------------------------------------------------------


def test_a_permutation_that_changes_nothing_counts_as_extreme():
    # Equal rows: every permuted value is the observed one, but for the order of summation.
    rows = np.full(12, 0.1)
    for alternative in ("greater", "less", "two-sided"):
        found = st.permutation_test(
            lambda a, b: a.sum() - b.sum() + 0.1 * len(a), rows, rows[:7], alternative=alternative
        )
        assert found.p_value == 1.0


def test_half_samples_hold_half_of_the_groups_whole():
    groups = np.repeat(np.arange(7), 3)
    w = st.half_sample_weights(groups, 50, seed=0).reshape(50, 7, 3)
    assert (w == w[:, :, :1]).all()
    assert (w[:, :, 0].sum(axis=1) == 3).all()


def test_half_sampling_has_the_standard_error_of_a_mean():
    x = np.random.default_rng(0).normal(size=400)
    found = st.half_sampling(lambda v: float(np.mean(v)), x, repeats=2000)
    half = 1.96 * x.std(ddof=1) / np.sqrt(400)
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.06)


@pytest.mark.parametrize(
    "call",
    [
        lambda: st.bootstrap(np.mean, np.arange(9.0), level=95),
        lambda: st.bootstrap(np.mean, np.arange(9.0), groups=(np.zeros(9),)),
        lambda: st.bootstrap(lambda v: float("nan"), np.arange(9.0), repeats=5),
        lambda: st.half_sampling(np.mean, np.arange(3.0)),
        lambda: st.half_sampling(np.mean, np.arange(8.0), groups=(np.arange(8) // 4,)),
        lambda: st.noise_floor(np.mean, np.arange(8.0), (0, 4)),
        lambda: st.noise_floor(lambda a, b: 0.0, np.arange(8.0), (4, 4), np.zeros(8)),
        lambda: st.permutation_test(lambda a, b: 0.0, np.arange(5.0), np.arange(4.0), np.zeros(9)),
        lambda: st.permutation_test(lambda a, b: 0.0, np.ones((3, 2)), np.ones((3, 3))),
        lambda: st.permutation_test(lambda a, b: float("inf"), np.ones(3), np.ones(3)),
        lambda: st.two_sample_tests(np.arange(5.0), np.arange(4.0), None, np.zeros(9)),
        lambda: st.two_sample_tests(np.arange(2.0), np.arange(2.0), None, [0, np.nan, 1, 2]),
        lambda: st.two_sample_tests(np.arange(2.0), np.arange(2.0), None, ["a", None, "b", "c"]),
        lambda: st.weighted_discrepancy(np.eye(3), [[1, -1, 0]], [[0, 1, 1]]),
        lambda: st.gram(np.ones((3, 2)), "gauss"),
        lambda: st.gram(np.ones((3, 2)), bandwidth=0),
        lambda: st.vendi_score(np.ones((3, 2)), np.eye(2)),
        lambda: st.vendi_score(np.ones((3, 2)), 2 * np.eye(3)),
        lambda: st.prdc_from_distances(np.ones((9, 9)), np.ones((8, 8)), np.ones((8, 9))),
        lambda: st.classifier_two_sample_test(np.ones((3, 2)), np.ones((3, 2)), alpha=-1.0),
        lambda: st.binomial_interval(1, 4, level=1.0),
        lambda: st.safe_scale(np.ones((3, 2)), np.ones((3, 4))),
    ],
)
def test_what_cannot_be_computed_is_an_error_that_names_the_argument(call):
    with pytest.raises(UsageError, match=r"\w+.*:"):
        call()
