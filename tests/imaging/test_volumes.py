"""Volumes: what slices one after the other show, spectra of three axes, copies of slices, pairs."""

import dataclasses
import itertools

import numpy as np
import pytest
from made_cohorts import blobs, cohort, cohorts
from made_files import nifti
from scipy import ndimage
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from sdq_core.cohort import Cohort, Cohorts
from sdq_core.description import DescriptionTable
from sdq_core.finding import Finding
from sdq_core.measurement import Measurement
from sdq_core.study import Study
from sdq_core.vocabulary import Role
from sdq_imaging.describing import ImagingDescriber
from sdq_imaging.features.volume import BANDS, THROUGH, features
from sdq_imaging.fidelity import ImagingFidelity
from sdq_imaging.privacy import ImagingPrivacy, _of_volumes
from sdq_imaging.reading import list_items
from sdq_imaging.settings import ImagingSettings

FIDELITY = ImagingFidelity("imaging")
DESCRIBER = ImagingDescriber({**ImagingSettings().model_dump(), "embeddings": {}})


def smooth(shape=(20, 24, 28), seed=0, width=2.0):
    found = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), width)
    return ((found - found.min()) / np.ptp(found)).astype(np.float32)


# --- features ---


def test_spectra_of_three_axes_against_a_plain_transform():
    x = smooth()
    found = features(x, None)
    window = np.ones(())
    for n in x.shape:
        window = np.expand_dims(window, -1) * np.hanning(n + 2)[1:-1]
    power = np.abs(np.fft.fftn((x - x.mean(dtype=np.float64)) * window)) ** 2 / (window**2).sum()
    frequency = np.stack(np.meshgrid(*(np.fft.fftfreq(n) for n in x.shape), indexing="ij"))
    radius = np.sqrt((frequency**2).sum(axis=0))
    shell = np.minimum((radius / 0.5 * BANDS).astype(int), BANDS - 1)
    through = np.minimum((np.abs(frequency[0]) / 0.5 * THROUGH).astype(int), THROUGH - 1)
    for k in range(BANDS):
        assert found[f"volume.band_{k + 1:02d}"] == pytest.approx(
            np.log(power[shell == k].mean()), abs=1e-3
        )
    for k in range(THROUGH):
        expected = np.log(power[through == k].mean())
        assert found[f"volume.through_{k + 1:02d}"] == pytest.approx(expected, abs=1e-3)


def test_neighbours_and_slopes():
    x = smooth()
    found = features(x, None)
    pairs = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in itertools.pairwise(x)]
    assert found["volume.neighbour_correlation"] == pytest.approx(np.mean(pairs), abs=1e-5)
    assert found["volume.neighbour_lowest"] == pytest.approx(np.min(pairs), abs=1e-5)
    # Twice as far apart: half as steep.
    assert found["volume.through_slope"] - features(x, (2.0, 1.0, 1.0))[
        "volume.through_slope"
    ] == pytest.approx(np.log(2), abs=1e-6)
    assert abs(found["volume.through_slope"]) < 0.3, "the same in all directions"


def test_slices_made_one_by_one_give_themselves_away():
    x = smooth()
    apart = np.stack([smooth((1, 24, 28), 50 + k)[0] for k in range(20)])
    one, two = features(x, None), features(apart, None)
    assert two["volume.neighbour_correlation"] < one["volume.neighbour_correlation"] - 0.5
    assert two["volume.through_06"] > one["volume.through_06"] + 2


@pytest.mark.parametrize("shape", [(30, 30), (5, 30, 30), (20, 3, 30)])
def test_what_is_no_volume_has_no_such_features(shape):
    assert features(np.random.default_rng(0).random(shape, np.float32), None) == {}
    assert features(np.ones((9, 9, 9), np.float32), None) == {}


# --- cohorts of volumes ---


def volume_cohort(folder, role, volumes, *, subjects=None, **attributes):
    (folder / role).mkdir(parents=True)
    for k, values in enumerate(volumes):
        nifti(folder / role / f"{k:03d}.nii", values)
    items = list_items(folder / role).items
    return Cohort(
        Role(role),
        DescriptionTable(items, [DESCRIBER(i) for i in items], role),
        np.array(subjects or [f"{role}-{k}" for k in range(len(items))]),
        None,
        {k: np.asarray(v, dtype=np.str_) for k, v in attributes.items()},
    )


def study(**settings):
    paths = {r: {"path": r} for r in ("train", "holdout", "synthetic")}
    return Study(modality="imaging", cohorts=paths, settings=settings)


