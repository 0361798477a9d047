"""Counts of all columns and all pairs of columns of a coded table, and their total variation.

The counts of a pair are a margin of the counts of any larger set of columns that holds it. Columns
of few levels are therefore counted several at a time, and all pairs of them read off afterwards:
190 pairs of a usual table of 20 columns take about 50 passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdq_core.errors import UsageError
from sdq_core.statistics.cell_counts import (
    DENSE,
    DenseCells,
    SparseCells,
    cell_counts,
    sparse_distance,
)

__all__ = [
    "PairCounts",
    "coded_columns",
    "column_distances",
    "cover_pairs",
    "pair_distances",
]

Values = NDArray[np.float64]
Index = NDArray[np.intp]
Columns = Sequence[NDArray[np.integer[Any]]]

TOGETHER = 2**14
"""Most cells that are counted in one pass over several columns: they stay in the fast cache."""

MOST = 2**27
"""Most cells of all pairs together: 1 GiB."""

_ROWS = 2**15


class PairCounts:
    """Counts of single columns and of every pair; a sum over blocks of rows, in any order.

    Parameters
    ----------
    levels : sequence of int
        Levels of each column, at least 1; missing is a level of its own.

    Raises
    ------
    UsageError
        No column, a column without a level, or more than `MOST` cells in all pairs together.

    Examples
    --------
    >>> counts = PairCounts([2, 3])
    >>> counts.update([[0, 2], [1, 2], [1, 2]])
    >>> counts.pair(1, 0).astype(int).tolist()
    [[0, 0], [0, 0], [1, 2]]
    """

    def __init__(self, levels: Sequence[int]) -> None:
        self.levels = tuple(int(v) for v in levels)
        if not self.levels or min(self.levels) < 1:
            raise UsageError(
                f"levels: needs at least 1 level for each of at least 1 column, found {levels}"
            )
        self.total = 0.0
        self._columns = [np.zeros(v) for v in self.levels]
        self._groups = _affordable(self.levels)
        self._tables = [cell_counts(_cells(self.levels, g)) for g in self._groups]
        self._places = {p: k for k, g in enumerate(self._groups) for p in combinations(g, 2)}

    def update(self, codes: ArrayLike | Columns, weights: ArrayLike | None = None) -> None:
        """Count rows.

        Parameters
        ----------
        codes : array_like of int, shape (n, p), or sequence of p arrays of shape (n,)
        weights : array_like, shape (n,), optional
            Not negative: how often each row counts.

        Raises
        ------
        UsageError
            Other columns than announced, or a code outside its levels.
        """
        columns = coded_columns(codes, self.levels)
        n = len(columns[0])
        w = None if weights is None else _weights(weights, n)
        self.total += n if w is None else float(w.sum())
        for start in range(0, n, _ROWS):
            rows = slice(start, start + _ROWS)
            # As bincount wants them: converted once, not once for each pair.
            block = [column[rows].astype(np.intp) for column in columns]
            part = None if w is None else w[rows]
            for column, found in zip(block, self._columns, strict=True):
                found += np.bincount(column, part, len(found))
            for group, table in zip(self._groups, self._tables, strict=True):
                table.add(_fused(block, self.levels, group), part)

    def merge(self, other: PairCounts) -> PairCounts:
        """Return the counts of both together."""
        if self.levels != other.levels:
            raise UsageError(
                f"merge: both need the same levels, found {len(self.levels)} and "
                f"{len(other.levels)} columns whose levels differ; code both by one dictionary"
            )
        both = PairCounts(self.levels)
        both.total = self.total + other.total
        for part in (self, other):
            for found, counts in zip(both._columns, part._columns, strict=True):
                found += counts
            for table, counted in zip(both._tables, part._tables, strict=True):
                table.take(counted)
        return both

    def column(self, j: int) -> Values:
        """Return the counts of a column, shape (levels[j],)."""
        return self._columns[j].copy()

    def pair(self, i: int, j: int) -> Values:
        """Return the counts of a pair of columns as a table, shape (levels[i], levels[j])."""
        if i == j:
            return np.diag(self._columns[i])
        keys, counts = self.cells(i, j)
        table = np.zeros((self.levels[i], self.levels[j]))
        table.ravel()[keys] = counts
        return table

    def cells(self, i: int, j: int) -> tuple[Index, Values]:
        """Return the cells of a pair that may occur, and their counts.

        Parameters
        ----------
        i, j : int
            Two columns.

        Returns
        -------
        keys : ndarray of int, shape (c,)
            Ascending: code of i times ``levels[j]`` plus code of j.
        counts : ndarray, shape (c,)
            A cell may have a count of zero.
        """
        place = self._places.get((min(i, j), max(i, j)))
        if place is None:
            raise UsageError(f"cells: needs two different columns of {len(self.levels)}")
        return self._margin(self._groups[place], self._tables[place], i, j)

    def _margin(
        self, group: tuple[int, ...], table: DenseCells | SparseCells, i: int, j: int
    ) -> tuple[Index, Values]:
        if isinstance(table, SparseCells):
            keys, counts = table.cells()
            if (i, j) != group:
                first, second = np.divmod(keys, self.levels[i])
                keys = second * self.levels[j] + first
                order = np.argsort(keys)
                keys, counts = keys[order], counts[order]
            return keys, counts
        cube = table.counts.reshape([self.levels[c] for c in group])
        others = tuple(axis for axis, c in enumerate(group) if c not in (i, j))
        margin = cube.sum(axis=others)
        if group.index(i) > group.index(j):
            margin = margin.T
        return np.arange(margin.size), margin.ravel()


def cover_pairs(levels: Sequence[int], together: int = TOGETHER) -> list[tuple[int, ...]]:
    """Return sets of columns that hold every pair at least once, few enough cells each.

    Parameters
    ----------
    levels : sequence of int
    together : int
        Most cells of a set of more than two columns.

    Returns
    -------
    list of tuple of int
        Greedy: starts from the pair of most cells that is not held yet, and adds the column that
        brings most new pairs for its size.

    Examples
    --------
    >>> cover_pairs([3, 3, 3, 9000])
    [(0, 3), (1, 3), (2, 3), (0, 1, 2)]
    """
    size = np.asarray(levels, dtype=np.int64)
    p = len(size)
    wanted = ~np.eye(p, dtype=bool)
    first, second = np.triu_indices(p, 1)
    # The cells of a pair may overflow an integer.
    order = np.argsort(-(np.log(size[first]) + np.log(size[second])), kind="stable")
    sets: list[tuple[int, ...]] = []
    cost = np.log(size + 1.0) ** 0.5
    for k in order:
        if not wanted[first[k], second[k]]:
            continue
        group = [int(first[k]), int(second[k])]
        cells = int(size[group[0]]) * int(size[group[1]])
        while True:
            gain = np.where(size * cells <= together, wanted[group].sum(axis=0) / cost, 0.0)
            gain[group] = 0
            best = int(gain.argmax())
            if gain[best] <= 0:
                break
            group.append(best)
            cells *= int(size[best])
        group.sort()
        wanted[np.ix_(group, group)] = False
        sets.append(tuple(group))
    return sets


def column_distances(one: PairCounts, two: PairCounts) -> Values:
    """Return the total variation distance of each column.

    Parameters
    ----------
    one, two : PairCounts
        Of the same levels, each with at least one row.

    Returns
    -------
    ndarray, shape (p,)
        Half the sum of absolute differences of the shares, in [0, 1].

    Examples
    --------
    >>> a, b = PairCounts([2]), PairCounts([2])
    >>> a.update([[0], [1]])
    >>> b.update([[0], [0]])
    >>> column_distances(a, b).tolist()
    [0.5]
    """
    _comparable(one, two)
    return np.array(
        [
            0.5 * np.abs(a / one.total - b / two.total).sum()
            for a, b in zip(one._columns, two._columns, strict=True)
        ]
    )


def pair_distances(one: PairCounts, two: PairCounts) -> Values:
    """Return the total variation distance of every pair of columns; none is skipped.

    Parameters
    ----------
    one, two : PairCounts
        Of the same levels, each with at least one row.

    Returns
    -------
    ndarray, shape (p, p)
        Symmetric, in [0, 1]; the diagonal holds the distances of single columns, which no pair's
        is below. One minus this is the "contingency similarity" of other tools.

    Examples
    --------
    >>> a, b = PairCounts([2, 2]), PairCounts([2, 2])
    >>> a.update([[0, 0], [1, 1]])
    >>> b.update([[0, 1], [1, 0]])
    >>> pair_distances(a, b).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    found = np.diag(column_distances(one, two))
    for group, a, b in zip(one._groups, one._tables, two._tables, strict=True):
        for i, j in combinations(group, 2):
            if found[i, j]:  # known from another set
                continue
            if isinstance(a, SparseCells) and isinstance(b, SparseCells):
                distance = sparse_distance(a, b, one.total, two.total)
            else:
                (_, p), (_, q) = one._margin(group, a, i, j), two._margin(group, b, i, j)
                distance = 0.5 * float(np.abs(p / one.total - q / two.total).sum())
            found[i, j] = found[j, i] = distance
    return np.minimum(found, 1.0)


