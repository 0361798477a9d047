"""Item lineage: which run made each item, by the provider's table beside the items."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sdq_core.description import Item
from sdq_core.errors import StudyError
from sdq_core.finding import Finding
from sdq_core.labels import matching_rows, read_records
from sdq_core.vocabulary import Role, Severity

__all__ = [
    "ORIGIN",
    "RULES",
    "ItemLineage",
    "LineageTable",
    "join_lineage",
    "problems_of",
    "read_lineage",
]

ORIGIN: Final = ("seed", "condition", "run")
"""Columns of which a row must fill one in."""
VERSION: Final = "generator_version"
COLUMNS: Final = (*ORIGIN, VERSION)
LONGEST: Final = 64
"""Characters that formats keep of what an item says of itself."""

RULES: Final[dict[str, tuple[str, str]]] = {
    "no_row": (
        "the item has no row in the lineage table; add one",
        "该样本在溯源表中没有对应行，请补充",
    ),
    "no_item": (
        "the lineage row names an item that is not in the cohort; correct the name or remove it",
        "溯源行所指样本不在数据集中，请更正名称或删除该行",
    ),
    "item_twice": (
        "the item has more than one lineage row, so its origin is not certain; leave one",
        "同一样本有多行溯源记录，来源不确定，请只保留一行",
    ),
    "no_origin": (
        "the lineage row fills in neither seed, condition nor run; fill in one",
        "溯源行未填写种子、条件或批次中的任何一项，请补充",
    ),
    "other_version": (
        "the lineage row names another generator version than the generator's description; correct "
        "one of the two",
        "溯源行的生成器版本与生成器说明不一致，请更正",
    ),
    "contradicts_item": (
        "the lineage row says something else than the item says of itself; correct one of the two",
        "溯源行与样本自身的声明不一致，请更正",
    ),
    "table_not_read": (
        "the generator's description names a lineage table, and this study gives other synthetic "
        "data than its file does: the table was not read; give both in one study file",
        "生成器说明给出了溯源表，但本次评价使用了评价任务文件之外的合成数据，因此未读取该表；"
        "请在同一评价任务文件中给出两者",
    ),
}
"""Rule -> English, Chinese."""


@dataclass(frozen=True)
class LineageTable:
    """A lineage table.

    Parameters
    ----------
    path : Path
    rows : mapping of str to mapping of str to str
        Item as written -> column -> value, ``""`` where empty; the first row of each item.
    twice : frozenset of str
        Items with more than one row.
    """

    path: Path
    rows: Mapping[str, Mapping[str, str]]
    twice: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ItemLineage:
    """A lineage table beside the items of a cohort.

    Parameters
    ----------
    file : str
        Name of the table.
    rows : mapping of str to mapping of str to str
        Item id -> its row.
    twice : frozenset of str
        Item ids with more than one row.
    unknown : tuple of str
        Rows that name no item of the cohort.
    """

    file: str
    rows: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    twice: frozenset[str] = frozenset()
    unknown: tuple[str, ...] = ()

    def findings(self, modality: str) -> Iterator[Finding]:
        """Yield what is wrong with rows of no item."""
        for name in self.unknown:
            yield finding(modality, "no_item", where=f"{self.file}: {name}")


def read_lineage(path: Path) -> LineageTable:
    """Read a lineage table.

    Parameters
    ----------
    path : Path
        ``.csv`` (UTF-8, with header) or ``.parquet``, with the column ``item`` and some of seed,
        condition, generator_version and run; others are passed over.

    Returns
    -------
    LineageTable

    Raises
    ------
    StudyError
        The table cannot be read, or lacks the column ``item`` or all others.
    """
    names, records = read_records(path, "lineage table")
    if "item" not in names or not set(names) & set(COLUMNS):
        raise StudyError(
            f"lineage table {path}: needs the column 'item' and at least one of "
            f"{', '.join(COLUMNS)} (columns: {', '.join(names) or 'none'})"
        )
    rows: dict[str, Mapping[str, str]] = {}
    twice = set()
    for record in records:
        item = record["item"].strip().replace("\\", "/").removeprefix("./")
        if item in rows:
            twice.add(item)
        else:
            rows[item] = {name: record.get(name, "").strip() for name in COLUMNS}
    return LineageTable(path, rows, frozenset(twice))


def join_lineage(items: Sequence[Item], root: Path, table: LineageTable) -> ItemLineage:
    """Give each item its row.

    Parameters
    ----------
    items : sequence of Item
    root : Path
        Folder to which the item ids are relative.
    table : LineageTable
        Its items are relative to that folder or to the table's own; a part of a file takes the row
        of the whole file when it has none of its own.
    """
    known = matching_rows(items, root, table.path, table.rows)
    used = set(known.values())
    return ItemLineage(
        table.path.name,
        {item: table.rows[key] for item, key in known.items()},
        frozenset(item for item, key in known.items() if key in table.twice),
        tuple(name for name in table.rows if name not in used),
    )


def problems_of(
    item: str, lineage: ItemLineage, versions: Sequence[str], own: Mapping[str, str]
) -> list[str]:
    """Return the rules that the row of an item breaks.

    Parameters
    ----------
    item : str
        Item id.
    lineage : ItemLineage
    versions : sequence of str
        How the generator's description writes its version; empty when it does not.
    own : mapping of str to str
        What the item says of itself, under the names of the table's columns.

    Returns
    -------
    list of str
        Keys of `RULES`.

    Examples
    --------
    >>> table = ItemLineage("l.csv", {"a.png": {"seed": "7", "generator_version": "0.9"}})
    >>> problems_of("a.png", table, ["1.0"], {"seed": "8"})
    ['other_version', 'contradicts_item']
    >>> problems_of("b.png", table, ["1.0"], {})
    ['no_row']
    """
    row = lineage.rows.get(item)
    if row is None:
        return ["no_row"]
    found = []
    if item in lineage.twice:
        found.append("item_twice")
    if not any(row.get(name) for name in ORIGIN):
        found.append("no_origin")
    version = row.get(VERSION, "")
    if version and versions and version not in versions:
        found.append("other_version")
    if any(not _same(row.get(name, ""), own.get(name, "")) for name in COLUMNS):
        found.append("contradicts_item")
    return found


def finding(modality: str, rule: str, *, item: str = "", where: str = "") -> Finding:
    """Return the finding of a rule about the synthetic cohort."""
    severity = Severity.WARNING if rule == "table_not_read" else Severity.ERROR
    english, chinese = RULES[rule]
    return Finding(
        f"{modality}.lineage.{rule}", severity, english, chinese, where, item, str(Role.SYNTHETIC)
    )


def version_texts(version: Any) -> list[str]:
    """Return how a version is written, in either language."""
    if isinstance(version, Mapping):
        return [str(v) for v in version.values() if v]
    return [str(version)] if version else []


def _same(stated: str, own: str) -> bool:
    """Whether two statements agree; one that says nothing agrees with all."""
    if not stated or not own or stated[:LONGEST] == own[:LONGEST]:
        return True
    try:
        return int(stated) == int(own)
    except ValueError:
        return False
