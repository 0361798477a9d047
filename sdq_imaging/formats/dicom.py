"""DICOM files and series through pydicom: rescaled, oriented, frames and slices in order."""

from __future__ import annotations

import hashlib
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sdq_core.dicom.files import is_dicom
from sdq_core.errors import UnreadableItem
from sdq_imaging.formats.checks import finite, limit, nothing_read
from sdq_imaging.formats.codestream import frame_size
from sdq_imaging.formats.picture import luminance
from sdq_imaging.image import Image
from sdq_imaging.rules import finding

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.uid import UID

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

DECODERS = {
    "1.2.840.10008.1.2.4.50": "pillow", "1.2.840.10008.1.2.4.51": "pillow",
    "1.2.840.10008.1.2.4.80": "pyjpegls", "1.2.840.10008.1.2.4.81": "pyjpegls",
    "1.2.840.10008.1.2.4.90": "pylibjpeg", "1.2.840.10008.1.2.4.91": "pylibjpeg",
}  # fmt: skip
"""Transfer syntax -> decoder taken first: GDCM, pydicom's first choice, dies of broken streams."""

DEFLATED = "1.2.840.10008.1.2.1.99"
LARGEST_DEFLATED = 2**31
"""Most bytes that a deflated data set may have when it is inflated."""

UNEVEN = 0.1
"""Greatest deviation of a slice distance from the median one, relative to it."""


class _Decoded(NamedTuple):
    """Pixels of one file; colours of a single frame; length and range of what is stored; depths."""

    values: NDArray[np.float32]
    colour: NDArray[np.uint8] | None
    length: dict[str, str]
    depths: NDArray[np.float64] | None


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
        return _depth(self.orientation, self.position)


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
    files = [_pixels(path, max_pixels) for path in paths]
    slices = [file.values for file in files]
    found = []
    if len({s.shape for s in slices}) > 1:
        raise UnreadableItem(
            "imaging.structure.unsupported",
            "the slices of the series differ in size; give each series its own folder",
        )
    values = slices[0] if len(slices) == 1 else np.stack(slices)
    finite(values)
    depths = files[0].depths
    if len(files) > 1:
        known = [file.depths for file in files if file.depths is not None]
        depths = np.concatenate(known) if len(known) == len(files) else None
    spacing, even = _spacing(first, depths, values.ndim)
    if not even:
        found.append(finding("uneven_slices"))
    if values.min() == values.max():
        found.append(finding("constant"))
    return Image(
        values,
        "dicom",
        unit="HU" if _is_hu(first) else "stored",
        nominal_range=_nominal(first),
        spacing=spacing,
        colour=files[0].colour if len(files) == 1 else None,
        metadata=_metadata(first, len(paths)) | files[0].length,
        findings=tuple(found),
        dataset=first,
    )


def _dataset(path: Path, *, stop_before_pixels: bool) -> Dataset:
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd values are found by the DICOM rules
            _refuse_deflated_bomb(path)
            found = pydicom.dcmread(
                path, force=is_dicom(path), stop_before_pixels=stop_before_pixels
            )
            list(found)  # elements are parsed lazily: meet the broken ones here
            return found
    except UnreadableItem:
        raise
    except InvalidDicomError as error:
        raise nothing_read(path) from error
    except Exception as error:  # a broken file may fail anywhere in the parser
        if path.is_file() and path.stat().st_size == 0:
            raise nothing_read(path) from error
        raise UnreadableItem(
            "imaging.structure.truncated",
            f"the DICOM data set cannot be parsed ({type(error).__name__}); write it again",
        ) from error


def _refuse_deflated_bomb(path: Path) -> None:
    """Inflate a deflated data set piece by piece: pydicom would do it at once, of any size."""
    from pydicom.filereader import read_file_meta_info

    with path.open("rb") as file:
        if DEFLATED.encode() not in file.read(1024):
            return
        meta = read_file_meta_info(path)
        file.seek(132 + 12 + int(meta.FileMetaInformationGroupLength))
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        length = 0
        while piece := inflate.unconsumed_tail or file.read(2**16):
            length += len(inflate.decompress(piece, 2**20))
            if length > LARGEST_DEFLATED:
                raise UnreadableItem(
                    "imaging.structure.decompression_bomb",
                    f"the deflated data set has more than {LARGEST_DEFLATED:,} bytes; write it "
                    f"again without deflation",
                )


