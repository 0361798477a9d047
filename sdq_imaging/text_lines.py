"""Find lines of text in pixels, without a model and without reading them.

Characters that a device or a program has written into an image are strokes of one grey value that
stand out sharply from what is under them, alike in height, side by side. Anatomy has bright and
dark structures too, but not many of one height in a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sdq_imaging.grey import resize

__all__ = ["SMALLEST", "Line", "text_lines"]

LARGEST_SIDE: Final = 1024
"""Pixels; larger images are searched at half the size, or a third ..."""
RADIUS: Final = 7
"""Half the window, in pixels, that strokes stand out from: they are up to 14 pixels wide."""
LEAST_CONTRAST: Final = 0.18
"""Of the grey range, on both sides of a stroke."""
HEIGHTS: Final = (5, 72)
TALLEST: Final = 8
"""A line is at most this part of the image's shorter side high."""
SMALLEST: Final = TALLEST * HEIGHTS[0]
"""Pixels a side below which nothing is searched: no line would be legible."""
LEAST_PARTS: Final = 4
"""Characters, or pieces of characters, of a line."""
FLAT: Final = 0.55
"""Most variation of grey inside the strokes, over their contrast."""
ALIGNED: Final = 0.12
"""Of the height: how far half of the pieces lie from their common line, at most."""
GAP, CLEAR = 0.2, 0.35
"""Of the height, what is clear above and below a line; and of the strokes inside, what is left."""
WIDEST: Final = 2.5
"""Width of a piece over the height of its line: joined letters, or a Chinese character."""
LONG: Final = 10
"""Pieces of a line that chance does not put in a row."""
SHARE: Final = 0.06
"""Of all strokes of an image, those in its shorter lines: where specks lie everywhere, some stand
in a row. Of generated radiographs full of specks it is 0.03 to 0.05, of text on real ones 0.08 to
0.6."""

Grey = NDArray[np.float32]
Boxes = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Line:
    """One candidate.

    Parameters
    ----------
    top, left, bottom, right : int
        Pixels; `bottom` and `right` are behind the last.
    parts : int
        Pieces that stand in a row.
    bright : bool
        Whether the strokes are brighter than what is around them.
    """

    top: int
    left: int
    bottom: int
    right: int
    parts: int
    bright: bool


