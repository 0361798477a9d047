"""Three columns at a time, and which cells are missing together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_ehr.associations import patient_layout
from sdq_ehr.resampled import (
    ROUNDING,
    Resampled,
    cell_matrix,
    rate_difference,
    total_variation,
)
from sdq_ehr.tables_compared import Compared, binned, pooled_levels

__all__ = ["MissingRates", "Triples", "missing_rates", "three_way"]

BINS: Final = 4
MOST_LEVELS: Final = 8
"""Bins of a number and levels of a category: finer cells of small samples hold only chance."""
MOST_TRIPLES: Final = 300
MOST_COLUMNS: Final = 40

Values = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Triples:
    """Distances of sets of three columns.

    Parameters
    ----------
    names : tuple of str
    distances : ndarray, shape (R, triples)
        Total variation under each weighting.
    possible : int
        Sets of three columns that there are.
    """

    names: tuple[str, ...]
    distances: Values
    possible: int


@dataclass(frozen=True, eq=False)
class MissingRates:
    """Rates of cells that are missing, and of pairs that are missing together.

    Parameters
    ----------
    names : tuple of str
    real, synthetic : ndarray, shape (C,)
        Observed rates.
    distances : ndarray, shape (R, C)
        Absolute differences under each weighting.
    """

    names: tuple[str, ...]
    real: Values
    synthetic: Values
    distances: Values


@dataclass(frozen=True, eq=False)
class _View:
    names: tuple[str, ...]
    codes: list[Index]
    levels: list[int]
    place: Index


def three_way(side: Resampled, tables: Sequence[Compared]) -> Triples | None:
    """Measure the distances of the joint distributions of three columns.

    Parameters
    ----------
    side : Resampled
    tables : sequence of Compared

    Returns
    -------
    Triples or None
        Of the patients' rows and of the rows of each table of events: all, or a random 300. None
        where no table has three columns. See `k_marginal_distances` for one weighting.
    """
    views = [v for v in _views(side, tables) if len(v.codes) >= 3]
    sets = [(v, t) for v in views for t in _subsets(len(v.codes), side.comparison.seed)]
    possible = sum(comb(len(v.codes), 3) for v in views)
    if not sets:
        return None
    if len(sets) > MOST_TRIPLES:
        rng = np.random.default_rng([side.comparison.seed, 8])
        sets = [sets[k] for k in np.sort(rng.permutation(len(sets))[:MOST_TRIPLES])]
    distances = []
    for view, subset in sets:
        key = np.zeros(len(view.place), np.intp)
        for c in subset:
            key = key * view.levels[c] + view.codes[c]
        _, cells = np.unique(key, return_inverse=True)
        counts = cell_matrix(cells, view.place, int(cells.max(initial=-1)) + 1, len(side.patients))
        distances.append(total_variation(counts, side.sides))
    names = tuple(" ~ ".join(view.names[c] for c in subset) for view, subset in sets)
    return Triples(names, np.stack(distances, axis=1), possible)


def missing_rates(side: Resampled, tables: Sequence[Compared]) -> MissingRates:
    """Measure the rates of cells that are missing, alone and in pairs.

    Parameters
    ----------
    side : Resampled
    tables : sequence of Compared

    Returns
    -------
    MissingRates
        Of the columns in which any cohort misses a value, within each table; of more than 40 the
        40 in which most are missing. Empty where nothing is missing anywhere.
    """
    a, b = side.sides[0][:, 0], side.sides[1][:, 0]
    names: list[str] = []
    real: list[float] = []
    synthetic: list[float] = []
    distances: list[Values] = []
    for table in tables:
        if not len(table):
            continue
        n = len(side.patients)
        rows = np.bincount(table.place, minlength=n).astype(np.float64)
        gaps = {c: np.isnan(v) for c, v in table.numbers.items()}
        gaps |= {c: v == len(table.levels(c)) - 1 for c, v in table.codes.items()}
        most = sorted((c for c in gaps if gaps[c].any()), key=lambda c, g=gaps: -int(g[c].sum()))  # type: ignore[misc]
        flags = {f"{table.name}.{c}": gaps[c] for c in most[:MOST_COLUMNS]}
        pairs = {f"{i} + {j}": flags[i] & flags[j] for i, j in combinations(list(flags), 2)}
        for name, flag in {**flags, **pairs}.items():
            sums = np.bincount(table.place, flag, n).astype(np.float64)
            names.append(name)
            real.append(float(sums @ a) / max(float(rows @ a), 1.0))
            synthetic.append(float(sums @ b) / max(float(rows @ b), 1.0))
            found = rate_difference(sums, rows, side.sides)
            # Equal rates that differ in their last digit are equal.
            distances.append(np.where(found < ROUNDING, 0.0, found))
    shape = (side.sides[0].shape[1], 0)
    return MissingRates(
        tuple(names),
        np.array(real),
        np.array(synthetic),
        np.stack(distances, axis=1) if distances else np.empty(shape),
    )


def _views(side: Resampled, tables: Sequence[Compared]) -> Iterator[_View]:
    found = patient_layout(side.records).rows(side.records)
    numbers = found.rows.numbers[side.patients]
    categories = found.rows.categories[side.patients]
    yield _coded(
        tuple(s.name for s in (*found.numbers, *found.categories)),
        list(numbers.T),
        [(c, size - 1) for c, size in zip(categories.T, found.sizes, strict=True)],
        np.arange(len(side.patients)),
        side.pool,
    )
    for table in tables:
        if table.name == side.records.schema.home or table.table.single or not len(table):
            continue
        columns, codes = list(table.numbers), table.codes
        yield _coded(
            tuple(f"{table.name}.{c}" for c in (*columns, *codes)),
            [table.ranked(c) for c in columns],
            [(v, len(table.levels(c)) - 1) for c, v in codes.items()],
            table.place,
            table.real,
        )


def _coded(
    names: tuple[str, ...],
    numbers: list[Values],
    categories: list[tuple[NDArray[np.int32], int]],
    place: Index,
    real: NDArray[np.bool_],
) -> _View:
    cells = [binned(v, real, BINS) for v in numbers]
    cells += [(pooled_levels(c, real, k, MOST_LEVELS), MOST_LEVELS + 2) for c, k in categories]
    return _View(names, [c for c, _ in cells], [size for _, size in cells], place)


def _subsets(columns: int, seed: int) -> Sequence[tuple[int, ...]]:
    """All sets of three columns, or where these are too many to list, some drawn at random."""
    if columns <= MOST_COLUMNS:
        return list(combinations(range(columns), 3))
    rng = np.random.default_rng([seed, 9])
    drawn: set[tuple[int, ...]] = set()
    while len(drawn) < 10 * MOST_TRIPLES:
        drawn.add(tuple(sorted(rng.choice(columns, 3, replace=False).tolist())))
    return sorted(drawn)
