"""First-order statistics: Image Biomarker Standardisation Initiative, intensity features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["first_order", "histogram"]

SOURCE = "Zwanenburg et al. 2020 (IBSI), doi:10.1148/radiol.2020191145"


def first_order(values: NDArray[np.float32]) -> dict[str, float]:
    """Return first-order statistics in the unit of the values.

    Parameters
    ----------
    values : ndarray, any shape

    Returns
    -------
    dict of str to float
        Skewness and kurtosis (not excess) are left out for a constant image, the robust mean
        absolute deviation where no value lies between the 10th and the 90th percentile.

    Examples
    --------
    >>> first_order(np.array([0, 1, 2, 3], np.float32))["mean"]
    1.5
    """
    x = np.sort(values, axis=None).astype(np.float64)
    n = len(x)
    mean = float(x.mean())
    c = x - mean
    variance = float(c @ c / n)
    p10, p25, median, p75, p90 = _sorted_percentiles(x, (10, 25, 50, 75, 90))
    inner = x[np.searchsorted(x, p10, "left") : np.searchsorted(x, p90, "right")]
    found = {
        "mean": mean,
        "median": median,
        "minimum": float(x[0]),
        "maximum": float(x[-1]),
        "range": float(x[-1] - x[0]),
        "p10": p10,
        "p90": p90,
        "interquartile_range": p75 - p25,
        "mean_absolute_deviation": float(np.abs(c).mean()),
        "root_mean_square": float(np.sqrt(x @ x / n)),
        "variance": variance,
    }
    if len(inner):
        found["robust_mean_absolute_deviation"] = float(np.abs(inner - inner.mean()).mean())
    if variance > 0:
        c2 = c * c
        found["skewness"] = float((c2 * c).mean() / variance**1.5)
        found["kurtosis"] = float((c2 * c2).mean() / variance**2)
    return found


def histogram(levels: NDArray[np.intp], count: int) -> dict[str, float]:
    """Return entropy (bits) and uniformity of discretised grey levels.

    Parameters
    ----------
    levels : ndarray of int, 0..count-1
    count : int

    Examples
    --------
    >>> histogram(np.array([0, 0, 1, 1]), 2)
    {'entropy': 1.0, 'uniformity': 0.5}
    """
    p = np.bincount(levels.ravel(), minlength=count) / levels.size
    p = p[p > 0]
    return {"entropy": float(-(p * np.log2(p)).sum()) + 0.0, "uniformity": float((p * p).sum())}


def _sorted_percentiles(x: NDArray[np.float64], q: tuple[float, ...]) -> list[float]:
    """Linear percentiles of values that are sorted already."""
    place = np.asarray(q) / 100 * (len(x) - 1)
    low = np.floor(place).astype(np.intp)
    high = np.minimum(low + 1, len(x) - 1)
    return [float(v) for v in x[low] + (x[high] - x[low]) * (place - low)]
