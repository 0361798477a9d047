"""From readings to measurements: readers and cases are random, ratings are ordinal.

What only people can say enters the result like every other number: with an interval, the sample
sizes, the method and its source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.measurement import Interval, Measurement, Method
from sdq_core.review.readings import Readings
from sdq_core.statistics.agreement import (
    cohen_kappa,
    fleiss_kappa,
    gwet_ac1,
    jackknife_interval,
    krippendorff_alpha,
    same_answers,
)
from sdq_core.statistics.detection import detection
from sdq_core.statistics.readers import ReaderMean, reader_auc, reader_mean

__all__ = ["measurements_of"]

Values = NDArray[np.float64]

LEAST_CASES: Final = 5
"""Fewest cases a side with which a study is read at all."""
_MRMC: Final = (
    "Gallas 2006, doi:10.1016/j.acra.2005.11.030; Gallas & Brown 2008, "
    "doi:10.1016/j.neunet.2007.12.013; Hillis 2007, doi:10.1002/sim.2532"
)
_ALPHA: Final = "Krippendorff 2019, Content Analysis, 4th ed., chapter 12"


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
        found += _agreement(readings, modality, about, question.id, variant)
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
    read = np.isfinite(table).any(axis=0)
    if readings.plan.type == "pairs":
        return {"pairs": int(read.sum()), "readers": int(np.isfinite(table).any(axis=1).sum())}
    return {
        "synthetic": int((read & readings.synthetic).sum()),
        "real": int((read & ~readings.synthetic).sum()),
        "readers": int(np.isfinite(table).any(axis=1).sum()),
    }


def _too_few(identifier: str, sizes: Mapping[str, int], **values: Any) -> Measurement | None:
    """Return the reason where there is not enough to read."""
    short = {k: n for k, n in sizes.items() if k != "readers" and n < LEAST_CASES}
    if not short and sizes["readers"]:
        return None
    least = min(short.values(), default=0)
    return Measurement(
        identifier,
        reason=(
            f"too few readings: the review needs {LEAST_CASES} read cases of each kind and one "
            f"reader, found {least}; let the readers go on and close the study later"
        ),
        reason_zh=(
            f"阅读数不足：人工审查每类至少需要 {LEAST_CASES} 个已阅读样本和一名阅片者，"
            f"现有 {least} 个；请继续阅读后再关闭研究"
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
        "reader-averaged AUC of confidence, readers and cases random", _MRMC,
        {"scale": "confidence 1 to 6", "margin": readings.plan.margin},
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
            "review": {**about, "p_value": mean.p_value(),
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
        "share of right choices between two, readers and pairs random", _MRMC,
        {"scale": "two alternatives", "margin": readings.plan.margin},
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
            "review": {**about, "p_value": mean.p_value(),
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
        f"{_MRMC}; ordinal superiority: Agresti & Kateri 2017, doi:10.1111/biom.12565",
        {"scale": "1 to 5", "margin": readings.plan.margin},
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
        "share of cases without a fault on the checklist, readers and cases random", _MRMC,
        {"points": [q.id for q in readings.questions]},
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


# --- agreement -----------------------------------------------------------------------------------


def _agreement(
    readings: Readings, modality: str, about: Mapping[str, Any], question: str, variant: str | None
) -> Iterator[Measurement]:
    """Agreement between readers, and of each reader with the own first reading."""
    ordinal = readings.plan.type in ("real_or_synthetic", "rating")
    table = readings.first[question]
    if readings.plan.type == "completeness":
        table = np.where(table == 3, np.nan, table)
    alpha = _alpha(ordinal)
    identifier = f"{modality}.completeness.review_agreement"
    sizes = {"readers": int(np.isfinite(table).any(axis=1).sum()),
             "cases": int((np.isfinite(table).sum(axis=0) >= 2).sum())}  # fmt: skip
    method = Method(
        "Krippendorff's alpha between readers, " + ("ordinal" if ordinal else "nominal"), _ALPHA
    )
    common: dict[str, Any] = {"unit": "1", "better": "higher", "method": method, "n": sizes,
                              "variant": variant, "aspect": "semantic_accuracy"}  # fmt: skip
    value = alpha(table)
    if value is None:
        yield Measurement(
            identifier, details={"review": dict(about)}, **common,
            reason="no case was read by two readers, or all said the same one thing: agreement "
            "beyond chance does not exist then; ask several readers",
            reason_zh="没有由两名阅片者阅读的样本，或所有回答相同，无法计算超出偶然的一致性；"
            "请安排多名阅片者",
        )  # fmt: skip
    else:
        decided = np.where(np.isfinite(table), table >= 4, np.nan) if ordinal else table
        yield Measurement(
            identifier, value, interval=jackknife_interval(alpha, table),
            details={
                "review": dict(about),
                "table": {
                    "columns": [{"en": "coefficient", "zh": "系数"}, {"en": "value", "zh": "数值"},
                                {"en": "95 % low", "zh": "95% 下限"},
                                {"en": "95 % high", "zh": "95% 上限"}],
                    "rows": _coefficients(readings, table, decided),
                },
            },
            **common,
        )  # fmt: skip
    yield from _repeats(readings, modality, about, question, variant)


def _alpha(ordinal: bool) -> Callable[[Values], float | None]:
    level: Any = "ordinal" if ordinal else "nominal"
    return lambda ratings: krippendorff_alpha(ratings, level)


def _coefficients(readings: Readings, table: Values, decided: Values) -> list[list[Any]]:
    """Return the coefficients that readers of reports know, of ratings and of yes or no."""
    pairs = [
        (a, b) for a in range(len(readings.readers)) for b in range(a + 1, len(readings.readers))
    ]

    def cohen(ratings: Values) -> float | None:
        found = [cohen_kappa(ratings[a], ratings[b]) for a, b in pairs]
        known = [k for k in found if k is not None]
        return float(np.mean(known)) if known else None

    kinds: list[tuple[str, Callable[[Values], float | None], Values, tuple[float, float]]] = [
        ("Krippendorff alpha, nominal", _alpha(ordinal=False), decided, (-1.0, 1.0)),
        ("Fleiss kappa", fleiss_kappa, decided, (-1.0, 1.0)),
        ("Cohen kappa, mean of pairs of readers", cohen, decided, (-1.0, 1.0)),
        ("Gwet AC1", lambda r: gwet_ac1(r, 2), decided, (-1.0, 1.0)),
        ("same answers", same_answers, decided, (0.0, 1.0)),
    ]
    rows: list[list[Any]] = []
    for name, statistic, ratings, bounds in kinds:
        value = statistic(ratings)
        interval = jackknife_interval(statistic, ratings, bounds=bounds)
        rows.append(
            [name, None if value is None else round(value, 4)]
            + ([None, None] if interval is None
               else [round(interval.low, 4), round(interval.high, 4)])
        )  # fmt: skip
    return rows


def _repeats(
    readings: Readings, modality: str, about: Mapping[str, Any], question: str, variant: str | None
) -> Iterator[Measurement]:
    """Agreement of each reader with the own first reading, over the repeated cases."""
    if not readings.plan.repeated:
        return
    first, second = readings.first[question], readings.second[question]
    ordinal = readings.plan.type in ("real_or_synthetic", "rating")
    if ordinal and readings.plan.type == "real_or_synthetic":
        same = np.where(np.isfinite(first + second), (first >= 4) == (second >= 4), np.nan)
    else:
        same = np.where(np.isfinite(first + second), first == second, np.nan)
    read = np.isfinite(same)
    sizes = {"readers": int(read.any(axis=1).sum()), "cases": int(read.any(axis=0).sum())}
    method = Method(
        "share of repeated cases with the same decision, readers and cases random", _MRMC
    )
    identifier = f"{modality}.completeness.review_repeatability"
    common: dict[str, Any] = {"unit": "share", "better": "higher", "method": method, "n": sizes,
                              "variant": variant, "aspect": "semantic_accuracy"}  # fmt: skip
    if int(read.sum()) < LEAST_CASES:
        yield Measurement(
            identifier, details={"review": dict(about)}, **common,
            reason=f"too few repeated readings: needs {LEAST_CASES}, found {int(read.sum())}; "
            f"let the readers go on, or plan more repeats",
            reason_zh=f"重复阅读数不足：至少需要 {LEAST_CASES} 次，现有 {int(read.sum())} 次；"
            f"请继续阅读或增加重复样本",
        )  # fmt: skip
        return
    mean = reader_mean(same)
    kappas = [cohen_kappa(a, b, "quadratic" if ordinal else "none")
              for a, b in zip(first, second, strict=True)]  # fmt: skip
    yield Measurement(
        identifier, mean.value, interval=mean.interval(),
        details={
            "review": dict(about),
            "table": {
                "columns": [{"en": "reader", "zh": "阅片者"},
                            {"en": "same decision", "zh": "判断相同比例"},
                            {"en": "weighted kappa" if ordinal else "kappa",
                             "zh": "加权 kappa" if ordinal else "kappa"}],
                "rows": [
                    [r, None if not np.isfinite(v) else round(v, 4),
                     None if k is None else round(k, 4)]
                    for r, v, k in zip(readings.readers, mean.by_reader.tolist(), kappas,
                                       strict=True)
                ],
            },
        },
        **common,
    )  # fmt: skip
