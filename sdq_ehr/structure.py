"""Whether the tables hold together: keys, references, required values, rows a patient."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sdq_ehr.cells.texts import mask
from sdq_ehr.dataset import Dataset, Patients
from sdq_ehr.finding import RowFinding
from sdq_ehr.rules import row_finding
from sdq_ehr.schema import Table

__all__ = ["check_structure"]


def check_structure(dataset: Dataset) -> Sequence[RowFinding]:
    """Check keys, references, required and allowed values, and the number of rows a patient has.

    Parameters
    ----------
    dataset : Dataset

    Returns
    -------
    sequence of RowFinding
        One a rule and column that some rows break. References to a table without rows are not
        checked: that its rows are missing is a finding already.

    Examples
    --------
    >>> from sdq_ehr.schema import Schema
    >>> schema = Schema(tables={"t": {"key": ["id"], "columns": {"id": {"type": "identifier"}}}})
    >>> found = check_structure(Dataset(schema, {"t": pa.table({"id": ["1", "2", "1", None]})}))
    >>> [(f.rule, f.rows.tolist()) for f in found]
    [('ehr.structure.key_missing', [3]), ('ehr.structure.key_duplicate', [2])]
    """
    patients = dataset.patients()
    found: list[RowFinding] = []
    for name, definition in dataset.schema.tables.items():
        table = dataset.tables.get(name)
        if table is None or not table.num_rows:
            continue
        found += _keys(name, definition, table)
        found += _patients(dataset, patients, name)
        found += _references(dataset, patients, name)
        found += _values(name, definition, table)
        found += _cardinality(dataset, patients, name)
    return [f for f in found if len(f)]


def _keys(name: str, definition: Table, table: pa.Table) -> Iterator[RowFinding]:
    if not definition.key:
        return
    label = ", ".join(definition.key)
    absent = np.zeros(table.num_rows, bool)
    code = np.zeros(table.num_rows, np.int64)
    for column in definition.key:
        index = _codes(table[column])
        # The first column alone says whether a row has a key; further ones may be empty.
        absent |= (index < 0) & (column == definition.key[0])
        code = code * (int(index.max(initial=0)) + 2) + index + 1
        code = np.unique(code, return_inverse=True)[1].astype(np.int64)
    yield row_finding(name, absent, "key_missing", label)
    _, firsts = np.unique(code, return_index=True)
    again = np.ones(table.num_rows, bool)
    again[firsts] = False
    yield row_finding(name, again & ~absent, "key_duplicate", label)


def _patients(dataset: Dataset, patients: Patients, name: str) -> Iterator[RowFinding]:
    column = dataset.schema.patient_column(name)
    if not column:
        return
    absent = mask(pc.is_null(_whole(dataset.tables[name][column])))
    if dataset.schema.tables[name].key != (column,):
        yield row_finding(name, absent, "patient_missing", column)
    home = dataset.schema.home
    if home and home != name and dataset.tables[home].num_rows:
        orphans = (patients.rows[name] < 0) & ~absent
        yield row_finding(name, orphans, "patient_orphan", column)


def _references(dataset: Dataset, patients: Patients, name: str) -> Iterator[RowFinding]:
    table = dataset.tables[name]
    for column, reference in dataset.schema.tables[name].references.items():
        target = dataset.schema.split(reference)
        if target is None or target[0] not in dataset.tables:
            continue
        other, key = target
        if not dataset.tables[other].num_rows or column == dataset.schema.patient_column(name):
            continue  # a patient who is not there has a rule of his own
        values, keys = _texts(table[column]), _texts(dataset.tables[other][key])
        at = pc.index_in(values, value_set=_distinct(keys), skip_nulls=True)
        orphan = mask(pc.and_(pc.is_valid(values), pc.is_null(at)))
        yield row_finding(name, orphan, "orphan", column)
        if not dataset.schema.is_dictionary(name) and not dataset.schema.is_dictionary(other):
            first = _first_rows(values, keys)
            mine, theirs = patients.rows[name], patients.rows[other][first]
            strange = (first >= 0) & (mine >= 0) & (theirs >= 0) & (mine != theirs)
            yield row_finding(name, strange, "other_patient", column)


def _values(name: str, definition: Table, table: pa.Table) -> Iterator[RowFinding]:
    for column, what in definition.columns.items():
        if not what.required and not what.values:
            continue
        values = _whole(table[column])
        if what.required and column not in definition.key:
            yield row_finding(name, mask(pc.is_null(values)), "required", column)
        if what.values and pa.types.is_string(values.type):
            allowed = pa.array(list(what.values), pa.string())
            known = mask(pc.is_in(values, value_set=allowed))
            yield row_finding(name, mask(pc.is_valid(values)) & ~known, "value_unknown", column)


def _cardinality(dataset: Dataset, patients: Patients, name: str) -> Iterator[RowFinding]:
    definition, home = dataset.schema.tables[name], dataset.schema.home
    if dataset.schema.is_dictionary(name):
        return
    owner = patients.rows[name]
    counts = np.bincount(owner[owner >= 0], minlength=len(patients))
    if definition.rows_minimum and home:
        few = counts < definition.rows_minimum
        yield row_finding(home, patients.firsts[few], "too_few_rows", name)
    if definition.rows_maximum is not None:
        order = np.argsort(owner, kind="stable")
        starts = np.searchsorted(owner[order], owner[order], side="left")
        rank = np.empty(len(owner), np.intp)
        rank[order] = np.arange(len(owner)) - starts
        many = (rank >= definition.rows_maximum) & (owner >= 0)
        yield row_finding(name, many, "too_many_rows")


def _whole(values: pa.ChunkedArray | pa.Array) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def _texts(values: pa.ChunkedArray) -> pa.Array:
    whole = _whole(values)
    return whole if pa.types.is_string(whole.type) else whole.cast(pa.string())


def _distinct(values: pa.Array) -> pa.Array:
    return pc.drop_null(pc.unique(values))


def _codes(values: pa.ChunkedArray) -> NDArray[np.int64]:
    encoded = _whole(values).dictionary_encode()
    codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
    return np.asarray(codes, np.int64)


def _first_rows(values: pa.Array, keys: pa.Array) -> NDArray[np.intp]:
    """Return the first row that holds each value as its key; -1 where there is none."""
    at = pc.index_in(values, value_set=keys, skip_nulls=True)
    return np.asarray(pc.fill_null(at, -1).to_numpy(zero_copy_only=False), np.intp)
