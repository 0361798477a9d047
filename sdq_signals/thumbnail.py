"""A picture of one recording for the report's gallery, drawn as its readers know it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.description import Item
from sdq_core.errors import UnreadableItem
from sdq_signals.channels import LEADS, canonical, kind_of
from sdq_signals.reading import open_recording
from sdq_signals.recording import Kind
from sdq_signals.settings import SignalsSettings
from sdq_signals.sheet import Sheet

__all__ = ["GREY", "PINK", "draw", "reach_of", "sheet_of", "thumbnail"]

SECONDS: Final = 10.0
"""Length of what is drawn: that of a standard electrocardiogram and of a page of EEG."""
MOST_STRIPS: Final = {"ecg": 12, "eeg": 40, "ppg": 8, "other": 8}

# Millimetre paper of an electrocardiograph: 25 mm/s and 10 mm/mV (AHA/ACC/HRS 2007, part I).
SPEED: Final = 25.0
GAINS: Final = (10.0, 5.0, 2.5, 1.0, 0.5, 0.25, 0.1)
WIDEST, HIGHEST = 860, 640
EDGE, PULSE = 5, 10
PINK: Final = ((255, 252, 250), (252, 228, 225), (243, 187, 184))
GREY: Final = ((255, 255, 255), (226, 230, 233), (226, 230, 233))

Strip = tuple[int, int, int]
"""Channel, first sample, last sample."""


def thumbnail(item: Item, settings: SignalsSettings) -> bytes | None:
    """Return a picture of the middle ten seconds of a recording; None when it is unreadable.

    Parameters
    ----------
    item : Item
    settings : SignalsSettings

    Returns
    -------
    bytes or None
        PNG. Of the channels, those of the recording's kind are drawn. Holds no text of the file
        but standard names of channels.
    """
    try:
        recording = open_recording(item, settings)
        names = [c.name for c in recording.channels]
        kind = kind_of(names) if settings.kind == "auto" else settings.kind
        length = min(recording.length, _length(kind, recording.rate))
        first = (recording.length - length) // 2
        samples = recording.read(first, first + length)
    except UnreadableItem:
        return None
    if samples.size == 0:
        return None
    own = [k for k, c in enumerate(recording.channels) if c.kind == kind]
    rows = own or list(range(len(names)))
    known = all(recording.channels[k].factor is not None for k in rows)
    labels = [recording.channels[k].label for k in rows]
    return draw(samples[rows], recording.rate, labels, kind, calibrated=known)


def draw(
    samples: NDArray[np.float32],
    rate: float,
    labels: Sequence[str],
    kind: Kind,
    *,
    calibrated: bool = True,
) -> bytes:
    """Draw channels: ECG on millimetre paper, anything else as stacked traces with scale bars.

    Twelve leads of ten seconds are laid out as a standard electrocardiogram: four columns of 2.5 s
    and lead II below as the rhythm strip; other ECG as one strip a lead. EEG is drawn with negative
    up (IFCN) in one scale for all channels; others have a scale each.

    Parameters
    ----------
    samples : ndarray, shape (c, t)
        In mV for ECG, uV for EEG; NaN in gaps, which break the trace. At least one sample.
    rate : float
        Samples a second.
    labels : sequence of str
        Names of the channels. One that is no standard name is written as ``"ch 1"``.
    kind : {"ecg", "eeg", "ppg", "other"}
    calibrated : bool
        Whether the unit is known. Without it the height is free and no unit is written.

    Returns
    -------
    bytes
        PNG of 16 colours, at most some 900 pixels wide.

    Examples
    --------
    >>> draw(np.zeros((2, 500), np.float32), 100.0, ["II", "V5"], "ecg")[1:4]
    b'PNG'
    """
    return sheet_of(samples, rate, labels, kind, calibrated=calibrated).png()


def sheet_of(
    samples: NDArray[np.float32],
    rate: float,
    labels: Sequence[str],
    kind: Kind,
    *,
    calibrated: bool = True,
    gain: float | None = None,
    mm: int | None = None,
    common_reach: float | None = None,
) -> Sheet:
    """Return channels drawn on a sheet, in a scale of their own or in a given one.

    Parameters
    ----------
    samples, rate, labels, kind, calibrated
        As in `draw`.
    gain : float, optional
        Millimetres a millivolt of an ECG, whatever its height.
    mm : int, optional
        Pixels a millimetre of an ECG.
    common_reach : float, optional
        Microvolts of an EEG that fill the height of a row, see `reach_of`.
    """
    values = np.where(np.isfinite(samples), samples, np.nan).astype(np.float64)
    values = values[:, : _length(kind, rate)]
    names = [_shown(label, k) for k, label in enumerate(labels)]
    if kind == "ecg":
        return _electrocardiogram(
            values, rate, names, calibrated=calibrated, fixed_gain=gain, fixed_mm=mm
        )
    return _stacked(values, rate, names, kind, calibrated=calibrated, common_reach=common_reach)


def reach_of(samples: NDArray[np.float32]) -> float:
    """Return how far the channels of an EEG reach from their middle: the median of all."""
    channels = [np.asarray(v, np.float64) for v in samples]
    reach = [_reach(v - _middle(v), 98) for v in channels]
    lively = [r for r in reach if r > 0]
    return float(np.median(lively)) if lively else 0.0


def _length(kind: Kind, rate: float) -> int:
    """Return how many samples are drawn: a slow signal, one value a minute, needs longer."""
    seconds = SECONDS if kind in ("ecg", "eeg") else max(SECONDS, 300 / rate)
    return max(1, round(seconds * rate))


def _shown(name: str, place: int) -> str:
    """Return a standard name, or the number of the channel: a file's own names may say anything."""
    label, kind = canonical(name)
    if kind in ("ecg", "ppg"):
        return label if not label.lower().startswith(("ecg", "ekg")) else f"ch {place + 1}"
    # A bipolar channel is two electrodes; a reference, "Ref" or "LE", could be any word.
    first, second = [*label.split("-"), ""][:2]
    if kind == "eeg" and _electrode(first):
        return f"{first}-{second}" if _electrode(second) else first
    return f"ch {place + 1}"


