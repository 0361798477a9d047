"""Text in pixels and faces in volumes: candidates for a person to look at."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont
from pydicom import Dataset
from scipy import ndimage

from sdq_core.vocabulary import Severity
from sdq_imaging import visible
from sdq_imaging.grey import normalise, resize
from sdq_imaging.image import Image
from sdq_imaging.reading import list_items, read_image
from sdq_imaging.text_lines import _extreme, text_lines

RADIOGRAPHS = sorted(
    p for p in (Path(__file__).parents[2] / "fixtures/cxr").rglob("*.png") if "syn" not in p.name
)
WORDS = ("WANG XIAOMING", "1962-03-14", "Beijing Hospital", "ID 20391847", "Smith^John 45Y")


def radiographs(n, side=256):
    chosen = RADIOGRAPHS[:: max(1, len(RADIOGRAPHS) // n)][:n]
    found = [np.asarray(Picture.open(p).convert("L"), np.float32) / 255 for p in chosen]
    return [resize(x, (side, side)) for x in found]


def written(grey, text, size, place, value):
    picture = Picture.fromarray(np.uint8(grey * 255))
    font = ImageFont.load_default(size)
    ImageDraw.Draw(picture).text(place, text, fill=value, font=font)
    return np.asarray(picture, np.float32) / 255, font.getlength(text)


def hits(lines, place, size, length):
    x, y = place
    return any(
        min(i.bottom, y + 1.3 * size) > max(i.top, y) and min(i.right, x + length) > max(i.left, x)
        for i in lines
    )


def test_written_text_is_found_on_radiographs_and_none_without_it():
    rng = np.random.default_rng(0)
    grounds = radiographs(24)
    assert len(grounds) == 24
    assert sum(bool(text_lines(g)) for g in grounds) <= 1
    seen = total = 0
    for k, ground in enumerate(grounds):
        size, text = (12, 16, 20)[k % 3], WORDS[k % len(WORDS)]
        place = (int(rng.integers(4, 90)), int(rng.integers(4, 226)))
        under = ground[place[1] : place[1] + size, place[0] : place[0] + 120]
        value = 255 if under.mean() < 0.5 else 0  # as devices write: to be read
        found, length = written(ground, text, size, place, value)
        seen += hits(text_lines(found), place, size, length)
        total += 1
    assert seen / total >= 0.85


def test_bright_and_dark_text_and_where_it_is():
    ground = np.full((128, 256), 0.5, np.float32)
    for value, bright in ((255, True), (0, False)):
        found, length = written(ground, "PATIENT 4711", 14, (20, 40), value)
        (line,) = text_lines(found)
        assert line.bright == bright
        assert abs(line.left - 20) <= 4
        assert abs(line.right - 20 - length) <= 4
        assert 38 <= line.top <= 48
        assert line.bottom <= 60


def test_large_images_are_searched_smaller_and_the_place_is_in_their_pixels():
    ground = np.full((1100, 2500), 0.2, np.float32)
    found, length = written(ground, "WARD 7 BED 3", 60, (1200, 800), 255)
    (line,) = text_lines(found)
    assert abs(line.left - 1200) < 20
    assert abs(line.right - 1200 - length) < 20


@pytest.mark.parametrize("shape", [(1, 1), (30, 400), (400, 30), (64, 64)])
def test_small_and_empty_images(shape):
    assert text_lines(np.zeros(shape, np.float32)) == []
    assert isinstance(text_lines(np.random.default_rng(0).random(shape, np.float32)), list)


def test_rows_of_discs_of_many_sizes_are_no_text():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:200, :300]
    grey = np.zeros((200, 300), np.float32)
    for k in range(12):
        radius = rng.uniform(3, 14)
        grey += np.hypot(y - rng.uniform(20, 180), x - 24 * k - 10) < radius
    assert text_lines(ndimage.gaussian_filter(np.clip(grey, 0, 1), 3)) == []


def test_the_windows_are_those_of_a_filter():
    grey = np.random.default_rng(0).random((40, 33), np.float32)
    for of, filtered in (
        (np.maximum, ndimage.maximum_filter),
        (np.minimum, ndimage.minimum_filter),
    ):
        np.testing.assert_array_equal(_extreme(grey, of), filtered(grey, 15, mode="nearest"))


def test_a_finding_holds_the_place_and_is_no_error():
    ground, _ = written(np.full((96, 256), 0.4, np.float32), "LI SI 1990", 14, (20, 40), 255)
    image = Image(ground * 255, "picture", nominal_range=(0, 255))
    (finding,) = visible.findings(image, ground)
    assert finding.rule == "imaging.identifier.burned_in_text"
    assert finding.severity is Severity.WARNING
    assert finding.where.startswith("x ")
    assert finding.message_zh
    volume = np.zeros((9, 96, 256), np.float32)
    volume[4] = ground
    (finding,) = visible.findings(Image(volume, "array"), volume)
    assert finding.where.startswith("slice 4, x ")


# --- faces ---


def head(shape=(180, 240, 240), spacing=(1.0, 1.0, 1.0), **metadata):
    stated = metadata.pop("stated", None)
    dataset = None
    if metadata or stated:
        dataset = Dataset()
        if stated:
            dataset.RecognizableVisualFeatures = stated
    image = Image(
        np.zeros(shape, np.float32), "nifti", spacing=spacing, metadata=metadata, dataset=dataset
    )
    return [f.rule.rpartition(".")[2] for f in visible.findings(image, image.pixels)]


def test_volumes_that_hold_a_face_are_flagged_by_field_and_body_part():
    assert head(BodyPartExamined="BRAIN", Modality="MR") == ["face"]
    assert head(BodyPartExamined="Head_Neck", Modality="CT") == ["face"]
    assert head() == ["face_possible"]
    assert head(BodyPartExamined="CHEST", Modality="CT") == []
    assert head(BodyPartExamined="HEAD", Modality="US") == []
    assert head(BodyPartExamined="HEAD", Modality="MR", stated="NO") == []
    assert head(BodyPartExamined="HEAD", Modality="MR", stated="YES") == ["face"]


def test_parts_of_a_head_and_thick_slices_show_no_face():
    assert head((35, 50, 35)) == []
    assert head((24, 240, 240), (6.0, 1.0, 1.0)) == []
    assert head((180, 480, 480), (1.0, 1.0, 1.0)) == []
    assert head((240, 240), (1.0, 1.0)) == []


def test_specks_of_generated_images_are_no_text():
    folder = Path(__file__).parents[2] / "fixtures/cxr/synthetic"
    items = list_items(folder).items[:150]
    assert not any(text_lines(normalise(read_image(item))[0]) for item in items)


def test_a_long_line_among_specks_is_text_and_a_short_one_is_not_told_from_them():
    rng = np.random.default_rng(0)
    ground = np.full((256, 512), 0.4, np.float32)
    for y, x in zip(rng.integers(0, 200, 300), rng.integers(0, 500, 300), strict=True):
        ground[y : y + 7, x : x + 2] = 0.9
    ground[190:] = 0.4
    found, _ = written(ground, "LI SI 1990-01-02 BEIJING", 16, (20, 215), 255)
    assert any(line.top > 200 for line in text_lines(found))
    found, _ = written(ground, "LI SI", 16, (20, 215), 255)
    assert not text_lines(found)
