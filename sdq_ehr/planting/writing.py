"""Writes records into a folder, in the formats in which they were found."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sdq_core.study import CohortSource
from sdq_ehr.cells.texts import mask
from sdq_ehr.formats import arrow
from sdq_ehr.formats.delimited_layout import Layout
from sdq_ehr.planting.cell_texts import CellWriter
from sdq_ehr.planting.identities import classes_of
from sdq_ehr.planting.plot import FRESH, ROW, Plot
from sdq_ehr.planting.writing_fhir import write_resources

__all__ = ["LABELS", "with_numbers", "write_plot"]

LABELS: Final = "labels.csv"


def with_numbers(plot: Plot, numbers: Mapping[str, Mapping[str, str]]) -> Plot:
    """Return the records with other numbers for what their columns name.

    Parameters
    ----------
    plot : Plot
    numbers : mapping of str to mapping of str to str
        Class of columns -> number -> new number.
    """
    tables = dict(plot.sample.tables)
    for (name, column), kind in classes_of(plot.schema).items():
        if name not in tables or column not in tables[name].column_names:
            continue
        table, new = tables[name], numbers.get(kind, {})
        values = [None if v is None else new.get(v, v) for v in table[column].to_pylist()]
        at = table.column_names.index(column)
        tables[name] = table.set_column(at, column, pa.array(values, pa.string()))
    return plot.with_sample(replace(plot.sample, tables=tables))


def write_plot(
    plot: Plot, folder: Path, labels: Sequence[Mapping[str, str]] | None
) -> CohortSource:
    """Write records as a cohort.

    Parameters
    ----------
    plot : Plot
        With the numbers that shall stand in the files.
    folder : Path
        Does not exist yet.
    labels : sequence of mapping of str to str, or None
        Of each patient; None: there is no label table.

    Returns
    -------
    CohortSource
    """
    folder.mkdir(parents=True)
    if plot.is_fhir:
        write_resources(plot, folder)
    else:
        for name in plot.origin.files:
            if name not in plot.tables_gone:
                _write_table(plot, name, folder)
    table = None if labels is None else _write_labels(plot, folder, labels)
    for edit in plot.file_edits:
        edit(folder)
    single = plot.origin.single and not plot.is_fhir and len(plot.origin.files) == 1
    path = folder / next(iter(plot.origin.files.values())) if single else folder
    return CohortSource(path=path, labels=table)


def _write_labels(plot: Plot, folder: Path, labels: Sequence[Mapping[str, str]]) -> Path:
    patients = plot.patients
    columns = list(dict.fromkeys(c for row in labels for c in row if c != "item"))
    rows = []
    for k, row in enumerate(labels):
        table = str(patients.tables[k])
        name = plot.origin.files.get(table) or table
        rows.append([f"{name}#{int(patients.firsts[k]) + 1}", *(row.get(c, "") for c in columns)])
    path = folder / LABELS
    _write_bytes(path, _delimited(["item", *columns], rows, ",").encode("utf-8"))
    return path


def _write_table(plot: Plot, name: str, folder: Path) -> None:
    path = folder / plot.origin.files[name]
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = _columns(plot, name)
    if path.name.lower().endswith(arrow.SUFFIXES):
        _write_arrow(pa.table(dict(columns)), path)
        return
    layout = plot.origin.layouts[name]
    texts = [["" if v is None else str(v) for v in c.cast(pa.string()).to_pylist()]
             for _, c in columns]  # fmt: skip
    rows = list(zip(*texts, strict=True)) if texts else []
    names = [_head(layout, c) for c, _ in columns]
    text = _delimited(names, rows, layout.delimiter)
    _write_bytes(path, _encoded(text, layout))


def _head(layout: Layout, column: str) -> str:
    """Return a column's name as it stands in the file's header."""
    return "" if column.startswith("column ") and column not in layout.names else column


def _encoded(text: str, layout: Layout) -> bytes:
    try:
        return text.encode(layout.encoding)
    except UnicodeEncodeError:
        # Bytes that were no text became U+FFFD, which old encodings do not have.
        return text.encode("utf-8")


def _delimited(names: Sequence[str], rows: Sequence[Sequence[str]], delimiter: str) -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows(rows)
    return out.getvalue()


def _write_bytes(path: Path, data: bytes) -> None:
    if path.name.lower().endswith(".gz"):
        data = gzip.compress(data, mtime=0)
    path.write_bytes(data)


def _write_arrow(table: pa.Table, path: Path) -> None:
    if path.suffix.lower() in (".parquet", ".pq"):
        import pyarrow.parquet as pq

        pq.write_table(table, path)
        return
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def _columns(plot: Plot, name: str) -> list[tuple[str, pa.Array]]:
    """Return the columns of a table's file: cells as they were where nothing was changed."""
    table = plot.sample.tables[name]
    origin = plot.origin
    cells = origin.cells[name]
    rows = table[ROW].combine_chunks()
    at = pc.if_else(pc.equal(rows, FRESH), pa.scalar(None, pa.int64()), rows)
    named = {v: k for k, v in origin.sources[name].items()}
    found: list[tuple[str, pa.Array]] = []
    for column in cells.column_names:
        kept = _whole(cells[column].take(at))
        own = named.get(column)
        if own is not None:
            if (name, own) in plot.columns_gone:
                continue
            kept = _rewritten(plot, name, own, kept, at)
        elif plot.known_only:
            continue
        found.append((column, kept))
    for column, texts in plot.columns_more.get(name, {}).items():
        found.append((column, pa.array(list(texts), pa.string())))
    return found


def _rewritten(plot: Plot, name: str, column: str, kept: pa.Array, at: pa.Array) -> pa.Array:
    """Return the cells of a column with those written anew whose value was changed."""
    values = _whole(plot.sample.tables[name][column])
    before = _whole(plot.origin.typed[name][column].take(at))
    before = before if before.type == values.type else before.cast(values.type)
    same = pc.or_kleene(pc.equal(values, before), pc.and_(pc.is_null(values), pc.is_null(before)))
    changed = ~mask(same) | mask(pc.is_null(at))
    texts = plot.texts.get((name, column), {})
    if not changed.any() and not texts:
        return kept
    about = plot.about(name, column)
    if not pa.types.is_string(kept.type):
        native = _native(values, kept, changed)
        if native is not None and not texts:
            return native
        kept = kept.cast(pa.string())
    write = CellWriter(about, plot.schema, _examples(plot, name, column))
    cells: list[Any] = kept.to_pylist()
    made = values.to_pylist()
    for row in np.flatnonzero(changed).tolist():
        cells[row] = write(made[row])
    for row, text in texts.items():
        cells[row] = text
    return pa.array(cells, pa.string())


def _examples(plot: Plot, name: str, column: str) -> list[str]:
    source = plot.origin.cells[name][plot.origin.sources[name][column]]
    texts = source.cast(pa.string()) if not pa.types.is_string(source.type) else source
    return [v for v in texts.unique().to_pylist() if v is not None]


def _native(values: pa.Array, kept: pa.Array, changed: np.ndarray[Any, Any]) -> pa.Array | None:
    """Return native cells with changed values; None where a value is none of their type."""
    try:
        new = values.cast(kept.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    return pc.if_else(pa.array(changed), new, kept)


def _whole(values: pa.ChunkedArray | pa.Array) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
