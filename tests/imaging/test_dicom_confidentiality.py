"""The Basic Profile by attribute, and what a synthetic cohort has taken over from a real one."""

from __future__ import annotations

import importlib.util
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from dicom_objects import valid
from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid

from sdq_core.cohort import Cohort, Cohorts
from sdq_core.description import Description, DescriptionTable, Item
from sdq_core.dicom.confidentiality import OPTION_CODES, profile, profile_deviations
from sdq_core.dicom.fingerprints import INSTANCES, MOMENTS, UIDS, fingerprints
from sdq_core.dicom.levels import level_of
from sdq_core.vocabulary import Role, Severity
from sdq_imaging.dicom.item import judge_item
from sdq_imaging.dicom.shared_with_real import incoherent, shared_with_real
from sdq_imaging.metadata import ImagingMetadata
from sdq_imaging.privacy import ImagingPrivacy

ROOT = Path(__file__).parents[2]


def found(dataset: Dataset) -> list[tuple[str, str, str]]:
    return [
        (f.rule.split(".")[-1], f.where, f.severity.value)
        for f in profile_deviations(dataset, "imaging")
    ]


def name_option(dataset: Dataset, *codes: str) -> None:
    dataset.DeidentificationMethodCodeSequence = Sequence()
    for code in codes:
        item = Dataset()
        item.CodeValue = code
        dataset.DeidentificationMethodCodeSequence.append(item)


def test_the_stored_table_is_what_the_tool_makes():
    pytest.importorskip("dicomanonymizer")
    path = ROOT / "tools" / "make_confidentiality_table.py"
    spec = importlib.util.spec_from_file_location("maker", path)
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    stored = maker.TARGET.read_text(encoding="utf-8")
    if version("dicom-anonymizer") not in stored.partition("\n")[0]:
        pytest.skip("another dicom-anonymizer than the one the table was made from")
    assert maker.encode(maker.actions(), maker.stored_options()) == stored


def test_the_table_agrees_with_the_list_kept_by_hand():
    """Two sources: the actions of the attributes that identify people were copied by hand."""
    from sdq_core.dicom.identifier_attributes import ATTRIBUTES

    assert len(profile()) > 600
    differing = [a.keyword for a in ATTRIBUTES if profile()[a.tag].action != a.action]
    assert differing == []


def test_an_attribute_that_the_profile_removes():
    dataset = valid("CT")
    dataset.SeriesDescription = "secret words"
    assert found(dataset) == [("profile", "SeriesDescription", "warning")]
    (finding,) = profile_deviations(dataset, "imaging")
    assert "secret" not in finding.message + finding.message_zh
    assert OPTION_CODES["descriptors"] in finding.message
    name_option(dataset, "113105")
    assert found(dataset) == []
    dataset.SeriesDescription = ""
    name_option(dataset)
    assert found(dataset) == []


def test_a_synthetic_object_gets_a_note_and_each_attribute_one_finding():
    dataset = valid("CT")
    dataset.SyntheticData, dataset.ProtocolName = "YES", "made up"  # X/D: a dummy is allowed
    dataset.SeriesDescription = "made up"
    inner = Dataset()
    inner.SeriesDescription = "made up too"
    dataset.ReferencedStudySequence = Sequence([inner])
    assert [(r, s) for r, _, s in found(dataset)].count(("profile", "info")) == len(found(dataset))
    assert [w for _, w, _ in found(dataset)].count("SeriesDescription") == 1


@pytest.mark.parametrize("kind", ["CT", "MR", "CR", "SC", "DX"])
def test_valid_objects_keep_the_profile(kind):
    assert found(valid(kind)) == []


def test_a_synthetic_object_may_say_how_it_was_made():
    dataset = valid("CT")
    dataset.DerivationDescription = "generator=vae"
    assert len(found(dataset)) == 1
    dataset.SyntheticData = "YES"
    assert found(dataset) == []


def test_curves_and_a_claim_without_its_profile():
    dataset = valid("CT")
    dataset.add_new(0x50003000, "OW", b"\0\0")
    assert found(dataset) == [("curve", "CurveData", "warning")]
    dataset = valid("CT")
    dataset.PatientIdentityRemoved = "YES"
    where = "DeidentificationMethodCodeSequence"
    assert found(dataset) == [("profile_not_stated", where, "info")]
    name_option(dataset, "113100")
    assert found(dataset) == []


# Cohorts ------------------------------------------------------------------------------------------


def header(seed: int, **values: object) -> Dataset:
    """Return a header whose UIDs and times are functions of the seed."""
    dataset = valid("CT")
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(dataset, keyword, generate_uid(entropy_srcs=[keyword, str(seed)]))
    dataset.FrameOfReferenceUID = generate_uid(entropy_srcs=["frame", str(seed)])
    rng = np.random.default_rng(seed)
    day = f"2024{rng.integers(1, 13):02d}{rng.integers(2, 29):02d}"
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = day
    for k, keyword in enumerate(("StudyTime", "SeriesTime", "AcquisitionTime")):
        setattr(dataset, keyword, f"{9 + k:02d}{rng.integers(0, 60):02d}{rng.integers(1, 60):02d}")
    dataset.PatientID = f"P{seed}"
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def cohort(role: Role, headers: list[Dataset]) -> Cohort:
    import hashlib

    items, descriptions = [], []
    for k, dataset in enumerate(headers):
        facts, problems = judge_item(dataset)
        hashed = {
            f"sha256:{key}": hashlib.sha256(str(dataset.get(key)).encode()).hexdigest()
            for key in ("StudyInstanceUID", "SeriesInstanceUID", "PatientID")
        }
        metadata = {**facts, **hashed, "kind": "dicom", "content:sha256": f"{role}{k}"}
        items.append(Item(f"{k}.dcm", (), digest=f"{role}{k}"))
        descriptions.append(Description(metadata=metadata, findings=problems))
    return Cohort(role, DescriptionTable(items, descriptions, str(role)))


