"""Marginal consistency of every column: its distribution against real-against-real re-splits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.measurement import Interval
from sdq_core.statistics import benjamini_hochberg, holm
from sdq_core.statistics.coding import cut, cut_points
from sdq_ehr.heaps import heap_cells, heaps
from sdq_ehr.resampled import (
    ROUNDING,
    Resampled,
    cell_matrix,
    rate_difference,
    signed_shares,
    total_variation,
)
from sdq_ehr.tables_compared import Compared, Number

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Marginals", "bars", "column_marginals", "histograms", "ordered_distance"]

MARGIN: Final = 1.5
"""A column is consistent up to this multiple of the 97.5 % quantile of real against real."""
BINS: Final = 50
LEAST_REAL: Final = 10
"""Fewest real patients of a level that is named in a drawing."""
MOST_LEVELS: Final = 30
RELEVANT: Final = 0.05
"""Distance below which a difference does not matter, however well it is known: 5 points of a share,
or a shift of a normal number by 0.18 standard deviations."""
LEAST: Final = 0.01
"""What the noise of a distance is taken for at least."""

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
    drawn : Number, tuple of str or None
        What the drawing shows: the number, or the names of the levels; None: nothing.
    heaped : bool
        Whether it stands for the frequent values of the number before it.
    """

    name: str
    counts: csr_array
    ordered: bool
    drawn: Number | tuple[str, ...] | None
    heaped: bool = False

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
        The frequent values of a number are one of their own, after the number.
    value : float
    interval, noise_floor : Interval
    distances : ndarray, shape (R, C)
        Under each weighting.
    margin : ndarray, shape (C,)
    apart : ndarray, shape (C,)
        Distances from all real patients, of which the p-values are.
    p, p_holm, p_bh : ndarray, shape (C,)
    p_family : ndarray, shape (C,)
        Of the largest distance, each over its own noise: Westfall & Young 1993, single step.
    """

    columns: tuple[Column, ...]
    value: float
    interval: Interval
    noise_floor: Interval
    distances: Values
    margin: Values
    apart: Values
    p: Values
    p_holm: Values
    p_bh: Values
    p_family: Values

    @property
    def count(self) -> int:
        """Number of columns, a number and its frequent values being one."""
        return sum(not c.heaped for c in self.columns)

    @property
    def shown(self) -> tuple[int | None, float]:
        """Column at a relevant distance that chance explains least, and its family-wise p.

        None and 1.0 where no column is `RELEVANT` away.
        """
        far = np.flatnonzero(self.apart >= RELEVANT - ROUNDING)
        if not len(far):
            return None, 1.0
        k = int(far[np.lexsort((-self.apart[far], self.p_family[far]))[0]])
        return k, float(self.p_family[k])

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
    everyone = np.stack([c.distances(side, side.permuted) for c in columns], axis=1)
    null, apart, permuted = distances[side.splits], everyone[0], everyone[1:]
    margin = MARGIN * np.quantile(null, 0.975, axis=0)
    inside = distances <= margin + ROUNDING
    # Half samples have noise sqrt(2) as large, and so have their margins.
    inside[side.halves] = distances[side.halves] <= np.sqrt(2) * margin + ROUNDING
    # A number is consistent where its frequent values are, too.
    starts = np.flatnonzero([not c.heaped for c in columns])
    shares = np.logical_and.reduceat(inside, starts, axis=1).mean(axis=1)
    value, interval, floor = side.reading(shares, upper=1.0)
    # A tie counts against the observed value; rounding must not break it.
    p = (1 + (permuted >= apart - ROUNDING).sum(axis=0)) / (1 + len(permuted))
    adjusted = holm(p), benjamini_hochberg(p), _family_wise(apart, permuted)
    return Marginals(
        columns, value, interval, floor, distances, margin + ROUNDING, apart, p, *adjusted
    )


def _family_wise(observed: Values, permuted: Values) -> Values:
    """Return how often permutations bring any column as far, in its noise, as each one lies."""
    scale = np.maximum(np.quantile(permuted, 0.975, axis=0), LEAST)
    largest = (permuted / scale).max(axis=1)[:, None]
    return np.asarray((1 + (largest >= observed / scale - ROUNDING).sum(axis=0))
                      / (1 + len(permuted)))  # fmt: skip


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
        functions, below and above the cell of each, which is the Wasserstein-1 distance in ranks
        of the real pool; and added the absolute difference of the shares that are missing. 1 where
        only one side has values.

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
    above = np.abs(np.cumsum(present @ signed, axis=0))
    # Where many real values are equal, what lies just below them differs from what lies above.
    difference = above.copy()
    difference[1:] += above[:-1]
    difference /= 2
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
        cells, size = _binned(number.values, number.values[table.real[rows]])
        yield Column(number.name, cell_matrix(cells, table.place[rows], size, n), True, _placed(
            number, table
        ))  # fmt: skip
        values = heaps(number.values[table.real[rows]])
        if len(values):
            cells, size = heap_cells(number.values, values, number.values[table.real[rows]])
            counts = cell_matrix(cells, table.place[rows], size, n)
            yield Column(f"{number.name} (frequent values)", counts, False, None, True)
    for column, codes in table.codes.items():
        levels = table.levels(column)
        counts = cell_matrix(codes.astype(np.intp), table.place, len(levels), n)
        yield Column(f"{table.name}.{column}", counts, False, levels)


def _binned(values: Values, real: Values) -> tuple[NDArray[np.intp], int]:
    """Cut at quantiles of the real values; a limit that is itself a real value has its own cell."""
    limits = cut_points(real, BINS)
    held = limits[np.isin(limits, real)]
    limits = np.union1d(limits, np.nextafter(held, np.inf))
    return cut(values, limits).astype(np.intp), len(limits) + 2


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
