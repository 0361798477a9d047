"""Completeness of signals: structure, meaning, labels against rhythm, and usable signal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.completeness import Completeness
from sdq_core.characteristics.evaluation import Part
from sdq_core.characteristics.rates import rate
from sdq_core.cohort import Cohort, Cohorts
from sdq_core.finding import Finding
from sdq_core.measurement import Measurement
from sdq_core.reasons import why
from sdq_core.vocabulary import Severity

__all__ = ["SignalsCompleteness", "rhythm_named"]

USABLE: Final = 0.5
"""A recording is usable when at least this share of it is."""

COMMON: Final = 0.95
"""Share of the real recordings from which a channel is one that all should have."""

REGULAR: Final = 0.05
"""Root mean square of successive RR differences over the mean RR: below it, a rhythm is regular."""

NAMES: Final = {
    "fibrillation": (
        "af", "afib", "atrialfibrillation", "fibrillation", "心房颤动", "房颤", "164889003",
        "i48", "i48.0", "i48.1", "i48.2", "i48.91",
    ),
    "bradycardia": ("sbrad", "sb", "bradycardia", "sinusbradycardia", "心动过缓", "窦性心动过缓",
                    "426177001", "r00.1"),
    "tachycardia": ("stach", "st", "tachycardia", "sinustachycardia", "心动过速", "窦性心动过速",
                    "427084000", "r00.0"),
    "sinus": ("sr", "norm", "nsr", "sinusrhythm", "normalsinusrhythm", "窦性心律", "426783006"),
}  # fmt: skip
"""Rhythm -> how labels write it: PTB-XL and CPSC statements, SNOMED CT and ICD-10 codes, words."""


def rhythm_named(label: str) -> str | None:
    """Return the rhythm that a label names, or None.

    Examples
    --------
    >>> rhythm_named("AFIB"), rhythm_named("sinus bradycardia"), rhythm_named("nAFIB")
    ('fibrillation', 'bradycardia', None)
    """
    plain = label.lower().replace(" ", "").replace("_", "")
    return next((rhythm for rhythm, words in NAMES.items() if plain in words), None)


class SignalsCompleteness(Completeness):
    """Structural integrity and semantic accuracy, labels among it, and signal quality."""

    def parts(self) -> Sequence[Part]:
        """Return the shared shares and that of usable signal."""
        return (*super().parts(), Part(("usable_signal_share",), self.usable))

    def in_context(self, area: str, cohort: Cohort, cohorts: Cohorts) -> Iterator[Finding]:
        """Find recordings whose rhythm contradicts their label, or that are of another form."""
        yield from _labels(cohort) if area == "semantics" else _form(cohort, cohorts.real)

    def usable(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure the share of recordings of usable quality."""

        def flags(cohort: Cohort) -> NDArray[np.bool_]:
            quality = cohort.table.scalar("quality.usable")[cohort.table.readable]
            return np.nan_to_num(quality, nan=0.0) >= USABLE

        id_ = self.id("usable_signal_share")
        if not any("quality.usable" in c.table.scalar_names for c in cohorts.real):
            yield Measurement(
                id_,
                aspect="structural_integrity",
                applicable=False,
                **why(
                    "not_applicable",
                    why="no quality index is known for this kind of recording",
                    why_zh="该类记录没有可用的质量指数",
                ),
            )
            return
        yield rate(
            id_,
            flags(cohorts.synthetic),
            real=np.concatenate([flags(c) for c in cohorts.real]),
            aspect="structural_integrity",
            name="share of recordings of which at least half is usable: two beat detectors agree",
            source="Li et al. 2008, doi:10.1088/0967-3334/29/1/002; Elgendi 2016, "
            "doi:10.3390/bioengineering3040021",
        )


def _labels(cohort: Cohort) -> Iterator[Finding]:
    """Find recordings whose rhythm contradicts their label."""
    scalars = {
        name: cohort.table.scalar(name)
        for name in ("rhythm.heart_rate", "rhythm.irregularity", "wave.p_present")
    }
    for values in (cohort.classes, cohort.attributes.get("rhythm")):
        for row, label in enumerate(() if values is None else values.tolist()):
            known = {name: float(v[row]) for name, v in scalars.items()}
            problem = _contradiction(rhythm_named(label), known)
            if problem is not None:
                yield Finding(
                    "signals.semantics.label_against_signal",
                    Severity.ERROR,
                    problem[0],
                    problem[1],
                    item=str(cohort.table.ids[row]),
                )


def _form(cohort: Cohort, real: Sequence[Cohort]) -> Iterator[Finding]:
    """Find recordings without a channel that nearly all real ones have, or of another rate."""
    forms = [c.table.metadata(int(r)) for c in real for r in np.flatnonzero(c.table.readable)]
    counted = Counter(name for f in forms for name in set(f.get("channels", "").split("|")))
    usual = [n for n, k in counted.items() if n and k >= COMMON * len(forms)]
    rates = {f.get("rate") for f in forms}
    for row in np.flatnonzero(cohort.table.readable):
        own = cohort.table.metadata(int(row))
        item = str(cohort.table.ids[row])
        missing = [n for n in usual if n not in own.get("channels", "").split("|")]
        if missing:
            yield Finding(
                "signals.structure.channel_absent",
                Severity.ERROR,
                "a channel that nearly all real recordings have is not there; add it or leave "
                "the recording out",
                "缺少绝大多数真实记录都有的通道, 请补充或剔除该记录",
                ", ".join(missing[:12]),
                item=item,
            )
        if len(rates) > 1 or own.get("rate") not in rates:
            yield Finding(
                "signals.structure.mixed_rates",
                Severity.INFO,
                "recordings of several sampling rates are compared: all were resampled to one "
                "rate; bands that the lowest rate does not reach are left out",
                "参与比较的记录采样率不一: 已统一重采样, 最低采样率达不到的频带不参与比较",
                item=item,
            )


def _contradiction(rhythm: str | None, known: dict[str, float]) -> tuple[str, str] | None:
    """Sentence of the contradiction between a named rhythm and the signal, en and zh, or None."""
    beat, irregular, wave = (
        known[n] for n in ("rhythm.heart_rate", "rhythm.irregularity", "wave.p_present")
    )
    # Comparisons with NaN, a feature that the recording lacks, are false: no contradiction.
    if rhythm == "fibrillation" and irregular < REGULAR and wave > 0:
        return (
            "labelled atrial fibrillation, but the rhythm is regular and has P waves",
            "标签为心房颤动, 但节律规整且有 P 波",
        )
    if rhythm == "bradycardia" and beat > 70:
        return (
            "labelled bradycardia, but the heart rate is clearly above 60 a minute",
            "标签为心动过缓, 但心率明显高于每分钟 60 次",
        )
    if rhythm == "tachycardia" and beat < 90:
        return (
            "labelled tachycardia, but the heart rate is clearly below 100 a minute",
            "标签为心动过速, 但心率明显低于每分钟 100 次",
        )
    return None
