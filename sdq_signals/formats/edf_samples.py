"""Blocks of samples from the data records of EDF and BDF files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sdq_signals.formats.edf_annotations import records_of
from sdq_signals.formats.edf_header import EdfHeader

__all__ = ["Samples", "Segment", "Source", "integers"]


class Segment(NamedTuple):
    """Data records without a gap between them; samples and records are counted from the first."""

    start: int
    record: int
    records: int


@dataclass(frozen=True, slots=True)
class Source:
    """One channel inside a data record.

    Parameters
    ----------
    offset : int
        Samples in front of it.
    samples : int
        Its own.
    slope, shift : float
        From stored values to those of the channel's kind.
    """

    offset: int
    samples: int
    slope: float
    shift: float


@dataclass(frozen=True, slots=True)
class Samples:
    """Reads blocks; holds no file open, so that it travels between processes.

    Parameters
    ----------
    path : Path
    header : EdfHeader
    sources : tuple of Source
    segments : tuple of Segment
    most : int
        Samples of the fastest channel in a data record.
    """

    path: Path
    header: EdfHeader
    sources: tuple[Source, ...]
    segments: tuple[Segment, ...]
    most: int

    def __call__(self, first: int, last: int) -> NDArray[np.float32]:
        """Return samples ``first`` to ``last`` of all channels; NaN inside gaps."""
        block = np.full((len(self.sources), last - first), np.nan, np.float32)
        records = records_of(self.path, self.header)
        for segment in self.segments:
            total = segment.records * self.most
            low, high = max(first, segment.start), min(last, segment.start + total)
            if low >= high:
                continue
            part = records[segment.record : segment.record + segment.records]
            for row, source in zip(block[:, low - first : high - first], self.sources, strict=True):
                row[:] = self._channel(part, source, low - segment.start, high - segment.start)
        return block

    def _channel(
        self, part: NDArray[np.uint8], source: Source, low: int, high: int
    ) -> NDArray[np.float64]:
        if source.samples == self.most:
            values = self._stored(part, source, low, high)
        else:
            # Sample i lies at i * samples / most of the channel's own; whole numbers keep it exact.
            place = np.arange(low, high, dtype=np.int64) * source.samples
            left, rest = np.divmod(place, self.most)
            end = min(int(left[-1]) + 2, len(part) * source.samples)
            own = self._stored(part, source, int(left[0]), end)
            left -= int(left[0])
            right = np.minimum(left + 1, len(own) - 1)
            values = own[left] + (own[right] - own[left]) * (rest / self.most)
        return values * source.slope + source.shift

    def _stored(
        self, part: NDArray[np.uint8], source: Source, low: int, high: int
    ) -> NDArray[np.float64]:
        """Return the channel's own samples, as whole numbers of the file."""
        width, count = self.header.width, source.samples
        begin, end = low // count, -(-high // count)
        raw = part[begin:end, source.offset * width : (source.offset + count) * width]
        whole = integers(np.ascontiguousarray(raw), width)
        return whole.reshape(-1)[low - begin * count : high - begin * count].astype(np.float64)


def integers(raw: NDArray[np.uint8], width: int) -> NDArray[np.integer]:
    """Decode little-endian two's complement numbers.

    Parameters
    ----------
    raw : ndarray of uint8, shape (n, m * width)
        Contiguous.
    width : {2, 3}
        Bytes of a number.

    Returns
    -------
    ndarray of whole numbers, shape (n, m)

    Examples
    --------
    >>> integers(np.array([[0xFE, 0xFF, 0xFF]], np.uint8), 3)
    array([[-2]], dtype=int32)
    """
    if width == 2:
        return raw.view("<i2")
    parts = raw.reshape(len(raw), -1, 3).astype(np.int32)
    unsigned = parts[..., 0] | parts[..., 1] << 8 | parts[..., 2] << 16
    return (unsigned ^ 0x800000) - 0x800000
