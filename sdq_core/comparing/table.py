"""A comparison of two results as tables for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sdq_core.comparing.changes import Comparison, Outcome, VerdictChange
from sdq_core.comparing.words import (
    difference_words,
    estimate_words,
    measure_words,
    outcome_words,
    verdict_words,
)
from sdq_core.documents.console import GLYPHS
from sdq_core.documents.naming import word
from sdq_core.documents.texts import text
from sdq_core.documents.typography import visible
from sdq_core.translation import translator

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["change_table", "verdict_change_table"]

_STYLES: Final = {Outcome.WORSE: "bold red", Outcome.BETTER: "green", Outcome.CHANGED: "yellow"}
_TURNS: Final = {VerdictChange.WORSE: "bold red", VerdictChange.BETTER: "green"}


def verdict_change_table(comparison: Comparison, language: str) -> Table:
    """Return the seven verdicts of both results."""
    from rich.table import Table
    from rich.text import Text

    table = Table()
    table.add_column(text("characteristic", language))
    for entry in (comparison.before, comparison.after):
        table.add_column(Text(_plain(entry.name)), overflow="fold")
    worse = comparison.worse_verdicts
    for characteristic, verdicts in comparison.verdicts.items():
        style = "" if verdicts[0] is verdicts[1] else ("bold red" if characteristic in worse else
                                                       "green")  # fmt: skip
        said = [Text(f"{GLYPHS[v]} {word(v, language)}", style=style) for v in verdicts]
        table.add_row(Text(word(characteristic, language)), *said)
    return table


def change_table(comparison: Comparison, language: str, *, everything: bool = False) -> Table:
    """Return the measures that changed, or all of them.

    Parameters
    ----------
    comparison : Comparison
    language : {"en", "zh"}
    everything : bool
        Also those without a difference.
    """
    from rich.table import Table
    from rich.text import Text

    _ = translator(language).gettext
    table = Table()
    table.add_column(word("measurement", language), overflow="fold", ratio=3)
    for entry in (comparison.before, comparison.after):
        table.add_column(Text(_plain(entry.name)), overflow="fold", ratio=2)
    table.add_column(_("Difference"), overflow="fold", ratio=2)
    table.add_column(word("verdict", language), overflow="fold", ratio=2)
    for change in comparison.changes:
        if not (everything or change.notable):
            continue
        called = measure_words(comparison.after, change.either, language)
        moved = Text(_plain(difference_words(change, language)))
        moved.append(f"\n{outcome_words(change, language)}", _STYLES.get(change.outcome, "dim"))
        table.add_row(
            Text(_plain(called)),
            Text(_plain(estimate_words(change.before, language))),
            Text(_plain(estimate_words(change.after, language))),
            moved,
            Text(verdict_words(change, language), style=_TURNS.get(change.verdict, "")),
        )
    return table


def _plain(words: str) -> str:
    """Return text that a terminal can break: no-break spaces only keep percent signs away."""
    return visible(words).replace("\n", " ").replace("\u00a0%", "%")
