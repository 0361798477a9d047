"""Copies that we plant ourselves: an attack is blind to what it does not see of them."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import UsageError
from sdq_core.statistics.mixed_rows import MixedRows

__all__ = ["NOISE", "disguised_copies", "partial_copies"]

NOISE: Final = 0.3
"""Noise of disguised copies in standard deviations of each number."""
REPLACED: Final = 1 / 8
"""Chance of each category to be another patient's."""

Index = NDArray[np.intp]


def disguised_copies(
    rows: MixedRows, sources: Index, rng: np.random.Generator, noise: float = NOISE
) -> MixedRows:
    """Return copies of patients with noise on every number and some categories exchanged.

    Parameters
    ----------
    rows : MixedRows
    sources : ndarray of int
        Rows to be copied.
    rng : numpy.random.Generator
    noise : float
        0 gives verbatim copies.

    Examples
    --------
    >>> rows = MixedRows(np.arange(4.0)[:, None], np.zeros((4, 1), int))
    >>> disguised_copies(rows, np.array([2]), np.random.default_rng(0), 0.0).numbers.tolist()
    [[2.0]]
    """
    found = rows.take(sources)
    if noise == 0:
        return found
    spread = [float(np.nanstd(x)) if (~np.isnan(x)).any() else 0.0 for x in rows.numbers.T]
    numbers = found.numbers + noise * np.array(spread) * rng.normal(size=found.numbers.shape)
    others = rows.categories[rng.integers(0, len(rows), len(sources))]
    moved = rng.random(found.categories.shape) < REPLACED
    return MixedRows(numbers, np.where(moved, others, found.categories))


def partial_copies(
    rows: MixedRows,
    sources: Index,
    donors: MixedRows,
    rng: np.random.Generator,
    part: float = 0.5,
) -> MixedRows:
    """Return rows of which a random part of the columns is a patient's and the rest a donor's.

    Parameters
    ----------
    rows : MixedRows
    sources : ndarray of int, shape (k,)
    donors : MixedRows
        Stand-ins, one of which is drawn for each copy.
    rng : numpy.random.Generator
    part : float
        In (0, 1].

    Raises
    ------
    UsageError
        A share outside its range.
    """
    if not 0 < part <= 1:
        raise UsageError(f"part: must lie in (0, 1], found {part}")
    p, q = rows.numbers.shape[1], rows.categories.shape[1]
    kept = rng.random((len(sources), p + q)).argsort(axis=1) < round(part * (p + q))
    copy, stand_in = rows.take(sources), donors.take(rng.integers(0, len(donors), len(sources)))
    return MixedRows(
        np.where(kept[:, :p], copy.numbers, stand_in.numbers),
        np.where(kept[:, p:], copy.categories, stand_in.categories),
    )
