"""Identifiers in running text: header values, file names, texts inside pictures. Knows no DICOM."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Final

__all__ = ["IDENTIFIER_KINDS", "KIND_WORDS", "identifiers_in_text", "is_dummy"]

_DUMMY = re.compile(
    r"anon|de-?ident|synth|syn(?![a-z])|remov|redact|mask|hidden|blind|unknown|none(?![a-z])|n/?a$|null$|"
    r"dummy|test(?![a-z])|phantom|pseudo|simul|sim(?![a-z])|(?:subject|patient|case|sample)\W*\d|"
    r"[x*?-]+$|0+$|匿名|脱敏|去标识|合成|测试|体模|模拟|未知|已删除|无名"
)

_CHECK_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"


def is_dummy(value: str) -> bool:
    """Return whether a value says itself that it stands for nobody.

    Parameters
    ----------
    value : str

    Returns
    -------
    bool
        True for an empty value, zeros or crosses only, and values that begin with a word such as
        ``ANON``, ``DEIDENTIFIED``, ``REMOVED``, ``SYNTHETIC``, ``PHANTOM``, ``匿名``.

    Examples
    --------
    >>> is_dummy("ANONYMOUS^0042"), is_dummy("SYN-7"), is_dummy("Synnott^Ann")
    (True, True, False)
    """
    plain = re.sub(r"[\^=_\s]+", " ", value).strip().lower()
    return not plain or _DUMMY.match(plain) is not None


def _is_resident_number(match: re.Match[str]) -> bool:
    """Check date and check character (GB 11643-1999, ISO 7064 MOD 11-2)."""
    number = match[0].upper()
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    total = sum(int(d) * w for d, w in zip(number[:17], _CHECK_WEIGHTS, strict=True))
    return number[17] == _CHECK_DIGITS[total % 11]


def _is_not_dummy(match: re.Match[str]) -> bool:
    return not is_dummy(match["value"])


def _always(match: re.Match[str]) -> bool:
    return True


# Digits and dots on either side mean that the match is a piece of something else, such as a UID.
_LEFT, _RIGHT = r"(?<![\d.])", r"(?!\.?\d)"

_RULES: Final[tuple[tuple[str, re.Pattern[str], Callable[[re.Match[str]], bool]], ...]] = (
    (
        "resident_identity_number",
        re.compile(rf"{_LEFT}[1-9]\d{{5}}(?:19|20)\d{{9}}[\dXx]{_RIGHT}", re.ASCII),
        _is_resident_number,
    ),
    (
        "mobile_number",
        re.compile(rf"{_LEFT}(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{{4}}){{2}}{_RIGHT}", re.ASCII),
        _always,
    ),
    (
        "social_security_number",
        # Groups that the Social Security Administration never issues are left out.
        re.compile(r"(?<![\d.-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])", re.ASCII),
        _always,
    ),
    (
        "email",
        re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}", re.ASCII),
        _always,
    ),
    (
        "telephone",
        re.compile(
            r"(?<![\d.-])(?:(?:\+?1[-. ])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[-.])[2-9]\d\d[-.]\d{4}"
            r"|0\d{2,3}-\d{7,8}|\+(?!86[ -]?1[3-9])\d{1,3}[ -]\d[\d -]{6,13}\d"
            r"|(?:传真|电话|\b(?:[Ff]ax|FAX|[Tt]el|TEL|[Pp]hone)\b\.?)[:： ]{1,3}"
            r"(?!\+?86|1[3-9])[\d(][\d() -]{5,13}\d)(?!\.?\d)",
            re.ASCII,
        ),
        _always,
    ),
    (
        "record_number",
        re.compile(
            r"(?:病案号|住院号|门诊号|病历号|就诊号|登记号|\bMRN|\bmedical record (?:no|number)"
            r"|\bhospital (?:no|number)|\bpatient id)[\s:：#=.]*(?P<value>[A-Za-z]{0,8}-?\d{4,})",
            re.IGNORECASE,
        ),
        _is_not_dummy,
    ),
    (
        "insurance_number",
        re.compile(
            r"(?:医保号|医保卡号|社保号|社会保障号|\binsurance (?:no|number)|\bmember id)"
            r"[\s:：#=.]*(?P<value>[A-Za-z]{0,8}-?\d{4,})",
            re.IGNORECASE,
        ),
        _is_not_dummy,
    ),
    (
        "account_number",
        re.compile(
            r"(?:银行卡号|银行账号|账号|\b(?:bank )?account (?:no|number))"
            r"[\s:：#=.]*(?P<value>[A-Za-z]{0,8}-?\d[\d -]{4,})",
            re.IGNORECASE,
        ),
        _is_not_dummy,
    ),
    (
        "licence_number",
        re.compile(
            r"(?:护照号码?|通行证号码?|驾驶证号码?|驾照号码?|军官证号码?|执业证书?编号"
            r"|\bpassport (?:no|number)|\b(?:driver'?s? )?licen[cs]e (?:no|number)"
            r"|\bcertificate (?:no|number))"
            r"[\s:：#=.]*(?P<value>[A-Za-z]{0,8}-?\d{4,})",
            re.IGNORECASE,
        ),
        _is_not_dummy,
    ),
    (
        "vehicle",
        re.compile(
            r"(?:车牌号?码?|\blicen[cs]e plate|\bplate (?:no|number)|\bVIN)"
            r"[\s:：#=.]*(?P<value>[\u4e00-\u9fffA-Za-z0-9·-]{5,17})",
            re.IGNORECASE,
        ),
        _is_not_dummy,
    ),
    (
        "ip_address",
        # Behind its label only: versions and pieces of UIDs have the same form.
        re.compile(
            r"(?:\bIP(?: ?address)?|IP ?地址)\s*[:：=]?\s*"
            r"(?P<value>(?:\d{1,3}\.){3}\d{1,3})(?!\.?\d)",
            re.IGNORECASE,
        ),
        _is_not_dummy,
    ),
    (
        "name",
        re.compile(
            r"(?:(?:姓名|患者|病人|受检者)\s*[:：]\s*(?P<value>[\u4e00-\u9fff·]{2,}))"
            r"|(?:\bpat(?:ient|\.)?(?:'s)? ?name\s*[:=]\s*(?P<latin>[A-Za-z][A-Za-z^,' -]+))",
            re.IGNORECASE,
        ),
        lambda match: not is_dummy(match["value"] or match["latin"]),
    ),
    (
        "birth_date",
        re.compile(
            r"(?:出生日期|出生年月|\bDOB|\bdate of birth|\bbirth ?date)\s*[:：=]?\s*"
            r"\d{4}\s*[-/.年]?\s*\d{1,2}\s*[-/.月]?\s*\d{1,2}",
            re.IGNORECASE,
        ),
        _always,
    ),
    (
        "address",
        re.compile(
            r"(?:家庭住址|住址|联系地址|\bhome address)\s*[:：=]\s*(?P<value>\S{4,})", re.IGNORECASE
        ),
        _is_not_dummy,
    ),
)

IDENTIFIER_KINDS: Final = tuple(kind for kind, _, _ in _RULES)
"""The kinds that `identifiers_in_text` can tell apart."""


KIND_WORDS: Final = {
    "name": ("a person's name", "人名"),
    "record_number": ("a record number", "病历号类编号"),
    "birth_date": ("a date of birth", "出生日期"),
    "contact": ("an address or a telephone number", "地址或电话"),
    "insurance_number": ("an insurance number", "医保号"),
    "staff_name": ("the name of a member of staff", "医务人员姓名"),
    "order_number": ("an order or accession number", "申请单号或检查号"),
    "institution": ("an institution or a place", "机构或地点"),
    "device": ("a particular device", "特定设备"),
    "demographic": ("a personal circumstance", "个人情况"),
    "resident_identity_number": ("a resident identity number", "居民身份号码"),
    "mobile_number": ("a mobile number", "手机号码"),
    "social_security_number": ("a social security number", "社会安全号码"),
    "email": ("an e-mail address", "电子邮箱"),
    "telephone": ("a telephone number", "电话号码"),
    "address": ("an address", "住址"),
    "account_number": ("an account number", "账号"),
    "licence_number": ("a passport, licence or certificate number", "证件号码"),
    "vehicle": ("a vehicle's number", "车辆号牌或识别码"),
    "ip_address": ("an IP address", "IP 地址"),
}
"""Kind of identifier -> its words in English and Chinese, for messages."""


def identifiers_in_text(text: str) -> list[str]:
    """Return the kinds of identifiers that a text holds.

    Found are Chinese resident identity numbers with a valid date and check character (GB
    11643-1999), Chinese mobile numbers, US social security numbers, e-mail addresses, telephone
    and fax numbers, and record, insurance, account, licence, certificate and passport numbers,
    vehicles, IP addresses, names, dates of birth and addresses behind a label in Chinese or English
    ("病案号: ...", "MRN 00123456", "Patient Name: ..."). Names without a label are not found: no
    pattern tells them from other words.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of str
        Some of `IDENTIFIER_KINDS`, in that order, each once. Never the text itself.

    Examples
    --------
    >>> identifiers_in_text("住院号：00123456，电话 13800138000")
    ['mobile_number', 'record_number']
    >>> identifiers_in_text("1.2.840.113619.2.13800138000.5")
    []
    """
    return [kind for kind, pattern, holds in _RULES if any(map(holds, pattern.finditer(text)))]
