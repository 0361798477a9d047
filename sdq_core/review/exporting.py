"""Answers and log as files: CSV, the input of iMRMC, JSON lines."""

from __future__ import annotations

import csv
import io
from typing import Any

from sdq_core.errors import ReviewError
from sdq_core.hashing import canonical_json
from sdq_core.review.closing import checked, revealed
from sdq_core.review.key import Key
from sdq_core.review.plan import ReviewPlan
from sdq_core.review.store import Store

__all__ = ["to_csv", "to_imrmc", "to_jsonl"]


def to_jsonl(store: Store) -> bytes:
    """Return the log, one entry a line, as `sdq_core.review.chain` hashed it."""
    entries = checked(store)
    return b"".join(canonical_json(e.to_json()) + b"\n" for e in entries)


def to_csv(store: Store) -> bytes:
    """Return every answer, revisions among them, one a row.

    Truth and item are empty before the study is closed. A comment that a spreadsheet would take
    for a formula has an apostrophe in front.
    """
    entries = checked(store)
    key = revealed(entries) if any(e.kind == "closed" for e in entries) else None
    orders = store.slots()
    rows: list[dict[str, Any]] = []
    for answer in store.answers():
        slot = orders[answer["reader"]][answer["number"] - 1]
        rows.append(
            {
                "reader": answer["reader"], "number": answer["number"],
                "revision": answer["revision"], "session": slot.session, "case": slot.case,
                "purpose": slot.purpose, "flipped": int(slot.flipped), "at": answer["at"],
                "seconds": answer["seconds"], **answer["answers"],
                "comment": _safe(answer["comment"]), "truth": _truth(key, slot.case, "role"),
                "item": _safe(_truth(key, slot.case, "item")),
            }
        )  # fmt: skip
    columns = list(dict.fromkeys(name for row in rows for name in row)) or ["reader"]
    last = ("comment", "truth", "item")
    columns = [c for c in columns if c not in last] + [c for c in last if c in columns]
    sink = io.StringIO()
    writer = csv.DictWriter(sink, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return sink.getvalue().encode()


def to_imrmc(store: Store) -> bytes:
    """Return the confidences as input of iMRMC: reader, case, modality, score.

    Raises
    ------
    ReviewError
        The study is open, or asks for no confidence.
    """
    entries = checked(store)
    key = revealed(entries)
    content = store.content()
    plan = ReviewPlan.model_validate(content["plan"])
    if plan.type != "real_or_synthetic":
        raise ReviewError(
            f"study: is of type {plan.type}; only real_or_synthetic gives scores for iMRMC, use "
            f"--format csv"
        )
    training = set(content["training"])
    cases = {c: sides["a"].synthetic for c, sides in key.cases.items() if c not in training}
    orders = store.slots()
    latest: dict[tuple[str, str], int] = {}
    for answer in store.answers():
        slot = orders[answer["reader"]][answer["number"] - 1]
        if slot.purpose == "reading":
            latest[answer["reader"], slot.case] = answer["answers"]["confidence"]
    readers = sorted({reader for reader, _ in latest})
    positive = sum(cases.values())
    lines = [
        f"Blinded review: is it synthetic? Seal {content['seal']}",
        f"N0: {len(cases) - positive}", f"N1: {positive}", f"NR: {len(readers)}", "NM: 1",
        "BEGIN DATA:",
        *(f"-1,{case},0,{int(truth)}" for case, truth in sorted(cases.items())),
        *(f"{r},{case},synthetic,{score}" for (r, case), score in sorted(latest.items())),
    ]  # fmt: skip
    return ("\n".join(lines) + "\n").encode()


def _truth(key: Key | None, case: str, what: str) -> str:
    if key is None:
        return ""
    return "|".join(str(getattr(truth, what)) for _, truth in sorted(key.cases[case].items()))


def _safe(text: str) -> str:
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
