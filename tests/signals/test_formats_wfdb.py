"""WFDB records: every stored value against the format's own library, and planted defects."""

import tracemalloc
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from records import LOWEST, encoded, joined, library, noise, record, rules

from sdq_core.errors import UnreadableItem
from sdq_signals.formats import wfdb
from sdq_signals.formats.wfdb_header import parse

FORMATS = sorted(LOWEST)


def refused(path, **options):
    with pytest.raises(UnreadableItem) as error:
        wfdb.read(path, **options)
    return error.value.rule.removeprefix("signals.structure.")


def whole(recording):
    return recording.read(0, recording.length)


def agree(path):
    """Every channel equals what the library reads, where the library takes the same samples."""
    found, truth = wfdb.read(path), joined(path)
    values = whole(found)
    for k, channel in enumerate(found.channels):
        own = np.asarray(truth.e_p_signal[k])
        step = found.length // len(own)
        if channel.factor is None:
            own = own * truth.adc_gain[k] + truth.baseline[k]
        else:
            own = own * channel.factor
        np.testing.assert_allclose(values[k, ::step], own, rtol=3e-7, atol=1e-30)
    return found, values


# --- samples ---


@pytest.mark.parametrize("number", FORMATS)
@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("frames", [1, 2, 7, 100])
def test_every_format_equals_the_library(tmp_path, number, channels, frames):
    stored = noise(frames, channels, number)
    found, values = agree(record(tmp_path, stored, number, gain="200(3)/mV"))
    assert rules(found.findings) == []
    np.testing.assert_array_equal(values, ((stored - 3) / 200).T.astype(np.float32))


