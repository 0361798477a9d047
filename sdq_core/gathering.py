"""From the shards of a store to the columns of a table, without an object for each item."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.columns import ColumnsBuilder, DescriptionColumns, Layout
from sdq_core.errors import StoreError
from sdq_core.shards import FINDING_TEXTS, finding_of, record_batch

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from sdq_core.description import Description

__all__ = ["add_batch", "gather"]

Index = NDArray[np.intp]

_ELSEWHERE: Final = -1


def gather(
    keys: Sequence[str],
    loose: Mapping[str, Description],
    places: Mapping[str, str],
    folder: Path | None,
) -> DescriptionColumns:
    """Return the descriptions of keys as columns.

    One shard is in memory at a time. The columns do not depend on how descriptions are dealt to
    shards.

    Parameters
    ----------
    keys : sequence of str
        One for each row; rows of equal keys get one description.
    loose : mapping of str to Description
        Those that are not in the store.
    places : mapping of str to str
        Key -> name of the shard that holds it.
    folder : Path or None
        The shards' folder, where large columns get their files.

    Returns
    -------
    DescriptionColumns

    Raises
    ------
    StoreError
        A shard has gone or changed since it was found; the disk is full.
    """
    with closing(ColumnsBuilder(len(keys), folder)) as builder:
        return _gathered(builder, keys, loose, places, folder)


def _gathered(
    builder: ColumnsBuilder,
    keys: Sequence[str],
    loose: Mapping[str, Description],
    places: Mapping[str, str],
    folder: Path | None,
) -> DescriptionColumns:
    rows: dict[str, int] = {}
    again: list[int] = []
    for row, key in enumerate(keys):
        if rows.setdefault(key, row) != row:
            again.append(row)
    shards: dict[str, int] = {}
    for key in rows:
        if key in loose:
            builder.add(rows[key], loose[key])
        elif key in places:
            shards[places[key]] = shards.get(places[key], 0) + 1
    # In the order of the rows, so that what is written to a file follows what is there.
    missing = sum(key not in loose and key not in places for key in rows)
    for name, wanted in shards.items():
        assert folder is not None, "shards lie in a folder"
        try:
            batch = record_batch((folder / name).read_bytes())
        except (OSError, StoreError) as error:
            raise StoreError(
                f"{folder / name}: the shard changed while it was in use "
                f"({type(error).__name__}); check the disk and run again, what is sound is kept"
            ) from error
        here = np.array(
            [
                rows[key] if places.get(key) == name and key in rows else _ELSEWHERE
                for key in batch.column("key").to_pylist()
            ],
            np.intp,
        )
        missing += wanted - int((here != _ELSEWHERE).sum())
        add_batch(builder, batch, here)
    if missing:
        raise StoreError(
            f"{folder}: {missing} descriptions went missing while the store was in use; "
            "run again: what is sound is kept"
        )
    builder.copy([rows[keys[row]] for row in again], again)
    return builder.finish()


def add_batch(builder: ColumnsBuilder, batch: pa.RecordBatch, rows: Index) -> None:
    """Add a shard's descriptions to the columns.

    Parameters
    ----------
    builder : ColumnsBuilder
    batch : pyarrow.RecordBatch
        See `sdq_core.shards`.
    rows : ndarray of int, shape (m,)
        Row of the columns for each of the batch; -1 leaves it out.
    """
    kept = np.flatnonzero(rows != _ELSEWHERE)
    if len(kept) < len(rows):
        batch, rows = batch.take(kept.tolist()), rows[kept]
    if not len(rows):
        return
    scalars = _add_scalars(builder, batch.column("scalars"), rows)
    vectors = _add_vectors(builder, batch.column("embeddings"), rows)
    signatures = _add_signatures(builder, batch.column("signature"), rows)
    layouts = [
        builder.layout(Layout(names, keys, *signature))
        for names, keys, signature in zip(scalars, vectors, signatures, strict=True)
    ]
    readable = np.array(batch.column("readable").to_pylist(), bool)
    builder.place(rows, np.array(layouts, np.intp), readable)
    metadata = batch.column("metadata")
    pairs = np.column_stack(
        [_pooled(builder.metadata.code, t) for t in (metadata.keys, metadata.items)]
    )
    builder.metadata.add(rows, 2 * _ends(metadata), pairs.ravel())
    _add_findings(builder, batch.column("findings"), rows)


def _add_scalars(
    builder: ColumnsBuilder, column: pa.MapArray, rows: Index
) -> list[tuple[int, ...]]:
    ends = _ends(column)
    codes = _pooled(builder.name, column.keys)
    values = np.asarray(column.items.to_numpy(zero_copy_only=False), np.float64)
    lengths = np.diff(ends)
    targets = np.repeat(rows, lengths)
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    for one in np.split(order, starts[1:]) if len(order) else ():
        builder.scalar(int(codes[one[0]]), targets[one], values[one])
    numbers = codes.tolist()
    # One tuple for all rows with the same names.
    same: dict[tuple[int, ...], tuple[int, ...]] = {}
    found = (tuple(numbers[a:b]) for a, b in _spans(ends))
    return [same.setdefault(names, names) for names in found]


def _add_vectors(
    builder: ColumnsBuilder, column: pa.MapArray, rows: Index
) -> list[tuple[tuple[str, tuple[int, ...]], ...]]:
    ends, names = _ends(column), column.keys.to_pylist()
    bounds = _ends(column.items)
    numbers = column.items.values.to_numpy(zero_copy_only=False)
    targets = np.repeat(rows, np.diff(ends))
    keys = [(name, (length,)) for name, length in zip(names, np.diff(bounds).tolist(), strict=True)]
    for key in dict.fromkeys(keys):
        entries = np.array([i for i, k in enumerate(keys) if k == key], np.intp)
        values = numbers[bounds[entries][:, None] + np.arange(key[1][0])]
        builder.put(key, targets[entries], values)
    return [tuple(keys[a:b]) for a, b in _spans(ends)]


def _add_signatures(
    builder: ColumnsBuilder, column: pa.StructArray, rows: Index
) -> list[tuple[tuple[str, tuple[int, ...]] | None, str]]:
    found: list[tuple[tuple[str, tuple[int, ...]] | None, str]] = []
    of_key: dict[tuple[str, tuple[int, ...]], list[int]] = {}
    data = column.field("data")
    shapes, dtypes = (column.field(name).to_pylist() for name in ("shape", "dtype"))
    for place, valid in enumerate(column.is_valid().to_pylist()):
        key = ("", tuple(shapes[place])) if valid else None
        found.append((key, np.dtype(dtypes[place]).newbyteorder("=").str if valid else ""))
        if key is not None:
            of_key.setdefault(key, []).append(place)
    for key, places in of_key.items():
        values = np.empty((len(places), *key[1]), np.float32)
        for value, place in zip(values, places, strict=True):
            flat = np.frombuffer(data[place].as_buffer(), np.dtype(dtypes[place]))
            value[...] = flat.reshape(key[1])
        builder.put(key, rows[places], values)
    return found


def _add_findings(builder: ColumnsBuilder, column: pa.ListArray, rows: Index) -> None:
    texts = column.values
    if not len(texts):
        builder.findings.add(rows, _ends(column), np.empty(0, np.intc))
        return
    encoded = [texts.field(name).dictionary_encode() for name in FINDING_TEXTS]
    table = np.column_stack([np.asarray(e.indices) for e in encoded])
    different, which = np.unique(table, axis=0, return_inverse=True)
    codes = np.array(
        [
            builder.findings.code(
                finding_of(
                    {
                        name: e.dictionary[int(place)].as_py()
                        for name, e, place in zip(FINDING_TEXTS, encoded, line, strict=True)
                    }
                )
            )
            for line in different
        ],
        np.intc,
    )
    builder.findings.add(rows, _ends(column), codes[which.ravel()])


def _ends(column: pa.ListArray | pa.MapArray) -> Index:
    """Return where each row's entries begin, and where the last row's end."""
    return np.asarray(column.offsets.to_numpy(), np.intp)


def _spans(ends: Index) -> Iterator[tuple[int, int]]:
    return pairwise(ends.tolist())


def _pooled(code: Callable[[str], int], texts: pa.StringArray) -> NDArray[np.intc]:
    """Return the number of each text, asked for once for each different one."""
    encoded = texts.dictionary_encode()
    codes = np.array([code(text) for text in encoded.dictionary.to_pylist()], np.intc)
    return codes[np.asarray(encoded.indices, np.intp)]
