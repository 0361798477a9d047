"""Image Type (0008,0008): its values, and what the rest of the header says of the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sdq_core.dicom.levels import Level, level_of
from sdq_core.finding import Finding
from sdq_core.vocabulary import Severity
from sdq_imaging import dicom_tables

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["image_type_faults"]

IMAGE_TYPE, SOP_CLASS = 0x00080008, 0x00080016
FIRST = frozenset({"ORIGINAL", "DERIVED", "MIXED"})
SECOND = frozenset({"PRIMARY", "SECONDARY", "MIXED"})
"""Values 1 and 2 (PS3.3 C.7.6.1.1.2; MIXED in enhanced multi-frame objects)."""

THIRD = frozenset({"ct-image"})
"""IODs that demand a third value (PS3.3 C.8.2.1.1.1)."""

COMPRESSION = frozenset({"121327", "113040"})
"""Codes of Derivation Code Sequence (DCM) that say of a compression only: the image stays what it
was (full fidelity image, lossy compression)."""

SOURCE_IMAGES, DERIVATION_CODE, SYNTHETIC = 0x00082112, 0x00089215, 0x0008001C


def image_type_faults(source: Dataset | Level) -> tuple[Finding, ...]:
    """Find values of Image Type that are not allowed, missing or contradicted.

    Parameters
    ----------
    source : pydicom.Dataset or Level

    Returns
    -------
    tuple of Finding
        Errors ``imaging.conformity.enumerated_value`` (values 1 and 2) and
        ``imaging.conformity.image_type`` (too few values); warning ``imaging.semantics.image_type``
        (ORIGINAL, but the header tells what the image was derived from).

    Examples
    --------
    >>> from pydicom import Dataset
    >>> header = Dataset()
    >>> header.ImageType, header.SyntheticData = ["ORIGINAL", "PRIMARY"], "YES"
    >>> [f.rule for f in image_type_faults(header)]
    ['imaging.semantics.image_type']
    """
    root = level_of(source)
    values = [value.strip() for value in root.texts(IMAGE_TYPE)]
    return (*_values(root, values), *_contradicted(root, values))


def _values(root: Level, values: list[str]) -> Iterator[Finding]:
    for number, (value, allowed) in enumerate(zip(values, (FIRST, SECOND), strict=False), 1):
        if value and value not in allowed:
            listed = ", ".join(sorted(allowed))
            yield Finding(
                "imaging.conformity.enumerated_value",
                Severity.ERROR,
                f"ImageType (0008,0008) value {number} must be one of {listed} (PS3.3 "
                "C.7.6.1.1.2); write one of these",
                f"ImageType (0008,0008) 的值 {number} 必须为 {listed} 之一（PS3.3 "
                "C.7.6.1.1.2）；请更正",
                "ImageType",
            )
    needed = 3 if dicom_tables.iod_of(root.text(SOP_CLASS)) in THIRD else 2
    if values and any(values) and len([v for v in values[:needed] if v]) < needed:
        clause = "C.8.2.1.1.1" if needed == 3 else "C.7.6.1.1.2"
        yield Finding(
            "imaging.conformity.image_type",
            Severity.ERROR,
            f"ImageType (0008,0008) must have {needed} values in this IOD (PS3.3 {clause}); add "
            "what is missing",
            f"此 IOD 的 ImageType (0008,0008) 必须有 {needed} 个值（PS3.3 {clause}）；请补写",
            "ImageType",
        )


def _contradicted(root: Level, values: list[str]) -> Iterator[Finding]:
    if not values or values[0] != "ORIGINAL":
        return
    told = [
        word
        for word, says in (
            ("SyntheticData (0008,001C)", root.text(SYNTHETIC) == "YES"),
            ("DerivationCodeSequence (0008,9215)", _derived_by_code(root)),
            ("SourceImageSequence (0008,2112)", bool(root.items.get(SOURCE_IMAGES))),
        )
        if says
    ]
    if told:
        yield Finding(
            "imaging.semantics.image_type",
            Severity.WARNING,
            f"ImageType (0008,0008) value 1 is ORIGINAL, but {told[0]} says that the pixels were "
            "derived (PS3.3 C.7.6.1.1.2); write DERIVED or remove it",
            f"ImageType (0008,0008) 值 1 为 ORIGINAL，而 {told[0]} 表明像素系派生所得（PS3.3 "
            "C.7.6.1.1.2）；请写 DERIVED，或删除后者",
            "ImageType",
        )


def _derived_by_code(root: Level) -> bool:
    codes = [item.text(0x00080100) for item in root.items.get(DERIVATION_CODE) or ()]
    return any(code not in COMPRESSION for code in codes)
