"""The header of a WFDB record, after header(5) of the WFDB Applications Guide."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from sdq_signals.rules import unreadable

__all__ = ["Header", "Signal", "data_file", "parse"]

DEFAULT_RATE: Final = 250.0
"""Frames a second of a header that states none (header(5))."""
DEFAULT_UNIT: Final = "mV"
"""Unit of a signal that states none (header(5))."""
MOST_BYTES: Final = 2**22
MOST_SIGNALS: Final = 4096
MOST_PER_FRAME: Final = 2**16
HIGHEST_RATE: Final = 1e8

_FORMAT = re.compile(r"(\d{1,4})(?:x(\d{1,6}))?(?::(\d{1,9}))?(?:\+(\d{1,12}))?")
_GAIN = re.compile(
    r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)?(?:\((-?\d{1,12})(?:\.0*)?\))?(?:/(\S+))?"
)


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal of a record.

    Parameters
    ----------
    file : str
        Name of its data file.
    format : int
        Number of its storage format, signal(5).
    per_frame : int
        Samples in each frame.
    skew : int
        Frames by which the samples lie behind where they belong.
    offset : int
        Bytes before the first sample.
    gain : float or None
        Stored units for one physical unit; None where zero or missing: not calibrated.
    baseline : int
        Stored value of physical zero.
    unit : str
        Empty where missing.
    initial : int or None
        First stored value.
    checksum : int or None
        Sum of all stored values modulo 65536.
    name : str
    """

    file: str
    format: int
    per_frame: int = 1
    skew: int = 0
    offset: int = 0
    gain: float | None = None
    baseline: int = 0
    unit: str = ""
    initial: int | None = None
    checksum: int | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Header:
    """The header of one record.

    Parameters
    ----------
    rate : float or None
        Frames a second; None where the header states none.
    length : int or None
        Frames; None where the header states none.
    signals : tuple of Signal
        Empty for a record of several segments.
    segments : tuple of tuple of str and int
        Record name and frames of each segment; ``"~"`` for a pause, no frames for a layout.
    comments : tuple of str
        Info strings, without their number sign.
    """

    rate: float | None
    length: int | None
    signals: tuple[Signal, ...]
    segments: tuple[tuple[str, int], ...]
    comments: tuple[str, ...]


def parse(path: Path) -> Header:
    r"""Read a header.

    Parameters
    ----------
    path : Path
        ``.hea`` file.

    Returns
    -------
    Header

    Raises
    ------
    UnreadableItem
        Rules ``empty_file``, ``header_invalid``, ``too_many_samples``, ``sampling_rate_invalid``;
        the message names line and field.
    OSError

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a.hea"
    ...     _ = file.write_text("a 1 360 650000\na.dat 212 200(1024)/mV 11 1024 995 -22131 0 MLII")
    ...     header = parse(file)
    >>> header.rate, header.length, header.signals[0].baseline, header.signals[0].name
    (360.0, 650000, 1024, 'MLII')
    """
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if not data.strip():
        raise unreadable("empty_file")
    if len(data) > MOST_BYTES or b"\0" in data:
        raise _invalid(1, "the file is no text or too long")
    comments, lines = [], []
    text = data.decode("utf-8-sig", "replace")
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        stripped = line.strip()
        if stripped.startswith("#"):
            comments.append(stripped.lstrip("#").strip())
        elif stripped:
            lines.append((number, stripped))
    if not lines:
        raise _invalid(1, "there is no record line")
    count, segments, rate, length = _record_line(*lines[0])
    if count > MOST_SIGNALS or segments > MOST_BYTES:
        raise unreadable("too_many_samples")
    wanted = segments or count
    if len(lines) - 1 < wanted:
        raise _invalid(
            lines[-1][0], f"{wanted} signal or segment lines are promised, {len(lines) - 1} follow"
        )
    if segments:
        named = tuple(_segment_line(n, line) for n, line in lines[1 : segments + 1])
        return Header(rate, length, (), named, tuple(comments))
    signals = tuple(_signal_line(number, line) for number, line in lines[1 : count + 1])
    return Header(rate, length, signals, (), tuple(comments))


