"""What can be wrong in a DICOM object: one function for each rule that it breaks.

Each function changes one object and returns nothing; those that search take the first attribute
whose change the required-attribute rules notice, so that the same fault is made in any IOD.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sdq_core.dicom.elements import MAX_DEPTH
from sdq_core.dicom.levels import level_of
from sdq_imaging.dicom.required_attributes import missing_attributes, object_of
from sdq_imaging.dicom.requirement_rules import rules_for
from sdq_imaging.planting.dicom_synthetic import new_uid

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["CONTRADICTIONS", "FORM", "REQUIRED", "put_raw"]

Fault = Callable[["Dataset"], None]

SPARED: Final = frozenset(
    {0x00080016, 0x00080018, 0x0008001C, 0x00080008, 0x00080060, 0x00082111, 0x0018A001,
     0x0020000E, 0x00200032, 0x00200037, 0x00100020, 0x00280008, 0x00120062, 0x00120063,
     0x00120064, 0x52009229, 0x52009230, 0x00080005}
)  # fmt: skip
"""Attributes that other faults need, or without which the object is not read at all."""
PIXELS: Final = 0x0028
TILTED: Final = [1, 0, 0, 0.6, 0.6, 0]
"""Axes that are neither orthogonal nor of length 1."""
DUMMIES: Final = {"CS": "NONE", "DS": "1", "IS": "1", "LO": "x", "SH": "x", "US": 1, "FD": 1.0}
"""VR -> a value, for an attribute that has no business to be there."""


def put_raw(dataset: Dataset, keyword: str, vr: str, value: bytes) -> None:
    """Write bytes as they are, whatever the dictionary says of the attribute."""
    from pydicom.dataelem import RawDataElement
    from pydicom.tag import Tag

    tag = Tag(keyword)
    implicit = bool(dataset.file_meta.TransferSyntaxUID.is_implicit_VR)
    dataset._dict[tag] = RawDataElement(tag, vr, len(value), value, 0, implicit, True)


def _candidates(dataset: Dataset, types: tuple[str, ...], *, present: bool) -> Iterator[int]:
    whole = object_of(dataset, True)
    if whole is None:
        return
    for tag, rule in sorted(rules_for(whole).items()):
        if tag in SPARED or tag >> 16 == PIXELS or tag >> 16 == 0x7FE0:
            continue
        if any(t in rule.types for t in types) and (tag in dataset) == present:
            yield tag


def _noticed(dataset: Dataset, rule: str) -> int:
    found = missing_attributes(level_of(dataset), has_pixels=True)
    return sum(f.rule.endswith(f".{rule}") for f in found)


def _search(
    rule: str, types: tuple[str, ...], change: Callable[[Dataset, int], None], *, present: bool
) -> Fault:
    def fault(dataset: Dataset) -> None:
        before = _noticed(dataset, rule)
        for tag in list(_candidates(dataset, types, present=present)):
            old = dataset.get_item(tag)
            change(dataset, tag)
            if _noticed(dataset, rule) > before:
                return
            if old is None:
                if tag in dataset:
                    del dataset[tag]
            else:
                dataset._dict[old.tag] = old

    return fault


def _delete(dataset: Dataset, tag: int) -> None:
    del dataset[tag]


def _empty(dataset: Dataset, tag: int) -> None:
    from pydicom.datadict import dictionary_VR

    vr = dictionary_VR(tag).partition(" or ")[0]
    if tag in dataset:
        del dataset[tag]
    dataset.add_new(tag, vr, [] if vr == "SQ" else None)


def _dummy(dataset: Dataset, tag: int) -> None:
    from pydicom.datadict import dictionary_VR

    vr = dictionary_VR(tag)
    if vr in DUMMIES:
        dataset.add_new(tag, vr, DUMMIES[vr])


def _no_method(dataset: Dataset) -> None:
    """Claim a removed identity without saying how (type 1C)."""
    dataset.PatientIdentityRemoved = "YES"
    for keyword in ("DeidentificationMethod", "DeidentificationMethodCodeSequence"):
        if keyword in dataset:
            delattr(dataset, keyword)


def _no_side(dataset: Dataset) -> None:
    """Say nothing of side or body part, so that a person has to look."""
    for keyword in ("Laterality", "ImageLaterality", "BodyPartExamined", "AnatomicRegionSequence"):
        if keyword in dataset:
            delattr(dataset, keyword)


REQUIRED: Final[dict[str, Fault]] = {
    "metadata.conditional_review": _no_side,
    "metadata.type1c_missing": _no_method,
    "metadata.type1_missing": _search("type1_missing", ("1",), _delete, present=True),
    "metadata.type2_missing": _search("type2_missing", ("2",), _delete, present=True),
    "metadata.type2c_missing": _search("type2c_missing", ("2C",), _delete, present=True),
    "metadata.type1_empty": _search("type1_empty", ("1",), _empty, present=True),
    "metadata.type1c_empty": _search("type1c_empty", ("1C",), _empty, present=False),
}
"""Rule -> fault: what is required and is not there."""


def _sex(dataset: Dataset) -> None:
    dataset.PatientSex = "X"


def _term(dataset: Dataset) -> None:
    """Write a term of one's own where PS3.3 lists defined ones."""
    whole = object_of(dataset, True)
    rules = {} if whole is None else rules_for(whole)
    for tag, rule in sorted(rules.items()):
        element = dataset.get_item(tag) if tag in dataset else None
        if tag in SPARED or tag >> 16 == PIXELS or element is None or not rule.defined:
            continue
        if rule.enumerated or str(element.VR) != "CS" or tag == 0x00100040:
            continue
        dataset[tag].value = "OWNTERM"
        return
    dataset.PatientPosition = "OWNTERM"


