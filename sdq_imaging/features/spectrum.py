"""The radially averaged power spectrum: blur, noise and periodic artefacts."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["BANDS", "radial_power"]

BANDS = 12
SOURCE = "Durall et al. 2020, arXiv:2003.01826"
FLOOR = 1e-12


def radial_power(grey: NDArray[np.float32], bands: int = BANDS) -> dict[str, float]:
    """Return the mean log power in rings of relative frequency, and their slope.

    Parameters
    ----------
    grey : ndarray, shape (y, x), 0..1
    bands : int
        Rings of equal width from 0 to the Nyquist frequency; the corners beyond it count to the
        last ring.

    Returns
    -------
    dict of str to float
        ``band_01`` ... : natural logarithm of the mean power a pixel (Hann window, mean removed);
        a ring that holds no frequency of a small image is left out. ``slope``: of a line through
        them over the logarithm of frequency. Empty below 4 pixels a side, and for a constant
        image.

    Examples
    --------
    >>> checker = (np.indices((32, 32)).sum(0) % 2).astype(np.float32)
    >>> power = radial_power(checker)
    >>> max((v, k) for k, v in power.items() if k != "slope")[1]
    'band_12'
    """
    height, width = grey.shape
    if min(height, width) < 4 or grey.min() == grey.max():
        return {}
    window, ring, weight = _rings(height, width, bands)
    centred = (grey - grey.mean(dtype=np.float64)) * window
    power = np.abs(np.fft.rfft2(centred)) ** 2
    size = np.bincount(ring, weight, bands)
    held = np.flatnonzero(size)
    total = np.bincount(ring, power.ravel() * weight, bands)[held]
    log_power = np.log(total / size[held] / (window**2).sum() + FLOOR)
    centre = np.log((held + 0.5) / bands)
    found = {f"band_{k + 1:02d}": float(v) for k, v in zip(held, log_power, strict=True)}
    if len(held) > 1:
        found["slope"] = float(np.polyfit(centre, log_power, 1)[0])
    return found


@lru_cache(maxsize=16)
def _rings(
    height: int, width: int, bands: int
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.float64]]:
    """Window, and of each frequency of the real transform its ring and how often it counts."""
    window = np.outer(np.hanning(height + 2)[1:-1], np.hanning(width + 2)[1:-1])
    fy = np.abs(np.fft.fftfreq(height))[:, None]
    fx = np.fft.rfftfreq(width)[None]
    ring = np.minimum((np.hypot(fy, fx) / 0.5 * bands).astype(np.intp), bands - 1).ravel()
    # The real transform keeps one of each pair of opposite frequencies, but for fx = 0 and Nyquist.
    weight = np.full((height, fx.size), 2.0)
    weight[:, [0, -1] if width % 2 == 0 else [0]] = 1
    return window, ring, weight.ravel()
