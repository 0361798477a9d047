"""Calibration as sentences and blocks: for the report, the documents, and a page of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sdq_core.calibration.model import (
    Calibration,
    CalibrationUse,
    DefectSummary,
    Failed,
    LeftOut,
)
from sdq_core.documents.calibration_figures import calibration_figures, in_language, seen_by
from sdq_core.documents.figure_blocks import figure_blocks
from sdq_core.documents.figures import Figure
from sdq_core.documents.model import (
    Block,
    Bullets,
    Document,
    Heading,
    Labels,
    Paragraph,
    linked,
    numbered,
    words,
)
from sdq_core.documents.naming import sentence, word
from sdq_core.documents.numbers import count
from sdq_core.documents.parts import facts_table
from sdq_core.documents.texts import text
from sdq_core.result import Result
from sdq_core.translation import translator
from sdq_core.vocabulary import Language

__all__ = ["CalibrationView", "calibration_document", "calibration_view", "validation_blocks"]


@dataclass(frozen=True, slots=True)
class CalibrationView:
    """What the report says of calibration.

    Parameters
    ----------
    statement : tuple of str
        Whether the study was calibrated, and which verdicts that changed.
    notes : tuple of str
        What the study allows.
    figures : tuple of Figure
    unseen : tuple of str
        What the study could not have seen.
    """

    statement: tuple[str, ...]
    notes: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    unseen: tuple[str, ...] = ()


def calibration_view(result: Result, language: str) -> CalibrationView:
    """Return calibration as the report prints it.

    Parameters
    ----------
    result : Result
    language : {"en", "zh"}
    """
    use = result.calibration
    if use is None or use.refused:
        return CalibrationView(tuple(_statement(use, language)))
    calibration = use.calibration
    return CalibrationView(
        (*_statement(use, language), *_clean(calibration, language)),
        _notes(calibration, language),
        calibration_figures(calibration, language),
        tuple(in_language(w, language) for w in calibration.unseen),
    )


def _statement(use: CalibrationUse | None, language: str) -> Iterator[str]:
    """Say whether the verdicts rest on a calibration."""
    _ = translator(language).gettext
    if use is None:
        yield _(
            "This study was not calibrated: how often its measures miss a defect, and how often "
            "they fail clean data, is not known. `sdq calibrate STUDY` measures both on its own "
            "real data; `sdq evaluate STUDY --calibration calibration.json` then holds the "
            "verdicts against them."
        )
        return
    if use.refused:
        joined = text("semicolon", language).join(in_language(w, language) for w in use.refused)
        yield sentence(
            _("The calibration that was given says nothing of this study: {reasons}").format(
                reasons=joined
            ),
            language,
        )
        yield _("The verdicts are those of the measures alone; calibrate this study anew.")
        return
    yield _("Defects were planted in real data, and the measures were held against them.")
    if not use.same_data:
        yield _(
            "They were planted in other real data than those of this study: the rates hold here as "
            "far as the two are alike."
        )
    for change in use.changed:
        yield sentence(
            _("{characteristic} is {verdict}: {reason}").format(
                characteristic=word(change.characteristic, language),
                verdict=word(change.verdict, language),
                reason=in_language(change.reason, language),
            ),
            language,
        )
    if not use.changed:
        yield _("No pass of this study rests on a measure that was seen to miss a grave defect.")


def _clean(calibration: Calibration, language: str) -> Iterator[str]:
    _ = translator(language).gettext
    if calibration.clean.study is not None:
        said = in_language(calibration.clean.study.in_words(), language)
        yield _("A fresh real sample failed a mandatory measure in {runs}.").format(runs=said)


def _notes(calibration: Calibration, language: str) -> tuple[str, ...]:
    return tuple(in_language(w, language) for w in calibration.notes)


def validation_blocks(result: Result, language: str) -> Iterator[Block]:
    """Return the validation of the test methods, for a document of the result.

    Parameters
    ----------
    result : Result
    language : {"en", "zh"}
    """
    use = result.calibration
    for k, said in enumerate(_statement(use, language)):
        yield Paragraph(words(said), "body" if k else "statement")
    if use is None or use.refused:
        return
    _ = translator(language).gettext
    yield facts_table([(_("SHA-256 of calibration.json"), words(use.sha256, "mono"))])
    yield from _blocks(use.calibration, language, 2)


def calibration_document(calibration: Calibration, language: str) -> Document:
    """Return calibration as a document of its own.

    Parameters
    ----------
    calibration : Calibration
    language : {"en", "zh"}

    Returns
    -------
    Document
        With one figure more than a result's documents: every measure and rule at every severity.
    """
    _ = translator(language).gettext
    profile = calibration.profile
    facts = [
        (text("modality", language), str(calibration.modality.get("name", ""))),
        (
            word("profile", language),
            text("versioned", language, **{k: profile.get(k, "") for k in ("name", "version")}),
        ),
        (text("version", language), calibration.sdq),
        (_("Runs of each case"), count(calibration.seeds)),
        (text("seed", language), str(calibration.study.get("seed", ""))),
    ]
    blocks: list[Block] = [Heading(_("In brief"), 1)]
    blocks += [Paragraph(words(said), "statement") for said in _clean(calibration, language)]
    blocks += list(_found_in_brief(calibration, language))
    blocks += list(_blocks(calibration, language, 1))
    details = seen_by(calibration, language)
    if details is not None:
        blocks.append(Heading(_("Measures and rules one by one"), 1))
        blocks += figure_blocks(details, language, _("Calibration"))
    blocks.append(Heading(_("Sources of the planted defects"), 1))
    blocks.append(
        facts_table((in_language(d.title, language), words(d.source)) for d in calibration.defects)
    )
    return Document(
        id="calibration",
        language=language,
        title=_("Calibration of the measures"),
        other_title="Calibration of the measures" if Language(language) is Language.ZH else "",
        subject=str(calibration.study.get("name", "")),
        facts=tuple((label, words(said)) for label, said in facts if said),
        blocks=linked(numbered(blocks)),
        made=str(calibration.environment.get("timestamp", "")),
        digest="",
        labels=Labels(
            contents=_("Contents"),
            table=_("Table"),
            figure=_("Figure"),
            result=_("The result from which this document was made"),
        ),
    )


def _found_in_brief(calibration: Calibration, language: str) -> Iterator[Block]:
    _ = translator(language).gettext
    tested = [w for d in calibration.defects if (w := d.worst_grave) is not None]
    if tested:
        sure = sum(w.found.share >= 0.95 for w in tested)
        said = _(
            "Of {count} defects at severities that must not pass, {found} were found in at least "
            "95 % of runs."
        )
        yield Paragraph(words(said.format(count=count(len(tested)), found=count(sure))))


def _blocks(calibration: Calibration, language: str, level: int) -> Iterator[Block]:
    """Yield what the study allows, the figures, and what could not have been seen."""
    _ = translator(language).gettext
    yield Heading(_("What was planted in what"), level)
    yield Bullets(tuple(words(said) for said in _notes(calibration, language)))
    yield Heading(_("Detection and false alarms"), level)
    for figure in calibration_figures(calibration, language):
        yield from figure_blocks(figure, language, _("Calibration"))
    yield Heading(_("What this study could not have seen"), level)
    unseen = [words(in_language(w, language)) for w in calibration.unseen]
    if unseen:
        yield Bullets(tuple(unseen))
    else:
        yield Paragraph(words(_("Every planted defect was found at every severity.")))
    yield from _left_out(calibration, language)


def _left_out(calibration: Calibration, language: str) -> Iterator[Block]:
    """Yield the cases that the budget left out, and those that failed."""
    _ = translator(language).gettext
    titles = {d.id: d for d in calibration.defects}
    if calibration.left_out:
        yield Paragraph(words(_("The time budget left out:")))
        said = []
        for case in calibration.left_out:
            runs = _("{count} of {seeds} runs").format(
                count=count(case.seeds), seeds=count(calibration.seeds)
            )
            said.append(words(f"{_case(case, titles, language)}{text('colon', language)}{runs}"))
        yield Bullets(tuple(said))
    if calibration.failed:
        yield Paragraph(words(_("Cases that could not be carried out:")))
        yield Bullets(
            tuple(
                words(
                    _("{case}, seed {seed}: {reason}").format(
                        case=_case(case, titles, language), seed=case.seed, reason=case.reason
                    )
                )
                for case in calibration.failed
            )
        )


def _case(case: LeftOut | Failed, titles: Mapping[str, DefectSummary], language: str) -> str:
    """Return the defect and severity of a case."""
    if case.defect is None:
        return translator(language).gettext("fresh real sample")
    defect = titles[case.defect]
    named = in_language(defect.title, language)
    if case.severity is None:
        return named
    at = in_language(defect.at(case.severity), language)
    return f"{named}{text('comma', language)}{at}"
