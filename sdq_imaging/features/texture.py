"""Grey level co-occurrence: matrices by counting, 23 features in the definitions of the IBSI."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEVELS", "co_occurrence", "co_occurrence_features", "discretise"]

LEVELS = 64
DIRECTIONS = ((0, 1), (1, 0), (1, 1), (1, -1))
SOURCE = "Haralick et al. 1973, doi:10.1109/TSMC.1973.4309314; Zwanenburg et al. 2020 (IBSI)"

Values = NDArray[np.float64]
_EPS = np.spacing(1.0)


def discretise(grey: NDArray[np.float32], levels: int = LEVELS) -> NDArray[np.intp]:
    """Return grey levels 0..levels-1 of equal width.

    Parameters
    ----------
    grey : ndarray, 0..1
    levels : int

    Examples
    --------
    >>> discretise(np.array([0.0, 0.5, 1.0], np.float32), 4).tolist()
    [0, 2, 3]
    """
    scaled = grey * levels
    np.minimum(scaled, levels - 1, out=scaled)
    return scaled.astype(np.intp)


def co_occurrence(levels: NDArray[np.intp], count: int = LEVELS) -> Values:
    """Return symmetric normalised co-occurrence matrices at distance 1 in four directions.

    Parameters
    ----------
    levels : ndarray of int, shape (y, x)
    count : int

    Returns
    -------
    ndarray, shape (4, count, count)
        Each sums to 1; a direction without a pair is left out, so the first axis may be shorter.
    """
    found = []
    height, width = levels.shape
    scaled = levels * count
    # One array for all directions: new ones of this size cost more than the sums in them.
    room = np.empty(levels.size, np.intp)
    for dy, dx in DIRECTIONS:
        a = scaled[: height - dy, max(0, -dx) : width - max(0, dx)]
        b = levels[dy:, max(0, dx) : width - max(0, -dx)]
        if a.size:
            codes = room[: a.size]
            np.add(a, b, out=codes.reshape(a.shape))
            pairs = np.bincount(codes, minlength=count * count)
            matrix = pairs.reshape(count, count).astype(np.float64)
            matrix += matrix.T
            found.append(matrix / matrix.sum())
    return np.stack(found) if found else np.empty((0, count, count))


def co_occurrence_features(p: Values) -> dict[str, float]:
    """Return the mean over directions of 23 co-occurrence features.

    Parameters
    ----------
    p : ndarray, shape (k, g, g)
        As from `co_occurrence`.

    Returns
    -------
    dict of str to float
        Empty for an image of one pixel. Levels count from 1.

    Examples
    --------
    >>> board = np.indices((8, 8)).sum(0) % 2
    >>> round(co_occurrence_features(co_occurrence(board, 2))["contrast"], 2)
    0.5
    """
    if not len(p):
        return {}
    g = p.shape[-1]
    i = np.arange(1, g + 1.0)
    row, column = np.meshgrid(i, i, indexing="ij")
    gap, total = np.abs(row - column), row + column
    px = p.sum(axis=2)
    mean = px @ i
    variance = (px * (i - mean[:, None]) ** 2).sum(axis=1)
    flat = p.reshape(len(p), -1)
    gaps, sums = np.arange(g * 1.0), np.arange(2 * g + 1.0)
    code_gap, code_sum = gap.astype(np.intp).ravel(), total.astype(np.intp).ravel()
    p_gap = np.array([np.bincount(code_gap, f, g) for f in flat], dtype=np.float64)
    p_sum = np.array([np.bincount(code_sum, f, 2 * g + 1) for f in flat], dtype=np.float64)
    auto = flat @ (row * column).ravel()
    product = px[:, :, None] * px[:, None, :]
    hx, hxy = _entropy(px), _entropy(flat)
    hxy1 = -(p * np.log2(product + _EPS)).sum(axis=(1, 2))
    hxy2 = -(product * np.log2(product + _EPS)).sum(axis=(1, 2))
    gap_mean = p_gap @ gaps
    # Moments of the sum of both levels about twice the mean.
    centred = sums - 2 * mean[:, None]
    found = {
        "autocorrelation": auto,
        "joint_average": mean,
        "cluster_prominence": (p_sum * centred**4).sum(axis=1),
        "cluster_shade": (p_sum * centred**3).sum(axis=1),
        "cluster_tendency": (p_sum * centred**2).sum(axis=1),
        "contrast": p_gap @ gaps**2,
        "correlation": np.where(
            variance > 0, (auto - mean**2) / np.where(variance > 0, variance, 1), 1.0
        ),
        "difference_average": gap_mean,
        "difference_entropy": _entropy(p_gap),
        "difference_variance": (p_gap * (gaps - gap_mean[:, None]) ** 2).sum(axis=1),
        "joint_energy": (flat**2).sum(axis=1),
        "joint_entropy": hxy,
        "imc1": np.where(hx > 0, (hxy - hxy1) / np.where(hx > 0, hx, 1), 0.0),
        "imc2": np.sqrt(np.maximum(0, 1 - np.exp(-2 * (hxy2 - hxy)))),
        "inverse_difference_moment": p_gap @ (1 / (1 + gaps**2)),
        "inverse_difference": p_gap @ (1 / (1 + gaps)),
        "inverse_difference_moment_normalised": p_gap @ (1 / (1 + (gaps / g) ** 2)),
        "inverse_difference_normalised": p_gap @ (1 / (1 + gaps / g)),
        "inverse_variance": p_gap[:, 1:] @ (1 / gaps[1:] ** 2),
        "maximum_probability": flat.max(axis=1),
        "sum_average": p_sum @ sums,
        "sum_entropy": _entropy(p_sum),
        "sum_squares": variance,
    }
    return {name: float(values.mean()) for name, values in found.items()}


def _entropy(p: Values) -> Values:
    """Entropy of each row in bits."""
    return np.asarray(np.abs(-(p * np.log2(p + _EPS)).sum(axis=1)))
