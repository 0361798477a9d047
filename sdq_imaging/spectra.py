"""Spectra of small signatures, and the poses in which they are compared.

A spectrum is kept whole (both signs of every frequency) up to a band ``b``, as a cube of the odd
side ``2 b + 1`` in the order 0, 1, ..., b, -b, ..., -1. Then a flip or an exchange of axes is a
permutation of the cube, a shift is a phase, and a correlation is an inner product.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = [
    "POSES",
    "centred",
    "completed",
    "correlation",
    "cropped",
    "half_spectrum",
    "halved",
    "posed",
    "shifted",
    "spectrum",
    "unit",
    "warped",
]

POSES: Final[dict[int, tuple[tuple[bool, tuple[int, ...]], ...]]] = {
    2: tuple((t, f) for t in (False, True) for f in ((), (0,), (1,), (0, 1))),
    3: tuple((False, f) for n in range(4) for f in combinations(range(3), n)),
}
"""Flips and quarter turns by number of axes: (last two axes exchanged, axes then reversed)."""


def spectrum(images: NDArray[np.float32], band: int) -> NDArray[np.complex64]:
    """Return the spectra of images up to a band, scaled to unit energy.

    Parameters
    ----------
    images : ndarray, shape (n, s, s) or (n, s, s, s)
    band : int
        Highest frequency kept, in cycles a side; below ``s / 2``.

    Returns
    -------
    ndarray, shape (n, 2 band + 1, ...), complex64
        The mean (zero frequency) is taken out. All zero where nothing else is in the band.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((1, 16, 16)).astype(np.float32)
    >>> s = spectrum(x, 5)
    >>> s.shape, round(float((np.abs(s) ** 2).sum()), 5)
    ((1, 11, 11), 1.0)
    """
    return completed(half_spectrum(images, band), images.ndim - 1)


def half_spectrum(images: NDArray[np.float32], band: int) -> NDArray[np.complex64]:
    """Return ``halved(spectrum(images, band))``, for half the work.

    Parameters
    ----------
    images : ndarray, shape (n, s, s) or (n, s, s, s)
    band : int

    Returns
    -------
    ndarray, shape (n, 2 band + 1, ..., band + 1), complex64
    """
    ndim = images.ndim - 1
    # A few frequencies only: a product with their waves is cheaper than a fast transform of all.
    waves = _waves(images.shape[-1], band)
    found: NDArray[Any] = images.astype(np.float32, copy=False)
    for axis in range(ndim):
        if axis == 0:  # real by complex, as one real product
            half = np.ascontiguousarray(waves[:, : band + 1])
            flat = found.reshape(-1, found.shape[-1]) @ half.view(np.float32)
            found = flat.view(np.complex64).reshape(*found.shape[:-1], -1)
        else:
            found = (found.reshape(-1, found.shape[-1]) @ waves).reshape(*found.shape[:-1], -1)
        found = np.ascontiguousarray(np.moveaxis(found, -1, 1))  # the next axis becomes the last
    found.reshape(len(found), -1)[:, 0] = 0
    # What rounding leaves of a constant is no image: without this it would be scaled to one.
    flat = images.reshape(len(images), -1)
    rounding = 1e-6 * np.sqrt(np.einsum("ij,ij->i", flat, flat) * flat.shape[1])
    size = np.abs(found).reshape(len(found), -1).max(axis=1)
    # Frequencies above 0 on the last axis count for their mirror images too.
    square = found.real**2 + found.imag**2
    energy = 2 * square.reshape(len(found), -1).sum(1)
    energy -= square[..., 0].reshape(len(found), -1).sum(1)
    scale = np.divide(1, np.sqrt(energy), out=np.zeros_like(energy), where=size > rounding)
    found *= scale.reshape(-1, *(1,) * ndim)
    return np.asarray(found, np.complex64)


def completed(halves: NDArray[np.complex64], ndim: int) -> NDArray[np.complex64]:
    """Return whole spectra of real images from their halves.

    Parameters
    ----------
    halves : ndarray, shape (..., l, (l + 1) / 2) or (..., l, l, (l + 1) / 2)
    ndim : int

    Returns
    -------
    ndarray, shape (..., l, l) or (..., l, l, l)

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((1, 16, 16)).astype(np.float32)
    >>> s = spectrum(x, 5)
    >>> bool((completed(halved(s), 2) == s).all())
    True
    """
    mirror = np.conj(halves[..., :0:-1])
    for axis in range(-ndim, -1):
        mirror = np.take(mirror, -np.arange(mirror.shape[axis]) % mirror.shape[axis], axis=axis)
    return np.concatenate([halves, mirror], axis=-1)


def cropped(spectra: NDArray[np.complex64], band: int, ndim: int) -> NDArray[np.complex64]:
    """Return the part of spectra up to a band; the last `ndim` axes are frequencies.

    Parameters
    ----------
    spectra : ndarray, shape (..., l, l) or (..., l, l, l)
    band, ndim : int

    Returns
    -------
    ndarray, shape (..., 2 band + 1, ...)

    Examples
    --------
    >>> cropped(np.fft.fftfreq(7, 1 / 7).astype(np.complex64), 1, 1).real.tolist()
    [0.0, 1.0, -1.0]
    """
    keep = np.r_[0 : band + 1, -band:0]
    for axis in range(-ndim, 0):
        spectra = np.take(spectra, keep, axis=axis)
    return spectra


def posed(
    spectra: NDArray[np.complex64], pose: tuple[bool, tuple[int, ...]], ndim: int
) -> NDArray[np.complex64]:
    """Return the spectra of images that were transposed and flipped.

    Parameters
    ----------
    spectra : ndarray, shape (..., l, l) or (..., l, l, l)
        Odd cubes of `spectrum`.
    pose : tuple
        One of `POSES`. Reversal is about the first pixel: ``x[(-i) % s]``.
    ndim : int

    Returns
    -------
    ndarray of the same shape

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((1, 16, 16)).astype(np.float32)
    >>> flipped = np.roll(x[:, :, ::-1], 1, axis=2)
    >>> bool(np.allclose(posed(spectrum(x, 5), (False, (1,)), 2), spectrum(flipped, 5), atol=1e-6))
    True
    """
    transposed, flipped = pose
    if transposed:
        spectra = np.swapaxes(spectra, -1, -2)
    for axis in flipped:
        at = axis - ndim
        spectra = np.take(spectra, -np.arange(spectra.shape[at]) % spectra.shape[at], axis=at)
    return spectra


def centred(spectra: NDArray[np.complex64], side: int, ndim: int) -> NDArray[np.complex64]:
    """Return spectra about the middle of the image instead of its first pixel.

    Parameters
    ----------
    spectra : ndarray, shape (..., l, l) or (..., l, l, l)
    side : int
        Of the images, in pixels.
    ndim : int

    Returns
    -------
    ndarray of the same shape
        A flip about the middle only reverses its frequencies.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((1, 16, 16)).astype(np.float32)
    >>> s, flipped = (centred(spectrum(a, 5), 16, 2) for a in (x, x[:, :, ::-1]))
    >>> bool(np.allclose(posed(s, (False, (1,)), 2), flipped, atol=1e-6))
    True
    """
    return shifted(spectra, (-(side - 1) / 2 / side,) * ndim)


def halved(spectra: NDArray[np.complex64]) -> NDArray[np.complex64]:
    """Return the part of spectra that determines the rest: frequencies >= 0 on the last axis.

    Parameters
    ----------
    spectra : ndarray, shape (..., l)

    Returns
    -------
    ndarray, shape (..., (l + 1) / 2)

    Examples
    --------
    >>> halved(np.zeros((2, 5, 5), np.complex64)).shape
    (2, 5, 3)
    """
    return spectra[..., : spectra.shape[-1] // 2 + 1]


def correlation(
    joint: NDArray[np.complex64],
    shifts: NDArray[np.floating],
    ndim: int,
    centres: NDArray[np.floating] | None = None,
) -> NDArray[np.float32]:
    """Return the normalised cyclic cross-correlation of images at a grid of shifts.

    Parameters
    ----------
    joint : ndarray, shape (..., l, (l + 1) / 2) or (..., l, l, (l + 1) / 2)
        ``halved(reference) * conj(halved(query))``, of spectra of unit energy.
    shifts : ndarray, shape (t,)
        Of the query, along each axis, as a share of its side.
    ndim : int
    centres : ndarray, shape (..., ndim), optional
        Added to the shifts, for each pair.

    Returns
    -------
    ndarray, shape (..., t, t) or (..., t, t, t), float32

    Notes
    -----
    The Fourier sum at the wanted places only, one axis after the other, as matrix products:
    Guizar-Sicairos et al., Opt. Lett. 33(2), 2008, doi:10.1364/OL.33.000156.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((1, 16, 16)).astype(np.float32)
    >>> q, r = halved(spectrum(x, 7)), halved(spectrum(np.roll(x, 3, axis=1), 7))
    >>> c = correlation(r * np.conj(q), np.arange(5) / 16, 2)[0]
    >>> [int(i) for i in np.unravel_index(c.argmax(), c.shape)], round(float(c.max()), 4)
    ([3, 0], 1.0)
    """
    band = joint.shape[-1] - 1
    lead = joint.ndim - ndim
    frequency = np.r_[0 : band + 1, -band:0]
    if centres is not None:
        for axis in range(ndim):
            f = frequency[: joint.shape[lead + axis]]
            wave = np.exp(2j * np.pi * np.multiply.outer(centres[..., axis], f))
            shape = [1] * axis + [len(f)] + [1] * (ndim - 1 - axis)
            joint = joint * wave.reshape(*wave.shape[:-1], *shape).astype(np.complex64)
    found: NDArray[Any] = joint
    for left in range(ndim, 0, -1):
        f = frequency[: found.shape[-1]]
        waves = np.exp(2j * np.pi * np.multiply.outer(f, shifts))
        if left == ndim:  # frequencies below 0 on this axis count as their mirror images
            waves[1:] *= 2
        flat = np.ascontiguousarray(found).reshape(-1, len(f))
        if left > 1:
            flat = flat @ waves.astype(np.complex64)
        else:  # the real part only, as one real product
            parts = np.stack([waves.real, -waves.imag], 1).reshape(-1, len(shifts))
            flat = flat.view(np.float32) @ parts.astype(np.float32)
        found = np.moveaxis(flat.reshape(*found.shape[:-1], -1), -1, lead)
    return found


def shifted(spectra: NDArray[np.complex64], shift: tuple[float, ...]) -> NDArray[np.complex64]:
    """Return the spectra of images that were shifted cyclically.

    Parameters
    ----------
    spectra : ndarray, shape (..., l, l) or (..., l, l, l)
    shift : tuple of float
        Along each axis, as a share of the side.

    Returns
    -------
    ndarray of the same shape

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((1, 16, 16)).astype(np.float32)
    >>> rolled = spectrum(np.roll(x, 4, axis=2), 5)
    >>> bool(np.allclose(shifted(spectrum(x, 5), (0.0, 0.25)), rolled, atol=1e-6))
    True
    """
    ndim, band = len(shift), spectra.shape[-1] // 2
    frequency = np.r_[0 : band + 1, -band:0]
    for axis, share in enumerate(shift):
        phase: NDArray[np.complex64] = np.exp(-2j * np.pi * share * frequency).astype(np.complex64)
        shape = [-1 if a == axis else 1 for a in range(ndim)]
        spectra = (spectra * phase.reshape(shape)).astype(np.complex64, copy=False)
    return spectra


def warped(
    images: NDArray[np.float32], angles: tuple[float, ...], scales: tuple[float, ...]
) -> NDArray[np.float32]:
    """Return images rotated and magnified about their centre, in the plane of the last two axes.

    Parameters
    ----------
    images : ndarray, shape (n, s, s) or (n, s, s, s)
    angles : tuple of float
        Degrees; positive turns the second last axis towards the last, as `scipy.ndimage.rotate`.
    scales : tuple of float
        Magnifications, in the plane only.

    Returns
    -------
    ndarray, shape (n, angles x scales, s, ...), float32
        Angles vary slowest. Zero where nothing is known. Interpolation: cubic convolution (Keys,
        IEEE Trans. ASSP 29(6), 1981, doi:10.1109/TASSP.1981.1163711).

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((1, 16, 16)).astype(np.float32)
    >>> bool(np.allclose(warped(x, (0.0,), (1.0,))[0, 0], x[0], atol=1e-6))
    True
    """
    side = images.shape[-1]
    planes = images.reshape(-1, side * side).T
    out = np.empty((len(angles) * len(scales), *images.shape), np.float32)
    for k, (angle, scale) in enumerate((a, s) for a in angles for s in scales):
        out[k] = (_interpolation(side, angle, scale) @ planes).T.reshape(images.shape)
    return np.moveaxis(out, 0, 1)


def unit(spectra: NDArray[np.complex64], ndim: int) -> NDArray[np.complex64]:
    """Return spectra scaled to unit energy; what is all zero stays so.

    Parameters
    ----------
    spectra : ndarray, shape (..., l, l) or (..., l, l, l)
    ndim : int

    Returns
    -------
    ndarray of the same shape

    Examples
    --------
    >>> unit(np.full((1, 2, 2), 3 + 4j, np.complex64), 2)[0, 0, 0].item()
    (0.30000001192092896+0.4000000059604645j)
    """
    axes = tuple(range(-ndim, 0))
    energy = (spectra.real**2 + spectra.imag**2).sum(axes, keepdims=True)
    scale = np.divide(1, np.sqrt(energy), out=np.zeros_like(energy), where=energy > 0)
    result: NDArray[np.complex64] = (spectra * scale).astype(np.complex64)
    return result


@lru_cache
def _waves(side: int, band: int) -> NDArray[np.complex64]:
    frequency = np.r_[0 : band + 1, -band:0]
    waves: NDArray[np.complex64] = np.exp(
        -2j * np.pi / side * np.multiply.outer(np.arange(side), frequency)
    ).astype(np.complex64)
    return waves


@lru_cache(maxsize=64)
def _interpolation(side: int, angle: float, scale: float) -> csr_array:
    from scipy.sparse import csr_array

    centre = (side - 1) / 2
    y, x = np.mgrid[:side, :side] - centre
    c, s = np.cos(np.deg2rad(angle)) / scale, np.sin(np.deg2rad(angle)) / scale
    # Where each pixel of the result comes from.
    v, u = c * y + s * x + centre, -s * y + c * x + centre
    rows, columns, weights = [], [], []
    for dy in range(-1, 3):
        for dx in range(-1, 3):
            i, j = np.floor(v).astype(int) + dy, np.floor(u).astype(int) + dx
            weight = _cubic(v - i) * _cubic(u - j)
            inside = (i >= 0) & (i < side) & (j >= 0) & (j < side) & (weight != 0)
            rows.append(np.flatnonzero(inside))
            columns.append((i * side + j)[inside])
            weights.append(weight[inside])
    entries = np.concatenate(weights).astype(np.float32)
    places = (np.concatenate(rows), np.concatenate(columns))
    return csr_array((entries, places), shape=(side * side, side * side))


def _cubic(t: NDArray[np.floating]) -> NDArray[np.floating]:
    t = np.abs(t)
    near = 1.5 * t**3 - 2.5 * t**2 + 1
    far = -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2
    return np.where(t <= 1, near, np.where(t < 2, far, 0.0))
