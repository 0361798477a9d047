"""Structure of FHIR resources: each rule is broken where it is broken, and R4 and R5 are good."""

import copy
import json

import numpy as np
import pytest

from sdq_core.vocabulary import Severity
from sdq_ehr.formats.fhir_resources import FLATTENERS
from sdq_ehr.formats.fhir_structure import VERSIONS, _types, problems
from sdq_ehr.judged import _sentence
from sdq_ehr.reading import read_dataset
from sdq_ehr.rules import RULES

SUBJECT = {"reference": "Patient/p1"}
CODE = {"coding": [{"system": "http://loinc.org", "code": "2160-0"}], "text": "creatinine"}
GOOD = {
    "Patient": {
        "id": "p1", "gender": "female", "birthDate": "1980-02-29", "deceasedBoolean": False,
        "name": [{"family": "X", "given": ["A", "B"]}], "multipleBirthInteger": 2,
        "_birthDate": {"extension": [{"url": "urn:x", "valueDateTime": "1980-02-29T10:00:00Z"}]},
        "communication": [{"language": {"text": "en"}, "preferred": True}],
    },
    "Encounter": {
        "id": "e1", "status": "finished", "class": {"code": "IMP"}, "subject": SUBJECT,
        "period": {"start": "2020-01-01T10:00:00+08:00", "end": "2020-01"},
    },
    "Condition": {
        "id": "c1", "subject": SUBJECT, "code": CODE, "onsetDateTime": "2020",
        "clinicalStatus": {"coding": [{"code": "active"}]},
    },
    "Observation": {
        "id": "o1", "status": "final", "code": CODE, "subject": SUBJECT,
        "effectiveDateTime": "2020-01-31T23:59:60.123Z",
        "valueQuantity": {"value": 1.5, "unit": "mg/dL"},
        "component": [{"code": CODE, "valueInteger": 3}],
        "issued": "2020-01-31T10:00:00.000-05:00",
    },
    "MedicationRequest": {
        "id": "m1", "status": "active", "intent": "order", "subject": SUBJECT,
        "medicationCodeableConcept": CODE, "authoredOn": "2020-01-01",
        "dosageInstruction": [{"sequence": 1, "asNeededBoolean": True}],
    },
    "Procedure": {"id": "x1", "status": "completed", "subject": SUBJECT,
                  "performedDateTime": "2020-01-01"},
    "AllergyIntolerance": {"id": "a1", "patient": SUBJECT, "category": ["food"]},
    "Immunization": {
        "id": "i1", "status": "completed", "vaccineCode": CODE, "patient": SUBJECT,
        "occurrenceDateTime": "2020-01-01", "primarySource": True,
    },
}  # fmt: skip
R5 = {
    "Encounter": {
        "status": "completed", "class": [{"coding": [{"code": "IMP"}]}], "subject": SUBJECT,
        "actualPeriod": {"start": "2020-01-01"}, "reason": [{"value": [{"concept": CODE}]}],
    },
    "MedicationRequest": {
        "status": "active", "intent": "order", "subject": SUBJECT,
        "medication": {"concept": CODE},
    },
    "Procedure": {"status": "completed", "subject": SUBJECT, "occurrenceDateTime": "2020"},
    "AllergyIntolerance": {"patient": SUBJECT, "type": {"text": "allergy"}},
}  # fmt: skip
PLANTS = [
    ("Patient", "gender", ["female"], "fhir_cardinality"),
    ("Patient", "name", {"family": "X"}, "fhir_cardinality"),
    ("Patient", "name", [], "fhir_cardinality"),
    ("Patient", "name", ["X"], "fhir_json_type"),
    ("Patient", "birthDate", 19800229, "fhir_json_type"),
    ("Patient", "birthDate", "1981-02-29", "fhir_date_form"),
    ("Patient", "birthDate", "29/02/1980", "fhir_date_form"),
    ("Patient", "birthDate", "1980-2-9", "fhir_date_form"),
    ("Patient", "birthDate", "1980-02-29T10:00:00Z", "fhir_date_form"),
    ("Patient", "deceasedBoolean", "false", "fhir_json_type"),
    ("Patient", "birth_date", "1980-02-29", "fhir_element_unknown"),
    ("Patient", "id", "p 1", "fhir_form"),
    ("Encounter", "period", {"start": "2020-01-01T10:00"}, "fhir_date_form"),
    ("Encounter", "period", "2020-01-01", "fhir_json_type"),
    ("Encounter", "status", None, "fhir_element_missing"),
    ("Condition", "subject", None, "fhir_element_missing"),
    ("Observation", "valueQuantity", {"value": "1.5"}, "fhir_json_type"),
    ("Observation", "valueString", "high", "fhir_choice"),
    ("Observation", "issued", "2020-01-31", "fhir_date_form"),
    ("Observation", "component", [{"valueInteger": 3}], "fhir_element_missing"),
    ("Observation", "component", [{"code": CODE, "valueInteger": 3.5}], "fhir_json_type"),
    ("Observation", "code", None, "fhir_element_missing"),
    ("Observation", "status", "", "fhir_form"),
    ("MedicationRequest", "medicationCodeableConcept", None, "fhir_element_missing"),
    ("MedicationRequest", "dosageInstruction", [{"sequence": True}], "fhir_json_type"),
    ("Procedure", "subject", None, "fhir_element_missing"),
    ("AllergyIntolerance", "patient", None, "fhir_element_missing"),
    ("Immunization", "occurrenceDateTime", None, "fhir_element_missing"),
]


