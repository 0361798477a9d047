"""How far an electrocardiogram can be trusted: two detectors, moments, and shares of power."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from sdq_signals.features.beats import Beats, frames, largest_near, peaks
from sdq_signals.features.conditioning import Conditioned

__all__ = ["quality"]

SOURCE = (
    "Li et al. 2008, doi:10.1088/0967-3334/29/1/002; Clifford et al. 2012, "
    "doi:10.1088/0967-3334/33/9/1419"
)
_FRAME_S: Final = 0.02
_WINDOW_FRAMES: Final = 7  # 140 ms: about the 150 ms of Pan and Tompkins
_REFRACTORY_FRAMES: Final = 12
_MATCH_FRAMES: Final = 7  # 140 ms to either side
_SHARE: Final = 0.4
_FLAT_MV: Final = 0.001
_AGREES: Final = 0.8

Values = NDArray[np.float64]


def quality(
    signal: Conditioned, beats: Beats, missing: NDArray[np.bool_] | None = None
) -> dict[str, Values]:
    """Return indices of signal quality.

    The second detector is independent of the first: slope in the wide band, squared and averaged
    over 140 ms (Pan and Tompkins 1985, doi:10.1109/TBME.1985.325532), peaks above 40 % of the 98th
    percentile.

    Parameters
    ----------
    signal : Conditioned
    beats : Beats
        Of the first detector, from all leads together.
    missing : ndarray of bool, shape (n, c, t), optional
        Samples that were missing, at any rate.

    Returns
    -------
    dict of str to ndarray, shape (n,), float64
        ``detector_agreement`` (bSQI, 0..1): beats found by both detectors within 140 ms over all
        found, of all leads together. ``lead_agreement``: the same of the second detector on
        each lead, mean. ``kurtosis`` (kSQI; above 5 in a good signal), ``skewness`` (sSQI,
        absolute),
        ``baseline`` (basSQI: 1 less the share of power below 1 Hz in that below 40 Hz),
        ``qrs_power`` (pSQI: share of 5 to 15 Hz in 5 to 40 Hz): means over the leads that are
        not flat, NaN where all are. ``usable``, 0..1: share of leads that are not flat, with an
        agreement of 0.8 or more and at least 30 % of their power above 1 Hz, times the share of
        samples that are there.
    """
    n, c, _ = signal.shape.shape
    deviation, skewness, kurtosis = _moments(signal.shape)
    live = deviation > _FLAT_MV
    agreement, together = _agreements(signal, beats, live)
    wander, slow, qrs, fast = np.moveaxis(signal.power, -1, 0)
    total = wander + slow + qrs + fast
    baseline = 1 - wander / np.where(total > 0, total, 1)
    band = qrs / np.where(qrs + fast > 0, qrs + fast, 1)
    good = live & (agreement >= _AGREES) & (baseline >= 0.3)
    there = np.ones(n) if missing is None else 1 - missing.reshape(n, -1).mean(axis=1)
    return {
        "detector_agreement": together,
        "lead_agreement": _live_mean(agreement, live),
        "kurtosis": _live_mean(kurtosis, live),
        "skewness": _live_mean(np.abs(skewness), live),
        "baseline": _live_mean(baseline, live),
        "qrs_power": _live_mean(band, live),
        "usable": good.sum(axis=1) / max(c, 1) * there,
    }


def _moments(x: NDArray[np.float32]) -> tuple[Values, Values, Values]:
    """Return standard deviation, skewness and kurtosis (normal: 3) of each lead."""
    z = x - x.mean(axis=2, keepdims=True)
    square = z * z
    t = x.shape[2]
    second = np.einsum("nct->nc", square).astype(np.float64) / t
    third = np.einsum("nct,nct->nc", square, z).astype(np.float64) / t
    fourth = np.einsum("nct,nct->nc", square, square).astype(np.float64) / t
    safe = np.where(second > 1e-12, second, 1)
    return np.sqrt(second), third / safe**1.5, fourth / safe**2


def _agreements(
    signal: Conditioned, beats: Beats, live: NDArray[np.bool_]
) -> tuple[Values, Values]:
    """Agreement of each lead (n, c) and of all leads together (n,)."""
    n, c, t = signal.shape.shape
    slope = np.zeros_like(signal.shape)
    np.subtract(signal.shape[:, :, 1:], signal.shape[:, :, :-1], out=slope[:, :, 1:])
    energy = frames(slope, signal.rate)
    count = energy.shape[2]
    if count == 0:
        return np.zeros((n, c)), np.full(n, np.nan)
    energy = np.where(live[:, :, None], energy, np.float32(0))
    level = _ordered(energy, int(0.98 * (count - 1)))
    relative = energy / np.maximum(level, np.float32(1e-12))
    # All leads together are one more lead.
    courses = np.concatenate([relative, np.einsum("nct->nt", relative)[:, None]], axis=1)
    found = _second_detector(courses)
    first = np.zeros((n, 1, count), bool)
    size = t // count
    first[beats.row, 0, np.minimum(beats.place // size, count - 1)] = True
    near_first, near_found = (largest_near(f, _MATCH_FRAMES) for f in (first, found))
    both = np.minimum((found & near_first).sum(axis=2), (first & near_found).sum(axis=2))
    every = found.sum(axis=2) + first.sum(axis=2) - both
    agreement = np.where(every > 0, both / np.maximum(every, 1), 0.0)
    return agreement[:, :c], np.where(every[:, c] > 0, agreement[:, c], np.nan)


def _second_detector(energy: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Frames of peaks of the moving average that reach 40 % of its 98th percentile."""
    smooth = uniform_filter1d(energy, _WINDOW_FRAMES, axis=2, mode="nearest")
    smooth = np.sqrt(np.maximum(smooth, 0))
    count = smooth.shape[2]
    level = _ordered(smooth, int(0.98 * (count - 1)))
    return np.asarray(peaks(smooth, _REFRACTORY_FRAMES) & (smooth > _SHARE * level), bool)


def _ordered(x: NDArray[np.float32], place: int) -> NDArray[np.float32]:
    """Return the value at a place of the ascending order of each lead: (n, c, 1)."""
    return np.partition(x, place, axis=2)[:, :, place : place + 1]


def _live_mean(values: Values, live: NDArray[np.bool_]) -> Values:
    """Mean over the leads that are not flat."""
    count = live.sum(axis=1)
    total = np.add.reduce(np.where(live, values, 0), axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
