"""Zip files: written so that same files give same bytes, and read without trusting them.

Nothing is ever extracted to the disk: members are read through memory in blocks.
"""

from __future__ import annotations

import hashlib
import io
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Final, Self

from sdq_core.errors import BundleError

__all__ = ["Archive", "packed"]

MOST_FILES: Final = 10_000
MOST_BYTES: Final = 2**33
SMALL: Final = 2**27
"""Bundles that unpack to so little are read however well they are packed."""
MOST_TIMES: Final = 200
"""Texts and tables pack to a twentieth; a zip bomb to a thousandth."""
_BLOCK: Final = 2**20
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The first time that a zip file can state: no clock enters."""

# What zipfile raises on broken members; not all of it is among its own errors.
_BROKEN: Final = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError,
)  # fmt: skip


def packed(files: Mapping[str, bytes]) -> bytes:
    """Return a zip of some files: same files, same bytes, on every machine.

    Members are stored as they are: what a packer makes of the same bytes depends on its version.

    Examples
    --------
    >>> packed({"b": b"2", "a": b"1"}) == packed({"a": b"1", "b": b"2"})
    True
    """
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(info, files[name])
    return sink.getvalue()


class Archive:
    """A zip file from anywhere, with its members checked before one of them is read.

    Parameters
    ----------
    path : Path

    Raises
    ------
    BundleError
        It is no zip file or a broken one; or a name, a link, a size or a method of packing in it
        is none that sdq writes and could harm who unpacks it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except FileNotFoundError as error:
            raise BundleError(f"{path}: does not exist; give a bundle of: sdq seal") from error
        except _BROKEN as error:
            raise BundleError(
                f"{path}: is no zip file, or not the whole of one; ask for the bundle again"
            ) from error
        try:
            self._members = _checked(self._zip, path)
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the files, sorted; folders have no bytes and do not count."""
        return tuple(sorted(self._members))

    def digest(self, name: str) -> str | None:
        """Return the SHA-256 of a file's bytes, or None where the zip is damaged there."""
        found = hashlib.sha256()
        try:
            with self._zip.open(self._members[name]) as member:
                while block := member.read(_BLOCK):
                    found.update(block)
        except _BROKEN:
            return None
        return found.hexdigest()

    def read(self, name: str, most: int) -> bytes | None:
        """Return a file's bytes, or None where the zip is damaged there.

        Raises
        ------
        BundleError
            The file is longer than `most` bytes.
        """
        info = self._members[name]
        if info.file_size > most:
            raise BundleError(
                f"{self.path}: {_shown(name)} has {info.file_size} bytes, more than the {most} "
                f"that such a file can have; ask for the bundle again"
            )
        try:
            return self._zip.read(info)
        except _BROKEN:
            return None


def _checked(archive: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    members: dict[str, zipfile.ZipInfo] = {}
    alike: set[str] = set()
    infos = archive.infolist()
    if len(infos) > MOST_FILES:
        raise BundleError(f"{path}: holds {len(infos)} files, more than the {MOST_FILES} allowed")
    total = sum(info.file_size for info in infos)
    if total > MOST_BYTES or total > max(SMALL, MOST_TIMES * path.stat().st_size):
        raise BundleError(
            f"{path}: unpacks to {total} bytes, absurdly many for its size; it is not unpacked"
        )
    for info in infos:
        name = info.orig_filename
        problem = _problem(info, name)
        # On systems that fold case or accents the second would replace the first.
        folded = unicodedata.normalize("NFC", name).casefold()
        if problem is None and folded in alike:
            problem = "stands there twice"
        if problem is not None:
            raise BundleError(f"{path}: {_shown(name)} {problem}; it is not unpacked")
        alike.add(folded)
        if not name.endswith("/"):
            members[name] = info
    return members


def _problem(info: zipfile.ZipInfo, name: str) -> str | None:
    """Return what is wrong with a member, or None."""
    parts = PurePosixPath(name).parts
    mode = info.external_attr >> 16
    if not name or name.startswith("/") or ".." in parts or ":" in name or "\\" in name:
        return "is a path that leads out of the bundle"
    if any(unicodedata.category(c)[0] == "C" for c in name):
        return "has a control character in its name"
    if name.rstrip("/") != str(PurePosixPath(name)):
        return "is not in its plain form"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a device, no file"
    if name.endswith("/") and info.file_size:
        return "is a folder with bytes"
    if info.flag_bits & 0x1:
        return "is encrypted"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is packed by a method that sdq does not read"
    return None


def _shown(name: str) -> str:
    """Return a name from a foreign file such that it cannot act on a terminal."""
    return ascii(name if len(name) <= 80 else f"{name[:77]}...")
