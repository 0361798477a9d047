"""Direct identifiers in health records: in any column, and in free text.

Sources: 45 CFR 164.514(b)(2)(i) (HIPAA Safe Harbor, identifiers A to R); GB/T 37964-2019 and GB/T
35273-2020 (clauses not verified against the published texts). A value that says itself that it
stands for nobody (``ANON``, ``REMOVED``, zeros) is let pass. Nothing found is ever quoted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sdq_core.finding import Finding
from sdq_core.identifiers import is_dummy
from sdq_core.rule_book import RuleBook
from sdq_ehr.dataset import Dataset
from sdq_ehr.finding import RowFinding
from sdq_ehr.identifier_columns import STAFF_TABLES, key_form, role_of
from sdq_ehr.identifier_patterns import HARMLESS, SUSPECT, kinds_in_text
from sdq_ehr.identifier_rules import IDENTIFIER_RULES, KINDS
from sdq_ehr.national_numbers import (
    CHECKED,
    is_resident_identity_number,
    is_social_security_number,
    never_issued,
)
from sdq_ehr.schema import Column
from sdq_ehr.semantics.columns import Texts
from sdq_ehr.semantics.context import Context

__all__ = ["IDENTIFIER_RULES", "IdentifierOutcome", "find_identifiers"]


_BOOK = RuleBook("ehr", IDENTIFIER_RULES)


@dataclass(frozen=True, slots=True)
class IdentifierOutcome:
    """What was found.

    Parameters
    ----------
    row_findings : tuple of RowFinding
        Of the area ``identifier``: one a kind and column.
    findings : tuple of Finding
        About columns as such: keys, and columns of dates of birth.
    searched : int
        Columns that were searched.
    """

    row_findings: tuple[RowFinding, ...]
    findings: tuple[Finding, ...]
    searched: int


def find_identifiers(dataset: Dataset, context: Context | None = None) -> IdentifierOutcome:
    """Search all columns for direct identifiers.

    Distinct values are judged once. A column's declared meaning or its name says what to expect;
    in texts and unnamed columns only what has the full form of an identifier counts. Bare numbers
    count as telephones or register numbers only where nearly all numbers of the column are such,
    so that codes, laboratory values and times are no alarms; a Chinese resident identity number,
    whose date and check character must hold, counts anywhere.

    Parameters
    ----------
    dataset : Dataset
    context : Context, optional
        To share what `evaluate_rules` has computed already.

    Returns
    -------
    IdentifierOutcome

    Examples
    --------
    >>> import pyarrow as pa
    >>> from sdq_ehr.schema import Schema
    >>> schema = Schema(tables={"t": {"columns": {"note": {"type": "text"}}}})
    >>> data = Dataset(schema, {"t": pa.table({"note": ["call 13800138000", "stable", None]})})
    >>> [(f.rule, f.rows.tolist()) for f in find_identifiers(data).row_findings]
    [('ehr.identifier.mobile_number', [0])]
    """
    context = context or Context(dataset)
    rows: list[RowFinding] = []
    whole: list[Finding] = []
    searched = 0
    for table in context.tables():
        keys = _keys(table, context)
        for column, definition in context.definitions(table).columns.items():
            if context.array(table, column) is None:
                continue
            searched += 1
            role = role_of(context.schema, table, column)
            found = _column(table, column, definition, role, column in keys, context)
            rows += [
                RowFinding(table, np.flatnonzero(mask), f"ehr.identifier.{kind}", column)
                for kind, mask in sorted(found.items())
                if mask.any()
            ]
            whole += _about_column(table, column, role, column in keys, found, context)
    return IdentifierOutcome(tuple(rows), tuple(whole), searched)


Found = dict[str, NDArray[np.bool_]]


def _keys(table: str, context: Context) -> frozenset[str]:
    """Return the columns that only connect rows: keys, patients, references."""
    definition = context.definitions(table)
    patient = context.schema.patient_column(table)
    return frozenset({*definition.key, *definition.references, *([patient] if patient else [])})


def _column(
    table: str, column: str, definition: Column, role: str, key: bool, context: Context
) -> Found:
    array = context.array(table, column)
    assert array is not None
    if pa.types.is_floating(array.type) or pa.types.is_integer(array.type):
        return _numbers(table, column, role, key, context)
    texts = context.texts(table, column)
    if texts is None or not (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)
                             or pa.types.is_dictionary(array.type)):  # fmt: skip
        return {}
    if definition.type == "unit" or not texts.values:
        return {}
    kinds = _named(texts.values, role)
    bare = _bare_numbers(texts.values, role, definition, key)
    running = _in_texts(texts.values, definition, key or definition.type == "code")
    if role in ("name", "staff_name") or table.lower() in STAFF_TABLES:
        # One finding for a name, whichever way it was seen.
        running.pop("name", None)
    out: Found = {}
    for part in (kinds, bare, running):
        for kind, mask in part.items():
            spread = texts.spread(mask)
            out[kind] = out[kind] | spread if kind in out else spread
    if not out and not key and definition.type != "code" and _one_each(table, texts, context):
        out["number_of_its_own"] = texts.known
    return out


# -- columns of numbers ------------------------------------------------------------------------


def _numbers(table: str, column: str, role: str, key: bool, context: Context) -> Found:
    values = context.numbers(table, column)
    if values is None:
        return {}
    known = values[np.isfinite(values)]
    if role == "age":
        old = (values > 89) & (values <= 130)
        # A single value above 89 is how "90 and over" is written.
        single = len(np.unique(values[old])) == 1 and float(values[old][0]) == 90.0
        return {} if single else {"age_over_89": old}
    if role in ("latitude", "longitude"):
        limit = 90 if role == "latitude" else 180
        fine = np.abs(values * 1000 - np.round(values * 1000)) > 1e-6
        return {"location": fine & (np.abs(values) <= limit)}
    wide = len(known) > 0 and float(np.abs(known).max()) >= 1e8
    if role not in ("phone", "national_id", "record_number", "insurance", "postcode") and not wide:
        return {}
    if len(known) == 0 or (known != np.floor(known)).any():
        return {}
    texts = context.texts(table, column)
    if texts is None:
        return {}
    definition = context.definitions(table).columns[column]
    found = _named(texts.values, role) | _bare_numbers(texts.values, role, definition, key)
    return {kind: texts.spread(mask) for kind, mask in found.items()}


# -- columns that say what they hold -----------------------------------------------------------

_PERSON_WORD = r"[^\W\d_][^\W\d_'’.-]{0,40}(?:['’.-][^\W\d_]{1,40}){0,3}\.?\d{0,4}"
_LATIN_NAME = re.compile(
    rf"(?!(?:unknown|none|null|test)\b){_PERSON_WORD}(?:[ ,^]{{1,2}}{_PERSON_WORD}){{0,5}}",
    re.IGNORECASE,
)
_HAN_NAME = re.compile(r"[\u3400-\u9fff]{2,4}|[\u3400-\u9fff]{1,10}[·•.][\u3400-\u9fff·•]{1,12}")


def _is_name(value: str) -> bool:
    if _HAN_NAME.fullmatch(value):
        return True
    return len(value) > 1 and len(value) < 120 and _LATIN_NAME.fullmatch(value) is not None


def _digits_of(value: str) -> str:
    return re.sub(r"[\s().+\-/转xX#extEXT]", "", value)


def _is_phone(value: str) -> bool:
    digits = _digits_of(value)
    return len(value) < 40 and digits.isdigit() and 7 <= len(digits) <= 15 and len(set(digits)) > 2


def _is_address(value: str) -> bool:
    letters = sum(c.isalpha() for c in value[:200])
    return letters >= 3 and (any(c.isdigit() for c in value[:200]) or len(value) >= 6)


def _is_number(value: str) -> bool:
    plain = value.strip()
    return (
        5 <= sum(c.isdigit() for c in plain) <= 20
        and len(plain) <= 24
        and re.fullmatch(r"[A-Za-z]{0,6}[\d\s./-]{4,24}[A-Za-z]?", plain) is not None
        and not never_issued(plain)
    )


def _is_serial(value: str) -> bool:
    return 5 <= len(value.strip()) <= 40 and any(c.isdigit() for c in value)


def _is_postcode(value: str) -> bool:
    # Three digits of a US ZIP code may stay (45 CFR 164.514(b)(2)(i)(B)).
    return (
        re.fullmatch(r"\d{5}(?:-?\d{4})?|\d{6}|[A-Z]{1,2}\d[\dA-Z]? ?\d[A-Z]{2}", value) is not None
    )


def _is_web(value: str) -> bool:
    return "." in value and "/" in value


_BY_ROLE: Final[dict[str, tuple[str, Callable[[str], bool]]]] = {
    "name": ("name", _is_name),
    "staff_name": ("staff_name", _is_name),
    "phone": ("telephone", _is_phone),
    "address": ("address", _is_address),
    "national_id": ("national_number", _is_number),
    "record_number": ("record_number", _is_number),
    "insurance": ("insurance_number", _is_number),
    "postcode": ("postcode", _is_postcode),
    "place": ("place", lambda value: sum(c.isalpha() for c in value) >= 2),
    "device": ("device", _is_serial),
    "licence_plate": ("licence_plate", _is_serial),
    "url": ("url", _is_web),
}


def _named(values: Sequence[str], role: str) -> dict[str, NDArray[np.bool_]]:
    if role not in _BY_ROLE:
        return {}
    kind, holds = _BY_ROLE[role]
    mask = np.array([holds(v.strip()) and not is_dummy(v) for v in values], bool)
    if role in ("name", "staff_name") and mask.mean() < 0.5:
        return {}  # codes in a column of names
    if role in ("record_number", "device", "insurance"):
        mask &= ~np.array([key_form(v) in ("uuid", "hash") for v in values], bool)
    found = {kind: mask}
    if role == "national_id":
        for other, test in (("resident_identity_number", is_resident_identity_number),
                            ("social_security_number", is_social_security_number)):  # fmt: skip
            part = mask & np.array([test(v.strip()) for v in values], bool)
            found[kind] = found[kind] & ~part
            found[other] = part
    if role == "phone":
        mobile = mask & np.array([_is_mobile(_digits_of(v)) for v in values], bool)
        found = {"telephone": mask & ~mobile, "mobile_number": mobile}
    return found


# -- bare numbers ------------------------------------------------------------------------------

_MOBILE = re.compile(r"(?:86)?1[3-9]\d{9}", re.ASCII)
NEARLY_ALL: Final = 0.9
"""Share of a column's bare numbers that must have a form before it counts: of random numbers of
eleven digits 7 % look like mobile numbers."""
ENOUGH: Final = 20
"""Distinct numbers from which check digits convince: a random column of that many would pass
modulus 11 with probability 1e-17."""


def _is_mobile(value: str) -> bool:
    return _MOBILE.fullmatch(value) is not None


def _bare_numbers(
    values: Sequence[str], role: str, definition: Column, key: bool
) -> dict[str, NDArray[np.bool_]]:
    """Judge values that are one number and nothing else."""
    plain = [v.strip() for v in values]
    found: dict[str, NDArray[np.bool_]] = {}
    identity = np.array([len(v) == 18 and is_resident_identity_number(v) for v in plain], bool)
    if identity.any():
        found["resident_identity_number"] = identity
    if definition.type == "code" or role in ("record_number", "insurance", "postcode"):
        return found
    numbers = np.array([v.isascii() and v.isdigit() and 7 <= len(v) <= 20 for v in plain], bool)
    count = int(np.count_nonzero(numbers))
    if not count:
        return found
    if role != "phone":
        mobile = np.array([_is_mobile(v) for v in plain], bool)
        # In keys a run of numbers may pass through the range of mobile numbers.
        enough = ENOUGH if key or definition.type == "identifier" else 1
        spread = len({v[:4] for v, m in zip(plain, mobile, strict=True) if m}) > 1 or count < ENOUGH
        if mobile.sum() >= enough and mobile.sum() >= NEARLY_ALL * count and spread:
            found["mobile_number"] = mobile
    if role == "" and count >= ENOUGH and "mobile_number" not in found:
        for holds in CHECKED.values():
            checked = np.array([holds(v) for v in plain], bool)
            if checked.sum() >= ENOUGH and checked.sum() >= NEARLY_ALL * count:
                found["national_number"] = checked
                break
    return found


# -- running texts -----------------------------------------------------------------------------

_ONLY_A_NUMBER = r"^\s*[-+]?[\d.,]*\s*$"
_CODE_LIKE = r"^\s*[A-Za-z]{0,4}\d{1,9}(?:[.-][0-9A-Za-z]{1,8})?\s*$"
LONGEST: Final = 200_000
"""Characters of a text that are searched; nothing longer is a note about one patient."""

_STRICT: Final = frozenset({"email", "url"})
"""Kinds that count in codes and keys, where digits in groups are no telephones."""
SUSPECT_OF_ADDRESS: Final = r"@|://|(?i:www\.)|[^\x00-\x7F]"
"""What a text has that holds one of these; wide letters may stand for others."""


def _in_texts(
    values: Sequence[str], definition: Column, strict: bool
) -> dict[str, NDArray[np.bool_]]:
    array = pa.array(values, pa.large_string())
    blanked = pc.replace_substring_regex(array, HARMLESS, " ")
    plain = pc.or_(
        pc.match_substring_regex(blanked, _ONLY_A_NUMBER),
        pc.match_substring_regex(blanked, _CODE_LIKE),
    )
    looked_for = SUSPECT_OF_ADDRESS if strict else SUSPECT
    suspect = pc.and_not(pc.match_substring_regex(blanked, looked_for), plain)
    rows = np.flatnonzero(suspect.to_numpy(zero_copy_only=False))
    found: dict[str, NDArray[np.bool_]] = {}
    for row in rows.tolist():
        for kind in kinds_in_text(values[row][:LONGEST]):
            if strict and kind not in _STRICT:
                continue
            if kind not in KINDS:
                continue
            found.setdefault(kind, np.zeros(len(values), bool))[row] = True
    return found


# -- keys --------------------------------------------------------------------------------------

_DIRECT: Final = frozenset(
    {"resident_identity_number", "social_security_number", "national_number", "mobile_number",
     "telephone", "email", "name", "insurance_number"}
)  # fmt: skip


def _about_column(
    table: str, column: str, role: str, key: bool, found: Found, context: Context
) -> Iterator[Finding]:
    where = f"{table}.{column}"
    if key and not context.schema.is_dictionary(table):
        if _DIRECT & {kind for kind, mask in found.items() if mask.any()}:
            yield _BOOK.finding("identifier.key_is_identity", where)
        elif column == context.schema.patient_column(table) and table == context.schema.home:
            texts = context.texts(table, column)
            forms = {key_form(v) for v in texts.values[:1000]} if texts is not None else set()
            if forms and "text" not in forms:
                yield _BOOK.finding("identifier.key_pseudonymous", where)
    if role == "birth" and not context.schema.is_dictionary(table):
        times = context.times(table, column)
        if times is not None:
            days = times[~np.isnat(times)].astype("datetime64[D]")
            # 1 January is how a date is written of which only the year is kept.
            if (days != days.astype("datetime64[Y]").astype("datetime64[D]")).any():
                yield _BOOK.finding("identifier.birth_date_column", where)


def _one_each(table: str, texts: Texts, context: Context) -> bool:
    """Return whether a column of the patient table is a long number of its own for each patient."""
    if table != context.schema.home or len(texts.values) < ENOUGH:
        return False
    if len(texts.values) != int(np.count_nonzero(texts.known)):
        return False
    lengths = {len(v.strip()) for v in texts.values}
    if min(lengths) < 6 or len(lengths) > 2:
        return False
    if not all(re.fullmatch(r"[A-Za-z]{0,4}-?\d{6,14}", v.strip()) for v in texts.values):
        return False
    numbers = sorted(int(re.sub(r"\D", "", v)) for v in texts.values)
    # Numbers in an unbroken row were given by whoever made the table.
    return numbers[-1] - numbers[0] > 2 * len(numbers)
