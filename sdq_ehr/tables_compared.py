"""The rows of each table that take part in a comparison, and their columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.statistics.coding import cut, cut_points, mid_ranks
from sdq_ehr.patient_rows import commonest_codes
from sdq_ehr.records import Codes, RecordTable
from sdq_ehr.resampled import Resampled

__all__ = ["Compared", "Number", "binned", "compared_tables", "in_groups", "pooled_levels"]

Values = NDArray[np.float64]
Index = NDArray[np.intp]

PROVENANCE: Final = "provenance"


@dataclass(frozen=True, eq=False)
class Number:
    """A number of some rows.

    Parameters
    ----------
    name : str
        ``labs.value``, or ``labs.value [2160-0]`` of one code.
    rows : ndarray, intp
        Rows of the compared table, in its order.
    values : ndarray, float64
        NaN is missing.
    is_date : bool
    """

    name: str
    rows: Index
    values: Values
    is_date: bool


@dataclass(frozen=True, eq=False)
class Compared:
    """The rows of one table whose patients take part.

    Parameters
    ----------
    table : RecordTable
    rows : ndarray, shape (n,), intp
        Rows of the table, by patient and time.
    place : ndarray, shape (n,), intp
        Row of the comparison of each row's patient.
    real : ndarray of bool, shape (n,)
    side : Resampled
    """

    table: RecordTable
    rows: Index
    place: Index
    real: NDArray[np.bool_]
    side: Resampled

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def name(self) -> str:
        """Name of the table."""
        return self.table.name

    @property
    def numbers(self) -> Mapping[str, Values]:
        """Columns of numbers, but those of provenance."""
        return {c: v[self.rows] for c, v in self.table.numbers.items() if self._counts(c)}

    @property
    def codes(self) -> Mapping[str, Codes]:
        """Columns of categories, but those of provenance; the last level is missing."""
        return {c: v[self.rows] for c, v in self.table.codes.items() if self._counts(c)}

    def levels(self, column: str) -> tuple[str, ...]:
        """Return the names of a category's levels, the missing one last."""
        return self.table.levels[column]

    def is_date(self, column: str) -> bool:
        """Whether a column of numbers holds dates."""
        return self.table.columns[column].type in ("date", "datetime")

    def coded_by(self, column: str) -> str:
        """Return the column whose code says what a number is; empty when there is none."""
        code = self.table.columns[column].code
        return code if code in self.table.codes else ""

    def apart(self) -> Iterator[Number]:
        """Yield each number; values with a code one by one for the commonest real codes."""
        for column, values in self.numbers.items():
            name = f"{self.name}.{column}"
            by = self.coded_by(column)
            if not by:
                rows = np.arange(len(values))
                yield Number(name, rows, values, self.is_date(column))
                continue
            codes, levels = self.table.codes[by][self.rows], self.table.levels[by]
            whole = np.isfinite(self.table.numbers[column])
            for k in commonest_codes(self.side.records, self.table, by, whole):
                rows = np.flatnonzero(codes == k)
                yield Number(f"{name} [{levels[k]}]", rows, values[rows], self.is_date(column))

    def ranked(self, column: str) -> Values:
        """Return a number, or where a code says what it is, its rank among real ones of the code.

        Parameters
        ----------
        column : str

        Returns
        -------
        ndarray, shape (n,)
            NaN is missing; codes that no real row has give no rank.
        """
        values, by = self.numbers[column], self.coded_by(column)
        if not by:
            return values
        found = np.full(len(values), np.nan)
        for _, rows in in_groups(self.table.codes[by][self.rows]):
            pool = values[rows][self.real[rows]]
            if np.isfinite(pool).any():
                found[rows] = mid_ranks(pool, values[rows])
        return found

    def _counts(self, column: str) -> bool:
        return self.table.columns[column].meaning != PROVENANCE


@lru_cache(maxsize=2)
def compared_tables(side: Resampled) -> tuple[Compared, ...]:
    """Return the tables whose rows are compared, in the schema's order; kept for all measures.

    Parameters
    ----------
    side : Resampled
    """
    found = []
    for table in side.records.tables.values():
        at = side.place[table.owner]
        rows = np.flatnonzero(at >= 0)
        found.append(Compared(table, rows, at[rows], side.pool[at[rows]], side))
    return tuple(found)


def binned(values: Values, real: NDArray[np.bool_], bins: int) -> tuple[Index, int]:
    """Cut a number at quantiles of its real values.

    Parameters
    ----------
    values : ndarray, shape (n,)
        NaN is missing.
    real : ndarray of bool, shape (n,)
    bins : int

    Returns
    -------
    codes : ndarray, shape (n,), intp
        Missing is the last level.
    levels : int

    Examples
    --------
    >>> binned(np.array([1.0, 2.0, np.nan, 9.0]), np.array([True, True, True, False]), 2)
    (array([0, 1, 2, 1]), 3)
    """
    limits = cut_points(values[real], bins)
    return cut(values, limits).astype(np.intp), len(limits) + 2


def pooled_levels(codes: Codes, real: NDArray[np.bool_], missing: int, most: int) -> Index:
    """Keep the commonest real levels and the missing one; all others become one.

    Parameters
    ----------
    codes : ndarray, shape (n,)
    real : ndarray of bool, shape (n,)
    missing : int
        Code of the missing level.
    most : int
        Levels that are kept.

    Returns
    -------
    ndarray, shape (n,), intp
        0..most-1 by frequency, `most` for others, ``most + 1`` for missing.

    Examples
    --------
    >>> pooled_levels(np.array([5, 5, 2, 7, 9]), np.ones(5, bool), 9, 1).tolist()
    [0, 0, 1, 1, 2]
    """
    count = np.bincount(codes[real & (codes != missing)], minlength=missing + 1)
    order = np.argsort(-count, kind="stable")[:most]
    lookup = np.full(missing + 1, most, np.intp)
    kept = order[count[order] > 0]
    lookup[kept] = np.arange(len(kept))
    lookup[missing] = most + 1
    return np.asarray(lookup[codes])


def in_groups(codes: Codes | Index) -> Iterator[tuple[int, Index]]:
    """Yield each code that occurs and its rows, ascending."""
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    for part in np.split(order, starts[1:]) if len(order) else ():
        yield int(codes[part[0]]), part
