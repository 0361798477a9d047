"""The tables of all cohorts of a study side by side, as numbers and codes with one coding.

Patients are counted over the cohorts in the order train, holdout, synthetic; the patient of row k
of a cohort's description table is ``start of the cohort + k``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sdq_core.characteristics.comparison import Comparison
from sdq_core.cohort import Cohorts
from sdq_core.vocabulary import Role
from sdq_ehr.dataset import Dataset
from sdq_ehr.schema import Column, Schema

__all__ = [
    "RecordTable",
    "Records",
    "dataset_of",
    "days",
    "item_ids",
    "records_of",
    "records_of_dataset",
]

NUMERIC: Final = ("number", "integer", "date", "datetime")
CODED: Final = ("category", "code", "boolean", "unit")
"""Column types that are compared as numbers and as categories; keys and free text are neither."""

MISSING: Final = "(missing)"
"""Name of the level of cells without a value."""

Values = NDArray[np.float64]
Index = NDArray[np.intp]
Codes = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class RecordTable:
    """One table of all cohorts, rows of one patient together and in order of time.

    Parameters
    ----------
    name : str
    owner : ndarray, shape (n,), intp
        Patient of each row, ascending.
    numbers : mapping of str to ndarray, shape (n,), float64
        Columns of numbers; dates as days since 1970-01-01; NaN is missing.
    codes : mapping of str to ndarray, shape (n,), int32
        Columns of categories; the last level is "missing", in every column.
    levels : mapping of str to tuple of str
        Names of the levels, in ascending order, then the missing one.
    columns : mapping of str to Column
        What the schema says of them.
    time : ndarray, shape (n,), float64, or None
        Days since 1970-01-01 of the column that orders rows; NaN is missing.
    single : bool
        Whether each patient has one row at most.
    """

    name: str
    owner: Index
    numbers: Mapping[str, Values]
    codes: Mapping[str, Codes]
    levels: Mapping[str, tuple[str, ...]]
    columns: Mapping[str, Column]
    time: Values | None
    single: bool

    def __len__(self) -> int:
        return len(self.owner)

    def rows_of(self, patients: NDArray[np.bool_]) -> Index:
        """Return the rows of the patients of a mask over all patients, ascending."""
        return np.flatnonzero(patients[self.owner])


@dataclass(frozen=True, eq=False)
class Records:
    """All tables of a study's cohorts.

    Parameters
    ----------
    schema : Schema
        That of the first cohort, train.
    starts : mapping of Role to int
        First patient of each cohort.
    count : int
        Patients of all cohorts.
    tables : mapping of str to RecordTable
        Without dictionaries, whose rows belong to no patient.
    """

    schema: Schema
    starts: Mapping[Role, int]
    count: int
    tables: Mapping[str, RecordTable]

    @cached_property
    def real(self) -> NDArray[np.bool_]:
        """Which patients are real, shape (count,)."""
        found = np.zeros(self.count, bool)
        found[: self.starts[Role.SYNTHETIC]] = True
        return found

    @property
    def home(self) -> RecordTable | None:
        """The table with one row a patient, if there is one."""
        return self.tables.get(self.schema.home)

    def events(self) -> Iterator[RecordTable]:
        """Yield the tables in which a patient may have several rows."""
        for name, table in self.tables.items():
            if name != self.schema.home:
                yield table

    def patients(self, comparison: Comparison) -> Index:
        """Return the patient of every row of a comparison, shape (N,)."""
        starts = np.array([self.starts[Role(r)] for r in comparison.roles.tolist()], np.intp)
        return starts + comparison.rows


@lru_cache(maxsize=2)
def records_of(cohorts: Cohorts) -> Records:
    """Put the tables of a study's cohorts side by side.

    Parameters
    ----------
    cohorts : Cohorts
        Their items are those of `sdq_ehr.reading.list_items`.

    Returns
    -------
    Records
        Levels are those that occur in any cohort; a column that one cohort lacks is missing there.

    Raises
    ------
    InputError
        A cohort cannot be read any more.
    """
    parts: list[tuple[Dataset, dict[str, Index]]] = []
    starts: dict[Role, int] = {}
    count = 0
    for cohort in cohorts.all:
        dataset = dataset_of(cohorts, cohort.role)
        place = {str(i): k for k, i in enumerate(cohort.table.ids)}
        ids = item_ids(dataset)
        of = np.array([place.get(i, -1) for i in ids], np.intp)
        unread = np.zeros(len(ids), bool)
        unread[of >= 0] = ~cohort.table.readable[of[of >= 0]]
        of = np.where((of >= 0) & ~unread, of + count, -1)
        starts[cohort.role] = count
        owners = {
            name: np.where(rows >= 0, of[rows], -1) if len(of) else rows
            for name, rows in dataset.patients().rows.items()
        }
        parts.append((dataset, owners))
        count += len(cohort)
    return _joined(parts, starts, count)


def dataset_of(cohorts: Cohorts, role: Role) -> Dataset:
    """Return the data set of one cohort, read before or anew.

    Parameters
    ----------
    cohorts : Cohorts
    role : Role

    Raises
    ------
    InputError
        The cohort cannot be read any more.
    """
    from sdq_ehr.reading import open_dataset
    from sdq_ehr.settings import EhrSettings

    settings = EhrSettings.of(cohorts.study.settings)
    return open_dataset(cohorts.study.cohorts[role].path, settings)


def records_of_dataset(dataset: Dataset) -> Records:
    """Return the tables of one data set of real patients, in the order of `Dataset.patients`.

    Parameters
    ----------
    dataset : Dataset
    """
    patients = dataset.patients()
    count = len(patients)
    starts = {Role.TRAIN: 0, Role.SYNTHETIC: count}
    return _joined([(dataset, dict(patients.rows))], starts, count)


def _joined(
    parts: list[tuple[Dataset, dict[str, Index]]], starts: dict[Role, int], count: int
) -> Records:
    schema = parts[0][0].schema
    tables = {
        name: _side_by_side(schema, name, parts)
        for name in schema.tables
        if not schema.is_dictionary(name)
    }
    return Records(schema, starts, count, tables)


def item_ids(dataset: Dataset) -> list[str]:
    """Return the ids of a data set's patients, in the order of `Dataset.patients`."""
    patients = dataset.patients()
    return [
        f"{dataset.files.get(str(t)) or t}#{row + 1}"
        for t, row in zip(patients.tables, patients.firsts.tolist(), strict=True)
    ]


