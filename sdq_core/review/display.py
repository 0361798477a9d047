"""What a modality shows of an item: pictures of one size, drawn where the data lie.

Readers get pixels that the server made, so that all see the same, and nothing of a file's header,
name or storage reaches them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from sdq_core.description import Item
from sdq_core.review.forms import ReviewItem

__all__ = ["Displayer", "Frames", "Layout", "NeutralDisplayer", "Preset", "fitted", "picture"]

Frames = NDArray[np.uint8] | NDArray[np.uint16]
"""Shape (n, y, x): uint16 are grey values, seen through a preset; uint8 are places in the palette.
Shape (n, y, x, 3), uint8: colours."""


@dataclass(frozen=True, slots=True)
class Preset:
    """A window on grey values.

    Parameters
    ----------
    en, zh : str
    low, high : float
        Grey values from 0 to 1 that become black and white.
    """

    en: str
    zh: str
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True)
class Layout:
    """How all items of one study are shown.

    Parameters
    ----------
    width, height : int
        Pixels of every picture.
    presets : tuple of Preset
    palette : tuple of (int, int, int), optional
        Colours of uint8 frames.
    frame, frame_zh : str
        What a picture of several is called: a slice, a page.
    note, note_zh : str
        Scales and filters that the reader must know.
    settings : mapping
        What the modality needs to draw every item alike; JSON-ready.
    """

    width: int
    height: int
    presets: tuple[Preset, ...] = (Preset("full range", "全范围"),)
    palette: tuple[tuple[int, int, int], ...] = ()
    frame: str = "picture"
    frame_zh: str = "图"
    note: str = ""
    note_zh: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the layout as plain data."""
        own = {n: getattr(self, n) for n in (
            "width", "height", "frame", "frame_zh", "note", "note_zh")}  # fmt: skip
        presets = [[p.en, p.zh, p.low, p.high] for p in self.presets]
        palette = [list(c) for c in self.palette]
        return {**own, "presets": presets, "palette": palette, "settings": dict(self.settings)}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Layout:
        """Return the layout of plain data.

        Examples
        --------
        >>> layout = Layout(8, 4, note="x")
        >>> Layout.of(layout.to_json()) == layout
        True
        """
        presets = tuple(Preset(*p) for p in data["presets"])
        palette = tuple((c[0], c[1], c[2]) for c in data["palette"])
        return cls(**{**data, "presets": presets, "palette": palette})


class Displayer(Protocol):
    """Draws the items of a modality for readers."""

    @property
    def rating_items(self) -> Sequence[ReviewItem]:
        """What a rating study asks of each case."""
        ...

    @property
    def check_items(self) -> Sequence[ReviewItem]:
        """What the checklist for completeness asks of each case."""
        ...

    def facts(self, item: Item) -> Mapping[str, float] | None:
        """Return what `layout` must know of an item, as numbers; None for an unreadable one.

        They are what a picture shows beside its content, its size and count, and the opening
        tests whether they tell real from synthetic.
        """
        ...

    def layout(self, facts: Sequence[Mapping[str, float]]) -> Layout:
        """Return one layout for all items of a study."""
        ...

    def frames(self, item: Item, layout: Layout) -> Frames | None:
        """Return the pictures of an item; None for an unreadable one."""
        ...


def fitted(frames: Frames, layout: Layout) -> bool:
    """Return whether pictures have the size and form of the layout."""
    if frames.shape[1:3] != (layout.height, layout.width) or not len(frames):
        return False
    if frames.ndim == 4:
        return frames.shape[3] == 3 and frames.dtype == np.uint8
    return frames.dtype == np.uint16 or (
        frames.dtype == np.uint8 and int(frames.max()) < len(layout.palette)
    )


def picture(frame: Frames, layout: Layout, preset: int) -> bytes:
    """Return one picture as PNG without compression.

    Stored bytes have the same number, and take the same time, for every picture of a layout:
    neither tells one case from another.

    Parameters
    ----------
    frame : ndarray, shape (y, x) or (y, x, 3)
    layout : Layout
    preset : int
        Place in the layout's presets.

    Examples
    --------
    >>> layout = Layout(4, 2)
    >>> white = np.full((2, 4), 65535, np.uint16)
    >>> len(picture(white, layout, 0)) == len(picture(0 * white, layout, 0))
    True
    """
    from sdq_core.review.png import encode

    if frame.dtype == np.uint16:
        window = layout.presets[preset]
        scale = 255.0 / (65535.0 * max(window.high - window.low, 1e-6))
        grey = (frame.astype(np.float32) - np.float32(65535.0 * window.low)) * np.float32(scale)
        return encode(np.clip(np.rint(grey), 0, 255).astype(np.uint8))
    if frame.ndim == 3:
        return encode(np.asarray(frame, np.uint8))
    return encode(np.asarray(frame, np.uint8), layout.palette)


class NeutralDisplayer:
    """A table of the description, for a modality without a display of its own.

    Parameters
    ----------
    describe : callable
        Item -> description; see `sdq_core.modality.Describer`.
    """

    rating_items: Final[tuple[ReviewItem, ...]] = ()
    check_items: Final[tuple[ReviewItem, ...]] = ()

    def __init__(self, describe: Any) -> None:
        self._describe = describe

    def facts(self, item: Item) -> Mapping[str, float] | None:
        """Return the number of rows."""
        rows = self._rows(item)
        return None if rows is None else {"rows": float(len(rows))}

    def layout(self, facts: Sequence[Mapping[str, float]]) -> Layout:
        """Return pages of a table."""
        from sdq_core.review.sheet import PALETTE, Page

        rows = max((int(f["rows"]) for f in facts), default=0)
        return Layout(
            Page.WIDTH, Page.HEIGHT, palette=PALETTE, frame="page", frame_zh="页",
            note="Features of the item as numbers; no display of this modality is installed.",
            note_zh="以数值列出样本特征；该模态未提供专用显示。",
            settings={"rows": rows},
        )  # fmt: skip

    def frames(self, item: Item, layout: Layout) -> Frames | None:
        """Return the pages."""
        from sdq_core.review.sheet import table_pages

        rows = self._rows(item)
        if rows is None:
            return None
        return table_pages(("", ""), rows, least=int(layout.settings["rows"]))

    def _rows(self, item: Item) -> list[tuple[str, str]] | None:
        description = self._describe(item)
        if not description.readable:
            return None
        return [(name, f"{value:.6g}") for name, value in sorted(description.scalars.items())]
