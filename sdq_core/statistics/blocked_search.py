"""The nearest references of each query by any additive cost: exact, in tiles, in bounded memory.

A tile of rough costs (a matrix product in float32, or table look-ups in integers) is reduced at
once to the least cost of each small run of references. Only runs that may hold one of the k nearest
are looked at again, and their rows are costed exactly. What is kept of each query is one number a
run, and the result does not depend on the rough arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import UsageError

__all__ = ["CostModel", "copies_needed", "first_copies", "search"]

Values = NDArray[np.float64]
Index = NDArray[np.intp]

QUERIES, REFERENCES = 512, 512
"""Rows and columns of a tile: 1 MiB of float32."""

_RUN = 16
_RUNS = 2**13  # of a query, at most, where runs may be longer
_CHUNK = 2**18


LeastOfRuns = Callable[[slice, tuple[Index, Index] | None, int, NDArray[Any]], None]


class CostModel(Protocol):
    """Rough costs of many pairs, fast, and exact costs of a few."""

    dtype: np.dtype[Any]
    """Of rough costs; the highest finite value or infinity stands for "never"."""
    error: float
    """Largest error of a rough cost. Rough costs order the references of one query as exact costs
    do, but for this error; their unit and zero are free."""

    def prepare(self, queries: slice) -> Any:
        """Return what `tile` needs of some queries."""
        ...

    def tile(self, prepared: Any, references: slice, out: NDArray[Any]) -> None:
        """Write the rough costs, shape (references, queries)."""
        ...

    def exact(self, queries: Index, references: Index) -> Values:
        """Return the exact cost of each pair of rows, shape (pairs,)."""
        ...


def search(
    model: CostModel,
    sizes: tuple[int, int],
    k: int,
    groups: tuple[NDArray[np.generic], NDArray[np.generic]] | None = None,
    *,
    least_of_runs: LeastOfRuns | None = None,
) -> tuple[Values, Index]:
    """Return the k references of least cost for each query.

    Parameters
    ----------
    model : CostModel
    sizes : tuple of int
        Numbers of queries and references.
    k : int
        At least 1, at most the number of references.
    groups : pair of ndarray, optional
        Groups of the queries and of the references: pairs of one group do not count.
    least_of_runs : callable, optional
        Takes the place of the model's `tile`: writes the least rough cost of each run for some
        queries, given the groups' numbers and the length of a run.

    Returns
    -------
    costs : ndarray, shape (n, k), float64
        Ascending; infinite where groups left fewer than k references.
    indices : ndarray, shape (n, k), intp
        Of equal costs the lower index comes first; -1 where there is none.

    Raises
    ------
    UsageError
        `k` outside its range.
    """
    n, m = sizes
    if not 1 <= k <= m:
        raise UsageError(f"k: must be 1 to {m} (the reference rows), found {k}")
    run = _RUN
    while m > run * _RUNS and run < REFERENCES:
        run *= 2
    numbers = None if groups is None else _numbers(*groups)
    costs, indices = np.full((n, k), np.inf), np.full((n, k), -1, dtype=np.intp)
    if least_of_runs is None:
        least_of_runs = _Tiles(model, m)
    least = np.empty((-(-m // run), min(n, QUERIES)), model.dtype)
    for start in range(0, n, QUERIES):
        rows = slice(start, min(start + QUERIES, n))
        width = rows.stop - rows.start
        if width != least.shape[1]:
            least = np.ascontiguousarray(least[:, :width])
        least_of_runs(rows, numbers, run, least)
        found = _promising(least, k, 2 * model.error, _never(model))
        _settle(model, numbers, (start, m, run), found, costs[rows], indices[rows])
    return costs, indices


class _Tiles:
    """The least rough cost of each run, tile by tile on the processor."""

    def __init__(self, model: CostModel, m: int) -> None:
        self._model, self._m = model, m
        self._tile = np.empty((REFERENCES, 0), model.dtype)

    def __call__(
        self, queries: slice, groups: tuple[Index, Index] | None, run: int, out: NDArray[Any]
    ) -> None:
        """Write the least cost of each run, shape (runs, queries)."""
        never, width = _never(self._model), queries.stop - queries.start
        if width != self._tile.shape[1]:
            self._tile = np.empty((REFERENCES, width), self._model.dtype)
        tile, prepared = self._tile, self._model.prepare(queries)
        for first in range(0, self._m, REFERENCES):
            last = min(first + REFERENCES, self._m)
            self._model.tile(prepared, slice(first, last), tile[: last - first])
            if groups is not None:
                same = groups[1][first:last, None] == groups[0][queries]
                tile[: last - first][same] = never
            full = -(-(last - first) // run) * run
            tile[last - first : full] = never
            np.minimum.reduce(
                tile[:full].reshape(-1, run, width),
                axis=1,
                out=out[first // run : first // run + full // run],
            )


def _never(model: CostModel) -> float:
    return np.inf if model.dtype.kind == "f" else float(np.iinfo(model.dtype).max)


def first_copies(columns: Iterable[NDArray[Any]], copies: int) -> Index | None:
    """Return the references that are enough where many are equal.

    Parameters
    ----------
    columns : iterable of ndarray, shape (m,)
        NaN equals NaN.
    copies : int
        Of equal rows to keep: the first ones.

    Returns
    -------
    ndarray of int or None
        Rows to keep, ascending; None where this would not spare at least a half. Without it
        every equal row would have to be costed exactly.

    Examples
    --------
    >>> first_copies([np.array([7, 7, 7, 7, 1, 7])], 2).tolist()
    [0, 1, 4]
    """
    number: Index | None = None
    for column in columns:
        _, code = np.unique(column, return_inverse=True)
        if number is not None:
            _, code = np.unique(number * (int(code.max()) + 1) + code, return_inverse=True)
        number = code
    if number is None:
        return None
    order = np.argsort(number, kind="stable")
    counts = np.bincount(number)
    place = np.arange(len(number)) - np.repeat(np.cumsum(counts) - counts, counts)
    kept: Index = np.sort(order[place < copies])
    return kept if 2 * len(kept) <= len(number) else None


def copies_needed(
    k: int, groups: tuple[NDArray[np.generic], NDArray[np.generic]] | None
) -> int | None:
    """Return how many equal references can be among the k nearest; None where there is no limit.

    Examples
    --------
    >>> copies_needed(2, None), copies_needed(2, (np.arange(3), np.arange(3)))
    (2, 3)
    """
    if groups is None:
        return k
    return k + 1 if len(np.unique(groups[1])) == len(groups[1]) else None


def _promising(least: NDArray[Any], k: int, slack: float, never: float) -> tuple[Index, Index]:
    """Pairs of query and run that may hold one of the k nearest, by query."""
    runs, width = least.shape
    # The k-th least of a few minima is never below the k-th least of all, and cheaper to find.
    coarse = 1
    while runs // (2 * coarse) >= 8 * k + 8:
        coarse *= 2
    whole = runs // coarse * coarse
    minima = least[:whole].reshape(-1, coarse, width).min(axis=1)
    if len(minima) >= k:
        limit = np.partition(minima, k - 1, axis=0)[k - 1].astype(np.float64) + slack
    else:
        limit = np.full(width, np.inf)
    run, query = np.nonzero((least <= limit) & (least < never))
    order = np.argsort(query, kind="stable")
    return query[order], run[order]


def _settle(
    model: CostModel,
    numbers: tuple[Index, Index] | None,
    place: tuple[int, int, int],
    found: tuple[Index, Index],
    costs: Values,
    indices: Index,
) -> None:
    """Choose the k nearest among the rows of the promising runs."""
    start, m, run = place
    k = costs.shape[1]
    step = max(1, _CHUNK // run)
    for begin in range(0, len(found[0]), step):
        query = np.repeat(found[0][begin : begin + step], run)
        reference = (found[1][begin : begin + step, None] * run + np.arange(run)).ravel()
        kept = reference < m
        if numbers is not None:
            kept &= numbers[0][query + start] != numbers[1][np.minimum(reference, m - 1)]
        query, reference = query[kept], reference[kept]
        cost = model.exact(query + start, reference)
        # Most cannot be among the nearest any more: a sort of the others is small.
        kept = cost <= costs[query, -1]
        query, reference, cost = query[kept], reference[kept], cost[kept]
        order = np.lexsort((reference, cost, query))
        query, reference, cost = query[order], reference[order], cost[order]
        first = np.flatnonzero(np.diff(query, prepend=-1))
        place_in_query = np.arange(len(query)) - np.repeat(first, np.diff(first, append=len(query)))
        kept = place_in_query < k
        query, reference, cost = query[kept], reference[kept], cost[kept]
        touched = query[place_in_query[kept] == 0]
        new_cost = np.full((len(touched), k), np.inf)
        new_index = np.full((len(touched), k), -1, dtype=np.intp)
        line = np.searchsorted(touched, query)
        new_cost[line, place_in_query[kept]] = cost
        new_index[line, place_in_query[kept]] = reference
        both = np.concatenate([costs[touched], new_cost], axis=1)
        which = np.concatenate([indices[touched], new_index], axis=1)
        order = np.argsort(both, axis=1, kind="stable")[:, :k]
        costs[touched] = np.take_along_axis(both, order, 1)
        indices[touched] = np.take_along_axis(which, order, 1)


def _numbers(query: NDArray[np.generic], reference: NDArray[np.generic]) -> tuple[Index, Index]:
    _, number = np.unique(np.concatenate([query, reference]), return_inverse=True)
    return number[: len(query)], number[len(query) :]
