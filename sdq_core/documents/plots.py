"""The figures of a measurement's details. Real is grey, synthetic has the one accent colour."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sdq_core.documents.details import (
    Bar,
    Curve,
    CurvePanel,
    Curves,
    Heat,
    Histogram,
    PointMap,
    Ranked,
    Roc,
    pick,
)
from sdq_core.documents.numbers import notation, round_notation
from sdq_core.documents.svg import Canvas, scale, ticks
from sdq_core.documents.texts import text

__all__ = [
    "HEATS",
    "MOST_POINTS",
    "draw_bar",
    "draw_curve",
    "draw_heat",
    "draw_histogram",
    "draw_map",
    "draw_panels",
    "draw_rank",
    "draw_roc",
    "outside",
]

MOST_POINTS = 500
"""Points of each side that a map shows."""
HEATS = {"real": "real", "synthetic": "synthetic", "difference": "heat_difference"}
"""Panels of a heat map and the keys of their words."""
_HEAT_STEPS = 5


class _Frame:
    """A pair of axes with round numbers.

    Parameters
    ----------
    canvas : Canvas
    box : tuple of float
        Left, top, right, bottom of the plotting area.
    x_range, y_range : tuple of float
    """

    def __init__(
        self,
        canvas: Canvas,
        box: tuple[float, float, float, float],
        x_range: tuple[float, float],
        y_range: tuple[float, float],
    ) -> None:
        self.canvas, self.box = canvas, box
        self.x_range, self.y_range = _some(*x_range), _some(*y_range)

    def at(self, x: float, y: float) -> tuple[float, float]:
        left, top, right, bottom = self.box
        return scale(*self.x_range, left, right, x), scale(*self.y_range, bottom, top, y)

    def axes(self, *, steps: int = 5, x_log: bool = False) -> None:
        """Draw both axes with their numbers; of a logarithmic x, those of its powers of ten."""
        left, top, right, bottom = self.box
        canvas = self.canvas
        low, high = self.x_range
        found = _decades(low, high) if x_log else ticks(low, high, steps)
        style = round_notation(found, "1", "en")
        for tick in found:
            x, _ = self.at(math.log10(tick) if x_log else tick, 0)
            canvas.line([(x, bottom), (x, bottom + 4)], "axis")
            if x_log:
                words = f"{tick:g}"
            else:
                words = style.write(tick) if tick == found[-1] else style.digits(tick)
            canvas.label(x, bottom + 16, words, "t", "middle")
        found = ticks(*self.y_range, steps)
        style = round_notation(found, "1", "en")
        for tick in found:
            _, y = self.at(0, tick)
            canvas.line([(left, y), (right, y)], "grid")
            canvas.label(left - 6, y + 4, style.write(tick), "t", "end")
        canvas.line([(left, top), (left, bottom), (right, bottom)], "axis")

    def names(self, x_label: str, y_label: str) -> None:
        """Write what the axes are."""
        left, top, right, bottom = self.box
        self.canvas.label((left + right) / 2, self.canvas.height - 4, x_label, "t", "middle")
        if y_label:
            self.canvas.upright(11, (top + bottom) / 2, y_label)


def _decades(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 times the powers of ten whose logarithms lie in a range."""
    powers = range(math.floor(low), math.ceil(high) + 1)
    found = [m * 10.0**p for p in powers for m in (1, 2, 5)]
    return [v for v in found if low <= math.log10(v) <= high]


def draw_histogram(histogram: Histogram, language: str) -> str:
    """Return two densities over the same bins: real as a grey area, synthetic as a line."""
    width, height, bottom = 204.0, 104.0, 84.0
    canvas = Canvas(width, height, text("histogram_alt", language, feature=histogram.feature))
    top = max([*histogram.real, *histogram.synthetic, 0.0]) or 1.0
    edges = histogram.edges
    low, high = edges[0], edges[-1]

    def steps(densities: Sequence[float]) -> list[tuple[float, float]]:
        found = []
        for k, density in enumerate(densities):
            y = scale(0, top, bottom, 6, density)
            found += [(scale(low, high, 6, width - 6, e), y) for e in (edges[k], edges[k + 1])]
        return found

    real = [(6.0, bottom), *steps(histogram.real), (width - 6, bottom)]
    canvas.area(real, "real-area")
    canvas.line(steps(histogram.synthetic), "synthetic-line")
    canvas.line([(6, bottom), (width - 6, bottom)], "axis")
    style = notation([low, high], "1", language)
    canvas.label(6, height - 5, style.write(low))
    canvas.label(width - 6, height - 5, style.write(high), "t", "end")
    return canvas.svg()


