"""How copies of recordings are searched for: by their mean beats, aligned.

A copy may be shifted in time, amplified, offset, resampled or noised. The mean beat is none the
worse for the first, its correlation for gain and offset, averaging over beats for noise; resampling
is undone because mean beats have one rate. Recordings without beats are compared by the fine
structure of their spectra (`sdq_signals.signature.fingerprint`).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.errors import UsageError
from sdq_core.statistics.matches import CopySearch, Matches

__all__ = ["ALIGNED_BEATS", "best_matches", "planted"]

SHIFTS: Final = (0.0, -0.5, 0.5, -1.0, 1.0, -1.5, 1.5, -2.0, 2.0)
"""Samples of 10 ms by which a mean beat is moved to meet another."""
BLOCK = 512

_NOISE = 0.03  # of the signature's own norm
_WARP = 0.005  # of the time axis, at most
_SHIFT = 0.4  # samples, at most: R peaks are found at 250 samples a second


def best_matches(
    query: NDArray[np.floating[Any]],
    reference: NDArray[np.floating[Any]],
    *,
    top: int = 20,
    query_groups: NDArray[np.generic] | None = None,
    reference_groups: NDArray[np.generic] | None = None,
) -> Matches:
    """Find the references whose mean beats correlate best with each query's.

    Parameters
    ----------
    query, reference : ndarray, shape (n, channels, time) and (m, channels, time)
        Signatures. The mean of each channel and the norm of the whole are taken out here.
    top : int
    reference_groups : ndarray, shape (m,), optional
        Subjects of the references: each is listed once, by its best recording.
    query_groups : ndarray, shape (n,), optional
        Subjects of the queries; pairs of one subject are left out. Needs `reference_groups`.

    Returns
    -------
    Matches
        The score is the largest correlation over shifts of at most 20 ms; ties go to the lower
        row.

    Raises
    ------
    UsageError
        Shapes do not fit, or there is no reference.

    Examples
    --------
    >>> beats = np.random.default_rng(0).standard_normal((9, 2, 80))
    >>> found = best_matches(3 * beats[4:5] + 1, beats)
    >>> int(found.index[0]), round(float(found.score[0]), 3)
    (4, 1.0)
    """
    if query.shape[1:] != reference.shape[1:] or len(reference) == 0:
        raise UsageError(
            f"reference: needs at least one signature of the queries' shape {query.shape[1:]}, "
            f"found {reference.shape}; make both with the same settings"
        )
    if query_groups is not None and reference_groups is None:
        raise UsageError("query_groups: give reference_groups too")
    names = np.arange(len(reference)) if reference_groups is None else np.asarray(reference_groups)
    known, subject = np.unique(names, return_inverse=True)
    order = np.argsort(subject, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(subject[order]) > 0])
    b = _normalised(np.asarray(reference, np.float64), 0.0)
    shifted = [_normalised(np.asarray(query, np.float64), k) for k in SHIFTS]
    top = min(top, len(known))
    scores = np.full((len(query), top), -1.0)
    indices = np.full((len(query), top), -1, np.intp)
    for start in range(0, len(query), BLOCK):
        rows = slice(start, start + BLOCK)
        correlation = np.max([a[rows] @ b.T for a in shifted], axis=0)
        if query_groups is not None:
            same = np.asarray(query_groups)[rows][:, None] == names[None]
            correlation = np.where(same, -np.inf, correlation)
        ordered = correlation[:, order]
        best = np.maximum.reduceat(ordered, starts, axis=1)
        chosen = np.argsort(-best, axis=1, kind="stable")[:, :top]
        found = np.take_along_axis(best, chosen, axis=1)
        for k, (subjects, values) in enumerate(zip(chosen, found, strict=True)):
            for place, (s, value) in enumerate(zip(subjects, values, strict=True)):
                if np.isfinite(value):
                    members = np.flatnonzero(subject == s)
                    scores[start + k, place] = min(1.0, value)
                    indices[start + k, place] = members[correlation[k, members].argmax()]
    words = tuple("aligned" if i >= 0 else None for i in indices[:, 0])
    return Matches(scores, indices, words)


def planted(
    signatures: NDArray[np.floating[Any]], n: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Return disguised copies of some signatures.

    Parameters
    ----------
    signatures : ndarray, shape (m, channels, time)
    n : int
        Of them, drawn without replacement; at most m.
    rng : numpy.random.Generator

    Returns
    -------
    copies : ndarray, shape (n, channels, time), float32
        Shifted by up to 0.4 samples, stretched in time by up to 0.5 %, amplified by up to a half,
        and noised by 3 % of their norm.
    rows : ndarray, shape (n,)
        Their originals.
    """
    from scipy.ndimage import map_coordinates

    rows = rng.choice(len(signatures), n, replace=False)
    time = np.arange(signatures.shape[-1])
    copies = np.empty((n, *signatures.shape[1:]), np.float32)
    for copy, row in zip(copies, rows, strict=True):
        x = np.asarray(signatures[row], np.float64)
        at = time * (1 + rng.uniform(-_WARP, _WARP)) + rng.uniform(-_SHIFT, _SHIFT)
        moved = np.stack([map_coordinates(c, at[None], order=3, mode="nearest") for c in x])
        noise = rng.standard_normal(x.shape) * (np.ptp(x, axis=-1, keepdims=True) > 0)
        noise *= _NOISE * np.linalg.norm(moved) / max(float(np.linalg.norm(noise)), 1e-12)
        copy[:] = (moved + noise) * rng.uniform(0.67, 1.5)
    return copies, rows


def _normalised(x: NDArray[np.float64], shift: float) -> NDArray[np.float64]:
    """Rows without the mean of each channel, of unit norm, moved by some half samples."""
    edge = round(max(SHIFTS)) + 2
    start, rest = divmod(edge + shift, 1)
    first, size = int(start), x.shape[-1] - 2 * edge
    if rest:  # half way between two samples: the cubic through four
        taps = zip(range(first - 1, first + 3), (-1 / 16, 9 / 16, 9 / 16, -1 / 16), strict=True)
        part = np.sum([w * x[..., k : k + size] for k, w in taps], axis=0)
    else:
        part = x[..., first : first + size]
    part = part - part.mean(axis=-1, keepdims=True)
    flat = part.reshape(len(part), -1)
    norm = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.asarray(flat / np.maximum(norm, 1e-30))


ALIGNED_BEATS: Final = CopySearch(best_matches, planted, floor=0.001, remembered=True)
"""Correlations above 0.9995 count as equal: noise, rounding and the place of the R peak."""
