"""What a code says of other fields: sex, age, units, plausible range, valid dates.

Data for rules, not rules: the caller decides what a contradiction is worth. Tables with their
sources: ``icd_facts.yaml``, ``loinc_facts.yaml``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from sdq_core.errors import StudyError
from sdq_ehr.codes.icd9cn import volume_3_code
from sdq_ehr.codes.icd10cn import who_codes
from sdq_ehr.codes.omop import Omop
from sdq_ehr.codes.registry import code_system
from sdq_ehr.codes.system import ListedSystem

__all__ = [
    "age_range_of_code",
    "range_of_code",
    "sex_of_code",
    "units_of_code",
    "validity_of_code",
]


@lru_cache(maxsize=2)
def _yaml(name: str) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((Path(__file__).parent / name).read_text("utf-8"))
    return data


def _spread(entry: str) -> list[str]:
    """Return the prefixes that an entry stands for: ``C51-C58`` is eight."""
    if "-" not in entry:
        return [entry]
    first, last = entry.split("-")
    digits = len(first) - len(first.rstrip("0123456789"))
    head = first[: len(first) - digits]
    return [f"{head}{n:0{digits}d}" for n in range(int(first[-digits:]), int(last[-digits:]) + 1)]


@lru_cache(maxsize=32)
def _prefixes(table: str, system: str) -> dict[str, str]:
    """Return prefix -> sex or age group."""
    entries: Mapping[str, list[str]] = _yaml("icd_facts.yaml")[table].get(system, {})
    return {
        prefix: group
        for group, listed in entries.items()
        for entry in listed
        for prefix in _spread(str(entry))
    }


def _groups(table: str, system: str, codes: Sequence[object]) -> list[str]:
    """Return the group of each code by the longest prefix that fits."""
    plain, family = _plain(system, codes)
    prefixes = _prefixes(table, family)
    found = []
    for code in plain:
        group = ""
        for length in range(len(code), 0, -1):
            group = prefixes.get(code[:length], "")
            if group:
                break
        found.append(group)
    return found


def _plain(system: str, codes: Sequence[object]) -> tuple[list[str], str]:
    """Return codes without dots, and the system whose table holds for them."""
    texts = [code.strip().upper() if isinstance(code, str) else "" for code in codes]
    if system == "icd10cn":
        texts, system = who_codes(texts), "icd10"
    if system == "icd9cn":
        texts, system = [volume_3_code(text) for text in texts], "icd9proc"
    return [text.replace(".", "") if len(text) < 40 else "" for text in texts], system


def sex_of_code(system: str, codes: Sequence[object]) -> NDArray[np.str_]:
    """Return the only sex that can have each code.

    Parameters
    ----------
    system : str
        ``icd10``, ``icd10cm``, ``icd10cn``, ``icd10pcs``, ``icd9cm``, ``icd9proc`` or ``icd9cn``;
        others say nothing.
    codes : sequence of object
        Distinct values, with or without dots; anything but text says nothing.

    Returns
    -------
    array of str, shape (n,)
        ``F``, ``M``, or empty for either.

    Notes
    -----
    ICD-10 Volume 2 (WHO) and the Medicare Code Editor (CMS); see ``icd_facts.yaml``.

    Examples
    --------
    >>> sex_of_code("icd10", ["O80.9", "N40", "E11.9", None]).tolist()
    ['F', 'M', '', '']
    >>> sex_of_code("icd10cm", ["C50.911", "C50.921"]).tolist()
    ['F', 'M']
    """
    return np.array(_groups("sex", system, codes), dtype="U1")


def age_range_of_code(system: str, codes: Sequence[object]) -> NDArray[np.float64]:
    """Return the ages at which each code is expected.

    Parameters
    ----------
    system : str
        As in :func:`sex_of_code`.
    codes : sequence of object

    Returns
    -------
    array of float, shape (n, 2)
        Lowest age and the age that is not reached, in years; minus and plus infinity where the code
        says nothing.

    Notes
    -----
    Age groups of the Medicare Code Editor (CMS). Perinatal conditions are none: they may be coded
    throughout life.

    Examples
    --------
    >>> age_range_of_code("icd10", ["Z38.0", "O80", "E11.9"]).tolist()
    [[0.0, 1.0], [9.0, 65.0], [-inf, inf]]
    """
    ages = _yaml("icd_facts.yaml")["age"]
    either = [-np.inf, np.inf]
    rows = [ages.get(group, either) for group in _groups("ages", system, codes)]
    return np.array(rows, dtype=np.float64).reshape(len(rows), 2)


@lru_cache(maxsize=1)
def _measured() -> dict[str, dict[str, tuple[float, float]]]:
    """Return LOINC code -> unit -> range."""
    return {
        code: {str(unit): (float(low), float(high)) for unit, (low, high) in group["units"].items()}
        for group in _yaml("loinc_facts.yaml")["groups"]
        for code in group["codes"]
    }


def units_of_code(
    system: str | ListedSystem, codes: Sequence[object], lists: Mapping[str, Path] | None = None
) -> list[frozenset[str]]:
    """Return the UCUM units that are usual for each code.

    Parameters
    ----------
    system : str or CodeSystem
        Only ``loinc`` says something.
    codes : sequence of object
    lists : mapping of str to Path, optional
        The user's lists; the example units of a LOINC table join the own ones.

    Returns
    -------
    list of frozenset of str
        Empty where nothing is known: every unit may be right then.

    Examples
    --------
    >>> [sorted(units) for units in units_of_code("loinc", ["2345-7", "0-0"])]
    [['mg/dL', 'mmol/L'], []]
    """
    chosen = code_system(system, lists) if isinstance(system, str) else system
    if chosen.id != "loinc":
        return [frozenset()] * len(codes)
    texts = [code.strip().upper() if isinstance(code, str) else "" for code in codes]
    given: list[str] = [""] * len(texts)
    if chosen.list is not None and "units" in chosen.list.columns:
        places = chosen.list.find(texts)
        listed = chosen.list.columns["units"]
        given = [str(listed[place] or "") if place >= 0 else "" for place in places.tolist()]
    own = _measured()
    return [
        frozenset(own.get(text, ())) | {unit.strip() for unit in more.split(";") if unit.strip()}
        for text, more in zip(texts, given, strict=True)
    ]


def range_of_code(
    system: str, codes: Sequence[object], units: Sequence[object]
) -> NDArray[np.float64]:
    """Return the range in which a value of each code in its unit can lie.

    Parameters
    ----------
    system : str
        Only ``loinc`` says something.
    codes, units : sequence of object, same length
        Distinct pairs; units of UCUM.

    Returns
    -------
    array of float, shape (n, 2)
        Lowest and highest value; minus and plus infinity where nothing is known.

    Raises
    ------
    StudyError
        Where `codes` and `units` differ in length.

    Examples
    --------
    >>> range_of_code("loinc", ["8310-5", "8310-5", "8310-5"], ["Cel", "[degF]", "K"]).tolist()
    [[13.0, 47.0], [55.0, 117.0], [-inf, inf]]
    """
    if len(codes) != len(units):
        raise StudyError(
            f"plausible ranges: {len(codes)} codes and {len(units)} units; give one unit a code"
        )
    own = _measured() if system == "loinc" else {}
    answer = np.tile([-np.inf, np.inf], (len(codes), 1))
    for row, (code, unit) in enumerate(zip(codes, units, strict=True)):
        if isinstance(code, str) and isinstance(unit, str):
            known = own.get(code.strip().upper(), {}).get(unit.strip())
            if known:
                answer[row] = known
    return answer


def validity_of_code(system: ListedSystem, codes: Sequence[str]) -> NDArray[np.datetime64]:
    """Return the first and the last day on which each code was valid.

    Parameters
    ----------
    system : CodeSystem
        Of ``omop`` with an Athena CONCEPT.csv; others say nothing.
    codes : sequence of str
        Normalised.

    Returns
    -------
    array of datetime64[D], shape (n, 2)
        NaT where nothing is known.
    """
    if isinstance(system, Omop):
        return system.validity_of(codes)
    return np.full((len(codes), 2), np.datetime64("NaT"), "datetime64[D]")
