"""Writes a cohort: its items, their masks, their label table and their lineage table."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sdq_core.calibration.defect import Member
from sdq_core.description import Item
from sdq_core.study import CohortSource
from sdq_imaging.masks import HIDDEN, mask_files
from sdq_imaging.planting.editable import GENERATOR, VERSION, Declaration, Editable
from sdq_imaging.planting.opening import Opener
from sdq_imaging.planting.stack_item import StackItem, save_rows

__all__ = ["Draft", "Edit", "Entry", "Rows", "copied", "write_cohort", "written_ids"]

LABELS, LINEAGE = "labels.csv", "lineage.csv"
REAL: Final = "real"
NAMING: Final = frozenset({"item", "name", "file", "path", "image", "filename", "pair"})
"""Columns of a label table that name the item: a synthetic one has names of its own."""

Edit = Callable[[Editable], None]
Rows = list[dict[str, str]]


@dataclass
class Entry:
    """One item of a cohort to be written.

    Parameters
    ----------
    member : Member
    row : dict of str to str
        What the label table will say of it.
    edits : list of callable
        Change the opened item, after it was declared.
    damages : list of callable
        Change the written file.
    mask_edits : list of callable
        Change the opened mask.
    mask_damages : list of callable
        Change the written mask file, ``damage(path)``.
    stated : bool
        Whether it declares itself synthetic.
    stem : str
        Path below the cohort's folder, without suffix; empty: its number.
    """

    member: Member
    row: dict[str, str]
    edits: list[Edit] = field(default_factory=list)
    damages: list[Callable[[Path], None]] = field(default_factory=list)
    mask_edits: list[Edit] = field(default_factory=list)
    mask_damages: list[Callable[[Path], None]] = field(default_factory=list)
    stated: bool = True
    stem: str = ""


@dataclass
class Draft:
    """A synthetic cohort before it is written.

    Parameters
    ----------
    entries : list of Entry
    label_edits, lineage_edits : list of callable
        Change the rows of the two tables.
    masks : Path or None
        Folder of the study's masks.
    labelled : bool
        Whether the items carry the label AIGC.
    generator, version : str
        What the items and the lineage table name.
    """

    entries: list[Entry]
    label_edits: list[Callable[[Rows], Rows]] = field(default_factory=list)
    lineage_edits: list[Callable[[Rows], Rows]] = field(default_factory=list)
    masks: Path | None = None
    labelled: bool = True
    generator: str = GENERATOR
    version: str = VERSION


def write_cohort(draft: Draft, folder: Path, opener: Opener) -> CohortSource:
    """Write a synthetic cohort.

    Parameters
    ----------
    draft : Draft
    folder : Path
        Does not exist yet.
    opener : Opener
    """
    folder.mkdir(parents=True)
    subjects: dict[str, str] = {}
    stacks: dict[Path, list[tuple[StackItem, dict[str, str]]]] = {}
    rows: Rows = []
    for number, entry in enumerate(draft.entries, 1):
        own = f"{entry.member.source.path}/{entry.member.subject}"
        subject = subjects.setdefault(own, f"SYN-{len(subjects) + 1:04d}")
        declaration = Declaration(
            number, subject, entry.stated, draft.labelled, draft.generator, draft.version
        )
        row = {**_kept(entry), **declaration.columns}
        if "subject" in entry.row:
            row["subject"] = subject
        opened = opener(entry.member.item)
        if opened is not None:
            opened.declare(declaration)
            for edit in entry.edits:
                edit(opened)
        stem = entry.stem or f"item-{number:04d}"
        if isinstance(opened, StackItem) and not opened.one:
            source = entry.member.item.paths[0]
            place = stacks.setdefault(source, [])
            name = f"stack-{list(stacks).index(source) + 1:02d}{opened.suffix}"
            rows.append({"item": f"{name}#{len(place)}", **row})
            place.append((opened, row))
            continue
        saved = _raw(entry, folder, stem) if opened is None else opened.save(folder, stem)
        for damage in entry.damages:
            damage(saved)
        rows.append({"item": saved.relative_to(folder).as_posix(), **row})
        _mask(entry, saved.relative_to(folder), folder, draft.masks, opener)
    for k, held in enumerate(stacks.values(), 1):
        save_rows([o for o, _ in held], folder / f"stack-{k:02d}", [r for _, r in held])
    lineage = [
        {"item": row["item"], "seed": row.get("seed", ""), "generator_version": draft.version}
        for row in rows
    ]
    for change in draft.label_edits:
        rows = change(rows)
    for change in draft.lineage_edits:
        lineage = change(lineage)
    write_table(folder / LABELS, rows)
    write_table(folder / LINEAGE, lineage)
    return CohortSource(path=folder, labels=folder / LABELS, lineage=folder / LINEAGE)


def copied(
    members: Sequence[Member],
    folder: Path,
    roles: Mapping[Path, str],
    opener: Opener,
    masks: Path | None,
) -> CohortSource:
    """Write real items as they are, below a folder for each cohort that they come from.

    Files are linked where the file system can, else copied; of an array file the rows are written.

    Parameters
    ----------
    members : sequence of Member
    folder : Path
        Does not exist yet.
    roles : mapping of Path to str
        Path of a cohort -> name of its folder here.
    opener : Opener
    masks : Path or None
    """
    folder.mkdir(parents=True)
    stacks: dict[Path, list[StackItem]] = {}
    names = written_ids(members, roles)
    for member, name in zip(members, names, strict=True):
        item, place = member.item, _place(member, roles)
        opened = opener(item) if _is_row(item) else None
        if isinstance(opened, StackItem):
            stacks.setdefault(folder / place(item.paths[0]), []).append(opened)
            continue
        for path in item.paths:
            link(path, folder / place(path))
        if masks is not None:
            _linked_mask(mask_files(item, masks), place(item.paths[0]), folder, name)
    for target, held in stacks.items():
        save_rows(held, target.with_suffix(""), [])
    rows = [{"item": n, **_labels(m)} for n, m in zip(names, members, strict=True)]
    if not any(len(row) > 1 for row in rows):
        return CohortSource(path=folder)
    write_table(folder / LABELS, rows)
    return CohortSource(path=folder, labels=folder / LABELS)


def written_ids(members: Sequence[Member], roles: Mapping[Path, str]) -> list[str]:
    """Return the ids of items in a cohort that `copied` writes.

    Parameters
    ----------
    members : sequence of Member
    roles : mapping of Path to str
    """
    count: dict[Path, int] = {}
    found = []
    for member in members:
        item, place = member.item, _place(member, roles)
        role = roles.get(member.source.path, REAL)
        if _is_row(item):
            file = place(item.paths[0])
            found.append(f"{file.as_posix()}#{count.setdefault(file, 0)}")
            count[file] += 1
        else:
            # A series at the top of its cohort has no folder in its id.
            at_top = item.part == "series" and "#" not in item.id
            found.append(f"{role}#{item.id}" if at_top else f"{role}/{item.id}")
    return found


def _is_row(item: Item) -> bool:
    return item.part not in ("", "series")


def _place(member: Member, roles: Mapping[Path, str]) -> Callable[[Path], Path]:
    """Return where files of a member's cohort come to lie below the new folder."""
    source = member.source.path
    root = source if source.is_dir() else source.parent
    return lambda path: Path(roles.get(source, REAL)) / path.relative_to(root)


