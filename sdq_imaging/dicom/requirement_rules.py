"""All that the modules of an object together say of each attribute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from sdq_imaging import dicom_tables
from sdq_imaging.dicom.condition_predicates import predicate_for
from sdq_imaging.dicom.conditions import Object, Predicate, evaluate
from sdq_imaging.dicom_tables.notes import Condition, Lists, Notes, module_condition, notes_of

if TYPE_CHECKING:
    from sdq_imaging.dicom_tables import Requirement

__all__ = ["Rule", "condition_of", "module_name", "rules_for"]

TYPE_OVERRIDES = {("sc-equipment", 0x00080060)}
"""Here the weaker type wins: SC Equipment makes Modality optional (PS3.3 section C.8.6.1)."""

NO_EVIDENCE = {("multi-frame", 0x00280009)}
"""A Frame Increment Pointer without a Number of Frames is left over, not a multi-frame image."""


@dataclass(slots=True)
class Rule:
    """What the modules in force say of one attribute.

    Parameters
    ----------
    types : dict of str to str
        Each type that it is given -> the first module that gives it.
    conditions : list
        Type, module, and predicate or condition, of each module that makes it conditional.
    enumerated, defined : list of (str, mapping)
        Module and value lists.
    inside : dict of int to Rule
    """

    types: dict[str, str] = field(default_factory=dict)
    conditions: list[tuple[str, str, Predicate | Condition]] = field(default_factory=list)
    enumerated: list[tuple[str, Lists]] = field(default_factory=list)
    defined: list[tuple[str, Lists]] = field(default_factory=list)
    inside: dict[int, Rule] = field(default_factory=dict)

    @property
    def required(self) -> bool:
        """Whether it must be present, whatever the rest of the object says."""
        return "1" in self.types or "2" in self.types

    @property
    def value_required(self) -> bool:
        """Whether it must have a value when it is present."""
        # Type 1 outweighs type 2; type 1C does not.
        return "1" in self.types or ("1C" in self.types and "2" not in self.types)


def module_name(key: str) -> str:
    """Return a module's key as words.

    Examples
    --------
    >>> module_name("general-image")
    'General Image'
    """
    words = key.removesuffix("-multi-frame-functional-groups").split("-")
    name = " ".join(w.upper() if w in _ABBREVIATIONS else w.capitalize() for w in words)
    return f"{name} Functional Groups" if key.endswith("-functional-groups") else name


_ABBREVIATIONS = frozenset(
    ["ct", "mr", "pet", "cr", "dx", "nm", "us", "sc", "sop", "voi", "lut", "icc", "vl", "rt", "oct",
     "xa", "xrf", "ivus", "3d"]
)  # fmt: skip


def rules_for(whole: Object) -> dict[int, Rule]:
    """Return the rules of an object's IOD and of the modules that it has.

    A mandatory module is always in force. A conditional or user-optional one is when its condition
    holds, or when an attribute is present that it requires and that no mandatory module defines;
    of others only the inside of their sequences counts, where all that define one agree.

    Parameters
    ----------
    whole : Object

    Returns
    -------
    dict of int to Rule
        By tag. Shared between objects: not to be changed.
    """
    present = frozenset(
        key
        for key, tags in _telling(whole.iod).items()
        if not tags.isdisjoint(whole.root.elements)
        or evaluate(_module_condition(whole.iod, key), whole.root, whole)
    )
    return _rules(whole.iod, present)


def _module_condition(iod: str, key: str) -> Any:
    found = module_condition(iod, key)
    return "?" if found is None else found


@cache
def _telling(iod: str) -> dict[str, frozenset[int]]:
    """Return the attributes that show an optional module to be present."""
    modules = dicom_tables.modules_of(iod)
    owned = {tag for m in modules if m.usage == "M" for tag in m.attributes}

    def telling(module: dicom_tables.Module, types: str) -> frozenset[int]:
        return frozenset(
            tag
            for tag, requirement in module.attributes.items()
            if requirement.type in types.split()
            and tag not in owned
            and (module.key, tag) not in NO_EVIDENCE
        )

    optional = [m for m in modules if m.usage != "M"]
    # A module of conditional attributes only (VOI LUT) is told by these.
    return {m.key: telling(m, "1 2") or telling(m, "1C 2C") for m in optional}


@cache
def _rules(iod: str, present: frozenset[str]) -> dict[int, Rule]:
    modules = dicom_tables.modules_of(iod)
    keys = {module.key for module in modules}
    overridden = frozenset(tag for key, tag in TYPE_OVERRIDES if key in keys)
    rules: dict[int, Rule] = {}
    for module in modules:
        if module.usage == "M" or module.key in present:
            _merge(rules, module.attributes, notes_of(module.key), module.key, overridden)
    others: dict[int, list[tuple[str, dict[int, Requirement]]]] = {}
    for module in modules:
        if module.usage != "M" and module.key not in present:
            for tag, requirement in module.attributes.items():
                if requirement.inside and (tag not in rules or not rules[tag].inside):
                    others.setdefault(tag, []).append((module.key, requirement.inside))
    for tag, definitions in others.items():
        rules.setdefault(tag, Rule()).inside = _agreed(definitions)
    return rules


def _merge(
    rules: dict[int, Rule],
    attributes: Mapping[int, Requirement],
    notes: Mapping[int, Notes],
    module: str,
    overridden: frozenset[int] = frozenset(),
) -> None:
    for tag in sorted({*attributes, *notes}):
        requirement, note = attributes.get(tag), notes.get(tag)
        rule = rules.setdefault(tag, Rule())
        if requirement is not None and tag not in overridden:
            rule.types.setdefault(requirement.type, module)
            rule.conditions += _conditions(requirement.type, tag, module, note)
        if note is not None:
            if note.enumerated:
                rule.enumerated.append((module, note.enumerated))
            if note.defined:
                rule.defined.append((module, note.defined))
        _merge(
            rule.inside,
            requirement.inside if requirement is not None else {},
            note.inside if note is not None else {},
            module,
        )


def condition_of(module: str, tag: int, note: Notes | None) -> Predicate | Condition | None:
    """Return when an attribute of type 1C or 2C is required; None where nothing is known.

    Parameters
    ----------
    module : str
        Key of the module that makes it conditional.
    tag : int
    note : Notes or None
        What the module says of the attribute.

    Returns
    -------
    Predicate, Condition or None
        The predicate of the attribute in this module, else the module's own words, else the
        predicate of the macro that has it in many modules.
    """
    said = None if note is None else note.condition
    return predicate_for(module, tag) or said or predicate_for("", tag)


def _conditions(
    kind: str, tag: int, module: str, note: Notes | None
) -> Iterator[tuple[str, str, Predicate | Condition]]:
    found = condition_of(module, tag, note) if kind in ("1C", "2C") else None
    if found is not None:
        yield kind, module, found


def _agreed(definitions: list[tuple[str, dict[int, Requirement]]]) -> dict[int, Rule]:
    """Return what every definition of a sequence requires."""
    agreed: dict[int, Rule] = {}
    module = definitions[0][0]
    for tag in sorted(set(definitions[0][1]).intersection(*(d for _, d in definitions[1:]))):
        entries = [definition[tag] for _, definition in definitions]
        types = {entry.type for entry in entries}
        weakest = next((t for t in ("1", "2", "1C", "2C") if types <= {"1", t}), "3")
        conditions = list(_conditions(weakest, tag, module, None))
        inside = _agreed([(key, d[tag].inside) for key, d in definitions])
        agreed[tag] = Rule({weakest: module}, conditions, inside=inside)
    return agreed
