"""Nearest neighbours, and precision, recall, density and coverage, in bounded memory."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdq_core.errors import UsageError
from sdq_core.statistics.arrays import matrix, pair

__all__ = [
    "PRDC",
    "nearest_neighbours",
    "prdc_from_distances",
    "precision_recall_density_coverage",
    "squared_distances",
]

Values = NDArray[np.float64]
BLOCK = 1024


class PRDC(NamedTuple):
    """Precision, recall, density and coverage."""

    precision: float
    recall: float
    density: float
    coverage: float


def squared_distances(x: ArrayLike, y: ArrayLike) -> Values:
    """Return all squared Euclidean distances.

    Parameters
    ----------
    x, y : array_like, shapes (n, d) and (m, d)

    Returns
    -------
    ndarray, shape (n, m)
        Not negative; rows are centred first, so that a large common offset costs no digits.

    Examples
    --------
    >>> squared_distances([[0.0, 0.0]], [[3.0, 4.0]])
    array([[25.]])
    """
    a, b = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    same = a is b or (a.shape == b.shape and np.shares_memory(a, b))
    centre = b.mean(axis=0)
    a, b = a - centre, b - centre
    found: Values = a @ b.T
    found *= -2
    found += (a * a).sum(axis=1)[:, None]
    found += (b * b).sum(axis=1)
    np.maximum(found, 0, out=found)
    if same:
        np.fill_diagonal(found, 0)
    return found


def nearest_neighbours(
    query: ArrayLike, reference: ArrayLike, k: int = 1
) -> tuple[Values, NDArray[np.intp]]:
    """Return the k nearest reference rows of each query row: exact, blocked.

    Parameters
    ----------
    query, reference : array_like, shapes (n, d) and (m, d)
    k : int
        At most m.

    Returns
    -------
    distances : ndarray, shape (n, k)
        Euclidean, ascending, recomputed directly for the winners.
    indices : ndarray of int, shape (n, k)
        Of equal distances the lower index comes first.

    Examples
    --------
    >>> d, i = nearest_neighbours([[0.0]], [[5.0], [1.0], [1.0]], k=2)
    >>> d.tolist(), i.tolist()
    ([[1.0, 1.0]], [[1, 2]])
    """
    q, r = matrix(query, "query", 1), matrix(reference, "reference", 1)
    if q.shape[1] != r.shape[1]:
        raise UsageError(f"query, reference: columns differ, {q.shape[1]} and {r.shape[1]}")
    if not 1 <= k <= len(r):
        raise UsageError(f"k: must be 1 to {len(r)} (the reference rows), found {k}")
    centre = r.mean(axis=0)
    q, r = q - centre, r - centre
    norms = (r * r).sum(axis=1)
    # A few spare candidates make rounding in the matrix product harmless.
    spare = min(len(r), k + 8)
    distances = np.empty((len(q), k))
    indices = np.empty((len(q), k), dtype=np.intp)
    for start in range(0, len(q), BLOCK):
        block = q[start : start + BLOCK]
        rough = norms - 2 * (block @ r.T)
        candidates = np.sort(np.argpartition(rough, spare - 1, axis=1)[:, :spare], axis=1)
        exact = ((block[:, None] - r[candidates]) ** 2).sum(axis=2)
        order = np.argsort(exact, axis=1, kind="stable")[:, :k]
        distances[start : start + BLOCK] = np.sqrt(np.take_along_axis(exact, order, 1))
        indices[start : start + BLOCK] = np.take_along_axis(candidates, order, 1)
    return distances, indices


def prdc_from_distances(d_rr: ArrayLike, d_ss: ArrayLike, d_rs: ArrayLike, k: int = 5) -> PRDC:
    """Return precision, recall, density and coverage from squared distances.

    Parameters
    ----------
    d_rr, d_ss, d_rs : array_like, shapes (n, n), (m, m) and (n, m)
        Real to real, synthetic to synthetic, real to synthetic.
    k : int
        Neighbour that sets the radius, the row itself not counted.

    Returns
    -------
    PRDC
    """
    rr, ss, rs = (np.asarray(d) for d in (d_rr, d_ss, d_rs))
    if not 1 <= k < min(len(rr), len(ss)):
        raise UsageError(
            f"k: must be 1 to {min(len(rr), len(ss)) - 1} (fewer than the rows of either side), "
            f"found {k}"
        )
    real_radius = np.partition(rr, k, axis=1)[:, k]
    synthetic_radius = np.partition(ss, k, axis=1)[:, k]
    inside = rs < real_radius[:, None]
    return PRDC(
        precision=float(inside.any(axis=0).mean()),
        recall=float((rs < synthetic_radius).any(axis=1).mean()),
        density=float(inside.sum() / (k * len(ss))),
        coverage=float((rs.min(axis=1) < real_radius).mean()),
    )


def precision_recall_density_coverage(real: ArrayLike, synthetic: ArrayLike, k: int = 5) -> PRDC:
    """Return precision, recall, density and coverage of two samples.

    Parameters
    ----------
    real, synthetic : array_like, shapes (n, d) and (m, d)
        float32 stays float32: rows are centred first and processed in blocks, so that memory
        beyond the inputs is a few blocks of rows.
    k : int

    Returns
    -------
    PRDC
        Precision and recall: Kynkaanniemi et al. 2019, arXiv:1904.06991; density and coverage:
        Naeem et al. 2020, arXiv:2002.09797.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(50, 3))
    >>> precision_recall_density_coverage(x, x, k=3).coverage
    1.0
    """
    if all(np.asarray(v).dtype == np.float32 for v in (real, synthetic)):
        a: NDArray[Any] = np.asarray(real)
        b: NDArray[Any] = np.asarray(synthetic)
        pair(a[:2], b[:2], ("real", "synthetic"))
        if not (np.isfinite(a).all() and np.isfinite(b).all()):
            raise UsageError("real, synthetic: need finite values; leave the other rows out")
    else:
        a, b = pair(real, synthetic, ("real", "synthetic"))
    if not 1 <= k < min(len(a), len(b)):
        raise UsageError(
            f"k: must be 1 to {min(len(a), len(b)) - 1} (fewer than the rows of either side), "
            f"found {k}"
        )
    centre = a.mean(axis=0)
    a, b = a - centre, b - centre
    norm_a, norm_b = (a * a).sum(axis=1), (b * b).sum(axis=1)
    radius_a, radius_b = _radii(a, norm_a, k), _radii(b, norm_b, k)
    precision = np.zeros(len(b), dtype=bool)
    recalled = covered = hits = 0
    for start in range(0, len(a), BLOCK):
        rows = slice(start, start + BLOCK)
        d = a[rows] @ b.T
        d *= -2
        d += norm_a[rows, None]
        d += norm_b
        inside = d < radius_a[rows, None]
        precision |= inside.any(axis=0)
        hits += int(inside.sum())
        recalled += int((d < radius_b).any(axis=1).sum())
        covered += int((d.min(axis=1) < radius_a[rows]).sum())
    return PRDC(float(precision.mean()), recalled / len(a), hits / (k * len(b)), covered / len(a))


def _radii(x: NDArray[Any], norms: NDArray[Any], k: int) -> NDArray[Any]:
    """Squared distance of each row to its k-th other row."""
    found = np.empty(len(x), dtype=x.dtype)
    for start in range(0, len(x), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(x)))
        d = x[rows] @ x.T
        d *= -2
        d += norms[rows, None]
        d += norms
        d[np.arange(len(rows)), rows] = -1  # the row itself is its 0th neighbour
        d.partition(k, axis=1)
        found[rows] = d[:, k]
    return np.maximum(found, 0)
