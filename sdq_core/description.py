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
        One for each item, in the same order. Those that `describe` gives are columns already and
        are shared; others are copied into columns in memory.
    role : str
        Stamped on the findings.
    """

    def __init__(
        self, items: Sequence[Item], descriptions: Sequence[Description], role: str = ""
    ) -> None:
        from sdq_core.columns import DescriptionColumns

        if len(items) != len(descriptions):
            raise ValueError(
                f"DescriptionTable: {len(items)} items but {len(descriptions)} descriptions"
            )
        self.items: tuple[Item, ...] = tuple(items)
        self._descriptions = DescriptionColumns.of(descriptions)
        self.role = role

    def __len__(self) -> int:
        return len(self.items)

    @cached_property
    def ids(self) -> NDArray[np.str_]:
        """Item ids, shape (n,)."""
        return np.array([i.id for i in self.items], dtype=np.str_)

    @cached_property
    def digest_order(self) -> NDArray[np.intp]:
        """Rows by ascending digest of the content, shape (n,); of equal ones the first is first.

        The first k of any rows in this order are a uniform sample of their contents that depends
        on neither names nor order, and the sample of a union is that of the samples (bottom-k:
        Cohen & Kaplan 2007, doi:10.1145/1281100.1281133).
        """
        digests = np.array([i.digest for i in self.items], dtype=np.str_)
        return np.argsort(digests, kind="stable")

    @property
    def readable(self) -> NDArray[np.bool_]:
        """Which items could be read, shape (n,)."""
        return self._descriptions.readable

    @property
    def scalar_names(self) -> tuple[str, ...]:
        """All scalar names that occur, in order of first occurrence."""
        return self._descriptions.scalar_names

    @property
    def embedding_names(self) -> tuple[str, ...]:
        """All embedding names that occur, in order of first occurrence."""
        return self._descriptions.embedding_names

    def scalar(self, name: str) -> NDArray[np.float64]:
        """Return one scalar column, shape (n,); NaN marks an item that does not have it.

        The column is shared and cannot be written to.
        """
        return self._descriptions.scalar(name)

    def embedding(self, name: str) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
        """Return one embedding of the items that have it.

        For a few of many items `embedded` and `embeddings` are leaner.

        Returns
        -------
        values : ndarray, shape (m, d), float32
            Shared, and mapped from a file where it is large; cannot be written to.
        rows : ndarray, shape (m,)
            Row of each value in this table.
        """
        rows = self.embedded(name)
        return self.embeddings(name, rows), rows

    def embedded(self, name: str) -> NDArray[np.intp]:
        """Return the rows that have an embedding, shape (m,), ascending."""
        return self._descriptions.embedded(name)

    def embeddings(self, name: str, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return one embedding of some rows that have it, shape (m, d)."""
        return self._descriptions.embeddings(name, rows)

    def signatures(self) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
        """Return the signatures of the items that have one, and their rows.

        Returns
        -------
        values : ndarray, shape (m, ...), float32
            Shared, and mapped from a file where it is large; cannot be written to.
        rows : ndarray, shape (m,)
        """
        rows = self._descriptions.signed()
        return self._descriptions.signatures(rows), rows

    def metadata(self, row: int) -> Mapping[str, str]:
        """Return the metadata of one item."""
        return self._descriptions.metadata(row)

    def metadata_column(self, key: str) -> list[str | None]:
        """Return one header value of all items, None where an item has none."""
        return self._descriptions.metadata_column(key)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings with their item and role filled in; made anew each time."""
        return tuple(
            replace(finding, item=self.items[row].id, role=self.role)
            for row, finding in self._descriptions.findings()
        )

    def rows_with(self, *areas: str, severities: Iterable[str] = ("error",)) -> NDArray[np.bool_]:
        """Mark the items that have a finding in one of these areas at one of these severities.

        Returns
        -------
        ndarray, shape (n,), bool
        """
        wanted = set(severities)
        return self._descriptions.with_finding(
            lambda finding: finding.area in areas and str(finding.severity) in wanted
        )

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> DescriptionTable:
        """Return the table of some rows, given by index or mask."""
        given = np.asarray(rows)
        index = np.flatnonzero(given) if given.dtype == bool else given.astype(np.intp)
        return DescriptionTable(
            [self.items[i] for i in index], self._descriptions.take(index), self.role
        )
