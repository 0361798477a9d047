"""Listing recordings and windows, and opening them: what is an item, order, digests, damage."""

import os
import shutil
import time

import numpy as np
import pytest
from records import noise, record

from sdq_core.description import Item
from sdq_core.errors import UnreadableItem
from sdq_signals.reading import list_items, open_recording
from sdq_signals.rules import RULES, finding, finding_for, unreadable
from sdq_signals.settings import SignalsSettings

KNOWN = SignalsSettings(sampling_rate=100.0, units="mV")
TEN = SignalsSettings(window_s=10)


def ids(listing):
    return [i.id for i in listing.items]


def told(listing):
    return sorted((f.rule.removeprefix("signals.structure."), f.item) for f in listing.findings)


def refused(item, settings=None):
    with pytest.raises(UnreadableItem) as error:
        open_recording(item, settings)
    return error.value.rule.removeprefix("signals.structure.")


def whole(recording):
    return recording.read(0, recording.length)


# --- what is listed ---


def test_a_wfdb_record_is_one_item_with_all_its_files(tmp_path):
    for name in ("r10", "r2"):
        record(tmp_path / "a", noise(9, 1), name=name)
        for suffix in (".atr", ".qrs", ".hea-", ".xws"):
            (tmp_path / f"a/{name}{suffix}").write_bytes(b"x")
    for name in ("RECORDS", "ANNOTATORS", "LICENSE.txt", "SHA256SUMS.txt", ".hidden.hea"):
        (tmp_path / name).write_text("x")
    listing = list_items(tmp_path)
    assert ids(listing) == ["a/r2.hea", "a/r10.hea"]
    assert [p.name for p in listing.items[0].paths] == ["r2.hea", "r2.dat"]
    assert listing.findings == ()
    np.testing.assert_array_equal(
        whole(open_recording(listing.items[0])), (noise(9, 1) / 200).T.astype(np.float32)
    )


def test_segments_are_no_items(tmp_path):
    for name in ("s1", "s2"):
        record(tmp_path, noise(9, 1), name=name)
    (tmp_path / "m.hea").write_text("m/2 1 250 18\ns1 9\ns2 9\n")
    (item,) = list_items(tmp_path).items
    assert item.id == "m.hea"
    assert sorted(p.name for p in item.paths) == ["m.hea", "s1.dat", "s1.hea", "s2.dat", "s2.hea"]
    assert open_recording(item).length == 18


def test_a_table_is_an_item_when_its_rate_can_be_known(tmp_path):
    for name in ("a.csv", "b.csv", "labels.csv", "Labels_train.csv"):
        (tmp_path / name).write_text("II\n1\n2\n")
    (tmp_path / "truth.csv").write_text("item,class\na.csv,x\n")
    (tmp_path / "a.yaml").write_text("{sampling_rate: 100, units: mV}")
    listing = list_items(tmp_path)
    assert ids(listing) == ["a.csv"]
    assert told(listing) == [("table_passed_over", "b.csv")]
    assert ids(list_items(tmp_path, KNOWN)) == ["a.csv", "b.csv"]
    (tmp_path / "recording.json").write_text('{"sampling_rate": 100}')
    assert ids(list_items(tmp_path)) == ["a.csv", "b.csv"]
    assert ids(list_items(tmp_path / "b.csv")) == ["b.csv"]


def test_a_table_beside_a_header_of_its_name_is_its_own_recording(tmp_path):
    record(tmp_path, noise(9, 1))
    (tmp_path / "r.csv").write_text("II\n1\n2\n")
    assert ids(list_items(tmp_path, KNOWN)) == ["r.csv", "r.hea"]


def test_what_is_unknown_is_an_item_that_cannot_be_read(tmp_path):
    (tmp_path / "what.xyz").write_bytes(b"x")
    (tmp_path / "alone.dat").write_bytes(b"x")
    (tmp_path / "empty.edf").write_bytes(b"")
    (tmp_path / "broken.hea").write_text("broken")
    (tmp_path / "notes.txt").write_text("x")
    items = {i.id: i for i in list_items(tmp_path).items}
    assert {name: refused(item) for name, item in items.items()} == {
        "alone.dat": "not_a_recording",
        "broken.hea": "header_invalid",
        "empty.edf": "empty_file",
        "what.xyz": "not_a_recording",
    }


def test_a_file_that_is_gone(tmp_path):
    for name in ("a.hea", "a.npy", "a.npz", "a.csv", "a.edf", "a.dcm", "a"):
        assert refused(Item(name, (tmp_path / name,)), KNOWN) == "unreadable_file"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anywhere")
