"""Which items of a study become cases: drawn by the plan's seed, alike on both sides.

Real and synthetic cases have the same shares of each class, so that a class is no clue, and no two
real cases are of one subject while there are others: cases must vary independently.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sdq_core.description import Description, DescriptionTable, Item
from sdq_core.errors import ReviewError
from sdq_core.labels import join, read_labels
from sdq_core.manifest import cohort_digest
from sdq_core.modality import Modality
from sdq_core.review.plan import ReviewPlan
from sdq_core.study import Study
from sdq_core.vocabulary import Role

__all__ = ["Drawn", "Pool", "draw", "pool_of"]

Facts = Mapping[str, float]


@dataclass(frozen=True)
class Drawn:
    """One item that was drawn.

    Parameters
    ----------
    role : Role
    item : Item
    label : str
        Declared class; empty where there is none.
    facts : mapping of str to float
        What its display says of it.
    """

    role: Role
    item: Item
    label: str
    facts: Facts


@dataclass(frozen=True)
class Pool:
    """The items of one cohort, by class.

    Parameters
    ----------
    role : Role
    items : sequence of Item
    classes, subjects : sequence of str
        Of each item.
    digest : str
        Of the cohort, as in the result.
    """

    role: Role
    items: Sequence[Item]
    classes: Sequence[str]
    subjects: Sequence[str]
    digest: str


def pool_of(modality: Modality, study: Study, role: Role) -> Pool:
    """List a cohort with its classes and subjects.

    Raises
    ------
    ReviewError
        The study has no such cohort, or it is empty.
    """
    source = study.cohorts.get(role)
    if source is None or not source.path.exists():
        raise ReviewError(
            f"cohort {role}: the study has none; give it, or another value of 'real' in the plan"
        )
    items = modality.items(source.path, study.settings).items
    if not items:
        raise ReviewError(f"cohort {role}: {source.path} holds no item; check the path")
    table = DescriptionTable(items, [Description()] * len(items), role)
    labels = None if source.labels is None else read_labels(source.labels)
    root = source.path if source.path.is_dir() else source.path.parent
    cohort, _ = join(table, role, root, labels)
    classes = [""] * len(items) if cohort.classes is None else cohort.classes.tolist()
    return Pool(
        role, items, classes, cohort.groups.tolist(), cohort_digest(i.digest for i in items)
    )


def draw(
    plan: ReviewPlan, real: Pool, synthetic: Pool, facts: Callable[[Item], Facts | None]
) -> tuple[list[Drawn], list[Drawn]]:
    """Draw the cases, those of the training block at the end.

    Parameters
    ----------
    plan : ReviewPlan
    real, synthetic : Pool
    facts : callable
        Item -> facts of its display; None for an unreadable item, which is passed over.

    Returns
    -------
    real, synthetic : list of Drawn

    Raises
    ------
    ReviewError
        There are too few readable items.
    """
    half = plan.cases.training // 2
    more = (half, half) if plan.type == "pairs" else (plan.cases.training - half, half)
    if plan.type == "pairs":
        more = (plan.cases.training, plan.cases.training)
    numbers = (plan.cases.real + more[0], plan.cases.synthetic + more[1])
    shares = _shares(real, synthetic)
    return (
        _drawn(real, numbers[0], shares, plan.seed, facts),
        _drawn(synthetic, numbers[1], shares, plan.seed, facts),
    )


def _shares(real: Pool, synthetic: Pool) -> dict[str, float]:
    """Shares of the classes that both sides have, as the synthetic side has them."""
    both = set(real.classes) & set(synthetic.classes)
    counts = Counter(c for c in synthetic.classes if c in both)
    total = sum(counts.values())
    return {c: n / total for c, n in sorted(counts.items())} if total else {}


def _drawn(
    pool: Pool,
    number: int,
    shares: Mapping[str, float],
    seed: int,
    facts: Callable[[Item], Facts | None],
) -> list[Drawn]:
    # Recorded in the plan, so that the draw can be repeated.
    rng = random.Random(f"{seed}/{pool.role}/{pool.digest}")  # noqa: S311
    order = list(range(len(pool.items)))
    rng.shuffle(order)
    seen: Counter[str] = Counter()
    turns = []
    for row in order:
        turns.append((seen[pool.subjects[row]], row))
        seen[pool.subjects[row]] += 1
    order = [row for _, row in sorted(turns, key=lambda t: t[0])]  # each subject once, then again
    wanted = _allotted(shares, number) if shares else {}
    chosen: list[Drawn] = []
    for strict in (True, False):  # by class while that is possible, then whatever is left
        taken = {d.item.id for d in chosen}
        for row in order:
            if len(chosen) == number:
                break
            item, label = pool.items[row], pool.classes[row]
            if item.id in taken or (strict and wanted.get(label, 0) <= 0):
                continue
            found = facts(item)
            if found is None:
                continue
            wanted[label] = wanted.get(label, 0) - 1
            chosen.append(Drawn(pool.role, item, label, found))
    if len(chosen) < number:
        raise ReviewError(
            f"cohort {pool.role}: has {len(chosen)} readable items, the plan needs {number} "
            f"(training cases among them); ask for fewer cases"
        )
    rng.shuffle(chosen)
    return chosen


def _allotted(shares: Mapping[str, float], number: int) -> dict[str, int]:
    """Split a number by shares, by largest remainder."""
    exact = {c: share * number for c, share in shares.items()}
    found = {c: int(v) for c, v in exact.items()}
    rest = sorted(exact, key=lambda c: (found[c] - exact[c], c))
    for c in rest[: number - sum(found.values())]:
        found[c] += 1
    return found
