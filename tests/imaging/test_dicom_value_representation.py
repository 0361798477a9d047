"""Values that break their value representation, planted one at a time."""

from __future__ import annotations

import io
import struct

import pytest
from dicom_objects import valid
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset, dcmread
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from sdq_core.dicom.value_representation import malformed_values
from sdq_imaging.dicom_rules import check

SYNTAX = "breaks the syntax"


def plant(dataset: Dataset, keyword: str, vr: str, value: bytes) -> Dataset:
    """Put bytes into a header as a reader would."""
    tag = Tag(tag_for_keyword(keyword))
    dataset._dict[tag] = RawDataElement(tag, vr, len(value), value, 0, False, True)
    return dataset


def rules(dataset: Dataset) -> list[tuple[str, str]]:
    return [(f.rule.split(".")[-1], f.where) for f in malformed_values(dataset, "imaging")]


BROKEN = [
    ("StudyDate", "DA", b"20250231"),  # not in the calendar
    ("StudyDate", "DA", b"2025.02.01"),  # ACR-NEMA form
    ("StudyDate", "DA", b"20250101-20250201"),  # a range belongs to queries
    ("StudyTime", "TM", b"2460"),
    ("StudyTime", "TM", b"10:30:00"),
    ("AcquisitionDateTime", "DT", b"20251301"),
    ("AcquisitionDateTime", "DT", b"20250231120000"),
    ("PatientAge", "AS", b"45 Y"),
    ("SliceThickness", "DS", b"1,5 "),
    ("SliceThickness", "DS", b"1.23456789012345678"),  # longer than 16
    ("SliceThickness", "DS", b"nan "),
    ("InstanceNumber", "IS", b"1.0 "),
    ("InstanceNumber", "IS", b"2147483648"),  # beyond 32 bits
    ("SOPInstanceUID", "UI", b"1.02.3"),
    ("SOPInstanceUID", "UI", b"1.2.x\0"),
    ("SOPInstanceUID", "UI", b"1." + b"2" * 64),
    ("Modality", "CS", b"ct"),
    ("Modality", "CS", b"CT" * 9),
    ("Manufacturer", "LO", b"m" * 66),
    ("Manufacturer", "LO", b"two\nlines "),
    ("StationName", "SH", b"s" * 18),
    ("PatientName", "PN", b"A^B^C^D^E^F "),
    ("PatientName", "PN", b"a=b=c=d "),
    ("PatientName", "PN", b"n" * 66),
]
SOUND = [
    ("StudyDate", "DA", b"20240229"),
    ("StudyTime", "TM", b"101530.123456 "),
    ("AcquisitionDateTime", "DT", b"20250201120000.5+0800 "),
    ("PatientAge", "AS", b"045Y"),
    ("SliceThickness", "DS", b" -1.5E-3 "),
    ("InstanceNumber", "IS", b"+2147483647"),
    ("SOPInstanceUID", "UI", b"1.2.3\0"),
    ("Modality", "CS", b"CT"),
    ("Manufacturer", "LO", b"m" * 64),
    ("PatientName", "PN", b"A^B^C^D^E=F^G=H "),
    ("ImagePositionPatient", "DS", b"0\\-0.5\\1e2 "),
    ("StudyDate", "DA", b""),
]


@pytest.mark.parametrize(("keyword", "vr", "value"), BROKEN)
def test_a_broken_value_is_found(keyword, vr, value):
    dataset = plant(Dataset(), keyword, vr, value)
    (finding,) = malformed_values(dataset, "imaging")
    assert finding.where == keyword
    assert SYNTAX in finding.message
    text = value.decode().strip("\0 ")
    assert text not in finding.message
    assert text not in finding.message_zh


@pytest.mark.parametrize(("keyword", "vr", "value"), SOUND)
def test_a_sound_value_is_silent(keyword, vr, value):
    assert malformed_values(plant(Dataset(), keyword, vr, value), "imaging") == ()


def test_multiplicity():
    planted = plant(Dataset(), "ImagePositionPatient", "DS", b"0\\0 ")
    assert "multiplicity is 3" in malformed_values(planted, "imaging")[0].message
    assert rules(plant(Dataset(), "Rows", "US", struct.pack("<HH", 1, 2)))
    assert rules(plant(Dataset(), "ImageType", "CS", b"DERIVED\\PRIMARY ")) == []
    assert rules(plant(Dataset(), "ImageType", "CS", b"DERIVED ")) != []  # 2-n


