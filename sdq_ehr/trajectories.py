"""The course of patients over time: how many events, how far apart, in which order, how alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.statistics.coding import mid_ranks
from sdq_ehr.marginal_columns import BINS, ordered_distance
from sdq_ehr.resampled import Resampled, cell_matrix, rate_difference, total_variation
from sdq_ehr.tables_compared import Compared, binned, pooled_levels

__all__ = [
    "Courses",
    "between_patients",
    "events",
    "gaps",
    "lag_one",
    "order_of_dates",
    "transitions",
]

LEAST_PATIENTS: Final = 20
"""Fewest real patients with two values of a number whose course is looked at."""
MOST_CODES: Final = 20

Values = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Courses:
    """One property of the courses, for each table, number or column of codes that has it.

    Parameters
    ----------
    names : tuple of str
    distances : ndarray, shape (R, C)
    real, synthetic : tuple of float or None
        Observed values that the distance is between, where there is one number a side.
    """

    names: tuple[str, ...]
    distances: Values
    real: tuple[float | None, ...]
    synthetic: tuple[float | None, ...]


Found = tuple[str, Values, float | None, float | None]


def events(side: Resampled, tables: Sequence[Compared]) -> Courses | None:
    """Compare the numbers of rows that patients have in the tables of events."""
    return _together(_events(side, tables))


def gaps(side: Resampled, tables: Sequence[Compared]) -> Courses | None:
    """Compare the times between consecutive rows of a patient."""
    return _together(_gaps(side, tables))


def order_of_dates(side: Resampled, tables: Sequence[Compared]) -> Courses | None:
    """Compare how often dates stand in one order.

    Returns
    -------
    Courses or None
        Shares of rows in which one date column lies after another, a date of the patient table
        after that of an event, a stay begins before the one before has ended, or an event lies in
        none of the patient's stays; whatever the right order is, real records tell it.
    """
    return _together(_orders(side, tables))


def between_patients(side: Resampled, tables: Sequence[Compared]) -> Courses | None:
    """Compare the shares of the variance of numbers that lie between patients.

    Returns
    -------
    Courses or None
        As `between_subject_share` of ranks among the real values.
    """
    return _together(_between(side, tables))


def lag_one(side: Resampled, tables: Sequence[Compared]) -> Courses | None:
    """Compare the correlations of a number with the patient's next one.

    Returns
    -------
    Courses or None
        As `lag_one_correlation` of ranks among the real values.
    """
    return _together(_lags(side, tables))


def transitions(side: Resampled, tables: Sequence[Compared]) -> Courses | None:
    """Compare which code follows which within a patient.

    Returns
    -------
    Courses or None
        Total variation over pairs of the 20 commonest real codes, others and missing.
    """
    return _together(_transitions(side, tables))


def _together(found: Iterator[Found]) -> Courses | None:
    parts = list(found)
    if not parts:
        return None
    names, distances, real, synthetic = zip(*parts, strict=True)
    return Courses(names, np.stack(distances, axis=1), real, synthetic)


def _event_tables(side: Resampled, tables: Sequence[Compared]) -> Iterator[Compared]:
    """Tables in which some real patient has two rows."""
    for table in tables:
        place = table.place[table.real]
        if table.name != side.records.schema.home and len(place) > len(np.unique(place)):
            yield table


def _events(side: Resampled, tables: Sequence[Compared]) -> Iterator[Found]:
    n = len(side.patients)
    for table in _event_tables(side, tables):
        count = np.bincount(table.place, minlength=n).astype(np.float64)
        cells, size = binned(count, side.pool, BINS)
        counts = cell_matrix(cells, np.arange(n), size, n)
        a, b = (w[:, 0] for w in side.sides)
        yield (
            table.name,
            ordered_distance(counts, side.pool, side.sides),
            float(count @ a / a.sum()),
            float(count @ b / b.sum()),
        )


def _gaps(side: Resampled, tables: Sequence[Compared]) -> Iterator[Found]:
    n = len(side.patients)
    for table in _event_tables(side, tables):
        first, second = _consecutive(table)
        if table.table.time is None:
            continue
        time = table.table.time[table.rows]
        gap = time[second] - time[first]
        known = np.isfinite(gap)
        gap, place, real = gap[known], table.place[first][known], table.real[first][known]
        if not real.any():
            continue
        cells, size = binned(gap, real, BINS)
        counts = cell_matrix(cells, place, size, n)
        total = np.bincount(place, gap, n).astype(np.float64)
        rows = np.bincount(place, minlength=n).astype(np.float64)
        yield (
            table.name,
            ordered_distance(counts, side.pool, side.sides),
            _rate(total, rows, side.sides[0][:, 0]),
            _rate(total, rows, side.sides[1][:, 0]),
        )


def _orders(side: Resampled, tables: Sequence[Compared]) -> Iterator[Found]:
    n = len(side.patients)
    for name, place, known, flag in _flags(side, tables):
        rows = np.bincount(place, known, n).astype(np.float64)
        hits = np.bincount(place, known & flag, n).astype(np.float64)
        if rows[side.pool].sum() < LEAST_PATIENTS:
            continue
        yield (
            name,
            rate_difference(hits, rows, side.sides),
            _rate(hits, rows, side.sides[0][:, 0]),
            _rate(hits, rows, side.sides[1][:, 0]),
        )


def _flags(
    side: Resampled, tables: Sequence[Compared]
) -> Iterator[tuple[str, Index, NDArray[np.bool_], NDArray[np.bool_]]]:
    """Yield orders of dates: name, patient of each row, which rows tell it, which break it."""
    home = side.records.schema.home
    of_patient: dict[str, Values] = {}
    dated = {t.name: {c: v for c, v in t.numbers.items() if t.is_date(c)} for t in tables}
    for table in tables:
        columns = list(dated[table.name].items())
        for k, (one, x) in enumerate(columns):
            for other, y in columns[k + 1 :]:
                known = np.isfinite(x) & np.isfinite(y)
                yield f"{table.name}: {one} > {other}", table.place, known, x > y
        if table.name == home:
            for column, values in columns:
                placed = np.full(len(side.patients), np.nan)
                placed[table.place[::-1]] = values[::-1]  # the first row of a patient counts
                of_patient[f"{home}.{column}"] = placed
    stays = [s for t in tables if t.name != home and (s := _stays(t)) is not None]
    for table in tables:
        if table.name == home:
            continue
        for column, values in dated[table.name].items():
            for name, placed in of_patient.items():
                x = placed[table.place]
                known = np.isfinite(x) & np.isfinite(values)
                yield f"{name} > {table.name}.{column}", table.place, known, x > values
    for stay in stays:
        again = stay.place[1:] == stay.place[:-1]
        yield (
            f"{stay.name}: overlap", stay.place[1:], again, stay.start[1:] < stay.end_before[1:],
        )  # fmt: skip
        for table in tables:
            if table.name in (home, stay.name) or table.table.time is None:
                continue
            time = table.table.time[table.rows]
            inside = stay.hold(table.place, time)
            yield f"{table.name} outside {stay.name}", table.place, np.isfinite(time), ~inside


@dataclass(frozen=True, eq=False)
class _Stays:
    """Stays of patients, by patient and start; `end_before` is the latest end of earlier ones."""

    name: str
    place: Index
    start: Values
    end: Values
    end_before: Values

    def hold(self, place: Index, time: Values) -> NDArray[np.bool_]:
        """Whether a time lies in one of the patient's stays; their last day is whole."""
        found = np.zeros(len(time), bool)
        known = np.flatnonzero(np.isfinite(time))
        if not (len(known) and len(self.start)):
            return found
        # One axis for all patients: each has a stretch of it that no other reaches.
        low = min(float(self.start.min()), float(time[known].min()))
        high = max(float(self.end.max()), float(time[known].max()))
        stretch = high - low + 2
        starts = self.place * stretch + self.start - low
        at = np.searchsorted(starts, place[known] * stretch + time[known] - low, "right") - 1
        latest = np.maximum(self.end, self.end_before)
        same = (at >= 0) & (self.place[at] == place[known])
        found[known] = same & (time[known] < np.floor(latest[at]) + 1)
        return found


