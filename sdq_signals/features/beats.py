"""R peaks of a batch of electrocardiograms, from all leads of each together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from sdq_signals.features.segments import run_median, run_of

__all__ = ["Beats", "beat_energy", "find_beats", "frames", "largest_near", "peaks"]

_FRAME_S: Final = 0.02
_SMOOTH_S: Final = 0.1  # about the length of QRS
_REFRACTORY_S: Final = 0.25
_BLOCK_S: Final = 2.0  # holds at least one beat at 30 a minute
_BLOCKS: Final = 5
_SURE: Final = 0.37  # share of the usual height from which a peak is a beat
_POSSIBLE: Final = 0.14  # from which it may be one that fills a gap
_REFINE_S: Final = 0.06

Samples = NDArray[np.float32]
Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Beats:
    """The beats of a batch as flat arrays, sorted by recording and time.

    Parameters
    ----------
    row : ndarray of int, shape (k,)
        The recording that each beat belongs to.
    place : ndarray of int, shape (k,)
        Sample of R at the working rate.
    n : int
        Recordings in the batch.
    """

    row: Rows
    place: Rows
    n: int

    @property
    def count(self) -> Rows:
        """Beats of each recording, shape (n,)."""
        return np.bincount(self.row, minlength=self.n)

    def take(self, keep: NDArray[np.bool_]) -> Beats:
        """Return the beats of a mask."""
        return Beats(self.row[keep], self.place[keep], self.n)


def frames(x: Samples, rate: float) -> Samples:
    """Return the mean square of stretches of 20 ms: (..., t) to (..., frames).

    Examples
    --------
    >>> frames(np.full((1, 12), 2, np.float32), 250).tolist()
    [[4.0, 4.0]]
    """
    size = max(1, round(_FRAME_S * rate))
    count = x.shape[-1] // size
    cut = x[..., : count * size].reshape(*x.shape[:-1], count, size)
    return np.asarray(np.einsum("...k,...k->...", cut, cut) / np.float32(size), np.float32)


def beat_energy(beat: Samples, rate: float) -> Samples:
    """Return one course of energy of all leads together, in which QRS stands out.

    Each lead is divided by the level of its own peaks, and counts more the more its peaks stand
    out of the rest: a lead of noise has no weight, a small QRS has the weight of a large one.

    Parameters
    ----------
    beat : ndarray, shape (n, c, t), float32
        In the band of QRS.
    rate : float

    Returns
    -------
    ndarray, shape (n, t), float32
        Without unit; zero where all leads are flat.
    """
    n, _, t = beat.shape
    level = np.sort(frames(beat, rate), axis=-1)
    count = level.shape[-1]
    if count == 0:
        return np.zeros((n, t), np.float32)
    high, low = level[..., int(0.95 * (count - 1))], level[..., count // 2]
    standing = high / np.maximum(low, 1e-6 * high + 1e-20)
    weight = (standing / (standing + 300)) ** 2 / np.maximum(high, 1e-12)
    # Below half a microvolt there is nothing but the rounding of the transform.
    weight = np.where(high > 2.5e-7, weight, 0).astype(np.float32)
    return np.asarray(np.einsum("nct,nct,nc->nt", beat, beat, weight), np.float32)


def peaks(course: Samples, distance: int) -> NDArray[np.bool_]:
    """Mark the samples that are the largest within `distance` on both sides.

    Parameters
    ----------
    course : ndarray, shape (..., t)
    distance : int
        Samples.

    Returns
    -------
    ndarray of bool, shape (..., t)
        Of equal neighbours the first is marked; a constant course has none.

    Examples
    --------
    >>> peaks(np.array([[0, 3, 3, 1, 2, 0]], np.float32), 1).nonzero()[1].tolist()
    [1, 4]
    """
    top = largest_near(course, distance) == course
    rising = np.ones_like(top)
    rising[..., 1:] = course[..., 1:] > course[..., :-1]
    falling = np.ones_like(top)
    falling[..., :-1] = course[..., :-1] >= course[..., 1:]
    top &= rising
    top &= falling
    # At the ends the course must at least move.
    if course.shape[-1] > 1:
        top[..., 0] &= course[..., 0] > course[..., 1]
    else:
        top[...] = False
    return np.asarray(top, bool)


def largest_near(course: NDArray[Any], distance: int) -> NDArray[Any]:
    """Return the largest value within `distance` on both sides, by windows that double.

    Parameters
    ----------
    course : ndarray, shape (..., t)
    distance : int
        Samples.

    Returns
    -------
    ndarray, shape (..., t)

    Examples
    --------
    >>> largest_near(np.array([[0, 3, 0, 0, 1, 0]]), 1).tolist()
    [[3, 3, 3, 1, 1, 1]]
    """
    found = course.copy()
    width = 1  # of the window that begins, and in the end is centred, at each sample
    while width <= distance:
        step = min(width, distance + 1 - width)
        np.maximum(found[..., :-step], found[..., step:], out=found[..., :-step])
        width += step
    backward = course.copy()
    width = 1
    while width <= distance:
        step = min(width, distance + 1 - width)
        np.maximum(backward[..., step:], backward[..., :-step], out=backward[..., step:])
        width += step
    return np.asarray(np.maximum(found, backward, out=found))


def find_beats(energy: Samples, rate: float, gone: NDArray[np.bool_] | None = None) -> Beats:
    """Find the beats of a batch.

    The root of the energy, smoothed over 100 ms, has one peak a beat. A peak that is the largest
    within 250 ms and reaches 37 % of the usual height is a beat; the usual height is the running
    median of the largest values of five stretches of 2 s. A gap of more than 1.6 usual RR
    intervals takes its highest peak above 14 %. What follows a much larger beat within 360 ms is
    its T wave. Energy and thresholds after Pan and Tompkins 1985, doi:10.1109/TBME.1985.325532.

    Parameters
    ----------
    energy : ndarray, shape (n, t), float32
        As from `beat_energy`.
    rate : float
        Samples a second.
    gone : ndarray of bool, shape (n, t), optional
        Where samples are missing: no beats there.

    Returns
    -------
    Beats

    Examples
    --------
    >>> energy = np.zeros((2, 1000), np.float32)
    >>> energy[0, 100:1000:200] = 1
    >>> beats = find_beats(energy, 250)
    >>> beats.count.tolist(), beats.place.tolist()
    ([5, 0], [100, 300, 500, 700, 900])
    """
    n, t = energy.shape
    width = max(1, round(_SMOOTH_S * rate))
    course = np.sqrt(np.maximum(uniform_filter1d(energy, width, axis=1, mode="nearest"), 0))
    usual = _usual_height(course, rate)
    ratio = course / np.maximum(usual, np.float32(1e-9))
    possible = peaks(course, round(_REFRACTORY_S * rate)) & (ratio > _POSSIBLE)
    row, place = np.nonzero(possible)
    height = ratio[row, place]
    chosen = height > _SURE
    chosen &= ~_follows_a_larger(row, place, height, chosen, rate)
    for _ in range(2):
        chosen |= _fills_a_gap(row, place, height, chosen, n, rate)
    row, place = row[chosen], place[chosen]
    reach = np.arange(-round(_REFINE_S * rate), round(_REFINE_S * rate) + 1)
    grid = np.clip(place[:, None] + reach, 0, max(t - 1, 0))
    place = grid[np.arange(len(row)), energy[row[:, None], grid].argmax(axis=1)]
    fresh = np.ones(len(row), bool)
    fresh[1:] = (row[1:] != row[:-1]) | (place[1:] - place[:-1] > 0.1 * rate)
    if gone is not None:
        fresh &= ~gone[row, place]
    return Beats(row[fresh], place[fresh], n)


def _usual_height(course: Samples, rate: float) -> Samples:
    """Return the running median of the largest values of stretches, as a course: (n, t)."""
    n, t = course.shape
    count = max(1, round(t / (_BLOCK_S * rate)))
    edges = (np.arange(count) * t) // count
    top = np.maximum.reduceat(course, edges, axis=1) if t else np.zeros((n, 1), np.float32)
    # Stretches without any signal say nothing of its height.
    overall = _masked_median(top, top > 0)
    held = top > 0.2 * overall[:, None]
    window = min(_BLOCKS, count)
    start = np.clip(np.arange(count) - window // 2, 0, count - window)
    nearby = start[:, None] + np.arange(window)
    level = _masked_median(top[:, nearby], held[:, nearby])
    level = np.where(level > 0, level, overall[:, None]).astype(np.float32)
    return np.repeat(level, np.diff(np.append(edges, t)), axis=1)


def _masked_median(values: Samples, held: NDArray[np.bool_]) -> Samples:
    """Median along the last axis of the values held; zero where there is none."""
    ordered = np.sort(np.where(held, values, np.inf), axis=-1)
    count = held.sum(axis=-1, keepdims=True)
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis=-1)
    high = np.take_along_axis(ordered, np.minimum(count // 2, values.shape[-1] - 1), axis=-1)
    return np.where(count > 0, 0.5 * (low + np.where(count > 0, high, low)), 0)[..., 0]


def _neighbours(row: Rows, place: Rows, chosen: NDArray[np.bool_]) -> tuple[Rows, Rows]:
    """Of each peak the index of the chosen one before and after it in its row; -1 for none."""
    index = np.where(chosen, np.arange(len(row)), -1)
    before = np.full(len(row), -1)
    before[1:] = np.maximum.accumulate(index)[:-1]
    backward = np.where(chosen, np.arange(len(row)), len(row))[::-1]
    after = np.full(len(row), len(row))
    after[:-1] = np.minimum.accumulate(backward)[::-1][1:]
    before[(before >= 0) & (row[before] != row)] = -1
    after[(after < len(row)) & (row[np.minimum(after, len(row) - 1)] != row)] = len(row)
    return before, np.where(after < len(row), after, -1)


def _follows_a_larger(
    row: Rows, place: Rows, height: Samples, chosen: NDArray[np.bool_], rate: float
) -> NDArray[np.bool_]:
    """Whether a peak is likely the T wave of the beat before it."""
    if not len(row):
        return chosen
    before, _ = _neighbours(row, place, chosen)
    close = (before >= 0) & (place - place[before] < 0.36 * rate)
    return close & (height < 0.55 * height[before])


def _fills_a_gap(
    row: Rows, place: Rows, height: Samples, chosen: NDArray[np.bool_], n: int, rate: float
) -> NDArray[np.bool_]:
    """Whether a peak is the highest in a gap in which a beat is missing."""
    if not len(row):
        return chosen
    before, after = _neighbours(row, place, chosen)
    r, p = row[chosen], place[chosen]
    same = r[1:] == r[:-1]
    usual = run_median(np.diff(p)[same], r[1:][same], n)[row]
    gap = place[after] - place[before]
    inside = (before >= 0) & (after >= 0) & ~chosen
    inside &= gap > 1.6 * np.nan_to_num(usual, nan=np.inf)
    margin = np.maximum(0.3 * np.nan_to_num(usual, nan=np.inf), 0.3 * rate)
    inside &= (place - place[before] > margin) & (place[after] - place > margin)
    candidates = np.flatnonzero(inside)
    if not len(candidates):
        return inside
    # The highest of those that share the same gap.
    gap_id = before[candidates]
    order = np.lexsort((-height[candidates], gap_id))
    first, count = run_of(np.unique(gap_id[order], return_inverse=True)[1], len(np.unique(gap_id)))
    found = np.zeros(len(row), bool)
    found[candidates[order[first[count > 0]]]] = True
    return found
