"""The linter of DICOM waveforms: silent on valid objects, each planted violation found."""

from __future__ import annotations

import copy
from pathlib import Path

import dicom_waveforms as made
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.data import get_testdata_file

from sdq_core.vocabulary import Severity
from sdq_signals.conformity.dicom import check, check_dataset

TIME = np.arange(2000) / 500
WAVE = np.round(
    np.stack([a * np.sin(2 * np.pi * 1.1 * TIME + k) for k, a in enumerate((900, 700, 1200))], 1)
)
STORED = WAVE.astype("<i2")


def valid() -> Dataset:
    return made.waveform(made.group(STORED))


def pairs(findings) -> list[tuple[str, str]]:
    return [(f.rule.removeprefix("signals."), f.where) for f in findings]


@pytest.mark.parametrize(
    "dataset",
    [
        valid(),
        made.waveform(made.group(STORED, rate="250"), kind="1.2"),
        made.waveform(made.group((WAVE / 10).astype("i1"), rate="125"), kind="1.3"),
        made.waveform(made.group(WAVE.astype("<i4")), kind="1.4"),
        made.waveform(
            made.group(STORED[:, :1], {"EEG Fp1": "4711"}, scheme="MDC", rate="256"),
            kind="7.4",
            modality="EEG",
        ),
    ],
)
def test_valid_objects_are_silent(dataset):
    assert [p for p in pairs(check_dataset(dataset)) if "source_scheme" not in p[0]] == []


def test_a_saved_object_is_silent(tmp_path):
    made.save(valid(), tmp_path / "a.dcm")
    assert check(tmp_path / "a.dcm") == ()


GROUP = "WaveformSequence[0]"


def of_object(**values) -> Dataset:
    dataset = valid()
    for name, value in values.items():
        setattr(dataset, name, value)
    return dataset


def of_group(**values) -> Dataset:
    dataset = valid()
    for name, value in values.items():
        setattr(dataset.WaveformSequence[0], name, value)
    return dataset


def of_channel(**values) -> Dataset:
    dataset = valid()
    for name, value in values.items():
        setattr(dataset.WaveformSequence[0].ChannelDefinitionSequence[0], name, value)
    return dataset


def lacking(name: str, level: str) -> Dataset:
    dataset = valid()
    group = dataset.WaveformSequence[0]
    holder = {"object": dataset, "group": group, "channel": group.ChannelDefinitionSequence[0]}
    delattr(holder[level], name)
    return dataset


def many(count: int, samples: int = 2000) -> Dataset:
    stored = np.resize(STORED, (samples, count))
    leads = {f"x{k}": f"9:{k}" for k in range(count)}
    return made.waveform(made.group(stored, leads))


MISSING = [
    *((lacking(n, "object"), n) for n in (
        "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality",
        "InstanceNumber", "ContentDate", "ContentTime", "AcquisitionDateTime", "WaveformSequence",
    )),
    *((lacking(n, "group"), f"{GROUP}.{n}") for n in (
        "WaveformOriginality", "NumberOfWaveformChannels", "NumberOfWaveformSamples",
        "SamplingFrequency", "ChannelDefinitionSequence", "WaveformBitsAllocated",
        "WaveformSampleInterpretation", "WaveformData",
    )),
    *((lacking(n, "channel"), f"channel 1.{GROUP}.{n}") for n in (
        "ChannelSourceSequence", "WaveformBitsStored", "ChannelSensitivityUnitsSequence",
        "ChannelSensitivityCorrectionFactor", "ChannelBaseline",
    )),
    (of_group(WaveformOriginality=""), f"{GROUP}.WaveformOriginality"),
]  # fmt: skip


@pytest.mark.parametrize(("dataset", "where"), MISSING, ids=[where for _, where in MISSING])
def test_each_missing_attribute(dataset, where):
    assert ("conformity.dicom_missing", where) in pairs(check_dataset(dataset))


CHANNEL = f"channel 1.{GROUP}"
UNITS = f"{CHANNEL}.ChannelSensitivityUnitsSequence"


