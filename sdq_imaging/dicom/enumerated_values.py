"""Values that a module of PS3.3 lists: enumerated values bind, defined terms may be added to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sdq_core.dicom.elements import attribute_name
from sdq_core.finding import Finding
from sdq_core.vocabulary import Severity

if TYPE_CHECKING:
    from sdq_core.dicom.levels import Level
    from sdq_imaging.dicom.requirement_rules import Rule
    from sdq_imaging.dicom_tables.notes import Lists

__all__ = ["value_faults"]

MOST_LISTED = 8
"""A message names at most so many allowed values."""

EXTENDED = {0x00189078: frozenset({"SMS"})}
"""Values that editions after that of the table have added to an attribute's list."""


def value_faults(level: Level, tag: int, rule: Rule) -> Iterator[Finding]:
    """Find values outside the lists of the modules in force.

    Parameters
    ----------
    level : Level
    tag : int
        Present and not empty.
    rule : Rule

    Yields
    ------
    Finding
        ``imaging.conformity.enumerated_value`` (error) or ``imaging.conformity.defined_term``
        (note); at most one for each attribute.
    """
    # Imported here: the names of modules are built on the rules, which are built on this.
    from sdq_imaging.dicom.requirement_rules import module_name

    values = [f"{v:g}" for v in level.numbers(tag)] or [v.strip() for v in level.texts(tag)]
    for module, lists in rule.enumerated:
        wrong = _outside(values, tag, lists)
        if wrong is not None:
            name, title = attribute_name(tag), module_name(module)
            listed = ", ".join(sorted(wrong)[:MOST_LISTED])
            more = ", ..." if len(wrong) > MOST_LISTED else ""
            yield Finding(
                "imaging.conformity.enumerated_value",
                Severity.ERROR,
                f"{name} must be one of {listed}{more} (enumerated values of module {title}, DICOM "
                "PS3.3); write one of these",
                f"{name} 必须为 {listed}{more} 之一（DICOM PS3.3 模块 {title} 的枚举值）；请更正",
                level.where(tag),
            )
            return
    for module, lists in rule.defined:
        if _outside(values, tag, lists) is not None:
            name, title = attribute_name(tag), module_name(module)
            yield Finding(
                "imaging.conformity.defined_term",
                Severity.INFO,
                f"{name} is none of the defined terms of module {title} (DICOM PS3.3), which is "
                "allowed where no term fits; check it",
                f"{name} 不在 DICOM PS3.3 模块 {title} 的定义术语之列，仅在无适用术语时允许；"
                "请核对",
                level.where(tag),
            )
            return


def _outside(values: list[str], tag: int, lists: Lists) -> frozenset[str] | None:
    """Return the list that a value is not in; None where all are."""
    for number, allowed in lists.items():
        judged = values if number == 0 else values[number - 1 : number]
        known = allowed | EXTENDED.get(tag, frozenset())
        if any(value and value not in known for value in judged) and not _equal(judged, known):
            return known
    return None


def _equal(values: list[str], known: frozenset[str]) -> bool:
    """Compare as numbers: "+1" in the list is 1 in the file."""
    try:
        return {float(v) for v in values if v} <= {float(k) for k in known}
    except ValueError:
        return False
