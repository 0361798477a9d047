"""The quality assessment report 质量评估报告: six characteristics, the supplementary experiment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sdq_core.documents.figure_blocks import figure_blocks, how_to_read
from sdq_core.documents.key_drawing import key_drawing
from sdq_core.documents.labels import PURPOSE
from sdq_core.documents.measure_blocks import method_table, reason_table, summary_table
from sdq_core.documents.model import (
    Block,
    Column,
    Document,
    Heading,
    Inline,
    Paragraph,
    Span,
    Table,
    lines,
    words,
)
from sdq_core.documents.naming import one_of, pairs, plain, sentence, word
from sdq_core.documents.numbers import count
from sdq_core.documents.parts import (
    Source,
    badge,
    cohort_blocks,
    document,
    facts_table,
    limit_blocks,
    reference_blocks,
    run_blocks,
)
from sdq_core.documents.review_blocks import review_blocks
from sdq_core.documents.texts import text
from sdq_core.documents.trace_blocks import (
    asked,
    checklist_blocks,
    clause_table,
    open_requirements,
    status,
    trace_blocks,
)
from sdq_core.documents.view import MeasureView, Section, overview, sections
from sdq_core.requirements import TraceRow, trace
from sdq_core.translation import translator
from sdq_core.vocabulary import TERMS, Characteristic, Verdict

__all__ = ["quality_assessment_report"]

KEY = "quality_assessment_report"
_UNDECIDED = (Verdict.INCONCLUSIVE, Verdict.NOT_ASSESSED)


def quality_assessment_report(source: Source) -> Document:
    """Return the quality assessment report of a result.

    Parameters
    ----------
    source : Source

    Returns
    -------
    Document
        Verdicts first; what was not assessed or not carried out says so.
    """
    return document(source, KEY, _blocks(source))


def _blocks(source: Source) -> Iterator[Block]:
    result, language = source.result, source.language
    _ = translator(language).gettext
    rows = [row for row in trace(result) if KEY in row.requirement.documents]

    yield Heading(_("Verdicts"), 1)
    yield Paragraph(words(text(f"exit_{result.exit_code}", language)), "statement")
    yield Paragraph(words(text("verdicts_lead", language)))
    yield _verdict_table(source)
    yield Heading(_("How verdicts come about"), 2)
    yield from how_to_read(language, key_drawing(language))

    yield Heading(_("What was assessed"), 1)
    if result.study.get("description"):
        yield Paragraph(words(str(result.study["description"])))
    purpose = list(_purpose(source))
    if purpose:
        yield facts_table(purpose, text("purpose", language))
    yield from cohort_blocks(source)

    views: list[MeasureView] = []
    for section in sections(result, language):
        own = [view for group in section.groups for view in group.measures]
        views += own
        yield from _characteristic(source, section, own, rows)

    yield Heading(word("manual_review", language), 1)
    yield from review_blocks(source, views)
    yield Heading(text("findings", language), 1)
    yield from _findings(source)
    yield Heading(_("From requirement to evidence"), 1)
    yield from trace_blocks(source, rows)
    yield from clause_table(source, rows)
    yield Heading(_("Residual risk"), 1)
    yield from _risk(source, rows)
    yield Heading(_("Methods, rules and sources"), 1)
    yield method_table(source, views, _("Method and rule of each measure"))
    yield Heading(text("limits", language), 1)
    yield from limit_blocks(source)
    yield Heading(_("Evidence"), 1)
    yield from _evidence(source)
    yield from run_blocks(source)
    yield Heading(text("references", language), 1)
    yield from reference_blocks(source)
    yield Heading(_("Signatures"), 1)
    yield from _signatures(source)


def _verdict_table(source: Source) -> Table:
    language = source.language
    _ = translator(language).gettext
    rows = []
    for row in overview(source.result, language):
        decided: list[Inline] = [words(row.remark, "soft")] if row.remark else []
        decided += [
            (
                *badge(measure.verdict, language),
                Span("  "),
                Span(measure.name, "plain", measure.anchor),
                Span(f"{text('colon', language)}{measure.said}"),
            )
            for measure in row.deciding
        ]
        rows.append((words(row.name, "strong"), badge(row.verdict, language), lines(decided)))
    columns = (
        Column(text("characteristic", language), 1.6),
        Column(word("verdict", language), 0.9),
        Column(text("decided_by", language), 3.6),
    )
    return Table(columns, tuple(rows), _("The characteristics and what decided them"))


def _purpose(source: Source) -> Iterator[tuple[str, Inline]]:
    purpose = source.result.study.get("purpose") or {}
    for key, label in PURPOSE.items():
        value = purpose.get(key)
        if value not in (None, "", {}, []):
            zh = source.language == "zh"
            said = pairs(value, source.language) if isinstance(value, dict) else plain(value)
            yield label[zh], words(said)


def _characteristic(
    source: Source, section: Section, views: Sequence[MeasureView], rows: Sequence[TraceRow]
) -> Iterator[Block]:
    """Yield one characteristic: requirements, measures, reasons, drawings."""
    language = source.language
    _ = translator(language).gettext
    heading = section.name
    if section.id == Characteristic.UTILITY:
        heading = f"{word('supplementary_experiment', language)}{text('colon', language)}{heading}"
    yield Heading(heading, 1, section.id)
    yield Paragraph(
        (Span(f"{word('verdict', language)}{text('colon', language)}"),
         *badge(section.verdict, language)),
    )  # fmt: skip
    asked_here = [row for row in rows if row.requirement.characteristic == section.id]
    if asked_here:
        yield Table(
            (Column(word("requirement", language), 4.0), Column(_("Status"), 1.0)),
            tuple((asked(row, language), status(row, language)) for row in asked_here),
            _("What is asked for"),
        )
    if not views:
        yield Paragraph(words(text("no_measures", language)))
        return
    yield summary_table(source, views, _("Measures and verdicts"))
    open_ones = [v for v in views if v.estimate is None or v.verdict in _UNDECIDED]
    if open_ones:
        yield reason_table(source, open_ones, _("Measures without a decision, and why"))
    if section.id == Characteristic.PRIVACY:
        yield Heading(_("Attacks and their assumptions"), 2)
        yield from _attacks(source, views)
        yield Heading(word("privacy_compliance", language), 2)
        yield from checklist_blocks(source)
    if section.id == Characteristic.FIDELITY:
        named = word("validation_report", language)
        said = _("Drawings and details of these measures are in the document “{name}”.")
        yield Paragraph(words(said.format(name=named)))
        return
    drawn = [view for view in views if view.figures or view.broken]
    if drawn:
        yield Heading(_("Details"), 2)
    for view in drawn:
        variant = "" if view.variant is None else f" [{view.variant}]"
        yield Heading(view.title + variant, 3, view.anchor)
        if view.says:
            yield Paragraph(words(view.says), "says")
        yield from (Paragraph(words(said), "note") for said in view.broken)
        for figure in view.figures:
            yield from figure_blocks(figure, language, view.title + variant)


def _attacks(source: Source, views: Sequence[MeasureView]) -> Iterator[Block]:
    """Yield what each attack assumes: its procedure, its settings, how many items it met."""
    result, language = source.result, source.language
    _ = translator(language).gettext
    rows = []
    for view in views:
        if result.measurements[view.position].aspect != "attack_simulation":
            continue
        said = dict(view.method)
        facts = dict(view.facts)
        known = result.measures.get(result.measurements[view.position].id)
        goal = "" if known is None else one_of(known.says, known.says_zh, language)
        called = words(view.title)
        if view.variant is not None:
            called = (*called, Span(" "), Span(view.variant, "mono"))
        rows.append(
            (
                lines((called, words(goal, "soft"))),
                lines(words(said.get(text(key, language), "")) for key in ("method", "parameters")),
                words(facts.get(text("sample", language), "–")),
            )
        )
    if not rows:
        yield Paragraph(words(text("no_measures", language)))
        return
    yield Paragraph(
        words(
            _(
                "The attacker holds the synthetic data and, as the attack needs, candidate items "
                "or a part of a person’s attributes, but not the generator. Members are training "
                "items, non-members are holdout items. Other attackers were not simulated."
            )
        )
    )
    columns = (
        Column(_("Attack and its aim"), 2.0),
        Column(_("Procedure and settings"), 2.6),
        Column(text("sample", language), 1.2),
    )
    yield Table(columns, tuple(rows), _("Attacks"))


def _findings(source: Source) -> Iterator[Block]:
    result, language = source.result, source.language
    found = result.findings
    if not found.by_rule:
        yield Paragraph(words(text("no_findings", language)))
        return
    lead = text("findings_lead", language, total=count(found.total), csv=found.csv, file=found.file)
    yield Paragraph(words(lead))
    rows = tuple(
        (
            words(rule.rule, "mono"),
            words(word(rule.severity, language) if rule.severity in TERMS else rule.severity),
            words(word(rule.role, language) if rule.role in TERMS else rule.role),
            words(count(rule.items)),
            words(count(rule.findings)),
            words(sentence(one_of(rule.message, rule.message_zh, language), language)),
        )
        for rule in found.by_rule
    )
    columns = (
        Column(text("finding_rule", language), 1.7),
        Column(text("severity", language), 0.8),
        Column(word("cohort", language), 1.0),
        Column(text("items", language), 0.7, numeric=True),
        Column(text("finding_count", language), 0.8, numeric=True),
        Column(text("message", language), 2.6),
    )
    yield Table(columns, rows, text("findings", language))


def _risk(source: Source, rows: Sequence[TraceRow]) -> Iterator[Block]:
    """Yield the form for what follows from requirements that are not shown to be met."""
    language = source.language
    _ = translator(language).gettext
    found = open_requirements(rows)
    if not found:
        yield Paragraph(words(_("Every requirement with a criterion is met.")))
        return
    yield Paragraph(
        words(
            _(
                "Risks are not assessed by this tool. Each requirement below is not shown to be "
                "met; the responsible party enters here, or in its risk management file (GB/T "
                "42062, ISO 14971), what follows from it."
            )
        )
    )
    columns = (
        Column(word("requirement", language), 2.0),
        Column(_("Hazard and hazardous situation"), 1.6),
        Column(_("Severity of harm"), 0.9),
        Column(_("Probability"), 0.9),
        Column(_("Risk control"), 1.4),
    )
    cells = tuple(
        (lines((asked(row, language), status(row, language))), (), (), (), ()) for row in found
    )
    yield Table(columns, cells, _("Requirements not shown to be met: to be filled in"), "form")


def _evidence(source: Source) -> Iterator[Block]:
    language = source.language
    _ = translator(language).gettext
    yield Paragraph(words(_("Numbers here are those of result.json, rounded; that file prevails.")))
    columns = (
        Column(_("No."), 0.4),
        Column(_("File"), 1.4),
        Column(_("Bytes"), 0.8, numeric=True),
        Column("SHA-256", 4.0),
    )
    rows = tuple(
        (words(e.mark), words(e.file), words(count(e.size)), words(e.sha256, "mono"))
        for e in source.evidence
    )
    yield Table(columns, rows, _("Files beside this document, and their hashes"))


def _signatures(source: Source) -> Iterator[Block]:
    _ = translator(source.language).gettext
    columns = (
        Column(_("Role"), 1.0),
        Column(_("Name"), 1.4),
        Column(_("Organisation"), 1.6),
        Column(_("Signature"), 1.6),
        Column(_("Date"), 1.0),
    )
    roles = (_("Prepared by"), _("Reviewed by"), _("Approved by"))
    yield Table(columns, tuple((words(role), (), (), (), ()) for role in roles), "", "form")