@pytest.mark.parametrize("number", [16, 24, 32, 80, 212])
def test_what_the_library_writes_is_read(tmp_path, number):
    stored = noise(501, 3, number).astype(np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        library().wrsamp(
            "r", fs=360, units=["mV", "uV", "mmHg"], sig_name=["II", "V1", "ABP"],
            d_signal=stored.copy(), fmt=[str(number)] * 3, adc_gain=[200.0, 0.5, 12.84],
            baseline=[0, -5, 1024], write_dir=str(tmp_path),
            comments=["synthetic: yes", "generator: noise"],
        )  # fmt: skip
    found, _ = agree(tmp_path / "r.hea")
    assert (found.rate, found.length, found.labels) == (360.0, 501, ("II", "V1", "ABP"))
    assert [c.factor for c in found.channels] == [1.0, 0.001, 1.0]
    assert found.metadata["synthetic"] == "yes"
    assert found.metadata["generator"] == "noise"
    assert found.findings == ()


@given(
    number=st.sampled_from(FORMATS),
    seed=st.integers(0, 2**16),
    frames=st.integers(1, 60),
    widths=st.lists(st.sampled_from([1, 1, 2, 4]), min_size=1, max_size=3),
    gain=st.floats(1e-3, 1e5).map(lambda g: float(f"{g:.4g}")),
    baseline=st.integers(-40000, 40000),
    missing=st.booleans(),
)
@settings(max_examples=40)
def test_the_law_of_gain_baseline_and_missing_samples(
    tmp_path_factory, number, seed, frames, widths, gain, baseline, missing
):
    stored = noise(frames, sum(widths), number, seed)
    if missing:
        stored[seed % frames, 0] = LOWEST[number]
    folder = tmp_path_factory.mktemp("r")
    path = record(folder, stored, number, gain=f"{gain}({baseline})/mV", per_frame=widths)
    found, values = agree(path)
    assert "checksum" not in rules(found.findings)
    assert np.isnan(values).any() == missing
    # A block is the same wherever it is asked for.
    first = seed % found.length
    last = min(first + 1 + seed % 7, found.length)
    np.testing.assert_array_equal(found.read(first, last), values[:, first:last])
    assert found.read(first, first).shape == (len(widths), 0)


def test_samples_in_a_frame_give_the_highest_rate_and_straight_lines(tmp_path):
    stored = np.array([[0, 1, 2, 3, 100], [4, 5, 6, 7, 200], [8, 9, 10, 11, 400]])
    found = wfdb.read(record(tmp_path, stored, per_frame=[4, 1], gain="1/mV", rate="125"))
    assert (found.rate, found.length) == (500.0, 12)
    assert [c.rate for c in found.channels] == [500.0, 125.0]
    expected = [100, 125, 150, 175, 200, 250, 300, 350, 400, 400, 400, 400]
    np.testing.assert_array_equal(whole(found), [np.arange(12), expected])
    assert rules(found.findings) == ["mixed_rates_in_recording"]


def test_a_skewed_channel_is_moved_and_its_end_is_missing(tmp_path):
    stored = np.arange(1, 21).reshape(10, 2)
    path = record(tmp_path, stored, gain="1/mV")
    text = path.read_text().replace("r.dat 16 1/mV 12 0 2", "r.dat 16:3 1/mV 12 0 2")
    path.write_text(text)
    found, values = agree(path)
    np.testing.assert_array_equal(values[1], [*range(8, 21, 2), np.nan, np.nan, np.nan])
    assert found.findings == ()


def test_several_data_files_and_bytes_before_the_first_sample(tmp_path):
    a, b = noise(50, 2), noise(50, 1, 24, seed=1)
    (tmp_path / "a.dat").write_bytes(bytes(24) + encoded(a, 16))
    (tmp_path / "b.xyz").write_bytes(encoded(b, 24))
    (tmp_path / "r.hea").write_text(
        "r 3 250/24000(7) 50 12:30:00 01/02/2000\r\n\r\n# comment between\r\n"
        "a.dat 16+24 1e2(5)/mV 16 0 0 0 0 lead  one \r\n"
        "a.dat 16+24 100(-5)/mV\r\n"
        "b.xyz 24 -100/uV 24 7\r\n"
    )
    found, values = agree(tmp_path / "r.hea")
    np.testing.assert_array_equal(values[0], ((a[:, 0] - 5) / 100).astype(np.float32))
    np.testing.assert_array_equal(values[2], ((b[:, 0] - 7) / -100).astype(np.float32))
    assert [c.name for c in found.channels] == ["lead  one", "signal 2", "signal 3"]
    assert rules(found.findings) == ["checksum"]


def test_range_and_resolution_are_in_the_unit_of_the_kind(tmp_path):
    found = wfdb.read(record(tmp_path, noise(5, 1), gain="-2(100)/uV"))
    (channel,) = found.channels
    assert channel.lowest == pytest.approx((32767 - 100) / -2 / 1000)
    assert channel.highest == pytest.approx((-32767 - 100) / -2 / 1000)
    assert channel.resolution == pytest.approx(0.0005)


def test_memory_is_bounded_by_the_block(tmp_path):
    frames = 4 * 10**6
    data = np.zeros(2 * frames, "<i2")
    path = record(tmp_path, np.zeros((1, 2), int), length=frames, data=data.tobytes())
    del data
    tracemalloc.start()
    try:
        found = wfdb.read(path)
        found.read(frames - 1000, frames)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.length == frames
    assert peak < 2.5e7  # the file has 16 MB, its samples as float64 would have 64


# --- texts ---


def test_only_texts_that_do_not_identify_are_kept(tmp_path):
    comments = [
        "Name: Jane Roe", "<age>: 81  <sex>: female", "synthetic: yes", "Generator Version: 2",
        "seed = 7", "label: AFIB", "condition: seen by 13800138000", "Ventricular_Tachycardia",
    ]  # fmt: skip
    found = wfdb.read(record(tmp_path, noise(9, 1), comments=comments)).metadata
    assert not {v for v in found.values() if "Roe" in v or "81" in v or "138" in v}
    kept = {"generator_version": "2", "label": "AFIB", "seed": "7", "synthetic": "yes"}
    assert kept.items() <= found.items()
    assert {"name", "age", "condition"}.isdisjoint(found)
    assert parse(tmp_path / "r.hea").comments[0] == "Name: Jane Roe"
