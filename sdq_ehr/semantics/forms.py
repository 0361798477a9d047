"""Whether a code stands in the column of another system: by outer form, without any list.

A code is in the wrong column when it does not have the form of the column's system, and has the
form (and check digit) of another one. Whether a well-formed code exists is asked by
`sdq_ehr.codes`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Final

from sdq_ehr.codes.forms import FAMILIES, recognise

__all__ = ["belongs_elsewhere"]


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda code: compiled.fullmatch(code) is not None


_icd10 = _matches(
    r"[A-Z]\d[0-9A-Z](?:\.?[0-9A-Z]{1,4}|\.?\d{0,3}X\d{2,4})?(?:[+*†][A-Z0-9.+*†]{0,12})?"
)

# Generous on purpose: a wrong check digit, a lost zero or a missing dot is another finding.
_OWN: Final[Mapping[str, Callable[[str], bool]]] = {
    "icd10": _icd10,
    "icd10cm": _icd10,
    "icd10cn": _icd10,
    "icd9cm": _matches(r"(?:\d{1,3}|V\d{2}|E\d{3})(?:\.?\d{1,2})?"),
    "icd9proc": _matches(r"\d{1,2}(?:\.?\d{1,4})?(?:X\d{2,4})?"),
    "icd9cn": _matches(r"\d{1,2}(?:\.?\d{1,4})?(?:X\d{2,4})?"),
    "icd10pcs": _matches(r"[0-9A-HJ-NP-Z]{7}"),
    "loinc": _matches(r"\d{1,7}-\d|L[APG]\d{1,7}-\d"),
    "snomed": _matches(r"\d{6,18}"),
    "atc": _matches(r"[A-Z](?:\d{2}(?:[A-Z](?:[A-Z](?:\d{2})?)?)?)?"),
    "rxnorm": _matches(r"\d{1,8}"),
    "ndc": _matches(r"[\d*-]{8,13}|0"),
    "cvx": _matches(r"\d{1,3}"),
    "omop": _matches(r"\d{1,10}"),
}


def belongs_elsewhere(code: str, system: str) -> bool:
    """Return whether a code has the form of another system and not of its own.

    Parameters
    ----------
    code : str
    system : str
        System of the column; empty or unknown: never.

    Examples
    --------
    >>> belongs_elsewhere("8302-2", "icd10"), belongs_elsewhere("73211009", "loinc")
    (True, True)
    >>> belongs_elsewhere("E11.9", "icd10"), belongs_elsewhere("nonsense", "icd10")
    (False, False)
    """
    own = _OWN.get(system)
    if own is None or len(code) > 40:
        return False
    plain = unicodedata.normalize("NFKC", code).strip().upper()
    if own(plain):
        return False
    other = recognise(plain)
    return other != "" and FAMILIES.get(other, other) != FAMILIES.get(system, system)
