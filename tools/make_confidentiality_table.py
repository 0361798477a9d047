"""Write the table of the Basic Application Level Confidentiality Profile (DICOM PS3.15 E.1-1).

    python tools/make_confidentiality_table.py [dicom_standard-0.1.0-py3-none-any.whl]

The actions are those of edition 2026c, from the installed dicom-anonymizer (BSD-3-Clause). It has
the column of the Basic Profile only; which options keep or clean an attribute comes from
dicom-standard 0.1.0 (MIT, edition of early 2020), so newer attributes have no options here. Without
the wheel the options of the stored table are kept. Writes
``sdq_core/dicom/confidentiality_profile.csv``.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import zipfile
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

TARGET = Path(__file__).parents[1] / "sdq_core" / "dicom" / "confidentiality_profile.csv"
EDITION = "2026c"
OPTIONS = {
    "rtnUIDsOpt": "uids",
    "rtnDevIdOpt": "device",
    "rtnInstIdOpt": "institution",
    "rtnPatCharsOpt": "patient",
    "rtnLongFullDatesOpt": "full_dates",
    "rtnLongModifDatesOpt": "modified_dates",
    "cleanDescOpt": "descriptors",
    "cleanStructContOpt": "structured_content",
    "cleanGraphOpt": "graphics",
}
"""Column of the older table -> short name of the option (PS3.15 section E.3)."""
LISTS = {
    "D": "D", "Z": "Z", "X": "X", "U": "U", "Z_D": "Z/D", "X_Z": "X/Z", "X_D": "X/D",
    "X_Z_D": "X/Z/D", "X_Z_U_STAR": "X/Z/U*",
}  # fmt: skip
"""List of the package -> action of the profile."""


def actions() -> dict[int, str]:
    """Return the action of each attribute that has one tag, by tag.

    Curves and overlays (50xx, 60xx) have many; they are judged by their group.
    """
    base = "dicomanonymizer.dicom_anonymization_databases.dicomfields_"
    module = import_module(base + EDITION)
    found = {}
    for name, action in LISTS.items():
        for entry in getattr(module, f"{name}_TAGS"):
            if len(entry) == 2:
                found[entry[0] << 16 | entry[1]] = action
    return found


def options_of(wheel: Path) -> dict[int, str]:
    """Return the options that touch each attribute: ``"uids:K"`` keeps, ``":C"`` cleans."""
    with zipfile.ZipFile(wheel) as archive:
        name = "dicom_standard-0.1.0.data/data/standard/confidentiality_profile_attributes.json"
        rows = json.loads(archive.read(name))
    found = {}
    for row in rows:
        told = [f"{short}:{row[key]}" for key, short in OPTIONS.items() if row.get(key)]
        if told and "x" not in row["tag"].lower():
            found[int(row["tag"].strip("()").replace(",", ""), 16)] = " ".join(told)
    return found


def stored_options() -> dict[int, str]:
    """Return the options of the stored table."""
    with TARGET.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return {int(row["tag"], 16): row["options"] for row in rows if row["options"]}


def encode(found: dict[int, str], options: dict[int, str]) -> str:
    """Return the table as text."""
    buffer = io.StringIO()
    buffer.write(
        f"# DICOM PS3.15 {EDITION} table E.1-1, Basic Profile; through dicom-anonymizer "
        f"{version('dicom-anonymizer')} (BSD-3-Clause).\n"
        "# Options: edition of early 2020, through dicom-standard 0.1.0 (MIT).\n"
    )
    table = csv.writer(buffer, lineterminator="\n")
    table.writerow(("tag", "action", "options"))
    for tag, action in sorted(found.items()):
        table.writerow((f"{tag:08X}", action, options.get(tag, "")))
    return buffer.getvalue()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("wheel", nargs="?", type=Path)
    wheel = parser.parse_args().wheel
    text = encode(actions(), options_of(wheel) if wheel else stored_options())
    TARGET.write_text(text, encoding="utf-8")
    print(f"{TARGET.name}: {text.count(chr(10)) - 3} attributes")
