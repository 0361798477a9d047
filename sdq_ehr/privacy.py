"""Privacy of health records: compliance, copies, membership, and the three risks of WP216.

What is measured by nearness is a screen: it can fail a data set and never prove it safe.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.evaluation import Part
from sdq_core.cohort import Cohorts
from sdq_core.finding import Finding
from sdq_core.measurement import Measurement, Method
from sdq_core.reasons import Why, why
from sdq_core.statistics.matches import CopySearch, Matches
from sdq_core.statistics.mixed_rows import MixedRows
from sdq_core.statistics.nearest_mixed import nearest_rows
from sdq_core.statistics.nearest_reference import nearest_is_train
from sdq_core.vocabulary import Role, Severity
from sdq_ehr.attacks.membership import membership_scores, worst_attack
from sdq_ehr.attacks.memorisation import Memorisation, memorised
from sdq_ehr.attacks.sides import Compared, Sides
from sdq_ehr.attacks.subgroups import in_small_groups, with_rare_codes
from sdq_ehr.exact_copies import (
    beside_train,
    contaminated,
    copies_of_holdout,
    reused_keys,
    same_patients,
    without_relaxation,
)
from sdq_ehr.judged import identifiers_of
from sdq_ehr.privacy_compared import sizes, without_generator
from sdq_ehr.privacy_readings import ATTACK, NO_PROOF, membership_pair, notes_on_copies
from sdq_ehr.privacy_risks import PatientRisks
from sdq_ehr.records import dataset_of, records_of
from sdq_ehr.text_copies import copied_in_part, verbatim

__all__ = ["EhrPrivacy"]

LEAST_MEMBERS: Final = 50
"""Fewest members and non-members of a group that is attacked by itself."""
NOTABLE: Final = 0.05
"""Probability by chance below which single patients are named in findings."""
MOST_SUSPECTS: Final = 2000
GROUPS: Final = ("rare-codes", "small-groups")
"""Patients who are attacked by themselves: variants of the membership measures."""


class EhrPrivacy(PatientRisks):
    """Compliance by identifiers; attacks on patients, whole and in groups."""

    def parts(self) -> Sequence[Part]:
        """Return compliance first, then the attacks."""
        return (
            Part(("identifier_share",), self.identifiers),
            Part(("exact_copy_share",), self.exact_copies),
            Part(("memorised_share",), self.memorised),
            Part(("membership_auc", "membership_tpr_at_1pct_fpr"), self.attack),
            Part(("nearest_is_train_share",), self.nearest),
            Part(("singling_out_risk",), self.singling_out),
            Part(("linkability_risk",), self.linkability),
            Part(("inference_risk",), self.inference),
            Part(("k_anonymity",), self.anonymity),
        )

    def identifiers(self, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
        """Measure the share of patients with an identifier, and judge keys and columns as such."""
        yield from super().identifiers(cohorts)
        found = identifiers_of(dataset_of(cohorts, Role.SYNTHETIC)).findings
        yield from (replace(f, role=str(Role.SYNTHETIC)) for f in found)

    def void(self, cohorts: Cohorts) -> Why | None:
        """Return why no attack can be calibrated; patients under two numbers are one patient."""
        found = super().void(cohorts)
        again = () if found is not None else same_patients(cohorts)
        return why("shared_subjects", count=len(again)) if again else found

    def exact_copies(self, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
        """Measure the shares of patients that are copies of train, and of the holdout."""
        again = same_patients(cohorts)
        for there, here in again:
            yield Finding(
                "ehr.roles.same_patient",
                Severity.ERROR,
                f"says the same as the training patient {cohorts.train.table.ids[here]}, whatever "
                "its number: a patient in both cohorts calibrates nothing; split the patients anew",
                f"与训练患者 {cohorts.train.table.ids[here]} 记录内容相同(编号不同): "
                "同一患者出现在两个数据集中, 校准失效; 请重新划分患者",
                item=str(cohorts.holdout.table.ids[there]) if cohorts.holdout else "",
                role="holdout",
            )
        spoilt = contaminated(cohorts)
        if spoilt:
            yield Finding(
                "ehr.roles.holdout_holds_train",
                Severity.ERROR,
                "the holdout holds patients of train, perhaps under other numbers: what it is to "
                "calibrate cannot be trusted; split the patients anew",
                "留出集含有训练集的患者(可能编号不同), 以其校准的结果不可信; 请重新划分患者",
                role="holdout",
            )
        spoilt = spoilt or bool(again)
        size = 0 if cohorts.holdout is None else len(cohorts.holdout)
        for output in super().exact_copies(cohorts):
            judged = isinstance(output, Measurement) and output.value is not None
            if spoilt and judged:
                yield without_relaxation(output, size)  # type: ignore[arg-type]
            elif cohorts.holdout is None and judged:
                yield beside_train(output, cohorts)  # type: ignore[arg-type]
            else:
                yield output
        yield from copies_of_holdout(cohorts, self.id("exact_copy_share"), spoilt=spoilt)
        yield from verbatim(cohorts, self.id("exact_copy_share"), spoilt=spoilt)
        yield reused_keys(cohorts, self.id("exact_copy_share"))

    def memorised(self, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
        """Estimate the share of synthetic patients copied from train: wholly, in part, in text."""
        id_ = self.id("memorised_share")
        yield from self.whole_patients(cohorts, id_)
        yield from copied_in_part(cohorts, id_, self.void(cohorts))

    def whole_patients(self, cohorts: Cohorts, id_: str) -> Iterator[Measurement | Finding]:
        """Compare patients as rows of numbers and categories."""
        compared = self.compared(cohorts)
        if not isinstance(compared, Compared):
            for variant in (None, "partial"):
                yield Measurement(id_, variant=variant, aspect=ATTACK, **compared)
            return
        seed = cohorts.seed(id_) % 2**32
        whole, partial = memorised(compared.sides, seed=seed)
        suspects = _suspects(cohorts, compared, whole)
        for variant, found in ((None, whole), ("partial", partial)):
            yield Measurement(
                id_,
                value=found.share,
                better="lower",
                unit="share",
                aspect=ATTACK,
                variant=variant,
                interval=found.interval,
                noise_floor=found.reverse,
                n=sizes(compared),
                method=Method(
                    f"share of patients nearer to train than to the holdout by more than chance; "
                    f"{NO_PROOF}",
                    "McNemar 1947, doi:10.1007/BF02295996; Fellegi & Sunter 1969, "
                    "doi:10.1080/01621459.1969.10501049; planted copies: Rogan & Gladen 1978, "
                    "doi:10.1093/oxfordjournals.aje.a112510; limits: Yao et al., arXiv:2505.01524",
                    {"search": self.search_name},
                    seed,
                ),
                details={
                    "suspects": suspects if variant is None else [],
                    "notes": notes_on_copies(found, "partial" if variant else "whole"),
                    "planted_copies_noticed": found.noticed.centre,
                    "flagged": int(found.flagged.sum()),
                    "expected_by_chance": found.expected,
                    "p": found.p_value,
                },
            )
        # As many as chance gives are no reason to suspect anyone.
        if whole.p_value < NOTABLE and whole.interval.low > 0:
            for suspect in suspects:
                yield Finding(
                    f"{self.modality}.privacy.near_copy",
                    Severity.WARNING,
                    f"lies conspicuously near the training patient {suspect['real']}; compare them",
                    f"与训练患者 {suspect['real']} 异常接近, 请人工比对",
                    item=str(suspect["synthetic"]),
                    role="synthetic",
                )

    def attack(self, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
        """Attack membership by several attackers; also of rare-code patients and small groups."""
        ids = self.id("membership_auc"), self.id("membership_tpr_at_1pct_fpr")
        compared = self.compared(cohorts)
        if not isinstance(compared, Compared):
            for variant in (None, *GROUPS):
                for id_ in ids:
                    yield Measurement(id_, variant=variant, aspect=ATTACK, **compared)
            return
        seed = cohorts.seed(ids[0]) % 2**32
        scores = membership_scores(compared.sides, seed=seed)
        member, groups = _members(cohorts, compared)
        whole = worst_attack(scores, member, groups, seed=seed)
        yield from membership_pair(ids, whole, member, scores[whole.worst], seed)
        plain = next(a.curve for a in whole.attacks if a.name == "distance")
        if plain.auc_interval.high < 0.5:
            yield Finding(
                "core.roles.swapped",
                Severity.WARNING,
                "holdout patients lie nearer to the synthetic set than training patients: check "
                "that the roles train and holdout are not swapped",
                "留出患者比训练患者更接近合成数据: 请检查训练集与留出集的角色是否颠倒",
                role="train",
            )
        for variant, chosen in self._endangered(cohorts, compared):
            inside = chosen & member, chosen & ~member
            if min(int(f.sum()) for f in inside) < LEAST_MEMBERS:
                reason = why(
                    "not_applicable",
                    why=f"the real cohorts have too few such patients: needs {LEAST_MEMBERS} in "
                    "train and in the holdout",
                    why_zh=f"真实数据中此类患者过少: 训练集与留出集各需 {LEAST_MEMBERS} 名",
                )
                for id_ in ids:
                    yield Measurement(
                        id_, variant=variant, aspect=ATTACK, applicable=False, **reason
                    )
                continue
            part = {name: s[chosen] for name, s in scores.items()}
            found = worst_attack(part, member[chosen], groups[chosen], seed=seed)
            own = part[found.worst]
            yield from membership_pair(ids, found, member[chosen], own, seed, variant)
        yield from self.shadow(cohorts)

    def shadow(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Attack the generator itself, only where the study names it."""
        name = cohorts.study.settings.get("generator")
        if not isinstance(name, str) or self.void(cohorts) is not None:
            return
        from sdq_ehr.attacks.generator_runs import attack_generator
        from sdq_ehr.attacks.shadow import load_generator

        ids = self.id("membership_auc"), self.id("membership_tpr_at_1pct_fpr")
        seed = cohorts.seed(f"{ids[0]}/shadow") % 2**32
        found = attack_generator(without_generator(cohorts), load_generator(name), seed=seed)
        yield from membership_pair(ids, found, None, None, seed, "shadow")

    def nearest(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure how often the nearest real patient is a training patient, at equal numbers."""
        id_ = self.id("nearest_is_train_share")
        compared = self.compared(cohorts)
        if not isinstance(compared, Compared):
            yield Measurement(id_, aspect=ATTACK, **compared)
            return
        seed = cohorts.seed(id_) % 2**32
        train, holdout, made = (_plain(r) for r in compared.sides.encoded)
        groups = [_groups(cohorts, compared, role) for role in (Role.TRAIN, Role.HOLDOUT)]
        found = nearest_is_train(
            made,
            train,
            holdout,
            search=_search(compared.sides),
            train_subjects=groups[0],
            holdout_subjects=groups[1],
            seed=seed,
        )
        yield Measurement(
            id_,
            value=found.share,
            better="lower",
            unit="share",
            aspect=ATTACK,
            interval=found.interval,
            noise_floor=found.null,
            n=sizes(compared),
            method=Method(
                "share of synthetic patients whose nearest real patient is a training patient, "
                f"real sets subsampled to one size; {NO_PROOF}",
                "Platzer & Reutterer 2021, doi:10.3389/fdata.2021.679939",
                {"patients_a_side": found.size, "p": found.p_value},
                seed,
            ),
        )

    def _endangered(
        self, cohorts: Cohorts, compared: Compared
    ) -> Iterator[tuple[str, NDArray[np.bool_]]]:
        records = records_of(without_generator(cohorts))
        real = np.concatenate([compared.patients[r] for r in (Role.TRAIN, Role.HOLDOUT)])
        yield GROUPS[0], with_rare_codes(records, real)
        small = in_small_groups(records, real)
        yield GROUPS[1], np.zeros(len(real), bool) if small is None else small


def _search(sides: Sides) -> CopySearch:
    """Search by distance among rows of which numbers and codes stand side by side."""
    numbers = sides.train.numbers.shape[1]

    def split(rows: NDArray[Any]) -> MixedRows:
        return MixedRows(rows[:, :numbers].astype(np.float64), rows[:, numbers:].astype(np.int32))

    def matches(query: Any, reference: Any, *, top: int = 20, **_: Any) -> Matches:
        k = min(top, len(reference))
        distances, indices = nearest_rows(split(query), split(reference), k, device=sides.device)
        return Matches(-distances, indices, (None,) * len(indices))

    def planted(rows: Any, n: int, rng: np.random.Generator) -> Any:
        raise NotImplementedError  # the nearest real patient needs no planted copies

    return CopySearch(matches, planted, 0.0)


def _plain(rows: MixedRows) -> NDArray[np.float32]:
    return np.concatenate([rows.numbers, rows.categories], axis=1).astype(np.float32)


def _groups(cohorts: Cohorts, compared: Compared, role: Role) -> NDArray[np.str_]:
    cohort = next(c for c in cohorts.all if c.role == role)
    return cohort.groups[compared.rows[role]]


def _members(cohorts: Cohorts, compared: Compared) -> tuple[NDArray[np.bool_], NDArray[np.str_]]:
    """Who of the compared real patients is a member, and subjects."""
    groups = [_groups(cohorts, compared, role) for role in (Role.TRAIN, Role.HOLDOUT)]
    member = np.repeat([True, False], [len(g) for g in groups])
    return member, np.concatenate(groups)


def _suspects(cohorts: Cohorts, compared: Compared, found: Memorisation) -> list[dict[str, Any]]:
    """Name flagged synthetic patients and whom they resemble, most conspicuous first."""
    flagged = np.flatnonzero(found.flagged)
    order = flagged[np.argsort(-found.scores[flagged], kind="stable")][:MOST_SUSPECTS]
    made, train = compared.rows[Role.SYNTHETIC], compared.rows[Role.TRAIN]
    return [
        {
            "synthetic": str(cohorts.synthetic.table.ids[made[k]]),
            "real": str(cohorts.train.table.ids[train[found.originals[k]]]),
            "score": round(float(found.scores[k]), 2),
        }
        for k in order.tolist()
    ]
