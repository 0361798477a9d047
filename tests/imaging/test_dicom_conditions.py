"""Conditions: the prose that they come from, the expressions, the named predicates."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest
from dicom_objects import valid
from pydicom import Dataset
from pydicom.sequence import Sequence

from sdq_core.dicom.levels import level_of
from sdq_imaging import dicom_tables
from sdq_imaging.dicom.condition_predicates import PREDICATES, predicate_for
from sdq_imaging.dicom.conditions import Answer, Object, evaluate
from sdq_imaging.dicom.required_attributes import missing_attributes, object_of
from sdq_imaging.dicom_tables.notes import macros_of, notes_of

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.fixture(scope="module")
def prose():
    sys.path.insert(0, str(TOOLS))  # the tool imports its neighbour
    spec = importlib.util.spec_from_file_location("dicom_prose", TOOLS / "dicom_prose.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["dicom_prose"] = module
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(str(TOOLS))


SENTENCES = [
    ("Required if A Name (0018,0012) is present.", ["has", "00180012"], False),
    ("Required if A Name (0018,0012) is not present. May be present otherwise.",
     ["not", ["has", "00180012"]], True),
    ("Required if Shutter Shape (0018,1600) is RECTANGULAR or CIRCULAR.",
     ["is", "00181600", 0, ["RECTANGULAR", "CIRCULAR"]], False),
    ('Required if Lossy (0028,2110) is "01".', ["is", "00282110", 0, ["01"]], False),
    ("Required if Samples per Pixel (0028,0002) has a value greater than 1.",
     [">", "00280002", 1], False),
    ("Required if Number of Blocks (300A,00F0) is non-zero.", [">", "300A00F0", 0], False),
    ("Required if Technique (0018,9037) equals other than NONE and if Image Type (0008,0008) "
     "Value 1 is ORIGINAL or MIXED. May be present otherwise.",
     ["and", ["not", ["is", "00189037", 0, ["NONE"]]],
      ["is", "00080008", 1, ["ORIGINAL", "MIXED"]]], True),
    ("Required if One (0018,0010) and Two (0018,0012) are not present.",
     ["and", ["not", ["has", "00180010"]], ["not", ["has", "00180012"]]], False),
    ("Required if One (0018,0010) is present. Required if Two (0018,0012) is present.",
     ["or", ["has", "00180010"], ["has", "00180012"]], False),
    # What a person has to judge stays so, even beside what a program can.
    ("Required if contrast media was used.", "?", True),
    ("Required if One (0018,0010) or Two (0018,0012) are not present.", "?", True),
    ("Required if the Patient is an animal and if Code (0010,2202) is not present.",
     ["and", ["ask", "animal"], ["not", ["has", "00102202"]]], True),
    ("Required if the image has been calibrated. May be present otherwise.",
     ["ask", "calibrated"], True),
    # Pointers, codes, classes.
    ("Required if Frame Increment Pointer (0028,0009) points to Frame Time (0018,1063).",
     ["points", "00280009", "00181063"], False),
    ("Required if Pointer (0020,9165) value is the Data Element Tag of a Private Attribute.",
     ["private", "00209165"], False),
    ('Required if View Sequence (0054,0220) equals (103340004, SCT, "Short Axis") or '
     '(131185001, SCT, "Long Axis").', ["code", "00540220", ["103340004", "131185001"]], False),
    ('Required if Class (0008,0016) is not "1.2.3" (Legacy Converted) and not "1.2.4" (Legacy).',
     ["not", ["is", "00080016", 0, ["1.2.3", "1.2.4"]]], False),
    ('Required if Class (0008,0016) is Segmentation Storage ("1.2.3").',
     ["is", "00080016", 0, ["1.2.3"]], False),
    ("Required if Surface (0046,0201) is A (Anterior).", ["is", "00460201", 0, ["A"]], False),
    ("Required if Type (0018,0023) equals 3D.", ["is", "00180023", 0, ["3D"]], False),
    ("Required if Organization (0020,9311) is absent or not TILED_FULL.",
     ["or", ["not", ["has", "00209311"]], ["not", ["is", "00209311", 0, ["TILED_FULL"]]]], False),
    # Of two connectors the one behind a comma binds less; without commas nobody can tell.
    ("Required if One (0018,0010) is present and Two (0018,0012) is present, or Three (0018,0013) "
     "is present.",
     ["or", ["and", ["has", "00180010"], ["has", "00180012"]], ["has", "00180013"]], False),
    ("Required if One (0018,0010) is present and Two (0018,0012) is present or Three (0018,0013) "
     "is present.", "?", True),
    ("Required if One (0018,0010) is present unless Two (0018,0012) is present.", "?", True),
    ("The name of it.", "?", True),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expression", "otherwise"), SENTENCES)
def test_the_prose_becomes_expressions(prose, text, expression, otherwise):
    assert prose.condition(text) == (expression, otherwise)


def test_a_condition_behind_a_note_is_read(prose):
    text = prose.plain(
        "<p>A distance.</p><div><h3>Note</h3><div><p>Required if told (0001,0001) is present.</p>"
        "</div></div><p>Required if One (0018,0010) is present.</p>"
    )
    assert text == "A distance. Required if One (0018,0010) is present."


def test_attributes_from_further_out_are_marked(prose):
    text = "Required if One (0018,0010) is present and Two (0018,0012) is present."
    found, _ = prose.condition(text, siblings={"00180010"})
    assert found == ["and", ["has", "00180010"], ["has", "^00180012"]]


def test_lists_under_a_condition_are_left_out(prose):
    block = "<p><strong>{}:</strong></p><dl><dt><span>A</span></dt><dt><span>B</span></dt></dl>"
    assert prose.enumerations(block.format("Enumerated Values")) == {"E": {0: ["A", "B"]}}
    assert prose.enumerations(block.format("Defined Terms for Value 3")) == {"D": {3: ["A", "B"]}}
    assert prose.enumerations(block.format("Enumerated Values if X is Y")) == {}
    twice = block.format("Enumerated Values") + block.format("Enumerated Values")
    assert prose.enumerations(twice) == {}
    hexadecimal = "<p><strong>Enumerated Values:</strong></p><dl><dt>0001H</dt></dl>"
    assert prose.enumerations(hexadecimal) == {"E": {0: ["1"]}}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("?", None),
        (["has", "00180015"], True),
        (["has", "00180022"], False),  # present without a value
        (["has", "00187060"], False),
        (["is", "00180015", 0, ["CHEST"]], True),
        (["is", "00180015", 0, ["HEAD"]], False),
        (["is", "00080008", 2, ["PRIMARY"]], True),
        (["is", "00080008", 4, ["PRIMARY"]], False),
        (["is", "00187060", 0, ["X"]], False),
        (["not", ["is", "00187060", 0, ["X"]]], None),  # "other than X" of what is not there
        (["not", ["is", "00180015", 0, ["HEAD"]]], True),
        ([">", "00280010", 3], True),
        ([">", "00280010", 4], False),
        (["and", "?", ["has", "00187060"]], False),
        (["and", "?", ["has", "00180015"]], None),
        (["or", "?", ["has", "00180015"]], True),
        (["or", "?", ["has", "00187060"]], None),
        (["has", "7FE00010"], None),  # only the header is at hand
    ],
)
def test_three_answers(expression, expected):
    dataset = valid("CT")
    dataset.BodyPartExamined, dataset.ScanOptions = "CHEST", ""
    level = level_of(dataset)
    assert evaluate(expression, level, Object("ct-image", level)) is expected
    if expected is not None:
        double = evaluate(["not", ["not", expression]], level, Object("ct-image", level))
        assert double in (expected, None)


def test_an_attribute_further_out_is_found_in_the_frame_and_around_it():
    inner, frame_type, group, root = Dataset(), Dataset(), Dataset(), Dataset()
    frame_type.FrameType = ["ORIGINAL", "PRIMARY"]
    group.MRModifierSequence, group.MRImageFrameTypeSequence = [inner], [frame_type]
    root.PerFrameFunctionalGroupsSequence, root.Modality = [group], "MR"
    level = level_of(root)
    inside = level.items[0x52009230][0].items[0x00189115][0]
    whole = Object("enhanced-mr-image", level)
    assert evaluate(["is", "^00089007", 1, ["ORIGINAL"]], inside, whole) is True
    assert evaluate(["is", "^00080060", 0, ["MR"]], inside, whole) is True
    assert evaluate(["has", "^00181060"], inside, whole) is None
    assert evaluate(["is", "00089007", 1, ["ORIGINAL"]], inside, whole) is False


def answer(dataset: Dataset, module: str, tag: int) -> Answer:
    whole = object_of(dataset)
    return predicate_for(module, tag).answer(whole.root, whole)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"BodyPartExamined": "KNEE"}, Answer.REQUIRED),
        ({"BodyPartExamined": "WHOLE BODY"}, Answer.NOT_REQUIRED),
        ({"BodyPartExamined": "CHEST"}, Answer.NOT_REQUIRED),
        ({}, Answer.MANUAL_REVIEW),
        ({"BodyPartExamined": "GROIN"}, Answer.MANUAL_REVIEW),
        ({"BodyPartExamined": "KNEE", "ImageLaterality": "L"}, Answer.NOT_REQUIRED),
    ],
)
def test_laterality(values, expected):
    dataset = valid("CT")
    del dataset.ImageLaterality
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    assert answer(dataset, "general-series", 0x00200060) is expected
    rules = {f.rule.split(".")[-1] for f in missing_attributes(dataset)}
    told = {
        Answer.REQUIRED: {"type2c_missing"},
        Answer.NOT_REQUIRED: set(),
        Answer.MANUAL_REVIEW: {"conditional_review"},
    }
    assert rules == told[expected]


def test_codes():
    code = Dataset()
    dataset = valid("DX")
    dataset.AnatomicRegionSequence = Sequence([code])

    def found() -> set[str]:
        return {f.where.split(".")[-1] for f in missing_attributes(dataset)}

    code.CodeMeaning = "Chest"
    assert found() == {"CodeValue"}
    code.CodeValue = "51185008"
    assert found() == {"CodingSchemeDesignator"}
    code.CodingSchemeDesignator = "SCT"
    assert found() == set()
    code.ContextIdentifier = "4009"
    assert found() == {"MappingResource", "ContextGroupVersion"}
    del code.ContextIdentifier, code.CodeValue, code.CodingSchemeDesignator
    code.URNCodeValue = "urn:oid:1.2.3"
    assert found() == set()


def test_deidentification_needs_its_method():
    dataset = valid("CT")
    dataset.PatientIdentityRemoved = "NO"
    assert missing_attributes(dataset) == ()
    dataset.PatientIdentityRemoved = "YES"
    assert {f.where for f in missing_attributes(dataset)} == {
        "DeidentificationMethod",
        "DeidentificationMethodCodeSequence",
    }
    dataset.DeidentificationMethod = "basic profile"
    assert missing_attributes(dataset) == ()


def test_pixel_data_is_missed_where_it_is_known_to_be_missing():
    dataset = valid("CT")
    assert missing_attributes(dataset) == missing_attributes(dataset, has_pixels=True) == ()
    (finding,) = missing_attributes(dataset, has_pixels=False)
    assert finding.where == "PixelData"


def test_an_optional_module_counts_when_one_of_its_attributes_is_there():
    dataset = valid("CT")
    dataset.ClinicalTrialProtocolID = "T1"
    missed = {f.where for f in missing_attributes(dataset)}
    assert {"ClinicalTrialSponsorName", "ClinicalTrialProtocolName"} <= missed
    assert all("Clinical Trial" in f.message for f in missing_attributes(dataset))


def test_every_predicate_has_a_name_a_source_and_a_conditional_attribute():
    names = [predicate.name for predicate in PREDICATES.values()]
    assert len(set(names)) == len(names)
    conditional = set()
    for iod in dicom_tables.iods():
        for module in dicom_tables.modules_of(iod):
            stack = [module.attributes]
            while stack:
                for tag, requirement in stack.pop().items():
                    if "C" in requirement.type:
                        conditional |= {("", tag), (module.key, tag)}
                    if requirement.inside:
                        stack.append(requirement.inside)
    for key, predicate in PREDICATES.items():
        assert predicate.source.startswith("PS3.3")
        assert key in conditional or key[1] == 0x00280034  # aspect ratio: Image Pixel macro


def test_the_notes_know_macros_and_lists():
    assert macros_of("enhanced-mr-image")[0x00189112].condition == [
        "is", "00080008", 1, ["ORIGINAL", "MIXED"],
    ]  # fmt: skip
    assert macros_of("enhanced-ct-image")[0x00209111].place == "P"
    with_lists = [
        iod
        for iod in dicom_tables.iods()
        if any(notes_of(m.key) for m in dicom_tables.modules_of(iod))
    ]
    assert with_lists == list(dicom_tables.iods())
