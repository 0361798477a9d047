"""Reading the program's own JSON files: strictly, and only of the version that it writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from sdq_core.errors import StoreError

__all__ = ["load_versioned"]

M = TypeVar("M", bound=BaseModel)


def load_versioned(
    path: Path, model: type[M], schema: str, *, what: str, give: str, other: str
) -> M:
    """Read a JSON file whose key ``schema`` names its version.

    Parameters
    ----------
    path : Path
    model : type of pydantic.BaseModel
    schema : str
        The version that is read.
    what : str
        What the file is, for messages: ``"result"``.
    give : str
        What to give where it cannot be read.
    other : str
        What to do where it is of another version.

    Raises
    ------
    StoreError
        The file cannot be read, is of another schema, or breaks it.
    """
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise StoreError(f"{path}: cannot be read as a {what} ({error}); give {give}") from error
    found = data.get("schema") if isinstance(data, dict) else None
    if found != schema:
        raise StoreError(
            f"{path}: has schema {found!r}, this version of sdq reads {schema!r}; {other}"
        )
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise StoreError(f"{path}: breaks the schema {schema}: {error}") from error
