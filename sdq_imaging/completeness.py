"""Completeness of images: besides each item's own findings, UIDs that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sdq_core.characteristics.completeness import Completeness
from sdq_imaging.dicom.shared_with_real import incoherent

if TYPE_CHECKING:
    from sdq_core.cohort import Cohort, Cohorts
    from sdq_core.finding import Finding

__all__ = ["ImagingCompleteness"]


class ImagingCompleteness(Completeness):
    """Structural integrity and semantic accuracy, with the coherence of studies and series."""

    def in_context(self, area: str, cohort: Cohort, cohorts: Cohorts) -> Iterator[Finding]:
        """Find DICOM items of one cohort that contradict each other in their UIDs."""
        if area == "semantics":
            yield from incoherent(cohort)