def coded_columns(codes: ArrayLike | Columns, levels: Sequence[int]) -> Columns:
    """Return the columns of a coded table, checked.

    Parameters
    ----------
    codes : array_like of int, shape (n, p), or sequence of p arrays of shape (n,)
    levels : sequence of int

    Returns
    -------
    sequence of ndarray, shape (n,)

    Raises
    ------
    UsageError
        Other columns than there are levels, lengths that differ, no integers, codes outside.
    """
    if isinstance(codes, np.ndarray) and codes.ndim == 2:
        columns = list(codes.T)
    elif isinstance(codes, (list, tuple)) and all(isinstance(c, np.ndarray) for c in codes):
        columns = list(codes)
    else:
        array = np.asarray(codes)
        columns = list(array.T) if array.ndim == 2 else []
    if not columns and not len(levels):
        return columns
    if len(columns) != len(levels) or len({len(c) for c in columns}) != 1:
        raise UsageError(
            f"codes: needs {len(levels)} columns of one length, one for each entry of levels, "
            f"found {len(columns)}"
        )
    for j, (column, count) in enumerate(zip(columns, levels, strict=True)):
        if column.dtype.kind not in "iub":
            raise UsageError(f"codes: column {j} needs integers, found dtype {column.dtype}")
        if len(column) and (int(column.min()) < 0 or int(column.max()) >= count):
            raise UsageError(
                f"codes: column {j} has codes outside 0..{count - 1}; code it by the dictionary "
                f"of all cohorts, with a level of its own for missing"
            )
    return columns


