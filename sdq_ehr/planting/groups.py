"""Defects of classes and groups of patients."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
import pyarrow as pa

from sdq_ehr.planting.contents import moved, one_number, patients_gone
from sdq_ehr.planting.plot import ROW, Index, Plot, Rng
from sdq_ehr.planting.strokes import Recipe, chosen, no_place

__all__ = ["GROUPS_OF_PATIENTS", "class_places", "labelled"]


def class_places(plot: Plot) -> list[tuple[str, str]]:
    """Return the class column of the patient table, where it is in the files."""
    home = plot.schema.home
    return [(t, c) for t, c in plot.places(meanings=("class",)) if t == home]


def class_of(plot: Plot) -> list[str]:
    """Return the class of each patient, from the patient table or from the label table.

    Raises
    ------
    CannotPlant
        Neither says it.
    """
    places = class_places(plot)
    patients = plot.patients
    if places:
        values = plot.values(*places[0])
        return [str(values[r] or "") for r in patients.firsts.tolist()]
    found = labelled(plot, "class")
    if any(found):
        return found
    raise no_place("class of the patients", "患者类别")


def labelled(plot: Plot, column: str) -> list[str]:
    """Return what the label table says of each patient."""
    patients = plot.patients
    found = []
    for k in range(len(patients)):
        table = str(patients.tables[k])
        row = plot.sample.tables[table][ROW][int(patients.firsts[k])].as_py()
        owner = int(plot.origin.member[table][row]) if row >= 0 else -1
        said = plot.origin.members[owner].row.get(column, "") if owner >= 0 else ""
        found.append(plot.labels.get(k, {}).get(column, said))
    return found


def with_classes(plot: Plot, classes: dict[int, str]) -> Plot:
    """Return the records with other classes of some patients."""
    places = class_places(plot)
    if not places:
        labels = {k: {**plot.labels.get(k, {}), "class": v} for k, v in classes.items()}
        return replace(plot, labels={**plot.labels, **labels})
    table, column = places[0]
    firsts = plot.patients.firsts
    kind = plot.sample.tables[table][column].type
    cells: dict[int, Any] = {}
    for k, v in classes.items():
        cells[int(firsts[k])] = pa.array([v]).cast(kind)[0].as_py() if v else None
    return plot.with_cells(table, column, cells)


def _imbalanced(plot: Plot, train: Plot, severity: float, rng: Rng) -> Plot:
    """Leave out a share of the patients of the rarest class."""
    classes = class_of(plot)
    names = sorted({c for c in classes if c})
    if len(names) < 2:
        raise no_place("second class", "第二个类别")
    rare = min(names, key=classes.count)
    there = np.flatnonzero([c == rare for c in classes])
    return patients_gone(plot, there[chosen(len(there), severity, rng)])


def _mislabelled(plot: Plot, train: Plot, severity: float, rng: Rng) -> Plot:
    """Give a share of the patients another class, drawn at random."""
    classes = class_of(plot)
    names = sorted({c for c in classes if c})
    if len(names) < 2:
        raise no_place("second class", "第二个类别")
    new = {}
    for k in chosen(len(classes), severity, rng).tolist():
        others = [c for c in names if c != classes[k]]
        new[k] = others[int(rng.integers(len(others)))]
    return with_classes(plot, new)


def _unlabelled(plot: Plot, train: Plot, severity: float, rng: Rng) -> Plot:
    """Take the class of some patients away, and give others one that is none."""
    classes = class_of(plot)
    some = chosen(len(classes), severity, rng).tolist()
    allowed = not class_places(plot) or not plot.about(*class_places(plot)[0]).values
    new = {k: "" if j % 2 or not allowed else "not a class" for j, k in enumerate(some)}
    if not allowed:
        table, column = class_places(plot)[0]
        firsts = plot.patients.firsts
        texts = {int(firsts[k]): "not a class" for j, k in enumerate(some) if j % 2 == 0}
        new = {k: v for j, (k, v) in enumerate(new.items()) if j % 2}
        plot = plot.with_cells(table, column, texts) if plot.about(table, column).type in (
            "category", "text") else plot  # fmt: skip
    return with_classes(plot, new) if new else plot


def _group(plot: Plot) -> tuple[Index, str]:
    """Return the patients of the smaller sex, or of the rarest category of the patient table."""
    home = plot.schema.home
    patients = plot.patients
    for table, column in sorted(plot.places("category", "boolean", "code"),
                                key=lambda p: plot.about(*p).meaning != "sex"):  # fmt: skip
        if table != home or plot.about(table, column).meaning == "class":
            continue
        values = plot.values(table, column)
        texts = [values[r] for r in patients.firsts.tolist()]
        names = sorted({str(v) for v in texts if v is not None})
        sizes = {n: sum(str(v) == n for v in texts) for n in names}
        fit = [n for n in names if sizes[n] >= max(3, len(texts) // 20)]
        if len(fit) >= 2:
            name = min(fit, key=lambda n: sizes[n])
            return np.flatnonzero([str(v) == name for v in texts]).astype(np.intp), column
    raise no_place("group of patients", "患者亚组")


def _group_dropped(plot: Plot, train: Plot, severity: float, rng: Rng) -> Plot:
    """Leave out a share of the patients of one group."""
    group, _ = _group(plot)
    return patients_gone(plot, group[chosen(len(group), severity, rng)])


def _group_shifted(plot: Plot, train: Plot, severity: float, rng: Rng) -> Plot:
    """Move one number of the patients of one group alone."""
    group, _ = _group(plot)
    table, column, rows = one_number(plot)
    inside = rows[np.isin(plot.patients.rows[table][rows], group)]
    if len(inside) < 2:
        raise no_place("number of the group", "亚组的数值")
    return moved(plot, table, column, inside, severity)


GROUPS_OF_PATIENTS: Final[dict[str, Recipe]] = {
    "group-shifted": _group_shifted,
    "group-dropped": _group_dropped,
    "class-imbalance": _imbalanced,
    "label-noise": _mislabelled,
    "labels-missing": _unlabelled,
}
"""Defect -> how it is planted."""
