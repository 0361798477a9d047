"""Content hashes of files, and the one byte form of JSON that is hashed and compared."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import InputError

__all__ = ["array_digest", "canonical_json", "hash_file", "hash_files", "readable_json"]


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, reading it in blocks.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str
        64 lower-case hexadecimal digits (FIPS 180-4).

    Raises
    ------
    InputError
        The file cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a"
    ...     _ = file.write_bytes(b"abc")
    ...     hash_file(file)[:8]
    'ba7816bf'
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror or type(error).__name__}); "
            "check that the file exists and that you may read it"
        ) from error


def hash_files(paths: Sequence[Path], workers: int = 4) -> list[str]:
    """Return the SHA-256 of many files, a few at a time.

    Threads are enough: hashing releases the interpreter lock, and most of the time is reading.

    Parameters
    ----------
    paths : sequence of Path
    workers : int
        Files read at a time, at least 1.

    Returns
    -------
    list of str
        In the order of `paths`; empty for a file that cannot be read. An item with an empty
        digest is described in every run, and its description says why it cannot be read.

    Examples
    --------
    >>> from pathlib import Path
    >>> hash_files([Path("no/such/file")])
    ['']
    """
    with ThreadPoolExecutor(max_workers=workers) as pool:
        return list(pool.map(_hash_or_empty, paths))


def canonical_json(obj: Any) -> bytes:
    """Return the one UTF-8 JSON text of a value: same value, same bytes.

    Keys are sorted by code point, there is no white space, characters stand for themselves, and
    floats have the fewest digits that give the same number back (``repr``).

    Parameters
    ----------
    obj : None, bool, int, float, str, numpy scalar, mapping with str keys, list or tuple
        Nested at will.

    Returns
    -------
    bytes

    Raises
    ------
    ValueError
        A number is not finite: JSON has none such (RFC 8259, section 6).
    TypeError
        Anything else in it, a key that is not a str among them. Both name the place.

    Examples
    --------
    >>> canonical_json({"b": (1, 0.1), "a": {"名": None}}).decode()
    '{"a":{"名":null},"b":[1,0.1]}'
    """
    text = json.dumps(
        _plain(obj, "$"), ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True
    )
    # A lone surrogate (an undecodable byte in a file name) has no UTF-8, but JSON can escape it.
    return text.encode("utf-8", "backslashreplace")


def readable_json(data: Mapping[str, Any]) -> bytes:
    """Return canonical JSON that people can compare: a line for each key and element of a list.

    Parameters
    ----------
    data : mapping
        JSON-ready, see `canonical_json`.

    Examples
    --------
    >>> print(readable_json({"b": [1, {"x": 2}], "a": {}}).decode(), end="")
    {
     "a": {},
     "b": [
      1,
      {"x":2}
     ]
    }
    """
    lines = []
    for key in sorted(data):
        value = data[key]
        if isinstance(value, list):
            body = ",\n  ".join(canonical_json(v).decode() for v in value)
            text = f"[\n  {body}\n ]" if value else "[]"
        else:
            text = canonical_json(value).decode()
        lines.append(f" {json.dumps(key)}: {text}")
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def _hash_or_empty(path: Path) -> str:
    try:
        return hash_file(path)
    except InputError:
        return ""


def _plain(value: Any, where: str) -> Any:
    """Turn a value into what the json module writes in one way only."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(
                f"canonical_json: {where} is not a finite number; leave it out or give a reason"
            )
        return value
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"canonical_json: {where} has a key of type {type(key).__name__}")
        return {str(key): _plain(entry, f"{where}.{key}") for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry, f"{where}[{i}]") for i, entry in enumerate(value)]
    raise TypeError(
        f"canonical_json: {where} has type {type(value).__name__}, which JSON does not know; "
        "convert it to numbers, texts, lists or mappings"
    )


def array_digest(values: NDArray[np.generic]) -> str:
    """Return a digest of values that does not depend on their container or data type.

    Parameters
    ----------
    values : ndarray, any shape
        Values that float32 holds; equal values in equal shape have equal digests.

    Returns
    -------
    str
        SHA-256 (hex, FIPS 180-4) of the shape and the little-endian float32 values in C order.

    Examples
    --------
    >>> a = np.arange(6, dtype=np.uint8).reshape(2, 3)
    >>> array_digest(a) == array_digest(a.astype(np.float64))
    True
    >>> array_digest(a) == array_digest(a.T)
    False
    """
    plain = np.ascontiguousarray(values, dtype="<f4") + np.float32(0)  # -0.0 and 0.0 are equal
    shape = np.asarray(plain.shape, "<i8").tobytes()
    return hashlib.sha256(b"%d:" % plain.ndim + shape + plain.tobytes()).hexdigest()
