"""Conditions of PS3.3 as named functions, where no expression tells them.

Three reasons to stand here: the standard asks for more than a comparison (laterality, position,
orientation), a macro makes the same condition in many modules (codes, content items, references,
outlines), or the newer attribute has no sentence in the edition that the expressions come from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sdq_imaging import dicom_tables
from sdq_imaging.dicom.condition_evidence import GROUPS
from sdq_imaging.dicom.condition_questions import QUESTIONS
from sdq_imaging.dicom.conditions import Answer, Object, Predicate
from sdq_imaging.dicom.laterality import has_side, side_is_told

if TYPE_CHECKING:
    from sdq_core.dicom.levels import Level

__all__ = ["PREDICATES", "predicate_for"]

Answering = Callable[["Level", Object], Answer]

POSITIONED = frozenset(
    {
        "ct-image", "mr-image", "enhanced-ct-image", "enhanced-mr-image",
        "enhanced-mr-color-image",
    }
)  # fmt: skip
"""IODs that must say how the patient lay (PS3.3 C.7.3.1.1.2)."""


def _yes(required: bool | None) -> Answer:
    if required is None:
        return Answer.MANUAL_REVIEW
    return Answer.REQUIRED if required else Answer.NOT_REQUIRED


def _laterality(level: Level, whole: Object) -> Answer:
    return Answer.NOT_REQUIRED if side_is_told(whole.root) else _yes(has_side(whole.root))


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


def _deidentification(other: int) -> Answering:
    def answer(level: Level, whole: Object) -> Answer:
        removed = level.text(0x00120062) == "YES"
        # An empty one is a fault by itself; to ask for the other as well would count it twice.
        return _yes(removed and other not in level)

    return answer


def _given(tag: int, value: str = "") -> Answering:
    def answer(level: Level, whole: Object) -> Answer:
        return _yes(level.text(tag) == value if value else not level.is_empty(tag))

    return answer


def _code_value(level: Level, whole: Object) -> Answer:
    return _yes(level.is_empty(0x00080119) and level.is_empty(0x00080120))


def _coding_scheme(level: Level, whole: Object) -> Answer:
    return _yes(not (level.is_empty(0x00080100) and level.is_empty(0x00080119)))


def _never(level: Level, whole: Object) -> Answer:
    return Answer.NOT_REQUIRED


def _either(other: int) -> Answering:
    """Require where the other of two is absent."""

    def answer(level: Level, whole: Object) -> Answer:
        return _yes(level.is_empty(other))

    return answer


def _unless(tag: int, value: str) -> Answering:
    """Require unless the attribute has a value; nothing is said where it has none."""

    def answer(level: Level, whole: Object) -> Answer:
        found = level.text(tag)
        return _yes(found != value if found else None)

    return answer


def _as_asked(question: str) -> Answering:
    evidence = QUESTIONS[question].evidence

    def answer(level: Level, whole: Object) -> Answer:
        return _yes(None if evidence is None else evidence(level, whole))

    return answer


VALUE_TYPE = 0x0040A040
CONTENT_VALUES = {
    0x0040A121: ("DATE",),
    0x0040A122: ("TIME",),
    0x0040A120: ("DATETIME",),
    0x0040A123: ("PNAME",),
    0x0040A124: ("UIDREF",),
    0x0040A160: ("TEXT",),
    0x0040A168: ("CODE",),
    0x0040A30A: ("NUMERIC",),
    0x004008EA: ("NUMERIC",),
    0x00081199: ("COMPOSITE", "IMAGE"),
}
"""Attribute of a content item -> the value types that it belongs to."""


def _content_value(tag: int) -> Answering:
    def answer(level: Level, whole: Object) -> Answer:
        # Value Type is of type 1: without it, that is the fault.
        return _yes(level.text(VALUE_TYPE) in CONTENT_VALUES[tag])

    return answer


def _context_value(tag: int) -> Answering:
    """Answer for Acquisition Context, where a value type is optional and any one value will do."""

    def answer(level: Level, whole: Object) -> Answer:
        if not level.is_empty(VALUE_TYPE):
            return _content_value(tag)(level, whole)
        given = any(not level.is_empty(other) for other in CONTENT_VALUES)
        return _yes(False if given else None)

    return answer


def _wide(level: Level, whole: Object) -> Answer:
    return _yes(any(samples > 1 for samples in level.numbers(0x00280002)))


def _numerator(level: Level, whole: Object) -> Answer:
    return _yes(not level.is_empty(0x0040A162))


def _of_several_exposures(level: Level, whole: Object) -> Answer:
    exposures = whole.root.items.get(0x30020030) or ()
    return _yes(len(exposures) > 1 and any(n > 1 for n in whole.root.numbers(0x00280008)))


def _blends(level: Level, whole: Object) -> Answer:
    paths = [item.text(0x00281402) for item in level.items.get(0x00281401) or ()]
    return _yes(any(path and path != "PRIMARY_PVALUES" for path in paths))


def _dimension(tag: int) -> Answering:
    def answer(level: Level, whole: Object) -> Answer:
        items = whole.root.items.get(0x00209222) or ()
        return _yes(any(tag in item.numbers(0x00209165) for item in items))

    return answer


SPECIMENS = frozenset({"119376003", "127457009", "G-8300", "G-8310"})
"""Tissue specimens, as views of a mammogram."""


def _of_a_person(level: Level, whole: Object) -> Answer:
    views = [item.text(0x00080100) for item in level.items.get(0x00540220) or ()]
    return _yes(not views or not SPECIMENS.issuperset(views))


OUTLINES = {
    "RECTANGULAR": (0x00181631, 0x00181632, 0x00181633, 0x00181634),
    "CIRCULAR": (0x00181635, 0x00181636),
    "POLYGONAL": (0x00181637, 0x00181638),
}
_CODES = "PS3.3 section 8, table 8.8-1"
_SPARSE = "PS3.3, Sparse Multi-frame Functional Groups"
_CONTENT = "PS3.3, Content Item Macro"
_REFERENCE = "PS3.3, Image SOP Instance Reference Macro"
_SEGMENTS = "PS3.3 C.8.20.2"
_PERSON = "PS3.3, Person Identification Macro"
_DEVICE = "PS3.3, Device Identification Macro"

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
    ("", 0x00080100): Predicate("code_value", _CODES, _code_value),
    ("", 0x00080102): Predicate("coding_scheme_designator", _CODES, _coding_scheme),
    ("", 0x00080103): Predicate("coding_scheme_version", _CODES, _never),
    ("", 0x00080119): Predicate("long_code_value", _CODES, _never),
    ("", 0x00080120): Predicate("urn_code_value", _CODES, _never),
    ("", 0x00080105): Predicate("mapping_resource", _CODES, _given(0x0008010F)),
    ("", 0x00080106): Predicate("context_group_version", _CODES, _given(0x0008010F)),
    ("", 0x00080107): Predicate("context_group_local_version", _CODES, _given(0x0008010B, "Y")),
    ("", 0x0008010D): Predicate("context_group_creator", _CODES, _given(0x0008010B, "Y")),
    # Text beyond ASCII without it is a fault by itself (`imaging.conformity.character_set`).
    ("sop-common", 0x00080005): Predicate("character_set", "PS3.3 C.12.1.1.2", _never),
    ("modality-lut", 0x00283000): Predicate("modality_lut", "PS3.3 C.11.1", _never),
    ("dx-image", 0x00200020): Predicate("mammogram_orientation", "PS3.3 C.8.11.3", _of_a_person),
    ("enhanced-mammography-image", 0x00200020): Predicate(
        "enhanced_mammogram_orientation", "PS3.3, Enhanced Mammography Image", _of_a_person
    ),
    ("rt-image", 0x00081160): Predicate("exposed_frames", "PS3.3 C.8.8.2", _of_several_exposures),
    ("enhanced-palette-color-lookup-table", 0x00281404): Predicate(
        "first_blending_table", "PS3.3 C.7.6.23", _blends
    ),
    ("enhanced-palette-color-lookup-table", 0x0028140C): Predicate(
        "second_blending_table", "PS3.3 C.7.6.23", _blends
    ),
    ("enhanced-palette-color-lookup-table", 0x00282000): Predicate(
        "blended_colour_space", "PS3.3 C.7.6.23", _blends
    ),
    ("height-map-segmentation-image", 0x00620009): Predicate(
        "height_map_algorithm_name", "PS3.3 C.8.20.5", _unless(0x00620008, "MANUAL")
    ),
    ("height-map-segmentation-image", 0x00620007): Predicate(
        "height_map_algorithm", "PS3.3 C.8.20.5", _unless(0x00620008, "MANUAL")
    ),
    ("photoacoustic-acquisition-parameters", 0x0018982A): Predicate(
        "coupling_medium", "PS3.3 C.8.34.2", _given(0x00189829, "YES")
    ),
    ("microscope-slide-layer-tile-organization", 0x00480303): Predicate(
        "focal_planes", "PS3.3 C.8.12.14", _given(0x00209311, "TILED_FULL")
    ),
    ("", 0x00209241): Predicate("cardiac_phase", "PS3.3 C.7.6.16.2.7", _dimension(0x00209241)),
    ("", 0x00209245): Predicate("respiratory_phase", "PS3.3 C.7.6.16.2.17", _dimension(0x00209245)),
    ("", 0x00280006): Predicate("planar_configuration", "PS3.3 C.7.6.3", _wide),
    ("", 0x00620020): Predicate("tracking_id", _SEGMENTS, _given(0x00620021)),
    ("", 0x00620021): Predicate("tracking_uid", _SEGMENTS, _given(0x00620020)),
    ("", 0x00080080): Predicate("institution_name", _PERSON, _either(0x00080082)),
    ("", 0x00080082): Predicate("institution_code", _PERSON, _either(0x00080080)),
    ("", 0x3010001C): Predicate("alternate_id_type", _DEVICE, _given(0x3010001B)),
    ("", 0x3010001D): Predicate("alternate_id_format", _DEVICE, _given(0x3010001B)),
    ("", 0x0040A162): Predicate(
        "rational_numerator", _CONTENT, _as_asked("precision"), question="precision"
    ),
    ("", 0x0040A163): Predicate("rational_denominator", _CONTENT, _numerator),
    ("", 0x0040A161): Predicate(
        "floating_point", _CONTENT, _as_asked("precision"), question="precision"
    ),
    ("", 0x00081160): Predicate(
        "referenced_frames", _REFERENCE, _as_asked("frames"), question="frames"
    ),
    ("", 0x0062000B): Predicate(
        "referenced_segments", _REFERENCE, _as_asked("segments"), question="segments"
    ),
    ("", 0x0040A0B0): Predicate(
        "referenced_channels", _REFERENCE, _as_asked("channels"), question="channels"
    ),
    **{
        ("", tag): Predicate(f"content_{tag:08X}", _CONTENT, _content_value(tag))
        for tag in CONTENT_VALUES
    },
    **{
        ("acquisition-context", tag): Predicate(
            f"context_{tag:08X}", "PS3.3 C.7.6.14", _context_value(tag), question="content_value"
        )
        for tag in CONTENT_VALUES
    },
    ("sparse-multi-frame-functional-groups", 0x00209161): Predicate(
        "concatenation", _SPARSE, _as_asked("concatenation")
    ),
    **{
        ("sparse-multi-frame-functional-groups", tag): Predicate(
            f"concatenation_{tag:08X}", _SPARSE, _given(0x00209161)
        )
        for tag in (0x00200242, 0x00209162, 0x00209228)
    },
    ("height-map-segmentation-image", 0x30060084): Predicate(
        "height_map_roi", "PS3.3 C.8.20.5", _given(0x00081150, "1.2.840.10008.5.1.4.1.1.481.3")
    ),
    ("enhanced-pet-image", 0x00089237): Predicate(
        "pet_presentation_state",
        "PS3.3, Enhanced PET Image",
        _as_asked("presentation_state"),
        question="presentation_state",
    ),
    ("", 0x00540412): Predicate(
        "orientation_modifier",
        "PS3.3, Patient Orientation Macro",
        _as_asked("orientation"),
        question="orientation",
    ),
    **{
        ("", tag): Predicate(
            f"outline_{tag:08X}", "PS3.3, Outline Definition Macro", _given(0x00181630, shape)
        )
        for shape, tags in OUTLINES.items()
        for tag in tags
    },
    **{
        ("photoacoustic-image", tag): Predicate(
            f"icon_palette_{tag:08X}", "PS3.3 C.7.6.3", _given(0x00280004, "PALETTE COLOR")
        )
        for tag in (0x00281101, 0x00281102, 0x00281103, 0x00281201, 0x00281202, 0x00281203)
    },
}
"""Module (empty: any) and tag -> predicate."""


def predicate_for(module: str, tag: int) -> Predicate | None:
    """Return the named predicate of an attribute in one module, if there is one.

    Parameters
    ----------
    module : str
        Key of the module that makes the attribute conditional; empty for what macros give in any.
    tag : int

    Examples
    --------
    >>> predicate_for("general-series", 0x00200060).name
    'laterality'
    """
    return PREDICATES.get((module, tag))
