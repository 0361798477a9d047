"""A small clean clinic: every rule of the package that has its columns is quiet on it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sdq_ehr.dataset import ARROW_TYPES, Dataset
from sdq_ehr.schema import Schema

DAY = np.timedelta64(1, "D")

SCHEMA = Schema.of(
    {
        "patient_table": "patients",
        "tables": {
            "patients": {
                "key": "pid",
                "patient": "pid",
                "columns": {
                    "pid": {"type": "identifier"},
                    "sex": {"meaning": "sex", "values": {"F": "female", "M": "male"}},
                    "born": {"type": "date", "meaning": "birth"},
                    "died": {"type": "date", "meaning": "death"},
                },
            },
            "stays": {
                "key": "sid",
                "patient": "pid",
                "columns": {
                    "sid": {"type": "identifier"},
                    "pid": {"type": "identifier"},
                    "kind": {"meaning": "class"},
                    "entered": {"type": "datetime", "meaning": "admission"},
                    "left": {"type": "datetime", "meaning": "discharge"},
                    "age": {"type": "integer", "meaning": "age"},
                },
            },
            "diagnoses": {
                "patient": "pid",
                "references": {"sid": "stays.sid"},
                "columns": {
                    "pid": {"type": "identifier"},
                    "sid": {"type": "identifier"},
                    "code": {"type": "code", "system": "icd10cm", "meaning": "diagnosis"},
                },
            },
            "procedures": {
                "patient": "pid",
                "references": {"sid": "stays.sid"},
                "columns": {
                    "pid": {"type": "identifier"},
                    "sid": {"type": "identifier"},
                    "done": {"type": "datetime", "meaning": "time"},
                    "code": {"type": "code", "system": "icd9proc", "meaning": "procedure"},
                },
            },
            "labs": {
                "patient": "pid",
                "columns": {
                    "pid": {"type": "identifier"},
                    "taken": {"type": "datetime", "meaning": "time"},
                    "loinc": {"type": "code", "system": "loinc", "meaning": "code"},
                    "value": {
                        "type": "number",
                        "meaning": "value",
                        "code": "loinc",
                        "unit_column": "unit",
                    },
                    "unit": {"type": "unit", "meaning": "unit"},
                },
            },
            "drugs": {
                "patient": "pid",
                "columns": {
                    "pid": {"type": "identifier"},
                    "begun": {"type": "datetime", "meaning": "start"},
                    "ended": {"type": "datetime", "meaning": "end"},
                    "atc": {"type": "code", "system": "atc", "meaning": "drug"},
                    "name": {"type": "text", "meaning": "drug"},
                },
            },
            "allergies": {
                "patient": "pid",
                "columns": {
                    "pid": {"type": "identifier"},
                    "noted": {"type": "datetime", "meaning": "time"},
                    "substance": {"type": "text", "meaning": "allergy"},
                },
            },
        },
    }
)

CODES = {"F": ["O80", "N80.1", "I10", "E11.9"], "M": ["N40.0", "C61", "I10", "E11.9"]}
LABS = {"2345-7": (100, "mg/dL"), "2160-0": (1.0, "mg/dL"), "718-7": (13, "g/dL"),
        "2951-2": (140, "mmol/L"), "8310-5": (36.8, "Cel")}  # fmt: skip


def clinic_columns(n: int = 60, seed: int = 0) -> dict[str, dict[str, list]]:
    """Return the tables as lists, to be changed by tests."""
    rng = np.random.default_rng(seed)
    births = np.datetime64("1975-03-01") + rng.integers(0, 5000, n) * DAY
    sexes = rng.choice(["F", "M"], n)
    pids = [f"p{i}" for i in range(n)]
    start = np.datetime64("2015-01-01T08:00") + rng.integers(0, 1000, (n, 2)) * DAY
    start[:, 1] = start[:, 0] + np.timedelta64(40, "D")
    length = rng.integers(1, 9, (n, 2)) * DAY
    stays: dict[str, list] = {k: [] for k in SCHEMA.tables["stays"].columns}
    diagnoses: dict[str, list] = {k: [] for k in SCHEMA.tables["diagnoses"].columns}
    procedures: dict[str, list] = {k: [] for k in SCHEMA.tables["procedures"].columns}
    labs: dict[str, list] = {k: [] for k in SCHEMA.tables["labs"].columns}
    drugs: dict[str, list] = {k: [] for k in SCHEMA.tables["drugs"].columns}
    for i, pid in enumerate(pids):
        for k in range(2):
            entered, left = start[i, k], start[i, k] + length[i, k]
            age = int((entered - births[i]) / np.timedelta64(1, "D") / 365.2425)
            row = (f"s{i}-{k}", pid, "IMP", entered, left, age)
            for name, value in zip(stays, row, strict=True):
                stays[name].append(value)
            codes = [str(rng.choice(CODES[sexes[i]]))]
            codes += ["Z37.0"] if codes == ["O80"] else []
            for code in codes:
                for name, value in zip(diagnoses, (pid, f"s{i}-{k}", code), strict=True):
                    diagnoses[name].append(value)
            row = (pid, f"s{i}-{k}", entered + DAY, "38.93")
            for name, value in zip(procedures, row, strict=True):
                procedures[name].append(value)
            for loinc, (value, unit) in LABS.items():
                number = float(value * (1 + 0.02 * rng.standard_normal()))
                row = (pid, entered + DAY, loinc, number, unit)
                for name, cell in zip(labs, row, strict=True):
                    labs[name].append(cell)
            row = (pid, entered, left, "J01CA04", "Amoxicillin 500 mg")
            for name, cell in zip(drugs, row, strict=True):
                drugs[name].append(cell)
    died = [None] * n
    died[0] = np.datetime64("2021-05-05")
    return {
        "patients": {"pid": pids, "sex": sexes.tolist(), "born": list(births), "died": died},
        "stays": stays,
        "diagnoses": diagnoses,
        "procedures": procedures,
        "labs": labs,
        "drugs": drugs,
        "allergies": {
            "pid": pids[:2],
            "noted": [np.datetime64("2014-01-01T10:00")] * 2,
            "substance": ["latex", "no known penicillin allergy"],
        },
    }


def dataset_of(tables: dict[str, dict[str, list]], schema: Schema = SCHEMA) -> Dataset:
    """Return a data set of lists, in the types of the schema."""
    made = {}
    for name, columns in tables.items():
        types = schema.tables[name].columns
        made[name] = pa.table(
            {c: array_of(values, ARROW_TYPES[types[c].type]) for c, values in columns.items()}
        )
    return Dataset(schema, made)


def array_of(values: list, kind: pa.DataType) -> pa.Array:
    """Return an Arrow array; times may be numpy's or texts."""
    if pa.types.is_temporal(kind):
        plain = [None if v is None else np.datetime64(v, "us").item() for v in values]
        return pa.array(plain, pa.timestamp("us")).cast(kind, safe=False)
    return pa.array(values, kind)


def one_table(columns: dict[str, tuple[dict, list]], **more: object) -> Dataset:
    """Return a data set of one table ``t``: column -> definition and values."""
    schema = Schema.of(
        {"tables": {"t": {"columns": {c: d for c, (d, _) in columns.items()}}}, **more}
    )
    return dataset_of({"t": {c: v for c, (_, v) in columns.items()}}, schema)
