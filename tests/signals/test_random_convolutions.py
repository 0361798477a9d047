import numpy as np
import pytest

from sdq_core.errors import PluginError
from sdq_signals.channels import LEADS
from sdq_signals.embeddings import random_convolutions
from sdq_signals.embeddings.random_convolutions import (
    DIMENSION,
    channel_weights,
    embed,
    facts,
    kernels,
)


def _noise(*shape, seed=0):
    return 0.2 * np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def test_kernels_are_pinned(monkeypatch):
    weights, dilations, biases = kernels()
    assert weights.shape == (256, 9)
    assert abs(weights.mean(axis=1)).max() < 1e-6
    assert dilations.min() == 1
    assert dilations.max() < 90
    assert abs(biases).max() <= 1
    assert facts()["dimension"] == DIMENSION == 2 * len(weights)
    monkeypatch.setattr(random_convolutions, "SHA256", "0" * 64)
    with pytest.raises(PluginError, match="pinned"):
        kernels.__wrapped__()


def test_responses_are_those_of_plain_convolutions():
    x = _noise(2, 3, 500)
    labels = ("I", "II", "V1")
    weights, dilations, biases = kernels()
    y = random_convolutions.band_limited(x, 100.0, 100.0, (0.5, 40.0)) / np.float32(0.2)
    mixed = np.einsum("mc,nct->nmt", channel_weights(labels), y)
    found = embed(x, 100.0, "ecg", labels)
    for k in (0, 7, 100, 255):
        spread = np.zeros(8 * dilations[k] + 1)
        spread[:: dilations[k]] = weights[k]
        for row in range(2):
            response = np.correlate(np.pad(mixed[row, k // 4], 4 * dilations[k]), spread, "valid")
            assert found[row, k] == pytest.approx(response.max(), rel=1e-4)
            assert found[row, 256 + k] == pytest.approx((response > biases[k]).mean(), abs=0.003)


def test_a_row_does_not_depend_on_the_others():
    x = _noise(20, 2, 1200)
    x[3, 0, 10:90] = np.nan
    whole = embed(x, 100.0, "ecg", ("I", "II"))
    for first, last in ((0, 1), (3, 4), (2, 9), (1, 18)):
        part = embed(x[first:last], 100.0, "ecg", ("I", "II"))
        np.testing.assert_array_equal(part, whole[first:last])


def test_the_order_of_channels_does_not_matter_but_their_names_do():
    x = _noise(2, 12, 1000)
    order = np.random.default_rng(1).permutation(12)
    found = embed(x, 100.0, "ecg", LEADS)
    same = embed(x[:, order], 100.0, "ecg", [LEADS[k] for k in order])
    np.testing.assert_array_equal(found, same)
    assert not np.allclose(found, embed(x, 100.0, "ecg", LEADS[::-1]), rtol=0.01)


@pytest.mark.parametrize("channels", [1, 2, 12, 64])
def test_one_size_for_any_montage(channels):
    found = embed(_noise(1, channels, 300), 128.0, "other", [f"C{k}" for k in range(channels)])
    assert found.shape == (1, DIMENSION)
    assert np.isfinite(found).all()


def test_equal_names_are_different_channels():
    weights = channel_weights(("EEG", "EEG"))
    assert not np.allclose(weights[:, 0], weights[:, 1])


def test_gain_shows_where_the_unit_is_known_only():
    x = _noise(1, 1, 1000)
    ecg, louder = embed(x, 100.0, "ecg", ("II",)), embed(2 * x, 100.0, "ecg", ("II",))
    np.testing.assert_allclose(louder[:, :256], 2 * ecg[:, :256], rtol=1e-4)
    ppg, brighter = embed(x, 100.0, "ppg", ("II",)), embed(2 * x, 100.0, "ppg", ("II",))
    np.testing.assert_allclose(brighter, ppg, rtol=1e-3, atol=0.003)


def test_the_sampling_rate_hardly_matters():
    t = np.arange(5000) / 500
    x = (0.3 * np.cos(2 * np.pi * 3 * t) + 0.1 * np.cos(2 * np.pi * 17 * t))[None, None]
    fast = embed(x.astype(np.float32), 500.0, "ecg", ("II",))
    slow = embed(x[..., ::5].astype(np.float32), 100.0, "ecg", ("II",))
    np.testing.assert_allclose(fast[:, :256], slow[:, :256], rtol=0.05, atol=0.05)


def test_a_long_recording_is_the_mean_of_its_blocks():
    x = _noise(1, 2, 4000)
    long = embed(x, 100.0, "ecg", ("I", "II"))[0]
    pieces = embed(x.reshape(2, 4, 1000).swapaxes(0, 1), 100.0, "ecg", ("I", "II"))
    # They differ only by the band limit at the pieces' ends.
    apart = np.linalg.norm(long - pieces.mean(axis=0)) / np.linalg.norm(long)
    assert apart < 0.02
    assert np.linalg.norm(long - pieces[0]) / np.linalg.norm(long) > 2 * apart


@pytest.mark.parametrize("kind", ["ecg", "other"])
@pytest.mark.parametrize("length", [1, 2, 50, 100])
@pytest.mark.parametrize("fill", [None, 0.0, 3.0])
def test_short_and_silent_recordings_have_a_vector(kind, length, fill):
    x = _noise(2, 2, length) if fill is None else np.full((2, 2, length), fill, np.float32)
    assert np.isfinite(embed(x, 100.0, kind, ("I", "II"))).all()


def test_a_recording_without_samples_has_none():
    x = _noise(2, 2, 300)
    x[1] = np.nan
    found = embed(x, 100.0, "other", ("I", "II"))
    assert np.isnan(found[1]).all()
    assert np.isfinite(found[0]).all()
