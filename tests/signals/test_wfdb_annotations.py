"""Annotations of WFDB records against the format's own library."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from records import library, noise, record

from sdq_core.errors import UnreadableItem
from sdq_signals.formats import wfdb


@given(
    steps=st.lists(st.sampled_from([0, 1, 5, 1000, 1023, 1024, 5000, 10**6]), min_size=1),
    seed=st.integers(0, 99),
)
@settings(max_examples=25)
def test_annotations_equal_the_library(tmp_path_factory, steps, seed):
    folder = tmp_path_factory.mktemp("a")
    path = record(folder, noise(9, 1))
    rng = np.random.default_rng(seed)
    samples = np.cumsum(steps) + 1
    symbols = rng.choice(list("NVA+~|(pt)?/"), len(steps)).tolist()
    notes = ["(AFIB" if s == "+" else "" for s in symbols]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        library().wrann(
            "r", "atr", samples, symbols, aux_note=notes, fs=250, write_dir=str(folder),
            subtype=rng.integers(0, 3, len(steps)), chan=rng.integers(0, 2, len(steps)),
            num=rng.integers(0, 3, len(steps)),
        )  # fmt: skip
        truth = library().rdann(str(folder / "r"), "atr")
    found, names = wfdb.annotations(path, "atr")
    np.testing.assert_array_equal(found, truth.sample)
    assert names.tolist() == truth.symbol


def test_annotations_count_samples_of_the_highest_rate(tmp_path):
    path = record(tmp_path, noise(9, 4), per_frame=[4])
    for ticks, expected in ((None, 400), (500, 200)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            library().wrann("r", "atr", np.array([100]), ["N"], fs=ticks, write_dir=str(tmp_path))
        assert wfdb.annotations(path, "atr")[0].tolist() == [expected]


def test_annotations_that_are_not_there(tmp_path):
    path = record(tmp_path, noise(9, 1))
    for extension in ("atr", "../x", ""):
        with pytest.raises(UnreadableItem) as error:
            wfdb.annotations(path, extension)
        assert error.value.rule == "signals.structure.annotation_missing"


@given(st.binary(max_size=200))
def test_any_bytes_are_annotations_or_none(tmp_path_factory, data):
    path = record(tmp_path_factory.mktemp("a"), noise(2, 1))
    path.with_suffix(".atr").write_bytes(data)
    samples, symbols = wfdb.annotations(path, "atr")
    assert len(samples) == len(symbols)
