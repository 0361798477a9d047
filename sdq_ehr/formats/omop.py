"""OMOP CDM 5.4: its tables and fields as data, and the schema of a folder of them.

The fields (type, required, key, reference, domain) stand in ``omop54_fields.csv``; they follow the
field-level specification of the OMOP Common Data Model 5.4 (OHDSI, Apache License 2.0).
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from sdq_ehr.schema import Schema

__all__ = ["OmopField", "is_omop", "omop_fields", "omop_schema"]

VOCABULARY: Final = ("concept", "vocabulary", "domain", "concept_class", "relationship")
"""Tables that are lists of codes: whether a concept is in them is a question about codes, and an
export often holds only a part of them."""
GENDERS: Final = {"8507": "male", "8532": "female"}
"""The standard concepts of the domain Gender."""

# Which date orders the rows of a table; dates are required where times of day are not.
_TIMES: Final = {
    "observation_period": "observation_period_start_date", "visit_occurrence": "visit_start_date",
    "visit_detail": "visit_detail_start_date", "condition_occurrence": "condition_start_date",
    "drug_exposure": "drug_exposure_start_date", "procedure_occurrence": "procedure_date",
    "device_exposure": "device_exposure_start_date", "measurement": "measurement_date",
    "observation": "observation_date", "death": "death_date", "note": "note_date",
    "specimen": "specimen_date", "payer_plan_period": "payer_plan_period_start_date",
    "drug_era": "drug_era_start_date", "dose_era": "dose_era_start_date",
    "condition_era": "condition_era_start_date", "episode": "episode_start_date",
}  # fmt: skip

_MEANINGS: Final[Mapping[str, str]] = {
    "birth_datetime": "birth", "death_date": "death", "death_datetime": "death",
    "gender_concept_id": "sex", "gender_source_value": "sex", "race_concept_id": "race",
    "race_source_value": "race", "ethnicity_concept_id": "ethnicity",
    "ethnicity_source_value": "ethnicity", "visit_start_date": "admission",
    "visit_start_datetime": "admission", "visit_end_date": "discharge",
    "visit_end_datetime": "discharge", "condition_concept_id": "diagnosis",
    "cause_concept_id": "diagnosis", "drug_concept_id": "drug",
    "procedure_concept_id": "procedure", "measurement_concept_id": "code",
    "observation_concept_id": "code", "device_concept_id": "code", "specimen_concept_id": "code",
    "visit_concept_id": "code", "value_as_number": "value", "unit_source_value": "unit",
    "unit_concept_id": "unit", "provider_name": "name", "care_site_name": "region",
    "address_1": "address", "address_2": "address", "zip": "postcode", "state": "region",
    "county": "region", "city": "region", "person_source_value": "record_number", "npi":
    "record_number", "dea": "record_number",
}  # fmt: skip

_QUASI: Final = (
    "gender_concept_id", "year_of_birth", "month_of_birth", "day_of_birth", "birth_datetime",
    "race_concept_id", "ethnicity_concept_id", "zip", "state", "county", "city",
)  # fmt: skip
_SENSITIVE: Final = ("condition_concept_id", "cause_concept_id", "drug_concept_id")
_TEXTS: Final = ("note_text", "note_title", "sig", "value_as_string", "snippet", "stop_reason")


@dataclass(frozen=True, slots=True)
class OmopField:
    """One field of the common data model.

    Parameters
    ----------
    table, field : str
        In small letters.
    type : str
        integer, number, date, datetime or text.
    required, key : bool
    reference : str
        ``table.field`` that it points to, or empty.
    domain : str
        Domain of the standard concepts that belong there, or empty.
    """

    table: str
    field: str
    type: str
    required: bool
    key: bool
    reference: str
    domain: str


@cache
def omop_fields() -> Mapping[str, Mapping[str, OmopField]]:
    """Return all fields: table -> field -> definition.

    Examples
    --------
    >>> omop_fields()["person"]["gender_concept_id"].domain
    'Gender'
    """
    path = Path(__file__).parent / "omop54_fields.csv"
    tables: dict[str, dict[str, OmopField]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            tables.setdefault(row["table"], {})[row["field"]] = OmopField(
                row["table"], row["field"], row["type"], row["required"] == "yes",
                row["key"] == "yes", row["reference"], row["domain"],
            )  # fmt: skip
    return tables


def is_omop(tables: Mapping[str, Collection[str]]) -> bool:
    """Return whether a folder is one of OMOP tables.

    Parameters
    ----------
    tables : mapping of str to collection of str
        Name of each table -> its columns; capitals do not matter.

    Examples
    --------
    >>> is_omop({"PERSON": ["PERSON_ID", "gender_concept_id", "year_of_birth"]})
    True
    """
    columns = {t.lower(): {c.strip().lower() for c in cs} for t, cs in tables.items()}
    return {"person_id", "gender_concept_id"} <= columns.get("person", set())


def omop_schema(tables: Mapping[str, str]) -> Schema:
    """Return the schema of some OMOP tables.

    Parameters
    ----------
    tables : mapping of str to str
        Name of each table that is there, in any capitals -> its file. References to tables that
        are not there are left out, so that a folder without the vocabularies can be checked.

    Examples
    --------
    >>> schema = omop_schema({"PERSON": "PERSON.csv", "DEATH": "DEATH.csv"})
    >>> schema.home, schema.tables["death"].references
    ('person', {'person_id': 'person.person_id'})
    """
    known = {t.lower(): file for t, file in tables.items() if t.lower() in omop_fields()}
    return Schema.of(
        {
            "model": "omop",
            # Names of concepts such as "None" are no missing values.
            "missing": ["", "NA", "NULL", "\\N"],
            "patient_table": "person" if "person" in known else "",
            "tables": {t: _table(t, file, known) for t, file in known.items()},
        },
        "OMOP CDM 5.4",
    )


def _table(name: str, file: str, known: Mapping[str, str]) -> dict[str, Any]:
    fields = omop_fields()[name]
    table: dict[str, Any] = {
        "file": file,
        "key": [f.field for f in fields.values() if f.key],
        "patient": "person_id" if "person_id" in fields else "",
        "time": _TIMES.get(name, ""),
        "references": {
            f.field: f.reference
            for f in fields.values()
            if (other := f.reference.partition(".")[0]) in known and other not in VOCABULARY
        },
        "columns": {f.field: _column(f, fields) for f in fields.values()},
    }
    if name == "death":
        table["rows_maximum"] = 1
    return table


def _column(field: OmopField, fields: Mapping[str, OmopField]) -> dict[str, Any]:
    name = field.field
    column: dict[str, Any] = {"type": _type(field), "required": field.required}
    meaning = _MEANINGS.get(name, "")
    if not meaning and field.type in ("date", "datetime"):
        stem = name.rpartition("_")[0]
        meaning = "start" if stem.endswith("start") else "end" if stem.endswith("end") else ""
        if not meaning and name == _TIMES.get(field.table):
            meaning = "time"
    column["meaning"] = meaning
    if column["type"] == "code":
        column["system"] = "omop"
    if name == "gender_concept_id":
        column["values"] = {
            **GENDERS,
            "8521": "other",
            "8570": "other",
            "8551": "unknown",
            "0": "unknown",
        }
    if name == "value_as_number":
        column["code"] = f"{field.table}_concept_id"
        if "unit_source_value" in fields:
            column["unit_column"] = "unit_source_value"
    if name == "year_of_birth":
        column |= {"minimum": 1850, "maximum": 2100}
    column["quasi_identifier"] = field.table in ("person", "location") and name in _QUASI
    column["sensitive"] = name in _SENSITIVE
    return column


def _type(field: OmopField) -> str:
    name = field.field
    if name.endswith("_concept_id") or (name == "concept_id" and field.table == "concept"):
        return "code"
    if name in ("unit_source_value", "dose_unit_source_value"):
        return "unit"
    if name.endswith(("_id", "_id_1", "_id_2")) or name in ("person_source_value", "npi", "dea"):
        return "identifier"
    if field.type == "text":
        return "text" if name in _TEXTS or name.endswith("_name") else "category"
    return field.type
