"""The verdicts as a table for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sdq_core.documents.axis import acceptable
from sdq_core.documents.numbers import estimate
from sdq_core.documents.texts import text
from sdq_core.documents.typography import visible
from sdq_core.documents.view import deciding, name, overview, reason, word
from sdq_core.vocabulary import Verdict

if TYPE_CHECKING:
    from rich.table import Table

    from sdq_core.result import MeasurementModel, Result

__all__ = ["GLYPHS", "verdict_table"]

GLYPHS: Final = {
    Verdict.PASS: "✓",
    Verdict.FAIL: "✗",
    Verdict.INCONCLUSIVE: "?",
    Verdict.NOT_ASSESSED: "–",
}
_STYLES: Final = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.NOT_ASSESSED: "dim",
}


def verdict_table(result: Result, language: str) -> Table:
    """Return the seven verdicts with what decided them.

    Parameters
    ----------
    result : Result
    language : {"en", "zh"}

    Returns
    -------
    rich.table.Table
        Columns characteristic, verdict and deciding measures: one line for each criterion that is
        not met, each mandatory measure that is inconclusive, and, where that decides, not assessed.
    """
    from rich.table import Table
    from rich.text import Text

    table = Table(title=visible(str(result.study.get("name", ""))) or None, title_justify="left")
    table.add_column(text("characteristic", language), no_wrap=False)
    table.add_column(word("verdict", language), no_wrap=True)
    table.add_column(text("decided_by", language), overflow="fold")
    for row in overview(result, language):
        # Text, not markup: brackets in a name must mean nothing.
        lines = Text(row.remark, style="dim")
        listed = [m for m in result.measurements if m.characteristic.value == row.id and _open(m)]
        if row.verdict is Verdict.NOT_ASSESSED:
            own = [m for m in listed if m.verdict is not Verdict.NOT_ASSESSED]
            listed = own + [
                m for c in result.verdicts if c.value == row.id for m in deciding(result, c)
            ]
        for measurement in listed:
            if lines:
                lines.append("\n")
            assert measurement.verdict is not None, "only judged measurements are listed"
            glyph = f"{GLYPHS[measurement.verdict]} "
            lines.append(glyph, style=_STYLES[measurement.verdict])
            lines.append(_line(result, measurement, language), style="default")
        verdict = Text(f"{GLYPHS[row.verdict]} {word(row.verdict, language)}")
        verdict.stylize(_STYLES[row.verdict])
        table.add_row(Text(row.name), verdict, lines)
    return table


def _open(measurement: MeasurementModel) -> bool:
    """Whether a measurement keeps the study from passing, by what is known of it."""
    if measurement.criterion is None:
        return False
    if measurement.verdict is Verdict.FAIL:
        return True
    return measurement.criterion.mandatory and measurement.verdict is Verdict.INCONCLUSIVE


def _line(result: Result, measurement: MeasurementModel, language: str) -> str:
    called = name(result, measurement, language)
    if measurement.criterion is not None and not measurement.criterion.mandatory:
        called = text("aside", language, words=called, remark=text("optional", language))
    if measurement.value is None or measurement.verdict is Verdict.NOT_ASSESSED:
        said = reason(measurement, language)
    else:
        said = estimate(measurement.value, measurement.interval, measurement.unit, language)
        limits = acceptable(measurement, language)
        if limits:
            said += f"{text('comma', language)}{text('acceptable', language).lower()} {limits}"
    return (
        visible(f"{called}{text('colon', language)}{said}")
        .replace("\n", " ")
        .replace("\u00a0%", "%")
    )
