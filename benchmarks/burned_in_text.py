"""How much rendered text the detector finds, and how often it cries wolf on images without any.

    python benchmarks/burned_in_text.py [folder of images ...]

Text of names, dates and numbers, Latin and (where a font with Chinese is installed) Chinese, is
written on the real radiographs of the demo at several sizes, in white or black as is legible.
Folders of images without text can be given for false alarms.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sdq_core.errors import UnreadableItem
from sdq_imaging.grey import normalise, resize
from sdq_imaging.reading import list_items, read_image
from sdq_imaging.text_lines import text_lines

HERE = Path(__file__).parents[1]
SIDE = 512
SIZES = (8, 10, 12, 16, 24, 36, 48)
REPEATS = 120
LATIN = ("WANG XIAOMING", "1962-03-14", "Beijing Hospital", "ID 20391847", "Smith^John M 45Y")
CHINESE = ("王小明 男 45岁", "检查日期 2024-05-01", "北京市第一医院")
FONTS = {
    "sans": ("DejaVuSans.ttf", LATIN),
    "mono, bold": ("LiberationMono-Bold.ttf", LATIN),
    "serif, bold": ("NotoSerifCJK-Bold.ttc", LATIN),
    "Chinese": ("NotoSerifCJK-Bold.ttc", CHINESE),
}


def font(name: str, size: int) -> ImageFont.FreeTypeFont | None:
    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return None


def grounds() -> list[np.ndarray]:
    """Real radiographs of the demo, stretched to the size of a screen."""
    found = []
    for role in ("train", "holdout"):
        for item in list_items(HERE / "fixtures/cxr" / role).items[:60]:
            grey, _ = normalise(read_image(item))
            found.append(resize(grey, (SIDE, SIDE)))
    return found


def rate(under: list[np.ndarray], name: str, words: tuple[str, ...], size: int) -> float | None:
    face = font(name, size)
    if face is None:
        return None
    rng = np.random.default_rng([size, len(name)])
    seen = 0
    for k in range(REPEATS):
        ground, text = under[k % len(under)], words[k % len(words)]
        length = face.getlength(text)
        x = int(rng.uniform(4, max(5, SIDE - 8 - length)))
        y = int(rng.uniform(4, SIDE - 8 - 1.4 * size))
        local = ground[y : y + size, x : x + int(length) + 1]
        value = 255 if np.median(local) < 0.5 else 0
        picture = Image.fromarray(np.uint8(ground * 255))
        ImageDraw.Draw(picture).text((x, y), text, fill=value, font=face)
        seen += any(
            min(line.bottom, y + 1.3 * size) > max(line.top, y)
            and min(line.right, x + length) > max(line.left, x)
            for line in text_lines(np.asarray(picture, np.float32) / 255)
        )
    return seen / REPEATS


def alarms(folder: Path) -> tuple[int, int]:
    """Return images with a candidate, and images, of a folder without text."""
    count = total = 0
    for item in list_items(folder).items:
        try:
            grey, _ = normalise(read_image(item))
        except UnreadableItem:
            continue
        plane = grey if grey.ndim == 2 else grey[len(grey) // 2]
        count += bool(text_lines(plane))
        total += 1
    return count, total


def main() -> None:
    under = grounds()
    print("| font | " + " | ".join(f"{s} px" for s in SIZES) + " |")
    print("| --- |" + " --- |" * len(SIZES))
    for label, (name, words) in FONTS.items():
        rates = [rate(under, name, words, size) for size in SIZES]
        print(f"| {label} | " + " | ".join("-" if r is None else f"{r:.2f}" for r in rates) + " |")
    flagged = sum(bool(text_lines(g)) for g in under)
    print(f"\nfalse alarms: demo's radiographs at {SIDE} pixels: {flagged} of {len(under)}")
    for argument in sys.argv[1:]:
        flagged, total = alarms(Path(argument))
        print(f"false alarms: {argument}: {flagged} of {total}")


if __name__ == "__main__":
    main()
