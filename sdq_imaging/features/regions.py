"""Features of each mask region: measures over whole images are blind to small lesions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["REGION_FEATURES", "region_features"]

MOST_LABELS = 16
RING = 3
"""Pixels around a region that it is compared with."""
SMALLEST_SLOPE = 1e-3
"""Of the grey range: steeper than noise of stored integers, flatter than any edge."""

Mask = NDArray[np.bool_]

REGION_FEATURES = (
    "size", "mean", "deviation", "contrast_near", "edge", "roughness", "elongation", "pieces",
)  # fmt: skip
"""Features that need no fellow: place and contrast to everything else come beside them."""


def region_features(
    grey: NDArray[np.float32], mask: NDArray[np.uint8], spacing: tuple[float, ...] | None
) -> dict[str, float]:
    """Return size, place, shape and grey values of each labelled region.

    Parameters
    ----------
    grey : ndarray, 0..1
    mask : ndarray of the same shape, uint8
        0 is outside.
    spacing : tuple of float or None
        Millimetres a pixel along each axis.

    Returns
    -------
    dict of str to float
        ``labels``: how many there are. Of each label:

        - ``size`` in millimetres to the power of the dimension, or pixels without spacing;
          ``pieces``: connected parts, corners touching; ``centre_<axis>`` relative to the image;
        - ``mean`` and ``deviation`` of the grey values, ``contrast`` to all that has no label,
          ``contrast_near`` to what lies around it within 3 pixels;
        - ``edge``: logarithm of the mean slope of grey values on the border over that within 3
          pixels inside and outside of it; a mask that fits its image follows edges;
        - ``roughness``: area of the border (of the pixels' faces) over that of a ball of this size;
          ``elongation``: longest over shortest axis of inertia.

        A feature that a region does not have is left out.

    Examples
    --------
    >>> found = region_features(np.eye(4, dtype=np.float32), np.eye(4, dtype=np.uint8), None)
    >>> found["1.size"], found["1.contrast"], found["1.pieces"]
    (4.0, 1.0, 1.0)
    """
    steps = np.ones(grey.ndim) if spacing is None else np.asarray(spacing, np.float64)
    labels = [int(k) for k in np.unique(mask)[: MOST_LABELS + 1] if k][:MOST_LABELS]
    outside = grey[mask == 0]
    elsewhere = float(outside.mean(dtype=np.float64)) if outside.size else None
    found: dict[str, float] = {"labels": float(len(labels))}
    boxes = ndimage.find_objects(mask, max(labels, default=0)) if labels else []
    for label in labels:
        box = _wider(boxes[label - 1], mask.shape)
        inside = mask[box] == label
        values = _of_one(grey[box], mask[box] == 0, inside, steps)
        if elsewhere is not None:
            values["contrast"] = values["mean"] - elsewhere
        for axis, place in enumerate(np.nonzero(inside)):
            values[f"centre_{axis}"] = float(
                (place.mean() + box[axis].start + 0.5) / mask.shape[axis]
            )
        found |= {f"{label}.{name}": value for name, value in values.items()}
    return found


def _of_one(
    grey: NDArray[np.float32], free: Mask, inside: Mask, steps: NDArray[np.float64]
) -> dict[str, float]:
    """Return the features of one region inside its box; `free` has no label."""
    values = grey[inside].astype(np.float64)
    everywhere = np.ones((3,) * grey.ndim, bool)
    ring = ndimage.binary_dilation(inside, everywhere, RING) & ~inside
    found = {
        "size": float(inside.sum()) * float(np.prod(steps)),
        "mean": float(values.mean()),
        "deviation": float(values.std()),
        "pieces": float(ndimage.label(inside, everywhere)[1]),
        "roughness": _roughness(inside, steps),
    }
    around = grey[ring & free]
    if around.size:
        found["contrast_near"] = found["mean"] - float(around.mean(dtype=np.float64))
    elongation = _elongation(inside, steps)
    if elongation is not None:
        found["elongation"] = elongation
    slope = _slope(grey, steps)
    inner = ndimage.binary_erosion(inside, everywhere, border_value=1)
    outer = ndimage.binary_dilation(inside, everywhere)
    border = outer & ~inner
    beside = (ring | ndimage.binary_dilation(~inside, everywhere, RING) & inside) & ~border
    if border.any() and beside.any():
        on, off = (float(slope[m].mean(dtype=np.float64)) for m in (border, beside))
        found["edge"] = float(np.log((on + SMALLEST_SLOPE) / (off + SMALLEST_SLOPE)))
    return found


def _wider(box: tuple[slice, ...], shape: tuple[int, ...]) -> tuple[slice, ...]:
    margin = RING + 1
    return tuple(
        slice(max(b.start - margin, 0), min(b.stop + margin, n))
        for b, n in zip(box, shape, strict=True)
    )


def _slope(grey: NDArray[np.float32], steps: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the length of the gradient, a pixel of the finest axis."""
    squared = np.zeros_like(grey)
    for axis, step in enumerate(steps):
        if grey.shape[axis] > 1:
            squared += (np.gradient(grey, axis=axis) * np.float32(steps.min() / step)) ** 2
    return np.asarray(np.sqrt(squared))


def _roughness(inside: Mask, steps: NDArray[np.float64]) -> float:
    """Faces of the border pixels over the border of a ball of the same size."""
    padded = np.pad(inside, 1)
    total = float(np.prod(steps))
    faces = sum(
        float(np.diff(padded, axis=axis).sum()) * total / step for axis, step in enumerate(steps)
    )
    size = float(inside.sum()) * total
    if inside.ndim == 2:
        return float(faces / (2 * np.sqrt(np.pi * size)))
    return float(faces / (36 * np.pi * size**2) ** (1 / 3))


def _elongation(inside: Mask, steps: NDArray[np.float64]) -> float | None:
    """Longest over shortest axis; a pixel adds its own extent, so that lines are finite."""
    places = np.argwhere(inside) * steps
    if len(places) < 2:
        return None
    spread = np.cov(places, rowvar=False, bias=True) + np.diag(steps**2 / 12)
    axes = np.linalg.eigvalsh(spread)
    return float(np.sqrt(axes[-1] / axes[0]))
