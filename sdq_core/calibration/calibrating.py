"""``sdq calibrate``: plant defects in a study's real data, and see what its measures say."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from sdq_core.calibration.cases import Case, cases_of, chosen
from sdq_core.calibration.dealing import Pool, deal, read_pool
from sdq_core.calibration.defect import Defect, Planter
from sdq_core.calibration.file import save_calibration
from sdq_core.calibration.model import (
    Calibration,
    CaseRecord,
    Failed,
    LeftOut,
    MeasureTitle,
    Untested,
    Words,
)
from sdq_core.calibration.recording import CarryOut
from sdq_core.calibration.running import Run, run_cases
from sdq_core.calibration.summary import clean_summary, defect_summary
from sdq_core.calibration.unseen import missing_need, not_asked, notes, unseen
from sdq_core.environment import environment, package_versions
from sdq_core.errors import PluginError, StudyError, UsageError
from sdq_core.evaluate import load_study_profile
from sdq_core.modality import Describer, Modality, load_modality
from sdq_core.profiles import Profile
from sdq_core.study import Study
from sdq_core.vocabulary import Role

__all__ = ["SEEDS", "Options", "calibrate"]

SEEDS: Final = 20
"""Runs of each case: a defect found in all of them is found in 83 % at least, with 95 %."""
_FRESH: Final = Words(en="fresh real sample", zh="新的真实样本")


@dataclass(frozen=True)
class Options:
    """What a user may choose.

    Parameters
    ----------
    seeds : int
        Runs of each case, each dealt out anew.
    all_severities : bool
        Whether more than the unacceptable severity is planted.
    only : tuple of str
        Ids of defects; empty for all.
    budget : float or None
        Seconds; a case is started while one like it would still end within it.
    engine : {"processes", "serial"}
    workers : int or None
        Worker processes; by default one for each CPU.
    """

    seeds: int = SEEDS
    all_severities: bool = True
    only: tuple[str, ...] = ()
    budget: float | None = None
    engine: str = "processes"
    workers: int | None = None


def calibrate(
    study: Study,
    out: Path,
    options: Options | None = None,
    *,
    store: Path | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Calibration:
    """Calibrate the measures of a study on its own real data, and write ``calibration.json``.

    Parameters
    ----------
    study : Study
    out : Path
        Folder for ``calibration.json`` and the records of the cases, from which a run that was
        ended goes on.
    options : Options, optional
    store : Path, optional
        Folder of the descriptions; ``out / "store"`` by default.
    progress : callable, optional
        Called with the stage's name, what is done and the total.

    Returns
    -------
    Calibration

    Raises
    ------
    PluginError
        The modality cannot plant defects.
    InputError
        The real data cannot be read, or there are too few of them.
    StudyError
        The profile names a defect or a severity that the modality does not have.
    UsageError
        An option cannot be used.
    StoreError
        An output cannot be written.
    """
    options = options or Options()
    started = time.time()
    modality = load_modality(study.modality)
    profile = load_study_profile(study)
    study = modality.prepared(study)
    planter = _planter(modality, study)
    whole = _as_profiled(planter.defects, profile)
    catalogue = chosen(whole, options.only)
    if options.seeds < 1:
        raise UsageError(f"--runs {options.seeds}: needs at least 1")
    folder = store or out / "store"
    pool = read_pool(
        study,
        modality,
        folder,
        engine=options.engine,
        workers=options.workers,
        progress=progress,
    )
    untested = _untested(catalogue, study, pool, planter)
    plantable = [d for d in catalogue if d.id not in {u.defect for u in untested}]
    cases = cases_of(plantable, options.seeds, all_severities=options.all_severities)
    carry_out = CarryOut(
        study=study,
        profile=profile,
        pool=pool,
        defects=tuple(plantable),
        work=out,
        store=folder.absolute(),
        deadline=None if options.budget is None else started + options.budget,
    )
    describer = modality.describer(study)
    run = run_cases(
        cases,
        carry_out,
        out,
        _basis(study, profile, describer, pool),
        engine=options.engine,
        workers=options.workers,
        progress=progress,
    )
    found = _summary(study, modality, profile, pool, plantable, untested, run, options)
    found = found.model_copy(
        update={
            "notes": (*found.notes, *not_asked(whole, catalogue, options.all_severities)),
            "modality": {
                "name": modality.name,
                "describer": dict(describer.settings),
                "describer_version": describer.version,
            },
            "environment": environment(
                {"calibrate_s": time.time() - started},
                {"carried_out": len(run.records) - run.reused, "reused": run.reused},
                str(describer.settings.get("device", "cpu")),
            ),
        }
    )
    save_calibration(found, out / "calibration.json")
    return found


def _planter(modality: Modality, study: Study) -> Planter:
    planter = modality.planter(study)
    if planter is None:
        raise PluginError(
            f"modality {modality.name!r}: plants no defects, so it cannot be calibrated; ask its "
            f"authors for a catalogue of defects"
        )
    return planter


def _as_profiled(defects: Sequence[Defect], profile: Profile) -> tuple[Defect, ...]:
    """Put the profile's unacceptable severities in place of the catalogue's."""
    known = {d.id: d for d in defects}
    for name, severity in profile.unacceptable.items():
        if name not in known:
            raise StudyError(
                f"profile {profile.name}: unacceptable names the defect {name!r}, which the "
                f"catalogue does not have ({', '.join(known)})"
            )
        if severity not in known[name].severities:
            tested = ", ".join(f"{s:g}" for s in known[name].severities)
            raise StudyError(
                f"profile {profile.name}: unacceptable of {name} is {severity:g}, which is none "
                f"of its severities; choose one of {tested}"
            )
        known[name] = replace(known[name], unacceptable=severity)
    return tuple(known.values())


def _untested(
    defects: Sequence[Defect], study: Study, pool: Pool, planter: Planter
) -> tuple[Untested, ...]:
    found = []
    for defect in defects:
        why = missing_need(defect, study, pool) or planter.unavailable(defect, pool.members)
        if why is not None:
            found.append(
                Untested(
                    defect=defect.id,
                    title=Words(en=defect.title[0], zh=defect.title[1]),
                    reason=Words(en=why["reason"], zh=why["reason_zh"]),
                )
            )
    return tuple(found)


def _basis(study: Study, profile: Profile, describer: Describer, pool: Pool) -> dict[str, Any]:
    """Return all that the record of a case depends on."""
    content = study.without_folders()
    return {
        "study": {k: v for k, v in content.items() if k not in ("name", "description", "profile")},
        "profile": profile.digest,
        "sdq": package_versions().get("sdq"),
        "describer": {
            "name": describer.name,
            "version": describer.version,
            "settings": dict(describer.settings),
        },
        "pool": pool.content(),
        "sizes": {str(role): size for role, size in pool.sizes.items()},
    }


def _summary(
    study: Study,
    modality: Modality,
    profile: Profile,
    pool: Pool,
    defects: Sequence[Defect],
    untested: tuple[Untested, ...],
    run: Run,
    options: Options,
) -> Calibration:
    by_defect: dict[str | None, list[CaseRecord]] = {}
    for record in sorted(run.records.values(), key=lambda r: r.seed):
        by_defect.setdefault(record.defect, []).append(record)
    fresh = by_defect.get(None, [])
    clean = clean_summary(fresh, defects)
    summaries = tuple(defect_summary(d, by_defect.get(d.id, []), fresh) for d in defects)
    sizes = _sizes(pool, list(run.records.values()))
    texts = modality.measures()
    named = {i for d in summaries for s in d.severities for i in s.measures} | set(clean.measures)
    return Calibration(
        sdq=str(package_versions().get("sdq") or ""),
        study=study.without_folders(),
        modality={"name": modality.name},
        profile={"name": profile.name, "version": profile.version, "sha256": profile.digest},
        real=dict(pool.digests),
        pool={
            "items": len(pool.members),
            "subjects": pool.subjects,
            "unreadable": pool.unreadable,
        },
        sizes=sizes,
        seeds=options.seeds,
        notes=notes(study, pool, sizes),
        clean=clean,
        defects=summaries,
        untested=untested,
        left_out=_left_out(run.left_out, defects),
        failed=tuple(
            Failed(defect=c.defect, severity=c.severity, seed=c.seed, reason=reason)
            for c, reason in run.failed.items()
        ),
        unseen=unseen(clean, summaries, untested),
        titles={
            i: MeasureTitle(title=texts[i].title, title_zh=texts[i].title_zh)
            for i in sorted(named)
            if i in texts
        },
    )


def _sizes(pool: Pool, records: Sequence[CaseRecord]) -> dict[Role, int]:
    """Return the most items of each dealt cohort; without any run those of the first deal."""
    fresh = [r for r in records if r.defect is None] or records
    if fresh:
        return {role: max(r.items.get(role, 0) for r in fresh) for role in fresh[0].items}
    dealt = deal(pool, 0)
    parts = {Role.TRAIN: dealt.train, Role.HOLDOUT: dealt.holdout, Role.SYNTHETIC: dealt.fresh}
    return {role: len(part) for role, part in parts.items() if part}


def _left_out(cases: Sequence[Case], defects: Sequence[Defect]) -> tuple[LeftOut, ...]:
    titles = {d.id: Words(en=d.title[0], zh=d.title[1]) for d in defects}
    counted = Counter((case.defect, case.severity) for case in cases)
    return tuple(
        LeftOut(
            defect=defect,
            title=_FRESH if defect is None else titles[defect],
            severity=severity,
            seeds=count,
        )
        for (defect, severity), count in counted.items()
    )
