"""A stroke breaks one rule in some patients; a recipe gives each stroke its patients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sdq_core.errors import UsageError
from sdq_ehr.planting.plot import CannotPlant, Index, Plot, Rng

__all__ = [
    "Planting",
    "Recipe",
    "Stroke",
    "chosen",
    "first_rows",
    "no_place",
    "planted_by",
    "strokes_recipe",
]

MOST_TRIES: Final = 40
"""Patients that are tried one by one where those chosen will not do."""
Recipe = Callable[[Plot, Plot, float, Rng], Plot]
"""Fresh records, training records, severity, generator -> the fresh records with the defect."""
Planting = Callable[[Plot, Index, Rng], Plot]
"""Records, patients, generator -> records in which these patients break a rule."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """How one rule is broken.

    Parameters
    ----------
    rule : str
        Id of the rule that sees it.
    plant : callable
        Raises `CannotPlant` where the records have no place for it.
    minor : bool
        Whether the rule only warns or tells: then one patient is enough.
    """

    rule: str
    plant: Planting
    minor: bool = False


def no_place(what: str, what_zh: str) -> CannotPlant:
    """Return the reason that the records have no such column or row."""
    return CannotPlant(
        f"the records have no {what} in which it could be planted",
        f"记录中没有可植入该缺陷的{what_zh}",
    )


def chosen(count: int, share: float, rng: Rng) -> Index:
    """Return places of a share of some things, at least one, in ascending order.

    Raises
    ------
    UsageError
        The share is not in 0..1.

    Examples
    --------
    >>> len(chosen(200, 0.05, np.random.default_rng(0)))
    10
    """
    if not 0 < share <= 1:
        raise UsageError(f"planting: the severity is a share in 0..1, got {share:g}; correct it")
    if count < 1:
        raise no_place("patient or row", "患者或行")
    some = rng.choice(count, min(count, max(1, round(share * count))), replace=False)
    return np.sort(some).astype(np.intp)


def first_rows(plot: Plot, table: str, patients: Index) -> Index:
    """Return the first row of each of some patients; who has none is left out."""
    owner = plot.patients.rows[table]
    rows = np.flatnonzero(np.isin(owner, patients))
    _, first = np.unique(owner[rows], return_index=True)
    return np.asarray(rows[first], np.intp)


def strokes_recipe(strokes: Sequence[Stroke]) -> Recipe:
    """Return the recipe that shares out patients among strokes.

    The severity is the share of patients; there is at least one a stroke. Strokes that have no
    place in the records are left out; there must be one that is not minor.

    Parameters
    ----------
    strokes : sequence of Stroke
    """

    def recipe(plot: Plot, train: Plot, severity: float, rng: Rng) -> Plot:
        return _planted(strokes, plot, severity, rng)[0]

    return recipe


def planted_by(strokes: Iterable[Stroke], plot: Plot, severity: float) -> frozenset[str]:
    """Return the rules of the strokes that have a place in the records."""
    return _planted(list(strokes), plot, severity, np.random.default_rng(0))[1]


def _planted(
    strokes: Sequence[Stroke], plot: Plot, severity: float, rng: Rng
) -> tuple[Plot, frozenset[str]]:
    n = len(plot.patients)
    trial = chosen(n, severity, np.random.default_rng(0))
    able, first = [], None
    for stroke in strokes:
        try:
            stroke.plant(plot, trial, np.random.default_rng(0))
            able.append(stroke)
        except CannotPlant as error:
            first = first or (None if stroke.minor else error)
    main = [s for s in able if not s.minor]
    if not main:
        raise first or no_place("column", "列")
    # Each stroke has patients of its own, so that none is painted over.
    count = min(n, max(round(severity * n), len(able)))
    order = rng.permutation(n)
    some = order[:count]
    minor = [s for s in able if s.minor]
    few = min(len(minor), count - 1)
    groups = {s.rule: some[k % count : k % count + 1] for k, s in enumerate(minor)}
    rest = some[few:]
    for k, stroke in enumerate(main):
        own = rest[k :: len(main)]
        # A cohort of fewer patients than rules: some have more than one.
        groups[stroke.rule] = own if len(own) else rest[k % len(rest) : k % len(rest) + 1]
    done = set()
    for stroke in able:
        try:
            plot = _either(stroke, plot, groups[stroke.rule], np.setdiff1d(order, some), rng)
            done.add(stroke.rule)
        except CannotPlant:  # an earlier stroke took the only place
            continue
    return plot, frozenset(done)


def _either(stroke: Stroke, plot: Plot, group: Index, others: Index, rng: Rng) -> Plot:
    """Plant in a group of patients, else in the first other patient who will do.

    Not each patient has a row of every table, or the sex that a code contradicts.
    """
    last: CannotPlant | None = None
    singles = [np.array([k], np.intp) for k in rng.permutation(others)[:MOST_TRIES].tolist()]
    for some in (np.asarray(group, np.intp), *singles):
        try:
            return stroke.plant(plot, some, rng)
        except CannotPlant as error:
            last = error
    raise last or no_place("patient", "患者")
