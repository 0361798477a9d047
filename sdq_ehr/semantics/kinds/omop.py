"""The kind of rule about the fields of the OMOP common data model 5.4."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sdq_ehr.formats.omop import OmopField, omop_fields
from sdq_ehr.semantics.columns import Times
from sdq_ehr.semantics.context import Context, missing
from sdq_ehr.semantics.rule import Check, Kind, NotApplicable, Parameters

__all__ = ["OMOP"]

_CLINICAL: Final = ("condition_occurrence", "drug_exposure", "procedure_occurrence", "measurement",
                    "observation", "device_exposure", "visit_occurrence", "visit_detail",
                    "specimen", "note", "episode")  # fmt: skip


class OmopParameters(Parameters):
    """Which fields are judged, and how.

    `required`: fields that may not be empty; `type`: values of the field's type;
    `concept_zero`: the concept of the record is mapped; `standard`, `domain`: it is a standard
    concept of the field's domain; `period`: the record lies in an observation period.
    """

    check: Literal["required", "type", "concept_zero", "standard", "domain", "period"]


def _domain(field: OmopField) -> str:
    """Return the domain of the record's own standard concept in a field; empty for others."""
    if not field.field.endswith("concept_id") or "_source_" in field.field:
        return ""
    return "Type Concept" if field.field.endswith("_type_concept_id") else field.domain


def _fields(context: Context) -> Iterator[tuple[str, str, OmopField]]:
    """Yield table and column, as the data write them, of the model's fields."""
    for table in context.tables():
        for field in omop_fields().get(table.lower(), {}).values():
            column = context.named(table, field.field)
            if column is not None:
                yield table, column, field


def _omop(p: OmopParameters, context: Context) -> Iterator[Check]:
    checks: Mapping[str, Callable[[Context], Iterator[Check]]] = {
        "required": _required,
        "type": _type,
        "concept_zero": _concept_zero,
        "standard": lambda c: _concepts(c, "standard"),
        "domain": lambda c: _concepts(c, "domain"),
        "period": _period,
    }
    seen = False
    for check in checks[p.check](context):
        seen = True
        yield check
    if not seen:
        raise missing("field of the OMOP model that this rule judges", "本规则涉及的 OMOP 字段")


def _required(context: Context) -> Iterator[Check]:
    for table, column, field in _fields(context):
        if not field.required:
            continue
        rows = context.rows(table)
        array = context.array(table, column)
        empty = np.ones(rows, bool) if array is None else _empty(array)
        yield Check.of(table, column, empty, np.ones(rows, bool))


def _empty(array: pa.ChunkedArray) -> NDArray[np.bool_]:
    return np.asarray(array.is_null().to_numpy(), bool)


_INTEGER, _NUMBER = r"[+-]?\d{1,19}(?:\.0*)?", r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_TIME = r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"


def _type(context: Context) -> Iterator[Check]:
    unparsed: dict[tuple[str, str], list[NDArray[np.intp]]] = {}
    for found in context.dataset.row_findings:
        if found.rule == "ehr.structure.type":
            unparsed.setdefault((found.table, found.column), []).append(found.rows)
    for table, column, field in _fields(context):
        array = context.array(table, column)
        if array is None or field.type not in ("integer", "float", "number", "date", "datetime"):
            continue
        known = ~_empty(array)
        bad = np.zeros(len(known), bool)
        for rows in unparsed.get((table, column), ()):
            # A cell that could not be parsed is missing in the table.
            bad[rows] = known[rows] = True
        wanted = {"integer": _INTEGER, "float": _NUMBER, "number": _NUMBER}.get(field.type, _TIME)
        kind = array.type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            texts = context.texts(table, column)
            assert texts is not None
            pattern = re.compile(wanted)
            strange = [pattern.fullmatch(v.strip()) is None for v in texts.values]
            bad |= texts.spread(np.array(strange, bool))
        elif (wanted == _TIME) != pa.types.is_temporal(kind):
            bad |= known
        elif field.type == "integer" and pa.types.is_floating(kind):
            values = context.numbers(table, column)
            assert values is not None
            with np.errstate(invalid="ignore"):
                bad |= values != np.floor(values)
            bad &= known
        yield Check.of(table, column, bad, known)


def _concept_zero(context: Context) -> Iterator[Check]:
    for table, column, field in _fields(context):
        if not (field.required and _domain(field)):
            continue
        texts = context.texts(table, column)
        if texts is not None:
            zero = [v in ("0", "0.0") for v in texts.values]
            yield Check.of(table, column, texts.spread(np.array(zero, bool)), texts.known)


