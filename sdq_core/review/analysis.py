"""From readings to measurements: readers and cases are random, ratings are ordinal.

What only people can say enters the result like every other number: with an interval, the sample
sizes, the method and its source.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.measurement import Interval, Measurement, Method
from sdq_core.review.agreeing import MRMC, agreement, notes
from sdq_core.review.readings import Readings
from sdq_core.statistics.detection import detection
from sdq_core.statistics.readers import ReaderMean, reader_auc, reader_mean

__all__ = ["measurements_of"]

Values = NDArray[np.float64]

LEAST_CASES: Final = 5
"""Fewest cases a side with which a study is read at all."""


def measurements_of(
    readings: Readings, modality: str, details: Mapping[str, Any]
) -> list[Measurement]:
    """Return the measurements of a study.

    Parameters
    ----------
    readings : Readings
    modality : str
        First part of the ids.
    details : mapping
        Of the study, put into each measurement under ``review``.

    Returns
    -------
    list of Measurement
    """
    found: list[Measurement] = []
    about = {**details, **_about(readings)}
    plan = readings.plan
    if plan.type == "real_or_synthetic":
        found.append(_told_apart(readings, modality, about))
    elif plan.type == "pairs":
        found.append(_chosen(readings, modality, about))
    elif plan.type == "rating":
        found += [_rated(readings, modality, about, q.id) for q in readings.questions]
    else:
        found.append(_without_fault(readings, modality, about))
    for question in readings.questions:
        variant = question.id if len(readings.questions) > 1 else None
        found += agreement(readings, modality, about, question.id, variant)
    return found


def _about(readings: Readings) -> dict[str, Any]:
    return {
        "type": readings.plan.type, "readers": len(readings.readers),
        "cases": len(readings.cases), "readings": readings.read, "asked": readings.asked,
        "revised": readings.revised, "comments": readings.comments,
        "median_seconds": round(readings.seconds, 1), "margin": readings.plan.margin,
        "hypothesis": readings.plan.hypothesis, "mandatory": readings.plan.mandatory,
    }  # fmt: skip


def _sizes(readings: Readings, table: Values) -> dict[str, int]:
    """Return the cases that were read; a criterion's least sample size is one of cases."""
    read = np.isfinite(table).any(axis=0)
    if readings.plan.type == "pairs":
        return {"pairs": int(read.sum())}
    return {
        "synthetic": int((read & readings.synthetic).sum()),
        "real": int((read & ~readings.synthetic).sum()),
    }


def _readers(table: Values) -> int:
    return int(np.isfinite(table).any(axis=1).sum())


def _too_few(identifier: str, sizes: Mapping[str, int], **values: Any) -> Measurement | None:
    """Return the reason where there is not enough to read."""
    least = min(sizes.values())
    if least >= LEAST_CASES:
        return None
    return Measurement(
        identifier,
        reason=(
            f"too few readings: the review needs {LEAST_CASES} read cases of each kind, "
            f"found {least}; let the readers go on and close the study later"
        ),
        reason_zh=(
            f"阅读数不足：人工审查每类至少需要 {LEAST_CASES} 个已阅读样本，现有 {least} 个；"
            f"请继续阅读后再关闭研究"
        ),
        n=dict(sizes), **values,
    )  # fmt: skip


# --- real or synthetic ---------------------------------------------------------------------------


