"""Train on real, test on synthetic: labels that do not belong to their items."""

import dataclasses

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from toy import by_key, cohorts

from sdq_core.characteristics.learning import LOGISTIC, task
from sdq_core.characteristics.utility import Utility
from sdq_core.judging import judge
from sdq_core.profiles import Criterion
from sdq_core.vocabulary import Verdict

ID = "imaging.utility.trts_auc"
CRITERION = Criterion(id=ID, within_noise_floor=1.0, slack=0.02, reason="of the profiles",
                      source="of the profiles")  # fmt: skip
SEEDS = range(6)


def mislabelled(made, share, seed):
    """Give a share of the synthetic items the other class."""
    classes = made.synthetic.classes.copy()
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(classes))[: round(share * len(classes))]
    classes[rows] = np.where(classes[rows] == "a", "b", "a")
    return dataclasses.replace(made, synthetic=dataclasses.replace(made.synthetic, classes=classes))


def measured(made):
    return by_key(Utility("imaging").measure(made))


def verdict(made):
    return judge(measured(made)[ID], CRITERION).verdict


def test_the_value_is_that_of_scikit_learn():
    made = cohorts(effect=2.0)
    prepared = task(made, LOGISTIC)
    model = LogisticRegression(
        C=1 / prepared.train.shape[1], class_weight="balanced", max_iter=2000
    ).fit(prepared.train, prepared.train_y)
    expected = roc_auc_score(prepared.synthetic_y, model.decision_function(prepared.synthetic))
    assert measured(made)[ID].value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("effect", [1.0, 2.0, 6.0])
def test_a_fresh_real_sample_does_not_fail(effect):
    verdicts = [verdict(cohorts(s, effect=effect)) for s in SEEDS]
    assert Verdict.FAIL not in verdicts
    assert verdicts.count(Verdict.PASS) >= 3


def test_wrong_labels_never_pass_and_many_fail():
    for share, least in ((0.2, 0), (0.4, len(SEEDS))):
        verdicts = [verdict(mislabelled(cohorts(s, effect=3.0), share, s)) for s in SEEDS]
        assert Verdict.PASS not in verdicts
        assert verdicts.count(Verdict.FAIL) >= least


def test_the_utility_ratio_alone_would_not_have_seen_them():
    """Why there are two measures: a model averages a fifth of wrong labels out."""
    ratios = [
        measured(mislabelled(cohorts(s, effect=3.0), 0.2, s))["imaging.utility.tstr_ratio"].value
        for s in SEEDS
    ]
    assert np.median(ratios) > 0.95


def test_the_floor_lies_about_real_performance_and_narrows_with_size():
    found = {n: measured(cohorts(3, n=(n, n, n), effect=2.0))[ID] for n in (100, 400)}
    for m in found.values():
        assert m.noise_floor.low < m.noise_floor.centre < m.noise_floor.high
        assert m.n["train"] == m.n["synthetic"]
    width = {n: m.noise_floor.high - m.noise_floor.low for n, m in found.items()}
    assert width[400] < width[100]


def test_subjects_are_not_torn_apart(monkeypatch):
    """Items of one person in training and test would make the floor too high."""
    seen = []

    def noted(x, y, test, classes):
        seen.append((x, test))
        return LOGISTIC.scores(x, y, test, classes)

    made = cohorts(5, effect=1.0, per_subject=10)
    prepared = task(made, dataclasses.replace(LOGISTIC, scores=noted))
    real, _, groups = prepared.real
    of = {row.tobytes(): g for row, g in zip(real, groups.tolist(), strict=True)}
    assert Utility("imaging")._real_on_real(prepared, 0) is not None
    assert len(seen) > 10
    for x, test in seen:
        assert not {of[r.tobytes()] for r in x} & {of[r.tobytes()] for r in test}


def test_the_model_of_the_floor_learns_from_as_much():
    """Of a large training cohort and a small holdout, the floor must not learn from less."""
    seen = []

    def noted(x, y, test, classes):
        seen.append((len(x), len(test)))
        return LOGISTIC.scores(x, y, test, classes)

    made = cohorts(1, n=(300, 60, 300), effect=2.0)
    prepared = task(made, dataclasses.replace(LOGISTIC, scores=noted))
    floor = Utility("imaging")._real_on_real(prepared, 0)
    assert set(seen) == {(300, 60)}
    # Parts of 60 vary more than the cohort of 300 that is judged; the floor is that of the latter.
    assert floor.high - floor.low < 0.1


def test_without_labels_there_is_a_reason():
    made = cohorts()
    bare = dataclasses.replace(made, train=dataclasses.replace(made.train, classes=None))
    m = measured(bare)[ID]
    assert m.value is None
    assert "label" in m.reason
