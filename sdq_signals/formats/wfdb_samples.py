"""Stored samples of WFDB data files, a block at a time, after signal(5)."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["BITS", "LOWEST", "Group", "available", "checksums", "excess", "frames"]

BITS: Final = {16: 16, 24: 24, 32: 32, 61: 16, 80: 8, 160: 16, 212: 12}
"""Storage format -> bits of a sample."""
LOWEST: Final = {number: -(2 ** (bits - 1)) for number, bits in BITS.items()}
"""Storage format -> stored value that stands for a missing sample."""
_TYPES: Final = {16: "<i2", 32: "<i4", 61: ">i2", 80: "u1", 160: "<u2"}
_SHIFT: Final = {80: 128, 160: 32768}
BLOCK: Final = 2**20
"""Samples that are in memory at a time while checksums are computed."""

Group = tuple[str, int, int, int]
"""A data file: path, storage format, bytes before the first sample, samples in a frame."""


def available(group: Group, size: int) -> int:
    """Return the whole frames that a data file of so many bytes holds.

    Examples
    --------
    >>> available(("a.dat", 212, 0, 2), 30)
    10
    """
    _, number, offset, per_frame = group
    return max(size - offset, 0) * 8 // BITS[number] // per_frame


def excess(group: Group, size: int, length: int) -> int:
    """Return the bytes behind the last declared frame, the padding of format 212 aside.

    Examples
    --------
    >>> excess(("a.dat", 16, 0, 2), 44, 10)
    4
    """
    _, number, offset, per_frame = group
    bits = length * per_frame * BITS[number]
    extra = size - offset - (bits + 7) // 8
    # The second sample of the last pair may have been written though there is none.
    return 0 if number == 212 and extra == 1 and length * per_frame % 2 else max(extra, 0)


def frames(group: Group, first: int, last: int) -> NDArray[np.int32]:
    """Return stored values of some frames.

    Parameters
    ----------
    group : Group
    first, last : int
        Frames; those that the file does not hold are missing samples.

    Returns
    -------
    ndarray, shape (last - first, samples in a frame), int32
    """
    path, number, offset, per_frame = group
    start, count = first * per_frame, max(last - first, 0) * per_frame
    found = np.full(count, LOWEST[number], np.int32)
    values = _stored(path, number, offset, start, count)[:count]
    whole = len(values) // per_frame * per_frame
    found[:whole] = values[:whole]
    return found.reshape(-1, per_frame)


def _stored(path: str, number: int, offset: int, start: int, count: int) -> NDArray[np.int32]:
    """Read stored values; fewer where the file ends."""
    if number in _TYPES:
        dtype = np.dtype(_TYPES[number])
        raw = np.fromfile(path, dtype, count, offset=offset + start * dtype.itemsize)
        return raw.astype(np.int32) - np.int32(_SHIFT.get(number, 0))
    if number == 24:
        octets = np.fromfile(path, "u1", 3 * count, offset=offset + 3 * start)
        octets = octets[: len(octets) // 3 * 3].reshape(-1, 3)
        wide = np.zeros((len(octets), 4), "u1")
        wide[:, 1:] = octets
        return wide.view("<i4")[:, 0].astype(np.int32) >> 8
    # Format 212: two samples of twelve bits in three bytes; a block begins with a whole pair.
    odd = start % 2
    octets = np.fromfile(
        path, "u1", (3 * (count + odd) + 1) // 2, offset=offset + (start - odd) // 2 * 3
    )
    held = len(octets) * 2 // 3
    triples = np.zeros((-(-len(octets) // 3), 3), np.int32)
    triples.reshape(-1)[: len(octets)] = octets
    pairs = np.empty((len(triples), 2), np.int32)
    pairs[:, 0] = triples[:, 0] | (triples[:, 1] & 0x0F) << 8
    pairs[:, 1] = triples[:, 2] | (triples[:, 1] & 0xF0) << 4
    pairs[pairs > 2047] -= 4096
    return pairs.reshape(-1)[odd:held]


@lru_cache(maxsize=64)
def checksums(group: Group, length: int, stamp: tuple[int, int]) -> tuple[int, ...]:
    """Return the sum of each column of the frames modulo 65536.

    Parameters
    ----------
    group : Group
    length : int
        Frames.
    stamp : tuple of int
        Size and time of the file: many windows of one record need its sums only once.

    Returns
    -------
    tuple of int
        One for each sample in a frame.
    """
    per_frame = group[3]
    step = max(BLOCK // per_frame, 1)
    total = np.zeros(per_frame, np.int64)
    for first in range(0, length, step):
        total += frames(group, first, min(first + step, length)).sum(axis=0, dtype=np.int64)
    return tuple(int(v) & 0xFFFF for v in total)


def stamp(path: Path) -> tuple[int, int]:
    """Return size and time of a file."""
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns
