"""Small drawings as SVG text: no script, no font, the same bytes every time."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import ceil, floor, isfinite, log10

from sdq_core.documents.typography import visible

__all__ = ["Canvas", "scale", "ticks"]

Point = tuple[float, float]


def scale(low: float, high: float, first: float, last: float, value: float) -> float:
    """Map a value linearly from low..high to first..last, cut at both ends.

    Parameters
    ----------
    low, high : float
        Range of the values; an empty range maps to the middle.
    first, last : float
        Range of the drawing.
    value : float

    Examples
    --------
    >>> scale(0, 10, 100, 200, 5), scale(0, 10, 100, 200, 99)
    (150.0, 200.0)
    """
    if high <= low:
        return (first + last) / 2
    share = min(max((value - low) / (high - low), 0.0), 1.0)
    return first + share * (last - first)


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return round numbers (1, 2, 5 times a power of ten) inside a range.

    Parameters
    ----------
    low, high : float
    most : int
        About how many steps.

    Examples
    --------
    >>> ticks(0.0, 1.0)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    width = high - low
    if not (isfinite(width) and width > 0):
        return [low]
    power = 10.0 ** floor(log10(width / most))
    step = next(power * f for f in (1, 2, 5, 10) if width / (power * f) <= most * (1 + 1e-9))
    digits = max(0, -floor(log10(step) + 1e-9))
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [round(k * step, digits) + 0.0 for k in range(first, last + 1)]  # no -0.0


class Canvas:
    """The shapes of one drawing.

    Parameters
    ----------
    width, height : float
        Pixels.
    title : str
        What the drawing shows, for readers who cannot see it.

    Examples
    --------
    >>> canvas = Canvas(10, 10, "a <dot>")
    >>> canvas.dot(5, 5, 2, "mark")
    >>> "a &lt;dot&gt;" in canvas.svg()
    True
    """

    def __init__(self, width: float, height: float, title: str) -> None:
        self.width, self.height, self.title = width, height, title
        self._parts: list[str] = []

    def rect(self, x: float, y: float, w: float, h: float, cls: str) -> None:
        """Add a rectangle; a negative size counts as none."""
        self._parts.append(
            f'<rect class="{cls}" x="{x:.1f}" y="{y:.1f}" width="{max(w, 0):.1f}" '
            f'height="{max(h, 0):.1f}"/>'
        )

    def line(self, points: Sequence[Point], cls: str) -> None:
        """Add a line through points."""
        self._parts.append(f'<polyline class="{cls}" points="{_path(points)}"/>')

    def area(self, points: Sequence[Point], cls: str) -> None:
        """Add a filled polygon."""
        self._parts.append(f'<polygon class="{cls}" points="{_path(points)}"/>')

    def dot(self, x: float, y: float, r: float, cls: str) -> None:
        """Add a circle."""
        self._parts.append(f'<circle class="{cls}" cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}"/>')

    def dots(self, points: Sequence[Point], cls: str) -> None:
        """Add many dots as one path: lines of no length with round caps."""
        path = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in points)
        self._parts.append(f'<path class="{cls}" d="{path}"/>')

    def crosses(self, points: Sequence[Point], r: float, cls: str) -> None:
        """Add many upright crosses as one path."""
        d = 2 * r
        path = "".join(f"M{x - r:.1f} {y:.1f}h{d:g}M{x:.1f} {y - r:.1f}v{d:g}" for x, y in points)
        self._parts.append(f'<path class="{cls}" d="{path}"/>')

    def squares(self, corners: Sequence[Point], size: float, cls: str) -> None:
        """Add many squares of one size, by their upper left corners, as one path."""
        s = f"{size:.1f}"
        path = "".join(f"M{x:.1f} {y:.1f}h{s}v{s}h-{s}z" for x, y in corners)
        self._parts.append(f'<path class="{cls}" d="{path}"/>')

    def label(self, x: float, y: float, words: str, cls: str = "t", anchor: str = "start") -> None:
        """Add a line of text."""
        self._parts.append(
            f'<text class="{cls}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
            f"{escape(visible(words))}</text>"
        )

    def upright(self, x: float, y: float, words: str, cls: str = "t") -> None:
        """Add a centred line of text that reads upwards."""
        self._parts.append(
            f'<text class="{cls}" text-anchor="middle" '
            f'transform="translate({x:.1f} {y:.1f}) rotate(-90)">{escape(visible(words))}</text>'
        )

    def svg(self) -> str:
        """Return the drawing."""
        return (
            f'<svg viewBox="0 0 {self.width:g} {self.height:g}" width="{self.width:g}" '
            f'height="{self.height:g}" role="img"><title>{escape(visible(self.title))}</title>'
            f"{''.join(self._parts)}</svg>"
        )


def _path(points: Sequence[Point]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
