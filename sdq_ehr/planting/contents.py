"""Defects of what records say: margins, dependences, times, missing values, groups."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import partial
from typing import Any, Final

import numpy as np
import pyarrow as pa

from sdq_core.errors import UsageError
from sdq_ehr.defects import Sample, defect
from sdq_ehr.planting.identities import TAG, classes_of
from sdq_ehr.planting.plot import Index, Plot, Rng
from sdq_ehr.planting.strokes import Recipe, chosen, no_place

__all__ = ["CONTENTS", "jittered", "moved", "one_number", "patients_gone", "repeated"]


def _shifted(plot: Plot, train: Plot, severity: float, rng: Rng) -> Plot:
    """Move one number of all patients by so many standard deviations."""
    table, column, rows = one_number(plot)
    return moved(plot, table, column, rows, severity)


def one_number(plot: Plot) -> tuple[str, str, Index]:
    """Return a number: of the patient table first, else the values of the commonest analyte."""
    places = plot.places("number", "integer")
    places = [(t, c) for t, c in places if plot.about(t, c).meaning != "age"] or places
    home = plot.schema.home
    for table, column in sorted(places, key=lambda p: (p[0] != home, bool(plot.about(*p).code))):
        values = plot.values(table, column)
        known = np.flatnonzero([v is not None for v in values])
        code = plot.about(table, column).code
        if code:
            codes = plot.values(table, code)
            common = _commonest([codes[k] for k in known.tolist()])
            known = np.array([k for k in known.tolist() if codes[k] == common], np.intp)
        if len({values[k] for k in known.tolist()}) > 3:
            return table, column, known.astype(np.intp)
    raise no_place("number that varies", "有变化的数值列")


def _commonest(values: list[Any]) -> Any:
    known = [v for v in values if v is not None]
    return max(sorted(set(known)), key=known.count) if known else None


def moved(plot: Plot, table: str, column: str, rows: Index, by: float) -> Plot:
    """Move numbers by so many standard deviations of theirs."""
    values = plot.values(table, column)
    known = np.array([values[k] for k in rows.tolist()], float)
    spread = float(known.std())
    if not spread:
        raise no_place("number that varies", "有变化的数值列")
    whole = pa.types.is_integer(plot.sample.tables[table][column].type)
    places = 0 if whole else max((len(repr(float(v)).partition(".")[2]) for v in known), default=2)
    made = np.round(known + by * spread, min(places, 6))
    cells = {int(k): int(v) if whole else float(v) for k, v in zip(rows, made, strict=True)}
    return plot.with_cells(table, column, cells)


def _planted(name: str, plot: Plot, train: Plot, severity: float, rng: Rng) -> Plot:
    """Plant a defect of `sdq_ehr.defects`, which works on typed tables."""
    # Tables without rows, and columns that no file has, would be chosen and change nothing.
    tables = {n: t for n, t in plot.sample.tables.items() if n in plot.events()}
    try:
        made = defect(name).plant(Sample(tables, plot.schema), severity, rng)
    except UsageError as error:
        raise no_place(f"place: {error}", "相应的列") from error
    if all(table.equals(tables[name]) for name, table in made.tables.items()):
        raise no_place("column that it would change", "会因此改变的列")
    whole = replace(plot.sample, tables={**plot.sample.tables, **made.tables})
    return plot.with_sample(whole)


def _decorrelated(plot: Plot, train: Plot, severity: float, rng: Rng) -> Plot:
    """Permute a share of the columns of each table, each column by itself."""
    for table in plot.events():
        places = [c for t, c in plot.places() if t == table]
        units = {a.unit_column for a in plot.definition(table).columns.values()}
        places = [c for c in places if c not in units]
        count = max(1, round(severity * len(places)))
        for column in rng.permutation(np.array(places, object))[:count].tolist():
            values = plot.sample.tables[table][str(column)]
            order = pa.array(rng.permutation(len(values)))
            sample = plot.sample.with_column(table, str(column), values.take(order))
            plot = plot.with_sample(sample)
    return plot


def _uniform_codes(plot: Plot, train: Plot, severity: float, rng: Rng) -> Plot:
    """Draw a share of the codes anew, each code of the column as often as any other."""
    places = [(t, c) for t, c in plot.places("code") if not _units_depend(plot, t, c)]
    for table, column in places:
        values = plot.values(table, column)
        known = [k for k, v in enumerate(values) if v is not None]
        names = sorted({values[k] for k in known})
        if len(names) < 4:
            continue
        system = plot.about(table, column).system_column
        systems = plot.values(table, system) if system else []
        first = {values[k]: k for k in reversed(known)}
        cells, others = {}, {}
        for k in chosen(len(known), severity, rng).tolist():
            row, name = known[k], names[int(rng.integers(len(names)))]
            cells[row] = name
            if system:
                others[row] = systems[first[name]]
        plot = plot.with_cells(table, column, cells)
        return plot.with_cells(table, system, others) if system else plot
    raise no_place("column with several codes", "含多种编码的列")


def _units_depend(plot: Plot, table: str, column: str) -> bool:
    """Whether a code says what a value of its row is: another code would make it implausible."""
    return any(a.code == column for a in plot.definition(table).columns.values())


def _missing(plot: Plot, train: Plot, severity: float, rng: Rng) -> Plot:
    """Take values of one column away, of those of the lower half more often."""
    for table, column in plot.places("number", "integer", "category", "code"):
        about = plot.about(table, column)
        if (
            about.required
            or about.meaning in ("class", "sex")
            or (plot.schema.model == "fhir" and (about.type in ("category", "code")))
        ):
            continue
        count = plot.sample.tables[table].num_rows
        rows = chosen(count, severity, rng)
        return plot.with_cells(table, column, dict.fromkeys(rows.tolist()))
    raise no_place("column that may be empty", "允许为空的列")


def _dates_permuted(plot: Plot, train: Plot, severity: float, rng: Rng) -> Plot:
    """Permute the times of rows among patients; all dates of a row go along."""
    for table in plot.events():
        time = plot.definition(table).time
        if not time or table == plot.schema.home:
            continue
        rows = chosen(plot.sample.tables[table].num_rows, severity, rng)
        order = rng.permutation(rows)
        for t, column in plot.places("date", "datetime"):
            if t == table:
                values = plot.values(table, column)
                cells = {int(r): values[o] for r, o in zip(rows, order, strict=True)}
                plot = plot.with_cells(table, column, cells)
        return plot
    raise no_place("table whose rows have a time", "有时间列的表")


# -- patients ------------------------------------------------------------------------------------


def patients_gone(plot: Plot, gone: Index) -> Plot:
    """Return the records without some patients."""
    before = {t: plot.rows_of(t, gone) for t in plot.events()}
    for table, rows in before.items():
        if len(rows):
            plot = plot.without_rows(table, rows.tolist())
    return plot


def _fewer(plot: Plot, train: Plot, severity: float, rng: Rng) -> Plot:
    """Leave out a share of the patients."""
    gone = chosen(len(plot.patients), severity, rng)
    return patients_gone(plot, gone[: len(plot.patients) - 1])


def _collapsed(plot: Plot, train: Plot, severity: float, rng: Rng) -> Plot:
    """Put near repeats of a few patients in the place of a share of the others.

    Dates and numbers of the repeats are jittered, so that none is a repeat to the letter.
    """
    n = len(plot.patients)
    gone = chosen(n, severity, rng)
    kept = np.setdiff1d(np.arange(n), gone)
    if not len(kept):
        raise no_place("patient that is left", "其余患者")
    few = kept[: max(1, len(kept) // 4)]
    originals = rng.choice(few, len(gone))
    return jittered(repeated(plot, gone, originals), gone, 0.05, rng)


def _duplicated(plot: Plot, train: Plot, severity: float, rng: Rng) -> Plot:
    """Put repeats of other patients, under their own numbers, in the place of a share."""
    n = len(plot.patients)
    gone = chosen(n, min(severity, 0.5), rng)
    kept = np.setdiff1d(np.arange(n), gone)
    return repeated(plot, gone, rng.choice(kept, len(gone), replace=len(kept) < len(gone)))


def repeated(plot: Plot, gone: Index, originals: Index, source: Plot | None = None) -> Plot:
    """Replace all that is said of some patients by what is said of others; their keys stay.

    Parameters
    ----------
    plot : Plot
    gone : ndarray of intp
        Patients whose rows are replaced.
    originals : ndarray of intp
        Patient of the source for each of them. What its rows name beside the patient gets a mark
        of its own, so that no key stands twice.
    source : Plot, optional
        Of the same schema and origin; the records themselves by default.
    """
    source = source or plot
    schema, patients, others = plot.schema, plot.patients, source.patients
    tables = dict(plot.sample.tables)
    for name in dict.fromkeys((*plot.events(), *source.events())):
        own = schema.patient_column(name)
        table, theirs = tables[name], source.sample.tables[name]
        rows_of = [np.flatnonzero(others.rows[name] == k) for k in originals.tolist()]
        if name == schema.home:
            # In the rows of those who go, so that the order of patients stays.
            order = np.arange(table.num_rows)
            order[patients.firsts[gone]] = [table.num_rows + int(r[0]) for r in rows_of]
            new = pa.concat_tables([table, theirs.cast(table.schema)]).take(pa.array(order))
            if own:
                new = new.set_column(new.column_names.index(own), own, table[own])
            tables[name] = new
            continue
        kept = table.filter(pa.array(~np.isin(patients.rows[name], gone)))
        more = theirs.take(pa.array(np.concatenate(rows_of).astype(np.int64)))
        names = np.repeat(patients.keys[gone], [len(r) for r in rows_of]).tolist()
        marks = np.repeat([f"{TAG}r{k}" for k in range(len(gone))], [len(r) for r in rows_of])
        for column in (*_marked_columns(plot, name), own):
            if column:
                old = more[column].to_pylist()
                values = names if column == own else [
                    None if v is None else f"{v}{m}"
                    for v, m in zip(old, marks.tolist(), strict=True)
                ]  # fmt: skip
                at = more.column_names.index(column)
                more = more.set_column(at, column, pa.array(values, pa.string()))
        tables[name] = pa.concat_tables([kept, more.cast(kept.schema)])
    return plot.with_sample(replace(plot.sample, tables=tables))


def _marked_columns(plot: Plot, table: str) -> list[str]:
    """Return key and references of a table that name a patient's own rows."""
    classes = classes_of(plot.schema)
    own = plot.schema.patient_column(table)
    patient = classes.get((plot.schema.home, plot.schema.patient_key), "")
    return [c for (t, c), kind in classes.items()
            if t == table and c != own and (kind != patient or plot.is_fhir)]  # fmt: skip


