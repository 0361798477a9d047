"""LOINC, SNOMED CT, ATC, RxNorm, NDC and CVX: form and check digit, and the user's list."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from sdq_ehr.codes.check_digits import digit_matrix, luhn, verhoeff
from sdq_ehr.codes.system import Climb, ListedSystem
from sdq_ehr.codes.verdict import FAILED, UNDECIDED, Alteration, Rung

__all__ = ["ATC", "CVX", "LOINC", "NDC", "RxNorm", "Snomed", "loinc_digits"]

_LOINC: Final = re.compile(r"(?:LP|LA|LL|LG)?[0-9]{1,7}-[0-9]")
_LETTER: Final = {letter: ord(letter) - ord("0") for letter in "LPAG"}
_ATC: Final = re.compile(r"[ABCDGHJLMNPRSV](?:[0-9]{2}(?:[A-Z](?:[A-Z](?:[0-9]{2})?)?)?)?")
_NDC_PARTS: Final = frozenset({(4, 4, 2), (5, 3, 2), (5, 4, 1), (5, 4, 2)})
_MEASURED: Final = frozenset({"measurement", "observation", "procedure"})
_DRUG: Final = frozenset({"drug"})


def loinc_digits(codes: Sequence[str]) -> NDArray[np.bool_]:
    """Tell which mod-10 digits of LOINC are right.

    The letters of parts and answers count as their distance from the digit zero in ASCII, doubled
    at every second place like the digits (checked on answers and parts of HL7's US Core examples).

    Parameters
    ----------
    codes : sequence of str
        Of the form of LOINC.

    Returns
    -------
    array of bool, shape (n,)

    Examples
    --------
    >>> loinc_digits(["2160-0", "2160-1", "LA6724-4", "LP29684-5"]).tolist()
    [True, False, True, True]
    """
    digits = [code.replace("-", "") for code in codes]
    prefix = np.zeros(len(codes), np.int64)
    for i, code in enumerate(codes):
        if code[0] == "L":
            digits[i] = digits[i][2:]
            odd = len(digits[i]) % 2 == 1
            first, second = (_LETTER[letter] for letter in code[:2])
            # An odd number of digits with the check digit doubles the second letter.
            single, doubled = (first, second) if odd else (second, first)
            prefix[i] = single + 2 * doubled - doubled // 5 * 9
    return luhn(digit_matrix(digits, 8)[0], prefix)


class LOINC(ListedSystem):
    """LOINC: digits, a hyphen, a mod-10 digit (LOINC Users' Guide).

    Answers (LA), parts (LP), groups (LG) and answer lists (LL) have the same form, but name no
    observation: they fail the domain of a column of measurements, and only a list with them in it
    can decide them.
    """

    most: ClassVar[int] = 16
    domains: ClassVar[frozenset[str]] = _MEASURED

    def shape(self, text: str) -> tuple[str, int, str]:
        """Return the code."""
        return (text, 0, "") if _LOINC.fullmatch(text) else ("", 0, "form")

    def check_digits(self, rows: NDArray[np.intp], climb: Climb) -> NDArray[np.bool_]:
        """Tell which mod-10 digits are right."""
        return loinc_digits(climb.at(rows))

    def kinds(self, rows: NDArray[np.intp], climb: Climb, domain: str) -> None:
        """Ask whether the code names an observation, where one is measured."""
        super().kinds(rows, climb, domain)
        if domain in ("measurement", "procedure"):
            parts = rows[[code[0] == "L" for code in climb.at(rows)]]
            climb.set(Rung.SYSTEM, parts, FAILED)
            climb.say(parts, "wrong_domain")

    def look_up(self, rows: NDArray[np.intp], climb: Climb) -> None:
        """Ask the list; it is the one of terms, so that it cannot refuse answers and parts."""
        super().look_up(rows, climb)
        if self.list is None:
            return
        codes = climb.at(rows)
        refused = climb.state(Rung.LISTED)[rows] == FAILED
        parts = rows[refused & np.array([code[0] == "L" for code in codes], bool)]
        climb.set(Rung.LISTED, parts, UNDECIDED)
        climb.decided_by[parts] = -1
        climb.reason[parts[climb.reason[parts] == "not_listed"]] = "list_needed"


class Snomed(ListedSystem):
    """SNOMED CT: 6 to 18 digits, a partition, Verhoeff's digit (SNOMED CT RF2, 5.2 to 5.5).

    A record holds concepts; identifiers of descriptions and relationships fail `Rung.SYSTEM`.
    """

    numbers: ClassVar[bool] = True
    upper: ClassVar[bool] = False
    most: ClassVar[int] = 18
    domains: ClassVar[frozenset[str]] = frozenset(
        {"condition", "procedure", "measurement", "observation", "drug", "device", "unit"}
    )

    def shapes(self, texts: list[str], rows: NDArray[np.intp], climb: Climb) -> None:
        """Refuse what is not 6 to 18 digits without a leading zero, or of no known partition."""
        chosen = texts if len(rows) == len(texts) else [texts[row] for row in rows.tolist()]
        joined = "".join(chosen)
        if joined.isascii() and joined.encode("ascii").isdigit():
            digits = np.ones(len(chosen), bool)
        else:
            digits = np.array([text.isdigit() and text.isascii() for text in chosen], bool)
        safe = chosen if digits.all() else [
            text if right else "0" for text, right in zip(chosen, digits.tolist(), strict=True)
        ]  # fmt: skip
        if not safe:
            return
        matrix, lengths = digit_matrix(safe, 18)
        first = matrix[lengths - 1, np.arange(len(safe))]
        # 00-05 and 10-15: concept, description, relationship, and the three that were retired.
        good = digits & (lengths >= 6) & (first > 0) & (matrix[2] <= 1) & (matrix[1] <= 5)
        whole = bool(good.all())
        climb.kept["digits"] = matrix if whole else matrix[:, good]
        climb.kept["lengths"] = lengths if whole else lengths[good]
        bad = rows[~good]
        climb.reason[bad] = "form"
        for row in bad.tolist():
            texts[row] = ""

    def check_digits(self, rows: NDArray[np.intp], climb: Climb) -> NDArray[np.bool_]:
        """Tell which of Verhoeff's digits are right."""
        digits = climb.kept.pop("digits")
        right = verhoeff(digits, climb.kept.pop("lengths"))
        climb.kept["kind"] = digits[1, right]
        return right

    def kinds(self, rows: NDArray[np.intp], climb: Climb, domain: str) -> None:
        """Ask whether the identifier names a concept."""
        super().kinds(rows, climb, domain)
        component = climb.kept.pop("kind") != 0
        if not domain:
            climb.set(Rung.SYSTEM, rows, (~component).astype(np.int8))
        climb.set(Rung.SYSTEM, rows[component], FAILED)
        climb.say(rows[component], "component_kind")


class ATC(ListedSystem):
    """ATC: 1, 3, 4, 5 or 7 characters (WHO Collaborating Centre for Drug Statistics Methodology).

    Only the seven characters name a substance; the shorter ones are headings.
    """

    most: ClassVar[int] = 10
    domains: ClassVar[frozenset[str]] = _DRUG

    def shape(self, text: str) -> tuple[str, int, str]:
        """Return the code."""
        return (text, 0, "") if _ATC.fullmatch(text) else ("", 0, "form")

    def look_up(self, rows: NDArray[np.intp], climb: Climb) -> None:
        """Ask the list, and mark the headings."""
        super().look_up(rows, climb)
        full = np.array([len(code) == 7 for code in climb.at(rows)], bool)
        if self.list is None or self.list.leaf is None:
            climb.set(Rung.BILLABLE, rows, full.astype(np.int8))


class _Numbered(ListedSystem):
    """A system of plain numbers."""

    numbers: ClassVar[bool] = True
    upper: ClassVar[bool] = False
    digits: ClassVar[re.Pattern[str]]

    def shape(self, text: str) -> tuple[str, int, str]:
        """Return the number."""
        if text.isdigit() and not text.strip("0"):
            return "", 0, "placeholder"
        return (text, 0, "") if self.digits.fullmatch(text) else ("", 0, "form")


class RxNorm(_Numbered):
    """RxNorm: a concept identifier, up to eight digits (RxNorm Technical Documentation)."""

    most: ClassVar[int] = 20
    domains: ClassVar[frozenset[str]] = _DRUG
    digits: ClassVar[re.Pattern[str]] = re.compile(r"[1-9][0-9]{0,7}")


class CVX(_Numbered):
    """CVX, the vaccines of the CDC: up to three digits, written with at least two."""

    most: ClassVar[int] = 20
    domains: ClassVar[frozenset[str]] = _DRUG
    digits: ClassVar[re.Pattern[str]] = re.compile(r"[0-9]{1,3}")

    def shape(self, text: str) -> tuple[str, int, str]:
        """Return the number with at least two digits and no further leading zeros."""
        number, _, reason = super().shape(text)
        code = number.lstrip("0").rjust(2, "0") if number else ""
        return code, Alteration.PUNCTUATION * (code != number), reason


class NDC(ListedSystem):
    """NDC: 10 digits as 4-4-2, 5-3-2 or 5-4-1, or 11 as 5-4-2 (FDA; HIPAA).

    With hyphens the eleven digits are known, and are the normalised form; ten digits without
    hyphens belong to three codes and stay as they are. Fewer digits lost their leading zeros.
    """

    numbers: ClassVar[bool] = True
    upper: ClassVar[bool] = False
    most: ClassVar[int] = 16
    domains: ClassVar[frozenset[str]] = frozenset({"drug", "device"})

    def shape(self, text: str) -> tuple[str, int, str]:
        """Return the eleven digits, where they are known."""
        parts = text.split("-")
        if not (text.isascii() and all(part.isdigit() for part in parts)):
            return "", 0, "form"
        if not text.strip("0-"):
            return "", 0, "placeholder"
        if len(parts) == 1:
            if len(text) < 10:
                return "", 0, "leading_zeros"
            return (text, 0, "") if len(text) <= 11 else ("", 0, "form")
        if tuple(map(len, parts)) not in _NDC_PARTS:
            return "", 0, "form"
        code = "".join(part.rjust(width, "0") for part, width in zip(parts, (5, 4, 2), strict=True))
        return code, Alteration.PUNCTUATION, ""
