"""Requirements and what answers them, as blocks: trace table, clauses, privacy checklist."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

from sdq_core.documents.model import (
    Badge,
    Block,
    Column,
    Inline,
    Paragraph,
    Span,
    Table,
    lines,
    words,
)
from sdq_core.documents.naming import name, one_of, reason, title, word
from sdq_core.documents.numbers import count
from sdq_core.documents.parts import Source, badge, either
from sdq_core.documents.readings import read
from sdq_core.documents.stated import label, stated
from sdq_core.documents.texts import text
from sdq_core.requirements import STATUS_RULE, ChecklistRow, TraceRow, checklist, citations
from sdq_core.result import MeasurementModel
from sdq_core.translation import translator
from sdq_core.vocabulary import Verdict

__all__ = [
    "asked",
    "checklist_blocks",
    "clause_table",
    "open_requirements",
    "status",
    "trace_blocks",
]

_SHAPES: Final[dict[str, Literal["pass", "fail", "inconclusive", "not_assessed"]]] = {
    "met": "pass",
    "not_met": "fail",
    "inconclusive": "inconclusive",
    "not_assessed": "not_assessed",
    "not_provided": "not_assessed",
}


def status(row: TraceRow, language: str) -> Inline:
    """Return how far a requirement is met, as shape and word."""
    said = word(row.status, language)
    shape = _SHAPES.get(row.status)
    return words(said, "soft") if shape is None else (Badge(shape, said),)


def asked(row: TraceRow, language: str) -> Inline:
    """Return a requirement: its id and its text."""
    requirement = row.requirement
    said = words(one_of(requirement.en, requirement.zh, language))
    return lines((words(requirement.id, "strong"), said))


def trace_blocks(source: Source, rows: Sequence[TraceRow]) -> list[Block]:
    """Return the trace table: requirement, measure, value, criterion, verdict, evidence.

    Parameters
    ----------
    source : Source
    rows : sequence of TraceRow
    """
    language = source.language
    _ = translator(language).gettext
    cells: list[tuple[Inline, ...]] = []
    for row in rows:
        first = lines((asked(row, language), status(row, language)))
        answers = list(_answers(source, row))
        for answer in answers:
            cells.append((first, *answer))
            first = ()
    columns = (
        Column(word("requirement", language), 2.1),
        Column(_("Measure or statement"), 1.7),
        Column(_("Result (interval)"), 1.5),
        Column(word("criterion", language), 1.1),
        Column(word("verdict", language), 1.05),
        Column(_("Evidence"), 1.05),
    )
    rule = one_of(STATUS_RULE[0], STATUS_RULE[1], language)
    return [
        Paragraph(words(rule), "note"),
        Table(columns, tuple(cells), _("From requirement to evidence")),
    ]


def _answers(source: Source, row: TraceRow) -> Iterable[tuple[Inline, ...]]:
    """Yield what answers one requirement: measure, value, criterion, verdict, evidence."""
    language = source.language
    _ = translator(language).gettext
    none = words("–")
    evidence = _evidence(source, row)
    if any("*" in pattern for pattern in row.requirement.measures):
        judged = [m for m in row.measurements if m.criterion and m.criterion.mandatory]
        passed = sum(m.verdict is Verdict.PASS for m in judged)
        said = _("{passed} of {count} mandatory measures pass")
        yield (
            words(_("every measure of the characteristics named")),
            words(said.format(passed=count(passed), count=count(len(judged)))),
            none,
            none,
            evidence,
        )
    else:
        for measurement in row.measurements:
            yield (*_measured(source, measurement), evidence)
    for fact in row.facts:
        yield (words(label(fact, language)), stated(fact, language), none, none, evidence)
    if not row.measurements and not row.facts:
        manual = row.requirement.checked_by == "people"
        said = _("by people: not carried out") if manual else _("nothing in this result answers it")
        yield words(said), none, none, none, none


def _measured(
    source: Source, measurement: MeasurementModel
) -> tuple[Inline, Inline, Inline, Inline]:
    language = source.language
    read_as = read(measurement, language)
    called = words(title(source.result, measurement, language))
    if measurement.variant is not None:
        called = (*called, Span(" "), Span(measurement.variant, "mono"))
    value = words(read_as.estimate or reason(measurement, language))
    verdict = words(text("informative", language), "soft")
    if measurement.verdict is not None:
        verdict = badge(measurement.verdict, language)
        if measurement.criterion is not None and not measurement.criterion.mandatory:
            verdict = lines((verdict, words(text("optional", language), "soft")))
    return called, value, words(read_as.acceptable or "–"), verdict


def _evidence(source: Source, row: TraceRow) -> Inline:
    """Return the files behind the answers to one requirement, with the head of their hashes."""
    found = [e for e in source.evidence if e.file in _files(source, row)]
    return lines((Span(f"{e.mark} {e.file} "), Span(e.sha256[:8], "mono")) for e in found)


def _files(source: Source, row: TraceRow) -> set[str]:
    named = {"result.json"}
    # These measures count findings, each of which stands in the list.
    if row.requirement.characteristic in ("completeness", "metadata"):
        named.add(source.result.findings.csv)
    return named


def open_requirements(rows: Iterable[TraceRow]) -> list[TraceRow]:
    """Return the requirements that are not shown to be met."""
    return [row for row in rows if row.status not in ("met", "informative")]


def clause_table(source: Source, rows: Iterable[TraceRow]) -> list[Block]:
    """Return which documents ask for each requirement; unread places are marked informative."""
    language = source.language
    _ = translator(language).gettext
    cells = []
    for row in rows:
        requirement = row.requirement
        places = []
        for citation in citations(requirement.id):
            said = words(citation.short(language))
            if not citation.verified:
                said = (*said, Span(" "), Span(_("(informative, text not checked)"), "soft"))
            places.append(said)
        cells.append(
            (
                asked(row, language),
                words(one_of(requirement.method_en, requirement.method_zh, language)),
                lines(places),
            )
        )
    columns = (
        Column(word("requirement", language), 2.0),
        Column(_("How it is assessed"), 2.0),
        Column(_("Asked for by"), 1.8),
    )
    return [
        Table(
            columns, tuple(cells), _("Requirements, how they are assessed, and who asks for them")
        ),
        Paragraph(
            words(
                _(
                    "The text of Part 6 is not published. The requirements have ids of their own; "
                    "what is cited is the proposal, by characteristic. Places marked informative "
                    "were not checked against the text and must be before they are relied on."
                )
            ),
            "note",
        ),
    ]


def checklist_blocks(source: Source) -> list[Block]:
    """Return the privacy compliance checklist with what answers each question."""
    language = source.language
    _ = translator(language).gettext
    found = checklist(source.result)
    opened = sum(row.answered_by == "open" for row in found)
    rows = tuple(_question(source, row) for row in found)
    columns = (
        Column(_("Question"), 2.6),
        Column(text("source", language), 1.6),
        Column(_("Answer"), 0.8),
        Column(_("Answered by"), 2.0),
    )
    said = _("{open} of {count} questions are open. The checklist is no legal advice.")
    return [
        Paragraph(words(said.format(open=count(opened), count=count(len(found))))),
        Table(columns, rows, word("privacy_compliance", language)),
    ]


def _question(source: Source, row: ChecklistRow) -> tuple[Inline, ...]:
    language = source.language
    _ = translator(language).gettext
    answers = {
        "yes": text("yes", language),
        "no": text("no", language),
        "not_applicable": _("not applicable"),
    }
    place = words(one_of(row.source, row.source_zh, language))
    if not row.verified:
        place = (*place, Span(" "), Span(_("(informative, text not checked)"), "soft"))
    answer = words(_("open"), "missing") if row.answer is None else words(answers[row.answer])
    by: list[Inline] = []
    if row.answered_by == "provider":
        by.append(words(_("the provider’s statement")))
    if row.evidence:
        by.append(words(_evidence_of(row.evidence, language)))
    for measurement in row.measurements:
        said = read(measurement, language)
        named = name(source.result, measurement, language)
        value = said.estimate or reason(measurement, language)
        by.append(words(f"{named}{text('colon', language)}{value}", "soft"))
    question = lines((words(row.id, "mono"), words(one_of(row.en, row.zh, language))))
    return question, place, answer, lines(by) or words("–")


def _evidence_of(evidence: Any, language: str) -> str:
    _ = translator(language).gettext
    return _("evidence given: {evidence}").format(evidence=either(evidence, language))
