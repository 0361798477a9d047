"""Our figures are those of the peers where the definition is the same.

Their definitions are written out here; what the peers themselves found on a simulated table is
kept in `benchmarks/peer_figures`. What a default report cannot see is in
`test_ehr_joint_structure.py`.
"""

import csv
import importlib.util
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdq_core.statistics.association import associations, cramers_v, pairwise_correlations
from sdq_core.statistics.coding import cut, cut_points, ks_distance
from sdq_core.statistics.contingency import PairCounts, column_distances, pair_distances
from sdq_ehr.simulated_table import simulate_table

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
KEPT = BENCHMARKS / "peer_figures"
cells = st.lists(
    st.tuples(st.integers(-3, 3), st.integers(-3, 3), st.integers(0, 3), st.integers(0, 2)),
    min_size=5,
    max_size=25,
)


def kept(name):
    with (KEPT / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def ours():
    spec = importlib.util.spec_from_file_location(
        "ehr_agreement_ours", BENCHMARKS / "ehr_agreement_ours.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def ks(x, y):
    """One minus the "KS complement"."""
    return max(
        abs(sum(v <= t for v in x) / len(x) - sum(v <= t for v in y) / len(y)) for t in x + y
    )


def total_variation(x, y):
    """One minus the "TV complement"; of tuples one minus the "contingency similarity"."""
    a, b = Counter(x), Counter(y)
    return sum(abs(a[k] / len(x) - b[k] / len(y)) for k in a | b) / 2


def correlation(x, y):
    a, b = np.array(x) - np.mean(x), np.array(y) - np.mean(y)
    return a @ b / np.sqrt((a @ a) * (b @ b)) if a @ a and b @ b else None


def ranks(x):
    return [sum(v < t for v in x) + sum(v == t for v in x) / 2 for t in x]


@settings(deadline=None, max_examples=60)
@given(cells, cells)
def test_columns_and_pairs_are_those_of_the_peers_definitions(one, two):
    sides = [list(zip(*rows, strict=True)) for rows in (one, two)]
    assert ks_distance(sides[0][0], sides[1][0]) == pytest.approx(ks(sides[0][0], sides[1][0]))
    counted = []
    for _, _, c, d in sides:
        counts = PairCounts([4, 3])
        counts.update(np.stack([c, d], 1))
        counted.append(counts)
    singles, pairs = column_distances(*counted), pair_distances(*counted)
    for j in (0, 1):
        expected = total_variation(sides[0][2 + j], sides[1][2 + j])
        assert singles[j] == pytest.approx(expected, abs=1e-12)
    joint = [list(zip(c, d, strict=True)) for _, _, c, d in sides]
    assert pairs[0, 1] == pytest.approx(total_variation(*joint), abs=1e-12)
    for x, y, *_ in sides:
        numbers = np.stack([x, y], 1).astype(float)
        for expected, found in (
            (correlation(x, y), pairwise_correlations(numbers)[0]),
            (correlation(ranks(x), ranks(y)), associations(numbers, [], []).values),
        ):
            # Where one is constant nothing is known: the peer has no score, ours counts as 0.
            assert found[0, 1] == pytest.approx(expected or 0.0, abs=1e-9)


def test_what_sdmetrics_found_on_a_simulated_table_is_found_again(ours):
    real = ours.table_of(simulate_table(300, 1))
    found = ours.trends(real, ours.table_of(simulate_table(300, 2, 0.3)))
    pairs = {
        frozenset(k): v
        for kind in (found.numbers, found.categories, found.mixed)
        for k, v in kind.items()
    }
    rows = kept("sdmetrics")
    assert len(rows) == 20 + 190
    assert {r["source"].split(" on ")[0] for r in rows} == {"sdmetrics 0.32.0"}
    for row in rows:
        columns = row["column"], row["other_column"]
        mine = found.shapes[columns[0]] if not columns[1] else pairs[frozenset(columns)]
        # The peer adds a millionth of a row for each category that the real table lacks.
        assert mine == pytest.approx(1 - float(row["value"]), abs=1e-6), columns


def test_what_syntheval_found_on_a_simulated_table_is_found_again(ours):
    gaps = ["bmi", "hba1c"]  # the peer refuses missing values
    tables = [simulate_table(300, 1), simulate_table(300, 2, 0.3)]
    found = ours.by_syntheval(*(ours.table_of(t.drop_columns(gaps)) for t in tables))
    rows = {r["figure"]: r for r in kept("syntheval")}
    assert {r["source"].split(" on ")[0] for r in rows.values()} == {"syntheval 1.7.3"}
    for figure in ("ks", "tvd", "correlation", "mixed", "dcr"):
        # It rounds total variations to four digits.
        assert found[figure] == pytest.approx(float(rows[figure]["value"]), abs=6e-5), figure
    accuracy = float(rows["nnaa"]["value"])
    assert found["nnaa"] - 1e-9 <= accuracy <= found["nnaa"] + found["ties"] + 1e-9


def test_bins_of_the_own_range_do_not_see_a_shift(ours):
    """Why ours of a number with a category is taken in common bins."""
    rng = np.random.default_rng(0)
    size = rng.normal(size=400)
    group = np.where(size > 0, "a", "b")
    kinds = {"size": "number", "group": "category"}
    one, two = (ours.Table(kinds, {"size": size + k}, {"group": group}) for k in (0, 100))
    found = ours.trends(one, two)
    assert found.mixed["group", "size"] == 0
    assert found.shared["group", "size"] > 0.4
    points = cut_points(size)
    assert set(cut(size + 100, points).tolist()) == {len(points)}


def test_chance_alone_passes_the_peers_threshold_of_association():
    """Why ours is corrected for bias: 40 x 40 codes of 300 rows that do not depend."""
    rng = np.random.default_rng(1)
    table = np.histogram2d(*rng.integers(0, 40, (2, 300)), bins=40)[0]
    expected = np.outer(table.sum(1), table.sum(0)) / table.sum()
    plain = np.sqrt(((table - expected) ** 2 / expected).sum() / (table.sum() * 39))
    assert plain > 0.3
    assert cramers_v(table) < 0.1


@pytest.mark.parametrize("name", ["anonymeter", "sdmetrics", "syntheval"])
def test_every_kept_figure_names_its_source(name):
    for row in kept(name):
        assert row["source"]
        if "low" in row:
            assert float(row["low"]) <= float(row["value"]) <= float(row["high"])
