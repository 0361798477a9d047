"""A small picture of one item for the report's gallery."""

from __future__ import annotations

import io

import numpy as np

from sdq_core.description import Item
from sdq_imaging.grey import grey_square

__all__ = ["thumbnail"]

SIDE = 160


def thumbnail(item: Item, side: int = SIDE) -> bytes | None:
    """Return a grey PNG of one item, its middle slice for a volume; None when it is unreadable.

    Parameters
    ----------
    item : Item
    side : int
        Width and height in pixels.

    Returns
    -------
    bytes or None
        Holds pixels only: no header, no text.
    """
    from PIL import Image as Picture

    grey = grey_square(item, side)
    if grey is None:
        return None
    levels = np.round(np.clip(grey, 0, 1) * 255).astype(np.uint8)
    sink = io.BytesIO()
    Picture.fromarray(levels).save(sink, "PNG", optimize=False, compress_level=9)
    return sink.getvalue()
