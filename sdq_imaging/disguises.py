"""Disguises of copied images: what hides a memorised image from a comparison of files or pixels."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import UsageError
from sdq_imaging.degradations import blur, in_type_of, shifted, spread

__all__ = ["Disguise", "disguised"]

Disguise = Literal["exact", "flip", "shift", "rotate", "gamma", "blur", "noise", "mixed"]


def disguised(
    image: NDArray[Any], disguise: Disguise, rng: np.random.Generator, *, width: float | None = None
) -> NDArray[Any]:
    """Return one image in disguise.

    Parameters
    ----------
    image : ndarray, shape (..., y, x)
    disguise : {"exact", "flip", "shift", "rotate", "gamma", "blur", "noise", "mixed"}
        ``flip``: left and right. ``shift``: by 1 to 5 % of the side, in both directions, the edge
        repeated. ``rotate``: by 3 to 8 degrees. ``gamma``: exponent 0.7 to 0.85 or 1.2 to 1.4.
        ``blur``: deviation of 0.8 % of the side (1 pixel of 128). ``noise``: 2 % of `width`.
        ``mixed``: all but the first, weaker, the flip every other time.
    rng : numpy.random.Generator
    width : float, optional
        Range of grey values; the image's own `spread` by default.

    Returns
    -------
    ndarray
        Of the same shape and dtype.

    Raises
    ------
    UsageError
        The disguise is not known.

    Examples
    --------
    >>> image = np.arange(6.0).reshape(2, 3)
    >>> disguised(image, "flip", np.random.default_rng(0)).tolist()
    [[2.0, 1.0, 0.0], [5.0, 4.0, 3.0]]
    """
    if disguise not in get_args(Disguise):
        raise UsageError(
            f"disguised: {disguise!r} is no disguise; take one of {', '.join(get_args(Disguise))}"
        )
    stack = image[None]
    side = min(image.shape[-2:])
    width = spread(stack) if width is None else width
    mixed = disguise == "mixed"
    work = stack.astype(np.float64)
    if disguise == "flip" or (mixed and rng.random() < 0.5):
        work = work[..., ::-1]
    if disguise == "shift" or mixed:
        reach = max(1, round((0.02 if mixed else 0.05) * side))
        distances = rng.integers(1, reach + 1, 2) * rng.choice((-1, 1), 2)
        work = shifted(work, *distances)
    if disguise == "rotate" or mixed:
        angle = rng.uniform(1, 3) if mixed else rng.uniform(3, 8)
        work = _rotated(work, float(angle * rng.choice((-1, 1))))
    if disguise == "gamma" or mixed:
        weak, strong = ((0.85, 0.95), (1.05, 1.15)) if mixed else ((0.7, 0.85), (1.2, 1.4))
        work = _gamma(work, rng.uniform(*(weak if rng.random() < 0.5 else strong)))
    if disguise == "blur" or mixed:
        work = blur(work, (0.5 if mixed else 1.0) * side / 128)
    if disguise == "noise" or mixed:
        deviation = (0.01 if mixed else 0.02) * width
        work = work + deviation * rng.standard_normal(work.shape)
    made: NDArray[Any] = in_type_of(stack, work)[0]
    return made


def _rotated(images: NDArray[Any], degrees: float) -> NDArray[Any]:
    from scipy.ndimage import rotate

    turned: NDArray[Any] = rotate(images, degrees, (-1, -2), reshape=False, order=1, mode="nearest")
    return turned


def _gamma(images: NDArray[Any], exponent: float) -> NDArray[Any]:
    low, high = images.min(), images.max()
    if high == low:
        return images
    bent: NDArray[Any] = low + (high - low) * ((images - low) / (high - low)) ** exponent
    return bent
