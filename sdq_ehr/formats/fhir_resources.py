"""Each type of FHIR resource as rows of the tables in ``fhir_schema.yaml``.

Elements that R4 and R5 name or shape differently are looked for under both names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from sdq_ehr.formats.fhir_elements import (
    as_list,
    as_map,
    as_text,
    codings,
    number,
    path,
    period,
    reference_key,
)
from sdq_ehr.formats.fhir_provenance import label

__all__ = ["FLATTENERS", "TABLES_OF", "Row", "coded"]

Row = dict[str, str]
Ids = Mapping[str, str]

TABLES_OF: Final = (
    "patients", "encounters", "conditions", "observations", "medications", "procedures",
    "allergies", "immunizations", "codings",
)  # fmt: skip

_US_CORE: Final = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"


def coded(concept: Any, prefix: str = "") -> tuple[Row, list[dict[str, str]]]:
    """Return the first coding as columns, and the others."""
    found = codings(concept)
    if not found:
        return {}, []
    first = found[0]
    if prefix:
        return {f"{prefix}system": first["system"], prefix.rstrip("_"): first["code"]}, found[1:]
    return dict(first), found[1:]


def _common(resource: dict[str, Any], ids: Ids, own: str) -> Row:
    """Columns that most tables share."""
    return {
        "id": as_text(resource.get("id")) or own,
        "patient": _refer(resource, ids, "subject", "patient"),
        "encounter": _refer(resource, ids, "encounter", "context"),
        "status": as_text(resource.get("status")),
    }


def _refer(resource: dict[str, Any], ids: Ids, *names: str) -> str:
    for name in names:
        value = resource.get(name)
        if isinstance(value, list):
            value = value[0] if value else None
        if text := as_text(as_map(value).get("reference")):
            key = reference_key(text)
            return ids.get(key, key)
    return ""


def _further(table: str, row: Row, others: list[dict[str, str]]) -> Iterator[tuple[str, Row]]:
    for coding in others:
        yield "codings", {"table": table, "id": row["id"], "patient": row["patient"], **coding}


def _event(
    table: str, row: Row, concept: Any, more: Row | None = None
) -> Iterator[tuple[str, Row]]:
    first, others = coded(concept)
    row = row | first | (more or {})
    yield table, row
    yield from _further(table, row, others)


def _patient(resource: dict[str, Any], ids: Ids, own: str) -> Iterator[tuple[str, Row]]:
    deceased = resource.get("deceasedDateTime")
    died = as_text(resource.get("deceasedBoolean")) or ("true" if deceased else "")
    address = as_map(next(iter(as_list(resource.get("address"))), None))
    lines = " ".join(as_text(line) for line in as_list(address.get("line")))
    row = {
        "id": as_text(resource.get("id")) or own,
        "sex": as_text(resource.get("gender")),
        "birth_date": as_text(resource.get("birthDate")),
        "deceased": died,
        "death": as_text(deceased),
        "marital_status": path(resource, "maritalStatus", "coding", "code"),
        "race": _extension(resource, "race"),
        "ethnicity": _extension(resource, "ethnicity"),
        "language": path(resource, "communication", "language", "coding", "code"),
        "city": as_text(address.get("city")),
        "state": as_text(address.get("state")),
        "country": as_text(address.get("country")),
        "postcode": as_text(address.get("postalCode")),
        "name": _name(resource),
        "address": lines or as_text(address.get("text")),
        "phone": _telecom(resource, "phone"),
        "email": _telecom(resource, "email"),
        "national_id": _identifier(resource, ("SS", "SB", "NI", "NNCHN", "CZ")),
        "record_number": _identifier(resource, ("MR", "MRT", "PI")),
        "tags": _tags(resource),
        "AIGC": label(resource),
    }
    yield "patients", row


def _name(resource: dict[str, Any]) -> str:
    name = as_map(next(iter(as_list(resource.get("name"))), None))
    given = [as_text(g) for g in as_list(name.get("given"))]
    return " ".join(filter(None, [*given, as_text(name.get("family"))])) or as_text(
        name.get("text")
    )


def _telecom(resource: dict[str, Any], system: str) -> str:
    for contact in map(as_map, as_list(resource.get("telecom"))):
        if contact.get("system") == system:
            return as_text(contact.get("value"))
    return ""


def _identifier(resource: dict[str, Any], kinds: tuple[str, ...]) -> str:
    for identifier in map(as_map, as_list(resource.get("identifier"))):
        kind = path(identifier, "type", "coding", "code")
        system = as_text(identifier.get("system"))
        if kind in kinds or ("SS" in kinds and system.endswith("us-ssn")):
            return as_text(identifier.get("value"))
    return ""


def _extension(resource: dict[str, Any], name: str) -> str:
    for extension in map(as_map, as_list(resource.get("extension"))):
        if extension.get("url") == _US_CORE + name:
            parts = {e.get("url"): e for e in map(as_map, as_list(extension.get("extension")))}
            text = as_text(as_map(parts.get("text")).get("valueString"))
            return text or path(parts.get("ombCategory"), "valueCoding", "display")
    return ""


def _tags(resource: dict[str, Any]) -> str:
    meta = as_map(resource.get("meta"))
    labels = [*as_list(meta.get("tag")), *as_list(meta.get("security"))]
    return " ".join(sorted({t for t in (path(label, "code") for label in labels) if t}))


def _encounter(resource: dict[str, Any], ids: Ids, own: str) -> Iterator[tuple[str, Row]]:
    row = _common(resource, ids, own)
    del row["encounter"]
    start, end = period(resource, "period", "actualPeriod")
    kind = resource.get("class")  # R4 a Coding, R5 an array of CodeableConcept
    reasons = resource.get("reasonCode") or path_any(resource, "reason", "value")
    reason, others = coded(reasons, "reason_")
    more = {"class": next((c["code"] for c in codings(kind)), ""), "start": start, "end": end}
    yield from _event("encounters", row, resource.get("type"), more | reason)
    yield from _further("encounters", row, others)


def path_any(value: Any, *names: str) -> Any:
    """Return what lies some steps down, of any type; the first of every array on the way."""
    for name in names:
        if isinstance(value, list):
            value = value[0] if value else None
        value = as_map(value).get(name)
    return value


def _condition(resource: dict[str, Any], ids: Ids, own: str) -> Iterator[tuple[str, Row]]:
    row = _common(resource, ids, own)
    more = {
        "clinical_status": path(resource, "clinicalStatus", "coding", "code"),
        "verification_status": path(resource, "verificationStatus", "coding", "code"),
        "category": path(resource, "category", "coding", "code"),
        "onset": period(resource, "onsetDateTime", "onsetPeriod")[0],
        "abatement": _first(
            period(resource, "abatementDateTime")[0], period(resource, "abatementPeriod")[1]
        ),
        "recorded": as_text(resource.get("recordedDate")),
    }
    yield from _event("conditions", row, resource.get("code"), more)


def _first(*texts: str) -> str:
    return next(filter(None, texts), "")


def _observation(resource: dict[str, Any], ids: Ids, own: str) -> Iterator[tuple[str, Row]]:
    row = _common(resource, ids, own)
    start, _ = period(resource, "effectiveDateTime", "effectivePeriod", "effectiveInstant",
                      "effectiveTiming", "issued")  # fmt: skip
    row |= {"category": path(resource, "category", "coding", "code"), "time": start}
    parts = [as_map(c) for c in as_list(resource.get("component"))]
    own_value = _value(resource)
    if own_value or not parts:
        yield from _event("observations", row, resource.get("code"), {"component": "0"} | own_value)
    for k, part in enumerate(parts, start=1):
        more = {"component": str(k)} | _value(part)
        yield from _event("observations", row, part.get("code"), more)


def _value(element: dict[str, Any]) -> Row:
    """Return the value of an observation or a component in the columns for it."""
    if isinstance(quantity := element.get("valueQuantity"), dict):
        unit = as_text(quantity.get("code")) or as_text(quantity.get("unit"))
        found = {"value": number(quantity.get("value")), "unit": unit}
        return found | {"comparator": as_text(quantity.get("comparator"))}
    if "valueInteger" in element:
        return {"value": number(element["valueInteger"])}
    if concept := codings(element.get("valueCodeableConcept")):
        first = concept[0]
        return {
            "value_system": first["system"], "value_code": first["code"],
            "value_text": first["display"],
        }  # fmt: skip
    for name in ("valueString", "valueBoolean", "valueDateTime", "valueTime"):
        if text := as_text(element.get(name)):
            return {"value_text": text}
    return {}


def _medication(kind: str) -> Callable[[dict[str, Any], Ids, str], Iterator[tuple[str, Row]]]:
    def flatten(resource: dict[str, Any], ids: Ids, own: str) -> Iterator[tuple[str, Row]]:
        row = _common(resource, ids, own)
        if kind == "request":
            start, end = as_text(resource.get("authoredOn")), ""
        else:
            start, end = period(resource, "effectiveDateTime", "effectivePeriod",
                                "occurrenceDateTime", "occurencePeriod", "occurrencePeriod",
                                "occurenceDateTime")  # fmt: skip
            start = start or as_text(resource.get("dateAsserted"))
        dosage = resource.get("dosageInstruction") or resource.get("dosage")
        dose = path_any(dosage, "doseAndRate", "doseQuantity")
        dose = as_map(dose or path_any(dosage, "dose"))
        more = {
            "kind": kind, "start": start, "end": end, "dose": number(dose.get("value")),
            "dose_unit": as_text(dose.get("code")) or as_text(dose.get("unit")),
        }  # fmt: skip
        drug = resource.get("medicationCodeableConcept") or resource.get("medication")
        named = as_text(as_map(resource.get("medicationReference")).get("reference"))
        named = named or path(resource.get("medication"), "reference", "reference")
        if named:
            inner = _contained(resource, named)
            if inner is not None:
                drug = inner.get("code")
            else:
                key = reference_key(named)
                more["_medication"] = ids.get(key, key)
        yield from _event("medications", row, drug, more)

    return flatten


def _contained(resource: dict[str, Any], reference: str) -> dict[str, Any] | None:
    if reference.startswith("#"):
        for inner in map(as_map, as_list(resource.get("contained"))):
            if as_text(inner.get("id")) == reference[1:]:
                return inner
    return None


def _procedure(resource: dict[str, Any], ids: Ids, own: str) -> Iterator[tuple[str, Row]]:
    start, end = period(resource, "performedDateTime", "performedPeriod", "occurrenceDateTime",
                        "occurrencePeriod")  # fmt: skip
    row = _common(resource, ids, own)
    yield from _event("procedures", row, resource.get("code"), {"start": start, "end": end})


def _allergy(resource: dict[str, Any], ids: Ids, own: str) -> Iterator[tuple[str, Row]]:
    row = _common(resource, ids, own)
    more = {
        "clinical_status": path(resource, "clinicalStatus", "coding", "code"),
        "verification_status": path(resource, "verificationStatus", "coding", "code"),
        "category": path(resource, "category"),
        "criticality": as_text(resource.get("criticality")),
        "onset": period(resource, "onsetDateTime", "onsetPeriod")[0],
        "recorded": as_text(resource.get("recordedDate")),
    }
    concept = resource.get("code") or path_any(resource, "reaction", "substance")
    yield from _event("allergies", row, concept, more)


def _immunization(resource: dict[str, Any], ids: Ids, own: str) -> Iterator[tuple[str, Row]]:
    row = _common(resource, ids, own)
    more = {"time": as_text(resource.get("occurrenceDateTime"))}
    yield from _event("immunizations", row, resource.get("vaccineCode"), more)


Flattener = Callable[[dict[str, Any], Ids, str], Iterator[tuple[str, Row]]]

FLATTENERS: Final[Mapping[str, Flattener]] = {
    "Patient": _patient,
    "Encounter": _encounter,
    "Condition": _condition,
    "Observation": _observation,
    "MedicationRequest": _medication("request"),
    "MedicationStatement": _medication("statement"),
    "MedicationAdministration": _medication("administration"),
    "Procedure": _procedure,
    "AllergyIntolerance": _allergy,
    "Immunization": _immunization,
}
