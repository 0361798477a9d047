"""Put measured tables into a page, between two markers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

START, END = "<!-- measured: start -->", "<!-- measured: end -->"


def replace_measured(page: Path, lines: list[str]) -> None:
    """Replace what stands between the markers of a page, each of which it holds once.

    Raises
    ------
    ValueError
        The page has not both markers, once each and in this order.
    """
    text = page.read_text(encoding="utf-8")
    head, start, rest = text.partition(START)
    _, end, tail = rest.partition(END)
    if not (start and end) or START in rest or END in head + tail:
        raise ValueError(f"{page}: needs the lines {START} and {END}, once each, in this order")
    body = "\n".join(lines).strip("\n")
    page.write_text(f"{head}{START}\n\n{body}\n\n{END}{tail}", encoding="utf-8")


def printed(lines: Iterable[str]) -> list[str]:
    """Print lines as they are made, and return them."""
    kept = []
    for line in lines:
        print(line, flush=True)
        kept.append(line)
    return kept
