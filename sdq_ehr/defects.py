"""Planted defects of known severity, to learn whether the instrument sees what it should.

A defect is planted in good tables that stand in for synthetic ones, by what the schema says of its
columns; whatever a measure then says more than before is due to the defect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sdq_core.errors import UsageError
from sdq_core.vocabulary import Characteristic
from sdq_ehr.schema import Column, Schema

__all__ = ["DEFECTS", "Defect", "Sample", "defect", "memorised_copies"]

FIDELITY, BALANCE, COMPLETENESS, PRIVACY = (
    Characteristic.FIDELITY, Characteristic.BALANCE, Characteristic.COMPLETENESS,
    Characteristic.PRIVACY,
)  # fmt: skip
Rng = np.random.Generator
Index = NDArray[np.intp]

WRONG: Final[Mapping[str, str]] = {
    "icd10": "Q42.99X", "icd10cm": "Q42.99X", "icd9cm": "999.999", "loinc": "2160-1",
    "snomed": "22298007", "ucum": "mmHg",
}  # fmt: skip
"""A code that none of the system is, but looks like one."""
ELSEWHERE: Final[Mapping[str, str]] = {
    "icd10": "2160-0", "icd10cm": "2160-0", "icd9cm": "2160-0", "loinc": "E11.9",
    "snomed": "E11.9",
}  # fmt: skip
"""A good code of another system."""
FOR_ONE_SEX: Final[Mapping[str, tuple[str, str]]] = {
    "icd10": ("O80", "C61"), "icd10cm": ("O80", "C61"), "icd9cm": ("650", "185"),
}  # fmt: skip
"""A code for women only, and one for men only."""


@dataclass(frozen=True, eq=False)
class Sample:
    """The tables of a cohort before they are written, and what their columns mean.

    Parameters
    ----------
    tables : mapping of str to pyarrow.Table
    schema : Schema
    """

    tables: Mapping[str, pa.Table]
    schema: Schema

    def with_column(self, table: str, column: str, values: Any) -> Sample:
        """Return the sample with another column."""
        old = self.tables[table]
        new = old.set_column(old.column_names.index(column), column, values)
        return replace(self, tables={**self.tables, table: new})

    def columns(self, *types: str, meanings: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
        """Yield table and name of the columns of some types, or of some meanings."""
        for table, name, about in self.schema.columns():
            here = table in self.tables and name in self.tables[table].column_names
            if here and (about.type in types or about.meaning in meanings):
                yield table, name

    def about(self, table: str, column: str) -> Column:
        """Return what the schema says of a column."""
        return self.schema.tables[table].columns[column]


Change = Callable[[Sample, float, Rng], Sample]


@dataclass(frozen=True, slots=True)
class Defect:
    """A defect that can be planted.

    Parameters
    ----------
    name : str
    targets : tuple of Characteristic
        What must fail because of it.
    severity_range : tuple of float
    unit : str
        Of the severity.
    change : callable
    source : str
        Where the defect is described.
    """

    name: str
    targets: tuple[Characteristic, ...]
    severity_range: tuple[float, float]
    unit: str
    change: Change
    source: str

    def plant(self, sample: Sample, severity: float, rng: Rng) -> Sample:
        """Return a sample with the defect; the given one stays as it is.

        Parameters
        ----------
        sample : Sample
        severity : float
            In `unit`; 0 changes nothing.
        rng : numpy.random.Generator

        Raises
        ------
        UsageError
            The schema names no column in which the defect can be planted.
        """
        return sample if severity == 0 else self.change(sample, severity, rng)


def defect(name: str) -> Defect:
    """Return a defect of `DEFECTS` by its name.

    Examples
    --------
    >>> defect("orphan keys").unit
    'share of rows'
    """
    return next(d for d in DEFECTS if d.name == name)


def memorised_copies(sample: Sample, train: Sample, share: float, rng: Rng) -> Sample:
    """Put whole training patients, under new numbers, in the place of synthetic ones.

    Parameters
    ----------
    sample, train : Sample
        Of one schema.
    share : float
        Of the synthetic patients.
    rng : numpy.random.Generator
    """
    schema = sample.schema
    home, key = schema.home, schema.patient_key
    if not key:
        rows = _chosen(sample.tables[home].num_rows, share, rng)
        sources = rng.choice(train.tables[home].num_rows, len(rows), replace=False)
        keep = np.setdiff1d(np.arange(sample.tables[home].num_rows), rows)
        joined = pa.concat_tables(
            [sample.tables[home].take(pa.array(keep)), train.tables[home].take(pa.array(sources))]
        )
        return replace(sample, tables={**sample.tables, home: joined})
    mine = np.array(sample.tables[home][key].to_pylist(), object)
    theirs = np.array(train.tables[home][key].to_pylist(), object)
    gone = mine[_chosen(len(mine), share, rng)]
    copied = rng.choice(theirs, len(gone), replace=False)
    names = dict(zip(copied.tolist(), gone.tolist(), strict=True))
    tables = {}
    for name, table in sample.tables.items():
        column = schema.patient_column(name)
        kept = table.filter(pc.invert(pc.is_in(table[column], pa.array(gone.tolist()))))
        new = train.tables[name].filter(
            pc.is_in(train.tables[name][column], pa.array(copied.tolist()))
        )
        renamed = pa.array([names[v] for v in new[column].to_pylist()], table[column].type)
        new = new.set_column(new.column_names.index(column), column, renamed)
        tables[name] = pa.concat_tables([kept, new.cast(kept.schema)])
    return replace(sample, tables=tables)


def _chosen(n: int, share: float, rng: Rng) -> Index:
    if not 0 <= share <= 1:
        raise UsageError(f"share must be in 0..1, got {share}")
    count = min(n, max(1, round(share * n))) if share > 0 else 0
    return np.sort(rng.choice(n, count, replace=False)).astype(np.intp)


def _one(found: Iterator[tuple[str, str]], what: str) -> tuple[str, str]:
    place = next(found, None)
    if place is None:
        raise UsageError(f"the schema names no {what} in which this defect can be planted")
    return place


def _set(sample: Sample, table: str, column: str, rows: Index, value: Any) -> Sample:
    values = sample.tables[table][column].to_pylist()
    for row in rows.tolist():
        values[row] = value
    return sample.with_column(table, column, pa.array(values, sample.tables[table][column].type))


def _shifted(sample: Sample, severity: float, rng: Rng) -> Sample:
    table, column = _one(sample.columns("number"), "number")
    values = sample.tables[table][column]
    moved = pc.add(values, severity * float(pc.stddev(values).as_py()))
    return sample.with_column(table, column, pc.round(moved, 2).cast(values.type))


def _decorrelated(sample: Sample, severity: float, rng: Rng) -> Sample:
    """Permute a share of the columns of each table, each column by itself."""
    for name in sample.tables:
        columns = [c for c in _free(sample, name) if sample.about(name, c).meaning != "provenance"]
        for column in rng.permutation(columns)[: max(1, round(severity * len(columns)))]:
            values = sample.tables[name][str(column)]
            order = pa.array(rng.permutation(len(values)))
            sample = sample.with_column(name, str(column), values.take(order))
    return sample


def _comonotone(sample: Sample, severity: float, rng: Rng) -> Sample:
    """Give a number a dependence on another number, or a date, that it does not have."""
    found = []
    for name in sample.tables:
        numbers, times = (
            [c for c in _free(sample, name) if sample.about(name, c).type in kinds]
            for kinds in (("number", "integer"), ("date", "datetime"))
        )
        if numbers and len(numbers + times) > 1:
            found.append((len(numbers), name, numbers[-1], (numbers[:-1] + times)[0]))
    if not found:
        raise UsageError("the schema names no two numbers in which this defect can be planted")
    _, name, moved, along = max(found)
    table = sample.tables[name]
    n = table.num_rows
    place = pc.rank(table[along], tiebreaker="first").to_numpy().astype(float)
    place += (1 - severity) / max(severity, 1e-6) * n * rng.normal(size=n)
    ordered = table[moved].take(pc.sort_indices(table[moved]))
    return sample.with_column(name, moved, ordered.take(pa.array(place.argsort().argsort())))


def _free(sample: Sample, table: str) -> list[str]:
    """Columns that neither name nor connect rows."""
    definition = sample.schema.tables[table]
    fixed = {*definition.key, *definition.references, sample.schema.patient_column(table)}
    return [
        c for c in sample.tables[table].column_names
        if c not in fixed and c in definition.columns and definition.columns[c].type != "identifier"
    ]  # fmt: skip


def _values_permuted(sample: Sample, severity: float, rng: Rng) -> Sample:
    """Permute the values of each analyte among all its results."""
    for table, column in sample.columns("number"):
        code = sample.about(table, column).code
        if not code:
            continue
        values = sample.tables[table][column].to_numpy(zero_copy_only=False).copy()
        codes = np.array(sample.tables[table][code].to_pylist(), object)
        for one in sorted({c for c in codes.tolist() if c is not None}):
            rows = np.flatnonzero(codes == one)
            rows = rows[rng.random(len(rows)) < severity]
            values[rows] = values[rng.permutation(rows)]
        return sample.with_column(table, column, pa.array(values, from_pandas=True))
    raise UsageError("the schema names no value with a code in which this defect can be planted")


def _dates_permuted(sample: Sample, severity: float, rng: Rng) -> Sample:
    """Permute the times of a table's rows among all patients; what ends later goes along."""
    for name, table in sample.tables.items():
        time = sample.schema.tables[name].time
        if not time or name == sample.schema.home:
            continue
        rows = _chosen(table.num_rows, severity, rng)
        order = np.arange(table.num_rows)
        order[rows] = rng.permutation(rows)
        for column in _free(sample, name):
            if sample.about(name, column).type in ("date", "datetime"):
                sample = sample.with_column(name, column, table[column].take(pa.array(order)))
        return sample
    raise UsageError("the schema names no time in which this defect can be planted")


