"""One case carried out: deal, write, plant, evaluate, and keep what matters of it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex

import numpy as np

from sdq_core.calibration.cases import Case, seed_of
from sdq_core.calibration.dealing import Deal, Pool, deal
from sdq_core.calibration.defect import Defect, Planter
from sdq_core.calibration.model import CaseRecord, Reading
from sdq_core.calibration.staging import private_folder, removed, staged_once
from sdq_core.cohort import Cohorts
from sdq_core.errors import PluginError, StoreError
from sdq_core.evaluate import (
    Described,
    compare,
    describe_cohorts,
    measurement_model,
    read_and_describe,
)
from sdq_core.finding import Finding
from sdq_core.findings_file import count_by_rule
from sdq_core.judging import Judgement, characteristic_verdicts, judge_all
from sdq_core.modality import load_modality
from sdq_core.profiles import Profile
from sdq_core.study import CohortSource, Purpose, Study
from sdq_core.vocabulary import Role

__all__ = ["CarryOut", "Outcome", "record"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a case.

    Parameters
    ----------
    case : Case
    record : CaseRecord or None
    reason : str
        Why there is no record; empty where the budget had been used up.
    """

    case: Case
    record: CaseRecord | None = None
    reason: str = ""


@dataclass
class CarryOut:
    """Carries out cases: the function that travels to the workers.

    Parameters
    ----------
    study : Study
        Prepared, with the settings of its modality.
    profile : Profile
    pool : Pool
    defects : tuple of Defect
    work : Path
        Folder for dealt cohorts.
    store : Path
        Folder of the descriptions.
    deadline : float or None
        Time since the epoch after which no case should still run.
    """

    study: Study
    profile: Profile
    pool: Pool
    defects: tuple[Defect, ...]
    work: Path
    store: Path
    deadline: float | None = None
    _planter: Planter | None = field(default=None, init=False, repr=False)
    _typical: float = field(default=0.0, init=False, repr=False)
    """Seconds that the last case of this process took."""

    def __call__(self, cases: Sequence[Case]) -> list[Outcome]:
        """Carry out some cases; a case that fails gives its reason.

        Raises
        ------
        StoreError
            The disk cannot take what is written: no further case would fare better.
        """
        return [self._outcome(case) for case in cases]

    def _outcome(self, case: Case) -> Outcome:
        if self.deadline is not None and time.time() + self._typical > self.deadline:
            return Outcome(case)
        started = time.monotonic()
        try:
            found = self._record(case)
        except StoreError:
            raise
        except Exception as error:  # planters and measures may fail in any way; the rest goes on
            # Type and place only: a message may name a real item.
            last = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(last.filename).name}:{last.lineno}"
            return Outcome(case, None, f"{type(error).__name__} at {place}")
        self._typical = time.monotonic() - started
        return Outcome(case, found.model_copy(update={"seconds": round(self._typical, 3)}))

    def _record(self, case: Case) -> CaseRecord:
        dealt = deal(self.pool, case.seed)
        folder = self.work / f"seed-{case.seed}"
        sources = staged_once(folder, lambda path: self._write(dealt, case.seed, path))
        room = private_folder(self.work / f"case-{token_hex(6)}") if case.defect else None
        try:
            if room is not None:
                sources = {**sources, Role.SYNTHETIC: self._plant(case, dealt, room)}
            described = read_and_describe(
                self._study(case.seed, sources),
                self.store,
                engine="serial",
                keep=False,
                compared=self.profile.compared,
            )
            measurements, findings = compare(described)
            judgements = judge_all(measurements, self.profile)
            return record(case, described, judgements, findings)
        finally:
            if room is not None:
                removed(room)

    def _write(self, dealt: Deal, seed: int, folder: Path) -> dict[Role, CohortSource]:
        """Write the parts of one deal as they are, and describe them for all cases of the deal."""
        planter = self._hand()
        sources = {
            Role.TRAIN: planter.write(dealt.train, folder / "train", synthetic=False),
            Role.SYNTHETIC: planter.write(dealt.fresh, folder / "synthetic", synthetic=True),
        }
        if dealt.holdout:
            sources[Role.HOLDOUT] = planter.write(
                dealt.holdout, folder / "holdout", synthetic=False
            )
        modality = load_modality(self.study.modality)
        study = modality.prepared(self._study(seed, sources))
        describe_cohorts(study, modality, list(sources), self.store, engine="serial")
        return sources

    def _plant(self, case: Case, dealt: Deal, folder: Path) -> CohortSource:
        defect = next(d for d in self.defects if d.id == case.defect)
        assert case.severity is not None, "a defect has a severity"
        # The severity stays out of the seed: the same items carry a defect in all its severities.
        rng = np.random.default_rng(seed_of(self.study.seed, case.seed, case.defect))
        return self._hand().plant(
            defect, case.severity, dealt.fresh, dealt.train, rng, folder / "synthetic"
        )

    def _study(self, seed: int, sources: dict[Role, CohortSource]) -> Study:
        """Return the study of one deal: asks of the data what the user's study asks.

        What is declared of the purpose (amounts, intended shares, an AUC to reach) is a demand
        on the study, which a part of its real data need not meet.
        """
        return self.study.model_copy(
            update={
                "cohorts": sources,
                "seed": seed_of(self.study.seed, "deal", seed),
                "purpose": Purpose(description=self.study.purpose.description),
            }
        )

    def _hand(self) -> Planter:
        if self._planter is None:
            self._planter = load_modality(self.study.modality).planter(self.study)
            if self._planter is None:
                raise PluginError(f"modality {self.study.modality!r} plants no defects")
        return self._planter


def record(
    case: Case,
    described: Described,
    judgements: Sequence[Judgement],
    findings: Sequence[Finding],
) -> CaseRecord:
    """Return what a case tells, without a name or content of any item.

    Parameters
    ----------
    case : Case
    described : Described
    judgements : sequence of Judgement
    findings : sequence of Finding
        Of comparing.
    """
    cohorts = described.cohorts
    everything = [*described.findings, *cohorts.synthetic.table.findings, *findings]
    # A finding without a role is about the comparison, so about the cohort under test.
    under_test = [f for f in everything if f.role in (Role.SYNTHETIC, "")]
    counted: dict[str, int] = {}
    for found in count_by_rule(under_test):
        counted[found.rule] = max(counted.get(found.rule, 0), found.items)
    return CaseRecord(
        defect=case.defect,
        severity=case.severity,
        seed=case.seed,
        items={c.role: len(c) for c in cohorts.all},
        subjects=_subjects(cohorts),
        verdicts=characteristic_verdicts(judgements),
        measurements=tuple(_reading(j) for j in judgements),
        rules=dict(sorted(counted.items())),
    )


def _subjects(cohorts: Cohorts) -> dict[Role, int]:
    return {c.role: len(set(c.groups.tolist())) for c in cohorts.all}


def _reading(judgement: Judgement) -> Reading:
    model = measurement_model(judgement)
    interval, criterion = model.interval, model.criterion
    return Reading(
        id=model.id,
        variant=model.variant,
        characteristic=model.characteristic,
        value=model.value,
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        verdict=model.verdict,
        code=model.code,
        mandatory=criterion is not None and criterion.mandatory,
    )
