"""Simulated hospital tables whose structure is known: for the demo, tests and benchmarks.

Hidden severity and metabolism of each patient drive age, diagnoses, laboratory values, dates and
outcome. `drift` makes an imperfect generator of it: shifted margins and weaker associations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sdq_core.errors import UsageError
from sdq_core.statistics.mixed_rows import MixedRows

__all__ = [
    "CATEGORIES",
    "DATES",
    "NUMBERS",
    "dates",
    "mixed_rows",
    "names",
    "plant_copies",
    "replaced",
    "simulate_table",
]

Values = NDArray[np.float64]

NUMBERS = (
    "age", "stay_days", "bmi", "systolic", "diastolic", "creatinine", "glucose", "hba1c",
    "sodium", "haemoglobin",
)  # fmt: skip
DATES = ("admitted", "discharged")
CATEGORIES = (
    "sex", "ethnicity", "admission", "insurance", "department", "diagnosis",
    "secondary_diagnosis", "died",
)  # fmt: skip

_CODES = """
    I10 E11.9 E78.5 J18.9 N18.9 I50.9 E66.9 K21.9 J44.9 F32.9 E03.9 D64.9 N39.0 F41.9 M17.9
    E87.1 E87.6 N17.9 I63.9 A41.9 R55 D50.9 K92.2 M10.9 I21.9 I67.9 N20.0 M54.2 J06.9 J20.9
    E10.9 I73.9 R42 D69.6 E55.9 B85.3 I67.3 B81.0 M00.9 I89.8 J67.9 A25.0 L68.0 M08.3 N02.5
    I09.1 J70.8 L30.8 A21.3 B55.0 D35.7 G50.1 E74.4 E79.1 E80.5 J63.0 N34.0 B25.0 J15.9 L40.9
    A40.3 K82.4 R07.2 I46.9 L87.9 E64.8 R63.4 K26.0 D53.2 G72.1 I74.8 M13.0 K56.3 K31.6 A15.6
    B35.2 D53.1 G52.0 R45.1 A22.1 N25.1 A80.1 N00.7 B39.2 E20.1 B97.5 A23.8 M88.9 E21.5 R07.1
    M08.1 I61.0 R09.2 J43.1 R00.2 R04.2 G13.8 H40.9 B52.8 R44.3 K75.3 K25.0 I45.0 E61.8 A03.1
    H31.8 A20.8 N00.9 R89.9 I74.4 H52.4 D33.3 B58.1 K61.1 N13.1 M72.9 J34.2 F32.0 R22.0 A01.1
    K06.2 D37.3 D83.0 I01.2 K92.0 M36.8 B94.9 B88.2 L66.9 L75.2 J70.4 D46.0 B66.4 K22.0 J21.9
    L08.0 I70.1 E88.9 K27.7 L40.0 A87.9 E61.1 N18.5 A25.9 B96.7 I27.0 E76.9 L23.1 D76.3 N07.8
    E01.8 H26.9 B85.4 D61.3 B42.0 E61.7 K91.5 H90.3 K43.6 D13.0 B56.1 B25.1 K62.6 G06.1 D64.2
    D83.9 R68.2 F63.3 E01.0 N06.7 A79.0 L98.0 I86.8 J67.4 F33.3 K42.9 A83.9 E26.1 G83.5 D80.1
    R74.9 L75.1 M83.8 J69.1 A04.6 L21.1 A41.4 J16.8 J38.4 K52.9 B68.0 L20.0 B46.3 F40.9 K14.2
    N06.9 L72.8 L93.2 K00.8 H90.0 D59.5 J67.3 K76.5 L53.0 N06.0 B95.2 L41.3 R85.0 D23.4 L91.0
    D83.8 A63.0 A75.3 K82.8 G70.9 I60.4 I42.2 M30.0 N27.1 G72.3 M36.3 K82.2 H18.9 M95.3 I01.0
    R49.8 H04.9 E80.1 M87.9 F06.2 B33.3 A69.1 D69.0 D64.3 H57.9 L59.9 I44.1 B78.9 F34.0 J35.9
    L08.1 B66.0 A40.8 F45.9 M05.9 J02.0 A96.9 F20.3 I79.0 K63.3 G50.8 K42.0 R29.2 I60.8 I86.4
    L41.0 J68.8 E04.1 K56.1 B48.8 I35.1 B43.0 I31.8 A30.5 J15.4 D19.9 I86.3 B96.3 K05.5 J68.3
    K90.2 D82.4 J62.0 D33.4 B38.2 A19.2 K76.9 D81.0 A28.9 R93.6 M84.9 F51.9 R22.9 I02.0 H51.8
    N05.9 D11.7 A63.8 I67.4 L91.9 A75.1 K26.2 L57.4 M51.9 A39.2 F25.8 A52.2 I51.4 A79.1 D51.3
