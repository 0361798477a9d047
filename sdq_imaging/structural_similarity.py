"""Structural similarity of pairs of images: SSIM and MS-SSIM by separable shifts in float32."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdq_core.errors import UsageError

__all__ = ["ms_ssim", "pairwise_ms_ssim", "ssim"]

Values = NDArray[np.floating]

TAPS, SIGMA = 11, 1.5
K1, K2 = 0.01, 0.03
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


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
    first, second = _pairs(a, b, data_range, TAPS)
    return np.array(
        [
            float((luminance * contrast).mean(dtype=np.float64))
            for luminance, contrast in (
                _terms(_moments(x), _moments(y), _blur(x * y), data_range)
                for x, y in zip(first, second, strict=True)
            )
        ]
    )


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
    return np.array(
        [
            _combined(_pyramid(x), _pyramid(y), data_range)
            for x, y in zip(first, second, strict=True)
        ]
    )


def pairwise_ms_ssim(images: ArrayLike, pairs: ArrayLike, data_range: float) -> NDArray[np.float64]:
    """Return the multi-scale structural similarity of many pairs of one set.

    Parameters
    ----------
    images : array_like, shape (n, y, x)
    pairs : array_like of int, shape (m, 2)
    data_range : float

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
    known = [_pyramid(x) for x in stack]
    return np.array([_combined(known[i], known[j], data_range) for i, j in index])


Level = tuple[Values, tuple[Values, Values]]


def _pyramid(x: Values) -> list[Level]:
    """Return an image at each scale with its local mean and second moment."""
    return [(level, _moments(level)) for level in _scales(x)]


def _combined(a: list[Level], b: list[Level], data_range: float) -> float:
    weights = np.array(SCALE_WEIGHTS[: len(a)])
    weights /= weights.sum()
    value = 1.0
    for k, ((x, of_x), (y, of_y)) in enumerate(zip(a, b, strict=True)):
        luminance, contrast = _terms(of_x, of_y, _blur(x * y), data_range)
        term = luminance * contrast if k == len(a) - 1 else contrast
        value *= max(float(term.mean(dtype=np.float64)), 0.0) ** float(weights[k])
    return value


def _scales(x: Values) -> Iterator[Values]:
    level = x
    for scale in range(len(SCALE_WEIGHTS)):
        yield level
        height, width = (s // 2 for s in level.shape)
        if scale == len(SCALE_WEIGHTS) - 1 or min(height, width) < TAPS:
            return
        even = level[: 2 * height, : 2 * width]
        level = (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4


def _moments(x: Values) -> tuple[Values, Values]:
    return _blur(x), _blur(x * x)


def _terms(
    of_x: tuple[Values, Values], of_y: tuple[Values, Values], xy: Values, data_range: float
) -> tuple[Values, Values]:
    """Luminance and contrast-structure maps."""
    c1, c2 = np.float32((K1 * data_range) ** 2), np.float32((K2 * data_range) ** 2)
    (mx, xx), (my, yy) = of_x, of_y
    product, squares = mx * my, mx * mx + my * my
    luminance = (2 * product + c1) / (squares + c1)
    contrast = (2 * (xy - product) + c2) / (xx + yy - squares + c2)
    return luminance, contrast


def _kernel() -> Values:
    offset = np.arange(TAPS) - TAPS // 2
    weights = np.exp(-(offset**2) / (2 * SIGMA**2))
    return np.asarray(weights / weights.sum(), dtype=np.float32)


_WEIGHTS = _kernel()


def _blur(x: Values) -> Values:
    """Gaussian filter, valid part: the symmetric window adds its two halves first."""
    half = TAPS // 2
    width = x.shape[1] - TAPS + 1
    rows = x[:, half : half + width] * _WEIGHTS[half]
    for j in range(half):
        rows += (x[:, j : j + width] + x[:, TAPS - 1 - j : TAPS - 1 - j + width]) * _WEIGHTS[j]
    height = x.shape[0] - TAPS + 1
    found = rows[half : half + height] * _WEIGHTS[half]
    for j in range(half):
        found += (rows[j : j + height] + rows[TAPS - 1 - j : TAPS - 1 - j + height]) * _WEIGHTS[j]
    return np.asarray(found)


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