def _rare_dropped(sample: Sample, severity: float, rng: Rng) -> Sample:
    """Replace codes that fewer than a share of the rows have by common ones."""
    for table, column in sample.columns("code"):
        values = np.array(sample.tables[table][column].to_pylist(), object)
        known = [v for v in values.tolist() if v is not None]
        names, counts = np.unique(np.array(known, dtype=str), return_counts=True)
        common = names[counts >= severity * len(known)]
        if len(common) in (0, len(names)):
            continue
        weight = counts[counts >= severity * len(known)].astype(float)
        rare = ~np.isin(values.astype(str), common) & (values != None)  # noqa: E711
        values[rare] = rng.choice(common, int(rare.sum()), p=weight / weight.sum())
        sample = sample.with_column(table, column, pa.array(values.tolist(), pa.string()))
    return sample


def _wrong_codes(table_of: Mapping[str, str], what: str) -> Change:
    def change(sample: Sample, severity: float, rng: Rng) -> Sample:
        found = ((t, c) for t, c in sample.columns("code") if sample.about(t, c).system in table_of)
        table, column = _one(found, what)
        rows = _chosen(sample.tables[table].num_rows, severity, rng)
        return _set(sample, table, column, rows, table_of[sample.about(table, column).system])

    return change


def _sex_contradicted(sample: Sample, severity: float, rng: Rng) -> Sample:
    found = ((t, c) for t, c in sample.columns("code") if sample.about(t, c).system in FOR_ONE_SEX)
    table, column = _one(found, "diagnosis")
    home, sex = _one(sample.columns(meanings=("sex",)), "sex")
    women, men = FOR_ONE_SEX[sample.about(table, column).system]
    texts = np.array([str(v)[:1].upper() for v in sample.tables[home][sex].to_pylist()])
    of = _owners(sample, table, home)
    rows = _chosen(sample.tables[table].num_rows, severity, rng)
    female = texts[of[rows]] == "F"
    sample = _set(sample, table, column, rows[female], men)
    return _set(sample, table, column, rows[~female], women)


