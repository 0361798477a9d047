"""Studies with several readers and many cases: means whose variance treats both as random.

A conclusion from a reader study is about other readers and other cases than those at hand. Pooling
all readings as if they were independent rejects a true null hypothesis three times too often.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdq_core.errors import UsageError
from sdq_core.measurement import Interval

__all__ = ["ReaderMean", "reader_auc", "reader_mean"]

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ReaderMean:
    """A mean over readers with its variance over random readers and cases.

    Parameters
    ----------
    value : float
        Between 0 and 1.
    standard_error : float
        0 only where every reading says the same.
    degrees : float
        Degrees of freedom of Student's t.
    by_reader : ndarray, shape (r,)
        Value of each reader; NaN for one without readings on both sides.
    cases : int
        Cases of the smaller side.
    method : str
    """

    value: float
    standard_error: float
    degrees: float
    by_reader: Values
    cases: int
    method: str

    def interval(self, level: float = 0.95) -> Interval:
        """Return the interval, cut to 0..1.

        Where every reading says the same there is no spread to estimate; the exact binomial
        interval of the cases then stands in, which is wider.
        """
        if self.standard_error == 0:
            from sdq_core.statistics.attack import binomial_interval

            exact = binomial_interval(round(self.value * self.cases), self.cases, level)
            low, high = min(exact.low, self.value), max(exact.high, self.value)
            return Interval(low, high, "Clopper-Pearson", level)
        from scipy.special import stdtrit

        half = float(stdtrit(self.degrees, 0.5 + level / 2)) * self.standard_error
        low, high = max(0.0, self.value - half), min(1.0, self.value + half)
        return Interval(low, high, self.method, level)

    def p_value(self, null: float = 0.5) -> float:
        """Return the two-sided p-value of the hypothesis that the mean is `null`."""
        if self.standard_error == 0:
            return 1.0 if self.value == null else 2.0 * 0.5 ** max(self.cases, 1)
        from scipy.special import stdtr

        return float(2 * stdtr(self.degrees, -abs(self.value - null) / self.standard_error))


def reader_auc(first: ArrayLike, second: ArrayLike) -> ReaderMean:
    """Return the mean over readers of P(second > first) + P(second = first) / 2.

    Parameters
    ----------
    first, second : array_like, shape (r, n0) and (r, n1)
        Rating of each case by each reader, ordinal; NaN where a reader did not read a case.

    Returns
    -------
    ReaderMean
        The area under the ROC curve, averaged over readers. Its variance over random readers and
        cases is the one-shot U-statistic estimate (Gallas 2006, doi:10.1016/j.acra.2005.11.030;
        missing readings: Gallas & Brown 2008, doi:10.1016/j.neunet.2007.12.013), its degrees of
        freedom those of Hillis 2007 (doi:10.1002/sim.2532) with the cases' own beside them.

    Raises
    ------
    UsageError
        No reader has readings on both sides.

    Examples
    --------
    >>> found = reader_auc([[1, 2, 3], [1, 1, 2]], [[2, 4, 5], [1, 3, 3]])
    >>> round(found.value, 3), np.round(found.by_reader, 3).tolist()
    (0.806, [0.833, 0.778])
    """
    low, high = (np.asarray(values, float) for values in (first, second))
    there_low, there_high = np.isfinite(low), np.isfinite(high)
    numbers = there_low.sum(axis=1) * there_high.sum(axis=1)
    readers = np.flatnonzero(numbers)
    if not len(readers):
        raise UsageError("readers: no reader has readings on both sides")
    there = (there_low[:, :, None] & there_high[:, None, :])[readers].astype(float)
    step = np.sign(high[readers, None, :] - low[readers, :, None])
    scores = np.where(there > 0, 0.5 + 0.5 * step, 0.0)
    counts = numbers[readers].astype(float)
    each = scores.sum(axis=(1, 2)) / counts
    weights = there / (len(readers) * counts)[:, None, None]
    variance = _variance(scores, there, weights, _kinds_of_pairs)
    by_reader = np.full(len(low), np.nan)
    by_reader[readers] = each
    cases = int(min(there_low[readers].any(0).sum(), there_high[readers].any(0).sum()))
    return _mean(each, by_reader, variance, cases)


def reader_mean(values: ArrayLike) -> ReaderMean:
    """Return the mean over readers of a score of each case.

    Parameters
    ----------
    values : array_like, shape (r, n)
        Scores from 0 to 1 of each case by each reader; NaN where a reader did not read a case. The
        share of right choices between two, or of cases without an error.

    Returns
    -------
    ReaderMean
        Variance over random readers and cases, by U-statistics as in `reader_auc`.

    Raises
    ------
    UsageError
        There is no reading.

    Examples
    --------
    >>> found = reader_mean([[1, 0, 1, 1], [1, 0, 0, 1]])
    >>> found.value, round(found.standard_error, 3)
    (0.625, 0.239)
    """
    table = np.asarray(values, float)
    known = np.isfinite(table)
    readers = np.flatnonzero(known.any(axis=1))
    if not len(readers):
        raise UsageError("readers: there is no reading")
    there = known[readers].astype(float)
    scores = np.where(there > 0, table[readers], 0.0)
    counts = there.sum(axis=1)
    each = scores.sum(axis=1) / counts
    variance = _variance(scores, there, there / (len(readers) * counts)[:, None], _kinds_of_cases)
    by_reader = np.full(len(table), np.nan)
    by_reader[readers] = each
    return _mean(each, by_reader, variance, int(known[readers].any(axis=0).sum()))


def _mean(each: Values, by_reader: Values, variance: float, cases: int) -> ReaderMean:
    """Put value, error and degrees of freedom together."""
    readers = len(each)
    value = float(each.mean())
    if readers == 1:
        error = math.sqrt(max(variance, 0.0))
        return ReaderMean(
            value, error, max(cases - 1, 1), by_reader, cases, "U-statistic over cases, one reader"
        )
    of_readers = float(each.var(ddof=1)) / readers
    # An unbiased estimate of a covariance may fall below zero, the covariance itself may not.
    of_cases = max(variance - of_readers, 0.0)
    total = of_readers + of_cases
    degrees = 1.0
    if total > 0:
        spread = of_readers**2 / (readers - 1) + of_cases**2 / max(cases - 1, 1)
        degrees = total**2 / spread
    return ReaderMean(
        value, math.sqrt(total), degrees, by_reader, cases, "U-statistic over readers and cases"
    )


Kinds = Callable[[Values, Values], list[float]]
"""Sums of the products of two arrays over pairs of entries that share some indices, by which they
share; the last sum is that of pairs which share none."""


def _variance(scores: Values, there: Values, weights: Values, kinds: Kinds) -> float:
    """Return the unbiased variance of a weighted mean of scores.

    The mean's square is a sum over pairs of entries. Pairs that share the same indices have the
    same expectation, which their average estimates; a pair that shares none estimates the square
    of the expectation.
    """
    sums, counts, shares = (_by_kind(a, kinds) for a in (scores, there, weights))
    moments = np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0.5)
    last = int(np.flatnonzero(counts > 0.5)[-1])
    return float(shares @ moments - moments[last])


def _by_kind(entries: Values, kinds: Kinds) -> Values:
    """Return the sums over pairs inside one reader, then over pairs of two readers."""
    within = np.sum([kinds(one, one) for one in entries], axis=0)
    total = entries.sum(axis=0)
    across = np.asarray(kinds(total, total)) - within
    if len(entries) == 1:
        across = np.zeros_like(across)
    return np.concatenate((within, across))


def _kinds_of_pairs(a: Values, b: Values) -> list[float]:
    same = float((a * b).sum())
    column = float(a.sum(axis=0) @ b.sum(axis=0)) - same
    row = float(a.sum(axis=1) @ b.sum(axis=1)) - same
    return [same, column, row, float(a.sum() * b.sum()) - same - column - row]


def _kinds_of_cases(a: Values, b: Values) -> list[float]:
    same = float(a @ b)
    return [same, float(a.sum() * b.sum()) - same]
