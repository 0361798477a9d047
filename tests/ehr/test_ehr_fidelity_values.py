"""What the fidelity of records measures: independent implementations, closed forms and laws."""

from collections import Counter
from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from ehr_cohorts import COHORT_SCHEMA, cohorts_of, simulated, simulated_cohorts

from sdq_core.measurement import Measurement
from sdq_core.statistics.association import associations
from sdq_core.statistics.coding import mid_ranks
from sdq_core.statistics.k_marginals import k_marginal_distances
from sdq_core.statistics.trajectories import (
    between_subject_share,
    lag_one_correlation,
    transition_counts,
    transition_distance,
)
from sdq_ehr import trajectories
from sdq_ehr.associations import association_views, pair_table
from sdq_ehr.code_profiles import code_frequencies, cooccurrence
from sdq_ehr.fidelity import EhrFidelity
from sdq_ehr.joint_tables import missing_rates, three_way
from sdq_ehr.marginal_columns import column_marginals
from sdq_ehr.resampled import resampled
from sdq_ehr.simulated_table import replaced
from sdq_ehr.tables_compared import binned, compared_tables, pooled_levels

N = 80


@pytest.fixture(scope="module")
def single(tmp_path_factory):
    side = resampled(simulated_cohorts(tmp_path_factory.mktemp("single"), "table", N, full=False))
    return side, compared_tables(side)


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    made = simulated("cohort", N, 3)
    cohorts = cohorts_of(tmp_path_factory.mktemp("several"), made, COHORT_SCHEMA, full=False)
    side = resampled(cohorts)
    return side, compared_tables(side), made


def sides(side, place):
    """Masks of the rows of the reference and of the synthetic patients."""
    return [np.isin(place, rows) for rows in (side.comparison.reference, side.comparison.synthetic)]


def table(tables, name):
    return next(t for t in tables if t.name == name)


# --- columns --------------------------------------------------------------------------------------


def test_distance_of_a_category_is_its_total_variation(several):
    side, tables, made = several
    found = column_marginals(side, tables)
    k = [c.name for c in found.columns].index("visits.department")
    a, b = (
        Counter(made[role]["visits"]["department"].to_pylist()) for role in ("holdout", "synthetic")
    )
    n, m = sum(a.values()), sum(b.values())
    expected = 0.5 * sum(abs(a[v] / n - b[v] / m) for v in {*a, *b})
    assert found.distance[k] == pytest.approx(expected)


def test_distance_of_a_number_is_that_of_its_distribution_functions(single):
    side, tables = single
    found = column_marginals(side, tables)
    k = [c.name for c in found.columns].index("stays.hba1c")
    values = tables[0].numbers["hba1c"]
    a, b = (values[m] for m in sides(side, tables[0].place))
    pool = values[tables[0].real & np.isfinite(values)]
    missing = abs(np.isnan(a).mean() - np.isnan(b).mean())
    a, b = a[np.isfinite(a)], b[np.isfinite(b)]
    # A cell reaches from one limit to the next; a limit that real values hold is a cell by itself.
    limits = np.unique(np.quantile(pool, np.linspace(0, 1, 51)[1:-1]))
    expected = missing
    for v in pool:
        if v in limits:
            ends = (a < v).mean() - (b < v).mean(), (a <= v).mean() - (b <= v).mean()
        else:
            low, high = (
                limits[limits < v].max(initial=-np.inf),
                limits[limits > v].min(initial=np.inf),
            )
            over = (a <= low).mean() - (b <= low).mean() if low in pool else (
                (a < low).mean() - (b < low).mean())  # fmt: skip
            ends = over, (a < high).mean() - (b < high).mean()
        expected += np.abs(ends).mean() / len(pool)
    assert found.distance[k] == pytest.approx(expected)


def test_values_are_compared_code_by_code(several):
    side, tables, _ = several
    names = {c.name for c in column_marginals(side, tables).columns}
    assert {"labs.value [2160-0]", "labs.value [718-7]", "labs.loinc", "visits.admitted"} <= names
    assert not any("_id" in n for n in names)


def test_p_values_move_whole_patients(several):
    side, _, _ = several
    a, b = side.permuted
    assert set(np.unique(a)) == {0.0, 1.0}
    assert not (a * b).any()
    assert (a.sum(axis=0) == 2 * N).all()  # train and holdout
    assert (b.sum(axis=0) == N).all()
    assert np.flatnonzero(b[:, 0]).tolist() == side.comparison.synthetic.tolist()


# --- dependence -----------------------------------------------------------------------------------


