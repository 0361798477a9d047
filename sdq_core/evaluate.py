"""The way through the house: read, describe, compare, judge, document."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from sdq_core.acceleration import recorded
from sdq_core.calibration.applying import apply_calibration
from sdq_core.calibration.file import load_calibration
from sdq_core.cohort import Cohort, Cohorts
from sdq_core.describe import DescribeReport, describe
from sdq_core.description import DescriptionTable
from sdq_core.environment import environment, package_versions
from sdq_core.errors import InputError
from sdq_core.finding import Finding
from sdq_core.findings_file import count_by_rule, write_findings
from sdq_core.gallery import write_gallery
from sdq_core.in_memory.callable_module import make_callable
from sdq_core.judging import Judgement, characteristic_verdicts, exit_code, judge_all
from sdq_core.labels import join, read_labels
from sdq_core.limits import limits
from sdq_core.lineage import join_lineage, read_lineage
from sdq_core.manifest import cohort_digest, write_manifests
from sdq_core.measurement import Interval, Measurement
from sdq_core.modality import Listing, Modality, load_modality
from sdq_core.profiles import Profile, load_profile
from sdq_core.rare_values import nameable, pooled
from sdq_core.remote.staging import stage
from sdq_core.result import (
    CohortModel,
    CriterionModel,
    FindingsModel,
    IntervalModel,
    MeasurementModel,
    MethodModel,
    Result,
    save_result,
)
from sdq_core.study import Study
from sdq_core.vocabulary import Role

__all__ = [
    "Described",
    "DescribedCohorts",
    "compare",
    "describe_cohorts",
    "document",
    "evaluate",
    "list_cohort",
    "load_study_profile",
    "measurement_model",
    "read_and_describe",
]

make_callable(__name__)  # `sdq_core.evaluate(...)` takes data in memory: `sdq_core.in_memory`

_NO_RULE = ("id", "except_variants", "mandatory", "reason", "reason_zh", "source")

Progress = Callable[[str, int, int], None]
"""Called with the stage's name, what is done and the total."""


@dataclass(frozen=True)
class Described:
    """The first two steps of one study.

    Parameters
    ----------
    study : Study
    modality : Modality
    cohorts : Cohorts
    findings : tuple of Finding
        Of listing, labels and describing; not those of the items themselves.
    report : DescribeReport
    hashes : mapping of Role to mapping of Path to str
        SHA-256 of the files that listing has read anyway.
    """

    study: Study
    modality: Modality
    cohorts: Cohorts
    findings: tuple[Finding, ...]
    report: DescribeReport
    hashes: Mapping[Role, Mapping[Path, str]] = field(default_factory=dict)


def evaluate(
    study: Study,
    out: Path,
    *,
    store: Path | None = None,
    cache: Path | None = None,
    engine: str = "processes",
    workers: int | None = None,
    missing: bool = True,
    progress: Progress | None = None,
    show_real: bool = False,
) -> Result:
    """Evaluate one study and write its result.

    Parameters
    ----------
    study : Study
    out : Path
        Folder for ``result.json``, ``findings.parquet``, ``findings.csv``, ``items.csv``,
        ``files.csv`` and the gallery.
    store : Path, optional
        Folder of the descriptions; ``out / "store"`` by default. Share one between studies, and
        the real side is described once for all generators under test.
    cache : Path, optional
        Folder for copies of what lies in object stores and archives; ``out / "cache"`` by default.
    engine, workers, missing
        As in `describe`.
    progress : callable, optional
    show_real : bool
        Whether real items may appear in the gallery.

    Returns
    -------
    Result

    Raises
    ------
    SdqError
        The input cannot be used, or a file cannot be written.
    """
    started = time.monotonic()
    profile = load_study_profile(study)
    if study.calibration is not None:
        load_calibration(study.calibration)  # what cannot be read must not be met after the work
    staged = stage(study, cache or out / "cache", progress)
    described = read_and_describe(
        staged.study,
        store or out / "store",
        engine=engine,
        workers=workers,
        missing=missing,
        compared=profile.compared,
        progress=progress,
    )
    described = replace(described, findings=(*staged.findings, *described.findings))
    middle = time.monotonic()
    with recorded() as on_device:
        measurements, findings = compare(described, progress)
        judgements = judge_all(measurements, profile)
        timings = {"describe_s": middle - started, "compare_s": time.monotonic() - middle}
        return document(
            described,
            profile,
            judgements,
            findings,
            out,
            timings,
            show_real=show_real,
            on_device=on_device,
            progress=progress,
        )


