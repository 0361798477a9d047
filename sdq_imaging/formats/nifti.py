"""NIfTI through nibabel, in one orientation."""

from __future__ import annotations

import math
import warnings
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from sdq_core.aigc import label_in_text
from sdq_core.errors import UnreadableItem
from sdq_imaging.formats.checks import finite, limit, nothing_read
from sdq_imaging.formats.nifti_header import header_findings, raw_header, unit
from sdq_imaging.image import Image
from sdq_imaging.rules import finding, text_findings

__all__ = ["SUFFIXES", "read"]

SUFFIXES = (".nii", ".nii.gz")

COMMENT = 6
"""Code of an extension of the header that holds plain text."""


def read(path: Path, max_pixels: int) -> Image:
    """Read one NIfTI image or volume.

    Parameters
    ----------
    path : Path
    max_pixels : int

    Returns
    -------
    Image
        Axes (z, y, x) of the closest orientation towards superior, posterior and left, as DICOM's
        axial slices are stored; scaled by slope and intercept, spacing in millimetres. One volume
        of a fourth dimension of length 1 is taken.

    Raises
    ------
    UnreadableItem
    """
    import nibabel as nib
    from nibabel.filebasedimages import ImageFileError

    try:
        if path.stat().st_size == 0:
            raise nothing_read(path)
        with warnings.catch_warnings(), np.errstate(all="ignore"), _quiet():
            warnings.simplefilter("ignore")
            loaded = nib.load(path)
            if not isinstance(loaded, nib.Nifti1Image):
                raise UnreadableItem(
                    "imaging.structure.unsupported",
                    f"the file is {type(loaded).__name__}, no NIfTI image; convert it",
                )
            shape = tuple(int(s) for s in loaded.shape)
            limit(math.prod(shape), max_pixels)
            if not 2 <= len(shape) <= 4 or (len(shape) == 4 and shape[3] != 1):
                raise UnreadableItem(
                    "imaging.structure.unsupported",
                    f"the file has shape {shape}; give one 2-D or 3-D image a file",
                )
            if loaded.get_data_dtype().kind not in "biuf":
                raise UnreadableItem(
                    "imaging.structure.unsupported",
                    f"the file holds {loaded.get_data_dtype()} values; give integers or "
                    f"floating-point numbers",
                )
            affine = loaded.affine
            header = raw_header(loaded)
            problems = header_findings(header)
            if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
                raise UnreadableItem(
                    "imaging.structure.unsupported",
                    "the affine is singular or not finite; correct sform and qform",
                )
            if len(shape) == 2:  # nibabel turns nothing that has fewer axes than space
                plane = np.asarray(loaded.dataobj)[..., None]
                loaded = type(loaded)(plane, affine, loaded.header)
            canonical = nib.as_closest_canonical(loaded)
            values = np.asarray(canonical.dataobj).astype(np.float32)[::-1, ::-1]
            units, factor = unit(header)
            zooms = [float(z) * factor for z in canonical.header.get_zooms()[:3]]
            grid = _grid(canonical.affine, values.shape, factor)
    except UnreadableItem:
        raise
    except ImageFileError as error:
        raise nothing_read(path) from error
    except (PermissionError, FileNotFoundError, MemoryError):
        raise
    except Exception as error:  # a broken header or stream fails in many ways
        raise UnreadableItem(
            "imaging.structure.truncated",
            f"the file cannot be decoded to its end ({type(error).__name__}); write it again",
        ) from error
    if values.ndim == 4:
        values = values[..., 0]
    if values.ndim == 3 and values.shape[2] == 1:
        values, zooms = values[..., 0], zooms[:2]
    pixels = np.ascontiguousarray(values.T)
    finite(pixels)
    metadata = {
        "Rows": str(pixels.shape[-2]),
        "Columns": str(pixels.shape[-1]),
        "DataType": str(loaded.header.get_data_dtype()),
        "Units": units,
    }
    for key in ("descrip", "aux_file", "intent_name"):
        text = bytes(loaded.header[key]).split(b"\0")[0].decode("latin-1").strip()
        # The header's free texts hold 80 characters, enough for "SyntheticData=YES;Seed=1".
        for part in text.split(";"):
            name, equals, value = part.partition("=")
            if equals and name.strip() in (
                "SyntheticData",
                "Generator",
                "Seed",
                "Run",
                "Condition",
            ):
                metadata[f"text:{name.strip()}"] = value.strip()
        if text:
            metadata[f"text:{key}"] = "present"
            # Only whether there is a text is kept, so that it is searched here.
            problems += text_findings(text, key)
        if label := label_in_text(text):
            metadata["text:AIGC"] = label
    for extension in loaded.header.extensions:
        if extension.get_code() == COMMENT:
            text = _text(extension.get_content())
            problems += text_findings(text, "extension")
            if label := label_in_text(text):
                metadata["text:AIGC"] = label
    constant = pixels.min() == pixels.max()
    return Image(
        pixels,
        "nifti",
        spacing=tuple(zooms[::-1]) if all(z > 0 for z in zooms) else None,
        metadata=metadata,
        findings=(*problems, *((finding("constant"),) if constant else ())),
        grid=grid if pixels.ndim == 3 else None,
    )


def _quiet() -> AbstractContextManager[Any]:
    """Keep nibabel from telling the terminal what it mends: that is a finding."""
    from nibabel.imageglobals import LoggingOutputSuppressor

    found: AbstractContextManager[Any] = LoggingOutputSuppressor()
    return found


def _grid(affine: np.ndarray, shape: tuple[int, ...], factor: float) -> np.ndarray:
    """Return the affine of the turned array, whose first two axes were reversed, in millimetres."""
    turned = np.eye(4)
    for axis in (0, 1):
        turned[axis, axis], turned[axis, 3] = -1, shape[axis] - 1
    found = np.asarray(affine @ turned, np.float64)
    found[:3] *= factor
    return found


def _text(content: str | bytes) -> str:
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else str(content)
    return text.rstrip("\0")
