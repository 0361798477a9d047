"""Statements of a header that cannot all be true, and values that cannot be true at all."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from sdq_core.finding import Finding
from sdq_core.vocabulary import Severity
from sdq_imaging import dicom_tables
from sdq_imaging.dicom.elements import attribute_name, number, numbers, text, texts

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["contradictions", "parse_date"]

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
"""IOD -> values of Modality (0008,0060) that agree with it (series modules of PS3.3 section C.8)."""

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

IMAGE_TYPE = (frozenset({"ORIGINAL", "DERIVED", "MIXED"}), frozenset({"PRIMARY", "SECONDARY", "MIXED"}))
"""Values 1 and 2 of Image Type (PS3.3 C.7.6.1.1.2; MIXED in enhanced multi-frame objects)."""

UNPAIRED = frozenset(
    "ABDOMEN BLADDER BRAIN CERVIX CSPINE HEAD HEART LIVER LSPINE NECK PANCREAS PELVIS PROSTATE SKULL "
    "SPLEEN SPINE SSPINE STOMACH TSPINE UTERUS WHOLEBODY".split()
)
FEMALE_PARTS, MALE_PARTS = frozenset({"UTERUS", "OVARY", "CERVIX"}), frozenset({"PROSTATE", "TESTIS"})
UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")
DAYS = {"D": 1.0, "W": 7.0, "M": 30.4375, "Y": 365.25}
POSITIVE = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelAspectRatio")
PLAUSIBLE = {
    "PatientWeight": (0.2, 650.0, "kg"),
    "PatientSize": (0.2, 2.8, "m"),
    "KVP": (1.0, 1000.0, "kV"),
    "FlipAngle": (-360.0, 360.0, "degrees"),
}
"""Attribute -> least and greatest value that a person or a device can have, and the unit."""


def parse_date(value: str) -> date | None:
    """Return a DICOM date, or None when it is not one.

    Parameters
    ----------
    value : str
        ``YYYYMMDD``.

    Returns
    -------
    datetime.date or None

    Examples
    --------
    >>> parse_date("20240229"), parse_date("20250229")
    (datetime.date(2024, 2, 29), None)
    """
    if len(value) != 8 or not (value.isascii() and value.isdigit()):
        return None
    try:
        return date(int(value[:4]), int(value[4:6]), int(value[6:]))
    except ValueError:
        return None


def contradictions(dataset: Dataset, *, reference_date: date | None = None) -> tuple[Finding, ...]:
    """Find what the header alone shows to be wrong.

    Parameters
    ----------
    dataset : pydicom.Dataset
    reference_date : datetime.date, optional
        A date that no event of the file can come after, such as the day of the test; without one
        dates in the future are not judged, so that the same file always gives the same findings.

    Returns
    -------
    tuple of Finding
        Errors ``imaging.semantics.{modality, patient_age, birth_date, future_date, laterality,
        pregnancy, window, rescale_slope, spacing, orientation, uid_reused}`` and
        ``imaging.conformity.{enumerated_value, file_meta}``; warnings
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
        *_enumerated(dataset),
        *_dates(dataset, reference_date),
        *_patient(dataset),
        *_laterality(dataset),
        *_intensities(dataset),
        *_geometry(dataset),
        *_uids(dataset),
    )


def _finding(
    rule: str, where: str, english: str, chinese: str, severity: Severity = Severity.ERROR
) -> Finding:
    return Finding(f"imaging.{rule}", severity, english, chinese, where)


def _modality(dataset: Dataset) -> Iterator[Finding]:
    iod = dicom_tables.iod_of(text(dataset, "SOPClassUID"))
    modality = text(dataset, "Modality")
    allowed = MODALITIES.get(iod or "")
    if modality and allowed is not None and modality not in allowed:
        yield _finding(
            "semantics.modality",
            "Modality",
            "Modality (0008,0060) contradicts SOPClassUID (0008,0016); correct one of the two",
            "Modality (0008,0060) 与 SOPClassUID (0008,0016) 矛盾；请更正其一",
        )


