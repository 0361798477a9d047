"""The small array on which copies are searched, and in which beats are compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_signals.channels import LEADS

__all__ = ["AFTER", "BEFORE", "RATE", "SHAPE", "fingerprint", "in_slots", "slots"]

RATE: Final = 100.0
"""Samples a second of a mean beat."""
BEFORE: Final = 0.30
AFTER: Final = 0.50
"""Seconds of a mean beat before and after its R peak, or the foot of its pulse."""
OTHERS: Final = 3
SHAPE: Final = (len(LEADS) + OTHERS, round((BEFORE + AFTER) * RATE))
"""A row for each of the twelve leads and three other channels; zeros where there is none."""

LOWEST_HZ, HIGHEST_HZ = 0.5, 40.0
TREND = 15  # bins over which the shape that many recordings share is taken out


def slots(labels: Sequence[str]) -> NDArray[np.intp]:
    """Return the row of the signature of each channel; -1 where there is no room left.

    Examples
    --------
    >>> slots(["V5", "II", "PLETH"]).tolist()
    [10, 1, 12]
    """
    found = np.full(len(labels), -1, np.intp)
    free = iter(range(len(LEADS), SHAPE[0]))
    for k, label in enumerate(labels):
        lead = LEADS.index(label) if label in LEADS else None
        found[k] = next(free, -1) if lead is None or lead in found else lead
    return found


def in_slots(templates: NDArray[np.floating], labels: Sequence[str]) -> NDArray[np.float32]:
    """Put mean beats in the rows of a signature.

    Parameters
    ----------
    templates : ndarray, shape (n, channels, 80)
    labels : sequence of str
        Standard names of the channels.

    Returns
    -------
    ndarray, shape (n, 15, 80), float32
    """
    found = np.zeros((len(templates), *SHAPE), np.float32)
    rows = slots(labels)
    found[:, rows[rows >= 0]] = templates[:, rows >= 0]
    return found


def fingerprint(x: NDArray[np.float32], rate: float) -> NDArray[np.float32]:
    """Return what a recording without beats is told by: the fine structure of its spectrum.

    Parameters
    ----------
    x : ndarray, shape (n, channels, time)
    rate : float

    Returns
    -------
    ndarray, shape (n, 15, 80), float32
        Logarithms of the periodogram of up to 15 channels between 0.5 and 40 Hz, less their
        running mean over 15 bins. Gain, offset and a cyclic shift in time leave it as it is;
        two recordings of one subject share the trend, which is taken out, not the fine structure.
    """
    from scipy import fft
    from scipy.ndimage import uniform_filter1d

    n, channels, time = x.shape
    used = min(channels, SHAPE[0])
    bins = SHAPE[0] * SHAPE[1] // used
    found = np.zeros((n, SHAPE[0] * SHAPE[1]), np.float32)
    if time < 8:
        return found.reshape(n, *SHAPE)
    filled = np.nan_to_num(x[:, :used] - np.nanmean(x[:, :used], axis=-1, keepdims=True))
    power = np.abs(fft.rfft(filled, axis=-1)) ** 2
    frequency = np.arange(power.shape[-1]) * rate / time
    highest = min(HIGHEST_HZ, 0.9 * rate / 2)
    wanted = np.linspace(LOWEST_HZ, highest, bins)
    logs = np.log(power + 1e-12 * power.max(axis=-1, keepdims=True) + 1e-30)
    for row in range(n):
        for channel in range(used):
            curve = np.interp(wanted, frequency, logs[row, channel])
            fine = curve - uniform_filter1d(curve, TREND, mode="nearest")
            found[row, channel * bins : (channel + 1) * bins] = fine
    return found.reshape(n, *SHAPE)