def test_associations_are_those_of_the_core(single):
    side, tables = single
    (view,) = association_views(side, tables)
    assert view.left_out == 0
    t = tables[0]
    names = [c.removeprefix("stays.") for c in view.columns]
    for values, rows in zip((view.real, view.synthetic), sides(side, t.place), strict=True):
        numbers = np.column_stack([t.numbers[c] for c in names if c in t.numbers])[rows]
        codes = np.column_stack([
            pooled_levels(t.codes[c], t.real, len(t.levels(c)) - 1, 20)
            for c in names if c in t.codes
        ])[rows]  # fmt: skip
        alone = associations(numbers, codes, [22] * codes.shape[1])
        np.testing.assert_allclose(values[0], alone.values[view.pairs], atol=1e-9)


def test_patients_and_rows_of_events_have_their_own_pairs(several):
    side, tables, _ = several
    views = list(association_views(side, tables))
    assert [v.name for v in views] == ["", "visits", "labs"]
    across = {v.label(k) for v in views[:1] for k in range(v.distances.shape[1])}
    assert any("patients.birth_date ~ labs.value [2160-0]: mean" in pair for pair in across)
    assert any(pair.startswith("visits.") for pair in across)


def test_lost_and_invented_dependence_stand_apart(single):
    side, tables = single
    (view,) = association_views(side, tables)
    scale = np.full(view.distances.shape[1], 1e-9)
    size = view.distances.shape[1]
    lost, invented = (pair_table([view], [scale], kind, size) for kind in ("lost", "invented"))
    parts = Counter()
    for row in (*lost, *invented):
        parts[row[0]] += row[3]
    for k in range(size):
        assert parts[view.label(k)] == pytest.approx(view.distances[0, k], abs=1e-8)


def test_three_way_is_the_k_marginal_distance(single):
    side, tables = single
    found = three_way(side, tables)
    t = tables[0]
    columns = {f"stays.{c}": binned(v, side.pool[t.place], 4) for c, v in t.numbers.items()}
    for c, v in t.codes.items():
        columns[f"stays.{c}"] = pooled_levels(v, t.real, len(t.levels(c)) - 1, 8), 10
    a, b = sides(side, t.place)
    assert found.possible == 20 * 19 * 18 // 6
    assert len(found.names) == 300
    for k in range(0, 300, 60):
        codes, levels = zip(*(columns[c] for c in found.names[k].split(" ~ ")), strict=True)
        codes = np.column_stack(codes)
        alone = k_marginal_distances(codes[a], codes[b], levels)
        assert found.distances[0, k] == pytest.approx(alone.mean)


def test_missing_alone_and_together(single):
    side, tables = single
    found = missing_rates(side, tables)
    t = tables[0]
    assert set(found.names) == {"stays.bmi", "stays.hba1c", "stays.hba1c + stays.bmi"}
    gaps = {c: np.isnan(t.numbers[c]) for c in ("bmi", "hba1c")}
    both = gaps["bmi"] & gaps["hba1c"]
    a, b = sides(side, t.place)
    rates = {"stays.bmi": gaps["bmi"], "stays.hba1c": gaps["hba1c"], found.names[-1]: both}
    for k, name in enumerate(found.names):
        assert found.real[k] == pytest.approx(rates[name][a].mean())
        gap = abs(rates[name][a].mean() - rates[name][b].mean())
        assert found.distances[0, k] == pytest.approx(gap)


# --- codes ----------------------------------------------------------------------------------------


def test_code_frequencies_and_rare_codes(several):
    side, tables, made = several
    found = code_frequencies(side, tables)
    k = found.names.index("visits.diagnosis")
    codes = {r: t["visits"]["diagnosis"].to_pylist() for r, t in made.items()}
    owners = {r: t["visits"]["patient_id"].to_pylist() for r, t in made.items()}
    a, b = Counter(codes["holdout"]), Counter(codes["synthetic"])
    n, m = sum(a.values()), sum(b.values())
    assert found.distances[0, k] == pytest.approx(
        0.5 * sum(abs(a[c] / n - b[c] / m) for c in {*a, *b})
    )
    real = {(p, c) for r in ("train", "holdout") for p, c in zip(owners[r], codes[r], strict=True)}
    count = Counter(c for _, c in real)
    for role, share in (("holdout", found.rare_real), ("synthetic", found.rare_synthetic)):
        rare = {
            p for p, c in zip(owners[role], codes[role], strict=True) if count[c] < 0.01 * 2 * N
        }
        assert share[k] == pytest.approx(len(rare) / N)
    assert found.rare[0, k] == pytest.approx(abs(found.rare_real[k] - found.rare_synthetic[k]))


