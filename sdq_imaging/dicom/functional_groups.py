"""Functional groups of enhanced objects: which macros must be there, and where (PS3.3 C.7.6.16).

A macro stands among the shared groups or in every per-frame item, never in both. Which macros an
IOD needs is in the tables of PS3.3 Annex A, here for CT, MR, PET, US, XA, XRF, tomosynthesis,
segmentation, parametric map, slide microscopy and their kin.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sdq_core.dicom.elements import attribute_name, place_text
from sdq_core.dicom.levels import Level
from sdq_core.finding import Finding
from sdq_core.vocabulary import Severity
from sdq_imaging.dicom.conditions import Object, evaluate
from sdq_imaging.dicom.required_attributes import object_of
from sdq_imaging.dicom_tables.notes import Macro, macros_of

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["functional_group_faults"]

SHARED, PER_FRAME = 0x52009229, 0x52009230
NUMBER_OF_FRAMES, DIMENSION_ORGANIZATION_TYPE = 0x00280008, 0x00209311


def functional_group_faults(source: Dataset | Level) -> tuple[Finding, ...]:
    """Find macros that are missing, doubled or misplaced, and a wrong number of per-frame items.

    Parameters
    ----------
    source : pydicom.Dataset or Level

    Returns
    -------
    tuple of Finding
        Errors ``imaging.metadata.type1_missing`` (a macro that the IOD requires),
        ``imaging.conformity.functional_group_place`` and ``imaging.structure.frame_items``. Nothing
        for an object without functional groups.

    Examples
    --------
    >>> from pydicom import Dataset
    >>> header = Dataset()
    >>> header.SOPClassUID = "1.2.840.10008.5.1.4.1.1.66.4"
    >>> header.SegmentationType = "BINARY"
    >>> header.SharedFunctionalGroupsSequence = [Dataset()]
    >>> header.PerFrameFunctionalGroupsSequence = [Dataset()]
    >>> [f.where for f in functional_group_faults(header)]
    ['PerFrameFunctionalGroupsSequence[0].FrameContentSequence', \
'SharedFunctionalGroupsSequence[0].SegmentIdentificationSequence']
    """
    whole = object_of(source)
    if whole is None or (SHARED not in whole.root and PER_FRAME not in whole.root):
        return ()
    return (*_frame_items(whole.root), *_macros(whole))


def _frame_items(root: Level) -> Iterator[Finding]:
    frames, declared = root.items.get(PER_FRAME) or (), root.numbers(NUMBER_OF_FRAMES)
    if frames and declared and len(frames) != int(declared[0]):
        yield Finding(
            "imaging.structure.frame_items",
            Severity.ERROR,
            f"PerFrameFunctionalGroupsSequence (5200,9230) has {len(frames)} items, but "
            "NumberOfFrames (0028,0008) tells another number of frames (PS3.3 C.7.6.16); write one "
            "item for each frame",
            f"PerFrameFunctionalGroupsSequence (5200,9230) 有 {len(frames)} 个条目，"
            "与 NumberOfFrames (0028,0008) 不符（PS3.3 C.7.6.16）；请为每帧写一个条目",
            "PerFrameFunctionalGroupsSequence",
        )
    shared = root.items.get(SHARED) or ()
    if len(shared) > 1:
        yield Finding(
            "imaging.structure.frame_items",
            Severity.ERROR,
            "SharedFunctionalGroupsSequence (5200,9229) has more than one item (PS3.3 C.7.6.16); "
            "put all shared groups into one",
            "SharedFunctionalGroupsSequence (5200,9229) 的条目多于一个（PS3.3 C.7.6.16）；"
            "请将共享功能组合并为一个条目",
            "SharedFunctionalGroupsSequence",
        )


def _macros(whole: Object) -> Iterator[Finding]:
    root = whole.root
    shared = (root.items.get(SHARED) or (None,))[0]
    frames = root.items.get(PER_FRAME) or ()
    # Frames on a full grid are described by the grid (PS3.3 C.7.6.17.3).
    tiled = root.text(DIMENSION_ORGANIZATION_TYPE) == "TILED_FULL"
    for tag, macro in macros_of(whole.iod).items():
        in_shared = shared is not None and tag in shared
        lacking = [k for k, frame in enumerate(frames) if tag not in frame]
        some = len(lacking) < len(frames)
        if in_shared and some:
            yield _place(tag, SHARED, "both", whole)
        elif (in_shared and macro.place == "P") or (some and macro.place == "S"):
            yield _place(tag, SHARED if in_shared else PER_FRAME, macro.place, whole)
        elif not in_shared and lacking and some and _is_required(macro, whole):
            yield from (_missing(tag, ((PER_FRAME, k),)) for k in lacking)
        elif not in_shared and not some and not tiled and _is_required(macro, whole):
            group = PER_FRAME if macro.place == "P" and frames else SHARED
            yield _missing(tag, ((group, 0),))


def _is_required(macro: Macro, whole: Object) -> bool:
    if macro.usage == "M":
        return True
    return macro.condition is not None and evaluate(macro.condition, whole.root, whole) is True


def _missing(tag: int, path: tuple[tuple[int, int], ...]) -> Finding:
    name = attribute_name(tag)
    return Finding(
        "imaging.metadata.type1_missing",
        Severity.ERROR,
        f"the functional group {name} is required by the IOD (DICOM PS3.3 Annex A), among the "
        "shared groups or for every frame, and is absent here; write it",
        f"IOD 要求功能组 {name}（DICOM PS3.3 附录 A），须置于共享功能组或每一帧中，"
        "但此处缺失；请补写",
        place_text(path, tag),
    )


_WORDS = {
    "both": (
        "stands among the shared groups and per frame; keep one of the two",
        "同时出现在共享功能组与逐帧功能组中；请只保留一处",
    ),
    "P": ("may stand per frame only; move it", "只能置于逐帧功能组中；请移动"),
    "S": ("may stand among the shared groups only; move it", "只能置于共享功能组中；请移动"),
}


def _place(tag: int, group: int, kind: str, whole: Object) -> Finding:
    name, (english, chinese) = attribute_name(tag), _WORDS[kind]
    return Finding(
        "imaging.conformity.functional_group_place",
        Severity.ERROR,
        f"the functional group {name} {english} (PS3.3 C.7.6.16)",
        f"功能组 {name} {chinese}（PS3.3 C.7.6.16）",
        place_text(((group, 0),), tag),
    )
