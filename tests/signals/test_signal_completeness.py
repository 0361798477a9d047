"""Completeness of signals: labels against rhythm, form, usable signal, and physiological limits."""

import numpy as np
import pytest
from cohorts_made import RATE, cohort, study_of, write

from sdq_core.cohort import Cohorts
from sdq_core.finding import Finding
from sdq_core.measurement import Measurement
from sdq_signals.completeness import SignalsCompleteness, rhythm_named
from sdq_signals.plausibility import GROSS_LIMITS, contradictions
from sdq_signals.simulated_ecg import simulate

COMPLETENESS = SignalsCompleteness("signals")


def measured(part, made):
    found = list(getattr(COMPLETENESS, part)(made))
    (measurement,) = [f for f in found if isinstance(f, Measurement)]
    return measurement, [f for f in found if isinstance(f, Finding)]


def made(folder, synthetic, real=None, **more):
    study = study_of(folder)
    real = simulate(16, rate=RATE, seed=1).samples if real is None else real
    train = cohort(write(folder / "train.npz", real), "train", study)
    path = synthetic if not isinstance(synthetic, np.ndarray) else write(
        folder / "synthetic.npz", synthetic, **more
    )  # fmt: skip
    return Cohorts(study, train, cohort(path, "synthetic", study))


@pytest.mark.parametrize(
    ("label", "rhythm"),
    [
        ("AFIB", "fibrillation"),
        ("atrial fibrillation", "fibrillation"),
        ("心房颤动", "fibrillation"),
        ("I48.91", "fibrillation"),
        ("SBRAD", "bradycardia"),
        ("sinus_tachycardia", "tachycardia"),
        ("NORM", "sinus"),
        ("nAFIB", None),
        ("", None),
    ],
)
def test_labels_that_name_a_rhythm(label, rhythm):
    assert rhythm_named(label) == rhythm


def test_a_regular_rhythm_with_p_waves_contradicts_fibrillation(tmp_path):
    sinus = simulate(10, rate=RATE, seed=2).samples
    fibrillating = simulate(10, rate=RATE, seed=3, fibrillation=1.0).samples
    wrong, findings = measured(
        "semantics", made(tmp_path / "a", sinus, **{"class": np.array(["AFIB"] * 10)})
    )
    assert wrong.value <= 0.2
    assert {f.rule for f in findings} == {"signals.semantics.label_against_signal"}
    right, findings = measured(
        "semantics", made(tmp_path / "b", fibrillating, **{"class": np.array(["AFIB"] * 10)})
    )
    assert right.value == 1
    assert not findings


@pytest.mark.parametrize(("label", "rate"), [("bradycardia", 90), ("tachycardia", 70)])
def test_a_rate_contradicts_its_label(label, rate, tmp_path):
    fast = simulate(6, rate=RATE, seed=4, heart_rate=rate, heart_rate_sd=1.0).samples
    found, findings = measured(
        "semantics", made(tmp_path, fast, **{"class": np.array([label] * 6)})
    )
    assert found.value == 0
    assert len(findings) == 6


def test_a_missing_lead_and_another_rate_are_said(tmp_path):
    whole = simulate(4, rate=RATE, seed=5).samples
    folder = tmp_path / "synthetic"
    from sdq_signals.channels import LEADS

    write(folder / "a.npz", whole)
    write(folder / "b.npz", whole[:, :11], channels=LEADS[:11])
    write(folder / "c.npz", whole[..., ::2], RATE / 2)
    found, findings = measured("structure", made(tmp_path, folder))
    assert found.value == pytest.approx(8 / 12)
    absent = [f for f in findings if f.rule.endswith("channel_absent")]
    assert {f.item.partition("#")[0] for f in absent} == {"b.npz"}
    assert absent[0].where == "V6"
    mixed = [f for f in findings if f.rule.endswith("mixed_rates") and f.role == "synthetic"]
    assert {f.item.partition("#")[0] for f in mixed} == {"c.npz"}


def test_noise_is_not_usable_and_ecg_is(tmp_path):
    x = simulate(12, rate=RATE, seed=6).samples
    x[:4] = np.random.default_rng(0).normal(0, 0.3, x[:4].shape)
    found, _ = measured("usable", made(tmp_path, x))
    assert found.value == pytest.approx(8 / 12)
    assert found.noise_floor.centre == 1


def test_limits_are_wide_and_each_is_checked():
    inside = {name: (low + high) / 2 for name, (low, high, *_) in GROSS_LIMITS.items()}
    assert not list(contradictions(inside, "ecg", 0.0))
    for name, (low, high, *_) in GROSS_LIMITS.items():
        for value in (low - 1, high + 1):
            found = list(contradictions({**inside, name: value}, "ecg", 0.0))
            assert [f.where for f in found] == [name]
    assert [f.rule for f in contradictions({"rhythm.beats": 0.0}, "ecg", 0.0)] == [
        "signals.semantics.no_heart_beat"
    ]
    # A coarse converter may break the law of the leads by its rounding.
    broken = {"leads.einthoven_mv": 0.008}
    assert list(contradictions(broken, "ecg", 0.001))
    assert not list(contradictions(broken, "ecg", 0.005))
