import numpy as np
import pytest
import scipy.signal

from sdq_signals.features.coherence import MOST_CHANNELS, describe
from sdq_signals.features.spectrum import welch


def _mixed(n=3, t=4000, share=0.7):
    """Three channels; the first two have a common part."""
    x = np.random.default_rng(2).standard_normal((n, 3, t), dtype=np.float32)
    x[:, 1] = share * x[:, 0] + (1 - share) * x[:, 1]
    return x


def test_equals_scipy():
    x = _mixed()
    found = describe(welch(x, 200.0), ("I", "II", "V1"))
    for (a, i), (b, j) in ((("I", 0), ("II", 1)), (("I", 0), ("V1", 2)), (("II", 1), ("V1", 2))):
        frequencies, expected = scipy.signal.coherence(x[:, i], x[:, j], 200.0, "hann", 400, 200)
        inside = (frequencies >= 0.5) & (frequencies <= 40)
        np.testing.assert_allclose(
            found[f"coherence.{a}-{b}"], expected[:, inside].mean(axis=1), rtol=1e-3
        )


def test_names_do_not_depend_on_the_order_of_channels():
    x = _mixed()
    found = describe(welch(x, 200.0), ("V1", "Resp", "II"))
    other = describe(welch(x[:, ::-1].copy(), 200.0), ("II", "Resp", "V1"))
    assert (
        list(found) == list(other) == ["coherence.II-V1", "coherence.II-Resp", "coherence.V1-Resp"]
    )
    for name, values in found.items():
        np.testing.assert_allclose(other[name], values, rtol=1e-5)


def test_a_silent_channel_has_no_coherence():
    x = _mixed()
    x[1, 2] = 0.3
    x[2, 1] = np.nan
    found = describe(welch(x, 200.0), ("I", "II", "V1"))
    assert np.isnan(found["coherence.I-V1"]).tolist() == [False, True, False]
    assert np.isnan(found["coherence.I-II"]).tolist() == [False, False, True]


def test_a_gap_in_one_channel_leaves_the_common_segments():
    x = _mixed(n=1, share=0.9)
    whole = describe(welch(x, 200.0), ("I", "II", "V1"))["coherence.I-II"]
    x[0, 1, 700:900] = np.nan
    found = describe(welch(x, 200.0), ("I", "II", "V1"))["coherence.I-II"]
    np.testing.assert_allclose(found, whole, atol=0.05)
    assert found[0] <= 1


@pytest.mark.parametrize("t", [1, 5, 100, 400, 700])
def test_few_segments_tell_nothing(t):
    found = describe(welch(_mixed(t=t), 200.0), ("I", "II", "V1"))
    assert all(np.isnan(values).all() for values in found.values())


def test_many_and_equal_names():
    x = np.random.default_rng(0).standard_normal((1, 30, 1000), dtype=np.float32)
    spectrum = welch(x, 100.0)
    most = describe(spectrum, [f"C{k:02d}" for k in range(30)])
    assert len(most) == MOST_CHANNELS * (MOST_CHANNELS - 1) // 2 == 276
    assert len(describe(spectrum, ["II"] * 30)) == 0
    assert describe(welch(x[:, :1], 100.0), ["II"]) == {}


def test_a_row_does_not_depend_on_the_others():
    x = _mixed(n=6, t=1500)
    x[3, 0, :200] = np.nan
    whole = describe(welch(x, 100.0), ("I", "II", "V1"))
    for n in (1, 2, 5):
        part = describe(welch(x[1 : 1 + n], 100.0), ("I", "II", "V1"))
        for name, values in part.items():
            np.testing.assert_array_equal(values, whole[name][1 : 1 + n])
