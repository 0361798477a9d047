"""DICOM waveforms: values, units, lead codes, groups, damage."""

from __future__ import annotations

import pickle
from pathlib import Path

import dicom_waveforms as made
import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.data import get_testdata_file

from sdq_core.errors import UnreadableItem
from sdq_signals.formats.dicom import is_dicom, read

RNG = np.random.default_rng(3)
STORED = RNG.integers(-2000, 2000, (500, 3)).astype("<i2")


@pytest.fixture
def opened(tmp_path):
    def at(dataset: Dataset, **options):
        made.save(dataset, tmp_path / "a.dcm", **options)
        return read(tmp_path / "a.dcm")

    return at


def rules(recording) -> set[str]:
    return {f.rule.rpartition(".")[2] for f in recording.findings}


def test_values_units_and_leads(opened):
    recording = opened(made.waveform(made.group(STORED)))
    np.testing.assert_allclose(recording.read(0, 500), STORED.T * 0.00125, rtol=1e-6)
    np.testing.assert_array_equal(recording.read(7, 9), recording.read(0, 500)[:, 7:9])
    assert recording.labels == ("I", "II", "V1")
    assert (recording.rate, recording.length, recording.format) == (500.0, 500, "dicom")
    assert {c.kind for c in recording.channels} == {"ecg"}
    assert recording.channels[0].resolution == pytest.approx(0.00125)
    assert recording.channels[0].lowest == pytest.approx(-40.96)
    assert recording.findings == ()


@pytest.mark.parametrize("kind", ["<i1", "<u1", "<i2", "<u2", "<i4", "<u4"])
def test_every_sample_type(opened, kind):
    limits = np.iinfo(kind)
    stored = np.array([[limits.min, limits.max, 1], [0, 5, limits.max - 1]], kind)
    recording = opened(made.waveform(made.group(stored)))
    np.testing.assert_allclose(recording.read(0, 2), stored.T * 0.00125, rtol=1e-6)


def test_big_endian(opened):
    group = made.group(STORED.astype(">i2"))
    np.testing.assert_allclose(
        opened(made.waveform(group), big=True).read(0, 500), STORED.T * 0.00125, rtol=1e-6
    )


def test_sensitivity_correction_baseline_and_unit(opened):
    group = made.group(STORED, unit="mV")
    for definition in group.ChannelDefinitionSequence:
        definition.ChannelSensitivity = "0.005"
        definition.ChannelSensitivityCorrectionFactor = "1.1"
        definition.ChannelBaseline = "-0.25"
    values = opened(made.waveform(group)).read(0, 500)
    np.testing.assert_allclose(values, STORED.T * 0.005 * 1.1 - 0.25, rtol=1e-5, atol=1e-6)


def test_padding_is_a_missing_sample(opened):
    group = made.group(STORED)
    group.add_new("WaveformPaddingValue", "OW", STORED[3, 1].tobytes())
    values = opened(made.waveform(group)).read(0, 500)
    np.testing.assert_array_equal(np.isnan(values), STORED[3, 1] == STORED.T)


@pytest.mark.parametrize(
    ("value", "scheme", "meaning", "label"),
    [
        ("2:62", "MDC", "x", "aVR"),
        ("2:8", "MDC", "x", "V6"),
        ("MDC_ECG_LEAD_II", "MDC", "x", "II"),
        ("5.6.3-9-63", "SCPECG", "x", "aVL"),
        ("5.6.3-9-1", "SCPECG", "Lead I (Einthoven)", "I"),
        ("10:1", "MDC", "Lead III (Einthoven)", "III"),
        ("99", "99LOCAL", "EEG Fp1-Ref", "Fp1-Ref"),
    ],
)
def test_names_of_channels(opened, value, scheme, meaning, label):
    group = made.group(STORED[:, :1], {"x": value})
    group.ChannelDefinitionSequence[0].ChannelSourceSequence = made.code(value, scheme, meaning)
    assert opened(made.waveform(group)).labels == (label,)


def test_the_rhythm_is_taken_and_the_others_are_noted(opened):
    beat, rhythm = made.group(STORED[:50]), made.group(STORED)
    beat.WaveformOriginality, beat.MultiplexGroupLabel = "DERIVED", "MEDIAN BEAT"
    pulse = made.group(STORED[:100])
    pulse.MultiplexGroupLabel = "PULSE"
    recording = opened(made.waveform(beat, pulse, rhythm))
    assert recording.length == 500
    assert rules(recording) == {"groups_left_out"}
    assert opened(made.waveform(beat, pulse)).length == 100
    assert opened(made.waveform(beat)).length == 50


