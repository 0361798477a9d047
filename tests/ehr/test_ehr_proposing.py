"""Proposed schemas: what a person would say of the same data."""

import re
from pathlib import Path

import pandas as pd
import pytest

from sdq_core.errors import InputError, UsageError
from sdq_ehr.proposing import propose, propose_schema, propose_yaml
from sdq_ehr.reading import read_dataset
from sdq_ehr.schema import Schema

REAL = Path(__file__).parents[3] / "shared/data/ehr"
real = pytest.mark.skipif(not REAL.is_dir(), reason="needs the shared data")


def write(folder, **tables):
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


CHINESE = {
    "患者": "患者ID,姓名,性别,出生日期,身份证号,民族,电话\n"
    "P1,甲,男,1950年1月2日,x1,汉族,1\nP2,乙,女,1960年3月4日,x2,回族,2\n",
    "住院": "住院流水号,患者ID,入院日期,出院日期,诊断编码,年龄\n"
    "Z1,P1,2020-01-02,2020-01-05,I10.x00x002,70\nZ2,P1,2020-02-02,2020-02-05,E11.900,70\n"
    "Z3,P2,2020-03-02,2020-03-05,A01.000x005,60\n",
    "检验": "住院流水号,患者ID,检验时间,检验结果,单位\n"
    "Z1,P1,2020-01-02 08:30,5.6,mmol/L\nZ2,P1,2020-02-02 08:30,6.1,mmol/L\n",
}


def test_chinese_tables(tmp_path) -> None:
    schema = propose_schema(write(tmp_path, **CHINESE))
    assert schema.patient_table == "患者"
    patients, stays, labs = (schema.tables[t] for t in ("患者", "住院", "检验"))
    assert patients.patient == stays.patient == labs.patient == "患者ID"
    assert {c: d.meaning for c, d in patients.columns.items()} == {
        "患者ID": "", "姓名": "name", "性别": "sex", "出生日期": "birth", "身份证号": "national_id",
        "民族": "ethnicity", "电话": "phone",
    }  # fmt: skip
    assert patients.columns["性别"].values == {"女": "female", "男": "male"}
    assert patients.columns["出生日期"].type == "date"
    assert stays.key == ("住院流水号",)
    assert stays.time == "入院日期"
    assert stays.columns["入院日期"].meaning == "admission"
    assert stays.columns["出院日期"].meaning == "discharge"
    assert stays.columns["诊断编码"].system == "icd10cn"
    assert stays.columns["诊断编码"].meaning == "diagnosis"
    assert labs.references == {"住院流水号": "住院.住院流水号"}
    assert labs.columns["检验时间"].type == "datetime"
    assert labs.columns["检验结果"].meaning == "value"
    assert labs.columns["检验结果"].unit_column == "单位"


def test_the_proposal_is_yaml_with_a_reason_for_each_column(tmp_path) -> None:
    text = propose_yaml(write(tmp_path, **CHINESE))
    schema = propose_schema(tmp_path)
    assert Schema.from_yaml(text) == schema
    lines = [line for line in text.splitlines() if re.match(r" {6}\S", line)]
    assert len(lines) == sum(len(t.columns) for t in schema.tables.values())
    assert all("  # " in line for line in lines)
    # Reasons quote no value.
    assert not re.search(r"P1|x1|甲|I10", text)
    assert not read_dataset(tmp_path, schema).row_findings


def test_codes_by_form_and_system_columns(tmp_path) -> None:
    codes = {
        "loinc": ["2160-0", "718-7", "2345-7", "8302-2", "8480-6"],
        "icd10": ["I10", "E11.9", "J45.0", "A09", "C50.9"],
        "atc": ["C09AA05", "A10BA02", "N02BE01", "C07AB02", "M01AE01"],
    }
    frame = pd.DataFrame({"x": list("abcde"), **{f"c_{k}": v for k, v in codes.items()}})
    frame["system"], frame["code"] = "http://snomed.info/sct", ["44054006", "38341003"] * 2 + ["1"]
    schema = propose({"t": frame}).schema
    columns = schema.tables["t"].columns
    assert {s: columns[f"c_{s}"].system for s in codes} == {s: s for s in codes}
    assert columns["code"].system == "snomed"
    assert columns["code"].system_column == "system"


def test_types(tmp_path) -> None:
    rows = 30
    frame = pd.DataFrame(
        {
            "flag": ["0", "1"] * 15,
            "grade": ["1.0", "2.0", "3.0"] * 10,
            "weight": [f"{50 + k / 7:.2f}" for k in range(rows)],
            "zip": [f"0{1000 + k}" for k in range(rows)],
            "ward": ["a", "b", "c"] * 10,
            "note": [f"a rather long remark about the course of number {k}" for k in range(rows)],
            "seen": [f"{k % 28 + 1:02d}/0{k % 9 + 1}/2020" for k in range(rows)],
            "batch": [f"2020010{k % 9 + 1}" for k in range(rows)],
            "smoker": ["yes", "no"] * 15,
            "suffix": ["T", "F"] * 15,
            "empty": [None] * rows,
        }
    ).astype("string")
    columns = propose({"t": frame}).schema.tables["t"].columns
    assert {c: d.type for c, d in columns.items()} == {
        "flag": "boolean", "grade": "integer", "weight": "number", "zip": "category",
        "ward": "category", "note": "text", "seen": "date", "batch": "integer",
        "smoker": "boolean", "suffix": "category", "empty": "category",
    }  # fmt: skip
    assert columns["zip"].meaning == "postcode"


