"""Structure, codes, units, semantics and metadata of whole cohorts: what is planted is found."""

import numpy as np
import pyarrow as pa
import pytest
from ehr_cohorts import COHORT_SCHEMA, cohorts_of, simulated

from sdq_core.finding import Finding
from sdq_core.measurement import Measurement
from sdq_core.vocabulary import Role
from sdq_ehr.balance import EhrBalance
from sdq_ehr.boosting import boosted_scores
from sdq_ehr.completeness import EhrCompleteness
from sdq_ehr.defects import DEFECTS, Sample, defect, memorised_copies
from sdq_ehr.metadata import EhrMetadata
from sdq_ehr.records import dataset_of
from sdq_ehr.schema import Schema
from sdq_ehr.utility import EhrUtility, explained

SCHEMA = Schema.of(COHORT_SCHEMA)
N = 80
WIDE = {n: n + 0xFEE0 for n in range(0x21, 0x7F)}
"""ASCII -> full width."""


def measured(evaluation, cohorts):
    found = list(evaluation("ehr").measure(cohorts))
    values = {
        m.id.split(".")[-1] + (f"[{m.variant}]" if m.variant else ""): m
        for m in found
        if isinstance(m, Measurement)
    }
    return values, [f for f in found if isinstance(f, Finding)]


def changed(name, severity, seed=0):
    rng = np.random.default_rng(seed)
    return lambda t: dict(defect(name).plant(Sample(t, SCHEMA), severity, rng).tables)


@pytest.fixture(scope="module")
def real():
    return simulated("cohort", N, 5)


@pytest.fixture(scope="module")
def clean(real, tmp_path_factory):
    return cohorts_of(tmp_path_factory.mktemp("clean"), real, COHORT_SCHEMA)


def with_defect(real, folder, change):
    return cohorts_of(folder, {**real, "synthetic": change(real["synthetic"])}, COHORT_SCHEMA)


def test_clean_cohorts_have_no_defect(clean):
    values, _ = measured(EhrCompleteness, clean)
    assert set(values) == {
        "readable_share", "structure_share", "structure_share[patients-known]",
        "code_valid_share[icd10cm]", "code_valid_share[loinc]", "unit_valid_share[ucum]",
        "semantics_share", "duplicate_share",
    }  # fmt: skip
    assert values.pop("duplicate_share").value == 0
    assert {name: m.value for name, m in values.items() if m.value < 0.97} == {}
    assert "CM" in values["code_valid_share[icd10cm]"].method.name
    assert "no" in values["code_valid_share[loinc]"].method.name  # no list was given: it says so


@pytest.mark.parametrize(
    ("name", "severity", "measure"),
    [
        ("invalid codes", 0.1, "code_valid_share[icd10cm]"),
        ("wrong system", 0.1, "code_valid_share[icd10cm]"),
        ("sex contradicted", 0.1, "semantics_share"),
        ("dates reversed", 0.1, "semantics_share"),
        ("unit confused", 0.1, "semantics_share"),
        ("orphan keys", 0.05, "structure_share[patients-known]"),
    ],
)
def test_each_gross_error_is_counted_by_patient(name, severity, measure, real, clean, tmp_path):
    values, _ = measured(EhrCompleteness, with_defect(real, tmp_path, changed(name, severity)))
    before = measured(EhrCompleteness, clean)[0][measure]
    assert values[measure].interval.high < before.value - 0.02
    assert values[measure].noise_floor.centre > 0.97  # beside it the real cohorts' own rate


def test_the_ladder_tells_the_rung_and_the_reason(real, tmp_path):
    values, _ = measured(
        EhrCompleteness, with_defect(real, tmp_path, changed("invalid codes", 0.1))
    )
    details = values["code_valid_share[icd10cm]"].details
    rungs = {row[0]: row[1:] for row in details["table"]["rows"]}
    assert rungs["form"][2] == 0  # it looks like a code
    assert rungs["listed"][2] == 1  # one distinct value is in no list
    assert details["reasons"][0]["cells"] == rungs["listed"][3] > 0


def test_codes_that_are_put_right_are_counted_apart(real, tmp_path):
    # Lower case, full width and blanks: as written in no list, after normalising the code meant.
    def sloppy(tables):
        visits = tables["visits"]
        codes = visits["diagnosis"].to_pylist()
        codes[:6] = [codes[0].lower(), f" {codes[1]} ", codes[2].translate(WIDE), *codes[3:6]]
        place = visits.column_names.index("diagnosis")
        return {**tables, "visits": visits.set_column(place, "diagnosis", pa.array(codes))}

    values, _ = measured(EhrCompleteness, with_defect(real, tmp_path, sloppy))
    found = values["code_valid_share[icd10cm]"]
    assert found.value > 0.97  # they are codes, and what is meant is plain
    assert found.details["as_written"]["accepted_after_normalising"] == 1
    assert "1 cells are codes only after" in found.details["notes"][-1]["en"]
    # Width and blanks are put right in reading already, where each cell is a finding too.
    cohorts = with_defect(real, tmp_path / "again", sloppy)
    seen = {f.rule: len(f.rows) for f in dataset_of(cohorts, Role.SYNTHETIC).row_findings}
    assert seen["ehr.structure.full_width"] == 1


def test_rules_whose_source_was_not_read_are_named(real, tmp_path):
    values, _ = measured(
        EhrCompleteness, with_defect(real, tmp_path, changed("unit confused", 0.1))
    )
    assert "semantics.unit_mixed_up" in values["semantics_share"].details["notes"][0]["en"]
    contradicted = with_defect(real, tmp_path / "2", changed("sex contradicted", 0.1))
    values, _ = measured(EhrCompleteness, contradicted)
    assert "diagnosis" not in str(values["semantics_share"].details.get("notes", ""))


