"""Who answers a condition: the file by its evidence, a person by a question, or nobody."""

from __future__ import annotations

import pytest
from dicom_objects import valid
from pydicom import Dataset, dcmread
from pydicom.dataelem import RawDataElement
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from sdq_core.dicom.levels import level_of
from sdq_imaging.dicom.condition_coverage import ASKED, DECIDED, SILENT, condition_coverage
from sdq_imaging.dicom.condition_predicates import PREDICATES, predicate_for
from sdq_imaging.dicom.condition_questions import QUESTIONS
from sdq_imaging.dicom.conditions import Answer, Object, asked, evaluate
from sdq_imaging.dicom.required_attributes import missing_attributes, object_of, open_questions
from sdq_imaging.dicom_tables.notes import macros_of, notes_of


def test_nine_of_ten_conditions_can_be_answered():
    counts, silent = condition_coverage()
    assert counts.total() > 2500  # code sequences aside, functional groups once
    assert counts[SILENT] == len(silent)
    assert (counts[DECIDED] + counts[ASKED]) / counts.total() >= 0.93
    assert counts[DECIDED] / counts.total() >= 0.69


def test_the_count_knows_silence(monkeypatch):
    """Without the sentences of one module its conditions count as silent: the count can fall."""
    from sdq_imaging.dicom import condition_coverage as counting

    before, _ = condition_coverage()
    known = counting.notes_of
    monkeypatch.setattr(counting, "notes_of", lambda m: {} if m == "nm-multi-frame" else known(m))
    after, silent = condition_coverage()
    assert after[SILENT] > before[SILENT] + 10
    assert sum(module == "nm-multi-frame" for module, _ in silent) > 10


def test_every_question_of_the_tables_is_known_and_asked():
    from sdq_imaging.dicom_tables.notes import _tables

    def names(expression):
        if isinstance(expression, list):
            if expression[0] == "ask":
                yield expression[1]
            for operand in expression[1:]:
                yield from names(operand)

    asked_for = {name for e in _tables()["expressions"] for name in names(e)}
    asked_for |= {p.question for p in PREDICATES.values() if p.question}
    assert asked_for == set(QUESTIONS)
    for question in QUESTIONS.values():
        assert question.english.endswith("?")
        assert question.chinese.endswith("？")


def item(**values: object) -> Sequence:
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return Sequence([dataset])


SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
CT, ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4.1"
EVIDENCE = [
    ("animal", {}, None),
    ("animal", {"PatientSpeciesDescription": "Canis familiaris"}, True),
    ("animal", {"PatientSpeciesDescription": "Homo sapiens"}, False),
    ("animal", {"PatientSpeciesCodeSequence": item(CodeValue="337915000")}, False),
    ("animal", {"PatientSpeciesCodeSequence": item(CodeValue="448771007")}, True),
    ("animal", {"PatientBreedDescription": "Beagle"}, True),
    ("temporal", {}, None),
    ("temporal", {"NumberOfTemporalPositions": 1}, None),
    ("temporal", {"NumberOfTemporalPositions": 4}, True),
    ("lossy_before", {}, None),
    ("lossy_before", {"LossyImageCompression": "00"}, False),
    ("lossy_before", {"LossyImageCompression": "01"}, True),
    ("calibrated", {}, None),
    ("calibrated", {"PixelSpacingCalibrationType": "GEOMETRY"}, True),
    ("padding_range", {}, False),
    ("padding_range", {"PixelPaddingValue": 0}, None),
    ("contrast", {}, None),
    ("contrast", {"ContrastBolusAgent": "x"}, True),
    ("segments", {}, None),
    ("segments", {"ReferencedSOPClassUID": CT}, False),
    ("segments", {"ReferencedSOPClassUID": SEGMENTATION}, None),
    ("frames", {"ReferencedSOPClassUID": CT}, False),
    ("frames", {"ReferencedSOPClassUID": ENHANCED_MR}, None),
    ("frames", {"ReferencedSOPClassUID": "1.2.3"}, None),
    ("channels", {"ReferencedSOPClassUID": CT}, False),
    ("channels", {"ReferencedSOPClassUID": "1.2.840.10008.5.1.4.1.1.9.1.1"}, None),
    ("precision", {}, False),
    ("precision", {"NumericValue": "1"}, None),
    ("converted", {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.4.4"}, True),
    ("converted", {"SOPClassUID": CT}, None),
    ("this_study", {}, False),
    ("this_study", {"SourceImageSequence": item(ReferencedSOPInstanceUID="1.2")}, None),
    ("staged", {}, None),
    ("staged", {"StageName": "REST"}, True),
    ("segmented", {}, False),
    ("segmented", {"SegmentedRedPaletteColorLookupTableData": b"\0\0"}, True),
    ("segmented_absent", {}, True),
    ("concatenation", {}, False),
    ("concatenation", {"InConcatenationNumber": 2}, True),
    ("any_frame", {}, True),
    ("any_frame", {"DimensionOrganizationType": "TILED_FULL"}, False),
    ("frame_retrieve", {}, None),
    ("frame_retrieve", {"SimpleFrameList": [1, 2]}, False),
    ("scheduled", {}, None),
    ("scheduled", {"ScheduledProcedureStepID": "1"}, True),
    ("trigger_waveform", {}, False),
    ("trigger_waveform", {"WaveformSequence": item()}, None),
    ("jpip", {}, None),
    ("audio", {}, None),
    ("lossy", {}, None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "values", "expected"), EVIDENCE)
def test_what_a_file_tells(name, values, expected):
    level = level_of(item(**values)[0])
    whole = Object("ct-image", level)
    assert evaluate(["ask", name], level, whole) is expected
    assert list(asked(["and", ["ask", name], "?"], level, whole)) == [name] * (expected is None)


@pytest.mark.parametrize(
    ("syntax", "answers"),
    [
        ("1.2.840.10008.1.2.1", {"jpip": False, "audio": False, "lossy": None}),
        ("1.2.840.10008.1.2.4.50", {"jpip": False, "audio": False, "lossy": True}),
        ("1.2.840.10008.1.2.4.94", {"jpip": True, "audio": False, "lossy": None}),
        ("1.2.840.10008.1.2.4.102", {"jpip": False, "audio": None, "lossy": None}),
    ],
)
def test_what_the_transfer_syntax_tells(syntax, answers):
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    level = level_of(dataset)
    found = {name: evaluate(["ask", name], level, Object("", level)) for name in answers}
    assert found == answers


def test_several_specimens_and_where_a_dimension_lies():
    dataset = item(SpecimenDescriptionSequence=Sequence([Dataset(), Dataset()]))[0]
    level = level_of(dataset)
    inside = level.items[0x00400560][0]
    assert evaluate(["ask", "specimens"], inside, Object("", level)) is True
    del dataset.SpecimenDescriptionSequence[1]
    level = level_of(dataset)
    inside = level.items[0x00400560][0]
    assert evaluate(["ask", "specimens"], inside, Object("", level)) is False

    # Plane Position is a macro of enhanced MR; Study Date stands in the data set.
    for pointer, expected in ((0x00209113, True), (0x00080020, False), (0x00181030, None)):
        dataset = item(
            StudyDate="20200101", DimensionIndexSequence=item(DimensionIndexPointer=pointer)
        )[0]
        level = level_of(dataset)
        inside = level.items[0x00209222][0]
        whole = Object("enhanced-mr-image", level)
        assert evaluate(["ask", "group_pointer"], inside, whole) is expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (["points", "00280009", "00181063"], True),
        (["points", "00280009", "00181065"], False),
        (["points", "00209165", "00181065"], False),
        (["private", "00209165"], False),
        (["private", "00209167"], True),
        (["code", "00540220", ["103340004"]], True),
        (["code", "00540220", ["131185001"]], None),  # another scheme may say the same
        (["code", "00540410", ["1"]], False),
        ([">", "00280008", 1], None),  # not a number
        (["is", "00186044", 0, ["0", "1"]], True),
    ],
)
def test_pointers_codes_and_numbers(expression, expected):
    dataset = item(
        FrameIncrementPointer=0x00181063,
        FunctionalGroupPointer=0x00091001,
        ViewCodeSequence=Sequence(
            [
                item(CodeValue="103340004", CodingSchemeDesignator="SCT")[0],
                item(CodeValue="G-A186", CodingSchemeDesignator="SRT")[0],
            ]
        ),
        PixelComponentOrganization=1,
    )[0]
    tag = Tag(0x00280008)
    dataset._dict[tag] = RawDataElement(tag, "IS", 2, b"1A", 0, False, True)
    level = level_of(dataset)
    assert evaluate(expression, level, Object("", level)) is expected


