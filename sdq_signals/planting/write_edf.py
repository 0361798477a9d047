"""Writes EDF, EDF+ and BDF files, field by field."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.files import atomic_write
from sdq_signals.formats.edf_header import FIXED, PER_SIGNAL, EdfSignal, read_header
from sdq_signals.planting.draft import GENERATOR, Draft
from sdq_signals.planting.stored import Converter, converted

__all__ = ["EdfParts", "parts_of", "write"]

LARGEST_RECORD: Final = 61440
NOTE_BYTES: Final = 360
"""Bytes of the annotation signal in a data record."""
OLDEST: Final = 89
YEAR: Final = 2000


@dataclass(slots=True)
class EdfParts:
    """A file taken apart, so that any field of it can be written otherwise.

    Parameters
    ----------
    fixed : dict of str to bytes
        Fields of fixed place.
    signals : list of dict of str to bytes
        Header of each signal.
    records : list of list of bytes
        Data records; of each the samples of every signal.
    tail : bytes
        Behind the last record.
    """

    fixed: dict[str, bytes]
    signals: list[dict[str, bytes]]
    records: list[list[bytes]] = field(default_factory=list)
    tail: bytes = b""

    def of(self, name: str) -> int:
        """Return the number of the first annotation signal, or of the first other one."""
        wanted = name == "annotations"
        return next(
            k for k, s in enumerate(self.signals) if s["label"].endswith(b"Annotations") == wanted
        )

    def encoded(self) -> bytes:
        """Return the bytes of the file."""
        head = bytearray(b" " * 256)
        for name, (start, length) in FIXED.items():
            head[start : start + length] = self.fixed[name][:length].ljust(length)
        for name, length in PER_SIGNAL.items():
            for signal in self.signals:
                head += signal[name][:length].ljust(length)
        return bytes(head) + b"".join(b"".join(r) for r in self.records) + self.tail


def parts_of(path: Path) -> EdfParts:
    """Take a file apart that `write` has written."""
    header = read_header(path)
    data = path.read_bytes()
    fixed = {name: data[a : a + n] for name, (a, n) in FIXED.items()}
    signals: list[dict[str, bytes]] = [{} for _ in header.signals]
    place = 256
    for name, length in PER_SIGNAL.items():
        for signal in signals:
            signal[name] = data[place : place + length].rstrip(b" ")
            place += length
    records = []
    for _ in range(header.records):
        record = []
        for own in header.signals:
            size = (own.samples or 0) * header.width
            record.append(data[place : place + size])
            place += size
        records.append(record)
    return EdfParts({k: v.rstrip(b" ") for k, v in fixed.items()}, signals, records, data[place:])


def write(draft: Draft, folder: Path) -> Path:
    """Write a file in the form of the recording's own: plain or EDF+, 16 or 24 bits.

    The person's code and name, the date and all annotations are left out; sex and the year of birth
    stay. Where samples are missing in all channels, an EDF+ file is discontinuous.

    Parameters
    ----------
    draft : Draft
    folder : Path
        Is there.

    Returns
    -------
    Path
    """
    header = read_header(draft.path)
    used = [
        s
        for s in header.signals
        if s.samples and not (s.is_annotations or (header.width == 3 and s.label == "Status"))
    ]
    there = np.asarray(np.isfinite(draft.samples).any(axis=0), np.bool_)
    size = _record_samples(there, draft.rate, len(draft.kept) * header.width, draft.divisor)
    plain = "BDF" if header.width == 3 else "EDF"
    starts = [k for k in range(0, len(there) - size + 1, size) if there[k : k + size].any()]
    gaps = any(b - a != size for a, b in pairwise(starts)) or (bool(starts) and starts[0] > 0)
    plus = header.plus or gaps
    signals, columns = [], []
    for k, own in enumerate(draft.kept):
        signal, values = _signal(draft, k, used[own], 8 * header.width)
        step = draft.divisor if k else 1
        signal["samples"] = str(size // step).encode()
        signals.append(signal)
        columns.append(values[::step] if step > 1 else values)
    duration = f"{size / draft.rate:.8g}"[:8]
    steps = (1, *(draft.divisor,) * (len(columns) - 1))
    records = [
        [
            _stored(c[start // d : (start + size) // d], header.width)
            for c, d in zip(columns, steps, strict=True)
        ]
        for start in starts
    ]
    if plus:
        half = 2 ** (8 * header.width - 1)
        signals.append(
            {
                **dict.fromkeys(PER_SIGNAL, b""),
                "label": f"{plain} Annotations".encode(),
                "physical_minimum": b"-1",
                "physical_maximum": b"1",
                "digital_minimum": str(-half).encode(),
                "digital_maximum": str(half - 1).encode(),
                "samples": str(NOTE_BYTES // header.width).encode(),
            }
        )
        for k, (start, record) in enumerate(zip(starts, records, strict=True)):
            record.append(_notes(draft, start / draft.rate, first=k == 0))
    fixed = {
        "version": b"0" if header.width == 2 else b"\xffBIOSEMI",
        "patient": _patient(draft),
        "recording": _recording(draft),
        "startdate": b"01.01.00",
        "starttime": b"00.00.00",
        "header_bytes": str(256 * (len(signals) + 1)).encode(),
        "reserved": f"{plain}+{'D' if gaps else 'C'}".encode() if plus else
                    (b"24BIT" if header.width == 3 else b""),
        "records": str(len(records)).encode(),
        "record_duration": duration.encode(),
        "signals": str(len(signals)).encode(),
    }  # fmt: skip
    path = folder / f"{draft.name}{draft.path.suffix.lower()}"
    atomic_write(path, EdfParts(fixed, signals, records).encoded())
    return path


def _record_samples(
    there: NDArray[np.bool_], rate: float, bytes_a_sample: int, divisor: int
) -> int:
    """Return the samples of a record: records fill the recording and end where gaps begin."""
    edges = np.flatnonzero(np.diff(there.astype(np.int8))) + 1
    common = math.gcd(len(there), *edges.tolist())
    most = max(1, (LARGEST_RECORD - NOTE_BYTES) // bytes_a_sample)

    def exact(n: int) -> bool:
        return abs(float(f"{n / rate:.8g}"[:8]) * rate / n - 1) < 1e-6

    fitting = [
        n for n in range(1, min(common, most) + 1)
        if common % n == 0 and n % divisor == 0 and exact(n)
    ]  # fmt: skip
    if fitting:
        return min(fitting, key=lambda n: abs(math.log(n / rate)))
    # Nothing divides it: a rest of less than a second is left out.
    return max(divisor, min(round(rate), most, len(there)) // divisor * divisor)


def _signal(
    draft: Draft, k: int, own: EdfSignal, bits: int
) -> tuple[dict[str, bytes], NDArray[np.int64]]:
    """Return the header of one signal, and its stored samples."""
    texts = {name: own.texts[name].encode("latin-1", "replace") for name in PER_SIGNAL}
    # What a header may hold besides printable ASCII is nothing that a generator writes.
    texts = {n: bytes(b if 32 <= b < 127 else 63 for b in t).lstrip() for n, t in texts.items()}
    values = draft.physical[k]
    texts["dimension"] = draft.stated_units[k].encode("latin-1", "replace")
    if own.gain is None or own.physical is None or own.digital is None:
        return texts, np.rint(np.nan_to_num(values)).astype(np.int64)
    low, high = own.digital
    shift = own.physical[0] - low * own.gain
    stored, used = converted(values, Converter(own.gain, shift, low, high), bits, draft.full_scale)
    if used.step != own.gain or (used.lowest, used.highest) != (low, high):
        ends = [used.lowest * used.step + used.shift, used.highest * used.step + used.shift]
        texts |= {
            "physical_minimum": _eight(ends[0]),
            "physical_maximum": _eight(ends[1]),
            "digital_minimum": str(used.lowest).encode(),
            "digital_maximum": str(used.highest).encode(),
        }
    return texts, stored


def _eight(value: float) -> bytes:
    """Return a number in eight characters, as exact as they allow."""
    for digits in range(8, 0, -1):
        text = f"{value:.{digits}g}"
        if len(text) <= 8 and "e" not in text:
            return text.encode()
    return f"{value:.1e}".encode()[:8]


def _stored(values: NDArray[np.int64], width: int) -> bytes:
    if width == 2:
        return values.astype("<i2").tobytes()
    return np.ascontiguousarray(values.astype("<i4")).view("u1").reshape(-1, 4)[:, :3].tobytes()


def _notes(draft: Draft, onset: float, *, first: bool) -> bytes:
    text = f"+{onset:.10g}\x14\x14\x00"
    if first:
        for key, value in {**draft.told, **draft.statements}.items():
            more = f"+0\x14{key}: {value}\x14\x00"
            # Half a list would be a damaged one.
            text += more if len((text + more).encode()) <= NOTE_BYTES else ""
    return text.encode().ljust(NOTE_BYTES, b"\0")


def _patient(draft: Draft) -> bytes:
    sex, age = draft.recording.metadata.get("sex", "X"), draft.recording.metadata.get("age", "")
    born = f"01-JAN-{YEAR - int(age)}" if age.isdecimal() and int(age) <= OLDEST else "X"
    return f"X {sex if sex in ('F', 'M') else 'X'} {born} X".encode()


def _recording(draft: Draft) -> bytes:
    said = ["synthetic"] if draft.declared else []
    said += [f"generator={GENERATOR}", f"run={draft.run}"] if draft.traced else []
    return f"Startdate 01-JAN-{YEAR} X X {';'.join(said) or 'X'}".encode()