@pytest.mark.parametrize("kind", list(GOOD))
def test_resources_of_r4_are_good(kind):
    assert problems({"resourceType": kind, **GOOD[kind]}, kind) == ()


@pytest.mark.parametrize("kind", list(R5))
def test_resources_of_r5_are_good(kind):
    assert problems({"resourceType": kind, **R5[kind]}, kind) == ()


def test_all_types_that_are_read_are_defined_in_both_versions():
    for version in VERSIONS:
        assert set(FLATTENERS) <= set(_types(version))


@pytest.mark.parametrize(("kind", "element", "value", "rule"), PLANTS)
def test_a_planted_fault_is_found_by_its_rule(kind, element, value, rule):
    resource = copy.deepcopy({"resourceType": kind, **GOOD[kind]})
    if value is None:
        del resource[element]
    else:
        resource[element] = value
    found = problems(resource, kind)
    assert rule in {r for r, _ in found}
    assert all(w.startswith(kind) for _, w in found)


def test_what_is_no_resource_is_no_crash():
    for odd in ({"resourceType": "Patient", "name": [None]}, {"resourceType": "Patient", "": 1},
                {"resourceType": "Patient", "a\nb" * 40: {}}):  # fmt: skip
        assert all("\n" not in where for _, where in problems(odd, "Patient"))
    nested = {"url": "urn:x"}
    for _ in range(200):
        nested = {"url": "urn:x", "extension": [nested]}
    problems({"resourceType": "Patient", "extension": [nested]}, "Patient")
    assert problems({"resourceType": "Claim"}, "Claim") == ()


def test_faults_stand_with_the_patient_and_have_both_languages(tmp_path):
    entries = []
    for k in range(6):
        patient = {"resourceType": "Patient", **GOOD["Patient"], "id": f"p{k}"}
        observation = {
            "resourceType": "Observation", **GOOD["Observation"], "id": f"o{k}",
            "subject": {"reference": f"Patient/p{k}"},
        }  # fmt: skip
        if k == 3:
            observation["valueQuantity"] = {"value": "1.5", "unit": "mg/dL"}
        if k == 4:
            patient["birthDate"] = "1980/02/29"
        entries += [{"resource": patient}, {"resource": observation}]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    (tmp_path / "all.json").write_text(json.dumps(bundle), encoding="utf-8")
    dataset = read_dataset(tmp_path)
    owners = dataset.patients().rows
    found = {
        f.rule: np.unique(owners[f.table][f.rows]).tolist()
        for f in dataset.row_findings
        if ".conformity.fhir_" in f.rule
    }
    assert found == {
        "ehr.conformity.fhir_json_type": [3], "ehr.conformity.fhir_date_form": [4],
    }  # fmt: skip
    for name, (severity, _, _) in RULES.items():
        if name.startswith("conformity.fhir_"):
            sentence = _sentence(f"ehr.{name}", "", {})
            assert sentence.severity is severity
            assert sentence.severity in (Severity.ERROR, Severity.WARNING)
            assert any("\u4e00" <= c <= "\u9fff" for c in sentence.message_zh)
