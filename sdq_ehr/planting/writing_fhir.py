"""Writes records as FHIR resources: those that they were read from, with the changed elements."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sdq_ehr.formats.fhir_elements import as_list, as_map, as_text, reference_key
from sdq_ehr.planting.fhir_setting import put
from sdq_ehr.planting.plot import ROW, Plot

__all__ = ["write_resources"]

NUMBERS: Final = ("id", "patient", "encounter")
_OWNERS: Final = ("subject", "patient", "beneficiary", "individual", "for")


def write_resources(plot: Plot, folder: Path) -> None:
    """Write one NDJSON file a type of resource.

    Parameters
    ----------
    plot : Plot
        Of FHIR; with the numbers that shall stand in the files.
    folder : Path
    """
    made: dict[str, list[dict[str, Any]]] = {}
    numbers: dict[str, str] = {}
    for name in plot.sample.tables:
        if name != "codings" and name not in plot.tables_gone:
            for resource in _of_table(plot, name, numbers):
                made.setdefault(as_text(resource.get("resourceType")), []).append(resource)
    for resource in _others(plot, numbers):
        made.setdefault(as_text(resource.get("resourceType")) or "Other", []).append(resource)
    for kind, resources in sorted(made.items()):
        lines = [json.dumps(r, ensure_ascii=False, separators=(",", ":")) for r in resources]
        text = "".join(f"{line}\n" for line in lines)
        (folder / f"{kind}.ndjson").write_text(text, encoding="utf-8", newline="")


def _of_table(plot: Plot, name: str, numbers: dict[str, str]) -> list[dict[str, Any]]:
    table = plot.sample.tables[name]
    before = plot.origin.typed[name]
    sources = plot.origin.resources[name]
    rows = table[ROW].to_pylist()
    keys = table["id"].to_pylist()
    owners = table["patient"].to_pylist() if "patient" in table.column_names else keys
    changes = {c: _changed(plot, name, c, rows) for c in table.column_names if c != ROW}
    old = {c: before[c].to_pylist() for c in NUMBERS if c in before.column_names}
    made: dict[tuple[int, str | None, str | None], dict[str, Any]] = {}
    for k, row in enumerate(rows):
        resource = sources[row]
        mark = (id(resource), owners[k], keys[k])
        if mark not in made:
            made[mark] = copy.deepcopy(resource)
            for column in NUMBERS:
                if column in old and old[column][row] is not None and table[column][k].is_valid:
                    numbers.setdefault(old[column][row], table[column][k].as_py())
        new = made[mark]
        component = 0
        if name == "observations":
            component = table["component"][k].as_py() or 0
        for column, values in changes.items():
            if k in values:
                put(
                    new,
                    name,
                    column,
                    values[k],
                    component,
                    plot.texts.get((name, column), {}).get(k),
                )
        for edit in plot.edits.get((name, k), ()):
            edit(new)
    _put_codings(plot, name, made)
    return list(made.values())


def _changed(plot: Plot, name: str, column: str, rows: list[int]) -> Mapping[int, Any]:
    """Return the values of a column that are not as they were: place -> value."""
    values = plot.sample.tables[name][column].to_pylist()
    before = plot.origin.typed[name][column].to_pylist()
    found = {k: v for k, (v, row) in enumerate(zip(values, rows, strict=True)) if v != before[row]}
    return found | {k: values[k] for k in plot.texts.get((name, column), {})}


def _put_codings(
    plot: Plot, name: str, made: Mapping[tuple[int, str | None, str | None], dict[str, Any]]
) -> None:
    """Change the codings beside the first one, which have a table of their own."""
    table = plot.sample.tables.get("codings")
    if table is None or not table.num_rows:
        return
    rows = table[ROW].to_pylist()
    sources = plot.origin.resources["codings"]
    changes = {c: _changed(plot, "codings", c, rows) for c in ("system", "code", "display")}
    if not any(changes.values()):
        return
    place: dict[int, int] = {}
    by_resource: dict[int, list[dict[str, Any]]] = {}
    for (number, _, _), resource in made.items():
        by_resource.setdefault(number, []).append(resource)
    for k, row in enumerate(rows):
        number = id(sources[row])
        place[number] = place.get(number, 0) + 1
        for column, values in changes.items():
            if k in values:
                for resource in by_resource.get(number, ()):
                    put(resource, name, column, values[k], 0, None, coding=place[number])


def _others(plot: Plot, numbers: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the resources that have no table, of patients who are written and of nobody."""
    kept = []
    patients = {reference_key(f"Patient/{k}") for k in _original_patients(plot)}
    for resource in plot.origin.others:
        owner = _owner(resource)
        if resource.get("resourceType") == "Provenance":
            targets = [
                target
                for target in as_list(resource.get("target"))
                if reference_key(as_text(as_map(target).get("reference"))) in numbers
            ]
            if targets:
                kept.append(_renamed({**resource, "target": targets}, numbers))
        elif not owner or owner in patients:
            kept.append(_renamed(resource, numbers))
    return kept


def _original_patients(plot: Plot) -> list[str]:
    before = plot.origin.typed[plot.schema.home]["id"].to_pylist()
    return [v for v in before if v is not None]


def _owner(resource: Mapping[str, Any]) -> str:
    for name in _OWNERS:
        reference = as_text(as_map(resource.get(name)).get("reference"))
        if reference.startswith("Patient/"):
            return reference_key(reference)
    return ""


def _renamed(value: Any, numbers: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            k: _renamed_reference(v, numbers) if k == "reference" and isinstance(v, str)
            else _renamed(v, numbers)
            for k, v in value.items()
        }  # fmt: skip
    return [_renamed(v, numbers) for v in value] if isinstance(value, list) else value


def _renamed_reference(reference: str, numbers: Mapping[str, str]) -> str:
    key = reference_key(reference)
    if key not in numbers:
        return reference
    kind = reference.partition("/_history/")[0].rstrip("/").split("/")
    return f"{kind[-2]}/{numbers[key]}" if len(kind) > 1 else f"urn:uuid:{numbers[key]}"
