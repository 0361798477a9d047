"""How strongly the channels of a recording follow one another, frequency by frequency."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_signals.channels import LEADS
from sdq_signals.features.spectrum import Spectrum, highest, ratio

__all__ = ["BAND", "MOST_CHANNELS", "describe"]

BAND: Final = (0.5, 40.0)
MOST_CHANNELS: Final = 24
FEWEST_SEGMENTS: Final = 4


def describe(spectrum: Spectrum, labels: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """Return the magnitude-squared coherence of each pair of channels, mean over 0.5 to 40 Hz.

    ``|S_ab|^2 / (S_aa S_bb)`` from the frames of the Welch spectrum that both channels have
    (Carter, Knapp & Nuttall 1973). Of unrelated channels it is not 0 but about 1 over the number
    of independent segments (0.15 for ten seconds, where nine segments overlap by half): compare
    recordings of equal duration only.

    Parameters
    ----------
    spectrum : Spectrum
    labels : sequence of str
        Standard names of the channels. Of two with the same name the first is used.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        ``coherence.<a>-<b>``, 0..1, with `a` before `b` in the order of the twelve leads, other
        names in alphabetical order after them, whatever the order in the file; at most the first
        24 channels in that order (276 pairs). NaN for a channel without signal and for fewer
        than 4 common segments (one segment alone has coherence 1 by construction).

    References
    ----------
    Carter et al. 1973, IEEE Trans Audio Electroacoust 21:337-344, doi:10.1109/TAU.1973.1162496.

    Examples
    --------
    >>> from sdq_signals.features.spectrum import welch
    >>> x = np.random.default_rng(0).standard_normal((1, 1, 1000), dtype=np.float32)
    >>> found = describe(welch(np.repeat(x, 2, axis=1), 100.0), ("II", "I"))
    >>> list(found), round(float(found["coherence.I-II"][0]), 6)
    (['coherence.I-II'], 1.0)
    """
    chosen = _order(labels)
    top = min(BAND[1], highest(spectrum.rate))
    inside = np.flatnonzero((spectrum.frequencies >= BAND[0]) & (spectrum.frequencies <= top))
    found: dict[str, NDArray[np.float64]] = {}
    if len(inside) == 0:
        band = np.zeros((*spectrum.frames.shape[:3], 0), np.complex64)
    else:
        band = spectrum.frames[..., inside[0] : inside[-1] + 1]
    power = band.real**2 + band.imag**2
    for k, a in enumerate(chosen[:-1]):
        rest = chosen[k + 1 :]
        both = spectrum.valid.take([a], axis=1) & spectrum.valid.take(rest, axis=1)
        cross = (band.take([a], axis=1).conj() * band.take(rest, axis=1)).sum(axis=2)
        # Frames of a gap are zero, so only the power of the partner's other frames must go.
        weight = both[..., None]
        power_a = (power.take([a], axis=1) * weight).sum(axis=2, dtype=np.float64)
        power_b = (power.take(rest, axis=1) * weight).sum(axis=2, dtype=np.float64)
        square = cross.real.astype(np.float64) ** 2 + cross.imag.astype(np.float64) ** 2
        coherence = ratio(square, power_a * power_b)
        there = np.isfinite(coherence)
        mean = ratio(np.where(there, coherence, 0).sum(axis=2), there.sum(axis=2))
        mean[both.sum(axis=2) < FEWEST_SEGMENTS] = np.nan
        for j, b in enumerate(rest):
            found[f"coherence.{labels[a]}-{labels[b]}"] = np.minimum(mean[:, j], 1.0)
    return found


def _order(labels: Sequence[str]) -> list[int]:
    """Places of the channels in the order of the names."""
    first = {label: k for k, label in reversed(list(enumerate(labels)))}
    rank = {lead: k for k, lead in enumerate(LEADS)}
    ordered = sorted(first, key=lambda label: (rank.get(label, len(rank)), label))
    return [first[label] for label in ordered[:MOST_CHANNELS]]