def _affordable(levels: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Choose sets of columns; pairs alone where larger sets would take much more memory."""
    size = np.array(levels, np.float64)
    cells = np.minimum(np.outer(size, size), DENSE + 1.0)
    held = float(cells[cells <= DENSE].sum() - size[size**2 <= DENSE] @ size[size**2 <= DENSE]) / 2
    if held > MOST:
        raise UsageError(
            f"levels: {len(levels)} columns have {held:.1e} cells in pairs, at most {MOST:.1e} can "
            f"be held; count fewer columns at a time, or fewer levels"
        )
    sets = cover_pairs(levels) if len(levels) <= 300 else []
    together = sum(_cells(levels, g) for g in sets if len(g) > 2)
    if not sets or together > MOST / 8:
        return [(i, j) for i in range(len(levels)) for j in range(i + 1, len(levels))]
    return sets


def _cells(levels: Sequence[int], group: Sequence[int]) -> int:
    cells = 1
    for c in group:
        cells *= levels[c]
    return cells


def _fused(block: Sequence[Index], levels: Sequence[int], group: Sequence[int]) -> Index:
    """One number for the codes of several columns."""
    keys: Index = block[group[0]] * levels[group[1]]
    keys += block[group[1]]
    for c in group[2:]:
        keys *= levels[c]
        keys += block[c]
    return keys


def _weights(weights: ArrayLike, n: int) -> Values:
    w = np.asarray(weights, dtype=np.float64)
    if w.shape != (n,) or not (np.isfinite(w).all() and (w >= 0).all()):
        raise UsageError(f"weights: needs {n} finite numbers, none negative, found shape {w.shape}")
    return w


def _comparable(one: PairCounts, two: PairCounts) -> None:
    if one.levels != two.levels:
        raise UsageError("one, two: need the same levels; code both by one dictionary")
    if one.total <= 0 or two.total <= 0:
        raise UsageError("one, two: each needs at least one row; nothing was counted")
