"""Every statistic against an independent implementation or a closed form."""

import math

import numpy as np
import pytest
from scipy import linalg, stats
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score

import sdq_core.statistics as st
from sdq_core.errors import UsageError
from sdq_core.statistics.classifier import leave_group_out_scores, mass_auc


def normal(n, d, seed, shift=0.0, scale=1.0):
    return np.random.default_rng(seed).normal(size=(n, d)) * scale + shift


# --- kernels --------------------------------------------------------------------------------------


def naive_mmd(x, y, k):
    xx = np.mean([k(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j])
    yy = np.mean([k(a, b) for i, a in enumerate(y) for j, b in enumerate(y) if i != j])
    return xx + yy - 2 * np.mean([k(a, b) for a in x for b in y])


def test_mmd_equals_the_double_loop():
    x, y = normal(12, 3, 0), normal(9, 3, 1, shift=0.5)
    s = 1.7

    def rbf(a, b):
        d = ((a - b) ** 2).sum()
        return np.mean([math.exp(-d / (2 * (f * s) ** 2)) for f in (0.5, 1, 2)])

    found = st.maximum_mean_discrepancy(x, y, bandwidth=s)
    assert found == pytest.approx(naive_mmd(x, y, rbf), rel=1e-10)
    cubic = naive_mmd(x, y, lambda a, b: (a @ b / 3 + 1) ** 3)
    assert st.kernel_distance(x, y) == pytest.approx(cubic, rel=1e-10)


def test_linear_mmd_has_a_closed_form():
    x, y = normal(30, 4, 0), normal(40, 4, 1, shift=1)
    gap = x.mean(0) - y.mean(0)
    closed = gap @ gap - x.var(0, ddof=1).sum() / 30 - y.var(0, ddof=1).sum() / 40
    assert st.maximum_mean_discrepancy(x, y, kernel="linear") == pytest.approx(closed, rel=1e-10)


def test_pairs_inside_a_group_are_left_out():
    x, y = normal(8, 2, 0), normal(6, 2, 1)
    gx, gy = np.array([0, 0, 1, 1, 1, 2, 3, 3]), np.array([0, 1, 1, 2, 3, 3])

    def within(z, g):
        return np.mean([z[i] @ z[j] for i in range(len(z)) for j in range(len(z)) if g[i] != g[j]])

    expected = within(x, gx) + within(y, gy) - 2 * np.mean(x @ y.T)
    found = st.maximum_mean_discrepancy(x, y, kernel="linear", groups_x=gx, groups_y=gy)
    assert found == pytest.approx(expected, rel=1e-10)


def test_integer_weights_equal_repeated_rows_of_one_group():
    z = normal(10, 2, 0)
    k = st.gram(z, "linear")
    a, b = np.zeros(10), np.zeros(10)
    a[:5], b[5:] = [2, 1, 0, 3, 1], [1, 1, 2, 0, 1]
    rows_a, rows_b = (
        np.repeat(np.arange(10), a.astype(int)),
        np.repeat(np.arange(10), b.astype(int)),
    )
    repeated = st.maximum_mean_discrepancy(
        z[rows_a], z[rows_b], kernel="linear", groups_x=rows_a, groups_y=rows_b
    )
    assert st.weighted_discrepancy(k, a, b)[0] == pytest.approx(repeated, rel=1e-10)


# --- Frechet --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "m", "d"), [(80, 60, 5), (20, 30, 40), (40, 41, 41), (200, 12, 20)])
def test_frechet_equals_the_matrix_square_root(n, m, d):
    rng = np.random.default_rng(n)
    mix = rng.normal(size=(d, d))
    x, y = normal(n, d, 1) @ mix, normal(m, d, 2, shift=0.3)
    s, t = np.cov(x.T), np.cov(y.T)
    root = linalg.sqrtm(s @ t).real
    expected = ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(s + t - 2 * root)
    tolerance = 1e-6 if min(n, m) > d else 1e-4  # sqrtm of a singular product is the weak side
    assert st.frechet_distance(x, y) == pytest.approx(expected, rel=tolerance)


def test_frechet_of_known_gaussians():
    x = normal(200_000, 2, 0)
    y = normal(200_000, 2, 1) * [1.0, 3.0] + [2.0, 0.0]
    assert st.frechet_distance(x, y) == pytest.approx(4 + (3 - 1) ** 2, rel=0.02)


def test_both_forms_of_frechet_agree_at_their_border():
    x, y = normal(31, 30, 0), normal(33, 30, 1)
    from_moments = st.frechet_distance_from_moments(st.Moments.of(x), st.Moments.of(y))
    cross = st.frechet_distance(
        np.hstack([x, np.zeros((31, 5))]), np.hstack([y, np.zeros((33, 5))])
    )
    assert from_moments == pytest.approx(cross, rel=1e-7)


def test_merged_moments_keep_their_digits_at_large_offsets():
    x = normal(20_000, 4, 0) + 1e6
    parts = [st.Moments.of(p) for p in np.array_split(x, 20)]
    total = parts[0]
    for part in parts[1:]:
        total = total.merge(part)
    exact = np.cov((x - 1e6).T)
    assert np.abs(total.covariance - exact).max() < 1e-8
    raw = x.T @ x / (len(x) - 1) - np.outer(x.mean(0), x.mean(0)) * len(x) / (len(x) - 1)
    assert np.abs(raw - exact).max() > 1e-5, "the naive form is what this guards against"


# --- neighbours -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("k", [1, 3, 5])
def test_prdc_equals_the_reference_package(dtype, k, capsys):
    from prdc import compute_prdc

    x, y = normal(150, 6, 0).astype(dtype), normal(120, 6, 1, shift=0.4).astype(dtype)
    expected = compute_prdc(x, y, nearest_k=k)
    capsys.readouterr()
    found = st.precision_recall_density_coverage(x, y, k)
    for name, value in expected.items():
        assert getattr(found, name) == pytest.approx(value, abs=1e-6)
    again = st.prdc_from_distances(
        st.squared_distances(x, x), st.squared_distances(y, y), st.squared_distances(x, y), k
    )
    assert again == pytest.approx(found, abs=1e-6)


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_nearest_neighbours_equal_brute_force(offset):
    q, r = normal(70, 3, 0) + offset, normal(1500, 3, 1) + offset
    distance, index = st.nearest_neighbours(q, r, 4)
    d = np.sqrt(((q[:, None] - r[None]) ** 2).sum(-1))
    assert (index == np.argsort(d, axis=1, kind="stable")[:, :4]).all()
    assert np.allclose(distance, np.sort(d, axis=1)[:, :4], rtol=1e-9)


def test_equal_neighbours_come_in_the_order_of_their_index():
    reference = np.repeat([[1.0, 0.0], [0.0, 1.0]], 30, axis=0)
    _, index = st.nearest_neighbours([[1.0, 0.0]], reference, 5)
    assert index[0].tolist() == [0, 1, 2, 3, 4]


# --- classifier -----------------------------------------------------------------------------------


def test_leave_one_out_scores_equal_explicit_refits():
    z = normal(24, 3, 0)
    y = np.r_[np.ones(14), -np.ones(10)]
    found = leave_group_out_scores(z, y[:, None], None, alpha=2.0)[:, 0]
    centred = y - y.mean()
    for i in range(24):
        rest = np.delete(np.arange(24), i)
        model = Ridge(alpha=2.0, fit_intercept=False).fit(z[rest], centred[rest])
        assert found[i] == pytest.approx(model.predict(z[i : i + 1])[0], abs=1e-9)


def test_leave_one_group_out_scores_equal_explicit_refits():
    z = normal(24, 3, 0)
    groups = np.repeat(np.arange(8), 3)
    y = np.where(groups < 5, 1.0, -1.0)
    found = leave_group_out_scores(z, y[:, None], groups, alpha=2.0)[:, 0]
    centred = y - y.mean()
    for g in range(8):
        rest = groups != g
        model = Ridge(alpha=2.0, fit_intercept=False).fit(z[rest], centred[rest])
        assert found[~rest] == pytest.approx(model.predict(z[~rest]), abs=1e-9)


def test_mass_auc_equals_scikit_learn_with_ties():
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 6, size=(40, 5)).astype(float)
    labels = rng.random((40, 5)) < 0.4
    expected = [roc_auc_score(labels[:, r], scores[:, r]) for r in range(5)]
    assert mass_auc(scores, labels) == pytest.approx(expected)


