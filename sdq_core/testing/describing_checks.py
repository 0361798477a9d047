"""Checks of reading and describing: the same description for the same content, always."""

from __future__ import annotations

import pickle
import re
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from sdq_core.describe import describe
from sdq_core.description import Item
from sdq_core.modality import BatchDescriber, Describer, Listing
from sdq_core.shards import breach
from sdq_core.study import Study
from sdq_core.testing.conforming import few, require
from sdq_core.testing.trial import Trial, as_text, fingerprint, fingerprints, measured
from sdq_core.vocabulary import Role

__all__ = [
    "check_batches",
    "check_describer_travels",
    "check_descriptions_repeat",
    "check_listing",
    "check_measurements_repeat",
    "check_network_is_not_used",
    "check_place_does_not_matter",
    "check_shards_fold_in_any_order",
    "check_thumbnails",
    "check_workers",
]

_DIGEST: Final = re.compile("[0-9a-f]{64}")
_PNG: Final = b"\x89PNG\r\n\x1a\n"


def check_listing(trial: Trial) -> None:
    """Check that items have unique relative ids and digests, and two listings are equal."""
    listing = _listing(trial, trial.cohort("fresh"))
    ids = [item.id for item in listing.items]
    require(ids, "items() finds nothing in the example's cohort")
    twice = sorted({i for i in ids if ids.count(i) > 1})
    require(not twice, f"items() gives the id {few(twice)} twice")
    for item in listing.items:
        path = PurePosixPath(item.id)
        require(
            not path.is_absolute() and ".." not in path.parts and "\\" not in item.id,
            f"the id {item.id!r} must be relative to the cohort's folder, with POSIX separators",
        )
        require(
            _DIGEST.fullmatch(item.digest),
            f"the digest of {item.id!r} is no SHA-256 in lower-case hexadecimal digits; use "
            "sdq_core.hashing",
        )
    again = _listing(trial, trial.cohort("fresh"))
    require(
        again.items == listing.items and again.findings == listing.findings,
        "two listings of one folder differ; sort what the file system gives",
    )


def check_place_does_not_matter(trial: Trial) -> None:
    """Check that a cohort that is copied elsewhere keeps its ids, digests and descriptions.

    Descriptions are kept by content: one that depended on a path would be taken for another's.
    """
    folder = trial.empty_folder("elsewhere")
    shutil.copytree(trial.cohort("small"), folder / "other name")
    study, here = _small(trial)
    there = _listing(trial, folder / "other name", study).items
    require(
        [(i.id, i.digest) for i in there] == [(i.id, i.digest) for i in here],
        "ids or digests of a cohort that was copied to another folder differ",
    )
    describer = trial.modality.describer(study)
    _same(_known(trial), _alone(describer, there), "of a cohort that was copied to another folder")


def check_describer_travels(trial: Trial) -> None:
    """Check that the describer can be pickled, and describes the same where it is unpickled."""
    study, items = _small(trial)
    describer = trial.modality.describer(study)
    try:
        twin = pickle.loads(pickle.dumps(describer))  # noqa: S301 - our own bytes
    except Exception as error:  # pickling calls the plugin's code
        require(
            False,
            f"the describer cannot be pickled ({type(error).__name__}); define its class at the "
            "top of a module, with plain attributes",
        )
        return
    facts = [(d.name, d.version, dict(d.settings)) for d in (describer, twin)]
    require(facts[0] == facts[1], "a pickled describer has another name, version or settings")
    _same(_known(trial), _alone(twin, items), "by the pickled describer")


def check_descriptions_repeat(trial: Trial) -> None:
    """Check that the same items give the same bits: again, and under another hash seed."""
    study, items = _small(trial)
    describer = trial.modality.describer(study)
    again = [describer(item) for item in items]
    for item, description in zip(items, again, strict=True):
        problem = breach(description)
        require(problem is None, f"the description of {item.id} breaks its contract: {problem}")
    _same(_known(trial), fingerprints(items, again), "the second time")
    for name, there in zip(("fresh", "small"), trial.probe.descriptions, strict=True):
        _same(
            trial.run(name).prints,
            there,
            "in another process, from the last item to the first; look for sets, hash() and "
            "unseeded random numbers",
        )


