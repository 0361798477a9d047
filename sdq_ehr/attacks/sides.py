"""The patients of a study as rows that attacks compare: members, non-members, synthetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.cohort import Cohort, Cohorts
from sdq_core.statistics.mixed_rows import MixedRows, MixedSpace, rarity_gains
from sdq_core.statistics.surprisal import AgreementSpace
from sdq_core.vocabulary import Role
from sdq_ehr.patient_rows import fit_layout
from sdq_ehr.records import records_of

__all__ = ["Compared", "Sides", "joined", "sides_of"]

LARGEST: Final = 20_000
"""Most patients of a cohort that an attack compares."""
WORK: Final = 1e10
"""Most pairs of patients times columns in one search."""

Index = NDArray[np.intp]
Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sides:
    """Rows of train, holdout and synthetic patients in one coding.

    Parameters
    ----------
    train, holdout, synthetic : MixedRows
    levels : tuple of int
        Levels of each category.
    names : tuple of str
        Columns, numbers first.
    device : str
        Where distances are searched, as in `sdq_core.acceleration.chosen_device`.

    Examples
    --------
    >>> rows = MixedRows(np.arange(6.0)[:, None], np.empty((6, 0), int))
    >>> sides = Sides(rows, rows, rows, (), ("x",))
    >>> len(sides.real), sides.distance_space.levels
    (12, ())
    """

    train: MixedRows
    holdout: MixedRows
    synthetic: MixedRows
    levels: tuple[int, ...]
    names: tuple[str, ...] = ()
    device: str = "cpu"

    @cached_property
    def real(self) -> MixedRows:
        """Train and holdout: what ranks and rarity are taken from, so that neither is favoured."""
        return joined(self.train, self.holdout)

    @cached_property
    def distance_space(self) -> MixedSpace:
        """Space of distances, by ranks among real patients."""
        return MixedSpace(self.real, self.levels)

    @cached_property
    def agreement_space(self) -> AgreementSpace:
        """Space of agreements, by frequencies among real patients."""
        return AgreementSpace(self.real, self.levels)

    @cached_property
    def gains(self) -> tuple[Values, ...]:
        """What agreement on each level is worth in a rarity-weighted distance."""
        return rarity_gains(self.real.categories, self.levels)

    @cached_property
    def encoded(self) -> tuple[MixedRows, MixedRows, MixedRows]:
        """Train, holdout and synthetic in `distance_space`."""
        encode = self.distance_space.encode
        return encode(self.train), encode(self.holdout), encode(self.synthetic)

    def varying(self) -> Sides | None:
        """Return the sides without the columns in which no two real patients differ.

        Such a column says nothing but that a generator got it wrong; scaled by its spread it would
        drown all others. None when no column is left.
        """
        x, c = self.real.numbers, self.real.categories
        if not len(x):
            return None
        numbers = [j for j in range(x.shape[1]) if _differs(x[:, j])]
        categories = [j for j in range(c.shape[1]) if (c[:, j] != c[0, j]).any()]
        if not numbers and not categories:
            return None
        train, holdout, synthetic = (
            MixedRows(r.numbers[:, numbers], r.categories[:, categories])
            for r in (self.train, self.holdout, self.synthetic)
        )
        kept = [*numbers, *(x.shape[1] + j for j in categories)]
        names = tuple(self.names[j] for j in kept) if self.names else ()
        levels = tuple(self.levels[j] for j in categories)
        return Sides(train, holdout, synthetic, levels, names, self.device)


def joined(first: MixedRows, second: MixedRows) -> MixedRows:
    """Return the rows of both, one below the other."""
    return MixedRows(
        np.concatenate([first.numbers, second.numbers]),
        np.concatenate([first.categories, second.categories]),
    )


@dataclass(frozen=True, eq=False)
class Compared:
    """Sides of a study's cohorts, and which patients they are.

    Parameters
    ----------
    sides : Sides
    rows : mapping of Role to ndarray of int
        Row in the cohort's table of each compared patient.
    patients : mapping of Role to ndarray of int
        Patient of `sdq_ehr.records.Records`.
    """

    sides: Sides
    rows: Mapping[Role, Index]
    patients: Mapping[Role, Index]


@lru_cache(maxsize=2)
def sides_of(cohorts: Cohorts) -> Compared | None:
    """Return the readable patients of a study with a holdout as rows to compare.

    Parameters
    ----------
    cohorts : Cohorts

    Returns
    -------
    Compared or None
        None when there is no holdout or no column in which real patients differ. Columns that are
        constant among real patients are left out: all that they could say is that a generator
        got them wrong. Of larger cohorts a sample by content digest that does not depend on names
        or order.

    Raises
    ------
    InputError
        A cohort cannot be read any more.
    """
    if cohorts.holdout is None:
        return None
    records = records_of(cohorts)
    known = fit_layout(records).rows(records)
    readable = {c.role: np.flatnonzero(c.table.readable) for c in cohorts.all}
    width = known.rows.numbers.shape[1] + known.rows.categories.shape[1]
    most = int(min(LARGEST, np.sqrt(WORK / width)))
    rows = {c.role: _by_digest(c, readable[c.role], most) for c in cohorts.all}
    patients = {role: records.starts[role] + chosen for role, chosen in rows.items()}
    train, holdout, synthetic = (
        known.rows.take(patients[r]) for r in (Role.TRAIN, Role.HOLDOUT, Role.SYNTHETIC)
    )
    names = [c.name for c in (*known.numbers, *known.categories)] or [""]
    device = str(cohorts.study.settings.get("device", "cpu"))
    sides = Sides(train, holdout, synthetic, tuple(known.sizes), tuple(names), device).varying()
    return None if sides is None else Compared(sides, rows, patients)


def _differs(values: Values) -> bool:
    known = values[~np.isnan(values)]
    if not len(known):
        return False
    return bool((known != known[0]).any()) or len(known) < len(values)


def _by_digest(cohort: Cohort, rows: Index, most: int) -> Index:
    """Choose at most so many rows by the order of their content digests."""
    if len(rows) <= most:
        return rows
    order = sorted(rows.tolist(), key=lambda i: (cohort.table.items[i].digest, i))
    return np.sort(np.array(order[:most], np.intp))
