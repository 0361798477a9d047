"""EDF, EDF+ and BDF: values against two other readers, gaps, damage, annotations."""

from __future__ import annotations

import pickle
import warnings

import edf_files as made
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdq_core.errors import UnreadableItem
from sdq_signals.formats.edf import read, read_annotations


@pytest.fixture
def file(tmp_path):
    def put(data: bytes, suffix: str = ".edf"):
        path = tmp_path / f"a{suffix}"
        path.write_bytes(data)
        return path

    return put


def rules(recording) -> set[str]:
    return {f.rule.rpartition(".")[2] for f in recording.findings}


ECG = {"ECG II": made.wave(5, 100), "ECG V1": made.wave(5, 100, 300.0)}


@pytest.mark.parametrize(("width", "suffix", "form"), [(2, ".edf", "edf"), (3, ".bdf", "bdf")])
def test_values_units_and_names(file, width, suffix, form):
    recording = read(file(made.write(ECG, width=width), suffix))
    values = recording.read(0, recording.length)
    expected = np.stack([v.reshape(-1) for v in ECG.values()]) / 1e3 / made.SCALE[width]  # in mV
    np.testing.assert_allclose(values, expected, atol=2e-5)
    assert (recording.rate, recording.length, recording.format) == (100.0, 500, form)
    assert recording.labels == ("II", "V1")
    assert [c.unit for c in recording.channels] == ["uV", "uV"]
    assert recording.channels[0].resolution == pytest.approx(1e-3 / made.SCALE[width], rel=1e-4)
    assert not recording.findings


def test_all_24_bit_numbers_of_interest(file):
    numbers = np.array([[0, 1, -1, 2**23 - 1, -(2**23), 256, -256, 65536]])
    recording = read(file(made.write({"EEG Fpz": numbers}, width=3, reserved=""), ".bdf"))
    np.testing.assert_allclose(recording.read(0, 8)[0], numbers[0], rtol=1e-6)


@pytest.mark.parametrize("suffix", [".edf", ".bdf"])
def test_against_two_other_readers(file, suffix):
    edfio = pytest.importorskip("edfio")
    pyedflib = pytest.importorskip("pyedflib")
    data = {**ECG, "EEG Fpz-Cz": made.wave(5, 50)}
    path = file(made.write(data, width=3 if suffix == ".bdf" else 2), suffix)
    recording = read(path)
    values = recording.read(0, recording.length)
    other = (edfio.read_bdf if suffix == ".bdf" else edfio.read_edf)(path)
    with pyedflib.EdfReader(str(path)) as third:
        for k, channel in enumerate(recording.channels):
            own = values[k, :: int(recording.rate / channel.rate)] / channel.factor
            np.testing.assert_allclose(own, other.signals[k].data, rtol=1e-6, atol=1e-4)
            np.testing.assert_allclose(own, third.readSignal(k), rtol=1e-6, atol=1e-4)
            assert other.signals[k].label == channel.name


def test_a_file_that_another_library_wrote(tmp_path):
    edfio = pytest.importorskip("edfio")
    rng = np.random.default_rng(1)
    signals = [
        edfio.EdfSignal(
            rng.normal(0, 0.2, 1000), 250, label=f"ECG {lead}", physical_dimension="mV",
            physical_range=(-5, 5),
        )
        for lead in ("I", "II")
    ]  # fmt: skip
    notes = [edfio.EdfAnnotation(1.5, 2.0, "Apnea"), edfio.EdfAnnotation(2.0, None, "合成数据")]
    edfio.Edf(signals, annotations=notes).write(tmp_path / "b.edf")
    recording = read(tmp_path / "b.edf")
    np.testing.assert_allclose(
        recording.read(0, 1000), [s.data for s in signals], rtol=1e-6, atol=1e-6
    )
    assert [(a.onset, a.duration, a.text) for a in read_annotations(tmp_path / "b.edf")] == [
        (1.5, 2.0, "Apnea"),
        (2.0, None, "合成数据"),
    ]
    assert recording.metadata["synthetic"] == "yes"


