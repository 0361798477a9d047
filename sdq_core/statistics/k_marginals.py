"""Distance of the joint distributions of three columns at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdq_core.errors import UsageError
from sdq_core.statistics.cell_counts import DENSE
from sdq_core.statistics.contingency import Columns, coded_columns

__all__ = ["KMarginals", "k_marginal_distances"]

Values = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class KMarginals:
    """Distances of sets of k columns.

    Parameters
    ----------
    subsets : tuple of tuple of int
        Columns, ascending.
    distances : ndarray, shape (len(subsets),)
        Total variation of each, in [0, 1].
    possible : int
        Sets of k columns that there are; fewer were drawn where `subsets` is shorter.
    """

    subsets: tuple[tuple[int, ...], ...]
    distances: Values
    possible: int

    @property
    def mean(self) -> float:
        """Mean distance; the score of SDNist is ``1000 (1 - mean)``."""
        return float(self.distances.mean())


def k_marginal_distances(
    real: ArrayLike | Columns,
    synthetic: ArrayLike | Columns,
    levels: Sequence[int],
    *,
    k: int = 3,
    most: int | None = None,
    seed: int = 0,
    weights: tuple[ArrayLike | None, ArrayLike | None] = (None, None),
) -> KMarginals:
    """Measure the total variation of sets of k columns.

    Parameters
    ----------
    real, synthetic : array_like of int, shapes (n, p) and (m, p), or sequences of columns
        Codes.
    levels : sequence of int
    k : int
        1 to p.
    most : int, optional
        Sets to draw at random, without replacement, when there are more; all by default.
    seed : int
        Of the draw.
    weights : pair of array_like, optional
        Of the real and the synthetic rows.

    Returns
    -------
    KMarginals

    Raises
    ------
    UsageError
        As `coded_columns`; no rows; `k` not in 1..p; `most` below 1.

    Notes
    -----
    The k-marginal metric of NIST's challenges and of SDNist: Bowen & Snoke, J. Priv.
    Confidentiality 11(1), 2021, doi:10.29012/jpc.748. Small samples differ in three-way tables
    by chance alone: read the value beside that of real rows of the same number.

    Examples
    --------
    >>> xor = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]])
    >>> cube = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
    >>> float(k_marginal_distances(xor, cube, [2, 2, 2], k=2).mean)
    0.0
    >>> float(k_marginal_distances(xor, cube, [2, 2, 2], k=3).mean)
    0.5
    """
    one, two = coded_columns(real, levels), coded_columns(synthetic, levels)
    p = len(levels)
    if not 1 <= k <= p:
        raise UsageError(f"k: must be 1 to {p} (the columns), found {k}")
    if most is not None and most < 1:
        raise UsageError(f"most: needs at least 1 set of columns, found {most}")
    if not (len(one[0]) and len(two[0])):
        raise UsageError("real, synthetic: each needs at least one row")
    subsets = _draw(p, k, most, seed)
    sides = [
        (columns, np.ones(len(columns[0])) if w is None else np.asarray(w, np.float64))
        for columns, w in zip((one, two), weights, strict=True)
    ]
    for columns, w in sides:
        if w.shape != (len(columns[0]),) or not w.sum() > 0:
            raise UsageError("weights: needs one for each row, with a positive sum")
    distances = np.array([_distance(sides, levels, subset) for subset in subsets])
    return KMarginals(subsets, distances, comb(p, k))


def _draw(p: int, k: int, most: int | None, seed: int) -> tuple[tuple[int, ...], ...]:
    if most is None or comb(p, k) <= most:
        return tuple(combinations(range(p), k))
    rng = np.random.default_rng(seed)
    drawn: set[tuple[int, ...]] = set()
    while len(drawn) < most:
        drawn.add(tuple(sorted(rng.choice(p, k, replace=False).tolist())))
    return tuple(sorted(drawn))


def _distance(
    sides: Sequence[tuple[Columns, Values]], levels: Sequence[int], subset: Sequence[int]
) -> float:
    keys = [_keys(columns, levels, subset) for columns, _ in sides]
    shares = [w / w.sum() for _, w in sides]
    cells = 1.0
    for c in subset:
        cells *= levels[c]
    if cells > max(DENSE / 8, 4 * (len(keys[0]) + len(keys[1]))):
        _, where = np.unique(np.concatenate(keys), return_inverse=True)
        keys, cells = [where[: len(keys[0])], where[len(keys[0]) :]], float(where.max() + 1)
    one, two = (np.bincount(x, w, int(cells)) for x, w in zip(keys, shares, strict=True))
    return min(1.0, 0.5 * float(np.abs(one - two).sum()))


def _keys(columns: Columns, levels: Sequence[int], subset: Sequence[int]) -> Index:
    """One number for each row, of at most as many as fit."""
    keys: Index = columns[subset[0]].astype(np.intp)
    room = int(levels[subset[0]])
    for c in subset[1:]:
        room *= int(levels[c])
        if room > np.iinfo(np.intp).max:
            raise UsageError("levels: the chosen columns have too many cells together to count")
        keys *= levels[c]
        keys += columns[c]
    return keys
