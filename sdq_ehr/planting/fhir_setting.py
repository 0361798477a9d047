"""Puts the value of a flattened column back into its element of a FHIR resource."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from sdq_ehr.formats.fhir_elements import as_list, as_map, as_text

__all__ = ["element_of", "put"]

_ZONE: Final = re.compile(r"(Z|[+-]\d{2}:\d{2})$")
_US_CORE: Final = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"

_CONCEPT: Final[Mapping[str, tuple[str, ...]]] = {
    "encounters": ("type",), "conditions": ("code",), "observations": ("code",),
    "medications": ("medicationCodeableConcept", "medication"), "procedures": ("code",),
    "allergies": ("code",), "immunizations": ("vaccineCode",),
}  # fmt: skip
"""Table -> elements that may hold the first coding."""
_PLAIN: Final[Mapping[tuple[str, str], str]] = {
    ("patients", "sex"): "gender", ("patients", "birth_date"): "birthDate",
    ("patients", "death"): "deceasedDateTime", ("patients", "deceased"): "deceasedBoolean",
    ("allergies", "criticality"): "criticality",
    ("conditions", "recorded"): "recordedDate", ("allergies", "recorded"): "recordedDate",
}  # fmt: skip
_WRAPPED: Final = ("clinical_status", "verification_status", "marital_status")
_TIMES: Final[Mapping[tuple[str, str], tuple[tuple[str, str], ...]]] = {
    ("encounters", "start"): (("period", "start"), ("actualPeriod", "start")),
    ("encounters", "end"): (("period", "end"), ("actualPeriod", "end")),
    ("conditions", "onset"): (("onsetDateTime", ""), ("onsetPeriod", "start")),
    ("conditions", "abatement"): (("abatementDateTime", ""), ("abatementPeriod", "end")),
    ("observations", "time"): (
        ("effectiveDateTime", ""), ("effectivePeriod", "start"), ("effectiveInstant", ""),
        ("issued", ""),
    ),
    ("medications", "start"): (
        ("authoredOn", ""), ("effectiveDateTime", ""), ("effectivePeriod", "start"),
        ("occurrenceDateTime", ""), ("occurrencePeriod", "start"), ("dateAsserted", ""),
    ),
    ("medications", "end"): (("effectivePeriod", "end"), ("occurrencePeriod", "end")),
    ("procedures", "start"): (
        ("performedDateTime", ""), ("performedPeriod", "start"), ("occurrenceDateTime", ""),
        ("occurrencePeriod", "start"),
    ),
    ("procedures", "end"): (("performedPeriod", "end"), ("occurrencePeriod", "end")),
    ("allergies", "onset"): (("onsetDateTime", ""), ("onsetPeriod", "start")),
    ("immunizations", "time"): (("occurrenceDateTime", ""),),
}  # fmt: skip
"""Column -> elements, and parts of them, in which the time may stand; the first is made."""


def element_of(table: str, column: str) -> bool:
    """Return whether a column can be put back.

    Examples
    --------
    >>> element_of("patients", "sex"), element_of("medications", "kind")
    (True, False)
    """
    if table == "codings":
        return column in ("system", "code", "display")
    known = {
        "id", "patient", "encounter", "status", "system", "code", "display", "value", "unit",
        "value_code", "value_text", "dose", "dose_unit", "class", "reason", "reason_system",
        "category", "city", "state", "country", "postcode", "name", "address", "phone", "email",
        "national_id", "record_number", "tags", "AIGC", "race", "ethnicity", "language",
    }  # fmt: skip
    return column in known or column in _WRAPPED or (table, column) in {**_PLAIN, **_TIMES}


def put(
    resource: dict[str, Any],
    table: str,
    column: str,
    value: Any,
    component: int = 0,
    text: str | None = None,
    *,
    coding: int = 0,
) -> None:
    """Put a value into its element; None takes the element away.

    Parameters
    ----------
    resource : dict
        Is changed.
    table, column : str
        Of the flattened tables.
    value : object
    component : int
        Component of an observation, from 1; 0 for the observation itself.
    text : str, optional
        Is written as it is, in place of the value.
    coding : int
        Which coding of the concept.

    Examples
    --------
    >>> patient = {"resourceType": "Patient", "gender": "male"}
    >>> put(patient, "patients", "birth_date", dt.date(1950, 2, 3)); patient["birthDate"]
    '1950-02-03'
    """
    where = resource
    if component and column in ("system", "code", "display", "value", "unit", "value_code",
                                "value_text"):  # fmt: skip
        parts = as_list(resource.get("component"))
        if len(parts) < component:
            return
        where = parts[component - 1]
    plain = value if text is None else text
    if (table, column) in _TIMES:
        _time(where, _TIMES[table, column], plain)
    elif (table, column) in _PLAIN:
        _set(where, _PLAIN[table, column], _written(plain, where.get(_PLAIN[table, column])))
    elif column in ("system", "code", "display"):
        names = ("code",) if component else _CONCEPT.get(table, ("code",))
        _coding(where, names, column, plain, coding)
    elif column in _SETTERS:
        _SETTERS[column](where, plain)


def _set(where: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        where.pop(name, None)
    else:
        where[name] = value


def _written(value: Any, before: Any) -> Any:
    if isinstance(value, dt.datetime):
        zone = _ZONE.search(before) if isinstance(before, str) else None
        if zone is None and value.time() == dt.time(0):
            return f"{value:%Y-%m-%d}".rjust(10, "0")
        return f"{value.isoformat(timespec='seconds')}{zone[1] if zone else 'Z'}"
    return value.isoformat() if isinstance(value, dt.date) else value


def _time(where: dict[str, Any], places: tuple[tuple[str, str], ...], value: Any) -> None:
    here = next(((e, p) for e, p in places if e in where), places[0])
    element, part = here
    if not part:
        _set(where, element, _written(value, where.get(element)))
        return
    inner = where.get(element)
    period = inner if isinstance(inner, dict) else {}
    _set(period, part, _written(value, period.get(part)))
    _set(where, element, period or None)


def _coding(
    where: dict[str, Any], names: tuple[str, ...], column: str, value: Any, coding: int
) -> None:
    name = next((n for n in names if n in where), names[0])
    concept = where.setdefault(name, [{}] if name == "type" else {})
    one = concept[0] if isinstance(concept, list) and concept else concept
    if not isinstance(one, dict):
        return
    if "concept" in one:  # R5 writes a CodeableReference
        one = one["concept"]
    codings = one.setdefault("coding", [{}])
    if not isinstance(codings, list) or len(codings) <= coding:
        return
    _set(codings[coding], column, value)
    where.pop("medicationReference", None)  # what is named by reference has a code of its own now
    if column == "code":
        # A display or text of another code would contradict it.
        codings[coding].pop("display", None)
        one.pop("text", None)


def _reference(names: tuple[str, ...], kind: str) -> Callable[[dict[str, Any], Any], None]:
    def change(where: dict[str, Any], value: Any) -> None:
        element = next((n for n in names if n in where), names[0])
        _set(where, element, None if value is None else {"reference": f"{kind}/{value}"})

    return change


def _quantity(part: str) -> Callable[[dict[str, Any], Any], None]:
    def change(where: dict[str, Any], value: Any) -> None:
        if part == "value" and value is None:
            where.pop("valueQuantity", None)
            return
        quantity = where.setdefault("valueQuantity", {})
        if part == "value":
            _set(quantity, "value", value)
        else:
            _set(quantity, "unit", value)
            _set(quantity, "code", value)

    return change


def _dose(part: str) -> Callable[[dict[str, Any], Any], None]:
    def change(where: dict[str, Any], value: Any) -> None:
        dosage = where.get("dosageInstruction") or where.get("dosage")
        one = as_list(dosage)[0] if as_list(dosage) else {}
        rates = as_list(as_map(one).get("doseAndRate"))
        dose = as_map(rates[0]).get("doseQuantity") if rates else as_map(one).get("dose")
        if isinstance(dose, dict):
            for name in ("value",) if part == "value" else ("unit", "code"):
                _set(dose, name, value)

    return change


def _wrapped(name: str) -> Callable[[dict[str, Any], Any], None]:
    def change(where: dict[str, Any], value: Any) -> None:
        _set(where, name, None if value is None else {"coding": [{"code": value}]})

    return change


def _address(name: str) -> Callable[[dict[str, Any], Any], None]:
    def change(where: dict[str, Any], value: Any) -> None:
        addresses = where.setdefault("address", [{}])
        if name == "line":
            addresses[0].pop("text", None)
        _set(addresses[0], name, [value] if name == "line" and value is not None else value)

    return change


def _telecom(system: str) -> Callable[[dict[str, Any], Any], None]:
    def change(where: dict[str, Any], value: Any) -> None:
        kept = [t for t in as_list(where.get("telecom")) if as_map(t).get("system") != system]
        new = [] if value is None else [{"system": system, "value": value}]
        _set(where, "telecom", [*new, *kept] or None)

    return change


def _identifier(kinds: tuple[str, ...]) -> Callable[[dict[str, Any], Any], None]:
    def change(where: dict[str, Any], value: Any) -> None:
        kept = [i for i in as_list(where.get("identifier")) if not _is_of(as_map(i), kinds)]
        new = {"type": {"coding": [{"code": kinds[0]}]}, "value": value}
        _set(where, "identifier", [*([] if value is None else [new]), *kept] or None)

    return change


def _is_of(identifier: Mapping[str, Any], kinds: tuple[str, ...]) -> bool:
    codes = [as_text(as_map(c).get("code"))
             for c in as_list(as_map(identifier.get("type")).get("coding"))]  # fmt: skip
    social = "SS" in kinds and as_text(identifier.get("system")).endswith("us-ssn")
    return bool(set(codes) & set(kinds)) or social


def _extension(name: str) -> Callable[[dict[str, Any], Any], None]:
    def change(where: dict[str, Any], value: Any) -> None:
        url = _US_CORE + name
        kept = [e for e in as_list(where.get("extension")) if as_map(e).get("url") != url]
        new = {"url": url, "extension": [{"url": "text", "valueString": value}]}
        _set(where, "extension", [*([] if value is None else [new]), *kept] or None)

    return change


def _tags(where: dict[str, Any], value: Any) -> None:
    meta = where.setdefault("meta", {})
    meta.pop("security", None)
    _set(meta, "tag", [{"code": t} for t in str(value).split()] if value else None)


def _aigc(where: dict[str, Any], value: Any) -> None:
    url = "urn:gb:45438:AIGC"
    kept = [e for e in as_list(where.get("extension"))
            if not as_text(as_map(e).get("url")).upper().endswith("AIGC")]  # fmt: skip
    new = [] if value is None else [{"url": url, "valueString": value}]
    _set(where, "extension", [*new, *kept] or None)


def _class(where: dict[str, Any], value: Any) -> None:
    old = where.get("class")
    if isinstance(old, list):  # R5
        where["class"] = [{"coding": [{"code": value}]}]
    else:
        where["class"] = {**as_map(old), "code": value}


def _category(where: dict[str, Any], value: Any) -> None:
    old = as_list(where.get("category"))
    plain = not old or isinstance(old[0], str)
    new = value if plain else {"coding": [{"code": value}]}
    _set(where, "category", None if value is None else [new])


def _reason(column: str) -> Callable[[dict[str, Any], Any], None]:
    def change(where: dict[str, Any], value: Any) -> None:
        if as_list(where.get("reasonCode")):
            _coding(where, ("reasonCode",), column, value, 0)

    return change


def _value_code(where: dict[str, Any], value: Any) -> None:
    concept = where.setdefault("valueCodeableConcept", {"coding": [{}]})
    _set(as_list(concept.get("coding"))[0], "code", value)


_SETTERS: Final[Mapping[str, Callable[[dict[str, Any], Any], None]]] = {
    "id": lambda where, value: _set(where, "id", value),
    "patient": _reference(("subject", "patient"), "Patient"),
    "encounter": _reference(("encounter", "context"), "Encounter"),
    "status": lambda where, value: _set(where, "status", value),
    "value": _quantity("value"), "unit": _quantity("unit"),
    "value_code": _value_code,
    "value_text": lambda where, value: _set(where, "valueString", value),
    "dose": _dose("value"), "dose_unit": _dose("unit"),
    "class": _class, "category": _category,
    "reason": _reason("code"), "reason_system": _reason("system"),
    "clinical_status": _wrapped("clinicalStatus"),
    "verification_status": _wrapped("verificationStatus"),
    "marital_status": _wrapped("maritalStatus"),
    "city": _address("city"), "state": _address("state"), "country": _address("country"),
    "postcode": _address("postalCode"), "address": _address("line"),
    "name": lambda where, value: _set(
        where, "name", None if value is None else [{"text": value}]
    ),
    "phone": _telecom("phone"), "email": _telecom("email"),
    "national_id": _identifier(("SS", "SB", "NI", "NNCHN", "CZ")),
    "record_number": _identifier(("MR", "MRT", "PI")),
    "race": _extension("race"), "ethnicity": _extension("ethnicity"),
    "language": lambda where, value: _set(
        where, "communication",
        None if value is None else [{"language": {"coding": [{"code": value}]}}],
    ),
    "tags": _tags, "AIGC": _aigc,
}  # fmt: skip
"""Column -> what puts its value."""
