"""Drawings that carry their own style: for PDF and for pictures, where no page lends them one."""

from __future__ import annotations

import re
from functools import cache
from html import escape
from importlib.resources import files
from typing import Final

from sdq_core.documents.model import Drawing

__all__ = ["SHAPES", "badge", "standalone"]

_VARIABLE: Final = re.compile(r"(--[\w-]+):\s*([^;}]+)")
_USED: Final = re.compile(r"var\((--[\w-]+)\)")
# One rule of a drawing's class: `svg .ok { … }`, or `.figure-curves .real-line, … { … }`.
_RULE: Final = re.compile(
    r"((?:svg|\.figure-\w+) \.[\w-]+(?:, (?:svg|\.figure-\w+) \.[\w-]+)*) \{([^}]*)\}"
)


SHAPES: Final = {
    "pass": '<circle cx="10" cy="10" r="8.4"/><path d="M6 10.4l2.8 2.8 5.2-6"/>',
    "fail": (
        '<rect x="2" y="2" width="16" height="16" rx="1"/>'
        '<path d="M6.3 6.3l7.4 7.4M13.7 6.3l-7.4 7.4"/>'
    ),
    "inconclusive": (
        '<path d="M10 1.2l8.8 8.8-8.8 8.8L1.2 10z"/>'
        '<path d="M7.7 8.2c0-3.2 4.7-3 4.7-.2 0 1.7-2.3 1.8-2.3 3.6M10.1 14v.1"/>'
    ),
    "not_assessed": (
        '<circle cx="10" cy="10" r="8.4" stroke-dasharray="2.6 2.7"/><path d="M6.2 10h7.6"/>'
    ),
}
"""The shape of each verdict, in a square of 20: the same as in the report."""


def badge(kind: str) -> str:
    """Return the shape of a verdict as an SVG file of its own.

    Examples
    --------
    >>> badge("pass").count("#17633a")
    1
    """
    colour = _colours()["--" + kind.replace("_", "-")]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 20" width="20" height="20">'
        f'<g fill="none" stroke="{colour}" stroke-width="1.7" stroke-linecap="round" '
        f'stroke-linejoin="round">{SHAPES[kind]}</g></svg>'
    )


def standalone(drawing: Drawing, family: str) -> str:
    """Return a drawing as an SVG file of its own.

    Parameters
    ----------
    drawing : Drawing
    family : str
        Font of its words.

    Returns
    -------
    str
        With the rules of ``report.css`` inside, their variables put in: renderers other than
        browsers know class selectors, but no variables.

    Examples
    --------
    >>> svg = standalone(Drawing('<svg viewBox="0 0 1 1"></svg>', "dot", 1, 1), "Noto Sans SC")
    >>> ".limit{fill:none;stroke:#4e8f63;stroke-width:1.5}" in svg
    True
    """
    rules = "".join(f".{name}{{{body}}}" for name, body in _rules(drawing.kind))
    style = f"<style>{rules}text{{font-family:{escape(_quoted(family))}}}</style>"
    head, rest = drawing.svg.split(">", 1)
    return f'{head} xmlns="http://www.w3.org/2000/svg">{style}{rest}'


def _quoted(family: str) -> str:
    return "'" + re.sub(r"[^\w .-]", "", family) + "'"


@cache
def _css() -> str:
    return (files("sdq_core.documents") / "templates" / "report.css").read_text(encoding="utf-8")


@cache
def _colours() -> dict[str, str]:
    return {name: value.strip() for name, value in _VARIABLE.findall(_css())}


@cache
def _rules(kind: str) -> tuple[tuple[str, str], ...]:
    values = _colours()
    found = []
    for selectors, body in _RULE.findall(_css()):
        filled = _USED.sub(lambda m: values[m[1]], body)
        compact = ";".join(
            ":".join(p.strip() for p in d.split(":", 1)) for d in filled.split(";") if d.strip()
        )
        for selector in selectors.split(", "):
            place, _, name = selector.partition(" .")
            if place in ("svg", f".figure-{kind}"):
                found.append((name, compact))
    return tuple(found)
