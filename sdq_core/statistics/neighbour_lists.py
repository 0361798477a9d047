"""Precision, recall, density and coverage of many parts of the same rows, from one search.

The sphere of a row within a part reaches to its k-th nearest row of that part. It is told by the
row's nearest neighbours on its own side (real or synthetic) as soon as k of them are of the part;
who else lies in it, by its nearest neighbours on the other side, as far as these reach. Where a
list is too short for a part, the row is searched for again. So one exact search serves every
re-split and every half sample, and memory is a list of neighbours for each row instead of all
distances. Distances are those of the rows' differences: ties are ties.
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
Values = NDArray[np.float64]
Mask = NDArray[np.bool_]

LENGTH: Final = 128
"""Neighbours in a list: a part may hold one row in ten before one in a hundred is searched for
again."""


class NeighbourLists:
    """The nearest neighbours of each row on each side.

    Parameters
    ----------
    z : array_like, shape (N, d)
    synthetic : array_like of bool, shape (N,), optional
        Which rows are on the other side; every part lies on one side. By default there is one.
    length : int
        Neighbours in a list; it changes the time and the memory, and no result.

    Examples
    --------
    >>> z = np.random.default_rng(0).normal(size=(60, 3))
    >>> NeighbourLists(z).prdc(np.arange(30), np.arange(30, 60), k=3).precision > 0.5
    True
    """

    def __init__(
        self,
        z: ArrayLike,
        synthetic: ArrayLike | None = None,
        length: int = LENGTH,
    ) -> None:
        self._z = matrix(z, "z")
        n = len(self._z)
        self._side = np.zeros(n, np.intp) if synthetic is None else np.asarray(synthetic, np.intp)
        if self._side.shape != (n,):
            raise UsageError(f"synthetic: needs one truth value for each of {n} rows")
        self._sides = [np.flatnonzero(self._side == s) for s in (0, 1)]
        self._place = np.empty(n, np.intp)
        for rows in self._sides:
            self._place[rows] = np.arange(len(rows))
        self._length = length
        self._lists: dict[tuple[int, int], tuple[Values, Index]] = {}
        self._centred = self._z - self._z.mean(axis=0)
        self._norms = (self._centred * self._centred).sum(axis=1)

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
            As `precision_recall_density_coverage` of these rows, up to ties, which rounding breaks
            there.

        Raises
        ------
        UsageError
            `k` is not below the rows of either part, or a part lies on both sides.
        """
        if not 1 <= k < min(len(real), len(synthetic)):
            raise UsageError(
                f"k: must be 1 to {min(len(real), len(synthetic)) - 1} (fewer than the rows of "
                f"either part), found {k}"
            )
        if any(len(np.unique(self._side[part])) > 1 for part in (real, synthetic)):
            raise UsageError("real, synthetic: each must lie on one side")
        in_real, held, hits = self._spheres(real, synthetic, k)
        in_synthetic, _, _ = self._spheres(synthetic, real, k)
        return PRDC(
            precision=float(in_real[synthetic].mean()),
            recall=float(in_synthetic[real].mean()),
            density=hits / (k * len(synthetic)),
            coverage=float(held.mean()),
        )

    def _spheres(self, centres: Index, others: Index, k: int) -> tuple[Mask, Mask, int]:
        """Return which rows lie in a sphere, which spheres hold one, and how often all of them."""
        radius = self._radii(centres, k)
        among = np.zeros(len(self._z), bool)
        among[others] = True
        inside_any = np.zeros(len(self._z), bool)
        holds = np.zeros(len(centres), bool)
        hits = 0
        distances, indices = self._list(centres, others)
        whole = distances.shape[1] >= len(self._sides[self._side[others[0]]]) - 1
        far = np.zeros(len(centres), bool)
        for some in self._blocks(len(centres), distances.shape[1]):
            rows = self._place[centres[some]]
            near, reach = indices[rows], radius[some]
            inside = among[near] & (distances[rows] < reach[:, None])
            # A sphere that reaches beyond its list may hold more than the list says.
            far[some] = ~whole & (reach > distances[rows][:, -1])
            inside &= ~far[some][:, None]
            inside_any[near[inside]] = True
            holds[some] = inside.any(axis=1)
            hits += int(np.count_nonzero(inside))
        rest = np.flatnonzero(far)
        for some in self._blocks(len(rest), len(others)):
            found = self._within(centres[rest[some]], radius[rest[some]], others)
            inside_any[others[found.any(axis=0)]] = True
            holds[rest[some]] = found.any(axis=1)
            hits += int(np.count_nonzero(found))
        return inside_any, holds, hits

    def _radii(self, part: Index, k: int) -> Values:
        """Return the distance of each row of a part to its k-th nearest other row of the part."""
        among = np.zeros(len(self._z), bool)
        among[part] = True
        distances, indices = self._list(part, part)
        found = np.empty(len(part))
        known = np.zeros(len(part), bool)
        for some in self._blocks(len(part), distances.shape[1]):
            rows = self._place[part[some]]
            count = np.cumsum(among[indices[rows]], axis=1)
            at = np.argmax(count >= k, axis=1)
            found[some] = distances[rows, at]
            known[some] = count[np.arange(len(rows)), at] >= k
        lacking = np.flatnonzero(~known)
        if len(lacking):
            near, _ = nearest_neighbours(self._z[part[lacking]], self._z[part], k + 1)
            found[lacking] = near[:, k]  # the row itself is one of them, at no distance
        return found

    def _list(self, centres: Index, others: Index) -> tuple[Values, Index]:
        """Return, for each row of one side, its nearest rows of a side and their distances."""
        key = int(self._side[centres[0]]), int(self._side[others[0]])
        if key not in self._lists:
            own, targets = self._sides[key[0]], self._sides[key[1]]
            same = key[0] == key[1]
            k = min(self._length + same, len(targets))
            distances, indices = nearest_neighbours(self._z[own], self._z[targets], k)
            if same:
                # A row is no neighbour of itself; of rows equal to it any may stand first.
                itself = indices == np.arange(len(own))[:, None]
                itself[~itself.any(axis=1), -1] = True
                distances = distances[~itself].reshape(len(own), -1)
                indices = indices[~itself].reshape(len(own), -1)
            self._lists[key] = distances, targets[indices]
        return self._lists[key]

    def _within(self, rows: Index, radius: Values, others: Index) -> Mask:
        """Return which of some rows lie nearer to each row than its radius, exactly."""
        a, b = self._centred[rows], self._centred[others]
        squared = self._norms[rows][:, None] + self._norms[others] - 2 * (a @ b.T)
        limit = (radius * radius)[:, None]
        # Bound of the rounding in the norms and products: what lies nearer to the limit is
        # measured directly.
        reach = np.sqrt(self._norms[rows])[:, None] + np.sqrt(self._norms[others])
        scale = reach + float(np.abs(self._z).max())
        slack = 8 * np.finfo(np.float64).eps * (self._z.shape[1] + 2) * scale * scale
        found: Mask = squared < limit
        unsure_row, unsure_other = np.nonzero(np.abs(squared - limit) <= slack)
        for some in self._blocks(len(unsure_row), self._z.shape[1]):
            i, j = unsure_row[some], unsure_other[some]
            difference = self._z[rows[i]] - self._z[others[j]]
            found[i, j] = np.sqrt((difference * difference).sum(axis=1)) < radius[i]
        return found

    def _blocks(self, count: int, width: int) -> list[slice]:
        step = rows_per_block(max(width, 1))
        return [slice(start, start + step) for start in range(0, count, step)]