def draw_map(points: PointMap, language: str) -> str:
    """Return both sets of items as points of a plane; far ones stand at the border."""
    width, height = 460.0, 340.0
    canvas = Canvas(
        width, height,
        text("map_alt", language, real=len(points.real), synthetic=len(points.synthetic)),
    )  # fmt: skip
    (x_low, x_high), (y_low, y_high) = _view(points)
    frame = _Frame(canvas, (58, 8, 448, 298), (x_low, x_high), (y_low, y_high))
    labels = [pick(points.x_label, language), pick(points.y_label, language)]
    if points.explained is not None:
        style = notation(points.explained, "share", language)
        labels = [
            text("explained", language, axis=label, share=style.write(share))
            for label, share in zip(labels, points.explained, strict=True)
        ]
    frame.axes()
    frame.names(labels[0], labels[1])
    canvas.dots([frame.at(*p) for p in points.real[:MOST_POINTS]], "real-dots")
    canvas.crosses([frame.at(*p) for p in points.synthetic[:MOST_POINTS]], 3, "synthetic-crosses")
    return canvas.svg()


def outside(points: PointMap) -> int:
    """Return how many points a map shows at its border because they lie farther out."""
    (x_low, x_high), (y_low, y_high) = _view(points)
    return sum(
        not (x_low <= x <= x_high and y_low <= y <= y_high)
        for side in (points.real, points.synthetic)
        for x, y in side[:MOST_POINTS]
    )


def draw_curve(curve: Curve, language: str) -> str:
    """Return lines with their bands over one axis."""
    canvas = Canvas(460, 270, text("curve_alt", language, label=pick(curve.y_label, language)))
    if curve.x_log:
        curve = curve.model_copy(update={"x": [math.log10(x) for x in curve.x]})
    frame = _Frame(canvas, (58, 8, 448, 228), (min(curve.x), max(curve.x)), _reach([curve]))
    frame.axes(x_log=curve.x_log)
    frame.names(pick(curve.x_label, language), pick(curve.y_label, language))
    _draw_lines(frame, curve)
    return canvas.svg()


def draw_panels(curves: Curves, language: str, most: int) -> list[str]:
    """Return the first panels as small drawings, their synthetic bands as thin lines."""
    shown = curves.panels[:most]
    shared = _reach(shown) if curves.shared_y else None
    drawings = []
    for panel in shown:
        canvas = Canvas(204, 150, text("curve_alt", language, label=pick(panel.title, language)))
        y_range = _reach([panel]) if shared is None else shared
        frame = _Frame(canvas, (38, 6, 196, 130), (min(panel.x), max(panel.x)), y_range)
        frame.axes(steps=4)
        _draw_lines(frame, panel, edges=True)
        drawings.append(canvas.svg())
    return drawings


def _reach(found: Sequence[Curve | CurvePanel]) -> tuple[float, float]:
    """Range of all lines."""
    values = [v for curve in found for line in curve.lines() for v in line]
    return _padded(min(values), max(values))


def _draw_lines(frame: _Frame, curve: Curve | CurvePanel, *, edges: bool = False) -> None:
    """Draw real, then synthetic over it; the synthetic band as its two `edges` or as an area."""
    canvas = frame.canvas
    order = sorted(range(len(curve.x)), key=curve.x.__getitem__)

    def path(line: Sequence[float]) -> list[tuple[float, float]]:
        return [frame.at(curve.x[k], line[k]) for k in order]

    for side, low, high in (
        ("real", curve.real_low, curve.real_high),
        ("synthetic", curve.synthetic_low, curve.synthetic_high),
    ):
        if low is None or high is None:
            continue
        if edges and side == "synthetic":
            canvas.line(path(low), "synthetic-edge")
            canvas.line(path(high), "synthetic-edge")
        else:
            canvas.area([*path(high), *reversed(path(low))], f"{side}-band")
    if curve.real is not None:
        canvas.line(path(curve.real), "real-line")
    canvas.line(path(curve.synthetic), "synthetic-line")


