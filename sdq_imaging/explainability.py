"""Explainability of images: lineage from the header, the picture's text or the label table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sdq_core.characteristics.explainability import Explainability
from sdq_core.cohort import Cohorts
from sdq_imaging.fidelity import scalar_names

__all__ = ["ImagingExplainability"]

GENERATOR = ("generator", "algorithm", "algorithmname")
"""Keys that name what made an item, in lower case and without the prefix ``text:``."""
REPRODUCES = ("seed", "condition", "run", "generatorversion", "algorithmversion")
"""Keys of which one must stand beside the generator."""


class ImagingExplainability(Explainability):
    """Traceability and sources of bias, with the imaging scalars."""

    def scalar_names(self, cohorts: Cohorts) -> Sequence[str]:
        """Return the image features."""
        return scalar_names(cohorts)

    def lineage(self, metadata: Mapping[str, str], attributes: Mapping[str, str]) -> bool:
        """Return whether an item names its generator and a seed, condition, version or run.

        Examples
        --------
        >>> ImagingExplainability("imaging").lineage({"text:Generator": "vae"}, {"seed": "7"})
        True
        """
        known = {
            key.removeprefix("text:").replace("_", "").lower()
            for key, value in {**metadata, **attributes}.items()
            if value
        }
        return any(k in known for k in GENERATOR) and any(k in known for k in REPRODUCES)
