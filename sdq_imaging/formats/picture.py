"""PNG, JPEG, TIFF and BMP through Pillow."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import UnreadableItem
from sdq_core.finding import Finding
from sdq_imaging.formats.aigc_label import embedded_label
from sdq_imaging.formats.checks import finite, limit, nothing_read
from sdq_imaging.formats.picture_texts import identifiers, named
from sdq_imaging.image import Image
from sdq_imaging.rules import finding

__all__ = ["SUFFIXES", "luminance", "read"]

SUFFIXES = (".png", ".jpg", ".jpeg", ".jpe", ".tif", ".tiff", ".bmp")

SYNTHESIS_KEYS = (
    "SyntheticData", "Generator", "GeneratorVersion", "Algorithm", "AlgorithmVersion",
    "Seed", "Condition", "Run", "Software", "Description",
)  # fmt: skip
"""Text keys whose value is kept; of every other key only that it is there."""


def luminance(colour: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return luminance, shape (..., y, x), of RGB (ITU-R BT.601).

    Examples
    --------
    >>> float(luminance(np.full((1, 1, 3), 100, np.uint8))[0, 0])
    100.0
    """
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    return np.round(colour.astype(np.float32) @ weights, 3)


def read(path: Path, max_pixels: int) -> Image:
    """Read one picture.

    Parameters
    ----------
    path : Path
    max_pixels : int

    Returns
    -------
    Image
        8-bit pictures have the range 0..255, 16-bit ones 0..65535.

    Raises
    ------
    UnreadableItem
    """
    from PIL import Image as Picture
    from PIL import ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings(), _own_limit(), Picture.open(path) as picture:
            warnings.simplefilter("ignore")
            width, height = picture.size
            limit(width * height, max_pixels)
            frames = 1 if picture.format == "MPO" else getattr(picture, "n_frames", 1)
            if frames > 1:
                raise UnreadableItem(
                    "imaging.structure.unsupported",
                    f"the file holds {frames} pictures; give each its own file, or a volume as "
                    f"NIfTI or DICOM",
                )
            picture.load()
            text, found = _text(picture), identifiers(picture)
            turned = ImageOps.exif_transpose(picture)
            return _image(turned, text, found)
    except (UnreadableItem, PermissionError, FileNotFoundError, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise nothing_read(path) from error
    except Exception as error:  # decoders of broken files fail in many ways
        raise UnreadableItem(
            "imaging.structure.truncated",
            f"the picture cannot be decoded to its end ({type(error).__name__}); write it again",
        ) from error


@contextmanager
def _own_limit() -> Iterator[None]:
    """Switch off Pillow's own limit of pixels: the study's settings say how many may be read."""
    from PIL import Image as Picture

    before = Picture.MAX_IMAGE_PIXELS
    Picture.MAX_IMAGE_PIXELS = None
    try:
        yield
    finally:
        Picture.MAX_IMAGE_PIXELS = before


def _image(picture: Any, text: dict[str, str], found: list[Finding]) -> Image:
    mode = picture.mode
    colour: NDArray[np.uint8] | None = None
    nominal = (0.0, 255.0)
    alpha = mode in ("LA", "PA", "RGBA", "La", "RGBa")
    if alpha or "transparency" in picture.info:
        found.append(finding("alpha_dropped"))
    if alpha:
        picture = picture.convert("RGB" if mode != "LA" else "L")
        mode = picture.mode
    if mode == "1":
        pixels = np.asarray(picture, dtype=np.float32) * 255
    elif mode == "L":
        pixels = np.asarray(picture, dtype=np.float32)
    elif mode in ("I;16", "I;16B", "I;16L", "I;16N"):
        pixels, nominal = np.asarray(picture).astype(np.float32), (0.0, 65535.0)
    elif mode in ("I", "F"):
        pixels = np.asarray(picture).astype(np.float32)
        # 16-bit PNG files come as 32-bit integers.
        inside = mode == "I" and pixels.size and pixels.min() >= 0 and pixels.max() <= 65535
        return _finished(pixels, (0.0, 65535.0) if inside else None, None, text, found)
    else:
        rgb = np.asarray(picture.convert("RGB"), dtype=np.uint8)
        if (rgb[..., 0] == rgb[..., 1]).all() and (rgb[..., 1] == rgb[..., 2]).all():
            pixels = rgb[..., 0].astype(np.float32)  # grey that was written as colour
        else:
            colour, pixels = rgb, luminance(rgb)
    return _finished(pixels, nominal, colour, text, found)


def _finished(
    pixels: NDArray[np.float32],
    nominal: tuple[float, float] | None,
    colour: NDArray[np.uint8] | None,
    text: dict[str, str],
    found: list[Finding],
) -> Image:
    finite(pixels)
    if pixels.min() == pixels.max():
        found.append(finding("constant"))
    return Image(
        pixels,
        "picture",
        nominal_range=nominal,
        colour=colour,
        metadata=text,
        findings=tuple(found),
    )


def _text(picture: Any) -> dict[str, str]:
    """Texts that the file carries; only those about its synthesis in clear."""
    found: dict[str, str] = {}
    if label := embedded_label(picture):
        found["text:AIGC"] = label
    for key, value in picture.info.items():
        if isinstance(key, str) and isinstance(value, str) and key != "AIGC":
            found[f"text:{named(key)}"] = value if key in SYNTHESIS_KEYS else "present"
    comment = picture.info.get("comment")
    if isinstance(comment, bytes):
        found["text:comment"] = "present"
    description = getattr(picture, "tag_v2", {}).get(270)
    if description:
        found["text:ImageDescription"] = "present"
    return dict(sorted(found.items()))
