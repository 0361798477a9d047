"""Identifiers in WFDB records: info strings, record line, descriptions, annotations' texts."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np

from sdq_core.finding import Finding
from sdq_signals.conformity.rules import violation
from sdq_signals.conformity.texts import keyed, patterns
from sdq_signals.conformity.wfdb_lines import Lines

__all__ = ["identifiers", "notes"]

_MOST_BYTES: Final = 2**20
_MOST_FILES: Final = 8
_SETTLED_NS: Final = 2_000_000_000
_DATE = re.compile(
    r"\b(?P<d>\d{1,2})[/.-](?P<m>\d{1,2}|[A-Za-z]{3})[/.-](?P<y>\d{4}|\d\d)\b"
    r"|\b(?P<y2>\d{4})[/.-](?P<m2>\d{1,2})[/.-](?P<d2>\d{1,2})\b"
)
_AGE = re.compile(r"<?\bage>?\s*[:=]?\s*(\d{2,3})\b", re.IGNORECASE)
_TELLING = re.compile(r"[^\W\d_]{3}|\d{4}|[\u3400-\u9fff]")
"""What a text holds in which an identifier can be: a word, a number of some length."""
_AUX = 63 << 2


def identifiers(path: Path, lines: Lines) -> Iterator[Finding]:
    """Find what points to a person.

    Parameters
    ----------
    path : Path
        The header.
    lines : Lines

    Yields
    ------
    Finding
        Errors for names, record numbers, full dates of birth and what `sdq_core.identifiers`
        recognises; warnings for other dates but 1 January and for ages over 89.
    """
    fields = lines.fields
    if len(fields) > 5 and (match := _DATE.fullmatch(fields[5])) and _tells_day(match):
        yield violation("identifier.date", "base date")
    if fields:
        yield from patterns(fields[0].replace("_", " "), "record name")
    for number, line in enumerate(lines.comments, start=1):
        where, text = f"comment {number}", line.text.lstrip("# \t")
        yield from _judge(text, where)
        if any(map(_tells_day, _DATE.finditer(text))):
            yield violation("identifier.date", where)
        if any(int(match[1]) > 90 for match in _AGE.finditer(text)):
            yield violation("identifier.age_over_89", where)
    for k, signal in enumerate(lines.signals):
        if signal.name:
            yield from patterns(signal.name, f"signal {k + 1}.description")
    signals = {signal.file for signal in lines.signals}
    for file in _annotation_files(path, signals):
        text = "\n".join(notes(file))
        yield from _judge(text, f"annotations .{file.suffix.lstrip('.')}")


def _judge(text: str, where: str) -> Iterator[Finding]:
    found = {f.rule: f for f in patterns(text, where)}
    for finding in keyed(text, where):
        found.setdefault(finding.rule, finding)
    yield from found.values()


def _tells_day(match: re.Match[str]) -> bool:
    """Return whether a match is a calendar date other than 1 January."""
    months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
    month = (match["m"] or match["m2"]).lower()
    try:
        number = months.index(month) + 1 if month.isalpha() else int(month)
        date(int(match["y"] or match["y2"]) or 2000, number, int(match["d"] or match["d2"]))
    except ValueError:
        return False
    return (number, int(match["d"] or match["d2"])) != (1, 1)


def _annotation_files(path: Path, signals: set[str]) -> list[Path]:
    """Return the files beside a header that have its name and are no signal files."""
    changed = path.parent.stat().st_mtime_ns
    # A folder that changed just now may change again within a tick of its clock.
    settled = time.time_ns() - changed > _SETTLED_NS
    read = _names_in if settled else _names_in.__wrapped__
    names = read(path.parent, changed).get(path.stem, [])
    found = [
        path.parent / name
        for name in names
        if not name.lower().endswith((".hea", ".dat", ".mat")) and name not in signals
    ]
    return sorted(file for file in found if file.is_file() and not file.is_symlink())[:_MOST_FILES]


@lru_cache(maxsize=8)
def _names_in(folder: Path, changed: int) -> dict[str, list[str]]:
    """Names in a folder by what stands before each of their dots.

    Read once for all records of a folder, until the folder changes.
    """
    found: dict[str, list[str]] = {}
    for name in (file.name for file in folder.iterdir()):
        for dot in re.finditer(r"\.", name):
            found.setdefault(name[: dot.start()], []).append(name)
    return found


def notes(path: Path) -> list[str]:
    """Return the auxiliary texts of an annotation file, each once.

    Parameters
    ----------
    path : Path
        In the MIT format, annot(5): a word of code 63 is followed by as many bytes as it says.

    Returns
    -------
    list of str
        Of the first mebibyte. What is no annotation file gives whatever texts look like that.
    """
    with path.open("rb") as file:
        data = file.read(_MOST_BYTES)
    octets = np.frombuffer(data[: len(data) // 2 * 2], np.uint8).reshape(-1, 2)
    # The length is below 256, so the second byte of the word is the code alone.
    heads = np.flatnonzero((octets[:, 1] == _AUX) & (octets[:, 0] > 2))
    texts = {data[2 * k + 2 : 2 * k + 2 + int(octets[k, 0])] for k in heads.tolist()}
    spoken = (text.rstrip(b"\0").decode("utf-8", "replace") for text in texts)
    return sorted({text for text in spoken if _TELLING.search(text) and text.isprintable()})
