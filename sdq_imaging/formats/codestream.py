"""The header of a compressed frame, read before a decoder sees the frame.

Decoders are libraries in C. They take memory for the size that the stream declares, whatever the
DICOM header says, and GDCM ends the whole process at a JPEG header that contradicts itself.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["FrameSize", "frame_size"]

_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}  # F7: JPEG-LS
_BEFORE_SCAN = _START_OF_FRAME | {0xC4, 0xCC, 0xDB, 0xDC, 0xDD, 0xF8, 0xFE, *range(0xE0, 0xF0)}
_ADOBE_TRANSFORMS = (0, 1, 2)


class FrameSize(NamedTuple):
    """What a compressed frame declares of itself."""

    rows: int
    columns: int
    samples: int
    bits: int


def frame_size(stream: bytes) -> FrameSize | None:
    """Return the size that a JPEG, JPEG-LS or JPEG 2000 stream declares.

    Parameters
    ----------
    stream : bytes
        One frame.

    Returns
    -------
    FrameSize or None
        None where the header is broken: ISO/IEC 10918-1 annex B, 14495-1 annex C (every segment
        up to the first scan is walked), 15444-1 annex A.

    Examples
    --------
    >>> frame_size(b"no stream") is None
    True
    """
    if stream[:2] == b"\xff\xd8":
        return _jpeg(stream)
    start = stream[: 2**16].find(b"\xff\x4f\xff\x51")  # some are wrapped in a JP2 file
    return _jpeg_2000(stream[start:]) if start >= 0 else None


def _jpeg(stream: bytes) -> FrameSize | None:
    found: FrameSize | None = None
    place = 2
    while place + 4 <= len(stream):
        if stream[place] != 0xFF:
            return None
        marker = stream[place + 1]
        if marker == 0xFF:  # fill byte
            place += 1
            continue
        length = int.from_bytes(stream[place + 2 : place + 4], "big")
        segment = stream[place + 4 : place + 2 + length]
        if length < 2 or len(segment) != length - 2:
            return None
        if marker == 0xDA:
            return found
        if marker not in _BEFORE_SCAN:
            return None
        if marker in _START_OF_FRAME:
            if found is not None or len(segment) < 6 or len(segment) != 6 + 3 * segment[5]:
                return None
            found = FrameSize(
                int.from_bytes(segment[1:3], "big"),
                int.from_bytes(segment[3:5], "big"),
                segment[5],
                segment[0],
            )
        adobe = marker == 0xEE and segment[:5] == b"Adobe" and len(segment) >= 12
        if adobe and segment[11] not in _ADOBE_TRANSFORMS:
            return None
        place += 2 + length
    return None


def _jpeg_2000(stream: bytes) -> FrameSize | None:
    if len(stream) < 43:
        return None
    right, bottom, left, top = (int.from_bytes(stream[k : k + 4], "big") for k in (8, 12, 16, 20))
    samples = int.from_bytes(stream[40:42], "big")
    return FrameSize(bottom - top, right - left, samples, (stream[42] & 0x7F) + 1)
