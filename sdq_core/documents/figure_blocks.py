"""From the figures of a measurement to blocks: drawings, tables, legends and notes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import sqrt
from typing import Final

from markupsafe import Markup

from sdq_core.documents.figures import Figure, Panel
from sdq_core.documents.model import (
    Block,
    Bullets,
    Column,
    Drawing,
    Paragraph,
    Pictures,
    Span,
    Table,
    lines,
    words,
)
from sdq_core.documents.model import Panel as Picture
from sdq_core.documents.svg import Canvas
from sdq_core.documents.texts import text

__all__ = ["drawing", "figure_blocks", "how_to_read"]

_SIZE: Final = re.compile(r'width="([\d.]+)" height="([\d.]+)"')
_TITLE: Final = re.compile("<title>(.*?)</title>", re.DOTALL)
# Figures whose drawings stand side by side, and how many.
_ACROSS: Final = {"histograms": 3, "curves": 3, "heat": 3}
_MARKS: Final = 22.0, 12.0
_DRAWN: Final = 5.5
"""Share of the width of a column of drawings, beside `_share`."""
_WIDE: Final = 0x2E80
"""From here on characters are twice as wide."""


def how_to_read(language: str, key: str) -> list[Block]:
    """Return how verdicts come about, with the key to the drawings.

    Parameters
    ----------
    language : {"en", "zh"}
    key : str
        SVG of the made-up measurement of the key.
    """
    keys = ("legend_value", "legend_interval", "legend_floor", "legend_acceptable", "legend_far")
    marks = ("dot", "interval", "floor", "acceptable", "far")
    legend = [
        (_mark(mark), *words(f" {text(named, language)}"))
        for mark, named in zip(marks, keys, strict=True)
    ]
    return [
        Bullets(tuple(words(text(f"how_{k}", language)) for k in (1, 2, 3)), ordered=True),
        Table(
            (Column("", 1.0), Column("", 1.0)),
            ((lines(legend), (drawing(key),)),),
            kind="reading",
        ),
    ]


def figure_blocks(figure: Figure, language: str, of: str) -> list[Block]:
    """Return a figure of a measurement's details as blocks.

    Parameters
    ----------
    figure : Figure
    language : {"en", "zh"}
    of : str
        Name of the measurement, for the caption.
    """
    blocks: list[Block] = []
    caption = f"{of}{text('colon', language)}{figure.title}"
    if figure.legend:
        legend: list[Span | Drawing] = []
        for mark, key in figure.legend:
            legend += [_mark(mark), Span(f" {text(key, language)}    ")]
        blocks.append(Paragraph(tuple(legend), "legend"))
    if figure.panels:
        panels = tuple(_panel(panel, figure.kind) for panel in figure.panels)
        across = min(_ACROSS.get(figure.kind, 1), len(panels))
        blocks.append(Pictures(panels, caption, across))
    if figure.columns:
        blocks.append(_figure_table(figure, caption))
    blocks += [Paragraph(words(note), "note") for note in figure.notes]
    return blocks


def _figure_table(figure: Figure, caption: str) -> Table:
    drawn = {k for row in figure.rows for k, cell in enumerate(row) if isinstance(cell, Markup)}
    columns = tuple(
        Column(
            name,
            _DRAWN if k in drawn else _share([name, *(row[k] for row in figure.rows)]),
            k in figure.numeric,
        )
        for k, name in enumerate(figure.columns)
    )
    rows = tuple(
        tuple(
            (drawing(cell, figure.kind),) if isinstance(cell, Markup) else words(cell)
            for cell in row
        )
        for row in figure.rows
    )
    return Table(columns, rows, caption)


def _share(cells: Iterable[str]) -> float:
    """Return the share of the width that a column of texts needs: more, but not in proportion."""
    longest = max(sum(2 if ord(c) > _WIDE else 1 for c in cell) for cell in cells)
    return sqrt(min(max(longest, 9), 80))


def _panel(panel: Panel, kind: str) -> Picture:
    caption = lines((words(panel.caption), words(panel.remark, "soft"), words(panel.mark)))
    return Picture(drawing(panel.svg, kind), caption)


def drawing(svg: str, kind: str = "") -> Drawing:
    """Return an SVG of our own canvas as a drawing of a document."""
    size, title = _SIZE.search(svg), _TITLE.search(svg)
    assert size is not None, "our own canvas writes it"
    assert title is not None, "our own canvas writes it"
    alt = Markup(title[1]).unescape()  # noqa: S704 - turned back into plain text
    return Drawing(svg, alt, float(size[1]), float(size[2]), kind)


def _mark(mark: str) -> Drawing:
    """Return what one word of a legend stands for, as a small drawing."""
    width, height = _MARKS
    canvas = Canvas(width, height, "")
    middle = height / 2
    if mark == "area":
        canvas.rect(1, 2, 20, 8, "real-area")
    elif mark == "bar":
        canvas.rect(1, 2, 20, 8, "synthetic-bar")
    elif mark == "dot":
        canvas.dot(11, middle, 4, "real-bar")
    elif mark == "cross":
        canvas.crosses([(11, middle)], 4, "synthetic-crosses")
    elif mark in ("line", "edges"):
        canvas.line([(1, middle), (21, middle)], "synthetic-line")
        for y in (2, 10) if mark == "edges" else ():
            canvas.line([(1, y), (21, y)], "synthetic-edge")
    elif mark in ("dashes", "band"):
        if mark == "band":
            canvas.rect(1, 1, 20, 10, "real-band")
        canvas.line([(1, middle), (21, middle)], "real-line")
    elif mark == "interval":
        canvas.line([(2, middle), (20, middle)], "ci")
        for x in (2, 20):
            canvas.line([(x, 2), (x, 10)], "cap")
    elif mark == "floor":
        canvas.rect(1, 3, 20, 7, "floor")
        canvas.line([(9, 1), (9, 12)], "centre")
    elif mark == "acceptable":
        canvas.rect(0, 0, 20, 10, "ok")
        canvas.line([(20, 0), (20, 12)], "limit")
        canvas.rect(0, 9, 20, 3, "okbar")
    elif mark == "far":
        canvas.area([(8, 0), (18, 6), (8, 12)], "dot")
    else:
        canvas.line([(11, 0), (11, 12)], "intended")
    return Drawing(canvas.svg(), "", width, height)
