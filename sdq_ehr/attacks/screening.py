"""What a screen for copies says: which rows it flags, how many of them chance explains.

A screen is any nearness of synthetic rows to real ones. What is flagged must not happen as often
when real patients exchange sides, and copies that are planted for control tell what it overlooks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.measurement import Interval
from sdq_core.statistics.attack import binomial_interval
from sdq_ehr.attacks.chance import (
    Excess,
    beyond_chance,
    chance_of_train,
    most_copies,
    reverse_threshold,
)
from sdq_ehr.attacks.relabelling import NearestReal, relabelled_p

__all__ = ["INTERVAL", "Memorisation", "Screen", "noticed_share", "read_screens"]

WORTH_A_TEST: Final = 0.1
"""Probability by chance above which no further test is needed to believe in chance."""
INTERVAL: Final = "exact for these patients; planted copies overlooked"

Values = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Memorisation:
    """Synthetic patients that stand out as copies.

    Parameters
    ----------
    share : float
        Of synthetic patients, beyond chance.
    interval : Interval
        Of the share among these patients. Its lower end accuses nobody of copies that were not
        seen; its upper end allows for as many overlooked copies as of the planted ones.
    p_value : float
        That nothing was memorised, corrected for two screens.
    flagged : ndarray of bool, shape (n,)
    originals : ndarray of int, shape (n,)
        Train row that each synthetic row resembles most.
    scores : ndarray, shape (n,)
        Surprisal of agreement with it, nats more than with any holdout row.
    noticed : Interval
        Share of planted copies that are noticed.
    expected : float
        Rows flagged by chance.
    reverse : Interval
        Share of synthetic rows as much nearer to the holdout: what chance gives.
    """

    share: float
    interval: Interval
    p_value: float
    flagged: Flags
    originals: Index
    scores: Values
    noticed: Interval
    expected: float
    reverse: Interval


@dataclass(frozen=True, eq=False)
class Screen:
    """Nearness of synthetic rows to real ones by one measure, and what is flagged by it.

    Parameters
    ----------
    search : callable
        Rows -> `NearestReal`.
    near : NearestReal
        Of the synthetic rows.
    train : ndarray of bool
        Which real patients were trained on.
    difference : ndarray, shape (n,)
    threshold : float
    p_value : float
        That chance flags as many.
    """

    search: Callable[[Any], NearestReal]
    near: NearestReal
    train: Flags
    difference: Values
    threshold: float
    p_value: float

    @classmethod
    def of(
        cls,
        rows: Any,
        search: Callable[[Any], NearestReal],
        train: Flags,
        least: float,
        seed: int,
        *,
        fixed: bool = False,
    ) -> Screen:
        """Screen synthetic rows.

        Parameters
        ----------
        rows
            Whatever `search` takes.
        search : callable
        train : ndarray of bool
        least : float
            Smallest margin that counts.
        seed : int
        fixed : bool
            Whether every such margin counts. Otherwise only one that hardly any row exceeds the
            other way: finer, but blind where real patients have near twins on either side.
        """
        near = search(rows)
        difference = near.difference(train)
        threshold = least if fixed else reverse_threshold(difference, least)
        p_value = beyond_chance(difference, threshold, _chance(train)).p_value
        if p_value < WORTH_A_TEST:
            p_value = max(p_value, relabelled_p(near, train, least, fixed=fixed, seed=seed))
        return cls(search, near, train, difference, threshold, p_value)

    def flags(self, rows: Any) -> Flags:
        """Mark the rows that are as conspicuously near to train."""
        found: Flags = self.search(rows).difference(self.train) > self.threshold
        return found

    def excess(self, level: float) -> Excess:
        """Count beyond chance; nothing where exchanging real patients explains it."""
        found = beyond_chance(self.difference, self.threshold, _chance(self.train), level=level)
        return found if self.p_value <= (1 - level) / 2 else replace(found, least=0)


def noticed_share(flags: Flags, level: float = 0.95) -> Interval:
    """Return the share of planted copies that are flagged, with its interval.

    Parameters
    ----------
    flags : ndarray of bool, at least one
    level : float
    """
    hits = int(flags.sum())
    return replace(binomial_interval(hits, len(flags), level), centre=hits / len(flags))


def read_screens(
    found: Sequence[Excess], shown: Screen, p_value: float, noticed: Interval, level: float = 0.95
) -> Memorisation:
    """Put together what one or several screens of the same rows flag.

    Parameters
    ----------
    found : sequence of Excess
        Each at its part of the error.
    shown : Screen
        The one whose nearness names originals and scores.
    p_value : float
        Corrected for the number of screens.
    noticed : Interval
        See `noticed_share`.
    level : float
    """
    n = len(shown.difference)
    # A screen that chance explains adds no suspects to one that it does not.
    telling = [f for f in found if f.least] or list(found)
    flagged = np.logical_or.reduce([f.flagged for f in telling])
    most = max(max(f.most for f in found), max(f.least for f in found))
    best = max(found, key=lambda f: (f.least, f.count - f.expected))
    value = max(0.0, best.count - best.expected) / n
    low = best.least / n
    high = most_copies(most, n, noticed, level) / n
    value = max(value, low)
    reverse = max(f.reverse for f in found)
    return Memorisation(
        value,
        Interval(low, max(high, value), INTERVAL, level),
        p_value,
        flagged,
        shown.near.nearest(shown.train),
        shown.difference,
        noticed,
        best.expected,
        replace(binomial_interval(reverse, n, level), centre=reverse / n),
    )


def _chance(train: Flags) -> float:
    return chance_of_train(int(train.sum()), int((~train).sum()))
