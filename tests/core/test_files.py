"""Output files are whole or absent."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from sdq_core.errors import StoreError
from sdq_core.files import TEMPORARY, atomic_write


def fail_with(number: int):
    def fail(*args: object, **kwargs: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def test_writes_the_bytes_and_makes_the_folders(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c.bin"
    atomic_write(path, b"\x00\xff")
    assert path.read_bytes() == b"\x00\xff"
    assert [p.name for p in path.parent.iterdir()] == ["c.bin"]


def test_replaces_an_older_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old and longer")
    atomic_write(path, b"new")
    assert path.read_bytes() == b"new"


def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        atomic_write(tmp_path / "x", b"")
    finally:
        os.umask(old)
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o640


def test_a_name_of_the_greatest_length_can_be_written(tmp_path: Path) -> None:
    atomic_write(tmp_path / ("n" * 255), b"1")
    with pytest.raises(StoreError, match="shorter"):
        atomic_write(tmp_path / ("n" * 256), b"1")


@pytest.mark.parametrize("call", ["fsync", "fdopen"])
@pytest.mark.parametrize(
    ("number", "remedy"),
    [(errno.ENOSPC, "free space"), (errno.EDQUOT, "quota"), (errno.EROFS, "read-only")],
)
def test_a_failed_write_keeps_the_old_file_and_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int, remedy: str
) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")
    monkeypatch.setattr(f"sdq_core.files.os.{call}", fail_with(number))
    with pytest.raises(StoreError, match=remedy) as caught:
        atomic_write(path, b"new")
    assert str(path) in str(caught.value)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.glob(TEMPORARY)) == []


def test_an_interrupted_write_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sdq_core.files.os.fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        atomic_write(tmp_path / "x", b"new")
    assert list(tmp_path.iterdir()) == []


def test_a_path_through_a_file_or_onto_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError, match="is a file"):
        atomic_write(tmp_path / "file" / "x", b"")
    with pytest.raises(StoreError, match="a folder of that name"):
        atomic_write(tmp_path / "folder", b"")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    with pytest.raises(StoreError, match="permission denied"):
        atomic_write(folder / "x", b"")