@dataclass(frozen=True)
class DescribedCohorts:
    """Some cohorts of a study, listed, described and joined with their labels.

    Parameters
    ----------
    cohorts : mapping of Role to Cohort
    findings, report, hashes
        As in `Described`.
    """

    cohorts: Mapping[Role, Cohort]
    findings: tuple[Finding, ...]
    report: DescribeReport
    hashes: Mapping[Role, Mapping[Path, str]]


def read_and_describe(
    study: Study,
    store: Path | None,
    *,
    engine: str = "processes",
    workers: int | None = None,
    keep: bool = True,
    missing: bool = True,
    compared: int | Literal["all"] | None = None,
    progress: Progress | None = None,
) -> Described:
    """List the items of all cohorts and describe those that the store does not hold.

    Parameters
    ----------
    study : Study
    store : Path or None
    engine, workers, keep, missing
        As in `sdq_core.describe.describe`.
    compared : int or "all", optional
        What the profile asks for; see `sdq_core.profiles.Profile`.
    progress : callable, optional

    Raises
    ------
    InputError
        A cohort is missing or empty.
    """
    modality = load_modality(study.modality)
    study = modality.prepared(study)
    roles = [role for role in Role if role in study.cohorts]
    found = describe_cohorts(
        study,
        modality,
        roles,
        store,
        engine=engine,
        workers=workers,
        keep=keep,
        missing=missing,
        progress=progress,
    )
    cohorts = found.cohorts
    return Described(
        study,
        modality,
        Cohorts(
            study,
            cohorts[Role.TRAIN],
            cohorts[Role.SYNTHETIC],
            cohorts.get(Role.HOLDOUT),
            compared,
        ),
        found.findings,
        found.report,
        found.hashes,
    )


def describe_cohorts(
    study: Study,
    modality: Modality,
    roles: Sequence[Role],
    store: Path | None,
    *,
    engine: str = "processes",
    workers: int | None = None,
    keep: bool = True,
    missing: bool = True,
    progress: Progress | None = None,
) -> DescribedCohorts:
    """List, describe and join some cohorts of a study.

    Parameters
    ----------
    study : Study
        Prepared by its modality.
    modality : Modality
    roles : sequence of Role
    store : Path or None
    engine, workers, keep, missing
        As in `sdq_core.describe.describe`.
    progress : callable, optional

    Raises
    ------
    InputError
        A cohort is missing or empty.
    """
    began = time.time()
    listings = {role: list_cohort(modality, study, role) for role in roles}
    # Before the long step: a table that cannot be read must not be met after it.
    lineages = {r: read_lineage(s) for r in roles if (s := study.cohorts[r].lineage)}
    items = [item for listing in listings.values() for item in listing.items]
    report = describe(
        items,
        modality.describer(study),
        store,
        engine=engine,
        workers=workers,
        keep=keep,
        missing=missing,
        hashes={path: h for listing in listings.values() for path, h in listing.hashes.items()},
        since=began,
        progress=None if progress is None else lambda done, n: progress("describe", done, n),
    )
    cohorts: dict[Role, Cohort] = {}
    findings: list[Finding] = []
    start = 0
    for role, listing in listings.items():
        source = study.cohorts[role]
        end = start + len(listing.items)
        table = DescriptionTable(listing.items, report.descriptions[start:end], role=role)
        start = end
        labels = None if source.labels is None else read_labels(source.labels)
        root = source.path if source.path.is_dir() else source.path.parent
        cohorts[role], problems = join(table, role, root, labels)
        if role in lineages:
            lineage = join_lineage(listing.items, root, lineages[role])
            cohorts[role] = replace(cohorts[role], lineage=lineage)
        findings += [_in_role(f, role) for f in (*listing.findings, *problems)]
    hashes = {role: listing.hashes for role, listing in listings.items()}
    return DescribedCohorts(cohorts, tuple(findings), report, hashes)


