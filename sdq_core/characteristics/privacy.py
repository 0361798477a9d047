"""Privacy security 隐私安全性: compliance, and attacks with known members and non-members."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.completeness import content_key
from sdq_core.characteristics.evaluation import CharacteristicEvaluation
from sdq_core.characteristics.rates import rate
from sdq_core.cohort import Cohorts
from sdq_core.finding import Finding
from sdq_core.measurement import Measurement, Method
from sdq_core.reasons import Why, why
from sdq_core.statistics import attack_by_chance, attack_curve
from sdq_core.vocabulary import Characteristic, Severity

__all__ = ["Privacy"]


class Privacy(CharacteristicEvaluation):
    """What all modalities share: identifiers, exact copies, and the reading of an attack."""

    characteristic = Characteristic.PRIVACY

    def void(self, cohorts: Cohorts) -> Why | None:
        """Return why no attack can be calibrated, or None.

        An attack needs non-members of the members' own population, and no subject on both sides.
        """
        if cohorts.holdout is None:
            return why("no_holdout")
        if cohorts.shared_subjects:
            return why("shared_subjects", count=len(cohorts.shared_subjects))
        return None

    def identifiers(self, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
        """Measure the share of synthetic items with a residual direct identifier."""
        yield rate(
            self.id("identifier_share"),
            cohorts.synthetic.table.rows_with("identifier"),
            real=np.concatenate([c.table.rows_with("identifier") for c in cohorts.real]),
            better="lower",
            aspect="privacy_compliance",
            name="share of items with a finding of a direct identifier",
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

    def membership(
        self,
        cohorts: Cohorts,
        members: NDArray[np.float64],
        nonmembers: NDArray[np.float64],
        groups_members: NDArray[np.str_],
        groups_nonmembers: NDArray[np.str_],
        method: Method,
    ) -> Iterator[Measurement]:
        """Read a membership attack: AUC, and true positives at 1 % false positives.

        Parameters
        ----------
        members, nonmembers : ndarray, shape (n,)
            Attack scores of training and of holdout items; higher means "was a member".
        groups_members, groups_nonmembers : ndarray of str
            Subjects.
        method : Method
            How the scores were made.
        """
        curve = attack_curve(
            members,
            nonmembers,
            groups_member=groups_members,
            groups_nonmember=groups_nonmembers,
            seed=method.seed or 0,
        )
        n = {"train": len(members), "holdout": len(nonmembers)}
        auc_floor, tpr_floor = attack_by_chance(
            members,
            nonmembers,
            np.concatenate([groups_members, groups_nonmembers]),
            seed=method.seed or 0,
        )
        auc_id, tpr_id = self.id("membership_auc"), self.id("membership_tpr_at_1pct_fpr")
        yield Measurement(
            auc_id,
            value=curve.auc,
            better="closer",
            unit="AUC",
            aspect="attack_simulation",
            interval=curve.auc_interval,
            noise_floor=auc_floor,
            n=n,
            method=method,
            details={"roc": _roc(members, nonmembers)},
        )
        if 0.01 in curve.readable_fpr:
            yield Measurement(
                tpr_id,
                value=curve.tpr[0.01],
                better="lower",
                unit="share",
                aspect="attack_simulation",
                interval=curve.tpr_intervals[0.01],
                noise_floor=tpr_floor,
                n=n,
                method=method,
            )
        else:
            yield Measurement(
                tpr_id,
                aspect="attack_simulation",
                n=n,
                **why("too_few", needed=100, what="holdout items", found=len(nonmembers)),
            )


def _roc(
    members: NDArray[np.float64], nonmembers: NDArray[np.float64], points: int = 101
) -> dict[str, list[float]]:
    """Return the attack's curve at evenly spaced false positive rates."""
    thresholds = np.quantile(nonmembers, np.linspace(1, 0, points))
    tpr = [(members >= t).mean() for t in thresholds]
    fpr = [(nonmembers >= t).mean() for t in thresholds]
    return {
        "fpr": [0.0, *(round(float(f), 4) for f in fpr)],
        "tpr": [0.0, *(round(float(t), 4) for t in tpr)],
    }
