"""NumPy files read safely: checked by their header, never unpickled, labels as attributes."""

from __future__ import annotations

import hashlib
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from sdq_core.description import Item
from sdq_core.errors import UnreadableItem

__all__ = ["ATTRIBUTES", "SUFFIXES", "Shapes", "Stack", "StackKind", "digest", "items", "load"]

SUFFIXES: Final = (".npy", ".npz")

ATTRIBUTES: Final[dict[str, str]] = {
    "label": "class", "labels": "class", "class": "class", "classes": "class", "y": "class",
    "subject": "subject", "subjects": "subject", "patient": "subject",
    "name": "name", "names": "name", "synthetic": "synthetic", "seed": "seed",
    "generator": "generator", "generator_version": "generator_version", "run": "run",
    "condition": "condition", "AIGC": "AIGC",
}  # fmt: skip
"""Names of per-item arrays inside a stack -> attribute."""

Array = NDArray[Any]
Shapes = Mapping[str, tuple[tuple[int, ...], np.dtype[Any]]]
"""Name of an array in an archive -> shape and data type, from its header."""

MOST_FACTS = 2**16
"""Greatest number of values of an array that says something about the stack."""


@dataclass(frozen=True)
class StackKind:
    """What a modality looks for in an array file.

    Parameters
    ----------
    area : str
        Rules are ``<area>.<rule>``: ``"imaging.structure"``.
    choose : callable
        ``choose(shapes) -> name`` of the array that holds the items of an archive; raises
        `UnreadableItem` where there is none.
    attributes : mapping of str to str
        Name of an array with one value an item -> attribute.
    facts : tuple of str
        Names of small arrays that say something about the whole stack.
    """

    area: str
    choose: Callable[[Shapes], str]
    attributes: Mapping[str, str] = field(default_factory=lambda: ATTRIBUTES)
    facts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stack:
    """The content of an array file.

    Parameters
    ----------
    values : ndarray
        Mapped from the disk where it came from a ``.npy`` file.
    name : str
        Name of the array in its archive; empty for a ``.npy`` file.
    attributes : mapping of str to ndarray, shape (len(values),)
    facts : mapping of str to ndarray
    """

    values: Array
    name: str = ""
    attributes: Mapping[str, Array] = field(default_factory=dict)
    facts: Mapping[str, Array] = field(default_factory=dict)


_cached: tuple[tuple[str, str, int, int], Stack] | None = None


def load(
    path: Path, kind: StackKind, check: Callable[[tuple[int, ...], np.dtype[Any]], None]
) -> Stack:
    """Open the stack of a file; the last archive is kept in memory, for its next item.

    Parameters
    ----------
    path : Path
    kind : StackKind
    check : callable
        ``check(shape, dtype)`` raises `UnreadableItem` for what is no stack of the modality or
        larger than may be read; called with the header alone.

    Returns
    -------
    Stack

    Raises
    ------
    UnreadableItem
        Rules ``empty_file``, ``encrypted``, ``unsupported`` (pickled objects), ``truncated``.
    OSError, MemoryError
    """
    global _cached  # a worker reads many items of one file in a row
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if path.suffix.lower() == ".npy":
                with path.open("rb") as file:
                    check(*_header(file))
                return Stack(np.load(path, mmap_mode="r", allow_pickle=False))
            stat = path.stat()
            key = (kind.area, str(path), stat.st_size, stat.st_mtime_ns)
            if _cached is None or _cached[0] != key:
                _cached = (key, _npz(path, kind, check))
            return _cached[1]
    except (UnreadableItem, PermissionError, FileNotFoundError, MemoryError):
        raise
    except Exception as error:  # broken archives fail in many ways
        if isinstance(error, RuntimeError) and "encrypted" in str(error):
            raise UnreadableItem(
                f"{kind.area}.encrypted", "the archive is encrypted; give it decrypted"
            ) from error
        if path.stat().st_size == 0:
            raise UnreadableItem(
                f"{kind.area}.empty_file", "the file has no bytes; write it again"
            ) from error
        raise UnreadableItem(
            f"{kind.area}.truncated",
            f"the array file cannot be read ({type(error).__name__}); write it again",
        ) from error


def items(path: Path, identifier: str, stack: Stack, *, one: bool) -> list[Item]:
    """List the items of an array file.

    Parameters
    ----------
    path : Path
    identifier : str
        Id of the file; items of a stack get ``"#<index>"`` behind it.
    stack : Stack
    one : bool
        Whether all values are one item.

    Returns
    -------
    list of Item
        With digests of their content, and attributes as text.
    """
    if one:
        return [Item(identifier, (path,), digest=digest(stack.values))]
    found = []
    for k in range(len(stack.values)):
        facts = {name: str(values[k]) for name, values in stack.attributes.items()}
        found.append(Item(f"{identifier}#{k}", (path,), str(k), digest(stack.values[k]), facts))
    return found


def digest(values: Array) -> str:
    """Return the SHA-256 of dtype, shape and bytes of one item.

    Examples
    --------
    >>> digest(np.zeros(3)) == digest(np.zeros((3, 1)))
    False
    """
    found = hashlib.sha256(f"{values.dtype.str}{values.shape}".encode())
    found.update(np.ascontiguousarray(values).tobytes())
    return found.hexdigest()


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return shape and data type of an array without reading it."""
    read_header = (
        npy.read_array_header_1_0
        if npy.read_magic(file) == (1, 0)
        else npy.read_array_header_2_0  # of version 3 too: it differs in the field names' encoding
    )
    shape, _, dtype = read_header(file)
    return shape, dtype


def _npz(
    path: Path, kind: StackKind, check: Callable[[tuple[int, ...], np.dtype[Any]], None]
) -> Stack:
    with zipfile.ZipFile(path) as archive:
        shapes = {}
        for name in archive.namelist():
            with archive.open(name) as member:
                shapes[name.removesuffix(".npy")] = _header(member)
    chosen = kind.choose(shapes)
    check(*shapes[chosen])
    wanted = {*kind.attributes, *kind.facts}
    if any(dtype.hasobject for name, (_, dtype) in shapes.items() if name in wanted):
        raise UnreadableItem(
            f"{kind.area}.unsupported",
            "a label array holds pickled objects, which are never loaded; write it as text or "
            "numbers",
        )
    with np.load(path, allow_pickle=False) as archive:
        values = archive[chosen]
        n = len(values) if values.ndim else 0
        attributes = {
            kind.attributes[name]: archive[name]
            for name in archive.files
            if name in kind.attributes and shapes[name][0] == (n,)
        }
        facts = {
            name: archive[name]
            for name in archive.files
            if name in kind.facts and int(np.prod(shapes[name][0], dtype=float)) <= MOST_FACTS
        }
    return Stack(values, chosen, attributes, facts)
