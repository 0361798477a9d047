"""Output files: whole and safely on the disk, or not there at all."""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path
from typing import Final

from sdq_core.errors import StoreError

__all__ = ["TEMPORARY", "atomic_write"]

TEMPORARY: Final = ".sdq-*.tmp"
"""Glob pattern of the files that `atomic_write` makes on its way; one is left when it is killed."""

_REMEDIES: Final = {
    errno.ENOSPC: "the disk is full; free space or choose a folder on another disk",
    errno.EDQUOT: "the disk quota is used up; free space or choose a folder on another disk",
    errno.EACCES: "permission denied; choose a folder in which you may write",
    errno.EPERM: "permission denied; choose a folder in which you may write",
    errno.EROFS: "the file system is read-only; choose a folder in which you may write",
    errno.ENOTDIR: "a part of the path is a file; move it away or choose another folder",
    errno.EEXIST: "a part of the path is a file; move it away or choose another folder",
    errno.EISDIR: "a folder of that name exists; move it away or choose another name",
    errno.ENAMETOOLONG: "the name is too long for this file system; choose a shorter one",
}


def atomic_write(path: Path, data: bytes) -> None:
    """Write a file such that it is there whole, or not at all.

    The bytes go to a temporary file in the same folder, are flushed to the disk, and take the
    final name in one step (POSIX ``rename``), so that neither a reader nor a crash ever meets
    half a file. An older file of that name is replaced. Missing folders are made.

    Parameters
    ----------
    path : Path
    data : bytes

    Raises
    ------
    StoreError
        The file cannot be written; names the path, the cause and the remedy. An older file of
        that name is then unchanged, and no temporary file is left.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     atomic_write(Path(folder) / "new" / "result.json", b"{}")
    ...     [file.name for file in Path(folder).rglob("*.json")]
    ['result.json']
    """
    # Not named after the file: that name may already have the greatest length allowed.
    temporary = path.parent / TEMPORARY.replace("*", secrets.token_hex(8))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            # Not tempfile: its files are private to the owner, ours follow the umask.
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, "check the disk and the path")
        raise StoreError(f"cannot write {path}: {error.strerror or error}: {remedy}") from error
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    """Make a rename durable where the file system can flush a folder; others need no such call."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        return
    finally:
        os.close(descriptor)
