"""Images and volumes that lie in memory, as the array files that the modality reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import UsageError
from sdq_core.in_memory.data import Element, InMemory, elements
from sdq_core.in_memory.stacks import write_stacks
from sdq_core.study import CohortSource
from sdq_imaging.reading import LEAST_SLICES

__all__ = ["stage"]

NAMES: Final = ("image", "images", "x", "data")
"""Keys under which items that are mappings hold their image."""


def stage(data: InMemory, folder: Path) -> CohortSource:
    """Write the images of a cohort into a folder.

    Parameters
    ----------
    data : InMemory
        Items of shape (y, x), (z, y, x), or (y, x, 3) as uint8; with an axis of one channel first
        or last, which is dropped. Of tensors (3, y, x) as uint8 is a colour image too, as torch
        has it.
    folder : Path

    Raises
    ------
    UsageError
        An item has another shape.
    """

    def shaped(number: int, element: Element) -> NDArray[Any]:
        return _image(element, f"{data.argument}, item {number}")

    return write_stacks(elements(data, NAMES), folder, shaped)


def _image(element: Element, place: str) -> NDArray[Any]:
    values = element.values
    if values.ndim < 2:
        raise UsageError(
            f"{place}: has shape {values.shape}; an image is (y, x) or (z, y, x), so a cohort is "
            "(n, y, x) or (n, z, y, x); one image alone is array[None]"
        )
    if values.ndim in (3, 4) and values.shape[0] == 1:
        values = values[0]
    elif values.ndim in (3, 4) and values.shape[-1] == 1:
        values = values[..., 0]
    if values.ndim == 2:
        return values
    if values.ndim > 3:
        raise UsageError(
            f"{place}: has shape {element.values.shape}; a volume is (z, y, x), with one channel "
            "at most; choose a channel, or one point in time"
        )
    if values.shape[-1] == 3:
        return _colour(values, place)
    if values.shape[0] > LEAST_SLICES:
        return values
    if element.tensor and values.shape[0] == 3:
        return _colour(np.moveaxis(values, 0, -1), place)
    raise UsageError(
        f"{place}: has shape {values.shape}, which may be channels or slices; give colours last, "
        "(y, x, 3) as uint8, or choose one channel; a volume of so few slices is given as a file"
    )


def _colour(values: NDArray[Any], place: str) -> NDArray[Any]:
    if values.dtype != np.uint8:
        raise UsageError(
            f"{place}: holds colours as {values.dtype}; give them as uint8, 0 to 255: for a range "
            "of 0 to 1, (255 * x).round().astype('uint8')"
        )
    return values
