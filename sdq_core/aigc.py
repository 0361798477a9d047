"""The label of generated content in a file's metadata (GB 45438-2025): found, read and judged.

A file carries it under the key ``AIGC`` as a JSON object. That the key and the object are asked for
is known from the standard; the names of its fields are those of public implementations, whose
agreement with the standard's annex was not checked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

__all__ = ["FIELDS", "LABEL_RULES", "LabelState", "generated", "label_in_text", "label_state"]

KEY: Final = "AIGC"
FIELDS: Final = (
    "Label", "ContentProducer", "ProduceID", "ReservedCode1", "ContentPropagator", "PropagateID",
    "ReservedCode2",
)  # fmt: skip
REQUIRED: Final = ("ContentProducer", "ProduceID")
"""Who generated it, and under which number; beside the status in ``Label``."""
GENERATED: Final = ("1", "true", "yes")
"""Values of ``Label`` that say that the content is generated; 2 is "possibly", 3 "suspected"."""
BROKEN: Final = "{}"
"""Stands for a label that is no JSON object."""
LONGEST: Final = 200

_KEY = re.compile(r"(?<![A-Za-z0-9])AIGC(?![A-Za-z0-9])[\"']?\s*[:=]?\s*", re.IGNORECASE)


class LabelState(StrEnum):
    """What a file's label is worth."""

    VALID = "valid"
    MISSING = "missing"
    NO_OBJECT = "no_object"
    NOT_GENERATED = "not_generated"
    INCOMPLETE = "incomplete"


LABEL_RULES: Final[dict[LabelState, tuple[str, str]]] = {
    LabelState.MISSING: (
        "the file's metadata carry no label AIGC, as other files of the cohort do; write one",
        "文件元数据中没有 AIGC 标识，而同一数据集的其他文件带有该标识；请补写",
    ),
    LabelState.NO_OBJECT: (
        "the label AIGC in the file's metadata is no JSON object; write one",
        "文件元数据中的 AIGC 标识不是 JSON 对象，请改写",
    ),
    LabelState.NOT_GENERATED: (
        "the label AIGC does not say that the content is generated (Label 1); correct it",
        "AIGC 标识未写明内容为生成（Label 应为 1），请更正",
    ),
    LabelState.INCOMPLETE: (
        "the label AIGC lacks ContentProducer or ProduceID; fill in both",
        "AIGC 标识缺少 ContentProducer 或 ProduceID，请补全",
    ),
}
"""State -> what is wrong and what to do, in English and Chinese."""


def label_in_text(text: str) -> str:
    """Return the label that stands in a text, as compact JSON of its known fields.

    Parameters
    ----------
    text : str
        ``AIGC: {...}``, ``{"AIGC": {...}}``, or the object itself.

    Returns
    -------
    str
        ``"{}"`` where there is the key and no JSON object; empty where there is nothing of it.

    Examples
    --------
    >>> label_in_text('seed=7; AIGC={"Label": "1", "ProduceID": "42", "Colour": "red"}')
    '{"Label":"1","ProduceID":"42"}'
    >>> label_in_text("AIGC: yes"), label_in_text("a recording at rest")
    ('{}', '')
    """
    if text.lstrip().startswith("{"):
        found = _object(text)
        if isinstance(inner := found.get(KEY), dict):
            found = inner
        if set(found) & set(FIELDS):
            return _compact(found)
    place = _KEY.search(text)
    if place is None:
        return ""
    return _compact(_object(text[place.end() :]))


def label_state(text: str | None) -> LabelState:
    """Return what a label is worth.

    Parameters
    ----------
    text : str or None
        What a file holds under the key; None or empty: nothing.

    Examples
    --------
    >>> label_state('{"Label": "1", "ContentProducer": "a", "ProduceID": "7"}').value
    'valid'
    >>> [label_state(t).value for t in (None, "yes", '{"Label": "2"}', '{"Label": "1"}')]
    ['missing', 'no_object', 'not_generated', 'incomplete']
    """
    if not text or not text.strip():
        return LabelState.MISSING
    found = _object(label_in_text(text))
    if not found:
        return LabelState.NO_OBJECT
    if found.get("Label", "").lower() not in GENERATED:
        return LabelState.NOT_GENERATED
    if not all(found.get(name) for name in REQUIRED):
        return LabelState.INCOMPLETE
    return LabelState.VALID


def generated(text: str) -> bool:
    """Return whether a label says that the content is generated, whatever else it lacks.

    Examples
    --------
    >>> generated('{"Label": "1"}'), generated('{"Label": "3"}'), generated("seed=7")
    (True, False, False)
    """
    return label_state(text) in (LabelState.VALID, LabelState.INCOMPLETE)


def _object(text: str) -> dict[str, Any]:
    """Return the JSON object with which a text begins; an empty one where it does not."""
    try:
        found, _ = json.JSONDecoder().raw_decode(text.lstrip())
        if isinstance(found, str):  # an object that was written as a JSON text
            found = json.loads(found)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _compact(found: Mapping[str, Any]) -> str:
    kept = {
        name: str(value).strip()[:LONGEST]
        for name in FIELDS
        if isinstance(value := found.get(name), str | int) and str(value).strip()
    }
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")) if kept else BROKEN
