"""Opens an item for writing it anew, and says what can be done with it without opening it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from sdq_core.description import Item
from sdq_core.errors import UnreadableItem
from sdq_imaging import dicom_tables
from sdq_imaging.formats import array, dicom, nifti
from sdq_imaging.planting.dicom_item import DicomItem, grey_or_rgb, quiet
from sdq_imaging.planting.editable import Editable
from sdq_imaging.planting.nifti_item import NiftiItem
from sdq_imaging.planting.picture_item import FORMATS, LABELLING, PictureItem
from sdq_imaging.planting.stack_item import StackItem, arrays_of

__all__ = ["Facts", "Opener", "facts_of", "kind_of"]

Kind = Literal["dicom", "nifti", "picture", "stack"]
KEPT: Final = 3
"""Array files in memory."""
UNKNOWN: Final[dict[str, Any]] = {"readable": False, "editable": False}


@dataclass(frozen=True, slots=True)
class Facts:
    """What can be planted in an item depends on this; from its header alone.

    Parameters
    ----------
    kind : str
    readable : bool
    editable : bool
        Whether its values can be changed and written back.
    floating : bool
        Whether it can hold NaN.
    labelling : bool
        Whether the file has a place for the label AIGC.
    hu : bool
        Hounsfield units.
    side : int
        Pixels of its shorter side.
    slices : int
        Of a volume, or frames; 1 for one image.
    files : int
    iod : str
        Of a DICOM object; empty where the tables do not have it.
    frames : bool
        Whether it has per-frame functional groups.
    colour : bool
    bits : int
    whole : bool
        Whether it is a file of its own, rather than a part of one.
    """

    kind: Kind
    readable: bool = True
    editable: bool = True
    floating: bool = False
    labelling: bool = True
    hu: bool = False
    side: int = 0
    slices: int = 1
    files: int = 1
    iod: str = ""
    frames: bool = False
    colour: bool = False
    bits: int = 8
    whole: bool = True


def kind_of(path: Path) -> Kind:
    """Return the kind of a file, as reading tells them apart."""
    name = path.name.lower()
    if name.endswith(array.SUFFIXES):
        return "stack"
    if name.endswith(nifti.SUFFIXES):
        return "nifti"
    return "dicom" if name.endswith(dicom.SUFFIXES) or dicom.is_dicom(path) else "picture"


class Opener:
    """Opens items; keeps the last few array files, for their next rows."""

    def __init__(self) -> None:
        self._arrays: dict[tuple[Path, int], dict[str, Any]] = {}

    def __call__(self, item: Item) -> Editable | None:
        """Return an item opened, None where it is broken or cannot be written in its format."""
        from sdq_imaging.reading import read_image

        path = item.paths[0]
        kind = kind_of(path)
        try:
            if kind == "stack":
                return StackItem(item, self.arrays(path))
            if kind == "nifti":
                return NiftiItem(item)
            if kind == "picture":
                return PictureItem(item)
            if _compressed(path):
                read_image(item)  # decoders are only let near streams that were looked at
            return DicomItem(item)
        except (UnreadableItem, OSError, ValueError, TypeError, KeyError, AttributeError,
                NotImplementedError, RuntimeError, ArithmeticError, IndexError):  # fmt: skip
            return None

    def arrays(self, path: Path) -> dict[str, Any]:
        """Return the arrays of a file."""
        key = (path, path.stat().st_mtime_ns)
        found = self._arrays.pop(key, None)
        # The one asked for last comes last: fresh and training items may take turns.
        self._arrays[key] = arrays_of(path) if found is None else found
        while len(self._arrays) > KEPT:
            del self._arrays[next(iter(self._arrays))]
        return self._arrays[key]


def facts_of(item: Item, opener: Opener) -> Facts:
    """Return what can be done with an item."""
    path = item.paths[0]
    kind = kind_of(path)
    readers = {"dicom": _dicom, "nifti": _nifti, "picture": _picture}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _stack(item, opener) if kind == "stack" else readers[kind](item)
    except Exception:  # broken headers fail in many ways; nothing is planted in these
        return Facts(kind, labelling=False, whole=item.part in ("", "series"), **UNKNOWN)


def _compressed(path: Path) -> bool:
    import pydicom

    with quiet():
        found = pydicom.dcmread(path, force=True, specific_tags=["Rows"], stop_before_pixels=True)
        syntax = getattr(found, "file_meta", {}).get("TransferSyntaxUID")
    return bool(syntax is not None and syntax.is_encapsulated)


def _dicom(item: Item) -> Facts:
    head = dicom.header(item.paths[0])
    frames = int(head.get("NumberOfFrames", 1) or 1)
    return Facts(
        "dicom",
        editable=grey_or_rgb(head),
        hu=head.get("Modality") == "CT" and (head.get("RescaleType") or "HU") == "HU",
        side=min(int(head.get("Rows", 0) or 0), int(head.get("Columns", 0) or 0)),
        slices=max(frames, len(item.paths)),
        files=len(item.paths),
        iod=dicom_tables.iod_of(str(head.get("SOPClassUID", ""))) or "",
        frames="PerFrameFunctionalGroupsSequence" in head,
        colour=int(head.get("SamplesPerPixel", 1) or 1) > 1,
        bits=int(head.get("BitsAllocated", 0) or 0),
    )


def _nifti(item: Item) -> Facts:
    import nibabel as nib
    from nibabel.imageglobals import LoggingOutputSuppressor

    with LoggingOutputSuppressor():
        loaded: Any = nib.load(item.paths[0])
    shape = tuple(int(s) for s in loaded.shape[:3])
    kind = loaded.get_data_dtype()
    return Facts(
        "nifti",
        editable=kind.kind in "iuf" and isinstance(loaded, nib.Nifti1Image),
        floating=kind.kind == "f",
        side=min(shape[:2]),
        slices=shape[2] if len(shape) > 2 else 1,
        bits=8 * kind.itemsize,
    )


def _picture(item: Item) -> Facts:
    from PIL import Image as Picture

    with Picture.open(item.paths[0]) as picture:
        mode, size = picture.mode, picture.size
    suffix = item.paths[0].suffix.lower()
    written = suffix if suffix in FORMATS else ".tif" if mode == "F" else ".png"
    return Facts(
        "picture",
        floating=mode == "F",
        labelling=written in LABELLING,
        side=min(size),
        colour=mode in ("RGB", "P", "RGBA", "CMYK", "YCbCr"),
        bits=16 if mode.startswith("I") else 32 if mode == "F" else 8,
    )


def _stack(item: Item, opener: Opener) -> Facts:
    opened = opener(item)
    assert isinstance(opened, StackItem)
    assert opened.values is not None
    kind: np.dtype[Any] = opened.values.dtype
    return Facts(
        "stack",
        floating=kind.kind == "f",
        labelling=opened.suffix == ".npz",
        side=min(opened.values.shape[-2:]),
        slices=opened.values.shape[0] if opened.values.ndim == 3 and opened.axis is None else 1,
        colour=opened.axis is not None and opened.values.shape[0] == 3,
        bits=8 * kind.itemsize,
        whole=opened.one,
    )
