"""Residual identifiers in a DICOM header: what de-identification should have removed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from sdq_core.dicom.elements import (
    CHARACTER_SET_VRS,
    attribute_name,
    items,
    parse_date,
    stored_vr,
    text,
    texts,
)
from sdq_core.dicom.identifier_attributes import ATTRIBUTES, DATES, IdentifierAttribute
from sdq_core.dicom.levels import Level, level_of
from sdq_core.finding import Finding
from sdq_core.identifiers import KIND_WORDS, identifiers_in_text, is_dummy
from sdq_core.vocabulary import Severity

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["identifiers"]

RETAIN_OPTIONS = {"institution": "113112", "device": "113109", "demographic": "113108"}
"""Kind -> code of the PS3.15 option that allows it to stay (PS3.16 CID 7050)."""
RETAIN_SAFE_PRIVATE, MODIFIED_DATES = "113111", "113107"

NUMBER_KINDS = frozenset({"record_number", "order_number", "device"})
CONTACT_KINDS = frozenset({"mobile_number", "telephone"})
CONTRIBUTING_EQUIPMENT = 0x0018A001
PATIENT_ID = 0x00100020


@dataclass(frozen=True, slots=True)
class _Claim:
    """What the object says about its own de-identification."""

    synthetic: bool
    deidentified: bool
    dates_changed: bool
    options: frozenset[str]

    @property
    def made(self) -> bool:
        return self.synthetic or self.deidentified


def identifiers(source: Dataset | Level, modality: str) -> tuple[Finding, ...]:
    """Find residual identifiers.

    Attributes: those of `identifier_attributes` (45 CFR 164.514(b)(2), PS3.15 table E.1-1), direct
    ones at every depth, the others at the top. Text: every textual value, private ones included, is
    searched for the patterns of `sdq_core.identifiers`.

    A value is let pass when it says that it is a dummy, or when it has the form of a code and the
    object documents its de-identification (Patient Identity Removed YES with De-identification
    Method or its code sequence) or declares itself synthetic. A documented object that still holds
    what reads like a person's name gets a warning: a machine cannot tell a well-made dummy. Dates
    pass when they are 1 January (year only), or when Longitudinal Temporal Information Modified is
    MODIFIED or REMOVED. Institutions, devices and circumstances pass where the code sequence names
    the option that retains them.

    Parameters
    ----------
    source : pydicom.Dataset or Level
    modality : str
        First part of the rules' ids.

    Returns
    -------
    tuple of Finding
        ``<modality>.identifier.<kind>``: errors for direct identifiers, warnings for
        quasi-identifiers, also ``date``, ``age_over_89``, ``private_attributes``,
        ``burned_in_annotation`` and ``overlay``. No message quotes a value.

    Examples
    --------
    >>> from pydicom import Dataset
    >>> header = Dataset()
    >>> header.PatientName, header.PatientID = "Doe^Jane", "ANON-17"
    >>> [(f.rule, f.severity.value) for f in identifiers(header, "imaging")]
    [('imaging.identifier.name', 'error')]
    """
    level = level_of(source)
    dataset = level.dataset
    claim = _claim(dataset)
    found = list(_attributes_and_text(level, claim))
    found += _dates(dataset, claim)
    found += _others(dataset, claim)
    return tuple(replace(f, rule=f"{modality}.identifier.{f.rule}") for f in found)


def _claim(dataset: Dataset) -> _Claim:
    codes = frozenset(
        text(code, "CodeValue")
        for code in items(dataset, "DeidentificationMethodCodeSequence") or ()
    )
    documented = bool(codes) or any(texts(dataset, "DeidentificationMethod"))
    changed = text(dataset, "LongitudinalTemporalInformationModified") in ("MODIFIED", "REMOVED")
    return _Claim(
        synthetic=text(dataset, "SyntheticData") == "YES",
        deidentified=documented and text(dataset, "PatientIdentityRemoved") == "YES",
        dates_changed=changed or MODIFIED_DATES in codes,
        options=codes,
    )


@lru_cache(maxsize=1)
def _by_tag() -> dict[int, IdentifierAttribute]:
    return {attribute.tag: attribute for attribute in ATTRIBUTES}


def _attributes_and_text(root: Level, claim: _Claim) -> Iterator[Finding]:
    by_tag = _by_tag()
    patient_id = root.text(PATIENT_ID)
    for level, tag, element in root.walk():
        attribute = by_tag.get(tag)
        if attribute is None and stored_vr(element) not in CHARACTER_SET_VRS:
            continue
        values = [v for v in level.texts(tag) if v.strip()]
        if not values:
            continue
        finding = None
        if attribute is not None and (attribute.direct or not level.path):
            finding = _judge(level, tag, attribute, values, claim, patient_id)
            if finding is not None:
                yield finding
        if finding is None or finding.severity is not Severity.ERROR:
            yield from _patterns(level, tag, attribute, values)


def _judge(
    level: Level,
    tag: int,
    attribute: IdentifierAttribute,
    values: list[str],
    claim: _Claim,
    patient_id: str,
) -> Finding | None:
    kind = attribute.kind
    telling = [value for value in values if not is_dummy(value)]
    if kind == "order_number":
        # A counter such as "1" points to nobody.
        telling = [value for value in telling if len(value.strip()) > 3]
    if not telling:
        return None
    if kind in ("name", "staff_name"):
        # The generator's own entry names an organisation's people on purpose.
        if any(sequence == CONTRIBUTING_EQUIPMENT for sequence, _ in level.path):
            return None
        if claim.made:
            if not any(v != patient_id and _reads_like_a_name(v) for v in telling):
                return None
            return _finding(level, tag, kind, Severity.WARNING, attribute.action)
        return _finding(level, tag, kind, Severity.ERROR, attribute.action)
    if kind == "birth_date":
        if claim.synthetic or claim.dates_changed or not any(map(_is_full_date, telling)):
            return None
        severity = Severity.WARNING if claim.deidentified else Severity.ERROR
        return _finding(level, tag, kind, severity, attribute.action)
    if kind in ("contact", "insurance_number"):
        return _finding(level, tag, kind, Severity.ERROR, attribute.action)
    if claim.synthetic:
        return None
    if kind in RETAIN_OPTIONS:
        if RETAIN_OPTIONS[kind] in claim.options:
            return None
    elif claim.deidentified:
        return None  # record and order numbers: documented pseudonyms
    severity = Severity.ERROR if attribute.direct else Severity.WARNING
    return _finding(level, tag, kind, severity, attribute.action)


def _reads_like_a_name(value: str) -> bool:
    """Tell "Doe^Jane" or two to four Chinese characters from a code."""
    if any(character.isdigit() for character in value):
        return False
    words: list[str] = [word for word in re.split(r"[\^=\s,]+", value) if word]
    if any(re.search(r"[\u3400-\u9fff\u3040-\u30ff\uac00-\ud7af]", word) for word in words):
        return True
    return sum(len(word) > 1 and word.isalpha() for word in words) >= 2


def _is_full_date(value: str) -> bool:
    # 1 January is how a date is written of which only the year is kept.
    return parse_date(value[:8]) is not None and value[4:8] != "0101"


def _patterns(
    level: Level, tag: int, attribute: IdentifierAttribute | None, values: list[str]
) -> Iterator[Finding]:
    kinds = identifiers_in_text("\n".join(values))
    if attribute is not None and attribute.kind in NUMBER_KINDS:
        # Any eleven digits look like a telephone number; here numbers are what is expected.
        kinds = [kind for kind in kinds if kind not in CONTACT_KINDS]
    for kind in kinds:
        severity = Severity.WARNING if kind == "telephone" else Severity.ERROR
        yield _finding(level, tag, kind, severity, "")


def _finding(level: Level, tag: int, kind: str, severity: Severity, action: str) -> Finding:
    english, chinese = KIND_WORDS[kind]
    name = attribute_name(tag)
    profile = f" (PS3.15 Basic Profile: {action})" if action else ""
    profile_zh = f"（PS3.15 基本规则：{action}）" if action else ""
    return Finding(
        kind,
        severity,
        f"{name} seems to hold {english}{profile}; remove it or put a dummy, and document the "
        "de-identification in PatientIdentityRemoved and DeidentificationMethod",
        f"{name} 疑似含有{chinese}{profile_zh}；请删除或以虚拟值代替，并在 PatientIdentityRemoved "
        "与 "
        "DeidentificationMethod 中说明去标识化",
        level.where(tag),
    )


def _dates(dataset: Dataset, claim: _Claim) -> Iterator[Finding]:
    if claim.synthetic or claim.dates_changed:
        return
    full = [keyword for keyword, _ in DATES if _is_full_date(text(dataset, keyword))]
    if full:
        yield Finding(
            "date",
            Severity.WARNING,
            "full dates of events are kept (45 CFR 164.514(b)(2)(i)(C)); keep the year only, or "
            "shift "
            "them and say so in LongitudinalTemporalInformationModified (0028,0303)",
            "保留了事件的完整日期（45 CFR 164.514(b)(2)(i)(C)）；请仅保留年份，或平移日期并在 "
            "LongitudinalTemporalInformationModified (0028,0303) 中说明",
            ", ".join(full),
        )


def _others(dataset: Dataset, claim: _Claim) -> Iterator[Finding]:
    age = text(dataset, "PatientAge")
    if not claim.synthetic and age[3:] == "Y" and age[:3].isdigit() and int(age[:3]) > 90:
        yield Finding(
            "age_over_89",
            Severity.WARNING,
            "PatientAge (0010,1010) tells an age over 89 (45 CFR 164.514(b)(2)(i)(C)); write 090Y",
            "PatientAge (0010,1010) 给出 89 岁以上的确切年龄（45 CFR 164.514(b)(2)(i)(C)）；请写 "
            "090Y",
            "PatientAge",
        )
    private = sum(tag.is_private for tag in dataset.keys())  # noqa: SIM118 - not a dict
    if private and RETAIN_SAFE_PRIVATE not in claim.options:
        yield Finding(
            "private_attributes",
            Severity.WARNING,
            f"{private} private attributes, whose content nobody can vouch for (PS3.15 Basic "
            "Profile: X); "
            "remove them, or document the Retain Safe Private option (113111)",
            f"有 {private} 个私有属性，其内容无从确认（PS3.15 基本规则：X）；请删除，"
            "或注明“保留安全私有属性”选项（113111）",
        )
    if text(dataset, "BurnedInAnnotation") == "YES":
        yield Finding(
            "burned_in_annotation",
            Severity.WARNING,
            "BurnedInAnnotation (0028,0301) says that the pixels hold identifying text; inspect "
            "and clean",
            "BurnedInAnnotation (0028,0301) 声明像素中含有标识性文字；请检查并清除",
            "BurnedInAnnotation",
        )
    if not claim.made and any(
        0x6000 <= tag.group <= 0x60FF and tag.element == 0x3000
        for tag in dataset.keys()  # noqa: SIM118
    ):
        yield Finding(
            "overlay",
            Severity.WARNING,
            "an overlay is kept, which may show identifying text (PS3.15 Basic Profile: X); "
            "inspect it",
            "保留了叠加层，其中可能含有标识性文字（PS3.15 基本规则：X）；请检查",
            "OverlayData",
        )
