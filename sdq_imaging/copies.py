"""How copies of images are searched for: by registration of band-passed thumbnails."""

from __future__ import annotations

from typing import Final

from sdq_core.statistics.matches import CopySearch
from sdq_imaging.control_copies import planted
from sdq_imaging.registration import best_matches

__all__ = ["REGISTRATION"]

REGISTRATION: Final = CopySearch(best_matches, planted, floor=0.02, remembered=True)
"""Correlations above 0.99 count as equal: registration interpolates."""
