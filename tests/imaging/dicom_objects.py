"""Minimal valid objects of five IODs, written from PS3.3 by hand: independent of the tables."""

from __future__ import annotations

from pydicom import Dataset
from pydicom.sequence import Sequence

SOP_CLASSES = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "CR": "1.2.840.10008.5.1.4.1.1.1",
    "SC": "1.2.840.10008.5.1.4.1.1.7",
    "DX": "1.2.840.10008.5.1.4.1.1.1.1",
}

COMMON_1 = {
    "StudyInstanceUID": "2.25.11",
    "SeriesInstanceUID": "2.25.12",
    "SOPInstanceUID": "2.25.13",
    "Modality": "",
    "SamplesPerPixel": 1,
    "PhotometricInterpretation": "MONOCHROME2",
    "Rows": 4,
    "Columns": 4,
    "BitsAllocated": 16,
    "BitsStored": 12,
    "HighBit": 11,
    "PixelRepresentation": 0,
}
COMMON_2 = [
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
    "StudyID",
    "AccessionNumber",
    "SeriesNumber",
    "Manufacturer",
    "InstanceNumber",
]
PLANE = {
    "FrameOfReferenceUID": "2.25.14",
    "PixelSpacing": [0.5, 0.5],
    "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
    "ImagePositionPatient": [0, 0, 0],
}

TYPE_1 = {
    "CT": {**PLANE, "ImageType": ["DERIVED", "PRIMARY", "AXIAL"],
           "RescaleIntercept": -1024, "RescaleSlope": 1},
    "MR": {
        **PLANE,
        "ImageType": ["DERIVED", "PRIMARY", "OTHER"],
        "ScanningSequence": "SE",
        "SequenceVariant": "NONE",
    },
    "CR": {},
    "SC": {"ConversionType": "SYN"},
    "DX": {
        "ImageType": ["DERIVED", "PRIMARY", ""],
        "PresentationIntentType": "FOR PRESENTATION",
        "ImageLaterality": "U",
        "PixelIntensityRelationship": "LOG",
        "PixelIntensityRelationshipSign": -1,
        "RescaleIntercept": 0,
        "RescaleSlope": 1,
        "RescaleType": "US",
        "PresentationLUTShape": "IDENTITY",
        "LossyImageCompression": "00",
        "BurnedInAnnotation": "NO",
        "ImagerPixelSpacing": [0.1, 0.1],
    },
}  # fmt: skip
TYPE_2 = {
    "CT": ["PositionReferenceIndicator", "SliceThickness", "KVP", "AcquisitionNumber"],
    "MR": [
        "PositionReferenceIndicator", "SliceThickness", "ScanOptions", "MRAcquisitionType",
        "EchoTime", "EchoTrainLength",
    ],
    "CR": ["BodyPartExamined", "ViewPosition"],
    "SC": [],
    "DX": ["AnatomicRegionSequence", "AcquisitionContextSequence", "DetectorType"],
}  # fmt: skip
# Required by what else these objects say; 2C may be empty.
CONDITIONAL = {
    "CT": {"PatientPosition": ("2C", "")},
    "MR": {"PatientPosition": ("2C", ""), "RepetitionTime": ("2C", "")},
    "CR": {"PatientOrientation": ("2C", "")},
    "SC": {"PatientOrientation": ("2C", "")},
    "DX": {"PatientOrientation": ("2C", ["L", "F"]), "WindowCenter": ("1C", 50)},
}


def required(kind: str) -> tuple[list[str], list[str]]:
    """Return the type 1 and the type 2 keywords of an object."""
    ones = ["SOPClassUID", *COMMON_1, *TYPE_1[kind]]
    if kind == "SC":
        ones.remove("Modality")  # optional there, PS3.3 C.8.6.1
    twos = [*COMMON_2, *TYPE_2[kind]]
    if kind == "SC":
        twos.remove("Manufacturer")  # General Equipment is a user option there, PS3.3 A.8.1.3
    return ones, twos


def valid(kind: str) -> Dataset:
    """Return a minimal valid object; everything of type 2 is empty."""
    dataset = Dataset()
    dataset.SOPClassUID = SOP_CLASSES[kind]
    for keyword, value in (COMMON_1 | TYPE_1[kind]).items():
        setattr(dataset, keyword, value)
    dataset.Modality = "OT" if kind == "SC" else kind
    dataset.ImageLaterality = "U"  # says that there is no side, so that nobody is asked
    for keyword, (_, value) in CONDITIONAL[kind].items():
        setattr(dataset, keyword, value)
    if kind == "DX":
        dataset.WindowWidth = 100
    for keyword in required(kind)[1]:
        setattr(dataset, keyword, Sequence() if keyword.endswith("Sequence") else None)
    return dataset
