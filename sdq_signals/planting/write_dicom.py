"""Writes DICOM waveform objects with other samples, another identity and a declaration."""

from __future__ import annotations

import hashlib
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sdq_core.dicom.elements import items, number, text
from sdq_core.dicom.identifier_attributes import ATTRIBUTES, DATES
from sdq_core.files import atomic_write
from sdq_signals.formats.dicom import SAMPLE_TYPES, dataset, recorded
from sdq_signals.planting.draft import GENERATOR, Draft
from sdq_signals.planting.stored import Converter, converted

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["save", "write"]

KEPT: Final = frozenset((
    "SpecificCharacterSet", "SOPClassUID", "Modality", "InstanceNumber", "ContentTime",
    "AcquisitionContextSequence", "PatientSex", "PatientAge", "Manufacturer",
    "ManufacturerModelName", "SoftwareVersions", "WaveformSequence", "SynchronizationTrigger",
    "AcquisitionTimeSynchronized",
))  # fmt: skip
"""Attributes of the object that tell of the kind of recording and of nobody."""
DAY: Final = "20000101"
OLDEST: Final = 89
_SIGNED: Final = {1: "i1", 2: "i2", 4: "i4", 8: "i8"}


def write(draft: Draft, folder: Path) -> Path:
    """Write an object that holds the recording's own multiplex group.

    All attributes but those of `KEPT` are left out or written anew; other groups (mean beats of
    the same person) as well.

    Parameters
    ----------
    draft : Draft
    folder : Path
        Is there.

    Returns
    -------
    Path
    """
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence

    header = dataset(draft.path)
    groups = items(header, "WaveformSequence") or ()
    group = groups[recorded(groups)]
    big = str(getattr(header, "file_meta", {}).get("TransferSyntaxUID", "")).endswith("1.2.2")
    new = Dataset()
    for element in header:
        if element.keyword in KEPT and element.keyword != "WaveformSequence":
            new.add(element)
    _refill(group, draft, big)
    new.WaveformSequence = Sequence([group])
    _identity(new, draft)
    path = folder / f"{draft.name}.dcm"
    save(new, path)
    return path


def save(header: Dataset, path: Path) -> None:
    """Write an object in little endian, with the file meta information that it implies."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(text(header, "SOPClassUID") or "1.2.840.10008.5.1.4.1.1.9")
    meta.MediaStorageSOPInstanceUID = UID(text(header, "SOPInstanceUID") or "2.25.1")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID("2.25.1")
    header.file_meta = meta
    buffer = BytesIO()
    header.save_as(buffer, enforce_file_format=True)
    atomic_write(path, buffer.getvalue())


def _refill(group: Dataset, draft: Draft, big: bool) -> None:
    """Put the draft's samples into a group."""
    from pydicom.sequence import Sequence

    code = SAMPLE_TYPES[int(number(group, "WaveformBitsAllocated") or 0),
                        text(group, "WaveformSampleInterpretation")]  # fmt: skip
    width = int(code[1])
    padding = _padding(group, (">" if big else "<") + code)
    definitions = [(items(group, "ChannelDefinitionSequence") or ())[k] for k in draft.kept]
    columns = []
    for k, definition in enumerate(definitions):
        values, unit = draft.physical[k], draft.stated_units[k]
        sensitivity = number(definition, "ChannelSensitivity")
        correction = number(definition, "ChannelSensitivityCorrectionFactor")
        own = Converter(1.0, 0.0, *_ends(code))
        if sensitivity:
            slope = sensitivity * (1.0 if correction is None else correction)
            own = Converter(
                slope, number(definition, "ChannelBaseline") or 0.0, *_ends(code, definition)
            )
        stored, used = converted(values, own, 8 * width, draft.full_scale)
        if sensitivity and used.step != own.step:
            definition.ChannelSensitivity = f"{used.step:.10g}"
            definition.ChannelSensitivityCorrectionFactor = "1"
            definition.ChannelBaseline = "0"
        if (used.lowest, used.highest) != (own.lowest, own.highest):
            definition.WaveformBitsStored = 8 * width
        units = items(definition, "ChannelSensitivityUnitsSequence") or ()
        if units and unit:
            units[0].CodeValue = unit
        columns.append(np.where(np.isnan(values), padding, stored))
    table = np.stack(columns, axis=1)
    kind = code
    if table.min() < np.iinfo(code).min or table.max() > np.iinfo(code).max:
        kind = _SIGNED[width]  # negative values in a file of unsigned ones
        group.WaveformSampleInterpretation = {v: k for k, v in SAMPLE_TYPES.items()}[kind][1]
    data = table.astype(f"<{kind}").tobytes()
    group.add_new("WaveformData", "OB" if width == 1 else "OW", data + b"\0" * (len(data) % 2))
    if np.isnan(draft.samples).any():
        value = np.array(padding, f"<{kind}").tobytes()
        group.add_new("WaveformPaddingValue", "OB" if width == 1 else "OW", value.ljust(2, b"\0"))
    group.ChannelDefinitionSequence = Sequence(definitions)
    group.NumberOfWaveformChannels = table.shape[1]
    group.NumberOfWaveformSamples = table.shape[0]
    group.SamplingFrequency = f"{draft.rate:.10g}"


