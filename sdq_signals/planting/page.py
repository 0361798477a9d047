"""The catalogue as a table for the documentation.

    python -m sdq_signals.planting.page docs/defects_signals.md

writes the table anew between the two marks of the page.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from sdq_signals.planting.catalogue import catalogue
from sdq_signals.planting.coverage import UNPLANTED, UNPLANTED_MEASURES
from sdq_signals.planting.fitting import FORMATS, NAMES
from sdq_signals.planting.planted import Planted

__all__ = ["refreshed", "table"]

BEGIN: Final = "<!-- catalogue: python -m sdq_signals.planting.page docs/defects_signals.md -->"
END: Final = "<!-- /catalogue -->"
MOST_SEEN: Final = 6
"""Ids that are written out; more are counted."""


def table() -> str:
    """Return the catalogue, and what it leaves out, in Markdown.

    Examples
    --------
    >>> "| `heart-rate`<br>heart rate too low |" in table()
    True
    """
    lines = [
        "| defect | severities (from the bold one on unacceptable) | must fail, one of | may fail "
        "as well | sees it | planted in | source |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(_line(p) for p in catalogue()),
        "",
        "| not planted | why |",
        "| --- | --- |",
        *(
            f"| `{_short(key)}` | {reason} |"
            for key, reason in {**UNPLANTED, **UNPLANTED_MEASURES}.items()
        ),
    ]
    return "\n".join(lines)


def refreshed(page: str) -> str:
    """Return a page with the table of today between its marks."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{table()}\n\n{END}{tail}"


def _line(planted: Planted) -> str:
    d = planted.defect
    severities = ", ".join(f"**{s:g}**" if s == d.unacceptable else f"{s:g}" for s in d.severities)
    seen = [f"`{_short(s)}`" for s in d.sees[:MOST_SEEN]]
    if len(d.sees) > MOST_SEEN:
        seen.append(f"and {len(d.sees) - MOST_SEEN} more")
    cells = (
        f"`{d.id}`<br>{d.title[0]}",
        f"{severities}<br>{d.unit[0]}",
        ", ".join(map(str, d.targets)),
        ", ".join(map(str, d.side_effects)) or "nothing else",
        ", ".join(seen),
        _where(planted),
        d.source,
    )
    return f"| {' | '.join(cells)} |"


def _where(planted: Planted) -> str:
    needs = planted.needs
    words = []
    if needs.kinds:
        words.append(", ".join(NAMES[k][0] for k in needs.kinds))
    broken = dict.fromkeys(name for family in planted.families for name in family)
    formats: tuple[str, ...] = needs.formats or tuple(broken)
    if formats and len(formats) < len(FORMATS):
        words.append(", ".join(dict.fromkeys(FORMATS[f] for f in formats)))
    words += [f"with {n}" for n in planted.defect.needs]
    return "; ".join(words) or "all recordings"


def _short(identifier: str) -> str:
    return identifier.removeprefix("signals.")


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(refreshed(path.read_text(encoding="utf-8")), encoding="utf-8")
