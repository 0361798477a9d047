"""Linkability: which two partial records belong to one person, told by synthetic patients.

The attacker holds one half of the columns of a person, and the other halves of a hundred people,
one of which is the person's. He asks for each of them how much evidence there is that some
synthetic patient carries both halves, and links the one with most.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.statistics.mixed_rows import MixedRows
from sdq_ehr.attacks.evidence import Evidence
from sdq_ehr.attacks.planting import disguised_copies
from sdq_ehr.attacks.risk import control_adjusted, share_of
from sdq_ehr.attacks.sides import Sides
from sdq_ehr.attacks.singling_out import NOISE, PLANTED, AttackRisk

__all__ = ["CANDIDATES", "MOST", "halves", "linkability"]

CANDIDATES: Final = 100
"""People among whom the attacker has to find the right one."""
MOST: Final = 3000
"""Most patients of a cohort that enter a matrix of all pairs."""

Flags = NDArray[np.bool_]


def linkability(sides: Sides, *, level: float = 0.95, seed: int = 0) -> AttackRisk | None:
    """Measure how often the halves of a training patient are linked by way of the synthetic ones.

    Parameters
    ----------
    sides : Sides
    level : float
    seed : int
        Of samples and planted copies.

    Returns
    -------
    AttackRisk or None
        Of links; the control are holdout patients among as many. None with fewer than 4 columns.

    Notes
    -----
    WP216: "the ability to link, at least, two records concerning the same data subject". The
    evidence for candidate b of a person with half a is ``sum_j p_j(a) p_j(b)`` over synthetic
    patients y, with ``p_j(x)`` proportional to ``exp(e(x, y_j))``, e being `Evidence`, and summing
    to 1: the chance that both halves are copies of one and the same synthetic patient's.

    Examples
    --------
    >>> from sdq_ehr.simulated_table import mixed_rows, simulate_table
    >>> (a, b, c), levels = mixed_rows(*(simulate_table(120, k) for k in range(3)))
    >>> linkability(Sides(a, b, a, levels)).risk.value > 0.8
    True
    """
    if len(sides.synthetic.numbers.T) + len(sides.synthetic.categories.T) < 4:
        return None
    rng = np.random.default_rng(seed)
    train, holdout, made = (_sample(r, rng) for r in (sides.train, sides.holdout, sides.synthetic))
    evidence = Evidence(made, sides.levels)
    one, two = halves(evidence)
    size = min(CANDIDATES, len(train), len(holdout))
    hits, control = (_linked(evidence, r, one, two, size) for r in (train, holdout))
    number = min(PLANTED, len(train), len(made))
    copies = disguised_copies(train, np.arange(number), rng, NOISE)
    seeded = MixedRows(
        np.concatenate([copies.numbers, made.numbers[number:]]),
        np.concatenate([copies.categories, made.categories[number:]]),
    )
    # Whole blocks, so that the planted have as many rivals as the others.
    blocks = train.take(np.arange(min(len(train), -(-number // size) * size)))
    seen = _linked(Evidence(seeded, sides.levels), blocks, one, two, size)[:number]
    return AttackRisk(
        control_adjusted(int(hits.sum()), len(hits), int(control.sum()), len(control), level=level),
        share_of(int(seen.sum()), len(seen), level),
    )


def halves(evidence: Evidence) -> tuple[list[int], list[int]]:
    """Deal the columns to two sides that tell about equally much, the most telling ones first.

    Examples
    --------
    >>> rows = MixedRows(np.arange(8.0).reshape(2, 4), np.empty((2, 0), int))
    >>> halves(Evidence(rows, []))
    ([0, 2], [1, 3])
    """
    sides: tuple[list[int], list[int]] = ([], [])
    total = [0.0, 0.0]
    worth = evidence.worth()
    for j in np.argsort(-worth, kind="stable").tolist():
        side = 0 if total[0] <= total[1] else 1
        sides[side].append(j)
        total[side] += worth[j] + 1e-9
    return sorted(sides[0]), sorted(sides[1])


def _linked(
    evidence: Evidence, people: MixedRows, one: list[int], two: list[int], size: int
) -> Flags:
    """Mark the people whose own other half has more evidence than all others' of their block."""
    found = np.zeros(len(people), bool)
    last = len(people) - size
    for start in range(0, len(people), size):
        # The last block is as large as the others: it reaches back into the one before.
        first = min(start, last)
        block = people.take(np.arange(first, first + size))
        a, b = (_shares(evidence.matrix(block, columns)) for columns in (one, two))
        score = a @ b.T
        own = np.diag(score).copy()
        np.fill_diagonal(score, -1.0)
        found[first : first + size] = own > score.max(axis=1)
    return found


def _shares(evidence: NDArray[np.float32]) -> NDArray[np.float32]:
    """Share of each synthetic patient in the evidence of a half: who has much with one has it all.

    Without it the halves of the one copied person would be everybody's likeliest.
    """
    evidence -= evidence.max(axis=1, keepdims=True)
    np.exp(evidence, out=evidence)
    evidence /= evidence.sum(axis=1, keepdims=True)
    return evidence


def _sample(rows: MixedRows, rng: np.random.Generator) -> MixedRows:
    """Return the rows in random order, at most `MOST`."""
    return rows.take(rng.permutation(len(rows))[:MOST])
