"""Contradictions and the pixel description: each planted alone into a valid object."""

from __future__ import annotations

import pytest
from dicom_objects import valid
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset

from sdq_core.vocabulary import Severity
from sdq_imaging.dicom.contradictions import contradictions
from sdq_imaging.dicom.pixel_description import expected_pixel_bytes
from sdq_imaging.dicom_rules import check

ERRORS = [
    ("semantics.modality", {"Modality": "MR"}),
    ("semantics.birth_date", {"PatientBirthDate": "20200102", "StudyDate": "20200101"}),
    ("semantics.patient_age",
     {"PatientBirthDate": "19700101", "StudyDate": "20200101", "PatientAge": "045Y"}),
    ("semantics.patient_age",
     {"PatientBirthDate": "20200101", "StudyDate": "20200301", "PatientAge": "005D"}),
    ("semantics.patient_age", {"PatientAge": "200Y"}),
    ("semantics.pregnancy", {"PatientSex": "M", "PregnancyStatus": 3}),
    ("semantics.laterality", {"Laterality": "L", "ImageLaterality": "R"}),
    ("semantics.window", {"WindowCenter": 40, "WindowWidth": 0}),
    ("semantics.window", {"WindowCenter": [40, 50], "WindowWidth": 400}),
    ("semantics.rescale_slope", {"RescaleSlope": 0}),
    ("semantics.spacing", {"PixelSpacing": [0.5, -0.5]}),
    ("semantics.spacing", {"SliceThickness": -1}),
    ("semantics.spacing", {"SpacingBetweenSlices": -1}),
    ("semantics.orientation", {"ImageOrientationPatient": [1, 0, 0, 0, 0.9, 0]}),
    ("semantics.orientation", {"ImageOrientationPatient": [1, 0, 0, 0.6, 0.8, 0]}),
    ("semantics.uid_reused", {"FrameOfReferenceUID": "2.25.11"}),
    ("conformity.enumerated_value", {"PatientSex": "X"}),
    ("conformity.enumerated_value", {"SyntheticData": "TRUE"}),
    ("conformity.enumerated_value", {"ImageType": ["FAKE", "PRIMARY", "AXIAL"]}),
    ("conformity.bits", {"BitsStored": 17, "HighBit": 16}),
    ("conformity.bits", {"HighBit": 15}),
    ("conformity.bits", {"BitsAllocated": 12}),
    ("conformity.photometric_interpretation", {"SamplesPerPixel": 3, "PlanarConfiguration": 0}),
    ("conformity.photometric_interpretation", {"PhotometricInterpretation": "GREY"}),
    ("metadata.type1c_missing", {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}),
    ("structure.zero_size", {"Rows": 0}),
    ("structure.zero_size", {"NumberOfFrames": 0}),
    ("semantics.pixel_range", {"SmallestImagePixelValue": 9, "LargestImagePixelValue": 3}),
]  # fmt: skip
WARNINGS = [
    ("semantics.date_order", {"StudyDate": "20200110", "SeriesDate": "20200101"}),
    ("semantics.body_part", {"PatientSex": "M", "BodyPartExamined": "UTERUS"}),
    ("semantics.body_part", {"Laterality": "L", "BodyPartExamined": "HEAD"}),
    ("semantics.implausible_value", {"PatientSize": 175}),
    ("semantics.echo_time", {"EchoTime": 90, "RepetitionTime": 9}),
]
SOUND = [
    {"PatientBirthDate": "19700630", "StudyDate": "20200101", "PatientAge": "049Y", "PatientSex":
    "F",
     "PregnancyStatus": 3},
    {"PatientBirthDate": "19200101", "StudyDate": "20200101", "PatientAge": "090Y"},  # capped
    {"StudyDate": "20200101", "SeriesDate": "20200101", "ContentDate": "20200102"},
    {"PatientSex": "M", "PregnancyStatus": 1},
    {"Laterality": "L", "ImageLaterality": "L", "BodyPartExamined": "KNEE"},
    {"WindowCenter": [40, 300], "WindowWidth": [400, 1500]},
    {"ImageOrientationPatient": [0.9848, 0.1736, 0, -0.1736, 0.9848, 0]},
    {"PatientWeight": 70, "PatientSize": 1.75, "KVP": 120},
    {"PatientSize": 0, "SliceThickness": 0},
    {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7},
    {"SmallestImagePixelValue": 0, "LargestImagePixelValue": 4095},
]  # fmt: skip


def planted(values: dict) -> Dataset:
    dataset = valid("CT")
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


@pytest.mark.parametrize(("rule", "values"), ERRORS)
def test_errors(rule, values):
    findings = check(planted(values))
    # Colour is wrong in CT whatever else is wrong with it.
    also = (
        {"imaging.conformity.enumerated_value"} if "PhotometricInterpretation" in values else set()
    )
    assert {f.rule for f in findings} == {f"imaging.{rule}"} | also
    assert {f.severity for f in findings} == {Severity.ERROR}
    assert all(f.message_zh and f.message for f in findings)


