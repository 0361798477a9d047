"""Shards give back what they were given, notice damage, and never lose what was stored."""

from __future__ import annotations

import errno
import hashlib
import math
import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from describing_toy import Toy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sdq_core.description import Description
from sdq_core.errors import PluginError, StoreError
from sdq_core.files import TEMPORARY
from sdq_core.finding import Finding
from sdq_core.shards import breach, decode_shard, encode_shard, shard_keys
from sdq_core.store import describer_key, item_key, open_store
from sdq_core.vocabulary import Severity

if TYPE_CHECKING:
    from pathlib import Path

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
finite = {"allow_nan": False, "allow_infinity": False}
descriptions = st.builds(
    Description,
    readable=st.booleans(),
    scalars=st.dictionaries(text, st.floats(**finite), max_size=4),
    embeddings=st.dictionaries(
        text, hnp.arrays(np.float32, st.integers(0, 5), elements=st.floats(width=32, **finite))
    ),
    signature=st.none()
    | st.sampled_from([16, 32]).flatmap(
        lambda w: hnp.arrays(
            f"f{w // 8}", hnp.array_shapes(min_dims=0), elements=st.floats(width=w, **finite)
        )
    ),
    metadata=st.dictionaries(text, text, max_size=4),
    findings=st.lists(
        st.builds(Finding, text, st.sampled_from(Severity), text, text, text, text, text),
        max_size=3,
    ).map(tuple),
)


def exactly(array: np.ndarray | None) -> object:
    return None if array is None else (array.dtype, array.shape, array.tobytes())


def content(d: Description) -> object:
    """All of a description, to the bit and in order, in a way that knows nothing of Arrow."""
    return (
        d.readable,
        [(k, np.float64(v).tobytes()) for k, v in d.scalars.items()],
        [(k, exactly(v)) for k, v in d.embeddings.items()],
        exactly(d.signature),
        list(d.metadata.items()),
        d.findings,
        [type(f.severity) for f in d.findings],
    )


RICH = Description(
    scalars={"z": -0.0, "a": 5e-324, "m": 1 / 3},
    embeddings={"e": np.arange(3, dtype=np.float32), "empty": np.empty(0, np.float32)},
    signature=np.full((2, 3), 0.1, np.float16),
    metadata={"b": "sha256:" + "0" * 64, "a": ""},
    findings=(Finding("t.structure.x", Severity.INFO, "m", "说明", "w", "i", "train"),),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(descriptions, max_size=4))
def test_a_round_trip_is_exact(given_descriptions: list[Description]) -> None:
    assert [breach(d) for d in given_descriptions] == [None] * len(given_descriptions)
    keys = [f"key {i}" for i in range(len(given_descriptions))]
    data = encode_shard(keys, given_descriptions)
    again = decode_shard(data)
    assert shard_keys(data) == list(again) == keys
    assert [content(d) for d in again.values()] == [content(d) for d in given_descriptions]
    assert encode_shard(keys, list(again.values())) == data


@pytest.mark.parametrize(
    "signature",
    [
        np.arange(12, dtype=">f4").reshape(3, 4),
        np.arange(24, dtype=np.float32).reshape(4, 6)[::2, ::3],
        np.asfortranarray(np.arange(6, dtype=np.float16).reshape(2, 3)),
        np.array(2.5, np.float32),
    ],
    ids=["big-endian", "strided", "fortran", "no axes"],
)
def test_the_memory_layout_of_a_signature_does_not_matter(signature: np.ndarray) -> None:
    back = decode_shard(encode_shard(["k"], [Description(signature=signature)]))["k"].signature
    assert back is not None
    assert back.dtype == signature.dtype.newbyteorder("=")
    assert back.shape == signature.shape
    assert np.array_equal(back, signature)


def test_arrays_read_back_may_be_written_to() -> None:
    back = decode_shard(encode_shard(["k"], [RICH]))["k"]
    back.embeddings["e"][0] = 7
    back.signature[0] = 7


def test_only_wanted_rows_are_decoded() -> None:
    many = [replace(RICH, scalars={"n": float(i)}) for i in range(5)]
    some = decode_shard(encode_shard(list("abcde"), many), {"d", "b", "x"})
    assert {k: dict(d.scalars) for k, d in some.items()} == {"b": {"n": 1.0}, "d": {"n": 3.0}}


def test_a_shard_is_an_arrow_file_for_everyone() -> None:
    data = encode_shard(["k"], [RICH])
    table = pa.ipc.open_file(pa.py_buffer(data)).read_all()
    table.validate(full=True)
    seal = table.schema.metadata[b"sdq.sha256"].removeprefix(b"sha256:")
    assert hashlib.sha256(data.replace(seal, b"0" * 64)).hexdigest().encode() == seal
    assert table.column("key").to_pylist() == ["k"]
    assert table.column("scalars").to_pylist() == [list(RICH.scalars.items())]


def test_a_change_of_any_byte_is_noticed() -> None:
    data = encode_shard(["k"], [RICH])
    for place in range(len(data)):
        for flip in (0x01, 0x80):
            bad = bytearray(data)
            bad[place] ^= flip
            with pytest.raises(StoreError, match="damaged"):
                decode_shard(bytes(bad))


def test_a_cut_or_a_longer_shard_is_noticed() -> None:
    data = encode_shard(["k"], [RICH])
    for bad in [data[:n] for n in range(0, len(data), 7)] + [data + b"\0", b"\0" * len(data)]:
        with pytest.raises(StoreError, match="damaged"):
            shard_keys(bad)


