"""Statements of a header that cannot all be true, and values that cannot be true at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sdq_core.dicom.elements import number, numbers, text
from sdq_core.vocabulary import Severity
from sdq_imaging import dicom_tables
from sdq_imaging.dicom.patient_contradictions import finding, patient_contradictions

if TYPE_CHECKING:
    from pydicom import Dataset

    from sdq_core.finding import Finding

__all__ = ["contradictions"]

_CT, _MR, _PT, _US = (frozenset({m}) for m in ("CT", "MR", "PT", "US"))
_XA = frozenset({"XA", "RF"})
MODALITIES = {
    "ct-image": _CT,
    "enhanced-ct-image": _CT,
    "legacy-converted-enhanced-ct-image": _CT,
    "mr-image": _MR,
    "enhanced-mr-image": _MR,
    "enhanced-mr-color-image": _MR,
    "legacy-converted-enhanced-mr-image": _MR,
    "positron-emission-tomography-image": _PT,
    "enhanced-pet-image": _PT,
    "legacy-converted-enhanced-pet-image": _PT,
    "nuclear-medicine-image": frozenset({"NM"}),
    "ultrasound-image": frozenset({"US", "IVUS"}),
    "ultrasound-multi-frame-image": frozenset({"US", "IVUS"}),
    "enhanced-us-volume": frozenset({"US", "IVUS"}),
    "x-ray-angiographic-image": _XA,
    "x-ray-radiofluoroscopic-image": _XA,
    "enhanced-xa-image": _XA,
    "enhanced-xrf-image": _XA,
    # Older detectors store under CR what they call DX, and the reverse.
    "computed-radiography-image": frozenset({"CR", "DX", "RG", "MG", "IO", "PX", "RF"}),
    "digital-x-ray-image": frozenset({"DX", "CR", "RG", "PX", "RF"}),
    "digital-mammography-x-ray-image": frozenset({"MG"}),
    "breast-tomosynthesis-image": frozenset({"MG"}),
    "breast-projection-x-ray-image": frozenset({"MG"}),
    "digital-intra-oral-x-ray-image": frozenset({"IO"}),
    "rt-image": frozenset({"RTIMAGE"}),
    "rt-dose": frozenset({"RTDOSE"}),
    "segmentation": frozenset({"SEG"}),
    "vl-whole-slide-microscopy-image": frozenset({"SM"}),
}
"""IOD -> values of Modality (0008,0060) that agree with it (PS3.3 section C.8)."""

_GREY = frozenset({"MONOCHROME1", "MONOCHROME2"})
PHOTOMETRIC = {
    "ct-image": ("C.8.2.1.1.2", _GREY),
    "mr-image": ("C.8.3.1.1.2", _GREY),
    "positron-emission-tomography-image": ("C.8.9.4", frozenset({"MONOCHROME2"})),
    "nuclear-medicine-image": ("C.8.4.9", frozenset({"MONOCHROME2", "PALETTE COLOR"})),
}
"""IOD -> clause of PS3.3, and the photometric interpretations that it allows."""

ENUMERATED = {
    "PatientSex": frozenset({"M", "F", "O"}),
    "Laterality": frozenset({"L", "R"}),
    "ImageLaterality": frozenset({"L", "R", "U", "B"}),
    "PatientIdentityRemoved": frozenset({"YES", "NO"}),
    "BurnedInAnnotation": frozenset({"YES", "NO"}),
    "RecognizableVisualFeatures": frozenset({"YES", "NO"}),
    "SyntheticData": frozenset({"YES", "NO"}),
    "LossyImageCompression": frozenset({"00", "01"}),
    "PresentationIntentType": frozenset({"FOR PRESENTATION", "FOR PROCESSING"}),
    "LongitudinalTemporalInformationModified": frozenset({"UNMODIFIED", "MODIFIED", "REMOVED"}),
}
"""Enumerated values (PS3.3): no other value is allowed."""

UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")


def contradictions(dataset: Dataset) -> tuple[Finding, ...]:
    """Find what the header alone shows to be wrong.

    Parameters
    ----------
    dataset : pydicom.Dataset

    Returns
    -------
    tuple of Finding
        Errors ``imaging.semantics.{modality, patient_age, birth_date, laterality,
        pregnancy, window, rescale_slope, uid_reused}`` and
        ``imaging.conformity.{enumerated_value, file_meta, frames}``; warnings
        ``imaging.semantics.{date_order, body_part, implausible_value, echo_time}``. Only values
        that are there are judged.

    Examples
    --------
    >>> from pydicom import Dataset
    >>> header = Dataset()
    >>> header.PatientBirthDate, header.StudyDate = "19700101", "19691231"
    >>> [f.rule for f in contradictions(header)]
    ['imaging.semantics.birth_date']
    """
    return (
        *_modality(dataset),
        *_frames(dataset),
        *_enumerated(dataset),
        *patient_contradictions(dataset),
        *_intensities(dataset),
        *_uids(dataset),
    )


def _modality(dataset: Dataset) -> Iterator[Finding]:
    iod = dicom_tables.iod_of(text(dataset, "SOPClassUID"))
    modality = text(dataset, "Modality")
    allowed = MODALITIES.get(iod or "")
    if modality and allowed is not None and modality not in allowed:
        yield finding(
            "semantics.modality",
            "Modality",
            "Modality (0008,0060) contradicts SOPClassUID (0008,0016); correct one of the two",
            "Modality (0008,0060) 与 SOPClassUID (0008,0016) 矛盾；请更正其一",
        )


def _frames(dataset: Dataset) -> Iterator[Finding]:
    iod, frames = (
        dicom_tables.iod_of(text(dataset, "SOPClassUID")),
        number(dataset, "NumberOfFrames"),
    )
    if iod is None or frames is None or frames <= 1:
        return
    if not any(0x00280008 in module.attributes for module in dicom_tables.modules_of(iod)):
        yield finding(
            "conformity.frames",
            "NumberOfFrames",
            "NumberOfFrames (0028,0008) is more than 1, but SOPClassUID (0008,0016) names a class "
            "of single frames (PS3.3 Annex A); use the multi-frame class or one file a frame",
            "NumberOfFrames (0028,0008) 大于 1，而 SOPClassUID (0008,0016) 为单帧类（PS3.3 "
            "附录 A）；请使用多帧类，或每帧一个文件",
        )


def _enumerated(dataset: Dataset) -> Iterator[Finding]:
    values = [(keyword, text(dataset, keyword), allowed) for keyword, allowed in ENUMERATED.items()]
    iod = dicom_tables.iod_of(text(dataset, "SOPClassUID"))
    if iod in PHOTOMETRIC:
        colours = text(dataset, "PhotometricInterpretation")
        values.append(("PhotometricInterpretation", colours, PHOTOMETRIC[iod][1]))
    for keyword, value, allowed in values:
        if value and value not in allowed:
            listed = ", ".join(sorted(allowed))
            yield finding(
                "conformity.enumerated_value",
                keyword,
                f"{keyword} must be one of {listed} (PS3.3 enumerated values); write one of these",
                f"{keyword} 必须为 {listed} 之一（PS3.3 枚举值）；请更正",
            )
    meta = getattr(dataset, "file_meta", None)
    for kind in ("Class", "Instance"):
        inner, outer = text(dataset, f"SOP{kind}UID"), ""
        if meta is not None:
            outer = text(meta, f"MediaStorageSOP{kind}UID")
        if inner and outer and inner != outer:
            yield finding(
                "conformity.file_meta",
                f"MediaStorageSOP{kind}UID",
                f"MediaStorageSOP{kind}UID differs from SOP{kind}UID (PS3.10 section 7.1); make "
                "them equal",
                f"MediaStorageSOP{kind}UID 与 SOP{kind}UID 不一致（PS3.10 7.1）；请使两者一致",
            )


def _intensities(dataset: Dataset) -> Iterator[Finding]:
    widths, centres = numbers(dataset, "WindowWidth"), numbers(dataset, "WindowCenter")
    if any(width <= 0 for width in widths):
        yield finding(
            "semantics.window",
            "WindowWidth",
            "WindowWidth (0028,1051) must be positive (PS3.3 C.11.2.1.2); correct it",
            "WindowWidth (0028,1051) 必须为正（PS3.3 C.11.2.1.2）；请更正",
        )
    if widths and centres and len(widths) != len(centres):
        yield finding(
            "semantics.window",
            "WindowCenter",
            "WindowCenter and WindowWidth have different numbers of values (PS3.3 C.11.2.1.2); "
            "pair them",
            "WindowCenter 与 WindowWidth 的值个数不同（PS3.3 C.11.2.1.2）；请成对写入",
        )
    if number(dataset, "RescaleSlope") == 0:
        yield finding(
            "semantics.rescale_slope",
            "RescaleSlope",
            "RescaleSlope (0028,1053) is zero, which makes every pixel equal; correct it",
            "RescaleSlope (0028,1053) 为零，使全部像素相等；请更正",
        )
    echo, repetition = number(dataset, "EchoTime"), number(dataset, "RepetitionTime")
    if echo is not None and repetition is not None and 0 < repetition < echo:
        yield finding(
            "semantics.echo_time",
            "EchoTime",
            "EchoTime (0018,0081) exceeds RepetitionTime (0018,0080); check both",
            "EchoTime (0018,0081) 大于 RepetitionTime (0018,0080)；请核对",
            Severity.WARNING,
        )


def _uids(dataset: Dataset) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for keyword in UIDS:
        uid = text(dataset, keyword)
        if uid and uid in seen:
            yield finding(
                "semantics.uid_reused",
                keyword,
                f"{keyword} equals {seen[uid]}; different things need different UIDs (PS3.5 "
                "section 9)",
                f"{keyword} 与 {seen[uid]} 相同；不同对象须用不同的 UID（PS3.5 第 9 章）",
            )
        elif uid:
            seen[uid] = keyword