def days(values: pa.ChunkedArray) -> Values:
    """Return dates or times as days since 1970-01-01, numbers as they are; NaN where missing."""
    kind = values.type
    if pa.types.is_date32(kind):
        values = values.cast(pa.int32())
    elif pa.types.is_timestamp(kind):
        values = values.cast(pa.int64())
    found = np.asarray(pc.cast(values, pa.float64()).to_numpy(zero_copy_only=False), np.float64)
    return found / 86_400_000_000 if pa.types.is_timestamp(kind) else found


def _side_by_side(
    schema: Schema, name: str, parts: list[tuple[Dataset, dict[str, Index]]]
) -> RecordTable:
    definition = schema.tables[name]
    skip = {schema.patient_column(name), *definition.key, *definition.references} - {""}
    columns = {c: d for c, d in definition.columns.items() if c not in skip}
    present = [(d.tables[name], owners[name]) for d, owners in parts if name in d.tables]
    owner = np.concatenate([o for _, o in present])
    time = None
    if definition.time:
        time = np.concatenate([_number(t, definition.time) for t, _ in present])
    kept = np.flatnonzero(owner >= 0)
    # Of equal times the rows stay in the order of the file.
    keys = (owner[kept],) if time is None else (time[kept], owner[kept])
    order = kept[np.lexsort(keys)]
    numbers, codes, levels = {}, {}, {}
    for column, about in columns.items():
        if about.type in NUMERIC:
            values = np.concatenate([_number(t, column) for t, _ in present])[order]
            numbers[column] = np.where(np.isfinite(values), values, np.nan)
        elif about.type in CODED:
            found, names = _coded([_text(t, column) for t, _ in present])
            codes[column], levels[column] = found[order], names
    sorted_owner = owner[order]
    return RecordTable(
        name,
        sorted_owner,
        numbers,
        codes,
        levels,
        columns,
        None if time is None else time[order],
        bool((sorted_owner[1:] != sorted_owner[:-1]).all()),
    )


def _number(table: pa.Table, column: str) -> Values:
    if table.schema.get_field_index(column) < 0:
        return np.full(table.num_rows, np.nan)
    values = table[column]
    if pa.types.is_string(values.type) or pa.types.is_boolean(values.type):
        return np.full(table.num_rows, np.nan)
    return days(values)


def _text(table: pa.Table, column: str) -> pa.ChunkedArray:
    if table.schema.get_field_index(column) < 0:
        return pa.chunked_array([pa.nulls(table.num_rows, pa.string())])
    values = table[column]
    return values if pa.types.is_string(values.type) else values.cast(pa.string())


def _coded(parts: list[pa.ChunkedArray]) -> tuple[Codes, tuple[str, ...]]:
    """Code texts by their ascending order over all parts; missing is the last code."""
    whole = pa.chunked_array([c for p in parts for c in p.chunks], pa.string())
    known = sorted(v for v in pc.unique(whole).to_pylist() if v is not None)
    found = pc.index_in(whole, value_set=pa.array(known, pa.string()))
    filled = pc.fill_null(found, len(known)).to_numpy(zero_copy_only=False)
    return np.asarray(filled, np.int32), (*known, MISSING)
