"""The share of synthetic patients that were copied from training patients.

Averages drown one copy in a hundred; differences of nearness between train and holdout do not. Two
screens: a distance, which resolves finely where all columns were copied, and the surprisal of
agreement, which also sees rows of which only a part was copied.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.measurement import Interval
from sdq_core.statistics.attack import binomial_interval
from sdq_core.statistics.mixed_rows import MixedRows
from sdq_core.statistics.nearest_mixed import nearest_rows
from sdq_core.statistics.tail_excess import closeness
from sdq_ehr.attacks.chance import (
    Excess,
    beyond_chance,
    chance_of_train,
    most_copies,
    reverse_threshold,
)
from sdq_ehr.attacks.planting import disguised_copies, partial_copies
from sdq_ehr.attacks.relabelling import NearestReal, neighbours_needed, relabelled_p
from sdq_ehr.attacks.sides import Sides, joined

__all__ = ["INTERVAL", "Memorisation", "memorised"]

PLANTED: Final = 200
"""Copies that are planted to learn how many of their kind are noticed."""
LEAST_RATIO: Final = float(np.log(1.25))
"""Smallest margin of distances, as a logarithm."""
LEAST_NATS: Final = 2.0
"""Smallest margin of surprisals."""
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
class _Screen:
    """Nearness of synthetic rows to real ones by one measure, and what is flagged by it."""

    search: Callable[[MixedRows], NearestReal]
    near: NearestReal
    difference: Values
    threshold: float
    p_value: float

    def flags(self, rows: MixedRows, train: Flags) -> Flags:
        """Mark the rows that are as conspicuously near to train."""
        found: Flags = self.search(rows).difference(train) > self.threshold
        return found


def memorised(
    sides: Sides, *, level: float = 0.95, planted: int = PLANTED, seed: int = 0
) -> tuple[Memorisation, Memorisation]:
    """Estimate which share of the synthetic patients was copied, wholly and in part.

    Parameters
    ----------
    sides : Sides
    level : float
    planted : int
        Copies that are planted for control; whole ones with noise of 0.3 standard deviations,
        others with a random half of the columns of a synthetic stand-in.
    seed : int

    Returns
    -------
    whole : Memorisation
        Rows flagged by either screen, limits at half the error each.
    partial : Memorisation
        Rows flagged by agreement; the upper limit allows for overlooked half copies.

    Notes
    -----
    Each synthetic row's nearness to train is compared with its nearness to the holdout. The margin
    above which it is flagged is one that at most one row exceeds the other way (`chance`). What is
    counted must not happen as often when real patients exchange sides (`relabelling`).
    Agreement is a log-likelihood ratio of record linkage: Fellegi & Sunter, JASA 64, 1969,
    doi:10.1080/01621459.1969.10501049. What lies near can fail a data set; what does not is no
    proof of safety: Yao et al., arXiv:2505.01524.
    """
    rng = np.random.default_rng(seed)
    sources = rng.choice(len(sides.train), min(planted, len(sides.train)), replace=False)
    whole = disguised_copies(sides.train, sources, rng)
    half = partial_copies(sides.train, sources, sides.synthetic, rng)
    train = np.arange(len(sides.real)) < len(sides.train)
    distance = _screen(sides, _by_distance(sides), LEAST_RATIO, train, seed)
    agreement = _screen(sides, _by_agreement(sides), LEAST_NATS, train, seed)
    both = (1 + level) / 2
    found = [_beyond(s, sides, both) for s in (distance, agreement)]
    alone = found[1]
    p_values = [distance.p_value, agreement.p_value]
    seen = distance.flags(whole, train) | agreement.flags(whole, train)
    half_seen = agreement.flags(half, train)
    originals = agreement.near.nearest(train)
    p_whole, p_partial = (min(1.0, 2 * p) for p in (min(p_values), p_values[1]))
    return (
        _read(found, agreement, originals, p_whole, _share(seen, level), level),
        _read([alone], agreement, originals, p_partial, _share(half_seen, level), level),
    )


def _read(
    found: list[Excess],
    agreement: _Screen,
    originals: Index,
    p_value: float,
    noticed: Interval,
    level: float,
) -> Memorisation:
    n = len(agreement.difference)
    # A screen that chance explains adds no suspects to one that it does not.
    telling = [f for f in found if f.least] or found
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
        originals,
        agreement.difference,
        noticed,
        best.expected,
        replace(binomial_interval(reverse, n, level), centre=reverse / n),
    )


def _screen(
    sides: Sides,
    search: Callable[[MixedRows], NearestReal],
    least: float,
    train: Flags,
    seed: int,
) -> _Screen:
    near = search(sides.synthetic)
    difference = near.difference(train)
    threshold = reverse_threshold(difference, least)
    chance = chance_of_train(len(sides.train), len(sides.holdout))
    p_value = beyond_chance(difference, threshold, chance).p_value
    if p_value < WORTH_A_TEST:
        p_value = max(p_value, relabelled_p(near, train, least, seed=seed))
    return _Screen(search, near, difference, threshold, p_value)


def _beyond(screen: _Screen, sides: Sides, level: float) -> Excess:
    """Count beyond chance; nothing where exchanging real patients explains it."""
    chance = chance_of_train(len(sides.train), len(sides.holdout))
    found = beyond_chance(screen.difference, screen.threshold, chance, level=level)
    return found if screen.p_value <= (1 - level) / 2 else replace(found, least=0)


def _by_distance(sides: Sides) -> Callable[[MixedRows], NearestReal]:
    train, holdout, _ = sides.encoded
    real, k = joined(train, holdout), neighbours_needed(len(train), len(holdout))

    def search(rows: MixedRows) -> NearestReal:
        distances, indices = nearest_rows(sides.distance_space.encode(rows), real, k)
        return NearestReal(closeness(distances), indices)

    return search


def _by_agreement(sides: Sides) -> Callable[[MixedRows], NearestReal]:
    k = neighbours_needed(len(sides.train), len(sides.holdout))

    def search(rows: MixedRows) -> NearestReal:
        found = sides.agreement_space.nearest(rows, sides.real, k)
        return NearestReal(found.surprisal, found.indices)

    return search


def _share(flags: Flags, level: float) -> Interval:
    hits = int(flags.sum())
    return replace(binomial_interval(hits, len(flags), level), centre=hits / len(flags))
