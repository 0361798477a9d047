"""WFDB records: header, samples in the common formats, checksums; the rest by an optional library.

Formats 16, 24, 32, 61, 80, 160 and 212 are read here, a block at a time, segments of them are
joined in `wfdb_segments`; formats 8, 310, 311, 508, 516 and 524 are read with the package ``wfdb``.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.finding import Finding
from sdq_signals.formats import wfdb_samples as stored
from sdq_signals.formats.checks import channel, channel_findings, places
from sdq_signals.formats.texts import from_comments
from sdq_signals.formats.wfdb_annotations import annotations
from sdq_signals.formats.wfdb_header import (
    DEFAULT_RATE,
    DEFAULT_UNIT,
    Header,
    Signal,
    data_file,
    parse,
)
from sdq_signals.recording import Channel, Recording
from sdq_signals.rules import finding, unreadable

__all__ = ["SUFFIXES", "annotations", "files", "read"]

SUFFIXES = (".hea",)

LEAST_LIMIT: Final = 2**24
MOST_EXPANSION: Final = 2**10
"""Most samples for each byte of the data files; slow channels and pauses take few bytes."""


@dataclass(frozen=True)
class _Part:
    """A signal with its place in its data file."""

    signal: Signal
    group: stored.Group
    column: int
    frames: int
    """Frames of the data file that belong to the record."""


def files(path: Path) -> tuple[list[Path], list[Path]]:
    """Return the files of a record.

    Parameters
    ----------
    path : Path
        Its header.

    Returns
    -------
    data : list of Path
        Data files and headers of segments, in the header's order, without repetition; a file
        that is not there is among them.
    segments : list of Path
        The headers of segments alone.

    Raises
    ------
    UnreadableItem
        The header is broken, or names a file outside its folder.
    """
    header = parse(path)
    names = dict.fromkeys(_data_files(path, header))
    named = dict.fromkeys(name for name, _ in header.segments if name != "~")
    segments = [data_file(path, f"{name}.hea") for name in named]
    for segment in segments:
        names[segment] = None
        if segment.is_file():
            inner = parse(segment)
            if inner.segments:
                raise unreadable(
                    "header_invalid",
                    "a segment has segments of its own, which header(5) does not allow; join them",
                )
            names |= dict.fromkeys(_data_files(segment, inner))
    return list(names), segments


def _data_files(path: Path, header: Header) -> list[Path]:
    named = dict.fromkeys(s.file for s in header.signals if s.file != "~")
    return [data_file(path, name) for name in named]


def read(path: Path, *, verify: bool = True) -> Recording:
    """Open a WFDB record.

    Parameters
    ----------
    path : Path
        Its header, ``.hea``.
    verify : bool
        Whether the checksums are compared; then every sample is read once, in blocks.

    Returns
    -------
    Recording
        ``(stored - baseline) / gain`` in the unit of each channel's kind; stored values where the
        gain is zero or missing, the file's unit where that is unknown. Channels of fewer samples
        a frame than others are brought to the highest rate by straight lines between samples.

    Raises
    ------
    UnreadableItem
        The header is broken, a data file is missing or outside the header's folder, or the record
        needs the package ``wfdb``, which is not installed.
    """
    header = parse(path)
    if header.segments:
        from sdq_signals.formats import wfdb_segments

        return wfdb_segments.read(path, header, verify=verify)
    if any(s.format not in stored.BITS or s.file == "~" for s in header.signals):
        from sdq_signals.formats import wfdb_optional

        return wfdb_optional.read(path, header, files(path)[0])
    if not header.signals:
        raise unreadable("no_samples")
    parts, length, found = _layout(path, header)
    limit(length, header.signals, [Path(part.group[0]) for part in parts])
    rate = DEFAULT_RATE if header.rate is None else header.rate
    if header.rate is None:
        found.append(finding("sampling_rate_default"))
    most = max(s.per_frame for s in header.signals)
    channels = tuple(signal_channel(s, k, rate * s.per_frame) for k, s in enumerate(header.signals))
    found += signal_findings(header.signals, channels)
    if verify:
        found += _wrong_sums(parts, header.length or length)

    def block(first: int, last: int) -> NDArray[np.float32]:
        return _block(parts, channels, most, length, first, last)

    formats = sorted({s.format for s in header.signals})
    metadata = {"storage": " ".join(map(str, formats)), **from_comments(header.comments)}
    return Recording(channels, rate * most, length * most, "wfdb", block, metadata, tuple(found))


def limit(length: int, signals: tuple[Signal, ...], data: Iterable[Path]) -> None:
    """Refuse a header that makes far more samples than its data files have bytes.

    Raises
    ------
    UnreadableItem
        Rule ``too_many_samples``.
    """
    held = sum(p.stat().st_size for p in set(data) if p.is_file())
    made = length * len(signals) * max(s.per_frame for s in signals)
    if made > LEAST_LIMIT + MOST_EXPANSION * held:
        raise unreadable("too_many_samples")


def signal_channel(signal: Signal, k: int, rate: float) -> Channel:
    """Return the channel of the signal with index `k`."""
    gain = signal.gain
    baseline = 0 if gain is None else signal.baseline
    bits = stored.BITS.get(signal.format)
    ends: list[float | None] = [None, None]
    if bits is not None:
        # The lowest value stands for a missing sample.
        ends = [(v - baseline) / (gain or 1.0) for v in (1 - 2 ** (bits - 1), 2 ** (bits - 1) - 1)]
    return channel(
        signal.name or f"signal {k + 1}",
        signal.unit,
        rate,
        lowest=ends[0],
        highest=ends[1],
        resolution=1 / (gain or 1.0),
        assumed=DEFAULT_UNIT,
        calibrated=gain is not None,
    )


def signal_findings(signals: tuple[Signal, ...], channels: tuple[Channel, ...]) -> list[Finding]:
    """Return what a header leaves open about its signals."""
    zero = [k for k, s in enumerate(signals) if s.gain is None]
    return ([finding("gain_zero", places(zero))] if zero else []) + channel_findings(channels)


def _layout(path: Path, header: Header) -> tuple[list[_Part], int, list[Finding]]:
    """Find each signal's place, the frames that the files hold, and files that do not fit."""
    found: list[Finding] = []
    by_file: dict[str, list[int]] = {}
    for k, signal in enumerate(header.signals):
        by_file.setdefault(signal.file, []).append(k)
    placed: dict[int, tuple[stored.Group, int, int]] = {}
    sizes = {}
    for name, members in by_file.items():
        data = data_file(path, name)
        if not data.is_file():
            raise unreadable("data_file_missing")
        signals = [header.signals[k] for k in members]
        if len({(s.format, s.offset) for s in signals}) > 1:
            raise unreadable(
                "header_invalid",
                "signals of one data file differ in format or offset; correct the header",
            )
        per_frame = sum(s.per_frame for s in signals)
        group = (str(data), signals[0].format, signals[0].offset, per_frame)
        sizes[group] = data.stat().st_size
        held = stored.available(group, sizes[group])
        column = 0
        for k in members:
            placed[k] = group, column, held
            column += header.signals[k].per_frame
    most = max(held for _, _, held in placed.values())
    length = most if header.length is None else min(header.length, most)
    if length == 0:
        empty = all(size == 0 for size in sizes.values())
        raise unreadable("truncated" if header.length and not empty else "no_samples")
    for number, (group, size) in enumerate(sizes.items(), start=1):
        where = f"data file {number}"
        if stored.available(group, size) < (header.length or length):
            found.append(finding("truncated", where))
        elif header.length is not None and stored.excess(group, size, header.length):
            found.append(finding("longer_than_declared", where))
    parts = [
        _Part(signal, placed[k][0], placed[k][1], min(placed[k][2], header.length or length))
        for k, signal in enumerate(header.signals)
    ]
    return parts, length, found


