"""The folder in which dealt cohorts lie while they are needed: private, and gone afterwards."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sdq_core.calibration.locking import locked
from sdq_core.errors import StoreError
from sdq_core.files import atomic_write
from sdq_core.study import CohortSource
from sdq_core.vocabulary import Role

__all__ = ["private_folder", "removed", "staged_once", "work_folder"]

_NAME: Final = ".sdq-calibration-"
_LOCK: Final = "lock"
Sources = dict[Role, CohortSource]


@contextmanager
def work_folder(out: Path) -> Iterator[Path]:
    """Make a private folder for copies of real data, and remove it whatever happens inside.

    What a killed run left behind is removed first.

    Parameters
    ----------
    out : Path
        Folder of the outputs.

    Yields
    ------
    Path

    Raises
    ------
    StoreError
        It cannot be made or removed.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        for old in sorted(out.glob(f"{_NAME}*")):
            with locked(old / _LOCK, wait=False) as free:
                pass
            if free:  # nobody works in it
                removed(old)
        folder = private_folder(out.absolute() / f"{_NAME}{secrets.token_hex(6)}")
    except OSError as error:
        raise StoreError(
            f"{out}: cannot hold the dealt cohorts ({error.strerror or error}); choose a folder "
            f"in which you may write"
        ) from error
    try:
        with locked(folder / _LOCK, wait=True):
            yield folder
    finally:
        removed(folder)


def private_folder(path: Path) -> Path:
    """Make a folder that only its owner can enter; its parent exists."""
    path.mkdir(mode=0o700)
    return path


def removed(folder: Path) -> None:
    """Remove a folder of dealt cohorts; it may be gone already.

    Raises
    ------
    StoreError
        Something of it stays: it holds copies of real data.
    """
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        if not folder.exists():
            return
        removed(folder)  # something in it went meanwhile
    except OSError as error:
        raise StoreError(
            f"{folder}: cannot be removed ({error.strerror or error}); it holds copies of real "
            f"data: remove it by hand"
        ) from error


def staged_once(folder: Path, make: Callable[[Path], Sources]) -> Sources:
    """Make the cohorts of one deal, once for all processes that ask for them.

    Parameters
    ----------
    folder : Path
        Of the deal; its parent exists.
    make : callable
        Writes the cohorts into a folder that it is given.

    Returns
    -------
    dict of Role to CohortSource
    """
    ready = folder / "ready.json"
    with locked(folder.with_suffix(".lock"), wait=True):
        if not ready.exists():
            removed(folder)  # a process that died while it wrote them
            private_folder(folder)
            made = make(folder)
            plain = {str(r): s.model_dump(mode="json") for r, s in made.items()}
            atomic_write(ready, json.dumps(plain).encode())
    found = json.loads(ready.read_bytes())
    return {Role(role): CohortSource.model_validate(source) for role, source in found.items()}
