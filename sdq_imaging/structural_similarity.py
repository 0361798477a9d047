"""Structural similarity of pairs of images: SSIM and MS-SSIM by products in float32."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdq_core.acceleration import Blocks, computed
from sdq_core.errors import UsageError

__all__ = [
    "SCALE_WEIGHTS",
    "TAPS",
    "WEIGHTS",
    "contrast",
    "luminance",
    "ms_ssim",
    "pairwise_ms_ssim",
    "ssim",
    "ssim_maps",
]

Values = NDArray[np.floating]

TAPS, SIGMA = 11, 1.5
K1, K2 = 0.01, 0.03
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)

AT_ONCE = 1 << 17
"""Pixels of the pairs that are computed together: what a processor keeps at hand."""

DEVICE_TOLERANCE = 1e-5
"""Of MS-SSIM on a CUDA device, absolute."""


def ssim(a: ArrayLike, b: ArrayLike, data_range: float) -> NDArray[np.float64]:
    """Return the mean structural similarity of each pair.

    Parameters
    ----------
    a, b : array_like, shape (n, y, x)
        Both sides at least 11 pixels.
    data_range : float
        Of the whole set, not of a pair: 1 for grey values 0..1.

    Returns
    -------
    ndarray, shape (n,), -1..1
        Wang et al. 2004, doi:10.1109/TIP.2003.819861: Gaussian window of 11 taps and deviation
        1.5, valid part only.

    Examples
    --------
    >>> x = np.random.default_rng(0).random((1, 32, 32))
    >>> round(float(ssim(x, x, 1.0)[0]), 6)
    1.0
    """
    return np.asarray(ssim_maps(a, b, data_range).mean(axis=(1, 2), dtype=np.float64))


def ssim_maps(a: ArrayLike, b: ArrayLike, data_range: float) -> NDArray[np.float32]:
    """Return the structural similarity of each pair at each place.

    Parameters
    ----------
    a, b : array_like, shape (n, y, x)
    data_range : float

    Returns
    -------
    ndarray, shape (n, y - 10, x - 10)
        Of the window around each pixel that lies wholly in the image.

    Examples
    --------
    >>> x = np.random.default_rng(0).random((1, 32, 32))
    >>> ssim_maps(x, x, 1.0).shape
    (1, 22, 22)
    """
    first, second = _pairs(a, b, data_range, TAPS)
    found = []
    for x, y in zip(first, second, strict=True):
        of_x, of_y = ((_blurred(v), _blurred(v * v)) for v in (x, y))
        similar = contrast(of_x, of_y, _blurred(x * y), data_range)
        similar *= luminance(of_x, of_y, data_range)
        found.append(similar)
    return np.stack(found)


def ms_ssim(a: ArrayLike, b: ArrayLike, data_range: float) -> NDArray[np.float64]:
    """Return the multi-scale structural similarity of each pair.

    Parameters
    ----------
    a, b : array_like, shape (n, y, x)
    data_range : float

    Returns
    -------
    ndarray, shape (n,), 0..1
        Wang et al. 2003, doi:10.1109/ACSSC.2003.1292216: five scales by 2 x 2 means. As many
        scales are used as leave 11 pixels a side, with their weights scaled to sum to 1; mean
        contrasts below 0 count as 0, since their roots do not exist.

    Examples
    --------
    >>> x = np.random.default_rng(0).random((1, 200, 200))
    >>> round(float(ms_ssim(x, x, 1.0)[0]), 6)
    1.0
    """
    first, second = _pairs(a, b, data_range, TAPS)
    n = len(first)
    return _of_pairs(
        np.concatenate([first, second]),
        np.column_stack([np.arange(n), n + np.arange(n)]),
        data_range,
    )


def pairwise_ms_ssim(
    images: ArrayLike, pairs: ArrayLike, data_range: float, *, device: str = "cpu"
) -> NDArray[np.float64]:
    """Return the multi-scale structural similarity of many pairs of one set.

    Parameters
    ----------
    images : array_like, shape (n, y, x)
    pairs : array_like of int, shape (m, 2)
    data_range : float
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``; values agree within 1e-5.

    Returns
    -------
    ndarray, shape (m,)
        As `ms_ssim`; what belongs to one image alone is computed once.

    Examples
    --------
    >>> x = np.random.default_rng(0).random((3, 64, 64))
    >>> bool(np.allclose(pairwise_ms_ssim(x, [[0, 2]], 1.0), ms_ssim(x[:1], x[2:], 1.0)))
    True
    """
    stack, _ = _pairs(images, images, data_range, TAPS)
    index = np.asarray(pairs, dtype=np.intp).reshape(-1, 2)

    def on_device(blocks: Blocks) -> NDArray[np.float64]:
        from sdq_imaging.similarity_on_device import pairwise_on_device

        return pairwise_on_device(stack, index, data_range, blocks)

    def on_processor() -> NDArray[np.float64]:
        return _of_pairs(stack, index, data_range)

    # Two passes of a window over each pixel and, in all, a third of it at the smaller scales.
    work = float(len(index)) * stack[:1].size * 2 * TAPS * 4 / 3
    return computed(device, work, "MS-SSIM", DEVICE_TOLERANCE, on_device, on_processor)


def _of_pairs(stack: Values, index: NDArray[np.intp], data_range: float) -> NDArray[np.float64]:
    """Return MS-SSIM of pairs of a stack, some pairs at a time.

    Variances are those of the values less half the range, of which rounding takes less.
    """
    levels: list[Values] = [stack]
    while len(levels) < len(SCALE_WEIGHTS) and min(levels[-1].shape[1:]) // 2 >= TAPS:
        levels.append(_halved(levels[-1]))
    weights = np.array(SCALE_WEIGHTS[: len(levels)])
    weights /= weights.sum()
    middle = np.float32(data_range / 2)
    found = np.ones(len(index))
    for k, level in enumerate(levels):
        level = level - middle
        moments = [_blurred(level), _blurred(level * level)]
        step = max(1, AT_ONCE // level[0].size)
        for start in range(0, len(index), step):
            rows = slice(start, start + step)
            i, j = index[rows].T
            of_x, of_y = (tuple(m[side] for m in moments) for side in (i, j))
            term = contrast(of_x, of_y, _blurred(level[i] * level[j]), data_range)
            if k == len(levels) - 1:
                raised = [(means[0] + middle, None) for means in (of_x, of_y)]
                term *= luminance(raised[0], raised[1], data_range)
            found[rows] *= np.maximum(term.mean(axis=(1, 2), dtype=np.float64), 0.0) ** weights[k]
    return found


def _blurred(x: Values) -> Values:
    """Return the last two axes filtered by the Gaussian window, valid part.

    A product with some rows of the window's band at a time: most of its entries are the window's,
    and a matrix product does several times as many operations a second as sums of shifted arrays.
    """
    height, width = x.shape[-2:]
    rows, columns = height - TAPS + 1, width - TAPS + 1
    flat = x.reshape(-1, width)
    along = np.empty((len(flat), columns), np.float32)
    for start in range(0, columns, BLOCK):
        size = min(BLOCK, columns - start)
        band = _BAND[:size, : size + TAPS - 1]
        np.matmul(
            flat[:, start : start + band.shape[1]], band.T, out=along[:, start : start + size]
        )
    along = along.reshape(-1, height, columns)
    found = np.empty((len(along), rows, columns), np.float32)
    for start in range(0, rows, BLOCK):
        size = min(BLOCK, rows - start)
        band = _BAND[:size, : size + TAPS - 1]
        np.matmul(band, along[:, start : start + band.shape[1]], out=found[:, start : start + size])
    return found.reshape(*x.shape[:-2], rows, columns)


def _halved(x: Values) -> Values:
    """Return means of 2 x 2 pixels; the last two axes are halved."""
    height, width = (s // 2 for s in x.shape[-2:])
    even = x[..., : 2 * height, : 2 * width]
    parts = [even[..., i::2, j::2] for j in (0, 1) for i in (0, 1)]
    return np.asarray((parts[0] + parts[1] + parts[2] + parts[3]) / 4, np.float32)


def luminance(of_x: tuple[Any, Any], of_y: tuple[Any, Any], data_range: float) -> Any:
    """Return the likeness of local means; of arrays, or of tensors."""
    c1 = float(np.float32((K1 * data_range) ** 2))
    mx, my = of_x[0], of_y[0]
    found = 2 * (mx * my)
    found += c1
    squares = mx * mx + my * my
    squares += c1
    found /= squares
    return found


def contrast(of_x: tuple[Any, Any], of_y: tuple[Any, Any], xy: Any, data_range: float) -> Any:
    """Return contrast and structure, written over the blurred product; of arrays or tensors."""
    c2 = float(np.float32((K2 * data_range) ** 2))
    (mx, xx), (my, yy) = of_x, of_y
    xy -= mx * my
    xy *= 2
    xy += c2
    spread = xx + yy
    spread -= mx * mx + my * my
    spread += c2
    xy /= spread
    return xy


def _kernel() -> Values:
    offset = np.arange(TAPS) - TAPS // 2
    weights = np.exp(-(offset**2) / (2 * SIGMA**2))
    return np.asarray(weights / weights.sum(), dtype=np.float32)


WEIGHTS = _kernel()


BLOCK = 32
"""Pixels that one product filters: a longer block has more zeros, a shorter one less to do."""
_BAND = np.stack([np.pad(WEIGHTS, (k, BLOCK - 1 - k)) for k in range(BLOCK)])
"""The window about each of them, shape (32, 42)."""


def _pairs(a: ArrayLike, b: ArrayLike, data_range: float, least: int) -> tuple[Any, Any]:
    first, second = np.asarray(a, np.float32), np.asarray(b, np.float32)
    if first.ndim != 3 or first.shape != second.shape:
        raise UsageError(
            f"a, b: need equal shapes (n, y, x), found {first.shape} and {second.shape}"
        )
    if min(first.shape[1:]) < least:
        raise UsageError(
            f"a, b: need at least {least} pixels a side, found {first.shape[1:]}; enlarge them"
        )
    if not data_range > 0:
        raise UsageError(f"data_range: must be positive, found {data_range}")
    return first, second