def text_lines(grey: Grey, most: int = 20) -> list[Line]:
    """Return what looks like lines of text in an image, from top to bottom.

    Parameters
    ----------
    grey : ndarray, shape (y, x), 0..1
    most : int
        Most lines that are returned.

    Returns
    -------
    list of Line
        Upright and horizontal ones alone.

    Examples
    --------
    >>> page = np.zeros((96, 96), np.float32)
    >>> for k in range(6):
    ...     page[12:22, 10 + 9 * k : 12 + 9 * k] = 1
    ...     page[20:22, 10 + 9 * k : 16 + 9 * k] = 1
    >>> [(line.parts, line.bright) for line in text_lines(page)]
    [(6, True)]
    """
    step = -(-max(grey.shape) // LARGEST_SIDE)
    shape = (-(-grey.shape[0] // step), -(-grey.shape[1] // step))
    small = grey if step == 1 else resize(grey, shape)
    if min(shape) < SMALLEST:
        return []
    found = [*_lines(small, bright=True), *_lines(1 - small, bright=False)]
    kept: list[Line] = []
    for line in sorted(found, key=lambda x: (-x.parts, x.top, x.left)):
        if not any(_overlap(line, other) for other in kept):
            kept.append(line)
    scaled = [
        Line(x.top * step, x.left * step, x.bottom * step, x.right * step, x.parts, x.bright)
        for x in kept
    ]
    return sorted(scaled, key=lambda x: (x.top, x.left))[:most]


def _lines(grey: Grey, *, bright: bool) -> list[Line]:
    strokes = grey - _extreme(_extreme(grey, np.minimum), np.maximum)
    # As bright as half of what stands out most here: the soft flanks of a stroke are not it.
    on = (strokes > LEAST_CONTRAST) & (strokes > 0.5 * _extreme(strokes, np.maximum))
    labels, count = ndimage.label(on, np.ones((3, 3), bool))
    if not LEAST_PARTS <= count <= 50_000:
        return []
    boxes = ndimage.find_objects(labels)
    spans = np.array([[b[0].start, b[1].start, b[0].stop, b[1].stop] for b in boxes], np.intp)
    where = labels[on]
    areas = np.bincount(where, minlength=count + 1)[1:]
    values = grey[on].astype(np.float64)
    mean = np.bincount(where, values, count + 1)[1:] / areas
    square = np.bincount(where, values * values, count + 1)[1:] / areas
    spread = np.sqrt(np.maximum(square - mean**2, 0))
    contrast = np.bincount(where, strokes[on], count + 1)[1:] / areas
    heights, widths = spans[:, 2] - spans[:, 0], spans[:, 3] - spans[:, 1]
    plausible = (
        (heights >= HEIGHTS[0])
        & (heights <= min(HEIGHTS[1], min(grey.shape) // TALLEST))
        & (widths <= WIDEST * heights)
        & (areas >= 0.12 * heights * np.minimum(widths, heights))
        & (spread <= FLAT * contrast)
    )
    found = [
        Line(int(box[0]), int(box[1]), int(box[2]), int(box[3]), parts, bright)
        for box, parts in _rows(spans[plausible])
        if parts >= LEAST_PARTS and _apart(box, on)
    ]
    if sum(line.parts for line in found) >= SHARE * count:
        return found
    return [line for line in found if line.parts >= LONG]


def _extreme(grey: Grey, of: np.ufunc) -> Grey:
    """Return the highest or lowest value within `RADIUS`, borders repeated.

    By doubling the window: a few passes over the image, whatever its width.
    """
    found = grey
    for axis in (0, 1):
        padding = [(RADIUS, RADIUS) if a == axis else (0, 0) for a in (0, 1)]
        found = np.pad(found, padding, mode="edge")
        width, size = 1, 2 * RADIUS + 1
        while width < size:
            step = min(width, size - width)
            length = found.shape[axis]
            first, second = slice(0, length - step), slice(step, length)
            if axis == 0:
                found = of(found[first], found[second])
            else:
                found = of(found[:, first], found[:, second])
            width += step
    return np.asarray(found, dtype=np.float32)


def _rows(spans: Boxes) -> list[tuple[Boxes, int]]:
    """Chain pieces of like height that stand side by side."""
    order = np.argsort(spans[:, 1], kind="stable")
    spans = spans[order]
    parent = list(range(len(spans)))

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    for k, (top, _, bottom, right) in enumerate(spans):
        height = bottom - top
        # Neighbours begin within one and a half heights behind this one's end.
        last = np.searchsorted(spans[:, 1], right + 1.5 * height, side="right")
        others = spans[k + 1 : last]
        tall = others[:, 2] - others[:, 0]
        low, high = np.minimum(tall, height), np.maximum(tall, height)
        shared = np.minimum(others[:, 2], bottom) - np.maximum(others[:, 0], top)
        beside = (high <= 1.8 * low) & (shared >= 0.6 * low) & (others[:, 1] >= right - 0.3 * low)
        for j in np.flatnonzero(beside)[:3]:
            parent[root(k + 1 + int(j))] = root(k)
    groups: dict[int, list[int]] = {}
    for k in range(len(spans)):
        groups.setdefault(root(k), []).append(k)
    found = []
    for members in groups.values():
        rows = spans[members]
        box = np.array([*rows[:, :2].min(axis=0), *rows[:, 2:].max(axis=0)])
        tall = rows[:, 2] - rows[:, 0]
        straight = box[2] - box[0] <= 1.7 * tall.max()
        if straight and _aligned(rows):
            found.append((box, len(members)))
    return found


def _aligned(rows: Boxes) -> bool:
    """Whether most pieces stand on one line, or hang from one."""
    tall = float((rows[:, 2] - rows[:, 0]).max())
    return any(
        float(np.median(np.abs(rows[:, side] - np.median(rows[:, side])))) <= ALIGNED * tall
        for side in (0, 2)
    )


def _apart(box: Boxes, on: NDArray[np.bool_]) -> bool:
    """Whether there is next to nothing like strokes right above and below the line.

    Noise and texture have strokes everywhere.
    """
    top, left, bottom, right = (int(v) for v in box)
    gap = max(2, round(GAP * (bottom - top)))
    inside = float(on[top:bottom, left:right].mean())
    bands = (on[max(top - gap, 0) : top, left:right], on[bottom : bottom + gap, left:right])
    return all(not b.size or float(b.mean()) <= CLEAR * inside for b in bands)


def _overlap(one: Line, two: Line) -> bool:
    return min(one.bottom, two.bottom) > max(one.top, two.top) and min(one.right, two.right) > max(
        one.left, two.left
    )
