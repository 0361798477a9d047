"""Required attributes: types 1 and 2 of the object's IOD (DICOM PS3.3 Annex A, PS3.5 7.4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from sdq_core.dicom.elements import attribute_name, is_empty, items, place_text, text
from sdq_core.finding import Finding
from sdq_core.vocabulary import Severity
from sdq_imaging import dicom_tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom import Dataset

    from sdq_imaging.dicom_tables import Requirement

__all__ = ["missing_attributes", "unknown_sop_class"]

SOP_CLASS_UID = 0x00080016
FUNCTIONAL_GROUPS = frozenset({0x52009229, 0x52009230})
"""Shared and per-frame: each macro stands in one of the two, so its absence in one says nothing."""

TYPE_OVERRIDES = {("sc-equipment", 0x00080060)}
"""Here the weaker type wins: SC Equipment makes Modality optional (PS3.3 section C.8.6.1)."""


@dataclass(slots=True)
class _Rule:
    """What the modules in force together say of one attribute: all types that they give it."""

    types: set[str] = field(default_factory=set)
    inside: dict[int, _Rule] = field(default_factory=dict)

    @property
    def required(self) -> bool:
        return not self.types.isdisjoint(("1", "2"))

    @property
    def value_required(self) -> bool:
        # Type 1 outweighs type 2; type 1C does not, since its condition is not known.
        return "1" in self.types or ("1C" in self.types and "2" not in self.types)


def missing_attributes(dataset: Dataset) -> tuple[Finding, ...]:
    """Find the type 1 and type 2 attributes that are absent, and type 1 attributes without a value.

    Judged are the mandatory modules of the IOD that the SOP Class UID names, and the inside of
    every sequence that is present. Where modules differ, the stricter type holds; a conditional or
    user-optional module speaks only inside sequences that no mandatory module defines, and only
    where all of those that define the sequence agree. Functional groups are judged inside the
    macros that are present. Type 1C attributes are judged for emptiness only: their conditions are
    prose.

    Parameters
    ----------
    dataset : pydicom.Dataset
        The header; pixel data is not judged.

    Returns
    -------
    tuple of Finding
        ``imaging.metadata.type1_missing``, ``imaging.metadata.type1_empty`` and
        ``imaging.metadata.type2_missing``, all errors. For an IOD that is not in the tables only
        the SOP Class UID itself is judged; see `unknown_sop_class`.

    Examples
    --------
    >>> from pydicom import Dataset
    >>> [f.where for f in missing_attributes(Dataset())]
    ['SOPClassUID']
    """
    iod = dicom_tables.iod_of(text(dataset, SOP_CLASS_UID))
    if iod is None:
        rules = {SOP_CLASS_UID: _Rule({"1"})}
        return tuple(_judge(dataset, rules, (), judge_absence=True))
    return tuple(_judge(dataset, _rules(iod), (), judge_absence=True))


def unknown_sop_class(dataset: Dataset) -> tuple[Finding, ...]:
    """Find a SOP class whose required attributes cannot be judged.

    Parameters
    ----------
    dataset : pydicom.Dataset

    Returns
    -------
    tuple of Finding
        ``imaging.conformity.unknown_sop_class``: an error when the DICOM registry does not have the
        UID (PS3.6 Annex A), a warning when it is a registered class that is retired or not an
        image.
    """
    from pydicom.config import IGNORE
    from pydicom.uid import UID

    uid = text(dataset, SOP_CLASS_UID)
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


@cache
def _rules(iod: str) -> dict[int, _Rule]:
    modules = dicom_tables.modules_of(iod)
    keys = {module.key for module in modules}
    overridden = frozenset(tag for key, tag in TYPE_OVERRIDES if key in keys)
    rules: dict[int, _Rule] = {}
    for module in modules:
        if module.usage == "M":
            _merge(rules, module.attributes, overridden)
    others: dict[int, list[dict[int, Requirement]]] = {}
    for module in modules:
        if module.usage != "M":
            for tag, requirement in module.attributes.items():
                if requirement.inside and tag not in rules:
                    others.setdefault(tag, []).append(requirement.inside)
    for tag, definitions in others.items():
        rules[tag] = _Rule(inside=_agreed(definitions))
    return rules


def _merge(
    rules: dict[int, _Rule],
    attributes: dict[int, Requirement],
    overridden: frozenset[int] = frozenset(),
) -> None:
    for tag, requirement in attributes.items():
        rule = rules.setdefault(tag, _Rule())
        if tag not in overridden:
            rule.types.add(requirement.type)
        _merge(rule.inside, requirement.inside)


def _agreed(definitions: list[dict[int, Requirement]]) -> dict[int, _Rule]:
    """Return what every definition of a sequence requires."""
    agreed: dict[int, _Rule] = {}
    for tag in sorted(set(definitions[0]).intersection(*definitions[1:])):
        entries = [definition[tag] for definition in definitions]
        types = {entry.type for entry in entries}
        weakest = next((t for t in ("1", "2", "1C") if types <= {"1", t}), "3")
        agreed[tag] = _Rule({weakest}, _agreed([entry.inside for entry in entries]))
    return agreed


def _judge(
    dataset: Dataset,
    rules: dict[int, _Rule],
    path: tuple[tuple[int, int], ...],
    *,
    judge_absence: bool,
) -> Iterator[Finding]:
    for tag, rule in rules.items():
        if tag not in dataset:
            if rule.required and judge_absence:
                yield _missing(tag, path, value_required=rule.value_required)
            continue
        if rule.value_required and is_empty(dataset, tag):
            yield _empty(tag, path)
        if rule.inside:
            inside_groups = not path and tag in FUNCTIONAL_GROUPS
            for index, item in enumerate(items(dataset, tag) or ()):
                yield from _judge(
                    item, rule.inside, (*path, (tag, index)), judge_absence=not inside_groups
                )


def _missing(tag: int, path: tuple[tuple[int, int], ...], *, value_required: bool) -> Finding:
    name, where = attribute_name(tag), place_text(path, tag)
    if value_required:
        return Finding(
            "imaging.metadata.type1_missing",
            Severity.ERROR,
            f"{name} is required with a value (type 1, DICOM PS3.3) and is absent; write it",
            f"{name} 为必备且不得为空的属性（DICOM PS3.3 类型 1），但缺失；请补写",
            where,
        )
    return Finding(
        "imaging.metadata.type2_missing",
        Severity.ERROR,
        f"{name} is required, empty if unknown (type 2, DICOM PS3.3), and is absent; write it",
        f"{name} 为必备属性（DICOM PS3.3 类型 2，未知时可为空），但缺失；请补写",
        where,
    )


def _empty(tag: int, path: tuple[tuple[int, int], ...]) -> Finding:
    name = attribute_name(tag)
    return Finding(
        "imaging.metadata.type1_empty",
        Severity.ERROR,
        f"{name} must have a value (type 1, DICOM PS3.3) and is empty; give it one",
        f"{name} 必须有值（DICOM PS3.3 类型 1），但为空；请赋值",
        place_text(path, tag),
    )
