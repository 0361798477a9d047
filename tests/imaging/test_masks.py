"""Masks: found beside their image, put onto its voxels, judged with it, and compared as data."""

import numpy as np
import pytest
from made_files import dicom, nifti, pixels, series
from PIL import Image as Picture
from scipy import ndimage

from sdq_core.cohort import Cohort, Cohorts
from sdq_core.description import DescriptionTable, Item
from sdq_core.errors import StudyError
from sdq_core.measurement import Measurement
from sdq_core.study import Study
from sdq_core.vocabulary import Role
from sdq_imaging import region_fidelity
from sdq_imaging.describing import ImagingDescriber
from sdq_imaging.features.regions import region_features
from sdq_imaging.grid import onto
from sdq_imaging.masks import mask_files, read_mask
from sdq_imaging.modality import Imaging
from sdq_imaging.reading import list_items, read_image
from sdq_imaging.settings import ImagingSettings

LIMIT = {"max_pixels": 10**7}
LPS = np.diag([-0.8, -0.5, 2.5, 1.0])
VOLUME = pixels((8, 12, 14)).astype(np.float32)


def picture(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    Picture.fromarray(values).save(path)
    return path


def described(item, masks, **settings):
    options = ImagingSettings.of({"masks": str(masks), "embeddings": ["radiomic"], **settings})
    return ImagingDescriber.of(options)(item)


def rules(found):
    return {f.rule.removeprefix("imaging.") for f in found.findings}


# --- where masks are ---


def test_a_folder_named_like_the_cohort_comes_first(tmp_path):
    path = picture(tmp_path / "train/sub/1.png", pixels())
    item = Item("sub/1.png", (path,))
    for role in ("train", "synthetic"):
        picture(tmp_path / f"masks/{role}/sub/1.png", pixels())
    assert mask_files(item, tmp_path / "masks") == (tmp_path / "masks/train/sub/1.png",)
    other = Item("sub/1.png", (picture(tmp_path / "holdout/sub/1.png", pixels()),))
    assert mask_files(other, tmp_path / "masks") == ()


@pytest.mark.parametrize(
    ("image", "mask"), [("1.jpg", "1.png"), ("1.dcm", "1.nii.gz"), ("1.nii.gz", "1.nii")]
)
def test_a_mask_may_be_a_file_of_another_kind(tmp_path, image, mask):
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / mask).write_bytes(b"x")
    assert mask_files(Item(image, (tmp_path / "c" / image,)), tmp_path / "masks") == (
        tmp_path / "masks" / mask,
    )


@pytest.mark.parametrize("where", ["", "patient/"])
@pytest.mark.parametrize("kind", ["nifti by its id", "nifti", "series"])
def test_masks_of_dicom_series(tmp_path, where, kind):
    stored = VOLUME.astype(np.uint16)
    series(tmp_path / "c" / where, stored, step=2.5, start=0.0)
    (item,) = list_items(tmp_path / "c").items
    assert "series-" in item.id
    masks, labels = tmp_path / "masks", (stored > 120).astype(np.uint8)
    masks.mkdir()
    # DICOM: first voxel at (0, 0, 0), columns to the left, rows to posterior.
    if kind == "nifti by its id":
        nifti(masks / f"{item.id}.nii.gz", labels, LPS)
    elif kind == "nifti":
        name = where.strip("/") or item.id
        nifti(masks / f"{name}.nii.gz", labels, LPS)
    else:
        series(masks / (where or item.id), labels, step=2.5, start=0.0, uid="9.9")
    found, problems = read_mask(item, read_image(item), masks, **LIMIT)
    assert problems == ()
    np.testing.assert_array_equal(found, labels)


def test_a_mask_of_a_coronal_series_is_turned_to_its_slices(tmp_path):
    stored = VOLUME.astype(np.uint16)
    (tmp_path / "c").mkdir()
    for k, plane in enumerate(stored):
        dicom(
            tmp_path / f"c/{k}.dcm",
            plane,
            ImageOrientationPatient=[1, 0, 0, 0, 0, -1],
            ImagePositionPatient=[4, 2.5 * k - 7, 9],
            PixelSpacing=[0.5, 0.8],
        )
    (item,) = list_items(tmp_path / "c").items
    labels = (stored > 120).astype(np.uint8)
    affine = np.eye(4)  # columns to the left, rows down, slices to posterior
    affine[:3, :3] = [[-0.8, 0, 0], [0, 0, -2.5], [0, -0.5, 0]]
    affine[:3, 3] = (-4, 7, 9)
    (tmp_path / "masks").mkdir()
    nifti(tmp_path / f"masks/{item.id}.nii.gz", labels, affine)
    found, problems = read_mask(item, read_image(item), tmp_path / "masks", **LIMIT)
    assert problems == ()
    np.testing.assert_array_equal(found, labels)


