"""MS-SSIM of many pairs on a device: the sums of `sdq_imaging.structural_similarity`, in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdq_core.acceleration import Blocks
from sdq_imaging.structural_similarity import SCALE_WEIGHTS, TAPS, WEIGHTS, contrast, luminance

__all__ = ["pairwise_on_device"]

_BLOCK = 2**24
"""Pixels of one temporary tensor: 64 MiB; there are about ten at a time."""


def pairwise_on_device(
    images: NDArray[np.float32], pairs: NDArray[np.intp], data_range: float, blocks: Blocks
) -> NDArray[np.float64]:
    """Return the multi-scale structural similarity of many pairs of one set.

    Parameters
    ----------
    images : ndarray, shape (n, y, x)
        At least 11 pixels a side.
    pairs : ndarray, shape (m, 2)
    data_range : float
    blocks : Blocks
        The device, in `sdq_core.acceleration.exact_arithmetic`.

    Returns
    -------
    ndarray, shape (m,)
        Within `DEVICE_TOLERANCE` of the processor's: sums are in another order.

    Examples
    --------
    >>> x = np.random.default_rng(0).random((2, 32, 32), np.float32)
    >>> pairwise_on_device(x, np.array([[0, 0]]), 1.0, Blocks("cpu")).round(6).tolist()
    [1.0]
    """
    found = np.ones(len(pairs))
    levels = list(_scales(blocks.tensor(images)))
    weights = np.array(SCALE_WEIGHTS[: len(levels)])
    weights /= weights.sum()
    first, second = (blocks.tensor(side.astype(np.int64)) for side in pairs.T)
    for scale, weight in enumerate(weights):
        level, levels[scale] = levels[scale], None
        last = scale == len(weights) - 1
        term = _terms(level, first, second, data_range, blocks, last=last)
        # As the processor does it, number by number: powers of arrays may round otherwise.
        found *= [max(t, 0.0) ** float(weight) for t in term.tolist()]
    return found


def _terms(
    level: Any, first: Any, second: Any, data_range: float, blocks: Blocks, *, last: bool
) -> NDArray[np.float64]:
    """Return the mean contrast of each pair at one scale, times the luminance at the last."""
    import torch

    n, height, width = level.shape
    middle = float(np.float32(data_range / 2))
    level = level - middle  # variances are differences, of which rounding then takes less
    step = _BLOCK // (height * width)
    valid = (n, height - TAPS + 1, width - TAPS + 1)
    mean, square = (torch.empty(valid, device=level.device) for _ in range(2))

    def moments(rows: slice) -> None:
        mean[rows], square[rows] = _blurred(level[rows]), _blurred(level[rows] * level[rows])

    found = np.empty(len(first))

    def similar(rows: slice) -> None:
        i, j = first[rows], second[rows]
        of_x, of_y = (mean[i], square[i]), (mean[j], square[j])
        term = contrast(of_x, of_y, _blurred(level[i] * level[j]), data_range)
        if last:
            means = (of_x[0] + middle, None), (of_y[0] + middle, None)
            term *= luminance(*means, data_range)
        found[rows] = term.mean(dim=(1, 2), dtype=torch.float64).cpu().numpy()

    blocks.over(n, step, moments)
    blocks.over(len(first), step, similar)
    return found


def _scales(x: Any) -> Iterator[Any]:
    level = x
    for scale in range(len(SCALE_WEIGHTS)):
        yield level
        height, width = (s // 2 for s in level.shape[1:])
        if scale == len(SCALE_WEIGHTS) - 1 or min(height, width) < TAPS:
            return
        even = level[:, : 2 * height, : 2 * width]
        level = (
            even[:, ::2, ::2] + even[:, 1::2, ::2] + even[:, ::2, 1::2] + even[:, 1::2, 1::2]
        ) / 4


def _blurred(x: Any) -> Any:
    """Gaussian filter, valid part."""
    height, width = (s - TAPS + 1 for s in x.shape[1:])
    rows = _weighted([x[:, :, j : j + width] for j in range(TAPS)])
    return _weighted([rows[:, j : j + height] for j in range(TAPS)])


def _weighted(parts: list[Any]) -> Any:
    """Sum of the parts by the window's weights, in the processor's order."""
    half = TAPS // 2
    found = parts[half] * float(WEIGHTS[half])
    for j in range(half):
        sums = parts[j] + parts[TAPS - 1 - j]
        sums *= float(WEIGHTS[j])
        found += sums
    return found
