"""Where P, QRS and T begin, peak and end in the mean beat of all leads together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from sdq_signals.features.beats import peaks
from sdq_signals.features.template import Templates

__all__ = ["Marks", "delineate"]

_QRS_EDGE: Final = 0.075  # share of the largest speed at which QRS begins and ends
_FOOT_S: Final = 0.056  # half the width of a P wave
_P_SHARE: Final = 0.3  # of the highest bump (squared) that P must have to be taken before it
_P_EDGE: Final = 0.25  # share of a flank's largest slope at which P begins and ends

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Marks:
    """Places in the mean beats of a batch, in samples of the window, fractions included.

    Parameters
    ----------
    p_on, p_peak, p_off, qrs_on, qrs_off, t_peak, t_end : ndarray, shape (n,), float64
        NaN where the window or the recording does not reach so far, or there is no QRS. P and T
        are the most prominent bumps: whether they are waves is another question.
    p_prominence : ndarray, shape (n,), float64
        Root mean square over the leads, in mV, of the height of P over the line between its feet,
        noise subtracted: about 0 without a P wave.
    p_noise : ndarray, shape (n,), float64
        The same of the noise alone.
    baseline : ndarray, shape (n, c), float32
        Mean of 16 ms before QRS, from which amplitudes are measured.
    """

    p_on: Values
    p_peak: Values
    p_off: Values
    qrs_on: Values
    qrs_off: Values
    t_peak: Values
    t_end: Values
    p_prominence: Values
    p_noise: Values
    baseline: NDArray[np.float32]


def delineate(templates: Templates, rate: float, rr_s: Values) -> Marks:
    """Find the limits of the waves in the mean beats.

    QRS begins and ends where the speed, the norm over the leads of the slope less that of the
    noise, crosses 7.5 % of its maximum over the quiet level beside it. T is the largest deviation
    from the baseline after QRS, seen in the direction over the leads that it has at its peak; its
    end is where the tangent at its steepest descent meets the level after it (Lepeschkin and
    Surawicz 1952, doi:10.1161/01.CIR.6.3.378). P is the most prominent bump before QRS, likewise
    seen in its own direction.

    Parameters
    ----------
    templates : Templates
    rate : float
    rr_s : ndarray, shape (n,), float64
        Usual RR interval in seconds; NaN where unknown.

    Returns
    -------
    Marks
    """
    beat = _Beat(templates, rate, rr_s)
    qrs_on, qrs_off = beat.complex()
    t_peak, t_end = beat.repolarisation(qrs_off)
    p_on, p_peak, p_off, prominence, noise = beat.atrial(qrs_on, t_end)
    return Marks(
        p_on, p_peak, p_off, qrs_on, qrs_off, t_peak, t_end, prominence, noise, beat.baseline
    )


class _Beat:
    """The mean beats while they are being marked."""

    def __init__(self, templates: Templates, rate: float, rr_s: Values) -> None:
        self.mean, self.residuals, self.r = templates.mean, templates.residuals, templates.r
        self.n, self.leads, self.width = self.mean.shape
        self.rate = rate
        self.rows = np.arange(self.n)
        self.at = np.arange(self.width)[None]
        self.first, self.last = templates.first[:, None], templates.last[:, None]
        self.rr = np.where(np.isfinite(rr_s), rr_s, 1.0) * rate
        self.some = templates.used > 0
        self.baseline = np.zeros(self.mean.shape[:2], np.float32)

    def samples(self, seconds: float) -> int:
        """Seconds as whole samples."""
        return round(seconds * self.rate)

    def complex(self) -> tuple[Values, Values]:
        """Onset and offset of QRS."""
        r, s = self.r, self.samples
        squared = _slope2(self.mean[:, None]) - _slope2(self.residuals)
        speed = np.sqrt(np.maximum(uniform_filter1d(squared, 3, axis=1, mode="nearest"), 0))
        around = (self.at >= r - s(0.07)) & (self.at <= r + s(0.09))
        top = np.where(around, speed, 0).max(axis=1)
        before = (self.at >= np.maximum(r - s(0.14), self.first)) & (self.at < r)
        after = (self.at > r) & (self.at < np.minimum(r + s(0.2), self.last))
        on = self._crossing(speed, top, before, backward=True)
        off = self._crossing(speed, top, after, backward=False)
        ok = self.some & (top > 1e-7)
        on, off = np.where(ok, on, np.nan), np.where(ok, off, np.nan)
        self._set_baseline(on)
        return on, off

    def _crossing(
        self, speed: Values, top: Values, inside: NDArray[np.bool_], *, backward: bool
    ) -> Values:
        """Where the speed, going away from R, first falls under its threshold and stays there."""
        quiet = np.where(inside, speed, np.inf).min(axis=1)
        quiet = np.where(np.isfinite(quiet), quiet, 0)
        limit = (quiet + _QRS_EDGE * (top - quiet))[:, None]
        low = speed < limit
        hold = self.samples(0.012)
        stays = low.copy()
        for d in range(1, hold):
            moved = np.ones_like(low)
            if backward:
                moved[:, d:] = low[:, :-d]
            else:
                moved[:, :-d] = low[:, d:]
            stays &= moved
        # The search starts outside the notch that every R peak has.
        start = self.samples(0.008)
        far = self.at <= self.r - start if backward else self.at >= self.r + start
        found = stays & inside & far
        place = self.width - 1 - found[:, ::-1].argmax(axis=1) if backward else found.argmax(axis=1)
        inner = np.clip(place + (1 if backward else -1), 0, self.width - 1)
        a, b = speed[self.rows, place], speed[self.rows, inner]
        part = np.where(b > a, (limit[:, 0] - a) / np.where(b > a, b - a, 1), 0)
        exact = place + np.clip(part, 0, 1) * (1 if backward else -1)
        return np.where(found.any(axis=1), exact, np.nan)

    def _set_baseline(self, on: Values) -> None:
        """Level of 16 ms that end 4 ms before QRS."""
        end = np.where(np.isfinite(on), on, self.r).astype(np.intp)
        grid = np.clip(end[:, None] - 1 - np.arange(4), self.first, None)
        picked = np.take_along_axis(self.mean, grid[:, None], axis=2)
        self.baseline = picked.mean(axis=2)

    def repolarisation(self, off: Values) -> tuple[Values, Values]:
        """Peak and end of T."""
        s = self.samples
        z = self.mean - self.baseline[:, :, None]
        size = np.einsum("ncw,ncw->nw", z, z)
        start = np.nan_to_num(off, nan=0)[:, None] + s(0.05)
        end = np.minimum(self.last, self.r + np.minimum(0.68 * self.rr, s(0.52))[:, None])
        inside = (self.at > start) & (self.at < end)
        peak = np.where(inside, size, -1).argmax(axis=1)
        course = _along(z, z, self.rows, peak, s(0.012))
        slope = np.gradient(uniform_filter1d(course, s(0.016), axis=1, mode="nearest"), axis=1)
        reach = np.minimum(self.last, self.r + np.minimum(0.95 * self.rr, 10 * self.rate)[:, None])
        down = (self.at > peak[:, None]) & (self.at < np.minimum(peak[:, None] + s(0.15), reach))
        steep = np.where(down, slope, np.inf).argmin(axis=1)
        fall = slope[self.rows, steep]
        tail = (self.at > steep[:, None]) & (self.at <= np.minimum(steep[:, None] + s(0.16), reach))
        floor = np.where(tail, course, np.inf).min(axis=1)
        level = course[self.rows, steep]
        ok = np.isfinite(off) & inside.any(axis=1) & down.any(axis=1) & (fall < 0)
        ok &= np.isfinite(floor) & (floor < level)
        t_end = steep + np.where(ok, level - np.where(ok, floor, 0), 0) / np.where(ok, -fall, 1)
        ok &= t_end < self.last[:, 0]
        none = np.where(ok, 0.0, np.nan)
        return _vertex(course, peak, self.rows) + none, t_end + none

    def atrial(self, on: Values, t_end: Values) -> tuple[Values, Values, Values, Values, Values]:
        """Onset, peak and offset of P, its prominence and that of the noise."""
        s, foot = self.samples, self.samples(_FOOT_S)
        # What follows the onset of QRS is replaced by the level there; R and a foot's breadth is
        # as far as P is looked for.
        width = min(self.width, self.r + s(0.1) + foot)
        at = self.at[:, :width]
        last = np.maximum(np.nan_to_num(on, nan=0) - 1, 0).astype(np.intp)
        place = np.minimum(at, last[:, None])
        place = np.maximum(place, np.minimum(self.first, self.width - 1))[:, None]
        bump = _prominence(np.take_along_axis(self.mean, place, axis=2), foot)
        noise = _prominence(np.take_along_axis(self.residuals, place[:, None], axis=3), foot)
        variance = np.einsum("ngcw,ngcw->nw", noise, noise)
        score = np.einsum("ncw,ncw->nw", bump, bump) - variance
        score = uniform_filter1d(score, 3, axis=1, mode="nearest")
        before_t = np.nan_to_num(t_end - self.rr, nan=-1e9)[:, None]
        start = np.maximum(np.maximum(self.first + foot // 2, before_t), on[:, None] - s(0.25))
        inside = (at >= start) & (at <= on[:, None] - s(0.036))
        # The valley between T and P is a bump as well, but not away from the baseline. Of the
        # high ones the last is P.
        z = np.take_along_axis(self.mean, place, axis=2) - self.baseline[:, :, None]
        away = np.einsum("ncw,ncw->nw", bump, z) > 0.4 * np.einsum("ncw,ncw->nw", bump, bump)
        bumps = inside & away & peaks(score, s(0.02))
        highest = np.where(bumps, score, 0).max(axis=1, keepdims=True)
        high = bumps & (score >= _P_SHARE * highest)
        peak = width - 1 - high[:, ::-1].argmax(axis=1)
        some = bumps.any(axis=1)
        prominence = np.sqrt(np.maximum(score[self.rows, peak], 0) / self.leads)
        level = np.where(inside, variance, 0).sum(axis=1) / np.maximum(inside.sum(axis=1), 1)
        course = _along(bump, z, self.rows, peak, 2)
        p_on = self._flank(course, peak, some, backward=True)
        p_off = self._flank(course, peak, some, backward=False)
        none = np.where(some, 0.0, np.nan)
        # Where nothing rises before QRS, the prominence is known: it is zero.
        seen = np.where(inside.any(axis=1), 0.0, np.nan)
        return (
            p_on,
            _vertex(course, peak, self.rows) + none,
            np.minimum(p_off, on),
            np.where(some, prominence, 0) + seen,
            np.sqrt(level / self.leads) + seen,
        )

    def _flank(
        self, course: Values, peak: NDArray[np.intp], some: NDArray[np.bool_], *, backward: bool
    ) -> Values:
        """Where the slope of P's flank has fallen to a share of its largest."""
        slope = np.gradient(uniform_filter1d(course, 5, axis=1, mode="nearest"), axis=1)
        if not backward:
            slope = -slope
        width = course.shape[1]
        at = self.at[:, :width]
        away = peak[:, None] - at if backward else at - peak[:, None]
        inside = (away > 0) & (away < self.samples(0.09)) & (at >= self.first)
        steep = np.where(inside, slope, -np.inf).argmax(axis=1)
        top = slope[self.rows, steep]
        beyond = at <= steep[:, None] if backward else at >= steep[:, None]
        found = beyond & (slope < _P_EDGE * top[:, None])
        place = width - 1 - found[:, ::-1].argmax(axis=1) if backward else found.argmax(axis=1)
        step = 1 if backward else -1
        inner = np.clip(place + step, 0, width - 1)
        a, b = slope[self.rows, place], slope[self.rows, inner]
        part = np.where(b > a, (_P_EDGE * top - a) / np.where(b > a, b - a, 1), 0)
        ok = some & found.any(axis=1) & (top > 0)
        return np.where(ok, place + step * np.clip(part, 0, 1), np.nan)


