"""Step 2: turn each item into its description, once, and keep it."""

from __future__ import annotations

import secrets
import time
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from sdq_core.changes import see
from sdq_core.describe_shard import DescribeShard, Home, Task, failure
from sdq_core.description import Description, Item
from sdq_core.engines import Crashed, make_engine
from sdq_core.engines.processes import ProcessEngine
from sdq_core.errors import PluginError, StoreError, UsageError
from sdq_core.files import TEMPORARY, atomic_write
from sdq_core.gathering import gather
from sdq_core.modality import SharingDescriber, discover
from sdq_core.sharding import other_describers, what_is_missing
from sdq_core.shards import decode_shard
from sdq_core.store import DescriptionStore, describer_key, item_key, open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sdq_core.engines import Engine
    from sdq_core.modality import Describer

__all__ = ["DescribeReport", "Done", "carry_out", "describe", "plan"]

TOGETHER: Final = 64
"""Items of a shard, where neither the caller nor the describer says otherwise."""
_SAMPLES: Final = 8
"""Files of the cohorts that other machines look for before the work."""


@dataclass(frozen=True)
class DescribeReport:
    """What `describe` did.

    Parameters
    ----------
    descriptions : sequence of Description
        One for each item, in the same order; kept as columns, an element is made when it is asked
        for. Items of equal content share one.
    described : int
        Contents that this run gave to the describer.
    reused : int
        Contents whose description the store already held.
    discarded : tuple of str
        A message for each damaged shard; its items were described again.
    failed : int
        Those among `described` on which the describer failed, or whose files changed. They are
        tried again in the next run: the cause may have passed.
    notes : tuple of str
        What a person should know of the run: other versions in the store, a store that workers do
        not see.
    """

    descriptions: Sequence[Description]
    described: int
    reused: int
    discarded: tuple[str, ...] = ()
    failed: int = 0
    notes: tuple[str, ...] = ()


