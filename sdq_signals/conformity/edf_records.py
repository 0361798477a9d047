"""What the data records of an EDF file say against its header: samples, times, annotation lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.finding import Finding
from sdq_signals.channels import canonical
from sdq_signals.conformity.rules import violation
from sdq_signals.conformity.sufficiency import plausible
from sdq_signals.formats.edf_annotations import annotation_bytes, onset, records_of
from sdq_signals.formats.edf_header import EdfHeader
from sdq_signals.formats.edf_samples import integers
from sdq_signals.units import factor

__all__ = ["record_findings"]

_BUDGET: Final = 2**20
"""Bytes of samples that are looked at."""
_MOST_TIMES: Final = 256
"""Records whose times and annotation lists are looked at."""
_LISTS = re.compile(
    rb"(?:[+-]\d+(?:\.\d+)?(?:\x15\d+(?:\.\d+)?)?\x14(?:[^\x00\x14]*\x14)+\x00)*\x00*"
)


def record_findings(path: Path, header: EdfHeader) -> Iterator[Finding]:
    """Judge the data records.

    Parameters
    ----------
    path : Path
    header : EdfHeader

    Yields
    ------
    Finding
    """
    if not header.record_bytes or not header.records:
        return
    records = records_of(path, header)
    yield from _samples(records, header)
    if any(signal.is_annotations for signal in header.signals):
        yield from _annotations(records, header)


def _even(count: int, most: int) -> list[int]:
    """Return numbers of records, evenly taken, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return sorted({int(k) for k in np.linspace(0, count - 1, max(most, 2))})


def _samples(records: NDArray[np.uint8], header: EdfHeader) -> Iterator[Finding]:
    size = records.shape[1]
    which = _even(len(records), _BUDGET // size)
    part = records if len(which) == len(records) else records[which]
    for k, (signal, offset) in enumerate(zip(header.signals, header.offsets, strict=True)):
        if signal.is_annotations or not signal.samples or signal.digital is None:
            continue
        begin, end = offset * header.width, (offset + signal.samples) * header.width
        values = integers(np.ascontiguousarray(part[:, begin:end]), header.width).reshape(-1)
        low, high = signal.digital
        if low < high and (values.min() < low or values.max() > high):
            yield violation("conformity.edf_sample_range", f"signal {k + 1}")
        kind = canonical(signal.label)[1]
        scale = factor(signal.texts["dimension"], kind)
        gain = signal.gain
        if not plausible(kind, None if scale is None or gain is None else scale * gain, values):
            yield violation("conformity.unit_implausible", f"signal {k + 1}.dimension")


def _annotations(records: NDArray[np.uint8], header: EdfHeader) -> Iterator[Finding]:
    which = _even(len(records), _MOST_TIMES)
    times: list[tuple[int, float]] = []
    damaged, untimed, undecoded = [], [], []
    for k, blocks in zip(which, annotation_bytes(records, header, which), strict=True):
        time = onset(blocks[0])
        if time is None:
            untimed.append(k)
        else:
            times.append((k, time))
        if not all(_LISTS.fullmatch(block) for block in blocks):
            damaged.append(k)
        try:
            for block in blocks:
                block.decode("utf-8")
        except UnicodeDecodeError:
            undecoded.append(k)
    if untimed and header.plus:
        yield violation("conformity.edf_timekeeping", f"record {untimed[0] + 1}")
    if damaged:
        yield violation("conformity.edf_annotation_list", f"record {damaged[0] + 1}")
    if undecoded:
        yield violation("conformity.edf_annotation_utf8", f"record {undecoded[0] + 1}")
    if times and header.plus:
        yield from _times(times, header)


def _times(times: list[tuple[int, float]], header: EdfHeader) -> Iterator[Finding]:
    first, origin = times[0]
    if first == 0 and not 0 <= origin < 1:
        yield violation("conformity.edf_record_times", "record 1")
    duration = header.record_duration
    if not duration or len(times) < 2:
        return
    # Half a sample of the fastest signal is as near as a record's time can be told.
    most = max(
        (signal.samples or 1 for signal in header.signals if not signal.is_annotations), default=1
    )
    slack = 0.5 * duration / most
    gaps = [(b - a) - (k - j) * duration for (j, a), (k, b) in pairwise(times)]
    if header.discontinuous:
        wrong = [k for gap, (k, _) in zip(gaps, times[1:], strict=True) if gap < -slack]
        if not wrong and max(gaps) <= slack:
            yield violation("conformity.edf_not_discontinuous", "reserved")
    else:
        late = [abs(b - origin - (k - first) * duration) > slack for k, b in times[1:]]
        wrong = [k for far, (k, _) in zip(late, times[1:], strict=True) if far]
    if wrong:
        yield violation("conformity.edf_record_times", f"record {wrong[0] + 1}")
