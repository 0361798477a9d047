"""Numbers as people read them: few digits, one notation for what is read together, units always."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from math import floor, log10
from typing import Final

from sdq_core.documents.labels import UNITS
from sdq_core.documents.texts import text
from sdq_core.vocabulary import Language

__all__ = [
    "Notation", "count", "notation", "number", "round_notation", "span", "unit_suffix",
]  # fmt: skip

# Wide enough for the exact decimal digits of every float.
_EXACT: Final = Context(prec=1100)

_SUPERSCRIPT: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_MOST_DIGITS: Final = 8
_SMALLEST: Final = 1e-290
"""Below this a number is written as zero: its power of ten may not be a float any more."""
_LARGEST: Final = 1.7e308
NO_BREAK: Final = "\u00a0"


@dataclass(frozen=True, slots=True)
class Notation:
    """How numbers that are read together are written.

    Parameters
    ----------
    places : int
        Digits after the point.
    exponent : int
        Power of ten that is written behind.
    unit : str
        Unit of the measure; shares are written in percent.
    language : {"en", "zh"}
    """

    places: int
    exponent: int
    unit: str
    language: str

    def digits(self, value: float) -> str:
        """Return the digits of a number, with thousands separators and a true minus sign."""
        # Decimal: a product by 100 in binary may already round across a limit.
        power = (2 if self.unit == "share" else 0) - self.exponent
        scaled = Decimal(value).scaleb(power, _EXACT)
        written = f"{abs(scaled):,.{self.places}f}"
        negative = scaled < 0 and any(c in "123456789" for c in written)
        return ("\u2212" if negative else "") + written

    def shown(self, value: float) -> Decimal:
        """Return the number that a reader sees, to compare it with others."""
        digits = self.digits(value).replace(",", "").replace("\u2212", "-")
        return Decimal(digits).scaleb(self.exponent, _EXACT)

    def finer(self) -> Notation:
        """Return the notation with one more digit."""
        return replace(self, places=self.places + 1)

    @property
    def suffix(self) -> str:
        """Power of ten and unit."""
        power = ""
        if self.exponent:
            power = f"{NO_BREAK}×{NO_BREAK}10{str(self.exponent).translate(_SUPERSCRIPT)}"
        return power + unit_suffix(self.unit, self.language)

    def write(self, value: float) -> str:
        """Return a number with its unit."""
        return self.digits(value) + self.suffix

    def span(self, low: float, high: float) -> str:
        """Return a range in words; the unit stands once, but each share has its percent sign."""
        return self._to(low, high) + ("" if self.unit == "share" else self.suffix)

    def estimate(self, value: float, low: float, high: float) -> str:
        """Return a number with its interval.

        Examples
        --------
        >>> Notation(3, 0, "1", "en").estimate(0.12, 0.08, 0.171)
        '0.120 (0.080 to 0.171)'
        """
        if self.unit == "share":
            words, unit = self.write(value), ""
        else:
            words, unit = self.digits(value), self.suffix.lstrip(" ")
        inside = self._to(low, high)
        return text("estimate", self.language, value=words, interval=inside, unit=unit)

    def _to(self, low: float, high: float) -> str:
        write = self.write if self.unit == "share" else self.digits
        return text("to", self.language, low=write(low), high=write(high))


def notation(
    values: Sequence[float], unit: str, language: str, *, beside: Notation | None = None
) -> Notation:
    """Choose how numbers that are read together are written.

    Parameters
    ----------
    values : sequence of float
        At least one, finite.
    unit : str
    language : {"en", "zh"}
    beside : Notation, optional
        Of numbers that these are compared with: powers of ten are then the same.

    Returns
    -------
    Notation
        Whole numbers stay whole. Several numbers get two significant digits of the range that they
        span; a single one, or equal ones, three of its own (after the Guide to the Expression of
        Uncertainty in Measurement, JCGM 100:2008, 7.2.6).

    Examples
    --------
    >>> notation([0.1234, 0.0812, 0.1699], "1", "en").write(0.1234)
    '0.123'
    >>> notation([0.5], "1", "en").write(0.5)
    '0.5'
    """
    scaled = [min(max(v * (100 if unit == "share" else 1), -_LARGEST), _LARGEST) for v in values]
    largest = max(abs(v) for v in scaled)
    if largest < _SMALLEST:
        return Notation(0, 0, unit, language)
    if all(abs(v - round(v)) <= 1e-12 * abs(v) and abs(v) < 1e12 for v in scaled):
        return Notation(0, 0, unit, language)
    exponent = floor(log10(largest)) if not 1e-4 <= largest < 1e9 else 0
    if exponent and beside is not None and beside.exponent:
        exponent = beside.exponent
    size = 10.0**exponent
    spread = max(scaled) / size - min(scaled) / size
    leading = floor(log10(largest / size))
    if spread > 1e-12:
        places = max(0, min(1 - floor(log10(spread)), _MOST_DIGITS - 1 - leading))
    else:
        places = max(0, 2 - leading)
        # A limit of 0.5 is no 0.500.
        while places and abs(round(scaled[0] / size, places - 1) - scaled[0] / size) < 1e-9:
            places -= 1
    return Notation(places, exponent, unit, language)


def round_notation(values: Sequence[float], unit: str, language: str) -> Notation:
    """Choose how the round numbers of a scale are written: no more digits than they need.

    Parameters
    ----------
    values : sequence of float
        Finite, at least one.
    unit : str
    language : {"en", "zh"}

    Examples
    --------
    >>> style = round_notation([0.0, 0.02, 0.04], "1", "en")
    >>> style.digits(0.02)
    '0.02'
    """
    found = notation(values, unit, language)
    size = 10.0**found.exponent / (100 if unit == "share" else 1)
    places = found.places
    while places and all(abs(round(v / size, places - 1) - v / size) < 1e-9 for v in values):
        places -= 1
    return Notation(places, found.exponent, unit, language)


def number(
    value: float, unit: str = "1", language: str = "en", *, beside: Notation | None = None
) -> str:
    """Return one number with its unit; `beside` as in `notation`.

    Examples
    --------
    >>> [number(v).replace(chr(160), " ") for v in (0.01234, 12345.6, 60.0, -0.00001234)]
    ['0.0123', '12,346', '60', '−1.23 × 10⁻⁵']
    >>> number(0.125, "share", "zh"), number(3.0, "items", "zh")
    ('12.5%', '3 个样本')
    """
    return notation([value], unit, language, beside=beside).write(value)


def span(low: float, high: float, unit: str, language: str) -> str:
    """Return a range in words.

    Examples
    --------
    >>> span(0.5, 1.0, "1", "en"), span(0.5, 1.0, "share", "zh")
    ('0.50 to 1.00', '50% 至 100%')
    """
    return notation([low, high], unit, language).span(low, high)


def count(value: int) -> str:
    """Return a whole number with thousands separators.

    Examples
    --------
    >>> count(12345)
    '12,345'
    """
    return f"{value:,d}"


def unit_suffix(unit: str, language: str) -> str:
    """Return what stands behind the digits: nothing for pure numbers, the percent sign for shares.

    Examples
    --------
    >>> unit_suffix("1", "en"), unit_suffix("share", "zh"), unit_suffix("features", "zh")
    ('', '%', ' 个特征')
    """
    if unit == "1":
        return ""
    if unit == "share":
        # Chinese sets the percent sign close (GB/T 15835-2011), SI English with a space.
        return "%" if Language(language) is Language.ZH else f"{NO_BREAK}%"
    name = UNITS[unit][Language(language) is Language.ZH] if unit in UNITS else unit
    space = " " if Language(language) is Language.ZH else NO_BREAK
    return f"{space}{name}"
