"""Where the difference comes from: another mix of subgroups, one subgroup, or everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.attributes import Attribute, attributes
from sdq_core.characteristics.comparison import INTERVAL_REPEATS, Comparison
from sdq_core.characteristics.shares import Reading
from sdq_core.cohort import Cohorts
from sdq_core.measurement import Measurement, Method
from sdq_core.reasons import why
from sdq_core.statistics.causes import Cause, Search, State
from sdq_core.statistics.cut_points import Cuts, cut_points
from sdq_core.statistics.decomposition import (
    Atoms,
    Sides,
    difference,
    inside_part,
    mix_part,
)
from sdq_core.statistics.opposites import opposites

__all__ = ["Naming", "causes"]

SOURCE: Final = (
    "Part 6 proposal, explainability: sources of bias explained; Kitagawa 1955, "
    "doi:10.1080/01621459.1955.10501299; Westfall & Young 1993 (max-T)"
)
MOST_FEATURES: Final = 6
MOST_FAMILIES: Final = 4
MOST_LEVELS: Final = 6

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Naming:
    """What the columns of a comparison are called, and what belongs together.

    Parameters
    ----------
    feature : callable
        From the name of a column to that of its feature: the columns of a category's levels have
        one in common.
    family : callable
        From the name of a feature to that of its family; empty for none.

    Examples
    --------
    >>> Naming().family("texture.contrast")
    'texture'
    """

    feature: Callable[[str], str] = str
    family: Callable[[str], str] = lambda feature: feature.partition(".")[0]


def causes(
    id_: str, cohorts: Cohorts, comparison: Comparison, naming: Naming
) -> Iterator[Measurement]:
    """Split the difference between synthetic and real by what causes it.

    Parameters
    ----------
    id_ : str
        Of the measurement.
    cohorts : Cohorts
    comparison : Comparison
        Named features.
    naming : Naming

    Yields
    ------
    Measurement
        The number of causes beyond real data, with ``details["decomposition"]``.
    """
    known = attributes(cohorts, comparison)
    if not known.usable:
        yield Measurement(
            id_,
            variant="causes",
            aspect="bias_explained",
            details={"notes": known.notes} if known.notes else {},
            **why(
                "no_attribute", what="an attribute of every cohort with two subgroups of 20 items"
            ),
        )
        return
    split = _Split.of(comparison, known.usable, naming)
    named, details = split.told()
    yield Measurement(
        id_,
        value=float(named),
        unit="causes",
        variant="causes",
        aspect="bias_explained",
        n=comparison.n,
        method=Method(
            "count of the causes (another mix of one attribute, one subgroup, all subgroups alike) "
            "that are beyond re-splits of real data; mean squared difference of distribution "
            "functions at 8 cut points a feature, split by subgroups",
            SOURCE,
            {
                "features": split.atoms.features,
                "attributes": [a.name for a in known.usable],
            },
            comparison.seed,
        ),
        details={**details, **({"notes": known.notes} if known.notes else {})},
    )


@dataclass(frozen=True)
class _Split:
    attributes: Sequence[Attribute]
    naming: Naming
    atoms: Atoms
    cuts: Cuts
    columns: tuple[str, ...]
    features: tuple[str, ...]
    search: Search

    @classmethod
    def of(cls, comparison: Comparison, known: Sequence[Attribute], naming: Naming) -> _Split:
        """Turn rows into indicators, and weights of rows into weights of atoms."""
        names = list(comparison.names)
        called = [naming.feature(n) for n in names]
        raw = comparison.raw
        # What an item is, is told by its attributes too, where they are no features already.
        for about in known:
            if not about.stated_by(called):
                own = np.unique(about.code)
                raw = np.column_stack([raw, *(about.code == k for k in own)])
                names += [f"{about.name} = {about.plain(int(k))}" for k in own]
                called += [about.name] * len(own)
        features = tuple(dict.fromkeys(called))
        cuts = cut_points(raw[comparison.basis], [features.index(c) for c in called])
        atoms = Atoms.of(
            cuts.apply(raw),
            cuts.feature,
            np.column_stack([a.code for a in known]),
            comparison.groups,
            comparison.roles == "synthetic",
        )
        candidates = [
            *(Cause(k) for k in range(len(known))),
            *(Cause(k, v) for k, a in enumerate(known) for v in a.large),
        ]
        search = Search(
            atoms,
            atoms.sides(*comparison.observed_weights),
            atoms.sides(*comparison.split_weights),
            atoms.sides(*(w[:INTERVAL_REPEATS] for w in comparison.bootstrap_weights)),
            tuple(candidates),
            tuple(features.index(a.stated_by(called) or a.name) for a in known),
        )
        return cls(known, naming, atoms, cuts, tuple(names), features, search)

    def told(self) -> tuple[int, dict[str, Any]]:
        """Return how many causes there are, and what documents draw."""
        state, found, differs = self.search.run()
        against = opposites(self.search, state)
        known = state.mixed
        whole = Reading.of(self.search, lambda sides: difference(sides, self.atoms.size), known)
        rest = Reading.of(self.search, lambda sides: self.search.left(state, sides), known)
        rest_named = differs and (not found or self.search.remains(state))
        parts = {_place(state, c): c for c in found}
        drawn = self._parts(state)
        entries = [
            self._entry(c, Reading.of(self.search, drawn[k], known), whole)
            for k, c in parts.items()
        ]
        if rest_named:
            entries.append(self._everywhere(rest, whole, self.search.rivals_of_all(state)))
        if whole.divisible:
            entries.sort(key=lambda e: -e["share"])
        entries += [self._opposite(c) for c in against]
        low, high = whole.gap_interval()
        told: dict[str, Any] = {
            "differs": differs,
            "gap": whole.gap(),
            "gap_low": low,
            "gap_high": high,
            "gap_floor": whole.gap_floor(),
            "causes": entries,
        }
        if differs and not rest_named:
            told["rest"] = rest.numbers(whole)
        table = {"table": self._table()} if differs else {}
        return len(entries), {"decomposition": told, **table}

    def _parts(self, state: State) -> list[Callable[[Sides], Values]]:
        def part(place: int) -> Callable[[Sides], Values]:
            return lambda sides: self.search.parts(state, sides)[place]

        return [part(k) for k in range(len(state.mixed) + len(state.special))]

    def _entry(self, cause: Cause, reading: Reading, whole: Reading) -> dict[str, Any]:
        entry = {
            **self._named(cause),
            **reading.numbers(whole),
            "alike": [self._named(c) for c in cause.alike],
        }
        about = self.attributes[cause.attribute]
        if cause.level is None:
            entry["levels"] = about.changed(MOST_LEVELS)
            return {**entry, **self._features(reading, whole, 1.0)}
        real, synthetic = about.real[cause.level], about.synthetic[cause.level]
        share = (real / about.real.sum() + synthetic / about.synthetic.sum()) / 2
        entry |= {"real": int(real), "synthetic": int(synthetic)}
        return {**entry, **self._features(reading, whole, float(share))}

    def _everywhere(self, rest: Reading, whole: Reading, alike: Sequence[Cause]) -> dict[str, Any]:
        return {
            "kind": "everywhere",
            **rest.numbers(whole),
            "alike": [self._named(c) for c in alike],
            **self._features(rest, whole, 1.0),
        }

    def _opposite(self, cause: Cause) -> dict[str, Any]:
        """Describe a subgroup that differs from real ones the other way than the rest does."""
        rows = self.atoms.levels[:, cause.attribute] == cause.level

        def inside(sides: Sides) -> Values:
            return difference(sides.without(~rows), self.atoms.size)

        about = self.attributes[cause.attribute]
        reading = Reading.of(self.search, inside, (cause.attribute,))
        return {
            **self._named(cause),
            "real": int(about.real[_of(cause)]),
            "synthetic": int(about.synthetic[_of(cause)]),
            **self._features(reading, reading, 1.0),
        }

    def _named(self, cause: Cause) -> dict[str, Any]:
        about = self.attributes[cause.attribute]
        kind = "mix" if cause.level is None else "opposite" if cause.opposite else "inside"
        named: dict[str, Any] = {"kind": kind, "attribute": about.title}
        return named if cause.level is None else {**named, "level": about.words(cause.level)}

    def _features(self, reading: Reading, whole: Reading, share: float) -> dict[str, Any]:
        """Return the features in which a part shows, and their families.

        Gaps are those inside the subgroup: the part over the subgroup's share.
        """
        weight = reading.contribution(whole)
        order = np.argsort(-weight, kind="stable")[:MOST_FEATURES]
        least = 0.05 * max(weight.max(initial=0.0), 0.0)
        shown = [int(f) for f in order if weight[f] > least]
        vector = reading.vector / np.sqrt(self.cuts.weight)
        found = []
        for f in shown:
            own = np.flatnonzero(self.cuts.feature == f)
            gap = float(np.sqrt(max(reading.length[f], 0.0)) / share)
            if len(set(self.cuts.column[own].tolist())) > 1:  # of a category, the level that moved
                top = own[np.abs(vector[own]).argmax()]
                name = self.columns[self.cuts.column[top]]
                signed = float(vector[top])
            else:
                name, signed = self.features[f], float(vector[own].mean())
            direction = "higher" if signed > 0 else "lower"
            if abs(signed) / share < 0.5 * gap:
                direction = "reshaped"
            found.append({"feature": name, "gap": min(gap, 1.0), "direction": direction})
        return {"features": found, "families": self._families(weight)}

    def _families(self, weight: Values) -> list[dict[str, Any]]:
        sums: dict[str, float] = {}
        attributes = {a.name for a in self.attributes}
        for f, name in enumerate(self.features):
            family = "" if name in attributes else self.naming.family(name)
            if family:
                sums[family] = sums.get(family, 0.0) + float(weight[f])
        total = sum(max(v, 0.0) for v in sums.values())
        if not total or len(sums) < 2:
            return []
        order = sorted(sums, key=lambda name: -sums[name])[:MOST_FAMILIES]
        return [{"family": f, "share": sums[f] / total} for f in order if sums[f] > 0.05 * total]

    def _table(self) -> dict[str, Any]:
        """Split the difference by each attribute alone."""
        rows: list[list[Any]] = []
        for k, about in enumerate(self.attributes):
            cell = self.atoms.levels[:, k]
            parts: list[Callable[[Sides], Values]] = [
                lambda s, p=p, c=cell: p(s, self.atoms.size, c)  # type: ignore[misc]
                for p in (mix_part, inside_part)
            ]
            whole = Reading.of(self.search, lambda s: difference(s, self.atoms.size), (k,))
            numbers = [Reading.of(self.search, p, (k,)).numbers(whole) for p in parts]
            row: list[Any] = [about.title]
            for found in numbers:
                row += [found["share"], found["low"], found["high"]]
            rows.append([*row, numbers[0]["floor_high"]])
        return {
            "columns": [
                {"en": "split by", "zh": "划分依据"},
                {"en": "share from another mix", "zh": "构成差异所占比例"},
                "95 % low",
                "95 % high",
                {"en": "share from inside", "zh": "组内差异所占比例"},
                "95 % low",
                "95 % high",
                {"en": "noise floor of the mix", "zh": "构成差异的本底"},
            ],
            "rows": rows,
        }


def _place(state: State, cause: Cause) -> int:
    """Return the place of a cause among the parts: mixes first, then special subgroups."""
    if cause.level is None:
        return state.mixed.index(cause.attribute)
    return len(state.mixed) + state.special.index((cause.attribute, cause.level))


def _of(cause: Cause) -> int:
    assert cause.level is not None, "an opposite difference is one of a subgroup"
    return cause.level
