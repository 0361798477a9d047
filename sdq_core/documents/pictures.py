"""The gallery's pictures as data of the report, and the rule which of them may appear."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sdq_core.documents.naming import one_of, word
from sdq_core.documents.texts import text
from sdq_core.errors import StoreError
from sdq_core.result import GalleryImage, Result
from sdq_core.vocabulary import Role

__all__ = ["MOST_BYTES", "Picture", "pictures", "withheld"]

MOST_BYTES: Final = 600_000
"""Bytes of pictures that one report embeds; base64 makes four thirds of it."""
_ROOM: Final = ((200, ""), (290, "third"), (430, "half"))
"""Widest pictures, in pixels, that are read well in little, a third, half of the page's width."""
_PNG: Final = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of the gallery.

    Parameters
    ----------
    item, role, why : str
    alt : str
        What it shows, in words.
    data : str
        ``data:`` address; empty where there is no picture.
    remark : str
        Why there is none.
    room : {"", "third", "half", "whole"}
        Share of the page's width that it needs to be read; empty for little.
    """

    item: str
    role: str
    why: str
    alt: str
    data: str
    remark: str
    room: str


def withheld(result: Result, *, show_real: bool) -> bool:
    """Return whether the whole gallery must stay out of a report.

    A gallery that was made with real items shows copies of them too, and which of its synthetic
    items are copies is not known for certain: then none may appear in a report without real items.

    Parameters
    ----------
    result : Result
    show_real : bool
        Whether the report may show real items.
    """
    if show_real:
        return False
    suspects = _suspects(result)
    return any(i.role is not Role.SYNTHETIC or i.item in suspects for i in result.gallery)


def pictures(
    result: Result, folder: Path, language: str, *, show_real: bool
) -> tuple[Picture, ...]:
    """Return the pictures that a report may show.

    Parameters
    ----------
    result : Result
    folder : Path
        Folder of the files that the gallery names.
    language : {"en", "zh"}
    show_real : bool

    Returns
    -------
    tuple of Picture
        In the gallery's order; those beyond `MOST_BYTES` are named, not embedded.

    Raises
    ------
    StoreError
        A file lies outside the folder, is no PNG or cannot be read.
    """
    if withheld(result, show_real=show_real):
        return ()
    found = []
    total = 0
    for image in result.gallery:
        content = _read(folder, image)
        remark = ""
        if content is None:
            remark = text("picture_missing", language, file=image.file)
        elif total + len(content) > MOST_BYTES:
            content, remark = None, text("picture_left_out", language, file=image.file)
        else:
            total += len(content)
        role, why = word(image.role, language), one_of(image.why, image.why_zh, language)
        data = room = ""
        if content is not None:
            room = _room(content)
            data = "data:image/png;base64," + base64.b64encode(content).decode()
        alt = text("picture_alt", language, role=role, item=image.item, why=why)
        found.append(Picture(image.item, role, why, alt, data, remark, room))
    return tuple(found)


def _suspects(result: Result) -> set[str]:
    """Synthetic items that some measurement takes for copies of real ones."""
    found = set()
    for measurement in result.measurements:
        listed = measurement.details.get("suspects")
        if isinstance(listed, list):
            found |= {
                str(s["synthetic"]) for s in listed if isinstance(s, dict) and "synthetic" in s
            }
    return found


def _room(content: bytes) -> str:
    """Return how much room a PNG needs, by the width in its head (0 where that is cut short)."""
    width = int.from_bytes(content[16:20], "big")
    return next((room for widest, room in _ROOM if width <= widest), "whole")


def _read(folder: Path, image: GalleryImage) -> bytes | None:
    """Return the bytes of a picture, or None where the file is missing."""
    path = folder / image.file
    if not path.resolve().is_relative_to(folder.resolve()):
        raise StoreError(
            f"gallery: {image.file!r} lies outside the folder of the result; a result must name "
            f"files beside it only: evaluate again"
        )
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(
            f"gallery: {path} cannot be read ({error.strerror or type(error).__name__}); "
            f"check that it is a file that you may read"
        ) from error
    if not content.startswith(_PNG):
        raise StoreError(
            f"gallery: {path} is no PNG file; evaluate again to make the pictures anew"
        )
    return content
