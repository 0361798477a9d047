"""One measurement on one axis: value, interval, noise floor and acceptable range together."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sdq_core.documents.numbers import round_notation
from sdq_core.documents.readings import Reading, read
from sdq_core.documents.svg import Canvas, scale, ticks
from sdq_core.documents.texts import text
from sdq_core.result import MeasurementModel

__all__ = ["draw_axis"]

WIDTH, HEIGHT = 330.0, 66.0
LEFT, RIGHT = 14.0, 316.0
TOP, FLOOR, OWN, BOTTOM = 4.0, 13.0, 30.0, 44.0
FAR = 3.0
"""A value farther off than this many times the range of floor and limits becomes an arrow."""
APART = 2.0
"""Pixels that a number which is not on a limit keeps from it."""


@dataclass(frozen=True, slots=True)
class _Axis:
    low: float
    high: float
    limits: tuple[float | None, float | None]
    left: float = LEFT
    right: float = RIGHT

    def x(self, value: float) -> float:
        return scale(self.low, self.high, self.left, self.right, value)

    def beside_limits(self, value: float) -> float:
        """Return x, moved where it must be for the eye to see on which side of a limit it lies."""
        x = self.x(value)
        low, high = self.limits
        first = -WIDTH if low is None else self.x(low)
        last = 2 * WIDTH if high is None else max(self.x(high), first + 2 * APART)
        if low is not None and value < low:
            return min(x, first - APART)
        if high is not None and value > high:
            return max(x, last + APART)
        if value in (low, high):
            return first if value == low else last
        return min(max(x, first + APART), last - APART)

    def side(self, value: float) -> int:
        """-1 or 1 where a value lies beyond an end, else 0."""
        slack = 1e-9 * (self.high - self.low)
        return (value > self.high + slack) - (value < self.low - slack)


def draw_axis(measurement: MeasurementModel, language: str) -> str:
    """Return the axis of one measurement as SVG; empty where there is nothing to compare.

    Parameters
    ----------
    measurement : MeasurementModel
        Interval, noise floor and limits may be missing, but a value alone needs no axis.
    language : {"en", "zh"}

    Returns
    -------
    str
        The acceptable range is tinted and marked on the axis, the noise floor a grey band with its
        centre, the interval a bar, the value a dot. What lies far outside is an arrow at the edge
        with its number.
    """
    criterion = measurement.criterion
    limits = (None, None) if criterion is None else (criterion.low, criterion.high)
    nothing = measurement.interval is None and measurement.noise_floor is None
    if measurement.value is None or (nothing and limits == (None, None)):
        return ""
    axis = _Axis(*_range(measurement), limits)
    words = read(measurement, language)
    side = axis.side(measurement.value)
    # The number beside an arrow needs room of its own, or it would cover a limit.
    room = min(22 + 7 * len(words.value), 0.4 * WIDTH)
    if side > 0:
        axis = replace(axis, right=WIDTH - room)
    elif side < 0:
        axis = replace(axis, left=room)
    canvas = Canvas(WIDTH, HEIGHT, _alternative(words, language))
    canvas.line([(LEFT, BOTTOM), (RIGHT, BOTTOM)], "axis")
    _draw_acceptable(canvas, axis)
    _draw_floor(canvas, axis, measurement, words)
    _draw_own(canvas, axis, measurement, words)
    _draw_ticks(canvas, axis, measurement.unit, language)
    return canvas.svg()


def _draw_acceptable(canvas: Canvas, axis: _Axis) -> None:
    low, high = axis.limits
    if low is None and high is None:
        return
    # An open side runs through the margin to the edge: there is no limit there.
    first = 0.0 if low is None or axis.side(low) < 0 else axis.beside_limits(low)
    last = WIDTH if high is None or axis.side(high) > 0 else axis.beside_limits(high)
    canvas.rect(first, TOP, last - first, BOTTOM - TOP, "ok")
    for bound, x in ((low, first), (high, last)):
        if bound is not None and axis.side(bound) == 0:
            canvas.line([(x, TOP - 2), (x, BOTTOM + 3)], "limit")
    # The tint may be lost in print; the bar on the axis is not.
    canvas.rect(first, BOTTOM - 1.5, last - first, 3, "okbar")


def _draw_floor(canvas: Canvas, axis: _Axis, measurement: MeasurementModel, words: Reading) -> None:
    floor = measurement.noise_floor
    if floor is None:
        return
    side = axis.side(floor.low) if axis.side(floor.low) == axis.side(floor.high) else 0
    if side:
        _arrow(canvas, side, FLOOR, "floor", words.floor)
        return
    first, last = axis.x(floor.low), axis.x(floor.high)
    canvas.rect(min(first, axis.right - 2), FLOOR - 4, max(last - first, 2), 8, "floor")
    if floor.centre is not None and axis.side(floor.centre) == 0:
        at = axis.x(floor.centre)
        canvas.line([(at, FLOOR - 6), (at, FLOOR + 6)], "centre")


def _draw_own(canvas: Canvas, axis: _Axis, measurement: MeasurementModel, words: Reading) -> None:
    assert measurement.value is not None, "checked by the caller"
    side = axis.side(measurement.value)
    interval = measurement.interval
    if interval is not None and not (side and axis.side(interval.low) == axis.side(interval.high)):
        first, last = axis.beside_limits(interval.low), axis.beside_limits(interval.high)
        canvas.line([(first, OWN), (max(last, first + 1), OWN)], "ci")
        for end, at in ((interval.low, first), (interval.high, last)):
            beyond = axis.side(end)
            if beyond and beyond != side:
                back = at - 4 * beyond
                canvas.line([(back, OWN - 4), (at, OWN), (back, OWN + 4)], "cap")
            elif not beyond:
                canvas.line([(at, OWN - 5), (at, OWN + 5)], "cap")
    if side:
        _arrow(canvas, side, OWN, "dot", words.value)
    else:
        canvas.dot(axis.beside_limits(measurement.value), OWN, 4.5, "dot")


def _arrow(canvas: Canvas, side: int, y: float, cls: str, words: str) -> None:
    tip = WIDTH - 2 if side > 0 else 2
    canvas.area([(tip - 10 * side, y - 6), (tip, y), (tip - 10 * side, y + 6)], cls)
    canvas.label(tip - 14 * side, y + 4, words, "t strong halo", "end" if side > 0 else "start")


def _draw_ticks(canvas: Canvas, axis: _Axis, unit: str, language: str) -> None:
    found = ticks(axis.low, axis.high, 5)
    # A long unit would not fit under the axis and stands beside the numbers.
    style = round_notation(found, unit if unit == "share" else "1", language)
    for tick in found:
        at = axis.x(tick)
        canvas.line([(at, BOTTOM), (at, BOTTOM + 4)], "axis")
        words = style.write(tick) if tick == found[-1] else style.digits(tick)
        canvas.label(at, BOTTOM + 17, words, "t", "middle")


def _range(measurement: MeasurementModel) -> tuple[float, float]:
    """Range of the axis: everything but a far value, and never empty."""
    assert measurement.value is not None, "checked by the caller"
    fixed: list[float] = []
    if measurement.noise_floor is not None:
        fixed += [measurement.noise_floor.low, measurement.noise_floor.high]
    if measurement.criterion is not None:
        limits = (measurement.criterion.low, measurement.criterion.high)
        fixed += [b for b in limits if b is not None]
    own = [measurement.value]
    if measurement.interval is not None:
        own += [measurement.interval.low, measurement.interval.high]
    width = max(fixed) - min(fixed) if fixed else 0.0
    # A share needs no arrow: all of them fit on one axis.
    bounded = measurement.unit == "share" and all(0 <= v <= 1 for v in own)
    if not bounded and width > 1e-12 * max((abs(v) for v in fixed), default=0.0):
        # What is far from floor and limits would squeeze them into one line.
        first, last = min(fixed) - FAR * width, max(fixed) + FAR * width
        if not first <= measurement.value <= last:
            own = [v for v in own if first <= v <= last]
        first, last = min(fixed) - 2 * FAR * width, max(fixed) + 2 * FAR * width
        own = [min(max(v, first), last) for v in own]
    low, high = min(fixed + own), max(fixed + own)
    if measurement.unit == "share" and high - low > 0.4:
        return 0.0, 1.0
    pad = 0.06 * (high - low)
    if pad <= 1e-12 * max(abs(low), abs(high)):
        pad = 0.1 * max(abs(low), abs(high)) or 1.0
    start, end = low - pad, high + pad
    if 0 <= low < 0.5 * high:
        start = 0.0
    if measurement.unit == "share":
        # A share that is no share (a plugin's mistake) must still be seen.
        start, end = max(start, min(low, 0.0)), min(end, max(high, 1.0))
    return start, end


def _alternative(words: Reading, language: str) -> str:
    none = text("none", language)
    return text(
        "axis_alt",
        language,
        value=words.estimate,
        floor=words.floor or none,
        acceptable=words.acceptable or none,
    )
