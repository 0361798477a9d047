"""Shares of a study over machines that do not know of each other, and what goes wrong with them."""

from __future__ import annotations

import errno
import os
from collections import Counter
from pathlib import Path

import gated
import pytest
from describing_toy import Toy, as_bytes, calls, make_items, plain
from typer.testing import CliRunner

from sdq_core.changes import has_changed, see
from sdq_core.cli import app
from sdq_core.describe import describe
from sdq_core.describe_part import describe_part
from sdq_core.description import Item
from sdq_core.errors import StoreError, UsageError
from sdq_core.hashing import hash_file
from sdq_core.modality import Listing
from sdq_core.sharding import Part
from sdq_core.store import open_store
from sdq_core.study import Study


class Shards:
    """A modality of one describer, as far as sharing work needs one."""

    name = "toy"

    def __init__(self, toy: Toy) -> None:
        self.toy = toy

    def prepared(self, study: Study) -> Study:
        return study

    def items(self, source: Path, settings: object) -> Listing:
        paths = sorted(source.iterdir())
        hashes = {path: hash_file(path) for path in paths}
        return Listing(tuple(Item(p.name, (p,), digest=hashes[p]) for p in paths), (), hashes)

    def describer(self, study: Study) -> Toy:
        return self.toy


@pytest.fixture
def shared(tmp_path, monkeypatch):
    """A study of 40 contents; ``shared(toy)`` says how it is described."""
    half = plain(40)
    for name, contents in {"train": half[:25], "synthetic": half[25:]}.items():
        make_items(tmp_path / name, contents)
    study = Study(
        modality="toy",
        cohorts={n: {"path": tmp_path / n} for n in ("train", "synthetic")},
    )

    def use(toy: Toy) -> Study:
        monkeypatch.setattr("sdq_core.describe_part.load_modality", lambda name: Shards(toy))
        return study

    return use


def items_of(study: Study) -> list[Item]:
    shards = Shards(Toy())
    return [i for s in study.cohorts.values() for i in shards.items(s.path, {}).items]


def part(study: Study, text: str, store: Path, **options):
    return describe_part(study, Part.parse(text), store, engine="serial", **options)


def fold(study: Study, store: Path, toy: Toy | None = None):
    return describe(items_of(study), toy or Toy(), store, engine="serial", missing=False)


def test_shares_together_are_the_whole_and_nothing_is_described_twice(shared, tmp_path) -> None:
    log = tmp_path / "log"
    study = shared(Toy(log))
    reports = [part(study, f"{k}/3", tmp_path / "s", shard_size=4) for k in (2, 1, 3)]
    assert sum(r.contents for r in reports) == 40
    assert all(r.total == 40 and 4 <= r.contents <= 24 for r in reports)
    assert set(Counter(calls(log)).values()) == {1}
    assert len(calls(log)) == 40
    assert part(study, "2/3", tmp_path / "s").described == 0
    folded = fold(study, tmp_path / "s")
    assert (folded.described, folded.reused) == (0, 40)
    whole = describe(items_of(study), Toy(), None, engine="serial")
    assert as_bytes(folded.descriptions) == as_bytes(whole.descriptions)


def test_a_share_does_not_depend_on_where_the_contents_lie(tmp_path) -> None:
    digests = [item.digest for item in make_items(tmp_path / "a", plain(200))]
    shares = [{d for d in digests if Part(k, 7).holds(d)} for k in range(1, 8)]
    assert sum(len(s) for s in shares) == 200
    assert min(len(s) for s in shares) > 10
    assert Part(3, 7).holds("e3b0c442") == Part(3, 7).holds("e3b0c442")


