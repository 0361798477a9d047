"""Small studies of health records: tables written to files, listed, described and joined."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from sdq_core.cohort import Cohort, Cohorts
from sdq_core.describe import describe
from sdq_core.description import Description, DescriptionTable
from sdq_core.labels import join
from sdq_core.study import Study
from sdq_core.vocabulary import Role
from sdq_ehr.describing import EMBEDDING, EhrDescriber
from sdq_ehr.preparing import layout_of, prepared
from sdq_ehr.reading import list_items, open_dataset
from sdq_ehr.records import item_ids, records_of_dataset
from sdq_ehr.settings import EhrSettings
from sdq_ehr.simulated_cohort import simulate_cohort
from sdq_ehr.simulated_table import simulate_table

ROLES = ("train", "holdout", "synthetic")

_NUMBER, _DATE, _CODE = {"type": "number"}, {"type": "date"}, {"type": "code", "system": "icd10cm"}
_KEY = {"type": "identifier"}

TABLE_SCHEMA = {
    "patient_table": "stays",
    "tables": {
        "stays": {
            "columns": {
                "age": {**_NUMBER, "meaning": "age"},
                "sex": {"meaning": "sex", "values": {"F": "female", "M": "male"}},
                **{k: {} for k in ("ethnicity", "admission", "insurance", "department")},
                "diagnosis": {**_CODE, "meaning": "diagnosis"},
                "secondary_diagnosis": _CODE,
                "admitted": {**_DATE, "meaning": "admission"},
                "discharged": {**_DATE, "meaning": "discharge"},
                **dict.fromkeys(
                    (
                        "stay_days", "bmi", "systolic", "diastolic", "creatinine", "glucose",
                        "hba1c", "sodium", "haemoglobin",
                    ),
                    _NUMBER,
                ),
                "died": {"meaning": "class"},
            }
        }
    },
}  # fmt: skip
"""Of `simulate_table`: each row is a patient."""

COHORT_SCHEMA = {
    "patient_table": "patients",
    "tables": {
        "patients": {
            "key": "patient_id",
            "patient": "patient_id",
            "columns": {
                "patient_id": _KEY,
                "sex": {"meaning": "sex", "values": {"F": "female", "M": "male"}},
                "birth_date": {**_DATE, "meaning": "birth"},
                "ethnicity": {},
                "insurance": {},
            },
        },
        "visits": {
            "key": "visit_id",
            "patient": "patient_id",
            "time": "admitted",
            "columns": {
                "visit_id": _KEY,
                "patient_id": _KEY,
                "admitted": {**_DATE, "meaning": "admission"},
                "discharged": {**_DATE, "meaning": "discharge"},
                "admission": {},
                "department": {},
                "diagnosis": {**_CODE, "meaning": "diagnosis"},
            },
        },
        "labs": {
            "key": "lab_id",
            "patient": "patient_id",
            "time": "taken",
            "references": {"visit_id": "visits.visit_id"},
            "columns": {
                "lab_id": _KEY,
                "visit_id": _KEY,
                "patient_id": _KEY,
                "loinc": {"type": "code", "system": "loinc", "meaning": "code"},
                "value": {
                    **_NUMBER, "meaning": "value", "code": "loinc", "unit_column": "unit",
                },
                "unit": {"type": "unit", "meaning": "unit"},
                "taken": {**_DATE, "meaning": "time"},
            },
        },
    },
}  # fmt: skip
"""Of `simulate_cohort`: patients, visits and laboratory values."""

Tables = dict[str, pa.Table]


def write(folder: Path, tables: Mapping[str, pa.Table], kind: str = "csv") -> Path:
    """Write tables into a folder, one file each; `kind` is csv or parquet."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        if kind == "csv":
            pa.csv.write_csv(table, folder / f"{name}.csv")
        else:
            pa.parquet.write_table(table, folder / f"{name}.parquet")
    return folder


def study_of(folder: Path, schema: Mapping[str, object], roles=ROLES, **keys) -> Study:
    """Return a study whose cohorts are folders named like their roles."""
    cohorts = {role: {"path": folder / role} for role in roles}
    settings = {"schema": dict(schema), **keys.pop("settings", {})}
    return Study.model_validate(
        {"modality": "ehr", "cohorts": cohorts, "settings": settings, **keys}
    )


def cohorts_of(
    folder: Path,
    made: Mapping[str, Mapping[str, pa.Table]],
    schema: Mapping[str, object],
    *,
    kind: str = "csv",
    full: bool = True,
    **keys,
) -> Cohorts:
    """Write, list, describe and join the tables of each role.

    With `full` False, descriptions hold the patients' points alone, without rules and code lists:
    faster, and enough for fidelity.
    """
    for role, tables in made.items():
        write(folder / role, tables, kind)
    study = study_of(folder, schema, tuple(made), **keys)
    study = prepared(study) if full else study
    settings = EhrSettings.of(study.settings)
    describer = EhrDescriber.of(study) if full else None
    layout = layout_of(study, settings)
    found: dict[str, Cohort] = {}
    for role in made:
        path = study.cohorts[Role(role)].path
        items = list_items(path, settings).items
        if describer is not None:
            descriptions = describe(items, describer, None, engine="serial").descriptions
        else:
            dataset = open_dataset(path, settings)
            points = layout.points(records_of_dataset(dataset))
            place = {i: k for k, i in enumerate(item_ids(dataset))}
            descriptions = [Description(embeddings={EMBEDDING: points[place[i.id]]}) for i in items]
        table = DescriptionTable(items, descriptions, role=role)
        found[role] = join(table, Role(role), path, None)[0]
    return Cohorts(study, found["train"], found["synthetic"], found.get("holdout"))


def simulated(
    kind: str, n: int, seed: int, change: Callable[[Tables], Tables] | None = None, drift=0.0
) -> dict[str, Tables]:
    """Return three cohorts of one population, as tables; `change` works on the synthetic one.

    `kind` is "table" (one row a patient) or "cohort" (patients, visits, laboratory values).
    """
    made: dict[str, Tables] = {}
    for k, role in enumerate(ROLES):
        own = drift if role == "synthetic" else 0.0
        if kind == "table":
            made[role] = {"stays": simulate_table(n, seed=1000 * seed + 10 * k, drift=own)}
        else:
            made[role] = simulate_cohort(n, seed=1000 * seed + 10 * k, drift=own)
    if kind == "cohort":  # keys of `simulate_cohort` repeat from seed to seed
        made = {role: _own_keys(tables, role) for role, tables in made.items()}
    if change is not None:
        made["synthetic"] = change(made["synthetic"])
    return made


def simulated_cohorts(
    folder: Path, kind: str, n: int = 200, seed: int = 1, change=None, drift=0.0, **keys
) -> Cohorts:
    """Return `simulated` cohorts, written, listed, described and joined."""
    schema = TABLE_SCHEMA if kind == "table" else COHORT_SCHEMA
    return cohorts_of(folder, simulated(kind, n, seed, change, drift), schema, **keys)


def _own_keys(tables: Tables, role: str) -> Tables:
    found = {}
    for name, table in tables.items():
        for column in table.column_names:
            if column.endswith("_id"):
                keys = np.char.add(
                    f"{role[0]}-", np.array(table[column].to_pylist(), dtype=np.str_)
                )
                at = table.column_names.index(column)
                table = table.set_column(at, column, pa.array(keys))
        found[name] = table
    return found
