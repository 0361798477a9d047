"""The texts that a picture carries beside its pixels, to be searched and not to be kept."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any, Final

from sdq_core.finding import Finding
from sdq_core.identifiers import identifiers_in_text
from sdq_imaging.formats.aigc_label import EXIF_FOLDER, XMP_KEYS, exif_text, xmp_root
from sdq_imaging.rules import finding, text_findings

__all__ = ["identifiers", "named"]

MOST_CHARACTERS: Final = 2**18
"""Of one text; what is behind them is not searched."""
GPS_FOLDER: Final = 0x8825
PLACE: Final = (2, 4)
"""Latitude and longitude."""
COMMENT: Final = 0x9286
"""UserComment, the one tag of bytes that is a text."""
WINDOWS: Final = range(0x9C9B, 0x9CA0)
"""Title, comment, author, keywords and subject as Windows writes them: UTF-16 bytes."""


def identifiers(picture: Any) -> list[Finding]:
    """Return what the texts of an opened picture give away, without quoting them.

    Parameters
    ----------
    picture : PIL.Image.Image

    Returns
    -------
    list of Finding
        Of text chunks (PNG), comments (JPEG), tags (TIFF), EXIF and XMP: one for each kind of
        identifier and place; and one where EXIF tells the place in which the picture was taken.
    """
    found: list[Finding] = []
    for place, text in _texts(picture):
        # The name of a place is the label that a value stands behind: "PatientName" "Li Si".
        label = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", place.rpartition(":")[2])
        found += text_findings(f"{label}: {text[:MOST_CHARACTERS]}", f"text:{named(place)}")
    gps = picture.getexif().get_ifd(GPS_FOLDER)
    if any(gps.get(tag) for tag in PLACE):
        found.append(finding("identifier.location", where="EXIF GPS"))
    return list(dict.fromkeys(found))


def named(key: str) -> str:
    """Return the name of a text, but no name that itself holds an identifier.

    Examples
    --------
    >>> named("Description"), named("tel 13800138000")
    ('Description', 'key')
    """
    return "key" if identifiers_in_text(key) else key


def _texts(picture: Any) -> Iterator[tuple[str, str]]:
    """Yield place and text."""
    for key, value in picture.info.items():
        text = exif_text(value) if key == "comment" or isinstance(value, str) else ""
        if text and isinstance(key, str) and key not in XMP_KEYS:
            yield key, text
    for key in XMP_KEYS:
        packet = picture.info.get(key)
        root = xmp_root(packet) if isinstance(packet, str | bytes) else None
        if root is not None:
            yield from (("XMP:" + name, value) for name, value in _of_xmp(root))
    exif = picture.getexif()
    if hasattr(picture, "tag_v2"):  # EXIF of TIFF is the file's own tags
        yield from _tags("", picture.tag_v2)
    else:
        yield from _tags("EXIF:", exif)
    yield from _tags("EXIF:", exif.get_ifd(EXIF_FOLDER))


def _tags(prefix: str, tags: Any) -> Iterator[tuple[str, str]]:
    from PIL.ExifTags import TAGS

    for tag, value in tags.items():
        if tag in WINDOWS and isinstance(value, bytes | tuple):
            text = bytes(value).decode("utf-16-le", "replace").rstrip("\0")
        else:
            text = exif_text(value) if isinstance(value, str) or tag == COMMENT else ""
        if text:
            yield prefix + str(TAGS.get(tag, tag)), text


def _of_xmp(root: ET.Element) -> Iterator[tuple[str, str]]:
    """Yield names and values; identities of documents are random, and no text."""
    for element in root.iter():
        name = element.tag.rpartition("}")[2]
        if element.text and element.text.strip() and not name.endswith("ID"):
            yield name, element.text.strip()
        for key, value in element.attrib.items():
            name = key.rpartition("}")[2]
            if not name.endswith("ID"):
                yield name, value
