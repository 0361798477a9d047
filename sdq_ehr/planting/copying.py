"""Defects of privacy: training patients, parts of them, and their texts in the synthetic cohort."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow as pa

from sdq_ehr.defects import Sample
from sdq_ehr.planting.contents import jittered, repeated
from sdq_ehr.planting.loading import joined
from sdq_ehr.planting.plot import Index, Plot, Rng
from sdq_ehr.planting.strokes import Recipe, chosen, no_place
from sdq_ehr.planting.synthetic import declaring_columns

__all__ = ["COPIES"]

LEAST_COLUMNS: Final = 8
"""Columns of a patient's row of which half tell a copy from chance."""


def _beside(plot: Plot, train: Plot) -> tuple[Plot, Sample]:
    """Return the fresh records, able to hold training rows, and the training rows."""
    both = joined(plot, train)
    theirs = {
        n: t.slice(plot.sample.tables[n].num_rows) for n, t in both.sample.tables.items()
    }  # fmt: skip
    mine = both.with_sample(plot.sample)
    mine = replace(mine, known_only=plot.known_only, years=plot.years)
    return mine, Sample(theirs, plot.schema)


def _copied(plot: Plot, train: Plot, severity: float, rng: Rng) -> tuple[Plot, Index]:
    """Return the records with copies of training patients, and which patients these are."""
    gone = chosen(len(plot.patients), severity, rng)
    if len(train.patients) < len(gone):
        raise no_place(f"{len(gone)} training patients to copy", "足够的训练患者")
    mine, theirs = _beside(plot, train)
    originals = rng.choice(len(train.patients), len(gone), replace=False)
    keys = set(mine.patients.keys[gone].tolist()) - {""}
    made = repeated(mine, gone, originals.astype(np.intp), mine.with_sample(theirs))
    copies = np.flatnonzero([k in keys for k in made.patients.keys.tolist()]) if keys else gone
    return made, copies.astype(np.intp)


def _exact(plot: Plot, train: Plot, severity: float, rng: Rng) -> Plot:
    return _copied(plot, train, severity, rng)[0]


def _near(plot: Plot, train: Plot, severity: float, rng: Rng) -> Plot:
    """Copy patients, with numbers off by a fifth of their spread and births by days."""
    made, copies = _copied(plot, train, severity, rng)
    return jittered(made, copies, 0.2, rng)


def _half(plot: Plot, train: Plot, severity: float, rng: Rng) -> Plot:
    """Put half of the columns of a training patient into a synthetic one's row."""
    home = plot.schema.home
    if not home:
        raise no_place("patient table", "患者表")
    columns = [c for t, c in plot.places() if t == home
               and plot.about(t, c).meaning not in ("class",)]  # fmt: skip
    if len(columns) < LEAST_COLUMNS:
        raise no_place(
            f"patient table with {LEAST_COLUMNS} columns", f"至少含 {LEAST_COLUMNS} 列的患者表"
        )
    patients = chosen(len(plot.patients), severity, rng)
    if len(train.patients) < len(patients):
        raise no_place("training patients to copy", "可复制的训练患者")
    others = rng.choice(len(train.patients), len(patients), replace=False)
    half = rng.permutation(np.array(columns, object))[: (len(columns) + 1) // 2].tolist()
    for column in sorted(map(str, half)):
        theirs = train.values(home, column)
        cells = {
            int(plot.patients.firsts[k]): theirs[int(train.patients.firsts[o])]
            for k, o in zip(patients.tolist(), others.tolist(), strict=True)
        }
        plot = plot.with_cells(home, column, cells)
    return plot


def _texts(plot: Plot, train: Plot, severity: float, rng: Rng) -> Plot:
    """Copy free texts of training patients: half to the letter, half with some words gone."""
    for table, column in plot.places("text"):
        theirs = [v for v in train.values(table, column) if v and len(v.split()) > 12]
        rows = np.array([k for k, v in enumerate(plot.values(table, column)) if v], np.intp)
        if not theirs or not len(rows) or plot.is_fhir:
            continue
        some = rows[chosen(len(rows), severity, rng)].tolist()
        cells = {}
        for k, row in enumerate(some):
            text = theirs[int(rng.integers(len(theirs)))]
            words = text.split(" ")
            if k % 2:
                gone = set(rng.choice(len(words), max(1, len(words) // 12), replace=False).tolist())
                text = " ".join(w for j, w in enumerate(words) if j not in gone)
            cells[row] = text
        return plot.with_cells(table, column, cells)
    raise no_place("free text of some length", "有一定长度的自由文本")


def _undeclared(plot: Plot, train: Plot, severity: float, rng: Rng) -> Plot:
    """Let patients say neither that they are synthetic nor what made them."""
    some = chosen(len(plot.patients), severity, rng)
    for table, column, about in plot.schema.columns():
        if about.meaning != "provenance" or table not in plot.events():
            continue
        if plot.is_fhir and (table, column) not in declaring_columns(plot):
            continue
        no = "no" if "no" in about.values else None
        text = pa.types.is_string(plot.sample.tables[table][column].type)
        rows = plot.rows_of(table, some).tolist()
        plot = plot.with_cells(table, column, dict.fromkeys(rows, no if text else None))
    blank = {"synthetic": "", "generator": "", "seed": ""}
    labels = {int(k): {**plot.labels.get(int(k), {}), **blank} for k in some.tolist()}
    return replace(plot, labels={**plot.labels, **labels})


def _broken_label(plot: Plot, train: Plot, severity: float, rng: Rng) -> Plot:
    """Give most patients the label AIGC as it should be, and a share a broken one."""
    home = plot.schema.home
    for table, column, about in plot.schema.columns():
        if table == home and column.upper() == "AIGC" and about.meaning == "provenance":
            good = json.dumps(_GOOD, separators=(",", ":"))
            count = plot.sample.tables[home].num_rows
            cells = dict.fromkeys(range(count), good)
            some = chosen(count, severity, rng).tolist()
            return plot.with_cells(table, column, cells | dict.fromkeys(some, '{"Label":"9"}'))
    raise no_place("column AIGC of the meaning provenance", "含义为 provenance 的 AIGC 列")


_GOOD: Final = {"Label": "1", "ContentProducer": "00119111" + "0" * 22, "ProduceID": "1"}
COPIES: Final[dict[str, Recipe]] = {
    "exact-copies": _exact,
    "near-copies": _near,
    "half-copies": _half,
    "text-copies": _texts,
    "undeclared": _undeclared,
    "aigc-label-broken": _broken_label,
}
"""Defect -> how it is planted."""
