"""What an auditor needs to know of each channel: the rules that all formats share."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from sdq_core.finding import Finding
from sdq_core.vocabulary import Severity
from sdq_signals.channels import canonical
from sdq_signals.conformity.rules import violation
from sdq_signals.recording import Kind
from sdq_signals.units import PLAUSIBLE_MV, factor

__all__ = ["MOST_SAMPLES", "names", "plausible", "rate", "unit"]

MOST_SAMPLES = 4096
"""Samples of a channel of which the middle 99 % is taken."""
_IN_MV = {"ecg": 1.0, "eeg": 1e-3}


def names(given: Sequence[str], places: Sequence[str]) -> Iterator[Finding]:
    """Judge the names of channels: each has one, and each its own.

    Parameters
    ----------
    given : sequence of str
    places : sequence of str
        Where each stands.

    Examples
    --------
    >>> [f.where for f in names(["II", "", "ii"], ["signal 1", "signal 2", "signal 3"])]
    ['signal 2', 'signal 1, signal 3']
    """
    plain = [name.strip().lower() for name in given]
    for name, place in zip(plain, places, strict=True):
        if not name:
            yield violation("metadata.channel_name_missing", place)
    for name in dict.fromkeys(plain):
        if name and plain.count(name) > 1:
            same = [p for n, p in zip(plain, places, strict=True) if n == name]
            yield violation("metadata.channel_name_repeated", ", ".join(same))


def unit(name: str, text: str, place: str) -> Finding | None:
    """Judge the unit of a channel.

    Parameters
    ----------
    name : str
        Of the channel; decides its kind.
    text : str
        The unit as written.
    place : str

    Returns
    -------
    Finding or None
        An error for ECG, EEG and PPG, a warning for others: a marker or a position has no unit.

    Examples
    --------
    >>> unit("II", "mV", "signal 1") is None, unit("II", "mmHg", "signal 1").rule
    (True, 'signals.metadata.unit_unknown')
    """
    kind = canonical(name)[1]
    severity = Severity.WARNING if kind == "other" else Severity.ERROR
    if not text.strip():
        return violation("metadata.unit_missing", place, severity)
    if factor(text, kind) is None:
        return violation("metadata.unit_unknown", place, severity)
    return None


def rate(value: float, rates: Collection[float] | None, place: str) -> Iterator[Finding]:
    """Judge a sampling rate against those that the data set declares.

    A header alone cannot show that a possible rate is a wrong one.

    Examples
    --------
    >>> [f.where for f in rate(360.0, (500.0,), "rate")], list(rate(360.0, None, "rate"))
    (['rate'], [])
    """
    if rates is not None and value not in rates:
        yield violation("metadata.sampling_rate_unusual", place)


def plausible(kind: Kind, scale: float | None, samples: NDArray[np.integer]) -> bool:
    """Return whether the middle 99 % of stored samples span what the kind can.

    Parameters
    ----------
    kind : {"ecg", "eeg", "ppg", "other"}
    scale : float or None
        From stored values to the unit of the kind; None where it is not known.
    samples : ndarray of whole numbers, shape (n,)
        At most `MOST_SAMPLES` of them, evenly taken, are looked at.

    Returns
    -------
    bool
        True as well where nothing can be said: other kinds, no scale, a flat channel.

    Examples
    --------
    >>> wave = (1000 * np.sin(np.arange(500) / 20)).astype(np.int16)
    >>> plausible("ecg", 1e-3, wave), plausible("ecg", 1e-6, wave)
    (True, False)
    """
    limits = PLAUSIBLE_MV.get(kind)
    if limits is None or scale is None or len(samples) < 2:
        return True
    part = np.sort(samples[:: -(-len(samples) // MOST_SAMPLES)])
    edge = len(part) // 200
    span = float(part[len(part) - 1 - edge]) - float(part[edge])
    return span == 0 or limits[0] <= span * abs(scale) * _IN_MV[kind] <= limits[1]
