"""Rows of numbers and categories, and a distance between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import UsageError
from sdq_core.statistics.coding import mid_ranks
from sdq_core.statistics.contingency import coded_columns

__all__ = ["WIDTH", "MixedRows", "MixedSpace", "mixed_distances", "rarity_gains"]

Values = NDArray[np.float64]
Index = NDArray[np.intp]

WIDTH = float(np.sqrt(6))
"""Largest difference of two ranks; the square of a random one is 1 on average."""


@dataclass(frozen=True, eq=False)
class MixedRows:
    """Rows of numbers and categories.

    Parameters
    ----------
    numbers : ndarray, shape (n, p), float64
        NaN is missing. Dates are numbers of days.
    categories : ndarray of int, shape (n, q)
        Codes from 0; missing is a level of its own.
    """

    numbers: Values
    categories: NDArray[np.integer[Any]]

    def __post_init__(self) -> None:
        x, c = np.asarray(self.numbers, np.float64), np.asarray(self.categories)
        if x.ndim != 2 or c.ndim != 2 or len(x) != len(c) or x.shape[1] + c.shape[1] == 0:
            raise UsageError(
                f"numbers, categories: need shapes (n, p) and (n, q), found {x.shape} and {c.shape}"
            )
        if np.isinf(x).any():
            raise UsageError("numbers: must be finite or missing (NaN), found infinite ones")
        if c.dtype.kind not in "iub" or (c.size and c.min() < 0):
            raise UsageError(f"categories: need codes from 0, found dtype {c.dtype}")
        object.__setattr__(self, "numbers", x)
        object.__setattr__(self, "categories", c)

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, rows: NDArray[Any]) -> MixedRows:
        """Return some rows."""
        return MixedRows(self.numbers[rows], self.categories[rows])


@dataclass(frozen=True, eq=False)
class MixedSpace:
    """Where rows are compared: by the ranks of their numbers in a real pool.

    Parameters
    ----------
    pool : MixedRows
        Real rows.
    levels : sequence of int
        Levels of each category, over all cohorts.
    """

    pool: MixedRows
    levels: Sequence[int]

    def encode(self, rows: MixedRows) -> MixedRows:
        """Return the rows with numbers in [0, `WIDTH`], NaN where missing.

        Raises
        ------
        UsageError
            Other columns than the pool's, or codes outside `levels`.

        Notes
        -----
        A number becomes its mid-rank among the pool's, so that neither units nor outliers rule a
        distance, times `WIDTH`: the squared difference of two random values is 1 on average, as
        much as two different categories differ. In [0, 1] numbers would hardly count beside
        categories: van de Velden et al., arXiv:2411.00429, on bias in mixed-type distances.

        Examples
        --------
        >>> rows = MixedRows(np.array([[1.0], [7.0], [np.nan]]), np.empty((3, 0), int))
        >>> MixedSpace(rows, []).encode(rows).numbers.round(2).ravel().tolist()
        [0.61, 1.84, nan]
        """
        p = self.pool.numbers.shape[1]
        if rows.numbers.shape[1] != p:
            raise UsageError(f"rows: need {p} numbers, found {rows.numbers.shape[1]}")
        if len(self.levels) or rows.categories.shape[1]:
            coded_columns(rows.categories, self.levels)
        placed = np.empty(rows.numbers.shape)
        for j in range(p):
            placed[:, j] = WIDTH * mid_ranks(self.pool.numbers[:, j], rows.numbers[:, j])
        return MixedRows(placed, rows.categories)


def rarity_gains(pool: NDArray[np.integer[Any]], levels: Sequence[int]) -> tuple[Values, ...]:
    """Return how much agreement on each level of each category brings two rows together.

    Parameters
    ----------
    pool : ndarray of int, shape (n, q)
        Real codes.
    levels : sequence of int

    Returns
    -------
    tuple of ndarray
        One minus the level's share in the pool: agreement on a common level says little, as in
        Goodall, Biometrics 22(4), 1966, doi:10.2307/2528080.

    Examples
    --------
    >>> rarity_gains(np.array([[0], [0], [0], [1]]), [3])[0].tolist()
    [0.25, 0.75, 1.0]
    """
    columns = coded_columns(pool, levels)
    return tuple(
        1 - np.bincount(c, minlength=v) / max(len(c), 1)
        for c, v in zip(columns, levels, strict=True)
    )


def mixed_distances(
    first: MixedRows, second: MixedRows, gains: Sequence[Values] | None = None
) -> Values:
    """Return the distance of each row of `first` from the same row of `second`.

    Parameters
    ----------
    first, second : MixedRows
        Encoded, of the same shape.
    gains : sequence of ndarray, optional
        What agreement on each level takes off; see `rarity_gains`.

    Returns
    -------
    ndarray, shape (n,)

    Examples
    --------
    >>> a = MixedRows(np.array([[0.0, np.nan]]), np.array([[1]]))
    >>> b = MixedRows(np.array([[0.5, 0.5]]), np.array([[2]]))
    >>> mixed_distances(a, b).tolist()
    [1.5]
    """
    x, y = first, second
    total = np.zeros(len(x))
    for j in range(x.numbers.shape[1]):
        gap = (x.numbers[:, j] - y.numbers[:, j]) ** 2
        missing = np.isnan(gap)
        if missing.any():
            both = np.isnan(x.numbers[missing, j]) & np.isnan(y.numbers[missing, j])
            gap[missing] = np.where(both, 0.0, 1.0)
        total += gap
    for j in range(x.categories.shape[1]):
        code = x.categories[:, j]
        same = code == y.categories[:, j]
        total += 1.0 - (same if gains is None else same * gains[j][code])
    return np.sqrt(total)
