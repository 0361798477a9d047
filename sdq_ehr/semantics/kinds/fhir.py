"""The kind of rule about the elements of flattened FHIR resources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import resources
from typing import Literal

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import Field

from sdq_ehr.codes.fhir import fhir_binding, fhir_value_set
from sdq_ehr.semantics.columns import Texts
from sdq_ehr.semantics.context import Context, missing
from sdq_ehr.semantics.rule import Check, Kind, Parameters

__all__ = ["FHIR"]


class FhirParameters(Parameters):
    """Which elements are judged, and how.

    `required`: elements with cardinality 1.. are there; `binding`: required bindings hold;
    `reference`: no reference points to a resource of a type that is not allowed there.
    """

    check: Literal["required", "binding", "reference"]


class _Element(Parameters):
    required: bool = False
    element: str = ""
    r5: tuple[str, ...] = ()
    by: str = ""
    elements: dict[str, str] = Field(default_factory=dict)


@lru_cache(maxsize=1)
def _requirements() -> Mapping[str, Mapping[str, _Element]]:
    file = resources.files("sdq_ehr.semantics").joinpath("data/fhir_requirements.yaml")
    plain = yaml.safe_load(file.read_text("utf-8"))["tables"]
    return {
        table: {name: _Element.model_validate(e) for name, e in elements.items()}
        for table, elements in plain.items()
    }


def _fhir(p: FhirParameters, context: Context) -> Iterator[Check]:
    seen = False
    checks = {"required": _required, "binding": _binding, "reference": _reference}[p.check]
    for check in checks(context):
        seen = True
        yield check
    if not seen:
        raise missing("element of a FHIR resource that this rule judges", "本规则涉及的 FHIR 元素")


def _elements(context: Context) -> Iterator[tuple[str, str, _Element]]:
    for table in context.tables():
        for name, element in _requirements().get(table, {}).items():
            if name in context.definitions(table).columns:
                yield table, name, element


def _required(context: Context) -> Iterator[Check]:
    for table, column, element in _elements(context):
        if not element.required:
            continue
        rows, array = context.rows(table), context.array(table, column)
        empty = np.ones(rows, bool) if array is None else np.asarray(array.is_null().to_numpy())
        yield Check.of(table, column, empty, np.ones(rows, bool))


def _binding(context: Context) -> Iterator[Check]:
    for table, column, element in _elements(context):
        texts = context.texts(table, column)
        if texts is None:
            continue
        if element.element:
            strange = _strange(texts, element.element, element.r5)
            yield Check.of(table, column, strange, texts.known)
        elif element.by:
            kinds = context.texts(table, element.by)
            if kinds is None:
                continue
            bad, known = np.zeros(len(texts.index), bool), np.zeros(len(texts.index), bool)
            for kind, name in element.elements.items():
                rows = kinds.spread(np.array([k == kind for k in kinds.values], bool))
                bad |= rows & _strange(texts, name, element.r5)
                known |= rows & texts.known
            yield Check.of(table, column, bad, known)


def _strange(texts: Texts, element: str, more: tuple[str, ...]) -> NDArray[np.bool_]:
    """Return the rows whose code is neither in the element's value set of R4 nor among more."""
    codes = fhir_value_set(fhir_binding(element))
    assert codes is not None, element
    found = codes.find(texts.values) >= 0
    return texts.spread(~found & np.array([v not in more for v in texts.values], bool))


def _reference(context: Context) -> Iterator[Check]:
    """Find references whose target is of another type: the id is not there, but elsewhere."""
    ids = {
        table: set(texts.values)
        for table in context.tables()
        if "id" in context.definitions(table).columns
        and table != "codings"
        and (texts := context.texts(table, "id")) is not None
    }
    for table in context.tables():
        definition = context.definitions(table)
        targets = {c: t.partition(".")[0] for c, t in definition.references.items()}
        if definition.patient and table != context.schema.home:
            targets[definition.patient] = context.schema.home
        for column, target in targets.items():
            texts = context.texts(table, column)
            if texts is None or target not in ids:
                continue
            here = ids[target]
            others = set().union(*(i for t, i in ids.items() if t != target))
            wrong = [v not in here and v in others for v in texts.values]
            yield Check.of(table, column, texts.spread(np.array(wrong, bool)), texts.known)


FHIR = Kind("fhir", FhirParameters, _fhir, "elements of FHIR resources", "FHIR 资源元素的要求")
