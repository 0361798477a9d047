"""Cohorts side by side: description tables joined with subjects, classes and attributes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from sdq_core.description import DescriptionTable
from sdq_core.vocabulary import Role

if TYPE_CHECKING:
    from sdq_core.lineage import ItemLineage
    from sdq_core.study import Study

__all__ = ["Cohort", "Cohorts"]


# Identity, not equality: cohorts are keys of caches, and arrays do not compare to one truth.
@dataclass(frozen=True, eq=False)
class Cohort:
    """Items of one modality in one role, described.

    Parameters
    ----------
    role : Role
    table : DescriptionTable
    subjects : ndarray of str, shape (n,), or None
        Subject of each item; None when the study gives no subject ids: then each item counts as
        independent, and the report says so. An item without an entry is its own subject.
    classes : ndarray of str, shape (n,), or None
        Class of each item, ``""`` where the label is missing; None when there are no labels.
    attributes : mapping of str to ndarray of str, shape (n,)
        Further declared attributes, ``""`` where missing.
    lineage : ItemLineage or None
        The provider's lineage table, beside the items; None when there is none.
    """

    role: Role
    table: DescriptionTable
    subjects: NDArray[np.str_] | None = None
    classes: NDArray[np.str_] | None = None
    attributes: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)
    lineage: ItemLineage | None = None

    def __len__(self) -> int:
        return len(self.table)

    def stated(self, row: int) -> dict[str, str]:
        """Return what the container and the label table say of one item."""
        declared = {name: str(values[row]) for name, values in self.attributes.items()}
        return {**self.table.items[row].attributes, **declared}

    @property
    def groups(self) -> NDArray[np.str_]:
        """Unit of resampling of each item: its subject, or itself. Prefixed by role when itself."""
        if self.subjects is not None:
            return self.subjects
        return np.array([f"{self.role}:{i}" for i in self.table.ids], dtype=np.str_)


@dataclass(frozen=True, eq=False)
class Cohorts:
    """The cohorts of one study.

    Parameters
    ----------
    study : Study
    train, synthetic : Cohort
    holdout : Cohort or None
    compared : int or "all", optional
        What the profile asks for; see `sdq_core.profiles.Profile`. By default each family of
        measures has a number of its own.
    """

    study: Study
    train: Cohort
    synthetic: Cohort
    holdout: Cohort | None = None
    compared: int | Literal["all"] | None = None

    @property
    def all(self) -> tuple[Cohort, ...]:
        """The cohorts that exist, in the order train, holdout, synthetic."""
        return tuple(c for c in (self.train, self.holdout, self.synthetic) if c is not None)

    @property
    def real(self) -> tuple[Cohort, ...]:
        """The real cohorts that exist."""
        return tuple(c for c in (self.train, self.holdout) if c is not None)

    @property
    def subjects_known(self) -> bool:
        """Whether every real cohort has subject ids."""
        return all(c.subjects is not None for c in self.real)

    @property
    def shared_subjects(self) -> frozenset[str]:
        """Subjects that are in both train and holdout; not empty voids the privacy verdict."""
        if self.holdout is None or self.train.subjects is None or self.holdout.subjects is None:
            return frozenset()
        return frozenset(self.train.subjects.tolist()) & frozenset(self.holdout.subjects.tolist())

    def most(self, default: int) -> int | None:
        """Return how many items of a cohort a measure compares at most; None for all.

        Parameters
        ----------
        default : int
            Where the profile asks for nothing.
        """
        if self.compared is None:
            return default
        return None if self.compared == "all" else self.compared

    def seed(self, name: str) -> int:
        """Return the seed of one random part, a function of the study's seed and the part's name.

        Parameters
        ----------
        name : str
            Usually a measurement id.

        Returns
        -------
        int
            Below 2**63.
        """
        text = f"{self.study.seed}/{name}".encode()
        return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> 1
