"""Heart rate and its variation over a recording, mostly an ultra-short one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sdq_signals.features.beats import Rows
from sdq_signals.features.segments import run_mean, run_median, run_sum

__all__ = ["Intervals", "intervals", "rhythm"]

SOURCE = (
    "Task Force of the ESC and NASPE 1996, doi:10.1161/01.CIR.93.5.1043; ultra-short recordings: "
    "Shaffer and Ginsberg 2017, doi:10.3389/fpubh.2017.00258"
)

Values = NDArray[np.float64]


class Intervals:
    """The RR intervals of a batch.

    Parameters
    ----------
    row : ndarray of int, shape (m,)
        Recording of each interval.
    seconds : ndarray, shape (m,), float64
    normal : ndarray of bool, shape (m,)
        Whether both of its beats have the commonest form.
    after : ndarray of bool, shape (m,)
        Whether it follows the interval before it in this list without a gap.
    n : int
        Recordings.
    """

    def __init__(
        self,
        row: Rows,
        seconds: Values,
        normal: NDArray[np.bool_],
        after: NDArray[np.bool_],
        n: int,
    ) -> None:
        self.row, self.seconds, self.normal, self.after, self.n = row, seconds, normal, after, n

    @property
    def usual(self) -> Values:
        """Median interval of each recording in seconds, shape (n,)."""
        return run_median(self.seconds, self.row, self.n)

    @property
    def mean(self) -> Values:
        """Mean interval of each recording in seconds, shape (n,)."""
        return run_mean(self.seconds, self.row, self.n)


def intervals(
    row: Rows,
    seconds: Values,
    regular: NDArray[np.bool_],
    n: int,
    broken: NDArray[np.bool_] | None = None,
) -> Intervals:
    """Return the intervals between successive beats.

    Parameters
    ----------
    row : ndarray of int, shape (k,)
        Recording of each beat, sorted.
    seconds : ndarray, shape (k,), float64
        Time of each beat.
    regular : ndarray of bool, shape (k,)
        Whether it has the commonest form.
    n : int
        Recordings.
    broken : ndarray of bool, shape (k,), optional
        Whether samples are missing between a beat and the one before it: no interval there.

    Returns
    -------
    Intervals

    Examples
    --------
    >>> beats = np.array([0.0, 1.0, 1.8, 0.5])
    >>> intervals(np.array([0, 0, 0, 1]), beats, np.ones(4, bool), 2).seconds.tolist()
    [1.0, 0.8]
    """
    same = row[1:] == row[:-1]
    if broken is not None:
        same &= ~broken[1:]
    ends = np.flatnonzero(same) + 1
    after = np.zeros(len(ends), bool)
    after[1:] = np.diff(ends) == 1
    after[1:] &= row[ends[1:]] == row[ends[:-1]]
    return Intervals(
        row[ends], seconds[ends] - seconds[ends - 1], regular[ends] & regular[ends - 1], after, n
    )


def rhythm(found: Intervals, beats: Rows, regular: Values) -> dict[str, Values]:
    """Describe the rhythm of each recording.

    Variability is of normal-to-normal intervals, both of whose beats have the commonest form; in
    ten seconds it is ultra-short and no estimate of the five-minute value. Irregularity is of all
    intervals.

    Parameters
    ----------
    found : Intervals
    beats : ndarray of int, shape (n,)
        Number of beats.
    regular : ndarray, shape (n,), float64
        Share of beats of the commonest form; NaN without beats.

    Returns
    -------
    dict of str to ndarray, shape (n,), float64
        ``beats``; ``regular_share``; ``heart_rate`` (a minute, 60 over the mean RR interval);
        ``rr_mean_ms``; ``rr_min_ms``, ``rr_max_ms``; ``sdnn_ms``; ``rmssd_ms``,
        ``rmssd_relative`` (over the mean normal interval); ``pnn50`` (share of differences above
        50 ms); ``sd1_ms``, ``sd2_ms`` (Poincare plot, Brennan et al. 2001,
        doi:10.1109/10.959330); ``irregularity`` (root mean square of successive differences of all
        intervals over their mean); ``turning_points`` (share of inner intervals that are larger
        or smaller than both neighbours, 2/3 for independent ones). NaN where there are too few
        intervals.

    Examples
    --------
    >>> times = np.cumsum([0.0, 0.8, 0.9, 0.8, 0.9])
    >>> five = intervals(np.zeros(5, int), times, np.ones(5, bool), 1)
    >>> values = rhythm(five, np.array([5]), np.ones(1))
    >>> [round(float(values[k][0]), 1) for k in ("heart_rate", "rmssd_ms", "turning_points")]
    [70.6, 100.0, 1.0]
    """
    n, row, ms = found.n, found.row, 1000 * found.seconds
    step = np.diff(ms, prepend=0.0)
    both = found.normal.copy()
    both[1:] &= found.normal[:-1]
    nn, pairs = found.normal, found.after & both
    mean = run_mean(ms, row, n)
    variance = _variance(ms[nn], row[nn], n)
    square = run_mean(step[pairs] ** 2, row[pairs], n)
    of_differences = _variance(step[pairs], row[pairs], n)
    every = run_mean(step[found.after] ** 2, row[found.after], n)
    # SD2^2 = 2 SDNN^2 - SD1^2, SD1^2 = half the variance of successive differences.
    sd2 = 2 * variance - 0.5 * of_differences
    count = np.bincount(row, minlength=n)
    low, high = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(low, row, ms)
    np.maximum.at(high, row, ms)
    inner = np.zeros(len(row), bool)
    inner[1:] = found.after[1:] & found.after[:-1]
    before = np.zeros(len(row))
    before[1:] = step[:-1]
    turns = (step * before < 0).astype(np.float64)
    return {
        "beats": beats.astype(np.float64),
        "regular_share": np.where(count > 0, regular, np.nan),
        "heart_rate": 60000 / mean,
        "rr_mean_ms": mean,
        "rr_min_ms": np.where(count > 0, low, np.nan),
        "rr_max_ms": np.where(count > 0, high, np.nan),
        "sdnn_ms": np.sqrt(variance),
        "rmssd_ms": np.sqrt(square),
        "rmssd_relative": np.sqrt(square) / run_mean(ms[nn], row[nn], n),
        "pnn50": run_mean(np.abs(step[pairs]) > 50, row[pairs], n),
        "sd1_ms": np.sqrt(0.5 * of_differences),
        "sd2_ms": np.sqrt(np.maximum(sd2, 0)),
        "irregularity": np.sqrt(every) / mean,
        "turning_points": run_mean(turns[inner], row[inner], n),
    }


def _variance(values: Values, row: Rows, n: int) -> Values:
    """Variance with the divisor count - 1; NaN under two values."""
    count = np.bincount(row, minlength=n)
    centred = values - run_mean(values, row, n)[row]
    total = run_sum(centred * centred, row, n)
    return np.where(count > 1, total / np.maximum(count - 1, 1), np.nan)
