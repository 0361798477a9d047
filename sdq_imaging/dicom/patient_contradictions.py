"""What a header says of the patient and of dates, against itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sdq_core.dicom.elements import number, parse_date, text
from sdq_core.finding import Finding
from sdq_core.vocabulary import Severity

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["finding", "patient_contradictions"]

UNPAIRED = frozenset(
    [
        "ABDOMEN",
        "BLADDER",
        "BRAIN",
        "CERVIX",
        "CSPINE",
        "HEAD",
        "HEART",
        "LIVER",
        "LSPINE",
        "NECK",
        "PANCREAS",
        "PELVIS",
        "PROSTATE",
        "SKULL",
        "SPLEEN",
        "SPINE",
        "SSPINE",
        "STOMACH",
        "TSPINE",
        "UTERUS",
        "WHOLEBODY",
    ]
)
FEMALE_PARTS, MALE_PARTS = (
    frozenset({"UTERUS", "OVARY", "CERVIX"}),
    frozenset({"PROSTATE", "TESTIS"}),
)
DAYS = {"D": 1.0, "W": 7.0, "M": 30.4375, "Y": 365.25}
PLAUSIBLE = {
    "PatientWeight": (0.2, 650.0, "kg"),
    "PatientSize": (0.2, 2.8, "m"),
    "KVP": (1.0, 1000.0, "kV"),
    "FlipAngle": (-360.0, 360.0, "degrees"),
}
"""Attribute -> least and greatest value that a person or a device can have, and the unit."""


EVENT_DATES = ("SeriesDate", "AcquisitionDate", "ContentDate", "InstanceCreationDate")


def finding(
    rule: str, where: str, english: str, chinese: str, severity: Severity = Severity.ERROR
) -> Finding:
    """Return a finding of the imaging wing.

    Parameters
    ----------
    rule : str
        Area and rule, e.g. ``"semantics.modality"``.
    where : str
        Keyword of the attribute.
    english, chinese : str
        The message.
    severity : Severity

    Returns
    -------
    Finding
    """
    return Finding(f"imaging.{rule}", severity, english, chinese, where)


def patient_contradictions(dataset: Dataset) -> Iterator[Finding]:
    """Find contradictions about the patient, the side examined and the dates.

    Parameters
    ----------
    dataset : pydicom.Dataset

    Yields
    ------
    Finding

    Examples
    --------
    >>> from pydicom import Dataset
    >>> header = Dataset()
    >>> header.Laterality, header.ImageLaterality = "L", "R"
    >>> [f.rule for f in patient_contradictions(header)]
    ['imaging.semantics.laterality']
    """
    yield from _dates(dataset)
    yield from _patient(dataset)
    yield from _laterality(dataset)


def _dates(dataset: Dataset) -> Iterator[Finding]:
    born = parse_date(text(dataset, "PatientBirthDate"))
    study = parse_date(text(dataset, "StudyDate"))
    if born is not None and study is not None and born > study:
        yield finding(
            "semantics.birth_date",
            "PatientBirthDate",
            "PatientBirthDate (0010,0030) lies after StudyDate (0008,0020); correct one of the two",
            "PatientBirthDate (0010,0030) 晚于 StudyDate (0008,0020)；请更正其一",
        )
    for keyword in EVENT_DATES:
        event = parse_date(text(dataset, keyword))
        # One day for studies across midnight and for clocks of different devices.
        if event is not None and study is not None and (study - event).days > 1:
            yield finding(
                "semantics.date_order",
                keyword,
                f"{keyword} lies before StudyDate (0008,0020); check both",
                f"{keyword} 早于 StudyDate (0008,0020)；请核对",
                Severity.WARNING,
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
            yield finding(
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
                yield finding(
                    "semantics.patient_age",
                    "PatientAge",
                    "PatientAge (0010,1010) disagrees with PatientBirthDate and StudyDate; correct "
                    "one",
                    "PatientAge (0010,1010) 与 PatientBirthDate、StudyDate 不符；请更正",
                )
    pregnant = number(dataset, "PregnancyStatus") in (2, 3)  # possibly, definitely (PS3.3 C.7.2.2)
    if sex == "M" and pregnant:
        yield finding(
            "semantics.pregnancy",
            "PregnancyStatus",
            "PregnancyStatus (0010,21C0) contradicts PatientSex (0010,0040); correct one of the "
            "two",
            "PregnancyStatus (0010,21C0) 与 PatientSex (0010,0040) 矛盾；请更正其一",
        )
    part = text(dataset, "BodyPartExamined")
    if (sex == "M" and part in FEMALE_PARTS) or (sex == "F" and part in MALE_PARTS):
        yield finding(
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
            yield finding(
                "semantics.implausible_value",
                keyword,
                f"{keyword} lies outside {low:g} to {high:g} {unit}; check value and unit",
                f"{keyword} 超出 {low:g} 至 {high:g} {unit}；请核对数值与单位",
                Severity.WARNING,
            )


def _laterality(dataset: Dataset) -> Iterator[Finding]:
    series, image = text(dataset, "Laterality"), text(dataset, "ImageLaterality")
    if {series, image} == {"L", "R"}:
        yield finding(
            "semantics.laterality",
            "ImageLaterality",
            "ImageLaterality (0020,0062) contradicts Laterality (0020,0060); correct one of the "
            "two",
            "ImageLaterality (0020,0062) 与 Laterality (0020,0060) 矛盾；请更正其一",
        )
    if series in ("L", "R") and text(dataset, "BodyPartExamined") in UNPAIRED:
        yield finding(
            "semantics.body_part",
            "Laterality",
            "Laterality (0020,0060) has a side, but BodyPartExamined (0018,0015) is not paired; "
            "check both",
            "Laterality (0020,0060) 有侧别，而 BodyPartExamined (0018,0015) 不是成对部位；请核对",
            Severity.WARNING,
        )
