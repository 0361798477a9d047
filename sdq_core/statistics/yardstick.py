"""What real data reach by chance: one yardstick for a whole family of numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["MARGIN", "beyond_real", "in_noise"]

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]

MARGIN = 1.5
"""A candidate counts beyond this multiple of the 97.5 % quantile of the largest of its family
between re-splits of real data."""


def in_noise(length: Values, noise: Values) -> Values:
    """Return lengths in terms of noise; zero where there is neither."""
    return np.asarray(np.divide(length, noise, out=np.zeros_like(length), where=noise > 1e-15))


def beyond_real(observed: Values, null: Values, margin: float = MARGIN) -> Flags:
    """Tell which numbers real data do not reach, with one yardstick for the whole family.

    Parameters
    ----------
    observed : ndarray, shape (C, F)
        Of C candidates, by feature.
    null : ndarray, shape (C, R, F)
        The same between R re-splits of real data.
    margin : float
        Multiple of the 97.5 % quantile of the largest.

    Returns
    -------
    ndarray of bool, shape (C, F)

    Examples
    --------
    >>> null = np.random.default_rng(0).normal(size=(2, 200, 1))
    >>> beyond_real(np.array([[0.0], [9.0]]), null).tolist()
    [[False], [True]]
    """
    centre, scale = np.median(null, axis=1), null.std(axis=1)
    # Rounding alone is no length: a part that is zero in theory has a tiny one.
    usable = scale > 1e-9 * np.maximum(np.abs(observed), 1e-3)
    scale = np.where(usable, scale, np.inf)
    largest = ((null - centre[:, None]) / scale[:, None]).max(axis=(0, 2))
    limit = margin * np.quantile(largest, 0.975)
    return np.asarray(usable & ((observed - centre) / scale > limit))
