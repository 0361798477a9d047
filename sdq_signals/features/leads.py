"""Relations between leads: the laws of Einthoven and Goldberger, and signs of swapped cables."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_signals.features.template import Templates
from sdq_signals.features.waves import Shapes

__all__ = ["NEIGHBOURS", "lead_features", "limb_residuals"]

NEIGHBOURS: Final = (
    ("I", "II"), ("I", "V6"), ("II", "V5"), ("V1", "V2"), ("V2", "V3"), ("V3", "V4"),
    ("V4", "V5"), ("V5", "V6"),
)  # fmt: skip
"""Pairs of leads whose mean beats are correlated."""

FLOOR_MV: Final = 0.002
"""Below 2 uV, twice the usual least significant bit, a residual is rounding."""

_LAWS: Final = (
    ("einthoven", {"I": 1.0, "III": 1.0, "II": -1.0}),
    ("goldberger", {"aVR": 1.0, "I": 0.5, "II": 0.5}),
    ("goldberger", {"aVL": 1.0, "I": -0.5, "III": 0.5}),
    ("goldberger", {"aVF": 1.0, "II": -0.5, "III": -0.5}),
)

Values = NDArray[np.float64]


def limb_residuals(
    x: NDArray[np.float32], leads: tuple[str, ...], missing: NDArray[np.bool_] | None = None
) -> dict[str, Values]:
    """Return how far the limb leads are from the laws that bind them.

    I + III = II (Einthoven 1912), aVR = -(I + II) / 2, aVL = (I - III) / 2 and aVF = (II + III) / 2
    (Goldberger 1942). A generator that derives four limb
    leads from two fulfils them by construction: then a small residual says nothing about it.

    Parameters
    ----------
    x : ndarray, shape (n, c, t), float32
        Millivolts, as recorded.
    leads : tuple of str
        Standard names.
    missing : ndarray of bool, shape (n, c, t), optional
        Samples to leave out.

    Returns
    -------
    dict of str to ndarray, shape (n,), float64
        ``einthoven_mv``, ``goldberger_mv`` (over those of the three equations whose leads there
        are): root mean square in mV. ``einthoven_relative``, ``goldberger_relative``: the larger
        of it and 0.002 mV over the root mean square of lead I and II. NaN where leads are missing.

    Examples
    --------
    >>> x = np.array([[[1, 2, 3], [3, 3, 3], [2, 1, 0.3]]], np.float32)
    >>> round(float(limb_residuals(x, ("I", "II", "III"))["einthoven_mv"][0]), 3)
    0.173
    """
    n, _, t = x.shape
    squares = {"einthoven": np.zeros(n), "goldberger": np.zeros(n)}
    counts = {"einthoven": np.zeros(n), "goldberger": np.zeros(n)}
    for name, law in _LAWS:
        if not set(law) <= set(leads):
            continue
        index = [leads.index(lead) for lead in law]
        first, second, third = (
            np.float32(f) * x[:, k] for k, f in zip(index, law.values(), strict=True)
        )
        residual = first + second + third
        held = np.full(n, t)
        if missing is not None:
            gone = missing[:, index].any(axis=1)
            residual = np.where(gone, np.float32(0), residual)
            held = t - gone.sum(axis=1)
        squares[name] += np.einsum("nt,nt->n", residual, residual)
        counts[name] += held
    size = np.full(n, np.nan)
    if {"I", "II"} <= set(leads) and t:
        square = np.zeros(n)
        for lead in ("I", "II"):
            course = np.ascontiguousarray(x[:, leads.index(lead)])
            course = course - course.mean(axis=1, keepdims=True)
            square += np.einsum("nt,nt->n", course, course)
        size = np.sqrt(square / (2 * t))
    found = {}
    for name, total in squares.items():
        count = counts[name]
        rms = np.where(count > 0, np.sqrt(total / np.maximum(count, 1)), np.nan)
        found[f"{name}_mv"] = rms
        found[f"{name}_relative"] = np.maximum(rms, FLOOR_MV) / np.maximum(size, FLOOR_MV)
    return found


def lead_features(
    templates: Templates, shapes: Shapes, leads: tuple[str, ...]
) -> dict[str, Values]:
    """Return signs of swapped leads and the likeness of neighbours, from the mean beats.

    Parameters
    ----------
    templates : Templates
    shapes : Shapes
    leads : tuple of str
        Standard names.

    Returns
    -------
    dict of str to ndarray, shape (n,), float64
        ``arm_swap``, -1..1: mean of what speaks for exchanged arm electrodes: P, QRS and T
        negative in I, QRS upright in aVR, I unlike V6; above 0 is suspicious (dextrocardia looks
        the same in I). ``v1_v3_swap``,
        -1..1: share of R in R and S of V1 less that of V3; R grows from V1 to V3, so above 0 is
        suspicious. ``corr_V1_V2`` and so on: correlation of mean beats. Only what the leads allow.
    """
    found: dict[str, Values] = {}
    correlation = {
        (a, b): _correlation(templates.mean[:, leads.index(a)], templates.mean[:, leads.index(b)])
        for a, b in NEIGHBOURS
        if a in leads and b in leads
    }
    if {"I", "II"} <= set(leads):
        found["arm_swap"] = _arm_swap(shapes, leads, correlation.get(("I", "V6")))
    if {"V1", "V3"} <= set(leads):
        first, third = (_share_of_r(shapes, leads.index(lead)) for lead in ("V1", "V3"))
        found["v1_v3_swap"] = first - third
    found.update({f"corr_{a}_{b}": v for (a, b), v in correlation.items()})
    return found


def _arm_swap(shapes: Shapes, leads: tuple[str, ...], with_v6: Values | None) -> Values:
    """Mean of the votes for exchanged arms."""
    limb = [leads.index(lead) for lead in ("I", "II", "III", "aVR", "aVL", "aVF") if lead in leads]
    i = leads.index("I")
    votes = []
    for wave in (shapes.p, shapes.net, shapes.t):
        largest = np.abs(wave[:, limb]).max(axis=1)
        votes.append(-wave[:, i] / np.where(largest > 0, largest, 1))
    # A P wave that is not there has no vote.
    votes[0] = np.where(shapes.p_present, votes[0], 0.0)
    if "aVR" in leads:
        largest = np.abs(shapes.net[:, limb]).max(axis=1)
        votes.append(shapes.net[:, leads.index("aVR")] / np.where(largest > 0, largest, 1))
    if with_v6 is not None:
        votes.append(-with_v6)
    total = votes[0]
    for vote in votes[1:]:
        total = total + vote
    return total / len(votes)


def _share_of_r(shapes: Shapes, lead: int) -> Values:
    """R over the sum of R and the deeper of Q and S."""
    r = shapes.r[:, lead]
    both = r - np.minimum(shapes.q[:, lead], shapes.s[:, lead])
    return np.where(both > 0, r / np.where(both > 0, both, 1), np.nan)


def _correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> Values:
    """Correlation of rows; NaN where one is constant."""
    u = a - a.mean(axis=1, keepdims=True)
    v = b - b.mean(axis=1, keepdims=True)
    size = np.sqrt(np.einsum("nw,nw->n", u, u) * np.einsum("nw,nw->n", v, v)).astype(np.float64)
    some = size > 1e-9
    return np.where(some, np.einsum("nw,nw->n", u, v) / np.where(some, size, 1), np.nan)
