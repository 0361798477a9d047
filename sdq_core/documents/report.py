"""The report: one self-contained HTML file from one result, for reading and for print."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from sdq_core.documents.axis import draw_axis
from sdq_core.documents.labels import GENERATOR, PURPOSE
from sdq_core.documents.naming import one_of, pairs, plain, sentence, title, word
from sdq_core.documents.numbers import count, number
from sdq_core.documents.pictures import pictures, withheld
from sdq_core.documents.texts import text
from sdq_core.documents.typography import visible
from sdq_core.documents.view import overview, sections
from sdq_core.errors import UsageError
from sdq_core.files import atomic_write
from sdq_core.result import (
    CriterionModel,
    IntervalModel,
    Limit,
    MeasurementModel,
    Result,
)
from sdq_core.vocabulary import TERMS, Characteristic, Language, Role, Verdict

__all__ = ["render_report", "write_report"]

MOST_CLASSES = 24


def render_report(
    result: Result, folder: Path, *, language: str = "en", show_real: bool = False
) -> str:
    """Render one self-contained HTML page.

    Parameters
    ----------
    result : Result
    folder : Path
        Holds the PNG files that ``result.gallery`` names.
    language : {"en", "zh"}
    show_real : bool
        Whether pictures of real items may appear, if the gallery has any.

    Returns
    -------
    str
        HTML 5 without script and without any address outside itself; the same for the same result.

    Raises
    ------
    UsageError
        The language is none that sdq writes.
    StoreError
        A picture cannot be used.

    Examples
    --------
    >>> from sdq_core.result import FindingsModel
    >>> empty = Result(schema="sdq.result/1", study={"name": "a <b>"}, profile={}, modality={},
    ...                cohorts={}, measurements=(), verdicts={}, findings=FindingsModel(total=0),
    ...                exit_code=3, environment={})
    >>> page = render_report(empty, Path("."))
    >>> "a &lt;b&gt;" in page, "<script" in page
    (True, False)
    """
    if language not in set(Language):
        raise UsageError(
            f"language: {language!r} is none that sdq writes; use one of {', '.join(Language)}"
        )
    template = _environment().get_template("report.html.j2")
    page = template.render(
        language=language,
        html_language={"en": "en", "zh": "zh-CN"}[language],
        t=partial(text, language=language),
        word=partial(word, language=language),
        number=partial(number, language=language),
        count=count,
        plain=plain,
        one_of=partial(one_of, language=language),
        sentence=partial(sentence, language=language),
        terms=TERMS,
        style=Markup(_template("report.css")),  # noqa: S704 - our own file
        result=result,
        name=str(result.study.get("name", "")),
        made=_made(result, language),
        head=list(_head(result, language)),
        verdicts=list(Verdict),
        overview=overview(result, language),
        sections=sections(result, language),
        legend=Markup(_legend(language)),  # noqa: S704 - Canvas escapes
        cohorts=[(role, result.cohorts[role]) for role in Role if role in result.cohorts],
        most_classes=MOST_CLASSES,
        pictures=pictures(result, folder, language, show_real=show_real),
        withheld=withheld(result, show_real=show_real),
        real_shown=show_real and any(i.role is not Role.SYNTHETIC for i in result.gallery),
        limits=_limits(result, language),
        declared=list(_declared(result, language)),
        audit=list(_audit(result, language)),
        references=_references(result, language),
    )
    return page + "\n"


def write_report(
    result: Result, folder: Path, path: Path, *, language: str = "en", show_real: bool = False
) -> None:
    """Render one report and write it.

    Parameters
    ----------
    result : Result
    folder : Path
        Holds the PNG files that ``result.gallery`` names.
    path : Path
        The file to write, UTF-8.
    language : {"en", "zh"}
    show_real : bool

    Raises
    ------
    UsageError
        The language is none that sdq writes.
    StoreError
        A picture cannot be used, or the file cannot be written.
    """
    page = render_report(result, folder, language=language, show_real=show_real)
    atomic_write(path, page.encode())


def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = visible
    return environment


def _template(file: str) -> str:
    return (files("sdq_core.documents") / "templates" / file).read_text(encoding="utf-8")


def _finalize(value: Any) -> Any:
    """Write invisible characters out, whatever text comes from the data."""
    return visible(value) if type(value) is str else value


def _made(result: Result, language: str) -> str:
    given = result.environment.get("timestamp")
    try:
        when = dt.datetime.fromisoformat(str(given))
    except ValueError:
        return text("not_given", language) if given is None else str(given)
    if when.tzinfo is not None:
        when = when.astimezone(dt.UTC)
    zone = " UTC" if when.tzinfo is not None else ""
    if language == "zh":
        return f"{when.year} 年 {when.month} 月 {when.day} 日 {when:%H:%M}{zone}"
    return f"{when:%Y-%m-%d %H:%M}{zone}"


def _head(result: Result, language: str) -> Iterator[tuple[str, str]]:
    yield text("made", language), _made(result, language)
    profile = result.profile
    if profile:
        named = {"name": profile.get("name", ""), "version": profile.get("version", "")}
        yield word("profile", language), text("versioned", language, **named)
    if "name" in result.modality:
        yield text("modality", language), str(result.modality["name"])
    packages = result.environment.get("packages") or {}
    if packages.get("sdq"):
        yield text("version", language), str(packages["sdq"])
    if "seed" in result.study:
        yield text("seed", language), str(result.study["seed"])


def _legend(language: str) -> str:
    """Draw a made-up measurement: the key to all drawings."""
    return draw_axis(
        MeasurementModel(
            id="key.fidelity.drawing",
            characteristic=Characteristic.FIDELITY,
            value=0.55,
            interval=IntervalModel(low=0.44, high=0.68, level=0.95, method=""),
            noise_floor=IntervalModel(low=0.08, high=0.38, level=0.95, method="", centre=0.2),
            criterion=CriterionModel(mandatory=True, rule={}, reason="", source="", high=0.8),
            code="interval_inside",
        ),
        language,
    )


def _limits(result: Result, language: str) -> list[str]:
    """Return the limits of this result, then those of every result."""
    suspects = any(m.details.get("suspects") for m in result.measurements)
    fixed = ["limit_names"] if suspects else []
    return [
        *(_limit(limit, language) for limit in result.limits),
        *(text(key, language) for key in (*fixed, "limit_scope", "limit_standard")),
    ]


def _limit(limit: Limit, language: str) -> str:
    return one_of(limit.en, limit.zh, language)


def _declared(result: Result, language: str) -> Iterator[tuple[str, str]]:
    """Return what the study file says of itself, its purpose and the generator."""
    study = result.study
    if study.get("description"):
        yield text("description", language), str(study["description"])
    for section, labels in (("purpose", PURPOSE), ("generator", GENERATOR)):
        facts = study.get(section) or {}
        # The order of the study file's schema, then whatever else there is.
        for key in [*(k for k in labels if k in facts), *sorted(facts.keys() - labels.keys())]:
            value = facts[key]
            if value not in (None, "", {}, []):
                label = labels[key][language == "zh"] if key in labels else key
                where = text(section, language) + text("colon", language)
                said = pairs(value, language) if isinstance(value, dict) else plain(value)
                yield where + label, said


def _audit(result: Result, language: str) -> Iterator[tuple[str, str]]:
    """Facts that let a third party repeat the evaluation."""
    facts = result.environment
    for key in ("python", "system"):
        if facts.get(key):
            yield text(key, language), str(facts[key])
    packages = {k: v for k, v in (facts.get("packages") or {}).items() if v}
    if packages:
        listed = (f"{k} {v}" for k, v in sorted(packages.items()))
        yield text("packages", language), text("comma", language).join(listed)
    if "describer_version" in result.modality:
        described = plain(result.modality.get("describer", {}))
        version = result.modality["describer_version"]
        named = text("versioned", language, name=result.modality.get("name", ""), version=version)
        yield text("describer", language), f"{named}{text('semicolon', language)}{described}"
    store = facts.get("store") or {}
    if "described" in store and "reused" in store:
        numbers = {k: plain(store[k]) for k in ("described", "reused")}
        yield text("store", language), text("store_facts", language, **numbers)
    if store.get("discarded"):
        yield text("discarded", language), plain(store["discarded"])
    timings = facts.get("timings") or {}
    if timings:
        listed = (
            f"{k.removesuffix('_s')} {number(v) if isinstance(v, float) else plain(v)} s"
            for k, v in sorted(timings.items(), reverse=True)
        )
        yield text("timings", language), text("comma", language).join(listed)


def _references(result: Result, language: str) -> list[tuple[str, str]]:
    """Every source that a method or a criterion names, once, with the measures that rest on it."""
    used: dict[str, dict[str, None]] = {}
    for measurement in result.measurements:
        sources = [] if measurement.method is None else measurement.method.source.split(";")
        if measurement.criterion is not None:
            sources += measurement.criterion.source.split(";")
        for source in sources:
            if source.strip():
                named = title(result, measurement, language)
                used.setdefault(" ".join(source.split()), {})[named] = None
    joined = text("list", language).join
    return [
        (source, text("used_by", language, measures=joined(names)))
        for source, names in sorted(used.items(), key=lambda entry: entry[0].casefold())
    ]
