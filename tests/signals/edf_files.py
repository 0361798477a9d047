"""EDF and BDF files written by hand, field by field, so that any of them can be wrong."""

from __future__ import annotations

import numpy as np

SCALE = {2: 10, 3: 1}
"""Stored steps of a microvolt, by the bytes of a sample: eight characters hold no more digits."""

WIDTHS = {
    "label": 16, "transducer": 80, "dimension": 8, "physical_minimum": 8, "physical_maximum": 8,
    "digital_minimum": 8, "digital_maximum": 8, "prefilter": 80, "samples": 8, "reserved": 32,
}  # fmt: skip
FIXED = {
    "version": (0, 8), "patient": (8, 80), "recording": (88, 80), "startdate": (168, 8),
    "starttime": (176, 8), "header_bytes": (184, 8), "reserved": (192, 44), "records": (236, 8),
    "record_duration": (244, 8), "signals": (252, 4),
}  # fmt: skip


def put(data: bytes, start: int, length: int, text: str | bytes) -> bytes:
    field = text if isinstance(text, bytes) else text.encode("latin-1")
    return data[:start] + field[:length].ljust(length) + data[start + length :]


def fixed(data: bytes, **fields: str | bytes) -> bytes:
    for name, text in fields.items():
        data = put(data, *FIXED[name], text)
    return data


def of_signal(data: bytes, number: int, **fields: str | bytes) -> bytes:
    """Overwrite fields of the signal `number`, counted from 0."""
    count = int(data[252:256])
    for name, text in fields.items():
        start = 256
        for other, width in WIDTHS.items():
            if other == name:
                data = put(data, start + width * number, width, text)
            start += width * count
    return data


def body(data: bytes) -> int:
    """Return the offset of the first data record."""
    return 256 * (int(data[252:256]) + 1)


def stored(values: np.ndarray, width: int) -> bytes:
    if width == 2:
        return values.astype("<i2").tobytes()
    return np.ascontiguousarray(values.astype("<i4")).view("u1").reshape(-1, 4)[:, :3].tobytes()


def write(
    signals: dict[str, np.ndarray],
    *,
    unit: str = "uV",
    width: int = 2,
    duration: float = 1.0,
    reserved: str | None = None,
    onsets: list[float] | None = None,
    notes: dict[int, bytes] | None = None,
) -> bytes:
    """Return a valid file; `signals` are stored values, one row a data record.

    Physical values are the stored ones divided by `SCALE`. `notes` are bytes behind the
    time-keeping list of a record.
    """
    records = len(next(iter(signals.values())))
    plain = {2: "EDF", 3: "BDF"}[width]
    onsets = [k * duration for k in range(records)] if onsets is None else onsets
    reserved = f"{plain}+C" if reserved is None else reserved
    rows = {name: values.shape[1] for name, values in signals.items()}
    half = 1 << (8 * width - 1)
    size = 120 // width
    scale = SCALE[width]
    if reserved:
        rows[f"{plain} Annotations"] = size
    head = {
        "label": list(rows),
        "transducer": ["" for _ in rows],
        "dimension": [unit if k < len(signals) else "" for k in range(len(rows))],
        "physical_minimum": [f"{-half / scale:.8g}" for _ in rows],
        "physical_maximum": [f"{(half - 1) / scale:.8g}" for _ in rows],
        "digital_minimum": [str(-half) for _ in rows],
        "digital_maximum": [str(half - 1) for _ in rows],
        "prefilter": ["" for _ in rows],
        "samples": [str(n) for n in rows.values()],
        "reserved": ["" for _ in rows],
    }
    data = b" " * (256 * (len(rows) + 1))
    data = fixed(
        data,
        version="0" if width == 2 else b"\xffBIOSEMI",
        patient="X X X X",
        recording="Startdate 01-JAN-2024 X X X",
        startdate="01.01.24",
        starttime="10.00.00",
        header_bytes=str(len(data)),
        reserved=reserved or ("24BIT" if width == 3 else ""),
        records=str(records),
        record_duration=f"{duration:g}",
        signals=str(len(rows)),
    )
    for name, texts in head.items():
        for k, text in enumerate(texts):
            data = of_signal(data, k, **{name: text})
    parts = [data]
    for k in range(records):
        parts += [stored(values[k], width) for values in signals.values()]
        if reserved:
            block = b"+%s\x14\x14\x00" % f"{onsets[k]:g}".encode() + (notes or {}).get(k, b"")
            parts.append(block.ljust(size * width, b"\0"))
    return b"".join(parts)


def wave(records: int, samples: int, amplitude: float = 1000.0) -> np.ndarray:
    time = np.arange(records * samples) / samples
    return np.round(amplitude * np.sin(2 * np.pi * 1.3 * time)).reshape(records, samples)
