"""NumPy arrays: stacks with labels inside, one image, and what is refused unread."""

import io
import pickle
import struct
import zipfile

import numpy as np
import pytest
from made_files import pixels

from sdq_core.errors import UnreadableItem
from sdq_imaging.formats import array
from sdq_imaging.reading import list_items, read_image

STACK = pixels((5, 12, 10))
MOST = 2**28


class Trap:
    """Says so when it is unpickled."""

    sprung: list = []  # noqa: RUF012

    def __reduce__(self):
        return (Trap.sprung.append, (1,))


def saved(path, **arrays):
    np.savez_compressed(path, **arrays)
    return path


def images(path):
    return [read_image(item) for item in list_items(path).items]


def refused(path, **options):
    """The rule by which listing leaves the file to describing, and describing refuses it."""
    (item,) = list_items(path, **options).items
    assert item.part == ""
    with pytest.raises(UnreadableItem) as error:
        read_image(item, **options)
    return error.value.rule.removeprefix("imaging.structure.")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32, np.float64, bool])
@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_a_stack_is_one_item_an_image(tmp_path, dtype, suffix):
    stack = STACK.astype(dtype) if dtype is not bool else STACK > 100
    path = tmp_path / f"a.{suffix}"
    np.save(path, stack) if suffix == "npy" else saved(path, images=stack)
    listing = list_items(path)
    assert [i.id for i in listing.items] == [f"a.{suffix}#{k}" for k in range(5)]
    for image, truth in zip(images(path), stack, strict=True):
        np.testing.assert_array_equal(image.pixels, truth.astype(np.float32))
        assert image.pixels.dtype == np.float32


@pytest.mark.parametrize(
    ("dtype", "scale", "nominal"),
    [
        (np.uint8, 1, (0, 255)),
        (np.uint16, 1, (0, 65535)),
        (bool, 1, (0, 1)),
        (np.float32, 1 / 255, (0, 1)),
        (np.float32, 1.0, None),
    ],
)
def test_the_nominal_range_follows_from_the_type(tmp_path, dtype, scale, nominal):
    np.save(tmp_path / "a.npy", (STACK * scale).astype(dtype))
    assert images(tmp_path / "a.npy")[0].nominal_range == nominal


def test_one_image_grey_or_in_colours(tmp_path):
    np.save(tmp_path / "grey.npy", STACK[0])
    np.save(tmp_path / "colour.npy", pixels((12, 10, 3)))
    np.save(tmp_path / "colours.npy", pixels((5, 12, 10, 3)))
    (grey,) = images(tmp_path / "grey.npy")
    np.testing.assert_array_equal(grey.pixels, STACK[0])
    (colour,) = images(tmp_path / "colour.npy")
    np.testing.assert_array_equal(colour.colour, pixels((12, 10, 3)))
    assert colour.pixels.shape == (12, 10)
    assert [i.colour.shape for i in images(tmp_path / "colours.npy")] == [(12, 10, 3)] * 5


@pytest.mark.parametrize("axis", [1, -1])
def test_an_axis_of_one_channel_is_no_depth(tmp_path, axis):
    np.save(tmp_path / "a.npy", np.expand_dims(STACK, axis))
    np.testing.assert_array_equal(images(tmp_path / "a.npy")[2].pixels, STACK[2])


def test_volumes(tmp_path):
    np.save(tmp_path / "a.npy", pixels((2, 4, 12, 10)))
    assert [i.pixels.shape for i in images(tmp_path / "a.npy")] == [(4, 12, 10)] * 2


@pytest.mark.parametrize("shape", [(2, 12, 10, 3), (12, 10, 3)])
def test_colours_as_floats_are_refused_rather_than_taken_for_volumes(tmp_path, shape):
    np.save(tmp_path / "a.npy", np.random.default_rng(0).random(shape))
    assert refused(tmp_path / "a.npy") == "unsupported"


def test_labels_inside_become_attributes(tmp_path):
    path = saved(
        tmp_path / "a.npz",
        images=STACK,
        labels=np.array(["a", "b", "a", "b", "a"]),
        subjects=np.arange(5) // 2,
        synthetic=np.array(["yes"] * 5),
        other=np.arange(5),
        seeds_of_another_length=np.arange(3),
    )
    found = list_items(path).items
    assert [dict(i.attributes) for i in found[:2]] == [
        {"class": "a", "subject": "0", "synthetic": "yes"},
        {"class": "b", "subject": "0", "synthetic": "yes"},
    ]


def test_the_array_of_images_is_found_by_name_else_by_shape(tmp_path):
    path = saved(tmp_path / "a.npz", masks=STACK > 3, images=STACK)
    np.testing.assert_array_equal(images(path)[0].pixels, STACK[0])
    path = saved(tmp_path / "b.npz", ages=np.arange(5), scans=STACK)
    np.testing.assert_array_equal(images(path)[0].pixels, STACK[0])
    assert refused(saved(tmp_path / "c.npz", ages=np.arange(5))) == "not_an_image"


