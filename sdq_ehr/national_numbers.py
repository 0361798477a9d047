"""Numbers that states give to persons: their forms and check digits.

Each function takes one text and says whether it is such a number, check digit included. Forms
without a check digit (US social security) are told by the groups that are never issued.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from sdq_ehr.codes.check_digits import digit_matrix, verhoeff

__all__ = ["CHECKED", "is_resident_identity_number", "is_social_security_number", "never_issued"]

_PROVINCES: Final = frozenset(
    {"11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36",
     "37", "41", "42", "43", "44", "45", "46", "50", "51", "52", "53", "54", "61", "62",
     "63", "64", "65", "71", "81", "82", "83"}
)  # fmt: skip
"""First two digits of GB/T 2260 codes; 83: residence permits of Taiwan residents."""

_GB_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_GB_DIGITS: Final = "10X98765432"


def is_resident_identity_number(text: str) -> bool:
    """Return whether a text is a Chinese resident identity number.

    Province, a date of birth from 1900 on, and the check character of GB 11643-1999 (ISO 7064
    MOD 11-2).

    Parameters
    ----------
    text : str

    Examples
    --------
    >>> is_resident_identity_number("11010519491231002X")
    True
    >>> is_resident_identity_number("110105194912310021")
    False
    >>> is_resident_identity_number("999000011000001104")
    False
    """
    number = text.upper()
    if re.fullmatch(r"[1-9]\d{16}[\dX]", number, re.ASCII) is None:
        return False
    if number[:2] not in _PROVINCES or not 1900 <= int(number[6:10]) <= 2099:
        return False
    if not _is_date(number[6:10], number[10:12], number[12:14]):
        return False
    total = sum(int(d) * w for d, w in zip(number[:17], _GB_WEIGHTS, strict=True))
    return number[17] == _GB_DIGITS[total % 11]


def is_social_security_number(text: str) -> bool:
    """Return whether a text has the form of a US social security number that can be issued.

    Examples
    --------
    >>> is_social_security_number("123-45-6789"), is_social_security_number("999-45-6789")
    (True, False)
    """
    return re.fullmatch(
        r"(?!000|666|9)\d{3}([- ]?)(?!00)\d{2}\1(?!0000)\d{4}", text, re.ASCII
    ) is not None  # fmt: skip


def never_issued(text: str) -> bool:
    """Return whether a text has the form of a social security number that is never issued.

    Examples
    --------
    >>> never_issued("999-45-6789"), never_issued("123-45-6789"), never_issued("9994567")
    (True, False, False)
    """
    form = re.fullmatch(r"\d{3}[- ]?\d{2}[- ]?\d{4}", text, re.ASCII)
    return form is not None and not is_social_security_number(text)


def _is_date(year: str, month: str, day: str) -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def _digits(text: str) -> str:
    return re.sub(r"[ .\-/]", "", text)


def nhs_number(text: str) -> bool:
    """Return whether a text is a number of the UK National Health Service (modulus 11).

    Examples
    --------
    >>> nhs_number("943 476 5919"), nhs_number("943 476 5918")
    (True, False)
    """
    digits = _digits(text)
    if re.fullmatch(r"\d{10}", digits, re.ASCII) is None or len(set(digits)) == 1:
        return False
    check = 11 - sum(int(d) * w for d, w in zip(digits[:9], range(10, 1, -1), strict=True)) % 11
    return check % 11 == int(digits[9]) and check != 10


def cpf(text: str) -> bool:
    """Return whether a text is a Brazilian CPF (two digits modulus 11).

    Examples
    --------
    >>> cpf("111.444.777-35"), cpf("111.444.777-36"), cpf("111.111.111-11")
    (True, False, False)
    """
    digits = _digits(text)
    if re.fullmatch(r"\d{11}", digits, re.ASCII) is None or len(set(digits)) == 1:
        return False
    for length in (9, 10):
        total = sum(int(d) * (length + 1 - i) for i, d in enumerate(digits[:length]))
        if total * 10 % 11 % 10 != int(digits[length]):
            return False
    return True


def hong_kong_identity(text: str) -> bool:
    """Return whether a text is a Hong Kong identity card number (modulus 11).

    Examples
    --------
    >>> hong_kong_identity("A123456(3)"), hong_kong_identity("A123456(4)")
    (True, False)
    """
    found = re.fullmatch(r"([A-Z]{1,2})(\d{6})\(?([0-9A])\)?", text.strip().upper(), re.ASCII)
    if found is None:
        return False
    letters = found[1].rjust(2)
    values = [36 if c == " " else ord(c) - 55 for c in letters] + [int(d) for d in found[2]]
    values.append(10 if found[3] == "A" else int(found[3]))
    return sum(v * w for v, w in zip(values, range(9, 0, -1), strict=True)) % 11 == 0


_TAIWAN: Final = "ABCDEFGHJKLMNPQRSTUVXYWZIO"


def taiwan_identity(text: str) -> bool:
    """Return whether a text is a Taiwan identity card number (modulus 10).

    Examples
    --------
    >>> taiwan_identity("A123456789"), taiwan_identity("A123456788")
    (True, False)
    """
    if re.fullmatch(r"[A-Z][1289]\d{8}", text, re.ASCII) is None:
        return False
    letter = _TAIWAN.index(text[0]) + 10
    total = letter // 10 + letter % 10 * 9
    total += sum(int(d) * w for d, w in zip(text[1:], (8, 7, 6, 5, 4, 3, 2, 1, 1), strict=True))
    return total % 10 == 0


def korean_registration(text: str) -> bool:
    """Return whether a text is a Korean resident registration number of before 2020.

    Examples
    --------
    >>> korean_registration("800101-1234560"), korean_registration("800101-1234561")
    (True, False)
    """
    digits = _digits(text)
    if re.fullmatch(r"\d{6}[1-8]\d{6}", digits, re.ASCII) is None:
        return False
    century = "19" if digits[6] in "1256" else "20"
    if not _is_date(century + digits[:2], digits[2:4], digits[4:6]):
        return False
    weights = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
    total = sum(int(d) * w for d, w in zip(digits[:12], weights, strict=True))
    return (11 - total % 11) % 10 == int(digits[12])


def french_nir(text: str) -> bool:
    """Return whether a text is a French social security number (key modulus 97).

    Examples
    --------
    >>> french_nir("2 55 08 14 168 025 38"), french_nir("255081416802539")
    (True, False)
    """
    digits = _digits(text)
    if re.fullmatch(r"[12]\d{4}(?:\d{2}|2[AB])\d{8}", digits, re.ASCII) is None:
        return False
    number = digits[:13].replace("2A", "19").replace("2B", "18")
    return 97 - int(number) % 97 == int(digits[13:])


def aadhaar(text: str) -> bool:
    """Return whether a text is an Indian Aadhaar number (Verhoeff).

    Examples
    --------
    >>> aadhaar("2341 2341 2346"), aadhaar("2341 2341 2347")
    (True, False)
    """
    digits = _digits(text)
    if re.fullmatch(r"[2-9]\d{11}", digits, re.ASCII) is None:
        return False
    return bool(verhoeff(*digit_matrix([digits], 12))[0])


CHECKED: Final[Mapping[str, Callable[[str], bool]]] = {
    "nhs": nhs_number,
    "cpf": cpf,
    "hong_kong": hong_kong_identity,
    "taiwan": taiwan_identity,
    "korea": korean_registration,
    "nir": french_nir,
    "aadhaar": aadhaar,
}
"""Numbers with check digits beside the Chinese one. A random number passes one of them at times:
they count in a column where nearly all values pass, or in a column that is named so."""
