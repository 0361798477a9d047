"""A patient is described the same alone, with some, with all, here and in worker processes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from planted_made import clinic_study

from sdq_core.describe import describe
from sdq_core.evaluate import list_cohort
from sdq_core.mapped import Mapped
from sdq_core.modality import load_modality
from sdq_core.shards import encode_shard
from sdq_core.study import Study
from sdq_core.vocabulary import Role
from sdq_ehr import describing
from sdq_ehr.judged import judged

MODELS = ("csv", "omop", "fhir")


def spoilt(study):
    """Write into the tables what breaks rules within a patient and between patients."""
    for role in study.cohorts:
        folder = study.cohorts[role].path
        for path in sorted(folder.glob("*.csv")):
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            if len(lines) > 9 and path.stem.lower() not in ("concept", "cdm_source"):
                lines[3], lines[7] = lines[7], lines[3]
                # Words by which the absence of a value is named elsewhere.
                lines[2] = lines[2].replace("north", "(missing)").replace("south", "(no row)")
                lines[4] = lines[4].replace("inpatient", "(no row)").replace(",F,", ",(missing),")
                lines.insert(5, lines[4])
                lines.append("no row at all\n")
                path.write_text("".join(lines), encoding="utf-8")
    return study


@pytest.fixture(scope="module", params=[*MODELS, "spoilt"])
def known(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    made = "csv" if request.param == "spoilt" else request.param
    study = clinic_study(folder, made)
    if request.param == "spoilt":
        study = spoilt(study)
    modality = load_modality("ehr")
    study = modality.prepared(study)
    items = [i for role in (Role.TRAIN, Role.HOLDOUT) for i in
             list_cohort(modality, study, role).items]  # fmt: skip
    return items, modality.describer(study)


def train_of(folder, schema):
    """Return the items of a training cohort in a folder, and their describer."""
    modality = load_modality("ehr")
    study = modality.prepared(Study.model_validate({
        "modality": "ehr", "settings": {"schema": schema},
        "cohorts": {r: {"path": folder / r} for r in ("train", "synthetic")},
    }))  # fmt: skip
    return list_cohort(modality, study, Role.TRAIN).items, modality.describer(study)


def plain(descriptions):
    return [encode_shard(["k"], [d]) for d in descriptions]


@pytest.fixture(scope="module")
def whole(known):
    items, describer = known
    return plain(describer.describe_many(items))


def test_one_at_a_time(known, whole):
    items, describer = known
    assert plain(describer(item) for item in items) == whole


@pytest.mark.parametrize("seed", range(5))
def test_some_in_any_order(known, whole, seed):
    items, describer = known
    rng = np.random.default_rng(seed)
    some = rng.permutation(len(items))[: rng.integers(2, len(items))].tolist()
    found = describer.describe_many([items[k] for k in some])
    assert plain(found) == [whole[k] for k in some]


@pytest.mark.parametrize("engine", ["serial", "processes"])
def test_in_shards(known, whole, engine):
    items, describer = known
    report = describe(items, describer, None, engine=engine, workers=2, shard_size=7)
    assert plain(report.descriptions) == whole


def test_workers_take_what_was_laid_out(known, whole, monkeypatch):
    items, describer = known
    with describer.shared(items) as sent:
        assert set(sent.laid_out) == {item.paths[0] for item in items}

        def never(*_):
            raise AssertionError("the data set was judged again")

        monkeypatch.setattr("sdq_ehr.judged.judged", never)
        assert plain(sent.describe_many(items)) == whole


def test_workers_that_do_not_see_it_judge_for_themselves(known, whole):
    items, describer = known
    gone = Mapped(Path("/proc/1/fd/999"), b"0" * 16)
    sent = replace(describer, laid_out={item.paths[0]: gone for item in items})
    assert plain(sent.describe_many(items)) == whole


def test_what_is_laid_out_holds_no_findings_of_the_whole(known):
    items, describer = known
    lean = judged(items[0].paths[0], describer.options).for_workers().dataset
    assert lean.row_findings == () == lean.findings
    assert not lean.broken


def test_findings_are_there_to_be_found(known, request):
    """The comparisons above compare something."""
    items, describer = known
    found = describer.describe_many(items)
    assert all(d.embeddings for d in found if d.readable)
    if "spoilt" in request.node.callspec.id:
        rules = {f.rule for d in found for f in d.findings}
        assert rules >= {"ehr.structure.ragged_row", "ehr.semantics.overlapping_stays"}


def test_a_source_that_is_gone_is_a_finding_of_each_patient(known, tmp_path):
    items, describer = known
    lost = [replace(item, paths=(tmp_path / "nothing",)) for item in items[:2]]
    found = describer.describe_many([*lost, items[0]])
    assert [d.readable for d in found] == [False, False, True]
    assert found[0] == describing._GONE


@pytest.mark.parametrize("word", ["(missing)", "(no row)"])
def test_a_cell_that_says_missing_changes_no_other_patient(tmp_path, word):
    rng = np.random.default_rng(0)
    for role in ("train", "synthetic"):
        (tmp_path / role).mkdir()
        sex = rng.choice(["F", "M", "", ""], 60)
        rows = [f"{k},{s}" for k, s in enumerate(sex)]
        visits = [f"{k},{v}" for k, v in enumerate(rng.choice(["a", "b", ""], 60)) if k % 3]
        rows[7], visits[5] = f"7,{word}", f"7,{word}"
        (tmp_path / role / "patients.csv").write_text("pid,sex\n" + "\n".join(rows) + "\n")
        (tmp_path / role / "visits.csv").write_text("pid,ward\n" + "\n".join(visits) + "\n")
    columns = {"pid": {"type": "identifier"}}
    schema = {
        "patient_table": "patients",
        "tables": {
            "patients": {"key": "pid", "patient": "pid",
                         "columns": columns | {"sex": {"type": "category"}}},
            "visits": {"patient": "pid", "columns": columns | {"ward": {"type": "category"}}},
        },
    }  # fmt: skip
    items, describer = train_of(tmp_path, schema)
    together = plain(describer.describe_many(items))
    assert plain(describer(item) for item in items) == together
    assert len({d.embeddings["patient-rows"].tobytes() for d in describer.describe_many(items)}) > 3


def test_tables_of_one_file_share_its_rows(tmp_path):
    """Without a patient table, a patient may first stand in either."""
    for role in ("train", "synthetic"):
        (tmp_path / role).mkdir()
        (tmp_path / role / "e.csv").write_text(
            "a,b,v\n" + "".join(f"{k % 20},{k % 30},{k}\n" for k in range(40)), encoding="utf-8"
        )
    columns = {c: {"type": "identifier"} for c in "ab"} | {"v": {"type": "number"}}
    schema = {"tables": {
        "e": {"file": "e.csv", "patient": "a", "columns": columns},
        "f": {"file": "e.csv", "patient": "b", "columns": columns},
    }}  # fmt: skip
    items, describer = train_of(tmp_path, schema)
    assert all(d.readable for d in describer.describe_many(items))


def test_a_table_of_keys_alone_is_described(tmp_path):
    for role in ("train", "synthetic"):
        (tmp_path / role).mkdir()
        (tmp_path / role / "p.csv").write_text("pid,x\n1,2\n2,3\n", encoding="utf-8")
        (tmp_path / role / "links.csv").write_text("pid,other\n1,9\n1,8\n", encoding="utf-8")
    schema = {
        "patient_table": "p",
        "tables": {
            "p": {"key": "pid", "patient": "pid",
                  "columns": {"pid": {"type": "identifier"}, "x": {"type": "number"}}},
            "links": {"patient": "pid",
                      "columns": {c: {"type": "identifier"} for c in ("pid", "other")}},
        },
    }  # fmt: skip
    items, describer = train_of(tmp_path, schema)
    found = describe(items, describer, None, engine="serial").descriptions
    assert [d.readable for d in found] == [True, True]
    assert found[0].metadata["content:sha256"] != found[1].metadata["content:sha256"]
