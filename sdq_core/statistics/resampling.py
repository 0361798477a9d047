"""Random parts of whole groups: splits, bootstrap and half samples, as rows or as weights."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from sdq_core.errors import UsageError

__all__ = [
    "bootstrap_weights",
    "half_sample_weights",
    "random_splits",
    "split_indices",
    "split_weights",
]

Index = NDArray[np.intp]
Values = NDArray[np.float64]


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
    if labels.dtype.kind == "O" and all(isinstance(label, str) for label in labels):
        labels = labels.astype(np.str_)
    if labels.dtype.kind not in "biuUS" and not (
        labels.dtype.kind == "f" and np.isfinite(labels).all()
    ):
        raise UsageError(
            f"{name}: needs numbers or texts, none of them missing, found dtype {labels.dtype}; "
            f"make a row without a group one of its own"
        )
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.intp)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


def members(code: Index) -> list[Index]:
    """Return the row numbers of each group."""
    order = np.argsort(code, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(code[order])) + 1)


def nonempty_split(
    code: Index, sizes: tuple[int, int], rng: np.random.Generator
) -> tuple[Index, Index]:
    """Split as `split_indices` does, and refuse an empty part."""
    i, j = split_indices(code, sizes, rng)
    if len(j) == 0:
        raise UsageError(
            f"groups: a split by group into {sizes[0]} and {sizes[1]} rows left one part empty, as "
            f"one group holds most rows; give more groups or smaller sizes"
        )
    return i, j


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
        size of one group: empty, where that group holds nearly all rows.
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
    return _split(codes(groups, len(np.asarray(groups))), sizes, rng)


def random_splits(
    groups: ArrayLike, sizes: tuple[int, int], repeats: int, rng: np.random.Generator
) -> Iterator[tuple[Index, Index]]:
    """Yield many splits as `split_indices` makes them one by one.

    Parameters
    ----------
    groups, sizes, rng
        As in `split_indices`.
    repeats : int

    Yields
    ------
    first, second : ndarray of int
    """
    code = codes(groups, len(np.asarray(groups)))  # once: sorting texts takes most of the time
    for _ in range(repeats):
        yield _split(code, sizes, rng)


def _split(code: Index, sizes: tuple[int, int], rng: np.random.Generator) -> tuple[Index, Index]:
    if sizes[0] < 1 or sizes[1] < 1 or sum(sizes) > len(code):
        raise UsageError(
            f"sizes: needs two positive sizes that sum to at most {len(code)} rows, found {sizes}; "
            f"make them smaller"
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
    groups: ArrayLike,
    sizes: tuple[int, int],
    repeats: int,
    seed: int,
    kind: DTypeLike = np.float64,
) -> tuple[Values, Values]:
    """Return 0/1 weights of many random splits by group.

    Parameters
    ----------
    groups, sizes
        As in `split_indices`.
    repeats : int
    seed : int
    kind : dtype
        Of the weights: many rows take much memory.

    Returns
    -------
    first, second : ndarray, shape (repeats, n)

    Examples
    --------
    >>> a, b = split_weights(np.repeat(np.arange(6), 2), (4, 8), 3, seed=0)
    >>> a.sum(axis=1).tolist(), float((a + b).max())
    ([4.0, 4.0, 4.0], 1.0)
    """
    code = codes(groups, len(np.asarray(groups)))
    rng = np.random.default_rng(seed)
    first, second = (np.zeros((repeats, len(code)), kind) for _ in range(2))
    for r, (i, j) in enumerate(random_splits(code, sizes, repeats, rng)):
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

    Examples
    --------
    >>> w = bootstrap_weights(["a", "a", "b"], 500, seed=0)
    >>> bool((w[:, 0] == w[:, 1]).all()), set(w[:, 0].tolist()) == {0.0, 1.0, 2.0}
    (True, True)
    """
    (block,) = bootstrap_blocks(groups, repeats, seed, repeats)
    return block


def bootstrap_blocks(groups: ArrayLike, repeats: int, seed: int, step: int) -> Iterator[Values]:
    """Yield `bootstrap_weights` a few resamples at a time: all of many rows are a lot of memory.

    Parameters
    ----------
    groups, repeats, seed
        As in `bootstrap_weights`.
    step : int
        Resamples in a block, at least 1; it changes the memory in use and no weight.

    Yields
    ------
    ndarray, shape (at most step, n)

    Examples
    --------
    >>> blocks = list(bootstrap_blocks(np.arange(5), 7, 0, 3))
    >>> bool((np.concatenate(blocks) == bootstrap_weights(np.arange(5), 7, 0)).all())
    True
    """
    code = codes(groups, len(np.asarray(groups)))
    count = int(code.max()) + 1
    rng = np.random.default_rng(seed)
    chance = np.full(count, 1 / count)
    for start in range(0, repeats, step):
        drawn = rng.multinomial(count, chance, size=min(step, repeats - start))
        yield drawn[:, code].astype(np.float64)


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
        Each row marks half of the groups, rounded down, but two where there are only two or
        three: those are no half samples, and what varies over them varies too little.

    Examples
    --------
    >>> half_sample_weights(np.repeat(np.arange(4), 2), 3, seed=0).sum(axis=1).tolist()
    [4.0, 4.0, 4.0]
    """
    code = codes(groups, len(np.asarray(groups)))
    count = int(code.max()) + 1
    half = max(min(2, count), count // 2)
    rng = np.random.default_rng(seed)
    chosen = np.zeros((repeats, count))
    for r in range(repeats):
        chosen[r, rng.permutation(count)[:half]] = 1
    return chosen[:, code]
