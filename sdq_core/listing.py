"""Walking a cohort's folder: natural order, and links only where they stay inside and end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from sdq_core.finding import Finding

__all__ = ["natural", "relative", "walk"]

Report = Callable[[str, str], Finding]


def walk(
    source: Path, is_item: Callable[[str], bool], report: Report
) -> tuple[Path, list[Path], list[Finding]]:
    """Return the files below a folder, in order of names.

    Hidden files and folders (a dot in front) are passed over. A link is followed only where its
    target lies in the folder and is none of the folders on the way down.

    Parameters
    ----------
    source : Path
        Folder, or one file, which is then the only one and always an item.
    is_item : callable
        ``is_item(name) -> bool`` of a file's name in lower case; other files are passed over.
    report : callable
        ``report(rule, path) -> Finding`` makes the modality's finding; rules ``link_outside``,
        ``link_loop``, ``unreadable_folder``; the path is relative to the folder.

    Returns
    -------
    root : Path
        Folder to which paths are relative: `source`, or the folder of one file.
    files : list of Path
    findings : list of Finding

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("10.x", "2.x", "a.txt", ".hidden.x"):
    ...         _ = (Path(folder) / name).write_text("")
    ...     _, files, _ = walk(Path(folder), lambda name: name.endswith(".x"), lambda rule, path: 0)
    ...     [f.name for f in files]
    ['2.x', '10.x']
    """
    findings: list[Finding] = []
    if not source.is_dir():
        return source.parent, [source], findings
    return source, list(_below(source, source, is_item, report, findings, ())), findings


def relative(path: Path, root: Path) -> str:
    """Return a path below a folder with POSIX separators.

    Examples
    --------
    >>> relative(Path("cohort/a/1.png"), Path("cohort"))
    'a/1.png'
    """
    return path.relative_to(root).as_posix()


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return the sort key under which item 2 comes before item 10.

    Examples
    --------
    >>> sorted(["a10", "a2", "a1"], key=natural)
    ['a1', 'a2', 'a10']
    """
    parts: list[tuple[int, int, str]] = []
    number = ""
    for character in text + "\0":
        if character.isascii() and character.isdigit():
            number += character
            continue
        if number:
            parts.append((0, int(number), number))
            number = ""
        parts.append((1, 0, character))
    return tuple(parts)


def _below(
    folder: Path,
    root: Path,
    is_item: Callable[[str], bool],
    report: Report,
    findings: list[Finding],
    above: tuple[Path, ...],
) -> Iterator[Path]:
    try:
        within = (*above, folder.resolve())
        entries = sorted(os.scandir(folder), key=lambda e: natural(e.name))
    except OSError:
        findings.append(report("unreadable_folder", relative(folder, root)))
        return
    for entry in entries:
        path = Path(entry.path)
        if entry.name.startswith("."):
            continue
        if entry.is_symlink():
            rule = _bad_link(path, root, within)
            if rule is not None:
                findings.append(report(rule, relative(path, root)))
                continue
        if entry.is_dir():
            yield from _below(path, root, is_item, report, findings, within)
        elif entry.is_file() and is_item(entry.name.lower()):
            yield path


def _bad_link(path: Path, root: Path, within: Sequence[Path]) -> str | None:
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return "link_loop"
    if not target.is_relative_to(root.resolve()):
        return "link_outside"
    # Any folder on the way down, not only the one that holds the link: two links can make a loop.
    if target.is_dir() and any(folder.is_relative_to(target) for folder in within):
        return "link_loop"
    return None
