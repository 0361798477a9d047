"""NumPy arrays: one recording or a stack, what stands beside the samples, and what is refused."""

import numpy as np
import pytest

from sdq_core.errors import UnreadableItem
from sdq_signals.formats import array
from sdq_signals.reading import list_items, open_recording
from sdq_signals.settings import SignalsSettings

STACK = np.random.default_rng(0).integers(-3000, 3000, (4, 2, 60)).astype(np.int16)
KNOWN = SignalsSettings(sampling_rate=100.0, units="uV", channels=("II", "V1"))


def saved(path, **arrays):
    np.savez_compressed(path, **arrays)
    return path


def opened(path, settings=KNOWN):
    return [open_recording(item, settings) for item in list_items(path, settings).items]


def whole(recording):
    return recording.read(0, recording.length)


def refused(path, settings=KNOWN):
    (item,) = list_items(path, settings).items
    with pytest.raises(UnreadableItem) as error:
        open_recording(item, settings)
    return error.value.rule.removeprefix("signals.structure.")


def test_one_recording_or_a_stack_of_npy(tmp_path):
    single = KNOWN.model_copy(update={"channels": ("II",)})
    for values, settings in ((STACK[0, 0], single), (STACK[0], KNOWN)):
        np.save(tmp_path / "a.npy", values)
        (found,) = opened(tmp_path / "a.npy", settings)
        np.testing.assert_array_equal(
            whole(found), (np.atleast_2d(values) * 0.001).astype(np.float32)
        )
    np.save(tmp_path / "a.npy", STACK)
    assert [i.id for i in list_items(tmp_path / "a.npy").items] == [f"a.npy#{k}" for k in range(4)]
    for found, values in zip(opened(tmp_path / "a.npy"), STACK, strict=True):
        np.testing.assert_array_equal(whole(found), (values * 0.001).astype(np.float32))
        np.testing.assert_array_equal(found.read(5, 9), whole(found)[:, 5:9])


def test_a_single_array_is_mapped_from_the_disk(tmp_path):
    np.save(tmp_path / "a.npy", STACK)
    assert isinstance(array._load(tmp_path / "a.npy").values, np.memmap)


def test_an_archive_says_all_about_itself(tmp_path):
    path = saved(
        tmp_path / "a.npz", signals=STACK, fs=500.0, units=np.array(["mV", "uV"]),
        channels=np.array(["II", "V5"]), scale=np.array([0.005, 2.0]),
        label=np.array(["a", "b", "a", "b"]), patient_id=np.array([7, 7, 8, 8]),
        age=np.array([40, 40, 50, 50]), seed=np.arange(4), other=np.arange(4),
    )  # fmt: skip
    found = opened(path, SignalsSettings(sampling_rate=1, units="V"))
    assert {(f.rate, f.labels, f.findings) for f in found} == {(500.0, ("II", "V5"), ())}
    expected = (STACK[2] * np.array([[0.005], [0.002]])).astype(np.float32)
    np.testing.assert_allclose(whole(found[2]), expected, rtol=1e-6)
    channel = found[0].channels[1]
    assert (channel.lowest, channel.highest) == pytest.approx((-65.536, 65.534))
    assert channel.resolution == pytest.approx(0.002)
    assert dict(list_items(path).items[2].attributes) == {
        "class": "a", "subject": "8", "age": "50", "seed": "2",
    }  # fmt: skip


def test_stacks_of_single_channels_and_one_recording_of_an_archive(tmp_path):
    single = SignalsSettings(sampling_rate=100.0, units="mV", channels=("II",))
    found = opened(saved(tmp_path / "a.npz", signals=STACK[:, 0]), single)
    assert [f.length for f in found] == [60] * 4
    (one,) = opened(saved(tmp_path / "b.npz", signal=STACK[0]))
    assert len(one.channels) == 2
    (one,) = opened(saved(tmp_path / "c.npz", x=STACK[0, 0]), single)
    assert len(one.channels) == 1
    assert len(opened(saved(tmp_path / "d.npz", start=np.arange(4), mine=STACK))) == 4


def test_each_recording_may_have_its_own_rate(tmp_path):
    path = saved(tmp_path / "a.npz", signals=STACK, rate=np.array([100, 200, 300, 400]))
    assert [f.rate for f in opened(path)] == [100, 200, 300, 400]


