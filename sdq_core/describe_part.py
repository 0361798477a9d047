"""One share of a study's contents described, for batch schedulers: no machine knows of another."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sdq_core.describe import carry_out, plan
from sdq_core.engines import make_engine
from sdq_core.evaluate import list_cohort
from sdq_core.modality import load_modality
from sdq_core.sharding import Mark, contents_id, leave_mark
from sdq_core.store import open_store
from sdq_core.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sdq_core.sharding import Part
    from sdq_core.study import Study

__all__ = ["PartReport", "describe_part"]

_FAILURES = (".describer_failed", ".describer_crashed")


@dataclass(frozen=True)
class PartReport:
    """What `describe_part` did.

    Parameters
    ----------
    contents : int
        Contents of the share.
    total : int
        Contents of the study.
    described, reused, failed : int
        As in `sdq_core.describe.DescribeReport`.
    without : int
        Items of the study whose file could not be read to hash it: no share has them, `evaluate`
        looks at them.
    discarded, notes : tuple of str
        As in `sdq_core.describe.DescribeReport`.
    """

    contents: int
    total: int
    described: int
    reused: int
    failed: int
    without: int
    discarded: tuple[str, ...]
    notes: tuple[str, ...]


def describe_part(
    study: Study,
    part: Part,
    store: Path,
    *,
    engine: str = "processes",
    workers: int | None = None,
    shard_size: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> PartReport:
    """Describe one share of a study's contents and keep the descriptions.

    The share of a content follows from its digest, so that machines that see the same cohorts
    agree without talking. Contents on which the describer fails are noted apart, for the
    evaluation that describes nothing. At the end a mark in the store says that the share is done.

    Parameters
    ----------
    study : Study
    part : Part
    store : Path
        Folder of the store, shared by all machines.
    engine, workers, shard_size
        As in `sdq_core.describe.describe`.
    progress : callable, optional
        Called with ``"describe"``, the contents done and those of the share.

    Raises
    ------
    SdqError
        As in `sdq_core.describe.describe` and `sdq_core.evaluate.list_cohort`.
    """
    modality = load_modality(study.modality)
    study = modality.prepared(study)
    began = time.time()
    listings = [list_cohort(modality, study, role) for role in Role if role in study.cohorts]
    items = [item for listing in listings for item in listing.items]
    hashes = {path: digest for listing in listings for path, digest in listing.hashes.items()}
    describer = modality.describer(study)
    digests = {item.digest for item in items if item.digest}
    own = {item.digest: item for item in items if item.digest and part.holds(item.digest)}
    storage = open_store(store, describer)
    tasks = plan(list(own.values()), describer, hashes=hashes, since=began)
    places, discarded = storage.find({task.key for task in tasks})
    pending = [task for task in tasks if task.key not in places]
    told = None
    if progress is not None:
        tell = progress
        tell("describe", len(places), len(tasks))
        told = lambda done: tell("describe", len(places) + done, len(tasks))  # noqa: E731
    done = carry_out(pending, describer, storage, make_engine(engine, workers), shard_size, told)
    failures = {
        key: description
        for key, description in done.loose.items()
        if description.findings[0].rule.endswith(_FAILURES)
    }
    if failures:
        storage.put_failures(list(failures), list(failures.values()))
    leave_mark(storage, Mark(part, contents_id(digests), len(tasks)))
    return PartReport(
        len(tasks),
        len(digests),
        len(pending),
        len(places),
        done.failed,
        sum(not item.digest for item in items),
        discarded,
        done.notes,
    )
