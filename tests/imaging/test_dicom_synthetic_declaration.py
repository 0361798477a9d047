"""The declaration of synthesis, in DICOM and elsewhere."""

from __future__ import annotations

import pytest
from dicom_objects import valid
from pydicom import Dataset
from pydicom.sequence import Sequence

from sdq_core.vocabulary import Severity
from sdq_imaging.dicom_rules import (
    check,
    check_synthetic,
    declared_synthetic,
    identifiers,
    synthesis_metadata,
)


def declared() -> Dataset:
    dataset = valid("SC")
    dataset.ImageType = ["DERIVED", "PRIMARY"]
    dataset.SyntheticData = "YES"
    dataset.DerivationDescription = (
        "generator=vae; generator version=1.2; seed=7; trained on=cxr-2026"
    )
    maker = Dataset()
    maker.Manufacturer, maker.ManufacturerModelName, maker.SoftwareVersions = "Lab", "gen", "9"
    maker.PurposeOfReferenceCodeSequence = Sequence()
    dataset.ContributingEquipmentSequence = Sequence([maker])
    return dataset


def test_a_declared_object_is_silent():
    dataset = declared()
    purpose = Dataset()
    purpose.CodeValue, purpose.CodingSchemeDesignator, purpose.CodeMeaning = (
        "109103",
        "DCM",
        "Modifying",
    )
    dataset.ContributingEquipmentSequence[0].PurposeOfReferenceCodeSequence = Sequence([purpose])
    assert check(dataset) == check_synthetic(dataset) == identifiers(dataset) == ()


@pytest.mark.parametrize(
    ("keyword", "value", "rule", "severity"),
    [
        ("SyntheticData", None, "metadata.not_declared_synthetic", "error"),
        ("SyntheticData", "NO", "metadata.not_declared_synthetic", "error"),
        ("DerivationDescription", None, "metadata.no_derivation", "error"),
        ("DerivationDescription", "", "metadata.no_derivation", "error"),
        ("ContributingEquipmentSequence", None, "metadata.no_derivation", "warning"),
        ("ImageType", ["ORIGINAL", "PRIMARY"], "conformity.image_type", "warning"),
        ("ImageType", None, "conformity.image_type", "warning"),
    ],
)
def test_each_omission(keyword, value, rule, severity):
    dataset = declared()
    if value is None:
        del dataset[keyword]
    else:
        setattr(dataset, keyword, value)
    (finding,) = check_synthetic(dataset)
    assert (finding.rule, finding.severity) == (f"imaging.{rule}", Severity(severity))
    assert finding.where == keyword


def test_a_derivation_code_is_a_derivation():
    dataset = declared()
    del dataset.DerivationDescription
    dataset.DerivationCodeSequence = Sequence([Dataset()])
    assert check_synthetic(dataset) == ()
    assert synthesis_metadata(dataset)["derivation"] == "present"


def test_lineage():
    assert synthesis_metadata(declared()) == {
        "SyntheticData": "YES",
        "derivation": "present",
        "AlgorithmName": "vae",
        "AlgorithmVersion": "1.2",
        "ContributingEquipmentManufacturer": "Lab",
        "Seed": "7",
        "TrainingData": "cxr-2026",
    }
    assert synthesis_metadata(valid("CT")) == {"SyntheticData": "absent", "derivation": "absent"}


def test_lineage_from_equipment_and_from_an_algorithm_item():
    dataset = declared()
    dataset.DerivationDescription = "made by a network"
    facts = synthesis_metadata(dataset)
    assert (facts["AlgorithmName"], facts["AlgorithmVersion"]) == ("gen", "9")
    algorithm = Dataset()
    algorithm.AlgorithmName, algorithm.AlgorithmVersion = "ddpm", "3"
    dataset.SegmentationAlgorithmIdentificationSequence = Sequence([algorithm])
    facts = synthesis_metadata(dataset)
    assert (facts["AlgorithmName"], facts["AlgorithmVersion"]) == ("ddpm", "3")


def test_lineage_leaves_identifiers_out():
    dataset = declared()
    dataset.DerivationDescription = "model=jane.doe@hospital.example; seed=3"
    facts = synthesis_metadata(dataset)
    assert "hospital" not in " ".join(facts.values())
    assert facts["Seed"] == "3"


@pytest.mark.parametrize(
    ("metadata", "kind", "answer"),
    [
        ({"SyntheticData": "YES"}, "dicom", True),
        ({"SyntheticData": "NO"}, "dicom", False),
        ({"SyntheticData": "absent"}, "dicom", None),
        ({}, "dicom", None),
        ({"text:AIGC": '{"Label": "1", "ContentProducer": "x"}'}, "picture", True),
        ({"text:AIGC": '{"AIGC": {"Label": "1"}}'}, "picture", True),
        ({"text:AIGC": '{"Label": "3"}'}, "picture", None),
        ({"text:AIGC": "yes"}, "picture", True),
        ({"text:SyntheticData": "no"}, "picture", False),
        ({"text:Software": "made elsewhere"}, "picture", None),
        ({"text:xmp": "newscodes/digitalsourcetype/trainedAlgorithmicMedia"}, "picture", True),
        ({"text:descrip": "SyntheticData=YES vae"}, "nifti", True),
        ({"text:descrip": "synthetic: no"}, "nifti", False),
        ({"text:aux_file": "synthetic data, run 3"}, "nifti", True),
        ({"text:descrip": "not synthetic data"}, "nifti", False),
        ({"text:descrip": "synthetic T1 map"}, "nifti", None),  # a technique of MR acquisition
        ({"synthetic": "True"}, "array", True),
        ({"attribute:synthetic": "0"}, "array", False),
        ({"class": "3"}, "array", None),
        ({"text:SyntheticData": "no", "text:AIGC": "1"}, "picture", True),
    ],
)  # fmt: skip
def test_declarations_of_other_formats(metadata, kind, answer):
    assert declared_synthetic(metadata, kind) is answer
