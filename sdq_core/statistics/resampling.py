"""Resampling of whole groups: splits, bootstrap, half samples, permutations, noise floors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdq_core.errors import UsageError
from sdq_core.measurement import Interval

__all__ = [
    "PermutationResult",
    "bootstrap",
    "bootstrap_weights",
    "half_sample_weights",
    "half_sampling",
    "noise_floor",
    "permutation_test",
    "split_indices",
    "split_weights",
]

Index = NDArray[np.intp]
Values = NDArray[np.float64]
Statistic = Callable[..., float]


@dataclass(frozen=True)
class PermutationResult:
    """Outcome of a permutation test.

    Parameters
    ----------
    statistic : float
        Observed value.
    p_value : float
        ``(1 + #extreme) / (1 + R)``, never 0.
    null : ndarray, shape (R,)
        Values under permutation.
    """

    statistic: float
    p_value: float
    null: Values


def codes(groups: ArrayLike | None, n: int, name: str = "groups") -> Index:
    """Return group numbers 0..G-1 in order of first occurrence; every row its own when None."""
    if groups is None:
        return np.arange(n, dtype=np.intp)
    labels = np.asarray(groups)
    if labels.shape != (n,):
        raise UsageError(
            f"{name}: needs one label a row, shape ({n},), found shape {labels.shape}; "
            f"give the group of every row"
        )
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.intp)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


def split_indices(
    groups: ArrayLike, sizes: tuple[int, int], rng: np.random.Generator
) -> tuple[Index, Index]:
    """Split rows at random into two disjoint parts that share no group.

    Parameters
    ----------
    groups : array_like, shape (n,)
        Group of each row.
    sizes : tuple of int
        Rows wanted in each part; their sum at most n. Groups are shuffled and fill part one until
        it is full, the last group being trimmed; the rest of that group stays out, and part two
        is filled with the following groups. Trimming may leave part two short by less than the
        size of one group.
    rng : numpy.random.Generator

    Returns
    -------
    first, second : ndarray of int
        Sorted row numbers.

    Examples
    --------
    >>> a, b = split_indices(np.repeat(np.arange(6), 2), (4, 4), np.random.default_rng(0))
    >>> len(a), len(b), bool(set(a // 2) & set(b // 2))
    (4, 4, False)
    """
    code = codes(groups, len(np.asarray(groups)))
    if sizes[0] < 1 or sizes[1] < 1 or sum(sizes) > len(code):
        raise UsageError(
            f"sizes: needs two positive sizes that sum to at most {len(code)} rows, found {sizes}"
        )
    count = int(code.max()) + 1
    place = np.empty(count, dtype=np.intp)
    place[rng.permutation(count)] = np.arange(count)
    order = np.argsort(place[code], kind="stable")
    if count == len(code):
        return np.sort(order[: sizes[0]]), np.sort(order[sizes[0] : sum(sizes)])
    last = code[order[sizes[0] - 1]]
    rest = order[sizes[0] :]
    rest = rest[code[rest] != last]
    return np.sort(order[: sizes[0]]), np.sort(rest[: sizes[1]])


def split_weights(
    groups: ArrayLike, sizes: tuple[int, int], repeats: int, seed: int
) -> tuple[Values, Values]:
    """Return 0/1 weights of many random splits by group.

    Parameters
    ----------
    groups, sizes
        As in `split_indices`.
    repeats : int
    seed : int

    Returns
    -------
    first, second : ndarray, shape (repeats, n)
    """
    n = len(np.asarray(groups))
    rng = np.random.default_rng(seed)
    first, second = np.zeros((repeats, n)), np.zeros((repeats, n))
    for r in range(repeats):
        i, j = split_indices(groups, sizes, rng)
        first[r, i] = 1
        second[r, j] = 1
    return first, second


def bootstrap_weights(groups: ArrayLike, repeats: int, seed: int) -> Values:
    """Return how often each row occurs in bootstrap samples of whole groups.

    Parameters
    ----------
    groups : array_like, shape (n,)
    repeats : int
    seed : int

    Returns
    -------
    ndarray, shape (repeats, n)
        Multinomial counts of the row's group: Field & Welsh 2007,
        doi:10.1111/j.1467-9868.2007.00593.x.
    """
    code = codes(groups, len(np.asarray(groups)))
    count = int(code.max()) + 1
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=repeats)
    return drawn[:, code].astype(np.float64)


def half_sample_weights(groups: ArrayLike, repeats: int, seed: int) -> Values:
    """Return 0/1 weights of half samples of whole groups, drawn without replacement.

    Parameters
    ----------
    groups : array_like, shape (n,)
    repeats : int
    seed : int

    Returns
    -------
    ndarray, shape (repeats, n)
        Each row marks half of the groups, at least two where there are two.
    """
    code = codes(groups, len(np.asarray(groups)))
    count = int(code.max()) + 1
    half = max(min(2, count), count // 2)
    rng = np.random.default_rng(seed)
    chosen = np.zeros((repeats, count))
    for r in range(repeats):
        chosen[r, rng.permutation(count)[:half]] = 1
    return chosen[:, code]


def bootstrap(
    statistic: Statistic,
    *samples: ArrayLike,
    groups: Sequence[ArrayLike | None] | None = None,
    repeats: int = 999,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Return the percentile bootstrap interval over items or whole groups.

    Parameters
    ----------
    statistic : callable
        Takes the resampled samples, gives a number.
    *samples : array_like
        Rows are resampled, of each sample by itself.
    groups : sequence of array_like, optional
        One label array for each sample.
    repeats : int
    seed : int
    level : float
        Between 0 and 1.

    Returns
    -------
    Interval
        Efron 1979, doi:10.1214/aos/1176344552. Not for statistics that repeated rows distort
        (nearest neighbours, Frechet): see `half_sampling`.

    Examples
    --------
    >>> found = bootstrap(np.mean, np.arange(100.0), seed=1)
    >>> bool(found.low < 49.5 < found.high)
    True
    """
    arrays, labels = _samples(samples, groups)
    rng = np.random.default_rng(seed)
    members = [_members(code) for code in labels]
    values = np.empty(repeats)
    for r in range(repeats):
        drawn = [
            array[np.concatenate([m[g] for g in rng.integers(len(m), size=len(m))])]
            for array, m in zip(arrays, members, strict=True)
        ]
        values[r] = statistic(*drawn)
    return _quantiles(values, level, "percentile bootstrap")


def half_sampling(
    statistic: Statistic,
    *samples: ArrayLike,
    groups: Sequence[ArrayLike | None] | None = None,
    repeats: int = 100,
    seed: int = 0,
    level: float = 0.95,
    value: float | None = None,
) -> Interval:
    """Return the interval from half samples drawn without replacement.

    Parameters
    ----------
    statistic, samples, groups, repeats, seed, level
        As in `bootstrap`.
    value : float, optional
        The full-sample value; computed when not given.

    Returns
    -------
    Interval
        ``value + quantiles(half - mean(half))``: the variance of half samples without
        replacement equals that of the full-sample estimate (delete-half jackknife, Shao & Wu
        1989, doi:10.1214/aos/1176347263; Politis, Romano & Wolf 1999).

    Examples
    --------
    >>> found = half_sampling(np.mean, np.arange(100.0), seed=1)
    >>> bool(found.low < 49.5 < found.high)
    True
    """
    arrays, labels = _samples(samples, groups)
    full = float(statistic(*arrays)) if value is None else value
    weights = [half_sample_weights(code, repeats, seed + k) for k, code in enumerate(labels)]
    values = np.array(
        [
            statistic(*(a[w[r] > 0] for a, w in zip(arrays, weights, strict=True)))
            for r in range(repeats)
        ]
    )
    tail = (1 - level) / 2
    low, high = full + np.quantile(values, [tail, 1 - tail]) - values.mean()
    return Interval(float(min(low, full)), float(max(high, full)), "half-sampling of groups", level)


def noise_floor(
    statistic: Statistic,
    real: ArrayLike,
    sizes: tuple[int, int],
    groups: ArrayLike | None = None,
    *,
    repeats: int = 200,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Return the spread of a statistic between disjoint random parts of one real sample.

    Parameters
    ----------
    statistic : callable
        Takes two arrays of rows, gives a number.
    real : array_like, shape (n, ...)
    sizes : tuple of int
        Rows of the two parts; both are shrunk in proportion when they sum to more than n, and
        the interval's method says so.
    groups : array_like, shape (n,), optional
        No group stands in both parts.
    repeats, seed, level

    Returns
    -------
    Interval
        With the median as centre.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=200)
    >>> found = noise_floor(lambda a, b: abs(a.mean() - b.mean()), x, (80, 80))
    >>> bool(0 < found.centre < found.high < 0.6)
    True
    """
    rows = np.asarray(real)
    labels = codes(groups, len(rows))
    method = "disjoint random parts of the real sample"
    if sum(sizes) > len(rows):
        share = len(rows) / sum(sizes)
        sizes = (max(1, int(sizes[0] * share)), max(1, int(sizes[1] * share)))
        method += f", shrunk to {sizes[0]} and {sizes[1]} rows"
    rng = np.random.default_rng(seed)
    values = np.empty(repeats)
    for r in range(repeats):
        i, j = split_indices(labels, sizes, rng)
        values[r] = statistic(rows[i], rows[j])
    found = _quantiles(values, level, method)
    return Interval(found.low, found.high, method, level, float(np.median(values)))


def permutation_test(
    statistic: Statistic,
    x: ArrayLike,
    y: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    permutations: int = 999,
    seed: int = 0,
    alternative: str = "greater",
) -> PermutationResult:
    """Test whether two samples are exchangeable, moving whole groups.

    Parameters
    ----------
    statistic : callable
        Takes two arrays of rows, gives a number.
    x, y : array_like, shapes (n, ...) and (m, ...)
    groups : array_like, shape (n + m,), optional
        Groups of the rows of x, then y. Groups are shuffled and fill side one until it has n rows;
        the last group is trimmed to fit.
    permutations, seed : int
    alternative : {"greater", "less", "two-sided"}
        Two-sided counts values as far from the null's median as the observed one.

    Returns
    -------
    PermutationResult
        Phipson & Smyth 2010, doi:10.2202/1544-6115.1585.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> found = permutation_test(lambda a, b: b.mean() - a.mean(), rng.normal(size=40),
    ...                          rng.normal(size=40) + 2, permutations=99)
    >>> found.p_value
    0.01
    """
    if alternative not in ("greater", "less", "two-sided"):
        raise UsageError(f"alternative: must be greater, less or two-sided, found {alternative!r}")
    a, b = np.asarray(x), np.asarray(y)
    pooled = np.concatenate([a, b])
    labels = codes(groups, len(pooled))
    observed = float(statistic(a, b))
    rng = np.random.default_rng(seed)
    null = np.empty(permutations)
    for r in range(permutations):
        i, j = split_indices(labels, (len(a), len(b)), rng)
        null[r] = statistic(pooled[i], pooled[j])
    if alternative == "greater":
        extreme = null >= observed
    elif alternative == "less":
        extreme = null <= observed
    else:
        centre = np.median(null)
        extreme = np.abs(null - centre) >= abs(observed - centre)
    return PermutationResult(observed, float((1 + extreme.sum()) / (1 + permutations)), null)


def _samples(
    samples: Sequence[ArrayLike], groups: Sequence[ArrayLike | None] | None
) -> tuple[list[NDArray[Any]], list[Index]]:
    arrays = [np.asarray(s) for s in samples]
    given = [None] * len(arrays) if groups is None else list(groups)
    if len(given) != len(arrays):
        raise UsageError(
            f"groups: needs one label array for each of {len(arrays)} samples, found {len(given)}"
        )
    return arrays, [codes(g, len(a)) for g, a in zip(given, arrays, strict=True)]


def _members(code: Index) -> list[Index]:
    order = np.argsort(code, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(code[order])) + 1)


def _quantiles(values: Values, level: float, method: str) -> Interval:
    tail = (1 - level) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return Interval(float(low), float(high), method, level)
