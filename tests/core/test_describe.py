"""Describing: once per content, the same on every engine, and in spite of kills and crashes."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from describing_toy import (
    Many,
    Rude,
    Toy,
    Unloadable,
    Unshared,
    as_bytes,
    callers,
    calls,
    item_of,
    make_items,
    plain,
)

from sdq_core.describe import describe
from sdq_core.description import Description, Item
from sdq_core.engines import Crashed, make_engine
from sdq_core.engines.threads import single_thread
from sdq_core.errors import PluginError, StoreError, UsageError
from sdq_core.files import TEMPORARY
from sdq_core.store import open_store

SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from describing_toy import Toy, as_bytes, item_of
from sdq_core.describe import describe
if __name__ == "__main__" or {unguarded}:
    folder = Path({folder!r})
    items = [item_of(p) for p in sorted((folder / "items").iterdir())]
    report = describe(items, Toy(folder / {log!r}, {delay}), folder / "store", {options})
    (folder / {log!r}).with_suffix(".out").write_bytes(as_bytes(report.descriptions))
"""


def start(
    folder: Path, options: str, *, log: str = "log", delay: float = 0.0, unguarded: bool = False
) -> subprocess.Popen[str]:
    """Describe the items of a folder in a process, and a process group, of its own."""
    script = folder / f"{log}.py"
    script.write_text(
        SCRIPT.format(
            tests=str(Path(__file__).parent),
            folder=str(folder),
            log=log,
            delay=delay,
            options=options,
            unguarded=unguarded,
        )
    )
    return subprocess.Popen(
        [sys.executable, str(script)],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_listen,
    )


