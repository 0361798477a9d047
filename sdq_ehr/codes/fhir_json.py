"""Codes of a FHIR CodeSystem or ValueSet in JSON (FHIR R4, 4.8 and 4.9)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sdq_core.errors import InputError

__all__ = ["FhirCodes", "read_fhir"]

_DEEPEST = 64


@dataclass
class FhirCodes:
    """What a resource lists.

    Parameters
    ----------
    name, version : str
    complete : bool
        False where the resource is a fragment, or includes codes by filter or whole systems that
        are not written out in it: a code outside the list may exist.
    codes : list of str
    active, leaf : list of bool
    """

    name: str
    version: str
    complete: bool = True
    codes: list[str] = field(default_factory=list)
    active: list[bool] = field(default_factory=list)
    leaf: list[bool] = field(default_factory=list)

    def add(self, concept: dict[str, Any], leaf: bool) -> None:
        """Add one concept; the abstract ones are headings."""
        code = concept.get("code")
        if isinstance(code, str) and not concept.get("abstract"):
            self.codes.append(code)
            self.active.append(not (concept.get("inactive") or _retired(concept)))
            self.leaf.append(leaf)


def read_fhir(path: Path) -> FhirCodes:
    """Read the codes of a CodeSystem (hierarchy) or a ValueSet (expansion, else compose).

    Parameters
    ----------
    path : Path

    Returns
    -------
    FhirCodes

    Raises
    ------
    InputError
        Where the file is no such resource or lists no code.
    """
    try:
        resource = json.loads(path.read_text("utf-8-sig"))
        kind = resource["resourceType"]
    except (OSError, ValueError, RecursionError, TypeError, KeyError) as error:
        raise InputError(
            f"list of codes {path.name}: it is no FHIR resource in JSON; give a CodeSystem or a "
            "ValueSet"
        ) from error
    found = FhirCodes(_word(resource, "name", "id", "url") or path.name, _word(resource, "version"))
    if kind == "CodeSystem":
        found.complete = resource.get("content", "complete") == "complete"
        for concept, leaf in _walk(resource.get("concept"), "concept"):
            found.add(concept, leaf)
    elif kind == "ValueSet":
        _value_set(resource, found)
    if not found.codes:
        raise InputError(
            f"list of codes {path.name}: the resource has no codes; give a CodeSystem with "
            "concepts, or a ValueSet with an expansion or listed concepts"
        )
    return found


def _value_set(resource: dict[str, Any], found: FhirCodes) -> None:
    expansion = resource.get("expansion")
    if isinstance(expansion, dict) and expansion.get("contains"):
        listed = 0
        for concept, leaf in _walk(expansion["contains"], "contains"):
            found.add(concept, leaf)
            listed += 1
        total = expansion.get("total")
        found.complete = not (isinstance(total, int) and total > listed)
        return
    given = resource.get("compose")
    compose: dict[str, Any] = given if isinstance(given, dict) else {}
    for include in _dicts(compose.get("include")):
        concepts = list(_dicts(include.get("concept")))
        if not concepts or include.get("valueSet"):
            found.complete = False
        for concept in concepts:
            found.add(concept, True)
    excluded = {
        concept.get("code")
        for exclude in _dicts(compose.get("exclude"))
        for concept in _dicts(exclude.get("concept"))
    }
    keep = [i for i, code in enumerate(found.codes) if code not in excluded]
    found.codes = [found.codes[i] for i in keep]
    found.active = [found.active[i] for i in keep]
    found.leaf = [found.leaf[i] for i in keep]


def _walk(concepts: Any, below: str, depth: int = 0) -> Iterator[tuple[dict[str, Any], bool]]:
    if depth > _DEEPEST:
        return
    for concept in _dicts(concepts):
        children = list(_dicts(concept.get(below)))
        yield concept, not children
        yield from _walk(children, below, depth + 1)


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    return (v for v in value if isinstance(v, dict)) if isinstance(value, list) else iter(())


def _retired(concept: dict[str, Any]) -> bool:
    return any(
        p.get("valueBoolean") is True
        if p.get("code") == "inactive"
        else p.get("valueCode") in {"retired", "deprecated"}
        for p in _dicts(concept.get("property"))
        if p.get("code") in {"inactive", "status"}
    )


def _word(resource: dict[str, Any], *keys: str) -> str:
    return next((v for k in keys if isinstance(v := resource.get(k), str) and v), "")
