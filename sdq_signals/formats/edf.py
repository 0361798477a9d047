"""EDF, EDF+ and BDF recordings, read block by block from the data records.

Own code in place of a library: edfio takes a discontinuous file (EDF+D) for a continuous one and
fails on damaged annotations (both measured), and pyedflib refuses such files.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from pathlib import Path

from sdq_core.finding import Finding
from sdq_signals.formats.checks import channel, channel_findings, places
from sdq_signals.formats.declaration import synthesis
from sdq_signals.formats.edf_annotations import (
    Annotation,
    annotation_bytes,
    onset,
    parse_annotations,
    records_of,
)
from sdq_signals.formats.edf_header import EdfHeader, EdfSignal, read_header
from sdq_signals.formats.edf_samples import Samples, Segment, Source
from sdq_signals.formats.edf_subject import subject
from sdq_signals.formats.texts import label
from sdq_signals.recording import Channel, Recording
from sdq_signals.rules import finding, unreadable

__all__ = ["SUFFIXES", "read", "read_annotations"]

SUFFIXES = (".edf", ".bdf")

_LONGEST = 366 * 86400.0
"""Seconds after the first record that a record's time can be believed."""
_STATEMENTS = 16
"""Data records in front whose annotations are searched for a declaration of synthesis."""


def read(path: Path) -> Recording:
    """Open an EDF, EDF+ or BDF file.

    Channels of lower rates are brought to the highest by linear interpolation between their own
    samples, never across a gap. A discontinuous file (EDF+D), and one whose record times contradict
    its claim of continuity, has NaN where no record lies; records whose time is not known are left
    out. Annotation signals and the status channel of BioSemi (trigger bits) are no channels.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Recording
        ``metadata``: ``sex`` and ``age`` in years where an EDF+ patient field states them (90 for
        all above 89), ``transducer`` and ``prefilter`` where all channels share one, and what
        `sdq_signals.formats.declaration.synthesis` finds. ``findings``: ``truncated``,
        ``longer_than_declared``, ``gap``, ``no_samples`` (of a channel), and those of
        `sdq_signals.formats.checks.channel_findings`.

    Raises
    ------
    UnreadableItem
        ``empty_file``, ``not_a_recording``, ``truncated`` (not one whole data record),
        ``no_samples`` (annotations only), ``sampling_rate_invalid``, ``gap`` (discontinuous, and
        no record keeps its time).
    """
    header = read_header(path)
    signals = [
        (signal, offset)
        for signal, offset in zip(header.signals, header.offsets, strict=True)
        if not (signal.is_annotations or (header.width == 3 and signal.label == "Status"))
    ]
    if not signals:
        raise unreadable(
            "no_samples",
            "the file holds annotations only (such as a hypnogram) and no signal; give it as the "
            "annotations of its recording, not as an item",
        )
    if header.record_bytes is None:
        raise unreadable(
            "header_invalid", "a signal does not say how many samples a data record holds; write it"
        )
    duration = header.record_duration
    if duration is None or duration <= 0:
        raise unreadable(
            "sampling_rate_invalid",
            "the duration of a data record is not positive, so the sampling rate is unknown; "
            "write it",
        )
    if not header.records:
        raise unreadable("truncated" if header.declared != 0 else "no_samples")
    found = list(_size_findings(header))
    empty = [k for k, (signal, _) in enumerate(signals) if not signal.samples]
    if empty:
        found.append(finding("no_samples", places(empty)))
    used = [(signal, offset) for signal, offset in signals if signal.samples]
    if not used:
        raise unreadable("no_samples")
    counts = [signal.samples or 0 for signal, _ in used]
    most = max(counts)
    segments = _segments(path, header, most, duration)
    if len(segments) > 1 or sum(s.records for s in segments) < header.records:
        found.append(finding("gap"))
    channels, sources = zip(*(_channel(s, at, duration) for s, at in used), strict=True)
    found += map(_interpolated, channel_findings(channels))
    return Recording(
        channels=channels,
        rate=most / duration,
        length=segments[-1].start + segments[-1].records * most,
        format="bdf" if header.width == 3 else "edf",
        read=Samples(path, header, sources, segments, most),
        metadata=_metadata(path, header, used),
        findings=tuple(found),
    )


