"""FHIR R4 and R5: bundles, NDJSON and single resources, flattened into tables of texts.

Every file is read on its own: a broken one, or a broken line, is a finding and the rest is read.
Only what a table needs is taken out of a resource; references are resolved by one step (a
medication's code), so that circular ones cannot lead astray.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from sdq_core.finding import Finding
from sdq_ehr.formats import fhir_provenance as provenance
from sdq_ehr.formats.fhir_elements import as_list, as_map, as_text, reference_key
from sdq_ehr.formats.fhir_resources import FLATTENERS, TABLES_OF, Row
from sdq_ehr.formats.fhir_structure import problems
from sdq_ehr.formats.raw import RawTable
from sdq_ehr.rules import finding, row_finding
from sdq_ehr.schema import Schema

__all__ = ["SUFFIXES", "SYSTEMS", "fhir_schema", "read", "system_name"]

SUFFIXES: Final = (".json", ".ndjson", ".jsonl")
LINES: Final = (".ndjson", ".jsonl")
DEEPEST: Final = 8
"""Bundles inside bundles that are opened."""
MOST_LINES: Final = 20
"""Broken lines of a file that are named one by one."""
LARGEST: Final = 2**30
"""Bytes of a JSON file that is read whole."""

SYSTEMS: Final[Mapping[str, str]] = {
    "http://snomed.info/sct": "snomed",
    "http://loinc.org": "loinc",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "rxnorm",
    "http://hl7.org/fhir/sid/icd-10": "icd10",
    "http://hl7.org/fhir/sid/icd-10-cm": "icd10cm",
    "http://www.cms.gov/Medicare/Coding/ICD10": "icd10pcs",
    "http://hl7.org/fhir/sid/icd-10-pcs": "icd10pcs",
    "http://hl7.org/fhir/sid/icd-9-cm": "icd9cm",
    "http://hl7.org/fhir/sid/icd-9-cm/diagnosis": "icd9cm",
    "http://hl7.org/fhir/sid/icd-9-cm/procedure": "icd9proc",
    "http://hl7.org/fhir/sid/cvx": "cvx",
    "http://hl7.org/fhir/sid/ndc": "ndc",
    "http://www.whocc.no/atc": "atc",
    "http://unitsofmeasure.org": "ucum",
}
"""Address of a code system -> its name in a schema."""

_OIDS: Final[Mapping[str, str]] = {
    "2.16.840.1.113883.6.96": "snomed", "2.16.840.1.113883.6.1": "loinc",
    "2.16.840.1.113883.6.88": "rxnorm", "2.16.840.1.113883.6.3": "icd10",
    "2.16.840.1.113883.6.90": "icd10cm", "2.16.840.1.113883.6.4": "icd10pcs",
    "2.16.840.1.113883.6.103": "icd9cm", "2.16.840.1.113883.6.104": "icd9proc",
    "2.16.840.1.113883.12.292": "cvx", "2.16.840.1.113883.6.69": "ndc",
    "2.16.840.1.113883.6.73": "atc", "2.16.840.1.113883.6.8": "ucum",
}  # fmt: skip


def system_name(address: str) -> str:
    """Return the schema's name of a code system; empty when it is none of them.

    Parameters
    ----------
    address : str
        URI, with or without a version behind ``|``; ``urn:oid:`` too.

    Examples
    --------
    >>> system_name("http://loinc.org|2.77"), system_name("urn:oid:2.16.840.1.113883.6.96")
    ('loinc', 'snomed')
    """
    plain = address.partition("|")[0].rstrip("/")
    if plain.startswith("urn:oid:"):
        return _OIDS.get(plain.removeprefix("urn:oid:"), "")
    return SYSTEMS.get(plain, "")


@cache
def fhir_schema() -> Schema:
    """Return the schema of the tables into which resources are flattened.

    Examples
    --------
    >>> fhir_schema().tables["observations"].key
    ('id', 'component')
    """
    path = Path(__file__).parent / "fhir_schema.yaml"
    return Schema.from_yaml(path.read_text(encoding="utf-8"), path.name)


@dataclass
class _Collector:
    """Rows of all tables, and what is known of resources already seen."""

    rows: dict[str, list[Row]] = field(default_factory=lambda: {t: [] for t in TABLES_OF})
    places: dict[str, list[str]] = field(default_factory=lambda: {t: [] for t in TABLES_OF})
    seen: set[bytes] = field(default_factory=set)
    other: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    medications: dict[str, Any] = field(default_factory=dict)
    waiting: list[tuple[Row, str]] = field(default_factory=list)
    devices: dict[str, dict[str, str]] = field(default_factory=dict)
    provenances: list[tuple[dict[str, Any], Mapping[str, str]]] = field(default_factory=list)
    broken: dict[tuple[str, str, str], list[int]] = field(default_factory=dict)

    def add(self, resource: Any, place: str, ids: Mapping[str, str], own: str = "") -> None:
        """Flatten one resource into its table."""
        kind = as_text(as_map(resource).get("resourceType"))
        if not kind:
            self.findings.append(finding("not_a_resource", place))
            return
        if kind in ("Medication",):
            key = as_text(resource.get("id")) or own
            self.medications.setdefault(key, resource.get("code"))
        if kind == "Device":
            self.devices.setdefault(as_text(resource.get("id")) or own, provenance.device(resource))
            if own:
                self.devices.setdefault(own, provenance.device(resource))
        if kind == "Provenance":
            self.provenances.append((resource, ids))
            return
        if kind not in FLATTENERS:
            self.other[kind] = self.other.get(kind, 0) + 1
            return
        mark = hashlib.sha256(
            json.dumps([own, resource], sort_keys=True, separators=(",", ":")).encode()
        ).digest()
        if mark in self.seen and (resource.get("id") or own):
            return  # the pages of a search repeat the patient
        self.seen.add(mark)
        wrong = problems(resource, kind)
        for table, row in FLATTENERS[kind](resource, ids, own):
            for rule, where in wrong:  # stand with the resource's first row
                self.broken.setdefault((table, rule, where), []).append(len(self.rows[table]))
            wrong = ()
            self.rows[table].append(row)
            self.places[table].append(place)
            if table == "medications" and row.get("_medication"):
                self.waiting.append((row, str(row.pop("_medication"))))

    def resolve(self) -> None:
        """Give drugs that are named by reference the code of the medication, where it is there."""
        from sdq_ehr.formats.fhir_resources import coded

        for row, key in self.waiting:
            first, _ = coded(self.medications.get(key))
            row.update(first)

    def trace(self) -> None:
        """Give patients what a Provenance says of how they were made; the first one counts."""
        patients = {row["id"]: row for row in self.rows["patients"]}
        for resource, ids in self.provenances:
            said = provenance.origin(resource, self.devices)
            for key in provenance.targets(resource):
                row = patients.get(ids.get(key, key), {})
                for column, value in said.items():
                    row.setdefault(column, value)


def read(files: Sequence[tuple[Path, str]]) -> tuple[dict[str, RawTable], list[Finding]]:
    """Read bundles, NDJSON files and single resources.

    Parameters
    ----------
    files : sequence of (path, name)
        The name is the path relative to the cohort's folder, for findings.

    Returns
    -------
    tables : dict of str to RawTable
        The tables of `fhir_schema`, with the place of each row.
    findings : list of Finding
        Files and lines that cannot be read; types of resources that were passed over.
    """
    collector = _Collector()
    for path, name in files:
        _read_file(path, name, collector)
    collector.resolve()
    collector.trace()
    for kind in sorted(collector.other):
        collector.findings.append(finding("resource_passed_over", kind[:64]))
    schema = fhir_schema()
    tables = {}
    for table, definition in schema.tables.items():
        rows = collector.rows[table]
        columns = {
            c: pa.array([r.get(c, "") for r in rows], pa.string()) for c in definition.columns
        }
        places = pa.chunked_array([pa.array(collector.places[table], pa.string())])
        wrong = tuple(
            row_finding(table, rows, f"conformity.{rule}", where)
            for (of, rule, where), rows in sorted(collector.broken.items())
            if of == table
        )
        tables[table] = RawTable(pa.table(columns), (), "", places, wrong)
    return tables, collector.findings


def _read_file(path: Path, name: str, collector: _Collector) -> None:
    try:
        if path.stat().st_size == 0:
            collector.findings.append(finding("empty_file", name))
        elif path.suffix.lower() in LINES:
            _read_lines(path, name, collector)
        elif path.stat().st_size > LARGEST:
            collector.findings.append(finding("broken_resource", name))
        else:
            _add_any(_parse(path.read_bytes()), name, collector)
    except OSError:
        collector.findings.append(finding("unreadable_file", name))
    except _BrokenJson:
        collector.findings.append(finding("broken_resource", name))


def _read_lines(path: Path, name: str, collector: _Collector) -> None:
    broken = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            place = f"{name}, line {number}"
            try:
                resource = _parse(line)
            except _BrokenJson:
                broken += 1
                if broken <= MOST_LINES:
                    collector.findings.append(finding("broken_resource", place))
                continue
            _add_any(resource, place, collector)
    if broken > MOST_LINES:
        rest = broken - MOST_LINES
        collector.findings.append(finding("broken_resource", f"{name}, {rest} further lines"))


def _add_any(resource: Any, place: str, collector: _Collector) -> None:
    """Take in a resource, or all those of a bundle."""
    open_ = [(resource, place, 0)]
    while open_:
        found, where, depth = open_.pop()
        if as_map(found).get("resourceType") != "Bundle":
            collector.add(found, where, {})
            continue
        entries = [(as_map(e), k) for k, e in enumerate(as_list(found.get("entry")), start=1)]
        ids = dict(_identities(entries))
        for entry, k in entries:
            inner = as_map(entry.get("resource"))
            if not inner or as_map(entry.get("search")).get("mode") == "outcome":
                continue
            here = f"{where}, entry {k}"
            if inner.get("resourceType") == "Bundle":
                if depth < DEEPEST:
                    open_.append((inner, here, depth + 1))
                continue
            collector.add(inner, here, ids, reference_key(as_text(entry.get("fullUrl"))))


def _identities(entries: list[tuple[dict[str, Any], int]]) -> Iterator[tuple[str, str]]:
    """Yield what entries are called inside a bundle -> what the resource calls itself."""
    for entry, _ in entries:
        url = reference_key(as_text(entry.get("fullUrl")))
        own = as_text(as_map(entry.get("resource")).get("id"))
        if url and own:
            yield url, own


class _BrokenJson(Exception):
    """No JSON that can be read."""


def _parse(data: bytes) -> Any:
    try:
        return json.loads(data, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError
        raise _BrokenJson from error


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