def test_equal_keys_and_lost_references_count_though_no_patient_alone_breaks_them(real, tmp_path):
    def twice(tables):
        visits = tables["visits"]
        keys = visits["visit_id"].to_pylist()
        keys[1] = keys[0]
        at = visits.column_names.index("visit_id")
        return {**tables, "visits": visits.set_column(at, "visit_id", pa.array(keys))}

    values, findings = measured(EhrCompleteness, with_defect(real, tmp_path, twice))
    rules = {f.rule for f in findings if f.role == "synthetic" and f.item}
    assert {"ehr.structure.key_duplicate", "ehr.structure.orphan"} & rules
    assert values["structure_share"].value < 1


def test_a_patient_under_another_number_is_a_duplicate(real, tmp_path):
    def repeated(tables):
        p = tables["patients"].slice(0, 1)
        key = p["patient_id"][0].as_py()
        more = {"patients": p}
        for name in ("visits", "labs"):
            t = tables[name]
            more[name] = t.filter(pa.compute.equal(t["patient_id"], key))
        renamed = {}
        for name, t in more.items():
            for column in t.column_names:
                if column.endswith("_id"):
                    new = pa.array([f"{v}-again" for v in t[column].to_pylist()])
                    t = t.set_column(t.column_names.index(column), column, new)
            renamed[name] = pa.concat_tables([tables[name], t.cast(tables[name].schema)])
        return renamed

    values, _ = measured(EhrCompleteness, with_defect(real, tmp_path, repeated))
    assert values["duplicate_share"].value == pytest.approx(1 / (N + 1))


def test_a_column_that_is_not_there_is_missing_to_every_user(real, tmp_path):
    def dropped(tables):
        return {**tables, "visits": tables["visits"].drop_columns(["department"])}

    values, _ = measured(EhrMetadata, with_defect(real, tmp_path, dropped))
    share = values["required_attribute_share[columns]"]
    assert share.value < 1
    assert share.details["absent"] == ["visits.department"]


def test_rare_codes_that_are_lost_are_missed_and_a_fresh_sample_is_not(real, clean, tmp_path):
    fresh = measured(EhrBalance, clean)[0]["rare_code_coverage"]
    assert fresh.noise_floor.low <= fresh.value <= fresh.noise_floor.high
    lost = with_defect(real, tmp_path, changed("rare codes dropped", 0.03))
    value = measured(EhrBalance, lost)[0]["rare_code_coverage"]
    assert value.interval.high < value.noise_floor.low
    assert value.details["absent_count"] > 0
    ids = {part for e in (EhrBalance("ehr"),) for p in e.parts() for part in p.measures}
    assert ids == {
        "items", "class_gini", "class_entropy", "class_imbalance_ratio", "attribute_entropy",
        "rare_code_coverage", "volume_adequacy",
    }  # fmt: skip


@pytest.mark.parametrize("entry", DEFECTS, ids=lambda d: d.name)
def test_a_defect_is_seeded_and_leaves_the_given_tables_alone(entry, real):
    sample = Sample(real["synthetic"], SCHEMA)
    before = dict(sample.tables)
    severity = entry.severity_range[1]
    if entry.name == "identifiers":
        severity = 0.2
    one, two = (entry.plant(sample, severity, np.random.default_rng(3)) for _ in range(2))
    assert all(one.tables[n].equals(two.tables[n]) for n in before)
    assert all(sample.tables[n].equals(t) for n, t in before.items())
    assert any(not one.tables[n].equals(t) for n, t in before.items())
    assert entry.plant(sample, 0.0, np.random.default_rng(0)) is sample


def test_memorised_patients_keep_all_their_rows(real):
    sample, train = (Sample(real[r], SCHEMA) for r in ("synthetic", "train"))
    made = memorised_copies(sample, train, 0.1, np.random.default_rng(0))
    assert made.tables["patients"].num_rows == N
    births = set(map(str, real["train"]["patients"]["birth_date"].to_pylist()))
    copied = [str(b) in births for b in made.tables["patients"]["birth_date"].to_pylist()]
    assert sum(copied) >= N // 10


def test_boosting_learns_and_r2_has_its_closed_form():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 3))
    y = (x[:, 0] + 0.3 * rng.standard_normal(200) > 0).astype(int)
    score = boosted_scores(x[:150], y[:150], x[150:], 2)
    assert ((score[:, 1] > 0) == y[150:]).mean() > 0.85
    truth, guess = rng.standard_normal(30), rng.standard_normal(30)
    weights = rng.integers(0, 4, (5, 30)).astype(float)
    repeated = [np.repeat(np.arange(30), w.astype(int)) for w in weights]
    expected = [
        1 - ((truth[r] - guess[r]) ** 2).sum() / ((truth[r] - truth[r].mean()) ** 2).sum()
        for r in repeated
    ]
    np.testing.assert_allclose(explained(truth, guess, weights), expected)


def test_utility_of_a_number_is_measured_without_the_number_itself(real, tmp_path):
    target = "labs.value [718-7]: mean"
    cohorts = cohorts_of(
        tmp_path, real, COHORT_SCHEMA, full=False, settings={"regression_targets": [target]}
    )
    values, _ = measured(EhrUtility, cohorts)
    found = values[f"tstr_ratio[R2 of {target}]"]
    assert found.value is None or found.value < 1.5
    assert values["tstr_auc"].reason  # no class in this schema