"""

DIAGNOSES = tuple(_CODES.split())
"""Billable codes of ICD-10-CM (US public domain) that ICD-10 has as well, for either sex; frequent
ones first."""

_FIRST_DAY = np.datetime64("2015-01-01", "D")


def simulate_table(n: int, seed: int, drift: float = 0.0) -> pa.Table:
    """Simulate one table with a row a patient: 10 numbers, 2 dates and 8 categories.

    Parameters
    ----------
    n : int
        Rows.
    seed : int
    drift : float
        In [0, 1]; 0 is the real population, 1 a poor imitation.

    Returns
    -------
    pyarrow.Table
        `bmi` and `hba1c` have missing values, the latter more often in patients who are well.

    Examples
    --------
    >>> table = simulate_table(100, seed=1)
    >>> table.num_columns, table["sex"].type, table["bmi"].null_count > 0
    (20, DataType(string), True)
    """
    rng = np.random.default_rng(seed)
    strength = 1 - 0.35 * drift

    def mixture(of: Values, weight: float) -> Values:
        w = weight * strength
        found: Values = w * of + np.sqrt(1 - w**2) * rng.normal(size=n)
        return found

    severity = rng.normal(size=n)
    metabolism = mixture(severity, 0.5)
    age = np.clip(62 + 4 * drift + 17 * mixture(severity, 0.5), 0, 104)
    older = age - 62
    male = rng.random(n) >= 0.52 - 0.04 * drift
    stay = np.exp(1.3 + 0.45 * strength * severity + 0.6 * rng.normal(size=n))
    stay = np.clip(np.round(stay), 0, 180)
    admitted = rng.integers(0, 365 * 8, n)
    systolic = 128 + 8 * strength * metabolism + 0.25 * older + 14 * rng.normal(size=n)
    glucose = np.exp(4.65 + 0.2 * strength * metabolism + 0.2 * rng.normal(size=n))
    creatinine = np.exp(
        0.28 * strength * severity + 0.004 * older + 0.08 * male - 0.05 + 0.3 * rng.normal(size=n)
    )
    dead = rng.random(n) < 1 / (1 + np.exp(4.1 - 1.1 * strength * severity - 0.035 * older))
    untested = rng.random(n) < 1 / (1 + np.exp(1.8 + 0.8 * severity))
    unweighed = rng.random(n) < 0.05
    bmi = 25.5 + 0.6 * drift + 3.2 * strength * metabolism + 3.4 * rng.normal(size=n)
    haemoglobin = 12.6 + 1.1 * male - 0.7 * strength * severity - 0.012 * older
    columns = {
        "age": np.round(age),
        "sex": names(("F", "M"), male.astype(np.intp)),
        "ethnicity": _choice(
            "ABCDEU", (0.6, 0.15, 0.1, 0.08, 0.05, 0.02), rng.normal(size=n), 0.1 * strength, rng
        ),
        "admission": _choice(
            ("emergency", "elective", "urgent", "observation"),
            (0.45, 0.25, 0.2, 0.1),
            -severity,
            0.5 * strength,
            rng,
        ),
        "insurance": _choice(
            ("public", "private", "rural", "self", "other"),
            (0.45, 0.2, 0.2, 0.1, 0.05),
            2 - age / 30,
            0.4 * strength,
            rng,
        ),
        "department": _choice(
            [f"ward {k:02d}" for k in range(12)], [1 / 12] * 12, metabolism, 0.7 * strength, rng
        ),
        "diagnosis": _diagnosis(mixture(severity, 0.6)),
        "secondary_diagnosis": _diagnosis(mixture(metabolism, 0.6)),
        "admitted": dates(admitted),
        "discharged": dates(admitted + stay.astype(np.int64)),
        "stay_days": stay,
        "bmi": pa.array(np.round(bmi, 1), mask=unweighed),
        "systolic": np.round(systolic),
        "diastolic": np.round(0.45 * systolic + 18 + 7 * rng.normal(size=n)),
        "creatinine": np.round(creatinine, 2),
        "glucose": np.round(glucose),
        "hba1c": pa.array(
            np.round(3 + 0.027 * glucose + 0.5 * rng.normal(size=n), 1), mask=untested
        ),
        "sodium": np.round(139.5 - 1.1 * strength * severity + 3 * rng.normal(size=n)),
        "haemoglobin": np.round(haemoglobin + 1.5 * rng.normal(size=n), 1),
        "died": names(("no", "yes"), dead.astype(np.intp)),
    }
    return pa.table(columns)


def plant_copies(
    synthetic: pa.Table,
    train: pa.Table,
    share: float,
    *,
    noise: float = 0.0,
    part: float = 1.0,
    seed: int = 0,
) -> tuple[pa.Table, NDArray[np.intp], NDArray[np.intp]]:
    """Put copies of training rows in the place of synthetic rows.

    Parameters
    ----------
    synthetic, train : pyarrow.Table
        As `simulate_table` makes them.
    share : float
        Of the synthetic rows.
    noise : float
        Deviation of what is added to numbers, in the column's standard deviations. Dates then move
        by up to a week, and in a third of the copies each the secondary diagnosis, department and
        insurance are those of another row.
    part : float
        Share of the columns that is copied, drawn for each row; the others stay as generated.
    seed : int

    Returns
    -------
    table : pyarrow.Table
    rows, sources : ndarray of int
        Synthetic rows that are copies, and the training rows that they are copies of.

    Examples
    --------
    >>> a, b = simulate_table(50, 1), simulate_table(50, 2)
    >>> table, rows, sources = plant_copies(a, b, 0.1)
    >>> len(rows), table.take(rows).equals(b.take(sources))
    (5, True)
    """
    if not (0 <= share <= 1 and 0 < part <= 1):
        raise UsageError(f"share, part: must lie in [0, 1], found {share}, {part}")
    rng = np.random.default_rng(seed)
    k = round(share * synthetic.num_rows)
    sources = rng.choice(train.num_rows, k, replace=k > train.num_rows)
    rows = rng.choice(synthetic.num_rows, k, replace=False)
    width = synthetic.num_columns
    copied = rng.random((k, width)).argsort(axis=1) < round(part * width)
    for j, name in enumerate(synthetic.column_names):
        column = train[name].take(pa.array(sources)).combine_chunks()
        if noise and name in NUMBERS:
            spread = float(pc.stddev(train[name]).as_py())
            column = pc.round(pc.add(column, pa.array(noise * spread * rng.normal(size=k))), 2)
        elif noise and name in DATES:
            days = column.cast(pa.int32()).to_numpy() + rng.integers(-7, 8, k)
            column = pa.array(days.astype(np.int32)).cast(pa.date32())
        elif noise and name in ("secondary_diagnosis", "department", "insurance"):
            other = train[name].take(pa.array(rng.integers(0, train.num_rows, k)))
            column = pc.if_else(pa.array(rng.random(k) < 1 / 3), other.combine_chunks(), column)
        where = np.full(synthetic.num_rows, -1)
        where[rows[copied[:, j]]] = np.flatnonzero(copied[:, j])
        both = pa.concat_arrays([synthetic[name].combine_chunks(), column])
        order = np.where(where < 0, np.arange(synthetic.num_rows), synthetic.num_rows + where)
        synthetic = replaced(synthetic, name, both.take(pa.array(order)))
    return synthetic, rows, sources


def mixed_rows(*tables: pa.Table) -> tuple[tuple[MixedRows, ...], tuple[int, ...]]:
    """Return simulated tables as numbers and codes, coded alike.

    Parameters
    ----------
    *tables : pyarrow.Table
        As `simulate_table` makes them.

    Returns
    -------
    rows : tuple of MixedRows
        Dates as days.
    levels : tuple of int
        Levels of each category.

    Examples
    --------
    >>> (rows,), levels = mixed_rows(simulate_table(100, seed=1))
    >>> rows.numbers.shape, rows.categories.shape, levels[0]
    ((100, 12), (100, 8), 2)
    """
    numbers = [
        np.stack(
            [
                *(t[c].to_numpy() for c in NUMBERS),
                *(t[c].cast(pa.int32()).to_numpy().astype(np.float64) for c in DATES),
            ],
            axis=1,
        )
        for t in tables
    ]
    codes: list[list[Any]] = [[] for _ in tables]
    levels = []
    for name in CATEGORIES:
        known = pc.unique(pa.chunked_array([c for t in tables for c in t[name].chunks]))
        levels.append(len(known))
        for found, table in zip(codes, tables, strict=True):
            found.append(pc.index_in(table[name], known).to_numpy())
    rows = tuple(
        MixedRows(x, np.stack(c, axis=1).astype(np.int32))
        for x, c in zip(numbers, codes, strict=True)
    )
    return rows, tuple(levels)


def _choice(
    texts: Sequence[str],
    shares: Sequence[float],
    hidden: Values,
    slope: float,
    rng: np.random.Generator,
) -> pa.Array:
    """Names whose chances move along with something hidden."""
    lean = slope * hidden[:, None] * np.linspace(-1, 1, len(texts))
    gumbel = -np.log(-np.log(rng.random((len(hidden), len(texts)))))
    return names(texts, (np.log(np.asarray(shares)) + lean + gumbel).argmax(axis=1))


def _diagnosis(hidden: Values) -> pa.Array:
    """Codes whose frequencies fall as their ranks rise, neighbours in severity alike."""
    from scipy.special import ndtr

    size = len(DIAGNOSES)
    order = np.random.default_rng(11).permutation(size)
    share = 1 / (1.0 + order) ** 1.05
    limits = np.cumsum(share / share.sum())
    return names(DIAGNOSES, np.minimum(np.searchsorted(limits, ndtr(hidden)), size - 1), order)


def names(
    texts: Sequence[str], code: NDArray[np.intp], order: NDArray[np.intp] | None = None
) -> pa.Array:
    """Return the text of each code, by way of an order if one is given."""
    known = pa.array(list(texts))
    return known.take(pa.array(code if order is None else order[code]))


def dates(days: NDArray[Any]) -> pa.Array:
    """Return days after the first as dates."""
    return pa.array(_FIRST_DAY + np.asarray(days).astype("timedelta64[D]"))


def replaced(table: pa.Table, name: str, column: Any) -> pa.Table:
    """Return a table with another column of that name."""
    return table.set_column(table.column_names.index(name), name, column)
