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
from sdq_core.cohort import Cohort, Cohorts
from sdq_core.errors import UnreadableItem
from sdq_core.finding import Finding
from sdq_core.measurement import Measurement
from sdq_imaging.copies import REGISTRATION
from sdq_imaging.dicom.shared_with_real import shared_with_real
from sdq_imaging.grey import slices
from sdq_imaging.signature import signature

__all__ = ["ImagingPrivacy"]

SLICES: Final = {"synthetic": 4, "holdout": 4, "train": 12}
"""Evenly spaced slices of a volume's middle half: those that are searched for, and those among
which they are: a copied slice must have its original, or that one's neighbour, among them."""
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
        return tuple(
            Part(part.measures, self.copies) if "memorised_share" in part.measures else part
            for part in super().parts()
        )

    def copies(self, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
        """Estimate the share of near-copies among items, and of volumes among their slices.

        A volume may be new as a whole and hold slices of a training volume.
        """
        yield from self.memorised(cohorts)
        if not all(_volumes(c).any() for c in cohorts.all):
            return
        void = self.void(cohorts)
        if void is not None and cohorts.holdout is not None:
            return  # said of the items already
        sides = [_slices(c) for c in (cohorts.synthetic, *cohorts.real)]
        for found in self.copies_among(cohorts, sides, void, "slices"):
            yield _of_volumes(found, sides[0]) if isinstance(found, Measurement) else found


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
