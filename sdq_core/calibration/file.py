"""``calibration.json``: written deterministically, read strictly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sdq_core.calibration.model import SCHEMA, Calibration
from sdq_core.errors import StoreError
from sdq_core.files import atomic_write
from sdq_core.hashing import readable_json

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
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise StoreError(
            f"{path}: cannot be read as a calibration ({error}); give a calibration.json of "
            f"sdq calibrate"
        ) from error
    found = data.get("schema") if isinstance(data, dict) else None
    if found != SCHEMA:
        raise StoreError(
            f"{path}: has schema {found!r}, this version of sdq reads {SCHEMA!r}; calibrate again"
        )
    try:
        return Calibration.model_validate(data)
    except ValidationError as error:
        raise StoreError(f"{path}: breaks the schema {SCHEMA}: {error}") from error


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of ``calibration.json``.

    Examples
    --------
    >>> json_schema()["$id"]
    'sdq.calibration/1'
    """
    schema = Calibration.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA, **schema}
