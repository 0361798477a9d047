"""Digests of pixels, and copies found by equal digests."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["exact_copies", "pixel_digest"]


def pixel_digest(pixels: NDArray[np.generic]) -> str:
    """Return a digest of pixel values that does not depend on container or data type.

    Parameters
    ----------
    pixels : ndarray, any shape
        Values that float32 holds; equal values in equal shape have equal digests.

    Returns
    -------
    str
        SHA-256 (hex, FIPS 180-4) of the shape and the little-endian float32 values in C order.

    Examples
    --------
    >>> a = np.arange(6, dtype=np.uint8).reshape(2, 3)
    >>> pixel_digest(a) == pixel_digest(a.astype(np.float64))
    True
    >>> pixel_digest(a) == pixel_digest(a.T)
    False
    """
    values = np.ascontiguousarray(pixels, dtype="<f4") + np.float32(0)  # -0.0 and 0.0 are equal
    shape = np.asarray(values.shape, "<i8").tobytes()
    return hashlib.sha256(b"%d:" % values.ndim + shape + values.tobytes()).hexdigest()


def exact_copies(first: Sequence[str], second: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Find the items of one set whose digest occurs in another.

    Parameters
    ----------
    first, second : sequence of str
        Digests: of content, or `pixel_digest`. An empty one means unknown and matches nothing.

    Returns
    -------
    tuple of (int, int)
        Row in `first`, and the lowest row in `second` with the same digest.

    Examples
    --------
    >>> exact_copies(["a", "", "c"], ["c", "", "c"])
    ((2, 0),)
    """
    places: dict[str, int] = {}
    for row, digest in enumerate(second):
        places.setdefault(digest, row)
    return tuple((i, places[d]) for i, d in enumerate(first) if d and d in places)
