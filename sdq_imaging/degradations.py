"""Degradations of images: what blur, noise, upsampling and wrong scaling do to all of a stack.

Severities of grey values are shares of the stack's `spread`, so that they mean the same in 8-bit
pictures, in Hounsfield units and in arbitrary units. Integer images are rounded and clipped to
the range of their type.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import UsageError

__all__ = [
    "Images",
    "blur",
    "checkerboard",
    "in_type_of",
    "intensity_shift",
    "noise",
    "shifted",
    "spread",
]

Images = NDArray[Any]
"""Pictures (n, y, x) or volumes (n, z, y, x), of an integer or float type."""


def spread(images: Images) -> float:
    """Return the range that most grey values of a stack are in: from the 1st to the 99th centile.

    Parameters
    ----------
    images : ndarray

    Returns
    -------
    float
        In grey values, >= 0.

    Examples
    --------
    >>> round(spread(np.linspace(0, 100, 10_001).reshape(1, 1, -1)), 9)
    98.0
    """
    low, high = np.percentile(images, (1, 99))
    return float(high - low)


def blur(images: Images, sigma: float) -> Images:
    """Blur each image by a Gaussian: the detail that averaging generators lose.

    Parameters
    ----------
    images : ndarray, shape (n, ..., y, x)
    sigma : float
        Deviation of the Gaussian in pixels, >= 0; within the plane, also in volumes.

    Returns
    -------
    ndarray
        Of the same shape and type, as from all functions here.

    References
    ----------
    Heusel et al., NeurIPS 2017, section A1 (disturbances by which a distance is tested).

    Examples
    --------
    >>> image = np.zeros((1, 9, 9)); image[0, 4, 4] = 1
    >>> round(float(blur(image, 1.0)[0, 4, 4]), 3)
    0.159
    """
    from scipy.ndimage import gaussian_filter

    _at_least("blur", "sigma", sigma, 0)
    sigmas = (0.0,) * (images.ndim - 2) + (sigma, sigma)
    return in_type_of(images, gaussian_filter(images.astype(np.float64), sigmas, mode="nearest"))


def noise(images: Images, deviation: float, rng: np.random.Generator) -> Images:
    """Add white Gaussian noise.

    Parameters
    ----------
    images : ndarray, shape (n, ..., y, x)
    deviation : float
        Deviation of the noise as a share of the stack's `spread`, >= 0.
    rng : numpy.random.Generator

    References
    ----------
    Heusel et al., NeurIPS 2017, section A1.

    Examples
    --------
    >>> images = np.tile(np.arange(100.0), (2, 100, 1))
    >>> added = noise(images, 0.1, np.random.default_rng(0)) - images
    >>> round(float(added.std() / spread(images)), 2)
    0.1
    """
    _at_least("noise", "deviation", deviation, 0)
    added = rng.standard_normal(images.shape, dtype=np.float32)
    return in_type_of(images, images.astype(np.float64) + deviation * spread(images) * added)


def checkerboard(images: Images, amplitude: float) -> Images:
    """Add a checkerboard of period 2: the artefact of transposed convolutions.

    Parameters
    ----------
    images : ndarray, shape (n, ..., y, x)
    amplitude : float
        Half the difference of the two fields, as a share of the stack's `spread`, >= 0.

    References
    ----------
    Odena et al., Deconvolution and checkerboard artifacts, doi:10.23915/distill.00003.
    Durall et al., CVPR 2020, arXiv:2003.01826 (faults of high frequencies)

    Examples
    --------
    >>> images = np.tile(np.arange(101.0), (1, 4, 1))
    >>> (checkerboard(images, 0.1) - images)[0, :2, :2].round(1).tolist()
    [[9.8, -9.8], [-9.8, 9.8]]
    """
    _at_least("checkerboard", "amplitude", amplitude, 0)
    y, x = np.indices(images.shape[-2:])
    board = np.where((y + x) % 2 == 0, 1.0, -1.0)
    return in_type_of(images, images.astype(np.float64) + amplitude * spread(images) * board)


def intensity_shift(images: Images, offset: float) -> Images:
    """Add a constant: a wrong rescale intercept, window or normalisation.

    Parameters
    ----------
    images : ndarray, shape (n, ..., y, x)
    offset : float
        Share of the stack's `spread`; may be negative.

    References
    ----------
    Nyul, Udupa and Zhang, IEEE Trans. Med. Imaging 19 (2000), doi:10.1109/42.836373.

    Examples
    --------
    >>> images = np.tile(np.arange(101.0), (1, 4, 1))
    >>> float((intensity_shift(images, 0.1) - images).mean().round(6))
    9.8
    """
    return in_type_of(images, images.astype(np.float64) + offset * spread(images))


def shifted(images: Images, down: int, right: int) -> Images:
    """Shift by whole pixels; the edge is repeated, as nothing is known of what lies beyond.

    Parameters
    ----------
    images : ndarray, shape (..., y, x)
    down, right : int
        Pixels; may be negative.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> shifted(np.arange(3)[None], 0, 1).tolist()
    [[0, 0, 1]]
    """
    height, width = images.shape[-2:]
    rows = np.clip(np.arange(height) - down, 0, height - 1)
    columns = np.clip(np.arange(width) - right, 0, width - 1)
    return images[..., rows[:, None], columns]


def in_type_of(images: Images, values: NDArray[Any]) -> Images:
    """Bring values to the type of images: rounded and clipped where it is an integer one.

    Examples
    --------
    >>> in_type_of(np.zeros(1, np.uint8), np.array([-3.0, 1.6, 300.0])).tolist()
    [0, 2, 255]
    """
    dtype = images.dtype
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        values = np.clip(np.rint(values), limits.min, limits.max)
    typed: Images = values.astype(dtype)
    return typed


def _at_least(name: str, parameter: str, value: float, low: float) -> None:
    if not value >= low:
        raise UsageError(f"{name}: {parameter} must be at least {low:g}, got {value}")