def _listen() -> None:
    """Take the interrupt seriously: a shell's background jobs inherit that it is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def shards(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.arrow"))


def wait_until(condition, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def runs(pid: int) -> bool:
    """Whether a process is there; a dead one that nobody has collected is not."""
    try:
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat")
        return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def rules(descriptions) -> list[str | None]:
    return [d.findings[0].rule if not d.readable else None for d in descriptions]


def test_every_engine_and_every_cut_gives_the_same_bytes(tmp_path: Path) -> None:
    items = make_items(tmp_path / "items", plain(21))
    want = as_bytes(describe(items, Toy(), None, engine="serial").descriptions)
    for number, options in enumerate(
        [
            {"engine": "serial", "shard_size": 4},
            {"engine": "processes", "workers": 1},
            {"engine": "processes", "workers": 2},
            {"engine": "processes", "workers": 2, "shard_size": 1},
        ]
    ):
        store = tmp_path / f"store{number}"
        assert as_bytes(describe(items, Toy(), store, **options).descriptions) == want
    report = describe(items, Toy(), None, engine="processes", workers=2)
    assert as_bytes(report.descriptions) == want
    # Stores that were cut differently hold the same.
    assert as_bytes(describe(items, Toy(), tmp_path / "store0").descriptions) == want


def test_two_workers_both_work_on_few_items(tmp_path: Path) -> None:
    items = make_items(tmp_path / "items", plain(8))
    describe(items, Toy(tmp_path / "log", delay=0.3), None, workers=2)
    assert len(callers(tmp_path / "log")) == 2


def test_a_second_run_describes_nothing(tmp_path: Path) -> None:
    items = make_items(tmp_path / "items", plain(10))
    first = describe(items, Toy(tmp_path / "log"), tmp_path / "s", engine="serial", shard_size=3)
    assert (first.described, first.reused, first.failed) == (10, 0, 0)
    files = {p: p.stat().st_mtime_ns for p in tmp_path.joinpath("s").rglob("*")}
    second = describe(items, Toy(tmp_path / "log"), tmp_path / "s")
    assert (second.described, second.reused, second.discarded) == (0, 10, ())
    assert as_bytes(second.descriptions) == as_bytes(first.descriptions)
    assert Counter(calls(tmp_path / "log")) == Counter(i.digest for i in items)
    assert {p: p.stat().st_mtime_ns for p in tmp_path.joinpath("s").rglob("*")} == files


def test_a_changed_item_is_described_alone(tmp_path: Path) -> None:
    items = make_items(tmp_path / "items", plain(6))
    toy = Toy(tmp_path / "log")
    describe(items, toy, tmp_path / "s", engine="serial")
    items[3].paths[0].write_bytes(b"changed")
    items[3] = item_of(items[3].paths[0])
    (tmp_path / "log").unlink()
    report = describe(items, toy, tmp_path / "s", engine="serial")
    assert (report.described, report.reused) == (1, 5)
    assert calls(tmp_path / "log") == [items[3].digest]
    fresh = describe(items, Toy(), None, engine="serial")
    assert as_bytes(report.descriptions) == as_bytes(fresh.descriptions)


@pytest.mark.parametrize("change", [{"version": "2"}, {"settings": {"size": 9}}, {"name": "yot"}])
def test_another_describer_describes_all(tmp_path: Path, change: dict) -> None:
    items = make_items(tmp_path / "items", plain(5))
    describe(items, Toy(), tmp_path / "s", engine="serial")
    assert describe(items, Toy(**change), tmp_path / "s", engine="serial").described == 5
    assert describe(items, Toy(), tmp_path / "s", engine="serial").described == 0


def test_equal_contents_are_described_once(tmp_path: Path) -> None:
    items = make_items(tmp_path / "items", [b"A1", b"B2", b"A1", b"A1"])
    report = describe(items, Toy(tmp_path / "log"), tmp_path / "s", engine="serial")
    assert calls(tmp_path / "log") == [items[0].digest, items[1].digest]
    assert (report.described, report.reused) == (2, 0)
    first, other, second, third = report.descriptions
    assert as_bytes([first]) == as_bytes([second]) == as_bytes([third]) != as_bytes([other])


def test_items_without_a_digest_are_described_every_time(tmp_path: Path) -> None:
    items = [replace(i, digest="") for i in make_items(tmp_path / "items", [b"A1", b"B2"])]
    for _ in range(2):
        report = describe(items, Toy(), tmp_path / "s", engine="serial")
        assert (report.described, report.reused) == (2, 0)
    assert report.descriptions[0].scalars != report.descriptions[1].scalars
    assert shards(tmp_path) == []


def test_without_a_store_nothing_is_written(tmp_path: Path) -> None:
    items = make_items(tmp_path / "items", plain(3))
    before = sorted(tmp_path.rglob("*"))
    assert describe(items, Toy(), None, engine="processes", workers=1).described == 3
    assert sorted(tmp_path.rglob("*")) == before


def test_no_items_are_no_work(tmp_path: Path) -> None:
    assert len(describe([], Toy(), tmp_path / "s").descriptions) == 0
    assert not (tmp_path / "s").exists()


def test_progress_counts_up_to_the_total(tmp_path: Path) -> None:
    items = make_items(tmp_path / "items", plain(7))
    describe(items[:2], Toy(), tmp_path / "s", engine="serial")
    seen: list[tuple[int, int]] = []
    describe(
        items,
        Toy(),
        tmp_path / "s",
        engine="serial",
        shard_size=2,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(2, 7), (4, 7), (6, 7), (7, 7)]


def test_damaged_shards_are_described_again(tmp_path: Path) -> None:
    items = make_items(tmp_path / "items", plain(9))
    want = describe(items, Toy(), tmp_path / "s", engine="serial", shard_size=3)
    cut, flipped, _ = shards(tmp_path)
    cut.write_bytes(cut.read_bytes()[:100])
    rotten = bytearray(flipped.read_bytes())
    rotten[len(rotten) // 2] ^= 4
    flipped.write_bytes(rotten)
    report = describe(items, Toy(tmp_path / "log"), tmp_path / "s", engine="serial")
    assert (report.described, report.reused, len(report.discarded)) == (6, 3, 2)
    assert cut.name in report.discarded[0]
    assert len(calls(tmp_path / "log")) == 6
    assert as_bytes(report.descriptions) == as_bytes(want.descriptions)
    again = describe(items, Toy(), tmp_path / "s", engine="serial")
    assert (again.described, again.discarded) == (0, ())


@pytest.mark.parametrize("engine", ["serial", "processes"])
def test_a_describer_that_raises_costs_one_item(tmp_path: Path, engine: str) -> None:
    items = make_items(tmp_path / "items", [b"A1", b"raise", b"B2", b"unreadable"])
    for described, reused in [(4, 0), (1, 3)]:
        report = describe(items, Toy(), tmp_path / "s", engine=engine, workers=2)
        assert (report.described, report.reused, report.failed) == (described, reused, 1)
        assert rules(report.descriptions) == [
            None,
            "toy.structure.describer_failed",
            None,
            "toy.structure.truncated",
        ]
    (finding,) = report.descriptions[1].findings
    assert "ValueError" in finding.message
    assert "ValueError" in finding.message_zh
    assert "secret" not in finding.message + finding.message_zh


def test_a_breach_of_contract_is_a_failure_and_not_stored(tmp_path: Path) -> None:
    items = make_items(tmp_path / "items", [b"A1"])
    for answer in [None, Description(scalars={"s": float("nan")})]:
        report = describe(items, Rude(answer=answer), tmp_path / "s", engine="serial")
        assert rules(report.descriptions) == ["toy.structure.describer_failed"]
        assert report.failed == 1
    assert "scalar 's'" in report.descriptions[0].findings[0].message
    assert shards(tmp_path) == []


@pytest.mark.parametrize("death", [b"exit", b"segfault"])
def test_an_item_that_kills_its_worker_twice_is_the_only_loss(tmp_path: Path, death: bytes) -> None:
    contents = plain(12)
    contents[5] = death
    items = make_items(tmp_path / "items", contents)
    log = tmp_path / "log"
    report = describe(items, Toy(log), tmp_path / "s", workers=2, shard_size=4)
    assert rules(report.descriptions) == [
        "toy.structure.describer_crashed" if i == 5 else None for i in range(12)
    ]
    assert (report.described, report.failed) == (12, 1)
    assert Counter(calls(log))[items[5].digest] == 2
    sound = items[:5] + items[6:]
    want = describe(sound, Toy(), None, engine="serial")
    got = (*report.descriptions[:5], *report.descriptions[6:])
    assert as_bytes(got) == as_bytes(want.descriptions)
    again = describe(items, Toy(), tmp_path / "s", workers=1)
    assert (again.described, again.reused, again.failed) == (1, 11, 1)


def test_a_worker_that_dies_once_costs_nothing(tmp_path: Path) -> None:
    items = make_items(tmp_path / "items", [b"A1", b"once", b"B2"])
    report = describe(items, Toy(), tmp_path / "s", workers=1, shard_size=2)
    assert rules(report.descriptions) == [None] * 3
    assert report.failed == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_run_goes_on_where_it_was(tmp_path: Path, workers: int) -> None:
    items = make_items(tmp_path / "items", plain(60))
    want = as_bytes(describe(items, Toy(), None, engine="serial").descriptions)
    log = tmp_path / "log"
    run = start(tmp_path, f"workers={workers}, shard_size=4", delay=0.03)
    wait_until(lambda: len(shards(tmp_path)) >= 3)
    run.kill()
    run.communicate(timeout=20)  # ends when no worker holds the other end any more
    # Only the parent was killed: its workers must not live on.
    wait_until(lambda: not any(runs(pid) for pid in callers(log)))
    storage = open_store(tmp_path / "store", Toy())
    before = set(calls(log))
    log.unlink()
    report = describe(items, Toy(log), tmp_path / "store", workers=workers)
    assert report.discarded == ()
    assert 12 <= report.reused < 60
    assert len(storage.folder.joinpath("describer.json").read_bytes()) > 0
    after = calls(log)
    # Each content that was not safely stored is described again, once, and no other.
    assert len(after) == len(set(after)) == 60 - report.reused
    assert set(after) | before == {i.digest for i in items}
    assert len(set(after) & before) <= workers * 4
    assert as_bytes(report.descriptions) == want


def test_ctrl_c_stops_quickly_and_keeps_what_is_stored(tmp_path: Path) -> None:
    items = make_items(tmp_path / "items", plain(8) + [b"slow %d" % i for i in range(8)])
    run = start(tmp_path, "workers=2, shard_size=2")
    wait_until(lambda: len(shards(tmp_path)) == 4 and len(calls(tmp_path / "log")) == 10)
    asked = time.monotonic()
    os.killpg(run.pid, signal.SIGINT)
    _, errors = run.communicate(timeout=20)
    assert time.monotonic() - asked < 5  # a slow item takes a minute
    assert run.returncode != 0
    assert errors.count("KeyboardInterrupt") == 1
    assert not any(runs(pid) for pid in callers(tmp_path / "log"))
    report = describe(items[:8], Toy(), tmp_path / "store", engine="serial")
    assert (report.reused, report.discarded) == (8, ())


def test_two_runs_share_one_store(tmp_path: Path) -> None:
    items = make_items(tmp_path / "items", plain(40))
    options = ["workers=1, shard_size=3", "workers=2, shard_size=5"]
    both = [start(tmp_path, o, log=f"log{i}", delay=0.005) for i, o in enumerate(options)]
    for run in both:
        _, errors = run.communicate(timeout=60)
        assert run.returncode == 0, errors
    report = describe(items, Toy(), tmp_path / "store")
    assert (report.described, report.discarded) == (0, ())
    want = as_bytes(report.descriptions)
    assert [(tmp_path / f"log{i}.out").read_bytes() for i in range(2)] == [want, want]
    assert list(tmp_path.rglob(TEMPORARY)) == []


def test_a_full_disk_ends_the_run_and_keeps_what_was_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = make_items(tmp_path / "items", plain(10))
    flush, count = os.fsync, 0

    def full(descriptor: int) -> None:
        nonlocal count
        count += 1
        if count > 6:  # a file and its folder each: the description of the store and two shards
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        flush(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr("sdq_core.files.os.fsync", full)
        with pytest.raises(StoreError, match="free space") as caught:
            describe(items, Toy(), tmp_path / "s", engine="serial", shard_size=2)
    assert str(tmp_path / "s") in str(caught.value)
    assert len(shards(tmp_path)) == 2
    assert list(tmp_path.rglob(TEMPORARY)) == []
    report = describe(items, Toy(), tmp_path / "s", engine="serial")
    assert (report.described, report.reused, report.discarded) == (6, 4, ())


def test_a_store_that_workers_cannot_write_is_a_store_error(tmp_path: Path) -> None:
    items = make_items(tmp_path / "items", plain(4))
    (tmp_path / "s").write_bytes(b"")
    with pytest.raises(StoreError, match="is a file"):
        describe(items, Toy(), tmp_path / "s", workers=1)


def test_an_error_in_a_worker_arrives_as_itself(tmp_path: Path) -> None:
    items = make_items(tmp_path / "items", plain(4))
    describe(items[:1], Toy(), tmp_path / "s", engine="serial")
    (shard,) = shards(tmp_path)
    shard.unlink()

    def occupy(done: int, total: int) -> None:
        shard.mkdir(exist_ok=True)  # after the store was read: its first shard has no place

    with pytest.raises(StoreError, match="a folder of that name") as caught:
        describe(items, Toy(), tmp_path / "s", workers=1, shard_size=1, progress=occupy)
    assert str(shard) in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_store_can_be_read(tmp_path: Path) -> None:
    items = make_items(tmp_path / "items", plain(4))
    describe(items[:3], Toy(), tmp_path / "s", engine="serial")
    folder = open_store(tmp_path / "s", Toy()).folder
    folder.chmod(0o500)
    assert describe(items[:3], Toy(), tmp_path / "s", engine="serial").reused == 3
    with pytest.raises(StoreError, match="permission denied"):
        describe(items, Toy(), tmp_path / "s", engine="serial")


def test_a_describer_that_cannot_travel_is_refused(tmp_path: Path) -> None:
    class Local(Toy):
        pass

    items = make_items(tmp_path / "items", plain(2))
    with pytest.raises(PluginError, match="cannot travel"):
        describe(items, Local(), None)
    with pytest.raises(PluginError, match="cannot be loaded"):
        describe(items, Unloadable(), None, workers=1)


def test_a_script_without_a_guard_is_told_so(tmp_path: Path) -> None:
    make_items(tmp_path / "items", plain(2))
    run = start(tmp_path, "workers=1", unguarded=True)
    _, errors = run.communicate(timeout=60)
    assert run.returncode != 0
    assert "UsageError: worker processes cannot start" in errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "cluster"}, "processes, serial"),
        ({"workers": 0}, "workers"),
        ({"shard_size": 0}, "shard_size"),
    ],
)
def test_arguments_that_cannot_be_used_are_named(options: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        describe([Item("a", ())], Toy(), None, **options)


@pytest.mark.parametrize("name", ["serial", "processes"])
def test_an_engine_maps_every_shard_once(name: str) -> None:
    results = list(make_engine(name, 2).map(sum, [[i, 1] for i in range(9)]))
    assert sorted(results) == list(range(1, 10))
    assert list(make_engine(name, 2).map(sum, [])) == []


def test_an_engine_names_the_element_that_crashed() -> None:
    results = list(make_engine("processes", 1).map(exit_at_three, [[1, 2], [3, 4], [5]]))
    assert Crashed(3) in results
    assert sorted(r for r in results if r != Crashed(3)) == [3, 4, 5]


def exit_at_three(shard) -> int:
    if 3 in shard:
        os._exit(1)
    return sum(shard)


def test_numerical_libraries_run_on_one_thread_and_are_released() -> None:
    from threadpoolctl import threadpool_info

    np.ones((2, 2)) @ np.ones((2, 2))
    before = [pool["num_threads"] for pool in threadpool_info()]
    with single_thread():
        assert {pool["num_threads"] for pool in threadpool_info()} == {1}
    assert [pool["num_threads"] for pool in threadpool_info()] == before


def test_a_describer_that_cannot_share_is_used_as_it_is(tmp_path):
    items = make_items(tmp_path / "items", plain(6))
    want = describe(items, Toy(), None, engine="serial")
    found = describe(items, Unshared(), None, engine="processes", workers=2)
    assert as_bytes(found.descriptions) == as_bytes(want.descriptions)


@pytest.mark.parametrize("wrong", [0, None, "64"])
def test_a_describer_that_takes_no_number_at_a_time_is_refused(tmp_path, wrong):
    items = make_items(tmp_path / "items", plain(2))
    with pytest.raises(PluginError, match="together"):
        describe(items, Many(together=wrong), None, engine="serial")
