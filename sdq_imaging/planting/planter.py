"""Plants the defects of the catalogue in a study's own images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from sdq_core.calibration.defect import Defect, Member, Planter
from sdq_core.labels import read_labels
from sdq_core.lineage import version_texts
from sdq_core.reasons import Why, why
from sdq_core.study import CohortSource, Study
from sdq_core.vocabulary import Role
from sdq_imaging.planting import (
    content_plans,
    dicom_plans,
    file_plans,
    label_plans,
    mask_plans,
    pair_plans,
)
from sdq_imaging.planting.catalogue import DEFECTS
from sdq_imaging.planting.cohort_file import Draft, Entry, copied, write_cohort
from sdq_imaging.planting.drafting import Plan, Planting
from sdq_imaging.planting.editable import GENERATOR, VERSION
from sdq_imaging.planting.opening import Facts, Opener, facts_of
from sdq_imaging.settings import ImagingSettings

__all__ = ["PLANS", "ImagingPlanter"]

PLANS: Final[Mapping[str, Plan]] = {
    **content_plans.PLANS,
    **pair_plans.PLANS,
    **label_plans.PLANS,
    **file_plans.PLANS,
    **mask_plans.PLANS,
    **dicom_plans.PLANS,
}
"""Defect -> how it is planted."""
ALL: Final = 0.9
"""Share of the items that must be able to carry a defect of all items; broken ones cannot."""


class ImagingPlanter(Planter):
    """Writes real images as cohorts, as they are or with a planted defect.

    Parameters
    ----------
    study : Study
    """

    def __init__(self, study: Study) -> None:
        masks = ImagingSettings.of(study.settings).masks
        self._study = study
        self._masks = None if masks is None else Path(masks)
        self._opener = Opener()
        self._facts: dict[tuple[Path, str], Facts] = {}
        self._roles = {source.path: str(role) for role, source in study.cohorts.items()}
        algorithm = None if study.generator is None else study.generator.algorithm
        name = "" if algorithm is None else str(algorithm.name or "")
        versions = [] if algorithm is None else version_texts(algorithm.version)
        # What the items say must not contradict the study's description of its generator.
        self._generator, self._version = name or GENERATOR, (versions or [VERSION])[0]
        synthetic = study.cohorts[Role.SYNTHETIC].labels
        self._paired = synthetic is not None and _names_pairs(synthetic)

    @property
    def defects(self) -> Sequence[Defect]:
        """The catalogue."""
        return DEFECTS

    def unavailable(self, defect: Defect, members: Sequence[Member]) -> Why | None:
        """Return why a defect cannot be planted in these items, None when it can."""
        plan = PLANS[defect.id]
        if defect.id in pair_plans.PLANS and not self._paired:
            return why("no_pairs")
        refused = plan.study(self._study)
        if refused is not None:
            return why("not_applicable", why=refused[0], why_zh=refused[1])
        able = sum(plan.eligible(self.facts(m)) for m in members)
        needed = ALL if plan.whole else min(ALL, defect.unacceptable)
        wanted = plan.whole or defect.unit[0] == "share of items"
        if able == 0 or (wanted and able < needed * len(members)):
            return why(
                "not_applicable",
                why=f"{able} of {len(members)} items are {plan.lacking[0]}",
                why_zh=f"{len(members)} 个样本中有 {able} 个为{plan.lacking[1]}",
            )
        if len(members) < plan.least:
            return why("too_few", needed=plan.least, what="items", found=len(members))
        return None

    def write(self, members: Sequence[Member], folder: Path, *, synthetic: bool) -> CohortSource:
        """Write items as a cohort; see `Planter.write`."""
        if not synthetic:
            return copied(members, folder, self._roles, self._opener, self._masks)
        return write_cohort(self._draft(members), folder, self._opener)

    def plant(
        self,
        defect: Defect,
        severity: float,
        fresh: Sequence[Member],
        train: Sequence[Member],
        rng: np.random.Generator,
        folder: Path,
    ) -> CohortSource:
        """Write the fresh items as a synthetic cohort that carries a defect."""
        planting = Planting(
            self._study,
            self._draft(fresh),
            train,
            severity,
            rng,
            self._opener,
            self.facts,
            self._roles,
        )
        PLANS[defect.id].apply(planting)
        return write_cohort(planting.draft, folder, self._opener)

    def facts(self, member: Member) -> Facts:
        """Return what can be planted in an item; looked up once."""
        key = (member.item.paths[0], member.item.part)
        if key not in self._facts:
            self._facts[key] = facts_of(member.item, self._opener)
        return self._facts[key]

    def _draft(self, members: Sequence[Member]) -> Draft:
        holds: Callable[[Member], bool] = lambda m: (  # noqa: E731
            self.facts(m).labelling or not self.facts(m).readable
        )
        return Draft(
            [Entry(m, {k: str(v) for k, v in m.row.items()}) for m in members],
            masks=self._masks,
            # A cohort half of which could not carry the label would look half labelled.
            labelled=all(map(holds, members)),
            generator=self._generator,
            version=self._version,
        )


def _names_pairs(labels: Path) -> bool:
    return "pair" in read_labels(labels).columns
