"""Kinds of rules about measured values: range for unit and analyte, allowed units, mix-ups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sdq_ehr.codes.facts import range_of_code, units_of_code
from sdq_ehr.semantics.analytes import (
    Analyte,
    Unit,
    built_in_analytes,
    plain_unit,
    plain_word,
)
from sdq_ehr.semantics.codesets import normal_code
from sdq_ehr.semantics.context import Context, Place, missing
from sdq_ehr.semantics.rule import Check, Kind, Parameters

__all__ = ["RANGE", "UNIT"]


class RangeParameters(Parameters):
    """Values must lie within the limits of their analyte in their unit.

    `analytes`: of the rule itself; empty: those of the package, and for other LOINC codes the
    units and ranges of `sdq_ehr.codes.facts`.
    """

    analytes: tuple[Analyte, ...] = ()


class UnitParameters(RangeParameters):
    """Which fault of units is looked for.

    `allowed`: the unit must be one of the analyte's; `mixed_up`: a value that is unusual in the
    stated unit must not be usual in another one.
    """

    check: Literal["allowed", "mixed_up"]


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    """A column of values whose analyte is known, with limits in the stated unit for each row."""

    place: Place
    unit_column: str  # the column of units; of values where the schema fixes one
    value: NDArray[np.float64]
    pair: NDArray[np.intp]  # analyte and unit of each row; -1: no known analyte
    stated: NDArray[np.bool_]  # of each pair: a unit stands there
    allowed: NDArray[np.bool_]  # of each pair
    bounds: NDArray[np.float64]  # (pairs, 4): limits and usual range, in the stated unit
    others: NDArray[np.float64]  # (pairs, alternatives, 2): usual range as other units write it


def _range(p: RangeParameters, context: Context) -> Iterator[Check]:
    for m in _measured(p, context):
        low, high, _, _ = m.bounds[m.pair].T
        with np.errstate(invalid="ignore"):
            bad = (m.value < low) | (m.value > high)
        known = (m.pair >= 0) & ~np.isnan(m.value) & ~np.isnan(low)
        # What another unit explains is the finding of the rule for mix-ups.
        yield Check.of(m.place.table, m.place.column, bad & ~_mixed(m), known)


def _unit(p: UnitParameters, context: Context) -> Iterator[Check]:
    for m in _measured(p, context):
        if p.check == "allowed":
            known = (m.pair >= 0) & m.stated[m.pair]
            yield Check.of(m.place.table, m.unit_column, ~m.allowed[m.pair], known)
        else:
            known = (m.pair >= 0) & ~np.isnan(m.value) & ~np.isnan(m.bounds[m.pair, 2])
            known &= m.stated[m.pair]
            yield Check.of(m.place.table, m.place.column, _mixed(m), known)


def _mixed(m: _Measured) -> NDArray[np.bool_]:
    _, _, low, high = m.bounds[m.pair].T
    with np.errstate(invalid="ignore"):
        unusual = (m.value < low) | (m.value > high)
        # Zero is a missing value or a failure in every unit.
        unusual &= (m.value > 0) & m.stated[m.pair]
        out = np.zeros(len(m.value), bool)
        for other in np.moveaxis(m.others, 1, 0):
            out |= (m.value >= other[m.pair, 0]) & (m.value <= other[m.pair, 1])
    found: NDArray[np.bool_] = out & unusual
    return found


def _measured(p: RangeParameters, context: Context) -> list[_Measured]:
    key = f"measured {id(p.analytes) if p.analytes else ''}"
    if key not in context.kept:
        # The analytes are kept too, so that their identity stays theirs.
        context.kept[key] = (list(_columns(p, context)), p.analytes)
    found: list[_Measured] = context.kept[key][0]
    if not found:
        raise missing(
            "values with a code of a known analyte, and no column named like one",
            "含已知检验项目编码的数值列, 也没有以检验项目命名的列",
        )
    return found


Ends = tuple[float, float]
NOTHING: Ends = (np.nan, np.nan)


@dataclass(frozen=True, slots=True)
class _Ranges:
    """Limits and usual range as each unit writes them; no usual range: no mix-up is told."""

    limits: Mapping[str, Ends]
    usual: Mapping[str, Ends]
    sizes: Mapping[str, object]  # units of one size (mmol/L and meq/L of sodium) compare equal


def _of_analyte(analyte: Analyte) -> _Ranges:
    units = {plain_unit(word): unit for word, unit in analyte.units.items()}
    return _Ranges(
        {word: _in(unit, analyte.limits) for word, unit in units.items()},
        {word: _in(unit, analyte.usual) for word, unit in units.items()},
        {word: (unit.factor, unit.offset) for word, unit in units.items()},
    )


def _of_facts(code: str) -> _Ranges | None:
    """Return the ranges of a LOINC code that only `sdq_ehr.codes.facts` knows."""
    words = sorted(units_of_code("loinc", [code])[0])
    if not words:
        return None
    ranges = range_of_code("loinc", [code] * len(words), words)
    limits = {plain_unit(w): (float(a), float(b)) for w, (a, b) in zip(words, ranges, strict=True)}
    return _Ranges(limits, {}, {w: w for w in limits})


def _in(unit: Unit, ends: Ends) -> Ends:
    """Return a range as a unit writes it."""
    # Conversion factors are rounded to four digits or so: the ends give way by as much.
    low, high = ((end - unit.offset) / unit.factor for end in ends)
    return low - abs(low) * 1e-3, high + abs(high) * 1e-3


def _columns(p: RangeParameters, context: Context) -> Iterator[_Measured]:
    analytes = p.analytes or built_in_analytes()
    by_code = {
        (system, normal_code(code, system)): k
        for k, a in enumerate(analytes)
        for system, codes in [("loinc", a.loinc), *a.codes.items()]
        for code in codes
    }
    by_word = {plain_word(w): k for k, a in enumerate(analytes) for w in a.words}
    items = [_of_analyte(a) for a in analytes]
    coded = {(c.place.table, c.place.column): c for c in context.coded()}
    for table in context.tables():
        if context.schema.is_dictionary(table):
            continue
        definition = context.definitions(table)
        for name, column in definition.columns.items():
            if column.type not in ("number", "integer"):
                continue
            values = context.numbers(table, name)
            if values is None:
                continue
            code_column = column.code or (
                (definition.with_meaning("code") or "") if column.meaning == "value" else ""
            )
            codes = coded.get((table, code_column))
            if codes is not None:
                which = [
                    _item(system, normal_code(code, system), by_code, items, not p.analytes)
                    for code, system in zip(codes.values, codes.systems, strict=True)
                ]
                item = np.array([*which, -1], np.intp)[codes.index]
            elif column.meaning in ("", "value") and plain_word(name) in by_word:
                item = np.full(len(values), by_word[plain_word(name)], np.intp)
            else:
                continue
            if (item >= 0).any():
                yield _with_units(Place(table, name, column), values, item, items, context)


def _item(
    system: str,
    code: str,
    by_code: dict[tuple[str, str], int],
    items: list[_Ranges],
    ask_facts: bool,
) -> int:
    """Return which item a code is, -1 for none; what only the facts know is added to the items."""
    if (system, code) not in by_code:
        found = _of_facts(code) if ask_facts and system == "loinc" else None
        by_code[system, code] = len(items) if found is not None else -1
        if found is not None:
            items.append(found)
    return by_code[system, code]


def _with_units(
    place: Place,
    values: NDArray[np.float64],
    item: NDArray[np.intp],
    items: list[_Ranges],
    context: Context,
) -> _Measured:
    definition = place.definition
    unit_column = definition.unit_column or (
        context.definitions(place.table).with_meaning("unit") or ""
        if definition.meaning == "value"
        else ""
    )
    units = context.texts(place.table, unit_column) if unit_column else None
    if units is None:
        words, index = [definition.unit], np.zeros(len(values), np.intp)
    else:
        words, index = ["", *units.values], units.index + 1
    raw = np.where(item >= 0, item * len(words) + index, -1)
    seen, pair = np.unique(raw, return_inverse=True)
    if len(seen) and seen[0] < 0:
        seen, pair = seen[1:], pair - 1
    count = len(seen)
    stated, allowed = np.zeros(count + 1, bool), np.zeros(count + 1, bool)
    bounds = np.full((count + 1, 4), np.nan)
    most = max((len(i.limits) for i in items), default=1)
    others = np.full((count + 1, most, 2), np.nan)
    for k, number in enumerate(seen.tolist()):
        known, word = items[number // len(words)], words[number % len(words)]
        unit = plain_unit(word)
        stated[k], allowed[k] = bool(word.strip()), unit in known.limits
        if allowed[k]:
            bounds[k] = *known.limits[unit], *known.usual.get(unit, NOTHING)
            rest = [r for u, r in known.usual.items() if known.sizes[u] != known.sizes[unit]]
            others[k, : len(rest)] = np.array(rest).reshape(-1, 2)
        elif not stated[k]:
            # Without a unit a value is wrong only when it is so in every unit.
            ends = list(known.limits.values())
            bounds[k, :2] = min(a for a, _ in ends), max(b for _, b in ends)
    where = place.column if units is None else unit_column
    pair = np.asarray(pair, np.intp)
    return _Measured(place, where, values, pair, stated, allowed, bounds, others)


RANGE = Kind("range", RangeParameters, _range,
             "values outside of what a living person can have",
             "超出存活个体可能范围的数值")  # fmt: skip
UNIT = Kind("unit", UnitParameters, _unit,
            "units that the analyte does not have, or that were mixed up",
            "检验项目不使用的单位, 或混淆的单位")  # fmt: skip
