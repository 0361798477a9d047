"""Band limit and one sampling rate for a whole batch, by one Fourier transform."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import fft

__all__ = ["band_limited"]

_PAD_S: Final = 1.0
_LARGEST_DENOMINATOR: Final = 100  # an odd rate is met to 1 in 10,000


def band_limited(
    x: NDArray[np.float32],
    rate: float,
    target: float,
    band: tuple[float, float],
) -> NDArray[np.float32]:
    """Return a batch at another sampling rate, limited to a band without a shift of phase.

    Parameters
    ----------
    x : ndarray, shape (n, c, t), float32
        NaN where a sample is missing; missing samples take the channel's mean.
    rate, target : float
        Samples a second before and after.
    band : (low, high)
        Hz. The gain rises from 0 at half of `low` to 1 at 1.1 `low`, and falls from 1 at `high` to
        0 at 1.25 `high`, which must not exceed half of `target`; half cosines both. The ends are
        continued by reflection.

    Returns
    -------
    ndarray, shape (n, c, ceil(t * target / rate)), float32
        Sample k lies at k / `target` seconds; 0 throughout for a channel without samples.

    Examples
    --------
    >>> t = np.arange(2500) / 250
    >>> x = (3 + np.cos(2 * np.pi * 5 * t))[None, None].astype(np.float32)
    >>> y = band_limited(x, 250, 100, (0.5, 40))[0, 0]
    >>> expected = np.cos(2 * np.pi * 5 * np.arange(1000) / 100)
    >>> y.shape, bool(np.abs(y - expected).max() < 0.01)
    ((1000,), True)
    """
    there = np.isfinite(x)
    if there.all():
        centred = x - x.mean(axis=2, dtype=np.float64, keepdims=True).astype(np.float32)
    else:
        count = np.maximum(there.sum(axis=2, keepdims=True), 1)
        mean = np.where(there, x, 0).sum(axis=2, dtype=np.float64, keepdims=True) / count
        centred = np.where(there, x - mean.astype(np.float32), np.float32(0))
    place, gain, start, length = _plan(x.shape[2], rate, target, band)
    spectrum = fft.rfft(centred.take(place, axis=2), axis=2)
    kept = min(len(gain), spectrum.shape[2])
    limited = spectrum[:, :, :kept] * gain[:kept]
    y = fft.irfft(limited, length, axis=2)
    wanted = int(np.ceil(x.shape[2] * target / rate - 1e-9))
    found: NDArray[np.float32] = np.ascontiguousarray(y[:, :, start : start + wanted], np.float32)
    return found


@lru_cache(maxsize=32)
def _plan(
    t: int, rate: float, target: float, band: tuple[float, float]
) -> tuple[NDArray[np.intp], NDArray[np.float32], int, int]:
    """Return the padded row's samples, the gain, the first sample and the length afterwards."""
    ratio = Fraction(rate / target).limit_denominator(_LARGEST_DENOMINATOR)
    # Whole numbers of samples before and after: multiples of the parts of the fraction.
    unit, unit_after = ratio.numerator, ratio.denominator
    pads = int(np.ceil(_PAD_S * rate / unit))
    units = fft.next_fast_len(2 * pads + int(np.ceil(t / unit)), real=True)
    place = np.abs(np.arange(units * unit) - pads * unit)
    place = t - 1 - np.abs(place % (2 * (t - 1)) - (t - 1)) if t > 1 else np.zeros_like(place)
    length = units * unit_after
    frequencies = np.arange(length // 2 + 1) * (target / length)
    low, high = band
    rise = np.clip((frequencies - 0.5 * low) / (0.6 * low), 0, 1)
    fall = np.clip((1.25 * high - frequencies) / (0.25 * high), 0, 1)
    gain = np.sin(np.pi / 2 * rise) ** 2 * np.sin(np.pi / 2 * fall) ** 2
    gain *= unit_after / unit
    return place, gain.astype(np.float32), pads * unit_after, length
