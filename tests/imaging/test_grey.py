"""Grey values on one scale, resizing, signatures, thumbnails, and the spectra of signatures."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_files import nifti, pixels
from PIL import Image as Picture
from scipy import ndimage

from sdq_core.description import Item
from sdq_imaging.coarse_stage import parities
from sdq_imaging.grey import central, grey_square, normalise, resize, slices
from sdq_imaging.image import Image
from sdq_imaging.signature import signature
from sdq_imaging.spectra import (
    POSES,
    centred,
    correlation,
    cropped,
    halved,
    posed,
    shifted,
    spectrum,
    warped,
)
from sdq_imaging.thumbnail import thumbnail


def image(values, nominal=None):
    return Image(np.asarray(values, np.float32), "array", nominal_range=nominal)


def smooth(shape=(90, 110), seed=0, sigma=3):
    return ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), sigma).astype(
        np.float32
    )


# --- scale ---


def test_a_nominal_range_keeps_a_shift_visible_and_clips():
    values = np.array([[-2000.0, -1024, 0, 3071, 9000]])
    grey, rule = normalise(image(values, (-1024, 3071)))
    np.testing.assert_allclose(grey, [[0, 0, 1024 / 4095, 1, 1]], rtol=1e-6)
    assert rule == "nominal"
    shifted_by_100, _ = normalise(image(values + 100, (-1024, 3071)))
    assert shifted_by_100[0, 2] > grey[0, 2]


@given(st.floats(0.01, 1000), st.floats(-1e4, 1e4))
@settings(max_examples=30, deadline=None)
def test_arbitrary_units_are_scaled_by_percentiles(scale, offset):
    values = np.random.default_rng(0).normal(size=(40, 40))
    grey, rule = normalise(image(values))
    other, _ = normalise(image(values * scale + offset))
    assert rule == "percentile"
    np.testing.assert_allclose(other, grey, atol=2e-3 + 1e-6 * abs(offset) / scale)
    low, high = np.percentile(values, [0.5, 99.5])
    np.testing.assert_allclose(grey, np.clip((values - low) / (high - low), 0, 1), atol=1e-5)


def test_one_bright_point_and_a_constant():
    values = np.zeros((30, 30))
    values[3, 3] = 5
    assert normalise(image(values))[0].max() == 1  # percentiles coincide: the extremes are taken
    grey, _ = normalise(image(np.full((4, 4), 7)))
    assert not grey.any()
    assert np.isfinite(normalise(image(values + 1e29))[0]).all()


def test_slices_are_centres_of_equal_parts():
    volume = np.arange(100, dtype=np.float32)[:, None, None]
    assert slices(volume, 4).ravel().tolist() == [12, 37, 62, 87]
    assert len(slices(volume)) == 16
    assert slices(volume[:3]).ravel().tolist() == [0, 1, 2]
    assert slices(np.zeros((4, 5), np.float32)).shape == (1, 4, 5)
    assert central(volume)[0, 0] == 50


@pytest.mark.parametrize("shape", [(45, 55), (30, 22), (9, 11), (1, 1)])
def test_shrinking_is_area_averaging(shape):
    x = smooth()
    found = resize(x, shape)
    assert found.shape == shape
    assert found.mean(dtype=float) == pytest.approx(x.mean(dtype=float), abs=1e-6)
    if shape == (45, 55):
        np.testing.assert_allclose(found, x.reshape(45, 2, 55, 2).mean((1, 3)), atol=1e-6)


@pytest.mark.parametrize("shape", [(45, 37), (200, 64), (90, 300)])
def test_resizing_keeps_range_flips_and_constants(shape):
    x = smooth()
    found = resize(x, shape)
    assert x.min() - 1e-6 <= found.min() <= found.max() <= x.max() + 1e-6
    np.testing.assert_allclose(resize(x[::-1, ::-1], shape), found[::-1, ::-1], atol=1e-5)
    np.testing.assert_allclose(resize(np.full((90, 110), 3, np.float32), shape), 3, atol=1e-5)


def test_enlarging_is_linear():
    assert resize(np.array([[0, 4]], np.float32), (1, 4)).tolist() == [[0, 1, 3, 4]]


# --- signature and thumbnail ---


@pytest.mark.parametrize("shape", [(90, 110), (512, 400), (20, 30), (30, 40, 26), (4, 50, 50)])
def test_signatures_have_one_shape_no_mean_and_unit_norm(shape):
    found = signature(smooth(shape, sigma=1))
    assert found.shape == ((64, 64) if len(shape) == 2 else (24, 24, 24))
    assert found.dtype == np.float16
    assert abs(found.astype(float).mean()) < 1e-4
    assert np.linalg.norm(found.astype(float)) == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize(("scale", "offset"), [(1, 0), (40, -1000), (0.001, 5), (1000, 1e6)])
def test_a_signature_does_not_change_with_scale_and_offset(scale, offset):
    x = smooth(sigma=2)
    found = signature((x.astype(np.float64) * scale + offset).astype(np.float32)).astype(float)
    assert (found * signature(x).astype(float)).sum() > 0.995


def test_a_signature_is_band_passed_and_tells_images_apart():
    x = smooth((128, 128), sigma=2)
    y, _ = np.mgrid[:128, :128] / 128
    here = signature(x).astype(float)
    shaded = signature((x + 0.3 * np.ptp(x) * y).astype(np.float32)).astype(float)
    assert (here * shaded).sum() > 0.9
    assert abs((here * signature(smooth((128, 128), 7, 2)).astype(float)).sum()) < 0.3


@pytest.mark.parametrize(
    "values", [np.full((9, 9), 3.0), np.full((3, 9, 9), -1e4), np.ones((1, 1))]
)
def test_a_constant_has_no_signature(values):
    assert signature(values.astype(np.float32)) is None


def test_a_thumbnail_holds_the_middle_slice_and_no_text(tmp_path):
    volume = pixels((5, 40, 30)).astype(np.float32)
    path = nifti(tmp_path / "a.nii", volume, np.diag([-1, -1, 1, 1.0]), descrip=b"Miller")
    data = thumbnail(Item("a.nii", (path,)))
    assert b"Miller" not in data
    with Picture.open(io.BytesIO(data)) as found:
        assert (found.mode, found.size, found.info) == ("L", (160, 160), {})
        grey, _ = normalise(image(volume))
        expected = resize(grey[2], (160, 160)) * 255
        assert np.abs(np.asarray(found) - expected).max() <= 0.51
    assert thumbnail(Item("a.nii", (path,))) == data
    (tmp_path / "b.nii").write_bytes(b"")
    assert thumbnail(Item("b.nii", (tmp_path / "b.nii",))) is None
    assert grey_square(Item("b.nii", (tmp_path / "b.nii",)), 8) is None


# --- spectra of signatures ---


def stack(ndim, n=3, side=16, seed=0):
    return np.random.default_rng(seed).standard_normal((n, *(side,) * ndim)).astype(np.float32)


def lowpassed(x, band):
    """The same images with only the frequencies that a spectrum keeps."""
    axes = tuple(range(1, x.ndim))
    full = np.fft.fftn(x, axes=axes)
    for axis in axes:
        frequency = np.abs(np.fft.fftfreq(x.shape[axis], 1 / x.shape[axis]))
        shape = [-1 if a == axis else 1 for a in range(x.ndim)]
        full = full * (frequency <= band).reshape(shape)
    full[(slice(None), *(0,) * len(axes))] = 0
    return np.fft.ifftn(full, axes=axes).real


@pytest.mark.parametrize("ndim", [2, 3])
def test_inner_products_are_correlations(ndim):
    x, y = stack(ndim), stack(ndim, seed=1)
    a, b = (
        np.concatenate(parities(centred(spectrum(v, 5), x.shape[-1], ndim), ndim), axis=1)
        for v in (x, y)
    )
    expected = np.corrcoef(
        lowpassed(x, 5).reshape(3, -1), lowpassed(y, 5).reshape(3, -1)
    )[:3, 3:]  # fmt: skip
    np.testing.assert_allclose(a @ b.T, expected, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(a, axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("ndim", [2, 3])
def test_every_pose_is_the_flip_that_it_says(ndim):
    x = stack(ndim)
    for transposed, flipped in POSES[ndim]:
        turned = np.swapaxes(x, -1, -2) if transposed else x
        for axis in flipped:
            turned = np.roll(np.flip(turned, axis + 1), 1, axis + 1)
        found = posed(spectrum(x, 5), (transposed, flipped), ndim)
        np.testing.assert_allclose(found, spectrum(turned, 5), atol=1e-5)
    assert len(set(POSES[ndim])) == 8


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("side", [16, 24])
def test_correlation_at_all_shifts_agrees_with_shifting(ndim, side):
    x, y = stack(ndim, 1), stack(ndim, 1, seed=1)
    a, b = spectrum(x, 6), spectrum(y, 6)
    found = correlation(halved(b) * np.conj(halved(a)), np.arange(side) / side, ndim)[0]
    for place in [(0,) * ndim, (3,) * ndim, (side - 1, *(5,) * (ndim - 1))]:
        moved = shifted(a, tuple(p / side for p in place))
        expected = (np.conj(moved) * b).sum().real
        assert found[place] == pytest.approx(expected, abs=1e-5)


def test_a_constant_has_no_spectrum_and_cropping_keeps_the_low_band():
    assert not spectrum(np.ones((2, 16, 16), np.float32), 5).any()
    s = spectrum(stack(2), 6)
    low = cropped(s, 3, 2)
    assert low.shape == (3, 7, 7)
    np.testing.assert_array_equal(low[:, 0, -1], s[:, 0, -1])


def test_warping_agrees_with_scipy_inside():
    x = smooth((1, 32, 32), sigma=(0, 3, 3))
    found = warped(x, (-10.0, 0.0, 10.0), (0.9, 1.0))
    assert found.shape == (1, 6, 32, 32)
    for k, (angle, scale) in enumerate((a, s) for a in (-10, 0, 10) for s in (0.9, 1.0)):
        if scale == 1:
            expected = ndimage.rotate(x[0], angle, reshape=False, order=3)
            error = np.abs(found[0, k] - expected)[8:-8, 8:-8].max()
            assert error < 0.02 * np.ptp(x)
    shrunk = found[0, 2]  # angle 0, 0.9
    assert shrunk[16, 16] == pytest.approx(x[0, 16, 16], abs=0.05 * float(np.ptp(x)))
