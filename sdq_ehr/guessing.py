"""What the cells of a column say about its type, its code system and the terms of its values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sdq_ehr.cells.columns import BOOLEANS
from sdq_ehr.cells.dates import DateSurvey, is_date
from sdq_ehr.cells.numbers import is_number
from sdq_ehr.cells.texts import clean, distinct, mask
from sdq_ehr.codes.check_digits import digit_matrix, luhn, verhoeff
from sdq_ehr.naming import (
    has_time_of_day,
    is_description,
    is_flag,
    is_identifier,
    is_patient,
    meaning_of,
    system_named,
    words,
)
from sdq_ehr.schema import MISSING

__all__ = ["Guess", "guess_column", "sex_terms"]

ENOUGH: Final = 0.95
"""Share of the distinct values that must have a form."""
SAMPLE: Final = 5000
"""Distinct values that are looked at."""
FEW: Final = 200
"""Distinct values that a category has at most, unless it repeats them often."""

_FORMS: Final = (
    # Distinctive enough to be believed without a name; the order is that of trust.
    ("loinc", r"^(LP|LA)?\d{1,7}-\d$"),
    ("icd9cn", r"^\d{2}\.\d{4}x\d{3,4}$"),
    ("icd10cn", r"^[A-Z]\d{2}\.?\d?[\dxX]\d{2}(x\d{3,4})?[+*†]?$"),
    ("atc", r"^[A-Z]\d{2}([A-Z]([A-Z](\d{2})?)?)?$"),
    ("icd10", r"^[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?[+*†]?$"),
)
_UUID: Final = r"^(urn:uuid:)?[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
_SEXES: Final[Mapping[str, str]] = {
    "f": "female", "female": "female", "woman": "female", "w": "female", "女": "female",
    "女性": "female", "m": "male", "male": "male", "man": "male", "男": "male", "男性": "male",
    "o": "other", "other": "other", "其他": "other", "u": "unknown", "unknown": "unknown",
    "未知": "unknown", "未说明": "unknown",
}  # fmt: skip


@dataclass(frozen=True)
class Guess:
    """What a column seems to be.

    Parameters
    ----------
    type, system, meaning : str
    reason : str
        Why, for the comment; quotes no value.
    unique : bool
        Whether no value is missing and none stands twice.
    distinct : int
        Number of distinct values.
    missing : float
        Share of missing values.
    """

    type: str
    system: str = ""
    meaning: str = ""
    reason: str = ""
    unique: bool = False
    distinct: int = 0
    missing: float = 0.0


def guess_column(name: str, values: pa.ChunkedArray | pa.Array, table: str = "") -> Guess:
    """Guess type, code system and meaning of a column.

    Parameters
    ----------
    name : str
    values : pyarrow array
        Texts or native values.
    table : str
        Name of the table.

    Examples
    --------
    >>> guess_column("入院日期", pa.array(["2020年1月2日", "2021年12月30日"])).meaning
    'admission'
    """
    count = len(values)
    native = "" if pa.types.is_string(values.type) else _native_type(values.type)
    if native:
        array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
        if pa.types.is_floating(array.type):
            array = pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)
        present, known = count - array.null_count, len(pc.unique(pc.drop_null(array)))
        texts = pc.drop_null(pc.unique(array))[:SAMPLE].cast(pa.string())
    else:
        if not pa.types.is_string(values.type):
            return Guess("text", reason="the values have a type of several parts")
        whole, index = distinct(values)
        cleaned = clean(whole, "code", MISSING).values
        valid = mask(pc.is_valid(cleaned))
        present = int(np.append(valid, False)[index].sum())
        known = len(pc.unique(pc.drop_null(cleaned)))
        texts = pc.drop_null(cleaned)[:SAMPLE]
    about = {
        "unique": count > 0 and present == count == known,
        "distinct": known,
        "missing": 1 - present / count if count else 0.0,
    }
    kind, system, reason = _type(name, texts, table, native, known, present)
    meaning = meaning_of(name, kind, table)
    if meaning in ("sex", "race", "ethnicity", "class", "region") and kind in (
        "boolean", "integer", "code"
    ):  # fmt: skip
        kind, system, reason = "category", "", "the name says that the values are kinds"
    if meaning in ("national_id", "record_number") and kind != "identifier":
        kind, system, reason = "identifier", "", "the name says that the values identify persons"
    if meaning in ("name", "phone", "email", "address") and kind != "text":
        kind, system, reason = "text", "", "the name says that the values are about a person"
    return Guess(kind, system, meaning, reason, **about)  # type: ignore[arg-type]


def sex_terms(values: pa.ChunkedArray | pa.Array) -> dict[str, str]:
    """Return the standard term of each value of a column of sexes; empty when one is unknown.

    Examples
    --------
    >>> sex_terms(pa.array(["F", "M", "F"]))
    {'F': 'female', 'M': 'male'}
    """
    if not pa.types.is_string(values.type):
        return {}
    found = pc.drop_null(clean(distinct(values)[0], "category", MISSING).values)[:50].to_pylist()
    terms = {v: _SEXES.get(v.lower(), "") for v in sorted(set(found))}
    return terms if terms and all(terms.values()) else {}


def _native_type(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind):
        return "integer"
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    if pa.types.is_date(kind):
        return "date"
    return "datetime" if pa.types.is_timestamp(kind) else ""


def _type(
    name: str, texts: pa.Array, table: str, native: str, known: int, present: int
) -> tuple[str, str, str]:
    """Return type, code system and reason."""
    if not len(texts):
        return "category", "", "all values are missing: only the name speaks"
    text = words(name)
    named = system_named(name, table)
    numbers = 1.0 if native in ("number", "integer") else _share(is_number(texts))
    numeric = numbers >= ENOUGH and native in ("", "number", "integer")
    dates = native in ("date", "datetime") or _are_dates(name, texts, numeric)
    if dates and not (named and numeric):
        return _date_type(name, texts, native)
    if not native and meaning_of(name, "unit") == "unit" and not numeric:
        return "unit", "", "the name speaks of a unit"
    if re.search(r"\b(system|vocabulary)\b", text) and not numeric:
        return "category", "", "the name speaks of a code system"
    whole = numeric and _whole_numbers(texts)
    if is_patient(name) or (not native and _share_of(texts, _UUID) >= ENOUGH):
        return "identifier", "", "the name or the form is that of an identifier"
    if named and named != "local":
        if named == "icd10":
            named = _icd10_kind(texts)
        return "code", named, "the name speaks of the code system"
    if named == "local" and whole and _are_snomed(texts):
        return "code", "snomed", "the values have the form and check digit of the code system"
    if not native and not numeric and known >= 5:
        for system, pattern in _FORMS:
            if _share_of(texts, pattern) >= ENOUGH and (system != "loinc" or _are_loinc(texts)):
                return "code", system, "the values have the form of the code system"
    if (
        is_identifier(name)
        and (not numeric or whole)
        and not (named == "local" and known < present)
    ):
        return "identifier", "", "the name is that of an identifier"
    if named == "local" and (whole or not numeric) and not is_description(name):
        return "code", "local", "the name speaks of a code, of no known system"
    if native == "boolean" or _are_booleans(name, texts):
        return "boolean", "", "the values are yes and no"
    if numeric:
        if not native and _leading_zeros(texts):
            return "category", "", "digits with leading zeros count nothing"
        part = "" if numbers == 1.0 else "; some are none: look at them"
        kind = "integer" if whole else "number"
        return kind, "", f"the values are {'whole ' if whole else ''}numbers{part}"
    return _words_type(name, texts, known, present)


def _words_type(name: str, texts: pa.Array, known: int, present: int) -> tuple[str, str, str]:
    length = pc.mean(pc.utf8_length(texts)).as_py() or 0
    often = known <= FEW or known <= 0.05 * present
    if is_description(name) or (length > 40 and not often):
        return "text", "", "the values are running text"
    if often:
        return "category", "", f"distinct values: {known}"
    if known == present and length <= 24:
        return "identifier", "", "nearly every row has a value of its own"
    return "text", "", "many distinct values"


def _date_type(name: str, texts: pa.Array, native: str) -> tuple[str, str, str]:
    if native in ("date", "datetime"):
        return native, "", "the values are dates"
    survey = DateSurvey()
    survey.add(texts)
    if survey.clock:
        return "datetime", "", "the values are dates with a time of day"
    # Midnight throughout says nothing; a name may.
    timed = bool(survey.zones or survey.unzoned) and has_time_of_day(name)
    return ("datetime" if timed else "date"), "", "the values are dates"


def _are_dates(name: str, texts: pa.Array, numeric: bool) -> bool:
    if numeric and not re.search(r"date|time|日期|时间|dob|dod|birth|出生", words(name)):
        return False
    # A few tell nearly always that a column holds none.
    return _share(is_date(texts[:50])) >= 0.5 and _share(is_date(texts)) >= ENOUGH


def _are_booleans(name: str, texts: pa.Array) -> bool:
    low = {str(t).lower() for t in texts[:5].to_pylist()} if len(texts) <= 4 else set()
    if not low or not low <= set(BOOLEANS):
        return False
    if low <= {"t", "f"} and not is_flag(name):
        return False  # letters of some other list, as in a suffix
    return len({BOOLEANS[t] for t in low}) == 2 or low <= {"0", "1", "0.0", "1.0", "true", "false"}


def _whole_numbers(texts: pa.Array) -> bool:
    return _share_of(texts, r"^[+-]?\d+(\.0*)?$") == 1.0


def _leading_zeros(texts: pa.Array) -> bool:
    return bool(mask(pc.match_substring_regex(texts, r"^0\d+$")).any())


def _are_snomed(texts: pa.Array) -> bool:
    found = [str(t) for t in texts.to_pylist() if 6 <= len(str(t)) <= 18 and str(t).isdecimal()]
    if len(found) < max(3, ENOUGH * len(texts)):
        return False
    return _share(verhoeff(*digit_matrix(found, 18))) >= ENOUGH


def _are_loinc(texts: pa.Array) -> bool:
    found = ["".join(filter(str.isdecimal, str(t))) for t in texts.to_pylist()]
    right = luhn(digit_matrix([t for t in found if t and len(t) <= 18], 18)[0])
    return _share(right) >= 0.8


def _icd10_kind(texts: pa.Array) -> str:
    """Tell the Chinese clinical form, with its six digits, from that of the WHO."""
    return "icd10cn" if _share_of(texts, r"^[A-Za-z]\d{2}\.?(\d{3}|[xX]\d{2})") > 0.5 else "icd10"


def _share(marks: np.ndarray) -> float:
    return float(marks.mean()) if len(marks) else 0.0


def _share_of(texts: pa.Array, pattern: str) -> float:
    return _share(mask(pc.match_substring_regex(texts, pattern)))
