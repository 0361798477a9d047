"""What things are called, and why a verdict is what it is, in one language."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any, Final

from sdq_core.documents.texts import text
from sdq_core.documents.typography import chinese
from sdq_core.result import MeasurementModel, Result
from sdq_core.vocabulary import Language, term

__all__ = ["name", "one_of", "pairs", "plain", "reason", "sentence", "title", "word"]

_LONGEST: Final = 600
"""Characters of a parameter that the report prints."""


def word(key: str, language: str) -> str:
    """Return a term of the house, typeset for the language."""
    found = term(key, language)
    return chinese(found) if Language(language) is Language.ZH else found


def one_of(english: str, other: str | None, language: str) -> str:
    """Return the text of the language; English where there is no other."""
    return other if Language(language) is Language.ZH and other else english


def title(result: Result, measurement: MeasurementModel, language: str) -> str:
    """Return what a measure is called; its id where nothing names it."""
    known = result.measures.get(measurement.id)
    if known is None:
        return measurement.id
    return chinese(known.title_zh) if Language(language) is Language.ZH else known.title


def name(result: Result, measurement: MeasurementModel, language: str) -> str:
    """Return the title with the variant."""
    called = title(result, measurement, language)
    return called if measurement.variant is None else f"{called} [{measurement.variant}]"


def sentence(words: str, language: str) -> str:
    """Return words as a sentence: a capital in front, a full stop behind.

    Examples
    --------
    >>> sentence("needs a holdout", "en"), sentence("没有数值", "zh")
    ('Needs a holdout.', '没有数值。')
    """
    end = "。" if Language(language) is Language.ZH else "."
    return words[:1].upper() + words[1:] + ("" if words.endswith((end, ".")) else end)


def reason(measurement: MeasurementModel, language: str) -> str:
    """Return why the verdict is what it is, in words.

    Parameters
    ----------
    measurement : MeasurementModel
    language : {"en", "zh"}

    Returns
    -------
    str
        The code's sentence, what is missing, and the sample that would settle it.
    """
    code = measurement.code
    if measurement.interval is None and code in ("interval_inside", "interval_outside"):
        code = code.replace("interval", "value")
    if measurement.reason is not None and code != "not_produced":
        missing = one_of(measurement.reason, measurement.reason_zh, language)
        parts = [sentence(missing, language)]
    else:
        parts = [text(code, language)]
    if measurement.needed_factor is not None:
        factor = f"{float(f'{measurement.needed_factor:.2g}'):,.12g}"
        parts.append(text("needed", language, factor=factor))
    return text("stop", language).join(parts)


def plain(value: Any) -> str:
    """Return a parameter as text: compact JSON for what is nested, cut where it is very long.

    Examples
    --------
    >>> plain(0.25), plain({"k": 5}), plain(float("nan")), plain(None)
    ('0.25', '{"k": 5}', '–', '–')
    """
    if isinstance(value, str):
        words = value
    elif isinstance(value, float):
        words = f"{value:.6g}" if isfinite(value) else "–"
    elif value is None:
        words = "–"
    else:
        words = json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]} …"


def pairs(values: Mapping[str, Any], language: str) -> str:
    """Return parameters by name, in the order of their names.

    Examples
    --------
    >>> pairs({"k": 5, "alpha": 0.05}, "en")
    'alpha = 0.05; k = 5'
    """
    said = (f"{key} = {plain(value)}" for key, value in sorted(values.items()))
    return text("semicolon", language).join(said)
