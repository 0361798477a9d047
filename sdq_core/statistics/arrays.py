"""Checks of the arrays that statistics take, and scaling that no constant column can upset."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdq_core.errors import UsageError

__all__ = ["matrix", "pair", "rows_per_block", "safe_scale", "single_thread_blas", "tail"]

Values = NDArray[np.float64]

BLOCK = 2**22
"""Most numbers in one temporary array: 32 MiB of float64."""

ROUNDING = 1e-6
"""Relative spread below which a column counts as constant: a few roundings of float32."""


def rows_per_block(width: int) -> int:
    """Return how many rows of this width one temporary array may hold, at least 1."""
    return max(1, BLOCK // max(1, width))


def tail(level: float) -> float:
    """Return the share outside each end of an interval of this level."""
    if not 0 < level < 1:
        raise UsageError(f"level: must lie between 0 and 1, found {level}; 0.95 is usual")
    return (1 - level) / 2


def matrix(x: ArrayLike, name: str, least: int = 2) -> Values:
    """Return rows as float64, checked.

    Parameters
    ----------
    x : array_like, shape (n, d) or (n,)
    name : str
        For the message.
    least : int
        Fewest rows allowed.

    Returns
    -------
    ndarray, shape (n, d)
        The input itself where it is float64 already: not to be written to.

    Raises
    ------
    UsageError
        Wrong shape, too few rows, or a value that is not finite.
    """
    values = np.asarray(x)
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2 or values.shape[1] == 0:
        raise UsageError(f"{name}: needs shape (n, d), found {np.shape(x)}; give one row an item")
    if len(values) < least:
        raise UsageError(f"{name}: needs at least {least} rows, found {len(values)}")
    if values.dtype.kind not in "biuf":
        raise UsageError(f"{name}: needs real numbers, found dtype {values.dtype}; convert it")
    values = values.astype(np.float64, copy=False)
    if not np.isfinite(values).all():
        rows = int((~np.isfinite(values)).any(axis=1).sum())
        raise UsageError(
            f"{name}: needs finite values, found {rows} rows with NaN or infinity; leave them out"
        )
    return values


def pair(
    x: ArrayLike, y: ArrayLike, names: tuple[str, str] = ("x", "y"), least: int = 2
) -> tuple[Values, Values]:
    """Return two checked matrices with the same number of columns."""
    first, second = matrix(x, names[0], least), matrix(y, names[1], least)
    if first.shape[1] != second.shape[1]:
        raise UsageError(
            f"{names[0]}, {names[1]}: need the same columns, found {first.shape[1]} and "
            f"{second.shape[1]}"
        )
    return first, second


def safe_scale(
    reference: ArrayLike, *others: ArrayLike, clip: float = 8.0
) -> tuple[tuple[Values, ...], NDArray[np.bool_]]:
    """Scale columns robustly by a reference sample.

    Parameters
    ----------
    reference : array_like, shape (n, d)
        Real rows: median and interquartile range (times 0.7413, the normal law's deviation) come
        from here; the standard deviation stands in for an interquartile range of zero.
    *others : array_like, shape (m, d)
    clip : float
        Scaled values are cut to +-clip, so that no outlier rules a distance.

    Returns
    -------
    scaled : tuple of ndarray
        Reference first, with the kept columns only.
    kept : ndarray of bool, shape (d,)
        A column that is constant in the reference is kept when another sample varies in it or
        differs from it; its spread is then that of all samples pooled. A column that is constant
        everywhere is dropped: divided by a tiny number it would swamp all others. Constant means
        a spread of at most 1e-6 of the largest magnitude, which is rounding of float32.

    Examples
    --------
    >>> (x, y), kept = safe_scale([[0.0, 5.0], [1.0, 5.0], [2.0, 5.0]], [[1.0, 5.0], [9.0, 5.0]])
    >>> kept.tolist(), y[:, 0].tolist()[0]
    ([True, False], 0.0)
    """
    arrays = [matrix(reference, "reference"), *(matrix(o, "others", 1) for o in others)]
    first = arrays[0]
    if any(a.shape[1] != first.shape[1] for a in arrays):
        raise UsageError(
            f"others: need the reference's {first.shape[1]} columns, found "
            f"{[a.shape[1] for a in arrays[1:]]}"
        )
    centre = np.median(first, axis=0)
    low, high = np.percentile(first, [25, 75], axis=0)
    spread = (high - low) * 0.7413
    noise = ROUNDING * np.maximum(np.abs(first).max(axis=0), 1e-30)
    spread = np.where(spread > noise, spread, first.std(axis=0))
    pooled = np.concatenate(arrays)
    width = np.ptp(pooled, axis=0)
    noise = ROUNDING * np.maximum(np.abs(pooled).max(axis=0), 1e-30)
    spread = np.where(spread > noise, spread, pooled.std(axis=0))
    kept = (width > noise) & (spread > 0)
    return (
        tuple(np.clip((a[:, kept] - centre[kept]) / spread[kept], -clip, clip) for a in arrays),
        kept,
    )


@contextmanager
def single_thread_blas() -> Iterator[None]:
    """Limit BLAS to one thread: faster below about 1,000 rows, and the same bits everywhere."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        yield
