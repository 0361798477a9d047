"""Structural similarity of pairs of images: SSIM and MS-SSIM by separable shifts in float32."""

from __future__ import annotations

from collections.abc import Iterator
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

SMALL = 128
"""Pixels a side up to which the window of many pairs is a matrix product."""
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
    blur = _Gaussian(first.shape[1:])
    found = []
    for x, y in zip(first, second, strict=True):
        of_x, of_y = _moments(x, blur), _moments(y, blur)
        similar = contrast(of_x, of_y, blur(x * y), data_range)
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
    blurs = _Blurs()
    return np.array(
        [
            _combined(_pyramid(x, blurs), _pyramid(y, blurs), data_range, blurs)
            for x, y in zip(first, second, strict=True)
        ]
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
        if max(stack.shape[1:]) <= SMALL:
            return _by_products(stack, index, data_range)
        blurs = _Blurs()
        known = [_pyramid(x, blurs) for x in stack]
        return np.array([_combined(known[i], known[j], data_range, blurs) for i, j in index])

    # Two passes of a window over each pixel and, in all, a third of it at the smaller scales.
    work = float(len(index)) * stack[:1].size * 2 * TAPS * 4 / 3
    return computed(device, work, "MS-SSIM", DEVICE_TOLERANCE, on_device, on_processor)


def _by_products(stack: Values, index: NDArray[np.intp], data_range: float) -> NDArray[np.float64]:
    """Return MS-SSIM of pairs of small images, some pairs at a time.

    The window is a matrix product along each axis: at this size cheaper than its taps one by one.
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
        blur = _Products(level.shape[1:])
        level = level - middle
        moments = [blur(level), blur(level * level)]
        step = max(1, AT_ONCE // level[0].size)
        for start in range(0, len(index), step):
            rows = slice(start, start + step)
            i, j = index[rows].T
            of_x, of_y = (tuple(m[side] for m in moments) for side in (i, j))
            term = contrast(of_x, of_y, blur(level[i] * level[j]), data_range)
            if k == len(levels) - 1:
                raised = [(means[0] + middle, None) for means in (of_x, of_y)]
                term *= luminance(raised[0], raised[1], data_range)
            found[rows] *= np.maximum(term.mean(axis=(1, 2), dtype=np.float64), 0.0) ** weights[k]
    return found


class _Products:
    """Gaussian filter of images of one small size, valid part, as matrix products."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._rows, self._columns = (_band(side) for side in shape)

    def __call__(self, x: Values) -> Values:
        along = (x.reshape(-1, x.shape[-1]) @ self._columns.T).reshape(*x.shape[:-1], -1)
        return np.asarray(np.matmul(self._rows, along), np.float32)


def _band(side: int) -> Values:
    """Return the matrix of the window, shape (side - 10, side)."""
    found = np.zeros((side - TAPS + 1, side), np.float32)
    for row in range(len(found)):
        found[row, row : row + TAPS] = WEIGHTS
    return found


Level = tuple[Values, tuple[Values, Values]]


def _pyramid(x: Values, blurs: _Blurs) -> list[Level]:
    """Return an image at each scale with its local mean and second moment."""
    return [(level, _moments(level, blurs[level.shape])) for level in _scales(x)]


def _combined(a: list[Level], b: list[Level], data_range: float, blurs: _Blurs) -> float:
    weights = np.array(SCALE_WEIGHTS[: len(a)])
    weights /= weights.sum()
    value = 1.0
    for k, ((x, of_x), (y, of_y)) in enumerate(zip(a, b, strict=True)):
        term = contrast(of_x, of_y, blurs[x.shape](x * y), data_range)
        if k == len(a) - 1:
            term *= luminance(of_x, of_y, data_range)
        value *= max(float(term.mean(dtype=np.float64)), 0.0) ** float(weights[k])
    return value


def _scales(x: Values) -> Iterator[Values]:
    level = x
    for scale in range(len(SCALE_WEIGHTS)):
        yield level
        height, width = (s // 2 for s in level.shape)
        if scale == len(SCALE_WEIGHTS) - 1 or min(height, width) < TAPS:
            return
        level = _halved(level)


def _halved(x: Values) -> Values:
    """Return means of 2 x 2 pixels; the last two axes are halved."""
    height, width = (s // 2 for s in x.shape[-2:])
    even = x[..., : 2 * height, : 2 * width]
    parts = [even[..., i::2, j::2] for j in (0, 1) for i in (0, 1)]
    return np.asarray((parts[0] + parts[1] + parts[2] + parts[3]) / 4, np.float32)


def _moments(x: Values, blur: _Gaussian) -> tuple[Values, Values]:
    return blur(x), blur(x * x)


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


class _Gaussian:
    """Gaussian filter for images of one size, valid part.

    Keeps the arrays in between: new memory for each image costs more than the sums in it.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        height, width = shape
        self._height, self._width = height - TAPS + 1, width - TAPS + 1
        self._rows = np.empty((height, self._width), np.float32)
        self._sums = np.empty_like(self._rows)

    def __call__(self, x: Values) -> Values:
        height, width = self._height, self._width
        _weighted([x[:, j : j + width] for j in range(TAPS)], self._rows, self._sums)
        found = np.empty((height, width), np.float32)
        _weighted([self._rows[j : j + height] for j in range(TAPS)], found, self._sums[:height])
        return found


class _Blurs(dict[tuple[int, ...], _Gaussian]):
    """The filter for each size, made when it is first asked for."""

    def __missing__(self, shape: tuple[int, ...]) -> _Gaussian:
        self[shape] = made = _Gaussian(shape)
        return made


def _weighted(parts: list[Values], found: Values, sums: Values) -> None:
    """Sum of the parts by the window's weights; it is symmetric, so its two halves add first."""
    half = TAPS // 2
    np.multiply(parts[half], WEIGHTS[half], out=found)
    for j in range(half):
        np.add(parts[j], parts[TAPS - 1 - j], out=sums)
        np.multiply(sums, WEIGHTS[j], out=sums)
        np.add(found, sums, out=found)


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
