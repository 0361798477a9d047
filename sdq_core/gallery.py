"""The gallery of worst items: which ones, and their pictures as files beside the result."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sdq_core.characteristics.comparison import compare_embedding
from sdq_core.characteristics.completeness import content_key
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
        Their ``details["suspects"]`` name possible copies; like exact copies they are pictured
        only with `show_real`.
    folder : Path
        The pictures go to its sub-folder ``gallery``.
    show_real : bool
        Whether possible copies are shown, with the real items that they resemble. Without it,
        nothing is pictured where the search for copies could not run.

    Returns
    -------
    tuple of GalleryImage
    """
    searched = [m for m in measurements if m.id.endswith(".memorised_share")]
    if not show_real and searched and all(m.value is None for m in searched):
        # Without a holdout no search tells copies from coincidences: any item might be a real one.
        return ()
    rows = {str(c.role): {str(i): r for r, i in enumerate(c.table.ids)} for c in cohorts.all}
    suspects = [
        (rows["synthetic"][str(s["synthetic"])], rows["train"].get(str(s.get("real"))))
        for m in measurements
        for s in m.details.get("suspects", ())
        if str(s["synthetic"]) in rows["synthetic"]
    ]
    chosen: list[tuple[Cohort, int, str, str]] = []
    if show_real:
        for row, other in suspects[:MOST]:
            chosen.append((cohorts.synthetic, row, "possible copy", "疑似拷贝"))
            if other is not None:
                chosen.append((cohorts.train, other, "what it resembles", "与之相似的真实样本"))
    chosen.extend(
        (cohorts.synthetic, row, "least like any real item", "与真实样本差异最大")
        for row in _least_like_real(cohorts)
    )
    wrong = cohorts.synthetic.table.rows_with("structure", "semantics", "codes")
    chosen.extend(
        (cohorts.synthetic, int(row), "has a finding", "有发现项")
        for row in np.flatnonzero(wrong & cohorts.synthetic.table.readable)[:MOST]
    )
    # A copy of a real item is a real record, whatever cohort it stands in.
    hidden = set() if show_real else {row for row, _ in suspects} | _copies(cohorts)

    found: list[GalleryImage] = []
    shown: set[tuple[Role, int]] = set()
    for cohort, row, why, why_zh in chosen:
        item = cohort.table.items[row]
        if (cohort.role, row) in shown or (cohort.role is Role.SYNTHETIC and row in hidden):
            continue
        picture = modality.thumbnail(item, cohorts.study.settings)
        if picture is None:
            continue
        shown.add((cohort.role, row))
        file = f"gallery/{len(found) + 1:02d}.png"
        atomic_write(folder / file, picture)
        found.append(
            GalleryImage(item=item.id, role=cohort.role, file=file, why=why, why_zh=why_zh)
        )
    return tuple(found)


def _copies(cohorts: Cohorts) -> set[int]:
    """Rows of synthetic items with the same content as a real item."""
    real = {k for c in cohorts.real for k in content_key(c).tolist()}
    return {r for r, k in enumerate(content_key(cohorts.synthetic).tolist()) if k in real}


def _least_like_real(cohorts: Cohorts) -> list[int]:
    """Rows of the synthetic items that are farthest from every real item."""
    for name in cohorts.synthetic.table.embedding_names:
        comparison = compare_embedding(cohorts, name)
        if comparison is None or not comparison.values.shape[1]:
            continue
        from sdq_core.statistics import nearest_neighbours

        distance, _ = nearest_neighbours(
            comparison.values[comparison.synthetic],
            comparison.values[comparison.pool],
            1,
            device=str(cohorts.study.settings.get("device", "cpu")),
        )
        far = np.argsort(-distance[:, 0], kind="stable")[:MOST]
        return [int(r) for r in comparison.rows[comparison.synthetic[far]]]
    return []
