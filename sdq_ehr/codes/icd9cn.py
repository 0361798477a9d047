"""The Chinese clinical form of ICD-9-CM-3, and the procedure that it refines.

Shapes as in the national clinical edition and the medical insurance edition: the digits of ICD-9-CM
volume 3, filled up to four behind the dot (``51.2300``), perhaps with an extension ``x`` and three
digits (``38.8700x008``). The lists themselves are the user's; without one, what can be decided is
whether the category of volume 3 exists, and that alone refuses or leaves undecided.
"""

from __future__ import annotations

import re
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from sdq_ehr.codes.icd import heading
from sdq_ehr.codes.lists import CodeList
from sdq_ehr.codes.system import DECISIVE, Climb, ListedSystem
from sdq_ehr.codes.verdict import FAILED, UNDECIDED, Alteration, ListUsed, Rung

__all__ = ["ICD9CN", "volume_3_code"]

_CODE: Final = re.compile(r"([0-9]{2})(\.?)([0-9]{4})(X[0-9]{3,4})?")


class ICD9CN(ListedSystem):
    """ICD-9-CM-3 in the Chinese clinical and insurance editions.

    Parameters
    ----------
    listed : CodeList or None
        The national list.
    volume_3 : CodeList or None
        ICD-9-CM volume 3, to fall back on.
    """

    upper: ClassVar[bool] = False  # the x of an extension is small
    most: ClassVar[int] = 16
    domains: ClassVar[frozenset[str]] = frozenset({"procedure", "measurement", "observation"})

    def __init__(
        self,
        id_: str,
        listed: CodeList | None,
        volume_3: CodeList | None,
        *,
        missing_package: bool = False,
        decisive: frozenset[Rung] = DECISIVE,
    ) -> None:
        super().__init__(id_, listed, missing_package=missing_package, decisive=decisive)
        self.volume_3 = volume_3

    @property
    def version(self) -> str:
        """Version of the national list, or of the one that stands in."""
        listed = self.list or self.volume_3
        return listed.version if listed is not None else ""

    @property
    def lists(self) -> tuple[ListUsed, ...]:
        """The national list where given, else volume 3."""
        listed = self.list or self.volume_3
        return () if listed is None else (listed.used,)

    def shape(self, text: str) -> tuple[str, int, str]:
        """Return the code with its dot and small x."""
        found = _CODE.fullmatch(text.upper())
        if found is None:
            return "", 0, heading(text)
        chapter, dot, rest, extension = found.groups()
        code = f"{chapter}.{rest}" + (extension or "").lower()
        altered = Alteration.PUNCTUATION * (not dot)
        altered |= Alteration.CASE * (code.replace(".", "") != text.replace(".", ""))
        return code, int(altered), ""

    def look_up(self, rows: NDArray[np.intp], climb: Climb) -> None:
        """Ask the national list, or volume 3 for the category."""
        if self.list is not None:
            self.ask(self.list, 0, rows, self.list.find(climb.at(rows)), climb)
            return
        if self.volume_3 is None:
            super().look_up(rows, climb)
            return
        climb.decided_by[rows] = 0
        # A category is the first digit behind the dot: 51.2 of 51.2300.
        known = self.volume_3.find([code[:4] for code in climb.at(rows)]) >= 0
        climb.set(Rung.LISTED, rows, np.where(known, UNDECIDED, FAILED))
        climb.say(rows[known], "extension_undecided")
        climb.say(rows[~known], "category_not_listed")


def volume_3_code(code: str) -> str:
    """Return the procedure of ICD-9-CM volume 3 that a Chinese clinical code refines.

    Parameters
    ----------
    code : str

    Examples
    --------
    >>> volume_3_code("51.2300"), volume_3_code("38.8700x008"), volume_3_code("74.1x")
    ('51.23', '38.87', '')
    """
    found = _CODE.fullmatch(code.upper())
    return f"{found[1]}.{found[3][:2]}" if found else ""
