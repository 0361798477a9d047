"""DICOM files and series through pydicom: rescaled, oriented, frames and slices in order."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import UnreadableItem
from sdq_imaging.formats.checks import finite, limit, nothing_read
from sdq_imaging.formats.picture import luminance
from sdq_imaging.image import Image
from sdq_imaging.rules import finding

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["SUFFIXES", "SliceFacts", "header", "is_dicom", "read", "slice_facts"]

SUFFIXES = (".dcm", ".dicom", ".ima")

KEPT = (
    "Modality", "Manufacturer", "ManufacturerModelName", "SOPClassUID", "Rows", "Columns",
    "NumberOfFrames", "BitsAllocated", "BitsStored", "PixelRepresentation",
    "PhotometricInterpretation", "SamplesPerPixel", "PixelSpacing", "ImagerPixelSpacing",
    "SliceThickness", "SpacingBetweenSlices", "KVP", "ImageType", "BodyPartExamined",
    "ViewPosition", "Laterality", "PatientSex", "PatientAge", "SoftwareVersions",
    "WindowCenter", "WindowWidth", "RescaleSlope", "RescaleIntercept", "RescaleType",
    "BurnedInAnnotation", "PatientIdentityRemoved", "LossyImageCompression",
)  # fmt: skip
"""Attributes whose values are kept: none of them identifies a person."""

HASHED = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "PatientID")
"""Attributes of which only a SHA-256 is kept, for comparing cohorts."""

HU_RANGE = (-1024.0, 3071.0)


class SliceFacts:
    """What decides whether files form a volume.

    Parameters
    ----------
    dataset : Dataset
        Header.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.series = str(dataset.get("SeriesInstanceUID", ""))
        self.frames = int(dataset.get("NumberOfFrames", 1) or 1)
        self.size = (int(dataset.get("Rows", 0) or 0), int(dataset.get("Columns", 0) or 0))
        position = dataset.get("ImagePositionPatient")
        orientation = dataset.get("ImageOrientationPatient")
        self.position = _numbers(position, 3)
        self.orientation = _numbers(orientation, 6)

    @property
    def depth(self) -> float | None:
        """Position along the slice normal, in millimetres."""
        if self.position is None or self.orientation is None:
            return None
        normal = np.cross(self.orientation[:3], self.orientation[3:])
        return float(normal @ self.position)


def is_dicom(path: Path) -> bool:
    """Return whether a file has the DICOM preamble, or begins as a bare data set does."""
    try:
        with path.open("rb") as file:
            head = file.read(140)
    except OSError:
        return False
    if head[128:132] == b"DICM":
        return True
    # Without preamble a data set starts with group 0002 or 0008, little endian, a known VR or a
    # short implicit length.
    group = head[:4]
    return group in (b"\x08\x00\x05\x00", b"\x08\x00\x08\x00", b"\x08\x00\x16\x00") or group == (
        b"\x02\x00\x00\x00"
    )


def header(path: Path) -> Dataset:
    """Read a header without pixel data.

    Raises
    ------
    UnreadableItem
    """
    return _dataset(path, stop_before_pixels=True)


def slice_facts(path: Path) -> SliceFacts | None:
    """Return what decides whether a file is a slice of a volume; None where it cannot be read."""
    try:
        return SliceFacts(header(path))
    except (UnreadableItem, ValueError, TypeError):
        return None


def read(paths: Sequence[Path], max_pixels: int) -> Image:
    """Read one DICOM file, or the files of a series as a volume.

    Parameters
    ----------
    paths : sequence of Path
        In slice order.
    max_pixels : int

    Returns
    -------
    Image
        Hounsfield units for CT, else values after the modality transform; MONOCHROME1 inverted.

    Raises
    ------
    UnreadableItem
    """
    first = header(paths[0])
    limit(_declared_pixels(first) * len(paths), max_pixels)
    read_slices = [_pixels(path, max_pixels) for path in paths]
    slices = [pixels for pixels, _, _ in read_slices]
    colour = read_slices[0][1] if len(paths) == 1 else None
    found = []
    if len({s.shape for s in slices}) > 1:
        raise UnreadableItem(
            "imaging.structure.unsupported",
            "the slices of the series differ in size; give each series its own folder",
        )
    values = slices[0] if len(slices) == 1 else np.stack(slices)
    finite(values)
    if values.min() == values.max():
        found.append(finding("constant"))
    return Image(
        values,
        "dicom",
        unit="HU" if _is_hu(first) else "stored",
        nominal_range=_nominal(first),
        spacing=_spacing(first, paths, values.ndim),
        colour=colour,
        metadata=_metadata(first, len(paths)) | read_slices[0][2],
        findings=tuple(found),
        dataset=first,
    )