@pytest.mark.parametrize(("rule", "values"), WARNINGS)
def test_warnings(rule, values):
    assert [(f.rule, f.severity) for f in check(planted(values))] == [
        (f"imaging.{rule}", Severity.WARNING)
    ]


@pytest.mark.parametrize("values", SOUND)
def test_sound_statements_are_silent(values):
    assert check(planted(values)) == ()


def test_nuclear_medicine_may_count_slices_backwards():
    dataset = Dataset()
    dataset.Modality, dataset.SpacingBetweenSlices = "NM", -4
    assert contradictions(dataset) == ()


def test_file_meta_must_agree():
    dataset = valid("CT")
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    assert check(dataset) == ()
    dataset.file_meta.MediaStorageSOPInstanceUID = "2.25.77"
    assert [f.rule for f in check(dataset)] == ["imaging.conformity.file_meta"]


def test_lossy_jpeg_denied():
    dataset = valid("DX")
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.50"
    assert [f.rule for f in check(dataset)] == ["imaging.semantics.lossy_compression"]
    dataset.LossyImageCompression = "01"
    # What was compressed with loss must say how far.
    assert [f.where for f in check(dataset)] == ["LossyImageCompressionRatio"]
    dataset.LossyImageCompressionRatio = 10
    assert check(dataset) == ()


def test_palette_needs_its_tables():
    dataset = planted({"PhotometricInterpretation": "PALETTE COLOR"})
    assert {f.where for f in check(dataset)} == {
        f"{colour}PaletteColorLookupTable{part}"
        for colour in ("Red", "Green", "Blue")
        for part in ("Descriptor", "Data")
    } | {"PhotometricInterpretation"}  # which a CT image may not have at all


@pytest.mark.parametrize(
    ("pixel_range", "signed", "quiet"),
    [
        ((0, 4095), 0, True),
        ((0, 4096), 0, False),
        ((-1, 4095), 0, False),
        ((-2048, 2047), 1, True),
        ((-2049, 0), 1, False),
    ],
)
def test_pixel_values_stay_within_the_stored_bits(pixel_range, signed, quiet):
    dataset = planted({"PixelRepresentation": signed})
    rules = [f.rule for f in check(dataset, pixel_range=pixel_range)]
    assert rules == ([] if quiet else ["imaging.semantics.pixel_range"])


sizes = st.integers(1, 40)


@given(sizes, sizes, st.sampled_from([1, 3]), st.sampled_from([1, 8, 16, 32]), st.integers(1, 5))
def test_the_length_of_native_pixel_data(rows, columns, samples, bits, frames):
    dataset = valid("SC")
    dataset.Rows, dataset.Columns, dataset.NumberOfFrames = rows, columns, frames
    dataset.SamplesPerPixel = samples
    dataset.PhotometricInterpretation = "RGB" if samples == 3 else "MONOCHROME2"
    if samples == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit = bits - 1
    needed = (rows * columns * samples * frames * bits + 7) // 8
    even = needed + needed % 2
    assert expected_pixel_bytes(dataset) == even

    def structure(pixel_bytes):
        return [f.rule for f in check(dataset, pixel_bytes=pixel_bytes) if f.area == "structure"]

    assert structure(needed) == structure(even) == []
    for wrong in (needed - 1, even + 1, even + 2, 0):
        assert structure(wrong) == ["imaging.structure.pixel_data_length"]


@pytest.mark.parametrize(("frames", "kind", "quiet"), [(1, "SC", True), (2, "SC", False)])
def test_frames_only_where_the_class_allows_them(frames, kind, quiet):
    dataset = valid(kind)
    dataset.NumberOfFrames = frames
    assert [f.rule for f in check(dataset)] == ([] if quiet else ["imaging.conformity.frames"])


@pytest.mark.parametrize(
    ("centre", "width", "quiet"), [(0, 400, True), (3000, 100, True), (9000, 100, False)]
)
def test_a_window_shows_something(centre, width, quiet):
    dataset = planted({"WindowCenter": centre, "WindowWidth": width})
    rules = [f.rule for f in check(dataset)]
    assert rules == ([] if quiet else ["imaging.semantics.window_range"])


def test_original_and_derived_contradict():
    dataset = planted({"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"]})
    assert check(dataset) == ()
    dataset.SyntheticData = "YES"
    assert [f.rule for f in check(dataset)] == ["imaging.semantics.image_type"]
    dataset.ImageType = ["DERIVED", "PRIMARY"]
    assert [f.rule for f in check(dataset)] == ["imaging.conformity.image_type"]


def test_subsampled_colour_takes_two_bytes_a_pixel():
    dataset = valid("SC")
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 3, "YBR_FULL_422"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.PlanarConfiguration = 0
    assert check(dataset, pixel_bytes=4 * 4 * 2) == ()
    assert check(dataset, pixel_bytes=4 * 4 * 3)


def test_the_length_needs_every_factor():
    dataset = valid("CT")
    del dataset.Rows
    assert expected_pixel_bytes(dataset) is None
    assert [f.where for f in check(dataset, pixel_bytes=5)] == ["Rows"]