def _told_apart(readings: Readings, modality: str, about: Mapping[str, Any]) -> Measurement:
    """Measure the readers' AUC: how well confidence tells synthetic cases from real ones."""
    identifier = f"{modality}.fidelity.review_auc"
    table = readings.first["confidence"]
    sizes = _sizes(readings, table)
    method = Method(
        "reader-averaged AUC of confidence, readers and cases random", MRMC,
        {"scale": "1 to 6", "margin": readings.plan.margin, "readers": _readers(table)},
    )  # fmt: skip
    common: dict[str, Any] = {"better": "closer", "unit": "AUC", "method": method,
                              "aspect": "joint_consistency"}  # fmt: skip
    few = _too_few(identifier, sizes, details={"review": dict(about)}, **common)
    if few is not None:
        return few
    first, second = table[:, ~readings.synthetic], table[:, readings.synthetic]
    mean = reader_auc(first, second)
    rows, shown = _detection_rows(readings, table, mean)
    interval = mean.interval()
    return Measurement(
        identifier, mean.value, interval=interval, n=sizes,
        details={
            "p": mean.p_value(),
            "review": {**about,
                       "equivalent": _inside(interval, readings.plan.margin), **shown},
            "table": {
                "columns": [
                    {"en": "reader", "zh": "阅片者"}, {"en": "AUC", "zh": "AUC"},
                    {"en": "sensitivity", "zh": "灵敏度"}, {"en": "specificity", "zh": "特异度"},
                    {"en": "d'", "zh": "辨别力 d′"}, {"en": "criterion c", "zh": "判断标准 c"},
                ],
                "rows": rows,
            },
        },
        **common,
    )  # fmt: skip


def _detection_rows(
    readings: Readings, table: Values, mean: ReaderMean
) -> tuple[list[list[Any]], dict[str, Any]]:
    """Return a row for each reader, and the means over them."""
    rows: list[list[Any]] = []
    numbers = []
    for reader, own, auc in zip(readings.readers, table, mean.by_reader.tolist(), strict=True):
        read = np.isfinite(own)
        told = detection(own[read] >= 4, readings.synthetic[read])
        if told is None:
            rows.append([reader, None, None, None, None, None])
            continue
        values = (told.sensitivity, told.specificity, told.d_prime, told.criterion)
        numbers.append(values)
        rows.append([reader, round(auc, 4), *(round(v, 4) for v in values)])
    names = ("sensitivity", "specificity", "d_prime", "criterion")
    means = np.mean(numbers, axis=0).tolist() if numbers else []
    return rows, {name: round(value, 4) for name, value in zip(names, means, strict=False)}


def _inside(interval: Interval, margin: float) -> bool:
    return 1 - margin <= interval.low and interval.high <= margin


def _chosen(readings: Readings, modality: str, about: Mapping[str, Any]) -> Measurement:
    """Measure the share of pairs in which the synthetic item was found: the AUC of a choice."""
    identifier = f"{modality}.fidelity.review_auc"
    table = readings.first["choice"]
    sizes = _sizes(readings, table)
    method = Method(
        "share of right choices between two, readers and pairs random", MRMC,
        {"margin": readings.plan.margin, "readers": _readers(table)},
    )  # fmt: skip
    common: dict[str, Any] = {"better": "closer", "unit": "AUC", "method": method,
                              "aspect": "joint_consistency"}  # fmt: skip
    few = _too_few(identifier, sizes, details={"review": dict(about)}, **common)
    if few is not None:
        return few
    mean = reader_mean(table)
    interval = mean.interval()
    rows = [
        [reader, None if not np.isfinite(own) else round(own, 4)]
        for reader, own in zip(readings.readers, mean.by_reader.tolist(), strict=True)
    ]
    return Measurement(
        identifier, mean.value, interval=interval, n=sizes,
        details={
            "p": mean.p_value(),
            "review": {**about,
                       "equivalent": _inside(interval, readings.plan.margin)},
            "table": {"columns": [{"en": "reader", "zh": "阅片者"},
                                  {"en": "right choices", "zh": "正确选择比例"}], "rows": rows},
        },
        **common,
    )  # fmt: skip


# --- ratings and checklists ----------------------------------------------------------------------