# --- marginals and multiplicity -------------------------------------------------------------------


@pytest.mark.parametrize("tied", [False, True])
def test_ecdf_distances_equal_scipy(tied):
    x, y = normal(60, 3, 0), normal(45, 3, 1, shift=0.5)
    if tied:
        x, y = np.round(x), np.round(y)
    weights = np.r_[np.full(60, 1 / 60), np.full(45, -1 / 45)]
    ks, w1 = st.ecdf_distances(np.vstack([x, y]), weights)
    for f in range(3):
        assert ks[0, f] == pytest.approx(stats.ks_2samp(x[:, f], y[:, f]).statistic)
        assert w1[0, f] == pytest.approx(stats.wasserstein_distance(x[:, f], y[:, f]))


def test_permutation_p_values_agree_with_the_exact_ones():
    x, y = normal(40, 1, 0), normal(40, 1, 3, shift=0.6)
    (found,) = st.two_sample_tests(x, y, permutations=4999)
    exact = stats.ks_2samp(x[:, 0], y[:, 0], method="exact").pvalue
    assert found.p_value == pytest.approx(exact, abs=0.01)


def test_wasserstein_is_in_units_of_the_real_iqr():
    x = normal(400, 1, 0)
    (found,) = st.two_sample_tests(x, x + 2 * stats.iqr(x))
    assert found.wasserstein == pytest.approx(2.0)
    assert found.unit == "real IQR"


