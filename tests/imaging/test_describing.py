"""One item becomes one description: what it holds, and that it is the same everywhere."""

import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
from made_files import dicom, nifti, one_of_each, pixels, series
from PIL import Image as Picture
from PIL.PngImagePlugin import PngInfo

from sdq_core.description import Item
from sdq_core.errors import StudyError
from sdq_core.hashing import array_digest, canonical_json
from sdq_core.shards import breach, encode_shard
from sdq_imaging.describing import ImagingDescriber
from sdq_imaging.embeddings.radiomic import FEATURES
from sdq_imaging.reading import list_items
from sdq_imaging.settings import ImagingSettings


@pytest.fixture(scope="module")
def describer():
    return ImagingDescriber.of(ImagingSettings())


def describe(describer, path):
    return [describer(item) for item in list_items(path).items]


def test_every_format_is_described_within_the_contract(tmp_path, describer):
    for name, path in one_of_each(tmp_path).items():
        for found in describe(describer, path):
            assert breach(found) is None, name
            assert found.readable
            assert not any(f.area == "structure" for f in found.findings), name
            assert found.metadata["content:sha256"]
            assert found.signature is not None


def test_what_a_description_holds(tmp_path, describer):
    series(tmp_path, pixels((20, 40, 50), high=3000, dtype=np.uint16), modality="CT")
    (found,) = describe(describer, tmp_path)
    scalars = found.scalars
    assert [scalars[f"geometry.{n}"] for n in ("slices", "rows", "columns")] == [20, 40, 50]
    assert scalars["geometry.spacing_slices"] == 2.5
    assert scalars["geometry.spacing_columns"] == 0.8
    assert found.metadata["unit"] == "HU"
    assert found.metadata["normalisation"] == "nominal"
    assert found.signature.shape == (24, 24, 24)
    assert found.embeddings["radiomic"].shape == (len(FEATURES),)
    assert found.embeddings["random-resnet18"].shape == (512,)


def test_intensity_is_in_the_unit_of_the_image(tmp_path, describer):
    grey = pixels((30, 30))
    dicom(tmp_path / "a.dcm", grey, RescaleSlope=3, RescaleIntercept=-7)
    (found,) = describe(describer, tmp_path)
    assert found.scalars["intensity.mean"] == pytest.approx(grey.mean() * 3 - 7)
    assert found.metadata["normalisation"] == "percentile"


def test_colour_features(tmp_path, describer):
    rgb = pixels((20, 20, 3))
    Picture.fromarray(rgb).save(tmp_path / "a.png")
    scalars = describe(describer, tmp_path)[0].scalars
    assert scalars["colour.red_mean"] == pytest.approx(rgb[..., 0].mean())
    assert scalars["colour.blue_deviation"] == pytest.approx(rgb[..., 2].std())
    hsv = (rgb.max(-1) - rgb.min(-1)) / np.maximum(rgb.max(-1), 1)
    assert scalars["colour.saturation"] == pytest.approx(hsv.mean())
    Picture.fromarray(rgb[..., 0]).save(tmp_path / "b.png")
    assert not any("colour" in n for n in describe(describer, tmp_path)[1].scalars)


def test_masks_give_features_of_regions(tmp_path):
    Picture.fromarray(pixels()).save(tmp_path / "a.png")
    (tmp_path / "masks").mkdir()
    mask = np.zeros((24, 20), np.uint8)
    mask[4:8, 3:9] = 2
    Picture.fromarray(mask).save(tmp_path / "masks/a.png")
    describer = ImagingDescriber.of(ImagingSettings(masks=str(tmp_path / "masks")))
    found = describer(Item("a.png", (tmp_path / "a.png",)))
    assert found.scalars["region.2.size"] == 24
    assert found.scalars["region.2.mean"] == pytest.approx(pixels()[4:8, 3:9].mean() / 255)


def test_a_broken_item_is_one_finding_and_nothing_else(tmp_path, describer):
    (tmp_path / "a.png").write_bytes(b"no image")
    (found,) = describe(describer, tmp_path)
    assert not found.readable
    (finding,) = found.findings
    assert finding.rule == "imaging.structure.not_an_image"
    assert finding.message_zh
    assert dict(found.scalars) == dict(found.embeddings) == dict(found.metadata) == {}
    assert found.signature is None


