"""The catalogue of defects that can be planted in recordings, in the order of characteristics.

Severities are as a clinical reader or a writer of software would give them; where a defect is in
the recording or not, the severity is the share of the recordings. A defect that only a part of a
cohort carries is unacceptable from a tenth of it on, copies and identifiers from a twentieth.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from sdq_core.calibration.defect import Defect
from sdq_core.vocabulary import Characteristic
from sdq_signals.planting import plans, waveforms
from sdq_signals.planting.catalogue_forms import FORMS
from sdq_signals.planting.fitting import Needs
from sdq_signals.planting.plans import every, some
from sdq_signals.planting.planted import Planted

__all__ = ["catalogue"]

FIDELITY, BALANCE, COMPLETENESS, METADATA, PRIVACY, EXPLAINABILITY, UTILITY = (
    Characteristic.FIDELITY, Characteristic.BALANCE, Characteristic.COMPLETENESS,
    Characteristic.METADATA, Characteristic.PRIVACY, Characteristic.EXPLAINABILITY,
    Characteristic.UTILITY,
)  # fmt: skip
SHARES: Final = (0.02, 0.05, 0.1, 0.2, 0.5)
RARE: Final = (0.01, 0.05, 0.2)
OF_RECORDINGS: Final = ("share of the recordings", "占记录的比例")
F, C, P, B, E, U = (
    "signals.fidelity.", "signals.completeness.", "signals.privacy.", "signals.balance.",
    "signals.explainability.", "signals.utility.",
)  # fmt: skip
S, M = "signals.structure.", "signals.semantics."
EMBEDDED: Final = (F + "energy_distance", F + "c2st_auc")
HEART: Final = Needs(kinds=("ecg",))
VOLTS: Final = Needs(kinds=("ecg", "eeg"), volts=True)
FREE_CHANNELS: Final = ("wfdb", "dicom", "table", "array")
"""Formats in which one channel alone can lack samples."""

FOURTH = "Thygesen et al. 2018, Fourth universal definition of myocardial infarction, doi:10.1161/CIR.0000000000000617"  # noqa: E501
CONDUCTION = "Surawicz et al. 2009, doi:10.1161/CIRCULATIONAHA.108.191095"
TASK_FORCE = "Task Force of ESC and NASPE 1996, doi:10.1161/01.CIR.93.5.1043"
FIBRILLATION = "Hindricks et al. 2020, doi:10.1093/eurheartj/ehaa612"
HUHTA = "Huhta & Webster 1973, doi:10.1109/TBME.1973.324169"
SORNMO = "Sornmo & Laguna 2005, Bioelectrical Signal Processing, chapter 7"
KLIGFIELD = "Kligfield et al. 2007, doi:10.1161/CIRCULATIONAHA.106.180200"
INPUTS = "IEC 60601-2-25:2011 (range of inputs, accuracy of gain)"
QUALITY = "Clifford et al. 2012, doi:10.1088/0967-3334/33/9/1419"
ARMS = "Heden et al. 1996, doi:10.1016/S0022-0736(96)80057-6"
CHEST = "Kors & van Herpen 2001, American Journal of Cardiology 88:396-399"
LAWS = "Einthoven 1912; Goldberger 1942, doi:10.1016/S0002-8703(42)90821-4"
PROPOSAL = "Part 6 proposal, data completeness"
COLLAPSE = "Srivastava et al. 2017, VEEGAN, arXiv:1705.07761"
CARLINI = "Carlini et al. 2023, arXiv:2301.13188"
NORTHCUTT = "Northcutt et al. 2021, arXiv:2103.14749"
HE = "He & Garcia 2009, doi:10.1109/TKDE.2008.239"
LIMITS = "Mason et al. 2007, doi:10.1016/j.jelectrocard.2006.09.003"


def _waves() -> tuple[Planted, ...]:
    """Return those of fidelity: what a heart or a brain does otherwise."""
    return (
        Planted(
            Defect("heart-rate", ("heart rate too low", "心率偏低"), (FIDELITY,),
                   (2.0, 5.0, 10.0, 20.0), 10.0, ("beats a minute", "次/分"),
                   (F + "rhythm_distance", *EMBEDDED), TASK_FORCE,
                   (COMPLETENESS, BALANCE, UTILITY)),
            every(waveforms.slower), Needs(kinds=("ecg", "ppg")),
        ),
        Planted(
            Defect("p-waves-missing", ("P waves missing", "缺少 P 波"), (FIDELITY,),
                   (0.05, 0.1, 0.2, 0.5, 1.0), 0.2, OF_RECORDINGS,
                   (F + "morphology_distance",), FIBRILLATION, (COMPLETENESS, UTILITY)),
            plans.some_with(waveforms.has_p, waveforms.without_p), HEART,
        ),
        Planted(
            Defect("qrs-widened", ("QRS widened", "QRS 增宽"), (FIDELITY,),
                   (10.0, 20.0, 40.0, 60.0), 40.0, ("ms", "毫秒"),
                   (F + "morphology_distance", F + "conditional_excess", *EMBEDDED), CONDUCTION,
                   (BALANCE, UTILITY)),
            every(waveforms.wider), HEART,
        ),
        Planted(
            Defect("st-shifted", ("ST raised", "ST 段抬高"), (FIDELITY,),
                   (0.05, 0.1, 0.2, 0.3), 0.1, ("mV", "毫伏"),
                   (F + "morphology_distance", F + "marginal_share_consistent"), FOURTH,
                   (BALANCE, UTILITY)),
            every(waveforms.with_st), Needs(kinds=("ecg",), volts=True),
        ),
        Planted(
            Defect("baseline-wander", ("baseline wander", "基线漂移"), (FIDELITY,),
                   (0.1, 0.3, 1.0, 2.0), 1.0, ("times the signal's span", "倍信号幅度"),
                   (F + "spectrum_distance", F + "marginal_share_consistent", F + "c2st_auc"),
                   SORNMO, (COMPLETENESS, BALANCE, UTILITY)),
            every(waveforms.wander),
        ),
        Planted(
            Defect("smoothed", ("smoothed in time", "时间平滑"), (FIDELITY,),
                   (1.0, 2.0, 4.0, 8.0), 4.0, ("ms", "毫秒"),
                   (F + "spectrum_distance", F + "frechet_distance", F + "kernel_distance",
                    F + "precision", F + "density", E + "bias_sources"), KLIGFIELD,
                   (COMPLETENESS, BALANCE, UTILITY)),
            every(waveforms.smoother), Needs(kinds=("ecg", "eeg")),
        ),
        Planted(
            Defect("wrong-gain", ("gain too high", "增益偏高"), (FIDELITY,),
                   (1.05, 1.1, 1.2, 1.5), 1.1, ("factor", "倍"),
                   (F + "morphology_distance", F + "spectrum_distance",
                    F + "marginal_share_consistent"), INPUTS, (BALANCE, UTILITY)),
            every(waveforms.gain), VOLTS,
        ),
        Planted(
            Defect("polarity-inverted", ("polarity inverted", "极性反转"),
                   (FIDELITY, COMPLETENESS), SHARES, 0.1, OF_RECORDINGS,
                   (F + "morphology_distance",), ARMS, (BALANCE, UTILITY)),
            some(waveforms.inverted), HEART,
        ),
        Planted(
            Defect("channels-exchanged", ("two channels exchanged", "两个通道互换"),
                   (FIDELITY,), SHARES, 0.2, OF_RECORDINGS,
                   (F + "coherence_distance", F + "morphology_distance"), CHEST,
                   (COMPLETENESS, BALANCE, UTILITY)),
            some(waveforms.exchanged), Needs(channels=2),
        ),
        Planted(
            Defect("rate-mislabelled", ("sampling rate mislabelled", "采样率误标"), (FIDELITY,),
                   (0.01, 0.05, 0.1, 0.25), 0.1, ("relative error", "相对误差"),
                   (F + "rhythm_distance", F + "spectrum_distance", S + "mixed_rates"),
                   "Header that states a rate which the samples do not have: header(5) of WFDB; "
                   "Kemp & Olivan 2003, doi:10.1016/S1388-2457(03)00123-8",
                   (COMPLETENESS, BALANCE, UTILITY)),
            every(waveforms.mislabelled),
        ),
        Planted(
            Defect("channels-coarse", ("channels stored at a fraction of the rate",
                                       "通道以较低采样率存储"), (FIDELITY,),
                   (2.0, 4.0, 8.0), 8.0, ("factor", "倍"),
                   (F + "spectrum_distance", S + "mixed_rates_in_recording"), KLIGFIELD,
                   (COMPLETENESS, BALANCE, UTILITY)),
            every(waveforms.coarser), Needs(formats=("wfdb", "edf", "bdf"), channels=2),
        ),
        Planted(
            Defect("modes-lost", ("recordings repeated with noise", "样本重复（模式坍缩）"),
                   (FIDELITY, BALANCE), (0.25, 0.5, 0.75, 0.9), 0.75,
                   ("share of the recordings that repeat others", "重复其他记录的比例"),
                   (F + "coverage", F + "recall", B + "vendi_score"), COLLAPSE,
                   (COMPLETENESS, UTILITY)),
            plans.collapsed,
        ),
        Planted(
            Defect("subgroup-worse", ("one subgroup smoothed", "一个亚组被平滑"), (FIDELITY,),
                   (0.25, 0.5, 1.0), 1.0, ("share of the subgroup", "占亚组的比例"),
                   (F + "conditional_excess", E + "subgroup_fidelity_gap"),
                   "Part 6 proposal, explainability: sources of bias explained",
                   (BALANCE, UTILITY, EXPLAINABILITY), needs=("subgroup",)),
            plans.worse_subgroup(waveforms.smoother, 8.0), Needs(kinds=("ecg", "eeg")),
        ),
    )  # fmt: skip


def _amounts() -> tuple[Planted, ...]:
    """Return those of volume and balance."""
    return (
        Planted(
            Defect("too-few", ("too few recordings", "记录过少"), (BALANCE,),
                   (0.5, 0.8, 0.9), 0.9, ("share left out", "缺失比例"),
                   (B + "items", B + "subjects", B + "duration_total", B + "volume_adequacy"),
                   "ISO/IEC 5259-2:2024", (FIDELITY, UTILITY, PRIVACY, COMPLETENESS, METADATA,
                                           EXPLAINABILITY)),
            plans.fewer,
        ),
        Planted(
            Defect("class-dropped", ("a class left out", "缺少一个类别"), (BALANCE,),
                   (0.5, 0.8, 1.0), 1.0, ("share of the smallest class", "占最小类别的比例"),
                   (B + "class_gini", B + "class_entropy", F + "recall"), HE,
                   (FIDELITY, UTILITY), needs=("classes",)),
            plans.without_class,
        ),
        Planted(
            Defect("class-imbalance", ("classes unbalanced", "类别不均衡"), (BALANCE,),
                   (2.0, 4.0, 10.0), 4.0, ("factor", "倍"),
                   (B + "class_gini", B + "class_entropy", B + "class_imbalance_ratio"), HE,
                   (FIDELITY, UTILITY), needs=("classes",)),
            plans.unbalanced,
        ),
        Planted(
            Defect("subgroup-dropped", ("a subgroup left out", "缺少一个亚组"),
                   (BALANCE, FIDELITY), (0.5, 0.8, 1.0), 1.0,
                   ("share of the smallest subgroup", "占最小亚组的比例"),
                   (B + "attribute_entropy",), "Part 6 proposal, data volume and balance",
                   (UTILITY, EXPLAINABILITY), needs=("subgroup",)),
            plans.without_subgroup,
        ),
    )  # fmt: skip


def _structure(mains_hz: int) -> tuple[Planted, ...]:
    """Return those of completeness: structure, meaning, quality."""
    others = (FIDELITY, BALANCE, UTILITY)
    return (
        Planted(
            Defect("mains-hum", ("mains hum", "工频干扰"), (COMPLETENESS, FIDELITY),
                   (5.0, 10.0, 20.0, 50.0), 20.0, ("uV", "微伏"),
                   (S + "mains_hum", C + "structure_share", F + "spectrum_distance"), HUHTA,
                   (BALANCE, UTILITY)),
            every(waveforms.hum(float(mains_hz))),
            Needs(kinds=("ecg", "eeg"), volts=True, above_hz=float(mains_hz)),
        ),
        Planted(
            Defect("clipped", ("peaks clipped", "削顶"), (COMPLETENESS, FIDELITY),
                   (0.1, 0.2, 0.4, 0.6), 0.4, ("share of the amplitude", "占幅度的比例"),
                   (S + "clipped", C + "structure_share"), INPUTS, (BALANCE, UTILITY)),
            every(waveforms.clipped), Needs(kinds=("ecg", "eeg", "ppg")),
        ),
        Planted(
            Defect("saturated", ("converter saturated", "模数转换饱和"),
                   (COMPLETENESS, FIDELITY), (0.1, 0.2, 0.4, 0.6), 0.4,
                   ("share of the amplitude", "占幅度的比例"),
                   (S + "saturated", C + "structure_share"), INPUTS, (BALANCE, UTILITY, METADATA)),
            every(waveforms.saturated),
            Needs(kinds=("ecg", "eeg", "ppg"), formats=("wfdb", "edf", "bdf", "dicom")),
        ),
        Planted(
            Defect("overdriven", ("amplifier at its rail", "放大器饱和偏移"), (COMPLETENESS,),
                   SHARES, 0.1, OF_RECORDINGS,
                   (S + "offset", S + "clipped", C + "structure_share"), INPUTS, others),
            some(waveforms.overdriven), Needs(kinds=("ecg",), volts=True),
        ),
        Planted(
            Defect("flat-lead", ("a channel flat", "通道平线"), (COMPLETENESS,), SHARES, 0.1,
                   OF_RECORDINGS,
                   (S + "zero_channel", S + "constant_channel", S + "flat",
                    C + "structure_share"), QUALITY, others),
            some(waveforms.flat), Needs(kinds=("ecg", "eeg", "ppg")),
        ),
        Planted(
            Defect("samples-missing", ("samples missing in all channels", "全部通道缺失采样"),
                   (COMPLETENESS,), SHARES, 0.1, OF_RECORDINGS,
                   (S + "samples_missing", S + "gap", C + "structure_share"), PROPOSAL,
                   (*others, METADATA)),
            some(waveforms.gap),
        ),
        Planted(
            Defect("channel-lost", ("a channel without samples", "通道无采样值"),
                   (COMPLETENESS,), SHARES, 0.1, OF_RECORDINGS,
                   (S + "missing_channel", C + "structure_share"), PROPOSAL, others),
            some(waveforms.lost_channel), Needs(formats=FREE_CHANNELS),
        ),
        Planted(
            Defect("channel-absent", ("a channel left out", "缺少一个通道"), (COMPLETENESS,),
                   SHARES, 0.1, OF_RECORDINGS,
                   (S + "channel_absent", C + "structure_share"), PROPOSAL, others),
            some(waveforms.left_out), Needs(channels=2),
        ),
        Planted(
            Defect("duplicates", ("recordings repeated exactly", "记录完全重复"),
                   (COMPLETENESS,), SHARES, 0.1, OF_RECORDINGS,
                   (S + "duplicate", C + "duplicate_share"), "ISO/IEC 25012 (uniqueness)",
                   (BALANCE, FIDELITY, UTILITY)),
            plans.repeated,
        ),
        Planted(
            Defect("drowned", ("signal drowned in noise", "信号被噪声淹没"), (COMPLETENESS,),
                   SHARES, 0.1, OF_RECORDINGS, (C + "usable_signal_share",),
                   "Li et al. 2008, doi:10.1088/0967-3334/29/1/002; Elgendi 2016, "
                   "doi:10.3390/bioengineering3040021", others),
            some(waveforms.drowned), Needs(kinds=("ecg", "eeg", "ppg")),
        ),
        Planted(
            Defect("lead-noise", ("leads generated one by one", "各导联独立生成"),
                   (COMPLETENESS,), (3.0, 5.0, 10.0, 30.0), 10.0, ("uV", "微伏"),
                   (M + "lead_law", C + "semantics_share"), LAWS, others),
            every(waveforms.lead_noise), Needs(kinds=("ecg",), arms=True, volts=True),
        ),
        Planted(
            Defect("arm-leads-swapped", ("arm leads swapped", "上肢导联接反"),
                   (COMPLETENESS, FIDELITY), SHARES, 0.1, OF_RECORDINGS,
                   (M + "arm_leads_swapped", C + "semantics_share", F + "morphology_distance"),
                   ARMS, (BALANCE, UTILITY)),
            some(waveforms.arms_swapped), Needs(kinds=("ecg",), arms=True),
        ),
        Planted(
            Defect("impossible", ("rhythms that no heart has", "不可能的节律"), (COMPLETENESS,),
                   SHARES, 0.1, OF_RECORDINGS,
                   (M + "physiological_limit", M + "no_heart_beat", C + "semantics_share"),
                   LIMITS, (*others, METADATA)),
            some(waveforms.impossible), HEART,
        ),
    )  # fmt: skip


def _copies() -> tuple[Planted, ...]:
    """Return those of privacy: recordings of the training cohort dealt out again."""
    seen = (P + "memorised_share", P + "membership_auc", P + "membership_tpr_at_1pct_fpr",
            P + "nearest_is_train_share", P + "near_copy")  # fmt: skip
    side = (FIDELITY, BALANCE)

    def copy(name: str, title: tuple[str, str], change: waveforms.Change | None,
             more: tuple[str, ...] = ()) -> Planted:  # fmt: skip
        return Planted(
            Defect(f"copies-{name}", title, (PRIVACY,), RARE, 0.05, OF_RECORDINGS,
                   (*more, *seen), CARLINI, side, P + "memorised_share", ("holdout",)),
            plans.copies(change),
        )  # fmt: skip

    return (
        copy("exact", ("training recordings copied exactly", "训练记录的完全拷贝"), None,
             (P + "exact_copy_share", P + "exact_copy")),
        copy("shifted", ("training recordings shifted in time", "训练记录的时移拷贝"),
             waveforms.shifted),
        copy("scaled", ("training recordings scaled", "训练记录的缩放拷贝"), waveforms.scaled),
        copy("noised", ("training recordings noised", "训练记录的加噪拷贝"), waveforms.noised),
    )  # fmt: skip


def _labels() -> tuple[Planted, ...]:
    """Return those of utility: labels that are wrong."""
    return (
        Planted(
            Defect("label-noise", ("labels wrong", "标签错误"), (UTILITY, FIDELITY, COMPLETENESS),
                   (0.05, 0.1, 0.2, 0.4), 0.2, OF_RECORDINGS,
                   (U + "tstr_auc", U + "tstr_ratio", U + "trts_auc", U + "augmentation_gain",
                    F + "conditional_excess", M + "label_against_signal"), NORTHCUTT,
                   (BALANCE,), needs=("classes",)),
            plans.relabelled,
        ),
    )  # fmt: skip


@lru_cache(maxsize=4)
def catalogue(mains_hz: int = 50) -> tuple[Planted, ...]:
    """Return all defects.

    Parameters
    ----------
    mains_hz : {50, 60}
        Frequency of the power grid where the real data were recorded.

    Examples
    --------
    >>> [p.defect.id for p in catalogue()][:3]
    ['heart-rate', 'p-waves-missing', 'qrs-widened']
    """
    return (*_waves(), *_amounts(), *_structure(mains_hz), *FORMS, *_copies(), *_labels())