def _ends(code: str, definition: Any = None) -> tuple[int, int]:
    """Values that a stored sample can have; the lowest is left for missing ones."""
    bits = int((definition and number(definition, "WaveformBitsStored")) or 8 * int(code[1]))
    if code[0] == "u":
        return 0, min(2**bits - 1, int(np.iinfo(code).max))
    half = 2 ** (min(bits, 8 * int(code[1])) - 1)
    return 1 - half, half - 1


def _padding(group: Dataset, kind: str) -> int:
    """Value of missing samples: the group's own, else the lowest that there is."""
    value = group.get("WaveformPaddingValue")
    size = np.dtype(kind).itemsize
    if isinstance(value, bytes) and len(value) >= size:
        return int(np.frombuffer(value, kind, 1)[0])
    return int(np.iinfo(np.dtype(kind)).min)


def _identity(new: Dataset, draft: Draft) -> None:
    """Give the object an identity of its own, and let it say what it is."""

    def uid(level: str) -> str:
        digest = hashlib.sha256(f"{level} {draft.path.name} {draft.part} {draft.run}".encode())
        return f"2.25.{int.from_bytes(digest.digest()[:15], 'big')}"

    new.StudyInstanceUID, new.SeriesInstanceUID, new.SOPInstanceUID = map(
        uid, ("study", "series", "instance")
    )
    new.StudyDate = new.ContentDate = DAY
    new.ContentTime = "000000"
    new.AcquisitionDateTime = f"{DAY}000000"
    new.InstanceNumber = 1
    new.PatientName = f"SYNTHETIC^{draft.run}"
    new.PatientID = f"SYN-{draft.run}"
    new.PatientBirthDate = None
    if "PatientSex" not in new:
        new.PatientSex = None
    age = text(new, "PatientAge")
    if age and not (age[:3].isdecimal() and int(age[:3]) <= OLDEST and age[3:] == "Y"):
        del new.PatientAge
    if draft.declared:
        new.SyntheticData = "YES"
    said = [f"{key}={value}" for key, value in draft.told.items()]
    if draft.traced:
        said += [f"generator={GENERATOR}", f"run={draft.run}"]
    if draft.declared:
        said.append(f"AIGC={draft.label}")
    if said:
        new.DerivationDescription = "; ".join(said)


IDENTIFYING: Final = tuple(a.keyword for a in ATTRIBUTES) + tuple(keyword for keyword, _ in DATES)
"""Attributes that name a person or a day; none of them is in `KEPT`."""
