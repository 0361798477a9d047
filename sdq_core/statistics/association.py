"""Association of every two columns of a mixed table, and what a synthetic table lost or invented.

Two numbers: Spearman's rank correlation. Two categories: Cramer's V, corrected for bias. One of
each: the correlation ratio of ranks, corrected for bias. All are 0 without dependence and at most 1
in size, at any number of levels, so that pairs of different kinds may stand in one matrix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdq_core.errors import UsageError
from sdq_core.statistics.contingency import Columns, coded_columns

__all__ = [
    "AssociationChange",
    "Associations",
    "association_change",
    "associations",
    "correlation_ratio",
    "cramers_v",
    "pairwise_correlations",
    "weighted_ranks",
]

Values = NDArray[np.float64]
Index = NDArray[np.intp]

FEWEST = 4
"""Fewest rows with both values from which an association is estimated."""

_BLOCK = 2**14


@dataclass(frozen=True, eq=False)
class Associations:
    """Association of every pair of columns: numbers first, then categories.

    Parameters
    ----------
    values : ndarray, shape (p, p)
        Symmetric, in [-1, 1] for two numbers and [0, 1] otherwise; the diagonal is 1. 0 where
        `known` is False.
    known : ndarray of bool, shape (p, p)
        False where a column is constant among the rows that have both values, or where there are
        fewer than `FEWEST` of them: nothing can depend on it there.
    """

    values: Values
    known: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class AssociationChange:
    """What became of the real associations.

    Parameters
    ----------
    lost, invented : ndarray, shape (p, p)
        Parts of the real association that the synthetic one lacks, and the other way round; not
        negative. Their sum is the absolute difference, also where the sign turned.
    known : ndarray of bool, shape (p, p)
        False where neither table tells anything of the pair.
    """

    lost: Values
    invented: Values
    known: NDArray[np.bool_]

    @property
    def difference(self) -> Values:
        """Absolute difference, shape (p, p)."""
        return self.lost + self.invented

    def mean(self) -> tuple[float, float, float]:
        """Return the means over all pairs of columns: difference, lost, invented."""
        pairs = np.triu_indices(len(self.lost), 1)
        if not len(pairs[0]):
            raise UsageError("association: needs at least two columns, found one")
        lost, invented = float(self.lost[pairs].mean()), float(self.invented[pairs].mean())
        return lost + invented, lost, invented


def cramers_v(table: ArrayLike) -> float | None:
    """Return Cramer's V of a table of counts, corrected for bias.

    Parameters
    ----------
    table : array_like, shape (r, c)
        Counts, or sums of weights in units of rows.

    Returns
    -------
    float or None
        In [0, 1]; None where fewer than two rows or columns hold anything.

    Notes
    -----
    Bergsma, J. Korean Stat. Soc. 42(3), 2013, doi:10.1016/j.jkss.2012.10.002: with
    ``f = max(0, chi2/n - (r-1)(c-1)/(n-1))`` and ``r' = r - (r-1)^2/(n-1)`` the corrected value
    is ``sqrt(f / min(r'-1, c'-1))``. Without the correction two independent columns of 300 codes
    each would be strongly associated in any sample of usual size.

    Examples
    --------
    >>> cramers_v([[50, 0], [0, 50]]), cramers_v([[25, 25], [25, 25]])
    (1.0, 0.0)
    """
    counts = np.asarray(table, dtype=np.float64)
    if counts.ndim != 2 or not (np.isfinite(counts).all() and (counts >= 0).all()):
        raise UsageError(f"table: needs counts in two dimensions, found shape {counts.shape}")
    i, j = np.nonzero(counts)
    return _corrected_v(counts[i, j], i, j)


def correlation_ratio(
    values: ArrayLike, codes: ArrayLike, weights: ArrayLike | None = None
) -> float | None:
    """Return how much of the variance of a number lies between the levels of a category.

    Parameters
    ----------
    values : array_like, shape (n,)
        NaN is left out.
    codes : array_like of int, shape (n,)
        Not negative.
    weights : array_like, shape (n,), optional

    Returns
    -------
    float or None
        Square root of the share, corrected for bias, in [0, 1]; None where values or codes are
        constant, or there are fewer than `FEWEST` rows.

    Notes
    -----
    Kelley's epsilon squared, ``1 - (n-1)/(n-k) SS_within/SS_total`` with k levels, not below 0:
    PNAS 21(9), 1935, doi:10.1073/pnas.21.9.554.

    Examples
    --------
    >>> correlation_ratio([1.0, 1.0, 5.0, 5.0], [0, 0, 1, 1])
    1.0
    """
    x, code = np.asarray(values, np.float64), np.asarray(codes)
    w = np.ones(len(x)) if weights is None else np.asarray(weights, np.float64)
    kept = ~np.isnan(x) & (w > 0)
    return _ratio(x[kept], code[kept].astype(np.intp), w[kept])


def weighted_ranks(values: ArrayLike, weights: ArrayLike | None = None) -> Values:
    """Return the mid-rank of each value, rows counting as often as their weights say.

    Parameters
    ----------
    values : array_like, shape (n,)
        NaN keeps NaN.
    weights : array_like, shape (n,), optional

    Returns
    -------
    ndarray, shape (n,)
        Weight of the lower values plus half the weight of the equal ones.

    Examples
    --------
    >>> weighted_ranks([3.0, 1.0, 3.0]).tolist()
    [2.0, 0.5, 2.0]
    """
    x = np.asarray(values, np.float64)
    w = np.ones(len(x)) if weights is None else np.asarray(weights, np.float64)
    found = np.full(len(x), np.nan)
    kept = ~np.isnan(x)
    _, where = np.unique(x[kept], return_inverse=True)
    mass = np.bincount(where, w[kept])
    found[kept] = (np.cumsum(mass) - mass / 2)[where]
    return found


def associations(
    numbers: ArrayLike,
    categories: ArrayLike | Columns,
    levels: Sequence[int],
    weights: ArrayLike | None = None,
) -> Associations:
    """Return the association of every pair of columns.

    Parameters
    ----------
    numbers : array_like, shape (n, p)
        NaN is missing: a pair counts the rows that have both. Ranks are those among all present
        values of the column.
    categories : array_like of int, shape (n, q), or sequence of q columns
        Codes; missing is a level.
    levels : sequence of int, length q
    weights : array_like, shape (n,), optional
        How often each row counts, as in a bootstrap of patients.

    Returns
    -------
    Associations
        Columns of `numbers`, then those of `categories`.

    Raises
    ------
    UsageError
        Shapes that do not belong together; codes outside their levels.

    Examples
    --------
    >>> x = np.arange(40.0)
    >>> found = associations(np.stack([x, -(x**3)], 1), (x > 19).astype(int)[:, None], [2])
    >>> found.values.round(2).tolist()[0]
    [1.0, -1.0, 0.86]
    """
    x = np.asarray(numbers, np.float64)
    if x.ndim != 2:
        raise UsageError(f"numbers: needs shape (n, p), found {x.shape}")
    n, p = x.shape
    columns = coded_columns(categories, levels) if len(levels) else []
    if any(len(c) != n for c in columns):
        raise UsageError(f"categories: needs {n} rows as numbers have, found {len(columns[0])}")
    w = np.ones(n) if weights is None else np.asarray(weights, np.float64)
    if w.shape != (n,):
        raise UsageError(f"weights: needs one for each of {n} rows, found shape {w.shape}")
    ranks = np.stack([weighted_ranks(c, w) for c in x.T], 1) if p else np.empty((n, 0))
    size = p + len(columns)
    values, known = np.eye(size), np.zeros((size, size), dtype=bool)
    values[:p, :p], known[:p, :p] = pairwise_correlations(ranks, w)
    kept = [np.flatnonzero(~np.isnan(r) & (w > 0)) for r in ranks.T]
    codes = [c.astype(np.intp) for c in columns]
    for j, code in enumerate(codes, start=p):
        for i in range(p):
            rows = kept[i]
            _put(values, known, i, j, _ratio(ranks[rows, i], code[rows], w[rows]))
        for i in range(j - p):
            cells = levels[i] * levels[j - p]
            key = codes[i] * levels[j - p] + code
            _put(values, known, i + p, j, _v(key, cells, levels[j - p], w))
        known[j, j] = len(np.unique(code[w > 0])) > 1
    return Associations(values, known)


def association_change(real: Associations, synthetic: Associations) -> AssociationChange:
    """Return what the synthetic associations lost of the real ones and what they invented.

    Parameters
    ----------
    real, synthetic : Associations
        Of the same columns.

    Returns
    -------
    AssociationChange
        No pair is left out: an association that is unknown on one side counts as 0 there.

    Examples
    --------
    >>> known = np.ones((2, 2), dtype=bool)
    >>> a = Associations(np.array([[1.0, 0.5], [0.5, 1.0]]), known)
    >>> b = Associations(np.array([[1.0, -0.25], [-0.25, 1.0]]), known)
    >>> found = association_change(a, b)
    >>> float(found.lost[0, 1]), float(found.invented[0, 1])
    (0.5, 0.25)
    """
    a, b = real.values, synthetic.values
    if a.shape != b.shape:
        raise UsageError(f"real, synthetic: need the same columns, found {len(a)} and {len(b)}")
    common = np.where(a * b > 0, np.minimum(np.abs(a), np.abs(b)), 0.0)
    return AssociationChange(np.abs(a) - common, np.abs(b) - common, real.known | synthetic.known)


def _put(values: Values, known: NDArray[np.bool_], i: int, j: int, found: float | None) -> None:
    values[i, j] = values[j, i] = found or 0.0
    known[i, j] = known[j, i] = found is not None


def _ratio(x: Values, code: Index, w: Values) -> float | None:
    n = float(w.sum())
    if n < FEWEST:
        return None
    mass = np.bincount(code, w)
    k = int((mass > 0).sum())
    x = x - float(w @ x) / n
    total = float(w @ x**2)
    if k < 2 or total <= 0:
        return None
    sums = np.bincount(code, w * x)[mass > 0]
    between = float((sums**2 / mass[mass > 0]).sum())
    if n <= k:
        return 0.0
    share = 1 - (n - 1) / (n - k) * (1 - between / total)
    return float(np.sqrt(min(max(share, 0.0), 1.0)))


def _v(key: Index, cells: int, width: int, w: Values) -> float | None:
    """Cramer's V of two columns of codes, fused to one number a row."""
    if cells > max(4 * len(key), 2**16):
        present, where = np.unique(key, return_inverse=True)
        counts = np.bincount(where, w).astype(np.float64)
    else:
        counts = np.bincount(key, w, cells).astype(np.float64)
        present = np.arange(cells)
    held = counts > 0
    return _corrected_v(counts[held], *np.divmod(present[held], width))


