"""The DICOM rules: what the header of one object must say, may not say, and says wrongly.

Works without a network: required attributes come from `sdq_imaging.dicom_tables`, value
representations from pydicom's data dictionary. A header is read once (`sdq_core.dicom.levels`) and
shared by all rules; give `level_of(dataset)` where several of these functions are called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sdq_core.dicom import identifiers as residual
from sdq_core.dicom.levels import Level, level_of
from sdq_core.dicom.synthetic_declaration import synthesis_metadata
from sdq_core.dicom.value_representation import malformed_values
from sdq_core.identifiers import identifiers_in_text
from sdq_imaging.dicom.contradictions import contradictions
from sdq_imaging.dicom.functional_groups import functional_group_faults
from sdq_imaging.dicom.geometry import geometry_faults
from sdq_imaging.dicom.image_type import image_type_faults
from sdq_imaging.dicom.pixel_description import expected_pixel_bytes, pixel_description_faults
from sdq_imaging.dicom.required_attributes import missing_attributes, unknown_sop_class
from sdq_imaging.dicom.synthetic_declaration import (
    check_synthetic,
    declared_synthetic,
)

if TYPE_CHECKING:
    from pydicom import Dataset

    from sdq_core.finding import Finding

__all__ = [
    "check",
    "check_synthetic",
    "declared_synthetic",
    "expected_pixel_bytes",
    "identifiers",
    "identifiers_in_text",
    "level_of",
    "synthesis_metadata",
]


def check(
    source: Dataset | Level,
    *,
    pixel_bytes: int | None = None,
    pixel_range: tuple[float, float] | None = None,
    has_pixels: bool | None = None,
    questions: bool = False,
) -> tuple[Finding, ...]:
    """Judge one object by the rules that hold for real and synthetic ones alike.

    Parameters
    ----------
    source : pydicom.Dataset or Level
        The header; pixel data may be missing.
    pixel_bytes : int, optional
        Length of native pixel data in bytes; None for encapsulated transfer syntaxes.
    pixel_range : tuple of float, optional
        Least and greatest stored value, before rescaling.
    has_pixels : bool, optional
        Whether there is pixel data; None where only the header is at hand.
    questions : bool
        Whether to add the note on what conditions ask and the header does not tell.

    Returns
    -------
    tuple of Finding
        SOP class, required attributes, functional groups, value representations, pixel description,
        Image Type, geometry, contradictions; in this order, one finding for a rule at a place.
        Residual identifiers are in `identifiers`, declarations of synthesis in `check_synthetic`.

    Examples
    --------
    >>> from pydicom import Dataset
    >>> [f.rule for f in check(Dataset())]
    ['imaging.metadata.type1_missing']
    """
    level = level_of(source)
    dataset = level.dataset
    found = (
        *unknown_sop_class(level),
        *missing_attributes(level, has_pixels=has_pixels, questions=questions),
        *functional_group_faults(level),
        *malformed_values(level, "imaging"),
        *pixel_description_faults(dataset, pixel_bytes=pixel_bytes, pixel_range=pixel_range),
        *image_type_faults(level),
        *geometry_faults(level),
        *contradictions(dataset),
    )
    # Several modules, and the general lists, may say the same of one attribute.
    return tuple({(f.rule, f.where): f for f in reversed(found)}.values())[::-1]


def identifiers(source: Dataset | Level) -> tuple[Finding, ...]:
    """Find residual identifiers; see `sdq_core.dicom.identifiers.identifiers`.

    Parameters
    ----------
    source : pydicom.Dataset or Level

    Returns
    -------
    tuple of Finding
        ``imaging.identifier.<kind>``.
    """
    return residual.identifiers(source, "imaging")
