"""Sets of codes, written as prefixes and ranges for each code system.

A range ``"O00-O9A"`` holds every code whose first characters lie between both ends, a single entry
is a prefix. Dots, blanks and capitals do not matter; of a dagger and asterisk pair the first code
counts. Codes of other systems than ICD are compared as a whole.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_ehr.semantics.context import Coded

__all__ = ["FAMILIES", "CodeSet", "normal_code"]

FAMILIES: Final[Mapping[str, tuple[str, ...]]] = {
    "icd10": ("icd10", "icd10cm", "icd10cn"),
    "icd10who": ("icd10", "icd10cn"),
    "icd10cm": ("icd10cm",),
    "icd10cn": ("icd10cn",),
    "icd9cm": ("icd9cm",),
    "icd9proc": ("icd9proc", "icd9cn"),
    "icd9cn": ("icd9cn",),
    "icd10pcs": ("icd10pcs",),
    "atc": ("atc",),
    "loinc": ("loinc",),
    "snomed": ("snomed",),
    "rxnorm": ("rxnorm",),
    "cvx": ("cvx",),
    "ndc": ("ndc",),
    "omop": ("omop",),
    "local": ("local",),
}
"""Key of a code set -> systems of columns to which it applies. `icd10` stands for the WHO
classification and its clinical modifications, `icd10who` leaves out the US modification."""

_PREFIXED: Final = frozenset({"icd10", "icd10cm", "icd10cn", "icd9cm", "icd9proc", "icd9cn",
                              "icd10pcs", "atc"})  # fmt: skip
_DROPPED = re.compile(r"[\s.]+")


@lru_cache(maxsize=65536)
def normal_code(code: str, system: str) -> str:
    """Return a code without what does not matter: full-width forms, dots, blanks, capitals.

    Parameters
    ----------
    code : str
    system : str

    Examples
    --------
    >>> normal_code("ｏ80.0", "icd10"), normal_code("A01.000x005+J17.0*", "icd10cn")
    ('O800', 'A01000X005')
    >>> normal_code(" 8302-2 ", "loinc")
    '8302-2'
    """
    plain = unicodedata.normalize("NFKC", code).strip().upper()
    if system not in _PREFIXED:
        return plain
    plain = _DROPPED.sub("", plain)
    return re.split(r"[+*†]", plain, maxsplit=1)[0]


class CodeSet:
    """A set of codes over several systems.

    Parameters
    ----------
    codes : mapping of str to sequence of str
        Key of `FAMILIES` -> prefixes and ranges.

    Examples
    --------
    >>> pregnancy = CodeSet({"icd10": ["O00-O9A", "Z34"], "icd9cm": ["630-679", "V22-V24"]})
    >>> pregnancy.holds("O80.0", "icd10cm"), pregnancy.holds("650", "icd9cm")
    (True, True)
    >>> pregnancy.holds("N40", "icd10"), pregnancy.holds("O80", "loinc")
    (False, False)
    """

    def __init__(self, codes: Mapping[str, Sequence[str]]) -> None:
        ranges: dict[str, list[tuple[str, str]]] = {}
        for family, entries in codes.items():
            for system in FAMILIES[family]:
                made = ranges.setdefault(system, [])
                for entry in entries:
                    low, dash, high = entry.partition("-")
                    if not dash or system not in _PREFIXED:
                        low = high = entry
                    made.append((normal_code(low, system), normal_code(high, system)))
        self._ranges = ranges

    @property
    def systems(self) -> tuple[str, ...]:
        """Systems of which the set holds codes."""
        return tuple(self._ranges)

    def holds(self, code: str, system: str) -> bool:
        """Return whether a code belongs to the set."""
        ranges = self._ranges.get(system)
        if not ranges:
            return False
        plain = normal_code(code, system)
        if system not in _PREFIXED:
            return any(plain == low for low, _ in ranges)
        return any(
            len(plain) >= len(low) and low <= plain[: len(low)] and plain[: len(high)] <= high
            for low, high in ranges
        )

    def of(self, column: Coded) -> NDArray[np.bool_]:
        """Return for each row of a column whether its code belongs to the set."""
        distinct = [
            self.holds(code, system)
            for code, system in zip(column.values, column.systems, strict=True)
        ]
        return column.spread(np.array(distinct, bool))
