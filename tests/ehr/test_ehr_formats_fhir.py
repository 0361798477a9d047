"""FHIR: bundles, NDJSON, references of all kinds, and what is broken."""

import datetime as dt
import json
from pathlib import Path

import pytest

from sdq_core.errors import InputError
from sdq_ehr.formats.fhir import fhir_schema, system_name
from sdq_ehr.formats.fhir_resources import FLATTENERS, TABLES_OF
from sdq_ehr.reading import list_items, read_dataset

REAL = Path(__file__).parents[3] / "shared/data/ehr"
LOINC, SNOMED, UCUM = "http://loinc.org", "http://snomed.info/sct", "http://unitsofmeasure.org"


def concept(system, code, display="", *more):
    codings = [{"system": system, "code": code} | ({"display": display} if display else {})]
    return {"coding": codings + [{"system": s, "code": c} for s, c in more]}


def resource(kind, id_, patient="p1", **elements):
    subject = {"subject": {"reference": f"Patient/{patient}"}} if patient else {}
    return {"resourceType": kind, "id": id_, **subject, **elements}


PATIENT = {
    "resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1950-01-02",
    "deceasedDateTime": "2020-05-06T07:08:09+02:00",
    "name": [{"family": "Roe", "given": ["Jane", "Q"]}],
    "telecom": [{"system": "phone", "value": "1"}, {"system": "email", "value": "2"}],
    "address": [{"line": ["3", "4"], "city": "c", "state": "s", "postalCode": "5"}],
    "identifier": [{"type": {"coding": [{"code": "MR"}]}, "value": "6"},
                   {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "7"}],
    "meta": {"security": [{"code": "HTEST"}]},
}  # fmt: skip


def bundle(*resources, kind="collection", urls=None):
    entries = [{"resource": r} for r in resources]
    for entry, url in zip(entries, urls or [], strict=False):
        entry["fullUrl"] = url
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def read(folder, **files):
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        stem, _, suffix = name.rpartition("_")
        (folder / f"{stem}.{suffix}").write_text(text, encoding="utf-8")
    return read_dataset(folder)


def rows(data, table):
    """Return the cells that are not missing."""
    return [{k: v for k, v in r.items() if v is not None} for r in data.tables[table].to_pylist()]


def rules(data):
    return [(f.rule.split(".")[-1], f.where) for f in data.findings if "zone" not in f.rule]


def test_schema_and_flatteners_agree(tmp_path) -> None:
    assert set(fhir_schema().tables) == set(TABLES_OF)
    full = {"code": concept(LOINC, "1-8"), "type": [concept(SNOMED, "2")],
            "vaccineCode": concept(SNOMED, "3"), "status": "final"}  # fmt: skip
    for kind, flatten in FLATTENERS.items():
        for table, row in flatten(resource(kind, "x", **full), {}, ""):
            allowed = {*fhir_schema().tables[table].columns, "_medication", "status"}
            assert set(row) <= allowed, kind


def test_a_patient(tmp_path) -> None:
    data = read(tmp_path, a_json=PATIENT)
    assert rows(data, "patients") == [
        {
            "id": "p1", "sex": "female", "birth_date": dt.date(1950, 1, 2), "deceased": True,
            "death": dt.datetime(2020, 5, 6, 7, 8, 9), "name": "Jane Q Roe", "phone": "1",
            "email": "2", "address": "3 4", "city": "c", "state": "s", "postcode": "5",
            "record_number": "6", "national_id": "7", "tags": "HTEST",
        }
    ]  # fmt: skip
    item = list_items(tmp_path).items[0]
    assert item.id == "patients#1"
    assert "p1" not in item.attributes["subject"]


def test_observations_with_values_of_all_kinds(tmp_path) -> None:
    quantity = {"value": 7.5, "unit": "milligram", "system": UCUM, "code": "mg/dL"}
    panel = [{"code": concept(LOINC, "8480-6"), "valueQuantity": {"value": 120, "code": "mm[Hg]"}},
             {"code": concept(LOINC, "8462-4"), "valueString": "low"}]  # fmt: skip
    at = {"effectiveDateTime": "2020-01-02T03:04:05Z", "status": "final"}
    data = read(
        tmp_path,
        a_json=bundle(
            PATIENT,
            resource("Observation", "o1", code=concept(LOINC, "2160-0"),
                     valueQuantity=quantity, **at),
            resource("Observation", "o2", code=concept(LOINC, "85354-9"), component=panel, **at),
            resource("Observation", "o3", code=concept(LOINC, "1-8"), status="final",
                     effectivePeriod={"start": "2020"}, valueCodeableConcept=concept(SNOMED, "9")),
            resource("Observation", "o4", code=concept(LOINC, "1-8"), valueInteger=3, **at),
        ),
    )  # fmt: skip
    found = rows(data, "observations")
    assert [(r["id"], r["component"], r.get("code")) for r in found] == [
        ("o1", 0, "2160-0"), ("o2", 1, "8480-6"), ("o2", 2, "8462-4"), ("o3", 0, "1-8"),
        ("o4", 0, "1-8"),
    ]  # fmt: skip
    assert (found[0]["value"], found[0]["unit"]) == (7.5, "mg/dL")
    assert found[0]["time"] == dt.datetime(2020, 1, 2, 3, 4, 5)
    assert (found[1]["value"], found[1]["unit"], found[2]["value_text"]) == (120, "mm[Hg]", "low")
    assert (found[3]["value_system"], found[3]["value_code"]) == (SNOMED, "9")
    assert found[3]["time"] == dt.datetime(2020, 1, 1)
    assert found[4]["value"] == 3
    assert not data.row_findings
    assert data.place("observations", 3) == "a.json, entry 4"


