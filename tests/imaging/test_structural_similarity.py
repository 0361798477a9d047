"""SSIM and MS-SSIM against scikit-image and MONAI, and their laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.metrics import structural_similarity

from sdq_core.errors import UsageError
from sdq_imaging.structural_similarity import ms_ssim, pairwise_ms_ssim, ssim


def pictures(n=4, shape=(190, 201), seed=0, sigma=2.0):
    rng = np.random.default_rng(seed)
    found = ndimage.gaussian_filter(rng.random((n, *shape)), (0, sigma, sigma))
    return ((found - found.min()) / np.ptp(found)).astype(np.float32)


def damaged(x, seed=1):
    rng = np.random.default_rng(seed)
    return np.clip(0.8 * x + 0.1 + 0.1 * rng.normal(size=x.shape), 0, 1).astype(np.float32)


@pytest.mark.parametrize("data_range", [1.0, 255.0])
@pytest.mark.parametrize("shape", [(190, 201), (11, 11), (12, 40)])
def test_ssim_agrees_with_scikit_image(shape, data_range):
    a = pictures(shape=shape, sigma=1.0)
    b = damaged(a)
    b[-1] = 1 - a[-1]
    expected = [
        structural_similarity(
            x.astype(float) * data_range,
            y.astype(float) * data_range,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=data_range,
        )
        for x, y in zip(a, b, strict=True)
    ]
    assert min(expected) < 0, "a pair of opposite structure is among them"
    found = ssim(a * data_range, b * data_range, data_range)
    np.testing.assert_allclose(found, expected, atol=2e-5)


@pytest.mark.filterwarnings("ignore")
def test_ms_ssim_agrees_with_monai():
    import torch
    from monai.metrics.regression import MultiScaleSSIMMetric

    a = pictures(shape=(176, 192))
    b = damaged(a)
    metric = MultiScaleSSIMMetric(
        spatial_dims=2,
        data_range=1.0,
        kernel_size=11,
        kernel_sigma=1.5,
        weights=(0.0448, 0.2856, 0.3001, 0.2363, 0.1333),
    )
    expected = metric(torch.from_numpy(a)[:, None], torch.from_numpy(b)[:, None]).numpy().ravel()
    np.testing.assert_allclose(ms_ssim(a, b, 1.0), expected, atol=2e-5)
    assert expected.max() < 0.98, "the pairs differ"


def test_as_many_scales_are_used_as_the_image_has():
    # 22 pixels leave 11 after one halving, 21 do not: then MS-SSIM is SSIM with its clamp.
    a = pictures(shape=(21, 21), sigma=1.0)
    b = damaged(a)
    np.testing.assert_allclose(ms_ssim(a, b, 1.0), np.maximum(ssim(a, b, 1.0), 0), atol=1e-6)
    a = pictures(shape=(22, 22), sigma=1.0)
    assert np.abs(ms_ssim(a, damaged(a), 1.0) - ssim(a, damaged(a), 1.0)).min() > 1e-4


@pytest.mark.parametrize("measure", [ssim, ms_ssim])
def test_identity_symmetry_range_and_flips(measure):
    # Sides that halve evenly four times, so that a flip moves no column out of a scale.
    a, b = pictures(shape=(192, 208)), pictures(shape=(192, 208), seed=7)
    np.testing.assert_allclose(measure(a, a, 1.0), 1, atol=1e-6)
    np.testing.assert_allclose(measure(a, b, 1.0), measure(b, a, 1.0), atol=1e-6)
    flipped = measure(a[..., ::-1], b[..., ::-1], 1.0)
    np.testing.assert_allclose(flipped, measure(a, b, 1.0), atol=1e-5)
    assert (measure(a, b, 1.0) < 0.9).all()


@given(st.integers(0, 10_000), st.floats(0, 1), st.sampled_from([(11, 11), (23, 30), (48, 48)]))
@settings(max_examples=30, deadline=None)
def test_no_pair_leaves_the_range(seed, mix, shape):
    rng = np.random.default_rng(seed)
    a, b = rng.random((2, 2, *shape)).astype(np.float32)
    b = (mix * (1 - a) + (1 - mix) * b).astype(np.float32)
    for measure, lowest in ((ssim, -1), (ms_ssim, 0)):
        found = measure(a, b, 1.0)
        assert ((found >= lowest - 1e-6) & (found <= 1 + 1e-6)).all()


def test_opposite_structure_is_no_nan():
    a = pictures()
    assert ms_ssim(a, 1 - a, 1.0).tolist() == [0.0] * 4


def test_more_damage_is_less_similar():
    a = pictures()
    noise = np.random.default_rng(3).normal(size=a.shape).astype(np.float32)
    for measure in (ssim, ms_ssim):
        found = np.array([measure(a, a + s * noise, 1.0) for s in (0.01, 0.05, 0.1, 0.3)])
        assert (np.diff(found, axis=0) < 0).all()


def test_constant_images_have_the_closed_form():
    a, b = np.full((1, 20, 20), 0.2), np.full((1, 20, 20), 0.6)
    expected = (2 * 0.2 * 0.6 + 1e-4) / (0.2**2 + 0.6**2 + 1e-4)
    # Variances of float32 are 0 to 1e-7, beside a constant of 9e-4; processors round differently.
    np.testing.assert_allclose(ssim(a, b, 1.0), expected, rtol=3e-4)
    np.testing.assert_allclose(ssim(a, a, 1.0), 1, rtol=1e-6)


def test_pairs_of_one_set_are_the_pairs_alone():
    x = pictures(n=5, shape=(64, 70))
    i, j = np.triu_indices(5, 1)
    found = pairwise_ms_ssim(x, np.column_stack([i, j]), 1.0)
    np.testing.assert_allclose(found, ms_ssim(x[i], x[j], 1.0), atol=1e-6)
    assert pairwise_ms_ssim(x, np.empty((0, 2)), 1.0).shape == (0,)


@pytest.mark.parametrize(
    ("a", "b", "data_range", "says"),
    [
        (np.ones((2, 20, 20)), np.ones((3, 20, 20)), 1.0, "equal shapes"),
        (np.ones((20, 20)), np.ones((20, 20)), 1.0, "equal shapes"),
        (np.ones((1, 10, 20)), np.ones((1, 10, 20)), 1.0, "at least 11"),
        (np.ones((1, 20, 20)), np.ones((1, 20, 20)), 0.0, "data_range"),
    ],
)
def test_what_cannot_be_compared_is_said(a, b, data_range, says):
    for measure in (ssim, ms_ssim):
        with pytest.raises(UsageError, match=says):
            measure(a, b, data_range)
