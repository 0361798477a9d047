"""Which columns depend on each other, in real and in synthetic records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.statistics.resampled_associations import resampled_associations
from sdq_ehr.patient_rows import OTHER, Layout, Summary, fit_layout
from sdq_ehr.records import Records
from sdq_ehr.resampled import Resampled
from sdq_ehr.tables_compared import Compared, pooled_levels

__all__ = ["AssociationView", "association_views", "heat_map", "pair_table", "patient_layout"]

MOST_COLUMNS: Final = 100
"""Columns of one view of which all pairs are taken; of more, so many are drawn at random."""
MOST_ROWS: Final = 100_000
"""Rows of a side of one table of events; of more, so many are drawn at random."""
_TOGETHER: Final = 128
MOST_LEVELS: Final = 20
"""Commonest real levels of a category that stay apart: rarer ones hold only chance."""
MOST_DRAWN: Final = 24

Values = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class AssociationView:
    """All pairs of the columns of one table, or of the patients' rows over all tables.

    Parameters
    ----------
    name : str
        Of the table; empty for the patients' rows.
    columns : tuple of str
    pairs : pair of ndarray, intp
        Columns of each pair of which something is known on one side.
    real, synthetic : ndarray, shape (R, pairs)
        Associations under each weighting.
    left_out : int
        Columns that are too many.
    """

    name: str
    columns: tuple[str, ...]
    pairs: tuple[Index, Index]
    real: Values
    synthetic: Values
    left_out: int

    @property
    def distances(self) -> Values:
        """Absolute differences, shape (R, pairs): lost and invented dependence together."""
        return np.abs(self.real - self.synthetic)

    def label(self, k: int) -> str:
        """Return the names of a pair."""
        i, j = (p[k] for p in self.pairs)
        return f"{self.columns[i]} ~ {self.columns[j]}"


def patient_layout(records: Records) -> Layout:
    """Return the columns of a patient's row, the class among them.

    Parameters
    ----------
    records : Records
    """
    layout = fit_layout(records)
    home = records.home
    told = () if home is None else tuple(
        Summary(home.name, "value", c, levels=(OTHER,))
        for c in home.codes
        if home.columns[c].meaning == "class"
    )  # fmt: skip
    return Layout((*layout.columns, *told))


def association_views(side: Resampled, tables: Sequence[Compared]) -> Iterator[AssociationView]:
    """Yield the associations of the patients' rows, then those within each table of events.

    Parameters
    ----------
    side : Resampled
    tables : sequence of Compared
    """
    found = patient_layout(side.records).rows(side.records)
    rows = side.patients
    yield _view(
        "",
        tuple(s.name for s in (*found.numbers, *found.categories)),
        found.rows.numbers[rows],
        [
            pooled_levels(c, side.pool, size - 1, MOST_LEVELS)
            for c, size in zip(found.rows.categories[rows].T, found.sizes, strict=True)
        ],
        np.arange(len(rows)),
        side,
    )
    home = side.records.schema.home
    for table in tables:
        if table.name == home or table.table.single or not len(table):
            continue
        numbers, codes = list(table.numbers), table.codes
        values = [table.ranked(c) for c in numbers]
        yield _view(
            table.name,
            tuple(f"{table.name}.{c}" for c in (*numbers, *codes)),
            np.column_stack(values) if values else np.empty((len(table), 0)),
            [
                pooled_levels(v, table.real, len(table.levels(c)) - 1, MOST_LEVELS)
                for c, v in codes.items()
            ],
            table.place,
            side,
        )


def heat_map(view: AssociationView, scale: Values) -> dict[str, Any]:
    """Return the associations of the columns that differ most, as matrices for the report.

    Parameters
    ----------
    view : AssociationView
    scale : ndarray, shape (pairs,)
        Noise of each pair.

    Returns
    -------
    dict
        Keys labels, real, synthetic; absolute associations.
    """
    size = len(view.columns)
    a, b = np.eye(size), np.eye(size)
    worst = np.zeros(size)
    ratios = np.abs(view.real[0] - view.synthetic[0]) / scale
    for k, (i, j) in enumerate(zip(*view.pairs, strict=True)):
        a[i, j] = a[j, i] = view.real[0, k]
        b[i, j] = b[j, i] = view.synthetic[0, k]
        worst[i], worst[j] = max(worst[i], ratios[k]), max(worst[j], ratios[k])
    kept = np.sort(np.argsort(-worst, kind="stable")[:MOST_DRAWN])
    square = np.ix_(kept, kept)
    return {
        "labels": [view.columns[k] for k in kept],
        "real": np.round(a[square], 3).tolist(),
        "synthetic": np.round(b[square], 3).tolist(),
    }


def pair_table(
    views: Sequence[AssociationView], scales: Sequence[Values], kind: str, most: int = 20
) -> list[list[Any]]:
    """Return the pairs whose dependence was lost, or invented, most beyond noise first.

    Parameters
    ----------
    views : sequence of AssociationView
    scales : sequence of ndarray
        Noise of the pairs of each view.
    kind : {"lost", "invented"}
    most : int

    Returns
    -------
    list of list
        Pair, real, synthetic, and what was lost or invented of it.
    """
    found = []
    for view, scale in zip(views, scales, strict=True):
        a, b = view.real[0], view.synthetic[0]
        common = np.where(a * b > 0, np.minimum(np.abs(a), np.abs(b)), 0.0)
        part = (np.abs(a) if kind == "lost" else np.abs(b)) - common
        for k in np.flatnonzero(np.asarray(part > scale)).tolist():
            row = [view.label(k), float(a[k]), float(b[k]), float(part[k])]
            found.append((-float(part[k] / scale[k]), row))
    return [row for _, row in sorted(found, key=lambda f: (f[0], f[1][0]))[:most]]


def _view(
    name: str,
    columns: tuple[str, ...],
    numbers: Values,
    codes: list[Index],
    place: Index,
    side: Resampled,
) -> AssociationView:
    left_out = max(0, len(columns) - MOST_COLUMNS)
    if left_out:
        rng = np.random.default_rng([side.comparison.seed, 7])
        kept = np.sort(rng.permutation(len(columns))[:MOST_COLUMNS])
        p = numbers.shape[1]
        columns = tuple(columns[k] for k in kept)
        numbers = numbers[:, kept[kept < p]]
        codes = [codes[k - p] for k in kept if k >= p]
    pairs = np.triu_indices(len(columns), 1)
    found = []
    for weights in side.sides:
        # A side leaves most rows out under every weighting: those of the other cohorts.
        rows = np.flatnonzero(weights.max(axis=1)[place] > 0)
        if len(rows) > MOST_ROWS:
            rng = np.random.default_rng([side.comparison.seed, 10])
            rows = np.sort(rng.permutation(rows)[:MOST_ROWS])
        values = [
            resampled_associations(
                numbers[rows],
                [c[rows] for c in codes],
                [MOST_LEVELS + 2] * len(codes),
                weights[place[rows], start : start + _TOGETHER].T,
            )[:, pairs[0], pairs[1]]
            for start in range(0, weights.shape[1], _TOGETHER)
        ]
        found.append(np.concatenate(values))
    a, b = found[0], found[1]
    known = np.flatnonzero(np.any((a != 0) | (b != 0), axis=0))
    return AssociationView(
        name,
        columns,
        (pairs[0][known].astype(np.intp), pairs[1][known].astype(np.intp)),
        a[:, known],
        b[:, known],
        left_out,
    )
