"""Repeated measurements and anonymity against closed forms and loops."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sdq_core.errors import UsageError
from sdq_core.statistics.anonymity import k_anonymity
from sdq_core.statistics.trajectories import (
    between_subject_share,
    events_per_subject,
    gaps,
    lag_one_correlation,
    order_violations,
    transition_counts,
    transition_distance,
    wasserstein_in_real_sd,
)


def test_the_share_is_the_icc_of_shrout_and_fleiss():
    # Their example: 6 targets, 4 judges; ICC(1,1) is 0.17.
    ratings = np.array(
        [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    )
    subjects = np.repeat(np.arange(6), 4)
    assert between_subject_share(ratings.ravel(), subjects) == pytest.approx(0.17, abs=0.005)


def test_the_share_follows_from_the_f_ratio_and_finds_the_variance_that_was_put_in():
    rng = np.random.default_rng(0)
    subjects = np.repeat(np.arange(500), rng.integers(1, 6, 500))
    values = 2 * rng.normal(size=500)[subjects] + rng.normal(size=len(subjects))
    found = between_subject_share(values, subjects)
    assert found == pytest.approx(0.8, abs=0.03)
    f = stats.f_oneway(*(values[subjects == s] for s in range(500))).statistic
    counts = np.bincount(subjects)
    size = (len(values) - (counts**2).sum() / len(values)) / 499
    assert found == pytest.approx((f - 1) / (f - 1 + size), abs=1e-12)
    assert abs(between_subject_share(rng.permutation(values), subjects)) < 0.08


@given(st.integers(0, 200))
@settings(max_examples=25, deadline=None)
def test_laws_of_repeated_measurements(seed):
    rng = np.random.default_rng(seed)
    subjects = rng.integers(0, 8, 60)
    values = rng.normal(size=60) + subjects
    found = between_subject_share(values, subjects)
    order = rng.permutation(60)
    assert between_subject_share(5 - 3 * values[order], subjects[order]) == pytest.approx(found)
    lag = lag_one_correlation(values, subjects)
    by_subject = np.argsort(subjects, kind="stable")
    again = lag_one_correlation(2 * values[by_subject] + 1, subjects[by_subject])
    assert again == pytest.approx(lag)
    pairs = [
        (a, b)
        for s in np.unique(subjects)
        for a, b in zip(values[subjects == s], values[subjects == s][1:], strict=False)
    ]
    assert lag == pytest.approx(np.corrcoef(np.array(pairs).T)[0, 1])
    assert np.sort(gaps(values, subjects)).tolist() == pytest.approx(
        sorted(g for s in np.unique(subjects) for g in np.diff(np.sort(values[subjects == s])))
    )
    broken = sum(b < a for a, b in pairs)
    violations = order_violations(values, subjects)
    assert (violations.violations, violations.pairs) == (broken, len(pairs))
    assert order_violations(values[np.argsort(values)], subjects[np.argsort(values)]).share == 0


def test_transitions_are_those_of_a_loop():
    rng = np.random.default_rng(0)
    subjects, codes = rng.integers(0, 9, 200), rng.integers(0, 4, 200)
    expected = Counter(
        pair
        for s in range(9)
        for pair in zip(codes[subjects == s], codes[subjects == s][1:], strict=False)
    )
    found = transition_counts(codes, subjects, 4)
    assert {(i, j): found[i, j] for i, j in expected} == dict(expected)
    assert found.sum() == sum(expected.values())
    assert transition_distance(found, 3 * found) == 0
    assert transition_distance(found, found.T) == transition_distance(found.T, found)
    with pytest.raises(UsageError, match="codes"):
        transition_counts([4], [0], 4)


def test_wasserstein_is_scipys_in_real_deviations():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 30, 100).astype(float), rng.integers(5, 40, 70).astype(float)
    expected = stats.wasserstein_distance(x, y) / x.std()
    assert wasserstein_in_real_sd(x, y) == pytest.approx(expected)
    assert wasserstein_in_real_sd([2.0, 2.0], [2.0]) == 0
    assert wasserstein_in_real_sd([2.0, 2.0], [5.0]) > 0


@pytest.mark.parametrize(
    "call",
    [
        lambda: between_subject_share([1.0, 2.0], [0, 1]),
        lambda: between_subject_share([1.0, 1.0, 1.0], [0, 0, 1]),
        lambda: lag_one_correlation([1.0, 2.0, 3.0], [0, 1, 2]),
        lambda: order_violations([1.0], ["a"]),
        lambda: transition_distance(np.zeros((2, 2)), np.ones((2, 2))),
        lambda: k_anonymity(np.zeros((0, 2), int)),
        lambda: k_anonymity([[0]], k=0),
    ],
)
def test_what_cannot_be_told_is_refused(call):
    with pytest.raises(UsageError):
        call()


def test_events_per_subject_keeps_the_order_of_first_occurrence():
    assert events_per_subject([7, 3, 7, 7]).tolist() == [3, 1]


@given(st.integers(0, 200), st.integers(1, 6))
@settings(max_examples=25, deadline=None)
def test_anonymity_is_that_of_a_dictionary(seed, k):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, (50, 3)) * 10**6
    classes = Counter(map(tuple, codes.tolist()))
    found = k_anonymity(codes, k)
    assert found.smallest == min(classes.values())
    assert found.classes == len(classes)
    assert found.below == sum(v for v in classes.values() if v < k) / 50
    assert found.unique == sum(v == 1 for v in classes.values()) / 50
    assert found.sizes.tolist() == [classes[tuple(r)] for r in codes.tolist()]
