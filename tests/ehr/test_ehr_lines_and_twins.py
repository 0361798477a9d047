"""What counts once: broken lines are items, fractions numbers, twins of coarse tables chance."""

import numpy as np
import pyarrow as pa
import pytest
from ehr_cohorts import COHORT_SCHEMA, cohorts_of, simulated, study_of
from test_ehr_fidelity import PROFILE

from sdq_core.describe import describe
from sdq_core.judging import judge_all
from sdq_core.measurement import Measurement
from sdq_core.vocabulary import Verdict
from sdq_ehr.completeness import EhrCompleteness
from sdq_ehr.describing import EhrDescriber
from sdq_ehr.fidelity import EhrFidelity
from sdq_ehr.preparing import prepared
from sdq_ehr.privacy import EhrPrivacy
from sdq_ehr.reading import list_items, read_dataset
from sdq_ehr.schema import Schema
from sdq_ehr.settings import EhrSettings

SCHEMA = {"tables": {"t": {"columns": {"a": {"type": "number"}, "n": {"type": "integer"}}}}}


def judged(outputs):
    found = [m for m in outputs if isinstance(m, Measurement)]
    return {
        j.measurement.key.rpartition(".")[2]: (j.measurement, j.verdict)
        for j in judge_all(found, PROFILE)
        if j.measurement is not None
    }


def rows(n, seed):
    rng = np.random.default_rng(seed)
    return pa.table({"a": rng.normal(size=n), "n": rng.integers(0, 50, n)})


def with_lines(text, share):
    """Give some lines a cell too many, others one too few."""
    lines = text.splitlines()
    for k in range(1, len(lines), round(1 / share)):
        lines[k] = lines[k] + ",x" if k % 2 else lines[k].partition(",")[0]
    return "\n".join(lines) + "\n"


def test_a_ragged_line_is_an_item_that_cannot_be_read_and_fails_completeness(tmp_path):
    made = {r: {"t": rows(200, k)} for k, r in enumerate(("train", "synthetic"))}
    clean = cohorts_of(tmp_path / "clean", made, SCHEMA)
    found = judged(EhrCompleteness("ehr").readable(clean))
    assert found["readable_share"][0].value == 1.0
    assert found["readable_share"][1] is Verdict.PASS
    path = tmp_path / "clean/synthetic/t.csv"
    path.write_text(with_lines(path.read_text(), 0.1))
    study = prepared(study_of(tmp_path / "clean", SCHEMA, tuple(made)))
    listing = list_items(path.parent, EhrSettings.of(study.settings))
    broken = [i for i in listing.items if "#line" in i.id]
    assert len(listing.items) == 200
    assert [i.id for i in broken[:2]] == ["t.csv#line 2", "t.csv#line 12"]
    assert len({i.digest for i in broken}) == 20
    assert not [f for f in listing.findings if "ragged" in f.rule]
    told = describe(listing.items, EhrDescriber.of(study), None, engine="serial").descriptions
    wrong = [d for i, d in zip(listing.items, told, strict=True) if i in broken]
    assert all(not d.readable for d in wrong)
    assert {f.rule for d in wrong for f in d.findings} == {"ehr.structure.ragged_row"}
    # Nothing is written anew: the cohorts are read as they lie.
    cohorts = cohorts_of(tmp_path / "clean", {"train": {}, "synthetic": {}}, SCHEMA)
    found = judged(EhrCompleteness("ehr").readable(cohorts))
    assert found["readable_share"][0].value == pytest.approx(0.9)
    assert found["readable_share"][1] is Verdict.FAIL


def test_a_line_in_a_table_of_events_is_an_item_beside_the_patients(tmp_path):
    made = {k: v for k, v in simulated("cohort", 40, 1).items() if k != "holdout"}
    cohorts_of(tmp_path, made, COHORT_SCHEMA, full=False)
    labs = tmp_path / "synthetic/labs.csv"
    labs.write_text(with_lines(labs.read_text(), 0.02))
    cohorts = cohorts_of(tmp_path, {"train": {}, "synthetic": {}}, COHORT_SCHEMA)
    table = cohorts.synthetic.table
    assert int(table.readable.sum()) == 40
    assert all(i.startswith("labs.csv#line") for i in table.ids[~table.readable].tolist())
    found = [m for p in EhrFidelity("ehr").parts()[:2] for m in p.function(cohorts)]
    assert all(m.value is not None for m in found if isinstance(m, Measurement))


def test_bytes_that_are_no_text_are_found_in_the_rows_of_their_patients(tmp_path):
    schema = {"tables": {"t": {"columns": {"a": {"type": "category"}, "b": {"type": "category"}}}}}
    whole = "a,b\nx,ü\nx,化验\n".encode() + b"x,\xff\nx,y\n" * 2
    for text, rows_wrong, second in (
        (whole, [2, 4], "化验"),
        (b"a,b\nx,y\nx,caf\xe9\n", [1], "café"),
    ):
        (tmp_path / "t.csv").write_bytes(text)
        data = read_dataset(tmp_path, Schema.of(schema))
        assert data.tables["t"]["b"][1].as_py() == second
        (found,) = [f for f in data.row_findings if f.rule == "ehr.structure.encoding_unknown"]
        assert found.rows.tolist() == rows_wrong


def test_a_fraction_is_wrong_in_form_and_not_missing(tmp_path):
    (tmp_path / "t.csv").write_text("a,n\n1,2\n2,3.4\n3,3.6\n4,\n5,x\n")
    data = read_dataset(tmp_path, Schema.of(SCHEMA))
    assert data.tables["t"]["n"].to_pylist() == [2, 3, 4, None, None]
    marks = {f.rule.rpartition(".")[2]: f.rows.tolist() for f in data.row_findings}
    assert marks == {"fraction": [1, 2], "type": [4]}


# --- copies without a holdout ---------------------------------------------------------------------


def coarse(n, seed):
    rng = np.random.default_rng(seed)
    return pa.table({"a": rng.integers(0, 9, n).astype(float), "n": rng.integers(0, 40, n)})


def copies(tmp_path, train, synthetic):
    cohorts = cohorts_of(tmp_path, {"train": {"t": train}, "synthetic": {"t": synthetic}}, SCHEMA)
    return judged(EhrPrivacy("ehr").exact_copies(cohorts))["exact_copy_share"]


def test_without_a_holdout_twins_within_train_are_what_chance_gives(tmp_path):
    for seed in range(3):
        train, fresh = coarse(300, 2 * seed), coarse(300, 2 * seed + 1)
        found, verdict = copies(tmp_path / f"coarse{seed}", train, fresh)
        keys = list(zip(*train.to_pydict().values(), strict=True))
        twins = np.mean([keys.count(k) > 1 for k in keys])
        assert found.noise_floor.centre == pytest.approx(twins)
        assert found.value == pytest.approx(twins, abs=0.2)
        assert found.value > 0.3
        assert verdict is not Verdict.FAIL


def test_without_a_holdout_copies_of_unique_rows_fail(tmp_path):
    for seed in range(2):
        train, fresh = rows(400, 2 * seed), rows(400, 2 * seed + 1)
        clean, verdict = copies(tmp_path / f"clean{seed}", train, fresh)
        assert (clean.value, clean.noise_floor.centre) == (0, 0)
        assert verdict is Verdict.PASS
        leaky = pa.concat_tables([fresh.slice(0, 380), train.slice(0, 20)])
        found, verdict = copies(tmp_path / f"leaky{seed}", train, leaky)
        assert found.value == pytest.approx(0.05)
        assert verdict is Verdict.FAIL
