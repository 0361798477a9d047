"""Tables side by side, rows of patients, and what the layout makes of them."""

import numpy as np
import pyarrow as pa
import pytest
from ehr_cohorts import COHORT_SCHEMA, TABLE_SCHEMA, cohorts_of, simulated
from hypothesis import given
from hypothesis import strategies as st

from sdq_core.vocabulary import Role
from sdq_ehr import patient_rows
from sdq_ehr.dataset import Dataset
from sdq_ehr.patient_rows import MISSING, NO_ROW, OTHER, fit_layout
from sdq_ehr.records import item_ids, records_of, records_of_dataset
from sdq_ehr.schema import Schema

SCHEMA = Schema.of({
    "patient_table": "p",
    "tables": {
        "p": {"key": "id", "columns": {
              "id": {"type": "identifier"}, "sex": {}, "age": {"type": "number"},
              "died": {"meaning": "class"}, "made_by": {"meaning": "provenance"}}},
        "v": {"patient": "id", "time": "day", "columns": {
              "id": {"type": "identifier"}, "day": {"type": "date"}, "code": {"type": "code"},
              "x": {"type": "number", "code": "code"}}},
    },
})  # fmt: skip


def dataset(p, v):
    n, m = len(p["id"]), len(v["id"])
    tables = {
        "p": pa.table({"died": ["no"] * n, "made_by": ["a"] * n, **p}),
        "v": pa.table({
            "id": v["id"], "day": pa.array(v["day"], pa.date32()), "code": v["code"],
            "x": pa.array(v.get("x", [0.0] * m), pa.float64()),
        }),
    }  # fmt: skip
    return Dataset(SCHEMA, tables)


SMALL = dataset(
    {"id": ["b", "a", "c"], "sex": ["F", None, "M"], "age": [40.0, np.nan, 60.0]},
    {
        "id": ["a", "b", "a", "zz", "a"],
        "day": [20, 5, 10, 1, 30],
        "code": ["k", "l", "k", "k", "m"],
        "x": [1.0, 2.0, 3.0, 9.0, None],
    },
)


def test_rows_of_a_patient_stand_together_in_order_of_time_and_orphans_nowhere():
    records = records_of_dataset(SMALL)
    table = records.tables["v"]
    assert table.owner.tolist() == [0, 1, 1, 1]
    assert table.time.tolist() == [5.0, 10.0, 20.0, 30.0]
    assert [table.levels["code"][c] for c in table.codes["code"]] == ["l", "k", "k", "m"]
    assert not table.single
    assert records.tables["p"].single
    assert table.levels["code"][-1] == MISSING


@pytest.fixture
def _few_are_enough(monkeypatch):
    """Three patients, each with values of its own, show what a row is made of."""
    monkeypatch.setattr(patient_rows, "LEAST_PATIENTS", 1)


def test_what_few_patients_have_is_not_spelled_out():
    names = fit_layout(records_of_dataset(SMALL)).coordinates
    assert f"p.sex = {OTHER}" in names
    assert not any(value in name for name in names for value in ("= F", "= M", "[k]", "[l]"))


@pytest.mark.usefixtures("_few_are_enough")
def test_rows_sum_up_what_the_tables_say():
    records = records_of_dataset(SMALL)
    made = fit_layout(records).rows(records)
    numbers = {c.name: made.rows.numbers[:, k] for k, c in enumerate(made.numbers)}
    np.testing.assert_array_equal(numbers["p.age"], [40, np.nan, 60])
    assert numbers["v: rows"].tolist() == [1, 3, 0]
    np.testing.assert_array_equal(numbers["v: days"], [0, 20, np.nan])
    np.testing.assert_array_equal(numbers["v.x [k]: mean"], [np.nan, 2, np.nan])
    np.testing.assert_array_equal(numbers["v.x [l]: mean"], [2, np.nan, np.nan])
    assert numbers["v.code: different"].tolist() == [1, 2, 0]
    categories = {
        c.name: [names[v] for v in codes]
        for c, codes, names in zip(
            made.categories, made.rows.categories.T, made.levels, strict=True
        )
    }
    assert categories == {
        "p.sex": ["F", MISSING, "M"],
        "v.code: commonest": ["l", "k", NO_ROW],
    }


def test_class_and_provenance_are_no_part_of_a_row():
    names = {c.name for c in fit_layout(records_of_dataset(SMALL)).columns}
    assert not any("died" in n or "made_by" in n for n in names)


@pytest.mark.usefixtures("_few_are_enough")
def test_points_put_missing_at_the_median_and_levels_one_apart():
    records = records_of_dataset(SMALL)
    layout = fit_layout(records)
    points = dict(zip(layout.coordinates, layout.points(records).T, strict=True))
    assert points["p.age"][1] == 0
    assert points[f"p.age {MISSING}"].tolist() == [0, 1, 0]
    assert points["p.age"][0] == -points["p.age"][2]
    sex = np.stack([v for k, v in points.items() if k.startswith("p.sex")], axis=1)
    np.testing.assert_allclose(np.linalg.norm(sex[0] - sex[2]), 1.0, rtol=1e-6)


@pytest.mark.usefixtures("_few_are_enough")
def test_a_level_that_no_real_patient_has_is_another():
    layout = fit_layout(records_of_dataset(SMALL))
    new = dataset(
        {"id": ["x"], "sex": ["diverse"], "age": [1e9]},
        {"id": ["x"], "day": [1], "code": ["never"], "x": [1.0]},
    )
    points = dict(zip(layout.coordinates, layout.points(records_of_dataset(new))[0], strict=True))
    assert points[f"p.sex = {OTHER}"] > 0
    assert points["p.sex = F"] == 0
    assert points["p.age"] == 8  # cut


@given(seed=st.integers(0, 1000))
def test_neither_the_order_of_rows_nor_of_patients_matters(seed):
    rng = np.random.default_rng(seed)
    whole = records_of_dataset(SMALL)
    layout = fit_layout(whole)
    shuffled = Dataset(
        SCHEMA,
        {n: t.take(pa.array(rng.permutation(t.num_rows))) for n, t in SMALL.tables.items()},
    )
    keys = shuffled.patients().keys.tolist()
    where = [keys.index(k) for k in SMALL.patients().keys.tolist()]
    other = records_of_dataset(shuffled)
    np.testing.assert_array_equal(layout.points(other)[where], layout.points(whole))
    assert fit_layout(other).sha256 == layout.sha256


@pytest.mark.parametrize(("kind", "schema"), [("table", TABLE_SCHEMA), ("cohort", COHORT_SCHEMA)])
def test_cohorts_share_one_coding_and_keep_their_patients_apart(kind, schema, tmp_path):
    made = simulated(kind, 40, 3)
    cohorts = cohorts_of(tmp_path, made, schema, full=False)
    records = records_of(cohorts)
    assert records.count == 120
    assert records.real.sum() == 80
    name = "stays" if kind == "table" else "visits"
    table = records.tables[name]
    for role in (Role.TRAIN, Role.HOLDOUT, Role.SYNTHETIC):
        cohort = next(c for c in cohorts.all if c.role is role)
        start = records.starts[role]
        rows = np.flatnonzero((table.owner >= start) & (table.owner < start + len(cohort)))
        codes = [table.levels["diagnosis"][k] for k in table.codes["diagnosis"][rows]]
        assert sorted(codes) == sorted(made[str(role)][name]["diagnosis"].to_pylist())


def test_items_are_named_by_file_and_row_never_by_key():
    assert item_ids(SMALL) == ["p#1", "p#2", "p#3"]
