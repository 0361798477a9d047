"""Checks of what cannot be used: it becomes a finding or a reason, and the rest goes on."""

from __future__ import annotations

import re
import unittest
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from sdq_core.errors import SdqError
from sdq_core.measurement import Measurement
from sdq_core.reasons import REASONS
from sdq_core.testing.conforming import few, in_both_languages, require
from sdq_core.testing.trial import Run, Trial
from sdq_core.vocabulary import Severity

__all__ = [
    "check_broken_item",
    "check_empty_file",
    "check_empty_folder",
    "check_few_items",
    "check_findings",
    "check_not_a_number",
]

AREAS: Final = (
    "structure", "semantics", "codes", "metadata", "conformity", "identifier", "lineage", "labels",
    "roles", "privacy",
)  # fmt: skip
"""Second part of a rule's id."""

_RULE: Final = re.compile(r"[a-z][a-z0-9_]*\.[a-z]+\.[a-z][a-z0-9_-]*")
_FAULTS: Final = ("structure.describer_failed", "structure.describer_crashed")
"""What the core says where a describer itself fails."""
_STOPPED: Final = REASONS["failed"][0].partition("{")[0]


def check_empty_folder(trial: Trial) -> None:
    """Check that an empty folder holds no item, and is no reason to crash."""
    folder = trial.empty_folder("empty")
    try:
        listing = trial.modality.items(folder, trial.example.settings)
    except SdqError as error:
        _names(str(error), folder)
        return
    require(
        not listing.items,
        f"items() finds {few(i.id for i in listing.items)} in an empty folder",
    )


def check_empty_file(trial: Trial) -> None:
    """Check that a file without bytes becomes a finding, or an error that names it."""

    def empty(folder: Path) -> None:
        trial.example.first_file(folder).write_bytes(b"")

    folder = trial.damaged("emptied", empty)
    try:
        run = trial.run(folder)
    except SdqError as error:
        _names(str(error), folder)
        return
    _noticed(trial, run, "an empty file", error=True)


def check_broken_item(trial: Trial) -> None:
    """Check that a broken item becomes a finding, and the others are described as before."""
    folder = trial.damaged("broken", trial.example.break_item)
    run = trial.run(folder)
    _noticed(trial, run, "an item that cannot be read", error=True)
    # Not by id: without a key, rows of a table are numbered, and one less moves the others up.
    before = Counter(p for i, p in trial.run("small").prints.items() if i.startswith("synth"))
    after = Counter(p for i, p in run.prints.items() if i.startswith("synth"))
    other = (before - after).total()
    require(
        other <= 1,
        f"one item was broken, and {other} descriptions changed or are missing; describe each item "
        "by itself",
    )


def check_not_a_number(trial: Trial) -> None:
    """Check that a value that is no number becomes a finding, and no measure breaks of it."""
    possible: list[bool] = []
    folder = trial.damaged("nan", lambda f: possible.append(trial.example.put_not_a_number(f)))
    if possible and not possible[0]:
        raise unittest.SkipTest("the format cannot hold a value that is no number")
    _noticed(trial, trial.run(folder), "a value that is no number", error=False)


def check_few_items(trial: Trial) -> None:
    """Check that a dozen items, one item, or no holdout give values or reasons.

    A part of an evaluation that breaks is caught by the core and says "the computation stopped":
    that is a fault of the plugin.
    """
    for run in (trial.run("small"), trial.run("small", holdout=False)):
        _no_faults(run, "a dozen items")

    def keep_one(folder: Path) -> None:
        trial.example.make(trial.empty_folder(folder.name), 1, 1, synthetic=True, severity=0.0)

    run = trial.run(trial.damaged("one", keep_one))
    require(len(run.cohorts.synthetic) == 1, "make() with items=1 does not make one item")
    _no_faults(run, "one item")


def check_findings(trial: Trial) -> None:
    """Check that findings name rule and object in both languages, and hold no path from here.

    Looked at are those of the made cohorts, whole and damaged.
    """
    broken = trial.run(trial.damaged("broken", trial.example.break_item))
    runs = (*trial.corruption, trial.run("small"), broken)
    for finding in dict.fromkeys(f for run in runs for f in run.findings):
        require(
            _RULE.fullmatch(finding.rule),
            f"the rule {finding.rule!r} must be <modality>.<area>.<rule>, in lower case",
        )
        origin, area, _ = finding.rule.split(".")
        require(
            origin in (trial.modality.name, "core") and area in AREAS,
            f"the rule {finding.rule!r} must begin with {trial.modality.name!r} and one of the "
            f"areas {', '.join(AREAS)}",
        )
        require(
            finding.severity in set(Severity),
            f"the severity of {finding.rule!r} is {finding.severity!r}; use Severity",
        )
        require(
            in_both_languages(finding.message, finding.message_zh),
            f"the finding {finding.rule!r} needs a message in English and one in Chinese",
        )
        require(
            finding.item or finding.where or finding.role,
            f"the finding {finding.rule!r} names neither item nor place",
        )
        texts = (finding.message, finding.message_zh, finding.where, finding.item)
        require(
            not any(str(trial.folder) in text for text in texts),
            f"the finding {finding.rule!r} holds an absolute path of this machine; name the item",
        )


def _noticed(trial: Trial, run: Run, what: str, *, error: bool) -> None:
    """Require a new finding about an item, and that everything else goes on."""
    __tracebackhide__ = True
    known = {(f.rule, f.item, f.role) for f in trial.run("small").findings}
    new = [
        f
        for f in run.findings
        if (f.rule, f.item, f.role) not in known and f.area not in ("labels", "privacy")
    ]
    faults = [f for f in new if f.rule.endswith(_FAULTS)]
    require(
        not faults,
        f"the describer fails at {what}: {few((f.message for f in faults), 1)}",
    )
    wrong = [f for f in new if f.severity is Severity.ERROR] if error else new
    require(
        wrong,
        f"{what} gives no finding{' that is an error' if error else ''}; say what is wrong and "
        "what to do",
    )
    require(
        any(f.item or f.where for f in wrong),
        f"the finding {wrong[0].rule!r} about {what} names neither item nor place",
    )
    _no_faults(run, what)


def _no_faults(run: Run, what: str) -> None:
    __tracebackhide__ = True
    stopped = _stopped(run.measurements)
    require(
        not stopped,
        f"with {what} {few((f'{m.id}: {m.reason}' for m in stopped), 2)}; give a reason instead",
    )


def _stopped(measurements: Iterable[Measurement]) -> list[Measurement]:
    return [m for m in measurements if (m.reason or "").startswith(_STOPPED)]


def _names(text: str, folder: Path) -> None:
    __tracebackhide__ = True
    named = {folder.name, *(p.name for p in folder.rglob("*"))}
    require(
        any(name in text for name in named),
        f"the error about {folder.name!r} names neither folder nor file: {text}",
    )
