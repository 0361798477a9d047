"""PNG, JPEG, TIFF and BMP: depth, colour, transparency, rotation flags, and what is refused."""

import struct
import zlib

import numpy as np
import pytest
from made_files import pixels, read
from PIL import Image as Picture
from PIL.PngImagePlugin import PngInfo

from sdq_core.errors import UnreadableItem
from sdq_imaging.formats.picture import luminance

GREY = pixels()
DEEP = pixels(high=65536, dtype=np.uint16)
RGB = pixels((24, 20, 3))


def refused(path, **options):
    with pytest.raises(UnreadableItem) as error:
        read(path, **options)
    return error.value.rule.removeprefix("imaging.structure.")


def rules(image):
    return [f.rule.removeprefix("imaging.structure.") for f in image.findings]


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.tiff", "a.bmp", "A.PNG"])
def test_eight_bit_grey(tmp_path, name):
    Picture.fromarray(GREY).save(tmp_path / name)
    image = read(tmp_path / name)
    np.testing.assert_array_equal(image.pixels, GREY)
    assert (image.nominal_range, image.colour, image.kind) == ((0, 255), None, "picture")
    assert image.pixels.dtype == np.float32
    assert not image.findings


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bit_grey(tmp_path, name):
    Picture.fromarray(DEEP).save(tmp_path / name)
    image = read(tmp_path / name)
    np.testing.assert_array_equal(image.pixels, DEEP)
    assert image.nominal_range == (0, 65535)


def test_big_endian_sixteen_bit_tiff(tmp_path):
    entries = [(256, 20), (257, 24), (258, 16), (259, 1), (262, 1), (277, 1), (278, 24)]
    entries += [(273, 8 + 2 + 9 * 12 + 4), (279, DEEP.size * 2)]
    body = b"".join(struct.pack(">HHII", tag, 4, 1, v) for tag, v in sorted(entries))
    head = b"MM\0*" + struct.pack(">IH", 8, 9) + body + bytes(4)
    (tmp_path / "a.tif").write_bytes(head + DEEP.astype(">u2").tobytes())
    np.testing.assert_array_equal(read(tmp_path / "a.tif").pixels, DEEP)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_compressed_tiff(tmp_path, compression):
    Picture.fromarray(GREY).save(tmp_path / "a.tif", compression=compression)
    np.testing.assert_array_equal(read(tmp_path / "a.tif").pixels, GREY)


def test_thirty_two_bit_and_float_tiff(tmp_path):
    values = (DEEP.astype(np.int32) - 1000) * 3
    Picture.fromarray(values).save(tmp_path / "a.tif")
    image = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.pixels, values)
    assert image.nominal_range is None
    values = np.random.default_rng(0).normal(size=(9, 8)).astype(np.float32)
    Picture.fromarray(values).save(tmp_path / "b.tif")
    np.testing.assert_array_equal(read(tmp_path / "b.tif").pixels, values)
    values[2, 2] = np.nan
    Picture.fromarray(values).save(tmp_path / "c.tif")
    assert refused(tmp_path / "c.tif") == "not_finite"


def test_one_bit(tmp_path):
    Picture.fromarray(GREY > 100).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read(tmp_path / "a.png").pixels, (GREY > 100) * 255.0)


def test_colour_gives_luminance_and_the_colours(tmp_path):
    Picture.fromarray(RGB).save(tmp_path / "a.png")
    image = read(tmp_path / "a.png")
    np.testing.assert_array_equal(image.colour, RGB)
    np.testing.assert_allclose(image.pixels, RGB @ np.array([0.299, 0.587, 0.114]), atol=2e-3)
    np.testing.assert_array_equal(image.pixels, luminance(RGB))


def test_grey_written_as_colour_is_grey(tmp_path):
    Picture.fromarray(np.stack([GREY] * 3, -1)).save(tmp_path / "a.png")
    image = read(tmp_path / "a.png")
    np.testing.assert_array_equal(image.pixels, GREY)
    assert image.colour is None


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_transparency_is_left_out_and_told(tmp_path, mode):
    picture = Picture.fromarray(GREY).convert(mode)
    picture.putalpha(Picture.fromarray(255 - GREY))
    picture.save(tmp_path / "a.png")
    image = read(tmp_path / "a.png")
    np.testing.assert_array_equal(image.pixels, GREY)
    assert rules(image) == ["alpha_dropped"]


