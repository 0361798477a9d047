"""A document as PDF/A-3 with the result attached: its blocks as data for one fixed typst source."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any, Final

from sdq_core.documents.model import (
    Badge,
    Block,
    Break,
    Bullets,
    Document,
    Drawing,
    Heading,
    Inline,
    Paragraph,
    Pictures,
    Span,
    Table,
)
from sdq_core.documents.standalone import badge, standalone
from sdq_core.documents.typesetting import Typesetter, printable

__all__ = ["moment", "write_pdf"]

_POINT: Final = 0.75
"""Points of a CSS pixel."""
_SMALL: Final = 26.0
"""Drawings up to this width, in pixels, stand inside a line of text."""
_LONG: Final = re.compile(r"[!-~]{17,}")
_PIECE: Final = re.compile(r"[!-~]{1,15}?(?:[_./\\,;:=&?@|)\]}-]+|$)|[!-~]{1,15}")
_WHOLE: Final = 500
"""Characters of a table's row up to which it is not broken over two pages."""
_BEGINNING: Final = dt.datetime(1980, 1, 1, tzinfo=dt.UTC)
_MOST_HEAD: Final = 70

Write = Callable[[str], str]


def write_pdf(document: Document, typesetter: Typesetter, result: bytes) -> bytes:
    """Write a document as PDF/A-3b.

    Parameters
    ----------
    document : Document
    typesetter : Typesetter
    result : bytes
        The file ``result.json``, attached as it is.

    Returns
    -------
    bytes
        The same for the same document, result and fonts.

    Raises
    ------
    FontError
        No font shows a character of it.
    """
    missing = typesetter.unshown(_texts(document), document.language)

    def write(words: str) -> str:
        return printable(words, missing)

    return typesetter.pdf(_data(document, typesetter, write), result, moment(document.made))


def moment(made: str) -> dt.datetime:
    """Return the time of an evaluation, or a fixed one where there is none.

    Examples
    --------
    >>> moment("2026-11-24T15:05:48+00:00").isoformat(), moment("?").year
    ('2026-11-24T15:05:48+00:00', 1980)
    """
    try:
        found = dt.datetime.fromisoformat(made)
    except ValueError:
        return _BEGINNING
    return found if found.tzinfo is not None else found.replace(tzinfo=dt.UTC)


def pieces(words: str) -> list[str]:
    """Cut long words where a line may end.

    Examples
    --------
    >>> pieces("see first_order.wavelet_non_uniformity")
    ['see first_', 'order.', 'wavelet_', 'non_', 'uniformity']
    """
    found = [""]
    at = 0
    for long in _LONG.finditer(words):
        parts = _PIECE.findall(long[0])
        found[-1] += words[at : long.start()] + parts[0]
        found += parts[1:]
        at = long.end()
    found[-1] += words[at:]
    return found


def _texts(document: Document) -> list[str]:
    """Every text that is printed, drawings included, with their markup: more does no harm."""
    found: list[str] = []

    def note(words: str) -> str:
        found.append(printable(words))
        return words

    _data(document, None, note)
    return found


def _data(document: Document, typesetter: Typesetter | None, write: Write) -> dict[str, Any]:
    def say(content: Inline) -> list[dict[str, Any]]:
        return [_part(part, family, write) for part in content]

    family = "" if typesetter is None else typesetter.drawing_family
    subject = write(document.subject)
    short = subject if len(subject) <= _MOST_HEAD else f"{subject[:_MOST_HEAD]} …"
    return {
        "language": document.language,
        "title": write(document.title),
        "other_title": write(document.other_title),
        "subject": subject,
        "subject_pieces": pieces(subject),
        "head": short,
        "facts": [[say((Span(label),)), say(value)] for label, value in document.facts],
        "digest": document.digest,
        "labels": {
            "contents": write(document.labels.contents),
            "table": write(document.labels.table),
            "figure": write(document.labels.figure),
            "result": write(document.labels.result),
        },
        "blocks": [_block(block, say, write) for block in document.blocks],
    }


def _block(
    block: Block, say: Callable[[Inline], list[dict[str, Any]]], write: Write
) -> dict[str, Any]:
    if isinstance(block, Heading):
        return {
            "kind": "heading", "text": write(block.text), "level": block.level,
            "anchor": block.anchor, "number": block.number,
        }  # fmt: skip
    if isinstance(block, Paragraph):
        return {"kind": "paragraph", "style": block.style, "content": say(block.content)}
    if isinstance(block, Bullets):
        return {
            "kind": "bullets", "ordered": block.ordered, "items": [say(i) for i in block.items],
        }  # fmt: skip
    if isinstance(block, Table):
        return {
            "kind": "table",
            "look": block.kind,
            "caption": write(block.caption),
            "number": block.number,
            "columns": [
                {"name": write(c.name), "share": c.share, "numeric": c.numeric}
                for c in block.columns
            ],
            "rows": [
                {"whole": _length(row) <= _WHOLE, "cells": [say(cell) for cell in row]}
                for row in block.rows
            ],
        }
    assert isinstance(block, Pictures)
    return {
        "kind": "pictures",
        "caption": write(block.caption),
        "number": block.number,
        "across": block.across,
        "panels": [
            {"drawing": say((panel.drawing,))[0], "caption": say(panel.caption)}
            for panel in block.panels
        ],
    }


def _length(row: tuple[Inline, ...]) -> int:
    return max((sum(len(p.text) for p in c if isinstance(p, Span)) for c in row), default=0)


def _part(part: Span | Badge | Break | Drawing, family: str, write: Write) -> dict[str, Any]:
    if isinstance(part, Span):
        return {
            "kind": "text", "text": pieces(write(part.text)), "style": part.style, "to": part.to,
        }  # fmt: skip
    if isinstance(part, Badge):
        return {
            "kind": "badge", "verdict": part.kind, "text": write(part.word),
            "svg": badge(part.kind),
        }  # fmt: skip
    if isinstance(part, Break):
        return {"kind": "break"}
    return {
        "kind": "mark" if part.width <= _SMALL else "drawing",
        "svg": write(standalone(part, family)),
        "alt": write(part.alt),
        "width": part.width * _POINT,
    }
