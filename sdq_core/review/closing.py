"""Closing a review: the key revealed and checked against its seal; where a study stands."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sdq_core.errors import ReviewError
from sdq_core.hashing import canonical_json
from sdq_core.review.chain import Entry, broken_at
from sdq_core.review.key import Key, read_key
from sdq_core.review.plan import ReviewPlan
from sdq_core.review.store import Store

__all__ = ["Status", "checked", "close_review", "revealed", "status"]


@dataclass(frozen=True)
class Status:
    """Where a review stands.

    Parameters
    ----------
    plan : ReviewPlan
    seal : str
    done : dict of str to tuple of int
        Reader -> readings made and asked for.
    refused : dict of str to int
        Code -> how often.
    entries : int
        Of the log.
    closed : bool
    """

    plan: ReviewPlan
    seal: str
    done: dict[str, tuple[int, int]]
    refused: dict[str, int]
    entries: int
    closed: bool


def checked(store: Store) -> list[Entry]:
    """Return the log after checking it, and the answers against it.

    Raises
    ------
    ReviewError
        An entry was changed, removed or put in; an answer is not as the log has it.
    """
    entries = store.entries()
    broken = broken_at(entries)
    if broken is not None or not entries:
        raise ReviewError(
            f"log: entry {broken or 1} does not fit the chain of hashes: it was changed, or one "
            f"before it removed; restore the database from a backup"
        )
    content = store.content()
    if content["seal"] != entries[0].content["seal"] or (
        ReviewPlan.model_validate(content["plan"]).digest != entries[0].content["plan"]
    ):
        raise ReviewError(
            "study: seal or plan are not those of the log's first entry; restore the database"
        )
    logged = {e.seq: e for e in entries if e.kind == "answered"}
    answers = store.answers()
    for answer in answers:
        seq = answer["seq"]
        entry = logged.pop(seq, None)
        own = {k: v for k, v in answer.items() if k not in ("reader", "number", "at", "seq")}
        if entry is None or (entry.reader, entry.number, entry.at) != (
            answer["reader"], answer["number"], answer["at"],
        ) or canonical_json(_without_clock(entry.content)) != canonical_json(own):  # fmt: skip
            raise ReviewError(
                f"answers: that of log entry {seq} is not as the log has it; restore the database"
            )
    if logged:
        raise ReviewError(
            f"answers: that of log entry {min(logged)} is missing; restore the database"
        )
    return entries


def _without_clock(content: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in content.items() if k != "clock"}


def close_review(store: Store, key_path: Path) -> Key:
    """End the reading and reveal the key.

    Parameters
    ----------
    store : Store
    key_path : Path

    Raises
    ------
    ReviewError
        The log is not whole, the key is not the sealed one, or the study is closed already.
    """
    entries = checked(store)
    if any(e.kind == "closed" for e in entries):
        raise ReviewError("study: is closed already; go on with 'sdq review analyse'")
    key = read_key(key_path)
    seal = entries[0].content["seal"]
    if key.seal != seal:
        with store.writing() as writer:
            writer.log("refused", content={"code": "wrong_key", "found": key.seal})
        raise ReviewError(
            f"{key_path}: does not match the seal {seal[:16]}… of the opening: it is the key of "
            f"another study, or was changed"
        )
    with store.writing() as writer:
        writer.log("closed", content={"seal": key.seal, "key": key.to_json()})
    return key


def revealed(entries: list[Entry]) -> Key:
    """Return the key that closing has revealed.

    Raises
    ------
    ReviewError
        The study is not closed.
    """
    closing = next((e for e in entries if e.kind == "closed"), None)
    if closing is None:
        raise ReviewError(
            "study: is not closed, the answers are sealed; close it first with 'sdq review close'"
        )
    key = Key.model_validate(closing.content["key"])
    if key.seal != entries[0].content["seal"]:
        raise ReviewError("key: does not match the seal of the opening; restore the database")
    return key


def status(store: Store) -> Status:
    """Return where a review stands; says nothing of what the answers are."""
    entries = checked(store)
    content = store.content()
    done = Counter(e.reader for e in entries if e.kind == "answered" and not e.content["revision"])
    orders = store.slots()
    return Status(
        ReviewPlan.model_validate(content["plan"]),
        content["seal"],
        {reader: (done[reader], len(order)) for reader, order in orders.items()},
        dict(sorted(Counter(e.content["code"] for e in entries if e.kind == "refused").items())),
        len(entries),
        any(e.kind == "closed" for e in entries),
    )