def test_a_palette_is_resolved_and_its_transparency_told(tmp_path):
    picture = Picture.fromarray(GREY % 8, mode=None).convert("P")
    picture.putpalette([v for k in range(256) for v in (k * 30 % 256, 255 - k, k)])
    picture.save(tmp_path / "a.png")
    truth = np.stack([GREY % 8 * 30, 255 - GREY % 8, GREY % 8], -1)
    np.testing.assert_array_equal(read(tmp_path / "a.png").colour, truth)
    picture.save(tmp_path / "b.png", transparency=3)
    assert rules(read(tmp_path / "b.png")) == ["alpha_dropped"]


def test_cmyk(tmp_path):
    cmyk = Picture.new("CMYK", (8, 6), (0, 255, 255, 0))
    cmyk.paste((0, 0, 0, 0), (0, 0, 4, 6))
    cmyk.save(tmp_path / "a.tif")
    image = read(tmp_path / "a.tif")
    assert image.colour[0, 0].tolist() == [255, 255, 255]
    assert image.colour[0, 7].tolist() == [255, 0, 0]
    cmyk.save(tmp_path / "a.jpg", quality=95)
    assert np.abs(read(tmp_path / "a.jpg").colour[0, 7].astype(int) - [255, 0, 0]).max() < 6


@pytest.mark.parametrize(
    ("orientation", "turned"),
    [
        (1, lambda a: a),
        (2, np.fliplr),
        (3, lambda a: a[::-1, ::-1]),
        (6, lambda a: np.rot90(a, -1)),
        (8, np.rot90),
    ],
)
def test_the_rotation_flag_is_obeyed(tmp_path, orientation, turned):
    exif = Picture.Exif()
    exif[274] = orientation
    Picture.fromarray(GREY).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read(tmp_path / "a.png").pixels, turned(GREY))


def test_a_constant_picture_is_a_finding(tmp_path):
    Picture.fromarray(np.full((9, 9), 7, np.uint8)).save(tmp_path / "a.png")
    assert rules(read(tmp_path / "a.png")) == ["constant"]


def test_more_pages_than_one_are_not_passed_over_in_silence(tmp_path):
    pages = [Picture.fromarray(GREY), Picture.fromarray(255 - GREY)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    assert refused(tmp_path / "a.tif") == "unsupported"
    pages[0].save(tmp_path / "a.png", save_all=True, append_images=pages[1:])
    assert refused(tmp_path / "a.png") == "unsupported"


def test_texts_about_the_synthesis_are_kept_and_others_only_named(tmp_path):
    info = PngInfo()
    for key, value in (("SyntheticData", "YES"), ("Seed", "7"), ("Author", "Dr Miller")):
        info.add_text(key, value)
    Picture.fromarray(GREY).save(tmp_path / "a.png", pnginfo=info)
    metadata = read(tmp_path / "a.png").metadata
    assert metadata["text:SyntheticData"] == "YES"
    assert metadata["text:Seed"] == "7"
    assert metadata["text:Author"] == "present"


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb(side):
    header = struct.pack(">2I5B", side, side, 8, 0, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(10_000)))
    return b"\x89PNG\r\n\x1a\n" + data + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [17_000, 2**31 - 1])
def test_a_bomb_is_refused_by_its_header(tmp_path, side):
    (tmp_path / "a.png").write_bytes(bomb(side))
    assert refused(tmp_path / "a.png") == "decompression_bomb"


def test_the_limit_is_the_one_of_the_settings(tmp_path, monkeypatch):
    Picture.fromarray(GREY).save(tmp_path / "a.png")
    assert refused(tmp_path / "a.png", max_pixels=GREY.size - 1) == "decompression_bomb"
    # Pillow's own limit, here lowered, neither forbids what the settings allow nor is it lost.
    monkeypatch.setattr(Picture, "MAX_IMAGE_PIXELS", 10)
    assert read(tmp_path / "a.png", max_pixels=GREY.size).pixels.shape == GREY.shape
    assert Picture.MAX_IMAGE_PIXELS == 10


def test_a_text_bomb_is_refused(tmp_path):
    header = chunk(b"IHDR", struct.pack(">2I5B", 1, 1, 8, 0, 0, 0, 0))
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100_000_000)))
    data = b"\x89PNG\r\n\x1a\n" + header + text + chunk(b"IDAT", zlib.compress(bytes(2)))
    (tmp_path / "a.png").write_bytes(data + chunk(b"IEND", b""))
    assert refused(tmp_path / "a.png") == "truncated"


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.bmp"])
def test_pictures_that_end_too_early(tmp_path, name):
    Picture.fromarray(GREY).save(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) * 6 // 10])
    assert refused(tmp_path / name) in ("truncated", "not_an_image")


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "empty_file"),
        (b"%PDF-1.7\n%" + bytes(100), "not_an_image"),
        (b"PK\x03\x04" + bytes(100), "not_an_image"),
        (b"\x1f\x8b\x08" + bytes(100), "not_an_image"),
        (bytes(range(256)) * 4, "not_an_image"),
        (b"\x30\x82\x10\x00\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03" + bytes(99), "encrypted"),
    ],
)
@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a", "a.dcm"])
def test_what_is_no_image(tmp_path, data, rule, name):
    (tmp_path / name).write_bytes(data)
    assert refused(tmp_path / name) == rule


