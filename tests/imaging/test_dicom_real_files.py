"""The rules on the test files that pydicom carries: real headers, many of them odd."""

from __future__ import annotations

import warnings
from pathlib import Path

import pydicom.data
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from sdq_imaging.dicom_rules import check, check_synthetic, identifiers, level_of


def shipped() -> list[Path]:
    root = Path(pydicom.data.__file__).parent
    other = {".py", ".pyc", ".json", ".txt", ".md", ".dump", ".icc", ".gz", ".jpeg", ".typed"}
    return sorted(p for p in root.rglob("*") if p.is_file() and p.suffix not in other)


def header(path: Path | str):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dcmread(path, stop_before_pixels=True, force=True)


def test_no_file_makes_the_rules_fail_and_reading_changes_no_finding():
    files = shipped()
    assert len(files) > 150
    for number, path in enumerate(files):
        dataset = header(path)
        level = level_of(dataset)
        before = (*check(level), *identifiers(level))
        check_synthetic(level)
        assert all(f.message and f.message_zh and f.area for f in before), path.name
        if number % 3:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                list(dataset.iterall())
            except Exception:
                continue
        assert {(f.rule, f.where) for f in before} == {
            (f.rule, f.where) for f in (*check(dataset), *identifiers(dataset))
        }, path.name


def test_no_message_quotes_a_value():
    for name in ("CT_small.dcm", "MR_small.dcm", "examples_overlay.dcm"):
        dataset = header(get_testdata_file(name, download=False))
        texts = " ".join(f.message + f.message_zh for f in (*check(dataset), *identifiers(dataset)))
        for keyword in ("PatientName", "PatientID", "InstitutionName", "StudyID", "StationName"):
            value = str(dataset.get(keyword, ""))
            assert len(value) < 3 or value not in texts


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small.dcm"])
def test_a_scanner_file_holds_names_and_is_complete(name):
    dataset = header(get_testdata_file(name, download=False))
    rules = {f.rule for f in identifiers(dataset) if f.severity == "error"}
    assert "imaging.identifier.name" in rules
    missing = {f.where for f in check(dataset) if f.area == "metadata"}
    assert missing == set()  # dciodvfy (dicom3tools 1.00) misses nothing either


def test_planted_values_are_found():
    dataset = header(get_testdata_file("badVR.dcm", download=False))
    found = {f.where for f in check(dataset) if f.rule == "imaging.conformity.value_representation"}
    assert {"NumberOfFrames"} <= found


def test_truncated_pixels():
    dataset = dcmread(get_testdata_file("CT_small.dcm", download=False))
    size = len(dataset.PixelData)
    rule = "imaging.structure.pixel_data_length"
    assert rule not in {f.rule for f in check(dataset, pixel_bytes=size)}
    assert rule in {f.rule for f in check(dataset, pixel_bytes=size - 2)}