def test_without_sensitivity_a_channel_is_not_calibrated(opened):
    group = made.group(STORED)
    del group.ChannelDefinitionSequence[1].ChannelSensitivity
    recording = opened(made.waveform(group))
    assert [c.factor is None for c in recording.channels] == [False, True, False]
    np.testing.assert_array_equal(recording.read(0, 500)[1], STORED[:, 1])


def test_metadata(opened):
    dataset = made.waveform(made.group(STORED))
    dataset.PatientSex, dataset.PatientAge, dataset.PatientName = "F", "095Y", "Doe^Jane"
    dataset.Manufacturer, dataset.SyntheticData = "Maker", "YES"
    dataset.DerivationDescription = "generator=vae; version=2; seed=7"
    assert opened(dataset).metadata == {
        "modality": "ECG", "manufacturer": "Maker", "sex": "F", "age": "90", "synthetic": "yes",
        "generator": "vae", "version": "2", "seed": "7",
    }  # fmt: skip


def without(name: str) -> Dataset:
    group = made.group(STORED)
    delattr(group, name)
    return made.waveform(group)


def altered(**values) -> Dataset:
    group = made.group(STORED)
    for name, value in values.items():
        setattr(group, name, value)
    return made.waveform(group)


@pytest.mark.parametrize(
    ("dataset", "rule"),
    [
        (made.waveform(), "not_a_recording"),
        (without("SamplingFrequency"), "sampling_rate_missing"),
        (altered(SamplingFrequency="0"), "sampling_rate_invalid"),
        (without("WaveformData"), "no_samples"),
        (without("NumberOfWaveformSamples"), "no_samples"),
        (altered(NumberOfWaveformChannels=0), "no_samples"),
        (altered(WaveformBitsAllocated=24), "header_invalid"),
        (altered(WaveformBitsAllocated=8, WaveformSampleInterpretation="MB"), "unsupported"),
        (altered(NumberOfWaveformChannels=2), "header_invalid"),
        (altered(WaveformData=b"\0\0"), "truncated"),
    ],
)
def test_what_cannot_be_read_says_why(opened, dataset, rule):
    with pytest.raises(UnreadableItem) as caught:
        opened(dataset)
    assert caught.value.rule == f"signals.structure.{rule}"


def test_data_of_another_length(opened):
    short = opened(altered(WaveformData=STORED[:400].tobytes()))
    assert (short.length, rules(short)) == (400, {"truncated"})
    long = opened(altered(NumberOfWaveformSamples=300))
    assert (long.length, rules(long)) == (300, {"longer_than_declared"})


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "empty_file"),
        (b"hello" * 50, "not_a_recording"),
        (b"\0" * 128 + b"DICM", "not_a_recording"),
    ],
)
def test_what_is_not_dicom(tmp_path, data, rule):
    (tmp_path / "a.dcm").write_bytes(data)
    with pytest.raises(UnreadableItem) as caught:
        read(tmp_path / "a.dcm")
    assert caught.value.rule == f"signals.structure.{rule}"
    with pytest.raises(UnreadableItem, match="cannot be opened"):
        read(tmp_path / "b.dcm")


def test_a_real_electrocardiograph():
    path = get_testdata_file("waveform_ecg.dcm")
    recording = read(Path(path))
    other = pydicom.dcmread(path).waveform_array(0).T / 1000
    np.testing.assert_allclose(recording.read(0, recording.length), other, rtol=1e-6, atol=1e-7)
    assert recording.labels[:6] == ("I", "II", "III", "aVR", "aVL", "aVF")
    values = recording.read(0, 10000)
    assert np.abs(values[0] + values[2] - values[1]).max() < 0.003  # Einthoven: two steps


def test_it_is_told_from_other_files_and_travels_between_processes(tmp_path):
    made.save(made.waveform(made.group(STORED)), tmp_path / "a.dcm")
    assert is_dicom(tmp_path / "a.dcm")
    assert not is_dicom(tmp_path / "none")
    recording = read(tmp_path / "a.dcm")
    again = pickle.loads(pickle.dumps(recording))
    np.testing.assert_array_equal(again.read(0, 500), recording.read(0, 500))


@given(st.binary(min_size=1, max_size=40), st.integers(132, 2000))
def test_no_bytes_make_the_reader_fail(tmp_path_factory, noise, place):
    path = tmp_path_factory.mktemp("dicom") / "a.dcm"
    made.save(made.waveform(made.group(STORED[:20])), path)
    whole = path.read_bytes()
    path.write_bytes(whole[:place] + noise + whole[place + len(noise) :])
    try:
        recording = read(path)
    except UnreadableItem:
        return
    recording.read(0, min(recording.length, 100))