def test_what_may_not_be_read(tmp_path):
    path = record(tmp_path, noise(9, 1))
    path.chmod(0)
    try:
        (item,) = [i for i in list_items(tmp_path).items if i.id == "r.hea"]
        assert refused(item) == "unreadable_file"
    finally:
        path.chmod(0o600)


def test_links_are_followed_only_where_they_stay_inside(tmp_path):
    root = tmp_path / "cohort"
    record(root, noise(9, 1))
    record(tmp_path, noise(9, 1), name="secret")
    (root / "out.hea").symlink_to(tmp_path / "secret.hea")
    (root / "up").symlink_to(root)
    (root / "r.dat2").symlink_to(tmp_path / "secret.dat")
    (root / "self.edf").symlink_to(root / "self.edf")
    (root / "labels.csv").symlink_to(tmp_path / "secret.hea")
    listing = list_items(root)
    # What stands in a recording's place is one that cannot be read; the others are told of only.
    assert ids(listing) == ["out.hea", "r.hea", "self.edf"]
    assert told(listing) == [
        ("link_loop", "up"), ("link_outside", "labels.csv"), ("link_outside", "r.dat2")
    ]  # fmt: skip
    rules = {}
    for item in listing.items:
        if item.id != "r.hea":
            assert item.paths == ()  # nothing could follow it by mistake
            rules[item.id] = refused(item)
    assert rules == {"out.hea": "link_outside", "self.edf": "link_loop"}
    windows = list_items(root, SignalsSettings(window_s=0.01))
    assert [i.id for i in windows.items if not i.paths] == ["out.hea", "self.edf"]


# --- digests ---


def test_the_digest_is_over_header_data_and_side_car_and_not_the_name(tmp_path):
    path = record(tmp_path / "a", noise(9, 1))
    (before,) = list_items(tmp_path / "a").items
    assert len(before.digest) == 64
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    assert list_items(tmp_path / "b").items[0].digest == before.digest
    for changed in (path, path.with_suffix(".dat")):
        kept = changed.read_bytes()
        changed.write_bytes(kept[:-1] + b"!")
        assert list_items(path).items[0].digest != before.digest
        changed.write_bytes(kept)
    table = tmp_path / "t.csv"
    table.write_text("II\n1\n")
    plain = list_items(table, KNOWN).items[0].digest
    (tmp_path / "t.yaml").write_text("{units: uV}")
    assert list_items(table, KNOWN).items[0].digest != plain


# --- windows ---


def long(folder, seconds=35, rate=250, name="r"):
    return record(folder, noise(int(seconds * rate), 2), name=name, rate=rate)


def test_a_long_recording_becomes_whole_windows(tmp_path):
    path = long(tmp_path)
    everything = whole(open_recording(list_items(path).items[0]))
    items = list_items(path, TEN).items
    assert [i.id for i in items] == ["r.hea#t=0-10", "r.hea#t=10-20", "r.hea#t=20-30"]
    assert [i.part for i in items] == ["t=0-10", "t=10-20", "t=20-30"]
    assert len({i.digest for i in items}) == 3
    (subject,) = {i.attributes["subject"] for i in items}
    assert subject.startswith("r.hea")
    for k, item in enumerate(items):
        found = open_recording(item, TEN)
        assert (found.length, found.duration) == (2500, 10)
        np.testing.assert_array_equal(whole(found), everything[:, 2500 * k : 2500 * (k + 1)])
        np.testing.assert_array_equal(found.read(5, 9), whole(found)[:, 5:9])


def test_a_recording_shorter_than_two_windows_stays_whole(tmp_path):
    assert ids(list_items(long(tmp_path, 19.99), TEN)) == ["r.hea"]
    assert ids(list_items(long(tmp_path, 20), TEN)) == ["r.hea#t=0-10", "r.hea#t=10-20"]


def test_records_of_one_name_in_two_cohorts_are_two_subjects(tmp_path):
    found = set()
    for k in range(2):
        record(tmp_path / str(k), noise(5000, 1, seed=k))
        found |= {i.attributes["subject"] for i in list_items(tmp_path / str(k), TEN).items}
    assert len(found) == 2


