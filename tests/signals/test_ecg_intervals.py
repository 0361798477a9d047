"""Intervals and waves against the simulator's truth."""

import numpy as np
import pytest
from scipy import signal

from sdq_signals.channels import LEADS
from sdq_signals.features.ecg import describe
from sdq_signals.simulated_ecg import simulate


@pytest.fixture(scope="module", params=[500, 100])
def measured(request):
    ecg = simulate(60, seed=7)
    x = ecg.samples
    if request.param == 100:
        x = np.rint(signal.resample_poly(x.astype(float), 1, 5, axis=2) * 1000) / 1000
    return ecg.truth, describe(x.astype(np.float32), request.param, LEADS).scalars


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [("qrs_ms", 4), ("pr_ms", 5), ("qt_ms", 4), ("p_duration_ms", 8)],
)
def test_intervals_agree_with_the_truth(measured, name, tolerance):
    truth, found = measured
    error = found[f"interval.{name}"] - truth[name]
    assert np.isfinite(error).all()
    assert np.abs(error).mean() < tolerance
    assert np.corrcoef(found[f"interval.{name}"], truth[name])[0, 1] > 0.9


def test_heart_rate_agrees(measured):
    truth, found = measured
    assert np.abs(found["rhythm.heart_rate"] - truth["heart_rate"]).max() < 2


def test_widening_is_measured():
    plain, wide = simulate(20, seed=3), simulate(20, seed=3, qrs_extra_ms=40)
    a, b = (describe(e.samples, 500, LEADS).scalars["interval.qrs_ms"] for e in (plain, wide))
    assert np.abs(b - a - (wide.truth["qrs_ms"] - plain.truth["qrs_ms"])).max() < 10


def test_noise_widens_nothing():
    loud = simulate(30, seed=4, noise=4)
    found = describe(loud.samples, 500, LEADS).scalars
    for name, tolerance in (("qrs_ms", 5), ("pr_ms", 8), ("qt_ms", 8)):
        assert np.nanmedian(np.abs(found[f"interval.{name}"] - loud.truth[name])) < tolerance


@pytest.mark.parametrize("noise", [1, 3])
def test_presence_of_p_separates(noise):
    with_p = describe(simulate(40, seed=1, noise=noise).samples, 500, LEADS).scalars
    without = describe(simulate(40, seed=2, noise=noise, without_p=1).samples, 500, LEADS).scalars
    assert with_p["wave.p_present"].mean() >= 0.95
    assert without["wave.p_present"].mean() <= 0.05
    assert np.isnan(without["interval.pr_ms"]).mean() >= 0.95
    lowest = np.quantile(with_p["wave.p_prominence_mv"], 0.05)
    assert lowest > 2 * np.nanquantile(without["wave.p_prominence_mv"], 0.95)


def test_fibrillation_is_irregular_and_without_p():
    found = describe(simulate(40, seed=2, fibrillation=1).samples, 500, LEADS).scalars
    sinus = describe(simulate(40, seed=2).samples, 500, LEADS).scalars
    assert found["wave.p_present"].mean() <= 0.15
    assert found["rhythm.irregularity"].min() > np.quantile(sinus["rhythm.irregularity"], 0.9)


def test_extrasystoles_stay_out_of_the_mean_beat():
    plain = simulate(20, seed=6)
    ectopic = simulate(20, seed=6, ectopic=0.15)
    found = describe(ectopic.samples, 500, LEADS)
    assert np.abs(found.scalars["interval.qrs_ms"] - ectopic.truth["qrs_ms"]).max() < 12
    reference = describe(plain.samples, 500, LEADS).templates
    assert np.abs(found.templates - reference)[:, :, 60:130].max() < 0.2
    for time, row, early in zip(
        ectopic.beat_time, ectopic.beat_record, ectopic.beat_ectopic, strict=True
    ):
        if early and 0.3 < time < 9.7:
            of_row = found.beat_row == row
            near = np.abs(found.beat_time[of_row] - time).argmin()
            assert not found.beat_regular[of_row][near]


def test_amplitudes_follow_the_gain_and_intervals_do_not():
    x = simulate(10, seed=11).samples
    a, b = (describe(x * np.float32(f), 500, LEADS).scalars for f in (1, 2))
    for name in ("wave.R_II_mv", "wave.T_V5_mv", "wave.P_II_mv", "wave.S_V2_mv"):
        assert b[name] == pytest.approx(2 * a[name], rel=1e-3, abs=1e-4)
    for name in ("interval.qrs_ms", "interval.qt_ms", "wave.axis_deg"):
        assert b[name] == pytest.approx(a[name], abs=0.05)


def test_axis_of_a_vector_is_its_angle():
    ecg = simulate(1, seed=1, noise=0)
    for degrees in (-60, 0, 45, 120):
        angle = np.radians(degrees)
        # One course in both limb leads, weighted as Einthoven's triangle does.
        course = ecg.samples[:, 1]
        x = np.stack([course * np.cos(angle), course * np.cos(angle - np.pi / 3)], axis=1)
        found = describe(x.astype(np.float32), 500, ("I", "II")).scalars
        assert found["wave.axis_deg"][0] == pytest.approx(degrees, abs=0.5)


def test_st_level_is_measured_after_qrs():
    ecg = simulate(5, seed=2, noise=0.5)
    lifted = ecg.samples.copy()
    t = np.arange(lifted.shape[2]) / 500
    for row, time in zip(ecg.beat_record, ecg.beat_time, strict=True):
        plateau = 0.5 * (np.tanh((t - time - 0.07) / 0.01) - np.tanh((t - time - 0.30) / 0.03))
        lifted[row, 1] += (0.2 * plateau).astype(np.float32)
    a, b = (describe(x, 500, LEADS).scalars for x in (ecg.samples, lifted))
    rise = b["wave.st_II_mv"] - a["wave.st_II_mv"]
    assert rise == pytest.approx(0.2, abs=0.05)
    assert b["wave.st_V1_mv"] == pytest.approx(a["wave.st_V1_mv"], abs=0.03)
