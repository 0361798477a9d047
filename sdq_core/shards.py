"""One shard: a few descriptions as the bytes of an Arrow file that carries its own digest."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Collection, Mapping, Sequence
from numbers import Real
from sys import intern
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sdq_core.description import Description
from sdq_core.errors import StoreError
from sdq_core.finding import Finding
from sdq_core.vocabulary import Severity

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "FINDING_TEXTS",
    "FORMAT",
    "breach",
    "decode_shard",
    "encode_shard",
    "finding_of",
    "record_batch",
    "shard_keys",
]

FORMAT: Final = 1
"""Version of the form in which descriptions are stored; part of the key of each."""

_PREFIX: Final = b"sha256:"
_BLANK: Final = _PREFIX + b"0" * 64
_SEAL: Final = re.compile(_PREFIX + b"[0-9a-f]{64}")
FINDING_TEXTS: Final = ("rule", "severity", "message", "message_zh", "where", "item", "role")


def encode_shard(keys: Sequence[str], descriptions: Sequence[Description]) -> bytes:
    """Return descriptions as an Arrow IPC file with one record batch and its own digest.

    The digest is the SHA-256 of the whole file with the digest itself set to zeros. It stands in
    the schema's metadata (key ``sdq.sha256``), which Arrow writes twice, at the start and in the
    footer; so any program can read the file, and a change of any byte is noticed.

    Parameters
    ----------
    keys : sequence of str
        One for each description.
    descriptions : sequence of Description
        Such that `breach` finds nothing.

    Returns
    -------
    bytes
        Equal arguments give equal bytes.

    Examples
    --------
    >>> data = encode_shard(["k"], [Description(scalars={"mean": 0.1})])
    >>> decode_shard(data)["k"].scalars
    {'mean': 0.1}
    """
    import pyarrow as pa

    schema = _schema()
    signatures = [_signature_row(d) for d in descriptions]
    metadata = [list(d.metadata.items()) for d in descriptions]
    findings = [
        [{t: str(getattr(f, t)) for t in FINDING_TEXTS} for f in d.findings] for d in descriptions
    ]
    columns = [
        pa.array(keys, pa.string()),
        pa.array([d.readable for d in descriptions], pa.bool_()),
        _scalar_column([d.scalars for d in descriptions]),
        _embedding_column([d.embeddings for d in descriptions]),
        pa.array(signatures, schema.field("signature").type),
        pa.array(metadata, schema.field("metadata").type),
        pa.array(findings, schema.field("findings").type),
    ]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, schema) as writer:
        writer.write_batch(pa.record_batch(columns, schema=schema))
    data = bytearray(sink.getvalue())
    _stamp(data, _BLANK, _PREFIX + hashlib.sha256(data).hexdigest().encode())
    return bytes(data)


def shard_keys(data: bytes) -> list[str]:
    """Return the keys of a shard, after checking its digest.

    Parameters
    ----------
    data : bytes

    Returns
    -------
    list of str
        In the order of the rows.

    Raises
    ------
    StoreError
        The bytes are not those that were written.

    Examples
    --------
    >>> shard_keys(encode_shard(["b", "a"], [Description(), Description()]))
    ['b', 'a']
    """
    import pyarrow as pa

    _verify(data)
    options = pa.ipc.IpcReadOptions(included_fields=[0])
    batch = pa.ipc.open_file(pa.py_buffer(data), options=options).get_batch(0)
    keys: list[str] = batch.column(0).to_pylist()
    return keys


def record_batch(data: bytes) -> pa.RecordBatch:
    """Return the descriptions of a shard as columns, after checking its digest; nothing is copied.

    Parameters
    ----------
    data : bytes

    Returns
    -------
    pyarrow.RecordBatch

    Raises
    ------
    StoreError
        The bytes are not those that were written.
    """
    import pyarrow as pa

    _verify(data)
    return pa.ipc.open_file(pa.py_buffer(data)).get_batch(0)


def decode_shard(data: bytes, wanted: Collection[str] | None = None) -> dict[str, Description]:
    """Return the descriptions of a shard, bit for bit as they were written.

    Parameters
    ----------
    data : bytes
    wanted : collection of str, optional
        Keys of the descriptions to return; all by default.

    Returns
    -------
    dict of str to Description
        In the order of the rows. The arrays are copies that may be written to.

    Raises
    ------
    StoreError
        The bytes are not those that were written.
    """
    batch = record_batch(data)
    column = {name: batch.column(name) for name in batch.schema.names}
    scalars, embeddings = column["scalars"], column["embeddings"]
    scalar_ends, embedding_ends = scalars.offsets.to_pylist(), embeddings.offsets.to_pylist()
    scalar_names, embedding_names = _interned(scalars.keys), _interned(embeddings.keys)
    scalar_values = scalars.items.to_pylist()
    vector_ends = embeddings.items.offsets.to_pylist()
    numbers = embeddings.items.values.to_numpy()
    found: dict[str, Description] = {}
    for row, key in enumerate(column["key"].to_pylist()):
        if wanted is not None and key not in wanted:
            continue
        here = slice(scalar_ends[row], scalar_ends[row + 1])
        found[key] = Description(
            readable=column["readable"][row].as_py(),
            scalars=dict(zip(scalar_names[here], scalar_values[here], strict=True)),
            embeddings={
                embedding_names[j]: numbers[vector_ends[j] : vector_ends[j + 1]].copy()
                for j in range(embedding_ends[row], embedding_ends[row + 1])
            },
            signature=_signature(column["signature"][row].as_py()),
            metadata={intern(k): intern(v) for k, v in column["metadata"][row].as_py()},
            findings=tuple(finding_of(f) for f in column["findings"][row].as_py()),
        )
    return found


def breach(description: object) -> str | None:
    """Say how a description breaks its contract, if it does.

    What passes can be stored and comes back as it was.

    Parameters
    ----------
    description : object
        What a describer returned.

    Returns
    -------
    str or None
        Names the field and the rule, never a value.

    Examples
    --------
    >>> breach(Description(scalars={"mean": float("nan")}))
    "scalar 'mean' must be a finite number; leave a feature out that does not exist"
    >>> breach(Description(scalars={"mean": 1.0})) is None
    True
    """
    if not isinstance(description, Description):
        return f"it must return a Description, not {type(description).__name__}"
    if not isinstance(description.readable, bool):
        return "readable must be a bool"
    texts = [*description.scalars, *description.embeddings]
    texts += [t for pair in description.metadata.items() for t in pair]
    for finding in description.findings:
        if not isinstance(finding, Finding) or finding.severity not in set(Severity):
            return "findings must be Finding objects with a Severity"
        texts += [getattr(finding, t) for t in FINDING_TEXTS]
    if not all(isinstance(t, str) and _is_unicode(t) for t in texts):
        return "names, metadata and the fields of findings must be valid Unicode texts"
    for name, value in description.scalars.items():
        if not (isinstance(value, Real) and math.isfinite(value)):
            return (
                f"scalar {name!r} must be a finite number; leave a feature out that does not exist"
            )
    for name, vector in description.embeddings.items():
        if not (_is_array(vector, np.float32) and vector.ndim == 1):
            return f"embedding {name!r} must be a float32 array of shape (d,) with finite values"
    signature = description.signature
    if signature is not None and not _is_array(signature, np.float16, np.float32):
        return "the signature must be a float16 or float32 array with finite values"
    return None


def _schema() -> pa.Schema:
    import pyarrow as pa

    text = pa.string()
    signature = [("dtype", text), ("shape", pa.list_(pa.int64())), ("data", pa.large_binary())]
    return pa.schema(
        [
            ("key", text),
            ("readable", pa.bool_()),
            ("scalars", pa.map_(text, pa.float64())),
            ("embeddings", pa.map_(text, pa.list_(pa.float32()))),
            ("signature", pa.struct(signature)),
            ("metadata", pa.map_(text, text)),
            ("findings", pa.list_(pa.struct([(t, text) for t in FINDING_TEXTS]))),
        ],
        metadata={"sdq.format": str(FORMAT), "sdq.sha256": _BLANK},
    )


def _scalar_column(rows: Sequence[Mapping[str, float]]) -> pa.MapArray:
    import pyarrow as pa

    names = pa.array([name for row in rows for name in row], pa.string())
    values = np.array([value for row in rows for value in row.values()], np.float64)
    return pa.MapArray.from_arrays(_offsets(rows), names, pa.array(values))


def _embedding_column(rows: Sequence[Mapping[str, Any]]) -> pa.MapArray:
    import pyarrow as pa

    names = pa.array([name for row in rows for name in row], pa.string())
    vectors = [vector for row in rows for vector in row.values()]
    flat = np.concatenate([np.empty(0, np.float32), *vectors])
    lists = pa.ListArray.from_arrays(_offsets(vectors), pa.array(flat))
    return pa.MapArray.from_arrays(_offsets(rows), names, lists)


def _offsets(parts: Sequence[Any]) -> pa.Array:
    """Return where each part begins when they are laid end to end, and where the last ends."""
    import pyarrow as pa

    return pa.array(np.cumsum([0, *(len(part) for part in parts)]), pa.int32())


def _signature_row(description: Description) -> dict[str, Any] | None:
    if description.signature is None:
        return None
    array = np.asarray(description.signature)
    # Written little-endian, so that the file means the same on every machine.
    little = array.dtype.newbyteorder("<")
    return {
        "dtype": little.str,
        "shape": list(array.shape),
        "data": array.astype(little, copy=False).tobytes(),
    }


def _signature(row: dict[str, Any] | None) -> Any:
    if row is None:
        return None
    array = np.frombuffer(row["data"], np.dtype(row["dtype"])).reshape(row["shape"])
    return array.astype(array.dtype.newbyteorder("="))


def finding_of(row: Mapping[str, str]) -> Finding:
    """Return a finding from its texts, see `FINDING_TEXTS`."""
    texts = {name: intern(text) for name, text in row.items()}
    return Finding(**{**texts, "severity": Severity(texts["severity"])})  # type: ignore[arg-type]


def _interned(names: pa.Array) -> list[str]:
    # The same few names in every row: one object each instead of millions.
    return [intern(name) for name in names.to_pylist()]


def _stamp(data: bytearray, old: bytes, new: bytes) -> None:
    """Replace the first and the last occurrence: the two copies of the schema's metadata.

    What lies between is the descriptions, which may hold the same text by chance.
    """
    for place in (data.find(old), data.rfind(old)):
        data[place : place + len(old)] = new


def _verify(data: bytes) -> None:
    """Check the digest before Arrow sees the bytes: it trusts the lengths in them."""
    seal = _SEAL.search(data)
    if seal is not None:
        blank = bytearray(data)
        _stamp(blank, seal.group(), _BLANK)
        if seal.group()[len(_PREFIX) :] == hashlib.sha256(blank).hexdigest().encode():
            return
    raise StoreError("the shard is damaged: its content does not match its digest")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_array(value: object, *dtypes: type[np.floating[Any]]) -> bool:
    return (
        isinstance(value, np.ndarray)
        and value.dtype.type in dtypes
        and bool(np.isfinite(value).all())
    )
