r"""Annotations of EDF+ and BDF+ files, and the times of data records that they keep.

A time-stamped annotation list (TAL) is ``onset [\x15 duration] \x14 text \x14 ... \x00``; the
first of a record keeps its time and has an empty first text (Kemp and Olivan 2003, section 2.2.2).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdq_signals.formats.edf_header import EdfHeader

__all__ = ["Annotation", "annotation_bytes", "onset", "parse_annotations", "records_of"]

_TAL = re.compile(
    rb"(?P<onset>[+-]\d+(?:\.\d+)?)(?:\x15(?P<duration>\d+(?:\.\d+)?))?\x14(?P<texts>[^\x00]*)\x14\x00"
)
_TIME = re.compile(rb"([+-]\d{1,12}(?:\.\d{1,12})?)\x14\x14")


@dataclass(frozen=True, slots=True)
class Annotation:
    """One annotation.

    Parameters
    ----------
    onset : float
        Seconds since the start of the file.
    duration : float or None
        Seconds; None where the file does not say.
    text : str
    """

    onset: float
    duration: float | None
    text: str


def records_of(path: Path, header: EdfHeader) -> NDArray[np.uint8]:
    """Map the data records of a file.

    Parameters
    ----------
    path : Path
    header : EdfHeader

    Returns
    -------
    ndarray of uint8, shape (records, bytes of a record)
        Nothing is read before it is asked for.
    """
    size = header.record_bytes or 0
    if not header.records or not size:
        return np.zeros((0, size), np.uint8)
    shape = (header.records, size)
    mapped: Any = np.memmap(path, np.uint8, "r", len(header.raw), shape)
    return mapped.view(np.ndarray)  # type: ignore[no-any-return]


def annotation_bytes(
    records: NDArray[np.uint8], header: EdfHeader, which: Iterable[int] | None = None
) -> Iterator[tuple[bytes, ...]]:
    """Yield, for each record, the bytes of each of its annotation signals.

    Parameters
    ----------
    records : ndarray of uint8, shape (records, bytes of a record)
        From `records_of`.
    header : EdfHeader
    which : iterable of int, optional
        Numbers of records; all of them by default.
    """
    spans = [
        (start * header.width, (start + (signal.samples or 0)) * header.width)
        for start, signal in zip(header.offsets, header.signals, strict=True)
        if signal.is_annotations
    ]
    for k in range(len(records)) if which is None else which:
        row = records[k]
        yield tuple(row[a:b].tobytes() for a, b in spans)


def onset(block: bytes) -> float | None:
    r"""Return the time that a record's first annotation list keeps.

    Parameters
    ----------
    block : bytes
        The record's first annotation signal.

    Returns
    -------
    float or None
        Seconds since the start of the file; None where the list is damaged or keeps no time.

    Examples
    --------
    >>> onset(b"+567.5\x14\x14\x00"), onset(b"+567\x14Apnea\x14\x00")
    (567.5, None)
    """
    match = _TIME.match(block)
    return None if match is None else float(match[1])


def parse_annotations(block: bytes) -> Iterator[Annotation]:
    r"""Yield the annotations of one block; damaged lists are passed over.

    Parameters
    ----------
    block : bytes
        An annotation signal of one record.

    Examples
    --------
    >>> list(parse_annotations(b"+0\x14\x14\x00+1.5\x1510\x14Apnea\x14\x00\x00"))
    [Annotation(onset=1.5, duration=10.0, text='Apnea')]
    """
    for match in _TAL.finditer(block):
        duration = match["duration"]
        for text in match["texts"].split(b"\x14"):
            if text:
                yield Annotation(
                    float(match["onset"]),
                    None if duration is None else float(duration),
                    text.decode("utf-8", "replace"),
                )
