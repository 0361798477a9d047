"""Pages of text for readers, drawn as pictures: tables, marks along time, words in any language."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import ReviewError

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["PALETTE", "Page", "plain", "table_pages"]

_SHADES: Final = 8
_GROUND, _INKS = (24, 28, 34), ((230, 234, 238), (150, 160, 170), (88, 166, 255), (240, 150, 70))
PALETTE: Final[tuple[tuple[int, int, int], ...]] = tuple(
    (
        round(_GROUND[0] + (ink[0] - _GROUND[0]) * level / (_SHADES - 1)),
        round(_GROUND[1] + (ink[1] - _GROUND[1]) * level / (_SHADES - 1)),
        round(_GROUND[2] + (ink[2] - _GROUND[2]) * level / (_SHADES - 1)),
    )
    for ink in _INKS
    for level in range(_SHADES)
)
"""Inks from the ground to full: text, faint, mark, warning."""

_FONTS: Final = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/System/Library/Fonts/PingFang.ttc",
    "C:/Windows/Fonts/msyh.ttc",
)
"""Fonts with Chinese, where systems keep them; the first that is there is used."""


@cache
def _font(size: int) -> Any:
    try:
        from PIL import ImageFont
    except ImportError as error:
        raise ReviewError(
            "the review draws its pages with Pillow, which is not installed; "
            "install with: pip install 'sdq[review]'"
        ) from error
    for path in _FONTS:
        if Path(path).is_file():
            return ImageFont.truetype(path, size)
    return ImageFont.load_default(size)


@cache
def _any_script() -> bool:
    return any(Path(path).is_file() for path in _FONTS)


def plain(value: object, most: int = 80) -> str:
    """Return a value as one line that the font can draw.

    Examples
    --------
    >>> plain("a" + chr(10) + "b" + chr(0x202e)), plain(None)
    ('a b ', '')
    """
    text = "" if value is None else str(value)
    text = "".join(c if c.isprintable() else " " for c in text)
    if not _any_script():
        text = "".join(c if " " <= c <= "~" else "?" for c in text)
    return text if len(text) <= most else text[: most - 1] + "…"


class Page:
    """One page.

    Examples
    --------
    >>> page = Page()
    >>> width = page.write(20, 20, "HbA1c 5.1 %")
    >>> page.pixels().shape == (Page.HEIGHT, Page.WIDTH)
    True
    """

    WIDTH: ClassVar[int] = 1100
    HEIGHT: ClassVar[int] = 760
    LINE: ClassVar[int] = 26

    def __init__(self) -> None:
        _font(15)
        from PIL import Image, ImageDraw

        self._layers: list[Image] = [Image.new("L", (self.WIDTH, self.HEIGHT)) for _ in _INKS]
        self._pens = [ImageDraw.Draw(layer) for layer in self._layers]

    def write(self, x: float, y: float, words: str, ink: int = 0, size: int = 15) -> float:
        """Write words with their upper left corner at a point; return the width."""
        font = _font(size)
        self._pens[ink].text((x, y), words, fill=255, font=font)
        return float(font.getlength(words))

    def width(self, words: str, size: int = 15) -> float:
        """Return how wide words are."""
        return float(_font(size).getlength(words))

    def line(self, points: Sequence[tuple[float, float]], ink: int = 1, thick: int = 1) -> None:
        """Draw a line through points."""
        self._pens[ink].line(list(points), fill=255, width=thick)

    def pixels(self) -> NDArray[np.uint8]:
        """Return the page as places in `PALETTE`."""
        found = np.zeros((self.HEIGHT, self.WIDTH), np.uint8)
        for place, layer in enumerate(self._layers):
            level = np.rint(np.asarray(layer) * ((_SHADES - 1) / 255)).astype(np.uint8)
            inked = level > 0
            found[inked] = place * _SHADES + level[inked]
        return found


def table_pages(
    heads: Sequence[str], rows: Sequence[Sequence[str]], *, least: int = 0
) -> NDArray[np.uint8]:
    """Return a table as pages, shape (n, y, x).

    Parameters
    ----------
    heads : sequence of str
    rows : sequence of sequence of str
    least : int
        Pages for at least this many rows, so that all cases have as many.
    """
    lines = (Page.HEIGHT - 70) // Page.LINE
    count = max(1, -(-max(len(rows), least) // lines))
    wide = (Page.WIDTH - 40) / max(len(heads), 1)
    pages = []
    for number in range(count):
        page = Page()
        for k, head in enumerate(heads):
            page.write(20 + k * wide, 14, plain(head), 1)
        for line, row in enumerate(rows[number * lines : (number + 1) * lines]):
            for k, cell in enumerate(row):
                page.write(20 + k * wide, 44 + line * Page.LINE, plain(cell, int(wide / 8)))
        pages.append(page.pixels())
    return np.stack(pages)
