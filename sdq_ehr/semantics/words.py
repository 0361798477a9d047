"""Words by which sources name the sexes and the code systems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sdq_ehr.formats.fhir import system_name

__all__ = ["FEMALE", "MALE", "SEX_TERMS", "sex_of_word", "system_of_word"]

FEMALE, MALE = 1, 2

SEX_TERMS: Final[Mapping[str, int]] = {
    **dict.fromkeys(("f", "female", "woman", "w", "weiblich", "女", "女性", "8532"), FEMALE),
    **dict.fromkeys(("m", "male", "man", "男", "男性", "8507"), MALE),
}
"""Words for the sexes; 8532 and 8507 are OMOP concepts. Bare 0, 1, 2 need the schema's `values`:
their meaning differs between sources."""


def sex_of_word(value: str) -> int:
    """Return the sex that a word names, 0 for none."""
    return SEX_TERMS.get(value.strip().lower().removesuffix(".0"), 0)


_VOCABULARIES: Final[Mapping[str, str]] = {
    "icd10": "icd10", "icd-10": "icd10", "icd10cm": "icd10cm", "icd-10-cm": "icd10cm",
    "icd10cn": "icd10cn", "icd10pcs": "icd10pcs", "icd-10-pcs": "icd10pcs", "icd9cm": "icd9cm",
    "icd-9-cm": "icd9cm", "icd9proc": "icd9proc", "icd-9-cm-3": "icd9proc",
    "icd9cn": "icd9cn", "icd9proccn": "icd9cn", "loinc": "loinc",
    "snomed": "snomed", "snomed ct": "snomed", "snomedct": "snomed", "rxnorm": "rxnorm",
    "atc": "atc", "ndc": "ndc", "cvx": "cvx", "ucum": "ucum", "local": "local",
}  # fmt: skip


def system_of_word(name: str) -> str:
    """Return our name of a code system given by URI, OID or vocabulary id; empty when unknown."""
    plain = name.strip()
    return system_name(plain) or _VOCABULARIES.get(plain.lower(), "")
