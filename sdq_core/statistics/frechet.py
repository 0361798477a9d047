"""Frechet distance between Gaussian fits, and mergeable centred moments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdq_core.errors import UsageError
from sdq_core.statistics.arrays import matrix, pair

__all__ = ["Moments", "frechet_distance", "frechet_distance_from_moments"]

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Moments:
    """Number, mean and centred second moment of rows; a value that merges.

    Parameters
    ----------
    n : int
    mean : ndarray, shape (d,)
    m2 : ndarray, shape (d, d)
        Sum of the outer products of the centred rows. Raw second moments would lose 8 digits at
        the offsets of Hounsfield units.

    Examples
    --------
    >>> x = np.arange(12.0).reshape(6, 2)
    >>> whole, parts = Moments.of(x), Moments.of(x[:2]).merge(Moments.of(x[2:]))
    >>> bool(np.allclose(whole.covariance, parts.covariance))
    True
    """

    n: int
    mean: Values
    m2: Values

    @classmethod
    def of(cls, x: ArrayLike) -> Moments:
        """Return the moments of rows, shape (n, d) with n at least 1."""
        values = matrix(x, "x", 1)
        mean = values.mean(axis=0)
        values = values - mean
        return cls(len(values), mean, values.T @ values)

    def merge(self, other: Moments) -> Moments:
        """Return the moments of both sets of rows: Chan, Golub & LeVeque 1983."""
        if len(self.mean) != len(other.mean):
            raise UsageError(
                f"Moments.merge: dimensions differ, {len(self.mean)} and {len(other.mean)}"
            )
        n = self.n + other.n
        delta = other.mean - self.mean
        return Moments(
            n,
            self.mean + delta * (other.n / n),
            self.m2 + other.m2 + np.outer(delta, delta) * (self.n * other.n / n),
        )

    @property
    def covariance(self) -> Values:
        """Unbiased covariance, shape (d, d); needs two rows."""
        if self.n < 2:
            raise UsageError(f"Moments.covariance: needs at least 2 rows, found {self.n}")
        return self.m2 / (self.n - 1)


def frechet_distance(x: ArrayLike, y: ArrayLike) -> float:
    """Return the squared Frechet (2-Wasserstein) distance between Gaussians fitted to two samples.

    Parameters
    ----------
    x, y : array_like, shapes (n, d) and (m, d)

    Returns
    -------
    float
        ``|mx - my|^2 + tr Sx + tr Sy - 2 tr (Sx Sy)^(1/2)``, at least 0. Dowson & Landau 1982,
        doi:10.1016/0047-259X(82)90077-X; Heusel et al. 2017, arXiv:1706.08500. With fewer rows
        than columns the last term is the nuclear norm of ``Xc Yc' / sqrt((n - 1)(m - 1))``, exact
        and without any covariance; else it comes from a Cholesky factor. Neither can give an
        imaginary part. Biased upwards at small n: read it only beside its noise floor.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(50, 4))
    >>> round(frechet_distance(x, x + 1), 6)
    4.0
    """
    a, b = pair(x, y)
    if min(len(a), len(b)) > a.shape[1]:
        return frechet_distance_from_moments(Moments.of(a), Moments.of(b))
    mean_a, mean_b = a.mean(axis=0), b.mean(axis=0)
    a, b = a - mean_a, b - mean_b
    traces = (a * a).sum() / (len(a) - 1) + (b * b).sum() / (len(b) - 1)
    if len(a) > len(b):
        a, b = b, a
    cross = a @ b.T / np.sqrt((len(a) - 1) * (len(b) - 1))
    root = np.sqrt(np.maximum(np.linalg.eigvalsh(cross @ cross.T), 0)).sum()
    return float(max(((mean_a - mean_b) ** 2).sum() + traces - 2 * root, 0.0))


def frechet_distance_from_moments(a: Moments, b: Moments) -> float:
    """Return the squared Frechet distance between two Gaussians given by moments.

    Parameters
    ----------
    a, b : Moments

    Returns
    -------
    float
        As `frechet_distance`.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(50, 4))
    >>> round(frechet_distance_from_moments(Moments.of(x), Moments.of(x + 1)), 6)
    4.0
    """
    first, second = a.covariance, b.covariance
    gap = ((a.mean - b.mean) ** 2).sum() + np.trace(first) + np.trace(second)
    try:
        factor = np.linalg.cholesky(first)
    except np.linalg.LinAlgError:
        # Singular: the symmetric root is exact too, at the price of one more eigendecomposition.
        values, vectors = np.linalg.eigh(first)
        factor = vectors * np.sqrt(np.maximum(values, 0))
    product = factor.T @ second @ factor
    root = np.sqrt(np.maximum(np.linalg.eigvalsh((product + product.T) / 2), 0)).sum()
    return float(max(gap - 2 * root, 0.0))
