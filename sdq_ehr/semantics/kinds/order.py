"""Kinds of rules about time: the order of dates, overlapping stays, dates out of bounds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

import numpy as np

from sdq_ehr.semantics.columns import Times, later
from sdq_ehr.semantics.context import Context, Place, missing
from sdq_ehr.semantics.rule import Check, Kind, NotApplicable, Parameters

__all__ = ["BOUNDS", "ORDER", "OVERLAP"]

_OF_PATIENT: Final = ("birth", "death")
_OF_VISIT: Final = {"visit.admission": "admission", "visit.discharge": "discharge"}
_DAY = np.timedelta64(86_400_000_000, "us")


class OrderParameters(Parameters):
    """`first` must not lie after `then`.

    Each is a list of meanings, of ``table.column``, or ``visit.admission``/``visit.discharge``: the
    stay that the row refers to. Births and deaths are those of the row's patient; all else stands
    in one row.
    """

    first: tuple[str, ...]
    then: tuple[str, ...]
    tolerance_days: float = 0.0


def _order(p: OrderParameters, context: Context) -> Iterator[Check]:
    seen = False
    for first in p.first:
        for then in p.then:
            for check in _pair(first, then, p.tolerance_days, context):
                seen = True
                yield check
    if not seen:
        raise missing(
            f"column for both '{' or '.join(p.first)}' and '{' or '.join(p.then)}' "
            "(in one table, or of one patient)",
            f"可比较的时间列 ({'/'.join(p.first)} 与 {'/'.join(p.then)})",
        )


def _pair(first: str, then: str, tolerance: float, context: Context) -> Iterator[Check]:
    """Compare all columns that two selectors name."""
    wide_first = first in _OF_PATIENT or first in _OF_VISIT
    wide_then = then in _OF_PATIENT or then in _OF_VISIT
    if wide_then and not (first in _OF_PATIENT and then in _OF_PATIENT):
        for place in _places(first, context):
            a = context.times(place.table, place.column)
            b = _wide(then, place.table, context)
            if a is not None and b is not None:
                yield from _check(place.table, place.column, a, b, tolerance)
    elif wide_first:
        for place in _places(then, context):
            a = _wide(first, place.table, context)
            b = context.times(place.table, place.column)
            if a is not None and b is not None:
                yield from _check(place.table, place.column, a, b, tolerance)
    else:
        firsts, thens = list(_places(first, context)), list(_places(then, context))
        for table in dict.fromkeys(p.table for p in firsts):
            here = [p for p in firsts if p.table == table]
            there = [p for p in thens if p.table == table]
            # Sources that keep a date and a time of each: date with date, time with time.
            even = len(here) == len(there)
            pairs = zip(here, there, strict=True) if even else ((x, y) for x in here for y in there)
            for x, y in pairs:
                a, b = context.times(table, x.column), context.times(table, y.column)
                if x.column != y.column and a is not None and b is not None:
                    yield from _check(table, f"{x.column}, {y.column}", a, b, tolerance)


def _places(selector: str, context: Context) -> Iterator[Place]:
    if "." in selector:
        place = context.place(selector)
        if place is not None:
            yield place
        return
    for place in context.places(selector):
        # The dates of dictionaries (when a code was valid) are nobody's.
        if not context.schema.is_dictionary(place.table):
            yield place


def _wide(selector: str, table: str, context: Context) -> Times | None:
    if selector in _OF_VISIT:
        return context.visit_times(table, _OF_VISIT[selector])
    values = context.patient_times(selector)
    if np.isnat(values).all() and not any(context.places(selector)):
        return None
    out: Times = context.of_patient(table, values, np.datetime64("NaT", "us"))
    return out


def _check(table: str, column: str, a: Times, b: Times, tolerance: float) -> Iterator[Check]:
    known = ~(np.isnat(a) | np.isnat(b))
    yield Check.of(table, column, later(a, b, tolerance), known)


class OverlapParameters(Parameters):
    """No stay of a patient may begin before another one has ended, by more than a tolerance."""

    inpatient: tuple[str, ...]
    tolerance_days: float = 0.0


def _overlap(p: OverlapParameters, context: Context) -> Iterator[Check]:
    seen = False
    for table in context.tables():
        definition = context.definitions(table)
        start = definition.with_meaning("admission") or definition.with_meaning("start")
        end = definition.with_meaning("discharge") or definition.with_meaning("end")
        kind = definition.with_meaning("class")
        if not start or not end or context.schema.is_dictionary(table):
            continue
        if kind is None and definition.with_meaning("admission") is None:
            continue
        a, b = context.times(table, start), context.times(table, end)
        if a is None or b is None or context.schema.rows_are_patients:
            continue
        seen = True
        use = ~(np.isnat(a) | np.isnat(b)) & (context.owner(table) >= 0)
        if kind is not None:
            texts = context.texts(table, kind)
            wanted = {w.lower() for w in p.inpatient}
            if texts is not None and not (
                definition.with_meaning("admission") and not _any(texts.values, wanted)
            ):
                stays = [v.strip().lower() in wanted for v in texts.values]
                use &= texts.spread(np.array(stays, bool))
        yield Check(table, f"{start}, {end}", _overlapping(a, b, use, p.tolerance_days, context,
                    table), int(np.count_nonzero(use)))  # fmt: skip
    if not seen:
        raise missing(
            "table of stays with admission and discharge (or start, end and class) and a patient",
            "含入院与出院时间 (或开始、结束与类别) 及患者列的住院表",
        )


def _any(values: list[str], wanted: set[str]) -> bool:
    return any(v.strip().lower() in wanted for v in values)


def _overlapping(
    a: Times, b: Times, use: np.ndarray, tolerance: float, context: Context, table: str
) -> np.ndarray:
    rows = np.flatnonzero(use & ~later(a, b))
    owner = context.owner(table)[rows]
    order = np.lexsort((b[rows].astype(np.int64), a[rows].astype(np.int64), owner))
    rows, owner = rows[order], owner[order]
    if len(rows) < 2:
        return np.empty(0, np.intp)
    # The latest end among the earlier stays of the same patient: a running maximum that is made
    # to start anew with each patient by an offset larger than all times.
    ends = b[rows].astype(np.int64)
    ends = ends - ends.min()
    span = int(ends.max()) + 1
    new = np.append(True, owner[1:] != owner[:-1])
    group = np.cumsum(new) - 1
    if span * int(group[-1] + 1) < 2**62:
        latest = np.maximum.accumulate(ends + group * span) - group * span
    else:
        # Whole seconds, so that the offsets fit.
        ends, span = ends // 10**6, span // 10**6 + 1
        latest = (np.maximum.accumulate(ends + group * span) - group * span) * 10**6
    until = (latest + b[rows].astype(np.int64).min()).astype("datetime64[us]")
    bad = np.zeros(len(rows), bool)
    bad[1:] = ~new[1:] & later(until[:-1], a[rows][1:], tolerance)
    return np.sort(rows[bad])


class BoundsParameters(Parameters):
    """Dates must not lie before a day, or not after the day of extraction."""

    bound: Literal["earliest", "extraction"]
    earliest: str = "1900-01-01"
    tolerance_days: float = 0.0
    meanings: tuple[str, ...]


def _bounds(p: BoundsParameters, context: Context) -> Iterator[Check]:
    if p.bound == "extraction":
        limit = context.extraction
        if limit is None:
            raise NotApplicable(
                "the day on which the data were taken is not known; state it as `extraction` in "
                "schema.yaml, or in CDM_SOURCE",
                "数据提取日期未知; 请在 schema.yaml 的 extraction 或 CDM_SOURCE 表中给出",
            )
    seen = False
    for place in context.places(*p.meanings):
        values = context.times(place.table, place.column)
        if values is None or context.schema.is_dictionary(place.table):
            continue
        seen = True
        if p.bound == "extraction":
            assert context.extraction is not None
            bad = later(values, np.broadcast_to(context.extraction, values.shape),
                        p.tolerance_days + 1 - 1e-6)  # fmt: skip
        else:
            bad = values < np.datetime64(p.earliest, "us")
        yield Check.of(place.table, place.column, bad, ~np.isnat(values))
    if not seen:
        raise missing("date or time", "日期或时间列")


ORDER = Kind("order", OrderParameters, _order,
             "one time must not lie after another", "一个时间不得晚于另一个时间")  # fmt: skip
OVERLAP = Kind("overlap", OverlapParameters, _overlap,
               "stays of one patient must not overlap", "同一患者的住院不得重叠")  # fmt: skip
BOUNDS = Kind("future", BoundsParameters, _bounds,
              "dates must lie between bounds", "日期须在界限之内")  # fmt: skip
