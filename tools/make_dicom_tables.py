"""Write the table of modules and required attributes that the DICOM rules are judged by.

Reads the PS3.3 tables that the installed highdicom carries (``highdicom/_standard/*.json``, made
from innolitics/dicom-standard) and writes ``sdq_imaging/dicom_tables/modules.json.gz``: every image
IOD with its SOP classes, its modules with their usage, and of each module the attributes of type 1,
1C, 2 and 2C with the sequences that lead to them. The same highdicom and pydicom give the same
bytes.

Run ``python tools/make_dicom_tables.py`` after raising highdicom;
``tests/imaging/test_dicom_tables.py`` tells when the stored table is behind.

What is left out, and why:

- IODs without pixel data (no General Image, no Image Pixel module) and IODs without a storage SOP
  class;
- attributes of type 3, unless something required lies inside them;
- repeating groups (overlays, 60xx): they have no single tag;
- attributes of the pixel data group (7FE0): the header travels without them.
"""

from __future__ import annotations

import gzip
import io
import json
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydicom.datadict import tag_for_keyword

TARGET = Path(__file__).parents[1] / "sdq_imaging" / "dicom_tables" / "modules.json.gz"

IMAGE_MODULES = frozenset({"general-image", "image-pixel"})
"""An IOD that has one of these is an image IOD."""

TYPES = ("1", "1C", "2", "2C")

Tree = dict[str, Any]


def source_tables(
    folder: Path | None = None,
) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
    """Read highdicom's packaged tables.

    Parameters
    ----------
    folder : Path, optional
        Folder of the JSON files; that of the installed highdicom by default.

    Returns
    -------
    sop_classes : dict
        SOP class UID -> IOD key.
    iods : dict
        IOD key -> list of modules with key, usage and information entity.
    modules : dict
        Module key -> list of attributes with keyword, type and path.
    """
    if folder is None:
        spec = find_spec("highdicom")
        if spec is None or not spec.submodule_search_locations:
            raise SystemExit("highdicom is not installed: pip install 'sdq[test]'")
        folder = Path(spec.submodule_search_locations[0]) / "_standard"
    names = ("sop_class_iod_map", "iod_module_map", "module_attribute_map")
    sop_classes, iods, modules = (
        json.loads((folder / f"{name}.json").read_text("utf-8")) for name in names
    )
    return sop_classes, iods, modules


def module_tree(attributes: list[dict[str, Any]]) -> Tree:
    """Nest the flat attribute list of a module and drop what requires nothing.

    Parameters
    ----------
    attributes : list of dict
        With ``keyword``, ``type`` and ``path``, as highdicom has them.

    Returns
    -------
    dict
        Tag (eight hexadecimal digits) -> type, or [type, tree] for a sequence.

    Examples
    --------
    >>> module_tree([{"keyword": "PatientName", "type": "2", "path": []},
    ...              {"keyword": "PatientComments", "type": "3", "path": []}])
    {'00100010': '2'}
    """
    root: Tree = {}
    for attribute in attributes:
        place = root
        for keyword in attribute["path"]:
            place = place.setdefault(keyword, ["3", {}])[1]
        place.setdefault(attribute["keyword"], ["3", {}])[0] = attribute["type"]
    return _compact(root)


def _compact(tree: Tree) -> Tree:
    kept: Tree = {}
    for keyword, (kind, inside) in tree.items():
        tag = tag_for_keyword(keyword)
        if tag is None or tag >> 16 == 0x7FE0:
            continue
        below = _compact(inside)
        if kind in TYPES or below:
            kept[f"{tag:08X}"] = [kind, below] if below else kind
    return dict(sorted(kept.items()))


def make_tables(
    sop_classes: dict[str, str], iods: dict[str, Any], modules: dict[str, Any]
) -> dict[str, Any]:
    """Select the image IODs and compact their modules.

    Parameters
    ----------
    sop_classes, iods, modules : dict
        As `source_tables` returns them.

    Returns
    -------
    dict
        Keys ``schema``, ``source``, ``sop_classes``, ``iods``, ``modules``.
    """
    chosen = {
        iod
        for iod in sop_classes.values()
        if IMAGE_MODULES & {module["key"] for module in iods[iod]}
    }
    # A KeyError below means that upstream names a module without giving its attributes.
    used = {module["key"] for iod in chosen for module in iods[iod]}
    return {
        "schema": "sdq.dicom_modules/1",
        "source": {
            "standard": "DICOM PS3.3",
            "through": f"highdicom {version('highdicom')} (MIT), from innolitics/dicom-standard "
            "(MIT)",
        },
        "sop_classes": {uid: iod for uid, iod in sorted(sop_classes.items()) if iod in chosen},
        "iods": {
            iod: [[module["key"], module["usage"]] for module in iods[iod]]
            for iod in sorted(chosen)
        },
        "modules": {key: module_tree(modules[key]) for key in sorted(used)},
    }


def encode(tables: dict[str, Any]) -> bytes:
    """Write tables as gzip'd JSON whose bytes depend on nothing but the content.

    Parameters
    ----------
    tables : dict

    Returns
    -------
    bytes
        Without time stamp or file name in the gzip header.
    """
    text = json.dumps(tables, ensure_ascii=True, separators=(",", ":"))
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=buffer, mode="wb", compresslevel=9, mtime=0) as file:
        file.write(text.encode("ascii"))
    return buffer.getvalue()


if __name__ == "__main__":
    data = encode(make_tables(*source_tables()))
    TARGET.write_bytes(data)
    print(f"{TARGET.name}: {len(data)} bytes")
