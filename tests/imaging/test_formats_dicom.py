"""DICOM: pixels, units, spacing and order of slices and frames, for every transfer syntax."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from made_files import ORIENTATION, dicom, nifti, pixels, read, series
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import (
    JPEG2000,
    DeflatedExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from sdq_core.errors import UnreadableItem
from sdq_imaging.formats import dicom as reader
from sdq_imaging.formats.codestream import frame_size
from sdq_imaging.reading import list_items, read_image

STORED = pixels((16, 12), high=4096, dtype=np.uint16)
LUMINANCE = np.array([0.299, 0.587, 0.114])


def shipped(name):
    return Path(get_testdata_file(name, download=False))


def read_shipped(name):
    return reader.read([shipped(name)], 2**28)


def refused(path, **options):
    with pytest.raises(UnreadableItem) as error:
        read(path, **options)
    return error.value.rule.removeprefix("imaging.structure.")


# --- pixels ---


def test_ct_is_in_hounsfield_units_by_its_rescale(tmp_path):
    dicom(tmp_path / "a.dcm", STORED, modality="CT", RescaleSlope=2, RescaleIntercept=-1024)
    image = read(tmp_path / "a.dcm")
    assert image.unit == "HU"
    assert image.nominal_range == (-1024, 3071)
    np.testing.assert_array_equal(image.pixels, STORED * 2.0 - 1024)
    assert image.pixels.dtype == np.float32


@pytest.mark.parametrize("tags", [{"modality": "MR"}, {"modality": "CT", "RescaleType": "US"}])
def test_what_is_not_in_hounsfield_units_does_not_say_so(tmp_path, tags):
    dicom(tmp_path / "a.dcm", STORED, RescaleSlope=0.5, RescaleIntercept=3, **tags)
    image = read(tmp_path / "a.dcm")
    assert (image.unit, image.nominal_range) == ("stored", None)
    np.testing.assert_array_equal(image.pixels, STORED * 0.5 + 3)


def test_signed_pixels_stay_signed(tmp_path):
    stored = (STORED.astype(np.int16) - 2048).astype(np.int16)
    dicom(tmp_path / "a.dcm", stored)
    np.testing.assert_array_equal(read(tmp_path / "a.dcm").pixels, stored)


@pytest.mark.parametrize(
    ("dtype", "tags", "total"),
    [
        (np.uint8, {}, 255),
        (np.uint16, {"BitsStored": 12, "HighBit": 11}, 4095),
        (np.int16, {}, -1),
    ],
)
def test_monochrome1_is_inverted_about_the_range_of_the_stored_values(tmp_path, dtype, tags, total):
    # Not about the image's own range: a dark image would stay as dark as a bright one.
    stored = pixels((8, 8), high=100, dtype=dtype)
    dicom(tmp_path / "a.dcm", stored, PhotometricInterpretation="MONOCHROME1", **tags)
    np.testing.assert_array_equal(read(tmp_path / "a.dcm").pixels, total - stored.astype(float))


def test_monochrome1_keeps_hounsfield_units(tmp_path):
    dicom(tmp_path / "a.dcm", STORED, modality="CT", PhotometricInterpretation="MONOCHROME1")
    np.testing.assert_array_equal(read(tmp_path / "a.dcm").pixels, STORED)


def test_a_modality_table_is_applied(tmp_path):
    lut = Dataset()
    lut.LUTDescriptor, lut.ModalityLUTType = [4, 0, 16], "US"
    lut.LUTData = struct.pack("<4H", 10, 20, 40, 80)
    stored = pixels((8, 8), high=4)
    dicom(tmp_path / "a.dcm", stored, ModalityLUTSequence=[lut])
    np.testing.assert_array_equal(
        read(tmp_path / "a.dcm").pixels, np.array([10, 20, 40, 80])[stored]
    )


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_native_transfer_syntaxes(tmp_path, syntax):
    dicom(tmp_path / "a.dcm", STORED, syntax=syntax)
    np.testing.assert_array_equal(read(tmp_path / "a.dcm").pixels, STORED)


def test_big_endian_and_bare_data_sets():
    truth = read_shipped("MR_small.dcm").pixels
    for name in ("MR_small_bigendian.dcm", "MR_small_implicit.dcm", "MR_small_expb.dcm"):
        np.testing.assert_array_equal(read_shipped(name).pixels, truth)


@pytest.mark.parametrize("implicit", [True, False])
def test_a_data_set_without_preamble_and_meta_header_is_read(tmp_path, implicit):
    ds = dicom(tmp_path / "whole.dcm", STORED, SpecificCharacterSet="ISO_IR 100")
    del ds.file_meta
    ds.preamble = None
    ds.save_as(tmp_path / "bare.dcm", implicit_vr=implicit, little_endian=True)
    np.testing.assert_array_equal(read(tmp_path / "bare.dcm").pixels, STORED)


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
@pytest.mark.parametrize("frames", [1, 3])
def test_lossless_compression_keeps_every_pixel(tmp_path, syntax, frames):
    stored = pixels((frames, 64, 40)[frames == 1 :], high=4096, dtype=np.uint16)
    ds = dicom(tmp_path / "a.dcm", stored)
    options = {"encoding_plugin": {RLELossless: "pydicom"}.get(syntax, "")}
    ds.compress(syntax, **options)
    ds.save_as(tmp_path / "b.dcm")
    image = read(tmp_path / "b.dcm")
    np.testing.assert_array_equal(image.pixels, stored)
    assert "PixelDataLength" not in image.metadata


def test_lossless_jpeg_and_its_native_twin():
    lossless = read_shipped("SC_rgb_jpeg_gdcm.dcm")
    plain = read_shipped("SC_rgb_rle.dcm")
    np.testing.assert_array_equal(lossless.colour, plain.colour)


def test_lossy_compression_stays_near(tmp_path):
    smooth = np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8) * 2
    ds = dicom(tmp_path / "a.dcm", smooth)
    ds.compress(JPEG2000, j2k_cr=[8])
    ds.save_as(tmp_path / "b.dcm")
    assert np.abs(read(tmp_path / "b.dcm").pixels - smooth).mean() < 2
    baseline = read_shipped("SC_rgb_dcmtk_+eb+cr.dcm").colour.astype(int)
    native = read_shipped("SC_rgb_rle.dcm").colour.astype(int)
    assert np.abs(baseline - native).mean() < 2


def test_twelve_bit_lossy_jpeg_is_named_as_not_supported():
    with pytest.raises(UnreadableItem) as error:
        read_shipped("JPGExtended.dcm")
    assert error.value.rule == "imaging.structure.unsupported"


def test_colour_gives_luminance_and_the_colours(tmp_path):
    rgb = pixels((10, 8, 3))
    dicom(tmp_path / "a.dcm", rgb)
    image = read(tmp_path / "a.dcm")
    np.testing.assert_array_equal(image.colour, rgb)
    np.testing.assert_allclose(image.pixels, rgb @ LUMINANCE, atol=2e-3)


def test_ybr_is_converted_once(tmp_path):
    from pydicom.pixels.processing import convert_color_space

    rgb = pixels((10, 8, 3))
    ybr = convert_color_space(rgb, "RGB", "YBR_FULL")
    ds = dicom(tmp_path / "a.dcm", ybr, PhotometricInterpretation="YBR_FULL")
    assert np.abs(read(tmp_path / "a.dcm").colour.astype(int) - rgb).max() <= 2
    ds.compress(RLELossless, encoding_plugin="pydicom")
    ds.save_as(tmp_path / "b.dcm")
    assert np.abs(read(tmp_path / "b.dcm").colour.astype(int) - rgb).max() <= 2
    half = read_shipped("SC_ybr_full_422_uncompressed.dcm").colour.astype(int)
    assert np.abs(half - read_shipped("SC_rgb_rle.dcm").colour)[5::10, 50].max() <= 5


def test_a_palette_gives_its_colours():
    image = read_shipped("examples_palette.dcm")
    assert image.colour.shape == (350, 800, 3)
    np.testing.assert_allclose(image.pixels, image.colour @ LUMINANCE, atol=2e-3)


# --- geometry ---


def test_spacing_is_rows_then_columns(tmp_path):
    dicom(tmp_path / "a.dcm", STORED, PixelSpacing=[0.7, 0.3])
    assert read(tmp_path / "a.dcm").spacing == (0.7, 0.3)
    dicom(tmp_path / "b.dcm", STORED, PixelSpacing=[0, 0.3])
    assert read(tmp_path / "b.dcm").spacing is None


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [4, 2, 0, 3, 1], [4, 3, 2, 1, 0]])
@pytest.mark.parametrize("step", [2.5, -2.5])
def test_a_series_is_one_volume_in_z_order_whatever_the_file_names(tmp_path, order, step):
    volume = pixels((5, 6, 7), high=1000, dtype=np.uint16)
    series(tmp_path / "case", volume, step=step, order=order)
    listing = list_items(tmp_path)
    (item,) = listing.items
    assert item.id.startswith("case#series-")
    image = read_image(item)
    np.testing.assert_array_equal(image.pixels, volume if step > 0 else volume[::-1])
    assert image.spacing == (2.5, 0.5, 0.8)
    assert image.metadata["Files"] == "5"
    assert not image.findings
    assert len(list_items(tmp_path, dimensions="2d").items) == 5


def test_a_missing_slice_is_told_and_a_doubled_one_is_no_volume(tmp_path):
    volume = pixels((6, 6, 7), dtype=np.uint16)
    series(tmp_path / "a", volume)
    (tmp_path / "a/003.dcm").unlink()
    (item,) = list_items(tmp_path / "a").items
    image = read_image(item)
    assert [f.rule for f in image.findings] == ["imaging.structure.uneven_slices"]
    assert image.spacing[0] == 2.5
    series(tmp_path / "b", volume, step=0)
    listing = list_items(tmp_path / "b")
    assert len(listing.items) == 6
    assert [f.rule for f in listing.findings] == ["imaging.structure.geometry"]


def test_two_series_in_one_folder_are_two_items_and_mixed_sizes_are_slices(tmp_path):
    volume = pixels((4, 6, 7), dtype=np.uint16)
    series(tmp_path, volume, uid="1.2.3")
    series(tmp_path, volume, uid="1.2.4", order=[10, 11, 12, 13])
    assert [i.part for i in list_items(tmp_path).items] == ["series", "series"]
    series(tmp_path / "mixed", volume[:, :5], uid="1.2.5")
    series(tmp_path / "mixed", volume[:1], uid="1.2.5", start=90, order=[20])
    assert sum(i.id.startswith("mixed/") for i in list_items(tmp_path).items) == 5


def test_a_volume_is_the_same_as_dicom_and_as_nifti(tmp_path):
    volume = pixels((4, 6, 7), high=1000, dtype=np.uint16)
    series(tmp_path / "dicom", volume)
    # DICOM axes run to left, posterior, superior; NIfTI's affine maps to right, anterior, superior.
    affine = np.diag([-0.8, -0.5, 2.5, 1.0])
    affine[2, 3] = -10
    one = read_image(list_items(tmp_path / "dicom").items[0])
    two = read(nifti(tmp_path / "same.nii.gz", volume.astype(np.float32), affine))
    np.testing.assert_array_equal(one.pixels, two.pixels)
    np.testing.assert_allclose(one.spacing, two.spacing, rtol=1e-6)


def group(**values):
    found = Dataset()
    for name, value in values.items():
        setattr(found, name, value)
    return found


def test_enhanced_frames_are_rescaled_and_ordered_each_by_its_own_group(tmp_path):
    stored = pixels((3, 8, 8), high=1000, dtype=np.uint16)
    places, slopes = [5.0, -1.0, 2.0], [1.0, 2.0, 4.0]
    frames = [
        group(
            PlanePositionSequence=[group(ImagePositionPatient=[0, 0, z])],
            PixelValueTransformationSequence=[group(RescaleSlope=s, RescaleIntercept=-10)],
        )
        for z, s in zip(places, slopes, strict=True)
    ]
    shared = group(
        PlaneOrientationSequence=[group(ImageOrientationPatient=ORIENTATION)],
        PixelMeasuresSequence=[group(PixelSpacing=[0.5, 0.8], SliceThickness=7)],
    )
    dicom(
        tmp_path / "a.dcm",
        stored,
        modality="CT",
        SharedFunctionalGroupsSequence=[shared],
        PerFrameFunctionalGroupsSequence=frames,
    )
    image = read(tmp_path / "a.dcm")
    expected = stored * np.array(slopes)[:, None, None] - 10
    np.testing.assert_array_equal(image.pixels, expected[[1, 2, 0]])
    assert image.spacing == (3.0, 0.5, 0.8)


def test_plain_multi_frame_keeps_its_order_and_takes_the_declared_distance(tmp_path):
    stored = pixels((3, 8, 8))
    dicom(tmp_path / "a.dcm", stored, PixelSpacing=[1, 1], SpacingBetweenSlices=4)
    image = read(tmp_path / "a.dcm")
    np.testing.assert_array_equal(image.pixels, stored)
    assert image.spacing == (4, 1, 1)


# --- what is kept, and what is refused ---


def test_no_identifying_value_is_kept(tmp_path):
    dicom(tmp_path / "a.dcm", STORED, PatientID="Miller-77", PatientName="Miller^A", PatientSex="F")
    metadata = read(tmp_path / "a.dcm").metadata
    assert "Miller" not in " ".join(metadata.values())
    assert metadata["PatientSex"] == "F"
    assert len(metadata["sha256:PatientID"]) == 64


def test_objects_without_pixels(tmp_path):
    ds = dicom(tmp_path / "a.dcm", STORED)
    del ds.PixelData
    ds.save_as(tmp_path / "no_pixels.dcm")
    assert refused(tmp_path / "no_pixels.dcm") == "no_pixel_data"
    ds.EncryptedAttributesSequence = [group(EncryptedContent=b"12345678")]
    ds.save_as(tmp_path / "encrypted.dcm")
    assert refused(tmp_path / "encrypted.dcm") == "encrypted"
    with pytest.raises(UnreadableItem) as error:
        read_shipped("rtplan.dcm")
    assert error.value.rule == "imaging.structure.not_an_image"


def test_pixels_that_end_too_early(tmp_path):
    ds = dicom(tmp_path / "a.dcm", STORED)
    ds.PixelData = ds.PixelData[:-20]
    ds.save_as(tmp_path / "short.dcm")
    assert refused(tmp_path / "short.dcm") == "truncated"


def test_a_declared_size_is_refused_before_it_is_decoded(tmp_path):
    dicom(tmp_path / "a.dcm", STORED, Rows=60000, Columns=60000)
    assert refused(tmp_path / "a.dcm") == "decompression_bomb"
    dicom(tmp_path / "b.dcm", STORED, NumberOfFrames=2**30)
    assert refused(tmp_path / "b.dcm") == "decompression_bomb"
    dicom(tmp_path / "c.dcm", STORED)
    assert refused(tmp_path / "c.dcm", max_pixels=16 * 12 - 1) == "decompression_bomb"
    assert read(tmp_path / "c.dcm", max_pixels=16 * 12).pixels.shape == (16, 12)


def test_a_stream_of_another_size_than_the_header_is_refused(tmp_path):
    ds = dicom(tmp_path / "a.dcm", pixels((64, 40)))
    ds.compress(JPEG2000Lossless)
    size, larger = struct.pack(">2I", 40, 64), struct.pack(">2I", 60000, 60000)
    assert size in ds.PixelData
    ds.PixelData = ds.PixelData.replace(size, larger)
    ds.save_as(tmp_path / "b.dcm")
    assert refused(tmp_path / "b.dcm") == "truncated"


def test_a_deflated_bomb_is_not_inflated(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "LARGEST_DEFLATED", 2**20)
    dicom(tmp_path / "a.dcm", np.zeros((1100, 1000), np.uint8), syntax="1.2.840.10008.1.2.1.99")
    assert (tmp_path / "a.dcm").stat().st_size < 5000
    inflated = []
    monkeypatch.setattr(zlib, "decompress", lambda *a, **k: inflated.append(a))
    assert refused(tmp_path / "a.dcm") == "decompression_bomb"
    assert not inflated


def test_frame_sizes_agree_with_the_headers():
    from pydicom.encaps import generate_frames

    for name in ("SC_rgb_jpeg_gdcm.dcm", "MR_small_jp2klossless.dcm", "JPEGLSNearLossless_16.dcm"):
        ds = dcmread(shipped(name))
        frame = next(generate_frames(ds.PixelData, number_of_frames=1))
        assert frame_size(frame)[:3] == (ds.Rows, ds.Columns, ds.SamplesPerPixel)
        assert all(frame_size(frame[:k]) is None for k in range(40))


def test_a_broken_jpeg_header_does_not_reach_the_decoder(tmp_path):
    # The Adobe segment's colour transform: GDCM ends the process at an unknown one.
    data = bytearray(shipped("SC_rgb_jpeg_gdcm.dcm").read_bytes())
    place = data.index(b"Adobe") + 11
    data[place] = 120
    (tmp_path / "a.dcm").write_bytes(data)
    assert refused(tmp_path / "a.dcm") == "truncated"
