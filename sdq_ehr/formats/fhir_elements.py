"""Elements of FHIR resources, taken without trusting their types."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

__all__ = ["as_list", "as_map", "as_text", "codings", "number", "path", "period", "reference_key"]


def as_map(value: Any) -> dict[str, Any]:
    """Return a JSON object, or an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """Return a JSON array; a single value as an array of one; nothing as an empty one."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def as_text(value: Any) -> str:
    """Return a primitive as text; an empty text in place of anything else.

    Examples
    --------
    >>> as_text(True), as_text(1.50), as_text(["x"])
    ('true', '1.5', '')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if abs(value) < 10**18 else ""
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else ""
    # A lone surrogate has no UTF-8 and would stop the whole table.
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def number(value: Any) -> str:
    """Return a JSON number as text; the decimal digits of a text too."""
    return as_text(value) if isinstance(value, int | float | str) else ""


def path(value: Any, *names: str) -> str:
    """Return a text some steps down; the first of every array on the way.

    Examples
    --------
    >>> path({"a": [{"b": "x"}, {"b": "y"}]}, "a", "b")
    'x'
    """
    for name in names:
        if isinstance(value, list):
            value = value[0] if value else None
        value = as_map(value).get(name)
    if isinstance(value, list):
        value = value[0] if value else None
    return as_text(value)


def codings(concept: Any) -> list[dict[str, str]]:
    """Return the codings of a CodeableConcept, or of a Coding, as system, code and display.

    A concept with a text only gives one coding of its text. R5 writes a CodeableReference, whose
    ``concept`` is taken.

    Examples
    --------
    >>> codings({"coding": [{"system": "s", "code": "1"}], "text": "t"})
    [{'system': 's', 'code': '1', 'display': 't'}]
    """
    if isinstance(concept, list):
        concept = concept[0] if concept else None
    concept = as_map(concept)
    if "concept" in concept:
        concept = as_map(concept["concept"])
    text = as_text(concept.get("text"))
    found = [
        {
            "system": as_text(c.get("system")),
            "code": as_text(c.get("code")),
            "display": as_text(c.get("display")) or text,
        }
        for c in map(as_map, as_list(concept.get("coding")) or [concept])
        if c.get("code")
    ]
    return found or ([{"system": "", "code": "", "display": text}] if text else [])


def period(resource: Mapping[str, Any], *names: str) -> tuple[str, str]:
    """Return start and end of the first of some elements that is there.

    Parameters
    ----------
    resource : mapping
    *names : str
        Elements of type dateTime, instant, Period or Timing.
    """
    for name in names:
        value = resource.get(name)
        if isinstance(value, str):
            return as_text(value), ""
        if isinstance(value, dict):
            if "event" in value:
                return path(value, "event"), ""
            return as_text(value.get("start")), as_text(value.get("end"))
    return "", ""


def reference_key(reference: str) -> str:
    """Return the id at which a reference points, without type, server and version.

    Parameters
    ----------
    reference : str
        ``urn:uuid:...``, ``Type/id``, ``https://server/base/Type/id/_history/2`` or ``#id``.

    Examples
    --------
    >>> reference_key("urn:uuid:ab-1"), reference_key("https://x.org/fhir/Patient/7/_history/2")
    ('ab-1', '7')
    """
    if reference.startswith("urn:"):
        return reference.rpartition(":")[2]
    return reference.partition("/_history/")[0].rstrip("/").rpartition("/")[2]
