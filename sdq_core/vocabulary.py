"""The words of the house: characteristics, roles, verdicts, severities, and their zh/en terms."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

__all__ = ["TERMS", "Characteristic", "Language", "Role", "Severity", "Verdict", "term", "worst"]


class Characteristic(StrEnum):
    """The six quality characteristics in the standard's order, and the supplementary experiment."""

    FIDELITY = "fidelity"
    BALANCE = "balance"
    COMPLETENESS = "completeness"
    METADATA = "metadata"
    PRIVACY = "privacy"
    EXPLAINABILITY = "explainability"
    UTILITY = "utility"


class Role(StrEnum):
    """What a cohort is in a study."""

    TRAIN = "train"
    HOLDOUT = "holdout"
    SYNTHETIC = "synthetic"


class Verdict(StrEnum):
    """What a criterion says of a measurement."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    NOT_ASSESSED = "not_assessed"


class Severity(StrEnum):
    """How much a finding weighs."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Language(StrEnum):
    """The languages that sdq writes."""

    EN = "en"
    ZH = "zh"


# Worst first. A failure is a fact and outweighs what is not known.
_ORDER: Final = (Verdict.FAIL, Verdict.NOT_ASSESSED, Verdict.INCONCLUSIVE, Verdict.PASS)


def worst(verdicts: list[Verdict]) -> Verdict:
    """Return the worst of several verdicts.

    Parameters
    ----------
    verdicts : list of Verdict
        May be empty: nothing was judged.

    Returns
    -------
    Verdict
        ``fail`` before ``not_assessed`` before ``inconclusive`` before ``pass``;
        ``not_assessed`` for an empty list.

    Examples
    --------
    >>> worst([Verdict.PASS, Verdict.INCONCLUSIVE]).value
    'inconclusive'
    >>> worst([]).value
    'not_assessed'
    """
    return next((v for v in _ORDER if v in verdicts), Verdict.NOT_ASSESSED)


# key -> (English, Chinese). The only place where a term of the standard is translated.
TERMS: Final[dict[str, tuple[str, str]]] = {
    "fidelity": ("Feature distribution fidelity", "特征分布真实性"),
    "balance": ("Data volume and balance", "数据量与均衡性"),
    "completeness": ("Data completeness", "数据完备性"),
    "metadata": ("Metadata sufficiency and conformity", "元数据充分性与规范性"),
    "privacy": ("Privacy security", "隐私安全性"),
    "explainability": ("Explainability", "可解释性"),
    "utility": ("Utility for the application", "应用有效性(补充试验)"),
    "marginal_consistency": ("Marginal consistency", "边缘分布一致性"),
    "joint_consistency": ("Joint consistency", "联合分布一致性"),
    "structural_integrity": ("Structural integrity", "结构完整性"),
    "semantic_accuracy": ("Semantic accuracy", "语义准确性"),
    "required_attributes": ("Required attributes present", "必备属性完整性"),
    "attribute_conformity": ("Descriptions in the agreed form", "属性描述规范性"),
    "privacy_compliance": ("Privacy compliance assessment", "隐私合规性评估"),
    "attack_simulation": ("Privacy attack simulation", "隐私攻击模拟"),
    "process_traceability": ("Key steps traceable", "关键环节可回溯"),
    "bias_explained": ("Sources of bias explained", "偏差来源可解释"),
    "gini_coefficient": ("Gini coefficient", "基尼系数"),
    "shannon_entropy": ("Shannon entropy", "香农熵"),
    "study": ("Study", "评价任务"),
    "cohort": ("Cohort", "数据集"),
    "item": ("Item", "样本"),
    "subject": ("Subject", "受试者"),
    "train": ("Real, training", "真实数据(训练)"),
    "holdout": ("Real, holdout", "真实数据(留出)"),
    "synthetic": ("Synthetic", "合成数据"),
    "training_set": ("training set", "训练集"),
    "tuning_set": ("tuning set", "调优集"),
    "test_set": ("test set", "测试集"),
    "measurement": ("Measurement", "测量结果"),
    "noise_floor": ("Noise floor (real against real)", "本底(真实数据自身差异)"),
    "interval": ("95 % interval", "95% 区间"),
    "finding": ("Finding", "发现项"),
    "criterion": ("Criterion", "接受准则"),
    "verdict": ("Verdict", "判定"),
    "profile": ("Profile", "评价方案"),
    "requirement": ("Requirement", "要求"),
    "synthesis_description": ("Synthesis description", "数据合成说明"),
    "validation_report": ("Validation report", "验证报告"),
    "quality_assessment_report": ("Quality assessment report", "质量评估报告"),
    "supplementary_experiment": ("Supplementary experiment", "补充试验"),
    "manual_review": ("Manual review", "人工审查"),
    "met": ("met", "满足"),
    "not_met": ("not met", "不满足"),
    "not_provided": ("not provided", "未提供"),
    "informative": ("informative", "供参考"),
    "pass": ("pass", "通过"),
    "fail": ("fail", "不通过"),
    "inconclusive": ("inconclusive", "不能判定"),
    "not_assessed": ("not assessed", "未评价"),
    "error": ("error", "错误"),
    "warning": ("warning", "警告"),
    "info": ("note", "提示"),
}


def term(key: str, language: Language | str = Language.EN) -> str:
    """Return a term of the house in one language.

    Parameters
    ----------
    key : str
        An id such as ``"fidelity"`` or a member of one of the enumerations here.
    language : {"en", "zh"}

    Returns
    -------
    str

    Raises
    ------
    KeyError
        The term is not in `TERMS`.

    Examples
    --------
    >>> term("noise_floor", "zh")
    '本底(真实数据自身差异)'
    """
    english, chinese = TERMS[str(key)]
    return chinese if Language(language) is Language.ZH else english
