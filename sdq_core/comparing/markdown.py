"""A comparison of two results as Markdown, for the comment of a pull request."""

from __future__ import annotations

import re
from typing import Final

from sdq_core.comparing.changes import Change, Comparison
from sdq_core.comparing.words import (
    difference_words,
    estimate_words,
    measure_words,
    mismatch_words,
    outcome_words,
    rule_words,
    summary_words,
    verdict_words,
)
from sdq_core.documents.naming import word
from sdq_core.documents.texts import text
from sdq_core.documents.typography import visible
from sdq_core.translation import translator

__all__ = ["escaped", "markdown"]

_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>#|~@&:$])")


def markdown(comparison: Comparison, language: str, *, everything: bool = False) -> str:
    """Return a comparison as Markdown (GitHub flavoured).

    Parameters
    ----------
    comparison : Comparison
    language : {"en", "zh"}
    everything : bool
        Also measures without a difference.

    Returns
    -------
    str
        Ends with a line feed; names from the data are escaped.
    """
    _ = translator(language).gettext
    names = [escaped(e.name) for e in (comparison.before, comparison.after)]
    lines = [f"**{names[0]} → {names[1]}**", "", escaped(summary_words(comparison, language)), ""]
    lines += [
        f"> {escaped(mismatch_words(m, comparison.before.name, language))}\n>"
        for m in comparison.mismatches
    ]
    lines += _table(
        [text("characteristic", language), *names],
        [
            [escaped(word(c, language)), *_verdicts(verdicts, language)]
            for c, verdicts in comparison.verdicts.items()
        ],
    )
    rows = [
        _row(comparison, change, language)
        for change in comparison.changes
        if everything or change.notable
    ]
    if rows:
        head = [
            word("measurement", language),
            *names,
            _("Difference"),
            "",
            word("verdict", language),
        ]
        lines += ["", *_table(head, rows)]
    lines += [
        "",
        *(f"<sub>{escaped(said)}</sub>\n" for said in rule_words(comparison.tested, language)),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def escaped(words: str) -> str:
    r"""Return text that Markdown takes for text: no markup, no mention, no new cell.

    Examples
    --------
    >>> escaped("a|b <script> @all")
    'a\\|b \\<script\\> \\@all'
    """
    return _SPECIAL.sub(r"\\\1", " ".join(visible(words).split()))


def _verdicts(verdicts: tuple[str, str], language: str) -> list[str]:
    said = [escaped(word(v, language)) for v in verdicts]
    return said if verdicts[0] == verdicts[1] else [f"**{s}**" for s in said]


def _row(comparison: Comparison, change: Change, language: str) -> list[str]:
    outcome = escaped(outcome_words(change, language))
    verdict = escaped(verdict_words(change, language))
    return [
        escaped(measure_words(comparison.after, change.either, language)),
        escaped(estimate_words(change.before, language)),
        escaped(estimate_words(change.after, language)),
        escaped(difference_words(change, language)),
        f"**{outcome}**" if change.notable else outcome,
        verdict,
    ]


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]
