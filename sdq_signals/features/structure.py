"""Faults of the raw samples: flat stretches, clipping, gaps, silent channels.

A recording is read in blocks; what is found does not depend on where the blocks were cut, because
only runs of equal samples that have ended are counted (the mean but for its last digits).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_signals.features.spectrum import ratio
from sdq_signals.recording import Channel

__all__ = ["RULES", "Structure", "StructureAccumulator", "defects"]

FLAT_S: Final = 0.5
"""Seconds of equal samples that are a flat stretch. The longest in 660 PTB-XL records at 1 uV and
100 Hz is 0.28 s, in 460 MIT-BIH segments at 5 uV and 360 Hz 0.07 s."""

GAP_S: Final = 0.5
MISSING_SHARE: Final = 0.01
OFFSET_MV: Final = 5.0
"""Distance of an ECG channel's mean from zero; 1.8 mV is the largest in 660 PTB-XL records, and
electrocardiographs remove the electrode's own offset (IEC 60601-2-25, 0.05 Hz high pass)."""

PLATEAU_S: Final = 0.01
"""Seconds of equal samples at the extreme, and at least two samples, that count as a plateau."""
PLATEAUS: Final = 3
ALL_PLATEAUS_S: Final = 0.06
LONG_PLATEAU_S: Final = 0.08
"""A channel is clipped where one of its extremes is reached by at least `PLATEAUS` plateaus of
together `ALL_PLATEAUS_S` (and six samples), or by one of `LONG_PLATEAU_S` (and six samples). No
sound record of PTB-XL has two plateaus; smooth waves in coarse steps have a few short ones."""
_FEWEST: Final = 6

RULES: Final = (
    "missing_channel", "samples_missing", "zero_channel", "constant_channel", "flat", "saturated",
    "clipped", "offset",
)  # fmt: skip
"""What `defects` can name."""


@dataclass(frozen=True, slots=True)
class Structure:
    """Faults of each channel of a batch; every array has the shape (n, c).

    Parameters
    ----------
    rate : float
        Samples a second.
    samples : int
        Of each channel.
    missing_share, gap_s : ndarray
        Share of missing samples, 0..1; longest run of them in seconds.
    flat_share, flat_s : ndarray
        Share of the samples in flat stretches of at least 0.5 s; longest run of equal samples.
    lowest, highest, offset : ndarray
        Smallest and largest sample, mean; NaN for a channel without samples.
    plateaus_low, plateaus_high, samples_low, samples_high : ndarray, int64
        Plateaus at the smallest and the largest sample, and the samples in them.
    longest_low_s, longest_high_s : ndarray
        Longest run at the extreme, in seconds.
    """

    rate: float
    samples: int
    missing_share: NDArray[np.float64]
    gap_s: NDArray[np.float64]
    flat_share: NDArray[np.float64]
    flat_s: NDArray[np.float64]
    lowest: NDArray[np.float64]
    highest: NDArray[np.float64]
    offset: NDArray[np.float64]
    plateaus_low: NDArray[np.int64]
    plateaus_high: NDArray[np.int64]
    samples_low: NDArray[np.int64]
    samples_high: NDArray[np.int64]
    longest_low_s: NDArray[np.float64]
    longest_high_s: NDArray[np.float64]

    @property
    def clipped(self) -> NDArray[np.bool_]:
        """Channels whose largest or smallest value is a plateau that the signal was cut to."""
        found = np.zeros(self.offset.shape, bool)
        for plateaus, samples, longest in (
            (self.plateaus_low, self.samples_low, self.longest_low_s),
            (self.plateaus_high, self.samples_high, self.longest_high_s),
        ):
            many = max(_FEWEST, round(ALL_PLATEAUS_S * self.rate))
            found |= (plateaus >= PLATEAUS) & (samples >= many)
            found |= longest >= max(_FEWEST / self.rate, LONG_PLATEAU_S)
        found &= self.lowest < self.highest
        return found

    @property
    def clipped_share(self) -> NDArray[np.float64]:
        """Share of the samples at the plateaus of a clipped channel, 0..1; 0 for the others."""
        at = (self.samples_low + self.samples_high) / max(self.samples, 1)
        return np.where(self.clipped, at, 0.0)


