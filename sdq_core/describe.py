"""Step 2: turn each item into its description, once, and keep it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sdq_core.description import Description, Item
from sdq_core.engines import Crashed, make_engine
from sdq_core.errors import UnreadableItem, UsageError
from sdq_core.finding import Finding
from sdq_core.modality import BatchDescriber
from sdq_core.shards import breach, decode_shard, encode_shard
from sdq_core.store import DescriptionStore, describer_key, item_key, open_store
from sdq_core.vocabulary import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sdq_core.modality import Describer

__all__ = ["DescribeReport", "describe"]


@dataclass(frozen=True)
class DescribeReport:
    """What `describe` did.

    Parameters
    ----------
    descriptions : tuple of Description
        One for each item, in the same order. Items of equal content share one.
    described : int
        Contents that this run gave to the describer.
    reused : int
        Contents whose description the store already held.
    discarded : tuple of str
        A message for each damaged shard; its items were described again.
    failed : int
        Those among `described` on which the describer failed. They are tried again in the next
        run: the cause may have passed.
    """

    descriptions: tuple[Description, ...]
    described: int
    reused: int
    discarded: tuple[str, ...] = ()
    failed: int = 0


def describe(
    items: Sequence[Item],
    describer: Describer,
    store: Path | None,
    *,
    engine: str = "processes",
    workers: int | None = None,
    shard_size: int = 64,
    progress: Callable[[int, int], None] | None = None,
) -> DescribeReport:
    """Describe items, reusing what the store holds.

    The store is keyed by content: SHA-256 of the item's digest, the describer's name, version and
    settings, and the store's format version. Descriptions are stored shard by shard as they are
    done, so a run that was killed goes on where it was. The result does not depend on the engine,
    on the number of workers, on the size of shards, or on what was in the store.

    Parameters
    ----------
    items : sequence of Item
        Items of equal digest are described once. An item without a digest (its file could not be
        read to hash it) is described in every run.
    describer : Describer
        Where it raises an error, breaks its contract, or ends its process, the item gets an
        unreadable description with a finding, and the run goes on.
    store : Path or None
        Folder of the store; None writes nothing.
    engine : {"processes", "serial"}
    workers : int, optional
        Worker processes, at least 1; by default one for each CPU that this process may use.
    shard_size : int
        Greatest number of items in a shard, at least 1; shards are smaller when there are few
        items, so that every worker has work.
    progress : callable, optional
        Called with the number of contents done and their total, at the start and after each shard.

    Returns
    -------
    DescribeReport

    Raises
    ------
    StoreError
        The store cannot be written or read; what was stored stays usable.
    PluginError
        The describer has no usable name or settings, or cannot travel to worker processes.
    UsageError
        An argument cannot be used, or worker processes cannot start.

    Examples
    --------
    >>> class Length:
    ...     name, version, settings = "length", "1", {}
    ...     def __call__(self, item):
    ...         return Description(scalars={"length": float(len(item.id))})
    >>> items = [Item("a", (), digest="0" * 64), Item("b", (), digest="0" * 64)]
    >>> report = describe(items, Length(), None, engine="serial")
    >>> report.described, [d.scalars for d in report.descriptions]
    (1, [{'length': 1.0}, {'length': 1.0}])
    """
    if shard_size < 1:
        raise UsageError(f"shard_size must be at least 1, got {shard_size}")
    chosen = make_engine(engine, workers)
    storage = None if store is None else open_store(store, describer)
    tasks = _tasks(items, describer_key(describer))
    contents: dict[str, _Task] = {}
    for task in tasks:
        contents.setdefault(task.key, task)
    places, discarded = ({}, ()) if storage is None else storage.find(contents.keys())
    pending = [task for key, task in contents.items() if key not in places]
    reused = done = len(places)
    failed = 0
    loose: dict[str, Description] = {}
    if progress is not None:
        progress(done, len(contents))
    if pending and storage is not None:
        storage.prepare(describer)
    function = _DescribeShard(describer, storage)
    with closing(chosen.map(function, _cut(pending, chosen.workers, shard_size))) as outcomes:
        for outcome in outcomes:
            if isinstance(outcome, Crashed):
                crash = _failure(describer, "crashed", "ended the process that ran it")
                loose[outcome.element.key] = crash
                failed, done = failed + 1, done + 1
            else:
                places |= dict.fromkeys(outcome.stored, outcome.shard)
                # Decoded even if not stored: reused and fresh descriptions are the same thing.
                loose |= decode_shard(outcome.loose)
                failed, done = failed + outcome.failed, done + outcome.total
            if progress is not None:
                progress(done, len(contents))
    if storage is not None:
        loose |= storage.get(places)
    return DescribeReport(
        tuple(loose[task.key] for task in tasks), len(pending), reused, discarded, failed
    )


class _Task(NamedTuple):
    """One content to describe."""

    key: str
    item: Item
    keep: bool
    """Whether its description may be stored."""


class _Outcome(NamedTuple):
    """What became of one shard: small where it was stored, so that memory stays bounded."""

    shard: str
    stored: tuple[str, ...]
    """Keys of the descriptions in the shard of that name."""
    loose: bytes
    """Encoded descriptions that are not in the store."""
    failed: int
    total: int


@dataclass(frozen=True)
class _DescribeShard:
    """The function that travels to the workers."""

    describer: Describer
    storage: DescriptionStore | None

    def __call__(self, tasks: Sequence[_Task]) -> _Outcome:
        keep: dict[str, Description] = {}
        loose: dict[str, Description] = {}
        failed = 0
        for task, (description, sound) in zip(
            tasks, _describe_all(self.describer, [t.item for t in tasks]), strict=True
        ):
            failed += not sound
            kept = sound and task.keep and self.storage is not None
            (keep if kept else loose)[task.key] = description
        name = ""
        if keep and self.storage is not None:
            name = self.storage.put(list(keep), list(keep.values()))
        data = encode_shard(list(loose), list(loose.values()))
        return _Outcome(name, tuple(keep), data, failed, len(tasks))


def _tasks(items: Sequence[Item], describer: str) -> list[_Task]:
    """Return one task for each item; items of equal content have equal keys."""
    return [
        _Task(item_key(describer, item.digest), item, keep=True)
        if item.digest
        else _Task(f"item {number}", item, keep=False)
        for number, item in enumerate(items)
    ]


def _cut(tasks: Sequence[_Task], workers: int, largest: int) -> list[Sequence[_Task]]:
    """Cut tasks into shards: about four for each worker, so that none waits long at the end."""
    size = min(largest, max(1, -(-len(tasks) // (4 * workers))))
    return [tasks[start : start + size] for start in range(0, len(tasks), size)]


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
        return _failure(describer, "failed", f"raised {type(error).__name__}"), False
    problem = breach(description)
    if problem is not None:
        return _failure(describer, "failed", f"broke its contract: {problem}"), False
    return description, True


def _failure(describer: Describer, rule: str, what: str) -> Description:
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
