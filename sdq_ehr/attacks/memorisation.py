"""The share of synthetic patients that were copied from training patients.

Averages drown one copy in a hundred; differences of nearness between train and holdout do not. Two
screens: a distance, which resolves finely where all columns were copied, and the surprisal of
agreement, which also sees rows of which only a part was copied.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from sdq_core.statistics.mixed_rows import MixedRows
from sdq_core.statistics.nearest_mixed import nearest_rows
from sdq_core.statistics.tail_excess import closeness
from sdq_ehr.attacks.planting import disguised_copies, partial_copies
from sdq_ehr.attacks.relabelling import NearestReal, neighbours_needed
from sdq_ehr.attacks.screening import INTERVAL, Memorisation, Screen, noticed_share, read_screens
from sdq_ehr.attacks.sides import Sides, joined

__all__ = ["INTERVAL", "PLANTED", "Memorisation", "memorised"]

PLANTED: Final = 200
"""Copies that are planted to learn how many of their kind are noticed."""
LEAST_RATIO: Final = float(np.log(1.25))
"""Smallest margin of distances, as a logarithm."""
LEAST_NATS: Final = 2.0
"""Smallest margin of surprisals."""


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
    distance = Screen.of(sides.synthetic, _by_distance(sides), train, LEAST_RATIO, seed)
    agreement = Screen.of(sides.synthetic, _by_agreement(sides), train, LEAST_NATS, seed)
    both = (1 + level) / 2
    found = [s.excess(both) for s in (distance, agreement)]
    p_values = [distance.p_value, agreement.p_value]
    seen = distance.flags(whole) | agreement.flags(whole)
    half_seen = agreement.flags(half)
    p_whole, p_partial = (min(1.0, 2 * p) for p in (min(p_values), p_values[1]))
    return (
        read_screens(found, agreement, p_whole, noticed_share(seen, level), level),
        read_screens(found[1:], agreement, p_partial, noticed_share(half_seen, level), level),
    )


def _by_distance(sides: Sides) -> Callable[[MixedRows], NearestReal]:
    train, holdout, _ = sides.encoded
    real, k = joined(train, holdout), neighbours_needed(len(train), len(holdout))

    def search(rows: MixedRows) -> NearestReal:
        encoded = sides.distance_space.encode(rows)
        distances, indices = nearest_rows(encoded, real, k, device=sides.device)
        return NearestReal(closeness(distances), indices)

    return search


def _by_agreement(sides: Sides) -> Callable[[MixedRows], NearestReal]:
    k = neighbours_needed(len(sides.train), len(sides.holdout))

    def search(rows: MixedRows) -> NearestReal:
        found = sides.agreement_space.nearest(rows, sides.real, k)
        return NearestReal(found.surprisal, found.indices)

    return search
