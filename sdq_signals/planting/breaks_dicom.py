"""What can be broken in a DICOM waveform object, and which rules must see it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sdq_core.dicom.elements import items, text
from sdq_signals.formats.dicom import dataset
from sdq_signals.planting.breaks import Alternative, Family, identifying_lines
from sdq_signals.planting.write_dicom import save

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["ATTRIBUTES", "FORM", "IDENTIFYING", "LENGTH", "LIMITS", "MISSING", "UNREADABLE"]


def _with(*edits: Callable[[Any], None]) -> Callable[[Path], Path]:
    def apply(path: Path) -> Path:
        header = dataset(path)
        for edit in edits:
            edit(header)
        save(header, path)
        return path

    return apply


def _group(header: Dataset) -> Any:
    found: Any = (items(header, "WaveformSequence") or ())[0]
    return found


def _channel(header: Dataset, k: int = 0) -> Any:
    found: Any = (items(_group(header), "ChannelDefinitionSequence") or ())[k]
    return found


def _raw(header: Dataset, tag: int, vr: str, value: bytes) -> None:
    """Put an element in as a broken writer would, without a check of its value."""
    from pydicom.dataelem import RawDataElement
    from pydicom.tag import Tag

    header._dict[Tag(tag)] = RawDataElement(Tag(tag), vr, len(value), value, 0, False, True)


def _missing(header: Dataset) -> None:
    for name in ("InstanceNumber", "ContentDate"):
        if name in header:
            delattr(header, name)
    header.AcquisitionDateTime = None
    channel = _channel(header)
    del channel.WaveformBitsStored
    if "ChannelBaseline" in channel:
        del channel.ChannelBaseline


def _without_gain(header: Dataset) -> None:
    channel = _channel(header)
    if "ChannelSensitivity" in channel:
        del channel.ChannelSensitivity


def _without_unit(header: Dataset) -> None:
    channel = _channel(header)
    if "ChannelSensitivityUnitsSequence" in channel:
        del channel.ChannelSensitivityUnitsSequence


def _odd_unit(header: Dataset) -> None:
    units = items(_channel(header), "ChannelSensitivityUnitsSequence") or ()
    units[0].CodeValue = "furlong"


def _without_name(header: Dataset) -> None:
    channel = _channel(header)
    for name in ("ChannelSourceSequence", "ChannelLabel"):
        if name in channel:
            delattr(channel, name)


def _same_names(header: Dataset) -> None:
    _channel(header, 1).ChannelSourceSequence = _channel(header).ChannelSourceSequence


def _values(header: Dataset) -> None:
    """Write what the standard does not define, no dates, and text in no character set."""
    header.Modality = "CT"
    _group(header).WaveformOriginality = "MAYBE"
    channel = _channel(header)
    channel.WaveformBitsStored = 40
    if "ChannelSampleSkew" in channel:
        del channel.ChannelSampleSkew
    for name in ("ChannelSourceSequence", "ChannelSensitivityUnitsSequence"):
        for code in items(channel, name) or ():
            code.CodingSchemeDesignator = "99LOCAL"
            code.CodeMeaning = None
    _raw(header, 0x00080023, "DA", b"20250231")
    _raw(header, 0x0008103E, "LO", b"caf\xe9s")
    _raw(header, 0x00091001, "LO", b"what")


def _sequences(header: Dataset) -> None:
    """Nest sequences deeper than any reader follows."""
    from pydicom.dataset import Dataset as New
    from pydicom.sequence import Sequence

    inner = New()
    inner.CodeValue = "1"
    for _ in range(40):
        outer = New()
        outer.AcquisitionContextSequence = Sequence([inner])
        inner = outer
    header.AcquisitionContextSequence = Sequence([inner])


def _foreign_class(header: Dataset) -> None:
    header.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    _group(header).WaveformOriginality = "MAYBE"


def _more_groups(header: Dataset) -> None:
    """Add groups of the same rhythm, one of them without a channel's definition."""
    import copy

    first = _group(header)
    first.MultiplexGroupLabel = "RHYTHM"
    first.WaveformOriginality = "ORIGINAL"
    for k in range(5):
        more = copy.deepcopy(first)
        more.MultiplexGroupLabel = "MORE"
        if k == 0:
            del more.ChannelDefinitionSequence[-1]
        header.WaveformSequence.append(more)


def _long(header: Dataset) -> None:
    _group(header).NumberOfWaveformSamples = 20000


def _fast(header: Dataset) -> None:
    """State a rate that no class allows, and write wider numbers than the class allows."""
    import numpy as np

    group = _group(header)
    group.SamplingFrequency = "30000"
    if text(group, "WaveformSampleInterpretation") == "SS":
        wide = np.frombuffer(group.WaveformData, "<i2").astype("<i4")
        channels = int(group.NumberOfWaveformChannels) * int(group.NumberOfWaveformSamples)
        group.WaveformSampleInterpretation = "SL"
        group.WaveformBitsAllocated = 32
        group.add_new("WaveformData", "OW", wide[:channels].tobytes())


