"""What only images know of fidelity: power spectra, diversity by MS-SSIM, declared pairs."""

import dataclasses

import numpy as np
import pytest
from made_cohorts import blobs, cohort, cohorts
from pictures import write
from scipy import ndimage
from skimage.metrics import structural_similarity

from sdq_core.characteristics.comparison import compare_scalars, shared_scalars
from sdq_core.measurement import Measurement
from sdq_imaging.fidelity import ImagingFidelity
from sdq_imaging.grey import resize
from sdq_imaging.structural_similarity import pairwise_ms_ssim

FIDELITY = ImagingFidelity("imaging")


def one(outputs):
    (found,) = (m for m in outputs if isinstance(m, Measurement))
    return found


def above(found):
    """Whether the value leaves the noise floor."""
    return not found.noise_floor.low <= found.value <= found.noise_floor.high


# --- power spectra ---


def test_the_spectrum_distance_is_the_difference_of_the_mean_log_spectra_in_decibels(tmp_path):
    made = cohorts(tmp_path, blobs())
    found = one(FIDELITY.spectrum(made))
    names = [f"spectrum.band_{k:02d}" for k in range(1, 13)]
    means = [
        np.mean([[c.table.scalar(n)[r] for n in names] for r in range(40)], axis=0)
        for c in (made.holdout, made.synthetic)
    ]
    expected = np.sqrt(np.mean((10 / np.log(10) * (means[0] - means[1])) ** 2))
    assert found.value == pytest.approx(expected)
    assert (found.unit, found.better, found.n) == ("dB", "lower", {"real": 40, "synthetic": 40})
    assert found.interval.low <= found.value <= found.interval.high
    curve = found.details["curve"]
    assert curve["x"] == [round((k + 0.5) / 12, 4) for k in range(12)]
    np.testing.assert_allclose(curve["real"], means[0] * 10 / np.log(10), atol=1e-3)
    assert compare_scalars(made, names, found.method.seed).names == tuple(names)


@pytest.mark.parametrize("seed", range(3))
def test_spectra_of_a_fresh_real_sample_lie_at_the_floor_and_blur_and_stripes_above(tmp_path, seed):
    train, holdout, fresh = blobs(seed=seed)
    assert not above(one(FIDELITY.spectrum(cohorts(tmp_path / "a", [train, holdout, fresh]))))
    blurred = ndimage.gaussian_filter(fresh, (0, 0.7, 0.7))
    assert above(one(FIDELITY.spectrum(cohorts(tmp_path / "b", [train, holdout, blurred]))))
    striped = fresh + (np.arange(48) % 2 * 12).astype(np.uint8)
    assert above(one(FIDELITY.spectrum(cohorts(tmp_path / "c", [train, holdout, striped]))))


def test_no_spectrum_is_a_reason(tmp_path):
    flat = np.full((20, 48, 48), 9, np.uint8)
    found = one(FIDELITY.spectrum(cohorts(tmp_path, [flat, flat, flat])))
    assert found.value is None
    assert "spectrum" in found.reason


# --- diversity ---


def test_diversity_is_the_mean_ms_ssim_of_all_pairs(tmp_path):
    images = blobs((40, 40, 20))
    found = one(FIDELITY.diversity(cohorts(tmp_path, images)))
    grey = np.stack([resize(x.astype(np.float32) / 255, (128, 128)) for x in images[2]])
    i, j = np.triu_indices(20, 1)
    expected = pairwise_ms_ssim(grey, np.column_stack([i, j]), 1.0).mean()
    assert found.value == pytest.approx(expected, abs=1e-5)
    assert found.better == "closer"
    assert found.n == {"synthetic": 20, "real": 80}


@pytest.mark.parametrize("seed", range(2))
def test_a_fresh_real_sample_is_as_diverse_and_collapse_is_not(tmp_path, seed):
    train, holdout, fresh = blobs((30, 30, 24), seed=seed)
    found = one(FIDELITY.diversity(cohorts(tmp_path / "a", [train, holdout, fresh])))
    assert not above(found)
    assert found.interval.low <= found.value <= found.interval.high
    collapsed = np.clip(
        fresh[np.arange(24) % 3].astype(int)
        + np.random.default_rng(0).integers(-2, 3, fresh.shape),
        0,
        255,
    ).astype(np.uint8)
    narrow = one(FIDELITY.diversity(cohorts(tmp_path / "b", [train, holdout, collapsed])))
    assert narrow.value > narrow.noise_floor.high


