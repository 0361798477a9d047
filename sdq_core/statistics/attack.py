"""Reading a membership attack, and exact binomial intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdq_core.errors import UsageError
from sdq_core.measurement import Interval
from sdq_core.statistics.arrays import matrix, rows_per_block, tail
from sdq_core.statistics.classifier import mass_auc
from sdq_core.statistics.intervals import central_interval, quantiles
from sdq_core.statistics.resampling import bootstrap_blocks, codes, split_indices

__all__ = ["AttackCurve", "attack_by_chance", "attack_curve", "binomial_interval"]

Index = NDArray[np.intp]
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
        Subjects. With them the AUC's interval is bootstrapped over whole subjects, and a rate's
        is exact for the number of independent items that the members are worth: Korn & Graubard
        1998, Survey Methodology 24:193. Without, the AUC's is DeLong's (1988,
        doi:10.2307/2531595) and a rate's is Clopper and Pearson's.
    level : float
    seed : int

    Returns
    -------
    AttackCurve
        True positives at low false positives as in Carlini et al. 2022, arXiv:2112.03570. The
        threshold never lets through more than the allowed share of the non-members at hand; the
        rates' intervals take it as given.

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
    hits = {rate: member > _threshold(order, rate) for rate in RATES}
    tpr = {rate: float(hit.mean()) for rate, hit in hits.items()}
    if groups_member is None and groups_nonmember is None:
        auc_interval = _delong(auc, below, above, level)
        tpr_intervals = {
            rate: binomial_interval(int(hit.sum()), len(member), level)
            for rate, hit in hits.items()
        }
    else:
        left = codes(groups_member, len(member), "groups_member")
        right = codes(groups_nonmember, len(other), "groups_nonmember")
        auc_interval = _bootstrapped_auc(auc, member, other, left, right, seed, level)
        tpr_intervals = {rate: _clustered(hit, left, level) for rate, hit in hits.items()}
    return AttackCurve(
        auc,
        auc_interval,
        tpr,
        tpr_intervals,
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
    if n < 1 or not 0 <= successes <= n:
        raise UsageError(
            f"successes, n: need 0 <= successes <= n and n >= 1, found {successes}, {n}"
        )
    return Interval(*_clopper_pearson(successes, n, level), "Clopper-Pearson", level)


def attack_by_chance(
    member_scores: ArrayLike,
    nonmember_scores: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    permutations: int = 400,
    seed: int = 0,
) -> tuple[Interval, Interval]:
    """Return what an attack reaches when subjects are called members at random.

    Parameters
    ----------
    member_scores, nonmember_scores : array_like, shapes (n,) and (m,)
    groups : array_like, shape (n + m,), optional
        Subjects of the members, then of the non-members: permuted whole.
    permutations, seed : int

    Returns
    -------
    auc, tpr : Interval
        Central 95 % of the AUC, and of the true positive rate at 1 % false positives, with their
        medians: what a set without any memory gives.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> auc, tpr = attack_by_chance(rng.normal(size=100), rng.normal(size=100))
    >>> auc.low < 0.5 < auc.high, tpr.low
    (True, 0.0)
    """
    member = matrix(member_scores, "member_scores")[:, 0]
    other = matrix(nonmember_scores, "nonmember_scores")[:, 0]
    pooled = np.concatenate([member, other])
    code = codes(groups, len(pooled))
    rng = np.random.default_rng(seed)
    found = np.empty((permutations, 2))
    for r in range(permutations):
        one, two = np.zeros(len(pooled), bool), np.zeros(len(pooled), bool)
        for side, rows in zip(
            (one, two), split_indices(code, (len(member), len(other)), rng), strict=True
        ):
            side[rows] = True
        # The rest of a subject that was cut is on neither side.
        kept = one | two
        found[r] = (
            mass_auc(pooled[kept][:, None], one[kept][:, None])[0],
            (pooled[one] > _threshold(np.sort(pooled[two]), 0.01)).mean(),
        )
    auc, tpr = (central_interval(f, "permutation of whole subjects") for f in found.T)
    return auc, tpr


def _threshold(sorted_scores: Values, rate: float) -> float:
    """Score above which at most this share of the non-members lies."""
    allowed = int(np.floor(rate * len(sorted_scores) + 1e-9))
    return float(sorted_scores[len(sorted_scores) - 1 - allowed])


def _bootstrapped_auc(
    auc: float, member: Values, other: Values, left: Index, right: Index, seed: int, level: float
) -> Interval:
    """Interval of the AUC over bootstrap samples of whole subjects on both sides."""
    order = np.argsort(other, kind="stable")
    lowest = np.searchsorted(other[order], member, "left")
    highest = np.searchsorted(other[order], member, "right")
    draws = np.empty(REPEATS)
    step = rows_per_block(len(member) + len(other))
    blocks = zip(
        bootstrap_blocks(left, REPEATS, seed, step),
        bootstrap_blocks(right, REPEATS, seed + 1, step),
        strict=True,
    )
    for start, (weights_left, weights_right) in zip(range(0, REPEATS, step), blocks, strict=True):
        # Weight of the non-members below each member: one running sum instead of all pairs.
        below = np.cumsum(np.pad(weights_right[:, order], ((0, 0), (1, 0))), axis=1)
        wins = (below[:, lowest] + below[:, highest]) / 2
        size = weights_left.sum(axis=1) * below[:, -1]
        draws[start : start + step] = (weights_left * wins).sum(axis=1) / size
    low, high = quantiles(draws, level)
    if high - low <= 1e-12:
        return _smaller_side(auc, int(left.max()) + 1, int(right.max()) + 1, level)
    return Interval(min(low, auc), max(high, auc), "bootstrap of subjects", level)


def _clustered(hit: NDArray[np.bool_], code: Index, level: float) -> Interval:
    """Exact interval of a share whose items come in groups, after Korn and Graubard."""
    from scipy.special import stdtrit

    n, share = len(hit), float(hit.mean())
    groups = int(code.max()) + 1
    if share in (0.0, 1.0):
        # Nothing varies, so nothing says how alike a subject's items are: count subjects.
        worth = float(groups)
    else:
        gap = np.bincount(code, weights=hit - share)
        variance = groups / (groups - 1) * float((gap**2).sum()) / n**2 if groups > 1 else np.inf
        worth = min(n, share * (1 - share) / variance) if variance > 0 else float(n)
        if groups > 1:
            quantile = 1 - tail(level)
            worth *= float(stdtrit(n - 1, quantile) / stdtrit(groups - 1, quantile)) ** 2
        worth = max(worth, 1.0)
    low, high = _clopper_pearson(share * worth, worth, level)
    method = f"Clopper-Pearson for subjects (Korn-Graubard, worth {worth:.4g} items)"
    return Interval(low, high, method, level)


def _clopper_pearson(successes: float, n: float, level: float) -> tuple[float, float]:
    """Exact limits; successes and n need not be whole."""
    from scipy.special import betaincinv

    end = tail(level)
    low = 0.0 if successes <= 0 else float(betaincinv(successes, n - successes + 1, end))
    high = 1.0 if successes >= n else float(betaincinv(successes + 1, n - successes, 1 - end))
    return low, high


def _smaller_side(auc: float, n: int, m: int, level: float) -> Interval:
    """Interval where nothing varies: as if the smaller side had been so many trials."""
    low, high = _clopper_pearson(auc * min(n, m), min(n, m), level)
    return Interval(low, high, "Clopper-Pearson of the smaller side", level)


def _delong(auc: float, below: Values, above: Values, level: float) -> Interval:
    """DeLong's interval; at an AUC of 0 or 1 its variance is 0, and the exact one stands in."""
    from scipy.special import ndtri

    variance = below.var(ddof=1) / len(below) + above.var(ddof=1) / len(above)
    if variance <= 0:
        return _smaller_side(auc, len(below), len(above), level)
    half = float(ndtri(1 - tail(level)) * np.sqrt(variance))
    return Interval(max(auc - half, 0.0), min(auc + half, 1.0), "DeLong", level)
