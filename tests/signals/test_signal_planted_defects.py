"""Fresh electrocardiograms are not failed, and each planted defect is failed where it should be.

Whole evaluations over five seeds and real recordings are in benchmarks/signals_validity.py.
"""

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdq_core.cohort import Cohort, Cohorts
from sdq_core.describe import describe
from sdq_core.description import DescriptionTable
from sdq_core.errors import UsageError
from sdq_core.judging import characteristic_verdicts, judge_all
from sdq_core.measurement import Measurement
from sdq_core.modality import load_modality
from sdq_core.profiles import load_profile
from sdq_core.statistics import single_thread_blas
from sdq_core.study import Study
from sdq_core.vocabulary import Characteristic, Role, Verdict
from sdq_signals.channels import LEADS
from sdq_signals.completeness import SignalsCompleteness
from sdq_signals.defects import (
    DEFECTS,
    SIMULATED,
    Sample,
    defect,
    disguised,
    memorised_copies,
    mode_collapse,
)
from sdq_signals.degradations import derived, quantised
from sdq_signals.fidelity import SignalsFidelity
from sdq_signals.metadata import SignalsMetadata
from sdq_signals.privacy import SignalsPrivacy
from sdq_signals.simulated_ecg import simulate

RATE = 250.0
SKIPPED = {"frechet_distance", "kernel_distance", "c2st_auc"}
"""Measures without a criterion, which would only take time."""

FIDELITY, COMPLETENESS, METADATA, PRIVACY = (
    Characteristic.FIDELITY,
    Characteristic.COMPLETENESS,
    Characteristic.METADATA,
    Characteristic.PRIVACY,
)
FAIL = Verdict.FAIL


@cache
def made(n, seed, seconds=10.0, **options):
    ecg = simulate(n, RATE, seconds, seed=seed, **options)
    return Sample(quantised(ecg.samples), RATE)


def study(seed=0):
    return Study.model_validate(
        {
            "modality": "signals",
            "seed": seed,
            "cohorts": {role: {"path": role} for role in ("train", "holdout", "synthetic")},
        }
    )


def described(sample, role, folder):
    path = folder / f"{role}.npz"
    declared = {"synthetic": np.full(len(sample), "yes")} if role == "synthetic" else {}
    np.savez(
        path,
        signals=quantised(sample.samples),
        rate=np.array(sample.rate),
        units=np.array("mV"),
        channels=np.array(LEADS),
        **declared,
    )
    modality = load_modality("signals")
    items = modality.items(path, {}).items
    found = describe(items, modality.describer(study()), None, engine="serial").descriptions
    return Cohort(Role(role), DescriptionTable(items, found, role=role))


