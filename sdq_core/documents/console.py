"""The verdicts as a table for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sdq_core.documents.naming import word
from sdq_core.documents.texts import text
from sdq_core.documents.typography import visible
from sdq_core.documents.view import Deciding, overview
from sdq_core.vocabulary import Verdict

if TYPE_CHECKING:
    from rich.table import Table

    from sdq_core.result import Result

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
        not met and each mandatory measure that is inconclusive or not assessed.
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
        for measure in row.deciding:
            if lines:
                lines.append("\n")
            lines.append(f"{GLYPHS[measure.verdict]} ", style=_STYLES[measure.verdict])
            lines.append(_line(measure, language), style="default")
        verdict = Text(f"{GLYPHS[row.verdict]} {word(row.verdict, language)}")
        verdict.stylize(_STYLES[row.verdict])
        table.add_row(Text(row.name), verdict, lines)
    return table


def _line(measure: Deciding, language: str) -> str:
    """Return one line; a terminal breaks at no-break spaces badly, so percent signs stand close."""
    said = visible(f"{measure.name}{text('colon', language)}{measure.said}")
    return said.replace("\n", " ").replace("\u00a0%", "%")
