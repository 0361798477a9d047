"""DICOM objects opened for writing them anew: one file, or the slices of a series."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.description import Item
from sdq_imaging.formats.dicom import DECODERS, is_dicom
from sdq_imaging.planting.dicom_synthetic import made_synthetic
from sdq_imaging.planting.editable import Declaration, Editable

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["DicomItem", "grey_or_rgb", "quiet"]

GREY: Final = ("MONOCHROME1", "MONOCHROME2")
BITS: Final = (8, 16, 32)


class DicomItem(Editable):
    """The objects of one item, decompressed; slices in the order of the item.

    Parameters
    ----------
    item : Item

    Attributes
    ----------
    objects : list of pydicom.Dataset
        With pixel data. Rules are broken in these.
    suffix : str
        Of the files.
    """

    def __init__(self, item: Item) -> None:
        self.item = item
        self.suffix = ".dcm"
        with quiet():
            self.objects = [_opened(path) for path in item.paths]
            planes = [_stored(d) for d in self.objects]
        known = [p for p in planes if p is not None]
        if len(known) == len(planes) and len({p.shape for p in known}) == 1:
            colour = int(self.objects[0].SamplesPerPixel) == 3
            first = known[0]
            if len(known) == 1:
                self.values = np.moveaxis(first, -1, 0).copy() if colour else first.copy()
            elif not colour and first.ndim == 2:
                self.values = np.stack(known)
            self.limits = _limits(self.objects[0])
        self._before = None if self.values is None else self.values.copy()

    def declare(self, declaration: Declaration) -> None:
        """Give every object new identifiers and the declarations of a synthetic one."""
        with quiet():
            for dataset in self.objects:
                made_synthetic(dataset, declaration)

    def save(self, folder: Path, stem: str) -> Path:
        """Write a file, or a folder with a file for each slice."""
        with quiet():
            self._store()
            if len(self.objects) == 1:
                target = folder / f"{stem}{self.suffix}"
                _save(self.objects[0], target)
                return target
            for number, dataset in enumerate(self.objects, 1):
                _save(dataset, folder / stem / f"{number:04d}.dcm")
        return folder / stem

    def keep(self) -> None:
        """Put changed values into the objects now: from here on these alone count."""
        with quiet():
            self._store()
        self.values = None

    def _store(self) -> None:
        """Put changed values back into the objects."""
        if self.values is None or (
            self._before is not None and np.array_equal(self.values, self._before, equal_nan=True)
        ):
            return
        colour = int(self.objects[0].SamplesPerPixel) == 3
        if len(self.objects) == 1:
            planes: list[NDArray[Any]] = [
                np.moveaxis(self.values, 0, -1) if colour else self.values
            ]
        else:
            planes = list(self.values)
        for dataset, plane in zip(self.objects, planes, strict=True):
            if colour:
                dataset.PlanarConfiguration = 0
            content = np.ascontiguousarray(plane).astype(plane.dtype.newbyteorder("<")).tobytes()
            dataset.PixelData = content + bytes(len(content) % 2)
            dataset["PixelData"].VR = "OB" if plane.dtype.itemsize == 1 else "OW"


@contextmanager
def quiet() -> Iterator[None]:
    """Write what is meant to be wrong, and keep what was: pydicom would warn or refuse."""
    from pydicom import config

    before = config.settings.writing_validation_mode
    config.settings.writing_validation_mode = config.IGNORE
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        config.settings.writing_validation_mode = before


def grey_or_rgb(dataset: Dataset) -> bool:
    """Return whether the pixels of an object are numbers that can be changed and written back."""
    samples = int(dataset.get("SamplesPerPixel", 0) or 0)
    bits = int(dataset.get("BitsAllocated", 0) or 0)
    frames = int(dataset.get("NumberOfFrames", 1) or 1)
    photometric = str(dataset.get("PhotometricInterpretation", ""))
    if samples == 1:
        return photometric in GREY and bits in BITS
    return samples == 3 and bits == 8 and frames == 1 and not photometric.startswith("HSV")


def _opened(path: Path) -> Dataset:
    import pydicom
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    dataset = pydicom.dcmread(path, force=is_dicom(path))
    if not hasattr(dataset, "file_meta"):
        dataset.file_meta = FileMetaDataset()
    meta = dataset.file_meta
    if not meta.get("TransferSyntaxUID"):
        implicit, little = dataset.original_encoding
        explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit
    syntax = meta.TransferSyntaxUID
    if syntax.is_encapsulated:
        dataset.decompress(
            as_rgb=True, generate_instance_uid=False, decoding_plugin=DECODERS.get(str(syntax), "")
        )
    elif syntax == ExplicitVRBigEndian or syntax.is_deflated:
        return _swapped(dataset)
    return dataset


def _swapped(dataset: Dataset) -> Dataset:
    """Return an object in little endian without deflation, its pixels included."""
    from pydicom.dataset import Dataset as Bare
    from pydicom.uid import ExplicitVRLittleEndian

    little = dataset.original_encoding[1]
    made = Bare()
    for element in dataset:  # converted while their own encoding is known
        made.add(element)
    made.file_meta = dataset.file_meta
    dataset = made
    if not little and "PixelData" in dataset and int(dataset.BitsAllocated) > 8:
        kind = f">u{int(dataset.BitsAllocated) // 8}"
        content = np.frombuffer(dataset.PixelData, kind)
        dataset.PixelData = content.astype(content.dtype.newbyteorder("<")).tobytes()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return dataset


def _stored(dataset: Dataset) -> NDArray[Any] | None:
    """Return the stored values, shape (y, x), (z, y, x) or (y, x, 3), where they can be changed."""
    if "PixelData" not in dataset or not grey_or_rgb(dataset):
        return None
    if int(dataset.SamplesPerPixel) == 3 and str(dataset.PhotometricInterpretation) != "RGB":
        from pydicom.pixels.processing import convert_color_space

        colours = str(dataset.PhotometricInterpretation)
        values = convert_color_space(np.asarray(dataset.pixel_array), colours, "RGB")
        dataset.PhotometricInterpretation, dataset.PlanarConfiguration = "RGB", 0
        dataset.PixelData = np.ascontiguousarray(values).tobytes()
        return np.asarray(values)
    return np.asarray(dataset.pixel_array)


def _limits(dataset: Dataset) -> tuple[float, float]:
    bits = int(dataset.get("BitsStored", 0) or dataset.BitsAllocated)
    if int(dataset.get("PixelRepresentation", 0) or 0):
        return -(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1
    return 0.0, 2.0**bits - 1


def _save(dataset: Dataset, target: Path) -> None:
    from pydicom.uid import PYDICOM_IMPLEMENTATION_UID

    target.parent.mkdir(parents=True, exist_ok=True)
    meta = dataset.file_meta
    for name in ("Class", "Instance"):
        inner = str(dataset.get(f"SOP{name}UID", "") or "")
        if inner and not meta.get(f"MediaStorageSOP{name}UID"):
            setattr(meta, f"MediaStorageSOP{name}UID", inner)
        elif not meta.get(f"MediaStorageSOP{name}UID"):
            setattr(meta, f"MediaStorageSOP{name}UID", "2.25.0")
    meta.ImplementationClassUID = PYDICOM_IMPLEMENTATION_UID
    meta.FileMetaInformationVersion = b"\0\1"
    meta.FileMetaInformationGroupLength = 0  # counted on writing
    dataset.preamble = bytes(128)
    syntax = meta.TransferSyntaxUID
    dataset.save_as(
        target,
        implicit_vr=bool(syntax.is_implicit_VR),
        little_endian=True,
        enforce_file_format=False,  # it would make UIDs equal that are meant to differ
    )
