"""Whether an image says that it is synthetic, and by what it was made.

DICOM: see `sdq_core.dicom.synthetic_declaration`. Pictures: the implicit label of
GB 45438-2025 (``AIGC``) and the IPTC digital source type. Other formats: ``key=value`` in a text
field.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sdq_core.finding import Finding
from sdq_core.synthetic_words import stated_synthetic
from sdq_core.vocabulary import Severity

if TYPE_CHECKING:
    from pydicom import Dataset

    from sdq_core.dicom.levels import Level

__all__ = ["check_synthetic", "declaration_faults", "declared_synthetic", "equipment_stated"]

SOURCE_TYPE = re.compile(r"(?:composite(?:With)?)?(?:T|t)rainedAlgorithmicMedia|algorithmicMedia")
EQUIPMENT = "contributing_equipment"
"""Key of ``Description.metadata``: ``"present"`` or ``"absent"``."""
YES, NO = frozenset({"yes", "true", "1"}), frozenset({"no", "false", "0"})


def check_synthetic(source: Dataset | Level) -> tuple[Finding, ...]:
    """Find what a synthetic DICOM object fails to say about itself.

    Only for objects in the role synthetic.

    Parameters
    ----------
    source : pydicom.Dataset or Level

    Returns
    -------
    tuple of Finding
        See `declaration_faults`.

    Examples
    --------
    >>> from pydicom import Dataset
    >>> [f.where for f in check_synthetic(Dataset())]  # doctest: +NORMALIZE_WHITESPACE
    ['SyntheticData', 'DerivationDescription', 'ContributingEquipmentSequence', 'ImageType',
     'AlgorithmName', 'AlgorithmVersion']
    """
    from sdq_core.dicom.levels import level_of
    from sdq_core.dicom.synthetic_declaration import synthesis_metadata

    level = level_of(source)
    facts = {**synthesis_metadata(level), EQUIPMENT: equipment_stated(level)}
    facts["ImageType"] = level.text(0x00080008)
    return tuple(declaration_faults(facts))


def equipment_stated(level: Level) -> str:
    """Return whether Contributing Equipment Sequence has an item, for ``Description.metadata``."""
    return "present" if level.items.get(0x0018A001) else "absent"


def declaration_faults(facts: Mapping[str, str]) -> Iterator[Finding]:
    """Find what the description of a synthetic DICOM object lacks.

    Parameters
    ----------
    facts : mapping of str to str
        ``Description.metadata`` of a DICOM item.

    Yields
    ------
    Finding
        Errors ``imaging.metadata.not_declared_synthetic`` (Synthetic Data is not YES) and
        ``imaging.metadata.no_derivation`` (neither Derivation Description nor Derivation Code
        Sequence); warnings ``imaging.metadata.no_derivation`` (no Contributing Equipment Sequence),
        ``imaging.metadata.no_algorithm`` (no name or no version of the algorithm or its software)
        and ``imaging.conformity.image_type`` (Image Type value 1 is not DERIVED).

    Examples
    --------
    >>> facts = {"SyntheticData": "YES", "derivation": "present", "ImageType": "DERIVED",
    ...          "contributing_equipment": "present", "AlgorithmName": "vae"}
    >>> [f.where for f in declaration_faults(facts)]
    ['AlgorithmVersion']
    """
    if facts.get("SyntheticData") != "YES":
        yield Finding(
            "imaging.metadata.not_declared_synthetic",
            Severity.ERROR,
            "SyntheticData (0008,001C) must be YES in a synthetic object (PS3.3 C.12.1); write it",
            "合成数据对象的 SyntheticData (0008,001C) 必须为 YES（PS3.3 C.12.1）；请补写",
            "SyntheticData",
        )
    if facts.get("derivation") != "present":
        yield Finding(
            "imaging.metadata.no_derivation",
            Severity.ERROR,
            "neither DerivationDescription (0008,2111) nor DerivationCodeSequence (0008,9215) "
            "tells how "
            "the object was made (PS3.3 C.7.6.1); write algorithm, version and seed",
            "DerivationDescription (0008,2111) 与 DerivationCodeSequence (0008,9215) "
            "均未说明对象如何生成"
            "（PS3.3 C.7.6.1）；请写明算法、版本与随机种子",
            "DerivationDescription",
        )
    if facts.get(EQUIPMENT) != "present":
        yield Finding(
            "imaging.metadata.no_derivation",
            Severity.WARNING,
            "ContributingEquipmentSequence (0018,A001) does not name the generator (PS3.3 C.12.1); "
            "add an item with Manufacturer, ManufacturerModelName and SoftwareVersions",
            "ContributingEquipmentSequence (0018,A001) 未指明生成器（PS3.3 C.12.1）；"
            "请增加含 Manufacturer、ManufacturerModelName、SoftwareVersions 的条目",
            "ContributingEquipmentSequence",
        )
    if facts.get("ImageType", "").partition("\\")[0].strip() != "DERIVED":
        yield Finding(
            "imaging.conformity.image_type",
            Severity.WARNING,
            "ImageType (0008,0008) value 1 of a synthetic image should be DERIVED: its pixels are "
            "not "
            "those of an acquisition (PS3.3 C.7.6.1.1.2); write DERIVED",
            "合成图像的 ImageType (0008,0008) 值 1 应为 DERIVED：其像素并非直接采集（PS3.3 "
            "C.7.6.1.1.2）；请改写",
            "ImageType",
        )
    for name, english, chinese in (
        ("AlgorithmName", "the name", "名称"),
        ("AlgorithmVersion", "the version", "版本"),
    ):
        if not facts.get(name):
            yield Finding(
                "imaging.metadata.no_algorithm",
                Severity.WARNING,
                f"{english} of the algorithm is stated nowhere: not in DerivationDescription "
                "(0008,2111) as key=value, nor in AlgorithmName (0066,0036) and AlgorithmVersion "
                "(0066,0031), nor in ContributingEquipmentSequence (0018,A001); write it",
                f"未说明算法{chinese}：DerivationDescription (0008,2111) 的“键=值”、AlgorithmName "
                "(0066,0036) 与 AlgorithmVersion (0066,0031)、ContributingEquipmentSequence "
                "(0018,A001) 均未给出；请补写",
                name,
            )


def declared_synthetic(metadata: Mapping[str, str], kind: str) -> bool | None:
    """Return what an item's metadata says about being synthetic.

    Parameters
    ----------
    metadata : mapping of str to str
        ``Description.metadata`` or ``Image.metadata``: for DICOM the key ``SyntheticData``; for
        texts inside a file ``text:<key>``; for arrays the attribute ``synthetic``.
    kind : {"dicom", "nifti", "picture", "array"}

    Returns
    -------
    bool or None
        True: declared synthetic. False: declared not synthetic. None: nothing is said, or the label
        says no more than "possibly" or "suspected" (GB 45438-2025 labels 2 and 3).

    Examples
    --------
    >>> declared_synthetic({"text:SyntheticData": "YES"}, "picture")
    True
    >>> declared_synthetic({"text:AIGC": '{"Label": "2"}'}, "picture") is None
    True
    >>> declared_synthetic({"SyntheticData": "NO"}, "dicom")
    False
    """
    if kind == "dicom":
        return {"YES": True, "NO": False}.get(metadata.get("SyntheticData", ""))
    answers: list[bool] = []
    for key, value in metadata.items():
        answer = _answer(key.removeprefix("text:").removeprefix("attribute:"), value)
        if answer is not None:
            answers.append(answer)
    # A file that says both says yes: the label for readers outweighs a forgotten one.
    return True if any(answers) else (False if answers else None)


def _answer(key: str, value: str) -> bool | None:
    name = re.sub(r"[^a-z]", "", key.lower())
    plain = value.strip().lower()
    if name in ("syntheticdata", "synthetic"):
        return True if plain in YES else (False if plain in NO else None)
    if name == "aigc":
        return _aigc_label(value)
    if SOURCE_TYPE.search(value):
        return True
    return stated_synthetic(value)


def _aigc_label(value: str) -> bool | None:
    """Read the label of GB 45438-2025 Annex E: 1 generated, 2 possibly, 3 suspected."""
    try:
        content: Any = json.loads(value)
    except json.JSONDecodeError:
        return None if not value.strip() else value.strip().lower() not in NO
    if isinstance(content, Mapping):
        content = content.get("AIGC", content)
    if isinstance(content, Mapping):
        content = content.get("Label", "")
    return True if str(content).lower() in YES else None
