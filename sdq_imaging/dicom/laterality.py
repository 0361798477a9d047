"""Body parts with and without a side, and whether an image must tell its side (PS3.16 Annex L)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sdq_core.dicom.levels import Level

__all__ = ["has_side", "side_is_told"]

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

PAIRED_REGIONS = frozenset(
    [
        "72696002", "76752008", "85562004", "56459004", "70258002", "74670003", "16953009",
        "16982005", "29836001", "24136001", "64033007", "81745001", "117590005", "71341001",
        "12611008", "85050009", "62413002", "23416004", "14975008", "68367000", "15497006",
        "40689003", "39607008", "30021000", "40983000", "53120007", "61685007",
    ]
)  # fmt: skip
"""SNOMED CT codes of Anatomic Region Sequence likewise: knee, breast, hand, foot, ankle, wrist,
elbow, shoulder, hip, kidney, eye, ear, femur, tibia, humerus, radius, ulna, forearm, thigh, ovary,
testis, lung, lower leg, upper arm, upper and lower limb."""
UNPAIRED_REGIONS = frozenset(
    [
        "69536005", "12738006", "89546000", "45048000", "51185008", "43799004", "113345001",
        "818981001", "12921003", "816092008", "80891009", "10200004", "41216001", "89837001",
        "35039007", "421060004", "122494005", "122495006", "122496007", "69695003", "32849002",
        "71854001", "15776009", "78961009", "69748006", "15825003", "416775004", "38266002",
        "774007", "416949008",
    ]
)  # fmt: skip
"""Head, brain, skull, neck, chest, abdomen, pelvis, heart, liver, prostate, bladder, uterus, spine
and its parts, stomach, oesophagus, colon, pancreas, spleen, thyroid, aorta, trunk, whole body."""

SIDES = (0x00200062, 0x00209072, 0x00240113)
"""Image Laterality, Frame Laterality, Measurement Laterality."""
BODY_PART, REGION, CODE = 0x00180015, 0x00082218, 0x00080100
GROUPS = (0x52009229, 0x52009230)


def side_is_told(root: Level) -> bool:
    """Return whether the image or one of its frames tells a side, or that there is none."""
    return any(not level.is_empty(tag) for level in _image_levels(root) for tag in SIDES)


def has_side(root: Level) -> bool | None:
    """Return whether the body part has a side; None where the header does not tell the part.

    Examples
    --------
    >>> from pydicom import Dataset
    >>> from sdq_core.dicom.levels import level_of
    >>> header = Dataset()
    >>> header.BodyPartExamined = "WHOLE BODY"
    >>> has_side(level_of(header))
    False
    """
    part = root.text(BODY_PART).replace(" ", "").upper()
    if part in PAIRED or part in UNPAIRED:
        return part in PAIRED
    regions = {
        item.text(CODE) for level in _image_levels(root) for item in level.items.get(REGION) or ()
    }
    if regions & PAIRED_REGIONS:
        return True
    return False if regions and regions <= UNPAIRED_REGIONS else None


def _image_levels(root: Level) -> Iterator[Level]:
    yield root
    for group in GROUPS:
        for item in root.items.get(group) or ():
            yield from item.items.get(0x00209071) or ()
