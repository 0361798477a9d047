"""Whether as many rows would stand out if other real patients had been the training set.

Rows that resemble the same patient are flagged together, and the larger real set is nearer by
chance: no formula knows by how much. Real patients who are told apart by nothing but the draw can
change sides, and everything else stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import UsageError
from sdq_ehr.attacks.chance import reverse_threshold

__all__ = ["NearestReal", "neighbours_needed", "relabelled_p"]

REPEATS: Final = 199
MISSED: Final = 1e-4
"""Chance that a row has no listed neighbour of the smaller set."""
MOST: Final = 256
"""Most neighbours that are listed."""

Values = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class NearestReal:
    """The nearest real patients of each synthetic row.

    Parameters
    ----------
    nearness : ndarray, shape (n, k)
        Descending.
    indices : ndarray of int, shape (n, k)
        Real patients, train first.

    Examples
    --------
    >>> near = NearestReal(np.array([[5.0, 3.0, 2.0]]), np.array([[4, 0, 1]]))
    >>> near.difference(np.array([True, True, True, True, False])).tolist()
    [-2.0]
    """

    nearness: Values
    indices: Index

    def difference(self, train: Flags) -> Values:
        """Return nearness to train less nearness to the others, shape (n,).

        Parameters
        ----------
        train : ndarray of bool
            Which real patients are called train. Where no neighbour of a side is listed, the last
            one's nearness stands for it: it cannot be nearer.
        """
        side = train[self.indices]
        row = np.arange(len(side))
        found = []
        for flags in (side, ~side):
            place = np.where(flags.any(axis=1), flags.argmax(axis=1), side.shape[1] - 1)
            found.append(self.nearness[row, place])
        difference: Values = found[0] - found[1]
        return difference

    def nearest(self, train: Flags) -> Index:
        """Return the nearest patient of each row who is called train, shape (n,)."""
        side = train[self.indices]
        found: Index = self.indices[np.arange(len(side)), side.argmax(axis=1)]
        return found


def neighbours_needed(n_train: int, n_holdout: int) -> int:
    """Return how many neighbours to list, so that both sides are nearly always among them.

    Examples
    --------
    >>> neighbours_needed(1000, 1000), neighbours_needed(1500, 500)
    (14, 33)
    """
    smaller = min(n_train, n_holdout) / (n_train + n_holdout)
    needed = int(np.ceil(np.log(MISSED) / np.log1p(-smaller)))
    return min(needed, MOST, n_train + n_holdout)


def relabelled_p(
    near: NearestReal,
    train: Flags,
    least: float,
    *,
    fixed: bool = False,
    repeats: int = REPEATS,
    seed: int = 0,
) -> float:
    """Return how probable it is that chance flags as many rows, by exchanging real patients.

    Parameters
    ----------
    near : NearestReal
    train : ndarray of bool
        Who was trained on.
    least : float
        Smallest margin, as in `reverse_threshold`.
    fixed : bool
        Whether that margin is the threshold.
    repeats, seed : int

    Returns
    -------
    float
        Permutation p-value, at least ``1 / (1 + repeats)``: Phipson & Smyth 2010,
        doi:10.2202/1544-6115.1585. A threshold that is not fixed is set anew in every repeat, so
        that the test is exact for any sizes and any dependence between rows.

    Raises
    ------
    UsageError
        No patient on one side.

    Examples
    --------
    >>> nearness = np.tile([[9.0, 1.0, 0.5]], (30, 1))
    >>> indices = np.column_stack([np.arange(30), np.arange(30) + 30, np.arange(30) + 60])
    >>> near = NearestReal(nearness, indices)
    >>> copied = relabelled_p(near, np.arange(90) < 45, 0.1)
    >>> once = NearestReal(nearness, np.tile([[0, 1, 50]], (30, 1)))
    >>> copied < 0.01 < 0.2 < relabelled_p(once, np.arange(90) < 45, 0.1)
    True
    """
    if train.all() or not train.any():
        raise UsageError("train: needs patients on both sides")

    def count(label: Flags) -> int:
        difference = near.difference(label)
        if fixed:
            return int((difference > least).sum()) - int((difference < -least).sum())
        return int((difference > reverse_threshold(difference, least)).sum())

    observed = count(train)
    if observed <= 0:
        return 1.0
    rng = np.random.default_rng(seed)
    reached = sum(count(rng.permutation(train)) >= observed for _ in range(repeats))
    return (1 + reached) / (1 + repeats)
