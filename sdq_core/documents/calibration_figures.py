"""What calibration found, as figures that report and documents share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from markupsafe import Markup

from sdq_core.calibration.model import (
    Calibration,
    DefectSummary,
    Estimated,
    Rate,
    SeveritySummary,
    Tally,
    Words,
)
from sdq_core.documents.figures import Figure, Panel
from sdq_core.documents.naming import word
from sdq_core.documents.numbers import count, number, span
from sdq_core.documents.svg import Canvas
from sdq_core.documents.texts import text
from sdq_core.documents.typography import chinese
from sdq_core.translation import translator
from sdq_core.vocabulary import Characteristic, Language

__all__ = ["calibration_figures", "in_language", "measure_title", "seen_by"]

_SLOT: Final = 46.0
_FULL: Final = 30.0
"""Height of a bar at 100 %."""
_FOOT: Final = 36.0
_POWER: Final = 0.8
_NAMES: Final = 236.0
_CELL: Final = 58.0
_ROW: Final = 20.0
_MOST_ROWS: Final = 32
"""Rows of a drawing that fits a page."""
_WIDE: Final = 0x2E80
"""From here on characters are twice as wide."""


def in_language(words: Words, language: str) -> str:
    """Return a sentence in one language."""
    return words.zh if Language(language) is Language.ZH else words.en


def measure_title(calibration: Calibration, identifier: str, language: str) -> str:
    """Return what a measure is called; a rule, or a measure without a name, by its id."""
    known = calibration.titles.get(identifier)
    if known is None:
        return identifier
    return chinese(known.title_zh) if Language(language) is Language.ZH else known.title


def calibration_figures(calibration: Calibration, language: str) -> tuple[Figure, ...]:
    """Return detection, confusion, false alarms and estimates, as far as there are any.

    Parameters
    ----------
    calibration : Calibration
    language : {"en", "zh"}
    """
    tested = [d for d in calibration.defects if d.severities]
    figures = (
        *_detection(tested, language),
        *_confusion(calibration, tested, language),
        *_false_alarms(calibration, language),
        *_estimates(calibration, tested, language),
    )
    return tuple(figures)


def _detection(defects: Sequence[DefectSummary], language: str) -> Iterator[Figure]:
    if not defects:
        return
    _ = translator(language).gettext
    rows = []
    for defect in defects:
        at = next((s for s in defect.severities if s.grave), None)
        smallest = defect.smallest_found
        rows.append(
            (
                in_language(defect.title, language),
                text("list", language).join(word(t, language) for t in defect.targets),
                Markup(_bars(defect, language)),  # noqa: S704 - Canvas escapes
                text("none", language)
                if smallest is None
                else in_language(defect.at(smallest), language),
                "–" if at is None else _where(defect, at, language),
            )
        )
    yield Figure(
        "detection",
        _("Planted defects, and how often they were found"),
        columns=(
            _("Defect"),
            _("What must fail"),
            _("Found, by severity"),
            _("Found from here on"),
            _("Found where it must not pass"),
        ),
        rows=tuple(rows),
        notes=(
            _(
                "Bars: share of runs in which a characteristic that must fail does fail, with the "
                "95 % interval (Clopper-Pearson); line: 80 %. Bold: severities that must not pass. "
                "“Found from here on”: the smallest tested severity from which on at least 80 % of "
                "runs find the defect at this number of items."
            ),
        ),
    )


def _where(defect: DefectSummary, at: SeveritySummary, language: str) -> str:
    """Return how often a defect was found at a severity, with the severity in its unit."""
    severity = in_language(defect.at(at.severity), language)
    return f"{severity}{text('comma', language)}{_said(at.found, language)}"


def _bars(defect: DefectSummary, language: str) -> str:
    _ = translator(language).gettext
    width = max(_SLOT * len(defect.severities), 2 * _SLOT)
    said = _("Shares of runs that found the defect “{defect}”, by severity")
    canvas = Canvas(width, 54, said.format(defect=in_language(defect.title, language)))
    line = _FOOT - _POWER * _FULL
    canvas.line([(0, line), (width, line)], "grid")
    for k, severity in enumerate(defect.severities):
        middle = (k + 0.5) * _SLOT
        found = severity.found
        height = _FULL * found.share
        canvas.rect(middle - 9, _FOOT - height, 18, height, "synthetic-heat heat-3")
        ends = [(middle, _FOOT - _FULL * found.low), (middle, _FOOT - _FULL * found.high)]
        canvas.line(ends, "whisker")
        strong = "t strong" if severity.grave else "t"
        label = f"{100 * severity.severity:g}%" if defect.unit.en == "share" else ""
        canvas.label(middle, 49, label or f"{severity.severity:g}", strong, "middle")
    canvas.line([(0, _FOOT), (width, _FOOT)], "axis")
    return canvas.svg()


def _confusion(
    calibration: Calibration, defects: Sequence[DefectSummary], language: str
) -> Iterator[Figure]:
    _ = translator(language).gettext
    rows: list[tuple[str, dict[Characteristic, Tally], DefectSummary | None]] = []
    if calibration.clean.runs:
        rows.append((_("fresh real sample"), calibration.clean.characteristics, None))
    for defect in defects:
        grave = next((s for s in defect.severities if s.grave), None)
        if grave is not None:
            named = in_language(defect.title, language)
            at = in_language(defect.at(grave.severity), language)
            rows.append((f"{named}{text('comma', language)}{at}", grave.characteristics, defect))
    if not rows:
        return
    parts = [rows[k : k + _MOST_ROWS] for k in range(0, len(rows), _MOST_ROWS)]
    columns = text("semicolon", language).join(
        f"{k} {word(c, language)}" for k, c in enumerate(Characteristic, 1)
    )
    yield Figure(
        "confusion",
        _("Which characteristics failed"),
        panels=tuple(
            Panel(Markup(_matrix(part, language)))  # noqa: S704 - Canvas escapes
            for part in parts
        ),
        notes=(
            columns + ("。" if Language(language) is Language.ZH else "."),
            _(
                "Percent of runs in which the characteristic fails, the defect being at the "
                "smallest severity that must not pass. Framed: must fail, one of them at least; "
                "dashed: may fail as well, and rightly; every other number is a confusion."
            ),
        ),
    )


def _matrix(
    rows: Sequence[tuple[str, dict[Characteristic, Tally], DefectSummary | None]], language: str
) -> str:
    _ = translator(language).gettext
    width, height = _NAMES + _CELL * len(Characteristic), 20 + _ROW * len(rows) + 4
    canvas = Canvas(width, height, _("Characteristics that failed, by planted defect"))
    for k in range(len(Characteristic)):
        canvas.label(_NAMES + k * _CELL + 7, 13, str(k + 1), "t strong", "middle")
    for row, (named, tallies, defect) in enumerate(rows):
        top = 20 + row * _ROW
        canvas.line([(0, top), (width, top)], "grid")
        canvas.label(0, top + 14, _cut(named), "t strong" if defect is None else "t")
        for k, characteristic in enumerate(Characteristic):
            x, tally = _NAMES + k * _CELL, tallies.get(characteristic)
            if tally is None:
                continue
            frame = [(x, top + 3), (x + 14, top + 3), (x + 14, top + 17), (x, top + 17),
                     (x, top + 3)]  # fmt: skip
            share = tally.fail.share
            if share:
                level = min(5, 1 + int(share * 5))
                canvas.rect(x, top + 3, 14, 14, f"synthetic-heat heat-{level}")
            if defect is not None and characteristic in defect.targets:
                canvas.line(frame, "axis")
            elif defect is not None and characteristic in defect.side_effects:
                canvas.line(frame, "diagonal")
            if tally.not_assessed == tally.fail.n:
                canvas.label(x + 19, top + 14, "–")
            elif share or defect is None or characteristic in defect.targets:
                canvas.label(x + 19, top + 14, f"{100 * share:.0f}")
    return canvas.svg()


def _cut(words: str) -> str:
    """Shorten a name to the width of its column."""
    width, kept = 0, ""
    for character in words:
        width += 2 if ord(character) > _WIDE else 1
        if width > 40:
            return f"{kept}…"
        kept += character
    return words


def _false_alarms(calibration: Calibration, language: str) -> Iterator[Figure]:
    clean = calibration.clean
    rows = [
        (
            measure_title(calibration, name, language),
            _said(tally.fail, language),
            count(tally.inconclusive),
            count(tally.not_assessed),
        )
        for name, tally in clean.measures.items()
        if tally.fail.count or tally.inconclusive or tally.not_assessed
    ]
    if not rows:
        return
    _ = translator(language).gettext
    yield Figure(
        "false_alarms",
        _("What a fresh real sample set off"),
        columns=(
            _("Measure"),
            _("Fails, of runs"),
            _("Inconclusive"),
            _("Not assessed"),
        ),
        rows=tuple(rows),
        numeric=frozenset({2, 3}),
        notes=(_("Measures that are not listed passed in every run."),),
    )


def _estimates(
    calibration: Calibration, defects: Sequence[DefectSummary], language: str
) -> Iterator[Figure]:
    _ = translator(language).gettext
    clean = _("fresh real sample")
    found: list[tuple[str, Estimated]] = [(clean, e) for e in calibration.clean.estimated]
    found += [
        (in_language(d.title, language), s.estimated)
        for d in defects
        for s in d.severities
        if s.estimated is not None
    ]
    if not found:
        return
    yield Figure(
        "estimates",
        _("Estimated beside planted shares"),
        columns=(
            _("Planted"),
            _("Measure"),
            _("Share planted"),
            _("Mean estimate"),
            _("Largest difference"),
            _("Near, of runs"),
        ),
        rows=tuple(
            (
                named,
                measure_title(calibration, e.measure, language),
                number(e.planted, "share", language),
                "–" if e.mean is None else number(round(e.mean, 4), "share", language),
                "–"
                if e.largest_difference is None
                else number(round(e.largest_difference, 4), "share", language),
                "–" if e.near is None else _said(e.near, language),
            )
            for named, e in found
        ),
        numeric=frozenset({2, 3, 4}),
        notes=(
            _(
                "Near: the planted share lies within 2 percentage points of the estimate or inside "
                "its own interval."
            ),
        ),
    )


def seen_by(calibration: Calibration, language: str) -> Figure | None:
    """Return how often each measure and rule saw the defects that it is there to see.

    Parameters
    ----------
    calibration : Calibration
    language : {"en", "zh"}

    Returns
    -------
    Figure or None
        A table with a row for each defect, severity and measure; None without any run.
    """
    _ = translator(language).gettext
    rows = tuple(
        (
            in_language(defect.title, language),
            in_language(defect.at(severity.severity), language),
            measure_title(calibration, name, language),
            *_seen(severity, name, language),
        )
        for defect in calibration.defects
        for severity in defect.severities
        for name in defect.sees
    )
    if not rows:
        return None
    return Figure(
        "seen_by",
        _("Which measures and rules saw the defects"),
        columns=(
            _("Defect"),
            _("Severity"),
            _("Measure or rule"),
            _("Saw it, of runs"),
            _("Inconclusive"),
            _("Not assessed"),
        ),
        rows=rows,
        numeric=frozenset({4, 5}),
        notes=(
            _(
                "A measure saw a defect where it fails; a rule where more items break it than of "
                "the same items without the defect."
            ),
        ),
    )


def _seen(severity: SeveritySummary, name: str, language: str) -> tuple[str, str, str]:
    if name in severity.measures:
        tally = severity.measures[name]
        return _said(tally.fail, language), count(tally.inconclusive), count(tally.not_assessed)
    if name in severity.rules:
        return _said(severity.rules[name], language), "–", "–"
    return "–", "–", "–"


def _said(rate: Rate, language: str) -> str:
    """Return a rate with its interval, whole percents."""
    inside = span(round(rate.low, 2), round(rate.high, 2), "share", language)
    said = f"{count(rate.count)} / {count(rate.n)}"
    return said + text("bracketed", language, remark=inside)
