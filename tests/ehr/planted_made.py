"""A clinic in the three models of records: delimited and Arrow tables, OMOP, FHIR."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from clinics_made import SCHEMA, clinic_columns
from notes_made import notes

from sdq_core.calibration.defect import Member
from sdq_core.modality import load_modality
from sdq_core.study import Study
from sdq_core.vocabulary import Role
from sdq_ehr.formats.omop import omop_fields

ROLES = ("train", "holdout")
LOINC, SNOMED, ATC = "http://loinc.org", "http://snomed.info/sct", "http://www.whocc.no/atc"


def table_schema() -> dict:
    """Return the schema of the tables: that of `clinics_made`, and more for single rules."""
    plain = SCHEMA.model_dump(mode="json", exclude_defaults=True)
    tables = plain["tables"]
    plain["extraction"] = "2024-06-30"
    home = tables["patients"]["columns"]
    home |= {
        "group": {"meaning": "class", "values": ["case", "control"]},
        "children": {"type": "integer"}, "weight": {"type": "number", "minimum": 0},
        "height": {"type": "number"}, "waist": {"type": "number"}, "score": {"type": "number"},
        "enrolled": {"type": "date"}, "seen": {"type": "date"}, "left_on": {"type": "date"},
        "asked": {"type": "date"}, "told": {"type": "date"},
        "called": {"type": "datetime"}, "answered": {"type": "datetime"},
        "ward": {"type": "category"}, "street": {"type": "category"}, "zip": {"type": "category"},
        "town": {"type": "category", "meaning": ""}, "remark": {"type": "text"},
        "note": {"type": "text"}, "site": {"type": "code", "system": "local"},
        "smoker": {"type": "boolean"},
        "synthetic": {"meaning": "provenance"}, "generator": {"type": "text",
                                                              "meaning": "provenance"},
        "seed": {"type": "text", "meaning": "provenance"},
        "AIGC": {"type": "text", "meaning": "provenance"},
    }  # fmt: skip
    home["city"] = home.pop("town")
    del home["street"]
    tables["stays"]["rows_minimum"] = 1
    tables["stays"]["rows_maximum"] = 9
    tables["stays"]["columns"]["kind"]["required"] = True
    tables["stays"]["columns"]["paid"] = {"type": "date", "meaning": "start"}
    tables["stays"]["columns"]["closed"] = {"type": "date", "meaning": "end"}
    return plain


def table_cells(n: int, seed: int, mark: str) -> dict[str, dict[str, list]]:
    """Return the cells of a cohort of tables as texts; keys begin with a mark."""
    made = clinic_columns(n, seed)
    rng = np.random.default_rng([seed, 1])
    home = made["patients"]
    days = np.datetime64("2016-01-13") + rng.integers(0, 900, (8, n))
    home |= {
        "group": rng.choice(["case", "control"], n, p=[0.4, 0.6]).tolist(),
        "children": rng.integers(0, 5, n).tolist(),
        "weight": np.round(rng.normal(80, 12, n), 1).tolist(),
        "height": np.round(rng.normal(170, 9, n), 1).tolist(),
        "waist": np.round(rng.normal(90, 9, n), 1).tolist(),
        "score": np.round(rng.normal(50, 9, n), 2).tolist(),
        **{c: list(days[k]) for k, c in enumerate(("enrolled", "seen", "left_on", "asked",
                                                   "told"))},
        "called": list(days[5].astype("datetime64[s]") + np.timedelta64(37_800, "s")),
        "answered": list(days[6].astype("datetime64[s]") + np.timedelta64(40_000, "s")),
        "ward": rng.choice(["north", "south", "east"], n).tolist(),
        "zip": rng.choice(["902", "903"], n).tolist(), "city": ["-"] * n,
        "remark": rng.choice(["calm", "in pain", "asleep"], n).tolist(),
        "note": notes(n, seed), "site": rng.choice(["110", "220", "330", "440"], n).tolist(),
        "smoker": rng.choice(["yes", "no"], n).tolist(),
        "synthetic": ["no"] * n, "generator": [""] * n, "seed": [""] * n, "AIGC": [""] * n,
    }  # fmt: skip
    stays = made["stays"]
    stays["paid"] = [v.astype("datetime64[D]") for v in stays["entered"]]
    stays["closed"] = [v.astype("datetime64[D]") + 3 for v in stays["left"]]
    made["allergies"] = {
        "pid": home["pid"], "noted": [np.datetime64("2014-01-01T10:00")] * n,
        "substance": ["latex"] * n,
    }  # fmt: skip
    for table in made.values():
        for column, values in table.items():
            if column in ("pid", "sid"):
                table[column] = [f"{mark}{v[1:].replace('-', '')}" for v in values]
    return {t: {c: [_text(v) for v in vs] for c, vs in cs.items()} for t, cs in made.items()}


def _text(value) -> str:
    if value is None:
        return ""
    if isinstance(value, np.datetime64):
        return str(value).replace("T", " ")
    return repr(round(value, 3)) if isinstance(value, float) else str(value)


def write_tables(folder: Path, cells: dict[str, dict[str, list]], kind: str = "csv") -> Path:
    """Write tables of texts as CSV or Parquet files."""
    folder.mkdir(parents=True)
    for name, columns in cells.items():
        if kind == "parquet":
            pq.write_table(pa.table(columns), folder / f"{name}.parquet")
            continue
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))
    return folder


# -- OMOP ----------------------------------------------------------------------------------------

CONCEPTS = (
    ("8507", "MALE", "Gender", "Gender", "M", "S"),
    ("8532", "FEMALE", "Gender", "Gender", "F", "S"),
    ("8527", "White", "Race", "Race", "5", "S"), ("38003564", "Not H", "Ethnicity", "Ethnicity",
                                                  "n", "S"),
    ("9201", "Inpatient", "Visit", "Visit", "IP", "S"),
    ("32817", "EHR", "Type Concept", "Type Concept", "e", "S"),
    ("201826", "Diabetes 2", "Condition", "SNOMED", "44054006", "S"),
    ("201254", "Diabetes 1", "Condition", "SNOMED", "46635009", "S"),
    ("4245", "Pregnancy", "Condition", "SNOMED", "72892002", "S"),
    ("4246", "Prostate", "Condition", "SNOMED", "399068003", "S"),
    ("320128", "Hypertension", "Condition", "SNOMED", "38341003", "S"),
    ("45591", "old", "Condition", "ICD10CM", "E11.9", ""),
    ("3004501", "Glucose", "Measurement", "LOINC", "2345-7", "S"),
)  # fmt: skip


def omop_cells(n: int, seed: int, start: int) -> dict[str, dict[str, list]]:
    """Return a small cohort of OMOP 5.4 tables."""
    rng = np.random.default_rng(seed)
    ids = [str(start + k) for k in range(n)]
    born = rng.integers(1950, 1990, n)
    day = np.datetime64("2018-03-01") + rng.integers(0, 300, n)
    fields = omop_fields()
    rows = {
        "person": {
            "person_id": ids, "gender_concept_id": rng.choice(["8507", "8532"], n),
            "year_of_birth": born, "month_of_birth": [""] * n, "race_concept_id": ["8527"] * n,
            "ethnicity_concept_id": ["38003564"] * n, "birth_datetime": [""] * n,
        },
        "observation_period": {
            "observation_period_id": ids, "person_id": ids,
            "observation_period_start_date": ["2017-01-01"] * n,
            "observation_period_end_date": ["2020-12-31"] * n,
            "period_type_concept_id": ["32817"] * n,
        },
        "visit_occurrence": {
            "visit_occurrence_id": ids, "person_id": ids, "visit_concept_id": ["9201"] * n,
            "visit_start_date": day, "visit_end_date": day + 3,
            "visit_type_concept_id": ["32817"] * n,
        },
        "condition_occurrence": {
            "condition_occurrence_id": ids, "person_id": ids,
            "condition_concept_id": rng.choice(["201826", "320128"], n),
            "condition_start_date": day, "condition_end_date": day + 2,
            "condition_type_concept_id": ["32817"] * n, "visit_occurrence_id": ids,
        },
        "measurement": {
            "measurement_id": ids, "person_id": ids, "measurement_concept_id": ["3004501"] * n,
            "measurement_date": day + 1, "measurement_type_concept_id": ["32817"] * n,
            "value_as_number": np.round(rng.normal(100, 9, n), 1),
            "unit_source_value": ["mg/dL"] * n, "visit_occurrence_id": ids,
        },
        "death": {"person_id": ids[:2], "death_date": ["2020-12-01"] * 2},
        "concept": dict(zip(
            ("concept_id", "concept_name", "domain_id", "vocabulary_id", "concept_code",
             "standard_concept"), zip(*CONCEPTS, strict=True), strict=True)),
    }  # fmt: skip
    for table, columns in rows.items():
        assert set(columns) <= set(fields[table]), table
    return {t: {c: [_text(v) for v in vs] for c, vs in cs.items()} for t, cs in rows.items()}


# -- FHIR ----------------------------------------------------------------------------------------


def fhir_resources(n: int, seed: int, mark: str) -> list[dict]:
    """Return the resources of a small cohort."""
    rng = np.random.default_rng(seed)
    made = []

    def of(kind: str, k: int, number: str, **more) -> None:
        subject = "patient" if kind == "AllergyIntolerance" else "subject"
        made.append({"resourceType": kind, "id": f"{mark}{number}",
                     subject: {"reference": f"Patient/{mark}{k}"}, **more})  # fmt: skip

    for k in range(n):
        sex = str(rng.choice(["female", "male"]))
        born = np.datetime64("1950-01-05") + int(rng.integers(0, 12000))
        day = np.datetime64("2018-03-01") + int(rng.integers(0, 600))
        made.append({
            "resourceType": "Patient", "id": f"{mark}{k}", "gender": sex, "birthDate": str(born),
            "name": [{"family": "Roe", "given": ["Jane"]}],
            "maritalStatus": {"coding": [{"code": str(rng.choice(["M", "S"]))}]},
            "address": [{"state": str(rng.choice(["NY", "NJ"]))}],
        })  # fmt: skip
        visit = {"reference": f"Encounter/{mark}e{k}"}
        of("Encounter", k, f"e{k}", status="finished",
           **{"class": {"code": "IMP"}}, period={"start": f"{day}T08:00:00+01:00",
                                                 "end": f"{day + 4}T10:00:00+01:00"})  # fmt: skip
        of("Condition", k, f"c{k}", encounter=visit, onsetDateTime=str(day),
           clinicalStatus={"coding": [{"code": "active", "system":
               "http://terminology.hl7.org/CodeSystem/condition-clinical"}]},
           code={"coding": [{"system": SNOMED,
                             "code": str(rng.choice(["38341003", "44054006"]))}]})  # fmt: skip
        for j in range(2):
            value = round(float(rng.normal(100, 9)), 1)
            of("Observation", k, f"o{k}-{j}", status="final", encounter=visit,
               effectiveDateTime=f"{day + j}T09:00:00+01:00",
               code={"coding": [{"system": LOINC, "code": "2345-7", "display": "Glucose"}]},
               valueQuantity={"value": value, "unit": "mg/dL", "code": "mg/dL"})  # fmt: skip
        of("AllergyIntolerance", k, f"a{k}", recordedDate="2015-02-03",
           code={"coding": [{"system": SNOMED, "code": "111088007"}]})  # fmt: skip
        of("MedicationRequest", k, f"m{k}", status="active", intent="order", authoredOn=str(day),
           medicationCodeableConcept={"coding": [{"system": ATC, "code": "J01CA04"}]})  # fmt: skip
    made.append({"resourceType": "Organization", "id": f"{mark}org", "name": "Clinic"})
    return made


def write_fhir(folder: Path, resources: Sequence[dict], bundled: bool) -> Path:
    """Write resources as one bundle or as one NDJSON file."""
    folder.mkdir(parents=True)
    if bundled:
        entries = [{"fullUrl": f"urn:uuid:{r['id']}", "resource": r} for r in resources]
        text = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries})
        (folder / "all.json").write_text(text, encoding="utf-8")
    else:
        text = "".join(json.dumps(r) + "\n" for r in resources)
        (folder / "all.ndjson").write_text(text, encoding="utf-8")
    return folder


# -- studies -------------------------------------------------------------------------------------


def clinic_study(folder: Path, model: str, n: int = 40) -> Study:
    """Return a prepared study of a model: csv, parquet, omop, ndjson or bundle."""
    for k, role in enumerate(ROLES):
        if model in ("csv", "parquet"):
            write_tables(folder / role, table_cells(n, k, f"{role[0]}7"), model)
        elif model == "omop":
            write_tables(folder / role, omop_cells(n, k, 1000 * (k + 1)))
        else:
            made = fhir_resources(n, k, f"{role[0]}")
            write_fhir(folder / role, made, model == "bundle")
    settings = {"schema": table_schema()} if model in ("csv", "parquet") else {}
    study = Study.model_validate({
        "modality": "ehr", "settings": settings,
        "cohorts": {r: {"path": folder / r} for r in ROLES}
        | {"synthetic": {"path": folder / "holdout"}},
    })  # fmt: skip
    return load_modality("ehr").prepared(study)


def members_of(study: Study, role: str) -> list[Member]:
    """Return the members of a cohort."""
    source = study.cohorts[Role(role)]
    items = load_modality("ehr").items(source.path, study.settings).items
    return [Member(i, source, i.attributes.get("subject", i.id), dict(i.attributes)) for i in items]