@given(st.data())
def test_a_block_is_the_same_whatever_is_read_around_it(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("edf") / "a.edf"
    signals = {
        "ECG II": made.wave(4, 30),
        "Resp chest": made.wave(4, 7),
        "EEG Fpz": made.wave(4, 1),
    }
    path.write_bytes(made.write(signals, reserved="EDF+D", onsets=[0, 1, 3.5, 4.5]))
    recording = read(path)
    whole = recording.read(0, recording.length)
    first = data.draw(st.integers(0, recording.length))
    last = data.draw(st.integers(first, recording.length))
    np.testing.assert_array_equal(recording.read(first, last), whole[:, first:last])


def test_mixed_rates_are_interpolated_and_said(file):
    ramp = np.arange(20).reshape(4, 5) * 10
    recording = read(file(made.write({"EEG Fpz": made.wave(4, 20), "Resp chest": ramp})))
    slow = recording.read(0, recording.length)[1]
    np.testing.assert_allclose(slow[:77], np.arange(77) * 0.25, rtol=1e-5)
    assert (slow[77:] == slow[76]).all()  # held: nothing is known behind the last sample
    (found,) = recording.findings
    assert found.rule == "signals.structure.mixed_rates_in_recording"
    assert "linear" in found.message
    assert [c.rate for c in recording.channels] == [20.0, 5.0]


def test_gaps_are_missing_samples(file):
    data = made.write(ECG, reserved="EDF+D", onsets=[10, 11, 14.5, 15.5, 20])
    recording = read(file(data))
    values = recording.read(0, recording.length)
    assert recording.length == 1100
    held = np.zeros(1100, bool)
    held[0:200] = held[450:650] = held[1000:1100] = True
    np.testing.assert_array_equal(np.isfinite(values[0]), held)
    np.testing.assert_allclose(values[0, held], ECG["ECG II"].reshape(-1) / 1e4, atol=2e-5)
    assert rules(recording) == {"gap"}


def test_a_gap_is_found_though_the_file_claims_to_be_continuous(file):
    recording = read(file(made.write(ECG, onsets=[0, 1, 2, 7, 8])))
    assert rules(recording) == {"gap"}
    assert recording.length == 900


def test_discontinuous_by_name_only_is_continuous(file):
    recording = read(file(made.write(ECG, reserved="EDF+D")))
    assert (recording.length, rules(recording)) == (500, set())


@pytest.mark.parametrize("onsets", [[0, 1, 1.2, 3, 4], [0, 1, -5, 3, 4], [0, 1, 1e11, 3, 4]])
def test_records_without_a_believable_time_are_left_out(file, onsets):
    recording = read(file(made.write(ECG, reserved="EDF+D", onsets=onsets)))
    values = recording.read(0, recording.length)
    assert recording.length == 500
    assert np.isnan(values[:, 200:300]).all()
    assert np.isfinite(values[:, :200]).all()
    assert rules(recording) == {"gap"}


def test_a_damaged_time_in_a_discontinuous_file(file):
    data = made.write(ECG, reserved="EDF+D")
    at = made.body(data) + 2 * (400 + 120) + 400  # the annotations of the third record
    recording = read(file(data[:at] + bytes(10) + data[at + 10 :]))
    assert np.isnan(recording.read(200, 300)).all()


def test_a_discontinuous_file_without_times_is_refused(file):
    data = made.write(ECG, reserved="")
    with pytest.raises(UnreadableItem, match="no place in time") as caught:
        read(file(made.fixed(data, reserved="EDF+D")))
    assert caught.value.rule == "signals.structure.gap"


@pytest.mark.parametrize(
    ("change", "rule", "length"),
    [
        (lambda d: made.fixed(d, records="-1"), None, 500),
        (lambda d: made.fixed(d, records="9"), "truncated", 500),
        (lambda d: made.fixed(d, records="3"), "longer_than_declared", 300),
        (lambda d: d[:-100], "truncated", 400),
        (lambda d: d + b"\0" * 40, "longer_than_declared", 500),
        (lambda d: made.fixed(d, records="many"), None, 500),
        (lambda d: made.fixed(d, header_bytes="1"), None, 500),
        (lambda d: made.fixed(d, version="1"), None, 500),
        (lambda d: made.fixed(d, startdate="99.99.99"), None, 500),
    ],
)
def test_what_can_be_read_of_a_damaged_file_is_read(file, change, rule, length):
    recording = read(file(change(made.write(ECG))))
    assert recording.length == length
    assert rules(recording) == ({rule} if rule else set())
    expected = ECG["ECG II"].reshape(-1)[:length] / 1e4
    np.testing.assert_allclose(recording.read(0, length)[0], expected, atol=2e-5)


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "empty_file"),
        (b"0       short", "not_a_recording"),
        (b"\x89PNG" + b"\0" * 400, "not_a_recording"),
        (made.write(ECG)[:600], "truncated"),
        (made.write(ECG)[: made.body(made.write(ECG))], "truncated"),
        (made.fixed(made.write(ECG), record_duration="0"), "sampling_rate_invalid"),
        (made.fixed(made.write(ECG), record_duration="-1"), "sampling_rate_invalid"),
        (made.fixed(made.write(ECG), record_duration="nan"), "sampling_rate_invalid"),
        (made.fixed(made.write(ECG), records="0"), "no_samples"),
        (made.of_signal(made.write(ECG), 0, samples="100.5"), "header_invalid"),
        (made.of_signal(made.write(ECG), 0, samples="99999999"), "truncated"),
        (made.of_signal(made.write(ECG), 0, samples="-100"), "header_invalid"),
    ],
)
def test_what_cannot_be_read_says_why(file, data, rule):
    with pytest.raises(UnreadableItem) as caught:
        read(file(data))
    assert caught.value.rule == f"signals.structure.{rule}"


