"""``calibration.json``: written deterministically, read strictly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sdq_core.calibration.model import SCHEMA, Calibration
from sdq_core.files import atomic_write
from sdq_core.hashing import readable_json
from sdq_core.versioned_json import load_versioned

__all__ = ["json_schema", "load_calibration", "save_calibration"]


def save_calibration(calibration: Calibration, path: Path) -> None:
    """Write a calibration: same runs, same bytes, the key ``environment`` aside.

    Raises
    ------
    StoreError
        The file cannot be written.
    """
    atomic_write(path, readable_json(calibration.model_dump(mode="json", by_alias=True)))


def load_calibration(path: Path) -> Calibration:
    """Read a calibration.

    Raises
    ------
    StoreError
        The file cannot be read, is of another schema, or breaks it.
    """
    return load_versioned(
        path,
        Calibration,
        SCHEMA,
        what="calibration",
        give="a calibration.json of sdq calibrate",
        other="calibrate again",
    )


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of ``calibration.json``.

    Examples
    --------
    >>> json_schema()["$id"]
    'sdq.calibration/1'
    """
    schema = Calibration.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA, **schema}
