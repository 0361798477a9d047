"""What was judged, named one by one: ``items.csv`` and ``files.csv`` beside the result.

An item's digest says what was described, a file's says which bytes lay in the cohort's folder.
With ``files.csv`` anybody who has the data can check, years later, that they are those.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sdq_core.errors import StoreError
from sdq_core.files import atomic_write
from sdq_core.finding import Finding
from sdq_core.hashing import hash_files
from sdq_core.listing import natural, relative, walk
from sdq_core.study import PATHS
from sdq_core.vocabulary import Role, Severity

if TYPE_CHECKING:
    from sdq_core.cohort import Cohort
    from sdq_core.description import Item
    from sdq_core.study import Study

__all__ = [
    "FILES",
    "ITEMS",
    "FileRow",
    "cohort_digest",
    "files_below",
    "hashed",
    "read_files",
    "read_items",
    "write_manifests",
    "written",
]

ITEMS: Final = "items.csv"
FILES: Final = "files.csv"
_ITEM_COLUMNS: Final = ("role", "item", "sha256")
_FILE_COLUMNS: Final = ("role", "path", "bytes", "sha256")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "'")
_BLOCK: Final = 256
"""Files hashed between two reports of progress."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file.

    Parameters
    ----------
    role : str
        The cohort, for a file in its folder; ``"train/labels"`` for a label table elsewhere,
        ``"settings/masks"`` and the like for what the modality's settings name.
    path : str
        Below that folder, with POSIX separators; a name alone for a single file elsewhere.
    size : int or None
        Bytes; None when the file could not be read.
    sha256 : str
        Hexadecimal; empty when the file could not be read.
    """

    role: str
    path: str
    size: int | None
    sha256: str


def write_manifests(
    study: Study,
    cohorts: Sequence[Cohort],
    hashes: Mapping[Role, Mapping[Path, str]],
    folder: Path,
    progress: Progress | None = None,
) -> None:
    """Write ``items.csv`` and ``files.csv``.

    Parameters
    ----------
    study : Study
    cohorts : sequence of Cohort
    hashes : mapping of Role to mapping of Path to str
        SHA-256 of files that listing has read anyway: they are not read again, and are the hash
        of what was judged even where a file changed since.
    folder : Path
    progress : callable, optional
        Called with the stage's name, files done and their number.

    Raises
    ------
    StoreError
        A table cannot be written.
    """
    items = (
        (str(cohort.role), item.id, item.digest)
        for cohort in cohorts
        for item in cohort.table.items
    )
    atomic_write(folder / ITEMS, _table(_ITEM_COLUMNS, items))
    found: dict[tuple[str, str], Path] = {}
    for cohort in cohorts:
        source = study.cohorts[cohort.role]
        listed = hashes.get(cohort.role, {})
        for role, name, path in _of_cohort(cohort.role, source.path, cohort.table.items, listed):
            found[role, name] = path
        for name, table in (("labels", source.labels), ("lineage", source.lineage)):
            if table is not None:
                found.update(_beside(f"{cohort.role}/{name}", table, source.path))
    for key, value in study.settings.items():
        # A schema that stands in the settings itself names no files.
        if not (key == "schema" and isinstance(value, Mapping)):
            found.update(_of_setting(f"settings/{key}", value, anywhere=key in PATHS))
    order = {str(role): place for place, role in enumerate(Role)}
    places = sorted(
        found, key=lambda p: (order.get(p[0].partition("/")[0], len(order)), p[0], natural(p[1]))
    )
    known = {path: digest for of_role in hashes.values() for path, digest in of_role.items()}
    rows = hashed([(*place, found[place]) for place in places], known, progress)
    lines = ((r.role, r.path, "" if r.size is None else str(r.size), r.sha256) for r in rows)
    atomic_write(folder / FILES, _table(_FILE_COLUMNS, lines))


def hashed(
    files: Sequence[tuple[str, str, Path]],
    hashes: Mapping[Path, str] | None = None,
    progress: Progress | None = None,
) -> Iterator[FileRow]:
    """Hash files, each once, a few at a time.

    Parameters
    ----------
    files : sequence of (role, path below its folder, path)
    hashes : mapping of Path to str, optional
        Hashes that are known already.
    progress : callable, optional

    Yields
    ------
    FileRow
        In the order of `files`.
    """
    known = dict(hashes or {})
    for start in range(0, len(files), _BLOCK):
        block = files[start : start + _BLOCK]
        if progress is not None:
            progress("hash", start, len(files))
        wanted = list(dict.fromkeys(path for _, _, path in block if path not in known))
        known.update(zip(wanted, hash_files(wanted), strict=True))
        for role, name, path in block:
            digest = known[path]
            yield FileRow(role, name, _size(path) if digest else None, digest)
    if progress is not None:
        progress("hash", len(files), len(files))


def files_below(source: Path) -> list[tuple[str, Path]]:
    """Return the files of a folder by their path below it, or one file by its name.

    Hidden files, and links that lead out of the folder or in a circle, are passed over, as they
    are when items are listed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("b.dat", "a.hea", ".hidden"):
    ...         _ = (Path(folder) / name).write_text("")
    ...     [name for name, _ in files_below(Path(folder))]
    ['a.hea', 'b.dat']
    """
    root, files, _ = walk(source, lambda name: True, _unused)
    return [(relative(path, root), path) for path in files]


def read_items(data: bytes) -> list[tuple[str, str, str]]:
    """Read ``items.csv``: role, item as it is written there, SHA-256 of its content.

    Raises
    ------
    StoreError
        It is no such table.
    """
    return [(role, item, digest) for role, item, digest in _rows(data, ITEMS, _ITEM_COLUMNS)]


def read_files(data: bytes) -> list[FileRow]:
    """Read ``files.csv``.

    Raises
    ------
    StoreError
        It is no such table.
    """
    rows = []
    for role, path, size, digest in _rows(data, FILES, _FILE_COLUMNS):
        if size and not (size.isascii() and size.isdigit()):
            raise StoreError(f"{FILES}: a size is no number; evaluate again")
        rows.append(FileRow(role, path, int(size) if size else None, digest))
    return rows


def cohort_digest(digests: Iterable[str]) -> str:
    """Return the digest of a cohort: SHA-256 over the sorted digests of its items."""
    return hashlib.sha256("\n".join(sorted(digests)).encode()).hexdigest()


def written(text: str) -> str:
    """Return a text as it is after a way through a table: undecodable bytes are written out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _of_cohort(
    role: Role, source: Path, items: Sequence[Item], hashes: Mapping[Path, str]
) -> Iterator[tuple[str, str, Path]]:
    """Name what lies in a cohort's folder; of a single file only what belongs to its items.

    In a folder everything counts: modalities read more than the items' own files (annotations,
    side-car files, tables), and what they do not read harms nobody.
    """
    single = not source.is_dir()
    root = source.parent if single else source
    below = {} if single else {path: name for name, path in files_below(source)}
    for path, name in below.items():
        yield str(role), name, path
    for path in dict.fromkeys((*(p for item in items for p in item.paths), *hashes)):
        if path in below or path.is_dir():
            continue
        if path.is_relative_to(root):
            yield str(role), relative(path, root), path
        else:
            yield f"{role}/beside", path.name, path


