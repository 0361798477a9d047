"""The review's measurements in the result: judged by plan and profile, verdicts taken anew."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from sdq_core.calibration.applying import renewed
from sdq_core.errors import ReviewError
from sdq_core.evaluate import measurement_model
from sdq_core.files import atomic_write
from sdq_core.judging import Code, Judgement, characteristic_verdicts, exit_code, judge
from sdq_core.measurement import Measurement
from sdq_core.modality import load_modality
from sdq_core.profiles import Criterion, Profile, load_profile
from sdq_core.result import MeasurementModel, MeasureText, Result, load_result, save_result
from sdq_core.review.analysis import measurements_of
from sdq_core.review.closing import checked, revealed
from sdq_core.review.exporting import to_jsonl
from sdq_core.review.plan import ReviewPlan
from sdq_core.review.readings import readings_of
from sdq_core.review.store import Store

__all__ = ["add_to_result", "criterion_of", "log_name", "merged"]

"""The whole log, beside the result."""


def add_to_result(store: Store, path: Path) -> list[str]:
    """Analyse a closed review and add it to a result.

    Parameters
    ----------
    store : Store
    path : Path
        ``result.json``; it is rewritten, and the log written beside it.

    Returns
    -------
    list of str
        What was found, in words.

    Raises
    ------
    ReviewError
        The study is open, or the result is of other data.
    """
    entries = checked(store)
    key = revealed(entries)
    content = store.content()
    plan = ReviewPlan.model_validate(content["plan"])
    result = load_result(path)
    _check_same_data(result, content)
    readings = readings_of(store, key)
    opened = entries[0].content
    about = {
        "name": plan.name, "plan_sha256": plan.digest, "seal": key.seal,
        "log_entries": len(entries), "log_head": entries[-1].hash,
        "opened": entries[0].at,
        "closed": next(e.at for e in entries if e.kind == "closed"),
        "leak": opened["leak"], "visible": opened["visible"],
        "refused": sum(e.kind == "refused" for e in entries),
        "log_sha256": _sha256(to_jsonl(store)), "log_file": log_name(plan),
    }  # fmt: skip
    if plan.power is not None:
        about["power"] = plan.power.model_dump()
    measured = measurements_of(readings, content["modality"], about)
    profile = _profile(result)
    judgements = [judge(m, criterion_of(m, plan, profile)) for m in measured]
    added = merged(result, judgements, _texts(content["modality"]))
    atomic_write(path.with_name(log_name(plan)), to_jsonl(store))
    save_result(added, path)
    return [_line(j) for j in judgements]


def log_name(plan: ReviewPlan) -> str:
    """Return the name of a review's log beside the result; each review has its own."""
    return f"review-{plan.digest[:8]}.jsonl"


def _check_same_data(result: Result, content: dict[str, Any]) -> None:
    if result.modality.get("name") != content["modality"]:
        raise ReviewError(
            f"result: is of modality {result.modality.get('name')!r}, the review of "
            f"{content['modality']!r}; give the result of the study that was reviewed"
        )
    for role, digest in content["cohorts"].items():
        cohort = {str(r): c for r, c in result.cohorts.items()}.get(role)
        if cohort is None or cohort.digest != digest:
            raise ReviewError(
                f"result: its cohort {role} is not the one from which the cases were drawn; "
                f"evaluate the data that were reviewed, or review those that were evaluated"
            )


def _profile(result: Result) -> Profile | None:
    """Return the profile of the result, for criteria of its own; None if it is gone."""
    from sdq_core.errors import SdqError

    try:
        modality = load_modality(str(result.modality["name"]), check_requirements=False)
        found = load_profile(
            str(result.study.get("profile", "default")), modality.profile_folder(), modality.name,
            modality.default_profile,
        )  # fmt: skip
    except SdqError:
        return None
    same = (found.name, found.version) == (result.profile["name"], result.profile["version"])
    return found if same else None


