"""Health records in memory: tables with types, and whose row is whose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sdq_core.finding import Finding
from sdq_ehr.finding import RowFinding
from sdq_ehr.schema import Schema

__all__ = ["ARROW_TYPES", "BLOCK", "Dataset", "Patients"]

BLOCK = 65536
"""Rows of a block."""

ARROW_TYPES: Mapping[str, pa.DataType] = {
    "identifier": pa.string(),
    "category": pa.string(),
    "code": pa.string(),
    "number": pa.float64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "datetime": pa.timestamp("us"),
    "unit": pa.string(),
    "text": pa.string(),
}
"""Column type of the schema -> Arrow type of the parsed column."""


@dataclass(frozen=True, eq=False)
class Patients:
    """The patients of a data set in their order, and whose each row is.

    Parameters
    ----------
    keys : ndarray, shape (n,), str
        What the data call the patient; empty where a row without a key is a patient.
    rows : mapping of str to ndarray, intp
        Table -> patient of each row; -1 where it is none: an orphan, or a dictionary's row.
    tables : ndarray, shape (n,), str
        Table in which the patient first stands.
    firsts : ndarray, shape (n,), intp
        Row of that table, counted from 0.
    """

    keys: NDArray[np.str_]
    rows: Mapping[str, NDArray[np.intp]]
    tables: NDArray[np.str_]
    firsts: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.keys)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Tables after parsing by a schema.

    Parameters
    ----------
    schema : Schema
    tables : mapping of str to pyarrow.Table
        One a table of the schema, with exactly its columns in the types of `ARROW_TYPES`; null is
        missing. A table whose file is missing has no rows, a missing column is null throughout;
        both are findings.
    findings : tuple of Finding
        About the whole data set, its files and columns.
    row_findings : sequence of RowFinding
        About rows: attributed to patients by `patients`.
    places : mapping of str to pyarrow.ChunkedArray
        Table -> text of the place of each row (file and entry) where rows come from many files.
    files : mapping of str to str
        Table -> file that it was read from, relative to the cohort's folder; empty for frames.
    broken : mapping of str to str
        Lines that are no rows, as ``file#line n``, and SHA-256 of what stands there.
    known : Patients, optional
        Whose rows they are, where that is known already.

    Examples
    --------
    >>> schema = Schema(tables={"t": {"columns": {"x": {"type": "integer"}}}})
    >>> data = Dataset(schema, {"t": pa.table({"x": [1, 2, None]})})
    >>> len(data.patients()), [len(b) for b in data.iter_blocks("t", ["x"], rows=2)]
    (3, [2, 1])
    """

    schema: Schema
    tables: Mapping[str, pa.Table]
    findings: tuple[Finding, ...] = ()
    row_findings: Sequence[RowFinding] = ()
    places: Mapping[str, pa.ChunkedArray] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    known: Patients | None = None

    def patients(self) -> Patients:
        """Return the patients and whose each row is; found once, then kept."""
        return self._patients

    @cached_property
    def _patients(self) -> Patients:
        if self.known is not None:
            return self.known
        home = self.schema.home
        return _by_reference(self, _of_home(self, home) if home else _of_keys(self))

    def of_patients(self, patients: NDArray[np.intp]) -> Dataset:
        """Return the records of some patients alone, rows in their order, without findings.

        Parameters
        ----------
        patients : ndarray, shape (k,), intp
            Ascending, none twice; the k-th is patient k of what is returned.

        Examples
        --------
        >>> schema = Schema(tables={"t": {"columns": {"x": {"type": "integer"}}}})
        >>> data = Dataset(schema, {"t": pa.table({"x": [1, 2, 3]})})
        >>> data.of_patients(np.array([0, 2])).tables["t"]["x"].to_pylist()
        [1, 3]
        """
        whole = self.patients()
        named, firsts = whole.tables[patients], whole.firsts[patients].copy()
        tables, owners = {}, {}
        for name, table in self.tables.items():
            order, starts = self._rows_by_patient[name]
            rows = _within(order, starts[patients], starts[patients + 1])
            counts = starts[patients + 1] - starts[patients]
            owner = np.repeat(np.arange(len(patients)), counts)
            back = np.argsort(rows, kind="stable")
            rows = rows[back]
            tables[name], owners[name] = _rows(table, rows), owner[back]
            firsts[named == name] = np.searchsorted(rows, firsts[named == name])
        known = Patients(whole.keys[patients], owners, named, firsts)
        return Dataset(self.schema, tables, files=self.files, known=known)

    def index(self) -> None:
        """Find the rows of each patient now; they are kept."""
        _ = self._rows_by_patient

    @cached_property
    def _rows_by_patient(self) -> Mapping[str, tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """For each table its rows in the order of patients, and where each patient's begin."""
        count = len(self.patients())
        found = {}
        for name, owner in self.patients().rows.items():
            order = np.argsort(owner, kind="stable")
            starts = np.searchsorted(owner[order], np.arange(count + 1))
            found[name] = (order.astype(np.intp), starts.astype(np.intp))
        return found

    def iter_blocks(
        self, table: str, columns: Sequence[str], rows: int = BLOCK
    ) -> Iterator[pa.RecordBatch]:
        """Yield some columns of a table block by block, in order.

        Parameters
        ----------
        table : str
        columns : sequence of str
        rows : int
            Most rows of a block, at least 1.
        """
        for batch in self.tables[table].select(list(columns)).to_batches(max_chunksize=rows):
            if len(batch):
                yield batch

    def place(self, table: str, row: int) -> str:
        """Return where a row stands, for messages: file and row, or file and entry."""
        if table in self.places:
            return str(self.places[table][row].as_py())
        return f"{self.files.get(table) or table}, row {row + 1}"


def _within(
    order: NDArray[np.intp], starts: NDArray[np.intp], ends: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Return the elements of several ranges, one range after the other."""
    sizes = ends - starts
    shift = np.repeat(starts - np.concatenate(([0], np.cumsum(sizes)[:-1])), sizes)
    found: NDArray[np.intp] = order[np.arange(int(sizes.sum())) + shift]
    return found


def _rows(table: pa.Table, rows: NDArray[np.intp]) -> pa.Table:
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
        return table.slice(int(rows[0]), len(rows))
    return table.take(pa.array(rows))


def _by_reference(dataset: Dataset, found: Patients) -> Patients:
    """Give rows that name no patient that of the row which they refer to."""
    rows = dict(found.rows)
    waiting = {
        name: path
        for name in dataset.tables
        if (path := dataset.schema.patients_by_reference(name)) is not None
    }
    while waiting:
        ready = [n for n, (_, other, _) in waiting.items() if other not in waiting]
        if not ready:  # references in a circle lead to no patient
            break
        for name in ready:
            column, other, key = waiting.pop(name)
            if other not in dataset.tables:
                continue
            known = _keys(dataset, other, key)
            at = _indices(_keys(dataset, name, column), known.unique())
            first = _indices(known.unique(), known)
            at = np.where(at >= 0, first[at] if len(first) else -1, -1)
            owners = rows[other]
            rows[name] = np.where(at >= 0, owners[at] if len(owners) else -1, -1).astype(np.intp)
    return Patients(found.keys, rows, found.tables, found.firsts)


def _keys(dataset: Dataset, table: str, column: str) -> pa.Array:
    values = dataset.tables[table][column]
    if not pa.types.is_string(values.type):
        values = values.cast(pa.string())
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def _indices(values: pa.Array, keys: pa.Array) -> NDArray[np.intp]:
    """Return the place of each value among unique keys; -1 where it has none."""
    found = pc.index_in(values, value_set=keys, skip_nulls=True)
    return np.asarray(pc.fill_null(found, -1).to_numpy(zero_copy_only=False), np.intp)


def _of_home(dataset: Dataset, home: str) -> Patients:
    """Patients are the rows of a table; two rows with one key are one patient."""
    schema, count = dataset.schema, dataset.tables[home].num_rows
    column = schema.patient_key
    if column:
        values = _keys(dataset, home, column)
        encoded = values.dictionary_encode()
        known, codes = encoded.dictionary, pc.fill_null(encoded.indices, -1)
        owner, firsts, shown = _distinct(np.asarray(codes.to_numpy(zero_copy_only=False), np.intp))
        order = np.full(len(known), -1, np.intp)
        order[shown[shown >= 0]] = np.flatnonzero(shown >= 0)
        names = np.where(shown >= 0, _texts(known, shown), "").astype(np.str_)
    else:
        known, order = pa.array([], pa.string()), np.empty(0, np.intp)
        owner = firsts = np.arange(count, dtype=np.intp)
        names = np.full(count, "", np.str_)
    rows: dict[str, NDArray[np.intp]] = {}
    for table in dataset.tables:
        other = schema.patient_column(table)
        if table == home:
            rows[table] = owner
        elif other and column:
            at = _indices(_keys(dataset, table, other), known)
            rows[table] = np.where(at >= 0, order[at] if len(order) else -1, -1)
        else:
            rows[table] = np.full(dataset.tables[table].num_rows, -1, np.intp)
    return Patients(names, rows, np.full(len(names), home), firsts)


def _distinct(
    codes: NDArray[np.intp],
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Count patients by first appearance; a row without a key (code -1) is a patient of its own.

    Returns the patient of each row, the first row of each patient, and its code.
    """
    own = codes.copy()
    blank = np.flatnonzero(codes < 0)
    top = int(codes.max(initial=-1)) + 1
    own[blank] = top + np.arange(len(blank))
    seen, firsts, owner = np.unique(own, return_index=True, return_inverse=True)
    rank = np.argsort(firsts, kind="stable")
    place = np.empty_like(rank)
    place[rank] = np.arange(len(rank))
    shown = np.where(seen < top, seen, -1)
    return place[owner].astype(np.intp), firsts[rank].astype(np.intp), shown[rank]


def _of_keys(dataset: Dataset) -> Patients:
    """Patients are the distinct keys over all tables, in order of first appearance."""
    schema = dataset.schema
    named = [t for t in dataset.tables if schema.patient_column(t)]
    columns = {t: _keys(dataset, t, schema.patient_column(t)) for t in named}
    known = pc.drop_null(pa.chunked_array(list(columns.values())).unique())
    known = known.combine_chunks() if isinstance(known, pa.ChunkedArray) else known
    tables = np.full(len(known), "", dtype=object)
    firsts = np.full(len(known), -1, np.intp)
    rows: dict[str, NDArray[np.intp]] = {}
    for table in dataset.tables:
        if table not in columns:
            rows[table] = np.full(dataset.tables[table].num_rows, -1, np.intp)
            continue
        at = _indices(columns[table], known)
        rows[table] = at
        seen, first = np.unique(at, return_index=True)
        new = (seen >= 0) & (firsts[seen] < 0)
        firsts[seen[new]], tables[seen[new]] = first[new], table
    names = _texts(known, np.arange(len(known)))
    return Patients(names, rows, tables.astype(np.str_), firsts)


def _texts(values: pa.Array, index: NDArray[np.intp]) -> NDArray[np.str_]:
    if not len(values):
        return np.full(len(index), "", np.str_)
    return np.asarray(values.to_numpy(zero_copy_only=False)[index], dtype=np.str_)
