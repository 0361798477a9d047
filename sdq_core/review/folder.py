"""The folder of a review: pictures, the plan, and where the database is."""

from __future__ import annotations

import hashlib
import io
import json
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from sdq_core.errors import ReviewError
from sdq_core.files import atomic_write
from sdq_core.hashing import canonical_json, hash_file
from sdq_core.review.display import Frames
from sdq_core.review.store import Store, sqlite_url

__all__ = ["DATABASE_VARIABLE", "Folder"]

DATABASE_VARIABLE: Final = "SDQ_REVIEW_DATABASE"
"""Environment variable with the URL of the database, where a password must not be in a file."""
_ABOUT: Final = "review.json"


@dataclass(frozen=True)
class Folder:
    """A review's folder.

    Parameters
    ----------
    path : Path
    """

    path: Path

    @property
    def database(self) -> Path:
        """The SQLite file, where that is the database."""
        return self.path / "review.sqlite"

    @property
    def pictures(self) -> Path:
        """Where the pictures lie."""
        return self.path / "pictures"

    def make(self, database: str | None) -> str:
        """Make the folder; return the URL of its database.

        Raises
        ------
        ReviewError
            It exists and is not empty.
        """
        if self.path.exists() and any(self.path.iterdir()):
            raise ReviewError(f"{self.path}: exists and is not empty; choose another folder")
        self.pictures.mkdir(parents=True, exist_ok=True)
        import sqlalchemy as sa

        url = database or os.environ.get(DATABASE_VARIABLE) or ""
        shown = sa.make_url(url).set(password=None) if url else None
        about = {"schema": "sdq.review-folder/1",
                 "database": shown.render_as_string() if shown is not None else ""}  # fmt: skip
        atomic_write(self.path / _ABOUT, canonical_json(about) + b"\n")
        return url or sqlite_url(self.database)

    def store(self, database: str | None = None) -> Store:
        """Open the database: as given, as the environment says, or as the folder says.

        Raises
        ------
        ReviewError
            The folder is none of a review.
        """
        try:
            about = json.loads((self.path / _ABOUT).read_bytes())
        except (OSError, ValueError) as error:
            raise ReviewError(
                f"{self.path}: is no folder of a review (no readable {_ABOUT}); give the one that "
                f"'sdq review open' made"
            ) from error
        url = database or os.environ.get(DATABASE_VARIABLE) or about.get("database")
        if not url:
            if not self.database.is_file():
                raise ReviewError(f"{self.database}: is missing; restore it from a backup")
            url = sqlite_url(self.database)
        return Store(url)

    def write_picture(self, name: str, frames: Frames) -> str:
        """Write the pictures of one side of a case; return the SHA-256 of the file."""
        sink = io.BytesIO()
        np.save(sink, np.ascontiguousarray(frames), allow_pickle=False)
        data = sink.getvalue()
        atomic_write(self.pictures / f"{name}.npy", data)
        return hashlib.sha256(data).hexdigest()

    def read_picture(self, name: str, digest: str) -> Frames:
        """Read the pictures of one side of a case.

        Raises
        ------
        ReviewError
            They are not as they were at the opening.
        """
        path = self.pictures / f"{name}.npy"
        try:
            about = path.stat()
            if _digest(path, about.st_mtime_ns, about.st_size) != digest:
                raise ReviewError(f"{path.name}: is not as it was sealed at the opening")
            # Of a volume, only the slice that is asked for is read.
            found: Any = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise ReviewError(f"{path.name}: cannot be read; restore the folder") from error
        frames: Frames = found
        return frames


@lru_cache(maxsize=4096)
def _digest(path: Path, changed: int, size: int) -> str:
    """Return the SHA-256 of a file; computed anew where its time or size changed."""
    return hash_file(path)
