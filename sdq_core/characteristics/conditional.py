"""Fidelity inside each class and subgroup: a whole that agrees can hide a part that does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.attributes import Attribute, attributes
from sdq_core.characteristics.comparison import Comparison, spread
from sdq_core.characteristics.replicates import Replicates
from sdq_core.cohort import Cohorts
from sdq_core.measurement import Interval, Measurement, Method
from sdq_core.reasons import why

__all__ = ["LEAST", "Aspect", "conditional_fidelity", "inside"]

Values = NDArray[np.float64]
Index = NDArray[np.intp]

LEAST: Final = 20
"""Fewest items of a subgroup on each side."""
LEAST_GROUPS: Final = 6
"""Fewest subjects of a subgroup on each side: resamples of fewer hold one alone."""
FAMILY: Final = 0.05
"""Chance that any subgroup of another real sample counts as different, over all measures."""
WESTFALL: Final = "Westfall & Young 1993 (single-step max-T)"


@dataclass(frozen=True)
class Aspect:
    """One way to compare the cohorts, of which each subgroup is compared by itself.

    Parameters
    ----------
    measures : tuple of str
        Last parts of the measures' ids.
    variant : str or None
    comparison : Comparison
        Of all items.
    read : callable
        Takes the comparison of one subgroup and gives one `Replicates` for each measure.
    least : int
        Fewest items a side.
    """

    measures: tuple[str, ...]
    variant: str | None
    comparison: Comparison
    read: Callable[[Comparison], Sequence[Replicates]]
    least: int = LEAST


@dataclass(frozen=True)
class _Cell:
    subgroup: tuple[str, str]
    measure: str
    n: tuple[int, int]
    found: Replicates


def conditional_fidelity(
    id_: str, cohorts: Cohorts, aspects: Sequence[Aspect]
) -> Iterator[Measurement]:
    """Measure how far the worst class or subgroup lies from real data, over all measures.

    Parameters
    ----------
    id_ : str
        Of the measurement.
    cohorts : Cohorts
        Subgroups are the classes, and the levels of the study's ``subgroup``.
    aspects : sequence of Aspect

    Yields
    ------
    Measurement
        The largest excess of any measure in any subgroup, in units of the tail of its own noise
        floor: 1 is what real parts of that subgroup exceed once in forty times. Its noise floor is
        the largest excess of real parts, so that it grows with the number of subgroups and
        measures as chance does. The table ``details["table"]`` holds every cell.
    """
    cells: list[_Cell] = []
    for aspect in aspects:
        for attribute in _attributes(cohorts, aspect.comparison):
            cells += _cells(attribute, aspect)
    if not cells:
        what = f"a class or subgroup of {LEAST} items on each side"
        yield Measurement(
            id_,
            aspect="joint_consistency",
            applicable=_divided(cohorts),
            **why("no_attribute", what=what),
        )
        return
    judged = _Judged.of(cells)
    yield Measurement(
        id_,
        value=judged.worst,
        better="lower",
        interval=judged.interval,
        noise_floor=judged.floor,
        n=aspects[0].comparison.n,
        aspect="joint_consistency",
        method=Method(
            "largest excess of any measure in any subgroup over real parts of the same subgroup, "
            "in units of the upper tail of real against real",
            WESTFALL,
            {
                "subgroups": len({c.subgroup for c in cells}),
                "measures": sorted({c.measure for c in cells}),
                "least_items": LEAST,
            },
            aspects[0].comparison.seed,
        ),
        details={"table": judged.table(cells), "share_consistent": float(judged.consistent.mean())},
    )


def inside(comparison: Comparison, rows: NDArray[np.bool_], seed: int) -> Comparison | None:
    """Return the comparison of some of the rows; None where too few are left on a side.

    Parameters
    ----------
    comparison : Comparison
    rows : ndarray of bool, shape (N,)
    seed : int
    """
    reference = comparison.reference[rows[comparison.reference]]
    basis = comparison.basis[rows[comparison.basis]]
    # The floor needs a real part of the synthetic rows' number beside the reference.
    synthetic = comparison.synthetic[rows[comparison.synthetic]][: len(basis)]
    for side in (reference, synthetic):
        if len(side) < LEAST or len(np.unique(comparison.groups[side])) < LEAST_GROUPS:
            return None
    used = np.concatenate([np.sort(np.concatenate([reference, basis])), synthetic])
    place = np.full(len(rows), -1, np.intp)
    place[used] = np.arange(len(used))
    return replace(
        comparison,
        values=comparison.values[used],
        raw=comparison.raw[used],
        groups=comparison.groups[used],
        pool=np.arange(len(used) - len(synthetic)),
        reference=place[reference],
        synthetic=place[synthetic],
        roles=comparison.roles[used],
        rows=comparison.rows[used],
        absent=None if comparison.absent is None else comparison.absent[used],
        seed=seed,
    )


def _attributes(cohorts: Cohorts, comparison: Comparison) -> list[Attribute]:
    """Return the class and the study's subgroup, where all cohorts have them."""
    wanted = ("class", cohorts.study.subgroup)
    return [a for a in attributes(cohorts, comparison).usable if a.name in wanted]


