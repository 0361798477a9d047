"""The one entry: rows independent of the batch, and inputs that are barely recordings."""

import numpy as np
import pytest

from sdq_signals.channels import LEADS
from sdq_signals.features.ecg import describe
from sdq_signals.simulated_ecg import simulate


def mixed():
    """Fifty recordings of every kind, some with gaps and flat leads."""
    parts = [
        simulate(20, seed=1),
        simulate(10, seed=2, fibrillation=1),
        simulate(10, seed=3, ectopic=0.2),
        simulate(10, seed=4, heart_rate=130),
    ]
    x = np.concatenate([p.samples for p in parts])
    x[3, :, 1000:1700] = np.nan
    x[4, 5] = np.nan
    x[5] = 0
    x[6, 2] = 1
    x[7] = np.nan
    return x


def rows_of(found, k):
    mask = found.beat_row == k
    values = {name: v[k] for name, v in found.scalars.items()}
    return values, found.templates[k], found.beat_time[mask], found.beat_regular[mask]


def same(a, b):
    assert a[0].keys() == b[0].keys()
    for name, value in a[0].items():
        assert np.array_equal(value, b[0][name], equal_nan=True), name
    for u, v in zip(a[1:], b[1:], strict=True):
        assert np.array_equal(u, v)


@pytest.mark.parametrize(("leads", "rate"), [(LEADS, 500), (("II",), 500), (("I", "V1"), 360)])
def test_a_row_does_not_depend_on_the_batch(leads, rate):
    x = np.ascontiguousarray(mixed()[:, [LEADS.index(lead) for lead in leads]])
    x = x[:, :, : 10 * rate]
    every = describe(x, rate, leads)
    backward = describe(x[::-1], rate, leads)
    for k in range(50):
        same(rows_of(every, k), rows_of(describe(x[k : k + 1], rate, leads), 0))
        same(rows_of(every, k), rows_of(backward, 49 - k))
        if k % 5 == 0:
            pair = describe(x[[k, (k + 13) % 50]], rate, leads)
            same(rows_of(every, k), rows_of(pair, 0))


def test_twice_the_same():
    x = simulate(4, seed=1).samples
    a, b = describe(x, 500, LEADS), describe(x.copy(), 500, LEADS)
    for k in range(4):
        same(rows_of(a, k), rows_of(b, k))


STRANGE = {
    "zero": np.zeros((2, 12, 5000)),
    "constant": np.full((2, 12, 5000), 1e5),
    "missing": np.full((2, 12, 5000), np.nan),
    "infinite": np.full((2, 12, 5000), np.inf),
    "every other": np.where(np.arange(5000) % 2, np.nan, 1.0)[None, None].repeat(12, axis=1),
    "impulse": np.eye(1, 5000, 2500)[None].repeat(12, axis=1),
    "step": (np.arange(5000) > 2500)[None, None].repeat(12, axis=1) * 1.0,
    "noise": np.random.default_rng(0).normal(size=(2, 12, 5000)),
    "huge": np.random.default_rng(0).normal(size=(2, 12, 5000)) * 1e6,
    "square": np.sign(np.sin(np.arange(5000) / 80))[None, None].repeat(12, axis=1),
}


@pytest.mark.parametrize("name", STRANGE)
def test_what_is_no_electrocardiogram_does_not_stop_it(name):
    x = STRANGE[name].astype(np.float32)
    found = describe(x, 500, LEADS)
    assert np.isfinite(found.templates).all()
    for values in found.scalars.values():
        assert values.shape == (len(x),)
        assert values.dtype == np.float64
        assert not np.isinf(values).any()


@pytest.mark.parametrize("t", [0, 1, 2, 3, 5, 12, 50, 125, 250, 500, 700])
@pytest.mark.parametrize("leads", [LEADS, ("II",)])
def test_short_recordings(t, leads):
    x = simulate(3, seed=2).samples[:, : len(leads), 900 : 900 + t]
    found = describe(x, 500, leads)
    assert found.templates.shape == (3, len(leads), 250)
    assert np.isfinite(found.scalars["rhythm.beats"]).all()


@pytest.mark.parametrize("rate", [1, 7.5, 50, 128, 257, 333.33, 2000])
def test_any_rate(rate):
    found = describe(simulate(2, seed=2).samples, rate, LEADS)
    assert np.isfinite(found.templates).all()


def test_a_minute_and_none():
    long = simulate(2, seconds=60, seed=1)
    found = describe(long.samples, 500, LEADS)
    assert found.scalars["rhythm.beats"] == pytest.approx(np.bincount(long.beat_record), abs=2)
    assert describe(long.samples[:0], 500, LEADS).templates.shape == (0, 12, 250)


def test_without_beats_there_are_no_values_but_counts():
    found = describe(np.zeros((1, 12, 5000), np.float32), 500, LEADS)
    assert found.scalars["rhythm.beats"][0] == 0
    assert found.scalars["quality.usable"][0] == 0
    assert not found.templates.any()
    for name, values in found.scalars.items():
        if name.split(".")[0] in ("interval", "wave"):
            assert np.isnan(values).all(), name


def test_quality_tells_a_recording_from_noise():
    good = describe(simulate(10, seed=3).samples, 500, LEADS).scalars
    noise = np.random.default_rng(0).normal(0, 0.3, (10, 12, 5000)).astype(np.float32)
    bad = describe(noise, 500, LEADS).scalars
    assert good["quality.usable"].min() >= 0.75
    assert bad["quality.usable"].max() <= 0.1
    assert good["quality.detector_agreement"].min() > 0.85
    assert bad["quality.detector_agreement"].max() < 0.7
    assert good["quality.kurtosis"].min() > 5 > bad["quality.kurtosis"].max()


def test_usable_counts_flat_leads_and_missing_samples():
    x = simulate(2, seed=3, noise=0.5).samples
    plain = describe(x, 500, LEADS).scalars["quality.usable"]
    x[0, :3] = 0
    x[1, :, 2500:] = np.nan
    found = describe(x, 500, LEADS).scalars["quality.usable"]
    assert found[0] == pytest.approx(plain[0] - 3 / 12, abs=0.1)
    assert found[1] <= 0.5


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match="12 leads"):
        describe(np.zeros((1, 3, 100), np.float32), 500, LEADS)
    with pytest.raises(ValueError, match="rate"):
        describe(np.zeros((1, 12, 100), np.float32), 0, LEADS)
