"""Writes WFDB records of one segment in format 16, in format 32 where values need it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.files import atomic_write
from sdq_signals.formats.wfdb_header import DEFAULT_UNIT
from sdq_signals.planting.draft import Draft
from sdq_signals.units import factor

__all__ = ["write"]

MOST_16: Final = 32767
MOST_32: Final = 2**31 - 1
LONGEST_LINE: Final = 250


def write(draft: Draft, folder: Path) -> Path:
    """Write a record: header and data file.

    The step of each channel is that of its own file and the baseline is 0, so that values stay the
    same to the last bit. Missing samples are the lowest value of the format.

    Parameters
    ----------
    draft : Draft
    folder : Path
        Is there.

    Returns
    -------
    Path
        The header.
    """
    columns: list[NDArray[np.float64]] = []
    gains: list[str] = []
    for values, head in zip(draft.physical, draft.channels, strict=True):
        by = 1.0 if head.factor is None else head.factor
        step = (head.resolution or by) / by
        largest = float(np.nanmax(np.abs(values), initial=0.0))
        most = MOST_16
        if draft.full_scale > 0 and largest > 0:
            step = draft.full_scale * largest / most
        elif largest / step > MOST_32:
            step = largest / MOST_32
        with np.errstate(invalid="ignore"):
            stored = np.rint(values / step)
            if draft.full_scale > 0:
                stored = np.clip(stored, -most, most)
        columns.append(stored)
        gains.append("0" if _uncalibrated(draft, len(gains)) else f"{1 / step:.12g}(0)")
    stored = np.stack(columns)
    number = 16 if np.nanmax(np.abs(stored), initial=0.0) <= MOST_16 else 32
    frames, widths = _frames(stored, draft.divisor)
    whole = np.where(np.isnan(frames), -(2 ** (number - 1)), frames).astype(np.int64)
    rate = f"{draft.rate / max(widths):.10g}"
    lines = [f"{draft.name} {len(widths)} {rate} {len(whole)}"]
    first = 0
    units = draft.stated_units
    for k, width in enumerate(widths):
        own = whole[:, first : first + width]
        first += width
        form = f"{number}x{width}" if width > 1 else f"{number}"
        total = int(own.sum()) & 0xFFFF
        lines.append(
            f"{draft.name}.dat {form} {gains[k]}/{units[k] or DEFAULT_UNIT} {number} 0 "
            f"{own.flat[0]} {total} 0 {draft.names[k]}"
        )
    said = {**draft.told, **draft.statements}
    lines += [f"# {key}: {value}"[:LONGEST_LINE] for key, value in said.items()]
    header = folder / f"{draft.name}.hea"
    atomic_write(header.with_suffix(".dat"), whole.astype(f"<i{number // 8}").tobytes())
    atomic_write(header, ("\n".join(lines) + "\n").encode())
    return header


def _uncalibrated(draft: Draft, k: int) -> bool:
    """Whether the file states no gain: its unit would be known, and is not used."""
    head = draft.channels[k]
    return head.factor is None and factor(head.unit or DEFAULT_UNIT, head.kind) is not None


def _frames(
    stored: NDArray[np.float64], divisor: int
) -> tuple[NDArray[np.float64], tuple[int, ...]]:
    """Return the samples frame by frame, and how many of each channel a frame holds."""
    count, length = stored.shape
    if divisor == 1 or count == 1:
        return stored.T, (1,) * count
    whole = length // divisor
    fast = stored[0, : whole * divisor].reshape(whole, divisor)
    slow = stored[1:, : whole * divisor : divisor].T
    return np.concatenate([fast, slow], axis=1), (divisor, *(1,) * (count - 1))