def test_a_side_car_and_missing_facts(tmp_path):
    np.save(tmp_path / "a.npy", STACK[0].astype(np.float64))
    (tmp_path / "a.yaml").write_text("{sampling_rate: 250, units: mV, synthetic: yes, seed: 3}")
    (found,) = opened(tmp_path / "a.npy", SignalsSettings())
    assert (found.rate, found.labels) == (250.0, ("channel 1", "channel 2"))
    assert [f.rule for f in found.findings] == ["signals.structure.names_missing"]
    assert found.metadata == {"seed": "3", "synthetic": "yes"}
    assert found.channels[0].resolution is None
    (tmp_path / "a.yaml").unlink()
    assert refused(tmp_path / "a.npy", SignalsSettings()) == "sampling_rate_missing"
    (found,) = opened(tmp_path / "a.npy", SignalsSettings(sampling_rate=9))
    assert not found.calibrated


def test_digests_are_of_samples_and_of_what_is_said_about_them(tmp_path):
    def digests(**more):
        return [i.digest for i in list_items(saved(tmp_path / "a.npz", **more)).items]

    plain = digests(signals=STACK[[0, 0, 1]])
    assert plain[0] == plain[1] != plain[2]
    assert set(digests(signals=STACK[[0, 0, 1]], fs=9)).isdisjoint(plain)
    (tmp_path / "recording.yaml").write_text("{units: mV}")
    assert set(digests(signals=STACK[[0, 0, 1]])).isdisjoint(plain)


@pytest.mark.parametrize(
    ("arrays", "rule"),
    [
        ({"a": STACK, "b": STACK}, "not_a_recording"),
        ({"labels": np.arange(3)}, "not_a_recording"),
        ({"signals": np.zeros((2, 3, 4, 5))}, "not_a_recording"),
        ({"signals": np.zeros((2, 3), complex)}, "not_a_recording"),
        ({"signals": np.array([["a", "b"]])}, "not_a_recording"),
        ({"signals": np.zeros((0, 3, 9))}, "no_samples"),
        ({"signal": np.zeros((2, 0))}, "no_samples"),
        ({"signal": np.zeros((5000, 2))}, "too_many_samples"),
        ({"signals": np.zeros((1, 5000, 2))}, "too_many_samples"),
        ({"signal": np.zeros(9), "fs": 0}, "sampling_rate_invalid"),
        ({"signal": np.zeros(9), "fs": np.nan}, "sampling_rate_invalid"),
        ({"signal": np.zeros(9), "channels": ["a", "b"]}, "channel_names"),
        ({"signal": np.zeros((2, 9)), "units": ["mV", "mV", "mV"]}, "channel_names"),
        ({"signal": np.zeros((2, 9)), "scale": [1.0, 2.0, 3.0]}, "channel_names"),
    ],
    ids=range(14),
)
def test_what_is_no_recording(tmp_path, arrays, rule):
    assert refused(saved(tmp_path / "a.npz", **arrays)) == rule


def test_objects_are_never_unpickled(tmp_path):
    objects = np.array([{}] * 4, dtype=object)
    np.savez(tmp_path / "a.npz", signals=STACK, label=objects, allow_pickle=True)
    assert refused(tmp_path / "a.npz") == "unsupported"
    np.savez(tmp_path / "b.npz", signals=objects, allow_pickle=True)
    assert refused(tmp_path / "b.npz") == "not_a_recording"


def test_broken_files_and_a_stack_that_shrank(tmp_path):
    whole_file = saved(tmp_path / "a.npz", signals=STACK).read_bytes()
    (tmp_path / "b.npz").write_bytes(whole_file[:-50])
    (tmp_path / "c.npz").write_bytes(b"")
    (tmp_path / "d.npy").write_bytes(b"\x93NUMPY\x01\x00")
    assert refused(tmp_path / "b.npz") == "truncated"
    assert refused(tmp_path / "c.npz") == "empty_file"
    assert refused(tmp_path / "d.npy") == "truncated"
    item = list_items(tmp_path / "a.npz").items[3]
    saved(tmp_path / "a.npz", signals=STACK[:2])
    with pytest.raises(UnreadableItem, match="fewer recordings"):
        open_recording(item, KNOWN)
