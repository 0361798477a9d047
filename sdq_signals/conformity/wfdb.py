"""The linter of WFDB records: all violations of a header and its data, each with its field.

Rules and their sources are in `sdq_signals.conformity.wfdb_rules`. The header is taken apart here
and not by the reader, which stops at the first line that it cannot understand.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Final

from sdq_core.errors import UnreadableItem
from sdq_core.finding import Finding
from sdq_signals.conformity import sufficiency
from sdq_signals.conformity.rules import merged, violation
from sdq_signals.conformity.wfdb_data import data_findings
from sdq_signals.conformity.wfdb_identifiers import identifiers
from sdq_signals.conformity.wfdb_lines import Lines, SignalLine, signal_line
from sdq_signals.formats.wfdb_header import data_file

__all__ = ["check"]

_FREQUENCY = re.compile(
    r"(?P<rate>[^/()]+)(?:/(?P<counter>[^()]+)(?:\((?P<base>[^()]+)\))?)?", re.ASCII
)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_TIME = re.compile(r"(?:(?:(\d{1,2}):)?(\d{1,2}):)?(\d{1,2}(?:\.\d*)?)", re.ASCII)
_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_LONGEST_LINE: Final = 255
"""Characters, line end included."""


def check(path: Path, rates: Collection[float] | None = None) -> tuple[Finding, ...]:
    """List all violations of a WFDB record.

    Parameters
    ----------
    path : Path
        Its header, ``.hea``.
    rates : collection of float, optional
        Sampling rates that the data set declares; another one gets a warning.

    Returns
    -------
    tuple of Finding
        Areas ``conformity`` (the format), ``metadata`` (sufficiency) and ``identifier``. Data files
        are compared with checksum and initial value where they hold at most
        `sdq_signals.conformity.wfdb_data.MOST_BYTES`, else by size and a part of their samples.
    """
    try:
        lines = Lines.read(path)
    except OSError:
        return (violation("conformity.wfdb_header", "header"),)
    if lines.record is None or len(lines.record.fields) < 2:
        return merged(
            chain(
                _text(lines),
                [violation("conformity.wfdb_header", "record line")],
                identifiers(path, lines),
            )
        )
    return merged(
        chain(
            _text(lines), _record(path, lines, rates), _body(path, lines), identifiers(path, lines)
        )
    )


def _text(lines: Lines) -> Iterator[Finding]:
    long = [line.number for line in lines.all if len(line.text) > _LONGEST_LINE - 1]
    if long:
        yield violation("conformity.wfdb_line_length", f"line {long[0]}")
    odd = [line.number for line in lines.all if re.search(r"[^\x20-\x7e\t]", line.text)]
    if odd:
        yield violation("conformity.wfdb_characters", f"line {odd[0]}")


def _record(path: Path, lines: Lines, rates: Collection[float] | None) -> Iterator[Finding]:
    """Judge the record line."""
    fields = lines.fields
    name, slash, segments = fields[0].partition("/")
    if not re.fullmatch(r"\w+", name, re.ASCII):
        yield violation("conformity.wfdb_record_name", "record name")
    if name != path.stem:
        yield violation("conformity.wfdb_record_name_differs", "record name")
    if slash and not re.fullmatch(r"[1-9]\d*", segments, re.ASCII):
        yield violation("conformity.wfdb_segments", "number of segments")
    if lines.signal_count is None:
        yield violation("conformity.wfdb_signal_count", "number of signals")
    if len(fields) < 3:
        yield violation("metadata.sampling_rate_missing", "sampling frequency")
    else:
        yield from _frequency(fields[2], rates)
    if len(fields) < 4:
        yield violation("metadata.sample_count_missing", "number of samples")
    elif not re.fullmatch(r"\d+", fields[3], re.ASCII):
        yield violation("conformity.wfdb_sample_count", "number of samples")
    elif int(fields[3]) == 0:
        yield violation("metadata.sample_count_missing", "number of samples")
    if len(fields) > 4 and not _is_time(fields[4]):
        yield violation("conformity.wfdb_base_time", "base time")
    if len(fields) > 5 and not _is_date(fields[5]):
        yield violation("conformity.wfdb_base_date", "base date")
    if len(fields) > 6:
        yield violation("conformity.wfdb_record_line", "record line")


def _frequency(text: str, rates: Collection[float] | None) -> Iterator[Finding]:
    match = _FREQUENCY.fullmatch(text)
    parts = [] if match is None else [part for part in match.groups() if part is not None]
    if not parts or not all(_NUMBER.fullmatch(part) for part in parts):
        yield violation("conformity.wfdb_sampling_frequency", "sampling frequency")
        yield violation("metadata.sampling_rate_missing", "sampling frequency")
        return
    rate = float(parts[0])
    if rate <= 0 or (len(parts) > 1 and float(parts[1]) <= 0):
        yield violation("conformity.wfdb_sampling_frequency", "sampling frequency")
    if rate <= 0:
        yield violation("metadata.sampling_rate_missing", "sampling frequency")
    else:
        yield from sufficiency.rate(rate, rates, "sampling frequency")


def _is_time(text: str) -> bool:
    """Hours, minutes, seconds; only seconds or minutes and seconds may be given."""
    match = _TIME.fullmatch(text)
    return match is not None and all(
        part is None or float(part) < limit
        for part, limit in zip(match.groups(), (24, 60, 60), strict=True)
    )


def _is_date(text: str) -> bool:
    match = _DATE.fullmatch(text)
    if match is None:
        return False
    try:
        date(int(match[3]), int(match[2]), int(match[1]))
    except ValueError:
        return False
    return True


def _body(path: Path, lines: Lines) -> Iterator[Finding]:
    """Judge signal or segment lines, and the data."""
    if "/" in lines.fields[0]:
        yield from _segments(path, lines)
        return
    count = lines.signal_count
    if count is not None and count != len(lines.signals):
        yield violation("conformity.wfdb_signal_count", "number of signals")
    for k, signal in enumerate(lines.signals):
        yield from signal_line(signal, f"signal {k + 1}")
        yield from _sufficient(signal, f"signal {k + 1}")
    places = [f"signal {k + 1}.description" for k in range(len(lines.signals))]
    yield from sufficiency.names([s.name for s in lines.signals], places)
    yield from data_findings(path, lines)


def _sufficient(signal: SignalLine, place: str) -> Iterator[Finding]:
    if not signal.gain:
        yield violation("metadata.gain_missing", f"{place}.gain")
    # Without a unit mV is meant by the format, but nobody can tell that from one forgotten.
    poor = sufficiency.unit(signal.name, signal.unit, f"{place}.units")
    if poor is not None:
        yield poor


def _segments(path: Path, lines: Lines) -> Iterator[Finding]:
    """Judge a record of several segments; each segment's own header is an item of its own."""
    promised = lines.fields[0].partition("/")[2]
    total, known = 0, True
    for k, line in enumerate(lines.body):
        fields = line.fields
        if len(fields) != 2 or not re.fullmatch(r"\d+", fields[1], re.ASCII):
            yield violation("conformity.wfdb_segments", f"segment {k + 1}")
            known = False
            continue
        total += int(fields[1])
        if fields[0] == "~":
            continue
        try:
            inner = data_file(path, f"{fields[0]}.hea")
        except UnreadableItem:
            yield violation("conformity.wfdb_file_name", f"segment {k + 1}")
            continue
        if not inner.is_file():
            yield violation("conformity.wfdb_segments", f"segment {k + 1}")
            continue
        below = Lines.read(inner)
        yield from (
            Finding(f.rule, f.severity, f.message, f.message_zh, f"segment {k + 1}, {f.where}")
            for f in merged(_body(inner, below))
            if below.record is not None and len(below.fields) > 1 and "/" not in below.fields[0]
        )
    if promised.isdecimal() and int(promised) != len(lines.body):
        yield violation("conformity.wfdb_segments", "number of segments")
    stated = lines.fields[3] if len(lines.fields) > 3 else ""
    if known and stated.isdecimal() and int(stated) not in (0, total):
        yield violation("conformity.wfdb_segments", "number of samples")
