"""Plans that leave items out, and plans that spoil the tables beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sdq_core.study import Study
from sdq_imaging.planting.cohort_file import Entry, Rows
from sdq_imaging.planting.drafting import Plan, Planting
from sdq_imaging.planting.opening import Facts

__all__ = ["PLANS"]

ANY: Final = ("any item", "任何样本")
NO_CLASSES: Final = (
    "the study declares neither classes nor a subgroup, so no label is required",
    "评价任务未声明类别或子群，因此不要求标签",
)
NO_LIST: Final = ("the study declares no list of classes", "评价任务未声明类别列表")
NO_VERSION: Final = "0-none"


def _any(facts: Facts) -> bool:
    return True


def _values(p: Planting, column: str) -> list[str]:
    return sorted({e.row.get(column, "") for e in p.entries} - {""})


def _with(p: Planting, column: str, value: str) -> list[Entry]:
    return [e for e in p.entries if e.row.get(column) == value]


def _leave_out(p: Planting, lost: Sequence[Entry]) -> None:
    """Leave items out, but never the last one."""
    gone = {id(e) for e in lost}
    kept = [e for e in p.entries if id(e) not in gone]
    p.draft.entries[:] = kept or p.entries[:1]


def _some(p: Planting, entries: Sequence[Entry], share: float) -> list[Entry]:
    count = min(len(entries), round(share * len(entries)))
    return [entries[int(k)] for k in p.rng.choice(len(entries), count, replace=False)]


def _class_dropped(p: Planting) -> None:
    _drop(p, "class")


def _subgroup_dropped(p: Planting) -> None:
    _drop(p, p.study.subgroup or "class")


def _drop(p: Planting, column: str) -> None:
    """Lose a share of the last value in alphabetical order."""
    values = _values(p, column)
    if values:
        _leave_out(p, _some(p, _with(p, column, values[-1]), p.severity))


def _imbalance(p: Planting) -> None:
    """Make the first class so many times as frequent as each other one."""
    values = _values(p, "class")
    if len(values) < 2:
        return
    most = max(1, int(len(_with(p, "class", values[0])) / p.severity))
    lost: list[Entry] = []
    for value in values[1:]:
        members = _with(p, "class", value)
        if len(members) > most:
            lost += _some(p, members, 1 - most / len(members))
    _leave_out(p, lost)


def _label_noise(p: Planting) -> None:
    values = _values(p, "class")
    if len(values) < 2:
        return
    for entry in p.chosen(_any):
        if entry.row.get("class"):
            others = [v for v in values if v != entry.row["class"]]
            entry.row["class"] = others[int(p.rng.integers(len(others)))]


def _volume(p: Planting) -> None:
    _leave_out(p, _some(p, p.entries, p.severity))


def _undeclared(p: Planting) -> None:
    for entry in p.chosen(_any):
        entry.stated = False


def _unlabelled(p: Planting) -> None:
    column = "class" if p.study.classes else str(p.study.subgroup)
    for entry in p.chosen(_any):
        entry.row[column] = ""


def _unknown_class(p: Planting) -> None:
    for entry in p.chosen(_any):
        entry.row["class"] = "unlisted"


def _order(p: Planting) -> tuple[list[int], int]:
    """Return the rows in random order, and how many of them are spoilt."""
    order = [int(k) for k in p.rng.permutation(len(p.entries))]
    return order, max(1, round(p.severity * len(p.entries)))


def _labels(p: Planting) -> None:
    """Lose rows: left out, of no item, outside the folder. Beside that one stands twice."""
    order, count = _order(p)

    def edit(rows: Rows) -> Rows:
        made = [dict(row) for row in rows]
        for n, k in enumerate(order[:count]):
            item = rows[k]["item"]
            made[k]["item"] = ("", f"no-such-{k:04d}.png", f"../{item}")[n % 3]
        kept = [row for row in made if row["item"]]
        return [*kept, *(rows[k] for k in order[count : count + 1])]

    p.draft.label_edits.append(edit)


def _lineage(p: Planting) -> None:
    """Contradict the items: another version, another seed, no origin, two rows.

    Beside that one row is lost and one names no item; these items still tell their own origin.
    """
    order, count = _order(p)

    def edit(rows: Rows) -> Rows:
        made = [dict(row) for row in rows]
        twice = []
        for n, k in enumerate(order[:count]):
            if n % 4 == 3:
                twice.append(rows[k])
                continue
            name, value = (("generator_version", NO_VERSION), ("seed", "999983"), ("seed", ""))[
                n % 4
            ]
            made[k][name] = value
        for k, item in zip(order[count : count + 2], ("", "no-such-item.png"), strict=False):
            made[k]["item"] = item
        return [*(row for row in made if row["item"]), *twice]

    p.draft.lineage_edits.append(edit)


def _needs_labels(study: Study) -> tuple[str, str] | None:
    return None if study.classes or study.subgroup else NO_CLASSES


def _needs_list(study: Study) -> tuple[str, str] | None:
    return None if study.classes else NO_LIST


def _named(p: Planting) -> None:
    """Put a telephone number or a record number into the path."""
    for k, entry in enumerate(p.chosen(_own_file)):
        entry.stem = f"MRN 0012345{k:03d}/tel 1380013{8000 + k:04d}"


def _own_file(facts: Facts) -> bool:
    return facts.whole


PLANS: Final[dict[str, Plan]] = {
    "class-dropped": Plan(_class_dropped, _any, ANY, least=2),
    "class-imbalance": Plan(_imbalance, _any, ANY, least=2),
    "subgroup-dropped": Plan(_subgroup_dropped, _any, ANY, least=2),
    "label-noise": Plan(_label_noise, _any, ANY, least=2),
    "too-few": Plan(_volume, _any, ANY, least=2),
    "undeclared": Plan(_undeclared, _any, ANY),
    "labels-missing": Plan(_unlabelled, _any, ANY, study=_needs_labels),
    "unknown-class": Plan(_unknown_class, _any, ANY, study=_needs_list),
    "label-table-broken": Plan(_labels, _any, ANY, study=_needs_labels, least=2),
    "lineage-broken": Plan(_lineage, _any, ANY, least=2),
    "identifiers-in-paths": Plan(
        _named, _own_file, ("items that are files of their own", "各自为独立文件的样本")
    ),
}
