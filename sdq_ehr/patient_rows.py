"""One row a patient: the patient table's columns, and what the other tables say in sum.

Distances, attacks and classifiers work on these rows; what is lost in them, the order of events
and which values occur together, is measured on the tables themselves.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from sdq_core.statistics.mixed_rows import MixedRows
from sdq_ehr.records import MISSING, Records, RecordTable

__all__ = ["Layout", "PatientRows", "Summary", "commonest_codes", "fit_layout"]

How = Literal["value", "rows", "days", "mean", "different", "commonest"]

MOST_CODES: Final = 20
"""Codes by which values are summed up apart: the commonest real ones."""
LEAST_SHARE: Final = 0.02
"""Of real patients that have a level with a coordinate of its own; rarer ones share one."""
LEAST_PATIENTS: Final = 3
"""Real patients that must share a level or a code before it is spelled out: a rarer one could name
a person, see `sdq_core.rare_values`."""
APART: Final = ("class", "provenance")
"""Meanings of columns that are no part of a patient's row: what is predicted from it, and where it
comes from."""
OTHER: Final = "(other)"
NO_ROW: Final = "(no row)"

Values = NDArray[np.float64]
Index = NDArray[np.intp]
Codes = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Summary:
    """One column of a patient's row.

    Parameters
    ----------
    table : str
    how : str
        ``value``: the cell of the patient's row. Of tables in which a patient has several rows:
        ``rows``: their number; ``days``: from the first to the last; ``mean`` of a number;
        ``different``: number of different values; ``commonest`` value, of equal ones the first.
    column : str
        Empty for ``rows`` and ``days``.
    by, code : str
        Column and value of the code to which a mean is limited; empty: all rows.
    levels : tuple of str
        Of a category: levels with a coordinate of their own.
    centre, spread : float
        Of a number among real patients: median, and the larger of the robust deviation and a
        hundredth of the range.
    """

    table: str
    how: How
    column: str = ""
    by: str = ""
    code: str = ""
    levels: tuple[str, ...] = ()
    centre: float = 0.0
    spread: float = 1.0

    @property
    def name(self) -> str:
        """Name for people: ``labs.value [2160-0]: mean``."""
        place = f"{self.table}.{self.column}" if self.column else self.table
        limited = f" [{self.code}]" if self.by else ""
        return place + limited + ("" if self.how == "value" else f": {self.how}")

    @property
    def is_category(self) -> bool:
        """Whether the column holds levels, not numbers."""
        return self.how == "commonest" or bool(self.levels)


@dataclass(frozen=True, eq=False)
class PatientRows:
    """One row for each patient.

    Parameters
    ----------
    rows : MixedRows
    numbers, categories : tuple of Summary
        Columns of the rows.
    levels : tuple of tuple of str
        Of each category, all that occur, the missing one last.
    """

    rows: MixedRows
    numbers: tuple[Summary, ...]
    categories: tuple[Summary, ...]
    levels: tuple[tuple[str, ...], ...]

    @property
    def sizes(self) -> list[int]:
        """Number of levels of each category."""
        return [len(level) for level in self.levels]


@dataclass(frozen=True)
class Layout:
    """Which columns a patient's row has; decided by real patients alone.

    Parameters
    ----------
    columns : tuple of Summary
        Numbers first.
    """

    columns: tuple[Summary, ...]

    @cached_property
    def sha256(self) -> str:
        """Hash of the layout, for the settings of a describer."""
        plain = json.dumps([asdict(c) for c in self.columns], sort_keys=True)
        return hashlib.sha256(plain.encode()).hexdigest()

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Names of the coordinates of `points`."""
        return tuple(name for column in self.columns for name in _coordinates(column))

    def rows(self, records: Records) -> PatientRows:
        """Return the rows of all patients, with every level that occurs.

        Parameters
        ----------
        records : Records
        """
        numbers = [c for c in self.columns if not c.is_category]
        categories = [c for c in self.columns if c.is_category]
        coded = [_category(records, c) for c in categories]
        n = records.count
        if not self.columns:
            return PatientRows(MixedRows(np.ones((n, 1)), np.empty((n, 0), np.int32)), (), (), ())
        return PatientRows(
            MixedRows(
                np.column_stack([_number(records, c) for c in numbers])
                if numbers
                else np.empty((n, 0)),
                np.column_stack([codes for codes, _ in coded])
                if coded
                else np.empty((n, 0), np.int32),
            ),
            tuple(numbers),
            tuple(categories),
            tuple(names for _, names in coded),
        )

    def points(self, records: Records) -> NDArray[np.float32]:
        """Return the patients as points, one coordinate a number or level.

        Parameters
        ----------
        records : Records

        Returns
        -------
        ndarray, shape (n, d), float32
            Numbers less the real median over the real spread, cut to +-8, 0 where missing, with
            an indicator of that beside; indicators of levels, those that fewer than 2 % of the
            real patients have together, scaled by the root of one half: two different levels lie
            one apart.
        """
        found: list[Values] = []
        for column in self.columns:
            if column.is_category:
                codes, names = _category(records, column)
                # Of equal names the last: a cell may say "(missing)", and is not missing.
                place = {name: k for k, name in enumerate(names)}
                own = [place.get(v, -1) for v in column.levels]
                found += [(codes == k) * np.sqrt(0.5) for k in own]
                found.append(np.isin(codes, own, invert=True) * np.sqrt(0.5))
            else:
                values = _number(records, column)
                known = np.isfinite(values)
                scaled = (np.where(known, values, column.centre) - column.centre) / column.spread
                found += [np.clip(scaled, -8, 8), (~known).astype(np.float64)]
        if not found:
            return np.zeros((records.count, 1), np.float32)
        return np.column_stack(found).astype(np.float32)


