"""WFDB records of several segments, joined: pauses and absent channels are missing samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sdq_core.finding import Finding
from sdq_signals.formats import wfdb
from sdq_signals.formats.texts import from_comments
from sdq_signals.formats.wfdb_header import DEFAULT_RATE, Header, Signal, data_file, parse
from sdq_signals.recording import Channel, Recording
from sdq_signals.rules import finding, unreadable

__all__ = ["read"]

OF_FILES = ("truncated", "longer_than_declared", "checksum")
"""Rules about the data files of one segment."""

Opened = Mapping[str, tuple[Header, Recording]]


@dataclass(frozen=True)
class _Segment:
    """One segment at its place in the record; all numbers are frames."""

    start: int
    length: int
    per_frame: int
    recording: Recording
    rows: tuple[int | None, ...]
    """Its channel for each channel of the record; None where it has none."""

    def read(self, first: int, last: int) -> NDArray[np.float32]:
        """Read samples of the segment's own rate; what its files do not hold is missing."""
        held = self.recording.length
        inside = self.recording.read(min(first, held), min(last, held))
        found = np.full((len(self.rows), last - first), np.nan, np.float32)
        for k, row in enumerate(self.rows):
            if row is not None:
                found[k, : inside.shape[1]] = inside[row]
        return found

    def at(self, most: int, first: int, last: int) -> NDArray[np.float32]:
        """Read samples at the rate of `most` samples a frame."""
        if most == self.per_frame:
            return self.read(first, last)
        start = first * self.per_frame // most
        stop = min(last * self.per_frame // most + 2, self.length * self.per_frame)
        values = self.read(start, stop).astype(np.float64)
        slow = [wfdb.straight(v, start, self.per_frame, most, first, last) for v in values]
        return np.array(slow, np.float32)


def read(path: Path, header: Header, *, verify: bool) -> Recording:
    """Open a record of several segments.

    Parameters
    ----------
    path : Path
        Its header.
    header : Header
        The same, parsed.
    verify : bool
        Whether the segments' checksums are compared.

    Returns
    -------
    Recording
        The channels of the layout segment where there is one (then segments are matched by their
        channels' names), else those of the first segment, in order.

    Raises
    ------
    UnreadableItem
        Also for one segment that cannot be read.
    """
    data, _ = wfdb.files(path)  # refuses names that leave the folder, and segments of segments
    if not all(p.is_file() for p in data):
        raise unreadable("data_file_missing")
    opened: dict[str, tuple[Header, Recording]] = {}
    for name in dict.fromkeys(n for n, frames in header.segments if frames and n != "~"):
        own = data_file(path, f"{name}.hea")
        opened[name] = parse(own), wfdb.read(own, verify=verify)
    if not opened:
        raise unreadable("no_samples")
    layout, frames = header.segments[0]
    varies = frames == 0 and layout != "~"
    rate = DEFAULT_RATE if header.rate is None else header.rate
    signals, channels = (
        _of_layout(parse(data_file(path, f"{layout}.hea")), opened, rate)
        if varies
        else _of_first(next(iter(opened.values())))
    )
    segments, found = _placed(header, opened, [c.name for c in channels], by_name=varies)
    most = max(s.per_frame for s in segments)
    length = sum(frames for _, frames in header.segments)
    wfdb.limit(length, tuple(replace(s, per_frame=most) for s in signals), data)
    if header.length is not None and header.length != length:
        found.append(finding("header_invalid", "record line"))
    if header.rate is None:
        found.append(finding("sampling_rate_default"))
    found += wfdb.signal_findings(signals, channels)

    def block(first: int, last: int) -> NDArray[np.float32]:
        values = np.full((len(channels), max(last - first, 0)), np.nan, np.float32)
        for segment in segments:
            begin, end = segment.start * most, (segment.start + segment.length) * most
            left, right = max(first, begin), min(last, end)
            if left < right:
                piece = segment.at(most, left - begin, right - begin)
                values[:, left - first : right - first] = piece
        return values

    storage = sorted({r.metadata["storage"] for _, r in opened.values()})
    metadata = {"storage": " ".join(storage), **from_comments(header.comments)}
    return Recording(channels, rate * most, length * most, "wfdb", block, metadata, tuple(found))


def _of_first(opened: tuple[Header, Recording]) -> tuple[tuple[Signal, ...], tuple[Channel, ...]]:
    return opened[0].signals, opened[1].channels


def _of_layout(
    layout: Header, opened: Opened, rate: float
) -> tuple[tuple[Signal, ...], tuple[Channel, ...]]:
    """Take each channel of the layout from the first segment that has it."""
    known: dict[str, tuple[Signal, Channel]] = {}
    for head, recording in opened.values():
        for signal, channel in zip(head.signals, recording.channels, strict=True):
            known.setdefault(channel.name, (signal, channel))
    pairs = []
    for k, signal in enumerate(layout.signals):
        own = wfdb.signal_channel(signal, k, rate * signal.per_frame)
        pairs.append(known.get(own.name, (signal, own)))
    if not pairs:
        raise unreadable("no_samples")
    return tuple(s for s, _ in pairs), tuple(c for _, c in pairs)


def _placed(
    header: Header, opened: Opened, names: Sequence[str], *, by_name: bool
) -> tuple[list[_Segment], list[Finding]]:
    """Put the segments one behind the other, and say what is wrong with their files."""
    segments, found, start = [], [], 0
    for number, (name, frames) in enumerate(header.segments, start=1):
        if name in opened and frames:
            head, recording = opened[name]
            own = [c.name for c in recording.channels]
            if not by_name and len(own) != len(names):
                raise unreadable(
                    "header_invalid",
                    f"segment {number} has another number of signals than the first one; such a "
                    "record needs a layout segment",
                )
            rows: list[int | None] = list(range(len(names)))
            if by_name:
                rows = [own.index(n) if n in own else None for n in names]
            widest = max(s.per_frame for s in head.signals)
            segments.append(_Segment(start, frames, widest, recording, tuple(rows)))
            rules = {f.rule.rpartition(".")[2]: f for f in recording.findings}
            if recording.length < frames * widest:
                rules.setdefault("truncated", finding("truncated"))
            found += [
                replace(rules[r], where=f"segment {number}, {rules[r].where}".rstrip(", "))
                for r in OF_FILES
                if r in rules
            ]
        start += frames
    return segments, found
