"""Strokes against the rules about the JSON of FHIR resources."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any, Final

from sdq_ehr.planting.plot import Edit, Index, Plot, Rng
from sdq_ehr.planting.strokes import Stroke, first_rows, no_place

__all__ = ["fhir_strokes"]


def _no_day(resource: dict[str, Any]) -> None:
    resource["birthDate"] = "1950-02-30"


def _no_form(resource: dict[str, Any]) -> None:
    resource["language"] = "  "


def _array(resource: dict[str, Any]) -> None:
    resource["gender"] = [resource.get("gender", "other")]


def _unknown_element(resource: dict[str, Any]) -> None:
    resource["favouriteColour"] = "green"


def _both(resource: dict[str, Any]) -> None:
    resource["deceasedBoolean"] = True
    resource["deceasedDateTime"] = "2020-05-06"


def _no_status(resource: dict[str, Any]) -> None:
    resource.pop("status", None)
    resource.pop("code", None)


_EDITS: Final[dict[str, tuple[str, Edit]]] = {
    "fhir_json_type": ("patients", lambda r: r.update(active="yes")),
    "fhir_date_form": ("patients", _no_day),
    "fhir_form": ("patients", _no_form),
    "fhir_cardinality": ("patients", _array),
    "fhir_element_unknown": ("patients", _unknown_element),
    "fhir_choice": ("patients", _both),
    "fhir_element_missing": ("observations", _no_status),
}  # fmt: skip
"""Rule -> table of the resources that are changed, and the change."""


def fhir_strokes() -> dict[str, Stroke]:
    """Return the strokes against the rules about the JSON of resources."""
    found = {
        f"ehr.conformity.{name}": Stroke(
            f"ehr.conformity.{name}", partial(_edited, table, edit),
            minor=name == "fhir_element_unknown",
        )
        for name, (table, edit) in _EDITS.items()
    }  # fmt: skip
    for name, line in (
        ("broken_resource", '{"resourceType":"Observation","status":'),
        ("not_a_resource", '{"status":"final"}'),
        ("resource_passed_over", json.dumps({"resourceType": "Basic", "code": {"text": "x"}})),
    ):
        rule = f"ehr.structure.{name}"
        found[rule] = Stroke(rule, partial(_line, line), minor=name == "resource_passed_over")
    return found


def _edited(table: str, edit: Edit, plot: Plot, patients: Index, rng: Rng) -> Plot:
    if not plot.is_fhir:
        raise no_place("FHIR resource", "FHIR 资源")
    rows = first_rows(plot, table, patients).tolist()
    if not rows:
        raise no_place(f"resource of the table {table}", "相应的 FHIR 资源")
    return plot.with_edits(table, rows, edit)


def _line(line: str, plot: Plot, patients: Index, rng: Rng) -> Plot:
    if not plot.is_fhir:
        raise no_place("FHIR resource", "FHIR 资源")
    return plot.with_file_edit(partial(_append, line=line, count=len(patients)))


def _append(folder: Path, *, line: str, count: int) -> None:
    with (folder / "Z-more.ndjson").open("a", encoding="utf-8", newline="") as file:
        file.writelines(f"{line}\n" for _ in range(count))
