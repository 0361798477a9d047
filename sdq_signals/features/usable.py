"""Which share of a recording can be used, by the index of its kind."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sdq_signals.recording import Kind

__all__ = ["usable_share"]

EEG_SPAN_UV = (1.0, 400.0)
"""Peak to peak of a second of EEG: below, the electrode is off; above, it is artefact."""


def usable_share(
    x: NDArray[np.float32], rate: float, kind: Kind, scalars: Mapping[str, NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Return the usable share of each recording, 0..1.

    Parameters
    ----------
    x : ndarray, shape (n, channels, time), float32
    rate : float
    kind : {"ecg", "eeg", "ppg", "other"}
    scalars : mapping of str to ndarray
        Features that were computed already.

    Returns
    -------
    ndarray, shape (n,)
        ECG: share of the recording in which two beat detectors agree (Li et al. 2008,
        doi:10.1088/0967-3334/29/1/002). PPG: 1 where pulses are found and the skewness of the
        signal is positive (Elgendi 2016, doi:10.3390/bioengineering3040021). EEG: share of seconds
        and channels whose span is between 1 and 400 uV. NaN for other kinds.
    """
    missing = np.full(len(x), np.nan)
    if kind == "ecg":
        return np.asarray(scalars.get("quality.usable", missing))
    if kind == "ppg":
        rate_found = np.isfinite(scalars.get("pulse.rate_bpm", missing))
        skewed = np.nan_to_num(scalars.get("pulse.skewness_index", missing), nan=-1.0) > 0
        return np.asarray((rate_found & skewed).astype(np.float64))
    size = round(rate)
    seconds = x.shape[-1] // max(1, size)
    if kind != "eeg" or seconds == 0:
        return missing
    cut = x[..., : seconds * size].reshape(*x.shape[:-1], seconds, size)
    span = np.ptp(cut, axis=-1)  # NaN where a sample is missing: not usable
    with np.errstate(invalid="ignore"):
        good = (span >= EEG_SPAN_UV[0]) & (span <= EEG_SPAN_UV[1])
    return np.asarray(good.mean(axis=(1, 2)), dtype=np.float64)
