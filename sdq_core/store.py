"""The store: descriptions that are kept between runs, in shards, found by the item's content.

Layout, ``<root>/<describer's name>-<16 hexadecimal digits>/``::

    describer.json          name, version and settings, for the reader
    <hash of keys>.arrow    a shard: see `sdq_core.shards`
    <hash of keys>.damaged  a shard whose digest did not match, set aside
    <hash of keys>.failed   what the describer failed on in a share, see `sdq_core.describe_part`
    part-<i>-of-<n>-*.json  a finished share, see `sdq_core.sharding`

There is no index file: nothing can disagree with the shards. Files appear whole and are never
changed, so any number of runs may use one store at the same time.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sdq_core.errors import PluginError, StoreError
from sdq_core.files import TEMPORARY, atomic_write
from sdq_core.hashing import canonical_json
from sdq_core.shards import FORMAT, decode_shard, encode_shard, shard_keys

if TYPE_CHECKING:
    from sdq_core.description import Description
    from sdq_core.modality import Describer

__all__ = ["DescriptionStore", "describer_key", "item_key", "open_store", "shard_name"]

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")
_STALE_SECONDS: Final = 3600.0
"""A temporary file of this age is no longer being written: that takes well under a second."""


def describer_key(describer: Describer) -> str:
    """Return the key of a describer: what it would describe otherwise has another key.

    Parameters
    ----------
    describer : Describer

    Returns
    -------
    str
        SHA-256 (hex) of name, version, settings and the store's format version.

    Raises
    ------
    PluginError
        The name cannot name a folder and a rule, or the settings are not JSON-ready.
    """
    if not _NAME.fullmatch(describer.name):
        raise PluginError(
            f"describer {describer.name!r}: a name consists of a-z, 0-9, _ and -, because it names "
            "a folder and begins the ids of findings; rename it"
        )
    return hashlib.sha256(_card(describer)).hexdigest()


def item_key(describer: str, digest: str) -> str:
    """Return the key of one description.

    Parameters
    ----------
    describer : str
        See `describer_key`.
    digest : str
        SHA-256 (hex) of the item's content.

    Returns
    -------
    str
        SHA-256 (hex) of both.

    Examples
    --------
    >>> item_key("a", "b") == item_key("a", "b") != item_key("b", "a")
    True
    """
    return hashlib.sha256(f"{describer}/{digest}".encode()).hexdigest()


def shard_name(keys: Sequence[str]) -> str:
    """Return the name of a shard: SHA-256 of its keys, shortened. Equal keys, equal file.

    Parameters
    ----------
    keys : sequence of str
    """
    return hashlib.sha256("\n".join(keys).encode()).hexdigest()[:32] + ".arrow"


def open_store(root: Path, describer: Describer) -> DescriptionStore:
    """Return the part of a store that belongs to one describer; writes nothing.

    Parameters
    ----------
    root : Path
        The store's folder; need not exist.
    describer : Describer

    Returns
    -------
    DescriptionStore

    Raises
    ------
    PluginError
        See `describer_key`.
    """
    # Absolute, because worker processes need not share the working directory.
    return DescriptionStore(root.absolute() / f"{describer.name}-{describer_key(describer)[:16]}")


@dataclass(frozen=True)
class DescriptionStore:
    """The descriptions of one describer on disk. Picklable: workers write their shards themselves.

    Parameters
    ----------
    folder : Path
    """

    folder: Path

    def find(self, keys: Collection[str]) -> tuple[dict[str, str], tuple[str, ...]]:
        """Look for descriptions, check every shard, and set damaged ones aside.

        One shard is in memory at a time, and of it only the keys are kept.

        Parameters
        ----------
        keys : collection of str
            What is wanted.

        Returns
        -------
        places : dict of str to str
            Key -> name of the shard that holds it.
        discarded : tuple of str
            A message for each damaged shard.
        """
        places: dict[str, str] = {}
        discarded = []
        for path in sorted(self.folder.glob("*.arrow")):
            try:
                found = shard_keys(path.read_bytes())
            except FileNotFoundError:
                continue  # another run has just set it aside
            except (OSError, StoreError) as error:
                cause = error.strerror if isinstance(error, OSError) else str(error)
                discarded.append(self._set_aside(path, f"{cause}"))
                continue
            places |= {key: path.name for key in found if key in keys}
        return places, tuple(discarded)

    def prepare(self, describer: Describer) -> None:
        """Make the folder, say in it what it holds, and remove what killed runs left half-written.

        Parameters
        ----------
        describer : Describer

        Raises
        ------
        StoreError
            The folder cannot be written to.
        """
        atomic_write(self.folder / "describer.json", _card(describer))
        for path in self.folder.glob(TEMPORARY):
            try:
                if time.time() - path.stat().st_mtime > _STALE_SECONDS:
                    path.unlink()
            except FileNotFoundError:
                continue  # another run was faster

    def put(self, keys: Sequence[str], descriptions: Sequence[Description]) -> str:
        """Store descriptions as one shard; when this returns, they are safely on the disk.

        Parameters
        ----------
        keys : sequence of str
            At least one.
        descriptions : sequence of Description
            One for each key.

        Returns
        -------
        str
            Name of the shard, see `shard_name`.

        Raises
        ------
        StoreError
            The shard cannot be written; what was stored before stays usable.
        """
        name = shard_name(keys)
        self.write(name, encode_shard(keys, descriptions))
        return name

    def write(self, name: str, data: bytes) -> None:
        """Store a shard that is encoded already; when this returns, it is safely on the disk.

        Parameters
        ----------
        name : str
            See `shard_name`.
        data : bytes
            See `sdq_core.shards.encode_shard`.

        Raises
        ------
        StoreError
            As in `put`.
        """
        atomic_write(self.folder / name, data)

    def holds(self, name: str, keys: Sequence[str]) -> bool:
        """Return whether a shard of that name is there, sound, and has these keys."""
        try:
            return shard_keys((self.folder / name).read_bytes()) == list(keys)
        except (OSError, StoreError):
            return False

    def put_failures(self, keys: Sequence[str], descriptions: Sequence[Description]) -> None:
        """Store what a describer's failures left, apart: only a run that describes nothing asks.

        Raises
        ------
        StoreError
            As in `put`.
        """
        name = shard_name(keys).replace(".arrow", ".failed")
        self.write(name, encode_shard(keys, descriptions))

    def failures(self, keys: Collection[str]) -> dict[str, Description]:
        """Return stored failures; a damaged file of them counts as not there."""
        found: dict[str, Description] = {}
        for path in sorted(self.folder.glob("*.failed")):
            with suppress(OSError, StoreError):
                found |= decode_shard(path.read_bytes(), keys)
        return found

    def get(self, places: Mapping[str, str]) -> dict[str, Description]:
        """Return descriptions.

        Parameters
        ----------
        places : mapping of str to str
            Key -> name of the shard; see `find` and `put`.

        Returns
        -------
        dict of str to Description

        Raises
        ------
        StoreError
            A shard has gone or changed since it was found.
        """
        wanted: dict[str, set[str]] = {}
        for key, name in places.items():
            wanted.setdefault(name, set()).add(key)
        descriptions: dict[str, Description] = {}
        for name, keys in wanted.items():
            try:
                descriptions |= decode_shard((self.folder / name).read_bytes(), keys)
            except (OSError, StoreError) as error:
                raise StoreError(
                    f"{self.folder / name}: the shard changed while it was in use "
                    f"({type(error).__name__}); check the disk and run again, what is sound is kept"
                ) from error
        missing = len(places) - len(descriptions)
        if missing:
            raise StoreError(
                f"{self.folder}: {missing} descriptions went missing while the store was in use; "
                "run again: what is sound is kept"
            )
        return descriptions

    def _set_aside(self, path: Path, cause: str) -> str:
        """Move a damaged shard out of the way and return the message about it."""
        aside = path.with_suffix(".damaged")
        try:
            path.replace(aside)
            done = f"set aside as {aside.name}"
        except OSError as error:
            done = f"could not be set aside ({error.strerror})"
        # Relative: messages enter the result, which does not depend on where the store lies.
        return f"{self.folder.name}/{path.name}: {cause}; {done}, its items are described again"


def _card(describer: Describer) -> bytes:
    card = {
        "format": FORMAT,
        "name": describer.name,
        "settings": describer.settings,
        "version": describer.version,
    }
    try:
        return canonical_json(card)
    except (TypeError, ValueError) as error:
        raise PluginError(
            f"describer {describer.name!r}: its settings must be JSON-ready: {error}"
        ) from error
