"""Residual identifiers: found where they are, and nothing cried where they are not."""

from __future__ import annotations

import random

import pytest
from dicom_objects import valid
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.datadict import dictionary_VR
from pydicom.sequence import Sequence

from sdq_core.dicom.identifier_attributes import ATTRIBUTES, DATES
from sdq_core.identifiers import IDENTIFIER_KINDS, is_dummy
from sdq_core.vocabulary import Severity
from sdq_imaging.dicom_rules import identifiers, identifiers_in_text

VALUES = {"PN": "Doe^Jane", "DA": "20200315", "DT": "20200315101500", "AE": "MR7"}


def kinds(dataset: Dataset, severity: str | None = None) -> list[str]:
    return [
        f.rule.split(".")[-1]
        for f in identifiers(dataset)
        if severity is None or f.severity == Severity(severity)
    ]


def named() -> Dataset:
    """Return an object straight from the scanner."""
    dataset = valid("CT")
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = (
        "Doe^Jane",
        "00123456",
        "19700315",
    )
    dataset.StudyDate, dataset.SeriesDate = "20200315", "20200315"
    dataset.ReferringPhysicianName, dataset.OperatorsName = "House^Gregory", ["Roe^Jo", "Poe^Al"]
    dataset.InstitutionName, dataset.StationName = "General Hospital", "CT03"
    dataset.AccessionNumber, dataset.PatientAddress = "A20200315001", "1 Main Street"
    return dataset


def document(dataset: Dataset, *codes: str) -> Dataset:
    """Say that the object was de-identified, in the way of public archives."""
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = "Basic Application Confidentiality Profile"
    dataset.DeidentificationMethodCodeSequence = Sequence()
    for code in codes:
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator = code, "DCM"
        dataset.DeidentificationMethodCodeSequence.append(item)
    return dataset


@pytest.mark.parametrize("attribute", ATTRIBUTES, ids=lambda a: a.keyword)
def test_each_attribute_alone_is_found_and_its_dummy_is_not(attribute):
    dataset = valid("CT")
    value = VALUES.get(dictionary_VR(attribute.tag), "Q4711")
    setattr(dataset, attribute.keyword, value)
    (finding,) = identifiers(dataset)
    assert finding.rule == f"imaging.identifier.{attribute.kind}"
    assert finding.where == attribute.keyword
    assert finding.severity is (Severity.ERROR if attribute.direct else Severity.WARNING)
    assert attribute.action in finding.message
    assert value not in finding.message
    assert value not in finding.message_zh
    setattr(dataset, attribute.keyword, "19000101" if value == "20200315" else "ANONYMOUS")
    assert identifiers(dataset) == ()
    setattr(dataset, attribute.keyword, "")
    assert identifiers(dataset) == ()


def test_dates_make_one_finding():
    dataset = valid("CT")
    for keyword, _ in DATES:
        setattr(dataset, keyword, VALUES[dictionary_VR(keyword)])
    (finding,) = identifiers(dataset)
    assert finding.rule == "imaging.identifier.date"
    assert finding.severity is Severity.WARNING
    assert finding.where.split(", ") == [keyword for keyword, _ in DATES]
    dataset.LongitudinalTemporalInformationModified = "UNMODIFIED"
    assert kinds(dataset) == ["date"]
    dataset.LongitudinalTemporalInformationModified = "MODIFIED"
    assert identifiers(dataset) == ()


def test_an_object_from_the_scanner():
    assert sorted(set(kinds(named(), "error"))) == [
        "birth_date", "contact", "name", "record_number", "staff_name",
    ]  # fmt: skip
    assert set(kinds(named(), "warning")) == {"institution", "device", "order_number", "date"}


def test_valid_objects_without_identifiers_are_silent():
    for kind in ("CT", "MR", "CR", "SC", "DX"):
        assert identifiers(valid(kind)) == ()


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("LIDC-IDRI-0001", "LIDC-IDRI-0001"),
        ("TCGA-08-0244", "TCGA-08-0244"),
        ("3f2a91cc", "6e6ad4cb-5b8b"),
        ("ANON^7", "ANON7"),
        ("", "0042"),
    ],
)
def test_documented_pseudonyms_pass(name, number):
    dataset = document(valid("CT"))
    dataset.PatientName, dataset.PatientID = name, number
    dataset.AccessionNumber, dataset.StudyDate = "2819497684894126", "20000101"
    dataset.LongitudinalTemporalInformationModified = "MODIFIED"
    assert identifiers(dataset) == ()


