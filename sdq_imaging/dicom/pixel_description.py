"""The Image Pixel module against itself and the pixel data (DICOM PS3.3 C.7.6.3, PS3.5 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sdq_core.dicom.elements import attribute_name, is_empty, number, numbers, text
from sdq_core.finding import Finding
from sdq_core.vocabulary import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom import Dataset

__all__ = ["expected_pixel_bytes", "pixel_description_faults"]

SAMPLES = {
    "MONOCHROME1": 1,
    "MONOCHROME2": 1,
    "PALETTE COLOR": 1,
    "RGB": 3,
    "YBR_FULL": 3,
    "YBR_FULL_422": 3,
    "YBR_PARTIAL_422": 3,
    "YBR_PARTIAL_420": 3,
    "YBR_ICT": 3,
    "YBR_RCT": 3,
    "XYB": 3,
    "HSV": 3,
    "ARGB": 4,
    "CMYK": 4,
}
"""Samples per pixel of each photometric interpretation (PS3.3 C.7.6.3.1.2), retired ones too."""

PALETTE = (0x00281101, 0x00281102, 0x00281103)
LOSSY_TRANSFER_SYNTAXES = frozenset({"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"})
"""JPEG baseline and extended; of the others the UID alone does not tell."""


def expected_pixel_bytes(dataset: Dataset) -> int | None:
    """Return the length that native pixel data must have.

    Rows x Columns x Samples per Pixel x Number of Frames x Bits Allocated / 8, rounded up to a byte
    and then to an even length (PS3.5 sections 8.1.1 and 8.2). Native YBR_FULL_422 stores two
    samples a pixel (PS3.3 C.7.6.3.1.2).

    Parameters
    ----------
    dataset : pydicom.Dataset

    Returns
    -------
    int or None
        Bytes; None when an attribute that the length depends on is missing or not positive.

    Examples
    --------
    >>> from pydicom import Dataset
    >>> header = Dataset()
    >>> header.Rows, header.Columns, header.SamplesPerPixel, header.BitsAllocated = 3, 3, 1, 8
    >>> expected_pixel_bytes(header)
    10
    """
    size = _unpadded_bytes(dataset)
    return None if size is None else size + size % 2


def _unpadded_bytes(dataset: Dataset) -> int | None:
    names = ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated")
    factors = [number(dataset, name) for name in names]
    frames = number(dataset, "NumberOfFrames") if "NumberOfFrames" in dataset else 1.0
    if frames is None or frames < 1:
        return None
    known = [int(f) for f in factors if f is not None and f >= 1]
    if len(known) < len(names):
        return None
    rows, columns, samples, bits = known
    if text(dataset, "PhotometricInterpretation").endswith("_422") and samples == 3:
        samples = 2
    return -(-rows * columns * samples * int(frames) * bits // 8)


def pixel_description_faults(
    dataset: Dataset,
    *,
    pixel_bytes: int | None = None,
    pixel_range: tuple[float, float] | None = None,
) -> tuple[Finding, ...]:
    """Find contradictions in the description of the pixels.

    Parameters
    ----------
    dataset : pydicom.Dataset
    pixel_bytes : int, optional
        Length of native (not encapsulated) pixel data in bytes; None when encapsulated or not
        known.
    pixel_range : tuple of float, optional
        Least and greatest stored value, before rescaling.

    Returns
    -------
    tuple of Finding
        ``imaging.structure.pixel_data_length``, ``imaging.structure.zero_size``,
        ``imaging.conformity.bits``, ``imaging.conformity.photometric_interpretation``,
        ``imaging.metadata.type1c_missing``, ``imaging.semantics.pixel_range``,
        ``imaging.semantics.lossy_compression``; errors. ``imaging.semantics.window_range``; a
        warning.

    Examples
    --------
    >>> from pydicom import Dataset
    >>> header = Dataset()
    >>> header.BitsAllocated, header.BitsStored, header.HighBit = 8, 12, 11
    >>> [f.rule for f in pixel_description_faults(header)]
    ['imaging.conformity.bits']
    """
    return (
        *_size(dataset, pixel_bytes),
        *_bits(dataset),
        *_photometric(dataset),
        *_range(dataset, pixel_range),
        *_window(dataset),
        *_compression(dataset),
    )


def _error(rule: str, english: str, chinese: str, where: str) -> Finding:
    return Finding(rule, Severity.ERROR, english, chinese, where)


def _size(dataset: Dataset, pixel_bytes: int | None) -> Iterator[Finding]:
    for name in ("Rows", "Columns", "NumberOfFrames"):
        value = number(dataset, name)
        if value is not None and value < 1:
            yield _error(
                "imaging.structure.zero_size",
                f"{name} must be at least 1 (PS3.3 C.7.6.3); write the size of the image",
                f"{name} 至少为 1（PS3.3 C.7.6.3）；请写入图像的实际大小",
                name,
            )
    size, expected = _unpadded_bytes(dataset), expected_pixel_bytes(dataset)
    # With or without the padding byte: what a program holds before writing may lack it.
    if pixel_bytes is None or expected is None or pixel_bytes in (size, expected):
        return
    yield _error(
        "imaging.structure.pixel_data_length",
        f"pixel data has {pixel_bytes} bytes, but Rows, Columns, SamplesPerPixel, BitsAllocated "
        "and "
        f"NumberOfFrames demand {expected} (PS3.5 section 8); correct the attributes or the data",
        f"像素数据为 {pixel_bytes} 字节，而 Rows、Columns、SamplesPerPixel、BitsAllocated、"
        "NumberOfFrames "
        f"要求 {expected} 字节（PS3.5 第 8 章）；请更正属性或数据",
        "PixelData",
    )


def _bits(dataset: Dataset) -> Iterator[Finding]:
    rule = "imaging.conformity.bits"
    allocated, stored, high = (
        number(dataset, name) for name in ("BitsAllocated", "BitsStored", "HighBit")
    )
    if allocated is not None and allocated != 1 and (allocated < 8 or allocated % 8):
        yield _error(
            rule,
            "BitsAllocated (0028,0100) must be 1 or a multiple of 8 (PS3.5 section 8.1.1); correct "
            "it",
            "BitsAllocated (0028,0100) 必须为 1 或 8 的整数倍（PS3.5 8.1.1）；请更正",
            "BitsAllocated",
        )
    if allocated is not None and stored is not None and not 1 <= stored <= allocated:
        yield _error(
            rule,
            "BitsStored (0028,0101) must lie between 1 and BitsAllocated (PS3.5 section 8.1.1); "
            "correct it",
            "BitsStored (0028,0101) 必须在 1 与 BitsAllocated 之间（PS3.5 8.1.1）；请更正",
            "BitsStored",
        )
    if stored is not None and high is not None and high != stored - 1:
        yield _error(
            rule,
            "HighBit (0028,0102) must be BitsStored minus 1 (PS3.5 section 8.1.1); correct it",
            "HighBit (0028,0102) 必须等于 BitsStored 减 1（PS3.5 8.1.1）；请更正",
            "HighBit",
        )


def _photometric(dataset: Dataset) -> Iterator[Finding]:
    photometric = text(dataset, "PhotometricInterpretation")
    samples = number(dataset, "SamplesPerPixel")
    expected = SAMPLES.get(photometric)
    if photometric and expected is None:
        yield _error(
            "imaging.conformity.photometric_interpretation",
            "PhotometricInterpretation (0028,0004) is not a defined term (PS3.3 C.7.6.3.1.2); use "
            "one",
            "PhotometricInterpretation (0028,0004) 不是定义术语（PS3.3 C.7.6.3.1.2）；"
            "请使用定义术语",
            "PhotometricInterpretation",
        )
    if expected is not None and samples is not None and samples != expected:
        yield _error(
            "imaging.conformity.photometric_interpretation",
            f"SamplesPerPixel (0028,0002) must be {expected} for this PhotometricInterpretation "
            "(PS3.3 C.7.6.3.1.2); correct one of the two",
            f"该 PhotometricInterpretation 要求 SamplesPerPixel (0028,0002) 为 {expected}"
            "（PS3.3 C.7.6.3.1.2）；请更正其一",
            "SamplesPerPixel",
        )
    conditional: tuple[int, ...] = ()
    if samples is not None and samples > 1:
        conditional += (0x00280006,)
    if photometric == "PALETTE COLOR":
        conditional += PALETTE
    for tag in conditional:
        if tag not in dataset or is_empty(dataset, tag):
            name = attribute_name(tag)
            yield _error(
                "imaging.metadata.type1c_missing",
                f"{name} is required for this image (type 1C, PS3.3 C.7.6.3), but has no value; "
                "write it",
                f"该图像必须有 {name}（类型 1C，PS3.3 C.7.6.3），但没有值；请补写",
                name.split(" ")[0],
            )


def _range(dataset: Dataset, pixel_range: tuple[float, float] | None) -> Iterator[Finding]:
    stored, signed = number(dataset, "BitsStored"), number(dataset, "PixelRepresentation")
    if pixel_range is not None and stored is not None and 1 <= stored <= 64 and signed in (0, 1):
        bits = int(stored)
        low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
        if pixel_range[0] < low or pixel_range[1] > high:
            yield _error(
                "imaging.semantics.pixel_range",
                f"stored pixel values leave {low} to {high}, what BitsStored and "
                "PixelRepresentation "
                "allow (PS3.5 section 8.1.1); correct the attributes or the data",
                f"存储的像素值超出 BitsStored 与 PixelRepresentation 允许的范围 {low} 至 {high}"
                "（PS3.5 8.1.1）；请更正属性或数据",
                "PixelData",
            )
    declared = (
        numbers(dataset, "SmallestImagePixelValue"),
        numbers(dataset, "LargestImagePixelValue"),
    )
    if all(declared) and declared[0][0] > declared[1][0]:
        yield _error(
            "imaging.semantics.pixel_range",
            "SmallestImagePixelValue (0028,0106) exceeds LargestImagePixelValue (0028,0107); "
            "correct them",
            "SmallestImagePixelValue (0028,0106) 大于 LargestImagePixelValue (0028,0107)；请更正",
            "SmallestImagePixelValue",
        )


def _window(dataset: Dataset) -> Iterator[Finding]:
    """Judge whether a window shows anything of what the pixels can hold (PS3.3 C.11.2.1.2)."""
    stored, signed = number(dataset, "BitsStored"), number(dataset, "PixelRepresentation")
    centres, widths = numbers(dataset, "WindowCenter"), numbers(dataset, "WindowWidth")
    if stored is None or not 1 <= stored <= 64 or signed not in (0, 1):
        return
    if "ModalityLUTSequence" in dataset or not centres or len(centres) != len(widths):
        return
    slope, intercept = number(dataset, "RescaleSlope"), number(dataset, "RescaleIntercept")
    bits = int(stored)
    ends = (-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1) if signed else (0.0, 2.0**bits - 1)
    shown = [end * (1.0 if slope is None else slope) + (intercept or 0.0) for end in ends]
    for centre, width in zip(centres, widths, strict=True):
        if centre + width / 2 < min(shown) or centre - width / 2 > max(shown):
            yield Finding(
                "imaging.semantics.window_range",
                Severity.WARNING,
                "WindowCenter (0028,1050) and WindowWidth (0028,1051) show none of the values that "
                "BitsStored and the rescale attributes allow (PS3.3 C.11.2.1.2); check them",
                "WindowCenter (0028,1050) 与 WindowWidth (0028,1051) 所示范围与 BitsStored、"
                "Rescale 属性允许的像素值无交集（PS3.3 C.11.2.1.2）；请核对",
                "WindowCenter",
            )
            return


def _compression(dataset: Dataset) -> Iterator[Finding]:
    meta = getattr(dataset, "file_meta", None)
    if meta is None or text(meta, "TransferSyntaxUID") not in LOSSY_TRANSFER_SYNTAXES:
        return
    if text(dataset, "LossyImageCompression") == "00":
        yield _error(
            "imaging.semantics.lossy_compression",
            "LossyImageCompression (0028,2110) denies lossy compression, but the transfer syntax "
            "is "
            "lossy JPEG; write 01 (PS3.3 C.7.6.1.1.5)",
            "LossyImageCompression (0028,2110) 声明未经有损压缩，而传输语法为有损 JPEG；请写 "
            "01（PS3.3 C.7.6.1.1.5）",
            "LossyImageCompression",
        )
