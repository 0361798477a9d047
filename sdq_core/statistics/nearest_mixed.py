"""The exact nearest rows of numbers and categories, at the rate of a matrix product."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdq_core.acceleration import Blocks, computed
from sdq_core.errors import UsageError
from sdq_core.statistics.blocked_search import copies_needed, first_copies, search
from sdq_core.statistics.mixed_on_device import LeastOnDevice
from sdq_core.statistics.mixed_rows import WIDTH, MixedRows, mixed_distances

__all__ = ["nearest_rows"]

Values = NDArray[np.float64]
Index = NDArray[np.intp]

_ONE_HOT = 12  # levels; with more, comparing codes is cheaper than so many products


def nearest_rows(
    query: MixedRows,
    reference: MixedRows,
    k: int = 2,
    *,
    gains: Sequence[Values] | None = None,
    groups: tuple[NDArray[np.generic], NDArray[np.generic]] | None = None,
    device: str = "cpu",
) -> tuple[Values, Index]:
    """Return the k nearest reference rows of each query row: exact, blocked.

    Parameters
    ----------
    query, reference : MixedRows
        Encoded by one `MixedSpace`.
    k : int
        At most the number of reference rows.
    gains : sequence of ndarray, optional
        For each category and level, in [0, 1]: what agreement takes off the full difference of 1;
        1 by default. See `rarity_gains`.
    groups : pair of ndarray, optional
        Groups of the query rows and of the reference rows; pairs of one group do not count.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``; it changes the time and no bit of the result.

    Returns
    -------
    distances : ndarray, shape (n, k)
        Ascending; infinite where groups left fewer than k rows.
    indices : ndarray, shape (n, k), intp
        Of equal distances the lower index comes first; -1 where there is none.

    Raises
    ------
    UsageError
        Columns that differ; `k` outside its range.

    Notes
    -----
    ``d^2 = sum (x_j - y_j)^2 + sum [c_j != c'_j]``: the dissimilarity of Huang, Data Min. Knowl.
    Discov. 2, 1998, doi:10.1023/A:1009769707641; with absolute differences it would be Gower's
    (Biometrics 27, 1971, doi:10.2307/2528823). A value that is missing on one side differs by 1,
    on both by 0. As a sum of products it is a matrix product, and the order of the references is
    found at the rate of one; the nearest are then measured in float64.

    Examples
    --------
    >>> rows = MixedRows(np.array([[0.0], [0.4], [1.0]]), np.array([[0], [0], [1]]))
    >>> d, i = nearest_rows(rows, rows, k=1, groups=(np.arange(3), np.arange(3)))
    >>> d.round(2).ravel().tolist(), i.ravel().tolist()
    ([0.4, 0.4, 1.17], [1, 0, 1])
    """
    shapes = [(r.numbers.shape[1], r.categories.shape[1]) for r in (query, reference)]
    if shapes[0] != shapes[1]:
        raise UsageError(
            f"query, reference: need the same numbers and categories, found {shapes[0]} and "
            f"{shapes[1]}"
        )
    if not 1 <= k <= len(reference):
        raise UsageError(f"k: must be 1 to {len(reference)} (the reference rows), found {k}")
    copies = copies_needed(k, groups)
    kept = first_copies([*reference.numbers.T, *reference.categories.T], copies) if copies else None
    if kept is not None:
        part = None if groups is None else (groups[0], groups[1][kept])
        distances, indices = nearest_rows(
            query, reference.take(kept), k, gains=gains, groups=part, device=device
        )
        return distances, np.where(indices < 0, -1, kept[indices])
    model, sizes = _Model(query, reference, gains), (len(query), len(reference))

    def on_device(blocks: Blocks) -> tuple[Values, Index]:
        least = LeastOnDevice(model.left, model.right, model.large, blocks)
        return search(model, sizes, k, groups, least_of_runs=least)

    work = float(sizes[0]) * sizes[1] * (model.left.shape[1] + len(model.large))
    return computed(
        device, work, "nearest rows", 0.0, on_device, lambda: search(model, sizes, k, groups)
    )


class _Model:
    """Costs as a matrix product, and comparisons of codes that have many levels."""

    dtype = np.dtype(np.float32)

    def __init__(
        self,
        query: MixedRows,
        reference: MixedRows,
        gains: Sequence[Values] | None,
    ) -> None:
        self.query, self.reference, self.gains = query, reference, gains
        left: list[NDArray[Any]] = []
        right: list[NDArray[Any]] = []
        base = np.zeros(len(reference))
        for j in range(query.numbers.shape[1]):
            base += _number(query.numbers[:, j], reference.numbers[:, j], left, right)
        self.large: list[tuple[NDArray[Any], NDArray[Any], NDArray[np.float32] | None]] = []
        for j in range(query.categories.shape[1]):
            a, b = query.categories[:, j], reference.categories[:, j]
            gain = None if gains is None else np.asarray(gains[j])
            if len(np.unique(b)) <= _ONE_HOT:
                base += _category(a, b, gain, left, right)
            else:
                dtype = np.min_scalar_type(int(max(a.max(initial=0), b.max(initial=0))))
                given = None if gain is None else gain[a].astype(np.float32)
                self.large.append((a.astype(dtype), b.astype(dtype), given))
        left.append(np.ones(len(query), np.float32))
        right.append(base)
        self.left = np.stack(left, 1).astype(np.float32)
        self.right = np.stack(right, 1).astype(np.float32)
        size = np.abs(self.left).max(axis=0, initial=0) @ np.abs(self.right).max(axis=0, initial=0)
        self.error = float((len(left) + 4) * np.finfo(np.float32).eps * (size + len(self.large)))

    def prepare(self, queries: slice) -> Any:
        """Return the block of the left factor, and its codes of many levels."""
        large = [(a[queries], None if g is None else g[queries]) for a, _, g in self.large]
        return np.ascontiguousarray(self.left[queries].T), large

    def tile(self, prepared: Any, references: slice, out: NDArray[Any]) -> None:
        """Write squared distances, less what depends on the query alone."""
        factor, large = prepared
        np.matmul(self.right[references], factor, out=out)
        if not large:
            return
        if large[0][1] is None and len(large) < 256:
            same = (self.large[0][1][references, None] == large[0][0]).view(np.uint8)
            for (a, _), (_, b, _) in zip(large[1:], self.large[1:], strict=True):
                same += (b[references, None] == a).view(np.uint8)
            out -= same
        else:
            for (a, gain), (_, b, _) in zip(large, self.large, strict=True):
                same_code = b[references, None] == a
                out -= same_code if gain is None else same_code * gain

    def exact(self, queries: Index, references: Index) -> Values:
        """Return distances."""
        return mixed_distances(
            self.query.take(queries), self.reference.take(references), self.gains
        )


def _number(a: Values, b: Values, left: list[NDArray[Any]], right: list[NDArray[Any]]) -> Values:
    """Add the products of a number's squared difference; return what the reference alone gives."""
    here, there = ~np.isnan(a), ~np.isnan(b)
    x, y = np.where(here, a - WIDTH / 2, 0.0), np.where(there, b - WIDTH / 2, 0.0)
    left.append(-2 * x)
    right.append(y)
    if here.all() and there.all():
        return y**2
    # p q (x - y)^2 + p + q - 2 p q, where p and q tell who has a value.
    left += [x**2 - here, here.astype(np.float64)]
    right += [there.astype(np.float64), y**2 - there]
    return there.astype(np.float64)


def _category(
    a: NDArray[Any],
    b: NDArray[Any],
    gain: Values | None,
    left: list[NDArray[Any]],
    right: list[NDArray[Any]],
) -> Values:
    """Add the products of minus the gain of agreement; return what the reference alone gives."""
    levels = np.unique(b)
    gains = np.ones(len(levels)) if gain is None else gain[levels]
    last = np.zeros(len(b))
    if np.isin(a, levels).all():
        # Who has none of the others has the last: one product fewer.
        last, levels = (b == levels[-1]) * gains[-1], levels[:-1]
    for level, g in zip(levels, gains, strict=False):
        left.append(a == level)
        right.append(last - (b == level) * g)
    return -last