def test_one_note_tells_what_is_left_open():
    dataset = valid("CR")
    questions = open_questions(dataset)
    assert questions["calibrated"] == ("PixelSpacing",)
    assert "PatientSpeciesDescription" in questions["animal"]
    (note,) = missing_attributes(dataset, questions=True)
    assert (note.rule, note.where) == ("imaging.metadata.conditional_questions", "")
    assert note.severity == "info"
    assert QUESTIONS["animal"].english in note.message
    assert QUESTIONS["animal"].chinese in note.message_zh
    # Answered, they are open no more; nothing else is asked for.
    dataset.PatientSpeciesDescription = "Homo sapiens"
    dataset.ImagerPixelSpacing = [0.1, 0.1]
    dataset.PixelSpacing = [0.1, 0.1]
    left = open_questions(dataset)
    assert "animal" not in left
    assert "calibrated" not in left


def test_an_answer_in_the_file_makes_the_attribute_required():
    dataset = valid("CR")
    dataset.PixelSpacingCalibrationType = "FIDUCIAL"
    missed = {(f.rule.split(".")[-1], f.where) for f in missing_attributes(dataset)}
    assert missed == {
        ("type1c_missing", "PixelSpacing"),
        ("type1c_missing", "PixelSpacingCalibrationDescription"),
    }


def laterality(dataset: Dataset) -> Answer:
    whole = object_of(dataset)
    return predicate_for("general-series", 0x00200060).answer(whole.root, whole)


def test_a_side_by_the_code_of_the_region():
    for code, expected in (("72696002", Answer.REQUIRED), ("12738006", Answer.NOT_REQUIRED),
                           ("1", Answer.MANUAL_REVIEW)):  # fmt: skip
        dataset = valid("CT")
        del dataset.ImageLaterality
        dataset.AnatomicRegionSequence = item(CodeValue=code)
        assert laterality(dataset) is expected


def test_content_items():
    dataset = valid("CT")
    content = item(ValueType="NUMERIC", ConceptNameCodeSequence=None)
    dataset.PerformedProtocolCodeSequence = item(
        CodeValue="1",
        CodingSchemeDesignator="99X",
        CodeMeaning="x",
        ProtocolContextSequence=content,
    )
    where = "PerformedProtocolCodeSequence[0].ProtocolContextSequence[0]."
    missed = {f.where.removeprefix(where) for f in missing_attributes(dataset)}
    assert {"NumericValue", "MeasurementUnitsCodeSequence"} <= missed
    assert not missed & {"Date", "TextValue", "PersonName", "FloatingPointValue"}


def test_a_module_of_conditional_attributes_is_told_by_these():
    dataset = valid("CT")
    dataset.WindowWidth = 100
    found = {(f.rule.split(".")[-1], f.where) for f in missing_attributes(dataset)}
    assert found == {
        ("type1c_missing", "WindowCenter"),
        ("type1c_missing", "VOILUTSequence"),  # one of the two
        ("condition_not_met", "WindowWidth"),
    }
    dataset.WindowCenter = 50
    assert missing_attributes(dataset) == ()


def test_a_left_over_pointer_makes_no_multi_frame_dose():
    from pydicom.data import get_testdata_file

    dataset = dcmread(get_testdata_file("rtdose_1frame.dcm", download=False))
    assert "FrameIncrementPointer" in dataset
    faults = {(f.rule.split(".")[-1], f.where) for f in missing_attributes(dataset)}
    assert ("type1_missing", "NumberOfFrames") not in faults
    assert ("condition_not_met", "GridFrameOffsetVector") in faults  # the vector is left over too
    dataset.NumberOfFrames = 2
    assert "GridFrameOffsetVector" not in {f.where for f in missing_attributes(dataset)}


def test_the_macros_of_confocal_tiles():
    macros = macros_of("confocal-microscopy-tiled-pyramidal-image")
    assert {macro.usage for macro in macros.values()} == {"M", "C", "U"}
    assert (macros[0x00289110].usage, macros[0x00289110].place) == ("M", "S")
    # IODs without a table of macros still have the sentences of the macros that they can hold.
    groups = notes_of("photoacoustic-image-multi-frame-functional-groups")[0x52009229].inside
    assert groups[0x00289110].inside[0x00280030].condition is not None
