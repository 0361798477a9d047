"""The radial power spectrum against the full transform, known signals, and its invariances."""

import numpy as np
import pytest
from scipy import ndimage

from sdq_imaging.features.spectrum import BANDS, FLOOR, radial_power


def bands(grey):
    found = radial_power(grey.astype(np.float32))
    return np.array([found.get(f"band_{k + 1:02d}", np.nan) for k in range(BANDS)])


def noise(shape=(96, 128), seed=0):
    return 0.5 + 0.1 * np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("shape", [(64, 64), (63, 65), (40, 97), (97, 40)])
def test_bands_agree_with_the_full_transform(shape):
    grey = noise(shape).astype(np.float32)
    window = np.outer(np.hanning(shape[0] + 2)[1:-1], np.hanning(shape[1] + 2)[1:-1])
    power = np.abs(np.fft.fft2((grey - grey.mean(dtype=float)) * window)) ** 2
    radius = np.hypot(*np.meshgrid(*(np.fft.fftfreq(s) for s in shape), indexing="ij")) / 0.5
    ring = np.minimum((radius * BANDS).astype(int), BANDS - 1)
    expected = [np.log(power[ring == k].mean() / (window**2).sum() + FLOOR) for k in range(BANDS)]
    np.testing.assert_allclose(bands(grey), expected, rtol=1e-6)
    centre = np.log((np.arange(BANDS) + 0.5) / BANDS)
    slope = np.cov(centre, expected)[0, 1] / np.var(centre, ddof=1)
    assert radial_power(grey)["slope"] == pytest.approx(slope)


def test_white_noise_is_flat_at_its_variance():
    found = np.mean([bands(noise((160, 160), seed)) for seed in range(8)], axis=0)
    np.testing.assert_allclose(found[1:], np.log(0.01), atol=0.1)
    slopes = [radial_power(noise((160, 160), s).astype(np.float32))["slope"] for s in range(8)]
    assert abs(np.mean(slopes)) < 0.1


@pytest.mark.parametrize("band", [2, 5, 8, 11])
@pytest.mark.parametrize("angle", [0, 30, 45, 90])
def test_a_wave_is_found_in_its_band_whatever_its_direction(band, angle):
    frequency = 0.5 * (band + 0.5) / BANDS
    y, x = np.mgrid[:120, :120]
    along = np.cos(np.deg2rad(angle)) * x + np.sin(np.deg2rad(angle)) * y
    found = bands(0.5 + 0.3 * np.sin(2 * np.pi * frequency * along))
    assert np.argmax(found) == band
    # The tails of the window reach the neighbours only; the first band holds what is left of the
    # mean under the window.
    others = np.delete(found, [k for k in (0, band - 1, band, band + 1) if k < BANDS])
    assert found[band] - others.max() > 10
    assert found[band] - found[0] > 4


def test_blur_lowers_high_bands_monotonically_and_steepens_the_slope():
    levels = [bands(ndimage.gaussian_filter(noise(), s)) for s in (0, 0.5, 1, 2)]
    for k in (6, 8, 11):
        assert (np.diff([v[k] for v in levels]) < -0.1).all()
    slopes = [
        radial_power(ndimage.gaussian_filter(noise(), s).astype(np.float32))["slope"]
        for s in (0, 0.5, 1, 2)
    ]
    assert (np.diff(slopes) < 0).all()


def test_a_checkerboard_artefact_stands_in_the_last_band():
    grey = noise()
    planted = grey + 0.05 * (np.indices(grey.shape).sum(0) % 2)
    change = bands(planted) - bands(grey)
    assert np.argmax(change) == BANDS - 1
    assert np.abs(change[:6]).max() < 0.1


@pytest.mark.parametrize(
    "turn", [np.fliplr, np.flipud, np.transpose, np.rot90, lambda a: 1 - a, lambda a: a + 0.2]
)
def test_flips_quarter_turns_inversion_and_offset_change_nothing(turn):
    grey = noise((50, 70))
    np.testing.assert_allclose(bands(np.ascontiguousarray(turn(grey))), bands(grey), rtol=1e-4)


def test_contrast_shifts_every_band_alike():
    grey = noise()
    change = bands(0.5 + 2 * (grey - 0.5)) - bands(grey)
    np.testing.assert_allclose(change, np.log(4), atol=1e-4)


def test_a_small_image_has_the_bands_that_it_can_have():
    found = bands(noise((8, 8)))
    assert 0 < np.isfinite(found).sum() < BANDS
    assert np.nanmin(found) > np.log(FLOOR) + 5
    assert np.isfinite(bands(noise((24, 24)))).all()


@pytest.mark.parametrize("grey", [np.zeros((20, 20)), noise((3, 50)), noise((1, 1))])
def test_no_spectrum_of_a_constant_or_a_stripe(grey):
    assert radial_power(grey.astype(np.float32)) == {}
