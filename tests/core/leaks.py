"""A search for planted texts and pictures in files, through every layer in which they may hide."""

import base64
import io
import re
import zipfile
import zlib

import numpy as np
from PIL import Image

STREAM = re.compile(rb"(<<(?:(?!stream).){0,2000}?>>)\s*stream\r?\n", re.DOTALL)
EMBEDDED = re.compile(rb"data:image/[a-z+]+;base64,([A-Za-z0-9+/=]+)")
ALIKE = 0.6
"""Correlation with the planted picture from which on another picture counts as it."""


def layers(name, data, depth=0):
    """Yield a file and everything inside of it as (name, bytes)."""
    yield name, data
    if depth > 4:
        return
    if data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.namelist():
                yield from layers(f"{name}!{member}", archive.read(member), depth + 1)
    elif data[:4] == b"PAR1":
        import pyarrow.parquet as pq

        yield f"{name}!rows", repr(pq.read_table(io.BytesIO(data)).to_pylist()).encode()
    elif data[:5] == b"%PDF-":
        for k, found in enumerate(STREAM.finditer(data)):
            try:
                content = zlib.decompressobj().decompress(data[found.end() :])
            except zlib.error:
                continue
            picture = pdf_picture(found[1], content)
            yield from layers(f"{name}!{k}", content if picture is None else picture, depth + 1)
    elif data[:2] == b"\x1f\x8b":
        yield from layers(f"{name}!gz", zlib.decompress(data, 31), depth + 1)
    elif data[:8] == b"\x89PNG\r\n\x1a\n":
        image = Image.open(io.BytesIO(data))
        image.load()
        yield f"{name}!texts", repr(image.info).encode()
    for k, found in enumerate(EMBEDDED.finditer(data)):
        yield from layers(f"{name}!picture{k}", base64.b64decode(found[1]), depth + 1)


def pdf_picture(header, content):
    """Return a picture of a PDF as PNG, or None for another stream."""
    sizes = [re.search(rb"/%b\s+(\d+)" % key, header) for key in (b"Width", b"Height")]
    if b"/Image" not in header or not all(sizes):
        return None
    width, height = (int(size[1]) for size in sizes)
    channels = len(content) // (width * height)
    if channels not in (1, 3) or len(content) != channels * width * height:
        return None
    values = np.frombuffer(content, np.uint8).reshape(height, width, channels)
    sink = io.BytesIO()
    Image.fromarray(values.squeeze()).save(sink, "PNG")
    return sink.getvalue()


def texts_in(data, texts):
    """Return which of some texts stand in bytes: plain, in UTF-16, or in base64."""
    low = data.lower()
    return [
        text
        for text in texts
        if any(form.lower() in low for form in (text.encode(), text.encode("utf-16-le")))
        or any(form in data for form in in_base64(text.encode()))
    ]


def in_base64(text):
    """The middle of a text's base64, for each way in which it can lie in threes of bytes."""
    forms = (base64.b64encode(b"x" * k + text)[4:-4] for k in range(3))
    return [form for form in forms if len(form) >= 8]


def alike(data, picture):
    """The greatest correlation of an image file with a picture, over turns and mirrors."""
    image = Image.open(io.BytesIO(data)).convert("L")
    found = np.asarray(image.resize(picture.shape[::-1]), float)
    if found.std() == 0:
        return 0.0
    turns = [np.rot90(p, k) for p in (picture, picture[:, ::-1]) for k in range(4)]
    return max(abs(float(np.corrcoef(found.ravel(), t.ravel())[0, 1])) for t in turns)


def leaks(files, texts, pictures):
    """Return every planted text and picture in some files as (where, what)."""
    found = []
    for file, content in files:
        for name, data in layers(file, content):
            found += [(name, text) for text in texts_in(data, texts)]
            if data[:8] == b"\x89PNG\r\n\x1a\n" or data[:3] == b"\xff\xd8\xff":
                found += [
                    (name, f"picture {k}")
                    for k, picture in enumerate(pictures)
                    if alike(data, picture) > ALIKE
                ]
    return found