def test_further_codings_stand_apart(tmp_path) -> None:
    code = concept(SNOMED, "44054006", "x", ("http://hl7.org/fhir/sid/icd-10-cm", "E11.9"))
    data = read(tmp_path, a_json=bundle(PATIENT, resource("Condition", "c", code=code)))
    assert rows(data, "conditions")[0]["code"] == "44054006"
    further = "http://hl7.org/fhir/sid/icd-10-cm"
    assert rows(data, "codings") == [
        {"table": "conditions", "id": "c", "patient": "p1", "system": further, "code": "E11.9"}
    ]


def test_references_of_all_kinds(tmp_path) -> None:
    uuid = "urn:uuid:0c5b4a7e-0000-4000-8000-000000000001"
    patient = {k: v for k, v in PATIENT.items() if k != "id"}  # known by its place only
    visit = {"resourceType": "Encounter", "id": "e1", "status": "finished",
             "subject": {"reference": uuid}, "class": {"code": "AMB"},
             "period": {"start": "2020-01-01", "end": "2020-01-02"}}  # fmt: skip
    transaction = bundle(
        patient,
        visit,
        {"resourceType": "Condition", "id": "c1", "subject": {"reference": uuid},
         "encounter": {"reference": "urn:uuid:0c5b4a7e-0000-4000-8000-000000000002"}},
        kind="transaction",
        urls=[uuid, "urn:uuid:0c5b4a7e-0000-4000-8000-000000000002"],
    )  # fmt: skip
    absolute = {"resourceType": "Condition", "id": "c2",
                "subject": {"reference": "https://x.org/fhir/Patient/p9/_history/3"}}  # fmt: skip
    data = read(tmp_path, a_json=transaction, b_json=bundle({**PATIENT, "id": "p9"}, absolute))
    assert [r["id"] for r in rows(data, "patients")] == [uuid.removeprefix("urn:uuid:"), "p9"]
    assert data.patients().rows["conditions"].tolist() == [0, 1]
    assert rows(data, "conditions")[0]["encounter"] == "e1"
    assert rows(data, "encounters")[0]["class"] == "AMB"
    assert not data.row_findings


def test_drugs_by_code_reference_and_contained(tmp_path) -> None:
    drug = concept("http://www.nlm.nih.gov/research/umls/rxnorm", "849574")
    inner = {"resourceType": "Medication", "id": "m", "code": drug}
    data = read(
        tmp_path,
        a_ndjson="\n".join(
            json.dumps(r)
            for r in (
                resource("MedicationRequest", "1", medicationCodeableConcept=drug, status="active",
                         authoredOn="2020-01-02"),
                resource("MedicationStatement", "2", medicationReference={"reference": "#m"},
                         contained=[inner], status="active"),
                resource("MedicationAdministration", "3", status="completed",
                         medicationReference={"reference": "Medication/out"}),
                resource("MedicationRequest", "4", medication={"concept": drug}, status="active"),
                resource("MedicationRequest", "5", status="active",
                         medication={"reference": {"reference": "Medication/out"}}),
                PATIENT,
                {**inner, "id": "out"},
            )
        ),
    )  # fmt: skip
    assert [r["code"] for r in rows(data, "medications")] == ["849574"] * 5
    assert [r["kind"] for r in rows(data, "medications")] == [
        "request", "statement", "administration", "request", "request",
    ]  # fmt: skip
    assert data.place("medications", 1) == "a.ndjson, line 2"


