"""DICOM waveform objects through pydicom: ECG, EEG, pulse and their kin.

Samples are stored values times Channel Sensitivity times its Correction Factor plus Channel
Baseline, in Channel Sensitivity Units (PS3.3 C.10.9.1.4); channels are named by MDC codes (PS3.16
CID 3001), by SCP-ECG lead numbers (EN 1064), else by their meaning or label.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.dicom.elements import items, number, numbers, text
from sdq_core.dicom.files import is_dicom
from sdq_core.dicom.synthetic_declaration import synthesis_metadata
from sdq_core.finding import Finding
from sdq_core.vocabulary import Severity
from sdq_signals.channels import MDC_LEADS, canonical
from sdq_signals.formats.checks import channel, channel_findings
from sdq_signals.recording import Channel, Recording
from sdq_signals.rules import finding, unreadable

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = [
    "SAMPLE_TYPES",
    "SUFFIXES",
    "channel_name",
    "dataset",
    "is_dicom",
    "padding_value",
    "read",
    "recorded",
]

SUFFIXES = (".dcm", ".dicom")

SAMPLE_TYPES: Final = {
    (8, "SB"): "i1", (8, "UB"): "u1", (16, "SS"): "i2", (16, "US"): "u2", (32, "SL"): "i4",
    (32, "UL"): "u4", (64, "SV"): "i8", (64, "UV"): "u8",
}  # fmt: skip
"""Waveform Bits Allocated and Sample Interpretation -> numpy type (PS3.3 table C.10-10)."""

_LEAD_OF = {code: lead for lead, code in MDC_LEADS.items()}
_MDC = re.compile(r"(?:2:|MDC_ECG_LEAD_)?(\w+)")
_SCP = re.compile(r"5\.6\.3-9-(\d+)")
_LINEAGE: Final = {
    "AlgorithmName": "generator", "AlgorithmVersion": "version", "Seed": "seed",
    "Condition": "condition", "Run": "run", "AIGC": "aigc",
}  # fmt: skip
_KEPT: Final = {
    "Modality": "modality", "Manufacturer": "manufacturer", "ManufacturerModelName": "model",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Samples:
    """One multiplex group, as it was stored."""

    stored: NDArray[np.integer]
    slopes: NDArray[np.float64]
    shifts: NDArray[np.float64]
    padding: int | None

    def __call__(self, first: int, last: int) -> NDArray[np.float32]:
        """Return samples ``first`` to ``last`` of all channels; NaN for padding."""
        part = self.stored[first:last].T
        values = part * self.slopes[:, None] + self.shifts[:, None]
        if self.padding is not None:
            values[part == self.padding] = np.nan
        return values.astype(np.float32)


def dataset(path: Path) -> Dataset:
    """Read a DICOM file.

    Raises
    ------
    UnreadableItem
        Rules ``empty_file``, ``unreadable_file``, ``truncated`` and ``not_a_recording``.
    """
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd values are found by the rules
            found = pydicom.dcmread(path, force=is_dicom(path))
            list(found)  # elements are parsed lazily: meet the broken ones here
            return found
    except OSError as error:
        truncated = isinstance(error, EOFError)
        raise unreadable("truncated" if truncated else "unreadable_file") from error
    except InvalidDicomError as error:
        empty = path.stat().st_size == 0
        raise unreadable("empty_file" if empty else "not_a_recording") from error
    except Exception as error:  # a broken file may fail anywhere in the parser
        raise unreadable(
            "not_a_recording",
            f"the file cannot be parsed as DICOM ({type(error).__name__}); write it again",
        ) from error


def recorded(groups: tuple[Dataset, ...]) -> int:
    """Return which multiplex group is the recording.

    Parameters
    ----------
    groups : tuple of pydicom.Dataset
        Items of Waveform Sequence (5400,0100).

    Returns
    -------
    int
        The first ORIGINAL group labelled as rhythm, else the first ORIGINAL one, else the first.
    """
    original = [k for k, g in enumerate(groups) if text(g, "WaveformOriginality") == "ORIGINAL"]
    rhythm = [k for k in original if "RHYTHM" in text(groups[k], "MultiplexGroupLabel").upper()]
    return next(iter(rhythm or original), 0)


def channel_name(definition: Dataset) -> str:
    """Return the name of a channel: the lead of a known code, else meaning or label, else ``""``.

    Parameters
    ----------
    definition : pydicom.Dataset
        Item of Channel Definition Sequence (003A,0200).
    """
    for source in items(definition, "ChannelSourceSequence") or ():
        code = text(source, "CodeValue")
        scheme = text(source, "CodingSchemeDesignator")
        match = (_SCP if scheme == "SCPECG" else _MDC).fullmatch(code)
        if match is not None and scheme in ("MDC", "SCPECG", "2.16.840.1.113883.6.24"):
            if match[1].isdigit():
                lead = _LEAD_OF.get(int(match[1]))
                if lead is not None and (scheme == "SCPECG" or code.startswith("2:")):
                    return lead
            elif canonical(match[1])[1] == "ecg":
                return canonical(match[1])[0]
        meaning = re.sub(r"\s*\([^)]*\)\s*", " ", text(source, "CodeMeaning")).strip()
        if meaning:
            return meaning
    return text(definition, "ChannelLabel")


def read(path: Path) -> Recording:
    """Open a DICOM waveform object.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Recording
        The group that `recorded` chooses. ``metadata``: ``sex``, ``age`` in years (90 for all above
        89), ``modality``, ``manufacturer``, ``model``, ``synthetic`` and its details where stated.
        ``findings``: ``truncated``, ``longer_than_declared``, ``groups_left_out``, and those of
        `sdq_signals.formats.checks.channel_findings`.

    Raises
    ------
    UnreadableItem
        Not DICOM or no waveform (``not_a_recording``), ``no_samples``, ``header_invalid``,
        ``unsupported`` (companded audio), ``sampling_rate_missing``, ``sampling_rate_invalid``.
    """
    header = dataset(path)
    groups = items(header, "WaveformSequence") or ()
    if not groups:
        raise unreadable(
            "not_a_recording", "the DICOM object holds no waveform; remove it or give the recording"
        )
    chosen = recorded(groups)
    group = groups[chosen]
    found: list[Finding] = []
    if len(groups) > 1:
        found.append(_left_out(len(groups) - 1))
    rates = numbers(group, "SamplingFrequency")
    if not rates:
        raise unreadable("sampling_rate_missing", "SamplingFrequency (003A,001A) is missing")
    if rates[0] <= 0:
        raise unreadable("sampling_rate_invalid")
    stored = _stored(header, group, found)
    definitions = items(group, "ChannelDefinitionSequence") or ()
    if len(definitions) != stored.shape[1]:
        raise unreadable(
            "header_invalid",
            "ChannelDefinitionSequence (003A,0200) does not describe each channel; write one item "
            "for each",
        )
    parts = [_channel(d, k, rates[0], stored.dtype) for k, d in enumerate(definitions)]
    channels = tuple(head for head, _, _ in parts)
    found += channel_findings(channels)
    padding = padding_value(group, stored.dtype)
    return Recording(
        channels=channels,
        rate=rates[0],
        length=len(stored),
        format="dicom",
        read=_Samples(
            stored,
            np.array([slope for _, slope, _ in parts]),
            np.array([shift for _, _, shift in parts]),
            padding,
        ),
        metadata=_metadata(header),
        findings=tuple(found),
    )


def _stored(header: Dataset, group: Dataset, found: list[Finding]) -> NDArray[np.integer]:
    """Return the samples as whole numbers, shape (samples, channels)."""
    channels, length = (
        number(group, "NumberOfWaveformChannels"),
        number(group, "NumberOfWaveformSamples"),
    )
    bits = number(group, "WaveformBitsAllocated")
    kind = text(group, "WaveformSampleInterpretation")
    data = group.get("WaveformData")
    if not channels or not length or channels < 1 or length < 1:
        raise unreadable("no_samples")
    if not isinstance(data, bytes) or not data:
        raise unreadable("no_samples", "WaveformData (5400,1010) is missing or empty; give it")
    code = SAMPLE_TYPES.get((int(bits or 0), kind))
    if code is None:
        raise unreadable(
            "unsupported" if kind in ("MB", "AB") else "header_invalid",
            "WaveformBitsAllocated (5400,1004) and WaveformSampleInterpretation (5400,1006) are "
            "no pair that this version reads; write 8, 16, 32 or 64 bits with SB, UB, SS, US, SL, "
            "UL, SV or UV",
        )
    big = str(getattr(header, "file_meta", {}).get("TransferSyntaxUID", "")).endswith("1.2.2")
    kind_of_number = np.dtype((">" if big else "<") + code)
    count = int(channels)
    row = count * kind_of_number.itemsize
    whole = min(len(data) // row, int(length))
    if whole < length:
        found.append(finding("truncated", "WaveformData"))
    elif len(data) - whole * row > 1:
        found.append(finding("longer_than_declared", "WaveformData"))
    if not whole:
        raise unreadable("truncated")
    flat: NDArray[np.integer] = np.frombuffer(data, kind_of_number, whole * count)
    return flat.reshape(whole, count)


def padding_value(group: Dataset, kind: np.dtype[np.integer]) -> int | None:
    """Return Waveform Padding Value (5400,100A), which is written like a sample."""
    value = group.get("WaveformPaddingValue")
    if isinstance(value, bytes) and len(value) >= kind.itemsize:
        return int(np.frombuffer(value, kind, 1)[0])
    return int(value) if isinstance(value, int) else None


def _channel(
    definition: Dataset, place: int, rate: float, kind: np.dtype[np.integer]
) -> tuple[Channel, float, float]:
    """Return a channel, and the factor and shift from stored values to its unit."""
    name = channel_name(definition) or f"channel {place + 1}"
    units = items(definition, "ChannelSensitivityUnitsSequence") or ()
    unit = text(units[0], "CodeValue") if units else ""
    sensitivity = number(definition, "ChannelSensitivity")
    if not sensitivity:
        return channel(name, unit, rate, calibrated=False), 1.0, 0.0
    correction = number(definition, "ChannelSensitivityCorrectionFactor")
    slope = sensitivity * (1.0 if correction is None else correction)
    shift = number(definition, "ChannelBaseline") or 0.0
    bits = int(number(definition, "WaveformBitsStored") or kind.itemsize * 8)
    half = 2 ** (bits - 1)
    least, most = (-half, half - 1) if kind.kind == "i" else (0, 2 * half - 1)
    head = channel(
        name,
        unit,
        rate,
        lowest=least * slope + shift,
        highest=most * slope + shift,
        resolution=slope,
    )
    by = 1.0 if head.factor is None else head.factor
    return head, slope * by, shift * by


def _left_out(count: int) -> Finding:
    return Finding(
        "signals.structure.groups_left_out",
        Severity.INFO,
        f"{count} more multiplex groups (median beats, other times or rates) were left out; give "
        "each as an object of its own if it is meant",
        f"另有 {count} 个复用组（如平均心搏、其他时段或采样率）未读取；如需评价请单独存为对象",
        "WaveformSequence",
    )


def _metadata(header: Dataset) -> dict[str, str]:
    facts = {name: text(header, keyword) for keyword, name in _KEPT.items()}
    sex, age = text(header, "PatientSex"), text(header, "PatientAge")
    facts["sex"] = sex if sex in ("F", "M") else ""
    if re.fullmatch(r"\d{3}Y", age, re.ASCII):
        facts["age"] = str(min(int(age[:3]), 90))
    made = synthesis_metadata(header)
    stated = {"YES": "yes", "NO": "no"}.get(made["SyntheticData"])
    if stated is not None:
        facts["synthetic"] = stated
    if stated == "yes":
        facts |= {new: made[old] for old, new in _LINEAGE.items() if old in made}
    return {name: value for name, value in facts.items() if value}
