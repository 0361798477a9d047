"""PNG without compression: the length depends on the size of the picture alone."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["encode"]


def encode(pixels: NDArray[np.uint8], palette: Sequence[tuple[int, int, int]] = ()) -> bytes:
    """Return pixels as PNG (ISO/IEC 15948), stored and not compressed.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (y, x) or (y, x, 3)
        Grey, places in the palette, or red, green and blue.
    palette : sequence of (int, int, int)
        Colours of the places; empty for grey.

    Returns
    -------
    bytes
        Nothing but pixels: no text, no time, no scale.

    Examples
    --------
    >>> encode(np.zeros((2, 3), np.uint8))[1:4]
    b'PNG'
    """
    height, width = pixels.shape[:2]
    colour: Literal[0, 2, 3] = 2 if pixels.ndim == 3 else 3 if palette else 0
    rows = np.zeros((height, 1 + width * (3 if colour == 2 else 1)), np.uint8)
    rows[:, 1:] = pixels.reshape(height, -1)  # the byte in front is the filter: none
    parts = [_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0))]
    if colour == 3:
        parts.append(_chunk(b"PLTE", bytes(level for one in palette for level in one)))
    parts += [_chunk(b"IDAT", zlib.compress(rows.tobytes(), 0)), _chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
