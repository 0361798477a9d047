"""The patients' rows as points, real and synthetic side by side."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.comparison import Comparison, compare_rows
from sdq_core.cohort import Cohort, Cohorts

__all__ = ["compared_points"]

Values = NDArray[np.float64]
Index = NDArray[np.intp]


@lru_cache(maxsize=4)
def compared_points(cohorts: Cohorts, name: str) -> Comparison | None:
    """Put the patients' points side by side, with indicators of the class where real ones have one.

    Parameters
    ----------
    cohorts : Cohorts
    name : str
        Of the embedding.

    Returns
    -------
    Comparison or None
        None when a cohort has fewer than four points. Not scaled anew: a point is scaled by its
        layout, in which a rare level weighs no more than a common one.
    """
    known = sorted({
        str(c) for r in cohorts.real if r.classes is not None for c in np.unique(r.classes) if c
    })  # fmt: skip

    def get(cohort: Cohort) -> tuple[Values, Index]:
        values, rows = cohort.table.embedding(name)
        parts = [values.astype(np.float64)]
        if known:
            classes = cohort.classes
            own = np.full(len(rows), "") if classes is None else classes[rows]
            parts += [(own == c)[:, None] * np.sqrt(0.5) for c in known]
            parts.append(~np.isin(own, known)[:, None] * np.sqrt(0.5))
        return np.concatenate(parts, axis=1), rows

    found = compare_rows(cohorts, get, cohorts.seed(f"comparison/{name}"))
    if found is None:
        return None
    if not found.raw.shape[1]:  # all patients alike, which is no reason to fail
        return replace(found, values=np.zeros((len(found.raw), 1)))
    return replace(found, values=found.raw)
