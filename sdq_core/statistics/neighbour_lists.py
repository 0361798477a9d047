"""Precision, recall, density and coverage of many parts of the same rows, from one search.

The sphere of a row within a part reaches to its k-th nearest row of that part. Who lies in it is
told by the row's nearest neighbours among *all* rows, as soon as k of them are of the part; where
they are not, the row is searched for again. So one exact search serves every re-split and every
half sample, and memory is a list of neighbours for each row instead of all distances.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdq_core.errors import UsageError
from sdq_core.statistics.arrays import matrix, rows_per_block
from sdq_core.statistics.neighbours import PRDC, nearest_neighbours

__all__ = ["NeighbourLists"]

Index = NDArray[np.intp]

LENGTH: Final = 128
"""Neighbours in a list: a part may hold one row in ten before one in a hundred is searched for
again."""


class NeighbourLists:
    """The nearest neighbours of each row among all rows.

    Parameters
    ----------
    z : array_like, shape (N, d)
    length : int
        Neighbours in a list; it changes the time and the memory, and no result.
    device : str
        As in `nearest_neighbours`.

    Examples
    --------
    >>> z = np.random.default_rng(0).normal(size=(60, 3))
    >>> NeighbourLists(z).prdc(np.arange(30), np.arange(30, 60), k=3).precision > 0.5
    True
    """

    def __init__(self, z: ArrayLike, length: int = LENGTH, *, device: str = "cpu") -> None:
        self._rows = matrix(z, "z")
        k = min(length + 1, len(self._rows))
        distances, indices = nearest_neighbours(self._rows, self._rows, k, device=device)
        # A row is no neighbour of itself; of rows that are equal to it any may stand first.
        own = indices == np.arange(len(indices))[:, None]
        own[~own.any(axis=1), -1] = True
        self._distances = distances[~own].reshape(len(own), -1)
        self._indices = indices[~own].reshape(len(own), -1)

    def prdc(self, real: Index, synthetic: Index, k: int = 5) -> PRDC:
        """Return the measures of two parts.

        Parameters
        ----------
        real, synthetic : ndarray of int
            Rows of the parts, none twice.
        k : int
            Neighbour that sets the radius, the row itself not counted.

        Returns
        -------
        PRDC
            As `precision_recall_density_coverage` of these rows, up to ties within rounding.

        Raises
        ------
        UsageError
            `k` is not below the rows of either part.
        """
        if not 1 <= k < min(len(real), len(synthetic)):
            raise UsageError(
                f"k: must be 1 to {min(len(real), len(synthetic)) - 1} (fewer than the rows of "
                f"either part), found {k}"
            )
        part = np.zeros(len(self._rows), np.int8)
        part[real], part[synthetic] = 1, 2
        in_real_spheres, held, hits = self._spheres(real, part, 1, k)
        in_synthetic_spheres, _, _ = self._spheres(synthetic, part, 2, k)
        return PRDC(
            precision=float(in_real_spheres[synthetic].mean()),
            recall=float(in_synthetic_spheres[real].mean()),
            density=hits / (k * len(synthetic)),
            coverage=float(held.mean()),
        )

    def _spheres(
        self, centres: Index, part: NDArray[np.int8], own: int, k: int
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_], int]:
        """Return which rows lie in a sphere, which spheres hold a row, and all that they hold."""
        inside_any = np.zeros(len(part), bool)
        holds = np.zeros(len(centres), bool)
        hits = 0
        lacking: list[int] = []
        step = rows_per_block(self._indices.shape[1])
        for start in range(0, len(centres), step):
            rows = centres[start : start + step]
            near, far = self._indices[rows], self._distances[rows]
            of = part[near]
            count = np.cumsum(of == own, axis=1)
            known = count[:, -1] >= k if count.shape[1] else np.zeros(len(rows), bool)
            radius = far[np.arange(len(rows)), np.argmax(count >= k, axis=1)]
            inside = (of == 3 - own) & (far < radius[:, None]) & known[:, None]
            inside_any[near[inside]] = True
            holds[start : start + len(rows)] = inside.any(axis=1)
            hits += int(np.count_nonzero(inside))
            lacking += (start + np.flatnonzero(~known)).tolist()
        own_rows, others = np.flatnonzero(part == own), np.flatnonzero(part == 3 - own)
        for place in lacking:
            row = centres[place]
            among = self._distance(row, own_rows[own_rows != row])
            radius = np.partition(among, k - 1)[k - 1]
            inside = self._distance(row, others) < radius
            inside_any[others[inside]] = True
            holds[place] = inside.any()
            hits += int(np.count_nonzero(inside))
        return inside_any, holds, hits

    def _distance(self, row: np.intp, others: Index) -> NDArray[np.float64]:
        found = np.empty(len(others))
        step = rows_per_block(self._rows.shape[1])
        for start in range(0, len(others), step):
            some = slice(start, start + step)
            difference = self._rows[others[some]] - self._rows[row]
            found[some] = np.sqrt((difference * difference).sum(axis=1))
        return found
