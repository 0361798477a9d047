"""Degradations of recordings: what hum, noise, wrong units, rates and cables do to all of a batch.

Amplitudes are in millivolts. A change that a real fault would make before the limb leads are
computed is made to I and II, and III, aVR, aVL and aVF are derived anew, so that it cannot be
told by Einthoven's law; `lead_noise` breaks the law on purpose.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import UsageError
from sdq_signals.channels import LEADS

__all__ = [
    "Samples",
    "arms_swapped",
    "clipped",
    "derived",
    "flat_lead",
    "gain",
    "inverted",
    "lead_noise",
    "low_pass",
    "mains_hum",
    "mislabelled_rate",
    "missing_samples",
    "precordials_swapped",
    "quantised",
    "rate_restored",
    "wander",
    "white_noise",
    "wrong_unit",
]

Samples = NDArray[np.float32]
"""Electrocardiograms (n, 12, t) in mV, leads in the order of `sdq_signals.channels.LEADS`."""

_I, _II, _III, _AVR, _AVL, _AVF = range(6)
_FREE: Final = (_I, _II, *range(6, 12))
"""Leads that no other gives."""


def derived(x: Samples) -> Samples:
    """Return the recordings with III, aVR, aVL and aVF computed from I and II.

    Parameters
    ----------
    x : ndarray, shape (n, 12, t)

    Returns
    -------
    ndarray, shape (n, 12, t), float32
        As from all functions here, unless another shape is said.

    References
    ----------
    Einthoven 1912; Goldberger 1942, doi:10.1016/S0002-8703(42)90821-4.

    Examples
    --------
    >>> x = np.zeros((1, 12, 2), np.float32); x[:, 1] = 1
    >>> derived(x)[0, :6, 0].tolist()
    [0.0, 1.0, 1.0, -0.5, -0.5, 1.0]
    """
    y = _batch("derived", x).copy()
    i, ii = y[:, _I], y[:, _II]
    y[:, _III], y[:, _AVR] = ii - i, -(i + ii) / 2
    y[:, _AVL], y[:, _AVF] = i - ii / 2, ii - i / 2
    return y


def quantised(x: Samples, step: float = 0.001) -> Samples:
    """Round to the resolution of common public 12-lead sets, 1 uV.

    Examples
    --------
    >>> quantised(np.array([[[0.0014]]], np.float32)).tolist()
    [[[0.0010000000474974513]]]
    """
    return np.asarray(np.rint(x.astype(np.float64) / step) * step, np.float32)


def mains_hum(x: Samples, rate: float, amplitude: float, hz: float = 50.0) -> Samples:
    """Add the hum of the power grid to I, II and V1 to V6, of one phase in all of them.

    Parameters
    ----------
    x : ndarray, shape (n, 12, t)
    rate : float
        Samples a second.
    amplitude : float
        Of the sine in mV; 0.02 is hardly visible on paper.
    hz : float

    References
    ----------
    Huhta & Webster 1973, doi:10.1109/TBME.1973.324169.

    Examples
    --------
    >>> y = mains_hum(np.zeros((1, 12, 500), np.float32), 500.0, 0.02)
    >>> round(float(y[0, 0].max()), 4), float(y[0, 2].max())
    (0.019, 0.0)
    """
    y = _batch("mains_hum", x).copy()
    hum = amplitude * np.sin(2 * np.pi * hz * np.arange(x.shape[2]) / rate)
    y[:, _FREE] += hum.astype(np.float32)
    return derived(y)


def lead_noise(x: Samples, deviation: float, rng: np.random.Generator) -> Samples:
    """Add noise to each of the twelve leads by itself: leads that were generated one by one.

    Parameters
    ----------
    x : ndarray, shape (n, 12, t)
    deviation : float
        Standard deviation in mV.
    rng : numpy.random.Generator

    References
    ----------
    Einthoven 1912; Alcaraz & Strodthoff 2023, arXiv:2301.08227 (four leads derived, not drawn).

    Examples
    --------
    >>> y = lead_noise(np.zeros((1, 12, 5000), np.float32), 0.01, np.random.default_rng(0))
    >>> round(float((y[0, 0] + y[0, 2] - y[0, 1]).std()), 3)
    0.017
    """
    noise = rng.standard_normal(_batch("lead_noise", x).shape, dtype=np.float32)
    return np.asarray(x + np.float32(deviation) * noise, np.float32)


def white_noise(x: Samples, deviation: float, rng: np.random.Generator) -> Samples:
    """Add noise to I, II and V1 to V6 and derive the others.

    Parameters
    ----------
    x : ndarray, shape (n, 12, t)
    deviation : float
        Standard deviation in mV.
    rng : numpy.random.Generator
    """
    return derived(lead_noise(x, deviation, rng))


def clipped(x: Samples, limit: float) -> Samples:
    """Cut all samples to the range of an amplifier or of a bounded output layer.

    Parameters
    ----------
    x : ndarray, shape (n, 12, t)
    limit : float
        mV, above 0.

    References
    ----------
    IEC 60601-2-25:2011 (range of inputs).

    Examples
    --------
    >>> clipped(np.array([[[0.2, -2.0]]], np.float32), 0.5)[0, 0].round(3).tolist()
    [0.20000000298023224, -0.5]
    """
    return np.clip(x, np.float32(-limit), np.float32(limit))


def low_pass(x: Samples, rate: float, cutoff: float) -> Samples:
    """Take out everything above a frequency: the smoothness of averaging generators.

    Parameters
    ----------
    x : ndarray, shape (n, 12, t)
    rate : float
        Samples a second.
    cutoff : float
        Hz; half a hertz wide, without shift in time.

    References
    ----------
    Kligfield et al. 2007, doi:10.1161/CIRCULATIONAHA.106.180200 (bandwidth of 150 Hz).

    Examples
    --------
    >>> t = np.arange(1000) / 500
    >>> y = low_pass(np.sin(2 * np.pi * 100 * t)[None, None].astype(np.float32), 500.0, 25.0)
    >>> float(np.abs(y).max()) < 1e-6
    True
    """
    from scipy import fft

    frequency = fft.rfftfreq(x.shape[2], 1 / rate)
    kept = np.clip((cutoff + 0.25 - frequency) / 0.5, 0, 1)
    return np.asarray(
        fft.irfft(fft.rfft(x.astype(np.float64), axis=2) * kept, x.shape[2], axis=2), np.float32
    )


def gain(x: Samples, factor: float) -> Samples:
    """Multiply all samples: a wrong calibration."""
    return np.asarray(x * np.float32(factor), np.float32)


def wrong_unit(x: Samples) -> Samples:
    """Return microvolts that are still called millivolts."""
    return gain(x, 1000.0)


def wander(x: Samples, rate: float, amplitude: float, rng: np.random.Generator) -> Samples:
    """Add the slow drift of electrodes and of breathing, 0.1 to 0.4 Hz.

    Parameters
    ----------
    x : ndarray, shape (n, 12, t)
    rate : float
        Samples a second.
    amplitude : float
        mV; each lead has its own between half of it and all of it.
    rng : numpy.random.Generator

    References
    ----------
    Sornmo & Laguna 2005, Bioelectrical Signal Processing, chapter 7.

    Examples
    --------
    >>> y = wander(np.zeros((1, 12, 5000), np.float32), 500.0, 1.0, np.random.default_rng(0))
    >>> bool(0.5 < np.ptp(y[0, 0]) <= 2)
    True
    """
    n, _, t = _batch("wander", x).shape
    time = np.arange(t) / rate
    frequency = rng.uniform(0.1, 0.4, (n, 1, 1))
    size = rng.uniform(0.5, 1.0, (n, len(_FREE), 1)) * amplitude
    phase = rng.uniform(0, 2 * np.pi, (n, len(_FREE), 1))
    y = x.copy()
    y[:, _FREE] += (size * np.sin(2 * np.pi * frequency * time + phase)).astype(np.float32)
    return derived(y)


def flat_lead(x: Samples, lead: str = "V2") -> Samples:
    """Return recordings of which one lead is zero throughout: a loose electrode."""
    y = _batch("flat_lead", x).copy()
    y[:, LEADS.index(lead)] = 0
    return y


def missing_samples(x: Samples, rate: float, seconds: float, rng: np.random.Generator) -> Samples:
    """Put a gap of NaN into all leads, at a random place.

    Parameters
    ----------
    x : ndarray, shape (n, 12, t)
    rate : float
        Samples a second.
    seconds : float
        Length of the gap; cut to that of the recording.
    rng : numpy.random.Generator

    Examples
    --------
    >>> y = missing_samples(np.zeros((1, 12, 500), np.float32), 100.0, 2, np.random.default_rng(0))
    >>> int(np.isnan(y[0, 3]).sum())
    200
    """
    y = x.copy()
    width = min(max(1, round(seconds * rate)), x.shape[2])
    starts = rng.integers(0, x.shape[2] - width + 1, len(x))
    for record, start in zip(y, starts, strict=True):
        record[:, start : start + width] = np.nan
    return y


def inverted(x: Samples) -> Samples:
    """Turn all leads upside down."""
    return np.asarray(-x, np.float32)


def arms_swapped(x: Samples) -> Samples:
    """Exchange the cables of the arms: I is inverted, II and III as well as aVR and aVL change.

    References
    ----------
    Heden et al. 1996, doi:10.1016/S0022-0736(96)80057-6.

    Examples
    --------
    >>> x = derived(np.random.default_rng(0).standard_normal((1, 12, 9)).astype(np.float32))
    >>> y = arms_swapped(x)
    >>> bool(np.allclose(y[:, 3:6], x[:, [4, 3, 5]], atol=1e-6))
    True
    """
    y = _batch("arms_swapped", x).copy()
    y[:, _I], y[:, _II] = -x[:, _I], x[:, _III]
    return derived(y)


def precordials_swapped(x: Samples, one: str = "V1", other: str = "V3") -> Samples:
    """Exchange two chest leads.

    References
    ----------
    Kors & van Herpen 2001, American Journal of Cardiology 88:396-399.

    Examples
    --------
    >>> x = np.zeros((1, 12, 2), np.float32); x[:, 6] = 1
    >>> precordials_swapped(x)[0, :, 0].argmax()
    np.int64(8)
    """
    y = _batch("precordials_swapped", x).copy()
    a, b = LEADS.index(one), LEADS.index(other)
    y[:, [a, b]] = x[:, [b, a]]
    return y


def mislabelled_rate(x: Samples, true: float, labelled: float) -> Samples:
    """Return what a recorder of another rate than the one on the label would have written.

    Parameters
    ----------
    x : ndarray, shape (n, channels, t)
        At the labelled rate.
    true, labelled : float
        Samples a second of the recorder and of the label.

    Returns
    -------
    ndarray, shape (n, channels, about t * true / labelled), float32
        Read at the labelled rate, the heart beats `labelled / true` times too fast.

    Examples
    --------
    >>> mislabelled_rate(np.zeros((1, 12, 6250), np.float32), 400.0, 500.0).shape
    (1, 12, 5000)
    """
    from scipy.signal import resample_poly

    up, down = _ratio(true, labelled)
    return np.asarray(resample_poly(x, up, down, axis=2), np.float32)


def rate_restored(x: Samples, rate: float, through: float) -> Samples:
    """Bring to another rate and back: a copy that was stored coarser.

    Parameters
    ----------
    x : ndarray, shape (n, channels, t)
    rate, through : float
        Samples a second.

    Examples
    --------
    >>> x = np.sin(np.arange(1000) / 20)[None, None].astype(np.float32)
    >>> float(np.abs(rate_restored(x, 500.0, 250.0) - x)[..., 100:-100].max()) < 0.01
    True
    """
    back = mislabelled_rate(mislabelled_rate(x, through, rate), rate, through)
    return back[:, :, : x.shape[2]]


def _ratio(true: float, labelled: float) -> tuple[int, int]:
    from fractions import Fraction

    if not (true > 0 and labelled > 0):
        raise UsageError(f"mislabelled_rate: rates must be positive; got {true} and {labelled}")
    ratio = Fraction(true / labelled).limit_denominator(1000)
    return ratio.numerator, ratio.denominator


def _batch(name: str, x: Samples) -> Samples:
    if x.ndim != 3 or x.shape[1] != len(LEADS):
        raise UsageError(
            f"{name}: needs electrocardiograms in an array (n, 12, t), leads in the order of "
            f"sdq_signals.channels.LEADS; found the shape {x.shape}"
        )
    return x
