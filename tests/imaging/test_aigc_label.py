"""The label of generated content in pictures, NIfTI, DICOM and stacks."""

import json

import nibabel as nib
import numpy as np
import pytest
from PIL import Image as Picture
from PIL.PngImagePlugin import PngInfo
from pydicom import Dataset

from sdq_core.aigc import label_state
from sdq_core.dicom.synthetic_declaration import synthesis_metadata
from sdq_imaging.dicom.synthetic_declaration import declared_synthetic
from sdq_imaging.formats import nifti, picture
from sdq_imaging.formats.aigc_label import label_in_xmp
from sdq_imaging.reading import list_items

LABEL = {"Label": "1", "ContentProducer": "a house", "ProduceID": "42"}
TEXT = json.dumps(LABEL)
SPACE = "http://www.tc260.org.cn/ns/AIGC/1.0/"
GREY = Picture.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16))
RDF = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    'xmlns:{prefix}="{space}"{inside}</rdf:Description></rdf:RDF></x:xmpmeta>'
)
ESCAPED = TEXT.replace('"', "&quot;")


def packet(form="element", prefix="TC260", space=SPACE):
    inside = {
        "element": f"><{prefix}:AIGC>{ESCAPED}</{prefix}:AIGC>",
        "attribute": f' {prefix}:AIGC="{ESCAPED}">',
    }[form]
    return RDF.format(prefix=prefix, space=space, inside=inside)


def png(path, **texts):
    info = PngInfo()
    for key, value in texts.items():
        (info.add_itxt if key == "xmp" else info.add_text)(
            "XML:com.adobe.xmp" if key == "xmp" else key, value
        )
    GREY.save(path, pnginfo=info)


def exif(tag, value):
    made = Picture.Exif()
    if tag == 0x9286:
        made.get_ifd(0x8769)[tag] = value
    else:
        made[tag] = value
    return made


WRITERS = {
    "PNG text": ("a.png", lambda p: png(p, AIGC=TEXT)),
    "PNG XMP": ("a.png", lambda p: png(p, xmp=packet())),
    "PNG XMP attribute": ("a.png", lambda p: png(p, xmp=packet("attribute", "ns1"))),
    "JPEG XMP": ("a.jpg", lambda p: GREY.save(p, xmp=packet().encode())),
    "JPEG comment": ("a.jpg", lambda p: GREY.save(p, comment=f"AIGC: {TEXT}".encode())),
    "JPEG EXIF": ("a.jpg", lambda p: GREY.save(p, exif=exif(0x010E, f"AIGC={TEXT}"))),
    "JPEG EXIF comment": (
        "a.jpg",
        lambda p: GREY.save(p, exif=exif(0x9286, b"ASCII\0\0\0AIGC " + TEXT.encode())),
    ),
    "TIFF XMP": ("a.tif", lambda p: GREY.save(p, tiffinfo={700: packet().encode()})),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRITERS)
def test_a_picture_carries_the_label_wherever_files_keep_it(tmp_path, kind):
    name, save = WRITERS[kind]
    save(tmp_path / name)
    found = picture.read(tmp_path / name, 10**6).metadata["text:AIGC"]
    assert json.loads(found) == LABEL
    assert label_state(found) == "valid"
    assert declared_synthetic({"text:AIGC": found}, "picture") is True


def test_a_picture_without_one_has_none(tmp_path):
    png(tmp_path / "a.png", Description="an AI generated picture", xmp=packet(space="urn:other"))
    assert "text:AIGC" not in picture.read(tmp_path / "a.png", 10**6).metadata


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16"),
        "<a><b></a>",
        "<" * 3 * 10**5,
        "",
        b"\xff\xfe\x00",
        packet().replace("&quot;", ""),
    ],
)
def test_a_hostile_or_broken_packet_gives_nothing(text):
    assert label_in_xmp(text) in ("", "{}")


def test_nifti_carries_the_label_in_its_header(tmp_path):
    image = nib.Nifti1Image(np.arange(64, dtype=np.int16).reshape(4, 4, 4), np.eye(4))
    nib.save(image, tmp_path / "none.nii")
    image.header["descrip"] = b'AIGC={"Label":"1","ContentProducer":"a","ProduceID":"7"}'
    nib.save(image, tmp_path / "text.nii")
    image.header["descrip"] = b""
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", f"AIGC: {TEXT}".encode()))
    nib.save(image, tmp_path / "extension.nii.gz")
    states = {
        p.name: label_state(nifti.read(p, 10**6).metadata.get("text:AIGC"))
        for p in tmp_path.iterdir()
    }
    assert states == {"none.nii": "missing", "text.nii": "valid", "extension.nii.gz": "valid"}


def test_a_dicom_object_carries_the_label_in_a_text():
    header = Dataset()
    header.DerivationDescription = f"generator=vae; seed=7; AIGC={TEXT}"
    found = synthesis_metadata(header)
    assert (found["AlgorithmName"], found["Seed"]) == ("vae", "7")
    assert label_state(found["AIGC"]) == "valid"
    header.DerivationDescription = "generator=vae; seed=7"
    assert "AIGC" not in synthesis_metadata(header)


def test_a_stack_carries_the_label_of_each_item(tmp_path):
    images = np.random.default_rng(0).integers(0, 255, (3, 16, 16), dtype=np.uint8)
    np.savez(tmp_path / "s.npz", images=images, AIGC=np.array([TEXT, TEXT, ""]))
    states = [label_state(i.attributes.get("AIGC")) for i in list_items(tmp_path / "s.npz").items]
    assert states == ["valid", "valid", "missing"]
