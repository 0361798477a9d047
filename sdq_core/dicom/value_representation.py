"""Values in the form that their value representation demands (DICOM PS3.5 section 6.2)."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from datetime import date
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from sdq_core.dicom.elements import (
    CHARACTER_SET_VRS,
    DEFAULT_REPERTOIRE,
    MAX_DEPTH,
    TEXT_VRS,
    attribute_name,
    stored_vr,
)
from sdq_core.dicom.levels import Level, level_of
from sdq_core.finding import Finding
from sdq_core.vocabulary import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydicom import Dataset
    from pydicom.dataelem import DataElement, RawDataElement


__all__ = ["malformed_values"]

NUMBER_BYTES = {"AT": 4, "FD": 8, "FL": 4, "SL": 4, "SS": 2, "SV": 8, "UL": 4, "US": 2, "UV": 8}
IS_RANGE = (-(2**31), 2**31 - 1)
# Escape (1B) switches character sets; everything else below space is forbidden in these.
CONTROL = re.compile(r"[\x00-\x1a\x1c-\x1f\x7f]")
ONE_LINE_VRS = frozenset({"LO", "PN", "SH", "UC"})

RULE = "conformity.value_representation"


def malformed_values(dataset: Dataset | Level, modality: str) -> tuple[Finding, ...]:
    """Find elements whose value breaks its value representation.

    Every standard element at every depth is judged: the VR against the data dictionary (PS3.6), the
    number of values against the value multiplicity, length and syntax of each value (PS3.5
    table 6.2-1; by pydicom's validators, and calendar dates, integer range, person-name components
    and control characters beyond these), and whether text can be decoded in the declared Specific
    Character Set. Empty and private values are not judged.

    Parameters
    ----------
    dataset : pydicom.Dataset or Level
    modality : str
        First part of the rules' ids.

    Returns
    -------
    tuple of Finding
        ``<modality>.conformity.value_representation``, ``<modality>.conformity.character_set`` and
        ``<modality>.structure.{unreadable_sequence, nested_too_deep}``, all errors; the first
        defect of an element only. ``<modality>.conformity.private_creator``, a warning, once for a
        block of private elements.

    Examples
    --------
    >>> from pydicom import Dataset
    >>> from pydicom.dataelem import RawDataElement
    >>> from pydicom.tag import Tag
    >>> header, tag = Dataset(), Tag("StudyDate")
    >>> header._dict[tag] = RawDataElement(tag, "DA", 8, b"20250231", 0, False, True)
    >>> [f.where for f in malformed_values(header, "imaging")]
    ['StudyDate']
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's validators warn by quoting the value
        return tuple(replace(f, rule=f"{modality}.{f.rule}") for f in _judge(level_of(dataset)))


def _judge(root: Level) -> Iterator[Finding]:
    ownerless: set[tuple[int, int]] = set()
    for level, tag, element in root.walk():
        if tag >> 16 & 1:
            # Private: element (gggg,bbee) belongs to the creator in (gggg,00bb) (PS3.5 7.8.1).
            owner = tag & 0xFFFF0000 | tag >> 8 & 0xFF
            known = (id(level), owner)
            if tag & 0xFFFF >= 0x1000 and known not in ownerless and level.is_empty(owner):
                ownerless.add(known)
                yield _ownerless(level, tag)
            continue
        defect = _vr_defect(element)
        vr = stored_vr(element)
        if defect is None and vr == "SQ":
            if level.items.get(tag, ()) is None:
                yield _unreadable_sequence(level, tag)
            elif level.too_deep:
                yield _too_deep(level, tag)
            continue
        if defect is None:
            defect = (
                _text_defect(level, tag, element, vr)
                if vr in TEXT_VRS
                else _number_defect(element, vr)
            )
        if defect is not None:
            yield _finding(level, tag, *defect)


Defect = tuple[str, str]
"""What is wrong, in English and Chinese, to be put behind the attribute's name."""

