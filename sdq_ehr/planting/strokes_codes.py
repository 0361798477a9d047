"""Strokes against the rules about codes: sex, age, combinations, systems, validity."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

import numpy as np

from sdq_ehr.codes.facts import age_range_of_code, sex_of_code
from sdq_ehr.formats.fhir import SYSTEMS
from sdq_ehr.planting.plot import Index, Plot, Rng
from sdq_ehr.planting.strokes import Stroke, first_rows, no_place
from sdq_ehr.planting.strokes_time import DAY, first_working, set_times
from sdq_ehr.semantics.codesets import FAMILIES
from sdq_ehr.semantics.kinds.drug_allergy import built_in_classes
from sdq_ehr.semantics.rule import Rule
from sdq_ehr.semantics.words import FEMALE, MALE

__all__ = ["BAD_CODES", "code_rule_strokes", "coded_places", "put_codes", "validity_strokes"]

_KNOWN: Final[Mapping[str, tuple[str, ...]]] = {
    "icd10": ("O80", "N40", "C61", "Z38.0", "I51.7"),
    "icd10cm": ("O80", "C61", "Z38.00", "Z00.129", "N40.0", "I70.0", "R54"),
    "icd10cn": ("O80.900", "C61.x00"),
    "icd9cm": ("650", "185", "V30.00", "V20.2", "600.00"),
    "icd9proc": ("68.51", "60.5"), "icd9cn": ("68.5100", "60.5x00"),
    "icd10pcs": ("0UT90ZZ", "0VT00ZZ", "10D00Z0"),
}  # fmt: skip
"""Codes of which `sdq_ehr.codes.facts` may know a sex or an age; what fits a rule is tried."""
BAD_CODES: Final[Mapping[str, str]] = {
    "icd10": "Q42.99X", "icd10cm": "Q42.99X", "icd10cn": "Q42.99X", "icd9cm": "999.999",
    "icd9proc": "99.999", "icd10pcs": "0XX!!ZZ", "loinc": "2160-1", "snomed": "22298007",
    "atc": "Z99ZZ99", "ndc": "1-1", "cvx": "99999", "rxnorm": "12A",
}  # fmt: skip
"""System -> what looks like a code of it and is none: check digits that do not hold, no such
category."""
_ELSEWHERE: Final[Mapping[str, str]] = {
    "icd10": "2160-0", "icd10cm": "2160-0", "icd10cn": "2160-0", "icd9cm": "2160-0",
    "icd9proc": "2160-0", "icd10pcs": "2160-0", "loinc": "E11.9", "snomed": "E11.9",
    "atc": "2160-0", "rxnorm": "E11.9", "cvx": "E11.9",
}  # fmt: skip
_URLS: Final = {name: url for url, name in reversed(list(SYSTEMS.items()))}


def coded_places(plot: Plot, systems: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield table, column and system of the columns that can hold codes of some systems."""
    for table, column in plot.places("code"):
        about = plot.about(table, column)
        if about.system_column:
            here = {s for s in systems if s in _URLS}
            used = {_name_of(v) for v in set(plot.values(table, about.system_column)) if v}
            for system in sorted(here & used) or sorted(here):
                yield table, column, system
        elif about.system in systems:
            yield table, column, about.system
        elif about.system == "omop":
            yield from ((table, column, s) for s in systems)


def _name_of(word: str) -> str:
    from sdq_ehr.semantics.words import system_of_word

    return system_of_word(word)


def put_codes(
    plot: Plot, table: str, column: str, system: str, cells: Mapping[int, str]
) -> Plot | None:
    """Return the records with codes of a system in some rows; None where it cannot be said."""
    about = plot.about(table, column)
    if about.system == "omop":
        ids = _concepts(plot)
        found = {row: ids.get((system, code)) for row, code in cells.items()}
        if any(v is None for v in found.values()):
            return None
        return plot.with_cells(table, column, found)
    plot = plot.with_cells(table, column, cells)
    if about.system_column:
        known = [v for v in plot.values(table, about.system_column) if v and _name_of(v) == system]
        plot = plot.with_cells(
            table, about.system_column, dict.fromkeys(cells, known[0] if known else _URLS[system])
        )
    return plot


