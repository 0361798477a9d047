"""OMOP CDM 5.4: the table of fields, folders of tables, capitals, what breaks the model."""

from pathlib import Path

import pytest

from sdq_ehr.formats.omop import is_omop, omop_fields, omop_schema
from sdq_ehr.proposing import propose_schema
from sdq_ehr.reading import list_items, read_dataset

REAL = Path(__file__).parents[3] / "shared/data/ehr/synthea_omop54"

PERSON = """PERSON_ID,Gender_Concept_Id,year_of_birth,race_concept_id,ethnicity_concept_id
1,8507,1950,8527,0
2,8532,1960,8527,0
"""
VISITS = """visit_occurrence_id,person_id,visit_concept_id,visit_start_date,visit_end_date,\
visit_type_concept_id
10,1,9202,2020-01-02,2020-01-03,32817
11,2,9202,2020-02-02,2020-02-02,32817
"""
CONDITIONS = """condition_occurrence_id,person_id,condition_concept_id,condition_start_date,\
condition_type_concept_id,visit_occurrence_id
100,1,201826,2020-01-02,32817,10
101,2,201826,2020-02-02,32817,{visit}
"""


def folder(tmp_path, visit="11", **files):
    texts = {"PERSON.csv": PERSON, "Visit_Occurrence.csv": VISITS,
             "condition_occurrence.csv": CONDITIONS.format(visit=visit), **files}  # fmt: skip
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_counts_are_those_of_the_published_model() -> None:
    fields = [f for table in omop_fields().values() for f in table.values()]
    assert len(omop_fields()) == 39
    assert len(fields) == 432
    assert sum(bool(f.reference) for f in fields) == 176
    assert sum(f.required for f in fields) == 180
    known = {(f.table, f.field) for f in fields}
    assert {tuple(f.reference.split(".")) for f in fields if f.reference} <= known
    assert all(f.required for f in fields if f.key)
    assert omop_fields()["death"]["death_date"].type == "date"
    assert not omop_fields()["person"]["birth_datetime"].required


def test_all_tables_make_a_schema() -> None:
    schema = omop_schema({t.upper(): f"{t}.csv" for t in omop_fields()})
    assert schema.home == "person"
    assert schema.tables["condition_occurrence"].references["visit_occurrence_id"] == (
        "visit_occurrence.visit_occurrence_id"
    )
    measurement = schema.tables["measurement"]
    assert measurement.columns["value_as_number"].code == "measurement_concept_id"
    assert measurement.columns["value_as_number"].unit_column == "unit_source_value"
    assert schema.is_dictionary("concept")
    assert not schema.is_dictionary("measurement")


def test_a_folder_in_any_capitals(tmp_path) -> None:
    source = folder(tmp_path)
    assert is_omop({"person": ["person_id", "GENDER_CONCEPT_ID", "Year_Of_Birth"]})
    data = read_dataset(source, propose_schema(source))
    assert data.schema.model == "omop"
    assert data.tables["person"]["gender_concept_id"].to_pylist() == ["8507", "8532"]
    assert data.patients().rows["condition_occurrence"].tolist() == [0, 1]
    assert not data.row_findings
    assert not data.findings
    assert [i.id for i in list_items(source).items] == ["PERSON.csv#1", "PERSON.csv#2"]


def rules(data):
    return {(f.rule.split(".")[-1], f.where, tuple(f.rows.tolist())) for f in data.row_findings}


def test_what_breaks_the_model(tmp_path) -> None:
    source = folder(tmp_path, visit="99")
    assert rules(read_dataset(source)) == {
        ("orphan", "condition_occurrence.visit_occurrence_id", (1,))
    }
    source = folder(tmp_path, visit="10")  # a visit of the other person
    assert rules(read_dataset(source)) == {
        ("other_patient", "condition_occurrence.visit_occurrence_id", (1,))
    }
    death = "person_id,death_date\n1,2020-03-01\n1,2020-03-02\n3,2020-01-01\n"
    source = folder(tmp_path, **{"DEATH.csv": death, "notes.csv": "a,b\n1,2\n"})
    data = read_dataset(source)
    assert rules(data) == {
        ("too_many_rows", "death", (1,)),
        ("patient_orphan", "death.person_id", (2,)),
    }
    assert [f.item for f in data.findings] == ["notes.csv"]
    person = PERSON.replace("year_of_birth", "birth_year").replace("1950", "")
    data = read_dataset(folder(tmp_path, **{"PERSON.csv": person}), propose_schema(source))
    found = {(f.rule, f.where) for f in data.findings}
    assert ("ehr.conformity.field_missing", "person.year_of_birth") in found
    assert ("ehr.conformity.field_unknown", "person.birth_year") in found
    missing = PERSON.replace("8507", "").replace("8532", "1")
    data = read_dataset(folder(tmp_path, **{"PERSON.csv": missing, "DEATH.csv": death[:30]}))
    assert ("required", "person.gender_concept_id", (0,)) in rules(data)
    assert ("value_unknown", "person.gender_concept_id", (1,)) in rules(data)


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the shared data")
def test_simulated_persons() -> None:
    data = read_dataset(REAL)
    counts = {t: data.tables[t].num_rows for t in ("person", "measurement", "visit_occurrence")}
    assert counts == {"person": 14, "measurement": 5698, "visit_occurrence": 919}
    assert not data.row_findings
    assert [f.where for f in data.findings] == ["DEVICE_EXPOSURE.csv"]
