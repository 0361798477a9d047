"""Small generated cohorts of pictures for the tests: a known law, written as PNG files."""

from pathlib import Path

import numpy as np
from PIL import Image as Picture
from PIL.PngImagePlugin import PngInfo

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
generator:
  algorithm: blobs
  principle: sums of Gaussian blobs
  version: "1"
  parameters: {blobs: 3}
  training_data: none
  conditioning: none
  sampling: independent
  post_processing: none
  quality_control: none
  privacy_measures: none needed
  known_limits: toy
  intended_use: tests
  responsible: sdq
  date: 2026-01-01
"""


def study(folder: Path, n=(60, 60, 60), seed=0) -> Path:
    """Write a whole study of three cohorts from one law and return its study file."""
    write(folder / "train", draw(n[0], seed + 1))
    write(folder / "holdout", draw(n[1], seed + 2))
    write(folder / "synthetic", draw(n[2], seed + 3), synthetic=True)
    path = folder / "study.yaml"
    path.write_text(STUDY, encoding="utf-8")
    return path