def test_binary_length():
    assert rules(plant(Dataset(), "Rows", "US", b"\x01\x00\x02")) == [
        ("value_representation", "Rows")
    ]
    assert rules(plant(Dataset(), "Rows", "US", b"\x01\x00")) == []


def test_the_vr_itself():
    assert rules(plant(Dataset(), "PatientName", "LO", b"X ")) == [
        ("value_representation", "PatientName")
    ]
    assert rules(plant(Dataset(), "PatientName", "UN", b"X ")) == []
    assert rules(plant(Dataset(), "SmallestImagePixelValue", "SS", b"\x01\x00")) == []  # US or SS


def test_inside_sequences():
    item = plant(Dataset(), "ReferencedSOPInstanceUID", "UI", b"1..2")
    dataset = Dataset()
    dataset.SourceImageSequence = Sequence([Dataset(), item])
    assert rules(dataset) == [
        ("value_representation", "SourceImageSequence[1].ReferencedSOPInstanceUID")
    ]


def test_an_unreadable_sequence_is_a_finding():
    dataset = plant(Dataset(), "SourceImageSequence", "SQ", b"not a sequence at all")
    assert rules(dataset) == [("unreadable_sequence", "SourceImageSequence")]
    assert check(dataset)


@pytest.mark.parametrize(
    ("declared", "value", "quiet"),
    [
        (None, "张三".encode("gb18030"), False),
        ("ISO_IR 6", "Müller".encode("latin-1"), False),
        ("ISO_IR 100", "Müller".encode("latin-1"), True),
        ("ISO_IR 192", "张三".encode(), True),
        ("ISO_IR 192", "Müller".encode("latin-1"), False),
        ("GB18030", "张三".encode("gb18030"), True),
    ],
)
def test_character_sets(declared, value, quiet):
    dataset = plant(Dataset(), "PatientName", "PN", value)
    if declared:
        dataset.SpecificCharacterSet = declared
    assert rules(dataset) == ([] if quiet else [("character_set", "PatientName")])


def test_the_length_is_counted_in_characters():
    dataset = plant(Dataset(), "Manufacturer", "LO", ("医" * 64).encode())
    dataset.SpecificCharacterSet = "ISO_IR 192"
    assert rules(dataset) == []
    plant(dataset, "Manufacturer", "LO", ("医" * 65).encode())
    assert rules(dataset) == [("value_representation", "Manufacturer")]


def test_private_elements_are_not_judged():
    dataset = Dataset()
    dataset.private_block(0x0011, "sdq test", create=True)
    tag = Tag(0x0011, 0x1001)
    dataset._dict[tag] = RawDataElement(tag, "LO", 100, b"x" * 100, 0, False, True)
    assert rules(dataset) == []


@pytest.mark.parametrize("kind", ["CT", "DX"])
def test_reading_changes_nothing(kind):
    """The same findings before and after pydicom has converted the values."""
    buffer = io.BytesIO()
    dataset = valid(kind)
    dataset.save_as(buffer, implicit_vr=False, little_endian=True)
    dataset = dcmread(io.BytesIO(buffer.getvalue()), force=True)
    plant(dataset, "SliceThickness", "DS", b"12345678901234567890")
    before = check(dataset)
    list(dataset.iterall())
    assert [f.where for f in before] == ["SliceThickness"]
    assert check(dataset) == before


@given(
    st.binary(max_size=80),
    st.sampled_from(["DA", "TM", "DS", "IS", "UI", "PN", "LO", "US", "SQ", "UN"]),
)
def test_no_bytes_make_the_rules_fail(value, vr):
    keyword = {"DA": "StudyDate", "TM": "StudyTime", "DS": "PixelSpacing", "IS": "SeriesNumber",
               "UI": "StudyInstanceUID", "PN": "PatientName", "LO": "PatientID", "US": "Rows",
               "SQ": "SourceImageSequence", "UN": "ImageType"}[vr]  # fmt: skip
    dataset = plant(valid("CT"), keyword, vr, value)
    check(dataset)
