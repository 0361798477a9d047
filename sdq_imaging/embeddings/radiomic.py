"""The radiomic embedding: the fixed vector of the named features."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from sdq_imaging.embeddings.whole import Whole
from sdq_imaging.features.filters import SIGMAS
from sdq_imaging.features.spectrum import BANDS

__all__ = ["FEATURES", "Radiomic"]

FEATURES: Final = (
    *(
        f"grey.{n}"
        for n in (
            "mean", "median", "minimum", "maximum", "p10", "p90", "interquartile_range",
            "mean_absolute_deviation", "robust_mean_absolute_deviation", "root_mean_square",
            "variance", "skewness", "kurtosis", "entropy", "uniformity",
        )
    ),
    *(
        f"texture.{n}"
        for n in (
            "autocorrelation", "joint_average", "cluster_prominence", "cluster_shade",
            "cluster_tendency", "contrast", "correlation", "difference_average",
            "difference_entropy", "difference_variance", "joint_energy", "joint_entropy", "imc1",
            "imc2", "inverse_difference_moment", "inverse_difference",
            "inverse_difference_moment_normalised", "inverse_difference_normalised",
            "inverse_variance", "maximum_probability", "sum_average", "sum_entropy", "sum_squares",
        )
    ),
    *(
        f"blobs.log{s:g}_{n}"
        for s in SIGMAS
        for n in ("mean", "deviation", "mean_absolute", "skewness", "kurtosis")
    ),
    "sharpness.laplacian_variance", "sharpness.mean_gradient", "sharpness.tenengrad",
    "noise.sigma",
    *(f"spectrum.band_{k + 1:02d}" for k in range(BANDS)),
    "spectrum.slope",
)  # fmt: skip


class Radiomic:
    """Named texture, intensity, blob, sharpness and spectral features as one vector.

    Konz et al. 2026 (Medical Image Analysis): radiomic distances follow downstream use, are
    stable at small n, and can be read.

    Parameters
    ----------
    device : str
        Not used: the features are computed on the processor.
    """

    name: ClassVar[str] = "radiomic"
    version: ClassVar[str] = "1"
    dimension: ClassVar[int] = len(FEATURES)
    sha256: ClassVar[str] = hashlib.sha256("\n".join(FEATURES).encode()).hexdigest()

    def __init__(self, device: str = "cpu") -> None:
        self.device = device

    def __call__(
        self,
        grey: NDArray[np.float32],
        scalars: Mapping[str, float],
        whole: Whole | None = None,
    ) -> NDArray[np.float32] | None:
        """Return the features in their fixed order; None when one is missing (constant image)."""
        if any(name not in scalars for name in FEATURES):
            return None
        return np.array([scalars[name] for name in FEATURES], dtype=np.float32)