def _one_value(dataset: Dataset) -> None:
    dataset.ImageType = ["DERIVED"]


def _no_date(dataset: Dataset) -> None:
    """Write a date that no calendar has, and with explicit VR a number as a date's VR."""
    put_raw(dataset, "StudyDate", "DA", b"20241340")
    if not dataset.file_meta.TransferSyntaxUID.is_implicit_VR:
        put_raw(dataset, "PatientSize", "LO", b"tall")


def _odd_bytes(dataset: Dataset) -> None:
    """Write text in another character set than the declared one."""
    dataset.SpecificCharacterSet = "ISO_IR 192"
    put_raw(dataset, "ImageComments", "LT", b"caf\xe9 \xff\xfe ")
    # As if it had been read in that set: writing would turn the bytes into valid ones.
    implicit = bool(dataset.file_meta.TransferSyntaxUID.is_implicit_VR)
    dataset.set_original_encoding(implicit, True, ["utf8"])


def _ownerless(dataset: Dataset) -> None:
    dataset.add_new(0x00091001, "LO", "of nobody")


def _other_meta(dataset: Dataset) -> None:
    from pydicom.uid import UID

    dataset.file_meta.MediaStorageSOPInstanceUID = UID(new_uid("another", dataset.SOPInstanceUID))


def _high_bit(dataset: Dataset) -> None:
    dataset.HighBit = int(dataset.BitsStored)


FORM: Final[dict[str, Fault]] = {
    "conformity.enumerated_value": _sex,
    "conformity.defined_term": _term,
    "conformity.image_type": _one_value,
    "conformity.condition_not_met": _search(
        "condition_not_met", ("1C", "2C"), _dummy, present=False
    ),
    "conformity.value_representation": _no_date,
    "conformity.character_set": _odd_bytes,
    "conformity.private_creator": _ownerless,
    "conformity.file_meta": _other_meta,
    "conformity.bits": _high_bit,
}
"""Rule -> fault: values in another form than the standard's, all of which an object can have."""


def other_colours(dataset: Dataset) -> None:
    """State colours where there is one sample a pixel, and grey where there are three."""
    grey = int(dataset.SamplesPerPixel) == 1
    dataset.PhotometricInterpretation = "RGB" if grey else "MONOCHROME2"


def two_frames(dataset: Dataset) -> None:
    """Put two frames into an object of single frames."""
    dataset.NumberOfFrames = 2
    dataset.PixelData = 2 * dataset.PixelData


def no_class(dataset: Dataset) -> None:
    """Name a SOP class that the registry does not have."""
    from pydicom.uid import UID

    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = UID("1.2.840.99999.1")


def doubled_group(dataset: Dataset) -> None:
    """Put a functional group among the shared ones and into every frame."""
    from pydicom.sequence import Sequence

    shared = dataset.SharedFunctionalGroupsSequence[0]
    frames = dataset.PerFrameFunctionalGroupsSequence
    for tag in list(shared.keys()):
        for frame in frames:
            frame[tag] = shared[tag]
        return
    for tag in list(frames[0].keys()):
        dataset.SharedFunctionalGroupsSequence = Sequence([frames[0]])
        assert tag in frames[0]
        return


def lost_frame_item(dataset: Dataset) -> None:
    """Leave out what is said of the last frame."""
    del dataset.PerFrameFunctionalGroupsSequence[-1]


