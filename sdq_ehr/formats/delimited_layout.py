"""How a delimited file is written: its encoding, its delimiter, its columns."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from sdq_core.finding import Finding
from sdq_ehr.formats.raw import unique_names
from sdq_ehr.rules import finding, unreadable

__all__ = ["PART", "READ_ERRORS", "Layout", "layout", "open_bytes", "open_text"]

DELIMITERS: Final = (",", "\t", ";", "|")
HEAD: Final = 2**20
"""Characters from which delimiter and header are found."""
PART: Final = 2**20
"""Bytes or characters that are looked at together."""
READ_ERRORS: Final = (OSError, EOFError, gzip.BadGzipFile, zlib.error)

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class Layout:
    """How a delimited file is written.

    Parameters
    ----------
    path : Path
    name : str
        Path relative to the cohort's folder, for findings.
    encoding, delimiter : str
    names : tuple of str
        Columns, all different.
    exact : bool
        Whether all bytes are known to be UTF-8.
    quoted : bool
        Whether quotation marks enclose cells; false where one is never closed.
    row_names : bool
        Whether each line has one cell more than the header.
    findings : tuple of Finding
    """

    path: Path
    name: str
    encoding: str
    delimiter: str
    names: tuple[str, ...]
    exact: bool = False
    quoted: bool = True
    row_names: bool = False
    findings: tuple[Finding, ...] = ()

    @property
    def width(self) -> int:
        """Cells of a line."""
        return len(self.names)


def layout(
    path: Path, name: str = "", encoding: str | None = None, delimiter: str | None = None
) -> Layout:
    """Find how a file is written.

    Parameters
    ----------
    path, name, encoding, delimiter
        As in `read`.

    Raises
    ------
    UnreadableItem
        As `read`.
    """
    name = name or path.name
    try:
        if encoding:
            fits = _decodes(path, encoding)
            found_encoding, rules = encoding, [] if fits else ["encoding_unknown"]
            exact = fits and codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")
        else:
            found_encoding, rules = _encoding(path)
            exact = found_encoding in ("utf-8", "utf-8-sig") and "encoding_unknown" not in rules
        with open_text(path, found_encoding) as file:
            head = file.read(HEAD)
    except READ_ERRORS as error:
        raise unreadable("unreadable_file") from error
    if not head:
        raise unreadable("empty_file")
    head = head.removeprefix("﻿").lstrip("\r\n")
    if not head.strip() or "\0" in head:
        raise unreadable("empty_file" if not head.strip() else "not_a_table")
    promised = "\t" if ".tsv" in path.name.lower() else ","
    sign = delimiter or _delimiter(head, promised)
    if not delimiter and sign != promised and ".txt" not in path.name.lower():
        rules.append("delimiter_guessed")
    rows = _first_rows(head, sign)
    cells, width = rows[0], {len(r) for r in rows[1:] if r}
    row_names = width == {len(cells) + 1}
    if row_names:
        cells = ["", *cells]
        rules.append("row_names")
    names, findings = unique_names([c.strip("\r\n") for c in cells], name)
    findings = [*(finding(r, name) for r in rules), *findings]
    return Layout(
        path, name, found_encoding, sign, tuple(names), exact=exact, row_names=row_names,
        findings=tuple(findings),
    )  # fmt: skip


def _encoding(path: Path) -> tuple[str, list[str]]:
    """Find the encoding from the mark in front, else from all bytes of the file."""
    with open_bytes(path) as file:
        head = file.read(4096)
        for mark, encoding in _MARKS:
            if head.startswith(mark):
                return encoding, [] if _decodes(path, encoding) else ["encoding_unknown"]
        if b"\0" in head:
            # Latin letters in UTF-16 have a zero in every second byte.
            even, odd = head[::2].count(0), head[1::2].count(0)
            if max(even, odd) > len(head) / 8:
                return ("utf-16-be" if even > odd else "utf-16-le"), ["encoding_guessed"]
            raise unreadable("not_a_table")
    if _decodes(path, "utf-8"):
        return "utf-8", []
    if _decodes(path, "gb18030"):
        return "gb18030", ["encoding_guessed"]
    return "utf-8" if _mostly_utf8(path) else "cp1252", ["encoding_unknown"]


def _mostly_utf8(path: Path) -> bool:
    """Whether more signs beyond ASCII are good UTF-8 than are none: one bad byte spoils no file."""
    good = bad = 0
    with open_text(path, "utf-8") as file:
        while part := file.read(PART):
            wrong = part.count("\ufffd")
            bad += wrong
            good += sum(not c.isascii() for c in part) - wrong if not part.isascii() else 0
    return good > bad


def _decodes(path: Path, encoding: str) -> bool:
    """Return whether all bytes of a file are text in an encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with open_bytes(path) as file:
        try:
            while part := file.read(PART):
                decoder.decode(part)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _delimiter(head: str, promised: str) -> str:
    """Return the sign that gives the header two cells or more, and most lines as many.

    The promised one is kept where it does; without it a header of one cell is a table of one
    column, unless another sign cuts header and lines alike.
    """
    best, score = promised, (0.0, 0)
    for sign in (promised, *(d for d in DELIMITERS if d != promised)):
        rows = [r for r in _first_rows(head, sign) if r]
        width = len(rows[0]) if rows else 0
        if width < 2:
            continue
        lines = rows[1:] or rows
        even = sum(len(r) in (width, width + 1) for r in lines) / len(lines)
        if sign == promised and even >= 0.8:
            return sign
        if even >= (0.8 if score[1] else 0.4) and (round(even, 1), width) > score:
            best, score = sign, (round(even, 1), width)
    return best


def _first_rows(head: str, sign: str, most: int = 50) -> list[list[str]]:
    """Return the first rows of a text; the last may be cut and is left out where it can be."""
    rows: list[list[str]] = []
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=sign)
    try:
        for row in reader:
            rows.append(row)
            if len(rows) > most:
                break
    except csv.Error:  # a cell longer than the reader's limit
        pass
    if len(head) >= HEAD and 1 < len(rows) <= most:
        rows.pop()
    return rows or [[""]]


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file, plain or gzip."""
    if path.name.lower().endswith(".gz"):
        return gzip.open(path, "rb")  # type: ignore[return-value]
    return path.open("rb")


def open_text(path: Path, encoding: str) -> IO[str]:
    """Open a file, plain or gzip, as text; what is none becomes U+FFFD."""
    return io.TextIOWrapper(open_bytes(path), encoding=encoding, errors="replace", newline="")
