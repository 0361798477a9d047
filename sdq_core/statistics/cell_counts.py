"""Counts of the cells of a table: all of them, or only those that occur."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import UsageError

__all__ = ["DENSE", "DenseCells", "SparseCells", "cell_counts", "sparse_distance"]

Values = NDArray[np.float64]
Index = NDArray[np.intp]

DENSE = 2**22
"""Most cells of a table that are held whether they occur or not."""

_PENDING = 2**20


class DenseCells:
    """A count for each cell."""

    def __init__(self, cells: int) -> None:
        self.counts = np.zeros(cells)

    def add(self, keys: Index, weights: Values | None) -> None:
        """Count rows by the cell they fall in."""
        self.counts += np.bincount(keys, weights, len(self.counts))

    def take(self, other: DenseCells | SparseCells) -> None:
        """Add what another has counted."""
        assert isinstance(other, DenseCells)
        self.counts += other.counts


class SparseCells:
    """Only cells that occur; rows wait until there are enough of them to be worth a sort."""

    def __init__(self) -> None:
        self.keys: Index = np.empty(0, np.intp)
        self.counts: Values = np.empty(0)
        self.waiting: list[tuple[Index, Values]] = []

    def add(self, keys: Index, weights: Values | None) -> None:
        """Count rows by the cell they fall in."""
        self.waiting.append((keys, np.ones(len(keys)) if weights is None else weights))
        if sum(len(k) for k, _ in self.waiting) > max(_PENDING, len(self.keys)):
            self.cells()

    def take(self, other: DenseCells | SparseCells) -> None:
        """Add what another has counted."""
        assert isinstance(other, SparseCells)
        self.waiting.append(other.cells())

    def cells(self) -> tuple[Index, Values]:
        """Return the cells that occur, ascending, and their counts."""
        if self.waiting:
            keys = np.concatenate([self.keys, *(k for k, _ in self.waiting)])
            counts = np.concatenate([self.counts, *(c for _, c in self.waiting)])
            self.keys, where = np.unique(keys, return_inverse=True)
            self.counts = np.bincount(where, counts).astype(np.float64, copy=False)
            self.waiting = []
        return self.keys, self.counts


def cell_counts(cells: int) -> DenseCells | SparseCells:
    """Return a counter for so many cells."""
    if cells > np.iinfo(np.intp).max:
        raise UsageError(f"levels: two columns of together {cells:.1e} cells are too many to count")
    return DenseCells(cells) if cells <= DENSE else SparseCells()


def sparse_distance(a: SparseCells, b: SparseCells, total_a: float, total_b: float) -> float:
    """Return the total variation of two tables of which few cells occur."""
    (keys_a, p), (keys_b, q) = a.cells(), b.cells()
    _, where = np.unique(np.concatenate([keys_a, keys_b]), return_inverse=True)
    return 0.5 * float(
        np.abs(np.bincount(where, np.concatenate([p / total_a, -q / total_b]))).sum()
    )
