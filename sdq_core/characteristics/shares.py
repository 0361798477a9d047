"""What a part of a difference comes to: its share of the whole, with interval and noise floor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sdq_core.statistics.causes import Search
from sdq_core.statistics.decomposition import Sides
from sdq_core.statistics.yardstick import MARGIN

__all__ = ["Reading"]

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Reading:
    """One part of the difference, observed, between real re-splits, and over bootstrap draws.

    Coefficients of each, and the observed part itself by cut point and by feature.
    """

    search: Search
    observed: Values
    splits: Values
    draws: Values
    known: tuple[int, ...]

    @classmethod
    def of(cls, search: Search, part: Callable[[Sides], Values], known: tuple[int, ...]) -> Reading:
        """Read a part; `known` are the attributes that predict a row."""
        return cls(search, part(search.observed), part(search.splits), part(search.draws), known)

    @property
    def vector(self) -> Values:
        """The observed part, by cut point."""
        return np.asarray(self.search.atoms.vectors(self.observed)[0])

    @property
    def length(self) -> Values:
        """Its squared length, by feature."""
        return np.asarray(self.search.atoms.lengths(self.observed, self.known)[0])

    def contribution(self, whole: Reading) -> Values:
        """Return what the part contributes to the whole, by feature."""
        return np.asarray(self.search.atoms.products(self.observed, whole.observed, self.known)[0])

    def share(self, whole: Reading) -> tuple[float, Values, Values]:
        """Return the part's share of the whole: value, over draws, and between real re-splits.

        Between real re-splits in terms of the observed whole.
        """
        atoms = self.search.atoms
        total = float(whole.length.sum())
        drawn = atoms.lengths(whole.draws, self.known).sum(axis=1)
        value = float(self.contribution(whole).sum()) / total
        over = atoms.products(self.draws, whole.draws, self.known).sum(axis=1)
        null = atoms.products(self.splits, whole.splits, self.known).sum(axis=1)
        return value, over[drawn > 0] / drawn[drawn > 0], null / total

    def numbers(self, whole: Reading) -> dict[str, float | None]:
        """Return share, interval and noise floor; None where the whole is too small to divide."""
        if not whole.divisible:
            return dict.fromkeys(("share", "low", "high", "floor_low", "floor_high"))
        value, over, null = self.share(whole)
        low, high = np.quantile(over, [0.025, 0.975])
        floor = np.quantile(null, [0.025, 0.975])
        return {
            "share": value,
            "low": float(min(low, value)),
            "high": float(max(high, value)),
            "floor_low": float(floor[0]),
            "floor_high": float(floor[1]),
        }

    @cached_property
    def divisible(self) -> bool:
        """Whether the length over all features is beyond real data, and surely above zero."""
        atoms = self.search.atoms
        drawn, between = (
            atoms.lengths(x, self.known).sum(axis=1) for x in (self.draws, self.splits)
        )
        limit = MARGIN * np.quantile(between, 0.975)
        return bool(self.length.sum() > max(limit, 0.0) and np.quantile(drawn, 0.025) > 0)

    def gap(self) -> float:
        """Return the root mean squared difference of distribution functions."""
        return self._root(self.length.sum())

    def gap_interval(self) -> tuple[float, float]:
        """Return its bootstrap interval."""
        drawn = self.search.atoms.lengths(self.draws, self.known).sum(axis=1)
        low, high = (self._root(q) for q in np.quantile(drawn, [0.025, 0.975]))
        return min(low, self.gap()), max(high, self.gap())

    def gap_floor(self) -> float:
        """Return the upper end of its noise floor."""
        between = self.search.atoms.lengths(self.splits, self.known).sum(axis=1)
        return self._root(float(np.quantile(between, 0.975)))

    def _root(self, square: float) -> float:
        return float(np.sqrt(max(square, 0.0) / self.search.atoms.features))
