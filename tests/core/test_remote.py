"""Cohorts in archives and object stores: the same result, and nothing leaves the folder."""

from __future__ import annotations

import io
import json
import os
import socket
import stat
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from sdq_core.errors import InputError, StudyError
from sdq_core.evaluate import evaluate
from sdq_core.remote import archive as archive_module
from sdq_core.remote import transfer
from sdq_core.remote.archive import unpack
from sdq_core.remote.staging import elsewhere, stage
from sdq_core.remote.url import Address, address_of
from sdq_core.study import Study, load_study

fsspec = pytest.importorskip("fsspec")
ROLES = ("train", "holdout", "synthetic")


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "_wait", lambda attempt: None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three small cohorts of pictures with label tables."""
    root = tmp_path_factory.mktemp("cohorts")
    rng = np.random.default_rng(0)
    for role in ROLES:
        (root / role / "deep").mkdir(parents=True)
        rows = ["item,class"]
        for k in range(12):
            name = f"deep/{k}.png" if k % 2 else f"{k}.png"
            Picture.fromarray(rng.integers(0, 255, (32, 32), np.uint8)).save(root / role / name)
            rows.append(f"{name},{'ab'[k % 2]}")
        (root / role / "labels.csv").write_text("\n".join(rows))
    return root


def study(place: dict[str, str]) -> Study:
    return Study.model_validate(
        {
            "modality": "imaging", "classes": ["a", "b"], "settings": {"embeddings": ["radiomic"]},
            "cohorts": {
                role: {"path": place["path"].format(role), "labels": place["labels"].format(role)}
                for role in ROLES
            },
        }
    )  # fmt: skip


def judged(found: Study, out: Path) -> dict[str, object]:
    """Evaluate, and return what stands in the result but times and places."""
    evaluate(found, out, store=out.parent / "store", engine="serial")
    result = json.loads((out / "result.json").read_text())
    result.pop("environment")
    return {**result, "items": (out / "items.csv").read_text()}


@pytest.fixture(scope="module")
def plain(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, object], Path]:
    work = tmp_path_factory.mktemp("plain")
    place = {"path": f"{folder}/{{}}", "labels": f"{folder}/{{}}/labels.csv"}
    return judged(study(place), work / "out"), work


def zipped(source: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(source.rglob("*")):
            file.write(path, path.relative_to(source).as_posix())
    return target


def tarred(source: Path, target: Path) -> Path:
    with tarfile.open(target, "w:*" if target.suffix == ".tar" else "w:gz") as file:
        file.add(source, ".")
    return target


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "chain", "memory", "file"])
def test_same_result_wherever_the_cohorts_lie(
    kind: str, folder: Path, plain: tuple[dict[str, object], Path], tmp_path: Path
) -> None:
    expected, work = plain
    if kind == "memory":
        system = fsspec.filesystem("memory")
        system.put(f"{folder}/", "/bucket/", recursive=True)
        place = {"path": "memory://bucket/{}", "labels": "memory://bucket/{}/labels.csv"}
    elif kind == "file":
        place = {"path": f"file://{folder}/{{}}", "labels": f"file://{folder}/{{}}/labels.csv"}
    elif kind == "chain":
        packed = zipped(folder, tmp_path / "all.zip")
        place = {"path": f"zip://{{}}::{packed}", "labels": f"zip://{{}}/labels.csv::{packed}"}
    else:
        for role in ROLES:
            (zipped if kind == "zip" else tarred)(folder / role, tmp_path / f"{role}.{kind}")
        scheme = kind.partition(".")[0]
        place = {
            "path": f"{tmp_path}/{{}}.{kind}",
            "labels": f"{scheme}://labels.csv::{tmp_path}/{{}}.{kind}",
        }
    found = judged(study(place), work / f"out-{kind}")
    assert found == expected
    if kind == "memory":
        system.rm("/bucket", recursive=True)


def test_the_cache_is_private_and_used_again(folder: Path, tmp_path: Path) -> None:
    system = fsspec.filesystem("memory")
    system.put(f"{folder}/train/", "/once/train/", recursive=True)
    address = Address("memory://once/train")
    fetched: list[str] = []
    original = transfer._fetched

    def counted(system: object, path: str, *rest: object) -> object:
        fetched.append(path)
        return original(system, path, *rest)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transfer, "_fetched", counted)
        place, findings = transfer.fetch(address, tmp_path / "c")
        assert (len(fetched), findings) == (13, ())
        fetched.clear()
        transfer.fetch(address, tmp_path / "c")
        assert fetched == []
        # One object is new, one has gone, one local copy was changed by somebody.
        system.pipe("/once/train/new.png", b"new")
        system.rm("/once/train/0.png")
        (place / "2.png").write_bytes(b"changed here")
        transfer.fetch(address, tmp_path / "c")
    assert sorted(Path(f).name for f in fetched) == ["2.png", "new.png"]
    assert not (place / "0.png").exists()
    assert (place / "2.png").read_bytes() == (folder / "train/2.png").read_bytes()
    system.rm("/once", recursive=True)
    found = stage(study({"path": f"file://{folder}/{{}}", "labels": f"{folder}/{{}}/labels.csv"}),
                  tmp_path / "cache")  # fmt: skip
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700
    assert found.findings == ()


def test_a_killed_transfer_goes_on(folder: Path, tmp_path: Path) -> None:
    system = fsspec.filesystem("memory")
    system.put(f"{folder}/train/", "/killed/", recursive=True)
    original, count = transfer._fetched, 0

    def stopping(*args: object) -> object:
        nonlocal count
        count += 1
        if count == 6:
            raise KeyboardInterrupt
        return original(*args)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transfer, "_AT_A_TIME", 1)
        patch.setattr(transfer, "_fetched", stopping)
        with pytest.raises(KeyboardInterrupt):
            transfer.fetch(Address("memory://killed"), tmp_path)
        came = len(json.loads((tmp_path / "manifest.json").read_bytes()))
        count = 6
        transfer.fetch(Address("memory://killed"), tmp_path)
    assert came >= 4
    assert count - 6 == 13 - came, "what had come is not fetched again"
    assert not list(tmp_path.rglob("*.tmp"))
    system.rm("/killed", recursive=True)


def member(name: str, data: bytes = b"x", mode: int = 0) -> tuple[zipfile.ZipInfo, bytes]:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info, data


def test_bad_members_cost_one_finding_each(tmp_path: Path) -> None:
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w") as file:
        for info, data in (
            member("good.png"), member("../out.png"), member("/abs.png"), member("C:\\x.png"),
            member("a\\..\\..\\up.png"), member("link.png", b"/etc/passwd", stat.S_IFLNK),
            member("last.png", b"last"),
        ):  # fmt: skip
            file.writestr(info, data)
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr(*member("good.png", b"other"))
    target = tmp_path / "data"
    target.mkdir()
    findings = unpack(path, target, "bad.zip")
    assert sorted(p.name for p in target.rglob("*")) == ["good.png", "last.png"]
    assert (target / "good.png").read_bytes() == b"x"
    assert sorted(f.rule.rpartition(".")[2] for f in findings) == [
        "member_not_a_file", *["member_outside"] * 4, "member_twice",
    ]  # fmt: skip
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.zip", "data"]


def test_encrypted_and_damaged_members(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("locked.png", b"1" * 50)
        file.writestr("broken.png", b"2" * 50)
        file.writestr("good.png", b"3" * 50)
    data = bytearray(path.read_bytes())
    data[data.index(b"2" * 50)] = ord("9")  # no longer what its checksum says
    entry = data.index(b"PK\x01\x02")
    data[entry + 8] |= 1  # the flag of encryption in the central directory
    path.write_bytes(data)
    target = tmp_path / "data"
    target.mkdir()
    rules = {f.item: f.rule for f in unpack(path, target, "a.zip")}
    assert rules == {
        "locked.png": "core.structure.member_encrypted",
        "broken.png": "core.structure.member_damaged",
    }
    assert [p.name for p in target.iterdir()] == ["good.png"]


def test_links_and_devices_in_tar(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as file:
        for name, kind in (("l", tarfile.SYMTYPE), ("h", tarfile.LNKTYPE), ("d", tarfile.CHRTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "../../etc/passwd"
            file.addfile(info)
        info = tarfile.TarInfo("good.png")
        info.size = 1
        file.addfile(info, io.BytesIO(b"x"))
    target = tmp_path / "data"
    target.mkdir()
    findings = unpack(path, target, "a.tar")
    assert {f.item for f in findings} == {"l", "h", "d"}
    assert {f.rule for f in findings} == {"core.structure.member_not_a_file"}
    assert [p.name for p in target.iterdir()] == ["good.png"]


@pytest.mark.parametrize("utf8", [True, False])
def test_chinese_names_of_both_kinds(utf8: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("胸片.png" if utf8 else "##########", b"x")
    if not utf8:  # as programs on a Chinese Windows write it, without the flag
        raw = "胸片3.png".encode("gb18030").ljust(10, b"g")
        path.write_bytes(path.read_bytes().replace(b"##########", raw))
    target = tmp_path / "data"
    target.mkdir()
    assert unpack(path, target, "a.zip") == ()
    assert [p.name[:2] for p in target.iterdir()] == ["胸片"]


def test_chinese_names_in_tar(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w", encoding="gb18030", format=tarfile.GNU_FORMAT) as file:
        file.addfile(tarfile.TarInfo("胸片.png"))
    target = tmp_path / "data"
    target.mkdir()
    unpack(path, target, "a.tar")
    assert [p.name for p in target.iterdir()] == ["胸片.png"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no", b"not an archive"])
def test_no_archive_is_a_clear_error(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.zip: the archive is damaged or ends too early"):
        unpack(path, tmp_path, "a.zip")


@pytest.mark.parametrize("name", ["a.tar.gz", "a.zip"])
def test_a_truncated_archive_is_no_smaller_cohort(name: str, folder: Path, tmp_path: Path) -> None:
    path = (zipped if name.endswith("zip") else tarred)(folder / "train", tmp_path / name)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(InputError, match="ends too early"):
        unpack(path, tmp_path, name)


def test_a_bomb_is_refused_before_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("zeros.png", bytes(30 * 2**20))
    monkeypatch.setattr(archive_module, "MOST_TIMES", 20)
    target = tmp_path / "data"
    target.mkdir()
    with pytest.raises(InputError, match="more than 20 times its size"):
        unpack(path, target, "a.zip")
    usage = type(archive_module.shutil.disk_usage(tmp_path))
    monkeypatch.setattr(archive_module, "MOST_TIMES", 1100)
    monkeypatch.setattr(archive_module.shutil, "disk_usage", lambda _: usage(9, 9, 2**28 + 2**20))
    with pytest.raises(InputError, match=r"would fill the disk .*--cache"):
        unpack(path, target, "a.zip")


def test_credentials_are_in_no_message(tmp_path: Path) -> None:
    secret = "s3cr3t"
    for url in (f"ftp://me:{secret}@127.0.0.1:9/x", f"http://127.0.0.1:9/a.zip?sig={secret}",
                f"nosuch://me:{secret}@host/x"):  # fmt: skip
        with pytest.raises(Exception, match=r"127|nosuch") as caught:
            transfer.fetch(Address(url), tmp_path)
        text = "".join(str(e) for e in (caught.value, caught.value.__cause__ or ""))
        assert secret not in text
        assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_access_denied_and_nothing_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"memory://none: nothing is there"):
        transfer.fetch(Address("memory://none"), tmp_path)

    def denied(*_: object, **__: object) -> bool:
        raise PermissionError("key AKIA...")

    monkeypatch.setattr(fsspec.filesystem("memory"), "isfile", denied)
    with pytest.raises(InputError, match="access denied; check the credentials"):
        transfer.fetch(Address("memory://none"), tmp_path)


def test_an_object_that_changes_costs_one_finding(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = fsspec.filesystem("memory")
    system.put(f"{folder}/train/", "/moving/", recursive=True)
    original = system.get_file

    def get(path: str, target: str, **options: object) -> None:
        original(path, target, **options)
        if path.endswith("/2.png"):  # somebody writes it while we read
            system.pipe(path, os.urandom(50))
        if path.endswith("/4.png"):
            raise FileNotFoundError(path)

    monkeypatch.setattr(system, "get_file", get)
    place, findings = transfer.fetch(Address("memory://moving"), tmp_path)
    assert {f.item: f.rule.rpartition(".")[2] for f in findings} == {
        "2.png": "object_changed", "4.png": "object_unreadable",
    }  # fmt: skip
    assert len([p for p in place.rglob("*") if p.is_file()]) == 11
    monkeypatch.undo()
    system.rm("/moving", recursive=True)


def test_addresses_in_study_files(tmp_path: Path, folder: Path) -> None:
    zipped(folder / "train", tmp_path / "a.zip")
    file = tmp_path / "study.yaml"
    text = (
        "schema: sdq.study/1\nmodality: imaging\ncohorts:\n"
        "  train: {path: a.zip, labels: 'zip://labels.csv::a.zip'}\n"
        "  synthetic: {path: 's3://bucket/x'}\n"
    )
    file.write_text(text)
    found = load_study(file)
    assert elsewhere(found)
    train, synthetic = found.cohorts["train"], found.cohorts["synthetic"]  # type: ignore[index]
    assert train.path == tmp_path / "a.zip"
    assert address_of(train.labels or Path()) == Address(str(tmp_path / "a.zip"), ("labels.csv",))
    assert address_of(synthetic.path) == Address("s3://bucket/x")
    file.write_text(text.replace("labels.csv::a.zip", "labels.csv::../a.zip"))
    with pytest.raises(StudyError, match="leaves the study folder"):
        load_study(file)


def test_a_place_that_an_archive_lacks(folder: Path, tmp_path: Path) -> None:
    packed = zipped(folder / "train", tmp_path / "a.zip")
    place = {"path": f"zip://{{}}::{packed}", "labels": f"zip://labels.csv::{packed}"}
    with pytest.raises(InputError, match="the archive holds no train"):
        stage(study(place), tmp_path / "cache")
    place = {"path": f"{tmp_path}/none-{{}}.zip", "labels": f"zip://labels.csv::{packed}"}
    with pytest.raises(InputError, match=r"none-train\.zip: there is no such archive"):
        stage(study(place), tmp_path / "cache")


@pytest.fixture
def s3(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A real server that speaks S3, in a process of its own."""
    pytest.importorskip("moto.server")
    pytest.importorskip("s3fs")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "moto.server", "-p", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    for key, value in (
        ("AWS_ACCESS_KEY_ID", "key"), ("AWS_SECRET_ACCESS_KEY", "s3cr3t"),
        ("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}"), ("AWS_DEFAULT_REGION", "us-east-1"),
    ):  # fmt: skip
        monkeypatch.setenv(key, value)
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        import s3fs

        system = s3fs.S3FileSystem(skip_instance_cache=True)
        system.mkdir("cohorts")
        system.put(f"{folder}/", "cohorts/", recursive=True)
        yield "s3://cohorts"
    finally:
        server.kill()
        server.wait()


@pytest.mark.filterwarnings("ignore")
def test_same_result_from_an_s3_server(
    s3: str, plain: tuple[dict[str, object], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    expected, work = plain
    found = judged(study({"path": s3 + "/{}", "labels": s3 + "/{}/labels.csv"}), work / "out-s3")
    assert found == expected
    for path in (work / "out-s3").rglob("*"):
        if path.is_file():
            assert b"s3cr3t" not in path.read_bytes()
    assert "s3cr3t" not in "".join(capsys.readouterr())
