"""The difference of two samples, split exactly by subgroups: other shares, and other content.

After Kitagawa 1955, doi:10.1080/01621459.1955.10501299, Oaxaca 1973 and Blinder 1973: with the
share p and the mean m of each subgroup g in samples a and b,

    m_b - m_a = sum_g (p_bg - p_ag) (m_ag + m_bg) / 2 + sum_g (p_ag + p_bg) / 2 (m_bg - m_ag),

the first sum being what comes from another mix, the second what differs inside. The m are
means of indicators, see `sdq_core.statistics.cut_points`: any change of a feature's distribution is
a difference of means, and squared lengths add up over features.

Each part is a weighted sum of rows, kept as its weights (coefficients). From squared lengths and
products the noise that rows of one subject bring is taken off, as in the U-statistics of Gretton et
al. 2012; where a mix is looked at, with each row's deviation from what its subgroup predicts. Parts
that sum to the whole keep doing so, to the last bits of arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdq_core.statistics.resampling import codes

__all__ = [
    "Atoms",
    "Sides",
    "difference",
    "inside_part",
    "mix_part",
    "mix_shift",
    "special_part",
]

Values = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Sides:
    """Weights of the two samples over the same rows, each shape (R, n): R re-splits or draws.

    Parameters
    ----------
    a, b : ndarray
        The difference is that of b from a.
    """

    a: Values
    b: Values

    def without(self, rows: Flags) -> Sides:
        """Return the weights with those of some rows set to zero."""
        return Sides(np.where(rows, 0.0, self.a), np.where(rows, 0.0, self.b))


@dataclass(frozen=True)
class Atoms:
    """Rows of one subject and the same subgroups, added up.

    Parameters
    ----------
    sums : ndarray, shape (n, D)
        Of the indicators.
    size : ndarray, shape (n,)
        Rows in each.
    subject : ndarray of int, shape (n,)
    side : ndarray of bool, shape (n,)
        Which are of the second sample: a shift of all of it is no noise.
    levels : ndarray of int, shape (n, A)
        Level of each attribute.
    feature : ndarray of int, shape (D,)
    member : ndarray of int, shape (N,)
        Atom of each row.
    """

    sums: Values
    size: Values
    subject: Index
    side: Flags
    levels: Index
    feature: Index
    member: Index
    _noise: dict[tuple[int, ...], tuple[Values, Values]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        indicators: Values,
        feature: Index,
        levels: ArrayLike,
        groups: ArrayLike | None,
        side: ArrayLike | None = None,
    ) -> Atoms:
        """Add up rows.

        Parameters
        ----------
        indicators : ndarray, shape (N, D)
        feature : ndarray of int, shape (D,)
            Rising.
        levels : array_like of int, shape (N, A)
        groups : array_like, shape (N,), or None
            Subject of each row.
        side : array_like of bool, shape (N,), optional
            Which rows are of the second sample; no subject is in both.

        Examples
        --------
        >>> x = np.array([[0.0], [1.0], [1.0]])
        >>> Atoms.of(x, np.array([0]), [[0], [0], [1]], ["s", "s", "t"]).size.tolist()
        [2.0, 1.0]
        """
        n = len(indicators)
        second = np.zeros(n, bool) if side is None else np.asarray(side, dtype=np.bool_)
        subject = codes(groups, n)
        told = np.asarray(levels, dtype=np.intp).reshape(n, -1)
        rows = np.column_stack([2 * subject + second, second, told])
        keys, member = np.unique(rows, axis=0, return_inverse=True)
        member = member.reshape(-1)
        order = np.argsort(member, kind="stable")
        starts = np.flatnonzero(np.r_[True, np.diff(member[order]) > 0])
        return cls(
            np.add.reduceat(indicators[order], starts),
            np.bincount(member, minlength=len(keys)).astype(np.float64),
            keys[:, 0],
            keys[:, 1].astype(bool),
            keys[:, 2:],
            np.asarray(feature, np.intp),
            member,
        )

    def __len__(self) -> int:
        return len(self.size)

    @property
    def features(self) -> int:
        """Number of features."""
        return int(self.feature[-1]) + 1

    def sides(self, a: Values, b: Values) -> Sides:
        """Return weights of rows, each shape (R, N), as weights of atoms.

        The rows of one subject have the same weight; where a split trims one subject, the mean.
        """
        order = np.argsort(self.member, kind="stable")
        starts = np.flatnonzero(np.r_[True, np.diff(self.member[order]) > 0])
        first, second = (np.add.reduceat(w[:, order], starts, axis=1) for w in (a, b))
        return Sides(first / self.size, second / self.size)

    def vectors(self, coefficients: Values) -> Values:
        """Return the weighted sums of rows, shape (R, D)."""
        used = coefficients.any(axis=0)  # re-splits have no synthetic rows, draws no training rows
        return np.asarray(coefficients[:, used] @ self.sums[used])

    def products(self, x: Values, y: Values, known: tuple[int, ...] = ()) -> Values:
        """Return the inner products of two parts by feature, less the noise.

        Parameters
        ----------
        x, y : ndarray, shape (R, n)
            Coefficients.
        known : tuple of int
            Attributes that predict a row: what they tell is no noise.

        Returns
        -------
        ndarray, shape (R, features)
            Additive in x and in y.
        """
        first = self.vectors(x)
        both = first * (first if y is x else self.vectors(y))
        return np.asarray(np.add.reduceat(both, self._starts, axis=1) - self.noises(x, y, known))

    def lengths(self, x: Values, known: tuple[int, ...] = ()) -> Values:
        """Return the squared length of a part by feature, unbiased: it may be below zero."""
        return self.products(x, x, known)

    def noises(self, x: Values, y: Values, known: tuple[int, ...] = ()) -> Values:
        """Return what rows of one subject bring into the products by chance, by feature."""
        i, j = self._pairs
        own, shared = self._known(tuple(sorted(known)))
        found = (x * y) @ own
        if len(i):
            found += (x[:, i] * y[:, j] + x[:, j] * y[:, i]) @ shared
        return np.asarray(found)

    @cached_property
    def _starts(self) -> Index:
        return np.flatnonzero(np.r_[True, np.diff(self.feature) > 0])

    def _known(self, known: tuple[int, ...]) -> tuple[Values, Values]:
        """Squared deviations of atoms, and products of those of one subject, by feature."""
        if known not in self._noise:
            columns = [np.ones(len(self)), self.side]
            for told in self.levels[:, list(known)].T:
                columns += [told == k for k in np.unique(told)[1:]]
            design = np.column_stack(columns).astype(np.float64)
            weighted = design * self.size[:, None]
            gram = weighted.T @ design
            fitted = design @ (np.linalg.pinv(gram, hermitian=True) @ (design.T @ self.sums))
            deviation = self.sums - fitted * self.size[:, None]
            deviation[np.abs(deviation) < 1e-9] = 0.0  # rounding of what levels tell exactly
            rows = self.size.sum()
            rank = int(np.linalg.matrix_rank(gram, hermitian=True))
            deviation *= np.sqrt(rows / max(rows - rank, 1))
            i, j = self._pairs
            self._noise[known] = (
                np.add.reduceat(deviation**2, self._starts, axis=1),
                np.add.reduceat(deviation[i] * deviation[j], self._starts, axis=1),
            )
        return self._noise[known]

    @cached_property
    def _pairs(self) -> tuple[Index, Index]:
        """Atoms of one subject, two by two."""
        order = np.argsort(self.subject, kind="stable")
        bounds = np.flatnonzero(np.r_[True, np.diff(self.subject[order]) > 0, True])
        first: list[int] = []
        second: list[int] = []
        for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            rows = order[start:end].tolist()
            for k, row in enumerate(rows):
                first += [row] * (len(rows) - k - 1)
                second += rows[k + 1 :]
        return np.array(first, np.intp), np.array(second, np.intp)


@dataclass(frozen=True)
class _Shares:
    """How many rows of each side lie in each cell, and which share of the side that is."""

    count_a: Values
    count_b: Values
    share_a: Values
    share_b: Values

    @classmethod
    def of(cls, sides: Sides, size: Values, cell: Index, whole: Sides | None = None) -> _Shares:
        cells = int(cell.max()) + 1
        onto = np.zeros((len(cell), cells))
        onto[np.arange(len(cell)), cell] = size
        total = sides if whole is None else whole
        counts = (sides.a @ onto, sides.b @ onto)
        sums = ((total.a @ size)[:, None], (total.b @ size)[:, None])
        return cls(*counts, *(n / np.maximum(s, 1e-300) for n, s in zip(counts, sums, strict=True)))

    def spread(self, sides: Sides, cell: Index, on_a: Values, on_b: Values) -> Values:
        """Turn factors of the cells' means into coefficients of the rows."""
        found = np.take(_divided(on_a, self.count_a), cell, axis=1)
        found *= sides.a
        second = np.take(_divided(on_b, self.count_b), cell, axis=1)
        second *= sides.b
        found += second
        return np.asarray(found)

    @property
    def inside(self) -> Values:
        """Mean share of each cell that both sides have; 0 of others."""
        both = (self.count_a > 0) & (self.count_b > 0)
        return np.where(both, (self.share_a + self.share_b) / 2, 0.0)


