"""Rhythm features against their closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdq_signals.features.rhythm import intervals, rhythm
from sdq_signals.features.segments import run_mean, run_median, run_sum


def described(rr, regular=None):
    times = np.cumsum([0.0, *rr])
    k = len(times)
    regular = np.ones(k, bool) if regular is None else np.asarray(regular)
    found = intervals(np.zeros(k, int), times, regular, 1)
    values = rhythm(found, np.array([k]), np.array([regular.mean()]))
    return {name: float(v[0]) for name, v in values.items()}


def test_variability_agrees_with_the_textbook():
    rr = np.random.default_rng(0).normal(0.8, 0.06, 12)
    found, ms, step = described(rr), 1000 * rr, 1000 * np.diff(rr)
    assert found["heart_rate"] == pytest.approx(60 / rr.mean())
    assert found["sdnn_ms"] == pytest.approx(ms.std(ddof=1))
    assert found["rmssd_ms"] == pytest.approx(np.sqrt((step**2).mean()))
    assert found["pnn50"] == pytest.approx((np.abs(step) > 50).mean())
    assert found["sd1_ms"] == pytest.approx(step.std(ddof=1) / np.sqrt(2))
    assert found["sd1_ms"] ** 2 + found["sd2_ms"] ** 2 == pytest.approx(2 * ms.var(ddof=1))
    assert found["irregularity"] == pytest.approx(found["rmssd_ms"] / ms.mean())
    turns = step[1:] * step[:-1] < 0
    assert found["turning_points"] == pytest.approx(turns.mean())
    assert (found["rr_min_ms"], found["rr_max_ms"]) == pytest.approx((ms.min(), ms.max()))


def test_an_extrasystole_counts_for_irregularity_and_not_for_variability():
    rr = [0.8, 0.8, 0.5, 1.1, 0.8, 0.8]
    found = described(rr, [True, True, True, False, True, True, True])
    assert found["sdnn_ms"] == pytest.approx(0, abs=1e-9)
    assert found["rmssd_ms"] == pytest.approx(0, abs=1e-9)
    assert found["irregularity"] > 0.3


def test_too_few_beats_have_no_variability():
    none, one = described([]), described([0.8])
    assert np.isnan(none["heart_rate"])
    assert none["beats"] == 1
    assert one["heart_rate"] == pytest.approx(75)
    assert np.isnan(one["sdnn_ms"])
    assert np.isnan(one["rmssd_ms"])


def test_differences_do_not_reach_over_recordings():
    row = np.array([0, 0, 0, 1, 1, 1])
    times = np.array([0, 1.0, 2.0, 0, 0.5, 1.0])
    found = rhythm(intervals(row, times, np.ones(6, bool), 2), np.array([3, 3]), np.ones(2))
    assert found["rmssd_ms"] == pytest.approx([0, 0], abs=1e-9)
    assert found["heart_rate"] == pytest.approx([60, 120])


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.floats(-1e3, 1e3).filter(lambda v: abs(v) > 1e-6 or v == 0))
    )
)
@settings(max_examples=60, deadline=None)
def test_runs_agree_with_numpy(pairs):
    pairs = sorted(pairs, key=lambda p: p[0])
    row = np.array([p[0] for p in pairs], np.intp)
    values = np.array([p[1] for p in pairs], float)
    for function, reference in ((run_mean, np.mean), (run_median, np.median), (run_sum, np.sum)):
        found = function(values, row, 5)
        for k in range(5):
            if (row == k).any():
                assert found[k] == pytest.approx(reference(values[row == k]), rel=1e-9, abs=1e-9)
            else:
                assert found[k] == 0 if function is run_sum else np.isnan(found[k])