def test_a_constant_real_feature_has_another_unit_and_no_nan():
    (varies,) = st.two_sample_tests(np.ones(20), np.r_[np.ones(10), np.zeros(10)])
    assert varies.unit == "pooled standard deviation"
    assert varies.wasserstein > 0
    (constant,) = st.two_sample_tests(np.ones(20), np.ones(20))
    assert (constant.unit, constant.wasserstein, constant.ks) == ("none", 0.0, 0.0)
    assert constant.p_value == 1.0


def test_corrections_equal_references():
    p = np.random.default_rng(0).random(20) ** 2
    assert st.benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p))
    order = np.sort(p)
    by_hand = [max(min(1, (20 - j) * order[j]) for j in range(i + 1)) for i in range(20)]
    assert np.sort(st.holm(p)) == pytest.approx(by_hand)


# --- counts, diversity ----------------------------------------------------------------------------


@pytest.mark.parametrize("counts", [[3, 3, 3], [1, 2, 3, 10], [0, 0, 7], [5, 0]])
def test_gini_equals_the_mean_difference(counts):
    c = np.array(counts, float)
    k = len(c)
    expected = np.abs(c[:, None] - c).sum() / (2 * k * k * c.mean()) * k / (k - 1)
    assert st.gini_coefficient(counts) == pytest.approx(expected)


def test_gini_coefficient_is_not_the_impurity():
    assert st.gini_coefficient([5, 5]) == 0.0  # the impurity would be 0.5


def test_entropy_equals_scipy():
    assert st.shannon_entropy([1, 2, 0, 7]) == pytest.approx(stats.entropy([1, 2, 0, 7]))
    assert st.shannon_entropy([4, 4, 4], normalised=True) == pytest.approx(1.0)


@pytest.mark.parametrize(("n", "d"), [(30, 5), (10, 40)])
def test_vendi_equals_its_definition_from_either_side(n, d):
    x = normal(n, d, 0)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    eigen = np.linalg.eigvalsh(unit @ unit.T / n)
    eigen = eigen[eigen > 1e-12]
    expected = math.exp(-(eigen * np.log(eigen)).sum())
    assert st.vendi_score(x) == pytest.approx(expected)
    assert st.vendi_score(x, unit @ unit.T) == pytest.approx(expected)


def test_vendi_counts_modes():
    assert st.vendi_score(np.repeat(np.eye(6), 7, axis=0)) == pytest.approx(6.0)


# --- attacks and intervals ------------------------------------------------------------------------


