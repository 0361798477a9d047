"""How surprising the agreement of two rows is: sees rows of which only a part was copied.

A distance punishes every column that differs, so a row of which half the columns were copied lies
no nearer to its original than strangers do. Here a column that differs costs nothing, and one that
agrees counts by how rarely real values agree as well by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import UsageError
from sdq_core.statistics.blocked_search import copies_needed, first_copies, search
from sdq_core.statistics.coding import mid_ranks
from sdq_core.statistics.contingency import coded_columns
from sdq_core.statistics.mixed_rows import MixedRows

__all__ = ["Agreement", "AgreementSpace"]

Values = NDArray[np.float64]
Index = NDArray[np.intp]

STEPS = 128
"""Steps of a number's rank: finer than what the cap lets count."""

CAP = float(np.log(30))
"""Most that a number can count, in nats: a rounded value cannot surprise more than 1 in 30."""

_ROOM = 60_000  # of 65,535


@dataclass(frozen=True, eq=False)
class Agreement:
    """The most surprising agreements of each query row.

    Parameters
    ----------
    surprisal : ndarray, shape (n, k)
        In nats, descending; minus infinity where groups left fewer than k rows.
    indices : ndarray, shape (n, k), intp
        Reference rows; -1 where there is none.
    """

    surprisal: Values
    indices: Index

    @property
    def best(self) -> Values:
        """The most surprising agreement of each query row, shape (n,)."""
        return self.surprisal[:, 0]


class AgreementSpace:
    """What agreement is worth, by a pool of real rows.

    Parameters
    ----------
    pool : MixedRows
        Real rows: where train and holdout are both searched, both, so that neither is favoured.
    levels : sequence of int
        Levels of each category, over all cohorts.

    Notes
    -----
    ``s(x, y)`` is the sum over columns of ``-log P(a real value agrees with x at least as well as
    y does)``: for a category the level's share in the pool, ``(count + 1/2) / (n + 1/2)``, and 0
    when the levels differ; for a number the pool's share within the same distance in ranks, the
    larger one of both rows' points of view, at most `CAP`. Both missing: the missing share,
    likewise capped; one missing: 0. It is the log-likelihood ratio of record linkage, Fellegi &
    Sunter, JASA 64, 1969, doi:10.1080/01621459.1969.10501049, with agreement by chance taken from
    the pool and disagreement made free.

    Examples
    --------
    >>> codes = np.array([[0], [0], [0], [1]])
    >>> rows = MixedRows(np.empty((4, 0)), codes)
    >>> space = AgreementSpace(rows, [2])
    >>> found = space.nearest(rows, rows, k=1)
    >>> found.best.round(2).tolist()
    [0.25, 0.25, 0.25, 1.1]
    """

    def __init__(self, pool: MixedRows, levels: Sequence[int]) -> None:
        if not len(pool):
            raise UsageError("pool: needs at least one row")
        self.levels = tuple(int(v) for v in levels)
        self._sorted = [np.sort(x[~np.isnan(x)]) for x in pool.numbers.T]
        self._tables = [_number_table(steps, len(pool)) for steps in self._steps(pool.numbers).T]
        self._worth = [
            -np.log((np.bincount(c, minlength=v) + 0.5) / (len(pool) + 0.5))
            for c, v in zip(self._codes(pool), self.levels, strict=True)
        ]

    def nearest(
        self,
        query: MixedRows,
        reference: MixedRows,
        k: int = 2,
        groups: tuple[NDArray[np.generic], NDArray[np.generic]] | None = None,
    ) -> Agreement:
        """Return the reference rows with which each query row agrees most surprisingly.

        Parameters
        ----------
        query, reference : MixedRows
            As the pool; not encoded.
        k : int
        groups : pair of ndarray, optional
            Pairs of one group do not count.

        Returns
        -------
        Agreement
            Of equal surprisals the lower index comes first.

        Raises
        ------
        UsageError
            Other columns than the pool's; codes outside their levels; `k` outside its range.
        """
        if not 1 <= k <= len(reference):
            raise UsageError(f"k: must be 1 to {len(reference)} (the reference rows), found {k}")
        sides = [(self._steps(r.numbers), self._codes(r)) for r in (query, reference)]
        copies = copies_needed(k, groups)
        kept = first_copies([*sides[1][0].T, *sides[1][1]], copies) if copies else None
        if kept is not None:
            part = None if groups is None else (groups[0], groups[1][kept])
            found = self.nearest(query, reference.take(kept), k, part)
            return Agreement(found.surprisal, np.where(found.indices < 0, -1, kept[found.indices]))
        model = _Model(self._tables, self._worth, sides[0], sides[1])
        costs, indices = search(model, (len(query), len(reference)), k, groups)
        return Agreement(-costs, indices)

    def surprisal(self, first: MixedRows, second: MixedRows) -> Values:
        """Return the surprisal of each row of `first` with the same row of `second`, shape (n,)."""
        sides = [(self._steps(r.numbers), self._codes(r)) for r in (first, second)]
        rows = np.arange(len(first))
        return -_Model(self._tables, self._worth, sides[0], sides[1]).exact(rows, rows)

    def _steps(self, numbers: Values) -> NDArray[np.intp]:
        if numbers.shape[1] != len(self._sorted):
            raise UsageError(f"rows: need {len(self._sorted)} numbers, found {numbers.shape[1]}")
        steps = np.full(numbers.shape, STEPS, dtype=np.intp)
        for j, pool in enumerate(self._sorted):
            ranks = mid_ranks(pool, numbers[:, j])
            kept = ~np.isnan(ranks)
            steps[kept, j] = np.minimum((ranks[kept] * STEPS).astype(np.intp), STEPS - 1)
        return steps

    def _codes(self, rows: MixedRows) -> list[NDArray[np.intp]]:
        if not self.levels and not rows.categories.shape[1]:
            return []
        return [c.astype(np.intp) for c in coded_columns(rows.categories, self.levels)]


