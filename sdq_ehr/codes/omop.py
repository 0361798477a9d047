"""Concepts of OMOP vocabularies, from the user's Athena CONCEPT.csv (OMOP CDM 5.4)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from sdq_ehr.codes.system import Climb, ListedSystem
from sdq_ehr.codes.verdict import FAILED, PASSED, UNDECIDED, Rung

__all__ = ["Omop"]

_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,9}")
_LARGEST: Final = 2**31 - 1
_LOCAL: Final = 2_000_000_000
"""Identifiers above it are the provider's own (OMOP CDM, custom concepts)."""


class Omop(ListedSystem):
    """OMOP concept identifiers: membership, domain, standard, invalid reason, valid dates.

    Concept 0 says "no matching concept": it is valid and marked as unmapped. Deleted and upgraded
    concepts are marked inactive. `standard_of` says which are standard.
    """

    numbers: ClassVar[bool] = True
    upper: ClassVar[bool] = False
    most: ClassVar[int] = 20

    def shape(self, text: str) -> tuple[str, int, str]:
        """Return the number."""
        if not _NUMBER.fullmatch(text) or int(text) > _LARGEST:
            return "", 0, "form"
        return text, 0, ""

    def look_up(self, rows: NDArray[np.intp], climb: Climb) -> None:
        """Ask the vocabulary; zero and local concepts are not in it."""
        numbers = np.array([int(code) for code in climb.at(rows)], np.int64)
        super().look_up(rows, climb)
        unlisted = climb.state(Rung.LISTED)[rows] != PASSED
        for chosen, state, reason in (
            (rows[(numbers == 0) & unlisted], PASSED, ""),
            (rows[(numbers > _LOCAL) & unlisted], UNDECIDED, "local_concept"),
        ):
            climb.set(Rung.LISTED, chosen, state)
            climb.reason[chosen] = reason
            climb.decided_by[chosen] = -1
        zero = rows[numbers == 0]
        climb.set(Rung.MEANING, zero, FAILED)
        climb.say(zero, "unmapped")

    def kinds(self, rows: NDArray[np.intp], climb: Climb, domain: str) -> None:
        """Ask whether the concept's domain is the column's."""
        if not domain:
            return
        found = self.column("domain", climb.at(rows))
        known = np.array([bool(name) for name in found], bool)
        fits = np.array([domain in name.lower().split("/") for name in found], bool)
        climb.set(Rung.SYSTEM, rows[known], fits[known].astype(np.int8))
        climb.say(rows[known & ~fits], "wrong_domain")

    def column(self, name: str, codes: Sequence[str]) -> NDArray[np.object_]:
        """Return what the vocabulary says of codes; empty where it says nothing."""
        answer = np.full(len(codes), "", object)
        if self.list is not None and name in self.list.columns:
            places = self.list.find(codes)
            answer[places >= 0] = self.list.columns[name][places[places >= 0]]
        return answer

    def standard_of(self, codes: Sequence[str]) -> NDArray[np.object_]:
        """Return ``S`` for standard, ``C`` for classification concepts, else empty.

        Parameters
        ----------
        codes : sequence of str
            Normalised.
        """
        return self.column("standard", codes)

    def validity_of(self, codes: Sequence[str]) -> NDArray[np.datetime64]:
        """Return first and last valid day, shape (n, 2); NaT where not known."""
        days = np.full((len(codes), 2), np.datetime64("NaT"), "datetime64[D]")
        if self.list is not None:
            places = self.list.find(codes)
            found = places >= 0
            for side, name in enumerate(("start", "end")):
                if name in self.list.columns:
                    days[found, side] = self.list.columns[name][places[found]]
        return days
