"""Which code system a text has the form of: to name the right one for a value in the wrong one.

Only forms that say something: bare numbers (RxNorm, CVX, OMOP, dot-less ICD-9) fit too much.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from sdq_ehr.codes.check_digits import digit_matrix, luhn, verhoeff

__all__ = ["CONCEPT_PARTITIONS", "FAMILIES", "recognise", "recognise_all"]

FAMILIES: Final = {
    "icd10": "icd10", "icd10cm": "icd10", "icd10cn": "icd10", "icd9cm": "icd9", "icd9proc": "icd9",
    "icd9cn": "icd9",
}  # fmt: skip
"""Systems whose codes look alike: a code that is only not listed is not sent to a sibling."""

CONCEPT_PARTITIONS: Final = ("00", "10")
"""Partition identifiers of concepts, short and long form (SNOMED CT RF2, 5.4)."""

_SHAPES: Final = (
    ("atc", re.compile(r"[ABCDGHJLMNPRSV][0-9]{2}[A-Z]{2}[0-9]{2}")),
    ("icd10cn", re.compile(r"[A-Z][0-9]{2}\.(?:[0-9]00|X00|[0-9X][0-9]{2}X[0-9]{3,4})[+*]?")),
    ("icd10", re.compile(r"[A-Z][0-9]{2}(?:\.[0-9])?")),
    ("icd9cm", re.compile(r"[0-9]{3}\.[0-9]{1,2}|V[0-9]{2}\.[0-9]{1,2}|E[0-9]{3}(?:\.[0-9])?")),
    ("icd10cm", re.compile(r"[A-Z][0-9][0-9A-Z]\.[0-9A-Z]{1,4}")),
    ("icd9proc", re.compile(r"[0-9]{2}\.[0-9]{1,2}")),
    ("icd9cn", re.compile(r"[0-9]{2}\.[0-9]{4}(?:X[0-9]{3,4})?")),
    ("ndc", re.compile(r"[0-9]{4}-[0-9]{4}-[0-9]{2}|[0-9]{5}-[0-9]{3}-[0-9]{2}"
                       r"|[0-9]{5}-[0-9]{4}-[0-9]{1,2}")),
    ("icd10pcs", re.compile(r"(?=.*[0-9])(?=.*[A-HJ-NP-Z])(?:[0-9BCDFX]|[GH](?=Z))"
                            r"[0-9A-HJ-NP-Z]{6}")),
)  # fmt: skip
_LOINC: Final = re.compile(r"([0-9]{1,7})-([0-9])")
_LONGEST: Final = 20
_SCTID: Final = re.compile(r"[1-9][0-9]{5,17}")


def recognise(text: str) -> str:
    """Return the code system whose form (and check digit) a text has; empty for none.

    Parameters
    ----------
    text : str
        Cleaned of blanks.

    Returns
    -------
    str

    Examples
    --------
    >>> [recognise(t) for t in ("2160-0", "2160-1", "73211009", "E11.9", "250.00", "C10AA05")]
    ['loinc', '', 'snomed', 'icd10', 'icd9cm', 'atc']
    """
    return recognise_all([text])[0]


def recognise_all(texts: Sequence[str], *, but: str = "") -> list[str]:
    """Return the same of many texts, the check digits together.

    Parameters
    ----------
    texts : sequence of str
    but : str
        A system that is not asked for.

    Returns
    -------
    list of str
    """
    found = [""] * len(texts)
    loinc: list[tuple[int, str]] = []
    snomed: list[tuple[int, str]] = []
    for i, given in enumerate(texts):
        if but == "snomed" and given.isdigit():
            continue  # bare numbers have no other form that says something
        if len(given) > _LONGEST or not given.isascii():
            continue
        text = given.upper()
        if text.isdigit():
            if but != "snomed" and text[-3:-1] in CONCEPT_PARTITIONS and _SCTID.fullmatch(text):
                snomed.append((i, text))
        elif match := _LOINC.fullmatch(text):
            loinc.append((i, match[1] + match[2]))
        else:
            found[i] = next((name for name, shape in _SHAPES if shape.fullmatch(text)), "")
    for name, asked in (("loinc", loinc), ("snomed", snomed)):
        if not asked or name == but:
            continue
        digits, lengths = digit_matrix([text for _, text in asked], 18)
        right = luhn(digits) if name == "loinc" else verhoeff(digits, lengths)
        for (i, _), good in zip(asked, right.tolist(), strict=True):
            if good:
                found[i] = name
    return ["" if name == but else name for name in found] if but else found