# --- geometry ---


def test_a_mask_is_turned_to_the_axes_of_its_image():
    grid = LPS.copy()
    grid[:3, 3] = (5, -3, 7)
    rng = np.random.default_rng(0)
    for _ in range(20):
        axes, flips = rng.permutation(3), rng.integers(0, 2, 3).astype(bool)
        # Stored index -> truth's index: axes exchanged, some reversed.
        between = np.zeros((4, 4))
        sizes = np.array(VOLUME.shape[::-1])
        for own, other in enumerate(axes):
            between[other, own] = -1 if flips[own] else 1
            between[other, 3] = sizes[other] - 1 if flips[own] else 0
        between[3, 3] = 1
        stored = np.transpose(VOLUME.T, axes)
        stored = np.flip(stored, tuple(np.flatnonzero(flips).tolist())).T
        np.testing.assert_array_equal(onto(stored, grid @ between, grid, VOLUME.shape), VOLUME)


@pytest.mark.parametrize("change", ["moved", "scaled", "turned"])
def test_a_mask_that_lies_elsewhere_is_refused(tmp_path, change):
    affine = LPS.copy()
    if change == "moved":
        affine[0, 3] += 2
    elif change == "scaled":
        affine[:3, :3] *= 1.2
    else:
        turn = np.eye(4)
        angle = np.deg2rad(20)
        turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        affine = turn @ affine
    (tmp_path / "masks").mkdir()
    path = nifti(tmp_path / "1.nii.gz", VOLUME, LPS)
    item = Item("1.nii.gz", (path,))
    nifti(tmp_path / "masks/1.nii.gz", (VOLUME > 120).astype(np.uint8), affine)
    found, problems = read_mask(item, read_image(item), tmp_path / "masks", **LIMIT)
    assert found is None
    assert [f.rule for f in problems] == ["imaging.structure.mask_geometry"]
    nifti(tmp_path / "masks/1.nii.gz", (VOLUME > 120).astype(np.uint8), LPS)
    assert read_mask(item, read_image(item), tmp_path / "masks", **LIMIT)[1] == ()


@pytest.mark.parametrize("values", [VOLUME / 999, VOLUME - 1, VOLUME + 300])
def test_what_are_no_labels_is_refused(tmp_path, values):
    (tmp_path / "masks").mkdir()
    item = Item("1.nii.gz", (nifti(tmp_path / "1.nii.gz", VOLUME, LPS),))
    nifti(tmp_path / "masks/1.nii.gz", values.astype(np.float32), LPS)
    found, problems = read_mask(item, read_image(item), tmp_path / "masks", **LIMIT)
    assert found is None
    assert [f.rule for f in problems] == ["imaging.structure.mask_values"]


# --- labels, sizes, and what they mark ---


def one_region(tmp_path, *, label=1, mark=(slice(6, 14), slice(5, 12)), grey=None, **settings):
    image = pixels((24, 20)) if grey is None else grey
    path = picture(tmp_path / "c/1.png", image)
    mask = np.zeros(image.shape, np.uint8)
    mask[mark] = label
    picture(tmp_path / "masks/1.png", mask)
    return described(Item("1.png", (path,)), tmp_path / "masks", **settings)


def test_declared_labels_and_plausible_sizes(tmp_path):
    declared = {"regions": {1: {"name": "lesion", "size": [10, 100]}}}
    assert not rules(one_region(tmp_path, **declared))
    assert rules(one_region(tmp_path, label=2, **declared)) == {"semantics.mask_label"}
    small = {"regions": {1: {"size": [10, 55]}}}
    assert rules(one_region(tmp_path, **small)) == {"semantics.region_size"}
    assert not rules(one_region(tmp_path, label=2)), "nothing is declared"
    assert rules(one_region(tmp_path, mark=(slice(0, 0), slice(0, 0)))) == {"structure.mask_empty"}


