"""Nearest neighbours, and precision, recall, density and coverage, in bounded memory."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdq_core.acceleration import computed
from sdq_core.errors import UsageError
from sdq_core.statistics.arrays import matrix, pair, rows_per_block
from sdq_core.statistics.neighbours_on_device import closest, nearest_on_device

__all__ = [
    "PRDC",
    "nearest_neighbours",
    "prdc_from_distances",
    "precision_recall_density_coverage",
    "squared_distances",
]

Values = NDArray[np.float64]


class PRDC(NamedTuple):
    """Precision, recall and coverage, each 0..1, and density, 1 for two samples of one law."""

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
        Not negative; rows are centred first, so that a large common offset costs no digits. The
        diagonal is exactly 0 when one and the same object is given twice.

    Examples
    --------
    >>> squared_distances([[0.0, 0.0]], [[3.0, 4.0]])
    array([[25.]])
    """
    same = x is y
    a, b = pair(x, y, least=1)
    centre = b.mean(axis=0)
    a = a - centre
    b = a if same else b - centre
    found: Values = a @ b.T  # of one array with itself, half the products
    found *= -2
    found += (a * a).sum(axis=1)[:, None]
    found += (b * b).sum(axis=1)
    np.maximum(found, 0, out=found)
    if same:
        np.fill_diagonal(found, 0)
    return found


def nearest_neighbours(
    query: ArrayLike, reference: ArrayLike, k: int = 1, *, device: str = "cpu"
) -> tuple[Values, NDArray[np.intp]]:
    """Return the k nearest reference rows of each query row: exact, blocked.

    Parameters
    ----------
    query, reference : array_like, shapes (n, d) and (m, d)
    k : int
        At most m.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``; it changes the time and no bit of the result.

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
    return computed(
        device,
        float(len(q)) * len(r) * q.shape[1],
        "nearest neighbours",
        0.0,
        lambda blocks: nearest_on_device(q, r, k, blocks),
        lambda: _nearest(q, r, k),
    )


def _nearest(q: Values, r: Values, k: int) -> tuple[Values, NDArray[np.intp]]:
    """Find the nearest rows on the processor."""
    centre = r.mean(axis=0)
    near_q, near_r = q - centre, r - centre
    norms = (near_r * near_r).sum(axis=1)
    norms_q = (near_q * near_q).sum(axis=1)
    # Bound of the rounding in centring and in |r|^2 - 2 q.r, so that no row is lost to it.
    reach = np.sqrt(norms_q) + np.sqrt(norms.max())
    largest = max(np.abs(q).max(), np.abs(r).max())
    slack = 4 * np.finfo(np.float64).eps * (q.shape[1] + 2) * reach * (reach + largest)
    spare = min(len(r), k + 8)
    distances = np.empty((len(q), k))
    indices = np.empty((len(q), k), dtype=np.intp)
    step = rows_per_block(max(len(r), spare * r.shape[1]))
    for start in range(0, len(q), step):
        rows = slice(start, start + step)
        rough = norms - 2 * (near_q[rows] @ near_r.T)
        candidates = np.sort(np.argpartition(rough, spare - 1, axis=1)[:, :spare], axis=1)
        distances[rows], indices[rows] = closest(q[rows], r, candidates, k)
        # Whoever may be as near as the k-th has to be a candidate: more than the spare ones can
        # be only where many rows are equal, or nearly.
        limit = distances[rows][:, -1] ** 2 - norms_q[rows] + slack[rows]
        crowded = np.flatnonzero((rough <= limit[:, None]).sum(axis=1) > spare)
        for i in crowded:
            every = np.flatnonzero(rough[i] <= limit[i])[None]
            found = closest(q[start + i : start + i + 1], r, every, k)
            distances[start + i], indices[start + i] = found[0][0], found[1][0]
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
        As `precision_recall_density_coverage`.

    Raises
    ------
    UsageError
        Shapes that do not belong together, or `k` not below the rows of either side.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(50, 3))
    >>> d = squared_distances(x, x)
    >>> prdc_from_distances(d, d, d, k=3).coverage
    1.0
    """
    rr, ss, rs = (np.asarray(d) for d in (d_rr, d_ss, d_rs))
    n, m = len(rr), len(ss)
    if (rr.shape, ss.shape, rs.shape) != ((n, n), (m, m), (n, m)):
        raise UsageError(
            f"d_rr, d_ss, d_rs: need shapes (n, n), (m, m), (n, m), found {rr.shape}, {ss.shape}, "
            f"{rs.shape}"
        )
    if not 1 <= k < min(len(rr), len(ss)):
        raise UsageError(
            f"k: must be 1 to {min(len(rr), len(ss)) - 1} (fewer than the rows of either side), "
            f"found {k}"
        )
    real_radius = np.partition(rr, k, axis=1)[:, k]
    synthetic_radius = np.partition(ss, k, axis=1)[:, k]
    # "<" as in the authors' code: a sphere of radius 0 holds nothing, not even a copy.
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
    # One centred copy at a time: it and a few blocks are all the memory that this takes.
    centred = a - centre
    norm_a = _norms(centred)
    radius_a = _radii(centred, norm_a, k)
    del centred
    b = b - centre
    norm_b = _norms(b)
    radius_b = _radii(b, norm_b, k)
    precision = np.zeros(len(b), dtype=bool)
    recalled = covered = hits = 0
    step = rows_per_block(len(b))
    for start in range(0, len(a), step):
        rows = slice(start, start + step)
        d = _block(a[rows] - centre, norm_a[rows], b, norm_b)
        inside = d < radius_a[rows, None]
        precision |= inside.any(axis=0)
        hits += int(inside.sum())
        recalled += int((d < radius_b).any(axis=1).sum())
        covered += int((d.min(axis=1) < radius_a[rows]).sum())
    return PRDC(float(precision.mean()), recalled / len(a), hits / (k * len(b)), covered / len(a))


def _block(
    x: NDArray[Any], norm_x: NDArray[Any], y: NDArray[Any], norm_y: NDArray[Any]
) -> NDArray[Any]:
    """Squared distances in the precision of the rows, not negative."""
    d: NDArray[Any] = x @ y.T
    d *= -2
    d += norm_x[:, None]
    d += norm_y
    np.maximum(d, 0, out=d)
    return d


def _norms(x: NDArray[Any]) -> NDArray[Any]:
    """Squared length of each row, without a second array of the size of the first."""
    step = rows_per_block(x.shape[1])
    blocks = (x[start : start + step] for start in range(0, len(x), step))
    return np.concatenate([(block * block).sum(axis=1) for block in blocks])


def _radii(x: NDArray[Any], norms: NDArray[Any], k: int) -> NDArray[Any]:
    """Squared distance of each row to its k-th other row."""
    found = np.empty(len(x), dtype=x.dtype)
    step = rows_per_block(len(x))
    for start in range(0, len(x), step):
        rows = np.arange(start, min(start + step, len(x)))
        d = _block(x[rows], norms[rows], x, norms)
        d[np.arange(len(rows)), rows] = 0  # the row itself is its 0th neighbour
        d.partition(k, axis=1)
        found[rows] = d[:, k]
    return found
