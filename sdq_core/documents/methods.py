"""How a number was made and judged: the facts behind one measurement, for the second look."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sdq_core.documents.details import FORMS
from sdq_core.documents.labels import RULES
from sdq_core.documents.naming import one_of, pairs, plain, word
from sdq_core.documents.texts import text
from sdq_core.phrases import in_chinese
from sdq_core.result import CriterionModel, MeasurementModel, Result
from sdq_core.vocabulary import Language

__all__ = ["method_facts"]

_ELSEWHERE: Final = frozenset((*FORMS, "ranking_unit", "features"))
"""Details that are drawn, or too long to print."""


def method_facts(
    result: Result, measurement: MeasurementModel, language: str
) -> tuple[tuple[str, str], ...]:
    """Return labelled facts: identifier, method, source, rule, exact numbers.

    Parameters
    ----------
    result : Result
    measurement : MeasurementModel
    language : {"en", "zh"}

    Returns
    -------
    tuple of (str, str)
        Empty facts are left out.
    """
    return tuple((k, v) for k, v in _facts(result, measurement, language) if v)


def _facts(
    result: Result, measurement: MeasurementModel, language: str
) -> Iterator[tuple[str, str]]:
    yield text("identifier", language), measurement.id
    method = measurement.method
    if method is not None:
        known = result.measures.get(measurement.id)
        chinese = None if known is None or not method.name else known.method_zh
        yield text("method", language), one_of(method.name, chinese, language)
        yield text("source", language), method.source
        yield text("parameters", language), pairs(method.parameters, language)
        yield text("seed", language), "" if method.seed is None else str(method.seed)
    if measurement.interval is not None:
        yield text("interval_method", language), _phrase(measurement.interval.method, language)
    if measurement.noise_floor is not None:
        yield text("floor_method", language), _phrase(measurement.noise_floor.method, language)
    criterion = measurement.criterion
    if criterion is not None:
        why = one_of(criterion.reason, criterion.reason_zh, language)
        yield text("rule", language), _rule(criterion, language)
        yield text("rule_reason", language), why.strip()
        yield text("rule_source", language), criterion.source.strip()
    yield text("exact_numbers", language), _exact(measurement, language)
    further = {
        key: value
        for key, value in measurement.details.items()
        if key not in _ELSEWHERE and not isinstance(value, dict)
    }
    yield text("further_numbers", language), pairs(further, language)


def _phrase(words: str, language: str) -> str:
    return in_chinese(words) if Language(language) is Language.ZH else words


def _rule(criterion: CriterionModel, language: str) -> str:
    zh = Language(language) is Language.ZH
    said = []
    order = [*RULES, *sorted(criterion.rule.keys() - RULES.keys())]
    for key, value in ((k, criterion.rule[k]) for k in order if k in criterion.rule):
        if value is False or key == "variant":
            continue
        if key in RULES:
            said.append(RULES[key][zh].format(value=plain(value)))
        else:
            said.append(f"{key} = {plain(value)}")
    return text("semicolon", language).join(said)


def _exact(measurement: MeasurementModel, language: str) -> str:
    """Return the unrounded numbers, in the shortest digits that give the same number back."""
    said = []
    if measurement.value is not None:
        said.append((text("value", language), repr(measurement.value)))
    for label, found in (
        (word("interval", language), measurement.interval),
        (text("floor", language), measurement.noise_floor),
    ):
        if found is not None:
            said.append((label, f"[{found.low!r}, {found.high!r}]"))
    criterion = measurement.criterion
    if criterion is not None and (criterion.low is not None or criterion.high is not None):
        low = "−∞" if criterion.low is None else repr(criterion.low)
        high = "∞" if criterion.high is None else repr(criterion.high)
        said.append((text("limits_of_rule", language), f"[{low}, {high}]"))
    facts = text("semicolon", language).join(f"{label} {value}" for label, value in said)
    if said and measurement.unit == "share":
        facts += text("stop", language) + text("shares_of_one", language)
    return facts
