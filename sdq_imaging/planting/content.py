"""What a bad generator does to the values of one image or volume.

All functions take stored values, whose planes are the last two axes, and return others of the same
shape, not yet rounded to what can be stored. Amounts of grey are shares of the cohort's `width`.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_imaging.degradations import shifted

__all__ = [
    "blurred", "clipped", "composed", "ghosted", "grid", "pattern", "raised", "shuffled", "text",
    "varied", "with_noise",
]  # fmt: skip

Values = NDArray[Any]
TEXT: Final = "2024-03-05 ZHANG 00123456"
"""Written into pixels: a date, a name and a number, of nobody."""
PATCHES: Final = 4


def blurred(values: Values, sigma: float) -> Values:
    """Blur each plane by a Gaussian of `sigma` pixels."""
    from scipy.ndimage import gaussian_filter

    sigmas = (0.0,) * (values.ndim - 2) + (sigma, sigma)
    found: Values = gaussian_filter(values.astype(np.float64), sigmas, mode="nearest")
    return found


def with_noise(values: Values, deviation: float, width: float, rng: np.random.Generator) -> Values:
    """Add white noise of `deviation` times `width`."""
    added = rng.standard_normal(values.shape, dtype=np.float32)
    found: Values = values + deviation * width * added.astype(np.float64)
    return found


def pattern(values: Values, amplitude: float, width: float) -> Values:
    """Add a checkerboard of period 2.

    Examples
    --------
    >>> pattern(np.zeros((2, 2)), 0.5, 4.0).tolist()
    [[2.0, -2.0], [-2.0, 2.0]]
    """
    y, x = np.indices(values.shape[-2:])
    found: Values = values + amplitude * width * np.where((y + x) % 2 == 0, 1.0, -1.0)
    return found


def grid(values: Values, amplitude: float, width: float) -> Values:
    """Add a grid of period 4 along both axes: upsampling by 4 whose steps do not overlap evenly."""
    y, x = np.indices(values.shape[-2:])
    waves = np.cos(np.pi * y / 2) + np.cos(np.pi * x / 2)
    found: Values = values + amplitude * width * waves
    return found


def raised(values: Values, offset: float) -> Values:
    """Add a constant."""
    return values.astype(np.float64) + offset


def clipped(values: Values, share: float, low: float, high: float) -> Values:
    """Apply a window that is too narrow: cut `share` of the range off at each end, and stretch.

    Examples
    --------
    >>> clipped(np.array([[0.0, 5.0, 10.0]]), 0.1, 0.0, 10.0).tolist()
    [[0.0, 5.0, 10.0]]
    >>> clipped(np.array([[0.0, 2.0, 10.0]]), 0.1, 0.0, 10.0).tolist()
    [[0.0, 1.25, 10.0]]
    """
    if not high > low:
        return values.astype(np.float64)
    bottom, top = low + share * (high - low), high - share * (high - low)
    inside = np.clip(values.astype(np.float64), bottom, top)
    found: Values = low + (inside - bottom) * ((high - low) / (top - bottom))
    return found


def varied(values: Values, width: float, rng: np.random.Generator) -> Values:
    """Shift by at most a pixel and add noise of 1 %: another file, and the same image."""
    down, right = rng.integers(-1, 2, 2)
    return with_noise(shifted(values, int(down), int(right)), 0.01, width, rng)


def composed(one: Values, two: Values, rng: np.random.Generator) -> Values:
    """Put the left part of one image beside the right part of another, with a soft seam."""
    width = one.shape[-1]
    seam = width * rng.uniform(0.4, 0.6)
    soft = max(1.0, 0.03 * width)
    share = 1 / (1 + np.exp((np.arange(width) - seam) / soft))
    found: Values = one * share + two * (1 - share)
    return found


def ghosted(one: Values, two: Values, share: float) -> Values:
    """Lay one image over another.

    Examples
    --------
    >>> ghosted(np.ones((1, 1)), np.zeros((1, 1)), 0.75).tolist()
    [[0.75]]
    """
    return share * one.astype(np.float64) + (1 - share) * two


def shuffled(values: Values, rng: np.random.Generator) -> Values:
    """Put the image's 4 x 4 patches in another order: texture without anatomy."""
    rows, columns = (n // PATCHES for n in values.shape[-2:])
    found = values.astype(np.float64).copy()
    places = [(i, j) for i in range(PATCHES) for j in range(PATCHES)]
    for (i, j), k in zip(places, rng.permutation(len(places)), strict=True):
        a, b = places[int(k)]
        found[..., i * rows : (i + 1) * rows, j * columns : (j + 1) * columns] = values[
            ..., a * rows : (a + 1) * rows, b * columns : (b + 1) * columns
        ]
    return found


def text(values: Values, low: float, high: float, size: float) -> Values:
    """Write a line of text into every plane, in the brightest or darkest grey, upper left.

    Parameters
    ----------
    values : ndarray
    low, high : float
        Of the values that are usual here.
    size : float
        Height of the line as a share of the shorter side.
    """
    from PIL import Image as Picture
    from PIL import ImageDraw, ImageFont

    height, width = values.shape[-2:]
    pixels = max(8, round(size * min(height, width)))
    canvas = Picture.new("L", (width, height))
    font = ImageFont.load_default(pixels)
    # As much of the line as fits, and at least the date.
    words = TEXT
    while len(words) > 10 and font.getlength(words) > 0.94 * width:
        words = words[:-1]
    place = (max(2, round(0.03 * width)), max(2, round(0.03 * height)))
    ImageDraw.Draw(canvas).text(place, words, fill=255, font=font)
    ink = np.asarray(canvas, dtype=np.float64) / 255
    under = values[..., ink > 0.5]
    bright = under.size == 0 or float(np.median(under)) < (low + high) / 2
    found: Values = values * (1 - ink) + (high if bright else low) * ink
    return found
