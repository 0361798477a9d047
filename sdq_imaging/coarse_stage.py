"""The coarse stage of registration: all pairs at the lowest frequencies, as matrix products."""

from __future__ import annotations

from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_imaging.spectra import POSES, centred, completed, cropped, shifted, unit

__all__ = ["COARSE_ANGLES", "COARSE_BAND", "COARSE_SHIFTS", "coarse_stage", "columns", "parities"]

COARSE_ANGLES: Final = (-5.0, 0.0, 5.0)
COARSE_BAND: Final = {2: 6, 3: 4}  # highest frequency of the coarse stage, cycles a side
COARSE_SHIFTS: Final = {  # of the side; near enough to each other for the highest frequency
    2: tuple(0.0275 * k for k in range(-4, 5)),
    3: (-0.1, -0.05, 0.0, 0.05, 0.1),
}

_ROOT: Final = np.float32(np.sqrt(2))


def columns(spectra: NDArray[np.complex64], ndim: int) -> list[NDArray[np.float32]]:
    """Return `parities`, each as a matrix with one column an image.

    Parameters
    ----------
    spectra : ndarray, shape (m, l, l) or (m, l, l, l)
    ndim : int

    Returns
    -------
    list of ndarray, shape (k, m), float32
    """
    return [np.ascontiguousarray(part.T) for part in parities(spectra, ndim)]


def coarse_stage(
    banks: NDArray[np.complex64],
    low: dict[bool, list[NDArray[np.float32]]],
    band: int,
    side: int,
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Best coarse correlation of every query with every reference, and how it was met.

    ``banks``: half spectra of the queries at the coarse angles; ``low``: the `parities` of the
    references, as they are and transposed. The second answer is
    ``number of the pose x number of coarse angles + number of the coarse angle``.

    The grid of shifts is symmetric, so that the shift may come before flip and turn, and to turn
    the reference is as good as to turn the query. Then one product for each parity serves all
    flips: a flip only changes signs among them.
    """
    ndim = banks.ndim - 2
    bank = centred(unit(cropped(completed(banks, ndim), band, ndim), ndim), side, ndim)
    n, angles, m = *banks.shape[:2], low[False][0].shape[1]
    rows = n * angles
    top = np.full((len(POSES[ndim]), rows, m), -np.inf, np.float32)
    parts = np.empty((2**ndim, rows, m), np.float32)
    spare = np.empty_like(parts)
    for shift in product(COARSE_SHIFTS[ndim], repeat=ndim):
        moved = parities(shifted(bank, shift), ndim)
        for transposed, columns in low.items():
            for parity, vectors, part in zip(moved, columns, parts, strict=True):
                np.matmul(parity.reshape(rows, -1), vectors, out=part)
            sums = _signed_sums(parts, spare, ndim)
            for number, pose in enumerate(POSES[ndim]):
                if pose[0] == transposed:
                    np.maximum(top[number], sums[_flips(pose, ndim)], out=top[number])
    # The first of equals, in the order of the poses and within each of the angles.
    every = top.reshape(len(top), n, angles, m).transpose(0, 2, 1, 3)
    best = np.full((n, m), -np.inf, np.float32)
    where = np.zeros((n, m), np.intp)
    for number, of_pose in enumerate(every):
        for angle, here in enumerate(of_pose):
            better = here > best
            best[better], where[better] = here[better], number * angles + angle
    return best, where


def _flips(pose: tuple[bool, tuple[int, ...]], ndim: int) -> int:
    """Return the flips of a pose as a number, one bit an axis, the first axis highest.

    Before the exchange of axes, which comes first in a pose.
    """
    axes = list(range(ndim))
    if pose[0]:
        axes[-2:] = axes[:-3:-1]
    return sum(1 << (ndim - 1 - axes[a]) for a in pose[1])


def _signed_sums(
    parts: NDArray[np.float32], spare: NDArray[np.float32], ndim: int
) -> NDArray[np.float32]:
    """Add up the parities with the signs that each combination of flips gives them.

    Axis by axis: even and odd add up where the axis stays, and are subtracted where it is flipped
    (Walsh-Hadamard). Both arrays are overwritten.
    """
    for axis in range(ndim):
        step = 1 << (ndim - 1 - axis)
        for k in range(len(parts)):
            if not k & step:
                np.add(parts[k], parts[k + step], out=spare[k])
                np.subtract(parts[k], parts[k + step], out=spare[k + step])
        parts, spare = spare, parts
    return parts


def parities(spectra: NDArray[np.complex64], ndim: int) -> list[NDArray[np.float32]]:
    """Return real vectors by their parity along each axis; inner products add up to correlations.

    Parameters
    ----------
    spectra : ndarray, shape (..., l, l) or (..., l, l, l)
        Of unit energy, `centred`.
    ndim : int

    Returns
    -------
    list of ndarray, shape (..., k), float32
        ``2 ** ndim`` of them: even along all axes first, odd along all axes last, the last axis
        varying fastest. A flip changes the sign of what is odd along its axis.

    Notes
    -----
    Of the Hartley transform, real part minus imaginary part, whose inner products are those of the
    images (Bracewell, J. Opt. Soc. Am. 73(12), 1983, doi:10.1364/JOSA.73.001832).

    Examples
    --------
    >>> from sdq_imaging.spectra import spectrum
    >>> x = np.random.default_rng(0).standard_normal((2, 16, 16)).astype(np.float32)
    >>> s = spectrum(x, 3)
    >>> inner = sum(float(p[0] @ p[1]) for p in parities(centred(s, 16, 2), 2))
    >>> bool(np.isclose(inner, (s[0] * np.conj(s[1])).sum().real))
    True
    """
    band = spectra.shape[-1] // 2
    found = [(spectra.real - spectra.imag) * np.float32(0.5 ** (ndim / 2))]
    for axis in range(-ndim, 0):
        split = []
        after = (slice(None),) * (-axis - 1)
        zero: Any = (..., slice(0, 1), *after)
        ahead: Any = (..., slice(1, band + 1), *after)
        behind: Any = (..., slice(None, band, -1), *after)
        for x in found:
            even = np.empty((*x.shape[:axis], band + 1, *x.shape[x.ndim + axis + 1 :]), np.float32)
            np.multiply(x[zero], _ROOT, out=even[zero])
            np.add(x[ahead], x[behind], out=even[ahead])
            split += [even, x[ahead] - x[behind]]
        found = split
    return [x.reshape(*spectra.shape[: spectra.ndim - ndim], -1) for x in found]