def test_annotations_only(file):
    data = made.write({"x": np.zeros((2, 3))}, notes={1: b"+1\x1530\x14Sleep stage N2\x14\x00"})
    only = made.of_signal(data, 0, label="EDF Annotations")
    with pytest.raises(UnreadableItem, match="annotations only") as caught:
        read(file(only))
    assert caught.value.rule == "signals.structure.no_samples"
    assert [a.text for a in read_annotations(file(data))] == ["Sleep stage N2"]


def test_damaged_annotations_do_not_harm(file):
    notes = {
        0: b"+1\x14good\x14\x00",
        1: b"1,5\x14bad\x14\x00",
        2: b"+2\x14open",
        3: b"\xff\x14\x14",
    }
    path = file(made.write(ECG, notes=notes))
    assert [a.text for a in read_annotations(path)] == ["good"]
    assert read(path).length == 500


def test_a_channel_whose_range_is_broken_is_not_calibrated(file):
    data = made.of_signal(made.write(ECG), 1, physical_minimum="5,0")
    recording = read(file(data))
    assert [c.factor is None for c in recording.channels] == [False, True]
    np.testing.assert_array_equal(recording.read(0, 500)[1], ECG["ECG V1"].reshape(-1))


def test_trigger_bits_are_no_channel(file):
    data = made.write({"EEG Fpz": made.wave(2, 50), "Status": np.zeros((2, 50))}, width=3)
    assert read(file(data, ".bdf")).labels == ("Fpz",)


def test_metadata_identifies_nobody(file):
    data = made.fixed(
        made.write(ECG), patient="MRN4711 F 02-MAY-1951 Jane_Doe", startdate="01.05.24"
    )
    metadata = read(file(data)).metadata
    assert metadata == {"sex": "F", "age": "72"}
    old = made.fixed(data, patient="X M 02-MAY-1921 X")
    assert read(file(old)).metadata == {"sex": "M", "age": "90"}


@pytest.mark.parametrize(
    ("recording", "note", "expected"),
    [
        ("Startdate X X X X", b"", {}),
        ("Startdate X X X synthetic", b"", {"synthetic": "yes"}),
        (
            "Startdate X X X generator=vae;version=2;seed=7",
            b"",
            {"synthetic": "yes", "generator": "vae", "version": "2", "seed": "7"},
        ),
        ("Startdate X X X X", b"synthetic", {"synthetic": "yes"}),
        ("Startdate X X X X", "合成".encode(), {"synthetic": "yes"}),
        ("Startdate X X X X", b"synthetic: no", {"synthetic": "no"}),
        ("Startdate X X X X", b"given a synthetic opioid at noon, 5 mg", {}),
    ],
)
def test_declarations_of_synthesis(file, recording, note, expected):
    data = made.write(ECG, notes={0: b"+1\x14" + note + b"\x14\x00"} if note else None)
    assert read(file(made.fixed(data, recording=recording))).metadata == expected


def test_a_recording_travels_between_processes(file):
    recording = read(file(made.write(ECG)))
    again = pickle.loads(pickle.dumps(recording))
    np.testing.assert_array_equal(again.read(3, 300), recording.read(3, 300))


@given(st.binary(max_size=900), st.integers(0, 1500))
def test_no_bytes_make_the_reader_fail(tmp_path_factory, noise, place):
    whole = made.write(ECG)
    path = tmp_path_factory.mktemp("edf") / "a.edf"
    path.write_bytes(whole[:place] + noise + whole[place + len(noise) :])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            recording = read(path)
        except UnreadableItem:
            return
        last = min(recording.length, 4000)
        assert recording.read(0, last).shape == (len(recording.channels), last)
        read_annotations(path)
