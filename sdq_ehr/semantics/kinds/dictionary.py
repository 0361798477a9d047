"""The kind of rule about the data dictionary: present, and holding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from sdq_ehr.semantics.context import Context
from sdq_ehr.semantics.rule import Check, Kind, NotApplicable, Parameters

__all__ = ["DICTIONARY"]


class DictionaryParameters(Parameters):
    """What the dictionary must be.

    `described`: every column has a description; `values`: declared values are the only ones;
    `range`: declared minimum and maximum hold.
    """

    check: Literal["described", "values", "range"]


def _dictionary(p: DictionaryParameters, context: Context) -> Iterator[Check]:
    if p.check == "described":
        yield from _described(context)
        return
    seen = False
    for check in _values(context) if p.check == "values" else _ranges(context):
        seen = True
        yield check
    if not seen:
        raise NotApplicable(
            f"no column declares {'values' if p.check == 'values' else 'minimum or maximum'} in "
            "schema.yaml",
            f"schema.yaml 中没有列声明{'取值' if p.check == 'values' else '最小值或最大值'}",
        )


def _described(context: Context) -> Iterator[Check]:
    """One check a column, without rows: a column without a description is one violation."""
    for table, column, definition in context.schema.columns():
        bare = not definition.description.strip()
        yield Check(table, column, np.empty(0, np.intp), 1, whole=bare)


def _values(context: Context) -> Iterator[Check]:
    for table, column, definition in context.schema.columns():
        texts = context.texts(table, column) if definition.values else None
        if texts is None:
            continue
        allowed = {v.strip().lower() for v in definition.values}
        strange = [_not_among(v, allowed) for v in texts.values]
        yield Check.of(table, column, texts.spread(np.array(strange, bool)), texts.known)


def _not_among(value: str, allowed: set[str]) -> bool:
    return value.strip().lower() not in allowed


def _ranges(context: Context) -> Iterator[Check]:
    for table, column, definition in context.schema.columns():
        if definition.minimum is None and definition.maximum is None:
            continue
        values = context.numbers(table, column)
        if values is None:
            continue
        low = -np.inf if definition.minimum is None else definition.minimum
        high = np.inf if definition.maximum is None else definition.maximum
        with np.errstate(invalid="ignore"):
            bad = (values < low) | (values > high)
        yield Check.of(table, column, bad, ~np.isnan(values))


DICTIONARY = Kind("dictionary", DictionaryParameters, _dictionary,
                  "the data dictionary is there and holds", "数据字典存在且与数据相符")  # fmt: skip
