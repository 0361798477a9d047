"""What single values of a generator's description may be, whatever YAML made of them."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

__all__ = [
    "Count",
    "Date",
    "Digest",
    "Parameters",
    "Table",
    "Text",
    "Weights",
    "as_list",
    "none_or_guarantee",
    "or_empty",
    "or_none",
    "yes_or_no",
]

NONE: Final = ("none", "无")
"""Words by which a provider says that something does not exist."""
DEEPEST: Final = 20


def _text(value: object) -> object:
    """Take a text, or one in each language, whatever YAML made of it."""
    if value is None:
        return ""
    if isinstance(value, dt.date):  # a datetime is one too
        return value.isoformat()
    if isinstance(value, bool | float):
        raise ValueError("must be a text; put it in quotes, or YAML changes it")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Mapping):
        if not value or not set(value) <= {"en", "zh"}:
            raise ValueError("must be a text, or a mapping of en and zh to texts")
        said = {language: _text(value.get(language)) for language in ("en", "zh")}
        if not all(isinstance(words, str) for words in said.values()):
            raise ValueError("must be a text, or a mapping of en and zh to texts")
        return said if any(said.values()) else ""
    if isinstance(value, str):
        return value.strip()
    raise ValueError("must be a text, or a mapping of en and zh to texts")


def _date(value: object) -> object:
    found = _text(value)
    if isinstance(found, str) and found:
        try:
            return dt.date.fromisoformat(found).isoformat()
        except ValueError:
            raise ValueError("must be a date such as 2026-11-24") from None
    if found == "":
        return ""
    raise ValueError("must be a date such as 2026-11-24")


def _hash(value: object) -> object:
    found = _text(value)
    if isinstance(found, str) and found.lower() in NONE:
        return "none"
    if isinstance(found, str) and (not found or re.fullmatch("[0-9a-fA-F]{64}", found)):
        return found.lower()
    raise ValueError("must be 64 hexadecimal digits (SHA-256), or none where there is no such file")


def _digest(value: object) -> object:
    found = _hash(value)
    if found == "none":
        raise ValueError("must be 64 hexadecimal digits: the cohort's digest as in result.json")
    return found


def _table(value: object) -> object:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ValueError("must be the path of a table, or none where the items carry it themselves")
    return "none" if value.strip().lower() in NONE else value.strip()


def or_empty(value: object) -> object:
    """Take a key without a value for one that says nothing."""
    return {} if value is None or value == "" else value


def or_none(value: object) -> object:
    """Take an empty text for nothing."""
    return None if value == "" else value


def as_list(value: object) -> object:
    """Take a single value for a list of one, an empty key for an empty list."""
    if value is None or value == "":
        return ()
    return value if isinstance(value, list | tuple) else (value,)


def _plain(value: Any, depth: int = 0) -> Any:
    """Turn what YAML read into what JSON holds; refuse what it does not hold."""
    if depth > DEEPEST:
        raise ValueError(f"is nested more than {DEEPEST} levels deep")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("holds a number that is not finite; write it as a text")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        plain = {str(k): _plain(v, depth + 1) for k, v in value.items()}
        return dict(sorted(plain.items()))  # as result.json keeps them
    if isinstance(value, list | tuple):
        return [_plain(v, depth + 1) for v in value]
    if value is None or isinstance(value, str | int | float):
        return value
    raise ValueError(f"holds a {type(value).__name__}; write texts, numbers, lists and mappings")


def _parameters(value: object) -> object:
    found = _plain(or_empty(value))
    if not isinstance(found, dict):
        raise ValueError("must be a mapping of names to values")
    return found


Text = Annotated[str | dict[str, str], BeforeValidator(_text)]
"""A text, or a mapping of ``en`` and ``zh`` to one each; empty: not provided."""
Table = Annotated[str | None, BeforeValidator(_table)]
"""Path of a table, or the word none."""
Date = Annotated[str, BeforeValidator(_date)]
Weights = Annotated[str, BeforeValidator(_hash)]
"""A SHA-256, or the word none where there is no such file."""
Digest = Annotated[str, BeforeValidator(_digest)]
Parameters = Annotated[dict[str, Any], BeforeValidator(_parameters)]
Count = Annotated[Annotated[int, Field(ge=0, strict=True)] | None, BeforeValidator(or_none)]


def none_or_guarantee(value: object) -> object:
    """Take the word none, or what stands there; an empty text for nothing."""
    if isinstance(value, str):
        if value.strip().lower() not in ("", *NONE):
            raise ValueError("must be the word none, or a mapping of epsilon, delta and mechanism")
        return "none" if value.strip() else None
    return value


def yes_or_no(value: object) -> object:
    """Take a bare ``yes`` or ``no``, which YAML 1.1 reads as a truth value, for the word."""
    if value == "":
        return None
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
