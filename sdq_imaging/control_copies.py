"""Copies planted among signatures, to learn how many copies a search would notice."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["planted"]

_ANGLE = 3.0  # degrees, at most; between the angles that registration tries
_SCALE = 0.02  # at most, larger or smaller
_SHIFT = 0.04  # of the side, at most
_NOISE = 0.1  # of the signature's own norm, in the same band


def planted(
    signatures: NDArray[np.floating], n: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Return disguised copies of some signatures.

    Parameters
    ----------
    signatures : ndarray, shape (m, s, s) or (m, s, s, s)
    n : int
        Of them, drawn without replacement; at most m.
    rng : numpy.random.Generator

    Returns
    -------
    copies : ndarray, shape (n, s, s) or (n, s, s, s), float32
        Each is flipped along the last axis every other time, rotated by up to 3 degrees and
        magnified by up to 2 % in the plane of the last two axes, shifted by up to 4 % of the side
        along each axis, and noised by a tenth of its norm. What comes in from outside is 0.
    rows : ndarray, shape (n,), intp
        Their originals.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((5, 16, 16))
    >>> copies, rows = planted(x, 3, np.random.default_rng(1))
    >>> copies.shape, len(set(rows.tolist()))
    ((3, 16, 16), 3)
    """
    from scipy.ndimage import affine_transform

    rows = rng.choice(len(signatures), n, replace=False)
    copies = np.empty((n, *signatures.shape[1:]), np.float32)
    ndim, side = signatures.ndim - 1, signatures.shape[1]
    centre = np.full(ndim, (side - 1) / 2)
    for copy, row in zip(copies, rows, strict=True):
        x = np.asarray(signatures[row], np.float64)
        x = x[..., ::-1] if rng.random() < 0.5 else x
        angle = np.deg2rad(rng.uniform(-_ANGLE, _ANGLE))
        scale = 1 + rng.uniform(-_SCALE, _SCALE)
        matrix = np.eye(ndim)
        cos, sin = np.cos(angle) / scale, np.sin(angle) / scale
        matrix[-2:, -2:] = [[cos, sin], [-sin, cos]]
        shift = rng.uniform(-_SHIFT, _SHIFT, ndim) * side
        moved = affine_transform(x, matrix, offset=centre - matrix @ (centre + shift), order=3)
        noise = _like(x, rng)
        copy[:] = moved + _NOISE * np.linalg.norm(moved) * noise
    return copies, rows


def _like(signature: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Noise of the signature's own power spectrum and of norm 1."""
    power = np.abs(np.fft.fftn(signature))
    noise: NDArray[np.float64] = np.fft.ifftn(
        power * np.fft.fftn(rng.standard_normal(signature.shape))
    ).real
    norm = float(np.linalg.norm(noise))
    return noise / norm if norm > 0 else noise
