"""The three risks of WP216 for health records, and the anonymity of quasi-identifiers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np

from sdq_core.cohort import Cohorts
from sdq_core.measurement import Measurement, Method
from sdq_core.reasons import Why, why
from sdq_core.vocabulary import Role
from sdq_ehr.attacks.inference import inference
from sdq_ehr.attacks.linkability import linkability
from sdq_ehr.attacks.one_column import LEAST_CLAIMS, one_column
from sdq_ehr.attacks.sides import Compared, Sides
from sdq_ehr.attacks.singling_out import singling_out
from sdq_ehr.attacks.uniqueness import Uniqueness, quasi_identifiers, uniqueness
from sdq_ehr.privacy_compared import PatientAttacks, sizes, too_few, without_generator
from sdq_ehr.privacy_readings import ATTACK, NO_PROOF, risk_measurement
from sdq_ehr.records import records_of

__all__ = ["PatientRisks"]

ONE_COLUMN: Final = "one-column"
MOST_RANKED: Final = 20


class PatientRisks(PatientAttacks):
    """Singling out, linkability, inference, and k-anonymity."""

    def singling_out(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Attack by claims that a description fits exactly one person."""
        id_ = self.id("singling_out_risk")
        compared = self.compared(cohorts)
        if not isinstance(compared, Compared):
            for variant in (None, ONE_COLUMN):
                yield Measurement(id_, variant=variant, aspect=ATTACK, **compared)
            return
        seed = cohorts.seed(id_) % 2**32
        found = singling_out(compared.sides, seed=seed)
        yield risk_measurement(
            id_,
            found,
            sizes(compared),
            "share of synthetic patients around whom exactly one training patient lies, beyond "
            "that of the holdout",
            "WP216 opinion 05/2014, singling out; Cohen & Nissim 2020, doi:10.1073/pnas.1914598117",
            seed,
        )
        yield replace(_by_one_column(id_, compared, seed), variant=ONE_COLUMN)

    def linkability(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Attack by linking two halves of a record through the synthetic patients."""
        id_ = self.id("linkability_risk")
        compared = self.compared(cohorts)
        if not isinstance(compared, Compared):
            yield Measurement(id_, aspect=ATTACK, **compared)
            return
        seed = cohorts.seed(id_) % 2**32
        found = linkability(compared.sides, seed=seed)
        if found is None:
            yield Measurement(id_, aspect=ATTACK, applicable=False, **_few_columns(4))
            return
        yield risk_measurement(
            id_,
            found,
            sizes(compared),
            "share of training patients whose two halves are linked among 100 candidates, beyond "
            "that of the holdout",
            "WP216 opinion 05/2014, linkability; Fellegi & Sunter 1969, "
            "doi:10.1080/01621459.1969.10501049",
            seed,
        )

    def inference(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Attack by guessing one column from the others; the worst secret counts."""
        id_ = self.id("inference_risk")
        compared = self.compared(cohorts)
        if not isinstance(compared, Compared):
            yield Measurement(id_, aspect=ATTACK, **compared)
            return
        seed = cohorts.seed(id_) % 2**32
        found = inference(compared.sides, _secrets(cohorts, compared.sides), seed=seed)
        if found is None:
            yield Measurement(id_, aspect=ATTACK, applicable=False, **_few_columns(3))
            return
        names = compared.sides.names
        yield risk_measurement(
            id_,
            found.worst,
            sizes(compared),
            "share of training patients of whom the worst secret is guessed right, beyond that of "
            "the holdout",
            "WP216 opinion 05/2014, inference; limits of the worst: Bonferroni",
            seed,
            {
                "secret": names[found.column],
                "ranking": [
                    {
                        "feature": names[j],
                        "value": one.risk.value,
                        "low": one.risk.interval.low,
                        "high": one.risk.interval.high,
                    }
                    for j, one in sorted(found.each.items(), key=lambda e: -e[1].risk.value)
                ],
            },
        )

    def anonymity(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Count classes of equal quasi-identifiers, and whom unique synthetic patients match."""
        id_ = self.id("k_anonymity")
        records = records_of(without_generator(cohorts))
        declared = quasi_identifiers(records)
        if declared is None:
            reason = why(
                "not_applicable",
                why="no quasi-identifier is declared: mark columns of the patient table with "
                "quasi_identifier in the schema",
                why_zh="未声明准标识符: 请在模式文件中为患者表的列标注 quasi_identifier",
            )
            for variant in (None, "unique-match"):
                yield Measurement(id_, variant=variant, aspect=ATTACK, **reason)
            return
        codes, names = declared
        rows = {
            c.role: codes[records.starts[c.role] + np.flatnonzero(c.table.readable)]
            for c in cohorts.all
        }
        if min(len(r) for r in rows.values()) == 0:
            yield Measurement(id_, aspect=ATTACK, **too_few(0, 1))
            return
        seed = cohorts.seed(id_) % 2**32
        void = self.void(cohorts)
        holdout = None if void is not None else rows.get(Role.HOLDOUT)
        found = uniqueness(rows[Role.SYNTHETIC], rows[Role.TRAIN], holdout, seed=seed)
        n = {str(role): len(r) for role, r in rows.items()}
        yield Measurement(
            id_,
            value=float(found.synthetic.smallest),
            better="higher",
            unit="patients",
            aspect=ATTACK,
            n={"synthetic": n["synthetic"], "train": n["train"]},
            method=Method(
                "smallest class of synthetic patients with equal quasi-identifiers; small classes "
                "of synthetic patients are no leak by themselves",
                "Sweeney 2002, doi:10.1142/S0218488502001648",
                {"quasi_identifiers": list(names)},
            ),
            details={"table": _classes(found)},
        )
        yield self._unique_match(id_, found, void, n, seed)

    def _unique_match(
        self, id_: str, found: Uniqueness, void: Why | None, n: dict[str, int], seed: int
    ) -> Measurement:
        known: dict[str, Any] = {"variant": "unique-match", "aspect": ATTACK, "n": n}
        if void is not None:
            return Measurement(id_, **known, **void)
        if found.matches is None:
            return Measurement(
                id_,
                **known,
                applicable=False,
                **why(
                    "not_applicable",
                    why="no synthetic patient is unique in the quasi-identifiers",
                    why_zh="没有合成患者在准标识符上是唯一的",
                ),
            )
        return Measurement(
            id_,
            value=found.matches.value,
            better="lower",
            unit="share",
            interval=found.matches.interval,
            noise_floor=found.matches.control,
            **known,
            method=Method(
                "share of unique synthetic patients who match a unique training patient, beyond "
                f"that of the holdout; {NO_PROOF}",
                "Sweeney 2002, doi:10.1142/S0218488502001648; MOVER: Zou & Donner 2008, "
                "doi:10.1002/sim.3095",
                {"unique": found.unique},
                seed,
            ),
            details={
                "attack_success": found.matches.attack.centre,
                "control_success": found.matches.control.centre,
            },
        )


def _by_one_column(id_: str, compared: Compared, seed: int) -> Measurement:
    """Attack by descriptions of one column each."""
    found = one_column(compared.sides, seed=seed)
    if found is None:
        reason = why(
            "not_applicable",
            why=f"fewer than {LEAST_CLAIMS} values stand once in the synthetic data: there is too "
            "little by which one column could single anyone out",
            why_zh=f"合成数据中仅出现一次的取值不足 {LEAST_CLAIMS} 个, 难以凭单列孤立个人",
        )
        return Measurement(id_, aspect=ATTACK, applicable=False, **reason)
    return risk_measurement(
        id_,
        found,
        sizes(compared),
        "share of values that stand once in the synthetic data, and of extremes, that single out a "
        "training patient among all real patients, beyond that of the holdout at equal numbers",
        "WP216 opinion 05/2014, singling out; Giomi et al. 2023, doi:10.56553/popets-2023-0055",
        seed,
        {
            "claims": found.claims,
            "fits_one_training_patient": found.success,
            "fits_one_holdout_patient": found.control_success,
            "table": {
                "columns": [
                    {"en": "column", "zh": "列"},
                    {"en": "descriptions", "zh": "描述数"},
                    {"en": "single out: train", "zh": "孤立训练患者"},
                    {"en": "holdout", "zh": "孤立留出患者"},
                ],
                "rows": [list(row) for row in found.columns[:MOST_RANKED]],
            },
        },
    )


def _secrets(cohorts: Cohorts, sides: Sides) -> list[int]:
    """Columns that the schema declares as sensitive, by their place in the rows."""
    declared = {
        f"{table}.{column}"
        for table, column, about in records_of(without_generator(cohorts)).schema.columns()
        if about.sensitive
    }
    return [j for j, n in enumerate(sides.names) if n.split(" [")[0].split(": ")[0] in declared]


def _few_columns(needed: int) -> Why:
    return why(
        "not_applicable",
        why=f"needs at least {needed} columns in which real patients differ",
        why_zh=f"至少需要 {needed} 个真实患者取值不同的列",
    )


def _classes(found: Uniqueness) -> dict[str, Any]:
    sides = (found.synthetic, found.train)
    return {
        "columns": [
            "",
            {"en": "synthetic", "zh": "合成数据集"},
            {"en": "train", "zh": "训练集"},
        ],
        "rows": [
            ["k", *(s.smallest for s in sides)],
            ["k < 5", *(round(s.below, 4) for s in sides)],
            ["k = 1", *(round(s.unique, 4) for s in sides)],
        ],
    }