def _enumerated(dataset: Dataset) -> Iterator[Finding]:
    values = [(keyword, text(dataset, keyword), allowed) for keyword, allowed in ENUMERATED.items()]
    image_type = [value.strip() for value in texts(dataset, "ImageType")]
    values += [("ImageType", v, a) for v, a in zip(image_type, IMAGE_TYPE, strict=False)]
    for keyword, value, allowed in values:
        if value and value not in allowed:
            listed = ", ".join(sorted(allowed))
            yield _finding(
                "conformity.enumerated_value",
                keyword,
                f"{keyword} must be one of {listed} (PS3.3 enumerated values); write one of these",
                f"{keyword} 必须为 {listed} 之一（PS3.3 枚举值）；请更正",
            )
    if len(image_type) == 1:
        yield _finding(
            "conformity.enumerated_value",
            "ImageType",
            "ImageType (0008,0008) has one value; PS3.3 C.7.6.1.1.2 demands at least two; add value 2",
            "ImageType (0008,0008) 只有一个值；PS3.3 C.7.6.1.1.2 要求至少两个；请补写值 2",
        )
    meta = getattr(dataset, "file_meta", None)
    for kind in ("Class", "Instance"):
        inner, outer = text(dataset, f"SOP{kind}UID"), ""
        if meta is not None:
            outer = text(meta, f"MediaStorageSOP{kind}UID")
        if inner and outer and inner != outer:
            yield _finding(
                "conformity.file_meta",
                f"MediaStorageSOP{kind}UID",
                f"MediaStorageSOP{kind}UID differs from SOP{kind}UID (PS3.10 section 7.1); make them equal",
                f"MediaStorageSOP{kind}UID 与 SOP{kind}UID 不一致（PS3.10 7.1）；请使两者一致",
            )


EVENT_DATES = ("SeriesDate", "AcquisitionDate", "ContentDate", "InstanceCreationDate")


def _dates(dataset: Dataset, reference_date: date | None) -> Iterator[Finding]:
    born = parse_date(text(dataset, "PatientBirthDate"))
    study = parse_date(text(dataset, "StudyDate"))
    if born is not None and study is not None and born > study:
        yield _finding(
            "semantics.birth_date",
            "PatientBirthDate",
            "PatientBirthDate (0010,0030) lies after StudyDate (0008,0020); correct one of the two",
            "PatientBirthDate (0010,0030) 晚于 StudyDate (0008,0020)；请更正其一",
        )
    for keyword in EVENT_DATES:
        event = parse_date(text(dataset, keyword))
        # One day for studies across midnight and for clocks of different devices.
        if event is not None and study is not None and (study - event).days > 1:
            yield _finding(
                "semantics.date_order",
                keyword,
                f"{keyword} lies before StudyDate (0008,0020); check both",
                f"{keyword} 早于 StudyDate (0008,0020)；请核对",
                Severity.WARNING,
            )
    if reference_date is None:
        return
    for keyword in ("PatientBirthDate", "StudyDate", *EVENT_DATES):
        event = parse_date(text(dataset, keyword))
        if event is not None and event > reference_date:
            yield _finding(
                "semantics.future_date",
                keyword,
                f"{keyword} lies in the future; correct it",
                f"{keyword} 在将来；请更正",
            )


def _patient(dataset: Dataset) -> Iterator[Finding]:
    age, sex = text(dataset, "PatientAge"), text(dataset, "PatientSex")
    if len(age) == 4 and age[:3].isdigit() and age[3] in DAYS:
        days = int(age[:3]) * DAYS[age[3]]
        born = parse_date(text(dataset, "PatientBirthDate"))
        study = parse_date(text(dataset, "StudyDate"))
        # Ages over 89 are capped at 90 on release (45 CFR 164.514(b)(2)(i)(C)).
        capped = age[3] == "Y" and int(age[:3]) in (89, 90)
        if days > 125 * DAYS["Y"]:
            yield _finding(
                "semantics.patient_age",
                "PatientAge",
                "PatientAge (0010,1010) exceeds 125 years; correct it",
                "PatientAge (0010,1010) 超过 125 岁；请更正",
            )
        elif born is not None and study is not None and born <= study:
            lived = (study - born).days
            # An age counts completed units, and rounding to the nearest is common.
            slack = 1.5 * DAYS[age[3]]
            if abs(lived - days) > slack and not (capped and lived >= days - slack):
                yield _finding(
                    "semantics.patient_age",
                    "PatientAge",
                    "PatientAge (0010,1010) disagrees with PatientBirthDate and StudyDate; correct one",
                    "PatientAge (0010,1010) 与 PatientBirthDate、StudyDate 不符；请更正",
                )
    pregnant = number(dataset, "PregnancyStatus") in (2, 3)  # possibly, definitely (PS3.3 C.7.2.2)
    if sex == "M" and pregnant:
        yield _finding(
            "semantics.pregnancy",
            "PregnancyStatus",
            "PregnancyStatus (0010,21C0) contradicts PatientSex (0010,0040); correct one of the two",
            "PregnancyStatus (0010,21C0) 与 PatientSex (0010,0040) 矛盾；请更正其一",
        )
    part = text(dataset, "BodyPartExamined")
    if (sex == "M" and part in FEMALE_PARTS) or (sex == "F" and part in MALE_PARTS):
        yield _finding(
            "semantics.body_part",
            "BodyPartExamined",
            "BodyPartExamined (0018,0015) is unusual for PatientSex (0010,0040); check both",
            "BodyPartExamined (0018,0015) 与 PatientSex (0010,0040) 不常并存；请核对",
            Severity.WARNING,
        )
    for keyword, (low, high, unit) in PLAUSIBLE.items():
        value = number(dataset, keyword)
        # Zero is what many devices write for a value that they do not know.
        if value is not None and value != 0 and not low <= value <= high:
            yield _finding(
                "semantics.implausible_value",
                keyword,
                f"{keyword} lies outside {low:g} to {high:g} {unit}; check value and unit",
                f"{keyword} 超出 {low:g} 至 {high:g} {unit}；请核对数值与单位",
                Severity.WARNING,
            )


