"""The supplementary experiment's machinery: train on one cohort, test on real subjects.

A learner on the describe step's fixed features, linear unless the modality has a better one, stands
for the user's own model: it is quick, has no randomness of its own, and errs on the same side for
real and synthetic training.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdq_core.cohort import Cohort, Cohorts
from sdq_core.measurement import Interval
from sdq_core.reasons import Why, why
from sdq_core.statistics import bootstrap_weights, safe_scale
from sdq_core.statistics.arrays import rows_per_block
from sdq_core.statistics.remembered import Remembered, content

__all__ = [
    "LOGISTIC",
    "Learner",
    "LearningCurve",
    "Task",
    "auc",
    "by_class",
    "learning_curve",
    "scores",
    "task",
]

Values = NDArray[np.float64]
Labels = NDArray[np.intp]

LEAST_PER_CLASS = 8
FRACTIONS = (0.25, 0.5, 0.75, 1.0)
CURVE_REPEATS = 8
BOOTSTRAP = 400
MOST_ITEMS = 10_000
"""Most items of a cohort that a learner sees or is tested on."""
_TRAINED: Remembered[Values] = Remembered(32 * 2**20, lambda scores: scores.nbytes)


@dataclass(frozen=True)
class Learner:
    """What learns from one cohort and scores the items of another.

    Parameters
    ----------
    name : str
        For the method text.
    scores : callable
        As `scores`: training features and class numbers, test features, number of classes ->
        scores of shape (n, classes). Without randomness of its own.
    repeats : int
        Trainings on random real parts for a noise floor.
    """

    name: str
    scores: Callable[[Values, Labels, Values, int], Values]
    repeats: int = 40


@dataclass(frozen=True)
class Task:
    """A classification task with three cohorts.

    Parameters
    ----------
    train, synthetic, test : ndarray, shape (n, d)
        Features scaled by the real training cohort.
    train_y, synthetic_y, test_y : ndarray of int, shape (n,)
        Class numbers.
    train_groups, synthetic_groups, test_groups : ndarray of str
        Subjects.
    classes : tuple of str
    learner : Learner
    """

    train: Values
    train_y: Labels
    train_groups: NDArray[np.str_]
    synthetic: Values
    synthetic_y: Labels
    synthetic_groups: NDArray[np.str_]
    test: Values
    test_y: Labels
    test_groups: NDArray[np.str_]
    classes: tuple[str, ...]
    learner: Learner

    def score(self, x: Values, y: Labels, test: Values | None = None) -> Values:
        """Train on items and score others; the same training is not done twice.

        Parameters
        ----------
        x, y : training features and class numbers
        test : ndarray, shape (n, d), optional
            The test cohort by default.
        """
        classes = len(self.classes)
        seen = self._test_content if test is None else content(test)
        key = (self.learner.scores, classes, seen, content(x, y))

        def trained() -> Values:
            found = self.learner.scores(x, y, self.test if test is None else test, classes)
            found.flags.writeable = False
            return found

        return _TRAINED.get(key, trained)

    @cached_property
    def _test_content(self) -> bytes:
        return content(self.test)

    @cached_property
    def real(self) -> tuple[Values, Labels, NDArray[np.str_]]:
        """Features, class numbers and subjects of all real items: train, then test."""
        return (
            np.concatenate([self.train, self.test]),
            np.concatenate([self.train_y, self.test_y]),
            np.concatenate([self.train_groups, self.test_groups]),
        )

    def tested(self, x: Values, y: Labels) -> float:
        """Train on items and return the AUC on the test items."""
        return float(auc(self.score(x, y), self.test_y)[0])


@dataclass(frozen=True)
class LearningCurve:
    """AUC on real items against the number of synthetic training items.

    Parameters
    ----------
    sizes : list of int
    auc, low, high : list of float
        Mean and range over random subsets.
    gain : float
        AUC expected to be gained by doubling the largest size.
    interval : Interval
    real : Interval
        The same gain when real training items, as many at most, take the synthetic ones' place.
    real_auc : float
        AUC after training on the real training cohort.
    """

    sizes: list[int]
    auc: list[float]
    low: list[float]
    high: list[float]
    gain: float
    interval: Interval
    real: Interval
    real_auc: float


def task(cohorts: Cohorts, learner: Learner) -> Task | Why:
    """Return the classification task of a study, or why there is none.

    Features are all embeddings side by side; the test cohort is the holdout. Of a cohort of more
    than 10,000 labelled items a uniform sample by content digest takes part, and `Measurement.n`
    says so.
    """
    if cohorts.holdout is None:
        return why("no_holdout")
    if cohorts.shared_subjects:
        return why("shared_subjects", count=len(cohorts.shared_subjects))
    missing = [str(c.role) for c in cohorts.all if c.classes is None]
    if missing:
        return why("no_labels", cohorts=", ".join(missing))
    most = cohorts.most(MOST_ITEMS)
    most = most if most is None else max(most, MOST_ITEMS)
    found = {str(c.role): _features(c, most) for c in cohorts.all}
    if any(len(f[0]) == 0 for f in found.values()):
        return why("no_embedding", cohorts="one of the cohorts")
    classes = [
        c
        for c in (cohorts.study.classes or sorted(set(found["train"][1].tolist())))
        if all((f[1] == c).sum() >= LEAST_PER_CLASS for f in found.values())
    ]
    if len(classes) < 2:
        return why("one_class", needed=LEAST_PER_CLASS, cohorts="every cohort")
    kept = {role: np.isin(f[1], classes) for role, f in found.items()}
    code = {c: k for k, c in enumerate(classes)}
    y = {
        role: np.array([code[c] for c in f[1][kept[role]]], dtype=np.intp)
        for role, f in found.items()
    }
    (train, synthetic, test), _ = safe_scale(
        *(found[r][0][kept[r]] for r in ("train", "synthetic", "holdout"))
    )
    return Task(
        train=train,
        train_y=y["train"],
        train_groups=found["train"][2][kept["train"]],
        synthetic=synthetic,
        synthetic_y=y["synthetic"],
        synthetic_groups=found["synthetic"][2][kept["synthetic"]],
        test=test,
        test_y=y["holdout"],
        test_groups=found["holdout"][2][kept["holdout"]],
        classes=tuple(classes),
        learner=learner,
    )


def scores(x: Values, y: Labels, test: Values, classes: int) -> Values:
    """Train a ridge-penalised logistic regression and score test items.

    Parameters
    ----------
    x, y : training features and class numbers
    test : ndarray, shape (n, d)
    classes : int

    Returns
    -------
    ndarray, shape (n, classes)
        Decision scores, one column a class.
    """
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1.0 / x.shape[1], class_weight="balanced", max_iter=2000)
    return by_class(model.fit(x, y), test, classes)


def by_class(model: Any, test: Values, classes: int) -> Values:
    """Return the decision scores of a fitted classifier, one column a class.

    Parameters
    ----------
    model : scikit-learn classifier
        With ``decision_function``, trained on class numbers.
    test : ndarray, shape (n, d)
    classes : int
        A class that was not in training scores 0.

    Returns
    -------
    ndarray, shape (n, classes)
    """
    decision = np.asarray(model.decision_function(test), dtype=np.float64)
    found = np.zeros((len(test), classes))
    if decision.ndim == 1:
        found[:, model.classes_[1]] = decision
        found[:, model.classes_[0]] = -decision
    else:
        found[:, model.classes_] = decision
    return found


LOGISTIC = Learner("balanced logistic regression on the embeddings, ridge penalty 1/d", scores)


def auc(score: Values, y: Labels, weights: Values | None = None) -> Values:
    """Return the macro-averaged one-against-rest AUC, once for each row of weights.

    Parameters
    ----------
    score : ndarray, shape (n, classes)
    y : ndarray of int, shape (n,)
    weights : ndarray, shape (R, n), optional
        Bootstrap weights; equal weights by default.

    Returns
    -------
    ndarray, shape (R,)
        Mann-Whitney statistic with ties at one half (Hanley & McNeil 1982,
        doi:10.1148/radiology.143.1.7063747).

    Examples
    --------
    >>> float(auc(np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([1, 0]))[0])
    1.0
    """
    w = np.ones((1, len(y))) if weights is None else weights
    total = np.zeros(len(w))
    present = range(score.shape[1]) if score.shape[1] > 2 else (1,)
    for k in present:
        positive, negative = y == k, y != k
        wp, wn = w[:, positive], w[:, negative]
        won = _weighted_wins(score[positive, k], score[negative, k], wp)
        size = wp.sum(axis=1) * wn.sum(axis=1)
        # A resample without one of the two sides says nothing about this class: chance.
        value = (won * wn).sum(axis=1) / np.maximum(size, 1e-300)
        total += np.where(size > 0, value, 0.5)
    return total / len(present)


def _weighted_wins(positive: Values, negative: Values, weights: Values) -> Values:
    """Weight of the positives that beat each negative, ties at one half, shape (R, negatives)."""
    found = np.empty((len(weights), len(negative)))
    # All pairs at once would be of the size of the square of the cohort.
    step = rows_per_block(len(positive))
    for start in range(0, len(negative), step):
        part = slice(start, start + step)
        wins = (positive[:, None] > negative[None, part]).astype(np.float64)
        wins += 0.5 * (positive[:, None] == negative[None, part])
        found[:, part] = weights @ wins
    return found


def bootstrap_auc(score: Values, y: Labels, groups: NDArray[np.str_], seed: int) -> Values:
    """Return the AUC over bootstrap resamples of whole test subjects, shape (R,)."""
    return auc(score, y, bootstrap_weights(groups, BOOTSTRAP, seed))


def learning_curve(prepared: Task, seed: int) -> LearningCurve:
    """Train on growing random parts of the synthetic cohort and test on real items.

    Parameters
    ----------
    prepared : Task
    seed : int

    Returns
    -------
    LearningCurve
        The gain follows from ``1 - AUC = a n^-b`` fitted on the mean curve (Figueroa et al. 2012);
        its interval is the range over the repeated curves, 2.5 % to 97.5 %.
    """
    rng = np.random.default_rng([seed, 7])
    n = len(prepared.synthetic_y)
    most = min(n, len(prepared.train_y))
    sizes, curves = _curves(prepared.synthetic, prepared.synthetic_y, n, prepared, rng)
    real_sizes, real_curves = _curves(prepared.train, prepared.train_y, most, prepared, rng)
    gain, interval = _gain(sizes, curves, "repeated learning curves")
    centre, spread = _gain(real_sizes, real_curves, f"learning curves of up to {most} real items")
    return LearningCurve(
        sizes=sizes,
        auc=[float(v) for v in curves.mean(axis=0)],
        low=[float(v) for v in curves.min(axis=0)],
        high=[float(v) for v in curves.max(axis=0)],
        gain=gain,
        interval=interval,
        real=Interval(spread.low, spread.high, spread.method, centre=centre),
        real_auc=prepared.tested(prepared.train, prepared.train_y),
    )


def _curves(
    x: Values, y: Labels, most: int, prepared: Task, rng: np.random.Generator
) -> tuple[list[int], Values]:
    """Test AUC after training on growing random parts, shape (repeats, sizes)."""
    sizes = sorted({int(max(2 * LEAST_PER_CLASS, round(f * most))) for f in FRACTIONS})
    curves = np.empty((CURVE_REPEATS, len(sizes)))
    for r in range(CURVE_REPEATS):
        order = _stratified_order(y, rng)
        for s, size in enumerate(sizes):
            rows = order[:size]
            curves[r, s] = prepared.tested(x[rows], y[rows])
    return sizes, curves


def _gain(sizes: list[int], curves: Values, method: str) -> tuple[float, Interval]:
    """Gain of doubling: of the mean curve, and its spread over the curves."""
    gain = _gain_of_doubling(sizes, curves.mean(axis=0))
    gains = np.array([_gain_of_doubling(sizes, c) for c in curves])
    low, high = np.quantile(gains, [0.025, 0.975])
    return gain, Interval(float(min(low, gain)), float(max(high, gain)), method)


def _gain_of_doubling(sizes: list[int], curve: Values) -> float:
    """Gain of the fitted inverse power law between the largest size and twice it."""
    error = np.clip(1 - curve, 1e-3, None)
    slope, offset = np.polyfit(np.log(sizes), np.log(error), 1)
    slope = min(slope, 0.0)  # a falling curve promises no gain
    now, doubled = (float(np.exp(offset + slope * np.log(s))) for s in (sizes[-1], 2 * sizes[-1]))
    return now - doubled


def _stratified_order(y: Labels, rng: np.random.Generator) -> NDArray[np.intp]:
    """Random order in which every prefix keeps the class shares as nearly as it can."""
    place = np.empty(len(y))
    for k in np.unique(y):
        rows = np.flatnonzero(y == k)
        place[rows[rng.permutation(len(rows))]] = (np.arange(len(rows)) + 0.5) / len(rows)
    return np.argsort(place, kind="stable")


def _features(
    cohort: Cohort, most: int | None
) -> tuple[Values, NDArray[np.str_], NDArray[np.str_]]:
    """All embeddings side by side, classes and groups of the labelled items that have them all.

    Of more than `most` those of the smallest content digests, a uniform sample.
    """
    table, names = cohort.table, cohort.table.embedding_names
    if not names or cohort.classes is None:
        return np.empty((0, 0)), np.empty(0, np.str_), np.empty(0, np.str_)
    usable = cohort.classes != ""
    for name in names:
        has = np.zeros(len(cohort), bool)
        has[table.embedded(name)] = True
        usable &= has
    order = table.digest_order
    rows = np.sort(order[usable[order]][:most])
    blocks = [table.embeddings(name, rows).astype(np.float64) for name in names]
    return np.hstack(blocks), cohort.classes[rows], cohort.groups[rows]
