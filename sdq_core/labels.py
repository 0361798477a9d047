"""Per-item attributes from a CSV or Parquet table, joined to the items of a cohort."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np

from sdq_core.cohort import Cohort
from sdq_core.description import DescriptionTable, Item
from sdq_core.errors import StudyError
from sdq_core.finding import Finding
from sdq_core.vocabulary import Role, Severity

__all__ = ["LabelTable", "join", "matching_rows", "read_labels", "read_records"]


@dataclass(frozen=True)
class LabelTable:
    """A label table.

    Parameters
    ----------
    path : Path
    columns : tuple of str
        Without ``item``.
    rows : mapping of str to mapping
        Item as written in the table -> column -> value; ``""`` where empty.
    findings : tuple of Finding
        Rows that cannot be used.
    """

    path: Path
    columns: tuple[str, ...]
    rows: Mapping[str, Mapping[str, str]]
    findings: tuple[Finding, ...] = field(default=())


def read_labels(path: Path) -> LabelTable:
    """Read a label table.

    Parameters
    ----------
    path : Path
        ``.csv`` (UTF-8, with header) or ``.parquet``; the column ``item`` is needed.

    Returns
    -------
    LabelTable

    Raises
    ------
    StudyError
        The table cannot be read or has no column ``item``.
    """
    names, records = read_records(path, "label table")
    if "item" not in names:
        raise StudyError(
            f"label table {path}: has no column 'item' (columns: {', '.join(names) or 'none'}); "
            f"item is the path of the item relative to the table's folder"
        )
    rows: dict[str, dict[str, str]] = {}
    findings = []
    for number, record in enumerate(records, start=2):
        item = record.pop("item").strip()
        where = f"{path.name}, row {number}"
        pure = PurePosixPath(item.replace("\\", "/"))
        if not item or pure.is_absolute() or ".." in pure.parts:
            findings.append(
                Finding(
                    "core.labels.path_outside",
                    Severity.WARNING,
                    "the label row names no item inside the table's folder; the row is left out",
                    "标签行没有指向表格所在文件夹内的样本, 已忽略该行",
                    where,
                )
            )
        elif str(pure) in rows:
            findings.append(
                Finding(
                    "core.labels.item_twice",
                    Severity.WARNING,
                    "the item has two label rows; the first one counts, remove the other",
                    "同一样本有两行标签, 以第一行为准, 请删除另一行",
                    where,
                )
            )
        else:
            rows[str(pure)] = record
    return LabelTable(path, tuple(n for n in names if n != "item"), rows, tuple(findings))


def read_records(path: Path, what: str) -> tuple[list[str], list[dict[str, str]]]:
    """Read the rows of a table about items.

    Parameters
    ----------
    path : Path
        ``.csv`` (UTF-8, with header) or ``.parquet``.
    what : str
        What the table is, for messages.

    Returns
    -------
    names : list of str
        Columns.
    records : list of dict
        Column -> value of each row, ``""`` where empty.

    Raises
    ------
    StudyError
        The table cannot be read.
    """
    try:
        return _parquet(path) if path.suffix.lower() == ".parquet" else _csv(path)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StudyError(
            f"{what} {path}: cannot be read ({error}); give a UTF-8 CSV or a Parquet file"
        ) from error


def join(
    table: DescriptionTable, role: Role, root: Path, labels: LabelTable | None
) -> tuple[Cohort, tuple[Finding, ...]]:
    """Join a described cohort with its labels.

    Parameters
    ----------
    table : DescriptionTable
    role : Role
    root : Path
        Folder to which the item ids are relative (the parent of a single file).
    labels : LabelTable or None
        None: the attributes inside the items' containers are used where there are any.

    Returns
    -------
    cohort : Cohort
    findings : tuple of Finding
        Labels for unknown items, items without labels.
    """
    findings: list[Finding] = []
    records: list[Mapping[str, str]] = []
    if labels is None:
        records = [i.attributes for i in table.items]
        columns: Sequence[str] = tuple(dict.fromkeys(k for r in records for k in r))
    else:
        columns = tuple(
            dict.fromkeys((*labels.columns, *(k for i in table.items for k in i.attributes)))
        )
        findings += labels.findings
        known = matching_rows(table.items, root, labels.path, labels.rows)
        used: set[str] = set()
        for item in table.items:
            key = known.get(item.id)
            if key is None:
                findings.append(
                    Finding(
                        "core.labels.missing",
                        Severity.WARNING,
                        f"the item has no row in {labels.path.name}; add one",
                        f"该样本在 {labels.path.name} 中没有标签行, 请补充",
                        item=item.id,
                    )
                )
                records.append(item.attributes)
            else:
                used.add(key)
                # An empty cell says nothing, so what the container says holds.
                told = {k: v for k, v in labels.rows[key].items() if v or k not in item.attributes}
                records.append({**item.attributes, **told})
        findings += [
            Finding(
                "core.labels.unknown_item",
                Severity.WARNING,
                "the label row names an item that is not in the cohort; the row is left out",
                "标签行所指样本不在数据集中, 已忽略该行",
                f"{labels.path.name}: {key}",
            )
            for key in labels.rows
            if key not in used
        ]
    values = {c: np.array([str(r.get(c, "")) for r in records], dtype=np.str_) for c in columns}
    subjects = values.pop("subject", None)
    if subjects is not None:
        own = np.array([f"{role}:{i}" for i in table.ids], dtype=np.str_)
        subjects = np.where(subjects == "", own, subjects)
    classes = values.pop("class", None)
    if classes is not None and not (classes != "").any():
        classes = None
    return Cohort(role, table, subjects, classes, values), tuple(findings)


def matching_rows(
    items: Sequence[Item], root: Path, path: Path, rows: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    """Map item ids to keys of a table, whose paths are relative to the table's own folder.

    A part of a file takes the row of the whole file when it has none of its own: the windows
    of ``rec.hea`` (``rec.hea#t=10-20``) share its row.

    Parameters
    ----------
    items : sequence of Item
    root : Path
        Folder to which the item ids are relative.
    path : Path
        The table's file.
    rows : mapping
        Item as written in the table -> its row.
    """
    folder = path.resolve().parent
    base = root.resolve()
    found = {}
    for item in items:
        for name in _names(item.id):
            if name in rows:
                found[item.id] = name
                break
            file, hash_sign, part = name.partition("#")
            full = base / file
            if full.is_relative_to(folder):
                key = full.relative_to(folder).as_posix() + hash_sign + part
                if key in rows:
                    found[item.id] = key
                    break
    return found


def _names(identifier: str) -> list[str]:
    """Names under which a table may hold an item, the most exact first.

    Examples
    --------
    >>> _names("stack.npz#3,t=0-10")
    ['stack.npz#3,t=0-10', 'stack.npz#3', 'stack.npz']
    """
    path, hash_sign, part = identifier.partition("#")
    pieces = part.split(",") if hash_sign else []
    return [f"{path}#{','.join(pieces[:k])}" for k in range(len(pieces), 0, -1)] + [path]


def _csv(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        names = [n.strip() for n in reader.fieldnames or []]
        reader.fieldnames = names
        return names, [
            {k: (v or "").strip() for k, v in row.items() if isinstance(k, str)} for row in reader
        ]


def _parquet(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except pa.ArrowException as error:
        raise OSError(str(error)) from error
    records = [
        {k: "" if v is None else str(v) for k, v in row.items()} for row in table.to_pylist()
    ]
    return list(table.column_names), records
