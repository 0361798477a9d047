"""The one form in which a recording travels through the signals wing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sdq_core.finding import Finding

__all__ = ["Channel", "Format", "Kind", "Recording"]

Kind = Literal["ecg", "eeg", "ppg", "other"]
Format = Literal["wfdb", "edf", "bdf", "dicom", "table", "array"]


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel of a recording, as its header describes it.

    Parameters
    ----------
    name : str
        As written in the file.
    label : str
        Name in the standard vocabulary, ``"aVR"``, ``"Fp1"``, ``"PLETH"``; `name` where it is in
        none. See `sdq_signals.channels.canonical`.
    kind : {"ecg", "eeg", "ppg", "other"}
    unit : str
        As written in the file; empty where the file does not say.
    factor : float or None
        From `unit` to the unit of the kind (mV for ECG, uV for EEG, 1 for PPG and others); None
        where the unit is unknown: then the channel is not calibrated.
    rate : float
        Samples a second in the file, before the recording was brought to one rate.
    lowest, highest : float or None
        Range that the file's integers can hold, in the unit of the kind; None where unlimited.
    resolution : float or None
        Least significant bit, in the unit of the kind; None for floating-point storage.
    """

    name: str
    label: str
    kind: Kind
    unit: str
    factor: float | None
    rate: float
    lowest: float | None = None
    highest: float | None = None
    resolution: float | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording, opened: the header at once, the samples when they are asked for.

    Parameters
    ----------
    channels : tuple of Channel
    rate : float
        Samples a second of what `read` returns: the highest rate among the channels.
    length : int
        Samples of each channel at that rate.
    format : {"wfdb", "edf", "bdf", "dicom", "table", "array"}
    read : callable
        ``read(first, last) -> ndarray, shape (channels, last - first), float32``: samples in the
        unit of each channel's kind (as stored where `Channel.factor` is None), NaN where the
        file has a gap or a missing sample. ``0 <= first <= last <= length``.
    metadata : mapping of str to str
        Header values that comparisons use; no identifying values.
    findings : tuple of Finding
        What opening noticed without failing: structure, conformity, identifiers.
    """

    channels: tuple[Channel, ...]
    rate: float
    length: int
    format: Format
    read: Callable[[int, int], NDArray[np.float32]]
    metadata: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.length / self.rate

    @property
    def calibrated(self) -> bool:
        """Whether the unit of every channel is known."""
        return all(c.factor is not None for c in self.channels)

    @property
    def labels(self) -> tuple[str, ...]:
        """Standard names of the channels."""
        return tuple(c.label for c in self.channels)
