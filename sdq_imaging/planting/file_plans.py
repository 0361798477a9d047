"""Plans that break files: bytes that no reader can use, headers of NIfTI and texts of pictures."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sdq_imaging.planting.drafting import Plan, Planting, damage
from sdq_imaging.planting.nifti_item import NiftiItem
from sdq_imaging.planting.opening import Facts
from sdq_imaging.planting.picture_item import PictureItem

if TYPE_CHECKING:
    from sdq_imaging.planting.editable import Editable

__all__ = ["IDENTIFIERS", "PLANS"]

KEEP: Final = 0.6
"""Share of the bytes of a truncated file that is left."""
ENVELOPE: Final = b"\x30\x82\x01\x00\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03" + bytes(256)
"""Start of a CMS envelope (RFC 5652): encrypted."""
SIDE: Final = 30_000
"""Pixels a side of a picture that promises far too many."""
OWN_FILE: Final = ("items that are files of their own", "各自为独立文件的样本")

IDENTIFIERS: Final = (
    "patient name: Zhang Sanfeng; DOB 1961-03-05; home address: Renmin-Road-1-Beijing; "
    "MRN 00123456; insurance no 00123457; account no 6222020000000; passport no 12345678; "
    "VIN LSVAA4182E2123456; IP address 10.20.30.40; tel 010-12345678; mobile 13800138000; "
    "mail zhang@example.org; ID 11010519491231002X; SSN 123-45-6789"
)
"""One of each kind that a text can hold, of nobody: numbers from examples and standards."""


def _own_file(facts: Facts) -> bool:
    return facts.whole and facts.readable


def _nifti(facts: Facts) -> bool:
    return facts.kind == "nifti" and facts.readable


def _volume(facts: Facts) -> bool:
    return _nifti(facts) and facts.slices > 1


def _picture(facts: Facts) -> bool:
    return facts.kind == "picture" and facts.editable and not facts.floating and facts.bits == 8


def _truncated(old: bytes) -> bytes:
    return old[: int(KEEP * len(old))]


def _bomb(old: bytes) -> bytes:
    """Return the start of a PNG file that declares far too many pixels."""
    head = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(SIDE))))
    found = b"\x89PNG\r\n\x1a\n"
    for name, data in chunks:
        content = name + data
        found += struct.pack(">I", len(data)) + content + struct.pack(">I", zlib.crc32(content))
    return found


def _two_pages(old: bytes) -> bytes:
    from PIL import Image as Picture

    pages = [Picture.fromarray(np.full((8, 8), k, np.uint8)) for k in (0, 255)]
    made = io.BytesIO()
    pages[0].save(made, "TIFF", save_all=True, append_images=pages[1:])
    return made.getvalue()


def _four_axes(opened: Editable) -> None:
    """Make a series of two volumes, which no item is."""
    if isinstance(opened, NiftiItem) and opened.values is not None:
        shape = (*opened.values.T.shape, 1, 1)[:3]
        opened.shape = (*shape, 2)
        opened.header["dim"][:5] = (4, *shape, 2)
        values = opened.values.T.reshape(shape)
        opened.values = np.stack([values, values], axis=-1).T


def _no_pixels(opened: Editable) -> None:
    for dataset in getattr(opened, "objects", ()):
        del dataset["PixelData"]
    opened.values = None


def _many_pixels(opened: Editable) -> None:
    for dataset in getattr(opened, "objects", ()):
        dataset.Rows = dataset.Columns = SIDE
    opened.values = None


def _video(opened: Editable) -> None:
    """Name a transfer syntax of video, for which there is no decoder of images."""
    from pydicom.encaps import encapsulate
    from pydicom.uid import UID

    for dataset in getattr(opened, "objects", ()):
        dataset.PixelData = encapsulate([bytes(64)])
        dataset["PixelData"].VR = "OB"
        dataset["PixelData"].is_undefined_length = True
        dataset.file_meta.TransferSyntaxUID = UID("1.2.840.10008.1.2.4.100")
    opened.values = None


def _broken(p: Planting) -> None:
    """Break files in every way that their format has, each file in one.

    Beside them one picture gets a transparency channel, which reading drops, and two files become
    links: one that leads out of the folder, one that leads nowhere.
    """
    turn: dict[str, int] = {}
    chosen = p.chosen(_own_file)
    for entry in chosen[:]:
        kind = p.facts(entry.member).kind
        ways = _WAYS[kind]
        edit, rewrite = ways[turn.setdefault(kind, 0) % len(ways)]
        turn[kind] += 1
        if edit is not None:
            entry.edits = [edit]
        if rewrite is not None:
            entry.damages.append(damage(rewrite))
    for entry in p.one_more(chosen, _picture):
        entry.edits.append(_see_through)
    for target in ("../..", "no-such-file"):
        for entry in p.one_more(chosen, _own_file):
            entry.damages.append(partial(_linked, target=target))


def _linked(path: Path, target: str) -> None:
    """Put a link in the place of a file, or of the folder of a series."""
    if path.is_dir():
        for file in path.iterdir():
            file.unlink()
        path.rmdir()
    else:
        path.unlink()
    path.symlink_to(target)


Way = tuple[Callable[[Any], None] | None, Callable[[bytes], bytes] | None]
_ALWAYS: Final[tuple[Way, ...]] = (
    (None, _truncated),
    (None, lambda old: b""),
    (None, lambda old: b"this is no image\n"),
)
_WAYS: Final[dict[str, tuple[Way, ...]]] = {
    "picture": (*_ALWAYS, (None, lambda old: ENVELOPE), (None, _bomb), (None, _two_pages)),
    "nifti": (*_ALWAYS, (None, lambda old: ENVELOPE), (_four_axes, None)),
    "dicom": (
        *_ALWAYS,
        (None, lambda old: ENVELOPE),
        (_no_pixels, None),
        (_many_pixels, None),
        (_video, None),
    ),
    "stack": _ALWAYS[:2],
}
"""Kind of file -> ways to break it: by its content before writing, or by its bytes after."""


def _header(change: Callable[[Any], None]) -> Callable[[Editable], None]:
    def edit(opened: Editable) -> None:
        if isinstance(opened, NiftiItem):
            change(opened.header)

    return edit


def _no_space(header: Any) -> None:
    header["sform_code"] = header["qform_code"] = 0


def _two_places(header: Any) -> None:
    """Let sform and qform place the image a hundred voxels apart."""
    _codes(header, 1, 1)
    header["qoffset_x"] = float(header["qoffset_x"]) + 100 * max(float(header["pixdim"][1]), 1.0)


def _wrong_size(header: Any) -> None:
    _codes(header, 1, 0)
    header["pixdim"][1] = 1.5 * max(float(header["pixdim"][1]), 0.1)


def _no_unit(header: Any) -> None:
    header["xyzt_units"] = 0


def _odd_code(header: Any) -> None:
    header["qform_code"] = 0
    _codes(header, 9, 0)


def _microscopic(header: Any) -> None:
    """State a spacing that no scanner has."""
    _codes(header, 0, 1)
    header["pixdim"][1] = 5e-4


def _codes(header: Any, sform: int, qform: int) -> None:
    if int(header["sform_code"]) <= 0:
        affine = header.get_qform() if int(header["qform_code"]) > 0 else header.get_base_affine()
        for row, name in zip(affine, ("srow_x", "srow_y", "srow_z"), strict=False):
            header[name] = row
    if int(header["qform_code"]) <= 0 and qform:
        header.set_qform(header.get_sform(), code=1)
    header["sform_code"], header["qform_code"] = sform, qform


def _nifti_headers(p: Planting) -> None:
    """Contradict the geometry; beside that, once each, leave it open or make it implausible."""
    chosen = p.chosen(_volume)
    for k, entry in enumerate(chosen[:]):
        entry.edits.append(_header((_two_places, _wrong_size)[k % 2]))
    for change in (_no_space, _no_unit, _odd_code, _microscopic):
        for entry in p.one_more(chosen, _volume):
            entry.edits.append(_header(change))


def _see_through(opened: Editable) -> None:
    if isinstance(opened, PictureItem):
        opened.transparent = True


def _texts(p: Planting) -> None:
    """Write identifiers into the texts of a picture, or into the short one of a NIfTI header.

    Of pictures by turns into text chunk, or tag of TIFF, and into EXIF with the place.
    """
    parts = [f"{part.strip()}" for part in IDENTIFIERS.split(";")]
    for k, entry in enumerate(p.chosen(_can_hold_text)):
        if p.facts(entry.member).kind == "picture":
            entry.edits.append(partial((_describe, _by_camera)[k % 2], text=IDENTIFIERS))
        else:
            pair = f"{parts[2 * k % len(parts)]}; {parts[(2 * k + 1) % len(parts)]}"
            entry.edits.append(partial(_describe, text=pair))


def _can_hold_text(facts: Facts) -> bool:
    # BMP has no place for a text.
    picture = facts.kind == "picture" and facts.labelling
    return facts.readable and (picture or facts.kind == "nifti")


def _describe(opened: Editable, text: str) -> None:
    if isinstance(opened, PictureItem):
        opened.texts["Artist"] = text
    elif isinstance(opened, NiftiItem):
        opened.header["descrip"] = text.encode()[:79]


def _by_camera(opened: Editable, text: str) -> None:
    if isinstance(opened, PictureItem):
        opened.camera = text


PLANS: Final[dict[str, Plan]] = {
    "unreadable": Plan(_broken, _own_file, OWN_FILE),
    "nifti-header": Plan(_nifti_headers, _volume, ("NIfTI volumes", "NIfTI 体数据")),
    "identifiers-in-texts": Plan(
        _texts,
        _can_hold_text,
        ("PNG, JPEG, TIFF or NIfTI files", "PNG、JPEG、TIFF 或 NIfTI 文件"),
    ),
}
