"""What a recording may not be: values that no body gives, and leads that contradict each other.

Gross errors are rules for each recording, with an exact binomial bound on their share; two-sample
tests do not see them while they are rare. The limits lie far outside the ranges of patients, so
that disease is no error: 98 % of low-risk adults have heart rates of 48 to 98 a minute, PR of 113
to 212 ms, QRS of 69 to 109 ms and QTc of 359 to 445 ms (Mason et al. 2007,
doi:10.1016/j.jelectrocard.2006.09.003).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sdq_core.finding import Finding
from sdq_core.vocabulary import Severity
from sdq_signals.recording import Kind
from sdq_signals.units import PLAUSIBLE_MV, factor

__all__ = ["GROSS_LIMITS", "contradictions", "implausible_unit"]

GROSS_LIMITS: Final[dict[str, tuple[float, float, str, str]]] = {
    "rhythm.heart_rate": (20.0, 300.0, "heart rate [1/min]", "心率 [次/分]"),
    "interval.pr_ms": (40.0, 600.0, "PR interval [ms]", "PR 间期 [ms]"),
    "interval.qrs_ms": (30.0, 300.0, "QRS duration [ms]", "QRS 时限 [ms]"),
    "interval.qt_ms": (150.0, 800.0, "QT interval [ms]", "QT 间期 [ms]"),
    "pulse.rate_bpm": (20.0, 300.0, "pulse rate [1/min]", "脉率 [次/分]"),
}
"""Scalar -> lowest and highest value that a living patient can have, and its name.

Lowest and highest rates: textbook extremes of escape rhythm and of 1:1 conducted atrial flutter.
"""

EINTHOVEN_MV: Final = 0.005
"""Residual of I + III - II from which the law does not hold: rounding to 1 uV leaves 0.0004."""

ARM_SWAP: Final = 0.3
"""Score of `sdq_signals.features.leads` from which the arm leads count as swapped: none of 660 real
electrocardiograms of PTB-XL reaches it, 78 % of the same with swapped leads do."""

MAINS_DB: Final = 23.0
"""Height of a mains line over its neighbourhood that spoils a recording: a hum of 20 uV lies at 27
dB in the median of simulated electrocardiograms, 99.9 % of sound ones below 22 dB."""


def contradictions(scalars: Mapping[str, float], kind: Kind, least_bit: float) -> Iterator[Finding]:
    """Find what no body gives and what leads contradict.

    Parameters
    ----------
    scalars : mapping of str to float
        Features of one recording.
    kind : {"ecg", "eeg", "ppg", "other"}
    least_bit : float
        Largest resolution among the channels, mV for ECG; 0 for floating-point storage.

    Yields
    ------
    Finding
        Of the area ``semantics``; of ``structure`` for mains hum.

    Examples
    --------
    >>> [f.where for f in contradictions({"rhythm.heart_rate": 400.0}, "ecg", 0.0)]
    ['rhythm.heart_rate']
    """
    for name, (low, high, words, words_zh) in GROSS_LIMITS.items():
        value = scalars.get(name)
        if value is not None and not low <= value <= high:
            yield Finding(
                "signals.semantics.physiological_limit",
                Severity.ERROR,
                f"the {words} lies outside {low:g} to {high:g}; check rate, unit and generator",
                f"{words_zh}超出 {low:g} 至 {high:g}, 请检查采样率、单位与生成器",
                name,
            )
    if max(scalars.get(f"spectrum.mains_{hz}_db", 0.0) for hz in (50, 60)) > MAINS_DB:
        yield Finding(
            "signals.structure.mains_hum",
            Severity.ERROR,
            f"the mains line stands more than {MAINS_DB:g} dB above its neighbourhood; filter it",
            f"工频谱线高出邻近频带超过 {MAINS_DB:g} dB, 请滤除",
        )
    if kind != "ecg":
        return
    if scalars.get("rhythm.beats") == 0:
        yield Finding(
            "signals.semantics.no_heart_beat",
            Severity.ERROR,
            "no heart beat is found in the electrocardiogram; check or remove it",
            "心电图中未检出心搏, 请检查或删除",
        )
    for name, law, law_zh in (
        ("leads.einthoven_mv", "I + III = II (Einthoven 1913)", "I + III = II(Einthoven 定律)"),
        (
            "leads.goldberger_mv",
            "aVR, aVL, aVF from I, II, III (Goldberger 1942)",
            "aVR、aVL、aVF 与 I、II、III 的关系(Goldberger)",
        ),
    ):
        # Rounding each of three leads to the least bit leaves at most 1.5 of it.
        limit = max(EINTHOVEN_MV, 2 * least_bit)
        if scalars.get(name, 0.0) > limit:
            yield Finding(
                "signals.semantics.lead_law",
                Severity.ERROR,
                f"the limb leads break {law} by more than {1000 * limit:g} uV; derive them from "
                "two of them or correct the generator",
                f"肢体导联不满足 {law_zh}, 偏差超过 {1000 * limit:g} uV; "
                "请由其中两个导联推算或更正生成器",
                name,
            )
    if scalars.get("leads.arm_swap", 0.0) > ARM_SWAP:
        yield Finding(
            "signals.semantics.arm_leads_swapped",
            Severity.ERROR,
            "lead I is upside down and aVR upright: the arm leads are swapped",
            "I 导联倒置而 aVR 直立: 左右上肢导联疑似接反",
            "leads.arm_swap",
        )


def implausible_unit(
    scalars: Mapping[str, float], kind: Kind, known: Sequence[Finding]
) -> Iterator[Finding]:
    """Find a recording whose values cannot be in the unit that is declared.

    Parameters
    ----------
    scalars : mapping of str to float
    kind : {"ecg", "eeg", "ppg", "other"}
    known : sequence of Finding
        What was found before: a linter may have seen it already.

    Yields
    ------
    Finding
        Of the area ``conformity``.

    Examples
    --------
    >>> [f.rule for f in implausible_unit({"amplitude.span": 900.0}, "ecg", ())]
    ['signals.conformity.unit_implausible']
    """
    rule = "signals.conformity.unit_implausible"
    span = scalars.get("amplitude.span")
    if kind not in PLAUSIBLE_MV or span is None or any(f.rule == rule for f in known):
        return
    to_mv = 1.0 / (factor("mV", kind) or 1.0)
    low, high = PLAUSIBLE_MV[kind]
    if not low <= span * to_mv <= high:
        yield Finding(
            rule,
            Severity.ERROR,
            f"the middle 99 % of the samples span less than {low:g} or more than {high:g} mV: "
            "the unit or the gain is wrong",
            f"采样值中间 99% 的跨度小于 {low:g} mV 或大于 {high:g} mV: 单位或增益有误",
        )
