"""Which columns name the same things, and new numbers for what a synthetic cohort names."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sdq_ehr.identifier_columns import key_form
from sdq_ehr.schema import Schema

__all__ = ["TAG", "classes_of", "renamed", "restored"]

TAG: Final = "\x1f"
"""Stands between the mark of a source and a number, where two sources may use the same."""
_COUNTED: Final = re.compile(r"(.*?)(\d+)", re.DOTALL)


def classes_of(schema: Schema) -> dict[tuple[str, str], str]:
    """Return the class of each column that names rows or patients.

    Parameters
    ----------
    schema : Schema

    Returns
    -------
    dict of (table, column) to str
        Columns of one class name the same things: a key, the references to it, columns of one
        name. What names entries of a dictionary (codes, staff) is left out: it is nobody's.

    Examples
    --------
    >>> schema = Schema.of({"patient_table": "p", "tables": {
    ...     "p": {"key": "id", "columns": {"id": {"type": "identifier"}}},
    ...     "v": {"patient": "pid", "columns": {"pid": {"type": "identifier"}, "x": {}}}}})
    >>> classes_of(schema)
    {('p', 'id'): 'p.id', ('v', 'pid'): 'p.id'}
    """
    parent: dict[tuple[str, str], tuple[str, str]] = {}

    def root(place: tuple[str, str]) -> tuple[str, str]:
        parent.setdefault(place, place)
        while parent[place] != place:
            place = parent[place]
        return place

    def join(one: tuple[str, str], other: tuple[str, str]) -> None:
        a, b = root(one), root(other)
        parent[max(a, b)] = min(a, b)

    fhir = schema.model == "fhir"
    patient: tuple[str, str] | None = None
    by_name: dict[str, tuple[str, str]] = {}
    for name, table in schema.tables.items():
        own = schema.patient_column(name)
        if own:
            join((name, own), patient or (name, own))
            patient = patient or (name, own)
        if len(table.key) == 1 and table.columns[table.key[0]].type != "code":
            root((name, table.key[0]))
        for column, target in table.references.items():
            split = schema.split(target)
            if split is not None:
                join((name, column), split)
        for column, about in table.columns.items():
            # Numbers of persons are no keys: they are blanked where they identify.
            if about.type != "identifier" or about.meaning in ("national_id", "record_number"):
                continue
            word = "id" if fhir else column.lower()
            join((name, column), by_name.setdefault(word, (name, column)))
            if fhir and patient:
                join((name, column), patient)
    named: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for place in parent:
        named.setdefault(root(place), []).append(place)
    found = {}
    for first, places in named.items():
        if any(_of_nobody(schema, *place) for place in places):
            continue
        found.update({place: ".".join(first) for place in places})
    return dict(sorted(found.items()))


def _of_nobody(schema: Schema, table: str, column: str) -> bool:
    about = schema.tables[table].columns[column]
    return schema.is_dictionary(table) or (about.type == "code" and bool(about.system))


def renamed(
    tables: Mapping[str, pa.Table],
    classes: Mapping[tuple[str, str], str],
    taken: Mapping[str, frozenset[str]],
) -> dict[str, dict[str, str]]:
    """Return a new number for every number of the tables, of the same form, that nobody has yet.

    Parameters
    ----------
    tables : mapping of str to pyarrow.Table
    classes : mapping
        Of `classes_of`.
    taken : mapping of str to frozenset of str
        Class -> numbers of the real records.

    Returns
    -------
    dict of str to dict of str to str
        Class -> number -> new number.
    """
    found: dict[str, dict[str, str]] = {}
    for name, values in _numbers(tables, classes).items():
        found[name] = dict(zip(values, _fresh(name, values, taken.get(name, frozenset())),
                               strict=True))  # fmt: skip
    return found


def restored(
    tables: Mapping[str, pa.Table], classes: Mapping[tuple[str, str], str]
) -> dict[str, dict[str, str]]:
    """Return the numbers as they were found; those that two sources use get new ones in one.

    Parameters
    ----------
    tables : mapping of str to pyarrow.Table
    classes : mapping
        Of `classes_of`.
    """
    found: dict[str, dict[str, str]] = {}
    for name, values in _numbers(tables, classes).items():
        plain = [v.rpartition(TAG)[2] for v in values]
        first: dict[str, str] = {}
        twice = []
        for value, own in zip(values, plain, strict=True):
            if first.setdefault(own, value) != value:
                twice.append(value)
        again = dict(zip(twice, _fresh(name, twice, frozenset(plain)), strict=True))
        found[name] = {v: again.get(v, own) for v, own in zip(values, plain, strict=True)}
    return found


def _numbers(
    tables: Mapping[str, pa.Table], classes: Mapping[tuple[str, str], str]
) -> dict[str, list[str]]:
    """Return the distinct numbers of each class, in the order in which they appear."""
    seen: dict[str, dict[str, None]] = {}
    for (table, column), name in classes.items():
        if table in tables and column in tables[table].column_names:
            known = seen.setdefault(name, {})
            values = tables[table][column].unique().to_pylist()
            known.update(dict.fromkeys(str(v) for v in values if v is not None))
    return {name: list(values) for name, values in seen.items()}


def _fresh(name: str, values: Sequence[str], taken: frozenset[str]) -> Iterable[str]:
    known = sorted(taken) or sorted(v.rpartition(TAG)[2] for v in values)
    forms = {key_form(v) for v in known}
    if forms == {"uuid"}:
        for value in values:
            mark = hashlib.sha256(f"{name}\0{value}".encode()).digest()
            yield str(uuid.UUID(bytes=mark[:16], version=4))
        return
    parts = [_COUNTED.fullmatch(v) for v in known]
    heads = {m[1] for m in parts if m}
    head = next(iter(heads)) if len(heads) == 1 and all(parts) else "S"
    numbers = [int(m[2]) for m in parts if m and m[1] == head and len(m[2]) < 18]
    width = max((len(m[2]) for m in parts if m and m[1] == head), default=6)
    start = max(numbers, default=0) + 1
    # Numbers given in the order of the rows would give that order away.
    order = _shuffled(len(values), name)
    for place in order.tolist():
        yield f"{head}{start + place:0{width}d}"


def _shuffled(count: int, name: str) -> NDArray[np.intp]:
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    return np.asarray(np.random.default_rng(seed).permutation(count), np.intp)
