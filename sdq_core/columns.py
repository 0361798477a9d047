"""Descriptions of many items as columns: what all of them hold in common is kept once.

A million dictionaries with the same ninety names would be most of the memory. Here a scalar is a
column of float64, an embedding and a signature are rows of one array (of a mapped file where that
is large), and names, header values and findings are numbers into a pool of different ones.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from sys import intern
from typing import Any, Final, NamedTuple, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from sdq_core.column_storage import Rows, Runs
from sdq_core.description import Description
from sdq_core.finding import Finding

__all__ = ["ColumnsBuilder", "DescriptionColumns", "Layout"]

MOST_SHAPES: Final = 32
"""Of embeddings and signatures with a column of their own; rows of other shapes stand alone."""

Index = NDArray[np.intp]
Key: TypeAlias = tuple[str, tuple[int, ...]]
"""Name of an embedding (empty for the signature) and shape."""


class Layout(NamedTuple):
    """What a description holds, without the values. Few differ among the items of a study."""

    scalars: tuple[int, ...]
    """Numbers of the names, in their order."""
    vectors: tuple[Key, ...]
    signature: Key | None
    dtype: str
    """Of the signature; columns hold float32."""


class _Data(NamedTuple):
    names: Sequence[str]
    scalars: Sequence[NDArray[np.float64]]
    arrays: Mapping[Key, NDArray[np.float32]]
    alone: Mapping[tuple[Key, int], NDArray[np.float32]]
    layouts: Sequence[Layout]
    layout: NDArray[np.int32]
    readable: NDArray[np.bool_]
    metadata: Runs[str]
    """Keys and values in turn."""
    findings: Runs[Finding]


class DescriptionColumns(Sequence[Description]):
    """Many descriptions as columns; a sequence whose elements are made when they are asked for.

    Made by `ColumnsBuilder` or `of`; slices and `take` share the columns.

    Examples
    --------
    >>> columns = DescriptionColumns.of([Description(scalars={"a": 1.0}), Description()])
    >>> columns[0].scalars, columns[1].scalars, columns.scalar("a").tolist()
    ({'a': 1.0}, {}, [1.0, nan])
    """

    def __init__(self, data: _Data, rows: Index | slice) -> None:
        self._data = data
        self._rows = rows

    @classmethod
    def of(cls, descriptions: Sequence[Description]) -> DescriptionColumns:
        """Return descriptions as columns, in memory."""
        if isinstance(descriptions, cls):
            return descriptions
        builder = ColumnsBuilder(len(descriptions))
        for row, description in enumerate(descriptions):
            builder.add(row, description)
        return builder.finish()

    def __len__(self) -> int:
        return len(self._layout)

    @overload
    def __getitem__(self, place: int) -> Description: ...
    @overload
    def __getitem__(self, place: slice) -> DescriptionColumns: ...
    def __getitem__(self, place: int | slice) -> Description | DescriptionColumns:
        if isinstance(place, slice):
            start, stop, step = place.indices(len(self))
            if step == 1 and isinstance(self._rows, slice):
                first = self._rows.start
                return DescriptionColumns(
                    self._data, slice(first + start, first + max(start, stop))
                )
            return self.take(np.arange(start, stop, step))
        return self._description(self._row(place))

    def __iter__(self) -> Iterator[Description]:
        return (self[row] for row in range(len(self)))

    def take(self, rows: Index) -> DescriptionColumns:
        """Return some of them; where they follow one another nothing is copied."""
        index = self._index(np.asarray(rows, np.intp))
        if len(index) and np.array_equal(index, np.arange(index[0], index[0] + len(index))):
            return DescriptionColumns(self._data, slice(int(index[0]), int(index[-1]) + 1))
        return DescriptionColumns(self._data, index)

    @cached_property
    def readable(self) -> NDArray[np.bool_]:
        """Which could be read, shape (n,)."""
        return self._data.readable[self._rows]

    @cached_property
    def scalar_names(self) -> tuple[str, ...]:
        """Names of scalars in order of first occurrence."""
        return tuple(
            dict.fromkeys(self._data.names[k] for found in self._found for k in found.scalars)
        )

    @cached_property
    def embedding_names(self) -> tuple[str, ...]:
        """Names of embeddings in order of first occurrence."""
        return tuple(dict.fromkeys(name for found in self._found for name, _ in found.vectors))

    def scalar(self, name: str) -> NDArray[np.float64]:
        """Return a scalar of all rows, shape (n,), NaN where there is none; not to be written to.

        Parameters
        ----------
        name : str
        """
        place = self._places.get(name)
        if place is None:
            return np.full(len(self), np.nan)
        found = self._data.scalars[place][self._rows].view()
        found.setflags(write=False)
        return found

    def embedded(self, name: str) -> Index:
        """Return the rows that have an embedding, ascending."""
        return self._with(lambda found: any(n == name for n, _ in found.vectors))

    def embeddings(self, name: str, rows: Index) -> NDArray[np.float32]:
        """Return an embedding of rows that have it, shape (m, d), not to be written to.

        Raises
        ------
        ValueError
            Rows have it in several lengths.
        """
        return self._stacked(lambda found: next(k for k in found.vectors if k[0] == name), rows)

    def signed(self) -> Index:
        """Return the rows that have a signature, ascending."""
        return self._with(lambda found: found.signature is not None)

    def signatures(self, rows: Index) -> NDArray[np.float32]:
        """Return the signatures of rows that have one, shape (m, ...), not to be written to.

        Raises
        ------
        ValueError
            They have several shapes.
        """
        return self._stacked(lambda found: found.signature, rows)

    def metadata(self, row: int) -> dict[str, str]:
        """Return the metadata of one row."""
        return self._metadata(self._row(row))

    def metadata_column(self, key: str) -> list[str | None]:
        """Return one header value of all rows; None where there is none."""
        runs = self._data.metadata
        if key not in runs.pool:
            return [None] * len(self)
        # Every run has whole pairs, so that keys stand at even places.
        places = 2 * np.flatnonzero(runs.codes[::2] == runs.pool.index(key))
        start = runs.start[self._rows]
        nearest = np.searchsorted(places, start)
        places = np.append(places, np.iinfo(np.int64).max - 1)[nearest]
        inside = places < start + runs.length[self._rows]
        numbers = runs.codes[np.where(inside, places + 1, 0)]
        return [
            runs.pool[k] if there else None
            for k, there in zip(numbers.tolist(), inside.tolist(), strict=True)
        ]

    def findings(self) -> Iterator[tuple[int, Finding]]:
        """Yield row and finding of all findings, by row."""
        runs = self._data.findings
        for row in np.flatnonzero(runs.length[self._rows]).tolist():
            yield from ((row, f) for f in runs.run(self._row(row)))

    def with_finding(self, wanted: Callable[[Finding], bool]) -> NDArray[np.bool_]:
        """Mark the rows with a finding of a kind, shape (n,)."""
        runs = self._data.findings
        return runs.any(np.array([wanted(f) for f in runs.pool], dtype=bool), self._rows)

    @cached_property
    def _layout(self) -> NDArray[np.int32]:
        return self._data.layout[self._rows]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self._data.names)}

    @cached_property
    def _found(self) -> list[Layout]:
        """The layouts of these rows, in order of first occurrence."""
        which, first = np.unique(self._layout, return_index=True)
        return [self._data.layouts[k] for k in which[np.argsort(first)]]

    def _with(self, has: Callable[[Layout], bool]) -> Index:
        flags = np.array([has(found) for found in self._data.layouts], dtype=bool)
        return np.flatnonzero(flags[self._layout] if len(flags) else [])

    def _row(self, place: int) -> int:
        """Row of the shared columns; IndexError where there is none."""
        row = range(len(self))[place]
        return int(self._index(np.array([row], np.intp))[0])

    def _index(self, rows: Index) -> Index:
        """Rows of the shared columns."""
        if isinstance(self._rows, slice):
            return rows + int(self._rows.start)
        return self._rows[rows]

    def _stacked(self, key_of: Callable[[Layout], Key | None], rows: Index) -> NDArray[np.float32]:
        keys = {key_of(self._data.layouts[k]) for k in np.unique(self._layout[rows])}
        if not keys:
            return np.empty((0, 0), np.float32)
        if len(keys) > 1:
            raise ValueError("all input arrays must have the same shape")
        (key,) = keys
        assert key is not None, "rows have it"
        index = self._index(np.asarray(rows, np.intp))
        whole = self._data.arrays.get(key)
        if whole is None:
            return np.stack([self._data.alone[key, int(k)] for k in index])
        first, last = int(index[0]), int(index[-1]) + 1
        if last - first == len(index) and np.array_equal(index, np.arange(first, last)):
            return whole[first:last]
        return whole[index]

    def _metadata(self, row: int) -> dict[str, str]:
        texts = self._data.metadata.run(row)
        return dict(zip(texts[::2], texts[1::2], strict=True))

    def _description(self, row: int) -> Description:
        data = self._data
        found = data.layouts[data.layout[row]]

        def array(key: Key) -> NDArray[np.float32]:
            whole = data.arrays.get(key)
            return data.alone[key, row] if whole is None else whole[row]

        return Description(
            readable=bool(data.readable[row]),
            scalars={data.names[k]: float(data.scalars[k][row]) for k in found.scalars},
            embeddings={key[0]: array(key).copy() for key in found.vectors},
            signature=None
            if found.signature is None
            else array(found.signature).astype(np.dtype(found.dtype)),
            metadata=self._metadata(row),
            findings=tuple(data.findings.run(row)),
        )


class ColumnsBuilder:
    """Fills the columns row by row or many rows at a time, in any order.

    Parameters
    ----------
    n : int
        Rows.
    folder : Path, optional
        Where large columns may lie in a file; None keeps them in memory.
    """

    def __init__(self, n: int, folder: Path | None = None) -> None:
        self._n, self._folder = n, folder
        self._names: dict[str, int] = {}
        self._scalars: list[NDArray[np.float64]] = []
        self._arrays: dict[Key, Rows] = {}
        self._alone: dict[tuple[Key, int], NDArray[np.float32]] = {}
        self._layouts: dict[Hashable, int] = {}
        self._layout = np.zeros(n, np.int32)
        self._readable = np.zeros(n, bool)
        self.metadata: Runs[str] = Runs(n)
        self.findings: Runs[Finding] = Runs(n)

    def add(self, row: int, description: Description) -> None:
        """Fill one row."""
        rows = np.array([row], np.intp)
        numbers = [self.name(name) for name in description.scalars]
        for number, value in zip(numbers, description.scalars.values(), strict=True):
            self._scalars[number][row] = value
        vectors = {(n, np.shape(v)): v for n, v in description.embeddings.items()}
        for key, vector in vectors.items():
            self.put(key, rows, np.asarray(vector)[None])
        signature, dtype = None, ""
        if description.signature is not None:
            values = np.asarray(description.signature)
            signature, dtype = ("", values.shape), values.dtype.str
            self.put(signature, rows, values[None])
        layout = Layout(tuple(numbers), tuple(vectors), signature, dtype)
        self.place(rows, self.layout(layout), description.readable)
        texts = [t for pair in description.metadata.items() for t in pair]
        for runs, values_of_row in (
            (self.metadata, texts), (self.findings, description.findings)
        ):  # fmt: skip
            codes = np.array([runs.code(v) for v in values_of_row], np.intc)  # type: ignore[arg-type]
            runs.add(rows, np.array([0, len(codes)], np.intp), codes)

    def name(self, name: str) -> int:
        """Return the number of a scalar."""
        found = self._names.setdefault(intern(name), len(self._scalars))
        if found == len(self._scalars):
            self._scalars.append(np.full(self._n, np.nan))
        return found

    def scalar(self, number: int, rows: Index, values: NDArray[np.float64]) -> None:
        """Fill a scalar of some rows."""
        self._scalars[number][rows] = values

    def put(self, key: Key, rows: Index, values: NDArray[np.floating[Any]]) -> None:
        """Fill an embedding, or under the empty name the signature, of some rows.

        Raises
        ------
        StoreError
            The disk is full.
        """
        if key not in self._arrays:
            if len(self._arrays) >= MOST_SHAPES:
                for row, value in zip(rows.tolist(), values, strict=True):
                    self._alone[key, row] = value.astype(np.float32)
                return
            self._arrays[key] = Rows(self._n, key[1], self._folder)
        self._arrays[key].write(rows, values)

    def layout(self, layout: Layout) -> int:
        """Return the number of a layout."""
        return self._layouts.setdefault(layout, len(self._layouts))

    def place(self, rows: Index, layout: int | Index, readable: bool | NDArray[np.bool_]) -> None:
        """Say what some rows hold, and whether they could be read."""
        self._layout[rows] = layout
        self._readable[rows] = readable

    def copy(self, sources: Sequence[int], targets: Sequence[int]) -> None:
        """Give rows the descriptions of other rows."""
        a, b = np.array(sources, np.intp), np.array(targets, np.intp)
        if not len(a):
            return
        columns: list[NDArray[Any]] = [*self._scalars, self._layout, self._readable]
        for column in columns:
            column[b] = column[a]
        for rows in self._arrays.values():
            rows.copy(a, b)
        targets_of: dict[int, list[int]] = {}
        for source, target in zip(a.tolist(), b.tolist(), strict=True):
            targets_of.setdefault(source, []).append(target)
        for (key, row), value in list(self._alone.items()):
            self._alone |= {(key, target): value for target in targets_of.get(row, ())}
        self.metadata.copy(a, b)
        self.findings.copy(a, b)

    def close(self) -> None:
        """Close the files that were written; call it whatever happens."""
        for rows in self._arrays.values():
            rows.close()

    def finish(self) -> DescriptionColumns:
        """Return the columns; nothing may be added after."""
        self.metadata.finish()
        self.findings.finish()
        data = _Data(
            tuple(self._names),
            self._scalars,
            {key: rows.finished() for key, rows in self._arrays.items()},
            self._alone,
            tuple(self._layouts),  # type: ignore[arg-type]
            self._layout,
            self._readable,
            self.metadata,
            self.findings,
        )
        return DescriptionColumns(data, slice(0, self._n))
