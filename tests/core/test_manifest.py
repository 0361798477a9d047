"""The lists of what was judged: every item and file once, in one order, safe in spreadsheets."""

import csv
import hashlib
import os

import pytest

from sdq_core.audit.data import check_data
from sdq_core.cohort import Cohort
from sdq_core.description import Description, DescriptionTable, Item
from sdq_core.errors import StoreError, UsageError
from sdq_core.manifest import FileRow, read_files, read_items, write_manifests
from sdq_core.study import Study
from sdq_core.vocabulary import Role


def sha(data):
    return hashlib.sha256(data).hexdigest()


def cohort(role, items):
    return Cohort(Role(role), DescriptionTable(items, [Description()] * len(items), role))


def put(folder, files):
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


@pytest.fixture
def judged(tmp_path):
    """Two cohorts, label tables inside and outside, settings that name files; and their lists."""
    train, synthetic = tmp_path / "train", tmp_path / "one" / "s.hea"
    put(train, {"10.png": b"ten", "2.png": b"two", "deep/r.dat": b"beside", ".hidden": b"h",
                "labels.csv": b"item\n", "=1+1.png": b"formula"})  # fmt: skip
    put(tmp_path / "one", {"s.hea": b"head", "s.dat": b"data", "other.png": b"not ours"})
    put(tmp_path, {"apart/labels.csv": b"item\ns\n", "masks/2.png": b"mask", "rules/a.yaml": b"a"})
    study = Study(
        modality="imaging",
        cohorts={
            "train": {"path": train, "labels": train / "labels.csv"},
            "synthetic": {"path": synthetic, "labels": tmp_path / "apart" / "labels.csv"},
        },
        settings={"masks": str(tmp_path / "masks"), "rules": [str(tmp_path / "rules" / "a.yaml")],
                  "schema": {"tables": {}}},
    )  # fmt: skip
    cohorts = [
        cohort("train", [Item(n, (train / n,), digest=sha(n.encode()))
                         for n in ("2.png", "=1+1.png")]),
        cohort("synthetic", [Item("s.hea", (synthetic, synthetic.with_suffix(".dat")))]),
    ]  # fmt: skip
    known = {Role.TRAIN: {train / "2.png": sha(b"as it was listed")}}
    out = tmp_path / "out"
    write_manifests(study, cohorts, known, out)
    return study, out, cohorts, known


def test_every_item_and_every_file_is_listed(judged):
    _, out, _, _ = judged
    assert read_items((out / "items.csv").read_bytes()) == [
        ("train", "2.png", sha(b"2.png")),
        ("train", "=1+1.png", sha(b"=1+1.png")),
        ("synthetic", "s.hea", ""),
    ]
    found = read_files((out / "files.csv").read_bytes())
    assert {(r.role, r.path): r.sha256 for r in found} == {
        ("train", "=1+1.png"): sha(b"formula"),
        ("train", "2.png"): sha(b"as it was listed"),
        ("train", "10.png"): sha(b"ten"),
        ("train", "deep/r.dat"): sha(b"beside"),
        ("train", "labels.csv"): sha(b"item\n"),
        ("synthetic", "s.hea"): sha(b"head"),
        ("synthetic", "s.dat"): sha(b"data"),
        ("synthetic/labels", "labels.csv"): sha(b"item\ns\n"),
        ("settings/masks", "2.png"): sha(b"mask"),
        ("settings/rules/1", "a.yaml"): sha(b"a"),
    }
    # The order of names that people expect: 2 before 10.
    assert [r.path for r in found][:3] == ["2.png", "10.png", "=1+1.png"]
    assert next(r.size for r in found if r.path == "10.png") == 3


