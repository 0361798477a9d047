"""Singling out: synthetic patients that describe exactly one training patient each.

The attacker has the synthetic set alone. Around each synthetic patient he draws the line where
agreement would be some 400 times more surprising than any of the other synthetic patients' is,
and claims that exactly one person lies inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.measurement import Interval
from sdq_core.statistics.mixed_rows import MixedRows
from sdq_core.statistics.surprisal import AgreementSpace
from sdq_ehr.attacks.planting import disguised_copies
from sdq_ehr.attacks.risk import Risk, control_adjusted, share_of
from sdq_ehr.attacks.sides import Sides

__all__ = ["AttackRisk", "singling_out"]

MARGIN: Final = float(np.log(400))
"""Nats by which a person must agree more than any other synthetic patient does."""
PLANTED: Final = 200
NOISE: Final = 0.1
"""Noise of the planted copies, in standard deviations."""

Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class AttackRisk:
    """A risk, and how the same attack fares on copies that were planted for control.

    Parameters
    ----------
    risk : Risk
    planted : Interval
        Share of attacks that succeed where the patient was copied.
    """

    risk: Risk
    planted: Interval

    @property
    def sees_copies(self) -> bool:
        """Whether the attack succeeds far more often where patients were copied than elsewhere.

        If it does not, a low risk means nothing.
        """
        return self.planted.low > self.risk.control.high + 0.1


def singling_out(sides: Sides, *, level: float = 0.95, seed: int = 0) -> AttackRisk:
    """Measure how often a synthetic patient's description isolates one training patient.

    Parameters
    ----------
    sides : Sides
    level : float
    seed : int
        Of the planted copies.

    Returns
    -------
    AttackRisk
        Of claims. The control are the same claims about the holdout; where that is smaller, its
        rate is raised in proportion.

    Notes
    -----
    A person is isolated by a description that fits that person alone although by chance it would
    hardly fit anyone: Article 29 Working Party, opinion 05/2014 (WP216); predicates of small
    weight: Cohen & Nissim, PNAS 117(15), 2020, doi:10.1073/pnas.1914598117. Here the description
    is a region of agreement around a synthetic patient, whose weight the synthetic set bounds.

    Examples
    --------
    >>> from sdq_ehr.simulated_table import mixed_rows, simulate_table
    >>> (a, b, c), levels = mixed_rows(*(simulate_table(80, k) for k in range(3)))
    >>> singling_out(Sides(a, b, a, levels)).risk.value > 0.9
    True
    """
    made = sides.synthetic
    space = AgreementSpace(made, sides.levels)
    line = _lines(space, made)
    hits, control = (_isolated(space, made, line, r) for r in (sides.train, sides.holdout))
    rng = np.random.default_rng(seed)
    number = min(PLANTED, len(sides.train), len(made))
    sources = rng.choice(len(sides.train), number, replace=False)
    copies = disguised_copies(sides.train, sources, rng, NOISE)
    # The stand-ins that remain draw the line around a planted copy.
    rest = made.take(np.sort(rng.permutation(len(made))[number:])) if number < len(made) else made
    around = space.nearest(copies, rest, 1).best + MARGIN
    found = _isolated(space, copies, around, sides.train)
    ratio = max(1.0, len(sides.train) / len(sides.holdout))
    n = len(made)
    return AttackRisk(
        control_adjusted(int(hits.sum()), n, int(control.sum()), n, scale=ratio, level=level),
        share_of(int(found.sum()), number, level),
    )


def _lines(space: AgreementSpace, made: MixedRows) -> NDArray[np.float64]:
    """Surprisal above which a person counts as inside, for each synthetic patient."""
    self = np.arange(len(made))
    best: NDArray[np.float64] = space.nearest(made, made, 1, (self, self)).best
    return best + MARGIN


def _isolated(
    space: AgreementSpace, made: MixedRows, line: NDArray[np.float64], people: MixedRows
) -> Flags:
    """Mark the claims inside which exactly one person lies."""
    found = space.nearest(made, people, min(2, len(people))).surprisal
    inside = found >= line[:, None]
    flags: Flags = inside.sum(axis=1) == 1
    return flags
