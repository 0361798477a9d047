"""The power spectrum of each channel, and what is read from it: bands, edge, entropy, mains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from sdq_signals.recording import Kind

__all__ = [
    "BANDS",
    "EDGES",
    "Spectrum",
    "band_power",
    "describe",
    "entropy",
    "highest",
    "log",
    "ratio",
    "welch",
]

SEGMENT_S: Final = 2.0
LEAST: Final = 8
"""Samples below which a recording has no spectrum."""

EDGES: Final = (
    0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4.5, 5.5, 7, 8.5, 10.5, 13, 16, 19.5, 23.5, 28, 33, 39, 46, 55, 65,
    75, 87, 100,
)  # fmt: skip
"""Edges in Hz of `spectrum.band_01` to `band_24`: evenly spaced on a logarithmic axis, rounded to
half a hertz, and none narrower than the resolution of a two-second segment. Each mains frequency
lies inside a band."""

_WIDE: Final = {
    "to_4": (0.5, 4.0), "to_8": (4.0, 8.0), "to_15": (8.0, 15.0), "to_40": (15.0, 40.0),
    "to_100": (40.0, 100.0),
}  # fmt: skip
BANDS: Final[dict[Kind, dict[str, tuple[float, float]]]] = {
    "ecg": _WIDE,
    "eeg": {
        "delta": (0.5, 4.0), "theta": (4.0, 8.0), "alpha": (8.0, 13.0), "beta": (13.0, 30.0),
        "gamma": (30.0, 45.0),
    },
    "ppg": {"to_2": (0.5, 2.0), "to_4": (2.0, 4.0), "to_8": (4.0, 8.0), "to_15": (8.0, 15.0)},
    "other": _WIDE,
}  # fmt: skip
"""Kind -> name -> band in Hz of `spectrum.relative_<name>`; EEG bands as is usual in the clinic."""

_HARMONICS = 3
_LINE_HZ = 1.0  # half the main lobe of a Hann window of two seconds
_FLOOR_HZ = (2.0, 6.0)


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Spectra of a batch, and the frames that they were averaged over.

    Parameters
    ----------
    frequencies : ndarray, shape (f,)
        Hz.
    psd : ndarray, shape (n, c, f), float64
        One-sided power density, unit^2/Hz; NaN for a channel without a frame free of gaps.
    frames : ndarray, shape (n, c, k, f), complex64
        Transform of each frame, so that ``2 |frame|^2`` is its power density; 0 where not `valid`.
    valid : ndarray, shape (n, c, k), bool
        Frames without a missing sample.
    rate : float
        Samples a second.
    """

    frequencies: NDArray[np.float64]
    psd: NDArray[np.float64]
    frames: NDArray[np.complex64]
    valid: NDArray[np.bool_]
    rate: float

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean over the channels that carry a signal, shape (n, f); NaN where none does."""
        total = self.psd.sum(axis=2)
        alive = (total > 0)[:, :, None]  # False for NaN as well
        count = alive.sum(axis=1)
        summed = np.where(alive, self.psd, 0).sum(axis=1)
        return ratio(summed, count)


def welch(x: NDArray[np.float32], rate: float) -> Spectrum:
    """Estimate the power spectral density of every channel (Welch 1967).

    Hann window, segments of 2 s (of the whole recording where it is shorter) that overlap by
    half, the mean of each removed. A segment with a missing sample is left out.

    Parameters
    ----------
    x : ndarray, shape (n, c, t), float32
        NaN where a sample is missing.
    rate : float
        Samples a second.

    Returns
    -------
    Spectrum
        Below 8 samples no channel has a spectrum: `psd` is NaN.

    References
    ----------
    Welch 1967, IEEE Trans Audio Electroacoust 15:70-73, doi:10.1109/TAU.1967.1161901.

    Examples
    --------
    >>> t = np.arange(1000) / 100
    >>> found = welch(np.sin(2 * np.pi * 10 * t, dtype=np.float32)[None, None], 100.0)
    >>> float(found.frequencies[found.psd[0, 0].argmax()])
    10.0
    """
    n, channels, length = x.shape
    segment = min(max(round(SEGMENT_S * rate), LEAST), length)
    frequencies = fft.rfftfreq(segment, 1 / rate)
    if length < LEAST:
        shape = (n, channels, len(frequencies))
        none = np.zeros((n, channels, 0, len(frequencies)), np.complex64)
        return Spectrum(
            frequencies, np.full(shape, np.nan), none, np.zeros((n, channels, 0), bool), rate
        )
    window = np.hanning(segment + 1)[:-1]
    # Makes |frame|^2 half a one-sided density.
    window = (window / np.sqrt(rate * (window**2).sum())).astype(np.float32)
    # A constant becomes exactly zero, and an offset costs no digits.
    centred = x - _first(x)[:, :, None]
    step = segment - segment // 2
    framed = np.lib.stride_tricks.sliding_window_view(centred, segment, axis=2)[:, :, ::step]
    means = framed.mean(axis=3, keepdims=True)
    valid = np.isfinite(means[..., 0])
    cut = framed - means
    cut *= window
    if not valid.all():
        cut[~valid] = 0
    frames = fft.rfft(cut, axis=3, overwrite_x=True)
    power = (frames.real**2 + frames.imag**2).sum(axis=2, dtype=np.float64)
    power[..., 1 : (segment + 1) // 2] *= 2  # neither zero nor the Nyquist frequency has a twin
    count = valid.sum(axis=2)[:, :, None]
    psd = ratio(power, count)
    return Spectrum(frequencies, psd, frames, valid, rate)


def band_power(
    psd: NDArray[np.float64], frequencies: NDArray[np.float64], edges: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Integrate densities between consecutive edges.

    Each frequency stands for the cell half-way to its neighbours, so that a band's power does
    not jump when an edge meets a frequency, and means the same for any segment length.

    Parameters
    ----------
    psd : ndarray, shape (..., f)
    frequencies : ndarray, shape (f,)
        Evenly spaced from 0.
    edges : ndarray, shape (b + 1,)
        Hz, rising.

    Returns
    -------
    ndarray, shape (..., b)

    Examples
    --------
    >>> band_power(np.ones(11), np.arange(11.0), np.array([1, 3, 4.5]))
    array([2. , 1.5])
    """
    if len(frequencies) < 2:
        return np.full((*psd.shape[:-1], len(edges) - 1), np.nan)
    width = frequencies[1]
    cumulative = np.concatenate(
        [np.zeros((*psd.shape[:-1], 1)), np.cumsum(psd, axis=-1) * width], axis=-1
    )
    place = np.clip(np.asarray(edges, np.float64) / width + 0.5, 0, len(frequencies))
    cell = np.minimum(place.astype(np.intp), len(frequencies) - 1)
    reached = cumulative[..., cell] + (place - cell) * width * psd[..., cell]
    between: NDArray[np.float64] = reached[..., 1:] - reached[..., :-1]
    return between