def jittered(plot: Plot, patients: Index, share: float, rng: Rng) -> Plot:
    """Perturb the numbers of some patients by a share of their spread, and births by some days.

    Parameters
    ----------
    plot : Plot
    patients : ndarray of intp
    share : float
        Standard deviation of the noise, in standard deviations of the number; where a code says
        what a value is, of the values with that code.
    rng : numpy.random.Generator
    """
    for table, column in plot.places("date", "datetime", meanings=("birth",)):
        values = plot.values(table, column)
        rows = [r for r in plot.rows_of(table, patients).tolist() if values[r] is not None]
        days = rng.integers(-20, 21, len(rows)).tolist()
        cells = {r: values[r] + dt.timedelta(d) for r, d in zip(rows, days, strict=True)}
        plot = plot.with_cells(table, column, cells)
    for table, column in plot.places("number", "integer"):
        values = plot.values(table, column)
        code = plot.about(table, column).code
        codes = plot.values(table, code) if code else [""] * len(values)
        rows = [r for r in plot.rows_of(table, patients).tolist() if values[r] is not None]
        known: dict[Any, list[float]] = {}
        for value, one in zip(values, codes, strict=True):
            if value is not None:
                known.setdefault(one, []).append(float(value))
        about = {k: (float(np.std(v)), min(v), max(v)) for k, v in known.items()}
        whole = pa.types.is_integer(plot.sample.tables[table][column].type)
        made: dict[int, Any] = {}
        for row, noise in zip(rows, rng.normal(0, share, len(rows)).tolist(), strict=True):
            spread, low, high = about[codes[row]]
            digits = 0 if whole else len(repr(float(values[row])).partition(".")[2])
            new = round(float(values[row]) + noise * spread, min(digits, 6))
            new = min(max(new, low), high)
            made[row] = int(new) if whole else new
        plot = plot.with_cells(table, column, made)
    return plot


CONTENTS: Final[dict[str, Recipe]] = {
    "marginal-shift": _shifted,
    "decorrelation": _decorrelated,
    "invented-correlation": partial(_planted, "invented correlation"),
    "values-permuted": partial(_planted, "values permuted among patients"),
    "dates-permuted": _dates_permuted,
    "codes-redrawn": _uniform_codes,
    "missingness": _missing,
    "mode-collapse": _collapsed,
    "rare-codes-dropped": partial(_planted, "rare codes dropped"),
    "too-few-patients": _fewer,
    "duplicated-patients": _duplicated,
}
"""Defect -> how it is planted."""
