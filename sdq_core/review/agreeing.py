"""Agreement of readers with one another and with themselves, as measurements."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.measurement import Measurement, Method
from sdq_core.review.readings import Readings
from sdq_core.statistics.agreement import (
    cohen_kappa,
    fleiss_kappa,
    gwet_ac1,
    jackknife_interval,
    krippendorff_alpha,
    same_answers,
)
from sdq_core.statistics.readers import reader_mean

__all__ = ["MRMC", "agreement", "notes"]

Values = NDArray[np.float64]

LEAST_REPEATS: Final = 5
MRMC: Final = (
    "Gallas 2006, doi:10.1016/j.acra.2005.11.030; Gallas & Brown 2008, "
    "doi:10.1016/j.neunet.2007.12.013; Hillis 2007, doi:10.1002/sim.2532"
)
"""Where the variance over random readers and cases comes from."""
_ALPHA: Final = "Krippendorff 2019, Content Analysis, 4th ed., chapter 12"


def notes(readings: Readings, *questions: str) -> list[dict[str, str]]:
    """Return what was asked, in both languages; all questions by default."""
    return [
        {"en": f"{q.id}: {q.en}", "zh": f"{q.id}：{q.zh}"}
        for q in readings.questions
        if not questions or q.id in questions
    ]


def agreement(
    readings: Readings, modality: str, about: Mapping[str, Any], question: str, variant: str | None
) -> Iterator[Measurement]:
    """Measure how readers agree with one another, and each with the own first reading.

    Parameters
    ----------
    readings : Readings
    modality, question : str
    about : mapping
        Facts of the study, for the details.
    variant : str or None
    """
    ordinal = readings.plan.type in ("real_or_synthetic", "rating")
    table = readings.first[question]
    if readings.plan.type == "completeness":
        table = np.where(table == 3, np.nan, table)
    alpha = _alpha(ordinal)
    identifier = f"{modality}.completeness.review_agreement"
    sizes = {"cases": int((np.isfinite(table).sum(axis=0) >= 2).sum())}
    readers = int(np.isfinite(table).any(axis=1).sum())
    method = Method(
        "Krippendorff's alpha between readers, " + ("ordinal" if ordinal else "nominal"),
        _ALPHA,
        {"readers": readers},
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
                "notes": notes(readings, question),
                **_coefficients(readings, decided),
            },
            **common,
        )  # fmt: skip
    yield from _repeats(readings, modality, about, question, variant)


def _alpha(ordinal: bool) -> Callable[[Values], float | None]:
    level: Any = "ordinal" if ordinal else "nominal"
    return lambda ratings: krippendorff_alpha(ratings, level)


def _coefficients(readings: Readings, decided: Values) -> dict[str, Any]:
    """Return the coefficients that readers of reports know, of decisions for one or the other."""
    pairs = [
        (a, b) for a in range(len(readings.readers)) for b in range(a + 1, len(readings.readers))
    ]

    def cohen(ratings: Values) -> float | None:
        found = [cohen_kappa(ratings[a], ratings[b]) for a, b in pairs]
        known = [k for k in found if k is not None]
        return float(np.mean(known)) if known else None

    kinds: list[tuple[str, str, str, Callable[[Values], float | None], float]] = [
        ("krippendorff_alpha_nominal", "Krippendorff's alpha, nominal", "Krippendorff α（名义）",
         _alpha(ordinal=False), -1.0),
        ("fleiss_kappa", "Fleiss' kappa", "Fleiss κ", fleiss_kappa, -1.0),
        ("cohen_kappa", "Cohen's kappa, mean of pairs of readers", "Cohen κ（阅片者两两平均）",
         cohen, -1.0),
        ("gwet_ac1", "Gwet's AC1", "Gwet AC1", lambda r: gwet_ac1(r, 2), -1.0),
        ("same_answers", "same decision", "判断相同的比例", same_answers, 0.0),
    ]  # fmt: skip
    numbers: dict[str, list[float]] = {}
    cells: list[str] = []
    columns: list[dict[str, str]] = []
    for name, en, zh, statistic, lowest in kinds:
        value = statistic(decided)
        if value is None:
            continue
        interval = jackknife_interval(statistic, decided, bounds=(lowest, 1.0))
        numbers[name] = [round(value, 4)]
        cells.append(f"{value:.2f}")
        if interval is not None:
            numbers[name] += [round(interval.low, 4), round(interval.high, 4)]
            cells[-1] += f" [{interval.low:.2f}, {interval.high:.2f}]"
        columns.append({"en": en, "zh": zh})
    if not columns:
        return {}
    return {"coefficients": numbers, "table": {"columns": columns, "rows": [cells]}}


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
    sizes = {"cases": int(read.any(axis=0).sum())}
    method = Method(
        "share of repeated cases with the same decision, readers and cases random",
        MRMC,
        {"readers": int(read.any(axis=1).sum())},
    )
    identifier = f"{modality}.completeness.review_repeatability"
    common: dict[str, Any] = {"unit": "share", "better": "higher", "method": method, "n": sizes,
                              "variant": variant, "aspect": "semantic_accuracy"}  # fmt: skip
    if int(read.sum()) < LEAST_REPEATS:
        yield Measurement(
            identifier, details={"review": dict(about)}, **common,
            reason=f"too few repeated readings: needs {LEAST_REPEATS}, found {int(read.sum())}; "
            f"let the readers go on, or plan more repeats",
            reason_zh=f"重复阅读数不足：至少需要 {LEAST_REPEATS} 次，现有 {int(read.sum())} 次；"
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
