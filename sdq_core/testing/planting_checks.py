"""Checks of the planter: what calibration writes is what was read, apart from the defect."""

from __future__ import annotations

import re
import unittest
from collections import Counter
from pathlib import Path
from typing import Final

import numpy as np

from sdq_core.calibration.defect import Member, Planter
from sdq_core.describe import describe
from sdq_core.description import Description
from sdq_core.hashing import hash_file
from sdq_core.reasons import Why
from sdq_core.study import CohortSource
from sdq_core.testing.conforming import few, in_both_languages, require
from sdq_core.testing.input_checks import AREAS
from sdq_core.testing.trial import Trial
from sdq_core.vocabulary import Characteristic, Role, Severity

__all__ = ["check_clean_copy", "check_defects_are_documented", "check_planted_defects"]

_ID: Final = re.compile("[a-z][a-z0-9]*(-[a-z0-9]+)*")
_CLOSE: Final = 1e-4
"""Relative difference of a feature that writing in another form may make."""


def check_defects_are_documented(trial: Trial) -> None:
    """Check that each defect has an id, names in both languages, a source, and what sees it.

    What should see it are measures of the plugin, or rules.
    """
    planter = _planter(trial)
    ids = [d.id for d in planter.defects]
    require(ids, "the planter has no defect; give a catalogue or no planter")
    twice = sorted({i for i in ids if ids.count(i) > 1})
    require(not twice, f"the defect {few(twice)} stands in the catalogue twice")
    known = set(trial.modality.measures())
    for defect in planter.defects:
        require(
            _ID.fullmatch(defect.id),
            f"the defect {defect.id!r} must have an id in lower case with hyphens",
        )
        require(
            in_both_languages(*defect.title)
            and len(defect.unit) == 2
            and all(defect.unit)
            and defect.source.strip(),
            f"the defect {defect.id!r} needs title and unit in both languages, and a source",
        )
        start = (f"{trial.modality.name}.", "core.")
        strange = [s for s in defect.sees if not s.startswith(start) or s.count(".") != 2]
        require(
            not strange, f"the defect {defect.id!r} is seen by {few(strange)}, which is no such id"
        )
        areas = set(map(str, Characteristic)) - set(AREAS)
        lost = [s for s in defect.sees if s.split(".")[1] in areas and s not in known]
        require(not lost, f"the defect {defect.id!r} is seen by {few(lost)}, which is no measure")


def check_clean_copy(trial: Trial) -> None:
    """Check that what is written without a defect describes as the original, with no new error.

    Otherwise calibration would judge the planter and not the defect.
    """
    planter = _planter(trial)
    members = _members(trial, Role.HOLDOUT)
    original = _described(trial, trial.cohort("small-holdout"))
    for synthetic in (False, True):
        folder = trial.no_folder(f"copy-{synthetic}")
        source = planter.write(members, folder, synthetic=synthetic)
        copy = _described(trial, source.path)
        kind = "synthetic" if synthetic else "plain"
        require(
            len(copy) == len(members),
            f"write() of {len(members)} items gives {len(copy)} ({kind} copy)",
        )
        require(
            source.labels is not None or all(m.source.labels is None for m in members),
            f"write() gives no label table though the items have one ({kind} copy)",
        )
        new = set(_errors(copy)) - set(_errors(original))
        require(not new, f"the {kind} copy of clean items breaks {few(sorted(new))}")
        changed = _changed(original, copy)
        require(not changed, f"the {kind} copy of clean items has another {few(changed)}")


def check_planted_defects(trial: Trial) -> None:
    """Check that defects are planted the same by the same random numbers, or say why not.

    Of each target the first available defect is planted at its unacceptable severity.
    """
    planter = _planter(trial)
    fresh, train = _members(trial, Role.HOLDOUT), _members(trial, Role.TRAIN)
    seen: set[str] = set()
    for defect in planter.defects:
        reason: Why | None = planter.unavailable(defect, fresh)
        if reason is not None:
            require(
                in_both_languages(reason["reason"], reason["reason_zh"]),
                f"unavailable() of {defect.id!r} must say why in both languages",
            )
            continue
        if str(defect.targets[0]) in seen:
            continue
        seen.add(str(defect.targets[0]))
        contents = []
        for number in (1, 2):
            folder = trial.no_folder(f"planted-{defect.id}-{number}")
            source = planter.plant(
                defect, defect.unacceptable, fresh, train, np.random.default_rng(7), folder
            )
            contents.append(_content(folder))
        require(
            contents[0] == contents[1],
            f"the defect {defect.id!r} is another with the same random numbers",
        )
        require(
            trial.modality.items(source.path, trial.example.settings).items,
            f"the cohort with the defect {defect.id!r} holds no item",
        )
    require(seen, "no defect is available in the example's cohort")


def _planter(trial: Trial) -> Planter:
    planter = trial.modality.planter(trial.run("small").cohorts.study)
    if planter is None:
        raise unittest.SkipTest("the modality plants no defects")
    return planter


def _members(trial: Trial, role: Role) -> list[Member]:
    cohorts = trial.run("small").cohorts
    cohort = next(c for c in cohorts.all if c.role is role)
    source: CohortSource = cohorts.study.cohorts[role]
    rows = []
    for k, item in enumerate(cohort.table.items):
        row = {name: str(values[k]) for name, values in cohort.attributes.items()}
        if cohort.subjects is not None:
            row["subject"] = str(cohort.subjects[k])
        if cohort.classes is not None:
            row["class"] = str(cohort.classes[k])
        rows.append(Member(item, source, str(cohort.groups[k]), row))
    return rows


def _described(trial: Trial, path: Path) -> tuple[Description, ...]:
    study = trial.run("small").cohorts.study
    items = trial.modality.items(path, study.settings).items
    report = describe(items, trial.modality.describer(study), None, engine="serial")
    return tuple(report.descriptions)


def _errors(descriptions: tuple[Description, ...]) -> Counter[str]:
    return Counter(f.rule for d in descriptions for f in d.findings if f.severity is Severity.ERROR)


def _changed(original: tuple[Description, ...], copy: tuple[Description, ...]) -> list[str]:
    """Return the features whose sorted values differ: the copies have other names and places."""
    found = []
    for name in sorted({k for d in original for k in d.scalars}):
        one, two = (
            np.sort([d.scalars[name] for d in side if name in d.scalars])
            for side in (original, copy)
        )
        scale = float(np.abs(one).max(initial=0.0))
        if len(one) != len(two) or not np.allclose(one, two, rtol=_CLOSE, atol=_CLOSE * scale):
            found.append(name)
    return found


def _content(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hash_file(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