def write_table(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """Write a table; a column that a row does not have is empty there."""
    columns = list(dict.fromkeys(["item", *(k for row in rows for k in row)]))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def link(source: Path, target: Path, *, damaged: bool = False) -> None:
    """Give a file a second name, or copy it where that cannot be, or where it will be damaged."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not damaged:
        try:
            os.link(source.resolve(), target)
        except OSError:  # another file system, or one without links
            damaged = True
    if damaged:
        shutil.copyfile(source, target)


def _labels(member: Member) -> dict[str, str]:
    return {k: v for k, v in member.row.items() if k != "item"}


def _kept(entry: Entry) -> dict[str, str]:
    """Return the labels that do not name the real item."""
    file = entry.member.item.paths[0]
    names = {entry.member.item.id, file.name, file.stem}
    return {k: v for k, v in entry.row.items() if k not in NAMING and v not in names}


def _raw(entry: Entry, folder: Path, stem: str) -> Path:
    """Copy what cannot be opened: it is as broken as it was."""
    paths = entry.member.item.paths
    damaged = bool(entry.damages)
    if len(paths) == 1:
        target = folder / f"{stem}{_suffix(paths[0])}"
        link(paths[0], target, damaged=damaged)
        return target
    for number, path in enumerate(paths, 1):
        link(path, folder / stem / f"{number:04d}{path.suffix}", damaged=damaged)
    return folder / stem


def _mask(entry: Entry, saved: Path, folder: Path, masks: Path | None, opener: Opener) -> None:
    """Write the mask of an item beside its cohort."""
    found = () if masks is None else mask_files(entry.member.item, masks)
    if not found:
        return
    base = folder / HIDDEN
    # Of a series the folder's name, else the file's without its suffix.
    stem = saved.as_posix().removesuffix(_suffix(saved))
    item = Item(stem, found, "series" if len(found) > 1 else "")
    opened: Any = opener(item) if entry.mask_edits else None
    if opened is None or opened.values is None:
        made = base / f"{stem}{_suffix(found[0])}" if len(found) == 1 else base / stem
        damaged = bool(entry.mask_damages)
        for path in found:
            link(path, made if len(found) == 1 else made / path.name, damaged=damaged)
    else:
        for edit in entry.mask_edits:
            edit(opened)
        made = opened.save(base, stem)
    for damage in entry.mask_damages:
        damage(made)


def _linked_mask(found: Sequence[Path], saved: Path, folder: Path, name: str) -> None:
    """Give a mask the name of its image; that of a series the name of the series."""
    if len(found) == 1:
        target = f"{name}{_suffix(found[0])}"
        if "#series-" not in name:
            target = saved.as_posix().removesuffix(_suffix(saved)) + _suffix(found[0])
        link(found[0], folder / HIDDEN / target)
    for path in found if len(found) > 1 else ():
        link(path, folder / HIDDEN / saved.parent / path.name)


def _suffix(path: Path) -> str:
    return ".nii.gz" if path.name.lower().endswith(".nii.gz") else path.suffix
