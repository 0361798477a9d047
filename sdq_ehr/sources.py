"""The files of a cohort: which are tables, which hold FHIR resources, and reading one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from sdq_core.errors import InputError, UnreadableItem
from sdq_core.finding import Finding
from sdq_core.listing import relative, walk
from sdq_ehr.formats import arrow, delimited, fhir
from sdq_ehr.formats.raw import RawTable
from sdq_ehr.rules import finding, unreadable

__all__ = ["Source", "frames", "load_tables", "read_raw", "table_name"]

_TABLES: Final = tuple(s for s in (*delimited.SUFFIXES, *arrow.SUFFIXES) if ".txt" not in s)
_SUFFIXES: Final = tuple(sorted((*delimited.SUFFIXES, *arrow.SUFFIXES), key=len, reverse=True))
_LABELS: Final = "labels"
"""Start of the name of a label table, which belongs to the core."""
_PEEK: Final = 2**16


@dataclass(frozen=True)
class Source:
    """What lies in a cohort's folder.

    Parameters
    ----------
    root : Path
        Folder to which names are relative.
    tables : mapping of str to (Path, str)
        Name of each table -> its file and the file's name below the root.
    resources : tuple of (Path, str)
        Files of FHIR resources.
    findings : tuple of Finding
        Links and folders that were not followed, files of the same name.
    single : bool
        Whether the source is one file.
    """

    root: Path
    tables: Mapping[str, tuple[Path, str]] = field(default_factory=dict)
    resources: tuple[tuple[Path, str], ...] = ()
    findings: tuple[Finding, ...] = ()
    single: bool = False

    @property
    def is_fhir(self) -> bool:
        """Whether there are FHIR resources and no tables."""
        return bool(self.resources) and not self.tables

    @classmethod
    def of(cls, source: Path) -> Source:
        """Look through a folder or file.

        Raises
        ------
        InputError
            There is no such folder or file.
        """
        if not source.exists():
            raise InputError(
                f"{source.name}: there is no such file or folder; correct the path of the cohort"
            )
        single = not source.is_dir()
        root, files, findings = walk(source, _is_listed, lambda rule, p: finding(rule, item=p))
        tables: dict[str, tuple[Path, str]] = {}
        resources: list[tuple[Path, str]] = []
        for path in files:
            name = relative(path, root)
            if path.name.lower().endswith(fhir.SUFFIXES):
                if single or _holds_resource(path):
                    resources.append((path, name))
            elif single or not path.name.lower().startswith(_LABELS):
                table = table_name(path)
                if table in tables:
                    findings.append(finding("file_twice", item=name))
                else:
                    tables[table] = (path, name)
        return cls(root, tables, tuple(resources), tuple(findings), single)

    def column_names(self) -> dict[str, tuple[str, ...]]:
        """Return the columns of each table that can be read."""
        found = {}
        for table, (path, _) in self.tables.items():
            try:
                found[table] = _format(path).column_names(path)
            except UnreadableItem:
                continue
        return found

    def paths(self) -> tuple[Path, ...]:
        """Return all files."""
        return (*(p for p, _ in self.tables.values()), *(p for p, _ in self.resources))


def table_name(path: Path) -> str:
    """Return the name of the table that a file holds: its own without the suffixes.

    Examples
    --------
    >>> table_name(Path("a/LABEVENTS.csv.gz")), table_name(Path("t.v2.parquet"))
    ('LABEVENTS', 't.v2')
    """
    low = path.name.lower()
    suffix = next((s for s in _SUFFIXES if low.endswith(s)), path.suffix)
    return path.name[: len(path.name) - len(suffix)] if suffix else path.name


def read_raw(
    path: Path, name: str, encoding: str | None = None, delimiter: str | None = None
) -> RawTable:
    """Read one file as a table.

    Parameters
    ----------
    path : Path
    name : str
        Its name below the cohort's folder.
    encoding, delimiter : str, optional
        Of delimited files.

    Raises
    ------
    UnreadableItem
        The message names the file.
    """
    try:
        if _format(path) is arrow:
            return arrow.read(path, name)
        return delimited.read(path, name, encoding, delimiter)
    except UnreadableItem as error:
        raise UnreadableItem(error.rule, f"{name}: {error}") from error
    except MemoryError as error:
        raise unreadable("not_a_table", f"{name}: the table does not fit into memory") from error


def load_tables(source: Source) -> dict[str, pa.Table]:
    """Read all tables of a source that can be read.

    Raises
    ------
    UnreadableItem
        None can; the first one's reason.
    """
    found, first = {}, None
    for table, (path, name) in source.tables.items():
        try:
            found[table] = read_raw(path, name).table
        except UnreadableItem as error:
            first = first or error
    if first is not None and not found:
        raise first
    return found


def frames(tables: Mapping[str, Any]) -> dict[str, RawTable]:
    """Take frames by the name of their table.

    Raises
    ------
    UsageError
        One exports no table.
    """
    return {str(name): arrow.from_frame(frame, str(name)) for name, frame in tables.items()}


def _format(path: Path) -> Any:
    return arrow if path.name.lower().endswith(arrow.SUFFIXES) else delimited


def _is_listed(name: str) -> bool:
    return name.endswith((*_TABLES, *fhir.SUFFIXES)) and name != "package.json"


def _holds_resource(path: Path) -> bool:
    """Return whether a JSON file may hold resources; a broken one may."""
    try:
        with path.open("rb") as file:
            head = file.read(_PEEK)
        if len(head) == _PEEK or path.suffix.lower() != ".json":
            return b"resourceType" in head or path.suffix.lower() != ".json"
        json.loads(head)
    except (OSError, ValueError, RecursionError):
        return True
    return b"resourceType" in head
