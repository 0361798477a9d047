"""The descriptions of real items, kept in pytest's cache folder from run to run.

Real cohorts stay, generated ones change with each run. So the store of a run starts with what is
known of real items, and only shards that hold such go back into the cache: it does not grow with
the number of runs. ``pytest --cache-clear`` empties it.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from sdq_core.errors import StoreError
from sdq_core.files import atomic_write
from sdq_core.manifest import ITEMS, read_items
from sdq_core.shards import shard_keys
from sdq_core.store import item_key
from sdq_core.vocabulary import Role

__all__ = ["RealSide"]

_CARD = "describer.json"


@dataclass(frozen=True)
class RealSide:
    """The cache of one product repository.

    Parameters
    ----------
    folder : Path or None
        None where pytest runs without its cache: nothing is kept then.
    """

    folder: Path | None

    @classmethod
    def of(cls, config: pytest.Config) -> RealSide:
        """Return the cache of a run."""
        cache = config.pluginmanager.has_plugin("cacheprovider") and getattr(config, "cache", None)
        return cls(cache.mkdir("sdq") if cache else None)

    def lend(self, store: Path) -> None:
        """Put what is known into a store; by links, where the disk allows them."""
        if self.folder is None:
            return
        for source in sorted(self.folder.glob("*/*.arrow")):
            target = store / source.parent.name / source.name
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                continue
            try:
                os.link(source, target)
            except OSError:
                shutil.copyfile(source, target)

    def keep(self, out: Path) -> None:
        """Take over the shards of a result's store in which there is a real item.

        Parameters
        ----------
        out : Path
            Folder of a result, with its list of items and its store.
        """
        if self.folder is None:
            return
        rows = read_items((out / ITEMS).read_bytes())
        real = [digest for role, _, digest in rows if role != Role.SYNTHETIC and digest]
        for source in sorted(p for p in (out / "store").glob("*") if (p / _CARD).exists()):
            kept = self.folder / source.name
            for damaged in source.glob("*.damaged"):
                (kept / damaged.with_suffix(".arrow").name).unlink(missing_ok=True)
            card = (source / _CARD).read_bytes()
            describer = sha256(card).hexdigest()
            wanted = {item_key(describer, digest) for digest in real}
            for shard in sorted(source.glob("*.arrow")):
                data = b"" if (kept / shard.name).exists() else shard.read_bytes()
                if data and _holds(data, wanted):
                    atomic_write(kept / shard.name, data)
                    atomic_write(kept / _CARD, card)


def _holds(shard: bytes, wanted: set[str]) -> bool:
    try:
        return not wanted.isdisjoint(shard_keys(shard))
    except StoreError:  # damaged on the disk since: the next run describes its items again
        return False
