"""What a rendered document says of the result that it was made from, and what is inside of it."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence

__all__ = ["made_from", "unpacked"]

_STREAM = re.compile(rb"stream\r?\n")


def made_from(result: bytes, name: str, data: bytes) -> bool:
    """Return whether a document was made from a result.

    Parameters
    ----------
    result : bytes
        ``result.json``.
    name : str
        The document's; its suffix tells the format.
    data : bytes
        The document: HTML and DOCX state the SHA-256 of the result, PDF has the result attached.

    Examples
    --------
    >>> made_from(b"{}", "a.html", hashlib.sha256(b"{}").hexdigest().encode())
    True
    >>> made_from(b"{}", "a.html", b"<p>something else</p>")
    False
    """
    if name.endswith(".pdf"):
        return any(stream == result for stream in _streams(data, len(result)))
    digest = hashlib.sha256(result).hexdigest().encode()
    return any(digest in part for part in (data, *unpacked(name, data)))


def unpacked(name: str, data: bytes) -> Sequence[bytes]:
    """Return the parts of a DOCX file; nothing of other formats, and nothing of a broken one."""
    if not name.endswith(".docx"):
        return ()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as document:
            return [document.read(part) for part in document.namelist()]
    except zipfile.BadZipFile:
        return ()


def _streams(data: bytes, length: int) -> Iterator[bytes]:
    """Return the beginning of each stream of a PDF, unpacked, one byte more than asked for."""
    view = memoryview(data)
    for found in _STREAM.finditer(data):
        try:
            yield zlib.decompressobj().decompress(view[found.end() :], length + 1)
        except zlib.error:
            # Not packed: a stream's bytes as they are.
            yield bytes(view[found.end() : found.end() + length])
