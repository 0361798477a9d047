"""The observed comparison, its half samples and the noise floor's re-splits, all at once.

A weighting says which patients stand on the real and which on the synthetic side. Statistics that
are sums over patients are taken of all weightings by one product with a matrix.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.comparison import Comparison, compare_rows, spread
from sdq_core.cohort import Cohort, Cohorts
from sdq_core.measurement import Interval
from sdq_core.statistics import split_weights
from sdq_ehr.records import Records, records_of

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = [
    "PERMUTATIONS",
    "ROUNDING",
    "Resampled",
    "cell_matrix",
    "rate_difference",
    "resampled",
    "signed_shares",
    "total_variation",
]

PERMUTATIONS: Final = 499
ROUNDING: Final = 1e-12
"""Distances of distributions below it are those of equal ones."""
_BLOCK: Final = 2**22

Values = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Resampled:
    """Records side by side under many weightings of the patients.

    Parameters
    ----------
    records : Records
    comparison : Comparison
        Of all readable patients, at most as many a side as are compared; its values say nothing.
    patients : ndarray, shape (N,), intp
        Patient of each row of the comparison.
    """

    records: Records
    comparison: Comparison
    patients: Index

    @cached_property
    def place(self) -> Index:
        """Row of the comparison of each patient, -1 where it is not in it; shape (count,)."""
        found = np.full(self.records.count, -1, np.intp)
        found[self.patients] = np.arange(len(self.patients))
        return found

    @cached_property
    def pool(self) -> NDArray[np.bool_]:
        """Which rows of the comparison are real, shape (N,)."""
        found = np.zeros(len(self.patients), bool)
        found[self.comparison.pool] = True
        return found

    @cached_property
    def sides(self) -> tuple[Values, Values]:
        """Weights of both sides, shapes (N, R): observed, half samples, re-splits.

        A patient a row, so that the weights of a patient in all repeats lie together.
        """
        c = self.comparison
        pairs = [(c.reference, c.synthetic), *c.halves, *c.splits]
        a, b = c.weights(pairs)
        return np.ascontiguousarray(a.T), np.ascontiguousarray(b.T)

    @cached_property
    def permuted(self) -> tuple[Values, Values]:
        """All real patients beside the synthetic ones, then permutations of whole patients.

        Shapes (N, 1 + PERMUTATIONS). That no difference is there is asked of all real patients, of
        whom the reference is a part: twice as many tell smaller differences, and copies of training
        patients, which they would flatter, are for privacy to find.
        """
        c = self.comparison
        both = np.concatenate([c.pool, c.synthetic])
        sizes = len(c.pool), len(c.synthetic)
        a, b = np.zeros((2, len(self.patients), 1 + PERMUTATIONS))
        a[c.pool, 0], b[c.synthetic, 0] = 1, 1
        one, two = split_weights(c.groups[both], sizes, PERMUTATIONS, c.seed + 6)
        a[both, 1:], b[both, 1:] = one.T, two.T
        return a, b

    @property
    def halves(self) -> slice:
        """Places of the half samples among the weightings."""
        return slice(1, 1 + len(self.comparison.halves))

    @property
    def splits(self) -> slice:
        """Places of the re-splits among the weightings."""
        return slice(1 + len(self.comparison.halves), None)

    def reading(
        self, distances: Values, *, upper: float = np.inf
    ) -> tuple[float, Interval, Interval]:
        """Turn the distances under all weightings into value, interval and noise floor.

        Parameters
        ----------
        distances : ndarray, shape (R,)
            Not negative.
        upper : float
            Largest possible distance.
        """
        value = float(distances[0])
        return (
            value,
            spread(value, distances[self.halves], 0.0, upper),
            self.comparison.floor(distances[self.splits]),
        )

    def noise(self, distances: Values, least: float) -> Values:
        """Return the 97.5 % quantile of each distance between real parts, at least `least`.

        Parameters
        ----------
        distances : ndarray, shape (R, C)
        least : float
            Differences below this do not matter, however well they are known.
        """
        return np.maximum(np.quantile(distances[self.splits], 0.975, axis=0), least)


@lru_cache(maxsize=2)
def resampled(cohorts: Cohorts) -> Resampled | None:
    """Put the records of all readable patients side by side, with their weightings.

    Parameters
    ----------
    cohorts : Cohorts

    Returns
    -------
    Resampled or None
        None when a cohort has fewer than four readable patients. Kept for the measures that share
        it.
    """

    def get(cohort: Cohort) -> tuple[Values, Index]:
        rows = np.flatnonzero(cohort.table.readable)
        return np.zeros((len(rows), 1)), rows

    comparison = compare_rows(cohorts, get, cohorts.seed("comparison/records"))
    if comparison is None:
        return None
    records = records_of(cohorts)
    return Resampled(records, comparison, records.patients(comparison))


def cell_matrix(cells: Index, place: Index, size: int, patients: int) -> csr_array:
    """Count how often each patient has each cell.

    Parameters
    ----------
    cells : ndarray, shape (n,), intp
        0..size-1.
    place : ndarray, shape (n,), intp
        Patient of each row, 0..patients-1.
    size, patients : int

    Returns
    -------
    scipy.sparse.csr_array, shape (size, patients)

    Examples
    --------
    >>> cell_matrix(np.array([0, 1, 1]), np.array([0, 0, 0]), 2, 2).toarray().tolist()
    [[1.0, 0.0], [2.0, 0.0]]
    """
    from scipy.sparse import coo_array

    counts = coo_array((np.ones(len(cells)), (cells, place)), shape=(size, patients))
    return counts.tocsr()


def total_variation(counts: csr_array, sides: tuple[Values, Values]) -> Values:
    """Return the total variation of the shares of cells, for each weighting.

    Parameters
    ----------
    counts : csr_array, shape (cells, N)
    sides : pair of ndarray, shape (N, R)

    Returns
    -------
    ndarray, shape (R,)
        In [0, 1]; 1 where only one side has any row, 0 where neither has.

    Examples
    --------
    >>> counts = cell_matrix(np.array([0, 1]), np.array([0, 1]), 2, 2)
    >>> total_variation(counts, (np.array([[1.0], [0.0]]), np.array([[0.0], [1.0]]))).tolist()
    [1.0]
    """
    signed, empty = signed_shares(np.asarray(counts.sum(axis=0)).ravel(), sides)
    found = np.zeros(signed.shape[1])
    step = max(1, _BLOCK // max(1, signed.shape[1]))
    for start in range(0, counts.shape[0], step):
        found += np.abs(counts[start : start + step] @ signed).sum(axis=0)
    return np.asarray(np.where(empty >= 0, empty, np.minimum(found / 2, 1.0)))


def signed_shares(rows: Values, sides: tuple[Values, Values]) -> tuple[Values, Values]:
    """Return weights of which the rows of the real side sum to 1, of the synthetic side to -1.

    Parameters
    ----------
    rows : ndarray, shape (N,)
        Rows of each patient.
    sides : pair of ndarray, shape (N, R)

    Returns
    -------
    signed : ndarray, shape (N, R)
    empty : ndarray, shape (R,)
        The distance where a side has no row: 1, or 0 where neither has; -1 elsewhere.
    """
    a, b = sides
    n, m = rows @ a, rows @ b
    signed = a / np.where(n > 0, n, 1.0) - b / np.where(m > 0, m, 1.0)
    empty = np.where((n > 0) & (m > 0), -1.0, np.where((n > 0) | (m > 0), 1.0, 0.0))
    return signed, empty


def rate_difference(flags: Values, rows: Values, sides: tuple[Values, Values]) -> Values:
    """Return the absolute difference of a share of rows, for each weighting.

    Parameters
    ----------
    flags, rows : ndarray, shape (N,)
        Of each patient: rows with the property, and rows that could have it.
    sides : pair of ndarray, shape (N, R)

    Returns
    -------
    ndarray, shape (R,)
        1 where only one side has any row, 0 where neither has.
    """
    signed, empty = signed_shares(rows, sides)
    return np.asarray(np.where(empty >= 0, empty, np.abs(flags @ signed)))
