"""Real codes are not refused: a few copied here, whole tables where the shared data is there."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import numpy as np
import pytest

from sdq_ehr.codes import Rung, code_system, fhir_binding, system_of_url

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "ehr"
needs_data = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data is not here")

# From FHIR US Core examples (CC0), Synthea (Apache-2.0), the MIMIC-III demo (ODbL) and the lists.
REAL = {
    "icd10cm": ["Z00.00", "Z38.00", "I49.01", "T20.21"],
    "icd10pcs": ["0HBHXZZ"],
    "icd9cm": ["99591", "99662", "5672", "40391", "4280", "42731", "V4581", "E8798", "27651"],
    "icd9proc": ["9749", "5491", "3995", "9671", "9604", "3893"],
    "loinc": ["32401-2", "LA6724-4", "72514-3", "29463-7", "72166-2", "68517-2", "LP29684-5"],
    "snomed": ["15777000", "271737000", "185349003", "65363002", "1121000119107", "386516004"],
    "rxnorm": ["316049", "748962", "308182", "198405"],
    "ndc": ["00006494300", "00536338101"],
    "cvx": ["08", "140", "21"],
    "ucum": ["cm", "kg", "mm[Hg]", "{score}", "10*3/uL", "mL/min/{1.73_m2}", "kU/L", "[degF]"],
}


@pytest.mark.parametrize("system", list(REAL))
def test_real_codes_are_not_refused(system):
    found = code_system(system).check(REAL[system])
    headings = found.rung(Rung.BILLABLE) == 0
    refused = [v.reason for v in found if v.valid is False and v.reason != "not_billable"]
    assert refused == []
    assert headings.sum() <= 1


def column(path, name):
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    return [row[name] for row in csv.DictReader(io.StringIO(text))]


@needs_data
@pytest.mark.parametrize(
    ("system", "file", "name", "most_refused"),
    [
        # Version 32 is the last of ICD-9-CM; a few admissions of 2001 to 2012 have codes that were
        # billable then and are headings now.
        ("icd9cm", "mimic3_demo/DIAGNOSES_ICD.csv", "icd9_code", 0.03),
        ("icd9proc", "mimic3_demo/PROCEDURES_ICD.csv", "icd9_code", 0.01),
        ("icd9cm", "mimic3_demo/D_ICD_DIAGNOSES.csv.gz", "icd9_code", 0),
        ("icd9proc", "mimic3_demo/D_ICD_PROCEDURES.csv", "icd9_code", 0),
        ("loinc", "mimic3_demo/D_LABITEMS.csv", "loinc_code", 0.003),
        ("ndc", "mimic3_demo/PRESCRIPTIONS.csv", "ndc", 0),
        ("snomed", "synthea_fhir_r4/conditions.csv.gz", "code", 0),
        ("snomed", "synthea_fhir_r4/encounters.csv.gz", "code", 0),
        ("rxnorm", "synthea_fhir_r4/medications.csv.gz", "code", 0),
        ("loinc", "synthea_fhir_r4/observations.csv.gz", "code", 0),
        ("ucum", "synthea_fhir_r4/observations.csv.gz", "unit", 0.002),
    ],
)
def test_whole_columns(system, file, name, most_refused):
    values = column(SHARED / file, name)
    distinct, counts = np.unique(values, return_counts=True)
    found = code_system(system).check(distinct)
    placeholders = np.isin(found.reason.astype(str), ["missing", "placeholder"])
    given = counts[~placeholders]
    refused = found.refused[~placeholders]
    assert given[refused].sum() <= most_refused * given.sum()


@needs_data
def test_units_of_a_hospital_are_corrected():
    """Nearly all units that are none of UCUM get a suggestion."""
    values = [
        v for v in column(SHARED / "mimic3_demo/LABEVENTS_part.csv.gz", "valueuom") if v.strip()
    ]
    distinct, counts = np.unique(values, return_counts=True)
    found = code_system("ucum").check(distinct)
    doubtful = found.refused | found.suspect
    helped = doubtful & (found.suggestion != "")
    assert counts[doubtful].sum() > 0.3 * counts.sum()
    assert counts[helped].sum() > 0.999 * counts[doubtful].sum()


@needs_data
def test_athena_list_accepts_its_own_records():
    folder = SHARED / "synthea_omop54"
    omop = code_system("omop", {"omop": folder / "CONCEPT.csv"})
    for table, name, domain in (
        ("CONDITION_OCCURRENCE", "condition_concept_id", "condition"),
        ("MEASUREMENT", "measurement_concept_id", "measurement"),
        ("DRUG_EXPOSURE", "drug_concept_id", "drug"),
        ("PROCEDURE_OCCURRENCE", "procedure_concept_id", "procedure"),
    ):
        ids = column(folder / f"{table}.csv", name)
        assert omop.check(ids, domain=domain).accepted.all()
        assert not omop.check(ids, domain="unit").accepted.any()


@needs_data
def test_fhir_examples():
    codings: dict[str, list[str]] = {}
    bound: dict[str, list[str]] = {}

    def walk(value):
        if isinstance(value, dict):
            if isinstance(value.get("code"), str) and isinstance(value.get("system"), str):
                codings.setdefault(value["system"], []).append(value["code"])
            for child in value.values():
                walk(child)
        elif isinstance(value, list):
            for child in value:
                walk(child)

    for path in sorted((SHARED / "fhir_us_core_examples").glob("*.json")):
        resource = json.loads(path.read_text())
        walk(resource)
        for key, value in resource.items():
            if isinstance(value, str):
                bound.setdefault(f"{resource['resourceType']}.{key}", []).append(value)
    checked = 0
    for url, codes in codings.items():
        if name := system_of_url(url):
            assert not code_system(name).check(codes).refused.any(), url
            checked += len(codes)
    for element, codes in bound.items():
        if name := fhir_binding(element):
            assert code_system(name).check(codes).accepted.all(), element
            checked += len(codes)
    assert checked > 500


@needs_data
@pytest.mark.parametrize("seed", range(5))
def test_two_percent_of_wrong_codes_are_found(seed):
    """SNOMED CT without a list: a wrong digit is always seen, real ones never refused."""
    rng = np.random.default_rng(seed)
    values = np.array(column(SHARED / "synthea_fhir_r4/conditions.csv.gz", "code"), object)
    planted = np.sort(rng.choice(len(values), len(values) // 50, replace=False))
    for row in planted:
        code, place = values[row], int(rng.integers(0, len(values[row])))
        wrong = str((int(code[place]) + int(rng.integers(1, 10))) % 10)
        values[row] = code[:place] + wrong + code[place + 1 :]
    refused = code_system("snomed").check(values).refused
    assert np.flatnonzero(refused).tolist() == planted.tolist()