def _dataset(path: Path, *, stop_before_pixels: bool) -> Dataset:
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd values are found by the DICOM rules
            found = pydicom.dcmread(
                path, force=is_dicom(path), stop_before_pixels=stop_before_pixels
            )
            list(found)  # elements are parsed lazily: meet the broken ones here
            return found
    except InvalidDicomError as error:
        raise nothing_read(path) from error
    except Exception as error:  # a broken file may fail anywhere in the parser
        if path.is_file() and path.stat().st_size == 0:
            raise nothing_read(path) from error
        raise UnreadableItem(
            "imaging.structure.truncated",
            f"the DICOM data set cannot be parsed ({type(error).__name__}); write it again",
        ) from error


def _declared_pixels(dataset: Dataset) -> int:
    try:
        return (
            int(dataset.get("Rows", 0) or 0)
            * int(dataset.get("Columns", 0) or 0)
            * max(int(dataset.get("NumberOfFrames", 1) or 1), 1)
        )
    except (TypeError, ValueError):
        return 0


def _pixels(
    path: Path, max_pixels: int
) -> tuple[NDArray[np.float32], NDArray[np.uint8] | None, dict[str, str]]:
    """Return pixels, colours of a single frame, and the length of native pixel data."""
    from pydicom.pixels.processing import apply_color_lut, apply_modality_lut

    dataset = _dataset(path, stop_before_pixels=False)
    if "EncryptedAttributesSequence" in dataset and "PixelData" not in dataset:
        raise UnreadableItem(
            "imaging.structure.encrypted", "the pixel data are encrypted; give them decrypted"
        )
    if not any(k in dataset for k in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        image = "Rows" in dataset or "Columns" in dataset
        raise UnreadableItem(
            "imaging.structure.no_pixel_data" if image else "imaging.structure.not_an_image",
            "the object has no pixel data; remove it or give the image",
        )
    limit(_declared_pixels(dataset), max_pixels)
    length: dict[str, str] = {}
    syntax = getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", None)
    if "PixelData" in dataset and syntax is not None and not syntax.is_compressed:
        length["PixelDataLength"] = str(len(dataset.PixelData))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            stored = dataset.pixel_array
            interpretation = str(dataset.get("PhotometricInterpretation", "MONOCHROME2"))
            if interpretation == "PALETTE COLOR":
                stored = apply_color_lut(stored, dataset)
                if stored.dtype != np.uint8:
                    stored = (stored >> 8).astype(np.uint8)
            if (
                stored.ndim >= 3
                and stored.shape[-1] in (3, 4)
                and (
                    int(dataset.get("SamplesPerPixel", 1)) > 1 or interpretation == "PALETTE COLOR"
                )
            ):
                return *_colour(stored, dataset), length
            values = _rescaled(stored, dataset, apply_modality_lut)
    except UnreadableItem:
        raise
    except Exception as error:  # codecs fail in their own ways
        raise _undecodable(dataset, error) from error
    if interpretation == "MONOCHROME1":
        values = values.max() + values.min() - values
    return np.ascontiguousarray(values, dtype=np.float32), None, length


def _colour(
    stored: NDArray[Any], dataset: Dataset
) -> tuple[NDArray[np.float32], NDArray[np.uint8] | None]:
    """Luminance, and the colours themselves for a single 8-bit frame."""
    from pydicom.pixels.processing import convert_color_space

    rgb = stored[..., :3]
    bits = int(dataset.get("BitsStored", 8))
    encoded = str(dataset.PhotometricInterpretation).startswith("YBR_FULL") and bits == 8
    # Compressed transfer syntaxes come out of the decoder as RGB already.
    if encoded and not dataset.file_meta.TransferSyntaxUID.is_compressed:
        rgb = convert_color_space(rgb, "YBR_FULL", "RGB")
    if bits > 8:
        rgb = (rgb >> (bits - 8)).astype(np.uint8)
    rgb = np.ascontiguousarray(rgb.astype(np.uint8))
    return luminance(rgb), rgb if rgb.ndim == 3 else None


def _rescaled(stored: NDArray[Any], dataset: Dataset, apply_modality_lut: Any) -> NDArray[Any]:
    """Apply the modality transform, per frame where functional groups hold it."""
    shared = dataset.get("SharedFunctionalGroupsSequence")
    frames = dataset.get("PerFrameFunctionalGroupsSequence")
    if shared or frames:
        values = stored.astype(np.float32)
        many = values if values.ndim == 3 else values[None]
        for k in range(len(many)):
            groups = [*(shared or ()), *(() if not frames or k >= len(frames) else [frames[k]])]
            for group in groups:
                for step in group.get("PixelValueTransformationSequence", ()):
                    slope = float(step.get("RescaleSlope", 1) or 1)
                    many[k] = many[k] * slope + float(step.get("RescaleIntercept", 0) or 0)
        return many if values.ndim == 3 else many[0]
    return np.asarray(apply_modality_lut(stored, dataset))


def _undecodable(dataset: Dataset, error: Exception) -> UnreadableItem:
    """Tell a missing codec from pixels that end too early."""
    text = str(error).lower()
    if "unable to decode" in text or "plugin" in text or "no available" in text:
        syntax = getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", "")
        name = getattr(syntax, "name", "unknown")
        if "missing dependencies" in text or "plugins are" in text:
            return UnreadableItem(
                "imaging.structure.unsupported",
                f"no decoder for transfer syntax {name}; install 'sdq[imaging]' whole",
            )
    return UnreadableItem(
        "imaging.structure.truncated",
        f"the pixel data cannot be decoded ({type(error).__name__}); write them again",
    )


def _is_hu(dataset: Dataset) -> bool:
    kind = str(dataset.get("RescaleType", "HU") or "HU")
    return dataset.get("Modality") == "CT" and kind in ("HU", "US") and kind != "US"


def _nominal(dataset: Dataset) -> tuple[float, float] | None:
    if _is_hu(dataset):
        return HU_RANGE
    rescaled = float(dataset.get("RescaleSlope", 1) or 1) != 1 or float(
        dataset.get("RescaleIntercept", 0) or 0
    )
    if int(dataset.get("BitsStored", 0) or 0) == 8 and not rescaled:
        return (0.0, 255.0)
    return None


def _spacing(dataset: Dataset, paths: Sequence[Path], ndim: int) -> tuple[float, ...] | None:
    measures = _measures(dataset)
    plane = _numbers(
        measures.get("PixelSpacing")
        or dataset.get("PixelSpacing")
        or dataset.get("ImagerPixelSpacing"),
        2,
    )
    if plane is None or not (plane > 0).all():
        return None
    if ndim == 2:
        return (float(plane[0]), float(plane[1]))
    step: float | None = None
    if len(paths) > 1:
        facts = [slice_facts(p) for p in (paths[0], paths[1])]
        depths = [f.depth for f in facts if f is not None and f.depth is not None]
        if len(depths) == 2:
            step = abs(depths[1] - depths[0])
    for key in ("SpacingBetweenSlices", "SliceThickness"):
        if not step:
            found = _numbers([measures.get(key) or dataset.get(key)], 1)
            step = float(found[0]) if found is not None else None
    return (step, float(plane[0]), float(plane[1])) if step and step > 0 else None


def _measures(dataset: Dataset) -> Any:
    """Pixel measures of a multi-frame object, shared or of its first frame."""
    for key in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        groups = dataset.get(key)
        if groups and groups[0].get("PixelMeasuresSequence"):
            return groups[0].PixelMeasuresSequence[0]
    return {}


def _metadata(dataset: Dataset, files: int) -> dict[str, str]:
    found: dict[str, str] = {}
    for key in KEPT:
        value = dataset.get(key)
        if value not in (None, ""):
            text = "\\".join(str(v) for v in value) if _is_many(value) else str(value)
            found[key] = text[:200]
    for key in HASHED:
        value = str(dataset.get(key, "") or "")
        if value:
            found[f"sha256:{key}"] = hashlib.sha256(value.encode()).hexdigest()
    syntax = getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", None)
    if syntax:
        found["TransferSyntaxUID"] = str(syntax)
    if files > 1:
        found["Files"] = str(files)
    return found


def _is_many(value: Any) -> bool:
    from pydicom.multival import MultiValue

    return isinstance(value, MultiValue | list | tuple)


def _numbers(value: Any, length: int) -> NDArray[np.float64] | None:
    try:
        found = np.array([float(v) for v in value], dtype=np.float64)
    except (TypeError, ValueError):
        return None
    return found if len(found) == length and np.isfinite(found).all() else None
