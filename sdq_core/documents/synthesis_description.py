"""The synthesis description 数据合成说明: what the provider states, and what is missing of it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from sdq_core.documents.model import (
    Block,
    Bullets,
    Column,
    Document,
    Heading,
    Inline,
    Paragraph,
    Span,
    Table,
    words,
)
from sdq_core.documents.naming import one_of, word
from sdq_core.documents.numbers import count
from sdq_core.documents.parts import Source, cohort_blocks, document, run_blocks
from sdq_core.documents.stated import label, stated
from sdq_core.documents.texts import text
from sdq_core.documents.trace_blocks import clause_table, trace_blocks
from sdq_core.generator import definition, facts_of
from sdq_core.requirements import trace
from sdq_core.translation import translator

__all__ = ["synthesis_description"]

KEY = "synthesis_description"


def synthesis_description(source: Source) -> Document:
    """Return the synthesis description of a result.

    Parameters
    ----------
    source : Source

    Returns
    -------
    Document
        Every fact that the requirements ask for; what is not provided says so.
    """
    return document(source, KEY, _blocks(source))


def _blocks(source: Source) -> Iterator[Block]:
    language = source.language
    _ = translator(language).gettext
    facts = facts_of(source.result)
    missing = [fact for fact in facts if fact.value is None]

    yield Heading(_("What is stated"), 1)
    said = _("{stated} of {count} facts are stated by the provider.")
    yield Paragraph(
        words(said.format(stated=count(len(facts) - len(missing)), count=count(len(facts)))),
        "statement",
    )
    yield Paragraph(
        words(
            _(
                "The content of this document is the provider’s own. What of it was checked "
                "against the data stands under “What was checked of these statements”; nothing "
                "else was."
            )
        )
    )
    if missing:
        yield Paragraph(words(_("Not provided, by requirement:")))
        groups: dict[str, list[str]] = {}
        for fact in missing:
            groups.setdefault(fact.requirement, []).append(label(fact, language))
        joined = text("list", language).join
        yield Bullets(
            tuple(
                (Span(requirement, "strong"), Span(f"{text('colon', language)}{joined(labels)}"))
                for requirement, labels in groups.items()
            )
        )

    for section, own in groupby(facts, key=lambda fact: definition(fact.key).section):
        yield Heading(one_of(section[0], section[1], language), 1)
        rows: list[tuple[Inline, ...]] = [
            (
                words(label(fact, language), "strong"),
                stated(fact, language),
                words(fact.requirement, "soft"),
            )
            for fact in own
        ]
        columns = (
            Column(text("fact", language), 1.1),
            Column(_("Stated"), 3.2),
            Column(word("requirement", language), 0.8),
        )
        yield Table(columns, tuple(rows))

    rows_here = [row for row in trace(source.result) if KEY in row.requirement.documents]
    yield Heading(_("What was checked of these statements"), 1)
    checked = [row for row in rows_here if row.measurements]
    if checked:
        yield from trace_blocks(source, checked)
    else:
        yield Paragraph(words(_("Nothing of it was checked against the data.")))
    yield Heading(_("The data that were evaluated"), 1)
    yield from cohort_blocks(source)
    yield Heading(_("Requirements on this document"), 1)
    yield from clause_table(source, rows_here)
    yield Heading(text("environment", language), 1)
    yield from run_blocks(source)
