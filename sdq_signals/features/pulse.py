"""Features of the photoplethysmogram: pulses, their shape, their regularity, their quality."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from sdq_signals.features.resampling import band_limited
from sdq_signals.features.spectrum import ratio

__all__ = ["BEFORE", "RATE", "WIDTH", "describe"]

RATE: Final = 100.0
"""Samples a second of the templates."""
BEFORE: Final = 40
WIDTH: Final = 121
"""A template has 40 samples before the systolic peak and 80 after it."""

_DETECTION_HZ: Final = (0.5, 8.0)
_SHAPE_HZ: Final = (0.5, 15.0)
_PEAK_S, _PULSE_S, _OFFSET = 0.111, 0.667, 0.02  # Elgendi et al. 2013, table 2
_INTERVAL_S: Final = (0.25, 2.5)
_OUTLIER: Final = (0.5, 1.5)  # of the median interval: a pulse too many or one missed
_INVERTED: Final = -0.2
_NOTCH: Final = 0.05  # of a smooth pulse with a single hump both are below
_LARGEST_PERFUSION: Final = 20.0


def describe(
    x: NDArray[np.float32], rate: float
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float32]]:
    """Return the named features and the template of a batch of photoplethysmograms.

    Pulses are found by two moving averages of the squared signal between 0.5 and 8 Hz (Elgendi
    et al. 2013, but for a median in the threshold's offset); the template is the sample-wise
    median of the pulses between 0.5 and 15 Hz. A signal whose fall is steeper than its rise is
    light intensity, and is turned over first.

    Parameters
    ----------
    x : ndarray, shape (n, c, t), float32
        The first channel is read. NaN where a sample is missing.
    rate : float
        Samples a second.

    Returns
    -------
    scalars : dict of str to ndarray, shape (n,)
        ``rate_bpm``: 60 over the median interval; ``interval_deviation_ms``,
        ``interval_rmssd_ms``: of the intervals within 0.5 to 1.5 times their median (at least
        3); ``rise_time_ms``: from the foot (tangent of the steepest rise) to the systolic peak;
        ``width_ms``: at half the height of the template; ``notch``: concavity after the dicrotic
        notch over the convexity of the foot, both by the second derivative (waves f and a of
        Elgendi 2012); ``notch_present``, 0 or 1: that ratio and ``notch_height`` exceed 0.05;
        ``notch_height``: of the notch (wave e) over the template's, where present;
        ``skewness_index``: skewness of the signal (S_SQI of Elgendi 2016; higher is better);
        ``inverted``, 0 or 1;
        ``perfusion``: height of the template in percent of the mean of the samples, where those
        are an intensity (all above zero, and the result at most 20 %). NaN without pulses enough.
    templates : ndarray, shape (n, 1, 121), float32
        At 100 samples a second, in the unit of `x`, the systolic peak at sample 40, zero at
        the foot; NaN without a whole pulse.

    References
    ----------
    Elgendi et al. 2013, PLoS ONE 8:e76585, doi:10.1371/journal.pone.0076585; Elgendi 2012,
    Curr Cardiol Rev 8:14-25, doi:10.2174/157340312801215782; Elgendi 2016, Bioengineering 3:21,
    doi:10.3390/bioengineering3040021.

    Examples
    --------
    >>> t = np.arange(3000) / 100
    >>> x = np.exp(-((t % 0.8 - 0.3) ** 2) / 0.01)[None, None].astype(np.float32)
    >>> scalars, templates = describe(x, 100.0)
    >>> round(float(scalars["pulse.rate_bpm"][0])), templates.shape
    (75, (1, 1, 121))
    """
    raw = x[:, :1]
    n = len(raw)
    detection = band_limited(raw, rate, RATE, _DETECTION_HZ)[:, 0].astype(np.float64)
    shape = band_limited(raw, rate, RATE, _SHAPE_HZ)[:, 0].astype(np.float64)
    there = _there(raw[:, 0], rate, detection.shape[1])
    steepness = _skewness(np.diff(detection, axis=1), there[:, 1:])
    inverted = steepness < _INVERTED
    detection[inverted] *= -1
    shape[inverted] *= -1
    row, peak = _peaks(detection)
    kept = there[row, peak]
    row, peak = row[kept], peak[kept]
    at = _refined(detection, row, peak)
    found, interval = _rhythm(row, at, n)
    template = _template(shape, there, row, peak)
    found |= _shape(template, interval)
    found["skewness_index"] = _skewness(detection, there)
    alive = np.isfinite(steepness)
    found["inverted"] = np.where(alive, inverted.astype(np.float64), np.nan)
    samples = np.isfinite(raw[:, 0])
    filled = np.where(samples, raw[:, 0], np.inf)
    mean = ratio(np.where(samples, raw[:, 0], 0).sum(axis=1, dtype=np.float64), samples.sum(axis=1))
    perfusion = 100 * ratio(template.max(axis=1), np.where(filled.min(axis=1) > 0, mean, np.nan))
    found["perfusion"] = np.where(perfusion <= _LARGEST_PERFUSION, perfusion, np.nan)
    scalars = {f"pulse.{name}": values for name, values in found.items()}
    return scalars, template[:, None].astype(np.float32)


def _there(x: NDArray[np.float32], rate: float, length: int) -> NDArray[np.bool_]:
    """Tell which samples at the common rate no gap touches."""
    missing = ~np.isfinite(x)
    if not missing.any():
        return np.ones((len(x), length), bool)
    source = np.minimum((np.arange(length) * (rate / RATE)).astype(np.intp), x.shape[1] - 1)
    after = np.minimum(source + 1, x.shape[1] - 1)
    return ~(missing[:, source] | missing[:, after])


def _skewness(x: NDArray[np.float64], there: NDArray[np.bool_]) -> NDArray[np.float64]:
    count = there.sum(axis=1)
    mean = ratio(np.where(there, x, 0).sum(axis=1), count)
    z = np.where(there, x - mean[:, None], 0)
    square = z * z
    variance = ratio(square.sum(axis=1), count)
    return ratio(ratio((square * z).sum(axis=1), count), variance**1.5)


def _peaks(signal: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Row and place of the systolic peaks; pulses cut by an end of the recording are left out."""
    n, t = signal.shape
    energy = np.maximum(signal, 0) ** 2
    window = round(_PEAK_S * RATE)
    short = uniform_filter1d(energy, window, axis=1, mode="constant")
    long = uniform_filter1d(energy, round(_PULSE_S * RATE), axis=1, mode="constant")
    block = np.zeros((n, t + 2), bool)
    # The median of the average, not the mean of all: one artefact would hide every pulse.
    block[:, 1:-1] = short > long + _OFFSET * np.median(long, axis=1, keepdims=True)
    turns = np.flatnonzero(block[:, 1:] != block[:, :-1])
    row, column = turns[::2] // (t + 1), turns[::2] % (t + 1)
    length = turns[1::2] - turns[::2]
    kept = (length >= window) & (column > 0) & (column + length < t)
    row, column, length = row[kept], column[kept], length[kept]
    if len(row) == 0:
        return row, column
    begin = np.concatenate([[0], np.cumsum(length)[:-1]])
    inside = np.arange(length.sum()) - np.repeat(begin, length)
    flat = np.repeat(row * t + column, length) + inside
    values = signal.ravel()[flat]
    is_top = values == np.repeat(np.maximum.reduceat(values, begin), length)
    block_of = np.repeat(np.arange(len(row)), length)[is_top]
    _, first = np.unique(block_of, return_index=True)
    return row, flat[is_top][first] % t


def _refined(
    signal: NDArray[np.float64], row: NDArray[np.intp], peak: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Place of each peak in seconds, by the parabola through three samples."""
    inner = np.clip(peak, 1, max(signal.shape[1] - 2, 1))
    before, here, after = (signal[row, inner + d] for d in (-1, 0, 1))
    shift = np.nan_to_num(ratio((after - before) / 2, 2 * here - before - after))
    seconds: NDArray[np.float64] = (peak + np.clip(shift, -0.5, 0.5)) / RATE
    return seconds


def _rhythm(
    row: NDArray[np.intp], at: NDArray[np.float64], n: int
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float64]]:
    """Rate and regularity, and the median interval in seconds."""
    interval = np.diff(at)
    here = row[1:]
    real = (here == row[:-1]) & (interval >= _INTERVAL_S[0]) & (interval <= _INTERVAL_S[1])
    median = _medians(here[real], interval[real, None], n)[:, 0]
    relative = interval / median[here]
    real &= (relative >= _OUTLIER[0]) & (relative <= _OUTLIER[1])
    where, kept = here[real], interval[real]
    # Sums in the order of the pulses: a row's result cannot depend on the others.
    count = np.bincount(where, minlength=n)
    mean = ratio(np.bincount(where, kept, n), count)
    square = np.bincount(where, (kept - mean[where]) ** 2, n)
    deviation = np.sqrt(ratio(square, count - 1))
    follows = real[1:] & real[:-1] & (here[1:] == here[:-1])
    step = np.diff(interval)[follows]
    steps = np.bincount(here[1:][follows], minlength=n)
    rmssd = np.sqrt(ratio(np.bincount(here[1:][follows], step**2, n), steps))
    few = count < 3
    deviation[few] = rmssd[few] = np.nan
    found = {
        "rate_bpm": ratio(np.full(n, 60.0), median),
        "interval_deviation_ms": 1000 * deviation,
        "interval_rmssd_ms": 1000 * rmssd,
    }
    return found, median


def _medians(row: NDArray[np.intp], values: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Median of the values of each row, column by column: (n, w)."""
    count = np.bincount(row, minlength=n)
    most = max(int(count.max(initial=0)), 1)
    padded = np.full((n, most, values.shape[1]), np.nan)
    begin = np.concatenate([[0], np.cumsum(count)[:-1]])
    padded[row, np.arange(len(row)) - begin[row]] = values
    padded.sort(axis=1)  # NaN comes last
    last = np.maximum(count - 1, 0)
    rows = np.arange(n)
    middle: NDArray[np.float64] = (padded[rows, last // 2] + padded[rows, (last + 1) // 2]) / 2
    return middle


def _template(
    shape: NDArray[np.float64],
    there: NDArray[np.bool_],
    row: NDArray[np.intp],
    peak: NDArray[np.intp],
) -> NDArray[np.float64]:
    """Median pulse, zero at its foot: (n, WIDTH)."""
    n, t = shape.shape
    whole = (peak >= BEFORE) & (peak + WIDTH - BEFORE <= t)
    row, peak = row[whole], peak[whole]
    place = peak[:, None] - BEFORE + np.arange(WIDTH)
    whole = there[row[:, None], place].all(axis=1)
    row, place = row[whole], place[whole]
    median = _medians(row, shape[row[:, None], place], n)
    template: NDArray[np.float64] = median - median[:, : BEFORE + 1].min(axis=1, keepdims=True)
    return template


def _shape(
    template: NDArray[np.float64], interval: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Rise time, width, and dicrotic notch of the templates."""
    n = len(template)
    rows, places = np.arange(n), np.arange(WIDTH)
    period = np.where(np.isfinite(interval), interval, 1.0)[:, None] * RATE
    y = np.nan_to_num(template)
    alive = np.isfinite(template[:, 0]) & np.isfinite(interval) & (y[:, BEFORE] > 0)
    near = np.abs(places - BEFORE) <= 4
    peak = np.where(near, y, -np.inf).argmax(axis=1)
    before = (places < peak[:, None]) & (places >= peak[:, None] - 0.6 * period)
    foot = np.where(before, y, np.inf).argmin(axis=1)
    level, top = y[rows, foot], y[rows, peak]
    height = top - level

    slope = np.zeros_like(y)
    slope[:, 1:-1] = (y[:, 2:] - y[:, :-2]) / 2
    rising = (places >= foot[:, None]) & (places <= peak[:, None])
    steepest = np.where(rising, slope, -np.inf).argmax(axis=1)
    start = steepest - ratio(y[rows, steepest] - level, slope[rows, steepest])
    rise = 1000 / RATE * (peak - start)

    half = (level + height / 2)[:, None]
    above = y > half
    left = np.where(~above & (places < peak[:, None]), places, -1).max(axis=1)
    right = np.where(~above & (places > peak[:, None]), places, WIDTH).min(axis=1)
    met = (left >= 0) & (right < WIDTH)
    lower, upper = np.maximum(left, 0), np.minimum(right, WIDTH - 1)
    enter = lower + ratio(half[:, 0] - y[rows, lower], y[rows, lower + 1] - y[rows, lower])
    leave = upper - ratio(half[:, 0] - y[rows, upper], y[rows, upper - 1] - y[rows, upper])
    width = np.where(met, 1000 / RATE * (leave - enter), np.nan)

    bend = np.zeros_like(y)
    bend[:, 1:-1] = y[:, 2:] - 2 * y[:, 1:-1] + y[:, :-2]
    a = np.where(rising | (places == foot[:, None] - 1), bend, -np.inf).max(axis=1)
    after = places - peak[:, None]
    e = np.where((after >= 6) & (after <= np.minimum(0.5 * period, 50)), bend, -np.inf)
    e = e.argmax(axis=1)
    later = (places > e[:, None]) & (after <= 0.75 * period) & (places < WIDTH - 1)
    f = np.where(later, bend, 0).min(axis=1)
    notch = ratio(-f, a)
    notch_height = ratio(y[rows, e] - level, height)
    # A rebound below the foot is a filter's, not the aortic valve's.
    present = (notch > _NOTCH) & (notch_height > _NOTCH)
    notch_height[~present] = np.nan
    found = {
        "rise_time_ms": rise,
        "width_ms": width,
        "notch": notch,
        "notch_present": present.astype(np.float64),
        "notch_height": notch_height,
    }
    return {name: np.where(alive, values, np.nan) for name, values in found.items()}