def test_a_claim_without_a_method_does_not_count():
    dataset = valid("CT")
    dataset.PatientID, dataset.PatientIdentityRemoved = "LIDC-IDRI-0001", "YES"
    assert kinds(dataset, "error") == ["record_number"]


@pytest.mark.parametrize(
    "name", ["Doe^Jane", "DOE JANE", "张^三", "欧阳修", "Yamada^Tarou=山田^太郎"]
)
def test_a_name_in_a_documented_object_is_for_a_person_to_look_at(name):
    dataset = document(valid("CT"))
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientName = name
    assert [(f.rule, f.severity) for f in identifiers(dataset)] == [
        ("imaging.identifier.name", Severity.WARNING)
    ]


def test_what_no_declaration_excuses():
    dataset = document(named(), "113100")
    assert set(kinds(dataset, "error")) == {"contact"}
    dataset.PatientID = "11010519491231002X"  # the worked example of GB 11643
    assert "resident_identity_number" in kinds(dataset, "error")


def test_options_retain_what_they_name():
    dataset = document(valid("CT"), "113100", "113112")
    dataset.InstitutionName, dataset.DeviceSerialNumber = "General Hospital", "Q4711"
    assert kinds(dataset) == ["device"]
    dataset = document(dataset, "113112", "113109", "113107")
    dataset.StudyDate = "20200315"
    assert kinds(dataset) == []


def test_a_synthetic_object_is_silent_and_its_copied_name_is_not():
    dataset = valid("SC")
    dataset.SyntheticData = "YES"
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = "P 0001", "0001", "19700315"
    dataset.StudyDate, dataset.Manufacturer, dataset.PatientAge = "20260301", "vae", "095Y"
    assert identifiers(dataset) == ()
    dataset.PatientName = "Doe^Jane"
    assert kinds(dataset) == ["name"]


def test_free_text_is_searched_at_every_depth_and_in_private_elements():
    dataset = valid("CT")
    dataset.SpecificCharacterSet = "ISO_IR 192"
    item = Dataset()
    item.CodeMeaning = "姓名：张三，住院号：00123456"
    dataset.ProcedureCodeSequence = Sequence([item])
    block = dataset.private_block(0x0011, "sdq test", create=True)
    block.add_new(0x01, "LO", "contact a.b@example.org")
    dataset.ImageComments = "call 13800138000"
    assert [(f.rule.split(".")[-1], f.where) for f in identifiers(dataset)] == [
        ("record_number", "ProcedureCodeSequence[0].CodeMeaning"),
        ("name", "ProcedureCodeSequence[0].CodeMeaning"),
        ("email", "(0011,1001)"),
        ("mobile_number", "ImageComments"),
        ("private_attributes", ""),
    ]


def test_private_attributes_overlays_burned_in_text_and_old_age():
    dataset = valid("CT")
    dataset.private_block(0x0011, "sdq test", create=True).add_new(0x01, "LO", "x")
    assert kinds(dataset, "warning") == ["private_attributes"]
    assert kinds(document(dataset, "113111")) == []
    dataset = valid("CT")
    dataset.BurnedInAnnotation, dataset.PatientAge = "YES", "094Y"
    dataset.add_new(0x60003000, "OW", b"\0\0")
    assert set(kinds(dataset)) == {"burned_in_annotation", "age_over_89", "overlay"}
    dataset = valid("CT")
    dataset.BurnedInAnnotation, dataset.PatientAge = "NO", "090Y"
    assert identifiers(dataset) == ()


def test_numbers_in_number_attributes_are_no_telephones():
    dataset = document(valid("CT"))
    dataset.AccessionNumber = "17010112345"
    assert identifiers(dataset) == ()


def test_the_maker_may_name_its_people():
    dataset = valid("SC")
    dataset.SyntheticData = "YES"
    maker = Dataset()
    maker.Manufacturer, maker.InstitutionName, maker.OperatorsName = "Lab", "Institute", "Roe^Jo"
    dataset.ContributingEquipmentSequence = Sequence([maker])
    assert identifiers(dataset) == ()


# Patterns -----------------------------------------------------------------------------------------


def resident_number(seed: int) -> str:
    """Make a valid number by trying every check character: no weights are shared with the rule."""
    rng = random.Random(seed)
    place, day = f"{rng.randint(11, 65)}{rng.randint(0, 9999):04d}", rng.randint(1, 28)
    birth = f"{rng.randint(1930, 2015)}{rng.randint(1, 12):02d}{day:02d}"
    body = f"{place}{birth}{rng.randint(0, 999):03d}"
    # ISO 7064 MOD 11-2, recursive form: P -> (P + digit) * 2 mod 11; the last sum must be 1.
    state = 0
    for digit in body:
        state = (state + int(digit)) * 2 % 11
    return body + "0123456789X"[(1 - state) % 11]


