"""The Chinese clinical form of ICD-10, and the WHO code that it refines.

Shapes as in the national clinical edition 2.0 and the medical insurance edition 2.0: a WHO code,
two national digits (``E11.900``) or x and two (``I10.x00``), an extension ``x`` and three digits
(``A01.000x005``), morphology (``M80000/3``), pairs of dagger and asterisk
(``A01.000x005+J17.0*``). The lists themselves are the user's; without one, what can be decided is
whether the WHO category exists, and that alone refuses or leaves undecided.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from sdq_ehr.codes.icd import heading
from sdq_ehr.codes.lists import CodeList
from sdq_ehr.codes.system import DECISIVE, Climb, ListedSystem
from sdq_ehr.codes.verdict import FAILED, UNDECIDED, Alteration, ListUsed, Rung

__all__ = ["ICD10CN", "who_codes"]

_PART: Final = re.compile(r"([A-Z][0-9]{2})(?:(\.?)([0-9]{1,3}|X(?:[0-9]{2})?)(X[0-9]{3,4})?)?")
_MORPHOLOGY: Final = re.compile(r"M[0-9]{4,5}(?:X[0-9]{3,4})?/[0-9]")
_DAGGERS: Final = str.maketrans({"†": "+"})


class ICD10CN(ListedSystem):
    """ICD-10 in the Chinese clinical and insurance editions.

    Parameters
    ----------
    listed : CodeList or None
        The national list.
    who : CodeList or None
        ICD-10 of the WHO, to fall back on.
    """

    upper: ClassVar[bool] = False  # the x of an extension is small
    most: ClassVar[int] = 32
    domains: ClassVar[frozenset[str]] = frozenset({"condition", "observation"})

    def __init__(
        self,
        id_: str,
        listed: CodeList | None,
        who: CodeList | None,
        *,
        missing_package: bool = False,
        decisive: frozenset[Rung] = DECISIVE,
    ) -> None:
        super().__init__(id_, listed, missing_package=missing_package, decisive=decisive)
        self.who = who

    @property
    def version(self) -> str:
        """Version of the national list, or of the WHO's that stands in."""
        listed = self.list or self.who
        return listed.version if listed is not None else ""

    @property
    def lists(self) -> tuple[ListUsed, ...]:
        """The national list where given, else the WHO's."""
        listed = self.list or self.who
        return () if listed is None else (listed.used,)

    def shape(self, text: str) -> tuple[str, int, str]:
        """Return the code with its dot and small x."""
        given = text.translate(_DAGGERS)
        altered = Alteration.WIDTH * (given != text)
        plain = given.upper()
        if _MORPHOLOGY.fullmatch(plain):
            code = plain[0] + _small_x(plain[1:])
            return code, int(altered | Alteration.CASE * (code != given)), ""
        parts = re.findall(r"[^+*]+[+*]?", plain)
        if not 1 <= len(parts) <= 2 or "".join(parts) != plain:
            return "", 0, heading(text)
        if len(parts) == 2 and not (parts[0].endswith("+") and parts[1].endswith("*")):
            return "", 0, "form"
        codes = []
        for part in parts:
            found = _PART.fullmatch(part.rstrip("+*"))
            if found is None:
                return "", 0, heading(text)
            category, dot, rest, extension = found.groups()
            altered |= Alteration.PUNCTUATION * bool(rest and not dot)
            code = category + (f".{rest}" if rest else "") + (extension or "")
            codes.append(code[:1] + _small_x(code[1:]) + part[len(part.rstrip("+*")) :])
        code = "".join(codes)
        altered |= Alteration.CASE * (code.replace(".", "") != given.replace(".", ""))
        return code, int(altered), ""

    def look_up(self, rows: NDArray[np.intp], climb: Climb) -> None:
        """Ask the national list, or the WHO's for the category."""
        if self.list is not None:
            places = self.list.find(climb.at(rows))
            single = places < 0
            if single.any():  # a pair may be listed by its parts only
                places[single] = self._pairs(self.list, climb.at(rows[single]))
            self.ask(self.list, 0, rows, places, climb)
            return
        if self.who is None:
            super().look_up(rows, climb)
            return
        climb.decided_by[rows] = 0
        known = _categories_known(self.who, climb.at(rows))
        climb.set(Rung.LISTED, rows, np.where(known, UNDECIDED, FAILED))
        climb.say(rows[known], "extension_undecided")
        climb.say(rows[~known], "category_not_listed")

    @staticmethod
    def _pairs(listed: CodeList, codes: Sequence[str]) -> NDArray[np.intp]:
        """Return the place of the first part where every part is listed, with or without mark."""
        places = np.full(len(codes), -1, np.intp)
        for i, code in enumerate(codes):
            parts = re.findall(r"[^+*]+[+*]?", code)
            found = np.maximum(listed.find(parts), listed.find([p.rstrip("+*") for p in parts]))
            if len(found) and (found >= 0).all():
                places[i] = found[0]
        return places


def _categories_known(who: CodeList, codes: Sequence[str]) -> NDArray[np.bool_]:
    """Tell of which codes every part has a WHO category; morphology has none and passes."""
    parts = [(i, part[:3]) for i, code in enumerate(codes) if "/" not in code
             for part in _parts(code)]  # fmt: skip
    owners = np.array([i for i, _ in parts], np.intp)
    unknown = who.find([part for _, part in parts]) < 0
    known = np.ones(len(codes), bool)
    known[owners[unknown]] = False
    return known


def _small_x(code: str) -> str:
    return code.replace("X", "x")


def _parts(code: str) -> list[str]:
    return [part for part in re.split(r"[+*]", code) if part]


def who_codes(codes: Sequence[str]) -> list[str]:
    """Return the WHO code that each Chinese clinical code refines.

    Parameters
    ----------
    codes : sequence of str
        Normalised; of a pair, the dagger code (the disease behind) counts.

    Returns
    -------
    list of str
        Four characters where the fourth is the WHO's, else three; empty for morphology and what
        has not the form.

    Examples
    --------
    >>> who_codes(["A01.000x005+J17.0*", "I10.x00x002", "E11.900", "M80000/3"])
    ['A01.0', 'I10', 'E11.9', '']
    """
    found = []
    for code in codes:
        parts = _parts(code)
        match = _PART.fullmatch(parts[0].upper()) if parts and "/" not in code else None
        rest = (match[3] or "") if match else ""
        category = match[1] if match else ""
        found.append(f"{category}.{rest[0]}" if rest[:1].isdigit() else category)
    return found
