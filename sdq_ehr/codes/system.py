"""What all code systems share: the way up the ladder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from sdq_ehr.codes.forms import FAMILIES, recognise_all
from sdq_ehr.codes.lists import CodeList
from sdq_ehr.codes.values import clean
from sdq_ehr.codes.verdict import (
    FAILED,
    NOT_ASKED,
    PASSED,
    RUNGS,
    UNDECIDED,
    CodeVerdicts,
    ListUsed,
    Rung,
)

__all__ = ["DECISIVE", "Climb", "CodeSystem", "ListedSystem"]

DECISIVE: Final = frozenset({Rung.FORM, Rung.CHECK_DIGIT, Rung.LISTED, Rung.SYSTEM})
"""Rungs that make a code invalid; inactive, not billable and suspect ones are only marked."""


class CodeSystem(Protocol):
    """A code system: it judges distinct values.

    Attributes
    ----------
    id : str
    name : str
    version : str
        Of the list that decides; empty without one.
    """

    @property
    def id(self) -> str:
        """Name in the schema."""

    @property
    def name(self) -> str:
        """Name for people."""

    @property
    def version(self) -> str:
        """Version of the list that decides."""

    @property
    def lists(self) -> tuple[ListUsed, ...]:
        """Lists that take part in verdicts."""

    def check(self, distinct: Sequence[object], *, domain: str = "") -> CodeVerdicts:
        """Return the verdicts on distinct values."""


@dataclass
class Climb:
    """The state of values on their way up; systems write into it.

    Parameters
    ----------
    texts : list of str
        Cleaned, then canonical.
    alteration, ladder, decided_by : arrays
        As in `CodeVerdicts`.
    reason, other, suggestion : arrays of str
    kept : dict of str to array
        What a rung computed that the next one needs.
    """

    texts: list[str]
    alteration: NDArray[np.uint8]
    ladder: NDArray[np.int8]
    reason: NDArray[np.object_]
    other: NDArray[np.object_]
    suggestion: NDArray[np.object_]
    decided_by: NDArray[np.int8]
    kept: dict[str, NDArray[Any]] = field(default_factory=dict)

    def set(self, rung: Rung, rows: NDArray[Any], state: NDArray[Any] | int) -> None:
        """Set the state of a rung for some rows."""
        self.ladder[rows, RUNGS.index(rung)] = state

    def state(self, rung: Rung) -> NDArray[np.int8]:
        """Return the states of a rung."""
        return self.ladder[:, RUNGS.index(rung)]

    def say(self, rows: NDArray[Any], reason: str) -> None:
        """Give a reason to those rows that have none yet."""
        self.reason[rows[self.reason[rows] == ""]] = reason

    def at(self, rows: NDArray[Any]) -> list[str]:
        """Return the texts of some rows."""
        if len(rows) == len(self.texts):
            return self.texts
        texts = self.texts
        return [texts[row] for row in rows.tolist()]


class ListedSystem:
    """A code system with a form, perhaps a check digit, and perhaps a list.

    Derived classes say what their codes look like; this one asks the rungs in order.

    Parameters
    ----------
    id_ : str
    listed : CodeList or None
        None: membership cannot be decided offline.
    missing_package : bool
        The list would come from a package that is not installed.
    decisive : frozenset of Rung
        Rungs that make a code invalid.
    """

    numbers: ClassVar[bool] = False
    upper: ClassVar[bool] = True
    most: ClassVar[int] = 40
    domains: ClassVar[frozenset[str]] = frozenset()

    def __init__(
        self,
        id_: str,
        listed: CodeList | None = None,
        *,
        missing_package: bool = False,
        decisive: frozenset[Rung] = DECISIVE,
    ) -> None:
        from sdq_ehr.codes.reasons import SYSTEM_NAMES

        self.id = id_
        self.name = SYSTEM_NAMES.get(id_, (id_, id_))[0]
        self.list = listed
        self.missing_package = missing_package
        self.decisive = decisive

    @property
    def version(self) -> str:
        """Version of the list that decides; empty without one."""
        return self.list.version if self.list is not None else ""

    @property
    def lists(self) -> tuple[ListUsed, ...]:
        """Lists that take part in verdicts."""
        return () if self.list is None else (self.list.used,)

    # What derived classes say.

    def shape(self, text: str) -> tuple[str, int, str]:
        """Return canonical form, alteration, and the reason where the form is wrong."""
        return text, 0, ""

    def shapes(self, texts: list[str], rows: NDArray[np.intp], climb: Climb) -> None:
        """Bring texts to their canonical form; a system with much to do overrides this."""
        for row in rows.tolist():
            text, altered, reason = self.shape(texts[row])
            if reason:
                climb.reason[row] = reason
            texts[row] = "" if reason else text
            climb.alteration[row] |= altered

    def check_digits(self, rows: NDArray[np.intp], climb: Climb) -> NDArray[np.bool_] | None:
        """Tell which check digits are right; None for a system without."""
        return None

    def look_up(self, rows: NDArray[np.intp], climb: Climb) -> None:
        """Ask the list."""
        if self.list is None:
            climb.set(Rung.LISTED, rows, UNDECIDED)
            climb.say(rows, "package_missing" if self.missing_package else "list_needed")
            return
        self.ask(self.list, 0, rows, self.list.find(climb.at(rows)), climb)

    def kinds(self, rows: NDArray[np.intp], climb: Climb, domain: str) -> None:
        """Ask whether the code belongs to the column's domain."""
        if not domain or not self.domains:
            return
        fits = domain in self.domains
        climb.set(Rung.SYSTEM, rows, PASSED if fits else FAILED)
        if not fits:
            climb.say(rows, "wrong_domain")

    # What they share.

    def ask(
        self, listed: CodeList, index: int, rows: NDArray[np.intp], places: NDArray[np.intp],
        climb: Climb,
    ) -> None:  # fmt: skip
        """Write what a list says of codes at their places in it."""
        climb.decided_by[rows] = index
        found = places >= 0
        out = rows[~found]
        climb.set(Rung.LISTED, rows[found], PASSED)
        climb.set(Rung.LISTED, out, FAILED if listed.complete else UNDECIDED)
        climb.say(out, "not_listed" if listed.complete else "list_incomplete")
        for rung, flags, reason in (
            (Rung.ACTIVE, listed.active, "inactive"),
            (Rung.BILLABLE, listed.leaf, "not_billable"),
        ):
            if flags is not None:
                good = flags[places[found]]
                climb.set(rung, rows[found], good.astype(np.int8))
                climb.say(rows[found][~good], reason)

    def check(self, distinct: Sequence[object], *, domain: str = "") -> CodeVerdicts:
        """Return the verdicts on distinct values.

        Parameters
        ----------
        distinct : sequence of object
            Anything: None, numbers and text that is no code get a reason.
        domain : str
            What the column holds, in OMOP's words in lower case (``condition``, ``procedure``,
            ``drug``, ``measurement``, ``observation``, ``unit``); empty: not asked.

        Returns
        -------
        CodeVerdicts
            In the order of `distinct`.
        """
        cleaned = clean(distinct, numbers=self.numbers, most=self.most, upper=self.upper)
        n = len(cleaned.texts)
        climb = Climb(
            list(cleaned.texts),
            cleaned.alteration,
            np.full((n, len(RUNGS)), NOT_ASKED, np.int8),
            cleaned.reason,
            np.full(n, "", object),
            np.full(n, "", object),
            np.full(n, -1, np.int8),
        )
        rows = np.flatnonzero(climb.reason == "")
        self.shapes(climb.texts, rows, climb)
        good = climb.reason == ""
        climb.set(Rung.FORM, np.arange(n), good.astype(np.int8))
        rows = np.flatnonzero(good)
        right = self.check_digits(rows, climb) if len(rows) else None
        if right is not None:
            climb.set(Rung.CHECK_DIGIT, rows, right.astype(np.int8))
            climb.say(rows[~right], "check_digit")
            rows = rows[right]
        if len(rows):
            self.kinds(rows, climb, domain)
            self.look_up(rows, climb)
        self._others(cleaned.texts, climb)
        return CodeVerdicts(
            self.id,
            tuple(climb.texts),
            climb.alteration,
            climb.ladder,
            self.decisive,
            climb.reason,
            climb.other,
            climb.suggestion,
            self.lists,
            climb.decided_by,
        )

    def _others(self, raw: list[str], climb: Climb) -> None:
        """Name the system whose form a refused value has."""
        formless = climb.state(Rung.FORM) == FAILED
        wrong = formless | (climb.state(Rung.CHECK_DIGIT) == FAILED)
        unlisted = climb.state(Rung.LISTED) == FAILED
        family = FAMILIES.get(self.id, self.id)
        rows = [
            row
            for row in np.flatnonzero(wrong | unlisted).tolist()
            if raw[row] and climb.reason[row] not in ("block", "chapter")
        ]
        others = recognise_all([raw[row] for row in rows], but=self.id)
        for row, other in zip(rows, others, strict=True):
            sibling = FAMILIES.get(other, other) == family
            if other and (formless[row] or not sibling):
                climb.other[row] = other
                climb.reason[row] = "other_system"
                climb.set(Rung.SYSTEM, np.array([row]), FAILED)
