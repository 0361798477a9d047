import numpy as np
import pytest

from sdq_signals.features.eeg import describe
from sdq_signals.features.spectrum import welch

RATE = 250.0


def _coloured(slope, n=8, channels=2, t=5000, seed=0):
    """Noise whose power falls with the frequency to the `slope`."""
    rng = np.random.default_rng(seed)
    frequencies = np.fft.rfftfreq(t, 1 / RATE)
    frequencies[0] = frequencies[1]
    shape = (n, channels, len(frequencies))
    drawn = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    x = np.fft.irfft(drawn * frequencies ** (slope / 2), t)
    return (20 * x / x.std(axis=2, keepdims=True)).astype(np.float32)


def _described(x, rate=RATE):
    return describe(x, welch(x, rate))


@pytest.mark.parametrize("slope", [-1.0, -1.5, -2.0])
def test_the_slope_of_the_background_is_found(slope):
    found = _described(_coloured(slope))
    assert found["eeg.slope"].mean() == pytest.approx(slope, abs=0.06)


def test_an_alpha_rhythm_is_found_and_leaves_the_slope():
    x = _coloured(-1.5)
    t = np.arange(x.shape[2]) / RATE
    wave = 10 * np.sin(2 * np.pi * 10.3 * t).astype(np.float32)
    without, found = _described(x), _described(x + wave)
    assert found["eeg.alpha_frequency_hz"] == pytest.approx(10.3, abs=0.15)
    assert (found["eeg.alpha_prominence_db"] > without["eeg.alpha_prominence_db"] + 5).all()
    assert found["eeg.slope"] == pytest.approx(without["eeg.slope"], abs=0.1)
    assert (found["eeg.relative_alpha"] > without["eeg.relative_alpha"]).all()


def test_the_power_of_a_sine_lies_in_its_band():
    t = np.arange(2500) / RATE
    x = np.broadcast_to(10 * np.sin(2 * np.pi * 20 * t), (1, 3, 2500)).astype(np.float32)
    found = _described(x.copy())
    assert np.exp(found["eeg.beta"][0]) == pytest.approx(50, rel=0.01)
    assert found["eeg.relative_beta"][0] == pytest.approx(1, abs=1e-3)
    assert found["eeg.beta_spread"][0] == pytest.approx(0, abs=1e-6)
    assert found["eeg.mobility_hz"][0] == pytest.approx(20, rel=0.02)
    assert found["eeg.complexity"][0] == pytest.approx(1, rel=0.01)
    assert np.exp(found["eeg.activity"][0]) == pytest.approx(50, rel=0.01)


def test_a_silent_channel_does_not_count():
    x = _coloured(-1.0, n=1, channels=3)
    two = _described(x[:, :2].copy())
    x[0, 2] = 4.0
    found = _described(x)
    for name in ("eeg.alpha", "eeg.slope", "eeg.entropy", "eeg.complexity"):
        assert found[name] == pytest.approx(two[name])


def test_what_the_sampling_rate_does_not_hold_is_left_out():
    found = _described(_coloured(-1.0, t=2500), rate=80.0)
    assert np.isnan(found["eeg.gamma"]).all()
    assert np.isnan(found["eeg.slope"]).all()
    shares = sum(found[f"eeg.relative_{b}"] for b in ("delta", "theta", "alpha", "beta"))
    assert shares == pytest.approx(1)


def test_a_row_does_not_depend_on_the_others():
    x = _coloured(-1.0, n=6, channels=3, t=2000)
    x[2, 1, 100:400] = np.nan
    whole = _described(x)
    for n in (1, 2, 4):
        for name, values in _described(x[1 : 1 + n]).items():
            np.testing.assert_array_equal(values, whole[name][1 : 1 + n], err_msg=name)


@pytest.mark.parametrize("length", [1, 2, 3, 8, 100, 250])
@pytest.mark.parametrize("fill", [None, 0.0, np.nan, 3.0])
def test_short_and_empty_recordings_have_no_infinite_feature(length, fill):
    x = np.random.default_rng(0).standard_normal((2, 2, length), dtype=np.float32)
    if fill is not None:
        x[:] = fill
    for name, values in _described(x).items():
        assert values.shape == (2,), name
        assert not np.isinf(values).any(), name
