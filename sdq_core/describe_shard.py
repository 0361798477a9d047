"""The describe step's part that runs in worker processes: one shard of contents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from sdq_core.changes import Seen, has_changed
from sdq_core.description import Description, Item
from sdq_core.errors import InputError, PluginError, UnreadableItem
from sdq_core.finding import Finding
from sdq_core.modality import BatchDescriber, load_modality
from sdq_core.shards import breach, encode_shard
from sdq_core.store import DescriptionStore, describer_key, shard_name
from sdq_core.vocabulary import Severity

if TYPE_CHECKING:
    from pathlib import Path

    from sdq_core.modality import Describer

__all__ = ["DescribeShard", "Home", "Outcome", "Task", "failure"]


class Task(NamedTuple):
    """One content to describe."""

    key: str
    item: Item
    keep: bool
    """Whether its description may be stored."""
    files: tuple[Seen, ...] = ()
    """Its files as they were listed."""


class Outcome(NamedTuple):
    """What became of one shard: small where it was stored, so that memory stays bounded."""

    shard: str
    stored: tuple[str, ...]
    """Keys of the descriptions in the shard of that name."""
    sound: bytes
    """The shard itself, where the worker does not see the store; the caller has to store it."""
    loose: bytes
    """Encoded descriptions that are not to be stored."""
    failed: int
    total: int


class Home(NamedTuple):
    """What the machine that a run starts on knows, and others must be like."""

    describer: str
    """See `describer_key`."""
    version: str
    """Of the describer."""
    modality: bool
    """Whether a modality of the describer's name is installed."""
    token: str
    """Name of a file in the store's folder; empty where all workers are on this machine."""
    samples: tuple[tuple[Path, int], ...]
    """A few files of the cohorts, and their sizes in bytes."""


@dataclass(frozen=True)
class DescribeShard:
    """The function that travels to the workers.

    Parameters
    ----------
    describer : Describer
    storage : DescriptionStore or None
    home : Home
    """

    describer: Describer
    storage: DescriptionStore | None
    home: Home

    def prepare(self) -> None:
        """Make sure that another machine describes as this one does.

        Raises
        ------
        PluginError
            Its modality has another version or cannot work.
        InputError
            It does not see the cohorts' files.
        """
        name = self.describer.name
        if self.describer.version != self.home.version:
            raise PluginError(
                f"describer {name} has version {self.describer.version}, the run is of version "
                f"{self.home.version}; install the same version on all machines"
            )
        if describer_key(self.describer) != self.home.describer:
            raise PluginError(
                f"describer {name} {self.home.version} has other settings than where the run was "
                "started; install the same software on all machines"
            )
        if self.home.modality:
            load_modality(name)
        for path, size in self.home.samples:
            try:
                with path.open("rb") as file:
                    file.read(1)
                found = path.stat().st_size
            except OSError as error:
                raise InputError(
                    f"{path}: {error.strerror or type(error).__name__}; put the cohorts (and the "
                    "cache of those in archives and object stores) where all machines have them "
                    "under one path"
                ) from error
            if found != size:
                raise InputError(
                    f"{path}: has {found} bytes here and {size} where the run was started; the "
                    "path must name the same file on all machines"
                )
        _ = self._shares_store

    def __call__(self, tasks: Sequence[Task]) -> Outcome:
        """Describe the contents of one shard and store what is sound."""
        own = [task.key for task in tasks if task.keep]
        if len(own) == len(tasks) and self._shares_store and self.storage is not None:
            # A worker may be lost after it stored the shard and before that was known.
            name = shard_name(own)
            if self.storage.holds(name, own):
                return Outcome(name, tuple(own), b"", encode_shard([], []), 0, len(tasks))
        keep: dict[str, Description] = {}
        loose: dict[str, Description] = {}
        failed = 0
        described = _describe_all(self.describer, [t.item for t in tasks])
        # After describing: what changes from now on is not in the descriptions. Once for a file
        # of this shard, since one may hold all items.
        changed = lru_cache(maxsize=None)(has_changed)
        for task, (description, sound) in zip(tasks, described, strict=True):
            if any(changed(f, thoroughly=not description.readable) for f in task.files):
                description, sound = _changed(self.describer), False
            failed += not sound
            kept = sound and task.keep and self.storage is not None
            (keep if kept else loose)[task.key] = description
        name, data = "", b""
        if keep and self.storage is not None:
            name, data = shard_name(list(keep)), encode_shard(list(keep), list(keep.values()))
            if self._shares_store:
                self.storage.write(name, data)
                data = b""
        rest = encode_shard(list(loose), list(loose.values()))
        return Outcome(name, tuple(keep), data, rest, failed, len(tasks))

    @cached_property
    def _shares_store(self) -> bool:
        """Whether the store is the same folder here as where the run was started."""
        if self.storage is None or not self.home.token:
            return True
        return (self.storage.folder / self.home.token).is_file()


def _describe_all(describer: Describer, items: Sequence[Item]) -> list[tuple[Description, bool]]:
    """Describe the items of a shard, together where the describer can; see `_describe_one`."""
    if isinstance(describer, BatchDescriber) and len(items) > 1:
        try:
            together = list(describer.describe_many(items))
        except Exception:  # one of the items: alone, the others are described all the same
            together = []
        if len(together) == len(items) and not any(breach(d) for d in together):
            return [(description, True) for description in together]
    return [_describe_one(describer, item) for item in items]


def _describe_one(describer: Describer, item: Item) -> tuple[Description, bool]:
    """Return the description of one item, and whether it is sound; only a sound one may be kept."""
    try:
        description = describer(item)
    except UnreadableItem as error:
        finding = Finding(error.rule, Severity.ERROR, str(error))
        return Description(readable=False, findings=(finding,)), True
    except Exception as error:  # a plugin may fail in any way; the other items shall go on
        # The type only: the message may quote the item's content.
        return failure(describer, "failed", f"raised {type(error).__name__}"), False
    problem = breach(description)
    if problem is not None:
        return failure(describer, "failed", f"broke its contract: {problem}"), False
    return description, True


def _changed(describer: Describer) -> Description:
    finding = Finding(
        f"{describer.name}.structure.changed_during_run",
        Severity.ERROR,
        "a file of this item changed between listing and describing; the item was left out; leave "
        "the cohort alone while it is evaluated, and run again",
        "该样本的文件在列出之后、描述完成之前被改动,该样本未被描述;评价期间请勿改动数据,并重新运行",
    )
    return Description(readable=False, findings=(finding,))


def failure(describer: Describer, rule: str, what: str) -> Description:
    """Return the description of an item that could not be described.

    Parameters
    ----------
    describer : Describer
    rule : {"failed", "crashed"}
    what : str
        What the describer did, never a value.
    """
    finding = Finding(
        f"{describer.name}.structure.describer_{rule}",
        Severity.ERROR,
        f"describer {describer.name} {describer.version} {what} at this item, which was left out; "
        "check the item, run it alone with the engine 'serial', and report the fault",
        f"特征描述程序 {describer.name} {describer.version} 处理该样本时失败({what}),"
        "该样本未被描述;"
        "请检查该样本,用 'serial' 引擎单独运行,并报告此故障",
    )
    return Description(readable=False, findings=(finding,))
