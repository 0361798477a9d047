"""WFDB records of several segments and of rare formats."""

import sys
import warnings

import numpy as np
import pytest
from records import joined, library, noise, record, segmented

from sdq_core.errors import UnreadableItem
from sdq_signals.formats import wfdb


def refused(path, **options):
    with pytest.raises(UnreadableItem) as error:
        wfdb.read(path, **options)
    return error.value.rule.removeprefix("signals.structure.")


def whole(recording):
    return recording.read(0, recording.length)


def test_segments_are_joined_with_their_pause(tmp_path):
    path = segmented(tmp_path)
    found = wfdb.read(path)
    values = whole(found)
    first, second = (whole(wfdb.read(tmp_path / f"{n}.hea")) for n in ("s1", "s2"))
    np.testing.assert_array_equal(values[:, :40], first)
    assert np.isnan(values[:, 40:90]).all()
    np.testing.assert_array_equal(values[:, 90:], second)
    np.testing.assert_array_equal(found.read(30, 100), values[:, 30:100])
    assert found.metadata["seed"] == "3"
    assert wfdb.files(path)[1] == [tmp_path / "s1.hea", tmp_path / "s2.hea"]


def test_segments_of_different_channels_are_matched_by_the_layouts_names(tmp_path):
    record(tmp_path, noise(40, 2, 16, 1), name="s1", gain="100/mV", names=["II", "V1"])
    record(tmp_path, noise(40, 1, 212, 2), 212, name="s2", gain="50/mV", names=["V1"])
    (tmp_path / "l.hea").write_text(
        "l 3 250 0\n" + "".join(f"~ 0 1/mV 16 0 0 0 0 {n}\n" for n in ("V1", "V5", "II"))
    )
    (tmp_path / "m.hea").write_text("m/3 3 250 80\nl 0\ns1 40\ns2 40\n")
    found = wfdb.read(tmp_path / "m.hea")
    values = whole(found)
    first, second = (whole(wfdb.read(tmp_path / f"{n}.hea")) for n in ("s1", "s2"))
    assert found.labels == ("V1", "V5", "II")
    np.testing.assert_array_equal(values[:, :40][[2, 0]], first)
    np.testing.assert_array_equal(values[0, 40:], second[0])
    assert np.isnan(values[1]).all()
    assert np.isnan(values[2, 40:]).all()
    truth = joined(tmp_path / "m.hea", m2s=True)
    np.testing.assert_array_equal(values, np.array(truth.e_p_signal, np.float32))


def test_segments_are_brought_to_the_highest_rate_of_all(tmp_path):
    record(tmp_path, np.arange(8).reshape(4, 2), name="s1", gain="1/mV", per_frame=[2])
    record(tmp_path, np.arange(4).reshape(4, 1), name="s2", gain="1/mV")
    (tmp_path / "m.hea").write_text("m/2 1 250 8\ns1 4\ns2 4\n")
    found = wfdb.read(tmp_path / "m.hea")
    expected = [*range(8), 0, 0.5, 1, 1.5, 2, 2.5, 3, 3]
    assert found.rate == 500
    np.testing.assert_array_equal(whole(found)[0], expected)
    for first in range(16):
        np.testing.assert_array_equal(found.read(first, 16)[0], expected[first:])


def test_defects_of_segments_say_which(tmp_path):
    path = segmented(tmp_path)
    (tmp_path / "s2.dat").write_bytes((tmp_path / "s2.dat").read_bytes()[:-30])
    text = (tmp_path / "s1.hea").read_text().splitlines()
    text[1] = text[1].replace(" 0 II", "1 0 II")
    (tmp_path / "s1.hea").write_text("\n".join(text))
    path.write_text(path.read_text().replace("250 130", "250 131"))
    found = wfdb.read(path)
    assert [(f.rule.rpartition(".")[2], f.where) for f in found.findings] == [
        ("checksum", "segment 1, channel 1"),
        ("truncated", "segment 3, data file 1"),
        ("header_invalid", "record line"),
    ]
    assert np.isnan(whole(found)[:, -10:]).all()


def test_differences_are_summed_from_the_start(tmp_path):
    steps = np.random.default_rng(0).integers(-100, 100, 60).astype(np.int8)
    (tmp_path / "r.dat").write_bytes(steps.tobytes())
    (tmp_path / "r.hea").write_text("r 1 250 60\nr.dat 8 100/mV 8 0 5 0 0 II\n")
    found = wfdb.read(tmp_path / "r.hea")
    truth = (5 + np.cumsum(steps, dtype=int)) / 100
    np.testing.assert_allclose(whole(found)[0], truth, rtol=1e-6)
    np.testing.assert_array_equal(found.read(20, 30), whole(found)[:, 20:30])


def test_compressed_records(tmp_path):
    stored = noise(300, 2).astype(np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        library().wrsamp(
            "r", fs=250, units=["mV"] * 2, sig_name=["I", "II"], d_signal=stored, fmt=["516"] * 2,
            adc_gain=[200.0] * 2, baseline=[0] * 2, write_dir=str(tmp_path),
        )  # fmt: skip
    np.testing.assert_allclose(whole(wfdb.read(tmp_path / "r.hea")), stored.T / 200, rtol=1e-6)


def test_without_the_package_the_extra_is_named(tmp_path, monkeypatch):
    path = record(tmp_path, noise(9, 1))
    path.write_text(path.read_text().replace("r.dat 16", "r.dat 311"))
    monkeypatch.setitem(sys.modules, "wfdb", None)
    with pytest.raises(UnreadableItem, match=r"pip install 'sdq\[wfdb\]'") as error:
        wfdb.read(path)
    assert error.value.rule == "signals.structure.unsupported"
