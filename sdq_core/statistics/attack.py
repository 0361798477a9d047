"""Reading a membership attack, and exact binomial intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdq_core.errors import UsageError
from sdq_core.measurement import Interval
from sdq_core.statistics.arrays import matrix
from sdq_core.statistics.resampling import bootstrap_weights

__all__ = ["AttackCurve", "attack_curve", "binomial_interval"]

Values = NDArray[np.float64]

RATES = (0.01, 0.001)
REPEATS = 999


@dataclass(frozen=True, eq=False)
class AttackCurve:
    """How well an attack's scores tell members from non-members.

    Parameters
    ----------
    auc : float
        That a member scores higher than a non-member, ties counting half.
    auc_interval : Interval
    tpr : mapping of float to float
        False positive rate -> true positive rate at the threshold that allows it.
    tpr_intervals : mapping of float to Interval
    readable_fpr : tuple of float
        The rates that these many non-members can resolve: with fewer than 1/rate of them the
        threshold lies above them all, and the number says little.
    """

    auc: float
    auc_interval: Interval
    tpr: Mapping[float, float]
    tpr_intervals: Mapping[float, Interval]
    readable_fpr: tuple[float, ...]


def attack_curve(
    member_scores: ArrayLike,
    nonmember_scores: ArrayLike,
    *,
    groups_member: ArrayLike | None = None,
    groups_nonmember: ArrayLike | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> AttackCurve:
    """Read an attack: area under the curve, and hits at 1 % and 0.1 % false positives.

    Parameters
    ----------
    member_scores, nonmember_scores : array_like, shapes (n,) and (m,)
        Higher means "was a member".
    groups_member, groups_nonmember : array_like, optional
        Subjects. With them intervals are bootstrapped over whole subjects; without, the AUC's is
        DeLong's (1988, doi:10.2307/2531595) and a rate's is Clopper and Pearson's.
    level : float
    seed : int

    Returns
    -------
    AttackCurve
        True positives at low false positives as in Carlini et al. 2022, arXiv:2112.03570.

    Examples
    --------
    >>> found = attack_curve(np.arange(100) + 50.0, np.arange(100.0))
    >>> round(found.auc, 3), found.tpr[0.01]
    (0.875, 0.51)
    """
    member = matrix(member_scores, "member_scores")[:, 0]
    other = matrix(nonmember_scores, "nonmember_scores")[:, 0]
    order = np.sort(other)
    # Share of non-members below each member, ties half; and the other way round.
    below = (np.searchsorted(order, member, "left") + np.searchsorted(order, member, "right")) / (
        2 * len(other)
    )
    sorted_member = np.sort(member)
    above = 1 - (
        np.searchsorted(sorted_member, other, "left")
        + np.searchsorted(sorted_member, other, "right")
    ) / (2 * len(member))
    auc = float(below.mean())
    tpr = {rate: float((member > _threshold(order, rate)).mean()) for rate in RATES}
    grouped = groups_member is not None or groups_nonmember is not None
    if grouped:
        left = bootstrap_weights(
            np.arange(len(member)) if groups_member is None else groups_member, REPEATS, seed
        )
        right = bootstrap_weights(
            np.arange(len(other)) if groups_nonmember is None else groups_nonmember,
            REPEATS,
            seed + 1,
        )
        wins = (member[:, None] > other) + 0.5 * (member[:, None] == other)
        draws = ((left @ wins) * right).sum(axis=1) / (left.sum(axis=1) * right.sum(axis=1))
        auc_interval = _between(draws, auc, level, "bootstrap of subjects")
    else:
        auc_interval = _delong(auc, below, above, level)
    intervals = {}
    for rate in RATES:
        hit = member > _threshold(order, rate)
        if grouped:
            draws = (left @ hit) / left.sum(axis=1)
            intervals[rate] = _between(draws, tpr[rate], level, "bootstrap of member subjects")
        else:
            intervals[rate] = binomial_interval(int(hit.sum()), len(member), level)
    return AttackCurve(
        auc,
        auc_interval,
        tpr,
        intervals,
        tuple(rate for rate in RATES if len(other) * rate >= 1 - 1e-9),
    )


def binomial_interval(successes: int, n: int, level: float = 0.95) -> Interval:
    """Return the exact interval of a share.

    Parameters
    ----------
    successes : int
        0 to n.
    n : int
        At least 1.
    level : float

    Returns
    -------
    Interval
        Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404.

    Examples
    --------
    >>> found = binomial_interval(0, 300)
    >>> found.low, round(found.high, 4)
    (0.0, 0.0122)
    """
    from scipy.special import betaincinv

    if n < 1 or not 0 <= successes <= n:
        raise UsageError(
            f"successes, n: need 0 <= successes <= n and n >= 1, found {successes}, {n}"
        )
    tail = (1 - level) / 2
    low = 0.0 if successes == 0 else float(betaincinv(successes, n - successes + 1, tail))
    high = 1.0 if successes == n else float(betaincinv(successes + 1, n - successes, 1 - tail))
    return Interval(low, high, "Clopper-Pearson", level)


def _threshold(sorted_scores: Values, rate: float) -> float:
    """Score above which at most this share of the non-members lies."""
    allowed = int(np.floor(rate * len(sorted_scores) + 1e-9))
    return float(sorted_scores[len(sorted_scores) - 1 - allowed])


def _between(draws: Values, value: float, level: float, method: str) -> Interval:
    tail = (1 - level) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return Interval(float(min(low, value)), float(max(high, value)), method, level)


def _delong(auc: float, below: Values, above: Values, level: float) -> Interval:
    """DeLong's interval; at an AUC of 0 or 1 its variance is 0, and the exact one stands in."""
    from scipy.special import ndtri

    variance = below.var(ddof=1) / len(below) + above.var(ddof=1) / len(above)
    if variance <= 0:
        n = min(len(below), len(above))
        exact = binomial_interval(round(auc * n), n, level)
        return Interval(exact.low, exact.high, "Clopper-Pearson of the smaller side", level)
    half = float(ndtri(0.5 + level / 2) * np.sqrt(variance))
    return Interval(max(auc - half, 0.0), min(auc + half, 1.0), "DeLong", level)
