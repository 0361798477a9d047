"""Columns as indicators "above this cut point", so that distributions become means.

The mean of such an indicator is one minus the distribution function at the cut point. With cut
points at quantiles, the squared length of a difference of means is a Cramer-von Mises distance: the
same for any unit and any outlier, and on one scale from 0 to 1 for every column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdq_core.errors import UsageError
from sdq_core.statistics.arrays import matrix

__all__ = ["Cuts", "cut_points"]

Values = NDArray[np.float64]
Index = NDArray[np.intp]

CUTS = 8
"""Cut points of each column: quantiles of the basis."""


@dataclass(frozen=True)
class Cuts:
    """Indicators "above this cut point" of columns, and the feature that each belongs to.

    Parameters
    ----------
    column, feature : ndarray of int, shape (D,)
        Features are numbered from 0, and rise.
    cut : ndarray, shape (D,)
    weight : ndarray, shape (D,)
        Of the squared indicators; those of a feature sum to 1, or to half of the levels where the
        feature is a category of several columns.
    """

    column: Index
    feature: Index
    cut: Values
    weight: Values

    @property
    def features(self) -> int:
        """Number of features."""
        return int(self.feature[-1]) + 1

    def apply(self, values: ArrayLike) -> Values:
        """Return the indicators of rows, shape (n, D), times the roots of their weights.

        Examples
        --------
        >>> cuts = cut_points([[0.0], [1.0], [1.0], [0.0]], [0])
        >>> cuts.apply([[0.0], [1.0]]).tolist()
        [[0.0], [1.0]]
        """
        rows = matrix(values, "values", 1)
        return np.asarray((rows[:, self.column] > self.cut) * np.sqrt(self.weight))


def cut_points(basis: ArrayLike, feature: Sequence[int], most: int = CUTS) -> Cuts:
    """Choose cut points by rows that belong to neither sample.

    Parameters
    ----------
    basis : array_like, shape (n, d)
    feature : sequence of int, length d
        Feature of each column, from 0 without gaps. Several columns of one feature are the
        indicators of a category's levels, with two values each.
    most : int
        Cut points of a column.

    Returns
    -------
    Cuts
        A column that is constant in the basis is cut on both sides of its value.

    Examples
    --------
    >>> cuts = cut_points(np.arange(100.0)[:, None], [0], most=4)
    >>> cuts.cut.tolist(), cuts.weight.tolist()
    ([12.0, 37.0, 61.0, 86.0], [0.25, 0.25, 0.25, 0.25])
    """
    rows = matrix(basis, "basis", 1)
    told = np.asarray(feature, dtype=np.intp)
    if told.shape != (rows.shape[1],) or set(told.tolist()) != set(range(int(told.max()) + 1)):
        raise UsageError(
            f"feature: needs a number from 0, without gaps, for each of {rows.shape[1]} columns, "
            f"found {len(told)}, {len(set(told.tolist()))} different ones"
        )
    levels = np.bincount(told)
    found: list[tuple[int, int, float, float]] = []
    for k in range(rows.shape[1]):
        column = rows[:, k]
        places = np.quantile(column, (np.arange(most) + 0.5) / most, method="lower")
        cuts = [float(c) for c in np.unique(places) if c < column.max()]
        if not cuts and column.min() < column.max():
            cuts = [float(column[column < column.max()].max())]
        if not cuts:
            value = float(column[0])
            cuts = [float(np.nextafter(value, -np.inf)), value]
        weight = (1.0 if levels[told[k]] == 1 else 0.5) / len(cuts)
        found += [(k, int(told[k]), c, weight) for c in cuts]
    found.sort(key=lambda entry: (entry[1], entry[0], entry[2]))
    columns, number, cut, weights = zip(*found, strict=True)
    return Cuts(
        np.array(columns, np.intp), np.array(number, np.intp), np.array(cut), np.array(weights)
    )
