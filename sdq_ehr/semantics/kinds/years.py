"""Kind of rules about the years of dates: beside those in which the real records lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from sdq_ehr.dataset import Dataset
from sdq_ehr.semantics.context import Context, missing
from sdq_ehr.semantics.rule import Check, Kind, NotApplicable, Parameters

__all__ = ["YEARS", "Years", "real_years"]

Years = Mapping[str, tuple[int, int]]
"""``table.column`` -> first and last year of its real dates."""

MEANINGS: Final = ("birth", "death", "admission", "discharge", "start", "end", "time")
STRAY: Final = 0.005
"""Share of real dates that may lie outside at either end: real records hold slips too."""
CENTURY: Final = 100
Values = NDArray[np.float64]


class YearsParameters(Parameters):
    """A date must not lie outside of the years of the real records, with a margin.

    With the check ``century`` only what lies among them after adding or taking off 100 years is
    found; with ``before`` and ``after`` the rest. The margin is the larger of both, the share being
    that of the real span.
    """

    check: Literal["before", "after", "century"]
    meanings: tuple[str, ...] = MEANINGS
    margin_years: float = 1.0
    margin_share: float = 0.1


def real_years(datasets: list[Dataset]) -> dict[str, tuple[int, int]]:
    """Return between which years the dates of real records lie, column by column.

    Parameters
    ----------
    datasets : list of Dataset
        Train, and the holdout if there is one.

    Returns
    -------
    dict
        ``table.column`` -> first and last year, one date in 200 left out at either end. Whole
        years of many patients name nobody.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from sdq_ehr.schema import Schema
    >>> schema = Schema(tables={"t": {"columns": {"at": {"type": "date", "meaning": "time"}}}})
    >>> days = pa.array(["2001-05-06", "2019-01-02"]).cast(pa.date32())
    >>> real_years([Dataset(schema, {"t": pa.table({"at": days})})])
    {'t.at': (2001, 2019)}
    """
    found: dict[str, list[Values]] = {}
    for dataset in datasets:
        for table, column, years in _dated(Context(dataset), MEANINGS):
            found.setdefault(f"{table}.{column}", []).append(years[np.isfinite(years)])
    ends = {}
    for place, parts in sorted(found.items()):
        known = np.sort(np.concatenate(parts))
        if len(known):
            stray = int(STRAY * len(known))
            ends[place] = (int(known[stray]), int(known[len(known) - 1 - stray]))
    return ends


def _years(p: YearsParameters, context: Context) -> Iterator[Check]:
    if not context.years:
        raise NotApplicable(
            "no real cohort stands beside, and dates are held against the years of its records",
            "没有可对照的真实数据集, 无从得知真实记录所在年份",
        )
    seen = False
    for table, column, years in _dated(context, p.meanings):
        span = context.years.get(f"{table}.{column}")
        if span is None:
            continue
        seen = True
        first, last = span
        margin = max(p.margin_years, p.margin_share * (last - first))
        known = np.isfinite(years)
        with np.errstate(invalid="ignore"):
            early, late = years < first - margin, years > last + margin
            moved = np.where(early, years + CENTURY, years - CENTURY)
            among = (moved >= first - margin) & (moved <= last + margin)
            other = (early | late) & among
        bad = {"century": other, "before": early & ~other, "after": late & ~other}[p.check]
        yield Check.of(table, column, bad, known)
    if not seen:
        raise missing("date or time that the real records have too", "真实记录中也有的日期或时间列")


def _dated(context: Context, meanings: tuple[str, ...]) -> Iterator[tuple[str, str, Values]]:
    """Yield table, column and the year of each row; NaN where missing."""
    for place in context.places(*meanings):
        if context.schema.is_dictionary(place.table):
            continue
        times = context.times(place.table, place.column)
        if times is not None:
            years = times.astype("datetime64[Y]").astype(np.int64) + 1970
            yield place.table, place.column, np.where(np.isnat(times), np.nan, years)
    if context.schema.model == "omop" and "birth" in meanings:
        for table in context.tables():
            name = context.named(table, "year_of_birth")
            numbers = None if name is None else context.numbers(table, name)
            if name is not None and numbers is not None:
                yield table, name, numbers


YEARS = Kind("years", YearsParameters, _years,
             "dates outside of the years of the real records, or a century away from them",
             "日期超出真实记录所在的年份, 或与之相差一个世纪")  # fmt: skip
