"""Marginal consistency of every column: its distribution against real-against-real re-splits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.measurement import Interval
from sdq_core.statistics import benjamini_hochberg, holm
from sdq_ehr.resampled import (
    ROUNDING,
    Resampled,
    cell_matrix,
    rate_difference,
    signed_shares,
    total_variation,
)
from sdq_ehr.tables_compared import Compared, Number, binned

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Marginals", "bars", "column_marginals", "histograms", "ordered_distance"]

MARGIN: Final = 1.5
"""A column is consistent up to this multiple of the 97.5 % quantile of real against real."""
BINS: Final = 50
LEAST_REAL: Final = 10
"""Fewest real patients of a level that is named in a drawing."""
MOST_LEVELS: Final = 30

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Column:
    """One column as cells.

    Parameters
    ----------
    name : str
    counts : csr_array, shape (cells, N)
        Of each patient; the last cell is missing.
    ordered : bool
        Whether cells are bins of a number.
    drawn : Number or tuple of str
        What the drawing shows: the number, or the names of the levels.
    """

    name: str
    counts: csr_array
    ordered: bool
    drawn: Number | tuple[str, ...]

    def distances(self, side: Resampled, weights: tuple[Values, Values]) -> Values:
        """Return the distance of the two sides for each weighting."""
        if self.ordered:
            return ordered_distance(self.counts, side.pool, weights)
        return total_variation(self.counts, weights)


@dataclass(frozen=True, eq=False)
class Marginals:
    """Share of consistent columns, and what is behind it.

    Parameters
    ----------
    columns : tuple of Column
    value : float
    interval, noise_floor : Interval
    distances : ndarray, shape (R, C)
        Under each weighting.
    margin, p, p_holm, p_bh : ndarray, shape (C,)
    """

    columns: tuple[Column, ...]
    value: float
    interval: Interval
    noise_floor: Interval
    distances: Values
    margin: Values
    p: Values
    p_holm: Values
    p_bh: Values

    @property
    def distance(self) -> Values:
        """Observed distances, shape (C,)."""
        return np.asarray(self.distances[0])

    @property
    def consistent(self) -> NDArray[np.bool_]:
        """Which columns are as close as real ones are to each other."""
        return self.distance <= self.margin

    @property
    def order(self) -> list[int]:
        """Columns from the one that differs most, in margins."""
        ratio = self.distance / np.maximum(self.margin, ROUNDING)
        return [int(k) for k in np.argsort(-ratio, kind="stable")]


def column_marginals(side: Resampled, tables: Sequence[Compared]) -> Marginals | None:
    """Measure the share of columns whose marginal is as close as real is to real.

    Parameters
    ----------
    side : Resampled
    tables : sequence of Compared

    Returns
    -------
    Marginals or None
        None where there is no column. As `marginal_consistency` of the core does for features; rows
        of a patient move together.
    """
    columns = tuple(c for table in tables for c in _columns(table))
    if not columns:
        return None
    distances = np.stack([c.distances(side, side.sides) for c in columns], axis=1)
    # Equal shares that differ in their last digit are equal.
    distances = np.where(distances < ROUNDING, 0.0, distances)
    permuted = np.stack([c.distances(side, side.permuted) for c in columns], axis=1)
    null, observed = distances[side.splits], distances[0]
    margin = MARGIN * np.quantile(null, 0.975, axis=0)
    shares = (distances <= margin + ROUNDING).mean(axis=1)
    # Half samples have noise sqrt(2) as large, and so have their margins.
    shares[side.halves] = (distances[side.halves] <= np.sqrt(2) * margin + ROUNDING).mean(axis=1)
    value, interval, floor = side.reading(shares, upper=1.0)
    # A tie counts against the observed value; rounding must not break it.
    p = (1 + (permuted >= observed - ROUNDING).sum(axis=0)) / (1 + len(permuted))
    adjusted = holm(p), benjamini_hochberg(p)
    return Marginals(columns, value, interval, floor, distances, margin + ROUNDING, p, *adjusted)


def ordered_distance(
    counts: csr_array, pool: NDArray[np.bool_], weights: tuple[Values, Values]
) -> Values:
    """Return the distance of a number's distributions, for each weighting.

    Parameters
    ----------
    counts : csr_array, shape (cells, N)
        Bins in ascending order, then missing.
    pool : ndarray of bool, shape (N,)
        Real patients.
    weights : pair of ndarray, shape (N, R)

    Returns
    -------
    ndarray, shape (R,)
        In [0, 1]: the mean over real values of the absolute difference of the distribution
        functions, which is the Wasserstein-1 distance in ranks of the real pool; and added the
        absolute difference of the shares that are missing. 1 where only one side has values.

    Examples
    --------
    >>> counts = cell_matrix(np.array([0, 1, 1, 1]), np.arange(4), 3, 4)
    >>> a, b = np.array([[1.0, 1, 0, 0], [0, 0, 1, 1]])[:, :, None]
    >>> ordered_distance(counts, np.array([True, True, False, False]), (a, b)).tolist()
    [0.25]
    """
    present, missing = counts[:-1], np.asarray(counts[[-1]].sum(axis=0)).ravel()
    rows = np.asarray(present.sum(axis=0)).ravel()
    mass = present @ pool.astype(np.float64)
    signed, empty = signed_shares(rows, weights)
    difference = np.abs(np.cumsum(present @ signed, axis=0))
    share = mass / max(float(mass.sum()), 1.0)
    found = np.where(empty >= 0, empty, share @ difference)
    return np.asarray(np.minimum(found + rate_difference(missing, rows + missing, weights), 1.0))


def histograms(
    found: Marginals, side: Resampled, *, most: int = 12, bins: int = 24
) -> list[dict[str, Any]]:
    """Return histograms of the numbers that differ most, for the report.

    Parameters
    ----------
    found : Marginals
    side : Resampled
    """
    drawn: list[dict[str, Any]] = []
    for k in found.order:
        number = found.columns[k].drawn
        if len(drawn) == most or not isinstance(number, Number):
            continue
        a, b = (number.values[m] for m in _sides(found.columns[k].counts, number, side))
        if len(a) < LEAST_REAL or not len(b):
            continue
        low, high = np.quantile(np.concatenate([a, b]), [0.005, 0.995])
        edges = np.linspace(low, high if high > low else low + 1.0, bins + 1)
        densities = [np.histogram(np.clip(v, edges[0], edges[-1]), edges, density=True)[0]
                     for v in (a, b)]  # fmt: skip
        unit = "[d]" if number.is_date else ""
        drawn.append({
            "feature": f"{number.name} {unit}".strip(),
            "edges": [float(f"{e:.5g}") for e in edges],
            "real": [float(f"{d:.4g}") for d in densities[0]],
            "synthetic": [float(f"{d:.4g}") for d in densities[1]],
            "distance": float(found.distance[k]),
            "distance_unit": "of the real ranks",
            "consistent": bool(found.consistent[k]),
        })  # fmt: skip
    return drawn


def bars(found: Marginals, side: Resampled) -> list[dict[str, Any]]:
    """Return the shares of the levels that differ most, for the report.

    Parameters
    ----------
    found : Marginals
    side : Resampled

    Returns
    -------
    list of dict
        Only levels that several real patients have are named.
    """
    a, b = side.comparison.reference, side.comparison.synthetic
    levels: list[tuple[float, str, float, float]] = []
    for column in found.columns:
        if not isinstance(column.drawn, tuple):
            continue
        real, synthetic = (
            np.asarray(column.counts[:, rows].sum(axis=1), np.float64) for rows in (a, b)
        )
        patients = np.asarray((column.counts[:, side.comparison.pool] > 0).sum(axis=1))
        real, synthetic = (v / max(v.sum(), 1.0) for v in (real, synthetic))
        for k in np.flatnonzero(patients >= LEAST_REAL):
            gap = abs(float(real[k] - synthetic[k]))
            name = f"{column.name} = {column.drawn[k]}"
            levels.append((-gap, name, float(synthetic[k]), float(real[k])))
    return [{"label": n, "synthetic": s, "real": r} for _, n, s, r in sorted(levels)[:MOST_LEVELS]]


def _columns(table: Compared) -> Iterator[Column]:
    n = len(table.side.patients)
    for number in table.apart():
        rows = number.rows
        cells, size = binned(number.values, table.real[rows], BINS)
        yield Column(number.name, cell_matrix(cells, table.place[rows], size, n), True, _placed(
            number, table
        ))  # fmt: skip
    for column, codes in table.codes.items():
        levels = table.levels(column)
        counts = cell_matrix(codes.astype(np.intp), table.place, len(levels), n)
        yield Column(f"{table.name}.{column}", counts, False, levels)


def _placed(number: Number, table: Compared) -> Number:
    """Put rows of the comparison in the place of rows of the table."""
    return Number(number.name, table.place[number.rows], number.values, number.is_date)


def _sides(
    counts: csr_array, number: Number, side: Resampled
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    known = np.isfinite(number.values)
    masks = []
    for rows in (side.comparison.reference, side.comparison.synthetic):
        chosen = np.zeros(counts.shape[1], bool)
        chosen[rows] = True
        masks.append(chosen[number.rows] & known)
    return masks[0], masks[1]
