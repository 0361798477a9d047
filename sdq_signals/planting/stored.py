"""Whole numbers of a file from physical values: scale kept where it suffices, else widened."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Converter", "converted"]


@dataclass(frozen=True, slots=True)
class Converter:
    """Stored values are ``(value - shift) / step``, between `lowest` and `highest`."""

    step: float
    shift: float
    lowest: int
    highest: int


def converted(
    values: NDArray[np.float64], own: Converter, bits: int, full_scale: float = 0.0
) -> tuple[NDArray[np.int64], Converter]:
    """Convert one channel.

    Parameters
    ----------
    values : ndarray, shape (t,)
        In the unit of the header; NaN becomes 0.
    own : Converter
        That of the file.
    bits : int
        Of a stored sample.
    full_scale : float
        Largest value that the converter shall hold, as a multiple of the largest one here; 0 where
        it shall hold all.

    Returns
    -------
    stored : ndarray of int64, shape (t,)
    converter : Converter
        `own` where all values fit; else of all bits; else of a coarser step.

    Examples
    --------
    >>> own = Converter(0.005, 0.0, -2048, 2047)
    >>> stored, used = converted(np.array([0.01, 11.0]), own, 16)
    >>> stored.tolist(), used.step, used.highest
    ([2, 2200], 0.005, 32767)
    """
    known = np.nan_to_num(values)
    least, most = -(2 ** (bits - 1)) + 1, 2 ** (bits - 1) - 1
    largest = float(np.abs(known).max(initial=0.0))
    if full_scale > 0 and largest > 0:
        limit = full_scale * largest
        cut = Converter(limit / most, 0.0, -most, most)
        return np.rint(np.clip(known, -limit, limit) / cut.step).astype(np.int64), cut
    stored = np.rint((known - own.shift) / own.step)
    if stored.min(initial=0) >= own.lowest and stored.max(initial=0) <= own.highest:
        return stored.astype(np.int64), own
    wide = Converter(own.step, own.shift, least, most)
    if stored.min(initial=0) < least or stored.max(initial=0) > most:
        wide = Converter(np.copysign(largest / most, own.step), 0.0, least, most)
        stored = np.rint(known / wide.step)
    return stored.astype(np.int64), wide
