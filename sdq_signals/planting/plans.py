"""Which recordings make up a planted cohort, and what is done to each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from sdq_core.calibration.defect import Member
from sdq_signals.planting import waveforms
from sdq_signals.planting.draft import Draft
from sdq_signals.planting.waveforms import Change

__all__ = ["Plan", "Slot", "Task", "places"]


@dataclass(frozen=True, slots=True)
class Slot:
    """One recording of the cohort to be.

    Parameters
    ----------
    member : Member
        Real recording that it is made of.
    row : mapping of str to str
        What its line of the label table says, without the subject.
    change : callable or None
    broken : int
        Number among those whose form is broken, from 0; -1 where it is not.
    """

    member: Member
    row: Mapping[str, str]
    change: Change | None = None
    broken: int = -1


@dataclass(frozen=True, slots=True)
class Task:
    """What a plan works on.

    Parameters
    ----------
    severity : float
    fresh, train : sequence of Slot
        Unchanged.
    rng : numpy.random.Generator
    subgroup : str
        Attribute by which subgroups are told; empty where the study has none.
    read : callable
        Opens the recording of a slot.
    """

    severity: float
    fresh: Sequence[Slot]
    train: Sequence[Slot]
    rng: np.random.Generator
    subgroup: str = ""
    read: Callable[[Slot], Draft] | None = None


Plan = Callable[[Task], list[Slot]]


def places(n: int, share: float, rng: np.random.Generator) -> list[int]:
    """Return which of n are chosen, at least one, in their order.

    Examples
    --------
    >>> len(places(40, 0.1, np.random.default_rng(0)))
    4
    """
    count = min(n, max(1, round(share * n)))
    return sorted(rng.choice(n, count, replace=False).tolist())


def every(change: Change) -> Plan:
    """Change all recordings by the severity."""
    return lambda task: [replace(s, change=change) for s in task.fresh]


def some(change: Change) -> Plan:
    """Change a share of the recordings, which is the severity."""

    def plan(task: Task) -> list[Slot]:
        chosen = set(places(len(task.fresh), task.severity, task.rng))
        return [replace(s, change=change) if k in chosen else s for k, s in enumerate(task.fresh)]

    return plan


def some_with(has: Callable[[Draft], bool], change: Change) -> Plan:
    """Change a share of the recordings, taken among those that have what the change takes away.

    A heart that fibrillates has no P wave to lose: planted in it, the defect would not be there.
    Where fewer have it than the severity asks for, all of them are changed; where none has, any.
    """

    def plan(task: Task) -> list[Slot]:
        count = min(len(task.fresh), max(1, round(task.severity * len(task.fresh))))
        order = task.rng.permutation(len(task.fresh)).tolist()
        chosen: set[int] = set()
        if task.read is not None:
            bear = (k for k in order if has(task.read(task.fresh[k])))
            chosen = set(islice(bear, count))
        chosen = chosen or set(order[:count])
        return [replace(s, change=change) if k in chosen else s for k, s in enumerate(task.fresh)]

    return plan


def broken(task: Task) -> list[Slot]:
    """Break the form of a share of the recordings."""
    order = {k: i for i, k in enumerate(places(len(task.fresh), task.severity, task.rng))}
    return [replace(s, broken=order.get(k, -1)) for k, s in enumerate(task.fresh)]


def copies(change: Change | None) -> Plan:
    """Put copies of training recordings, changed a little, in the place of a share."""

    def plan(task: Task) -> list[Slot]:
        chosen = places(len(task.fresh), task.severity, task.rng)
        repeated = len(chosen) > len(task.train)
        originals = task.rng.choice(len(task.train), len(chosen), replace=repeated).tolist()
        found = list(task.fresh)
        for k, original in zip(chosen, originals, strict=True):
            found[k] = replace(task.train[original], change=change)
        return found

    return plan


def collapsed(task: Task) -> list[Slot]:
    """Let a share of the recordings be repeats of the rest, each with its own noise."""
    n = len(task.fresh)
    lost = set(places(n, min(task.severity, 1 - 1 / n), task.rng))
    kept = [s for k, s in enumerate(task.fresh) if k not in lost]
    found = list(task.fresh)
    for k in sorted(lost):
        found[k] = replace(kept[int(task.rng.integers(len(kept)))], change=waveforms.noised)
    return found


def repeated(task: Task) -> list[Slot]:
    """Let a share of the recordings be exact repeats of the rest."""
    return [replace(s, change=None) for s in collapsed(task)]


def fewer(task: Task) -> list[Slot]:
    """Leave a share of the recordings out."""
    n = len(task.fresh)
    gone = set(places(n, min(task.severity, 1 - 1 / n), task.rng))
    return [s for k, s in enumerate(task.fresh) if k not in gone]


def without_class(task: Task) -> list[Slot]:
    """Leave a share of the smallest class out."""
    counts = Counter(s.row.get("class", "") for s in task.fresh)
    counts.pop("", None)
    smallest = min(counts, key=lambda c: (counts[c], c))
    return _thinned(task, "class", smallest, task.severity)


def unbalanced(task: Task) -> list[Slot]:
    """Thin all classes but the largest by a factor."""
    counts = Counter(s.row.get("class", "") for s in task.fresh)
    largest = max(counts, key=lambda c: (counts[c], c))
    found = list(task.fresh)
    for name in sorted(set(counts) - {largest}):
        rest = Task(task.severity, found, (), task.rng)
        found = _thinned(rest, "class", name, 1 - 1 / task.severity)
    return found


def without_subgroup(task: Task) -> list[Slot]:
    """Leave a share of the smallest subgroup out."""
    return _thinned(task, task.subgroup, _smallest(task), task.severity)


def worse_subgroup(change: Change, by: float) -> Plan:
    """Change the recordings of a share of the smallest subgroup."""

    def plan(task: Task) -> list[Slot]:
        value = _smallest(task)
        members = [k for k, s in enumerate(task.fresh) if s.row.get(task.subgroup, "") == value]
        chosen = {members[k] for k in places(len(members), task.severity, task.rng)}
        fixed: Change = lambda draft, severity, rng: change(draft, by, rng)  # noqa: E731
        return [replace(s, change=fixed) if k in chosen else s for k, s in enumerate(task.fresh)]

    return plan


def relabelled(task: Task) -> list[Slot]:
    """Give a share of the recordings the label of another class."""
    names = sorted({s.row.get("class", "") for s in task.fresh} - {""})
    found = list(task.fresh)
    for k in places(len(found), task.severity, task.rng):
        others = [n for n in names if n != found[k].row.get("class", "")]
        other = others[int(task.rng.integers(len(others)))]
        found[k] = replace(found[k], row={**found[k].row, "class": other})
    return found


def with_class(value: str) -> Plan:
    """Write something else in place of the class of a share of the recordings."""

    def plan(task: Task) -> list[Slot]:
        found = list(task.fresh)
        for k in places(len(found), task.severity, task.rng):
            found[k] = replace(found[k], row={**found[k].row, "class": value})
        return found

    return plan


def _smallest(task: Task) -> str:
    counts = Counter(s.row.get(task.subgroup, "") for s in task.fresh)
    counts.pop("", None)
    return min(counts, key=lambda c: (counts[c], c))


def _thinned(task: Task, column: str, value: str, share: float) -> list[Slot]:
    """Leave a share of the recordings with a value out, but never all recordings."""
    members = [k for k, s in enumerate(task.fresh) if s.row.get(column, "") == value]
    gone = {members[k] for k in places(len(members), share, task.rng)} if members else set()
    found = [s for k, s in enumerate(task.fresh) if k not in gone]
    return found or list(task.fresh[:1])