def ratio(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    """Divide; NaN where the divisor is not above zero."""
    out = np.full(part.shape, np.nan)
    np.divide(part, whole, out=out, where=whole > 0)
    return out


def log(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take the natural logarithm; NaN where the value is not above zero."""
    out = np.full(values.shape, np.nan)
    np.log(values, out=out, where=values > 0)
    return out


def entropy(psd: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Shannon entropy of the normalised spectrum over its maximum, 0..1.

    Parameters
    ----------
    psd : ndarray, shape (..., f)

    Returns
    -------
    ndarray, shape (...,)
        NaN for a silent spectrum and for fewer than two frequencies.

    Examples
    --------
    >>> entropy(np.array([[1.0, 1.0], [0.0, 1.0]]))
    array([1., 0.])
    """
    if psd.shape[-1] < 2:
        return np.full(psd.shape[:-1], np.nan)
    share = ratio(psd, np.broadcast_to(psd.sum(axis=-1, keepdims=True), psd.shape))
    logged = np.zeros(share.shape)
    np.log(share, out=logged, where=share > 0)
    found: NDArray[np.float64] = np.abs((share * logged).sum(axis=-1)) / np.log(psd.shape[-1])
    return found


def highest(rate: float) -> float:
    """Return the highest frequency that is read: 0.9 of Nyquist, where filters have not begun."""
    return 0.45 * rate


def describe(spectrum: Spectrum, kind: Kind, mains_hz: int = 50) -> dict[str, NDArray[np.float64]]:
    """Return the named spectral features of a batch, from the mean over channels.

    Parameters
    ----------
    spectrum : Spectrum
    kind : {"ecg", "eeg", "ppg", "other"}
        Chooses the bands of `spectrum.relative_<name>`: share of the power between 0.5 Hz and
        the smaller of 100 Hz and 0.9 Nyquist.
    mains_hz : {50, 60}
        Frequency of the grid for `spectrum.mains_share`.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        ``band_01`` .. ``band_24``: natural logarithm of the power, unit^2, between `EDGES`;
        ``edge95_hz``: 95 % of the power lies below it (Inouye et al. 1991); ``entropy``: Shannon
        entropy of the normalised spectrum over its maximum, 0..1; ``mains_50_db``,
        ``mains_60_db``: highest of the lines at the frequency and its first harmonics over the
        median of its neighbourhood; ``mains_share``, 0..1: power of those lines above that floor.
        NaN where the recording has no signal, the band lies above 0.9 Nyquist, or the line above
        Nyquist.

    References
    ----------
    Inouye et al. 1991, Electroencephalogr Clin Neurophysiol 79:204-210,
    doi:10.1016/0013-4694(91)90138-T.
    """
    psd, frequencies, top = spectrum.mean, spectrum.frequencies, highest(spectrum.rate)
    found: dict[str, NDArray[np.float64]] = {}
    power = band_power(psd, frequencies, np.array(EDGES))
    missing = np.full(len(psd), np.nan)
    for k, high in enumerate(EDGES[1:]):
        found[f"band_{k + 1:02d}"] = missing if high > top else log(power[:, k])
    last = min(EDGES[-1], top)
    total = band_power(psd, frequencies, np.array([EDGES[0], max(last, EDGES[0])]))[:, 0]
    for name, (low, high) in BANDS[kind].items():
        share = band_power(psd, frequencies, np.array([low, high]))[:, 0]
        found[f"relative_{name}"] = missing if high > top else ratio(share, total)
    inside = np.flatnonzero((frequencies >= EDGES[0]) & (frequencies <= last))
    # `take` keeps rows together in memory, so that sums do not depend on how many rows there are.
    found["edge95_hz"] = _edge(psd.take(inside, axis=1), frequencies[inside])
    found["entropy"] = entropy(psd.take(inside, axis=1))
    for hz in (50, 60):
        level, line = _mains(psd, frequencies, float(hz))
        found[f"mains_{hz}_db"] = level
        if hz == mains_hz:
            all_power = band_power(psd, frequencies, np.array([EDGES[0], frequencies[-1]]))[:, 0]
            found["mains_share"] = np.minimum(ratio(line, all_power), 1.0)
    return {f"spectrum.{name}": values for name, values in found.items()}


def _first(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """First finite sample of each channel; 0 where there is none."""
    finite = np.isfinite(x)
    at = finite.argmax(axis=2)[:, :, None]
    first: NDArray[np.float32] = np.take_along_axis(x, at, axis=2)[:, :, 0]
    first[~finite.any(axis=2)] = 0
    return first


def _edge(psd: NDArray[np.float64], frequencies: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(frequencies) < 2:
        return np.full(len(psd), np.nan)
    reached = np.cumsum(psd, axis=1)
    wanted = 0.95 * reached[:, -1:]
    at = (reached >= wanted).argmax(axis=1)
    row = np.arange(len(psd))
    into = ratio(reached[row, at] - wanted[:, 0], psd[row, at])
    width = frequencies[1] - frequencies[0]
    edge: NDArray[np.float64] = frequencies[at] + width * (0.5 - into)
    return edge


def _mains(
    psd: NDArray[np.float64], frequencies: NDArray[np.float64], hz: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Highest line in dB over its floor, and the power of all lines above theirs."""
    level = np.full(len(psd), np.nan)
    power = np.full(len(psd), np.nan)
    for line in hz * np.arange(1, _HARMONICS + 1):
        apart = np.abs(frequencies - line)
        near = np.flatnonzero(apart <= _LINE_HZ)
        around = np.flatnonzero((apart > _FLOOR_HZ[0]) & (apart <= _FLOOR_HZ[1]))
        # A segment so short that the line covers its neighbourhood cannot tell.
        if line + _LINE_HZ > frequencies[-1] or len(near) < 2 or len(around) < 4:
            continue
        floor = np.median(psd.take(around, axis=1), axis=1)
        at = psd.take(near, axis=1)
        peak = at.max(axis=1)
        level = np.fmax(level, 10 / np.log(10) * log(ratio(peak, floor)))
        above = np.maximum(at - floor[:, None], 0).sum(axis=1) * frequencies[1]
        power = np.where(np.isnan(power), above, power + above)
    return level, power
