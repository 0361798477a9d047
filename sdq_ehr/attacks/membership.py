"""Membership inference: who was in the training set, told by closeness to the synthetic patients.

Several attackers of different kinds, and the worst of them: a report of the mean attack would
praise a generator for the attacks that do not suit it. Taking the worst of several makes chance
look better than it is, so that the null is that of the worst as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.measurement import Interval
from sdq_core.statistics.attack import AttackCurve, attack_curve
from sdq_core.statistics.classifier import mass_auc
from sdq_core.statistics.density_ratio import density_coordinates, log_density_ratio
from sdq_core.statistics.intervals import central_interval
from sdq_core.statistics.nearest_mixed import nearest_rows
from sdq_core.statistics.resampling import split_weights
from sdq_core.statistics.tail_excess import closeness
from sdq_ehr.attacks.sides import Sides, joined

__all__ = ["ATTACKS", "Attack", "WorstAttack", "membership_scores", "worst_attack"]

ATTACKS: Final[Mapping[str, str]] = {
    "distance": "与合成数据的距离",
    "calibrated distance": "校准距离 (罕见值加权)",
    "agreement": "一致性意外度",
    "calibrated agreement": "校准一致性意外度",
    "density ratio": "密度比",
}
"""Attackers, and their Chinese names."""

RATE: Final = 0.01
MOST_DENSITY: Final = 5000
"""Most rows of a side that enter a kernel density."""

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]
Groups = NDArray[np.generic]


def membership_scores(sides: Sides, *, seed: int = 0) -> dict[str, Values]:
    """Score every real patient by each attacker; high means "was a member".

    Parameters
    ----------
    sides : Sides
    seed : int
        Of the halves in which the density ratio's reference is cut.

    Returns
    -------
    dict of str to ndarray, shape (train + holdout,)
        Train first. Keys of `ATTACKS`.

    Notes
    -----
    All attackers treat members and non-members alike: what a patient is compared with besides the
    synthetic set are the *other* real patients of both kinds, whom an attacker may know. Distance
    to the closest synthetic record: Chen et al., CCS 2020, doi:10.1145/3372297.3417238; calibrated
    by the patient's own difficulty: Watson et al., ICLR 2022, arXiv:2111.08440; agreement as in
    `sdq_core.statistics.surprisal`; density ratio in all columns: van Breugel et al., AISTATS 2023,
    arXiv:2302.12580, the reference being the half of the real patients in which the patient is not.

    Examples
    --------
    >>> from sdq_ehr.simulated_table import mixed_rows, simulate_table
    >>> (a, b, c), levels = mixed_rows(*(simulate_table(60, k) for k in range(3)))
    >>> scores = membership_scores(Sides(a, b, c, levels))
    >>> sorted(scores) == sorted(ATTACKS), scores["agreement"].shape
    (True, (120,))
    """
    train, holdout, synthetic = sides.encoded
    real = joined(train, holdout)
    self = np.arange(len(real))
    nearest = partial(nearest_rows, k=1, device=sides.device)
    plain = nearest(real, synthetic)[0][:, 0]
    weighted = nearest(real, synthetic, gains=sides.gains)[0][:, 0]
    own = nearest(real, real, gains=sides.gains, groups=(self, self))[0][:, 0]
    agreement = sides.agreement_space.nearest(sides.real, sides.synthetic, 1).best
    usual = sides.agreement_space.nearest(sides.real, sides.real, 1, (self, self)).best
    return {
        "distance": closeness(plain),
        "calibrated distance": closeness(weighted) - closeness(own),
        "agreement": agreement,
        "calibrated agreement": agreement - usual,
        "density ratio": _density_ratio(sides, seed),
    }


def _density_ratio(sides: Sides, seed: int) -> Values:
    """Log ratio of densities, the reference of each half of the real patients being the other."""
    rng = np.random.default_rng([seed, 1])
    n = len(sides.real)
    half = rng.permutation(n) % 2 == 0
    found = np.empty(n)
    synthetic = sides.synthetic
    if len(synthetic) > MOST_DENSITY:
        chosen = np.sort(rng.choice(len(synthetic), MOST_DENSITY, replace=False))
        synthetic = synthetic.take(chosen)
    for scored in (half, ~half):
        others = np.flatnonzero(~scored)
        if len(others) > MOST_DENSITY:
            others = np.sort(rng.choice(others, MOST_DENSITY, replace=False))
        reference = sides.real.take(others)
        points, made, known = (
            density_coordinates(reference, rows, sides.levels)
            for rows in (sides.real.take(scored), synthetic, reference)
        )
        found[scored] = log_density_ratio(points, made, known)
    return found


@dataclass(frozen=True, eq=False)
class Attack:
    """One attacker's success.

    Parameters
    ----------
    name : str
    curve : AttackCurve
        With 95 % intervals of its own.
    """

    name: str
    curve: AttackCurve


@dataclass(frozen=True, eq=False)
class WorstAttack:
    """The worst of several attacks on the same members and non-members.

    Parameters
    ----------
    attacks : tuple of Attack
    auc, tpr : float
        The largest of all.
    auc_interval, tpr_interval : Interval
        Of the largest true values: limits hold for all attacks at once.
    auc_null, tpr_null : Interval
        Of the largest of all, when patients are called members at random.
    p_value : float
        Of an AUC as large, by permutation.
    worst : str
        Attack of the largest AUC.
    """

    attacks: tuple[Attack, ...]
    auc: float
    auc_interval: Interval
    auc_null: Interval
    tpr: float
    tpr_interval: Interval
    tpr_null: Interval
    p_value: float
    worst: str


def worst_attack(
    scores: Mapping[str, Values],
    member: Flags,
    groups: Groups | None = None,
    *,
    level: float = 0.95,
    permutations: int = 400,
    seed: int = 0,
) -> WorstAttack:
    """Read several attacks on the same patients, and the worst of them.

    Parameters
    ----------
    scores : mapping of str to ndarray, shape (n,)
    member : ndarray of bool, shape (n,)
    groups : ndarray, shape (n,), optional
        Patients of the rows, where some have several.
    level : float
    permutations, seed : int

    Returns
    -------
    WorstAttack

    Notes
    -----
    Intervals of single attacks with an error of ``(1 - level) / k`` for k attacks hold together
    with the probability `level` (Bonferroni), and with them that from the largest lower to the
    largest upper limit for the largest of the true values. True positives at 1 % false positives:
    Carlini et al. 2022, arXiv:2112.03570.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> member = np.arange(400) < 200
    >>> scores = {"a": rng.normal(size=400), "b": rng.normal(size=400) + member}
    >>> found = worst_attack(scores, member)
    >>> found.worst, found.auc_null.high < found.auc_interval.low
    ('b', True)
    """
    if groups is not None and len(np.unique(groups)) == len(groups):
        groups = None
    sides = (None, None) if groups is None else (groups[member], groups[~member])
    both = 1 - (1 - level) / len(scores)
    attacks, wide = [], []
    for name, score in scores.items():
        pair = score[member], score[~member]
        own, together = (
            attack_curve(
                *pair,
                groups_member=sides[0],
                groups_nonmember=sides[1],
                level=of,
                seed=seed,
            )
            for of in (level, both)
        )
        attacks.append(Attack(name, own))
        wide.append(together)
    values = np.column_stack(list(scores.values()))
    auc_null, tpr_null = _null(values, member, groups, permutations, seed)
    aucs = [a.curve.auc for a in attacks]
    auc = max(aucs)
    return WorstAttack(
        tuple(attacks),
        auc,
        _largest([w.auc_interval for w in wide], level),
        central_interval(auc_null, "permutation of whole subjects"),
        max(a.curve.tpr[RATE] for a in attacks),
        _largest([w.tpr_intervals[RATE] for w in wide], level),
        central_interval(tpr_null, "permutation of whole subjects"),
        float((1 + (auc_null >= auc - 1e-12).sum()) / (1 + permutations)),
        attacks[int(np.argmax(aucs))].name,
    )


def _largest(intervals: list[Interval], level: float) -> Interval:
    low, high = max(i.low for i in intervals), max(i.high for i in intervals)
    return Interval(low, high, "largest of several attacks (Bonferroni)", level)


def _null(
    values: Values, member: Flags, groups: Groups | None, permutations: int, seed: int
) -> tuple[Values, Values]:
    """Return the largest AUC and the largest true positive rate under permuted membership."""
    order = np.concatenate([np.flatnonzero(member), np.flatnonzero(~member)])
    sizes = (int(member.sum()), int((~member).sum()))
    labels = order if groups is None else groups[order]
    first, second = split_weights(labels, sizes, permutations, seed)
    pooled = values[order]
    auc, tpr = np.empty(permutations), np.empty(permutations)
    for r, (one, two) in enumerate(zip(first > 0, second > 0, strict=True)):
        kept = one | two
        auc[r] = max(mass_auc(column[kept][:, None], one[kept][:, None])[0] for column in pooled.T)
        allowed = int(np.floor(RATE * two.sum() + 1e-9))
        thresholds = np.partition(pooled[two], -1 - allowed, axis=0)[-1 - allowed]
        tpr[r] = (pooled[one] > thresholds).mean(axis=0).max()
    return auc, tpr