def _number_table(steps: NDArray[np.intp], n: int) -> Values:
    """Worth of agreement of every two steps; the last step is missing."""
    counts = np.bincount(steps, minlength=STEPS + 1)
    below = np.concatenate([[0], np.cumsum(counts[:STEPS])])
    i, j = np.indices((STEPS, STEPS))
    reach = np.abs(i - j)
    inside = below[np.minimum(i + reach + 1, STEPS)] - below[np.maximum(i - reach, 0)]
    # Both points of view, so that it is the same from train to synthetic and back.
    share = (np.maximum(inside, inside.T) + 0.5) / (n + 0.5)
    worth = np.zeros((STEPS + 1, STEPS + 1))
    worth[:STEPS, :STEPS] = -np.log(share)
    worth[STEPS, STEPS] = -np.log((counts[STEPS] + 0.5) / (n + 0.5))
    return np.minimum(np.maximum(worth, 0.0), CAP)


class _Model:
    """Costs in 16-bit integers, looked up a column at a time."""

    dtype = np.dtype(np.uint16)

    def __init__(
        self,
        tables: Sequence[Values],
        worth: Sequence[Values],
        query: tuple[NDArray[np.intp], list[NDArray[np.intp]]],
        reference: tuple[NDArray[np.intp], list[NDArray[np.intp]]],
    ) -> None:
        self.tables, self.worth, self.query, self.reference = tables, worth, query, reference
        tops = [float(t.max()) for t in (*tables, *worth)]
        unit = _ROOM / max(sum(tops), 1e-9)
        self.steps = [
            np.rint((top - t) * unit).astype(np.uint16)
            for t, top in zip(tables, tops, strict=False)
        ]
        self.codes = [
            (np.rint((top - w) * unit).astype(np.uint16), round(top * unit))
            for w, top in zip(worth, tops[len(tables) :], strict=True)
        ]
        self.error = 0.5 * len(tops) + 1

    def prepare(self, queries: slice) -> Any:
        """Return for each column: costs of a reference's level beside each query, and levels."""
        found = []
        for j, table in enumerate(self.steps):
            found.append((table[:, self.query[0][queries, j]], self.reference[0][:, j]))
        for j, (cost, full) in enumerate(self.codes):
            codes = self.query[1][j][queries]
            # Levels that no query here has are all alike: a small table whatever the dictionary.
            present, column = np.unique(codes, return_inverse=True)
            line = np.full(len(cost), len(present))
            line[present] = np.arange(len(present))
            table = np.full((len(present) + 1, len(codes)), full, np.uint16)
            table[column, np.arange(len(codes))] = cost[codes]
            found.append((table, line[self.reference[1][j]]))
        return found

    def tile(self, prepared: Any, references: slice, out: NDArray[Any]) -> None:
        """Write what agreement falls short of the most that there can be."""
        (table, level), *others = prepared
        np.take(table, level[references], axis=0, out=out, mode="clip")
        more = np.empty_like(out)
        for table, level in others:
            np.take(table, level[references], axis=0, out=more, mode="clip")
            out += more

    def exact(self, queries: Index, references: Index) -> Values:
        """Return minus the surprisals."""
        total = np.zeros(len(queries))
        for j, table in enumerate(self.tables):
            total -= table[self.query[0][queries, j], self.reference[0][references, j]]
        for a, b, worth in zip(self.query[1], self.reference[1], self.worth, strict=True):
            code = a[queries]
            total -= np.where(code == b[references], worth[code], 0.0)
        return total
