"""Do more synthetic rows lie conspicuously near to train than to the holdout? An exact paired test.

Each synthetic row has two scores: how near it lies to train, and to a holdout that it cannot have
been copied from. Averages over all rows drown one copy in a hundred; the extreme scores do not. If
nothing was memorised, an extreme score belongs to train or to the holdout by chance, as their sizes
say, which makes the numbers of both binomial (McNemar's test).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdq_core.errors import UsageError
from sdq_core.measurement import Interval
from sdq_core.statistics.arrays import matrix
from sdq_core.statistics.attack import binomial_interval

__all__ = [
    "TailExcess",
    "closeness",
    "difference_excess",
    "paired_excess",
    "standing_out",
    "tail_excess",
]

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class TailExcess:
    """Share of synthetic rows that are near to train beyond what chance gives.

    Parameters
    ----------
    share : float
        Excess, in [-1, 1]: negative where the holdout is nearer more often.
    interval : Interval
        Of `share`; its lower end is above 0 exactly when a two-sided test rejects.
    p_value : float
        One-sided: of at least so many near to train, when train and holdout are alike.
    train_only, holdout_only : int
        Rows that are conspicuously near to the one and not to the other.
    flagged : ndarray of bool, shape (n,)
        Rows conspicuously near to train, and not to the holdout.
    threshold : float
        Score, or difference of scores, above which a row counts.
    """

    share: float
    interval: Interval
    p_value: float
    train_only: int
    holdout_only: int
    flagged: Flags
    threshold: float


def closeness(distances: ArrayLike, floor: float = 1e-3) -> Values:
    """Return minus the logarithm of distances, a score that is high for what is near.

    Parameters
    ----------
    distances : array_like
        Not negative.
    floor : float
        Added first: distances below it are all alike, copies or rounding.

    Examples
    --------
    >>> closeness([0.0, 0.999]).round(3).tolist()
    [6.908, -0.0]
    """
    d = np.asarray(distances, np.float64)
    if floor <= 0 or not (d >= 0).all():
        raise UsageError("distances, floor: need distances of at least 0 and a floor above 0")
    found: Values = -np.log(d + floor)
    return found


def standing_out(distances: ArrayLike, floor: float = 1e-3) -> Values:
    """Return how much nearer the nearest reference is than the second, as a logarithm.

    Parameters
    ----------
    distances : array_like, shape (n, k), k at least 2
        Ascending.
    floor : float
        Added to both.

    Returns
    -------
    ndarray, shape (n,)
        Minus the logarithm of the nearest-neighbour distance ratio.

    Examples
    --------
    >>> standing_out([[0.5, 1.0]], floor=1e-9).round(3).tolist()
    [0.693]
    """
    d = matrix(distances, "distances", 1)
    if d.shape[1] < 2:
        raise UsageError("distances: need the two nearest of each row, found one")
    return closeness(d[:, 0], floor) - closeness(d[:, 1], floor)


def tail_excess(
    train: ArrayLike,
    holdout: ArrayLike,
    sizes: tuple[int, int] = (1, 1),
    *,
    tail: float = 0.01,
    level: float = 0.95,
) -> TailExcess:
    """Compare how many scores against train and against the holdout are extreme.

    Parameters
    ----------
    train, holdout : array_like, shape (n,)
        Scores of the synthetic rows against each; high is near. See `closeness`, `standing_out`.
    sizes : tuple of int
        Numbers of train and holdout rows searched: the larger set is nearer by chance.
    tail : float
        Share of all 2n scores that count as extreme.
    level : float

    Returns
    -------
    TailExcess

    Raises
    ------
    UsageError
        Scores that are not finite, or not as many; a share outside (0, 1).

    Notes
    -----
    The threshold is a quantile of both score sets together, so that it favours neither. For equal
    sizes the test is exact given that rows are near to the two sets independently; for others the
    chance of an extreme score to be train's is train's share of the real rows, which holds in the
    far tail. The distance to the closest record and its ratio to the second are screens: they can
    fail a data set and never prove it safe (Yao et al., arXiv:2505.01524).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> train, holdout = rng.normal(size=2000), rng.normal(size=2000)
    >>> tail_excess(train, holdout).p_value > 0.05
    True
    >>> train[:20] += 9
    >>> found = tail_excess(train, holdout)
    >>> round(found.share, 3), found.p_value < 0.01
    (0.008, True)
    """
    one, two = _scores(train, holdout)
    if not 0 < tail < 1:
        raise UsageError(f"tail: must lie between 0 and 1, found {tail}")
    both = np.sort(np.concatenate([one, two]))
    threshold = float(both[len(both) - 1 - int(np.floor(tail * len(both)))])
    return paired_excess(one > threshold, two > threshold, sizes, threshold, level=level)


def difference_excess(
    train: ArrayLike,
    holdout: ArrayLike,
    margin: float,
    sizes: tuple[int, int] = (1, 1),
    *,
    level: float = 0.95,
) -> TailExcess:
    """Compare how many rows are nearer to train by a margin, and to the holdout by that margin.

    Parameters
    ----------
    train, holdout : array_like, shape (n,)
        As in `tail_excess`. With `closeness` and a margin of log 2, rows whose nearest training row
        is less than half as far as their nearest holdout row, less the reverse.
    margin : float
        Positive.
    sizes, level
        As in `tail_excess`; unequal sizes shift all differences, so cut the larger set instead
        where that is possible.

    Returns
    -------
    TailExcess

    Examples
    --------
    >>> found = difference_excess([5.0, 0.1, 0.2], [0.0, 0.2, 0.1], 1.0)
    >>> found.train_only, found.holdout_only, round(found.share, 3)
    (1, 0, 0.333)
    """
    one, two = _scores(train, holdout)
    if not margin > 0:
        raise UsageError(f"margin: must be positive, found {margin}")
    return paired_excess(one - two > margin, two - one > margin, sizes, margin, level=level)


def paired_excess(
    train: Flags,
    holdout: Flags,
    sizes: tuple[int, int] = (1, 1),
    threshold: float = 0.0,
    *,
    level: float = 0.95,
) -> TailExcess:
    """Test whether rows are flagged for train more often than for the holdout.

    Parameters
    ----------
    train, holdout : ndarray of bool, shape (n,)
        Rows that are conspicuously near to each.
    sizes : tuple of int
        Numbers of train and holdout rows.
    threshold : float
        To be remembered.
    level : float

    Returns
    -------
    TailExcess

    Notes
    -----
    With a rows flagged for train alone, b for the holdout alone and c the share of train among the
    real rows, a is binomial of a + b and c: McNemar, Psychometrika 12, 1947,
    doi:10.1007/BF02295996, in its exact form. The excess is ``(a - b c / (1 - c)) / n``. Its lower
    limit follows from the Clopper-Pearson limit of a / (a + b), its upper limit is that of a / n.

    Examples
    --------
    >>> flags = np.arange(100) < 10
    >>> found = paired_excess(flags, np.zeros(100, bool))
    >>> found.share, round(found.p_value, 5)
    (0.1, 0.00098)
    """
    from scipy.special import betainc

    n = len(train)
    if n < 1 or len(holdout) != n:
        raise UsageError(f"train, holdout: need flags of the same rows, found {n}, {len(holdout)}")
    if min(sizes) < 1:
        raise UsageError(f"sizes: need at least one row in train and in holdout, found {sizes}")
    flagged = train & ~holdout
    a, b = int(flagged.sum()), int((holdout & ~train).sum())
    chance = sizes[0] / sum(sizes)
    odds = chance / (1 - chance)
    share = (a - b * odds) / n
    p_value = float(betainc(a, b + 1, chance)) if a else 1.0
    high = binomial_interval(a, n, level).high
    low = -binomial_interval(b, n, level).high * odds
    if a + b:
        least = binomial_interval(a, a + b, level).low
        low = max(low, (a + b) / n * (least - (1 - least) * odds))
    interval = Interval(
        max(min(low, share), -1.0), max(high, share), "exact binomial of discordant rows", level
    )
    return TailExcess(max(share, -1.0), interval, p_value, a, b, flagged, threshold)


def _scores(train: ArrayLike, holdout: ArrayLike) -> tuple[Values, Values]:
    one, two = matrix(train, "train", 1)[:, 0], matrix(holdout, "holdout", 1)[:, 0]
    if len(one) != len(two):
        raise UsageError(
            f"train, holdout: need a score of each synthetic row, found {len(one)} and {len(two)}"
        )
    return one, two
