"""The DICOM rules: what the header of one object must say, may not say, and says wrongly.

Works without a network: required attributes come from `sdq_imaging.dicom_tables`, value
representations from pydicom's data dictionary.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sdq_core.dicom import identifiers as residual
from sdq_core.dicom.synthetic_declaration import synthesis_metadata
from sdq_core.dicom.value_representation import malformed_values
from sdq_core.identifiers import identifiers_in_text
from sdq_imaging.dicom.contradictions import contradictions
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
    "synthesis_metadata",
]


def check(
    dataset: Dataset,
    *,
    pixel_bytes: int | None = None,
    pixel_range: tuple[float, float] | None = None,
    reference_date: date | None = None,
) -> tuple[Finding, ...]:
    """Judge one object by the rules that hold for real and synthetic ones alike.

    Parameters
    ----------
    dataset : pydicom.Dataset
        The header; pixel data may be missing.
    pixel_bytes : int, optional
        Length of native pixel data in bytes; None for encapsulated transfer syntaxes.
    pixel_range : tuple of float, optional
        Least and greatest stored value, before rescaling.
    reference_date : datetime.date, optional
        A date that nothing in the file can come after; None leaves the future unjudged.

    Returns
    -------
    tuple of Finding
        SOP class, required attributes, value representations, pixel description, contradictions; in
        this order. Residual identifiers are in `identifiers`, declarations of synthesis in
        `check_synthetic`.

    Examples
    --------
    >>> from pydicom import Dataset
    >>> [f.rule for f in check(Dataset())]
    ['imaging.metadata.type1_missing']
    """
    return (
        *unknown_sop_class(dataset),
        *missing_attributes(dataset),
        *malformed_values(dataset, "imaging"),
        *pixel_description_faults(dataset, pixel_bytes=pixel_bytes, pixel_range=pixel_range),
        *contradictions(dataset, reference_date=reference_date),
    )


def identifiers(dataset: Dataset) -> tuple[Finding, ...]:
    """Find residual identifiers; see `sdq_core.dicom.identifiers.identifiers`.

    Parameters
    ----------
    dataset : pydicom.Dataset

    Returns
    -------
    tuple of Finding
        ``imaging.identifier.<kind>``.
    """
    return residual.identifiers(dataset, "imaging")
