"""From whatever stands in a cell to the text of a code; nothing raises."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Integral, Real
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_ehr.codes.verdict import Alteration

__all__ = ["Cleaned", "clean"]

_WIDE: Final = {
    **{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)},
    0x3000: " ", 0x3002: ".",
    **dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2015, 0x2212), "-"),
}  # fmt: skip
"""Full-width forms of ASCII, the Chinese full stop and the many dashes, to ASCII."""

_AROUND: Final = "\u200b\u200c\u200d\u2060\ufeff"
"""Invisible characters that `str.strip` does not know."""

_FLOAT_TEXT: Final = re.compile(r"([0-9]{1,15})\.0+")
_EXPONENT: Final = re.compile(r"[0-9](?:\.[0-9]+)?E\+?[0-9]{1,3}", re.IGNORECASE)
_NUMBERS: Final[tuple[type, ...]] = (Real, Decimal)
_EXACT_FLOAT: Final = 10**15
_EXACT_SINGLE: Final = 2**24


@dataclass(frozen=True)
class Cleaned:
    """Texts of values, cleaned of blanks, width and (where it does not count) case.

    Parameters
    ----------
    texts : list of str
        Empty where `reason` says why.
    alteration : array of uint8, shape (n,)
    reason : array of str, shape (n,)
        Empty where the text can be looked at.
    """

    texts: list[str]
    alteration: NDArray[np.uint8]
    reason: NDArray[np.object_]


def clean(values: Sequence[object], *, numbers: bool, most: int, upper: bool) -> Cleaned:
    """Return the texts of values.

    Parameters
    ----------
    values : sequence of object
        Anything; an Arrow or numpy array too.
    numbers : bool
        Whole numbers are codes of the system (identifiers), not what is left of text.
    most : int
        Longest text that a code of the system can have; longer ones are not looked at.
    upper : bool
        Case does not count: bring to upper case.

    Returns
    -------
    Cleaned

    Examples
    --------
    >>> clean([" a00 ", None, 5, "Ａ００"], numbers=False, most=8, upper=True).texts
    ['A00', '', '', 'A00']
    """
    plain: list[Any] = _listed(values, numbers)
    n = len(plain)
    if _nothing_to_do(plain, numbers, most, upper):
        return Cleaned(plain, np.zeros(n, np.uint8), np.full(n, "", object))
    texts, alteration, reason = [""] * n, np.zeros(n, np.uint8), np.full(n, "", object)
    for index, value in enumerate(plain):
        text, altered, why = _clean(value, numbers, most, upper)
        texts[index] = text
        if altered:
            alteration[index] = altered
        if why:
            reason[index] = why
    return Cleaned(texts, alteration, reason)


def _listed(values: Any, numbers: bool) -> list[Any]:
    if numbers and isinstance(values, np.ndarray) and values.dtype.kind in "iu":
        return list(map(str, values.ravel().tolist()))
    if isinstance(values, np.ndarray) and values.dtype in (np.float16, np.float32):
        return list(values)  # as they are: tolist would hide that digits were lost
    for method in ("to_pylist", "tolist"):
        if hasattr(values, method):
            return list(getattr(values, method)())
    return list(values)


def _nothing_to_do(values: list[Any], numbers: bool, most: int, upper: bool) -> bool:
    """Tell whether all are clean texts; a hundred times faster than looking at each."""
    if not values or set(map(type, values)) != {str}:
        return False
    joined = "".join(values)
    lengths = list(map(len, values))
    if min(lengths) == 0 or max(lengths) > most or not joined.isascii():
        return False
    characters = np.frombuffer(joined.encode("ascii"), np.uint8)
    if characters.min() <= ord(" ") or characters.max() > ord("~"):
        return False
    if upper and ((characters >= ord("a")) & (characters <= ord("z"))).any():
        return False
    if not numbers:
        return True
    digit = (characters >= ord("0")) & (characters <= ord("9"))
    return bool((digit | (characters == ord("-"))).all())  # no trace of floating point


def _clean(value: Any, numbers: bool, most: int, upper: bool) -> tuple[str, int, str]:
    """Return text, alteration and reason of one value."""
    if not isinstance(value, str):
        return _of_object(value, numbers, most)
    if len(value) > most + 64:
        return "", 0, "too_long"
    altered = 0
    text = value if value.isascii() else value.translate(_WIDE)
    if text != value:
        altered |= Alteration.WIDTH
    stripped = text.strip().strip(_AROUND).strip()
    if stripped != text:
        altered |= Alteration.SPACE
    if not stripped:
        return "", altered, "missing"
    if len(stripped) > most:
        return "", altered, "too_long"
    if not stripped.isascii():
        try:
            stripped.encode()
        except UnicodeEncodeError:  # a lone surrogate: no text that a list could hold
            return "", altered, "form"
    if numbers:
        if whole := _FLOAT_TEXT.fullmatch(stripped):
            return whole[1], altered | Alteration.TYPE, ""
        if _EXPONENT.fullmatch(stripped):
            return "", altered, "digits_lost"
    if upper:
        raised = stripped.upper() if stripped.isascii() else stripped
        if raised != stripped:
            altered |= Alteration.CASE
        stripped = raised
    return stripped, altered, ""


def _of_object(value: Any, numbers: bool, most: int) -> tuple[str, int, str]:
    """Return the same of what is no text."""
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return "", 0, "missing"
    if isinstance(value, bool | np.bool_) or not isinstance(value, _NUMBERS):
        return "", 0, "not_text"
    number: Any = float(value) if isinstance(value, np.floating) else value
    exact = _EXACT_SINGLE if isinstance(value, np.float32 | np.float16) else _EXACT_FLOAT
    if number.is_nan() if isinstance(value, Decimal) else number != number:
        return "", 0, "missing"
    if not numbers:
        return "", 0, "not_text"
    if not 0 <= number < 10**most:
        return "", 0, "form"
    if isinstance(value, Integral):
        return str(int(number)), 0, ""
    if number >= exact and not isinstance(value, Decimal):
        return "", 0, "digits_lost"
    return (str(int(number)), Alteration.TYPE, "") if number == int(number) else ("", 0, "form")
