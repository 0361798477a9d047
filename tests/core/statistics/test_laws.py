"""Laws that hold for all inputs: identity, symmetry, permutation, merge order, scaling."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as s
from hypothesis.extra.numpy import arrays

import sdq_core.statistics as st

finite = s.floats(-10, 10, width=32)


def samples(least=4, most=12, d=3):
    return s.integers(least, most).flatmap(lambda n: arrays(np.float64, (n, d), elements=finite))


@given(x=samples(), y=samples())
def test_distances_are_symmetric(x, y):
    assert st.frechet_distance(x, y) == pytest.approx(st.frechet_distance(y, x), rel=1e-6, abs=1e-5)
    assert st.kernel_distance(x, y) == pytest.approx(st.kernel_distance(y, x), rel=1e-7, abs=1e-6)
    assert st.maximum_mean_discrepancy(x, y) == pytest.approx(
        st.maximum_mean_discrepancy(y, x), abs=1e-6
    )


def test_the_bandwidth_is_no_rounding_error_where_most_rows_are_equal():
    x = np.zeros((4, 3))
    y = np.zeros((9, 3))
    y[:2, 1:] = [[8.44505024, 3.90712762], [-3.90712762, 0.0]]
    for z in (np.vstack([x, y]), np.vstack([y, x]), np.vstack([x, y]) + 0.1):
        assert 3 < st.median_bandwidth(z) < 10
    assert st.median_bandwidth(np.full((5, 3), 0.1)) == 1.0


@given(x=samples())
def test_frechet_of_a_sample_with_itself_is_zero(x):
    scale = 1 + np.abs(x).max() ** 2
    assert 0 <= st.frechet_distance(x, x) <= 1e-6 * scale


@given(x=samples(), y=samples(), seed=s.integers(0, 99))
def test_the_order_of_rows_does_not_matter(x, y, seed):
    rng = np.random.default_rng(seed)
    p, q = rng.permutation(len(x)), rng.permutation(len(y))
    assert st.frechet_distance(x[p], y[q]) == pytest.approx(
        st.frechet_distance(x, y), rel=1e-6, abs=1e-5
    )
    assert st.kernel_distance(x[p], y[q]) == pytest.approx(
        st.kernel_distance(x, y), rel=1e-7, abs=1e-5
    )


@given(n=s.integers(7, 40), m=s.integers(7, 40), seed=s.integers(0, 999))
def test_prdc_swaps_with_its_sides_and_ignores_order(n, m, seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, 3)), rng.normal(size=(m, 3)) + 0.3
    found = st.precision_recall_density_coverage(x, y, k=3)
    assert all(0 <= v <= 1 for v in (found.precision, found.recall, found.coverage))
    swapped = st.precision_recall_density_coverage(y, x, k=3)
    assert (swapped.precision, swapped.recall) == (found.recall, found.precision)
    shuffled = st.precision_recall_density_coverage(rng.permutation(x), rng.permutation(y), k=3)
    assert shuffled == pytest.approx(found)


@given(x=samples(6, 12), cuts=s.tuples(s.integers(1, 2), s.integers(3, 5)))
def test_moments_merge_in_any_order(x, cuts):
    a, b, c = (st.Moments.of(p) for p in np.split(x, cuts))
    whole = st.Moments.of(x)
    for merged in (a.merge(b).merge(c), a.merge(b.merge(c)), c.merge(a).merge(b)):
        assert merged.n == whole.n
        assert np.allclose(merged.mean, whole.mean)
        assert np.allclose(merged.m2, whole.m2, atol=1e-7 * (1 + np.abs(whole.m2).max()))


@given(counts=s.lists(s.integers(0, 50), min_size=2, max_size=8).filter(any), k=s.integers(2, 5))
def test_evenness_ignores_order_and_scale_and_lies_in_0_1(counts, k):
    for measure in (st.gini_coefficient, lambda c: st.shannon_entropy(c, normalised=True)):
        value = measure(counts)
        assert -1e-12 <= value <= 1 + 1e-12
        assert measure(counts[::-1]) == pytest.approx(value, abs=1e-12)
        assert measure([k * c for c in counts]) == pytest.approx(value, abs=1e-12)


@given(x=samples(5, 10))
def test_vendi_lies_between_one_and_n_and_ignores_copies_of_all(x):
    x = x + np.arange(3) + 0.5
    value = st.vendi_score(x)
    assert 1 - 1e-6 <= value <= len(x) + 1e-6
    assert st.vendi_score(np.repeat(x, 2, axis=0)) == pytest.approx(value, rel=1e-6)


@given(a=s.lists(finite, min_size=3, max_size=20), b=s.lists(finite, min_size=3, max_size=20))
def test_attack_auc_flips_when_the_sides_change(a, b):
    one, two = st.attack_curve(a, b).auc, st.attack_curve(b, a).auc
    assert one + two == pytest.approx(1.0)


@given(p=s.lists(s.floats(0, 1), min_size=1, max_size=12))
def test_adjusted_p_values_are_not_smaller_and_keep_the_order(p):
    p = np.array(p)
    for adjusted in (st.holm(p), st.benjamini_hochberg(p)):
        assert (adjusted >= p - 1e-12).all()
        assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= -1e-12).all()
    assert (st.holm(p) >= st.benjamini_hochberg(p) - 1e-12).all()


@given(n=s.integers(4, 30), groups=s.integers(2, 10), seed=s.integers(0, 999), data=s.data())
@settings(max_examples=60)
def test_splits_share_no_group(n, groups, seed, data):
    labels = np.random.default_rng(seed).integers(groups, size=n)
    a = data.draw(s.integers(1, n - 1))
    b = data.draw(s.integers(1, n - a))
    i, j = st.split_indices(labels, (a, b), np.random.default_rng(seed))
    assert len(i) == a
    assert len(j) <= b
    assert not set(labels[i]) & set(labels[j])


@given(x=samples(), y=samples())
def test_ks_is_a_share_and_both_distances_vanish_only_together(x, y):
    weights = np.r_[np.full(len(x), 1 / len(x)), np.full(len(y), -1 / len(y))]
    ks, w1 = st.ecdf_distances(np.vstack([x, y]), weights)
    assert ((ks >= -1e-12) & (ks <= 1 + 1e-12)).all()
    assert (w1[ks > 1e-9] > 0).all()