def test_circular_references_end(tmp_path) -> None:
    a = resource("Encounter", "a", status="x", partOf={"reference": "Encounter/b"})
    b = resource("Encounter", "b", status="x", partOf={"reference": "Encounter/a"})
    loop = resource("MedicationRequest", "m", status="x", medicationReference={"reference": "#m"},
                    contained=[{"resourceType": "Medication", "id": "m", "ingredient": [
                        {"itemReference": {"reference": "#m"}}]}])  # fmt: skip
    data = read(tmp_path, a_json=bundle(PATIENT, a, b, loop, bundle(bundle(a))))
    assert len(rows(data, "encounters")) == 2  # the same resource once more is no other
    assert len(rows(data, "medications")) == 1


def test_broken_lines_and_bundles_are_findings_and_the_rest_is_read(tmp_path) -> None:
    lines = [json.dumps(PATIENT), "{", "", '{"a": NaN}', "[]", '"text"', "[" * 100_000, "null"]
    data = read(
        tmp_path,
        a_ndjson="\n".join(lines),
        b_json='{"resourceType": "Bundle", "entry": [',
        c_json=bundle(resource("Condition", "c", code=concept(SNOMED, "1"))),
        d_json="",
        e_json={"some": "resourceType"},
    )
    assert len(rows(data, "patients")) == len(rows(data, "conditions")) == 1
    assert sorted(rules(data)) == [
        ("broken_resource", "a.ndjson, line 2"), ("broken_resource", "a.ndjson, line 4"),
        ("broken_resource", "a.ndjson, line 7"), ("broken_resource", "b.json"),
        ("empty_file", "d.json"), ("not_a_resource", "a.ndjson, line 5"),
        ("not_a_resource", "a.ndjson, line 6"), ("not_a_resource", "a.ndjson, line 8"),
        ("not_a_resource", "e.json"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "junk", [None, 1, "x", [], [[]], {}, [{"coding": 3}], True, 1e400, "\ud800"]
)
def test_elements_of_any_type_do_no_harm(tmp_path, junk) -> None:
    names = {
        "subject", "patient", "code", "type", "class", "period", "status", "component",
        "identifier", "name", "address", "telecom", "meta", "extension", "valueQuantity",
        "category", "reasonCode",
        "medicationReference", "medicationCodeableConcept", "contained", "dosageInstruction",
        "effectiveDateTime", "onsetPeriod", "birthDate", "gender", "vaccineCode", "encounter",
        "maritalStatus", "communication", "reaction", "medication", "deceasedDateTime",
    }  # fmt: skip
    junk = junk if junk != 1e400 else 1e300
    lines = [
        json.dumps({"resourceType": kind, "id": "x", **dict.fromkeys(names, junk)})
        for kind in FLATTENERS
    ]
    (tmp_path / "a.ndjson").write_text("\n".join(lines))
    data = read_dataset(tmp_path)
    assert data.tables["patients"].num_rows == 1
    assert data.tables["conditions"].num_rows == 1


def test_orphans_and_duplicates(tmp_path) -> None:
    other = {**PATIENT, "birthDate": "1960"}
    stray = resource("Condition", "c", patient="nobody", code=concept(SNOMED, "1"),
                     encounter={"reference": "Encounter/gone"})  # fmt: skip
    visit = resource("Encounter", "e", status="finished")
    data = read(tmp_path, a_json=bundle(PATIENT, PATIENT, other, stray, visit, kind="searchset"))
    found = {(f.rule.split(".")[-1], f.where, tuple(f.rows)) for f in data.row_findings}
    assert found == {
        ("key_duplicate", "patients.id", (1,)),
        ("patient_orphan", "conditions.patient", (0,)),
        ("orphan", "conditions.encounter", (0,)),
    }
    assert len(data.patients()) == 1


def test_no_resources(tmp_path) -> None:
    (tmp_path / "t.csv").write_text("a\n1\n")
    with pytest.raises(InputError, match="no JSON"):
        read_dataset(tmp_path, fhir_schema())


def test_names_of_systems() -> None:
    assert system_name("http://snomed.info/sct|http://snomed.info/sct/731000124108") == "snomed"
    assert system_name("http://hl7.org/fhir/sid/icd-10-cm") == "icd10cm"
    assert system_name("urn:oid:2.16.840.1.113883.6.1") == "loinc"
    assert system_name("http://example.org") == ""


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the shared data")
def test_simulated_bundles_and_examples() -> None:
    data = read_dataset(REAL / "synthea_fhir_r4/bundles")
    counts = {t: data.tables[t].num_rows for t in data.tables if data.tables[t].num_rows}
    assert counts == {
        "patients": 10, "encounters": 71, "conditions": 32, "observations": 553, "medications": 12,
        "procedures": 15, "immunizations": 56,
    }  # fmt: skip
    assert not data.row_findings
    assert all((rows >= 0).all() for rows in data.patients().rows.values())
    examples = read_dataset(REAL / "fhir_us_core_examples")
    assert len(examples.patients()) == 4
    assert examples.tables["codings"].num_rows == 9