def _corrected_v(counts: Values, i: Index, j: Index) -> float | None:
    """Bergsma's corrected V from the cells that hold anything."""
    _, i = np.unique(i, return_inverse=True)
    _, j = np.unique(j, return_inverse=True)
    rows, columns, n = np.bincount(i, counts), np.bincount(j, counts), float(counts.sum())
    r, c = len(rows), len(columns)
    if min(r, c) < 2 or n <= 1:
        return None
    chi = float((counts**2 / (rows[i] * columns[j])).sum()) - 1  # chi-square over n
    excess = max(0.0, chi - (r - 1) * (c - 1) / (n - 1))
    room = min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1
    # As many levels as rows: any table would do, so none says anything.
    return min(1.0, float(np.sqrt(excess / room))) if room > 1e-9 else 0.0


def pairwise_correlations(
    numbers: ArrayLike | list[Any], weights: ArrayLike | None = None
) -> tuple[Values, NDArray[np.bool_]]:
    """Return Pearson's correlation of every two columns over the rows that have both values.

    Parameters
    ----------
    numbers : array_like, shape (n, p), or list of p columns
        NaN is missing. A column need only know its length and give an array for a slice: one that
        is converted block by block takes no memory.
    weights : array_like, shape (n,), optional

    Returns
    -------
    values : ndarray, shape (p, p)
        0 where nothing is known; the diagonal is 1.
    known : ndarray of bool, shape (p, p)
        At least `FEWEST` rows, and neither column constant in them.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0], [4.0, 8.0], [9.0, np.nan]])
    >>> pairwise_correlations(x)[0].round(6).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    columns = numbers if isinstance(numbers, list) else list(np.asarray(numbers).T)
    p, rows = len(columns), len(columns[0]) if columns else 0
    w = np.broadcast_to(1.0, rows) if weights is None else np.asarray(weights, np.float64)
    counts, sums = np.zeros(p), np.zeros(p)
    blocks = [slice(i, i + _BLOCK) for i in range(0, rows, _BLOCK)]
    for block in blocks:
        part = _rows(columns, block)
        kept = ~np.isnan(part)
        counts += w[block] @ kept
        sums += w[block] @ np.where(kept, part, 0.0)
    centre = sums / np.where(counts > 0, counts, 1.0)
    n, firsts, squares, products = (np.zeros((p, p)) for _ in range(4))
    for block in blocks:
        # Centred, so that sums of squares lose no digits.
        part = _rows(columns, block) - centre
        kept = (~np.isnan(part)).astype(np.float64)
        part = np.where(kept > 0, part, 0.0)
        weighted = kept * w[block, None]
        n += kept.T @ weighted
        firsts += part.T @ weighted  # of column i over the rows that also have j
        squares += (part**2).T @ weighted
        products += (part * w[block, None]).T @ part
    n1 = np.where(n > 0, n, 1.0)
    variance = np.maximum(squares / n1 - (firsts / n1) ** 2, 0)
    size = np.sqrt(np.diag(squares) / np.where(counts > 0, counts, 1.0))
    known = (n >= FEWEST) & (np.sqrt(variance) > 1e-9 * size[:, None])
    known &= known.T
    scale = np.sqrt(variance * variance.T)
    found = (products / n1 - firsts * firsts.T / n1**2) / np.where(known, scale, 1.0)
    found = np.where(known, np.clip(found, -1, 1), 0.0)
    np.fill_diagonal(found, 1.0)
    return found, known


def _rows(columns: Sequence[Any], block: slice) -> Values:
    return np.stack([c[block] for c in columns], axis=1).astype(np.float64, copy=False)
