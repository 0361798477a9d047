"""The verdict on a code: how high it climbs on a ladder of questions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntFlag, StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_ehr.codes.reasons import sentence

__all__ = ["FAILED", "NOT_ASKED", "PASSED", "RUNGS", "UNDECIDED", "Alteration", "CodeVerdict",
           "CodeVerdicts", "ListUsed", "Rung"]  # fmt: skip


class Rung(StrEnum):
    """What is asked of a code, from the ground up."""

    FORM = "form"
    CHECK_DIGIT = "check_digit"
    LISTED = "listed"
    ACTIVE = "active"
    BILLABLE = "billable"
    SYSTEM = "system"
    MEANING = "meaning"


RUNGS: Final = tuple(Rung)
"""Columns of a ladder, in this order."""

PASSED, FAILED, UNDECIDED, NOT_ASKED = 1, 0, -1, -2
"""States of a rung: yes, no, cannot be decided offline, does not apply to this system or value."""


class Alteration(IntFlag):
    """What normalising changed, so that raw and normalised stay apart."""

    SPACE = 1
    CASE = 2
    WIDTH = 4
    PUNCTUATION = 8
    TYPE = 16


@dataclass(frozen=True, slots=True)
class ListUsed:
    """A list of codes that took part in a verdict, for the method text.

    Parameters
    ----------
    name, version : str
        Empty version: the list does not state one.
    sha256 : str
        Of the user's file; empty for a list of a package, whose version says enough.
    codes : int
        Codes in the list.
    """

    name: str
    version: str
    sha256: str = ""
    codes: int = 0

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()


@dataclass(frozen=True, slots=True)
class CodeVerdict:
    """The verdict on one value.

    Parameters
    ----------
    normalised : str
        Canonical form of the code; empty where the form is wrong.
    alteration : Alteration
        What normalising changed.
    reached, failed : Rung or None
        Highest rung that was passed, and the one that decided against the code or marked it.
    valid : bool or None
        None: cannot be decided offline.
    reason : str
        Id in `sdq_ehr.codes.reasons.REASONS`.
    message, message_zh : str
        The reason's sentence.
    other : str
        Code system whose form a refused value has.
    suggestion : str
        What was probably meant.
    suspect : bool
        The code is one, but probably not the one meant.
    decided_by : str
        Name and version of the list.
    """

    normalised: str
    alteration: Alteration
    reached: Rung | None
    failed: Rung | None
    valid: bool | None
    reason: str
    message: str
    message_zh: str
    other: str = ""
    suggestion: str = ""
    suspect: bool = False
    decided_by: str = ""

    @property
    def altered(self) -> bool:
        """Whether the normalised form differs from the raw value."""
        return bool(self.alteration)


@dataclass(frozen=True)
class CodeVerdicts:
    """Verdicts on distinct values, as arrays of length n.

    Parameters
    ----------
    system : str
    normalised : tuple of str
    alteration : array of uint8
        Flags of `Alteration`.
    ladder : array of int8, shape (n, len(RUNGS))
        1 passed, 0 failed, -1 cannot be decided offline, -2 not asked.
    decisive : frozenset of Rung
        A code that fails one of these is not valid; the other rungs only mark it.
    reason : array of str
    other, suggestion : array of str
    lists : tuple of ListUsed
    decided_by : array of int8
        Index in `lists`; -1 where no list took part.
    """

    system: str
    normalised: tuple[str, ...]
    alteration: NDArray[np.uint8]
    ladder: NDArray[np.int8]
    decisive: frozenset[Rung]
    reason: NDArray[np.object_]
    other: NDArray[np.object_]
    suggestion: NDArray[np.object_]
    lists: tuple[ListUsed, ...]
    decided_by: NDArray[np.int8]

    def rung(self, rung: Rung) -> NDArray[np.int8]:
        """Return the states of one rung."""
        return self.ladder[:, RUNGS.index(rung)]

    @property
    def decision(self) -> NDArray[np.int8]:
        """1 valid, 0 not valid, -1 cannot be decided offline."""
        decisive = self.ladder[:, [rung in self.decisive for rung in RUNGS]]
        undecided = (decisive == UNDECIDED).any(axis=1)
        refused = (decisive == FAILED).any(axis=1)
        return np.where(refused, FAILED, np.where(undecided, UNDECIDED, PASSED)).astype(np.int8)

    @property
    def accepted(self) -> NDArray[np.bool_]:
        """Valid codes."""
        return np.asarray(self.decision == PASSED)

    @property
    def refused(self) -> NDArray[np.bool_]:
        """Values that are no valid code."""
        return np.asarray(self.decision == FAILED)

    @property
    def undecided(self) -> NDArray[np.bool_]:
        """Codes that only a list which was not given can decide."""
        return np.asarray(self.decision == UNDECIDED)

    @property
    def valid(self) -> tuple[bool | None, ...]:
        """True, False, or None for what cannot be decided offline."""
        return tuple(None if d == UNDECIDED else bool(d) for d in self.decision.tolist())

    @property
    def altered(self) -> NDArray[np.bool_]:
        """Values whose normalised form differs from the raw one."""
        return np.asarray(self.alteration != 0)

    @property
    def as_written(self) -> NDArray[np.bool_]:
        """Values whose raw form has the right case, width and no blanks around.

        A missing dot is no fault here: billing files leave it out.
        """
        return np.asarray((self.alteration & ~np.uint8(Alteration.PUNCTUATION)) == 0)

    @property
    def suspect(self) -> NDArray[np.bool_]:
        """Codes that are some, but probably not the ones meant."""
        return np.asarray(self.rung(Rung.MEANING) == FAILED)

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Places without a value: None, NaN, empty or blank."""
        return np.asarray(self.reason == "missing", dtype=bool)

    def __len__(self) -> int:
        return len(self.normalised)

    def __iter__(self) -> Iterator[CodeVerdict]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> CodeVerdict:
        """Return the verdict on one value."""
        row = dict(zip(RUNGS, self.ladder[index].tolist(), strict=True))
        passed = [rung for rung, state in row.items() if state == PASSED]
        failed = [rung for rung, state in row.items() if state == FAILED]
        # A value in the wrong system fails the form as well; the system says more.
        failed.sort(key=lambda rung: (rung not in self.decisive, rung != Rung.SYSTEM))
        which = int(self.decided_by[index])
        decided_by = str(self.lists[which]) if which >= 0 else ""
        reason, other = str(self.reason[index]), str(self.other[index])
        message, message_zh = (
            sentence(reason, language, other=other, decided_by=decided_by)
            for language in ("en", "zh")
        )
        decisive = [row[rung] for rung in RUNGS if rung in self.decisive]
        valid = False if FAILED in decisive else None if UNDECIDED in decisive else True
        return CodeVerdict(
            self.normalised[index],
            Alteration(int(self.alteration[index])),
            passed[-1] if passed else None,
            failed[0] if failed else None,
            valid,
            reason,
            message,
            message_zh,
            other,
            str(self.suggestion[index]),
            row[Rung.MEANING] == FAILED,
            decided_by,
        )