class _Extreme:
    """Runs at the largest value so far, of a channel and its sign."""

    def __init__(self, rows: int, plateau: int) -> None:
        self.value = np.full(rows, -np.inf)
        self.plateau = plateau
        self.plateaus = np.zeros(rows, np.int64)
        self.samples = np.zeros(rows, np.int64)
        self.longest = np.zeros(rows, np.int64)

    def rise(self, value: NDArray[np.float32]) -> None:
        """Forget the runs of rows that have a larger value."""
        risen = value > self.value
        self.value[risen] = value[risen]
        for counts in (self.plateaus, self.samples, self.longest):
            counts[risen] = 0

    def add(self, row: NDArray[np.intp], value: NDArray[Any], length: NDArray[np.intp]) -> None:
        """Count the runs at the largest value."""
        at = value == self.value[row]
        np.maximum.at(self.longest, row[at], length[at])
        at &= length >= self.plateau
        np.add.at(self.plateaus, row[at], 1)
        np.add.at(self.samples, row[at], length[at])


class StructureAccumulator:
    """Collects the faults of a batch of recordings, block by block.

    Parameters
    ----------
    n, channels : int
    rate : float
        Samples a second.

    Examples
    --------
    >>> found = StructureAccumulator(1, 1, 100.0)
    >>> for block in (np.zeros((1, 1, 30), np.float32), np.zeros((1, 1, 70), np.float32)):
    ...     found.update(block)
    >>> float(found.result().flat_s[0, 0])
    1.0
    """

    def __init__(self, n: int, channels: int, rate: float) -> None:
        self.rate = rate
        self.shape = (n, channels)
        rows = n * channels
        plateau = max(2, round(PLATEAU_S * rate))
        self._least_flat = max(3, round(FLAT_S * rate))
        self._length = 0
        self._open_value = np.full(rows, -np.inf, np.float32)  # before the first sample
        self._open_length = np.zeros(rows, np.int64)
        self._sum = np.zeros(rows)
        self._missing = np.zeros(rows, np.int64)
        self._gap = np.zeros(rows, np.int64)
        self._flat = np.zeros(rows, np.int64)
        self._in_flats = np.zeros(rows, np.int64)
        self._high = _Extreme(rows, plateau)
        self._low = _Extreme(rows, plateau)

    def update(self, block: NDArray[np.float32]) -> None:
        """Add the next samples.

        Parameters
        ----------
        block : ndarray, shape (n, channels, t), float32
            Unfiltered, as read; NaN or infinity where a sample is missing.
        """
        t = block.shape[2]
        if t == 0:
            return
        self._length += t
        x = block.reshape(-1, t)
        there = np.isfinite(x)
        if there.all():
            self._high.rise(x.max(axis=1))
            self._low.rise(-x.min(axis=1))
            self._sum += x.sum(axis=1, dtype=np.float64)
        else:
            nothing = np.float32(-np.inf)
            self._high.rise(np.where(there, x, nothing).max(axis=1))
            self._low.rise(np.where(there, -x, nothing).max(axis=1))
            self._sum += np.where(there, x, 0).sum(axis=1, dtype=np.float64)
            self._missing += t - there.sum(axis=1)
            # Missing samples become one value, so that gaps are runs like any other.
            x = np.where(there, x, np.float32(np.inf))
        start, length = _runs(x)
        row, value = start // t, x.ravel()[start]
        first, last = start % t == 0, (start + length) % t == 0
        # The run that was open goes on in the first run of its row, or it has ended.
        goes_on = value[first] == self._open_value
        length[first] += np.where(goes_on, self._open_length, 0)
        ended = np.flatnonzero(~goes_on)
        self._close(ended, self._open_value[ended], self._open_length[ended])
        self._open_value, self._open_length = value[last].copy(), length[last].copy()
        self._close(row[~last], value[~last], length[~last])

    def result(self) -> Structure:
        """Return what the samples so far show; more may be added afterwards."""
        ended = copy.deepcopy(self)
        rows = np.arange(len(self._open_value))
        ended._close(rows, self._open_value, self._open_length)
        return ended._read()

    def _close(
        self, row: NDArray[np.intp], value: NDArray[np.float32], length: NDArray[np.intp]
    ) -> None:
        """Count runs that have ended; those of one sample need no counting."""
        more = length > 1
        row, value, length = row[more], value[more], length[more]
        gap = value == np.inf
        np.maximum.at(self._gap, row[gap], length[gap])
        row, value, length = row[~gap], value[~gap], length[~gap]
        self._high.add(row, value, length)
        self._low.add(row, -value, length)
        np.maximum.at(self._flat, row, length)
        flat = length >= self._least_flat
        np.add.at(self._in_flats, row[flat], length[flat])

    def _read(self) -> Structure:
        def shaped(values: NDArray[Any]) -> NDArray[Any]:
            return values.reshape(self.shape)

        there = self._length - self._missing
        length = max(self._length, 1)
        some = there > 0
        nothing = np.nan
        return Structure(
            rate=self.rate,
            samples=self._length,
            missing_share=shaped(self._missing / length),
            gap_s=shaped(np.maximum(self._gap, self._missing > 0) / self.rate),
            flat_share=shaped(self._in_flats / length),
            flat_s=shaped(np.maximum(self._flat, some) / self.rate),
            lowest=shaped(np.where(some, -self._low.value, nothing)),
            highest=shaped(np.where(some, self._high.value, nothing)),
            offset=shaped(ratio(self._sum, there)),
            plateaus_low=shaped(self._low.plateaus),
            plateaus_high=shaped(self._high.plateaus),
            samples_low=shaped(self._low.samples),
            samples_high=shaped(self._high.samples),
            longest_low_s=shaped(self._low.longest / self.rate),
            longest_high_s=shaped(self._high.longest / self.rate),
        )