@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        (None, "must return a Description"),
        ({"scalars": {"s": math.nan}}, "scalar 's'"),
        ({"scalars": {"s": math.inf}}, "scalar 's'"),
        ({"scalars": {"s": "1"}}, "scalar 's'"),
        ({"scalars": {1: 1.0}}, "Unicode"),
        ({"embeddings": {"e": np.zeros(3)}}, "embedding 'e'"),
        ({"embeddings": {"e": np.zeros((1, 3), np.float32)}}, "embedding 'e'"),
        ({"embeddings": {"e": np.full(3, np.nan, np.float32)}}, "embedding 'e'"),
        ({"embeddings": {"e": [1.0]}}, "embedding 'e'"),
        ({"signature": np.zeros(3)}, "signature"),
        ({"signature": np.array([1, np.inf], np.float16)}, "signature"),
        ({"metadata": {"m": 3}}, "Unicode"),
        ({"metadata": {"m": "\udcff"}}, "Unicode"),
        ({"findings": ("broken",)}, "findings"),
        ({"findings": (Finding("a.b.c", "grave", "m"),)}, "findings"),
        ({"readable": 1}, "readable"),
    ],
)
def test_a_breach_of_the_contract_is_named(bad: object, rule: str) -> None:
    found = breach(bad if bad is None else replace(RICH, **bad))
    assert found is not None
    assert rule in found
    assert breach(RICH) is None


def test_keys_follow_everything_a_description_depends_on() -> None:
    toys = [Toy(), Toy(version="2"), Toy(settings={"size": 9}), Toy(name="yot")]
    keys = {item_key(describer_key(toy), digest) for toy in toys for digest in ("a", "b")}
    assert len(keys) == 8
    assert describer_key(Toy(settings={"a": 1, "b": 2})) == describer_key(
        Toy(settings={"b": 2, "a": 1}, delay=1.0)
    )


@pytest.mark.parametrize("name", ["", "a.b", "../a", "A", "a b"])
def test_a_name_that_cannot_name_a_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(PluginError, match="rename it"):
        open_store(tmp_path, Toy(name=name))


def test_settings_that_are_not_json_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"\$\.settings\.size"):
        open_store(tmp_path, Toy(settings={"size": {1}}))


def test_what_is_put_is_found(tmp_path: Path) -> None:
    store = open_store(tmp_path, Toy())
    assert store.find({"a"}) == ({}, ())
    store.prepare(Toy())
    first, second = store.put(["a", "b"], [RICH, Description()]), store.put(["c"], [Description()])
    places, discarded = store.find({"a", "c", "x"})
    assert (places, discarded) == ({"a": first, "c": second}, ())
    back = store.get(places)
    assert content(back["a"]) == content(RICH)
    assert back["c"] == Description()
    card = (store.folder / "describer.json").read_text()
    assert card == '{"format":1,"name":"toy","settings":{"size":8},"version":"1"}'


def test_putting_again_changes_no_byte(tmp_path: Path) -> None:
    store = open_store(tmp_path, Toy())
    path = store.folder / store.put(["a"], [RICH])
    before = path.read_bytes()
    assert store.folder / store.put(["a"], [RICH]) == path
    assert path.read_bytes() == before


def test_a_damaged_shard_is_reported_and_set_aside(tmp_path: Path) -> None:
    store = open_store(tmp_path, Toy())
    bad, good = store.put(["a"], [RICH]), store.put(["b"], [RICH])
    (store.folder / bad).write_bytes((store.folder / bad).read_bytes()[:-1])
    places, (message,) = store.find({"a", "b"})
    assert places == {"b": good}
    assert bad in message
    assert str(tmp_path) not in message
    assert sorted(p.suffix for p in store.folder.iterdir()) == [".arrow", ".damaged"]
    assert store.find({"a", "b"}) == ({"b": good}, ())


def test_a_shard_that_vanishes_or_rots_while_in_use_is_an_error(tmp_path: Path) -> None:
    store = open_store(tmp_path, Toy())
    name = store.put(["a"], [RICH])
    with pytest.raises(StoreError, match="went missing"):
        store.get({"a": name, "b": name})
    (store.folder / name).write_bytes(b"")
    with pytest.raises(StoreError, match="changed while it was in use"):
        store.get({"a": name})
    (store.folder / name).unlink()
    with pytest.raises(StoreError, match="changed while it was in use"):
        store.get({"a": name})


def test_what_killed_runs_left_is_removed_but_nothing_of_a_running_one(tmp_path: Path) -> None:
    store = open_store(tmp_path, Toy())
    store.prepare(Toy())
    old, new = (store.folder / TEMPORARY.replace("*", name) for name in ("old", "new"))
    old.touch()
    new.touch()
    os.utime(old, (0, 0))
    store.prepare(Toy())
    assert not old.exists()
    assert new.exists()


def test_a_full_disk_keeps_what_was_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(tmp_path, Toy())
    first = store.put(["a"], [RICH])

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("sdq_core.files.os.fsync", full)
    with pytest.raises(StoreError, match="free space"):
        store.put(["b"], [RICH])
    assert [p.name for p in store.folder.iterdir()] == [first]
    assert store.find({"a", "b"}) == ({"a": first}, ())


def test_the_store_imports_nothing_heavy() -> None:
    code = (
        "import sys, sdq_core.describe, sdq_core.engines.processes; "
        "print([m for m in ('pyarrow', 'torch', 'pandas', 'scipy', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
