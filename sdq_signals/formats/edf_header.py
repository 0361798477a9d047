"""The header of EDF, EDF+ and BDF files: its fields as they were written, and as numbers.

Layout: Kemp et al., A simple format for exchange of digitized polygraphic recordings,
Electroencephalogr Clin Neurophysiol 82 (1992) 391-393; EDF+: Kemp and Olivan, Clin Neurophysiol
114 (2003) 1755-1761, doi:10.1016/S1388-2457(03)00123-8; BDF: BioSemi's description of the 24-bit
variant. Parsing never fails on a bad field: the number is None then, and the linter says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sdq_signals.rules import unreadable

__all__ = [
    "FIXED",
    "PER_SIGNAL",
    "EdfHeader",
    "EdfSignal",
    "number",
    "parse",
    "read_header",
    "whole",
]

FIXED: Final = {
    "version": (0, 8), "patient": (8, 80), "recording": (88, 80), "startdate": (168, 8),
    "starttime": (176, 8), "header_bytes": (184, 8), "reserved": (192, 44), "records": (236, 8),
    "record_duration": (244, 8), "signals": (252, 4),
}  # fmt: skip
"""Field -> offset and length in bytes."""

PER_SIGNAL: Final = {
    "label": 16, "transducer": 80, "dimension": 8, "physical_minimum": 8, "physical_maximum": 8,
    "digital_minimum": 8, "digital_maximum": 8, "prefilter": 80, "samples": 8, "reserved": 32,
}  # fmt: skip
"""Field -> length in bytes; all signals' first fields come first, then all second ones."""

_ANNOTATIONS = frozenset({"EDF Annotations", "BDF Annotations"})
_BDF_VERSION = b"\xffBIOSEMI"
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)


def number(text: str) -> float | None:
    """Return the number that a field holds, or None where it holds none.

    Examples
    --------
    >>> number("-5.5"), number("5,0"), number("nan")
    (-5.5, None, None)
    """
    return float(text) if _NUMBER.fullmatch(text) else None


def whole(text: str) -> int | None:
    """Return the whole number that a field holds, or None where it holds none.

    Examples
    --------
    >>> whole("500"), whole("500.5")
    (500, None)
    """
    return int(text) if _WHOLE.fullmatch(text) else None


@dataclass(frozen=True, slots=True)
class EdfSignal:
    """One signal of the header.

    Parameters
    ----------
    texts : dict of str to str
        Keys of `PER_SIGNAL`, without the blanks behind.
    physical, digital : tuple of two floats or None
        Least and greatest value; None where one of them is no number.
    samples : int or None
        In one data record.
    """

    texts: dict[str, str]
    physical: tuple[float, float] | None
    digital: tuple[int, int] | None
    samples: int | None

    @property
    def label(self) -> str:
        """Name of the signal."""
        return self.texts["label"]

    @property
    def is_annotations(self) -> bool:
        """Whether the signal holds annotations instead of samples."""
        return self.label in _ANNOTATIONS

    @property
    def gain(self) -> float | None:
        """Physical units of one digital step; None where the header gives none."""
        if self.physical is None or self.digital is None or self.digital[0] == self.digital[1]:
            return None
        step = (self.physical[1] - self.physical[0]) / (self.digital[1] - self.digital[0])
        return step or None


