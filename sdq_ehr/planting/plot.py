"""Records that are worked on: their typed tables, and where each row came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sdq_core.calibration.defect import Member
from sdq_ehr.dataset import Dataset, Patients
from sdq_ehr.defects import Sample
from sdq_ehr.formats.delimited_layout import Layout
from sdq_ehr.planting.fhir_setting import element_of
from sdq_ehr.schema import Column, Schema, Table
from sdq_ehr.semantics.context import Context

__all__ = ["FRESH", "ROW", "CannotPlant", "Edit", "FileEdit", "Index", "Origin", "Plot", "Rng"]

ROW: Final = "\0row"
"""Column that says from which row of `Origin` a row was taken; no file has a column so named."""
FRESH: Final = -1
"""Value of `ROW` of a row that stands in no file."""

Index = NDArray[np.intp]
Rng = np.random.Generator
Edit = Callable[[dict[str, Any]], None]
"""Changes a FHIR resource where it stands."""
FileEdit = Callable[[Path], None]
"""Changes files of a folder that was written."""


class CannotPlant(Exception):
    """A defect has no place in the records.

    Parameters
    ----------
    reason, reason_zh : str
        What the schema or the records lack.
    """

    def __init__(self, reason: str, reason_zh: str) -> None:
        super().__init__(reason)
        self.reason, self.reason_zh = reason, reason_zh


@dataclass(frozen=True, eq=False)
class Origin:
    """The rows from which records are written, as they were found.

    Parameters
    ----------
    typed : mapping of str to pyarrow.Table
        Table -> its rows, read by the schema, with `ROW`.
    cells : mapping of str to pyarrow.Table
        The same rows as they stand in the files; empty for FHIR.
    sources : mapping of str to mapping of str to str
        Table -> column of the schema -> column of the cells.
    files : mapping of str to str
        Table -> name of its file in a cohort's folder.
    layouts : mapping of str to Layout
        How delimited files are written.
    resources : mapping of str to sequence of dict
        FHIR: table -> resource of each row.
    others : sequence of dict
        FHIR: resources that have no table.
    member : mapping of str to ndarray of intp
        Table -> which of `members` owns a row; -1 for nobody.
    members : tuple of Member
    single : bool
        Whether cohorts are single files.
    taken : mapping of str to frozenset of str
        Column class -> numbers that the real records use.
    """

    typed: Mapping[str, pa.Table]
    cells: Mapping[str, pa.Table] = field(default_factory=dict)
    sources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    layouts: Mapping[str, Layout] = field(default_factory=dict)
    resources: Mapping[str, Sequence[dict[str, Any]]] = field(default_factory=dict)
    others: Sequence[dict[str, Any]] = ()
    member: Mapping[str, Index] = field(default_factory=dict)
    members: tuple[Member, ...] = ()
    single: bool = False
    taken: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Plot:
    """Records on their way to a folder.

    Parameters
    ----------
    sample : Sample
        Typed tables, with `ROW`, in the order in which they will be written.
    origin : Origin
    texts : mapping of (str, str) to mapping of int to str
        Table and column -> row -> cell to be written as it is.
    columns_gone, tables_gone : frozenset
        What is not written: ``(table, column)``; tables.
    columns_more : mapping of str to mapping of str to list of str
        Table -> further columns, named as in the file -> a cell for each row.
    labels : mapping of int to mapping of str to str
        Patient -> what the label table shall say instead.
    known_only : bool
        Whether columns that the schema does not name are left out.
    edits : mapping of (str, int) to tuple of Edit
        FHIR: table and row -> changes of its resource.
    file_edits : tuple of FileEdit
    years : mapping of str to (int, int)
        Of the real records, for the rules about years.
    """

    sample: Sample
    origin: Origin
    texts: Mapping[tuple[str, str], Mapping[int, str]] = field(default_factory=dict)
    columns_gone: frozenset[tuple[str, str]] = frozenset()
    tables_gone: frozenset[str] = frozenset()
    columns_more: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    labels: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    known_only: bool = False
    edits: Mapping[tuple[str, int], tuple[Edit, ...]] = field(default_factory=dict)
    file_edits: tuple[FileEdit, ...] = ()
    years: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def schema(self) -> Schema:
        """What the columns mean."""
        return self.sample.schema

    @property
    def is_fhir(self) -> bool:
        """Whether the records are FHIR resources."""
        return self.schema.model == "fhir" and not self.origin.files

    @cached_property
    def dataset(self) -> Dataset:
        """The tables without `ROW`, for rules and for whose a row is."""
        tables = {n: t.drop_columns([ROW]) for n, t in self.sample.tables.items()}
        return Dataset(self.schema, tables)

    @cached_property
    def context(self) -> Context:
        """What rules know of the tables."""
        return Context(self.dataset, None, self.years)

    @property
    def patients(self) -> Patients:
        """The patients in the order in which they will be listed."""
        return self.dataset.patients()

    def definition(self, table: str) -> Table:
        """Return what the schema says of a table."""
        return self.schema.tables[table]

    def about(self, table: str, column: str) -> Column:
        """Return what the schema says of a column."""
        return self.schema.tables[table].columns[column]

    def events(self) -> tuple[str, ...]:
        """Return the tables whose rows belong to patients and are there."""
        return tuple(
            n for n, t in self.sample.tables.items()
            if t.num_rows and not self.schema.is_dictionary(n)
        )  # fmt: skip

    def keys(self, table: str) -> frozenset[str]:
        """Return the columns of a table that only connect rows."""
        definition = self.definition(table)
        own = self.schema.patient_column(table)
        return frozenset({*definition.key, *definition.references, *([own] if own else [])})

    def places(
        self, *types: str, meanings: Sequence[str] = (), system: Sequence[str] = ()
    ) -> list[tuple[str, str]]:
        """Return the columns of patients of some type, meaning and code system, keys left out."""
        return [
            (table, name)
            for table in self.events()
            for name, about in self.definition(table).columns.items()
            if (not types or about.type in types)
            and (not meanings or about.meaning in meanings)
            and (not system or about.system in system)
            and name not in self.keys(table)
            and about.meaning != "provenance"
            and self.sample.tables[table][name].null_count < self.sample.tables[table].num_rows
            and self.is_written(table, name)
        ]

    def is_written(self, table: str, column: str) -> bool:
        """Return whether a column stands in the files, or in an element of the resources."""
        if self.is_fhir:
            return element_of(table, column)
        return column in self.origin.sources.get(table, {})

    def values(self, table: str, column: str) -> list[Any]:
        """Return the values of a column."""
        return list(self.sample.tables[table][column].to_pylist())

    def rows_of(self, table: str, patients: Index) -> Index:
        """Return the rows of some patients."""
        return np.flatnonzero(np.isin(self.patients.rows[table], patients))

    def with_cells(self, table: str, column: str, cells: Mapping[int, Any]) -> Plot:
        """Return the records with other values of the column's own type."""
        if not cells:
            return self
        old = self.sample.tables[table][column]
        values = old.to_pylist()
        for row, value in cells.items():
            values[row] = value
        return self.with_sample(self.sample.with_column(table, column, pa.array(values, old.type)))

    def with_texts(self, table: str, column: str, cells: Mapping[int, str]) -> Plot:
        """Return the records with cells that are written as given, whatever their column's type."""
        known = dict(self.texts.get((table, column), {}))
        return replace(self, texts={**self.texts, (table, column): known | dict(cells)})

    def with_sample(self, sample: Sample) -> Plot:
        """Return the records with other typed tables."""
        return replace(self, sample=sample)

    def with_edits(self, table: str, rows: Sequence[int], edit: Edit) -> Plot:
        """Return the records with another change of the resources of some rows."""
        new = {(table, int(r)): (*self.edits.get((table, int(r)), ()), edit) for r in rows}
        return replace(self, edits={**self.edits, **new})

    def with_file_edit(self, edit: FileEdit) -> Plot:
        """Return the records with another change of the files."""
        return replace(self, file_edits=(*self.file_edits, edit))

    def without_rows(self, table: str, rows: Sequence[int]) -> Plot:
        """Return the records without some rows of a table."""
        gone = np.zeros(self.sample.tables[table].num_rows, bool)
        gone[list(rows)] = True
        place = np.cumsum(~gone) - 1
        kept = self.sample.tables[table].filter(pa.array(~gone))
        sample = replace(self.sample, tables={**self.sample.tables, table: kept})
        texts = {
            (t, c): {int(place[r]): v for r, v in cells.items() if not gone[r]}
            if t == table else cells
            for (t, c), cells in self.texts.items()
        }  # fmt: skip
        edits = {
            (t, int(place[r]) if t == table else r): e
            for (t, r), e in self.edits.items() if t != table or not gone[r]
        }  # fmt: skip
        return replace(self, sample=sample, texts=texts, edits=edits)

    def with_rows(
        self, table: str, rows: Sequence[int], cells: Mapping[str, Sequence[Any]]
    ) -> Plot:
        """Return the records with copies of some rows at the end of a table.

        Parameters
        ----------
        table : str
        rows : sequence of int
            That are copied; they may repeat.
        cells : mapping of str to sequence
            Column -> value of each copy.
        """
        old = self.sample.tables[table]
        new = old.take(pa.array(np.asarray(rows, np.int64)))
        for column, values in cells.items():
            at = new.column_names.index(column)
            new = new.set_column(at, column, pa.array(list(values), old[column].type))
        whole = pa.concat_tables([old, new])
        return self.with_sample(replace(self.sample, tables={**self.sample.tables, table: whole}))
