"""What one item is turned into, once, and the columnar table of many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sdq_core.finding import Finding

__all__ = ["Description", "DescriptionTable", "Item"]


@dataclass(frozen=True, slots=True)
class Item:
    """What is judged as one: an image or a volume, a recording, a patient's record.

    Parameters
    ----------
    id : str
        Path relative to the cohort's folder, POSIX separators; ``"stack.npz#12"`` inside a stack.
    paths : tuple of Path
        The file, or the files of a series in order. Opened lazily, by the modality only.
    part : str
        What to take from the file: an index into a stack, a series UID; empty for the whole.
    digest : str
        SHA-256 (hex) of the item's content: the file's bytes, the bytes of all files of a series,
        or dtype, shape and bytes of a stack's slice.
    attributes : mapping of str to str
        Attributes that the container itself declares (labels inside a stack). May hold
        ``"class"`` and ``"subject"``.
    """

    id: str
    paths: tuple[Path, ...]
    part: str = ""
    digest: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Description:
    """What one item is turned into. Depends on the item's content only, not on its name.

    Parameters
    ----------
    readable : bool
        False when the item could not be read; then only `findings` is filled.
    scalars : mapping of str to float
        Named features; a feature that does not exist for this item is left out, never NaN.
    embeddings : mapping of str to ndarray, shape (d,), float32
    signature : ndarray or None
        Small float16/float32 array of a shape fixed by the describer; copies are searched on it.
    metadata : mapping of str to str
        Header values that comparisons use. Identifying values are replaced by their salted-free
        SHA-256 hash or left out.
    findings : tuple of Finding
        With empty `item` and `role`.
    """

    readable: bool = True
    scalars: Mapping[str, float] = field(default_factory=dict)
    embeddings: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    signature: NDArray[np.floating] | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


class DescriptionTable:
    """Descriptions of many items as columns; row i everywhere belongs to ``items[i]``.

    Parameters
    ----------
    items : sequence of Item
    descriptions : sequence of Description
        One for each item, in the same order.
    role : str
        Stamped on the findings.
    """

    def __init__(
        self, items: Sequence[Item], descriptions: Sequence[Description], role: str = ""
    ) -> None:
        if len(items) != len(descriptions):
            raise ValueError(
                f"DescriptionTable: {len(items)} items but {len(descriptions)} descriptions"
            )
        self.items: tuple[Item, ...] = tuple(items)
        self._descriptions: tuple[Description, ...] = tuple(descriptions)
        self.role = role

    def __len__(self) -> int:
        return len(self.items)

    @cached_property
    def ids(self) -> NDArray[np.str_]:
        """Item ids, shape (n,)."""
        return np.array([i.id for i in self.items], dtype=np.str_)

    @cached_property
    def readable(self) -> NDArray[np.bool_]:
        """Which items could be read, shape (n,)."""
        return np.array([d.readable for d in self._descriptions], dtype=bool)

    @cached_property
    def scalar_names(self) -> tuple[str, ...]:
        """All scalar names that occur, in order of first occurrence."""
        return tuple(dict.fromkeys(k for d in self._descriptions for k in d.scalars))

    @cached_property
    def embedding_names(self) -> tuple[str, ...]:
        """All embedding names that occur, in order of first occurrence."""
        return tuple(dict.fromkeys(k for d in self._descriptions for k in d.embeddings))

    def scalar(self, name: str) -> NDArray[np.float64]:
        """Return one scalar column, shape (n,); NaN marks an item that does not have it.

        The column is shared and cannot be written to.
        """
        found = self._scalars.get(name)
        return found if found is not None else np.full(len(self), np.nan)

    @cached_property
    def _scalars(self) -> dict[str, NDArray[np.float64]]:
        """All scalar columns, made in one pass: measures ask for each of them many times."""
        place = {name: k for k, name in enumerate(self.scalar_names)}
        values = np.full((len(place), len(self)), np.nan)
        for row, description in enumerate(self._descriptions):
            found = description.scalars
            values[[place[k] for k in found], row] = list(found.values())
        values.setflags(write=False)
        return dict(zip(place, values, strict=True))

    def embedding(self, name: str) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
        """Return one embedding of the items that have it.

        Returns
        -------
        values : ndarray, shape (m, d), float32
        rows : ndarray, shape (m,)
            Row of each value in this table.
        """
        rows = [i for i, d in enumerate(self._descriptions) if name in d.embeddings]
        if not rows:
            return np.empty((0, 0), np.float32), np.empty(0, np.intp)
        values = np.stack([self._descriptions[i].embeddings[name] for i in rows]).astype(np.float32)
        return values, np.array(rows, np.intp)

    def signatures(self) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
        """Return the signatures of the items that have one, and their rows.

        Returns
        -------
        values : ndarray, shape (m, ...), float32
        rows : ndarray, shape (m,)
        """
        rows = [i for i, d in enumerate(self._descriptions) if d.signature is not None]
        if not rows:
            return np.empty((0, 0), np.float32), np.empty(0, np.intp)
        values = np.stack([np.asarray(self._descriptions[i].signature, np.float32) for i in rows])
        return values, np.array(rows, np.intp)

    def metadata(self, row: int) -> Mapping[str, str]:
        """Return the metadata of one item."""
        return self._descriptions[row].metadata

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """All findings with their item and role filled in."""
        return tuple(
            replace(f, item=i.id, role=self.role)
            for i, d in zip(self.items, self._descriptions, strict=True)
            for f in d.findings
        )

    def rows_with(self, *areas: str, severities: Iterable[str] = ("error",)) -> NDArray[np.bool_]:
        """Mark the items that have a finding in one of these areas at one of these severities.

        Returns
        -------
        ndarray, shape (n,), bool
        """
        wanted = set(severities)
        return np.array(
            [
                any(f.area in areas and str(f.severity) in wanted for f in d.findings)
                for d in self._descriptions
            ],
            dtype=bool,
        )

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> DescriptionTable:
        """Return the table of some rows, given by index or mask."""
        index = np.flatnonzero(rows) if np.asarray(rows).dtype == bool else np.asarray(rows)
        return DescriptionTable(
            [self.items[i] for i in index], [self._descriptions[i] for i in index], self.role
        )
