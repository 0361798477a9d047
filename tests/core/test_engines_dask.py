"""The Dask engine: scheduler and workers really started, the same bytes, and what goes wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import gated
import pytest
from describing_toy import Toy, as_bytes, callers, calls, item_of, make_items, plain
from test_describe import rules, runs, shards, start, wait_until

from sdq_core.cli import main
from sdq_core.describe import describe
from sdq_core.describe_shard import DescribeShard, Home
from sdq_core.engines import make_engine
from sdq_core.engines.dask_check import compare
from sdq_core.errors import InputError, PluginError, StoreError, UsageError
from sdq_core.files import TEMPORARY
from sdq_core.hashing import hash_file
from sdq_core.store import describer_key

pytest.importorskip("distributed", reason="Dask is not installed: pip install 'sdq[dask]'")

from dask_cluster import CORE, Cluster, kill


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A scheduler and two workers; tests that lose one start another."""
    folder = tmp_path_factory.mktemp("cluster")
    with pytest.MonkeyPatch.context() as monkeypatch:
        gated.install(folder, monkeypatch)
        made = Cluster(folder / "dask", os.environ["PYTHONPATH"])
        try:
            made.work()
            made.work(threads=3)
            yield made
        finally:
            made.stop()


@pytest.fixture(scope="module")
def spare(tmp_path_factory):
    """A scheduler without workers, for tests that bring workers with faults."""
    made = Cluster(tmp_path_factory.mktemp("spare"))
    yield made
    made.stop()


def serial(items) -> bytes:
    return as_bytes(describe(items, Toy(), None, engine="serial").descriptions)


def test_every_cut_gives_the_same_bytes_as_one_process(cluster: Cluster, tmp_path: Path) -> None:
    items = make_items(tmp_path / "items", plain(24))
    want = serial(items)
    log = tmp_path / "log"
    # A worker with several threads still has one item at a time: its libraries share settings.
    for size in (1, 5):
        store = tmp_path / f"s{size}"
        report = describe(items, Toy(log, 0.02), store, engine=cluster.engine, shard_size=size)
        assert as_bytes(report.descriptions) == want
        assert (report.described, report.failed, report.notes) == (24, 0, ())
        assert len(callers(log)) == 2
        assert set(Counter(calls(log)).values()) == {1}
        log.unlink()
        again = describe(items, Toy(log), store, engine=cluster.engine)
        assert (again.described, again.reused) == (0, 24)
        assert not log.exists()
    assert as_bytes(describe(items, Toy(), None, engine=cluster.engine).descriptions) == want
    assert list(tmp_path.rglob(TEMPORARY)) == []


def test_the_command_line_gives_the_same_result(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd
) -> None:
    gated.install(tmp_path, monkeypatch)
    monkeypatch.setattr("sdq_core.environment.all_distributions", gated.distributions)
    study = gated.write(tmp_path, n=12)
    results = []
    for engine in ("serial", cluster.engine):
        out = tmp_path / engine.partition(":")[0]
        code = sdq(monkeypatch, "evaluate", str(study), "-o", str(out), "--engine", engine)
        assert code in (0, 1, 3)
        assert "distributed" not in capfd.readouterr().err
        result = json.loads((out / "result.json").read_bytes())
        assert result.pop("environment")["store"]["described"] == 36
        results.append((result, (out / "items.csv").read_bytes()))
    assert results[0] == results[1]


def sdq(monkeypatch: pytest.MonkeyPatch, *command: str) -> object:
    """Run the command line and return its exit code."""
    monkeypatch.setattr("sys.argv", ["sdq", *command])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def test_a_worker_lost_with_its_results_loses_nothing(cluster: Cluster, tmp_path: Path) -> None:
    items = make_items(tmp_path / "items", plain(12))
    log = tmp_path / "log"

    def lose(done: int, total: int) -> None:
        if done == 0 or (tmp_path / "lost").exists():
            return
        # All that is on its way is stored, and has not been fetched: four shards, one fetched.
        wait_until(lambda: len(shards(tmp_path / "s")) >= 4)
        time.sleep(0.3)
        (tmp_path / "lost").touch()
        victim = min(callers(log))
        kill(victim)
        next(p for p in cluster.started if p.pid == victim).wait()
        cluster.work()

    report = describe(
        items, Toy(log), tmp_path / "s", engine=cluster.engine, shard_size=1, progress=lose
    )
    assert (tmp_path / "lost").exists()
    assert as_bytes(report.descriptions) == serial(items)
    assert (report.described, report.failed) == (12, 0)
    # What was lost with the worker was in the store, and was not described again.
    assert Counter(calls(log)) == Counter(i.digest for i in items)