def shifted_frame(dataset: Dataset) -> None:
    """Move the last frame half a step and more."""
    frames = dataset.PerFrameFunctionalGroupsSequence
    places = [
        np.array([float(v) for v in f.PlanePositionSequence[0].ImagePositionPatient])
        for f in (frames[0], frames[1], frames[-1])
    ]
    step = places[1] - places[0]
    moved = places[2] + 3.7 * step
    frames[-1].PlanePositionSequence[0].ImagePositionPatient = [f"{v:.6g}" for v in moved]


def wrong_groups(dataset: Dataset) -> None:
    """Break orientation and spacing in the functional groups, and move the last frame."""
    shifted_frame(dataset)
    groups = [*dataset.get("SharedFunctionalGroupsSequence", ())]
    groups += dataset.PerFrameFunctionalGroupsSequence
    for group in groups:
        for plane in group.get("PlaneOrientationSequence", ()):
            plane.ImageOrientationPatient = TILTED
        for measures in group.get("PixelMeasuresSequence", ()):
            measures.PixelSpacing = [-0.5, -0.5]


def longer_pixels(dataset: Dataset) -> None:
    """Write more pixel data than rows and columns demand."""
    dataset.PixelData = dataset.PixelData + bytes(64)


def deep_nest(dataset: Dataset) -> None:
    """Nest sequences deeper than is read."""
    from pydicom.dataset import Dataset as Item
    from pydicom.sequence import Sequence

    inner = Item()
    inner.CodeMeaning = "deep"
    for _ in range(MAX_DEPTH + 2):
        outer = Item()
        outer.DerivationCodeSequence = Sequence([inner])
        inner = outer
    dataset.SourceImageSequence = Sequence([inner])


def no_frames(dataset: Dataset) -> None:
    """State zero frames."""
    dataset.NumberOfFrames = 0


def _patient(dataset: Dataset) -> None:
    if not str(dataset.get("StudyDate", "") or ""):
        dataset.StudyDate = "20240101"
    dataset.PatientBirthDate = "20991231"
    dataset.PatientAge = "130Y"
    dataset.PatientSex, dataset.PregnancyStatus = "M", 3


def _side(dataset: Dataset) -> None:
    dataset.Laterality, dataset.ImageLaterality = "L", "R"
    dataset.BodyPartExamined = "BRAIN"


def _numbers(dataset: Dataset) -> None:
    dataset.PatientWeight = 5000
    dataset.EchoTime, dataset.RepetitionTime = 100, 10
    dataset.WindowCenter, dataset.WindowWidth = [40, 1e8], [-1, 10]
    vr = "SS" if int(dataset.get("PixelRepresentation", 0) or 0) else "US"
    for keyword, value in (("SmallestImagePixelValue", 100), ("LargestImagePixelValue", 1)):
        if keyword in dataset:
            delattr(dataset, keyword)
        from pydicom.datadict import tag_for_keyword

        tag = tag_for_keyword(keyword)
        assert tag is not None
        dataset.add_new(tag, vr, value)


def _dates(dataset: Dataset) -> None:
    if not str(dataset.get("StudyDate", "") or ""):
        dataset.StudyDate = "20240101"
    dataset.ContentDate = "19990101"


def _claims(dataset: Dataset) -> None:
    dataset.Modality = "ES"
    values = [str(v) for v in dataset.get("ImageType") or ["", "PRIMARY"]]
    dataset.ImageType = ["ORIGINAL", *values[1:]]
    dataset.SyntheticData = "YES"
    dataset.FrameOfReferenceUID = dataset.StudyInstanceUID


CONTRADICTIONS: Final[dict[str, Fault]] = {
    "patient": _patient,
    "side": _side,
    "numbers": _numbers,
    "dates": _dates,
    "claims": _claims,
}
"""Faults that one object can have together: statements that cannot all be true."""


def flat_slope(dataset: Dataset) -> None:
    """State a rescale slope of zero."""
    dataset.RescaleSlope = 0
    if "RescaleIntercept" not in dataset:
        dataset.RescaleIntercept = 0


def wrong_geometry(dataset: Dataset) -> None:
    """Write a plane whose axes are not orthogonal, and spacings that are not positive."""
    dataset.ImageOrientationPatient = TILTED
    if "ImagePositionPatient" not in dataset:
        dataset.ImagePositionPatient = [0, 0, 0]
    dataset.PixelSpacing = [-0.5, -0.5]


def lossy_denied(dataset: Dataset) -> Any:
    """Compress with loss, and deny it."""
    import io

    from PIL import Image as Picture
    from pydicom.encaps import encapsulate
    from pydicom.uid import JPEGBaseline8Bit

    made = io.BytesIO()
    Picture.fromarray(np.asarray(dataset.pixel_array, np.uint8)).save(made, "JPEG", quality=95)
    dataset.PixelData = encapsulate([made.getvalue()])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    dataset.LossyImageCompression = "00"
