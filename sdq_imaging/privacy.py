"""Privacy of images: identifiers, exact copies, registered near-copies, membership."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.evaluation import Part
from sdq_core.characteristics.privacy import Privacy
from sdq_core.cohort import Cohort, Cohorts
from sdq_core.finding import Finding
from sdq_core.measurement import Measurement, Method
from sdq_core.reasons import why
from sdq_core.vocabulary import Severity
from sdq_imaging.copies import (
    memorised,
    membership_scores,
    nearest_is_train,
)

__all__ = ["ImagingPrivacy"]