def test_two_runs_at_once_share_a_cluster_and_a_store(cluster: Cluster, tmp_path: Path) -> None:
    items = make_items(tmp_path / "items", plain(30))
    other = start(tmp_path, f"engine={cluster.engine!r}, shard_size=3", delay=0.02)
    wait_until(lambda: len(shards(tmp_path)) >= 1)
    options = {"engine": cluster.engine, "shard_size": 2}
    report = describe(items, Toy(tmp_path / "log2", 0.02), tmp_path / "store", **options)
    _, errors = other.communicate(timeout=60)
    assert other.returncode == 0, errors
    assert as_bytes(report.descriptions) == serial(items) == (tmp_path / "log.out").read_bytes()
    assert report.reused >= 3
    assert describe(items, Toy(), tmp_path / "store", engine="serial").described == 0
    assert list(tmp_path.rglob(TEMPORARY)) == []


def test_a_file_that_changes_during_the_run_is_a_finding(cluster: Cluster, tmp_path: Path) -> None:
    items = make_items(tmp_path / "items", plain(4))
    hashes = {path: hash_file(path) for item in items for path in item.paths}
    items[2].paths[0].write_bytes(b"other content"[: len(plain(4)[2])])
    report = describe(items, Toy(), tmp_path / "s", engine=cluster.engine, hashes=hashes)
    changed = "toy.structure.changed_during_run"
    assert rules(report.descriptions) == [None, None, changed, None]
    assert describe(items, Toy(), tmp_path / "s", engine="serial").reused == 3


