"""Why a code was refused, marked or left undecided: one sentence each in both languages.

``{other}`` becomes the name of another code system, ``{decided_by}`` the list and its version. A
code itself is never quoted: it may be a patient's.
"""

from __future__ import annotations

from typing import Final

__all__ = ["REASONS", "SYSTEM_NAMES", "sentence"]

SYSTEM_NAMES: Final[dict[str, tuple[str, str]]] = {
    "icd10": ("ICD-10 (WHO)", "ICD-10(WHO)"),
    "icd10cm": ("ICD-10-CM", "ICD-10-CM"),
    "icd10cn": ("ICD-10 clinical edition (China)", "ICD-10 国家临床版/医保版"),
    "icd10pcs": ("ICD-10-PCS", "ICD-10-PCS"),
    "icd9cm": ("ICD-9-CM diagnoses", "ICD-9-CM 诊断"),
    "icd9proc": ("ICD-9-CM procedures", "ICD-9-CM 手术操作"),
    "icd9cn": ("ICD-9-CM-3 clinical edition (China)", "ICD-9-CM-3 国家临床版/医保版"),
    "loinc": ("LOINC", "LOINC"),
    "snomed": ("SNOMED CT", "SNOMED CT"),
    "atc": ("ATC", "ATC"),
    "rxnorm": ("RxNorm", "RxNorm"),
    "ndc": ("NDC", "NDC"),
    "cvx": ("CVX", "CVX"),
    "ucum": ("UCUM", "UCUM"),
    "omop": ("OMOP concepts", "OMOP 概念"),
    "local": ("the local list", "本地代码表"),
}
"""Code system -> its name in English and in Chinese."""

REASONS: Final[dict[str, tuple[str, str]]] = {
    "": ("", ""),
    # form
    "missing": ("there is no value; give the code or leave the row out", "值缺失, 请补充代码"),
    "not_text": (
        "a number, bytes or another object stands where the text of a code belongs; read the "
        "column as text",
        "代码处不是文本而是数字、字节或其他对象, 请按文本读取该列",
    ),
    "digits_lost": (
        "the code went through a floating-point number, which holds no more than 15 digits; read "
        "the column as text",
        "代码曾被存为浮点数, 超出 15 位的数字已丢失, 请按文本读取该列",
    ),
    "too_long": ("the text is longer than any code of the system", "文本长度超过该体系的任何代码"),
    "form": (
        "the text does not have the form of a code of the system",
        "文本不符合该体系的代码形式",
    ),
    "block": (
        "a range of categories is a heading of the classification, not a code; give the code",
        "这是分类的类目范围(节), 不是代码, 请给出具体代码",
    ),
    "chapter": (
        "the number of a chapter is a heading of the classification, not a code; give the code",
        "这是分类的章号, 不是代码, 请给出具体代码",
    ),
    "leading_zeros": (
        "there are too few digits; leading zeros were probably lost: read the column as text",
        "位数不足, 可能丢失了前导零, 请按文本读取该列",
    ),
    "placeholder": (
        "zeros stand in for a code; leave the value empty where there is none",
        "以零代替代码, 没有代码时请留空",
    ),
    # check digit
    "check_digit": ("the check digit is wrong; correct the code", "校验位错误, 请更正代码"),
    # list
    "not_listed": (
        "the code does not exist in {decided_by}; correct it or give the list of its version",
        "{decided_by}中没有该代码, 请更正或提供对应版本的代码表",
    ),
    "category_not_listed": (
        "the category of the code does not exist in {decided_by}; correct the code",
        "{decided_by}中没有该代码所属的类目, 请更正代码",
    ),
    "list_needed": (
        "form (and check digit, where there is one) are right; whether the code exists cannot be "
        "decided offline: give the list of the system",
        "形式(及校验位)正确; 代码是否存在无法离线判定, 请提供该体系的代码表",
    ),
    "extension_undecided": (
        "the code's category exists in {decided_by}; the national extension cannot be decided "
        "offline: give the national list",
        "该代码所属类目存在于{decided_by}; 国家扩展码无法离线判定, 请提供国家版代码表",
    ),
    "list_incomplete": (
        "the given list is incomplete ({decided_by}), and the code is not in it: cannot be decided",
        "所给代码表不完整({decided_by}), 且其中没有该代码, 无法判定",
    ),
    "package_missing": (
        "the package with the list is not installed, so the code cannot be decided; "
        "pip install 'sdq[ehr]'",
        "未安装提供代码表的软件包, 无法判定; 请执行 pip install 'sdq[ehr]'",
    ),
    "local_concept": (
        "the identifier lies in the range of local concepts (above 2,000,000,000): only the "
        "provider's list can decide",
        "该编号属于本地概念范围(大于 2,000,000,000), 只有提供方的代码表能判定",
    ),
    # activity, billing
    "inactive": (
        "the code is no longer active in {decided_by}; check the date or replace it",
        "该代码在{decided_by}中已停用, 请核对日期或更换",
    ),
    "not_billable": (
        "the code is a heading with finer codes below it in {decided_by}; give the finer code",
        "该代码在{decided_by}中还有下级细目, 请使用最细一级代码",
    ),
    # system and domain
    "other_system": (
        "the value has the form of {other}; name the right system or correct the code",
        "该值具有{other}的形式, 请更正代码体系或代码",
    ),
    "wrong_domain": (
        "the code belongs to another domain than the column; move it or correct it",
        "代码的领域与该列不符, 请移至正确的列或更正",
    ),
    "component_kind": (
        "the identifier names a description or a relationship, not a concept; give the concept",
        "该标识符指向描述或关系而非概念, 请给出概念标识符",
    ),
    # meaning
    "unit_suspect": (
        "the text is a unit, but probably not the one meant; see the suggestion",
        "该文本可作为单位解析, 但很可能不是本意, 请参考建议",
    ),
    "unit_syntax": (
        "the text is no unit of UCUM (case counts); see the suggestion where there is one",
        "该文本不是 UCUM 单位(区分大小写), 如有建议请参考",
    ),
    "unmapped": (
        "concept 0 says that no concept matched the source; map the source code",
        "概念 0 表示来源代码未能映射, 请完成映射",
    ),
}
"""Reason -> sentence in English and in Chinese; the empty one is of a code that is right."""


def sentence(reason: str, language: str = "en", *, other: str = "", decided_by: str = "") -> str:
    """Return the sentence of a reason.

    Parameters
    ----------
    reason : str
        A key of `REASONS`.
    language : {"en", "zh"}
    other : str
        Code system whose form the value has.
    decided_by : str
        Name and version of the list that decided.

    Returns
    -------
    str

    Examples
    --------
    >>> sentence("other_system", other="loinc")
    'the value has the form of LOINC; name the right system or correct the code'
    """
    which = 1 if language == "zh" else 0
    name = SYSTEM_NAMES.get(other, (other, other))[which]
    listed = decided_by or ("the list", "代码表")[which]
    return REASONS[reason][which].format(other=name, decided_by=listed)
