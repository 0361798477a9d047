"""Beats: found and not invented, in rhythms, noise and leads of every kind."""

import numpy as np
import pytest

from sdq_signals.channels import LEADS
from sdq_signals.features.beats import beat_energy, find_beats, peaks
from sdq_signals.features.conditioning import condition
from sdq_signals.features.ecg import describe
from sdq_signals.simulated_ecg import simulate


def matched(ecg, x, rate, tolerance=0.15):
    """Sensitivity, precision and F1 of the detector, by one-to-one matching."""
    signal = condition(np.ascontiguousarray(x), rate)
    beats = find_beats(beat_energy(signal.beat, signal.rate), signal.rate)
    hits = 0
    for k in range(len(x)):
        true = ecg.beat_time[ecg.beat_record == k]
        found = list(beats.place[beats.row == k] / signal.rate)
        for t in true:
            near = [f for f in found if abs(f - t) <= tolerance]
            if near:
                hits += 1
                found.remove(min(near, key=lambda f: abs(f - t)))
    return 2 * hits / (len(ecg.beat_time) + len(beats.place))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"noise": 4},
        {"fibrillation": 1},
        {"ectopic": 0.2},
        {"heart_rate": 140},
        {"heart_rate": 45, "heart_rate_sd": 3},
        {"qrs_extra_ms": 60},
    ],
    ids=str,
)
def test_f1_of_twelve_leads(options):
    ecg = simulate(30, seed=5, **options)
    assert matched(ecg, ecg.samples, 500) > 0.99


@pytest.mark.parametrize("lead", [0, 1, 3, 6, 10])
def test_f1_of_one_lead_of_either_polarity(lead):
    ecg = simulate(30, seed=6)
    assert matched(ecg, ecg.samples[:, lead : lead + 1], 500) > 0.98
    assert matched(ecg, -ecg.samples[:, lead : lead + 1], 500) > 0.98


def test_a_lead_of_noise_does_not_disturb_the_others():
    ecg = simulate(30, seed=7)
    x = ecg.samples.copy()
    x[:, 8:] = np.random.default_rng(0).normal(0, 2, x[:, 8:].shape)
    assert matched(ecg, x, 500) > 0.99


def test_scale_does_not_matter():
    ecg = simulate(10, seed=8)
    for factor in (0.02, 1, 50):
        assert matched(ecg, ecg.samples * np.float32(factor), 500) > 0.99


def test_no_beats_in_silence():
    assert find_beats(np.zeros((2, 1000), np.float32), 250).count.tolist() == [0, 0]


def test_a_gap_has_no_beats_and_no_interval_over_it():
    ecg = simulate(1, seed=9, hrv=0)
    x = ecg.samples.copy()
    x[0, :, 2000:3500] = np.nan
    found = describe(x, 500, LEADS)
    assert not ((found.beat_time > 4.05) & (found.beat_time < 6.95)).any()
    whole = describe(ecg.samples, 500, LEADS)
    for name in ("rhythm.rr_mean_ms", "rhythm.rr_max_ms"):
        assert found.scalars[name][0] == pytest.approx(whole.scalars[name][0], rel=0.03)


def test_a_single_missing_sample_loses_no_beat():
    ecg = simulate(1, seed=9)
    x = ecg.samples.copy()
    x[0, :, np.rint(ecg.beat_time * 500).astype(int)] = np.nan
    assert len(describe(x, 500, LEADS).beat_time) == pytest.approx(len(ecg.beat_time), abs=1)


def test_peaks_are_apart_and_a_constant_has_none():
    x = np.random.default_rng(0).random((3, 500)).astype(np.float32)
    for row in peaks(x, 20):
        assert np.diff(row.nonzero()[0]).min() > 20
    assert not peaks(np.ones((2, 50), np.float32), 3).any()


def test_places_are_finer_than_the_sampling_step():
    ecg = simulate(10, seed=3, noise=0.3)
    found = describe(ecg.samples, 500, LEADS)
    for k in range(10):
        true, seen = ecg.beat_time[ecg.beat_record == k], found.beat_time[found.beat_row == k]
        off = [seen[np.abs(seen - t).argmin()] - t for t in true[1:-1]]
        assert np.std(off) < 0.0005
