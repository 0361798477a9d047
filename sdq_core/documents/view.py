"""From a result to what the report's template prints: words and drawings, nothing computed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from sdq_core.documents.axis import acceptable, draw_axis, own_notation
from sdq_core.documents.figures import Figure, figures
from sdq_core.documents.numbers import count, estimate, number, span
from sdq_core.documents.texts import RULES, TEXTS, text
from sdq_core.documents.typography import chinese
from sdq_core.result import CriterionModel, IntervalModel, MeasurementModel, Result
from sdq_core.vocabulary import TERMS, Characteristic, Language, Verdict, term

__all__ = [
    "Group", "MeasureView", "Overview", "Section",
    "deciding", "name", "one_of", "overview", "plain", "reason", "sample", "sections", "title",
    "word",
]  # fmt: skip

_LONGEST: Final = 600
"""Characters of a parameter that the report prints."""
_DRAWN: Final = frozenset(
    ("histograms", "map", "curve", "bars", "ranking", "ranking_unit", "table", "roc", "suspects",
     "notes", "features")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Overview:
    """One characteristic in the table of verdicts."""

    id: str
    name: str
    verdict: Verdict
    deciding: tuple[str, ...]
    remark: str
    counts: dict[Verdict, int]


@dataclass(frozen=True, slots=True)
class MeasureView:
    """One measurement as it is printed."""

    title: str
    variant: str | None
    says: str
    verdict: Verdict | None
    role: str
    estimate: tuple[str, str] | None
    facts: tuple[tuple[str, str], ...]
    axis: Markup
    reason: str
    method: tuple[tuple[str, str], ...]
    figures: tuple[Figure, ...]
    broken: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The measurements of one aspect."""

    name: str
    measures: tuple[MeasureView, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One characteristic."""

    id: str
    name: str
    other_name: str
    verdict: Verdict
    groups: tuple[Group, ...]


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


def deciding(result: Result, characteristic: Characteristic) -> list[MeasurementModel]:
    """Return the mandatory measures that gave a characteristic its verdict.

    Parameters
    ----------
    result : Result
    characteristic : Characteristic

    Returns
    -------
    list of MeasurementModel
        Those whose verdict is the characteristic's own (it is the worst of them).
    """
    verdict = result.verdicts.get(characteristic, Verdict.NOT_ASSESSED)
    return [
        m
        for m in result.measurements
        if m.characteristic is characteristic
        and m.criterion is not None
        and m.criterion.mandatory
        and m.verdict is verdict
    ]


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
    parts = [text(code, language)]
    if measurement.reason is not None:
        missing = one_of(measurement.reason, measurement.reason_zh, language)
        end = "。" if Language(language) is Language.ZH else "."
        parts = [missing[:1].upper() + missing[1:] + ("" if missing.endswith(end) else end)]
        if measurement.code == "not_produced":
            parts = [text(code, language)]
    if measurement.needed_factor is not None:
        factor = f"{float(f'{measurement.needed_factor:.2g}'):,.12g}"
        parts.append(text("needed", language, factor=factor))
    return text("stop", language).join(parts)


def overview(result: Result, language: str) -> list[Overview]:
    """Return the table of verdicts, in the standard's order."""
    rows = []
    for characteristic in Characteristic:
        verdict = result.verdicts.get(characteristic, Verdict.NOT_ASSESSED)
        own = [m for m in result.measurements if m.characteristic is characteristic]
        judged = [m for m in own if m.criterion is not None and m.criterion.mandatory]
        names: tuple[str, ...] = ()
        if not judged:
            remark = text("nothing_mandatory", language)
        elif verdict is Verdict.PASS:
            key = "one_passes" if len(judged) == 1 else "all_pass"
            remark = text(key, language, count=len(judged))
        else:
            remark = ""
            names = tuple(name(result, m, language) for m in deciding(result, characteristic))
        rows.append(
            Overview(
                characteristic.value,
                word(characteristic, language),
                verdict,
                names,
                remark,
                {v: sum(m.verdict is v for m in own) for v in Verdict},
            )
        )
    return rows


def sections(result: Result, language: str) -> list[Section]:
    """Return the seven characteristics with their measurements, grouped by aspect."""
    other = "en" if Language(language) is Language.ZH else "zh"
    found = []
    for characteristic in Characteristic:
        aspects: dict[str, list[MeasureView]] = {}
        for measurement in result.measurements:
            if measurement.characteristic is characteristic:
                view = _measure(result, measurement, language)
                aspects.setdefault(measurement.aspect or "", []).append(view)
        # Measures without an aspect close the section.
        keys = [k for k in aspects if k] + ([""] if "" in aspects else [])
        found.append(
            Section(
                characteristic.value,
                word(characteristic, language),
                word(characteristic, other),
                result.verdicts.get(characteristic, Verdict.NOT_ASSESSED),
                tuple(Group(_aspect(k, keys, language), tuple(aspects[k])) for k in keys),
            )
        )
    return found


def plain(value: Any) -> str:
    """Return a parameter as text: compact JSON for what is nested, cut where it is very long."""
    if isinstance(value, str):
        words = value
    elif isinstance(value, float):
        words = f"{value:.6g}"
    else:
        words = json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]} …"