def describe(
    items: Sequence[Item],
    describer: Describer,
    store: Path | None,
    *,
    engine: str = "processes",
    workers: int | None = None,
    shard_size: int | None = None,
    keep: bool = True,
    missing: bool = True,
    hashes: Mapping[Path, str] | None = None,
    since: float | None = None,
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
    engine, workers
        As in `sdq_core.engines.make_engine`.
    shard_size : int, optional
        Greatest number of items in a shard, at least 1; by default what the describer takes well
        at a time (`BatchDescriber.together`), else 64. Shards are smaller when there are few
        items, so that every worker has work.
    keep : bool
        Whether new descriptions are stored; without, those of the store are used all the same.
    missing : bool
        Whether contents that the store does not hold are described; without, they are an error.
        Contents on which `sdq_core.describe_part` has failed count as described, unreadable.
    hashes : mapping of Path to str, optional
        SHA-256 of files that were read to list the items. A file that changed since is a finding
        of its item; where no hash is known, only a change during this call is noticed.
    since : float, optional
        When listing began, in seconds since 1970; by default now.
    progress : callable, optional
        Called with the number of contents done and their total, at the start and after each shard.

    Returns
    -------
    DescribeReport

    Raises
    ------
    StoreError
        The store cannot be written or read; what was stored stays usable. Or it lacks
        descriptions, and `missing` is false: the message names the shards.
    InputError
        Workers on other machines do not see the items' files.
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
    if shard_size is not None and shard_size < 1:
        raise UsageError(f"shard_size must be at least 1, got {shard_size}")
    if store is None and not missing:
        raise UsageError("without a store nothing is described yet; name the store")
    chosen = make_engine(engine, workers)
    storage = None if store is None else open_store(store, describer)
    tasks = plan(items, describer, keep=keep, hashes=hashes, since=since)
    contents: dict[str, Task] = {}
    for task in tasks:
        contents.setdefault(task.key, task)
    places, discarded = ({}, ()) if storage is None else storage.find(contents.keys())
    pending = [task for key, task in contents.items() if key not in places]
    loose: dict[str, Description] = {}
    if storage is not None and not missing:
        pending, loose = _what_is_there(storage, describer, pending, contents)
    reused = len(places)
    told = None
    if progress is not None:
        before, total, tell = len(contents) - len(pending), len(contents), progress
        tell(before, total)
        told = lambda done: tell(before + done, total)  # noqa: E731
    done = carry_out(pending, describer, storage, chosen, shard_size, told)
    loose |= done.loose
    folder = None if storage is None else storage.folder
    return DescribeReport(
        gather([task.key for task in tasks], loose, places | done.places, folder),
        len(pending),
        reused,
        discarded,
        done.failed,
        done.notes,
    )


def plan(
    items: Sequence[Item],
    describer: Describer,
    *,
    keep: bool = True,
    hashes: Mapping[Path, str] | None = None,
    since: float | None = None,
) -> list[Task]:
    """Return one task for each item; items of equal content have equal keys.

    Parameters
    ----------
    items : sequence of Item
    describer : Describer
    keep, hashes, since
        As in `describe`.
    """
    key = describer_key(describer)
    began = time.time() if since is None else since
    seen = see((path for item in items for path in item.paths), hashes or {}, began)
    return [
        Task(
            item_key(key, item.digest) if item.digest else f"item {number}",
            item,
            keep and bool(item.digest),
            tuple(seen[path] for path in item.paths),
        )
        for number, item in enumerate(items)
    ]


class Done(NamedTuple):
    """What became of some contents."""

    places: dict[str, str]
    """Key -> name of the shard that holds the description."""
    loose: dict[str, Description]
    """Descriptions that are not in the store."""
    failed: int
    notes: tuple[str, ...]


def carry_out(
    pending: Sequence[Task],
    describer: Describer,
    storage: DescriptionStore | None,
    engine: Engine,
    shard_size: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Done:
    """Describe contents, shard by shard, and store what may be stored.

    Parameters
    ----------
    pending : sequence of Task
        No two of one key.
    describer : Describer
    storage : DescriptionStore or None
    engine : Engine
    shard_size : int, optional
        Greatest number of contents in a shard; see `describe`.
    progress : callable, optional
        Called with the number of contents done, after each shard.

    Raises
    ------
    SdqError
        As in `describe`.
    """
    places: dict[str, str] = {}
    loose: dict[str, Description] = {}
    failed = done = travelled = 0
    if not pending:
        return Done(places, loose, 0, ())
    notes: list[str] = []
    keeping = storage if any(task.keep for task in pending) else None
    if keeping is not None:
        keeping.prepare(describer)
        notes += other_describers(keeping, describer)
    with (
        _token(keeping if engine.elsewhere else None) as token,
        _for_workers(describer, pending, engine) as sent,
    ):
        function = DescribeShard(sent, keeping, _home(describer, pending, engine, token))
        largest = _together(describer) if shard_size is None else shard_size
        with closing(engine.map(function, _cut(pending, engine.workers, largest))) as outcomes:
            for outcome in outcomes:
                if isinstance(outcome, Crashed):
                    crash = failure(describer, "crashed", "ended the process that ran it")
                    loose[outcome.element.key] = crash
                    failed, done = failed + 1, done + 1
                else:
                    if outcome.sound and keeping is not None:
                        keeping.write(outcome.shard, outcome.sound)
                        travelled += 1
                    places |= dict.fromkeys(outcome.stored, outcome.shard)
                    # Decoded even if not stored: reused and fresh descriptions are the same thing.
                    loose |= decode_shard(outcome.loose)
                    failed, done = failed + outcome.failed, done + outcome.total
                if progress is not None:
                    progress(done)
    if travelled and keeping is not None:
        notes.append(
            f"the store {keeping.folder.parent} is not seen by all workers: {travelled} shards of "
            "descriptions came back through the scheduler and were stored here; a folder that all "
            "machines share is faster"
        )
    return Done(places, loose, failed, tuple(notes))


def _what_is_there(
    storage: DescriptionStore,
    describer: Describer,
    pending: Sequence[Task],
    contents: Mapping[str, Task],
) -> tuple[list[Task], dict[str, Description]]:
    """Split what the store does not hold into what cannot be in it, and what has failed.

    Returns
    -------
    without : list of Task
        Contents without a digest: they are never stored, and have to be looked at here.
    failures : dict of str to Description

    Raises
    ------
    StoreError
        Something else is missing.
    """
    wanted = {task.key for task in pending if task.item.digest}
    failures = storage.failures(wanted)
    absent = wanted - failures.keys()
    if absent:
        everything = {task.item.digest for task in contents.values() if task.item.digest}
        lacking = {contents[key].item.digest for key in absent}
        raise StoreError(what_is_missing(storage, describer, lacking, everything))
    return [task for task in pending if not task.item.digest], failures


def _together(describer: Describer) -> int:
    """Return how many items a describer takes well at a time."""
    found = getattr(describer, "together", TOGETHER)
    if not isinstance(found, int) or found < 1:
        raise PluginError(
            f"describer {describer.name}: together must be a whole number of items, at least 1, "
            f"found {found!r}"
        )
    return found


@contextmanager
def _for_workers(
    describer: Describer, pending: Sequence[Task], engine: Engine
) -> Iterator[Describer]:
    """Give the describer as the engine's workers get it."""
    with ExitStack() as stack:
        sent = describer
        if isinstance(engine, ProcessEngine) and isinstance(describer, SharingDescriber):
            # A plugin may fail in any way; the workers do without, and tell what is wrong.
            with suppress(Exception):
                sent = stack.enter_context(describer.shared([task.item for task in pending]))
        yield sent


def _home(describer: Describer, pending: Sequence[Task], engine: Engine, token: str) -> Home:
    samples: list[tuple[Path, int]] = []
    modality = False
    if engine.elsewhere:
        step = max(1, len(pending) // _SAMPLES)
        for path in dict.fromkeys(p for task in pending[::step] for p in task.item.paths[:1]):
            with suppress(OSError):  # what cannot be read here need not be read there
                if path.is_file():
                    samples.append((path, path.stat().st_size))
        modality = describer.name in discover().available
    return Home(describer_key(describer), describer.version, modality, token, tuple(samples))


@contextmanager
def _token(storage: DescriptionStore | None) -> Iterator[str]:
    """Put a file into the store by which others know that they see the same folder."""
    if storage is None:
        yield ""
        return
    name = TEMPORARY.replace("*", secrets.token_hex(8))
    atomic_write(storage.folder / name, b"")
    try:
        yield name
    finally:
        with suppress(OSError):
            (storage.folder / name).unlink()


def _cut(tasks: Sequence[Task], workers: int, largest: int) -> list[Sequence[Task]]:
    """Cut tasks into shards: about four for each worker, so that none waits long at the end."""
    size = min(largest, max(1, -(-len(tasks) // (4 * workers))))
    return [tasks[start : start + size] for start in range(0, len(tasks), size)]
