"""Values as texts in the way in which a column's other cells are written."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa

from sdq_ehr.cells.columns import BOOLEANS, Survey
from sdq_ehr.schema import Column, Schema

__all__ = ["CellWriter"]

_DATES: Final = (
    (re.compile(r"\d{4}-\d{1,2}-\d{1,2}"), "%Y-%m-%d"),
    (re.compile(r"\d{4}/\d{1,2}/\d{1,2}"), "%Y/%m/%d"),
    (re.compile(r"\d{4}\.\d{1,2}\.\d{1,2}"), "%Y.%m.%d"),
    (re.compile(r"\d{8}"), "%Y%m%d"),
    (re.compile(r"\d{4} ?年 ?\d{1,2} ?月 ?\d{1,2} ?[日号]?"), "%Y年%m月%d日"),
    (re.compile(r"\d{1,2}([-/.])\d{1,2}\1\d{4}"), ""),
)
"""How a date begins -> format; empty: as day and month are ordered."""
_CLOCK: Final = re.compile(
    r"(?P<gap>[T ]+)\d{1,2}:\d{2}(?P<s>:\d{2})?(?:[.,]\d+)?"
    r"(?P<zone> ?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}))?$"
)


class CellWriter:
    """Writes the values of one column as texts.

    Parameters
    ----------
    column : Column
    schema : Schema
    examples : sequence of str
        Cells of the column as they stand.

    Examples
    --------
    >>> schema = Schema(tables={"t": {"columns": {"x": {"type": "number"}}}})
    >>> CellWriter(Column(type="number"), schema, ["1,5", "20,25"])(2.75)
    '2,75'
    >>> CellWriter(Column(type="date"), schema, ["31/12/2020"])(dt.date(2021, 2, 1))
    '01/02/2021'
    """

    def __init__(self, column: Column, schema: Schema, examples: Sequence[str]) -> None:
        absent = {m.strip().lower() for m in schema.missing} | {""}
        known = [e for e in examples if e is not None and e.strip().lower() not in absent]
        self._kind = column.type
        survey = Survey(column, schema.missing, schema.date_order, schema.decimal)
        survey.add(pa.array(known, pa.string()))
        manner = survey.conclude()
        self._decimal = manner.style.decimal
        self._order = manner.calendar.order
        example = known[0].strip() if known else ""
        self._date, self._clock = self._forms(example)
        self._missing = next((e for e in examples if e is not None and e not in known), "")
        words = {BOOLEANS.get(k.strip().lower()): k.strip() for k in reversed(known)}
        self._truth = {True: words.get(True, "true"), False: words.get(False, "false")}

    def _forms(self, example: str) -> tuple[str, re.Match[str] | None]:
        for pattern, form in _DATES:
            if match := pattern.match(example):
                if not form:
                    sign = match[1]
                    form = (f"%d{sign}%m{sign}%Y" if self._order == "dmy"
                            else f"%m{sign}%d{sign}%Y")  # fmt: skip
                return form, _CLOCK.search(example)
        return "%Y-%m-%d", None

    def __call__(self, value: Any) -> str:
        """Return the text of a value; None is written as the column writes what is missing."""
        if value is None:
            return self._missing
        if isinstance(value, bool):
            return self._truth[value]
        if isinstance(value, float):
            text = repr(value)
            text = text[:-2] if text.endswith(".0") else text
            return text.replace(".", ",") if self._decimal == "," else text
        if isinstance(value, dt.date):
            return self._when(value)
        return str(value)

    def _when(self, value: dt.date) -> str:
        # %Y of years before 1000 has no zeros in front on all systems.
        day = value.strftime(self._date.replace("%Y", f"{value.year:04d}"))
        if not isinstance(value, dt.datetime):
            return day
        clock = self._clock
        if clock is None:
            midnight = value.time() == dt.time(0)
            return day if midnight else f"{day} {value:%H:%M:%S}"
        time = f"{value:%H:%M:%S}" if clock["s"] else f"{value:%H:%M}"
        return f"{day}{clock['gap']}{time}{clock['zone'] or ''}"