SECRET = "Patient Name: Li Si; MRN 00123456"
KINDS = {"imaging.identifier.name", "imaging.identifier.record_number"}


def _exif(tag, value, folder=None):
    exif = Picture.Exif()
    (exif if folder is None else exif.get_ifd(folder))[tag] = value
    return {"exif": exif}


def _chunk(key, value):
    info = PngInfo()
    info.add_itxt(key, value)
    return {"pnginfo": info}


XMP = f'<x xmlns:dc="urn:dc"><dc:creator>{SECRET}</dc:creator></x>'.encode()
USER = b"UNICODE\0" + SECRET.encode("utf-16")


@pytest.mark.parametrize(
    ("name", "options", "where"),
    [
        ("a.png", _chunk("Comment", SECRET), "text:Comment"),
        ("a.png", _chunk("XML:com.adobe.xmp", XMP.decode()), "text:XMP:creator"),
        ("a.png", _exif(0x010E, SECRET), "text:EXIF:ImageDescription"),
        ("a.jpg", {"comment": SECRET.encode()}, "text:comment"),
        ("a.jpg", _exif(0x013B, SECRET), "text:EXIF:Artist"),
        ("a.jpg", _exif(0x9286, USER, 0x8769), "text:EXIF:UserComment"),
        ("a.jpg", _exif(0x9C9C, SECRET.encode("utf-16-le")), "text:EXIF:XPComment"),
        ("a.jpg", {"xmp": XMP}, "text:XMP:creator"),
        ("a.tif", {"tiffinfo": {315: SECRET}}, "text:Artist"),
        ("a.tif", {"tiffinfo": {270: SECRET}}, "text:ImageDescription"),
    ],
)
def test_identifiers_in_texts_are_found_and_never_quoted(tmp_path, name, options, where):
    Picture.fromarray(GREY).save(tmp_path / name, **options)
    image = read(tmp_path / name)
    assert {f.rule for f in image.findings} == KINDS
    assert where in {f.where for f in image.findings}
    assert "Li Si" not in str(image.findings) + str(image.metadata)
    assert "00123456" not in str(image.findings) + str(image.metadata)


def test_a_key_is_a_label_and_is_not_quoted_where_it_is_an_identifier(tmp_path):
    Picture.fromarray(GREY).save(tmp_path / "a.png", **_chunk("PatientName", "Li Si"))
    (found,) = read(tmp_path / "a.png").findings
    assert (found.rule, found.where) == ("imaging.identifier.name", "text:PatientName")
    Picture.fromarray(GREY).save(tmp_path / "b.png", **_chunk("MRN 00123456", "scan"))
    image = read(tmp_path / "b.png")
    assert [f.where for f in image.findings] == ["text:key"]
    assert "00123456" not in str(image.findings) + str(image.metadata)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif"])
def test_the_place_of_a_picture_is_found(tmp_path, name):
    exif = Picture.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (39.0, 54.0, 1.0), 3: "E", 4: (116.0, 23.0, 1.0)})
    Picture.fromarray(GREY).save(tmp_path / name, exif=exif.tobytes())
    (found,) = read(tmp_path / name).findings
    assert (found.rule, found.where) == ("imaging.identifier.location", "EXIF GPS")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.png", _chunk("Description", "synthetic radiograph 13 of 1380, run 2024-05-01")),
        ("a.png", _chunk("Software", "Pillow 12.1.0")),
        ("a.jpg", {**_exif(0x0131, "GIMP 2.10.36"), "comment": b"made by a model, seed 138001"}),
        ("a.jpg", {"xmp": b'<x xmlns:m="urn:m" m:DocumentID="13800138000"/>'}),
        ("a.tif", {"tiffinfo": {305: "ImageJ 1.54f", 306: "2024:05:01 10:11:12", 270: "pixels"}}),
    ],
)
def test_harmless_texts_give_no_finding(tmp_path, name, options):
    Picture.fromarray(GREY).save(tmp_path / name, **options)
    assert not read(tmp_path / name).findings