def criterion_of(
    measurement: Measurement, plan: ReviewPlan, profile: Profile | None
) -> Criterion | None:
    """Return what a measurement of the review is judged by.

    A criterion of the profile comes first; else the margin that the plan stated before the first
    reading. Agreement has none: it says how far the rest can be relied on.

    Examples
    --------
    >>> plan = ReviewPlan(study="s.yaml", readers=("r1",), cases={"real": 9, "synthetic": 9})
    >>> m = Measurement("imaging.fidelity.review_auc", 0.5)
    >>> found = criterion_of(m, plan, None)
    >>> (found.at_least, found.at_most)
    (0.4, 0.6)
    """
    if profile is not None:
        exact = {(c.id, c.variant): c for c in profile.criteria}
        found = exact.get((measurement.id, measurement.variant))
        shared = exact.get((measurement.id, None))
        if found is None and shared is not None:
            found = None if measurement.variant in shared.except_variants else shared
        if found is not None:
            return found
    stated: dict[str, Any] = {
        "id": measurement.id, "variant": measurement.variant, "mandatory": plan.mandatory,
        "source": f"Review plan, SHA-256 {plan.digest}",
    }  # fmt: skip
    measure = measurement.id.rsplit(".", 1)[-1]
    if measure == "review_auc":
        return Criterion(
            **stated, at_least=round(1 - plan.margin, 12), at_most=plan.margin,
            reason="The margin of equivalence that the plan stated before the first reading.",
            reason_zh="方案在首次阅读前规定的等效界限。",
        )  # fmt: skip
    if measure == "review_rating":
        return Criterion(
            **stated, at_least=round(1 - plan.margin, 12),
            reason="Not rated worse than real cases by more than the margin of the plan.",
            reason_zh="评分不劣于真实样本超过方案规定的界限。",
        )  # fmt: skip
    if measure == "review_accuracy" and plan.least_accuracy is not None:
        return Criterion(
            **stated, at_least=plan.least_accuracy, within_noise_floor=1.0, relative_to_real=True,
            reason="The share that the plan stated before the first reading, or that of real "
            "cases, if that is more lenient.",
            reason_zh="方案在首次阅读前规定的比例；若真实样本自身更宽则从其宽。",
        )  # fmt: skip
    return None


def merged(
    result: Result, judgements: Sequence[Judgement], texts: dict[str, MeasureText]
) -> Result:
    """Return a result with judged measurements added, its verdicts and exit code taken anew.

    Measurements of an earlier analysis of the same type are replaced.
    """
    new = [measurement_model(j) for j in judgements]
    ids = {m.id for m in new}
    kept = [m for m in result.measurements if m.id not in ids]
    every = [*(_judgement(m) for m in kept), *judgements]
    used = {i: t for i, t in texts.items() if i in ids}
    verdicts = characteristic_verdicts(every)
    calibration = result.calibration and renewed(result.calibration, verdicts)
    changed = {c.characteristic: c.verdict for c in calibration.changed} if calibration else {}
    return result.model_copy(
        update={
            "measurements": (*kept, *new),
            "verdicts": verdicts | changed,
            "calibration": calibration,
            "exit_code": exit_code(every, changed),
            "measures": {**result.measures, **used},
        }
    )


def _judgement(model: MeasurementModel) -> Judgement:
    """Return what a result says of a measurement as far as verdicts need it."""
    criterion = None
    if model.criterion is not None:
        criterion = Criterion(
            id=model.id, variant=model.variant, mandatory=model.criterion.mandatory,
            reason=model.criterion.reason, source=model.criterion.source, **model.criterion.rule,
        )  # fmt: skip
    return Judgement(None, criterion, model.verdict, Code(model.code))


def _texts(modality: str) -> dict[str, MeasureText]:
    table = yaml.safe_load((files("sdq_core.review") / "measures.yaml").read_text("utf-8"))
    return {
        f"{modality}.{key}": MeasureText(**dict(zip(MeasureText.model_fields, row, strict=True)))
        for key, row in table.items()
    }


def _sha256(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()


def _line(judgement: Judgement) -> str:
    measurement = judgement.measurement
    assert measurement is not None, "the review judges what it measured"
    if measurement.value is None:
        return f"{measurement.key}: {measurement.reason}"
    interval = measurement.interval
    span = "" if interval is None else f" [{interval.low:.3f}, {interval.high:.3f}]"
    verdict = "" if judgement.verdict is None else f": {judgement.verdict.value}"
    return f"{measurement.key} = {measurement.value:.3f}{span}{verdict}"
