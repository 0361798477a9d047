import numpy as np
import pytest

from sdq_signals.features.resampling import band_limited


@pytest.mark.parametrize("rate", [50.0, 100.0, 116.988, 128.0, 257.0, 360.0, 500.0, 1000.0])
@pytest.mark.parametrize("length_s", [2.0, 10.0, 9.37])
def test_a_wave_keeps_its_phase_and_height(rate, length_s):
    t = np.arange(round(length_s * rate)) / rate
    x = (7 + 0.5 * np.cos(2 * np.pi * 4 * t + 0.3)).astype(np.float32)[None, None]
    y = band_limited(x, rate, 100.0, (0.5, 40.0))[0, 0]
    after = np.arange(len(y)) / 100
    assert abs(after[-1] - t[-1]) < 0.03
    inner = (after > 0.5) & (after < length_s - 0.5)
    expected = 0.5 * np.cos(2 * np.pi * 4 * after + 0.3)
    np.testing.assert_allclose(y[inner], expected[inner], atol=0.02)


def test_what_lies_outside_the_band_goes():
    t = np.arange(5000) / 500
    x = (np.cos(2 * np.pi * 60 * t) + np.cos(2 * np.pi * 0.2 * t)).astype(np.float32)[None, None]
    assert np.abs(band_limited(x, 500.0, 100.0, (0.5, 40.0))[..., 100:-100]).max() < 0.05


def test_missing_samples_take_the_mean():
    x = np.random.default_rng(0).standard_normal((1, 2, 1000), dtype=np.float32)
    x[0, 0, 100:200] = np.nan
    x[0, 1] = np.nan
    y = band_limited(x, 100.0, 100.0, (0.5, 40.0))
    assert np.isfinite(y).all()
    assert np.abs(y[0, 0, 120:180]).max() < 0.3
    assert (y[0, 1] == 0).all()


@pytest.mark.parametrize("length", [1, 2, 3, 10])
def test_a_few_samples_do_not_fail(length):
    y = band_limited(np.ones((1, 1, length), np.float32), 250.0, 100.0, (0.5, 40.0))
    assert y.shape == (1, 1, -(-length * 100 // 250))
    assert np.abs(y).max() < 1e-6