def _aspect(key: str, keys: list[str], language: str) -> str:
    if key:
        return word(key, language) if key in TERMS else key
    return text("further_measures", language) if len(keys) > 1 else ""


def _measure(result: Result, measurement: MeasurementModel, language: str) -> MeasureView:
    known = result.measures.get(measurement.id)
    says = ""
    if known is not None:
        says = chinese(known.says_zh) if Language(language) is Language.ZH else known.says
    if measurement.criterion is None:
        role = text("informative", language)
    else:
        role = text("mandatory" if measurement.criterion.mandatory else "optional", language)
    drawn, broken = figures(measurement.details, language)
    return MeasureView(
        title=title(result, measurement, language),
        variant=measurement.variant,
        says=says,
        verdict=measurement.verdict,
        role=role,
        estimate=_estimate(measurement, language),
        facts=tuple(_facts(measurement, language)),
        axis=Markup(draw_axis(measurement, language)),  # noqa: S704 - Canvas escapes
        reason=reason(measurement, language),
        method=tuple((k, v) for k, v in _method(measurement, language) if v),
        figures=drawn,
        broken=tuple(broken),
    )


def _estimate(measurement: MeasurementModel, language: str) -> tuple[str, str] | None:
    """Return the value with its interval, and what to call the two."""
    if measurement.value is None:
        return None
    interval = measurement.interval
    label = text("value", language)
    if interval is not None:
        label += text("comma", language) + _level(interval, language)
    return label, estimate(measurement.value, interval, measurement.unit, language)


def _facts(measurement: MeasurementModel, language: str) -> Iterator[tuple[str, str]]:
    """Return what the value is read beside, with names."""
    unit = measurement.unit
    if measurement.noise_floor is not None:
        own = own_notation(measurement, language)
        low, high = measurement.noise_floor.low, measurement.noise_floor.high
        yield text("floor", language), span(low, high, unit, language, beside=own)
    limits = acceptable(measurement, language)
    if limits:
        yield text("acceptable", language), limits
    if measurement.target is not None:
        yield text("target", language), number(measurement.target, unit, language)
    if measurement.n:
        yield text("sample", language), sample(measurement.n, language)


def sample(n: Mapping[str, int], language: str) -> str:
    """Return sample sizes by role in words."""
    return text("list", language).join(
        text("sample_of", language, role=_role(role, language), count=count(size))
        for role, size in n.items()
    )


def _role(role: str, language: str) -> str:
    return text(f"n_{role}", language) if f"n_{role}" in TEXTS else role


def _level(interval: IntervalModel, language: str) -> str:
    if abs(interval.level - 0.95) < 1e-9:
        return word("interval", language)
    return text("interval_at", language, level=number(interval.level, "share", language))


def _method(measurement: MeasurementModel, language: str) -> Iterator[tuple[str, str]]:
    """How a number was made and judged."""
    yield text("identifier", language), measurement.id
    method = measurement.method
    if method is not None:
        yield text("method", language), method.name
        yield text("source", language), method.source
        yield text("parameters", language), _pairs(method.parameters.items(), language)
        yield text("seed", language), "" if method.seed is None else str(method.seed)
    if measurement.interval is not None:
        yield text("interval_method", language), measurement.interval.method
    if measurement.noise_floor is not None:
        yield text("floor_method", language), measurement.noise_floor.method
    criterion = measurement.criterion
    if criterion is not None:
        yield text("rule", language), _rule(criterion, language)
        yield text("rule_reason", language), criterion.reason.strip()
        yield text("rule_source", language), criterion.source.strip()
    yield text("exact_numbers", language), _exact(measurement, language)
    scalars = (
        (k, v)
        for k, v in measurement.details.items()
        if k not in _DRAWN and (v is None or isinstance(v, str | int | float | list))
    )
    yield text("further_numbers", language), _pairs(scalars, language)


def _pairs(items: Iterable[tuple[str, Any]], language: str) -> str:
    return text("semicolon", language).join(f"{k} = {plain(v)}" for k, v in items)


def _rule(criterion: CriterionModel, language: str) -> str:
    zh = Language(language) is Language.ZH
    said = []
    for key, value in criterion.rule.items():
        if value is False or key == "variant":
            continue
        if key in RULES:
            said.append(RULES[key][zh].format(value=plain(value)))
        else:
            said.append(f"{key} = {plain(value)}")
    return text("semicolon", language).join(said)


def _exact(measurement: MeasurementModel, language: str) -> str:
    """Return the unrounded numbers, in the shortest digits that give the same number back."""
    if measurement.value is None:
        return ""
    said = [(text("value", language), repr(measurement.value))]
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
    return text("semicolon", language).join(f"{label} {value}" for label, value in said)
