"""The study's real items as one pool, dealt out again by subject with a seed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from sdq_core.calibration.defect import Member
from sdq_core.errors import InputError
from sdq_core.evaluate import describe_cohorts, list_cohort
from sdq_core.manifest import cohort_digest
from sdq_core.modality import Modality
from sdq_core.study import Study
from sdq_core.vocabulary import Role

__all__ = ["FEWEST_SUBJECTS", "Deal", "Pool", "deal", "read_pool"]

FEWEST_SUBJECTS: Final = 12
"""Below this many subjects there are no three parts that could be compared."""
_FEWEST_IN_PART: Final = 2


@dataclass(frozen=True)
class Pool:
    """The real items of a study that are dealt out.

    Parameters
    ----------
    members : tuple of Member
        Readable items of train and holdout, in the order of role and id.
    sizes : mapping of Role to int
        Items of the study's own cohorts; no holdout where the study has none.
    digests : mapping of Role to str
        Of the real cohorts, as in the result.
    subjects_known : bool
        Whether both real cohorts have subject ids; without, each item counts as a subject.
    unreadable : int
        Items that could not be read and are not dealt out.
    shared_subjects : int
        Subjects that are in both train and holdout of the study.
    seed : int
        The study's seed.
    """

    members: tuple[Member, ...]
    sizes: Mapping[Role, int]
    digests: Mapping[Role, str]
    subjects_known: bool
    unreadable: int
    shared_subjects: int = 0
    seed: int = 0

    @property
    def subjects(self) -> int:
        """Number of subjects, or of items where there are no subject ids."""
        return len({m.subject for m in self.members})

    @property
    def classes(self) -> frozenset[str]:
        """Classes that occur."""
        return frozenset(c for m in self.members if (c := m.row.get("class")))

    def content(self) -> str:
        """Return a digest of what is dealt out: the items' contents with their rows."""
        lines = sorted(
            "\x1f".join([m.item.digest, m.subject, *(f"{k}={v}" for k, v in sorted(m.row.items()))])
            for m in self.members
        )
        return hashlib.sha256("\x1e".join(lines).encode("utf-8", "backslashreplace")).hexdigest()


@dataclass(frozen=True)
class Deal:
    """One way of dealing the pool out; no subject is in two parts.

    Parameters
    ----------
    train, fresh, holdout : tuple of Member
        `holdout` is empty where the study has none.
    """

    train: tuple[Member, ...]
    fresh: tuple[Member, ...]
    holdout: tuple[Member, ...] = ()


def read_pool(
    study: Study,
    modality: Modality,
    store: Path,
    *,
    engine: str = "processes",
    workers: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Pool:
    """Read the real items with their labels.

    They are described on the way: what cannot be read is left aside, and most of what is dealt
    out later is then in the store.

    Parameters
    ----------
    study : Study
        Prepared by its modality.
    modality : Modality
    store : Path
        Folder of the descriptions.
    engine, workers, progress
        As in `sdq_core.describe.describe`.

    Raises
    ------
    InputError
        A cohort is missing or empty, or there are fewer than twelve subjects.
    """
    roles = [role for role in (Role.TRAIN, Role.HOLDOUT) if role in study.cohorts]
    listed = describe_cohorts(
        study, modality, roles, store, engine=engine, workers=workers, progress=progress
    )
    members: list[Member] = []
    unreadable = 0
    for role, cohort in listed.cohorts.items():
        source = study.cohorts[role]
        for row, item in enumerate(cohort.table.items):
            if not cohort.table.readable[row]:
                unreadable += 1
                continue
            said = {name: str(values[row]) for name, values in cohort.attributes.items()}
            if cohort.classes is not None:
                said["class"] = str(cohort.classes[row])
            subject = str(cohort.groups[row])
            if subject != f"{role}:{item.id}":  # what stands for a subject that is not stated
                said["subject"] = subject
            members.append(Member(item, source, subject, {k: v for k, v in said.items() if v}))
    sizes = {role: len(cohort) for role, cohort in listed.cohorts.items()}
    sizes[Role.SYNTHETIC] = len(list_cohort(modality, study, Role.SYNTHETIC).items)
    named = [
        set() if c.subjects is None else set(c.subjects.tolist()) for c in listed.cohorts.values()
    ]
    pool = Pool(
        members=tuple(members),
        sizes=sizes,
        digests={
            role: cohort_digest(i.digest for i in cohort.table.items)
            for role, cohort in listed.cohorts.items()
        },
        subjects_known=all(c.subjects is not None for c in listed.cohorts.values()),
        unreadable=unreadable,
        shared_subjects=len(named[0] & named[1]) if len(named) == 2 else 0,
        seed=study.seed,
    )
    if pool.subjects < FEWEST_SUBJECTS:
        what = "subjects" if pool.subjects_known else "items (no subject ids are given)"
        raise InputError(
            f"calibration: needs at least {FEWEST_SUBJECTS} {what} that can be read in train and "
            f"holdout together, found {pool.subjects}; with fewer there are no parts to compare: "
            f"add real data"
        )
    return pool


def deal(pool: Pool, seed: int) -> Deal:
    """Deal the pool out at random, subject by subject.

    Parameters
    ----------
    pool : Pool
    seed : int
        Number of the deal.

    Returns
    -------
    Deal
        Train, holdout and fresh sample in the proportions of the study's train, holdout and
        synthetic items; of the synthetic items no more than train has are counted, as measures
        compare no more either. Each part has two subjects at least.

    Examples
    --------
    >>> from pathlib import Path
    >>> from sdq_core.description import Item
    >>> from sdq_core.study import CohortSource
    >>> source = CohortSource(path=Path("a"))
    >>> members = tuple(Member(Item(f"{i:02d}", ()), source, f"s{i // 2}") for i in range(60))
    >>> sizes = {Role.TRAIN: 30, Role.HOLDOUT: 30, Role.SYNTHETIC: 500}
    >>> found = deal(Pool(members, sizes, {}, True, 0), 1)
    >>> len(found.train), len(found.holdout), len(found.fresh)
    (20, 20, 20)
    """
    groups: dict[str, list[int]] = {}
    for position, member in enumerate(pool.members):
        groups.setdefault(member.subject, []).append(position)
    rng = np.random.default_rng([pool.seed, seed])
    names = sorted(groups)
    order = [groups[names[k]] for k in rng.permutation(len(names))]
    train = pool.sizes[Role.TRAIN]
    asked = {
        "fresh": min(pool.sizes[Role.SYNTHETIC], train),
        "holdout": pool.sizes.get(Role.HOLDOUT, 0),
        "train": train,
    }
    asked = {name: size for name, size in asked.items() if size}
    parts: dict[str, tuple[Member, ...]] = {}
    start = 0
    for place, (name, size) in enumerate(asked.items()):
        target = len(pool.members) * size / sum(asked.values())
        last = len(order) - _FEWEST_IN_PART * (len(asked) - place - 1)
        end = start
        taken: list[int] = []
        # A part ends where it is nearest to its size; the last one takes the rest.
        while end < last and (
            place == len(asked) - 1
            or end - start < _FEWEST_IN_PART
            or len(taken) + len(order[end]) / 2 <= target
        ):
            taken += order[end]
            end += 1
        parts[name] = tuple(pool.members[k] for k in sorted(taken))
        start = end
    return Deal(**parts)
