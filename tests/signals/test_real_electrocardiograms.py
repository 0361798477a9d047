"""Real recordings with annotations: beats are found, headers are clean, files are read right."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from sdq_signals.conformity.wfdb import check
from sdq_signals.features.ecg import describe
from sdq_signals.formats.wfdb import read
from sdq_signals.formats.wfdb_annotations import annotations

MITDB = Path(__file__).parents[2] / "fixtures/mitdb"
RECORDS = ("100", "106", "114", "119")
BEATS = set("NLRBAaJSVrFejnE/fQ?")
TOLERANCE_S = 0.150
WINDOW_S = 10


@cache
def opened(name):
    return read(MITDB / f"{name}.hea")


def hits(found, marked):
    """One-to-one matches of sorted times within the tolerance: hits, missed, invented."""
    free, hit = list(found), 0
    for time in marked:
        near = [t for t in free if abs(t - time) <= TOLERANCE_S]
        if near:
            free.remove(min(near, key=lambda t: abs(t - time)))
            hit += 1
    return hit, len(marked) - hit, len(found) - hit


@pytest.mark.parametrize("channels", [slice(0, 2), slice(0, 1)])
def test_beats_of_ten_second_windows(channels):
    total = np.zeros(3, int)
    for name in RECORDS:
        recording = opened(name)
        size = round(WINDOW_S * recording.rate)
        count = recording.length // size
        x = recording.read(0, count * size)[channels]
        windows = x.reshape(len(x), count, size).transpose(1, 0, 2)
        found = describe(windows, recording.rate, recording.labels[channels])
        samples, symbols = annotations(MITDB / f"{name}.hea", "atr")
        marked = samples[[s in BEATS for s in symbols]] / recording.rate
        for k in range(count):
            times = found.beat_time[found.beat_row == k]
            inside = marked[(marked >= k * WINDOW_S) & (marked < (k + 1) * WINDOW_S)]
            total += hits(times, inside - k * WINDOW_S)
    hit, missed, invented = total
    assert hit + missed > 1300
    assert 2 * hit / (2 * hit + missed + invented) >= 0.99


@pytest.mark.parametrize("name", RECORDS)
def test_headers_of_a_public_database_are_clean(name):
    recording = opened(name)
    assert recording.findings == ()
    assert check(MITDB / f"{name}.hea") == ()
    assert (recording.rate, recording.length, recording.calibrated) == (360, 108_000, True)


@pytest.mark.filterwarnings("ignore:The inplace keyword")
@pytest.mark.parametrize("name", RECORDS)
def test_samples_and_annotations_equal_the_reference_reader(name):
    wfdb = pytest.importorskip("wfdb")
    reference = wfdb.rdrecord(str(MITDB / name))
    ours = opened(name).read(0, reference.sig_len)
    np.testing.assert_allclose(ours.T, reference.p_signal, atol=1e-6)
    marks = wfdb.rdann(str(MITDB / name), "atr")
    samples, symbols = annotations(MITDB / f"{name}.hea", "atr")
    assert samples.tolist() == marks.sample.tolist()
    assert symbols.tolist() == marks.symbol