CHARACTER_SET: Defect = (
    "holds characters outside the declared Specific Character Set (0008,0005); declare the set "
    "that the text is written in",
    "含有所声明的 Specific Character Set (0008,0005) 之外的字符；请声明文本实际使用的字符集",
)


def _finding(level: Level, tag: int, english: str, chinese: str) -> Finding:
    name = attribute_name(tag)
    rule = "conformity.character_set" if english == CHARACTER_SET[0] else RULE
    return Finding(rule, Severity.ERROR, f"{name} {english}", f"{name} {chinese}", level.where(tag))


def _ownerless(level: Level, tag: int) -> Finding:
    name = attribute_name(tag)
    return Finding(
        "conformity.private_creator",
        Severity.WARNING,
        f"the private attribute {name} has no Private Creator (PS3.5 section 7.8.1), so nobody can "
        "tell what it means; write the creator or remove the attribute",
        f"私有属性 {name} 没有 Private Creator（PS3.5 7.8.1），其含义无从得知；"
        "请补写创建者或删除该属性",
        level.where(tag),
    )


def _too_deep(level: Level, tag: int) -> Finding:
    name = attribute_name(tag)
    return Finding(
        "structure.nested_too_deep",
        Severity.ERROR,
        f"{name} lies {MAX_DEPTH} sequences deep, and what is inside was not judged; write the "
        "file with less nesting",
        f"{name} 已嵌套 {MAX_DEPTH} 层序列，其内部内容未被判定；请减少嵌套层数",
        level.where(tag),
    )


def _unreadable_sequence(level: Level, tag: int) -> Finding:
    name = attribute_name(tag)
    return Finding(
        "structure.unreadable_sequence",
        Severity.ERROR,
        f"{name} cannot be read as a sequence of items; write the file anew with a DICOM library",
        f"{name} 不能按序列解析；请用 DICOM 程序库重新写出文件",
        level.where(tag),
    )


@lru_cache(maxsize=8192)
def _dictionary(tag: int) -> tuple[frozenset[str], int, int | None, int] | None:
    """Return allowed VRs, least and greatest number of values and their step, or None."""
    from pydicom.datadict import dictionary_VM, dictionary_VR

    try:
        vrs, multiplicity = dictionary_VR(tag), dictionary_VM(tag)
    except KeyError:
        return None
    low, _, high = multiplicity.partition("-")
    least = int(low)
    if not high:
        return frozenset(vrs.split(" or ")), least, least, 1
    step = int(high[:-1] or 1) if high.endswith("n") else 1
    return frozenset(vrs.split(" or ")), least, None if high.endswith("n") else int(high), step


def _vr_defect(element: DataElement | RawDataElement) -> Defect | None:
    known = _dictionary(int(element.tag))
    declared = str(element.VR) if element.VR else "UN"
    # UN is what a writer uses who does not know the attribute (PS3.5 section 6.2.2).
    if known is None or declared == "UN" or declared in known[0] or " or " in declared:
        return None
    expected = " or ".join(sorted(known[0]))
    return (
        f"is written with VR {declared}, but PS3.6 gives it {expected}; write it with that VR",
        f"以 VR {declared} 写入，而 PS3.6 规定为 {expected}；请改用规定的 VR",
    )


def _multiplicity_defect(tag: int, count: int) -> Defect | None:
    known = _dictionary(tag)
    if known is None or count == 0:
        return None
    _, least, most, step = known
    if (
        count >= least
        and (most is None or count <= most)
        and (most is not None or count % step == 0)
    ):
        return None
    from pydicom.datadict import dictionary_VM

    allowed = dictionary_VM(tag)
    return (
        f"has {count} values, but its multiplicity is {allowed} (PS3.6); write that many",
        f"有 {count} 个值，而其值多重性为 {allowed}（PS3.6）；请按规定的个数写入",
    )


