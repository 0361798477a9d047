"""Metadata of images: DICOM attributes, texts in pictures, the label table."""

from __future__ import annotations

from collections.abc import Mapping

from sdq_core.characteristics.metadata import Metadata
from sdq_imaging.dicom.synthetic_declaration import declared_synthetic

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