def _laterality(dataset: Dataset) -> Iterator[Finding]:
    series, image = text(dataset, "Laterality"), text(dataset, "ImageLaterality")
    if {series, image} == {"L", "R"}:
        yield _finding(
            "semantics.laterality",
            "ImageLaterality",
            "ImageLaterality (0020,0062) contradicts Laterality (0020,0060); correct one of the two",
            "ImageLaterality (0020,0062) 与 Laterality (0020,0060) 矛盾；请更正其一",
        )
    if series in ("L", "R") and text(dataset, "BodyPartExamined") in UNPAIRED:
        yield _finding(
            "semantics.body_part",
            "Laterality",
            "Laterality (0020,0060) has a side, but BodyPartExamined (0018,0015) is not paired; check both",
            "Laterality (0020,0060) 有侧别，而 BodyPartExamined (0018,0015) 不是成对部位；请核对",
            Severity.WARNING,
        )


def _intensities(dataset: Dataset) -> Iterator[Finding]:
    widths, centres = numbers(dataset, "WindowWidth"), numbers(dataset, "WindowCenter")
    if any(width <= 0 for width in widths):
        yield _finding(
            "semantics.window",
            "WindowWidth",
            "WindowWidth (0028,1051) must be positive (PS3.3 C.11.2.1.2); correct it",
            "WindowWidth (0028,1051) 必须为正（PS3.3 C.11.2.1.2）；请更正",
        )
    if widths and centres and len(widths) != len(centres):
        yield _finding(
            "semantics.window",
            "WindowCenter",
            "WindowCenter and WindowWidth have different numbers of values (PS3.3 C.11.2.1.2); pair them",
            "WindowCenter 与 WindowWidth 的值个数不同（PS3.3 C.11.2.1.2）；请成对写入",
        )
    if number(dataset, "RescaleSlope") == 0:
        yield _finding(
            "semantics.rescale_slope",
            "RescaleSlope",
            "RescaleSlope (0028,1053) is zero, which makes every pixel equal; correct it",
            "RescaleSlope (0028,1053) 为零，使全部像素相等；请更正",
        )
    echo, repetition = number(dataset, "EchoTime"), number(dataset, "RepetitionTime")
    if echo is not None and repetition is not None and 0 < repetition < echo:
        yield _finding(
            "semantics.echo_time",
            "EchoTime",
            "EchoTime (0018,0081) exceeds RepetitionTime (0018,0080); check both",
            "EchoTime (0018,0081) 大于 RepetitionTime (0018,0080)；请核对",
            Severity.WARNING,
        )


def _geometry(dataset: Dataset) -> Iterator[Finding]:
    faulty = [k for k in POSITIVE if any(v <= 0 for v in numbers(dataset, k))]
    thickness, gap = number(dataset, "SliceThickness"), number(dataset, "SpacingBetweenSlices")
    if thickness is not None and thickness < 0:
        faulty.append("SliceThickness")
    # Nuclear medicine counts slices in either direction (PS3.3 C.8.4.8).
    if gap is not None and gap < 0 and text(dataset, "Modality") != "NM":
        faulty.append("SpacingBetweenSlices")
    for keyword in faulty:
        yield _finding(
            "semantics.spacing",
            keyword,
            f"{keyword} must be positive; correct it",
            f"{keyword} 必须为正；请更正",
        )
    cosines = numbers(dataset, "ImageOrientationPatient")
    if len(cosines) == 6:
        row, column = cosines[:3], cosines[3:]
        product = sum(a * b for a, b in zip(row, column, strict=True))
        lengths = (math.hypot(*row), math.hypot(*column))
        if abs(product) > 1e-3 or any(abs(length - 1) > 1e-3 for length in lengths):
            yield _finding(
                "semantics.orientation",
                "ImageOrientationPatient",
                f"{attribute_name(0x00200037)} must be two orthogonal unit vectors "
                "(PS3.3 C.7.6.2.1.1); correct it",
                f"{attribute_name(0x00200037)} 必须为两个正交单位向量（PS3.3 C.7.6.2.1.1）；请更正",
            )


def _uids(dataset: Dataset) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for keyword in UIDS:
        uid = text(dataset, keyword)
        if uid and uid in seen:
            yield _finding(
                "semantics.uid_reused",
                keyword,
                f"{keyword} equals {seen[uid]}; different things need different UIDs (PS3.5 section 9)",
                f"{keyword} 与 {seen[uid]} 相同；不同对象须用不同的 UID（PS3.5 第 9 章）",
            )
        elif uid:
            seen[uid] = keyword
