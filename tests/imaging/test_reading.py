"""Listing folders and opening items: order, links, side-car files, masks, and damaged bytes."""

import os
import shutil
import time

import numpy as np
import pytest
from made_files import nifti, one_of_each, pixels, series
from PIL import Image as Picture
from pydicom.data import get_testdata_file

from sdq_core.description import Item
from sdq_core.errors import UnreadableItem
from sdq_imaging.describing import ImagingDescriber
from sdq_imaging.masks import read_mask
from sdq_imaging.reading import list_items, read_image
from sdq_imaging.settings import ImagingSettings


def picture(path, seed=0, shape=(24, 20)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Picture.fromarray(pixels(shape, seed)).save(path)
    return path


def ids(listing):
    return [i.id for i in listing.items]


def links(listing):
    return sorted((f.rule.removeprefix("imaging.structure."), f.item) for f in listing.findings)


# --- order and digests ---


def test_numbers_in_names_are_ordered_as_numbers(tmp_path):
    names = ["10.png", "2.png", "1.png", "a10b2.png", "a10b1.png", "a9.png", "01.png", "sub2/1.png"]
    for name in [*names, "sub10/1.png"]:
        picture(tmp_path / name)
    assert ids(list_items(tmp_path)) == [
        "01.png", "1.png", "2.png", "10.png", "a9.png", "a10b1.png", "a10b2.png", "sub2/1.png",
        "sub10/1.png",
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_the_order_does_not_depend_on_the_file_system(tmp_path, monkeypatch, seed):
    one_of_each(tmp_path / "a")
    series(tmp_path / "b", pixels((4, 6, 7), dtype=np.uint16))
    series(tmp_path / "b", pixels((4, 6, 7), dtype=np.uint16), uid="1.2.9", order=[9, 8, 7, 6])
    expected = list_items(tmp_path)
    assert len(expected.items) > 15

    def shuffled(folder):
        entries = list(scandir(folder))
        np.random.default_rng(seed).shuffle(entries)
        return entries

    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", shuffled)
    assert list_items(tmp_path) == expected


def test_one_changed_byte_changes_the_digest_and_a_new_name_does_not(tmp_path):
    for path in one_of_each(tmp_path / "a").values():
        before = list_items(path).items[0]
        renamed = path.with_name("renamed-" + path.name)
        shutil.copy(path, renamed)
        assert list_items(renamed).items[0].digest == before.digest
        data = bytearray(path.read_bytes())
        data[-20] ^= 1
        path.write_bytes(data)
        after = list_items(path).items
        assert len(before.digest) == 64
        if path.suffix not in (".npy", ".npz"):  # there an image is hashed, not the file
            assert after[0].digest != before.digest


def test_the_digest_of_a_series_is_of_all_its_files_in_slice_order(tmp_path):
    volume = pixels((4, 6, 7), dtype=np.uint16)
    series(tmp_path / "a", volume)
    (before,) = list_items(tmp_path / "a").items
    (tmp_path / "a/000.dcm").rename(tmp_path / "a/900.dcm")
    (renamed,) = list_items(tmp_path / "a").items
    assert renamed.digest == before.digest
    assert renamed.paths[0].name == "900.dcm"
    volume[2, 3, 3] ^= 1
    series(tmp_path / "b", volume)
    assert list_items(tmp_path / "b").items[0].digest != before.digest


# --- what is listed ---


def test_side_cars_and_hidden_files_are_no_items_and_unknown_files_are(tmp_path):
    picture(tmp_path / "a.png")
    for name in ("labels.csv", "notes.txt", ".DS_Store", ".hidden/x.png", "DICOMDIR", "r.pdf"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "what.xyz").write_bytes(b"x")
    assert ids(list_items(tmp_path)) == ["a.png", "what.xyz"]


def test_one_file_and_an_empty_folder(tmp_path):
    assert list_items(tmp_path).items == ()
    path = picture(tmp_path / "a.png")
    assert ids(list_items(path)) == ["a.png"]


def test_links_are_followed_only_where_they_stay_inside_and_end(tmp_path):
    root = tmp_path / "cohort"
    picture(root / "a/1.png")
    picture(tmp_path / "secret.png")
    (root / "inside.png").symlink_to(root / "a/1.png")
    (root / "outside.png").symlink_to(tmp_path / "secret.png")
    (root / "outside").symlink_to(tmp_path)
    (root / "a/up").symlink_to(root)
    (root / "itself").symlink_to(root / "itself")
    (root / "nothing.png").symlink_to(root / "gone.png")
    listing = list_items(root)
    assert ids(listing) == ["a/1.png", "inside.png"]
    assert links(listing) == [
        ("link_loop", "a/up"),
        ("link_loop", "itself"),
        ("link_loop", "nothing.png"),
        ("link_outside", "outside"),
        ("link_outside", "outside.png"),
    ]


def test_two_links_that_lead_to_each_other_end(tmp_path):
    picture(tmp_path / "a/1.png")
    picture(tmp_path / "b/1.png")
    (tmp_path / "a/to_b").symlink_to(tmp_path / "b")
    (tmp_path / "b/to_a").symlink_to(tmp_path / "a")
    listing = list_items(tmp_path)
    assert ids(listing) == ["a/1.png", "a/to_b/1.png", "b/1.png", "b/to_a/1.png"]
    assert links(listing) == [("link_loop", "a/to_b/to_a"), ("link_loop", "b/to_a/to_b")]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anywhere")
def test_what_may_not_be_read_is_told(tmp_path):
    path = picture(tmp_path / "a.png")
    folder = picture(tmp_path / "closed/b.png").parent
    path.chmod(0)
    folder.chmod(0)
    try:
        listing = list_items(tmp_path)
        assert links(listing) == [("unreadable_folder", "closed")]
        (item,) = listing.items
        assert item.digest == ""
        with pytest.raises(UnreadableItem) as error:
            read_image(item)
        assert error.value.rule == "imaging.structure.unreadable_folder"
    finally:
        path.chmod(0o600)
        folder.chmod(0o700)


@pytest.mark.parametrize("name", ["a.png", "a.nii", "a.npy", "a.npz", "a.dcm"])
def test_a_file_that_is_gone(tmp_path, name):
    with pytest.raises(UnreadableItem):
        read_image(Item(name, (tmp_path / name,)))


def test_a_file_without_a_suffix_is_known_by_its_bytes(tmp_path):
    files = one_of_each(tmp_path / "a")
    for name in ("native.dcm", "grey.png", "plain.tif"):
        shutil.copy(files[name], tmp_path / "bare")
        image = read_image(Item("bare", (tmp_path / "bare",)))
        np.testing.assert_array_equal(image.pixels, read_image(Item(name, (files[name],))).pixels)


# --- masks ---


def masked(tmp_path, mask, identifier="sub/1.png"):
    path = picture(tmp_path / "images/sub/1.png")
    item = Item(identifier, (path,))
    if mask is not None:
        (tmp_path / "masks/sub").mkdir(parents=True, exist_ok=True)
        Picture.fromarray(mask).save(tmp_path / "masks/sub/1.png")
    found, findings = read_mask(item, read_image(item), tmp_path / "masks", max_pixels=10**6)
    return found, [f.rule.removeprefix("imaging.structure.") for f in findings]


def test_a_mask_has_the_path_of_its_image(tmp_path):
    assert masked(tmp_path, None) == (None, ["mask_missing"])
    mask = (pixels() > 200).astype(np.uint8) * 3
    found, rules = masked(tmp_path, mask)
    np.testing.assert_array_equal(found, mask)
    assert (found.dtype, rules) == (np.uint8, [])


def test_a_mask_that_does_not_fit_is_told(tmp_path):
    assert masked(tmp_path, pixels((24, 21))) == (None, ["mask_size"])
    (tmp_path / "masks/sub/1.png").write_bytes(b"no mask")
    assert masked(tmp_path, None) == (None, ["mask_unreadable"])


@pytest.mark.parametrize("identifier", ["../secret.png", "../../etc/passwd", "/etc/passwd"])
def test_no_id_leads_out_of_the_folder_of_masks(tmp_path, identifier):
    picture(tmp_path / "secret.png")
    picture(tmp_path / "masks/x.png")
    assert masked(tmp_path, None, identifier) == (None, ["mask_missing"])


def test_a_mask_lies_over_its_volume_in_the_same_orientation(tmp_path):
    volume, affine = pixels((4, 6, 7)), np.diag([-0.8, -0.5, 2.5, 1.0])
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    path = nifti(tmp_path / "images/1.nii.gz", volume, affine)
    # The same voxels, stored with the first axis reversed.
    other = affine.copy()
    other[0] = [0.8, 0, 0, -0.8 * 6]
    nifti(tmp_path / "masks/1.nii.gz", (volume > 200)[..., ::-1].astype(np.uint8), other)
    item = Item("1.nii.gz", (path,))
    mask, _ = read_mask(item, read_image(item), tmp_path / "masks", max_pixels=10**6)
    np.testing.assert_array_equal(mask, volume > 200)


# --- damaged bytes ---

COMPRESSED = ("MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm",
              "SC_rgb_small_odd_jpeg.dcm", "image_dfl.dcm")  # fmt: skip
NAMES = ("colour.jpg", "deep.png", "grey.bmp", "grey.png", "native.dcm", "packed.npz",
         "packed.tif", "palette.png", "plain.tif", "stack.npy", "stack.npz", "volume.nii",
         "volume.nii.gz")  # fmt: skip


def damaged(data, k):
    """Cut the file, overwrite a piece of it, or flip bits in its header or anywhere."""
    rng = np.random.default_rng([k, len(data)])
    found = bytearray(data)
    if k % 4 == 0:
        return bytes(found[: rng.integers(len(found))])
    if k % 4 == 1:
        start = rng.integers(len(found))
        found[start : start + 12] = rng.integers(0, 256, rng.integers(20)).astype("u1").tobytes()
        return bytes(found)
    for place in rng.integers(0, min(len(found), 600 if k % 4 == 2 else 10**9), 6):
        found[place] ^= 1 << rng.integers(8)
    return bytes(found)


@pytest.mark.parametrize("name", [*NAMES, *COMPRESSED])
def test_no_damage_does_more_than_make_an_item_unreadable(tmp_path, name):
    describer = ImagingDescriber(
        {**ImagingSettings(max_pixels=10**6).model_dump(), "embeddings": {"radiomic": {}}}
    )
    if name in COMPRESSED:
        shutil.copy(get_testdata_file(name, download=False), tmp_path / name)
        path = tmp_path / name
    else:
        path = one_of_each(tmp_path)[name]
    whole = path.read_bytes()
    unreadable = 0
    for k in range(24 if len(whole) > 4000 else 60):
        path.write_bytes(damaged(whole, k))
        start = time.process_time()
        items = list_items(path, max_pixels=10**6).items
        descriptions = [describer(item) for item in items]
        assert time.process_time() - start < 3
        assert descriptions
        unreadable += sum(not d.readable for d in descriptions)
        assert all(d.findings for d in descriptions if not d.readable)
    assert unreadable
