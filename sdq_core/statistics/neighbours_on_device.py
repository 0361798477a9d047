"""The nearest rows by rough distances on a device, settled on the processor in float64."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sdq_core.acceleration import Blocks
from sdq_core.statistics.arrays import rows_per_block

__all__ = ["closest", "nearest_on_device"]

Values = NDArray[np.float64]
Index = NDArray[np.intp]

_BLOCK = 2**26
"""Rough distances on the device at a time: 256 MiB of float32."""


def closest(q: Values, r: Values, candidates: Index, k: int) -> tuple[Values, Index]:
    """Choose the k nearest of each row's candidates, which come in ascending order.

    Parameters
    ----------
    q, r : ndarray, shapes (n, d) and (m, d)
    candidates : ndarray, shape (n, c)
        Rows of `r`.
    k : int
        At most c.

    Returns
    -------
    distances : ndarray, shape (n, k)
    indices : ndarray, shape (n, k)

    Examples
    --------
    >>> closest(np.zeros((1, 1)), np.array([[5.0], [1.0], [2.0]]), np.array([[0, 2]]), 1)
    (array([[2.]]), array([[2]]))
    """
    exact = ((r[candidates] - q[:, None]) ** 2).sum(axis=2)
    order = np.argsort(exact, axis=1, kind="stable")[:, :k]
    return (
        np.sqrt(np.take_along_axis(exact, order, 1)),
        np.take_along_axis(candidates, order, 1),
    )


def nearest_on_device(q: Values, r: Values, k: int, blocks: Blocks) -> tuple[Values, Index]:
    """Return the k nearest rows, to the bit those of the processor.

    Parameters
    ----------
    q, r : ndarray, shapes (n, d) and (m, d)
        Finite.
    k : int
        1 to m.
    blocks : Blocks
        The device, in `sdq_core.acceleration.exact_arithmetic`.

    Returns
    -------
    distances : ndarray, shape (n, k)
    indices : ndarray, shape (n, k)

    Notes
    -----
    The device gives ``|r|^2 - 2 q.r`` in float32, and k + 8 candidates by it. Their distances are
    computed in float64 on the processor. Where the bound of the rounding leaves room for others to
    be as near as the k-th, these are computed as well.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(40, 3))
    >>> nearest_on_device(x, x, 1, Blocks("cpu"))[1][:4].ravel().tolist()
    [0, 1, 2, 3]
    """
    import torch

    n, m, width = len(q), len(r), q.shape[1]
    centre = r.mean(axis=0)
    near_q, near_r = q - centre, r - centre
    largest = max(np.abs(q).max(), np.abs(r).max())
    # A power of two takes no digits, and keeps squares within the range of float32.
    top = max(np.abs(near_q).max(), np.abs(near_r).max())
    unit = 2.0 ** -np.frexp(top)[1] if top > 0 else 1.0
    near_q *= unit
    near_r *= unit
    norms, norms_q = (near_r * near_r).sum(axis=1), (near_q * near_q).sum(axis=1)
    reach = np.sqrt(norms_q) + np.sqrt(norms.max())
    single, double = np.finfo(np.float32), np.finfo(np.float64)
    # Of the rounding in centring, in float32, and of what float32 is too coarse for near 0.
    slack = 4 * (width + 4) * (single.eps * reach**2 + single.tiny)
    slack += 4 * double.eps * (width + 2) * reach * (reach + largest * unit)
    right, weight = (blocks.tensor(a.astype(np.float32)) for a in (near_r, norms))
    left = near_q.astype(np.float32)
    spare = min(m, k + 8)
    distances, indices = np.empty((n, k)), np.empty((n, k), dtype=np.intp)

    def nearest(rows: slice) -> None:
        rough = weight - 2 * (blocks.tensor(left[rows]) @ right.T)
        found = torch.topk(rough, spare, dim=1, largest=False, sorted=False).indices
        candidates = np.sort(found.cpu().numpy(), axis=1).astype(np.intp)
        step = rows_per_block(spare * width)
        for start in range(0, len(candidates), step):
            part = slice(rows.start + start, min(rows.start + start + step, rows.stop))
            chosen = candidates[start : start + step]
            distances[part], indices[part] = closest(q[part], r, chosen, k)
        limit = (distances[rows, -1] * unit) ** 2 - norms_q[rows] + slack[rows]
        within = np.nextafter(limit.astype(np.float32), np.float32(np.inf))
        possible = rough <= blocks.tensor(within)[:, None]
        crowded = np.flatnonzero((possible.sum(dim=1) > spare).cpu().numpy())
        for i in crowded:
            every = np.flatnonzero(possible[int(i)].cpu().numpy())[None]
            row = slice(rows.start + i, rows.start + i + 1)
            distances[row], indices[row] = closest(q[row], r, every, k)

    blocks.over(n, _BLOCK // m, nearest)
    return distances, indices
