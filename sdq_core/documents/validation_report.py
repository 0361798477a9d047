"""The validation report 验证报告: how like real data the synthetic data are, and how one knows."""

from __future__ import annotations

from collections.abc import Iterator

from sdq_core.documents.calibration_blocks import validation_blocks
from sdq_core.documents.figure_blocks import how_to_read
from sdq_core.documents.key_drawing import key_drawing
from sdq_core.documents.measure_blocks import (
    measures_in_full,
    method_table,
    reason_table,
    summary_table,
)
from sdq_core.documents.model import Block, Bullets, Document, Heading, Paragraph, words
from sdq_core.documents.naming import word
from sdq_core.documents.numbers import count
from sdq_core.documents.parts import (
    Source,
    cohort_blocks,
    document,
    facts_table,
    limit_blocks,
    reference_blocks,
    run_blocks,
)
from sdq_core.documents.texts import text
from sdq_core.documents.trace_blocks import clause_table, trace_blocks
from sdq_core.documents.view import MeasureView, sections
from sdq_core.phrases import in_chinese
from sdq_core.requirements import trace
from sdq_core.result import Result
from sdq_core.translation import translator
from sdq_core.vocabulary import Characteristic, Language, Verdict

__all__ = ["validation_report"]

KEY = "validation_report"
_FIDELITY = Characteristic.FIDELITY.value
_ASPECTS = ("marginal_consistency", "joint_consistency")
_NO_PASS = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.NOT_ASSESSED)


def validation_report(source: Source) -> Document:
    """Return the validation report of a result.

    Parameters
    ----------
    source : Source

    Returns
    -------
    Document
        Every measure of fidelity and of subgroups in full, and every check that gave no pass.
    """
    return document(source, KEY, _blocks(source))


def _blocks(source: Source) -> Iterator[Block]:
    result, language = source.result, source.language
    _ = translator(language).gettext
    rows = [row for row in trace(result) if KEY in row.requirement.documents]
    wanted = {id(m) for row in rows for m in row.measurements}
    found = {section.id: section for section in sections(result, language)}
    fidelity = [view for group in found[_FIDELITY].groups for view in group.measures]
    other = [
        view
        for key, section in found.items()
        if key != _FIDELITY
        for group in section.groups
        for view in group.measures
        if id(result.measurements[view.position]) in wanted
    ]

    yield Heading(_("Result in brief"), 1)
    verdict = word(found[_FIDELITY].verdict, language)
    named = f"{word(_FIDELITY, language)}{text('colon', language)}{verdict}"
    yield Paragraph(words(named), "statement")
    judged = [v for v in fidelity if result.measurements[v.position].criterion is not None]
    passed = sum(view.verdict is Verdict.PASS for view in judged)
    said = _("Criteria that were applied to fidelity: {count}. Of these pass: {passed}.")
    yield Paragraph(words(said.format(count=count(len(judged)), passed=count(passed))))
    yield summary_table(source, fidelity, _("Measures of fidelity"))
    if other:
        yield summary_table(source, other, _("Measures by subgroup and by feature"))

    yield Heading(_("What was compared"), 1)
    if result.study.get("description"):
        yield Paragraph(words(str(result.study["description"])))
    yield from cohort_blocks(source)

    yield Heading(_("How it was compared"), 1)
    yield Heading(_("From a number to a verdict"), 2)
    yield from how_to_read(language, key_drawing(language))
    yield Heading(_("Intervals and noise floors"), 2)
    yield from _resampling(result, [*fidelity, *other], language)

    for aspect in _ASPECTS:
        yield Heading(word(aspect, language), 1)
        yield from _in_full(source, [v for v in fidelity if _aspect(result, v) == aspect])
    rest = [view for view in fidelity if _aspect(result, view) not in _ASPECTS]
    if rest:
        yield Heading(_("Further measures of fidelity"), 1)
        yield from _in_full(source, rest)
    yield Heading(_("By subgroup, and where differences come from"), 1)
    yield from _in_full(source, other)

    yield Heading(_("Validation of the test methods"), 1)
    yield from validation_blocks(result, language)
    yield Heading(_("Checks that did not pass"), 1)
    yield from _without_pass(source, [*fidelity, *other])
    yield Heading(_("Methods, rules and sources"), 1)
    yield method_table(source, [*fidelity, *other], _("Method and rule of each measure"))
    yield Heading(_("Requirements on this document"), 1)
    yield from trace_blocks(source, rows)
    yield from clause_table(source, rows)
    yield Heading(text("limits", language), 1)
    yield from limit_blocks(source)
    yield Heading(text("environment", language), 1)
    yield from run_blocks(source)
    yield Heading(text("references", language), 1)
    yield from reference_blocks(source)


def _aspect(result: Result, view: MeasureView) -> str | None:
    return result.measurements[view.position].aspect


def _in_full(source: Source, views: list[MeasureView]) -> Iterator[Block]:
    if not views:
        yield Paragraph(words(text("no_measures", source.language)))
    yield from measures_in_full(source, views, 2)


def _resampling(result: Result, views: list[MeasureView], language: str) -> Iterator[Block]:
    """Yield the ways in which intervals and noise floors of these measures were got."""
    _ = translator(language).gettext
    zh = Language(language) is Language.ZH
    intervals: dict[str, None] = {}
    floors: dict[str, None] = {}
    for view in views:
        measurement = result.measurements[view.position]
        for known, got in ((intervals, measurement.interval), (floors, measurement.noise_floor)):
            if got is not None and got.method:
                known[in_chinese(got.method) if zh else got.method] = None
    yield facts_table(
        [
            (text("interval_method", language), words(text("semicolon", language).join(intervals))),
            (text("floor_method", language), words(text("semicolon", language).join(floors))),
        ]
    )
    corrected = any("p_holm" in result.measurements[view.position].details for view in views)
    said = [
        _(
            "The subject is the unit of every resampling where subjects are given; where they are "
            "not, the limits say so."
        )
    ]
    if corrected:
        said.append(_("p values of several tests of one kind are given after Holm’s correction."))
    yield Bullets(tuple(words(sentence) for sentence in said))


def _without_pass(source: Source, views: list[MeasureView]) -> Iterator[Block]:
    """Yield the checks that failed, are inconclusive, or could not be carried out, with reasons."""
    language = source.language
    _ = translator(language).gettext
    found = [view for view in views if view.estimate is None or view.verdict in _NO_PASS]
    if not found:
        yield Paragraph(words(_("There are none.")))
        return
    yield reason_table(source, found, _("Checks that did not pass, and why"))
