"""Privacy security 隐私安全性: compliance, and attacks with known members and non-members."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.attacks import AttackSimulation
from sdq_core.characteristics.completeness import content_key
from sdq_core.characteristics.evaluation import Part
from sdq_core.characteristics.rates import rate
from sdq_core.cohort import Cohort, Cohorts
from sdq_core.finding import Finding
from sdq_core.identifiers import identifiers_in_text
from sdq_core.measurement import Measurement
from sdq_core.vocabulary import Severity

__all__ = ["Privacy"]


class Privacy(AttackSimulation):
    """Compliance by identifiers; attacks by exact copies, near copies and membership."""

    def parts(self) -> Sequence[Part]:
        """Return compliance first, then the attacks."""
        return (
            Part(("identifier_share",), self.identifiers),
            Part(("exact_copy_share",), self.exact_copies),
            Part(("memorised_share",), self.memorised),
            Part(("membership_auc", "membership_tpr_at_1pct_fpr"), self.attack),
            Part(("nearest_is_train_share",), self.nearest),
        )

    def shared_with_real(self, cohorts: Cohorts) -> Iterator[Finding]:
        """Find synthetic items whose header holds what identifies a real one, such as its UID.

        Yields
        ------
        Finding
            Of the area ``identifier``, with item and role. None unless a modality knows better.
        """
        yield from ()

    def identifiers(self, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
        """Measure the share of synthetic items with a direct identifier in header or file name."""
        named = {str(c.role): _named(c) for c in cohorts.all}
        shared = tuple(self.shared_with_real(cohorts))
        yield from shared
        taken = {f.item for f in shared if f.severity is Severity.ERROR}
        for row in np.flatnonzero(named["synthetic"]):
            yield Finding(
                f"{self.modality}.identifier.file_name",
                Severity.ERROR,
                "the path holds what looks like a direct identifier; rename the file",
                "文件路径疑似包含直接标识符, 请重命名",
                item=str(cohorts.synthetic.table.ids[row]),
                role="synthetic",
            )

        def flagged(cohort: Cohort) -> NDArray[np.bool_]:
            return cohort.table.rows_with("identifier") | named[str(cohort.role)]

        yield rate(
            self.id("identifier_share"),
            flagged(cohorts.synthetic) | np.isin(cohorts.synthetic.table.ids, sorted(taken)),
            real=np.concatenate([flagged(c) for c in cohorts.real]),
            better="lower",
            aspect="privacy_compliance",
            name="share of items with a finding of a direct identifier in header, text or path",
            source="DICOM PS3.15 Annex E; HIPAA 45 CFR 164.514(b)(2); GB/T 37964-2019",
        )

    def exact_copies(self, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
        """Measure the share of synthetic items whose content equals a real training item's."""
        cohort = cohorts.synthetic
        train = set(content_key(cohorts.train)[cohorts.train.table.readable].tolist())

        def copies(keys: NDArray[np.str_]) -> NDArray[np.bool_]:
            return np.array([k in train for k in keys.tolist()], dtype=bool)

        flags = copies(content_key(cohort)) & cohort.table.readable
        real = None
        if cohorts.holdout is not None:
            readable = cohorts.holdout.table.readable
            real = copies(content_key(cohorts.holdout)[readable])
        yield rate(
            self.id("exact_copy_share"),
            flags[cohort.table.readable],
            real=real,
            better="lower",
            aspect="attack_simulation",
            name="share of items whose decoded content equals a training item's; beside it the "
            "same share of the holdout",
            source="Part 6 proposal, privacy attack simulation; WP216 singling out",
        )
        for row in np.flatnonzero(flags):
            yield Finding(
                f"{self.modality}.privacy.exact_copy",
                Severity.ERROR,
                "has the same content as a real training item; remove it",
                "与一个真实训练样本内容完全相同, 请删除",
                item=str(cohort.table.ids[row]),
                role=str(cohort.role),
            )


def _named(cohort: Cohort) -> NDArray[np.bool_]:
    """Mark the items whose path holds a direct identifier."""
    return np.array(
        [bool(identifiers_in_text(str(PurePosixPath(i)))) for i in cohort.table.ids], dtype=bool
    )
