"""Tables for `benchmarks/ehr_agreement.py`, and our figures by the definitions of the peers.

A few scores that sdq does not use (Hellinger, adversarial accuracy, Gower's median distance) are
written here from their formulas.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sdq_core.statistics.association import (
    association_change,
    associations,
    pairwise_correlations,
    weighted_ranks,
)
from sdq_core.statistics.coding import cut, cut_points, ks_distance
from sdq_core.statistics.contingency import PairCounts, column_distances, pair_distances
from sdq_core.statistics.mixed_rows import MixedRows
from sdq_ehr.simulated_table import dates

MOST_LEVELS = 12
"""Whole numbers of so few different values are taken for a category."""

Values = NDArray[np.float64]
Codes = NDArray[np.int32]
Pair = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of one table; dates are numbers of days since 2015-01-01 of the kind "date"."""

    kinds: Mapping[str, str]
    numbers: Mapping[str, Values]
    texts: Mapping[str, NDArray[np.str_]]
    """Empty is missing."""

    def __len__(self) -> int:
        return len(next(iter((self.numbers or self.texts).values())))

    def take(self, rows: NDArray[Any]) -> Table:
        return Table(
            self.kinds,
            {c: v[rows] for c, v in self.numbers.items()},
            {c: v[rows] for c, v in self.texts.items()},
        )

    def write(self, path: Path) -> None:
        """Write a CSV that every reader takes for the same values."""
        columns = []
        for name, kind in self.kinds.items():
            if kind == "category":
                columns.append(self.texts[name].tolist())
            elif kind == "date":
                columns.append([str(d) for d in dates(self.numbers[name].astype(np.int64))])
            else:
                columns.append(["" if np.isnan(v) else repr(float(v)) for v in self.numbers[name]])
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([list(self.kinds), *zip(*columns, strict=True)])


def read_tables(paths: Sequence[Path], drop: Sequence[str] = ()) -> list[Table]:
    """Read tables of the same columns, whose kinds are told from all of them."""
    raw = []
    for path in paths:
        with path.open(newline="", encoding="utf-8") as file:
            head, *rows = csv.reader(file)
        found = zip(*rows, strict=True)
        raw.append(dict(zip(head, ([t.strip() for t in c] for c in found), strict=True)))
    kinds, parts = {}, [({}, {}) for _ in raw]
    for name in (c for c in raw[0] if c not in drop):
        texts = [np.array(t[name], np.str_) for t in raw]
        try:
            values = [np.where(t == "", "nan", t).astype(np.float64) for t in texts]
        except ValueError:
            values = []
        whole = all(np.array_equal(v, np.round(v), equal_nan=True) for v in values)
        few = bool(values) and len(np.unique(values[0])) <= MOST_LEVELS
        kinds[name] = "number" if values and not (whole and few) else "category"
        for k, (numbers, categories) in enumerate(parts):
            if kinds[name] == "number":
                numbers[name] = values[k]
            elif values:
                categories[name] = np.array(["" if np.isnan(v) else f"{v:g}" for v in values[k]])
            else:
                categories[name] = texts[k]
    return [Table(kinds, *p) for p in parts]


def table_of(made: pa.Table) -> Table:
    """Take over a simulated table."""
    kinds, numbers, texts = {}, {}, {}
    for name in made.column_names:
        column = made[name]
        if pa.types.is_string(column.type):
            kinds[name] = "category"
            texts[name] = np.array(column.to_pylist(), np.str_)
        elif pa.types.is_date(column.type):
            kinds[name] = "date"
            first = np.datetime64("2015-01-01", "D")
            numbers[name] = (column.to_numpy() - first).astype(np.float64)
        else:
            kinds[name] = "number"
            numbers[name] = column.to_numpy().astype(np.float64)
    return Table(kinds, numbers, texts)


def coded(*tables: Table) -> tuple[list[list[Codes]], list[int]]:
    """Code the categories of tables alike; missing is the last level."""
    found: list[list[Codes]] = [[] for _ in tables]
    levels = []
    for name in tables[0].texts:
        known = np.unique(np.concatenate([t.texts[name] for t in tables]))
        known = known[known != ""]
        levels.append(len(known) + 1)
        for codes, table in zip(found, tables, strict=True):
            code = np.searchsorted(known, table.texts[name])
            codes.append(np.where(table.texts[name] == "", len(known), code).astype(np.int32))
    return found, levels


def matrix(table: Table) -> Values:
    columns = list(table.numbers.values())
    return np.stack(columns, 1) if columns else np.empty((len(table), 0))