def test_cohorts_are_no_tables(tmp_path) -> None:
    write(tmp_path, train="age,x\n1,2\n", synthetic="age,x\n1,2\n")
    with pytest.raises(UsageError, match="cohorts of one table"):
        propose_schema(tmp_path)
    assert list(propose_schema(tmp_path / "train.csv").tables) == ["records"]


def test_no_tables(tmp_path) -> None:
    with pytest.raises(InputError, match="no table was found"):
        propose_schema(tmp_path)
    with pytest.raises(InputError, match="no such file"):
        propose_schema(tmp_path / "none")
    write(tmp_path, a="")
    with pytest.raises(InputError, match=r"a\.csv: the file has no bytes"):
        propose_schema(tmp_path)


@real
def test_intensive_care() -> None:
    schema = propose_schema(REAL / "mimic3_demo")
    tables = schema.tables
    assert schema.patient_table == "PATIENTS"
    assert {t: d.patient for t, d in tables.items()} == {
        t: "" if t.startswith("D_") else "subject_id" for t in tables
    }
    assert {t: d.key for t, d in tables.items() if d.key != ("row_id",)} == {
        "ADMISSIONS": ("hadm_id",), "D_ICD_DIAGNOSES": ("icd9_code",),
        "D_ICD_PROCEDURES": ("icd9_code",), "D_LABITEMS": ("itemid",),
        "ICUSTAYS": ("icustay_id",), "PATIENTS": ("subject_id",),
    }  # fmt: skip
    assert {t: d.time for t, d in tables.items() if d.time} == {
        "ADMISSIONS": "admittime", "ICUSTAYS": "intime", "LABEVENTS_part": "charttime",
        "MICROBIOLOGYEVENTS": "chartdate", "PRESCRIPTIONS": "startdate",
        "SERVICES": "transfertime",
    }  # fmt: skip
    assert tables["PRESCRIPTIONS"].references == {
        "hadm_id": "ADMISSIONS.hadm_id", "icustay_id": "ICUSTAYS.icustay_id",
    }  # fmt: skip
    assert tables["PROCEDURES_ICD"].references["icd9_code"] == "D_ICD_PROCEDURES.icd9_code"
    systems = {(t, c): d.system for t, c, d in schema.columns() if d.system not in ("", "local")}
    assert systems == {
        ("DIAGNOSES_ICD", "icd9_code"): "icd9cm", ("PROCEDURES_ICD", "icd9_code"): "icd9proc",
        ("D_ICD_DIAGNOSES", "icd9_code"): "icd9cm", ("D_ICD_PROCEDURES", "icd9_code"): "icd9proc",
        ("D_LABITEMS", "loinc_code"): "loinc", ("PRESCRIPTIONS", "ndc"): "ndc",
    }  # fmt: skip
    value = tables["LABEVENTS_part"].columns["valuenum"]
    assert (value.meaning, value.code, value.unit_column) == ("value", "itemid", "valueuom")
    assert tables["PATIENTS"].columns["dob"].meaning == "birth"


@real
def test_flat_tables_of_simulated_patients() -> None:
    schema = propose_schema(REAL / "synthea_fhir_r4")
    assert schema.patient_table == "patients"
    assert {t: d.columns["code"].system for t, d in schema.tables.items() if t != "patients"} == {
        "conditions": "snomed", "encounters": "snomed", "medications": "rxnorm",
        "observations": "loinc",
    }  # fmt: skip
    assert {t: d.time for t, d in schema.tables.items()} == {
        "conditions": "onset", "encounters": "start", "medications": "authored",
        "observations": "datetime", "patients": "",
    }  # fmt: skip
    assert schema.tables["patients"].columns["deceased"].meaning == "death"


SINGLE = {
    "diabetes_pima/train.csv": (614, {"Outcome": "class", "Age": "age"}),
    "cervical_cancer/train.csv": (527, {"Age": "age"}),
    "dermatology/train.csv": (288, {"class": "class", "age": "age"}),
    "seer_breast/train.csv": (2682, {"Age": "age", "Race": "race"}),
    "actg175_avatar/original.csv": (2139, {"age": "age", "gender": "sex", "race": "race"}),
    "adult_anonymeter/ctgan_5000.csv": (
        5000, {"age": "age", "race": "race", "sex": "sex", "country": "region"},
    ),
    "adult_datasynthesizer/real.csv": (
        4000, {"ssn": "national_id", "age": "age", "sex": "sex"},
    ),
}  # fmt: skip


@real
@pytest.mark.parametrize("name", SINGLE)
def test_single_tables_and_their_generated_counterparts(name) -> None:
    schema = propose_schema(REAL / name)
    count, meanings = SINGLE[name]
    table = schema.tables["records"]
    assert {c: d.meaning for c, d in table.columns.items() if d.meaning} == meanings
    assert len(read_dataset(REAL / name, schema).patients()) == count
    for other in sorted((REAL / name).parent.glob("*.csv")):
        data = read_dataset(other, schema)
        missing = sum(c.null_count for c in data.tables["records"].columns)
        assert data.tables["records"].num_rows > 0
        # A schema proposed from one table holds for the others, but for what they lack.
        broken = {(f.rule, f.column) for f in data.row_findings}
        assert broken <= {("ehr.structure.fraction", c) for c in table.columns} | {
            ("ehr.structure.key_duplicate", "ssn")
        }, (other.name, missing)
