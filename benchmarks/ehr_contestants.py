"""What `benchmarks/ehr.py` measures: ours, and the peers' packages.

Imported in the processes of the contestants, some of which lack sdq: every function imports what
it needs. Tables come as arrays, ``real_age``, ``synthetic_age`` and so on, and every contestant
makes its own kind of table of them before the clock starts.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from contest import Arrays, Work

ROWS = 2**16
BINS = 10
FEW = 1000
"""Rows for the peer's distances: twice as many take it four times as long."""


def _kinds(arrays: Arrays, side: str) -> dict[str, np.ndarray[Any, Any]]:
    return {name.partition("_")[2]: a for name, a in arrays.items() if name.startswith(side)}


def _numbers(columns: dict[str, Any]) -> list[str]:
    return [name for name, a in columns.items() if a.dtype.kind in "fM"]


def _categories(columns: dict[str, Any]) -> list[str]:
    return [name for name, a in columns.items() if a.dtype.kind == "U"]


# --- columns and pairs ----------------------------------------------------------------------------


def _arrow(columns: dict[str, Any]) -> Any:
    import pyarrow as pa

    return pa.table({name: pa.array(a, from_pandas=True) for name, a in columns.items()})


def pairs_sdq(arrays: Arrays) -> Work:
    """Every column and every pair, from Arrow tables, block by block."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from sdq_core.statistics.association import pairwise_correlations
    from sdq_core.statistics.coding import cut, cut_points, ks_distance
    from sdq_core.statistics.contingency import PairCounts, column_distances, pair_distances

    columns = _kinds(arrays, "real")
    numbers, categories = _numbers(columns), _categories(columns)
    tables = [_arrow(_kinds(arrays, side)) for side in ("real", "synthetic")]
    for name in list(arrays):
        del arrays[name]  # type: ignore[attr-defined]

    def number(table: Any, name: str) -> Any:
        column = table[name]
        if pa.types.is_date(column.type):
            column = column.cast(pa.int32())
        return column.to_numpy().astype(np.float64, copy=False)

    def work() -> Any:
        shapes = []
        points, known = {}, {}
        for name in numbers:
            real, synthetic = (number(t, name) for t in tables)
            shapes.append(ks_distance(real, synthetic))
            points[name] = cut_points(real, BINS)
        for name in categories:
            known[name] = pc.unique(pa.chunked_array([pc.unique(t[name]) for t in tables]))
        levels = [*(len(known[c]) for c in categories), *(len(points[c]) + 2 for c in numbers)]
        counted = []
        for table in tables:
            counts = PairCounts(levels)
            for start in range(0, table.num_rows, ROWS):
                block = table.slice(start, ROWS)
                codes = [pc.index_in(block[c], known[c]).to_numpy() for c in categories]
                counts.update([*codes, *(cut(number(block, c), points[c]) for c in numbers)])
            counted.append(counts)
        single, both = column_distances(*counted), pair_distances(*counted)
        q = len(categories)
        correlations = []
        for table in tables:
            lazy = [_Lazy(table, c, number) for c in numbers]
            correlations.append(pairwise_correlations(lazy)[0])
        trend = np.abs(correlations[0] - correlations[1]) / 2
        upper = np.triu_indices(q, 1), np.triu_indices(len(numbers), 1)
        return np.concatenate([shapes, single[:q], both[upper[0]], trend[upper[1]]])

    return work


class _Lazy:
    """A column that is converted when a slice of it is asked for."""

    def __init__(self, table: Any, name: str, number: Callable[[Any, str], Any]) -> None:
        self.table, self.name, self.number = table, name, number

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __getitem__(self, rows: slice) -> Any:
        start, stop, _ = rows.indices(len(self))
        return self.number(self.table.slice(start, stop - start), self.name)


def data_sdq(arrays: Arrays) -> Work:
    """How large the Arrow tables are, in MiB."""
    tables = [_arrow(_kinds(arrays, side)) for side in ("real", "synthetic")]
    return lambda: [sum(t.nbytes for t in tables) / 2**20]


def _pandas(columns: dict[str, Any]) -> Any:
    import pandas as pd

    return pd.DataFrame(
        {
            name: a.astype("datetime64[ns]") if a.dtype.kind == "M"
            else a.astype(object) if a.dtype.kind == "U" else a
            for name, a in columns.items()
        }
    )  # fmt: skip


def _metadata(columns: dict[str, Any]) -> dict[str, Any]:
    kinds = {
        "M": {"sdtype": "datetime", "datetime_format": "%Y-%m-%d"},
        "f": {"sdtype": "numerical"},
        "U": {"sdtype": "categorical"},
    }
    return {"columns": {name: kinds[a.dtype.kind] for name, a in columns.items()}}


def _report(sample: bool, thresholds: bool) -> Callable[[Arrays], Work]:
    def contestant(arrays: Arrays) -> Work:
        warnings.simplefilter("ignore")
        from sdmetrics.reports.single_table import QualityReport

        columns = _kinds(arrays, "real")
        numbers, categories = _numbers(columns), _categories(columns)
        frames = [_pandas(_kinds(arrays, side)) for side in ("real", "synthetic")]
        metadata = _metadata(columns)

        def work() -> Any:
            report = QualityReport()
            if not thresholds:
                report.real_correlation_threshold = report.real_association_threshold = 0
            if not sample:
                report.num_rows_subsample = None
            report.generate(*frames, metadata, verbose=False)
            shapes = report.get_details("Column Shapes").set_index("Column")["Score"]
            trends = report.get_details("Column Pair Trends").set_index(["Column 1", "Column 2"])
            found = {frozenset(k): v for k, v in trends["Score"].items()}
            return [
                *(1 - shapes[c] for c in (*numbers, *categories)),
                *(1 - found[frozenset(p)] for p in _two(categories)),
                *(1 - found[frozenset(p)] for p in _two(numbers)),
            ]

        return work

    return contestant


def _two(names: list[str]) -> Iterator[tuple[str, str]]:
    for k, one in enumerate(names):
        for other in names[k + 1 :]:
            yield one, other


pairs_sdmetrics = _report(sample=True, thresholds=False)
pairs_sdmetrics_exact = _report(sample=False, thresholds=False)
pairs_sdmetrics_default = _report(sample=True, thresholds=True)


# --- nearest rows ---------------------------------------------------------------------------------


def _sides(arrays: Arrays) -> Any:
    from sdq_core.statistics.mixed_rows import MixedRows, MixedSpace

    rows = [MixedRows(arrays[f"{s}Numbers"], arrays[f"{s}Codes"]) for s in ("query", "reference")]
    levels = arrays["levels"].tolist()
    return rows, levels, MixedSpace(rows[1], levels)


def nearest_sdq(arrays: Arrays) -> Work:
    """Two nearest mixed rows, exact, from encoding on."""
    from sdq_core.statistics.nearest_mixed import nearest_rows

    rows, _, space = _sides(arrays)
    return lambda: nearest_rows(*(space.encode(r) for r in rows), 2)[0]


def nearest_sdq_numbers(arrays: Arrays) -> Work:
    """Of 20 numbers, to compare with what knows no categories."""
    from sdq_core.statistics.mixed_rows import MixedRows
    from sdq_core.statistics.nearest_mixed import nearest_rows

    sides = [MixedRows(arrays[s], np.empty((len(arrays[s]), 0), int)) for s in ("x", "y")]
    return lambda: nearest_rows(*sides, 2)[0]


def nearest_sklearn(arrays: Arrays) -> Work:
    """Two nearest rows of 20 numbers by matrix products, in float32."""
    from sklearn.neighbors import NearestNeighbors

    x, y = (arrays[s].astype(np.float32) for s in ("x", "y"))

    def work() -> Any:
        return NearestNeighbors(n_neighbors=2, algorithm="brute").fit(y).kneighbors(x)[0]

    return work


def surprisal_sdq(arrays: Arrays) -> Work:
    """The most surprising agreement of each row."""
    from sdq_core.statistics.surprisal import AgreementSpace

    rows, levels, _ = _sides(arrays)

    def work() -> Any:
        return AgreementSpace(rows[1], levels).nearest(*rows, 1).best

    return work


def nearest_sdmetrics(arrays: Arrays) -> Work:
    """The peer's distances of synthetic rows to two real sets; its score."""
    warnings.simplefilter("ignore")
    from sdmetrics.single_table import DCROverfittingProtection

    columns = _kinds(arrays, "real")
    real, synthetic = (_pandas(_kinds(arrays, side)) for side in ("real", "synthetic"))
    metadata = {"tables": {"t": _metadata(columns)}}
    parts = real.iloc[:FEW], synthetic.iloc[:FEW], real.iloc[FEW : 2 * FEW]

    def work() -> Any:
        return [DCROverfittingProtection.compute_breakdown(*parts, metadata, "t")["score"]]

    return work