def test_missing_shares_are_named_with_their_counts(shared, tmp_path) -> None:
    study = shared(Toy())
    store = tmp_path / "s"
    with pytest.raises(StoreError, match="40 of 40 contents are not described"):
        fold(study, store)
    sizes = {k: part(study, f"{k}/4", store).contents for k in (1, 3)}
    with pytest.raises(StoreError) as caught:
        fold(study, store)
    said = str(caught.value)
    assert f"{40 - sum(sizes.values())} of 40 contents" in said
    assert "shard 2/4 lacks" in said
    assert "shard 4/4 lacks" in said
    assert "shard 1/4" not in said
    assert "was not finished" in said
    assert f"--shard i/4 --store {store}" in said
    # A shard file that is cut: its contents are missing from a share that was finished.
    victim = sorted(store.rglob("*.arrow"))[0]
    victim.write_bytes(victim.read_bytes()[:100])
    with pytest.raises(StoreError, match=r"shard [13]/4 lacks \d+ of \d+ and was finished, and"):
        fold(study, store)
    # An ordinary evaluation describes what is missing.
    assert describe(items_of(study), Toy(), store, engine="serial").described > 0
    assert fold(study, store).described == 0


def test_other_versions_and_settings_are_said_with_their_counts(shared, tmp_path) -> None:
    store = tmp_path / "s"
    study = shared(Toy(version="1"))
    first = part(study, "1/2", store)
    study = shared(Toy(version="2"))
    second = part(study, "2/2", store)
    (note,) = second.notes
    assert "1 finished shards" in note
    assert f"({first.contents} contents)" in note
    assert "version '1' of describer toy (here '2')" in note
    with pytest.raises(StoreError) as caught:
        fold(study, store, Toy(version="2"))
    said = str(caught.value)
    assert f"shard 1/2 lacks {first.contents} of {first.contents} and was not finished" in said
    assert f"{first.contents} of them are there, but described with version '1'" in said
    study = shared(Toy(version="2", settings={"size": 4}))
    part(study, "1/2", store)
    with pytest.raises(StoreError, match=r"are there, but described with other settings \(size\)"):
        fold(study, store, Toy(version="2"))


def test_other_contents_of_the_cohorts_are_said(shared, tmp_path) -> None:
    study = shared(Toy())
    for k in (1, 2):
        part(study, f"{k}/2", tmp_path / "s")
    make_items(tmp_path / "train", plain(10, first=300))  # ten of them changed
    with pytest.raises(StoreError, match="was finished for other contents of the cohorts"):
        fold(study, tmp_path / "s")


def test_failures_count_as_described_where_nothing_is_described(shared, tmp_path) -> None:
    study = shared(Toy())
    (tmp_path / "train" / "0003").write_bytes(b"raise")
    (tmp_path / "train" / "0004").write_bytes(b"unreadable")
    reports = [part(study, f"{k}/2", tmp_path / "s") for k in (1, 2)]
    assert sum(r.failed for r in reports) == 1
    folded = fold(study, tmp_path / "s")
    rules = [folded.descriptions[k].findings[0].rule for k in (3, 4)]
    assert rules == ["toy.structure.describer_failed", "toy.structure.truncated"]
    # An ordinary run tries again.
    assert describe(items_of(study), Toy(), tmp_path / "s", engine="serial").described == 1


def test_items_that_cannot_be_hashed_are_looked_at_in_the_end(tmp_path) -> None:
    items = make_items(tmp_path / "items", plain(3))
    describe(items[:2], Toy(), tmp_path / "s", engine="serial")
    items[2] = Item(items[2].id, items[2].paths, digest="")
    report = describe(items, Toy(), tmp_path / "s", engine="serial", missing=False)
    assert (report.described, report.reused) == (1, 2)