def test_a_store_that_workers_do_not_see_is_filled_here(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = make_items(tmp_path / "items", plain(8))
    monkeypatch.chdir(tmp_path)
    here = Path("/proc/self/cwd/s")  # each process has its own
    if not Path("/proc/self/cwd").exists():
        pytest.skip("needs a path that means something else to each process")
    report = describe(items, Toy(), here, engine=cluster.engine, shard_size=2)
    assert as_bytes(report.descriptions) == serial(items)
    (note,) = report.notes
    assert "not seen by all workers" in note
    assert describe(items, Toy(), tmp_path / "s", engine="serial").reused == 8


def test_files_that_workers_do_not_see_end_the_run_before_it_begins(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_items(tmp_path / "items", plain(8))
    if not Path("/proc/self/cwd").exists():
        pytest.skip("needs a path that means something else to each process")
    monkeypatch.chdir(tmp_path)
    items = [item_of(Path("/proc/self/cwd/items") / f"{k:04d}") for k in range(8)]
    with pytest.raises(InputError, match=r"worker tcp://[\d.:]+: /proc/self/cwd/items/") as caught:
        describe(items, Toy(tmp_path / "log"), tmp_path / "s", engine=cluster.engine)
    assert "under one path" in str(caught.value)
    assert not (tmp_path / "log").exists()
    # A path that names another file there.
    for process in cluster.started[1:]:
        if process.poll() is None:
            other = Path(f"/proc/{process.pid}/cwd/items")
            other.mkdir(exist_ok=True)
            for k in range(8):
                (other / f"{k:04d}").write_bytes(b"longer than any of them")
    with pytest.raises(InputError, match="same file on all machines"):
        describe(items, Toy(tmp_path / "log"), None, engine=cluster.engine)


def test_an_error_on_a_worker_names_the_worker(cluster: Cluster, tmp_path: Path) -> None:
    items = make_items(tmp_path / "items", plain(2))
    describe(items[:1], Toy(), tmp_path / "s", engine="serial")
    (shard,) = shards(tmp_path)
    shard.unlink()
    with pytest.raises(StoreError, match=r"worker tcp://[\d.:]+: .*a folder of that name"):
        describe(
            items,
            Toy(),
            tmp_path / "s",
            engine=cluster.engine,
            shard_size=1,
            progress=lambda done, total: shard.mkdir(exist_ok=True),
        )


def test_what_cannot_be_reached_is_a_clear_error_within_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd
) -> None:
    gated.install(tmp_path, monkeypatch)
    study = gated.write(tmp_path, n=3)
    began = time.monotonic()
    command = ("describe", str(study), "-o", str(tmp_path), "--engine", "dask://127.0.0.1:1")
    assert sdq(monkeypatch, *command) == 2
    assert time.monotonic() - began < 20
    said = [x for x in capfd.readouterr().err.splitlines() if not x.startswith("describe ")]
    assert len(said) == 1
    assert said[0].startswith("sdq: Dask cluster tcp://127.0.0.1:1: no scheduler answers")


@pytest.mark.parametrize(
    ("engine", "options", "message"),
    [
        ("dask://127.0.0.1:80", {"workers": 2}, "own workers"),
        ("dask+tls://127.0.0.1:80", {}, "certificates"),
        ("dask://", {}, "check the address"),
        ("dask:127.0.0.1:80", {}, "dask://HOST:PORT"),
    ],
)
def test_addresses_that_cannot_be_used_are_named(
    engine: str, options: dict, message: str, tmp_path: Path
) -> None:
    items = make_items(tmp_path / "items", plain(1))
    with pytest.raises(UsageError, match=message):
        describe(items, Toy(), None, engine=engine, **options)


def test_no_work_needs_no_cluster() -> None:
    assert list(make_engine("dask://127.0.0.1:1").map(sum, [])) == []


def test_workers_that_cannot_do_the_work_are_named_before_it_begins(
    spare: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = make_items(tmp_path / "items", plain(3))
    monkeypatch.setattr("sdq_core.engines.dask._FIRST", 1.0)
    with pytest.raises(UsageError, match=rf"no workers.*`dask worker {spare.address}`"):
        describe(items, Toy(), None, engine=spare.engine)
    monkeypatch.undo()

    without = spare.work(path="")  # an sdq, but not the modality
    with pytest.raises(PluginError, match=r"worker tcp://.*no module 'describing_toy'.*install"):
        describe(items, Toy(), tmp_path / "s", engine=spare.engine)
    _end(without)

    installed = tmp_path / "installed"
    _pretend(installed, "sdq", "0.0.9")
    other = spare.work(path=f"{installed}{os.pathsep}{CORE}")
    with pytest.raises(UsageError, match=r"worker tcp://.*has sdq 0\.0\.9, this machine [\d.]+;"):
        describe(items, Toy(), None, engine=spare.engine)
    _end(other)


def test_other_software_on_a_worker_is_named() -> None:
    here = {"python": "3.11", "numpy": "2.0", "torch": "2.6", "wfdb": None}
    compare("tcp://w", here, {**here, "torch": None, "wfdb": "4.1"})
    with pytest.raises(UsageError, match=r"worker tcp://w: has numpy 1\.0 \(here 2\.0\);"):
        compare("tcp://w", here, {**here, "numpy": "1.0"})
    for toy, message in [
        (Toy(version="0"), "version 0, the run is of version 1"),
        (Toy(settings={"size": 9}), "other settings"),
    ]:
        home = Home(describer_key(Toy()), "1", modality=False, token="", samples=())
        with pytest.raises(PluginError, match=message):
            DescribeShard(toy, None, home).prepare()
    home = Home(describer_key(Toy()), "1", modality=True, token="", samples=())
    with pytest.raises(PluginError, match="modality 'toy' is not installed"):
        DescribeShard(Toy(), None, home).prepare()


def _pretend(folder: Path, name: str, version: str) -> None:
    """Let a process that has this folder in its path believe in another version."""
    own = folder / f"{name}-{version}.dist-info"
    own.mkdir(parents=True)
    (own / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()  # says good-bye to the scheduler
    process.wait()


def test_when_all_workers_have_gone_the_run_stops_and_goes_on_later(
    spare: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = make_items(tmp_path / "items", plain(10))
    log = tmp_path / "log"
    monkeypatch.setattr("sdq_core.engines.dask._ALONE", 0.3)
    monkeypatch.setattr("sdq_core.engines.dask._LOOK", 0.1)
    only = spare.work()
    with pytest.raises(UsageError, match="all workers have gone"):
        describe(
            items,
            Toy(log, delay=0.1),
            tmp_path / "s",
            engine=spare.engine,
            shard_size=1,
            progress=lambda done, total: only.kill() if done == 2 else None,
        )
    only.wait()
    _goes_on(items, log, tmp_path / "s")


def test_a_scheduler_that_goes_away_stops_the_run_and_it_goes_on_later(
    spare: Cluster, tmp_path: Path
) -> None:
    items = make_items(tmp_path / "items", plain(10))
    log = tmp_path / "log"
    spare.work()

    def end(done: int, total: int) -> None:
        if done == 3:
            spare.scheduler.kill()
            spare.scheduler.wait()

    began = time.monotonic()
    with pytest.raises(UsageError, match="scheduler went away during the run"):
        describe(
            items,
            Toy(log, delay=0.1),
            tmp_path / "s",
            engine=spare.engine,
            shard_size=1,
            progress=end,
        )
    assert time.monotonic() - began < 30
    spare.stop()
    _goes_on(items, log, tmp_path / "s")


def _goes_on(items, log: Path, store: Path) -> None:
    """Nothing that was safely stored is described again, on whatever engine."""
    before = len(shards(store))
    assert before >= 2
    log.unlink()
    report = describe(items, Toy(log), store, engine="serial")
    assert (report.reused, report.described) == (before, len(items) - before)
    assert len(calls(log)) == len(items) - before
    assert as_bytes(report.descriptions) == serial(items)


def test_a_cluster_on_this_machine_survives_an_item_that_kills(tmp_path: Path) -> None:
    contents = plain(10)
    contents[3], contents[7] = b"exit", b"once"
    items = make_items(tmp_path / "items", contents)
    log = tmp_path / "log"
    report = describe(items, Toy(log), tmp_path / "s", engine="dask", workers=2, shard_size=2)
    assert rules(report.descriptions) == [
        "toy.structure.describer_crashed" if i == 3 else None for i in range(10)
    ]
    assert (report.described, report.failed) == (10, 1)
    assert Counter(calls(log))[items[3].digest] in (2, 3)  # with its shard, if that was begun
    sound = [item for k, item in enumerate(items) if k != 3]
    kept = describe(sound, Toy(), tmp_path / "s", engine="serial")
    assert (kept.described, kept.reused) == (0, 9)


def test_ctrl_c_ends_a_cluster_on_this_machine(tmp_path: Path) -> None:
    make_items(tmp_path / "items", plain(4) + [b"slow %d" % i for i in range(4)])
    run = start(tmp_path, "engine='dask', workers=2, shard_size=1")
    wait_until(lambda: len(shards(tmp_path)) == 4 and len(calls(tmp_path / "log")) == 6)
    asked = time.monotonic()
    os.killpg(run.pid, signal.SIGINT)
    _, errors = run.communicate(timeout=50)
    assert time.monotonic() - asked < 45  # a slow item takes a minute
    assert run.returncode != 0
    assert errors.count("KeyboardInterrupt") == 1, errors
    wait_until(lambda: not any(runs(pid) for pid in callers(tmp_path / "log")))


def test_a_script_without_a_guard_is_told_so(tmp_path: Path) -> None:
    make_items(tmp_path / "items", plain(2))
    run = start(tmp_path, "engine='dask', workers=1", unguarded=True)
    _, errors = run.communicate(timeout=60)
    assert run.returncode != 0
    assert "UsageError: worker processes of Dask cannot start" in errors