@pytest.mark.parametrize(
    ("dataset", "rule", "where"),
    [
        (of_object(SOPClassUID="1.2.840.10008.5.1.4.1.1.2"), "dicom_sop_class", "SOPClassUID"),
        (of_object(Modality="EEG"), "dicom_modality", "Modality"),
        (of_group(WaveformOriginality="SYNTHETIC"), "dicom_value", f"{GROUP}.WaveformOriginality"),
        (of_group(SamplingFrequency="0"), "dicom_value", f"{GROUP}.SamplingFrequency"),
        (of_group(SamplingFrequency="5000"), "dicom_sampling_frequency",
         f"{GROUP}.SamplingFrequency"),
        (of_group(SamplingFrequency="100"), "dicom_sampling_frequency",
         f"{GROUP}.SamplingFrequency"),
        (many(14), "dicom_channels", f"{GROUP}.NumberOfWaveformChannels"),
        (many(2, 20000), "dicom_samples", f"{GROUP}.NumberOfWaveformSamples"),
        (made.waveform(*[made.group(STORED) for _ in range(6)]), "dicom_groups",
         "WaveformSequence"),
        (made.waveform(*[made.group(STORED) for _ in range(5)]), "dicom_channels",
         "WaveformSequence"),
        (made.waveform(made.group(WAVE.astype("<i4"))), "dicom_interpretation",
         f"{GROUP}.WaveformSampleInterpretation"),
        (of_group(WaveformSampleInterpretation="SL"), "dicom_bits",
         f"{GROUP}.WaveformSampleInterpretation"),
        (of_group(WaveformBitsAllocated=12), "dicom_bits", f"{GROUP}.WaveformSampleInterpretation"),
        (of_channel(WaveformBitsStored=24), "dicom_bits", f"{CHANNEL}.WaveformBitsStored"),
        (of_group(NumberOfWaveformChannels=2), "dicom_channel_definitions",
         f"{GROUP}.ChannelDefinitionSequence"),
        (of_group(NumberOfWaveformSamples=1999), "dicom_data_length", f"{GROUP}.WaveformData"),
        (of_group(WaveformData=STORED.tobytes()[:-2]), "dicom_data_length",
         f"{GROUP}.WaveformData"),
        (of_channel(ChannelTimeSkew="0"), "dicom_skew", f"{CHANNEL}.ChannelSampleSkew"),
        (lacking("ChannelSampleSkew", "channel"), "dicom_skew", f"{CHANNEL}.ChannelSampleSkew"),
        (of_channel(ChannelSourceSequence=made.code("2:1", "MDC", "")), "dicom_code",
         f"{CHANNEL}.ChannelSourceSequence"),
        (of_channel(ChannelSourceSequence=made.code("1", "99LOCAL", "Lead I")),
         "dicom_source_scheme", f"{CHANNEL}.ChannelSourceSequence"),
        (of_channel(ChannelSensitivityUnitsSequence=made.code("uV", "99LOCAL", "x")),
         "dicom_unit_scheme", UNITS),
        (of_channel(ChannelSensitivityUnitsSequence=made.code("V", "UCUM", "volt")),
         "unit_implausible", UNITS),
        (of_channel(ChannelSensitivity="0.001"), "unit_implausible", UNITS),
    ],
)  # fmt: skip
def test_each_planted_violation_is_found_at_its_attribute(dataset, rule, where):
    assert (f"conformity.{rule}", where) in pairs(check_dataset(dataset))


@pytest.mark.parametrize(
    ("dataset", "rule", "where"),
    [
        (lacking("SamplingFrequency", "group"), "sampling_rate_missing",
         f"{GROUP}.SamplingFrequency"),
        (lacking("NumberOfWaveformSamples", "group"), "sample_count_missing",
         f"{GROUP}.NumberOfWaveformSamples"),
        (lacking("ChannelSensitivity", "channel"), "gain_missing",
         f"{CHANNEL}.ChannelSensitivity"),
        (of_channel(ChannelSensitivity="0"), "gain_missing", f"{CHANNEL}.ChannelSensitivity"),
        (lacking("ChannelSensitivityUnitsSequence", "channel"), "unit_missing", UNITS),
        (of_channel(ChannelSensitivityUnitsSequence=made.code("mm[Hg]", "UCUM", "x")),
         "unit_unknown", UNITS),
        (lacking("ChannelSourceSequence", "channel"), "channel_name_missing",
         f"{CHANNEL}.ChannelSourceSequence"),
    ],
)  # fmt: skip
def test_sufficiency(dataset, rule, where):
    (finding,) = [f for f in check_dataset(dataset) if f.rule == f"signals.metadata.{rule}"]
    assert finding.where == where
    assert finding.severity is Severity.ERROR