def _divided(cohorts: Cohorts) -> bool:
    """Whether real data have two classes or subgroups that could be looked at by themselves.

    Only the real cohorts decide: labels that synthetic data lack are not "not applicable".
    """
    # Without a holdout half of train is the reference.
    needed = LEAST if cohorts.holdout is not None else 2 * LEAST
    for name in ("class", cohorts.study.subgroup):
        columns = [
            c.classes if name == "class" else c.attributes.get(name or "") for c in cohorts.real
        ]
        if any(c is None for c in columns):
            continue
        large = []
        for column in columns:
            values, counts = np.unique(np.asarray(column), return_counts=True)
            large.append({v for v, n in zip(values.tolist(), counts, strict=True) if n >= needed})
        if len(set.intersection(*large) - {""}) >= 2:
            return True
    return False


def _cells(attribute: Attribute, aspect: Aspect) -> Iterator[_Cell]:
    for level in attribute.large:
        name = attribute.words(level)
        if not isinstance(name, str):  # items of which the attribute is not given
            continue
        part = inside(aspect.comparison, attribute.code == level, aspect.comparison.seed + level)
        if part is None or min(part.sizes) < aspect.least:
            continue
        for measure, found in zip(aspect.measures, aspect.read(part), strict=True):
            shown = measure if aspect.variant is None else f"{measure} [{aspect.variant}]"
            yield _Cell((attribute.name, name), shown, part.sizes, found)


@dataclass(frozen=True)
class _Judged:
    worst: float
    interval: Interval
    floor: Interval
    consistent: NDArray[np.bool_]
    p: Values

    @classmethod
    def of(cls, cells: Sequence[_Cell]) -> _Judged:
        found = [c.found for c in cells]
        largest = np.sort(np.stack([f.excess(f.null) for f in found]).max(axis=0))
        value = np.array([float(f.excess(np.array([f.value]))[0]) for f in found])
        count = min(len(f.draws) for f in found)
        drawn = np.stack([f.excess(f.scattered()[:count]) for f in found]).max(axis=0)
        low, centre, high = np.quantile(largest, [0.025, 0.5, 0.975])
        beyond = len(largest) - np.searchsorted(largest, value, side="left")
        worst = float(value.max())
        return cls(
            worst,
            spread(worst, drawn, -np.inf, np.inf),
            Interval(
                float(low),
                float(high),
                "real parts of each subgroup, re-split by subject",
                centre=float(centre),
            ),
            value <= np.quantile(largest, 1 - FAMILY),
            (1 + beyond) / (1 + len(largest)),
        )

    def table(self, cells: Sequence[_Cell]) -> dict[str, Any]:
        """Return every cell, those that differ most first."""
        order = np.lexsort((np.arange(len(cells)), self.p))
        rows: list[list[Any]] = []
        for k in order.tolist():
            cell, interval = cells[k], cells[k].found.interval()
            low, high = np.quantile(cell.found.null, [0.025, 0.975])
            rows.append(
                [
                    f"{cell.subgroup[0]} = {cell.subgroup[1]}",
                    cell.measure,
                    cell.n[0],
                    cell.n[1],
                    cell.found.value,
                    interval.low,
                    interval.high,
                    float(low),
                    float(high),
                    float(self.p[k]),
                    bool(self.consistent[k]),
                ]
            )
        return {
            "columns": [
                {"en": "subgroup", "zh": "子群"},
                {"en": "measure", "zh": "测量"},
                {"en": "real", "zh": "真实"},
                {"en": "synthetic", "zh": "合成"},
                {"en": "value", "zh": "数值"},
                {"en": "95 % low", "zh": "95% 下限"},
                {"en": "95 % high", "zh": "95% 上限"},
                {"en": "noise floor low", "zh": "本底下限"},
                {"en": "noise floor high", "zh": "本底上限"},
                {"en": "p, adjusted", "zh": "校正后 p"},
                {"en": "consistent", "zh": "一致"},
            ],
            "rows": rows,
        }
