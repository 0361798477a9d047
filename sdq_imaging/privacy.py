"""Privacy of images: copies are searched for by registration of thumbnails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.attacks import Side
from sdq_core.characteristics.evaluation import Part
from sdq_core.characteristics.privacy import Privacy
from sdq_core.characteristics.rates import rate
from sdq_core.cohort import Cohort, Cohorts
from sdq_core.errors import UnreadableItem
from sdq_core.finding import Finding
from sdq_core.measurement import Measurement
from sdq_core.reasons import why
from sdq_imaging.copies import REGISTRATION
from sdq_imaging.dicom.shared_with_real import shared_with_real
from sdq_imaging.grey import slices
from sdq_imaging.half_copies import HALVES
from sdq_imaging.signature import signature
from sdq_imaging.text_lines import SMALLEST

__all__ = ["ImagingPrivacy"]

SLICES: Final = {"synthetic": 4, "holdout": 4, "train": 12}
"""Evenly spaced slices of a volume's middle half: those that are searched for, and those among
which they are: a copied slice must have its original, or that one's neighbour, among them."""
TEXT: Final = "imaging.identifier.burned_in_text"
MOST_VOLUMES: Final = 100
"""Volumes of a cohort whose slices are searched, chosen by content digest."""


class ImagingPrivacy(Privacy):
    """Compliance by identifiers, attacks by registered copies."""

    search = REGISTRATION
    search_name = "shift, flip, rotation, scale on band-passed thumbnails"
    signature_name = "band-passed thumbnail"
    disguises = ("flipped, shifted, turned and noised a little", "翻转、平移、旋转与加噪")
    mixed = (
        "the cohorts mix images and volumes, which cannot be matched with each other",
        "数据集中二维图像与三维体数据混杂, 无法相互匹配",
    )
    separate = ("assess each class or body part by itself", "按类别、部位分别评价")

    def shared_with_real(self, cohorts: Cohorts) -> Iterator[Finding]:
        """Find synthetic DICOM objects with a UID or the times of a real one."""
        yield from shared_with_real(cohorts)

    def parts(self) -> Sequence[Part]:
        """Return the shared parts; copies are searched for among volumes and among slices."""
        shared = [
            Part(part.measures, self.copies) if "memorised_share" in part.measures else part
            for part in super().parts()
        ]
        return (shared[0], Part(("burned_in_text_share",), self.burned_in), *shared[1:])

    def burned_in(self, cohorts: Cohorts) -> Iterator[Measurement]:
        """Measure the share of synthetic items with what looks like text, beside the real share."""
        id_ = self.id("burned_in_text_share")
        synthetic = _with_text(cohorts.synthetic)
        if not len(synthetic):
            yield Measurement(
                id_,
                aspect="privacy_compliance",
                **why(
                    "not_applicable",
                    why=f"no image has {SMALLEST} pixels a side, which legible text needs",
                    why_zh=f"没有图像边长达到 {SMALLEST} 像素, 不足以容纳可辨认的文字",
                ),
            )
            return
        yield rate(
            id_,
            synthetic,
            real=np.concatenate([_with_text(c) for c in cohorts.real]),
            better="lower",
            aspect="privacy_compliance",
            name="share of images with a line of strokes that looks like text",
            source="DICOM PS3.15 E.3.1 (Clean Pixel Data); 45 CFR 164.514(b)(2)",
        )

    def copies(self, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
        """Estimate the share of near-copies among items, images' halves and volumes' slices.

        An image may be new as a whole and composed of halves of training images, a volume hold
        slices of a training volume.
        """
        whole = tuple(self.memorised(cohorts))
        yield from whole
        if any(isinstance(m, Measurement) and m.value is not None for m in whole):
            yield from _OfHalves(self.modality).halves(cohorts)
        if not all(_volumes(c).any() for c in cohorts.all):
            return
        void = self.void(cohorts)
        if void is not None and cohorts.holdout is not None:
            return  # said of the items already
        sides = [_slices(c) for c in (cohorts.synthetic, *cohorts.real)]
        for found in self.copies_among(cohorts, sides, void, "slices"):
            yield _of_volumes(found, sides[0]) if isinstance(found, Measurement) else found


class _OfHalves(ImagingPrivacy):
    """Copies of halves, searched for in another way and under the same criterion."""

    search = HALVES
    search_name = "shift of a half of a band-passed thumbnail"
    disguises = ("put together by halves and noised a little", "左右拼合并加噪")

    def halves(self, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
        """Estimate the share of images of which a half is a near-copy."""
        sides: list[Side] = []
        for cohort in (cohorts.synthetic, *cohorts.real):
            values, rows = cohort.table.signatures()
            sides.append((values, rows, cohort.groups[rows]))
        if all(values.ndim == 3 for values, _, _ in sides):
            yield from self.copies_among(cohorts, sides, self.void(cohorts), "halves")


def _with_text(cohort: Cohort) -> NDArray[np.bool_]:
    """Of the images that are large enough to hold text: whether something looks like it."""
    table = cohort.table
    rows, columns = (table.scalar(f"geometry.{n}") for n in ("rows", "columns"))
    large = table.readable & (np.minimum(rows, columns) >= SMALLEST)
    found = {f.item for f in table.findings if f.rule == TEXT}
    return np.array([i in found for i in table.ids[large].tolist()], dtype=bool)


def _volumes(cohort: Cohort) -> NDArray[np.bool_]:
    return np.isfinite(cohort.table.scalar("geometry.slices")) & cohort.table.readable


def _of_volumes(found: Measurement, searched: Side) -> Measurement:
    """Widen the interval: slices of one volume are no independent items.

    As if all slices of a volume were copied or none: the variance is that of as many items as
    there are volumes, and no upper limit is below that of none in so many.
    """
    if found.value is None or found.interval is None:
        return found
    volumes = len(np.unique(searched[1]))
    wider = float(np.sqrt(len(searched[1]) / volumes))
    low = found.value - wider * (found.value - found.interval.low)
    high = found.value + wider * (found.interval.high - found.value)
    none_of_so_many = 1 - 0.025 ** (1 / volumes)
    interval = replace(
        found.interval,
        low=max(0.0, low),
        high=min(1.0, max(high, none_of_so_many)),
        method=f"{found.interval.method}; slices of a volume counted as dependent",
    )
    return replace(found, interval=interval, n={**found.n, "synthetic_volumes": volumes})


def _slices(cohort: Cohort) -> Side:
    """Return the signatures of slices, the row of the volume of each, and its subject."""
    from sdq_imaging.reading import read_image

    rows = np.flatnonzero(_volumes(cohort))
    chosen = sorted(rows.tolist(), key=lambda r: (cohort.table.items[r].digest, r))[:MOST_VOLUMES]
    found, places = [], []
    for row in sorted(chosen):
        try:
            pixels = read_image(cohort.table.items[row]).pixels
        except UnreadableItem:
            continue
        # The outer slices of volumes are alike: the middle half is searched.
        quarter = len(pixels) // 4
        for plane in slices(pixels[quarter : len(pixels) - quarter], SLICES[str(cohort.role)]):
            small = signature(plane)
            if small is not None:
                found.append(np.asarray(small, np.float32))
                places.append(row)
    index = np.array(places, np.intp)
    values = np.stack(found) if found else np.empty((0, 64, 64), np.float32)
    return values, index, cohort.groups[index]
