"""NumPy arrays: one image or a stack in ``.npy``, a stack with labels inside in ``.npz``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdq_core import stacks
from sdq_core.description import Item
from sdq_core.errors import UnreadableItem
from sdq_imaging.formats.checks import finite, limit
from sdq_imaging.formats.picture import luminance
from sdq_imaging.image import Image
from sdq_imaging.rules import finding

__all__ = ["SUFFIXES", "items", "read"]

SUFFIXES = stacks.SUFFIXES

Array = NDArray[Any]

NAMES: tuple[str, ...] = ("images", "image", "x", "X", "data")
"""Names of the array of images in an archive, in order of preference."""


def items(path: Path, identifier: str, max_pixels: int) -> list[Item]:
    """List the images of an array file.

    Parameters
    ----------
    path : Path
    identifier : str
        Id of the file; images of a stack get ``"#<index>"`` behind it.
    max_pixels : int
        For one image.

    Returns
    -------
    list of Item

    Raises
    ------
    UnreadableItem
        The file holds no stack of images.
    """
    stack = _load(path, max_pixels)
    values = stack.values
    if len(values) == 0:
        raise UnreadableItem(
            "imaging.structure.no_pixel_data", "the stack holds no image; remove it or fill it"
        )
    return stacks.items(path, identifier, stack, one=_is_one(values.shape, values.dtype))


def read(item: Item, max_pixels: int) -> Image:
    """Read one image of an array file.

    Raises
    ------
    UnreadableItem
    """
    stack = _load(item.paths[0], max_pixels).values
    if item.part and int(item.part) >= len(stack):
        raise UnreadableItem(
            "imaging.structure.truncated",
            "the stack has fewer images than when it was listed; write it again",
        )
    values = stack if item.part == "" else stack[int(item.part)]
    if values.ndim == 3 and 1 in (values.shape[0], values.shape[-1]):  # an axis of channels
        values = values[0] if values.shape[0] == 1 else values[..., 0]
    colour = None
    nominal = None
    if values.dtype == np.uint8:
        nominal = (0.0, 255.0)
    elif values.dtype == np.uint16:
        nominal = (0.0, 65535.0)
    elif values.dtype == np.bool_:
        nominal = (0.0, 1.0)
    if values.ndim == 3 and values.shape[-1] == 3 and values.dtype == np.uint8:
        colour = np.ascontiguousarray(values)
        pixels = luminance(colour)
    else:
        with np.errstate(over="ignore"):  # what float32 does not hold counts as infinite
            pixels = np.ascontiguousarray(values).astype(np.float32)
    finite(pixels)
    if nominal is None and pixels.min() >= 0 and pixels.max() <= 1:
        nominal = (0.0, 1.0)
    constant = pixels.min() == pixels.max()
    return Image(
        pixels,
        "array",
        nominal_range=nominal,
        colour=colour,
        findings=(finding("constant"),) if constant else (),
    )


def _choose(shapes: stacks.Shapes) -> str:
    found = [n for n in NAMES if n in shapes] or [
        n for n, (shape, _) in shapes.items() if len(shape) >= 3
    ]
    if not found:
        raise UnreadableItem(
            "imaging.structure.not_an_image",
            "the archive holds no array of images; name it 'images', shape (n, y, x)",
        )
    return found[0]


KIND = stacks.StackKind("imaging.structure", _choose)


def _load(path: Path, max_pixels: int) -> stacks.Stack:
    return stacks.load(path, KIND, lambda shape, dtype: _check(shape, dtype, max_pixels))


def _check(shape: tuple[int, ...], dtype: np.dtype[Any], max_pixels: int) -> None:
    """Refuse what is no image or stack, and a bomb, by the header alone."""
    if dtype.hasobject or dtype.kind not in "biuf":
        raise UnreadableItem(
            "imaging.structure.unsupported",
            f"the array holds {dtype} values; give integers or floating-point numbers",
        )
    colour = shape[-1:] == (3,) and len(shape) in (3, 4)
    if not 2 <= len(shape) <= 4:
        raise UnreadableItem(
            "imaging.structure.not_an_image",
            f"the array has shape {shape}; give (y, x), (n, y, x), (n, y, x, 3) or (n, z, y, x)",
        )
    if colour and dtype != np.uint8:
        raise UnreadableItem(
            "imaging.structure.unsupported",
            f"the array holds colours as {dtype}; give them as uint8, 0 to 255",
        )
    one = shape if _is_one(shape, dtype) else shape[1:]
    limit(math.prod(one), max_pixels)
    # A header may promise far more than any machine holds.
    limit(math.prod(shape) // 2**6, max(max_pixels, 2**28))


def _is_one(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bool:
    """Whether an array is one image, grey or in colours, rather than a stack."""
    return len(shape) == 2 or (len(shape) == 3 and shape[-1] == 3 and dtype == np.uint8)