def verdicts(cohorts, *evaluations):
    modality = load_modality("signals")
    profile = load_profile("default", modality.profile_folder(), "signals", "signals-default")
    with single_thread_blas():
        found = [
            output
            for evaluation in evaluations
            for part in evaluation("signals").parts()
            if not SKIPPED & {*part.measures}
            for output in part.function(cohorts)
            if isinstance(output, Measurement)
        ]
    return characteristic_verdicts(judge_all(found, profile))


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """Real cohorts for the rules, which look at one recording at a time."""
    folder = tmp_path_factory.mktemp("short")
    return [described(made(40, k, 6.0), role, folder) for k, role in
            ((90, "train"), (91, "holdout"))]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_gross_errors_of_single_recordings_fail_by_rules(seed, short, tmp_path):
    fresh = made(40, 100 + seed, 6.0)

    def judged(sample):
        synthetic = described(sample, "synthetic", tmp_path)
        cohorts = Cohorts(study(seed), short[0], synthetic, short[1])
        return verdicts(cohorts, SignalsCompleteness, SignalsMetadata)

    clean = judged(fresh)
    assert FAIL not in (clean[COMPLETENESS], clean[METADATA])
    for name, severity, share, target in (
        ("mains hum", 0.02, 0.4, COMPLETENESS),
        ("lead noise", 0.01, 0.2, COMPLETENESS),
        ("clipping", 0.5, 0.2, COMPLETENESS),
        ("flat lead", 1.0, 0.2, COMPLETENESS),
        ("gap", 2.0, 0.2, COMPLETENESS),
        ("arm leads swapped", 1.0, 0.3, COMPLETENESS),
        ("wrong unit", 1000.0, 0.2, METADATA),
    ):
        planted = defect(name).plant(fresh, severity, np.random.default_rng(seed), share=share)
        found = judged(planted)
        assert found[target] is FAIL, name
        if target is COMPLETENESS:
            assert found[METADATA] is not FAIL, name


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0])  # five are in benchmarks/signals_validity.py
def test_fresh_recordings_are_not_failed_and_defects_of_the_set_are(seed, tmp_path):
    n = 120
    train, holdout, fresh = (made(n, 10 * seed + k) for k in range(3))
    real = described(train, "train", tmp_path), described(holdout, "holdout", tmp_path)

    def judged(sample, *evaluations):
        synthetic = described(sample, "synthetic", tmp_path)
        return verdicts(Cohorts(study(seed), real[0], synthetic, real[1]), *evaluations)

    clean = judged(fresh, SignalsFidelity, SignalsPrivacy)
    assert clean[FIDELITY] in (Verdict.PASS, Verdict.INCONCLUSIVE)
    assert clean[PRIVACY] in (Verdict.PASS, Verdict.INCONCLUSIVE)
    for name, options in (
        ("no beat-to-beat variability", {"hrv": 0.0}),
        ("no P wave", {"without_p": 1.0}),
        ("QRS + 40 ms", {"qrs_extra_ms": 40.0}),
    ):
        assert judged(made(n, 10 * seed + 2, **options), SignalsFidelity)[FIDELITY] is FAIL, name
    rng = np.random.default_rng(seed)
    smooth = defect("low-pass").plant(fresh, 25.0, rng)
    assert judged(smooth, SignalsFidelity)[FIDELITY] is FAIL
    assert judged(mode_collapse(fresh, n // 10, rng), SignalsFidelity)[FIDELITY] is FAIL
    copies = memorised_copies(fresh, train, 0.2, "mixed", rng)
    assert judged(copies, SignalsPrivacy)[PRIVACY] is FAIL


@given(share=st.floats(0, 1), seed=st.integers(0, 99))
def test_a_share_of_the_recordings_is_changed_and_no_other(share, seed):
    x = np.random.default_rng(seed).standard_normal((11, 12, 60)).astype(np.float32)
    planted = defect("gain").plant(Sample(x, 100.0), 2.0, np.random.default_rng(seed), share=share)
    changed = (planted.samples != x).any(axis=(1, 2))
    assert (changed == planted.truth).all()
    assert changed.sum() == (max(1, round(11 * share)) if share > 0 else 0)


@pytest.mark.parametrize("entry", DEFECTS, ids=lambda d: d.name)
def test_a_defect_is_pure_seeded_and_keeps_the_law_of_einthoven(entry):
    x = derived(np.random.default_rng(0).standard_normal((6, 12, 500)).astype(np.float32))
    before = x.copy()
    low, high = entry.severity_range
    one, two = (
        entry.plant(Sample(x, 250.0), (low + high) / 2, np.random.default_rng(7)).samples
        for _ in range(2)
    )
    assert (x == before).all()
    assert one.dtype == np.float32
    np.testing.assert_array_equal(one, two)
    if entry.name not in ("lead noise", "clipping", "gap", "wrong unit"):
        assert np.abs(one[:, 0] + one[:, 2] - one[:, 1]).max() < 1e-4


@pytest.mark.parametrize(
    "kind", ["exact", "shifted", "scaled", "offset", "noised", "resampled", "mixed"]
)
def test_a_disguise_hides_the_copy_from_comparison_but_not_its_beats(kind):
    x = made(4, 5).samples
    y = disguised(x, RATE, kind, np.random.default_rng(0))
    assert y.shape == x.shape
    assert (y == x).all() == (kind == "exact")
    spectrum = [np.abs(np.fft.rfft(v - v.mean(axis=2, keepdims=True))).reshape(4, -1)
                for v in (x, y)]  # fmt: skip
    likeness = [np.corrcoef(a, b)[0, 1] for a, b in zip(*spectrum, strict=True)]
    assert min(likeness) > 0.99


def test_catalogues_name_each_defect_once_with_target_and_source():
    names = [d.name for d in (*DEFECTS, *SIMULATED)]
    assert len(set(names)) == len(names)
    for entry in (*DEFECTS, *SIMULATED):
        assert entry.targets
        assert entry.source
        assert not set(entry.targets) & set(entry.spared)


def test_wrong_arguments_are_refused():
    sample = Sample(np.zeros((3, 12, 50), np.float32), 100.0)
    rng = np.random.default_rng(0)
    with pytest.raises(UsageError, match="share"):
        defect("gain").plant(sample, 1.1, rng, share=1.5)
    with pytest.raises(UsageError, match="k must be"):
        mode_collapse(sample, 4, rng)
    with pytest.raises(UsageError, match="bring them to one"):
        memorised_copies(sample, Sample(sample.samples[:, :, :20], 100.0), 0.5, "exact", rng)
    with pytest.raises(UsageError, match="at least one recording"):
        Sample(np.zeros((0, 12, 50), np.float32), 100.0)
    with pytest.raises(UsageError, match="12"):
        defect("mains hum").plant(Sample(sample.samples[:, :3], 100.0), 0.1, rng)
