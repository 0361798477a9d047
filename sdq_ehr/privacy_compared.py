"""What all privacy attacks on health records share: the patients that can be compared."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import ClassVar, Final

from sdq_core.characteristics.privacy import Privacy
from sdq_core.cohort import Cohorts
from sdq_core.reasons import Why, why
from sdq_core.vocabulary import Role
from sdq_ehr.attacks.sides import Compared, sides_of

__all__ = ["PatientAttacks", "sizes", "too_few", "without_generator"]

LEAST: Final = 20
"""Fewest patients a side in an attack."""


class PatientAttacks(Privacy):
    """Attacks on patients as rows of numbers and categories."""

    search_name: ClassVar[str] = "mixed-type distance by ranks; agreement surprisal"

    def compared(self, cohorts: Cohorts) -> Compared | Why:
        """Return the patients to compare, or why an attack cannot be calibrated."""
        void = self.void(cohorts)
        if void is not None:
            return void
        smallest = min(int(c.table.readable.sum()) for c in cohorts.all)
        if smallest < LEAST:
            return too_few(smallest, LEAST)
        compared = sides_of(without_generator(cohorts))
        return why("no_variation", what="every column") if compared is None else compared


def sizes(compared: Compared) -> dict[str, int]:
    """Return how many patients of each cohort are compared."""
    return {str(r): len(compared.rows[r]) for r in (Role.SYNTHETIC, Role.TRAIN, Role.HOLDOUT)}


def too_few(found: int, needed: int) -> Why:
    """Return the reason of cohorts that are too small."""
    return why(
        "not_applicable",
        why=f"not readable at this n: needs at least {needed} readable patients in each cohort, "
        f"found {found}",
        why_zh=f"样本量不足以读数: 各数据集至少需要 {needed} 名可读患者, 现有 {found} 名",
    )


@lru_cache(maxsize=2)
def without_generator(cohorts: Cohorts) -> Cohorts:
    """Return the cohorts of a study that names no generator: reading the data needs none."""
    if "generator" not in cohorts.study.settings:
        return cohorts
    rest = {k: v for k, v in cohorts.study.settings.items() if k != "generator"}
    study = cohorts.study.model_copy(update={"settings": rest})
    return replace(cohorts, study=study)
