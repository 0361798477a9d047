"""Write the conditions, enumerated values and functional-group macros of the image IODs.

    python tools/make_dicom_conditions.py dicom_standard-0.1.0-py3-none-any.whl

The tables that highdicom carries have no conditions. The distribution dicom-standard 0.1.0 (MIT;
the same innolitics/dicom-standard, as of April 2020) has them as prose; this tool turns what it can
into expressions (`dicom_prose`) and writes ``sdq_imaging/dicom_tables/conditions.json.gz``. Get the
wheel with ``pip download --no-deps dicom-standard==0.1.0``: it needs nothing, and nothing of it is
imported. Since the edition is older, an entry counts only where the current tables still give the
attribute a conditional type; see `sdq_imaging.dicom_tables`.

Left out: the attributes of code sequences, whose conditions are the same everywhere and stand in
`sdq_imaging.dicom.conditions`, and lists of values that newer editions have lengthened.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dicom_prose import UNKNOWN, condition, enumerations, plain
from make_dicom_tables import encode, make_tables, source_tables
from pydicom.datadict import dictionary_description, dictionary_has_tag

TARGET = Path(__file__).parents[1] / "sdq_imaging" / "dicom_tables" / "conditions.json.gz"
DATA = "dicom_standard-0.1.0.data/data/standard/"

CODE_SEQUENCE = frozenset(
    f"0008{element}"
    for element in (
        "0100", "0102", "0103", "0104", "0105", "0106", "0107", "010B", "010D", "010F", "0117",
        "0118", "0119", "0120", "0121", "0122",
    )
)  # fmt: skip
LENGTHENED = frozenset({"00620001", "00080060", "00089205", "00620013"})
"""Lists that are longer now (Segmentation Type) or that have rules of their own (Modality)."""

LENGTHENED_IN = frozenset({("segmentation-image", "00280004")})
"""Module and attribute likewise: label maps may have a palette."""

ALSO_NAMED = ("00080008", "00080016", "00080060", "00280008", "00280009")
"""Image Type, SOP Class UID, Modality, Number of Frames, Frame Increment Pointer: named without
their tags in modules that do not have them."""
_FOLLOWED = (
    r" (?:Value \d|(?:value|is|are|equals|has|exists|contains|points|includes|does|=)(?=[ :.]|$))"
    r"|[.,;]|$"
)
_NOT_OF_A_NAME = frozenset({"Attribute", "If", "Required", "The"})

GROUPS = ("52009229", "52009230")
PER_FRAME_ONLY = frozenset(
    {
        "frame-content",
        "unassigned-per-frame-converted-attributes",
        "image-frame-conversion-source",
        "ophthalmic-frame-location",
    }
)
SHARED_ONLY = frozenset({"unassigned-shared-converted-attributes"})
"""Macros that PS3.3 C.7.6.16.2 allows in one of the two places only."""

NEWER: dict[tuple[str, str], tuple[str, Any]] = {
    ("segmentation", "segmentation"): ("C", ["not", ["is", "00620001", 0, ["LABELMAP"]]]),
}
"""IOD and macro whose use has changed since (PS3.3 A.51.5, label maps of 2024)."""

Tree = dict[str, Any]

SLIDES_TILED = ["not", ["is", "00209311", 0, ["TILED_FULL"]]]
NEWER_MACROS: dict[str, dict[str, tuple[str, Any, str]]] = {
    "confocal-microscopy-tiled-pyramidal-image": {
        "pixel-measures": ("M", UNKNOWN, "S"),
        "derivation-image": ("C", UNKNOWN, ""),
        "optical-path-identification": (
            "C", ["or", ["not", ["has", "00209311"]], SLIDES_TILED], ""
        ),
        "specimen-reference": ("U", UNKNOWN, ""),
        "referenced-image": ("C", UNKNOWN, ""),
        "frame-content": ("U", UNKNOWN, "P"),
        "real-world-value-mapping": ("U", UNKNOWN, ""),
        "plane-position-slide": ("C", UNKNOWN, ""),
        "frame-anatomy": ("M", UNKNOWN, ""),
        "00480116": ("M", UNKNOWN, ""),
    },
}  # fmt: skip
"""Macros of IODs that are newer than the source: name, or tag of the sequence, -> usage, condition,
place (PS3.3 A.90.2.5).
Of the others no table was at hand (confocal microscopy without tiles, photoacoustics, height maps,
enhanced RT images): they are judged inside the macros that they have."""


class Source:
    """The JSON files of the wheel."""

    def __init__(self, wheel: Path) -> None:
        self.digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        with zipfile.ZipFile(wheel) as archive:

            def load(name: str) -> Any:
                return json.loads(archive.read(f"{DATA}{name}.json"))

            self.attributes = load("module_to_attributes")
            self.macro_attributes = load("macro_to_attributes")
            self.macros = load("ciod_to_fg_macros")
            self.modules = load("ciod_to_modules")
            self.classes = {s["id"]: s["ciod"].lower().replace(" ", "-") for s in load("sops")}


class Expressions:
    """Expressions, each once."""

    def __init__(self) -> None:
        self.all: list[Any] = []
        self._places: dict[str, int] = {}

    def index(self, expression: Any) -> int:
        """Return the number of an expression."""
        text = json.dumps(expression)
        if text not in self._places:
            self._places[text] = len(self.all)
            self.all.append(expression)
        return self._places[text]


def attribute_tree(rows: list[dict[str, Any]], expressions: Expressions) -> Tree:
    """Nest what a module or macro says of its attributes beyond their types.

    Parameters
    ----------
    rows : list of dict
        With ``path`` (``"module:tag:tag"``), ``type`` and ``description``.
    expressions : Expressions

    Returns
    -------
    dict
        Tag -> ``{"c": [expression, otherwise], "E": {...}, "D": {...}, "in": {...}}``.
    """
    siblings: dict[tuple[str, ...], set[str]] = {}
    for row in rows:
        *above, tag = row["path"].upper().split(":")[1:]
        siblings.setdefault(tuple(above), set()).add(tag)
    root: Tree = {}
    for row in rows:
        module = row["path"].partition(":")[0]
        *above, tag = row["path"].upper().split(":")[1:]
        if tag in CODE_SEQUENCE or not re.fullmatch("[0-9A-F]{8}", tag) or tag[:4] == "7FE0":
            continue
        entry: Tree = {}
        text = plain(row["description"])
        if row["type"] in ("1C", "2C"):
            beside = siblings[tuple(above)]
            expression, otherwise = condition(_named(text, sorted(beside)), beside)
            if expression != UNKNOWN:
                entry["c"] = [expressions.index(expression), int(otherwise)]
        if tag not in LENGTHENED and (module, tag) not in LENGTHENED_IN:
            for kind, lists in enumerations(row["description"]).items():
                entry[kind] = {str(n): values for n, values in sorted(lists.items())}
        if entry:
            place = root
            for step in above:
                place = place.setdefault(step, {}).setdefault("in", {})
            place.setdefault(tag, {}).update(entry)
    return root


def _named(text: str, siblings: Iterable[str] = ()) -> str:
    """Give attributes that a condition names without their tag the tag."""
    names = {}
    for tag in (*ALSO_NAMED, *siblings):
        if "X" not in tag and dictionary_has_tag(int(tag, 16)):  # repeating groups have no tag
            names[dictionary_description(int(tag, 16))] = tag
    for name in sorted(names, key=len, reverse=True):
        tag = names[name]

        def put(match: re.Match[str], with_tag: str = f"{name} ({tag[:4]},{tag[4:]})") -> str:
            before = match.string[: match.start()].split()
            part = before and before[-1][0].isupper() and before[-1] not in _NOT_OF_A_NAME
            return match[0] if part else with_tag

        text = re.sub(rf"\b{re.escape(name)}(?={_FOLLOWED})", put, text)
    return text


def make_conditions(source: Source) -> dict[str, Any]:
    """Join the older prose with the current list of IODs and modules.

    Parameters
    ----------
    source : Source

    Returns
    -------
    dict
        Keys ``schema``, ``source``, ``expressions``, ``attributes`` (module -> tree), ``modules``
        (IOD -> module -> expression) and ``macros`` (IOD -> sequence tag -> usage, expression,
        place).
    """
    tables = make_tables(*source_tables())
    expressions = Expressions()
    by_module = _grouped(source.attributes, "moduleId")
    by_macro = _grouped(source.macro_attributes, "macroId")
    attributes = {
        key: tree
        for key in tables["modules"]
        if key in by_module and (tree := attribute_tree(by_module[key], expressions))
    }
    modules: Tree = {}
    macros: Tree = {}
    names: dict[str, str] = {}
    for uid, iod in sorted(tables["sop_classes"].items()):
        if uid in source.classes:
            names.setdefault(iod, source.classes[uid])
    for iod, listed in tables["iods"].items():
        for row in source.modules:
            if row["ciodId"] != names.get(iod) or row["usage"] != "C":
                continue
            expression, _ = condition(_named(row["conditionalStatement"] or ""))
            if expression != UNKNOWN and [row["moduleId"], "C"] in listed:
                modules.setdefault(iod, {})[row["moduleId"]] = expressions.index(expression)
        rows = [row for row in source.macros if row["ciodId"] == names.get(iod)]
        if rows:
            macros[iod] = _macros(iod, rows, by_macro, expressions)
        elif iod in NEWER_MACROS:
            macros[iod] = _newer_macros(NEWER_MACROS[iod], by_macro, expressions)
        key = f"{iod}-multi-frame-functional-groups"
        if key in tables["modules"]:
            used = [row["macroId"] for row in rows] or _macros_by_tag(
                tables["modules"][key][GROUPS[0]][1], by_macro
            )
            attributes[key] = _groups(used, by_macro, by_module, expressions)
    return {
        "schema": "sdq.dicom_conditions/1",
        "source": {
            "standard": "DICOM PS3.3, edition of early 2020",
            "through": "dicom-standard 0.1.0 (MIT), innolitics/dicom-standard",
            "wheel_sha256": source.digest,
        },
        "expressions": expressions.all,
        "attributes": dict(sorted(attributes.items())),
        "modules": modules,
        "macros": macros,
    }


def _grouped(rows: list[dict[str, Any]], key: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row[key], []).append(row)
    return found


def _macros(
    iod: str, rows: list[dict[str, Any]], by_macro: dict[str, Any], expressions: Expressions
) -> Tree:
    found: Tree = {}
    for row in rows:
        name = row["macroId"]
        tops = [r for r in by_macro.get(name, ()) if r["path"].count(":") == 1]
        if not tops:
            continue
        text = (row["conditionalStatement"] or "").replace(" is used", " is present")
        expression, _ = condition(_named(text))
        usage, expression = NEWER.get((iod, name), (row["usage"], expression))
        place = "P" if name in PER_FRAME_ONLY else "S" if name in SHARED_ONLY else ""
        entry = [usage, None if expression == UNKNOWN else expressions.index(expression)]
        found[tops[0]["path"].split(":")[1].upper()] = [*entry, place]
    return dict(sorted(found.items()))


def _newer_macros(
    wanted: dict[str, tuple[str, Any, str]], by_macro: dict[str, Any], expressions: Expressions
) -> Tree:
    found: Tree = {}
    for name, (usage, expression, place) in wanted.items():
        number = None if expression == UNKNOWN else expressions.index(expression)
        found[_sequence_of(by_macro.get(name, ())) or name] = [usage, number, place]
    return dict(sorted(found.items()))


def _sequence_of(rows: list[dict[str, Any]]) -> str:
    tops = [r["path"] for r in rows if r["path"].count(":") == 1]
    return str(tops[0].split(":")[1].upper()) if tops else ""


def _macros_by_tag(present: Tree, by_macro: dict[str, Any]) -> list[str]:
    """Name the macros of an IOD by their sequences, where only one macro has that sequence."""
    by_tag: dict[str, list[str]] = {}
    for name, rows in by_macro.items():
        by_tag.setdefault(_sequence_of(rows), []).append(name)
    return [by_tag[tag][0] for tag in present if len(by_tag.get(tag, ())) == 1]


def _groups(
    names: list[str],
    by_macro: dict[str, Any],
    by_module: dict[str, Any],
    expressions: Expressions,
) -> Tree:
    inside: Tree = {}
    for name in names:
        inside |= attribute_tree(by_macro.get(name, []), expressions)
    tree = attribute_tree(by_module["multi-frame-functional-groups"], expressions)
    for group in GROUPS:
        tree.setdefault(group, {})["in"] = inside
    return tree


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("wheel", type=Path)
    data = encode(make_conditions(Source(parser.parse_args().wheel)))
    TARGET.write_bytes(data)
    print(f"{TARGET.name}: {len(data)} bytes")
