"""Whether a FHIR resource has the structure of its definition: types, forms, cardinality.

A resource is held against R4 and R5; it needs to be good in one of them.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

__all__ = ["VERSIONS", "problems"]

VERSIONS: Final = ("R4", "R5")
DEEPEST: Final = 24
"""Elements inside elements that are looked at."""
MOST: Final = 50
"""Problems of a resource that are named."""

_DATE: Final = r"([0-9]{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12][0-9]|3[01])"
_CLOCK: Final = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE: Final = r"(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)"
_FORMS: Final[Mapping[str, re.Pattern[str]]] = {
    name: re.compile(pattern)
    for name, pattern in {
        "date": _DATE + ")?)?",
        "dateTime": _DATE + f"(?:T{_CLOCK}{_ZONE})?)?)?",
        "instant": r"([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])" + f"T{_CLOCK}{_ZONE}",
        "time": _CLOCK,
        "id": r"[A-Za-z0-9.-]{1,64}",
        "code": r"\S+(?:\s\S+)*",
        "oid": r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+",
        "uuid": r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "uri": r"\S*",
        "url": r"\S*",
        "canonical": r"\S*",
        "base64Binary": r"(?:\s*[0-9A-Za-z+/=]){4,}\s*",
        "string": r"[\s\S]*\S[\s\S]*",
        "markdown": r"[\s\S]*\S[\s\S]*",
        "xhtml": r"[\s\S]+",
    }.items()
}
"""Regular expressions of the primitive types (FHIR R4, 2.24.0.1)."""
_TIMES: Final = ("date", "dateTime", "instant", "time")
_NUMBERS: Final = ("integer", "integer64", "unsignedInt", "positiveInt", "decimal")
_LEAST: Final = {"unsignedInt": 0, "positiveInt": 1}

Problem = tuple[str, str]
"""Rule and path of the element."""


@dataclass(frozen=True, slots=True)
class _Element:
    """One element of a type."""

    kind: str
    many: bool
    choice: str


@dataclass(frozen=True, slots=True)
class _Type:
    """Elements by the names that JSON has for them, and groups of which one must be there."""

    elements: Mapping[str, _Element]
    required: tuple[tuple[str, tuple[str, ...]], ...]


@cache
def _types(version: str) -> Mapping[str, _Type]:
    path = Path(__file__).parent / "fhir_elements.yaml"
    plain: Mapping[str, Mapping[str, str]] = _loaded(path)[version]
    return {name: _type(elements) for name, elements in plain.items()}


@cache
def _loaded(path: Path) -> Any:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text("utf-8"), Loader=loader)  # noqa: S506 (a safe one)


def _type(plain: Mapping[str, str]) -> _Type:
    elements: dict[str, _Element] = {}
    required = []
    for name, said in plain.items():
        kinds, _, cardinality = said.rpartition(" ")
        many = cardinality.endswith("*")
        stem = name.removesuffix("[x]")
        named = {name: kinds} if stem == name else {
            stem + kind[:1].upper() + kind[1:]: kind for kind in kinds.split("|")
        }  # fmt: skip
        for own, kind in named.items():
            elements[own] = _Element(kind, many, "" if stem == name else name)
        if cardinality.startswith("1"):
            required.append((name, tuple(named)))
    return _Type(elements, tuple(required))


def problems(resource: Mapping[str, Any], kind: str) -> tuple[Problem, ...]:
    """Return what is wrong with the structure of a resource.

    Parameters
    ----------
    resource : mapping
        As read from JSON.
    kind : str
        Its type.

    Returns
    -------
    tuple of (rule, path)
        Those of the version in which there are fewer, R4 first; each rule once a path; empty where
        the type is none of those that are read. Paths name no value and no place in an array.

    Examples
    --------
    >>> problems({"resourceType": "Patient", "birthDate": "2001-13-01", "gender": ["male"]},
    ...          "Patient")
    (('fhir_date_form', 'Patient.birthDate'), ('fhir_cardinality', 'Patient.gender'))
    """
    best: tuple[Problem, ...] | None = None
    for version in VERSIONS:
        types = _types(version)
        if kind not in types:
            continue
        found = tuple(dict.fromkeys(_object(resource, kind, kind, types, 0)))[:MOST]
        if not found:
            return ()
        if best is None or len(found) < len(best):
            best = found
    return best or ()


def _object(
    value: Mapping[str, Any], kind: str, path: str, types: Mapping[str, _Type], depth: int
) -> Iterator[Problem]:
    definition = types[kind]
    elements = definition.elements
    chosen: dict[str, int] = {}
    for name, inner in value.items():
        if name == "resourceType" or name == "fhir_comments":
            continue
        element = elements.get(name)
        if element is None:
            if name[:1] == "_" and name[1:] in elements:
                continue  # extensions of a primitive
            yield "fhir_element_unknown", f"{path}.{_shown(name)}"
            continue
        where = f"{path}.{name}"
        if element.choice:
            chosen[element.choice] = chosen.get(element.choice, 0) + 1
        yield from _element(inner, element, where, types, depth)
    for group, count in chosen.items():
        if count > 1:
            yield "fhir_choice", f"{path}.{group}"
    for group, names in definition.required:
        if not any(n in value or f"_{n}" in value for n in names):
            yield "fhir_element_missing", f"{path}.{group}"


def _element(
    value: Any, element: _Element, path: str, types: Mapping[str, _Type], depth: int
) -> Iterator[Problem]:
    if element.many != isinstance(value, list) or value == []:
        yield "fhir_cardinality", path
        values = value if isinstance(value, list) else [value]
    else:
        values = value if element.many else [value]
    for one in values:
        if one is None and element.many:
            continue  # stands for an extension beside it
        if element.kind == "Resource":
            if not isinstance(one, dict):
                yield "fhir_json_type", path
        elif element.kind in types:
            if not isinstance(one, dict):
                yield "fhir_json_type", path
            elif depth < DEEPEST:
                yield from _object(one, element.kind, path, types, depth + 1)
        elif rule := _primitive(one, element.kind):
            yield rule, path


def _primitive(value: Any, kind: str) -> str:
    """Return the rule that a primitive breaks; empty for none."""
    if kind == "boolean":
        return "" if isinstance(value, bool) else "fhir_json_type"
    if kind in _NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return "fhir_json_type"
        if not math.isfinite(value):
            return "fhir_json_type"
        if kind != "decimal" and not isinstance(value, int):
            return "fhir_json_type"
        return "fhir_form" if value < _LEAST.get(kind, -math.inf) else ""
    if not isinstance(value, str):
        return "fhir_json_type"
    form = _FORMS.get(kind)
    found = None if form is None else form.fullmatch(value)
    if kind in _TIMES:
        return "" if found is not None and _on_calendar(found) else "fhir_date_form"
    return "" if form is None or found is not None else "fhir_form"


def _on_calendar(found: re.Match[str]) -> bool:
    """Whether a year, month and day exist: no 30 February, no year 0."""
    parts = [int(p) for p in found.groups() if p is not None]
    if not parts:
        return True
    try:
        dt.date(*[*parts, 1, 1][:3])
    except ValueError:
        return False
    return True


def _shown(name: str) -> str:
    """Return the name of an unknown element as far as it can be one: it comes from the data."""
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,40}", name) else "?"
