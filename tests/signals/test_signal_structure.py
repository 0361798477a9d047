import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdq_signals.features.structure import RULES, StructureAccumulator, defects
from sdq_signals.recording import Channel

RATE = 100.0


def _channels(count, kind="ecg", lowest=None, highest=None):
    return [
        Channel(f"C{k}", f"C{k}", kind, "mV", 1.0, RATE, lowest, highest, 0.001)
        for k in range(count)
    ]


def _beats(n=1, channels=2, seconds=10, rate=RATE):
    """Narrow peaks with noise, in whole microvolts."""
    t = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(1).standard_normal((n, channels, len(t)))
    height = 1 + 0.1 * np.arange(channels)[:, None]
    x = height * np.exp(-(((t % 0.83) - 0.3) ** 2) / 0.0008) + 0.01 * noise
    return (np.round(1000 * x) / 1000).astype(np.float32)


def _found(x, channels=None, rate=RATE):
    collected = StructureAccumulator(*x.shape[:2], rate)
    collected.update(x)
    return defects(collected.result(), channels or _channels(x.shape[1]))


def test_a_sound_record_is_quiet():
    assert _found(_beats()) == []


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("flat", lambda x: x.__setitem__((0, 1, slice(300, 400)), x[0, 1, 300])),
        ("samples_missing", lambda x: x.__setitem__((0, 1, slice(300, 400)), np.nan)),
        ("zero_channel", lambda x: x.__setitem__((0, 1), 0)),
        ("constant_channel", lambda x: x.__setitem__((0, 1), 0.25)),
        ("missing_channel", lambda x: x.__setitem__((0, 1), np.nan)),
        ("clipped", lambda x: np.clip(x[0, 1], -0.6, 0.6, out=x[0, 1])),
        ("offset", lambda x: x.__setitem__((0, 1), x[0, 1] + 8)),
    ],
)
def test_each_planted_fault_is_named_with_its_channel(rule, change):
    x = _beats()
    change(x)
    assert _found(x) == [(rule, "C1")]
    assert rule in RULES


def test_clipping_at_the_limit_of_the_digitiser_is_saturation():
    x = np.clip(_beats(), -0.6, 0.6)
    assert _found(x, _channels(2, lowest=-2.0, highest=0.6)) == [
        ("saturated", "C0"),
        ("saturated", "C1"),
    ]


def test_a_periodic_wave_that_repeats_its_maximum_is_not_clipped():
    x = np.sin(2 * np.pi * np.arange(1000) / 52).astype(np.float32)[None, None]
    assert _found(x) == []


def test_channels_of_other_kinds_may_rest():
    x = _beats()
    x[0, 1, 300:600] = x[0, 1, 300]
    assert _found(x, _channels(2, kind="other")) == []


def test_shares_and_lengths():
    x = _beats(seconds=10)
    x[0, 0, 100:200] = np.nan
    x[0, 1, 500:750] = 0.5
    collected = StructureAccumulator(1, 2, RATE)
    collected.update(x)
    found = collected.result()
    assert found.missing_share[0, 0] == pytest.approx(0.1)
    assert found.gap_s[0, 0] == pytest.approx(1.0)
    assert found.flat_s[0, 1] == pytest.approx(2.5)
    assert found.flat_share[0, 1] == pytest.approx(0.25)
    assert found.highest[0, 1] == x[0, 1].max()
    assert found.offset[0, 1] == pytest.approx(x[0, 1].mean(), abs=1e-6)


_VALUES = st.sampled_from([0.0, 0.5, 1.0, -1.0, float("nan"), float("inf")])


@given(
    runs=st.lists(st.tuples(_VALUES, st.integers(1, 12)), min_size=1, max_size=20),
    cuts=st.lists(st.integers(0, 200), max_size=8),
)
def test_the_result_does_not_depend_on_the_cuts(runs, cuts):
    row = np.concatenate([np.full(k, v, np.float32) for v, k in runs])
    x = np.stack([row, row[::-1]])[None]
    whole, cut = StructureAccumulator(1, 2, 10.0), StructureAccumulator(1, 2, 10.0)
    whole.update(x)
    places = [0, *sorted(min(c, len(row)) for c in cuts), len(row)]
    for first, last in itertools.pairwise(places):
        cut.update(x[:, :, first:last])
        cut.result()  # looking does not disturb
    one, other = whole.result(), cut.result()
    for name in one.__slots__:
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), err_msg=name)
    np.testing.assert_array_equal(one.clipped, other.clipped)


@given(
    runs=st.lists(st.tuples(_VALUES, st.integers(1, 12)), min_size=1, max_size=20),
)
def test_runs_are_those_of_a_plain_count(runs):
    row = np.concatenate([np.full(k, v, np.float32) for v, k in runs])
    collected = StructureAccumulator(1, 1, 1.0)
    collected.update(row[None, None])
    found = collected.result()
    longest, gap, length, gaps = 0, 0, 0, 0
    for k, value in enumerate(row):
        if np.isfinite(value):
            gaps, length = 0, length + 1 if k and row[k - 1] == value else 1
        else:
            gaps, length = gaps + 1, 0
        longest, gap = max(longest, length), max(gap, gaps)
    assert found.flat_s[0, 0] == longest
    assert found.gap_s[0, 0] == gap


def test_a_row_does_not_depend_on_the_others():
    x = _beats(n=5)
    x[2, 1, 100:300] = np.nan
    whole = StructureAccumulator(5, 2, RATE)
    whole.update(x)
    one = StructureAccumulator(1, 2, RATE)
    one.update(x[2:3])
    for name in one.result().__slots__:
        if name not in ("rate", "samples"):
            np.testing.assert_array_equal(
                getattr(one.result(), name)[0], getattr(whole.result(), name)[2], err_msg=name
            )


@pytest.mark.parametrize("length", [0, 1, 2, 3])
@pytest.mark.parametrize("fill", [0.0, 1.0, np.nan])
def test_a_few_samples_do_not_fail(length, fill):
    found = _found(np.full((1, 2, length), fill, np.float32))
    missing = np.isnan(fill) or length == 0
    assert found == ([("missing_channel", "C0"), ("missing_channel", "C1")] if missing else [])
