"""Laws between leads, and swapped cables."""

import numpy as np
import pytest

from sdq_signals.channels import LEADS
from sdq_signals.features.ecg import describe
from sdq_signals.features.leads import limb_residuals
from sdq_signals.simulated_ecg import simulate

ECG = simulate(25, seed=12).samples


def test_a_recording_keeps_both_laws_to_its_resolution():
    found = limb_residuals(ECG, LEADS)
    assert found["einthoven_mv"].max() < 1e-6
    assert found["goldberger_mv"].max() < 5.1e-4
    assert found["einthoven_relative"].max() < 0.05


def test_independent_noise_breaks_them_by_its_size():
    noise = np.random.default_rng(0).normal(0, 0.01, ECG.shape).astype(np.float32)
    found = limb_residuals(ECG + noise, LEADS)
    assert found["einthoven_mv"] == pytest.approx(0.01 * np.sqrt(3), rel=0.05)
    assert found["goldberger_mv"] == pytest.approx(0.01 * np.sqrt(1.5), rel=0.05)


def test_missing_leads_give_no_residual():
    for leads in (("I", "II"), ("II",), ("V1", "V2")):
        found = limb_residuals(ECG[:, : len(leads)], leads)
        assert np.isnan(found["einthoven_mv"]).all()
        assert np.isnan(found["goldberger_mv"]).all()
    three = limb_residuals(ECG[:, :3], ("I", "II", "III"))
    assert np.isfinite(three["einthoven_mv"]).all()


def test_missing_samples_are_left_out():
    x = ECG.copy()
    x[0, 1, 100:300] = 99
    missing = np.zeros(x.shape, bool)
    missing[0, 1, 100:300] = True
    found = limb_residuals(x, LEADS, missing)
    assert found["einthoven_mv"].max() < 1e-6
    missing[1, 0] = True
    assert np.isnan(limb_residuals(x, LEADS, missing)["einthoven_mv"][1])


def test_swapped_arms_are_seen():
    x = ECG
    swapped = x.copy()
    swapped[:, 0] = -x[:, 0]
    swapped[:, [1, 2]] = x[:, [2, 1]]
    swapped[:, [3, 4]] = x[:, [4, 3]]
    right, wrong = (describe(v, 500, LEADS).scalars["leads.arm_swap"] for v in (x, swapped))
    assert np.mean(right < 0) >= 0.85
    assert np.mean(wrong > 0) >= 0.95
    assert np.abs(wrong).max() <= 1


def test_swapped_v1_and_v3_are_seen():
    swapped = ECG.copy()
    swapped[:, [6, 8]] = ECG[:, [8, 6]]
    right, wrong = (describe(v, 500, LEADS).scalars["leads.v1_v3_swap"] for v in (ECG, swapped))
    assert wrong == pytest.approx(-right)
    assert np.mean(right < 0) >= 0.8


def test_neighbours_are_alike_and_names_follow_the_leads():
    found = describe(ECG, 500, LEADS).scalars
    assert found["leads.corr_V5_V6"].min() > 0.8
    names = describe(ECG[:, :2], 500, ("II", "V1")).scalars
    assert "leads.arm_swap" not in names
    assert "leads.corr_V5_V6" not in names
    assert "wave.axis_deg" not in names
    assert "wave.R_V1_mv" in names
