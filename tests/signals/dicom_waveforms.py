"""Valid DICOM waveform objects, written from PS3.3 A.34 and C.10.9 by hand."""

from __future__ import annotations

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

STORAGE = "1.2.840.10008.5.1.4.1.1.9."
LEADS = {"I": "2:1", "II": "2:2", "V1": "2:3"}
INTERPRETATIONS = {"i1": "SB", "u1": "UB", "i2": "SS", "u2": "US", "i4": "SL", "u4": "UL"}


def code(value: str, scheme: str, meaning: str) -> Sequence:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return Sequence([item])


def channel(name: str, value: str, bits: int, unit: str = "uV", scheme: str = "MDC") -> Dataset:
    item = Dataset()
    item.ChannelSourceSequence = code(value, scheme, f"Lead {name}")
    item.ChannelSensitivity = "1.25"
    item.ChannelSensitivityUnitsSequence = code(unit, "UCUM", "unit")
    item.ChannelSensitivityCorrectionFactor = "1"
    item.ChannelBaseline = "0"
    item.ChannelSampleSkew = "0"
    item.WaveformBitsStored = bits
    return item


def group(
    stored: np.ndarray, leads: dict[str, str] | None = None, rate: str = "500", **options: str
) -> Dataset:
    """Return a multiplex group of stored values, shape (samples, channels)."""
    leads = LEADS if leads is None else leads
    kind = stored.dtype.str[1:]
    bits = 8 * stored.dtype.itemsize
    item = Dataset()
    item.MultiplexGroupTimeOffset = "0"
    item.WaveformOriginality = "ORIGINAL"
    item.NumberOfWaveformChannels = stored.shape[1]
    item.NumberOfWaveformSamples = stored.shape[0]
    item.SamplingFrequency = rate
    item.MultiplexGroupLabel = "RHYTHM"
    item.ChannelDefinitionSequence = Sequence(
        [channel(name, value, bits, **options) for name, value in leads.items()]
    )
    item.WaveformBitsAllocated = bits
    item.WaveformSampleInterpretation = INTERPRETATIONS[kind]
    data = stored.tobytes()
    item.add_new("WaveformData", "OW" if bits > 8 else "OB", data + b"\0" * (len(data) % 2))
    return item


def waveform(*groups: Dataset, kind: str = "1.1", modality: str = "ECG") -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID = STORAGE + kind
    for k, name in enumerate(("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"), start=1):
        setattr(dataset, name, f"2.25.2{k}")
    dataset.Modality = modality
    dataset.InstanceNumber = 1
    dataset.ContentDate, dataset.ContentTime = "20240101", "100000"
    dataset.AcquisitionDateTime = "20240101100000"
    dataset.StudyDate = "20240101"
    for name in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex"):
        setattr(dataset, name, None)
    dataset.AcquisitionContextSequence = Sequence()
    dataset.WaveformSequence = Sequence(groups)
    return dataset


def save(dataset: Dataset, path, *, big: bool = False) -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", STORAGE)
    meta.MediaStorageSOPInstanceUID = "2.25.23"
    meta.TransferSyntaxUID = ExplicitVRBigEndian if big else ExplicitVRLittleEndian
    dataset.file_meta = meta
    dataset.save_as(path, enforce_file_format=True)
