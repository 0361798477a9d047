"""What only a volume shows: how slices follow each other, and spectra over three axes."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["BANDS", "THROUGH", "features"]

BANDS = 8
"""Shells of frequency."""
THROUGH = 6
"""Bands of frequency across the slices."""
MOST = 96
"""Voxels along each axis, from the middle, of which spectra are taken."""
LEAST = 6
FLOOR = 1e-12

Values = NDArray[np.float32]


def features(grey: Values, spacing: tuple[float, ...] | None) -> dict[str, float]:
    """Return the features of a volume; empty for an image, and for fewer than six slices.

    Parameters
    ----------
    grey : ndarray, shape (z, y, x), 0..1
    spacing : tuple of float or None
        Millimetres along each axis.

    Returns
    -------
    dict of str to float
        ``volume.neighbour_correlation`` and ``volume.neighbour_lowest``: mean and lowest
        correlation of slices that follow each other; ``volume.through_slope``: logarithm of the
        mean difference across slices over that inside them, a millimetre where the spacing is
        known; ``volume.gradient``: mean length of the gradient; ``volume.band_*``: logarithm of the
        mean power in shells of relative frequency; ``volume.through_*``: in bands across the
        slices. A generator that makes slices one by one gives itself away in those across them.

    Examples
    --------
    >>> ramp = np.linspace(0, 1, 8 * 16 * 16, dtype=np.float32).reshape(8, 16, 16)
    >>> found = features(ramp, None)
    >>> round(found["volume.neighbour_correlation"], 3)
    1.0
    """
    if grey.ndim != 3 or len(grey) < LEAST or min(grey.shape[1:]) < 4:
        return {}
    if grey.min() == grey.max():
        return {}
    found = _neighbours(grey)
    steps = (1.0, 1.0, 1.0) if spacing is None or len(spacing) != 3 else spacing
    across, inside = _slopes(grey, steps)
    if across > 0 and inside > 0:
        found["through_slope"] = float(np.log(across / inside))
    found["gradient"] = float(np.hypot(across, inside))
    middle = grey[tuple(_middle(n) for n in grey.shape)]
    if middle.min() < middle.max():
        found |= _spectra(middle)
    return {f"volume.{name}": value for name, value in found.items()}


def _neighbours(grey: Values) -> dict[str, float]:
    flat = grey.reshape(len(grey), -1).astype(np.float64)
    flat -= flat.mean(axis=1, keepdims=True)
    norms = np.sqrt((flat**2).sum(axis=1))
    # Slices that hold nothing, as at the ends, say nothing of those beside them.
    both = (norms[:-1] > 0) & (norms[1:] > 0)
    if not both.any():
        return {}
    products = (flat[:-1] * flat[1:]).sum(axis=1)[both]
    correlations = products / (norms[:-1] * norms[1:])[both]
    return {
        "neighbour_correlation": float(correlations.mean()),
        "neighbour_lowest": float(correlations.min()),
    }


def _slopes(grey: Values, steps: tuple[float, ...]) -> tuple[float, float]:
    each = [
        float(np.abs(np.diff(grey, axis=axis)).mean(dtype=np.float64)) / step
        for axis, step in enumerate(steps)
    ]
    return each[0], (each[1] + each[2]) / 2


def _middle(length: int) -> slice:
    start = max(0, (length - MOST) // 2)
    return slice(start, start + min(length, MOST))


def _spectra(grey: Values) -> dict[str, float]:
    window, shell, through, weight = _shells(grey.shape)
    centred = (grey - grey.mean(dtype=np.float64)) * window
    power = (np.abs(np.fft.rfftn(centred)) ** 2 * weight).ravel() / (window**2).sum()
    found = {}
    for name, place, count in (("band", shell, BANDS), ("through", through, THROUGH)):
        size = np.bincount(place, weight.ravel(), count)
        total = np.bincount(place, power, count)
        for k in np.flatnonzero(size):
            found[f"{name}_{k + 1:02d}"] = float(np.log(total[k] / size[k] + FLOOR))
    return found


@lru_cache(maxsize=8)
def _shells(
    shape: tuple[int, ...],
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Window, and of each frequency its shell, its band across, and how often it counts."""
    hann = [np.hanning(n + 2)[1:-1] for n in shape]
    window = hann[0][:, None, None] * hann[1][:, None] * hann[2]
    fz, fy = (np.abs(np.fft.fftfreq(n)) for n in shape[:2])
    fx = np.fft.rfftfreq(shape[2])
    radius = np.sqrt(fz[:, None, None] ** 2 + fy[:, None] ** 2 + fx**2)
    shell = np.minimum((radius / 0.5 * BANDS).astype(np.intp), BANDS - 1).ravel()
    band = np.minimum((fz / 0.5 * THROUGH).astype(np.intp), THROUGH - 1)
    through = np.broadcast_to(band[:, None, None], radius.shape).ravel()
    # The real transform keeps one of each pair of opposite frequencies, but for 0 and Nyquist.
    weight = np.full(radius.shape, 2.0)
    weight[..., [0, -1] if shape[2] % 2 == 0 else [0]] = 1
    return window, shell, through, weight
