"""Copies of halves: images composed of two training images, which no whole image is like.

Each half of an image is searched for by itself, in the same half of the others: left, right, upper
and lower, moved by a pixel. The half that stands out most speaks for the image. In real images
that copy nothing some half stands out most too: the null is made of the same largest values.
"""

from __future__ import annotations

from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdq_core.statistics.copies import copy_scores
from sdq_core.statistics.matches import CopySearch, Matches

__all__ = ["HALVES", "half_matches"]

REACH: Final = 1
"""Pixels of a signature by which a half is moved each way."""
BLOCK: Final = 256
"""Queries at a time; it changes the memory in use and no result."""
FLOOR: Final = 0.02
SEAM: Final = (0.4, 0.6)
"""Of the width: where planted copies change from one original to the other."""
NOISE: Final = 0.1
"""Of a planted copy's norm."""
NAMES: Final = ("left half", "right half", "upper half", "lower half")

Signatures = NDArray[np.floating]


def half_matches(
    query: Signatures,
    reference: Signatures,
    *,
    top: int = 20,
    query_groups: NDArray[np.generic] | None = None,
    reference_groups: NDArray[np.generic] | None = None,
) -> Matches:
    """Find the references whose half correlates best with the same half of each query.

    Parameters
    ----------
    query, reference : ndarray, shape (n, s, s) and (m, s, s)
        Signatures of images.
    top : int
    query_groups, reference_groups : ndarray, optional
        Subjects, as in `sdq_core.statistics.matches.Matcher`.

    Returns
    -------
    Matches
        Of that half of each query whose copy score is highest; the transform names it.

    Notes
    -----
    Normalised correlation of windows, the largest over shifts of up to `REACH` pixels (Lewis,
    "Fast normalized cross-correlation", Vision Interface 1995). A half that was flipped, turned or
    scaled is not found.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((30, 32, 32))
    >>> made = np.concatenate([x[4, :, :16], rng.standard_normal((32, 16))], axis=1)
    >>> found = half_matches(made[None], x)
    >>> int(found.index[0]), found.transforms[0]
    (4, 'left half')
    """
    names = np.arange(len(reference)) if reference_groups is None else reference_groups
    subjects, subject = np.unique(np.asarray(names), return_inverse=True)
    top = min(top, len(subjects))
    n = len(query)
    scores, indices = np.full((n, top), -1.0), np.full((n, top), -1, np.intp)
    height, which = np.full(n, -np.inf), np.zeros(n, np.intp)
    for number in range(len(NAMES)):
        fixed = _unit(_half(np.asarray(reference, np.float32), number, 0, 0))
        for start in range(0, n, BLOCK):
            rows = np.arange(start, min(n, start + BLOCK))
            near = _nearness(np.asarray(query[rows], np.float32), fixed, number)
            if query_groups is not None:
                near[np.asarray(query_groups)[rows, None] == np.asarray(names)[None]] = -np.inf
            near, best = _each_subject_once(near, subject)
            order = np.argsort(-near, axis=1, kind="stable")[:, :top]
            found = np.take_along_axis(near, order, axis=1).astype(np.float64)
            place = np.where(np.isfinite(found), np.take_along_axis(best, order, axis=1), -1)
            found = np.where(np.isfinite(found), np.minimum(found, 1.0), -1.0)
            stands_out = np.zeros(len(rows))
            enough = (place >= 0).sum(1) >= 3 if top >= 3 else np.zeros(len(rows), bool)
            if enough.any():
                some = Matches(found[enough], place[enough], (None,) * int(enough.sum()))
                stands_out[enough] = copy_scores(some, FLOOR)
            better = stands_out > height[rows]
            at = rows[better]
            height[at], which[at] = stands_out[better], number
            scores[at], indices[at] = found[better], place[better]
    transforms = tuple(
        NAMES[w] if i >= 0 else None for w, i in zip(which, indices[:, 0], strict=True)
    )
    return Matches(scores, indices, transforms)


def _half(images: NDArray[np.float32], number: int, down: int, right: int) -> NDArray[np.float32]:
    """Return one half of images, moved, less the border that moving needs."""
    side = images.shape[1]
    ends = [(REACH, side - REACH), (REACH, side - REACH)]
    axis = 1 if number < 2 else 0
    ends[axis] = (REACH, side // 2) if number % 2 == 0 else (side // 2, side - REACH)
    rows, columns = (slice(a + s, b + s) for (a, b), s in zip(ends, (down, right), strict=True))
    return images[:, rows, columns]


def _nearness(
    query: NDArray[np.float32], fixed: NDArray[np.float32], number: int
) -> NDArray[np.float32]:
    steps = range(-REACH, REACH + 1)
    found = np.full((len(query), len(fixed)), -np.inf, np.float32)
    for down, right in product(steps, steps):
        np.maximum(found, _unit(_half(query, number, down, right)) @ fixed.T, out=found)
    return found


def _unit(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return vectors of zero mean and unit norm; zero where a half is flat."""
    flat = images.reshape(len(images), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    norms = np.sqrt((flat**2).sum(axis=1, keepdims=True))
    unit: NDArray[np.float32] = np.divide(flat, norms, out=np.zeros_like(flat), where=norms > 1e-6)
    return unit


def _each_subject_once(
    near: NDArray[np.float32], subject: NDArray[np.intp]
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Return the nearness of each subject's best item, and that item's row."""
    order = np.argsort(subject, kind="stable")
    starts = np.flatnonzero(np.diff(subject[order], prepend=-1))
    sizes = np.diff(np.append(starts, len(order)))
    ordered = near[:, order]
    best = np.maximum.reduceat(ordered, starts, axis=1)
    hit = ordered == np.repeat(best, sizes, axis=1)
    rows = np.where(hit, order[None], len(order))  # of equals the lower row
    return best, np.minimum.reduceat(rows, starts, axis=1)


def _planted(
    signatures: Signatures, n: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Return images composed of two originals, and the row of the left one."""
    rows = rng.choice(len(signatures), n, replace=False)
    others = (rows + rng.integers(1, max(2, len(signatures)), n)) % len(signatures)
    side = signatures.shape[-1]
    made = np.empty((n, *signatures.shape[1:]), np.float32)
    for copy, one, two in zip(made, rows, others, strict=True):
        soft = (np.arange(side) - side * rng.uniform(*SEAM)) / max(1.0, 0.03 * side)
        share = 1 / (1 + np.exp(soft))
        x = share * np.asarray(signatures[one]) + (1 - share) * np.asarray(signatures[two])
        x = np.roll(x, tuple(rng.integers(-1, 2, 2)), axis=(0, 1))
        noise = rng.standard_normal(x.shape)
        copy[...] = x + NOISE * np.linalg.norm(x) / np.linalg.norm(noise) * noise
    return made, np.asarray(rows, np.intp)


HALVES: Final = CopySearch(half_matches, _planted, floor=FLOOR)
