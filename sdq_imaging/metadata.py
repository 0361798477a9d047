"""Metadata of images: DICOM attributes, texts in pictures, the label table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from sdq_core.characteristics.metadata import Metadata
from sdq_imaging.dicom.synthetic_declaration import declaration_faults, declared_synthetic

if TYPE_CHECKING:
    from sdq_core.cohort import Cohorts
    from sdq_core.finding import Finding
    from sdq_core.measurement import Measurement

__all__ = ["ImagingMetadata"]

DECLARING = ("synthetic", "SyntheticData", "AIGC")
"""Columns of the label table and arrays of a stack that declare."""


class ImagingMetadata(Metadata):
    """Required attributes and conformity, with the imaging ways to declare synthetic data."""

    def declares_synthetic(
        self, metadata: Mapping[str, str], attributes: Mapping[str, str]
    ) -> bool:
        """Return whether DICOM (0008,001C), a picture's text or the label table says so.

        Examples
        --------
        >>> ImagingMetadata("imaging").declares_synthetic({"text:SyntheticData": "YES"}, {})
        True
        >>> ImagingMetadata("imaging").declares_synthetic({}, {"synthetic": "no"})
        False
        """
        kind = metadata.get("kind", "picture")
        if declared_synthetic(metadata, kind):
            return True
        declared = {f"attribute:{k}": v for k, v in attributes.items() if k in DECLARING}
        return bool(declared_synthetic(declared, "array"))

    def declared(self, cohorts: Cohorts) -> Iterator[Measurement | Finding]:
        """Measure the share that is declared, and find what DICOM objects fail to say."""
        yield from super().declared(cohorts)
        cohort = cohorts.synthetic
        for row, name in enumerate(cohort.table.ids.tolist()):
            metadata = cohort.table.metadata(row)
            if metadata.get("kind") != "dicom":
                continue
            for finding in declaration_faults(metadata):
                # Whether it is declared at all was said above, the label table included.
                if not finding.rule.endswith(".not_declared_synthetic"):
                    yield replace(finding, item=name, role=str(cohort.role))
