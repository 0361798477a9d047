"""Checks that all formats share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import UnreadableItem

__all__ = ["finite", "limit", "nothing_read"]

LARGEST = 1e30
"""Greatest absolute pixel value: float32 holds more, but not the differences of such values."""


def limit(pixels: int, max_pixels: int) -> None:
    """Refuse an item that declares more pixels than the limit, before it is decoded.

    Raises
    ------
    UnreadableItem
        Rule ``imaging.structure.decompression_bomb``.
    """
    if pixels > max_pixels:
        raise UnreadableItem(
            "imaging.structure.decompression_bomb",
            f"declares {pixels:,} pixels, the limit is {max_pixels:,}; "
            f"raise settings.max_pixels if that is meant",
        )


def finite(pixels: NDArray[Any]) -> None:
    """Refuse an item without pixels, or with pixels that are NaN, infinite or beyond 1e30.

    Raises
    ------
    UnreadableItem
    """
    if pixels.size == 0:
        raise UnreadableItem(
            "imaging.structure.no_pixel_data", "the image has no pixels; remove it or give them"
        )
    bad = ~(np.abs(pixels) <= LARGEST)  # NaN compares as False
    if bad.any():
        count = int(bad.sum())
        raise UnreadableItem(
            "imaging.structure.not_finite",
            f"{count:,} of {pixels.size:,} pixels are NaN, infinite or beyond "
            f"{LARGEST:g}; replace them",
        )


def nothing_read(path: Path) -> UnreadableItem:
    """Return the error for a file that no reader knows: empty, encrypted or no image."""
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        return UnreadableItem(
            "imaging.structure.unreadable_folder",
            f"the file cannot be opened ({type(error).__name__}); check its permissions",
        )
    if not head:
        return UnreadableItem(
            "imaging.structure.empty_file", "the file has no bytes; write it again"
        )
    # A CMS envelope (RFC 5652) starts as an ASN.1 sequence with the envelopedData identifier.
    if head[:1] == b"\x30" and b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03" in head[:32]:
        return UnreadableItem(
            "imaging.structure.encrypted", "the file is encrypted; give it decrypted"
        )
    return UnreadableItem(
        "imaging.structure.not_an_image",
        "the file is no image that can be read; remove or replace it",
    )