def draw_heat(heat: Heat, kind: str, most: int, language: str) -> str:
    """Return the associations of one side, or what the synthetic side lost and invented.

    Parameters
    ----------
    heat : Heat
    kind : str
        Key of `HEATS`.
    most : int
        Columns that are drawn.
    language : {"en", "zh"}

    Returns
    -------
    str
        Real strength in grey and synthetic strength in blue, in five steps; of the difference,
        what only the real side has in grey, what only the synthetic side has in blue.
    """
    size = min(len(heat.labels), most)
    left, top, width = 20.0, 16.0, 264.0
    cell = width / size
    title = text("heat_alt", language, side=text(HEATS[kind], language), count=size)
    canvas = Canvas(left + width + 2, top + width + 2, title)
    cells: dict[str, list[tuple[float, float]]] = {}
    for i in range(size):
        for j in range(size):
            for side, strength in _strengths(heat.real[i][j], heat.synthetic[i][j], kind):
                step = math.ceil(round(strength * _HEAT_STEPS, 6))
                if i != j and step:
                    place = (left + j * cell, top + i * cell)
                    cells.setdefault(f"{side}-heat heat-{step}", []).append(place)
    for cls in sorted(cells):
        canvas.squares(cells[cls], cell, cls)
    every = math.ceil(size / 15)
    for k in range(0, size, every):
        middle = (k + 0.5) * cell
        canvas.label(left + middle, top - 4, str(k + 1), "t", "middle")
        canvas.label(left - 4, top + middle + 4, str(k + 1), "t", "end")
    frame = [(left, top), (left + width, top), (left + width, top + width), (left, top + width)]
    canvas.line([*frame, frame[0]], "axis")
    return canvas.svg()


def _strengths(real: float, synthetic: float, kind: str) -> list[tuple[str, float]]:
    """Which colours a cell has, and how strong."""
    if kind == "real":
        return [("real", abs(real))]
    if kind == "synthetic":
        return [("synthetic", abs(synthetic))]
    common = min(abs(real), abs(synthetic)) if real * synthetic > 0 else 0.0
    return [("real", abs(real) - common), ("synthetic", abs(synthetic) - common)]


def draw_bar(bar: Bar, top: float, words: str) -> str:
    """Return the bars of one class: synthetic over real, the intended share as a mark."""
    width, height = 240.0, 24.0
    canvas = Canvas(width, height, words)
    canvas.rect(0, 3, scale(0, top, 0, width - 4, bar.synthetic), 9, "synthetic-bar")
    if bar.real is not None:
        canvas.rect(0, 13, scale(0, top, 0, width - 4, bar.real), 7, "real-bar")
    if bar.intended is not None:
        x = scale(0, top, 0, width - 4, bar.intended)
        canvas.line([(x, 0), (x, height)], "under")
        canvas.line([(x, 0), (x, height)], "intended")
    canvas.line([(0, 0), (0, height)], "axis")
    return canvas.svg()


def draw_rank(ranked: Ranked, low: float, high: float, words: str) -> str:
    """Return the bar of one ranked feature, from zero, with its interval."""
    width, height = 240.0, 18.0
    canvas = Canvas(width, height, words)

    def x(value: float) -> float:
        return scale(low, high, 2, width - 4, value)

    first, last = sorted((x(0.0), x(ranked.value)))
    canvas.rect(first, 4, last - first, 10, "synthetic-bar")
    if ranked.low is not None and ranked.high is not None:
        canvas.line([(x(ranked.low), 9), (x(ranked.high), 9)], "whisker")
        for end in (ranked.low, ranked.high):
            canvas.line([(x(end), 5), (x(end), 13)], "whisker")
    canvas.line([(x(0.0), 0), (x(0.0), height)], "axis")
    return canvas.svg()


def draw_roc(roc: Roc, language: str) -> str:
    """Return the curve of an attack with the diagonal of guessing."""
    width, height = 300.0, 300.0
    canvas = Canvas(width, height, text("roc_alt", language))
    frame = _Frame(canvas, (52, 8, 290, 258), (0.0, 1.0), (0.0, 1.0))
    frame.axes()
    frame.names(text("false_positives", language), text("true_positives", language))
    canvas.line([frame.at(0, 0), frame.at(1, 1)], "diagonal")
    canvas.line([frame.at(f, t) for f, t in zip(roc.fpr, roc.tpr, strict=True)], "synthetic-line")
    return canvas.svg()


def _view(points: PointMap) -> tuple[tuple[float, float], tuple[float, float]]:
    """Range of a map: a few outliers must not squeeze all others into one spot."""
    shown = [*points.real[:MOST_POINTS], *points.synthetic[:MOST_POINTS]]
    found = []
    for axis in (0, 1):
        values = sorted(p[axis] for p in shown)
        last = len(values) - 1
        low, high = values[round(0.02 * last)], values[round(0.98 * last)]
        reach = 0.5 * (high - low) or abs(high) or 1.0
        found.append(_padded(max(values[0], low - reach), min(values[-1], high + reach)))
    return found[0], found[1]


def _padded(low: float, high: float) -> tuple[float, float]:
    pad = 0.04 * (high - low)
    return _some(low - pad, high + pad)


def _some(low: float, high: float) -> tuple[float, float]:
    """Widen an empty range."""
    if high - low > 1e-12 * max(abs(low), abs(high)):
        return low, high
    pad = 0.1 * abs(high) or 1.0
    return low - pad, high + pad
