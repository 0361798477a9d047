"""Changes to the beats of real recordings: rate, P wave, QRS, ST.

Beats and waves are those that the features find (`sdq_signals.features`), so that a change is made
where the instrument looks. All functions take one recording, shape (channels, time).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_signals.features.beats import beat_energy, find_beats
from sdq_signals.features.conditioning import condition, fill_gaps
from sdq_signals.features.delineation import delineate
from sdq_signals.features.rhythm import intervals
from sdq_signals.features.template import mean_beats

__all__ = ["Marked", "marked", "slower", "stretched", "wider", "with_st", "without_p"]

SLOWEST: Final = 25.0
"""Heart rate below which none is slowed down."""
_FOOT_S: Final = 0.02
_LEAST_REST_S: Final = 0.15

Samples = NDArray[np.float32]
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Marked:
    """Beats of one recording, and where the waves of its mean beat lie.

    Parameters
    ----------
    r : ndarray, shape (beats,), float64
        Seconds of R.
    regular : ndarray of bool, shape (beats,)
        Whether the beat is of the commonest form.
    p_on, p_off, qrs_on, qrs_off, t_peak, t_end : float
        Seconds from R; NaN where the wave was not found.
    """

    r: Values
    regular: NDArray[np.bool_]
    p_on: float
    p_off: float
    qrs_on: float
    qrs_off: float
    t_peak: float
    t_end: float

    @property
    def rate(self) -> float:
        """Heart rate in beats a minute, by the median interval; NaN below two beats."""
        return 60.0 / float(np.median(np.diff(self.r))) if len(self.r) > 1 else float("nan")


def marked(ecg: Samples, rate: float) -> Marked:
    """Find beats and waves.

    Parameters
    ----------
    ecg : ndarray, shape (leads, t), float32
        Electrocardiograms only; NaN where samples are missing.
    rate : float
        Samples a second.

    Returns
    -------
    Marked
    """
    filled, _ = fill_gaps(ecg[None])
    signal = condition(filled, rate)
    beats = find_beats(beat_energy(signal.beat, signal.rate), signal.rate, None)
    templates = mean_beats(signal.shape, beats, signal.rate)
    time = templates.place / signal.rate
    rr = intervals(beats.row, time, templates.regular, 1, None)
    marks = delineate(templates, signal.rate, rr.usual)
    near = {
        name: (float(getattr(marks, name)[0]) - templates.r) / signal.rate
        for name in ("p_on", "p_off", "qrs_on", "qrs_off", "t_peak", "t_end")
    }
    return Marked(time, templates.regular, **near)


def slower(x: Samples, rate: float, beats: Marked, by: float) -> Samples:
    """Lower the heart rate: the rest between T and the next P becomes longer.

    P, QRS and T stay as they are, sample by sample; where there is hardly any rest, all but QRS is
    stretched. What else changes: the recording holds fewer beats (its end falls off), the variation
    of intervals grows with them, and what lies in the rest is stretched in time.

    Parameters
    ----------
    x : ndarray, shape (channels, t)
    rate : float
    beats : Marked
    by : float
        Beats a minute; no rate falls below 25.

    Returns
    -------
    ndarray, shape (channels, t), float32
    """
    usual = beats.rate
    if not np.isfinite(usual) or usual - by < SLOWEST:
        return x
    more = usual / (usual - by) - 1
    after = beats.t_end if np.isfinite(beats.t_end) else 0.40
    before = -beats.p_on if np.isfinite(beats.p_on) else 0.20
    source, target = [0.0], [0.0]
    place = np.rint(beats.r * rate)
    # Whole samples between the knots: what is not stretched is copied and not interpolated.
    first = max(0.0, place[0] - np.ceil((before + _FOOT_S) * rate))
    if first > 1:
        source.append(first)
        target.append(first + np.rint(more * first))
    for r, following in pairwise(place):
        begin = r + np.ceil((after + _FOOT_S) * rate)
        end = following - np.ceil((before + _FOOT_S) * rate)
        if end - begin < _LEAST_REST_S * rate:
            begin, end = r + np.ceil(0.08 * rate), following - np.ceil(0.08 * rate)
        if end - begin < 2:
            continue
        for knot, extra in ((begin, 0.0), (end, np.rint(more * (following - r)))):
            target.append(target[-1] + knot - source[-1] + extra)
            source.append(knot)
    return _warped(x, np.array(source), np.array(target))


def stretched(x: Samples, factor: float) -> Samples:
    """Stretch the time axis about the start; what does not fit falls off.

    Parameters
    ----------
    x : ndarray, shape (channels, t)
    factor : float
        Above 1.

    Examples
    --------
    >>> stretched(np.arange(9, dtype=np.float32)[None], 2.0)[0, ::2].round(3).tolist()
    [0.0, 1.0, 2.0, 3.0, 4.0]
    """
    return _warped(x, np.array([0.0, 1.0]), np.array([0.0, factor]))


def without_p(x: Samples, rate: float, beats: Marked) -> Samples:
    """Cut the P wave of every beat out: a line takes its place, with the noise from before it.

    The line goes from 60 ms before P to 20 ms before QRS; P is wider than where it is steep.

    Parameters
    ----------
    x : ndarray, shape (channels, t)
        Of the heart only.
    rate : float
    beats : Marked

    Returns
    -------
    ndarray, shape (channels, t), float32
    """
    if not (np.isfinite(beats.p_on) and np.isfinite(beats.qrs_on)):
        return x
    y = np.array(x, np.float32)
    noise = x - _moving_mean(x, max(3, round(0.03 * rate) | 1))
    for r in beats.r:
        a = round((r + beats.p_on - 3 * _FOOT_S) * rate)
        b = round((r + beats.qrs_on - _FOOT_S) * rate)
        count = b - a + 1
        if a < 1 or b >= x.shape[1] or count < 4:
            continue
        left = np.nanmean(x[:, max(0, a - 2) : a + 1], axis=1)
        right = np.nanmean(x[:, b : b + 2], axis=1)
        line = left[:, None] + (right - left)[:, None] * np.linspace(0, 1, count)
        before = noise[:, max(0, a - count) : a][:, ::-1]
        y[:, a : b + 1] = line + np.pad(before, [(0, 0), (0, count - before.shape[1])])
    return y


def wider(x: Samples, rate: float, beats: Marked, by: float) -> Samples:
    """Widen QRS: it is stretched from its onset, and ST is shortened by as much.

    Onset, P and the end of T stay where they are, so that PR, QT and RR do.

    Parameters
    ----------
    x : ndarray, shape (channels, t)
        Of the heart only.
    rate : float
    beats : Marked
    by : float
        Seconds.

    Returns
    -------
    ndarray, shape (channels, t), float32
    """
    if not (np.isfinite(beats.qrs_on) and np.isfinite(beats.qrs_off)):
        return x
    anchor = beats.t_peak if np.isfinite(beats.t_peak) else beats.qrs_off + 0.2
    anchor = max(anchor, beats.qrs_off + by + 0.06)
    source, target = [0.0], [0.0]
    for r, regular in zip(beats.r, beats.regular, strict=True):
        knots = [(r + s) * rate for s in (beats.qrs_on, beats.qrs_off, anchor)]
        if not regular or knots[0] <= source[-1] or knots[2] >= x.shape[1] - 1:
            continue
        source += knots
        target += [knots[0], knots[1] + by * rate, knots[2]]
    if len(source) == 1:
        return x
    return _warped(x, np.array(source), np.array(target))


def with_st(x: Samples, rate: float, beats: Marked, offset: Values) -> Samples:
    """Add an offset between the end of QRS and T, which fades until the end of T.

    Parameters
    ----------
    x : ndarray, shape (channels, t)
        Of the heart only.
    rate : float
    beats : Marked
    offset : ndarray, shape (channels,)
        In the unit of `x`.

    Returns
    -------
    ndarray, shape (channels, t), float32
    """
    if not np.isfinite(beats.qrs_off):
        return x
    peak = beats.t_peak if np.isfinite(beats.t_peak) else beats.qrs_off + 0.18
    end = beats.t_end if np.isfinite(beats.t_end) else peak + 0.12
    knots = np.array([beats.qrs_off - 0.01, beats.qrs_off + 0.01, peak, max(end, peak + 0.04)])
    time = np.arange(x.shape[1]) / rate
    course = np.zeros(x.shape[1])
    for r in beats.r:
        bump = np.interp(time - r, knots, [0.0, 1.0, 1.0, 0.0], 0.0, 0.0)
        course = np.maximum(course, 0.5 - 0.5 * np.cos(np.pi * bump))
    return np.asarray(x + offset[:, None] * course, np.float32)


def _warped(x: Samples, source: Values, target: Values) -> Samples:
    """Move what lies at `source` to `target`; both ascend, in samples, straight between."""
    from scipy.interpolate import CubicSpline

    t = x.shape[1]
    # Behind the last knot the axis goes on as between the last two, or as it was.
    slope = 1.0 if len(source) > 2 else (target[-1] - target[-2]) / (source[-1] - source[-2])
    rest = max(t - 1 - source[-1], 1.0)
    source = np.append(source, source[-1] + rest)
    target = np.append(target, target[-1] + rest * slope)
    at = np.interp(np.arange(t), target, source)
    whole = np.rint(at)
    moved = x[:, np.clip(whole, 0, t - 1).astype(np.intp)]
    between = np.abs(at - whole) > 1e-6
    if between.any():
        filled = fill_gaps(x[None])[0][0]
        curve = CubicSpline(np.arange(t), filled, axis=1)(np.clip(at[between], 0, t - 1))
        moved[:, between] = np.where(np.isnan(moved[:, between]), np.nan, curve)
    return np.asarray(moved, np.float32)


def _moving_mean(x: Samples, width: int) -> Samples:
    from scipy.ndimage import uniform_filter1d

    return np.asarray(uniform_filter1d(np.nan_to_num(x), width, axis=1, mode="nearest"))
