"""Whether data on this machine are those that were judged, by the list ``files.csv``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sdq_core.errors import UsageError
from sdq_core.manifest import FileRow, files_below, hashed, written

__all__ = ["DataCheck", "check_data", "roles_of"]

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class DataCheck:
    """What was found of one role.

    Parameters
    ----------
    role : str
    same : int
        Files with the bytes that were judged.
    changed, missing, added, unreadable : tuple of str
        Paths below the folder. Unreadable ones could not be read when the data were judged, so
        that nothing can be said of them.
    """

    role: str
    same: int
    changed: tuple[str, ...]
    missing: tuple[str, ...]
    added: tuple[str, ...]
    unreadable: tuple[str, ...]

    @property
    def verified(self) -> bool:
        """Whether the data are those that were judged."""
        return not (self.changed or self.missing or self.added)


def roles_of(rows: Iterable[FileRow]) -> tuple[str, ...]:
    """Return the roles of a list of files, in its order."""
    return tuple(dict.fromkeys(row.role for row in rows))


def check_data(
    rows: Sequence[FileRow], role: str, source: Path, progress: Progress | None = None
) -> DataCheck:
    """Hash the data of one role and compare them with the list.

    Parameters
    ----------
    rows : sequence of FileRow
        The list, of a verified bundle.
    role : str
    source : Path
        The role's folder. Of a file, it and the files beside it that the list names; then nothing
        counts as added.
    progress : callable, optional

    Raises
    ------
    UsageError
        The list has no such role, or there is nothing at `source`.
    """
    listed = {row.path: row for row in rows if row.role == role}
    if not listed:
        raise UsageError(
            f"--data {role}={source}: the bundle lists no such role "
            f"({', '.join(roles_of(rows)) or 'none'}); correct it"
        )
    if not source.exists():
        raise UsageError(f"--data {role}={source}: there is no such folder or file")
    # Never a path of the bundle is opened: what lies here is listed, and looked up there.
    single = not source.is_dir()
    there = {
        written(name): path
        for name, path in files_below(source.parent if single else source)
        if not single or written(name) in listed
    }
    known = [name for name in there if name in listed]
    found = {
        row.path: row.sha256
        for row in hashed([(role, name, there[name]) for name in known], None, progress)
    }
    unreadable = tuple(name for name, row in listed.items() if not row.sha256)
    readable = {name: row for name, row in listed.items() if row.sha256}
    changed = tuple(n for n in readable if n in found and found[n] != readable[n].sha256)
    missing = tuple(n for n in readable if n not in found)
    return DataCheck(
        role,
        len(readable) - len(changed) - len(missing),
        changed,
        missing,
        tuple(name for name in there if name not in listed),
        unreadable,
    )
