"""What is remembered: the same results as without, computed once."""

import dataclasses

import numpy as np
import pytest
from toy import cohorts

from sdq_core.characteristics import learning
from sdq_core.characteristics.learning import LOGISTIC, learning_curve, task
from sdq_core.statistics.matches import CopySearch, Matches
from sdq_core.statistics.remembered import Remembered, content


@pytest.fixture
def fresh(monkeypatch):
    monkeypatch.setattr(learning, "_TRAINED", Remembered(2**20, lambda found: found.nbytes))


def test_a_second_generator_costs_no_training_on_real_items(fresh, monkeypatch):
    trained = []

    def counted(x, y, test, classes):
        trained.append(len(y))
        return learning.scores(x, y, test, classes)

    learner = learning.Learner("counted", counted)
    first = learning_curve(task(cohorts(), learner), seed=1)
    once = len(trained)
    again = learning_curve(task(cohorts(), learner), seed=1)
    assert len(trained) == once
    assert again == first
    other = task(cohorts(synthetic={"shift": 1.0}), learner)
    learning_curve(other, seed=1)
    # Four sizes in eight repeats on synthetic items; the real ones are kept.
    assert len(trained) - once == 4 * learning.CURVE_REPEATS


def test_kept_scores_are_those_of_a_fresh_training(fresh):
    prepared = task(cohorts(), LOGISTIC)
    x, y = prepared.synthetic, prepared.synthetic_y
    kept = [prepared.score(x, y) for _ in range(2)][1]
    np.testing.assert_array_equal(kept, LOGISTIC.scores(x, y, prepared.test, 2))
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 0


def test_every_part_of_what_is_learned_from_tells_trainings_apart(fresh):
    prepared = task(cohorts(), LOGISTIC)
    x, y = prepared.synthetic, prepared.synthetic_y
    plain = prepared.score(x, y)
    assert not np.array_equal(plain, prepared.score(x, 1 - y))
    assert not np.array_equal(plain, prepared.score(x * 1.5 + 0.1, y))
    backwards = learning.Learner("balanced", lambda *given: -LOGISTIC.scores(*given))
    other = dataclasses.replace(prepared, learner=backwards)
    np.testing.assert_array_equal(other.score(x, y), -plain)


def test_the_oldest_scores_are_forgotten():
    calls = []

    def train(key):
        calls.append(key)
        return np.zeros(10)

    trained = Remembered(160, lambda found: found.nbytes)
    for key in "abacab":
        trained.get(key, lambda key=key: train(key))
    assert calls == ["a", "b", "c", "b"]


def test_content_tells_type_shape_and_order_apart():
    a = np.arange(6.0).reshape(2, 3)
    others = [a.T, a.ravel(), a.astype(np.float32), np.asfortranarray(a), a + 1e-12]
    assert len({content(x) for x in [a, *others]}) == 6


def test_a_search_is_made_once_and_never_confused_with_another():
    calls = []

    def matches(query, reference, *, top, query_groups=None, reference_groups=None):
        calls.append(top)
        return Matches(np.ones((len(query), top)), np.zeros((len(query), top), int), ())

    a, b = np.arange(24.0).reshape(4, 6), np.ones((5, 6))
    search = CopySearch(matches, None, 0.0, remembered=True)
    for _ in range(2):
        search.find(a, b, top=3)
        search.find(a, b, top=2)
        search.find(a, b, top=3, reference_groups=np.arange(5))
        search.find(b, a, top=3)
    assert calls == [3, 2, 3, 3]
    CopySearch(matches, None, 0.0).find(a, b, top=3)
    assert len(calls) == 5