def _stays(table: Compared) -> _Stays | None:
    meanings = {
        about.meaning: c for c, about in table.table.columns.items() if c in table.table.numbers
    }
    for begin, finish in (("admission", "discharge"), ("start", "end")):
        if begin not in meanings or finish not in meanings:
            continue
        start, end = table.numbers[meanings[begin]], table.numbers[meanings[finish]]
        kept = np.flatnonzero(np.isfinite(start) & np.isfinite(end))
        kept = kept[np.lexsort((end[kept], start[kept], table.place[kept]))]
        place, start, end = table.place[kept], start[kept], end[kept]
        before = np.full(len(kept), -np.inf)
        for k in range(1, len(kept)):
            if place[k] == place[k - 1]:
                before[k] = max(before[k - 1], end[k - 1])
        return _Stays(table.name, place, start, end, before)
    return None


def _between(side: Resampled, tables: Sequence[Compared]) -> Iterator[Found]:
    n = len(side.patients)
    for name, place, rank, _ in _repeated(side, tables):
        count = np.bincount(place, minlength=n).astype(np.float64)
        total = np.bincount(place, rank, n)
        held = np.maximum(count, 1.0)
        sums = np.column_stack([
            count > 0, count, count**2, total, np.bincount(place, rank**2, n), total**2 / held,
        ])  # fmt: skip
        a, b = (_between_share(sums.T @ w) for w in side.sides)
        yield name, np.abs(a - b), float(a[0]), float(b[0])


