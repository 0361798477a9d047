"""The numbers of one measurement in words: rounded, but never across a limit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from sdq_core.documents.numbers import Notation, notation
from sdq_core.documents.texts import text
from sdq_core.result import MeasurementModel

__all__ = ["Reading", "read"]

_MOST_DIGITS: Final = 5
"""Digits up to which value and noise floor share one notation."""
_MOST_PLACES: Final = 40
_COUNTS: Final = ("items", "subjects", "features", "patients")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader sees of one measurement; empty where there is nothing.

    Parameters
    ----------
    value : str
        With unit.
    estimate : str
        The value with its interval.
    floor : str
    acceptable : str
        The range that the criterion accepts.
    """

    value: str
    estimate: str
    floor: str
    acceptable: str


def read(measurement: MeasurementModel, language: str) -> Reading:
    """Return the numbers of one measurement in words.

    Parameters
    ----------
    measurement : MeasurementModel
    language : {"en", "zh"}

    Returns
    -------
    Reading
        Value and both ends of the interval stand to each limit as the exact numbers do: below,
        at, or above it. Rounding that would hide this gets as many digits as it needs.

    Examples
    --------
    >>> from sdq_core.result import CriterionModel
    >>> rule = CriterionModel(mandatory=True, rule={}, reason="", source="", low=0.95)
    >>> m = MeasurementModel(id="a.fidelity.b", characteristic="fidelity", value=0.94996,
    ...                      code="interval_outside", criterion=rule)
    >>> read(m, "en").value, read(m, "en").acceptable
    ('0.94996', 'at least 0.95')
    """
    unit = measurement.unit
    own = _own(measurement)
    floor = measurement.noise_floor
    limits = _limits(measurement)
    style = notation(own, unit, language) if own else None
    floor_style = None
    if floor is not None:
        floor_style = _three_digits([floor.low, floor.high], unit, language, style)
        if style is not None:
            style, floor_style = _alike(style, floor_style, [*own, floor.low, floor.high], own)
    limit_style = _limit_style(limits, unit, language, style) if limits else None
    if style is not None and limit_style is not None:
        while _hides(own, style, limits, limit_style) and style.places < _MOST_PLACES:
            style, limit_style = style.finer(), limit_style.finer()
        limit_style = _trimmed(limit_style, limits)
    return Reading(
        value="" if style is None else style.write(own[0]),
        estimate="" if style is None else _estimate(own, style),
        floor=""
        if floor_style is None or floor is None
        else floor_style.span(floor.low, floor.high),
        acceptable="" if limit_style is None else _acceptable(measurement, limit_style, language),
    )


def _own(measurement: MeasurementModel) -> list[float]:
    """Value and ends of the interval."""
    if measurement.value is None:
        return []
    interval = measurement.interval
    return [measurement.value, *(() if interval is None else (interval.low, interval.high))]


def _limits(measurement: MeasurementModel) -> list[float]:
    criterion = measurement.criterion
    if criterion is None:
        return []
    return [limit for limit in (criterion.low, criterion.high) if limit is not None]


def _three_digits(
    values: list[float], unit: str, language: str, beside: Notation | None
) -> Notation:
    """Choose the notation of a range; a narrow one is no reason for 99.971 to 100.000."""
    found = notation(values, unit, language, beside=beside)
    largest = max(abs(found.shown(v)).scaleb(-found.exponent) for v in values)
    if not largest:
        return found
    return replace(found, places=min(found.places, max(2 - largest.adjusted(), 0)))


def _alike(
    style: Notation, other: Notation, values: list[float], own: list[float]
) -> tuple[Notation, Notation]:
    """Give value and noise floor the same digits, where that does not feign precision."""
    counted = style.unit in _COUNTS and all(v == round(v) for v in own)
    places = max(style.places, other.places)
    largest = max(abs(style.shown(v)).scaleb(-style.exponent) for v in values)
    digits = len(str(int(largest))) + places if largest >= 1 else places
    if counted or style.exponent != other.exponent or digits > _MOST_DIGITS:
        return style, other
    return replace(style, places=places), replace(other, places=places)


def _limit_style(
    limits: list[float], unit: str, language: str, beside: Notation | None
) -> Notation:
    """Write exact limits exactly, others with the digits of the value: two at least."""
    found = notation(limits[:1], unit, language, beside=beside)
    for limit in limits[1:]:
        style = notation([limit], unit, language, beside=beside)
        found = replace(style, places=max(style.places, found.places))
    if beside is None or _exact(found, limits):
        return found
    return replace(found, places=min(found.places, max(beside.places, found.places - 1)))


def _exact(style: Notation, limits: list[float]) -> bool:
    finer = replace(style, places=style.places + 9)
    return all(style.shown(limit) == finer.shown(limit) for limit in limits)


def _trimmed(style: Notation, limits: list[float]) -> Notation:
    """Drop digits that are zero in all limits: a limit of 0.95 is no 0.95000."""
    if not _exact(style, limits):
        return style
    while style.places:
        coarser = replace(style, places=style.places - 1)
        if any(coarser.shown(limit) != style.shown(limit) for limit in limits):
            break
        style = coarser
    return style


def _hides(own: list[float], style: Notation, limits: list[float], limit_style: Notation) -> bool:
    """Whether rounding moves a number across a limit, onto it, or off it."""
    for limit in limits:
        seen = limit_style.shown(limit)
        for value in own:
            shown = style.shown(value)
            if (shown > seen) - (shown < seen) != (value > limit) - (value < limit):
                return True
    return False


def _estimate(own: list[float], style: Notation) -> str:
    return style.write(own[0]) if len(own) == 1 else style.estimate(own[0], own[1], own[2])


def _acceptable(measurement: MeasurementModel, style: Notation, language: str) -> str:
    assert measurement.criterion is not None, "checked by the caller"
    low, high = measurement.criterion.low, measurement.criterion.high
    if low is not None and high is not None:
        return style.span(low, high)
    if low is not None:
        return text("at_least", language, low=style.write(low))
    assert high is not None, "checked by the caller"
    return text("at_most", language, high=style.write(high))
