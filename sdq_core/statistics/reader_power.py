"""How many readers and cases a reader study needs, by simulating it.

Ratings follow the model of Roe & Metz 1997 (doi:10.1016/S1076-6332(97)80210-3): a case is more or
less suspicious for everybody, a reader more or less able, the rest differs from reading to reading.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.statistics.attack import binomial_interval
from sdq_core.statistics.readers import reader_auc, reader_mean

__all__ = ["RatingModel", "Simulated", "needed_cases", "simulate_ratings", "simulate_study"]

Values = NDArray[np.float64]

LEVELS: Final = 6


@dataclass(frozen=True, slots=True)
class RatingModel:
    """Where the spread of ratings comes from, in variances.

    Parameters
    ----------
    cases : float
        Between 0 and 1: the part that all readers share. The rest, `1 - cases`, differs from
        reading to reading. Beam & Sim 1992 and later reader studies find 0.3 to 0.6.
    readers : float
        Of the readers' ability: each sees the two kinds this much farther apart or closer.
    lean : float
        Of the readers' lean to one answer: moves all ratings of a reader, tells nothing apart.

    Examples
    --------
    >>> RatingModel().cases
    0.4
    """

    cases: float = 0.4
    readers: float = 0.02
    lean: float = 0.16


@dataclass(frozen=True, slots=True)
class Simulated:
    """What simulated studies of one size say.

    Parameters
    ----------
    equivalent : float
        Share of studies whose interval lies inside the margin: the power when the readers' true
        AUC is `auc`.
    equivalent_low, equivalent_high : float
        Exact 95 % interval of that share over the repeats.
    rejected : float
        Share of studies whose interval leaves 0.5 out.
    auc : float
        True mean AUC of the readers.
    repeats : int
    """

    equivalent: float
    equivalent_low: float
    equivalent_high: float
    rejected: float
    auc: float
    repeats: int


def simulate_ratings(
    readers: int,
    real: int,
    synthetic: int,
    *,
    auc: float = 0.5,
    model: RatingModel | None = None,
    levels: int = LEVELS,
    rng: np.random.Generator,
) -> tuple[Values, Values]:
    """Return ratings of one simulated study.

    Parameters
    ----------
    readers, real, synthetic : int
        Sizes.
    auc : float
        The readers' mean AUC before ratings are cut into levels.
    model : RatingModel, optional
    levels : int
        Ratings are 1 to `levels`, cut at equal shares.
    rng : numpy.random.Generator

    Returns
    -------
    real, synthetic : ndarray, shape (readers, n)

    Examples
    --------
    >>> a, b = simulate_ratings(3, 20, 30, rng=np.random.default_rng(1))
    >>> a.shape, b.shape, float(a.min()) >= 1 and float(b.max()) <= 6
    ((3, 20), (3, 30), True)
    """
    from scipy.special import ndtri

    used = model or RatingModel()
    shift = float(ndtri(auc)) * np.sqrt(2.0 + used.readers)
    ability = shift + np.sqrt(used.readers) * rng.standard_normal((readers, 1))
    lean = np.sqrt(used.lean) * rng.standard_normal((readers, 1))
    sides = []
    for n, sign in ((real, -0.5), (synthetic, 0.5)):
        shared = np.sqrt(used.cases) * rng.standard_normal((1, n))
        own = np.sqrt(1 - used.cases) * rng.standard_normal((readers, n))
        sides.append(sign * ability + lean + shared + own)
    cuts = ndtri(np.arange(1, levels) / levels)
    first, second = (1.0 + np.searchsorted(cuts, side) for side in sides)
    return first, second


def simulate_study(
    readers: int,
    real: int,
    synthetic: int,
    margin: float,
    *,
    auc: float = 0.5,
    model: RatingModel | None = None,
    paired: bool = False,
    repeats: int = 200,
    seed: int = 0,
    level: float = 0.95,
) -> Simulated:
    """Return how often studies of one size show equivalence.

    Parameters
    ----------
    readers, real, synthetic : int
    margin : float
        Between 0.5 and 1: the interval must lie inside ``[1 - margin, margin]``.
    auc : float
        What the readers can truly do; 0.5 for the power, the margin for the error.
    model : RatingModel, optional
    paired : bool
        Whether readers choose between a real and a synthetic item shown side by side; then `real`
        counts the pairs.
    repeats, seed : int
    level : float

    Returns
    -------
    Simulated

    Examples
    --------
    >>> simulate_study(6, 50, 50, 0.7, repeats=40).equivalent > 0.5
    True
    """
    rng = np.random.default_rng(seed)
    equivalent = rejected = 0
    for _ in range(repeats):
        first, second = simulate_ratings(
            readers, real, real if paired else synthetic, auc=auc, model=model,
            levels=256 if paired else LEVELS, rng=rng,
        )  # fmt: skip
        found = (
            reader_mean(0.5 + 0.5 * np.sign(second - first))
            if paired
            else reader_auc(first, second)
        ).interval(level)
        equivalent += 1 - margin <= found.low and found.high <= margin
        rejected += not found.low <= 0.5 <= found.high
    exact = binomial_interval(equivalent, repeats)
    return Simulated(equivalent / repeats, exact.low, exact.high, rejected / repeats, auc, repeats)


def needed_cases(
    readers: int,
    margin: float,
    *,
    power: float = 0.8,
    share: float = 0.5,
    auc: float = 0.5,
    model: RatingModel | None = None,
    paired: bool = False,
    most: int = 400,
    repeats: int = 120,
    seed: int = 0,
) -> int | None:
    """Return the fewest cases, by tens, with which some readers reach a power.

    Parameters
    ----------
    readers : int
    margin, auc, model, paired, repeats, seed
        As in `simulate_study`.
    power : float
    share : float
        Share of synthetic cases.
    most : int
        Most cases that are tried.

    Returns
    -------
    int or None
        Cases of both kinds together, or pairs. None where `most` are too few: more readers are
        needed, whose own spread no number of cases takes away.

    Examples
    --------
    >>> needed_cases(6, 0.75, repeats=40) <= 100
    True
    """

    def reached(cases: int) -> bool:
        synthetic = round(cases * share)
        real = cases if paired else cases - synthetic
        found = simulate_study(
            readers, real, synthetic, margin, auc=auc, model=model, paired=paired,
            repeats=repeats, seed=seed,
        )  # fmt: skip
        return found.equivalent >= power

    low, high = 1, most // 10
    if not reached(10 * high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(10 * middle) else (middle + 1, high)
    return 10 * low
