"""A document as one HTML file: no script, no address outside itself."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from sdq_core.documents.model import Document, contents
from sdq_core.documents.standalone import SHAPES
from sdq_core.documents.typography import visible

__all__ = ["write_html"]

_LANGUAGES = {"en": "en", "zh": "zh-CN"}


def write_html(document: Document) -> bytes:
    """Write a document as HTML 5.

    Parameters
    ----------
    document : Document

    Returns
    -------
    bytes
        UTF-8; the same for the same document.
    """
    page = (
        _environment()
        .get_template("document.html.j2")
        .render(
            document=document,
            labels=document.labels,
            contents=contents(document),
            html_language=_LANGUAGES[document.language],
            style=Markup(_template("report.css") + _template("document.css")),  # noqa: S704 - ours
            shapes={kind: Markup(shape) for kind, shape in SHAPES.items()},  # noqa: S704 - ours
        )
    )
    return (page + "\n").encode()


def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["drawing"] = lambda svg: Markup(svg)  # noqa: S704 - Canvas escapes
    environment.filters["kind"] = lambda block: type(block).__name__
    return environment


def _template(file: str) -> str:
    return (files("sdq_core.documents") / "templates" / file).read_text(encoding="utf-8")


def _finalize(value: Any) -> Any:
    """Write invisible characters out, whatever text comes from the data."""
    return visible(value) if type(value) is str else value