def _owners(sample: Sample, table: str, home: str) -> Index:
    if table == home:
        return np.arange(sample.tables[home].num_rows)
    known = sample.tables[home][sample.schema.patient_key]
    named = sample.tables[table][sample.schema.patient_column(table)]
    places = pc.index_in(named, value_set=known.combine_chunks())
    return np.asarray(pc.fill_null(places, 0).to_numpy(), np.intp)


def _reversed(sample: Sample, severity: float, rng: Rng) -> Sample:
    """Exchange begin and end of a share of the rows of the first table with both."""
    for name, table in sample.tables.items():
        definition = sample.schema.tables[name]
        begin = definition.with_meaning("admission") or definition.with_meaning("start")
        end = definition.with_meaning("discharge") or definition.with_meaning("end")
        if not begin or not end:
            continue
        rows = _chosen(table.num_rows, severity, rng)
        first, last = table[begin].to_pylist(), table[end].to_pylist()
        for row in rows.tolist():
            if first[row] is not None and first[row] == last[row]:
                last[row] = last[row] + np.timedelta64(3, "D").astype(object)
            first[row], last[row] = last[row], first[row]
        sample = sample.with_column(name, begin, pa.array(first, table[begin].type))
        return sample.with_column(name, end, pa.array(last, table[end].type))
    raise UsageError("the schema names no begin and end in which this defect can be planted")