def _concepts(plot: Plot) -> dict[tuple[str, str], str]:
    """Return system and code -> concept id, by the table CONCEPT where there is one."""
    table = plot.sample.tables.get("concept")
    if table is None:
        return {}
    columns = ("concept_id", "vocabulary_id", "concept_code")
    rows = zip(*(table[c].cast("string").to_pylist() for c in columns), strict=True)
    return {(_name_of(v), c): i for i, v, c in rows if i and v and c}


def _first_that_works(
    plot: Plot, rule: Rule, tries: Iterator[Plot | None], what: tuple[str, str]
) -> Plot:
    return first_working(plot, rule, (t for t in tries if t is not None), what)


def code_rule_strokes(rules: Mapping[str, Rule]) -> dict[str, Stroke]:
    """Return a stroke for each rule about codes.

    Parameters
    ----------
    rules : mapping of str to Rule
    """
    makers: dict[str, Callable[[Plot, Rule, Index], Iterator[Plot | None]]] = {
        "sex": _sex, "age": _age, "excludes": _together, "requires": _together,
        "drug_allergy": _drug, "system": _elsewhere,
    }  # fmt: skip

    def plant(rule: Rule, plot: Plot, patients: Index, rng: Rng) -> Plot:
        what = (f"codes or ages that the rule {rule.id} judges",
                f"规则 {rule.id} 所判定的编码或年龄")  # fmt: skip
        return _first_that_works(plot, rule, makers[rule.kind](plot, rule, patients), what)

    return {
        rule.id: Stroke(rule.id, partial(plant, rule), minor=rule.severity != "error")
        for rule in rules.values() if rule.kind in makers
    }  # fmt: skip


