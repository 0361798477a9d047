"""Copies of recordings: found in their disguises, and nobody accused without them."""

import numpy as np
import pytest
from cohorts_made import RATE, cohort, study_of, write
from hypothesis import given
from hypothesis import strategies as st

from sdq_core.errors import UsageError
from sdq_core.statistics.copies import memorised
from sdq_signals.copies import ALIGNED_BEATS, best_matches, planted
from sdq_signals.signature import SHAPE, fingerprint, in_slots, slots
from sdq_signals.simulated_ecg import simulate


def signatures(samples, folder, name, rate=RATE):
    path = write(folder / f"{name}.npz", samples, rate)
    table = cohort(path, "train", study_of(folder)).table
    values, rows = table.signatures()
    assert len(rows) == len(samples)
    return values


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    folder = tmp_path_factory.mktemp("real")
    samples = {
        role: simulate(100, rate=RATE, seed=k).samples
        for k, role in enumerate(("train", "holdout", "fresh"), 20)
    }
    return samples, {role: signatures(s, folder, role) for role, s in samples.items()}


def stretched(x, rng):
    from scipy.signal import resample

    return resample(x, int(x.shape[-1] * 1.005), axis=-1)[..., : x.shape[-1]]


DISGUISES = {
    "exact": lambda x, rng: x,
    "time shift": lambda x, rng: np.roll(x, 431, axis=-1),
    "gain": lambda x, rng: 1.6 * x,
    "offset": lambda x, rng: x + 0.4,
    "noise of 10 uV": lambda x, rng: x + rng.normal(0, 0.01, x.shape),
    "resampled": stretched,
}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_copies_are_found_in_their_disguises(disguise, real, tmp_path):
    samples, known = real
    rng = np.random.default_rng(3)
    synthetic = samples["fresh"].copy()
    synthetic[:10] = DISGUISES[disguise](samples["train"][:10].astype(np.float64), rng)
    found = memorised(
        signatures(synthetic, tmp_path, "synthetic"),
        known["train"],
        known["holdout"],
        search=ALIGNED_BEATS,
        repeats=100,
    )
    hits = {(s.row, s.train_row) for s in found.suspects} & {(k, k) for k in range(10)}
    assert len(hits) >= 9
    assert found.interval.low > 0.02
    assert found.p_value < 0.01


def test_nobody_is_accused_without_copies(real):
    _, known = real
    found = memorised(
        known["fresh"], known["train"], known["holdout"], search=ALIGNED_BEATS, repeats=100
    )
    assert found.interval.low == 0
    assert found.flagged <= 4
    assert found.sensitivity.centre > 0.5  # simulated beats are much alike


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10), st.floats(-5, 5))
def test_matches_do_not_depend_on_gain_offset_or_order(seed, gain, offset):
    rng = np.random.default_rng(seed)
    reference = rng.standard_normal((8, 3, 80))
    query = reference[:3] + 0.3 * rng.standard_normal((3, 3, 80))
    plain = best_matches(query, reference, top=4)
    moved = best_matches(gain * query + offset, reference, top=4)
    np.testing.assert_allclose(plain.scores, moved.scores, atol=1e-9)
    order = rng.permutation(8)
    other = best_matches(query, reference[order], top=4)
    np.testing.assert_allclose(plain.scores, other.scores, atol=1e-9)
    assert (order[other.indices] == plain.indices).all()
    assert plain.scores.max() <= 1


def test_subjects_are_listed_once_and_never_matched_with_themselves():
    rng = np.random.default_rng(1)
    reference = rng.standard_normal((9, 2, 80))
    subjects = np.repeat(["a", "b", "c"], 3)
    found = best_matches(reference, reference, reference_groups=subjects)
    assert found.scores.shape == (9, 3)
    assert (found.index == np.arange(9)).all()
    other = best_matches(reference, reference, query_groups=subjects, reference_groups=subjects)
    assert (subjects[other.index] != subjects).all()
    assert (other.indices[:, 2] == -1).all()


def test_what_cannot_be_matched_is_refused():
    with pytest.raises(UsageError, match="shape"):
        best_matches(np.zeros((2, 3, 80)), np.zeros((2, 4, 80)))
    with pytest.raises(UsageError, match="reference_groups"):
        best_matches(np.zeros((2, 3, 80)), np.zeros((2, 3, 80)), query_groups=np.arange(2))


def test_planted_copies_are_near_their_originals_and_not_equal():
    rng = np.random.default_rng(2)
    originals = np.cumsum(rng.standard_normal((20, *SHAPE)), axis=-1)
    copies, rows = planted(originals, 10, rng)
    assert len(set(rows.tolist())) == 10
    found = best_matches(copies, originals)
    assert (found.index == rows).all()
    assert 0.9 < found.score.min() < found.score.max() < 1


def test_leads_have_their_rows_and_others_take_what_is_left():
    assert slots(["aVF", "X", "II", "II", "Y", "Z", "W"]).tolist() == [5, 12, 1, 13, 14, -1, -1]
    beats = np.ones((1, 2, 80), np.float32)
    placed = in_slots(beats, ["V6", "PLETH"])
    assert placed.shape == (1, *SHAPE)
    assert np.flatnonzero(placed[0].any(axis=1)).tolist() == [11, 12]


def test_a_fingerprint_survives_shift_gain_and_offset_and_tells_recordings_apart():
    rng = np.random.default_rng(4)
    x = np.cumsum(rng.standard_normal((3, 4, 2000)), axis=-1).astype(np.float32)
    x -= x.mean(axis=-1, keepdims=True)
    a = fingerprint(x, 100.0).reshape(3, -1)
    b = fingerprint((2 * np.roll(x, 300, axis=-1) + 5).astype(np.float32), 100.0).reshape(3, -1)
    correlation = np.corrcoef(a, b)[:3, 3:]
    assert np.diag(correlation).min() > 0.95
    assert (correlation - 2 * np.eye(3)).max() < 0.3
