"""The linter of EDF, EDF+ and BDF: all violations of a file, each with its field.

Rules and their sources are in `sdq_signals.conformity.edf_rules`. Samples, record times and
annotation lists are judged on a bounded part of the file: records evenly taken from it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import time
from itertools import chain
from pathlib import Path
from typing import Final

from sdq_core.errors import UnreadableItem
from sdq_core.finding import Finding
from sdq_signals.channels import canonical
from sdq_signals.conformity import sufficiency
from sdq_signals.conformity.edf_identifiers import identifiers
from sdq_signals.conformity.edf_records import record_findings
from sdq_signals.conformity.rules import merged, violation
from sdq_signals.formats.edf_header import FIXED, PER_SIGNAL, EdfHeader, EdfSignal, read_header
from sdq_signals.formats.edf_subject import (
    edf_date,
    header_date,
    patient_subfields,
    recording_subfields,
)
from sdq_signals.units import factor

__all__ = ["check"]

_LARGEST_RECORD: Final = 61440
_NOT_PRINTABLE = re.compile(rb"[^\x20-\x7e]")
_NUMERIC = ("physical_minimum", "physical_maximum", "digital_minimum", "digital_maximum", "samples")
_KIND = re.compile(r"(?:EEG|ECG|EOG|ERG|EMG|MEG|MCG|EP|Temp|Resp|SaO2|Light|Sound|Event)(?: \S.*)?")
_PREFIXES = "[YZEPTGMKHDdcmunpfa]"
_UNIT = re.compile(
    rf"(?:{_PREFIXES})?(?:V|m|g|s|A|Hz|Pa|bar|T|J|W|N|Ohm|K|l|L|l/s|L/s|l/min|L/min|m3|m/s|m/s2)"
    r"|degC|degF|%|mmHg|cmH2O|deg|rad|bpm|1/min|ratio|nounit|lx|/m|NU"
)


def check(path: Path, rates: Collection[float] | None = None) -> tuple[Finding, ...]:
    """List all violations of an EDF, EDF+ or BDF file.

    Parameters
    ----------
    path : Path
    rates : collection of float, optional
        Sampling rates that the data set declares; another one gets a warning.

    Returns
    -------
    tuple of Finding
        Areas ``conformity`` (the format), ``metadata`` (sufficiency) and ``identifier``. A file
        whose header cannot be taken apart has the one finding ``conformity.edf_header``.
    """
    try:
        header = read_header(path)
    except UnreadableItem:
        return (violation("conformity.edf_header", "header"),)
    return merged(
        chain(
            _fixed(header),
            _subfields(header),
            _records(header),
            _signals(header, rates),
            record_findings(path, header),
            identifiers(path, header),
        )
    )


def _fixed(header: EdfHeader) -> Iterator[Finding]:
    """Judge the fields of fixed place."""
    texts = header.texts
    bdf = header.width == 3
    if header.raw[:8] != (b"\xffBIOSEMI" if bdf else b"0       "):
        yield violation("conformity.edf_version", "version")
    for name, field in _fields(header):
        if _NOT_PRINTABLE.search(field) and name != "version":
            yield violation("conformity.edf_ascii", name)
        if field[:1] == b" " and field.strip():
            yield violation("conformity.edf_left_justified", name)
    if header_date(texts["startdate"]) is None and not _year_unknown(texts["startdate"]):
        yield violation("conformity.edf_startdate", "startdate")
    if not _is_time(texts["starttime"]):
        yield violation("conformity.edf_starttime", "starttime")
    if texts["header_bytes"].strip() != str(len(header.raw)):
        yield violation("conformity.edf_header_bytes", "header_bytes")
    reserved = texts["reserved"]
    allowed = ("24BIT", "BDF+C", "BDF+D") if bdf else ("EDF+C", "EDF+D")
    if reserved and not reserved.startswith(allowed):
        yield violation("conformity.edf_reserved", "reserved")


def _fields(header: EdfHeader) -> Iterator[tuple[str, bytes]]:
    for name, (start, length) in FIXED.items():
        yield name, header.raw[start : start + length]
    block, count = 256, len(header.signals)
    for name, length in PER_SIGNAL.items():
        whole = header.raw[block : block + length * count]
        if _NOT_PRINTABLE.search(whole) or b" " in whole[::length]:
            for k in range(count):
                yield f"signal {k + 1}.{name}", whole[k * length : (k + 1) * length]
        block += length * count


def _year_unknown(text: str) -> bool:
    """EDF+ writes ``yy`` for the year from 2085 on."""
    return text.endswith(".yy") and header_date(f"{text[:-2]}00") is not None


def _is_time(text: str) -> bool:
    if not re.fullmatch(r"\d\d\.\d\d\.\d\d", text, re.ASCII):
        return False
    try:
        time(int(text[:2]), int(text[3:5]), int(text[6:]))
    except ValueError:
        return False
    return True


def _subfields(header: EdfHeader) -> Iterator[Finding]:
    """Judge the patient and recording fields of EDF+."""
    start = header_date(header.texts["startdate"])
    patient = patient_subfields(header)
    if header.plus and patient is not None:
        if len(patient) < 4 or not all(patient[:4]):
            yield violation("conformity.edf_patient_subfields", "patient")
        if len(patient) > 1 and patient[1] not in ("F", "M", "X"):
            yield violation("conformity.edf_patient_sex", "patient.sex")
        if len(patient) > 2 and patient[2] != "X":
            born = edf_date(patient[2])
            if born is None or (start is not None and born > start):
                yield violation("conformity.edf_birthdate", "patient.birthdate")
    recording = recording_subfields(header)
    if header.plus and recording is not None:
        if len(recording) < 5 or recording[0] != "Startdate" or not all(recording[:5]):
            yield violation("conformity.edf_recording_subfields", "recording")
        if len(recording) > 1 and recording[0] == "Startdate" and recording[1] != "X":
            stated = edf_date(recording[1])
            if stated is None:
                yield violation("conformity.edf_recording_startdate", "recording.startdate")
            elif start is not None and stated != start:
                yield violation("conformity.edf_startdate_differs", "recording.startdate")


def _records(header: EdfHeader) -> Iterator[Finding]:
    """Judge the numbers and sizes of data records."""
    texts, duration = header.texts, header.record_duration
    ordinary = [signal for signal in header.signals if not signal.is_annotations]
    if not header.declared:
        yield violation("conformity.edf_records", "records")
        yield violation("metadata.sample_count_missing", "records")
    if duration is None:
        yield violation("conformity.edf_number", "record_duration")
    elif duration < 0 or (duration == 0 and not _instants(header, ordinary)):
        yield violation("conformity.edf_record_duration", "record_duration")
    if ordinary and (duration is None or duration <= 0):
        yield violation("metadata.sampling_rate_missing", "record_duration")
    for name in ("signals", "header_bytes"):
        if not re.fullmatch(r"\d+", texts[name].strip(), re.ASCII):
            yield violation("conformity.edf_number", name)
    size = header.record_bytes
    if size is None:
        return
    if size > _LARGEST_RECORD:
        yield violation("conformity.edf_record_size", "signals")
    if header.declared is not None and header.size != len(header.raw) + header.declared * size:
        yield violation("conformity.edf_file_size", "records")
    if header.plus and not any(signal.is_annotations for signal in header.signals):
        yield violation("conformity.edf_no_annotations", "signals")
    if not header.texts["reserved"] and len(ordinary) < len(header.signals):
        yield violation("conformity.edf_annotations_in_plain", "signals")


def _instants(header: EdfHeader, ordinary: list[EdfSignal]) -> bool:
    """Whether records may last no time: each holds one sample of each signal, or none."""
    return not ordinary or (header.discontinuous and all(s.samples == 1 for s in ordinary))


def _signals(header: EdfHeader, rates: Collection[float] | None) -> Iterator[Finding]:
    least = -(1 << (8 * header.width - 1))
    places = [f"signal {k + 1}" for k in range(len(header.signals))]
    for place, signal in zip(places, header.signals, strict=True):
        yield from _numbers(signal, place, least)
        if signal.is_annotations:
            other = ("transducer", "dimension", "prefilter")
            whole = signal.digital == (least, -least - 1)
            if any(signal.texts[name] for name in other) or not whole:
                yield violation("conformity.edf_annotation_fields", place)
        else:
            yield from _texts(signal, place)
            if signal.samples and header.record_duration:
                hertz = signal.samples / header.record_duration
                yield from sufficiency.rate(hertz, rates, f"{place}.samples")
    ordinary = [k for k, signal in enumerate(header.signals) if not signal.is_annotations]
    yield from sufficiency.names(
        [header.signals[k].label for k in ordinary], [f"{places[k]}.label" for k in ordinary]
    )


def _numbers(signal: EdfSignal, place: str, least: int) -> Iterator[Finding]:
    for name in _NUMERIC:
        pattern = (
            r"[+-]?\d+"
            if name in ("samples", "digital_minimum", "digital_maximum")
            else (r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
        )
        if not re.fullmatch(pattern, signal.texts[name].strip(), re.ASCII):
            yield violation("conformity.edf_number", f"{place}.{name}")
    if signal.samples is not None and signal.samples < 1:
        yield violation("conformity.edf_samples", f"{place}.samples")
    if signal.physical is not None and signal.physical[0] == signal.physical[1]:
        yield violation("conformity.edf_physical_range", f"{place}.physical_minimum")
    if signal.digital is not None:
        low, high = signal.digital
        if low >= high or low < least or high > -least - 1:
            yield violation("conformity.edf_digital_range", f"{place}.digital_minimum")
    if signal.gain is None and not signal.is_annotations:
        yield violation("metadata.gain_missing", place)


def _texts(signal: EdfSignal, place: str) -> Iterator[Finding]:
    label, dimension = signal.label, signal.texts["dimension"]
    if label and not _KIND.fullmatch(label):
        yield violation("conformity.edf_label", f"{place}.label")
    poor = sufficiency.unit(label, dimension, f"{place}.dimension")
    standard = _UNIT.fullmatch(dimension) is not None
    if dimension and not standard:
        yield violation("conformity.edf_dimension", f"{place}.dimension")
    # A standard text of a channel of no known kind is understood, though nothing converts it.
    if poor is not None and not (
        standard and canonical(label)[1] == "other" and factor(dimension, "other") is None
    ):
        yield poor
