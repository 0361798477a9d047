"""Parquet, Arrow and Feather files, and frames in memory through the Arrow interface."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from sdq_core.errors import UsageError
from sdq_ehr.formats.raw import RawTable, unique_names
from sdq_ehr.rules import finding, unreadable

__all__ = ["SUFFIXES", "column_names", "from_frame", "iter_batches", "read"]

SUFFIXES: Final = (".parquet", ".pq", ".arrow", ".feather", ".ipc")
_PARQUET: Final = (".parquet", ".pq")
_BUFFER: Final = 2**20


def read(path: Path, name: str = "") -> RawTable:
    """Read a Parquet, Arrow (file or stream) or Feather file.

    Parameters
    ----------
    path : Path
    name : str
        For findings; the file's own name by default.

    Raises
    ------
    UnreadableItem
        The file is empty, cannot be opened, or is not what its suffix says.
    """
    name = name or path.name
    return _raw(_table(path), name)


def column_names(path: Path) -> tuple[str, ...]:
    """Return the columns of a file, without reading its rows where the format allows.

    Raises
    ------
    UnreadableItem
        As `read`.
    """
    if path.suffix.lower() in _PARQUET:
        import pyarrow.parquet as pq

        return tuple(_guarded(path, lambda: pq.read_schema(path)).names)
    return tuple(_table(path).column_names)


def iter_batches(path: Path, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
    """Yield some columns of a file block by block; of the file no more than a block is held.

    Parameters
    ----------
    path : Path
    columns : sequence of str
    rows : int
        Most rows of a block of Parquet; Arrow files keep the blocks that they were written in.

    Raises
    ------
    UnreadableItem
        As `read`.
    """
    stream = _parquet_batches if path.suffix.lower() in _PARQUET else _arrow_batches
    blocks = stream(path, columns, rows)
    while (block := _guarded(path, lambda: next(blocks, None))) is not None:
        made = [_plain(pa.chunked_array([block.column(c)])).combine_chunks() for c in columns]
        yield pa.record_batch(made, names=list(columns))


def _parquet_batches(path: Path, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    # Without a buffer a whole row group of a column is read at once.
    with pq.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False) as file:
        yield from file.iter_batches(rows, columns=list(columns), use_threads=False)


def _arrow_batches(path: Path, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
    with pa.OSFile(str(path)) as file:
        try:
            reader = pa.ipc.open_file(file)
        except pa.ArrowInvalid:  # a stream has no table of contents at its end
            file.seek(0)
            yield from (b.select(list(columns)) for b in pa.ipc.open_stream(file))
            return
        for k in range(reader.num_record_batches):
            yield reader.get_batch(k).select(list(columns))


def from_frame(frame: Any, name: str) -> RawTable:
    """Take a frame of pandas, polars or any library that exports Arrow.

    Parameters
    ----------
    frame : object with ``__arrow_c_stream__`` or ``__arrow_c_array__``, or pyarrow.Table
    name : str
        Of the table, for messages.

    Raises
    ------
    UsageError
        The object exports no table.

    Examples
    --------
    >>> from_frame(pa.table({"a": [1, 2]}), "t").table.num_rows
    2
    """
    try:
        if isinstance(frame, pa.Table):
            table = frame
        elif isinstance(frame, pa.RecordBatch) or hasattr(frame, "__arrow_c_stream__"):
            table = pa.table(frame)
        elif hasattr(frame, "__arrow_c_array__"):
            table = pa.Table.from_batches([pa.record_batch(frame)])
        else:
            raise UsageError(
                f"table {name}: a {type(frame).__name__} exports no Arrow table; give a pandas or "
                "polars frame or a pyarrow table"
            )
    except (pa.ArrowException, TypeError, ValueError) as error:
        # pandas raises when a column mixes texts and numbers; the values must not be quoted.
        raise UsageError(
            f"table {name}: the frame cannot be exported to Arrow ({type(error).__name__}); make "
            "every column of one type, for example frame.astype('string')"
        ) from error
    return _raw(table, name)


def _raw(table: pa.Table, name: str) -> RawTable:
    names, found = unique_names([str(n) for n in table.column_names], name)
    table = table.rename_columns(names).replace_schema_metadata(None)
    # pandas writes its row index as a column of its own.
    table = table.select([n for n in names if not n.startswith("__index_level_")])
    columns = [_plain(c) for c in table.columns]
    if not table.num_rows:
        found.append(finding("header_only", name))
    return RawTable(pa.table(columns, names=table.column_names), tuple(found), name)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Bring the many Arrow types for text to the one that cells have."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_large_string(kind) or str(kind) == "string_view":
        return column.cast(pa.string())
    if pa.types.is_null(kind):
        return column.cast(pa.string())
    return column


def _table(path: Path) -> pa.Table:
    def arrow() -> pa.Table:
        try:
            with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
                return reader.read_all()
        except pa.ArrowInvalid:  # a stream has no table of contents at its end
            with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as reader:
                return reader.read_all()

    def parquet() -> pa.Table:
        import pyarrow.parquet as pq

        return pq.ParquetFile(path).read()

    return _guarded(path, parquet if path.suffix.lower() in _PARQUET else arrow)


def _guarded(path: Path, load: Any) -> Any:
    try:
        if path.stat().st_size == 0:
            raise unreadable("empty_file")
        return load()
    except OSError as error:  # Arrow also raises it for damaged content
        broken = not isinstance(error, FileNotFoundError | PermissionError)
        raise unreadable("not_a_table" if broken else "unreadable_file") from error
    except (pa.ArrowException, ValueError, MemoryError) as error:
        raise unreadable("not_a_table") from error
