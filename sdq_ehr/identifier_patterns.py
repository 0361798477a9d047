"""Identifiers in texts of health records, beside those of `sdq_core.identifiers`.

Every pattern is bounded, and texts are searched in windows, so that the time grows with the length
of the text and not with its square.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Final

from sdq_core.identifiers import identifiers_in_text, is_dummy
from sdq_ehr.national_numbers import is_resident_identity_number, nhs_number

__all__ = ["HARMLESS", "SUSPECT", "kinds_in_text"]

WINDOW: Final = 800
OVERLAP: Final = 120
"""Characters of a window, and how far the next one reaches back: no identifier is longer."""

SUSPECT: Final = "|".join(
    (
        r"@",
        r"\d[\d .()/-]{5,}\d",
        r"\p{Han}",
        r"(?i:\b(?:mrn|medical record|hospital n|patient (?:id|name)|patient's name|pat\.? ?name|"
        r"insurance|member id|dob|date of birth|birth ?date|born|home address|serial|nhs|https?:|"
        r"www\.|p\.? ?o\.? box|\d{2,3}[- ]?(?:years?|yrs?|y/?o))\b)",
        r"(?i:https?://|www\.)",
        r"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof)\b",
        r"\d [A-Z][a-z]",
        r"\d\.\d{1,3}\.\d{1,3}\.\d",
        r"-?\d{1,3}\.\d{3,}\s*[,;]",
        r"(?i:[0-9a-f]{2}[:-]){5}",
        r"\bS/?N\b",
    )
)
"""RE2 pattern of what may hold an identifier at all: one fast pass leaves most values out."""

HARMLESS: Final = "|".join(
    (
        # UUIDs, hashes, times and object identifiers hold digits like those of telephones.
        r"\b[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\b",
        r"\b[0-9A-Fa-f]{20,128}\b",
        r"\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?"
        r"(?:Z|[+-]\d{2}:?\d{2})?)?\b",
        r"\b\d{1,20}(?:\.\d{1,20}){4,32}\b",
    )
)
"""Pattern, for RE2 and for `re`, of tokens that are blanked before anything is searched."""

_HARMLESS = re.compile(HARMLESS, re.ASCII)
_DATED = re.compile(r"(?i:dob|birth|born)|生")

_SURNAMES: Final = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高梁郑谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕"
    "丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴"
)
_HOSTS: Final = (
    r"(?:[\w-]{1,60}\.){0,5}(?:snomed\.info|loinc\.org|hl7\.org|nlm\.nih\.gov|unitsofmeasure\.org|"
    r"nema\.org|w3\.org|cdc\.gov|who\.int|whocc\.no|ama-assn\.org|cms\.gov|fda\.gov|ohdsi\.org|"
    r"ihe\.net|iso\.org|ietf\.org|github\.io|github\.com|synthetichealth\.org|fhir\.org)"
)
_STREET: Final = (
    r"Street|St\.?|Avenue|Ave\.?|Road|Rd\.?|Boulevard|Blvd\.?|Lane|Ln\.?|Drive|Court|Ct\.?|Place|"
    r"Terrace|Circle|Parkway|Pkwy\.?|Highway|Hwy\.?|Alley|Crescent|Square|Trail|Plaza|Way|Heights"
)
_PLATE_PROVINCES: Final = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"


def _always(match: re.Match[str]) -> bool:
    return True


def _value_is_no_dummy(match: re.Match[str]) -> bool:
    return not is_dummy(match["value"])


def _octets_tell(match: re.Match[str]) -> bool:
    # Four short numbers are a version or a classification far more often than an address.
    parts = match[0].split(".")
    return max(map(int, parts)) > 31 and sum(map(len, parts)) >= 7


_RULES: Final[tuple[tuple[str, str, re.Pattern[str], Callable[[re.Match[str]], bool]], ...]] = (
    (
        "resident_identity_number",
        "digits",
        re.compile(r"(?<![\d.])[1-9]\d{16}[\dXx](?![\d.]?\d)", re.ASCII),
        lambda match: is_resident_identity_number(match[0]),
    ),
    (
        "national_number",
        "digits",
        re.compile(r"(?<![\d.-])\d{3} \d{3} \d{4}(?![\d.-])|(?i:\bNHS\D{0,20})(?P<value>\d{10})\b",
                   re.ASCII),
        lambda match: nhs_number(match["value"] or match[0]),
    ),
    (
        "address",
        "han",
        re.compile(
            r"[\u4e00-\u9fff]{2,10}(?:省|自治区|市|区|县|旗)[\u4e00-\u9fff0-9]{1,20}"
            r"(?:路|街|道|巷|弄|胡同|村|镇|乡|小区|社区)[^\n,，;；。]{0,16}?\d{1,5}"
            r"(?:号|弄|室|栋|幢|单元|组)"
            r"|[\u4e00-\u9fff]{2,10}(?:路|大街|街|大道|巷|胡同)\s?\d{1,5}(?:号|弄)"
        ),
        _always,
    ),
    (
        "address",
        "street",
        re.compile(
            rf"(?<![\w.])\d{{1,6}} (?:[NSEW]\.? )?(?:[A-Z][a-z'-]{{1,20}} ){{1,3}}(?:{_STREET})"
            r"(?![a-z])(?: (?:Apt|Unit|Suite)\.? \w{1,6})?"
            r"|\bP\.? ?O\.? ?Box \d{1,6}\b"
        ),
        _always,
    ),
    (
        "telephone",
        "digits",
        re.compile(r"[(（]0\d{2,3}[)）][- ]?\d{7,8}(?!\d)|(?<![\w+.])\+[1-9]\d{9,14}(?!\.?\d)"
                   r"|(?<![\w.-])(?:400|800)-\d{3}-\d{4}(?![\d-])", re.ASCII),
        _always,
    ),
    (
        "url",
        "web",
        re.compile(rf"(?:https?://|(?<![\w.])www\.)(?!{_HOSTS}(?![\w.-]))"
                   r"[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}",
                   re.IGNORECASE),
        _always,
    ),
    (
        "ip_address",
        "digits",
        re.compile(r"(?<![\w.-])(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}"
                   r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?![\w.-]*\d)", re.ASCII),
        _octets_tell,
    ),
    (
        "ip_address",
        "colons",
        re.compile(r"(?<![\w:])(?:[0-9a-fA-F]{1,4}:){5,7}[0-9a-fA-F]{1,4}(?![\w:])", re.ASCII),
        lambda match: any(len(p) > 2 for p in match[0].split(":")),
    ),
    (
        "device",
        "colons",
        re.compile(r"(?<![\w:-])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![\w:-])", re.ASCII),
        lambda match: re.search("[A-Fa-f]", match[0]) is not None,
    ),
    (
        "device",
        "serial",
        re.compile(
            r"(?:(?i:\bserial (?:no|number|#)|\bS/N|序列号|产品编号|设备编号))[.\s:：#=]{1,4}"
            r"(?P<value>[A-Za-z0-9-]{5,30})"
        ),
        lambda match: _value_is_no_dummy(match) and any(c.isdigit() for c in match["value"]),
    ),
    (
        "location",
        "digits",
        re.compile(
            r"(?<![\d.])-?(?:[1-8]?\d|90)\.\d{4,12}\s{0,2}°?\s?[NS]?\s{0,2}[,;]\s{0,2}"
            r"-?(?:1[0-7]\d|180|\d{1,2})\.\d{4,12}(?![\d.]\d)"
        ),
        _always,
    ),
    (
        "licence_plate",
        "han",
        re.compile(rf"[{_PLATE_PROVINCES}][A-HJ-NP-Z][·• ]?"
                   r"(?=[A-Z]{0,6}\d)[A-HJ-NP-Z0-9]{5,6}(?![A-Za-z0-9])"),
        _always,
    ),
    (
        "birth_date",
        "birth",
        re.compile(
            r"(?:(?i:\bDOB|\bdate of birth|\bbirth ?date|\bborn(?: on)?)|出生日期|出生于|生于)"
            r"\s{0,3}[:：=]?\s{0,3}"
            r"(?:\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}|\d{4}[-/.年]\s?\d{1,2}[-/.月]\s?\d{1,2}"
            r"|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\.? \d{1,2},? \d{4})"
        ),
        _always,
    ),
    (
        "age_over_89",
        "age",
        re.compile(
            r"(?<![\d.-])(?:9\d|1[01]\d|120)(?: |-)?(?:(?:years?|yrs?)(?: |-)(?:old|of age)|y/?o\b|"
            r"岁|周岁)|\baged? (?:9\d|1[01]\d|120)\b(?! (?:or|and)\b)",
            re.IGNORECASE,
        ),
        _always,
    ),
    (
        "name",
        "title",
        re.compile(
            r"\b(?:Mr|Mrs|Ms|Miss)\.? [A-Z][a-z'-]{2,20}\b"
            rf"|(?<![\u4e00-\u9fff])(?:患者|病人)?[{_SURNAMES}][\u4e00-\u9fff]{{0,2}}(?:先生|女士|小姐)"
        ),
        _always,
    ),
    (
        "staff_name",
        "title",
        re.compile(
            r"\b(?:Dr|Prof)\.? [A-Z][a-z'-]{2,20}\b"
            rf"|(?<![\u4e00-\u9fff])[{_SURNAMES}][\u4e00-\u9fff]{{1,2}}(?:医生|医师|大夫|护士长?|主任医师)"
        ),
        _always,
    ),
)  # fmt: skip

_UNSURE: Final = frozenset({"resident_identity_number"})
"""Kinds of the core that this module decides more strictly."""


def kinds_in_text(text: str) -> frozenset[str]:
    """Return the kinds of identifiers in a text.

    Parameters
    ----------
    text : str
        Of any length.

    Returns
    -------
    frozenset of str
        Kinds of `sdq_core.identifiers`, and ``national_number``, ``url``, ``ip_address``,
        ``device``, ``location``, ``licence_plate``, ``age_over_89``, ``staff_name``.

    Examples
    --------
    >>> sorted(kinds_in_text("患者王女士, 92岁, 北京市海淀区学院路7号, 手机１３８００１３８０００"))
    ['address', 'age_over_89', 'mobile_number', 'name']
    >>> kinds_in_text("seen 2011-06-04T07:38:43+00:00, LOINC 8302-2, SNOMED 1121000119107")
    frozenset()
    """
    found: set[str] = set()
    for window in _windows(text):
        gates = _gates(window)
        if gates & _OF_THE_CORE:
            found.update(k for k in identifiers_in_text(window) if k not in _UNSURE)
        found.update(
            kind
            for kind, gate, pattern, holds in _RULES
            if gate in gates and kind not in found and any(map(holds, pattern.finditer(window)))
        )
    return frozenset(found)


_OF_THE_CORE: Final = frozenset({"digits", "number", "mail", "label", "birth"})
_GATES: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    ("digits", re.compile(r"\d(?:[ .()/,;°-]{0,3}\d){6}")),
    ("number", re.compile(r"(?i:mrn|record|hospital|patient id|insurance|member)|[号]")),
    ("mail", re.compile("@")),
    (
        "label",
        re.compile(r"(?i:pat\w{0,7}\.?(?:'s)? ?name|home address)|姓名|患者|病人|受检者|[住地]址"),
    ),
    ("birth", _DATED),
    ("han", re.compile("[\u4e00-\u9fff]")),
    ("street", re.compile(r"\d (?:[NSEW]\.? )?[A-Z][a-z]|(?i:box) \d")),
    ("web", re.compile(r"://|(?i:www\.)")),
    ("colons", re.compile(r"(?:[0-9A-Fa-f]{1,4}[:-]){5}")),
    ("serial", re.compile(r"(?i:serial)|S/N|序列|编号")),
    ("age", re.compile(r"(?:9\d|1[012]\d)[ -]?(?:[yY]|岁|周)|(?i:aged? [91])")),
    ("title", re.compile(r"\b(?:M(?:rs?|s|iss)|Dr|Prof)\b|[\u4e00-\u9fff]")),
)
"""Cheap tests, each for the patterns that cannot match without it."""


def _gates(window: str) -> frozenset[str]:
    return frozenset(gate for gate, pattern in _GATES if pattern.search(window))


def _windows(text: str) -> Iterator[str]:
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    step = WINDOW - OVERLAP
    for start in range(0, max(1, len(plain) - OVERLAP), step):
        window = plain[start : start + WINDOW]
        # A date of birth is a date: dates stay where one is spoken of.
        yield window if _DATED.search(window) else _HARMLESS.sub(" ", window)
