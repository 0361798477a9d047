"""Zero-phase band limits and one working rate for a batch of recordings, by one transform."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

import numpy as np
import scipy.fft
from numpy.typing import NDArray

__all__ = ["WORKING_RATE", "Conditioned", "condition", "fill_gaps"]

WORKING_RATE: Final = 250.0
"""Samples a second of everything that is measured: a step of 4 ms, halved by interpolation."""

SHAPE_BAND: Final = (0.5, 60.0)
"""Hz: band in which waves are measured. Cosine flanks, zero phase."""

BEAT_BAND: Final = (8.0, 20.0)
"""Hz: band in which QRS stands out of P, T, wander and muscle noise (Elgendi et al. 2010)."""

_PAD_S: Final = 1.0  # reflected on each side, longer than the filters ring
_SPECTRUM_HZ: Final = (1.0, 5.0, 15.0, 40.0)

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Conditioned:
    """A batch at the working rate.

    Parameters
    ----------
    shape, beat : ndarray, shape (n, c, t), float32
        In the band in which waves are measured, and in that of QRS.
    rate : float
        Samples a second: 250, but for a few parts in 100,000 where the rates have no common
        period.
    power : ndarray, shape (n, c, 4), float64
        Power in 0.05..1, 1..5, 5..15 and 15..40 Hz, in arbitrary units.
    """

    shape: Samples
    beat: Samples
    rate: float
    power: NDArray[np.float64]


def fill_gaps(x: Samples) -> tuple[Samples, NDArray[np.bool_] | None]:
    """Bridge missing samples by straight lines.

    Parameters
    ----------
    x : ndarray, shape (n, c, t), float32
        NaN or infinite where a sample is missing.

    Returns
    -------
    filled : ndarray, shape (n, c, t)
        `x` itself where nothing is missing. A channel without any sample becomes zero.
    missing : ndarray of bool, shape (n, c, t), or None
        None where nothing is missing.

    Examples
    --------
    >>> fill_gaps(np.array([[[0, np.nan, 2, np.nan]]], np.float32))[0].tolist()
    [[[0.0, 1.0, 2.0, 2.0]]]
    """
    # A sum is not finite when a term is not: one quick pass for the usual case.
    if np.isfinite(np.add.reduce(x, axis=None, dtype=np.float64)):
        return x, None
    missing = ~np.isfinite(x)
    filled = np.where(missing, np.float32(0), x)
    place = np.arange(x.shape[-1])
    for row, channel in zip(*np.nonzero(missing.any(axis=-1)), strict=True):
        gone = missing[row, channel]
        if not gone.all():
            filled[row, channel, gone] = np.interp(
                place[gone], place[~gone], x[row, channel, ~gone]
            )
    return filled, missing


def condition(x: Samples, rate: float) -> Conditioned:
    """Bring recordings to the working rate in both bands.

    Each channel is continued by reflection, transformed once (float32), weighted by the gain of
    either band and transformed back with as many frequencies as the working rate needs.

    Parameters
    ----------
    x : ndarray, shape (n, c, t), float32
        Without missing samples, ``t >= 1``.
    rate : float
        Samples a second, any positive number.

    Returns
    -------
    Conditioned
        ``t * 250 / rate`` samples, rounded, at least one.

    Examples
    --------
    >>> t = np.arange(3600) / 360
    >>> x = np.sin(2 * np.pi * 10 * t)[None, None].astype(np.float32) + 5
    >>> y = condition(x, 360)
    >>> error = (y.shape[0, 0] - np.sin(0.08 * np.pi * np.arange(2500)))[250:-250]
    >>> y.shape.shape, y.rate, bool(np.abs(error).max() < 0.01)
    ((1, 1, 2500), 250.0, True)
    """
    plan = _plan(x.shape[-1], float(rate))
    spectrum = scipy.fft.rfft(_extended(x, plan), axis=-1, overwrite_x=True)[..., : plan.kept]
    low = spectrum[..., : plan.bands[-1][1]]
    squared = low.real**2 + low.imag**2
    power = np.stack([squared[..., a:b].sum(axis=-1) for a, b in plan.bands], axis=-1)
    shape = scipy.fft.irfft(spectrum * plan.shape_gain, plan.length, axis=-1)
    beat = scipy.fft.irfft(spectrum * plan.beat_gain, plan.length, axis=-1)
    inner = slice(plan.first, plan.first + plan.count)
    return Conditioned(shape[..., inner], beat[..., inner], plan.rate, power.astype(np.float64))


def _extended(x: Samples, plan: _Plan) -> Samples:
    """Channels without their mean, continued by reflection on both sides."""
    t = x.shape[-1]
    centre = x.mean(axis=-1, keepdims=True)
    before, after = plan.reflected[: plan.pad], plan.reflected[plan.pad + t :]
    long = np.empty((*x.shape[:-1], len(plan.reflected)), np.float32)
    np.subtract(x, centre, out=long[..., plan.pad : plan.pad + t])
    np.subtract(x[..., before], centre, out=long[..., : plan.pad])
    np.subtract(x[..., after], centre, out=long[..., plan.pad + t :])
    return long


@dataclass(frozen=True, slots=True)
class _Plan:
    """What depends on the length and the rate only."""

    reflected: NDArray[np.intp]
    pad: int
    kept: int
    shape_gain: Samples
    beat_gain: Samples
    bands: tuple[tuple[int, int], ...]
    length: int
    rate: float
    first: int
    count: int


@lru_cache(maxsize=32)
def _plan(t: int, rate: float) -> _Plan:
    # Sample 0 of the input must fall on a working sample: of the paddings, the one that fits best.
    pads = np.arange(max(1, round(_PAD_S * rate)), max(2, round(2 * _PAD_S * rate)) + 1)
    misfit = np.round(np.abs((pads * WORKING_RATE / rate + 0.5) % 1 - 0.5), 6)
    pad = int(pads[misfit.argmin()])
    long = _common_length(t + 2 * pad, rate)
    length = max(2, round(long * WORKING_RATE / rate))
    exact = length * rate / long
    f = (np.arange(long // 2 + 1) * rate / long)[: length // 2 + 1]
    amplitude = length / long
    low, high = SHAPE_BAND
    top = min(high, 0.45 * rate)
    shape = _rise(f, 0.5 * low, 1.3 * low) * (1 - _rise(f, top, 1.25 * top))
    middle, width = np.sqrt(BEAT_BAND[0] * BEAT_BAND[1]), BEAT_BAND[1] - BEAT_BAND[0]
    # Butterworth, second order, there and back.
    beat = 1 / (1 + ((f * f - middle**2) / (np.maximum(f, 1e-6) * width)) ** 4)
    edges = np.searchsorted(f, (0.05, *_SPECTRUM_HZ))
    return _Plan(
        reflected=_reflect(np.arange(long) - pad, t),
        pad=pad,
        kept=len(f),
        shape_gain=(shape * amplitude).astype(np.float32),
        beat_gain=(beat * amplitude).astype(np.float32),
        bands=tuple((int(a), int(b)) for a, b in pairwise(edges)),
        length=length,
        rate=exact,
        first=round(pad * exact / rate),
        count=max(1, round(t * exact / rate)),
    )


def _common_length(shortest: int, rate: float) -> int:
    """Find a number of samples, quick to transform, that lasts whole working samples."""
    best, cost = shortest, np.inf
    for long in range(shortest, shortest + max(64, round(2.2 * rate))):
        length = max(1, round(long * WORKING_RATE / rate))
        error = abs(length * rate / (long * WORKING_RATE) - 1)
        slow = (scipy.fft.next_fast_len(long, real=True) != long) + (
            scipy.fft.next_fast_len(length, real=True) != length
        )
        new = 1e5 * max(0.0, error - 1e-9) + slow + 3 * (long / shortest - 1)
        if new < cost:
            best, cost = long, new
    return best


def _reflect(place: NDArray[np.intp], t: int) -> NDArray[np.intp]:
    """Return indices into 0..t-1 of a sequence reflected at both ends, as often as needed."""
    if t == 1:
        return np.zeros_like(place)
    folded = np.abs(place) % (2 * (t - 1))
    return np.asarray(np.minimum(folded, 2 * (t - 1) - folded), np.intp)


def _rise(f: NDArray[np.float64], start: float, end: float) -> NDArray[np.float64]:
    """Half a cosine from 0 at `start` to 1 at `end`."""
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip((f - start) / (end - start), 0, 1)))
