"""Blanks, full-width signs and missing values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

__all__ = ["Cleaned", "Mask", "clean", "distinct", "mask", "safe_cell"]

Mask = NDArray[np.bool_]

_SIGNS: Final = {0xFF01 + k: 0x21 + k for k in range(94)}
_ALL: Final = {**_SIGNS, 0x3000: 0x20, 0x2212: 0x2D}
_LETTERS: Final = {k: v for k, v in _SIGNS.items() if chr(v).isalnum()}
"""In running Chinese text and its categories full-width brackets and commas are right."""
_WIDE_ALL: Final = r"[\x{FF01}-\x{FF5E}\x{3000}\x{2212}]"
_WIDE_LETTERS: Final = r"[\x{FF10}-\x{FF19}\x{FF21}-\x{FF3A}\x{FF41}-\x{FF5A}]"


@dataclass(frozen=True)
class Cleaned:
    """Distinct texts of a column without blanks around them and without full-width signs.

    Parameters
    ----------
    values : pyarrow.Array of string, length k
        Null where the text stands for a missing value.
    full_width, padded : ndarray, shape (k,), bool
        What was changed.
    """

    values: pa.Array
    full_width: Mask
    padded: Mask


def distinct(values: pa.ChunkedArray | pa.Array) -> tuple[pa.Array, NDArray[np.intp]]:
    """Return the distinct texts of a column, and which one each cell holds.

    Parameters
    ----------
    values : pyarrow array of string

    Returns
    -------
    texts : pyarrow.Array of string, length k
    index : ndarray, shape (n,), intp
        -1 where the cell is null.

    Examples
    --------
    >>> texts, index = distinct(pa.array(["b", "a", None, "b"]))
    >>> texts.to_pylist(), index.tolist()
    (['b', 'a'], [0, 1, -1, 0])
    """
    encoded = values.dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        if not encoded.num_chunks:
            return pa.array([], pa.string()), np.empty(0, np.intp)
        encoded = encoded.combine_chunks()
        if isinstance(encoded, pa.ChunkedArray):  # several chunks with dictionaries of their own
            encoded = encoded.unify_dictionaries()
            index = np.concatenate(
                [_codes(chunk.indices) for chunk in encoded.chunks] or [np.empty(0, np.intp)]
            )
            return encoded.chunk(0).dictionary, index
    return encoded.dictionary, _codes(encoded.indices)


def clean(texts: pa.Array, kind: str, missing: Sequence[str]) -> Cleaned:
    """Take blanks off, turn full-width signs into half-width ones, and find missing values.

    Parameters
    ----------
    texts : pyarrow.Array of string
    kind : str
        Type of the column: in running text nothing is turned, in categories digits and letters.
    missing : sequence of str
        Texts that stand for a missing value, compared without regard to capitals.

    Examples
    --------
    >>> clean(pa.array([" １２．５ ", "n/a", "x"]), "number", ["N/A"]).values.to_pylist()
    ['12.5', None, 'x']
    """
    count = len(texts)
    wide = np.zeros(count, bool)
    whole = texts
    if kind != "text" and not pc.all(pc.string_is_ascii(texts)).as_py():
        pattern, turn = (_WIDE_LETTERS, _LETTERS) if kind == "category" else (_WIDE_ALL, _ALL)
        wide = mask(pc.match_substring_regex(texts, pattern))
        if wide.any():
            turned = texts.to_pylist()
            for k in np.flatnonzero(wide):
                turned[k] = turned[k].translate(turn)
            whole = pa.array(turned, pa.string())
    values = pc.utf8_trim_whitespace(whole)
    padded = mask(pc.not_equal(values, whole))
    absent = pc.is_in(pc.utf8_lower(values), value_set=_tokens(tuple(missing)))
    present = ~mask(absent)
    if not present.all():
        values = pc.if_else(absent, pa.scalar(None, pa.string()), values)
    return Cleaned(values, wide & present, padded & present)


def mask(values: pa.Array) -> Mask:
    """Return an Arrow array of truth values as a numpy array; null counts as false."""
    if values.null_count:
        values = pc.fill_null(values, False)
    return np.asarray(values.to_numpy(zero_copy_only=False), bool)


def safe_cell(value: str) -> str:
    """Return a text that no spreadsheet program takes for a formula (CWE-1236).

    Parameters
    ----------
    value : str

    Examples
    --------
    >>> safe_cell("=1+1"), safe_cell("-5"), safe_cell("a=b")
    ("'=1+1", '-5', 'a=b')
    """
    if not value.lstrip(" ").startswith(
        ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
    ):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value


def _codes(indices: pa.Array) -> NDArray[np.intp]:
    if indices.null_count:
        indices = pc.fill_null(indices, -1)
    return np.asarray(indices.to_numpy(zero_copy_only=False), np.intp)


@lru_cache(maxsize=16)
def _tokens(missing: tuple[str, ...]) -> pa.Array:
    return pa.array(sorted({m.strip().lower() for m in missing} | {""}), pa.string())