def test_digests_are_of_content(tmp_path):
    one, two = list_items(saved(tmp_path / "a.npz", images=STACK[[0, 0, 1]])).items[:2]
    assert one.digest == two.digest
    np.save(tmp_path / "b.npy", np.asfortranarray(STACK[:3]))
    assert list_items(tmp_path / "b.npy").items[0].digest == one.digest
    changed = STACK[:3].copy()
    changed[0, 5, 5] ^= 1
    np.save(tmp_path / "c.npy", changed)
    before = [i.digest for i in list_items(tmp_path / "b.npy").items]
    after = [i.digest for i in list_items(tmp_path / "c.npy").items]
    assert [a == b for a, b in zip(before, after, strict=True)] == [False, True, True]


# --- bad input ---


def test_objects_are_never_unpickled(tmp_path):
    objects = np.array([Trap()] * 5, dtype=object)
    np.save(tmp_path / "a.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "b.npz", images=objects, allow_pickle=True)
    np.savez(tmp_path / "c.npz", images=STACK, labels=objects, allow_pickle=True)
    (tmp_path / "d.npy").write_bytes(pickle.dumps(Trap()))
    (tmp_path / "e.npz").write_bytes(pickle.dumps(Trap()))
    found = [refused(tmp_path / n) for n in ("a.npy", "b.npz", "c.npz", "d.npy", "e.npz")]
    assert found[:3] == ["unsupported"] * 3
    assert set(found[3:]) == {"truncated"}
    assert not Trap.sprung


def npy_header(shape, descr="|u1"):
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (63 - (10 + len(text)) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


@pytest.mark.parametrize(
    "shape", [(10**6, 10**6), (3, 10**5, 10**5), (2**32, 2**32), (2**63, 2, 2), (2**40, 16, 16)]
)
def test_a_header_that_promises_too_much_is_refused_at_once(tmp_path, shape):
    (tmp_path / "a.npy").write_bytes(npy_header(shape) + bytes(1000))
    assert refused(tmp_path / "a.npy") == "decompression_bomb"
    with zipfile.ZipFile(tmp_path / "b.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", npy_header(shape) + bytes(1000))
    assert refused(tmp_path / "b.npz") == "decompression_bomb"


def test_the_limit_is_for_one_image(tmp_path):
    np.save(tmp_path / "a.npy", STACK)
    assert len(list_items(tmp_path / "a.npy", max_pixels=120).items) == 5
    assert refused(tmp_path / "a.npy", max_pixels=119) == "decompression_bomb"


def test_memory_that_does_not_suffice_is_a_finding(tmp_path, monkeypatch):
    def exhausted(*args, **kwargs):
        raise MemoryError

    monkeypatch.setattr(array.np, "load", exhausted)
    assert refused(saved(tmp_path / "a.npz", images=STACK)) == "decompression_bomb"


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_values_that_cannot_be_computed_with(tmp_path, value):
    stack = STACK.astype(np.float64)
    stack[1, 2, 3] = value
    np.save(tmp_path / "a.npy", stack)
    listing = list_items(tmp_path / "a.npy")
    read_image(listing.items[0])
    with pytest.raises(UnreadableItem) as error:
        read_image(listing.items[1])
    assert error.value.rule == "imaging.structure.not_finite"


@pytest.mark.parametrize(
    ("shape", "rule"),
    [((7,), "not_an_image"), ((0, 12, 10), "no_pixel_data"), ((2, 3, 4, 5, 6), "not_an_image")],
)
def test_shapes_that_hold_no_image(tmp_path, shape, rule):
    np.save(tmp_path / "a.npy", np.zeros(shape))
    assert refused(tmp_path / "a.npy") == rule


@pytest.mark.parametrize("dtype", ["U3", "complex64", "M8[s]", [("a", "u1"), ("b", "f4")]])
def test_types_that_are_no_numbers(tmp_path, dtype):
    np.save(tmp_path / "a.npy", np.zeros((4, 12, 10), dtype))
    assert refused(tmp_path / "a.npy") == "unsupported"


def test_broken_archives(tmp_path):
    whole = saved(tmp_path / "a.npz", images=STACK).read_bytes()
    (tmp_path / "short.npz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.npz").write_bytes(b"")
    (tmp_path / "other.npz").write_bytes(b"%PDF" + bytes(100))
    damaged = bytearray(whole)
    damaged[120:140] = bytes(20)
    (tmp_path / "damaged.npz").write_bytes(damaged)
    buffer = io.BytesIO()
    np.save(buffer, STACK)
    (tmp_path / "short.npy").write_bytes(buffer.getvalue()[:300])
    names = ("short.npz", "other.npz", "damaged.npz", "short.npy")
    assert {refused(tmp_path / n) for n in names} == {"truncated"}
    assert refused(tmp_path / "empty.npz") == "empty_file"
    encrypted = bytearray(whole)
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        encrypted[whole.index(signature) + place] |= 1
    (tmp_path / "encrypted.npz").write_bytes(encrypted)
    assert refused(tmp_path / "encrypted.npz") == "encrypted"


def test_a_stack_that_shrank_since_it_was_listed(tmp_path):
    np.save(tmp_path / "a.npy", STACK)
    item = list_items(tmp_path / "a.npy").items[4]
    np.save(tmp_path / "a.npy", STACK[:2])
    with pytest.raises(UnreadableItem) as error:
        read_image(item)
    assert error.value.rule == "imaging.structure.truncated"


def test_constant_images_are_findings(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((2, 9, 9)))
    assert [f.rule for f in images(tmp_path / "a.npy")[0].findings] == [
        "imaging.structure.constant"
    ]