def test_pairs_inside_a_subject_do_not_count(tmp_path):
    images = blobs((30, 30, 24))
    images[2] = images[2][np.arange(24) // 4]  # six subjects of four equal images
    subjects = [f"s{k // 4}" for k in range(24)]
    known = one(FIDELITY.diversity(cohorts(tmp_path / "a", images, subjects=subjects)))
    unknown = one(FIDELITY.diversity(cohorts(tmp_path / "b", images)))
    i, j = np.triu_indices(24, 1)
    inside = (i // 4 == j // 4).mean()
    # Pairs of equal images have similarity 1.
    assert unknown.value == pytest.approx((1 - inside) * known.value + inside, abs=1e-4)


@pytest.mark.parametrize("subjects", [["one"] * 24, ["one"] * 12 + ["two"] * 12])
def test_too_few_subjects_or_items_are_a_reason_and_no_nan(tmp_path, subjects):
    made = cohorts(tmp_path / "a", blobs((30, 30, 24)), subjects=subjects)
    found = one(FIDELITY.diversity(made))
    assert found.value is None
    assert "subjects" in found.reason
    few = one(FIDELITY.diversity(cohorts(tmp_path / "b", blobs((30, 30, 10)))))
    assert few.value is None
    assert "16" in few.reason


# --- declared pairs ---


def paired(tmp_path, names, images=None):
    images = images or blobs((20, 20, 12))
    made = cohorts(tmp_path, images, attributes={"pair": names})
    return made, ssim_of(made)


def ssim_of(made):
    (found,) = (m for m in FIDELITY.pairs(made) if m.id.endswith(".ssim_paired"))
    return found


def rename(folder, made, role, prefix):
    """Give the items of a real cohort names of their own."""
    for path in sorted((folder / role).glob("*.png")):
        path.rename(path.with_name(prefix + path.name))
    return dataclasses.replace(made, **{role: cohort(folder / role, role)})


def test_declared_pairs_are_compared_by_ssim(tmp_path):
    images = blobs((20, 20, 12))
    names = [f"t-{k + 3:04d}.png" for k in range(12)]
    made, _ = paired(tmp_path, names, images)
    found = ssim_of(rename(tmp_path, made, "train", "t-"))
    expected = []
    for k in range(12):
        a, b = (x.astype(np.float32) / 255 for x in (images[2][k], images[0][k + 3]))
        expected.append(
            structural_similarity(
                a, b, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1.0
            )
        )
    assert found.value == pytest.approx(np.mean(expected), abs=1e-4)
    assert found.n == {"pairs": 12, "patients": 12, "declared": 12}
    assert found.interval.low <= found.value <= found.interval.high


def test_a_name_that_both_real_cohorts_have_must_say_which(tmp_path):
    images = blobs((20, 20, 12))
    images[2] = images[0][:12]  # copies of the training items of the same name
    made, plain = paired(tmp_path, [f"{k:04d}.png" for k in range(12)], images)
    assert plain.value is None, "0000.png is in train and in holdout"
    for role, expected in (("train", True), ("holdout", False)):
        names = np.array([f"{role}:{k:04d}.png" for k in range(12)])
        synthetic = dataclasses.replace(made.synthetic, attributes={"pair": names})
        found = ssim_of(dataclasses.replace(made, synthetic=synthetic))
        assert (found.value == pytest.approx(1, abs=1e-5)) == expected


def test_no_pairs_and_unknown_pairs_are_reasons(tmp_path):
    assert "pair" in ssim_of(cohorts(tmp_path / "a", blobs((9, 9, 9)))).reason
    _, empty = paired(tmp_path / "b", [""] * 12)
    assert "no pairs" in empty.reason
    _, ghost = paired(tmp_path / "c", ["ghost.png"] * 12)
    assert "found 0" in ghost.reason


# --- what is compared ---


def test_only_scalars_of_both_sides_are_compared(tmp_path):
    made = cohorts(tmp_path, blobs((12, 12, 12)))
    rgb = np.random.default_rng(0).integers(0, 255, (12, 48, 48, 3)).astype(np.uint8)
    write(tmp_path / "colour", rgb, labels=False)
    made = dataclasses.replace(made, synthetic=cohort(tmp_path / "colour", "synthetic"))
    names = shared_scalars(made)
    assert "grey.mean" in names
    assert not any(n.startswith("colour.") for n in names)
    assert set(FIDELITY.embedding_facts(made)) == {"radiomic", "random-resnet18"}