def _between_share(sums: Values) -> Values:
    """Intraclass correlation of each weighting from its sums; see `between_subject_share`."""
    groups, n, squares, x, xx, between = sums
    known = (groups >= 2) & (n > groups)
    g, m = np.where(known, groups, 2.0), np.where(known, n, 3.0)
    middle = x**2 / m
    mean_between = np.maximum(between - middle, 0.0) / (g - 1)
    mean_within = np.maximum(xx - between, 0.0) / np.where(m > g, m - g, 1.0)
    size = (m - squares / m) / (g - 1)
    whole = mean_between + (size - 1) * mean_within
    known &= whole > 1e-12
    return np.where(known, (mean_between - mean_within) / np.where(known, whole, 1.0), 0.0)


def _lags(side: Resampled, tables: Sequence[Compared]) -> Iterator[Found]:
    n = len(side.patients)
    for name, place, rank, ordered in _repeated(side, tables):
        if not ordered:
            continue
        first = np.flatnonzero(place[1:] == place[:-1])
        x, y, of = rank[first], rank[first + 1], place[first]
        sums = np.column_stack([
            np.bincount(of, v, n) for v in (np.ones(len(of)), x, y, x * x, y * y, x * y)
        ])  # fmt: skip
        a, b = (_correlation(sums.T @ w) for w in side.sides)
        yield name, np.abs(a - b), float(a[0]), float(b[0])


def _correlation(sums: Values) -> Values:
    """Pearson's correlation of each weighting from its sums; 0 where nothing varies."""
    n, x, y, xx, yy, xy = sums
    m = np.where(n > 0, n, 1.0)
    vx, vy = (np.maximum(s / m - (t / m) ** 2, 0) for s, t in ((xx, x), (yy, y)))
    known = (n >= 3) & (vx > 1e-12) & (vy > 1e-12)
    scale = np.sqrt(np.where(known, vx * vy, 1.0))
    return np.where(known, np.clip((xy / m - x * y / m**2) / scale, -1, 1), 0.0)


def _repeated(
    side: Resampled, tables: Sequence[Compared]
) -> Iterator[tuple[str, Index, Values, bool]]:
    """Yield numbers that real patients have repeatedly: name, patient, rank, whether ordered."""
    for table in _event_tables(side, tables):
        for number in table.apart():
            rows = number.rows[np.isfinite(number.values)]
            place, real = table.place[rows], table.real[rows]
            if number.is_date or (np.bincount(place[real]) > 1).sum() < LEAST_PATIENTS:
                continue
            values = number.values[np.isfinite(number.values)]
            ranks = mid_ranks(values[real], values)
            yield number.name, place, ranks, table.table.time is not None


def _transitions(side: Resampled, tables: Sequence[Compared]) -> Iterator[Found]:
    n = len(side.patients)
    for table in _event_tables(side, tables):
        if table.table.time is None:
            continue
        first, second = _consecutive(table)
        for column, codes in table.codes.items():
            if table.table.columns[column].type not in ("code", "category"):
                continue
            missing = len(table.levels(column)) - 1
            pooled = pooled_levels(codes, table.real, missing, MOST_CODES)
            size = MOST_CODES + 2
            cells = pooled[first] * size + pooled[second]
            counts = cell_matrix(cells, table.place[first], size**2, n)
            name = f"{table.name}.{column}"
            yield name, total_variation(counts, side.sides), None, None


def _consecutive(table: Compared) -> tuple[Index, Index]:
    """Rows that have a next one of the same patient, and those."""
    first = np.flatnonzero(table.place[1:] == table.place[:-1])
    return first, first + 1


def _rate(flags: Values, rows: Values, weights: Values) -> float | None:
    total = float(rows @ weights)
    return float(flags @ weights) / total if total > 0 else None
