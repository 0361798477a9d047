"""The columns of a data set as the rules see them: arrays aligned to rows, made once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sdq_ehr.dataset import Dataset
from sdq_ehr.schema import Column, Table
from sdq_ehr.semantics.columns import Texts, Times, texts_of, times_of, years_between
from sdq_ehr.semantics.rule import NotApplicable
from sdq_ehr.semantics.words import FEMALE, MALE, sex_of_word, system_of_word

__all__ = ["Coded", "Context", "Place", "missing"]

_DAY = np.timedelta64(86_400_000_000, "us")
_EXTRACTION: Final = {
    "cdm_source": ("source_release_date", "cdm_release_date"),
    "observation_period": ("observation_period_end_date",),
}
"""Tables and fields of OMOP that tell when the data were taken, best first."""


@dataclass(frozen=True, slots=True)
class Place:
    """A column of a table, with its definition."""

    table: str
    column: str
    definition: Column


@dataclass(frozen=True, slots=True, eq=False)
class Coded(Texts):
    """A column of codes: distinct pairs of system and code, and the index of each row's."""

    systems: list[str]
    place: Place


class Context:
    """What rules may ask of a data set; everything is computed once.

    Parameters
    ----------
    dataset : Dataset
    extraction : datetime.date, optional
        Day on which the data were taken; without it the schema is asked, then OMOP's CDM_SOURCE
        and the observation periods.
    years : mapping of str to (int, int), optional
        ``table.column`` -> first and last year of the real records.
    """

    def __init__(
        self,
        dataset: Dataset,
        extraction: date | None = None,
        years: Mapping[str, tuple[int, int]] | None = None,
    ) -> None:
        self.dataset = dataset
        self.schema = dataset.schema
        self.years = years or {}
        self._given_extraction = extraction or dataset.schema.extraction
        self._texts: dict[tuple[str, str], Texts | None] = {}
        self._times: dict[tuple[str, str], Times | None] = {}
        self._coded: dict[tuple[str, str], Coded | None] = {}
        self._joins: dict[tuple[str, str], tuple[str, NDArray[np.intp]]] = {}
        self.kept: dict[str, Any] = {}

    # -- columns ---------------------------------------------------------------------------------

    def definitions(self, table: str) -> Table:
        """Return the schema's table."""
        return self.schema.tables[table]

    def tables(self) -> Iterator[str]:
        """Yield the tables that are in schema and data set."""
        return (name for name in self.schema.tables if name in self.dataset.tables)

    def rows(self, table: str) -> int:
        """Return the number of rows of a table."""
        return int(self.dataset.tables[table].num_rows)

    def array(self, table: str, column: str) -> pa.ChunkedArray | None:
        """Return a column, or None when the data set has no such."""
        data = self.dataset.tables.get(table)
        if data is None or data.schema.get_field_index(column) < 0:
            return None
        values = data[column]
        return None if pa.types.is_null(values.type) else values

    def places(self, *meanings: str) -> Iterator[Place]:
        """Yield the columns with one of the meanings, table by table."""
        for name in self.tables():
            for column, definition in self.schema.tables[name].columns.items():
                if definition.meaning in meanings and self.array(name, column) is not None:
                    yield Place(name, column, definition)

    def place(self, selector: str) -> Place | None:
        """Return the column that ``table.column`` names."""
        split = self.schema.split(selector)
        if split is None or self.array(*split) is None:
            return None
        return Place(*split, self.schema.tables[split[0]].columns[split[1]])

    def numbers(self, table: str, column: str) -> NDArray[np.float64] | None:
        """Return a column as numbers, NaN where missing; None when it has none."""
        values = self.array(table, column)
        if values is None or not (
            pa.types.is_floating(values.type)
            or pa.types.is_integer(values.type)
            or pa.types.is_decimal(values.type)
            or pa.types.is_boolean(values.type)
        ):
            return None
        if pa.types.is_boolean(values.type):
            values = values.cast(pa.int8())
        plain = pc.fill_null(values.cast(pa.float64(), safe=False), np.nan)
        return np.asarray(plain.to_numpy(), np.float64)

    def times(self, table: str, column: str) -> Times | None:
        """Return a column as times in microseconds, NaT where missing; None when it has none."""
        key = (table, column)
        if key not in self._times:
            self._times[key] = times_of(self.array(table, column))
        return self._times[key]

    def texts(self, table: str, column: str) -> Texts | None:
        """Return a column as distinct texts; numbers and dates as they are written."""
        key = (table, column)
        if key not in self._texts:
            self._texts[key] = texts_of(self.array(table, column))
        return self._texts[key]

    # -- patients --------------------------------------------------------------------------------

    @property
    def patients(self) -> int:
        """Number of patients."""
        return len(self.dataset.patients())

    def owner(self, table: str) -> NDArray[np.intp]:
        """Return the patient of each row, -1 where it has none."""
        return self.dataset.patients().rows[table]

    def of_patient(self, table: str, values: NDArray[Any], missing: Any) -> NDArray[Any]:
        """Return for each row of a table its patient's value."""
        owner = self.owner(table)
        return np.where(owner >= 0, np.append(values, missing)[owner], missing)

    def patient_times(self, meaning: str) -> Times:
        """Return for each patient the first known time of a meaning, NaT where there is none."""
        key = f"times of {meaning}"
        if key not in self.kept:
            out = np.full(self.patients, np.datetime64("NaT", "us"))
            for place in self.places(meaning):
                values = self.times(place.table, place.column)
                if values is not None:
                    owner = self.owner(place.table)
                    use = np.flatnonzero((owner >= 0) & ~np.isnat(values))[::-1]
                    use = use[np.isnat(out[owner[use]])]
                    out[owner[use]] = values[use]
            if meaning == "birth" and self.schema.model == "omop":
                self._omop_birth(out)
            self.kept[key] = out
        found: Times = self.kept[key]
        return found

    def _omop_birth(self, out: Times) -> None:
        """Fill births from year, month and day; a missing month or day is 1 July or the 15th."""
        for table in self.tables():
            if table.lower() != "person":
                continue
            part = {
                name: self.numbers(table, self.named(table, f"{name}_of_birth") or "")
                for name in ("year", "month", "day")
            }
            year = part["year"]
            if year is None:
                return
            usable = (year > 1000) & (year < 3000)
            month = _or(part["month"], 7.0, len(year))
            day = _or(part["day"], 15.0, len(year))
            usable &= (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
            months = np.where(usable, (year - 1970) * 12 + month - 1, 0).astype(np.int64)
            births = months.astype("datetime64[M]").astype("datetime64[us]")
            births = births + (np.where(usable, day, 1) - 1).astype(np.int64) * _DAY
            owner = self.owner(table)
            use = usable & (owner >= 0)
            use[use] = np.isnat(out[owner[use]])
            out[owner[use]] = births[use]

    def named(self, table: str, column: str) -> str | None:
        """Return a column's name as the table writes it, whatever its capitals."""
        return next(
            (c for c in self.schema.tables[table].columns if c.lower() == column.lower()), None
        )

    @cached_property
    def sex(self) -> NDArray[np.int8]:
        """Sex of each patient: `FEMALE`, `MALE`, or 0 when unknown or contradicting itself."""
        seen = np.zeros((3, self.patients), bool)
        for place in self.places("sex"):
            texts = self.texts(place.table, place.column)
            if texts is None or self.schema.is_dictionary(place.table):
                continue
            terms = place.definition.values
            mapping = terms if isinstance(terms, dict) else {}
            codes = np.array(
                [sex_of_word(mapping.get(v, v)) or sex_of_word(v) for v in texts.values] + [0],
                np.int8,
            )[texts.index]
            owner = self.owner(place.table)
            use = np.flatnonzero((owner >= 0) & (codes > 0))
            seen[codes[use], owner[use]] = True
        out = np.where(seen[FEMALE], FEMALE, MALE).astype(np.int8)
        return np.where(seen[FEMALE] == seen[MALE], 0, out).astype(np.int8)

    @cached_property
    def birth(self) -> Times:
        """Birth of each patient."""
        return self.patient_times("birth")

    @cached_property
    def stated_age(self) -> NDArray[np.float64]:
        """Age in years that the patient table states, NaN where it does not."""
        out = np.full(self.patients, np.nan)
        for place in self.places("age"):
            values = self.numbers(place.table, place.column)
            if values is not None and place.table == self.schema.home:
                owner = self.owner(place.table)
                use = np.flatnonzero((owner >= 0) & np.isfinite(values))[::-1]
                out[owner[use]] = values[use]
        return out

    def event_times(self, table: str) -> Times | None:
        """Return when each row of a table happened: its own time, or that of its visit."""
        key = f"events of {table}"
        if key not in self.kept:
            self.kept[key] = self._event_times(table)
        found: Times | None = self.kept[key]
        return found

    def _event_times(self, table: str) -> Times | None:
        definition = self.schema.tables[table]
        own = [definition.time] if definition.time else []
        own += [
            name
            for meaning in ("time", "start", "admission")
            for name, column in definition.columns.items()
            if column.meaning == meaning
        ]
        out: Times | None = None
        for name in own:
            values = self.times(table, name)
            if values is not None:
                out = values if out is None else np.where(np.isnat(out), values, out)
        if out is None or np.isnat(out).any():
            visit = self.visit_times(table, "admission")
            if visit is not None:
                out = visit if out is None else np.where(np.isnat(out), visit, out)
        return out

    def ages(self, table: str) -> NDArray[np.float64]:
        """Return the patient's age in years at each row, NaN where unknown or impossible.

        From birth and the row's time; without either, the age that the patient table states.
        """
        key = f"ages of {table}"
        if key not in self.kept:
            times = self.event_times(table)
            birth = self.of_patient(table, self.birth, np.datetime64("NaT", "us"))
            stated = self.of_patient(table, self.stated_age, np.nan)
            if times is None:
                out = stated
            else:
                out = years_between(birth, times)
                out = np.where(np.isnan(out), stated, out)
            # Ages above 89 are often replaced by 300 years; they say nothing of the true age.
            self.kept[key] = np.where((out >= -1) & (out <= 130), out, np.nan)
        found: NDArray[np.float64] = self.kept[key]
        return found

    # -- visits ----------------------------------------------------------------------------------

    def visit_times(self, table: str, meaning: str) -> Times | None:
        """Return admission or discharge of the visit that each row refers to.

        Parameters
        ----------
        table : str
        meaning : {"admission", "discharge"}
        """
        other = {"admission": "start", "discharge": "end"}[meaning]
        for column, target in self.schema.tables[table].references.items():
            split = self.schema.split(target)
            if split is None or split[0] == table or self.array(*split) is None:
                continue
            goal = self.schema.tables[split[0]]
            name = goal.with_meaning(meaning)
            if name is None and goal.with_meaning("class") is not None:
                name = goal.with_meaning(other)
            values = self.times(split[0], name) if name is not None else None
            if values is None:
                continue
            at = self._join(table, column, split)
            if at is not None:
                return np.where(at >= 0, np.append(values, np.datetime64("NaT", "us"))[at],
                                np.datetime64("NaT", "us"))  # fmt: skip
        return None

    def _join(self, table: str, column: str, target: tuple[str, str]) -> NDArray[np.intp] | None:
        """Return the row of the target for each row of a table, -1 where there is none."""
        here, there = self.texts(table, column), self.texts(*target)
        if here is None or there is None:
            return None
        first = np.full(len(there.values), -1, np.intp)
        use = np.flatnonzero(there.known)[::-1]
        first[there.index[use]] = use
        row = dict(zip(there.values, first.tolist(), strict=True))
        return np.array([row.get(v, -1) for v in here.values] + [-1], np.intp)[here.index]

    # -- codes -----------------------------------------------------------------------------------

    def coded(self) -> Iterator[Coded]:
        """Yield the columns of codes, with the system of each distinct code."""
        for table in self.tables():
            for column, definition in self.schema.tables[table].columns.items():
                if definition.type == "code" or definition.system:
                    key = (table, column)
                    if key not in self._coded:
                        self._coded[key] = self._code_column(Place(table, column, definition))
                    found = self._coded[key]
                    if found is not None:
                        yield found

    def _code_column(self, place: Place) -> Coded | None:
        texts = self.texts(place.table, place.column)
        if texts is None:
            return None
        declared = place.definition.system
        if place.definition.system_column:
            systems = self.texts(place.table, place.definition.system_column)
            if systems is not None:
                wide = len(systems.values) + 1
                pair = np.where(texts.known, texts.index * wide + systems.index + 1, -1)
                seen, index = np.unique(pair, return_inverse=True)
                offset = int(len(seen) > 0 and seen[0] < 0)
                seen = seen[offset:]
                names = ["", *map(system_of_word, systems.values)]
                return Coded(
                    [texts.values[p // wide] for p in seen],
                    np.asarray(index, np.intp) - offset,
                    [names[p % wide] or declared for p in seen],
                    place,
                )
        if declared == "omop":
            known = self._concepts
            pairs = [known.get(v, ("omop", v)) for v in texts.values]
            return Coded([c for _, c in pairs], texts.index, [s for s, _ in pairs], place)
        return Coded(texts.values, texts.index, [declared] * len(texts.values), place)

    @cached_property
    def _concepts(self) -> dict[str, tuple[str, str]]:
        """Concept id -> system and code, from the table CONCEPT where the data set has one."""
        for table in self.tables():
            if table.lower() == "concept":
                parts = [
                    self.array(table, self.named(table, name) or "")
                    for name in ("concept_id", "vocabulary_id", "concept_code")
                ]
                if any(p is None for p in parts):
                    return {}
                ids, vocabularies, codes = (
                    p.cast(pa.string()).to_pylist() for p in parts if p is not None
                )
                return {
                    i: (system, c)
                    for i, v, c in zip(ids, vocabularies, codes, strict=True)
                    if i and c and (system := system_of_word(v or ""))
                }
        return {}

    @cached_property
    def extraction(self) -> Times | None:
        """Day on which the data were taken, as an array of one; None when nobody says."""
        if self._given_extraction is not None:
            return np.array([np.datetime64(self._given_extraction, "us")])
        for source, names in _EXTRACTION.items():
            for table in self.tables():
                if table.lower() != source or self.schema.model != "omop":
                    continue
                for name in names:
                    values = self.times(table, self.named(table, name) or "")
                    if values is not None and not np.isnat(values).all():
                        return np.array([np.nanmax(values)])
        return None


def missing(what: str, what_zh: str) -> NotApplicable:
    """Return the reason that the schema names no column of a sort."""
    return NotApplicable(
        f"the schema names no {what}; declare it in schema.yaml if the data have it",
        f"数据表定义未声明{what_zh}; 数据中若有, 请在 schema.yaml 中声明",
    )


def _or(values: NDArray[np.float64] | None, default: float, count: int) -> NDArray[np.float64]:
    if values is None:
        return np.full(count, default)
    return np.where(np.isnan(values), default, values)
