"""Sharpness, noise and blobs of different sizes, by linear filters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["blobs", "noise", "sharpness"]

SIGMAS = (1.0, 2.0, 4.0)
SOURCES = {
    "sharpness": "Pertuz et al. 2013, doi:10.1016/j.patcog.2012.11.011",
    "noise": "Immerkaer 1996, doi:10.1006/cviu.1996.0060",
    "blobs": "Zwanenburg et al. 2020 (IBSI), Laplacian of Gaussian",
}


def sharpness(grey: NDArray[np.float32]) -> dict[str, float]:
    """Return variance of the Laplacian, mean gradient and Tenengrad.

    Parameters
    ----------
    grey : ndarray, shape (y, x), 0..1

    Examples
    --------
    >>> sharpness(np.zeros((8, 8), np.float32))["laplacian_variance"]
    0.0
    """
    laplacian = ndimage.laplace(grey, mode="nearest")
    gx = ndimage.sobel(grey, axis=1, mode="nearest") / 8
    gy = ndimage.sobel(grey, axis=0, mode="nearest") / 8
    squared = gx * gx + gy * gy
    return {
        "laplacian_variance": float(laplacian.var(dtype=np.float64)),
        "mean_gradient": float(np.sqrt(squared).mean(dtype=np.float64)),
        "tenengrad": float(squared.mean(dtype=np.float64)),
    }


def noise(grey: NDArray[np.float32]) -> dict[str, float]:
    """Return the standard deviation of the noise, by a filter that removes image structure.

    Parameters
    ----------
    grey : ndarray, shape (y, x), 0..1

    Returns
    -------
    dict
        Empty for an image below 3 x 3. Immerkaer 1996.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(0.5, 0.05, (128, 128)).astype(np.float32)
    >>> round(noise(x)["sigma"], 2)
    0.05
    """
    height, width = grey.shape
    if height < 3 or width < 3:
        return {}
    kernel = np.array([1.0, -2.0, 1.0], np.float32)
    rows = ndimage.correlate1d(grey, kernel, axis=0, mode="nearest")
    response = ndimage.correlate1d(rows, kernel, axis=1, mode="nearest")[1:-1, 1:-1]
    mean = float(np.abs(response).mean(dtype=np.float64))
    return {"sigma": float(np.sqrt(np.pi / 2) / 6 * mean)}


def blobs(grey: NDArray[np.float32]) -> dict[str, float]:
    """Return statistics of the scale-normalised Laplacian of Gaussian at three scales.

    Parameters
    ----------
    grey : ndarray, shape (y, x), 0..1

    Returns
    -------
    dict
        Mean, deviation, mean absolute value, skewness and kurtosis a scale; the last two are left
        out where nothing varies.
    """
    found = {}
    for sigma in SIGMAS:
        response = ndimage.gaussian_laplace(grey, sigma, mode="nearest") * np.float32(sigma**2)
        x = response.ravel().astype(np.float64)
        mean = x.mean()
        c = x - mean
        variance = float(c @ c / len(c))
        name = f"log{sigma:g}"
        found[f"{name}_mean"] = float(mean)
        found[f"{name}_deviation"] = float(np.sqrt(variance))
        found[f"{name}_mean_absolute"] = float(np.abs(x).mean())
        if variance > 1e-20:
            c2 = c * c
            found[f"{name}_skewness"] = float((c2 * c).mean() / variance**1.5)
            found[f"{name}_kurtosis"] = float((c2 * c2).mean() / variance**2)
    return found
