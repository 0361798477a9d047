"""The report: one self-contained HTML file from one result, for reading and for print."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from sdq_core.documents.calibration_blocks import calibration_view
from sdq_core.documents.key_drawing import key_drawing
from sdq_core.documents.labels import PURPOSE
from sdq_core.documents.model import Inline, Span
from sdq_core.documents.naming import one_of, pairs, plain, sentence, word
from sdq_core.documents.numbers import count, number
from sdq_core.documents.pictures import pictures, withheld
from sdq_core.documents.provenance import audit, limits, made, references
from sdq_core.documents.stated import label, stated
from sdq_core.documents.texts import text
from sdq_core.documents.typography import visible
from sdq_core.documents.view import overview, sections
from sdq_core.errors import UsageError
from sdq_core.files import atomic_write
from sdq_core.generator import facts_of
from sdq_core.result import (
    Result,
)
from sdq_core.vocabulary import TERMS, Language, Role, Verdict

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
        made=made(result, language),
        head=list(_head(result, language)),
        verdicts=list(Verdict),
        overview=overview(result, language),
        sections=sections(result, language),
        legend=Markup(key_drawing(language)),  # noqa: S704 - Canvas escapes
        cohorts=[(role, result.cohorts[role]) for role in Role if role in result.cohorts],
        most_classes=MOST_CLASSES,
        pictures=pictures(result, folder, language, show_real=show_real),
        withheld=withheld(result, show_real=show_real),
        real_shown=show_real and any(i.role is not Role.SYNTHETIC for i in result.gallery),
        calibration=calibration_view(result, language),
        limits=limits(result, language),
        declared=list(_declared(result, language)),
        audit=list(audit(result, language)),
        references=references(result, language),
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


def _head(result: Result, language: str) -> Iterator[tuple[str, str]]:
    yield text("made", language), made(result, language)
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


def _declared(result: Result, language: str) -> Iterator[tuple[str, str]]:
    """Return what the study file says of itself, its purpose and the generator."""
    study = result.study
    if study.get("description"):
        yield text("description", language), str(study["description"])
    colon = text("colon", language)
    purpose = study.get("purpose") or {}
    # The order of the study file's schema, then whatever else there is.
    for key in [*(k for k in PURPOSE if k in purpose), *sorted(purpose.keys() - PURPOSE.keys())]:
        value = purpose[key]
        if value not in (None, "", {}, []):
            named = PURPOSE[key][language == "zh"] if key in PURPOSE else key
            words = pairs(value, language) if isinstance(value, dict) else plain(value)
            yield text("purpose", language) + colon + named, words
    for fact in facts_of(result):
        if fact.value is not None:
            words = _line(stated(fact, language), language)
            yield text("generator", language) + colon + label(fact, language), words


def _line(content: Inline, language: str) -> str:
    """Return what may stand in several lines in one."""
    mark = text("semicolon", language)
    return "".join(part.text if isinstance(part, Span) else mark for part in content)
