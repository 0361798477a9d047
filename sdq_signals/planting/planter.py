"""Writes real recordings as cohorts, as they are or with a planted defect."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from sdq_core.calibration.defect import Defect, Member, Planter
from sdq_core.errors import UnreadableItem, UsageError
from sdq_core.reasons import Why, why
from sdq_core.study import CohortSource, Study
from sdq_signals.formats import side_car, table
from sdq_signals.planting import (
    labels,
    write_array,
    write_dicom,
    write_edf,
    write_table,
    write_wfdb,
)
from sdq_signals.planting.catalogue import catalogue
from sdq_signals.planting.draft import GENERATOR, Draft, opened, window_of
from sdq_signals.planting.fitting import Facts, facts_of, unfit
from sdq_signals.planting.plans import Slot, Task
from sdq_signals.planting.planted import Planted
from sdq_signals.settings import SignalsSettings

__all__ = ["SignalsPlanter"]

LOOKED_AT: Final = 5
"""Recordings of which is asked whether a defect fits them, evenly taken."""
LABELS: Final = "labels.csv"
LINEAGE: Final = "lineage.csv"
_WRITERS: Final = {
    "wfdb": write_wfdb.write, "edf": write_edf.write, "bdf": write_edf.write,
    "dicom": write_dicom.write, "table": write_table.write,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Written:
    """What became of a slot."""

    item: str
    slot: Slot
    draft: Draft


class SignalsPlanter(Planter):
    """The hand that plants defects in recordings.

    Parameters
    ----------
    study : Study
        Settings decide what is a recording and what kind it is.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self.settings = SignalsSettings.of(study.settings)
        self._planted = {p.defect.id: p for p in catalogue(self.settings.mains_hz)}
        self._facts: dict[tuple[Path, str], Facts | None] = {}

    @property
    def defects(self) -> Sequence[Defect]:
        """The catalogue, in the order of the characteristics."""
        return tuple(p.defect for p in self._planted.values())

    def unavailable(self, defect: Defect, members: Sequence[Member]) -> Why | None:
        """Return why a defect cannot be planted in these recordings, None when it can.

        Asked of a few recordings, evenly taken, that can be read.
        """
        planted = self._of(defect)
        lacking = self._labels_lack(defect, members)
        if lacking is not None:
            return lacking
        step = max(1, len(members) // LOOKED_AT)
        facts = [f for m in members[::step] if (f := self._facts_of(m)) is not None]
        if not facts:
            return why("too_few", needed=1, what="readable item", found=0)
        found = unfit(planted.needs, facts)
        if found is None and planted.families:
            # Arrays have no header that could be broken in every way.
            poor = [f for f in facts if not planted.alternatives(f.format, f.channels)]
            if poor:
                return why(
                    "not_applicable",
                    why="files of this format have no such fields",
                    why_zh="该格式的文件没有此类字段",
                )
        return found

    def write(self, members: Sequence[Member], folder: Path, *, synthetic: bool) -> CohortSource:
        """Write recordings as a cohort; see `Planter.write`.

        Real ones are linked or copied file by file; of stacks the part that is asked for is
        written, windows as recordings of their own.
        """
        if synthetic:
            return self._synthetic(None, 0.0, self._slots(members), folder, None)
        folder.mkdir(parents=True)
        rows = list(self._real(members, folder))
        return CohortSource(path=folder, labels=labels.write_table(folder / LABELS, rows))

    def plant(
        self,
        defect: Defect,
        severity: float,
        fresh: Sequence[Member],
        train: Sequence[Member],
        rng: np.random.Generator,
        folder: Path,
    ) -> CohortSource:
        """Write the fresh recordings as a synthetic cohort that carries a defect."""
        planted = self._of(defect)
        slots = self._slots(fresh)
        columns = list(dict.fromkeys(k for s in slots for k in s.row))
        task = Task(
            severity, slots, self._slots(train, columns), rng, self.study.subgroup or "",
            lambda slot: opened(slot.member, 1, self.settings, slot.row),
        )  # fmt: skip
        return self._synthetic(planted, severity, planted.plan(task), folder, rng)

    def _of(self, defect: Defect) -> Planted:
        found = self._planted.get(defect.id)
        if found is None:
            raise UsageError(
                f"defect {defect.id}: not in the catalogue of signals; choose from "
                f"{', '.join(self._planted)}"
            )
        return found

    def _labels_lack(self, defect: Defect, members: Sequence[Member]) -> Why | None:
        """Return why the labels of these recordings leave nothing to plant, None when they do not.

        The caller asks whether the study has classes and a subgroup; these recordings may have
        one of them only.
        """
        asked = [
            ("classes", "class", "the recordings have no two classes", "这些记录不足两个类别"),
            ("subgroup", self.study.subgroup or "", "the recordings have no two subgroups",
             "这些记录不足两个亚组"),
        ]  # fmt: skip
        for need, column, reason, reason_zh in asked:
            values = {m.row.get(column, "") for m in members} - {""}
            if need in defect.needs and len(values) < 2:
                return why("not_applicable", why=reason, why_zh=reason_zh)
        return None

    def _facts_of(self, member: Member) -> Facts | None:
        key = (member.item.paths[0], member.item.part)
        if key not in self._facts:
            try:
                self._facts[key] = facts_of(opened(member, 1, self.settings, {}, header_only=True))
            except UnreadableItem:
                self._facts[key] = None
        return self._facts[key]

    def _slots(self, members: Sequence[Member], columns: Sequence[str] | None = None) -> list[Slot]:
        """Return the recordings with the columns of their rows that a synthetic cohort keeps."""
        always = [self.study.subgroup] if self.study.subgroup else []
        kept = columns
        if kept is None:
            kept = labels.kept_columns([m.row for m in members], always)
        return [Slot(m, {k: m.row.get(k, "") for k in kept}) for m in members]

    def _synthetic(
        self,
        planted: Planted | None,
        severity: float,
        slots: Sequence[Slot],
        folder: Path,
        rng: np.random.Generator | None,
    ) -> CohortSource:
        folder.mkdir(parents=True)
        seed = 0 if rng is None else int(rng.integers(2**32))
        written = list(self._written(slots, severity, seed, folder))
        subjects = self._subjects([w.slot.member for w in written])
        rows = []
        for one, subject in zip(written, subjects, strict=True):
            item: str | None = one.item
            if planted is not None and planted.families and one.slot.broken >= 0:
                item = self._broken(planted, one, folder)
            row = {**subject, **one.slot.row}
            if item is not None:
                rows.append({"item": item, **row})
        lineage = None
        if planted is not None and planted.lineage:
            lineage = _lineage(written, folder / LINEAGE)
        told = labels.write_table(folder / LABELS, rows)
        return CohortSource(path=folder, labels=told, lineage=lineage)

    def _written(
        self, slots: Sequence[Slot], severity: float, seed: int, folder: Path
    ) -> Iterator[_Written]:
        """Write the recordings one by one; those of arrays together, in the end."""
        arrays: list[tuple[Slot, Draft]] = []
        for number, slot in enumerate(slots, start=1):
            draft = opened(slot.member, number, self.settings, slot.row)
            if slot.change is not None:
                with warnings.catch_warnings():
                    # A channel without samples has no extremes, and keeps having none.
                    warnings.simplefilter("ignore", RuntimeWarning)
                    rng = np.random.default_rng([seed, number])
                    draft = slot.change(draft, severity, rng)
            if draft.recording.format == "array":
                arrays.append((slot, replace(draft, apart=slot.broken + 1)))
                continue
            place = folder / draft.folder
            place.mkdir(exist_ok=True)
            path = _WRITERS[draft.recording.format](draft, place)
            yield _Written(path.relative_to(folder).as_posix(), slot, draft)
        slot_of = {draft.number: slot for slot, draft in arrays}
        for item, draft in write_array.write([d for _, d in arrays], folder):
            yield _Written(item, slot_of[draft.number], draft)

    def _broken(self, planted: Planted, one: _Written, folder: Path) -> str | None:
        """Break the file of one recording; return its id now, None where it is lost."""
        path = folder / one.item.partition("#")[0]
        choices = planted.alternatives(one.draft.recording.format, len(one.draft.kept))
        if not choices:
            return one.item
        after = choices[one.slot.broken % len(choices)].apply(path)
        if after is None:
            return None
        return one.item if after == path else after.relative_to(folder).as_posix()

    def _subjects(self, members: Sequence[Member]) -> list[dict[str, str]]:
        """Return new subjects, as many as the members have, where they have any."""
        if not any(m.row.get("subject") for m in members):
            return [{} for _ in members]
        new: dict[str, str] = {}
        for member in members:
            new.setdefault(member.subject, f"SYN-{len(new) + 1:05d}")
        return [{"subject": new[m.subject]} for m in members]

    def _real(self, members: Sequence[Member], folder: Path) -> Iterator[dict[str, str]]:
        """Write real recordings as they are; yield their rows of the label table."""
        roots = list(dict.fromkeys(m.source.path for m in members))
        stacks: dict[Path, list[tuple[Member, Draft]]] = {}
        for number, member in enumerate(members, start=1):
            root = member.source.path
            below = folder / f"{roots.index(root):02d}" if len(roots) > 1 else folder
            base = root if root.is_dir() else root.parent
            part, window = window_of(member.item.part)
            whole = not window and not part.isdecimal()
            if whole and (self.settings.sampling_rate is not None or not _needs_a_car(member)):
                for path in _files(member):
                    _linked(path, below / path.relative_to(base))
                item = (below / member.item.id).relative_to(folder).as_posix()
                yield {"item": item, **member.row}
                continue
            draft = replace(
                opened(member, number, self.settings, member.row), declared=False, traced=False
            )
            if draft.recording.format == "array":
                stacks.setdefault(below, []).append((member, draft))
                continue
            below.mkdir(parents=True, exist_ok=True)
            path = _WRITERS[draft.recording.format](draft, below)
            yield {"item": path.relative_to(folder).as_posix(), **member.row}
        for below, pairs in stacks.items():
            below.mkdir(parents=True, exist_ok=True)
            member_of = {draft.number: member for member, draft in pairs}
            prefix = "" if below == folder else f"{below.relative_to(folder).as_posix()}/"
            for item, draft in write_array.write([d for _, d in pairs], below):
                yield {"item": prefix + item, **member_of[draft.number].row}


def _files(member: Member) -> list[Path]:
    """Return all files of a recording, those beside a WFDB header that bear its name included."""
    found = dict.fromkeys(member.item.paths)
    first = member.item.paths[0]
    if first.suffix.lower() == ".hea":
        found |= dict.fromkeys(
            p for p in sorted(first.parent.glob(f"{_escaped(first.stem)}.*")) if p.is_file()
        )
    return list(found)


def _needs_a_car(member: Member) -> bool:
    """Return whether a table states its own rate, and is passed over in a folder without more."""
    first = member.item.paths[0]
    return first.name.lower().endswith(table.SUFFIXES) and not side_car.paths(first)


def _escaped(text: str) -> str:
    from glob import escape

    return escape(text)


def _linked(path: Path, target: Path) -> None:
    """Link a file to another name, or copy it where that is another disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        return
    real = path.resolve()
    try:
        os.link(real, target)
    except OSError:
        shutil.copyfile(real, target)


def _lineage(written: Sequence[_Written], path: Path) -> Path:
    """Write a lineage table in which the rows of the broken recordings are wrong, in turn."""
    rows: list[Mapping[str, str]] = []
    for one in written:
        row = {"item": one.item, "run": one.draft.run, "generator_version": ""}
        turn = one.slot.broken % 4
        if one.slot.broken < 0:
            rows.append(row)
        elif turn == 0:
            rows.append({**row, "item": f"{one.item}.gone"})
        elif turn == 1:
            rows += [row, row]
        elif turn == 2:
            rows.append({**row, "run": ""})
        else:
            rows.append({**row, "run": f"{GENERATOR}-other"})
    return labels.write_table(path, rows)
