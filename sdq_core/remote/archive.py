"""Unpacking archives that somebody else made: nothing leaves the folder, nothing fills the disk."""

from __future__ import annotations

import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from typing import IO, Final

from sdq_core.errors import InputError
from sdq_core.finding import Finding
from sdq_core.remote.rules import left_out

__all__ = ["MOST_TIMES", "inside", "unpack"]

MOST_TIMES: Final = 1100
"""Most times that a member may be larger than it was packed: deflate reaches 1,032 (zlib's
technical notes), so a larger factor is made on purpose."""

_BLOCK: Final = 2**20
_KEPT_FREE: Final = 2**28
_BROKEN: Final = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, LZMAError, EOFError, NotImplementedError,
)  # fmt: skip

Members = Iterator[tuple[str, str, Callable[[], IO[bytes]], int]]
"""Name, rule that forbids it or "", how to open it, declared size."""


def unpack(
    archive: Path, folder: Path, shown: str, progress: Callable[[int, int], None] | None = None
) -> tuple[Finding, ...]:
    """Unpack the files of an archive.

    Parameters
    ----------
    archive : Path
        ``.zip`` or ``.tar``, plain or compressed; archives inside are not opened.
    folder : Path
        Where the files go; exists and is empty.
    shown : str
        What messages call the archive.
    progress : callable, optional
        Called with the bytes written and the total, 0 where it is not known.

    Returns
    -------
    tuple of Finding
        One for each member that was left out; directories and empty names need none.

    Raises
    ------
    InputError
        It is no archive, it ends too early, it would fill the disk, or it is a bomb.
    """
    findings: list[Finding] = []
    seen: set[str] = set()
    written = 0
    packed = archive.stat().st_size
    zipped = zipfile.is_zipfile(archive)
    try:
        with _opened(archive) as (members, total):
            _room_for(total, folder, shown)
            for name, rule, opened, size in members:
                target = inside(folder, name)
                if target is None:
                    rule = rule or "member_outside"
                elif not rule and (name in seen or target.exists()):
                    rule = "member_twice"
                if rule or target is None:
                    findings.append(left_out(rule, name))
                    continue
                seen.add(name)
                target.parent.mkdir(parents=True, exist_ok=True)
                try:
                    with opened() as source, target.open("wb") as file:
                        for block in iter(lambda: source.read(_BLOCK), b""):
                            written += len(block)
                            if written > MOST_TIMES * packed + _BLOCK:
                                raise InputError(
                                    f"{shown}: unpacks to more than {MOST_TIMES} times its size; "
                                    f"that is no cohort, look what made it"
                                )
                            file.write(block)
                            if progress is not None:
                                progress(written, total)
                            _room_for(0, folder, shown)
                        whole = file.tell() == size
                except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError):
                    if not zipped:
                        raise
                    whole = False  # the others of a zip are found all the same
                if not whole:
                    target.unlink(missing_ok=True)
                    findings.append(left_out("member_damaged", name))
    except _BROKEN as error:
        raise InputError(
            f"{shown}: the archive is damaged or ends too early ({type(error).__name__}); "
            f"fetch or pack it again"
        ) from error
    return tuple(findings)


def inside(folder: Path, name: str) -> Path | None:
    """Return where a member goes, None when its name leads out of the folder.

    Parameters
    ----------
    folder : Path
    name : str
        With slashes; a backslash counts as one, as some programs write it.

    Examples
    --------
    >>> inside(Path("cohort"), "a/1.png").as_posix(), inside(Path("cohort"), "a/../../1.png")
    ('cohort/a/1.png', None)
    """
    parts = PurePosixPath(name.replace("\\", "/"))
    if (
        parts.is_absolute()
        or not parts.parts
        or ".." in parts.parts
        or "\0" in name
        or ":" in parts.parts[0][1:2]
    ):
        return None
    return folder.joinpath(*parts.parts)


@contextmanager
def _opened(archive: Path) -> Iterator[tuple[Members, int]]:
    """Give the members of an archive, and the sum of their sizes where it tells at once."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            infos = packed.infolist()
            yield _zipped(packed, infos), sum(i.file_size for i in infos)
    else:
        with tarfile.open(archive, mode="r:*", errors="surrogateescape") as packed:
            yield _tarred(packed), 0


def _zipped(archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo]) -> Members:
    for info in infos:
        if info.is_dir():
            continue
        mode = info.external_attr >> 16
        rule = ""
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            rule = "member_not_a_file"
        elif info.flag_bits & 0x1:
            rule = "member_encrypted"
        yield _zip_name(info), rule, lambda i=info: archive.open(i), info.file_size  # type: ignore[misc]


def _zip_name(info: zipfile.ZipInfo) -> str:
    """Return a member's name; without the flag for UTF-8 it is in the packer's own character set.

    The standard says IBM 437 then (APPNOTE.TXT, appendix D), programs write what their system
    uses: UTF-8, or GB 18030 in China.
    """
    if info.flag_bits & 0x800:
        return info.filename
    try:
        return _decoded(info.filename.encode("cp437")) or info.filename
    except UnicodeEncodeError:
        return info.filename


def _decoded(raw: bytes) -> str:
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return ""


def _tarred(archive: tarfile.TarFile) -> Members:
    for info in archive:
        if info.isdir():
            continue
        rule = "" if info.isreg() else "member_not_a_file"

        def opened(i: tarfile.TarInfo = info) -> IO[bytes]:
            found = archive.extractfile(i)
            assert found is not None, "a regular file can be opened"
            return found

        name = info.name
        if not _is_text(name):
            name = _decoded(name.encode("utf-8", "surrogateescape")) or name
        yield name, rule, opened, info.size


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _room_for(size: int, folder: Path, shown: str) -> None:
    free = shutil.disk_usage(folder).free
    if size + _KEPT_FREE > free:
        raise InputError(
            f"{shown}: unpacking it would fill the disk ({free / 2**30:.1f} GiB are free"
            + (f", {size / 2**30:.1f} GiB are needed" if size else "")
            + "); choose a cache on another disk (--cache)"
        )