def read_annotations(path: Path) -> tuple[Annotation, ...]:
    """Return all annotations of a file, in its order; damaged ones are passed over.

    Parameters
    ----------
    path : Path

    Returns
    -------
    tuple of Annotation
        Empty for plain EDF.

    Raises
    ------
    UnreadableItem
        The header cannot be read.
    """
    header = read_header(path)
    return tuple(_annotations(path, header, None))


def _annotations(path: Path, header: EdfHeader, count: int | None) -> Iterable[Annotation]:
    records = records_of(path, header)
    for blocks in islice(annotation_bytes(records, header), count):
        for block in blocks:
            yield from parse_annotations(block)


def _size_findings(header: EdfHeader) -> Iterable[Finding]:
    body = header.size - len(header.raw)
    size = header.record_bytes or 0
    promised = (header.stored if header.declared is None else header.declared) * size
    if header.declared is not None and body < promised:
        yield finding("truncated", "records")
    elif body > promised:
        yield finding("longer_than_declared", "records")


def _interpolated(noticed: Finding) -> Finding:
    """Say by which method mixed rates were brought to one."""
    if not noticed.rule.endswith("mixed_rates_in_recording"):
        return noticed
    return replace(
        noticed,
        message="the channels have different sampling rates; the lower ones were brought to the "
        "highest by linear interpolation",
        message_zh="各通道采样率不同, 较低者已用线性插值统一到最高采样率",
    )


def _channel(signal: EdfSignal, offset: int, duration: float) -> tuple[Channel, Source]:
    samples, gain = signal.samples or 0, signal.gain
    name, unit = signal.label, signal.texts["dimension"]
    if gain is None or signal.physical is None or signal.digital is None:
        plain = channel(name, unit, samples / duration, calibrated=False)
        return plain, Source(offset, samples, 1.0, 0.0)
    low, high = signal.physical
    head = channel(name, unit, samples / duration, lowest=low, highest=high, resolution=gain)
    by = 1.0 if head.factor is None else head.factor
    return head, Source(offset, samples, gain * by, (low - signal.digital[0] * gain) * by)


def _segments(path: Path, header: EdfHeader, most: int, duration: float) -> tuple[Segment, ...]:
    """Place the data records on the time axis."""
    whole = (Segment(0, 0, header.records),)
    timed = any(signal.is_annotations for signal in header.signals)
    if not timed and not header.discontinuous:
        return whole
    records = records_of(path, header)
    half = 0.5 * duration / most
    if not header.discontinuous:
        first, last = (
            onset(blocks[0]) for blocks in annotation_bytes(records, header, (0, len(records) - 1))
        )
        if first is None or last is None or not header.plus:
            return whole
        if abs(last - first - (len(records) - 1) * duration) <= half:
            return whole
    times = [onset(blocks[0]) for blocks in annotation_bytes(records, header)] if timed else []
    found: list[Segment] = []
    origin = began = 0.0
    for k, time in enumerate(times):
        if time is None or (found and not 0 <= time - origin <= _LONGEST):
            continue
        if not found:
            origin = began = time
            found.append(Segment(0, k, 1))
            continue
        last_one = found[-1]
        follows = k == last_one.record + last_one.records
        if follows and abs(time - began - last_one.records * duration) <= half:
            found[-1] = last_one._replace(records=last_one.records + 1)
            continue
        start = math.floor((time - origin) * most / duration + 0.5)
        if start >= last_one.start + last_one.records * most:
            began = time
            found.append(Segment(start, k, 1))
    if not found:
        raise unreadable(
            "gap",
            "the file is declared discontinuous and no data record keeps its time, so its samples "
            "have no place in time; write it again with time-keeping annotations",
        )
    return tuple(found)


def _metadata(path: Path, header: EdfHeader, used: list[tuple[EdfSignal, int]]) -> dict[str, str]:
    facts = subject(header)
    for name in ("transducer", "prefilter"):
        shared = {signal.texts[name].strip() for signal, _ in used}
        if len(shared) == 1 and "" not in shared:
            facts[name] = shared.pop()
    spoken = header.texts["recording"].split(" ")
    noted = [a.text for a in _annotations(path, header, _STATEMENTS)]
    bare = [text for text in noted if len(text) <= 32]
    labelled = label([*noted, header.texts["recording"]])
    return facts | synthesis(noted) | synthesis([*spoken, *bare], word=True) | labelled