def _concepts(context: Context, what: Literal["standard", "domain"]) -> Iterator[Check]:
    known = _concept_table(context)
    for table, column, field in _fields(context):
        if not _domain(field):
            continue
        texts = context.texts(table, column)
        if texts is None:
            continue
        found = [known.get(v) for v in texts.values]
        judged = [f is not None for f in found]
        if what == "standard":
            wrong = [f is not None and f[1] != "S" for f in found]
        else:
            wrong = [f is not None and _domain(field) not in f[0] for f in found]
        yield Check.of(table, column, texts.spread(np.array(wrong, bool)),
                       texts.spread(np.array(judged, bool)))  # fmt: skip


def _concept_table(context: Context) -> Mapping[str, tuple[str, str]]:
    """Concept id -> domain and standard flag, without concept 0."""
    if "concepts" not in context.kept:
        made: dict[str, tuple[str, str]] = {}
        for table in context.tables():
            if table.lower() != "concept":
                continue
            columns = [
                context.array(table, context.named(table, n) or "")
                for n in ("concept_id", "domain_id", "standard_concept")
            ]
            if all(c is not None for c in columns):
                lists = [c.cast(pa.string()).to_pylist() for c in columns if c is not None]
                made = {i: (d or "", s or "") for i, d, s in zip(*lists, strict=True) if i}
                made.pop("0", None)
        context.kept["concepts"] = made
    found: dict[str, tuple[str, str]] = context.kept["concepts"]
    if not found:
        raise NotApplicable(
            "the folder has no CONCEPT table; add CONCEPT.csv of an Athena export",
            "文件夹中没有 CONCEPT 表; 请加入 Athena 导出的 CONCEPT.csv",
        )
    return found


def _period(context: Context) -> Iterator[Check]:
    periods = _periods(context)
    if periods is None:
        raise missing(
            "OBSERVATION_PERIOD with person and dates", "含患者与日期的 OBSERVATION_PERIOD 表"
        )
    owners, starts, ends = periods
    for table in context.tables():
        if table.lower() not in _CLINICAL:
            continue
        times = context.event_times(table)
        if times is None:
            continue
        owner, days = context.owner(table), times.astype("datetime64[D]")
        known = ~np.isnat(days) & (owner >= 0)
        inside = np.zeros(len(owner), bool)
        inside[known] = _inside(owner[known], days[known].astype(np.int64), owners, starts, ends)
        name = context.definitions(table).time or next(
            (c for c in context.definitions(table).columns if c.lower().endswith("_date")), ""
        )
        yield Check.of(table, name, ~inside, known)


def _periods(
    context: Context,
) -> tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.int64]] | None:
    """Return patient, first and last day of the periods, overlapping ones joined, in order."""
    for table in context.tables():
        if table.lower() != "observation_period":
            continue
        columns = [
            context.times(table, context.named(table, f"observation_period_{end}_date") or "")
            for end in ("start", "end")
        ]
        if any(c is None for c in columns):
            return None
        days: list[Times] = [c.astype("datetime64[D]") for c in columns if c is not None]
        owner = context.owner(table)
        use = np.flatnonzero((owner >= 0) & ~np.isnat(days[0]) & ~np.isnat(days[1]))
        start, end = (d[use].astype(np.int64) for d in days)
        order = np.lexsort((start, owner[use]))
        return owner[use][order], start[order], end[order]
    return None


def _inside(
    owner: NDArray[np.intp],
    day: NDArray[np.int64],
    owners: NDArray[np.intp],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Return which days lie in a period of their patient."""
    if not len(owners):
        return np.zeros(len(owner), bool)
    # The latest end among a patient's periods that begin up to a day: one search tells all.
    low = min(int(day.min(initial=0)), int(starts.min()), int(ends.min()))
    span = max(int(day.max(initial=0)), int(starts.max()), int(ends.max())) - low + 2
    latest = np.maximum.accumulate(ends - low + owners * span)
    at = np.searchsorted(starts - low + owners * span, day - low + owner * span, side="right") - 1
    same = (at >= 0) & (owners[at] == owner)
    inside: NDArray[np.bool_] = same & (latest[at] - owner * span >= day - low)
    return inside


OMOP = Kind("omop", OmopParameters, _omop,
            "fields of the OMOP common data model", "OMOP 公共数据模型的字段要求")  # fmt: skip