def _declared_pixels(dataset: Dataset) -> int:
    try:
        return (
            int(dataset.get("Rows", 0) or 0)
            * int(dataset.get("Columns", 0) or 0)
            * max(int(dataset.get("NumberOfFrames", 1) or 1), 1)
        )
    except (TypeError, ValueError):
        return 0


def _pixels(path: Path, max_pixels: int) -> _Decoded:
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
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            syntax = _transfer_syntax(dataset)
            if "PixelData" in dataset and not syntax.is_compressed:
                length["PixelDataLength"] = str(len(dataset.PixelData))
            stored = _decoded(dataset, syntax)
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
                return _Decoded(*_colour(stored, dataset), length, None)
            if stored.dtype.kind in "iu" and stored.size:
                length["StoredPixelRange"] = f"{stored.min()}\\{stored.max()}"
            if interpretation == "MONOCHROME1" and not _is_hu(dataset):
                stored = _inverted(stored, dataset)
            values = _rescaled(stored, dataset, apply_modality_lut).astype(np.float32)
            depths = _frame_depths(dataset) if values.ndim == 3 else None
            if depths is not None:
                order = np.argsort(depths, kind="stable")
                values, depths = values[order], depths[order]
            elif values.ndim == 2:
                depth = SliceFacts(dataset).depth
                depths = None if depth is None else np.array([depth])
    except UnreadableItem:
        raise
    except Exception as error:  # codecs fail in their own ways
        raise _undecodable(dataset, error) from error
    return _Decoded(np.ascontiguousarray(values), None, length, depths)