@dataclass(frozen=True, slots=True)
class EdfHeader:
    """The header of one file.

    Parameters
    ----------
    texts : dict of str to str
        Keys of `FIXED`, without the blanks behind.
    signals : tuple of EdfSignal
    width : {2, 3}
        Bytes of a sample: 3 in BDF.
    raw : bytes
        The whole header.
    size : int
        Bytes of the file.
    """

    texts: dict[str, str]
    signals: tuple[EdfSignal, ...]
    width: int
    raw: bytes
    size: int

    @property
    def plus(self) -> bool:
        """Whether the file declares itself EDF+ or BDF+."""
        return self.texts["reserved"][:4] in ("EDF+", "BDF+")

    @property
    def discontinuous(self) -> bool:
        """Whether the file declares gaps between its records."""
        return self.texts["reserved"][:5] in ("EDF+D", "BDF+D")

    @property
    def declared(self) -> int | None:
        """Data records by the header; None where it does not know (-1) or is no number."""
        count = whole(self.texts["records"])
        return None if count is None or count < 0 else count

    @property
    def record_duration(self) -> float | None:
        """Seconds."""
        return number(self.texts["record_duration"])

    @property
    def record_bytes(self) -> int | None:
        """Bytes of a data record; None where a signal does not say its samples."""
        total = 0
        for signal in self.signals:
            if signal.samples is None or signal.samples < 0:
                return None
            total += signal.samples
        return total * self.width

    @property
    def stored(self) -> int:
        """Whole data records in the file."""
        return max(self.size - len(self.raw), 0) // (self.record_bytes or self.size + 1)

    @property
    def records(self) -> int:
        """Data records that can be read: as declared, where the file holds them."""
        return self.stored if self.declared is None else min(self.declared, self.stored)

    @property
    def offsets(self) -> tuple[int, ...]:
        """Samples in front of each signal inside a record."""
        total, found = 0, []
        for signal in self.signals:
            found.append(total)
            total += signal.samples or 0
        return tuple(found)


def read_header(path: Path) -> EdfHeader:
    """Read a file's header.

    Raises
    ------
    UnreadableItem
        Rules ``empty_file``, ``not_a_recording``, ``truncated`` and ``unreadable_file``.
    """
    try:
        with path.open("rb") as file:
            head = file.read(256)
            count = whole(head[252:256].decode("latin-1").strip())
            if count is not None and count > 0:
                head += file.read(256 * count)
            size = path.stat().st_size
    except OSError as error:
        raise unreadable("unreadable_file") from error
    return parse(head, size, bdf=path.suffix.lower() == ".bdf")


def parse(head: bytes, size: int, *, bdf: bool = False) -> EdfHeader:
    """Parse a header.

    Parameters
    ----------
    head : bytes
        At least the header's own bytes.
    size : int
        Bytes of the file.
    bdf : bool
        What the file's name says; the version field outweighs it.

    Raises
    ------
    UnreadableItem
        Rules ``empty_file``, ``not_a_recording`` and ``truncated``.
    """
    if not size:
        raise unreadable("empty_file")
    texts = {
        name: head[start : start + length].decode("latin-1").rstrip(" ")
        for name, (start, length) in FIXED.items()
    }
    count = whole(texts["signals"].strip())
    if count is None or count < 0 or len(head) < 256:
        raise unreadable("not_a_recording")
    if len(head) < 256 * (count + 1):
        raise unreadable("truncated", "the file ends inside its header; write it again")
    if count == 0:
        raise unreadable("no_samples", "the header declares no signals; remove the file")
    columns: dict[str, list[str]] = {}
    position = 256
    for name, length in PER_SIGNAL.items():
        block = head[position : position + length * count].decode("latin-1")
        columns[name] = [
            block[k : k + length].rstrip(" ") for k in range(0, length * count, length)
        ]
        position += length * count
    signals = tuple(
        _signal({name: column[k] for name, column in columns.items()}) for k in range(count)
    )
    known = head[:8] == _BDF_VERSION or texts["version"] == "0"
    width = 3 if (head[:8] == _BDF_VERSION if known else bdf) else 2
    return EdfHeader(texts, signals, width, head[:position], size)


def _signal(texts: dict[str, str]) -> EdfSignal:
    low, high = (number(texts[f"physical_{end}"].strip()) for end in ("minimum", "maximum"))
    least, most = (whole(texts[f"digital_{end}"].strip()) for end in ("minimum", "maximum"))
    return EdfSignal(
        texts,
        None if low is None or high is None else (low, high),
        None if least is None or most is None else (least, most),
        whole(texts["samples"].strip()),
    )
