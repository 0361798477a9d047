"""The gallery of worst items: which ones, and their pictures as files beside the result."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sdq_core.characteristics.comparison import compare_embedding
from sdq_core.cohort import Cohort, Cohorts
from sdq_core.files import atomic_write
from sdq_core.measurement import Measurement
from sdq_core.modality import Modality
from sdq_core.result import GalleryImage
from sdq_core.vocabulary import Role

__all__ = ["write_gallery"]

MOST = 6


def write_gallery(
    modality: Modality,
    cohorts: Cohorts,
    measurements: Sequence[Measurement],
    folder: Path,
    *,
    show_real: bool = False,
) -> tuple[GalleryImage, ...]:
    """Choose the worst synthetic items and write their pictures.

    Parameters
    ----------
    modality : Modality
        Draws the pictures; items that it cannot draw are left out.
    cohorts : Cohorts
    measurements : sequence of Measurement
        Their ``details["suspects"]`` name possible copies.
    folder : Path
        The pictures go to its sub-folder ``gallery``.
    show_real : bool
        Whether the real items that suspects resemble are shown beside them.

    Returns
    -------
    tuple of GalleryImage
    """
    chosen: list[tuple[Cohort, int, str, str]] = []
    rows = {str(c.role): {str(i): r for r, i in enumerate(c.table.ids)} for c in cohorts.all}
    for measurement in measurements:
        for suspect in list(measurement.details.get("suspects", ()))[:MOST]:
            row = rows["synthetic"].get(str(suspect["synthetic"]))
            if row is None:
                continue
            chosen.append((cohorts.synthetic, row, "possible copy", "疑似拷贝"))
            other = rows["train"].get(str(suspect.get("real")))
            if show_real and other is not None:
                chosen.append(
                    (cohorts.train, other, "the real item it resembles", "相似的真实样本")
                )
    for row in _least_like_real(cohorts):
        chosen += [(cohorts.synthetic, row, "least like any real item", "与真实样本差异最大")]
    wrong = cohorts.synthetic.table.rows_with("structure", "semantics")
    for row in np.flatnonzero(wrong & cohorts.synthetic.table.readable)[:MOST]:
        chosen += [(cohorts.synthetic, int(row), "has a finding", "有发现项")]

    found: list[GalleryImage] = []
    shown: set[tuple[Role, int]] = set()
    for cohort, row, why, why_zh in chosen:
        item = cohort.table.items[row]
        picture = None if (cohort.role, row) in shown else modality.thumbnail(item)
        if picture is None:
            continue
        shown.add((cohort.role, row))
        file = f"gallery/{len(found) + 1:02d}.png"
        atomic_write(folder / file, picture)
        found.append(
            GalleryImage(item=item.id, role=cohort.role, file=file, why=why, why_zh=why_zh)
        )
    return tuple(found)


def _least_like_real(cohorts: Cohorts) -> list[int]:
    """Rows of the synthetic items that are farthest from every real item."""
    for name in cohorts.synthetic.table.embedding_names:
        comparison = compare_embedding(cohorts, name)
        if comparison is None:
            continue
        from sdq_core.statistics import nearest_neighbours

        distance, _ = nearest_neighbours(
            comparison.values[comparison.synthetic], comparison.values[comparison.pool], 1
        )
        far = np.argsort(-distance[:, 0], kind="stable")[:MOST]
        return [int(r) for r in comparison.rows[comparison.synthetic[far]]]
    return []
