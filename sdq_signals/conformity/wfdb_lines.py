"""The lines of a WFDB header, taken apart without stopping at a bad one."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sdq_core.finding import Finding
from sdq_signals.conformity.rules import violation

__all__ = ["Line", "Lines", "SignalLine", "signal_line"]

_MOST_BYTES: Final = 2**22
_FORMATS: Final = frozenset(
    (0, 8, 16, 24, 32, 61, 80, 160, 212, 310, 311, 508, 516, 524)
)  # signal(5)
_BITS: Final = {8: 8, 16: 16, 24: 24, 32: 32, 61: 16, 80: 8, 160: 16, 212: 12, 310: 10, 311: 10,
                508: 8, 516: 16, 524: 24}  # fmt: skip
_FORMAT = re.compile(r"(\d+)(?:x(\d+))?(?::(\d+))?(?:\+(\d+))?", re.ASCII)
_GAIN = re.compile(
    r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?:\(([+-]?\d+)\))?(?:/(\S+))?", re.ASCII
)
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_FIELDS: Final = ("resolution", "zero", "initial value", "checksum", "block size")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a header, numbered from 1."""

    number: int
    text: str

    @property
    def fields(self) -> list[str]:
        """Its words."""
        return self.text.split()


@dataclass(frozen=True, slots=True)
class SignalLine:
    """A signal specification line; what cannot be understood is None.

    Parameters
    ----------
    fields : tuple of str
        Those before the description.
    name : str
        Description.
    """

    fields: tuple[str, ...]
    name: str

    @property
    def file(self) -> str:
        """Name of the data file."""
        return self.fields[0]

    @property
    def format(self) -> tuple[int, int, int, int] | None:
        """Storage format, samples a frame, skew, byte offset."""
        match = _FORMAT.fullmatch(self.fields[1]) if len(self.fields) > 1 else None
        if match is None:
            return None
        return int(match[1]), int(match[2] or 1), int(match[3] or 0), int(match[4] or 0)

    @property
    def gain(self) -> float | None:
        """Stored units for one physical unit; None where missing or no number."""
        match = _GAIN.fullmatch(self.fields[2]) if len(self.fields) > 2 else None
        value = None if match is None else float(match[1])
        return value if value is not None and math.isfinite(value) else None

    @property
    def unit(self) -> str:
        """Unit as written; empty where missing."""
        return self.fields[2].partition("/")[2] if len(self.fields) > 2 else ""

    def whole(self, name: str) -> int | None:
        """Return one of the whole numbers behind the gain; None where missing or none."""
        place = 3 + _FIELDS.index(name)
        text = self.fields[place] if len(self.fields) > place else ""
        return int(text) if _WHOLE.fullmatch(text) else None


@dataclass(frozen=True, slots=True)
class Lines:
    """A header.

    Parameters
    ----------
    all : tuple of Line
    record : Line or None
        The first that is neither empty nor an info string.
    body : tuple of Line
        Signal or segment lines.
    comments : tuple of Line
        Info strings, with their number sign.
    """

    all: tuple[Line, ...]
    record: Line | None
    body: tuple[Line, ...]
    comments: tuple[Line, ...]

    @classmethod
    def read(cls, path: Path) -> Lines:
        """Read a header's lines.

        Raises
        ------
        OSError
        """
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES).decode("utf-8", "replace")
        every = tuple(
            Line(k, line) for k, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1)
        )
        spoken = [line for line in every if line.text.strip()]
        comments = tuple(line for line in spoken if line.text.lstrip().startswith("#"))
        others = [line for line in spoken if not line.text.lstrip().startswith("#")]
        return cls(every, others[0] if others else None, tuple(others[1:]), comments)

    @property
    def fields(self) -> list[str]:
        """Words of the record line."""
        return [] if self.record is None else self.record.fields

    @property
    def signal_count(self) -> int | None:
        """As the record line says."""
        text = self.fields[1] if len(self.fields) > 1 else ""
        return int(text) if re.fullmatch(r"\d+", text, re.ASCII) else None

    @property
    def signals(self) -> tuple[SignalLine, ...]:
        """The body as signal lines."""
        return tuple(_signal(line.text) for line in self.body)


def _signal(text: str) -> SignalLine:
    parts = text.split(None, 8)
    return SignalLine(tuple(parts[:8]), parts[8].strip() if len(parts) > 8 else "")


def signal_line(signal: SignalLine, place: str) -> Iterator[Finding]:
    """Judge the form of a signal line.

    Parameters
    ----------
    signal : SignalLine
    place : str

    Yields
    ------
    Finding

    Examples
    --------
    >>> line = SignalLine(("a.dat", "17", "200.0/mV", "12", "0", "x"), "II")
    >>> [f.where for f in signal_line(line, "signal 1")]
    ['signal 1.format', 'signal 1.initial value']
    """
    form = signal.format
    if form is None or form[0] not in _FORMATS or form[1] < 1:
        yield violation("conformity.wfdb_format", f"{place}.format")
    if len(signal.fields) > 2:
        match = _GAIN.fullmatch(signal.fields[2])
        if match is None or float(match[1]) < 0:
            yield violation("conformity.wfdb_gain", f"{place}.gain")
    for name, text in zip(_FIELDS, signal.fields[3:8], strict=False):
        if not _WHOLE.fullmatch(text):
            yield violation("conformity.wfdb_number", f"{place}.{name}")
    bits, stored = signal.whole("resolution"), _BITS.get(form[0]) if form is not None else None
    # 0 stands for a resolution that is not known.
    if bits is not None and (bits < 0 or (stored is not None and bits > stored)):
        yield violation("conformity.wfdb_resolution", f"{place}.resolution")
    checksum = signal.whole("checksum")
    if checksum is not None and not -32768 <= checksum <= 65535:
        yield violation("conformity.wfdb_checksum_range", f"{place}.checksum")
    size = signal.whole("block size")
    if size is not None and size < 0:
        yield violation("conformity.wfdb_number", f"{place}.block size")
