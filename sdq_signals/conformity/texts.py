"""Identifiers in the texts of headers and annotations."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sdq_core.finding import Finding
from sdq_core.identifiers import identifiers_in_text, is_dummy
from sdq_signals.conformity.rules import identifier, violation

__all__ = ["code", "dummy", "keyed", "patterns", "person"]

_KEYED = re.compile(
    r"(?:^|[\s<(,;])(?P<key>(?:sur|last|first|family|given|full)?[ _]?name|patient|physician|doctor"
    r"|technician|operator|mrn|dob|birth ?(?:date|day)|date of birth|address|phone|telephone|姓名"
    r"|患者姓名|医生|医师|出生日期|地址|电话)>?\s*[:：=]\s*(?P<value>[^,;#<]+)",
    re.IGNORECASE,
)
_STAFF = ("physician", "doctor", "technician", "operator", "医生", "医师")
_BIRTH = ("dob", "birth", "date of birth", "出生日期")
_CONTACT = ("address", "phone", "telephone", "地址", "电话")
_THINGS = frozenset((
    "algorithm", "channel", "class", "database", "device", "drug", "file", "generator", "lead",
    "method", "model", "network", "record", "sensor", "signal", "software", "study", "system",
))  # fmt: skip
"""Words before "name" by which it is the name of a thing."""
_HAN = re.compile(r"[\u3400-\u9fff]")
_DUMMIES = re.compile(r"(?:x|na|n/a|none|unknown)(?:[,;_ ]+(?:x|na|n/a|none|unknown))*", re.I)


def dummy(value: str) -> bool:
    """Return whether a value stands for nobody: empty, X, or a word such as ANON.

    Examples
    --------
    >>> dummy("X,X"), dummy("SYN0001"), dummy("Jane_Doe")
    (True, True, False)
    """
    return is_dummy(value) or _DUMMIES.fullmatch(value.strip()) is not None


def patterns(text: str, where: str) -> list[Finding]:
    """Return findings of the identifiers that `sdq_core.identifiers` recognises in a text.

    Examples
    --------
    >>> [f.rule for f in patterns("MRN 00123456", "comment 1")]
    ['signals.identifier.record_number']
    """
    return [identifier(kind, where) for kind in identifiers_in_text(text)]


def person(value: str, where: str, rule: str = "identifier.name") -> Iterator[Finding]:
    """Judge a field that is meant for a person's name.

    Parameters
    ----------
    value : str
    where : str
    rule : str
        ``"identifier.name"`` or ``"identifier.staff_name"``.

    Yields
    ------
    Finding
        An error for what reads like a name; a warning ``identifier.code`` for initials and for
        what holds digits; nothing for a dummy.

    Examples
    --------
    >>> [f.rule for f in person("Jane_Doe", "patient.name")]
    ['signals.identifier.name']
    >>> [f.rule for f in person("Female_33yr", "patient.name")]
    ['signals.identifier.code']
    """
    if dummy(value):
        return
    letters = re.sub(r"[\W_]+", "", value)
    short = len(letters) < 4 and not _HAN.search(letters)
    digits = any(character.isdigit() for character in value)
    yield violation("identifier.code" if short or digits else rule, where)


def code(value: str, where: str) -> Iterator[Finding]:
    """Judge a field that is meant for a code of the hospital.

    Yields
    ------
    Finding
        An error for what has the form of a record number (four digits or more in a row), a warning
        for another code; nothing for a dummy.

    Examples
    --------
    >>> [f.rule for f in code("MRN123456", "patient.code")]
    ['signals.identifier.record_number']
    >>> [f.rule for f in code("S-12", "patient.code")]
    ['signals.identifier.code']
    """
    if not dummy(value):
        number = re.search(r"\d{4}", value, re.ASCII)
        yield violation("identifier.record_number" if number else "identifier.code", where)


def keyed(text: str, where: str) -> Iterator[Finding]:
    """Find values behind a key such as ``Name:``, ``Physician:``, ``DOB:`` in an info string.

    Examples
    --------
    >>> [f.rule for f in keyed("Name: Jane Doe, 53 y", "comment 1")]
    ['signals.identifier.name']
    >>> list(keyed("Patient: anonymous", "comment 1")), list(keyed("model name: vae", "comment 1"))
    ([], [])
    """
    for match in _KEYED.finditer(text):
        before = text[: match.start("key")].lower().rstrip(" <_").rpartition(" ")[2]
        if before in _THINGS and "name" in match["key"].lower():
            continue
        key, value = match["key"].strip().lower(), match["value"].strip()
        if dummy(value):
            continue
        if key.startswith(_BIRTH):
            yield violation("identifier.birth_date", where)
        elif key.startswith(_CONTACT):
            yield identifier("address", where)
        elif key == "mrn":
            yield from code(value, where)
        else:
            rule = "identifier.staff_name" if key.startswith(_STAFF) else "identifier.name"
            yield from person(value, where, rule)
