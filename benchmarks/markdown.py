"""Put measured tables into a page, between two markers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def replace_measured(page: Path, lines: list[str], part: str = "") -> None:
    """Replace what stands between the markers of a page, each of which it holds once.

    Parameters
    ----------
    page : Path
    lines : list of str
    part : str
        A page of several benchmarks has a pair of markers for each: ``measured signals``.

    Raises
    ------
    ValueError
        The page has not both markers, once each and in this order.
    """
    name = f"measured {part}".rstrip()
    first, last = f"<!-- {name}: start -->", f"<!-- {name}: end -->"
    text = page.read_text(encoding="utf-8")
    head, start, rest = text.partition(first)
    _, end, tail = rest.partition(last)
    if not (start and end) or first in rest or last in head + tail:
        raise ValueError(f"{page}: needs the lines {first} and {last}, once each, in this order")
    body = "\n".join(lines).strip("\n")
    page.write_text(f"{head}{first}\n\n{body}\n\n{last}{tail}", encoding="utf-8")


def printed(lines: Iterable[str]) -> list[str]:
    """Print lines as they are made, and return them."""
    kept = []
    for line in lines:
        print(line, flush=True)
        kept.append(line)
    return kept