def _unit_confused(sample: Sample, severity: float, rng: Rng) -> Sample:
    """Call mg/dL what is mmol/L, or the other way round, without converting the value."""
    table, column = _one(sample.columns("unit"), "unit")
    values = sample.tables[table][column].to_pylist()
    other = {"mg/dL": "mmol/L", "mmol/L": "mg/dL", "g/dL": "mg/dL", "%": "mmol/mol"}
    for row in _chosen(len(values), severity, rng).tolist():
        values[row] = other.get(values[row], values[row])
    return sample.with_column(table, column, pa.array(values, pa.string()))


def _missing(sample: Sample, severity: float, rng: Rng) -> Sample:
    table, column = _one(sample.columns("number"), "number")
    rows = _chosen(sample.tables[table].num_rows, severity, rng)
    return _set(sample, table, column, rows, None)


def _orphaned(sample: Sample, severity: float, rng: Rng) -> Sample:
    for name in sample.tables:
        column = sample.schema.patient_column(name)
        if name == sample.schema.home or not column:
            continue
        rows = _chosen(sample.tables[name].num_rows, severity, rng)
        values = sample.tables[name][column].to_pylist()
        for k, row in enumerate(rows.tolist()):
            values[row] = f"X{k:06d}"
        return sample.with_column(name, column, pa.array(values, pa.string()))
    raise UsageError("the schema names no second table in which this defect can be planted")


def _identified(sample: Sample, severity: float, rng: Rng) -> Sample:
    """Write a telephone number or an address of electronic mail into a category of patients."""
    table, column = _one(sample.columns("text", "category"), "text or category")
    rows = _chosen(sample.tables[table].num_rows, severity, rng)
    values = sample.tables[table][column].to_pylist()
    for row in rows.tolist():
        number = int(rng.integers(10**7, 10**8))
        values[row] = f"call 138{number}" if row % 2 else f"wang{number}@example.org"
    return sample.with_column(table, column, pa.array(values, pa.string()))


NOTES = "SDMetrics issue 815; research on longitudinal damage"
KAHN = "Kahn et al. 2016, doi:10.13063/2327-9214.1244"
SHARE_ROWS, SHARE_PATIENTS = "share of rows", "share of patients"

DEFECTS: Final[tuple[Defect, ...]] = (
    Defect("marginal shift", (FIDELITY,), (0.1, 2.0), "standard deviations", _shifted,
           "Platzer & Reutterer 2021, doi:10.3389/fdata.2021.679939"),
    Defect("decorrelation", (FIDELITY,), (0.1, 1.0), "share of columns", _decorrelated, NOTES),
    Defect("invented correlation", (FIDELITY,), (0.3, 1.0), "strength", _comonotone, NOTES),
    Defect("values permuted among patients", (FIDELITY,), (0.1, 1.0), SHARE_ROWS,
           _values_permuted, NOTES),
    Defect("dates permuted", (FIDELITY,), (0.1, 1.0), SHARE_ROWS, _dates_permuted, NOTES),
    Defect("rare codes dropped", (BALANCE,), (0.002, 0.05), "least share of a code",
           _rare_dropped, "Yan et al. 2022, doi:10.1038/s41467-022-35295-1"),
    Defect("invalid codes", (COMPLETENESS,), (0.005, 0.2), SHARE_ROWS,
           _wrong_codes(WRONG, "code of a system with a check"), KAHN),
    Defect("wrong system", (COMPLETENESS,), (0.005, 0.2), SHARE_ROWS,
           _wrong_codes(ELSEWHERE, "code of a known system"), KAHN),
    Defect("sex contradicted", (COMPLETENESS,), (0.005, 0.2), SHARE_ROWS, _sex_contradicted, KAHN),
    Defect("dates reversed", (COMPLETENESS,), (0.005, 0.2), SHARE_ROWS, _reversed, KAHN),
    Defect("unit confused", (COMPLETENESS,), (0.005, 0.5), SHARE_ROWS, _unit_confused, KAHN),
    Defect("values missing", (FIDELITY,), (0.05, 0.5), SHARE_ROWS, _missing,
           "Rubin 1976, doi:10.1093/biomet/63.3.581"),
    Defect("orphan keys", (COMPLETENESS,), (0.005, 0.2), SHARE_ROWS, _orphaned, KAHN),
    Defect("identifiers", (PRIVACY,), (0.01, 0.5), SHARE_PATIENTS, _identified,
           "HIPAA 45 CFR 164.514(b)(2)"),
)  # fmt: skip
"""All defects; each is planted by what the schema says, in the user's own data as well."""