def compare(
    described: Described, progress: Progress | None = None
) -> tuple[list[Measurement], list[Finding]]:
    """Measure every characteristic.

    Returns
    -------
    measurements : list of Measurement
    findings : list of Finding
        Those of comparing; the items' own stay with their descriptions.
    """
    from sdq_core.statistics import single_thread_blas

    measurements: list[Measurement] = []
    findings: list[Finding] = []
    evaluations = described.modality.characteristics(described.study)
    # One BLAS thread: faster at these sizes, and the same bits on every number of cores.
    with single_thread_blas():
        for number, evaluation in enumerate(evaluations):
            if progress is not None:
                progress(f"compare: {evaluation.characteristic}", number, len(evaluations))
            for output in evaluation.measure(described.cohorts):
                if isinstance(output, Measurement):
                    measurements.append(output)
                else:
                    findings.append(output)
    if progress is not None:
        progress("compare", len(evaluations), len(evaluations))
    return measurements, findings


def document(
    described: Described,
    profile: Profile,
    judgements: Sequence[Judgement],
    findings: Sequence[Finding],
    out: Path,
    timings: dict[str, float],
    *,
    show_real: bool = False,
    on_device: Sequence[Mapping[str, Any]] = (),
    progress: Progress | None = None,
) -> Result:
    """Put everything into the one result and write it with its findings, manifests and gallery."""
    cohorts = described.cohorts
    everything = [
        *described.findings,
        *(f for c in cohorts.all for f in c.table.findings),
        *findings,
    ]
    write_findings(everything, out)
    write_manifests(described.study, cohorts.all, described.hashes, out, progress)
    measurements = [j.measurement for j in judgements if j.measurement is not None]
    texts = described.modality.measures()
    describer = described.modality.describer(described.study)
    study = described.study.without_folders()
    models = {c.role: _cohort(c, cohorts) for c in cohorts.all}
    verdicts = characteristic_verdicts(judgements)
    calibration = None
    if described.study.calibration is not None:
        calibration = apply_calibration(
            described.study.calibration,
            modality=described.modality.name,
            describer_version=describer.version,
            profile=profile,
            sizes={role: model.items for role, model in models.items()},
            digests={role: model.digest for role, model in models.items()},
            sdq=str(package_versions().get("sdq") or ""),
            verdicts=verdicts,
        )
    changed = {} if calibration is None else {c.characteristic: c for c in calibration.changed}
    result = Result(
        study=study,
        profile={
            "name": profile.name,
            "version": profile.version,
            **({"extends": profile.extends} if profile.extends else {}),
            **({} if profile.compared is None else {"compared": str(profile.compared)}),
            "sha256": profile.digest,
        },
        modality={
            "name": described.modality.name,
            "describer": dict(describer.settings),
            "describer_version": describer.version,
        },
        cohorts=models,
        measurements=tuple(measurement_model(j) for j in judgements),
        verdicts=verdicts | {c: change.verdict for c, change in changed.items()},
        findings=FindingsModel(total=len(everything), by_rule=count_by_rule(everything)),
        measures=texts,
        gallery=write_gallery(described.modality, cohorts, measurements, out, show_real=show_real),
        limits=limits(cohorts, measurements, texts),
        calibration=calibration,
        exit_code=exit_code(judgements, changed),  # type: ignore[arg-type]
        environment=environment(
            timings,
            {
                "described": described.report.described,
                "reused": described.report.reused,
                "discarded": list(described.report.discarded),
                "notes": list(described.report.notes),
            },
            str(describer.settings.get("device", "cpu")),
            on_device,  # read after the gallery was made, which adds to it
        ),
    )
    save_result(result, out / "result.json")
    return result


