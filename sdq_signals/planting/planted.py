"""A defect of the catalogue with what plants it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sdq_core.calibration.defect import Defect
from sdq_signals.planting.breaks import Alternative, Family
from sdq_signals.planting.fitting import Needs
from sdq_signals.planting.plans import Plan

__all__ = ["Planted", "rules_of"]


ANY: Final = Needs()
"""Any recording."""


@dataclass(frozen=True, slots=True)
class Planted:
    """One line of the catalogue.

    Parameters
    ----------
    defect : Defect
    plan : callable
        Which recordings make up the cohort, and what is done to their samples.
    needs : Needs
        What the recordings must be.
    families : tuple of Family
        What is broken in files after they were written; the alternatives of the file's format, one
        family's after the other, in turn.
    lineage : bool
        Whether the cohort gets a lineage table that is wrong.
    """

    defect: Defect
    plan: Plan
    needs: Needs = ANY
    families: tuple[Family, ...] = ()
    lineage: bool = False

    def alternatives(self, format_: str, channels: int) -> list[Alternative]:
        """Return what can be broken in a file of a format with so many channels."""
        return [
            a
            for family in self.families
            for a in family.get(format_, ())
            if a.least_channels <= channels
        ]


def rules_of(families: Sequence[Family]) -> tuple[str, ...]:
    """Return the rules that see any alternative of some families, each once."""
    return tuple(
        dict.fromkeys(
            rule
            for family in families
            for alternatives in family.values()
            for alternative in alternatives
            for rule in alternative.rules
        )
    )
