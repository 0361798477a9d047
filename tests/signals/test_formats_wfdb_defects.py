"""Planted defects of WFDB records: each is told, none stops the reading."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from records import encoded, noise, record, rules, segmented

from sdq_core.errors import UnreadableItem
from sdq_core.vocabulary import Severity
from sdq_signals.formats import wfdb
from sdq_signals.formats import wfdb_samples as stored_samples
from sdq_signals.rules import RULES


def refused(path, **options):
    with pytest.raises(UnreadableItem) as error:
        wfdb.read(path, **options)
    return error.value.rule.removeprefix("signals.structure.")


def whole(recording):
    return recording.read(0, recording.length)


def test_a_file_that_ends_early(tmp_path):
    stored = noise(100, 2)
    found = wfdb.read(record(tmp_path, stored, data=encoded(stored, 16)[:-6]))
    assert rules(found.findings) == ["truncated"]
    assert found.length == 98
    np.testing.assert_array_equal(whole(found), (stored[:98] / 200).T.astype(np.float32))
    assert refused(record(tmp_path / "b", stored, data=b"\0")) == "truncated"
    assert refused(record(tmp_path / "c", stored, data=b"")) == "no_samples"


def test_one_file_of_two_that_ends_early_is_missing_at_its_end(tmp_path):
    path = record(tmp_path, noise(10, 1), gain="1/mV")
    text = path.read_text().replace("r 1", "r 2") + "b.dat 16 1/mV 16 0 0 0 0 V1\n"
    path.write_text(text)
    (tmp_path / "b.dat").write_bytes(encoded(np.arange(4), 16))
    found = wfdb.read(path)
    np.testing.assert_array_equal(whole(found)[1], [0, 1, 2, 3] + [np.nan] * 6)
    assert [(f.rule.rpartition(".")[2], f.where) for f in found.findings] == [
        ("truncated", "data file 2")
    ]


@pytest.mark.parametrize("number", [16, 212, 24])
def test_a_file_that_goes_on(tmp_path, number):
    stored = noise(9, 1, number)
    longer = encoded(np.vstack([stored, [[1], [2]]]), number)
    found = wfdb.read(record(tmp_path, stored, number, data=longer))
    assert rules(found.findings) == ["longer_than_declared"]
    assert found.length == 9
    padded = encoded(stored, number) + (b"\0" if number == 212 else b"")
    assert wfdb.read(record(tmp_path / "b", stored, number, data=padded)).findings == ()


def test_a_header_without_length_takes_what_is_there(tmp_path):
    stored = noise(77, 2)
    for length in (0, ""):
        found = wfdb.read(record(tmp_path, stored, length=length))
        assert (found.length, found.findings) == (77, ())


def test_a_wrong_checksum_is_found_and_names_its_channel(tmp_path):
    stored = noise(100, 2)
    path = record(tmp_path, stored)
    data = bytearray((tmp_path / "r.dat").read_bytes())
    data[202] ^= 1
    (tmp_path / "r.dat").write_bytes(data)
    (found,) = wfdb.read(path).findings
    assert (found.rule, found.where) == ("signals.structure.checksum", "channel 2")
    assert found.severity is Severity.ERROR
    assert wfdb.read(path, verify=False).findings == ()


def test_checksums_are_sums_over_blocks(tmp_path, monkeypatch):
    stored = noise(1001, 3, 212)
    path = record(tmp_path, stored, 212)
    monkeypatch.setattr(stored_samples, "BLOCK", 10)
    stored_samples.checksums.cache_clear()
    assert wfdb.read(path).findings == ()


@pytest.mark.parametrize("gain", ["0", "0(5)/mV", "", "/mV"])
def test_a_channel_without_gain_keeps_its_stored_values(tmp_path, gain):
    stored = noise(10, 1)
    path = record(tmp_path, stored, gain=gain or "0")
    if not gain:
        path.write_text("r 1 250 10\nr.dat 16\n")
    found = wfdb.read(path)
    np.testing.assert_array_equal(whole(found), stored.T)
    assert found.channels[0].factor is None
    assert not found.calibrated
    assert "gain_zero" in rules(found.findings)


def test_a_missing_unit_is_mv_and_told_and_an_unknown_one_is_not_calibrated(tmp_path):
    stored = noise(10, 2)
    found = wfdb.read(record(tmp_path, stored, gain=["100", "100/furlong"]))
    assert [(c.unit, c.factor) for c in found.channels] == [("", 1.0), ("furlong", None)]
    np.testing.assert_allclose(whole(found), stored.T / 100, rtol=1e-6)
    assert rules(found.findings) == ["unit_missing", "unit_unknown"]
    assert {f.severity for f in found.findings} == {Severity.WARNING}


def test_rates_that_cannot_be(tmp_path):
    for rate in ("0", "0.0", "1e99"):
        assert refused(record(tmp_path, noise(9, 1), rate=rate)) == "sampling_rate_invalid"
    assert refused(record(tmp_path, noise(9, 1), rate="-5")) == "sampling_rate_invalid"
    assert refused(record(tmp_path, noise(9, 1), rate="fast")) == "header_invalid"


def test_a_missing_rate_is_that_of_the_format_and_told(tmp_path):
    path = record(tmp_path, noise(9, 1))
    lines = path.read_text().splitlines()
    path.write_text("\n".join(["r 1", *lines[1:]]))
    found = wfdb.read(path)
    assert (found.rate, found.length) == (250.0, 9)
    assert rules(found.findings) == ["sampling_rate_default"]


def test_two_channels_of_one_name(tmp_path):
    found = wfdb.read(record(tmp_path, noise(9, 3), names=["II", "V1", "ii"]))
    assert [(f.rule.rpartition(".")[2], f.where) for f in found.findings] == [
        ("duplicate_channels", "channels 1, 3")
    ]


def test_a_missing_data_file(tmp_path):
    path = record(tmp_path, noise(9, 1))
    (tmp_path / "r.dat").unlink()
    assert refused(path) == "data_file_missing"
    path = segmented(tmp_path / "m")
    (tmp_path / "m/s2.dat").unlink()
    assert refused(path) == "data_file_missing"
    (tmp_path / "m/s2.hea").unlink()
    assert refused(path) == "data_file_missing"


def test_one_sample(tmp_path):
    found = wfdb.read(record(tmp_path, [[5]], 212, gain="1/mV"))
    np.testing.assert_array_equal(whole(found), [[5]])


@pytest.mark.parametrize("name", ["../s.dat", "/etc/passwd", "..\\s.dat", "x/../../s.dat", "C:s"])
def test_no_name_leads_out_of_the_folder(tmp_path, name):
    (tmp_path / "s.dat").write_bytes(bytes(100))
    path = record(tmp_path / "db", noise(9, 1))
    path.write_text(path.read_text().replace("r.dat", name))
    assert refused(path) == "path_outside"
    path.write_text(f"r/1 1 250 9\n{name.removesuffix('.dat')} 9\n")
    assert refused(path) == "path_outside"


def test_no_link_leads_out_of_the_folder(tmp_path):
    path = record(tmp_path / "db", noise(9, 1))
    (tmp_path / "s.dat").write_bytes(bytes(100))
    (tmp_path / "db/r.dat").unlink()
    (tmp_path / "db/r.dat").symlink_to(tmp_path / "s.dat")
    assert refused(path) == "path_outside"


HEADERS = {
    "": "empty_file",
    "# only a comment": "header_invalid",
    "r": "header_invalid",
    "r one": "header_invalid",
    "r -1 250": "header_invalid",
    "r 0 250 100": "no_samples",
    "r 2 250 9\nr.dat 16 200 16 0 0 0 0 II": "header_invalid",
    "r 1 250 9\nr.dat sixteen": "header_invalid",
    "r 1 250 9\nr.dat 16x0": "header_invalid",
    "r 1 250 9\nr.dat 16 much": "header_invalid",
    "r 1 250 9\nr.dat 16 200 twelve": "header_invalid",
    "r 1 250 9\nr.dat 16 200 12 0 0 1e5 0 II": "header_invalid",
    "r 2 250 9\nr.dat 16 200\nr.dat 212 200": "header_invalid",
    "r 99999 250 9": "too_many_samples",
    "r 1 250 9\0": "header_invalid",
    f"r {'9' * 5000} 250 9": "header_invalid",
}


@pytest.mark.parametrize("text", HEADERS, ids=range(len(HEADERS)))
def test_headers_that_cannot_be_understood(tmp_path, text):
    path = record(tmp_path, noise(9, 1))
    path.write_text(text)
    assert refused(path) == HEADERS[text]


def test_a_small_file_makes_no_endless_recording(tmp_path):
    path = record(tmp_path, noise(3, 1))
    path.write_text("r 2 250 99999\na.dat 80\nb.dat 16x65000\n")
    (tmp_path / "a.dat").write_bytes(bytes(10**5))
    (tmp_path / "b.dat").write_bytes(bytes(10))
    assert refused(path) == "too_many_samples"
    path = segmented(tmp_path / "m")
    path.write_text(f"m/2 2 250 {10**12}\ns1 40\n~ {10**12 - 40}\n")
    assert refused(path) == "too_many_samples"


@given(st.integers(0, 2**32), st.integers(1, 6))
@settings(max_examples=60)
def test_no_damage_does_more_than_make_a_record_unreadable(tmp_path_factory, seed, flips):
    rng = np.random.default_rng(seed)
    path = record(tmp_path_factory.mktemp("r"), noise(20, 2, 212), 212, per_frame=[1, 1])
    text = bytearray(path.read_bytes())
    for place in rng.integers(0, len(text), flips):
        text[place] = rng.integers(9, 127)
    path.write_bytes(text)
    try:
        found = wfdb.read(path)
    except UnreadableItem as refusal:
        rule = refusal.rule.removeprefix("signals.structure.")
        assert rule in RULES
    else:
        assert found.read(0, min(found.length, 100)).shape[0] == len(found.channels)
