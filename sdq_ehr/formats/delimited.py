"""Delimited text: encoding and delimiter found, ragged lines reported, every cell a text."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import pyarrow as pa
import pyarrow.csv as pa_csv

from sdq_core.finding import Finding
from sdq_ehr.formats.delimited_layout import (
    PART,
    READ_ERRORS,
    Layout,
    layout,
    open_bytes,
    open_text,
)
from sdq_ehr.formats.raw import RawTable
from sdq_ehr.rules import finding, unreadable

__all__ = ["SUFFIXES", "Layout", "column_names", "iter_batches", "layout", "read"]

SUFFIXES: Final = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
BLOCK: Final = 2**22
"""Bytes of a block of rows; doubled when a row is longer."""
LONGEST_ROW: Final = 2**29
MOST_LINES: Final = 20
"""Ragged lines that are named one by one."""


@dataclass
class _Ragged:
    """Counts lines whose number of cells is not that of the header."""

    count: int = 0
    cells: set[int] = field(default_factory=set)
    broken: bool = False

    def __call__(self, row: Any) -> str:
        self.count += 1
        self.cells.add(row.actual_columns)
        self.broken |= "\n" in (row.text or "")
        return "skip"


def read(
    path: Path, name: str = "", encoding: str | None = None, delimiter: str | None = None
) -> RawTable:
    """Read a whole file.

    Parameters
    ----------
    path : Path
        Plain or gzip.
    name : str
        For findings; the file's own name by default.
    encoding, delimiter : str, optional
        As stated; found by default.

    Returns
    -------
    RawTable
        All columns are texts, an empty cell is an empty text. Lines whose number of cells differs
        from the header's are left out, each a finding that names the line.

    Raises
    ------
    UnreadableItem
        The file is empty, cannot be opened, or is no text.
    """
    found = layout(path, name, encoding, delimiter)
    ragged = _Ragged()
    batches = list(_batches(found, ragged))
    if found.quoted and _quote_open(found, batches, ragged):
        found = Layout(
            **{**found.__dict__, "quoted": False,
               "findings": (*found.findings, finding("quote_open", found.name))}
        )  # fmt: skip
        ragged = _Ragged()
        batches = list(_batches(found, ragged))
    broken = _ragged_lines(found) if ragged.count else ()
    findings = [*found.findings, *_ragged_findings(found, broken)]
    table = pa.Table.from_batches(batches, _schema(found))
    if not table.num_rows:
        findings.append(finding("header_only", found.name))
    return RawTable(table, tuple(findings), found.name, broken=broken)


def iter_batches(found: Layout) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file block by block, as texts, without its ragged lines.

    Parameters
    ----------
    found : Layout
    """
    yield from _batches(found, _Ragged())


def column_names(path: Path) -> tuple[str, ...]:
    """Return the columns of a file.

    Raises
    ------
    UnreadableItem
        As `read`.
    """
    return layout(path).names


def _schema(found: Layout) -> pa.Schema:
    return pa.schema([(n, pa.string()) for n in found.names])


def _batches(found: Layout, ragged: _Ragged) -> Iterator[pa.RecordBatch]:
    """Yield blocks without the header."""
    own = [f"f{k}" for k in range(found.width)]
    size, schema, given = BLOCK, _schema(found), 0
    header = 0 if found.row_names else 1
    while True:
        # Rows to pass over: the header, and what was given before the block had to grow.
        skip = header + given
        ragged.count = -1 if found.row_names else 0
        try:
            with _source(found) as file:
                reader = pa_csv.open_csv(
                    file,
                    pa_csv.ReadOptions(block_size=size, column_names=own, use_threads=False),
                    pa_csv.ParseOptions(
                        delimiter=found.delimiter, quote_char='"' if found.quoted else False,
                        newlines_in_values=found.quoted, invalid_row_handler=ragged,
                    ),
                    pa_csv.ConvertOptions(
                        column_types=dict.fromkeys(own, pa.string()), strings_can_be_null=False,
                        check_utf8=False,
                    ),
                )  # fmt: skip
                for whole in reader:
                    batch = whole.slice(min(skip, whole.num_rows))
                    skip -= whole.num_rows - batch.num_rows
                    given += batch.num_rows
                    if batch.num_rows:
                        yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)
            return
        except pa.ArrowInvalid as error:
            text = str(error)
            if "straddling" in text and size < LONGEST_ROW:
                size *= 8
                continue
            if "Empty CSV" in text:
                return
            raise unreadable("not_a_table") from error
        except READ_ERRORS as error:
            raise unreadable("unreadable_file") from error


def _source(found: Layout) -> IO[bytes]:
    """Return the file as UTF-8, from its header on."""
    if found.exact:
        file = open_bytes(found.path)
        if file.read(3) != codecs.BOM_UTF8:
            file.seek(0)
        return file
    return _Recoded(open_text(found.path, found.encoding))  # type: ignore[return-value]


class _Recoded(io.RawIOBase):
    """A text file read as UTF-8 bytes."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = self._file.read(PART).encode("utf-8", "replace")
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


def _quote_open(found: Layout, batches: list[pa.RecordBatch], ragged: _Ragged) -> bool:
    """Return whether the end of the file was swallowed by a quotation mark never closed.

    Quotation marks inside cells (5") may be odd in number and harm nothing; only where the last
    row holds line breaks as well is one open.
    """
    swallowed = ragged.broken
    if batches:
        last = batches[-1].slice(batches[-1].num_rows - 1)
        swallowed |= any("\n" in str(c[0].as_py()) for c in last.columns)
    if not swallowed:
        return False
    odd = 0
    with open_text(found.path, found.encoding) as file:
        while part := file.read(PART):
            odd ^= part.count('"') & 1
    return bool(odd)


def _ragged_findings(found: Layout, broken: Sequence[tuple[int, str]]) -> list[Finding]:
    named, rest = broken[:MOST_LINES], len(broken[MOST_LINES:])
    findings = [finding("ragged_row", f"{found.name}, line {n}") for n, _ in named]
    if rest:
        findings.append(finding("ragged_rows", f"{found.name}, {rest} lines"))
    return findings


def _ragged_lines(found: Layout) -> tuple[tuple[int, str], ...]:
    """Return the line in which each ragged row begins, and SHA-256 of its cells."""
    lines: list[tuple[int, str]] = []
    limit = csv.field_size_limit(LONGEST_ROW)
    with open_text(found.path, found.encoding) as file:
        reader = csv.reader(
            file,
            delimiter=found.delimiter,
            quoting=csv.QUOTE_MINIMAL if found.quoted else csv.QUOTE_NONE,
        )
        before, head = 0, True
        try:
            for row in reader:
                if row and not head and len(row) != found.width:
                    said = json.dumps(row, ensure_ascii=False).encode("utf-8", "replace")
                    lines.append((before + 1, hashlib.sha256(said).hexdigest()))
                head = head and not row
                before = reader.line_num
        except csv.Error:
            pass
        finally:
            csv.field_size_limit(limit)
    return tuple(lines)