def test_a_mask_on_nothing_is_found_and_a_flat_bright_lesion_is_not(tmp_path):
    grey = pixels((24, 20))
    grey[2:18, 1:16] = 0
    assert rules(one_region(tmp_path, grey=grey)) == {"semantics.mask_on_nothing"}
    grey[6:14, 5:12] = 200
    assert not rules(one_region(tmp_path, grey=grey))


@pytest.mark.parametrize(
    "regions", [{0: {}}, {1: {"size": [5, 2]}}, {1: {"sise": [1, 2]}}, {300: {}}]
)
def test_wrong_declarations_of_regions(regions):
    with pytest.raises(StudyError, match=r"settings\.regions"):
        ImagingSettings.of({"regions": regions})


def test_a_changed_mask_changes_the_digest(tmp_path):
    picture(tmp_path / "c/1.png", pixels())
    picture(tmp_path / "c/2.png", pixels(seed=1))
    settings = {"masks": str(tmp_path / "masks")}
    plain = Imaging().items(tmp_path / "c", {}).items
    assert [i.digest for i in Imaging().items(tmp_path / "c", settings).items] == [
        i.digest for i in plain
    ]
    picture(tmp_path / "masks/1.png", pixels(seed=2))
    first = Imaging().items(tmp_path / "c", settings).items
    assert first[0].digest != plain[0].digest
    assert first[1].digest == plain[1].digest
    picture(tmp_path / "masks/1.png", pixels(seed=3))
    assert Imaging().items(tmp_path / "c", settings).items[0].digest != first[0].digest


# --- features of regions ---


def ball(side=24, radius=6, centre=None):
    grid = np.indices((side, side)) - np.reshape(centre or (side / 2, side / 2), (2, 1, 1))
    return (grid**2).sum(axis=0) <= radius**2


def test_shape_features_against_closed_forms():
    flat = np.zeros((30, 40), np.float32)
    square = np.zeros((30, 40), np.uint8)
    square[5:15, 8:28] = 1
    found = region_features(flat, square, (0.5, 2.0))
    assert found["1.size"] == pytest.approx(10 * 20 * 1.0)
    assert found["1.roughness"] == pytest.approx(2 * (5 + 40) / (2 * np.sqrt(np.pi * 200)))
    axes = np.array([10 * 0.5, 20 * 2.0])
    assert found["1.elongation"] == pytest.approx(axes[1] / axes[0], rel=0.01)
    assert found["1.centre_0"] == pytest.approx(10 / 30)
    cube = np.zeros((9, 9, 9), np.uint8)
    cube[2:6, 2:6, 2:6] = 1
    found = region_features(np.zeros((9, 9, 9), np.float32), cube, None)
    assert found["1.roughness"] == pytest.approx(6 * 16 / (36 * np.pi * 64**2) ** (1 / 3))
    assert found["1.elongation"] == pytest.approx(1)


def test_pieces_and_contrast_to_what_is_near():
    mask = np.zeros((40, 40), np.uint8)
    mask[5:9, 5:9] = mask[9:12, 9:12] = 1  # corners touch
    mask[30:33, 30:33] = 1
    grey = np.full((40, 40), 0.2, np.float32)
    grey[mask == 1] = 0.7
    grey[18:24] = 1.0  # far away
    found = region_features(grey, mask, None)
    assert found["labels"] == 1
    assert found["1.pieces"] == 2
    assert found["1.contrast_near"] == pytest.approx(0.5, abs=0.02)
    assert found["1.contrast"] < 0.45


def test_a_mask_that_follows_edges_scores_higher_than_a_shifted_one():
    inside = ball()
    grey = ndimage.gaussian_filter(inside * 0.6, 1.0).astype(np.float32)
    fits = region_features(grey, inside.astype(np.uint8), None)["1.edge"]
    shifted = region_features(grey, np.roll(inside, 4, axis=1).astype(np.uint8), None)["1.edge"]
    assert fits > 0.5
    assert shifted < fits - 0.5


# --- masks as data ---


def cohort(folder, role, n, seed, *, draw):
    rng = np.random.default_rng(seed)
    items = []
    for k in range(n):
        grey, mask = draw(rng)
        path = picture(folder / role / f"{k}.png", grey)
        picture(folder / "masks" / role / f"{k}.png", mask)
        items.append(Item(f"{k}.png", (path,), digest=f"{seed:02d}{k:04d}"))
    describer = ImagingDescriber(
        {**ImagingSettings().model_dump(), "embeddings": {}}, masks=folder / "masks"
    )
    table = DescriptionTable(items, [describer(i) for i in items], role)
    return Cohort(Role(role), table, np.array([f"{role}-{k}" for k in range(n)]))