def difference(sides: Sides, size: Values) -> Values:
    """Return the coefficients of the whole difference, shape (R, n).

    Parameters
    ----------
    sides : Sides
    size : ndarray, shape (n,)
        Of the atoms.
    """
    whole = [(w @ size)[:, None] for w in (sides.a, sides.b)]
    return np.asarray(_divided(sides.b, whole[1]) - _divided(sides.a, whole[0]))


def mix_part(sides: Sides, size: Values, cell: Index) -> Values:
    """Return the coefficients of what another mix of subgroups makes.

    Parameters
    ----------
    sides : Sides
    size : ndarray, shape (n,)
    cell : ndarray of int, shape (n,)
        Subgroup of each row.

    Returns
    -------
    ndarray, shape (R, n)
        A subgroup that one side lacks counts wholly here: there is nothing to compare inside it.

    Examples
    --------
    >>> sides = Sides(np.array([[1.0, 1, 0, 0]]), np.array([[0.0, 0, 1, 1]]))
    >>> mix_part(sides, np.ones(4), np.array([0, 1, 0, 1])).tolist()
    [[0.0, 0.0, 0.0, 0.0]]
    """
    shares = _Shares.of(sides, size, cell)
    change = shares.share_b - shares.share_a
    on_b = np.where(shares.count_a == 0, 1.0, np.where(shares.count_b == 0, 0.0, 0.5))
    return shares.spread(sides, cell, change * (1 - on_b), change * on_b)