def phantom(seed, shape=(16, 28, 28)):
    rng = np.random.default_rng(seed)
    z, y, x = np.indices(shape) / np.reshape(shape, (3, 1, 1, 1))
    found = 0.05 * ndimage.gaussian_filter(rng.normal(size=shape), 1) / 0.2
    for _ in range(6):
        place, size = rng.uniform(0.2, 0.8, 3), rng.uniform(0.05, 0.2)
        away = (z - place[0]) ** 2 + (y - place[1]) ** 2 + (x - place[2]) ** 2
        found += rng.uniform(0.3, 1) * np.exp(-away / (2 * size**2))
    return (100 * found).astype(np.float32)


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    folder = tmp_path_factory.mktemp("volumes")
    return [
        volume_cohort(folder, role, [phantom(100 * k + j) for j in range(20)])
        for k, role in enumerate(("train", "holdout"))
    ]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    return volume_cohort(
        tmp_path_factory.mktemp("fresh"), "synthetic", [phantom(500 + k) for k in range(20)]
    )


def spectra(real, synthetic):
    outputs = FIDELITY.spectrum(Cohorts(study(), real[0], synthetic, real[1]))
    return {m.variant: m for m in outputs if isinstance(m, Measurement)}


def test_another_sample_of_volumes_lies_at_the_floor(real, fresh):
    found = spectra(real, fresh)
    assert set(found) == {None, "volume", "through-plane"}
    for m in found.values():
        assert m.value <= 1.5 * m.noise_floor.high
        assert m.unit == "dB"


def test_noise_from_slice_to_slice_shows_across_slices(real, tmp_path):
    rng = np.random.default_rng(1)
    jumping = [phantom(500 + k) + 12 * rng.normal(size=(16, 1, 1)) for k in range(20)]
    found = spectra(real, volume_cohort(tmp_path, "synthetic", np.float32(jumping)))
    across = found["through-plane"]
    assert across.value > 2 * across.noise_floor.high
    inside = found[None]
    assert inside.value < 2 * inside.noise_floor.high, "slices by themselves are as before"


def test_images_have_no_such_variants(tmp_path):
    found = FIDELITY.spectrum(cohorts(tmp_path, blobs((12, 12, 12))))
    assert [m.variant for m in found] == [None]


# --- copies of slices ---


def first(cohort, n=12):
    rows = np.arange(n)
    return dataclasses.replace(
        cohort, table=cohort.table.take(rows), subjects=cohort.subjects[rows]
    )


def copies(real, synthetic):
    # Few volumes: the search among whole ones then costs nothing, as it needs 20.
    made = Cohorts(study(), first(real[0]), first(synthetic), first(real[1]))
    outputs = list(ImagingPrivacy("imaging").copies(made))
    return {m.variant: m for m in outputs if isinstance(m, Measurement)}, [
        f for f in outputs if isinstance(f, Finding)
    ]


def test_slices_of_training_volumes_are_found_in_new_volumes(real, fresh, tmp_path):
    volumes = []
    for k in range(12):
        values = phantom(500 + k)
        if k < 5:  # the middle of a training volume, the rest new
            values[4:12] = phantom(k)[4:12] * 0.9 + 3
        volumes.append(values)
    planted = volume_cohort(tmp_path, "synthetic", volumes)
    found, findings = copies(real, planted)
    assert found["slices"].value > 0.2
    named = {f.item for f in findings}
    assert named
    assert named <= {f"{k:03d}.nii" for k in range(5)}
    clean, _ = copies(real, fresh)
    assert clean["slices"].value < 0.05
    # 12 volumes without a copy do not bound the share better than 12 items do.
    assert clean["slices"].interval.high >= 1 - 0.025 ** (1 / 12)
    assert clean["slices"].n["synthetic_volumes"] == 12


def test_a_reason_stays_a_reason():
    reason = Measurement("imaging.privacy.memorised_share", reason="x", variant="slices")
    assert _of_volumes(reason, (np.zeros((0, 64, 64)), np.zeros(0, int), np.zeros(0))) is reason


# --- pairs ---


def pairs(folder, real_volumes, synthetic_volumes, *, subjects=None, names=None, **settings):
    train = volume_cohort(folder, "train", real_volumes, subjects=subjects)
    names = names or [f"{k:03d}.nii" for k in range(len(synthetic_volumes))]
    synthetic = volume_cohort(folder, "synthetic", synthetic_volumes, pair=names)
    outputs = list(FIDELITY.pairs(Cohorts(study(**settings), train, synthetic)))
    found = {m.key.rpartition(".")[2]: m for m in outputs if isinstance(m, Measurement)}
    return found, [f for f in outputs if isinstance(f, Finding)]


