"""Where a picture keeps the label of generated content: text, XMP, EXIF."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any, Final

from sdq_core.aigc import label_in_text

__all__ = ["EXIF_FOLDER", "XMP_KEYS", "embedded_label", "exif_text", "label_in_xmp", "xmp_root"]

NAMESPACE: Final = "http://www.tc260.org.cn/ns/AIGC/1.0/"
XMP_KEYS: Final = ("XML:com.adobe.xmp", "xmp")
MOST_BYTES: Final = 2**18
EXIF_TAGS: Final = (0x9286, 0x010E)
"""UserComment and ImageDescription."""
EXIF_FOLDER: Final = 0x8769


def embedded_label(picture: Any) -> str:
    """Return the label AIGC of an opened picture; empty where it has none.

    Parameters
    ----------
    picture : PIL.Image.Image

    Returns
    -------
    str
        As it stands in a text under the key ``AIGC``; else in the compact form of
        `sdq_core.aigc.label_in_text`, from the XMP packet, EXIF or the comment.
    """
    own = picture.info.get("AIGC")
    if isinstance(own, str) and own.strip():
        return own.strip()
    for key in XMP_KEYS:
        packet = picture.info.get(key)
        if isinstance(packet, str | bytes) and (found := label_in_xmp(packet)):
            return found
    exif = picture.getexif()
    texts = [exif.get(tag) or exif.get_ifd(EXIF_FOLDER).get(tag) for tag in EXIF_TAGS]
    texts.append(picture.info.get("comment"))
    return next((found for text in texts if (found := label_in_text(exif_text(text)))), "")


def label_in_xmp(packet: str | bytes) -> str:
    """Return the label of an XMP packet: the property AIGC of the TC260 namespace.

    Parameters
    ----------
    packet : str or bytes

    Returns
    -------
    str
        As `sdq_core.aigc.label_in_text` gives it; empty for a packet that cannot be read, is larger
        than 256 KiB or defines entities.

    Examples
    --------
    >>> label_in_xmp('<x xmlns:T="http://www.tc260.org.cn/ns/AIGC/1.0/">'
    ...              '<T:AIGC>{&quot;Label&quot;:&quot;1&quot;}</T:AIGC></x>')
    '{"Label":"1"}'
    """
    root = xmp_root(packet)
    if root is None:
        return ""
    name = f"{{{NAMESPACE}}}AIGC"
    for element in root.iter():
        if element.tag == name:
            return label_in_text(f"AIGC: {''.join(element.itertext())}")
        if name in element.attrib:
            return label_in_text(f"AIGC: {element.attrib[name]}")
    return ""


def xmp_root(packet: str | bytes) -> ET.Element | None:
    """Return an XMP packet parsed; None where `label_in_xmp` cannot read it either."""
    raw = packet.encode("utf-8", "replace") if isinstance(packet, str) else packet
    # Entities could make a small packet unfold without end.
    plain = raw.replace(b"\0", b"")  # UTF-16 is searched too
    if len(raw) > MOST_BYTES or b"<!DOCTYPE" in plain or b"<!ENTITY" in plain:
        return None
    try:
        return ET.fromstring(raw.strip(b"\x00 \r\n\t"))  # noqa: S314 - entities refused
    except (ET.ParseError, ValueError, LookupError, RecursionError):
        return None


def exif_text(value: Any) -> str:
    """Return a text of EXIF, whose comments say their encoding in the first eight bytes."""
    if isinstance(value, bytes):
        for head, encoding in ((b"ASCII\0\0\0", "ascii"), (b"UNICODE\0", "utf-16")):
            if value.startswith(head):
                return value[8:].decode(encoding, "replace")
        return value.removeprefix(b"\0" * 8).decode("utf-8", "replace")
    return value if isinstance(value, str) else ""
