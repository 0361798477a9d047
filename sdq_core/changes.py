"""Whether a file is still what it was when its cohort was listed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from sdq_core.errors import InputError
from sdq_core.hashing import hash_file

__all__ = ["Seen", "has_changed", "see"]

_MARGIN: Final = 3600.0
"""Seconds by which the clocks of machines and file servers may differ."""


class Seen(NamedTuple):
    """A file as it was seen before it was described.

    Parameters
    ----------
    path : Path
    digest : str
        SHA-256 of its bytes when they were listed; empty where it is not known.
    state : str
        Size and time of change, of a folder those of its files; empty where the digest is known,
        and for a file that is not there.
    since : float
        Time, in seconds since 1970, before which a change came before the listing.
    """

    path: Path
    digest: str
    state: str
    since: float


def see(paths: Iterable[Path], hashes: Mapping[Path, str], since: float) -> dict[Path, Seen]:
    """Remember files.

    Parameters
    ----------
    paths : iterable of Path
    hashes : mapping of Path to str
        SHA-256 of the files that were read to list them.
    since : float
        When listing began, in seconds since 1970.

    Returns
    -------
    dict of Path to Seen
    """
    return {
        path: Seen(path, digest, "", since)
        if (digest := hashes.get(path, ""))
        else Seen(path, "", _state(path), since)
        for path in dict.fromkeys(paths)
    }


def has_changed(seen: Seen, *, thoroughly: bool = False) -> bool:
    """Return whether a file is no longer what was listed.

    A file whose digest is known is read again, once in a process, only if its time of change is
    not well before the listing; another is judged by its size and time of change, from the moment
    when it was seen.

    Parameters
    ----------
    seen : Seen
    thoroughly : bool
        Read a file again whatever its times say.

    Examples
    --------
    >>> import tempfile, time
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a.txt"
    ...     _ = file.write_bytes(b"abc")
    ...     seen = see([file], {file: hash_file(file)}, time.time())[file]
    ...     before = has_changed(seen)
    ...     _ = file.write_bytes(b"abd")
    ...     before, has_changed(seen)
    (False, True)
    """
    if not seen.digest:
        return _state(seen.path) != seen.state
    try:
        found = seen.path.stat()
    except OSError:
        return True
    if not thoroughly and max(found.st_mtime, found.st_ctime) < seen.since - _MARGIN:
        return False
    state = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    try:
        return _hash(seen.path, state) != seen.digest
    except InputError:
        return True


@lru_cache(maxsize=64)
def _hash(path: Path, state: tuple[int, ...]) -> str:
    """Hash a file once for each state: one file may hold the items of many shards."""
    return hash_file(path)


def _state(path: Path) -> str:
    try:
        if not path.is_dir():
            found = path.stat()
            return f"{found.st_size} {found.st_mtime_ns}"
        with os.scandir(path) as entries:
            within = sorted((e.name, s.st_size, s.st_mtime_ns) for e in entries if (s := e.stat()))
    except OSError:
        return ""
    return hashlib.sha256(repr(within).encode("utf-8", "backslashreplace")).hexdigest()