def _beside(role: str, path: Path, cohort: Path) -> dict[tuple[str, str], Path]:
    """Name a table that does not lie in the cohort's folder, where it is named already."""
    if cohort.is_dir() and path.resolve().is_relative_to(cohort.resolve()):
        return {}
    return {(role, path.name): path}


def _of_setting(role: str, value: Any, *, anywhere: bool) -> Iterator[tuple[tuple[str, str], Path]]:
    """Name the files of one setting: a path, or a list or mapping with paths in it.

    Of settings that are not made to hold paths only absolute ones count: any word might be the
    name of a file that happens to lie in the working folder.
    """
    if isinstance(value, str):
        path = Path(value)
        if (anywhere or path.is_absolute()) and path.exists():
            for name, file in files_below(path):
                yield (role, name), file
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            yield from _of_setting(f"{role}/{key}", entry, anywhere=anywhere)
    elif isinstance(value, list | tuple):
        for number, entry in enumerate(value, start=1):
            yield from _of_setting(f"{role}/{number}", entry, anywhere=anywhere)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _unused(rule: str, path: str) -> Finding:
    """Drop findings about links: they stand in the result already, from listing."""
    return Finding(rule, Severity.INFO, "", "")


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    # The byte-order mark makes spreadsheet programs read Chinese names as UTF-8.
    return b"\xef\xbb\xbf" + text.getvalue().encode("utf-8", "backslashreplace")


def _rows(data: bytes, name: str, columns: tuple[str, ...]) -> Iterator[list[str]]:
    try:
        reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        if tuple(next(reader, ())) != columns:
            raise StoreError(f"{name}: has not the columns {', '.join(columns)}; evaluate again")
        for row in reader:
            if len(row) != len(columns):
                raise StoreError(f"{name}: a row has not {len(columns)} cells; evaluate again")
            yield [_value(cell) for cell in row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise StoreError(f"{name}: is no table in UTF-8 ({error}); evaluate again") from error


def _cell(value: str) -> str:
    """Keep spreadsheet programs from taking a name for a formula (CWE-1236); undone by `_value`.

    Examples
    --------
    >>> [_cell(v) for v in ("=1+1", "'quoted", "1.png")], _value(_cell("=1+1")), _value("1.png")
    (["'=1+1", "''quoted", '1.png'], '=1+1', '1.png')
    """
    return f"'{value}" if value.startswith(_FORMULA) else value


def _value(cell: str) -> str:
    return cell.removeprefix("'")
