"""Intervals, amplitudes and axes of the mean beat."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_signals.features.delineation import Marks
from sdq_signals.features.template import Templates

__all__ = ["AMPLITUDE_LEADS", "Shapes", "interval_features", "measure", "wave_features"]

AMPLITUDE_LEADS: Final = ("I", "II", "V1", "V2", "V5")
"""Leads whose amplitudes are features: the frontal plane, and the right, the front, the left."""

P_RATIO: Final = 3.5
P_SMALLEST_MV: Final = 0.010
P_SMALLEST_ALONE_MV: Final = 0.030  # where there is one beat, and so no estimate of the noise
T_RATIO: Final = 4.0
T_SMALLEST_MV: Final = 0.015
_ST_MS: Final = 60.0

Values = NDArray[np.float64]


class Shapes:
    """Amplitudes of every lead of the mean beats, in mV over the baseline before QRS.

    Parameters
    ----------
    p, q, r, s, t, st, net : ndarray, shape (n, c), float64
        P over the line between its feet; R the largest positive, Q and S the lowest negative
        value before and after it (0 where there is none); T at its common peak; ST 60 ms after
        the end of QRS; area of QRS in mV ms.
    p_present, t_present : ndarray of bool, shape (n,)
    """

    __slots__ = ("net", "p", "p_present", "q", "r", "s", "st", "t", "t_present")

    def __init__(self, templates: Templates, marks: Marks, rate: float) -> None:
        z = templates.mean - marks.baseline[:, :, None]
        _, c, width = z.shape
        at = np.arange(width)
        some = np.isfinite(marks.qrs_on) & np.isfinite(marks.qrs_off)
        on, off = np.nan_to_num(marks.qrs_on)[:, None], np.nan_to_num(marks.qrs_off)[:, None]
        # From here on only the part of the window that QRS can lie in, the same for every batch.
        first = max(0, templates.r - round(0.16 * rate))
        last = min(width, templates.r + round(0.24 * rate))
        part = z[:, :, first:last]
        place = at[first:last]
        inside = ((place >= np.floor(on)) & (place <= np.ceil(off)))[:, None]
        high = np.where(inside, part, np.float32(-np.inf))
        peak = high.argmax(axis=2)[:, :, None]
        low = np.where(inside, part, np.float32(0))
        order = np.arange(last - first)
        none = np.where(some, 0.0, np.nan)[:, None]
        self.r = np.maximum(np.take_along_axis(high, peak, 2)[:, :, 0], 0) + none
        self.q = np.minimum(np.where(order < peak, low, np.float32(0)).min(axis=2), 0) + none
        self.s = np.minimum(np.where(order > peak, low, np.float32(0)).min(axis=2), 0) + none
        self.net = np.add.reduce(low, axis=2) * (1000 / rate) + none
        self.t = _level(z, marks.t_peak, 2)
        self.st = _level(z, marks.qrs_off + _ST_MS / 1000 * rate, 1)
        foot = 0.056 * rate
        right = np.fmin(marks.p_peak + foot, marks.qrs_on - 1)
        feet = 0.5 * (_level(z, marks.p_peak - foot, 1) + _level(z, right, 1))
        self.p = _level(z, marks.p_peak, 1) - feet
        noise = np.nan_to_num(marks.p_noise)
        prominence = np.nan_to_num(marks.p_prominence)
        smallest = np.where(templates.used > 1, P_SMALLEST_MV, P_SMALLEST_ALONE_MV)
        self.p_present = prominence > np.maximum(smallest, P_RATIO * noise)
        size = np.sqrt(np.einsum("nc,nc->n", self.t, self.t) / max(c, 1))
        self.t_present = np.nan_to_num(size) > np.maximum(T_SMALLEST_MV, T_RATIO * noise)


def measure(templates: Templates, marks: Marks, rate: float) -> Shapes:
    """Measure the amplitudes of all leads.

    Parameters
    ----------
    templates : Templates
    marks : Marks
    rate : float
        Samples a second of the templates.

    Returns
    -------
    Shapes
    """
    return Shapes(templates, marks, rate)


def interval_features(marks: Marks, shapes: Shapes, rate: float, rr_s: Values) -> dict[str, Values]:
    """Return the intervals of the mean beat in milliseconds.

    Parameters
    ----------
    marks : Marks
    shapes : Shapes
    rate : float
        Samples a second of the templates.
    rr_s : ndarray, shape (n,), float64
        Mean RR interval in seconds.

    Returns
    -------
    dict of str to ndarray, shape (n,), float64
        ``pr_ms`` (onset of P to onset of QRS) and ``p_duration_ms``, NaN without a P wave;
        ``qrs_ms``; ``qt_ms`` (to the end of T by the tangent) and ``qtcf_ms`` (over the cube root
        of RR in seconds, Fridericia 1920, doi:10.1111/j.0954-6820.1920.tb18266.x), NaN without a
        T wave; ``t_peak_ms`` (onset of QRS to the peak of T).
    """
    ms = 1000 / rate
    p = np.where(shapes.p_present, ms, np.nan)
    t = np.where(shapes.t_present, ms, np.nan)
    qt = (marks.t_end - marks.qrs_on) * t
    return {
        "pr_ms": (marks.qrs_on - marks.p_on) * p,
        "p_duration_ms": (marks.p_off - marks.p_on) * p,
        "qrs_ms": (marks.qrs_off - marks.qrs_on) * ms,
        "qt_ms": qt,
        "qtcf_ms": qt / np.cbrt(rr_s),
        "t_peak_ms": (marks.t_peak - marks.qrs_on) * t,
    }


def wave_features(marks: Marks, shapes: Shapes, leads: tuple[str, ...]) -> dict[str, Values]:
    """Return amplitudes, axes and the presence of waves.

    Parameters
    ----------
    marks : Marks
    shapes : Shapes
    leads : tuple of str
        Standard names of the leads.

    Returns
    -------
    dict of str to ndarray, shape (n,), float64
        ``P_II_mv`` and so on for P, Q, R, S, T and ``st`` in those of `AMPLITUDE_LEADS` that there
        are. ``p_prominence_mv``: root mean square over the leads of the height of P over its feet,
        noise subtracted. ``p_present`` (0 or 1): it exceeds 0.01 mV and 3.5 times the standard
        error of the mean beat; 0.03 mV where the mean is of one beat.
        ``qrs_size_mv``, ``t_size_mv``: median over the leads of the peak-to-peak of QRS and of
        the size of T. ``axis_deg``, ``t_axis_deg``: direction in the frontal plane of the area of
        QRS and of T, 0 to the left, 90 down. ``qrs_t_cosine``: of the angle over all leads
        between the area of QRS and T, negative where T goes against QRS.
    """
    found: dict[str, Values] = {
        "p_prominence_mv": marks.p_prominence,
        "p_present": np.where(np.isfinite(marks.qrs_on), shapes.p_present, np.nan),
        "qrs_size_mv": _middle(shapes.r - np.minimum(shapes.q, shapes.s)),
        "t_size_mv": _middle(np.abs(shapes.t)),
        "qrs_t_cosine": _cosine(shapes.net, shapes.t),
    }
    for name in AMPLITUDE_LEADS:
        if name in leads:
            k = leads.index(name)
            for wave in ("P", "Q", "R", "S", "T"):
                found[f"{wave}_{name}_mv"] = getattr(shapes, wave.lower())[:, k]
            found[f"st_{name}_mv"] = shapes.st[:, k]
    if "I" in leads and ("II" in leads or "aVF" in leads):
        for name, of in (("axis_deg", shapes.net), ("t_axis_deg", shapes.t)):
            found[name] = _axis(of, leads)
    return found


def _level(z: NDArray[np.float32], place: Values, reach: int) -> Values:
    """Mean of the samples around a place, of each lead: (n, c); NaN outside the window."""
    width = z.shape[2]
    ok = np.isfinite(place) & (place >= 0) & (place <= width - 1)
    grid = np.rint(np.where(ok, place, 0)).astype(np.intp)[:, None] + np.arange(-reach, reach + 1)
    picked = np.take_along_axis(z, np.clip(grid, 0, width - 1)[:, None], axis=2)
    return np.asarray(picked.mean(axis=2) + np.where(ok, 0.0, np.nan)[:, None], np.float64)


def _middle(values: Values) -> Values:
    """Median over the leads; NaN where one is."""
    ordered = np.sort(values, axis=1)
    c = values.shape[1]
    return 0.5 * (ordered[:, (c - 1) // 2] + ordered[:, c // 2]) + 0 * ordered[:, -1]


def _cosine(a: Values, b: Values) -> Values:
    """Cosine of the angle between rows."""
    size = np.sqrt(np.einsum("nc,nc->n", a, a) * np.einsum("nc,nc->n", b, b))
    return np.where(
        size > 1e-9, np.einsum("nc,nc->n", a, b) / np.where(size > 1e-9, size, 1), np.nan
    )


def _axis(of: Values, leads: tuple[str, ...]) -> Values:
    """Angle in the frontal plane; aVF is taken from I and II where it is not there."""
    i = of[:, leads.index("I")]
    foot = of[:, leads.index("aVF")] if "aVF" in leads else of[:, leads.index("II")] - i / 2
    # Goldberger's leads are shorter by the root of 3 over 2.
    down = 2 / np.sqrt(3) * foot
    return np.where(np.hypot(i, down) > 1e-6, np.degrees(np.arctan2(down, i)), np.nan)
