"""One measure of several generators on one axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sdq_core.documents.model import Drawing
from sdq_core.documents.numbers import round_notation
from sdq_core.documents.svg import Canvas, scale, ticks
from sdq_core.result import MeasurementModel

__all__ = ["draw_side_by_side"]

WIDTH: Final = 330.0
LEFT, RIGHT = 46.0, 304.0
STEP: Final = 19.0
MOST_LETTERS: Final = 5
"""Of a name that fits beside its line."""
FAR: Final = 6.0
"""What lies farther off than this many times the width of floor and limits becomes an arrow."""


@dataclass(frozen=True, slots=True)
class _Axis:
    low: float
    high: float

    def x(self, value: float) -> float:
        return scale(self.low, self.high, LEFT, RIGHT, value)


def draw_side_by_side(
    measurements: Sequence[MeasurementModel | None],
    names: Sequence[str],
    alternative: str,
    language: str,
) -> Drawing | None:
    """Draw values and intervals one below the other, over noise floor and acceptable range.

    Parameters
    ----------
    measurements : sequence of MeasurementModel or None
        In the order of the lines beside the drawing.
    names : sequence of str
        Of the generators; their places stand for them where one is long.
    alternative : str
        What it shows, in words.
    language : {"en", "zh"}

    Returns
    -------
    Drawing or None
        None where nothing has a value.
    """
    valued = [m for m in measurements if m is not None and m.value is not None]
    if not valued:
        return None
    axis = _Axis(*_range(valued))
    bottom = 10 + STEP * len(measurements)
    canvas = Canvas(WIDTH, bottom + 22, alternative)
    limits = [_limits(m) for m in valued]
    # Limits that hang on the floor differ a little from result to result; then none is drawn.
    if len(set(limits)) == 1 and limits[0] != (None, None):
        first = LEFT - 10 if limits[0][0] is None else axis.x(limits[0][0])
        last = WIDTH if limits[0][1] is None else axis.x(limits[0][1])
        canvas.rect(first, 4, last - first, bottom - 4, "ok")
        canvas.rect(first, bottom - 1.5, last - first, 3, "okbar")
    short = all(len(name) <= MOST_LETTERS for name in names)
    for k, measurement in enumerate(measurements):
        y = 10 + STEP * (k + 0.5)
        canvas.label(0, y + 4, names[k] if short else f"{k + 1}", "t")
        canvas.line([(LEFT, y), (RIGHT, y)], "grid")
        if measurement is None or measurement.value is None:
            continue
        _draw_one(canvas, axis, measurement, y)
    canvas.line([(LEFT, bottom), (RIGHT, bottom)], "axis")
    found = ticks(axis.low, axis.high, 5)
    unit = valued[0].unit
    style = round_notation(found, unit if unit == "share" else "1", language)
    for tick in found:
        canvas.line([(axis.x(tick), bottom), (axis.x(tick), bottom + 4)], "axis")
        words = style.write(tick) if tick == found[-1] else style.digits(tick)
        canvas.label(axis.x(tick), bottom + 17, words, "t", "middle")
    return Drawing(canvas.svg(), alternative, WIDTH, bottom + 22, "generators")


def _draw_one(canvas: Canvas, axis: _Axis, measurement: MeasurementModel, y: float) -> None:
    floor, interval, value = measurement.noise_floor, measurement.interval, measurement.value
    assert value is not None, "checked by the caller"
    if floor is not None and floor.high >= axis.low and floor.low <= axis.high:
        first, last = axis.x(floor.low), axis.x(floor.high)
        canvas.rect(first, y - 5, max(last - first, 2), 10, "floor")
    side = (value > axis.high) - (value < axis.low)
    if side:
        tip = WIDTH - 4 if side > 0 else 4
        canvas.area([(tip - 10 * side, y - 5), (tip, y), (tip - 10 * side, y + 5)], "dot")
        return
    if interval is not None:
        first, last = axis.x(interval.low), axis.x(interval.high)
        canvas.line([(first, y), (max(last, first + 1), y)], "ci")
    canvas.dot(axis.x(value), y, 4.5, "dot")


def _limits(measurement: MeasurementModel) -> tuple[float | None, float | None]:
    criterion = measurement.criterion
    return (None, None) if criterion is None else (criterion.low, criterion.high)


def _range(valued: Sequence[MeasurementModel]) -> tuple[float, float]:
    """Return the range of the axis: all of floors and limits, and what is not far from them."""
    fixed: list[float] = []
    own: list[float] = []
    for m in valued:
        if m.noise_floor is not None:
            fixed += [m.noise_floor.low, m.noise_floor.high]
        fixed += [b for b in _limits(m) if b is not None]
        assert m.value is not None, "given by the caller"
        own += [m.value] if m.interval is None else [m.value, m.interval.low, m.interval.high]
    if all(m.unit == "share" for m in valued) and all(0 <= v <= 1 for v in own):
        spread = [*fixed, *own]
        if max(spread) - min(spread) > 0.4:
            return 0.0, 1.0
    elif fixed and max(fixed) > min(fixed):
        width = max(fixed) - min(fixed)
        first, last = min(fixed) - FAR * width, max(fixed) + FAR * width
        own = (
            [min(max(v, first), last) for v in own] if any(first <= v <= last for v in own) else []
        )
    low, high = min(fixed + own), max(fixed + own)
    pad = 0.06 * (high - low)
    if pad <= 1e-12 * max(abs(low), abs(high)):
        pad = 0.1 * max(abs(low), abs(high)) or 1.0
    return low - pad, high + pad
