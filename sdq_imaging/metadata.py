"""Metadata of images: DICOM attributes, texts in pictures, the label table."""

from __future__ import annotations

from collections.abc import Mapping

from sdq_core.characteristics.metadata import Metadata

__all__ = ["ImagingMetadata"]

DECLARING = ("syntheticdata", "synthetic", "aigc")
YES = ("yes", "true", "1", "present")


class ImagingMetadata(Metadata):
    """Required attributes and conformity, with the imaging ways to declare synthetic data."""

    def declares_synthetic(
        self, metadata: Mapping[str, str], attributes: Mapping[str, str]
    ) -> bool:
        """Return whether DICOM (0008,001C), a picture's text or the label table says so.

        A text chunk ``AIGC`` (GB 45438-2025) declares by being there; the others by their value.

        Examples
        --------
        >>> ImagingMetadata("imaging").declares_synthetic({"SyntheticData": "YES"}, {})
        True
        >>> ImagingMetadata("imaging").declares_synthetic({"SyntheticData": "NO"}, {})
        False
        """
        for key, value in {**metadata, **attributes}.items():
            name = key.removeprefix("text:").replace("_", "").lower()
            if name == "aigc" and value:
                return True
            if name in DECLARING and value.strip().lower() in YES:
                return True
        return False
