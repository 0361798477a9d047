"""Tests keep their level and intervals their coverage, also with several items a subject."""

import numpy as np
import pytest

import sdq_core.statistics as st


def clustered(subjects, per_subject, seed, d=4):
    """Rows with a strong subject effect, and their groups."""
    rng = np.random.default_rng(seed)
    person = rng.normal(size=(subjects, d)).repeat(per_subject, 0)
    return person + 0.5 * rng.normal(size=person.shape), np.arange(subjects).repeat(per_subject)


def false_alarms(test, per_subject, runs):
    alarms = 0
    for run in range(runs):
        x, gx = clustered(24, per_subject, 2 * run)
        y, gy = clustered(24, per_subject, 2 * run + 1)
        alarms += test(x, y, np.r_[gx, gy + 24], run) < 0.05
    return alarms


def mmd_p(x, y, groups, seed):
    k = st.gram(np.vstack([x, y]))
    a, b = st.split_weights(groups, (len(x), len(y)), 199, seed)
    first = np.r_[np.ones(len(x)), np.zeros(len(y))]
    observed = st.weighted_discrepancy(k, first, 1 - first, groups)[0]
    null = st.weighted_discrepancy(k, a, b, groups)
    return (1 + (null >= observed).sum()) / 200


def c2st_p(x, y, groups, seed):
    return st.classifier_two_sample_test(x, y, groups, seed, permutations=199).p_value


def ks_p(x, y, groups, seed):
    return st.two_sample_tests(x[:, :1], y[:, :1], None, groups, permutations=199, seed=seed)[
        0
    ].p_value


@pytest.mark.parametrize("test", [mmd_p, c2st_p, ks_p])
def test_false_alarms_stay_near_five_percent_with_five_items_a_subject(test):
    # 60 runs at 5 %: more than 8 alarms has probability 0.4 %. Without groups nearly all alarm.
    assert false_alarms(test, 5, 60) <= 8


def test_without_groups_the_same_data_alarm_almost_always():
    alarms = false_alarms(lambda x, y, _, seed: mmd_p(x, y, np.arange(len(x) * 2), seed), 5, 20)
    assert alarms >= 12, "the reason why groups exist"


@pytest.mark.parametrize("test", [mmd_p, c2st_p, ks_p])
def test_false_alarms_stay_near_five_percent_with_unequal_groups(test):
    alarms = 0
    for run in range(60):
        rng = np.random.default_rng(run)
        sizes = [rng.integers(1, 10, 20) for _ in range(2)]
        x, y = (clustered(20, s, 2 * run + k) for k, s in enumerate(sizes))
        alarms += test(x[0], y[0], np.r_[x[1], y[1] + 20], run) < 0.05
    assert alarms <= 8


@pytest.mark.parametrize("test", [mmd_p, c2st_p, ks_p])
def test_a_shift_is_found(test):
    found = 0
    for run in range(10):
        x, gx = clustered(24, 2, 2 * run)
        y, gy = clustered(24, 2, 2 * run + 1)
        found += test(x, y + 1.2, np.r_[gx, gy + 24], run) < 0.05
    assert found >= 9


def test_permutation_test_agrees_with_the_t_test():
    from scipy import stats

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=30), rng.normal(size=30) + 0.6
    found = st.permutation_test(
        lambda a, b: b.mean() - a.mean(), x, y, permutations=4999, alternative="two-sided"
    )
    assert found.p_value == pytest.approx(stats.ttest_ind(x, y).pvalue, abs=0.01)


@pytest.mark.parametrize("method", [st.bootstrap, st.half_sampling])
def test_intervals_of_a_mean_cover_it(method):
    hits = 0
    for run in range(150):
        x = np.random.default_rng(run).normal(size=60)
        found = method(lambda v: float(np.mean(v)), x, repeats=200, seed=run)
        hits += found.low <= 0 <= found.high
    assert hits >= 0.88 * 150


def test_intervals_by_subject_cover_and_intervals_by_item_do_not():
    by_subject = by_item = 0
    for run in range(100):
        x, g = clustered(30, 6, run, d=1)
        mean = lambda v: float(np.mean(v))  # noqa: E731
        one = st.bootstrap(mean, x[:, 0], groups=(g,), repeats=200, seed=run)
        two = st.bootstrap(mean, x[:, 0], repeats=200, seed=run)
        by_subject += one.low <= 0 <= one.high
        by_item += two.low <= 0 <= two.high
    assert by_subject >= 86
    assert by_item <= 75


def test_half_sampling_of_the_kernel_distance_covers_the_truth():
    # Linear kernel, one dimension, means 1 apart: the true squared discrepancy is 1.
    hits = 0
    for run in range(100):
        rng = np.random.default_rng(run)
        x, y = rng.normal(size=(60, 1)), rng.normal(size=(60, 1)) + 1
        found = st.half_sampling(
            lambda a, b: st.maximum_mean_discrepancy(a, b, kernel="linear"),
            x,
            y,
            repeats=80,
            seed=run,
        )
        hits += found.low <= 1 <= found.high
    assert hits >= 86


def test_the_noise_floor_of_an_unbiased_distance_is_centred_on_zero_and_shrinks():
    x = np.random.default_rng(0).normal(size=(400, 3))
    k = st.gram(x)
    rows = np.arange(400)

    def distance(i, j):
        a, b = np.zeros(400), np.zeros(400)
        a[i], b[j] = 1, 1
        return st.weighted_discrepancy(k, a, b)[0]

    small = st.noise_floor(distance, rows, (40, 40), repeats=100)
    large = st.noise_floor(distance, rows, (160, 160), repeats=100)
    assert small.low < 0 < small.high
    assert large.high - large.low < 0.5 * (small.high - small.low)


def test_a_pool_too_small_for_the_sizes_is_shrunk_and_says_so():
    found = st.noise_floor(lambda a, b: a.mean() - b.mean(), np.arange(30.0), (40, 20), repeats=20)
    assert "shrunk to 20 and 10" in found.method


def test_same_seed_same_numbers_other_seed_others():
    x = np.arange(50.0)
    one = st.bootstrap(np.mean, x, seed=1)
    assert one == st.bootstrap(np.mean, x, seed=1)
    assert one != st.bootstrap(np.mean, x, seed=2)
