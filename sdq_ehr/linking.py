"""How the tables of a cohort hang together: patients, keys, references, times; guessed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from sdq_ehr.guessing import Guess
from sdq_ehr.naming import is_patient, is_patient_table, patient_rank, singular, words

__all__ = ["PatientColumns", "find_keys", "find_patients", "find_references", "find_time"]

Guesses = Mapping[str, Mapping[str, Guess]]

CONTAINED: Final = 0.8
"""Share of the values that a table must hold to be what a column refers to."""
_TIMES: Final = ("admission", "start", "time", "end", "discharge")


@dataclass(frozen=True)
class PatientColumns:
    """Which column names the patient in each table.

    Parameters
    ----------
    table : str
        Table with one row a patient; empty when there is none.
    columns : mapping of str to str
        Table -> column; empty for a table that names none.
    """

    table: str
    columns: Mapping[str, str]


def find_patients(guesses: Guesses) -> PatientColumns:
    """Find the patients' columns and table."""
    columns = {}
    for name, table in guesses.items():
        named = [c for c in table if is_patient(c)]
        columns[name] = min(named, key=patient_rank, default="")
    if len(guesses) > 1:
        # `patients.id` is what `visits.patient_id` points to.
        for name, table in guesses.items():
            if not columns[name] and is_patient_table(name):
                columns[name] = next((c for c in table if words(c) in ("id", "uuid")), "")
    homes = [n for n, c in columns.items() if c and guesses[n][c].unique]
    named_homes = [n for n in homes if is_patient_table(n)]
    about = ("birth", "sex", "death", "race")
    told = [n for n in homes if any(g.meaning in about for g in guesses[n].values())]
    if len(guesses) == 1:
        candidates = homes
    else:
        candidates = [*(n for n in named_homes if n in told), *told, *named_homes]
    return PatientColumns(candidates[0] if candidates else "", columns)


def find_keys(guesses: Guesses, patients: PatientColumns) -> dict[str, list[str]]:
    """Find the key of each table: a unique column, rather one that other tables have as well."""
    shared = Counter(c.lower() for table in guesses.values() for c in table)
    keys: dict[str, list[str]] = {}
    for name, table in guesses.items():
        if name == patients.table and patients.columns[name]:
            keys[name] = [patients.columns[name]]
            continue
        unique = [c for c, g in table.items() if g.unique and g.type in ("identifier", "code")]
        own = singular(name)

        def rank(column: str, own: str = own) -> tuple[bool, bool, int]:
            text = words(column)
            # The number of the row is a key of last resort.
            row = text in ("row id", "row number", "index", "row")
            named = text in ("id", own, f"{own} id")
            return (not row, named, 0 if row else shared[column.lower()])

        best = max(unique, key=rank, default="")
        keys[name] = [best] if best else []
    return keys


def find_references(
    tables: Mapping[str, pa.Table],
    guesses: Guesses,
    keys: Mapping[str, list[str]],
    patients: PatientColumns,
) -> dict[str, dict[str, str]]:
    """Find the columns that hold another table's key: same name, or its name and ``id``."""
    targets = [
        (name, key[0])
        for name, key in keys.items()
        if len(key) == 1 and key[0] != patients.columns[name]
    ]
    found: dict[str, dict[str, str]] = {}
    for name, table in guesses.items():
        found[name] = {}
        for column in table:
            if column == patients.columns[name]:
                continue
            best, share = "", CONTAINED
            for other, key in targets:
                if other == name or not _may_refer(column, other, key):
                    continue
                part = _contained(tables[name][column], tables[other][key])
                if part >= share:
                    best, share = f"{other}.{key}", part
            if best:
                found[name][column] = best
    return found


def find_time(guesses: Mapping[str, Guess]) -> str:
    """Find the column that orders the rows of a patient."""
    timed = {c: g for c, g in guesses.items() if g.type in ("date", "datetime")}
    for meaning in _TIMES:
        same = [c for c, g in timed.items() if g.meaning == meaning]
        # Among columns of one meaning the fullest, then the finest, then the first.
        best = min(same, key=lambda c: (timed[c].missing, timed[c].type == "date"), default="")
        if best and timed[best].missing < 0.5:
            return best
    return ""


def _may_refer(column: str, table: str, key: str) -> bool:
    text, own = words(column), singular(table)
    if column.lower() == key.lower():
        return text not in ("id", "row id", "row", "index", "code", "number")
    return words(key) in ("id", f"{own} id") and text in (own, f"{own} id", f"{own}id")


def _contained(values: pa.ChunkedArray, keys: pa.ChunkedArray) -> float:
    known = pc.unique(values)
    if values.type != keys.type:
        known, keys = known.cast(pa.string()), keys.cast(pa.string())
    if pa.types.is_string(known.type):
        known = known.filter(
            pc.invert(pc.is_in(pc.utf8_lower(known), pa.array(["", "na", "null"])))
        )
    known = pc.drop_null(known)
    if not len(known):
        return 0.0
    inside = pc.is_in(known, value_set=pc.unique(keys))
    return float(pc.sum(inside).as_py() or 0) / len(known)
