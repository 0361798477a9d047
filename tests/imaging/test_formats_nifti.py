"""NIfTI: one orientation, physical scale, spacing in millimetres, and what is refused."""

import gzip
import itertools
import struct

import nibabel as nib
import numpy as np
import pytest
from made_files import nifti, pixels, read

from sdq_core.errors import UnreadableItem

LPS = np.diag([-0.8, -0.5, 2.5, 1.0])
VOLUME = pixels((4, 6, 7), high=1000).astype(np.float32)  # (z, y, x)


def refused(path, **options):
    with pytest.raises(UnreadableItem) as error:
        read(path, **options)
    return error.value.rule.removeprefix("imaging.structure.")


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "A.NII.GZ"])
def test_axes_run_to_superior_posterior_and_left(tmp_path, name):
    image = read(nifti(tmp_path / name, VOLUME, LPS))
    np.testing.assert_array_equal(image.pixels, VOLUME)
    np.testing.assert_allclose(image.spacing, (2.5, 0.5, 0.8), rtol=1e-6)
    assert (image.kind, image.unit, image.nominal_range) == ("nifti", "stored", None)
    assert image.pixels.dtype == np.float32
    assert image.pixels.flags.c_contiguous


@pytest.mark.parametrize("flips", list(itertools.product([1, -1], repeat=3)))
@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))))
def test_the_same_anatomy_gives_the_same_pixels_however_it_is_stored(tmp_path, axes, flips):
    # Stored (i, j, k) are a permutation and reflection of the axes (x, y, z) of the truth.
    stored, affine = VOLUME.T, LPS.copy()
    for axis, flip in enumerate(flips):
        if flip < 0:
            stored = np.flip(stored, axis)
            affine[:3, 3] += affine[:3, axis] * (stored.shape[axis] - 1)
            affine[:3, axis] *= -1
    stored = stored.transpose(axes)
    affine[:, :3] = affine[:, list(axes)]
    image = read(nifti(tmp_path / "a.nii", np.ascontiguousarray(stored), affine, zyx=False))
    np.testing.assert_array_equal(image.pixels, VOLUME)
    np.testing.assert_allclose(image.spacing, (2.5, 0.5, 0.8), rtol=1e-6)


def test_an_oblique_volume_is_turned_to_the_closest_axes_without_resampling(tmp_path):
    angle = np.deg2rad(20)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    image = read(nifti(tmp_path / "a.nii", VOLUME, turn @ LPS))
    np.testing.assert_array_equal(image.pixels, VOLUME)


def test_slope_and_intercept_are_applied(tmp_path):
    stored = pixels((3, 4, 5), high=100).astype(np.int16)
    image = nib.Nifti1Image(stored.T, LPS)
    image.header.set_slope_inter(2.0, -1000.0)
    nib.save(image, tmp_path / "a.nii")
    np.testing.assert_allclose(read(tmp_path / "a.nii").pixels, stored * 2.0 - 1000)


@pytest.mark.parametrize(("units", "factor"), [("mm", 1), ("meter", 1000), ("micron", 0.001)])
def test_spacing_is_in_millimetres(tmp_path, units, factor):
    image = nib.Nifti1Image(VOLUME.T, np.diag([-0.8, -0.5, 2.5, 1]))
    image.header.set_xyzt_units(units)
    nib.save(image, tmp_path / "a.nii")
    np.testing.assert_allclose(
        read(tmp_path / "a.nii").spacing, np.array([2.5, 0.5, 0.8]) * factor, rtol=1e-6
    )


@pytest.mark.parametrize("shape", [(6, 7), (1, 6, 7), (1, 1, 6, 7)])
def test_two_dimensions_however_they_are_padded(tmp_path, shape):
    values = VOLUME[0].reshape(shape)
    image = read(nifti(tmp_path / "a.nii", values, LPS))
    np.testing.assert_array_equal(image.pixels, VOLUME[0])
    np.testing.assert_allclose(image.spacing, (0.5, 0.8), rtol=1e-6)


def test_one_volume_of_a_fourth_dimension(tmp_path):
    np.testing.assert_array_equal(read(nifti(tmp_path / "a.nii", VOLUME[None], LPS)).pixels, VOLUME)
    assert refused(nifti(tmp_path / "b.nii", np.stack([VOLUME] * 2), LPS)) == "unsupported"


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float64])
def test_data_types(tmp_path, dtype):
    image = read(nifti(tmp_path / "a.nii", VOLUME.astype(dtype), LPS))
    np.testing.assert_array_equal(image.pixels, VOLUME.astype(dtype).astype(np.float32))


