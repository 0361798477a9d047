"""Generators side by side as one self-contained page, in the look of the report."""

from __future__ import annotations

from collections.abc import Iterator

from sdq_core.comparing.comparable import Entry
from sdq_core.comparing.drawing import draw_side_by_side
from sdq_core.comparing.ranking import RankedMeasure, SideBySide
from sdq_core.comparing.words import estimate_words, measure_words, mismatch_words, rule_words
from sdq_core.documents.figure_blocks import how_to_read
from sdq_core.documents.key_drawing import key_drawing
from sdq_core.documents.model import (
    Block,
    Bullets,
    Column,
    Document,
    Heading,
    Inline,
    Labels,
    Paragraph,
    Span,
    Table,
    lines,
    linked,
    numbered,
    words,
)
from sdq_core.documents.naming import reason, word
from sdq_core.documents.numbers import count
from sdq_core.documents.parts import badge
from sdq_core.documents.provenance import made
from sdq_core.documents.texts import text
from sdq_core.statistics.interval_differences import RANK_SOURCE
from sdq_core.translation import translator
from sdq_core.vocabulary import Characteristic, Language, Role

__all__ = ["comparison_page"]


def comparison_page(found: SideBySide, language: str) -> Document:
    """Return the page of several results.

    Parameters
    ----------
    found : SideBySide
    language : {"en", "zh"}

    Returns
    -------
    Document
        For `sdq_core.documents.page.write_html`.
    """
    _ = translator(language).gettext
    first = found.entries[0].result
    facts = [(text("modality", language), str(first.modality.get("name", "")))]
    if first.profile:
        named = {k: first.profile.get(k, "") for k in ("name", "version")}
        facts.append((word("profile", language), text("versioned", language, **named)))
    other = "Comparison of generators" if Language(language) is Language.ZH else ""
    return Document(
        id="comparison",
        language=language,
        title=_("Comparison of generators"),
        other_title=other,
        subject=text("list", language).join(e.name for e in found.entries),
        facts=tuple((label, words(said)) for label, said in facts if said),
        blocks=linked(numbered(tuple(_blocks(found, language)))),
        made="",
        digest="",
        labels=Labels(_("Contents"), _("Table"), _("Figure"), ""),
    )


def _blocks(found: SideBySide, language: str) -> Iterator[Block]:
    _ = translator(language).gettext
    yield Heading(text("verdicts", language), 1)
    yield Paragraph(
        words(
            _(
                "There is no overall rank: an average over measures would hide a failure. Each "
                "measure is ranked by itself, and only where its intervals tell generators apart."
            )
        ),
        "statement",
    )
    yield _verdicts(found, language)
    yield Heading(_("What was compared"), 1)
    yield _cohorts(found, language)
    if found.mismatches:
        yield Paragraph(
            words(_("These results differ in more than the synthetic data:")), "statement"
        )
        first = found.entries[0].name
        yield Bullets(tuple(words(mismatch_words(m, first, language)) for m in found.mismatches))
    else:
        yield Paragraph(
            words(
                _(
                    "All results have the same real cohorts, settings and criteria, by their "
                    "digests."
                )
            )
        )
    for characteristic in Characteristic:
        yield from _characteristic(found, characteristic, language)
    yield Heading(_("How generators are told apart"), 1)
    yield Bullets(tuple(words(said) for said in _rules(found, language)))
    yield Heading(_("From a number to a verdict"), 1)
    yield from how_to_read(language, key_drawing(language))


def _verdicts(found: SideBySide, language: str) -> Table:
    columns = [Column(text("characteristic", language), 1.6)]
    columns += [Column(e.name, 1.0) for e in found.entries]
    rows = [
        (words(word(c, language)), *(badge(v, language) for v in verdicts))
        for c, verdicts in found.verdicts.items()
    ]
    return Table(tuple(columns), tuple(rows))


