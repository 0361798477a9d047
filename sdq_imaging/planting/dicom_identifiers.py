"""Identifiers left in a DICOM header: in the attributes made for them, and in free text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sdq_imaging.planting.file_plans import IDENTIFIERS

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["in_tags", "in_text"]

ATTRIBUTES: Final[dict[str, str]] = {
    "PatientName": "Zhang^Sanfeng",
    "PatientID": "00123456",
    "PatientBirthDate": "19610305",
    "PatientAddress": "Renmin Road 1, Beijing",
    "InsurancePlanIdentification": "00123457",
    "ReferringPhysicianName": "Li^Shizhen",
    "OperatorsName": "Hua^Tuo",
    "AccessionNumber": "A20240305",
    "InstitutionName": "First Hospital",
    "StationName": "SCANNER7",
    "DeviceSerialNumber": "48213",
    "EthnicGroup": "unknown group",
    "Occupation": "calligrapher",
    "SeriesDescription": "chest, Dr. Li",
    "StudyDate": "20240305",
    "SeriesDate": "20240305",
    "ContentDate": "20240305",
    "PatientAge": "097Y",
    "BurnedInAnnotation": "YES",
    "PatientIdentityRemoved": "YES",
}
"""Attribute -> a value that points to a person, a place or a day; of nobody."""


def in_tags(dataset: Dataset) -> None:
    """Fill the attributes that name people, and keep private ones, a curve and an overlay.

    The object claims that identity was removed and does not say how: what a script leaves that has
    forgotten half of the attributes.
    """
    for keyword, value in ATTRIBUTES.items():
        setattr(dataset, keyword, value)
    for keyword in ("DeidentificationMethod", "DeidentificationMethodCodeSequence"):
        if keyword in dataset:
            delattr(dataset, keyword)
    dataset.add_new(0x00090010, "LO", "SOME VENDOR")
    dataset.add_new(0x00091001, "LO", "who knows what")
    dataset.add_new(0x50003000, "OW", bytes(8))
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    dataset.add_new(0x60000010, "US", rows)
    dataset.add_new(0x60000011, "US", columns)
    dataset.add_new(0x60000040, "CS", "G")
    dataset.add_new(0x60000050, "SS", [1, 1])
    dataset.add_new(0x60000100, "US", 1)
    dataset.add_new(0x60000102, "US", 0)
    size = -(-rows * columns // 8)
    dataset.add_new(0x60003000, "OW", bytes(size + size % 2))


def in_text(dataset: Dataset) -> None:
    """Write one identifier of each kind into a free text, and a name that reads like one."""
    dataset.ImageComments = IDENTIFIERS
    dataset.PatientName = "Zhang^Sanfeng"