def lesions(rng, *, number=None, shift=0, radius=(3, 6), size=40):
    """Draw bright discs on a soft ground, and their mask."""
    number = int(rng.integers(0, 3)) if number is None else number
    inside = np.zeros((size, size), bool)
    for k in range(number):
        # One a quarter, so that none touch.
        centre = np.array([10, 10]) + 20 * np.array([k % 2, k // 2]) + rng.uniform(-2, 2, 2)
        inside |= ball(size, rng.uniform(*radius), tuple(centre))
    ground = ndimage.gaussian_filter(rng.normal(size=(size, size)), 3)
    grey = 0.3 + 0.1 * ground / ground.std() + ndimage.gaussian_filter(0.4 * inside, 0.8)
    mask = np.roll(inside, shift, axis=1)
    return (np.clip(grey, 0, 1) * 255).astype(np.uint8), mask.astype(np.uint8)


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    folder = tmp_path_factory.mktemp("real")
    return [
        cohort(folder, role, 60, k, draw=lesions) for k, role in enumerate(("train", "holdout"))
    ]


def compared(real, tmp_path, **law):
    synthetic = cohort(tmp_path, "synthetic", 60, 9, draw=lambda rng: lesions(rng, **law))
    paths = {r: {"path": r} for r in ("train", "holdout", "synthetic")}
    study = Study(modality="imaging", cohorts=paths, settings={"regions": {1: {"name": "lesion"}}})
    cohorts = Cohorts(study, real[0], synthetic, real[1])
    found = {}
    for name, measure in (
        ("mmd", region_fidelity.regions),
        ("count", region_fidelity.counts),
        ("agreement", region_fidelity.agreement),
    ):
        (found[name],) = measure(f"imaging.fidelity.{name}", cohorts)
    return found


def beyond(found):
    """Whether a value lies on the bad side of twice its noise floor."""
    floor = found.noise_floor
    if found.better == "lower":
        return found.value > floor.centre + 2 * (floor.high - floor.centre)
    return found.value < floor.centre - 2 * (floor.centre - floor.low)


def test_another_sample_of_masks_lies_at_the_floor(real, tmp_path):
    found = compared(real, tmp_path)
    assert not any(beyond(m) for m in found.values())
    assert {m.variant for m in found.values()} == {"lesion"}
    for m in found.values():
        assert m.interval.low <= m.value <= m.interval.high
    assert "pieces" in {row[0] for row in found["mmd"].details["table"]["rows"]}


@pytest.mark.parametrize(
    ("law", "seen"),
    [
        ({"number": 4}, {"count"}),
        ({"shift": 5}, {"agreement", "mmd"}),
        ({"radius": (5, 8)}, {"mmd"}),
    ],
)
def test_planted_faults_of_masks_are_seen(real, tmp_path, law, seen):
    found = compared(real, tmp_path, **law)
    assert seen <= {name for name, m in found.items() if beyond(m)}


def test_a_constant_number_in_real_data_does_not_hide_another(tmp_path):
    folder = tmp_path / "real"
    one = [
        cohort(folder, role, 24, k, draw=lambda rng: lesions(rng, number=1))
        for k, role in enumerate(("train", "holdout"))
    ]
    synthetic = cohort(tmp_path / "b", "synthetic", 24, 5, draw=lambda rng: lesions(rng, number=2))
    paths = {r: {"path": r} for r in ("train", "holdout", "synthetic")}
    cohorts = Cohorts(Study(modality="imaging", cohorts=paths), one[0], synthetic, one[1])
    (found,) = region_fidelity.counts("imaging.fidelity.region_count_distance", cohorts)
    assert found.value == pytest.approx(1)
    assert found.noise_floor.high == pytest.approx(0)


def test_without_masks_nothing_is_asked(tmp_path):
    from made_cohorts import blobs, cohorts

    made = cohorts(tmp_path, blobs((5, 5, 5)))
    for measure in (region_fidelity.regions, region_fidelity.counts, region_fidelity.agreement):
        (found,) = measure("imaging.fidelity.region_mmd", made)
        assert isinstance(found, Measurement)
        assert not found.applicable
        assert "masks" in found.reason