def check_batches(trial: Trial) -> None:
    """Check that a description does not depend on the items beside it, nor on their order."""
    study, items = _small(trial)
    describer = trial.modality.describer(study)
    alone = _known(trial)
    _same(alone, _alone(describer, items[::-1]), "one by one, in another order")
    if not isinstance(describer, BatchDescriber):
        return
    for order, what in (
        (items, "of items described together"),
        (items[::-1], "of items described together in another order"),
        (items[: len(items) // 2], "of a smaller batch"),
    ):
        together = describer.describe_many(order)
        require(
            len(together) == len(order),
            f"describe_many() gives {len(together)} descriptions of {len(order)} items",
        )
        some = {i.id: alone[i.id] for i in order}
        _same(some, fingerprints(order, together), what)
    require(not list(describer.describe_many([])), "describe_many([]) must give nothing")


def check_workers(trial: Trial) -> None:
    """Check that two worker processes describe as one does."""
    study, items = _small(trial)
    describer = trial.modality.describer(study)
    report = describe(items[:4], describer, None, engine="processes", workers=2, shard_size=1)
    here = {i.id: _known(trial)[i.id] for i in items[:4]}
    _same(here, fingerprints(items[:4], report.descriptions), "by two worker processes")


def check_shards_fold_in_any_order(trial: Trial) -> None:
    """Check that shards of any size and order make the same table.

    And so the same measurements: a run that was killed goes on with what it has.
    """
    run = trial.run("small")
    study, items = run.cohorts.study, run.cohorts.synthetic.table.items
    describer = trial.modality.describer(study)
    for number, (parts, size) in enumerate(
        (((items[::2], items[1::2]), 3), ((items[::-1],), 2), ((items[5:], items), 64))
    ):
        store = trial.empty_folder(f"fold-{number}")
        for part in parts:
            describe(part, describer, store, engine="serial", shard_size=size)
        folded = describe(items, describer, store, engine="serial")
        require(folded.described == 0, "a description that was stored was made again")
        found = fingerprints(items, folded.descriptions)
        _same(_known(trial), found, "out of shards in another order")
    again, _ = measured(trial.modality, run.cohorts)
    require(
        [as_text(m) for m in again] == [as_text(m) for m in run.measurements],
        "the same table gives other measurements the second time; seed what is random by "
        "cohorts.seed(id)",
    )


def check_measurements_repeat(trial: Trial) -> None:
    """Check that a process with another hash seed measures the same, to the last bit.

    All measures of the small cohorts, and those of the fresh sample that see the corruption.
    """
    for name, there in zip(("fresh", "small"), trial.probe.measurements, strict=True):
        here = {as_text(m) for m in trial.run(name).measurements}
        other = [text[:120] for text in there if text not in here]
        require(
            there and not other,
            f"a fresh process measures {few(other, 1) or 'nothing'} otherwise; seed what is random "
            "by cohorts.seed(id), and give sets an order",
        )


def check_network_is_not_used(trial: Trial) -> None:
    """Check that reading, describing, drawing and measuring reach for no other machine.

    Seen are the calls of Python's own sockets; a library of another language hides its calls.
    """
    calls = trial.probe.calls
    require(not calls, f"the plugin uses the network ({few(calls)}); it must work without")


def check_thumbnails(trial: Trial) -> None:
    """Check that a thumbnail is a PNG or None, also of an item that cannot be read."""
    study, items = _small(trial)
    broken = trial.damaged("broken", trial.example.break_item)
    for item in (*items, *_listing(trial, broken, study).items):
        picture = trial.modality.thumbnail(item, study.settings)
        require(
            picture is None or (isinstance(picture, bytes) and picture.startswith(_PNG)),
            f"thumbnail() of {item.id!r} gives neither the bytes of a PNG nor None",
        )


def _small(trial: Trial) -> tuple[Study, tuple[Item, ...]]:
    cohorts = trial.run("small").cohorts
    return cohorts.study, cohorts.synthetic.table.items


def _known(trial: Trial) -> dict[str, str]:
    """Return the fingerprints of the small synthetic cohort as it was evaluated."""
    prints = trial.run("small").prints
    start = f"{Role.SYNTHETIC} "
    return {k.removeprefix(start): v for k, v in prints.items() if k.startswith(start)}


def _listing(trial: Trial, folder: Path, study: Study | None = None) -> Listing:
    settings = trial.example.settings if study is None else study.settings
    return trial.modality.items(folder, settings)


def _alone(describer: Describer, items: tuple[Item, ...]) -> dict[str, str]:
    return {item.id: fingerprint(describer(item)) for item in items}


def _same(expected: Mapping[str, str], found: Mapping[str, str], what: str) -> None:
    __tracebackhide__ = True
    other = [i for i in expected if expected[i] != found.get(i)]
    require(
        not other and len(expected) == len(found),
        f"the description of {few(other, 3) or 'some items'} is another {what}; it must be a pure "
        "function of the item's content, to the last bit",
    )
