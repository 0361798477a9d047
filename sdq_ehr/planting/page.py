"""The catalogue as a table of the documentation."""

from __future__ import annotations

from collections.abc import Iterator

from sdq_core.vocabulary import term
from sdq_ehr.planting.catalogue import CATALOGUE, UNPLANTED

__all__ = ["catalogue_table"]


def catalogue_table() -> str:
    """Return both tables in Markdown: what is planted, and what is not.

    Examples
    --------
    >>> catalogue_table().splitlines()[0]
    '| defect | 说明 | must fail | may fail too | severities | seen by | source |'
    """
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "| defect | 说明 | must fail | may fail too | severities | seen by | source |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for d in CATALOGUE:
        scale = ", ".join(f"**{s:g}**" if s == d.unacceptable else f"{s:g}" for s in d.severities)
        cells = (
            f"`{d.id}`: {d.title[0]}",
            d.title[1],
            ", ".join(term(t) for t in d.targets),
            ", ".join(term(t) for t in d.side_effects) or "nothing",
            f"{scale} {d.unit[0]}",
            ", ".join(f"`{s.removeprefix('ehr.')}`" for s in d.sees),
            d.source + (f"; needs {', '.join(d.needs)}" if d.needs else ""),
        )
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield "| measure or rule that is not planted | why |"
    yield "| --- | --- |"
    for name, why in UNPLANTED.items():
        yield f"| `{name}` | {why} |"
