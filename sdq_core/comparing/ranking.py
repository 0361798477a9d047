"""Several generators side by side: each measure, ranked as far as its intervals allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sdq_core.comparing.changes import ALPHA, checked, estimate_of, ideal
from sdq_core.comparing.comparable import Entry, Mismatch
from sdq_core.result import MeasurementModel
from sdq_core.statistics.interval_differences import rank_ranges
from sdq_core.vocabulary import Characteristic, Verdict

__all__ = ["RankedMeasure", "SideBySide", "side_by_side"]


@dataclass(frozen=True)
class RankedMeasure:
    """One measure of all generators.

    Parameters
    ----------
    measurements : tuple of MeasurementModel or None
        One for each generator; None where a result does not have it.
    ranks : tuple of (int, int) or None
        Best and worst rank of each, among those that have a value; None where it has none, or
        where the measure has no direction.
    """

    measurements: tuple[MeasurementModel | None, ...]
    ranks: tuple[tuple[int, int] | None, ...]

    @property
    def first(self) -> MeasurementModel:
        """The measure where it is first found."""
        return next(m for m in self.measurements if m is not None)

    @property
    def valued(self) -> bool:
        """Whether any generator has a value."""
        return any(m is not None and m.value is not None for m in self.measurements)

    @property
    def told_apart(self) -> bool:
        """Whether the intervals tell any two generators apart."""
        found = [r for r in self.ranks if r is not None]
        return any(r != (1, len(found)) for r in found)


@dataclass(frozen=True)
class SideBySide:
    """Several results side by side.

    Parameters
    ----------
    entries : tuple of Entry
    mismatches : tuple of Mismatch
        Against the first.
    measures : tuple of RankedMeasure
    verdicts : mapping of Characteristic to tuple of Verdict
    pairs : int
        Pairs of numbers that were tested together.
    """

    entries: tuple[Entry, ...]
    mismatches: tuple[Mismatch, ...]
    measures: tuple[RankedMeasure, ...]
    verdicts: dict[Characteristic, tuple[Verdict, ...]]
    pairs: int


def side_by_side(entries: Sequence[Entry], *, anyway: bool = False) -> SideBySide:
    """Set results side by side.

    Parameters
    ----------
    entries : sequence of Entry
    anyway : bool
        Also where they are not comparable.

    Returns
    -------
    SideBySide

    Raises
    ------
    UsageError
        The results are not comparable; the message names what differs.
    """
    found = checked(entries, anyway=anyway)
    tables = [{(m.id, m.variant): m for m in e.result.measurements} for e in entries]
    keys = dict.fromkeys(key for table in tables for key in table)
    rows = [tuple(table.get(key) for table in tables) for key in keys]
    ranked = [k for k, row in enumerate(rows) if _can_be_ranked(row)]
    estimates = [[estimate_of(m) for m in _valued(rows[k])] for k in ranked]
    ranges = rank_ranges(
        estimates,
        [str(_valued(rows[k])[0].better) for k in ranked],
        [ideal(_valued(rows[k])[0]) for k in ranked],
        ALPHA,
    )
    by_row = dict(zip(ranked, ranges, strict=True))
    measures = []
    for k, row in enumerate(rows):
        own = iter(by_row.get(k, ()))
        ranks = tuple(
            next(own) if k in by_row and m is not None and m.value is not None else None
            for m in row
        )
        measures.append(RankedMeasure(row, ranks))
    verdicts = {
        c: tuple(e.result.verdicts.get(c, Verdict.NOT_ASSESSED) for e in entries)
        for c in Characteristic
    }
    pairs = sum(len(e) * (len(e) - 1) // 2 for e in estimates)
    return SideBySide(tuple(entries), found, tuple(measures), verdicts, pairs)


def _valued(row: Sequence[MeasurementModel | None]) -> list[MeasurementModel]:
    return [m for m in row if m is not None and m.value is not None]


def _can_be_ranked(row: Sequence[MeasurementModel | None]) -> bool:
    """Whether at least two have a value of the same measure, which has a direction."""
    found = _valued(row)
    if len(found) < 2 or found[0].better is None:
        return False
    same = {(m.unit, m.better, None if m.method is None else m.method.name) for m in found}
    return len(same) == 1 and (found[0].better != "closer" or ideal(found[0]) is not None)
