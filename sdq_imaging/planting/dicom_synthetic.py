"""A DICOM header as a careful generator would write it: declared, and without anybody's numbers.

PS3.15 Annex E says what identifies (`sdq_core.dicom.confidentiality`), PS3.3 C.12.1 and C.7.6.1 how
an object says that it is synthetic and derived.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING, Final

from sdq_core.dicom.confidentiality import profile
from sdq_core.dicom.elements import stored_vr
from sdq_core.dicom.identifier_attributes import ATTRIBUTES
from sdq_imaging.planting.editable import GENERATOR, Declaration

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["made_synthetic", "new_uid"]

PURPOSE: Final = ("109102", "DCM", "Processing Equipment")
"""PS3.16 CID 7005."""
DERIVATION: Final = 0x00082111
STANDARD: Final = "1.2.840.10008."
REPEATING: Final = (0x5000, 0x6000)
"""Groups of curves and overlays."""
MOMENTS: Final = ("DT", "DA")


def new_uid(*parts: object) -> str:
    """Return a UID under 2.25 (PS3.5 B.2) that is a function of the parts.

    Examples
    --------
    >>> new_uid("1.2.3", 1) == new_uid("1.2.3", 1) != new_uid("1.2.3", 2)
    True
    """
    digest = hashlib.sha256("/".join(map(str, (GENERATOR, *parts))).encode()).digest()[:16]
    return f"2.25.{uuid.UUID(bytes=digest, version=4).int}"


def made_synthetic(dataset: Dataset, declaration: Declaration) -> None:
    """Give an object new identifiers and, where it is stated, the declarations of a synthetic one.

    Parameters
    ----------
    dataset : pydicom.Dataset
        Changed. UIDs become new ones, equal where they were equal inside the item; dates keep
        their year; names, numbers, private attributes and what the Basic Profile removes go.
    declaration : Declaration
    """
    dataset.remove_private_tags()
    for tag in [t for t in dataset.keys() if t.group & 0xFF00 in REPEATING]:  # noqa: SIM118
        del dataset[tag]
    _cleaned(dataset, declaration)
    dataset.PatientName = ""
    dataset.PatientID = declaration.subject
    for keyword in ("PatientBirthDate", "AccessionNumber", "ReferringPhysicianName"):
        setattr(dataset, keyword, "")
    if "SOPInstanceUID" in dataset:
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    if declaration.stated:
        _declared(dataset, declaration)


def _cleaned(dataset: Dataset, declaration: Declaration) -> None:
    """Go through all levels: new UIDs, years for dates, nothing that the profile removes."""
    table, named = profile(), {a.tag: a.action for a in ATTRIBUTES}
    for tag in list(dataset.keys()):
        number = int(tag)
        entry = table.get(number)
        action = named.get(number) or (entry.action if entry is not None else "")
        if action == "X" and number != DERIVATION:
            del dataset[tag]
            continue
        element = dataset.get_item(tag)
        kind = "" if element is None else stored_vr(element)
        if kind == "SQ":
            for inner in dataset[tag].value or ():
                _cleaned(inner, declaration)
        elif action == "U" and kind == "UI":
            value = dataset[tag].value
            many = not isinstance(value, str) and value is not None
            uids = [str(v) for v in value] if many else [str(value or "")]
            fresh = [
                u if not u or u.startswith(STANDARD) else new_uid(declaration.number, u)
                for u in uids
            ]
            dataset[tag].value = fresh if many else fresh[0]
        elif kind in MOMENTS:
            value = str(dataset[tag].value or "")
            if value[:4].isdigit() and len(value) >= 8:
                dataset[tag].value = f"{value[:4]}0101" + (value[8:] if kind == "DT" else "")
        elif number in named:
            # Names and numbers that may not be removed, but emptied or replaced (Z, D).
            text = kind not in ("US", "UL", "SS", "SL", "FL", "FD")
            if text and dataset[tag].value not in (None, ""):
                dataset[tag].value = "SYNTHETIC" if "D" in action else ""


def _declared(dataset: Dataset, declaration: Declaration) -> None:
    from pydicom.dataset import Dataset as Item
    from pydicom.sequence import Sequence

    dataset.SyntheticData = "YES"
    stated = (
        f"generator={declaration.generator}; version={declaration.version}; "
        f"seed={declaration.number}"
    )
    dataset.DerivationDescription = (
        f"{stated}; AIGC: {declaration.label}" if declaration.label else stated
    )
    equipment, purpose = Item(), Item()
    purpose.CodeValue, purpose.CodingSchemeDesignator, purpose.CodeMeaning = PURPOSE
    equipment.Manufacturer = "sdq"
    equipment.ManufacturerModelName = declaration.generator[:64]
    equipment.SoftwareVersions = declaration.version[:64]
    equipment.PurposeOfReferenceCodeSequence = Sequence([purpose])
    dataset.ContributingEquipmentSequence = Sequence([equipment])
    given = dataset.get("ImageType") or ["DERIVED", "PRIMARY"]
    values = [given] if isinstance(given, str) else [str(v) for v in given]
    dataset.ImageType = ["DERIVED", *values[1:]]