def inside_part(sides: Sides, size: Values, cell: Index) -> Values:
    """Return the coefficients of what differs inside the subgroups; with the mix, the whole.

    Examples
    --------
    >>> sides = Sides(np.array([[1.0, 1, 0, 0]]), np.array([[0.0, 0, 1, 1]]))
    >>> inside_part(sides, np.ones(4), np.array([0, 1, 0, 1])).tolist()
    [[-0.5, -0.5, 0.5, 0.5]]
    """
    shares = _Shares.of(sides, size, cell)
    return shares.spread(sides, cell, -shares.inside, shares.inside)


def special_part(
    sides: Sides, size: Values, cell: Index, level: Flags, others: Flags, apart: Flags
) -> tuple[Values, Values]:
    """Return the coefficients of what one subgroup has beyond the others.

    With the mean share q and the difference d of each cell, that of the level D = sum q d / sum q
    and that of the others O likewise: ``P (D - O)``, P the share of the level. Without it, all of
    the level would differ as the others do.

    Parameters
    ----------
    sides : Sides
    size : ndarray, shape (n,)
    cell : ndarray of int, shape (n,)
        Subgroups inside which rows are compared; finer than the level.
    level, others, apart : ndarray of bool, shape (n,)
        Rows of the level, of those that it is compared with, and rows that do not take part.

    Returns
    -------
    special, other : ndarray, shape (R, n)
        Coefficients of ``P (D - O)`` and of ``O``; zero where the others are empty.
    """
    used = sides.without(apart)
    shares = _Shares.of(used, size, cell, sides)
    q = shares.inside
    kept = [np.bincount(cell[rows & ~apart], minlength=q.shape[1]) > 0 for rows in (level, others)]
    own, rest = (np.where(k, q, 0.0) for k in kept)
    share, room = (v.sum(axis=1, keepdims=True) for v in (own, rest))
    other = _divided(rest, room)
    factor = np.where(room > 0, own - share * other, 0.0)
    return (
        shares.spread(used, cell, -factor, factor),
        shares.spread(used, cell, -other, other),
    )


def mix_shift(sides: Sides, size: Values, outer: Index, cell: Index) -> Values:
    """Return how far the shares of subgroups lie apart, in terms of chance, shape (R,).

    Parameters
    ----------
    sides : Sides
    size : ndarray, shape (n,)
    outer : ndarray of int, shape (n,)
        Subgroups by what is known already: shares are those inside them.
    cell : ndarray of int, shape (n,)
        Subgroups; finer than `outer`.

    Returns
    -------
    ndarray
        Sum of the squared differences of shares, weighted by the outer subgroups, over what it
        comes to on average where both sides have the shares of one law and rows are independent.

    Examples
    --------
    >>> sides = Sides(np.array([[1.0, 1, 0, 0]]), np.array([[0.0, 0, 1, 1]]))
    >>> mix_shift(sides, np.ones(4), np.zeros(4, int), np.array([0, 1, 0, 1])).tolist()
    [0.0]
    """
    inner = _Shares.of(sides, size, cell)
    around = _Shares.of(sides, size, outer)
    parent = np.zeros(inner.count_a.shape[1], np.intp)
    parent[cell] = outer
    counts = [np.take(c, parent, axis=1) for c in (around.count_a, around.count_b)]
    shares = [
        _divided(c, whole) for c, whole in zip((inner.count_a, inner.count_b), counts, strict=True)
    ]
    weight = np.take(around.inside, parent, axis=1) ** 2
    middle = (shares[0] + shares[1]) / 2
    chance = middle * (1 - middle) * sum(_divided(np.ones_like(c), c) for c in counts)
    found = (weight * (shares[1] - shares[0]) ** 2).sum(axis=1)
    return _divided(found, (weight * chance).sum(axis=1))


def _divided(x: Values, by: Values) -> Values:
    return np.asarray(np.divide(x, by, out=np.zeros(np.broadcast(x, by).shape), where=by != 0))
