"""Band limits and the working rate: places and amplitudes at any rate, gaps, lengths."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdq_signals.features.conditioning import WORKING_RATE, condition, fill_gaps


def bump(rate, seconds=8.0, at=3.2, width=0.03):
    t = np.arange(round(seconds * rate)) / rate
    return np.exp(-0.5 * ((t - at) / width) ** 2).astype(np.float32)[None, None]


@pytest.mark.parametrize("rate", [100, 128, 180.5, 250, 257, 333.3, 360, 500, 977, 1000])
def test_a_wave_keeps_its_place_and_height_at_every_rate(rate):
    y = condition(bump(rate), rate)
    assert y.rate == pytest.approx(WORKING_RATE, rel=2e-5)
    assert y.shape.shape[2] == pytest.approx(8 * WORKING_RATE, abs=1)
    course = y.shape[0, 0]
    k = int(course.argmax())
    a, b, c = course[k - 1 : k + 2]
    place = (k + 0.5 * (a - c) / (a - 2 * b + c)) / y.rate
    assert place == pytest.approx(3.2, abs=5e-4)
    # The high-pass takes the mean of the neighbourhood away.
    assert course.max() - course[k + 40] == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize(("hz", "kept"), [(0.1, 0), (2, 1), (10, 1), (40, 1), (90, 0)])
def test_the_shape_band_keeps_what_is_inside(hz, kept):
    t = np.arange(10000) / 500
    y = condition(np.sin(2 * np.pi * hz * t)[None, None].astype(np.float32), 500)
    middle = y.shape[0, 0, 2000:3000]
    assert np.sqrt(2) * middle.std() == pytest.approx(kept, abs=0.03)


def test_the_beat_band_peaks_between_8_and_20_hz():
    t = np.arange(5000) / 500
    level = {}
    for hz in (2, 12.65, 45):
        y = condition(np.sin(2 * np.pi * hz * t)[None, None].astype(np.float32), 500)
        level[hz] = np.sqrt(2) * y.beat[0, 0, 500:2000].std()
    assert level[12.65] == pytest.approx(1, abs=0.02)
    assert max(level[2], level[45]) < 0.15


def test_power_is_where_the_sine_is():
    t = np.arange(5000) / 500
    for k, hz in enumerate((0.5, 3, 10, 25)):
        y = condition(np.sin(2 * np.pi * hz * t)[None, None].astype(np.float32), 500)
        assert y.power[0, 0, k] > 0.95 * y.power.sum()


@given(st.integers(1, 400), st.floats(1, 2000))
@settings(max_examples=60, deadline=None)
def test_every_length_and_rate_gives_finite_samples(t, rate):
    x = np.random.default_rng(0).normal(size=(2, 1, t)).astype(np.float32)
    y = condition(x, rate)
    assert y.shape.shape[2] == y.beat.shape[2] == max(1, round(t * y.rate / rate))
    assert np.isfinite(y.shape).all()
    assert np.isfinite(y.beat).all()


def test_gaps_are_bridged_by_lines():
    x = np.arange(10, dtype=np.float32).reshape(1, 1, 10).copy()
    x[0, 0, [0, 4, 5, 9]] = [np.nan, np.nan, np.inf, np.nan]
    filled, missing = fill_gaps(x)
    assert filled[0, 0].tolist() == [1, 1, 2, 3, 4, 5, 6, 7, 8, 8]
    assert missing[0, 0].nonzero()[0].tolist() == [0, 4, 5, 9]


def test_nothing_missing_costs_no_copy():
    x = np.ones((1, 1, 5), np.float32)
    filled, missing = fill_gaps(x)
    assert filled is x
    assert missing is None