def test_a_share_that_meets_a_full_disk_leaves_no_mark(shared, tmp_path, monkeypatch) -> None:
    study = shared(Toy(tmp_path / "log"))
    flush, count = os.fsync, 0

    def full(descriptor: int) -> None:
        nonlocal count
        count += 1
        if count > 6:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        flush(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr("sdq_core.files.os.fsync", full)
        with pytest.raises(StoreError, match="free space"):
            part(study, "1/1", tmp_path / "s", shard_size=4)
    with pytest.raises(StoreError, match="32 of 40 contents are not described"):
        fold(study, tmp_path / "s")
    (tmp_path / "log").unlink()
    assert part(study, "1/1", tmp_path / "s").described == 32
    assert len(calls(tmp_path / "log")) == 32
    assert fold(study, tmp_path / "s").reused == 40


@pytest.mark.parametrize("engine", ["serial", "processes"])
def test_a_file_that_changes_during_the_run_is_a_finding(tmp_path, engine: str) -> None:
    items = make_items(tmp_path / "items", [*plain(6), b"unreadable"])
    hashes = {path: hash_file(path) for item in items for path in item.paths}
    items[2].paths[0].write_bytes(b"other content")
    items[4].paths[0].unlink()
    items[5].paths[0].touch()  # other times, same content
    options = {"engine": engine, "workers": 1, "hashes": hashes}
    report = describe(items, Toy(), tmp_path / "s", **options)
    found = [d.findings[0].rule if not d.readable else None for d in report.descriptions]
    changed = "toy.structure.changed_during_run"
    assert found == [None, None, changed, None, changed, None, "toy.structure.truncated"]
    assert report.failed == 2
    # Nothing of it stands under the old contents' keys.
    items[2].paths[0].write_bytes(plain(6)[2])
    items[4].paths[0].write_bytes(plain(6)[4])
    again = describe(items, Toy(), tmp_path / "s", **options)
    assert (again.described, again.reused, again.failed) == (2, 5, 0)
    assert all(d.readable for d in again.descriptions[:6])


def test_a_change_while_an_item_is_described_is_noticed(tmp_path) -> None:
    (item,) = make_items(tmp_path / "items", [b"A1"])

    class Late(Toy):
        def __call__(self, item):
            description = super().__call__(item)
            item.paths[0].write_bytes(b"B22")
            return description

    report = describe([item], Late(), tmp_path / "s", engine="serial")
    assert report.descriptions[0].findings[0].rule == "toy.structure.changed_during_run"
    assert not list((tmp_path / "s").rglob("*.arrow"))


def test_old_files_are_not_read_again_and_folders_are_watched(tmp_path, monkeypatch) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"abc")
    folder = tmp_path / "tables"
    folder.mkdir()
    (folder / "t.csv").write_bytes(b"1")
    now = file.stat().st_ctime
    seen = see([file, folder], {file: "0" * 64}, now + 7200)
    assert not has_changed(seen[file])  # times say: long before the listing
    assert has_changed(seen[file], thoroughly=True)
    assert has_changed(see([file], {file: "0" * 64}, now)[file])
    assert not has_changed(seen[folder])
    (folder / "t.csv").write_bytes(b"22")
    assert has_changed(seen[folder])


def test_two_machines_with_the_same_share_agree(shared, tmp_path) -> None:
    study = shared(Toy())
    part(study, "1/1", tmp_path / "s", shard_size=3)
    before = {p.name: p.read_bytes() for p in (tmp_path / "s").rglob("*") if p.is_file()}
    part(study, "1/1", tmp_path / "s2", shard_size=3)
    assert before == {p.name: p.read_bytes() for p in (tmp_path / "s2").rglob("*") if p.is_file()}
    assert len(open_store(tmp_path / "s", Toy()).find([])[0]) == 0


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "a/b", "1/0", "-1/2", "1/2/3"])
def test_shards_that_do_not_exist_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="shard"):
        Part.parse(text)


def test_without_a_store_there_is_nothing_to_fold(tmp_path) -> None:
    with pytest.raises(UsageError, match="name the store"):
        describe([], Toy(), None, missing=False)


def test_the_command_lines_share_fold_and_name_what_is_missing(tmp_path, monkeypatch) -> None:
    gated.install(tmp_path, monkeypatch)
    monkeypatch.setattr("sdq_core.environment.all_distributions", gated.distributions)
    study = gated.write(tmp_path, n=8)
    shared = ["--store", str(tmp_path / "s"), "--engine", "serial", "--quiet"]
    share = ["describe", str(study), *shared, "--shard"]
    fold = ["evaluate", str(study), *shared, "--no-describe", "-o", str(tmp_path / "out")]
    assert "shard 1/2:" in _run(*share, "1/2").stdout
    missing = _run(*fold).exception
    assert isinstance(missing, StoreError)
    assert "shard 2/2 lacks" in str(missing)
    assert not (tmp_path / "out" / "result.json").exists()
    assert "described" in _run(*share, "2/2").stdout
    done = _run(*fold)
    assert done.exit_code in (0, 1, 3), done.output
    assert (tmp_path / "out" / "result.json").exists()
    assert isinstance(_run(*share, "3/2").exception, UsageError)


def _run(*command: str):
    return CliRunner().invoke(app, command)
