"""Features of the electroencephalogram: rhythms, the 1/f background, Hjorth's parameters."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_signals.features.amplitude import quantiles
from sdq_signals.features.spectrum import BANDS, Spectrum, band_power, entropy, highest, log, ratio

__all__ = ["describe"]

_BACKGROUND_HZ: Final = (2.0, 40.0)
_ALPHA_HZ: Final = (7.0, 14.0)
_PEAK_HZ: Final = (7.0, 13.5)
_ROUNDS: Final = 6
_TUNING: Final = 4.685  # of Tukey's biweight: 95 % efficient for normal errors


def describe(x: NDArray[np.float32], spectrum: Spectrum) -> dict[str, NDArray[np.float64]]:
    """Return the named features of a batch of electroencephalograms.

    Parameters
    ----------
    x : ndarray, shape (n, c, t), float32
        Microvolt; NaN where a sample is missing.
    spectrum : Spectrum
        Of `x`.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        Mean over the channels that have a value, and ``<name>_spread``, their standard
        deviation (two channels at least), of: ``delta``, ``theta``, ``alpha``, ``beta``,
        ``gamma``: natural logarithm of the power in uV^2; ``relative_<band>``: share of their sum,
        0..1; ``slope``: of log power over log frequency from 2 to 40 Hz without 7 to 14 Hz, by
        biweight regression (after Donoghue et al. 2020; about -1 to -2); ``alpha_prominence_db``:
        highest excess over that line between 7 and 13.5 Hz; ``alpha_frequency_hz``: its place,
        where it is a peak; ``activity`` (natural logarithm of the variance in uV^2),
        ``mobility_hz``, ``complexity`` (Hjorth 1970); ``entropy``: of the spectrum from 0.5 to
        45 Hz, 0..1; ``span``: peak to peak of the middle 99 %, uV. NaN where the sampling rate,
        the duration or the channels do not allow the feature.

    References
    ----------
    Hjorth 1970, Electroencephalogr Clin Neurophysiol 29:306-310,
    doi:10.1016/0013-4694(70)90143-4. Donoghue et al. 2020, Nat Neurosci 23:1655-1665,
    doi:10.1038/s41593-020-00744-x.
    """
    psd, frequencies, top = spectrum.psd, spectrum.frequencies, highest(spectrum.rate)
    psd = np.where(psd.sum(axis=2, keepdims=True) > 0, psd, np.nan)  # a silent channel has none
    found: dict[str, NDArray[np.float64]] = {}
    bands = BANDS["eeg"]
    edges = [low for low, _ in bands.values()] + [next(reversed(bands.values()))[1]]
    power = band_power(psd, frequencies, np.array(edges))
    reachable = np.array([high <= top for _, high in bands.values()])
    total = power.take(np.flatnonzero(reachable), axis=2).sum(axis=2)
    for k, name in enumerate(bands):
        none = np.full(total.shape, np.nan)
        found[name] = log(power[..., k]) if reachable[k] else none
        found[f"relative_{name}"] = ratio(power[..., k], total) if reachable[k] else none
    found["slope"], found["alpha_prominence_db"], found["alpha_frequency_hz"] = _background(
        psd, frequencies, top
    )
    found["activity"], found["mobility_hz"], found["complexity"] = _hjorth(x, spectrum.rate)
    inside = np.flatnonzero((frequencies >= edges[0]) & (frequencies <= min(edges[-1], top)))
    found["entropy"] = entropy(psd.take(inside, axis=2))
    low, high = quantiles(x, (0.005, 0.995))
    found["span"] = high - low
    summary: dict[str, NDArray[np.float64]] = {}
    for name, values in found.items():
        summary[f"eeg.{name}"], summary[f"eeg.{name}_spread"] = _over_channels(values)
    return summary


def _over_channels(
    values: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    there = np.isfinite(values)
    count = there.sum(axis=1)
    mean = ratio(np.where(there, values, 0).sum(axis=1), count)
    apart = np.where(there, values - mean[:, None], 0)
    return mean, np.sqrt(ratio((apart**2).sum(axis=1), count - 1))


def _hjorth(
    x: NDArray[np.float32], rate: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    moments = []
    for order in range(3):
        if x.shape[2] < order + 2:
            moments.append(np.full(x.shape[:2], np.nan))
            continue
        step = np.diff(x, order, axis=2)
        there = np.isfinite(step)
        count = there.sum(axis=2)
        mean = ratio(np.where(there, step, 0).sum(axis=2, dtype=np.float64), count)
        apart = np.where(there, step - np.nan_to_num(mean).astype(np.float32)[:, :, None], 0)
        moments.append(ratio((apart * apart).sum(axis=2, dtype=np.float64), count))
    mobility = np.sqrt(ratio(moments[1], moments[0]))
    further = np.sqrt(ratio(moments[2], moments[1]))
    return log(moments[0]), mobility * (rate / (2 * np.pi)), ratio(further, mobility)


def _background(
    psd: NDArray[np.float64], frequencies: NDArray[np.float64], top: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Slope of the background, highest excess in the alpha range in dB, and where it peaks."""
    none = np.full(psd.shape[:2], np.nan)
    inside = (frequencies >= _BACKGROUND_HZ[0]) & (frequencies <= _BACKGROUND_HZ[1])
    alpha = (frequencies >= _ALPHA_HZ[0]) & (frequencies <= _ALPHA_HZ[1])
    fitted = np.flatnonzero(inside & ~alpha)
    if top < _BACKGROUND_HZ[1] or len(fitted) < 8:
        return none, none.copy(), none.copy()
    logged = log(psd)
    # The spectrum thins out towards high frequencies on a logarithmic axis; equal weight a decade.
    horizontal = np.log(frequencies[fitted])
    slope, level = _line(horizontal, logged.take(fitted, axis=2), 1 / frequencies[fitted])
    peak = np.flatnonzero((frequencies >= _PEAK_HZ[0]) & (frequencies <= _PEAK_HZ[1]))
    if len(peak) < 5:
        return slope, none, none.copy()
    excess = logged.take(peak, axis=2) - (
        level[..., None] + slope[..., None] * np.log(frequencies[peak])
    )
    at = np.where(np.isnan(excess), -np.inf, excess).argmax(axis=2)
    highest_excess = np.take_along_axis(excess, at[..., None], 2)[..., 0]
    inner = np.clip(at, 1, len(peak) - 2)
    before, here, after = (
        np.take_along_axis(excess, (inner + d)[..., None], 2)[..., 0] for d in (-1, 0, 1)
    )
    bend = 2 * here - before - after
    place = frequencies[peak][inner] + frequencies[1] * ratio((after - before) / 2, bend)
    is_peak = (at == inner) & (highest_excess > 0)
    return slope, 10 / np.log(10) * highest_excess, np.where(is_peak, place, np.nan)


def _line(
    x: NDArray[np.float64], y: NDArray[np.float64], prior: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit lines by iteratively reweighted least squares with Tukey's biweight."""
    weight = np.broadcast_to(prior, y.shape)
    for _ in range(_ROUNDS):
        total = weight.sum(axis=-1)
        mx = (weight * x).sum(axis=-1) / total
        my = (weight * y).sum(axis=-1) / total
        dx = x - mx[..., None]
        slope = (weight * dx * (y - my[..., None])).sum(axis=-1) / (weight * dx**2).sum(axis=-1)
        level = my - slope * mx
        residual = np.abs(y - level[..., None] - slope[..., None] * x)
        scale = 1.4826 * np.median(residual, axis=-1)[..., None]
        inside = ratio(residual, np.broadcast_to(_TUNING * scale, residual.shape))
        near = np.where(np.isnan(inside), 0.0, np.minimum(inside, 1.0))
        weight = prior * (1 - near**2) ** 2
    return slope, level
