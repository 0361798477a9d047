"""The mean beat of each lead, over the beats of the commonest form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from sdq_signals.features.beats import Beats
from sdq_signals.features.segments import run_mean, run_median, run_of

__all__ = ["AFTER_S", "BEFORE_S", "Templates", "mean_beats"]

BEFORE_S: Final = 0.36
"""Seconds of the mean beat before R: PR up to 0.3 s."""
AFTER_S: Final = 0.64
"""Seconds after R: QT up to 0.6 s."""

_COMPLEX_S: Final = (0.10, 0.14)  # around R: what beats are compared by
_SHIFTS: Final = 3  # samples by which a beat is moved to fit, to each side
_ALIKE: Final = 0.85
_CANDIDATES: Final = 12
_GROUPS: Final = 4

Samples = NDArray[np.float32]
Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Templates:
    """The mean beats of a batch.

    Parameters
    ----------
    mean : ndarray, shape (n, c, w), float32
        Millivolts, from the working rate's band of shapes; zero for a recording without beats.
    residuals : ndarray, shape (n, 4, c, w), float32
        What `mean` owes to chance: the sum over the second axis of the squares of a linear
        function of them estimates the variance of that function of `mean`. They are weighted
        deviations of the means of every fourth beat. Zero where there are fewer than two beats.
    r : int
        Sample of R in the window.
    first, last : ndarray of int, shape (n,)
        Samples of the window, first included and last excluded, inside the recording for the
        beats used. Whole beats only are used where there are any.
    used : ndarray of int, shape (n,)
        Beats in the mean.
    regular : ndarray of bool, shape (k,)
        Of each beat whether its QRS has the commonest form.
    place : ndarray, shape (k,), float64
        Sample of R of each beat, moved to fit the others to a fraction of a sample.
    """

    mean: Samples
    residuals: Samples
    r: int
    first: Rows
    last: Rows
    used: Rows
    regular: NDArray[np.bool_]
    place: NDArray[np.float64]


def mean_beats(
    shape: Samples, beats: Beats, rate: float, gone: NDArray[np.bool_] | None = None
) -> Templates:
    """Average the beats of the commonest form.

    The reference is, of up to 12 beats of a recording, the one that most others correlate with
    by at least 0.85 over all leads from 100 ms before to 140 ms after R. Beats that correlate
    with it by as much, after being moved by up to 12 ms, are averaged; ventricular extrasystoles
    and artefacts fall out.

    Parameters
    ----------
    shape : ndarray, shape (n, c, t), float32
    beats : Beats
    rate : float
    gone : ndarray of bool, shape (n, t), optional
        Where samples are missing: beats that touch it are averaged only where there are no others.

    Returns
    -------
    Templates

    Examples
    --------
    >>> x = np.zeros((1, 1, 1000), np.float32)
    >>> x[0, 0, 100::200] = 1
    >>> beats = Beats(np.zeros(5, int), np.arange(100, 1000, 200), 1)
    >>> found = mean_beats(x, beats, 250)
    >>> found.mean.shape, int(found.mean[0, 0].argmax()) == found.r, found.used.tolist()
    ((1, 1, 250), True, [4])
    """
    n, _, t = shape.shape
    before, after = round(BEFORE_S * rate), round(AFTER_S * rate)
    width = before + after
    edge = np.pad(shape, [(0, 0), (0, 0), (width, width)], mode="edge")
    regular, place = _compare(edge, beats, rate, width)
    at = np.rint(place).astype(np.intp)
    whole = (at >= before) & (at + after <= t)
    if gone is not None:
        lost = np.pad(np.cumsum(gone, axis=1), [(0, 0), (1, 0)])
        ends = np.clip(at[:, None] + (-before, after), 0, t)
        whole &= lost[beats.row, ends[:, 1]] == lost[beats.row, ends[:, 0]]
    calm = whole & ~_cut_short(beats, place)
    # The best beats that a recording has: whole and not cut short by the next one, whole, any.
    used = regular.copy()
    for better in (whole, calm):
        best = np.bincount(beats.row[regular & better], minlength=n) > 0
        used = np.where(best[beats.row], regular & better, used)
    row, at = beats.row[used], at[used]
    cut = sliding_window_view(edge, width, axis=2)[row, :, at - before + width]
    mean, residuals, count = _average(cut, row, n)
    low, high = np.zeros(n, np.intp), np.full(n, width)
    np.maximum.at(low, row, before - at)
    np.minimum.at(high, row, before + t - at)
    return Templates(mean, residuals, before, low, high, count, regular, place)


def _cut_short(beats: Beats, place: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether the next beat comes before 80 % of the usual interval: it may cover T."""
    short = np.zeros(len(place), bool)
    same = beats.row[1:] == beats.row[:-1]
    interval = np.diff(place)
    usual = run_median(interval[same], beats.row[1:][same], beats.n)
    short[:-1] = same & (interval < 0.8 * usual[beats.row[1:]])
    return short


