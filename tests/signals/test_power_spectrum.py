import numpy as np
import pytest
import scipy.signal

from sdq_signals.features import amplitude
from sdq_signals.features.spectrum import BANDS, EDGES, band_power, describe, welch

KINDS = tuple(BANDS)


def _noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


@pytest.mark.parametrize(("rate", "length"), [(100.0, 1000), (360.0, 3600), (128.5, 700), (50, 60)])
def test_density_equals_scipy(rate, length):
    x = _noise(2, 3, length) + 5
    segment = min(round(2 * rate), length)
    frequencies, expected = scipy.signal.welch(
        x.astype(np.float64), rate, "hann", segment, segment // 2, detrend="constant"
    )
    found = welch(x, rate)
    np.testing.assert_allclose(found.frequencies, frequencies)
    np.testing.assert_allclose(found.psd[..., 1:], expected[..., 1:], rtol=2e-4)


def test_a_gap_costs_only_the_segments_that_it_touches():
    x = _noise(1, 1, 3000)
    whole, holed = welch(x, 100.0), x.copy()
    holed[0, 0, 1050] = np.nan
    found = welch(holed, 100.0)
    assert (~found.valid).sum() == 2
    kept = found.valid[0, 0]
    # The channel's first sample is subtracted first, so that the rest is the same to the last bit.
    np.testing.assert_array_equal(found.frames[0, 0, kept], whole.frames[0, 0, kept])


def test_an_offset_does_not_reach_the_spectrum():
    x = _noise(1, 1, 2000) * np.float32(1e-3)
    found = welch(x + np.float32(64), 100.0).psd
    np.testing.assert_allclose(found, welch((x + 64) - 64, 100.0).psd, rtol=1e-3)
    assert np.isnan(describe(welch(np.full_like(x, 7.3), 100.0), "ecg")["spectrum.entropy"][0])


def test_bands_hold_the_power_of_a_sine():
    t = np.arange(5000) / 500
    x = (0.4 * np.sin(2 * np.pi * 21.5 * t))[None, None].astype(np.float32)
    found = describe(welch(x, 500.0), "ecg")
    inside = next(k for k, high in enumerate(EDGES[1:]) if high > 21.5)
    assert np.exp(found[f"spectrum.band_{inside + 1:02d}"][0]) == pytest.approx(0.08, rel=0.01)
    assert found["spectrum.relative_to_40"][0] == pytest.approx(1, abs=1e-3)
    assert found["spectrum.edge95_hz"][0] == pytest.approx(21.5, abs=1)


def test_band_power_adds_up():
    psd = np.abs(_noise(4, 101, seed=3)).astype(np.float64)
    frequencies = np.arange(101) / 2
    parts = band_power(psd, frequencies, np.array([0.5, 1.1, 7.0, 23.45, 40.0]))
    whole = band_power(psd, frequencies, np.array([0.5, 40.0]))
    np.testing.assert_allclose(parts.sum(axis=1), whole[:, 0])


def test_what_lies_above_nyquist_is_left_out():
    found = describe(welch(_noise(1, 1, 1000), 100.0), "ecg")
    assert np.isfinite(found["spectrum.band_18"][0])
    assert np.isnan(found["spectrum.band_19"][0])
    assert np.isnan(found["spectrum.mains_50_db"][0])
    assert np.isnan(found["spectrum.relative_to_100"][0])


@pytest.mark.parametrize("hz", [50, 60])
def test_mains_are_seen_at_their_frequency_only(hz):
    x = _noise(1, 2, 5000) * np.float32(0.01)
    t = np.arange(5000) / 500
    x += (0.02 * np.sin(2 * np.pi * hz * t)).astype(np.float32)
    found = describe(welch(x, 500.0), "ecg", hz)
    other = 110 - hz
    assert found[f"spectrum.mains_{hz}_db"][0] > 15
    assert found[f"spectrum.mains_{other}_db"][0] < 10
    # 0.02^2 / 2 of line over 0.01^2 of noise.
    assert found["spectrum.mains_share"][0] == pytest.approx(2 / 3, abs=0.05)


def test_a_row_does_not_depend_on_the_others():
    x = _noise(7, 3, 900)
    x[2, 1, 100:300] = np.nan
    whole = {**describe(welch(x, 360.0), "ecg"), **amplitude.describe(x)}
    for n in (1, 2, 4):
        part = {**describe(welch(x[1 : 1 + n], 360.0), "ecg"), **amplitude.describe(x[1 : 1 + n])}
        for name, values in part.items():
            np.testing.assert_array_equal(values, whole[name][1 : 1 + n], err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("length", [1, 2, 7, 8, 100, 250])
@pytest.mark.parametrize("fill", [None, 0.0, np.nan, 3.0])
def test_short_and_empty_recordings_have_no_infinite_feature(kind, length, fill):
    x = _noise(2, 2, length) if fill is None else np.full((2, 2, length), fill, np.float32)
    found = {**describe(welch(x, 100.0), kind), **amplitude.describe(x)}
    for name, values in found.items():
        assert values.shape == (2,), name
        assert not np.isinf(values).any(), name


def test_amplitudes_of_known_samples():
    x = _noise(1, 2, 20_000)
    x[0, 1] *= 3
    found = amplitude.describe(x)
    assert found["amplitude.rms"][0] == pytest.approx(2, rel=0.02)
    assert found["amplitude.rms_highest"][0] == pytest.approx(3, rel=0.02)
    assert found["amplitude.span_lowest"][0] == pytest.approx(5.15, rel=0.05)
    assert found["amplitude.kurtosis"][0] == pytest.approx(0, abs=0.15)
    assert found["amplitude.sample_roughness"][0] == pytest.approx(6**0.5, rel=0.02)


def test_missing_samples_leave_the_amplitudes():
    x = _noise(1, 1, 5000) + np.float32(2)
    holed = np.concatenate([x, np.full((1, 1, 500), np.nan, np.float32)], axis=2)
    whole, found = amplitude.describe(x), amplitude.describe(holed)
    for name, values in whole.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-4, atol=1e-6, err_msg=name)


def test_over_smooth_records_are_less_rough():
    x = _noise(1, 1, 3000)
    smooth = scipy.signal.savgol_filter(x, 21, 2).astype(np.float32)
    rough = "amplitude.sample_roughness"
    assert amplitude.describe(smooth)[rough][0] < 0.3 * amplitude.describe(x)[rough][0]
