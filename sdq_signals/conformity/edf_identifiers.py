"""Identifiers in EDF files: patient and recording fields, annotations, bytes behind the data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sdq_core.finding import Finding
from sdq_core.identifiers import identifiers_in_text
from sdq_core.vocabulary import Severity
from sdq_signals.conformity.rules import violation
from sdq_signals.conformity.texts import code, dummy, keyed, patterns, person
from sdq_signals.formats.edf_annotations import records_of
from sdq_signals.formats.edf_header import EdfHeader
from sdq_signals.formats.edf_subject import (
    edf_date,
    header_date,
    patient_subfields,
    recording_subfields,
    subject,
)

__all__ = ["identifiers"]

_MOST_TEXT: Final = 2**20
"""Bytes of annotation signals that are searched."""
_MOST_TRAILING: Final = 2**16
_NOTE = re.compile(rb"\x14([^\x00\x14\x15]{3,})(?=\x14)")
_PRINTABLE = re.compile(rb"[\x20-\x7e]{8,}")
_WORDS = re.compile(r"[A-Za-z]{3,}[ _^][A-Za-z]{3,}")


def identifiers(path: Path, header: EdfHeader) -> Iterator[Finding]:
    """Find what points to a person.

    Parameters
    ----------
    path : Path
    header : EdfHeader

    Yields
    ------
    Finding
        Errors for direct identifiers: names, record numbers, full dates of birth, and what
        `sdq_core.identifiers` recognises in texts. Warnings for exact dates, short codes and free
        text. A date of 1 January passes: only its year is kept.
    """
    yield from _patient(header)
    yield from _recording(header)
    start = header_date(header.texts["startdate"])
    if start is not None and (start.month, start.day) != (1, 1):
        yield violation("identifier.date", "startdate")
    for k, signal in enumerate(header.signals):
        for name in ("label", "transducer", "prefilter", "reserved"):
            if signal.texts[name]:
                yield from patterns(signal.texts[name], f"signal {k + 1}.{name}")
    yield from _annotations(path, header)
    yield from _trailing(path, header)


def _patient(header: EdfHeader) -> Iterator[Finding]:
    field = header.texts["patient"]
    found = patterns(field, "patient")
    yield from found
    parts = patient_subfields(header)
    if parts is None or len(parts) < 4:
        words = [word for word in re.split(r"[\s,;_^]+", field) if word and not dummy(word)]
        if words and not dummy(field) and not found:
            named = sum(word.isalpha() and len(word) > 1 for word in words) >= 2
            if named:
                yield violation("identifier.name", "patient")
            elif any(re.search(r"\d{4}", word, re.ASCII) for word in words):
                yield violation("identifier.record_number", "patient")
            else:
                yield violation("identifier.free_text", "patient")
        return
    yield from code(parts[0], "patient.code")
    born = edf_date(parts[2].upper())
    if (born is not None and (born.month, born.day) != (1, 1)) or re.fullmatch(
        r"\d{4}-\d\d-\d\d|\d\d\.\d\d\.\d{4}|\d{8}", parts[2], re.ASCII
    ):
        yield violation("identifier.birth_date", "patient.birthdate")
    yield from person(parts[3], "patient.name")
    if any(not dummy(part) for part in parts[4:]):
        yield violation("identifier.free_text", "patient")
    if subject(header).get("age") == "90" and born is not None:
        yield violation("identifier.age_over_89", "patient.birthdate")


def _recording(header: EdfHeader) -> Iterator[Finding]:
    field = header.texts["recording"]
    found = patterns(field, "recording")
    yield from found
    parts = recording_subfields(header)
    if parts is None or len(parts) < 5:
        if not dummy(field.removeprefix("Startdate").strip()) and not found:
            yield violation("identifier.free_text", "recording")
        return
    for finding in code(parts[2], "recording.code"):
        # The number of an investigation points to a person only together with the archive.
        yield violation("identifier.code", finding.where)
    yield from person(parts[3], "recording.technician", "identifier.staff_name")


def _annotations(path: Path, header: EdfHeader) -> Iterator[Finding]:
    if not any(signal.is_annotations for signal in header.signals):
        return
    records = records_of(path, header)
    texts: set[bytes] = set()
    left = _MOST_TEXT
    for signal, offset in zip(header.signals, header.offsets, strict=True):
        size = (signal.samples or 0) * header.width
        if signal.is_annotations and size:
            rows = records[: max(left // size, 1), offset * header.width :][:, :size]
            left -= rows.size
            texts.update(_NOTE.findall(rows.tobytes()))
    joined = "\n".join(sorted(text.decode("utf-8", "replace") for text in texts))
    yield from patterns(joined, "annotations")
    yield from {f.rule: f for f in keyed(joined, "annotations")}.values()


def _trailing(path: Path, header: EdfHeader) -> Iterator[Finding]:
    end = len(header.raw) + (header.declared or 0) * (header.record_bytes or 0)
    if not header.declared or header.size <= end:
        return
    with path.open("rb") as file:
        file.seek(end)
        rest = file.read(_MOST_TRAILING)
    text = "\n".join(run.decode("ascii") for run in _PRINTABLE.findall(rest))
    named = list(keyed(text, "behind the last record"))
    if identifiers_in_text(text) or named:
        yield from patterns(text, "behind the last record")
        yield from {f.rule: f for f in named}.values()
    elif _WORDS.search(text):
        yield violation("identifier.trailing_bytes", "behind the last record", Severity.WARNING)