def _slope2(x: NDArray[np.float32]) -> Values:
    """Sum over groups and leads of the squared slope a sample: (n, g, c, w) to (n, w)."""
    d = np.gradient(x, axis=3)
    return np.asarray(np.einsum("ngcw,ngcw->nw", d, d), np.float64)


def _prominence(x: NDArray[np.float32], foot: int) -> NDArray[np.float32]:
    """Height over the middle of the line between two feet."""
    low = np.empty_like(x)
    low[..., foot:-foot] = 0.5 * (x[..., : -2 * foot] + x[..., 2 * foot :])
    low[..., :foot] = x[..., :foot]
    low[..., -foot:] = x[..., -foot:]
    return x - low


def _along(
    shape: NDArray[np.float32],
    x: NDArray[np.float32],
    rows: NDArray[np.intp],
    peak: NDArray[np.intp],
    reach: int,
) -> Values:
    """Course of `x` in the direction over the leads that `shape` has at its peak."""
    grid = np.clip(peak[:, None] + np.arange(-reach, reach + 1), 0, shape.shape[2] - 1)
    direction = np.take_along_axis(shape, grid[:, None], axis=2).mean(axis=2)
    length = np.sqrt(np.einsum("nc,nc->n", direction, direction))
    direction = direction / np.maximum(length, np.float32(1e-9))[:, None]
    return np.asarray(np.einsum("ncw,nc->nw", x, direction), np.float64)


def _vertex(course: Values, peak: NDArray[np.intp], rows: NDArray[np.intp]) -> Values:
    """Place of the peak by the parabola through three samples."""
    inner = np.clip(peak, 1, course.shape[1] - 2)
    a, b, c = (course[rows, inner + d] for d in (-1, 0, 1))
    bend = a - 2 * b + c
    part = np.where(bend < 0, 0.5 * (a - c) / np.minimum(bend, -1e-12), 0)
    return np.asarray(inner + np.clip(part, -0.5, 0.5), np.float64)
