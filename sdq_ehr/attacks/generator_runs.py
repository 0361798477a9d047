"""A provider's generator in the shadow attack: tables in, tables out, patients compared as rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sdq_core.cohort import Cohorts
from sdq_core.statistics.mixed_rows import MixedRows
from sdq_ehr.attacks.membership import WorstAttack, membership_scores
from sdq_ehr.attacks.shadow import RUNS, Generator, shadow_attack
from sdq_ehr.attacks.sides import Sides
from sdq_ehr.dataset import Dataset
from sdq_ehr.patient_rows import PatientRows, fit_layout
from sdq_ehr.reading import dataset_from_frames, open_dataset
from sdq_ehr.records import records_of_dataset
from sdq_ehr.settings import EhrSettings

__all__ = ["attack_generator", "pooled", "recoded"]

Index = NDArray[np.intp]
Values = NDArray[np.float64]


def attack_generator(
    cohorts: Cohorts, generator: Generator, *, runs: int = RUNS, seed: int = 0
) -> WorstAttack:
    """Train a generator on halves of the real patients and attack what it makes.

    Parameters
    ----------
    cohorts : Cohorts
        With a holdout.
    generator : Generator
        Given pyarrow tables: one, where the schema has one, else a mapping by name.
    runs, seed : int
    """
    settings = EhrSettings.of(cohorts.study.settings)
    real = pooled(
        *(open_dataset(cohorts.study.cohorts[c.role].path, settings) for c in cohorts.real)
    )
    records = records_of_dataset(real)
    layout = fit_layout(records)
    people = layout.rows(records)

    def fit(rows: Index) -> Generator:
        generator.fit(_given(_part(real, rows)))
        return generator

    def sample(model: Generator, n: int) -> Any:
        return model.sample(n)

    def score(made: Any) -> Mapping[str, Values]:
        tables = made if isinstance(made, Mapping) else {next(iter(real.schema.tables)): made}
        synthetic = dataset_from_frames(tables, real.schema, structure=False)
        rows = layout.rows(records_of_dataset(synthetic))
        codes, sizes = recoded(people, rows)
        # Who was in is not known here: all real patients stand on one side.
        n = len(people.rows) // 2
        first, second = (
            people.rows.take(np.arange(n)),
            people.rows.take(np.arange(n, len(people.rows))),
        )
        made_rows = MixedRows(rows.rows.numbers, codes)
        return membership_scores(Sides(first, second, made_rows, sizes), seed=seed)

    return shadow_attack(fit, sample, score, len(people.rows), runs=runs, seed=seed)


def pooled(*datasets: Dataset) -> Dataset:
    """Return the patients of several data sets of one schema as one; keys are not shared."""
    tables = {
        name: pa.concat_tables([d.tables[name] for d in datasets]) for name in datasets[0].tables
    }
    return Dataset(datasets[0].schema, tables)


def recoded(known: PatientRows, made: PatientRows) -> tuple[NDArray[np.int32], tuple[int, ...]]:
    """Return the categories of other rows in the coding of known ones, new levels behind.

    Parameters
    ----------
    known, made : PatientRows
        Of one layout.

    Returns
    -------
    codes : ndarray of int32, shape (n, q)
    sizes : tuple of int
        Levels of each category, with those that only `made` has.
    """
    columns, sizes = [], []
    for j, names in enumerate(made.levels):
        place = {name: k for k, name in enumerate(known.levels[j])}
        table = np.array([place.setdefault(name, len(place)) for name in names], np.int32)
        columns.append(table[made.rows.categories[:, j]])
        sizes.append(len(place))
    if not columns:
        return np.empty((len(made.rows), 0), np.int32), ()
    return np.stack(columns, axis=1), tuple(sizes)


def _part(dataset: Dataset, patients: Index) -> dict[str, pa.Table]:
    """Return the rows of some patients in every table; dictionaries stay whole."""
    chosen = np.zeros(len(dataset.patients()), bool)
    chosen[patients] = True
    found = {}
    for name, owner in dataset.patients().rows.items():
        table = dataset.tables[name]
        if not dataset.schema.is_dictionary(name):
            table = table.filter(pa.array((owner >= 0) & chosen[owner]))
        found[name] = table
    return found


def _given(tables: dict[str, pa.Table]) -> Any:
    return next(iter(tables.values())) if len(tables) == 1 else tables
