"""Rough costs of mixed rows on a device: what `sdq_core.statistics.blocked_search` settles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdq_core.acceleration import Blocks

__all__ = ["LeastOnDevice"]

Index = NDArray[np.intp]

_BLOCK = 2**26
"""Rough costs on the device at a time: 256 MiB of float32."""


class LeastOnDevice:
    """The least rough cost of each run of references, by a matrix product in float32.

    Parameters
    ----------
    left, right : ndarray, shapes (n, f) and (m, f), float32
        Their product is the cost of numbers and of categories with few levels.
    large : sequence of (ndarray, ndarray, ndarray or None)
        Codes of the queries, codes of the references, and what agreement takes off (None: 1) for
        each query.
    blocks : Blocks
        The device, in `sdq_core.acceleration.exact_arithmetic`.
    """

    def __init__(
        self,
        left: NDArray[np.float32],
        right: NDArray[np.float32],
        large: Sequence[tuple[NDArray[Any], NDArray[Any], NDArray[np.float32] | None]],
        blocks: Blocks,
    ) -> None:
        self._blocks = blocks
        self._left, self._right = blocks.tensor(left), blocks.tensor(right)
        self._large = [
            (
                blocks.tensor(a.astype(np.int64)),
                blocks.tensor(b.astype(np.int64)),
                None if gain is None else blocks.tensor(gain),
            )
            for a, b, gain in large
        ]

    def __call__(
        self, queries: slice, groups: tuple[Index, Index] | None, run: int, out: NDArray[Any]
    ) -> None:
        """Write the least cost of each run, shape (runs, queries); infinite where none counts."""
        import torch

        m, width = len(self._right), queries.stop - queries.start
        factor = self._left[queries].T
        own, others = (
            (None, None)
            if groups is None
            else (self._blocks.tensor(groups[0][queries]), self._blocks.tensor(groups[1]))
        )

        def least(runs: slice) -> None:
            rows = slice(runs.start * run, min(runs.stop * run, m))
            cost = self._right[rows] @ factor
            for a, b, gain in self._large:
                same = b[rows, None] == a[queries]
                cost -= same.float() if gain is None else same * gain[queries]
            if others is not None:
                cost.masked_fill_(others[rows, None] == own, torch.inf)
            short = (runs.stop - runs.start) * run - len(cost)
            cost = torch.nn.functional.pad(cost, (0, 0, 0, short), value=torch.inf)
            out[runs] = cost.reshape(-1, run, width).amin(dim=1).cpu().numpy()

        self._blocks.over(len(out), _BLOCK // (run * width), least)
