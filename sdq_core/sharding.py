"""Shards of a study's contents for batch schedulers: who describes what, and what is missing."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from sdq_core.errors import UsageError
from sdq_core.files import atomic_write
from sdq_core.hashing import canonical_json
from sdq_core.store import DescriptionStore, item_key

if TYPE_CHECKING:
    from sdq_core.modality import Describer

__all__ = ["Mark", "Part", "contents_id", "marks", "other_describers", "what_is_missing"]

_MOST_SAID: Final = 20
_MARK: Final = re.compile(r"part-(\d{1,9})-of-(\d{1,9})-([0-9a-f]{16})\.json")


@dataclass(frozen=True)
class Part:
    """One of so many equal shares of the contents of a study.

    Parameters
    ----------
    number : int
        From 1.
    of : int

    Raises
    ------
    UsageError
        There is no such share.

    Examples
    --------
    >>> part = Part.parse("2/8")
    >>> part.number, part.of, str(part)
    (2, 8, '2/8')
    >>> sum(Part(n, 8).holds("ab12") for n in range(1, 9))
    1
    """

    number: int
    of: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of:
            raise UsageError(
                f"shard {self.number}/{self.of}: shards are counted from 1/{max(self.of, 1)} to "
                f"{max(self.of, 1)}/{max(self.of, 1)}"
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``"i/n"``.

        Raises
        ------
        UsageError
            It has another form.
        """
        found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text.strip())
        if found is None:
            raise UsageError(f"shard {text!r}: write i/n, the i-th of n shards, e.g. 3/8")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def holds(self, digest: str) -> bool:
        """Return whether a content belongs to this share.

        By its digest alone: the same on every machine, whatever else is in the cohorts.
        """
        return _number(digest, self.of) == self.number


class Mark(NamedTuple):
    """What a finished share leaves in the store beside the descriptions."""

    part: Part
    contents: str
    """Which contents the study had; see `contents_id`."""
    size: int
    """Contents of the share."""


def contents_id(digests: Iterable[str]) -> str:
    """Return what tells two sets of contents apart: 16 hexadecimal digits."""
    return hashlib.sha256("\n".join(sorted(digests)).encode()).hexdigest()[:16]


def leave_mark(storage: DescriptionStore, mark: Mark) -> None:
    """Say in the store that a share is finished.

    Raises
    ------
    StoreError
        The store cannot be written to.
    """
    name = f"part-{mark.part.number}-of-{mark.part.of}-{mark.contents}.json"
    atomic_write(storage.folder / name, canonical_json({"contents": mark.size}) + b"\n")


def marks(folder: Path) -> list[Mark]:
    """Return the marks of finished shares in the folder of one describer."""
    found = []
    for path in sorted(folder.glob("part-*.json")):
        named = _MARK.fullmatch(path.name)
        try:
            count = json.loads(path.read_bytes())["contents"]
            if named is not None and isinstance(count, int):
                found.append(Mark(Part(int(named[1]), int(named[2])), named[3], count))
        except (OSError, ValueError, TypeError, KeyError, UsageError):
            continue  # no mark of ours: the share counts as not finished
    return found


def other_describers(storage: DescriptionStore, describer: Describer) -> list[str]:
    """Say which shares in the store were described by another version, or with other settings.

    Returns
    -------
    list of str
        A sentence for each other describer that has finished shares; it does not count here.
    """
    notes = []
    for folder, card in _others(storage, describer):
        finished = marks(folder)
        if finished:
            count = sum(mark.size for mark in finished)
            notes.append(
                f"{len(finished)} finished shards ({count} contents) in the store were described "
                f"with {_difference(card, describer)}; they do not count in this run"
            )
    return notes


def what_is_missing(
    storage: DescriptionStore, describer: Describer, missing: Collection[str], all_: Collection[str]
) -> str:
    """Say which shares lack how many contents, and why.

    Parameters
    ----------
    storage : DescriptionStore
    describer : Describer
    missing : collection of str
        Digests of the contents without a description, at least one.
    all_ : collection of str
        Digests of all contents of the study.

    Returns
    -------
    str
        A message for an error.
    """
    root = storage.folder.parent
    said = [f"store {root}: {len(missing)} of {len(all_)} contents are not described"]
    finished = marks(storage.folder)
    here = contents_id(all_)
    totals = Counter(mark.part.of for mark in finished if mark.contents == here) or Counter(
        mark.part.of for mark in finished
    )
    remedy = f"`sdq describe STUDY --store {root}`"
    if totals:
        # Of several ways to cut, the one of which most is there.
        of = max(totals, key=lambda n: (totals[n], n))
        said += _by_share(of, missing, all_, [m for m in finished if m.part.of == of], here)
        remedy = f"`sdq describe STUDY --shard i/{of} --store {root}` for these shards"
    for folder, card in _others(storage, describer):
        key = hashlib.sha256((folder / "describer.json").read_bytes()).hexdigest()
        places, _ = DescriptionStore(folder).find({item_key(key, digest) for digest in missing})
        if places:
            said.append(
                f"{len(places)} of them are there, but described with "
                f"{_difference(card, describer)}"
            )
    said.append(f"run {remedy}, or evaluate without --no-describe")
    return "; ".join(said)


def _by_share(
    of: int, missing: Collection[str], all_: Collection[str], finished: list[Mark], here: str
) -> list[str]:
    lacking = Counter(_number(digest, of) for digest in missing)
    sizes = Counter(_number(digest, of) for digest in all_)
    same = {m.part.number for m in finished if m.contents == here}
    other = {m.part.number for m in finished} - same
    said = []
    for number, count in sorted(lacking.items())[:_MOST_SAID]:
        state = "was not finished"
        if number in same:
            state = "was finished, and has lost them"
        elif number in other:
            state = "was finished for other contents of the cohorts"
        said.append(f"shard {number}/{of} lacks {count} of {sizes[number]} and {state}")
    if len(lacking) > _MOST_SAID:
        said.append(f"and {len(lacking) - _MOST_SAID} further shards")
    return said


def _number(digest: str, of: int) -> int:
    # Hashed again: a digest need not be spread evenly, and is no number by contract.
    return int(hashlib.sha256(digest.encode()).hexdigest()[:15], 16) % of + 1


def _others(
    storage: DescriptionStore, describer: Describer
) -> Iterable[tuple[Path, Mapping[str, Any]]]:
    for folder in sorted(storage.folder.parent.glob(f"{describer.name}-*")):
        if folder == storage.folder:
            continue
        try:
            card = json.loads((folder / "describer.json").read_bytes())
        except (OSError, ValueError):
            continue
        if isinstance(card, dict) and card.get("name") == describer.name:
            yield folder, card


def _difference(card: Mapping[str, Any], describer: Describer) -> str:
    """Name what another describer does otherwise."""
    version = card.get("version")
    if version != describer.version:
        return (
            f"version {str(version)[:40]!r} of describer {describer.name} "
            f"(here {describer.version!r})"
        )
    there, own = card.get("settings"), json.loads(canonical_json(dict(describer.settings)))
    if isinstance(there, dict) and there != own:
        names = sorted(k for k in {*there, *own} if there.get(k) != own.get(k))
        return f"other settings ({', '.join(str(n)[:40] for n in names)})"
    return "another format of the store"