def test_colour_and_complex_values_are_refused(tmp_path):
    rgb = np.zeros((4, 4, 4), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    assert refused(nifti(tmp_path / "a.nii", rgb, LPS)) == "unsupported"
    assert refused(nifti(tmp_path / "b.nii", VOLUME.astype(np.complex64), LPS)) == "unsupported"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
def test_what_cannot_be_computed_with_is_refused(tmp_path, value):
    values = VOLUME.copy()
    values[1, 2, 3] = value
    assert refused(nifti(tmp_path / "a.nii", values, LPS)) == "not_finite"


def test_a_constant_volume_is_a_finding(tmp_path):
    image = read(nifti(tmp_path / "a.nii", np.full((3, 4, 5), 7, np.float32), LPS))
    assert [f.rule for f in image.findings if f.area == "structure"] == [
        "imaging.structure.constant"
    ]


def test_a_singular_affine_is_refused(tmp_path):
    path = nifti(tmp_path / "a.nii", VOLUME, LPS)
    data = bytearray(path.read_bytes())
    data[280:328] = bytes(48)  # srow_x, srow_y, srow_z
    path.write_bytes(data)
    assert refused(path) == "unsupported"


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_files_that_end_too_early(tmp_path, name):
    path = nifti(tmp_path / name, VOLUME, LPS)
    whole = path.read_bytes()
    for keep in (0.3, 0.9):
        path.write_bytes(whole[: int(len(whole) * keep)])
        assert refused(path) in ("truncated", "not_an_image")
    path.write_bytes(b"")
    assert refused(path) == "empty_file"
    path.write_bytes(b"%PDF-1.7 " * 100)
    assert refused(path) == "not_an_image" if name == "a.nii" else "truncated"


def test_a_bomb_is_refused_by_its_header(tmp_path):
    path = nifti(tmp_path / "a.nii", VOLUME, LPS)
    header = bytearray(path.read_bytes()[:352])
    header[42:48] = struct.pack("<3h", 30000, 30000, 30000)
    (tmp_path / "bomb.nii.gz").write_bytes(gzip.compress(bytes(header) + bytes(10_000_000)))
    assert refused(tmp_path / "bomb.nii.gz") == "decompression_bomb"
    assert refused(path, max_pixels=VOLUME.size - 1) == "decompression_bomb"
    two = bytearray(nib.Nifti2Header().binaryblock + bytes(4))
    two[4:12] = b"n+2\0\r\n\x1a\n"
    two[16:48] = struct.pack("<4q", 3, 2**40, 2**40, 2**40)  # a product beyond 64 bits
    (tmp_path / "two.nii").write_bytes(bytes(two) + bytes(100))
    assert refused(tmp_path / "two.nii") == "decompression_bomb"


def test_free_texts_declare_and_other_texts_are_not_kept(tmp_path):
    path = nifti(
        tmp_path / "a.nii", VOLUME, LPS, descrip=b"SyntheticData=YES;Seed=3", aux_file=b"Miller"
    )
    metadata = read(path).metadata
    assert metadata["text:SyntheticData"] == "YES"
    assert metadata["text:Seed"] == "3"
    assert metadata["text:aux_file"] == "present"
    assert "Miller" not in " ".join(metadata.values())


# --- headers that contradict themselves ---


def header(path, **changes):
    """Write a clean header (both forms, millimetres), then change it; return the rules found."""
    image = nib.Nifti1Image(VOLUME.T, LPS)
    image.header.set_xyzt_units("mm")
    image.set_sform(LPS, 1)
    image.set_qform(LPS, 1)
    nib.save(image, path)
    data = bytearray(path.read_bytes())
    for place, form, values in changes.get("at", ()):
        data[place : place + struct.calcsize(form)] = struct.pack(form, *values)
    path.write_bytes(data)
    return [f.rule.removeprefix("imaging.") for f in read(path).findings]


def test_a_clean_header_has_no_finding(tmp_path):
    assert header(tmp_path / "a.nii") == []


@pytest.mark.parametrize(
    ("place", "form", "values", "rule"),
    [
        (292, "<f", (LPS[0, 3] + 5.0,), "conformity.nifti_forms"),  # srow_x moved by 5 mm
        (280, "<f", (0.8,), "conformity.nifti_forms"),  # left and right exchanged
        (80, "<f", (1.6,), "conformity.nifti_spacing"),  # pixdim[1]
        (123, "<B", (0,), "conformity.nifti_units"),
        (123, "<B", (7,), "conformity.nifti_units"),
        (254, "<h", (9,), "conformity.nifti_code"),
        (252, "<2h", (0, 0), "conformity.nifti_orientation"),
        (123, "<B", (1,), "semantics.spacing"),  # metres: voxels of 800 mm
    ],
)
def test_a_header_that_contradicts_itself_is_a_finding(tmp_path, place, form, values, rule):
    assert rule in header(tmp_path / "a.nii", at=[(place, form, values)])


def test_forms_that_differ_by_less_than_half_a_voxel_are_one(tmp_path):
    assert header(tmp_path / "a.nii", at=[(292, "<f", (0.2,))]) == []


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_affine_that_is_not_finite_is_refused(tmp_path, value):
    path = nifti(tmp_path / "a.nii", VOLUME, LPS)
    data = bytearray(path.read_bytes())
    data[284:288] = struct.pack("<f", value)
    path.write_bytes(data)
    assert refused(path) == "unsupported"


def test_the_grid_says_where_voxels_lie(tmp_path):
    affine = LPS.copy()
    affine[:3, 3] = (40, 30, -20)
    image = read(nifti(tmp_path / "a.nii", VOLUME, affine))
    expected = affine @ [6, 5, 3, 1]  # the last column, row and slice as stored
    np.testing.assert_allclose(image.grid @ [6, 5, 3, 1], expected)
    assert read(nifti(tmp_path / "b.nii", VOLUME[:1], affine)).grid is None


def test_identifiers_in_the_headers_texts_are_found_and_not_quoted(tmp_path):
    path = nifti(tmp_path / "a.nii", VOLUME, LPS, descrip=b"tel 13812345678")
    found = [f for f in read(path).findings if f.area == "identifier"]
    assert [f.where for f in found] == ["descrip"]
    assert "138" not in found[0].message + found[0].message_zh
