"""Value sets of FHIR R4 with required bindings, and lists of the user's own.

Codes of FHIR are case sensitive (R4, 2.24.0.1, code): ``Male`` is not ``male``. The difference is
named as a suggestion, not normalised away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, Final

import numpy as np
import yaml
from numpy.typing import NDArray

from sdq_ehr.codes.lists import CodeList
from sdq_ehr.codes.system import Climb, ListedSystem
from sdq_ehr.codes.verdict import FAILED, Rung

__all__ = ["PREFIX", "Local", "fhir_binding", "fhir_value_set", "fhir_value_sets"]

PREFIX: Final = "fhir:"


@dataclass(frozen=True)
class _R4:
    version: str
    value_sets: Mapping[str, tuple[str, ...]]
    extensible: frozenset[str]
    bindings: Mapping[str, str]


@lru_cache(maxsize=1)
def _r4() -> _R4:
    data = yaml.safe_load((Path(__file__).parent / "fhir_r4.yaml").read_text("utf-8"))
    sets = {name: tuple(map(str, codes)) for name, codes in data["value_sets"].items()}
    return _R4(data["version"], sets, frozenset(data["extensible"]), data["bindings"])


def fhir_value_sets() -> tuple[str, ...]:
    """Return the ids of the value sets that are shipped.

    Examples
    --------
    >>> "administrative-gender" in fhir_value_sets()
    True
    """
    return tuple(_r4().value_sets)


def fhir_binding(element: str) -> str:
    """Return the name of the code system that an element of FHIR R4 is bound to.

    Parameters
    ----------
    element : str
        Path of the element, such as ``Patient.gender``.

    Returns
    -------
    str
        For `sdq_ehr.codes.code_system`; empty where the element has no required binding here.

    Examples
    --------
    >>> fhir_binding("Patient.gender"), fhir_binding("Patient.photo")
    ('fhir:administrative-gender', '')
    """
    bound = _r4().bindings.get(element, "")
    return PREFIX + bound if bound else ""


@lru_cache(maxsize=128)
def fhir_value_set(name: str) -> CodeList | None:
    """Return a shipped value set; None for one that is not.

    Parameters
    ----------
    name : str
        Id (``administrative-gender``) or canonical address, with or without a version.
    """
    plain = name.removeprefix(PREFIX).split("|")[0].rstrip("/").rsplit("/", 1)[-1]
    codes = _r4().value_sets.get(plain)
    if codes is None:
        return None
    return CodeList(
        f"FHIR {plain}",
        _r4().version,
        codes,
        complete=plain not in _r4().extensible,
    )


class Local(ListedSystem):
    """Codes that only a list knows: the user's own, or a value set of FHIR.

    The form is any text; a code that differs from a listed one in case or width is refused, with
    the listed one as a suggestion.
    """

    numbers: ClassVar[bool] = True
    upper: ClassVar[bool] = False
    most: ClassVar[int] = 200

    def shape(self, text: str) -> tuple[str, int, str]:
        """Return the text, which must be printable."""
        return (text, 0, "") if text.isprintable() else ("", 0, "form")

    def look_up(self, rows: NDArray[np.intp], climb: Climb) -> None:
        """Ask the list, and suggest the listed code that differs in case only."""
        super().look_up(rows, climb)
        refused = rows[climb.state(Rung.LISTED)[rows] == FAILED]
        if self.list is None or not len(refused):
            return
        by_case = {code.casefold(): code for code in self.list.texts()}
        for row in refused.tolist():
            climb.suggestion[row] = by_case.get(climb.texts[row].casefold(), "")
