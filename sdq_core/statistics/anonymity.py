"""How many rows share their quasi-identifiers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdq_core.errors import UsageError

__all__ = ["Anonymity", "k_anonymity"]


@dataclass(frozen=True, eq=False)
class Anonymity:
    """Classes of rows that agree in all quasi-identifiers.

    Parameters
    ----------
    smallest : int
        Rows in the smallest class: the k of k-anonymity.
    classes : int
    below : float
        Share of rows in classes of fewer than the k that was asked for.
    unique : float
        Share of rows that are alone in their class.
    sizes : ndarray of int, shape (n,)
        Size of each row's class.
    """

    smallest: int
    classes: int
    below: float
    unique: float
    sizes: NDArray[np.intp]


def k_anonymity(codes: ArrayLike, k: int = 5) -> Anonymity:
    """Count the rows that share each combination of quasi-identifiers.

    Parameters
    ----------
    codes : array_like of int, shape (n, q)
        Quasi-identifiers; missing is a level of its own, which agrees with itself.
    k : int
        At least 1.

    Returns
    -------
    Anonymity
        Sweeney, Int. J. Uncertain. Fuzz. 10(5), 2002, doi:10.1142/S0218488502001648.

    Raises
    ------
    UsageError
        No rows, no columns, no integers, or `k` below 1.

    Examples
    --------
    >>> found = k_anonymity([[0, 1], [0, 1], [0, 2]], k=2)
    >>> found.smallest, found.classes, round(found.below, 3), round(found.unique, 3)
    (1, 2, 0.333, 0.333)
    """
    table = np.asarray(codes)
    if table.ndim != 2 or 0 in table.shape or table.dtype.kind not in "iub":
        raise UsageError(
            f"codes: need integers of shape (n, q), at least 1 each, found shape {table.shape} "
            f"and dtype {table.dtype}"
        )
    if k < 1:
        raise UsageError(f"k: must be at least 1, found {k}")
    number = np.zeros(len(table), np.intp)
    for column in table.T:
        # Renumbered after every column, so that no product of levels can overflow.
        _, code = np.unique(column, return_inverse=True)
        _, number = np.unique(number * (int(code.max()) + 1) + code, return_inverse=True)
    counts = np.bincount(number)
    sizes = counts[number]
    return Anonymity(
        int(counts.min()),
        len(counts),
        float((sizes < k).mean()),
        float((sizes == 1).mean()),
        sizes,
    )
