"""Inference: what synthetic patients give away of what is secret of a training patient.

The attacker knows all of a person but one column. Every synthetic patient votes for its own value
of that column, with the weight of the evidence that it is this person; the attacker guesses the
value with most votes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.measurement import Interval
from sdq_core.statistics.mixed_rows import MixedRows
from sdq_ehr.attacks.evidence import STEPS, Evidence
from sdq_ehr.attacks.linkability import MOST
from sdq_ehr.attacks.planting import disguised_copies
from sdq_ehr.attacks.risk import METHOD, Risk, control_adjusted, share_of
from sdq_ehr.attacks.sides import Sides
from sdq_ehr.attacks.singling_out import NOISE, PLANTED, AttackRisk

__all__ = ["InferenceRisk", "inference", "telling_columns"]

SECRETS: Final = 8
"""Columns that are taken for secret where none is declared."""
CLOSE: Final = 2
"""Steps of 64 within which a guessed number counts as right: 3 % of the ranks to each side."""

Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class InferenceRisk:
    """Risk of the worst secret, and of each.

    Parameters
    ----------
    worst : AttackRisk
        Its limits hold for all secrets at once.
    column : int
        Secret of the largest risk.
    each : dict of int to AttackRisk
        By column, each with limits of its own.
    """

    worst: AttackRisk
    column: int
    each: dict[int, AttackRisk]


def inference(
    sides: Sides, secrets: Sequence[int] = (), *, level: float = 0.95, seed: int = 0
) -> InferenceRisk | None:
    """Measure how often a secret of a training patient is guessed right.

    Parameters
    ----------
    sides : Sides
    secrets : sequence of int
        Columns, those of numbers first; the most telling ones by default.
    level : float
    seed : int
        Of samples and planted copies.

    Returns
    -------
    InferenceRisk or None
        Of guesses; the control are holdout patients, so that what the population teaches of any
        patient is not counted. None with fewer than 3 columns.

    Notes
    -----
    WP216: "the possibility to deduce, with significant probability, the value of an attribute from
    the values of a set of other attributes". Votes are weighted by ``exp(e(x, y))``, e being
    `Evidence` in the known columns; a number is guessed by the weighted median. Limits of the
    worst: Bonferroni.

    Examples
    --------
    >>> from sdq_ehr.simulated_table import mixed_rows, simulate_table
    >>> (a, b, c), levels = mixed_rows(*(simulate_table(120, k) for k in range(3)))
    >>> inference(Sides(a, b, a, levels)).worst.risk.value > 0.8
    True
    """
    width = len(sides.synthetic.numbers.T) + len(sides.synthetic.categories.T)
    if width < 3:
        return None
    rng = np.random.default_rng(seed)
    train, holdout, made = (
        r.take(rng.permutation(len(r))[:MOST])
        for r in (sides.train, sides.holdout, sides.synthetic)
    )
    evidence = Evidence(made, sides.levels)
    chosen = list(secrets) or telling_columns(evidence)
    number = min(PLANTED, len(train), len(made))
    copies = disguised_copies(train, np.arange(number), rng, NOISE)
    seeded = MixedRows(
        np.concatenate([copies.numbers, made.numbers[number:]]),
        np.concatenate([copies.categories, made.categories[number:]]),
    )
    hits, control = (_guessed(evidence, r, chosen) for r in (train, holdout))
    seen = _guessed(Evidence(seeded, sides.levels), train.take(np.arange(number)), chosen)
    both = 1 - (1 - level) / len(chosen)
    each, wide = {}, []
    for j, h, c, s in zip(chosen, hits, control, seen, strict=True):
        counts = (int(h.sum()), len(h), int(c.sum()), len(c))
        each[j] = AttackRisk(control_adjusted(*counts, level=level), share_of(int(s.sum()), number))
        wide.append(control_adjusted(*counts, level=both).interval)
    column = max(each, key=lambda j: each[j].risk.value)
    worst = each[column]
    interval = Interval(max(w.low for w in wide), max(w.high for w in wide), METHOD, level)
    risk = Risk(worst.risk.value, interval, worst.risk.attack, worst.risk.control)
    return InferenceRisk(AttackRisk(risk, worst.planted), column, each)


def telling_columns(evidence: Evidence) -> list[int]:
    """Return the columns whose values tell most, at most `SECRETS`.

    Examples
    --------
    >>> rows = MixedRows(np.array([[1.0], [2.0], [3.0]]), np.array([[0], [0], [0]]))
    >>> telling_columns(Evidence(rows, [1]))
    [0, 1]
    """
    order = np.argsort(-evidence.worth(), kind="stable")
    return [int(j) for j in order[:SECRETS]]


def _guessed(evidence: Evidence, people: MixedRows, secrets: Sequence[int]) -> list[Flags]:
    """Mark for each secret the people of whom it is guessed right."""
    found = [np.zeros(len(people), bool) for _ in secrets]
    step = max(1, 2**22 // len(evidence.synthetic))
    own = evidence.codes(evidence.synthetic)
    numbers = evidence.synthetic.numbers.shape[1]
    for start in range(0, len(people), step):
        block = people.take(np.arange(start, min(start + step, len(people))))
        whole = evidence.matrix(block, range(evidence.width))
        truth = evidence.codes(block)
        for k, part in enumerate(evidence.each(block, secrets)):
            known = whole - part
            known -= known.max(axis=1, keepdims=True)
            np.exp(known, out=known)
            j = secrets[k]
            guess = _vote(known, own[j], j < numbers)
            error = np.abs(guess - truth[j])
            # Missing is a value of its own, near to none.
            blank = (guess == STEPS) != (truth[j] == STEPS)
            right = (error <= CLOSE) & ~blank if j < numbers else error == 0
            found[k][start : start + len(block)] = right
    return found


def _vote(weight: NDArray[np.float32], codes: NDArray[np.intp], number: bool) -> NDArray[np.intp]:
    """Return the level with most votes, or the step at which half of the votes are reached."""
    count = int(codes.max()) + 1
    order = np.argsort(codes, kind="stable")
    present, first = np.unique(codes[order], return_index=True)
    votes = np.add.reduceat(weight[:, order], first, axis=1)
    if not number:
        return np.asarray(present[votes.argmax(axis=1)])
    total = np.zeros((len(weight), max(count, STEPS + 1)))
    total[:, present] = votes
    missing = total[:, STEPS] > total[:, :STEPS].sum(axis=1)
    running = np.cumsum(total[:, :STEPS], axis=1)
    median = (running < running[:, -1:] / 2).sum(axis=1)
    return np.where(missing, STEPS, np.minimum(median, STEPS - 1))