def _runs(x: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Place in the flattened rows and length of each run of at least two equal samples.

    The first and the last run of each row are there whatever their length.
    """
    rows, t = x.shape
    same = np.zeros((rows, t + 1), np.bool_)  # with the sample before; False at both ends
    np.equal(x[:, 1:], x[:, :-1], out=same[:, 1:t])
    turns = np.flatnonzero(same[:, 1:] != same[:, :-1])  # by column: begin, end, begin, ...
    begin, end = turns[::2], turns[1::2]
    length = end - begin + 1
    row = np.arange(rows) * t
    head = row[~same[:, 1]] if t > 1 else row
    tail = row[~same[:, t - 1]] + t - 1 if t > 1 else row[:0]
    start = np.concatenate([head, begin, tail])
    order = np.argsort(start, kind="stable")
    ones = np.ones(len(head) + len(tail), np.intp)
    length = np.concatenate([ones[: len(head)], length, ones[len(head) :]])
    return start[order], length[order]


def defects(
    structure: Structure, channels: Sequence[Channel], record: int = 0
) -> list[tuple[str, str]]:
    """Name the faults of one recording of the batch.

    Parameters
    ----------
    structure : Structure
    channels : sequence of Channel
        As many as the batch has. Flat stretches and clipping are not looked for in channels of
        kind ``other``: a trend or a marker may rest on a value.
    record : int
        Row of the batch.

    Returns
    -------
    list of (rule, where)
        Rule of `RULES` and the channel's label. A channel without samples, at zero, or constant
        has that fault only; ``saturated`` is clipping at the digitiser's limit.

    Examples
    --------
    >>> found = StructureAccumulator(1, 1, 100.0)
    >>> found.update(np.zeros((1, 1, 1000), np.float32))
    >>> defects(found.result(), [Channel("II", "II", "ecg", "mV", 1.0, 100.0)])
    [('zero_channel', 'II')]
    """
    return [
        (rule, channel.label)
        for k, channel in enumerate(channels)
        for rule in _of_channel(structure, channel, record, k)
    ]


def _of_channel(structure: Structure, channel: Channel, row: int, column: int) -> list[str]:
    at = (row, column)
    lowest, highest = structure.lowest[at], structure.highest[at]
    if np.isnan(lowest):
        return ["missing_channel"]
    found = []
    if structure.gap_s[at] >= GAP_S or structure.missing_share[at] > MISSING_SHARE:
        found.append("samples_missing")
    # One sample, or a stretch shorter than a flat one, says nothing.
    if lowest == highest:
        if structure.flat_s[at] >= FLAT_S:
            found.append("zero_channel" if lowest == 0 else "constant_channel")
        return found
    if channel.kind == "other":
        return found
    if structure.flat_s[at] >= FLAT_S:
        found.append("flat")
    limits = (
        (channel.lowest, lowest, structure.plateaus_low[at]),
        (channel.highest, highest, structure.plateaus_high[at]),
    )
    slack = (channel.resolution or 0.0) / 2
    if any(
        limit is not None and plateaus > 0 and abs(limit - value) <= slack
        for limit, value, plateaus in limits
    ):
        found.append("saturated")
    elif structure.clipped[at]:
        found.append("clipped")
    calibrated = channel.kind == "ecg" and channel.factor is not None
    if calibrated and abs(structure.offset[at]) > OFFSET_MV:
        found.append("offset")
    return found
