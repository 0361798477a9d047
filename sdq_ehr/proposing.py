"""Propose a schema from data, for a person to correct: one comment a guess."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from sdq_core.errors import InputError, UsageError
from sdq_ehr.formats.fhir import fhir_schema, system_name
from sdq_ehr.formats.omop import is_omop, omop_schema
from sdq_ehr.guessing import Guess, guess_column, sex_terms
from sdq_ehr.linking import find_keys, find_patients, find_references, find_time
from sdq_ehr.naming import is_quasi_identifier
from sdq_ehr.schema import VERSION, Schema

__all__ = ["Proposal", "propose", "propose_schema", "propose_yaml"]

HEAD: Final = """\
# Proposed from the data by `sdq init ehr`. Every line is a guess: read it against what you know of
# the data, and correct it. What stands behind # says why it was guessed.
#
# type:    identifier category code number integer boolean date datetime unit text
# meaning: birth death sex age class admission discharge start end time code value unit drug allergy
#          diagnosis procedure race ethnicity region postcode name phone email address national_id
#          record_number provenance
# system:  icd10 icd10cm icd10cn icd10pcs icd9cm icd9proc icd9cn loinc snomed atc rxnorm ndc
#          cvx ucum omop local
# Also:    required, values, minimum, maximum, unit, unit_column, code, system_column, description,
#          quasi_identifier, sensitive, date_order, decimal
"""
_PLAIN: Final = re.compile(r"[A-Za-z_\u4e00-\u9fff][\w\u4e00-\u9fff ./-]*(?<! )")
_SYSTEM: Final = re.compile(r"(code_?)?system(_.*)?")
_WORDS: Final = {"true", "false", "yes", "no", "on", "off", "null", "none", "y", "n"}


@dataclass(frozen=True)
class Proposal:
    """A schema, and why each part of it was guessed.

    Parameters
    ----------
    schema : Schema
    comments : mapping of (table, column) to str
        The column is empty for a comment on the table, both for one on the whole.
    """

    schema: Schema
    comments: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def to_yaml(self) -> str:
        """Return the schema as commented YAML."""
        schema = self.schema
        lines = [HEAD.rstrip()]
        if note := self.comments.get(("", "")):
            lines.append(f"# {note}")
        lines += [f"version: {VERSION}", f"model: {schema.model}"]
        lines.append(f"patient_table: {_scalar(schema.patient_table)}")
        for name in ("date_order", "decimal"):
            lines.append(f"{name}: {_scalar(getattr(schema, name))}")
        lines.append(f"missing: {_flow(list(schema.missing))}")
        lines.append("tables:")
        for name, table in schema.tables.items():
            note = self.comments.get((name, ""), "")
            lines.append(f"  {_scalar(name)}:" + (f"  # {note}" if note else ""))
            plain = table.model_dump(mode="json", exclude_defaults=True)
            columns = plain.pop("columns", {})
            lines += [f"    {key}: {_flow(value)}" for key, value in plain.items()]
            lines.append("    columns:")
            for column, definition in columns.items():
                kind = {"type": table.columns[column].type}
                line = f"      {_scalar(column)}: {_flow(kind | definition)}"
                note = self.comments.get((name, column), "")
                lines.append(line + (f"  # {note}" if note else ""))
        return "\n".join(lines) + "\n"


def propose_schema(source: Path) -> Schema:
    """Propose the schema of a folder or file.

    Parameters
    ----------
    source : Path

    Raises
    ------
    InputError
        There is no table that can be read.
    UsageError
        The files look like cohorts of one table rather than tables of one cohort.
    """
    return propose(source).schema


def propose_yaml(source: Path) -> str:
    """Propose the schema of a folder or file as commented YAML; errors as `propose_schema`."""
    return propose(source).to_yaml()


def propose(source: Path | Mapping[str, Any]) -> Proposal:
    """Propose a schema.

    Parameters
    ----------
    source : Path, or mapping of str to frame
        Folder or file; or frames by the name of their table.

    Raises
    ------
    InputError, UsageError
        As `propose_schema`.
    """
    from sdq_ehr.sources import Source, frames, load_tables

    if isinstance(source, Mapping):
        return _of_tables({n: r.table for n, r in frames(source).items()}, {})
    found = Source.of(source)
    if found.is_fhir:
        return Proposal(
            fhir_schema(), {("", ""): "Flattened from FHIR resources: nothing guessed."}
        )
    if not found.tables:
        raise InputError(
            f"{source.name}: no table was found; give CSV, TSV, Parquet, Arrow or Feather files, "
            "FHIR bundles or NDJSON"
        )
    if is_omop(found.column_names()):
        known = {t: name for t, (_, name) in found.tables.items()}
        return Proposal(omop_schema(known), {("", ""): "The fields are those of OMOP CDM 5.4."})
    tables = load_tables(found)
    if len(tables) == 1 and not source.is_dir():
        # One file: the next cohort's will have another name.
        return _of_tables({"records": next(iter(tables.values()))}, {})
    return _of_tables(tables, {t: found.tables[t][1] for t in tables})


def _of_tables(tables: Mapping[str, pa.Table], files: Mapping[str, str]) -> Proposal:
    guesses = {
        name: {c: guess_column(c, table[c], name) for c in table.column_names}
        for name, table in tables.items()
    }
    patients = find_patients(guesses)
    if len(tables) > 1 and not any(patients.columns.values()):
        raise UsageError(
            f"{len(tables)} tables, but no column says whose their rows are; if the files are "
            "cohorts of one table, give one of them, else name the patients' column patient_id"
        )
    keys = find_keys(guesses, patients)
    references = find_references(tables, guesses, keys, patients)
    comments: dict[tuple[str, str], str] = {}
    plain: dict[str, Any] = {"patient_table": patients.table, "tables": {}}
    for name, table in tables.items():
        columns = {}
        for column, guess in guesses[name].items():
            columns[column], comments[name, column] = _column(
                column,
                guess,
                table,
                guesses[name],
                ours=len(tables) == 1 or bool(patients.columns[name]),
                home=len(tables) == 1 or name == patients.table,
            )
        time = "" if name == patients.table else find_time(guesses[name])
        plain["tables"][name] = {
            "file": files.get(name, "") if len(tables) > 1 else "",
            "key": keys[name],
            "patient": patients.columns[name],
            "time": time,
            "references": references[name],
            "columns": columns,
        }
        if not patients.columns[name] and len(tables) > 1:
            comments[name, ""] = "names no patient: taken for a dictionary"
        elif not patients.columns[name]:
            comments[name, ""] = "names no patient: each row is taken for one"
        elif name == patients.table:
            comments[name, ""] = "one row a patient"
    return Proposal(Schema.of(plain, "proposed schema"), comments)


def _column(
    name: str,
    guess: Guess,
    table: pa.Table,
    others: Mapping[str, Guess],
    *,
    ours: bool,
    home: bool,
) -> tuple[dict[str, Any], str]:
    """Return the definition of a column and the comment on it.

    `ours`: the table is about patients; `home`: each of its rows is one.
    """
    if guess.meaning == "class" and not home:
        guess = replace(guess, meaning="")
    plain: dict[str, Any] = {"type": guess.type}
    reason = guess.reason
    if guess.type == "code":
        systems = next((c for c in others if _SYSTEM.fullmatch(c.lower())), "")
        if systems and others[systems].type != "code" and guess.system in ("local", ""):
            plain["system_column"] = systems
            plain["system"] = _one_system(table[systems])
            reason = f"the column {systems} names the code system"
        else:
            plain["system"] = guess.system
    if guess.meaning:
        plain["meaning"] = guess.meaning
    if guess.meaning == "sex":
        if terms := sex_terms(table[name]):
            plain["values"] = terms
        else:
            reason += "; say in values which one is female and which male"
    if guess.meaning == "class":
        reason += "; say whether this is the class of the task"
    if guess.meaning == "value":
        plain["code"] = next((c for c, g in others.items() if g.type == "code"), "")
        plain["unit_column"] = next((c for c, g in others.items() if g.type == "unit"), "")
    if ours and is_quasi_identifier(name, guess.meaning) and guess.type != "text":
        plain["quasi_identifier"] = True
    if guess.meaning in ("diagnosis", "drug", "allergy") and guess.type == "code":
        plain["sensitive"] = True
    if guess.missing:
        reason += f"; {guess.missing:.1%} missing".replace(".0%", "%").replace("%", " %")
    return plain, reason


def _one_system(values: pa.ChunkedArray) -> str:
    if not pa.types.is_string(values.type):
        return ""
    found = {system_name(str(v)) for v in pc.unique(values).to_pylist() if v}
    return found.pop() if len(found) == 1 else ""


def _scalar(value: Any) -> str:
    """Write a scalar so that it is read back as the same text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(k)}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)