def test_the_same_lead_twice():
    group = made.group(STORED, {"I": "2:1", "II": "2:2", "V1": "2:1"})
    (finding,) = check_dataset(made.waveform(group))
    assert finding.rule == "signals.metadata.channel_name_repeated"


def test_a_rate_that_the_data_set_does_not_declare():
    assert check_dataset(valid(), rates=(500.0,)) == ()
    assert pairs(check_dataset(valid(), rates=(250.0,))) == [
        ("metadata.sampling_rate_unusual", f"{GROUP}.SamplingFrequency")
    ]


def test_shared_rules_of_all_objects():
    dataset = of_object(PatientName="Doe^Jane", PatientID="00123456", ContentDate="20240101")
    assert pairs(check_dataset(dataset)) == [
        ("identifier.name", "PatientName"),
        ("identifier.record_number", "PatientID"),
    ]
    dataset.SyntheticData = "YES"
    assert [f.severity for f in check_dataset(dataset)] == [Severity.WARNING]
    note = Dataset()
    note.UnformattedTextValue = "MRN 00123456, call +1 212-555-0100"
    dataset = of_object(WaveformAnnotationSequence=[note])
    assert {where for _, where in pairs(check_dataset(dataset))} == {
        "WaveformAnnotationSequence[0].UnformattedTextValue"
    }
    assert all("00123456" not in f.message for f in check_dataset(dataset))


def test_values_in_the_wrong_form(tmp_path):
    dataset = valid()
    made.save(dataset, tmp_path / "a.dcm")
    data = (tmp_path / "a.dcm").read_bytes()
    at = data.index(b"20240101")
    (tmp_path / "a.dcm").write_bytes(data[:at] + b"20240231" + data[at + 8 :])
    assert ("conformity.value_representation", "StudyDate") in pairs(check(tmp_path / "a.dcm"))


@pytest.mark.parametrize("padded", [True, False])
def test_padding_is_no_sample(padded):
    """Where a fifth of the samples are padding, their span says nothing of the unit."""
    dataset = valid()
    first = dataset.WaveformSequence[0]
    stored = np.frombuffer(first.WaveformData, "<i2").reshape(-1, first.NumberOfWaveformChannels)
    stored = stored.copy()
    stored[::5] = -32768
    first.WaveformData = stored.tobytes()
    if padded:
        first.add_new("WaveformPaddingValue", "OW", np.array(-32768, "<i2").tobytes())
    for definition in first.ChannelDefinitionSequence:
        definition.ChannelSensitivity = "5"
    found = [
        f.rule for f in check_dataset(dataset) if f.rule == "signals.conformity.unit_implausible"
    ]
    assert bool(found) is not padded


def test_a_real_electrocardiograph():
    findings = check(Path(str(get_testdata_file("waveform_ecg.dcm"))))
    # dciodvfy warns of these private attributes without a creator too.
    others = {f.rule for f in findings if f.area != "identifier"}
    assert others == {"signals.conformity.private_creator"}
    assert {f.rule for f in findings if f.severity is Severity.ERROR} == {
        f"signals.identifier.{kind}" for kind in ("staff_name", "record_number", "birth_date")
    }


def test_what_is_no_waveform(tmp_path):
    (tmp_path / "a.dcm").write_bytes(b"hello")
    assert pairs(check(tmp_path / "a.dcm")) == [("conformity.dicom_missing", "WaveformSequence")]


def test_the_object_is_left_as_it_was():
    dataset = valid()
    before = copy.deepcopy(dataset)
    check_dataset(dataset)
    assert dataset == before


@given(st.binary(min_size=1, max_size=40), st.integers(132, 2000))
def test_no_bytes_make_the_linter_fail(tmp_path_factory, noise, place):
    path = tmp_path_factory.mktemp("dicom") / "a.dcm"
    made.save(made.waveform(made.group(STORED[:20])), path)
    whole = path.read_bytes()
    path.write_bytes(whole[:place] + noise + whole[place + len(noise) :])
    check(path)