def fit_layout(records: Records) -> Layout:
    """Decide which columns a patient's row has.

    Parameters
    ----------
    records : Records
        Real patients decide; others are not looked at.

    Returns
    -------
    Layout
        Of the patient table each number and each category. Of every other table the number of
        rows, the days from the first to the last, the mean of each number (by code for the 20
        commonest real codes, where a code says what it is), and of each category the commonest
        value and the number of different ones. What is the same for all real patients is kept:
        a generator may differ in it. Columns of the class and of provenance are left out.
    """
    made = [_fitted(records, c) for t in records.tables.values() for c in _columns(records, t)]
    return Layout((
        *(c for c in made if not c.is_category), *(c for c in made if c.is_category)
    ))  # fmt: skip


def commonest_codes(
    records: Records, table: RecordTable, column: str, rows: NDArray[np.bool_] | None = None
) -> list[int]:
    """Return the codes that most real patients have, commonest first; at most 20.

    Parameters
    ----------
    records : Records
    table : RecordTable
    column : str
        Of codes.
    rows : ndarray of bool, optional
        Rows that count.
    """
    codes, missing = table.codes[column], len(table.levels[column]) - 1
    wanted = records.real[table.owner] & (codes != missing)
    if rows is not None:
        wanted = wanted & rows
    pairs = np.unique(np.stack([table.owner[wanted], codes[wanted]]), axis=1)
    count = np.bincount(pairs[1], minlength=missing + 1)
    order = np.argsort(-count, kind="stable")[:MOST_CODES]
    return [int(k) for k in order if count[k] >= LEAST_PATIENTS]


def _columns(records: Records, table: RecordTable) -> Iterator[Summary]:
    """Yield the columns that a table gives to a patient's row."""
    told = {c for c, about in table.columns.items() if about.meaning in APART}
    if table.name == records.schema.home or (table.single and len(table)):
        yield from (Summary(table.name, "value", c) for c in table.numbers if c not in told)
        for column in table.codes:
            if column not in told:
                yield Summary(table.name, "value", column, levels=(OTHER,))
        return
    yield Summary(table.name, "rows")
    if table.time is not None:
        yield Summary(table.name, "days")
    for column, values in table.numbers.items():
        about = table.columns[column]
        if about.type in ("date", "datetime") or column in told:
            continue
        if about.code in table.codes:
            levels = table.levels[about.code]
            for k in commonest_codes(records, table, about.code, np.isfinite(values)):
                yield Summary(table.name, "mean", column, about.code, levels[k])
        else:
            yield Summary(table.name, "mean", column)
    for column in table.codes:
        if column in told:
            continue
        yield Summary(table.name, "different", column)
        yield Summary(table.name, "commonest", column)


