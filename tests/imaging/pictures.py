"""Small generated cohorts of pictures for the tests: a known law, written as PNG files."""

from pathlib import Path

import numpy as np
import yaml
from PIL import Image as Picture
from PIL.PngImagePlugin import PngInfo

from sdq_core.generator import definitions

SIDE = 48


def draw(n, seed, side=SIDE):
    """Draw smooth blobs of random place and size on a textured ground, uint8 (n, side, side)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / side
    images = np.empty((n, side, side), np.uint8)
    for i in range(n):
        grey = 0.25 + 0.06 * rng.normal(size=(side // 4, side // 4)).repeat(4, 0).repeat(4, 1)
        for _ in range(3):
            cx, cy, size, height = rng.random(4)
            size = 0.06 + 0.14 * size
            grey += 0.5 * height * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * size**2))
        grey += 0.02 * rng.normal(size=grey.shape)
        images[i] = np.clip(255 * grey, 0, 255)
    return images


def write(folder: Path, images, *, classes=("a", "b"), synthetic=False, subjects=True, labels=True):
    """Write images and their label table; synthetic ones declare themselves and their origin."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["item,subject,class"]
    for i, image in enumerate(images):
        info = PngInfo()
        if synthetic:
            for key, value in (
                ("SyntheticData", "YES"),
                ("Generator", "blobs"),
                ("Seed", str(i)),
            ):
                info.add_text(key, value)
        Picture.fromarray(image).save(folder / f"{i:04d}.png", pnginfo=info)
        subject = f"{folder.name}-{i}" if subjects else ""
        lines.append(f"{i:04d}.png,{subject},{classes[i % len(classes)]}")
    if labels:
        (folder / "labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


STUDY = """\
schema: sdq.study/1
name: toy
modality: imaging
cohorts:
  train: {path: train, labels: train/labels.csv}
  holdout: {path: holdout, labels: holdout/labels.csv}
  synthetic: {path: synthetic, labels: synthetic/labels.csv}
classes: [a, b]
generator: generator.yaml
"""


def described():
    """Return a generator's description in which every fact but the digest is stated."""
    stated = {}
    forms = {"number": 60, "mapping": {"blobs": 3}, "list": [{"version": "1", "what": "first"}]}
    known = {
        "algorithm.family": "simulator", "dataset.type": "train", "dataset.date": "2026-01-01",
        "responsible.date": "2026-01-01", "algorithm.weights_sha256": "none", "lineage": "none",
        "privacy.differential_privacy": "none", "algorithm.name": "blobs", "algorithm.version": "1",
    }  # fmt: skip
    for fact in definitions():
        if fact.key == "training_data.digest":
            continue
        *parents, name = fact.key.split(".")
        place = stated
        for parent in parents:
            place = place.setdefault(parent, {})
        place[name] = known.get(fact.key, forms.get(fact.form, "sums of Gaussian blobs"))
    return stated


def study(folder: Path, n=(60, 60, 60), seed=0) -> Path:
    """Write a whole study of three cohorts from one law and return its study file."""
    write(folder / "train", draw(n[0], seed + 1))
    write(folder / "holdout", draw(n[1], seed + 2))
    write(folder / "synthetic", draw(n[2], seed + 3), synthetic=True)
    path = folder / "study.yaml"
    path.write_text(STUDY, encoding="utf-8")
    (folder / "generator.yaml").write_text(yaml.safe_dump(described()), encoding="utf-8")
    return path
