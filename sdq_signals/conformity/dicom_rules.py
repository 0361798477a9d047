"""The rules of DICOM waveform objects: PS3.3 A.34, C.10.8 and C.10.9, edition 2026c."""

from __future__ import annotations

from typing import Final

from sdq_core.vocabulary import Severity

__all__ = ["DICOM"]

ERROR, WARNING = Severity.ERROR, Severity.WARNING

DICOM: Final[dict[str, tuple[Severity, str, str, str]]] = {
    "conformity.dicom_sop_class": (
        WARNING,
        "the SOP class is no waveform storage class of the standard; write the one that fits",
        "SOP 类不是标准的波形存储类, 请写入合适的类",
        "PS3.4 B.5, PS3.3 A.34",
    ),
    "conformity.dicom_missing": (
        ERROR,
        "a required attribute of the waveform modules is missing or empty; write it",
        "缺少波形模块的必备属性或其值为空, 请补写",
        "PS3.3 C.10.8, C.10.9, table C.10-9",
    ),
    "conformity.dicom_value": (
        ERROR,
        "the attribute has a value that the standard does not define",
        "该属性的取值不在标准规定之内",
        "PS3.3 C.10.9",
    ),
    "conformity.dicom_modality": (
        ERROR,
        "the modality is not the one that the SOP class prescribes",
        "Modality 与 SOP 类的规定不符",
        "PS3.3 A.34, content constraints",
    ),
    "conformity.dicom_groups": (
        ERROR,
        "the SOP class allows fewer multiplex groups",
        "复用组数超过该 SOP 类的上限",
        "PS3.3 A.34, content constraints",
    ),
    "conformity.dicom_channels": (
        ERROR,
        "the SOP class allows fewer channels",
        "通道数超过该 SOP 类的上限",
        "PS3.3 A.34, content constraints",
    ),
    "conformity.dicom_samples": (
        ERROR,
        "the SOP class allows fewer samples",
        "采样点数超过该 SOP 类的上限",
        "PS3.3 A.34, content constraints",
    ),
    "conformity.dicom_sampling_frequency": (
        ERROR,
        "the SOP class prescribes another range of sampling frequencies",
        "采样频率不在该 SOP 类规定的范围内",
        "PS3.3 A.34, content constraints",
    ),
    "conformity.dicom_interpretation": (
        ERROR,
        "the SOP class prescribes another sample interpretation",
        "采样值类型 (Waveform Sample Interpretation) 与 SOP 类的规定不符",
        "PS3.3 A.34, content constraints",
    ),
    "conformity.dicom_bits": (
        ERROR,
        "bits allocated, bits stored and sample interpretation contradict each other",
        "分配位数、存储位数与采样值类型相互矛盾",
        "PS3.3 C.10.9.1.5",
    ),
    "conformity.dicom_channel_definitions": (
        ERROR,
        "there is not one channel definition for each channel",
        "通道定义条目数与通道数不符",
        "PS3.3 C.10.9",
    ),
    "conformity.dicom_data_length": (
        ERROR,
        "the length of the waveform data is not channels times samples times bytes",
        "波形数据长度不等于通道数乘采样点数乘字节数",
        "PS3.3 C.10.9.1.7",
    ),
    "conformity.dicom_skew": (
        ERROR,
        "exactly one of ChannelTimeSkew and ChannelSampleSkew must be there",
        "ChannelTimeSkew 与 ChannelSampleSkew 必须且只能有其一",
        "PS3.3 table C.10-9",
    ),
    "conformity.dicom_code": (
        ERROR,
        "a code needs value, coding scheme and meaning",
        "代码必须含代码值、编码体系与含义",
        "PS3.3 table 8.8-1",
    ),
    "conformity.dicom_unit_scheme": (
        WARNING,
        "units must be coded in UCUM",
        "单位必须使用 UCUM 编码",
        "PS3.16 CID 82 and CID 3082",
    ),
    "conformity.dicom_source_scheme": (
        WARNING,
        "the channel's source is not coded in MDC or SCPECG, so its lead is known by words only",
        "通道来源未使用 MDC 或 SCPECG 编码, 只能按文字识别导联",
        "PS3.3 A.34, baseline CID 3001",
    ),
}  # fmt: skip
"""``area.rule`` -> severity, English and Chinese sentence, source."""