def _fitted(records: Records, column: Summary) -> Summary:
    """Give a column the levels, or the centre and spread, that real patients have."""
    if column.is_category:
        codes, names = _category(records, column)
        count = np.bincount(codes[records.real], minlength=len(names))
        own = np.flatnonzero(count >= max(LEAST_SHARE * records.real.sum(), LEAST_PATIENTS))
        return replace(column, levels=tuple(names[k] for k in own) or (OTHER,))
    values = _number(records, column)[records.real]
    known = values[np.isfinite(values)]
    if not len(known):
        return column
    low, middle, high = np.percentile(known, [25, 50, 75])
    spread = max((high - low) * 0.7413, float(np.ptp(known)) / 100)
    return replace(column, centre=float(middle), spread=float(spread) if spread > 0 else 1.0)


def _coordinates(column: Summary) -> Sequence[str]:
    if column.is_category:
        return [*(f"{column.name} = {v}" for v in column.levels), f"{column.name} = {OTHER}"]
    return [column.name, f"{column.name} {MISSING}"]


def _number(records: Records, column: Summary) -> Values:
    """Return a number of each patient, NaN where there is none."""
    table, n = records.tables[column.table], records.count
    owner = table.owner
    if column.how == "rows":
        return np.bincount(owner, minlength=n).astype(np.float64)
    if column.how == "days":
        return np.full(n, np.nan) if table.time is None else _span(table.time, owner, n)
    if column.how == "different":
        codes = table.codes[column.column]
        known = codes < len(table.levels[column.column]) - 1
        pairs = np.unique(np.stack([owner[known], codes[known]]), axis=1)
        return np.bincount(pairs[0], minlength=n).astype(np.float64)
    values = table.numbers[column.column]
    if column.how == "value":
        placed = np.full(n, np.nan)
        first = _first_rows(table)
        placed[owner[first]] = values[first]
        return placed
    rows = np.isfinite(values)
    if column.by:
        names = table.levels[column.by]
        stated = names[:-1]  # the last is that of missing ones
        code = stated.index(column.code) if column.code in stated else -1
        rows &= table.codes[column.by] == code
    count = np.bincount(owner[rows], minlength=n)
    total = np.bincount(owner[rows], weights=values[rows], minlength=n)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _category(records: Records, column: Summary) -> tuple[Codes, tuple[str, ...]]:
    """Return the code of each patient and the names of the codes, missing or no row last."""
    table, n = records.tables[column.table], records.count
    codes, levels = table.codes[column.column], table.levels[column.column]
    if column.how == "value":
        placed = np.full(n, len(levels) - 1, np.int32)
        first = _first_rows(table)
        placed[table.owner[first]] = codes[first]
        return placed, levels
    placed = np.full(n, len(levels), np.int32)
    if len(table):
        pairs, count = np.unique(np.stack([table.owner, codes]), axis=1, return_counts=True)
        order = np.lexsort((-count, pairs[0]))
        owner = pairs[0][order]
        first = np.flatnonzero(np.append(True, owner[1:] != owner[:-1]))
        placed[owner[first]] = pairs[1][order][first]
    return placed, (*levels, NO_ROW)


def _first_rows(table: RecordTable) -> Index:
    """First row of each patient."""
    if not len(table):
        return np.empty(0, np.intp)
    return np.flatnonzero(np.append(True, table.owner[1:] != table.owner[:-1]))


def _span(time: Values, owner: Index, n: int) -> Values:
    known = np.isfinite(time)
    low, high = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(low, owner[known], time[known])
    np.maximum.at(high, owner[known], time[known])
    return np.where(high >= low, high - low, np.nan)
