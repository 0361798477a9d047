"""When an attribute of type 1C or 2C is required: three answers, by data or by a named predicate.

Most conditions of PS3.3 are expressions over other attributes (`sdq_imaging.dicom_tables.notes`);
where a sentence asks what no attribute tells, the expression asks a question by name
(`sdq_imaging.dicom.condition_questions`). Those that need more than an expression, or that hold in
many modules alike, are named functions (`sdq_imaging.dicom.condition_predicates`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from sdq_core.dicom.elements import PIXEL_GROUP
from sdq_imaging.dicom.condition_questions import QUESTIONS

if TYPE_CHECKING:
    from sdq_core.dicom.levels import Level

__all__ = ["Answer", "Object", "Predicate", "asked", "evaluate", "is_silent"]


GROUPS = (0x52009229, 0x52009230)
"""Shared and per-frame functional groups."""


class Answer(Enum):
    """Whether a conditional attribute is required here."""

    REQUIRED = "required"
    NOT_REQUIRED = "not required"
    MANUAL_REVIEW = "for manual review"


@dataclass(frozen=True, slots=True)
class Object:
    """What conditions may need to know of the whole object.

    Parameters
    ----------
    iod : str
    root : Level
    has_pixels : bool or None
        Whether there is pixel data; None where only the header is at hand.
    """

    iod: str
    root: Level
    has_pixels: bool | None = None


@dataclass(frozen=True, slots=True)
class Predicate:
    """A condition as a function.

    Parameters
    ----------
    name : str
    source : str
        Where PS3.3 states it.
    answer : callable
        ``answer(level, object) -> Answer``; `level` is where the attribute stands or is missing.
    speaks : bool
        Whether its hesitation is worth a note of its own.
    question : str
        Name of the question that it leaves open where it hesitates; empty: none.
    """

    name: str
    source: str
    answer: Callable[[Level, Object], Answer]
    speaks: bool = False
    question: str = ""


def evaluate(expression: Any, level: Level, whole: Object) -> bool | None:
    """Evaluate the expression of a condition.

    Parameters
    ----------
    expression : list or "?"
        See ``tools/dicom_prose.py``.
    level : Level
        Where the attribute stands or is missing.
    whole : Object

    Returns
    -------
    bool or None
        None where it cannot be decided.

    Examples
    --------
    >>> from pydicom import Dataset
    >>> from sdq_core.dicom.levels import level_of
    >>> header = Dataset()
    >>> header.LossyImageCompression = "01"
    >>> level = level_of(header)
    >>> evaluate(["is", "00282110", 0, ["01"]], level, Object("ct-image", level))
    True
    >>> evaluate(["and", "?", ["is", "00282110", 0, ["00"]]], level, Object("ct-image", level))
    False
    """
    if isinstance(expression, str):
        return None
    operator, *operands = expression
    if operator == "ask":
        evidence = QUESTIONS[operands[0]].evidence
        return None if evidence is None else evidence(level, whole)
    if operator == "not":
        inner = evaluate(operands[0], level, whole)
        if inner is False and operands[0][0] == "is" and _found(operands[0][1], level)[0] is None:
            return None  # "is other than NONE" says nothing of an absent attribute
        return None if inner is None else not inner
    if operator in ("and", "or"):
        answers = [evaluate(operand, level, whole) for operand in operands]
        deciding: bool = operator == "or"
        if deciding in answers:
            return deciding
        return None if None in answers else not deciding
    if int(operands[0].lstrip("^"), 16) >> 16 == PIXEL_GROUP:
        return whole.has_pixels
    holder, tag = _found(operands[0], level)
    if holder is None and operands[0].startswith("^") and _has_groups(whole.root):
        return None  # it may stand in a functional group
    if operator == "has":
        return holder is not None and not holder.is_empty(tag)
    if operator == ">":
        return _is_greater(holder, tag, operands[1])
    if operator == "points":
        return holder is not None and int(operands[1], 16) in holder.numbers(tag)
    if operator == "private":
        return holder is not None and any(int(v) >> 16 & 1 for v in holder.numbers(tag))
    if operator == "code":
        return _has_code(holder, tag, operands[1])
    return holder is not None and _is_one_of(holder, tag, operands[1], operands[2])


def _has_groups(root: Level) -> bool:
    return any(group in root for group in GROUPS)


def _found(reference: str, level: Level) -> tuple[Level | None, int]:
    tag = int(reference.lstrip("^"), 16)
    if tag in level:
        return level, tag
    above = level.parent if reference.startswith("^") else None
    while above is not None:
        if tag in above:
            return above, tag
        if len(above.path) == 1 and above.path[0][0] in GROUPS:
            beside = _in_macros(above, tag)
            if beside is not None:
                return beside, tag
        above = above.parent
    return None, tag


def _in_macros(group: Level, tag: int) -> Level | None:
    """Find an attribute in another macro of the same frame, else of the shared or first one."""
    root = group.parent
    others = [] if root is None else [(root.items.get(g) or (None,))[0] for g in GROUPS]
    for candidate in (group, *others):
        for items in () if candidate is None else candidate.items.values():
            if items and tag in items[0]:
                return items[0]
    return None


def _is_one_of(level: Level, tag: int, number: int, allowed: list[str]) -> bool:
    values = [v.strip() for v in level.texts(tag)] or [f"{v:g}" for v in level.numbers(tag)]
    if number:
        values = values[number - 1 : number]
    return any(value in allowed for value in values)


def _is_greater(level: Level | None, tag: int, bound: float) -> bool | None:
    if level is None or level.is_empty(tag):
        return False
    values = level.numbers(tag)  # none where the value is not a number
    return any(value > bound for value in values) if values else None


def _has_code(level: Level | None, tag: int, wanted: list[str]) -> bool | None:
    items = () if level is None else level.items.get(tag) or ()
    if any(item.text(0x00080100) in wanted for item in items):
        return True
    # The same concept may be coded by another scheme, such as the older SNOMED codes.
    return False if all(item.text(0x00080102) in ("SCT", "DCM") for item in items) else None


def asked(expression: Any, level: Level, whole: Object) -> Iterator[str]:
    """Yield the questions of an expression that the file leaves open.

    Parameters
    ----------
    expression : list or "?"
    level : Level
    whole : Object

    Examples
    --------
    >>> from pydicom import Dataset
    >>> from sdq_core.dicom.levels import level_of
    >>> level = level_of(Dataset())
    >>> list(asked(["ask", "calibrated"], level, Object("cr-image", level)))
    ['calibrated']
    """
    if isinstance(expression, list):
        if expression[0] == "ask":
            if evaluate(expression, level, whole) is None:
                yield expression[1]
        else:
            for operand in expression[1:]:
                yield from asked(operand, level, whole)


def is_silent(expression: Any) -> bool:
    """Return whether any part of an expression is prose that no program understands.

    Examples
    --------
    >>> is_silent(["and", "?", ["has", "00282110"]]), is_silent(["has", "00282110"])
    (True, False)
    """
    if isinstance(expression, list):
        return expression[0] in ("and", "or", "not") and any(is_silent(e) for e in expression[1:])
    return bool(expression == "?")
