"""Environment lock, RO-Crate and Croissant in the bundle, read by these formats' libraries."""

import json
import logging
import zipfile

import pytest
import yaml
from evaluated import evaluated

from sdq_core.audit.bundle import SEAL, seal
from sdq_core.audit.keys import new_key, read_private_key
from sdq_core.audit.lock import environment_lock
from sdq_core.environment import all_distributions, environment, hardware
from sdq_core.generator import Generator

GENERATOR = {
    "schema": "sdq.generator/1",
    "dataset": {
        "name": {"en": "Chest set", "zh": "胸片集"}, "version": "1.2.0", "date": "2026-10-01",
        "licence": "https://creativecommons.org/licenses/by/4.0/", "provider": "Lab <b>one</b>",
        "intended_use": "train a detector", "excluded_use": "diagnosis", "type": "train",
    },
    "algorithm": {"name": "flow", "principle": "rectified flow on wavelets"},
    "training_data": {"source": "hospital A", "preprocessing": "resized"},
    "sampling": {"procedure": "one sample a seed"},
    "labels": "inherited from the condition",
    "privacy": {"differential_privacy": "none", "deidentification": "names removed"},
    "known_limits": {"en": "no children", "zh": "无儿童"},
}  # fmt: skip


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """A sealed bundle, unpacked; the generator is described."""
    folder = tmp_path_factory.mktemp("metadata")
    from sample_result import sample

    stated = Generator.model_validate(GENERATOR).model_dump(mode="json")
    study = {**sample()["study"], "schema": "sdq.study/1", "generator": stated}
    result = evaluated(folder / "out", study=study)
    new_key(folder / "k.pem")
    sealed = seal(folder / "out", read_private_key(folder / "k.pem"))
    with zipfile.ZipFile(sealed.path) as archive:
        archive.extractall(folder / "bundle")
    return folder / "bundle", result, sealed


def test_the_crate_is_read_by_rocrate_and_names_every_file(unpacked):
    from rocrate.rocrate import ROCrate

    folder, _, sealed = unpacked
    crate = ROCrate(folder)
    files = {e.id for e in crate.data_entities}
    assert files == {*sealed.names} - {"ro-crate-metadata.json"}
    for entity in crate.data_entities:
        assert (folder / entity.id).is_file()
        if entity.id != SEAL:
            assert int(entity["contentSize"]) == (folder / entity.id).stat().st_size
    assert crate.root_dataset["license"].id == "https://creativecommons.org/licenses/by/4.0/"
    assert crate.root_dataset["datePublished"] == "2026-11-24T15:05:48+00:00"
    assert {e.id for e in crate.root_dataset["hasPart"]} == files
    (action,) = crate.get_by_type("CreateAction")
    assert {e.id for e in action["object"]} == {"#cohort-train", "#cohort-holdout",
                                                "#cohort-synthetic"}  # fmt: skip
    every = {e.id for e in crate.get_entities()}
    assert set(referenced(json.loads((folder / "ro-crate-metadata.json").read_text()))) <= every | {
        "https://w3id.org/ro/crate/1.1"
    }


def referenced(value):
    """Ids that are pointed at."""
    if isinstance(value, dict):
        if value.keys() == {"@id"}:
            yield value["@id"]
        for entry in value.values():
            yield from referenced(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from referenced(entry)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:rdflib")
@pytest.mark.filterwarnings("ignore::DeprecationWarning:mlcroissant")
def test_croissant_validates_and_its_tables_load(unpacked, caplog):
    import mlcroissant as mlc

    folder, result, _ = unpacked
    with caplog.at_level(logging.WARNING):
        dataset = mlc.Dataset(jsonld=folder / "croissant.json")
    issues = dataset.metadata.ctx.issues
    assert not issues.errors
    assert not [w for w in issues.warnings if "citeAs" not in w]
    told = dataset.metadata
    assert (told.name, told.version) == ("Chest set / 胸片集", "1.2.0")
    assert told.data_limitations == [
        "no children / 无儿童", "Excluded use: diagnosis", "There is no holdout.",
    ]  # fmt: skip
    assert told.data_use_cases == ["train a detector", "train"]
    assert told.personal_sensitive_information[1].endswith("profile imaging-default 1: fail.")
    assert told.data_collection_raw_data == "hospital A"
    rows = list(dataset.records("items"))
    assert len(rows) == sum(1 for _ in ("train", "holdout", "synthetic")) * 3
    assert rows[0]["items/role"] == b"train"
    assert len(list(dataset.records("files"))) == len(rows)
    assert result.findings.total == 12345


def test_metadata_say_nothing_that_nobody_stated(tmp_path):
    from sample_result import sample

    from sdq_core.audit.croissant import croissant
    from sdq_core.audit.ro_crate import ro_crate

    study = {**sample()["study"], "generator": None}
    result = evaluated(tmp_path, documents=False, study=study, verdicts={}, limits=(),
                       measurements=())  # fmt: skip
    files = dict.fromkeys(("result.json", "items.csv", "files.csv"), b"")
    told = json.loads(croissant(result, files))
    assert not {"license", "version", "creator", "datePublished", "identifier"} & told.keys()
    assert {k for k in told if k.startswith("rai:")} == {"rai:dataCollectionType"}
    crate = json.loads(ro_crate(result, files, SEAL))
    licence = next(e for e in crate["@graph"] if e["@id"] == "#licence")
    assert "stated no licence" in licence["description"]


def test_study_and_generator_come_back_from_their_yaml(unpacked):
    folder, result, _ = unpacked
    assert (
        yaml.safe_load((folder / "generator.yaml").read_text(encoding="utf-8"))
        == result.study["generator"]
    )
    study = yaml.safe_load((folder / "study.yaml").read_text(encoding="utf-8"))
    assert study == {k: v for k, v in result.study.items() if k != "generator"}


def test_the_lock_names_the_whole_environment_and_nobody(tmp_path):
    import getpass
    import platform

    facts = environment({}, {}, "cpu")
    assert facts["distributions"]["pytest"] == all_distributions()["pytest"]
    assert {"processor", "cores"} <= facts["hardware"].keys()
    result = evaluated(tmp_path, documents=False, environment={
        **facts, "distributions": {"numpy": "2.4.6", "--index-url=x": "1", "a": "1\n-e evil"},
    })  # fmt: skip
    lock = environment_lock(result).decode()
    assert "numpy==2.4.6\n" in lock
    assert "# seed: 7\n" in lock
    # Nothing in it is an option to pip, whatever a distribution calls itself.
    assert all(line.startswith("#") or "==" in line for line in lock.splitlines())
    assert not any(line.startswith("-") for line in lock.splitlines())
    text = json.dumps(facts) + lock
    names = [n for n in (platform.node(), getpass.getuser()) if len(n) > 5]
    assert not any(name in text for name in names)


def test_an_accelerator_is_named_where_one_was_used(monkeypatch):
    import sys
    import types

    made = types.SimpleNamespace(
        cuda=types.SimpleNamespace(get_device_name=lambda _device: "Some GPU"),
    )
    monkeypatch.setitem(sys.modules, "torch", made)
    assert hardware("cuda:0")["accelerator"] == "Some GPU"
    assert "accelerator" not in hardware("cpu")
