"""How frequent codes are, which rare ones there are, and which occur together in a patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_ehr.resampled import Resampled, cell_matrix, rate_difference, total_variation
from sdq_ehr.tables_compared import Compared

__all__ = ["CodeFrequencies", "Cooccurrence", "code_frequencies", "cooccurrence"]

RARE: Final = 0.01
"""A code is rare when fewer real patients than this share have it."""
COMMON: Final = 0.02
"""Share of real patients that have a code whose pairs are looked at."""
LEAST_PATIENTS: Final = 10
MOST_CODES: Final = 60

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CodeFrequencies:
    """Distances of the code columns.

    Parameters
    ----------
    names : tuple of str
    distances : ndarray, shape (R, C)
        Total variation of the shares of rows with each code.
    rare : ndarray, shape (R, C)
        Absolute difference of the shares of patients with a code that is rare among real ones.
    rare_real, rare_synthetic : ndarray, shape (C,)
        Observed shares.
    codes : tuple of (str, float, float)
        Codes of some real patients, with the shares of patients that have them, from the one that
        differs most.
    """

    names: tuple[str, ...]
    distances: Values
    rare: Values
    rare_real: Values
    rare_synthetic: Values
    codes: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True, eq=False)
class Cooccurrence:
    """Dependence of every two frequent codes.

    Parameters
    ----------
    pairs : tuple of str
    real, synthetic : ndarray, shape (R, pairs)
        Phi coefficients of whether a patient has them.
    """

    pairs: tuple[str, ...]
    real: Values
    synthetic: Values


def code_frequencies(side: Resampled, tables: Sequence[Compared]) -> CodeFrequencies | None:
    """Measure how frequent codes are on both sides.

    Parameters
    ----------
    side : Resampled
    tables : sequence of Compared

    Returns
    -------
    CodeFrequencies or None
        None where no real patient has a code.
    """
    a, b = side.sides[0][:, 0], side.sides[1][:, 0]
    n = len(side.patients)
    names: list[str] = []
    distances, rare = [], []
    shares: list[tuple[float, float]] = []
    codes: list[tuple[float, str, float, float]] = []
    everyone = np.ones(n)
    for table, column, rows, size in _code_columns(tables):
        cells = table.codes[column][rows].astype(np.intp)
        counts = cell_matrix(cells, table.place[rows], size, n)
        has = counts.copy()
        has.data[:] = 1.0
        owners = has @ side.pool.astype(np.float64)
        uncommon = (owners < RARE * side.pool.sum()).astype(np.float64)
        rarely = (uncommon @ has > 0).astype(np.float64)
        name = f"{table.name}.{column}"
        names.append(name)
        distances.append(total_variation(counts, side.sides))
        rare.append(rate_difference(rarely, everyone, side.sides))
        shares.append((float(rarely @ a / a.sum()), float(rarely @ b / b.sum())))
        levels = table.levels(column)
        one, two = has @ (a / a.sum()), has @ (b / b.sum())
        for k in np.flatnonzero(owners >= LEAST_PATIENTS):
            gap = -abs(float(one[k] - two[k]))
            codes.append((gap, f"{name} = {levels[k]}", float(one[k]), float(two[k])))
    if not names:
        return None
    return CodeFrequencies(
        tuple(names),
        np.stack(distances, axis=1),
        np.stack(rare, axis=1),
        np.array([real for real, _ in shares]),
        np.array([synthetic for _, synthetic in shares]),
        tuple((c, r, s) for _, c, r, s in sorted(codes)),
    )


def cooccurrence(side: Resampled, tables: Sequence[Compared]) -> Cooccurrence | None:
    """Measure which codes a patient has together, beyond what their frequencies say.

    Parameters
    ----------
    side : Resampled
    tables : sequence of Compared

    Returns
    -------
    Cooccurrence or None
        Of the codes, at most 60, that at least 2 % of the real patients have (10 at least). Two
        codes of one column are a pair where a patient may have several rows. None without a pair.
    """
    n = len(side.patients)
    found: list[tuple[float, str, str, Values]] = []
    for table, column, rows, size in _code_columns(tables):
        counts = cell_matrix(table.codes[column][rows].astype(np.intp), table.place[rows], size, n)
        counts.data[:] = 1.0
        owners = counts @ side.pool.astype(np.float64)
        least = max(COMMON * side.pool.sum(), LEAST_PATIENTS)
        levels, name = table.levels(column), f"{table.name}.{column}"
        alone = name if table.table.single else ""  # a patient has one code of such a column
        for k in np.flatnonzero(owners >= least):
            held = np.asarray(counts[[k]].toarray()).ravel()
            found.append((-float(owners[k]), f"{name} = {levels[k]}", alone, held))
    found = sorted(found, key=lambda f: f[:2])[:MOST_CODES]
    pairs = [
        (i, j)
        for i in range(len(found))
        for j in range(i + 1, len(found))
        if not found[i][2] or found[i][2] != found[j][2]
    ]
    if not pairs:
        return None
    first, second = np.array(pairs).T
    has = np.stack([f[3] for f in found])
    both = has[first] * has[second]
    values = []
    for weights in side.sides:
        share = weights / np.maximum(weights.sum(axis=0), 1.0)
        p, joint = has @ share, both @ share
        spread = np.sqrt(np.maximum(p * (1 - p), 0.0))
        room = spread[first] * spread[second]
        # The root of a rounding is no spread.
        known = room > 1e-9
        phi = (joint - p[first] * p[second]) / np.where(known, room, 1.0)
        values.append(np.where(known, phi, 0.0).T)
    names = tuple(f"{found[i][1]} + {found[j][1]}" for i, j in pairs)
    return Cooccurrence(names, values[0], values[1])


def _code_columns(
    tables: Sequence[Compared],
) -> list[tuple[Compared, str, NDArray[np.intp], int]]:
    """Columns of codes that some real patient has: table, name, rows with a code, levels."""
    found = []
    for table in tables:
        for column, codes in table.codes.items():
            if table.table.columns[column].type != "code":
                continue
            missing = len(table.levels(column)) - 1
            rows = np.flatnonzero(codes != missing)
            if table.real[rows].any():
                found.append((table, column, rows, missing))
    return found
