"""What the readers of a manual review see of an image: grey values in one canvas, with windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.description import Item
from sdq_core.errors import UnreadableItem
from sdq_core.review.display import Frames, Layout, Preset
from sdq_core.review.forms import ReviewItem
from sdq_imaging.grey import normalise, resize
from sdq_imaging.image import Image
from sdq_imaging.reading import read_image

__all__ = ["ImagingDisplayer"]

LEAST_SIDE: Final = 512
MOST_SIDE: Final = 1024
MOST_SLICES: Final = 64
HU_LOW, HU_HIGH = -1024.0, 3071.0

RATING: Final = (
    ReviewItem("anatomy", "The anatomy is plausible", "解剖结构合理"),
    ReviewItem("texture", "Texture and noise are plausible", "纹理与噪声合理"),
    ReviewItem("artefact", "Free of artefacts of generation", "无生成伪影"),
    ReviewItem("label", "It shows what the class says", "内容与类别标签相符", needs_label=True),
)
CHECKS: Final = (
    ReviewItem("complete", "Everything that belongs to it is shown", "应显示的结构齐全"),
    ReviewItem("orientation", "Orientation and proportions are right", "方位与比例正确"),
    ReviewItem("anatomy", "The anatomy can exist", "解剖结构可能存在"),
    ReviewItem("finding", "Findings can exist and fit together", "病变可能存在且相互一致"),
)


class ImagingDisplayer:
    """Draws images and volumes.

    Parameters
    ----------
    max_pixels : int
        Most pixels that one item may declare.

    Examples
    --------
    >>> [item.id for item in ImagingDisplayer(2**28).rating_items]
    ['anatomy', 'texture', 'artefact', 'label']
    """

    rating_items: Final = RATING
    check_items: Final = CHECKS

    def __init__(self, max_pixels: int) -> None:
        self._max_pixels = max_pixels

    def facts(self, item: Item) -> Mapping[str, float] | None:
        """Return size, number of slices, unit, colour and the shape of pixels."""
        image = self._open(item)
        if image is None:
            return None
        height, width = image.pixels.shape[-2:]
        tall, wide = _spacing(image)
        return {
            "height": float(height),
            "width": float(width),
            "slices": float(1 if image.pixels.ndim == 2 else len(image.pixels)),
            "hounsfield": float(image.unit == "HU"),
            "colour": float(image.colour is not None),
            "aspect": round(height * tall / (width * wide), 4),
        }

    def layout(self, facts: Sequence[Mapping[str, float]]) -> Layout:
        """Return one square canvas, and the windows that fit all images."""
        largest = max(max(f["height"], f["width"]) for f in facts)
        side = int(min(max(largest, LEAST_SIDE), MOST_SIDE))
        hounsfield = all(f["hounsfield"] for f in facts)
        colour = all(f["colour"] for f in facts)
        presets: tuple[Preset, ...] = (
            Preset("full range", "全范围"),
            Preset("dark tones", "暗部", 0.0, 0.5),
            Preset("middle tones", "中间调", 0.25, 0.75),
            Preset("bright tones", "亮部", 0.5, 1.0),
        )
        if hounsfield:
            presets = (
                _window("soft tissue", "软组织窗", 40, 400),
                _window("lung", "肺窗", -600, 1500),
                _window("bone", "骨窗", 400, 1800),
                _window("brain", "脑窗", 40, 80),
            )
        if colour:
            presets = (Preset("as stored", "原色"),)
        return Layout(
            side, side, presets=presets, frame="slice", frame_zh="层",
            settings={"hounsfield": hounsfield, "colour": colour},
        )  # fmt: skip

    def frames(self, item: Item, layout: Layout) -> Frames | None:
        """Return the slices of a volume, 64 at most, or the one image."""
        image = self._open(item)
        if image is None:
            return None
        side = layout.height
        if layout.settings["colour"] and image.colour is not None:
            channels = [
                _on_canvas(
                    np.asarray(image.colour[..., k] / 255, np.float32), _spacing(image), side
                )
                for k in range(3)
            ]
            return np.rint(255 * np.stack(channels, axis=-1)).astype(np.uint8)[None]
        if layout.settings["hounsfield"]:
            grey = np.clip((image.pixels - HU_LOW) / (HU_HIGH - HU_LOW), 0, 1)
        else:
            grey, _ = normalise(image)
        volume = grey[None] if grey.ndim == 2 else grey
        count = min(len(volume), MOST_SLICES)
        index = np.unique(np.linspace(0, len(volume) - 1, count).astype(int))
        found = np.zeros((len(index), side, side), np.uint16)
        for place, k in enumerate(index.tolist()):
            canvas = _on_canvas(np.asarray(volume[k], np.float32), _spacing(image), side)
            found[place] = np.rint(65535 * canvas).astype(np.uint16)
        return found

    def _open(self, item: Item) -> Image | None:
        try:
            return read_image(item, max_pixels=self._max_pixels)
        except UnreadableItem:
            return None


def _window(en: str, zh: str, level: float, width: float) -> Preset:
    """Return a window of Hounsfield units, given by its centre and width."""
    whole = HU_HIGH - HU_LOW
    low, high = level - width / 2, level + width / 2
    return Preset(
        f"{en} ({level:g}/{width:g})", f"{zh} ({level:g}/{width:g})",
        (low - HU_LOW) / whole, (high - HU_LOW) / whole,
    )  # fmt: skip


def _spacing(image: Image) -> tuple[float, float]:
    """Return height and width of a pixel in any unit; square where the format does not say."""
    if image.spacing is None or len(image.spacing) < 2:
        return 1.0, 1.0
    tall, wide = image.spacing[-2:]
    return (tall, wide) if tall > 0 and wide > 0 else (1.0, 1.0)


def _on_canvas(
    grey: NDArray[np.float32], spacing: tuple[float, float], side: int
) -> NDArray[np.float32]:
    """Scale an image to fill a square in its longer direction, and centre it on black."""
    tall, wide = grey.shape[0] * spacing[0], grey.shape[1] * spacing[1]
    scale = side / max(tall, wide)
    high, broad = max(1, round(tall * scale)), max(1, round(wide * scale))
    canvas = np.zeros((side, side), np.float32)
    top, left = (side - high) // 2, (side - broad) // 2
    canvas[top : top + high, left : left + broad] = np.clip(resize(grey, (high, broad)), 0, 1)
    return canvas