@pytest.mark.parametrize("seconds", [0.1, 1 / 3, 2.5, 1.2345])
@pytest.mark.parametrize("rate", [128, 360, 999.5])
def test_windows_of_any_length_are_equally_long_and_do_not_leave_the_recording(
    tmp_path, seconds, rate
):
    settings = SignalsSettings(window_s=seconds)
    path = long(tmp_path, 8, rate)
    items = list_items(path, settings).items
    assert len({i.id for i in items}) == len(items) >= 7.9 // seconds
    for k in (0, len(items) // 2, len(items) - 1):
        found = open_recording(items[k], settings)
        assert found.length == round(seconds * rate)
        assert np.isfinite(whole(found)).all()


def test_windows_of_a_stack_name_both(tmp_path):
    stack = noise(2500, 3).T.reshape(3, 1, 2500).astype(np.int16)
    np.savez(tmp_path / "s.npz", signals=stack, subject=np.array(["x", "y", "z"]))
    settings = SignalsSettings(sampling_rate=100, units="uV", window_s=10)
    items = list_items(tmp_path, settings).items
    assert [i.id for i in items][:3] == ["s.npz#0,t=0-10", "s.npz#0,t=10-20", "s.npz#1,t=0-10"]
    assert items[2].attributes["subject"] == "y"
    found = open_recording(items[3], settings)
    np.testing.assert_array_equal(whole(found), (stack[1, :, 1000:2000] * 1.0).astype(np.float32))


def test_a_recording_that_shrank_since_it_was_listed(tmp_path):
    path = long(tmp_path)
    item = list_items(path, TEN).items[2]
    long(tmp_path, 20)
    assert refused(item, TEN) == "truncated"


def test_a_broken_recording_is_listed_without_windows(tmp_path):
    long(tmp_path)
    (tmp_path / "b.hea").write_text("b 1 0")
    assert ids(list_items(tmp_path, TEN))[0] == "b.hea"


def test_a_wrong_checksum_is_told_for_every_window(tmp_path):
    path = record(tmp_path, noise(5000, 1), checksums=[1])
    items = list_items(path, TEN).items
    rules = {f.rule for i in items for f in open_recording(i, TEN).findings}
    assert (len(items), rules) == (2, {"signals.structure.checksum"})


# --- settings ---


def test_a_forced_kind_takes_in_the_channels_of_no_kind(tmp_path):
    (tmp_path / "a.csv").write_text("one,ABP\n1,2\n3,4\n")
    (tmp_path / "a.yaml").write_text("{sampling_rate: 100, units: {one: uV, ABP: mmHg}}")
    (item,) = list_items(tmp_path).items
    plain = open_recording(item)
    assert [(c.kind, c.factor) for c in plain.channels] == [("other", 1), ("other", 1)]
    forced = open_recording(item, SignalsSettings(kind="ecg"))
    assert [(c.kind, c.factor) for c in forced.channels] == [("ecg", 0.001), ("other", 1)]
    np.testing.assert_allclose(whole(forced), [[0.001, 0.003], [2, 4]], rtol=1e-6)


def test_a_forced_kind_converts_the_unit_that_wfdb_prescribes(tmp_path):
    path = record(tmp_path, [[1], [2]], gain="1", names=["one"])
    (item,) = list_items(path).items
    found = open_recording(item, SignalsSettings(kind="eeg"))
    np.testing.assert_array_equal(whole(found), [[1000, 2000]])
    assert (found.channels[0].kind, found.channels[0].resolution) == ("eeg", 1000)


def test_a_thousand_recordings_are_listed_quickly(tmp_path):
    path = record(tmp_path, noise(100, 12), names=[f"c{k}" for k in range(12)])
    header, data = path.read_text(), path.with_suffix(".dat").read_bytes()
    for k in range(1000):
        (tmp_path / f"r{k}.hea").write_text(
            header.replace("r 12", f"r{k} 12").replace("r.dat", f"r{k}.dat")
        )
        (tmp_path / f"r{k}.dat").write_bytes(data)
    start = time.process_time()
    assert len(list_items(tmp_path).items) == 1001
    assert time.process_time() - start < 3


# --- rules ---


def test_every_rule_speaks_both_languages_and_becomes_a_finding():
    for rule, (severity, english, chinese) in RULES.items():
        assert english
        assert any("\u4e00" <= c <= "\u9fff" for c in chinese)
        assert finding(rule).severity is severity
        found = finding_for(unreadable(rule, "exactly"))
        assert (found.rule, found.severity, found.message) == (
            finding(rule).rule,
            severity,
            "exactly",
        )
        assert found.message_zh == chinese
