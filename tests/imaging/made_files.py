"""Files of every image format with known pixels, written by the format's own libraries."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
from PIL import Image as Picture
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from sdq_core.description import Item
from sdq_imaging.image import Image
from sdq_imaging.reading import read_image

ORIENTATION = [1, 0, 0, 0, 1, 0]


def pixels(shape=(24, 20), seed=0, high=256, dtype=np.uint8):
    return np.random.default_rng(seed).integers(0, high, shape).astype(dtype)


def read(path: Path, **options) -> Image:
    return read_image(Item(path.name, (path,)), **options)


def dicom(
    path: Path, stored, *, modality="MR", series="1.2.3", syntax=ExplicitVRLittleEndian, **tags
):
    """Write one DICOM file of grey or RGB pixels, native; `tags` are set as they are."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[path.name])
    meta.TransferSyntaxUID = syntax
    ds = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID = meta.MediaStorageSOPClassUID
    ds.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    ds.Modality, ds.SeriesInstanceUID = modality, series
    colour = stored.shape[-1] == 3 and stored.dtype == np.uint8
    grid = stored.shape[:-1] if colour else stored.shape
    if len(grid) == 3:
        ds.NumberOfFrames = grid[0]
    ds.Rows, ds.Columns = grid[-2:]
    ds.SamplesPerPixel = 3 if colour else 1
    ds.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        ds.PlanarConfiguration = 0
    bits = stored.dtype.itemsize * 8
    ds.BitsAllocated = ds.BitsStored = bits
    ds.HighBit, ds.PixelRepresentation = bits - 1, int(stored.dtype.kind == "i")
    for name, value in tags.items():
        setattr(ds, name, value)
    data = stored.astype(stored.dtype.newbyteorder("<")).tobytes()
    ds.PixelData = data + b"\0" * (len(data) % 2)
    ds.save_as(path, enforce_file_format=True)
    return ds


def series(folder: Path, volume, *, step=2.5, start=-10.0, uid="1.2.3", order=None, **tags):
    """Write a volume as one DICOM file a slice; `order` gives the file numbers of the slices."""
    folder.mkdir(parents=True, exist_ok=True)
    order = range(len(volume)) if order is None else order
    for k, number in enumerate(order):
        dicom(
            folder / f"{number:03d}.dcm",
            volume[k],
            series=uid,
            ImageOrientationPatient=ORIENTATION,
            ImagePositionPatient=[0, 0, start + step * k],
            PixelSpacing=[0.5, 0.8],
            SliceThickness=9,
            InstanceNumber=number,
            **tags,
        )
    return folder


def nifti(path: Path, values, affine=None, *, zyx=True, **header):
    """Write NIfTI; values of axes (z, y, x) unless they are given as (x, y, z)."""
    image = nib.Nifti1Image(values.T if zyx else values, np.eye(4) if affine is None else affine)
    for name, value in header.items():
        image.header[name] = value
    nib.save(image, path)
    return path


def one_of_each(folder: Path) -> dict[str, Path]:
    """Write one good file of each format and return them by name."""
    folder.mkdir(parents=True, exist_ok=True)
    grey = pixels()
    Picture.fromarray(grey).save(folder / "grey.png")
    Picture.fromarray(grey.astype(np.uint16) * 200).save(folder / "deep.png")
    Picture.fromarray(grey).convert("P").save(folder / "palette.png")
    Picture.fromarray(pixels((24, 20, 3))).save(folder / "colour.jpg")
    Picture.fromarray(grey).save(folder / "plain.tif")
    Picture.fromarray(grey).save(folder / "packed.tif", compression="tiff_lzw")
    Picture.fromarray(grey).save(folder / "grey.bmp")
    nifti(folder / "volume.nii", pixels((4, 5, 6)).astype(np.float32))
    (folder / "volume.nii.gz").write_bytes(gzip.compress((folder / "volume.nii").read_bytes()))
    np.save(folder / "stack.npy", pixels((3, 24, 20)))
    labels = np.array(["a", "b", "c"])
    np.savez(folder / "stack.npz", images=pixels((3, 24, 20)), labels=labels)
    np.savez_compressed(folder / "packed.npz", images=pixels((3, 24, 20)), labels=labels)
    dicom(folder / "native.dcm", pixels((16, 16), high=4096, dtype=np.uint16), modality="CT")
    return {p.name: p for p in sorted(folder.iterdir())}
