"""What a DICOM object says about its own synthesis.

Synthetic Data (0008,001C) (PS3.3 C.12.1, SOP Common Module), Derivation Description and Code
Sequence (C.7.6.1), Contributing Equipment Sequence (C.12.1).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sdq_core.aigc import label_in_text
from sdq_core.dicom.elements import items, text, texts
from sdq_core.dicom.levels import Level, level_of
from sdq_core.identifiers import identifiers_in_text

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["LINEAGE_KEYS", "key_values", "synthesis_metadata"]

LINEAGE_KEYS = {
    "AlgorithmName": ("algorithm", "algorithmname", "generator", "model", "modelname"),
    "AlgorithmVersion": ("algorithmversion", "generatorversion", "modelversion", "version"),
    "Seed": ("seed", "randomseed"),
    "Run": ("run", "runid"),
    "Condition": ("condition",),
    "Weights": ("checkpoint", "weights", "weightssha256"),
    "TrainingData": ("trainingdata", "trainedon", "trainingset"),
}
"""Name in the metadata -> keys of ``key=value`` in Derivation Description that mean it."""

LABELLED = ("DerivationDescription", "ImageComments", "AcquisitionComments")
"""Texts in which the label AIGC (GB 45438-2025) is looked for: DICOM has no attribute for it."""

KEY_VALUE = re.compile(r"([A-Za-z][A-Za-z0-9_ -]{0,30}?)\s*[=:]\s*([^;,\n\r=]{1,64})")


def synthesis_metadata(source: Dataset | Level) -> dict[str, str]:
    """Return what a DICOM object says about its own synthesis, for ``Description.metadata``.

    Parameters
    ----------
    source : pydicom.Dataset or Level

    Returns
    -------
    dict of str to str
        ``SyntheticData``: ``"YES"``, ``"NO"`` or ``"absent"``. ``derivation``: ``"present"`` or
        ``"absent"``. Where the object says so: ``AlgorithmName``, ``AlgorithmVersion``, ``Seed``,
        ``Run``, ``Condition``, ``Weights``, ``TrainingData`` (from ``key=value`` pairs in
        Derivation Description, from Algorithm Name (0066,0036) and Version (0066,0031) at any
        depth, else from the Contributing Equipment Sequence) and
        ``ContributingEquipmentManufacturer``; ``AIGC``, the label of GB 45438-2025. A value in
        which an identifier is recognised is left out.

    Examples
    --------
    >>> from pydicom import Dataset
    >>> header = Dataset()
    >>> header.DerivationDescription = "generator=vae; version=1.2; seed=7"
    >>> made = synthesis_metadata(header)
    >>> made["SyntheticData"], made["AlgorithmName"], made["Seed"]
    ('absent', 'vae', '7')
    """
    level = level_of(source)
    dataset = level.dataset
    stated = text(dataset, "SyntheticData")
    description = "; ".join(texts(dataset, "DerivationDescription"))
    derived = bool(description) or bool(items(dataset, "DerivationCodeSequence"))
    facts = {
        "SyntheticData": stated if stated in ("YES", "NO") else "absent",
        "derivation": "present" if derived else "absent",
    }
    found = key_values(description)
    for name, value in _algorithm(level).items():
        found.setdefault(name, value)
    for equipment in items(dataset, "ContributingEquipmentSequence") or ():
        found.setdefault("ContributingEquipmentManufacturer", text(equipment, "Manufacturer"))
        found.setdefault("AlgorithmName", text(equipment, "ManufacturerModelName"))
        found.setdefault("AlgorithmVersion", text(equipment, "SoftwareVersions"))
    for name in LABELLED:
        if label := label_in_text("; ".join(texts(dataset, name))):
            found.setdefault("AIGC", label)
    facts |= {k: v for k, v in sorted(found.items()) if v and not identifiers_in_text(v)}
    return facts


def key_values(description: str) -> dict[str, str]:
    """Return the lineage that a text states as ``key=value`` or ``key: value``.

    Parameters
    ----------
    description : str
        Pairs apart by commas, semicolons or line ends.

    Returns
    -------
    dict of str to str
        Keys of `LINEAGE_KEYS`; the first statement of each.

    Examples
    --------
    >>> key_values("generator: vae, seed=7, colour=red")
    {'AlgorithmName': 'vae', 'Seed': '7'}
    """
    names = {key: name for name, keys in LINEAGE_KEYS.items() for key in keys}
    found: dict[str, str] = {}
    for key, value in KEY_VALUE.findall(description):
        name = names.get(re.sub(r"[^a-z0-9]", "", key.lower()))
        if name is not None:
            found.setdefault(name, value.strip())
    return found


def _algorithm(root: Level) -> dict[str, str]:
    wanted = {0x00660036: "AlgorithmName", 0x00660031: "AlgorithmVersion"}
    found: dict[str, str] = {}
    for level, tag, _ in root.walk():
        name = wanted.get(tag)
        if name is not None and name not in found:
            found[name] = next(iter(level.texts(tag)), "")[:64]
    return found
