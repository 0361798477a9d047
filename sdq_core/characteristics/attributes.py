"""Subgroups of all cohorts: which attributes there are, and which levels they have."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.comparison import Comparison
from sdq_core.cohort import Cohort, Cohorts

__all__ = ["Attribute", "Attributes", "attributes"]

LEAST: Final = 20
"""Items of one side that a level needs to be a subgroup of its own."""
NEARLY_ALL: Final = 0.8
"""Share of the items above which a level is not looked into."""
MOST_LEVELS: Final = 12
MOST_ATTRIBUTES: Final = 12
MOST_VALUES: Final = 50
"""More different values are a text or a number, not an attribute."""
MISSING: Final = {"en": "not given", "zh": "未提供"}
OTHERS: Final = {"en": "other values", "zh": "其他取值"}

Words = str | Mapping[str, str]


@dataclass(frozen=True)
class Attribute:
    """One attribute of the rows of a comparison.

    Parameters
    ----------
    name : str
    levels : tuple of str or mapping
        Names of the subgroups; a mapping in both languages where no value names them.
    code : ndarray of int, shape (N,)
        Level of each row.
    real, synthetic : ndarray of int, shape (levels,)
        Items of the reference and of the synthetic side.
    small : int
        Values with too few items to stand by themselves; they are together in the last level.
    """

    name: str
    levels: tuple[Words, ...]
    code: NDArray[np.intp]
    real: NDArray[np.intp]
    synthetic: NDArray[np.intp]
    small: int = 0

    @property
    def large(self) -> list[int]:
        """Levels with enough items on both sides to look inside, but not nearly all of them.

        Beside a level that holds nearly all items there are too few others to tell what is
        particular to it from what all have.
        """
        shares = self.real / max(self.real.sum(), 1) + self.synthetic / max(self.synthetic.sum(), 1)
        return [
            k
            for k, name in enumerate(self.levels)
            if min(self.real[k], self.synthetic[k]) >= LEAST
            and name is not OTHERS
            and shares[k] <= 2 * NEARLY_ALL
        ]

    @property
    def title(self) -> Words:
        """The name for people; that of the class in both languages."""
        return {"en": "class", "zh": "类别"} if self.name == "class" else self.name

    def stated_by(self, features: Collection[str]) -> str:
        """Return the feature that is the attribute itself, a column of that name; empty if none."""
        return next((f for f in features if f.rpartition(".")[2] == self.name), "")

    def plain(self, level: int) -> str:
        """Return the name of a level as it stands in the names of columns."""
        name = self.levels[level]
        return name if isinstance(name, str) else f"({name['en']})"

    def words(self, level: int) -> Words:
        """Return the name of a level."""
        return self.levels[level]

    def changed(self, most: int) -> list[dict[str, Any]]:
        """Return the shares of the levels on both sides, those that differ most first."""
        real = self.real / max(self.real.sum(), 1)
        synthetic = self.synthetic / max(self.synthetic.sum(), 1)
        order = np.argsort(-np.abs(synthetic - real), kind="stable")[:most]
        return [
            {"label": self.words(k), "real": float(real[k]), "synthetic": float(synthetic[k])}
            for k in order.tolist()
        ]


@dataclass(frozen=True)
class Attributes:
    """The attributes that can be looked at, and what is said of the others."""

    usable: tuple[Attribute, ...]
    notes: list[dict[str, str]]


def attributes(cohorts: Cohorts, comparison: Comparison) -> Attributes:
    """Return the class and every attribute that all cohorts have, as subgroups.

    Parameters
    ----------
    cohorts : Cohorts
    comparison : Comparison
        Whose rows are put into subgroups.

    Returns
    -------
    found : Attributes
        A level needs 20 items on one side at least; smaller ones are together. Numbers with more
        than 12 different values are cut at the real quartiles.
    """
    names = ["class", *dict.fromkeys(a for c in cohorts.all for a in c.attributes)]
    first = [n for n in (cohorts.study.subgroup,) if n in names]
    usable: list[Attribute] = []
    left: dict[str, list[str]] = {}
    small: list[str] = []
    for name in dict.fromkeys(("class", *first, *names)):
        columns = [_column(c, name) for c in cohorts.all]
        if any(v is None for v in columns):
            # What synthetic items alone have tells where they come from.
            if any(_column(c, name) is not None for c in cohorts.real):
                left.setdefault("lacking", []).append(name)
            continue
        found = _attribute(name, cohorts, comparison)
        if isinstance(found, str):
            left.setdefault(found, []).append(name)
        elif len(usable) == MOST_ATTRIBUTES:
            left.setdefault("many", []).append(name)
        else:
            usable.append(found)
            if found.small:
                small.append(f"{name} ({found.small})")
    notes = [
        {lang: said.format(names=", ".join(which)) for lang, said in NOTES[key].items()}
        for key, which in [*left.items(), *([("small", small)] if small else [])]
    ]
    return Attributes(tuple(usable), notes)


NOTES: Final[dict[str, dict[str, str]]] = {
    "lacking": {
        "en": "Not looked at, as not every cohort has the attribute: {names}.",
        "zh": "以下属性并非每个数据集都有，未予分析：{names}。",
    },
    "values": {
        "en": "Not looked at, as the attribute has more than 50 different values: {names}.",
        "zh": "以下属性的取值超过 50 种，未予分析：{names}。",
    },
    "few": {
        "en": "Not looked at, as fewer than two of the attribute's values have 20 items on one "
        "side: {names}.",
        "zh": "以下属性中，任一侧不少于 20 个样本的取值不足两种，未予分析：{names}。",
    },
    "many": {
        "en": "Not looked at, as 12 attributes come before: {names}.",
        "zh": "因已分析 12 个属性，以下属性未予分析：{names}。",
    },
    "small": {
        "en": "Values with fewer than 20 items on either side are taken together; attribute and "
        "number of such values: {names}.",
        "zh": "两侧均少于 20 个样本的取值合并处理；属性及此类取值数：{names}。",
    },
}


def _column(cohort: Cohort, name: str) -> NDArray[np.str_] | None:
    return cohort.classes if name == "class" else cohort.attributes.get(name)


def _attribute(name: str, cohorts: Cohorts, comparison: Comparison) -> Attribute | str:
    """Return one attribute, or the key of the note that says why it is left out."""

    def get(cohort: Cohort) -> NDArray[np.str_]:
        found = _column(cohort, name)
        assert found is not None, "checked by the caller for every cohort"
        return found

    column = comparison.column(cohorts, get)
    both = np.concatenate([comparison.reference, comparison.synthetic])
    values = set(np.unique(column[both]).tolist()) - {""}
    numbers = _numbers(column, comparison) if len(values) > MOST_LEVELS else None
    order: list[str] = []
    if numbers is not None:
        column, order = _quartiles(numbers, comparison)
    elif len(values) > MOST_VALUES:
        return "values"
    real = _counts(column[comparison.reference])
    synthetic = _counts(column[comparison.synthetic])
    most = {v: max(real.get(v, 0), synthetic.get(v, 0)) for v in {*real, *synthetic}}
    kept = sorted((v for v in most if most[v] >= LEAST), key=lambda v: (-most[v], v))[:MOST_LEVELS]
    if len(set(kept) - {""}) < 2:
        return "few"
    kept.sort(key=lambda v: (v == "", order.index(v) if v in order else 0, v))
    rest = sorted(set(np.unique(column).tolist()) - set(kept))
    place = {**{v: k for k, v in enumerate(kept)}, **dict.fromkeys(rest, len(kept))}
    code = np.array([place[v] for v in column.tolist()], np.intp)
    levels: list[Words] = [MISSING if v == "" else v for v in kept]
    if rest:
        levels.append(OTHERS)
    sides = (comparison.reference, comparison.synthetic)
    counts = [np.bincount(code[rows], minlength=len(levels)) for rows in sides]
    return Attribute(name, tuple(levels), code, counts[0], counts[1], sum(v in most for v in rest))


def _counts(values: NDArray[np.str_]) -> dict[str, int]:
    found, counts = np.unique(values, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def _numbers(column: NDArray[np.str_], comparison: Comparison) -> NDArray[np.float64] | None:
    """Return the values as numbers, NaN where missing; None where they are something else."""
    found = np.full(len(column), np.nan)
    for k, value in enumerate(column.tolist()):
        if value == "":
            continue
        try:
            found[k] = float(value)
        except ValueError:
            return None
    if not np.isfinite(found[comparison.pool]).any():
        return None
    for rows in (comparison.reference, comparison.synthetic):
        own = found[rows][np.isfinite(found[rows])]
        # Whole numbers, as many as items: they name the item and are no property of it.
        if len(own) > 1 and len(np.unique(own)) == len(own) and (own == np.rint(own)).all():
            return None
    return found


def _quartiles(
    numbers: NDArray[np.float64], comparison: Comparison
) -> tuple[NDArray[np.str_], list[str]]:
    """Cut numbers at the quartiles of the real items; the name of a part says its limits.

    Returns
    -------
    column : ndarray of str
    names : list of str
        In the order of the numbers.
    """
    known = numbers[comparison.pool]
    limits = np.unique(np.quantile(known[np.isfinite(known)], [0.25, 0.5, 0.75]))
    said = [f"{v:.4g}" for v in limits]
    names = [f"≤ {said[0]}", *(f"{a}–{b}" for a, b in pairwise(said)), f"> {said[-1]}"]
    place = np.searchsorted(limits, numbers, side="left")
    told = [names[p] if np.isfinite(v) else "" for p, v in zip(place, numbers, strict=True)]
    return np.array(told, np.str_), names