def _wrong_sums(parts: list[_Part], declared: int) -> list[Finding]:
    wrong = []
    for k, part in enumerate(parts):
        # A file that holds less than was summed has no sum to compare.
        if part.signal.checksum is None or part.frames < declared:
            continue
        sums = stored.checksums(part.group, part.frames, stored.stamp(Path(part.group[0])))
        own = sum(sums[part.column : part.column + part.signal.per_frame])
        if (own - part.signal.checksum) % 65536:
            wrong.append(k)
    return [finding("checksum", places(wrong))] if wrong else []


def _block(
    parts: list[_Part],
    channels: tuple[Channel, ...],
    most: int,
    length: int,
    first: int,
    last: int,
) -> NDArray[np.float32]:
    """Read samples ``first`` to ``last`` of every channel at the highest rate."""
    found = np.empty((len(parts), max(last - first, 0)), np.float32)
    if last <= first:
        return found
    # One frame more than asked for: the straight line to the next sample ends in it.
    start, stop = first // most, min(math.ceil(last / most) + 1, length)
    blocks: dict[tuple[stored.Group, int], NDArray[np.int32]] = {}
    for k, (part, head) in enumerate(zip(parts, channels, strict=True)):
        signal, key = part.signal, (part.group, part.signal.skew)
        if key not in blocks:
            ends = [min(f + signal.skew, part.frames) for f in (start, stop)]
            blocks[key] = stored.frames(part.group, *ends)
        inside = blocks[key][:, part.column : part.column + signal.per_frame].reshape(-1)
        # What lies behind the record's end is missing, even where the file goes on.
        values = np.full((stop - start) * signal.per_frame, np.nan)
        if signal.gain is None:
            values[: len(inside)] = inside
        else:
            scaled = (inside - float(signal.baseline)) / signal.gain * (head.factor or 1.0)
            values[: len(inside)] = scaled
        values[: len(inside)][inside == stored.LOWEST[signal.format]] = np.nan
        found[k] = straight(values, start * signal.per_frame, signal.per_frame, most, first, last)
    return found


def straight(
    values: NDArray[np.float64], start: int, slow: int, fast: int, first: int, last: int
) -> NDArray[np.float64]:
    """Bring samples to a higher rate by straight lines; the last value is held.

    Parameters
    ----------
    values : ndarray, shape (m,)
        Samples number `start` and following, at the lower rate.
    start : int
    slow, fast : int
        The rates as whole numbers: sample k of the result lies at ``k * slow / fast``.
    first, last : int
        Samples of the result.

    Returns
    -------
    ndarray, shape (last - first,)
        The same for a sample in whatever block it is asked for.

    Examples
    --------
    >>> straight(np.array([0.0, 2.0]), 0, 1, 2, 0, 4)
    array([0., 1., 2., 2.])
    """
    if slow == fast:
        return values[first - start : last - start]
    place = np.arange(first, last, dtype=np.int64) * slow
    before = place // fast - start
    after = np.minimum(before + 1, len(values) - 1)
    weight = (place % fast) / fast
    between = values[before] * (1 - weight) + values[after] * weight
    return np.where(weight == 0, values[before], between)
