"""Measurements as blocks: many in one table, one in full, the methods of all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from sdq_core.documents.figure_blocks import drawing, figure_blocks
from sdq_core.documents.model import (
    Block,
    Column,
    Heading,
    Inline,
    Paragraph,
    Span,
    Table,
    lines,
    words,
)
from sdq_core.documents.naming import word
from sdq_core.documents.parts import Source, badge
from sdq_core.documents.texts import text
from sdq_core.documents.view import MeasureView
from sdq_core.translation import translator

__all__ = ["measures_in_full", "method_table", "reason_table", "summary_table"]


def summary_table(source: Source, views: Sequence[MeasureView], caption: str) -> Table:
    """Return measures in one table: result, noise floor, acceptable range, verdict."""
    language = source.language
    _ = translator(language).gettext
    rows = []
    for view in views:
        facts = dict(view.facts)
        result = words(view.estimate[1]) if view.estimate else words(text("none", language), "soft")
        rows.append(
            (
                _name(view),
                result,
                words(facts.get(text("floor", language), "–")),
                words(facts.get(text("acceptable", language), "–")),
                lines((_verdict(view, language), words(view.role, "soft"))),
            )
        )
    columns = (
        Column(word("measurement", language), 2.3),
        Column(_("Result (interval)"), 1.7),
        Column(text("floor", language), 1.3),
        Column(text("acceptable", language), 1.3),
        Column(word("verdict", language), 1.25),
    )
    return Table(columns, tuple(rows), caption)


def reason_table(source: Source, views: Iterable[MeasureView], caption: str) -> Table:
    """Return measures with the reason for their verdict, or for the missing value."""
    language = source.language
    rows = tuple(
        (_name(view), _verdict(view, language) or words(view.role, "soft"), words(view.reason))
        for view in views
    )
    columns = (
        Column(word("measurement", language), 2.0),
        Column(word("verdict", language), 1.0),
        Column(translator(language).gettext("Reason"), 3.0),
    )
    return Table(columns, rows, caption)


def _verdict(view: MeasureView, language: str) -> Inline:
    return () if view.verdict is None else badge(view.verdict, language)


def _name(view: MeasureView) -> Inline:
    """Return the name of a measure with its variant."""
    named = words(view.title)
    return named if view.variant is None else (*named, Span(" "), Span(view.variant, "mono"))


def measures_in_full(source: Source, views: Sequence[MeasureView], level: int) -> list[Block]:
    """Return measures in full; the variants of one measure stand under its name.

    Parameters
    ----------
    source : Source
    views : sequence of MeasureView
        Variants of one measure side by side.
    level : int
        Of the headings.
    """
    blocks: list[Block] = []
    for title, group in groupby(views, key=lambda view: view.title):
        same = list(group)
        alone = len(same) == 1 or same[0].variant is None
        blocks.append(Heading(title, level, same[0].anchor if alone else ""))
        says = next((view.says for view in same if view.says), "")
        if says:
            blocks.append(Paragraph(words(says), "says"))
        for view in same:
            if len(same) > 1 and view.variant is not None:
                blocks.append(Heading(view.variant, level + 1, view.anchor))
            blocks += _in_full(source, view)
    return blocks


def _in_full(source: Source, view: MeasureView) -> list[Block]:
    """Return the numbers of one measure, its drawing and its figures."""
    language = source.language
    variant = "" if view.variant is None else f" [{view.variant}]"
    facts = [view.estimate] if view.estimate else []
    facts += view.facts
    said = [
        (Span(f"{label}{text('colon', language)}", "soft"), Span(fact)) for label, fact in facts
    ]
    verdict = _verdict(view, language)
    role = words(view.role, "soft")
    status = (*verdict, Span("  "), *role) if verdict else role
    axis: Inline = (drawing(view.axis),) if view.axis else ()
    blocks: list[Block] = [
        Table(
            (Column("", 1.0), Column("", 1.0)),
            ((lines([status, *said]), axis),),
            kind="reading",
        )
    ]
    blocks.append(Paragraph(words(view.reason)))
    blocks += [Paragraph(words(sentence), "note") for sentence in view.broken]
    for figure in view.figures:
        blocks += figure_blocks(figure, language, view.title + variant)
    return blocks


def method_table(source: Source, views: Iterable[MeasureView], caption: str) -> Table:
    """Return method, source and rule of each measure, for the second look."""
    language = source.language
    _ = translator(language).gettext
    rows = []
    for view in views:
        said = dict(view.method)
        method = [
            said.get(text(key, language), "")
            for key in ("method", "interval_method", "floor_method")
        ]
        rule = [said.get(text(key, language), "") for key in ("rule", "rule_reason")]
        sources = [said.get(text(key, language), "") for key in ("source", "rule_source")]
        rows.append(
            (
                lines((_name(view), words(said[text("identifier", language)], "mono"))),
                lines(map(words, method)),
                lines(map(words, rule)) or words("–"),
                lines(map(words, dict.fromkeys(sources))),
            )
        )
    columns = (
        Column(word("measurement", language), 1.6),
        Column(_("Method; interval; noise floor"), 2.2),
        Column(_("Rule and its reason"), 1.8),
        Column(text("source", language), 1.4),
    )
    return Table(columns, tuple(rows), caption)
