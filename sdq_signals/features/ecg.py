"""Everything that is measured on a batch of electrocardiograms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from sdq_signals.features.agreement import quality
from sdq_signals.features.beats import Beats, beat_energy, find_beats
from sdq_signals.features.conditioning import Conditioned, condition, fill_gaps
from sdq_signals.features.delineation import delineate
from sdq_signals.features.leads import lead_features, limb_residuals
from sdq_signals.features.rhythm import intervals, rhythm
from sdq_signals.features.segments import run_mean
from sdq_signals.features.template import mean_beats
from sdq_signals.features.waves import interval_features, measure, wave_features

__all__ = ["EcgFeatures", "describe"]

_ROWS: Final = 8
_SAMPLES: Final = 500_000  # recordings at a time: their arrays stay in the processor's cache
_GAP_S: Final = 0.08

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class EcgFeatures:
    """What `describe` found.

    Parameters
    ----------
    scalars : dict of str to ndarray, shape (n,), float64
        Named features, NaN where a recording does not have one.
    templates : ndarray, shape (n, leads, w), float32
        Mean beats in mV; zero for a recording without beats.
    template_rate : float
        Samples a second of them.
    r : int
        Sample of R in them.
    beat_row : ndarray of int, shape (beats,)
        The recording that each beat belongs to, sorted.
    beat_time : ndarray, shape (beats,), float64
        Second of R.
    beat_regular : ndarray of bool, shape (beats,)
        Whether its QRS has the commonest form of the recording.
    """

    scalars: dict[str, NDArray[np.float64]]
    templates: NDArray[np.float32]
    template_rate: float
    r: int
    beat_row: NDArray[np.intp]
    beat_time: NDArray[np.float64]
    beat_regular: Mask


def describe(x: NDArray[np.float32], rate: float, leads: tuple[str, ...]) -> EcgFeatures:
    """Measure rhythm, intervals, waves, relations between leads and quality.

    What is found for a recording does not depend on the others in the batch.

    Parameters
    ----------
    x : ndarray, shape (n, leads, t), float32
        Millivolts; NaN where samples are missing: bridged by lines, without beats where most
        leads are missing.
    rate : float
        Samples a second.
    leads : tuple of str
        Standard names (`sdq_signals.channels.canonical`), in the order of the second axis.

    Returns
    -------
    EcgFeatures
        Groups of scalars: ``rhythm.*`` (`sdq_signals.features.rhythm.rhythm`), ``interval.*`` and
        ``wave.*`` (`sdq_signals.features.waves`), ``leads.*`` (`sdq_signals.features.leads`),
        ``quality.*`` (`sdq_signals.features.agreement.quality`).

    Raises
    ------
    ValueError
        The shape does not fit the leads, or the rate is not positive.

    Examples
    --------
    >>> from sdq_signals.simulated_ecg import simulate
    >>> from sdq_signals.channels import LEADS
    >>> ecg = simulate(2, rate=250, seed=3)
    >>> found = describe(ecg.samples, 250, LEADS)
    >>> error = found.scalars["interval.qrs_ms"] - ecg.truth["qrs_ms"]
    >>> found.templates.shape, bool(np.abs(error).max() < 10)
    ((2, 12, 250), True)
    """
    x = np.asarray(x, np.float32)
    if x.ndim != 3 or x.shape[1] != len(leads) or not leads:
        raise ValueError(
            f"describe: x must have the shape (recordings, {len(leads)} leads, samples) with at "
            f"least one lead, found {x.shape}; pass one name for each row of the second axis"
        )
    if not (np.isfinite(rate) and rate > 0):
        raise ValueError(f"describe: the rate must be a positive number, found {rate}")
    if x.shape[2] == 0:
        x = np.full((*x.shape[:2], 1), np.nan, np.float32)
    step = max(1, min(_ROWS, _SAMPLES // (x.shape[1] * x.shape[2])))
    parts = [_describe(x[k : k + step], float(rate), leads) for k in range(0, len(x), step)]
    if not parts:
        parts = [_describe(np.zeros((0, *x.shape[1:]), np.float32), float(rate), leads)]
    return EcgFeatures(
        {k: np.concatenate([p.scalars[k] for p in parts]) for k in parts[0].scalars},
        np.concatenate([p.templates for p in parts]),
        parts[0].template_rate,
        parts[0].r,
        np.concatenate([p.beat_row + step * k for k, p in enumerate(parts)]),
        np.concatenate([p.beat_time for p in parts]),
        np.concatenate([p.beat_regular for p in parts]),
    )


def _describe(x: NDArray[np.float32], rate: float, leads: tuple[str, ...]) -> EcgFeatures:
    """Describe a few recordings at once."""
    filled, missing = fill_gaps(x)
    signal = condition(filled, rate)
    gone, touched = _gaps(missing, signal)
    beats = find_beats(beat_energy(signal.beat, signal.rate), signal.rate, gone)
    templates = mean_beats(signal.shape, beats, signal.rate, touched)
    time = templates.place / signal.rate
    rr = intervals(beats.row, time, templates.regular, beats.n, _broken(gone, beats))
    marks = delineate(templates, signal.rate, rr.usual)
    shapes = measure(templates, marks, signal.rate)
    regular = run_mean(templates.regular, beats.row, beats.n)
    groups = {
        "rhythm": rhythm(rr, beats.count, regular),
        "interval": interval_features(marks, shapes, signal.rate, rr.mean),
        "wave": wave_features(marks, shapes, leads),
        "leads": {
            **limb_residuals(filled, leads, missing),
            **lead_features(templates, shapes, leads),
        },
        "quality": quality(signal, beats, missing),
    }
    return EcgFeatures(
        {f"{group}.{k}": v for group, values in groups.items() for k, v in values.items()},
        templates.mean,
        signal.rate,
        templates.r,
        beats.row,
        time,
        templates.regular,
    )


def _gaps(missing: Mask | None, signal: Conditioned) -> tuple[Mask | None, Mask | None]:
    """Where, at the working rate, most leads are missing, and where any that there is at all is."""
    if missing is None:
        return None, None
    t, count = missing.shape[2], signal.shape.shape[2]
    there = ~missing.all(axis=2, keepdims=True)
    lost = missing[:, :, np.minimum(np.arange(count) * t // max(count, 1), t - 1)] & there
    share = lost.sum(axis=1) / np.maximum(there.sum(axis=1), 1)
    # A lone missing sample is bridged; what lacks most of a QRS is a gap.
    share = uniform_filter1d(share, max(1, round(_GAP_S * signal.rate)), axis=1, mode="nearest")
    return np.asarray(share > 0.5), np.asarray(lost.any(axis=1))


def _broken(gone: Mask | None, beats: Beats) -> Mask | None:
    """Whether samples are missing between a beat and the one before it."""
    if gone is None:
        return None
    lost = np.cumsum(gone, axis=1)[beats.row, beats.place]
    broken = np.zeros(len(lost), bool)
    broken[1:] = lost[1:] != lost[:-1]
    return broken
