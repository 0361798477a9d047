"""Privacy of images: identifiers, exact copies, registered near-copies, membership."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.evaluation import Part
from sdq_core.characteristics.privacy import Privacy
from sdq_core.characteristics.rates import rate
from sdq_core.cohort import Cohort, Cohorts
from sdq_core.finding import Finding
from sdq_core.measurement import Measurement, Method
from sdq_core.reasons import Why, why
from sdq_core.vocabulary import Severity
from sdq_imaging.copies import MemorisationResult, membership_scores, memorised
from sdq_imaging.nearest_reference import nearest_is_train

__all__ = ["ImagingPrivacy"]

LEAST = 20
"""Fewest items with a signature on each side of an attack."""

LEAST_SUBJECTS = 5
"""Fewest subjects on each real side: an item's best match is compared with other subjects'."""

Signatures = NDArray[np.float32]


class ImagingPrivacy(Privacy):
    """Compliance by identifiers, attacks by registered copies."""

    def parts(self) -> Sequence[Part]:
        """Return compliance first, then the attacks."""
        return (
            Part(("identifier_share",), self.identifiers),
            Part(("exact_copy_share",), self.exact_copies),
            Part(("memorised_share",), self.memorised),
            Part(("membership_auc", "membership_tpr_at_1pct_fpr"), self.attack),
            Part(("nearest_is_train_share",), self.nearest),
        )

    def identifiers(self, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
        """Measure the share of synthetic items with a direct identifier in header or file name."""
        named = {str(c.role): _named(c) for c in cohorts.all}
        for row in np.flatnonzero(named["synthetic"]):
            yield Finding(
                "imaging.identifier.file_name",
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
            flagged(cohorts.synthetic),
            real=np.concatenate([flagged(c) for c in cohorts.real]),
            better="lower",
            aspect="privacy_compliance",
            name="share of items with a finding of a direct identifier in header, text or path",
            source="DICOM PS3.15 Annex E; HIPAA 45 CFR 164.514(b)(2); GB/T 37964-2019",
        )

    def memorised(self, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
        """Estimate the share of synthetic items that are near-copies of training items."""
        id_ = self.id("memorised_share")
        void = self.void(cohorts)
        if void is not None and cohorts.holdout is not None:
            yield Measurement(id_, aspect="attack_simulation", **void)
            return
        sides = _signatures(cohorts)
        few = _too_few(sides) or _too_few_subjects(sides)
        if few is not None:
            yield Measurement(id_, aspect="attack_simulation", **few)
            return
        (synthetic, rows, _), (train, train_rows, train_subjects) = sides[0], sides[1]
        seed = cohorts.seed(id_) % 2**32
        grouped: dict[str, Any] = {"train_subjects": train_subjects}
        holdout = None
        if len(sides) > 2:
            holdout = sides[2][0]
            grouped["holdout_subjects"] = sides[2][2]
        found = memorised(synthetic, train, holdout, seed=seed, **grouped)
        suspects = [
            {
                "synthetic": str(cohorts.synthetic.table.ids[rows[s.row]]),
                "real": str(cohorts.train.table.ids[train_rows[s.train_row]]),
                "score": round(s.correlation, 4),
                "transform": str(s.transform),
            }
            for s in found.suspects
        ]
        yield from self._memorised(id_, found, suspects, sides, seed, void)
        if found.share is not None:
            for suspect in suspects:
                yield Finding(
                    "imaging.privacy.near_copy",
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
        blocked = self.void(cohorts) or _too_few(sides)
        if blocked is not None:
            for id_ in ids:
                yield Measurement(id_, aspect="attack_simulation", **blocked)
            return
        synthetic = sides[0][0]
        scores = [membership_scores(s, synthetic) for s, _, _ in sides[1:]]
        method = Method(
            "closeness of each real item to its best registered synthetic match, members against "
            "non-members",
            "Chen et al. 2020, doi:10.1145/3372297.3417238; Carlini et al. 2022, arXiv:2112.03570",
            {"signature": "band-passed thumbnail"},
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
        blocked = self.void(cohorts) or _too_few(sides)
        if blocked is not None:
            yield Measurement(id_, aspect="attack_simulation", **blocked)
            return
        (synthetic, _, _), (train, _, one), (holdout, _, two) = sides
        seed = cohorts.seed(id_) % 2**32
        found = nearest_is_train(
            synthetic, train, holdout, train_subjects=one, holdout_subjects=two, seed=seed
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

    def _memorised(
        self,
        id_: str,
        found: MemorisationResult,
        suspects: list[dict[str, Any]],
        sides: Sequence[tuple[Signatures, NDArray[np.intp], NDArray[np.str_]]],
        seed: int,
        void: Why | None,
    ) -> Iterator[Measurement]:
        method = Method(
            "share of items whose best registered match in train stands out beyond the holdout's "
            "tail",
            "Dar et al. 2025 (Nature BME); interval: Zou & Donner 2008, doi:10.1002/sim.3095; "
            "planted copies: Rogan & Gladen 1978, doi:10.1093/oxfordjournals.aje.a112510",
            {"search": "shift, flip, rotation, scale on band-passed thumbnails"},
            seed,
        )
        if found.share is None or found.interval is None:
            reason = void or why(
                "too_few", needed=LEAST, what="holdout items", found=len(sides[-1][0])
            )
            yield Measurement(
                id_,
                aspect="attack_simulation",
                n=_n(sides),
                method=method,
                details={"suspects": suspects, "notes": [CANDIDATES]},
                **reason,
            )
            return
        yield Measurement(
            id_,
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
                "notes": _overlooked(found),
                "planted_copies_noticed": found.sensitivity and found.sensitivity.centre,
                "flagged": found.flagged,
                "expected_by_chance": found.expected,
                "flagged_against_holdout": found.control_flagged,
                "p": found.p_value,
            },
        )


CANDIDATES = {
    "en": "Without a holdout these are candidates only: real images resemble each other too.",
    "zh": "没有留出集, 以下仅为候选: 真实图像之间本来也会相似。",
}


def _signatures(
    cohorts: Cohorts,
) -> tuple[tuple[Signatures, NDArray[np.intp], NDArray[np.str_]], ...]:
    """Signatures, rows and subjects of synthetic, train and, where there is one, holdout."""
    found = []
    for cohort in (cohorts.synthetic, *cohorts.real):
        values, rows = cohort.table.signatures()
        found.append((values, rows, cohort.groups[rows]))
    return tuple(found)


def _too_few(
    sides: Sequence[tuple[Signatures, NDArray[np.intp], NDArray[np.str_]]],
) -> Why | None:
    smallest = min(len(values) for values, _, _ in sides)
    shapes = {values.shape[1:] for values, _, _ in sides}
    if smallest < LEAST:
        return why("too_few", needed=LEAST, what="items with a signature a side", found=smallest)
    if len(shapes) > 1:
        return why(
            "not_applicable",
            why="the cohorts mix images and volumes, which cannot be matched with each other",
            why_zh="数据集中二维图像与三维体数据混杂, 无法相互匹配",
        )
    return None


def _too_few_subjects(
    sides: Sequence[tuple[Signatures, NDArray[np.intp], NDArray[np.str_]]],
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


def _overlooked(found: MemorisationResult) -> list[dict[str, str]]:
    """Say how many planted copies were noticed, and what to do where it was few."""
    if found.sensitivity is None or found.sensitivity.centre is None:
        return []
    share = found.sensitivity.centre
    notes = [
        {
            "en": f"Of copies planted for control (training items flipped, shifted, turned and "
            f"noised a little) {share:.0%} stand out; the upper limit allows for as many "
            "overlooked copies.",
            "zh": f"作为对照植入的拷贝 (训练样本经翻转、平移、旋转与加噪) 中有 {share:.0%} 被识别; "
            "区间上限已计入同样比例的漏检。",
        }
    ]
    if share < 0.5:
        notes.append(
            {
                "en": "Real items resemble each other as much as copies resemble originals. Give "
                "the subjects of all real items; assess each class or body part by itself.",
                "zh": "真实样本彼此之间的相似程度与拷贝和原图相当。请提供全部真实样本的受试者编号, "
                "或按类别、部位分别评价。",
            }
        )
    return notes


def _n(sides: Sequence[tuple[Any, ...]]) -> dict[str, int]:
    names = ("synthetic", "train", "holdout")
    return {name: len(side[0]) for name, side in zip(names, sides, strict=False)}


def _named(cohort: Cohort) -> NDArray[np.bool_]:
    """Mark the items whose path holds a direct identifier."""
    from sdq_imaging.dicom.identifier_patterns import identifiers_in_text

    return np.array(
        [bool(identifiers_in_text(str(PurePosixPath(i)))) for i in cohort.table.ids], dtype=bool
    )
