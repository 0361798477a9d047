"""The privacy evaluation of health records: what it gives, what voids it, and its verdicts."""

import sys
import types
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from ehr_cohorts import COHORT_SCHEMA, TABLE_SCHEMA, cohorts_of, simulated, simulated_cohorts

from sdq_core.characteristics.privacy import Privacy
from sdq_core.documents.details import read_details
from sdq_core.finding import Finding
from sdq_core.judging import judge_all
from sdq_core.measurement import Measurement
from sdq_core.profiles import load_profile
from sdq_core.vocabulary import Verdict
from sdq_ehr.attacks.generator_runs import attack_generator, recoded
from sdq_ehr.attacks.sides import sides_of
from sdq_ehr.attacks.subgroups import in_small_groups, with_rare_codes
from sdq_ehr.modality import Ehr
from sdq_ehr.patient_rows import PatientRows
from sdq_ehr.privacy import EhrPrivacy
from sdq_ehr.records import records_of
from sdq_ehr.simulated_table import plant_copies

PRIVACY = EhrPrivacy("ehr")
MEASURES = (
    "identifier_share", "exact_copy_share", "memorised_share", "membership_auc",
    "membership_tpr_at_1pct_fpr", "nearest_is_train_share", "singling_out_risk",
    "linkability_risk", "inference_risk", "k_anonymity",
)  # fmt: skip


def measured(cohorts, part=None):
    """Measurements by key, and findings, of one part or of all."""
    outputs = PRIVACY.measure(cohorts) if part is None else part(cohorts)
    outputs = list(outputs)
    found = {m.key.removeprefix("ehr.privacy."): m for m in outputs if isinstance(m, Measurement)}
    return found, [f for f in outputs if isinstance(f, Finding)]


def verdicts(found):
    profile = load_profile("default", Ehr().profile_folder(), "ehr", Ehr.default_profile)
    rules = profile.model_copy(
        update={"criteria": tuple(c for c in profile.criteria if ".privacy." in c.id)}
    )
    judged = judge_all(list(found.values()), rules)
    return {
        j.measurement.key.removeprefix("ehr.privacy."): j.verdict for j in judged if j.measurement
    }


def declared(schema, **columns):
    """Return a schema with more said of columns of the patient table."""
    name = schema["patient_table"]
    home = schema["tables"][name]
    more = {c: {**home["columns"][c], **about} for c, about in columns.items()}
    table = {**home, "columns": {**home["columns"], **more}}
    return {**schema, "tables": {**schema["tables"], name: table}}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    about = {"quasi_identifier": True}
    schema = declared(TABLE_SCHEMA, sex=about, age=about, ethnicity=about)
    made = simulated("table", 400, 1)
    return cohorts_of(tmp_path_factory.mktemp("fresh"), made, schema, full=False)


@pytest.fixture(scope="module")
def found(fresh):
    return measured(fresh)


def test_every_measure_is_given_with_value_interval_and_method(found):
    measures, _ = found
    assert PRIVACY.ids == tuple(f"ehr.privacy.{m}" for m in MEASURES)
    assert {m.id for m in measures.values()} == set(PRIVACY.ids)
    for key, m in measures.items():
        if m.value is None:
            assert m.reason, key
            assert m.reason_zh, key
            continue
        assert m.method.name, key
        assert m.method.source or m.id.endswith("identifier_share"), key
        if key != "k_anonymity":
            assert m.interval.low <= m.value <= m.interval.high, key
        _, wrong = read_details(m.details)
        assert not wrong, (key, wrong)


def test_a_fresh_sample_is_accused_of_nothing(found):
    measures, findings = found
    assert not findings
    judged = verdicts(measures)
    assert Verdict.FAIL not in judged.values(), judged
    assert judged["membership_auc"] is Verdict.PASS
    assert judged["singling_out_risk"] is Verdict.PASS
    assert measures["memorised_share"].interval.low == 0


def test_every_screen_says_that_it_is_no_proof(found):
    texts = Ehr().measures()
    for name in ("memorised_share", "membership_auc", "nearest_is_train_share",
                 "singling_out_risk", "linkability_risk", "inference_risk"):  # fmt: skip
        assert "never proves it safe" in found[0][name].method.name
        words = texts[f"ehr.privacy.{name}"]
        if name != "nearest_is_train_share":
            assert "safe" in words.says
            assert "安全" in words.says_zh


