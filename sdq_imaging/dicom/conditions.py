"""When an attribute of type 1C or 2C is required: three answers, by data or by a named predicate.

Most conditions of PS3.3 are expressions over other attributes (`sdq_imaging.dicom_tables.notes`).
Those that need more than that, or that hold for every code sequence alike, are functions here, by
name. What neither can decide is for a person: nothing is claimed of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from sdq_core.dicom.elements import PIXEL_GROUP
from sdq_imaging import dicom_tables

if TYPE_CHECKING:
    from sdq_core.dicom.levels import Level

__all__ = ["PREDICATES", "Answer", "Object", "Predicate", "evaluate", "predicate_for"]


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
        Whether its hesitation is worth a person's time, and so a note.
    """

    name: str
    source: str
    answer: Callable[[Level, Object], Answer]
    speaks: bool = False


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
        return holder is not None and any(v > operands[1] for v in holder.numbers(tag))
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


def predicate_for(module: str, tag: int) -> Predicate | None:
    """Return the named predicate of an attribute, if there is one.

    Parameters
    ----------
    module : str
        Key of the module that makes the attribute conditional.
    tag : int

    Examples
    --------
    >>> predicate_for("general-series", 0x00200060).name
    'laterality'
    """
    return PREDICATES.get((module, tag)) or PREDICATES.get(("", tag))


PAIRED = frozenset(
    [
        "ADRENAL", "ANKLE", "AXILLA", "BREAST", "CALCANEUS", "CALF", "CLAVICLE", "EAR", "ELBOW",
        "EXTREMITY", "EYE", "EYELID", "FEMUR", "FINGER", "FOOT", "FOREARM", "HAND", "HIP",
        "HUMERUS", "IAC", "KIDNEY", "KNEE", "LEG", "LOWERLEG", "OVARY", "PATELLA", "RADIUS",
        "SCAPULA", "SHOULDER", "TESTIS", "THIGH", "THUMB", "TIBIA", "TOE", "ULNA", "UPPERARM",
        "WRIST", "ZYGOMA",
    ]
)  # fmt: skip
"""Values of Body Part Examined that have a side (PS3.16 Annex L)."""
UNPAIRED = frozenset(
    [
        "ABDOMEN", "ABDOMENPELVIS", "ANUS", "AORTA", "BACK", "BLADDER", "BODY", "BRAIN", "CERVIX",
        "CHEST", "CHESTABDOMEN", "CHESTABDPELVIS", "COCCYX", "COLON", "CSPINE", "CTSPINE",
        "DUODENUM", "ESOPHAGUS", "GALLBLADDER", "HEAD", "HEADNECK", "HEART", "JAW", "LARYNX",
        "LIVER", "LSPINE", "LSSPINE", "MAXILLA", "MEDIASTINUM", "MOUTH", "NECK", "NECKCHEST",
        "NECKCHESTABDOMEN", "NECKCHESTABDPELV", "NOSE", "PANCREAS", "PELVIS", "PENIS", "PHARYNX",
        "PROSTATE", "RECTUM", "SKULL", "SPINE", "SPLEEN", "SSPINE", "STERNUM", "STOMACH",
        "THYMUS", "THYROID", "TLSPINE", "TONGUE", "TRACHEA", "TSPINE", "UTERUS", "VAGINA",
        "WHOLEBODY",
    ]
)  # fmt: skip

POSITIONED = frozenset(
    {
        "ct-image", "mr-image", "enhanced-ct-image", "enhanced-mr-image",
        "enhanced-mr-color-image",
    }
)  # fmt: skip
"""IODs that must say how the patient lay (PS3.3 C.7.3.1.1.2)."""

LOSSY = frozenset(
    {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.81",
     "1.2.840.10008.1.2.4.203"}
)  # fmt: skip
"""Transfer syntaxes that cannot be lossless."""


def _yes(required: bool | None) -> Answer:
    if required is None:
        return Answer.MANUAL_REVIEW
    return Answer.REQUIRED if required else Answer.NOT_REQUIRED


def _laterality(level: Level, whole: Object) -> Answer:
    root = whole.root
    if any(
        tag in at and not at.is_empty(tag)
        for at in _image_levels(root)
        for tag in (0x00200062, 0x00209072, 0x00240113)
    ):
        return Answer.NOT_REQUIRED
    part = root.text(0x00180015).replace(" ", "").upper()
    if part in PAIRED:
        return Answer.REQUIRED
    return Answer.NOT_REQUIRED if part in UNPAIRED else Answer.MANUAL_REVIEW


def _image_levels(root: Level) -> Iterator[Level]:
    yield root
    for group in GROUPS:
        for item in root.items.get(group) or ():
            yield from item.items.get(0x00209071) or ()


