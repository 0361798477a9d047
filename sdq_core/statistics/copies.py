"""Near copies of training items, and the membership attack built on them.

Every score here is the *copy score* of an item against a set: how much nearer its best match is
than the neighbours around it, ``log(mean distance of the k nearest / distance of the nearest)``,
distances taken after registration. Where items are locally spread like a Poisson process in D
dimensions, the logarithm of such ratios is a sum of exponential variables with rates that are
multiples of D, whatever the density and the size of the set (Facco et al., Sci. Rep. 7, 12140,
2017, doi:10.1038/s41598-017-11873-y). Hence it does not reward blurred or featureless items
(everything is near to them), it compares sets of different sizes, and its null has a tail that can
be extrapolated. Dividing by the neighbours follows Carlini et al., "Extracting training data from
diffusion models", USENIX Security 2023, arXiv:2301.13188.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import UsageError
from sdq_core.measurement import Interval
from sdq_core.statistics.attack import binomial_interval
from sdq_core.statistics.matches import CopySearch, Matches
from sdq_core.statistics.null_tail import SMALLEST_NULL, NullTail

__all__ = [
    "MemorisationResult",
    "Suspect",
    "copy_scores",
    "membership_scores",
    "memorised",
]

NEIGHBOURS = 20
"""Neighbours that the distance of the nearest is compared with, where the set is large enough."""

PLANTED = 100
"""Copies of training items that are planted to learn how many of them would be noticed."""

_INTERVAL = "Clopper-Pearson; null bootstrapped (MOVER), planted copies overlooked"


def copy_scores(matches: Matches, floor: float) -> NDArray[np.float64]:
    """Return how much nearer the best match of each query is than its other neighbours.

    Parameters
    ----------
    matches : Matches
        With at least three neighbours for each query.
    floor : float
        `CopySearch.floor`.

    Returns
    -------
    ndarray, shape (n,), float64
        ``log(mean_{j=2..k} d_j / d_1)``, at least 0, natural logarithm, with the squared
        distances ``d^2 = 2 (1 - correlation) + floor``.

    Raises
    ------
    UsageError
        A query has fewer than three neighbours.

    Examples
    --------
    >>> m = Matches(np.array([[0.99, 0.5, 0.5]]), np.array([[4, 1, 2]]), (None,))
    >>> round(float(copy_scores(m, floor=0.02)[0]), 2)
    1.62
    """
    known = matches.indices >= 0
    if matches.scores.shape[1] < 3 or (known.sum(1) < 3).any():
        raise UsageError(
            "copy_scores: every query needs at least three references of other subjects; "
            "provide a larger reference"
        )
    distance = np.sqrt(2 * (1 - matches.scores) + floor)
    others = np.where(known[:, 1:], distance[:, 1:], 0).sum(1) / known[:, 1:].sum(1)
    scores: NDArray[np.float64] = np.log(others / distance[:, 0])
    return scores


def membership_scores(
    real: NDArray[np.floating[Any]],
    synthetic: NDArray[np.floating[Any]],
    *,
    search: CopySearch,
    neighbours: int = NEIGHBOURS,
) -> NDArray[np.float64]:
    """Score each real item by how conspicuously near some synthetic item lies.

    The attack: an item is guessed to have been trained on when its score is high. Scores of
    members (train) and non-members (holdout) against the same synthetic set are compared with an
    attack curve; without memorisation the area under it is 0.5.

    Parameters
    ----------
    real : ndarray, shape (n, ...)
        Signatures.
    synthetic : ndarray, shape (m, ...)
    search : CopySearch
    neighbours : int

    Returns
    -------
    ndarray, shape (n,), float64
        Half the sum of the copy score and of the logarithm of ``1 / d_1``; see Notes.

    Raises
    ------
    UsageError
        As the search, or fewer than three synthetic items.

    Notes
    -----
    The copy score alone would miss a training item that was copied so often that all its
    neighbours are copies; the distance alone is blurred by how typical an item is. Each counts
    for one half. Distance to the nearest synthetic record as an attack: Chen et al., "GAN-Leaks",
    CCS 2020, doi:10.1145/3372297.3417238; calibration by the item's own difficulty: Watson et al.,
    ICLR 2022, arXiv:2111.08440.
    """
    matches = search.find(real, synthetic, top=neighbours)
    nearest = 0.5 * np.log(2 * (1 - matches.score) + search.floor)
    return 0.5 * (copy_scores(matches, search.floor) - nearest)


@dataclass(frozen=True, slots=True)
class Suspect:
    """A synthetic item that lies conspicuously near one training item.

    Parameters
    ----------
    row, train_row : int
        Rows of the signatures that were given.
    score : float
        Copy score.
    correlation : float
        Registered normalised correlation of the two, in [-1, 1].
    p_value : float or None
        Probability that one item that is no copy scores as high; None without a holdout.
    transform : object
        How the synthetic signature was moved to meet the training signature.
    """

    row: int
    train_row: int
    score: float
    correlation: float
    p_value: float | None
    transform: object


@dataclass(frozen=True, eq=False, kw_only=True)
class MemorisationResult:
    """What `memorised` found; with `reason` set, there are candidates and no estimate.

    Parameters
    ----------
    share : float or None
        Share of synthetic items that stand out as near-copies of training items, beyond chance.
    interval : Interval or None
        From 0 when chance explains what was found, and up to the share that there may be when
        copies are overlooked as often as planted ones are.
    p_value : float or None
        Of the hypothesis that no synthetic item is nearer to training items than chance has it.
    reason : str or None
        Why there is no share.
    flagged : int or None
        Synthetic items above `threshold`.
    expected : float or None
        Number expected above it by chance.
    control_flagged : int or None
        Synthetic items above it when compared with the holdout, of which nothing can be copied.
    threshold : float or None
        Copy score.
    real : Interval or None
        Share of holdout items above it, and its limits: what real items that copy nothing give.
    sensitivity : Interval or None
        Share of planted copies above the threshold (`centre`), and its limits.
    scores : ndarray, shape (n,)
        Copy score of each synthetic item against the training items.
    control_scores, null_scores : ndarray or None
        Copy scores of synthetic items against the holdout, and of the holdout against train.
    suspects : tuple of Suspect
        Items above the threshold, or without one the highest scores; highest first.
    """

    share: float | None = None
    interval: Interval | None = None
    p_value: float | None = None
    reason: str | None = None
    flagged: int | None = None
    expected: float | None = None
    control_flagged: int | None = None
    threshold: float | None = None
    real: Interval | None = None
    sensitivity: Interval | None = None
    scores: NDArray[np.float64]
    control_scores: NDArray[np.float64] | None = None
    null_scores: NDArray[np.float64] | None = None
    suspects: tuple[Suspect, ...]


def memorised(
    synthetic: NDArray[np.floating[Any]],
    train: NDArray[np.floating[Any]],
    holdout: NDArray[np.floating[Any]] | None = None,
    *,
    search: CopySearch,
    train_subjects: NDArray[np.generic] | None = None,
    holdout_subjects: NDArray[np.generic] | None = None,
    level: float = 0.95,
    tail: float = 0.005,
    neighbours: int = NEIGHBOURS,
    candidates: int = 20,
    repeats: int = 400,
    seed: int = 0,
) -> MemorisationResult:
    """Estimate the share of synthetic items that are near-copies of training items.

    Parameters
    ----------
    synthetic, train, holdout : ndarray, shape (n, ...)
        Signatures. Without a holdout of at least 20 there is no share, only candidates.
    search : CopySearch
    train_subjects, holdout_subjects : ndarray, optional
        Subjects; give both or neither. Items of one subject are no neighbours of each other, a
        subject in both sets is not matched with itself, and null scores are resampled by subject.
    level : float
        Coverage of the interval.
    tail : float
        Share of innocent items that the threshold lets through, on average.
    neighbours : int
        For the copy score; fewer where a set is smaller than five times that.
    candidates : int
        Listed when there is no threshold.
    repeats : int
        Bootstrap resamples of the null tail.
    seed : int
        Of the bootstrap and of the planted copies.

    Returns
    -------
    MemorisationResult

    Raises
    ------
    UsageError
        As the search and `copy_scores`; a share outside (0, 1).

    Notes
    -----
    Two nulls, and the one that is kinder to the generator counts in each step:

    - holdout against train: how near real items lie to real items they do not copy;
    - synthetic against holdout: how near *these* items lie to real items they cannot copy.

    The threshold is the score that the null reaches with probability `tail` (`NullTail`). With k
    of n items above it and the chance p0 of that, the share is ``(k/n - p0) / (1 - p0)``. Its lower
    limit combines the Clopper-Pearson limit of k/n with the bootstrap limit of p0 (MOVER: Zou &
    Donner, Stat. Med. 27, 2008, doi:10.1002/sim.3095). The upper limit is Clopper and Pearson's of
    k/n: of a chance that is taken at its kindest nothing must be subtracted there.

    Where real items resemble each other as much as a copy its original, as slices of patients
    whom nobody named do, nothing stands out, and finding nothing means nothing. Therefore copies
    of training items are planted, scored like synthetic items, and the upper limit is
    divided by the lower limit of the share of them that is noticed (after Rogan & Gladen, Am. J.
    Epidemiol. 107, 1978, doi:10.1093/oxfordjournals.aje.a112510). The share and its lower limit
    are not: nobody is accused of copies that were not seen.

    The p-value is twice the smaller of
    two: that of the number above the threshold, which sees many weak copies, and that of the
    highest score, which sees one good copy; both average over the uncertainty of the tail.

    Copies in a disguise that the search cannot undo are not counted.
    """
    for name, value in (("level", level), ("tail", tail)):
        if not 0 < value < 1:
            raise UsageError(f"{name} must lie between 0 and 1, found {value}")
    if (train_subjects is None) != (holdout_subjects is None) and holdout is not None:
        raise UsageError("train_subjects and holdout_subjects: give both or neither")
    sizes = [_subjects(train, train_subjects)]
    sizes += [] if holdout is None else [_subjects(holdout, holdout_subjects)]
    neighbours = max(3, min(neighbours, min(sizes) // 5))
    matches = search.find(synthetic, train, top=neighbours, reference_groups=train_subjects)
    scores = copy_scores(matches, search.floor)
    order = np.lexsort((np.arange(len(scores)), -scores))
    if holdout is None or min(len(holdout), len(synthetic)) < SMALLEST_NULL:
        reason = (
            "no holdout: without real items that the generator never saw, chance cannot be "
            "estimated; provide a holdout"
            if holdout is None
            else f"holdout and synthetic need at least {SMALLEST_NULL} items with a signature "
            f"each, found {len(holdout)} and {len(synthetic)}; provide more"
        )
        listed = _suspects(order[:candidates], matches, scores, [])
        return MemorisationResult(reason=reason, scores=scores, suspects=listed)
    null = copy_scores(
        search.find(
            holdout,
            train,
            top=neighbours,
            query_groups=holdout_subjects,
            reference_groups=train_subjects,
        ),
        search.floor,
    )
    control = copy_scores(
        search.find(synthetic, holdout, top=neighbours, reference_groups=holdout_subjects),
        search.floor,
    )
    tails = [
        NullTail.fit(null, holdout_subjects, repeats=repeats, seed=seed),
        NullTail.fit(control, repeats=repeats, seed=seed + 1),
    ]
    threshold = max(t.quantile(tail) for t in tails)
    n, flagged = len(scores), int((scores > threshold).sum())
    chances = max((t.survivals(threshold) for t in tails), key=lambda c: float(c.mean()))
    share, low, high = _excess(flagged, n, chances, level)
    copies, _ = search.planted(train, min(PLANTED, len(train)), np.random.default_rng(seed))
    noticed = copy_scores(
        search.find(copies, train, top=neighbours, reference_groups=train_subjects),
        search.floor,
    )
    seen = _share_of(noticed > threshold, level)
    high = min(1.0, high / seen.low) if seen.low > 0 else 1.0
    p_count = max(float(_at_least(flagged, n, t.survivals(threshold)).mean()) for t in tails)
    top = float(scores.max())
    p_top = max(float(_any(n, t.survivals(top)).mean()) for t in tails)
    return MemorisationResult(
        share=share,
        interval=Interval(low, high, _INTERVAL, level),
        p_value=min(1.0, 2 * min(p_count, p_top)),
        reason=None,
        flagged=flagged,
        expected=float(n * chances.mean()),
        control_flagged=int((control > threshold).sum()),
        threshold=threshold,
        real=_share_of(null > threshold, level),
        sensitivity=seen,
        scores=scores,
        control_scores=control,
        null_scores=null,
        suspects=_suspects(order[:flagged], matches, scores, tails),
    )


def _suspects(
    rows: NDArray[np.intp], matches: Matches, scores: NDArray[np.float64], tails: list[NullTail]
) -> tuple[Suspect, ...]:
    found = []
    for row in map(int, rows):
        transform = matches.transforms[row]
        assert transform is not None  # without exclusions every query has a match
        p = max((t.survival(float(scores[row])) for t in tails), default=None)
        found.append(
            Suspect(
                row,
                int(matches.index[row]),
                float(scores[row]),
                float(matches.score[row]),
                p,
                transform,
            )
        )
    return tuple(found)


def _share_of(flags: NDArray[np.bool_], level: float) -> Interval:
    """Return the limits of a share, with the share as centre."""
    hits = int(flags.sum())
    return replace(binomial_interval(hits, len(flags), level), centre=hits / len(flags))


def _subjects(signatures: NDArray[np.floating[Any]], subjects: NDArray[np.generic] | None) -> int:
    return len(signatures) if subjects is None else len(np.unique(subjects))


def _at_least(k: int, n: int, chance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability of k or more successes in n trials."""
    from scipy.special import betainc

    return np.ones_like(chance) if k == 0 else np.asarray(betainc(k, n - k + 1, chance))


def _any(n: int, chance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability of a success in n trials; exact for small chances."""
    return np.asarray(-np.expm1(n * np.log1p(-np.minimum(chance, np.nextafter(1, 0)))))


def _excess(
    k: int, n: int, chances: NDArray[np.float64], level: float
) -> tuple[float, float, float]:
    """Share beyond chance, and its limits."""
    observed, chance = k / n, float(chances.mean())
    exact = binomial_interval(k, n, level)
    most = max(chance, float(np.quantile(chances, (1 + level) / 2)))
    difference = observed - chance
    lower = difference - np.hypot(observed - exact.low, most - chance)
    share, lower = (float(np.clip(v / (1 - chance), 0, 1)) for v in (difference, lower))
    return share, lower, exact.high
