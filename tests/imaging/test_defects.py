"""Planted defects: each does what it says, at its severity, and nothing else."""

import csv
import importlib.util
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Picture
from scipy import ndimage

from sdq_core.errors import InputError, UsageError
from sdq_core.vocabulary import Characteristic
from sdq_imaging import defects as d
from sdq_imaging.degradations import shifted, spread
from sdq_imaging.file_defects import FILE_DEFECTS, remove_tags, truncate_file, truncate_files

FIXTURES = Path(__file__).parents[2] / "fixtures"
DISGUISES = ("exact", "flip", "shift", "rotate", "gamma", "blur", "noise", "mixed")


def rng(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


def load(role, n):
    folder = FIXTURES / "cxr" / role
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:n]
    images = np.stack([np.asarray(Picture.open(folder / r["item"])) for r in rows])
    return d.Sample(images, np.array([r["class"] for r in rows]))


@pytest.fixture(scope="module")
def train():
    return load("train", 60)


@pytest.fixture(scope="module")
def new():
    return load("holdout", 50)


def dicom_maker():
    path = FIXTURES / "dicom" / "make_dicom.py"
    spec = importlib.util.spec_from_file_location("make_dicom", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ----- degradations of all images


def test_blur_multiplies_the_spectrum_by_a_gaussian():
    # Far from the border a wave is damped by the transform of the sampled Gaussian.
    x = np.arange(256)
    wave = np.tile(np.cos(2 * np.pi * x / 8), (1, 64, 1))
    for sigma in (0.5, 1.0, 1.5):
        seen = d.blur(wave, sigma)[0, 32, 64:192] / wave[0, 32, 64:192]
        k = np.arange(-20, 21)
        weights = np.exp(-(k**2) / (2 * sigma**2))
        expected = (weights * np.cos(2 * np.pi * k / 8)).sum() / weights.sum()
        np.testing.assert_allclose(np.median(seen), expected, rtol=1e-3)


def test_blur_stays_within_slices_and_images():
    volumes = np.zeros((2, 3, 9, 9))
    volumes[0, 1, 4, 4] = 1
    blurred = d.blur(volumes, 1.0)
    np.testing.assert_allclose(blurred[0, 1], ndimage.gaussian_filter(volumes[0, 1], 1.0))
    assert blurred[0, 0].max() == blurred[0, 2].max() == blurred[1].max() == 0


@pytest.mark.parametrize("seed", range(3))
def test_noise_has_its_deviation_and_no_colour(seed):
    ramp = np.tile(np.linspace(0, 1000, 200), (4, 200, 1))
    added = (d.noise(ramp, 0.05, rng(seed)) - ramp) / spread(ramp)
    n = added.size
    assert abs(added.mean()) < 4 * 0.05 / np.sqrt(n)
    assert abs(added.std() - 0.05) < 4 * 0.05 / np.sqrt(2 * n)
    neighbours = np.corrcoef(added[..., 1:].ravel(), added[..., :-1].ravel())[0, 1]
    assert abs(neighbours) < 4 / np.sqrt(n)


def test_checkerboard_is_only_at_the_highest_frequency(train):
    images = train.images[:5].astype(np.float64)
    change = np.fft.fft2(d.checkerboard(images, 0.01) - images)
    expected = np.zeros_like(change)
    expected[:, 64, 64] = 0.01 * spread(images) * 128 * 128
    np.testing.assert_allclose(change, expected, atol=1e-6)


def test_intensity_shift_moves_every_value_and_clips_only_at_the_type():
    images = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    moved = d.intensity_shift(images, 0.1)
    offset = 0.1 * spread(images)
    expected = np.clip(np.rint(images + offset), 0, 255)
    np.testing.assert_array_equal(moved, expected)


@given(
    seed=st.integers(0, 2**32),
    dtype=st.sampled_from((np.uint8, np.uint16, np.int16, np.float32)),
    strength=st.floats(0.01, 1.0),
    depth=st.integers(0, 2),
)
@settings(max_examples=40, deadline=None)
def test_every_degradation_keeps_shape_and_type_and_grows(seed, dtype, strength, depth):
    shape = (3, *(() if depth == 0 else (depth,)), 16, 17)
    images = rng(seed).integers(60, 190, shape).astype(dtype)
    before = images.copy()
    for change in (
        lambda s: d.blur(images, s),
        lambda s: d.noise(images, 0.2 * s, rng(seed)),
        lambda s: d.checkerboard(images, 0.2 * s),
        lambda s: d.intensity_shift(images, 0.2 * s),
    ):
        made, stronger = change(strength), change(2 * strength)
        assert made.shape == images.shape
        assert made.dtype == images.dtype
        np.testing.assert_array_equal(change(0.0), images)
        near, far = (np.abs(m.astype(float) - images).mean() for m in (made, stronger))
        assert near <= far
    np.testing.assert_array_equal(images, before)


# ----- defects of the set


@pytest.mark.parametrize("k", [1, 3, 10, 50])
@pytest.mark.parametrize("seed", range(2))
def test_mode_collapse_leaves_exactly_k_modes(new, k, seed):
    made = d.mode_collapse(new, k, rng(seed))
    assert len(made) == len(new)
    assert made.truth.all()
    # The mode of each image: the original to which the nearest shift of it is closest.
    shifts = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    originals = np.stack([shifted(new.images, y, x) for y, x in shifts]).astype(np.float32)
    modes = []
    for image, label in zip(made.images, made.classes, strict=True):
        error = np.square(originals - image).mean((2, 3)).min(0)
        modes.append(int(error.argmin()))
        assert np.sqrt(error.min()) < 0.02 * spread(new.images)
        assert label == new.classes[modes[-1]]
    assert len(set(modes)) == k
    assert len({i.tobytes() for i in made.images}) == len(made)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_drop_class_takes_only_its_class(new, share):
    made = d.drop_class(new, "pneumonia", rng(), share=share)
    before = int((new.classes == "pneumonia").sum())
    assert int((made.classes == "pneumonia").sum()) == before - round(share * before)
    healthy = new.classes == "no_finding"
    np.testing.assert_array_equal(made.images[made.classes == "no_finding"], new.images[healthy])


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("seed", range(2))
def test_copies_are_marked_and_the_rest_is_untouched(new, train, disguise, seed):
    before = train.images.copy(), new.images.copy()
    made = d.memorised_copies(new, train, 0.1, disguise, rng(seed))
    assert made.truth.sum() == 5
    np.testing.assert_array_equal(made.images[~made.truth], new.images[~made.truth])
    np.testing.assert_array_equal(made.classes[~made.truth], new.classes[~made.truth])
    equal = (made.images[:, None] == train.images[None]).all((2, 3)).any(1)
    assert equal[made.truth].all() == (disguise == "exact")
    assert not equal[~made.truth].any()
    np.testing.assert_array_equal(train.images, before[0])
    np.testing.assert_array_equal(new.images, before[1])


def best_correlation(a, b, angles):
    """Highest correlation of two band-passed images over shifts, flips and rotations."""

    def band(x):
        y = ndimage.gaussian_filter(x.astype(float), 1.5) - ndimage.gaussian_filter(x, 6.0)
        y -= y.mean()
        return y / np.linalg.norm(y)

    fixed = np.conj(np.fft.rfft2(band(b)))
    turned = [ndimage.rotate(a, v, reshape=False, order=1, mode="nearest") for v in angles]
    views = [band(w) for v in turned for w in (v, v[:, ::-1])]
    return max(np.fft.irfft2(np.fft.rfft2(v) * fixed).max() for v in views)


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("seed", range(2))
def test_a_disguised_copy_is_still_the_image(train, disguise, seed):
    # An independent detector knows each copy: it is nearer to its original than any other is.
    chosen = range(0, 40, 10)
    originals = train.images.astype(float)
    angles = (-7, -4, 0, 4, 7) if disguise == "rotate" else (0,)
    for row in chosen:
        copy = d.disguised(train.images[row], disguise, rng(100 * seed + row))
        assert copy.dtype == np.uint8
        likeness = [best_correlation(copy.astype(float), o, angles) for o in originals[::5]]
        own = best_correlation(copy.astype(float), originals[row], angles)
        others = [v for k, v in enumerate(likeness) if 5 * k != row]
        assert own > max(others) + 0.1
        if disguise == "exact":
            np.testing.assert_array_equal(copy, train.images[row])
        else:
            assert (copy != train.images[row]).mean() > 0.2


@pytest.mark.parametrize(
    ("disguise", "low", "high"), [("shift", 1, 6), ("gamma", 0, 0), ("flip", 0, 0)]
)
def test_disguises_are_what_they_are_called(train, disguise, low, high):
    for seed in range(5):
        image = train.images[seed]
        copy = d.disguised(image, disguise, rng(seed))
        if disguise == "flip":
            np.testing.assert_array_equal(copy, image[:, ::-1])
        elif disguise == "gamma":
            order = np.argsort(image.ravel(), kind="stable")
            assert (np.diff(copy.ravel()[order].astype(int)) >= 0).all()
            assert copy.min() == image.min()
            assert copy.max() == image.max()
        else:
            reach = range(-high, high + 1)
            fits = [
                (y, x) for y in reach for x in reach if np.array_equal(shifted(image, y, x), copy)
            ]
            assert fits
            assert all(low <= abs(v) <= high for v in fits[0])


def test_a_share_above_zero_plants_at_least_one_copy(new, train):
    assert d.memorised_copies(new, train, 0.001, "flip", rng()).truth.sum() == 1
    assert d.memorised_copies(new, train, 0.0, "flip", rng()).truth.sum() == 0
    every = d.memorised_copies(new, train, 1.0, "exact", rng())
    assert every.truth.all()
    assert len({i.tobytes() for i in every.images}) == len(new)


# ----- the table


@pytest.mark.parametrize("defect", d.DEFECTS, ids=lambda x: x.name)
def test_table_of_defects_is_deterministic_and_pure(new, train, defect):
    before = new.images.copy(), train.images.copy()
    low, high = defect.severity_range
    assert 0 < low < high
    assert defect.source
    assert isinstance(defect.target, Characteristic)
    for severity in (low, high):
        first, again = (defect.apply(new, train, severity, rng(5)) for _ in range(2))
        np.testing.assert_array_equal(first.images, again.images)
        assert first.images.dtype == new.images.dtype
        changed = len(first) != len(new) or not np.array_equal(first.images, new.images)
        assert changed
    np.testing.assert_array_equal(new.images, before[0])
    np.testing.assert_array_equal(train.images, before[1])


def test_table_names_are_unique_and_cover_the_disguises():
    names = [x.name for x in (*d.DEFECTS, *FILE_DEFECTS)]
    assert len(set(names)) == len(names)
    assert {f"memorised_copies_{x}" for x in DISGUISES} <= set(names)


# ----- files


@pytest.fixture
def cohort(tmp_path):
    folder = tmp_path / "cohort"
    dicom_maker().write_cohort(folder, n=10, seed=1)
    return folder


def test_remove_tags_takes_the_named_attributes_from_the_share(cohort, tmp_path):
    before = {p.name: p.read_bytes() for p in cohort.iterdir()}
    keywords = ("StudyInstanceUID", "SyntheticData", "PatientBirthName")
    damaged = remove_tags(cohort, tmp_path / "out", 0.3, rng(), keywords=keywords)
    assert len(damaged) == 3
    for name, content in before.items():
        after = tmp_path / "out" / name
        if Path(name) in damaged:
            old, new = pydicom.dcmread(cohort / name), pydicom.dcmread(after)
            assert {e.keyword for e in old} - {e.keyword for e in new} == set(keywords[:2])
            assert all(new[e.tag] == e for e in old if e.keyword not in keywords)
            np.testing.assert_array_equal(new.pixel_array, old.pixel_array)
        else:
            assert after.read_bytes() == content
    assert {p.name: p.read_bytes() for p in cohort.iterdir()} == before


@pytest.mark.parametrize("keep", [0.0, 0.5, 0.9])
def test_truncated_files_are_the_beginning_of_the_whole(cohort, tmp_path, keep):
    damaged = truncate_files(cohort, tmp_path / "out", 0.2, rng(3), keep=keep)
    assert len(damaged) == 2
    for path in cohort.iterdir():
        whole, after = path.read_bytes(), (tmp_path / "out" / path.name).read_bytes()
        cut = int(keep * len(whole)) if Path(path.name) in damaged else len(whole)
        assert after == whole[:cut]
    assert (tmp_path / "out" / "labels.csv").read_bytes() == (cohort / "labels.csv").read_bytes()


@pytest.mark.parametrize("defect", FILE_DEFECTS, ids=lambda x: x.name)
def test_file_defects_choose_by_the_seed(cohort, tmp_path, defect):
    chosen = [
        defect.apply(cohort, tmp_path / str(i), 0.3, rng(seed))
        for i, seed in enumerate((0, 0, 1, 2, 3))
    ]
    assert chosen[0] == chosen[1]
    assert len(set(chosen)) > 1
    for name in chosen[0]:
        first, again = ((tmp_path / i / name).read_bytes() for i in "01")
        assert first == again


# ----- refusals


@pytest.mark.parametrize(
    "call",
    [
        lambda s, t, p: d.blur(s.images, -1),
        lambda s, t, p: d.noise(s.images, float("nan"), rng()),
        lambda s, t, p: d.mode_collapse(s, 0, rng()),
        lambda s, t, p: d.mode_collapse(s, 51, rng()),
        lambda s, t, p: d.drop_class(s, "absent", rng()),
        lambda s, t, p: d.drop_class(d.Sample(s.images[:2], s.classes[:2]), "x", rng()),
        lambda s, t, p: d.drop_class(d.Sample(s.images), "pneumonia", rng()),
        lambda s, t, p: d.memorised_copies(s, t, 1.1, "exact", rng()),
        lambda s, t, p: d.memorised_copies(s, d.Sample(t.images[:, :9]), 0.1, "exact", rng()),
        lambda s, t, p: d.memorised_copies(s, t, 0.1, "none", rng()),
        lambda s, t, p: d.Sample(s.images, s.classes[:3]),
        lambda s, t, p: d.Sample(s.images[0]),
        lambda s, t, p: d.Sample(s.images[:0]),
        lambda s, t, p: remove_tags(p, p / "x", 0.1, rng()),
        lambda s, t, p: remove_tags(p, p.parent / "x", 0.1, rng(), keywords=["NoSuchKeyword"]),
        lambda s, t, p: truncate_files(p, p.parent / "x", 2.0, rng()),
        lambda s, t, p: truncate_files(p, p, 0.1, rng()),
        lambda s, t, p: truncate_file(p / "labels.csv", p / "labels.csv", 0.5),
        lambda s, t, p: truncate_file(p / "labels.csv", p / "x.csv", 1.0),
    ],
)
def test_wrong_arguments_are_refused(new, train, cohort, call):
    before = sorted(cohort.parent.rglob("*"))
    with pytest.raises(UsageError):
        call(new, train, cohort)
    assert sorted(cohort.parent.rglob("*")) == before


def test_folders_without_anything_to_damage_are_refused(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "labels.csv").write_text("item\n", encoding="utf-8")
    for plant in (remove_tags, truncate_files):
        with pytest.raises(InputError):
            plant(tmp_path / "a", tmp_path / "b", 0.5, rng())
        with pytest.raises(InputError):
            plant(tmp_path / "missing", tmp_path / "b", 0.5, rng())


def test_dropping_the_only_class_is_refused(new):
    only = d.Sample(new.images[:3], np.array(["a"] * 3))
    with pytest.raises(UsageError, match="none would be left"):
        d.drop_class(only, "a", rng())
