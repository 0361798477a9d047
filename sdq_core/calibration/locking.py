"""A lock between processes that ends with the process that holds it, on every system."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sdq_core.errors import StoreError

__all__ = ["locked"]

_LONGEST = 3600.0


@contextmanager
def locked(path: Path, *, wait: bool) -> Iterator[bool]:
    """Hold the lock of that name inside the block.

    SQLite locks its file on every system, and lets go when a process dies.

    Parameters
    ----------
    path : Path
        File of the lock, made where it is missing; in a folder on a local disk.
    wait : bool
        Whether to wait for another process to end.

    Yields
    ------
    bool
        Whether the lock is held; never False with `wait`.

    Raises
    ------
    StoreError
        The file cannot be used, or another process has held the lock for an hour.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with locked(Path(folder) / "lock", wait=True) as first:
    ...         with locked(Path(folder) / "lock", wait=False) as second:
    ...             first, second
    (True, False)
    """
    try:
        connection = sqlite3.connect(path, timeout=_LONGEST if wait else 0.0, isolation_level=None)
    except sqlite3.Error as error:
        raise StoreError(
            f"{path}: cannot be used as a lock ({error}); check the disk and the path"
        ) from error
    with closing(connection):
        try:
            connection.execute("BEGIN EXCLUSIVE")
            held = True
        except sqlite3.OperationalError as error:
            if wait or "locked" not in str(error):
                raise StoreError(
                    f"{path}: cannot be locked ({error}); end the other run, or choose a folder "
                    f"on a local disk"
                ) from error
            held = False
        yield held
