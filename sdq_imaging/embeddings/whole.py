"""What embedders may look at besides grey slices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Whole"]


@dataclass(frozen=True, slots=True)
class Whole:
    """One image as a whole.

    Parameters
    ----------
    grey : ndarray, shape (y, x) or (z, y, x), 0..1
    colour : ndarray, shape (y, x, 3), uint8, or None
    """

    grey: NDArray[np.float32]
    colour: NDArray[np.uint8] | None = None
