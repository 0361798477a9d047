"""The patient and recording fields of EDF+, taken apart."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from sdq_signals.formats.edf_header import EdfHeader

__all__ = ["edf_date", "header_date", "patient_subfields", "recording_subfields", "subject"]

_MONTHS: Final = (
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
)  # fmt: skip
_DATE = re.compile(r"(\d\d)-([A-Z]{3})-(\d{4})", re.ASCII)
_DOTTED = re.compile(r"(\d\d)\.(\d\d)\.(\d\d)", re.ASCII)


def edf_date(text: str) -> date | None:
    """Return the date of an EDF+ subfield, or None where it is none.

    Parameters
    ----------
    text : str
        ``dd-MMM-yyyy`` with the English month in capitals.

    Examples
    --------
    >>> edf_date("02-MAY-1951"), edf_date("31-FEB-2020"), edf_date("02-may-1951")
    (datetime.date(1951, 5, 2), None, None)
    """
    match = _DATE.fullmatch(text)
    if match is None or match[2] not in _MONTHS:
        return None
    try:
        return date(int(match[3]), _MONTHS.index(match[2]) + 1, int(match[1]))
    except ValueError:
        return None


def header_date(text: str) -> date | None:
    """Return the date of the header's start field, with 1985 as the first year that it can hold.

    Examples
    --------
    >>> header_date("31.12.84"), header_date("01.01.85"), header_date("31.13.24")
    (datetime.date(2084, 12, 31), datetime.date(1985, 1, 1), None)
    """
    match = _DOTTED.fullmatch(text)
    if match is None:
        return None
    year = int(match[3])
    try:
        return date(year + (1900 if year >= 85 else 2000), int(match[2]), int(match[1]))
    except ValueError:
        return None


def patient_subfields(header: EdfHeader) -> list[str] | None:
    """Return code, sex, birthdate, name and what follows; None for a plain EDF's free text."""
    parts = header.texts["patient"].split(" ")
    if header.plus or (len(parts) >= 4 and parts[1] in ("F", "M", "X")):
        return parts
    return None


def recording_subfields(header: EdfHeader) -> list[str] | None:
    """Return "Startdate", date, code, technician, equipment; None for a plain EDF's free text."""
    parts = header.texts["recording"].split(" ")
    if header.plus or (len(parts) >= 5 and parts[0] == "Startdate"):
        return parts
    return None


def subject(header: EdfHeader) -> dict[str, str]:
    """Return sex and age in years where the patient field states them; 90 for all above 89."""
    facts: dict[str, str] = {}
    parts = patient_subfields(header) or []
    if len(parts) >= 2 and parts[1] in ("F", "M"):
        facts["sex"] = parts[1]
    born = edf_date(parts[2]) if len(parts) >= 3 else None
    start = header_date(header.texts["startdate"])
    if born is not None and start is not None and born <= start:
        age = start.year - born.year - ((start.month, start.day) < (born.month, born.day))
        facts["age"] = str(min(age, 90))
    return facts