@pytest.mark.parametrize("seed", range(20))
def test_resident_numbers_with_a_right_check_character_only(seed):
    number = resident_number(seed)
    assert identifiers_in_text(f"id {number}.") == ["resident_identity_number"]
    digits = "0123456789X"
    wrong = number[:-1] + digits[(digits.index(number[-1]) + 1 + seed % 10) % 11]
    assert identifiers_in_text(wrong) == []
    swapped = number[:15] + number[16] + number[15] + number[17]
    assert (identifiers_in_text(swapped) == []) == (number[15] != number[16])


def test_the_worked_example_of_the_standard():
    assert identifiers_in_text("11010519491231002X") == ["resident_identity_number"]
    assert identifiers_in_text("11010519491331002X") == []  # month 13


FOUND = [
    ("mobile_number", "+86 138-0013-8000"),
    ("mobile_number", "电话13800138000"),
    ("social_security_number", "SSN 123-45-6789"),
    ("email", "jane.doe@hospital.example"),
    ("telephone", "(212) 555-0187"),
    ("telephone", "010-65121234"),
    ("telephone", "+44 20 7946 0958"),
    ("record_number", "病案号: 0012345"),
    ("record_number", "MRN 00123456"),
    ("record_number", "Medical Record No. A123456"),
    ("insurance_number", "医保号：320102123456"),
    ("name", "姓名: 张三"),
    ("name", "Patient's Name: Jane Doe"),
    ("birth_date", "出生日期 1970年3月15日"),
    ("birth_date", "DOB: 1970-03-15"),
    ("address", "家庭住址：某市某区某路1号"),
    ("telephone", "传真：65121234"),
    ("telephone", "Fax: 555 01 87"),
    ("account_number", "银行卡号：6222 0000 1111"),
    ("account_number", "Account No. 12345678"),
    ("licence_number", "护照号：E12345678"),
    ("licence_number", "Driver's License No: D1234567"),
    ("licence_number", "certificate number 445566"),
    ("vehicle", "车牌号：京A12345"),
    ("vehicle", "VIN 1HGCM82633A004352"),
    ("ip_address", "IP: 192.168.10.21"),
]
QUIET = [
    "", "AX T1 MPRAGE 1.0mm iso", "2020-03-15 10:15:00", "1.3.12.2.1107.5.2.13800138000.4",
    "2.25.110105194912310021", "000-12-3456", "912-34-5678", "v1.2.3-4567",
    "姓名: 匿名", "MRN: ANON0001",
    "Patient Name: Anonymous", "kVp 120 mAs 200", "138001380001", "12800138000", "TE 123-45", "a@b",
    "chest_000123_045.png", "sha256 9f86d081884c7d659a2feaa0c55ad015", "512x512",
    "病案首页", "患者仰卧位", "software 10.0.19.1", "1.2.840.10", "licensed software", "fax modem",
    "tel 5", "plate 3, cassette 2", "vein", "passport size",
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), FOUND)
def test_patterns_find(kind, text):
    assert identifiers_in_text(text) == [kind]
    assert identifiers_in_text(f"before {text} after\nnext line") == [kind]


@pytest.mark.parametrize("text", QUIET)
def test_patterns_stay_quiet(text):
    assert identifiers_in_text(text) == []


def test_every_kind_is_tested():
    assert {k for k, _ in FOUND} | {"resident_identity_number"} == set(IDENTIFIER_KINDS)


@given(st.text(max_size=200))
def test_any_text_gives_kinds_only(text):
    assert set(identifiers_in_text(text)) <= set(IDENTIFIER_KINDS)


@pytest.mark.parametrize(
    ("value", "dummy"),
    [
        ("", True), ("^^", True), ("Anonymized", True), ("DE-IDENTIFIED", True), ("REMOVED", True),
        ("SYN_0001", True), ("Subject 12", True), ("0000", True), ("XXXX", True),
        ("匿名患者", True),
        ("Doe^Jane", False), ("Synder^A", False), ("Testa^Maria", False), ("Nonez^A", False),
        ("张三", False),
        ("00123456", False), ("Casey^Ann", False),
    ],
)  # fmt: skip
def test_dummies(value, dummy):
    assert is_dummy(value) is dummy
