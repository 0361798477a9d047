"""The plan for paired synthesis: images that stand for a real one of the same patient."""

from __future__ import annotations

from functools import partial
from typing import Final

from sdq_imaging.planting import content
from sdq_imaging.planting.cohort_file import Entry, Rows, written_ids
from sdq_imaging.planting.content_plans import editable, originals
from sdq_imaging.planting.drafting import Plan, Planting, changed, damage

__all__ = ["PLANS"]


def _noised(p: Planting) -> None:
    """Translate training items, with noise, and say of each what it stands for.

    One in twenty has lost a plane or a line: it cannot be laid over its counterpart.
    """
    chosen = originals(p, len(p.entries))
    made = []
    for k, original in enumerate(chosen):
        entry = Entry(original, dict(original.row))
        entry.edits.append(
            changed(partial(content.with_noise, deviation=p.severity, width=p.width, rng=p.spawn()))
        )
        if k % 20 == 19:
            entry.damages.append(damage(lambda old: old[: len(old) // 3]))
        made.append(entry)
    p.draft.entries[:] = made
    # The path in the real cohort that will be written: below a folder named like its role.
    ids = written_ids(p.train, p.roles)
    names = [ids[p.train.index(m)] for m in chosen]

    def edit(rows: Rows) -> Rows:
        return [{**row, "pair": name} for row, name in zip(rows, names, strict=True)]

    p.draft.label_edits.append(edit)


PLANS: Final[dict[str, Plan]] = {
    "pairs-noised": Plan(
        _noised,
        editable,
        ("pixels that can be changed and written back", "可修改并写回的像素"),
        whole=True,
    ),
}
