"""What the data files of a WFDB record say against its header."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from sdq_core.errors import UnreadableItem
from sdq_core.finding import Finding
from sdq_signals.channels import canonical
from sdq_signals.conformity.rules import violation
from sdq_signals.conformity.sufficiency import MOST_SAMPLES, plausible
from sdq_signals.conformity.wfdb_lines import Lines, SignalLine
from sdq_signals.formats import wfdb_samples as stored
from sdq_signals.formats.wfdb_header import data_file
from sdq_signals.units import factor

__all__ = ["MOST_BYTES", "data_findings"]

MOST_BYTES: Final = 2**20
"""Size of a data file up to which all its samples are looked at; the reader sums larger ones."""


def data_findings(path: Path, lines: Lines) -> Iterator[Finding]:
    """Compare data files with the header.

    Parameters
    ----------
    path : Path
        The header.
    lines : Lines

    Yields
    ------
    Finding
    """
    signals = lines.signals
    count = lines.fields[3] if len(lines.fields) > 3 else ""
    length = int(count) if count.isdecimal() and int(count) else None
    by_file: dict[str, list[int]] = {}
    for k, signal in enumerate(signals):
        by_file.setdefault(signal.file, []).append(k)
    for name, members in by_file.items():
        if name == "~" or members[-1] - members[0] != len(members) - 1:
            if name != "~":
                yield violation("conformity.wfdb_format_differs", f"signal {members[0] + 1}.file")
            continue
        place = f"signal {members[0] + 1}"
        try:
            data = data_file(path, name)
        except UnreadableItem:
            yield violation("conformity.wfdb_file_name", f"{place}.file")
            continue
        if not data.is_file():
            yield violation("conformity.wfdb_file_missing", f"{place}.file")
            continue
        forms = [signals[k].format for k in members]
        if len({None if f is None else (f[0], f[3]) for f in forms}) > 1:
            yield violation("conformity.wfdb_format_differs", f"{place}.format")
            continue
        form = forms[0]
        if form is None or form[0] not in stored.BITS or any(f is None or f[1] < 1 for f in forms):
            continue
        frames = [f[1] for f in forms if f is not None]
        group: stored.Group = (str(data), form[0], form[3], sum(frames))
        yield from _file(group, data.stat().st_size, length, signals, members, frames)


def _file(
    group: stored.Group,
    size: int,
    length: int | None,
    signals: tuple[SignalLine, ...],
    members: list[int],
    frames: list[int],
) -> Iterator[Finding]:
    held = stored.available(group, size)
    if length is not None and (held < length or stored.excess(group, size, length)):
        yield violation("conformity.wfdb_sample_count", "number of samples")
    used = min(held, length or held)
    if not used:
        return
    whole = size <= MOST_BYTES
    # All samples of a small file; else its beginning and, for the range, blocks from all over.
    block = stored.frames(group, 0, used if whole else min(used, MOST_SAMPLES))
    if not whole:
        starts = np.linspace(0, used - 256, 16).astype(int)
        block = np.vstack([block[:1], *(stored.frames(group, s, s + 256) for s in starts.tolist())])
    column = 0
    lowest = stored.LOWEST[group[1]]
    for k, per_frame in zip(members, frames, strict=True):
        signal, place = signals[k], f"signal {k + 1}"
        values = block[:, column : column + per_frame].reshape(-1)
        column += per_frame
        initial, checksum = signal.whole("initial value"), signal.whole("checksum")
        skewed = signal.format is not None and signal.format[2] > 0
        if initial is not None and initial != int(values[0]) and not skewed:
            yield violation("conformity.wfdb_initial_value", f"{place}.initial value")
        if whole and checksum is not None and used == (length or used):
            total = int(values.sum(dtype=np.int64))
            if (total - checksum) & 0xFFFF:
                yield violation("conformity.wfdb_checksum", f"{place}.checksum")
        bits, zero = signal.whole("resolution"), signal.whole("zero") or 0
        real = values[values != lowest]
        if not len(real):
            continue
        if bits and 0 < bits < 32 and _exceeds(real, bits, zero):
            yield violation("conformity.wfdb_resolution", f"{place}.resolution")
        kind = canonical(signal.name)[1]
        scale = factor(signal.unit or "mV", kind)
        if scale is not None and signal.gain and not plausible(kind, scale / signal.gain, real):
            yield violation("conformity.unit_implausible", f"{place}.units")


def _exceeds(values: np.typing.NDArray[np.int32], bits: int, zero: int) -> bool:
    """Return whether samples do not fit the converter: two's complement about its zero.

    A converter of unsigned output is written with its zero in the middle or as 0; both are let
    pass, and only what neither reading explains is a violation.
    """
    half = 1 << (bits - 1)
    low, high = int(values.min()) - zero, int(values.max()) - zero
    return not (-half <= low and high < half) and not (zero == 0 and low >= 0 and high < 2 * half)
