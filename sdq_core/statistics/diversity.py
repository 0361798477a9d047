"""Evenness of counts, and the effective number of different items."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdq_core.errors import UsageError
from sdq_core.statistics.arrays import matrix

__all__ = ["gini_coefficient", "shannon_entropy", "vendi_score"]


def gini_coefficient(counts: ArrayLike) -> float:
    """Return the Gini coefficient of class counts, scaled to 0..1.

    Parameters
    ----------
    counts : array_like, shape (k,), k >= 2
        Items of each *declared* class, 0 where it is absent.

    Returns
    -------
    float
        ``sum |c_i - c_j| / (2 k^2 mean) * k / (k - 1)``: 0 for equal counts, 1 when one class
        holds everything. The coefficient of Gini 1912, not the Gini impurity ``1 - sum p^2``.

    Examples
    --------
    >>> gini_coefficient([5, 5, 5]), gini_coefficient([10, 0])
    (0.0, 1.0)
    """
    values = np.sort(_counts(counts))
    k = len(values)
    rank = 2 * np.arange(1, k + 1) - k - 1
    return float((rank @ values) / (values.sum() * (k - 1)))


def shannon_entropy(counts: ArrayLike, normalised: bool = False) -> float:
    """Return the Shannon entropy of class counts.

    Parameters
    ----------
    counts : array_like, shape (k,), k >= 2
        Items of each *declared* class, 0 where it is absent.
    normalised : bool
        Divide by ``ln k``: 0..1, with 1 for equal counts.

    Returns
    -------
    float
        ``-sum p ln p`` in nats. Shannon 1948, doi:10.1002/j.1538-7305.1948.tb01338.x.

    Examples
    --------
    >>> round(shannon_entropy([5, 5]), 4), shannon_entropy([10, 0], normalised=True)
    (0.6931, 0.0)
    """
    values = _counts(counts)
    p = values[values > 0] / values.sum()
    entropy = float(-(p * np.log(p)).sum()) + 0.0
    return entropy / float(np.log(len(values))) if normalised else entropy


def vendi_score(
    x: ArrayLike, kernel: Literal["cosine", "linear"] | NDArray[np.float64] = "cosine"
) -> float:
    """Return the Vendi score: the effective number of different rows.

    Parameters
    ----------
    x : array_like, shape (n, d)
    kernel : {"cosine", "linear"} or ndarray, shape (n, n)
        ``linear`` takes rows that are scaled to unit norm already; a matrix is a symmetric
        similarity with ones on its diagonal. A row of zeros has no direction: by cosine such rows
        are alike among themselves and unlike all others.

    Returns
    -------
    float
        ``exp(-sum l ln l)`` over the eigenvalues l of K/n, from 1 to n: Friedman & Dieng 2023,
        arXiv:2210.02410. The eigenvalues come from the smaller of the n x n and d x d products.

    Examples
    --------
    >>> round(vendi_score(np.eye(4)), 6), round(vendi_score(np.ones((4, 2))), 6)
    (4.0, 1.0)
    """
    values = matrix(x, "x", 1)
    if isinstance(kernel, str):
        if kernel == "cosine":
            # The largest magnitude first: squares of very small numbers would vanish.
            largest = np.abs(values).max(axis=1, keepdims=True)
            zero = largest == 0
            values = values / np.where(zero, 1, largest)
            norms = np.linalg.norm(values, axis=1, keepdims=True)
            values = np.hstack([values / np.where(zero, 1, norms), zero])
        elif kernel != "linear":
            raise UsageError(f"kernel: must be cosine, linear or a matrix, found {kernel!r}")
        product = values @ values.T if len(values) <= values.shape[1] else values.T @ values
    else:
        product = matrix(kernel, "kernel", 1)
        if product.shape != (len(values), len(values)):
            raise UsageError(f"kernel: needs shape (n, n) with n {len(values)} as x has rows")
        if not (np.allclose(product, product.T) and np.allclose(np.diag(product), 1)):
            raise UsageError("kernel: must be symmetric with ones on its diagonal; rescale it")
    found = np.linalg.eigvalsh(product) / len(values)
    found = found[found > 1e-15]
    return float(np.exp(-(found * np.log(found)).sum()))


def _counts(counts: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(counts, dtype=np.float64)
    if values.ndim != 1 or len(values) < 2:
        raise UsageError("counts: needs one count for each of at least two declared classes")
    if not np.isfinite(values).all() or (values < 0).any() or values.sum() <= 0:
        raise UsageError("counts: must be finite, not negative, and not all zero")
    return values
