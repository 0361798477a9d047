"""Content hashes and canonical JSON."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdq_core.errors import InputError
from sdq_core.hashing import canonical_json, hash_file, hash_files

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def test_hash_file_of_known_texts(tmp_path: Path) -> None:
    # FIPS 180-2, appendices B.1 and B.3: "abc" and a million times "a".
    (tmp_path / "abc").write_bytes(b"abc")
    (tmp_path / "million").write_bytes(b"a" * 1_000_000)
    assert hash_files([tmp_path / "million", tmp_path / "abc"]) == [
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    ]


def test_hash_files_keeps_the_order_whatever_the_threads(tmp_path: Path) -> None:
    paths = [tmp_path / str(i) for i in range(30)]
    for i, path in enumerate(paths):
        path.write_bytes(bytes([i]) * (50_000 if i % 3 else 1))
    want = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    assert hash_files(paths, workers=1) == hash_files(paths, workers=7) == want


def test_a_file_that_cannot_be_read_is_named_or_empty(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="gone"):
        hash_file(tmp_path / "gone")
    (tmp_path / "here").write_bytes(b"abc")
    assert [bool(d) for d in hash_files([tmp_path / "gone", tmp_path / "here"])] == [False, True]


@given(values)
def test_canonical_json_gives_the_value_back(value: object) -> None:
    # json compares 1 and 1.0 and True as equal; the texts do not.
    again = json.loads(canonical_json(value))
    assert again == value
    assert canonical_json(again) == canonical_json(value)


@given(st.dictionaries(st.text(), st.integers(), min_size=2, max_size=6), st.randoms())
def test_canonical_json_forgets_the_order_of_keys(mapping: dict[str, int], random) -> None:
    pairs = list(mapping.items())
    random.shuffle(pairs)
    assert canonical_json(dict(pairs)) == canonical_json(mapping)


def test_canonical_json_of_a_known_value() -> None:
    value = {"b": [1, 1.0, -0.0, 1e300, True], "ä": "中\n", "a": None}
    assert canonical_json(value) == '{"a":null,"b":[1,1.0,-0.0,1e+300,true],"ä":"中\\n"}'.encode()


def test_numpy_scalars_are_numbers() -> None:
    value = {"a": np.float64(0.1), "b": np.int32(3), "c": np.bool_(True), "d": np.float32(0.5)}
    assert canonical_json(MappingProxyType(value)) == b'{"a":0.1,"b":3,"c":true,"d":0.5}'


def test_an_undecodable_byte_of_a_file_name_survives() -> None:
    name = b"\xff.png".decode("utf-8", "surrogateescape")
    assert json.loads(canonical_json(name)) == name


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, np.float32("nan")])
def test_numbers_that_are_none_are_refused_with_their_place(bad: float) -> None:
    with pytest.raises(ValueError, match=r"\$\.a\[1\] is not a finite number"):
        canonical_json({"a": [0, bad]})


@pytest.mark.parametrize("bad", [{1: 2}, b"x", {3}, np.zeros(2), 1j])
def test_other_things_are_refused(bad: object) -> None:
    with pytest.raises(TypeError, match=r"canonical_json: \$\.k"):
        canonical_json({"k": bad})
