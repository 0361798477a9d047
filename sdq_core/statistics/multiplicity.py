"""Corrections for many tests at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdq_core.errors import UsageError

__all__ = ["benjamini_hochberg", "holm"]

Values = NDArray[np.float64]


def holm(p: ArrayLike) -> Values:
    """Return Holm's adjusted p-values, which control the family-wise error.

    Parameters
    ----------
    p : array_like, shape (m,), 0..1

    Returns
    -------
    ndarray, shape (m,)
        Holm 1979, Scandinavian Journal of Statistics 6:65.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    values = _checked(p)
    order = np.argsort(values, kind="stable")
    scaled = values[order] * np.arange(len(values), 0, -1)
    return _back(np.minimum(np.maximum.accumulate(scaled), 1), order)


def benjamini_hochberg(p: ArrayLike) -> Values:
    """Return Benjamini and Hochberg's adjusted p-values, which control the false discovery rate.

    Parameters
    ----------
    p : array_like, shape (m,), 0..1

    Returns
    -------
    ndarray, shape (m,)
        Benjamini & Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(4).tolist()
    [0.03, 0.04, 0.04]
    """
    values = _checked(p)
    order = np.argsort(values, kind="stable")
    scaled = values[order] * len(values) / np.arange(1, len(values) + 1)
    return _back(np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1), order)


def _checked(p: ArrayLike) -> Values:
    values = np.asarray(p, dtype=np.float64)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise UsageError("p: needs one dimension and values from 0 to 1")
    return values


def _back(adjusted: Values, order: NDArray[np.intp]) -> Values:
    found = np.empty_like(adjusted)
    found[order] = adjusted
    return found