def _number_defect(element: DataElement | RawDataElement, vr: str) -> Defect | None:
    size = NUMBER_BYTES.get(vr)
    value: Any = element.value
    if size is None or value is None:
        return None
    if isinstance(value, bytes):
        if len(value) % size:
            return (
                f"has a length that is not a multiple of {size} bytes (VR {vr}); write it anew",
                f"的长度不是 {size} 字节的整数倍（VR {vr}）；请重新写入",
            )
        return _multiplicity_defect(int(element.tag), len(value) // size)
    values = list(value) if hasattr(value, "__iter__") and not isinstance(value, str) else [value]
    if not all(_valid(vr, v) for v in values):
        return (
            f"has a value outside the range of VR {vr}; write one that fits",
            f"有超出 VR {vr} 取值范围的值；请写入合规的值",
        )
    return _multiplicity_defect(int(element.tag), len(values))


def _text_defect(
    level: Level, tag: int, element: DataElement | RawDataElement, vr: str
) -> Defect | None:
    if vr in CHARACTER_SET_VRS and not _decodable(level, element):
        return CHARACTER_SET
    values = level.texts(tag)
    if not any(values):
        return None
    if not all(_valid_text(vr, value) for value in values):
        return (
            f"breaks the syntax or length of VR {vr} (PS3.5 table 6.2-1); write it in that form",
            f"不符合 VR {vr} 的语法或长度（PS3.5 表 6.2-1）；请按规定格式写入",
        )
    return _multiplicity_defect(tag, len(values))


def _decodable(level: Level, element: DataElement | RawDataElement) -> bool:
    from pydicom import charset, config
    from pydicom.valuerep import PersonName

    value: Any = element.value
    if isinstance(value, PersonName):
        value = value.original_string
    if isinstance(value, str):
        # pydicom puts a replacement character where it could not decode; it keeps no bytes.
        if value.isascii():
            return True
        return level.encodings != DEFAULT_REPERTOIRE and "\ufffd" not in value
    if not isinstance(value, bytes) or (value.isascii() and b"\x1b" not in value):
        return True
    if level.encodings == DEFAULT_REPERTOIRE:
        return False
    before = config.settings.reading_validation_mode
    config.settings.reading_validation_mode = config.RAISE
    try:
        charset.decode_bytes(value, list(level.encodings), set())
    except (LookupError, UnicodeError, ValueError):
        return False
    finally:
        config.settings.reading_validation_mode = before
    return True


@cache
def _validator() -> Callable[[str, Any], None]:
    from pydicom import config
    from pydicom.valuerep import validate_value

    return lambda vr, value: validate_value(vr, value, config.RAISE)


def _valid(vr: str, value: Any) -> bool:
    try:
        _validator()(vr, value)
    except (ValueError, TypeError):
        return False
    return True


@lru_cache(maxsize=16384)
def _valid_text(vr: str, value: str) -> bool:
    if not value:
        return True  # a place left empty in a list of values
    if vr in ONE_LINE_VRS and CONTROL.search(value):
        return False
    if vr == "PN":
        return _valid_person_name(value)
    if vr == "DA":
        return _valid_date(value)
    if vr == "TM":
        # A hyphen would make it a range, which only queries may hold (PS3.4 section C.2.2.2.5).
        return "-" not in value and _valid(vr, value)
    if vr == "DT":
        return _valid(vr, value) and (len(value) < 8 or _valid_date(value[:8]))
    if vr == "UI" and value[:1] not in "012":
        return False  # arcs 0, 1 and 2 are all that ISO/IEC 9834-1 has
    if not _valid(vr, value):
        return False
    return vr != "IS" or IS_RANGE[0] <= int(value) <= IS_RANGE[1]


def _valid_person_name(value: str) -> bool:
    groups = value.split("=")
    return len(groups) <= 3 and all(len(g) <= 64 and g.count("^") <= 4 for g in groups)


def _valid_date(value: str) -> bool:
    if re.fullmatch(r"\d{8}", value, re.ASCII) is None:
        return False
    try:
        date(int(value[:4]), int(value[4:6]), int(value[6:]))
    except ValueError:
        return False
    return True
