"""From a result to what the report's template prints: words and drawings, nothing computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from sdq_core.documents.axis import draw_axis
from sdq_core.documents.figures import Figure, figures
from sdq_core.documents.methods import method_facts
from sdq_core.documents.naming import name, one_of, reason, title, word
from sdq_core.documents.numbers import count, number
from sdq_core.documents.readings import Reading, read
from sdq_core.documents.texts import TEXTS, text
from sdq_core.documents.typography import chinese
from sdq_core.result import IntervalModel, MeasurementModel, Result
from sdq_core.vocabulary import TERMS, Characteristic, Language, Verdict

__all__ = ["Deciding", "Group", "MeasureView", "Overview", "Section", "overview", "sections"]


@dataclass(frozen=True, slots=True)
class Deciding:
    """One measure that keeps a characteristic from passing, in one line.

    Parameters
    ----------
    anchor : str
        Where the measure stands in the report.
    verdict : Verdict
    name : str
    said : str
        Its numbers, or why there are none.
    """

    anchor: str
    verdict: Verdict
    name: str
    said: str


@dataclass(frozen=True, slots=True)
class Overview:
    """One characteristic in the table of verdicts."""

    id: str
    name: str
    verdict: Verdict
    deciding: tuple[Deciding, ...]
    remark: str
    counts: dict[Verdict, int]


@dataclass(frozen=True, slots=True)
class MeasureView:
    """One measurement as it is printed; `position` is its place in the result."""

    position: int
    anchor: str
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


def overview(result: Result, language: str) -> list[Overview]:
    """Return the table of verdicts, in the standard's order."""
    rows = []
    use = result.calibration
    changed = {} if use is None else {c.characteristic: c.reason for c in use.changed}
    for characteristic in Characteristic:
        verdict = result.verdicts.get(characteristic, Verdict.NOT_ASSESSED)
        own = [m for m in result.measurements if m.characteristic is characteristic]
        mandatory = sum(m.criterion is not None and m.criterion.mandatory for m in own)
        remark = ""
        if characteristic in changed:
            why = changed[characteristic]
            remark = one_of(why.en, why.zh, language)
        elif not mandatory:
            remark = text("nothing_mandatory", language)
        elif verdict is Verdict.PASS:
            remark = text("one_passes" if mandatory == 1 else "all_pass", language, count=mandatory)
        rows.append(
            Overview(
                characteristic.value,
                word(characteristic, language),
                verdict,
                tuple(_deciding(result, characteristic, language)),
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
        # By aspect, then by measure: the variants of one measure stand together.
        aspects: dict[str, dict[str, list[MeasureView]]] = {}
        for position, measurement in enumerate(result.measurements):
            if measurement.characteristic is characteristic:
                same = aspects.setdefault(measurement.aspect or "", {})
                views = same.setdefault(measurement.id, [])
                first = not views
                views.append(_measure(result, position, language, explain=first))
        groups = [
            Group(
                _aspect(key, language, first=not place),
                tuple(view for views in same.values() for view in views),
            )
            for place, (key, same) in enumerate(aspects.items())
        ]
        found.append(
            Section(
                characteristic.value,
                word(characteristic, language),
                word(characteristic, other),
                result.verdicts.get(characteristic, Verdict.NOT_ASSESSED),
                tuple(groups),
            )
        )
    return found


def _deciding(result: Result, characteristic: Characteristic, language: str) -> Iterator[Deciding]:
    """List what keeps a characteristic from passing, and other criteria that are not met."""
    for position, measurement in enumerate(result.measurements):
        criterion, verdict = measurement.criterion, measurement.verdict
        if measurement.characteristic is not characteristic or criterion is None:
            continue
        if verdict is Verdict.FAIL or (criterion.mandatory and verdict is not Verdict.PASS):
            assert verdict is not None, "a criterion gives a verdict"
            called = name(result, measurement, language)
            if not criterion.mandatory:
                optional = text("optional", language)
                called = text("aside", language, words=called, remark=optional)
            yield Deciding(_anchor(position), verdict, called, _line(measurement, language))


def _line(measurement: MeasurementModel, language: str) -> str:
    words = read(measurement, language)
    if not words.estimate or measurement.verdict is Verdict.NOT_ASSESSED:
        return reason(measurement, language)
    said = words.estimate
    if words.acceptable:
        said = text("against", language, estimate=said, acceptable=words.acceptable)
    # The numbers alone would look like a verdict of their own.
    remark = text("bracketed", language, remark=reason(measurement, language))
    return said + remark if measurement.code == "too_few_items" else said


def _anchor(position: int) -> str:
    return f"measurement-{position + 1}"


def _aspect(key: str, language: str, *, first: bool) -> str:
    """Return the heading of an aspect; measures without one need none at the head."""
    if key:
        return word(key, language) if key in TERMS else key
    return "" if first else text("further_measures", language)


def _measure(result: Result, position: int, language: str, *, explain: bool) -> MeasureView:
    measurement = result.measurements[position]
    known = result.measures.get(measurement.id) if explain else None
    says = ""
    if known is not None:
        says = chinese(known.says_zh) if Language(language) is Language.ZH else known.says
    if measurement.criterion is None:
        role = text("informative", language)
    else:
        role = text("mandatory" if measurement.criterion.mandatory else "optional", language)
    drawn, broken = figures(measurement.details, language)
    words = read(measurement, language)
    return MeasureView(
        position=position,
        anchor=_anchor(position),
        title=title(result, measurement, language),
        variant=measurement.variant,
        says=says,
        verdict=Verdict.NOT_ASSESSED if measurement.value is None else measurement.verdict,
        role=role,
        estimate=_estimate(measurement, words, language),
        facts=tuple(_facts(measurement, words, language)),
        axis=Markup(draw_axis(measurement, language)),  # noqa: S704 - Canvas escapes
        reason=reason(measurement, language),
        method=method_facts(result, measurement, language),
        figures=drawn,
        broken=tuple(broken),
    )


def _estimate(
    measurement: MeasurementModel, words: Reading, language: str
) -> tuple[str, str] | None:
    """Return the value with its interval, and what to call the two."""
    if not words.estimate:
        return None
    label = text("value", language)
    if measurement.interval is not None:
        label += text("comma", language) + _level(measurement.interval, language)
    return label, words.estimate


def _facts(
    measurement: MeasurementModel, words: Reading, language: str
) -> Iterator[tuple[str, str]]:
    """Return what the value is read beside, with names."""
    if words.floor:
        yield text("floor", language), words.floor
    if words.acceptable:
        yield text("acceptable", language), words.acceptable
    if measurement.target is not None:
        yield text("target", language), number(measurement.target, measurement.unit, language)
    chance = measurement.details.get("p")
    if isinstance(chance, float) and 0 <= chance <= 1:
        yield text("p_value", language), _chance(chance, measurement, language)
    if measurement.n:
        yield text("sample", language), _sample(measurement.n, language)


def _chance(chance: float, measurement: MeasurementModel, language: str) -> str:
    corrected = measurement.details.get("p_holm")
    said = number(chance, "1", language)
    if isinstance(corrected, float) and 0 <= corrected <= 1:
        remark = text("p_corrected", language, p=number(corrected, "1", language))
        said = text("aside", language, words=said, remark=remark)
    return said


def _sample(n: Mapping[str, int], language: str) -> str:
    """Return sample sizes by role in words."""
    return text("list", language).join(
        text("sample_of", language, role=_role(role, language), count=count(size))
        for role, size in sorted(n.items(), key=lambda entry: (entry[0] != "synthetic", entry[0]))
    )


def _role(role: str, language: str) -> str:
    return text(f"n_{role}", language) if f"n_{role}" in TEXTS else role


def _level(interval: IntervalModel, language: str) -> str:
    if abs(interval.level - 0.95) < 1e-9:
        return word("interval", language)
    return text("interval_at", language, level=number(interval.level, "share", language))
