"""How many conditions of PS3.3 the rules can answer: by the file, by a person, or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from sdq_imaging import dicom_tables
from sdq_imaging.dicom.conditions import Predicate, is_silent
from sdq_imaging.dicom.requirement_rules import condition_of
from sdq_imaging.dicom_tables import Requirement
from sdq_imaging.dicom_tables.notes import Notes, notes_of

__all__ = ["ASKED", "DECIDED", "SILENT", "condition_coverage"]

DECIDED, ASKED, SILENT = "decided by the file", "asked of a person", "silent"

GROUPS = (0x52009229, 0x52009230)
"""Shared and per-frame functional groups: the same macros, counted once."""

CODE_ATTRIBUTES = frozenset(
    {0x00080100, 0x00080102, 0x00080103, 0x00080105, 0x00080106, 0x00080107, 0x0008010B,
     0x0008010D, 0x0008010F, 0x00080119, 0x00080120, 0x00080121, 0x00080122}
)  # fmt: skip
"""Of code sequences (PS3.3 section 8)."""
ALWAYS_TOLD = frozenset({"segmented", "segmented_absent", "concatenation", "any_frame"})
"""Questions that every file answers."""

Row = tuple[str, tuple[int, ...]]


def condition_coverage() -> tuple[Counter[str], tuple[Row, ...]]:
    """Count the rows of type 1C and 2C of all image IODs by who can answer their condition.

    A row is an attribute in a module, at its place. Modules are counted once, macros of functional
    groups once over all IODs. Left aside are the attributes of code sequences, of which there are
    eight times as many and which a handful of predicates answer.

    Returns
    -------
    counts : Counter of str
        `DECIDED`: the file always tells; `ASKED`: it tells in some cases, and a person in the
        others; `SILENT`: a sentence, or a part of one, that no program understands.
    silent : tuple of (str, tuple of int)
        Module and path of the rows that are silent.

    Examples
    --------
    >>> counts, silent = condition_coverage()
    >>> counts[SILENT] == len(silent)
    True
    """
    counts: Counter[str] = Counter()
    silent: list[Row] = []
    seen: set[Row] = set()
    modules = {m.key: m for iod in dicom_tables.iods() for m in dicom_tables.modules_of(iod)}
    for module, table in modules.items():
        for path, kind in _rows(module, table.attributes, notes_of(module)):
            groups = path[0] in GROUPS and len(path) > 1
            row = ("functional groups", path[1:]) if groups else (module, path)
            if row in seen:
                continue
            seen.add(row)
            counts[kind] += 1
            if kind == SILENT:
                silent.append((module, path))
    return counts, tuple(silent)


def _rows(
    module: str,
    attributes: Mapping[int, Requirement],
    notes: Mapping[int, Notes],
    above: tuple[int, ...] = (),
) -> Iterator[tuple[tuple[int, ...], str]]:
    for tag, requirement in attributes.items():
        note = notes.get(tag)
        if requirement.type in ("1C", "2C") and tag not in CODE_ATTRIBUTES:
            yield (*above, tag), _answered(module, tag, note)
        inside = {} if note is None else note.inside
        yield from _rows(module, requirement.inside, inside, (*above, tag))


def _answered(module: str, tag: int, note: Notes | None) -> str:
    condition = condition_of(module, tag, note)
    if condition is None:
        return SILENT
    if isinstance(condition, Predicate):
        return ASKED if condition.speaks or condition.question else DECIDED
    if is_silent(condition.expression):
        return SILENT
    return ASKED if _may_ask(condition.expression) else DECIDED


def _may_ask(expression: Any) -> bool:
    if not isinstance(expression, list):
        return False
    if expression[0] == "ask":
        return expression[1] not in ALWAYS_TOLD
    return any(_may_ask(operand) for operand in expression[1:])