def _patient_position(level: Level, whole: Object) -> Answer:
    return _yes(whole.iod in POSITIONED and 0x00540410 not in whole.root)


def _patient_orientation(level: Level, whole: Object) -> Answer:
    usages = {m.key: m.usage for m in dicom_tables.modules_of(whole.iod)}
    oriented = {"image-plane", "nm-detector", "slide-coordinates", "plane-position-slide"}
    if any(usages.get(key) == "M" for key in oriented):
        return Answer.NOT_REQUIRED
    root = whole.root
    planes = [
        item
        for group in GROUPS
        for item in root.items.get(group) or ()
        if 0x00209116 in item or 0x0020930F in item
    ]
    return _yes(not planes and 0x00200037 not in root and 0x00480102 not in root)


def _deidentification(other: int) -> Callable[[Level, Object], Answer]:
    def answer(level: Level, whole: Object) -> Answer:
        removed = level.text(0x00120062) == "YES"
        # An empty one is a fault by itself; to ask for the other as well would count it twice.
        return _yes(removed and other not in level)

    return answer


def _lossy(level: Level, whole: Object) -> Answer:
    meta = getattr(whole.root.dataset, "file_meta", None)
    syntax = str(meta.get("TransferSyntaxUID", "")) if meta is not None else ""
    return _yes(True if syntax in LOSSY else None)


def _given(tag: int, value: str = "") -> Callable[[Level, Object], Answer]:
    def answer(level: Level, whole: Object) -> Answer:
        return _yes(level.text(tag) == value if value else not level.is_empty(tag))

    return answer


def _code_value(level: Level, whole: Object) -> Answer:
    return _yes(level.is_empty(0x00080119) and level.is_empty(0x00080120))


def _coding_scheme(level: Level, whole: Object) -> Answer:
    return _yes(not (level.is_empty(0x00080100) and level.is_empty(0x00080119)))


def _per_frame_groups(level: Level, whole: Object) -> Answer:
    return _yes(level.text(0x00209311) != "TILED_FULL")


def _never(level: Level, whole: Object) -> Answer:
    return Answer.NOT_REQUIRED


_CODES = "PS3.3 section 8, table 8.8-1"

PREDICATES: dict[tuple[str, int], Predicate] = {
    ("general-series", 0x00200060): Predicate(
        "laterality", "PS3.3 C.7.3.1", _laterality, speaks=True
    ),
    ("general-series", 0x00185100): Predicate(
        "patient_position", "PS3.3 C.7.3.1.1.2", _patient_position
    ),
    ("general-image", 0x00200020): Predicate(
        "patient_orientation", "PS3.3 C.7.6.1.1.1", _patient_orientation
    ),
    # Absent means 1:1; only a present one can be wrong.
    ("", 0x00280034): Predicate("pixel_aspect_ratio", "PS3.3 C.7.6.3.1.7", _never),
    ("", 0x00282110): Predicate("lossy_image_compression", "PS3.3 C.7.6.1.1.5", _lossy),
    ("", 0x00282112): Predicate(
        "lossy_compression_ratio", "PS3.3 C.7.6.1.1.5", _given(0x00282110, "01")
    ),
    ("", 0x00282114): Predicate(
        "lossy_compression_method", "PS3.3 C.7.6.1.1.5", _given(0x00282110, "01")
    ),
    ("patient", 0x00120063): Predicate(
        "deidentification_method", "PS3.3 C.7.1.1", _deidentification(0x00120064)
    ),
    ("patient", 0x00120064): Predicate(
        "deidentification_code", "PS3.3 C.7.1.1", _deidentification(0x00120063)
    ),
    ("", 0x52009230): Predicate("per_frame_groups", "PS3.3 C.7.6.16", _per_frame_groups),
    ("", 0x00080100): Predicate("code_value", _CODES, _code_value),
    ("", 0x00080102): Predicate("coding_scheme_designator", _CODES, _coding_scheme),
    ("", 0x00080103): Predicate("coding_scheme_version", _CODES, _never),
    ("", 0x00080119): Predicate("long_code_value", _CODES, _never),
    ("", 0x00080120): Predicate("urn_code_value", _CODES, _never),
    ("", 0x00080105): Predicate("mapping_resource", _CODES, _given(0x0008010F)),
    ("", 0x00080106): Predicate("context_group_version", _CODES, _given(0x0008010F)),
    ("", 0x00080107): Predicate("context_group_local_version", _CODES, _given(0x0008010B, "Y")),
    ("", 0x0008010D): Predicate("context_group_creator", _CODES, _given(0x0008010B, "Y")),
}
"""Module (empty: any) and tag -> predicate."""
