"""The one form in which pixels travel through the imaging wing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from sdq_core.finding import Finding

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["Image"]


@dataclass(frozen=True, slots=True)
class Image:
    """One image or volume, read, in physical units where the format has them.

    Parameters
    ----------
    pixels : ndarray, shape (y, x) or (z, y, x), float32
        Finite. Colour is reduced to luminance (ITU-R BT.601); MONOCHROME1 is inverted; DICOM
        rescale and NIfTI scaling are applied; volumes are in canonical order (z ascending).
    kind : {"dicom", "nifti", "picture", "array"}
    unit : {"HU", "stored"}
        Hounsfield units, or the stored values after the format's own scaling.
    nominal_range : tuple of float or None
        Range that the format or unit prescribes: (0, 255) for 8 bit, (-1024, 3071) for HU; None
        for arbitrary units.
    spacing : tuple of float or None
        Millimetres, one for each axis of `pixels`; None when the format does not say.
    colour : ndarray, shape (y, x, 3), uint8, or None
    mask : ndarray of the shape of `pixels`, uint8, or None
        Region labels, 0 outside.
    metadata : mapping of str to str
        Header values that comparisons use; no identifying values.
    findings : tuple of Finding
        What reading noticed without failing.
    dataset : pydicom.Dataset or None
        The header (first file of a series) without pixel data, for the DICOM rules.
    grid : ndarray, shape (4, 4), or None
        Index (column, row, slice, 1) -> right, anterior, superior in millimetres; None where the
        format does not say, or the header says it.
    """

    pixels: NDArray[np.float32]
    kind: Literal["dicom", "nifti", "picture", "array"]
    unit: Literal["HU", "stored"] = "stored"
    nominal_range: tuple[float, float] | None = None
    spacing: tuple[float, ...] | None = None
    colour: NDArray[np.uint8] | None = None
    mask: NDArray[np.uint8] | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    dataset: Dataset | None = None
    grid: NDArray[np.float64] | None = None