def rows_of(*tables: Table) -> tuple[list[MixedRows], tuple[int, ...]]:
    """Rows for searches and attacks."""
    codes, levels = coded(*tables)
    parts = [np.stack(c, 1) if c else np.empty((len(t), 0), np.int32)
             for c, t in zip(codes, tables, strict=True)]  # fmt: skip
    return [MixedRows(matrix(t), c) for t, c in zip(tables, parts, strict=True)], tuple(levels)


# --- by the definitions of SDMetrics --------------------------------------------------------------


@dataclass(frozen=True)
class Trends:
    """Distances where the peer has one minus them."""

    shapes: dict[str, float]
    missing: dict[str, float]
    """Shapes of categories with missing as a level of its own, as sdq counts it."""
    numbers: dict[Pair, float]
    spearman: dict[Pair, float]
    categories: dict[Pair, float]
    mixed: dict[Pair, float]
    """Each side in ten bins of its own range."""
    shared: dict[Pair, float]
    """Both sides in ten bins of equal real share, as sdq counts them."""


def trends(real: Table, synthetic: Table) -> Trends:
    """Compare columns and pairs of two tables, none left out."""
    names, cats = list(real.numbers), list(real.texts)
    codes, levels = coded(real, synthetic)
    shapes = {c: ks_distance(real.numbers[c], synthetic.numbers[c]) for c in names}
    for j, c in enumerate(cats):
        sides = []
        for side in codes:
            counts = PairCounts([levels[j]])
            counts.update([side[j]], weights=(side[j] < levels[j] - 1).astype(float))
            sides.append(counts)
        shapes[c] = float(column_distances(*sides)[0])
    both = [matrix(t) for t in (real, synthetic)]
    pearson = [pairwise_correlations(x) for x in both]
    ranked = [[pairwise_correlations(_ranks(x[:, [i, j]]))[0][0, 1] for x in both]
              for i, j in combinations(range(len(names)), 2)]  # fmt: skip
    known = pearson[0][1] & pearson[1][1]
    gap = np.abs(pearson[0][0] - pearson[1][0]) / 2
    upper = list(combinations(range(len(names)), 2))
    own = [[_own_bins(v) for v in x.T] for x in both]
    points = [cut_points(x) for x in both[0].T]
    shared = [[cut(v, p) for v, p in zip(x.T, points, strict=True)] for x in both]
    widths = [12] * len(names), [len(p) + 2 for p in points]
    single, pairs = _pairs(codes, levels, own, widths[0])
    _, common = _pairs(codes, levels, shared, widths[1])
    q = len(cats)
    crossed = list(product(range(q), range(len(names))))
    return Trends(
        shapes,
        {c: float(single[j]) for j, c in enumerate(cats)},
        {(names[i], names[j]): float(gap[i, j]) for i, j in upper if known[i, j]},
        {(names[i], names[j]): abs(a - b) / 2 for (i, j), (a, b) in zip(upper, ranked, strict=True)
         if known[i, j]},
        {(cats[i], cats[j]): float(pairs[i, j]) for i, j in combinations(range(q), 2)},
        {(cats[i], names[j]): float(pairs[i, q + j]) for i, j in crossed},
        {(cats[i], names[j]): float(common[i, q + j]) for i, j in crossed},
    )  # fmt: skip


def _ranks(x: Values) -> Values:
    """Ranks among the rows that have both."""
    x = x[~np.isnan(x).any(axis=1)]
    return np.stack([weighted_ranks(c) for c in x.T], 1)


def _own_bins(values: Values) -> Codes:
    edges = np.histogram_bin_edges(values[~np.isnan(values)])
    return np.digitize(values, edges).astype(np.int32)


def _pairs(
    codes: Sequence[Sequence[Codes]], levels: Sequence[int], bins: Any, widths: Sequence[int]
) -> tuple[Values, Values]:
    sides = []
    for categories, numbers in zip(codes, bins, strict=True):
        counts = PairCounts([*levels, *widths])
        counts.update([*categories, *numbers])
        sides.append(counts)
    return column_distances(*sides), pair_distances(*sides)


def joint(real: Table, other: Table) -> tuple[float, float, float, float]:
    """Mean total variation of all pairs, mean change of association, and what of it is lost
    and invented: the figures of sdq, no pair left out."""
    codes, levels = coded(real, other)
    both = matrix(real), matrix(other)
    points = [cut_points(x) for x in both[0].T]
    bins = [[cut(v, p) for v, p in zip(x.T, points, strict=True)] for x in both]
    _, pairs = _pairs(codes, levels, bins, [len(p) + 2 for p in points])
    sides = [associations(x, c, levels) for x, c in zip(both, codes, strict=True)]
    change = association_change(*sides).mean()
    return float(pairs[np.triu_indices(len(pairs), 1)].mean()), *change


