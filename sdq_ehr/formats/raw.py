"""What a file gives before the schema is applied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from sdq_core.finding import Finding
from sdq_ehr.finding import RowFinding
from sdq_ehr.rules import finding

__all__ = ["RawTable", "unique_names"]


@dataclass(frozen=True)
class RawTable:
    """A table as it was found.

    Parameters
    ----------
    table : pyarrow.Table
        Texts (delimited files, FHIR) or native values; all names differ.
    findings : tuple of Finding
    file : str
        Path relative to the cohort's folder; empty where there is none.
    places : pyarrow.ChunkedArray, optional
        Place of each row, where rows come from many files.
    row_findings : tuple of RowFinding
    broken : tuple of (int, str)
        Lines that are no rows, and SHA-256 of what stands there.
    """

    table: pa.Table
    findings: tuple[Finding, ...] = ()
    file: str = ""
    places: pa.ChunkedArray | None = None
    row_findings: tuple[RowFinding, ...] = ()
    broken: tuple[tuple[int, str], ...] = ()


def unique_names(names: Sequence[str], where: str) -> tuple[list[str], list[Finding]]:
    """Give columns with the same name numbers, and nameless ones a name.

    Parameters
    ----------
    names : sequence of str
    where : str
        Name of the file, for findings.

    Examples
    --------
    >>> unique_names(["a", "", "a"], "t.csv")[0]
    ['a', 'column 2', 'a.2']
    """
    taken: set[str] = set(names)
    seen: set[str] = set()
    found: list[Finding] = []
    unique: list[str] = []
    for k, own in enumerate(names, start=1):
        name = own or f"column {k}"
        if name in seen:
            number = 2
            while f"{name}.{number}" in taken:
                number += 1
            name = f"{name}.{number}"
            taken.add(name)
            found.append(finding("duplicate_column", f"{where}, column {k}"))
        seen.add(name)
        unique.append(name)
    return unique, found
