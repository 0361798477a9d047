"""Everything that is computed from the samples of recordings of one form."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sdq_signals.embeddings import random_convolutions
from sdq_signals.features import amplitude, coherence, ecg, eeg, pulse, spectrum
from sdq_signals.features.usable import usable_share
from sdq_signals.recording import Kind
from sdq_signals.signature import AFTER, BEFORE, RATE, fingerprint, in_slots

__all__ = ["Batch", "features"]

UNIT_BEARING = ("amplitude.", "spectrum.band_", "eeg.")
"""Prefixes of scalars that mean nothing without the unit of the samples; so do names in mV."""
FREE_OF_UNITS = (
    "amplitude.skewness", "amplitude.kurtosis", "amplitude.sample_roughness", "eeg.relative_",
    "eeg.slope", "eeg.alpha_", "eeg.mobility", "eeg.complexity", "eeg.entropy",
)  # fmt: skip
COUNTED = ("rhythm.beats",)
"""Scalars that add up over the blocks of a recording."""
_ROWS = 16  # recordings at a time: their spectra stay in the processor's cache

Samples = NDArray[np.float32]
Column = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Batch:
    """Features of recordings of one form.

    Parameters
    ----------
    scalars : dict of str to ndarray, shape (n,), float64
        NaN where a recording has no such feature.
    embeddings : ndarray, shape (n, 512), float32
        NaN for a recording without.
    signatures : ndarray, shape (n, 15, 80), float32
        0 for a recording without.
    """

    scalars: dict[str, Column]
    embeddings: Samples
    signatures: Samples

    def scalars_of(self, row: int) -> dict[str, float]:
        """Return the scalars that one recording has."""
        return {k: float(v[row]) for k, v in self.scalars.items() if np.isfinite(v[row])}

    @classmethod
    def merged(cls, blocks: Sequence[Batch]) -> Batch:
        """Return the features of recordings from those of their blocks.

        Medians of scalars, sums of counts, means of embeddings and of mean beats; each over the
        blocks that have them.
        """
        if len(blocks) == 1:
            return blocks[0]
        names = dict.fromkeys(n for b in blocks for n in b.scalars)
        with warnings.catch_warnings():
            # Of nothing but NaN the median is NaN: the recording has no such feature.
            warnings.simplefilter("ignore", RuntimeWarning)
            scalars = {
                n: (np.nansum if n in COUNTED else np.nanmedian)(
                    [b.scalars[n] for b in blocks], axis=0
                )
                for n in names
            }
            embeddings = np.nanmean([b.embeddings for b in blocks], axis=0)
        stacked = np.stack([b.signatures for b in blocks])
        there = (np.ptp(stacked, axis=(2, 3)) > 0).sum(axis=0)
        signatures = stacked.sum(axis=0) / np.maximum(there, 1)[:, None, None]
        return cls(scalars, embeddings.astype(np.float32), signatures.astype(np.float32))


def features(
    x: Samples,
    rate: float,
    labels: tuple[str, ...],
    kind: Kind,
    *,
    calibrated: bool = True,
    mains_hz: int = 50,
) -> Batch:
    """Compute the features of a batch.

    Parameters
    ----------
    x : ndarray, shape (n, channels, time), float32
        mV for ECG, uV for EEG; NaN where a sample is missing.
    rate : float
        Samples a second.
    labels : tuple of str
        Standard names of the channels.
    kind : {"ecg", "eeg", "ppg", "other"}
        A kind without a specialist gets the spectral and distributional set.
    calibrated : bool
        Whether the unit is known: without it, features that bear it are left out.
    mains_hz : {50, 60}

    Returns
    -------
    Batch
        A row does not depend on the others.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((2, 1, 1000), dtype=np.float32)
    >>> found = features(x, 100.0, ("EDA",), "other")
    >>> found.embeddings.shape, "spectrum.entropy" in found.scalars_of(0)
    ((2, 512), True)
    """
    parts = [
        _of_any_kind(x[k : k + _ROWS], rate, labels, kind, mains_hz)
        for k in range(0, max(len(x), 1), _ROWS)
    ]
    scalars = {n: np.concatenate([p[n] for p in parts]) for n in parts[0]}
    if kind == "ecg":
        found = ecg.describe(x, rate, labels)
        scalars |= found.scalars
        beats = _resampled(found.templates, found.template_rate, found.r)
        signatures = in_slots(beats, labels)
    elif kind == "ppg":
        values, templates = pulse.describe(x, rate)
        scalars |= values
        signatures = in_slots(_resampled(_unit_height(templates), pulse.RATE, pulse.BEFORE), ("1",))
    else:
        signatures = fingerprint(x, rate)
    scalars["quality.usable"] = usable_share(x, rate, kind, scalars)
    if not calibrated:
        scalars = {
            n: v
            for n, v in scalars.items()
            if n.startswith(FREE_OF_UNITS) or not (n.startswith(UNIT_BEARING) or n.endswith("_mv"))
        }
    embedded = random_convolutions.embed(x, rate, kind if calibrated else "other", labels)
    return Batch(scalars, embedded, signatures)


def _of_any_kind(
    x: Samples, rate: float, labels: tuple[str, ...], kind: Kind, mains_hz: int
) -> dict[str, Column]:
    """Scalars of a few recordings that need no beats."""
    spectra = spectrum.welch(x, rate)
    return {
        **amplitude.describe(x),
        **spectrum.describe(spectra, kind, mains_hz),
        **coherence.describe(spectra, labels),
        **(eeg.describe(x, spectra) if kind == "eeg" else {}),
    }


def _resampled(templates: Samples, rate: float, centre: int) -> Samples:
    """Mean beats at the rate and length of a signature; what lies outside is the edge's value."""
    # Below the Nyquist frequency of the signature first, or its samples depend on R's own place.
    padded = np.pad(templates, [(0, 0)] * (templates.ndim - 1) + [(1, 1)], mode="edge")
    smooth = (padded[..., :-2] + 2 * padded[..., 1:-1] + padded[..., 2:]) / 4
    at = centre + np.arange(-round(BEFORE * RATE), round(AFTER * RATE)) * (rate / RATE)
    low = np.clip(np.floor(at).astype(np.intp), 0, smooth.shape[-1] - 2)
    part = np.clip(at - low, 0, 1).astype(np.float32)
    found = smooth[..., low] * (1 - part) + smooth[..., low + 1] * part
    return np.asarray(np.nan_to_num(found), np.float32)


def _unit_height(templates: Samples) -> Samples:
    """Pulses have no common unit: their shape is what can be compared."""
    height = np.max(templates, axis=-1, keepdims=True, initial=0.0)
    return np.asarray(templates / np.where(height > 0, height, 1), np.float32)
