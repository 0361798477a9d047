"""Dates and times: five forms, and an order of day and month that holds for the whole column."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sdq_ehr.cells.texts import mask

__all__ = ["Calendar", "DateSurvey", "is_date", "parse_dates"]

_TIME: Final = (
    r"(?:[T ]+(?P<h>\d{1,2})(?::(?P<m>\d{2})(?::(?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?)?|时(?:(?P<cm>"
    r"\d{1,2})分(?:(?P<cs>\d{1,2})秒)?)?) ?(?P<half>[AaPp][Mm])? ?(?P<zone>Z|z|UTC|GMT|[+-]\d{2}"
    r"(?::?\d{2})?)?)?"
)
_CHINESE_TIME: Final = _TIME.replace("[T ]+", "[T ]*")
_FORMS: Final = {
    "iso": rf"^(?P<y>\d{{4}})[-/.](?P<mo>\d{{1,2}})[-/.](?P<d>\d{{1,2}}){_TIME}$",
    "compact": (
        r"^(?P<y>\d{4})(?P<mo>\d{2})(?P<d>\d{2})(?:[T ]?(?P<h>\d{2})(?P<m>\d{2})(?P<s>\d{2})?"
        r"(?:\.(?P<f>\d{1,9}))?(?P<zone>Z|[+-]\d{2}:?\d{2})?)?$"
    ),
    "short": rf"^(?P<a>\d{{1,2}})[-/.](?P<b>\d{{1,2}})[-/.](?P<y>\d{{4}}){_TIME}$",
    "chinese": (
        rf"^(?P<y>\d{{4}}) ?年 ?(?P<mo>\d{{1,2}}) ?月 ?(?P<d>\d{{1,2}}) ?[日号]?{_CHINESE_TIME}$"
    ),
    "partial": r"^(?P<y>\d{4})(?:[-年](?P<mo>\d{1,2})月?|年)?$",
}
_FULL: Final = ("iso", "compact", "short", "chinese")
_USUAL: Final = r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?$"
"""What Arrow reads by itself, and most files hold."""
_WAKING: Final = r":.*[1-9]|[ T](\d[1-9]|[1-9]\d):"
LONGEST: Final = 48
NEAR: Final = 120
"""Minutes by which the zones of one place differ at most: summer time, with some room."""


@dataclass(frozen=True)
class Calendar:
    """How the dates of a column are written.

    Parameters
    ----------
    order : {"dmy", "mdy"}
    utc : bool
        Whether times are brought to UTC, since their zones lie far apart.
    rules : tuple of str
        Rules of `sdq_ehr.rules` that the column as a whole breaks.
    """

    order: str = "dmy"
    utc: bool = False
    rules: tuple[str, ...] = ()


@dataclass
class DateSurvey:
    """Counts how the distinct dates of a column are written; additive over blocks.

    Examples
    --------
    >>> survey = DateSurvey()
    >>> survey.add(pa.array(["03/04/2021", "12/25/2021"]))
    >>> survey.conclude("auto").order
    'mdy'
    """

    forms: dict[str, int] = field(default_factory=dict)
    day_first: int = 0
    month_first: int = 0
    zones: set[int] = field(default_factory=set)
    clock: bool = False
    unzoned: bool = False

    def add(self, texts: pa.Array) -> None:
        """Count the forms of some cleaned texts."""
        rest = _usable(texts)
        if len(rest) and pc.all(pc.match_substring_regex(rest, _USUAL)).as_py():
            self.forms["iso"] = self.forms.get("iso", 0) + len(rest)
            timed = mask(pc.match_substring_regex(rest, ":"))
            self.unzoned |= bool(timed.any())
            self.clock = self.clock or bool(mask(pc.match_substring_regex(rest, _WAKING)).any())
            return
        for form in _FORMS:
            if not len(rest):
                return
            found, hit = _extract(rest, form)
            rest = rest.filter(pa.array(~hit))
            if not hit.any():
                continue
            self.forms[form] = self.forms.get(form, 0) + int(hit.sum())
            parts = {k: v[hit] for k, v in found.items()}
            if form == "short":
                self.day_first += int((parts["a"] > 12).sum())
                self.month_first += int((parts["b"] > 12).sum())
            if "h" in parts:
                zoned = parts["zone"] != NO_ZONE
                self.zones.update(np.unique(parts["zone"][zoned]).tolist())
                timed = parts["h"] >= 0
                self.unzoned |= bool((timed & ~zoned).any())
                self.clock |= bool((timed & (_seconds(parts) > 0)).any())

    def conclude(self, order: str, *, date_only: bool = False) -> Calendar:
        """Decide on the column.

        Parameters
        ----------
        order : {"auto", "dmy", "mdy"}
            As declared.
        date_only : bool
            Whether the column is declared to hold dates without a time of day.
        """
        rules = []
        short = self.forms.get("short", 0)
        if order == "auto":
            order = "mdy" if self.month_first > self.day_first else "dmy"
            if short and self.day_first == self.month_first:
                rules.append("date_order_unclear")
            elif short:
                rules.append("date_order_found")
        if sum(self.forms.get(f, 0) > 0 for f in _FULL) > 1:
            rules.append("date_forms")
        if self.forms.get("partial"):
            rules.append("partial_date")
        if date_only and self.clock:
            rules.append("time_of_day_dropped")
        far = bool(self.zones) and max(self.zones) - min(self.zones) > NEAR and not date_only
        if self.zones and not date_only:
            rules.append("zones_mixed" if far else "zone_dropped")
        return Calendar(order, far, tuple(rules))


NO_ZONE: Final = 10_000


def is_date(texts: pa.Array) -> NDArray[np.bool_]:
    """Mark the texts that are full dates in one of the known forms and lie in the calendar."""
    either = [parse_dates(texts, Calendar(order))[1] for order in ("dmy", "mdy")]
    partial = mask(pc.match_substring_regex(texts, _FORMS["partial"]))
    return mask(pc.is_valid(texts)) & ~(either[0] & either[1]) & ~partial


def parse_dates(texts: pa.Array, calendar: Calendar) -> tuple[pa.Array, NDArray[np.bool_]]:
    """Parse cleaned texts as times of the proleptic Gregorian calendar.

    Parameters
    ----------
    texts : pyarrow.Array of string, length k
    calendar : Calendar

    Returns
    -------
    values : pyarrow.Array of timestamp[us]
        Null where missing or no such day or time.
    bad : ndarray, shape (k,), bool
        Texts that are no date.

    Examples
    --------
    >>> texts = pa.array(["2020年1月2日", "20200230", "1/2/2020 9:05"])
    >>> values, bad = parse_dates(texts, Calendar())
    >>> [str(v) for v in values.to_pylist()], bad.tolist()
    (['2020-01-02 00:00:00', 'None', '2020-02-01 09:05:00'], [False, True, False])
    """
    fast = _fast(texts)
    if fast is not None:
        return fast, np.zeros(len(texts), bool)
    count = len(texts)
    present = mask(pc.is_valid(texts))
    values = np.full(count, np.datetime64("NaT"), "datetime64[us]")
    open_ = np.flatnonzero(present & mask(pc.less_equal(pc.utf8_length(texts), LONGEST)))
    for form in _FORMS:
        if not len(open_):
            break
        found, hit = _extract(texts.take(pa.array(open_)), form)
        parts = {k: v[hit] for k, v in found.items()}
        if form == "short":
            first, second = ("d", "mo") if calendar.order == "dmy" else ("mo", "d")
            parts[first], parts[second] = parts.pop("a"), parts.pop("b")
        values[open_[hit]] = _times(parts, calendar.utc)
        open_ = open_[~hit]
    known = ~np.isnat(values)
    return pa.array(values, pa.timestamp("us"), mask=~known), present & ~known


def _fast(texts: pa.Array) -> pa.Array | None:
    """Read times in the usual form; None when one is not, or is no day of the calendar."""
    if not pc.all(pc.match_substring_regex(texts, _USUAL)).as_py():
        return None
    try:
        values = texts.cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        return None
    # Arrow knows a year 0; the calendar does not.
    return None if (pc.min(pc.year(values)).as_py() or 1) < 1 else values


def _usable(texts: pa.Array) -> pa.Array:
    kept = pc.drop_null(texts)
    return kept.filter(pc.less_equal(pc.utf8_length(kept), LONGEST))


def _extract(texts: pa.Array, form: str) -> tuple[dict[str, NDArray[np.int64]], NDArray[np.bool_]]:
    """Return the parts of texts in one form as whole numbers, -1 where absent, and which fit."""
    found = pc.extract_regex(texts, _FORMS[form])
    hit = mask(pc.is_valid(found))
    parts: dict[str, NDArray[np.int64]] = {}
    for k, name in enumerate(f.name for f in found.type):
        part = found.field(k)
        if name == "zone":
            parts[name] = _zones(part, hit)
        elif name == "half":
            low = pc.utf8_lower(part)
            parts[name] = np.where(
                mask(pc.equal(low, "pm")), 12, np.where(mask(pc.equal(low, "am")), 0, -1)
            )
        else:
            if name == "f":
                part = pc.if_else(
                    pc.equal(part, ""),
                    part,
                    pc.utf8_slice_codeunits(pc.utf8_rpad(part, 6, "0"), 0, 6),
                )
            whole = pc.if_else(pc.equal(part, ""), pa.scalar(None, pa.string()), part)
            numbers = pc.fill_null(whole.cast(pa.int64()), -1)
            parts[name] = np.where(hit, numbers.to_numpy(zero_copy_only=False), -1).astype(np.int64)
    return parts, hit


def _zones(texts: pa.Array, hit: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return offsets from UTC in minutes; `NO_ZONE` where none is stated."""
    known, index = pc.unique(texts), pc.index_in(texts, value_set=pc.unique(texts))
    minutes = np.full(len(known) + 1, NO_ZONE, np.int64)
    for k, text in enumerate(known.to_pylist()):
        if text and text.upper() in ("Z", "UTC", "GMT"):
            minutes[k] = 0
        elif text:
            digits = text[1:].replace(":", "")
            offset = int(digits[:2]) * 60 + int(digits[2:] or 0)
            minutes[k] = -offset if text[0] == "-" else offset
    at = np.asarray(pc.fill_null(index, len(known)).to_numpy(zero_copy_only=False), np.intp)
    return np.where(hit, minutes[at], NO_ZONE)


