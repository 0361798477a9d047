"""The learner of the supplementary experiment on records: boosted trees."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.learning import Learner, by_class

__all__ = ["BOOSTING", "boosted_scores", "boosted_values"]

Values = NDArray[np.float64]
Labels = NDArray[np.intp]

OPTIONS: Final[dict[str, Any]] = {
    "max_iter": 60,
    "learning_rate": 0.1,
    "max_leaf_nodes": 8,
    "min_samples_leaf": 10,
    "early_stopping": False,
    "random_state": 0,
}
"""Few small trees: the cohorts are hundreds to thousands of patients."""


def boosted_scores(x: Values, y: Labels, test: Values, classes: int) -> Values:
    """Train histogram gradient boosting and score test patients.

    Parameters
    ----------
    x, y : training features and class numbers
    test : ndarray, shape (n, d)
    classes : int

    Returns
    -------
    ndarray, shape (n, classes)
        Decision scores, one column a class. One thread: the same bits on any machine.

    Examples
    --------
    >>> x = np.arange(40.0)[:, None]
    >>> found = boosted_scores(x, (x[:, 0] > 19).astype(int), np.array([[1.0], [38.0]]), 2)
    >>> int(found[:, 1].argmax())
    1
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        model = HistGradientBoostingClassifier(class_weight="balanced", **OPTIONS).fit(x, y)
        return by_class(model, test, classes)


def boosted_values(x: Values, y: Values, test: Values) -> Values:
    """Train histogram gradient boosting on a number and predict it for test patients.

    Parameters
    ----------
    x, y : training features and values
    test : ndarray, shape (n, d)

    Returns
    -------
    ndarray, shape (n,)
    """
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        model = HistGradientBoostingRegressor(**OPTIONS).fit(x, y)
        return np.asarray(model.predict(test), dtype=np.float64)


BOOSTING: Final = Learner(
    "histogram gradient boosting of 60 trees with 8 leaves, classes weighted alike",
    boosted_scores,
    repeats=20,
)