def _cut(header: Dataset) -> None:
    group = _group(header)
    data = group.WaveformData
    group.add_new("WaveformData", "OW", data[: len(data) // 4 * 2])


def _padded(header: Dataset) -> None:
    group = _group(header)
    group.add_new("WaveformData", "OW", group.WaveformData + bytes(4096))


def _identifiers(header: Dataset) -> None:
    """Leave the header as the hospital wrote it."""
    if "SyntheticData" in header:
        del header.SyntheticData
    header.PatientName = "Doe^Jane"
    header.PatientID = "00123456"
    header.PatientBirthDate = "19700312"
    header.PatientAge = "095Y"
    header.PatientAddress = "1 Example Street"
    header.InsurancePlanIdentification = "00123456"
    header.OperatorsName = "Smith^Adam"
    header.AccessionNumber = "A0012345"
    header.InstitutionName = "Example Hospital"
    header.DeviceSerialNumber = "D0012345"
    header.Occupation = "teacher"
    header.StudyDate = header.ContentDate = "20190312"
    header.BurnedInAnnotation = "YES"
    header.AcquisitionComments = "; ".join(identifying_lines().values())
    header.add_new(0x60003000, "OW", b"\0\0")
    header.private_block(0x0009, "EXAMPLE", create=True).add_new(0x01, "LO", "bed 7")


def _unsupported(header: Dataset) -> None:
    _group(header).WaveformSampleInterpretation = "MB"


def _no_rate(header: Dataset) -> None:
    del _group(header).SamplingFrequency


def _no_samples(header: Dataset) -> None:
    del _group(header).WaveformData


def _undefined(header: Dataset) -> None:
    del _group(header).ChannelDefinitionSequence[-1]


def _no_waveform(header: Dataset) -> None:
    del header.WaveformSequence


def _zero_rate(header: Dataset) -> None:
    _group(header).SamplingFrequency = "-1"


def _empty(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def _ids(area: str, *names: str) -> tuple[str, ...]:
    return tuple(f"signals.{area}.{name}" for name in names)


MISSING: Final[Family] = {
    "dicom": (
        Alternative(
            (*_ids("conformity", "dicom_missing"), *_ids("metadata", "gain_missing")),
            _with(_missing, _without_gain),
        ),
        Alternative((*_ids("metadata", "unit_missing"), *_ids("structure", "unit_missing")),
                    _with(_without_unit)),
        Alternative((*_ids("metadata", "unit_unknown"), *_ids("structure", "unit_unknown")),
                    _with(_odd_unit)),
        Alternative((*_ids("metadata", "channel_name_missing"),
                     *_ids("conformity", "dicom_missing")), _with(_without_name)),
        Alternative((*_ids("metadata", "channel_name_repeated"),
                     *_ids("structure", "duplicate_channels")), _with(_same_names), 2),
    )
}  # fmt: skip

FORM: Final[Family] = {
    "dicom": (
        Alternative(
            _ids("conformity", "dicom_modality", "dicom_value", "dicom_bits", "dicom_skew",
                 "dicom_code", "dicom_unit_scheme", "dicom_source_scheme", "value_representation",
                 "character_set", "private_creator"),
            _with(_values),
        ),
        Alternative(_ids("conformity", "dicom_sop_class", "dicom_value"), _with(_foreign_class)),
    )
}  # fmt: skip

LIMITS: Final[Family] = {
    "dicom": (
        Alternative(
            (*_ids("conformity", "dicom_groups", "dicom_channels", "dicom_channel_definitions"),
             *_ids("structure", "groups_left_out")),
            _with(_more_groups),
        ),
        Alternative(
            (*_ids("conformity", "dicom_samples", "dicom_data_length"),
             *_ids("structure", "truncated")),
            _with(_long),
        ),
        Alternative(_ids("conformity", "dicom_sampling_frequency", "dicom_interpretation"),
                    _with(_fast)),
    )
}  # fmt: skip
"""Of the 12-lead class, which sets all limits; other classes set some of them."""

ATTRIBUTES: Final[Family] = {
    "dicom": (Alternative(_ids("structure", "nested_too_deep"), _with(_sequences)),)
}

IDENTIFYING: Final[Family] = {
    "dicom": (
        Alternative(
            _ids("identifier", "name", "record_number", "birth_date", "contact",
                 "insurance_number", "staff_name", "order_number", "institution", "device",
                 "demographic", "date", "age_over_89", "private_attributes",
                 "burned_in_annotation", "overlay", *identifying_lines()),
            _with(_identifiers),
        ),
    )
}  # fmt: skip

LENGTH: Final[Family] = {
    "dicom": (
        Alternative((*_ids("structure", "truncated"), *_ids("conformity", "dicom_data_length")),
                    _with(_cut)),
        Alternative((*_ids("structure", "longer_than_declared"),
                     *_ids("conformity", "dicom_data_length")), _with(_padded)),
    )
}  # fmt: skip

UNREADABLE: Final[Family] = {
    "dicom": (
        Alternative(_ids("structure", "empty_file"), _empty),
        Alternative(_ids("structure", "unsupported"), _with(_unsupported)),
        Alternative(_ids("structure", "sampling_rate_missing"), _with(_no_rate)),
        Alternative(_ids("structure", "no_samples"), _with(_no_samples)),
        Alternative(_ids("structure", "header_invalid"), _with(_undefined)),
        Alternative(_ids("structure", "not_a_recording"), _with(_no_waveform)),
        Alternative(_ids("structure", "sampling_rate_invalid"), _with(_zero_rate)),
    )
}