def test_attack_auc_equals_scikit_learn_with_ties():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 9, 50) + 1.0, rng.integers(0, 9, 70) * 1.0
    expected = roc_auc_score(np.r_[np.ones(50), np.zeros(70)], np.r_[a, b])
    assert st.attack_curve(a, b).auc == pytest.approx(expected)


def test_delong_agrees_with_the_bootstrap():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=150) + 0.7, rng.normal(size=200)
    one = st.attack_curve(a, b).auc_interval
    two = st.attack_curve(
        a, b, groups_member=np.arange(150), groups_nonmember=np.arange(200)
    ).auc_interval
    assert one.method == "DeLong"
    assert one.low == pytest.approx(two.low, abs=0.015)
    assert one.high == pytest.approx(two.high, abs=0.015)


def test_the_threshold_never_lets_more_non_members_through_than_allowed():
    rng = np.random.default_rng(0)
    for n in (99, 100, 250, 1000):
        other = rng.normal(size=n)
        member = rng.normal(size=400) + 1
        found = st.attack_curve(member, other)
        for rate in (0.01, 0.001):
            threshold = np.sort(other)[::-1][int(rate * n + 1e-9)]
            assert (other > threshold).mean() <= rate
            assert found.tpr[rate] == pytest.approx((member > threshold).mean())
        assert (0.01 in found.readable_fpr) == (n >= 100)
        assert (0.001 in found.readable_fpr) == (n >= 1000)


@pytest.mark.parametrize(("k", "n"), [(0, 10), (3, 10), (10, 10), (1, 300)])
def test_binomial_interval_equals_scipy(k, n):
    expected = stats.binomtest(k, n).proportion_ci(method="exact")
    found = st.binomial_interval(k, n)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


# --- scaling and bad input ------------------------------------------------------------------------


def test_a_constant_column_cannot_swamp_the_others():
    x = np.column_stack([normal(50, 1, 0)[:, 0], np.full(50, 3.0) + 1e-12])
    y = np.column_stack([normal(40, 1, 1)[:, 0], np.full(40, 3.0)])
    (a, b), kept = st.safe_scale(x, y)
    assert kept.tolist() == [True, False]
    assert a.shape[1] == b.shape[1] == 1


def test_a_column_that_only_the_synthetic_side_varies_in_is_seen():
    x = np.column_stack([normal(50, 1, 0)[:, 0], np.zeros(50)])
    y = np.column_stack([normal(40, 1, 1)[:, 0], np.r_[np.zeros(20), np.ones(20)]])
    (_, b), kept = st.safe_scale(x, y)
    assert kept.all()
    assert np.abs(b[:, 1]).max() > 1


@pytest.mark.parametrize(
    "call",
    [
        lambda: st.frechet_distance([[1.0]], [[1.0], [2.0]]),
        lambda: st.frechet_distance(np.ones((3, 2)), np.ones((3, 4))),
        lambda: st.maximum_mean_discrepancy([[np.nan], [1.0]], [[1.0], [2.0]]),
        lambda: st.kernel_distance(np.ones((3, 1)), np.ones((3, 1)), groups_x=[0, 0, 0]),
        lambda: st.precision_recall_density_coverage(np.ones((4, 2)), np.ones((9, 2)), k=5),
        lambda: st.nearest_neighbours(np.ones((4, 2)), np.ones((3, 2)), k=4),
        lambda: st.gini_coefficient([5]),
        lambda: st.gini_coefficient([0, 0]),
        lambda: st.shannon_entropy([-1, 2]),
        lambda: st.holm([0.5, 1.5]),
        lambda: st.binomial_interval(5, 4),
        lambda: st.split_indices(np.arange(5), (3, 3), np.random.default_rng(0)),
        lambda: st.two_sample_tests(np.ones((4, 2)), np.ones((4, 2)), ["one"]),
        lambda: st.permutation_test(np.mean, [1.0], [2.0], alternative="sideways"),
        lambda: st.vendi_score(np.array([["a"], ["b"]])),
    ],
)
def test_bad_input_is_an_error_that_names_the_argument(call):
    with pytest.raises(UsageError, match=r"\w+.*:"):
        call()
