import numpy as np
import pytest

from sdq_signals.features.pulse import BEFORE, WIDTH, describe


def _pulses(interval=0.8, seconds=20, rate=100.0, notch=0.4, noise=0.0, seed=0, jitter=0.0):
    """Systolic hump and, `notch` times as high, a diastolic one 0.3 s later."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate)) / rate
    times = np.cumsum(interval + jitter * rng.standard_normal(round(seconds / interval) + 4))
    after = t[:, None] - times + 2 * interval
    x = np.exp(-((after / 0.1) ** 2) / 2) + notch * np.exp(-(((after - 0.3) / 0.08) ** 2) / 2)
    x = x.sum(axis=1) + noise * rng.standard_normal(len(t))
    return x[None, None].astype(np.float32)


@pytest.mark.parametrize("interval", [0.45, 0.6, 0.83, 1.2])
@pytest.mark.parametrize("rate", [60.0, 100.0, 116.99, 1000.0])
def test_the_rate_is_found_at_any_sampling_rate(interval, rate):
    found, _ = describe(_pulses(interval, rate=rate, notch=0.2), rate)
    assert found["pulse.rate_bpm"][0] == pytest.approx(60 / interval, rel=0.005)
    assert found["pulse.interval_deviation_ms"][0] < 3


def test_irregular_intervals_are_measured():
    found, _ = describe(_pulses(jitter=0.05, seconds=120), 100.0)
    assert found["pulse.interval_deviation_ms"][0] == pytest.approx(50, rel=0.2)
    assert found["pulse.interval_rmssd_ms"][0] == pytest.approx(50 * 2**0.5, rel=0.2)


def test_the_dicrotic_notch_is_told_from_a_single_hump():
    with_notch, _ = describe(_pulses(interval=0.9, notch=0.5), 100.0)
    without, _ = describe(_pulses(interval=0.9, notch=0.0), 100.0)
    assert with_notch["pulse.notch_present"][0] == 1
    assert 0.2 < with_notch["pulse.notch_height"][0] < 0.7
    assert without["pulse.notch_present"][0] == 0
    assert np.isnan(without["pulse.notch_height"][0])


def test_shape_of_a_known_pulse():
    found, templates = describe(_pulses(interval=1.0, notch=0.0), 100.0)
    # 2.355 standard deviations of a Gaussian; the high pass lowers the base a little.
    assert found["pulse.width_ms"][0] == pytest.approx(235, rel=0.1)
    assert 130 < found["pulse.rise_time_ms"][0] < 260
    assert templates.shape == (1, 1, WIDTH)
    assert abs(int(templates[0, 0].argmax()) - BEFORE) <= 1
    assert templates[0, 0, : BEFORE + 1].min() == 0


def test_light_intensity_is_turned_over():
    t = np.arange(3000) / 100
    saw = np.interp(t % 0.8, [0, 0.15, 0.8], [0, 1, 0])[None, None].astype(np.float32)
    up, template = describe(saw, 100.0)
    down, other = describe(10 - saw, 100.0)
    assert up["pulse.inverted"][0] == 0
    assert down["pulse.inverted"][0] == 1
    assert down["pulse.rate_bpm"][0] == pytest.approx(up["pulse.rate_bpm"][0], rel=1e-3)
    np.testing.assert_allclose(other, template, atol=1e-3)


def test_perfusion_needs_an_intensity():
    x = _pulses(notch=0.2)
    height = describe(x, 100.0)[1].max()
    found, _ = describe(100 + x, 100.0)
    assert found["pulse.perfusion"][0] == pytest.approx(height, rel=0.05)
    assert np.isnan(describe(x - 0.5, 100.0)[0]["pulse.perfusion"][0])


def test_a_gap_drops_the_pulses_that_it_touches():
    x = _pulses(seconds=30, noise=0.01)
    whole, template = describe(x, 100.0)
    x[0, 0, 1000:1200] = np.nan
    found, other = describe(x, 100.0)
    assert found["pulse.rate_bpm"][0] == pytest.approx(whole["pulse.rate_bpm"][0], rel=0.01)
    assert found["pulse.width_ms"][0] == pytest.approx(whole["pulse.width_ms"][0], rel=0.03)
    np.testing.assert_allclose(other, template, atol=0.05)


def test_a_row_does_not_depend_on_the_others():
    rows = [_pulses(i, notch=k / 5, noise=0.02, seed=k) for k, i in enumerate((0.5, 0.7, 0.9, 1.1))]
    x = np.concatenate([*rows, np.zeros_like(rows[0])])
    x[2, 0, 300:450] = np.nan
    whole, templates = describe(x, 100.0)
    for n in (1, 2, 3):
        part, some = describe(x[1 : 1 + n], 100.0)
        np.testing.assert_array_equal(some, templates[1 : 1 + n])
        for name, values in part.items():
            np.testing.assert_array_equal(values, whole[name][1 : 1 + n], err_msg=name)


@pytest.mark.parametrize("length", [1, 2, 3, 50, 100])
@pytest.mark.parametrize("fill", [None, 0.0, np.nan, 3.0])
def test_short_and_empty_recordings_have_no_infinite_feature(length, fill):
    x = np.random.default_rng(0).standard_normal((2, 1, length), dtype=np.float32)
    if fill is not None:
        x[:] = fill
    found, templates = describe(x, 100.0)
    assert templates.shape == (2, 1, WIDTH)
    for name, values in found.items():
        assert values.shape == (2,), name
        assert not np.isinf(values).any(), name
    if fill is not None:
        assert np.isnan(found["pulse.rate_bpm"]).all()
        assert np.isnan(templates).all()