def _of_set(codes: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    """Return codes of a set by system: the first ones of its entries."""
    found: dict[str, list[str]] = {}
    for family, entries in codes.items():
        for system in FAMILIES[family]:
            plain = [e.partition("-")[0] if family.startswith("icd") else e for e in entries]
            found.setdefault(system, []).extend(_completed(system, c) for c in plain)
    return found


def _completed(system: str, code: str) -> str:
    """Return a code that a list may hold, for a prefix of ICD and ATC."""
    whole = {"E10": "E10.9", "E11": "E11.9", "Z37": "Z37.0", "O00": "O00.9", "630": "630",
             "J01C": "J01CA04", "72": "72.0"}  # fmt: skip
    return whole.get(code, code)


def _sex(plot: Plot, rule: Rule, patients: Index) -> Iterator[Plot | None]:
    p = rule.parameters
    wrong = MALE if p.only == "female" else FEMALE
    letter = "F" if p.only == "female" else "M"
    candidates = _of_set(p.codes)
    for system in p.facts:
        known = _KNOWN.get(system, ())
        fit = sex_of_code(system, known) == letter
        candidates[system] = [c for c, f in zip(known, fit, strict=True) if f]
    some = patients[plot.context.sex[patients] == wrong]
    for table, column, system in coded_places(plot, tuple(candidates)):
        rows = first_rows(plot, table, some)
        for code in candidates[system] if len(rows) else ():
            yield put_codes(plot, table, column, system, dict.fromkeys(rows.tolist(), code))


def _age(plot: Plot, rule: Rule, patients: Index) -> Iterator[Plot | None]:
    p = rule.parameters
    if p.check == "range":
        yield from _aged(plot, patients, 131)
        yield from _stated(plot, patients, 140)
        return
    if p.check == "stated":
        yield from _stated(plot, patients, None)
        return
    candidates = _of_set(p.codes)
    for system in p.facts:
        known = _KNOWN.get(system, ())
        ages = age_range_of_code(system, known)
        fit = (ages[:, 0] == p.minimum) & (ages[:, 1] == p.maximum + 1)
        candidates[system] = [c for c, f in zip(known, fit, strict=True) if f]
    target = 6 if p.minimum > 8 and p.maximum > 100 else 70
    for aged in (*_aged(plot, patients, target), *_stated(plot, patients, target), plot):
        for table, column, system in coded_places(aged, tuple(candidates)):
            rows = first_rows(aged, table, patients)
            for code in candidates[system] if len(rows) else ():
                yield put_codes(aged, table, column, system, dict.fromkeys(rows.tolist(), code))


def _aged(plot: Plot, patients: Index, years: int) -> Iterator[Plot]:
    """Give patients a birth so many years before their first event."""
    for home, column in plot.places("date", "datetime", meanings=("birth",)):
        for table in plot.events():
            times = plot.context.event_times(table)
            if times is None:
                continue
            owner = plot.patients.rows[table]
            first: dict[int, np.datetime64] = {}
            for row in np.flatnonzero(np.isin(owner, patients) & ~np.isnat(times)).tolist():
                patient = int(owner[row])
                first[patient] = min(first.get(patient, times[row]), times[row])
            rows = {int(plot.patients.rows[home][r]): int(r)
                    for r in first_rows(plot, home, patients)}  # fmt: skip
            new = {rows[k]: t - int(years * 365.25) * DAY for k, t in first.items() if k in rows}
            if new:
                yield set_times(plot, home, column, new)
    for home, column in plot.places("integer", "number"):
        if column == "year_of_birth" and plot.schema.model == "omop":
            rows = first_rows(plot, home, patients).tolist()
            latest = 2015 - years
            yield plot.with_cells(home, column, dict.fromkeys(rows, latest))


def _stated(plot: Plot, patients: Index, years: int | None) -> Iterator[Plot]:
    for table, column in plot.places("integer", "number", meanings=("age",)):
        rows = first_rows(plot, table, patients).tolist()
        if years is None:
            values = plot.values(table, column)
            cells: dict[int, Any] = {
                r: v + 15 if v < 70 else v - 15 for r in rows if (v := values[r]) is not None
            }
        else:
            cells = dict.fromkeys(rows, years)
        yield plot.with_cells(table, column, cells)


def _together(plot: Plot, rule: Rule, patients: Index) -> Iterator[Plot | None]:
    """Give patients a code of each set, or of the first only where it asks for the second."""
    first, second = _of_set(rule.parameters.first), _of_set(rule.parameters.second)
    for table, column, system in coded_places(plot, tuple(first)):
        if system not in second:
            continue
        rows = first_rows(plot, table, patients).tolist()
        if not rows:
            continue
        codes = dict.fromkeys(rows, first[system][0])
        if rule.kind == "requires":
            yield put_codes(plot, table, column, system, codes)
            continue
        owner = plot.patients.rows[table]
        others = {int(owner[r]): r for r in rows}
        more = {}
        for row in np.flatnonzero(np.isin(owner, patients)).tolist():
            if row != others[int(owner[row])]:
                more[row] = second[system][0]
        made = put_codes(plot, table, column, system, codes)
        if made is not None and more:
            yield put_codes(made, table, column, system, more)


def _drug(plot: Plot, rule: Rule, patients: Index) -> Iterator[Plot | None]:
    for one in rule.parameters.classes or built_in_classes():
        for drug, name in _of_meaning(plot, "drug"):
            for table, column in _of_meaning(plot, "allergy"):
                mine = first_rows(plot, drug, patients)
                owners = plot.patients.rows[drug][mine]
                rows = first_rows(plot, table, owners)
                if not len(rows):
                    rows = first_rows(plot, table, np.arange(len(plot.patients)))
                    mine = first_rows(plot, drug, plot.patients.rows[table][rows])
                if not len(rows) or not len(mine):
                    continue
                given = _said(plot, drug, name, mine, one.drugs, one.drug_words)
                if given is not None:
                    yield _said(given, table, column, rows, one.allergies, one.allergy_words)


def _of_meaning(plot: Plot, meaning: str) -> list[tuple[str, str]]:
    return plot.places(meanings=(meaning,))


def _said(
    plot: Plot, table: str, column: str, rows: Index, codes: Any, words: Sequence[str]
) -> Plot | None:
    """Name a drug or an allergy in some rows: by a code, or by a word."""
    cells = rows.tolist()
    if plot.about(table, column).type != "code":
        return plot.with_cells(table, column, dict.fromkeys(cells, words[0])) if words else None
    known = _of_set(codes)
    for place, name, system in coded_places(plot, tuple(known)):
        if (place, name) == (table, column) and known[system]:
            made = put_codes(plot, table, column, system, dict.fromkeys(cells, known[system][0]))
            if made is not None:
                return made
    return None


def _elsewhere(plot: Plot, rule: Rule, patients: Index) -> Iterator[Plot | None]:
    for table, column, system in coded_places(plot, tuple(_ELSEWHERE)):
        if plot.about(table, column).system == "omop":
            continue
        rows = first_rows(plot, table, patients).tolist()
        if rows:
            yield put_codes(plot, table, column, system, dict.fromkeys(rows, _ELSEWHERE[system]))


# -- whether codes are any -----------------------------------------------------------------------


def validity_strokes() -> dict[str, Stroke]:
    """Return the strokes against the rules of the ladder of codes and units."""
    return {
        "ehr.codes.not_valid": Stroke("ehr.codes.not_valid", _not_valid),
        "ehr.codes.altered": Stroke("ehr.codes.altered", _altered, minor=True),
        "ehr.codes.not_billable": Stroke(
            "ehr.codes.not_billable", partial(_fixed, {"icd10cm": "E11", "icd9cm": "250"}),
            minor=True,
        ),
        "ehr.codes.unit_not_valid": Stroke("ehr.codes.unit_not_valid", partial(_unit, "mmHgg")),
        "ehr.codes.suspect": Stroke("ehr.codes.suspect", partial(_unit, "K/uL"), minor=True),
    }  # fmt: skip


def _not_valid(plot: Plot, patients: Index, rng: Rng) -> Plot:
    return _fixed(BAD_CODES, plot, patients, rng)


def _fixed(codes: Mapping[str, str], plot: Plot, patients: Index, rng: Rng) -> Plot:
    for table, column, system in coded_places(plot, tuple(codes)):
        rows = first_rows(plot, table, patients).tolist()
        if rows and plot.about(table, column).system != "omop":
            made = put_codes(plot, table, column, system, dict.fromkeys(rows, codes[system]))
            if made is not None:
                return made
    if "icd10" in codes:
        for table, column in plot.places("code", system=("omop",)):
            rows = first_rows(plot, table, patients).tolist()
            return plot.with_cells(table, column, dict.fromkeys(rows, "E11-unknown"))
    raise no_place("code of a system that can be judged", "可判定的编码列")


def _altered(plot: Plot, patients: Index, rng: Rng) -> Plot:
    for table, column in plot.places("code"):
        values = plot.values(table, column)
        rows = plot.rows_of(table, patients).tolist()
        cells = {r: v.lower() for r in rows if (v := values[r]) and v != v.lower()}
        if cells:
            return plot.with_cells(table, column, cells)
    raise no_place("code with a capital letter", "含大写字母的编码")


def _unit(unit: str, plot: Plot, patients: Index, rng: Rng) -> Plot:
    for table, column in plot.places("unit"):
        rows = first_rows(plot, table, patients).tolist()
        if rows:
            return plot.with_cells(table, column, dict.fromkeys(rows, unit))
    raise no_place("unit", "单位列")
