"""Pictures opened for writing them anew: always without loss."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np

from sdq_core.description import Item
from sdq_imaging.planting.editable import Declaration, Editable

__all__ = ["LABELLING", "PictureItem"]

FORMATS: Final = {".tif": "TIFF", ".tiff": "TIFF", ".bmp": "BMP"}
"""Suffix -> format that stays; all others become PNG."""
LABELLING: Final = (".png", ".tif", ".tiff")
"""Suffixes of formats in which the label AIGC has a place."""
DESCRIPTION, ARTIST, EXIF, GPS, USER_COMMENT = 270, 315, 0x8769, 0x8825, 0x9286
NOWHERE: Final = {1: "N", 2: (0.0, 0.0, 1.0), 3: "E", 4: (0.0, 0.0, 1.0)}
"""Latitude and longitude of a place in the sea."""
GREY: Final = ("L", "I;16", "I;16B", "I;16L", "I;16N", "I", "F")


class PictureItem(Editable):
    """A picture: 8 bits or 16, floating point in TIFF, grey or colour.

    What reading drops is dropped (transparency, EXIF, comments), what it turns is turned.

    Parameters
    ----------
    item : Item
    """

    def __init__(self, item: Item) -> None:
        from PIL import Image as Picture
        from PIL import ImageOps

        self.item = item
        self.transparent = False
        self.texts: dict[str, str] = {}
        self.camera = ""
        path = item.paths[0]
        with warnings.catch_warnings(), Picture.open(path) as picture:
            warnings.simplefilter("ignore")
            picture.load()
            turned = ImageOps.exif_transpose(picture)
        if turned.mode in ("1", "LA"):
            turned = turned.convert("L")
        elif turned.mode not in GREY:
            turned = turned.convert("RGB")
        values = np.asarray(turned)
        self.colour = values.ndim == 3
        if values.dtype.kind in "iu" and values.dtype != np.uint8:
            inside = values.min() >= 0 and values.max() <= 65535
            values = values.astype(np.uint16 if inside else np.int32)
        self.values = np.moveaxis(values, -1, 0).copy() if self.colour else values.copy()
        kind = self.values.dtype
        self.limits = None if kind.kind == "f" else (np.iinfo(kind).min, np.iinfo(kind).max)
        suffix = path.suffix.lower()
        keeps = suffix in FORMATS and not (suffix == ".bmp" and kind != np.uint8)
        self.suffix = suffix if keeps else ".tif" if kind in (np.float32, np.int32) else ".png"

    def declare(self, declaration: Declaration) -> None:
        """Write texts, as far as the format has a place for them."""
        self.texts = {}
        if declaration.stated:
            self.texts = {
                "SyntheticData": "YES",
                "Generator": declaration.generator,
                "GeneratorVersion": declaration.version,
                "Seed": str(declaration.number),
            }
        if declaration.label:
            self.texts["AIGC"] = declaration.label

    def save(self, folder: Path, stem: str) -> Path:
        """Write the picture without loss."""
        from PIL import Image as Picture
        from PIL.PngImagePlugin import PngInfo

        assert self.values is not None
        values = np.moveaxis(self.values, 0, -1) if self.colour else self.values
        picture = Picture.fromarray(np.ascontiguousarray(values))
        suffix = self.suffix
        if self.transparent:
            picture = picture.convert("RGBA")
            suffix = ".png"
        target = folder / f"{stem}{suffix}"
        target.parent.mkdir(parents=True, exist_ok=True)
        options: dict[str, Any] = {}
        kind = FORMATS.get(suffix, "PNG")
        if kind == "PNG":
            options["pnginfo"] = info = PngInfo()
            for key, value in self.texts.items():
                info.add_text(key, value)
        elif kind == "TIFF":
            tags = {}
            if "AIGC" in self.texts:
                tags[DESCRIPTION] = f"AIGC: {self.texts['AIGC']}"
            if "Artist" in self.texts:
                tags[ARTIST] = self.texts["Artist"]
            options["tiffinfo"] = tags
        if self.camera and kind in ("PNG", "TIFF"):
            exif = Picture.Exif()
            for tag, text in options.get("tiffinfo", {}).items():
                exif[tag] = text
            comment = b"ASCII\0\0\0" + self.camera.encode("ascii")
            exif.get_ifd(EXIF)[USER_COMMENT] = comment
            exif.get_ifd(GPS).update(NOWHERE)
            options["exif"] = exif.tobytes()
            options.pop("tiffinfo", None)
        picture.save(target, kind, **options)
        return target
