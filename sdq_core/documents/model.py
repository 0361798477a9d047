"""What a document consists of: plain data that every format is written from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

__all__ = [
    "Badge",
    "Block",
    "Break",
    "Bullets",
    "Column",
    "Document",
    "Drawing",
    "Heading",
    "Inline",
    "Labels",
    "Panel",
    "Paragraph",
    "Pictures",
    "Span",
    "Table",
    "contents",
    "drawings",
    "inlines",
    "lines",
    "linked",
    "numbered",
    "words",
]

Style: TypeAlias = Literal["plain", "strong", "soft", "mono", "missing"]


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text; `to` is the anchor of a block that it leads to."""

    text: str
    style: Style = "plain"
    to: str = ""


@dataclass(frozen=True, slots=True)
class Badge:
    """A verdict as shape and word; colour only repeats them."""

    kind: Literal["pass", "fail", "inconclusive", "not_assessed"]
    word: str


@dataclass(frozen=True, slots=True)
class Break:
    """A new line inside a cell or paragraph."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing: SVG with the classes of ``report.css``.

    Parameters
    ----------
    svg : str
        Of `sdq_core.documents.svg.Canvas`, which escapes what comes from data.
    alt : str
        What it shows, in words.
    width, height : float
        Pixels of 1/96 inch.
    kind : str
        Key of the figure that it is part of; some have a style of their own.
    """

    svg: str
    alt: str
    width: float
    height: float
    kind: str = ""


Inline: TypeAlias = tuple[Span | Badge | Break | Drawing, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; `number` is set by `numbered`, and `anchor` is where links lead."""

    text: str
    level: int
    anchor: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph; a `statement` is the sentence of a section, a `note` is set smaller.

    What a measure `says` and the `legend` of a figure stay with what follows them.
    """

    content: Inline
    style: Literal["body", "note", "says", "statement", "legend"] = "body"


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list."""

    items: tuple[Inline, ...]
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its name, its share of the width, and whether it holds numbers."""

    name: str
    share: float = 1.0
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `kind` chooses its look, `number` is set by `numbered` where there is a caption.

    ``facts`` has labels in its first column and no visible header; ``reading`` sets the facts of
    one measurement beside its drawing, without lines; ``form`` has room for handwriting.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Inline, ...], ...]
    caption: str = ""
    kind: Literal["grid", "facts", "reading", "form"] = "grid"
    number: int = 0


@dataclass(frozen=True, slots=True)
class Panel:
    """One drawing with its own caption."""

    drawing: Drawing
    caption: Inline = ()


@dataclass(frozen=True, slots=True)
class Pictures:
    """One figure of one or several drawings, `across` of them side by side."""

    panels: tuple[Panel, ...]
    caption: str
    across: int = 1
    number: int = 0


Block: TypeAlias = Heading | Paragraph | Bullets | Table | Pictures


@dataclass(frozen=True, slots=True)
class Labels:
    """The words that every document needs."""

    contents: str
    table: str
    figure: str
    result: str


@dataclass(frozen=True, slots=True)
class Document:
    """One document in one language.

    Parameters
    ----------
    id : str
        Stem of its file, e.g. ``validation-report``.
    language : {"en", "zh"}
    title : str
    other_title : str
        In English for a Chinese document, else empty.
    subject : str
        What it is about: the name of the study.
    facts : tuple of (str, Inline)
        Printed under the title.
    blocks : tuple of Block
    made : str
        ISO 8601 time of the evaluation; empty where the result has none.
    digest : str
        SHA-256 of the result's file, printed at the foot of each page.
    labels : Labels
    """

    id: str
    language: str
    title: str
    other_title: str
    subject: str
    facts: tuple[tuple[str, Inline], ...]
    blocks: tuple[Block, ...]
    made: str
    digest: str
    labels: Labels


def words(text: str, style: Style = "plain", to: str = "") -> Inline:
    """Return text as inline content; nothing for an empty one.

    Examples
    --------
    >>> words("0.62"), words("")
    ((Span(text='0.62', style='plain', to=''),), ())
    """
    return (Span(text, style, to),) if text else ()


def lines(parts: Iterable[Inline]) -> Inline:
    """Return parts one below the other, empty ones left out.

    Examples
    --------
    >>> [getattr(part, "text", "/") for part in lines([words("a"), (), words("b")])]
    ['a', '/', 'b']
    """
    found: list[Span | Badge | Break | Drawing] = []
    for part in parts:
        if part:
            found += [Break(), *part] if found else part
    return tuple(found)


def numbered(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Give numbers to headings, and to the tables and figures that have a caption.

    Examples
    --------
    >>> found = numbered([Heading("A", 1), Heading("B", 2), Heading("C", 2), Heading("D", 1)])
    >>> [block.number for block in found]
    ['1', '1.1', '1.2', '2']
    """
    counts: list[int] = []
    tables = figures = 0
    found: list[Block] = []
    for block in blocks:
        if isinstance(block, Heading):
            counts = [*counts, *[0] * block.level][: block.level]
            counts[-1] += 1
            block = replace(block, number=".".join(map(str, counts)))
        elif isinstance(block, Table) and block.caption:
            tables += 1
            block = replace(block, number=tables)
        elif isinstance(block, Pictures):
            figures += 1
            block = replace(block, number=figures)
        found.append(block)
    return tuple(found)


def linked(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Drop links that lead to no heading of the document.

    Examples
    --------
    >>> linked([Paragraph(words("see", to="nowhere"))])[0].content[0].to
    ''
    """
    there = {block.anchor for block in blocks if isinstance(block, Heading)}

    def kept(content: Inline) -> Inline:
        return tuple(
            replace(part, to="") if isinstance(part, Span) and part.to not in there else part
            for part in content
        )

    found: list[Block] = []
    for block in blocks:
        if isinstance(block, Paragraph):
            block = replace(block, content=kept(block.content))
        elif isinstance(block, Bullets):
            block = replace(block, items=tuple(kept(item) for item in block.items))
        elif isinstance(block, Table):
            rows = tuple(tuple(kept(cell) for cell in row) for row in block.rows)
            block = replace(block, rows=rows)
        found.append(block)
    return tuple(found)


def contents(document: Document, depth: int = 2) -> list[Heading]:
    """Return the headings of the table of contents.

    Parameters
    ----------
    document : Document
    depth : int
        Deepest level.
    """
    return [b for b in document.blocks if isinstance(b, Heading) and b.level <= depth]


def inlines(document: Document) -> Iterator[Inline]:
    """Return every run of inline content of a document."""
    yield from (value for _, value in document.facts)
    for block in document.blocks:
        if isinstance(block, Paragraph):
            yield block.content
        elif isinstance(block, Bullets):
            yield from block.items
        elif isinstance(block, Table):
            yield from (cell for row in block.rows for cell in row)
        elif isinstance(block, Pictures):
            for panel in block.panels:
                yield (panel.drawing,)
                yield panel.caption


def drawings(document: Document) -> list[Drawing]:
    """Return the drawings of a document, each once, in their order."""
    found = (part for run in inlines(document) for part in run if isinstance(part, Drawing))
    return list(dict.fromkeys(found))
