"""Explainability of signals: sources of bias among the named features."""

from __future__ import annotations

from collections.abc import Sequence

from sdq_core.characteristics.comparison import real_scalars
from sdq_core.characteristics.explainability import Explainability
from sdq_core.cohort import Cohorts
from sdq_signals.fidelity import APART

__all__ = ["SignalsExplainability"]


class SignalsExplainability(Explainability):
    """Traceability and sources of bias."""

    def scalar_names(self, cohorts: Cohorts) -> Sequence[str]:
        """Return the named features, without the bands and the pairs of channels."""
        return real_scalars(cohorts, without=APART)
