"""Metadata of signals: the rules of WFDB, EDF and DICOM, and the ways to declare synthetic data."""

from __future__ import annotations

from collections.abc import Mapping

from sdq_core.aigc import generated
from sdq_core.characteristics.metadata import Metadata

__all__ = ["SignalsMetadata"]

DECLARING = ("synthetic", "syntheticdata", "aigc")
"""Keys of the header, the side-car and the label table, in lower case, that declare."""
YES = ("yes", "true", "1", "y", "synthetic", "是", "合成")


class SignalsMetadata(Metadata):
    """Required attributes and conformity, with the ways of signals to declare synthetic data."""

    def declares_synthetic(
        self, metadata: Mapping[str, str], attributes: Mapping[str, str]
    ) -> bool:
        """Return whether the header, the side-car or the label table says so.

        Examples
        --------
        >>> SignalsMetadata("signals").declares_synthetic({"synthetic": "yes"}, {})
        True
        >>> SignalsMetadata("signals").declares_synthetic({}, {"synthetic": "no"})
        False
        """
        return any(
            key.replace("_", "").lower() in DECLARING
            and (value.strip().lower() in YES or generated(value))
            for key, value in (*metadata.items(), *attributes.items())
        )
