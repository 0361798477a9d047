"""Where health records come from: FHIR Provenance, tags, and the label of generated content."""

import json

import pytest

from sdq_core.aigc import label_state
from sdq_core.characteristics.explainability import Explainability
from sdq_ehr.digests import patient_provenance
from sdq_ehr.metadata import EhrMetadata
from sdq_ehr.reading import read_dataset

LABEL = json.dumps({"Label": "1", "ContentProducer": "a house", "ProduceID": "42"})


def patient(key, **more):
    return {"resourceType": "Patient", "id": key, "gender": "female", **more}


def provenance(*targets, **more):
    target = [{"reference": t} for t in targets]
    return {"resourceType": "Provenance", "target": target, **more}


def said(folder, *resources, urls=()):
    """Return what each patient's record says of itself."""
    entries = [{"resource": r} for r in resources]
    for entry, url in zip(entries, urls, strict=False):
        entry["fullUrl"] = url
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    (folder / "b.json").write_text(json.dumps(bundle), encoding="utf-8")
    dataset = read_dataset(folder)
    return list(patient_provenance(dataset)), {f.where for f in dataset.findings}


def traced(metadata):
    return Explainability("ehr").lineage(metadata, {})


def test_provenance_gives_its_targets_generator_and_origin(tmp_path):
    found, passed_over = said(
        tmp_path,
        patient("1"),
        patient("2"),
        provenance(
            "Patient/1",
            agent=[{"who": {"display": "vae"}}],
            activity={"text": "seed=7; condition: sepsis"},
            entity=[{"role": "source", "what": {"display": "run=r3, version=1.2"}}],
        ),
    )
    assert found[0] == {
        "generator": "vae", "generator_version": "1.2", "seed": "7", "condition": "sepsis",
        "run": "r3",
    }  # fmt: skip
    assert found[1] == {}
    assert (traced(found[0]), traced(found[1])) == (True, False)
    assert "Provenance" not in passed_over


@pytest.mark.parametrize(
    ("urls", "reference", "contained"),
    [
        ((), "Device/d", False),
        (("urn:uuid:p1", "urn:uuid:d1"), "urn:uuid:d1", False),
        ((), "#d", True),
    ],
)
def test_the_agent_may_be_a_device(tmp_path, urls, reference, contained):
    device = {
        "resourceType": "Device", "id": "d", "deviceName": [{"name": "vae", "type": "model-name"}],
        "version": [{"value": "1.2"}],
    }  # fmt: skip
    made = provenance(
        "urn:uuid:p1" if urls else "Patient/1",
        agent=[{"who": {"reference": reference}}],
        activity={"text": "seed=7"},
        **({"contained": [device]} if contained else {}),
    )
    resources = [patient("1"), device, made] if not contained else [patient("1"), made]
    found, _ = said(tmp_path, *resources, urls=urls)
    assert found[0] == {"generator": "vae", "generator_version": "1.2", "seed": "7"}


def test_the_first_provenance_counts_and_strange_ones_do_no_harm(tmp_path):
    found, _ = said(
        tmp_path,
        patient("1"),
        provenance("Patient/1", agent=[{"who": {"display": "vae"}}]),
        provenance("Patient/1", agent=[{"who": {"display": "gan"}}]),
        provenance("Patient/9", "", agent=[{"who": {"display": "gan"}}]),
        {"resourceType": "Provenance", "target": {"reference": 7}, "agent": "x", "activity": [1]},
        {"resourceType": "Provenance", "contained": [3], "entity": {"what": []}},
    )
    assert found == [{"generator": "vae"}]


@pytest.mark.parametrize("place", ["resource", "meta"])
def test_an_extension_carries_the_label(tmp_path, place):
    extension = {"extension": [{"url": "http://example.org/fhir/AIGC", "valueString": LABEL}]}
    labelled = patient("1", **(extension if place == "resource" else {"meta": extension}))
    found, _ = said(tmp_path, labelled, patient("2", extension=[{"url": "x", "valueString": "y"}]))
    assert label_state(found[0]["aigc"]) == "valid"
    assert "aigc" not in found[1]
    assert EhrMetadata("ehr").declares_synthetic(found[0], {})


def test_a_tag_declares(tmp_path):
    tagged = patient("1", meta={"tag": [{"code": "SYNTHETIC"}, {"code": "v2"}]})
    found, _ = said(tmp_path, tagged, patient("2", meta={"tag": [{"code": "HTEST"}]}))
    declares = EhrMetadata("ehr").declares_synthetic
    assert [declares(m, {}) for m in found] == [True, False]


def test_a_column_of_provenance_carries_the_label(tmp_path):
    quoted = LABEL.replace('"', '""')
    (tmp_path / "t.csv").write_text(f'id,sex,AIGC\n1,F,"{quoted}"\n2,M,\n', encoding="utf-8")
    schema = tmp_path / "schema.yaml"
    schema.write_text(
        "version: sdq.ehr-schema/1\ntables:\n  t:\n    key: id\n    patient: id\n    columns:\n"
        "      id: {type: identifier}\n      sex: {}\n"
        "      AIGC: {type: text, meaning: provenance}\n",
        encoding="utf-8",
    )
    from sdq_ehr.schema import read_schema

    first, second = patient_provenance(read_dataset(tmp_path / "t.csv", read_schema(schema)))
    assert label_state(first["aigc"]) == "valid"
    assert label_state(second.get("aigc")) == "missing"