def _electrode(name: str) -> bool:
    return canonical(name) == (name, "eeg") and not name.lower().startswith("eeg")


# --- electrocardiogram --------------------------------------------------------------------------


def _electrocardiogram(
    values: NDArray[np.float64],
    rate: float,
    names: list[str],
    *,
    calibrated: bool,
    fixed_gain: float | None = None,
    fixed_mm: int | None = None,
) -> Sheet:
    """Draw leads on millimetre paper."""
    rows = _layout(values.shape[1], rate, names)
    used = sorted({channel for row in rows for channel, _, _ in row})
    traces = {k: values[k] - _middle(values[k]) for k in used}
    reach = max(_reach(trace) for trace in traces.values())
    height = 30 if len(rows) <= 4 else 25 if len(rows) <= 6 else 20  # mm
    # A trace may enter the next row, as on paper, but not cross it.
    gain = next((g for g in GAINS if g * reach <= height), GAINS[-1])
    if fixed_gain is not None:
        gain = fixed_gain
    if not calibrated:
        gain = 0.4 * height / (reach or 1.0)
    seconds = max(sum(last - first for _, first, last in row) for row in rows) / rate
    wide = EDGE + PULSE + math.ceil(max(SPEED * min(seconds, SECONDS), 20) / 5) * 5 + EDGE
    high = EDGE + height * len(rows) + 2 * EDGE
    mm = fixed_mm or min(max(min(WIDEST // wide, HIGHEST // high), 3), 6)
    sheet = Sheet(wide * mm + 1, high * mm + 1, *PINK)
    sheet.rule(mm, 5 * mm)
    size = 11 if mm == 3 else 13
    for place, row in enumerate(rows):
        base = mm * (EDGE + height * place + 5 * math.ceil(height / 10))
        start = float(mm * (EDGE + PULSE))
        if calibrated:
            _pulse(sheet, base, gain, mm)
        for column, (channel, first, last) in enumerate(row):
            if column:
                for side in (-1, 1):
                    sheet.line([(start, base + side * mm * d) for d in (8, 11)], 0.75)
            x = start + np.arange(last - first, dtype=np.float64) * (mm * SPEED / rate)
            rise = np.clip(traces[channel][first:last] * gain, -1.5 * height, 1.5 * height)
            sheet.trace(x, base - mm * rise)
            aside = _free(x - start, mm * rise, mm * 0.32 * height, mm * 2.2 * len(names[channel]))
            at = start + mm + aside, base - mm * 0.32 * height
            sheet.write(*at, names[channel], size)
            start += (last - first) * mm * SPEED / rate
    scale = f"{SPEED:g} mm/s" + (f"    {gain:g} mm/mV" if calibrated else "")
    sheet.write(mm * EDGE, sheet.height - 0.6 * mm * EDGE, scale, size)
    return sheet


def _layout(length: int, rate: float, names: list[str]) -> list[list[Strip]]:
    """Return what stands in each row."""
    order = sorted(range(len(names)), key=lambda k: (_place(names[k]), k))
    order = order[: MOST_STRIPS["ecg"]]
    if {names[k] for k in order} == set(LEADS) and length >= 0.99 * SECONDS * rate:
        cuts = [round(k * length / 4) for k in range(5)]
        rows = [[(order[3 * k + row], cuts[k], cuts[k + 1]) for k in range(4)] for row in range(3)]
        return [*rows, [(order[LEADS.index("II")], 0, length)]]
    # Short recordings leave room for columns: limb leads beside chest leads.
    columns = min(max(int(SECONDS * rate / length), 1), 4) if len(order) > 3 else 1
    high = math.ceil(len(order) / columns)
    return [[(k, 0, length) for k in order[row::high]] for row in range(high)]


def _place(name: str) -> int:
    return LEADS.index(name) if name in LEADS else len(LEADS)


def _free(x: NDArray[np.float64], rise: NDArray[np.float64], at: float, width: float) -> float:
    """Return how many pixels to the right a name must move at a height to meet no trace."""
    low, high = np.fmin(rise[:-1], rise[1:]), np.fmax(rise[:-1], rise[1:])
    met = x[1:][(high > at - 5) & (low < at + 14)]
    places = np.arange(0.0, 4 * width, 3.0)
    free = [not np.any((met > place) & (met < place + width + 6)) for place in places]
    return float(places[free.index(True)]) if True in free else 0.0


def _pulse(sheet: Sheet, base: float, gain: float, mm: int) -> None:
    """Draw the calibration: 1 mV for 0.2 s."""
    steps = ((0.0, 0), (2.5, 0), (2.5, 1), (7.5, 1), (7.5, 0), (PULSE - 1.0, 0))
    sheet.line([(mm * (EDGE + x), base - mm * gain * up) for x, up in steps])


# --- stacked traces -------------------------------------------------------------------------------


def _stacked(
    values: NDArray[np.float64],
    rate: float,
    names: list[str],
    kind: Kind,
    *,
    calibrated: bool,
    common_reach: float | None = None,
) -> Sheet:
    """Draw channels one under another: EEG in one scale, others each in its own."""
    common = kind == "eeg"
    shown = values[: MOST_STRIPS[kind]]
    row = min(max(560 // len(shown), 14), 60) if common else min(max(420 // len(shown), 48), 120)
    left, right, top, foot = 66, 792, 12, 34
    size = min(max(row - 4, 9), 12)
    sheet = Sheet(860, top + row * len(shown) + foot, *GREY)
    seconds = shown.shape[1] / rate
    second = (right - left) / seconds
    step = _round_below(seconds / 8)
    bottom = top + row * len(shown)
    for k in range(math.floor(seconds / step + 1e-9) + 1):
        sheet.upright(left + k * step * second, top, bottom)

    levels = [_middle(v) if common else _centre(v) for v in shown]
    reach = [
        _reach(v - level, 98 if common else 100) for v, level in zip(shown, levels, strict=True)
    ]
    if common:
        lively = [r for r in reach if r > 0]
        reach = [common_reach or (float(np.median(lively)) if lively else 1.0)] * len(shown)
    x = left + np.arange(shown.shape[1], dtype=np.float64) * (second / rate)
    for k, (trace, level) in enumerate(zip(shown, levels, strict=True)):
        base = top + (k + 0.5) * row
        pixels = 0.42 * row / (reach[k] or 1.0)
        rise = np.clip((trace - level) * pixels, -1.5 * row, 1.5 * row)
        sheet.trace(x, base + rise if common else base - rise, 1.0 if row < 30 else 1.2)
        sheet.write(left - 8, base, names[k], size, "rm")
        if not common and reach[k] > 0:
            _scale_bar(sheet, right + 10, base, _round_below(0.84 * row / pixels), pixels, "")
    if common:
        high = max(row, 40)
        pixels = 0.42 * row / reach[0]
        value = _round_below(high / pixels)
        _scale_bar(sheet, right + 10, bottom - 0.5 * high, value, pixels,
                   " uV" if calibrated else "", signs=True)  # fmt: skip
    sheet.line([(left, bottom + 10), (left + step * second, bottom + 10)], 2)
    sheet.write(left + step * second + 6, bottom + 10, f"{step:g} s", 12, "lm")
    if len(shown) < len(values):
        sheet.write(left + 240, bottom + 10, f"{len(shown)} / {len(values)}", 12, "lm")
    return sheet


def _scale_bar(
    sheet: Sheet, x: float, y: float, value: float, pixels: float, unit: str, *, signs: bool = False
) -> None:
    """Draw an upright bar of a value around y, with which end is negative where that matters."""
    half = 0.5 * value * pixels
    sheet.line([(x, y - half), (x, y + half)], 2)
    sheet.write(x + 6, y, f"{value:g}{unit}", 11, "lm")
    if signs:
        sheet.write(x, y - half - 3, "-", 14, "ms")
        sheet.write(x, y + half + 3, "+", 14, "ma")


# --- numbers --------------------------------------------------------------------------------------


def _middle(values: NDArray[np.float64]) -> float:
    """Median of what is there; 0 of nothing."""
    there = values[np.isfinite(values)]
    return float(np.median(there)) if there.size else 0.0


def _centre(values: NDArray[np.float64]) -> float:
    """Middle between the lowest and the highest."""
    there = values[np.isfinite(values)]
    return 0.5 * float(there.min() + there.max()) if there.size else 0.0


def _reach(values: NDArray[np.float64], percent: float = 99.8) -> float:
    """How far samples lie from zero, but for the outermost few."""
    there = np.abs(values[np.isfinite(values)])
    return float(np.percentile(there, percent)) if there.size else 0.0


def _round_below(value: float) -> float:
    """Return the largest of 1, 2, 5 times a power of ten that is at most a value."""
    power = 10.0 ** math.floor(math.log10(value) + 1e-9)
    factor = next(f for f in (5, 2, 1) if f * power <= value * (1 + 1e-9))
    return round(factor * power, 15)