def data_file(header: Path, name: str) -> Path:
    """Return the path of a file that a header names, and make sure that it lies beside it.

    Parameters
    ----------
    header : Path
        The header file.
    name : str
        As written in it.

    Returns
    -------
    Path
        May not exist.

    Raises
    ------
    UnreadableItem
        Rule ``path_outside``: the name, or the link that stands there, leaves the folder.

    Examples
    --------
    >>> data_file(Path("db/a.hea"), "a.dat").as_posix()
    'db/a.dat'
    """
    pure = PurePosixPath(name.replace("\\", "/"))
    folder = header.parent
    if pure.is_absolute() or ".." in pure.parts or ":" in name or "\0" in name:
        raise unreadable("path_outside")
    path = folder / pure
    if len(pure.parts) == 1 and not path.is_symlink():
        return path
    try:
        inside = path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError) as error:  # a loop of links
        raise unreadable("path_outside") from error
    if not inside:
        raise unreadable("path_outside")
    return path


def _record_line(number: int, line: str) -> tuple[int, int, float | None, int | None]:
    """Return the numbers of signals and segments, the rate and the length in frames."""
    fields = line.split()
    if len(fields) < 2:
        raise _invalid(number, "the record line needs a name and the number of signals")
    segments = _integer(number, "number of segments", fields[0].partition("/")[2] or "0")
    count = _integer(number, "number of signals", fields[1])
    if count < 0 or segments < 0:
        raise _invalid(number, "the number of signals or segments is negative")
    rate: float | None = None
    if len(fields) > 2:
        try:
            rate = float(re.split(r"[/(]", fields[2])[0])
        except ValueError as error:
            raise _invalid(number, "the sampling frequency is no number") from error
        if not (math.isfinite(rate) and 0 < rate <= HIGHEST_RATE):
            raise unreadable("sampling_rate_invalid")
    length = None
    if len(fields) > 3 and fields[3].isdecimal():
        # Zero stands for a length that is not known.
        length = _integer(number, "number of samples", fields[3]) or None
    return count, segments, rate, length


def _segment_line(number: int, line: str) -> tuple[str, int]:
    fields = line.split()
    if len(fields) < 2:
        raise _invalid(number, "a segment needs a name and a number of samples")
    length = _integer(number, "number of samples", fields[1])
    if length < 0:
        raise _invalid(number, "the number of samples is negative")
    return fields[0], length


def _signal_line(number: int, line: str) -> Signal:
    fields = line.split(None, 8)
    form = _FORMAT.fullmatch(fields[1]) if len(fields) > 1 else None
    if form is None:
        raise _invalid(number, "the storage format")
    gain, baseline, unit = None, None, ""
    if len(fields) > 2:
        found = _GAIN.fullmatch(fields[2])
        if found is None:
            raise _invalid(number, "the gain")
        gain = float(found[1]) if found[1] else None
        baseline = int(found[2]) if found[2] else None
        unit = found[3] or ""
    names = ("resolution", "zero", "initial value", "checksum", "block size")
    numbers = [_integer(number, name, text) for name, text in zip(names, fields[3:8], strict=False)]
    per_frame = int(form[2] or 1)
    if not 1 <= per_frame <= MOST_PER_FRAME:
        raise _invalid(number, "the samples per frame")
    zero = numbers[1] if len(numbers) > 1 else 0
    return Signal(
        file=fields[0],
        format=int(form[1]),
        per_frame=per_frame,
        skew=int(form[3] or 0),
        offset=int(form[4] or 0),
        gain=gain if gain and math.isfinite(gain) else None,
        baseline=zero if baseline is None else baseline,
        unit=unit,
        initial=numbers[2] if len(numbers) > 2 else None,
        checksum=numbers[3] if len(numbers) > 3 else None,
        name=fields[8].strip() if len(fields) > 8 else "",
    )


def _integer(number: int, name: str, text: str) -> int:
    if not (text.isascii() and text.lstrip("+-").isdecimal() and len(text) <= 16):
        raise _invalid(number, f"the {name} is no whole number")
    try:
        return int(text)
    except ValueError as error:  # two signs
        raise _invalid(number, f"the {name} is no whole number") from error


def _invalid(number: int, what: str) -> Exception:
    return unreadable(
        "header_invalid",
        f"line {number} of the header cannot be understood: {what}; correct it after header(5)",
    )
