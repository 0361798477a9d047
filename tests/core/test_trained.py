"""Trainings that are kept: the same scores as without, each training done once."""

import dataclasses

import numpy as np
import pytest
from toy import cohorts

from sdq_core.characteristics import learning
from sdq_core.characteristics.learning import LOGISTIC, learning_curve, task
from sdq_core.characteristics.trained import Trained, content


@pytest.fixture
def fresh(monkeypatch):
    monkeypatch.setattr(learning, "_TRAINED", Trained())


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

    trained = Trained(most_bytes=160)
    for key in "abacab":
        trained.get(key, lambda key=key: train(key))
    assert calls == ["a", "b", "c", "b"]


def test_content_tells_type_shape_and_order_apart():
    a = np.arange(6.0).reshape(2, 3)
    others = [a.T, a.ravel(), a.astype(np.float32), np.asfortranarray(a), a + 1e-12]
    assert len({content(x) for x in [a, *others]}) == 6
