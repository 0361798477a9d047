"""Required attributes: types 1, 1C, 2 and 2C of the object's IOD (DICOM PS3.3, PS3.5 7.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from sdq_core.dicom.elements import attribute_name, place_text
from sdq_core.dicom.levels import Level, level_of
from sdq_core.finding import Finding
from sdq_core.vocabulary import Severity
from sdq_imaging import dicom_tables
from sdq_imaging.dicom.condition_questions import QUESTIONS
from sdq_imaging.dicom.conditions import Answer, Object, Predicate, asked, evaluate
from sdq_imaging.dicom.enumerated_values import value_faults
from sdq_imaging.dicom.requirement_rules import Rule, module_name, rules_for

if TYPE_CHECKING:
    from pydicom import Dataset

    from sdq_imaging.dicom_tables.notes import Condition

__all__ = [
    "QUESTIONS_RULE",
    "missing_attributes",
    "object_of",
    "open_questions",
    "unknown_sop_class",
]

SOP_CLASS_UID = 0x00080016
FUNCTIONAL_GROUPS = frozenset({0x52009229, 0x52009230})
"""Shared and per-frame: each macro stands in one of the two, so its absence in one says nothing."""

PIXEL_DATA = 0x7FE00010
SOP_COMMON = "sop-common"
SHOWN = 3
"""Attributes named beside an open question."""

QUESTIONS_RULE = "imaging.metadata.conditional_questions"
"""What conditions ask and the header does not tell: one note for an item."""

Open = dict[str, dict[str, None]]
"""Question -> keywords of the absent attributes that wait for its answer, in order."""


def object_of(source: Dataset | Level, has_pixels: bool | None = None) -> Object | None:
    """Return what the rules of an IOD are asked about; None where the IOD is not in the tables.

    Parameters
    ----------
    source : pydicom.Dataset or Level
    has_pixels : bool, optional
        Whether there is pixel data; None where only the header is at hand.
    """
    root = level_of(source)
    iod = dicom_tables.iod_of(root.text(SOP_CLASS_UID))
    return None if iod is None else Object(iod, root, has_pixels)


def missing_attributes(
    source: Dataset | Level, *, has_pixels: bool | None = None, questions: bool = False
) -> tuple[Finding, ...]:
    """Find required attributes that are absent or empty, and values that a module does not allow.

    Judged are the mandatory modules of the IOD that the SOP Class UID names, the others that the
    object shows or that their condition demands (`sdq_imaging.dicom.requirement_rules`), and the
    inside of every sequence that is present. Where modules differ, the stricter type holds.
    Conditions are answered by `sdq_imaging.dicom.conditions`; of a sentence that no program
    understands nothing is claimed.
    Functional groups are judged inside the macros that are present; missing macros are in
    `sdq_imaging.dicom.functional_groups`.

    Parameters
    ----------
    source : pydicom.Dataset or Level
        The header; pixel data is not judged.
    has_pixels : bool, optional
        Whether there is pixel data; None where only the header is at hand.
    questions : bool
        Whether one note shall say what conditions ask and the header does not tell. Objects made
        alike leave the same open, so that one note for a series is enough.

    Returns
    -------
    tuple of Finding
        Errors ``imaging.metadata.{type1,type2,type1c,type2c}_missing``,
        ``imaging.metadata.{type1,type1c}_empty`` and ``imaging.conformity.enumerated_value``;
        warning ``imaging.conformity.condition_not_met``; notes
        ``imaging.metadata.conditional_review`` (someone has to look at the image),
        ``imaging.metadata.conditional_questions`` (on request) and
        ``imaging.conformity.defined_term``. For an IOD that is not in the tables only the SOP
        Class UID itself is judged; see `unknown_sop_class`.

    Examples
    --------
    >>> from pydicom import Dataset
    >>> [f.where for f in missing_attributes(Dataset())]
    ['SOPClassUID']
    """
    found, waiting = _judged(level_of(source), has_pixels)
    return (*found, _questions(waiting)) if questions and waiting else tuple(found)


def open_questions(
    source: Dataset | Level, *, has_pixels: bool | None = None
) -> dict[str, tuple[str, ...]]:
    """Return the questions that conditions ask and the file does not answer.

    Parameters
    ----------
    source : pydicom.Dataset or Level
    has_pixels : bool, optional

    Returns
    -------
    dict of str to tuple of str
        Name in `sdq_imaging.dicom.condition_questions.QUESTIONS` -> keywords of the absent
        attributes that wait for the answer.

    Examples
    --------
    >>> from pydicom import Dataset
    >>> header = Dataset()
    >>> header.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1"
    >>> open_questions(header)["calibrated"]
    ('PixelSpacing',)
    """
    _, waiting = _judged(level_of(source), has_pixels)
    return {name: tuple(waiting[name]) for name in QUESTIONS if name in waiting}


def _judged(root: Level, has_pixels: bool | None) -> tuple[list[Finding], Open]:
    whole = object_of(root, has_pixels)
    waiting: Open = {}
    if whole is None:
        rules = {SOP_CLASS_UID: Rule({"1": SOP_COMMON})}
        whole = Object("", root, has_pixels)
        return list(_judge(root, rules, whole, waiting, judge_absence=True)), waiting
    found = list(_judge(root, rules_for(whole), whole, waiting, judge_absence=True))
    if has_pixels is False and 0x00280010 in rules_for(whole):
        found.append(_finding("type1c_missing", root, PIXEL_DATA, "1C", "image-pixel"))
    return found, waiting


def unknown_sop_class(source: Dataset | Level) -> tuple[Finding, ...]:
    """Find a SOP class whose required attributes cannot be judged.

    Parameters
    ----------
    source : pydicom.Dataset or Level

    Returns
    -------
    tuple of Finding
        ``imaging.conformity.unknown_sop_class``: an error when the DICOM registry does not have the
        UID (PS3.6 Annex A), a warning when it is a registered class that is retired or not an
        image.
    """
    from pydicom.config import IGNORE
    from pydicom.uid import UID

    uid = level_of(source).text(SOP_CLASS_UID)
    if not uid or dicom_tables.iod_of(uid) is not None:
        return ()
    rule, where = "imaging.conformity.unknown_sop_class", "SOPClassUID"
    # pydicom gives a UID that the registry does not have its own text as name. It would warn of a
    # malformed one by quoting it; that is for the rules of value representations to say.
    if UID(uid, validation_mode=IGNORE).name != uid:
        return (
            Finding(
                rule,
                Severity.WARNING,
                "SOPClassUID (0008,0016) names a class that is retired or not an image, so "
                "required "
                "attributes were not judged; use a current image storage class",
                "SOPClassUID (0008,0016) 所指的类已废止或不是图像类，未能判定必备属性；"
                "请使用现行的图像存储类",
                where,
            ),
        )
    return (
        Finding(
            rule,
            Severity.ERROR,
            "SOPClassUID (0008,0016) is not a class of the DICOM registry (PS3.6 Annex A), so "
            "required "
            "attributes were not judged; use a standard image storage class",
            "SOPClassUID (0008,0016) 不在 DICOM 注册表（PS3.6 附录 A）中，未能判定必备属性；"
            "请使用标准的图像存储类",
            where,
        ),
    )


def _judge(
    level: Level,
    rules: Mapping[int, Rule],
    whole: Object,
    waiting: Open,
    *,
    judge_absence: bool,
) -> Iterator[Finding]:
    elements = level.elements
    for tag, rule in rules.items():
        if tag not in elements:
            if judge_absence:
                yield from _absent(level, tag, rule, whole, waiting)
            continue
        empty = level.is_empty(tag)
        if empty and rule.value_required:
            kind = "1" if "1" in rule.types else "1C"
            name = "type1_empty" if kind == "1" else "type1c_empty"
            yield _finding(name, level, tag, kind, rule.types[kind])
        if not rule.required:
            yield from _present(level, tag, rule, whole)
        if not empty and (rule.enumerated or rule.defined):
            yield from value_faults(level, tag, rule)
        if rule.inside:
            inside_groups = not level.path and tag in FUNCTIONAL_GROUPS
            for item in level.items.get(tag) or ():
                yield from _judge(
                    item, rule.inside, whole, waiting, judge_absence=not inside_groups
                )


def _absent(level: Level, tag: int, rule: Rule, whole: Object, waiting: Open) -> Iterator[Finding]:
    if rule.required:
        kind = "1" if rule.value_required else "2"
        yield _finding(f"type{kind}_missing", level, tag, kind, rule.types[kind])
        return
    undecided = []
    for kind, module, condition in rule.conditions:
        answer = _answer(condition, level, whole)
        if answer is Answer.REQUIRED:
            yield _finding(f"type{kind.lower()}_missing", level, tag, kind, module)
            return
        if answer is Answer.MANUAL_REVIEW:
            undecided.append((kind, module, condition))
    for kind, module, condition in undecided:
        if isinstance(condition, Predicate) and condition.speaks:
            yield _review(level, tag, kind, module)
            return
    for _, _, condition in undecided:
        for question in _left_open(condition, level, whole):
            waiting.setdefault(question, {})[place_text((), tag)] = None


def _left_open(condition: Predicate | Condition, level: Level, whole: Object) -> Iterable[str]:
    if isinstance(condition, Predicate):
        return (condition.question,) if condition.question else ()
    return asked(condition.expression, level, whole)


def _present(level: Level, tag: int, rule: Rule, whole: Object) -> Iterator[Finding]:
    if not rule.conditions or "3" in rule.types:
        return
    if any(
        isinstance(c, Predicate) or c.otherwise or evaluate(c.expression, level, whole) is not False
        for _, _, c in rule.conditions
    ):
        return
    kind, module, _ = rule.conditions[0]
    yield _finding("condition_not_met", level, tag, kind, module)


def _answer(condition: Predicate | Condition, level: Level, whole: Object) -> Answer:
    if isinstance(condition, Predicate):
        return condition.answer(level, whole)
    value = evaluate(condition.expression, level, whole)
    if value is None:
        return Answer.MANUAL_REVIEW
    return Answer.REQUIRED if value else Answer.NOT_REQUIRED


_TEXTS: dict[str, tuple[str, str]] = {
    "type1_missing": (
        "is required with a value and is absent; write it",
        "为必备且不得为空的属性，但缺失；请补写",
    ),
    "type2_missing": (
        "is required, empty if unknown, and is absent; write it",
        "为必备属性（未知时可为空），但缺失；请补写",
    ),
    "type1c_missing": (
        "is required with a value by what else the object says, and is absent; write it",
        "按该对象的其他内容为必备且不得为空的属性，但缺失；请补写",
    ),
    "type2c_missing": (
        "is required, empty if unknown, by what else the object says, and is absent; write it",
        "按该对象的其他内容为必备属性（未知时可为空），但缺失；请补写",
    ),
    "type1_empty": (
        "must have a value and is empty; give it one",
        "必须有值，但为空；请赋值",
    ),
    "type1c_empty": (
        "must have a value where it is present and is empty; give it one or remove it",
        "出现时必须有值，但为空；请赋值或删除",
    ),
    "condition_not_met": (
        "is present although its condition does not hold; remove it or correct what the "
        "condition depends on",
        "的存在条件不成立，却仍然出现；请删除，或更正其条件所依据的属性",
    ),
}


def _finding(rule: str, level: Level, tag: int, kind: str, module: str) -> Finding:
    english, chinese = _TEXTS[rule]
    name, title = attribute_name(tag), module_name(module)
    area = "conformity" if rule == "condition_not_met" else "metadata"
    return Finding(
        f"imaging.{area}.{rule}",
        Severity.WARNING if rule == "condition_not_met" else Severity.ERROR,
        f"{name} (type {kind} in module {title}, DICOM PS3.3) {english}",
        f"{name}（DICOM PS3.3 模块 {title}，类型 {kind}）{chinese}",
        place_text(level.path, tag),
    )


def _review(level: Level, tag: int, kind: str, module: str) -> Finding:
    name, title = attribute_name(tag), module_name(module)
    return Finding(
        "imaging.metadata.conditional_review",
        Severity.INFO,
        f"{name} (type {kind} in module {title}, DICOM PS3.3) is absent, and whether it is "
        "required cannot be told from the header; look at the image",
        f"{name}（DICOM PS3.3 模块 {title}，类型 {kind}）缺失，而仅凭文件头无法判定其是否必备；"
        "请人工复核图像",
        place_text(level.path, tag),
    )


def _questions(waiting: Open) -> Finding:
    ordered = [(QUESTIONS[name], waiting[name]) for name in QUESTIONS if name in waiting]
    count = len({keyword for _, keywords in ordered for keyword in keywords})
    english = "; ".join(f"{q.english} ({_shown(k)})" for q, k in ordered)
    chinese = "；".join(f"{q.chinese}（{_shown(k)}）" for q, k in ordered)
    return Finding(
        QUESTIONS_RULE,
        Severity.INFO,
        f"whether {count} absent attributes of type 1C or 2C are required (DICOM PS3.3) depends on "
        f"what the header does not tell; answer once for all such objects: {english}",
        f"{count} 个缺失的 1C 或 2C 类属性（DICOM PS3.3）是否必备取决于文件头未说明的事项；"
        f"请对同类对象统一回答一次：{chinese}",
    )


def _shown(keywords: Iterable[str]) -> str:
    names = list(keywords)
    return ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
