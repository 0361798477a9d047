"""What a file tells of the questions that conditions of PS3.3 ask: yes, no, or nothing.

Each function takes the level where an attribute stands or is missing, and the whole object.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sdq_imaging import dicom_tables
from sdq_imaging.dicom_tables.notes import macros_of

if TYPE_CHECKING:
    from sdq_core.dicom.levels import Level
    from sdq_imaging.dicom.conditions import Object

    Evidence = Callable[[Level, Object], bool | None]

GROUPS = (0x52009229, 0x52009230)
SEGMENTATIONS = frozenset(f"1.2.840.10008.5.1.4.1.1.66.{number}" for number in (4, 5, 7, 8))
"""Segmentation, surface segmentation, label map and height map."""
WAVEFORMS = "1.2.840.10008.5.1.4.1.1.9."
LEGACY_CONVERTED = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.2.2", "1.2.840.10008.5.1.4.1.1.4.4",
        "1.2.840.10008.5.1.4.1.1.128.1",
    }
)  # fmt: skip
LOSSY = frozenset(
    {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.81",
     "1.2.840.10008.1.2.4.203"}
)  # fmt: skip
"""Transfer syntaxes that cannot be lossless."""
JPIP = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in (94, 95, 204, 205))
HUMAN = frozenset({"337915000", "L-85003"})
"""Homo sapiens in SNOMED CT and as an older SNOMED code."""


def transfer_syntax(whole: Object) -> str:
    """Return the transfer syntax of an object; empty without file meta information."""
    meta = getattr(whole.root.dataset, "file_meta", None)
    return "" if meta is None else str(meta.get("TransferSyntaxUID", ""))


def _any(level: Level, *tags: int) -> bool:
    return any(not level.is_empty(tag) for tag in tags)


def yes_if_any(*tags: int) -> Evidence:
    """Return a reader to which presence in the data set says yes, and absence nothing."""

    def evidence(level: Level, whole: Object) -> bool | None:
        return True if _any(whole.root, *tags) else None

    return evidence


def no_unless(*tags: int) -> Evidence:
    """Return a reader to which absence beside the attribute says no, and presence nothing."""

    def evidence(level: Level, whole: Object) -> bool | None:
        return None if _any(level, *tags) else False

    return evidence


def animal(level: Level, whole: Object) -> bool | None:
    """Tell an animal by its species, else by breed, registration or gait (PS3.3 C.7.1.1)."""
    root = whole.root
    species = [item.text(0x00080100) for item in root.items.get(0x00102202) or ()]
    if any(species):
        return not HUMAN.issuperset(code for code in species if code)
    described = root.text(0x00102201).lower()
    if described:
        return described not in ("homo sapiens", "human")
    quadruped = root.text(0x00102210) == "QUADRUPED"
    return True if quadruped or _any(root, 0x00102292, 0x00102293, 0x00102294) else None


def temporal(level: Level, whole: Object) -> bool | None:
    """By the temporal position of the image (PS3.3 C.7.6.16.2.23, C.8.3.1)."""
    positions = whole.root.numbers(0x00200105)
    return True if (positions and positions[0] > 1) or 0x00200100 in whole.root else None


def lossy(level: Level, whole: Object) -> bool | None:
    """By a transfer syntax that loses; a lossless one says nothing of earlier steps."""
    return True if transfer_syntax(whole) in LOSSY else None


def lossy_before(level: Level, whole: Object) -> bool | None:
    """By Lossy Image Compression, which tells of the whole life of the image (C.7.6.1.1.5)."""
    said = {"00": False, "01": True}.get(whole.root.text(0x00282110))
    return lossy(level, whole) if said is None else said


def some_segments(level: Level, whole: Object) -> bool | None:
    """No, unless the reference is to a segmentation."""
    referenced = level.text(0x00081150)
    return None if not referenced or referenced in SEGMENTATIONS else False


def some_frames(level: Level, whole: Object) -> bool | None:
    """No, where the class of the referenced object has single frames."""
    iod = dicom_tables.iod_of(level.text(0x00081150))
    if iod is None:
        return None
    keys = [module.key for module in dicom_tables.modules_of(iod)]
    several = any(k.endswith(("multi-frame", "-functional-groups")) for k in keys)
    return None if several else False


def some_channels(level: Level, whole: Object) -> bool | None:
    """No, unless the reference is to a waveform."""
    referenced = level.text(0x00081150)
    return None if not referenced or referenced.startswith(WAVEFORMS) else False


def specimens(level: Level, whole: Object) -> bool | None:
    """By the items of Specimen Description Sequence (PS3.3 C.7.6.22)."""
    described = None if level.parent is None else level.parent.items.get(0x00400560)
    return None if described is None else len(described) > 1


def group_pointer(level: Level, whole: Object) -> bool | None:
    """By the macros of the IOD and what the groups of this object hold (PS3.3 C.7.6.17)."""
    pointed = [int(v) for v in level.numbers(0x00209165)]
    macros = macros_of(whole.iod)
    if not pointed or not macros:
        return None
    groups = [item for group in GROUPS for item in whole.root.items.get(group) or ()]
    inside = {tag for group in groups for items in group.items.values() for i in items or ()
              for tag in i.elements}  # fmt: skip
    if any(tag in macros or tag in inside for tag in pointed):
        return True
    return False if all(tag in whole.root for tag in pointed) else None


def trigger_waveform(level: Level, whole: Object) -> bool | None:
    """No, without a waveform in the object."""
    return None if 0x54000100 in whole.root else False


def converted(level: Level, whole: Object) -> bool | None:
    """Legacy converted objects are; a source told in a functional group needs no other."""
    groups = (item for group in GROUPS for item in whole.root.items.get(group) or ())
    if any(0x00209172 in group for group in groups):
        return False
    return True if whole.root.text(0x00080016) in LEGACY_CONVERTED else None


def references(level: Level, whole: Object) -> bool | None:
    """No, where the object refers to nothing at all."""
    return None if any(tag == 0x00081155 for _, tag, _ in whole.root.walk()) else False


def segmented(level: Level, whole: Object) -> bool:
    """By segmented palette data beside the attribute (PS3.3 C.7.9)."""
    return any(tag in level for tag in (0x00281221, 0x00281222, 0x00281223))


def not_segmented(level: Level, whole: Object) -> bool:
    """Answer the opposite of `segmented`."""
    return not segmented(level, whole)


def concatenation(level: Level, whole: Object) -> bool:
    """By its attributes: by these alone an instance tells that it is one of several."""
    return _any(whole.root, 0x00209161, 0x00209162, 0x00209228, 0x00209163, 0x00200242)


def any_frame(level: Level, whole: Object) -> bool:
    """Answer yes but on a full grid, which describes the frames itself (PS3.3 C.7.6.17.3)."""
    return whole.root.text(0x00209311) != "TILED_FULL"


def frame_retrieve(level: Level, whole: Object) -> bool | None:
    """One of three ways is used: where another is given, this one was not."""
    return False if _any(level, 0x00081161, 0x00081162, 0x00081163) else None


def jpip(level: Level, whole: Object) -> bool | None:
    """By the transfer syntax."""
    syntax = transfer_syntax(whole)
    return syntax in JPIP if syntax else None


def audio(level: Level, whole: Object) -> bool | None:
    """No, unless the transfer syntax is of a video."""
    syntax = transfer_syntax(whole)
    # MPEG-2, H.264 and HEVC are .100 to .108.
    return None if not syntax or syntax.startswith("1.2.840.10008.1.2.4.10") else False


def scheduled(level: Level, whole: Object) -> bool | None:
    """By a Scheduled Procedure Step ID, which is there under this condition only."""
    return True if _any(level, 0x00400009) else None
