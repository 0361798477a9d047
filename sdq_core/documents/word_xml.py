"""What DOCX needs below the level of python-docx: elements, bookmarks, a zip without a clock."""

from __future__ import annotations

import io
import zipfile
from typing import Any, Final

__all__ = ["bookmark", "element", "qualified", "repacked"]

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


def repacked(content: bytes) -> bytes:
    """Return a zip file with its members in order and without the time of writing."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new,
    ):
        for name in sorted(old.namelist()):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            new.writestr(info, old.read(name))
    return buffer.getvalue()


def element(tag: str, **attributes: str) -> Any:
    """Return an element of WordprocessingML."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    made = OxmlElement(f"w:{tag}")
    for key, value in attributes.items():
        made.set(qn(f"w:{key}"), value)
    return made


def qualified(tag: str) -> str:
    """Return the name of an element or attribute with its namespace."""
    from docx.oxml.ns import qn

    return str(qn(f"w:{tag}"))


def bookmark(number: str) -> str:
    """Return the bookmark of a heading.

    Examples
    --------
    >>> bookmark("3.1")
    '_Toc3_1'
    """
    return "_Toc" + number.replace(".", "_")
