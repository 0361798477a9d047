"""Grey values on one scale: what texture, embeddings and pictures are computed on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sdq_core.description import Item
from sdq_core.errors import UnreadableItem
from sdq_imaging.image import Image

__all__ = ["MOST_SLICES", "central", "grey_square", "normalise", "resize", "slices"]

MOST_SLICES = 16
"""Evenly spaced slices of a volume that stand for it."""
PERCENTILES = (0.5, 99.5)


def normalise(image: Image) -> tuple[NDArray[np.float32], str]:
    """Return the pixels scaled to 0..1, and the rule that was used.

    Parameters
    ----------
    image : Image

    Returns
    -------
    grey : ndarray of the shape of ``image.pixels``, float32
        By the nominal range where the format or the unit prescribes one, so that a global shift
        or a wrong window stays visible; else by the image's own 0.5 and 99.5 percentiles. A
        constant image without a nominal range becomes 0.
    rule : {"nominal", "percentile"}

    Examples
    --------
    >>> grey, rule = normalise(Image(np.array([[0, 255]], np.float32), "picture",
    ...                              nominal_range=(0, 255)))
    >>> grey.tolist(), rule
    ([[0.0, 1.0]], 'nominal')
    """
    rule = "percentile" if image.nominal_range is None else "nominal"
    if image.nominal_range is None:
        low, high = (float(p) for p in np.percentile(image.pixels, PERCENTILES))
        if not high > low:
            low, high = float(image.pixels.min()), float(image.pixels.max())
    else:
        low, high = image.nominal_range
    if not high > low:
        return np.zeros_like(image.pixels), rule
    return np.clip((image.pixels - np.float32(low)) / np.float32(high - low), 0, 1), rule


def slices(values: NDArray[np.float32], most: int = MOST_SLICES) -> NDArray[np.float32]:
    """Return up to `most` evenly spaced axial slices, shape (s, y, x); an image is one slice."""
    if values.ndim == 2:
        return values[None]
    count = min(most, len(values))
    # Centres of equal parts: the outermost slices of a volume are often empty.
    index = ((np.arange(count) + 0.5) * len(values) / count).astype(np.intp)
    return values[index]


def central(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the image, or the middle slice of a volume."""
    return values if values.ndim == 2 else values[len(values) // 2]


def resize(values: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Resize by exact area averaging along each axis, linear where it enlarges.

    Parameters
    ----------
    values : ndarray
    shape : tuple of int
        One length for each axis.

    Returns
    -------
    ndarray, float32
        Antialiased: every input pixel has the same total weight when shrinking.

    Examples
    --------
    >>> resize(np.array([[0.0, 2.0, 4.0, 6.0]], np.float32), (1, 2)).tolist()
    [[1.0, 5.0]]
    """
    found = values
    for axis, length in enumerate(shape):
        if found.shape[axis] != length:
            weights = _weights(found.shape[axis], length)
            found = np.moveaxis(np.tensordot(weights, found, axes=(1, axis)), 0, axis)
    return np.ascontiguousarray(found, dtype=np.float32)


def grey_square(item: Item, side: int) -> NDArray[np.float32] | None:
    """Open an item and return its (middle slice's) grey values as a square; None if unreadable.

    Parameters
    ----------
    item : Item
    side : int

    Returns
    -------
    ndarray, shape (side, side), float32, 0..1, or None
    """
    from sdq_imaging.reading import read_image

    try:
        image = read_image(item)
    except UnreadableItem:
        return None
    grey, _ = normalise(image)
    return resize(central(grey), (side, side))


def _weights(old: int, new: int) -> NDArray[np.float32]:
    """Weights, shape (new, old), of area averaging or linear interpolation; rows sum to 1."""
    if new <= old:
        edges = np.linspace(0, old, new + 1)
        left = np.arange(old)
        overlap = np.minimum(edges[1:, None], left + 1) - np.maximum(edges[:-1, None], left)
        weights = np.clip(overlap, 0, None)
    else:
        centre = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
        weights = np.clip(1 - np.abs(centre[:, None] - np.arange(old)), 0, None)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)
