"""NIfTI files opened for writing them anew: the header stays as it is, but for what is meant."""

from __future__ import annotations

import gzip
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from sdq_core.description import Item
from sdq_imaging.formats.nifti import COMMENT
from sdq_imaging.formats.nifti_header import raw_header
from sdq_imaging.planting.editable import Declaration, Editable

__all__ = ["NiftiItem"]

TEXTS = ("descrip", "aux_file", "intent_name", "db_name", "data_type")


class NiftiItem(Editable):
    """A NIfTI file: one image or volume, of numbers.

    Parameters
    ----------
    item : Item

    Attributes
    ----------
    header : nibabel.Nifti1Header
        As it stands in the file.
    shape : tuple of int
        Of the values in the file, axes (x, y, z).
    """

    def __init__(self, item: Item) -> None:
        import nibabel as nib
        from nibabel.imageglobals import LoggingOutputSuppressor

        self.item = item
        path = item.paths[0]
        with warnings.catch_warnings(), LoggingOutputSuppressor():
            warnings.simplefilter("ignore")
            loaded: Any = nib.load(path)
            self.header: Any = raw_header(loaded)
            stored = np.asarray(loaded.dataobj.get_unscaled())
        self.shape = stored.shape
        planes = stored[..., 0] if stored.ndim == 4 else stored
        self.values = np.ascontiguousarray(planes.T)
        kind = stored.dtype
        self.limits = None if kind.kind == "f" else (np.iinfo(kind).min, np.iinfo(kind).max)
        self.suffix = ".nii.gz" if path.name.lower().endswith(".gz") else ".nii"
        self.comment = ""

    def declare(self, declaration: Declaration) -> None:
        """Replace every free text, and leave out extensions, which may hold a DICOM header."""
        for key in TEXTS:
            self.header[key] = b""
        if declaration.stated:
            text = f"SyntheticData=YES;Seed={declaration.number};Generator={declaration.generator}"
            self.header["descrip"] = text.encode()[:79]
        self.comment = f"AIGC: {declaration.label}" if declaration.label else ""

    def save(self, folder: Path, stem: str) -> Path:
        """Write header, extension and values."""
        target = folder / f"{stem}{self.suffix}"
        target.parent.mkdir(parents=True, exist_ok=True)
        header = self.header.copy()
        text = self.comment.encode()
        size = -(-(8 + len(text)) // 16) * 16 if text else 0
        order = ">" if header.endianness == ">" else "<"
        extension = b""
        if text:
            head = np.array([size, COMMENT], f"{order}i4").tobytes()
            extension = head + text + bytes(size - 8 - len(text))
        header["vox_offset"] = int(header["sizeof_hdr"]) + 4 + size
        start = header.binaryblock + bytes([1 if text else 0, 0, 0, 0]) + extension
        assert self.values is not None
        stored = self.values.T.reshape(self.shape).astype(header.get_data_dtype())
        content = start + stored.tobytes(order="F")
        # No time and no name in the compressed file: the same bytes each time.
        packed = gzip.compress(content, 6, mtime=0) if self.suffix.endswith(".gz") else content
        target.write_bytes(packed)
        return target
