"""The answer key: sealed by its hash before the first reading, revealed after the last.

The seal is a commitment: whoever holds the key cannot change it unnoticed, and whoever sees the
seal learns nothing, since 256 random bits are hashed with the answers.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sdq_core.errors import ReviewError
from sdq_core.hashing import canonical_json
from sdq_core.vocabulary import Role

__all__ = ["Key", "Truth", "new_salt", "read_key", "write_key"]

SCHEMA: Final = "sdq.review-key/1"


class Truth(BaseModel):
    """What one picture shows.

    Parameters
    ----------
    role : Role
    item : str
    digest : str
        SHA-256 of the item's content.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Role
    item: str
    digest: str = ""

    @property
    def synthetic(self) -> bool:
        """Whether the item is under test."""
        return self.role is Role.SYNTHETIC


class Key(BaseModel):
    """Which case is which.

    Parameters
    ----------
    salt : str
        64 hexadecimal digits.
    study : str
        Hash of the plan that the key belongs to.
    cases : mapping of str to mapping of str to Truth
        Case -> side ("a", and "b" of a pair) -> what it shows.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_: Literal["sdq.review-key/1"] = Field(default="sdq.review-key/1", alias="schema")
    salt: str = Field(pattern="^[0-9a-f]{64}$")
    study: str
    cases: dict[str, dict[str, Truth]]

    @property
    def seal(self) -> str:
        """SHA-256 of the key's canonical JSON."""
        return hashlib.sha256(canonical_json(self.to_json())).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return the key as plain data."""
        return self.model_dump(mode="json", by_alias=True)


def new_salt() -> str:
    """Return 256 random bits from the operating system."""
    return secrets.token_hex(32)


def write_key(key: Key, path: Path) -> None:
    """Write the key, readable by its owner alone.

    Raises
    ------
    ReviewError
        A file of that name exists, since a key is never overwritten; or it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise ReviewError(
            f"{path}: exists already; a key is never overwritten, choose another name"
        ) from error
    except OSError as error:
        raise ReviewError(f"{path}: cannot be written ({error.strerror})") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(canonical_json(key.to_json()) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read_key(path: Path) -> Key:
    """Read a key.

    Raises
    ------
    ReviewError
        The file cannot be read or is no key.
    """
    try:
        return Key.model_validate(json.loads(path.read_bytes()))
    except (OSError, ValueError, ValidationError) as error:
        raise ReviewError(
            f"{path}: is not the answer key of a review ({type(error).__name__}); give the file "
            f"that 'sdq review open' wrote for the owner of the study"
        ) from error
