"""What is broken in the form of a file: alternatives that are planted in turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Alternative", "Broken", "Family", "identifying_lines", "resident_number"]

Broken = Callable[[Path], Path | None]
"""Breaks a file that the planter has written; returns what is the item now, None where it is lost.
"""


@dataclass(frozen=True, slots=True)
class Alternative:
    """Things that can be broken in one file at once.

    Parameters
    ----------
    rules : tuple of str
        Ids of the rules that must fire for it.
    apply : callable
        See `Broken`.
    least_channels : int
        Of the file.
    """

    rules: tuple[str, ...]
    apply: Broken
    least_channels: int = 1


Family = dict[str, tuple[Alternative, ...]]
"""Format -> alternatives."""


def resident_number() -> str:
    """Return a Chinese resident identity number of nobody that keeps the rules of GB 11643-1999.

    The area code 990000 is not allotted, so that no person has it.

    Examples
    --------
    >>> len(resident_number())
    18
    """
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    body = "99000019700101123"
    total = sum(int(d) * w for d, w in zip(body, weights, strict=True))
    return body + "10X98765432"[total % 11]


def identifying_lines() -> dict[str, str]:
    """Return a text of nobody for each kind of identifier that patterns tell in texts.

    Returns
    -------
    dict of str to str
        Kind -> text; the kinds of `sdq_core.identifiers.IDENTIFIER_KINDS`.

    Examples
    --------
    >>> from sdq_core.identifiers import IDENTIFIER_KINDS, identifiers_in_text
    >>> lines = identifying_lines()
    >>> all(kind in identifiers_in_text(text) for kind, text in lines.items())
    True
    >>> sorted(lines) == sorted(IDENTIFIER_KINDS)
    True
    """
    return {
        "resident_identity_number": f"ID {resident_number()}",
        "mobile_number": "mobile 19900000000",
        "social_security_number": "SSN 899-01-1234",
        "email": "mail nobody@example.org",
        "telephone": "Fax: 555-0100-00",
        "record_number": "MRN 00123456",
        "insurance_number": "insurance number 00123456",
        "account_number": "account number 00123456",
        "licence_number": "passport number P0012345",
        "vehicle": "license plate AB-12345",
        "ip_address": "IP 192.0.2.17",
        "name": "patient name: Jane Doe",
        "birth_date": "DOB: 1970-03-12",
        "address": "home address: Example Street 1",
    }
