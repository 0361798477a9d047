"""Ways to pass by the instrument that must not be open."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from ehr_cohorts import COHORT_SCHEMA, TABLE_SCHEMA, cohorts_of, simulated

from sdq_core.characteristics.completeness import content_key
from sdq_core.finding import Finding
from sdq_core.gallery import write_gallery
from sdq_core.judging import judge_all
from sdq_core.measurement import Measurement
from sdq_core.profiles import load_profile
from sdq_core.vocabulary import Verdict
from sdq_ehr.completeness import EhrCompleteness
from sdq_ehr.dataset import Dataset
from sdq_ehr.exact_copies import same_patients
from sdq_ehr.judged import _shortened
from sdq_ehr.metadata import EhrMetadata
from sdq_ehr.modality import Ehr
from sdq_ehr.patient_rows import fit_layout
from sdq_ehr.privacy import EhrPrivacy
from sdq_ehr.records import records_of_dataset
from sdq_ehr.rules import finding
from sdq_ehr.schema import Schema

PROFILE = load_profile("default", Ehr().profile_folder(), "ehr", Ehr.default_profile)


def judged(part, cohorts):
    found = list(part(cohorts))
    measured = [m for m in found if isinstance(m, Measurement)]
    verdicts = {
        (j.measurement.id.split(".")[-1], j.measurement.variant): j.verdict
        for j in judge_all(measured, PROFILE)
        if j.measurement is not None
    }
    return verdicts, {f.rule for f in found if isinstance(f, Finding)}


def test_what_the_schema_does_not_name_fails_for_it_may_hold_anything(tmp_path):
    made = simulated("table", 60, 7)
    stays = made["synthetic"]["stays"]
    phones = pa.array([f"138{k:08d}" for k in range(stays.num_rows)])
    made["synthetic"] = {"stays": stays.append_column("phone", phones)}
    verdicts, _ = judged(EhrMetadata("ehr").conformity, cohorts_of(tmp_path, made, TABLE_SCHEMA))
    assert verdicts["conformity_share", "known-columns"] is Verdict.FAIL


def test_rows_of_nobody_count_as_patients_that_are_not_known(tmp_path):
    made = simulated("cohort", 80, 7)
    visits = made["synthetic"]["visits"]
    train = made["train"]["visits"]
    nobody = train.set_column(
        train.column_names.index("patient_id"), "patient_id",
        pa.array([None] * train.num_rows, pa.string()),
    )  # fmt: skip
    made["synthetic"]["visits"] = pa.concat_tables([visits, nobody])
    cohorts = cohorts_of(tmp_path, made, COHORT_SCHEMA)
    verdicts, _ = judged(EhrCompleteness("ehr").structure, cohorts)
    assert verdicts["structure_share", "patients-known"] is Verdict.FAIL


def test_rows_that_name_their_visit_only_belong_to_the_patient_of_the_visit():
    schema = Schema.of({
        "patient_table": "p",
        "tables": {
            "p": {"key": "id", "columns": {"id": {"type": "identifier"}}},
            "v": {"key": "vid", "patient": "id", "columns": {
                "vid": {"type": "identifier"}, "id": {"type": "identifier"}}},
            "labs": {"references": {"vid": "v.vid"}, "columns": {
                "vid": {"type": "identifier"}, "lid": {"type": "identifier"},
                "x": {"type": "number"}}},
            "notes": {"references": {"lid": "labs.lid"}, "columns": {
                "lid": {"type": "identifier"}, "y": {"type": "number"}}},
            "codes": {"columns": {"code": {"type": "code"}}},
        },
    })  # fmt: skip
    data = Dataset(
        schema,
        {
            "p": pa.table({"id": ["a", "b"]}),
            "v": pa.table({"vid": ["1", "2", "3"], "id": ["b", "a", "b"]}),
            "labs": pa.table({
                "vid": ["3", "2", "9", None], "lid": ["k", "l", "m", "n"],
                "x": [1.0, 2.0, 3.0, 4.0],
            }),
            "notes": pa.table({"lid": ["l", "k"], "y": [5.0, 6.0]}),
            "codes": pa.table({"code": ["I10"]}),
        },
    )  # fmt: skip
    rows = data.patients().rows
    assert rows["labs"].tolist() == [1, 0, -1, -1]
    assert rows["notes"].tolist() == [0, 1]
    assert rows["codes"].tolist() == [-1]
    assert [schema.is_dictionary(t) for t in schema.tables] == [False] * 4 + [True]
    names = {c.name for c in fit_layout(records_of_dataset(data)).columns}
    assert "notes.y" in names


@pytest.mark.parametrize("which", ["train", "holdout"])
def test_released_real_patients_fail_whichever_cohort_they_are_from(which, tmp_path):
    made = simulated("table", 80, 7)
    made["synthetic"] = made[which]
    cohorts = cohorts_of(tmp_path, made, TABLE_SCHEMA)
    verdicts, rules = judged(EhrPrivacy("ehr").exact_copies, cohorts)
    variant = None if which == "train" else "of-holdout"
    assert verdicts["exact_copy_share", variant] is Verdict.FAIL
    assert "ehr.roles.holdout_holds_train" not in rules


def test_a_holdout_that_holds_train_excuses_no_copies(tmp_path):
    made = simulated("table", 80, 7)
    made["holdout"] = made["synthetic"] = made["train"]
    cohorts = cohorts_of(tmp_path, made, TABLE_SCHEMA)
    verdicts, rules = judged(EhrPrivacy("ehr").exact_copies, cohorts)
    assert set(verdicts.values()) - {None} == {Verdict.FAIL}
    assert "ehr.roles.holdout_holds_train" in rules


@pytest.mark.parametrize("kind", ["table", "cohort"])
def test_one_patient_under_another_number_voids_the_attacks(kind, tmp_path):
    made = simulated(kind, 80, 9)
    name = "stays" if kind == "table" else "patients"
    one = made["train"][name].slice(5, 1)
    key = None if kind == "table" else one["patient_id"][0].as_py()
    for table, rows in made["train"].items():
        part = rows.slice(5, 1) if key is None else rows.filter(pc.equal(rows["patient_id"], key))
        for column in part.column_names:
            if column.endswith("_id"):
                other = pa.array([f"X{v.as_py()}" for v in part[column]])
                part = part.set_column(part.column_names.index(column), column, other)
        made["holdout"][table] = pa.concat_tables([made["holdout"][table], part])
    schema = TABLE_SCHEMA if kind == "table" else COHORT_SCHEMA
    cohorts = cohorts_of(tmp_path, made, schema)
    privacy = EhrPrivacy("ehr")
    verdicts, rules = judged(privacy.exact_copies, cohorts)
    assert "ehr.roles.same_patient" in rules
    assert verdicts["exact_copy_share", None] is not Verdict.FAIL
    assert "1 subjects are in both" in privacy.void(cohorts)["reason"]


def test_equal_records_of_few_coarse_columns_are_nobody_in_particular(tmp_path):
    columns = {"sex": {}, "age": {"type": "number"}}
    rng = np.random.default_rng(0)
    made = {
        role: {"t": pa.table({
            "sex": rng.choice(["F", "M"], n).tolist(), "age": rng.integers(0, 3000, n).astype(float)
        })}
        for role, n in (("train", 15), ("holdout", 1500), ("synthetic", 50))
    }  # fmt: skip
    cohorts = cohorts_of(tmp_path, made, {"tables": {"t": {"columns": columns}}})
    assert set(content_key(cohorts.train)) & set(content_key(cohorts.holdout))
    assert same_patients(cohorts) == ()


def test_a_fresh_sample_is_no_copy(tmp_path):
    cohorts = cohorts_of(tmp_path, simulated("table", 200, 8), TABLE_SCHEMA)
    verdicts, rules = judged(EhrPrivacy("ehr").exact_copies, cohorts)
    assert set(verdicts.values()) - {None} == {Verdict.PASS}
    assert not rules


@pytest.mark.parametrize("running", [True, False])
def test_numbers_of_real_patients_are_not_given_again(running, tmp_path):
    made = simulated("cohort", 80, 7)
    rng = np.random.default_rng(0)

    def renamed(tables, keys):
        old = tables["patients"]["patient_id"].to_pylist()
        names = dict(zip(old, keys, strict=True))
        found = {}
        for name, table in tables.items():
            at = table.column_names.index("patient_id")
            new = pa.array([names[v] for v in table["patient_id"].to_pylist()])
            found[name] = table.set_column(at, "patient_id", new)
        return found

    numbers = [str(n) for n in rng.choice(10**9, 160, replace=False)]
    if running:
        numbers = [str(k) for k in range(160)]
    made["train"] = renamed(made["train"], numbers[:80])
    made["holdout"] = renamed(made["holdout"], numbers[80:])
    made["synthetic"] = renamed(made["synthetic"], numbers[:80])
    cohorts = cohorts_of(tmp_path, made, COHORT_SCHEMA)
    verdicts, _ = judged(EhrPrivacy("ehr").exact_copies, cohorts)
    assert verdicts["exact_copy_share", "keys"] is (None if running else Verdict.FAIL)


def test_many_findings_of_one_rule_hide_none_of_another():
    many = [finding("structure.required", f"t.c{k}") for k in range(80)]
    other = finding("structure.type", "t.x")
    kept = _shortened([*many, other])
    assert other in kept
    assert len(kept) == 50


def test_without_a_search_for_copies_nothing_is_pictured(tmp_path):
    made = simulated("table", 40, 7)
    made = {"train": made["train"], "synthetic": made["train"]}
    cohorts = cohorts_of(tmp_path, made, TABLE_SCHEMA)
    found = [m for m in EhrPrivacy("ehr").measure(cohorts) if isinstance(m, Measurement)]
    assert write_gallery(Ehr(), cohorts, found, tmp_path / "out") == ()


@pytest.mark.parametrize("kind", ["numbers", "constant"])
def test_tables_without_categories_and_without_variation_are_judged(kind, tmp_path):
    rng = np.random.default_rng(0)
    columns = {f"x{k}": {"type": "number"} for k in range(4)}
    made = {
        role: {"t": pa.table({
            name: rng.normal(size=70) if kind == "numbers" else np.full(70, 3.0)
            for name in columns
        })}
        for role in ("train", "holdout", "synthetic")
    }  # fmt: skip
    cohorts = cohorts_of(tmp_path, made, {"tables": {"t": {"columns": columns}}})
    found = [m for m in EhrPrivacy("ehr").measure(cohorts) if isinstance(m, Measurement)]
    assert not [m.reason for m in found if m.reason and "stopped with" in m.reason]
    write_gallery(Ehr(), cohorts, found, tmp_path / "out")


def test_tables_without_any_value_are_judged_without_an_alarm_by_rounding(tmp_path):
    empty = {"t": pa.table({c: pa.nulls(50, pa.string()) for c in ("a", "b")})}
    made = dict.fromkeys(("train", "holdout", "synthetic"), empty)
    schema = {"tables": {"t": {"columns": {"a": {}, "b": {"type": "number"}}}}}
    cohorts = cohorts_of(tmp_path, made, schema)
    for evaluation in Ehr().characteristics(cohorts.study):
        outputs = [m for m in evaluation.measure(cohorts) if isinstance(m, Measurement)]
        assert not [m.reason for m in outputs if m.reason and "stopped with" in m.reason]
        for m in outputs:
            if m.id.endswith(("marginal_share_consistent", "missingness_distance")):
                # The share, and the p-value of "by chance"; the distances are 0.
                one = "share" in m.id and m.variant in (None, "chance")
                assert m.value == (1.0 if one else 0.0)
    variants = {m.variant for m in EhrPrivacy("ehr").attack(cohorts)}
    assert variants == {None, "rare-codes", "small-groups"}
