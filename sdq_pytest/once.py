"""Fill a folder once in a run, also where several worker processes want it."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

__all__ = ["AlreadyFailed", "once"]

_NAME: Final = re.compile(r"[\w][\w.-]{0,120}", re.ASCII)
_MOST_DEATHS: Final = 2
"""Processes that may end in the middle before the others stop trying."""


class AlreadyFailed(Exception):
    """Another worker has tried, and its message holds for all."""


def once(parent: Path, name: str, fill: Callable[[Path], object]) -> Path:
    """Return a folder that was filled exactly once.

    Under pytest-xdist the first worker that comes fills it, and the others wait. They wait for a
    lock that the operating system frees when its holder ends, in whatever way: a worker that dies
    leaves no one waiting, and the next one takes over the half-filled folder.

    Parameters
    ----------
    parent : Path
        Folder that all workers of one run share.
    name : str
        Letters, digits, ``_``, ``-`` and ``.``; equal names, equal folder.
    fill : callable
        Is given the folder. An error of sdq that it raises is kept, so that no worker repeats
        what cannot work.

    Returns
    -------
    Path

    Raises
    ------
    AlreadyFailed
        Another worker met an error of sdq, or two processes ended while they filled the folder.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"the name {name!r} names a folder: write letters, digits, '_', '-' and '.'"
        )
    folder, done = parent / name, parent / f"{name}.done"
    failed, started = parent / f"{name}.failed", parent / f"{name}.started"
    parent.mkdir(parents=True, exist_ok=True)
    if done.exists():
        return folder
    with _alone(parent / f"{name}.lock"):
        if done.exists():
            return folder
        if failed.exists():
            raise AlreadyFailed(json.loads(failed.read_text(encoding="utf-8")))
        deaths = started.read_text().count("\n") if started.exists() else 0
        if deaths >= _MOST_DEATHS:
            raise AlreadyFailed(
                f"{name}: {deaths} worker processes ended while they made it (out of memory?); "
                "run pytest without -n to see the cause"
            )
        with started.open("a") as file:
            file.write(f"{os.getpid()}\n")
        folder.mkdir(exist_ok=True)
        try:
            fill(folder)
        except BaseException as error:
            # What ends here was told to somebody: it is no death.
            started.unlink()
            if _is_of_sdq(error):
                _write(failed, json.dumps(str(error)))
            else:
                shutil.rmtree(folder, ignore_errors=True)
            raise
        _write(done, "")
    return folder


def _write(path: Path, text: str) -> None:
    """Write a small file in one step: other workers look at it without the lock."""
    half = path.with_name(f"{path.name}.{os.getpid()}")
    half.write_text(text, encoding="utf-8")
    half.replace(path)


def _is_of_sdq(error: BaseException) -> bool:
    from sdq_core.errors import SdqError

    return isinstance(error, SdqError)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep the other workers of pytest-xdist out; without them there is nobody to keep out."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        yield
        return
    try:
        from filelock import FileLock
    except ImportError:
        pytest.fail(
            "sdq under pytest-xdist needs the package filelock: pip install 'sdq[pytest]'",
            pytrace=False,
        )
    with FileLock(path):
        yield
