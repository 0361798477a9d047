"""The small array on which copies are searched."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sdq_imaging.grey import resize

__all__ = ["SIDE_2D", "SIDE_3D", "signature"]

SIDE_2D = 64
SIDE_3D = 24
FINE, COARSE = 0.7, 2.0


def signature(pixels: NDArray[np.float32]) -> NDArray[np.float16] | None:
    """Return a band-passed thumbnail of zero mean and unit norm.

    Parameters
    ----------
    pixels : ndarray, shape (y, x) or (z, y, x)

    Returns
    -------
    ndarray or None
        Shape (64, 64) or (24, 24, 24), float16; the image is stretched to it by area averaging.
        Difference of Gaussians of 0.7 and 2 pixels: on real radiographs this band finds shifted,
        turned and blurred copies that a coarser band misses. None where nothing is left, as for
        a constant image.

    Examples
    --------
    >>> found = signature(np.random.default_rng(0).normal(size=(100, 80)).astype(np.float32))
    >>> found.shape, round(float(np.linalg.norm(found.astype(float))), 2)
    ((64, 64), 1.0)
    """
    side = SIDE_2D if pixels.ndim == 2 else SIDE_3D
    low, high = float(pixels.min()), float(pixels.max())
    if not high > low:
        return None
    # Scaled first: float32 keeps its digits under large offsets.
    small = resize((pixels - np.float32(low)) / np.float32(high - low), (side,) * pixels.ndim)
    band = ndimage.gaussian_filter(small, FINE, mode="nearest") - ndimage.gaussian_filter(
        small, COARSE, mode="nearest"
    )
    band = band - band.mean()
    norm = float(np.linalg.norm(band))
    if norm < 1e-6:
        return None
    return np.asarray(band / norm, dtype=np.float16)