def test_cooccurrence_is_the_correlation_of_presence(several):
    side, tables, made = several
    found = cooccurrence(side, tables)
    assert found.pairs
    for values, role in ((found.real, "holdout"), (found.synthetic, "synthetic")):
        patients = made[role]["patients"]["patient_id"].to_pylist()
        for k in range(0, len(found.pairs), 40):
            held = []
            for part in found.pairs[k].split(" + "):
                column, code = part.split(" = ")
                name, column = column.split(".")
                rows = made[role][name]
                has = {
                    p
                    for p, c in zip(
                        rows["patient_id"].to_pylist(), rows[column].to_pylist(), strict=True
                    )
                    if c == code
                }
                held.append([p in has for p in patients])
            expected = 0.0 if min(np.std(h) for h in held) == 0 else np.corrcoef(held)[0, 1]
            assert values[0, k] == pytest.approx(expected, abs=1e-9)


def test_codes_of_one_column_are_no_pair_where_a_patient_has_one(single):
    side, tables = single
    found = cooccurrence(side, tables)
    assert all("secondary" in pair.split(" + ")[0] or "secondary" in pair.split(" + ")[1]
               for pair in found.pairs)  # fmt: skip
    assert not any(pair.count("secondary") == 2 for pair in found.pairs)


# --- time -----------------------------------------------------------------------------------------


def analyte(tables, loinc):
    labs = table(tables, "labs")
    number = next(x for x in labs.apart() if loinc in x.name)
    rows = number.rows[np.isfinite(number.values)]
    ranks = mid_ranks(number.values[labs.real[number.rows]], number.values)
    return labs, rows, ranks


def test_between_patient_share_and_lag_one_are_those_of_the_core(several):
    side, tables, _ = several
    labs, rows, ranks = analyte(tables, "2160-0")
    shares, lags = trajectories.between_patients(side, tables), trajectories.lag_one(side, tables)
    k = shares.names.index("labs.value [2160-0]")
    assert shares.names == lags.names
    place = labs.place[rows]
    found = (shares.real, shares.synthetic), (lags.real, lags.synthetic)
    for m, share, lag in zip(sides(side, place), *found, strict=True):
        assert share[k] == pytest.approx(between_subject_share(ranks[m], place[m]))
        assert lag[k] == pytest.approx(lag_one_correlation(ranks[m], place[m]))
    assert shares.distances[0, k] == pytest.approx(abs(shares.real[k] - shares.synthetic[k]))
    assert 0.8 < shares.real[k] < 0.98  # nine tenths by construction


def test_transitions_are_those_of_the_core(several):
    side, tables, _ = several
    found = trajectories.transitions(side, tables)
    visits = table(tables, "visits")
    codes = pooled_levels(
        visits.codes["diagnosis"], visits.real, len(visits.levels("diagnosis")) - 1, 20
    )
    counts = [transition_counts(codes[m], visits.place[m], 22) for m in sides(side, visits.place)]
    k = found.names.index("visits.diagnosis")
    assert found.distances[0, k] == pytest.approx(transition_distance(*counts))


def test_events_and_gaps_tell_means_of_both_sides(several):
    side, tables, made = several
    count = trajectories.events(side, tables)
    k = count.names.index("visits")
    for values, role in ((count.real, "holdout"), (count.synthetic, "synthetic")):
        assert values[k] == pytest.approx(made[role]["visits"].num_rows / N)
    gap = trajectories.gaps(side, tables)
    visits = made["synthetic"]["visits"]
    days = visits["admitted"].cast(pa.int32()).to_numpy()
    owner = visits["patient_id"].to_numpy(zero_copy_only=False)
    expected = np.diff(days)[owner[1:] == owner[:-1]].mean()
    assert gap.synthetic[gap.names.index("visits")] == pytest.approx(expected)


