"""Writes parts of a study's real records as cohorts, as they are or with a planted defect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from sdq_core.calibration.defect import Defect, Member, Planter
from sdq_core.description import Item
from sdq_core.reasons import Why, why
from sdq_core.study import CohortSource, Study
from sdq_core.vocabulary import Role
from sdq_ehr.planting.catalogue import CATALOGUE, planted_rules, recipe_of, strokes_of
from sdq_ehr.planting.copying import COPIES
from sdq_ehr.planting.identities import classes_of, renamed, restored
from sdq_ehr.planting.loading import Part, plot_of
from sdq_ehr.planting.plot import CannotPlant, Plot
from sdq_ehr.planting.synthetic import as_synthetic, labels_of
from sdq_ehr.planting.writing import with_numbers, write_plot
from sdq_ehr.preparing import prepared
from sdq_ehr.settings import EhrSettings

__all__ = ["EhrPlanter"]

ENOUGH: Final = 200
"""Patients of whom is asked which rules the records have a place for."""


class EhrPlanter(Planter):
    """Plants defects in a study's own health records, in the formats in which they are.

    Parameters
    ----------
    study : Study
        Its real cohorts are read when they are needed first.
    """

    def __init__(self, study: Study) -> None:
        self._study = study
        self._parts: dict[Path, Part] = {}

    @cached_property
    def _settings(self) -> EhrSettings:
        return EhrSettings.of(prepared(self._study).settings)

    @property
    def defects(self) -> Sequence[Defect]:
        """The catalogue, in the order of the characteristics.

        Of the rules that would see a defect, those are named that the study's records have a
        place for: dates of death that nobody recorded cannot be planted, and no rule is blamed.
        """
        return self._defects

    @cached_property
    def _defects(self) -> tuple[Defect, ...]:
        source = self._study.cohorts[Role.TRAIN]
        part = self._part(source)
        some = [Member(Item(i, (source.path,)), source, i) for i in list(part.place)[:ENOUGH]]
        plot = as_synthetic(self._plot(some))
        return tuple(_narrowed(d, plot) for d in CATALOGUE)

    def unavailable(self, defect: Defect, members: Sequence[Member]) -> Why | None:
        """Return why a defect cannot be planted in these items, None when it can."""
        try:
            plot = as_synthetic(self._plot(members))
            recipe_of(defect.id)(plot, plot, defect.unacceptable, np.random.default_rng(0))
        except CannotPlant as error:
            return why("not_applicable", why=error.reason, why_zh=error.reason_zh)
        return None

    def planted_rules(self, defect: Defect, members: Sequence[Member]) -> frozenset[str]:
        """Return which of the rules in a defect's `sees` can be planted in these items.

        Parameters
        ----------
        defect : Defect
        members : sequence of Member

        Returns
        -------
        frozenset of str
            Rules whose columns the records do not have are left out.
        """
        return planted_rules(defect, as_synthetic(self._plot(members)))

    def write(self, members: Sequence[Member], folder: Path, *, synthetic: bool) -> CohortSource:
        """Write items as a cohort.

        Parameters
        ----------
        members : sequence of Member
            At least one; rows stand in the order of the files that they come from.
        folder : Path
        synthetic : bool
            Whether they stand in for a generator's output.

        Raises
        ------
        UsageError
            No item is given, or one is not in its cohort.
        """
        plot = self._plot(members)
        if synthetic:
            return self._finished(as_synthetic(plot), folder)
        classes = classes_of(plot.schema)
        plot = with_numbers(plot, restored(plot.sample.tables, classes))
        return write_plot(plot, folder, labels_of(plot, synthetic=False))

    def plant(
        self,
        defect: Defect,
        severity: float,
        fresh: Sequence[Member],
        train: Sequence[Member],
        rng: np.random.Generator,
        folder: Path,
    ) -> CohortSource:
        """Write the fresh items as a synthetic cohort that carries a defect.

        Raises
        ------
        CannotPlant
            The defect is not available in these items.
        """
        plot = as_synthetic(self._plot(fresh))
        copied = as_synthetic(self._plot(train, mark="t")) if defect.id in COPIES else plot
        return self._finished(recipe_of(defect.id)(plot, copied, severity, rng), folder)

    def _finished(self, plot: Plot, folder: Path) -> CohortSource:
        """Give new numbers to all that is named, and write."""
        classes = classes_of(plot.schema)
        labels = labels_of(plot, synthetic=True)
        before = plot.patients
        numbers = renamed(plot.sample.tables, classes, plot.origin.taken)
        plot = with_numbers(plot, numbers)
        assert len(before) == len(plot.patients)
        return write_plot(plot, folder, labels)

    def _plot(self, members: Sequence[Member], mark: str = "") -> Plot:
        for source in {m.source.path: m.source for m in members}.values():
            self._part(source)
        years = {k: (v[0], v[1]) for k, v in (self._settings.real_years or {}).items()}
        return plot_of(members, self._parts, self._taken, years, mark)

    def _part(self, source: CohortSource) -> Part:
        if source.path not in self._parts:
            self._parts[source.path] = Part(source, self._settings)
        return self._parts[source.path]

    @cached_property
    def _taken(self) -> Mapping[str, frozenset[str]]:
        """Numbers that the study's real cohorts use, by class of columns."""
        found: dict[str, set[str]] = {}
        for role in (Role.TRAIN, Role.HOLDOUT):
            source = self._study.cohorts.get(role)
            if source is None:
                continue
            dataset = self._part(source).dataset
            for (table, column), name in classes_of(dataset.schema).items():
                values = dataset.tables[table][column].cast(pa.string()).unique().to_pylist()
                found.setdefault(name, set()).update(v for v in values if v is not None)
        return {name: frozenset(values) for name, values in found.items()}


def _narrowed(defect: Defect, plot: Plot) -> Defect:
    """Return a defect without the rules that the records have no place for."""
    if not strokes_of(defect.id):
        return defect
    try:
        planted = planted_rules(defect, plot)
    except CannotPlant:  # `unavailable` says why
        return defect
    broken = {s.rule for s in strokes_of(defect.id)}
    kept = tuple(s for s in defect.sees if s not in broken or s in planted)
    return replace(defect, sees=kept)