def _seconds(parts: dict[str, NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return microseconds since midnight."""
    zero = np.zeros(len(parts["h"]), np.int64)
    hour = np.maximum(parts["h"], 0)
    half = parts.get("half", zero - 1)
    hour = np.where(half >= 0, hour % 12 + half, hour)
    minute = np.maximum(np.maximum(parts.get("m", zero), parts.get("cm", zero)), 0)
    second = np.maximum(np.maximum(parts.get("s", zero), parts.get("cs", zero)), 0)
    fraction = np.maximum(parts.get("f", zero), 0)
    return ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction


def _times(parts: dict[str, NDArray[np.int64]], utc: bool) -> NDArray[np.datetime64]:
    year = parts["y"]
    month = parts.get("mo", np.ones_like(year))
    month = np.where(month < 0, 1, month)
    day = parts.get("d", np.ones_like(year))
    good = (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    months = ((year - 1970) * 12 + np.where(good, month, 1) - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (np.where(good, day, 1) - 1)
    good &= days.astype("datetime64[M]") == months
    times: NDArray[np.datetime64] = days.astype("datetime64[us]")
    if "h" in parts:
        good &= (parts["h"] < 24) & np.all(
            [parts[k] < 60 for k in ("m", "s", "cm", "cs") if k in parts], axis=0
        )
        if "half" in parts:
            good &= (parts["half"] < 0) | ((parts["h"] >= 1) & (parts["h"] <= 12))
        times = times + _seconds(parts).astype("timedelta64[us]")
        if utc:
            offset = np.where(parts["zone"] == NO_ZONE, 0, parts["zone"])
            times = times - offset.astype("timedelta64[m]")
    times[~good] = np.datetime64("NaT")
    return times