def _rated(
    readings: Readings, modality: str, about: Mapping[str, Any], question: str
) -> Measurement:
    """Measure how often a synthetic case is rated better than a real one: ratings are ordinal."""
    identifier = f"{modality}.completeness.review_rating"
    table = readings.first[question]
    sizes = _sizes(readings, table)
    method = Method(
        "P(rating of a synthetic case higher than of a real one), readers and cases random",
        f"{MRMC}; ordinal superiority: Agresti & Kateri 2017, doi:10.1111/biom.12565",
        {"scale": "1 to 5", "margin": readings.plan.margin, "readers": _readers(table)},
    )  # fmt: skip
    common: dict[str, Any] = {"better": "higher", "unit": "1", "method": method,
                              "variant": question, "aspect": "semantic_accuracy"}  # fmt: skip
    few = _too_few(identifier, sizes, details={"review": dict(about)}, **common)
    if few is not None:
        return few
    real, synthetic = table[:, ~readings.synthetic], table[:, readings.synthetic]
    mean = reader_auc(real, synthetic)
    rows = []
    for level in range(1, 6):
        shares = [float((side[np.isfinite(side)] <= level).mean()) for side in (real, synthetic)]
        rows.append([level, *(round(s, 4) for s in shares), round(shares[1] - shares[0], 4)])
    return Measurement(
        identifier, mean.value, interval=mean.interval(), n=sizes,
        details={
            "notes": notes(readings, question),
            "review": {**about, "median_real": float(np.nanmedian(real)),
                       "median_synthetic": float(np.nanmedian(synthetic))},
            "table": {
                "columns": [
                    {"en": "rating at most", "zh": "评分不高于"},
                    {"en": "share of real", "zh": "真实样本比例"},
                    {"en": "share of synthetic", "zh": "合成样本比例"},
                    {"en": "difference", "zh": "差值"},
                ],
                "rows": rows,
            },
        },
        **common,
    )  # fmt: skip


def _without_fault(readings: Readings, modality: str, about: Mapping[str, Any]) -> Measurement:
    """Measure the share of synthetic cases without a fault, beside that of real ones."""
    identifier = f"{modality}.completeness.review_accuracy"
    tables = np.stack([readings.first[q.id] for q in readings.questions])
    # 1 yes, 2 no, 3 cannot be judged: such a point is no fault, and no proof that there is none.
    fault = (tables == 2).any(axis=0)
    judged = (np.isfinite(tables) & (tables != 3)).any(axis=0)
    table = np.where(judged, 1.0 - fault, np.nan)
    sizes = _sizes(readings, table)
    method = Method(
        "share of cases without a fault on the checklist, readers and cases random", MRMC,
        {"points": [q.id for q in readings.questions], "readers": _readers(table)},
    )  # fmt: skip
    common: dict[str, Any] = {"better": "higher", "unit": "share", "method": method,
                              "aspect": "semantic_accuracy"}  # fmt: skip
    few = _too_few(identifier, sizes, details={"review": dict(about)}, **common)
    if few is not None:
        return few
    mean = reader_mean(table[:, readings.synthetic])
    real = reader_mean(table[:, ~readings.synthetic])
    floor = real.interval()
    rows = []
    for question in readings.questions:
        own = readings.first[question.id]
        sides = [own[:, ~readings.synthetic], own[:, readings.synthetic]]
        counts = [[int((side == value).sum()) for value in (2, 3)] for side in sides]
        rows.append([question.id, *counts[0], *counts[1]])
    return Measurement(
        identifier, mean.value, interval=mean.interval(),
        noise_floor=Interval(floor.low, floor.high, floor.method, floor.level, real.value),
        n=sizes,
        details={
            "notes": notes(readings),
            "review": {**about, "real": real.value},
            "table": {
                "columns": [
                    {"en": "point", "zh": "核查项"},
                    {"en": "faults, real", "zh": "真实样本：有误"},
                    {"en": "not judged, real", "zh": "真实样本：无法判断"},
                    {"en": "faults, synthetic", "zh": "合成样本：有误"},
                    {"en": "not judged, synthetic", "zh": "合成样本：无法判断"},
                ],
                "rows": rows,
            },
        },
        **common,
    )  # fmt: skip
