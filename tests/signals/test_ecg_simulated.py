"""The generator: its laws, its truth, its planted defects."""

import numpy as np
import pytest

from sdq_signals.simulated_ecg import simulate


@pytest.fixture(scope="module")
def plain():
    return simulate(150, seed=1)


def test_limb_leads_obey_the_laws(plain):
    x = plain.samples
    assert np.abs(x[:, 0] + x[:, 2] - x[:, 1]).max() < 1e-6
    assert np.abs(x[:, 3] + (x[:, 0] + x[:, 1]) / 2).max() < 5.1e-4
    steps = x.astype(np.float64) * 1000
    assert np.abs(steps - np.rint(steps)).max() < 1e-3


def test_the_population_is_that_of_healthy_adults(plain):
    # Medians of low-risk adults: Mason et al. 2007, doi:10.1016/j.jelectrocard.2006.09.003.
    limits = {"heart_rate": (48, 98), "pr_ms": (113, 212), "qrs_ms": (69, 109), "qt_ms": (325, 452)}
    for name, (low, high) in limits.items():
        values = plain.truth[name]
        assert np.mean((values >= low) & (values <= high)) > 0.9, name
    assert np.std(plain.truth["qrs_ms"]) > 5


def test_the_first_records_do_not_depend_on_their_number(plain):
    few = simulate(3, seed=1)
    assert np.array_equal(few.samples, plain.samples[:3])
    assert np.array_equal(few.truth["qt_ms"], plain.truth["qt_ms"][:3])
    assert not np.array_equal(simulate(3, seed=2).samples, few.samples)


def test_beats_are_where_they_are_said_to_be():
    ecg = simulate(5, seed=4, noise=0)
    for row, time in zip(ecg.beat_record, ecg.beat_time, strict=True):
        if 0.1 < time < 9.9:
            k = round(time * 500)
            near = np.abs(ecg.samples[row, :, k - 40 : k + 40]).max()
            assert np.abs(ecg.samples[row, :, k - 15 : k + 15]).max() == pytest.approx(near)


def test_planted_defects_are_in_the_truth():
    faster = simulate(200, seed=3, heart_rate=80).truth["heart_rate"]
    assert faster.mean() == pytest.approx(80, abs=3)
    assert simulate(100, seed=3, without_p=0.2).truth["p_present"].mean() == pytest.approx(
        0.8, abs=0.1
    )
    widened = simulate(100, seed=3, qrs_extra_ms=40, qrs_extra_share=0.3)
    longer = widened.truth["qrs_ms"] - simulate(100, seed=3).truth["qrs_ms"]
    assert widened.truth["widened"].mean() == pytest.approx(0.3, abs=0.12)
    assert longer[widened.truth["widened"] == 1] == pytest.approx(40, abs=4)
    assert longer[widened.truth["widened"] == 0] == pytest.approx(0)
    shaken = simulate(100, seed=3, fibrillation=0.5)
    irregular = shaken.truth["fibrillation"] == 1
    assert irregular.mean() == pytest.approx(0.5, abs=0.15)
    assert not shaken.truth["p_present"][irregular].any()
    assert np.isnan(shaken.truth["pr_ms"][irregular]).all()


def test_no_variability_means_equal_intervals():
    ecg = simulate(3, seed=5, hrv=0)
    for k in range(3):
        assert np.ptp(np.diff(ecg.beat_time[ecg.beat_record == k])) < 1e-9


@pytest.mark.parametrize(("rate", "seconds"), [(100, 10), (257, 3.3), (1000, 1), (500, 60)])
def test_any_rate_and_length(rate, seconds):
    ecg = simulate(2, rate=rate, seconds=seconds)
    assert ecg.samples.shape == (2, 12, round(rate * seconds))
    assert ecg.samples.dtype == np.float32