def load_study_profile(study: Study) -> Profile:
    """Return the profile that a study names.

    Raises
    ------
    StudyError
        There is no such profile, or it breaks the schema.
    """
    modality = load_modality(study.modality)
    return load_profile(
        study.profile, modality.profile_folder(), modality.name, modality.default_profile
    )


def list_cohort(modality: Modality, study: Study, role: Role) -> Listing:
    """List the items of one cohort.

    Raises
    ------
    InputError
        The cohort is missing or empty.
    """
    source = study.cohorts[role]
    if not source.path.exists():
        raise InputError(
            f"cohort {role}: {source.path} does not exist; give a folder or a file of items"
        )
    listing = modality.items(source.path, study.settings)
    if not listing.items:
        raise InputError(
            f"cohort {role}: {source.path} holds no item that modality {modality.name!r} reads; "
            f"check the path and the file types"
        )
    return listing


def _in_role(finding: Finding, role: Role) -> Finding:
    return Finding(
        finding.rule,
        finding.severity,
        finding.message,
        finding.message_zh,
        finding.where,
        finding.item,
        finding.role or str(role),
    )


def _cohort(cohort: Cohort, cohorts: Cohorts) -> CohortModel:
    readable = cohort.table.readable

    def counts(values: np.ndarray) -> dict[str, int]:
        return dict(sorted(Counter(values[readable].tolist()).items()))

    return CohortModel(
        items=len(cohort),
        readable=int(readable.sum()),
        subjects=None if cohort.subjects is None else len(np.unique(cohort.subjects[readable])),
        digest=cohort_digest(i.digest for i in cohort.table.items),
        classes=None if cohort.classes is None else counts(cohort.classes),
        attributes={
            name: pooled(counts(values), nameable(cohorts, name))
            for name, values in cohort.attributes.items()
            if len(np.unique(values)) <= 50
        },
    )


def measurement_model(judgement: Judgement) -> MeasurementModel:
    """Return a judged measurement, or a criterion without one, as it stands in the result."""
    measurement, criterion = judgement.measurement, judgement.criterion
    judged = None
    if criterion is not None:
        given = criterion.model_dump(exclude_defaults=True)
        rule = {k: v for k, v in given.items() if k not in _NO_RULE}
        judged = CriterionModel(
            mandatory=criterion.mandatory,
            rule=rule,
            reason=criterion.reason,
            reason_zh=criterion.reason_zh,
            source=criterion.source,
            low=judgement.low,
            high=judgement.high,
        )
    if measurement is None:
        assert criterion is not None, "a judgement has a measurement or a criterion"
        return MeasurementModel(
            id=criterion.id,
            variant=criterion.variant,
            characteristic=criterion.id.split(".")[1],  # type: ignore[arg-type]
            reason="the modality did not produce this measure",
            reason_zh="该模态未产生此项测量",
            criterion=judged,
            verdict=judgement.verdict,
            code=judgement.code,
        )
    return MeasurementModel(
        id=measurement.id,
        variant=measurement.variant,
        characteristic=measurement.characteristic,
        aspect=measurement.aspect,
        value=measurement.value,
        reason=measurement.reason,
        reason_zh=measurement.reason_zh or None,
        unit=measurement.unit,
        better=measurement.better,
        interval=_interval(measurement.interval),
        noise_floor=_interval(measurement.noise_floor),
        n=dict(measurement.n),
        target=measurement.target,
        method=MethodModel(
            name=measurement.method.name,
            source=measurement.method.source,
            parameters=dict(measurement.method.parameters),
            seed=measurement.method.seed,
        ),
        details=dict(measurement.details),
        criterion=judged,
        verdict=judgement.verdict,
        code=judgement.code,
        needed_factor=judgement.needed_factor,
    )


def _interval(interval: Interval | None) -> IntervalModel | None:
    if interval is None:
        return None
    return IntervalModel(
        low=interval.low,
        high=interval.high,
        level=interval.level,
        method=interval.method,
        centre=interval.centre,
    )
