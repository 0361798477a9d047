"""Two defects that a report may not see: broken dependence of columns, broken courses of patients.

Margins are kept, but for days that move along with their visit. A figure sees a
defect where it leaves what fresh real draws give.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
from ehr_agreement_ours import Table, joint, table_of, trends

from sdq_core.statistics.trajectories import (
    between_subject_share,
    gaps,
    lag_one_correlation,
    order_violations,
    wasserstein_in_real_sd,
)
from sdq_ehr.simulated_cohort import ANALYTES, shuffle_dates, shuffle_values, simulate_cohort
from sdq_ehr.simulated_table import replaced, simulate_table

SIZES = 3000, 10_000
PATIENTS, DRAWS = 1000, 10
APART = ("age", "creatinine", "sodium", "haemoglobin")
"""Numbers that are in no pair that the peer scores at 10,000 rows."""
PAIRED = ("systolic", "glucose")
"""Numbers that are: diastolic pressure and HbA1c go with them."""
KEYS = {"patients": "patient_id", "visits": "visit_id", "labs": "lab_id"}
PARENTS = (("patients", "visits"), ("visits", "labs"))
Ask = Callable[[str, list[dict[str, Any]], dict[str, Any]], list[dict[str, Any]] | None]
Figures = dict[str, float]


def blindness(ask: Ask) -> Iterator[str]:
    """Lines of both tables."""
    yield "### Dependence between columns"
    yield ""
    for n in SIZES:
        yield from columns(ask, n)
    yield "### Courses of patients"
    yield ""
    yield from courses(ask)


# --- one table ------------------------------------------------------------------------------------


def columns(ask: Ask, n: int) -> Iterator[str]:
    real, *fresh = (table_of(simulate_table(n, k)) for k in range(1, DRAWS + 3))
    good = fresh.pop(0)
    pair = {"what": "pair", "kinds": dict(real.kinds), "real": "real.csv"}
    first = ask("sdmetrics", [{**pair, "synthetic": "good.csv"}],
                {"real.csv": real, "good.csv": good})  # fmt: skip
    scored = [tuple(p) for p in first[0]["scored"]] if first else []
    total = len(list(combinations(real.kinds, 2)))
    cases = {
        "fresh": good,
        "lost": destroyed(good, scored),
        "invented": tied(good, APART),
        "paired": tied(good, PAIRED),
    }
    tables = {"real.csv": real, **{f"{k}.csv": t for k, t in cases.items()}}
    tables |= {f"draw{k}.csv": t for k, t in enumerate(fresh)}
    jobs = [{**pair, "synthetic": n} for n in tables if n != "real.csv"]
    theirs = ask("sdmetrics", jobs, tables)
    ours = [figures(real, t) for t in (*cases.values(), *fresh)]
    rows = list(table(list(ours[0]), ours, len(cases), lowest=False))
    if theirs:
        scores = [
            {
                f"SDMetrics score, default ({len(scored)} of {total} pairs)": r["scores"][
                    "default"
                ],
                "its pair trends, default": r["trends"]["default"],
                "SDMetrics score, all pairs": r["scores"]["all"],
                "its pair trends, all pairs": r["trends"]["all"],
            }
            for r in theirs
        ]
        rows = [*table(list(scores[0]), scores, len(cases), lowest=True), *rows]
    yield (
        f"{n:,} rows of 20 columns. Lost: dependence of all pairs that SDMetrics leaves out is "
        "destroyed by permuting, the others are kept. Invented: age, creatinine, sodium and "
        "haemoglobin follow the day of admission. Paired: systolic pressure and glucose follow it, "
        f"which are in pairs that are scored. Range: of {DRAWS} more fresh draws."
    )
    yield ""
    yield "| figure | fresh draw | range | lost | seen | invented | seen | paired | seen |"
    yield "|---" * 9 + "|"
    yield from rows
    yield ""


def destroyed(table: Table, scored: Sequence[tuple[str, ...]]) -> Table:
    """Permute columns against each other; those joined by a pair that is scored stay together."""
    group = {c: c for c in table.kinds}
    for one, two in scored:
        old, new = group[two], group[one]
        group = {c: new if g == old else g for c, g in group.items()}
    rng = np.random.default_rng(0)
    order = {g: rng.permutation(len(table)) for g in dict.fromkeys(group.values())}
    return Table(
        table.kinds,
        {c: v[order[group[c]]] for c, v in table.numbers.items()},
        {c: v[order[group[c]]] for c, v in table.texts.items()},
    )


def tied(made: Table, columns: Sequence[str]) -> Table:
    """Let columns rise with the date of admission; each keeps the values that it had."""
    order = np.argsort(made.numbers["admitted"], kind="stable")
    numbers = dict(made.numbers)
    for name in columns:
        values = numbers[name].copy()
        values[order] = np.sort(values)
        numbers[name] = values
    return Table(made.kinds, numbers, made.texts)


def figures(real: Table, other: Table) -> Figures:
    """Ours."""
    pairs, change, lost, invented = joint(real, other)
    return {
        "sdq: largest distance of a column": max(trends(real, other).shapes.values()),
        "sdq: mean total variation of pairs": pairs,
        "sdq: change of association": change,
        "sdq: association lost": lost,
        "sdq: association invented": invented,
    }


# --- three tables ---------------------------------------------------------------------------------


def courses(ask: Ask) -> Iterator[str]:
    real, *fresh = (simulate_cohort(PATIENTS, 10 * k) for k in range(1, DRAWS + 3))
    good = fresh.pop(0)
    cases = {
        "fresh": good,
        "values": shuffle_values(good, 0),
        "dates": shuffle_dates(good, 0),
        "with values": moved(good, shuffle_dates(good, 0)),
    }
    sides = {"real": real, **cases, **{f"draw{k}": t for k, t in enumerate(fresh)}}
    tables = {f"{s}/{n}.csv": table_of(t) for s, c in sides.items() for n, t in c.items()}
    kinds = {
        n: {c: "key" if c.endswith("_id") else k for c, k in tables[f"real/{n}.csv"].kinds.items()}
        for n in KEYS
    }
    # In the peer's model a laboratory value belongs to its visit alone.
    kinds["labs"].pop("patient_id")
    job = {"what": "tables", "tables": kinds, "keys": KEYS, "relationships": PARENTS}
    jobs = [{**job, "real": "real", "synthetic": s} for s in sides if s != "real"]
    theirs = ask("sdmetrics", jobs, tables)
    ours = [course_figures(real, c) for s, c in sides.items() if s != "real"]
    rows = list(table(list(ours[0]), ours, len(cases), lowest=False))
    if theirs:
        scores = []
        for r in theirs:
            found = {"SDMetrics quality": r["quality"], "SDMetrics diagnostic": r["diagnostic"]}
            scores.append(found | {f"its {k}": v for k, v in r["properties"].items()})
        rows = [*table(list(scores[0]), scores, len(cases), lowest=True), *rows]
    yield (
        f"{PATIENTS:,} patients with visits and laboratory values. Values: permuted among all "
        "results of one analyte. Dates: permuted among all visits; with values: those of the "
        f"laboratory move along with their visit. Range: of {DRAWS} more fresh draws."
    )
    yield ""
    yield "| figure | fresh draw | range | values | seen | dates | seen | with values | seen |"
    yield "|---" * 9 + "|"
    yield from rows
    yield ""


def moved(before: dict[str, pa.Table], after: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """Move the days of laboratory values by as much as their visits have moved."""
    labs, visits = before["labs"], before["visits"]
    place = {v: k for k, v in enumerate(visits["visit_id"].to_pylist())}
    of = np.array([place[v] for v in labs["visit_id"].to_pylist()])
    old, new = (t["visits"]["admitted"].cast(pa.int32()).to_numpy() for t in (before, after))
    day = labs["taken"].cast(pa.int32()).to_numpy() + (new - old)[of]
    taken = pa.array(day.astype(np.int32)).cast(pa.date32())
    return {**after, "labs": replaced(labs, "taken", taken)}


def course_figures(real: dict[str, pa.Table], other: dict[str, pa.Table]) -> Figures:
    """Ours: each the distance of a property of the courses."""
    one, two = course(real), course(other)
    found = {
        f"sdq: {k}": max(abs(a - b) for a, b in zip(one[k], two[k], strict=True))
        for k in one
        if k != "gaps"
    }
    found["sdq: time between visits, real sd"] = wasserstein_in_real_sd(one["gaps"], two["gaps"])
    return found


def course(cohort: dict[str, pa.Table]) -> dict[str, Any]:
    labs, visits = cohort["labs"], cohort["visits"]
    code = np.array(labs["loinc"].to_pylist())
    patient = np.array(labs["patient_id"].to_pylist())
    value = np.log(labs["value"].to_numpy())
    own = np.array(visits["patient_id"].to_pylist())
    day = visits["admitted"].cast(pa.int32()).to_numpy().astype(float)
    rows = [np.flatnonzero(code == a) for a in ANALYTES]
    return {
        "variance between patients, worst analyte": [
            between_subject_share(value[r], patient[r]) for r in rows
        ],
        "correlation with the next value, worst analyte": [
            lag_one_correlation(value[r], patient[r]) for r in rows
        ],
        "share of visits before the one before": [order_violations(day, own).share],
        "gaps": gaps(day, own),
    }


def table(
    names: Sequence[str],
    found: Sequence[dict[str, float | None]],
    cases: int,
    *,
    lowest: bool,
) -> Iterator[str]:
    """One line for each figure: the fresh draw, the range, each defect and whether it is seen."""
    for name in names:
        values = [f[name] for f in found]
        fresh, *defects = values[:cases]
        known = [v for v in values[cases:] if v is not None]
        if fresh is None or not known:
            yield f"| {name} | none | - |" + " none | no |" * len(defects)
            continue
        cells = []
        for v in defects:
            beyond = v is not None and (v < min(known) if lowest else v > max(known))
            cells.append(f"{'none' if v is None else f'{v:.4f}'} | {'yes' if beyond else 'no'}")
        yield (
            f"| {name} | {fresh:.4f} | {min(known):.4f} to {max(known):.4f} | {' | '.join(cells)} |"
        )