def _transfer_syntax(dataset: Dataset) -> UID:
    """Return the transfer syntax; of a bare data set, the one as which it was parsed."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    if not hasattr(dataset, "file_meta"):
        dataset.file_meta = FileMetaDataset()
    if not dataset.file_meta.get("TransferSyntaxUID"):
        implicit, little = dataset.original_encoding
        explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit
    found: UID = dataset.file_meta.TransferSyntaxUID
    return found


def _decoded(dataset: Dataset, syntax: UID) -> NDArray[Any]:
    """Decode the pixels; colour comes as RGB. Compressed frames are looked at first."""
    from pydicom.encaps import generate_frames
    from pydicom.pixels.decoders.base import get_decoder

    if syntax.is_encapsulated and "JPEG" in syntax.name:
        size = (int(dataset.Rows), int(dataset.Columns), int(dataset.get("SamplesPerPixel", 1)))
        frames = int(dataset.get("NumberOfFrames", 1) or 1)
        for frame in generate_frames(dataset.PixelData, number_of_frames=frames):
            declared = frame_size(frame)
            bits = int(dataset.BitsAllocated)
            if declared is None or declared[:3] != size or not 1 < declared.bits <= bits:
                raise UnreadableItem(
                    "imaging.structure.truncated",
                    "a compressed frame is broken, or of another size than the header says; write "
                    "it again",
                )
        first = DECODERS.get(str(syntax), "")
        if first in get_decoder(syntax).available_plugins:
            dataset.pixel_array_options(decoding_plugin=first)
    return np.asarray(dataset.pixel_array)


def _inverted(stored: NDArray[Any], dataset: Dataset) -> NDArray[Any]:
    """Invert about the range of the stored values, the same one for all images of a device."""
    if "ModalityLUTSequence" in dataset or stored.dtype.kind == "f":
        ends = stored.max() + stored.min()
    else:
        signed = int(dataset.get("PixelRepresentation", 0)) == 1
        ends = -1 if signed else 2 ** int(dataset.BitsStored) - 1
        stored = stored.astype(np.int64)
    inverted: NDArray[Any] = ends - stored
    return inverted


def _colour(
    stored: NDArray[Any], dataset: Dataset
) -> tuple[NDArray[np.float32], NDArray[np.uint8] | None]:
    """Luminance, and the colours themselves, in 8 bit, for a single frame."""
    rgb = stored[..., :3]
    bits = int(dataset.get("BitsStored", 8))
    if rgb.dtype != np.uint8 and bits > 8:
        rgb = rgb >> (bits - 8)
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
    meta = getattr(dataset, "file_meta", {})
    name = getattr(meta.get("TransferSyntaxUID"), "name", "unknown")
    if "missing dependencies" in text or "plugins are" in text:
        return UnreadableItem(
            "imaging.structure.unsupported",
            f"no decoder for transfer syntax {name}; install 'sdq[imaging]' whole",
        )
    if "does not support" in text or isinstance(error, NotImplementedError):
        return UnreadableItem(
            "imaging.structure.unsupported",
            f"no decoder for this kind of {name}; write it in another transfer syntax",
        )
    return UnreadableItem(
        "imaging.structure.truncated",
        f"the pixel data cannot be decoded ({type(error).__name__}); write them again",
    )


def _is_hu(dataset: Dataset) -> bool:
    return dataset.get("Modality") == "CT" and (dataset.get("RescaleType") or "HU") == "HU"


def _nominal(dataset: Dataset) -> tuple[float, float] | None:
    if _is_hu(dataset):
        return HU_RANGE
    rescaled = float(dataset.get("RescaleSlope", 1) or 1) != 1 or float(
        dataset.get("RescaleIntercept", 0) or 0
    )
    if int(dataset.get("BitsStored", 0) or 0) == 8 and not rescaled:
        return (0.0, 255.0)
    return None


def _spacing(
    dataset: Dataset, depths: NDArray[np.float64] | None, ndim: int
) -> tuple[tuple[float, ...] | None, bool]:
    """Return the spacing, and whether slices lie at even distances; depths are ascending."""
    measures = _measures(dataset)
    plane = _numbers(
        measures.get("PixelSpacing")
        or dataset.get("PixelSpacing")
        or dataset.get("ImagerPixelSpacing"),
        2,
    )
    step, even = 0.0, True
    if ndim == 3 and depths is not None:
        steps = np.diff(depths)
        step = float(np.median(steps))
        even = bool(np.abs(steps - step).max() <= UNEVEN * step)
    if plane is None or not (plane > 0).all():
        return None, even
    if ndim == 2:
        return (float(plane[0]), float(plane[1])), even
    for key in ("SpacingBetweenSlices", "SliceThickness"):
        found = _numbers([measures.get(key) or dataset.get(key)], 1)
        if not step and found is not None:
            step = abs(float(found[0]))
    return ((step, float(plane[0]), float(plane[1])) if step > 0 else None), even


def _frame_depths(dataset: Dataset) -> NDArray[np.float64] | None:
    """Return the depth of each frame of an enhanced object; None where two share one."""
    shared = dataset.get("SharedFunctionalGroupsSequence") or [{}]
    found = []
    for groups in dataset.get("PerFrameFunctionalGroupsSequence") or ():
        plane = groups.get("PlaneOrientationSequence") or shared[0].get("PlaneOrientationSequence")
        place = groups.get("PlanePositionSequence")
        orientation = _numbers(plane[0].get("ImageOrientationPatient"), 6) if plane else None
        position = _numbers(place[0].get("ImagePositionPatient"), 3) if place else None
        depth = _depth(orientation, position)
        if depth is None:
            return None
        found.append(depth)
    enough = len(found) > 1 and len(found) == dataset.get("NumberOfFrames")
    return np.array(found) if enough and np.diff(np.sort(found)).min() > 1e-3 else None


def _depth(
    orientation: NDArray[np.float64] | None, position: NDArray[np.float64] | None
) -> float | None:
    """Position along the slice normal, in millimetres."""
    if position is None or orientation is None:
        return None
    return float(np.cross(orientation[:3], orientation[3:]) @ position)


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
