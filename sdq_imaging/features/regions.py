"""Features of each mask region: measures over whole images are blind to small lesions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["region_features"]

MOST_LABELS = 16


def region_features(
    grey: NDArray[np.float32], mask: NDArray[np.uint8], spacing: tuple[float, ...] | None
) -> dict[str, float]:
    """Return size, place and grey values of each labelled region.

    Parameters
    ----------
    grey : ndarray, 0..1
    mask : ndarray of the same shape, uint8
        0 is outside.
    spacing : tuple of float or None
        Millimetres a pixel along each axis.

    Returns
    -------
    dict of str to float
        ``<label>.size`` in millimetres to the power of the dimension, or pixels without spacing;
        mean, deviation, contrast to the outside, and the centre relative to the image.

    Examples
    --------
    >>> found = region_features(np.eye(4, dtype=np.float32), np.eye(4, dtype=np.uint8), None)
    >>> found["1.size"], found["1.contrast"]
    (4.0, 1.0)
    """
    unit = float(np.prod(spacing)) if spacing is not None else 1.0
    outside = grey[mask == 0]
    found: dict[str, float] = {}
    for label in np.unique(mask)[:MOST_LABELS]:
        if label == 0:
            continue
        inside = mask == label
        values = grey[inside].astype(np.float64)
        name = str(int(label))
        found[f"{name}.size"] = float(inside.sum()) * unit
        found[f"{name}.mean"] = float(values.mean())
        found[f"{name}.deviation"] = float(values.std())
        if outside.size:
            found[f"{name}.contrast"] = float(values.mean() - outside.mean(dtype=np.float64))
        for axis, place in enumerate(np.nonzero(inside)):
            found[f"{name}.centre_{axis}"] = float((place.mean() + 0.5) / inside.shape[axis])
    return found
