"""Which explanation of a difference is named first: a search among mixes and subgroups.

Each candidate (another mix of one attribute; something that only one subgroup has) is a part of
the difference, see `sdq_core.statistics.decomposition`. A candidate counts when it is longer than
between re-splits of real data, the largest over all candidates being the yardstick (Westfall &
Young 1993, max-T), and when the difference is shorter without it; the one after which least is left
is taken first, and the search goes on with what is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from sdq_core.statistics.decomposition import (
    Atoms,
    Sides,
    difference,
    mix_part,
    mix_shift,
    special_part,
)
from sdq_core.statistics.yardstick import beyond_real, in_noise

__all__ = ["Cause", "Search", "State", "level_of"]

Values = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]

LEAST_SHARE = 0.05
"""Of the difference, that a cause must explain: below, a true cause bends what stands beside it."""
LEAST_CELL = 10
"""Rows on one side that a subgroup of two attributes needs to stand by itself in a mix."""
MOST_CAUSES = 4
MOST_OF_IT = 0.7
"""Of what seems alike everywhere, that a subgroup must explain to be told as another reading."""
MOST_RIVALS = 3
FINALISTS = 6
"""Candidates of one step that are compared by resampling."""


@dataclass(frozen=True)
class Cause:
    """One candidate explanation.

    Parameters
    ----------
    attribute : int
    level : int or None
        None: another mix of the attribute's levels.
    opposite : bool
        The level differs the other way than the rest, so that both cancel out in the whole.
    alike : tuple of Cause
        Explanations that these data cannot tell from this one.
    """

    attribute: int
    level: int | None = None
    opposite: bool = False
    alike: tuple[Cause, ...] = ()


@dataclass(frozen=True)
class State:
    """What has been named so far: attributes whose mix differs, and special subgroups."""

    mixed: tuple[int, ...] = ()
    special: tuple[tuple[int, int], ...] = ()

    def plus(self, cause: Cause) -> State:
        """Return the state with one more cause."""
        if cause.level is None:
            return replace(self, mixed=(*self.mixed, cause.attribute))
        return replace(self, special=(*self.special, (cause.attribute, cause.level)))


@dataclass(frozen=True)
class Search:
    """The data of one search.

    Parameters
    ----------
    atoms : Atoms
    observed, splits, draws : Sides
        Weights of the atoms: one row; re-splits of real data; bootstrap draws.
    candidates : tuple of Cause
        Mixes, and levels with enough rows on both sides.
    stated : tuple of int
        Of each attribute, the feature that is the attribute itself.
    """

    atoms: Atoms
    observed: Sides
    splits: Sides
    draws: Sides
    candidates: tuple[Cause, ...]
    stated: tuple[int, ...]
    _cells: dict[tuple[int, ...], Index] = field(default_factory=dict)
    _fine: dict[tuple[int, ...], Index] = field(default_factory=dict)
    _explained: dict[tuple[State, int], Values] = field(default_factory=dict)

    def parts(self, state: State, sides: Sides) -> list[Values]:
        """Return the coefficients of each named part, in the order mixes, special subgroups.

        What is left of the difference is the difference minus their sum.
        """
        size, found = self.atoms.size, []
        before = np.zeros_like(sides.a)
        for k in range(len(state.mixed)):
            so_far = mix_part(sides, size, self._cell(state.mixed[: k + 1]))
            found.append(so_far - before)
            before = so_far
        found += [self.special(state, s, sides)[0] for s in state.special]
        return found

    def special(self, state: State, which: tuple[int, int], sides: Sides) -> tuple[Values, Values]:
        """Return the coefficients of what one subgroup has beyond the others, and of the others.

        Compared inside the subgroups of the named mixes; levels named of the same attribute are
        not among the others, and rows of subgroups named before of other attributes stay apart.
        """
        attribute, level = which
        told = self.atoms.levels
        named = [v for a, v in state.special if a == attribute]
        own = told[:, attribute] == level
        apart = np.zeros(len(own), bool)
        for a, v in state.special[: state.special.index(which) if which in state.special else None]:
            if a != attribute:
                apart |= told[:, a] == v
        others = ~own & ~np.isin(told[:, attribute], named)
        used = tuple(sorted({*state.mixed, attribute}))
        if used not in self._fine:
            self._fine[used] = _crossed(told[:, list(used)])
        return special_part(sides, self.atoms.size, self._fine[used], own, others, apart)

    def explained(self, state: State, sides: Sides) -> Values:
        """Return the coefficients of all that is named."""
        key = (state, id(sides))
        if key not in self._explained:
            self._explained[key] = sum(self.parts(state, sides), np.zeros_like(sides.a))
        return self._explained[key]

    def left(self, state: State, sides: Sides) -> Values:
        """Return the coefficients of what is left of the difference."""
        return difference(sides, self.atoms.size) - self.explained(state, sides)

    def run(self) -> tuple[State, list[Cause], bool]:
        """Name causes until none counts.

        Returns
        -------
        state : State
        causes : list of Cause
            In the order in which they were found.
        differs : bool
            Whether the samples differ at all beyond real data; if not, there are no causes.
        """
        state = State()
        causes: list[Cause] = []
        mixes = [c for c in self.candidates if c.level is None]
        if not self.remains(state) and not self._shifted(state, mixes):
            return state, [], False
        while len(causes) < MOST_CAUSES:
            best = self._step(state)
            if best is None:
                break
            cause, rivals = best
            state = state.plus(cause)
            still = self._counting(state, rivals)
            causes.append(replace(cause, alike=tuple(r for r in rivals if r not in still)))
            self._explained.clear()
        return state, causes, True

    def remains(self, state: State) -> bool:
        """Tell whether what is left of the difference is beyond real data."""
        where = self._where(state)
        if not where.any():
            return False
        drawn = self.atoms.lengths(self.left(state, self.draws), state.mixed)[:, where].sum(axis=1)
        return bool(np.quantile(drawn, 0.025) > 0)

    def _where(self, state: State) -> Flags:
        """Features in which what is left is beyond real data; all where it is so in sum only."""
        parts = [self.left(state, s) for s in (self.observed, self.splits)]
        whole, features = self._counts(parts, [state.mixed])
        diffuse = whole[0] and not features.any()
        return np.ones_like(features[0]) if diffuse else features[0]

    def _counts(
        self, parts: Sequence[Values], known: Sequence[tuple[int, ...]]
    ) -> tuple[Flags, Flags]:
        """Return which parts are beyond real data as a whole, and in which features.

        Parameters
        ----------
        parts : sequence of ndarray
            Observed and between re-splits in turn, for each part.
        known : sequence of tuple of int
            Attributes that predict a row, for each part.
        """
        seen = [
            [self._strength(x, k) for x, k in zip(parts[side::2], known, strict=True)]
            for side in (0, 1)
        ]
        features, whole = (
            beyond_real(
                np.concatenate([v[at] for v in seen[0]]), np.stack([v[at] for v in seen[1]])
            )
            for at in (0, 1)
        )
        return whole[:, 0], features

    def _strength(
        self, x: Values, known: tuple[int, ...], where: Flags | None = None
    ) -> tuple[Values, Values]:
        """Return the squared length of a part in terms of noise, by feature and over features.

        Between re-splits a subgroup may have more rows than in the synthetic sample: less noise.

        Parameters
        ----------
        x : ndarray, shape (R, n)
            Coefficients.
        known : tuple of int
        where : ndarray of bool, optional
            Features that are added up.
        """
        length, noise = self.atoms.lengths(x, known), self.atoms.noises(x, x, known)
        used = slice(None) if where is None else where
        total = [v[:, used].sum(axis=1, keepdims=True) for v in (length, noise)]
        return in_noise(length, noise), in_noise(total[0], total[1])

    def rivals_of_all(self, state: State) -> list[Cause]:
        """Return subgroups that explain most of what is left, where it seems alike in all."""
        where = self._where(state)
        if not where.any():
            return []
        found = {}
        for cause in self._open(state):
            if cause.level is not None and self.has_others(state, cause):
                gain = self._gain(state, cause, self.observed)[0]
                found[cause] = float(gain[where].sum())
        left = self.atoms.lengths(self.left(state, self.observed), state.mixed)[0]
        least = MOST_OF_IT * float(left[where].sum())
        order = sorted(found, key=lambda c: -found[c])
        return [c for c in order if found[c] > least][:MOST_RIVALS]

    def _step(self, state: State) -> tuple[Cause, list[Cause]] | None:
        """Find the next cause, and those that explain as much."""
        eligible = self._counting(state, self._open(state))
        if not eligible:
            return None
        names = sorted(eligible, key=lambda c: -eligible[c][0])[:FINALISTS]
        gains = {}
        for cause in names:
            gain = self._gain(state, cause, self.draws)
            gains[cause] = gain[:, eligible[cause][1]].sum(axis=1)
        sure = [c for c in names if eligible[c][2] or np.quantile(gains[c], 0.025) > 0]
        if not sure:
            return None
        best = sure[0]
        rivals = [c for c in sure[1:] if np.quantile(gains[best] - gains[c], 0.025) <= 0]
        return best, rivals

    def _counting(
        self, state: State, among: Sequence[Cause]
    ) -> dict[Cause, tuple[float, Flags, bool]]:
        """Return the candidates that count: how much they explain, where, and whether surely.

        What is particular to a subgroup is sure by itself where it is beyond real data; what it
        explains of the whole is known less well, as the others are in the whole too.
        """
        mixes = [c for c in among if c.level is None]
        levels = [c for c in among if c.level is not None and self.has_others(state, c)]
        left = self._where(state)
        counted = {}
        for cause in self._shifted(state, mixes):
            counted[cause] = left.copy()
            counted[cause][self.stated[cause.attribute]] = True
        special = self._special(state, levels, left)
        counted |= {c: where for c, (where, _) in special.items()}
        before = self.atoms.lengths(self.left(state, self.observed))[0]
        null = self.atoms.lengths(self.left(state, self.splits))
        found = {}
        for cause, where in counted.items():
            used = where if where.any() else np.ones_like(where)
            gain = float(self._gain(state, cause, self.observed)[0][used].sum())
            floor = float(np.quantile(null[:, used].sum(axis=1), 0.975))
            if gain > LEAST_SHARE * max(float(before[used].sum()), floor):
                found[cause] = (gain, used, cause in special and special[cause][1])
        return found

    def _shifted(self, state: State, among: Sequence[Cause]) -> list[Cause]:
        """Return the attributes whose mix differs, inside the subgroups of the named mixes."""
        if not among:
            return []
        outer = self._cell(state.mixed) if state.mixed else np.zeros(len(self.atoms), np.intp)
        cells = [self._cell((*state.mixed, c.attribute)) for c in among]
        seen = [
            [mix_shift(sides, self.atoms.size, outer, cell)[:, None] for cell in cells]
            for sides in (self.observed, self.splits)
        ]
        differs = beyond_real(np.concatenate(seen[0]), np.stack(seen[1]))[:, 0]
        return [c for c, yes in zip(among, differs, strict=True) if yes]

    def _special(
        self, state: State, among: Sequence[Cause], left: Flags
    ) -> dict[Cause, tuple[Flags, bool]]:
        """Return the subgroups that differ from the others, where, and whether beyond real data."""
        if not among:
            return {}
        known = [(*state.mixed, c.attribute) for c in among]
        parts = [
            self.explained(state.plus(c), sides) - self.explained(state, sides)
            for c in among
            for sides in (self.observed, self.splits)
        ]
        whole, features = self._counts(parts, known)
        uneven = self._uneven(parts, known, left)
        sure = whole | features.any(axis=1)
        return {
            c: (left | features[k], bool(sure[k]))
            for k, c in enumerate(among)
            if sure[k] or uneven[k]
        }

    def _uneven(
        self, parts: Sequence[Values], known: Sequence[tuple[int, ...]], left: Flags
    ) -> Flags:
        """Tell which subgroups differ from the others in what is left of the difference.

        In the features in which it is beyond real data: that they are is told by the mean over
        subgroups, which does not depend on how far these lie apart. Without the margin: here only
        the place of a difference is asked for, not whether there is one.
        """
        if not left.any():
            return np.zeros(len(known), bool)
        seen = [
            [self._strength(x, k, left)[1] for x, k in zip(parts[side::2], known, strict=True)]
            for side in (0, 1)
        ]
        return beyond_real(np.concatenate(seen[0]), np.stack(seen[1]), 1.0)[:, 0]

    def _gain(self, state: State, cause: Cause, sides: Sides) -> Values:
        """Return how much shorter the difference is without a cause, by feature."""
        after = state.plus(cause)
        lengths = [self.atoms.lengths(self.left(s, sides), after.mixed) for s in (state, after)]
        return lengths[0] - lengths[1]

    def _open(self, state: State) -> list[Cause]:
        return [
            c
            for c in self.candidates
            if (c.attribute not in state.mixed if c.level is None
                else (c.attribute, c.level) not in state.special)
        ]  # fmt: skip

    def has_others(self, state: State, cause: Cause) -> bool:
        """Whether a subgroup has rows, and others beside it, outside of what is named."""
        special, _ = self.special(state, (cause.attribute, level_of(cause)), self.observed)
        return bool(np.any(special))

    def _length(self, coefficients: Values) -> float:
        return float(self.atoms.lengths(coefficients).sum())

    def _cell(self, attributes: tuple[int, ...]) -> Index:
        """Subgroup of each atom by one or several attributes; small ones of several together."""
        if attributes not in self._cells:
            told = self.atoms.levels[:, list(attributes)]
            cell = _crossed(told)
            if len(attributes) > 1:
                size = self.atoms.size
                most = np.maximum(
                    np.bincount(cell, self.observed.a[0] * size),
                    np.bincount(cell, self.observed.b[0] * size),
                )
                parent = self._cell(attributes[:-1])
                small = most[cell] < LEAST_CELL
                cell = _crossed(np.column_stack([parent, np.where(small, -1, told[:, -1])]))
            self._cells[attributes] = cell
        return self._cells[attributes]


def level_of(cause: Cause) -> int:
    """Return the level of a cause that is a subgroup."""
    assert cause.level is not None, "the caller asks for subgroups only"
    return cause.level


def _crossed(columns: Index) -> Index:
    _, found = np.unique(columns, axis=0, return_inverse=True)
    return np.asarray(found.reshape(-1), np.intp)
