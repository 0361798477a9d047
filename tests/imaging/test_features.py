"""Named features against independent implementations, closed forms, and their invariances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage, stats
from skimage.feature import graycomatrix, graycoprops
from skimage.measure import shannon_entropy

from sdq_imaging.describing import named_features
from sdq_imaging.features.filters import blobs, noise, sharpness
from sdq_imaging.features.intensity import first_order, histogram
from sdq_imaging.features.regions import region_features
from sdq_imaging.features.texture import co_occurrence, co_occurrence_features, discretise

ANGLES = [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4]
PIXELS = st.floats(-1000, 1000, width=32)
SMALL = arrays.arrays(np.float32, arrays.array_shapes(min_dims=2, max_dims=2, max_side=9),
                      elements=PIXELS)  # fmt: skip


def textured(shape=(40, 33), seed=0):
    rng = np.random.default_rng(seed)
    grey = ndimage.gaussian_filter(rng.normal(size=shape), 1.5)
    grey = (grey - grey.min()) / (grey.max() - grey.min())
    return grey.astype(np.float32)


# --- intensity ---


@pytest.mark.parametrize("shape", [(7, 9), (3, 8, 5), (1, 1), (2, 1)])
@pytest.mark.parametrize("offset", [0, 1e6])
def test_first_order_agrees_with_numpy_and_scipy(shape, offset):
    x = (np.random.default_rng(1).gamma(2, 30, shape) + offset).astype(np.float32)
    y = x.astype(np.float64).ravel()
    found = first_order(x)
    p10, p25, p50, p75, p90 = np.percentile(y, [10, 25, 50, 75, 90])
    inner = y[(y >= p10) & (y <= p90)]
    expected = {
        "mean": y.mean(),
        "median": p50,
        "minimum": y.min(),
        "maximum": y.max(),
        "range": np.ptp(y),
        "p10": p10,
        "p90": p90,
        "interquartile_range": p75 - p25,
        "mean_absolute_deviation": np.abs(y - y.mean()).mean(),
        "root_mean_square": np.sqrt((y**2).mean()),
        "variance": y.var(),
    }
    if inner.size:  # of two pixels none lies between the percentiles
        expected["robust_mean_absolute_deviation"] = np.abs(inner - inner.mean()).mean()
    if y.var() > 0:
        expected["skewness"] = stats.skew(y)
        expected["kurtosis"] = stats.kurtosis(y, fisher=False)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-9, abs=1e-9), name


@given(SMALL, st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_first_order_does_not_depend_on_the_place_of_pixels(x, random):
    flat = x.ravel().tolist()
    random.shuffle(flat)
    moved = first_order(np.array(flat, np.float32).reshape(x.shape))
    assert moved == first_order(x)


@given(SMALL)
@settings(max_examples=40, deadline=None)
def test_first_order_is_ordered(x):
    f = first_order(x)
    assert f["minimum"] <= f["p10"] <= f["median"] <= f["p90"] <= f["maximum"]
    assert f["variance"] >= 0
    assert all(np.isfinite(v) for v in f.values())


def test_a_constant_has_no_skewness():
    found = first_order(np.full((5, 5), 3, np.float32))
    assert "skewness" not in found
    assert found["variance"] == found["range"] == 0


def test_entropy_and_uniformity_of_levels():
    levels = np.random.default_rng(0).integers(0, 16, (30, 30))
    found = histogram(levels, 16)
    assert found["entropy"] == pytest.approx(shannon_entropy(levels))
    assert histogram(np.arange(64).reshape(8, 8), 64) == {"entropy": 6.0, "uniformity": 1 / 64}
    assert histogram(np.zeros((4, 4), int), 64) == {"entropy": 0.0, "uniformity": 1.0}


# --- texture ---


def test_levels_have_equal_width_and_the_top_belongs_to_the_last():
    assert discretise(np.array([0, 0.249, 0.25, 0.999, 1], np.float32), 4).tolist() == [
        0, 0, 1, 3, 3,
    ]  # fmt: skip


@pytest.mark.parametrize("count", [4, 16, 64])
@pytest.mark.parametrize("shape", [(40, 33), (5, 3), (2, 2)])
def test_co_occurrence_agrees_with_scikit_image(count, shape):
    levels = discretise(textured(shape), count)
    ours = co_occurrence(levels, count)
    theirs = graycomatrix(levels.astype(np.uint8), [1], ANGLES, count, symmetric=True, normed=True)
    # The same four directions, in another order.
    key = lambda m: tuple(m.ravel().tolist())  # noqa: E731
    ours = sorted(ours, key=key)
    theirs = sorted((theirs[:, :, 0, k] for k in range(4)), key=key)
    np.testing.assert_allclose(ours, theirs, atol=1e-15)


@pytest.mark.parametrize("seed", range(3))
def test_texture_features_agree_with_scikit_image(seed):
    levels = discretise(textured(seed=seed), 32)
    found = co_occurrence_features(co_occurrence(levels, 32))
    matrix = graycomatrix(levels.astype(np.uint8), [1], ANGLES, 32, symmetric=True, normed=True)
    pairs = {
        "contrast": "contrast",
        "inverse_difference_moment": "homogeneity",
        "joint_energy": "ASM",
        "correlation": "correlation",
        "difference_average": "dissimilarity",
        "joint_entropy": "entropy",
        "sum_squares": "variance",
    }
    for ours, theirs in pairs.items():
        expected = graycoprops(matrix, theirs).mean()
        if theirs == "entropy":
            expected /= np.log(2)  # nats
        assert found[ours] == pytest.approx(expected, rel=1e-9), ours
    assert found["joint_average"] == pytest.approx(graycoprops(matrix, "mean").mean() + 1)


def test_texture_of_a_constant_a_checkerboard_and_a_gradient():
    flat = co_occurrence_features(co_occurrence(np.full((8, 8), 5), 16))
    assert flat["contrast"] == flat["sum_squares"] == flat["cluster_tendency"] == 0
    assert flat["joint_energy"] == flat["inverse_difference"] == flat["correlation"] == 1
    assert flat["joint_entropy"] == pytest.approx(0, abs=1e-12)
    assert flat["joint_average"] == 6  # levels count from 1
    assert flat["autocorrelation"] == 36
    board = co_occurrence(np.indices((9, 9)).sum(0) % 2, 2)
    np.testing.assert_array_equal(board[:2], [[[0, 0.5], [0.5, 0]]] * 2)
    assert co_occurrence_features(board[:1])["correlation"] == pytest.approx(-1)
    assert co_occurrence_features(board[:1])["contrast"] == 1
    assert co_occurrence_features(board[2:])["contrast"] == 0
    ramp = np.tile(np.arange(16), (16, 1))
    along = co_occurrence_features(co_occurrence(ramp, 16)[:1])
    for name in ("contrast", "difference_average", "inverse_variance"):
        assert along[name] == pytest.approx(1)
    for name in ("inverse_difference_moment", "inverse_difference"):
        assert along[name] == pytest.approx(0.5)
    assert along["difference_entropy"] == pytest.approx(0, abs=1e-12)
    assert along["inverse_difference_moment_normalised"] == pytest.approx(1 / (1 + 1 / 256))


@pytest.mark.parametrize("turn", [np.fliplr, np.flipud, np.transpose, np.rot90])
def test_the_mean_over_directions_does_not_change_with_flips_and_quarter_turns(turn):
    levels = discretise(textured())
    one = co_occurrence_features(co_occurrence(levels))
    two = co_occurrence_features(co_occurrence(np.ascontiguousarray(turn(levels))))
    for name, value in one.items():
        assert two[name] == pytest.approx(value, rel=1e-9), name


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (6, 1)])
def test_texture_of_lines_and_points(shape):
    found = co_occurrence_features(co_occurrence(np.arange(np.prod(shape)).reshape(shape), 8))
    assert all(np.isfinite(v) for v in found.values())
    assert (not found) == (shape == (1, 1))


# --- sharpness, noise, blobs ---


@pytest.mark.parametrize("sigma", [0.01, 0.03, 0.06])
@pytest.mark.parametrize("seed", range(2))
def test_the_noise_level_is_recovered_within_a_tenth(sigma, seed):
    y, x = np.mgrid[:160, :200] / 160
    smooth = 0.5 + 0.2 * np.sin(3 * x) * np.cos(2 * y) + 0.1 * x
    noisy = smooth + np.random.default_rng(seed).normal(0, sigma, smooth.shape)
    assert noise(noisy.astype(np.float32))["sigma"] == pytest.approx(sigma, rel=0.1)


def test_a_plane_has_no_noise_and_no_blobs():
    y, x = np.mgrid[:32, :32] / 32
    plane = (0.2 + 0.5 * x + 0.2 * y).astype(np.float32)
    assert noise(plane)["sigma"] < 1e-6
    assert noise(plane[:2]) == {}
    assert sharpness(plane)["mean_gradient"] == pytest.approx(np.hypot(0.5, 0.2) / 32, rel=0.05)


def test_sharpness_and_fine_blobs_fall_with_blur():
    sharp = textured((96, 96))
    values = [
        sharpness(b) | blobs(b) | noise(b)
        for b in (ndimage.gaussian_filter(sharp, s) for s in (0, 0.7, 1.4, 2.8))
    ]
    for name in ("laplacian_variance", "mean_gradient", "tenengrad", "log1_deviation"):
        series = [v[name] for v in values]
        assert series == sorted(series, reverse=True), name
        assert series[-1] < 0.8 * series[0], name


@pytest.mark.parametrize("sigma", [1, 2, 4])
def test_a_blob_answers_most_at_its_own_scale(sigma):
    # Scale-normalised, a Gaussian of deviation s answers most at the filter of deviation s.
    y, x = np.mgrid[-64:65, -64:65]
    blob = np.exp(-(x**2 + y**2) / (2.0 * sigma**2)).astype(np.float32)
    responses = {s: -ndimage.gaussian_laplace(blob, s)[64, 64] * s**2 for s in (1.0, 2.0, 4.0)}
    assert max(responses, key=responses.get) == sigma
    assert responses[sigma] == pytest.approx(0.5, rel=0.02)  # 2 s^2 S^2 / (s^2 + S^2)^2
    found = blobs(blob)
    filtered = ndimage.gaussian_laplace(blob.astype(float), float(sigma), mode="nearest") * sigma**2
    assert found[f"log{sigma}_deviation"] == pytest.approx(filtered.std(), rel=1e-3)
    assert found[f"log{sigma}_kurtosis"] == pytest.approx(
        stats.kurtosis(filtered.ravel(), fisher=False), rel=1e-2
    )


# --- regions ---


def test_regions_have_physical_size_contrast_and_place():
    grey = np.full((10, 20), 0.2, np.float32)
    mask = np.zeros((10, 20), np.uint8)
    mask[2:4, 5:10], mask[8:, 18:] = 1, 7
    grey[2:4, 5:10] = 0.9
    found = region_features(grey, mask, (0.5, 2.0))
    assert found["1.size"] == 10 * 0.5 * 2.0
    assert found["1.mean"] == pytest.approx(0.9)
    assert found["1.contrast"] == pytest.approx(0.7)
    assert (found["1.centre_0"], found["1.centre_1"]) == (0.3, 0.375)
    assert (found["7.centre_0"], found["7.centre_1"]) == (0.9, 0.95)
    mirrored = region_features(grey[:, ::-1], mask[:, ::-1], None)
    assert mirrored["1.centre_1"] == pytest.approx(1 - found["1.centre_1"])
    assert mirrored["1.size"] == 10


def test_a_region_without_an_outside_and_a_volume():
    found = region_features(np.ones((3, 4, 5), np.float32), np.ones((3, 4, 5), np.uint8), (1, 1, 2))
    assert found["1.size"] == 120
    assert "1.contrast" not in found
    assert [found[f"1.centre_{k}"] for k in range(3)] == [0.5] * 3


# --- all of them ---


@given(arrays.arrays(np.float32, arrays.array_shapes(min_dims=3, max_dims=3, max_side=12),
                     elements=st.floats(0, 1, width=32)))  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_no_image_makes_a_feature_nan(planes):
    assert all(np.isfinite(v) for v in named_features(planes).values())


def test_a_volume_has_the_mean_of_its_slices():
    planes = np.stack([textured(seed=s) for s in range(3)])
    alone = [named_features(p[None]) for p in planes]
    for name, value in named_features(planes).items():
        assert value == pytest.approx(np.mean([a[name] for a in alone]), rel=1e-9), name
