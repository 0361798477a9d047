"""Frequent values of a number, and what chance says of the column that differs most."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from ehr_cohorts import ROLES, cohorts_of, simulated_cohorts
from test_ehr_fidelity import measured, stays, verdicts

from sdq_core.vocabulary import Verdict
from sdq_ehr.heaps import heap_cells, heaps
from sdq_ehr.marginal_columns import column_marginals
from sdq_ehr.resampled import resampled
from sdq_ehr.simulated_table import replaced
from sdq_ehr.tables_compared import compared_tables

DIABETES = Path(__file__).parents[2] / "fixtures/diabetes"
WHOLE = ("Pregnancies", "Glucose", "BloodPressure", "SkinThickness", "Insulin", "Age")
SCHEMA = {
    "tables": {
        "patients": {
            "columns": {
                **{n: {"type": "integer"} for n in WHOLE},
                "BMI": {"type": "number"},
                "DiabetesPedigreeFunction": {"type": "number"},
                "Outcome": {"type": "category", "meaning": "class"},
            }
        }
    }
}
MARGINAL = "marginal_share_consistent"


def dealt(folder, seed, change=lambda table: table):
    """Deal real women out to train, holdout, and a fresh part for the synthetic cohort."""
    whole = pa.concat_tables(
        [pa.csv.read_csv(DIABETES / r / "patients.csv") for r in ("train", "holdout")]
    )
    order = np.random.default_rng(seed).permutation(whole.num_rows)
    parts = [whole.take(pa.array(o)) for o in np.array_split(order, 3)]
    parts[2] = change(parts[2])
    made = {r: {"patients": p} for r, p in zip(ROLES, parts, strict=True)}
    return cohorts_of(folder, made, SCHEMA, full=False)


def smeared(table):
    """Put small positive numbers in the place of nearly all zeros, as smoothing does."""
    values = np.array(table["Insulin"].to_pylist())
    zero = np.flatnonzero(values == 0)[5:]
    values[zero] = np.random.default_rng(0).integers(1, 14, len(zero))
    return replaced(table, "Insulin", pa.array(values))


def test_a_smeared_heap_fails_and_a_fresh_one_does_not(tmp_path):
    fails = 0
    for seed in range(6):
        found = verdicts(measured(dealt(tmp_path / f"fresh{seed}", seed), MARGINAL))
        fails += Verdict.FAIL in found.values()
    assert fails <= 1
    for seed in range(2):
        found = measured(dealt(tmp_path / f"smeared{seed}", seed, smeared), MARGINAL)
        judged = verdicts(found)
        assert judged[f"{MARGINAL}[worst-column]"] is Verdict.FAIL
        assert judged[f"{MARGINAL}[chance]"] is Verdict.FAIL
        row = found[MARGINAL].details["table"]["rows"][0]
        assert row[0] == "patients.Insulin (frequent values)"
        assert row[1] == pytest.approx(0.48, abs=0.08)  # nearly the whole heap


def test_heaps_are_the_values_of_five_percent_of_the_rows():
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(size=800), np.full(150, 2.0), np.full(40, 3.0), [np.nan]])
    assert heaps(values).tolist() == [2.0]
    assert not len(heaps(rng.normal(size=1000)))
    assert not len(heaps(np.repeat([1.0, 2.0], 9)))  # half of the rows each, but too few to tell
    assert not len(heaps(np.array([np.nan, np.nan])))


def test_cells_of_heaps_by_plain_comparison():
    rng = np.random.default_rng(1)
    at = np.array([-2.0, 0.0, 5.0])
    values = np.concatenate([np.repeat(at, 4), rng.normal(size=40), [np.nan, 5 + 1e-7, 5.001]])
    cells, size = heap_cells(values, at, values)
    assert size == 5
    for value, cell in zip(values, cells, strict=True):
        if np.isnan(value):
            assert cell == 4
        else:
            near = [k for k, a in enumerate(at) if abs(value - a) < 1e-5]
            assert cell == (near[0] if near else 3)


def test_the_family_wise_p_is_that_of_the_largest_ratio(tmp_path):
    side = resampled(simulated_cohorts(tmp_path, "table", 80, full=False))
    tables = compared_tables(side)
    found = column_marginals(side, tables)
    each = np.stack([c.distances(side, side.permuted) for c in found.columns], axis=1)
    apart, permuted = each[0], each[1:]
    noise = [max(np.quantile(c, 0.975), 0.01) for c in permuted.T]
    for k in range(len(found.columns)):
        own = apart[k] / noise[k]
        reached = sum(max(d / s for d, s in zip(row, noise, strict=True)) >= own - 1e-12
                      for row in permuted)  # fmt: skip
        assert found.p_family[k] == pytest.approx((1 + reached) / 500, abs=1e-9)
        assert found.p_family[k] >= found.p[k] - 1e-12
    k, p = found.shown
    if k is not None:
        assert p == found.p_family[apart >= 0.05].min()
    # What is too small to matter is no difference, however sure it is.
    small = replace(found, apart=found.apart * 0.049, p_family=found.p_family * 0.001)
    assert small.shown == (None, 1.0)


def half_a_deviation(table):
    values = np.array(table["haemoglobin"].to_pylist(), float)
    return replaced(table, "haemoglobin", pa.array(np.round(values + 0.5 * np.nanstd(values), 1)))


def few_women(table):
    women = np.flatnonzero(np.array(table["sex"].to_pylist()) == "F")
    kept = np.setdiff1d(np.arange(table.num_rows), women[len(women) // 4 :])
    return table.take(pa.array(kept))


@pytest.mark.parametrize("change", [half_a_deviation, few_women])
def test_one_moved_column_of_many_and_a_group_that_is_gone_fail(tmp_path, change):
    for seed in (2, 3):
        cohorts = simulated_cohorts(
            tmp_path / str(seed), "table", 200, seed=seed, change=stays(change), full=False
        )
        assert verdicts(measured(cohorts, MARGINAL))[f"{MARGINAL}[chance]"] is Verdict.FAIL