def test_pairs_of_volumes_against_scikit_image(tmp_path):
    real = [phantom(k) for k in range(4)]
    made = [x + np.float32(2) * np.random.default_rng(9).normal(size=x.shape).astype(np.float32)
            for x in real]  # fmt: skip
    found, problems = pairs(tmp_path, real, made)
    assert problems == []
    # One range for all: the lowest and highest of the percentiles of the real volumes.
    spans = [np.percentile(x, (0.5, 99.5)) for x in real]
    low, high = min(s[0] for s in spans), max(s[1] for s in spans)
    mae = np.mean([np.abs(a - b).mean(dtype=float) for a, b in zip(real, made, strict=True)])
    psnr = np.mean(
        [
            peak_signal_noise_ratio(b.astype(float), a.astype(float), data_range=high - low)
            for a, b in zip(real, made, strict=True)
        ]
    )
    similar = []
    for a, b in zip(real, made, strict=True):
        one, two = (np.clip((x - low) / (high - low), 0, 1) for x in (a, b))
        similar.append(
            np.mean([
                structural_similarity(p, q, gaussian_weights=True, sigma=1.5,
                                      use_sample_covariance=False, data_range=1.0)
                for p, q in zip(one, two, strict=True)
            ])
        )  # fmt: skip
    assert found["mae_paired"].value == pytest.approx(mae, rel=1e-5)
    assert found["psnr_paired"].value == pytest.approx(psnr, rel=1e-5)
    assert found["ssim_paired"].value == pytest.approx(np.mean(similar), abs=1e-3)
    assert found["mae_paired"].unit == "grey values"
    assert 0 < found["ms_ssim_paired"].value <= 1
    for m in found.values():
        assert m.interval.low <= m.value <= m.interval.high
        assert m.n == {"pairs": 4, "patients": 4, "declared": 4}


def test_a_patient_with_many_pairs_counts_once(tmp_path):
    real = [np.float32(10) * smooth(seed=k) for k in range(4)]
    made = [real[0] + 1, real[1] + 1, real[2] + 1, real[3] + 5]
    found, _ = pairs(tmp_path, real, made, subjects=["a", "a", "a", "b"])
    assert found["mae_paired"].value == pytest.approx((1 + 5) / 2, rel=1e-4)
    assert found["mae_paired"].n["patients"] == 2


def test_masks_of_the_real_image_limit_the_error(tmp_path):
    real = [np.float32(50) * smooth(seed=k) for k in range(3)]
    inside = np.zeros(real[0].shape, np.uint8)
    inside[5:15, 6:20, 6:20] = 1
    made = [x + 4 * (inside == 1) + 1 for x in real]
    (tmp_path / "masks/train").mkdir(parents=True)
    for k in range(3):
        nifti(tmp_path / f"masks/train/{k:03d}.nii", inside)
    found, _ = pairs(tmp_path, real, made, masks=str(tmp_path / "masks"))
    assert found["mae_paired[mask]"].value == pytest.approx(5, rel=1e-4)
    share = inside.mean()
    assert found["mae_paired"].value == pytest.approx(1 + 4 * share, rel=1e-4)
    assert found["ssim_paired[mask]"].value < 1
    assert found["psnr_paired[mask]"].value < found["psnr_paired"].value


def test_perfect_pairs_are_finite_and_other_grids_are_told(tmp_path):
    real = [phantom(k) for k in range(3)]
    found, problems = pairs(tmp_path, real, [real[0], real[1], real[2][:-1]])
    assert found["mae_paired"].value == 0
    assert 90 < found["psnr_paired"].value < 130
    assert found["ssim_paired"].value == pytest.approx(1)
    assert [(f.rule, f.item) for f in problems] == [("imaging.semantics.pair", "002.nii")]


def test_pictures_of_another_size_are_stretched_and_that_is_said(tmp_path):
    images = blobs((20, 20, 12))
    images[2] = images[0][:12, ::2, ::2]
    names = [f"train:{k:04d}.png" for k in range(12)]
    made = cohorts(tmp_path, images, attributes={"pair": names})
    found = {m.key.rpartition(".")[2]: m for m in FIDELITY.pairs(made)}
    assert found["ssim_paired"].method.parameters["stretched_pairs"] == 12
    same = dataclasses.replace(
        made, synthetic=cohort(tmp_path / "train", "synthetic",
                               attributes={"pair": [f"train:{k:04d}.png" for k in range(20)]})
    )  # fmt: skip
    exact = {m.key.rpartition(".")[2]: m for m in FIDELITY.pairs(same)}
    assert exact["ssim_paired"].value == pytest.approx(1)
    assert exact["ssim_paired"].value > found["ssim_paired"].value
