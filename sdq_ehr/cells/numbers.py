"""Numbers: which sign is the decimal sign is decided once for a column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sdq_ehr.cells.texts import mask

__all__ = ["NumberSurvey", "Style", "is_number", "parse_numbers"]

LONGEST: Final = 64
"""Characters that a number has at most."""

_GAP: Final = r"[ '\x{A0}\x{2009}\x{202F}]"
_POWER: Final = r"([eE][+-]?\d{1,4})?"
_PLAIN: Final = rf"^[+-]?(\d+\.?\d*|\.\d+){_POWER}$"
_GROUPED: Final = r"^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$"
_SPACED: Final = rf"^[+-]?\d{{1,3}}({_GAP}\d{{3}})+(\.\d*)?$"
_COMMA: Final = rf"^[+-]?(\d+,?\d*|,\d+){_POWER}$"
_DOTTED: Final = r"^[+-]?\d{1,3}(\.\d{3})+(,\d*)?$"
_SPACED_COMMA: Final = rf"^[+-]?\d{{1,3}}({_GAP}\d{{3}})+(,\d*)?$"
# Forms that can be read in one way only. A group of thousands does not begin with zero.
_SURELY_POINT: Final = (
    rf"^[+-]?(\d{{1,3}}(,\d{{3}}){{2,}}(\.\d*)?|\d{{1,3}}(,\d{{3}})+\.\d*"
    rf"|\d{{1,3}}({_GAP}\d{{3}})+\.\d*)$"
)
_SURELY_COMMA: Final = (
    rf"^[+-]?(\d{{1,3}}(\.\d{{3}}){{2,}}(,\d*)?|\d{{1,3}}(\.\d{{3}})+,\d*"
    rf"|\d{{1,3}}({_GAP}\d{{3}})+,\d*|0*,\d+|0\d*,\d*|\d{{4,}},\d*"
    rf"|\d+,(\d{{0,2}}|\d{{4,}}){_POWER}|\d+,\d+[eE][+-]?\d+)$"
)
_POINT: Final = r"^[+-]?(\d*\.(\d{0,2}|\d{4,})|0*\.\d*|\d{4,}\.\d*)([eE][+-]?\d+)?$"
_MARKED: Final = rf"[,']|\..*\.|\d{_GAP}"
"""What more than a decimal point shows."""
_EITHER: Final = r"^[+-]?[1-9]\d{0,2},\d{3}$"


@dataclass(frozen=True)
class Style:
    """How the numbers of a column are written.

    Parameters
    ----------
    decimal : {".", ","}
    rules : tuple of str
        Rules of `sdq_ehr.rules` that the column as a whole breaks.
    """

    decimal: str = "."
    rules: tuple[str, ...] = ()


@dataclass
class NumberSurvey:
    """Counts how the distinct numbers of a column are written; additive over blocks.

    Examples
    --------
    >>> survey = NumberSurvey()
    >>> survey.add(pa.array(["1.234,5", "2,75"]))
    >>> survey.conclude("auto")
    Style(decimal=',', rules=('decimal_comma', 'thousands'))
    """

    point: int = 0
    comma: int = 0
    either: int = 0
    grouped: int = 0
    dotted: int = 0
    spaced: int = 0

    def add(self, texts: pa.Array) -> None:
        """Count the forms of some cleaned texts."""
        marked = mask(pc.match_substring_regex(texts, _MARKED))
        self.point += _count(texts, _POINT)
        if not marked.any():
            return
        special = texts.filter(pa.array(marked))
        self.point += _count(special, _SURELY_POINT)
        self.comma += _count(special, _SURELY_COMMA)
        self.either += _count(special, _EITHER)
        self.grouped += _count(special, _GROUPED)
        self.dotted += _count(special, _DOTTED)
        self.spaced += _count(special, rf"^[+-]?\d{{1,3}}({_GAP}\d{{3}})+([.,]\d*)?$")

    def conclude(self, decimal: str) -> Style:
        """Decide on the column.

        Parameters
        ----------
        decimal : {"auto", ".", ","}
            As declared.
        """
        rules = []
        if decimal == "auto":
            decimal = "," if self.comma > self.point else "."
            if decimal == ",":
                rules.append("decimal_comma")
            elif self.either and not self.point and not self.comma:
                rules.append("decimal_unclear")
        if self.spaced or (self.grouped if decimal == "." else self.dotted):
            rules.append("thousands")
        if "decimal_unclear" in rules:
            rules.remove("thousands")
        return Style(decimal, tuple(rules))


def is_number(texts: pa.Array) -> NDArray[np.bool_]:
    """Mark the texts that are numbers in one of the known ways of writing them."""
    fast = _fast(texts)
    if fast is not None:
        return mask(pc.is_valid(fast))
    forms = (_PLAIN, _GROUPED, _SPACED, _COMMA, _DOTTED, _SPACED_COMMA)
    return mask(pc.match_substring_regex(texts, "|".join(forms))) & _short(texts)


def parse_numbers(texts: pa.Array, style: Style) -> tuple[pa.Array, NDArray[np.bool_]]:
    """Parse cleaned texts as numbers.

    Parameters
    ----------
    texts : pyarrow.Array of string, length k
    style : Style

    Returns
    -------
    values : pyarrow.Array of float64
        Null where missing or no finite number.
    bad : ndarray, shape (k,), bool
        Texts that are no number in this style.

    Examples
    --------
    >>> values, bad = parse_numbers(pa.array(["1,234.5", "1e3", "<5", None]), Style())
    >>> values.to_pylist(), bad.tolist()
    ([1234.5, 1000.0, None, None], [False, False, True, False])
    """
    fast = _fast(texts) if style.decimal == "." else None
    if fast is not None:
        return fast, mask(pc.is_valid(texts)) & ~mask(pc.is_valid(fast))
    plain, *groups = (
        (_PLAIN, _GROUPED, _SPACED) if style.decimal == "." else (_COMMA, _DOTTED, _SPACED_COMMA)
    )
    fits = mask(pc.match_substring_regex(texts, plain))
    open_ = ~fits & mask(pc.is_valid(texts))
    if open_.any():
        grouped = np.logical_or.reduce([mask(pc.match_substring_regex(texts, g)) for g in groups])
        if (grouped & open_).any():
            signs = rf",|{_GAP}" if style.decimal == "." else rf"\.|{_GAP}"
            bare = pc.replace_substring_regex(texts, signs, "")
            texts = pc.if_else(pa.array(grouped & open_), bare, texts)
            fits = fits | grouped
    fits &= _short(texts)
    if style.decimal == ",":
        texts = pc.replace_substring(texts, ",", ".")
    kept = pc.if_else(pa.array(fits), pc.utf8_ltrim(texts, "+"), pa.scalar(None, pa.string()))
    values = kept.cast(pa.float64())
    finite = mask(pc.is_finite(values))
    values = pc.if_else(pa.array(finite), values, pa.scalar(None, pa.float64()))
    return values, mask(pc.is_valid(texts)) & ~finite


def _fast(texts: pa.Array) -> pa.Array | None:
    """Read numbers of which none is written in a special way; None when one is."""
    if (pc.max(pc.binary_length(texts)).as_py() or 0) > LONGEST:
        return None
    try:
        values = texts.cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    return pc.if_else(pc.is_finite(values), values, pa.scalar(None, pa.float64()))


def _count(texts: pa.Array, pattern: str) -> int:
    return int(mask(pc.match_substring_regex(texts, pattern)).sum())


def _short(texts: pa.Array) -> NDArray[np.bool_]:
    return mask(pc.less_equal(pc.utf8_length(texts), LONGEST))
