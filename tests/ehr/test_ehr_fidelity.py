"""Fidelity of records: planted defects fail, real samples do not, and what does not apply."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from ehr_cohorts import (
    COHORT_SCHEMA,
    TABLE_SCHEMA,
    cohorts_of,
    simulated,
    simulated_cohorts,
)

import sdq_ehr
from sdq_core.documents.figures import figures
from sdq_core.judging import judge_all
from sdq_core.measurement import Measurement
from sdq_core.measures import measure_texts
from sdq_core.profiles import load_profile
from sdq_core.vocabulary import Verdict
from sdq_ehr.fidelity import EhrFidelity
from sdq_ehr.resampled import resampled
from sdq_ehr.simulated_cohort import shuffle_dates, shuffle_values
from sdq_ehr.simulated_table import replaced

N = 150
HERE = Path(sdq_ehr.__file__).parent
PROFILE = load_profile("ehr-default", HERE / "profiles", "ehr", "ehr-default")


def measured(cohorts, *parts):
    """Measurements of some parts, of all by default, by key without the first words."""
    found = {}
    for part in EhrFidelity("ehr").parts():
        if not parts or set(parts) & set(part.measures):
            for m in part.function(cohorts):
                if isinstance(m, Measurement):
                    found[m.key.removeprefix("ehr.fidelity.")] = m
    return found


def verdicts(found):
    judged = judge_all(list(found.values()), PROFILE)
    return {
        j.measurement.key.removeprefix("ehr.fidelity."): j.verdict
        for j in judged
        if j.measurement is not None and j.verdict is not None
    }


def permuted(table, columns, seed=0):
    for k, column in enumerate(columns):
        order = np.random.default_rng([seed, k]).permutation(table.num_rows)
        table = replaced(table, column, table[column].take(pa.array(order)))
    return table


def comonotone(table, columns, by):
    place = pc.rank(table[by], tiebreaker="first").to_numpy() - 1
    for column in columns:
        order = pc.sort_indices(table[column]).to_numpy()
        table = replaced(table, column, table[column].take(pa.array(order[place])))
    return table


def without_rare(table, column, share):
    codes = np.array(table[column].to_pylist())
    _, where, count = np.unique(codes, return_inverse=True, return_counts=True)
    rare = count[where] < share * len(codes)
    codes[rare] = np.random.default_rng(0).choice(codes[~rare], rare.sum())
    return replaced(table, column, pa.array(codes))


def without_values(table, column, where):
    nothing = pa.scalar(None, table[column].type)
    return replaced(table, column, pc.if_else(where, nothing, table[column]))


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    return {
        kind: measured(
            simulated_cohorts(tmp_path_factory.mktemp(kind), kind, N, seed=2, full=False)
        )
        for kind in ("table", "cohort")
    }


# --- both sides of every detector -----------------------------------------------------------------


@pytest.mark.parametrize("kind", ["table", "cohort"])
def test_a_fresh_real_sample_does_not_fail(fresh, kind):
    found = verdicts(fresh[kind])
    assert len(found) >= 10
    assert Verdict.FAIL not in found.values()
    assert list(found.values()).count(Verdict.PASS) >= len(found) - 3


def stays(change):
    return lambda tables: {"stays": change(tables["stays"])}


DEFECTS = {
    "shift": (
        stays(lambda t: replaced(t, "systolic", pc.add(t["systolic"], 24.0))),
        "marginal_share_consistent[worst-column]",
    ),
    "every dependence destroyed": (
        stays(lambda t: permuted(t, t.column_names)),
        "association_distance[all-pairs]",
    ),
    "some dependences destroyed": (
        stays(lambda t: permuted(t, ["glucose", "systolic", "creatinine"])),
        "association_distance[largest]",
    ),
    "four columns made comonotone with a date": (
        stays(lambda t: comonotone(t, ["sodium", "bmi", "systolic", "haemoglobin"], "admitted")),
        "association_distance[all-pairs]",
    ),
    "three ways": (
        stays(lambda t: comonotone(t, ["sodium", "bmi", "systolic", "haemoglobin"], "admitted")),
        "three_way_distance",
    ),
    "missing": (
        stays(lambda t: without_values(t, "bmi", pc.less(t["age"], 60.0))),
        "missingness_distance",
    ),
    "rare codes dropped": (
        stays(
            lambda t: without_rare(without_rare(t, "diagnosis", 0.02), "secondary_diagnosis", 0.02)
        ),
        "code_frequency_distance[rare-codes]",
    ),
    "values permuted": (lambda c: shuffle_values(c, 0), "trajectory_distance[between-patients]"),
    "values permuted, next": (lambda c: shuffle_values(c, 0), "trajectory_distance[lag-1]"),
    "dates permuted": (lambda c: shuffle_dates(c, 0), "trajectory_distance[order]"),
    "dates permuted, gaps": (lambda c: shuffle_dates(c, 0), "trajectory_distance[gaps]"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(DEFECTS))
def test_a_planted_defect_fails(tmp_path, name):
    change, key = DEFECTS[name]
    kind = "cohort" if "permuted" in name else "table"
    n = 300 if "rare" in name else N  # rare codes need more patients than others
    cohorts = simulated_cohorts(tmp_path, kind, n, seed=2, change=change, full=False)
    found = verdicts(measured(cohorts, key.split("[")[0]))
    assert found[key] is Verdict.FAIL, found


def test_blindness_of_marginals_to_what_associations_see(tmp_path, fresh):
    """Finding 1: destroyed dependence leaves every column as it is."""
    change = stays(lambda t: permuted(t, t.column_names))
    cohorts = simulated_cohorts(tmp_path, "table", N, seed=2, change=change, full=False)
    found = measured(cohorts, "marginal_share_consistent", "association_distance")
    assert found["marginal_share_consistent"].value == 1.0
    assert fresh["table"]["marginal_share_consistent"].value == 1.0
    before, after = (x["association_distance[all-pairs]"] for x in (fresh["table"], found))
    assert after.interval.low > before.interval.high
    lost = found["association_distance[largest]"].details["lost"]
    pairs = {frozenset(row[0].split(" ~ ")) for row in lost}
    assert frozenset({"stays.admitted", "stays.discharged"}) in pairs


def test_blindness_of_rows_to_what_trajectories_see(tmp_path, fresh):
    """Finding 2: values dealt out among patients leave the rows of the table as they are."""
    cohorts = simulated_cohorts(
        tmp_path, "cohort", N, seed=2, change=lambda c: shuffle_values(c, 0), full=False
    )
    found = measured(cohorts, "marginal_share_consistent", "trajectory_distance")
    assert found["marginal_share_consistent"].value == 1.0
    key = "trajectory_distance[between-patients]"
    assert found[key].interval.low > 5 * fresh["cohort"][key].interval.high
    row = found[key].details["table"]["rows"][0]
    assert row[1] > 0.8
    assert abs(row[2]) < 0.2


# --- what does not apply, and what is never excused -----------------------------------------------


def test_one_table_without_codes_and_time(tmp_path):
    made = simulated("table", 40, 4)
    columns = {"age": {"type": "number"}, "sodium": {"type": "number"}, "sex": {}}
    schema = {"tables": {"stays": {"columns": columns}}}
    found = measured(cohorts_of(tmp_path, made, schema, full=False))
    without = {
        "code_frequency_distance", "code_cooccurrence_distance", "trajectory_distance",
    }  # fmt: skip
    assert {k for k, m in found.items() if not m.applicable} == without
    for key in without:
        assert found[key].reason
        assert any("\u4e00" <= c <= "\u9fff" for c in found[key].reason_zh)
    assert found["missingness_distance"].value == 0.0
    judged = judge_all(list(found.values()), PROFILE)
    missed = {j.criterion.id for j in judged if j.criterion and j.measurement is None}
    assert not {i for i in missed if i.startswith("ehr.fidelity.")}


def test_one_column(tmp_path):
    made = simulated("table", 30, 4)
    schema = {"tables": {"stays": {"columns": {"age": {"type": "number"}}}}}
    found = measured(cohorts_of(tmp_path, made, schema, full=False))
    assert found["marginal_share_consistent"].value == 1.0
    assert not found["association_distance"].applicable
    assert not found["three_way_distance"].applicable


def test_nothing_but_text(tmp_path):
    made = simulated("table", 30, 4)
    schema = {"tables": {"stays": {"columns": {"age": {"type": "text"}}}}}
    found = measured(cohorts_of(tmp_path, made, schema, full=False))
    assert not found["marginal_share_consistent"].applicable


def test_a_generator_without_laboratory_values_is_not_excused(tmp_path):
    made = simulated("cohort", 60, 4)
    made["synthetic"]["labs"] = made["synthetic"]["labs"].slice(0, 0)
    found = measured(cohorts_of(tmp_path, made, COHORT_SCHEMA, full=False))
    assert all(m.value is not None for m in found.values())
    names = (
        "marginal_share_consistent", "trajectory_distance[between-patients]",
        "trajectory_distance[events-per-patient]", "code_frequency_distance[all-codes]",
    )  # fmt: skip
    judged = verdicts(found)
    assert {judged[n] for n in names} == {Verdict.FAIL}


def test_a_generator_that_fills_every_gap_or_leaves_a_column_out(tmp_path):
    def change(t):
        filled = pc.fill_null(t["hba1c"], 6.0)
        gone = pa.array([None] * t.num_rows, pa.float64())
        return replaced(replaced(t, "hba1c", filled), "sodium", gone)

    cohorts = simulated_cohorts(tmp_path, "table", 60, seed=3, change=stays(change), full=False)
    found = measured(cohorts, "marginal_share_consistent", "missingness_distance")
    assert verdicts(found)["missingness_distance"] is Verdict.FAIL
    features = {f["feature"]: f for f in found["marginal_share_consistent"].details["features"]}
    assert features["stays.sodium"]["distance"] == 1.0
    assert not features["stays.sodium"]["consistent"]


def test_without_a_holdout_the_reference_is_half_of_train(tmp_path):
    made = simulated("cohort", 60, 4)
    del made["holdout"]
    cohorts = cohorts_of(tmp_path, made, COHORT_SCHEMA, full=False)
    found = measured(cohorts, "association_distance", "trajectory_distance")
    assert all(m.n == {"real": 30, "synthetic": 30} for m in found.values())


def test_provenance_is_no_difference(tmp_path):
    made = simulated("table", 30, 4)
    made["synthetic"]["stays"] = replaced(
        made["synthetic"]["stays"], "ethnicity", pa.array(["made up"] * 30)
    )
    columns = {"age": {"type": "number"}, "ethnicity": {"meaning": "provenance"}}
    schema = {"tables": {"stays": {"columns": columns}}}
    found = measured(cohorts_of(tmp_path, made, schema, full=False), "marginal_share_consistent")
    assert found["marginal_share_consistent"].method.parameters == {"columns": 1}


# --- classes, and what the reader sees ------------------------------------------------------------


def test_classes_are_coordinates_of_the_points(tmp_path):
    cohorts = simulated_cohorts(tmp_path, "table", 60, seed=3, full=False)
    ((_, facts, comparison),) = EhrFidelity("ehr")._each(cohorts)
    points = cohorts.train.table.embedding("patient-rows")[0]
    assert facts["dimension"] == points.shape[1]
    assert comparison.values.shape[1] > 0
    # Coordinates keep the scale of the layout: a rare level weighs no more than a common one.
    classes = comparison.column(cohorts, lambda cohort: cohort.classes)
    assert set(classes) == {"no", "yes"}
    held = (classes == "yes") * np.sqrt(0.5)
    assert any(np.allclose(c, held) for c in comparison.values.T)


@pytest.mark.parametrize("kind", ["table", "cohort"])
def test_every_drawing_has_the_agreed_form_in_both_languages(fresh, kind):
    texts = measure_texts("ehr", HERE / "measures.yaml")
    for m in fresh[kind].values():
        assert m.id in texts
        for language in ("en", "zh"):
            drawn, broken = figures(m.details, language)
            assert not broken, (m.key, broken)
            if language == "zh":
                for figure in drawn:
                    for column in figure.columns:
                        assert any("\u4e00" <= c <= "\u9fff" for c in column), (m.key, column)
    heat = fresh[kind]["association_distance[all-pairs]"].details["heat"]
    assert len(heat["labels"]) >= 20


def test_no_level_of_a_few_real_patients_is_named(tmp_path):
    def rename(tables):
        codes = tables["stays"]["department"].to_pylist()
        return {"stays": replaced(tables["stays"], "department", pa.array(["Mr X", *codes[1:]]))}

    made = {role: rename(tables) for role, tables in simulated("table", 60, 4).items()}
    found = measured(cohorts_of(tmp_path, made, TABLE_SCHEMA, full=False))
    assert "Mr X" not in "".join(str(m.details) for m in found.values())


def test_fewer_than_four_patients_give_a_reason(tmp_path):
    made = simulated("table", 40, 4)
    made["synthetic"]["stays"] = made["synthetic"]["stays"].slice(0, 2)
    cohorts = cohorts_of(tmp_path, made, TABLE_SCHEMA, full=False)
    assert resampled(cohorts) is None
    found = measured(cohorts)
    assert all(m.value is None and m.reason and m.applicable for m in found.values())