# --- by the definitions of SynthEval --------------------------------------------------------------


def by_syntheval(real: Table, synthetic: Table) -> dict[str, float | None]:
    """Figures of the peer from their formulas."""
    codes, levels = coded(real, synthetic)
    one, two = matrix(real), matrix(synthetic)
    shared = trends(real, synthetic)
    sides = []
    for categories in codes:
        counts = PairCounts(levels) if levels else None
        if counts is not None:
            counts.update(categories)
        sides.append(counts)
    hellinger = [
        np.sqrt(max(0.0, 1 - np.sqrt(a.column(j) * b.column(j)).sum() / np.sqrt(a.total * b.total)))
        for a, b in [sides]
        for j in range(len(levels))
    ]
    gap = pairwise_correlations(one)[0] - pairwise_correlations(two)[0]
    mixed = [_squared(x, c) for x, c in zip((one, two), codes, strict=True)]
    low = np.minimum(one.min(axis=0, initial=np.inf), two.min(axis=0, initial=np.inf))
    high = np.maximum(one.max(axis=0, initial=-np.inf), two.max(axis=0, initial=-np.inf))
    scale = np.where(high > low, high - low, 1.0)
    rows = [(x / scale, np.stack(c, 1) if c else np.empty((len(x), 0)))
            for x, c in zip((one, two), codes, strict=True)]  # fmt: skip
    a, b = _gower(rows[0], rows[0]), _gower(rows[1], rows[1])
    for square in (a, b):
        np.fill_diagonal(square, np.inf)
    across = _gower(*rows)
    nearest = across.min(axis=1), across.min(axis=0)
    inner = a.min(axis=1), b.min(axis=1)
    left, right = (np.mean(n > i) for n, i in zip(nearest, inner, strict=True))
    ties = sum(np.mean(n == i) for n, i in zip(nearest, inner, strict=True))
    middle = float(np.median(nearest[1])), float(np.median(inner[0]))
    numbers = [shared.shapes[c] for c in real.numbers]
    cats = [shared.shapes[c] for c in real.texts]
    return {
        "ks": float(np.mean(numbers)) if numbers else None,
        "tvd": float(np.mean(cats)) if cats else None,
        "hellinger": float(np.mean(hellinger)) if hellinger else None,
        "correlation": float(np.linalg.norm(gap)),
        "mixed": float(np.linalg.norm(mixed[0] - mixed[1])),
        "nnaa": float(left + right) / 2,
        "ties": float(ties) / 2,
        "dcr": middle[0] / middle[1] if middle[1] else float(middle[0] == 0),
    }


def _gower(one: tuple[Any, Any], two: tuple[Any, Any]) -> Values:
    """Gower's distance of all rows; rounded, so that equal sums of other order are equal."""
    (x, c), (y, d) = one, two
    found = np.zeros((len(x), len(y)))
    for i in range(x.shape[1]):
        found += np.abs(x[:, None, i] - y[:, i])
    for i in range(c.shape[1]):
        found += c[:, None, i] != d[:, i]
    return np.round(found / (x.shape[1] + c.shape[1]), 9)


def _squared(x: Values, codes: Sequence[Codes]) -> Values:
    """Squares of Cramer's V and of the correlation ratio, and Pearson's r; none corrected for bias,
    but tables of two by two for continuity."""
    p, q = x.shape[1], len(codes)
    found = np.eye(p + q)
    if p:
        found[:p, :p] = pairwise_correlations(x)[0]
    for j, code in enumerate(codes):
        hot = code[:, None] == np.unique(code)
        for i in range(p):
            means = (hot * x[:, i, None]).sum(0) / hot.sum(0)
            between = (hot.sum(0) * (means - x[:, i].mean()) ** 2).sum()
            total = ((x[:, i] - x[:, i].mean()) ** 2).sum()
            found[i, p + j] = found[p + j, i] = between / total if between else 0.0
        for i in range(j):
            table = (codes[i][:, None] == np.unique(codes[i])).T.astype(float) @ hot
            expected = np.outer(table.sum(1), table.sum(0)) / len(x)
            gap = np.abs(table - expected)
            if table.shape == (2, 2):
                gap -= np.minimum(0.5, gap)
            size = min(table.shape) - 1
            value = (gap**2 / expected).sum() / (len(x) * size) if size else 0.0
            found[p + i, p + j] = found[p + j, p + i] = value
    return found