def test_planted_copies_fail_and_are_named_by_synthetic_ids(tmp_path):
    made = simulated("table", 1000, 2)
    table, rows, sources = plant_copies(
        made["synthetic"]["stays"], made["train"]["stays"], 0.05, noise=0.1, seed=1
    )
    made["synthetic"]["stays"] = table
    cohorts = cohorts_of(tmp_path, made, TABLE_SCHEMA, full=False)
    measures, findings = measured(cohorts, PRIVACY.memorised)
    assert verdicts(measures)["memorised_share"] is Verdict.FAIL
    assert 0.03 < measures["memorised_share"].value < 0.07
    place = {i: k for k, i in enumerate(cohorts.synthetic.table.ids)}
    train = {i: k for k, i in enumerate(cohorts.train.table.ids)}
    named = {place[f.item] for f in findings}
    assert set(rows.tolist()) <= named
    assert len(named) <= len(rows) + 15
    origin = dict(zip(rows.tolist(), sources.tolist(), strict=True))
    for suspect in measures["memorised_share"].details["suspects"]:
        row = place[suspect["synthetic"]]
        if row in origin:
            assert train[suspect["real"]] == origin[row]


def test_a_verbatim_copy_of_train_in_its_order_fails_everything(tmp_path):
    made = simulated("table", 300, 3)
    made["synthetic"] = made["train"]
    cohorts = cohorts_of(tmp_path, made, TABLE_SCHEMA, full=False)
    measures, findings = measured(cohorts)
    judged = verdicts(measures)
    for name in ("exact_copy_share", "memorised_share", "membership_auc",
                 "membership_tpr_at_1pct_fpr", "singling_out_risk", "linkability_risk",
                 "inference_risk"):  # fmt: skip
        assert judged[name] is Verdict.FAIL, name
    assert measures["nearest_is_train_share"].value > 0.95
    assert len(findings) >= 300


def test_without_a_holdout_nothing_is_assessed_and_why(tmp_path):
    made = simulated("table", 60, 4)
    del made["holdout"]
    measures, _ = measured(cohorts_of(tmp_path, made, TABLE_SCHEMA, full=False))
    for key, m in measures.items():
        if key not in ("identifier_share", "exact_copy_share"):
            assert m.value is None, key
    assert "holdout" in measures["memorised_share"].reason
    assert "留出" in measures["memorised_share[partial]"].reason_zh


def test_patients_on_both_sides_void_the_verdict(fresh):
    names = np.array([f"p{k}" for k in range(400)])
    shared = replace(
        fresh,
        train=replace(fresh.train, subjects=names),
        holdout=replace(fresh.holdout, subjects=np.roll(names, 1)),
    )
    for part in (PRIVACY.memorised, PRIVACY.attack, PRIVACY.nearest, PRIVACY.singling_out,
                 PRIVACY.linkability, PRIVACY.inference):  # fmt: skip
        for key, m in measured(shared, part)[0].items():
            assert m.value is None, key
            assert "400 subjects" in m.reason or not m.applicable


def test_few_patients_and_constant_columns_give_reasons(tmp_path):
    few = simulated_cohorts(tmp_path / "few", "table", 12, 5, full=False)
    assert "at least 20" in measured(few, PRIVACY.memorised)[0]["memorised_share"].reason
    same = {r: {"t": pa.table({"a": ["x"] * 40, "b": [1.0] * 40})} for r in
            ("train", "holdout", "synthetic")}  # fmt: skip
    schema = {
        "patient_table": "t",
        "tables": {"t": {"columns": {"a": {}, "b": {"type": "number"}}}},
    }
    flat = cohorts_of(tmp_path / "flat", same, schema, full=False)
    assert sides_of(flat) is None
    found, _ = measured(flat)
    assert "does not vary" in found["memorised_share"].reason
    assert all("computation stopped" not in (m.reason or "") for m in found.values())


def test_two_columns_are_too_few_for_linking_and_cannot_single_out(tmp_path):
    rng = np.random.default_rng(0)
    made = {
        r: {"t": pa.table({"a": rng.choice(["x", "y"], 200), "b": rng.integers(0, 5, 200)})}
        for r in ("train", "holdout", "synthetic")
    }
    schema = {"patient_table": "t", "tables": {"t": {"columns": {"a": {}, "b": {}}}}}
    found, _ = measured(cohorts_of(tmp_path, made, schema, full=False))
    assert not found["linkability_risk"].applicable
    assert not found["inference_risk"].applicable
    assert "planted" in found["singling_out_risk"].reason
    assert verdicts(found)["singling_out_risk"] is Verdict.NOT_ASSESSED
    assert all("computation stopped" not in (m.reason or "") for m in found.values())


def test_swapped_roles_are_a_finding(tmp_path):
    made = simulated("table", 300, 6)
    made["synthetic"]["stays"], _, _ = plant_copies(
        made["synthetic"]["stays"], made["holdout"]["stays"], 0.4, noise=0.1, seed=1
    )
    cohorts = cohorts_of(tmp_path, made, TABLE_SCHEMA, full=False)
    _, findings = measured(cohorts, PRIVACY.attack)
    assert [f.rule for f in findings] == ["core.roles.swapped"]


