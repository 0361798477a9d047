"""The whole way on shipped records: schema, verdicts, report, and the same bytes twice."""

import csv
import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from sdq_core.cli import app
from sdq_core.evaluate import evaluate, read_and_describe
from sdq_core.study import load_study, study_from_options
from sdq_ehr.judged import erroneous
from sdq_ehr.modality import Ehr
from sdq_ehr.preparing import prepared
from sdq_ehr.records import dataset_of
from sdq_ehr.schema import Schema
from sdq_ehr.settings import EhrSettings

FIXTURE = Path(__file__).parents[2] / "fixtures/ehr"
RUNNER = CliRunner()


@pytest.mark.slow
def test_the_shipped_example_fails_what_it_was_made_to_fail(tmp_path):
    result = evaluate(load_study(FIXTURE / "study.yaml"), tmp_path / "out", engine="serial")
    verdicts = {str(k): str(v) for k, v in result.verdicts.items()}
    for name in ("fidelity", "balance", "completeness", "privacy"):
        assert verdicts[name] == "fail", name
    assert verdicts["metadata"] == verdicts["explainability"] == "pass"
    measured = {m.id.split(".")[-1]: m for m in result.measurements if m.variant is None}
    assert measured["memorised_share"].value > 0.02  # one patient in twenty was copied
    text = (tmp_path / "out/result.json").read_text(encoding="utf-8")
    with (FIXTURE / "train/patients.csv").open() as file:
        keys = {row["patient_id"] for row in csv.DictReader(file)}
    assert not [k for k in keys if k in text]
    found = json.loads(text)
    assert found["study"]["settings"]["schema"]["patient_table"] == "patients"
    assert found["gallery"]
    page = RUNNER.invoke(app, ["report", str(tmp_path / "out"), "--language", "zh"])
    assert page.exit_code in (0, 1)


def test_init_proposes_a_schema_that_reads_the_data_it_was_proposed_from(tmp_path):
    target = tmp_path / "schema.yaml"
    done = RUNNER.invoke(app, ["init", "ehr", str(FIXTURE / "train"), "-o", str(target)])
    assert done.exit_code == 0, done.output
    schema = Schema.from_yaml(target.read_text(encoding="utf-8"))
    assert schema.patient_table == "patients"
    assert schema.tables["visits"].columns["diagnosis"].system in ("icd10", "icd10cm")
    assert schema.tables["labs"].columns["value"].unit_column == "unit"
    template = RUNNER.invoke(app, ["init", "ehr"])
    assert yaml.safe_load(template.output)["modality"] == "ehr"
    other = RUNNER.invoke(app, ["init", "imaging", str(FIXTURE)])
    assert other.exit_code != 0


def test_without_a_schema_one_is_proposed_and_said_to_be():
    folders = {"train": FIXTURE / "train", "synthetic": FIXTURE / "synthetic"}
    study = study_from_options(None, {"modality": "ehr"}, folders, ())
    made = prepared(study)
    assert made.settings["schema_proposed"]
    assert EhrSettings.of(made.settings).schema_of().home == "patients"
    assert prepared(made) is made


def test_descriptions_do_not_depend_on_the_engine_or_on_each_other(tmp_path):
    study = load_study(FIXTURE / "study.yaml")
    found = read_and_describe(study, None, engine="serial")
    describer = Ehr().describer(found.study)
    table = found.cohorts.synthetic.table
    for row in (0, 17, 399):
        alone = describer(table.items[row])
        assert alone.metadata == table.metadata(row)
        assert alone.embeddings["patient-rows"].tobytes() == table.embedding("patient-rows")[0][
            row
        ].tobytes()  # fmt: skip
    settings = EhrSettings.of(found.study.settings)
    wrong = erroneous(dataset_of(found.cohorts, found.cohorts.synthetic.role), settings)
    with (FIXTURE / "synthetic/visits.csv").open() as file:
        codes = [row["diagnosis"] for row in csv.DictReader(file)]
    assert wrong["visits"].tolist() == [code == "Q42.99X" for code in codes]


def test_a_patient_is_drawn_and_a_gone_one_is_not(tmp_path):
    study = prepared(load_study(FIXTURE / "study.yaml"))
    listing = Ehr().items(study.cohorts["synthetic"].path, study.settings)
    picture = Ehr().thumbnail(listing.items[0], study.settings)
    assert picture[1:4] == b"PNG"
    gone = type(listing.items[0])("patients.csv#9999", listing.items[0].paths, "9999", "", {})
    assert Ehr().thumbnail(gone, study.settings) is None
    description = Ehr().describer(study)(gone)
    assert not description.readable
    assert description.findings[0].rule == "ehr.structure.gone"


def test_importing_the_plugin_loads_no_heavy_package():
    import subprocess
    import sys

    code = (
        "import sys, sdq_ehr, sdq_ehr.modality; "
        "heavy = {'pandas', 'sklearn', 'torch', 'scipy.stats', 'simple_icd_10_cm', 'ucumvert'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
