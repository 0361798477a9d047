"""The upper tail of a null distribution, extrapolated with its uncertainty.

Copies are judged by how far they lie beyond what chance gives, often farther than any of the few
null scores there are. Peaks over a threshold follow a generalised Pareto law (Pickands, Ann.
Statist. 3(1), 1975, doi:10.1214/aos/1176343003); it is fitted by probability-weighted moments
(Hosking & Wallis, Technometrics 29(3), 1987, doi:10.1080/00401706.1987.10488243) to bootstrap
resamples of whole subjects, and probabilities are averaged over the resamples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import UsageError

__all__ = ["SMALLEST_NULL", "NullTail"]

SMALLEST_NULL = 20
"""Fewest null scores from which a tail is estimated."""

_SHARE = 0.15  # of the scores, taken as the tail
_FEWEST = 10  # exceedances in a fit
_LIGHTEST = 0.1  # shape


@dataclass(frozen=True, eq=False)
class NullTail:
    """Upper tail of a null distribution: one generalised Pareto law for each bootstrap resample.

    Parameters
    ----------
    start, share, scale, shape : ndarray, shape (repeats,)
        Where the tail starts, the share of scores beyond it, and scale and shape of the law.
    scores : ndarray, shape (n,)
        Ascending.
    counts : tuple of ndarray of int, shape (n,)
        How often each score is in each resample; they give the probabilities below `start`.
    """

    start: NDArray[np.float64]
    share: NDArray[np.float64]
    scale: NDArray[np.float64]
    shape: NDArray[np.float64]
    scores: NDArray[np.float64]
    counts: tuple[NDArray[np.unsignedinteger[Any]], ...]

    @classmethod
    def fit(
        cls,
        scores: NDArray[np.floating[Any]],
        groups: NDArray[np.generic] | None = None,
        *,
        repeats: int = 400,
        seed: int = 0,
    ) -> NullTail:
        """Fit the tail to null scores.

        Parameters
        ----------
        scores : ndarray, shape (n,)
        groups : ndarray, shape (n,), optional
            Subjects: resampled whole.
        repeats : int
            Bootstrap resamples.
        seed : int

        Returns
        -------
        NullTail

        Raises
        ------
        UsageError
            Fewer than `SMALLEST_NULL` scores, or a score that is not finite.

        Notes
        -----
        The tail is never taken as lighter than a Pareto law of shape 0.1: a shape of 0 or less
        would call a score beyond it impossible, and samples of this size underestimate the shape.
        With 160 scores from laws of shape 0, 0.1 and 0.25, the `quantile` of probability 0.005 is
        reached with 0.93, 1.15 and 1.42 times that probability (means of 60 samples).

        Examples
        --------
        >>> null = np.random.default_rng(0).exponential(1.0, 500)
        >>> tail = NullTail.fit(null)
        >>> bool(0.0003 < tail.survival(7.0) < 0.005)  # exp(-7) = 0.0009
        True
        """
        scores = np.asarray(scores, np.float64)
        if scores.ndim != 1 or len(scores) < SMALLEST_NULL:
            raise UsageError(
                f"scores: a null tail needs at least {SMALLEST_NULL} scores in one dimension, "
                f"found shape {scores.shape}; provide more real items that were not trained on"
            )
        if not np.isfinite(scores).all():
            raise UsageError("scores: null scores must be finite; leave out items without one")
        names = np.arange(len(scores)) if groups is None else np.asarray(groups)
        _, group = np.unique(names, return_inverse=True)
        order = np.argsort(scores, kind="stable")
        ascending: NDArray[np.float64] = scores[order].astype(np.float64)
        group, many = group[order], int(group.max()) + 1
        rng = np.random.default_rng(seed)
        fits, counts = [], []
        for _ in range(repeats):
            count = np.bincount(rng.integers(many, size=many), minlength=many)[group]
            fits.append(_pareto(np.repeat(ascending, count)))
            # A byte a score: the resamples themselves would be more than all else is kept of it.
            counts.append(count.astype(np.min_scalar_type(count.max())))
        start, share, scale, shape = np.array(fits).T
        return cls(start, share, scale, shape, ascending, tuple(counts))

    def survivals(self, score: float) -> NDArray[np.float64]:
        """Return the probability that a null score reaches `score`, in each resample.

        Parameters
        ----------
        score : float

        Returns
        -------
        ndarray, shape (repeats,)

        Examples
        --------
        >>> tail = NullTail.fit(np.arange(100.0), repeats=5)
        >>> tail.survivals(-1.0).tolist()
        [1.0, 1.0, 1.0, 1.0, 1.0]
        """
        beyond = np.maximum(score - self.start, 0.0)
        tail = (1 + self.shape * beyond / self.scale) ** (-1 / self.shape)
        if (score > self.start).all():
            return np.asarray(self.share * tail)
        lower = int(np.searchsorted(self.scores, score))
        body = np.array([1 - int(c[:lower].sum()) / int(c.sum()) for c in self.counts])
        return np.where(score > self.start, self.share * tail, body)

    def survival(self, score: float) -> float:
        """Return the probability that a null score reaches `score`, averaged over the resamples.

        Parameters
        ----------
        score : float

        Returns
        -------
        float

        Examples
        --------
        >>> round(NullTail.fit(np.arange(100.0), repeats=50).survival(50.0), 1)
        0.5
        """
        return float(self.survivals(score).mean())

    def quantile(self, probability: float) -> float:
        """Return the score that a null score reaches with a given (small) probability.

        Parameters
        ----------
        probability : float
            In (0, 1).

        Returns
        -------
        float

        Examples
        --------
        >>> tail = NullTail.fit(np.random.default_rng(0).exponential(1.0, 500))
        >>> round(tail.survival(tail.quantile(0.005)), 4)
        0.005
        """
        low = min(float(self.scores[np.flatnonzero(c)[0]]) for c in self.counts)
        width = float(self.scale.mean())
        high = float(self.start.max()) + width
        while self.survival(high) > probability:
            width *= 2
            high += width
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if self.survival(middle) > probability else (low, middle)
        return high


def _pareto(ascending: NDArray[np.float64]) -> tuple[float, float, float, float]:
    n = len(ascending)
    k = min(max(_FEWEST, round(_SHARE * n)), n - 1)
    start = float(ascending[n - k - 1])
    beyond = ascending[n - k :] - start
    position = (np.arange(1, k + 1) - 0.35) / k
    b0, b1 = float(beyond.mean()), float(((1 - position) * beyond).mean())
    # Equal scores have no spread; a scale of zero would make everything beyond them impossible.
    b0, b1 = max(b0, 1e-3), max(b1, 0.0)
    shape = 2 - b0 / (b0 - 2 * b1) if b0 > 2 * b1 else 0.0
    shape = min(max(shape, _LIGHTEST), 0.9)
    return start, k / n, b0 * (1 - shape), shape