def test_a_constant_image_is_described_as_far_as_it_can_be(tmp_path, describer):
    Picture.fromarray(np.full((40, 40), 9, np.uint8)).save(tmp_path / "a.png")
    (found,) = describe(describer, tmp_path)
    assert found.readable
    assert breach(found) is None
    assert [f.rule for f in found.findings] == ["imaging.structure.constant"]
    assert "radiomic" not in found.embeddings
    assert found.signature is None


@pytest.mark.parametrize("shape", [(1, 2), (2, 1), (1, 9), (3, 3), (2, 2, 2), (5, 1, 40)])
def test_tiny_images_are_described(tmp_path, describer, shape):
    nifti(tmp_path / "a.nii", pixels(shape).astype(np.float32))
    (found,) = describe(describer, tmp_path)
    assert found.readable
    assert breach(found) is None


def test_a_direct_identifier_in_a_text_is_found_and_not_quoted(tmp_path, describer):
    info = PngInfo()
    info.add_text("Description", "call 13812345678")
    Picture.fromarray(pixels()).save(tmp_path / "a.png", pnginfo=info)
    (found,) = describe(describer, tmp_path)
    (finding,) = found.findings
    assert finding.area == "identifier"
    assert "13812345678" not in finding.message + finding.message_zh


# --- the same everywhere ---


def test_the_description_depends_on_content_only(tmp_path, describer):
    paths = [tmp_path / "a.png", tmp_path / "b/c.png"]
    paths[1].parent.mkdir()
    for path in paths:
        Picture.fromarray(pixels((40, 50))).save(path)
    one, two = (encode_shard(["k"], [describer(i)]) for i in list_items(tmp_path).items)
    assert one == two


def test_the_describer_travels_and_its_settings_are_json(describer):
    again = pickle.loads(pickle.dumps(describer))
    assert again == describer
    assert again._made == {}
    settings = json.loads(canonical_json(describer.settings))
    assert len(settings["embeddings"]["random-resnet18"]["sha256"]) == 64
    assert ImagingDescriber.of(ImagingSettings(max_pixels=7)) != describer


SCRIPT = """
import hashlib, pickle, sys
from pathlib import Path
from sdq_core.shards import encode_shard
from sdq_imaging.reading import list_items
describer = pickle.loads(Path(sys.argv[1]).read_bytes())
found = [describer(item) for item in list_items(Path(sys.argv[2])).items]
names = [str(k) for k in range(len(found))]
print(hashlib.sha256(encode_shard(names, found)).hexdigest())
"""


def test_a_fresh_process_gives_the_same_bytes(tmp_path, describer):
    import hashlib

    one_of_each(tmp_path / "data")
    (tmp_path / "describer").write_bytes(pickle.dumps(describer))
    found = describe(describer, tmp_path / "data")
    here = hashlib.sha256(encode_shard([str(k) for k in range(len(found))], found)).hexdigest()
    arguments = [str(tmp_path / "describer"), str(tmp_path / "data")]
    out = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments], capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == here


# --- digests and settings ---


def test_pixels_have_one_digest_in_every_container(tmp_path, describer):
    grey = pixels((40, 50))
    Picture.fromarray(grey).save(tmp_path / "a.png")
    Picture.fromarray(grey).save(tmp_path / "b.tif")
    np.save(tmp_path / "c.npy", grey.astype(np.float64))
    dicom(tmp_path / "d.dcm", grey)
    digests = {d.metadata["content:sha256"] for d in describe(describer, tmp_path)}
    assert digests == {array_digest(grey)}
    changed = grey.copy()
    changed[3, 3] ^= 1
    assert array_digest(changed) not in digests
    assert array_digest(np.array([[-0.0, 1]])) == array_digest(np.array([[0.0, 1]]))


@pytest.mark.parametrize(
    "values", [{"max_pixels": 0}, {"dimensions": "3d"}, {"device": "tpu"}, {"masc": "x"}]
)
def test_a_wrong_setting_is_named_with_the_allowed_ones(values):
    (name,) = values
    with pytest.raises(StudyError, match=rf"settings\.{name}.*allowed settings: max_pixels"):
        ImagingSettings.of(values)


def test_the_settings_reach_the_reader(tmp_path):
    Picture.fromarray(pixels()).save(tmp_path / "a.png")
    describer = ImagingDescriber.of(ImagingSettings(max_pixels=24 * 20 - 1))
    found = describer(Item("a.png", (tmp_path / "a.png",)))
    assert [f.rule for f in found.findings] == ["imaging.structure.decompression_bomb"]
