"""Disguises of copied images: what hides a memorised image from a comparison of files or pixels."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import UsageError
from sdq_imaging.degradations import blur, in_type_of, shifted, spread

__all__ = ["Disguise", "disguised"]

Disguise = Literal[
    "exact", "flip", "shift", "rotate", "zoom", "gamma", "window", "blur", "noise", "mixed"
]


def disguised(
    image: NDArray[Any],
    disguise: Disguise,
    rng: np.random.Generator,
    *,
    width: float | None = None,
    strength: float = 1.0,
) -> NDArray[Any]:
    """Return one image in disguise.

    Parameters
    ----------
    image : ndarray, shape (..., y, x)
    disguise : str
        ``exact``: none. ``flip``: left and right. ``shift``: by 1 to 5 % of the side, in both
        directions, the edge repeated. ``rotate``: by 3 to 8 degrees. ``zoom``: by 2 to 5 %, in or
        out. ``gamma``: exponent 0.7 to 0.85 or 1.2 to 1.4. ``window``: 5 to 15 % of the grey range
        cut off at each end. ``blur``: deviation of 0.8 % of the side (1 pixel of 128). ``noise``:
        2 % of `width`. ``mixed``: shift, rotation, gamma, blur and noise, weaker, and the flip
        every other time.
    rng : numpy.random.Generator
    width : float, optional
        Range of grey values; the image's own `spread` by default.
    strength : float, > 0
        Multiplies all these amounts, the logarithm of the exponent included.

    Returns
    -------
    ndarray
        Of the same shape and dtype.

    Raises
    ------
    UsageError
        The disguise is not known; the strength is not positive.

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
    if not strength > 0:
        raise UsageError(f"disguised: strength must be above 0, found {strength}")
    stack = image[None]
    side = min(image.shape[-2:])
    width = spread(stack) if width is None else width
    mixed = disguise == "mixed"
    work = stack.astype(np.float64)
    if disguise == "flip" or (mixed and rng.random() < 0.5):
        work = work[..., ::-1]
    if disguise == "shift" or mixed:
        reach = max(1, round(strength * (0.02 if mixed else 0.05) * side))
        distances = rng.integers(1, reach + 1, 2) * rng.choice((-1, 1), 2)
        work = shifted(work, *distances)
    if disguise == "rotate" or mixed:
        angle = rng.uniform(1, 3) if mixed else rng.uniform(3, 8)
        work = _rotated(work, float(strength * angle * rng.choice((-1, 1))))
    if disguise == "zoom":
        work = _zoomed(work, 1 + strength * rng.uniform(0.02, 0.05) * rng.choice((-1, 1)))
    if disguise == "gamma" or mixed:
        weak, strong = ((0.85, 0.95), (1.05, 1.15)) if mixed else ((0.7, 0.85), (1.2, 1.4))
        work = _gamma(work, rng.uniform(*(weak if rng.random() < 0.5 else strong)) ** strength)
    if disguise == "window":
        low, high = work.min(), work.max()
        cut = np.minimum(0.45, strength * rng.uniform(0.05, 0.15, 2)) * (high - low)
        bottom, top = low + cut[0], high - cut[1]
        if top > bottom:
            work = low + (np.clip(work, bottom, top) - bottom) * ((high - low) / (top - bottom))
    if disguise == "blur" or mixed:
        work = blur(work, strength * (0.5 if mixed else 1.0) * side / 128)
    if disguise == "noise" or mixed:
        deviation = strength * (0.01 if mixed else 0.02) * width
        work = work + deviation * rng.standard_normal(work.shape)
    made: NDArray[Any] = in_type_of(stack, work)[0]
    return made


def _rotated(images: NDArray[Any], degrees: float) -> NDArray[Any]:
    from scipy.ndimage import rotate

    turned: NDArray[Any] = rotate(images, degrees, (-1, -2), reshape=False, order=1, mode="nearest")
    return turned


def _zoomed(images: NDArray[Any], factor: float) -> NDArray[Any]:
    """Magnify about the centre, within the plane."""
    from scipy.ndimage import affine_transform

    factors = np.array([1.0] * (images.ndim - 2) + [factor] * 2)
    centre = (np.array(images.shape) - 1) / 2
    made: NDArray[Any] = affine_transform(
        images, 1 / factors, offset=centre - centre / factors, order=1, mode="nearest"
    )
    return made


def _gamma(images: NDArray[Any], exponent: float) -> NDArray[Any]:
    low, high = images.min(), images.max()
    if high == low:
        return images
    bent: NDArray[Any] = low + (high - low) * ((images - low) / (high - low)) ** exponent
    return bent
