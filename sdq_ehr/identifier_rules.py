"""The rules about identifiers, with their severity and their sentences in both languages.

Sources: 45 CFR 164.514(b)(2)(i) (HIPAA Safe Harbor, identifiers A to R); GB/T 37964-2019 and GB/T
35273-2020 (clauses not verified against the published texts).
"""

from __future__ import annotations

from typing import Final

from sdq_core.identifiers import KIND_WORDS
from sdq_core.vocabulary import Severity

__all__ = ["IDENTIFIER_RULES", "KINDS"]

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

_CFR = "45 CFR 164.514(b)(2)(i)"
_MORE_WORDS: Final = {
    "national_number": ("a number of a national register of persons", "国家个人登记号码"),
    "url": ("a web address", "网址"),
    "ip_address": ("a network address", "网络地址"),
    "location": ("the coordinates of a place", "地理坐标"),
    "licence_plate": ("a licence plate", "车牌号"),
    "device": ("the serial number of a device", "设备序列号"),
    "age_over_89": ("an age over 89", "89 岁以上的年龄"),
    "postcode": ("a postcode", "邮政编码"),
    "place": ("a place smaller than a state or province", "小于省级的地名"),
    "number_of_its_own": ("a number of its own for each patient", "每名患者各不相同的号码"),
}
KINDS: Final[dict[str, tuple[Severity, str]]] = {
    "name": (ERROR, "A"),
    "staff_name": (WARNING, ""),
    "address": (ERROR, "B"),
    "location": (ERROR, "B"),
    "place": (WARNING, "B"),
    "postcode": (WARNING, "B"),
    "birth_date": (ERROR, "C"),
    "age_over_89": (WARNING, "C"),
    "mobile_number": (ERROR, "D"),
    "telephone": (ERROR, "D"),
    "email": (ERROR, "F"),
    "social_security_number": (ERROR, "G"),
    "resident_identity_number": (ERROR, "G"),
    "national_number": (ERROR, "G"),
    "record_number": (ERROR, "H"),
    "insurance_number": (ERROR, "I"),
    "number_of_its_own": (WARNING, "R"),
    "licence_plate": (ERROR, "L"),
    "device": (WARNING, "M"),
    "url": (WARNING, "N"),
    "ip_address": (ERROR, "O"),
}
"""Kind -> severity, and the letter of 45 CFR 164.514(b)(2)(i)."""


def _sentences(kind: str, severity: Severity, letter: str) -> tuple[Severity, str, str]:
    english, chinese = {**KIND_WORDS, **_MORE_WORDS}[kind]
    clause, clause_zh = (f" ({_CFR}({letter}))", f"({_CFR}({letter}))") if letter else ("", "")
    return (
        severity,
        f"the cell seems to hold {english}{clause}; remove it or put a dummy such as ANON",
        f"单元格疑似含有{chinese}{clause_zh}; 请删除或以 ANON 等虚拟值代替",
    )


IDENTIFIER_RULES: Final[dict[str, tuple[Severity, str, str]]] = {
    **{f"identifier.{k}": _sentences(k, *v) for k, v in KINDS.items()},
    "identifier.birth_date_column": (
        INFO,
        f"the column holds full dates of birth ({_CFR}(C)); where the use allows, keep the year "
        "only",
        f"该列含完整出生日期({_CFR}(C)); 如用途允许, 请仅保留年份",
    ),
    "identifier.key_pseudonymous": (
        INFO,
        "the key is a running number, a UUID or a hash: pseudonymous, and not judged further; keep "
        "no list that leads from it to persons",
        "该键为流水号、UUID 或散列值, 属假名, 不再判定; 请勿保留可由其追溯到个人的对照表",
    ),
    "identifier.key_is_identity": (
        ERROR,
        "the key itself is an identity of persons; replace it with a running number",
        "该键本身即为个人身份标识; 请改用流水号",
    ),
}
"""Rule, without ``ehr.`` -> severity and sentence in both languages, as in `sdq_ehr.rules`."""
