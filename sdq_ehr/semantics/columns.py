"""Arrow columns as the arrays that rules compute with: times, and distinct texts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

__all__ = ["Texts", "Times", "later", "texts_of", "times_of", "years_between"]

Times = NDArray[np.datetime64]
"""Microseconds; NaT where missing."""


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """A column as distinct texts and the index of each row's; -1 where missing."""

    values: list[str]
    index: NDArray[np.intp]

    def spread(self, of_distinct: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return for each row what was found for its text; False where missing."""
        if not len(of_distinct):
            return np.zeros(len(self.index), bool)
        return np.append(of_distinct, False)[self.index]

    @property
    def known(self) -> NDArray[np.bool_]:
        """Rows with a text."""
        return self.index >= 0


def years_between(first: Times, then: Times) -> NDArray[np.float64]:
    """Return completed years between two times, by the calendar; NaN where one is missing.

    Parameters
    ----------
    first, then : ndarray of datetime64, one shape

    Examples
    --------
    >>> a = np.array(["2000-02-29", "2000-03-01"], "datetime64[us]")
    >>> years_between(a, np.array(["2001-02-28", "2001-03-01"], "datetime64[us]")).tolist()
    [0.0, 1.0]
    """
    first, then = np.asarray(first, "datetime64[D]"), np.asarray(then, "datetime64[D]")
    unknown = np.isnat(first) | np.isnat(then)
    first = np.where(unknown, np.datetime64(0, "D"), first)
    then = np.where(unknown, np.datetime64(0, "D"), then)
    month = first.astype("datetime64[M]")
    month_then = then.astype("datetime64[M]")
    months = (month_then - month).astype(np.int64)
    late = (first - month.astype("datetime64[D]")) > (then - month_then.astype("datetime64[D]"))
    return np.where(unknown, np.nan, np.floor((months - late) / 12))


def later(first: Times, then: Times, tolerance_days: float = 0.0) -> NDArray[np.bool_]:
    """Return where the first time lies after the second by more than a tolerance.

    A time at midnight stands for its day: many sources write dates so. Where one of both is at
    midnight, days are compared. Missing times are never later.

    Examples
    --------
    >>> a = np.array(["2020-01-01T10:00", "2020-01-02"], "datetime64[us]")
    >>> later(a, np.array(["2020-01-01", "2020-01-01"], "datetime64[us]")).tolist()
    [False, True]
    """
    day, day_then = first.astype("datetime64[D]"), then.astype("datetime64[D]")
    coarse = (day == first) | (day_then == then)
    difference = np.where(coarse, day.astype(first.dtype) - day_then.astype(then.dtype),
                          first - then)  # fmt: skip
    limit = np.timedelta64(round(tolerance_days * 86_400_000_000), "us")
    with np.errstate(invalid="ignore"):
        return np.asarray(difference > limit)


def times_of(values: pa.ChunkedArray | None) -> Times | None:
    """Return a column as times in microseconds; None when it has none."""
    if values is None or not pa.types.is_temporal(values.type) or pa.types.is_time(values.type):
        return None
    if pa.types.is_duration(values.type):
        return None
    try:
        stamps = values.cast(pa.timestamp("us"), safe=False)
    except pa.ArrowInvalid:
        return None
    return np.asarray(stamps.to_numpy(), "datetime64[us]")


def texts_of(values: pa.ChunkedArray | None) -> Texts | None:
    """Return a column as distinct texts; None for nested and binary columns."""
    if values is None or pa.types.is_nested(values.type):
        return None
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type):
        return None
    encoded = values.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = (
            encoded.chunk(0)
            if encoded.num_chunks
            else pa.array([], pa.string()).dictionary_encode()
        )
    index = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
    return Texts([_plain(v) for v in encoded.dictionary.to_pylist()], np.asarray(index, np.intp))


def _plain(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime | date):
        return value.isoformat()
    return "" if value is None else str(value)
