"""The label tables of planted cohorts, and which columns a synthetic cohort may keep."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from sdq_core.files import atomic_write

__all__ = ["MOST_VALUES", "kept_columns", "write_table"]

MOST_VALUES: Final = 50
"""A column of more values is no attribute by which recordings are grouped: it may name them."""
_OWN: Final = ("subject", "name", "synthetic", "AIGC", "generator", "generator_version", "seed",
               "run", "condition")  # fmt: skip
"""Columns that a synthetic cohort fills itself or leaves out."""


def kept_columns(rows: Sequence[Mapping[str, str]], always: Sequence[str] = ()) -> list[str]:
    """Return the columns that tell of groups of recordings and of no single one.

    Parameters
    ----------
    rows : sequence of mapping
        What the label table and the containers say of each recording.
    always : sequence of str
        Columns that are kept whatever they hold.

    Examples
    --------
    >>> rows = [{"class": "a", "code": str(k), "sex": "FM"[k % 2]} for k in range(9)]
    >>> kept_columns(rows)
    ['class', 'sex']
    """
    found = []
    for name in dict.fromkeys(k for row in rows for k in row):
        counts = Counter(row.get(name, "") for row in rows)
        counts.pop("", None)
        grouping = bool(counts) and len(counts) <= MOST_VALUES and 2 * len(counts) <= len(rows)
        if name in always or name == "class" or (grouping and name not in _OWN):
            found.append(name)
    return found


def write_table(path: Path, rows: Sequence[Mapping[str, str]]) -> Path:
    """Write a label table, a row for each item.

    Parameters
    ----------
    path : Path
    rows : sequence of mapping
        With ``item``; the columns of all of them, in the order of their first appearance.
    """
    names = list(dict.fromkeys(k for row in rows for k in row))
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, ["item", *(n for n in names if n != "item")], restval="",
                            lineterminator="\n")  # fmt: skip
    writer.writeheader()
    writer.writerows(dict(row) for row in rows)
    atomic_write(path, buffer.getvalue().encode())
    return path
