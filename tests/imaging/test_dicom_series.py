"""The files of a series side by side."""

from __future__ import annotations

import pytest
from dicom_objects import valid
from pydicom import Dataset

from sdq_core.dicom.levels import level_of
from sdq_core.finding import Finding
from sdq_core.vocabulary import Severity
from sdq_imaging.dicom.item import judge_item
from sdq_imaging.dicom.series import by_slice, series_faults


def series(depths: list[float]) -> list[Dataset]:
    made = []
    for k, depth in enumerate(depths):
        dataset = valid("CT")
        dataset.SOPInstanceUID, dataset.InstanceNumber = f"2.25.1{k:03d}", k + 1
        dataset.ImagePositionPatient = [0, 0, depth]
        made.append(dataset)
    return made


def found(files: list[Dataset]) -> list[tuple[str, str]]:
    levels = [level_of(f) for f in files]
    return [(f.rule.split(".")[-1], f.where) for f in series_faults(levels)]


def test_a_sound_series_and_a_single_file_are_silent():
    assert found(series([0, 2.5, 5, 7.5])) == []
    assert found(series([0])) == []
    files = series([0, 2.5, 5])
    for file, text in zip(files, ("0.5\\0.5", "0.50\\0.50", "0.5\\0.5"), strict=True):
        file.PixelSpacing = text.split("\\")
    assert found(files) == []


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("PatientID", "another"), ("PatientSex", "F"), ("StudyInstanceUID", "2.25.99"),
        ("Modality", "MR"), ("FrameOfReferenceUID", "2.25.98"), ("PixelSpacing", [0.7, 0.7]),
        ("Manufacturer", "another"), ("StudyDate", "20240202"),
    ],
)  # fmt: skip
def test_what_must_be_equal(keyword, value):
    files = series([0, 2, 4])
    setattr(files[1], keyword, value)
    assert found(files) == [("series_coherence", keyword)]


def test_what_must_differ():
    files = series([0, 2, 4])
    files[2].SOPInstanceUID = files[0].SOPInstanceUID
    assert found(files) == [("uid_not_unique", "SOPInstanceUID")]
    files = series([0, 2, 4])
    files[2].InstanceNumber = 1
    assert found(files) == [("instance_number", "InstanceNumber")]


@pytest.mark.parametrize(
    ("depths", "lost"), [([0, 2, 4, 8, 10], 1), ([0, 2, 4, 12, 14], 3), ([0, 2, 4.2, 6, 8], 0)]
)
def test_missing_slices_are_counted(depths, lost):
    files = series(depths)
    told = list(series_faults([level_of(f) for f in files]))
    if not lost:
        assert told == []
    else:
        (finding,) = told
        assert finding.rule == "imaging.structure.missing_slices"
        assert f"for {lost} more" in finding.message


def test_the_declared_distance():
    files = series([0, 2, 4])
    for file in files:
        file.SpacingBetweenSlices = 2
    assert found(files) == []
    for file in files:
        file.SpacingBetweenSlices = 3
    assert found(files) == [("slice_distance", "SpacingBetweenSlices")]


def test_findings_name_their_slices():
    fault = Finding("imaging.x.y", Severity.ERROR, "m", "m", "A")
    assert [f.where for f in by_slice([[fault], [fault]])] == ["A"]
    assert [f.where for f in by_slice([[fault], [fault], [], [fault], []])] == ["slices 1-2, 4: A"]
    whole = Finding("imaging.x.y", Severity.ERROR, "m", "m")
    assert [f.where for f in by_slice([[], [whole]])] == ["slices 2"]
    assert by_slice([[], []]) == ()


def test_an_item_gives_errors_first(tmp_path):
    files = series([0, 2, 4])
    del files[1].PatientID
    paths = []
    for k, file in enumerate(files):
        paths.append(tmp_path / f"{k}.dcm")
        file.save_as(paths[-1], implicit_vr=False, little_endian=True, enforce_file_format=False)
    _, told = judge_item(files[0], paths[1:])
    order = [f.severity for f in told]
    assert order == sorted(order, key=[Severity.ERROR, Severity.WARNING, Severity.INFO].index)
    assert ("imaging.metadata.type2_missing", "slices 2: PatientID") in {
        (f.rule, f.where) for f in told
    }
