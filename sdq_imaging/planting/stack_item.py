"""Images of NumPy arrays opened for writing them anew: rows of a stack go into one stack again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.description import Item
from sdq_core.stacks import ATTRIBUTES
from sdq_imaging.formats.array import KIND
from sdq_imaging.planting.editable import Declaration, Editable, Stored

__all__ = ["StackItem", "arrays_of", "save_rows"]

OWN: Final = ("synthetic", "generator", "generator_version", "seed")
"""Attributes that the stand-in for a generator writes itself."""


class StackItem(Editable):
    """One image of an array file.

    Parameters
    ----------
    item : Item
    arrays : mapping of str to ndarray
        See `arrays_of`.

    Attributes
    ----------
    name : str
        Of the array of images in its archive; empty for a ``.npy`` file.
    """

    def __init__(self, item: Item, arrays: Mapping[str, NDArray[Any]]) -> None:
        self.item = item
        self.arrays = arrays
        self.name = (
            "" if "" in arrays else KIND.choose({k: (v.shape, v.dtype) for k, v in arrays.items()})
        )
        stored = arrays[self.name]
        self.one = item.part == ""
        row = stored if self.one else stored[int(item.part)]
        self.axis: int | None = None
        if row.ndim == 3 and (row.shape[-1] == 1 or (row.shape[-1] == 3 and row.dtype == np.uint8)):
            self.axis = -1
        self.values = np.array(row if self.axis is None else np.moveaxis(row, self.axis, 0))
        kind = self.values.dtype
        self.limits = (np.iinfo(kind).min, np.iinfo(kind).max) if kind.kind in "iu" else None
        self.declaration: Declaration | None = None
        self.label = ""
        self.suffix = item.paths[0].suffix

    @property
    def row(self) -> Stored:
        """The values as they stand in the stack."""
        assert self.values is not None
        return self.values if self.axis is None else np.moveaxis(self.values, 0, self.axis)

    def declare(self, declaration: Declaration) -> None:
        """Remember it: what a stack says stands in arrays beside the images."""
        self.declaration = declaration
        self.label = declaration.label

    def save(self, folder: Path, stem: str) -> Path:
        """Write the array of one image."""
        target = folder / f"{stem}{self.suffix}"
        target.parent.mkdir(parents=True, exist_ok=True)
        _write(target, {self.name: self.row})
        return target


def arrays_of(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of a file by name; the only one of a ``.npy`` file has none."""
    if path.suffix.lower() == ".npy":
        return {"": np.load(path, mmap_mode="r", allow_pickle=False)}
    with np.load(path, allow_pickle=False) as archive:
        found = {}
        for name in archive.files:
            try:
                found[name] = archive[name]
            except ValueError:  # pickled objects are never loaded, and nothing here needs them
                continue
        return found


def save_rows(rows: Sequence[StackItem], target: Path, labels: Sequence[Mapping[str, str]]) -> None:
    """Write images of one file as one stack again.

    Parameters
    ----------
    rows : sequence of StackItem
        Of one file; each with a declaration, or none with one.
    target : Path
        Without suffix.
    labels : sequence of mapping of str to str
        Of each image: what its attributes are now.
    """
    first = rows[0]
    images = np.stack([r.row for r in rows])
    file = target.with_name(f"{target.name}{first.suffix}")
    file.parent.mkdir(parents=True, exist_ok=True)
    if not first.name:
        _write(file, {"": images})
        return
    index = [int(r.item.part) for r in rows]
    count = len(first.arrays[first.name])
    made: dict[str, NDArray[Any]] = {first.name: images}
    declared = first.declaration is not None
    for name, values in first.arrays.items():
        if name == first.name:
            continue
        each = values.shape == (count,)
        meant = ATTRIBUTES.get(name, "") if each else ""
        if not declared:
            made[name] = values[index] if values.shape[:1] == (count,) else values
        elif meant in ("class", "subject"):
            made[name] = np.array([row.get(meant, "") for row in labels], dtype=np.str_)
    if declared:
        for name in OWN:
            made[name] = np.array(
                [r.declaration.columns.get(name, "") if r.declaration else "" for r in rows],
                dtype=np.str_,
            )
        if any(r.label for r in rows):
            made["AIGC"] = np.array([r.label for r in rows], dtype=np.str_)
    _write(file, made)


def _write(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    with path.open("wb") as file:  # NumPy would add a suffix of its own to a path
        if "" in arrays:
            np.save(file, arrays[""], allow_pickle=False)
        else:
            np.savez(file, **dict(arrays))  # type: ignore[arg-type]
