"""Volumes with masks: what the instrument sees of faults planted in real hippocampus volumes.

    python benchmarks/volumes.py FOLDER

FOLDER holds `images` and `labels` of the Medical Segmentation Decathlon's task 04 (CC BY-SA 4.0).
Real volumes are split into train, holdout and a third part that stands for the synthetic cohort:
as it is, and with one fault planted in all or some of its volumes.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage

from sdq_core.evaluate import read_and_describe
from sdq_core.judging import judge_all
from sdq_core.measurement import Measurement
from sdq_core.profiles import load_profile
from sdq_core.study import load_study
from sdq_imaging.fidelity import ImagingFidelity
from sdq_imaging.modality import Imaging
from sdq_imaging.privacy import ImagingPrivacy

SPLIT = (40, 34, 34)
STUDY = """\
schema: sdq.study/1
modality: imaging
cohorts:
  train: {path: train}
  holdout: {path: holdout}
  synthetic: {path: synthetic}
settings:
  masks: masks
  embeddings: [radiomic]
  regions:
    1: {name: anterior, size: [200, 4000]}
    2: {name: posterior, size: [200, 4000]}
"""
SHOWN = (
    "mmd[radiomic]", "spectrum_distance", "spectrum_distance[volume]",
    "spectrum_distance[through-plane]", "region_mmd[anterior]", "region_mmd[posterior]",
    "region_count_distance[anterior]", "region_agreement[anterior]",
    "region_agreement[posterior]", "memorised_share", "memorised_share[slices]",
)  # fmt: skip
MARKS = {"pass": "pass", "fail": "**fail**", "inconclusive": "?", "not_assessed": "-"}


def untouched(x, y, k, rng, other):
    return x, y


def blurred(x, y, k, rng, other):
    return ndimage.gaussian_filter(x, (0.7, 0.7, 0)), y


def flickering(x, y, k, rng, other):
    return x * (1 + 0.1 * rng.normal(size=(1, 1, x.shape[2]))), y


def shifted_mask(x, y, k, rng, other):
    return x, np.roll(y, 4, axis=1)


def grown_mask(x, y, k, rng, other):
    return x, ndimage.grey_dilation(y, size=(3, 3, 3))


def specks(x, y, k, rng, other):
    for _ in range(3):
        y[tuple(rng.integers(2, s - 2) for s in y.shape)] = 1
    return x, y


def copied_slices(x, y, k, rng, other):
    """The middle third of eight volumes is one slice of a training volume."""
    if k < 8:
        plane = other[:, :, other.shape[2] // 2]
        plane = ndimage.zoom(
            plane, [n / m for n, m in zip(x.shape, plane.shape, strict=False)], order=1
        )
        third = x.shape[2] // 3
        x[:, :, third : 2 * third] = plane[..., None] * (x.mean() / other.mean())
    return x, y


FAULTS = {
    "none": untouched,
    "blur in the slices, 0.7 voxel": blurred,
    "slices 10 % brighter or darker": flickering,
    "mask moved by 4 voxels": shifted_mask,
    "mask grown by 1 voxel": grown_mask,
    "3 specks in each mask": specks,
    "slices of training volumes in 8 of 34": copied_slices,
}


def write(source: Path, folder: Path, fault) -> Path:
    names = sorted(p.name for p in (source / "images").glob("*.nii.gz"))
    rng = np.random.default_rng(0)
    rng.shuffle(names)
    a, b, c = np.cumsum(SPLIT)
    for role, part in (("train", names[:a]), ("holdout", names[a:b]), ("synthetic", names[b:c])):
        (folder / role).mkdir(parents=True)
        (folder / "masks" / role).mkdir(parents=True)
        for k, name in enumerate(part):
            image, mask = (nib.load(source / kind / name) for kind in ("images", "labels"))
            x = np.asarray(image.dataobj, np.float32).copy()
            y = np.asarray(mask.dataobj).astype(np.uint8)
            if role == "synthetic":
                other = np.asarray(nib.load(source / "images" / names[k]).dataobj, np.float32)
                x, y = fault(x, y, k, rng, other)
            for values, like, target in ((x, image, role), (y, mask, f"masks/{role}")):
                made = nib.Nifti1Image(values.astype(values.dtype), like.affine, like.header)
                made.set_data_dtype(values.dtype)
                nib.save(made, folder / target / name)
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    return folder / "study.yaml"


def verdicts(study: Path, store: Path, *, copies: bool) -> dict[str, str]:
    described = read_and_describe(load_study(study), store, engine="serial")
    found: list[Measurement] = []
    for evaluation, wanted in (
        (ImagingFidelity("imaging"), SHOWN),
        (ImagingPrivacy("imaging"), ("memorised_share",) if copies else ()),
    ):
        names = {w.partition("[")[0] for w in wanted}
        for part in evaluation.parts():
            if names & set(part.measures):
                outputs = part.function(described.cohorts)
                found += [m for m in outputs if isinstance(m, Measurement)]
    profile = load_profile("default", Imaging().profile_folder(), "imaging", "imaging-default")
    judged = {
        j.measurement.key.split(".", 2)[2]: j
        for j in judge_all(found, profile)
        if j.measurement is not None
    }
    return {
        name: f"{judged[name].measurement.value:.3g} {MARKS[str(judged[name].verdict)]}"
        if name in judged and judged[name].measurement.value is not None
        else "-"
        for name in SHOWN
    }


def main() -> None:
    source = Path(sys.argv[1])
    columns = {}
    with tempfile.TemporaryDirectory() as folder:
        for k, (name, fault) in enumerate(FAULTS.items()):
            study = write(source, Path(folder) / str(k), fault)
            columns[name] = verdicts(
                study, Path(folder) / "store", copies=fault in (untouched, copied_slices)
            )
    print("| fault | " + " | ".join(f"`{s}`" for s in SHOWN) + " |")
    print("| --- |" + " --- |" * len(SHOWN))
    for name, found in columns.items():
        print(f"| {name} | " + " | ".join(found[s] for s in SHOWN) + " |")


if __name__ == "__main__":
    main()
