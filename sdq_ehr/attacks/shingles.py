"""Free texts as sets of word shingles: which runs of words two records have in common.

A text becomes words (signs of Chinese and Japanese each by itself), and every run of a few words
becomes one number. Case, width, punctuation and blanks do not count. All of it is arithmetic on
whole arrays, so that a million words cost about a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

__all__ = ["WIDTH", "Notes", "plain", "shingled"]

WIDTH: Final = 5
"""Words of a shingle: shorter runs are common phrases, longer ones break at every changed word."""
BLOCK: Final = 4_000_000
"""Characters that are cut into words at once."""
_WORD: Final = np.uint64(0x9E3779B97F4A7C15)
_RUN: Final = np.uint64(0xC2B2AE3D27D4EB4F)
_MIX: Final = np.uint64(0xBF58476D1CE4E5B9)
"""Odd multipliers: golden ratio (Knuth), xxHash, splitmix64."""

Hashes = NDArray[np.uint64]
Index = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Notes:
    """Texts as words.

    Parameters
    ----------
    owner : ndarray of int, shape (n,)
        Patient of each text.
    words : ndarray of uint64, shape (w,)
        A number for each word, text by text.
    counts : ndarray of int, shape (n,)
        Words of each text.

    Examples
    --------
    >>> notes = Notes.of(pa.array(["Chest pain, since Monday.", "胸痛三天"]), np.array([0, 1]))
    >>> notes.counts.tolist()
    [4, 4]
    """

    owner: Index
    words: Hashes
    counts: Index

    @classmethod
    def of(cls, texts: pa.Array, owner: Index) -> Notes:
        """Cut texts into words.

        Parameters
        ----------
        texts : pyarrow array of strings without nulls
        owner : ndarray of int
        """
        parts = list(_words(plain(texts)))
        if not parts:
            return cls(owner, np.empty(0, np.uint64), np.zeros(len(owner), np.intp))
        words, counts = zip(*parts, strict=True)
        return cls(owner, np.concatenate(words), np.concatenate(counts))

    def __len__(self) -> int:
        return len(self.owner)

    def take(self, notes: Index, owner: Index) -> Notes:
        """Return some texts, of other owners."""
        starts = np.cumsum(self.counts) - self.counts
        counts = self.counts[notes]
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return Notes(owner, self.words[np.repeat(starts[notes], counts) + within], counts)

    def and_also(self, other: Notes) -> Notes:
        """Return these texts and others."""
        return Notes(
            np.concatenate([self.owner, other.owner]),
            np.concatenate([self.words, other.words]),
            np.concatenate([self.counts, other.counts]),
        )

    def disguised(self, rng: np.random.Generator, share: float) -> Notes:
        """Return the same texts with a share of the words exchanged for others of them."""
        moved = rng.random(len(self.words)) < share
        others = self.words[rng.integers(0, max(1, len(self.words)), len(self.words))]
        return Notes(self.owner, np.where(moved, others, self.words), self.counts)


def plain(texts: pa.Array) -> pa.Array:
    r"""Return texts without what does not count: width, capitals, blanks at ends and in rows.

    Examples
    --------
    >>> plain(pa.array(["  Fever\t３９  °C "])).to_pylist()
    ['fever 39 °c']
    """
    low = pc.utf8_lower(pc.utf8_normalize(texts.cast(pa.large_string()), form="NFKC"))
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(low, r"\s+", " "))


def shingled(notes: Notes, width: int = WIDTH) -> tuple[Hashes, Index]:
    """Return the distinct shingles of each text.

    Parameters
    ----------
    notes : Notes
    width : int

    Returns
    -------
    shingles : ndarray of uint64, shape (s,)
    of : ndarray of int, shape (s,)
        Text of each shingle, ascending.

    Examples
    --------
    >>> notes = Notes.of(pa.array(["a b c d e f", "too short"]), np.array([0, 0]))
    >>> shingled(notes)[1].tolist()
    [0, 0]
    """
    n = len(notes.words)
    if n < width:
        return np.empty(0, np.uint64), np.empty(0, np.intp)
    runs = np.zeros(n - width + 1, np.uint64)
    for k in range(width):
        runs = runs * _RUN + notes.words[k : n - width + 1 + k]
    of = np.repeat(np.arange(len(notes), dtype=np.intp), notes.counts)
    whole = of[: n - width + 1] == of[width - 1 :]
    runs, of = _mixed(runs[whole]), of[: n - width + 1][whole]
    order = np.lexsort((runs, of))
    runs, of = runs[order], of[order]
    new = np.r_[True, (runs[1:] != runs[:-1]) | (of[1:] != of[:-1])] if len(runs) else runs > 0
    return runs[new], of[new]


def _words(texts: pa.Array) -> Iterator[tuple[Hashes, Index]]:
    """Yield words and their counts, block by block of texts."""
    lengths = np.asarray(pc.utf8_length(texts).to_numpy(zero_copy_only=False), np.int64)
    block = np.cumsum(lengths) // BLOCK
    bounds = np.unique([0, *(np.flatnonzero(np.diff(block)) + 1), len(lengths)])
    for a, b in pairwise(bounds.tolist()):
        yield _words_of(texts[a:b].to_pylist())


def _words_of(texts: list[str]) -> tuple[Hashes, Index]:
    # A line's end closes each text: no word goes across.
    signs = np.frombuffer("".join(f"{t}\n" for t in texts).encode("utf-32-le"), np.uint32)
    kind = _kinds()[np.minimum(signs, len(_kinds()) - 1)]
    inside = kind > 0
    first = inside & np.r_[True, (kind[1:] == 2) | (kind[:-1] != 1)]
    starts = np.flatnonzero(first)
    place = np.cumsum(first)[inside] - 1
    if not len(starts):
        return np.empty(0, np.uint64), np.zeros(len(texts), np.intp)
    within = np.flatnonzero(inside) - starts[place]
    weights = _powers(int(within.max()) + 1)
    parts = _mixed(signs[inside].astype(np.uint64)) * weights[within]
    words = _mixed(np.add.reduceat(parts, np.flatnonzero(np.r_[True, place[1:] != place[:-1]])))
    ends = np.cumsum([len(t) + 1 for t in texts])
    of = np.searchsorted(ends, starts, side="right")
    return words, np.bincount(of, minlength=len(texts)).astype(np.intp)


def _powers(count: int) -> Hashes:
    found: Hashes = np.multiply.accumulate(np.full(count, _WORD, np.uint64))
    return found


def _mixed(values: Hashes) -> Hashes:
    """Spread values over all bits."""
    values = (values ^ (values >> np.uint64(30))) * _MIX
    found: Hashes = values ^ (values >> np.uint64(31))
    return found


@cache
def _kinds() -> NDArray[np.int8]:
    """Return what each sign is: 0 between words, 1 in a word, 2 a word by itself."""
    kinds = np.zeros(0x32000, np.int8)
    kinds[:0x10000] = [chr(c).isalnum() for c in range(0x10000)]
    for low, high in ((0x3040, 0x3100), (0x3400, 0xA000), (0xF900, 0xFB00), (0x20000, 0x31FFF)):
        kinds[low:high] = 2
    kinds[-1] = 0
    return kinds
