"""Statistics of reader studies: against brute force, published values and independent libraries."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import binomtest, norm
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from sdq_core.errors import UsageError
from sdq_core.statistics.agreement import (
    cohen_kappa,
    fleiss_kappa,
    gwet_ac1,
    jackknife_interval,
    krippendorff_alpha,
)
from sdq_core.statistics.detection import detection
from sdq_core.statistics.reader_power import (
    RatingModel,
    needed_cases,
    simulate_ratings,
    simulate_study,
)
from sdq_core.statistics.readers import _kinds_of_pairs, _variance, reader_auc, reader_mean

NAN = float("nan")


def sampled(seed, readers=3, real=4, synthetic=5, missing=0.0):
    rng = np.random.default_rng(seed)
    first, second = simulate_ratings(readers, real, synthetic, auc=0.7, rng=rng)
    for side in (first, second):
        side[rng.random(side.shape) < missing] = NAN
    return first, second


def brute_variance(first, second):
    """The same estimate by going through all pairs of pairs of cases, one by one."""
    entries = []
    readers = [r for r in range(len(first)) if np.isfinite(first[r]).any()
               and np.isfinite(second[r]).any()]  # fmt: skip
    for r in readers:
        pairs = [(i, j) for i in range(first.shape[1]) for j in range(second.shape[1])
                 if np.isfinite(first[r, i]) and np.isfinite(second[r, j])]  # fmt: skip
        for i, j in pairs:
            score = 0.5 + 0.5 * np.sign(second[r, j] - first[r, i])
            entries.append((r, i, j, score, 1 / (len(readers) * len(pairs))))
    sums = {}
    for (r, i, j, s, w), (r2, i2, j2, s2, w2) in product(entries, entries):
        kind = (r == r2, i == i2, j == j2)
        total = sums.setdefault(kind, [0.0, 0, 0.0])
        total[0] += s * s2
        total[1] += 1
        total[2] += w * w2
    last = sums[False, False, False]
    return sum(c * s / n for s, n, c in sums.values()) - last[0] / last[1]


@pytest.mark.parametrize(("seed", "missing"), [(0, 0.0), (1, 0.0), (2, 0.3), (3, 0.4)])
def test_variance_is_that_of_all_pairs_of_pairs(seed, missing):
    first, second = sampled(seed, missing=missing)
    there = np.isfinite(first)[:, :, None] & np.isfinite(second)[:, None, :]
    there = there[there.any(axis=(1, 2))].astype(float)
    keep = (np.isfinite(first).any(1)) & (np.isfinite(second).any(1))
    step = np.sign(second[keep][:, None, :] - first[keep][:, :, None])
    scores = np.where(there > 0, 0.5 + 0.5 * step, 0.0)
    weights = there / there.sum(axis=(1, 2))[:, None, None] / len(there)
    found = _variance(scores, there, weights, _kinds_of_pairs)
    assert found == pytest.approx(brute_variance(first, second), abs=1e-12)


def test_auc_is_the_mean_of_the_readers_own():
    first, second = sampled(5, readers=4, real=20, synthetic=30)
    truth = np.r_[np.zeros(20), np.ones(30)]
    own = [roc_auc_score(truth, np.r_[a, b]) for a, b in zip(first, second, strict=True)]
    found = reader_auc(first, second)
    assert found.by_reader == pytest.approx(own)
    assert found.value == pytest.approx(np.mean(own))


def test_estimated_variance_is_the_true_one_on_average():
    found = [reader_auc(*sampled(seed, 4, 25, 25)) for seed in range(300)]
    estimated = np.mean([f.standard_error**2 for f in found])
    true = np.var([f.value for f in found], ddof=1)
    assert 0.8 < estimated / true < 1.3  # 300 studies give the true one to 16 %


def test_type_one_error_is_five_percent_where_pooling_has_three_times_that():
    rng, studies = np.random.default_rng(7), 300
    ours = pooled = 0
    for _ in range(studies):
        first, second = simulate_ratings(6, 50, 50, rng=rng)
        ours += reader_auc(first, second).p_value() < 0.05
        right = int((first <= 3).sum() + (second > 3).sum())
        pooled += binomtest(right, 600).pvalue < 0.05
    assert binomtest(ours, studies, 0.05).pvalue > 0.01
    assert pooled / studies > 0.1


def test_power_and_error_of_equivalence():
    sizes = {"readers": 8, "real": 60, "synthetic": 60, "margin": 0.65, "repeats": 120}
    able = simulate_study(**sizes, seed=1)
    again = simulate_study(**sizes, seed=2)
    assert able.equivalent > 0.7
    assert able.equivalent_low < again.equivalent < able.equivalent_high
    at_margin = simulate_study(**sizes, auc=0.66, seed=3)  # ratings in six levels lose a little
    assert at_margin.equivalent < 0.08
    assert able.rejected < 0.12
    assert simulate_study(**{**sizes, "repeats": 40}, paired=True).equivalent > 0.5


def test_more_readers_need_fewer_cases_and_too_few_readers_no_number_helps():
    few, many = (needed_cases(r, 0.7, most=160, repeats=40) for r in (5, 12))
    assert many < few
    assert needed_cases(2, 0.55, most=100, repeats=20) is None


@settings(max_examples=40, deadline=None)
@given(hnp.arrays(float, (3, 9), elements=st.integers(1, 6).map(float)), st.randoms())
def test_laws_of_the_auc(table, random):
    first, second = table[:, :4], table[:, 4:]
    found = reader_auc(first, second)
    other = reader_auc(second, first)
    assert other.value == pytest.approx(1 - found.value)
    assert other.standard_error == pytest.approx(found.standard_error, abs=1e-9)
    rising = reader_auc(np.exp(first), np.exp(second))
    assert (rising.value, rising.standard_error) == (found.value, found.standard_error)
    rows, columns = list(range(3)), list(range(4))
    random.shuffle(rows)
    random.shuffle(columns)
    moved = reader_auc(first[rows][:, columns], second[rows])
    assert moved.value == pytest.approx(found.value)
    assert moved.standard_error == pytest.approx(found.standard_error, abs=1e-9)
    interval = found.interval()
    assert 0 <= interval.low <= found.value <= interval.high <= 1


def test_readings_that_all_say_the_same_still_have_an_interval():
    found = reader_auc(np.ones((3, 20)), np.full((3, 20), 6.0))
    assert found.value == 1
    assert found.interval().low == pytest.approx(0.8316, abs=1e-4)  # Clopper-Pearson, 20 of 20
    assert found.interval().high == 1
    assert found.p_value() < 1e-5
    assert reader_auc(np.ones((2, 5)), np.ones((2, 5))).p_value() == 1


def test_one_reader_is_judged_over_cases_alone():
    first, second = sampled(11, readers=1, real=30, synthetic=30)
    found = reader_auc(first, second)
    assert "one reader" in found.method
    # DeLong, DeLong & Clarke-Pearson 1988: the same to the order of 1 / n^2.
    step = 0.5 + 0.5 * np.sign(second[0][None, :] - first[0][:, None])
    delong = step.mean(axis=1).var(ddof=1) / 30 + step.mean(axis=0).var(ddof=1) / 30
    assert found.standard_error**2 == pytest.approx(delong, rel=0.05)


def test_nothing_to_read_is_an_error():
    with pytest.raises(UsageError, match="no reader has readings on both sides"):
        reader_auc([[1.0, NAN]], [[NAN, NAN]])
    with pytest.raises(UsageError, match="there is no reading"):
        reader_mean([[NAN]])


def test_mean_of_one_reader_is_the_binomial_of_cases():
    values = np.array([[1.0] * 30 + [0.0] * 10])
    found = reader_mean(values)
    assert found.value == 0.75
    assert found.standard_error**2 == pytest.approx(0.75 * 0.25 / 39)


def test_mean_with_readers_counts_shared_cases_once():
    rng = np.random.default_rng(0)
    cases = rng.random(40) < 0.6
    same = reader_mean(np.tile(cases, (5, 1)))  # five readers who say the same are one reader
    assert same.standard_error**2 == pytest.approx(cases.mean() * (1 - cases.mean()) / 39)


# --- agreement -----------------------------------------------------------------------------------

FLEISS_1971 = np.array(
    [[0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
     [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]]
)  # fmt: skip
KRIPPENDORFF_2011 = np.array(  # Computing Krippendorff's alpha-reliability, section D
    [[1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN], [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
     [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN], [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN]]
)  # fmt: skip


def ratings_of(counts):
    return np.array([[k for k, n in enumerate(row) for _ in range(n)] for row in counts]).T


def test_published_values():
    assert fleiss_kappa(ratings_of(FLEISS_1971)) == pytest.approx(0.210, abs=5e-4)
    assert krippendorff_alpha(KRIPPENDORFF_2011, "nominal") == pytest.approx(0.743, abs=5e-4)
    assert krippendorff_alpha(KRIPPENDORFF_2011, "ordinal") == pytest.approx(0.815, abs=5e-4)
    assert gwet_ac1(KRIPPENDORFF_2011, 5) == pytest.approx(0.775, abs=5e-4)  # Gwet 2014, table 4.7


REFERENCES = [  # krippendorff 0.9.0, irrCAC 0.4.4 and statsmodels 0.15.0, on random tables
    {
        "t": [
            [1, 3, 2, 2, None, 4, 2, None, None, 3],
            [2, 5, None, 2, 4, 4, 4, None, 2, 2],
            [None, 1, 2, 5, 4, 4, None, 3, 3, 2],
        ],
        "q": 5,
        "nom": 0.22000000000000008,
        "ord": 0.1403162055335968,
        "ac1": 0.274623144,
    },
    {
        "t": [
            [1, 1, 2, 4, 4, 2, 5, 2, 4, 5, 3, 3, 1, 1, 3, 3, 5, 3],
            [4, 2, 2, 5, 3, 1, 5, 2, 2, 4, 3, 3, 3, 1, 1, 5, 4, 3],
            [2, 1, 2, 5, 4, 1, 5, 2, 5, 4, 4, 3, 4, 1, 1, 5, 4, 1],
        ],
        "q": 5,
        "nom": 0.34034334763948504,
        "ord": 0.6383225733378639,
        "ac1": 0.328905078,
        "fleiss": 0.32789699570815445,
    },
    {
        "t": [
            [1, 3, 1, 1, 1, 2, None, 3, 2, 3, None, 2, 2, 1, 2],
            [1, 2, 1, 1, 1, 2, 2, 1, None, 2, 2, 2, 2, 1, 2],
        ],
        "q": 3,
        "nom": 0.6011560693641618,
        "ord": 0.6253924646781789,
        "ac1": 0.65007776,
    },
]


@pytest.mark.parametrize("known", REFERENCES)
def test_values_of_independent_libraries(known):
    table = np.array([[NAN if v is None else v for v in row] for row in known["t"]], float)
    assert krippendorff_alpha(table, "nominal") == pytest.approx(known["nom"], abs=1e-9)
    assert krippendorff_alpha(table, "ordinal") == pytest.approx(known["ord"], abs=1e-9)
    assert gwet_ac1(table, known["q"]) == pytest.approx(known["ac1"], abs=1e-8)
    if "fleiss" in known:
        assert fleiss_kappa(table) == pytest.approx(known["fleiss"], abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(hnp.arrays(int, (2, 12), elements=st.integers(1, 4)))
def test_cohen_is_that_of_scikit_learn(pair):
    for weights, theirs in (("none", None), ("quadratic", "quadratic")):
        ours = cohen_kappa(*pair, weights)
        if ours is None:  # one category only
            assert len(np.unique(pair)) == 1
        else:
            assert ours == pytest.approx(
                cohen_kappa_score(*pair, labels=[1, 2, 3, 4], weights=theirs)
            )


def test_prevalence_pulls_kappa_down_and_leaves_ac1():
    table = np.zeros((2, 50))
    table[0, 0], table[1, 1] = 1, 1  # 48 of 50 alike, one category rare
    assert fleiss_kappa(table) < 0
    assert gwet_ac1(table, 2) > 0.9


def test_agreement_that_does_not_exist_has_no_value():
    for statistic in (fleiss_kappa, krippendorff_alpha, lambda t: gwet_ac1(t, 2)):
        assert statistic(np.array([[1.0, 2.0], [NAN, NAN]])) is None
    assert krippendorff_alpha(np.ones((3, 5))) is None
    assert cohen_kappa([1.0, NAN], [NAN, 1.0]) is None
    assert jackknife_interval(fleiss_kappa, np.ones((2, 10))) is None


def test_jackknife_covers():
    rng, hits, studies = np.random.default_rng(3), 0, 150
    truth = 0.36  # two readers who each say the truth with probability 0.8: (2 * 0.8 - 1)^2
    for _ in range(studies):
        real = rng.random(60) < 0.5
        table = np.where(rng.random((2, 60)) < 0.8, real, ~real).astype(float)
        interval = jackknife_interval(fleiss_kappa, table)
        hits += interval.low <= truth <= interval.high
    assert binomtest(hits, studies, 0.95).pvalue > 0.01


# --- detection -----------------------------------------------------------------------------------


def test_detection_in_closed_form():
    said = np.r_[np.ones(70), np.zeros(30), np.ones(20), np.zeros(80)]
    found = detection(said, np.r_[np.ones(100), np.zeros(100)])
    hit, alarm = norm.ppf(70.5 / 101), norm.ppf(20.5 / 101)
    assert (found.sensitivity, found.specificity) == (0.7, 0.8)
    assert found.d_prime == pytest.approx(hit - alarm)
    assert found.criterion == pytest.approx(-(hit + alarm) / 2)
    assert detection([1, 0], [1, 1]) is None


def test_a_lean_is_no_skill():
    rng = np.random.default_rng(2)
    truth = rng.random(4000) < 0.5
    leaning = detection(rng.random(4000) < 0.8, truth)  # says "synthetic" four times of five
    assert abs(leaning.d_prime) < 0.15
    assert leaning.criterion < -0.7


def test_perfect_readers_have_finite_numbers():
    truth = np.r_[np.ones(10), np.zeros(10)]
    found = detection(truth, truth)
    assert np.isfinite(found.d_prime)
    assert found.criterion == pytest.approx(0)


def test_lean_and_shared_cases_do_not_change_the_error():
    for model in (RatingModel(cases=0.8, readers=0.0), RatingModel(readers=0.1, lean=1.0)):
        rng, studies = np.random.default_rng(4), 150
        wrong = sum(
            reader_auc(*simulate_ratings(5, 25, 25, model=model, rng=rng)).p_value() < 0.05
            for _ in range(studies)
        )
        assert binomtest(wrong, studies, 0.05).pvalue > 0.005
