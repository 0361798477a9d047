"""A simulated cohort of three tables: patients, their visits, the laboratory values of these."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sdq_ehr.simulated_table import dates, names, replaced, simulate_table

__all__ = ["ANALYTES", "shuffle_dates", "shuffle_values", "simulate_cohort"]

ANALYTES = {
    "2160-0": ("mg/dL", 0.95, 0.27, 2),
    "2345-7": ("mg/dL", 105.0, 0.2, 0),
    "4548-4": ("%", 6.0, 0.13, 1),
    "2951-2": ("mmol/L", 139.5, 0.02, 0),
    "718-7": ("g/dL", 12.8, 0.12, 1),
}
"""LOINC code: unit, median, deviation of the logarithm between patients, decimals."""


def simulate_cohort(n: int, seed: int, drift: float = 0.0) -> dict[str, pa.Table]:
    """Simulate patients, their visits and the laboratory values of these.

    Parameters
    ----------
    n : int
        Patients; about four visits each and five values a visit.
    seed : int
    drift : float
        As in `simulate_table`.

    Returns
    -------
    dict of str to pyarrow.Table
        ``patients`` (with whether any visit followed within 30 days of the one before), ``visits``
        (in order of time for each patient) and ``labs``. A value is the
        analyte's median times an effect of the patient, which makes nine tenths of the
        variance of its logarithm, and noise; half of the visits keep the diagnosis of the one
        before.

    Examples
    --------
    >>> cohort = simulate_cohort(50, seed=1)
    >>> list(cohort), cohort["patients"].num_rows
    (['patients', 'visits', 'labs'], 50)
    """
    rng = np.random.default_rng(seed)
    base = simulate_table(n, seed + 1, drift)
    keys = pa.array([f"P{seed % 1000:03d}{k:06d}" for k in range(n)])
    start = rng.integers(0, 2000, n)
    birth = start - (base["age"].to_numpy() * 365.25).astype(np.int64) - rng.integers(0, 365, n)
    patients = pa.table(
        {
            "patient_id": keys,
            "sex": base["sex"],
            "birth_date": dates(birth),
            "ethnicity": base["ethnicity"],
            "insurance": base["insurance"],
        }
    )
    count = 1 + rng.poisson(3 + drift, n)
    patient = np.repeat(np.arange(n), count)
    total = len(patient)
    first = np.cumsum(count) - count
    details = simulate_table(total, seed + 2, drift)
    waiting = rng.integers(10, 200, total) * (1 + drift)
    waiting[first] = 0
    elapsed = np.cumsum(waiting)
    day = start[patient] + (elapsed - elapsed[first][patient]).astype(np.int64)
    stay = np.minimum(details["stay_days"].to_numpy(), 9).astype(np.int64)
    diagnosis = np.arange(total)
    again = np.flatnonzero((rng.random(total) < 0.5) & (waiting > 0))
    for visit in again:  # in order of time, so that a diagnosis may last
        diagnosis[visit] = diagnosis[visit - 1]
    visits = pa.table(
        {
            "visit_id": pa.array([f"V{seed % 1000:03d}{k:07d}" for k in range(total)]),
            "patient_id": keys.take(pa.array(patient)),
            "admitted": dates(day),
            "discharged": dates(day + stay),
            "admission": details["admission"],
            "department": details["department"],
            "diagnosis": details["diagnosis"].take(pa.array(diagnosis)),
        }
    )
    soon = np.zeros(n, bool)
    again_soon = (waiting > 0) & (waiting - np.append(0, stay[:-1]) <= 30)
    soon[patient[again_soon]] = True
    patients = patients.append_column("readmitted", names(("no", "yes"), soon.astype(np.intp)))
    of_visit = np.repeat(np.arange(total), rng.poisson(5, total))
    kind = rng.integers(0, len(ANALYTES), len(of_visit))
    effect = rng.normal(size=(n, len(ANALYTES)))[patient[of_visit], kind]
    units, medians, spreads, decimals = zip(*ANALYTES.values(), strict=True)
    size = (1 - 0.5 * drift) * effect + rng.normal(size=len(of_visit)) / 3
    value = np.array(medians)[kind] * np.exp(np.array(spreads)[kind] * size)
    tens = 10.0 ** np.array(decimals)[kind]
    labs = pa.table(
        {
            "lab_id": pa.array([f"L{seed % 1000:03d}{k:08d}" for k in range(len(of_visit))]),
            "visit_id": visits["visit_id"].take(pa.array(of_visit)),
            "patient_id": visits["patient_id"].take(pa.array(of_visit)),
            "loinc": names(list(ANALYTES), kind),
            "value": np.round(value * tens) / tens,
            "unit": names(units, kind),
            "taken": dates(day[of_visit] + rng.integers(0, stay[of_visit] + 1)),
        }
    )
    return {"patients": patients, "visits": visits, "labs": labs}


def shuffle_values(cohort: dict[str, pa.Table], seed: int) -> dict[str, pa.Table]:
    """Return a cohort whose laboratory values are permuted among all results of one analyte.

    All distributions of single columns and of rows stay; that a patient's values belong together
    is lost.

    Examples
    --------
    >>> cohort = simulate_cohort(50, seed=1)
    >>> shuffle_values(cohort, 0)["labs"].equals(cohort["labs"])
    False
    """
    rng = np.random.default_rng(seed)
    labs = cohort["labs"]
    value, code = labs["value"].to_numpy().copy(), np.asarray(labs["loinc"].to_pylist())
    for analyte in ANALYTES:
        rows = np.flatnonzero(code == analyte)
        value[rows] = value[rng.permutation(rows)]
    return {**cohort, "labs": replaced(labs, "value", pa.array(value))}


def shuffle_dates(cohort: dict[str, pa.Table], seed: int) -> dict[str, pa.Table]:
    """Return a cohort whose dates of admission are permuted among all visits.

    The length of each stay goes with its date.

    Examples
    --------
    >>> cohort = simulate_cohort(50, seed=1)
    >>> shuffle_dates(cohort, 0)["visits"].equals(cohort["visits"])
    False
    """
    visits = cohort["visits"]
    order = pa.array(np.random.default_rng(seed).permutation(visits.num_rows))
    for name in ("admitted", "discharged"):
        visits = replaced(visits, name, cohort["visits"][name].take(order))
    return {**cohort, "visits": visits}
