"""Strokes against the rules about time, each planted from the rule's own definition."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sdq_ehr.planting.plot import Index, Plot, Rng
from sdq_ehr.planting.strokes import Stroke, first_rows, no_place
from sdq_ehr.semantics.kinds import KINDS
from sdq_ehr.semantics.rule import NotApplicable, Rule

__all__ = ["DAY", "broken", "set_times", "time_strokes"]

DAY: Final = np.timedelta64(86_400_000_000, "us")
_VISIT: Final = {"visit.admission": "admission", "visit.discharge": "discharge"}
Times = NDArray[np.datetime64]


def broken(plot: Plot, rule: Rule) -> int:
    """Return how many violations of a rule the records have; 0 where it cannot judge them."""
    if rule.models and plot.schema.model not in rule.models:
        return 0
    try:
        checks = list(KINDS[rule.kind].evaluate(rule.parameters, plot.context))
    except NotApplicable:
        return 0
    return sum(len(c.rows) for c in checks)


def set_times(plot: Plot, table: str, column: str, times: Mapping[int, np.datetime64]) -> Plot:
    """Return the records with other times; a date column keeps the day."""
    kind = plot.sample.tables[table][column].type
    made: dict[int, Any] = {}
    for row, time in times.items():
        value = time.astype("datetime64[us]").item()
        made[row] = value.date() if pa.types.is_date(kind) else value
    return plot.with_cells(table, column, made)


def first_working(plot: Plot, rule: Rule, tries: Iterator[Plot], what: tuple[str, str]) -> Plot:
    """Return the first try that breaks a rule more often than before."""
    before = broken(plot, rule)
    for made in tries:
        if broken(made, rule) > before:
            return made
    raise no_place(*what)


def time_strokes(rules: Mapping[str, Rule]) -> dict[str, Stroke]:
    """Return a stroke for each rule of the kinds ``order``, ``overlap``, ``future``, ``years``.

    Parameters
    ----------
    rules : mapping of str to Rule
    """
    makers: dict[str, Callable[[Plot, Rule, Index], Iterator[Plot]]] = {
        "order": _order, "overlap": _overlap, "future": _future, "years": _years,
    }  # fmt: skip

    def plant(rule: Rule, plot: Plot, patients: Index, rng: Rng) -> Plot:
        what = (f"dates that the rule {rule.id} judges", f"规则 {rule.id} 所判定的日期")
        return first_working(plot, rule, makers[rule.kind](plot, rule, patients), what)

    return {
        rule.id: Stroke(rule.id, partial(plant, rule), minor=rule.severity != "error")
        for rule in rules.values() if rule.kind in makers
    }  # fmt: skip


def _dated(plot: Plot, meanings: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for table in plot.events():
        for column, about in plot.definition(table).columns.items():
            there = plot.is_written(table, column)
            if about.meaning in meanings and about.type in ("date", "datetime") and there:
                yield table, column


def _order(plot: Plot, rule: Rule, patients: Index) -> Iterator[Plot]:
    p = rule.parameters
    margin = DAY * (int(p.tolerance_days) + 10)
    for first in p.first:
        for then in p.then:
            if first in ("birth", "death") or first in _VISIT:
                yield from _moved(plot, patients, then, first, -margin)
            elif then in ("birth", "death"):
                # The day of death is brought before the event, so that no patient who lives is
                # needed to have died.
                yield from _death_moved(plot, patients, first, then, -margin)
            elif then in _VISIT:
                yield from _moved(plot, patients, first, then, margin)
            else:
                yield from _in_one_row(plot, patients, first, then, -margin)


def _moved(
    plot: Plot, patients: Index, moved: str, bound: str, by: np.timedelta64
) -> Iterator[Plot]:
    """Put an event before, or after, what it may not lie before or after."""
    for table, column in _dated(plot, (moved,)):
        limit: Times | None
        if bound in _VISIT:
            limit = plot.context.visit_times(table, _VISIT[bound])
        else:
            times = plot.context.patient_times(bound)
            limit = plot.context.of_patient(table, times, np.datetime64("NaT", "us"))
        if limit is None:
            continue
        rows = _one_each(plot, table, patients, ~np.isnat(limit))
        if rows:
            yield set_times(plot, table, column, {r: limit[r] + by for r in rows})


def _one_each(plot: Plot, table: str, patients: Index, usable: NDArray[np.bool_]) -> list[int]:
    """Return the first usable row of each patient."""
    owner = plot.patients.rows[table]
    rows = np.flatnonzero(np.isin(owner, patients) & usable)
    _, first = np.unique(owner[rows], return_index=True)
    return [int(r) for r in rows[first]]


def _death_moved(
    plot: Plot, patients: Index, event: str, of: str, by: np.timedelta64
) -> Iterator[Plot]:
    for home, column in _dated(plot, (of,)):
        for table, time in _dated(plot, (event,)):
            times = plot.context.times(table, time)
            if times is None:
                continue
            owner = plot.patients.rows[table]
            rows = _one_each(plot, table, patients, ~np.isnat(times))
            own = {int(plot.patients.rows[home][r]): int(r)
                   for r in first_rows(plot, home, patients)}  # fmt: skip
            new = {own[int(owner[r])]: times[r] + by for r in rows if int(owner[r]) in own}
            if new:
                yield set_times(plot, home, column, new)


def _in_one_row(
    plot: Plot, patients: Index, first: str, then: str, by: np.timedelta64
) -> Iterator[Plot]:
    for table, column in _dated(plot, (then,)):
        for other, start in _dated(plot, (first,)):
            times = plot.context.times(table, start) if other == table else None
            if times is None or start == column:
                continue
            rows = _one_each(plot, table, patients, ~np.isnat(times))
            if rows:
                yield set_times(plot, table, column, {r: times[r] + by for r in rows})


def _overlap(plot: Plot, rule: Rule, patients: Index) -> Iterator[Plot]:
    for table in plot.events():
        definition = plot.definition(table)
        start = definition.with_meaning("admission") or definition.with_meaning("start")
        end = definition.with_meaning("discharge") or definition.with_meaning("end")
        times = plot.context.times(table, start) if start else None
        if not start or not end or times is None or plot.schema.rows_are_patients:
            continue
        owner = plot.patients.rows[table]
        begins: dict[int, np.datetime64] = {}
        ends: dict[int, np.datetime64] = {}
        kinds: dict[int, Any] = {}
        kind = definition.with_meaning("class")
        for patient in patients.tolist():
            rows = np.flatnonzero((owner == patient) & ~np.isnat(times))[:2].tolist()
            if len(rows) == 2:
                one, two = rows
                begins[two] = times[one] + 2 * DAY
                ends |= {one: times[one] + 14 * DAY, two: times[one] + 20 * DAY}
                kinds |= dict.fromkeys(rows, rule.parameters.inpatient[0])
        if begins:
            made = set_times(set_times(plot, table, start, begins), table, end, ends)
            yield made
            if kind and pa.types.is_string(plot.sample.tables[table][kind].type):
                yield made.with_cells(table, kind, kinds)


def _future(plot: Plot, rule: Rule, patients: Index) -> Iterator[Plot]:
    p = rule.parameters
    when: Any
    if p.bound == "earliest":
        when = np.datetime64(p.earliest, "us") - 240 * DAY
    else:
        limit = plot.context.extraction
        if limit is None:
            return
        when = limit[0] + 40 * DAY
    for table, column in _dated(plot, p.meanings):
        rows = first_rows(plot, table, patients)
        yield set_times(plot, table, column, dict.fromkeys(rows.tolist(), when))


def _years(plot: Plot, rule: Rule, patients: Index) -> Iterator[Plot]:
    p = rule.parameters
    for table, column in _dated(plot, p.meanings):
        span, times = plot.years.get(f"{table}.{column}"), plot.context.times(table, column)
        if span is None or times is None:
            continue
        rows = _one_each(plot, table, patients, ~np.isnat(times))
        margin = max(p.margin_years, p.margin_share * (span[1] - span[0]))
        if p.check == "century":
            made = {r: _years_on(times[r], -100) for r in rows}
        else:
            year = span[0] - margin - 3 if p.check == "before" else span[1] + margin + 3
            made = {r: np.datetime64(f"{int(year):04d}-06-15", "us") for r in rows}
        if made:
            yield set_times(plot, table, column, made)


def _years_on(time: np.datetime64, years: int) -> np.datetime64:
    month = time.astype("datetime64[M]")
    begin = month.astype("datetime64[us]")
    moved = (month + np.timedelta64(12 * years, "M")).astype("datetime64[us]")
    out: np.datetime64 = moved + (time - begin)
    return out