def test_records_of_several_tables_are_attacked_by_patient(tmp_path):
    cohorts = simulated_cohorts(tmp_path, "cohort", 150, 7, full=False)
    compared = sides_of(cohorts)
    assert [len(r) for r in compared.rows.values()] == [150, 150, 150]
    assert len(compared.sides.names) > 10
    found, _ = measured(cohorts)
    assert found["memorised_share"].n == {"synthetic": 150, "train": 150, "holdout": 150}
    assert found["membership_auc"].interval.low <= 0.5
    made = simulated("cohort", 150, 7)
    made["synthetic"] = made["train"]
    copied = cohorts_of(tmp_path / "copied", made, COHORT_SCHEMA, full=False)
    assert measured(copied, PRIVACY.memorised)[0]["memorised_share"].value > 0.9


def test_groups_are_chosen_by_real_patients_alone(fresh):
    records = records_of(fresh)
    real = np.arange(800)
    rare = with_rare_codes(records, real)
    small = in_small_groups(records, real)
    assert 0.02 < rare.mean() <= 0.2
    assert 0.02 < small.mean() <= 0.2
    table = records.tables["stays"]
    count = np.full(800, 10**6)
    for name in ("diagnosis", "secondary_diagnosis"):
        codes = table.codes[name]
        np.minimum(count, np.bincount(codes[:800])[codes[:800]], out=count)
    assert count[rare].max() < count[~rare].min()


def test_declared_quasi_identifiers_give_classes_and_matches(found, tmp_path):
    measures, _ = found
    assert measures["k_anonymity"].value >= 1
    names = measures["k_anonymity"].method.parameters["quasi_identifiers"]
    assert names == ["stays.age", "stays.sex", "stays.ethnicity"]
    match = measures["k_anonymity[unique-match]"]
    assert match.value is None or match.interval.low == 0
    other = simulated_cohorts(tmp_path, "table", 40, 8, full=False)
    without, _ = measured(other, PRIVACY.anonymity)
    assert "quasi_identifier" in without["k_anonymity"].reason


def test_sensitive_columns_are_the_secrets(tmp_path):
    schema = declared(TABLE_SCHEMA, diagnosis={"sensitive": True}, hba1c={"sensitive": True})
    cohorts = cohorts_of(tmp_path, simulated("table", 150, 9), schema, full=False)
    risk = measured(cohorts, PRIVACY.inference)[0]["inference_risk"]
    assert {r["feature"] for r in risk.details["ranking"]} == {"stays.diagnosis", "stays.hba1c"}


# --- the generator itself -------------------------------------------------------------------------


class Resampler:
    """Draws training rows, or shuffles each column by itself."""

    def __init__(self, *, remember):
        self.remember = remember
        self.rng = np.random.default_rng(0)

    def fit(self, tables):
        self.table = tables

    def sample(self, n):
        rows = self.rng.integers(0, self.table.num_rows, n)
        if self.remember:
            return self.table.take(pa.array(rows))
        return pa.table(
            {
                c: self.table[c].take(pa.array(self.rng.permutation(rows)))
                for c in self.table.column_names
            }
        )


@pytest.fixture
def small(tmp_path):
    return simulated_cohorts(tmp_path, "table", 100, 10, full=False)


def test_a_memorising_generator_is_found_out_and_a_shuffling_one_is_not(small):
    leaky = attack_generator(small, Resampler(remember=True), runs=4)
    assert leaky.auc_interval.low > 0.65
    innocent = attack_generator(small, Resampler(remember=False), runs=4)
    assert innocent.auc < 0.66 < leaky.auc


def test_user_code_is_imported_only_where_the_study_names_it(small, monkeypatch):
    module = types.ModuleType("toy_generator")
    module.made = lambda: Resampler(remember=True)
    assert list(PRIVACY.shadow(small)) == []
    monkeypatch.setitem(sys.modules, "toy_generator", module)
    settings = {**small.study.settings, "generator": "toy_generator:made"}
    named = replace(small, study=small.study.model_copy(update={"settings": settings}))
    auc, hits = PRIVACY.shadow(named)
    assert (auc.variant, hits.variant) == ("shadow", "shadow")
    assert auc.value > 0.7
    assert not read_details(auc.details)[1]


def test_levels_of_another_coding_are_recoded():
    from sdq_core.statistics.mixed_rows import MixedRows

    def rows(codes, levels):
        mixed = MixedRows(np.empty((len(codes), 0)), np.array(codes)[:, None])
        return PatientRows(mixed, (), (), (levels,))

    codes, sizes = recoded(rows([0, 1], ("a", "b")), rows([0, 1, 2], ("b", "c", "a")))
    assert codes.ravel().tolist() == [1, 2, 0]
    assert sizes == (3,)


def test_the_core_evaluation_is_the_base():
    assert issubclass(EhrPrivacy, Privacy)
