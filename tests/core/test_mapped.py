"""Objects that worker processes map instead of making them anew."""

import multiprocessing
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from sdq_core import mapped as module
from sdq_core.mapped import Mapped, load_mapped, mapped

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="files of other processes are seen in /proc alone"
)


def made():
    return {
        "numbers": np.arange(12.0).reshape(3, 4),
        "none": np.empty(0, np.int32),
        "table": pa.table({"x": ["a", None, "ccc"], "y": [1, 2, None]}),
        "plain": ("text", {1: 2}),
    }


def same(found, wanted):
    return (
        (found["numbers"] == wanted["numbers"]).all()
        and found["none"].dtype == np.int32
        and found["table"].equals(wanted["table"])
        and found["plain"] == wanted["plain"]
    )


def test_what_was_laid_out_is_what_is_loaded():
    with mapped(made()) as place:
        found = load_mapped(place)
    assert same(found, made())
    assert same(found, made())  # also after the file was closed: the pages stay


def test_arrays_are_not_copied_and_cannot_be_written():
    with mapped(made()) as place:
        found = load_mapped(place)
        assert not found["numbers"].flags.owndata
        assert found["numbers"].ctypes.data % 64 == 0
        with pytest.raises(ValueError, match="read-only"):
            found["numbers"][0] = 1


def _in_another_process(place, wanted):
    return same(load_mapped(place), wanted)


def test_another_process_sees_it():
    with (
        multiprocessing.get_context("spawn").Pool(1) as pool,
        mapped(made()) as place,
    ):
        assert pool.apply(_in_another_process, (place, made()))


def test_the_file_has_no_name_and_is_gone_at_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with mapped(made()) as place:
        assert place is not None
        assert not list(tmp_path.iterdir())
    load_mapped.cache_clear()
    with pytest.raises(OSError):
        load_mapped(place)


def test_a_file_that_got_the_number_of_another_is_not_taken_for_it():
    with (
        mapped(made()) as first,
        mapped({"other": 1}) as second,
        pytest.raises(OSError, match="another file"),
    ):
        load_mapped(Mapped(second.path, first.token))


def test_without_room_or_proc_there_is_none(monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.tempfile, "TemporaryFile", full)
    with mapped(made()) as place:
        assert place is None
    monkeypatch.undo()
    monkeypatch.setattr(module.os, "getpid", lambda: 2**30)
    with mapped(made()) as place:
        assert place is None


@pytest.mark.parametrize("content", [b"", b"short"])
def test_what_is_no_such_file_is_not_there(tmp_path, content):
    (tmp_path / "f").write_bytes(content)
    with pytest.raises(OSError):
        load_mapped(Mapped(tmp_path / "f", b"0" * 16))