def test_order_of_dates_in_closed_form(tmp_path):
    """Of ten synthetic patients with two stays, the given numbers break each order."""
    day = np.datetime64("2020-01-01")

    def cohort(role, reversed_, overlapping, outside, unborn):
        ids = [f"{role}{k}" for k in range(30)]
        born = [day - 9000 + (20000 if k < unborn else 0) for k in range(30)]
        start = [[day + 10, day + (12 if k < overlapping else 40)] for k in range(30)]
        end = [[day + 15, day + (8 if k < reversed_ else 45)] for k in range(30)]
        taken = [day + (25 if k < outside else 13) for k in range(30)]
        key = [i for i in ids for _ in range(2)]
        flat = [np.array(x).reshape(-1) for x in (start, end)]
        return {
            "patients": pa.table({
                "patient_id": ids, "sex": ["F", "M"] * 15, "birth_date": np.array(born),
                "ethnicity": ["A"] * 30, "insurance": ["x"] * 30,
            }),
            "visits": pa.table({
                "visit_id": [f"{i}-{k}" for k, i in enumerate(key)], "patient_id": key,
                "admitted": flat[0], "discharged": flat[1], "admission": ["e"] * 60,
                "department": ["w"] * 60, "diagnosis": ["I10"] * 60,
            }),
            "labs": pa.table({
                "lab_id": [f"l{i}" for i in ids], "visit_id": [f"{i}-0" for i in ids],
                "patient_id": ids, "loinc": ["718-7"] * 30, "value": np.linspace(10, 15, 30),
                "unit": ["g/dL"] * 30, "taken": np.array(taken),
            }),
        }  # fmt: skip

    made = {
        "train": cohort("t", 0, 0, 0, 0),
        "holdout": cohort("h", 0, 0, 0, 0),
        "synthetic": cohort("s", 3, 6, 9, 12),
    }
    side = resampled(cohorts_of(tmp_path, made, COHORT_SCHEMA, full=False))
    found = trajectories.order_of_dates(side, compared_tables(side))
    by_name = dict(zip(found.names, zip(found.real, found.synthetic, strict=True), strict=True))
    assert by_name["visits: admitted > discharged"] == pytest.approx((0, 3 / 60))
    assert by_name["visits: overlap"] == pytest.approx((0, 6 / 30))
    # The overlapping stays of three of the nine patients hold the day.
    assert by_name["labs outside visits"] == pytest.approx((0, 6 / 30))
    assert by_name["patients.birth_date > visits.admitted"] == pytest.approx((0, 24 / 60))
    assert found.distances[0, found.names.index("visits: overlap")] == pytest.approx(0.2)


# --- laws -----------------------------------------------------------------------------------------


def measured(cohorts):
    parts = EhrFidelity("ehr").parts()[:7]
    return {m.key: m for p in parts for m in p.function(cohorts) if isinstance(m, Measurement)}


def test_order_of_rows_and_names_of_keys_and_levels_do_not_matter(tmp_path):
    made = simulated("cohort", 40, 5)
    plain = measured(cohorts_of(tmp_path / "a", made, COHORT_SCHEMA, full=False))
    rng = np.random.default_rng(0)

    def changed(name, rows):
        rows = rows.take(pa.array(rng.permutation(rows.num_rows)))
        for column in rows.column_names:
            if column.endswith("_id") or column in ("department", "insurance"):
                texts = [f"{v[::-1]}!" for v in rows[column].to_pylist()]
                rows = replaced(rows, column, pa.array(texts))
        return rows

    other = {r: {n: changed(n, t) for n, t in tables.items()} for r, tables in made.items()}
    found = measured(cohorts_of(tmp_path / "b", other, COHORT_SCHEMA, kind="parquet", full=False))
    assert plain.keys() == found.keys()
    for key in ("association_distance[all-pairs]", "code_cooccurrence_distance"):
        one, two = (x[f"ehr.fidelity.{key}"].value for x in (plain, found))
        # Of equally frequent values of a patient or of a cohort, the name decides.
        assert one == pytest.approx(two, rel=0.05)


def test_the_same_inputs_give_the_same_numbers(tmp_path):
    made = simulated("table", 40, 6)
    schema = {"tables": {"stays": {"columns": {"age": {"type": "number"}, "sex": {}, "bmi": {
        "type": "number"}}}}}  # fmt: skip
    one, two = (
        measured(cohorts_of(tmp_path / name, made, schema, full=False)) for name in ("a", "b")
    )
    assert one == two


def test_pairs_of_real_parts_never_share_a_patient(several):
    side, _, _ = several
    a, b = side.sides
    assert not (a * b).any()
    assert (a[:, side.splits].sum(axis=0) == N).all()
    assert (b[:, side.splits].sum(axis=0) == N).all()
    assert not b[side.comparison.synthetic][:, side.splits].any()


def test_all_pairs_of_twelve_columns_are_taken(tmp_path):
    rng = np.random.default_rng(1)
    made = {
        role: {"t": pa.table({f"c{k}": rng.normal(size=30).round(3) for k in range(12)})}
        for role in ("train", "holdout", "synthetic")
    }
    schema = {"tables": {"t": {"columns": {f"c{k}": {"type": "number"} for k in range(12)}}}}
    side = resampled(cohorts_of(tmp_path, made, schema, full=False))
    (view,) = association_views(side, compared_tables(side))
    named = {frozenset(view.label(k).split(" ~ ")) for k in range(view.distances.shape[1])}
    assert named == {frozenset(p) for p in combinations([f"t.c{k}" for k in range(12)], 2)}
