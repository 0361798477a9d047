"""Required attributes: each one of five IODs taken away and emptied in turn."""

from __future__ import annotations

import pytest
from dicom_objects import CONDITIONAL, required, valid
from pydicom import Dataset
from pydicom.sequence import Sequence

from sdq_core.vocabulary import Severity
from sdq_imaging.dicom.required_attributes import missing_attributes, unknown_sop_class
from sdq_imaging.dicom_rules import check

KINDS = ("CT", "MR", "CR", "SC", "DX")


def found(dataset: Dataset) -> list[tuple[str, str]]:
    return [(f.rule.split(".")[-1], f.where) for f in missing_attributes(dataset)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_valid_object_is_silent(kind):
    assert check(valid(kind)) == ()


@pytest.mark.parametrize("kind", KINDS)
def test_each_type_1_attribute_is_missed_and_its_emptiness_seen(kind):
    for keyword in required(kind)[0]:
        dataset = valid(kind)
        del dataset[keyword]
        # Without its own side, an image may need that of the series.
        asked = [("conditional_review", "Laterality")] if keyword == "ImageLaterality" else []
        assert found(dataset) == [*asked, ("type1_missing", keyword)]
        dataset = valid(kind)
        dataset[keyword].value = None
        assert found(dataset) == [*asked, ("type1_empty", keyword)]


@pytest.mark.parametrize("kind", KINDS)
def test_each_type_2_attribute_is_missed_and_may_be_empty(kind):
    for keyword in required(kind)[1]:
        dataset = valid(kind)
        del dataset[keyword]
        assert found(dataset) == [("type2_missing", keyword)]


@pytest.mark.parametrize("kind", KINDS)
def test_each_conditional_attribute_is_missed(kind):
    for keyword, (type_, _) in CONDITIONAL[kind].items():
        dataset = valid(kind)
        del dataset[keyword]
        assert (f"type{type_.lower()}_missing", keyword) in found(dataset)


@pytest.mark.parametrize("kind", KINDS)
def test_optional_attributes_may_go(kind):
    """Everything that a valid object has is required: one more attribute is not."""
    dataset = valid(kind)
    dataset.PatientComments = ""
    assert found(dataset) == []


def test_modality_is_optional_in_secondary_capture_only():
    dataset = valid("SC")
    del dataset.Modality
    assert found(dataset) == []


def test_blank_and_delimiters_are_empty():
    dataset = valid("CT")
    dataset.ImageType = ["", ""]
    dataset.SOPInstanceUID = ""
    assert sorted(found(dataset)) == [
        ("type1_empty", "ImageType"),
        ("type1_empty", "SOPInstanceUID"),
    ]


@pytest.mark.parametrize("index", [0, 1])
def test_the_inside_of_a_present_sequence_is_judged(index):
    dataset = valid("CT")
    complete = Dataset()
    complete.ReferencedSOPClassUID, complete.ReferencedSOPInstanceUID = "1.2", "1.3"
    broken = Dataset()
    broken.ReferencedSOPClassUID = "1.2"
    # General Reference is a user option: only its presence makes its content count.
    dataset.SourceImageSequence = Sequence([complete, complete])
    assert found(dataset) == []
    dataset.SourceImageSequence[index] = broken
    where = f"SourceImageSequence[{index}].ReferencedSOPInstanceUID"
    assert found(dataset) == [("type1_missing", where)]


def test_a_type_2_sequence_may_be_empty_but_its_items_may_not():
    dataset = valid("DX")
    dataset.AnatomicRegionSequence = Sequence()
    assert found(dataset) == []
    dataset.AnatomicRegionSequence = Sequence([Dataset()])
    assert found(dataset) == [
        ("type1c_missing", "AnatomicRegionSequence[0].CodeValue"),
        ("type1_missing", "AnatomicRegionSequence[0].CodeMeaning"),
    ]


def test_a_type_1_sequence_needs_an_item():
    dataset = Dataset()
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2.1"
    dataset.SharedFunctionalGroupsSequence = Sequence()
    assert ("type1_empty", "SharedFunctionalGroupsSequence") in found(dataset)


def test_functional_group_macros_are_judged_inside_but_not_missed():
    dataset = Dataset()
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2.1"
    empty_shared, measures = Dataset(), Dataset()
    dataset.SharedFunctionalGroupsSequence = Sequence([empty_shared])
    assert not [w for _, w in found(dataset) if w.startswith("Shared")]
    measures.PixelMeasuresSequence = Sequence([Dataset()])
    dataset.SharedFunctionalGroupsSequence = Sequence([measures])
    inside = [w for _, w in found(dataset) if w.startswith("Shared")]
    assert all(w.startswith("SharedFunctionalGroupsSequence[0].PixelMeasures") for w in inside)


def test_unknown_classes():
    dataset = valid("CT")
    assert unknown_sop_class(dataset) == ()
    dataset.SOPClassUID = "2.25.99"
    (finding,) = unknown_sop_class(dataset)
    assert finding.severity is Severity.ERROR
    assert missing_attributes(dataset) == ()
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.33"
    (finding,) = unknown_sop_class(dataset)
    assert finding.severity is Severity.WARNING


def test_messages_name_the_attribute_in_both_languages():
    dataset = valid("CT")
    del dataset.PatientID
    (finding,) = missing_attributes(dataset)
    assert finding.area == "metadata"
    assert "PatientID (0010,0020)" in finding.message
    assert "PatientID (0010,0020)" in finding.message_zh
