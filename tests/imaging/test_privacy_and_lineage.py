"""Privacy, metadata and explainability of images: what only files and pictures tell."""

import dataclasses
import importlib.util
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from made_cohorts import DESCRIBER, blobs, cohort, cohorts
from made_files import nifti, pixels
from pictures import write
from PIL import Image as Picture
from PIL.PngImagePlugin import PngInfo

from sdq_core.characteristics.explainability import Explainability
from sdq_core.errors import UsageError
from sdq_core.finding import Finding
from sdq_core.measurement import Measurement
from sdq_core.statistics import nearest_reference
from sdq_imaging.copies import REGISTRATION
from sdq_imaging.formats import dicom as dicom_format
from sdq_imaging.metadata import ImagingMetadata
from sdq_imaging.privacy import ImagingPrivacy
from sdq_imaging.reading import list_items, read_image

nearest_is_train = partial(nearest_reference.nearest_is_train, search=REGISTRATION)
PRIVACY = ImagingPrivacy("imaging")
MAKER = Path(__file__).parents[2] / "fixtures" / "dicom" / "make_dicom.py"


def by_id(outputs):
    return {m.id.rpartition(".")[2]: m for m in outputs if isinstance(m, Measurement)}


@pytest.fixture(scope="module")
def make_dicom():
    spec = importlib.util.spec_from_file_location("make_dicom_for_lineage", MAKER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def replaced(made, folder, role="synthetic", **options):
    return dataclasses.replace(made, **{role: cohort(folder / role, role, **options)})


# --- privacy ---


def test_identifiers_in_file_names_and_in_texts_are_counted_once_an_item(tmp_path):
    made = cohorts(tmp_path, blobs((20, 20, 20)))
    clean = by_id(PRIVACY.identifiers(made))["identifier_share"]
    assert clean.value == 0
    folder = tmp_path / "synthetic"
    (folder / "0000.png").rename(folder / "13812345678.png")
    (folder / "0001.png").rename(folder / "jane.doe@example.org.png")
    for name in ("0002.png", "13812345678.png"):
        info = PngInfo()
        info.add_text("Description", "mobile 13912345678")
        Picture.fromarray(pixels((48, 48))).save(folder / name, pnginfo=info)
    outputs = list(PRIVACY.identifiers(replaced(made, tmp_path)))
    found = by_id(outputs)["identifier_share"]
    assert found.value == pytest.approx(3 / 20)
    findings = [f for f in outputs if isinstance(f, Finding)]
    assert {f.item for f in findings} == {"13812345678.png", "jane.doe@example.org.png"}
    assert not any("13812345678" in f.message + f.message_zh for f in findings)


def test_a_copied_file_and_its_pixels_in_another_container_are_copies(tmp_path):
    made = cohorts(tmp_path, blobs((30, 30, 30)))
    assert by_id(PRIVACY.exact_copies(made))["exact_copy_share"].value == 0
    for k in range(3):
        shutil.copy(tmp_path / f"train/000{k}.png", tmp_path / f"synthetic/000{k}.png")
    for k in (3, 4):
        with Picture.open(tmp_path / f"train/000{k}.png") as picture:
            picture.save(tmp_path / f"synthetic/000{k}.png", compress_level=1)
    found = by_id(PRIVACY.exact_copies(replaced(made, tmp_path)))["exact_copy_share"]
    assert found.value == pytest.approx(5 / 30)


def test_copies_are_seen_by_every_attack_and_a_fresh_sample_by_none(tmp_path):
    train, holdout, fresh = blobs((60, 60, 60))
    made = cohorts(tmp_path / "a", [train, holdout, fresh])
    clean = by_id([*PRIVACY.memorised(made), *PRIVACY.attack(made), *PRIVACY.nearest(made)])
    assert clean["memorised_share"].interval.low == 0
    assert clean["membership_auc"].interval.low < 0.55
    low, high = (getattr(clean["nearest_is_train_share"].noise_floor, k) for k in ("low", "high"))
    assert low <= clean["nearest_is_train_share"].value <= high
    leaked = fresh.copy()
    leaked[:30] = np.roll(train[:30, :, ::-1], 3, axis=1)
    made = cohorts(tmp_path / "b", [train, holdout, leaked])
    outputs = [*PRIVACY.memorised(made), *PRIVACY.attack(made), *PRIVACY.nearest(made)]
    found = by_id(outputs)
    assert found["memorised_share"].value == pytest.approx(0.5, abs=0.1)
    # Half of the members were copied, so that 0.75 is the most.
    assert found["membership_auc"].value > 0.65
    assert found["membership_auc"].interval.low > 0.5
    assert found["nearest_is_train_share"].value > clean["nearest_is_train_share"].value
    named = {f.item for f in outputs if isinstance(f, Finding)}
    assert len(named & {f"{k:04d}.png" for k in range(30)}) >= 27


def test_volumes_among_images_cannot_be_matched(tmp_path):
    made = cohorts(tmp_path, blobs((20, 20, 20)))
    shutil.rmtree(tmp_path / "synthetic")
    (tmp_path / "synthetic").mkdir()
    for k in range(20):
        values = pixels((4, 12, 12), seed=k).astype(np.float32)
        nifti(tmp_path / f"synthetic/{k}.nii", values)
    found = by_id(PRIVACY.attack(replaced(made, tmp_path)))
    assert found["membership_auc"].value is None
    assert "mix images and volumes" in found["membership_auc"].reason


# --- nearest reference ---


def signatures(n, seed):
    return np.random.default_rng(seed).standard_normal((n, 24, 24))


def test_nearest_is_train_is_one_for_copies_none_for_the_holdout_and_half_by_chance():
    train, holdout = signatures(40, 1), signatures(40, 2)
    assert nearest_is_train(train[:30], train, holdout).share == 1
    assert nearest_is_train(holdout[:30], train, holdout).share == 0
    fresh = nearest_is_train(signatures(60, 3), train, holdout)
    assert fresh.null.low <= fresh.share <= fresh.null.high
    assert 0.3 < fresh.share < 0.7
    assert fresh.p_value > 0.05
    copied = nearest_is_train(train[:30], train, holdout)
    assert copied.p_value < 0.01
    assert copied.size == 40


def test_nearest_is_train_has_mirror_symmetry_and_no_bias_by_size():
    train, holdout, fresh = signatures(30, 1), signatures(30, 2), signatures(40, 3)
    one, two = (nearest_is_train(fresh, a, b) for a, b in ((train, holdout), (holdout, train)))
    assert one.share == pytest.approx(1 - two.share)
    assert nearest_is_train(fresh, train, holdout) is not one
    assert nearest_is_train(fresh, train, holdout).share == one.share
    unequal = nearest_is_train(fresh, signatures(120, 5), holdout)
    assert unequal.size == 30
    assert unequal.null.low <= unequal.share <= unequal.null.high
    with pytest.raises(UsageError, match="both or neither"):
        nearest_is_train(fresh, train, holdout, train_subjects=np.arange(30))


def test_an_item_that_is_in_both_real_sets_counts_for_either():
    shares = []
    for seed in range(4):
        train, holdout, both = (signatures(n, 10 * seed + k) for k, n in enumerate((40, 40, 30)))
        train, holdout = np.concatenate([train, both]), np.concatenate([holdout, both])
        shares.append(nearest_is_train(both, train, holdout, repeats=20, seed=seed).share)
    assert 0.35 < np.mean(shares) < 0.65  # 120 coins: four standard errors


def test_several_items_of_a_subject_change_nothing_for_its_copies():
    train, holdout = signatures(60, 1), signatures(60, 2)
    subjects = {"train_subjects": np.arange(60) // 3, "holdout_subjects": 100 + np.arange(60) // 3}
    assert nearest_is_train(train[:30], train, holdout, **subjects).share == 1
    fresh = nearest_is_train(signatures(60, 4), train, holdout, **subjects)
    assert fresh.null.low <= fresh.share <= fresh.null.high


# --- metadata ---


def declared(made):
    found = [m for m in ImagingMetadata("imaging").declared(made) if isinstance(m, Measurement)]
    return next(m.value for m in found if m.variant is None)


def test_pictures_declare_by_their_text_or_by_the_label_table(tmp_path):
    images = blobs((8, 8, 8))
    made = cohorts(tmp_path, images)
    assert declared(made) == 1
    write(tmp_path / "synthetic", images[2], labels=False)  # again, without texts
    assert declared(replaced(made, tmp_path)) == 0
    table = {"synthetic": ["yes"] * 6 + ["no", ""]}
    assert declared(replaced(made, tmp_path, attributes=table)) == 6 / 8


def test_stacks_declare_by_an_array_inside(tmp_path):
    made = cohorts(tmp_path, blobs((8, 8, 8)))
    shutil.rmtree(tmp_path / "synthetic")
    (tmp_path / "synthetic").mkdir()
    np.savez(
        tmp_path / "synthetic/a.npz",
        images=blobs((4,))[0],
        synthetic=np.array(["yes", "true", "0", "1"]),
    )
    assert declared(replaced(made, tmp_path)) == 3 / 4


def test_dicom_declares_by_its_header(tmp_path, make_dicom):
    made = cohorts(tmp_path, blobs((8, 8, 8)))
    for folder, says in (("declared", True), ("undeclared", False)):
        make_dicom.write_cohort(tmp_path / folder, n=4, declared=says)
        found = dataclasses.replace(made, synthetic=cohort(tmp_path / folder, "synthetic"))
        assert declared(found) == float(says)


# --- lineage ---


@pytest.mark.parametrize(
    ("metadata", "attributes", "known"),
    [
        ({"text:Generator": "vae", "text:Seed": "7"}, {}, True),
        ({"text:Generator": "vae"}, {"seed": "7"}, True),
        ({}, {"generator": "vae", "run": "3"}, True),
        ({"AlgorithmName": "vae", "Condition": "nodule"}, {}, True),
        ({"AlgorithmName": "vae", "AlgorithmVersion": "1"}, {}, True),
        ({"text:Generator": "vae"}, {}, False),
        ({"text:Seed": "7", "SoftwareVersions": "3"}, {}, False),
        ({"text:Generator": "", "text:Seed": "7"}, {}, False),
        ({"text:Generator": "vae"}, {"seed": ""}, False),
        ({}, {}, False),
    ],
)
def test_lineage_needs_the_generator_and_what_reproduces(metadata, attributes, known):
    assert Explainability("imaging").lineage(metadata, attributes) is known


def test_lineage_of_pictures_and_dicom(tmp_path, make_dicom):
    explain = Explainability("imaging")
    made = cohorts(tmp_path, blobs((8, 8, 8)))
    assert by_id(explain.items(made))["item_lineage_share"].value == 1
    for folder, says in (("declared", True), ("undeclared", False)):
        make_dicom.write_cohort(tmp_path / folder, n=4, declared=says)
        found = dataclasses.replace(made, synthetic=cohort(tmp_path / folder, "synthetic"))
        assert by_id(explain.items(found))["item_lineage_share"].value == float(says)


# --- the fixture's own generator of DICOM objects ---


def test_the_same_arguments_write_the_same_bytes(tmp_path, make_dicom):
    one, two, other = (
        {p.name: p.read_bytes() for p in make_dicom.write_cohort(tmp_path / f, n=4, seed=s)}
        for f, s in (("a", 0), ("b", 0), ("c", 1))
    )
    assert one == two
    assert one.keys() == other.keys()
    assert all(one[name] != other[name] for name in one)
    assert (tmp_path / "a/labels.csv").read_text() == (tmp_path / "c/labels.csv").read_text()


@pytest.mark.parametrize("says", [True, False])
def test_its_objects_break_no_rule_and_name_nobody(tmp_path, make_dicom, says):
    make_dicom.write_cohort(tmp_path, n=4, declared=says, slices=4)
    for item in list_items(tmp_path).items:
        description = DESCRIBER(item)
        assert description.readable
        assert not [f.rule for f in description.findings if f.severity == "error"]
        assert description.metadata["SyntheticData"] == ("YES" if says else "absent")
        kind = "ORIGINAL" if not says else "DERIVED"
        assert description.metadata["ImageType"].startswith(kind)


def test_its_phantoms_are_in_hounsfield_units_and_its_series_are_volumes(tmp_path, make_dicom):
    make_dicom.write_cohort(tmp_path, n=4, slices=5)
    items = list_items(tmp_path).items
    volumes = [read_image(i) for i in items if i.part == "series"]
    assert (len(items), len(volumes)) == (4, 2)
    for volume in volumes:
        assert volume.pixels.shape == (5, 32, 32)
        assert (volume.unit, volume.spacing) == ("HU", (5, 10, 10))
        assert volume.pixels.min() < -950
        assert volume.pixels.max() > 600
    uids = {dicom_format.header(p).SOPInstanceUID for p in sorted(tmp_path.glob("*.dcm"))}
    assert len(uids) == len(list(tmp_path.glob("*.dcm"))) == 12


def test_text_in_pixels_is_counted_where_an_image_can_hold_it(tmp_path):
    made = cohorts(tmp_path / "a", blobs((20, 20, 20)))
    (clean,) = PRIVACY.burned_in(made)
    assert (clean.value, clean.n) == (0, {"synthetic": 20, "real": 40})
    assert clean.interval.high == pytest.approx(1 - 0.025 ** (1 / 20))
    small = cohorts(tmp_path / "b", blobs((4, 4, 4), side=32))
    (found,) = PRIVACY.burned_in(small)
    assert found.value is None
    assert "40 pixels a side" in found.reason