# --- resampling -----------------------------------------------------------------------------------


def bootstrap_sdq(arrays: Arrays) -> Work:
    """All pairs for 200 bootstrap samples of both tables."""
    from sdq_core.statistics.resampled_pairs import resampled_pair_distances
    from sdq_core.statistics.resampling import bootstrap_weights

    real, synthetic = arrays["referenceCodes"], arrays["queryCodes"]
    levels = arrays["levels"].tolist()

    def work() -> Any:
        weights = [
            bootstrap_weights(np.arange(len(t)), 200, s) for s, t in enumerate((real, synthetic))
        ]
        return resampled_pair_distances(real, synthetic, levels, *weights).mean(axis=0)

    return work


def association_sdq(arrays: Arrays) -> Work:
    """Associations of all 190 pairs of both tables, and what was lost and invented."""
    from sdq_core.statistics.association import association_change, associations

    rows, levels, _ = _sides(arrays)

    def work() -> Any:
        sides = [associations(r.numbers, r.categories, levels) for r in rows]
        return association_change(*sides).mean()

    return work


# --- codes ----------------------------------------------------------------------------------------


def distinct_codes_sdq(arrays: Arrays) -> Work:
    """Verdicts on distinct identifiers as whole numbers, none of them twice."""
    from sdq_ehr.codes import code_system

    system, values = code_system(str(arrays["system"])), arrays["codes"]

    def work() -> Any:
        found = system.check(values)
        return np.array([float(len(found)), float(found.refused.sum())])

    work()
    return work


def codes_sdq(arrays: Arrays) -> Work:
    """Verdicts on every cell of a column of codes; lists are loaded before the clock starts."""
    import pyarrow as pa

    from sdq_ehr.code_columns import code_findings, coded_columns
    from sdq_ehr.dataset import Dataset
    from sdq_ehr.schema import Schema

    system = str(arrays["system"])
    columns = {"code": {"type": "code", "system": system}}
    schema = Schema.of({"tables": {"t": {"columns": columns}}})
    data = Dataset(schema, {"t": pa.table({"code": pa.array(arrays["codes"])})})

    def work() -> Any:
        found = next(coded_columns(data, {}))
        wrong = sum(len(f) for f in code_findings(found) if f.rule == "ehr.codes.not_valid")
        return np.array([float(len(found.rows)), float(wrong)])

    work()
    return work