def _cohorts(found: SideBySide, language: str) -> Table:
    _ = translator(language).gettext
    rows = []
    for entry in found.entries:
        cohort = entry.result.cohorts.get(Role.SYNTHETIC)
        rows.append(
            (
                words(entry.name, "strong"),
                words("–" if cohort is None else count(cohort.items)),
                words("–" if cohort is None else cohort.digest, "mono"),
                words(made(entry.result, language)),
            )
        )
    columns = (
        Column(_("Generator"), 1.2),
        Column(text("items", language), 0.6, numeric=True),
        Column(text("digest", language), 2.6),
        Column(text("made", language), 1.1),
    )
    return Table(columns, tuple(rows))


def _characteristic(
    found: SideBySide, characteristic: Characteristic, language: str
) -> Iterator[Block]:
    _ = translator(language).gettext
    own = [m for m in found.measures if m.first.characteristic is characteristic]
    yield Heading(word(characteristic, language), 1, characteristic.value)
    if not own:
        yield Paragraph(words(text("none", language)), "note")
        return
    for measure in own:
        if measure.valued:
            yield Heading(_name(found, measure, language), 2)
            yield _reading(found, measure, language)
    absent = [m for m in own if not m.valued]
    if absent:
        yield Paragraph(words(_("Without a value in any of the results:")), "note")
        yield Bullets(
            tuple(
                (
                    Span(_name(found, m, language)),
                    Span(text("colon", language)),
                    Span(reason(m.first, language), "soft"),
                )
                for m in absent
            )
        )


def _reading(found: SideBySide, measure: RankedMeasure, language: str) -> Table:
    """Return a line for each generator, and their intervals on one axis beside them."""
    _ = translator(language).gettext
    said: list[Inline] = []
    alternatives = []
    for entry, measurement, rank in zip(
        found.entries, measure.measurements, measure.ranks, strict=True
    ):
        line: list[Span] = [Span(f"{entry.name}{text('colon', language)}", "strong")]
        numbers = estimate_words(measurement, language)
        alternatives.append(f"{entry.name}{text('colon', language)}{numbers}")
        if measurement is None:
            said.append((*line, Span(_("not in this result"), "soft")))
            continue
        if measurement.value is None:
            said.append((*line, Span(reason(measurement, language), "soft")))
            continue
        line.append(Span(numbers))
        place = _rank(rank, language)
        if place and measure.told_apart:
            line.append(Span(f" {place}", "soft"))
        verdict = () if measurement.verdict is None else badge(measurement.verdict, language)
        said.append((*line, Span(" "), *verdict) if verdict else tuple(line))
    if not measure.told_apart and any(rank is not None for rank in measure.ranks):
        said.append(words(_("The intervals tell no two of them apart."), "soft"))
    alternative = text("semicolon", language).join(alternatives)
    names = [e.name for e in found.entries]
    drawn = draw_side_by_side(measure.measurements, names, alternative, language)
    content = lines(said)
    return Table(
        (Column("", 1.0), Column("", 1.0)),
        ((content, () if drawn is None else (drawn,)),),
        kind="reading",
    )


def _rank(rank: tuple[int, int] | None, language: str) -> str:
    """Return a rank in words: a range is a tie."""
    _ = translator(language).gettext
    if rank is None:
        return ""
    best, worst = rank
    if best == worst:
        return _("[rank {rank}]").format(rank=best)
    return _("[rank {best} to {worst}]").format(best=best, worst=worst)


def _name(found: SideBySide, measure: RankedMeasure, language: str) -> str:
    owner = next(
        e for e, m in zip(found.entries, measure.measurements, strict=True) if m is not None
    )
    return measure_words(Entry(owner.name, owner.result), measure.first, language)


def _rules(found: SideBySide, language: str) -> list[str]:
    _ = translator(language).gettext
    ranks = _(
        "A rank is a range: from one more than the number of generators that are better beyond "
        "their intervals, to what those leave that are worse ({source}). A range of several ranks "
        "is a tie that these data do not resolve; more items, or more subjects, would."
    ).format(source=RANK_SOURCE)
    return [ranks, *rule_words(found.pairs, language)]
