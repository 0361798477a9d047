"""Strokes against the rules about direct identifiers: invented ones, in texts and columns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import numpy as np

from sdq_core.vocabulary import Severity
from sdq_ehr.dataset import Dataset
from sdq_ehr.identifier_columns import role_of
from sdq_ehr.identifier_patterns import kinds_in_text
from sdq_ehr.identifier_rules import KINDS
from sdq_ehr.identifiers import find_identifiers
from sdq_ehr.national_numbers import nhs_number
from sdq_ehr.planting.plot import Index, Plot, Rng
from sdq_ehr.planting.strokes import Stroke, first_rows, no_place

__all__ = ["identifier_strokes", "resident_number"]

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_FAMILY: Final = ("Walker", "Haines", "Okafor", "Lindqvist", "Moreau", "Petrov", "Castillo")


def resident_number(rng: Rng) -> str:
    """Return an invented Chinese resident identity number whose check character holds.

    Parameters
    ----------
    rng : numpy.random.Generator

    Notes
    -----
    GB 11643-1999: region, birth, sequence, and a check character by ISO 7064 MOD 11-2.

    Examples
    --------
    >>> from sdq_ehr.national_numbers import is_resident_identity_number
    >>> is_resident_identity_number(resident_number(np.random.default_rng(0)))
    True
    """
    born = dt.date(1940, 1, 1) + dt.timedelta(int(rng.integers(0, 25000)))
    body = f"110105{born:%Y%m%d}{rng.integers(1, 999):03d}"
    total = sum(int(d) * w for d, w in zip(body, _WEIGHTS, strict=True))
    return body + "10X98765432"[total % 11]


def _nhs(rng: Rng) -> str:
    while True:
        body = f"{rng.integers(400_000_000, 499_999_999)}"
        for digit in "0123456789":
            if nhs_number(body + digit):
                return f"{body[:3]} {body[3:6]} {body[6:]}{digit}"


def _digits(rng: Rng, count: int) -> str:
    return "".join(map(str, rng.integers(0, 10, count).tolist()))


_TEXTS: Final[Mapping[str, Callable[[Rng], str]]] = {
    "name": lambda rng: f"seen with Mrs {rng.choice(_FAMILY)}",
    "staff_name": lambda rng: f"signed Dr {rng.choice(_FAMILY)}",
    "address": lambda rng: f"lives at {rng.integers(2, 999)} Maple Grove Street",
    "location": lambda rng: f"found at 31.{_digits(rng, 5)}, 121.{_digits(rng, 5)}",
    "birth_date": lambda rng: f"date of birth 19{rng.integers(30, 99)}-0{rng.integers(1, 9)}-1"
                              f"{rng.integers(0, 9)}",
    "age_over_89": lambda rng: f"a {rng.integers(91, 99)}-year-old person, "
                               f"{rng.integers(91, 99)} years old",
    "mobile_number": lambda rng: f"call 138{_digits(rng, 8)}",
    "telephone": lambda rng: f"telephone (41{rng.integers(2, 9)}) 555-{rng.integers(1000, 9999)}",
    "email": lambda rng: f"write to {rng.choice(_FAMILY)}{_digits(rng, 4)}@example.org",
    "social_security_number": lambda rng: f"{rng.integers(100, 665)}-{rng.integers(10, 99)}-"
                                          f"{rng.integers(1000, 9999)}",
    "resident_identity_number": resident_number,
    "national_number": lambda rng: f"NHS {_nhs(rng)}",
    "record_number": lambda rng: f"MRN {_digits(rng, 7)}1",
    "insurance_number": lambda rng: f"member id {_digits(rng, 8)}7",
    "licence_plate": lambda rng: f"came in 京A·{rng.integers(10000, 99999)}",
    "device": lambda rng: f"pump, serial no: PX{_digits(rng, 7)}",
    "url": lambda rng: f"see https://www.clinic-{_digits(rng, 4)}.example.org/patients",
    "ip_address": lambda rng: f"from 203.119.{rng.integers(40, 250)}.{rng.integers(100, 250)}",
}  # fmt: skip
"""Kind -> an invented text that holds one."""


def identifier_strokes() -> dict[str, Stroke]:
    """Return the strokes against the rules about identifiers."""
    found = {
        f"ehr.identifier.{kind}": Stroke(
            f"ehr.identifier.{kind}", partial(_in_text, kind),
            minor=KINDS[kind][0] is not Severity.ERROR,
        )
        for kind in _TEXTS
    }  # fmt: skip
    for kind, role in (("postcode", "postcode"), ("place", "place")):
        rule = f"ehr.identifier.{kind}"
        found[rule] = Stroke(rule, partial(_by_role, kind, role), minor=True)
    for kind, plant in (
        ("number_of_its_own", _own_number), ("birth_date_column", _births),
    ):  # fmt: skip
        rule = f"ehr.identifier.{kind}"
        found[rule] = Stroke(rule, plant, minor=True)
    rule = "ehr.identifier.key_is_identity"
    found[rule] = Stroke(rule, _identity_keys)
    return found


def _text_places(plot: Plot) -> list[tuple[str, str]]:
    """Return the columns that can hold a text: free text first, then categories."""
    places = [*plot.places("text"), *plot.places("category")]
    return [
        (t, c) for t, c in places
        if not plot.about(t, c).values and plot.about(t, c).meaning not in ("class", "sex")
        and role_of(plot.schema, t, c) == ""
        and (not plot.is_fhir or c in ("display", "value_text", "city", "name"))
    ]  # fmt: skip


def _in_text(kind: str, plot: Plot, patients: Index, rng: Rng) -> Plot:
    for table, column in _text_places(plot):
        rows = first_rows(plot, table, patients).tolist()
        if rows:
            values = plot.values(table, column)
            cells = {r: f"{values[r] or 'note'}; {_TEXTS[kind](rng)}" for r in rows}
            if kind in kinds_in_text(cells[rows[0]]):
                return plot.with_cells(table, column, cells)
    raise no_place("text or free category", "自由文本或未限定取值的类别列")


def _seen(plot: Plot, table: str, kind: str) -> bool:
    rule = f"ehr.identifier.{kind}"
    tables = plot.dataset.tables
    some = {n: tables[n] for n in tables if n in (table, plot.schema.home)}
    outcome = find_identifiers(Dataset(plot.schema, some))
    rules = {f.rule for f in outcome.row_findings} | {f.rule for f in outcome.findings}
    return rule in rules


def _by_role(kind: str, role: str, plot: Plot, patients: Index, rng: Rng) -> Plot:
    for table in plot.events():
        for column in plot.definition(table).columns:
            there = plot.is_written(table, column)
            if role_of(plot.schema, table, column) != role or not there:
                continue
            rows = first_rows(plot, table, patients).tolist()
            new = "100191" if kind == "postcode" else "Lower Marsh"
            if plot.about(table, column).type in ("number", "integer"):
                made = plot.with_cells(table, column, dict.fromkeys(rows, int("100191")))
            else:
                made = plot.with_cells(table, column, dict.fromkeys(rows, new))
            if _seen(made, table, kind):
                return made
    raise no_place(f"column of the role {role}", "邮编或地名列")


def _own_number(plot: Plot, patients: Index, rng: Rng) -> Plot:
    home = plot.schema.home
    # Not the column into which other identifiers are written.
    for table, column in reversed(_text_places(plot)[1:]):
        if table != home:
            continue
        count = plot.sample.tables[table].num_rows
        # Longer than any register's numbers that have a check digit, and in no row.
        numbers = rng.permutation(np.arange(count)) * 977 + 31_000_000
        cells = {k: f"Q-{int(n):09d}" for k, n in enumerate(numbers.tolist())}
        made = plot.with_cells(table, column, cells)
        if _seen(made, table, "number_of_its_own"):
            return made
    raise no_place("free column of the patient table", "患者表中的自由列")


def _births(plot: Plot, patients: Index, rng: Rng) -> Plot:
    for table, column in plot.places("date", meanings=("birth",)):
        values = plot.values(table, column)
        rows = first_rows(plot, table, patients).tolist()
        cells = {r: v.replace(day=17) for r in rows if (v := values[r]) is not None}
        made = plot.with_cells(table, column, cells)
        if _seen(made, table, "birth_date_column"):
            return made
    raise no_place("date of birth", "出生日期列")


def _identity_keys(plot: Plot, patients: Index, rng: Rng) -> Plot:
    """Write identity numbers in place of the patients' keys: in the files, after the new keys."""
    home, key = plot.schema.home, plot.schema.patient_key
    if not key or plot.is_fhir:
        raise no_place("patient key in a table", "患者主键列")
    rows = first_rows(plot, home, patients)
    names = {int(plot.patients.rows[home][r]): resident_number(rng) for r in rows.tolist()}
    for table in plot.events():
        column = plot.schema.patient_column(table)
        if column:
            owner = plot.patients.rows[table]
            cells = {int(r): names[int(owner[r])]
                     for r in np.flatnonzero(np.isin(owner, list(names)))}  # fmt: skip
            plot = plot.with_texts(table, column, cells)
    return plot