def cohorts(synthetic: list[Dataset], real: list[Dataset] | None = None) -> Cohorts:
    train = real if real is not None else [header(k) for k in range(8)]
    return Cohorts(None, cohort(Role.TRAIN, train), cohort(Role.SYNTHETIC, synthetic))


def rules(findings) -> set[str]:
    return {f.rule.split(".")[-1] for f in findings}


def test_headers_of_their_own_are_quiet():
    made = cohorts([header(100 + k) for k in range(8)])
    assert list(shared_with_real(made)) == []
    assert list(incoherent(made.synthetic)) == []


@pytest.mark.parametrize(
    "keyword",
    ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID"],
)
def test_each_uid_of_a_real_object_is_seen(keyword):
    taken = header(200, **{keyword: header(3)[keyword].value})
    made = cohorts([header(101), taken])
    (finding,) = shared_with_real(made)
    assert finding.rule == "imaging.identifier.uid_of_real_object"
    assert (finding.item, finding.severity) == ("1.dcm", Severity.ERROR)


def test_a_reference_to_the_real_source_is_a_shared_uid():
    source = Dataset()
    source.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    source.ReferencedSOPInstanceUID = header(3).SOPInstanceUID
    made = cohorts([header(200, SourceImageSequence=Sequence([source]))])
    assert rules(shared_with_real(made)) == {"uid_of_real_object"}


def test_times_to_the_second():
    real = header(3)
    times = {k: real[k].value for k in ("StudyDate", "StudyTime", "SeriesDate", "SeriesTime")}
    made = cohorts([header(200, **times)])
    (finding,) = shared_with_real(made)
    assert finding.rule == "imaging.identifier.time_of_real_object"
    assert finding.severity is Severity.WARNING
    one = {k: times[k] for k in ("StudyDate", "StudyTime")}  # may be chance
    assert list(shared_with_real(cohorts([header(200, **one)]))) == []


def test_dummies_are_no_fingerprints():
    dataset = valid("CT")
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(dataset, keyword, "1.2")
    dataset.FrameOfReferenceUID = "1.2.840.10008.1.4.1.1"  # Talairach: everybody's
    dataset.StudyDate, dataset.StudyTime = "20240101", "101500"
    dataset.SeriesDate, dataset.SeriesTime = "20240615", "000000"
    facts = fingerprints([level_of(dataset)])
    assert UIDS not in facts
    assert MOMENTS not in facts
    assert len(fingerprints([level_of(header(1))])[INSTANCES]) == 16


def test_the_identifier_share_counts_shared_uids():
    taken = header(200, StudyInstanceUID=header(3).StudyInstanceUID, SyntheticData="YES")
    made = cohorts([header(101, SyntheticData="YES"), taken])
    told = list(ImagingPrivacy("imaging").identifiers(made))
    (share,) = [t for t in told if hasattr(t, "value")]
    assert share.value == 0.5
    assert "uid_of_real_object" in rules(t for t in told if hasattr(t, "rule"))


def test_uids_contradict_each_other():
    double = header(101, SOPInstanceUID=header(102).SOPInstanceUID)
    found = list(incoherent(cohort(Role.SYNTHETIC, [double, header(102), header(103)])))
    assert rules(found) == {"uid_not_unique"}
    assert {f.item for f in found} == {"0.dcm", "1.dcm"}
    same = {k: header(1)[k].value for k in ("StudyInstanceUID", "SeriesInstanceUID")}
    assert rules(incoherent(cohort(Role.SYNTHETIC, [header(1), header(2, **same)]))) == {
        "study_of_several_patients"
    }
    series = {"SeriesInstanceUID": header(1).SeriesInstanceUID}
    assert rules(incoherent(cohort(Role.SYNTHETIC, [header(1), header(2, **series)]))) == {
        "series_of_several_studies"
    }


def test_what_synthetic_objects_fail_to_say_reaches_the_result():
    told = list(ImagingMetadata("imaging").declared(cohorts([header(101)])))
    assert {"no_derivation", "no_algorithm"} <= rules(t for t in told if hasattr(t, "rule"))
    made = header(
        101,
        SyntheticData="YES",
        DerivationDescription="generator=vae; version=1",
        ContributingEquipmentSequence=Sequence([Dataset()]),
    )
    told = list(ImagingMetadata("imaging").declared(cohorts([made])))
    assert {f.rule for f in told if hasattr(f, "rule")} == {"imaging.conformity.image_type"}
