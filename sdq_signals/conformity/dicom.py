"""The linter of DICOM waveform objects: all violations, each with its attribute.

Rules and their sources are in `sdq_signals.conformity.dicom_rules`; value representations and
identifiers are judged by the rules that all DICOM objects share, `sdq_core.dicom`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from sdq_core.dicom.elements import is_empty, items, number, stored_element, text
from sdq_core.dicom.identifiers import identifiers
from sdq_core.dicom.value_representation import malformed_values
from sdq_core.errors import UnreadableItem
from sdq_core.finding import Finding
from sdq_signals.channels import canonical
from sdq_signals.conformity import sufficiency
from sdq_signals.conformity.rules import merged, violation
from sdq_signals.formats.dicom import SAMPLE_TYPES, channel_name, padding_value, recorded
from sdq_signals.formats.dicom import dataset as read_dataset
from sdq_signals.units import factor

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["check", "check_dataset"]

_STORAGE: Final = "1.2.840.10008.5.1.4.1.1.9."


class _Limits(NamedTuple):
    """Content constraints of a waveform IOD; None where PS3.3 A.34 sets none."""

    modality: str
    groups: int | None = None
    channels: int | None = None
    frequency: tuple[float, float] | None = None
    samples: int | None = None
    kinds: tuple[str, ...] = ()


_IODS: Final = {
    "1.1": _Limits("ECG", 5, 13, (200, 1000), 16384, ("SS",)),  # 12-lead, A.34.3
    "1.2": _Limits("ECG", 4, 24, (200, 1000), None, ("SS",)),  # general, A.34.4
    "1.3": _Limits("ECG", 1, 12, (50, 1000), None, ("SB", "SS")),  # ambulatory, A.34.5
    "1.4": _Limits("ECG"),  # general 32-bit
    "2.1": _Limits("HD", 4, 8, (0, 400), None, ("SS",)),  # hemodynamic, A.34.6
    "3.1": _Limits("EPS", 4, None, (0, 20000), None, ("SS",)),  # electrophysiology, A.34.7
    "4.1": _Limits("AU"), "4.2": _Limits("AU"), "5.1": _Limits("HD"), "6.1": _Limits("RESP"),
    "6.2": _Limits("RESP"), "7.1": _Limits("EEG"), "7.2": _Limits("EMG"), "7.3": _Limits("EOG"),
    "7.4": _Limits("EEG"), "8.1": _Limits("POS"),
}  # fmt: skip
"""Last parts of the SOP class -> constraints."""
_LARGEST_TOTAL: Final = 13
"""Channels over all groups of a 12-lead object (A.34.3.4.4)."""

_OBJECT_TYPE_1: Final = (
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality",
    "InstanceNumber", "ContentDate", "ContentTime", "AcquisitionDateTime", "WaveformSequence",
)  # fmt: skip
_GROUP_TYPE_1: Final = (
    "WaveformOriginality", "NumberOfWaveformChannels", "NumberOfWaveformSamples",
    "SamplingFrequency", "ChannelDefinitionSequence", "WaveformBitsAllocated",
    "WaveformSampleInterpretation", "WaveformData",
)  # fmt: skip
_CALIBRATION: Final = (
    "ChannelSensitivityUnitsSequence", "ChannelSensitivityCorrectionFactor", "ChannelBaseline",
)  # fmt: skip
"""Required where Channel Sensitivity is there."""
_SUFFICIENT: Final = {
    "SamplingFrequency": "metadata.sampling_rate_missing",
    "NumberOfWaveformSamples": "metadata.sample_count_missing",
}


def check(path: Path, rates: Collection[float] | None = None) -> tuple[Finding, ...]:
    """List all violations of a DICOM waveform object.

    Parameters
    ----------
    path : Path
    rates : collection of float, optional
        Sampling rates that the data set declares; another one gets a warning.

    Returns
    -------
    tuple of Finding
        Areas ``conformity``, ``metadata``, ``identifier``; ``conformity.dicom_missing`` alone where
        the file cannot be read.
    """
    try:
        return check_dataset(read_dataset(path), rates)
    except UnreadableItem:
        return (violation("conformity.dicom_missing", "WaveformSequence"),)


def check_dataset(dataset: Dataset, rates: Collection[float] | None = None) -> tuple[Finding, ...]:
    """List all violations of a DICOM waveform object that is read already.

    Parameters
    ----------
    dataset : pydicom.Dataset
    rates : collection of float, optional

    Returns
    -------
    tuple of Finding
    """
    groups = items(dataset, "WaveformSequence") or ()
    chosen = recorded(groups) if groups else 0
    parts = [
        _group(dataset, group, f"WaveformSequence[{k}]", rates if k == chosen else None)
        for k, group in enumerate(groups)
    ]
    return merged(
        chain(
            _object(dataset, groups),
            *parts,
            malformed_values(dataset, "signals"),
            identifiers(dataset, "signals"),
        )
    )


def _object(dataset: Dataset, groups: tuple[Dataset, ...]) -> Iterator[Finding]:
    """Judge the object as a whole, and its groups by the constraints of its SOP class."""
    for keyword in _OBJECT_TYPE_1:
        if keyword not in dataset or is_empty(dataset, keyword):
            yield violation("conformity.dicom_missing", keyword)
    limits = _limits(dataset)
    if limits is None:
        if text(dataset, "SOPClassUID"):
            yield violation("conformity.dicom_sop_class", "SOPClassUID")
        return
    if text(dataset, "Modality") not in ("", limits.modality):
        yield violation("conformity.dicom_modality", "Modality")
    if limits.groups is not None and len(groups) > limits.groups:
        yield violation("conformity.dicom_groups", "WaveformSequence")
    counts = [number(group, "NumberOfWaveformChannels") or 0 for group in groups]
    if limits.samples is not None and sum(counts) > _LARGEST_TOTAL * _of_recording(groups):
        yield violation("conformity.dicom_channels", "WaveformSequence")


def _of_recording(groups: tuple[Dataset, ...]) -> int:
    """Median beats repeat the channels of the rhythm: count how often they are told."""
    return max(len({text(group, "WaveformOriginality") for group in groups}), 1)


def _limits(dataset: Dataset) -> _Limits | None:
    uid = text(dataset, "SOPClassUID")
    return _IODS.get(uid.removeprefix(_STORAGE)) if uid.startswith(_STORAGE) else None


def _group(
    dataset: Dataset, group: Dataset, where: str, rates: Collection[float] | None
) -> Iterator[Finding]:
    """Judge one multiplex group."""
    for keyword in _GROUP_TYPE_1:
        missing = keyword not in group or is_empty(group, keyword)
        if missing:
            yield violation("conformity.dicom_missing", f"{where}.{keyword}")
        if keyword in _SUFFICIENT:
            value = number(group, keyword)
            if value is None or value <= 0:
                yield violation(_SUFFICIENT[keyword], f"{where}.{keyword}")
                if not missing:
                    yield violation("conformity.dicom_value", f"{where}.{keyword}")
    if text(group, "WaveformOriginality") not in ("", "ORIGINAL", "DERIVED"):
        yield violation("conformity.dicom_value", f"{where}.WaveformOriginality")
    rate = number(group, "SamplingFrequency")
    if rate:
        yield from sufficiency.rate(rate, rates, f"{where}.SamplingFrequency")
    yield from _constraints(_limits(dataset), group, where)
    samples = yield from _data(dataset, group, where)
    definitions = items(group, "ChannelDefinitionSequence") or ()
    if definitions and len(definitions) != (number(group, "NumberOfWaveformChannels") or 0):
        yield violation(
            "conformity.dicom_channel_definitions", f"{where}.ChannelDefinitionSequence"
        )
    padding = None if samples is None else padding_value(group, samples.dtype)
    given, places = [], []
    for k, definition in enumerate(definitions):
        place = f"channel {k + 1}.{where}"
        column = samples[:, k] if samples is not None and k < samples.shape[1] else None
        if column is not None and padding is not None:
            column = column[column != padding]  # stands where there is no sample
        given.append(channel_name(definition))
        places.append(f"{place}.ChannelSourceSequence")
        bits = number(group, "WaveformBitsAllocated")
        yield from _channel(definition, place, given[-1], bits, column)
    yield from sufficiency.names(given, places)


def _constraints(limits: _Limits | None, group: Dataset, where: str) -> Iterator[Finding]:
    if limits is None:
        return
    channels = number(group, "NumberOfWaveformChannels")
    samples = number(group, "NumberOfWaveformSamples")
    rate, kind = number(group, "SamplingFrequency"), text(group, "WaveformSampleInterpretation")
    if limits.channels is not None and channels is not None and channels > limits.channels:
        yield violation("conformity.dicom_channels", f"{where}.NumberOfWaveformChannels")
    if limits.samples is not None and samples is not None and samples > limits.samples:
        yield violation("conformity.dicom_samples", f"{where}.NumberOfWaveformSamples")
    if (
        limits.frequency is not None
        and rate
        and not (limits.frequency[0] <= rate <= limits.frequency[1])
    ):
        yield violation("conformity.dicom_sampling_frequency", f"{where}.SamplingFrequency")
    if limits.kinds and kind and kind not in limits.kinds:
        yield violation("conformity.dicom_interpretation", f"{where}.WaveformSampleInterpretation")


def _data(dataset: Dataset, group: Dataset, where: str) -> Any:
    """Judge the stored samples; return a part of them, shape (samples, channels), or None."""
    bits, kind = number(group, "WaveformBitsAllocated"), text(group, "WaveformSampleInterpretation")
    if kind in ("MB", "AB") and bits == 8:
        return None
    code = SAMPLE_TYPES.get((int(bits or 0), kind))
    if code is None:
        if bits is not None and kind:
            yield violation("conformity.dicom_bits", f"{where}.WaveformSampleInterpretation")
        return None
    channels = int(number(group, "NumberOfWaveformChannels") or 0)
    length = int(number(group, "NumberOfWaveformSamples") or 0)
    # As stored: pydicom raises where the representation is none that it knows.
    element = stored_element(group, 0x54001010)
    data = None if element is None else element.value
    if channels < 1 or length < 1 or not isinstance(data, bytes):
        return None
    size = channels * length * int(code[1])
    # One byte of padding makes the length even (PS3.5 7.1.1).
    if len(data) != size + size % 2:
        yield violation("conformity.dicom_data_length", f"{where}.WaveformData")
    big = str(getattr(dataset, "file_meta", {}).get("TransferSyntaxUID", "")).endswith(".1.2.2")
    whole = len(data) // (channels * int(code[1]))
    flat = np.frombuffer(data, (">" if big else "<") + code, whole * channels)
    step = -(-max(whole, 1) // sufficiency.MOST_SAMPLES)
    return flat.reshape(whole, channels)[::step]


def _channel(
    definition: Dataset, place: str, name: str, allocated: float | None, column: Any
) -> Iterator[Finding]:
    sources = items(definition, "ChannelSourceSequence") or ()
    stored = number(definition, "WaveformBitsStored")
    if not sources:
        yield violation("conformity.dicom_missing", f"{place}.ChannelSourceSequence")
    elif text(sources[0], "CodingSchemeDesignator") not in ("MDC", "SCPECG"):
        yield violation("conformity.dicom_source_scheme", f"{place}.ChannelSourceSequence")
    if stored is None:
        yield violation("conformity.dicom_missing", f"{place}.WaveformBitsStored")
    elif allocated is not None and not 1 <= stored <= allocated:
        yield violation("conformity.dicom_bits", f"{place}.WaveformBitsStored")
    if ("ChannelTimeSkew" in definition) == ("ChannelSampleSkew" in definition):
        yield violation("conformity.dicom_skew", f"{place}.ChannelSampleSkew")
    units = items(definition, "ChannelSensitivityUnitsSequence") or ()
    for keyword, codes in (("ChannelSourceSequence", sources), (_CALIBRATION[0], units)):
        wanted = ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")
        if codes and not all(text(codes[0], part) for part in wanted):
            yield violation("conformity.dicom_code", f"{place}.{keyword}")
    sensitivity = number(definition, "ChannelSensitivity")
    if not sensitivity:
        yield violation("metadata.gain_missing", f"{place}.ChannelSensitivity")
    if "ChannelSensitivity" in definition:
        for keyword in _CALIBRATION:
            if keyword not in definition or is_empty(definition, keyword):
                yield violation("conformity.dicom_missing", f"{place}.{keyword}")
    unit = text(units[0], "CodeValue") if units else ""
    if units and text(units[0], "CodingSchemeDesignator") != "UCUM":
        yield violation("conformity.dicom_unit_scheme", f"{place}.{_CALIBRATION[0]}")
    poor = sufficiency.unit(name, unit, f"{place}.{_CALIBRATION[0]}")
    if poor is not None:
        yield poor
    kind = canonical(name)[1]
    scale = factor(unit, kind)
    if scale is not None and sensitivity and column is not None:
        correction = number(definition, "ChannelSensitivityCorrectionFactor") or 1.0
        if not sufficiency.plausible(kind, scale * sensitivity * correction, column):
            yield violation("conformity.unit_implausible", f"{place}.{_CALIBRATION[0]}")
