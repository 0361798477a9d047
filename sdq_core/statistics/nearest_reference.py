"""Which real set holds the nearest item: the training set or the holdout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import UsageError
from sdq_core.measurement import Interval
from sdq_core.statistics.matches import CopySearch, Matches

__all__ = ["NearestIsTrain", "nearest_is_train"]

_MISSED = 1e-3  # chance that no listed neighbour of an item enters a subsample


@dataclass(frozen=True, eq=False)
class NearestIsTrain:
    """How often the nearest real item is a training item, both real sets being of one size.

    Parameters
    ----------
    share : float
        In [0, 1]; 0.5 is expected without memorisation.
    interval : Interval
        Of `share`: synthetic items and the draw of the real subjects both count.
    p_value : float
        Permutation p-value of "not above chance", real subjects changing sides; exact where the
        sets have one size, conservative otherwise (the average of subsamples varies less).
    null : Interval
        Central 95 % (or `level`) of the shares under permutation, with their median.
    size : int
        Items on each side, up to one subject.
    """

    share: float
    interval: Interval
    p_value: float
    null: Interval
    size: int


def nearest_is_train(
    synthetic: NDArray[np.floating[Any]],
    train: NDArray[np.floating[Any]],
    holdout: NDArray[np.floating[Any]],
    *,
    search: CopySearch,
    train_subjects: NDArray[np.generic] | None = None,
    holdout_subjects: NDArray[np.generic] | None = None,
    level: float = 0.95,
    repeats: int = 200,
    seed: int = 0,
) -> NearestIsTrain:
    """Measure how often the best match of a synthetic item is in train rather than the holdout.

    Parameters
    ----------
    synthetic, train, holdout : ndarray, shape (n, ...)
        Signatures.
    search : CopySearch
    train_subjects, holdout_subjects : ndarray, optional
        Subjects of the real items; whole subjects are drawn. Give both or neither.
    level : float
    repeats : int
        Subsamples of the larger set, and permutations.
    seed : int

    Returns
    -------
    NearestIsTrain

    Raises
    ------
    UsageError
        As the search; only one of the two subject arrays.

    Notes
    -----
    The larger real set is subsampled by subject to the size of the smaller, `repeats` times, and
    the shares are averaged. For the null, subjects of both sets are pooled and dealt out to two
    sides of that size. Matches are looked up in a list of each item's nearest real items that is
    long enough to miss a subsample with a chance below 0.001; an item that it misses does not
    count in that repeat. Known as the share of identical matches or the DCR share: Platzer &
    Reutterer, Front. Big Data 4, 2021, doi:10.3389/fdata.2021.679939.
    """
    if (train_subjects is None) != (holdout_subjects is None):
        raise UsageError("train_subjects and holdout_subjects: give both or neither")
    n_train, n_holdout = len(train), len(holdout)
    size = min(n_train, n_holdout)
    rng = np.random.default_rng(seed)
    total = n_train + n_holdout
    kept = 2 * size / total
    enough = 1 if kept == 1 else int(np.ceil(np.log(_MISSED) / np.log1p(-kept)))
    # At least as many as a search for copies refines, or the coarse order would decide; and of the
    # smaller set as many as are listed, on average, of a part of the larger that is of its size.
    subjects = [
        len(s) if names is None else len(np.unique(names))
        for s, names in ((train, train_subjects), (holdout, holdout_subjects))
    ]
    tops = [max(1, round(max(enough, 20) * n / max(subjects))) for n in subjects]
    nearest = _merged(
        search.find(synthetic, train, top=tops[0], reference_groups=train_subjects),
        search.find(synthetic, holdout, top=tops[1], reference_groups=holdout_subjects),
        n_train,
        rng.permutation(total),
    )
    if train_subjects is None or holdout_subjects is None:
        subject = np.arange(total)
    else:
        names = np.concatenate([np.asarray(train_subjects), np.asarray(holdout_subjects)])
        _, subject = np.unique(names, return_inverse=True)
    train_rows, holdout_rows = np.arange(n_train), np.arange(n_train, total)
    wins, counts = np.zeros(len(nearest)), np.zeros(len(nearest))
    shares, null = [], []
    for _ in range(repeats):
        side = np.zeros(total, np.int8)
        side[_draw(train_rows, subject, size, rng)] = 1
        side[_draw(holdout_rows, subject, size, rng)] = -1
        won, known = _wins(nearest, side)
        wins += won
        counts += known
        shares.append(won.sum() / known.sum())
        side = np.zeros(total, np.int8)
        order = _deal(np.arange(total), subject, rng)
        side[order[:size]], side[order[total - size :]] = 1, -1
        won, known = _wins(nearest, side)
        null.append(won.sum() / known.sum())
    share = float(np.mean(shares))
    per_item = (wins / np.maximum(counts, 1))[counts > 0]
    between = float(per_item.var() / len(per_item))
    # Under the permutations both the items' chance and the subjects' draw vary.
    deviation = np.sqrt(max(between, float(np.var(null))))
    from scipy.special import ndtri

    reach = float(ndtri((1 + level) / 2) * deviation)
    low, centre, high = (
        float(q) for q in np.quantile(null, ((1 - level) / 2, 0.5, (1 + level) / 2))
    )
    return NearestIsTrain(
        share,
        Interval(
            max(0.0, share - reach), min(1.0, share + reach), "normal, items and subjects", level
        ),
        float((1 + np.sum(np.array(null) >= share)) / (1 + repeats)),
        Interval(low, high, "permutation of subjects", level, centre),
        size,
    )


def _merged(
    train: Matches, holdout: Matches, n_train: int, place: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Return each query's nearest real items of both sets, best first; -1 where there are no more.

    Equal scores are told apart by `place`, a random order of the real items: an item that is in
    both sets counts for either.
    """
    scores = np.concatenate([train.scores, holdout.scores], axis=1)
    shifted = np.where(holdout.indices < 0, -1, holdout.indices + n_train)
    indices = np.concatenate([train.indices, shifted], axis=1)
    scores = np.where(indices < 0, -np.inf, scores)
    order = np.lexsort((place[indices], -scores), axis=1)
    return np.take_along_axis(indices, order, axis=1)


def _deal(
    rows: NDArray[np.intp], subject: NDArray[np.intp], rng: np.random.Generator
) -> NDArray[np.intp]:
    """Put rows in random order, the rows of a subject together."""
    rank = rng.permutation(int(subject.max()) + 1)
    return rows[np.argsort(rank[subject[rows]], kind="stable")]


def _draw(
    rows: NDArray[np.intp], subject: NDArray[np.intp], size: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Draw whole subjects up to `size` items; the last one is trimmed."""
    return _deal(rows, subject, rng)[:size]


def _wins(
    nearest: NDArray[np.intp], side: NDArray[np.int8]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """For each item: is its nearest real item on the first side, and is there one on a side."""
    sides = np.append(side, np.int8(0))[nearest]  # -1 is on no side
    on = sides != 0
    known = on.any(1)
    first = sides[np.arange(len(sides)), on.argmax(1)]
    return known & (first == 1), known
