"""NumPy arrays: one image or a stack in ``.npy``, a stack with labels inside in ``.npz``."""

from __future__ import annotations

import hashlib
import math
import warnings
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from sdq_core.description import Item
from sdq_core.errors import UnreadableItem
from sdq_imaging.formats.checks import finite, limit
from sdq_imaging.formats.picture import luminance
from sdq_imaging.image import Image
from sdq_imaging.rules import finding

__all__ = ["SUFFIXES", "items", "read"]

SUFFIXES = (".npy", ".npz")

ATTRIBUTES = {
    "label": "class", "labels": "class", "class": "class", "classes": "class", "y": "class",
    "subject": "subject", "subjects": "subject", "patient": "subject",
    "name": "name", "names": "name", "synthetic": "synthetic", "seed": "seed",
    "generator": "generator",
}  # fmt: skip
"""Names of per-image arrays inside a stack -> attribute."""

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
    stack, attributes = _load(path, max_pixels)
    if len(stack) == 0:
        raise UnreadableItem(
            "imaging.structure.no_pixel_data", "the stack holds no image; remove it or fill it"
        )
    if _is_one(stack.shape, stack.dtype):
        return [Item(identifier, (path,), digest=_digest(stack))]
    found = []
    for k in range(len(stack)):
        facts = {name: str(values[k]) for name, values in attributes.items()}
        found.append(Item(f"{identifier}#{k}", (path,), str(k), _digest(stack[k]), facts))
    return found


def read(item: Item, max_pixels: int) -> Image:
    """Read one image of an array file.

    Raises
    ------
    UnreadableItem
    """
    stack, _ = _load(item.paths[0], max_pixels, attributes=False)
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


_cached: tuple[tuple[str, int, int], Array, dict[str, Array]] | None = None


def _load(
    path: Path, max_pixels: int, *, attributes: bool = True
) -> tuple[Array, dict[str, Array]]:
    """Open the stack of a file; the last compressed one is kept, for its next image."""
    global _cached  # a worker reads many images of one file in a row
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if path.suffix.lower() == ".npy":
                with path.open("rb") as file:
                    _check(*_header(file), max_pixels)
                return np.load(path, mmap_mode="r", allow_pickle=False), {}
            stat = path.stat()
            key = (str(path), stat.st_size, stat.st_mtime_ns)
            if _cached is None or _cached[0] != key:
                _cached = (key, *_npz(path, max_pixels))
            return _cached[1], _cached[2] if attributes else {}
    except (UnreadableItem, PermissionError, FileNotFoundError, MemoryError):
        raise
    except Exception as error:  # broken archives fail in many ways
        if isinstance(error, RuntimeError) and "encrypted" in str(error):
            raise UnreadableItem(
                "imaging.structure.encrypted", "the archive is encrypted; give it decrypted"
            ) from error
        if path.stat().st_size == 0:
            raise UnreadableItem(
                "imaging.structure.empty_file", "the file has no bytes; write it again"
            ) from error
        raise UnreadableItem(
            "imaging.structure.truncated",
            f"the array file cannot be read ({type(error).__name__}); write it again",
        ) from error


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return shape and data type of an array without reading it."""
    read_header = (
        npy.read_array_header_1_0
        if npy.read_magic(file) == (1, 0)
        else npy.read_array_header_2_0  # of version 3 too: it differs in the field names' encoding
    )
    shape, _, dtype = read_header(file)
    return shape, dtype


def _npz(path: Path, max_pixels: int) -> tuple[Array, dict[str, Array]]:
    with zipfile.ZipFile(path) as archive:
        shapes = {}
        for name in archive.namelist():
            with archive.open(name) as member:
                shapes[name.removesuffix(".npy")] = _header(member)
    images: list[str] = [n for n in NAMES if n in shapes] or [
        n for n, (shape, _) in shapes.items() if len(shape) >= 3
    ]
    if not images:
        raise UnreadableItem(
            "imaging.structure.not_an_image",
            "the archive holds no array of images; name it 'images', shape (n, y, x)",
        )
    _check(*shapes[images[0]], max_pixels)
    pickled = [n for n, (_, dtype) in shapes.items() if n in ATTRIBUTES and dtype.hasobject]
    if pickled:
        raise UnreadableItem(
            "imaging.structure.unsupported",
            "a label array holds pickled objects, which are never loaded; write it as text or "
            "numbers",
        )
    with np.load(path, allow_pickle=False) as archive:
        stack = archive[images[0]]
        facts = {
            ATTRIBUTES[n]: archive[n]
            for n in archive.files
            if n in ATTRIBUTES and shapes[n][0][:1] == (len(stack),) and len(shapes[n][0]) == 1
        }
    return stack, facts


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


def _digest(values: Array) -> str:
    """SHA-256 of dtype, shape and bytes of one image."""
    found = hashlib.sha256(f"{values.dtype.str}{values.shape}".encode())
    found.update(np.ascontiguousarray(values).tobytes())
    return found.hexdigest()
