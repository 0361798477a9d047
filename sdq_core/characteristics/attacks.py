"""Privacy attacks that are simulated with known members and non-members.

The search for copies is the modality's own; what its matches say of memorisation, of membership and
of the nearest real item is the same for all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.evaluation import CharacteristicEvaluation
from sdq_core.cohort import Cohorts
from sdq_core.finding import Finding
from sdq_core.measurement import Measurement, Method
from sdq_core.reasons import Why, why
from sdq_core.statistics import attack_by_chance, attack_curve
from sdq_core.statistics.copies import MemorisationResult, membership_scores, memorised
from sdq_core.statistics.matches import CopySearch
from sdq_core.statistics.nearest_reference import nearest_is_train
from sdq_core.vocabulary import Characteristic, Severity

__all__ = ["AttackSimulation"]

LEAST = 20
"""Fewest items with a signature on each side of an attack."""

NOTABLE = 0.05
"""Probability by chance below which single items are named in findings."""

LEAST_SUBJECTS = 5
"""Fewest subjects on each real side: an item's best match is compared with other subjects'."""

Signatures = NDArray[np.float32]
Side = tuple[Signatures, NDArray[np.intp], NDArray[np.str_]]
"""Signatures, their rows in the cohort's table, and their subjects."""


class AttackSimulation(CharacteristicEvaluation):
    """Near copies, membership, and the nearest real item."""

    characteristic = Characteristic.PRIVACY

    search: ClassVar[CopySearch]
    """How the modality looks for copies among its signatures."""
    search_name: ClassVar[str]
    """What the search undoes, for `Method.parameters`."""
    signature_name: ClassVar[str]
    disguises: ClassVar[tuple[str, str]]
    """What was done to the planted copies, en and zh: "flipped, shifted and noised a little"."""
    mixed: ClassVar[tuple[str, str]]
    """Why signatures of several shapes cannot be compared, en and zh."""
    separate: ClassVar[tuple[str, str]]
    """What to assess by itself where real items are too much alike, en and zh."""

    def void(self, cohorts: Cohorts) -> Why | None:
        """Return why no attack can be calibrated, or None.

        An attack needs non-members of the members' own population, and no subject on both sides.
        """
        if cohorts.holdout is None:
            return why("no_holdout")
        if cohorts.shared_subjects:
            return why("shared_subjects", count=len(cohorts.shared_subjects))
        return None

    def memorised(self, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
        """Estimate the share of synthetic items that are near-copies of training items."""
        id_ = self.id("memorised_share")
        void = self.void(cohorts)
        if void is not None and cohorts.holdout is not None:
            yield Measurement(id_, aspect="attack_simulation", **void)
            return
        yield from self.copies_among(cohorts, _signatures(cohorts), void)

    def copies_among(
        self, cohorts: Cohorts, sides: Sequence[Side], void: Why | None, variant: str | None = None
    ) -> Iterator[Measurement | Finding]:
        """Search for near-copies among signatures.

        Parameters
        ----------
        cohorts : Cohorts
        sides : sequence of Side
            Synthetic, train, and holdout where there is one.
        void : Why or None
            Why nothing can be calibrated.
        variant : str, optional
            What the signatures are of; that of whole items has none.
        """
        id_ = self.id("memorised_share")
        few = self._too_few(sides) or _too_few_subjects(sides)
        if few is not None:
            yield Measurement(id_, variant=variant, aspect="attack_simulation", **few)
            return
        (synthetic, rows, _), (train, train_rows, train_subjects) = sides[0], sides[1]
        seed = cohorts.seed(id_ if variant is None else f"{id_}/{variant}") % 2**32
        grouped: dict[str, Any] = {"train_subjects": train_subjects}
        holdout = None
        if len(sides) > 2:
            holdout = sides[2][0]
            grouped["holdout_subjects"] = sides[2][2]
        found = memorised(synthetic, train, holdout, search=self.search, seed=seed, **grouped)
        suspects = [
            {
                "synthetic": str(cohorts.synthetic.table.ids[rows[s.row]]),
                "real": str(cohorts.train.table.ids[train_rows[s.train_row]]),
                "score": round(s.correlation, 4),
                "transform": str(s.transform),
            }
            for s in found.suspects
        ]
        yield from self._memorised(id_, found, suspects, sides, seed, void, variant)
        # As many as chance gives are no reason to suspect anyone.
        if found.share is not None and found.p_value is not None and found.p_value < NOTABLE:
            for suspect in suspects:
                yield Finding(
                    f"{self.modality}.privacy.near_copy",
                    Severity.WARNING,
                    f"lies conspicuously near the training item {suspect['real']}; compare them",
                    f"与训练样本 {suspect['real']} 异常接近, 请人工比对",
                    item=str(suspect["synthetic"]),
                    role="synthetic",
                )

    def attack(self, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
        """Attack membership: training items against holdout items by closeness to the synthetic."""
        ids = [self.id("membership_auc"), self.id("membership_tpr_at_1pct_fpr")]
        sides = _signatures(cohorts)
        blocked = self.void(cohorts) or self._too_few(sides)
        if blocked is not None:
            for id_ in ids:
                yield Measurement(id_, aspect="attack_simulation", **blocked)
            return
        synthetic = sides[0][0]
        scores = [membership_scores(s, synthetic, search=self.search) for s, _, _ in sides[1:]]
        method = Method(
            "closeness of each real item to its best registered synthetic match, members against "
            "non-members",
            "Chen et al. 2020, doi:10.1145/3372297.3417238; Carlini et al. 2022, arXiv:2112.03570",
            {"signature": self.signature_name},
            cohorts.seed(ids[0]) % 2**32,
        )
        for measurement in self.membership(
            cohorts, scores[0], scores[1], sides[1][2], sides[2][2], method
        ):
            yield measurement
            interval = measurement.interval
            if measurement.id == ids[0] and interval is not None and interval.high < 0.5:
                yield Finding(
                    "core.roles.swapped",
                    Severity.WARNING,
                    "holdout items lie nearer to the synthetic set than training items: check "
                    "that the roles train and holdout are not swapped",
                    "留出样本比训练样本更接近合成数据: 请检查训练集与留出集的角色是否颠倒",
                    role="train",
                )

    def nearest(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure how often the nearest real item is a training item, at equal numbers."""
        id_ = self.id("nearest_is_train_share")
        sides = _signatures(cohorts)
        blocked = self.void(cohorts) or self._too_few(sides)
        if blocked is not None:
            yield Measurement(id_, aspect="attack_simulation", **blocked)
            return
        (synthetic, _, _), (train, _, one), (holdout, _, two) = sides
        seed = cohorts.seed(id_) % 2**32
        found = nearest_is_train(
            synthetic,
            train,
            holdout,
            search=self.search,
            train_subjects=one,
            holdout_subjects=two,
            seed=seed,
        )
        yield Measurement(
            id_,
            value=found.share,
            better="lower",
            unit="share",
            aspect="attack_simulation",
            interval=found.interval,
            noise_floor=found.null,
            n=_n(sides),
            method=Method(
                "share of synthetic items whose best registered match is a training item, real "
                "sets subsampled to one size",
                "Platzer & Reutterer 2021, doi:10.3389/fdata.2021.679939",
                {"items_a_side": found.size, "p": found.p_value},
                seed,
            ),
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

    def _memorised(
        self,
        id_: str,
        found: MemorisationResult,
        suspects: list[dict[str, Any]],
        sides: Sequence[Side],
        seed: int,
        void: Why | None,
        variant: str | None,
    ) -> Iterator[Measurement]:
        method = Method(
            "share of items whose best registered match in train stands out beyond the holdout's "
            "tail",
            "Dar et al. 2025 (Nature BME); interval: Zou & Donner 2008, doi:10.1002/sim.3095; "
            "planted copies: Rogan & Gladen 1978, doi:10.1093/oxfordjournals.aje.a112510",
            {"search": self.search_name},
            seed,
        )
        if found.share is None or found.interval is None:
            reason = void or why(
                "too_few", needed=LEAST, what="holdout items", found=len(sides[-1][0])
            )
            yield Measurement(
                id_,
                variant=variant,
                aspect="attack_simulation",
                n=_n(sides),
                method=method,
                details={"suspects": suspects, "notes": [CANDIDATES]},
                **reason,
            )
            return
        yield Measurement(
            id_,
            variant=variant,
            value=found.share,
            better="lower",
            unit="share",
            aspect="attack_simulation",
            interval=found.interval,
            noise_floor=found.real,
            n=_n(sides),
            method=method,
            details={
                "suspects": suspects,
                "notes": self._overlooked(found),
                "planted_copies_noticed": found.sensitivity and found.sensitivity.centre,
                "flagged": found.flagged,
                "expected_by_chance": found.expected,
                "flagged_against_holdout": found.control_flagged,
                "p": found.p_value,
            },
        )

    def _too_few(
        self,
        sides: Sequence[Side],
    ) -> Why | None:
        smallest = min(len(values) for values, _, _ in sides)
        shapes = {values.shape[1:] for values, _, _ in sides}
        if smallest < LEAST:
            return why(
                "too_few", needed=LEAST, what="items with a signature a side", found=smallest
            )
        if len(shapes) > 1:
            return why(
                "not_applicable",
                why=self.mixed[0],
                why_zh=self.mixed[1],
            )
        return None

    def _overlooked(self, found: MemorisationResult) -> list[dict[str, str]]:
        """Say how many planted copies were noticed, and what to do where it was few."""
        if found.sensitivity is None or found.sensitivity.centre is None:
            return []
        share = found.sensitivity.centre
        notes = [
            {
                "en": f"Of copies planted for control (training items {self.disguises[0]}) "
                f"{share:.0%} stand out; the upper limit allows for as many overlooked copies.",
                "zh": f"作为对照植入的拷贝 (训练样本经{self.disguises[1]}) 中有 {share:.0%} "
                "被识别; 区间上限已计入同样比例的漏检。",
            }
        ]
        if share < 0.5:
            notes.append(
                {
                    "en": "Real items resemble each other as much as copies resemble originals. "
                    f"Give the subjects of all real items; {self.separate[0]}.",
                    "zh": "真实样本彼此之间的相似程度与拷贝和原件相当。"
                    f"请提供全部真实样本的受试者编号, 或{self.separate[1]}。",
                }
            )
        return notes


CANDIDATES = {
    "en": "Without a holdout these are candidates only: real images resemble each other too.",
    "zh": "没有留出集, 以下仅为候选: 真实图像之间本来也会相似。",
}


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


def _signatures(
    cohorts: Cohorts,
) -> tuple[Side, ...]:
    """Signatures, rows and subjects of synthetic, train and, where there is one, holdout."""
    found = []
    for cohort in (cohorts.synthetic, *cohorts.real):
        values, rows = cohort.table.signatures()
        found.append((values, rows, cohort.groups[rows]))
    return tuple(found)


def _too_few_subjects(
    sides: Sequence[Side],
) -> Why | None:
    smallest = min(len(np.unique(subjects)) for _, _, subjects in sides[1:])
    if smallest < LEAST_SUBJECTS:
        return why(
            "too_few",
            needed=LEAST_SUBJECTS,
            what="subjects with a signature in each real cohort",
            found=smallest,
        )
    return None


def _n(sides: Sequence[tuple[Any, ...]]) -> dict[str, int]:
    names = ("synthetic", "train", "holdout")
    return {name: len(side[0]) for name, side in zip(names, sides, strict=False)}
