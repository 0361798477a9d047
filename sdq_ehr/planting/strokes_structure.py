"""Strokes against the rules about keys, references, rows and the form of cells."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

import numpy as np
import pyarrow as pa

from sdq_ehr.planting.plot import Index, Plot, Rng
from sdq_ehr.planting.strokes import Stroke, first_rows, no_place

__all__ = ["FULL_WIDTH", "cell_strokes", "key_strokes"]

FULL_WIDTH: Final = {n: n + 0xFEE0 for n in range(0x21, 0x7F)}
"""Half-width -> full-width signs."""


def _stroke(name: str, plant: Callable[[Plot, Index, Rng], Plot], minor: bool = False) -> Stroke:
    return Stroke(f"ehr.structure.{name}", plant, minor)


# -- keys and references -------------------------------------------------------------------------


def key_strokes() -> dict[str, Stroke]:
    """Return the strokes against the rules about keys, references and the number of rows."""
    strokes = (
        _stroke("patient_orphan", partial(_named, "nobody")),
        _stroke("patient_missing", partial(_named, "")),
        _stroke("orphan", _orphan), _stroke("other_patient", _other_patient),
        _stroke("key_duplicate", partial(_key, False)), _stroke("key_missing", partial(_key, True)),
        _stroke("required", _required), _stroke("too_few_rows", _too_few),
        _stroke("too_many_rows", _too_many),
    )  # fmt: skip
    return {s.rule: s for s in strokes}


def _named(kind: str, plot: Plot, patients: Index, rng: Rng) -> Plot:
    """Let a row of each patient name nobody, or somebody who is not there."""
    home = plot.schema.home
    for table in plot.events():
        column = plot.schema.patient_column(table)
        if table == home or not column or not home:
            continue
        rows = first_rows(plot, table, patients).tolist()
        cells = {r: f"{kind}-{k}" if kind else None for k, r in enumerate(rows)}
        if rows:
            return plot.with_cells(table, column, cells)
    raise no_place("second table that names patients", "引用患者的其他表")


def _referring(plot: Plot) -> Iterator[tuple[str, str, str, str]]:
    for table in plot.events():
        own = plot.schema.patient_column(table)
        for column, target in plot.definition(table).references.items():
            split = plot.schema.split(target)
            there = plot.is_written(table, column)
            if split is None or column == own or not there:
                continue
            other, key = split
            if other in plot.sample.tables and plot.sample.tables[other].num_rows:
                yield table, column, other, key


def _orphan(plot: Plot, patients: Index, rng: Rng) -> Plot:
    for table, column, _, _ in _referring(plot):
        rows = first_rows(plot, table, patients).tolist()
        if rows:
            return plot.with_cells(table, column, {r: f"gone-{k}" for k, r in enumerate(rows)})
    raise no_place("reference between tables", "表间引用")


def _other_patient(plot: Plot, patients: Index, rng: Rng) -> Plot:
    for table, column, other, key in _referring(plot):
        owner = plot.patients.rows[table]
        theirs = plot.patients.rows[other]
        keys = plot.values(other, key)
        cells = {}
        for row in first_rows(plot, table, patients).tolist():
            strangers = np.flatnonzero((theirs >= 0) & (theirs != owner[row]))
            if len(strangers):
                cells[row] = keys[int(rng.choice(strangers))]
        if cells:
            return plot.with_cells(table, column, cells)
    raise no_place("reference to rows of patients", "指向患者记录的引用")


def _key(missing: bool, plot: Plot, patients: Index, rng: Rng) -> Plot:
    for table in plot.events():
        key = plot.definition(table).key
        column = key[0] if key else ""
        if not key or table == plot.schema.home or (plot.is_fhir and table == "observations"):
            continue
        values = plot.values(table, column)
        rows = first_rows(plot, table, patients).tolist()
        if len(key) > 1 and not missing:
            return plot.with_rows(table, rows, {})
        # Of the last rows, which no stroke that begins with a patient's first row has changed.
        others = [r for r in reversed(range(len(values))) if r not in set(rows) and values[r]]
        if not rows or not (missing or others):
            continue
        return plot.with_cells(
            table, column,
            {r: None if missing else values[others[k % len(others)]] for k, r in enumerate(rows)},
        )  # fmt: skip
    raise no_place("table with a key beside the patient table", "患者表以外带主键的表")


def _required(plot: Plot, patients: Index, rng: Rng) -> Plot:
    for table in plot.events():
        for column, about in plot.definition(table).columns.items():
            there = plot.is_written(table, column)
            if about.required and there and column not in plot.keys(table):
                rows = first_rows(plot, table, patients).tolist()
                return plot.with_cells(table, column, dict.fromkeys(rows))
    raise no_place("column that the schema requires", "模式规定的必填列")


def _too_few(plot: Plot, patients: Index, rng: Rng) -> Plot:
    for table in plot.events():
        if plot.definition(table).rows_minimum and table != plot.schema.home:
            return plot.without_rows(table, plot.rows_of(table, patients).tolist())
    raise no_place("table with a least number of rows", "规定最少行数的表")


def _too_many(plot: Plot, patients: Index, rng: Rng) -> Plot:
    for table in plot.events():
        most = plot.definition(table).rows_maximum
        if most is not None and table != plot.schema.home:
            rows = np.repeat(first_rows(plot, table, patients), most).tolist()
            key = plot.definition(table).key
            cells = {key[0]: [f"more-{k}" for k in range(len(rows))]} if len(key) == 1 else {}
            if key and key[0] == plot.schema.patient_column(table):
                cells = {}
            if rows:
                return plot.with_rows(table, rows, cells)
    raise no_place("table with a most number of rows", "规定最多行数的表")


# -- cells ---------------------------------------------------------------------------------------


def cell_strokes() -> dict[str, Stroke]:
    """Return the strokes against the rules about how cells are written."""
    strokes = (
        _stroke("type", _wrong_type), _stroke("fraction", _fraction),
        _stroke("value_unknown", _unknown_value),
        _stroke("full_width", partial(_rewritten, _widened), minor=True),
        _stroke("padded", partial(_rewritten, _padded), minor=True),
        _stroke("float_code", _float_codes, minor=True),
        _stroke("thousands", _thousands, minor=True),
        _stroke("decimal_comma", _decimal_comma, minor=True),
        _stroke("decimal_unclear", _decimal_unclear, minor=True),
        _stroke("date_forms", partial(_dates, "%Y%m%d", False), minor=True),
        _stroke("partial_date", partial(_dates, "%Y", False), minor=True),
        _stroke("time_of_day_dropped", partial(_dates, "%Y-%m-%d 10:30", False), minor=True),
        _stroke("date_order_found", partial(_dates, "%d/%m/%Y", True), minor=True),
        _stroke("date_order_unclear", _unclear_days, minor=True),
        _stroke("zone_dropped", partial(_zones, ("+08:00",)), minor=True),
        _stroke("zones_mixed", partial(_zones, ("+08:00", "-05:00")), minor=True),
    )  # fmt: skip
    return {s.rule: s for s in strokes}


def _free(plot: Plot, *types: str) -> Iterator[tuple[str, str]]:
    """Yield columns of some types whose cells no other stroke has written yet."""
    if plot.is_fhir:
        return  # the form of elements has rules of its own
    for place in plot.places(*types):
        native = plot.origin.cells[place[0]][plot.origin.sources[place[0]][place[1]]].type
        if place not in plot.texts and pa.types.is_string(native):
            yield place


def _known(plot: Plot, table: str, column: str, rows: list[int]) -> list[int]:
    values = plot.values(table, column)
    return [r for r in rows if values[r] is not None]


def _wrong_type(plot: Plot, patients: Index, rng: Rng) -> Plot:
    for table, column in _free(plot, "number", "integer", "date", "datetime", "boolean"):
        rows = first_rows(plot, table, patients).tolist()
        if rows:
            return plot.with_texts(table, column, dict.fromkeys(rows, "see letter"))
    raise no_place("number or date in a text file", "文本文件中的数值或日期列")


def _fraction(plot: Plot, patients: Index, rng: Rng) -> Plot:
    for table, column in _free(plot, "integer"):
        rows = _known(plot, table, column, first_rows(plot, table, patients).tolist())
        values = plot.values(table, column)
        if rows:
            return plot.with_texts(table, column, {r: f"{values[r]}.37" for r in rows})
    raise no_place("whole number in a text file", "文本文件中的整数列")


def _unknown_value(plot: Plot, patients: Index, rng: Rng) -> Plot:
    for table, column in plot.places("category"):
        if plot.about(table, column).values:
            rows = first_rows(plot, table, patients).tolist()
            return plot.with_cells(table, column, dict.fromkeys(rows, "not-allowed"))
    raise no_place("column with allowed values", "规定取值范围的列")


def _widened(text: str) -> str:
    return text.translate(FULL_WIDTH)


def _padded(text: str) -> str:
    return f"  {text} "


def _rewritten(change: Callable[[str], str], plot: Plot, patients: Index, rng: Rng) -> Plot:
    for table, column in _free(plot, "code", "category", "unit"):
        values = plot.values(table, column)
        rows = first_rows(plot, table, patients).tolist()
        cells = {r: new for r in rows if (v := values[r]) and (new := change(v)) != v
                 and any(c.isalnum() for c in v)}  # fmt: skip
        if cells:
            return plot.with_texts(table, column, cells)
    raise no_place("code or category in a text file", "文本文件中的编码或类别列")


def _float_codes(plot: Plot, patients: Index, rng: Rng) -> Plot:
    for table, column in _free(plot, "code", "category"):
        values = plot.values(table, column)
        if all(v is None or v.isdigit() for v in values):
            cells = {r: f"{v}.0" for r, v in enumerate(values) if v is not None}
            return plot.with_texts(table, column, cells)
    raise no_place("code of digits alone", "纯数字编码列")


def _thousands(plot: Plot, patients: Index, rng: Rng) -> Plot:
    for table, column in _free(plot, "number"):
        if "," in (plot.about(table, column).decimal or plot.schema.decimal):
            continue
        rows = _known(plot, table, column, first_rows(plot, table, patients).tolist())
        if rows:
            return plot.with_texts(table, column, dict.fromkeys(rows, "1,234.50"))
    raise no_place("number in a text file", "文本文件中的数值列")


def _decimal_comma(plot: Plot, patients: Index, rng: Rng) -> Plot:
    for table, column in _free(plot, "number"):
        values = plot.values(table, column)
        some = [v for v in values if v is not None and v != int(v)]
        if _auto_decimal(plot, table, column) and some:
            cells = {r: repr(v).replace(".", ",") for r, v in enumerate(values) if v is not None}
            return plot.with_texts(table, column, cells)
    raise no_place("number with a fraction in a text file", "文本文件中带小数的数值列")


def _auto_decimal(plot: Plot, table: str, column: str) -> bool:
    return (plot.about(table, column).decimal or plot.schema.decimal) == "auto"


def _decimal_unclear(plot: Plot, patients: Index, rng: Rng) -> Plot:
    for table, column in _free(plot, "number", "integer"):
        values = plot.values(table, column)
        if _auto_decimal(plot, table, column):
            cells = {r: f"{1 + r % 9},{int(abs(v)) % 1000:03d}"
                     for r, v in enumerate(values) if v is not None}  # fmt: skip
            return plot.with_texts(table, column, cells)
    raise no_place("number in a text file", "文本文件中的数值列")


def _dates(form: str, whole: bool, plot: Plot, patients: Index, rng: Rng) -> Plot:
    for table, column in _free(plot, "date"):
        about = plot.about(table, column)
        if whole and (about.date_order or plot.schema.date_order) != "auto":
            continue
        values = plot.values(table, column)
        rows = list(range(len(values))) if whole else first_rows(plot, table, patients).tolist()
        cells = {r: values[r].strftime(form) for r in rows if values[r] is not None}
        days = {values[r].day for r in cells}
        if cells and (not whole or max(days) > 12):
            return plot.with_texts(table, column, cells)
    raise no_place("date in a text file", "文本文件中的日期列")


def _unclear_days(plot: Plot, patients: Index, rng: Rng) -> Plot:
    for table, column in _free(plot, "date"):
        about = plot.about(table, column)
        if (about.date_order or plot.schema.date_order) == "auto":
            cells = {
                r: f"{(v.day - 1) % 12 + 1:02d}/{v.month:02d}/{v.year:04d}"
                for r, v in enumerate(plot.values(table, column)) if isinstance(v, dt.date)
            }  # fmt: skip
            return plot.with_texts(table, column, cells)
    raise no_place("date whose order the schema leaves open", "未声明日月次序的日期列")


def _zones(zones: tuple[str, ...], plot: Plot, patients: Index, rng: Rng) -> Plot:
    for table, column in _free(plot, "datetime"):
        values = plot.values(table, column)
        rows = _known(plot, table, column, plot.rows_of(table, patients).tolist())
        if len(rows) >= len(zones):
            cells = {
                r: f"{values[r]:%Y-%m-%d %H:%M:%S}{zones[k % len(zones)]}"
                for k, r in enumerate(rows)
            }  # fmt: skip
            return plot.with_texts(table, column, cells)
    raise no_place("time in a text file", "文本文件中的时间列")
