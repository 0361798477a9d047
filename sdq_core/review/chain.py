"""The chain of hashes through the log: no entry can be changed, left out or put in between."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sdq_core.hashing import canonical_json

__all__ = ["GENESIS", "Entry", "broken_at", "entry_hash"]

GENESIS: Final = "0" * 64
"""What the first entry names as the hash before it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the log.

    Parameters
    ----------
    seq : int
        From 1, without gaps.
    at : str
        Time in UTC (ISO 8601), never before that of the entry before.
    kind : str
        What happened: ``"opened"``, ``"shown"``, ``"answered"``, ``"refused"`` ...
    reader : str
        Empty for what no reader did.
    number : int
        Place in the reader's order; 0 for none.
    content : mapping
        JSON-ready.
    previous, hash : str
        SHA-256 of the entry before, and of this one.
    """

    seq: int
    at: str
    kind: str
    reader: str
    number: int
    content: dict[str, Any]
    previous: str
    hash: str

    def to_json(self) -> dict[str, Any]:
        """Return the entry as plain data."""
        return {name: getattr(self, name) for name in self.__slots__}


def entry_hash(
    seq: int, at: str, kind: str, reader: str, number: int, content: dict[str, Any], previous: str
) -> str:
    """Return the SHA-256 of an entry: of everything in it and of the hash before it.

    Examples
    --------
    >>> entry_hash(1, "2026-01-01T00:00:00+00:00", "opened", "", 0, {}, GENESIS)[:8]
    '398515fe'
    """
    whole = {
        "seq": seq, "at": at, "kind": kind, "reader": reader, "number": number,
        "content": content, "previous": previous,
    }  # fmt: skip
    return hashlib.sha256(canonical_json(whole)).hexdigest()


def broken_at(entries: Iterable[Entry]) -> int | None:
    """Return the number of the first entry that does not fit, or None for a whole chain.

    Parameters
    ----------
    entries : iterable of Entry
        In order, from the first.

    Examples
    --------
    >>> first = Entry(1, "t", "opened", "", 0, {}, GENESIS,
    ...               entry_hash(1, "t", "opened", "", 0, {}, GENESIS))
    >>> broken_at([first]), broken_at([Entry(1, "t", "closed", "", 0, {}, GENESIS, first.hash)])
    (None, 1)
    """
    previous = GENESIS
    for place, entry in enumerate(entries, 1):
        expected = entry_hash(
            entry.seq, entry.at, entry.kind, entry.reader, entry.number, entry.content, previous
        )
        if entry.seq != place or entry.previous != previous or entry.hash != expected:
            return place
        previous = entry.hash
    return None
