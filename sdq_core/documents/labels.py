"""Words for the keys of a result: codes, units, rules and the purpose."""

from __future__ import annotations

from typing import Final

__all__ = ["CODES", "PURPOSE", "RULES", "UNITS"]

# code of a judgement -> English, as `sdq_core.documents.texts.TEXTS`; see `sdq_core.judging.Code`
CODES: Final[dict[str, str]] = {
    "interval_inside": "The interval lies inside the acceptable range.",
    "interval_outside": "The interval lies outside the acceptable range.",
    "interval_straddles": "The interval crosses a limit of the acceptable range.",
    "too_few_items": "There are fewer items than this criterion needs.",
    "no_value": "There is no value.",
    "no_noise_floor": "The criterion needs a noise floor, and there is none.",
    "not_applicable": "The measure does not exist for this kind of data.",
    "no_criterion": "The profile sets no criterion.",
    "not_produced": "The profile asks for a measure that was not produced.",
    "defect_missed": "The measures pass, but calibration shows that they miss a grave defect.",
    # A number without interval is taken as exact.
    "value_inside": "The value lies inside the acceptable range.",
    "value_outside": "The value lies outside the acceptable range.",
}

# unit of a measure -> (English, Chinese); others are printed as they are
UNITS: Final[dict[str, tuple[str, str]]] = {
    "items": ("items", "个样本"),
    "subjects": ("subjects", "名受试者"),
    "features": ("features", "个特征"),
    "causes": ("causes", "个原因"),
    "patients": ("patients", "名患者"),
    "effective items": ("effective items", "个有效样本"),
    "grey values": ("grey values", "灰度值"),
    "parts": ("parts an image", "个区域/幅"),
}

# key of a criterion's rule -> (English, Chinese); others are printed as they are
RULES: Final[dict[str, tuple[str, str]]] = {
    "at_most": ("at most {value}", "不大于 {value}"),
    "at_least": ("at least {value}", "不小于 {value}"),
    "within_noise_floor": ("within {value} times the noise floor", "不超过本底的 {value} 倍"),
    "slack": ("slack {value}", "余量 {value}"),
    "relative_to_real": (
        "or as the real data’s own rate, if that is more lenient",
        "若真实数据自身更宽则从其宽",
    ),
    "declared_target": ("replaced by the declared target", "以声明目标替代"),
    "minimum_n": ("at least {value} items a side", "每侧至少 {value} 个样本"),
}

# key of the study's section ``purpose`` -> (English, Chinese)
PURPOSE: Final[dict[str, tuple[str, str]]] = {
    "description": ("Description", "说明"),
    "minimum_items": ("Items needed", "所需样本数"),
    "minimum_items_per_class": ("Items needed per class", "每类所需样本数"),
    "intended_distribution": ("Intended distribution", "预期分布"),
    "target_auc": ("AUC to reach", "须达到的 AUC"),
}
