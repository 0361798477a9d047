"""Entries of the catalogue: what records say, whom they hold, and from whom they are copied."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sdq_core.calibration.defect import Defect
from sdq_ehr.planting.catalogue_words import (
    BALANCE,
    COMPLETENESS,
    EXPLAINABILITY,
    FIDELITY,
    KAHN,
    METADATA,
    PRIVACY,
    SHARE_PATIENTS,
    SHARE_ROWS,
    SHARES,
    UTILITY,
    balance,
    completeness,
    fidelity,
    metadata,
    privacy,
    utility,
)  # fmt: skip

__all__ = ["content_defects", "patient_defects"]

SHARE_COLUMNS: Final = ("share of columns", "列占比")
DEVIATIONS: Final = ("standard deviations", "标准差")
_ROWS: Final = fidelity("kernel_distance", "frechet_distance", "c2st_auc")


def content_defects() -> Iterator[Defect]:
    """Yield the defects of fidelity and balance."""
    rubin = "Rubin 1976, doi:10.1093/biomet/63.3.581"
    bowen = "Bowen & Snoke 2021, doi:10.29012/jpc.748"
    platzer = "Platzer & Reutterer 2021, doi:10.3389/fdata.2021.679939"
    yield Defect(
        "marginal-shift",
        ("one number shifted", "单个数值整体偏移"),
        (FIDELITY,),
        (0.1, 0.25, 0.5, 1.0, 2.0),
        0.5,
        DEVIATIONS,
        (*fidelity("marginal_share_consistent"), *_ROWS),
        platzer,
        (COMPLETENESS, METADATA, UTILITY, EXPLAINABILITY),
    )
    yield Defect(
        "decorrelation",
        ("columns without their dependences", "列间依赖丢失"),
        (FIDELITY,),
        (0.1, 0.25, 0.5, 1.0),
        0.5,
        SHARE_COLUMNS,
        fidelity(
            "association_distance",
            "three_way_distance",
            "trajectory_distance",
            "c2st_auc",
            "precision",
            "density",
            "coverage",
        ),
        bowen,
        (COMPLETENESS, UTILITY, EXPLAINABILITY),
    )
    yield Defect(
        "invented-correlation",
        ("two numbers that depend on one another", "凭空产生的相关"),
        (FIDELITY,),
        (0.3, 0.5, 0.7, 1.0),
        0.7,
        ("strength of the dependence", "依赖强度"),
        fidelity("association_distance", "c2st_auc"),
        bowen,
        (COMPLETENESS, UTILITY, EXPLAINABILITY),
    )
    yield Defect(
        "values-permuted",
        ("results of other patients", "检验值与患者错配"),
        (FIDELITY,),
        (0.1, 0.25, 0.5, 1.0),
        1.0,
        SHARE_ROWS,
        fidelity("association_distance", "trajectory_distance", "c2st_auc"),
        bowen,
        (COMPLETENESS, UTILITY, EXPLAINABILITY),
    )
    yield Defect(
        "dates-permuted",
        ("times of other patients", "时间与患者错配"),
        (FIDELITY,),
        (0.1, 0.25, 0.5, 1.0),
        1.0,
        SHARE_ROWS,
        fidelity("trajectory_distance"),
        f"{KAHN} (temporal plausibility)",
        (COMPLETENESS, UTILITY, EXPLAINABILITY),
    )
    yield Defect(
        "codes-redrawn",
        ("codes drawn at random", "编码随机抽取"),
        (FIDELITY,),
        (0.1, 0.25, 0.5, 1.0),
        0.5,
        SHARE_ROWS,
        fidelity("code_frequency_distance", "code_cooccurrence_distance"),
        "Yan et al. 2022, doi:10.1038/s41467-022-35295-1",
        (COMPLETENESS, BALANCE, UTILITY, EXPLAINABILITY),
    )
    yield Defect(
        "missingness",
        ("values of one column missing", "单列数值缺失"),
        (FIDELITY,),
        (0.05, 0.1, 0.2, 0.5),
        0.2,
        SHARE_ROWS,
        fidelity("missingness_distance", "c2st_auc"),
        rubin,
        (COMPLETENESS, METADATA, UTILITY, EXPLAINABILITY),
    )
    yield Defect(
        "mode-collapse",
        ("few patients, repeated with small changes", "模式坍缩"),
        (FIDELITY,),
        (0.25, 0.5, 0.75, 0.9),
        0.75,
        SHARE_PATIENTS,
        fidelity("recall", "coverage", "density", "kernel_distance"),
        "Alaa et al. 2022, arXiv:2102.08921 (fidelity, diversity)",
        (BALANCE, COMPLETENESS, PRIVACY, UTILITY, EXPLAINABILITY),
    )
    yield Defect(
        "group-shifted",
        ("one number shifted in one group alone", "仅一个亚组的数值偏移"),
        (FIDELITY,),
        (0.5, 1.0, 2.0, 3.0),
        2.0,
        DEVIATIONS,
        (
            *fidelity("association_distance", "marginal_share_consistent"),
            "ehr.explainability.subgroup_fidelity_gap",
            "ehr.explainability.bias_sources",
        ),
        "Bhanot et al. 2021, doi:10.3390/e23091165 (fairness of synthetic health data)",
        (COMPLETENESS, METADATA, UTILITY, EXPLAINABILITY),
        needs=("subgroup",),
    )
    yan = "Yan et al. 2022, doi:10.1038/s41467-022-35295-1"
    yield Defect(
        "rare-codes-dropped",
        ("rare codes dropped", "罕见编码丢失"),
        (BALANCE,),
        (0.002, 0.005, 0.01, 0.02, 0.05),
        0.01,
        ("least share of a code", "保留编码的最低占比"),
        (*balance("rare_code_coverage"), *fidelity("code_frequency_distance")),
        yan,
        (FIDELITY, COMPLETENESS, UTILITY, EXPLAINABILITY),
    )
    yield Defect(
        "class-imbalance",
        ("rarest class thinned out", "最少类别被削减"),
        (BALANCE,),
        (0.25, 0.5, 0.75, 0.9, 1.0),
        0.9,
        ("share of the rarest class that is gone", "最少类别的缺失占比"),
        balance("class_gini", "class_entropy", "class_imbalance_ratio"),
        "Part 6 proposal, balance of classes",
        (FIDELITY, UTILITY, EXPLAINABILITY),
        needs=("classes",),
    )
    yield Defect(
        "group-dropped",
        ("one group of patients dropped", "一个亚组丢失"),
        (FIDELITY, BALANCE),
        (0.25, 0.5, 0.75, 1.0),
        0.75,
        ("share of the group that is gone", "亚组的缺失占比"),
        (*balance("attribute_entropy"), *fidelity("marginal_share_consistent")),
        "Bhanot et al. 2021, doi:10.3390/e23091165 (fairness of synthetic health data)",
        (UTILITY, EXPLAINABILITY),
    )
    yield Defect(
        "too-few-patients",
        ("too few patients", "患者过少"),
        (BALANCE,),
        (0.5, 0.75, 0.9, 0.97),
        0.97,
        ("share of the patients that is gone", "患者的缺失占比"),
        balance("items", "volume_adequacy"),
        "Part 6 proposal, volume",
        (FIDELITY, UTILITY, EXPLAINABILITY, PRIVACY),
    )


def patient_defects() -> Iterator[Defect]:
    """Yield the defects of declared origin, labels, copies and utility."""
    stadler = "Stadler et al. 2022, USENIX Security (membership and attribute inference)"
    yao = "Yao et al., arXiv:2505.01524 (near copies)"
    yield Defect(
        "duplicated-patients",
        ("patients under two numbers", "重复患者"),
        (COMPLETENESS,),
        (0.02, 0.05, 0.1, 0.2, 0.5),
        0.1,
        SHARE_PATIENTS,
        (*completeness("duplicate_share"), "ehr.structure.duplicate"),
        "Fellegi & Sunter 1969, doi:10.1080/01621459.1969.10501049",
        (FIDELITY, BALANCE, UTILITY, EXPLAINABILITY),
        completeness("duplicate_share")[0],
    )
    yield Defect(
        "undeclared", ("patients that do not say that they are synthetic", "未声明为合成的患者"),
        (METADATA,), SHARES, 0.1, SHARE_PATIENTS,
        (*metadata("declared_synthetic_share"), "ehr.metadata.not_declared_synthetic",
         "ehr.explainability.item_lineage_share"),
        "Part 6 proposal, required attributes; GB 45438-2025", (EXPLAINABILITY,),
    )  # fmt: skip
    yield Defect(
        "aigc-label-broken",
        ("the label AIGC is broken", "AIGC 标识损坏"),
        (METADATA,),
        SHARES,
        0.1,
        SHARE_PATIENTS,
        (*metadata("declared_synthetic_share"), "ehr.metadata.aigc_label"),
        "GB 45438-2025 (implicit label in metadata)",
    )
    yield Defect(
        "labels-missing", ("class missing or none of the declared", "类别缺失或未声明"),
        (METADATA,), SHARES, 0.1, SHARE_PATIENTS,
        (*metadata("required_attribute_share", "conformity_share"),
         "ehr.metadata.label_missing", "ehr.conformity.class_unknown"),
        "Part 6 proposal, required attributes",
        (COMPLETENESS, BALANCE, FIDELITY, UTILITY, EXPLAINABILITY), needs=("classes",),
    )  # fmt: skip
    attacks = privacy(
        "membership_auc",
        "membership_tpr_at_1pct_fpr",
        "nearest_is_train_share",
        "singling_out_risk",
        "linkability_risk",
        "inference_risk",
        "k_anonymity",
    )
    yield Defect(
        "exact-copies",
        ("copies of training patients", "训练患者的完全拷贝"),
        (PRIVACY,),
        (0.01, 0.05, 0.1, 0.2, 0.5),
        0.05,
        SHARE_PATIENTS,
        (
            *privacy("exact_copy_share", "memorised_share"),
            *attacks,
            "ehr.privacy.exact_copy",
            "ehr.privacy.near_copy",
            "ehr.privacy.closer_than_chance",
        ),
        stadler,
        (FIDELITY, EXPLAINABILITY),
        "ehr.privacy.memorised_share",
        ("holdout",),
    )
    yield Defect(
        "near-copies",
        ("near copies of training patients", "训练患者的近似拷贝"),
        (PRIVACY,),
        (0.01, 0.05, 0.1, 0.2, 0.5),
        0.1,
        SHARE_PATIENTS,
        (*privacy("memorised_share"), *attacks, "ehr.privacy.near_copy"),
        yao,
        (FIDELITY, EXPLAINABILITY),
        "ehr.privacy.memorised_share",
        ("holdout",),
    )
    yield Defect(
        "half-copies",
        ("half of the columns copied", "半数列被拷贝"),
        (PRIVACY,),
        (0.05, 0.1, 0.2, 0.5),
        0.2,
        SHARE_PATIENTS,
        privacy("memorised_share", "linkability_risk", "inference_risk"),
        yao,
        (FIDELITY, COMPLETENESS, EXPLAINABILITY, UTILITY),
        "",
        ("holdout",),
    )
    yield Defect(
        "text-copies",
        ("free texts copied", "自由文本被拷贝"),
        (PRIVACY,),
        (0.02, 0.05, 0.1, 0.2, 0.5),
        0.1,
        SHARE_ROWS,
        (
            *privacy("exact_copy_share", "memorised_share"),
            "ehr.privacy.text_copy",
            "ehr.privacy.near_text_copy",
        ),
        "Carlini et al. 2021, USENIX Security (extracting training data)",
        (FIDELITY, EXPLAINABILITY),
        "",
        ("holdout",),
    )
    yield Defect(
        "label-noise", ("classes of other patients", "类别标签噪声"), (UTILITY,),
        (0.1, 0.2, 0.3, 0.5), 0.5, SHARE_PATIENTS,
        (*utility("tstr_auc", "tstr_ratio", "trts_auc", "augmentation_gain"),
         *fidelity("association_distance")),
        "Northcutt et al. 2021, doi:10.1613/jair.1.12125 (confident learning)",
        (FIDELITY, BALANCE, COMPLETENESS, EXPLAINABILITY), needs=("classes",),
    )  # fmt: skip
