"""Strokes against the rules about values, units, dictionaries, OMOP fields and FHIR elements."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

import numpy as np
import pyarrow as pa

from sdq_ehr.formats.omop import omop_fields
from sdq_ehr.planting.fhir_setting import element_of
from sdq_ehr.planting.plot import Index, Plot, Rng
from sdq_ehr.planting.strokes import Stroke, first_rows
from sdq_ehr.planting.strokes_time import first_working, set_times
from sdq_ehr.semantics.rule import Rule

__all__ = ["UNIT_SWAPS", "value_strokes"]

UNIT_SWAPS: Final[Mapping[str, str]] = {
    "mg/dL": "mmol/L", "mmol/L": "mg/dL", "g/dL": "mmol/L", "%": "mmol/mol", "g/L": "g/dL",
    "umol/L": "mg/dL", "Cel": "[degF]", "[degF]": "Cel", "mmol/mol": "%",
}  # fmt: skip
"""Unit -> another one in which the same analyte is measured."""
Tries = Iterator[Plot | None]


def value_strokes(rules: Mapping[str, Rule]) -> dict[str, Stroke]:
    """Return a stroke for each rule about values that has one.

    Parameters
    ----------
    rules : mapping of str to Rule
    """
    makers: dict[tuple[str, str], Callable[[Plot, Index], Tries]] = {
        ("range", ""): _beyond, ("unit", "mixed_up"): _mixed_up, ("unit", "allowed"): _strange_unit,
        ("dictionary", "values"): _undeclared_value, ("dictionary", "range"): _out_of_range,
        ("omop", "required"): _omop_empty, ("omop", "type"): _omop_type,
        ("omop", "concept_zero"): _omop_zero, ("omop", "standard"): partial(_omop_concept, True),
        ("omop", "domain"): partial(_omop_concept, False), ("omop", "period"): _omop_period,
        ("fhir", "required"): _fhir_gone, ("fhir", "binding"): _fhir_word,
        ("fhir", "reference"): _fhir_reference,
    }  # fmt: skip

    def plant(rule: Rule, plot: Plot, patients: Index, rng: Rng) -> Plot:
        maker = makers[rule.kind, getattr(rule.parameters, "check", "")]
        what = (f"cells that the rule {rule.id} judges", f"规则 {rule.id} 所判定的单元格")
        known = (t for t in maker(plot, patients) if t is not None)
        return first_working(plot, rule, known, what)

    return {
        rule.id: Stroke(rule.id, partial(plant, rule), minor=rule.severity != "error")
        for rule in rules.values()
        if (rule.kind, getattr(rule.parameters, "check", "")) in makers
    }  # fmt: skip


def _numbers(plot: Plot) -> list[tuple[str, str]]:
    return plot.places("number", "integer")


def _beyond(plot: Plot, patients: Index) -> Tries:
    for table, column in _numbers(plot):
        rows = plot.rows_of(table, patients).tolist()
        # One result of each patient at first; where analytes are mixed, all of them.
        for some in (first_rows(plot, table, patients).tolist(), rows):
            yield plot.with_cells(table, column, dict.fromkeys(some, 9_999_999))


def _mixed_up(plot: Plot, patients: Index) -> Tries:
    for table, column in plot.places("unit"):
        rows = plot.rows_of(table, patients)
        values = plot.values(table, column)
        owner = plot.patients.rows[table]
        for unit in sorted({values[r] for r in rows.tolist() if values[r] in UNIT_SWAPS}):
            mine = [r for r in rows.tolist() if values[r] == unit]
            _, first = np.unique(owner[mine], return_index=True)
            for some in ([mine[k] for k in first.tolist()], mine):
                yield plot.with_cells(table, column, dict.fromkeys(some, UNIT_SWAPS[unit]))


def _strange_unit(plot: Plot, patients: Index) -> Tries:
    for table, column in plot.places("unit"):
        for rows in (first_rows(plot, table, patients), plot.rows_of(table, patients)):
            yield plot.with_cells(table, column, dict.fromkeys(rows.tolist(), "km"))


def _undeclared_value(plot: Plot, patients: Index) -> Tries:
    for table, column in plot.places("category"):
        if plot.about(table, column).values:
            rows = first_rows(plot, table, patients).tolist()
            yield plot.with_cells(table, column, dict.fromkeys(rows, "undeclared"))


def _out_of_range(plot: Plot, patients: Index) -> Tries:
    for table, column in _numbers(plot):
        about = plot.about(table, column)
        rows = first_rows(plot, table, patients).tolist()
        if about.minimum is not None:
            yield _with_number(plot, table, column, rows, about.minimum - abs(about.minimum) - 1)
        if about.maximum is not None:
            yield _with_number(plot, table, column, rows, about.maximum + abs(about.maximum) + 1)


def _with_number(plot: Plot, table: str, column: str, rows: list[int], value: float) -> Plot:
    whole = pa.types.is_integer(plot.sample.tables[table][column].type)
    return plot.with_cells(table, column, dict.fromkeys(rows, int(value) if whole else value))


# -- OMOP ----------------------------------------------------------------------------------------


def _omop_columns(plot: Plot) -> Iterator[tuple[str, str, Any]]:
    for table in plot.events():
        for name, field in omop_fields().get(table.lower(), {}).items():
            there = name in plot.origin.sources.get(table, {})
            if there and name not in plot.keys(table):
                yield table, name, field


def _omop_empty(plot: Plot, patients: Index) -> Tries:
    for table, column, field in _omop_columns(plot):
        if field.required and field.type != "date":
            rows = first_rows(plot, table, patients).tolist()
            yield plot.with_cells(table, column, dict.fromkeys(rows))


def _omop_type(plot: Plot, patients: Index) -> Tries:
    for table, column, field in _omop_columns(plot):
        about = plot.about(table, column)
        if field.type == "integer" and about.type in ("code", "identifier"):
            rows = first_rows(plot, table, patients).tolist()
            yield plot.with_cells(table, column, dict.fromkeys(rows, "unknown"))


def _omop_zero(plot: Plot, patients: Index) -> Tries:
    for table, column, field in _omop_columns(plot):
        if field.required and field.field.endswith("concept_id"):
            rows = first_rows(plot, table, patients).tolist()
            yield plot.with_cells(table, column, dict.fromkeys(rows, "0"))


def _omop_concept(standard: bool, plot: Plot, patients: Index) -> Tries:
    """Put a concept that is not standard, or of another domain, from the table CONCEPT."""
    concepts = plot.sample.tables.get("concept")
    if concepts is None:
        return
    columns = ("concept_id", "domain_id", "standard_concept")
    known = list(zip(*(concepts[c].cast("string").to_pylist() for c in columns), strict=True))
    for table, column, field in _omop_columns(plot):
        if not field.domain or "_source_" in column:
            continue
        fit = [i for i, d, s in known if i and i != "0"
               and ((s != "S") if standard else (s == "S" and d != field.domain))]  # fmt: skip
        rows = first_rows(plot, table, patients).tolist()
        if fit:
            yield plot.with_cells(table, column, dict.fromkeys(rows, fit[0]))


def _omop_period(plot: Plot, patients: Index) -> Tries:
    for table, column, field in _omop_columns(plot):
        if field.type == "date" and table != "observation_period":
            rows = first_rows(plot, table, patients).tolist()
            when = np.datetime64("1931-02-03", "us")
            yield set_times(plot, table, column, dict.fromkeys(rows, when))


# -- FHIR ----------------------------------------------------------------------------------------


def _fhir_gone(plot: Plot, patients: Index) -> Tries:
    for table, column in plot.places("category", "datetime"):
        if element_of(table, column) and column in ("status", "time"):
            rows = first_rows(plot, table, patients).tolist()
            yield plot.with_cells(table, column, dict.fromkeys(rows))


def _fhir_word(plot: Plot, patients: Index) -> Tries:
    for table, column in plot.places("category"):
        if element_of(table, column) and column in ("status", "sex", "clinical_status"):
            rows = first_rows(plot, table, patients).tolist()
            yield plot.with_cells(table, column, dict.fromkeys(rows, "somehow"))


def _fhir_reference(plot: Plot, patients: Index) -> Tries:
    """Let the reference to an encounter name a patient."""
    keys = plot.patients.keys
    for table in plot.events():
        if "encounter" not in plot.definition(table).columns:
            continue
        rows = first_rows(plot, table, patients).tolist()
        owner = plot.patients.rows[table]
        cells = {r: str(keys[owner[r]]) for r in rows}
        yield plot.with_cells(table, "encounter", cells)
