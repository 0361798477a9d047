"""A sheet of paper that traces and a few words are drawn on, and its PNG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Sheet"]

Colour = tuple[int, int, int]

FINE: Final = 4
"""Ink is drawn this many times larger and averaged, so that a trace has smooth edges."""
SHADES: Final = 4
"""Steps from paper to ink. Three grounds of four shades fit the 4 bits a pixel of a small PNG."""
_INK: Final[Colour] = (22, 26, 30)


class Sheet:
    """Paper with thin and bold lines, ink over it.

    Parameters
    ----------
    width, height : int
        Pixels.
    paper, thin, bold : tuple of int
        Colours of the ground, red, green, blue.

    Examples
    --------
    >>> sheet = Sheet(60, 40, (255, 255, 255), (250, 225, 225), (240, 180, 180))
    >>> sheet.rule(10, 10)
    >>> sheet.trace(np.array([0.0, 30.0, 60.0]), np.array([20.0, np.nan, 20.0]))
    >>> sheet.png()[1:4]
    b'PNG'
    """

    def __init__(self, width: int, height: int, paper: Colour, thin: Colour, bold: Colour) -> None:
        from PIL import Image, ImageDraw

        self.width, self.height = width, height
        self._grounds = (paper, thin, bold)
        self._ground = np.zeros((height, width), np.uint8)
        self._ink = Image.new("L", (width * FINE, height * FINE))
        self._pen = ImageDraw.Draw(self._ink)
        self._words = Image.new("L", (width, height))
        self._type = ImageDraw.Draw(self._words)

    def rule(self, step: int, bold: int) -> None:
        """Rule the paper: thin lines every `step` pixels, bold ones every `bold`."""
        for level, every in ((1, step), (2, bold)):
            self._ground[::every, :] = level
            self._ground[:, ::every] = level

    def upright(self, x: float, top: float, bottom: float) -> None:
        """Rule one thin line from top to bottom."""
        self._ground[round(top) : round(bottom), round(x)] = 1

    def trace(self, x: NDArray[np.float64], y: NDArray[np.float64], thickness: float = 1.2) -> None:
        """Draw a line through points in order; where one is not finite, the line breaks.

        Parameters
        ----------
        x : ndarray, shape (t,)
            Pixels, rising.
        y : ndarray, shape (t,)
            Pixels from the top.
        thickness : float
            Pixels.
        """
        there = np.isfinite(y)
        edges = np.flatnonzero(np.diff(np.concatenate(([False], there, [False]))))
        for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            run_x, run_y = _thinned(FINE * x[first:last], FINE * y[first:last])
            if run_x.size == 1:  # one sample between two gaps: a dot
                run_x, run_y = run_x + np.array([0.0, FINE]), np.repeat(run_y, 2)
            points = list(zip(run_x.tolist(), run_y.tolist(), strict=True))
            self._pen.line(points, fill=255, width=round(FINE * thickness), joint="curve")

    def line(self, points: Sequence[tuple[float, float]], thickness: float = 1.2) -> None:
        """Draw a line through points."""
        fine = [(FINE * x, FINE * y) for x, y in points]
        self._pen.line(fine, fill=255, width=round(FINE * thickness))

    def write(self, x: float, y: float, words: str, size: int, anchor: str = "ls") -> None:
        """Write words at a point, in Pillow's own font; `anchor` as Pillow has it."""
        from PIL import ImageFont

        font = ImageFont.load_default(size)
        self._type.text((x, y), words, fill=255, font=font, anchor=anchor)

    def pixels(self) -> NDArray[np.uint8]:
        """Return the sheet as places in `palette`, shape (height, width)."""
        ink = np.maximum(np.asarray(self._ink.reduce(FINE)), np.asarray(self._words))
        shade = np.round(ink * ((SHADES - 1) / 255)).astype(np.uint8)
        found: NDArray[np.uint8] = self._ground * np.uint8(SHADES) + shade
        return found

    def palette(self) -> list[int]:
        """Return the colours: red, green, blue of each in turn."""
        return [
            round(under + (over - under) * level / (SHADES - 1))
            for ground in self._grounds
            for level in range(SHADES)
            for under, over in zip(ground, _INK, strict=True)
        ]

    def png(self) -> bytes:
        """Return the sheet as a PNG of a few colours: pixels only, the same bytes every time."""
        from PIL import Image

        picture = Image.fromarray(self.pixels(), "L")
        picture.putpalette(self.palette())
        sink = io.BytesIO()
        picture.save(sink, "PNG", bits=4, optimize=False, compress_level=9)
        return sink.getvalue()


def _thinned(
    x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Keep the lowest and the highest of the samples that fall on one column of fine pixels."""
    column = np.floor(x)
    starts = np.flatnonzero(np.diff(column, prepend=-np.inf))
    if 4 * starts.size > x.size:
        return x, y
    low, high = np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts)
    both = np.stack([low, high], axis=1)
    both[1::2] = both[1::2, ::-1]  # up in one column and down in the next: no strokes between
    return np.repeat(x[starts], 2), both.ravel()
