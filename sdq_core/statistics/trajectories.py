"""Statistics of repeated measurements: subjects with events in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdq_core.errors import UsageError
from sdq_core.statistics.arrays import matrix
from sdq_core.statistics.marginals import ecdf_distances
from sdq_core.statistics.resampling import codes as numbered

__all__ = [
    "OrderViolations",
    "between_subject_share",
    "events_per_subject",
    "gaps",
    "lag_one_correlation",
    "order_violations",
    "transition_counts",
    "transition_distance",
    "wasserstein_in_real_sd",
]

Values = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class OrderViolations:
    """Events that lie before their predecessor.

    Parameters
    ----------
    share : float
        Of consecutive events.
    violations, pairs : int
    subjects : float
        Share of the subjects with at least two events that have any.
    """

    share: float
    violations: int
    pairs: int
    subjects: float


def between_subject_share(values: ArrayLike, subjects: ArrayLike) -> float:
    """Return the share of a measurement's variance that lies between subjects.

    Parameters
    ----------
    values : array_like, shape (n,)
        Finite.
    subjects : array_like, shape (n,)

    Returns
    -------
    float
        Intraclass correlation ICC(1) of the one-way model, at most 1; 0 or slightly below when a
        subject's values are no more alike than those of different subjects.

    Raises
    ------
    UsageError
        Fewer than two subjects, no subject with two values, or values that are all equal.

    Notes
    -----
    ``(MSB - MSW) / (MSB + (k0 - 1) MSW)`` with the mean squares between and within subjects and
    ``k0 = (n - sum n_i^2 / n) / (subjects - 1)`` for unequal numbers: Shrout & Fleiss, Psychol.
    Bull. 86(2), 1979, doi:10.1037/0033-2909.86.2.420; Donner, Int. Stat. Rev. 54(1), 1986,
    doi:10.2307/1403259.

    Examples
    --------
    >>> between_subject_share([1.0, 1.0, 5.0, 5.0], ["a", "a", "b", "b"])
    1.0
    """
    x = matrix(values, "values")[:, 0]
    code = numbered(subjects, len(x), "subjects")
    counts = np.bincount(code)
    n, groups = len(x), len(counts)
    if groups < 2 or groups == n:
        raise UsageError(
            f"subjects: needs at least two, one of them with two values, found {groups} of {n} "
            f"values"
        )
    x = x - x.mean()
    sums = np.bincount(code, x)
    between = float((sums**2 / counts).sum())
    within = max(float((x**2).sum()) - between, 0.0)
    mean_between, mean_within = between / (groups - 1), within / (n - groups)
    size = (n - float((counts**2).sum()) / n) / (groups - 1)
    total = mean_between + (size - 1) * mean_within
    if total <= 0:
        raise UsageError("values: are all equal, so no share of their variance can be told")
    return (mean_between - mean_within) / total


def lag_one_correlation(values: ArrayLike, subjects: ArrayLike) -> float:
    """Return the correlation of each value with the subject's next one.

    Parameters
    ----------
    values : array_like, shape (n,)
        In order of time within each subject; subjects may be mixed. Rank or centre them first
        where that is meant.
    subjects : array_like, shape (n,)

    Returns
    -------
    float
        Pearson's correlation over all consecutive pairs, in [-1, 1].

    Raises
    ------
    UsageError
        Fewer than three pairs, or pairs without variance.

    Notes
    -----
    Box & Jenkins, Time Series Analysis, 1970, pooled over subjects. It holds what differs between
    subjects as well as what changes within them; `between_subject_share` tells the first alone.

    Examples
    --------
    >>> round(lag_one_correlation([1.0, 2.0, 3.0, 4.0, 9.0], [0, 0, 0, 0, 1]), 6)
    1.0
    """
    x = matrix(values, "values")[:, 0]
    first, second = _consecutive(subjects, len(x))
    a, b = x[first], x[second]
    if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        raise UsageError(
            f"values: needs at least three consecutive pairs that vary, found {len(a)}"
        )
    a, b = a - a.mean(), b - b.mean()
    return float(np.clip(a @ b / np.sqrt((a @ a) * (b @ b)), -1, 1))


def events_per_subject(subjects: ArrayLike) -> Index:
    """Return the number of events of each subject, in order of first occurrence.

    Examples
    --------
    >>> events_per_subject(["b", "a", "b"]).tolist()
    [2, 1]
    """
    labels = np.asarray(subjects)
    return np.bincount(numbered(labels, len(labels), "subjects"))


def gaps(times: ArrayLike, subjects: ArrayLike) -> Values:
    """Return the times between consecutive events of a subject, sorted by time first.

    Parameters
    ----------
    times : array_like, shape (n,)
        Numbers; any order.
    subjects : array_like, shape (n,)

    Returns
    -------
    ndarray, shape (n - number of subjects,)
        Not negative.

    Examples
    --------
    >>> gaps([5.0, 1.0, 7.0, 9.0], [0, 0, 0, 1]).tolist()
    [4.0, 2.0]
    """
    t = matrix(times, "times", 1)[:, 0]
    code = numbered(subjects, len(t), "subjects")
    order = np.lexsort((t, code))
    t, code = t[order], code[order]
    found: Values = np.diff(t)[code[1:] == code[:-1]]
    return found


def order_violations(times: ArrayLike, subjects: ArrayLike) -> OrderViolations:
    """Count events that lie before the event that comes before them in the table.

    Parameters
    ----------
    times : array_like, shape (n,)
        In the order in which the events are numbered.
    subjects : array_like, shape (n,)

    Returns
    -------
    OrderViolations

    Raises
    ------
    UsageError
        No subject with two events.

    Examples
    --------
    >>> found = order_violations([1.0, 3.0, 2.0, 5.0], ["a", "a", "a", "b"])
    >>> found.share, found.violations, found.subjects
    (0.5, 1, 1.0)
    """
    t = matrix(times, "times", 1)[:, 0]
    first, second = _consecutive(subjects, len(t))
    if not len(first):
        raise UsageError("subjects: none has two events, so there is no order to look at")
    broken = t[second] < t[first]
    code = numbered(subjects, len(t), "subjects")
    several = len(np.unique(code[first]))
    return OrderViolations(
        float(broken.mean()),
        int(broken.sum()),
        len(first),
        len(np.unique(code[first][broken])) / several,
    )


def transition_counts(codes: ArrayLike, subjects: ArrayLike, levels: int) -> Values:
    """Count which code follows which within a subject.

    Parameters
    ----------
    codes : array_like of int, shape (n,)
        0..levels-1, in order of time within each subject.
    subjects : array_like, shape (n,)
    levels : int

    Returns
    -------
    ndarray, shape (levels, levels)
        Row: the earlier code.

    Raises
    ------
    UsageError
        A code outside 0..levels-1.

    Examples
    --------
    >>> transition_counts([0, 1, 1, 0], ["a", "a", "a", "b"], 2).tolist()
    [[0.0, 1.0], [0.0, 1.0]]
    """
    c: NDArray[Any] = np.asarray(codes)
    if (
        c.ndim != 1
        or c.dtype.kind not in "iub"
        or (len(c) and not 0 <= c.min() <= c.max() < levels)
    ):
        raise UsageError(f"codes: need integers 0..{levels - 1} in one dimension")
    first, second = _consecutive(subjects, len(c))
    keys = c[first].astype(np.intp) * levels + c[second]
    return np.bincount(keys, minlength=levels**2).reshape(levels, levels).astype(np.float64)


def transition_distance(real: ArrayLike, synthetic: ArrayLike) -> float:
    """Return the total variation of the transitions of two cohorts.

    Parameters
    ----------
    real, synthetic : array_like, shape (levels, levels)
        Counts; see `transition_counts`.

    Returns
    -------
    float
        Half the sum of absolute differences of the shares of all transitions, in [0, 1]: frequent
        codes weigh more than rare ones.

    Raises
    ------
    UsageError
        Shapes that differ, or no transition on one side.

    Examples
    --------
    >>> transition_distance([[1, 1], [0, 0]], [[0, 0], [1, 1]])
    1.0
    """
    a, b = np.asarray(real, np.float64), np.asarray(synthetic, np.float64)
    if a.shape != b.shape or not (a.sum() > 0 and b.sum() > 0):
        raise UsageError(
            "real, synthetic: need counts of one shape with at least one transition each, found "
            f"{a.shape} and {b.shape}"
        )
    return min(1.0, float(0.5 * np.abs(a / a.sum() - b / b.sum()).sum()))


def wasserstein_in_real_sd(real: ArrayLike, synthetic: ArrayLike) -> float:
    """Return the Wasserstein-1 distance of two samples in real standard deviations.

    Parameters
    ----------
    real, synthetic : array_like, shapes (n,) and (m,)
        Gaps, events per subject, or any other number.

    Returns
    -------
    float
        Where the real sample is constant, in the pooled sample's standard deviations; 0 where
        nothing varies at all.

    Examples
    --------
    >>> wasserstein_in_real_sd([0.0, 2.0], [1.0, 3.0])
    1.0
    """
    x, y = matrix(real, "real", 1)[:, 0], matrix(synthetic, "synthetic", 1)[:, 0]
    pooled = np.concatenate([x, y])
    signed = np.concatenate([np.full(len(x), 1 / len(x)), np.full(len(y), -1 / len(y))])
    scale = float(x.std()) or float(pooled.std())
    if scale == 0:
        return 0.0
    _, found = ecdf_distances(pooled, signed)
    return float(found[0, 0]) / scale


def _consecutive(subjects: ArrayLike, n: int) -> tuple[Index, Index]:
    """Rows of each event that has a next one, and of that one."""
    code = numbered(subjects, n, "subjects")
    order = np.argsort(code, kind="stable")
    same = code[order][1:] == code[order][:-1]
    return order[:-1][same], order[1:][same]