def test_the_lists_are_the_same_every_time_and_no_formula(judged):
    study, out, cohorts, known = judged
    first = (out / "files.csv").read_bytes(), (out / "items.csv").read_bytes()
    seen = []
    write_manifests(study, cohorts, known, out, lambda *progress: seen.append(progress))
    assert ((out / "files.csv").read_bytes(), (out / "items.csv").read_bytes()) == first
    assert seen[-1] == ("hash", 10, 10)
    for name in ("files.csv", "items.csv"):
        with (out / name).open(encoding="utf-8-sig", newline="") as file:
            assert not any(cell[:1] in "=+-@" for row in csv.reader(file) for cell in row if cell)
    assert str(study.cohorts[Role.TRAIN].path.parent) not in (out / "files.csv").read_text()


def test_a_file_that_cannot_be_read_has_no_hash(tmp_path):
    # A link to itself fails for everybody, root too.
    path = tmp_path / "only.png"
    path.symlink_to(path)
    assert write_one(tmp_path, path) == [FileRow("train", "only.png", None, "")]


def test_a_file_that_is_gone_has_no_hash(tmp_path):
    assert write_one(tmp_path, tmp_path / "only.png") == [FileRow("train", "only.png", None, "")]


def write_one(tmp_path, path):
    study = Study(modality="imaging",
                  cohorts={"train": {"path": path}, "synthetic": {"path": path}})  # fmt: skip
    write_manifests(study, [cohort("train", [Item("only.png", (path,))])], {}, tmp_path / "out")
    return read_files((tmp_path / "out" / "files.csv").read_bytes())


def test_names_survive_the_way_through_the_table(tmp_path):
    names = ["'quoted.x", "''.x", "a,b.x", 'say "hi".x', "多层\n.x", "\tx", "-1.x", "名.x"]
    put(tmp_path / "c", {name: name.encode() for name in names})
    strange = os.fsdecode(b"caf\xe9.x")
    try:
        (tmp_path / "c" / strange).write_bytes(b"latin")
    except OSError:  # a file system that wants UTF-8
        strange = None
    study = Study(modality="imaging", cohorts={"train": {"path": tmp_path / "c"},
                                               "synthetic": {"path": tmp_path / "c"}})  # fmt: skip
    write_manifests(study, [cohort("train", [])], {}, tmp_path / "out")
    rows = read_files((tmp_path / "out" / "files.csv").read_bytes())
    assert {*names} <= {r.path for r in rows}
    check = check_data(rows, "train", tmp_path / "c")
    assert check.verified
    assert check.same == len(names) + (strange is not None)


@pytest.mark.parametrize(
    "data",
    [b"", b"a,b\r\n", b"role,path,bytes,sha256\r\nx\r\n", b"\xff",
     b"role,path,bytes,sha256\r\na,b,-1,\r\n", b'role,path,bytes,sha256\r\n"a'],
)  # fmt: skip
def test_what_is_no_list_is_an_error(data):
    with pytest.raises(StoreError, match=r"files\.csv"):
        read_files(data)


def test_data_that_were_not_judged_are_named(tmp_path):
    put(tmp_path / "d", {"same": b"1", "changed": b"2", "more/added": b"3"})
    rows = [
        FileRow("train", "same", 1, sha(b"1")),
        FileRow("train", "changed", 1, sha(b"not 2")),
        FileRow("train", "missing", 1, sha(b"")),
        FileRow("train", "../outside", 1, sha(b"secret")),
        FileRow("holdout", "else", 1, sha(b"")),
    ]
    put(tmp_path, {"outside": b"secret"})
    check = check_data(rows, "train", tmp_path / "d")
    # A path that leads out of the folder is never followed, however right the bytes there are.
    assert (check.same, check.changed, check.missing, check.added) == (
        1, ("changed",), ("missing", "../outside"), ("more/added",),
    )  # fmt: skip
    with pytest.raises(UsageError, match="lists no such role"):
        check_data(rows, "synthetic", tmp_path / "d")
    with pytest.raises(UsageError, match="no such folder"):
        check_data(rows, "train", tmp_path / "absent")