def _average(cut: Samples, row: Rows, n: int) -> tuple[Samples, Samples, Rows]:
    """Mean of the beats of each recording, its residuals, and the number of beats."""
    first, count = run_of(row, n)
    group = (np.arange(len(row)) - first[row]) % _GROUPS
    size = np.bincount(row * _GROUPS + group, minlength=n * _GROUPS).reshape(n, _GROUPS)
    total = np.zeros((n * _GROUPS, *cut.shape[1:]), np.float32)
    turn = (np.arange(len(row)) - first[row]) // _GROUPS
    for k in range(int(turn.max(initial=-1)) + 1):  # one beat of each group at a time
        these = np.flatnonzero(turn == k)
        total[(row * _GROUPS + group)[these]] += cut[these]
    total = total.reshape(n, _GROUPS, *cut.shape[1:])
    all_beats = total[:, 0] + total[:, 1] + (total[:, 2] + total[:, 3])
    mean = all_beats / np.maximum(count, 1)[:, None, None].astype(np.float32)
    # Deviation of each group's mean, weighted so that the squares add up to the variance of the
    # mean of all: sum n_g (m_g - m)^2 / ((G - 1) N).
    groups = (size > 0).sum(axis=1)
    below = np.maximum(groups - 1, 1) * np.maximum(count, 1)
    weight = np.where((size > 0) & (groups > 1)[:, None], np.sqrt(size / below[:, None]), 0)
    total /= np.maximum(size, 1).astype(np.float32)[:, :, None, None]
    total -= mean[:, None]
    total *= weight.astype(np.float32)[:, :, None, None]
    return mean, total, count


def _compare(
    edge: Samples, beats: Beats, rate: float, pad: int
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Of each beat: is it of the commonest form, and where does it fit best."""
    k, n = len(beats.row), beats.n
    if not k:
        return np.zeros(0, bool), np.zeros(0)
    left, right = (round(s * rate) for s in _COMPLEX_S)
    span = left + right
    wide = sliding_window_view(edge, span + 2 * _SHIFTS, axis=2)
    cut = wide[beats.row, :, beats.place - left - _SHIFTS + pad]
    middle = _unit(cut[:, :, _SHIFTS : _SHIFTS + span])
    first, count = run_of(beats.row, n)
    most = min(_CANDIDATES, int(count.max()))
    # Candidates evenly over the recording; a recording of fewer beats repeats some.
    chosen = first[:, None] + (np.arange(most) * count[:, None]) // most
    chosen = np.minimum(chosen, k - 1)
    score = np.empty((k, most), np.float32)
    for j in range(most):
        np.einsum("ki,ki->k", middle, middle[chosen[beats.row, j]], out=score[:, j])
    votes = np.zeros((n, most))
    np.add.at(votes, beats.row, np.where(score > _ALIKE, 1000 + score, score))
    winner = chosen[np.arange(n), votes.argmax(axis=1)]
    reference = middle[np.minimum(winner, k - 1)][beats.row].reshape(k, -1, span)
    fits = np.empty((k, 2 * _SHIFTS + 1))
    for j in range(2 * _SHIFTS + 1):
        # The reference has no mean in any lead, so that the beat's own need not be taken off.
        part = cut[:, :, j : j + span]
        size = np.einsum("kcw,kcw->k", part, part, dtype=np.float64)
        means = np.einsum("kcw->kc", part, dtype=np.float64) / span
        size = np.maximum(size - span * np.einsum("kc,kc->k", means, means), 1e-18)
        fits[:, j] = np.einsum("kcw,kcw->k", part, reference) / np.sqrt(size)
    best = fits.argmax(axis=1)
    rows = np.arange(k)
    regular = fits[rows, best] > _ALIKE
    inner = np.clip(best, 1, 2 * _SHIFTS - 1)
    a, b, c = (fits[rows, inner + d] for d in (-1, 0, 1))
    bend = a - 2 * b + c
    fraction = np.where(bend < 0, 0.5 * (a - c) / np.minimum(bend, -1e-12), 0)
    fraction = np.where(best == inner, np.clip(fraction, -0.5, 0.5), 0)
    moved = np.where(regular, best - _SHIFTS + fraction, 0)
    # R of the mean beat is where R was found on average, not where it was in the reference.
    offset = np.nan_to_num(run_mean(moved[regular], beats.row[regular], n))[beats.row]
    place = beats.place + np.where(regular, moved - offset, 0)
    return np.asarray(regular, bool), np.asarray(place, np.float64)


def _unit(cut: Samples) -> Samples:
    """Beats (k, c, w) as rows of length one, each lead without its mean."""
    flat = (cut - cut.mean(axis=2, keepdims=True)).reshape(len(cut), -1)
    size = np.sqrt(np.einsum("ki,ki->k", flat, flat))
    return np.asarray(flat / np.maximum(size, np.float32(1e-9))[:, None], np.float32)
