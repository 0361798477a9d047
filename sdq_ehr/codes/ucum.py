"""UCUM units: parsed once for each distinct text, and what was meant where they are none.

Syntax and atoms: UCUM 2.2 by ucumvert's grammar. A text may parse and still not be meant: K/uL is
kelvin for each microlitre. Such texts are valid and marked at `Rung.MEANING`, with a suggestion.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import yaml
from numpy.typing import NDArray

from sdq_ehr.codes.lists import CodeList
from sdq_ehr.codes.system import DECISIVE, Climb, ListedSystem
from sdq_ehr.codes.verdict import FAILED, PASSED, UNDECIDED, ListUsed, Rung

__all__ = ["Ucum", "Written", "meant", "parses", "suggest"]


@dataclass(frozen=True)
class Written:
    """What is written for units and what was meant (``ucum.yaml``).

    Parameters
    ----------
    suspect, whole, part : mapping of str to str
    folded : mapping of str to str
        `whole` without regard to case.
    """

    suspect: Mapping[str, str]
    whole: Mapping[str, str]
    part: Mapping[str, str]
    folded: Mapping[str, str]


@lru_cache(maxsize=1)
def written() -> Written:
    """Return the table of the package."""
    text = (Path(__file__).parent / "ucum.yaml").read_text("utf-8")
    data = yaml.safe_load(text)
    folded = {key.casefold(): unit for key, unit in data["whole"].items()}
    return Written(data["suspect"], data["whole"], data["part"], folded)


@lru_cache(maxsize=1)
def _parser() -> Callable[[str], Any] | None:
    """Return ucumvert's parser; None where it is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from ucumvert import get_ucum_parser

            return get_ucum_parser().parse  # type: ignore[no-any-return]
    except ImportError:
        return None


@lru_cache(maxsize=65536)
def parses(text: str) -> bool | None:
    """Tell whether a text is a unit of UCUM.

    Kept per process: a parse takes most of a millisecond, and units are few.

    Parameters
    ----------
    text : str

    Returns
    -------
    bool or None
        None where ucumvert is not installed.

    Examples
    --------
    >>> [parses(text) for text in ("mg/dL", "mm[Hg]", "mmHg", "")]
    [True, True, False, False]
    """
    parse = _parser()
    if parse is None:
        return None
    try:
        parse(text)
    except Exception:  # the grammar's own errors, and whatever a hostile text makes of it
        return False
    return True


def meant(text: str) -> str:
    """Return what was probably meant by a text that is a unit of something else.

    Parameters
    ----------
    text : str
        A unit of UCUM.

    Returns
    -------
    str
        Empty where the unit is probably meant.

    Examples
    --------
    >>> meant("K/uL"), meant("K/ul"), meant("mg/dL")
    ('10*3/uL', '10*3/uL', '')
    """
    table = written().suspect
    return table.get(text, "") or table.get(text.replace("l", "L"), "")


@lru_cache(maxsize=65536)
def suggest(text: str) -> str:
    """Return the unit that was probably meant by a text that is none.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        Empty where nothing is known; always a unit of UCUM otherwise.

    Examples
    --------
    >>> [suggest(text) for text in ("mmHg", "µg/L", "bpm", "IU/mL", "banana")]
    ['mm[Hg]', 'ug/L', '/min', '[iU]/mL', '']
    """
    table = written()
    pieces = re.split(r"([/.])", re.sub(r"\s*([/.])\s*", r"\1", text))
    candidates = (
        table.whole.get(text, ""),
        table.folded.get(text.casefold(), ""),
        "".join(table.part.get(piece, piece) for piece in pieces),
        "".join(_piece(piece, table) for piece in pieces),
        re.sub(r"\s+", "", text),
    )
    for candidate in candidates:
        if candidate and candidate != text and parses(candidate):
            return meant(candidate) or candidate
    return ""


def _piece(piece: str, table: Written) -> str:
    """Return what was meant by a part that is no unit by itself, whatever its case."""
    if not piece or piece in "/." or parses(piece):
        return piece
    return table.part.get(piece) or table.part.get(piece.casefold(), piece)


class Ucum(ListedSystem):
    """Units of measure, case sensitive.

    Parameters
    ----------
    listed : CodeList or None
        A value set of units that are admitted; None: every unit of UCUM.
    """

    upper: ClassVar[bool] = False
    most: ClassVar[int] = 128
    domains: ClassVar[frozenset[str]] = frozenset({"unit"})

    def __init__(
        self,
        id_: str,
        listed: CodeList | None = None,
        *,
        decisive: frozenset[Rung] = DECISIVE,
    ) -> None:
        super().__init__(id_, listed, decisive=decisive)
        self.grammar = None if _parser() is None else ListUsed(
            "UCUM 2.2", f"ucumvert {version('ucumvert')}"
        )  # fmt: skip

    @property
    def version(self) -> str:
        """Version of the value set, else of the grammar."""
        used = self.lists
        return used[0].version if used else ""

    @property
    def lists(self) -> tuple[ListUsed, ...]:
        """The value set where given, else the grammar."""
        if self.list is not None:
            return (self.list.used,)
        return () if self.grammar is None else (self.grammar,)

    def shapes(self, texts: list[str], rows: NDArray[np.intp], climb: Climb) -> None:
        """Parse; suggest what was meant where a text does not parse or means something else."""
        for row in rows.tolist():
            text = texts[row]
            if not (text.isascii() and text.isprintable()) or parses(text) is False:
                climb.reason[row] = "unit_syntax"
                climb.suggestion[row] = suggest(text)
                texts[row] = ""
            else:
                climb.suggestion[row] = meant(text)

    def look_up(self, rows: NDArray[np.intp], climb: Climb) -> None:
        """Ask the value set, if any, and mark units that mean something else."""
        if self.list is not None:
            super().look_up(rows, climb)
        elif self.grammar is None:
            climb.set(Rung.FORM, rows, UNDECIDED)
            climb.say(rows, "package_missing")
        else:
            climb.set(Rung.LISTED, rows, PASSED)
            climb.decided_by[rows] = 0
        suspects = rows[[bool(meant(text)) for text in climb.at(rows)]]
        climb.set(Rung.MEANING, rows, PASSED)
        climb.set(Rung.MEANING, suspects, FAILED)
        climb.say(suspects, "unit_suspect")
